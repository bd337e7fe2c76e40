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
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let known =
                |key: &str| rules.get("properties").is_some_and(|known| known.get(key).is_some()) || key == "<<";
            object.iter().all(|(key, value)| known(key) || (what != &json!(false) && valid(value, what, root)))
        }),
        "if" => {
            let then = if valid(value, what, root) { "then" } else { "else" };
            rules.get(then).is_none_or(|schema| valid(value, schema, root))
        }
        "then" | "else" | "patternProperties" | "description" | "$schema" | "title" | "definitions" => true,
        other => panic!("the test does not know `{other}`"),
    })
}

/// A document as an editor sees it; `None` where it is no YAML.
fn read(path: &Path) -> Option<Json> {
    let text = std::fs::read(path).unwrap();
    let text = String::from_utf8(text).ok()?.replace("{init_year}", "2026");
    let mut sources = Sources::new();
    let id = sources.add(name(path), text);
    data(id, &sources).ok().map(|data| as_json(&data))
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
fn what_is_right_is_valid() {
    let root = schema(None, Lang::En).unwrap();
    let mut tried = 0;
    let shipped = ["processes", "docs/starter/zh", "docs/starter/en"].map(|folder| files(&project(folder), ".yaml"));
    for path in shipped.into_iter().flatten().chain(examples("good")) {
        let Some(document) = read(&path).filter(known) else { continue };
        assert!(valid(&document, &root, &root), "{} should be valid", path.display());
        for kind in schema_kinds().filter(|kind| document.get(kind).is_some()) {
            let own = schema(Some(kind), Lang::Zh).unwrap();
            assert!(valid(&document, &own, &own) || document.get("process").is_some(), "{} as {kind}", path.display());
        }
        tried += 1;
    }
    assert!(tried > 60, "only {tried} files");
}

#[test]
fn what_an_editor_can_see_is_refused() {
    let root = schema(None, Lang::En).unwrap();
    let of = ["unknown_key", "misplaced_key", "missing_key", "step_kind", "wrong_shape", "bad_value"];
    let mut refused = 0;
    for path in examples("bad") {
        let folder = name(path.parent().unwrap());
        let Some(document) = read(&path).filter(known).filter(|_| of.contains(&folder.as_str())) else { continue };
        refused += usize::from(!valid(&document, &root, &root));
    }
    assert!(refused >= 6, "only {refused} bad examples are refused");
    let bad = json!({ "process": "gift", "tilte": "x", "steps": [{ "id": "a", "aprove": "x", "due": [1] }] });
    assert!(!valid(&bad, &root, &root));
    let good = json!({ "process": "gift", "title": "x", "steps": [{ "id": "a", "approve": "x" }] });
    assert!(valid(&good, &root, &root));
}
