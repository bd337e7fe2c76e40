//! What happened to an instance, who is asked now, and what comes next: one list, oldest first.
//!
//! The past is read from the log, the present from the state, the future from the engine's preview. Nothing here
//! is computed anew, so a page, a mail and the shell cannot tell three stories.

use super::calls::Calls;
use super::changed::Changed;
use super::format::{Words, clean};
use super::outside::Outside;
pub use super::present::opens_at;
use super::present::{ahead, present};
use super::view::Shown;
use super::words::{Calling, Choice};
use crate::engine::command::{Actor, Ask};
use crate::engine::event::{Entry, Event};
use crate::engine::preview::Upcoming;
use crate::engine::state::{MailKind, State, Task, TaskKind};
use crate::model::control::Then;
use crate::model::definition::{Definition, Nobody, StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, PersonId, ScopeId, StepId, TaskId, TokenId};
use crate::model::text::Lang;
use serde::Serialize;
use std::collections::BTreeMap;

/// One line of the story.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// How it is drawn.
    pub mark: Mark,
    /// The step, or what was done: `部门主管审批`, `提交`.
    pub title: String,
    /// Who did it, who is asked, or who would be.
    pub who: String,
    /// When it was done; until when, for what is open. Empty for what lies ahead.
    pub when: String,
    /// What came of it: `同意`, `轮到您`, `视情况`.
    pub words: String,
    /// What they wrote, as they wrote it.
    pub opinion: String,
    /// How they came in: `通过发往 w***@example.com 的链接`.
    pub via: String,
    /// Whether it is the reader who is asked.
    pub yours: bool,
    /// Whether it is past its due time.
    pub overdue: bool,
}

/// How a line is drawn: a style, never words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Handed in.
    #[default]
    Start,
    /// A person agreed or did their part: carries a seal.
    Seal,
    /// A person said no.
    Refused,
    /// A person sent it back.
    Returned,
    /// A remark.
    Note,
    /// Passed without anybody.
    Skipped,
    /// Someone is asked now.
    Now,
    /// Stopped until an operator helps.
    Trouble,
    /// Stopped then, and an operator helped.
    Stopped,
    /// Still to come.
    Ahead,
    /// Over.
    End,
}

impl Mark {
    /// Whether it lies in the past.
    pub fn past(self) -> bool {
        !matches!(self, Mark::Now | Mark::Trouble | Mark::Ahead)
    }
}

impl Moment {
    /// All of it in one line, for the shell: `3月2日 11:02  部门主管审批  李娜  同意：年度预算内`.
    pub fn line(&self) -> String {
        let mut said = self.words.clone();
        if !self.opinion.is_empty() {
            said = format!("{said} “{}”", self.opinion.replace('\n', " "));
        }
        let parts = [&self.when, &self.title, &self.who, &said, &self.via];
        parts.into_iter().filter(|part| !part.trim().is_empty()).cloned().collect::<Vec<_>>().join("  ")
    }
}

/// What a story is told from.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What the instance is pinned to.
    pub definition: &'a Definition,
    /// The instance.
    pub state: &'a State,
    /// Its log, from the first entry.
    pub log: &'a [Entry],
    /// What lies ahead, from the engine's preview.
    pub upcoming: &'a [Upcoming],
    /// The case that called it, where one did and is known.
    pub caller: Option<&'a Calling>,
}

/// What a reader is told besides what everybody is.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// All that happened outside, and what stopped the case.
    pub operates: bool,
    /// Which values were changed by an answer, of the fields that are shown; nothing of that where `None`.
    pub changes: Option<Shown<'a>>,
}

/// The whole story in the reader's words; `reader` is who is told “it is your turn”.
pub fn timeline<'a>(scene: &Scene<'a>, words: &Words<'_>, reader: Option<&PersonId>, told: Told<'a>) -> Vec<Moment> {
    let mut story = past(scene, words, told);
    if scene.state.ended.is_none() {
        story.extend(present(scene, words, reader, told.operates));
        story.extend(scene.upcoming.iter().map(|step| ahead(step, scene.definition, words)));
    }
    story
}

