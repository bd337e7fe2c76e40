//! The JSON Schema: it knows every key, explains each, takes what `check` takes and refuses what an editor can see.

use crate::support::{files, name, project};
use countersign::diagnostics::Sources;
use countersign::model::text::Lang;
use countersign::syntax::{Data, data, schema, schema_keys, schema_kinds};
use regex_lite::Regex;
use serde_json::{Map, Value as Json, json};
use std::path::Path;

/// As an editor reads YAML: bare words by the core schema.
fn as_json(data: &Data) -> Json {
    match data {
        Data::Null => Json::Null,
        Data::Plain(word) if word == "true" || word == "false" => json!(word == "true"),
        Data::Plain(word) => match word.parse::<f64>() {
            Ok(number) if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => json!(number),
            _ => json!(word),
        },
        Data::Text(text) => json!(text),
        Data::List(items) => items.iter().map(as_json).collect(),
        Data::Map(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), as_json(value))).collect::<Map<_, _>>().into()
        }
    }
}

/// Whether a value is valid: as much of draft-07 as our schemas use; any other keyword is a fault of this test.
fn valid(value: &Json, schema: &Json, root: &Json) -> bool {
    let Some(rules) = schema.as_object() else { return schema == &json!(true) };
    if let Some(place) = rules.get("$ref") {
        let place = place.as_str().unwrap().trim_start_matches('#');
        return valid(value, root.pointer(place).unwrap_or_else(|| panic!("no {place}")), root);
    }
    let each = |list: &Json| -> Vec<bool> {
        list.as_array().unwrap().iter().map(|schema| valid(value, schema, root)).collect()
    };
    rules.iter().all(|(rule, what)| match rule.as_str() {
        "type" => {
            let kind = match value {
                Json::Null => "null",
                Json::Bool(_) => "boolean",
                Json::Number(_) => "number",
                Json::String(_) => "string",
                Json::Array(_) => "array",
                Json::Object(_) => "object",
            };
            what == kind || what.as_array().is_some_and(|kinds| kinds.contains(&kind.into()))
        }
        "enum" => what.as_array().unwrap().contains(value),
        "pattern" => value.as_str().is_none_or(|text| Regex::new(what.as_str().unwrap()).unwrap().is_match(text)),
        "anyOf" => each(what).contains(&true),
        "allOf" => !each(what).contains(&false),
        "required" => value
            .as_object()
            .is_none_or(|object| what.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| valid(item, what, root))),
        "properties" => value.as_object().is_none_or(|object| {
            object.iter().all(|(key, value)| what.get(key).is_none_or(|schema| valid(value, schema, root)))
        }),
        "patternProperties" => value.as_object().is_none_or(|object| {
            object.iter().all(|(key, value)| {
                patterns(what)
                    .filter(|(pattern, _)| pattern.is_match(key))
                    .all(|(_, schema)| valid(value, schema, root))
            })
        }),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let known = |key: &str| {
                let matched = rules
                    .get("patternProperties")
                    .is_some_and(|known| patterns(known).any(|(pattern, _)| pattern.is_match(key)));
                matched || rules.get("properties").is_some_and(|known| known.get(key).is_some())
            };
            object.iter().all(|(key, value)| known(key) || (what != &json!(false) && valid(value, what, root)))
        }),
        "if" => {
            let then = if valid(value, what, root) { "then" } else { "else" };
            rules.get(then).is_none_or(|schema| valid(value, schema, root))
        }
        "then" | "else" | "description" | "$schema" | "title" | "definitions" => true,
        other => panic!("the test does not know `{other}`"),
    })
}

fn patterns(known: &Json) -> impl Iterator<Item = (Regex, &Json)> {
    known.as_object().unwrap().iter().map(|(pattern, schema)| (Regex::new(pattern).unwrap(), schema))
}

/// The documents of a file as an editor sees them, without those that are no YAML.
fn read(path: &Path) -> Vec<Json> {
    let Ok(text) = String::from_utf8(std::fs::read(path).unwrap()) else { return Vec::new() };
    let text = text.replace("{init_year}", "2026");
    let one = |text: &str| {
        let mut sources = Sources::new();
        let id = sources.add(name(path), text);
        data(id, &sources).ok().map(|data| as_json(&data))
    };
    text.split("\n---\n").filter_map(one).collect()
}

fn examples(beginning: &str) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(project("tests/diagnostics")).unwrap().flatten();
    let all = folders.flat_map(|folder| files(&folder.path(), ".yaml"));
    all.filter(|path| name(path).starts_with(beginning)).collect()
}

/// Documents whose kind has a schema.
fn known(document: &Json) -> bool {
    schema_kinds().any(|kind| document.get(kind).is_some())
}

