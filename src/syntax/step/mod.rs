//! Steps: the kind key, the common keys, and what each kind takes.

mod block;
mod human;
mod keys;
mod kind;
mod outside;
mod overdue;

pub use block::{Branch, Case, Join, Undo};
pub use human::{Allow, Mode, Shown, Who};
pub(crate) use keys::{STEP, is_key, is_kind};
pub(crate) use kind::kind_meant;
pub use outside::{Call, Http, Job, Piece, Retry, Taken};
pub use overdue::{Overdue, Then};

use crate::diagnostics::{Diagnostic, Span, Spanned};
use crate::model::text::Text;
use crate::syntax::feel::{self, FeelText};
use crate::syntax::field::{Field, OptionDef};
use crate::syntax::fields::{Fields, GROUP, Lowering, Place, missing_value, wrong_shape};
use crate::syntax::node::{Entry, Node, NodeKind};
use crate::syntax::process::Policy;
use crate::syntax::scalar::NameRule;
use keys::{KINDS, place};
use kind::Kind;

/// A step as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The whole step.
    pub span: Span,
    /// The key that says what kind it is; where a fault of the step as a whole is shown.
    pub key: Span,
    /// Its name. Only `set`, `notify`, `go`, `end` and what stands in `undo` may lack one.
    pub id: Option<Spanned<String>>,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The step is skipped unless this holds.
    pub when: Option<FeelText>,
    /// What it does.
    pub kind: StepKind,
    /// When it should be done.
    pub due: Option<FeelText>,
    /// How long after the assignment to remind.
    pub remind: Vec<FeelText>,
    /// Where outcomes lead: outcome → target.
    pub on: Vec<(Spanned<String>, Target)>,
    /// Who sees which fields.
    pub shown: Shown,
    /// The outcomes that need an opinion; `None` if nothing is said.
    pub opinion: Option<Vec<Spanned<String>>>,
    /// What deciders can do beside deciding; `None` if nothing is said.
    pub allow: Option<Vec<Spanned<Allow>>>,
    /// Whether no mail is sent for the task.
    pub quiet: Option<Spanned<bool>>,
    /// Who is told of an outcome: outcome → people.
    pub copy: Vec<(Spanned<String>, Vec<FeelText>)>,
    /// Fields that are asked again.
    pub edit: Vec<Spanned<String>>,
    /// Fields whose change re-opens the decision.
    pub depends_on: Vec<Spanned<String>>,
    /// Fields that are filled in at this step.
    pub form: Vec<Field>,
    /// Departures from the policy of the process.
    pub policy: Policy,
    /// What happens where it is still open at its due time.
    pub overdue: Option<Overdue>,
    /// The column of the board that the case comes to with it.
    pub stage: Option<Spanned<String>>,
    /// What takes it back.
    pub undo: Option<Undo>,
    /// What it never shares with another step of the case at the same time.
    pub lock: Option<Spanned<String>>,
}

impl Step {
    /// A step of which nothing is written but what it does.
    fn new(span: Span, key: Span, kind: StepKind) -> Step {
        Step {
            span,
            key,
            id: None,
            title: None,
            when: None,
            kind,
            due: None,
            remind: Vec::new(),
            on: Vec::new(),
            shown: Shown::Everything,
            opinion: None,
            allow: None,
            quiet: None,
            copy: Vec::new(),
            edit: Vec::new(),
            depends_on: Vec::new(),
            form: Vec::new(),
            policy: Policy::default(),
            overdue: None,
            stage: None,
            undo: None,
            lock: None,
        }
    }

