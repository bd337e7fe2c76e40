//! Expressions, from text to value: the language, what it refuses, and that nothing makes it panic.

use chrono::{DateTime, Utc};
use countersign::expression::{Context, Expected, Fault, FaultKind, Scope, StepFacts, compile, evaluate};
use countersign::expression::{compile_tests, conformance, run};
use countersign::model::formula::{Formula, Read};
use countersign::model::id::{FieldName, PersonId, StepId};
use countersign::model::people::{Department, Directory, Person, Position};
use countersign::model::text::Lang;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Type, Typed, Value};
use indexmap::IndexMap;
use proptest::prelude::*;
use std::sync::Arc;

fn now() -> DateTime<Utc> {
    "2026-03-02T01:14:00Z".parse().unwrap()
}

/// The value of an expression without a form, as a literal of it would be written.
fn value_of(text: &str) -> Value {
    run(text, &Record::new(), now()).unwrap_or_else(|failure| panic!("{text}: {}", failure.message))
}

/// Each left side is equal to its right one.
fn same(pairs: &[(&str, &str)]) {
    for (text, expected) in pairs {
        assert_eq!(value_of(text), value_of(expected), "{text}");
    }
}

fn fails(texts: &[&str]) {
    for text in texts {
        assert!(run(text, &Record::new(), now()).is_err(), "{text} has a value");
    }
}

/// What has no value for its arguments is null, so that whoever uses it can say what happens instead.
fn nothing(texts: &[&str]) {
    for text in texts {
        assert_eq!(value_of(text), Value::Null, "{text}");
    }
}

fn choice(options: &[&str]) -> Type {
    Type::Choice(options.iter().map(|option| Arc::from(*option)).collect::<Vec<Arc<str>>>().into())
}

fn directory() -> Directory {
    let mut directory = Directory { name: "company".into(), ..Directory::default() };
    for (name, above) in [("clerk", Some("lead")), ("lead", Some("chief")), ("chief", None)] {
        let position =
            Position { title: name.into(), department: Some("sales".into()), reports_to: above.map(Into::into) };
        directory.positions.insert(name.into(), position);
    }
    let sales = Department { title: "Sales".into(), head: Some("lead".into()), part_of: None };
    directory.departments.insert("sales".into(), sales);
    for (id, name, position) in [("wang", "王芳", "clerk"), ("li", "李强", "lead"), ("zhao", "赵敏", "chief")] {
        let person = Person {
            name: name.into(),
            mail: Some(format!("{id}@example.com")),
            positions: vec![position.into()],
            language: Lang::Zh,
            zone: None,
        };
        directory.people.insert(id.into(), person);
    }
    directory
}

/// A form with a field of each kind that the tests need.
fn scope() -> Scope {
    let columns = IndexMap::from_iter([
        (FieldName::from("name"), Typed::always(Type::Text)),
        ("quantity".into(), Typed::always(Type::Number)),
        ("value".into(), Typed::always(Type::Money)),
        ("discount".into(), Typed::optional(Type::Money)),
    ]);
    let rows = Type::List(Box::new(Typed::always(Type::Record(Arc::new(columns)))));
    Scope::new()
        .field("total", Typed::always(Type::Money))
        .field("limit", Typed::optional(Type::Money))
        .field("ratio", Typed::always(Type::Number))
        .field("count_of", Typed::optional(Type::Number))
        .field("attitude", Typed::always(choice(&["warm", "fair", "cold"])))
        .field("note", Typed::optional(Type::Text))
        .field("title", Typed::always(Type::Text))
        .field("date", Typed::always(Type::Date))
        .field("owner", Typed::optional(Type::Person))
        .field("items", Typed::always(rows))
        .step("review", ["approved", "rejected", "skipped"], false)
        .directory(directory())
        .applicant()
        .instance(true)
}

fn typed(text: &str) -> Result<Formula, Vec<Fault>> {
    compile(text, &scope(), &Expected::Any)
}

/// Every text compiles.
fn accepts(texts: &[&str]) {
    for text in texts {
        if let Err(faults) = typed(text) {
            panic!("{text}: {:?}", faults.iter().map(|fault| &fault.message.en).collect::<Vec<_>>());
        }
    }
}

