//! Every type of field with every key: what goes together, and what is refused at its key.

use countersign::compile::{NoTemplates, SourceText, compile};
use countersign::model::text::Lang;

/// `.` goes together; `x` is refused.
const TABLE: &str = "
            min max pattern options fields among many size accept unit default value check required when
text          .   .       .       x      x     x    .    x      x    x       .     .     .        .    .
long text     .   .       .       x      x     x    .    x      x    x       .     .     .        .    .
integer       .   .       x       x      x     x    .    x      x    .       .     .     .        .    .
decimal       .   .       x       x      x     x    .    x      x    .       .     .     .        .    .
money         .   .       x       x      x     x    .    x      x    .       .     .     .        .    .
percent       .   .       x       x      x     x    .    x      x    .       .     .     .        .    .
boolean       x   x       x       x      x     x    .    x      x    x       .     .     .        .    .
date          .   .       x       x      x     x    .    x      x    x       .     .     .        .    .
date-time     .   .       x       x      x     x    .    x      x    x       .     .     .        .    .
duration      .   .       x       x      x     x    .    x      x    x       .     .     .        .    .
choice        x   x       x       .      x     x    .    x      x    x       .     .     .        .    .
person        x   x       x       x      x     .    .    x      x    x       .     .     .        .    .
position      x   x       x       x      x     x    .    x      x    x       .     .     .        .    .
department    x   x       x       x      x     x    .    x      x    x       .     .     .        .    .
file          x   x       x       x      x     x    .    .      .    x       .     .     .        .    .
list          .   .       x       x      .     x    x    x      x    x       .     .     .        .    .
";

/// A value of a type, and what limits it.
fn value(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "text" | "long text" => ("'\"abc\"'", "3"),
        "integer" | "decimal" | "money" => ("3", "3"),
        "percent" => ("3 %", "3 %"),
        "boolean" => ("true", "3"),
        "date" => ("date(\"2026-05-01\")", "date(\"2026-05-01\")"),
        "date-time" => ("now()", "now()"),
        "duration" => ("3 days", "3 days"),
        "choice" => ("a", "3"),
        "person" => ("applicant", "3"),
        "position" => ("clerk", "3"),
        "department" => ("office", "3"),
        "list" => ("'[]'", "3"),
        _ => ("null", "3"),
    }
}

fn field(kind: &str, key: &str) -> String {
    let (value, limit) = value(kind);
    let written = match key {
        "min" | "max" => limit,
        "pattern" => "\"[a-z]+\"",
        "options" => "[a, b]",
        "fields" => "{ x: { type: text, title: X } }",
        "among" => "'[applicant]'",
        "many" | "required" => "true",
        "size" => "1 MB",
        "accept" => "[pdf]",
        "unit" => "kg",
        "check" => "{ that: true, say: no }",
        "when" => "1 < 2",
        _ => value,
    };
    let needed = match (kind, key) {
        ("choice", "options") | ("list", "fields") => "",
        ("choice", _) => "options: [a, b], ",
        ("list", _) => "fields: { x: { type: text, title: X } }, ",
        _ => "",
    };
    format!("{{ type: {kind}, title: F, {needed}{key}: {written} }}")
}

#[test]
fn every_type_takes_its_keys_and_refuses_those_of_others() {
    let directory = "directory: company
departments: { office: { head: clerk } }
positions: { clerk: { department: office } }
people: { bo: { name: Bo, mail: bo@example.com, positions: [clerk] }, al: { name: Al, mail: al@example.com, positions: [clerk] } }
";
    let mut lines = TABLE.lines().filter(|line| !line.is_empty());
    let keys: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    for line in lines {
        let (kind, marks) = line.split_at(12);
        for (key, mark) in keys.iter().zip(marks.split_whitespace()) {
            let written = field(kind.trim(), key);
            let process = format!(
                "process: p\ntitle: P\nform:\n  f: {written}\nsteps:\n  - {{ id: s, title: S, task: clerk }}\n"
            );
            let text = |name: &str, text: &str| SourceText { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
            let compiled = compile(vec![text("d.yaml", directory), text("p.yaml", &process)], &NoTemplates);
            let refused: Vec<&str> =
                compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.code.name()).collect();
            match mark {
                "." => assert!(refused.is_empty(), "{written}\n{}", compiled.render(Lang::En)),
                _ => assert!(
                    matches!(refused.as_slice(), ["key_of_other_field" | "unsupported_key"]),
                    "{written}: {refused:?}"
                ),
            }
        }
    }
}
