//! What compiles cannot get stuck: generated processes full of arithmetic, choices and tables, of which `check` refuses
//! what it cannot prove. What is left is played with values at the limits of the forms, and never stops for an operator.
//!
//! Everything that may be refused stands on a line of its own, so that it can be taken out; a failure prints the process.

use crate::support::{self, OFFICE};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use countersign::compile::Compiled;
use countersign::engine::command::{Actor, Ask, Via};
use countersign::engine::event::Event;
use countersign::engine::state::TaskKind;
use countersign::model::definition::outcome;
use countersign::model::form::{Field, FieldKind, Form};
use countersign::model::id::{FieldName, PersonId, ProcessId};
use countersign::model::text::Lang;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Value};
use countersign::simulate::World;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::fmt::Write as _;

/// Complete for the amounts that it takes, and for no others.
const TABLE: &str = "table: grade
inputs:
  amount: { type: money, min: 0, max: 100 }
  count: { type: integer, min: 0, max: 9 }
outputs:
  level: { type: integer, min: 1, max: 3 }
hit: first
rules:
  - { amount: \"<= 20\", level: 1 }
  - { count: \"> 4\", level: 2 }
  - { level: 3 }
";

const OTHER: &str = "process: other
form:
  amount: { type: money, title: Amount, required: true, min: 0, max: 50 }
  count: { type: integer, title: Count, required: true }
data:
  left: { type: money, title: Left, default: 0, min: 0, max: 50 }
steps:
  - { set: { left: amount / 2 } }
  - end: done
";

/// The fields that everybody fills in. Each has values often at its limits.
const FORM: &str = "  n: { type: integer, title: N, required: true, min: 0, max: 9 }
  k: { type: integer, title: K, required: true, max: 4 }
  d: { type: decimal, title: D, required: true, min: 0 }
  e: { type: decimal, title: E, required: true, min: 0.001 }
  p: { type: percent, title: P, required: true, min: 0%, max: 100% }
  m: { type: money, title: M, required: true, min: 0.01 }
  b: { type: money, title: B, required: true, min: 0, max: m }
  o: { type: integer, title: O, min: 1 }
  c: { type: choice, title: C, options: [x, y, z], required: true }
  q: { type: boolean, title: Q, required: true }
  f: { type: date, title: F, required: true }
  t: { type: date, title: T, required: true, min: f }
  w: { type: money, title: W, required: true, when: q, min: 1 }
  part: { type: decimal, title: Part, value: n * e - k, min: 0.5, max: 20 }
  rows:
    type: list
    title: Rows
    min: 1
    fields:
      i: { type: integer, title: I, required: true, min: 1 }
      v: { type: money, title: V, required: true, min: 0, max: 80 }
      j: { type: integer, title: J }
      x: { type: money, title: X, value: i * v }
";

/// Fields that steps write.
const DATA: &str = "  whole: { type: integer, title: Whole, min: 0, max: 9, default: 0 }
  near: { type: decimal, title: Near, min: 0, default: 0.5 }
  share: { type: percent, title: Share, min: 0%, max: 100%, default: 1% }
  cash: { type: money, title: Cash, min: 0.01, default: 0.01 }
  level: { type: integer, title: Level, min: 1, max: 3, default: 3 }
  left: { type: money, title: Left, min: 0, max: 60 }
  ratio: { type: integer, title: Ratio, value: 'floor(d * 3)', min: 1, max: 9 }
";

/// What steps write, with the limits of it.
const WRITTEN: [(&str, bool, &str, &str); 6] = [
    ("whole", false, "0", "9"),
    ("level", false, "1", "3"),
    ("near", false, "0", ""),
    ("share", false, "0", "1"),
    ("cash", true, "0.01", ""),
    ("left", true, "0", "60"),
];

/// A value within limits, by asking or by cutting, or as it is.
fn within(value: &str, low: &str, high: &str, how: usize) -> String {
    match (how, high) {
        (0, _) => value.to_owned(),
        (1, "") => format!("max({low}, {value})"),
        (1, _) => format!("min({high}, max({value}, {low}))"),
        (_, "") => format!("if {value} >= {low} then {value} else {low}"),
        (2, _) => format!("if {value} between {low} and {high} then {value} else {high}"),
        (_, _) => format!("if {value} < {low} then {low} else if {value} > {high} then {high} else {value}"),
    }
}

/// A number, or an amount of money.
fn term(money: bool) -> BoxedStrategy<String> {
    let number = prop_oneof![
        6 => prop_oneof![Just("n"), Just("k"), Just("d"), Just("e"), Just("p"), Just("row_count"), Just("spread"), Just("part"), Just("ratio")],
        2 => prop_oneof![Just("whole"), Just("near"), Just("share"), Just("level"), Just("(if o != null then o else 1)")],
        2 => prop_oneof![Just("0"), Just("1"), Just("2"), Just("0.001"), Just("30 %")],
        2 => prop_oneof![Just("count(rows)"), Just("sum(rows.i)"), Just("max(rows.i)"), Just("(t - f).days")],
    ];
    let amount = prop_oneof![
        6 => prop_oneof![Just("m"), Just("b"), Just("(if q then w else 1)"), Just("fee"), Just("cash")],
        2 => prop_oneof![Just("sum(rows.v)"), Just("max(rows.x)"), Just("sum(rows.x)"), Just("min(rows.v)")],
    ];
    let leaf =
        prop_oneof![number.prop_map(|text| (text.to_owned(), false)), amount.prop_map(|text| (text.to_owned(), true))];
    // Both kinds grow side by side; what is of the wrong kind is refused, and taken out.
    let all = leaf.prop_recursive(3, 14, 3, |term| {
        let pair = (term.clone(), term.clone());
        prop_oneof![
            3 => (pair.clone(), prop_oneof![Just("+"), Just("-")]).prop_filter_map("of one kind", |((a, b), op)| (a.1 == b.1).then(|| (format!("({} {op} {})", a.0, b.0), a.1))),
            2 => pair.clone().prop_filter_map("by a number", |(a, b)| (!b.1).then(|| (format!("{} * {}", a.0, b.0), a.1))),
            2 => pair.clone().prop_map(|(a, b)| (format!("({} / {})", a.0, b.0), a.1 && !b.1)),
            3 => (condition(term.clone()), pair.clone()).prop_filter_map("of one kind", |(asked, (a, b))| (a.1 == b.1).then(|| (format!("(if {asked} then {} else {})", a.0, b.0), a.1))),
            // What is asked is what is reckoned with.
            3 => (pair.clone(), term.clone(), order()).prop_filter_map("of one kind", |((a, b), c, op)| (a.1 == b.1 && a.1 == c.1).then(|| (format!("(if {} {op} {} then {} - {} else {})", a.0, b.0, a.0, b.0, c.0), a.1))),
            2 => (pair.clone(), order()).prop_filter_map("a share", |((a, b), op)| (a.1 == b.1).then(|| (format!("(if {} {op} {} and {} != 0 then {} / {} else 0)", a.0, b.0, b.0, a.0, b.0), false))),
            2 => (pair, prop_oneof![Just("min"), Just("max")]).prop_filter_map("of one kind", |((a, b), name)| (a.1 == b.1).then(|| (format!("{name}({}, {})", a.0, b.0), a.1))),
            1 => (term.clone(), prop_oneof![Just("floor"), Just("ceiling"), Just("abs")]).prop_map(|(a, name)| (format!("{name}({})", a.0), a.1)),
            1 => (term, 0..3).prop_map(|(a, places)| (format!("round half up({}, {places})", a.0), a.1)),
        ]
    });
    all.prop_filter_map("of the kind", move |(text, is_money)| (is_money == money).then_some(text)).boxed()
}

fn order() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("="), Just("!=")]
}

