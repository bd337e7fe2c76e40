//! A step that has nobody to ask, for some person who may apply.
//!
//! For every human step and every possible applicant, `who` is evaluated with the directory as it is, where it
//! depends on nothing else; of a person, a position or a department that people choose every one is tried that the field
//! takes and for which the step is not skipped. Whose case it is is struck from
//! approvals and their superior takes the place, as the engine does it. Absences are left out: they pass. Who is asked
//! once a step is overdue is judged too: it may not be nobody whoever applies.
//!
//! The directory knows people by what they hold. So applicants with the same positions fare alike, and one of
//! them is tried for all, unless an expression names somebody by id.

mod lack;

use super::{Subject, called};
use crate::compile::typing::fields_read;
use crate::diagnostics::{Context, Diagnostic, Span};
use crate::expression;
use crate::model::control::Then;
use crate::model::definition::{Human, Mode, Nobody, OwnCase, Step};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Formula, Op, Read};
use crate::model::id::{FieldName, PersonId, PositionId};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use crate::syntax::{self, FeelText, StepKind};
use chrono::DateTime;
use indexmap::IndexMap;
use lack::{Lack, when, where_chosen};
use std::collections::BTreeMap;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let start_known = subject.reading.head("start") || !subject.document.start.is_empty();
    if !subject.world.people_known || !start_known {
        return;
    }
    let applicants = applicants(subject);
    let all = applicants.iter().map(Vec::len).sum();
    let applies = who_applies(subject);
    for placed in &subject.flow.steps {
        let (StepKind::Approve { who } | StepKind::Task { who, .. }) = &placed.source.kind else { continue };
        let Some(step) = subject.definition.steps.get(&placed.id) else { continue };
        let Some(human) = step.human() else { continue };
        let approval = matches!(placed.source.kind, StepKind::Approve { .. });
        let nothing = Record::new();
        let asking = Asking { subject, human, approval, entries: &who.entries, span: who.span, data: &nothing };
        if let Some((span, people)) = asking.nobody_instead(placed.source, step, &applicants) {
            let lack = Lack::NobodyInstead(span);
            let found = lack.shown(&called(placed), &people, all, &subject.world.directory);
            diagnostics.push(found.context(applies.span, applies.text.clone()));
        }
        // An entry with a fault of its own is missing here, and nobody can be counted.
        if human.who.len() < who.entries.len() || human.policy.nobody == Nobody::Skip {
            continue;
        }
        let by_id = who.entries.iter().any(|entry| entry.text.contains("person"));
        let alone: Vec<Vec<PersonId>>;
        let groups = if by_id {
            alone = applicants.iter().flatten().map(|applicant| vec![applicant.clone()]).collect();
            &alone
        } else {
            &applicants
        };
        let lacks = asking.lacks(groups);
        let sound = lacks.is_empty();
        for (lack, people) in lacks {
            let found = lack.shown(&called(placed), &people, all, &subject.world.directory);
            diagnostics.push(found.context(applies.span, applies.text.clone()));
        }
        if let Some((name, field)) = asking.chosen().filter(|_| sound) {
            let mut told: Vec<(Lack, Vec<PersonId>, Vec<String>)> = Vec::new();
            for (value, word) in choices(field, &subject.world.directory) {
                let groups = told_apart(groups, &value);
                let data = Record::from_iter([(name.clone(), value)]);
                let asking = Asking { data: &data, ..asking };
                let takes: Vec<Vec<PersonId>> =
                    groups.into_iter().filter(|group| asking.takes(field, step, group)).collect();
                for (lack, people) in asking.lacks(&takes) {
                    match told.iter_mut().find(|(other, of, _)| *other == lack && *of == people) {
                        Some((.., names)) => names.push(word.clone()),
                        None => told.push((lack, people, vec![word.clone()])),
                    }
                }
            }
            for (lack, people, names) in told {
                let mends = lack.mends(&people, all, &subject.world.directory);
                let mends = Wording::new(
                    format!("{}；还可以用 `{name}` 的 `check` 不收这个选择", mends.zh),
                    format!("{}; or refuse the choice with a `check` of `{name}`", mends.en),
                );
                let whose = (people.len() < all).then(|| when(&people, all, &subject.world.directory));
                diagnostics.push(lack.told(&called(placed), &where_chosen(name, &names, whose), mends));
            }
        }
    }
}

