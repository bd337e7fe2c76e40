//! Every safe mend of a folder, made until nothing changes.
//!
//! A round makes all mends that diagnostics offer and that do not touch each other, compiles the new texts and keeps
//! those that read [better](crate::diagnostics::mend::better). Where a file does not, its mends are tried one by one;
//! one that does not help is not tried again. Texts only ever get better, so rounds end; there is a bound all the same.
//! What puts one name of the author's for another is offered to people, but made only where it mends a slip of the
//! hand: another option than the one that was meant would decide cases.

use super::{Compiled, SourceText, Templates, compile};
use crate::diagnostics::mend::{at_once, better, guesses, written};
use crate::diagnostics::{Code, Diagnostic, Fix};
use crate::model::text::Wording;
use std::collections::BTreeSet;

/// The most rounds; each shows at least one more break of YAML, which stops at the first.
const ROUNDS: usize = 400;

/// A folder after its mends.
#[derive(Clone, Debug)]
pub struct Mended {
    /// All texts, those that were mended and those that were not, in the order of their names.
    pub files: Vec<SourceText>,
    /// What was mended, in the order in which it was done.
    pub made: Vec<Made>,
    /// What the texts now come to.
    pub compiled: Compiled,
}

/// One mend that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The file.
    pub file: String,
    /// The line in which it was made, from 1, as the text then was.
    pub line: usize,
    /// The fault that it mends.
    pub code: Code,
    /// What was wrong.
    pub message: Wording,
    /// What was done.
    pub text: Wording,
}

/// A mend that did not help: file, code, what was said, what was to stand there.
type Refused = (String, Code, String, String);

/// Makes every safe mend in the files that may be changed.
pub fn mend(mut files: Vec<SourceText>, templates: &dyn Templates, may_change: &dyn Fn(&str) -> bool) -> Mended {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut compiled = compile(files.clone(), templates);
    let mut made = Vec::new();
    let mut refused: BTreeSet<Refused> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut next = files.clone();
        let mut round = Vec::new();
        for (number, file) in files.iter().enumerate().filter(|(_, file)| may_change(&file.name)) {
            let chosen = offers(&compiled, &file.name, &refused);
            if let (Some(place), false) = (next.get_mut(number), chosen.is_empty()) {
                let fixes: Vec<&Fix> = chosen.iter().map(|(_, fix)| *fix).collect();
                place.bytes = with(file, &fixes);
                round.push((number, chosen));
            }
        }
        if round.is_empty() {
            break;
        }
        let tried = compile(next.clone(), templates);
        let mut whole = true;
        let mut kept: Vec<Made> = Vec::new();
        for (number, chosen) in &round {
            let (Some(file), Some(place)) = (files.get(*number), next.get_mut(*number)) else { continue };
            if helps(chosen, &file.name, &compiled, &tried) {
                kept.extend(chosen.iter().map(|(found, fix)| note(found, fix, &compiled)));
                continue;
            }
            whole = false;
            place.bytes.clone_from(&file.bytes);
            for one in chosen {
                let mut alone = files.clone();
                if let Some(place) = alone.get_mut(*number) {
                    place.bytes = with(file, &[one.1]);
                }
                if chosen.len() > 1 && helps(&[*one], &file.name, &compiled, &compile(alone.clone(), templates)) {
                    if let Some(better) = alone.get(*number) {
                        place.bytes.clone_from(&better.bytes);
                    }
                    kept.push(note(one.0, one.1, &compiled));
                    break;
                }
                refused.insert(name_of(one.0, one.1, &file.name));
            }
        }
        made.extend(kept);
        compiled = if whole { tried } else { compile(next.clone(), templates) };
        files = next;
    }
    Mended { files, made, compiled }
}

fn offers<'c>(compiled: &'c Compiled, file: &str, refused: &BTreeSet<Refused>) -> Vec<(&'c Diagnostic, &'c Fix)> {
    let fresh = |found: &&Diagnostic| {
        found.fix.as_ref().is_some_and(|fix| {
            let source = compiled.sources.get(fix.span.source);
            source.name == file && !refused.contains(&name_of(found, fix, file)) && !guesses(found, fix, &source.text)
        })
    };
    at_once(compiled.diagnostics.iter().filter(fresh))
}

fn name_of(found: &Diagnostic, fix: &Fix, file: &str) -> Refused {
    (file.to_owned(), found.code, found.message.en.clone(), fix.replacement.clone())
}

fn helps(chosen: &[(&Diagnostic, &Fix)], file: &str, before: &Compiled, after: &Compiled) -> bool {
    let made: Vec<&Diagnostic> = chosen.iter().map(|(found, _)| *found).collect();
    better(&made, &of_file(before, file), &of_file(after, file))
}

fn of_file<'c>(compiled: &'c Compiled, file: &str) -> Vec<&'c Diagnostic> {
    compiled.diagnostics.iter().filter(|found| compiled.sources.get(found.span.source).name == file).collect()
}

fn with(file: &SourceText, fixes: &[&Fix]) -> Vec<u8> {
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => written(text, fixes).into_bytes(),
        Err(_) => file.bytes.clone(),
    }
}

fn note(found: &Diagnostic, fix: &Fix, compiled: &Compiled) -> Made {
    let source = compiled.sources.get(fix.span.source);
    Made {
        file: source.name.clone(),
        line: source.position(fix.span.start).line,
        code: found.code,
        message: found.message.clone(),
        text: fix.text.clone(),
    }
}