/// Each text has one fault, of this kind, at the marked place.
fn refuses(kind: FaultKind, cases: &[(&str, &str)]) {
    for (text, place) in cases {
        let faults = typed(text).expect_err(text);
        let found: Vec<(FaultKind, &str)> =
            faults.iter().map(|fault| (fault.kind, &text[fault.range.clone()])).collect();
        assert_eq!(found, [(kind, *place)], "{text}: {}", faults[0].message);
    }
}

#[test]
fn numbers_are_exact() {
    same(&[
        ("0.1 + 0.2", "0.3"),
        ("10 / 4", "2.5"),
        ("2 ** 10", "1024"),
        ("-3 ** 2", "9"),
        ("8 %", "0.08"),
        ("200 * 8 %", "16"),
        (".5 + 1e2", "100.5"),
        ("1 + 2 * 3 - 4", "3"),
        ("round half up(2.345, 2)", "2.35"),
        ("floor(-1.56, 1)", "-1.6"),
        ("modulo(-5, 3)", "1"),
        ("sum([])", "0"),
        ("sum(1, 2, 3) + sum([4])", "10"),
        ("mean([1, 2, 3, 4])", "2.5"),
        ("median([8, 2, 5, 7])", "6"),
    ]);
    fails(&["1 / 0", "10 ** 40", "modulo(1, 0)", "1 + \"a\"", "sum([1, null])", "max([]) + 1"]);
    nothing(&["sqrt(-1)", "mean([])", "min([])", "stddev([1])"]);
}

