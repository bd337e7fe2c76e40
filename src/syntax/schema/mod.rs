//! JSON Schema of the documents, for editors: they complete and check while the author types.
//!
//! It is made from the tables that the reader of documents uses, so the two cannot disagree about keys; `words` says
//! what each key takes. It is draft-07, which the editors' YAML extensions understand best. It never refuses what
//! `check` accepts; what only `check` can know (names, types, flow) it lets pass.

mod words;

use super::calendar::CALENDAR;
use super::directory::{ABSENCE, DEPARTMENT, DIRECTORY, PERSON, POSITION};
use super::field::{CHECK, FIELD, TYPES};
use super::fields::Place;
use super::metric::{METRIC, SOURCE};
use super::process::{POLICY, PROCESS, SCHEDULE};
use super::recorded;
use super::scalar::TEXT;
use super::step;
use super::table::TABLE;
use super::test::deed::verbs;
use super::test::expect::{EXPECT, MAIL, MAIL_KINDS};
use super::test::{START, TEST};
use crate::model::metric::Every;
use crate::model::rule::Hit;
use crate::model::text::Lang;
use serde_json::{Map as Object, Value, json};

/// What a key takes.
#[derive(Clone, Copy)]
enum Shape {
    /// Words for people.
    Text,
    /// A text, a number, a date.
    Plain,
    /// A name.
    Name,
    /// A list of names.
    Names,
    /// An expression.
    Feel,
    /// An expression or a list of them.
    Feels,
    /// `true` or `false`.
    Flag,
    /// One of these.
    Word(&'static [&'static str]),
    /// The type of a field.
    Type,
    /// How signatures count.
    Mode,
    /// What counts where several rules of a table hit.
    Hits,
    /// The kinds of periods of a metric.
    Periods,
    /// What deciders can do.
    Allowed,
    /// A mapping of this kind, or a list of them.
    Groups(&'static str),
    /// A mapping of this kind.
    Group(&'static str),
    /// Mappings of this kind by name.
    Map(&'static str),
    /// A list of mappings of this kind.
    List(&'static str),
    /// Fields by name.
    Form,
    /// A list of steps.
    Steps,
    /// Lists of steps by name.
    Branches,
    /// The cases of `choose`.
    Cases,
    /// Expressions by name.
    Values,
    /// Names with titles.
    Options,
    /// Outcomes with targets.
    Targets,
    /// The rows of a decision table.
    Rules,
    /// When branches come together.
    Join,
    /// People by outcome.
    Copies,
    /// What takes a step back.
    Undo,
    /// The hours of days.
    Week,
    /// Named days.
    Days,
    /// One text or a list of them.
    Some,
    /// What happens in a test.
    Acts,
    /// A verb of a test with what is beside it.
    Deed,
    /// A mail of a test, several, or whether there is any.
    Mails,
    /// A kind of mail.
    MailKind,
    /// Texts by name.
    Words,
    /// Data by name.
    Data,
    /// Anything.
    Any,
}

/// What the words of the verbs of tests are found under.
const DEED: &str = "a deed";
/// A directory or calendar that is part of a test.
const OWN_DIRECTORY: &str = "own directory";
const OWN_CALENDAR: &str = "own calendar";

/// The documents that have a schema, by their first key. A test comes first, as it has keys that begin others.
const DOCUMENTS: &[(&str, &Place)] = &[
    ("test", &TEST),
    ("process", &PROCESS),
    ("directory", &DIRECTORY),
    ("calendar", &CALENDAR),
    ("table", &TABLE),
    ("metric", &METRIC),
];

/// The kinds of documents that have a schema.
pub fn schema_kinds() -> impl Iterator<Item = &'static str> {
    DOCUMENTS.iter().map(|(kind, _)| *kind)
}

/// Every kind of mapping: what it is called, and its keys. Those of steps are called by their kind.
pub fn schema_keys() -> Vec<(&'static str, &'static [&'static str])> {
    let groups = groups().into_iter().chain(step::kinds().map(|(_, place)| place));
    groups.map(|place| (place.name.1, place.keys)).collect()
}

/// Whether a key has an expression behind it in most places.
pub(super) fn holds_expression(key: &str) -> bool {
    let row = words::ROWS.iter().find(|row| row.0.is_empty() && row.1 == key);
    row.is_some_and(|row| matches!(row.2, Shape::Feel | Shape::Feels))
}

fn groups() -> Vec<&'static Place> {
    vec![
        &PROCESS,
        &TABLE,
        &METRIC,
        &SOURCE,
        &POLICY,
        &FIELD,
        &CHECK,
        &DIRECTORY,
        &DEPARTMENT,
        &POSITION,
        &PERSON,
        &ABSENCE,
        &CALENDAR,
        &TEXT,
        &SCHEDULE,
        &TEST,
        &START,
        &EXPECT,
        &MAIL,
        &recorded::TEST,
        &recorded::CASE,
        &recorded::EXPECT,
        &recorded::PART,
        step::CASE_PLACE,
        step::RETRY_PLACE,
        step::OVERDUE_PLACES.0,
        step::OVERDUE_PLACES.1,
    ]
}

/// The schema of one kind of document, or of all.
pub fn schema(kind: Option<&str>, lang: Lang) -> Option<Value> {
    let mut documents = DOCUMENTS.iter().filter(|(name, _)| kind.is_none_or(|kind| kind == *name));
    // A test is one of a process or of a metric.
    let of = |place: &Place| match place.name.1 {
        "the top level of a test" => json!({
            "if": { "required": ["metric"] },
            "then": { "$ref": reference(recorded::TEST.name.1) },
            "else": { "$ref": reference(TEST.name.1) },
        }),
        name => json!({ "$ref": reference(name) }),
    };
    let mut root = match kind {
        Some(_) => of(documents.next()?.1),
        // The first key says which document it is.
        None => {
            let rest = DOCUMENTS.iter().rev().fold(
                json!({ "required": ["process"] }),
                |rest, (name, place)| json!({ "if": { "required": [name] }, "then": of(place), "else": rest }),
            );
            // Of a document without a schema nothing is refused; it may have the key of another.
            let without = super::KINDS.iter().filter(|kind| !schema_kinds().any(|known| known == **kind));
            without.fold(rest, |rest, kind| json!({ "if": { "required": [kind] }, "then": {}, "else": rest }))
        }
    };
    if kind.is_some() {
        // Beside a reference, draft-07 reads nothing.
        root = json!({ "allOf": [root] });
    }
    let mut definitions = Object::new();
    for place in groups() {
        let name = place.name.1;
        definitions.insert(key_of(name), group(place, name, required(name), lang));
    }
    for (own, place, needed) in [(OWN_DIRECTORY, &DIRECTORY, "people"), (OWN_CALENDAR, &CALENDAR, "year")] {
        definitions.insert(key_of(own), group(place, place.name.1, &[needed], lang));
    }
    let mut acts =
        vec![json!({ "required": ["expect"], "properties": { "expect": { "$ref": reference(EXPECT.name.1) } } })];
    acts.push(json!({ "required": ["advance"] }));
    let mut deeds = Vec::new();
    for (word, place) in verbs() {
        let name = format!("do {word}");
        deeds.push(json!({ "$ref": reference(&name) }));
        definitions.insert(key_of(&name), group(place, DEED, &[word], lang));
    }
    definitions.insert("deed".into(), json!({ "anyOf": deeds }));
    acts.push(json!({ "required": ["refuse"], "properties": { "refuse": { "$ref": "#/definitions/deed" } } }));
    acts.push(json!({ "$ref": "#/definitions/deed" }));
    definitions.insert("act".into(), json!({ "anyOf": acts }));
    let (mut kinds, mut undoing) = (Vec::new(), Vec::new());
    for (kind, place) in step::kinds() {
        let mut needed = vec![kind];
        if !matches!(kind, "set" | "notify" | "go" | "end") {
            needed.push("id");
        }
        let name = format!("step_{kind}");
        kinds.push(json!({ "$ref": format!("#/definitions/{name}") }));
        definitions.insert(name, group(place, place.name.1, &needed, lang));
        if matches!(kind, "http" | "job" | "task" | "call" | "notify" | "set") {
            // What takes a step back needs no name.
            let name = format!("undo_{kind}");
            undoing.push(json!({ "$ref": format!("#/definitions/{name}") }));
            definitions.insert(name, group(place, place.name.1, &[kind], lang));
        }
    }
    definitions.insert("step".into(), json!({ "anyOf": kinds }));
    definitions.insert("undoing".into(), json!({ "anyOf": undoing }));
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!(kind.unwrap_or("countersign"));
    root["definitions"] = Value::Object(definitions);
    Some(root)
}

fn reference(name: &str) -> String {
    format!("#/definitions/{}", key_of(name))
}

fn key_of(name: &str) -> String {
    name.replace(['`', ' '], "_")
}

/// The keys that a mapping must have.
fn required(name: &str) -> &'static [&'static str] {
    match name {
        "the top level of a process" => &["process", "steps"],
        "a decision table" => &["table", "inputs", "outputs", "hit", "rules"],
        "a metric" => &["metric", "periods", "numerator"],
        "a side of a metric" => &["of", "at"],
        "a field" => &["type"],
        "the `check` of a field" => &["that", "say"],
        "a case of `choose`" => &["when", "steps"],
        "the top level of a directory" => &["directory", "people"],
        "a person" => &["name", "mail"],
        "an absence" => &["person", "from", "to"],
        "`schedule`" => &["cron", "by"],
        "the top level of a test" => &["test", "process", "now", "start", "do"],
        "the `start` of a test" => &["by"],
        "the top level of a test of a metric" => &["test", "metric", "period", "cases", "expect"],
        "a recorded case" => &["process", "by", "started"],
        "the top level of a calendar" => &["calendar", "year", "week"],
        _ => &[],
    }
}

/// A mapping with its keys; `home` is where their words are found.
fn group(place: &Place, home: &str, required: &[&str], lang: Lang) -> Value {
    let mut properties = Object::new();
    for key in place.keys {
        let mut value = json!({});
        if let Some((shape, zh, en)) = words(home, key) {
            value = takes(shape);
            value["description"] = json!(match lang {
                Lang::Zh => zh,
                Lang::En => en,
            });
        }
        properties.insert((*key).to_owned(), value);
    }
    let mut group = json!({
        "type": "object",
        "properties": properties,
        // What a key begins to be when it is typed, and `<<`, which takes in the keys of an anchor.
        "patternProperties": { "^<<$": {} },
        "additionalProperties": false,
    });
    if !required.is_empty() {
        group["required"] = json!(required);
    }
    group
}

fn words(place: &str, key: &str) -> Option<(Shape, &'static str, &'static str)> {
    let row = |of: &str| words::ROWS.iter().find(|row| row.0 == of && row.1 == key);
    row(place).or_else(|| row("")).map(|row| (row.2, row.3, row.4))
}

fn takes(shape: Shape) -> Value {
    let plain = json!({ "type": ["string", "number", "boolean"] });
    let feel = json!({ "type": ["string", "number", "boolean", "null"] });
    let list = |of: &Value| json!({ "type": "array", "items": of });
    let by_name = |of: &Value| json!({ "type": "object", "additionalProperties": of });
    let one = |name: &str| json!({ "$ref": reference(name) });
    let word = |words: &[&str]| json!({ "type": "string", "enum": words });
    let text = json!({ "anyOf": [plain, one(TEXT.name.1)] });
    match shape {
        Shape::Text => text,
        Shape::Plain | Shape::Name => plain,
        Shape::Names => list(&plain),
        Shape::Feel => feel,
        Shape::Feels => json!({ "anyOf": [feel, list(&feel)] }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Word(words) => word(words),
        Shape::Type => word(&TYPES.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        Shape::Mode => json!({ "anyOf": [word(&["any", "all", "in order"]), { "pattern": "^quorum " }] }),
        Shape::Hits => word(&Hit::WORDS.map(|(word, _)| word)),
        Shape::Periods => list(&word(&Every::WORDS.map(|(word, _)| word))),
        Shape::Allowed => list(&word(&["return", "transfer", "delegate", "add signer", "ask"])),
        Shape::Groups(name) => json!({ "anyOf": [one(name), list(&one(name))] }),
        Shape::Group(name) => json!({ "allOf": [one(name)] }),
        Shape::Map(name) => by_name(&json!({ "anyOf": [one(name), { "type": "null" }] })),
        Shape::List(name) => list(&one(name)),
        Shape::Form => by_name(&one(FIELD.name.1)),
        Shape::Steps => list(&one("step")),
        Shape::Branches => by_name(&list(&one("step"))),
        Shape::Cases => list(&one("a case of `choose`")),
        Shape::Values => by_name(&feel),
        Shape::Options => json!({ "anyOf": [list(&plain), by_name(&json!({ "anyOf": [text, { "type": "null" }] }))] }),
        Shape::Targets => by_name(&plain),
        Shape::Rules => list(&json!({
            "type": "object",
            "properties": { "note": text },
            "additionalProperties": feel,
        })),
        Shape::Join => json!({ "anyOf": [word(&["all", "any"]), { "type": "number" }] }),
        Shape::Copies => by_name(&json!({ "anyOf": [feel, list(&feel)] })),
        Shape::Undo => {
            let one = json!({ "$ref": "#/definitions/undoing" });
            json!({ "anyOf": [one, list(&one)] })
        }
        Shape::Week => {
            let day = "(mon|tue|wed|thu|fri|sat|sun)";
            json!({
                "type": "object",
                "patternProperties": {
                    format!("^ *{day} *(- *{day} *)?$"): { "anyOf": [plain, list(&plain)] },
                    "^<<$": {},
                },
                "additionalProperties": false,
            })
        }
        Shape::Days => by_name(&json!({ "anyOf": [plain, list(&plain)] })),
        Shape::Some => json!({ "anyOf": [plain, list(&plain)] }),
        Shape::Acts => list(&json!({ "$ref": "#/definitions/act" })),
        Shape::Deed => json!({ "anyOf": [plain, one("the `start` of a test")] }),
        Shape::Mails => {
            let mail = one(MAIL.name.1);
            json!({ "anyOf": [{ "type": "boolean" }, mail, list(&mail)] })
        }
        Shape::MailKind => word(MAIL_KINDS),
        Shape::Words => by_name(&plain),
        Shape::Data => json!({ "type": "object" }),
        Shape::Any => json!({}),
    }
}
