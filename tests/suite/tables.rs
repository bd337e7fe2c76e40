//! Decision tables: what each hit policy answers, and that what is proved of them is so for every value.

use crate::support;
use chrono::{DateTime, Utc};
use countersign::diagnostics::Code;
use countersign::expression::cover::{Answer, Cover};
use countersign::expression::domain::Domain;
use countersign::expression::region::Subjects;
use countersign::expression::{Context, Failure, Found, Scope, compile_tests, evaluate, look_up};
use countersign::model::people::Directory;
use countersign::model::rule::Table;
use countersign::model::text::Lang;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Type, Typed, Value};
use proptest::prelude::*;

fn table(text: &str) -> Table {
    let compiled = support::compile(&[("table.yaml", text)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    compiled.tables.into_values().next().expect("the table")
}

fn codes(text: &str) -> Vec<Code> {
    support::compile(&[("table.yaml", text)]).diagnostics.into_iter().map(|found| found.code).collect()
}

fn with_context<T>(data: &Record, f: impl FnOnce(&Context<'_>) -> T) -> T {
    let (directory, calendar) = (Directory::default(), Calendar::default());
    let now: DateTime<Utc> = "2026-03-02T01:14:00Z".parse().unwrap();
    f(&Context::new(data, &directory, &calendar, now))
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// Looks up with inputs written as expressions.
fn ask(table: &Table, inputs: &[(&str, &str)]) -> Result<Found, Failure> {
    let inputs: Record = inputs.iter().map(|(name, text)| ((*name).into(), support::evaluate(text))).collect();
    with_context(&inputs, |context| look_up(table, &inputs, context))
}

/// The outputs as plain JSON, and the numbers of the rules.
fn answer(table: &Table, inputs: &[(&str, &str)]) -> (String, Vec<usize>) {
    let found = ask(table, inputs).unwrap_or_else(|failure| panic!("{}", failure.message));
    let outputs = countersign::model::value::plain_record(&found.outputs);
    (outputs.to_string(), found.hits.iter().map(|hit| hit + 1).collect())
}

const COMMISSION: &str = "
table: commission
inputs:
  kind: { type: choice, options: [fixed, strategic, risk] }
  margin: { type: percent }
outputs:
  rate: { type: percent, max: 25 % }
  base: { type: choice, options: [revenue, profit] }
hit: unique
rules:
  - { kind: fixed, rate: 8 %, base: revenue }
  - { kind: strategic, margin: '>= 30 %', rate: 22 %, base: profit }
  - { kind: strategic, margin: '< 30 %', rate: 0 %, base: profit }
  - { kind: risk, rate: 10 %, base: profit }
";

#[test]
fn unique_answers_the_one_rule_that_hits() {
    let table = table(COMMISSION);
    let (found, hits) = answer(&table, &[("kind", "\"strategic\""), ("margin", "30 %")]);
    assert_eq!((found.as_str(), hits), (r#"{"base":"profit","rate":"0.22"}"#, vec![2]));
    assert_eq!(answer(&table, &[("kind", "\"risk\""), ("margin", "0")]).1, vec![4]);
}

#[test]
fn what_a_column_does_not_allow_fails_and_is_never_null() {
    let table = table(COMMISSION);
    for inputs in [&[("kind", "\"other\""), ("margin", "0")][..], &[("kind", "\"risk\"")], &[("margin", "0")]] {
        assert!(ask(&table, inputs).is_err(), "{inputs:?}");
    }
}

fn policy(hit: &str, outputs: &str, rules: &str) -> Table {
    table(&format!(
        "table: t\ninputs: {{ n: {{ type: integer }} }}\noutputs: {{ {outputs} }}\nhit: {hit}\nrules:\n{rules}"
    ))
}

#[test]
fn any_takes_equal_answers() {
    let rules = "  - { n: '< 5', out: 1 }\n  - { n: '< 9', out: 1 }\n  - { n: '>= 9', out: 2 }\n";
    let table = policy("any", "out: { type: integer }", rules);
    assert_eq!(answer(&table, &[("n", "3")]), (r#"{"out":"1"}"#.into(), vec![1, 2]));
    // What differs only at run time fails there.
    let computed = "  - { n: '< 5', out: n }\n  - { out: 3 }\n";
    let table = policy("any", "out: { type: integer }", computed);
    assert!(ask(&table, &[("n", "4")]).is_err());
    assert_eq!(answer(&table, &[("n", "3")]).1, vec![1, 2]);
}

const LEVEL: &str = "level: { type: choice, options: [high, middle, low] }, by: { type: integer }";
const LEVELS: &str = "  - { level: low, by: 1 }\n  - { n: '> 3', level: high, by: 2 }\n  - { n: '> 1', level: middle, by: 3 }\n  - { n: '> 4', level: high, by: 4 }\n";

#[test]
fn priority_goes_by_the_order_of_the_options() {
    let table = policy("priority", LEVEL, LEVELS);
    assert_eq!(answer(&table, &[("n", "9")]), (r#"{"by":"2","level":"high"}"#.into(), vec![2]));
    assert_eq!(answer(&table, &[("n", "2")]), (r#"{"by":"3","level":"middle"}"#.into(), vec![3]));
    assert_eq!(answer(&table, &[("n", "0")]).1, vec![1]);
}

#[test]
fn output_order_sorts_and_rule_order_does_not() {
    let sorted = policy("output order", LEVEL, LEVELS);
    let expected = r#"{"by":["2","4","3","1"],"level":["high","high","middle","low"]}"#;
    assert_eq!(answer(&sorted, &[("n", "9")]), (expected.into(), vec![2, 4, 3, 1]));
    let plain = policy("rule order", LEVEL, LEVELS);
    let expected = r#"{"by":["1","2","3","4"],"level":["low","high","middle","high"]}"#;
    assert_eq!(answer(&plain, &[("n", "9")]), (expected.into(), vec![1, 2, 3, 4]));
}

#[test]
fn first_stops_at_the_first_rule() {
    let table =
        policy("first", "out: { type: integer }", "  - { n: '> 3', out: 1 }\n  - { n: '> 1', out: 2 }\n  - { }\n");
    assert_eq!(answer(&table, &[("n", "9")]), (r#"{"out":"1"}"#.into(), vec![1]));
    assert_eq!(answer(&table, &[("n", "0")]), (r#"{"out":null}"#.into(), vec![3]));
}

#[test]
fn collect_puts_together() {
    let rules = "  - { n: '> 1', out: 5 }\n  - { n: '> 2', out: 7 }\n  - { n: '> 3' }\n";
    for (hit, all, none) in [
        ("collect", r#"{"out":["5","7",null]}"#, r#"{"out":[]}"#),
        ("collect sum", r#"{"out":"12"}"#, r#"{"out":"0"}"#),
        ("collect min", r#"{"out":"5"}"#, r#"{"out":null}"#),
        ("collect max", r#"{"out":"7"}"#, r#"{"out":null}"#),
        ("collect count", r#"{"out":"3"}"#, r#"{"out":"0"}"#),
    ] {
        let table = policy(hit, "out: { type: integer }", rules);
        assert_eq!(answer(&table, &[("n", "9")]), (all.into(), vec![1, 2, 3]), "{hit}");
        assert_eq!(answer(&table, &[("n", "0")]), (none.into(), vec![]), "{hit}");
    }
}

#[test]
fn a_default_holds_where_no_rule_hits() {
    let table = policy("unique", "out: { type: integer, default: 4 }", "  - { n: '> 3', out: n * 2 }\n");
    assert_eq!(answer(&table, &[("n", "0")]), (r#"{"out":"4"}"#.into(), vec![]));
    assert_eq!(answer(&table, &[("n", "5")]), (r#"{"out":"10"}"#.into(), vec![1]));
}

#[test]
fn an_input_that_may_be_missing_is_passed_by_what_asks_nothing_of_it() {
    let text = "table: t\ninputs: { n: { type: integer, required: false } }\noutputs: { out: { type: integer } }\nhit: unique\nrules:\n";
    let whole = format!("{text}  - {{ n: '< 3', out: 1 }}\n  - {{ n: '>= 3', out: 2 }}\n  - {{ n: null, out: 3 }}\n");
    assert_eq!(answer(&table(&whole), &[]).1, vec![3]);
    let gap = format!("{text}  - {{ n: '< 3', out: 1 }}\n  - {{ n: '>= 3', out: 2 }}\n");
    assert_eq!(codes(&gap), [Code::TableGap]);
    let twice = format!("{text}  - {{ n: 'not(3)', out: 1 }}\n  - {{ n: '3', out: 2 }}\n  - {{ n: null, out: 3 }}\n");
    assert_eq!(codes(&twice), [Code::TableOverlap]);
}

#[test]
fn a_large_table_is_proved_in_no_time() {
    let mut text = String::from(
        "table: t\ninputs: { a: { type: integer, min: 0, max: 39 }, b: { type: integer, min: 0, max: 24 } }\noutputs: { out: { type: integer } }\nhit: unique\nrules:\n",
    );
    for a in 0..40 {
        for b in 0..25 {
            text += &format!("  - {{ a: '{a}', b: '{b}', out: {a} }}\n");
        }
    }
    let begun = std::time::Instant::now();
    assert_eq!(codes(&text), []);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    assert_eq!(codes(&text.replace("  - { a: '17', b: '3', out: 17 }\n", "")), [Code::TableGap]);
}

#[test]
fn cases_are_proved_by_values() {
    let process = |cases: &str| {
        format!(
            "process: p\nform:\n  total: {{ type: money, title: T, required: true, min: 0 }}\n  days: {{ type: integer, title: D, required: true, min: 1, max: 9 }}\n  \
             vip: {{ type: boolean, title: V, required: true }}\n  word: {{ type: text, title: W, required: true }}\nsteps:\n  - id: c\n    choose:\n{cases}"
        )
    };
    let found = |cases: &[&str]| {
        let cases: String = cases.iter().map(|case| format!("      - {{ when: '{case}', steps: [] }}\n")).collect();
        codes(&process(&cases))
    };
    assert_eq!(found(&["total < 500", "total >= 500"]), []);
    // Amounts have two places, and days are whole.
    assert_eq!(found(&["total <= 499.99", "total >= 500"]), []);
    assert_eq!(found(&["days < 3", "days in [3..5]", "days > 5"]), []);
    assert_eq!(found(&["vip", "not(vip)"]), []);
    assert_eq!(found(&["vip and total < 500", "not(vip)", "total >= 500"]), []);
    assert_eq!(found(&["vip or total < 500", "total > 400 and not(vip)"]), []);
    assert_eq!(found(&["total < 500", "total > 500"]), [Code::MissingOtherwise]);
    assert_eq!(found(&["vip and days < 5", "not(vip)"]), [Code::MissingOtherwise]);
    assert_eq!(found(&["total >= 0", "vip"]), [Code::ShadowedCase]);
    assert_eq!(found(&["days < 5", "days > 3", "days > 12"]), [Code::ShadowedCase]);
    // What is no field is taken as it stands.
    assert_eq!(found(&["string length(word) > 3", "string length(word) <= 3"]), []);
    assert_eq!(
        found(&["total > 10 and word = upper case(word)", "word != upper case(word)"]),
        [Code::MissingOtherwise]
    );
}

/// Unary tests over small whole numbers.
fn unary_tests() -> impl Strategy<Value = String> {
    let number = -3i32..4;
    let one = prop_oneof![
        number.clone().prop_map(|n| n.to_string()),
        (prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("!="), Just("=")], number.clone())
            .prop_map(|(op, n)| format!("{op} {n}")),
        (any::<bool>(), number.clone(), number.clone(), any::<bool>()).prop_map(|(open, a, b, close)| {
            format!("{}{}..{}{}", if open { "(" } else { "[" }, a.min(b), a.max(b), if close { ")" } else { "]" })
        }),
        Just("null".to_owned()),
        (number.clone(), number).prop_map(|(a, b)| format!("? > {a} and ? < {b}")),
    ];
    let scope = Scope::new().field("x", Typed::optional(Type::Number));
    let some = prop::collection::vec(one, 1..4).prop_map(|tests| tests.join(", "));
    // Two bounds that anything passes are taken for a range, and refused.
    let some = some.prop_filter("a range was meant", move |text| compile_tests(text, "x", &scope).is_ok());
    prop_oneof![3 => some.clone(), 1 => some.prop_map(|tests| format!("not({tests})")), 1 => Just("-".to_owned())]
}

/// Whether a cell lets a value pass, as a table asks it.
fn passes(cell: &countersign::model::formula::Formula, value: &Value) -> bool {
    let data = Record::from_iter([("x".into(), value.clone())]);
    with_context(&data, |context| evaluate(cell, context)) == Ok(Value::Boolean(true))
}

fn values() -> Vec<Value> {
    let halves = (-10..=10).map(|n| Value::Number(rust_decimal::Decimal::new(n * 5, 1)));
    halves.chain([Value::Null]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_set_holds_what_its_test_lets_pass(text in unary_tests()) {
        let scope = Scope::new().field("x", Typed::optional(Type::Number));
        let cell = compile_tests(&text, "x", &scope).unwrap();
        let mut subjects = Subjects::of([("x".into(), Domain::any(true))]);
        let areas = subjects.areas(&cell.root, &|_: &countersign::model::id::FieldName| Domain::any(true));
        for value in values() {
            let held = areas.iter().any(|area| area.get(&0).is_none_or(|set| set.contains(&value)));
            prop_assert!(areas.iter().all(|area| subjects.is_plain(area)), "{text} is not understood");
            prop_assert_eq!(held, passes(&cell, &value), "{} of {:?}", text, value);
        }
    }

    #[test]
    fn gaps_and_overlaps_are_those_of_every_value(rows in prop::collection::vec((unary_tests(), unary_tests()), 1..6)) {
        let scope = Scope::new().field("x", Typed::optional(Type::Number)).field("y", Typed::optional(Type::Number));
        let cells: Vec<_> = rows.iter().map(|(x, y)| [("x", x), ("y", y)].map(|(name, text)| compile_tests(text, name, &scope).unwrap())).collect();
        // Whole numbers from -5 to 5, and null.
        let text = "table: t\ninputs: { x: { type: integer, min: -5, max: 5, required: false }, y: { type: integer, min: -5, max: 5, required: false } }\noutputs: { o: { type: integer } }\nhit: collect\nrules: []\n";
        let columns = table(text).inputs;
        let domain = |name: &countersign::model::id::FieldName| Domain::asked(&columns[name.as_str()]);
        let mut subjects = Subjects::of(columns.keys().map(|name| (name.clone(), domain(name))));
        let each: Vec<_> = cells.iter().map(|row| subjects.all_of(row.iter().map(|cell| &cell.root), &domain)).collect();
        let of: Vec<usize> = each.iter().enumerate().flat_map(|(rule, areas)| areas.iter().map(move |_| rule)).collect();
        let areas: Vec<_> = each.into_iter().flatten().collect();
        let cover = Cover::new(&subjects, &areas).unwrap();

        let all: Vec<Value> = (-5..=5).map(|n| number(&n.to_string())).chain([Value::Null]).collect();
        let hits = |x: &Value, y: &Value| -> Vec<usize> {
            let data = Record::from_iter([("x".into(), x.clone()), ("y".into(), y.clone())]);
            let passes = |cell| with_context(&data, |context| evaluate(cell, context)) == Ok(Value::Boolean(true));
            cells.iter().enumerate().filter(|(_, row)| row.iter().all(passes)).map(|(rule, _)| rule).collect()
        };
        let mut grid = Vec::new();
        for x in &all { for y in &all { grid.push((x, y, hits(x, y))); } }
        match cover.covers(0..areas.len(), None) {
            Answer::Proved => prop_assert!(grid.iter().all(|(_, _, hits)| !hits.is_empty()), "{rows:?}"),
            Answer::Except(example) => {
                prop_assert!(hits(&example[0].1, &example[1].1).is_empty(), "{rows:?} {example:?}");
                prop_assert!(all.contains(&example[0].1) && all.contains(&example[1].1), "{example:?}");
            }
            Answer::Unknown => prop_assert!(false, "too long"),
        }
        for a in 0..areas.len() {
            for b in 0..a {
                if of[a] == of[b] { continue; }
                if let Some(example) = cover.shared(a, b) {
                    let both = hits(&example[0].1, &example[1].1);
                    prop_assert!(both.contains(&of[a]) && both.contains(&of[b]), "{rows:?} {example:?}");
                }
            }
        }
        for (_, _, hits) in &grid {
            for pair in hits.windows(2) {
                let of_rule = |rule: usize| of.iter().enumerate().filter(move |(_, own)| **own == rule).map(|(area, _)| area);
                prop_assert!(of_rule(pair[0]).any(|a| of_rule(pair[1]).any(|b| cover.shared(a, b).is_some())), "{rows:?}");
            }
        }
    }
}

const PROCESS: &str = "
process: project
form:
  kind: { type: choice, title: Kind, required: true, options: [fixed, strategic, risk] }
  income: { type: money, title: Income, required: true, min: 1 }
  cost: { type: money, title: Cost, required: true, min: 0 }
data:
  margin: { type: percent, title: Margin }
  rate: { type: percent, title: Rate }
  share_of: { type: choice, title: Of, options: [revenue, profit] }
  commission: { type: money, title: Commission }
steps:
  - { set: { margin: if income != 0 then (income - cost) / income else 0 } }
  - { id: rate_of, table: commission, with: { kind: kind, margin: margin }, take: { rate: rate, share_of: base } }
  - { set: { commission: if share_of = revenue then income * rate else (income - cost) * rate } }
";

#[test]
fn a_definition_holds_the_tables_that_it_uses_and_its_version_follows_them() {
    let compiled = support::compile(&[("commission.yaml", COMMISSION), ("project.yaml", PROCESS)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let definition = compiled.definition("project").unwrap();
    assert_eq!(definition.tables.keys().map(|name| &**name).collect::<Vec<_>>(), ["commission"]);
    let stored = serde_json::to_string(definition).unwrap();
    assert_eq!(serde_json::from_str::<countersign::model::definition::Definition>(&stored).unwrap(), *definition);
    let changed = COMMISSION.replace("22 %", "21 %");
    let other = support::compile(&[("commission.yaml", &changed), ("project.yaml", PROCESS)]);
    assert_ne!(other.definition("project").unwrap().version, definition.version);
}

#[test]
fn what_may_be_null_in_a_table_may_be_null_after_it() {
    let open = COMMISSION.replace("rate: 8 %, ", "");
    let compiled = support::compile(&[("commission.yaml", &open), ("project.yaml", PROCESS)]);
    let found: Vec<Code> = compiled.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(found, [Code::MaybeUnset, Code::MaybeUnset], "{}", compiled.render(Lang::En));
}