#[test]
fn texts_and_lists() {
    same(&[
        (r#""a\"b\\\u4F1A" + "签""#, r#""a\"b\\会签""#),
        ("string length(\"会签\")", "2"),
        ("substring(\"foobar\", -3, 2)", "\"ba\""),
        ("contains(\"foobar\", \"oba\") and starts with(\"foobar\", \"foo\")", "true"),
        ("upper case(\"ab\") = \"AB\"", "true"),
        ("split(\"a;b;;\", \";\")", "[\"a\", \"b\", \"\", \"\"]"),
        ("replace(\"abc\", \"(b)\", \"<$1>\")", "\"a<b>c\""),
        ("string join([\"a\", null, \"b\"], \"-\")", "\"a-b\""),
        ("string([1, \"a\", @\"2026-03-06\"])", "\"[1, \\\"a\\\", 2026-03-06]\""),
        ("number(\"1 000,5\", \" \", \",\")", "1000.5"),
        ("[1, 2, 3][2] + [1, 2, 3][-1]", "5"),
        ("[1, 2, 3, 4][item > 2]", "[3, 4]"),
        ("[{a: 1}, {a: 2}][a = 2].a", "[2]"),
        ("{a: 1, b: a + 1}.b", "2"),
        ("for x in 1..3, y in [10, 20] return x * y", "[10, 20, 20, 40, 30, 60]"),
        ("for i in 3..1 return i", "[3, 2, 1]"),
        ("some x in [1, 2] satisfies x > 1", "true"),
        ("every x in [] satisfies x > 1", "true"),
        ("list contains([1, null], null)", "true"),
        ("append([1], 2, 3)", "[1, 2, 3]"),
        ("distinct values([1, 2, 1])", "[1, 2]"),
        ("flatten([[1, [2]], 3])", "[1, 2, 3]"),
        ("sort([3, 1, 2], function(x, y) x > y)", "[3, 2, 1]"),
        ("index of([1, 2, 1], 1)", "[1, 3]"),
        ("filled(1, null, \"\", null)", "0.5"),
        ("(function(a, b) a - b)(b: 1, a: 3)", "2"),
        ("if 1 > 2 then \"a\" else \"b\"", "\"b\""),
    ]);
    fails(&["{a: 1}.b", "null.a", "{a: 1, a: 2}", "if null then 1 else 2", "[1, 2][3] + 1"]);
    nothing(&["[1, 2][3]", "[1][0]", "[][1]", "number(\"x\")", "substring(\"a\", 5)", "split(\"a\", \"[\")"]);
}

#[test]
fn comparisons_ranges_and_tests() {
    same(&[
        ("5 in [1..5]", "true"),
        ("5 in [1..5)", "false"),
        ("5 in ]5..9[", "false"),
        ("5 in (1..5]", "true"),
        ("5 in (> 3, 1)", "true"),
        ("5 in not(3, 4)", "true"),
        ("\"b\" in [\"a\", \"b\"]", "true"),
        ("5 between 1 and 5 and 1 = 1", "true"),
        ("1 instance of number and \"a\" instance of string", "true"),
        ("[1, 2] instance of list<number>", "true"),
        ("null = null", "true"),
        ("null != 1", "true"),
        ("true or null", "true"),
        ("false and 1 / 0 = 1", "false"),
        ("before(1, [2..3])", "true"),
        ("overlaps([1..3], [3..5])", "true"),
        ("includes([1..5], 5)", "true"),
        ("range(\"[1..3]\") = [1..3]", "true"),
    ]);
    fails(&["null < 1", "1 < \"a\"", "1 = \"1\"", "false or null"]);
    nothing(&["range(\"[3..1]\")"]);
}

#[test]
fn dates_and_durations() {
    same(&[
        ("@\"2026-03-06\" + 3 days", "date(\"2026-03-09\")"),
        ("@\"2026-01-31\" + 1 month", "@\"2026-02-28\""),
        ("@\"2026-03-06\" + 1 working day", "@\"2026-03-09\""),
        ("@\"2026-03-09\" - 2 working days", "@\"2026-03-05\""),
        ("working days between(@\"2026-03-06\", @\"2026-03-10\")", "2"),
        ("@\"2026-03-06\" - @\"2026-03-01\"", "@\"P5D\""),
        ("36 hours", "@\"PT36H\""),
        ("2 * 1 day + 12 hours", "duration(\"P2DT12H\")"),
        ("duration(\"P1Y6M\").months", "6"),
        ("@\"2026-03-06T09:30:00\".hour", "9"),
        ("date and time(@\"2026-03-06\", @\"09:30:00\")", "@\"2026-03-06T09:30:00\""),
        ("@\"2026-03-06T09:00:00+08:00\" = @\"2026-03-06T01:00:00Z\"", "true"),
        ("years and months duration(@\"2025-01-31\", @\"2026-03-01\")", "@\"P1Y1M\""),
        ("day of week(@\"2026-03-06\")", "\"Friday\""),
        ("today()", "@\"2026-03-02\""),
        ("now() - date and time(\"2026-03-02T09:14:00\")", "@\"PT0S\""),
        ("time(11, 59, 45, duration(\"PT2H\"))", "@\"11:59:45+02:00\""),
    ]);
    fails(&["@\"2026-02-30\"", "time(\"7:00:00\")", "@\"P1Y\" < @\"P1D\"", "@\"2026-03-06\" + 1", "1 month < 40 days"]);
}

#[test]
fn comments_and_layout_mean_nothing() {
    same(&[("1 + /* one */ 1 // two", "2"), ("\n  1\n+\n1", "2")]);
}

#[test]
fn a_formula_reads_what_it_names() {
    let formula = typed("total > 1 and applicant.department = sales and steps.review.outcome = approved").unwrap();
    let reads = [Read::Field("total".into()), Read::Step("review".into()), Read::Applicant, Read::Directory];
    assert_eq!(formula.reads, reads.into_iter().collect());
    assert_eq!(formula.of, Typed::always(Type::Boolean));
}

#[test]
fn a_stored_formula_is_the_same_again_however_deep() {
    let deep = (0..60).fold("total".to_owned(), |text, _| format!("abs({text})"));
    for text in [deep.as_str(), "for i in items return {n: i.name, of: [i.value, 2]}", "1 in (> 3, [1..2])", "2 days"] {
        let formula = typed(text).unwrap();
        let stored = serde_json::to_string(&formula).unwrap();
        assert_eq!(serde_json::from_str::<Formula>(&stored).unwrap(), formula, "{stored}");
    }
    assert!(
        serde_json::from_str::<Formula>(r#"{"text":"","root":[{"negate":0}],"of":{"type":"any"},"reads":[]}"#).is_err()
    );
}

#[test]
fn what_a_form_allows() {
    accepts(&[
        "sum(for i in items return i.quantity * i.value)",
        "sum(items.value) >= 500",
        "total * 8 % + 0.5",
        "attitude = cold",
        "attitude in (cold, warm)",
        "cold = attitude",
        "attitude != \"warm\"",
        "if total > 5000 then \"high\" else \"normal\"",
        "limit != null and total <= limit",
        "limit = null or total <= limit",
        "not(limit = null) and limit > 0",
        "if limit != null then limit else 0",
        "if ratio != 0 then total / ratio else 0",
        "ratio > 0 and total / ratio > 3",
        "count(items) > 0 and total / count(items) > 3",
        "count(items) > 0 and max(items.value) > 3",
        "count(items) > 0 and items[1].value > 3 and items[-1].value > 3",
        "if count(items[value > 3]) > 0 then max(items[value > 3].value) > 5 else false",
        "items[2] != null and items[2].value > 3",
        "max(items.value) != null and max(items.value) > 3",
        "max(total, 3) > 5 and max([total]) > 5",
        "date(2026, 3, 6) < today() and date(now()) = today()",
        "number(\"12\") > 5 and matches(attitude, \"c.*\") and substring(attitude, 1, 2) = \"co\"",
        "sum(items[discount != null].discount)",
        "items[value > 100 and name = title]",
        "some i in items satisfies i.value > 100",
        "date > date(\"2026-01-01\")",
        "date + 2 working days",
        "owner = applicant",
        "applicant in holders(clerk)",
        "applicant.department = sales",
        "steps.review.outcome = approved",
        "instance.number",
        "note = null",
        "filled(note, limit, title)",
        "manager_of(applicant) = owner",
    ]);
}

#[test]
fn names_that_mean_nothing() {
    refuses(
        FaultKind::UnknownName,
        &[("totl >= 500", "totl"), ("wang = applicant", "wang"), ("person(\"wong\")", "\"wong\"")],
    );
    refuses(FaultKind::UnknownName, &[("steps.reveiw.outcome = approved", "reveiw")]);
    refuses(FaultKind::UnknownFunction, &[("summ(items.value)", "summ"), ("string_length(title)", "string_length")]);
    refuses(FaultKind::UnknownProperty, &[("items.vale", "vale"), ("applicant.departmnt", "departmnt")]);
    refuses(FaultKind::UnknownOption, &[("attitude = colt", "colt"), ("attitude in (cold, \"hot\")", "\"hot\"")]);
    let faults = typed("totl >= 500").unwrap_err();
    assert_eq!(faults[0].suggestion.as_deref(), Some("total"));
    let faults = typed("attitude = colt").unwrap_err();
    assert_eq!(faults[0].suggestion.as_deref(), Some("cold"));
}

#[test]
fn values_that_do_not_go_together() {
    refuses(
        FaultKind::UnlikeTypes,
        &[
            ("total > \"500\"", "total > \"500\""),
            ("total + ratio", "total + ratio"),
            ("total * total", "total * total"),
            ("date + 3", "date + 3"),
            ("applicant = clerk", "applicant = clerk"),
            ("title + total", "title + total"),
            ("if ratio > 1 then 1 else \"a\"", "\"a\""),
        ],
    );
    refuses(FaultKind::WrongType, &[("attitude > cold", "attitude > cold"), ("total and true", "total")]);
    refuses(FaultKind::WrongType, &[("string length(total)", "total"), ("head_of(applicant)", "applicant")]);
    refuses(
        FaultKind::WrongArguments,
        &[("substring(title)", "substring(title)"), ("count(a: items)", "count(a: items)")],
    );
}

#[test]
fn values_that_may_be_unset_or_zero() {
    refuses(
        FaultKind::MaybeUnset,
        &[
            ("total <= limit", "limit"),
            ("limit != null or total <= limit", "limit"),
            ("sum(items.discount)", "items.discount"),
            ("owner.department = sales", "owner"),
            ("for i in items return i.discount * 2", "i.discount"),
            ("max(items.value) > 5", "max(items.value)"),
            ("items[1].value > 5", "items[1]"),
            ("number(attitude) > 5", "number(attitude)"),
            ("date(2026, 3, ratio) > today()", "date(2026, 3, ratio)"),
            ("matches(\"a\", attitude) and true", "matches(\"a\", attitude)"),
        ],
    );
    refuses(
        FaultKind::MaybeZeroDivision,
        &[
            ("total / ratio", "ratio"),
            ("total / 0", "0"),
            ("ratio >= 0 and total / ratio > 1", "ratio"),
            ("modulo(5, ratio)", "ratio"),
        ],
    );
}

#[test]
fn habits_from_elsewhere_are_named_with_what_to_write() {
    let cases = [
        ("total == 500", "=="),
        ("ratio > 1 && ratio < 3", "&&"),
        ("total ＞ 500", "＞"),
        ("sum（items.value)", "（"),
        ("title = 'a'", "'a'"),
        ("title = “a”", "“a”"),
        ("${total} > 500", "${total}"),
        ("total ≥ 500", "≥"),
    ];
    refuses(FaultKind::ForeignSyntax, &cases);
    for (text, place) in cases {
        let fault = &typed(text).unwrap_err()[0];
        let fixed = text.replacen(place, fault.suggestion.as_deref().unwrap(), 1);
        assert!(typed(&fixed).is_ok(), "{fixed}");
    }
}

#[test]
fn several_faults_at_once() {
    let faults = typed("totl > 1 and attitude = colt and total <= limit").unwrap_err();
    let kinds: Vec<FaultKind> = faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::UnknownName, FaultKind::UnknownOption, FaultKind::MaybeUnset]);
}

