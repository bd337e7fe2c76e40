//! What a process shows to those that call it: what it asks at its start, what it leaves, and how it can end.

use crate::compile::check;
use crate::compile::fields::{asked_always, column_of, expected, is_list, keeps_default, name_of, type_of};
use crate::compile::lower::{self, Flow, Placed};
use crate::compile::rows::written_type;
use crate::compile::waits::Idle;
use crate::expression::domain::Domain;
use crate::expression::{self, Expected, Kept, Scope};
use crate::model::definition::outcome;
use crate::model::form::{Field, FieldKind};
use crate::model::graph::Node;
use crate::model::id::{FieldName, StepId};
use crate::model::value::Typed;
use crate::syntax::{self, FeelText, FieldType, Process, StepKind};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A process as others call it.
pub(crate) struct Callee<'a> {
    document: &'a Process,
    /// What a call of it can come to: how it can end, by being withdrawn and cancelled too, and that it is refused.
    pub(crate) outcomes: Vec<String>,
    /// The ends that are written in it, reached or not.
    ends: BTreeSet<&'a str>,
    /// The processes that it calls before it has waited for anything.
    pub(crate) calls_at_once: Vec<&'a str>,
    /// The processes that it calls and waits for on every way, but that somebody rejects.
    pub(crate) calls_always: Vec<&'a str>,
    /// Whether it can end without having waited for anything.
    ends_at_once: bool,
}

impl<'a> Callee<'a> {
    /// `single` says of which processes there is one open case a key.
    pub(crate) fn of(document: &'a Process, single: &dyn Fn(&str) -> bool) -> Callee<'a> {
        let flow = lower::lower(document);
        let mut outcomes = outcomes(&flow);
        // The call itself comes to that, where a case of its key is open.
        if is_single(document) && !outcomes.iter().any(|known| known == outcome::REFUSED) {
            outcomes.push(outcome::REFUSED.to_owned());
        }
        let (calls_at_once, calls_always) = (calls_at_once(document, &flow), calls_always(&flow, single));
        let ends = flow.steps.iter().filter_map(|placed| match &placed.source.kind {
            StepKind::End { outcome } => Some(outcome.value.as_str()),
            _ => None,
        });
        let ends = ends.collect();
        let reached = Idle { document, flow: &flow, definition: None, at_once: Some(&|_, _| false) }.reached();
        let ends_at_once = reached.iter().any(|node| matches!(node, Node::Finish(_)));
        Callee { document, outcomes, ends, calls_at_once, calls_always, ends_at_once }
    }

    /// Whether a call may be over at once: nothing is waited for in it, nor is anybody asked to fill in what is not given.
    pub(crate) fn may_end_at_once(&self, call: &syntax::Call) -> bool {
        let given = |field: &syntax::Field| call.with.iter().any(|(name, _)| name.value == field.name.value);
        let asked = |field: &&syntax::Field| asked_always(field) && field.value.is_none() && field.default.is_none();
        self.ends_at_once && self.document.form.iter().filter(asked).all(given)
    }

    /// Whether a call of it may be refused, as another case of its key is open.
    pub(crate) fn may_refuse(&self) -> bool {
        is_single(self.document)
    }

    /// Whether an end of that name is written in it, which a fault of its own may keep from being reached.
    pub(crate) fn writes_end(&self, outcome: &str) -> bool {
        self.ends.contains(outcome)
    }

    /// What a caller may give for a field of the start form; else all that it may give.
    pub(crate) fn asked(&self, name: &str) -> Result<Typed, Vec<String>> {
        let asked = || self.document.form.iter().filter(|field| field.value.is_none());
        match asked().find(|field| field.name.value == name) {
            // What is left open is asked of its applicant.
            Some(field) => Ok(Typed::optional(written_type(type_of(field), field))),
            None => Err(asked().map(|field| field.name.value.clone()).collect()),
        }
    }

    /// A field of its forms or its data, with its limits where they are fixed.
    pub(crate) fn field(&self, name: &str) -> Option<Field> {
        let mut found = None;
        let mut look = |fields: &[syntax::Field]| {
            let field = fields.iter().find(|field| field.name.value == name && field.value.is_none());
            found = found.take().or_else(|| field.map(limited));
        };
        look(&self.document.form);
        look(&self.document.data);
        outside_rows(&self.document.steps, &mut |step| look(&step.form));
        found
    }

    /// In what the lengths of time are counted that it has in the end.
    pub(crate) fn kept(&self) -> Arc<Kept> {
        let fields = self.left().into_iter().filter_map(|(name, _)| Some((name.clone(), self.field(name.as_str())?)));
        Arc::new(Kept::counted(fields))
    }

    /// The fields that it has in the end. Only what its start must ask is sure to be set.
    pub(crate) fn left(&self) -> Vec<(FieldName, Typed)> {
        let mut found: Vec<(FieldName, Typed)> = Vec::new();
        let mut add = |field: &crate::syntax::Field, start: bool| {
            let typed = Typed::always(type_of(field));
            let sure = is_list(&typed) || start && (asked_always(field) || is_always_there(field));
            found.push((name_of(field), Typed { optional: !sure, ..typed }));
        };
        self.document.form.iter().for_each(|field| add(field, true));
        self.document.data.iter().for_each(|field| add(field, false));
        outside_rows(&self.document.steps, &mut |step| step.form.iter().for_each(|field| add(field, false)));
        found
    }
}

/// Whether there is one open case of a process a key.
pub(crate) fn is_single(document: &Process) -> bool {
    document.single.is_some_and(|single| single.value)
}

/// What a field holds where it is set, so far as that is fixed.
pub(crate) fn held(field: &syntax::Field) -> Domain {
    Domain::of_items(&limited(field))
}

/// Whether its limits are fixed and nothing keeps them.
pub(crate) fn is_reversed(field: &syntax::Field) -> bool {
    field.min.is_some() && field.max.is_some() && check::are_reversed(&limited(field))
}

/// A field as a form holds it, so far as that is fixed.
fn limited(field: &syntax::Field) -> Field {
    let constant = |text: &Option<FeelText>| {
        let text = &text.as_ref()?.text;
        let formula = expression::compile(text, &Scope::new(), &Expected::Any).ok()?;
        expression::fixed(&formula).is_some().then_some(formula)
    };
    let known = column_of(&name_of(field), &Typed::always(type_of(field)));
    let kind = match field.kind.map(|kind| kind.value) {
        Some(FieldType::Integer) => FieldKind::Integer,
        Some(FieldType::Percent) => FieldKind::Percent,
        Some(FieldType::List) => {
            let columns = field.fields.iter().map(|column| match &column.value {
                Some(_) => (name_of(column), column_of(&name_of(column), &Typed::always(type_of(column)))),
                None => (name_of(column), limited(column)),
            });
            FieldKind::List(columns.collect())
        }
        _ => known.kind.clone(),
    };
    Field { kind, min: constant(&field.min), max: constant(&field.max), ..known }
}

/// Whether it holds a value from the start by a default that is one in every case and may not be emptied.
fn is_always_there(field: &syntax::Field) -> bool {
    let default = field.default.as_ref().filter(|_| keeps_default(field) && field.when.is_none());
    let typed = |text: &FeelText| expression::compile(&text.text, &Scope::new(), &expected(field));
    default.is_some_and(|text| typed(text).is_ok_and(|formula| !formula.of.optional))
}

/// Every step but those in the body of an `each`, whose forms ask columns.
fn outside_rows<'a>(steps: &'a [crate::syntax::Step], f: &mut impl FnMut(&'a crate::syntax::Step)) {
    for step in steps {
        f(step);
        if !matches!(step.kind, StepKind::Each { .. }) {
            step.lists().into_iter().for_each(|list| outside_rows(list, f));
        }
    }
}

fn outcomes(flow: &Flow<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for node in flow.graph.reachable() {
        if let Node::Finish(outcome) = node {
            found.push(outcome.to_string());
        }
    }
    found.extend([outcome::WITHDRAWN, outcome::CANCELLED].map(str::to_owned));
    found.sort();
    found.dedup();
    found
}

/// The processes that are called and waited for on every way, but that somebody rejects.
fn calls_always<'a>(flow: &Flow<'a>, single: &dyn Fn(&str) -> bool) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for placed in &flow.steps {
        if let Some(process) = awaited(placed, single)
            && !found.contains(&process)
            && !ends_without(flow, process, single)
        {
            found.push(process);
        }
    }
    found
}