#[test]
fn every_key_is_known_and_explained_in_both_languages() {
    for lang in [Lang::Zh, Lang::En] {
        let root = schema(None, lang).unwrap();
        let definitions = root["definitions"].as_object().unwrap();
        for (place, keys) in schema_keys() {
            let has = |schema: &&Json| {
                schema["properties"]
                    .as_object()
                    .is_some_and(|known| known.len() == keys.len() && keys.iter().all(|key| known.contains_key(*key)))
            };
            let group = definitions.values().find(has).unwrap_or_else(|| panic!("{place} is not in the schema"));
            for key in keys {
                let words = group["properties"][*key]["description"].as_str();
                assert!(words.is_some_and(|words| !words.is_empty()), "`{key}` of {place} is not explained");
            }
        }
    }
}

#[test]
fn nothing_is_without_words_and_words_are_said_where_they_hold() {
    for lang in [Lang::Zh, Lang::En] {
        let root = schema(None, lang).unwrap();
        for (name, group) in root["definitions"].as_object().unwrap() {
            for (key, schema) in group["properties"].as_object().into_iter().flatten() {
                assert!(schema["description"].as_str().is_some_and(|words| !words.is_empty()), "`{key}` of {name}");
            }
        }
    }
    let root = schema(None, Lang::En).unwrap();
    let said = |place: &str, key: &str| root["definitions"][place]["properties"][key]["description"].clone();
    // One word of the language means other things in other places.
    for (key, places) in [
        ("process", &["the_top_level_of_a_process", "the_top_level_of_a_test", "a_recorded_case"][..]),
        ("ended", &["what_a_test_expects", "a_recorded_case"]),
        ("to", &["an_absence", "do_handover", "a_mail_of_a_test", "_retry_"]),
        ("mode", &["step_approve", "step_each"]),
        ("steps", &["the_top_level_of_a_process", "step_each", "a_case_of__choose_"]),
        ("policy", &["the_top_level_of_a_process", "step_approve"]),
        ("form", &["the_top_level_of_a_process", "step_approve", "step_task"]),
        ("with", &["step_call", "step_table", "step_job"]),
        ("take", &["step_call", "step_table", "step_receive", "step_http"]),
        ("on", &["step_approve", "step_call", "step_race", "step_parallel", "step_http"]),
        ("zone", &["a_person", "the_top_level_of_a_calendar"]),
        ("now", &["the_top_level_of_a_test", "the_top_level_of_a_test_of_a_metric"]),
        ("stage", &["step_task", "what_a_test_expects"]),
        ("title", &["step_task", "step_end"]),
    ] {
        let all: Vec<Json> = places.iter().map(|place| said(place, key)).collect();
        for (number, one) in all.iter().enumerate() {
            assert!(one.is_string() && !all[..number].contains(one), "`{key}` of {}: {one}", places[number]);
        }
    }
}

#[test]
fn every_example_of_the_reference_is_valid() {
    let root = schema(None, Lang::Zh).unwrap();
    let text = std::fs::read_to_string(project("docs/language.md")).unwrap();
    let mut tried = 0;
    for block in text.split("\n```yaml").skip(1) {
        let (kind, rest) = block.split_once('\n').unwrap();
        let body = rest.split("\n```").next().unwrap();
        let indented = || body.lines().map(|line| format!("  {line}\n")).collect::<String>();
        let whole = match kind.trim() {
            "steps" => format!("process: x\nsteps:\n{}", indented()),
            "fields" => format!("process: x\nform:\n{}steps:\n  - end: done_so\n", indented()),
            _ => body.to_owned(),
        };
        for (number, part) in whole.split("\n---\n").enumerate() {
            let mut sources = Sources::new();
            let id = sources.add("language.md", part);
            let document = as_json(&data(id, &sources).unwrap_or_else(|_| panic!("no YAML:\n{part}")));
            assert!(valid(&document, &root, &root), "part {number} of this example is refused:\n{part}");
            tried += 1;
        }
    }
    assert!(tried > 25, "only {tried} examples");
}

#[test]
fn the_usual_mistakes_are_refused() {
    let root = schema(None, Lang::En).unwrap();
    let process = |form: Json, step: Json| json!({ "process": "leave", "form": form, "steps": [step] });
    let good = json!({ "id": "a", "approve": "boss", "due": "1 day" });
    let field = |field: Json| process(json!({ "days": field }), good.clone());
    assert!(valid(&field(json!({ "type": "integer", "title": "Days", "required": true })), &root, &root));
    for wrong in [
        // A misspelt key, a key of another kind of step, no name, no kind, two kinds.
        process(json!({}), json!({ "id": "a", "approve": "boss", "titel": "x" })),
        process(json!({}), json!({ "id": "a", "wait": "1 day", "remind": ["1 hour"] })),
        process(json!({}), json!({ "approve": "boss" })),
        process(json!({}), json!({ "id": "a", "title": "x" })),
        process(json!({}), json!({ "id": "a", "approve": "boss", "task": "boss" })),
        // Another word than those that there are.
        process(json!({}), json!({ "id": "a", "approve": "boss", "mode": "at once" })),
        process(json!({}), json!({ "id": "a", "each": "rows", "as": "row", "mode": "all", "steps": [] })),
        field(json!({ "type": "number", "title": "Days" })),
        // A list where names are meant, a text where a yes or no is, no type at all.
        json!({ "process": "leave", "form": [{ "days": { "type": "integer" } }], "steps": [good] }),
        json!({ "process": "leave", "steps": { "a": { "approve": "boss" } } }),
        field(json!({ "type": "integer", "required": "yes" })),
        field(json!({ "title": "Days" })),
        json!({ "process": "leave", "title": "Leave" }),
        json!({ "table": "t", "inputs": {}, "outputs": {}, "hit": "uniqe", "rules": [] }),
        json!({ "metric": "m", "periods": ["weekly"], "numerator": { "of": "leave", "at": "ended" } }),
        json!({ "directory": "d", "people": { "li": { "name": "Li" } } }),
    ] {
        assert!(!valid(&wrong, &root, &root), "{wrong}");
    }
}