    /// Every list of steps in it, in the order of the text.
    pub fn lists(&self) -> Vec<&[Step]> {
        let mut lists: Vec<&[Step]> = match &self.kind {
            StepKind::Choose { cases, otherwise } => {
                let otherwise = otherwise.iter().map(|list| list.value.as_slice());
                cases.iter().map(|case| case.steps.as_slice()).chain(otherwise).collect()
            }
            StepKind::Parallel { branches, .. } | StepKind::Race { branches } => {
                branches.iter().map(|branch| branch.steps.as_slice()).collect()
            }
            StepKind::Each { steps, .. } => vec![steps],
            _ => Vec::new(),
        };
        if let Some(Undo::Steps(steps)) = &self.undo {
            lists.push(&steps.value);
        }
        lists
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// `approve`: yes or no.
    Approve {
        /// Who decides.
        who: Who,
    },
    /// `task`: work with a form and outcomes of its own.
    Task {
        /// Who does it.
        who: Who,
        /// Its outcomes; empty means `done`.
        outcomes: Vec<OptionDef>,
    },
    /// `choose`: the first case that holds.
    Choose {
        /// The cases in order.
        cases: Vec<Case>,
        /// The steps if no case holds; `None` if not written.
        otherwise: Option<Spanned<Vec<Step>>>,
    },
    /// `set`: computes fields.
    Set {
        /// Field → value.
        values: Vec<(Spanned<String>, FeelText)>,
    },
    /// `table`: looks a decision table up.
    Table {
        /// Which.
        table: Spanned<String>,
        /// Input → value.
        with: Vec<(Spanned<String>, FeelText)>,
        /// Field → what it is set to, read from the outputs.
        take: Vec<(Spanned<String>, FeelText)>,
    },
    /// `notify`: tells people.
    Notify {
        /// Whom.
        who: Who,
        /// The mail template; `None` for the built-in one.
        template: Option<Spanned<String>>,
    },
    /// `go`: a jump.
    Go {
        /// Where to.
        target: Target,
    },
    /// `end`: ends the case with a named outcome.
    End {
        /// The outcome.
        outcome: Spanned<String>,
    },
    /// `parallel`: named branches at once.
    Parallel {
        /// The branches.
        branches: Vec<Branch>,
        /// When they come together; all where not written.
        join: Option<Spanned<Join>>,
    },
    /// `each`: the steps once for every row.
    Each {
        /// The rows.
        rows: FeelText,
        /// What a row is called inside.
        alias: Spanned<String>,
        /// Whether one comes after the other.
        in_order: bool,
        /// When the others are cancelled.
        until: Option<FeelText>,
        /// The new list that holds the rows afterwards.
        into: Option<Spanned<String>>,
        /// What happens for a row.
        steps: Vec<Step>,
    },
    /// `race`: named branches, of which the first goes on alone.
    Race {
        /// The branches.
        branches: Vec<Branch>,
    },
    /// `wait`: until a time.
    Wait {
        /// For how long, or until when.
        until: FeelText,
    },
    /// `receive`: a message.
    Receive {
        /// Its name.
        message: Spanned<String>,
        /// What tells ours from others.
        key: Option<FeelText>,
        /// What is taken from it.
        take: Vec<Taken>,
        /// Whether one that came before is for it; it is where nothing is said.
        keep: Option<Spanned<bool>>,
    },
    /// `call`: another process.
    Call(Call),
    /// `http`: a call of another system.
    Http(Http),
    /// `job`: work for a program outside.
    Job(Job),
    /// A kind that is not performed yet, or one that could not be read. It is reported.
    Unknown,
}

/// Where a jump leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A step's id, or `next`.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

/// The kinds of steps, each with its keys.
pub(crate) fn kinds() -> impl Iterator<Item = (&'static str, &'static Place)> {
    KINDS.iter().map(|kind| (*kind, place(kind)))
}

/// A case of `choose`.
pub(crate) static CASE_PLACE: &Place = &block::CASE;
/// How something is tried again.
pub(crate) static RETRY_PLACE: &Place = &outside::RETRY;
/// `overdue` of a step that asks people, and of another.
pub(crate) static OVERDUE_PLACES: (&Place, &Place) = (&overdue::HUMAN, &overdue::OTHER);

impl Lowering<'_> {
    /// The steps of a list.
    pub(crate) fn steps(&mut self, node: &Node) -> Vec<Step> {
        let node = &*self.as_list(node);
        let Some(items) = self.groups(node) else { return Vec::new() };
        let items: Vec<_> = items.iter().flat_map(|item| self.apart(item)).collect();
        items.iter().filter_map(|item| self.step(item, true)).collect()
    }