/// What is known of a task once it was opened.
struct Asked<'a> {
    title: String,
    step: &'a StepId,
    kind: TaskKind,
    people: BTreeMap<AssignmentId, (&'a PersonId, Option<&'a PersonId>)>,
}

fn past<'a>(scene: &Scene<'a>, words: &Words<'_>, told: Told<'a>) -> Vec<Moment> {
    let rows = words.rows_of(scene.definition, scene.log);
    let mut outside = Outside::new(&rows, told.operates);
    let mut calls = Calls::new(&rows, scene.log, told.operates);
    let mut changed = told.changes.map(Changed::new);
    let mut asked: BTreeMap<TaskId, Asked<'_>> = BTreeMap::new();
    let titles = words.tasks_of(scene.definition, scene.log);
    let mut branches: BTreeMap<ScopeId, TokenId> = BTreeMap::new();
    let mut at: BTreeMap<TokenId, &StepId> = BTreeMap::new();
    let mut begun: Option<&Entry> = None;
    // What is being taken back, by its scope; `None` of what was passed over.
    let mut undoing: BTreeMap<ScopeId, Option<&StepId>> = BTreeMap::new();
    let placed =
        |token: &TokenId, step: &StepId| words.with_row(words.step(scene.definition, step), rows.get(token).cloned());
    let mut story = Vec::new();
    for entry in scene.log {
        let when = words.moment(entry.at);
        let via = match &entry.command.actor {
            Actor::Person { via, .. } => words.via(via).unwrap_or_default(),
            _ => String::new(),
        };
        let by = words.actor(&entry.command.actor);
        for event in &entry.events {
            story.extend(outside.tell(scene, words, entry, event));
            story.extend(calls.tell(scene, words, entry, event));
            story.extend(changed.as_mut().and_then(|changed| changed.tell(scene, words, entry, event)));
            match event {
                Event::Started { applicant, .. } => story.push(Moment {
                    mark: Mark::Start,
                    when: when.clone(),
                    via: via.clone(),
                    ..started(scene, words, entry, applicant)
                }),
                Event::TaskOpened { task, opened } => {
                    let people = opened.assignments.iter();
                    let people = people.map(|one| (one.id, (&one.person, one.stands_in_for.as_ref()))).collect();
                    let title = titles.get(task).cloned().unwrap_or_default();
                    asked.insert(*task, Asked { title, step: &opened.step, kind: opened.kind, people });
                }
                Event::Answered { task, assignment, outcome: answer, opinion, .. } => {
                    let Some(known) = asked.get(task) else { continue };
                    let title = known.title.clone();
                    let human = scene.definition.steps.get(known.step).and_then(|step| step.human());
                    let who = match known.people.get(assignment) {
                        Some((person, None)) => words.name_at(person, &title),
                        Some((person, Some(other))) => standing_in(words, person, other, &title),
                        None => by.clone(),
                    };
                    story.push(Moment {
                        mark: match answer.as_str() {
                            outcome::REJECTED => Mark::Refused,
                            outcome::RETURNED => Mark::Returned,
                            _ => Mark::Seal,
                        },
                        who,
                        when: when.clone(),
                        words: match known.kind {
                            TaskKind::Begin => words.pick("已填写", "filled in").into(),
                            TaskKind::Revise { .. } => words.answer(None, answer),
                            TaskKind::Approve | TaskKind::Work => words.answer(human, answer),
                        },
                        opinion: opinion.as_deref().map(clean).unwrap_or_default(),
                        via: via.clone(),
                        title,
                        ..Moment::default()
                    });
                }
                Event::Skipped { token, step } => {
                    // Steps without people are nobody's business.
                    let Some(human) = scene.definition.steps.get(step).and_then(|step| step.human()) else { continue };
                    // One that was entered was needed, and there was nobody for it.
                    let nobody = at.get(token) == Some(&step) && human.policy.nobody == Nobody::Skip;
                    story.push(Moment {
                        mark: Mark::Skipped,
                        title: placed(token, step),
                        when: if nobody { when.clone() } else { String::new() },
                        words: match nobody {
                            true => words.pick(
                                "没有人可以处理，按规则跳过",
                                "nobody may decide this; passed over, as the process says",
                            ),
                            false => words.pick("不需要这一步", "Not needed"),
                        }
                        .into(),
                        ..Moment::default()
                    });
                }
                Event::Commented { text } => story.push(Moment {
                    mark: Mark::Note,
                    title: words.pick("留言", "Remark").into(),
                    who: by.clone(),
                    when: when.clone(),
                    opinion: clean(text),
                    via: via.clone(),
                    ..Moment::default()
                }),
                Event::Entered { token, step } | Event::LockAwaited { token, step, .. } => {
                    at.insert(*token, step);
                }
                Event::Left { token, .. } => drop(at.remove(token)),
                Event::MessageRead { token, .. } => story.push(Moment {
                    mark: Mark::Note,
                    title: match at.get(token) {
                        Some(step) => placed(token, step),
                        None => words.pick("消息", "Message").into(),
                    },
                    when: when.clone(),
                    words: words.pick("消息已收到", "the message came").into(),
                    ..Moment::default()
                }),
                Event::WentOverdue { token, step, task } => story.push(Moment {
                    mark: Mark::Note,
                    title: placed(token, step),
                    when: when.clone(),
                    words: decided_by_time(scene, words, step, entry)
                        .or_else(|| nobody_else(scene, words, step, *task, entry))
                        .unwrap_or_else(|| words.pick("已超时", "went overdue").into()),
                    ..Moment::default()
                }),
                Event::Reassigned { task, from, to } => {
                    let Some(known) = asked.get_mut(task) else { continue };
                    let title = known.title.clone();
                    let before = known.people.get(from).map(|(person, _)| words.name(person)).unwrap_or_default();
                    let one = to.first().is_some_and(|one| one.seats.len() < 2);
                    let now = words.people(to.iter().map(|one| &one.person), &title, one);
                    known.people.extend(to.iter().map(|one| (one.id, (&one.person, one.stands_in_for.as_ref()))));
                    story.push(Moment {
                        mark: Mark::Note,
                        title,
                        when: when.clone(),
                        words: match (words.lang, to.is_empty()) {
                            (Lang::Zh, false) => format!("不再请 {before}，改请 {now}"),
                            (Lang::En, false) => format!("{now} asked instead of {before}"),
                            // Those who are asked beside are enough.
                            (Lang::Zh, true) => format!("不再请 {before}"),
                            (Lang::En, true) => format!("{before} asked no more"),
                        },
                        ..Moment::default()
                    });
                }
                Event::HandedOver { from, to, applicant, .. } => {
                    let (from, to) = (words.name(from), words.name(to));
                    story.push(Moment {
                        mark: Mark::Note,
                        title: words.pick("交接", "Hand-over").into(),
                        when: when.clone(),
                        words: match (words.lang, applicant) {
                            (Lang::Zh, true) => format!("{from} 交给 {to}，申请人也改为 {to}"),
                            (Lang::Zh, false) => format!("{from} 交给 {to}"),
                            (Lang::En, true) => format!("from {from} to {to}, who is the applicant now"),
                            (Lang::En, false) => format!("from {from} to {to}"),
                        },
                        who: by.clone(),
                        ..Moment::default()
                    });
                }
                Event::ScopeOpened { scope, branch, row, token, .. } if branch.is_some() || row.is_some() => {
                    branches.insert(*scope, *token);
                }
                Event::ScopeClosed { scope, done: false } => {
                    // What is cancelled is where it was; nobody knows a branch by its name, and of one whose step was
                    // left in the same moment that is told.
                    let stood = branches.remove(scope).and_then(|token| Some(placed(&token, at.get(&token)?)));
                    let Some(title) = stood else { continue };
                    story.push(Moment {
                        mark: Mark::Skipped,
                        title,
                        when: when.clone(),
                        words: words.pick("不再需要，已取消", "no longer needed, cancelled").into(),
                        ..Moment::default()
                    });
                }
                Event::EndBegun { reason, .. } => {
                    begun = Some(entry);
                    story.push(Moment {
                        mark: Mark::Note,
                        title: words.pick("撤销已办的事", "Taking back what was done").into(),
                        when: when.clone(),
                        ..ended_by(scene, words, entry, reason.as_deref())
                    });
                }
                Event::UndoBegun { step, scope, .. } => {
                    undoing.insert(*scope, Some(step));
                    if scene.state.scopes.contains_key(scope) {
                        story.push(Moment {
                            mark: Mark::Note,
                            title: words.step(scene.definition, step),
                            when: when.clone(),
                            words: words.pick("正在撤销", "being taken back").into(),
                            ..Moment::default()
                        });
                    }
                }
                Event::ScopeClosed { scope, done: true } => {
                    if let Some(step) = undoing.remove(scope).flatten() {
                        story.push(Moment {
                            mark: Mark::Note,
                            title: words.step(scene.definition, step),
                            when: when.clone(),
                            words: words.pick("已撤销", "taken back").into(),
                            ..Moment::default()
                        });
                    }
                }
                Event::UndoLeft { step } => story.push(Moment {
                    mark: Mark::Stopped,
                    title: words.step(scene.definition, step),
                    when: when.clone(),
                    words: words
                        .pick(
                            "结果不明，没有撤销，请人工到对方系统核对",
                            "its result is unknown and it was not taken back: look there by hand",
                        )
                        .into(),
                    ..Moment::default()
                }),
                Event::UndoSkipped { step, reason, .. } => {
                    // One is taken back at a time.
                    undoing.values_mut().for_each(|undoing| *undoing = None);
                    story.push(Moment {
                        mark: Mark::Stopped,
                        title: words.step(scene.definition, step),
                        when: when.clone(),
                        words: words.pick("没有撤销，已跳过", "passed over, not taken back").into(),
                        who: by.clone(),
                        opinion: clean(reason),
                        ..Moment::default()
                    });
                }
                Event::Ended { outcome, reason } => {
                    story.push(Moment {
                        mark: Mark::End,
                        title: words.ending(scene.definition, outcome),
                        when: when.clone(),
                        ..ended_by(scene, words, begun.unwrap_or(entry), reason.as_deref())
                    });
                }
                _ => {}
            }
        }
    }
    story
}

