//! What a story tells of what was asked of other systems and of workers.
//!
//! Those who operate it are told each attempt that failed and why, what stopped the case, who tried again, and how it
//! went on. Everybody is told what failed for good where the case went on as the author said: whoever is asked next is
//! asked because of it. The rest is not theirs to mend.

use super::format::{Words, clean_line};
use super::timeline::{Mark, Moment, Scene};
use crate::engine::command::Ask;
use crate::engine::event::{Entry, Event, Trouble};
use crate::model::definition::{StepKind, outcome};
use crate::model::id::{Outcome, StepId, TokenId};
use crate::model::text::{Lang, Wording};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What is known of tokens as a log is read.
pub(super) struct Outside<'a> {
    /// Whether the reader operates the case.
    operates: bool,
    /// The rows that tokens are in, in words.
    rows: &'a BTreeMap<TokenId, String>,
    at: BTreeMap<TokenId, &'a StepId>,
    /// Tokens that stopped, with the place of their line where it may still be the present one.
    stopped: BTreeMap<TokenId, &'a StepId>,
}

impl<'a> Outside<'a> {
    /// Nothing read yet.
    pub(super) fn new(rows: &'a BTreeMap<TokenId, String>, operates: bool) -> Outside<'a> {
        Outside { operates, rows, at: BTreeMap::new(), stopped: BTreeMap::new() }
    }

    /// What there is to tell of an event, if anything.
    pub(super) fn tell(
        &mut self,
        scene: &Scene<'a>,
        words: &Words<'_>,
        entry: &'a Entry,
        event: &'a Event,
    ) -> Option<Moment> {
        let rows = self.rows;
        let line = |mark, token: Option<&TokenId>, step: &StepId, said: String| Moment {
            mark,
            title: words.with_row(words.step(scene.definition, step), token.and_then(|token| rows.get(token)).cloned()),
            when: words.moment(entry.at),
            words: said,
            ..Moment::default()
        };
        match event {
            Event::Unusable { token, zh, en } => {
                let step = self.at.get(token)?;
                let why = if words.lang == Lang::Zh { zh } else { en };
                Some(line(Mark::Refused, Some(token), step, unusable(words, Some(why))))
            }
            Event::Left { token, step, outcome, .. } => {
                let kind = &scene.definition.steps.get(step)?.kind;
                // Of which the line before tells why.
                let told = |event: &Event| matches!(event, Event::Unusable { token: of, .. } if of == token);
                let went = went_on(words, kind, &entry.command.ask, outcome);
                let went = went.filter(|(mark, _)| self.operates || *mark == Mark::Refused);
                went.filter(|_| !entry.events.iter().any(told)).map(|(mark, said)| line(mark, Some(token), step, said))
            }
            Event::Entered { token, step } if !self.operates => {
                self.at.insert(*token, step);
                None
            }
            _ if !self.operates => None,
            Event::Entered { token, step } => {
                self.at.insert(*token, step);
                let again = self.stopped.remove(token).is_some() && matches!(entry.command.ask, Ask::Retry { .. });
                again.then(|| Moment {
                    who: words.actor(&entry.command.actor),
                    ..line(Mark::Note, Some(token), step, words.pick("重试", "tried again").into())
                })
            }
            Event::Postponed { token, attempt, at, zh, en } => {
                let step = self.at.get(token)?;
                let why = if words.lang == Lang::Zh { zh } else { en };
                Some(line(Mark::Note, Some(token), step, failed_for_now(words, attempt.saturating_sub(1), why, *at)))
            }
            Event::IncidentRaised { token, step, what } => {
                self.stopped.insert(*token, step);
                // What still stops it is the present, which says since when.
                let now = is_now(scene, entry, *token);
                (!now).then(|| line(Mark::Stopped, Some(token), step, stopped(words, &entry.command.ask, what)))
            }
            Event::CameLate { token } => {
                let step = self.at.get(token)?;
                let said = words.pick(
                    "对方已经办了，但这时已不再等它，没有采用",
                    "it was done when nobody waited for it any more; nothing is taken from it",
                );
                Some(line(Mark::Stopped, Some(token), step, said.into()))
            }
            // What came of the last attempt is told where the step is left.
            Event::UndoNoted { step, unsure: Some(_), .. }
                if !matches!(entry.command.ask, Ask::Answer { .. } | Ask::Fail { .. } | Ask::Deliver { .. }) =>
            {
                let said =
                    words.pick("没有等到结果，对方可能已经办了", "nobody waits for the result: it may have been done");
                Some(line(Mark::Note, None, step, said.into()))
            }
            _ => None,
        }
    }
}

/// Whether an incident is the one that the case is stopped by now.
fn is_now(scene: &Scene<'_>, entry: &Entry, token: TokenId) -> bool {
    scene.state.tokens.get(&token).is_some_and(|token| token.incident.is_some())
        && raised(scene, token).is_some_and(|last| last.revision == entry.revision)
}

/// The entry in which a token stopped the last time.
pub(super) fn raised<'a>(scene: &Scene<'a>, token: TokenId) -> Option<&'a Entry> {
    let raises = |event: &Event| matches!(event, Event::IncidentRaised { token: of, .. } if *of == token);
    scene.log.iter().rev().find(|entry| entry.events.iter().any(raises))
}

