//! The start of an instance: by a person who fills in the form, or by another instance or a schedule, which may
//! leave some of it open. What is left open then is the applicant's first task.

use super::command::{Ask, Command};
use super::event::Event;
use super::refusal::{FieldFault, PathPart, Refusal};
use super::run::{self, Run};
use super::state::Caller;
use super::{Facts, apply, columns, computed, draw, filling, form, human, scope};
use crate::model::control::Schedule;
use crate::model::definition::Definition;
use crate::model::file::FileRule;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, InstanceId, PersonId, TokenId};
use crate::model::text::Wording;
use crate::model::value::Record;

/// Starts an instance.
pub(super) fn start<'a>(
    definition: &'a Definition,
    command: &'a Command,
    facts: &'a Facts<'a>,
) -> Result<Run<'a>, Refusal> {
    match &command.ask {
        Ask::Begin { id, applicant, data, caller } => {
            if !facts.directory.people.contains_key(applicant) {
                return Err(Refusal::UnknownPerson(applicant.clone()));
            }
            let id = id.unwrap_or_else(|| draw::new_instance(facts));
            let mut data = data.clone();
            if caller.is_some() {
                columns::drop_unknown(&definition.form, &mut data);
                // What a caller has no value for is left open.
                data.retain(|name, value| !value.is_null() || definition.form.get(name).is_none_or(|f| !f.required));
            }
            match filled(definition, facts, applicant, &data) {
                Ok(data) => begin(definition, command, facts, Start { id, applicant, data, caller, whole: true }),
                Err(_) => {
                    let data = legible(definition, facts, applicant, &data);
                    begin(definition, command, facts, Start { id, applicant, data, caller, whole: false })
                }
            }
        }
        Ask::Start { data } => {
            let applicant = command.actor.person().ok_or(Refusal::NeedsPerson)?;
            let Some(person) = facts.directory.people.get(applicant) else {
                return Err(Refusal::UnknownPerson(applicant.clone()));
            };
            let open_to_all = definition.start.is_empty();
            if !open_to_all && !person.positions.iter().any(|held| definition.start.contains(held)) {
                return Err(Refusal::MayNotStart { person: applicant.clone(), positions: definition.start.clone() });
            }
            let data = filled(definition, facts, applicant, data).map_err(Refusal::BadForm)?;
            let id = draw::new_instance(facts);
            begin(definition, command, facts, Start { id, applicant, data, caller: &None, whole: true })
        }
        _ => Err(Refusal::NoInstance),
    }
}

