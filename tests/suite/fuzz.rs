//! The entries of `fuzz/`, tried with what a grammar makes of chance: nothing panics, overflows or takes long.
//!
//! Four kinds of text: any bytes, something like YAML, a soup of the signs and words of expressions, and nesting far
//! beyond what anybody writes.

use crate::support;
use countersign::compile::{NoTemplates, SourceText, compile};
use countersign::diagnostics::{Sources, Style, render};
use countersign::expression::{self, Expected, Scope};
use countersign::model::text::Lang;
use countersign::model::value::{Record, Type, Typed};
use countersign::syntax;
use proptest::prelude::*;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The longest that one text may take in an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(10);

const KEYS: &[&str] = &[
    "process",
    "directory",
    "calendar",
    "title",
    "form",
    "data",
    "steps",
    "id",
    "type",
    "required",
    "value",
    "when",
    "default",
    "min",
    "max",
    "options",
    "fields",
    "approve",
    "task",
    "choose",
    "otherwise",
    "set",
    "notify",
    "go",
    "end",
    "due",
    "remind",
    "on",
    "policy",
    "start",
    "mode",
    "outcomes",
    "among",
    "check",
    "that",
    "say",
    "parallel",
    "join",
    "each",
    "as",
    "call",
    "with",
    "take",
    "wait",
    "receive",
    "key",
    "race",
    "http",
    "job",
    "undo",
    "overdue",
    "stage",
    "stages",
    "table",
    "rules",
    "<<",
    "people",
    "positions",
];

const WORDS: &[&str] = &[
    "total",
    "grade",
    "items",
    "i",
    "applicant",
    "steps",
    "instance",
    "outcome",
    "客户专员",
    "部门",
    "if",
    "then",
    "else",
    "for",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "and",
    "or",
    "not",
    "between",
    "instance of",
    "function",
    "null",
    "true",
    "false",
    "sum",
    "count",
    "min",
    "max",
    "date",
    "time",
    "duration",
    "string",
    "number",
    "substring",
    "replace",
    "matches",
    "split",
    "sort",
    "list replace",
    "concatenate",
    "flatten",
    "head_of",
    "manager_of",
    "up_to",
    "today",
    "now",
    "filled",
    "floor",
    "exp",
    "log",
    "sqrt",
    "decimal",
    "modulo",
    "working",
    "days",
    "hours",
    "years",
    "item",
];

const SIGNS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "**",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "..",
    "\"",
    "@",
    "%",
    "?",
    "|",
    "->",
    "==",
    "&&",
    "${",
    "：",
    "，",
    "“",
    "\\",
    "\\u{D800}",
    "0",
    "1",
    "1e308",
    "99999999999999999999999999999",
    "0.0000000000000000000000000001",
    "\"a\"",
    "@\"2026-02-29\"",
    "@\"P1Y\"",
    "\"(a+)+$\"",
    "2 working days",
    "8 %",
    "/*",
    "//",
    "\u{0}",
    "\u{feff}",
    " ",
    "\n",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        3 => proptest::sample::select(SIGNS).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

/// A soup of the signs and words of expressions.
fn soup() -> impl Strategy<Value = String> {
    (proptest::collection::vec(word(), 0..40), any::<bool>())
        .prop_map(|(words, spaced)| words.join(if spaced { " " } else { "" }))
}