/// Whom nobody else could be asked instead of when a step went overdue: they were reminded.
fn nobody_else(
    scene: &Scene<'_>,
    words: &Words<'_>,
    step: &StepId,
    task: Option<TaskId>,
    entry: &Entry,
) -> Option<String> {
    let then = scene.definition.steps.get(step)?.overdue.as_ref()?.then.as_ref();
    let Some(Then::Reassign(_)) = then else { return None };
    let kept = entry.events.iter().filter_map(|event| match event {
        Event::MailQueued { kind: MailKind::Reminder { task: of, .. }, to, .. } if Some(*of) == task => Some(to),
        _ => None,
    });
    let kept: Vec<&PersonId> = kept.collect();
    let people = words.people(kept.iter().copied(), "", false);
    (!kept.is_empty()).then(|| match words.lang {
        Lang::Zh => format!("已超时，没有别人可以改派，已再次提醒 {people}"),
        Lang::En => format!("went overdue; there was nobody else to ask, so {people} got a reminder"),
    })
}

/// What became of a step that went overdue in an entry, where time decided it or led elsewhere; nothing where it is
/// still open.
pub(super) fn decided_by_time(scene: &Scene<'_>, words: &Words<'_>, step: &StepId, entry: &Entry) -> Option<String> {
    let definition = scene.definition;
    let left = entry.events.iter().any(|event| matches!(event, Event::Left { step: left, .. } if left == step));
    let known = definition.steps.get(step).filter(|_| left);
    Some(match (known.and_then(|known| known.overdue.as_ref()?.then.as_ref()), words.lang) {
        (Some(Then::Decide(name)), lang) => {
            let answer = words.answer(known.and_then(|known| known.human()), name);
            match lang {
                Lang::Zh => format!("已超时，按“{answer}”处理"),
                Lang::En => format!("went overdue, taken as “{answer}”"),
            }
        }
        (Some(Then::Go), lang) => {
            let place = match definition.graph.next(&Node::Step(step.clone()), &On::Overdue) {
                Some(Node::Step(to)) => match definition.steps.get(to).map(|to| &to.kind) {
                    Some(StepKind::End(outcome)) => words.ending(definition, outcome),
                    _ => words.step(definition, to),
                },
                Some(Node::Finish(outcome)) => words.ending(definition, outcome),
                _ => words.pick("下一步", "the next step").to_owned(),
            };
            match lang {
                Lang::Zh => format!("已超时，转到“{place}”"),
                Lang::En => format!("went overdue, on to “{place}”"),
            }
        }
        _ => return None,
    })
}

