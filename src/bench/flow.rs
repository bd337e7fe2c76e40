//! The approval run: the case that every figure is about, built without a file so that a benchmark needs none.
//!
//! ```text
//! start ─→ approve A ─→ choose: amount > 1000 ─→ approve B ─→ set ─→ end
//! ```
//!
//! Three commands a run (start, approve, approve), each with the events, rows and mails that a case of a company
//! has: a form of seven fields with a computed one, a due time in working days, a reminder, an opinion.

use crate::engine::command::{Actor, Ask, Command, Via};
use crate::engine::state::State;
use crate::expression::{self, Expected, Fault, Scope};
use crate::model::definition::{
    Answering, Definition, Human, Mode, NumberPattern, Policy, Step, StepKind, outcome as built_in,
};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::graph::{Block, Node, On, StateGraph};
use crate::model::id::{CommandId, FieldName, Outcome, PersonId, PositionId, StepId, Version};
use crate::model::people::{Department, Directory, Person, Position};
use crate::model::text::Lang;
use crate::model::value::{Record, Type, Typed, Value};
use indexmap::IndexMap;
use rust_decimal::Decimal;

/// The name of the process.
pub const PROCESS: &str = "approval-run";

/// The people who start runs.
pub const APPLICANTS: usize = 16;

/// The position that approves first, and who holds it.
pub const FIRST: (&str, &str) = ("reviewer", "reviewer-1");

/// The position that approves second, and who holds it.
pub const SECOND: (&str, &str) = ("director", "director-1");

/// The person who starts the `number`-th run.
pub fn applicant(number: usize) -> PersonId {
    format!("clerk-{}", number % APPLICANTS).into()
}

/// The people of the approval run.
pub fn directory() -> Directory {
    let mut directory = Directory { name: "bench".to_owned(), ..Directory::default() };
    let office = Department { title: "Office".into(), head: Some(SECOND.0.into()), part_of: None };
    directory.departments.insert("office".into(), office);
    let mut position = |name: &str, above: Option<&str>| {
        let position =
            Position { title: name.into(), department: Some("office".into()), reports_to: above.map(PositionId::from) };
        directory.positions.insert(name.into(), position);
    };
    position(SECOND.0, None);
    position(FIRST.0, Some(SECOND.0));
    position("clerk", Some(FIRST.0));
    let mut person = |id: PersonId, holds: &str| {
        let person = Person {
            name: format!("Person {id}"),
            mail: Some(format!("{id}@bench.example")),
            positions: vec![holds.into()],
            language: Lang::En,
            zone: None,
        };
        directory.people.insert(id, person);
    };
    person(SECOND.1.into(), SECOND.0);
    person(FIRST.1.into(), FIRST.0);
    (0..APPLICANTS).for_each(|number| person(applicant(number), "clerk"));
    directory
}

/// The definition of the approval run.
///
/// # Errors
/// What is wrong with a formula of it; nothing is, as a test shows.
pub fn definition(directory: &Directory) -> Result<Definition, Vec<Fault>> {
    let money = || Typed::always(Type::Money);
    let scope = Scope::new()
        .directory(directory.clone())
        .applicant()
        .instance(true)
        .field("quantity", Typed::always(Type::Number))
        .field("price", money())
        .field("amount", money());
    let formula = |text: &str, expected: &Expected| expression::compile(text, &scope, expected);
    let form: Form = [
        ("subject", field("Subject", FieldKind::Text, true)),
        ("customer", field("Customer", FieldKind::Text, true)),
        ("wanted_on", field("Wanted on", FieldKind::Date, true)),
        ("quantity", field("Quantity", FieldKind::Integer, true)),
        ("price", field("Price", FieldKind::Money, true)),
        (
            "amount",
            Field {
                value: Some(formula("quantity * price", &Expected::Type(money()))?),
                ..field("Amount", FieldKind::Money, false)
            },
        ),
        ("reason", field("Reason", FieldKind::LongText, false)),
    ]
    .into_iter()
    .map(|(name, field)| (FieldName::from(name), field))
    .collect();
    let mut data = Form::new();
    data.insert("booked".into(), field("Booked", FieldKind::Money, false));

    let approve = |position: &str| -> Result<StepKind, Vec<Fault>> {
        Ok(StepKind::Approve(human(
            vec![formula(position, &Expected::People)?],
            formula("2 working days", &Expected::Time)?,
            formula("4 working hours", &Expected::Time)?,
        )))
    };
    let step = Step::new;
    let set: IndexMap<FieldName, Formula> =
        [("booked".into(), formula("amount", &Expected::Type(money()))?)].into_iter().collect();
    let steps: IndexMap<StepId, Step> = [
        ("first", step(approve(FIRST.0)?)),
        ("size", step(StepKind::Choose(vec![formula("amount > 1000", &Expected::condition())?]))),
        ("second", step(approve(SECOND.0)?)),
        ("book", step(StepKind::Set(set))),
        ("finish", step(StepKind::End("granted".into()))),
    ]
    .into_iter()
    .map(|(name, step)| (StepId::from(name), step))
    .collect();

    Ok(Definition {
        process: PROCESS.into(),
        version: Version("bench000000000000000000000000001".into()),
        title: "Approval run".into(),
        number: NumberPattern::parse("B-{year}-{seq:6}"),
        key: Some("customer".into()),
        headline: Some("amount".into()),
        start: vec!["clerk".into()],
        form,
        data,
        steps,
        graph: graph(),
        policy: Policy::default(),
        single: false,
        about: None,
        schedule: None,
        stages: IndexMap::new(),
        tables: IndexMap::new(),
    })
}

