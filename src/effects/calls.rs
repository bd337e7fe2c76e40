//! What a story tells of the cases that its case called: that one was called, how it ended, or that none was begun.
//! Of one that is over, how it ended is enough to whoever does not operate the case.

use super::format::{Words, clean_line};
use super::timeline::{Mark, Moment, Scene};
use crate::engine::command::Ask;
use crate::engine::event::{Entry, Event};
use crate::engine::refusal::open_already;
use crate::model::definition::{StepKind, outcome};
use crate::model::id::{InstanceId, Outcome, StepId, TokenId};
use crate::model::text::{Lang, Wording};
use crate::model::words::ending;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of calls as a log is read.
pub(super) struct Calls<'a> {
    /// The rows that tokens are in, in words.
    rows: &'a BTreeMap<TokenId, String>,
    /// Cases that are over, or were to begin and did not: to whoever does not operate, nothing is told of these beside.
    over: BTreeSet<InstanceId>,
    /// Cases that nobody waits for any more.
    unawaited: BTreeSet<InstanceId>,
    /// Cases that were to begin and did not.
    unbegun: BTreeSet<InstanceId>,
}

impl<'a> Calls<'a> {
    /// Of a case with this log.
    pub(super) fn new(rows: &'a BTreeMap<TokenId, String>, log: &[Entry], operates: bool) -> Calls<'a> {
        let over = log.iter().filter(|_| !operates).filter_map(|entry| match &entry.command.ask {
            Ask::ChildEnded { child, .. } => Some(*child),
            Ask::CallFailed { child, taken: true, .. } => Some(*child),
            _ => None,
        });
        let ended = log.iter().filter_map(|entry| match &entry.command.ask {
            Ask::ChildEnded { child, .. } | Ask::CallFailed { child, .. } => Some(*child),
            _ => None,
        });
        let cancelled = log.iter().flat_map(|entry| &entry.events).filter_map(|event| match event {
            Event::CallCancelled { child } => Some(*child),
            _ => None,
        });
        Calls { rows, over: over.collect(), unawaited: ended.chain(cancelled).collect(), unbegun: BTreeSet::new() }
    }

    /// What there is to tell of an event, if anything.
    pub(super) fn tell(
        &mut self,
        scene: &Scene<'_>,
        words: &Words<'_>,
        entry: &Entry,
        event: &Event,
    ) -> Option<Moment> {
        let line = |title: String, said: String| {
            Some(Moment { mark: Mark::Note, title, when: words.moment(entry.at), words: said, ..Moment::default() })
        };
        let placed = |token: &TokenId, step: &StepId| {
            words.with_row(words.step(scene.definition, step), self.rows.get(token).cloned())
        };
        if let Ask::CallFailed { child, .. } = &entry.command.ask {
            self.unbegun.insert(*child);
        }
        match event {
            Event::Called { token, step, child, detached, .. } if !self.over.contains(child) => {
                let said = match detached {
                    true => words.pick("另行发起，不等它结束", "called as a case of its own"),
                    false if self.unawaited.contains(child) => words.pick("已发起", "called"),
                    false => words.pick("已发起，等它结束", "called; this case waits for it"),
                };
                line(placed(token, step), said.into())
            }
            Event::CallCancelled { child } if !self.unbegun.contains(child) => line(
                words.pick("所调用的案例", "The called case").into(),
                words.pick("不再等待，请求取消", "no longer awaited, to be cancelled").into(),
            ),
            Event::Left { token, step, outcome, .. } => {
                let StepKind::Call(call) = &scene.definition.steps.get(step)?.kind else { return None };
                // One that is not awaited is left behind at once, perhaps because another one ended.
                let said = match &entry.command.ask {
                    Ask::ChildEnded { token: of, .. } if of == token && !call.detached => {
                        let callee = words.live.iter().find(|live| live.process == call.process);
                        let known = callee.map(|callee| words.ending(callee, outcome));
                        let ours = || Some(ending(outcome.as_str())?.get(words.lang).to_owned());
                        ended(words, known.or_else(ours))
                    }
                    Ask::CallFailed { token: of, what, .. } if of == token => unbegun(words, outcome, what),
                    _ => return None,
                };
                line(placed(token, step), said)
            }
            _ => None,
        }
    }
}

/// That a called case ended, and how, where that has words.
fn ended(words: &Words<'_>, ending: Option<String>) -> String {
    let ended = words.pick("所调用的案例已结束", "the called case ended");
    ending.map_or_else(|| ended.to_owned(), |ending| format!("{ended}{}{ending}", words.pick("：", ": ")))
}

/// That nothing was begun, and why; what to do about it is for who sent the call.
fn unbegun(words: &Words<'_>, came_to: &Outcome, what: &Wording) -> String {
    let why = match came_to.as_str() {
        outcome::REFUSED => open_already(what, words.lang),
        _ => what.get(words.lang),
    };
    let why = clean_line(why);
    let why = why.trim_end_matches(['。', '.']);
    match words.lang {
        Lang::Zh => format!("没有发起：{why}"),
        Lang::En => format!("not begun: {why}"),
    }
}