fn condition(term: impl Strategy<Value = (String, bool)> + Clone + 'static) -> BoxedStrategy<String> {
    let plain = prop_oneof![
        Just("q"),
        Just("not(q)"),
        Just("c = \"x\""),
        Just("c in (\"x\", \"y\")"),
        Just("t > f"),
        Just("o != null"),
        Just("count(rows) > 0"),
        Just("some r in rows satisfies r.i > 2"),
        Just("every r in rows satisfies r.v > 0"),
        Just("n in [2..5]"),
        Just("e > 0.01"),
        Just("m >= 1"),
    ];
    let compared = (term.clone(), term, order())
        .prop_filter_map("of one kind", |(a, b, op)| (a.1 == b.1).then(|| format!("{} {op} {}", a.0, b.0)));
    prop_oneof![2 => plain.prop_map(str::to_owned), 2 => compared].boxed()
}

fn asked() -> BoxedStrategy<String> {
    let leaf = prop_oneof![term(false).prop_map(|text| (text, false)), term(true).prop_map(|text| (text, true))];
    condition(leaf)
}

/// A step on a line of its own.
fn step() -> impl Strategy<Value = String> {
    let number = || term(false);
    let amount = || term(true);
    let set = (prop::sample::select(WRITTEN.to_vec()), number(), amount(), 0..4_usize).prop_map(
        |(to, number, amount, how)| {
            let (name, money, low, high) = to;
            let value = if money { amount } else { number };
            let whole = matches!(name, "whole" | "level") && how > 0;
            let value = if whole { format!("floor({value})") } else { value };
            format!("{{ set: {{ {name}: '{}' }} }}", within(&value, low, high, how))
        },
    );
    prop_oneof![
        6 => set.clone(),
        2 => (asked(), set.clone()).prop_map(|(when, set)| set.replacen("{ set", &format!("{{ when: '{when}', set"), 1)),
        3 => (asked(), set.clone(), asked(), set.clone()).prop_map(|(one, first, two, second)| {
            format!("{{ id: NAME, choose: [{{ when: '{one}', steps: [{first}] }}, {{ when: '{two}', steps: [{second}] }}] }}")
        }),
        2 => (asked(), set).prop_map(|(when, set)| {
            format!("{{ id: NAME, choose: [{{ when: '{when}', steps: [{set}] }}], otherwise: [] }}")
        }),
        2 => (amount(), number(), 0..4_usize).prop_map(|(a, n, how)| {
            let (a, n) = (within(&a, "0", "100", how), within(&format!("floor({n})"), "0", "9", how));
            format!("{{ id: NAME, table: grade, with: {{ amount: '{a}', count: '{n}' }}, take: {{ level: level }} }}")
        }),
        1 => (amount(), number()).prop_map(|(a, n)| {
            format!("{{ id: NAME, call: other, by: applicant, with: {{ amount: '{a}', count: '{n}' }}, take: {{ left: left }}, on: {{ otherwise: next }} }}")
        }),
        2 => (asked(), asked()).prop_map(|(when, later)| {
            format!("{{ id: NAME, task: clerk, when: '{when}', edit: [n], form: {{ NAME_h: {{ type: integer, title: H, required: true, min: 0, when: '{later}' }} }} }}")
        }),
        1 => number().prop_map(|value| format!("{{ id: NAME, each: rows, as: row, steps: [{{ id: NAME_in, task: clerk, when: 'row.i > 1', form: {{ NAME_y: {{ type: integer, title: Y, required: true, min: 1 }}, NAME_z: {{ type: money, title: Z, value: 'row.v / NAME_y' }} }} }}, {{ id: NAME_or, task: clerk, when: '{value} > row.i' }}] }}")),
        1 => Just("{ id: NAME, approve: lead, due: 'max(t, today() + 1 day)', overdue: { decide: approved } }".to_owned()),
    ]
}

