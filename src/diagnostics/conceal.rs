//! A secret that stands in a text is shown by no diagnostic, whichever of them is about its line.
//!
//! The texts are overwritten, character for character, so that every place stays what it is; then nothing that draws
//! a line, for people or for programs, has the secret any more. What other faults say of the same value is cleaned
//! too, and a mend that would repeat it is not offered.

use crate::diagnostics::{Code, Diagnostic, Sources, Span};
use crate::model::text::Wording;

/// What is said instead.
const HIDDEN: &str = "***";

/// A secret shorter than this is not looked for in sentences: it would be a part of any word.
const SHORTEST: usize = 4;

/// Hides every secret that is told, in the texts and in what is said of them.
pub(crate) fn conceal(diagnostics: &mut [Diagnostic], sources: &mut Sources) {
    let told = |found: &&Diagnostic| found.code == Code::SecretInYaml;
    let spans: Vec<Span> = diagnostics.iter().filter(told).map(|found| found.span).collect();
    if spans.is_empty() {
        return;
    }
    let text = |span: &Span| sources.get(span.source).text.get(span.start as usize..span.end as usize);
    let secrets: Vec<String> =
        spans.iter().filter_map(text).filter(|secret| secret.len() >= SHORTEST).map(str::to_owned).collect();
    for found in diagnostics {
        let shows = |text: &str| secrets.iter().any(|secret| text.contains(secret.as_str()));
        let clean = |words: &mut Wording| {
            for secret in &secrets {
                words.zh = words.zh.replace(secret.as_str(), HIDDEN);
                words.en = words.en.replace(secret.as_str(), HIDDEN);
            }
        };
        clean(&mut found.message);
        found.label.iter_mut().for_each(clean);
        found.context.iter_mut().for_each(|context| clean(&mut context.text));
        found.hints.iter_mut().for_each(clean);
        if found.fix.as_ref().is_some_and(|fix| shows(&fix.replacement)) {
            found.fix = None;
        }
    }
    for span in spans {
        sources.overwrite(span, |c| match c.len_utf8() {
            _ if c == '\n' || c == '\r' => c,
            1 => '*',
            2 => '·',
            3 => '•',
            _ => '🔒',
        });
    }
}