#[test]
fn who_decides_is_a_person_or_a_position() {
    let people = |text: &str| compile(text, &scope(), &Expected::People);
    for text in ["lead", "applicant", "manager_of(applicant)", "[lead, applicant]", "up_to(applicant, chief)"] {
        assert!(people(text).is_ok(), "{text}");
    }
    for text in ["head_of(applicant.department)", "if total > 5 then lead else applicant", "everyone"] {
        assert!(people(text).is_ok(), "{text}");
    }
    for (text, kind) in [("sales", FaultKind::WrongType), ("owner", FaultKind::MaybeUnset), ("5", FaultKind::WrongType)]
    {
        assert_eq!(people(text).unwrap_err()[0].kind, kind, "{text}");
    }
    let time = |text: &str| compile(text, &scope(), &Expected::Time);
    assert!(time("2 working days").is_ok() && time("date").is_ok() && time("date - 1 day").is_ok());
    assert_eq!(time("total").unwrap_err()[0].kind, FaultKind::WrongType);
    let default = Expected::Type(Typed::always(choice(&["warm", "cold"])));
    assert!(compile("warm", &Scope::new(), &default).is_ok());
    assert_eq!(compile("warn", &Scope::new(), &default).unwrap_err()[0].kind, FaultKind::UnknownOption);
}