/// What may be refused, line by line.
#[derive(Clone, Debug)]
struct Made {
    computed: Vec<String>,
    steps: Vec<String>,
}

fn made() -> impl Strategy<Value = Made> {
    let computed = (term(true), term(false), term(false)).prop_map(|(fee, spread, row_count)| {
        vec![
            format!("  fee: {{ type: money, title: Fee, value: '{fee}' }}"),
            format!("  spread: {{ type: decimal, title: Spread, value: '{spread}' }}"),
            format!("  row_count: {{ type: integer, title: Count, value: 'floor({row_count})' }}"),
        ]
    });
    (computed, prop::collection::vec(step(), 16..32)).prop_map(|(computed, steps)| Made { computed, steps })
}

impl Made {
    fn text(&self) -> String {
        let mut text = format!("process: made\nform:\n{FORM}");
        self.computed.iter().for_each(|line| text.extend([line.as_str(), "\n"]));
        let _ = write!(text, "data:\n{DATA}steps:\n");
        for (number, step) in self.steps.iter().enumerate() {
            let _ = writeln!(text, "  - {}", step.replace("NAME", &format!("s{number}")));
        }
        text + "  - { id: last, task: clerk }\n"
    }

    /// The process with every line taken out that is refused.
    fn compiled(mut self) -> Option<(String, Compiled)> {
        for _ in 0..12 {
            let text = self.text();
            let files =
                [("directory.yaml", OFFICE), ("grade.yaml", TABLE), ("other.yaml", OTHER), ("made.yaml", &text)];
            let compiled = support::compile(&files);
            if !compiled.has_errors() {
                return (!self.steps.is_empty()).then_some((text, compiled));
            }
            let form = 2 + FORM.lines().count();
            let steps = form + self.computed.len() + 1 + DATA.lines().count() + 1;
            let mut wrong: Vec<usize> = Vec::new();
            for found in compiled.diagnostics.iter().filter(|found| found.is_error()) {
                let source = compiled.sources.get(found.span.source);
                let line = source.position(found.span.start).line - 1;
                let mine = (form..form + self.computed.len()).contains(&line)
                    || (steps..steps + self.steps.len()).contains(&line);
                assert!(source.name == "made.yaml" && mine, "{}", compiled.render(Lang::En));
                wrong.push(line);
            }
            wrong.sort_unstable();
            wrong.dedup();
            for line in wrong.into_iter().rev() {
                match line.checked_sub(steps) {
                    Some(step) => drop(self.steps.remove(step)),
                    None => drop(self.computed.remove(line - form)),
                }
            }
        }
        None
    }
}

