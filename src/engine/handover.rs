//! Hand-over: in one case, what was one person's becomes another's.
//!
//! That is: the applicant, where they are it; the fields and columns that a step ahead reads as who; and every
//! open assignment of theirs. What they answered stays theirs. Separation of duties holds as ever: where the new
//! applicant is asked to decide on the case, their superior is asked instead. A hand-over passes no guard again:
//! it says who does the work, not what the work is. A case that is ending is handed over as well, with what is
//! still to be taken back. A step that was handed over asks who took over when it asks again: in a new round, in
//! another row, or as the case comes back to it.
//!
//! Where neither the other person nor one of their superiors may take an assignment, and nobody else can answer
//! for it, it stays where it is.

use super::event::{Event, OpenedAssignment};
use super::people::{self, Candidate, Seats};
use super::refusal::Refusal;
use super::run::Run;
use super::state::{MailKind, State, Task, TaskKind, Waiting};
use super::{decide, scope, vote};
use crate::model::control::Then;
use crate::model::definition::{Definition, OwnCase, Step, StepKind};
use crate::model::formula::{Formula, Read};
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, FieldName, PersonId, ScopeId, StepId, TaskId, TokenId};
use crate::model::people::Directory;
use crate::model::value::{Record, Type, Value};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// Whether a person can take over from another on a day, whatever the case.
///
/// # Errors
/// Why not: it is the same person, nobody knows them, they are away, or an absence of theirs would bring the work
/// back.
pub fn receivable(directory: &Directory, from: &PersonId, to: &PersonId, today: NaiveDate) -> Result<(), Refusal> {
    if from == to {
        return Err(Refusal::HandOverToSelf(to.clone()));
    }
    if !directory.people.contains_key(to) {
        return Err(Refusal::UnknownPerson(to.clone()));
    }
    let mut ahead = directory.absences.iter().filter(|absence| absence.person == *to && absence.to >= today);
    match ahead.find(|absence| absence.from <= today || absence.substitute == *from) {
        None => Ok(()),
        Some(back) if back.substitute == *from => {
            Err(Refusal::ComesBack { to: to.clone(), from: from.clone(), on: back.from.max(today) })
        }
        Some(away) => Err(Refusal::ReceiverAway { to: to.clone(), until: away.to }),
    }
}

/// Hands everything of a case over.
pub(super) fn hand_over(run: &mut Run<'_>, from: &PersonId, to: &PersonId) -> Result<(), Refusal> {
    receivable(run.facts.directory, from, to, run.facts.calendar.today(run.now))?;
    let applicant = run.state.applicant == *from;
    let names = responsible(run.definition, places(run.definition, &run.state));
    let fields = changed(run, &names, from, to);
    let rows = rows(run, &names, from, to);
    let (waiting, kept) = (waiting(run, &names, from), kept(run, &names, from));
    let (done, asked, steps) = (done(run, from), asked(run, from), asking(run, from));
    let told = applicant || !fields.is_empty();
    let only_tasks = !told && rows.is_empty() && waiting.is_empty() && kept.is_empty() && done.is_empty();
    if only_tasks && asked.is_empty() && steps.is_empty() {
        return Err(Refusal::NothingToHandOver(from.clone()));
    }
    run.emit(Event::HandedOver { from: from.clone(), to: to.clone(), applicant, rows: waiting, kept, done, steps });
    decide::computed(run.set(fields))?;
    for (token, columns) in rows {
        decide::computed(run.set_at(token, columns))?;
    }
    let mut stay = Vec::new();
    for (task, assignment) in &asked {
        if !pass_on(run, *task, *assignment, to) {
            stay.push(*task);
        }
    }
    for (task, assignment) in own(run, to) {
        pass_on(run, task, assignment, to);
    }
    // A task is never left to nobody who may answer it, and a hand-over that moves nothing is none.
    let stuck = own(run, to).first().map(|(task, _)| *task);
    let idle = stay.first().copied().filter(|_| only_tasks && stay.len() == asked.len());
    if let Some(task) = stuck.or(idle) {
        let step = run.state.tasks.get(&task).map(|task| task.step.clone()).unwrap_or_else(|| "".into());
        return Err(Refusal::NobodyInstead { person: to.clone(), step });
    }
    if told {
        run.mail(MailKind::HandedOver, to.clone());
    }
    Ok(())
}