struct Reviewed;

impl StepFacts for Reviewed {
    fn outcome(&self, _: &StepId) -> Option<&str> {
        Some("approved")
    }
    fn by(&self, _: &StepId) -> Option<PersonId> {
        Some("li".into())
    }
    fn at(&self, _: &StepId) -> Option<DateTime<Utc>> {
        Some(now())
    }
    fn late(&self, _: &StepId) -> Option<bool> {
        Some(false)
    }
}

/// Evaluates against the directory, with the first person as the applicant.
fn in_company(text: &str, data: &Record) -> Result<Value, String> {
    let formula =
        compile(text, &scope(), &Expected::Any).unwrap_or_else(|faults| panic!("{text}: {}", faults[0].message));
    let (directory, calendar, applicant) = (directory(), Calendar::default(), PersonId::from("wang"));
    let context =
        Context { applicant: Some(&applicant), steps: &Reviewed, ..Context::new(data, &directory, &calendar, now()) };
    evaluate(&formula, &context).map_err(|failure| failure.message.en)
}

#[test]
fn people_are_found_in_the_directory() {
    let person = |id: &str| Value::Person(id.into());
    let cases = [
        ("manager_of(applicant)", person("li")),
        ("manager_of(manager_of(manager_of(applicant)))", Value::Null),
        ("head_of(applicant.department)", person("li")),
        ("up_to(applicant, chief)", Value::List(vec![person("li"), person("zhao")])),
        ("holders(clerk)", Value::List(vec![person("wang")])),
        ("count(members(sales)) = count(everyone)", Value::Boolean(true)),
        ("applicant.name", Value::text("王芳")),
        ("person(\"zhao\").position = chief", Value::Boolean(true)),
        ("steps.review.by", person("li")),
        ("steps.review.outcome = approved", Value::Boolean(true)),
    ];
    for (text, expected) in cases {
        assert_eq!(in_company(text, &Record::new()), Ok(expected), "{text}");
    }
    let above = in_company("count(up_to(applicant, clerk)) = 0", &Record::new());
    assert_eq!(above, Ok(Value::Boolean(true)), "no superior is one");
}