/// Who may start the process, the holders of its `start` or everybody, in groups that hold the same.
fn applicants(subject: &Subject<'_>) -> Vec<Vec<PersonId>> {
    let (directory, start) = (&subject.world.directory, &subject.definition.start);
    let may = |positions: &[_]| subject.document.start.is_empty() || positions.iter().any(|held| start.contains(held));
    let mut groups: IndexMap<&[PositionId], Vec<PersonId>> = IndexMap::new();
    for (id, person) in directory.people.iter().filter(|(_, person)| may(&person.positions)) {
        groups.entry(&person.positions).or_default().push(id.clone());
    }
    groups.into_values().collect()
}

/// Where it is said who may start the process.
fn who_applies(subject: &Subject<'_>) -> Context {
    let document = subject.document;
    match (document.start.first(), document.start.last()) {
        (Some(first), Some(last)) => {
            Context { span: first.span.to(last.span), text: Wording::new("可以发起的人", "who may start it") }
        }
        _ => Context {
            span: document.name.as_ref().map_or(document.key_span, |name| name.span),
            text: Wording::new("没有写 `start`，所以谁都可以发起", "without `start`, everybody may start it"),
        },
    }
}

#[derive(Clone, Copy)]
struct Asking<'s, 'a> {
    subject: &'s Subject<'a>,
    human: &'s Human,
    approval: bool,
    entries: &'s [FeelText],
    span: Span,
    /// What people are taken to have chosen.
    data: &'s Record,
}