fn graph() -> StateGraph {
    let node = |name: &str| Node::Step(name.into());
    let mut graph = StateGraph::new();
    let case = graph.block(Block { parent: Some(0), of: Some("size".into()), scope: false });
    for (name, block) in [("first", 0), ("size", 0), ("second", case), ("book", 0), ("finish", 0)] {
        graph.node(node(name), block);
    }
    graph.node(Node::Join("size".into()), 0);
    graph.node(Node::Finish("granted".into()), 0);
    let next = On::Next;
    graph.edge(&Node::Start, next.clone(), &node("first"));
    graph.edge(&node("first"), next.clone(), &node("size"));
    graph.edge(&node("size"), On::Case(0), &node("second"));
    graph.edge(&node("size"), On::Otherwise, &Node::Join("size".into()));
    graph.edge(&node("second"), next.clone(), &Node::Join("size".into()));
    graph.edge(&Node::Join("size".into()), next.clone(), &node("book"));
    graph.edge(&node("book"), next.clone(), &node("finish"));
    graph.edge(&node("finish"), next, &Node::Finish("granted".into()));
    graph
}

fn field(title: &str, kind: FieldKind, required: bool) -> Field {
    Field { required, ..Field::new(title.into(), kind) }
}

fn human(who: Vec<Formula>, due: Formula, remind: Formula) -> Human {
    let answer = |opinion| Answering { title: None, opinion };
    let outcomes = [(built_in::APPROVED, false), (built_in::REJECTED, true), (built_in::RETURNED, true)]
        .into_iter()
        .map(|(name, opinion)| (Outcome::from(name), answer(opinion)))
        .collect();
    Human {
        who,
        mode: Mode::Any,
        due: Some(due),
        remind: vec![remind],
        form: Form::new(),
        show: None,
        show_columns: IndexMap::new(),
        outcomes,
        quiet: false,
        copy: IndexMap::default(),
        edit: Vec::new(),
        depends_on: Vec::new(),
        policy: Policy::default(),
    }
}

/// The form of the `number`-th run, as filled in. Its amount is above the limit, so that both approve.
pub fn data(number: usize) -> Record {
    let cents = i64::try_from(number % 90_000).unwrap_or(0) + 60_000;
    [
        ("subject", Value::text("Twelve chairs for the new room")),
        ("customer", Value::text(format!("Customer {}", number % 1_000))),
        ("wanted_on", Value::Date(chrono::NaiveDate::from_ymd_opt(2026, 12, 1).unwrap_or_default())),
        ("quantity", Value::Number(Decimal::from(2))),
        ("price", Value::Number(Decimal::new(cents, 2))),
        ("reason", Value::text("The old ones are broken, and the room opens next month.")),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value))
    .collect()
}

/// The command that starts the `number`-th run.
pub fn start(number: usize, id: CommandId) -> Command {
    let via = Via::Scenario;
    Command { id, actor: Actor::Person { id: applicant(number), via }, ask: Ask::Start { data: data(number) } }
}

/// The command by which whoever is asked approves what is open; `None` where nothing is.
pub fn approve(state: &State, id: CommandId) -> Option<Command> {
    let (number, task) = state.tasks.iter().next()?;
    let assignment = task.assignments.first()?;
    let ask = Ask::Decide {
        task: *number,
        assignment: Some(assignment.id),
        outcome: built_in::APPROVED.into(),
        opinion: Some("Agreed, as discussed.".into()),
        values: Record::new(),
        seen: None,
    };
    let via = Via::Link { mail: format!("{}@bench.example", assignment.person).into() };
    Some(Command { id, actor: Actor::Person { id: assignment.person.clone(), via }, ask })
}