#[test]
fn what_is_right_is_valid() {
    let root = schema(None, Lang::En).unwrap();
    let mut tried = 0;
    let shipped = ["processes", "processes/kpi", "tests/patterns", "docs/starter/zh", "docs/starter/en"];
    let shipped = shipped.map(|folder| files(&project(folder), ".yaml"));
    let documents = shipped
        .into_iter()
        .flatten()
        .chain(examples("good"))
        .flat_map(|path| read(&path).into_iter().map(move |document| (path.clone(), document)).collect::<Vec<_>>());
    for (path, document) in documents.filter(|(_, document)| known(document)) {
        assert!(valid(&document, &root, &root), "{} should be valid", path.display());
        let kind = schema_kinds().find(|kind| document.get(kind).is_some()).unwrap();
        let own = schema(Some(kind), Lang::Zh).unwrap();
        assert!(valid(&document, &own, &own), "{} as {kind}", path.display());
        tried += 1;
    }
    assert!(tried > 200, "only {tried} documents");
}

#[test]
fn what_an_editor_can_see_is_refused() {
    let root = schema(None, Lang::En).unwrap();
    let of = ["unknown_key", "misplaced_key", "missing_key", "step_kind", "wrong_shape", "bad_value"];
    let mut refused = 0;
    for path in examples("bad") {
        let folder = name(path.parent().unwrap());
        for document in read(&path).iter().filter(|document| known(document) && of.contains(&folder.as_str())) {
            refused += usize::from(!valid(document, &root, &root));
        }
    }
    assert!(refused >= 6, "only {refused} bad examples are refused");
    let bad = json!({ "process": "gift", "tilte": "x", "steps": [{ "id": "a", "aprove": "x", "due": [1] }] });
    assert!(!valid(&bad, &root, &root));
    // An unknown key is seen wherever it stands.
    let step = |step: Json| json!({ "process": "gift", "steps": [step] });
    let test = |act: Json| json!({ "test": "x", "process": "gift", "now": "2026-03-02", "start": { "by": "li" }, "do": [act] });
    for (right, wrong) in [
        (
            step(json!({ "id": "a", "approve": "x", "due": "1 day", "overdue": { "notify": "x", "every": "1 day" } })),
            step(json!({ "id": "a", "approve": "x", "due": "1 day", "overdue": { "notfy": "x" } })),
        ),
        (
            step(json!({ "id": "a", "wait": "1 day" })),
            step(json!({ "id": "a", "wait": "1 day", "overdue": { "go": "next" } })),
        ),
        (
            step(json!({ "id": "a", "job": "x", "retry": { "times": 2 } })),
            step(json!({ "id": "a", "job": "x", "retry": { "time": 2 } })),
        ),
        (
            step(json!({ "id": "a", "task": "x", "undo": { "task": "x" } })),
            step(json!({ "id": "a", "task": "x", "undo": { "tsk": "x" } })),
        ),
        (
            step(json!({ "id": "a", "parallel": { "b": [] }, "join": 2 })),
            step(json!({ "id": "a", "parallel": { "b": [] }, "join": "some" })),
        ),
        (
            json!({ "process": "gift", "steps": [], "schedule": { "cron": "0 16 * * FRI", "by": "everyone" } }),
            json!({ "process": "gift", "steps": [], "schedule": { "corn": "0 16 * * FRI", "by": "everyone" } }),
        ),
        (
            json!({ "calendar": "c", "year": 2026, "week": { "mon-fri": ["09:00-12:00"], "sat": "09:00-12:00" } }),
            json!({ "calendar": "c", "year": 2026, "week": { "monday": ["09:00-12:00"] } }),
        ),
        (test(json!({ "approve": "a", "by": "li" })), test(json!({ "approve": "a", "byy": "li" }))),
        (
            test(json!({ "expect": { "task": "a", "mail": { "to": "li", "kind": "ended" } } })),
            test(json!({ "expect": { "tsk": "a" } })),
        ),
        (test(json!({ "refuse": { "reject": "a", "by": "li" } })), test(json!({ "refuse": { "rejct": "a" } }))),
    ] {
        assert!(valid(&right, &root, &root), "{right}");
        assert!(!valid(&wrong, &root, &root), "{wrong}");
    }
    let good = json!({ "process": "gift", "title": "x", "steps": [{ "id": "a", "approve": "x" }] });
    assert!(valid(&good, &root, &root));
}