fn failed_for_now(words: &Words<'_>, attempt: u16, why: &str, next: DateTime<Utc>) -> String {
    let (why, next) = (reason(why), words.moment(next));
    match words.lang {
        Lang::Zh => format!("第 {attempt} 次没有办成（{why}），{next} 再试"),
        Lang::En => format!("attempt {attempt} failed ({why}), the next is at {next}"),
    }
}

/// What stopped it; of attempts, the number of the last.
fn stopped(words: &Words<'_>, ask: &Ask, what: &Trouble) -> String {
    let what = words.trouble(what);
    match (ask, words.lang) {
        (Ask::Fail { attempt, .. }, Lang::Zh) => format!("第 {attempt} 次没有办成，停下了。{what}"),
        (Ask::Fail { attempt, .. }, Lang::En) => format!("attempt {attempt} failed, and it stopped. {what}"),
        (_, Lang::Zh) => format!("停下了。{what}"),
        (_, Lang::En) => format!("stopped. {what}"),
    }
}

/// How a step outside was left.
fn went_on(words: &Words<'_>, kind: &StepKind, ask: &Ask, came_to: &Outcome) -> Option<(Mark, String)> {
    let nth = |attempt: u16| match (attempt, words.lang) {
        (..=1, _) => String::new(),
        (_, Lang::Zh) => format!("（第 {attempt} 次）"),
        (_, Lang::En) => format!(" at attempt {attempt}"),
    };
    match (kind, ask) {
        (StepKind::Http(_) | StepKind::Receive(_), Ask::Answer { .. } | Ask::Deliver { .. })
            if came_to.as_str() == outcome::FAILED =>
        {
            Some((Mark::Refused, unusable(words, None)))
        }
        (StepKind::Http(_), Ask::Answer { attempt, .. }) => {
            Some((Mark::Note, format!("{}{}", words.pick("外部系统已办好", "the other system did it"), nth(*attempt))))
        }
        (StepKind::Job(_), Ask::Answer { attempt, .. }) => {
            Some((Mark::Note, format!("{}{}", words.pick("作业已完成", "the job is done"), nth(*attempt))))
        }
        (StepKind::Http(_) | StepKind::Job(_), Ask::Fail { attempt, what, .. })
            if came_to.as_str() == outcome::FAILED =>
        {
            Some((Mark::Refused, failed_for_good(words, *attempt, what)))
        }
        _ => None,
    }
}

fn failed_for_good(words: &Words<'_>, attempt: u16, what: &Wording) -> String {
    let why = reason(what.get(words.lang));
    match words.lang {
        Lang::Zh => format!("第 {attempt} 次没有办成（{why}），不再试，按失败继续"),
        Lang::En => format!("attempt {attempt} failed ({why}), it goes on as failed"),
    }
}

/// That what came is of no use, which nothing is asked again for.
fn unusable(words: &Words<'_>, why: Option<&str>) -> String {
    match (words.lang, why.map(reason)) {
        (Lang::Zh, Some(why)) => format!("有答复，但不能用（{why}），按失败继续"),
        (Lang::Zh, None) => "有答复，但不能用，按失败继续".into(),
        (Lang::En, Some(why)) => format!("answered, but of no use ({why}); it goes on as failed"),
        (Lang::En, None) => "answered, but of no use; it goes on as failed".into(),
    }
}

/// Why something failed, to stand inside a sentence.
fn reason(text: &str) -> String {
    clean_line(text).trim_end_matches(['。', '.']).to_owned()
}