#[test]
fn rows_are_added_up_exactly() {
    let row = |quantity: &str, value: &str| {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let pairs = [("quantity".into(), number(quantity)), ("value".into(), number(value))];
        Value::Record(Record::from_iter(pairs))
    };
    let data = Record::from_iter([("items".into(), Value::List(vec![row("2", "320.10"), row("3", "0.10")]))]);
    let total = in_company("sum(for i in items return i.quantity * i.value)", &data);
    assert_eq!(total, Ok(Value::Number("640.50".parse().unwrap())));
    assert_eq!(in_company("items[quantity > 2].value[1]", &data), Ok(Value::Number("0.10".parse().unwrap())));
}

#[test]
fn cells_are_tests_of_a_field() {
    let scope = Scope::new()
        .field("margin", Typed::always(Type::Number))
        .field("kind", Typed::always(choice(&["fixed", "risk"])));
    let passes = |cell: &str, field: &str, value: Value| {
        let formula = compile_tests(cell, field, &scope).unwrap();
        let data = Record::from_iter([(FieldName::from(field), value)]);
        let (directory, calendar) = (Directory::default(), Calendar::default());
        let context = Context::new(&data, &directory, &calendar, now());
        evaluate(&formula, &context).unwrap() == Value::Boolean(true)
    };
    let number = |n: i64| Value::Number(n.into());
    assert!(passes(">= 30 %", "margin", number(1)) && !passes("< 30 %", "margin", number(1)));
    assert!(passes("[1..3], 7", "margin", number(7)) && !passes("[1..3], 7", "margin", number(5)));
    assert!(passes("not(5)", "margin", number(4)) && passes("-", "margin", number(4)));
    assert!(passes("? > 3 and ? < 9", "margin", number(4)) && !passes("? > 3 and ? < 9", "margin", number(2)));
    assert!(passes("fixed", "kind", Value::text("fixed")) && !passes("not(fixed)", "kind", Value::text("fixed")));
    assert_eq!(compile_tests("fixd", "kind", &scope).unwrap_err()[0].kind, FaultKind::UnknownOption);
}

#[test]
fn limits_hold() {
    let long = format!("\"{}\"", "a".repeat(5_000));
    let parentheses = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    let sum = ["1"; 300].join(" + ");
    let tests = format!("{}1{}", "1 in (".repeat(100), ")".repeat(100));
    for text in [long, parentheses, sum, tests, "-".repeat(3_000), "[".repeat(4_000), "not(".repeat(900)] {
        let faults = typed(&text).unwrap_err();
        assert!(faults.iter().any(|fault| fault.kind == FaultKind::TooComplex), "{}", faults[0].message);
    }
    fails(&[
        "for a in 1..10000, b in 1..10000 return 1",
        "some a in 1..10000, b in 1..10000, c in 1..10000 satisfies false",
        "for i in 1..10000 return for j in 1..10000 return j",
        "(function(l) for i in 1..10000 return l)(for j in 1..10000 return j)",
        "count(for i in 1..10001 return i)",
    ]);
    assert!(typed(&["true"; 400].join(" and ")).is_ok());
}

#[test]
fn cases_are_compared_with_what_is_expected() {
    let report = conformance::run_cases(concat!(
        r#"{"id": "a", "expression": "1 / 3", "expected": {"type": "decimal", "value": "0.33333333"}}"#,
        "\n",
        r#"{"id": "b", "expression": "1 / 0", "expected": null}"#,
        "\n",
        r#"{"id": "c", "expression": "[1, @\"P1D\"]", "expected": {"type": "list", "value": [{"type": "decimal", "value": "1"}, {"type": "duration", "value": "P1D"}]}}"#,
        "\n",
        r#"{"id": "d", "expression": "2", "expected": {"type": "decimal", "value": "3"}}"#,
    ));
    assert_eq!(report.passed, 3);
    assert_eq!(report.failed.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ["d"]);
}