/// Values for a form, often at its limits.
fn filled(form: &Form, draw: &mut impl FnMut(usize) -> usize, before: &Record) -> Record {
    let mut record = Record::new();
    for (name, field) in form.iter().filter(|(_, field)| field.value.is_none()) {
        let known = before.get(name).filter(|value| !value.is_null()).cloned();
        if !field.required && name.as_str() != "rows" && draw(3) == 0 {
            continue;
        }
        let value = match (&field.kind, name.as_str()) {
            (_, "b") => {
                let most = record.get("m").and_then(Value::as_number).unwrap_or_default();
                Value::Number([Decimal::ZERO, most, (most / Decimal::TWO).round_dp(2)][draw(3)])
            }
            (_, "t") => match record.get("f") {
                Some(Value::Date(from)) => Value::Date(*from + TimeDelta::days([0, 1, 40][draw(3)])),
                _ => continue,
            },
            _ => known.filter(|_| draw(2) == 0).unwrap_or_else(|| one(field, draw)),
        };
        record.insert(name.clone(), value);
    }
    record
}

fn one(field: &Field, draw: &mut impl FnMut(usize) -> usize) -> Value {
    let limit = |limit: &Option<countersign::model::formula::Formula>| {
        countersign::expression::fixed(limit.as_ref()?)?.as_number()
    };
    let (low, high) = (limit(&field.min), limit(&field.max));
    let least = match field.kind {
        FieldKind::Integer => Decimal::ONE,
        FieldKind::Money => Decimal::new(1, 2),
        _ => Decimal::new(1, 3),
    };
    match &field.kind {
        FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent | FieldKind::Money => {
            let base = low.or(high).unwrap_or_default();
            let away =
                [Decimal::ZERO, Decimal::ZERO, least, least * Decimal::from(3), Decimal::from(7), Decimal::from(333)]
                    [draw(6)];
            let value = if low.is_some() { base + away } else { base - away };
            let value = if low.is_none() && high.is_none() && draw(2) == 0 { -value } else { value };
            Value::Number(high.map_or(value, |high| value.min(high)))
        }
        FieldKind::Boolean => Value::Boolean(draw(2) == 0),
        FieldKind::Choice(options) => Value::Text(options.keys().nth(draw(options.len())).cloned().unwrap_or_default()),
        FieldKind::Date => Value::Date(NaiveDate::from_ymd_opt(2026, 3, 1 + draw(20) as u32).unwrap_or_default()),
        FieldKind::List(columns) => {
            let rows = 1 + draw(3);
            Value::List((0..rows).map(|_| Value::Record(filled(columns, draw, &Record::new()))).collect())
        }
        _ => Value::Null,
    }
}