    /// A step; whether it must have a name as far as its kind asks for one.
    fn step(&mut self, node: &Node, named: bool) -> Option<Step> {
        if node.text() == Some("end") {
            let found = wrong_shape(node.span, GROUP, "文字", "text");
            self.report(found.fix_word(node.span, "end: done"));
            return None;
        }
        let entries = self.entries(node, GROUP)?;
        let at = entries.first().map_or(node.span, |entry| entry.key.span);
        let kind = match self.said_kind(node, entries) {
            Kind::Said(key) => key,
            Kind::Meant(meant) => return self.step(&meant, named),
            Kind::Unknown => return self.unknown_step(node, entries, at),
        };
        let word = kind.text().unwrap_or("");
        let fields = self.fields(node, place(word), kind.span)?;
        let id = match word {
            "set" | "notify" | "go" | "end" => fields.get("id"),
            _ if !named => fields.get("id"),
            _ => fields.required(self, "id"),
        };
        let id = id.and_then(|node| self.name(node, NameRule::Word));
        let kind = self.kind(word, &fields);
        Some(self.step_of(word, &fields, Step { id, ..Step::new(node.span, fields.at, kind) }))
    }

    /// What is written of a step beside what it does.
    fn step_of(&mut self, word: &str, fields: &Fields<'_>, step: Step) -> Step {
        Step {
            title: fields.get("title").and_then(|node| self.text(node)),
            when: fields.get("when").and_then(|node| self.feel(node, "when")),
            due: fields.get("due").and_then(|node| self.feel(node, "due")),
            remind: fields.get("remind").map(|node| self.feels(node, "remind")).unwrap_or_default(),
            on: fields.get("on").map(|node| self.on(node)).unwrap_or_default(),
            shown: self.shown(fields),
            opinion: fields.get("opinion").and_then(|node| self.opinion(node, word)),
            allow: fields.get("allow").and_then(|node| self.allow(node)),
            quiet: fields.get("quiet").and_then(|node| self.boolean(node)),
            copy: fields.get("copy").map(|node| self.copy(node)).unwrap_or_default(),
            edit: fields.get("edit").and_then(|node| self.names(node)).unwrap_or_default(),
            depends_on: fields.get("depends_on").and_then(|node| self.names(node)).unwrap_or_default(),
            form: fields.get("form").map(|node| self.form(node)).unwrap_or_default(),
            policy: fields.get("policy").map(|node| self.policy(node)).unwrap_or_default(),
            overdue: self.overdue(fields, word),
            stage: fields.get("stage").and_then(|node| self.name(node, NameRule::Word)),
            undo: fields.get("undo").and_then(|node| self.undo(node, word)),
            lock: fields.get("lock").and_then(|node| self.name(node, NameRule::Word)),
            ..step
        }
    }

    fn kind(&mut self, word: &str, fields: &Fields<'_>) -> StepKind {
        let Some(node) = fields.get(word) else { return self.of_nobody(word, fields) };
        match word {
            "approve" => StepKind::Approve { who: self.who(node, word, fields) },
            "task" => {
                let outcomes = fields.get("outcomes").map(|node| self.options(node)).unwrap_or_default();
                StepKind::Task { who: self.who(node, word, fields), outcomes }
            }
            "choose" => self.choose(node, fields),
            "parallel" => self.parallel(node, fields),
            "each" => self.per_row(node, fields),
            "race" => self.race(node),
            "call" => self.call(node, fields),
            "wait" => match self.feel(node, word) {
                Some(until) => StepKind::Wait { until },
                None => StepKind::Unknown,
            },
            "receive" => self.receive(node, fields),
            "http" => self.http(node, fields),
            "job" => self.job(node, fields),
            "set" => StepKind::Set { values: self.values(node) },
            "table" => {
                let Some(table) = self.name(node, NameRule::Document) else { return StepKind::Unknown };
                let with = fields.get("with").map(|node| self.values(node)).unwrap_or_default();
                let take = fields.required(self, "take").map(|node| self.values(node)).unwrap_or_default();
                StepKind::Table { table, with, take }
            }
            "notify" => {
                let template = fields.get("template").and_then(|node| self.name(node, NameRule::Document));
                let who = Who { span: node.span, entries: self.feels(node, word), mode: None };
                StepKind::Notify { who, template }
            }
            "go" => match self.target(node) {
                Some(target) => StepKind::Go { target },
                None => StepKind::Unknown,
            },
            _ => match self.name(node, NameRule::Word) {
                Some(outcome) => StepKind::End { outcome },
                None => StepKind::Unknown,
            },
        }
    }