/// Expressions that are well formed more often than not.
fn expressions() -> impl Strategy<Value = String> {
    let atoms = prop_oneof![
        "[0-9]{1,28}",
        "[0-9]{1,3}\\.[0-9]{1,5}",
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("total".to_owned()),
        Just("limit".to_owned()),
        Just("items".to_owned()),
        Just("attitude".to_owned()),
        Just("applicant".to_owned()),
        Just("sales".to_owned()),
        Just("@\"-9999-12-31T23:59:59@Asia/Shanghai\"".to_owned()),
        Just("@\"199999-12-31\"".to_owned()),
        Just("@\"P9999999999D\"".to_owned()),
        Just("9223372036854775807 months".to_owned()),
        Just("9999 working days".to_owned()),
        Just("\"会\\u7B7E\"".to_owned()),
        Just("[]".to_owned()),
        Just("[3..1)".to_owned()),
        Just("now()".to_owned()),
    ];
    let functions = prop::sample::select(vec![
        "sum",
        "min",
        "max",
        "mean",
        "median",
        "stddev",
        "mode",
        "count",
        "not",
        "abs",
        "sqrt",
        "exp",
        "log",
        "floor",
        "odd",
        "string",
        "number",
        "date",
        "time",
        "duration",
        "string length",
        "upper case",
        "reverse",
        "flatten",
        "sort",
        "distinct values",
        "get entries",
        "context",
        "context merge",
        "range",
        "day of week",
        "week of year",
        "manager_of",
        "head_of",
        "holders",
        "members",
        "person",
        "is working day",
        "filled",
        "all",
        "any",
        "today",
    ]);
    let of_two = prop::sample::select(vec![
        "modulo",
        "round half up",
        "decimal",
        "contains",
        "matches",
        "split",
        "append",
        "concatenate",
        "remove",
        "sublist",
        "index of",
        "list contains",
        "before",
        "overlaps",
        "includes",
        "is",
        "date and time",
        "union",
        "years and months duration",
        "working days between",
        "substring",
        "string join",
        "up_to",
        "get value",
    ]);
    let operators =
        prop::sample::select(vec!["+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in"]);
    atoms.prop_recursive(5, 40, 3, move |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            (inner.clone(), operators.clone(), inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (functions.clone(), inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            (of_two.clone(), pair).prop_map(|(name, (a, b))| format!("{name}({a}, {b})")),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{a: {a}, b: {b}}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}..{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("for x in {a} return {b} + x")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("some x in {a} satisfies x = {b}")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("if {a} then {b} else {c}")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} between {b} and {c}")),
            (inner.clone(), prop::sample::select(vec!["year", "days", "name", "time offset", "value", "end"]))
                .prop_map(|(a, name)| format!("{a}.{name}")),
            inner.prop_map(|a| format!("-{a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_compiled_or_refused(text in "\\PC{0,60}") {
        drop(typed(&text));
        drop(run(&text, &Record::new(), now()));
        drop(compile_tests(&text, "total", &scope()));
    }

    #[test]
    fn any_tokens_are_compiled_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "(", ")", "[", "]", "{", "}", "..", ",", ":", ".", "-", "+", "in", "not", "if", "then", "else", "for", "return",
        "a", "1", "\"x\"", "date and time", "@\"P1D\"", "between", "and", "instance of", "?", ">", "=", "function", "%",
    ]), 0..40)) {
        drop(run(&words.join(" "), &Record::new(), now()));
    }

    #[test]
    fn faults_lie_within_the_text(text in expressions(), cut in 0usize..30) {
        let text: String = text.chars().skip(cut).collect();
        for fault in typed(&text).err().unwrap_or_default() {
            prop_assert!(text.get(fault.range.clone()).is_some(), "{text}: {:?}", fault.range);
        }
    }

    #[test]
    fn evaluating_never_panics(text in expressions()) {
        let data = Record::from_iter([
            ("total".into(), Value::Number("79228162514264337593543950335".parse().unwrap())),
            ("limit".into(), Value::Null),
            ("attitude".into(), Value::text("cold")),
            ("applicant".into(), Value::Person("wang".into())),
            ("sales".into(), Value::Department("sales".into())),
            ("items".into(), Value::List(vec![Value::Record(Record::new()), Value::Null, Value::Number(2.into())])),
        ]);
        drop(run(&text, &data, now()));
    }

    #[test]
    fn what_compiles_has_the_type_it_was_given(text in expressions()) {
        if let Ok(formula) = typed(&text) {
            let stored = serde_json::to_string(&formula).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Formula>(&stored).unwrap(), &formula);
        }
    }
}
