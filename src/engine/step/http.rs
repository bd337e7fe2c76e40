//! `http`: a call of another system. It is sent after the command is stored, as often as `retry` says.
//!
//! ```text
//! enter ─→ waits ─┬─ Answer ─┬─ its values are taken ─→ next
//!                 │          └─ they are not there ─→ `on: { failed: … }`, else an incident
//!                 └─ Fail ─┬─ tries left ─→ Postponed
//!                          └─ none ─→ `on: { failed: … }`, else an incident
//! ```

use super::{Flow, trouble};
use crate::engine::event::Trouble;
use crate::engine::human;
use crate::engine::run::Run;
use crate::engine::state::{Part, Request, Waiting};
use crate::engine::undo;
use crate::model::control::{Http, Piece};
use crate::model::id::{FieldName, StepId, TokenId};
use crate::model::value::{Record, Value, plain};
use std::sync::Arc;

/// Puts the request together and waits for its answer.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, http: &Http) -> Flow {
    let request = match request(run, token, http) {
        Ok(request) => Arc::new(request),
        Err(what) => return Flow::Stop(what),
    };
    match human::wait(run, token, id, Waiting::Http { attempt: 1, at: undo::not_before(run), request }) {
        Ok(()) => Flow::Wait,
        Err(what) => Flow::Stop(what),
    }
}

fn request(run: &Run<'_>, token: TokenId, http: &Http) -> Result<Request, Trouble> {
    let mut headers = Vec::with_capacity(http.headers.len());
    for (name, pieces) in &http.headers {
        headers.push((name.clone(), parts(run, token, pieces, false)?));
    }
    let mut body = Record::new();
    for (name, formula) in &http.body {
        let value = run.evaluate(token, formula, None).map_err(|failure| trouble("body", &failure))?;
        body.insert(FieldName::from(&**name), value);
    }
    let body = (!body.is_empty()).then_some(Value::Record(body));
    Ok(Request { method: http.method.clone(), url: parts(run, token, &http.url, true)?, headers, body })
}

fn parts(run: &Run<'_>, token: TokenId, pieces: &[Piece], address: bool) -> Result<Vec<Part>, Trouble> {
    let place = if address { "http" } else { "headers" };
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => Ok(Part::Text(text.clone())),
            Piece::Secret(name) => Ok(Part::Secret(name.clone())),
            Piece::Value(formula) => {
                let value = run.evaluate(token, formula, None).map_err(|failure| trouble(place, &failure))?;
                let text = match plain(&value) {
                    serde_json::Value::String(text) => text,
                    serde_json::Value::Null => String::new(),
                    other => other.to_string(),
                };
                Ok(Part::Text(if address { encoded(&text) } else { text }.into()))
            }
        })
        .collect()
}

/// A value inside an address: all but unreserved characters percent-encoded (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