/// An expression that is likely to be one.
fn sound() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        proptest::sample::select(&[
            "1",
            "0",
            "0.5",
            "total",
            "\"a\"",
            "[1, 2, 3]",
            "null",
            "true",
            "@\"2026-01-31\"",
            "@\"P1M\"",
            "items"
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    leaf.prop_recursive(6, 60, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (two.clone(), proptest::sample::select(&["+", "-", "*", "/", "**", "=", "<", "and", "or", "in"]))
                .prop_map(|((a, b), sign)| format!("({a} {sign} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("if {a} then {b} else {c}")),
            two.clone().prop_map(|(a, b)| format!("for i in {a} return {b}")),
            two.clone().prop_map(|(a, b)| format!("({a})[{b}]")),
            (
                proptest::sample::select(&[
                    "sum", "count", "string", "floor", "flatten", "sort", "not", "abs", "sqrt", "exp"
                ]),
                inner.clone()
            )
                .prop_map(|(name, a)| format!("{name}({a})")),
            two.prop_map(|(a, b)| format!("concatenate({a}, {b})")),
        ]
    })
}

/// One opening over and over.
fn deep() -> impl Strategy<Value = String> {
    let opening = proptest::sample::select(&[
        "(",
        "[",
        "{",
        "{a: ",
        "-",
        "not(",
        "if 1 then ",
        "if ",
        "for i in ",
        "1+",
        "1**",
        "a.",
        "a[",
        "sum(",
        "[[",
        "function(x) ",
        "1 in (",
        "\"",
        "some i in ",
        "- ",
        "? ",
        "a: ",
        "&a [",
        "[*a,",
        "steps: [{choose: ",
    ]);
    (opening, 1_usize..3_000).prop_map(|(opening, times)| opening.repeat(times))
}

/// Something like YAML: keys of ours with values of all kinds, indented at will.
fn yaml() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        soup(),
        sound(),
        Just(String::new()),
        proptest::sample::select(&["[]", "{}", "|", ">", "*a", "&a x", "!!t x", "- a", "[a, {b: c}]", "'", "# x"])
            .prop_map(str::to_owned),
    ];
    let key = prop_oneof![9 => proptest::sample::select(KEYS).prop_map(str::to_owned), 1 => word()];
    let line = (0_usize..8, any::<bool>(), key, value).prop_map(|(depth, item, key, value)| {
        format!("{}{}{key}: {value}\n", "  ".repeat(depth), if item { "- " } else { "" })
    });
    proptest::collection::vec(line, 0..40).prop_map(|lines| format!("process: p\n{}", lines.concat()))
}

fn timed(text: &str, f: impl FnOnce()) {
    let began = Instant::now();
    f();
    assert!(
        began.elapsed() < LIMIT,
        "{:?} for {} bytes: {}",
        began.elapsed(),
        text.len(),
        text.chars().take(200).collect::<String>()
    );
}

fn read(bytes: &[u8]) {
    timed(&String::from_utf8_lossy(bytes), || {
        let mut sources = Sources::new();
        let id = sources.add_bytes("fuzz.yaml", bytes);
        let found = syntax::parse(id, &sources).diagnostics;
        let _ = render(&found, &sources, Lang::Zh, Style::default());
    });
}

fn express(text: &str) {
    static SCOPE: OnceLock<Scope> = OnceLock::new();
    let scope = SCOPE.get_or_init(|| {
        let items = Type::List(Box::new(Typed::always(Type::Number)));
        Scope::new().field("total", Typed::always(Type::Money)).field("items", Typed::always(items)).applicant()
    });
    let now = "2026-03-02T01:14:00Z".parse().expect("a time");
    timed(text, || {
        let _ = expression::run(text, &Record::new(), now);
        let _ = expression::compile(text, scope, &Expected::Any);
        let _ = expression::compile_tests(text, "total", scope);
    });
}

fn check(bytes: &[u8]) {
    let directory = std::fs::read(support::project("processes/directory.yaml")).expect("the directory");
    timed(&String::from_utf8_lossy(bytes), || {
        let files = vec![
            SourceText { name: "directory.yaml".to_owned(), bytes: directory },
            SourceText { name: "fuzz.yaml".to_owned(), bytes: bytes.to_vec() },
        ];
        let _ = compile(files, &NoTemplates).render(Lang::En);
    });
}

/// What the keyboard and other tools put into expressions.
fn marks() -> impl Strategy<Value = String> {
    const MARKS: &[&str] = &[
        "==", "=", "&&", "||", "${", "${a}", "{{", "{{ a }}", "}", "}}", "＝", "，", "“", "”", "‘", "（", "）", "｛",
        "【", "！", "\"", "\\", "a", " ", "1",
    ];
    proptest::collection::vec(proptest::sample::select(MARKS), 1..6).prop_map(|marks| marks.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
        check(&bytes);
    }

    #[test]
    fn anything_like_yaml_is_checked(text in yaml()) {
        check(text.as_bytes());
    }

    #[test]
    fn any_soup_is_no_expression_or_one(text in soup()) {
        express(&text);
    }

    #[test]
    fn marks_of_other_tools_are_mended_or_left(text in marks()) {
        check(format!("process: p\nsteps:\n  - id: a\n    approve: 内勤\n    when: {text}\n").as_bytes());
        let quoted = text.replace('\'', "''");
        check(format!("process: p\nsteps:\n  - {{ id: a, approve: 内勤, when: '{quoted}' }}\n").as_bytes());
    }

    #[test]
    fn sound_expressions_have_a_value_or_a_failure(text in sound()) {
        express(&text);
    }

    #[test]
    fn no_nesting_is_too_deep_to_be_refused(text in deep()) {
        express(&text);
        read(text.as_bytes());
        check(format!("process: p\nsteps:\n  - {{ id: a, approve: 内勤, when: '{text}' }}\n").as_bytes());
    }
}
