//! The process document: its head, its form, its steps, its policy.

use crate::diagnostics::{Span, Spanned};
use crate::model::text::Text;
use crate::syntax::feel::FeelText;
use crate::syntax::field::{FIELD, Field, OptionDef};
use crate::syntax::fields::{Lowering, Place};
use crate::syntax::node::Node;
use crate::syntax::scalar::NameRule;
use crate::syntax::step::{STEP, Step};

/// A process as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its name; `None` if that could not be read, which is reported.
    pub name: Option<Spanned<String>>,
    /// The key `process`; where a fault of the document as a whole is shown.
    pub key_span: Span,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The pattern of business numbers: `LP-{year}-{seq:4}`.
    pub number: Option<Spanned<String>>,
    /// What ties the instances of many processes to one customer.
    pub key: Option<FeelText>,
    /// What lists say of a case at a glance.
    pub headline: Option<FeelText>,
    /// Who may start it; empty means everybody.
    pub start: Vec<FeelText>,
    /// What is asked at the start.
    pub form: Vec<Field>,
    /// Fields that steps write.
    pub data: Vec<Field>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// Rules for all steps.
    pub policy: Policy,
    /// Whether there is one open case a `key`.
    pub single: Option<Spanned<bool>>,
    /// The field that says whom the case is about.
    pub about: Option<FeelText>,
    /// Cases that start by themselves.
    pub schedule: Option<Schedule>,
    /// The columns of the board.
    pub stages: Vec<OptionDef>,
}

/// `schedule: { cron: …, by: … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When.
    pub cron: Spanned<String>,
    /// For whom: a case a person.
    pub by: Vec<FeelText>,
}

/// `policy:` of a process or a step. What is not written is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What if a decider is the applicant.
    pub own_case: Option<Spanned<OwnCase>>,
    /// What if nobody can be asked.
    pub nobody: Option<Spanned<Nobody>>,
}

/// Who decides when the decider is the applicant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnCase {
    /// The other candidates; if there are none, the applicant's superior.
    Superior,
    /// The other candidates; if there are none, the case stops for an operator.
    Nobody,
    /// The applicant too.
    Allow,
}

/// What happens when nobody can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// The case stops for an operator.
    Incident,
    /// The step is passed over.
    Skip,
    /// The superior is asked.
    Escalate,
}

pub(crate) static PROCESS: Place = Place {
    name: ("流程的顶层", "the top level of a process"),
    keys: &[
        "process", "title", "number", "key", "headline", "single", "for", "start", "schedule", "form", "data", "steps",
        "policy", "stages",
    ],
    later: &[],
    relatives: &[&STEP, &POLICY, &FIELD],
};

pub(crate) static SCHEDULE: Place =
    Place { name: ("`schedule`", "`schedule`"), keys: &["cron", "by"], later: &[], relatives: &[&PROCESS] };

pub(crate) static POLICY: Place = Place {
    name: ("`policy`", "`policy`"),
    keys: &["own_case", "nobody"],
    later: &["repeat", "not"],
    relatives: &[&STEP],
};

/// Whether a process has such a key at its top.
pub(crate) fn is_head(key: &str) -> bool {
    PROCESS.keys.contains(&key)
}

impl Lowering<'_> {
    /// A document whose kind is `process`.
    pub(crate) fn process(&mut self, root: &Node, key_span: Span) -> Option<Process> {
        let root = self.lifted(root, &PROCESS);
        let fields = self.fields(&root, &PROCESS, key_span)?;
        Some(Process {
            name: fields.get("process").and_then(|node| self.name(node, NameRule::Document)),
            key_span,
            title: fields.get("title").and_then(|node| self.text(node)),
            number: fields.get("number").and_then(|node| self.plain(node)),
            key: fields.get("key").and_then(|node| self.feel(node, "key")),
            headline: fields.get("headline").and_then(|node| self.feel(node, "headline")),
            start: fields.get("start").map(|node| self.feels(node, "start")).unwrap_or_default(),
            form: fields.get("form").map(|node| self.form(node)).unwrap_or_default(),
            data: fields.get("data").map(|node| self.form(node)).unwrap_or_default(),
            steps: fields.required(self, "steps").map(|node| self.steps(node)).unwrap_or_default(),
            policy: fields.get("policy").map(|node| self.policy(node)).unwrap_or_default(),
            single: fields.get("single").and_then(|node| self.boolean(node)),
            about: fields.get("for").and_then(|node| self.feel(node, "for")),
            schedule: fields.get("schedule").and_then(|node| self.schedule(node)),
            stages: fields.get("stages").map(|node| self.options(node)).unwrap_or_default(),
        })
    }

    fn schedule(&mut self, node: &Node) -> Option<Schedule> {
        let fields = self.fields(node, &SCHEDULE, self.first_line(node.span))?;
        let cron = fields.required(self, "cron").and_then(|node| self.plain(node));
        let by = fields.required(self, "by").map(|node| self.feels(node, "by")).unwrap_or_default();
        Some(Schedule { cron: cron?, by })
    }

    pub(crate) fn policy(&mut self, node: &Node) -> Policy {
        let example = match node.text() {
            Some("superior" | "allow") => format!("policy: {{ own_case: {} }}", node.text().unwrap_or_default()),
            Some("skip" | "escalate") => format!("policy: {{ nobody: {} }}", node.text().unwrap_or_default()),
            _ => "policy: { nobody: escalate }".to_owned(),
        };
        let Some(fields) = self.fields_like(node, &POLICY, &example) else { return Policy::default() };
        let own_case = [("superior", OwnCase::Superior), ("nobody", OwnCase::Nobody), ("allow", OwnCase::Allow)];
        let nobody = [("incident", Nobody::Incident), ("skip", Nobody::Skip), ("escalate", Nobody::Escalate)];
        Policy {
            own_case: fields.get("own_case").and_then(|node| self.one_of(node, &own_case)),
            nobody: fields.get("nobody").and_then(|node| self.one_of(node, &nobody)),
        }
    }
}