/// From where a case goes on.
fn places(definition: &Definition, state: &State) -> Vec<Node> {
    let places = state.tokens.values().map(|token| token.step.clone().map_or(Node::Start, Node::Step));
    // What was done may be taken back, however the case stands now.
    let undone = state.undo.iter().filter_map(|done| definition.graph.next(&Node::Step(done.step.clone()), &On::Undo));
    places.chain(undone.cloned()).collect()
}

/// The names that a step ahead of these places reads as who.
fn responsible(definition: &Definition, places: Vec<Node>) -> BTreeSet<FieldName> {
    let ahead: BTreeSet<&StepId> = places
        .iter()
        .flat_map(|place| definition.graph.from(place))
        .filter_map(|node| match node {
            Node::Step(id) | Node::Join(id) | Node::Undone(id) => Some(id),
            Node::Start | Node::Finish(_) => None,
        })
        .collect();
    let steps: Vec<&Step> = ahead.into_iter().filter_map(|id| definition.steps.get(id)).collect();
    let mut names: BTreeSet<FieldName> = steps.iter().flat_map(|step| who(step)).flat_map(read).cloned().collect();
    // A row is a row of a list: who reads one reads the other.
    loop {
        let known = names.len();
        for step in &steps {
            if let StepKind::Each(each) = &step.kind
                && names.contains(&each.alias)
            {
                names.extend(read(&each.rows).cloned());
            }
        }
        if names.len() == known {
            break;
        }
    }
    // Whom the case is about does not change with who does it.
    names.retain(|name| definition.about.as_ref() != Some(name));
    names
}

/// The expressions of a step that say who, here or in a process that it calls.
fn who(step: &Step) -> Vec<&Formula> {
    let mut found: Vec<&Formula> = match &step.kind {
        StepKind::Approve(human) | StepKind::Task(human) => {
            human.who.iter().chain(human.copy.values().flatten()).collect()
        }
        StepKind::Notify(notify) => notify.who.iter().collect(),
        StepKind::Call(call) => {
            call.by.iter().chain(call.with.values().filter(|given| is_person(&given.of.of))).collect()
        }
        _ => Vec::new(),
    };
    if let Some(overdue) = &step.overdue {
        found.extend(&overdue.notify);
        if let Some(Then::Reassign(who)) = &overdue.then {
            found.extend(who);
        }
    }
    found
}

fn is_person(of: &Type) -> bool {
    match of {
        Type::Person => true,
        Type::List(of) => is_person(&of.of),
        _ => false,
    }
}

fn read(formula: &Formula) -> impl Iterator<Item = &FieldName> {
    formula.reads.iter().filter_map(|read| match read {
        Read::Field(name) => Some(name),
        _ => None,
    })
}

/// The fields that name the one and are to name the other. What is computed follows by itself.
fn changed(run: &Run<'_>, names: &BTreeSet<FieldName>, from: &PersonId, to: &PersonId) -> Record {
    let computed =
        |name: &FieldName| run.definition.fields().any(|(known, field)| known == name && field.value.is_some());
    let asked = run.state.data.iter().filter(|(name, _)| names.contains(*name) && !computed(name));
    asked.filter_map(|(name, value)| Some((name.clone(), replaced(value, from, to)?))).collect()
}

/// A value with the one person in place of the other; `None` where it does not name them.
pub(super) fn replaced(value: &Value, from: &PersonId, to: &PersonId) -> Option<Value> {
    match value {
        Value::Person(person) if person == from => Some(Value::Person(to.clone())),
        Value::List(items) => {
            let new: Vec<Option<Value>> = items.iter().map(|item| replaced(item, from, to)).collect();
            let changes = new.iter().any(Option::is_some);
            let both = new.into_iter().zip(items).map(|(new, old)| new.unwrap_or_else(|| old.clone()));
            changes.then(|| Value::List(both.collect()))
        }
        Value::Record(record) => {
            let new: Record =
                record.iter().filter_map(|(name, value)| Some((name.clone(), replaced(value, from, to)?))).collect();
            (!new.is_empty()).then(|| {
                let mut record = record.clone();
                record.extend(new);
                Value::Record(record)
            })
        }
        _ => None,
    }
}