/// Who handed a case in. One that somebody is asked to fill in first was only begun, by a case or the calendar.
fn started(scene: &Scene<'_>, words: &Words<'_>, entry: &Entry, applicant: &PersonId) -> Moment {
    let caller = scene.caller.map(|caller| words.calling(caller)).unwrap_or_default();
    let asks = |event: &Event| matches!(event, Event::TaskOpened { opened, .. } if opened.kind == TaskKind::Begin);
    if entry.events.iter().any(asks) {
        return Moment { title: words.pick("发起", "Begun").into(), who: caller, ..Moment::default() };
    }
    let title = words.pick("提交", "Submitted").into();
    Moment { title, who: words.name_at(applicant, ""), words: caller, ..Moment::default() }
}

/// Who ended a case by hand and why; of one that its caller no longer waits for, that it is so, and why that one ended
/// where a person said.
pub(super) fn ended_by(scene: &Scene<'_>, words: &Words<'_>, entry: &Entry, reason: Option<&str>) -> Moment {
    let reason = reason.map(clean).unwrap_or_default();
    match (&entry.command.ask, &entry.command.actor) {
        (Ask::Cancel { .. }, Actor::System) if scene.state.caller.is_some() => Moment {
            who: match scene.caller {
                Some(caller) => words.calling(caller),
                None => words.pick("调用它的案例", "its caller").into(),
            },
            words: words.pick("已结束或不再等它", "ended or waits for it no longer").into(),
            opinion: reason,
            ..Moment::default()
        },
        (Ask::Withdraw { .. } | Ask::Cancel { .. }, by) => {
            let via = match by {
                Actor::Person { via, .. } => words.via(via).unwrap_or_default(),
                _ => String::new(),
            };
            Moment { who: words.actor(by), opinion: reason, via, ..Moment::default() }
        }
        _ => Moment { opinion: reason, ..Moment::default() },
    }
}

fn standing_in(words: &Words<'_>, person: &PersonId, other: &PersonId, beside: &str) -> String {
    let (person, other) = (words.name_at(person, beside), words.name(other));
    match words.lang {
        Lang::Zh => format!("{person}，代 {other}"),
        Lang::En => format!("{person} for {other}"),
    }
}

/// The answers that a task offers; what is filled in or revised is only handed in.
pub fn choices(definition: &Definition, task: &Task, words: &Words<'_>) -> Vec<Choice> {
    match (task.kind, definition.steps.get(&task.step).and_then(|step| step.human())) {
        (TaskKind::Approve | TaskKind::Work, Some(human)) => words.choices(human),
        (kind, _) => {
            let name = outcome::REVISED.into();
            let first = kind == TaskKind::Begin;
            let label = if first { words.pick("提交", "Submit").to_owned() } else { words.choice(None, &name) };
            vec![Choice { label, name: name.to_string(), opinion: false }]
        }
    }
}
