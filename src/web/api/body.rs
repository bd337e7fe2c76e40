//! What is wrong with the JSON that a program sent, in words of both languages.
//!
//! The library that reads it says so in one language; which key is meant and where it stands is read out of that,
//! and a sentence that is not known becomes a general one, never a foreign one.

use crate::model::text::Wording;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;

/// What to write instead.
pub(super) fn wording(wrong: &JsonRejection) -> Wording {
    let text = wrong.body_text();
    match wrong {
        JsonRejection::MissingJsonContentType(_) => Wording::new(
            "请求要带请求头 `Content-Type: application/json`。",
            "The request needs the header `Content-Type: application/json`.",
        ),
        JsonRejection::JsonSyntaxError(_) => match place(&text) {
            Some((line, column)) => Wording::new(
                format!("请求的内容不是 JSON：第 {line} 行第 {column} 列读不下去。"),
                format!("The body is not JSON: it cannot be read at line {line}, column {column}."),
            ),
            None => Wording::new("请求的内容不是 JSON。", "The body is not JSON."),
        },
        JsonRejection::JsonDataError(_) => data(&text),
        _ if wrong.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Wording::new("请求太大，没有采用。", "The request is too large and was not taken.")
        }
        _ => Wording::new("请求没有完整收到。", "The request did not arrive whole."),
    }
}

/// Where it stands: `… at line 1 column 9`.
fn place(text: &str) -> Option<(u32, u32)> {
    let (_, place) = text.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// JSON of another shape than is asked for.
fn data(text: &str) -> Wording {
    // What comes first says only that it is so.
    let said = text.split_once(": ").map_or(text, |(_, said)| said);
    if let Some(name) = quoted_after(said, "missing field ") {
        return Wording::new(format!("缺少 `{name}`。"), format!("`{name}` is missing."));
    }
    if let Some(name) = quoted_after(said, "duplicate field ") {
        return Wording::new(format!("`{name}` 写了两次。"), format!("`{name}` stands there twice."));
    }
    if let Some(name) = quoted_after(said, "unknown field ") {
        let known: Vec<&str> =
            said.split("expected").nth(1).unwrap_or_default().split('`').skip(1).step_by(2).collect();
        return Wording::new(
            format!("没有 `{name}` 这一项。可以写的有：{}。", known.join("、")),
            format!("There is no `{name}`. These can be written: {}.", known.join(", ")),
        );
    }
    let Some((path, fault)) = said.split_once(": ").filter(|(path, _)| !path.contains(' ')) else {
        return Wording::new("请求的内容要是一个 JSON 对象。", "The body should be a JSON object.");
    };
    let wanted = fault.split_once("expected ").map_or("", |(_, wanted)| wanted);
    let (zh, en) = match wanted.split(" at line ").next().unwrap_or_default() {
        "a string" => ("一段文字", "a text"),
        "u16" | "u32" | "u64" => ("不小于 0 的整数", "a whole number that is not below 0"),
        "a boolean" => (" true 或 false", "true or false"),
        _ => return Wording::new(format!("`{path}` 不能用。"), format!("`{path}` cannot be used.")),
    };
    Wording::new(format!("`{path}` 要是{zh}。"), format!("`{path}` should be {en}."))
}

/// The name in backticks after some words.
fn quoted_after<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(words)?;
    rest.split('`').nth(1)
}
