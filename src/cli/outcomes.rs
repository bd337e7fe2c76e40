//! What a person calls an outcome of a step: by its name, or by its title in any language. Of a step that waits for
//! something outside: how that goes.

use crate::model::definition::{Step, StepKind, outcome};
use crate::model::id::Outcome;
use crate::model::text::{Lang, Text, Wording, clean_line};
use crate::model::words;

/// The outcome of a step that is called so; where there is none, all that there are, with their titles.
pub(super) fn named(step: &Step, called: &str) -> Result<Outcome, Wording> {
    if let Some(ways) = outside(step) {
        let found = ways.iter().find(|way| **way == called).map(|way| Outcome::from(*way));
        return found.ok_or_else(|| Wording::new(ways.join("、"), ways.join(", ")));
    }
    let outcomes = || step.human().into_iter().flat_map(|human| &human.outcomes);
    let is_called = |name: &Outcome, title: Option<&Text>| {
        let same =
            |lang| self::title(name, title, lang).is_some_and(|title| title.to_lowercase() == called.to_lowercase());
        same(Lang::Zh) || same(Lang::En)
    };
    let by_name = outcomes().find(|(name, _)| name.as_str() == called);
    let found = by_name.or_else(|| outcomes().find(|(name, answering)| is_called(name, answering.title.as_ref())));
    match found {
        Some((name, _)) => Ok(name.clone()),
        None => {
            let said = |lang, (open, close), glue| {
                let shown = outcomes().map(|(name, answering)| match title(name, answering.title.as_ref(), lang) {
                    Some(title) if title != name.as_str() => format!("{name}{open}{title}{close}"),
                    _ => name.to_string(),
                });
                shown.collect::<Vec<String>>().join(glue)
            };
            Err(Wording::new(said(Lang::Zh, ("（", "）"), "、"), said(Lang::En, (" (", ")"), ", ")))
        }
    }
}

/// How what a step waits for outside can go; `None` of other steps.
pub(super) fn outside(step: &Step) -> Option<&'static [&'static str]> {
    match step.kind {
        StepKind::Http(_) | StepKind::Job(_) => Some(&[outcome::DONE, outcome::FAILED]),
        StepKind::Receive(_) => Some(&[outcome::DONE]),
        _ => None,
    }
}

fn title(name: &Outcome, own: Option<&Text>, lang: Lang) -> Option<String> {
    let built_in = || words::answer(name.as_str()).map(|words| words.get(lang).to_owned());
    own.map(|title| clean_line(title.get(lang))).or_else(built_in)
}