/// The process that a step calls, and that it waits for until it ends; nothing of a step that may be passed.
fn awaited<'a>(placed: &Placed<'a>, single: &dyn Fn(&str) -> bool) -> Option<&'a str> {
    let StepKind::Call(call) = &placed.source.kind else { return None };
    let (step, process) = (placed.source, call.process.value.as_str());
    let refused = |name: &str| name == outcome::REFUSED || name == "otherwise";
    let passed = step.when.is_some()
        || step.overdue.is_some()
        || single(process) && step.on.iter().any(|(name, _)| refused(&name.value));
    (!call.detached && !passed).then_some(process)
}

/// Whether some way leads to an end past no call of a process.
fn ends_without(flow: &Flow<'_>, process: &str, single: &dyn Fn(&str) -> bool) -> bool {
    let calls = |id: &StepId| {
        let placed = flow.steps.iter().find(|placed| placed.id == *id);
        placed.is_some_and(|placed| awaited(placed, single) == Some(process))
    };
    let (mut seen, mut queue) = (BTreeSet::new(), vec![&Node::Start]);
    while let Some(node) = queue.pop() {
        let called = matches!(node, Node::Step(id) if calls(id));
        if called || !seen.insert(node) {
            continue;
        }
        match node {
            Node::Finish(outcome) if outcome.as_str() != outcome::REJECTED => return true,
            _ => queue.extend(flow.graph.edges_from(node).into_iter().map(|(_, to)| to)),
        }
    }
    false
}

fn calls_at_once<'a>(document: &'a Process, flow: &Flow<'a>) -> Vec<&'a str> {
    let reached: BTreeSet<Node> = Idle { document, flow, definition: None, at_once: None }.reached();
    let called = |kind: &'a StepKind| match kind {
        StepKind::Call(call) => Some(call.process.value.as_str()),
        _ => None,
    };
    let at_once = flow.steps.iter().filter(|placed| reached.contains(&Node::Step(placed.id.clone())));
    at_once.filter_map(|placed| called(&placed.source.kind)).collect()
}