/// The rows at work whose columns name the one, each by a token in it, with the columns as they are to be.
fn rows(run: &Run<'_>, names: &BTreeSet<FieldName>, from: &PersonId, to: &PersonId) -> Vec<(TokenId, Record)> {
    let inside = |number: ScopeId| {
        run.state.tokens.iter().find(|(_, token)| scope::row_scope(&run.state, token.scope) == Some(number))
    };
    run.state
        .scopes
        .iter()
        .filter_map(|(number, scope)| {
            let row = scope.row.as_ref()?;
            let each = run.each_of(*number);
            let computed =
                |name: &FieldName| each.and_then(|each| each.columns.get(name)).is_some_and(|c| c.value.is_some());
            let columns: Record = row
                .columns
                .iter()
                .filter(|(name, _)| (names.contains(&row.alias) || names.contains(*name)) && !computed(name))
                .filter_map(|(name, value)| Some((name.clone(), replaced(value, from, to)?)))
                .collect();
            let (token, _) = inside(*number).filter(|_| !columns.is_empty())?;
            Some((*token, columns))
        })
        .collect()
}

/// The columns of rows that wait for their turn and name the one, by the token that holds them.
fn waiting(run: &Run<'_>, names: &BTreeSet<FieldName>, from: &PersonId) -> Vec<(TokenId, FieldName)> {
    let mut found = Vec::new();
    for (number, token) in &run.state.tokens {
        let (Some(Waiting::Block(running)), Some(step)) = (&token.waits, &token.step) else { continue };
        let Some(StepKind::Each(each)) = run.definition.steps.get(step).map(|step| &step.kind) else { continue };
        if !names.contains(&each.alias) {
            continue;
        }
        let columns = naming(running.rows.iter().skip(running.opened as usize), from);
        found.extend(columns.into_iter().map(|name| (*number, name.clone())));
    }
    found
}

/// The columns of rows that are done, in an `each` that is not, by the token that holds them: where a step behind it
/// reads the rows as who.
fn done(run: &Run<'_>, from: &PersonId) -> Vec<(TokenId, FieldName)> {
    let mut found = Vec::new();
    for (number, token) in &run.state.tokens {
        let (Some(Waiting::Block(running)), Some(step)) = (&token.waits, &token.step) else { continue };
        let Some(StepKind::Each(each)) = run.definition.steps.get(step).map(|step| &step.kind) else { continue };
        if responsible(run.definition, vec![Node::Join(step.clone())]).contains(&each.list) {
            let rows = running.rows.iter().take(running.opened as usize);
            found.extend(naming(rows, from).into_iter().map(|name| (*number, name.clone())));
        }
    }
    found
}

/// The columns in which rows name a person.
fn naming<'r>(rows: impl Iterator<Item = &'r Record>, person: &PersonId) -> BTreeSet<&'r FieldName> {
    let named = |(_, value): &(&FieldName, &Value)| replaced(value, person, person).is_some();
    rows.flat_map(|row| row.iter().filter(named)).map(|(name, _)| name).collect()
}

/// The steps that ask a person, or will again once the case is revised.
fn asking(run: &Run<'_>, person: &PersonId) -> Vec<StepId> {
    let asks = |task: &&Task| {
        if !task.parked {
            return task.assignments.iter().any(|open| open.person == *person);
        }
        let human = run.definition.steps.get(&task.step).and_then(Step::human);
        let seats = human.map(|human| people::seats(run, task.token, &task.step, human, task.kind));
        matches!(seats, Some(Ok(Seats::Filled(seats))) if seats.iter().flatten().any(|one| one.person == *person))
    };
    let own = run.state.tasks.values().filter(|task| matches!(task.kind, TaskKind::Approve | TaskKind::Work));
    let steps: BTreeSet<&StepId> = own.filter(asks).map(|task| &task.step).collect();
    steps.into_iter().cloned().collect()
}