fn by(person: &PersonId) -> Actor {
    Actor::Person { id: person.clone(), via: Via::Shell { user: "root".into() } }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_global_rejects: 1_000_000, max_local_rejects: 100_000_000, ..ProptestConfig::default() })]

    #[test]
    fn what_compiles_never_stops_for_an_operator(made in made(), seed in any::<u64>()) {
        let Some((text, compiled)) = made.compiled() else { return Err(TestCaseError::reject("nothing is left")) };
        let directory = compiled.directory.clone().expect("the directory");
        let calendar = Calendar::default();
        let now: DateTime<Utc> = "2026-03-02T01:00:00Z".parse().expect("a time");
        let mut state = seed;
        let mut draw = |among: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % among.max(1)
        };
        let definition = compiled.definitions.iter().find(|one| one.process.as_str() == "made").expect("the process");
        for _ in 0..24 {
            let mut world = World::new(&compiled.definitions, &directory, &calendar, now);
            let data = filled(&definition.form, &mut draw, &Record::new());
            let ann = PersonId::from("ann");
            if world.start(&ProcessId::from("made"), &ann, data).is_err() {
                continue;
            }
            for _ in 0..60 {
                stopped(&world, &text)?;
                let Some((case, task, person, step, kind)) = open(&world) else {
                    match world.next_wake() {
                        Some(at) => world.advance(at),
                        None => break,
                    }
                    continue;
                };
                let definition = world.cases()[case].definition;
                let form = if kind == TaskKind::Begin { definition.form.clone() } else { definition.asked_at(&step).into_owned() };
                let values = filled(&form, &mut draw, &world.cases()[case].state.data);
                let outcome = match kind {
                    TaskKind::Approve => outcome::APPROVED,
                    TaskKind::Begin | TaskKind::Revise { .. } => outcome::REVISED,
                    TaskKind::Work => outcome::DONE,
                };
                let ask = Ask::Decide { task, assignment: None, outcome: outcome.into(), opinion: None, values, seen: None };
                if world.ask(case, by(&person), ask).is_err() && draw(4) == 0 {
                    break;
                }
            }
            stopped(&world, &text)?;
        }
    }
}

type Open = (usize, countersign::model::id::TaskId, PersonId, countersign::model::id::StepId, TaskKind);

fn open(world: &World<'_>) -> Option<Open> {
    world.cases().iter().enumerate().find_map(|(number, case)| {
        let (id, task) = case.state.tasks.iter().next()?;
        let person = task.assignments.first()?.person.clone();
        Some((number, *id, person, task.step.clone(), task.kind))
    })
}

fn stopped(world: &World<'_>, text: &str) -> Result<(), TestCaseError> {
    for case in world.cases() {
        for event in case.log.iter().flat_map(|entry| &entry.events) {
            if let Event::IncidentRaised { .. } = event {
                let told = format!("{event:?}");
                let data: Vec<(&FieldName, &Value)> = case.state.data.iter().collect();
                return Err(TestCaseError::fail(format!("{told}\n{data:?}\n{text}")));
            }
        }
    }
    Ok(())
}