impl<'s> Asking<'s, '_> {
    /// What is missing, and for whose cases; of each group one stands for all.
    fn lacks(&self, groups: &[Vec<PersonId>]) -> Vec<(Lack, Vec<PersonId>)> {
        let mut lacks: Vec<(Lack, Vec<PersonId>)> = Vec::new();
        for group in groups {
            if let Some(lack) = group.first().and_then(|applicant| self.lack(applicant)) {
                match lacks.iter_mut().find(|(other, _)| *other == lack) {
                    Some((_, people)) => people.extend(group.iter().cloned()),
                    None => lacks.push((lack, group.clone())),
                }
            }
        }
        lacks
    }

    /// The person, position or department that people choose and who is asked depends on.
    fn chosen(&self) -> Option<(&'s FieldName, &'s Field)> {
        let definition = self.subject.definition;
        let mut read = self.human.who.iter().flat_map(fields_read);
        read.find_map(|name| definition.fields().find(|(known, _)| *known == name)).filter(|(name, field)| {
            let chosen = matches!(field.kind, FieldKind::Person(_) | FieldKind::Position | FieldKind::Department);
            field.value.is_none() && !field.many && chosen && !definition.data.contains_key(*name)
        })
    }

    /// Whether the field takes what is chosen, and the step is walked then; so it is taken to be where that
    /// depends on something else.
    fn takes(&self, field: &Field, step: &Step, group: &[PersonId]) -> bool {
        let Some(applicant) = group.first() else { return false };
        if let FieldKind::Person(Some(among)) = &field.kind {
            // Whom a field offers that cannot be known here is not tried.
            let offered = self.knowable(among).then(|| self.evaluate(among, applicant));
            let Some(Ok(offered)) = offered else { return false };
            let offered = named(&offered, &self.subject.world.holders);
            let chosen = |person: &PersonId| self.data.values().any(|value| *value == Value::Person(person.clone()));
            if !offered.iter().flatten().any(chosen) {
                return false;
            }
        }
        let rules = field.check.iter().map(|check| &check.that).chain(&step.when);
        rules.filter(|rule| self.knowable(rule)).all(|rule| {
            let value = self.evaluate(rule, applicant);
            !matches!(value, Ok(Value::Boolean(false)))
        })
    }

    /// Whether a formula follows from the applicant, the directory and what is chosen.
    fn knowable(&self, formula: &Formula) -> bool {
        formula.reads.iter().all(|read| match read {
            Read::Applicant | Read::Directory => true,
            Read::Field(name) => self.data.contains_key(name),
            _ => false,
        })
    }

    fn evaluate(&self, formula: &Formula, applicant: &PersonId) -> Result<Value, Wording> {
        let calendar = Calendar::default();
        let context = expression::Context {
            applicant: Some(applicant),
            ..expression::Context::new(self.data, &self.subject.world.directory, &calendar, DateTime::UNIX_EPOCH)
        };
        expression::evaluate(formula, &context).map_err(|failure| failure.message)
    }

    /// What is missing when this person applies; `None` where all is well or cannot be known.
    fn lack(&self, applicant: &PersonId) -> Option<Lack> {
        let directory: &Directory = &self.subject.world.directory;
        let mut seats: Vec<Vec<PersonId>> = Vec::new();
        let mut known = true;
        for (entry, text) in self.human.who.iter().zip(self.entries) {
            let Some(value) = self.value(entry, applicant) else {
                known = false;
                continue;
            };
            let value = match value {
                Ok(value) => value,
                Err(message) => return Some(Lack::Failed(text.span, message)),
            };
            let named = named(&value, &self.subject.world.holders);
            if named.is_empty() {
                return self.unless_escalated(Lack::Nobody(text.span), applicant);
            }
            for people in named {
                let with_mail: Vec<PersonId> =
                    people.iter().filter(|person| has_mail(directory, person)).cloned().collect();
                if with_mail.is_empty() {
                    let lack = if people.is_empty() { Lack::Nobody(text.span) } else { Lack::NoMail(text.span) };
                    return self.unless_escalated(lack, applicant);
                }
                let seat = self.without_applicant(with_mail, applicant);
                if seat.is_empty() {
                    return self.unless_escalated(Lack::OnlyThemselves(text.span), applicant);
                }
                seats.push(seat);
            }
        }
        let crowded = known && self.human.mode == Mode::All && filled(&seats) < seats.len();
        if crowded { self.unless_escalated(Lack::TooFew(self.span), applicant) } else { None }
    }

    /// Where nobody is named to be asked instead once the step is overdue, and for whose cases.
    fn nobody_instead(
        &self,
        source: &syntax::Step,
        step: &Step,
        applicants: &[Vec<PersonId>],
    ) -> Option<(Span, Vec<PersonId>)> {
        let Some(syntax::Then::Reassign(entries)) = source.overdue.as_ref()?.then.as_ref() else { return None };
        let Some(Then::Reassign(who)) = step.overdue.as_ref()?.then.as_ref() else { return None };
        if who.len() < entries.len() {
            return None;
        }
        let directory: &Directory = &self.subject.world.directory;
        let somebody = |applicant: &PersonId| {
            // What depends on who did not answer, or on the case, is not known here.
            who.iter().any(|entry| match self.value(entry, applicant) {
                None | Some(Err(_)) => true,
                Some(Ok(value)) => named(&value, &self.subject.world.holders)
                    .iter()
                    .flatten()
                    .any(|person| has_mail(directory, person)),
            })
        };
        // For the one or the other nobody may be above them: then they are reminded.
        let all: Vec<PersonId> = applicants.iter().flatten().cloned().collect();
        let span = entries.first()?.span.to(entries.last()?.span);
        (!all.is_empty() && !all.iter().any(somebody)).then_some((span, all))
    }

    /// The value of an entry, if it follows from the applicant and the directory alone.
    fn value(&self, entry: &Formula, applicant: &PersonId) -> Option<Result<Value, Wording>> {
        let formula = if self.knowable(entry) {
            entry
        } else {
            // A field of people can only hold what its `among` allows.
            let Op::Field(name) = entry.root.op() else { return None };
            let (_, field) = self.subject.definition.fields().find(|(known, _)| *known == name)?;
            let FieldKind::Person(Some(among)) = &field.kind else { return None };
            if !self.knowable(among) || fields_read(among).next().is_some() {
                return None;
            }
            among
        };
        let value = self.evaluate(formula, applicant);
        if std::ptr::eq(formula, entry) {
            return Some(value);
        }
        // One of those allowed will be chosen: one seat that any of them may fill.
        Some(value.map(|value| {
            let choice = named(&value, &self.subject.world.holders).into_iter().flatten().next();
            choice.map_or(Value::Null, Value::Person)
        }))
    }

    /// Separation of duties: whose case it is decides no approval of it, and their superior does instead.
    fn without_applicant(&self, people: Vec<PersonId>, applicant: &PersonId) -> Vec<PersonId> {
        if !self.approval || self.human.policy.own_case == OwnCase::Allow {
            return people;
        }
        let others: Vec<PersonId> = people.into_iter().filter(|person| person != applicant).collect();
        if others.is_empty() && self.human.policy.own_case == OwnCase::Superior {
            return self.superior(applicant).into_iter().collect();
        }
        others
    }

    fn superior(&self, applicant: &PersonId) -> Option<PersonId> {
        let directory: &Directory = &self.subject.world.directory;
        directory.superiors(applicant).into_iter().find(|person| person != applicant && has_mail(directory, person))
    }

    fn unless_escalated(&self, lack: Lack, applicant: &PersonId) -> Option<Lack> {
        let escalated = self.human.policy.nobody == Nobody::Escalate && self.superior(applicant).is_some();
        if escalated { None } else { Some(lack) }
    }
}

