//! What an expression can come to holds whatever it does come to, and nothing that compiles is divided by zero.

use crate::support;
use countersign::expression::domain::Domain;
use countersign::expression::extent::{extent, proves};
use countersign::expression::{Context, Expected, Kept, Scope, compile, evaluate, told_by};
use countersign::model::form::{Field, FieldKind, Form};
use countersign::model::id::FieldName;
use countersign::model::people::Directory;
use countersign::model::text::{Lang, Text};
use countersign::model::time::{Calendar, Duration};
use countersign::model::value::{Record, Value};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use std::sync::Arc;

const COLUMNS: &str = "table: t
inputs:
  n: { type: integer, min: 0 }
  l: { type: integer, max: 3 }
  d: { type: decimal }
  e: { type: decimal, min: 0.5 }
  o: { type: integer, min: 0, required: false }
  f: { type: date }
  t: { type: date }
  w: { type: date-time }
  v: { type: date-time }
  u: { type: duration, max: 3 days }
  s: { type: duration, min: 0 days, max: 3 days }
  y: { type: duration, max: 30 months }
outputs: { out: { type: integer } }
hit: collect
rules: []
";

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop_oneof![Just("n"), Just("l"), Just("d"), Just("e")].prop_map(str::to_owned),
        1 => (0i32..5).prop_map(|n| n.to_string()),
        1 => Just("0.5".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |number| {
        let pair = (number.clone(), number.clone());
        prop_oneof![
            4 => (number.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")], number.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            2 => (pair.clone(), -2i32..4).prop_map(|((a, b), k)| format!("(if {a} != {k} then {b} / ({a} - {k}) else {b})")),
            2 => (pair.clone(), prop_oneof![Just("o = null"), Just("n < 0"), Just("o != null and o < 0"), Just("e > 0")])
                .prop_map(|((a, b), asked)| format!("(if {asked} then {a} else {b})")),
            1 => (pair.clone(), number.clone())
                .prop_map(|((a, b), c)| format!("(if {a} between {b} and {c} then {a} - {b} else 1 / ({c} + 1))")),
            1 => number.clone().prop_map(|a| format!("(if o != null then o + {a} else 0)")),
            // What is asked is what is calculated with.
            4 => (pair.clone(), order(), number.clone()).prop_map(|((a, b), op, c)| {
                format!("(if {a} {op} {b} then {a} - {b} else {c})")
            }),
            2 => (pair.clone(), order(), number.clone()).prop_map(|((a, b), op, c)| {
                format!("(if {a} {op} {b} then {c} / ({b} - {a}) else {a} / ({a} + 1))")
            }),
            2 => (pair.clone(), order(), number.clone()).prop_map(|((a, b), op, c)| {
                format!("(if {a} + {b} {op} 0 and {a} >= 0 then {a} / ({a} + {b}) else {c})")
            }),
            // The same sums in another order.
            2 => (pair.clone(), order(), number.clone()).prop_map(|((a, b), op, c)| {
                format!("(if {a} + {b} {op} {c} then {c} - {a} - {b} else {b} - ({c} - {a}))")
            }),
            1 => (pair.clone(), order(), number.clone()).prop_map(|((a, b), op, c)| {
                format!("(if {a} - {b} - {c} {op} 0 then {a} - ({c} + {b}) else 1 / ({c} + {b} - {a}))")
            }),
            1 => (pair.clone(), prop_oneof![Just("min"), Just("max"), Just("modulo")])
                .prop_map(|((a, b), name)| format!("{name}({a}, {b})")),
            1 => pair.clone().prop_map(|(a, b)| format!("(max({a}, {b}) - {b})")),
            1 => pair.clone().prop_map(|(a, b)| format!("(min({a}, {b}) - {a})")),
            1 => (number.clone(), prop_oneof![Just("abs"), Just("floor"), Just("-")])
                .prop_map(|(a, name)| format!("{name}({a})")),
            1 => number.clone().prop_map(|a| format!("({a} * {a})")),
            1 => (number.clone(), prop_oneof![Just("2"), Just("4"), Just("(-2)"), Just("3")])
                .prop_map(|(a, by)| format!("(if {a} != 0 then {a} ** {by} else 0)")),
            1 => number.clone().prop_map(|a| format!("(1 / (1 + {a} * {a}))")),
            2 => (length(), prop_oneof![Just("1 day"), Just("12 hours"), Just("5 hours"), Just("s")])
                .prop_map(|(a, by)| format!("({a} / {by})")),
            2 => (length(), prop_oneof![Just("days"), Just("hours")]).prop_map(|(a, part)| format!("{a}.{part}")),
            1 => (months(), prop_oneof![Just("years"), Just("months")]).prop_map(|(a, part)| format!("{a}.{part}")),
            1 => (order(), number).prop_map(|(op, c)| format!("(if t {op} f then (t - f) / 1 day else {c})")),
            1 => (order(), pair).prop_map(|(op, (a, b))| {
                format!("(if t {op} f then years and months duration(f, t).years + {a} else {b})")
            }),
        ]
    })
}

fn order() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("="), Just("!=")]
}

fn length() -> impl Strategy<Value = String> {
    let when = || prop_oneof![Just("t"), Just("f"), Just("w"), Just("v"), Just("max(t, f)"), Just("(f + 2 days)")];
    prop_oneof![
        3 => (when(), when()).prop_map(|(a, b)| format!("({a} - {b})")),
        1 => Just("u".to_owned()),
        1 => Just("(u + s)".to_owned()),
        1 => Just("(u - s)".to_owned()),
        1 => Just("(l * (t - f))".to_owned()),
        1 => Just("max(0 days, t - f)".to_owned()),
        1 => Just("(if v > w then v - w else s)".to_owned()),
        1 => Just("(if u > s then u - s else s)".to_owned()),
    ]
}

