//! What the built-in outcomes are called. Mail, pages, the shell and pictures all say these words; an author's own
//! outcome has the author's.

use super::definition::{Definition, StepKind, outcome};
use super::id::Outcome;
use super::text::{Lang, Wording, clean_line};

/// What an answer says once it is given: `同意`, `Approved`.
pub fn answer(name: &str) -> Option<Wording> {
    let (zh, en) = match name {
        outcome::APPROVED => ("同意", "Approved"),
        outcome::REJECTED => ("不同意", "Rejected"),
        outcome::RETURNED => ("退回修改", "Returned for changes"),
        outcome::DONE => ("已办理", "Done"),
        outcome::REVISED => ("修改后重新提交", "Revised and submitted again"),
        outcome::FAILED => ("没有办成", "Failed"),
        outcome::REFUSED => ("未受理", "Refused"),
        outcome::SKIPPED => ("不需要", "Not needed"),
        _ => return None,
    };
    Some(Wording::new(zh, en))
}

/// How a case ended: `已办结`, `Rejected`.
pub fn ending(name: &str) -> Option<Wording> {
    let (zh, en) = match name {
        outcome::DONE => ("已办结", "Completed"),
        outcome::APPROVED => ("已通过", "Approved"),
        outcome::REJECTED => ("未通过", "Rejected"),
        outcome::WITHDRAWN => ("已撤回", "Withdrawn"),
        outcome::CANCELLED => ("已取消", "Cancelled"),
        _ => return None,
    };
    Some(Wording::new(zh, en))
}

/// A name of the author's as words: `not_in_stock` reads `not in stock`.
pub fn named(name: &str) -> String {
    clean_line(name).replace('_', " ")
}

impl Definition {
    /// How a case of it ended: in the author's words where an `end` has a title, else by its name.
    pub fn ending(&self, name: &Outcome, lang: Lang) -> String {
        let title = self.steps.values().find_map(|step| match &step.kind {
            StepKind::End(end) if end == name => step.title.as_ref(),
            _ => None,
        });
        match (title, ending(name.as_str())) {
            (Some(title), _) => clean_line(title.get(lang)),
            (None, Some(words)) => words.get(lang).to_owned(),
            // Whatever it means, its name says more than a word of ours.
            (None, None) => named(name.as_str()),
        }
    }
}
