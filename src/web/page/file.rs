//! `/t/<ticket>/file/<field>/<n>`: a file of the case, to be kept and never shown.
//!
//! It goes to whoever the link is of, for as long as the task that they are or were asked shows its field, and only
//! as a download: no browser opens it as a page of ours, whatever it holds.

use crate::effects::view::{Shown, attached};
use crate::engine::data_by_now;
use crate::model::file::{File, KINDS};
use crate::model::id::FieldName;
use crate::runtime::Content;
use crate::runtime::access::Standing;
use crate::web::guard::OwnPolicy;
use crate::web::{WebError, WebState};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

/// The policy of a download: even a browser that opens it runs nothing.
const POLICY: &str = "default-src 'none'; sandbox";

/// Sends a file.
pub(in crate::web) async fn send(
    State(state): State<WebState>,
    path: Result<Path<(String, String, usize)>, PathRejection>,
) -> Result<Response, WebError> {
    let Path((ticket, path, number)) = path.map_err(|_| WebError::nothing())?;
    let visit = state.access.open(&ticket).await?;
    if !matches!(visit.standing, Standing::Asked | Standing::Answered { .. }) {
        return Err(WebError::nothing());
    }
    let case = &visit.case;
    let field = FieldName::from(path.split('.').next().unwrap_or_default());
    let own = visit.form().is_some_and(|form| form.contains_key(&field));
    let shown = if own { Shown::EVERYTHING } else { Shown::at(&case.definition, &visit.row.step, visit.kind) };
    let by_now = data_by_now(&case.definition, &case.state, visit.asked().map(|(task, _)| task.token));
    let file = attached(&shown.of(&by_now), &path, number).cloned().ok_or_else(WebError::nothing)?;
    let Some(content) = state.runtime().files().open(&file)? else {
        tracing::error!(hash = %file.sha256, "the content of a file is not there");
        return Err(WebError::file_gone());
    };
    let body = match content {
        Content::Bytes(bytes) => Body::from(bytes.to_vec()),
        Content::File(file) => {
            Body::from_stream(tokio_util::io::ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 * 1024))
        }
    };
    let known = KINDS.iter().any(|row| row.media.contains(&&*file.media));
    let media = if known { &*file.media } else { "application/octet-stream" };
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_LENGTH, file.size.to_string()),
        (header::CONTENT_DISPOSITION, disposition(&file)),
    ];
    let mut response = (headers, body).into_response();
    response.extensions_mut().insert(OwnPolicy(POLICY));
    Ok(response)
}

/// As a download, under its own name: RFC 6266, with plain letters for programs that know no others.
fn disposition(file: &File) -> String {
    let plain: String =
        file.name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_. ()".contains(c) { c } else { '_' }).collect();
    let mut exact = String::with_capacity(file.name.len() * 3);
    for byte in file.name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            exact.push(char::from(byte));
        } else {
            let _ = write!(exact, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}