/// The columns of rows kept for what may be taken back that name the one, by their place there.
fn kept(run: &Run<'_>, names: &BTreeSet<FieldName>, from: &PersonId) -> Vec<(u32, FieldName)> {
    let rows = (0u32..).zip(&run.state.undo).filter_map(|(place, done)| Some((place, done.row.as_ref()?)));
    rows.flat_map(|(place, row)| {
        let named = move |(name, value): &(&FieldName, &Value)| {
            (names.contains(&row.alias) || names.contains(*name)) && replaced(value, from, from).is_some()
        };
        row.columns.iter().filter(named).map(move |(name, _)| (place, name.clone()))
    })
    .collect()
}

/// The open assignments of a person.
fn asked(run: &Run<'_>, person: &PersonId) -> Vec<(TaskId, AssignmentId)> {
    let of = |task: &Task| task.assignments.iter().find(|open| open.person == *person).map(|open| open.id);
    run.state.tasks.iter().filter_map(|(number, task)| Some((*number, of(task)?))).collect()
}

/// The open assignments of a person that they may not answer, as the case is theirs.
fn own(run: &Run<'_>, person: &PersonId) -> Vec<(TaskId, AssignmentId)> {
    let struck = |number: &TaskId| {
        let task = run.state.tasks.get(number);
        let human = task.and_then(|task| run.definition.steps.get(&task.step)).and_then(Step::human);
        let decides = task.is_some_and(|task| run.decides(task.kind));
        decides && run.is_own(person) && human.is_some_and(|human| human.policy.own_case != OwnCase::Allow)
    };
    asked(run, person).into_iter().filter(|(number, _)| struck(number)).collect()
}

/// Asks another person instead of who is asked: the one who takes over, or the nearest superior of theirs who may.
/// False where nobody may.
fn pass_on(run: &mut Run<'_>, number: TaskId, assignment: AssignmentId, to: &PersonId) -> bool {
    let Some(task) = run.state.tasks.get(&number) else { return false };
    let Some(seats) = task.assignments.iter().find(|open| open.id == assignment).map(|open| open.seats.clone()) else {
        return false;
    };
    let human = run.definition.steps.get(&task.step).and_then(Step::human);
    let taker = taker(run, task, to);
    let others = vote::can_do_without(task, assignment);
    if taker.is_none() && !others {
        return false;
    }
    // Whoever is asked already needs nobody beside them, where those who are asked are enough.
    let known = task.assignments.iter().any(|open| open.person == *to);
    let taker = taker.filter(|_| !(known && others));
    let quiet = human.is_some_and(|human| human.quiet);
    let new: Vec<OpenedAssignment> = taker
        .into_iter()
        .map(|Candidate { person, stands_in_for }| {
            let (id, nonce) = run.draw_assignment();
            OpenedAssignment { id, person, seats: seats.clone(), stands_in_for, nonce }
        })
        .collect();
    let asked: Vec<(AssignmentId, PersonId)> = new.iter().map(|one| (one.id, one.person.clone())).collect();
    run.emit(Event::Reassigned { task: number, from: assignment, to: new });
    if !quiet {
        for (assignment, person) in asked {
            run.mail(MailKind::Assigned { task: number, assignment }, person);
        }
    }
    true
}

fn taker(run: &Run<'_>, task: &Task, to: &PersonId) -> Option<Candidate> {
    let Some(human) = run.definition.steps.get(&task.step).and_then(Step::human) else {
        return matches!(task.kind, TaskKind::Begin).then(|| Candidate { person: to.clone(), stands_in_for: None });
    };
    // A form of the case is filled in by its applicant, nobody else.
    if matches!(task.kind, TaskKind::Revise { .. } | TaskKind::Begin) {
        return Some(Candidate { person: to.clone(), stands_in_for: None });
    }
    let known = |person: &PersonId| {
        task.assignments.iter().any(|open| open.person == *person)
            || task.answers.iter().any(|answer| answer.person == *person)
    };
    let line = std::iter::once(to.clone()).chain(run.facts.directory.superiors(to));
    line.flat_map(|person| people::may_take(run, &person, human, task.kind)).find(|one| !known(&one.person))
}