fn months() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("y".to_owned()),
        Just("years and months duration(f, t)".to_owned()),
        Just("(if t >= f then years and months duration(f, t) else y)".to_owned()),
        Just("(2 * y)".to_owned()),
    ]
}

fn columns() -> Form {
    let compiled = support::compile(&[("table.yaml", COLUMNS)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    compiled.tables.into_values().next().expect("the table").inputs
}

/// A value for each column, within its limits and often at them.
fn data() -> impl Strategy<Value = Record> {
    let whole = |low: i64, high: i64| (low..=high).prop_map(|n| Value::Number(n.into()));
    let tenth = |low: i64, high: i64| (low..=high).prop_map(|n| Value::Number(Decimal::new(n * 5, 1)));
    let at = |text: String| countersign::expression::run(&text, &Record::new(), Default::default()).unwrap();
    let day =
        move || (1u32..=28, 1u32..=3).prop_map(move |(day, month)| at(format!("date(\"2026-{month:02}-{day:02}\")")));
    let moment = move || {
        (1u32..=4, 0u32..=23, prop_oneof![Just(""), Just("Z"), Just("+08:00"), Just("@Asia/Shanghai")])
            .prop_map(move |(day, hour, zone)| at(format!("date and time(\"2026-03-{day:02}T{hour:02}:30:00{zone}\")")))
    };
    let hours = |low: i64, high: i64| (low..=high).prop_map(|n| Value::Duration(Duration::Seconds((n * 3600).into())));
    let months = (-30i64..=30).prop_map(|n| Value::Duration(Duration::Months(n)));
    let maybe = prop_oneof![3 => whole(0, 3), 1 => Just(Value::Null)];
    let numbers = (whole(0, 3), whole(-4, 3), tenth(-5, 5), tenth(1, 5), maybe);
    let times = (day(), day(), moment(), moment(), hours(-72, 72), hours(0, 72), months);
    (numbers, times).prop_map(|((n, l, d, e, o), (f, t, w, v, u, s, y))| {
        let all = [
            ("n", n),
            ("l", l),
            ("d", d),
            ("e", e),
            ("o", o),
            ("f", f),
            ("t", t),
            ("w", w),
            ("v", v),
            ("u", u),
            ("s", s),
            ("y", y),
        ];
        all.into_iter().map(|(name, value)| (FieldName::from(name), value)).collect()
    })
}

fn in_cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn scope(columns: &Form) -> Scope {
    let held = columns.iter().map(|(name, field)| (name.clone(), Domain::asked(field))).collect();
    let units = columns.iter().filter_map(|(name, field)| Some((name.clone(), told_by(field)?.unit()))).collect();
    let kept = Kept { held, units: Some(units), ..Kept::default() };
    Scope::new().fields(columns.iter().map(|(name, field)| (name.clone(), field.typed()))).kept(Arc::new(kept))
}

fn value(formula: &countersign::model::formula::Formula, data: &Record) -> Result<Value, String> {
    let (directory, calendar) = (Directory::default(), Calendar::default());
    let context = Context::new(data, &directory, &calendar, Default::default());
    evaluate(formula, &context).map_err(|failure| failure.message.en)
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn an_extent_holds_what_its_expression_comes_to(
        text in number(),
        guard in (number(), order(), number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        data in prop::collection::vec(data(), 12),
        factor in prop_oneof![Just(1), Just(3), Just(200), Just(10_000)],
    ) {
        let columns = columns();
        let scope = scope(&columns);
        let Ok(formula) = compile(&text, &scope, &Expected::Any) else { return Err(TestCaseError::reject("refused")) };
        let domain = |name: &FieldName| Domain::asked(&columns[name.as_str()]);
        let anywhere = extent(&formula.root, &domain, &[]);
        // As an amount it is stored in cents.
        let factor = Decimal::from(factor);
        let share = compile(&format!("({text}) / {factor}"), &scope, &Expected::Any).ok();
        let amount = Domain::written(&Field::new(Text::One(String::new()), FieldKind::Money)).with_null(true);
        let cents = share.map_or(amount.clone(), |share| amount.computed(&extent(&share.root, &domain, &[])));
        let guard = compile(&guard, &scope, &Expected::condition()).ok();
        let behind = guard.as_ref().map(|guard| extent(&formula.root, &domain, &proves(&guard.root, true)));
        for data in &data {
            match value(&formula, data) {
                Ok(found) => {
                    prop_assert!(anywhere.admits(&found), "{text} is {found:?}, of {anywhere:?}, where {data:?}");
                    let amount = found.as_number().map(|number| Value::Number(in_cents(number / factor)));
                    if let Some(amount) = amount {
                        prop_assert!(cents.admits(&amount), "({text}) / {factor} is {amount:?} as an amount, of {cents:?}, where {data:?}");
                    }
                    if let (Some(guard), Some(behind)) = (&guard, &behind)
                        && value(guard, data) == Ok(Value::Boolean(true))
                    {
                        prop_assert!(behind.admits(&found), "{text} is {found:?}, of {behind:?} behind {}, where {data:?}", guard.text);
                    }
                }
                Err(failure) => prop_assert!(!failure.contains("by zero"), "{text} is divided by zero where {data:?}"),
            }
        }
    }
}