/// What a start form that nobody looked at yet shows to whoever is asked for the rest: what was given, also where a
/// limit refuses it. What is no value of its field is left out.
fn legible(definition: &Definition, facts: &Facts<'_>, applicant: &PersonId, given: &Record) -> Record {
    let evaluate = |formula: &Formula, data: &Record| scope::evaluate_start(applicant, facts, formula, data);
    let lenient = lenient(&definition.form);
    let faults = filling::fill(&lenient, given, &Record::new(), facts, &evaluate).err().unwrap_or_default();
    let unlike =
        |name: &FieldName| faults.iter().any(|fault| fault.path.first() == Some(&PathPart::Field(name.clone())));
    let kept = given.iter().filter(|(name, _)| lenient.contains_key(*name) && !unlike(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A form that asks for nothing and takes every value that its fields can show.
fn lenient(form: &Form) -> Form {
    let kind = |kind: &FieldKind| match kind {
        FieldKind::Text => FieldKind::LongText,
        FieldKind::Integer => FieldKind::Decimal,
        FieldKind::Person(_) => FieldKind::Person(None),
        FieldKind::File(_) => FieldKind::File(FileRule::default()),
        FieldKind::List(columns) => FieldKind::List(lenient(columns)),
        other => other.clone(),
    };
    let open = |field: &Field| Field { many: field.many, ..Field::new(field.title.clone(), kind(&field.kind)) };
    form.iter().map(|(name, field)| (name.clone(), open(field))).collect()
}

/// The whole data of a new case: the form with defaults and computed fields, and what no form asks for.
fn filled(
    definition: &Definition,
    facts: &Facts<'_>,
    applicant: &PersonId,
    given: &Record,
) -> Result<Record, Vec<FieldFault>> {
    let evaluate = |formula: &Formula, data: &Record| {
        let mut data = data.clone();
        columns::widen(definition, &mut data);
        scope::evaluate_start(applicant, facts, formula, &data)
    };
    let mut data = filling::fill(&definition.form, given, &Record::new(), facts, &evaluate)?;
    prepare(definition, &mut data, facts, &evaluate)?;
    columns::widen(definition, &mut data);
    Ok(data)
}

/// Puts in what no form asks for; what is computed of it keeps its limits like what is asked.
fn prepare(
    definition: &Definition,
    data: &mut Record,
    facts: &Facts<'_>,
    evaluate: &form::Evaluate<'_>,
) -> Result<(), Vec<FieldFault>> {
    let prepared = form::prepare(definition, data, evaluate);
    prepared.and_then(|()| computed::compute(&computed::all(&definition.data), data, evaluate)).map_err(
        |computed| {
            vec![FieldFault { path: Vec::new(), title: *computed.title, what: computed.failure.message, limit: None }]
        },
    )?;
    let computed = definition.data.iter().filter(|(_, field)| field.value.is_some());
    let broken = computed.flat_map(|(name, field)| filling::broken(name, field, data, facts, evaluate));
    let broken: Vec<FieldFault> = broken.map(|fault| FieldFault { path: Vec::new(), ..fault }).collect();
    if broken.is_empty() { Ok(()) } else { Err(broken) }
}

/// Adds to a start form that was filled in late what no form asks for.
pub(super) fn complete(run: &Run<'_>, values: &mut Record) -> Result<(), Refusal> {
    let applicant = run.state.applicant.clone();
    let evaluate = |formula: &Formula, data: &Record| scope::evaluate_start(&applicant, run.facts, formula, data);
    prepare(run.definition, values, run.facts, &evaluate).map_err(Refusal::BadForm)
}

/// For whom a schedule starts cases, as things stand: everyone that it names, once.
///
/// # Errors
/// What its expression says.
pub fn scheduled(schedule: &Schedule, facts: &Facts<'_>) -> Result<Vec<PersonId>, Wording> {
    let mut people: Vec<PersonId> = Vec::new();
    for formula in &schedule.by {
        let value = scope::evaluate_alone(facts, formula).map_err(|failure| failure.message)?;
        for person in super::people::named(&value, facts.directory).into_iter().flatten() {
            if !people.contains(&person) {
                people.push(person);
            }
        }
    }
    Ok(people)
}

struct Start<'a> {
    id: InstanceId,
    applicant: &'a PersonId,
    data: Record,
    caller: &'a Option<Caller>,
    whole: bool,
}

fn begin<'a>(
    definition: &'a Definition,
    command: &'a Command,
    facts: &'a Facts<'a>,
    start: Start<'_>,
) -> Result<Run<'a>, Refusal> {
    let today = facts.calendar.today(facts.now);
    let number = definition.number.as_ref().map(|pattern| pattern.write(today, facts.sequence).into());
    let (key, headline) = run::summary(definition, &start.data);
    let started = Event::Started {
        instance: start.id,
        process: definition.process.clone(),
        version: definition.version.clone(),
        number,
        title: definition.title.clone(),
        applicant: start.applicant.clone(),
        data: start.data,
        key,
        headline,
        caller: start.caller.clone(),
    };
    let Some(state) = apply::begin(&started, facts.now, command) else { return Err(Refusal::NoInstance) };
    let mut run = Run::new(definition, facts, command, state);
    run.events.push(started);
    run.tell_acted_for(None);
    if start.whole {
        run.advance(TokenId(0), Node::Start, On::Next);
    } else {
        human::ask_beginning(&mut run, TokenId(0));
    }
    Ok(run)
}
