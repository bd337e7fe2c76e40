//! The files that tests hand in. They are made up: a name says what such a file is, and beside it may stand its size.
//! No disk is looked at, so a test says the same everywhere; what a field accepts is judged when the test is played.

use crate::model::file::{File, clean_name, read_size};
use crate::model::form::{Field, FieldKind};
use crate::model::input::Misread;
use crate::model::text::Wording;
use serde_json::Value as Json;

/// How many bytes a file has where its test does not say.
const BYTES: u64 = 10 * 1024;

/// What was written, with a made-up file wherever a field of files names one; and what names none, by its path below
/// the field.
pub(super) fn with_files(field: &Field, json: Json) -> (Json, Vec<Misread>) {
    let mut wrong = Vec::new();
    let made = made(field, json, "", &mut wrong);
    (made, wrong)
}

fn made(field: &Field, json: Json, path: &str, wrong: &mut Vec<Misread>) -> Json {
    let below =
        |part: &dyn std::fmt::Display| if path.is_empty() { part.to_string() } else { format!("{path}.{part}") };
    match (&field.kind, json) {
        (FieldKind::List(columns), Json::Array(rows)) => {
            let row = |(number, row): (usize, Json)| match row {
                Json::Object(cells) => {
                    let cell = |(name, cell): (String, Json)| match columns.get(name.as_str()) {
                        Some(column) => {
                            let cell = made(column, cell, &below(&format!("{number}.{name}")), wrong);
                            (name, cell)
                        }
                        None => (name, cell),
                    };
                    Json::Object(cells.into_iter().map(cell).collect())
                }
                other => other,
            };
            Json::Array(rows.into_iter().enumerate().map(row).collect())
        }
        (FieldKind::File(_), Json::Array(files)) if field.many => {
            let files = files.into_iter().enumerate();
            Json::Array(files.map(|(number, file)| one(field, file, below(&number), wrong)).collect())
        }
        (FieldKind::File(_), file) => one(field, file, path.to_owned(), wrong),
        (_, json) => json,
    }
}

fn one(field: &Field, json: Json, path: String, wrong: &mut Vec<Misread>) -> Json {
    let file = match &json {
        Json::Null => return json,
        // What a recorded case handed in.
        Json::String(text) if text.parse::<File>().is_ok() => return json,
        Json::String(name) => named(name, BYTES),
        Json::Object(parts) if parts.keys().all(|part| part == "file" || part == "size") => {
            let text = |part: &str| parts.get(part).and_then(Json::as_str);
            let size = if parts.contains_key("size") { text("size").and_then(read_size) } else { Some(BYTES) };
            text("file").zip(size).and_then(|(name, size)| named(name, size))
        }
        _ => None,
    };
    match file {
        Some(file) => Json::String(file.to_string()),
        None => {
            wrong.push(Misread { path, title: field.title.clone(), what: not_a_file(&json) });
            Json::Null
        }
    }
}

fn named(name: &str, size: u64) -> Option<File> {
    let plain = !name.starts_with('@') && clean_name(name) == name;
    plain.then(|| File::made_up(name, size))
}

fn not_a_file(json: &Json) -> Wording {
    let written = match json {
        Json::Object(parts) => parts.get("file").and_then(Json::as_str),
        other => other.as_str(),
    };
    let name = written.map(|text| clean_name(text.trim_start_matches('@'))).filter(|name| name.contains('.'));
    let name = name.as_deref().unwrap_or("a.pdf");
    Wording::new(
        format!("测试里的文件是假想的，只写名字：`{name}`；要说大小，写 `{{ file: {name}, size: 2 MB }}`。"),
        format!(
            "The files of a test are made up: write the name alone, `{name}`, or `{{ file: {name}, size: 2 MB }}`."
        ),
    )
}
