//! What a picture of a process shows, in words and without coordinates.

use crate::model::id::StepId;
use crate::model::text::Lang;
use serde::Serialize;
use std::collections::BTreeSet;

/// A process, to be drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Drawing {
    /// The process, as a name.
    pub process: String,
    /// What people call it.
    pub title: String,
    /// The language of all words in it.
    pub lang: Lang,
    /// Its steps, with a start before them and an end after them.
    pub steps: List,
}

/// Steps one after another.
#[derive(Clone, Debug, Default, Serialize)]
pub struct List {
    /// In the author's order.
    pub items: Vec<Item>,
}

/// A step, or one of the few places of control that are none.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Its number, from 0 in the order of the text; ways lead to numbers.
    pub number: usize,
    /// The step; `None` for the start and for what the author did not write.
    pub step: Option<StepId>,
    /// What it does.
    pub kind: Kind,
    /// What it is called; may be empty where there is nothing to say.
    pub title: String,
    /// Who, until when, and the like.
    pub notes: Vec<Note>,
    /// Skipped where this does not hold.
    pub when: Option<String>,
    /// The lists inside it.
    pub branches: Vec<Branch>,
    /// Where control goes from it; where it holds branches, before or instead of them.
    pub ways: Vec<Way>,
    /// Where control goes when its branches came together.
    pub after: Vec<Way>,
}

/// A list inside a step.
#[derive(Clone, Debug, Serialize)]
pub struct Branch {
    /// Its name, or the condition under which it is taken.
    pub label: String,
    /// What it holds; control that comes to its end comes to where the branches come together.
    pub steps: List,
}

/// Something about a step, beside its title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "of", content = "text")]
pub enum Note {
    /// Who is asked.
    Who(String),
    /// Until when.
    Due(String),
    /// What it does with what.
    What(String),
}

impl Note {
    /// Its words.
    pub fn text(&self) -> &str {
        match self {
            Note::Who(text) | Note::Due(text) | Note::What(text) => text,
        }
    }
}

/// Where control goes from a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// On what, beside a line; empty where there is nothing to say.
    pub label: String,
    /// All that leads here, but for what goes without saying.
    pub on: Vec<String>,
    /// Where.
    pub to: To,
}

/// The end of a way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// The item that follows in the list; after the last, out of the list.
    Next,
    /// The item of this number: a jump.
    Item(usize),
    /// The end of the case, in words.
    End(String),
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Where a case starts.
    Start,
    /// Yes or no.
    Approve,
    /// Work with a form.
    Task,
    /// Exclusive cases.
    Choose,
    /// A choice between a jump or an end and what follows.
    Guard,
    /// Computed fields.
    Set,
    /// A decision table.
    Table,
    /// Mail to people who are not asked anything.
    Notify,
    /// Named branches at once.
    Parallel,
    /// A list of steps for every row.
    Each,
    /// Named branches, of which one goes on.
    Race,
    /// Another process.
    Call,
    /// A time.
    Wait,
    /// A message from outside.
    Receive,
    /// A call of another system.
    Http,
    /// Work for a program outside.
    Job,
    /// The end of the case.
    End,
    /// A place where lines meet.
    Knot,
}

/// Kinds by who acts; what a reader tells apart at the first glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// People are asked.
    People,
    /// Something outside is waited for.
    Outside,
    /// It happens by itself.
    Own,
    /// Structure.
    Flow,
}

impl Kind {
    /// Who acts.
    pub(super) fn group(self) -> Group {
        match self {
            Kind::Approve | Kind::Task => Group::People,
            Kind::Call | Kind::Wait | Kind::Receive | Kind::Http | Kind::Job => Group::Outside,
            Kind::Set | Kind::Table | Kind::Notify => Group::Own,
            _ => Group::Flow,
        }
    }

    /// Whether its branches are drawn inside a container.
    pub(super) fn contains(self) -> bool {
        matches!(self, Kind::Parallel | Kind::Each | Kind::Race)
    }

    /// What it is called.
    pub(super) fn word(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Kind::Start => ("开始", "start"),
            Kind::Approve => ("审批", "approve"),
            Kind::Task => ("办理", "task"),
            Kind::Choose | Kind::Guard => ("判断", "choose"),
            Kind::Set => ("计算", "set"),
            Kind::Table => ("查表", "table"),
            Kind::Notify => ("通知", "notify"),
            Kind::Parallel => ("并行", "parallel"),
            Kind::Each => ("逐行", "each"),
            Kind::Race => ("先到", "race"),
            Kind::Call => ("调用", "call"),
            Kind::Wait => ("等待", "wait"),
            Kind::Receive => ("收信", "receive"),
            Kind::Http => ("接口", "http"),
            Kind::Job => ("作业", "job"),
            Kind::End => ("结束", "end"),
            Kind::Knot => ("", ""),
        };
        if lang == Lang::Zh { zh } else { en }
    }
}

impl List {
    /// Every item in it, the inner ones too, in the order of the text.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Item)) {
        for item in &self.items {
            visit(item);
            for branch in &item.branches {
                branch.steps.walk(visit);
            }
        }
    }

    /// Who acts in it, but for structure.
    pub(super) fn groups(&self) -> BTreeSet<Group> {
        let mut found = BTreeSet::new();
        self.walk(&mut |item| {
            found.insert(item.kind.group());
        });
        found.remove(&Group::Flow);
        found
    }

    /// The numbers that jumps lead to.
    pub(super) fn targets(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.walk(&mut |item| {
            found.extend(item.ways.iter().chain(&item.after).filter_map(|way| match way.to {
                To::Item(number) => Some(number),
                To::Next | To::End(_) => None,
            }));
        });
        found
    }
}

impl Item {
    /// Before its `when`, which may itself begin with an `if`.
    pub(super) fn only(when: &str, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => "仅当",
            Lang::En if when.starts_with("if ") => "only where:",
            Lang::En => "only if",
        }
    }

    /// Whether control can come to what follows it.
    pub fn flows(&self) -> bool {
        self.ways.iter().chain(&self.after).any(|way| way.to == To::Next)
    }
}
