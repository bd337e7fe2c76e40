//! A name that is missing is told once, and a value that is torn as that.
//!
//! A word that is unknown at several places is no slip of the hand: its declaration is missing, or is misspelt
//! itself. So a file tells it at its first place and shows the others, and no mend is offered: the name that looks
//! like it would be put there everywhere.

use crate::diagnostics::{Code, Diagnostic, Sources, Span};
use crate::model::text::Wording;
use std::collections::BTreeMap;

/// How many of the other places are shown.
const SHOWN: usize = 3;

/// Puts the faults of one and the same unknown name together, file by file.
pub(crate) fn once(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for found in &diagnostics {
        if let Some(name) = missing(found, sources) {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    let mut told: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    let mut first: BTreeMap<_, usize> = BTreeMap::new();
    for mut found in diagnostics {
        let name = missing(&found, sources).filter(|name| counts.get(*name).is_some_and(|count| *count > 1));
        let Some(name) = name.map(str::to_owned) else {
            told.push(found);
            continue;
        };
        found.fix = None;
        match first.get(&(found.span.source, name.clone())).and_then(|at| told.get_mut(*at)) {
            Some(earlier) if earlier.context.len() < SHOWN && earlier.span != found.span => {
                earlier
                    .context
                    .push(crate::diagnostics::Context {
                        span: found.span, text: Wording::new("这里也是", "here too")
                    });
            }
            Some(_) => {}
            None => {
                first.insert((found.span.source, name), told.len());
                told.push(found);
            }
        }
    }
    told
}

/// Leaves out what is wrong with values that YAML tore: that is told of what was written, and not of what is left.
pub(crate) fn untorn(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let tears = |found: &&Diagnostic| matches!(found.code, Code::YamlSyntax | Code::UnquotedExpression);
    let torn: Vec<Span> = diagnostics.iter().filter(tears).map(|found| found.span).collect();
    let follows = |found: &Diagnostic| {
        matches!(found.code, Code::BadValue | Code::BadName | Code::WrongShape) && torn.contains(&found.span)
    };
    diagnostics.into_iter().filter(|found| !follows(found)).collect()
}

/// The name that a fault misses, unless the mend keeps it and writes it otherwise.
fn missing<'s>(found: &Diagnostic, sources: &'s Sources) -> Option<&'s str> {
    let name = sources.get(found.span.source).text.get(found.span.start as usize..found.span.end as usize)?;
    let rewritten = found.fix.as_ref().is_some_and(|fix| fix.replacement.contains('('));
    (found.code == Code::UnknownName && !rewritten).then_some(name)
}