    /// A step whose kind is written and not what belongs to it, which is told: who is asked is not known, but all else.
    fn of_nobody(&mut self, word: &str, fields: &Fields<'_>) -> StepKind {
        let mode = fields.get("mode").and_then(|node| self.mode(node));
        let who = Who { span: fields.at, entries: Vec::new(), mode };
        match word {
            "approve" => StepKind::Approve { who },
            "task" => {
                let outcomes = fields.get("outcomes").map(|node| self.options(node)).unwrap_or_default();
                StepKind::Task { who, outcomes }
            }
            "notify" => {
                let template = fields.get("template").and_then(|node| self.name(node, NameRule::Document));
                StepKind::Notify { who, template }
            }
            _ => StepKind::Unknown,
        }
    }

    fn on(&mut self, node: &Node) -> Vec<(Spanned<String>, Target)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let outcome = self.name(&entry.key, NameRule::Word);
            let target = self.target(&entry.value);
            if let (Some(outcome), Some(target)) = (outcome, target) {
                found.push((outcome, target));
            }
        }
        found
    }

    fn target(&mut self, node: &Node) -> Option<Target> {
        if node.is_empty() {
            self.report(missing_value(node.span, "go"));
            return None;
        }
        let name = self.name(node, NameRule::Word)?;
        Some(Target { name: name.value, span: name.span })
    }

    fn values(&mut self, node: &Node) -> Vec<(Spanned<String>, FeelText)> {
        if let Some(found) = assigned(node) {
            self.report(found);
            return Vec::new();
        }
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let name = self.name(&entry.key, NameRule::Word);
            let shown = entry.key.text().unwrap_or("");
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, shown));
                continue;
            }
            if let (Some(name), Some(value)) = (name, self.feel_value(&entry.value, shown)) {
                found.push((name, value));
            }
        }
        found
    }

    /// A step that does not say what it does is read as one of the kind that has its keys, so that what else is wrong with
    /// it is told and what uses its name and its form is no further fault.
    fn unknown_step(&mut self, node: &Node, entries: &[Entry], key: Span) -> Option<Step> {
        let (word, own) = kind::most_like(entries);
        let node = Node { span: node.span, kind: NodeKind::Mapping(own) };
        let fields = self.fields(&node, place(word), key)?;
        let id = fields.get("id").and_then(|node| self.name(node, NameRule::Word));
        Some(self.step_of(word, &fields, Step { id, ..Step::new(node.span, key, StepKind::Unknown) }))
    }
}

/// `total = 5`, where `{ total: 5 }` is meant.
fn assigned(node: &Node) -> Option<Diagnostic> {
    let (name, value) = node.text()?.split_once('=')?;
    let (name, value) = (name.trim_end_matches(':').trim(), value.trim_start_matches('=').trim());
    let plain = feel::is_word(name) && !value.is_empty() && !value.contains(['{', '}', '[', ']', ',', '"', '#', ':']);
    let found = wrong_shape(node.span, GROUP, "文字", "text");
    plain.then(|| found.fix_word(node.span, format!("{{ {name}: {value} }}")))
}