/// The groups with whoever is chosen apart from those that hold the same: for them it is their own case.
fn told_apart(groups: &[Vec<PersonId>], chosen: &Value) -> Vec<Vec<PersonId>> {
    let Value::Person(chosen) = chosen else { return groups.to_vec() };
    let mut apart = Vec::with_capacity(groups.len() + 1);
    for group in groups {
        let (own, others): (Vec<PersonId>, Vec<PersonId>) = group.iter().cloned().partition(|person| person == chosen);
        apart.extend([own, others].into_iter().filter(|group| !group.is_empty()));
    }
    apart
}

/// Everything that a field of people, positions or departments can hold, and what people call it.
fn choices(field: &Field, directory: &Directory) -> Vec<(Value, String)> {
    match field.kind {
        FieldKind::Position => {
            let all = directory.positions.keys();
            all.map(|id| (Value::Position(id.clone()), id.to_string())).collect()
        }
        FieldKind::Department => {
            let all = directory.departments.keys();
            all.map(|id| (Value::Department(id.clone()), id.to_string())).collect()
        }
        FieldKind::Person(_) => {
            let all = directory.people.iter();
            all.map(|(id, person)| (Value::Person(id.clone()), person.name.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// The people of each signature that a value of `who` names.
fn named(value: &Value, holders: &BTreeMap<PositionId, Vec<PersonId>>) -> Vec<Vec<PersonId>> {
    match value {
        Value::Person(person) => vec![vec![person.clone()]],
        Value::Position(position) => vec![holders.get(position).cloned().unwrap_or_default()],
        Value::List(items) => items.iter().flat_map(|item| named(item, holders)).collect(),
        _ => Vec::new(),
    }
}

fn has_mail(directory: &Directory, person: &PersonId) -> bool {
    directory.people.get(person).is_some_and(|person| person.mail.is_some())
}

/// How many signatures can be given if nobody signs twice.
fn filled(seats: &[Vec<PersonId>]) -> usize {
    fn find<'s>(
        seat: usize,
        seats: &'s [Vec<PersonId>],
        taken: &mut Vec<(&'s PersonId, usize)>,
        tried: &mut Vec<&'s PersonId>,
    ) -> bool {
        for person in seats.get(seat).into_iter().flatten() {
            if tried.contains(&person) {
                continue;
            }
            tried.push(person);
            match taken.iter().position(|(other, _)| *other == person) {
                None => {
                    taken.push((person, seat));
                    return true;
                }
                Some(at) => {
                    let holder = taken.get(at).map_or(0, |(_, seat)| *seat);
                    if find(holder, seats, taken, tried) {
                        taken.retain(|(other, seat)| !(*other == person && *seat == holder));
                        taken.push((person, seat));
                        return true;
                    }
                }
            }
        }
        false
    }
    let mut taken = Vec::new();
    (0..seats.len()).filter(|seat| find(*seat, seats, &mut taken, &mut Vec::new())).count()
}
