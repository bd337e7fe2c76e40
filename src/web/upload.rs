//! What a page's form sends: pairs of a name and a text, and files.
//!
//! A form without boxes for files is URL-encoded, one with them is multipart. A file is written to the disk as it
//! comes in, hashed and counted by a thread of its own, and stands among the pairs as one line that names it. What
//! the page showed as kept comes back sealed: nobody can hand in a file that this page did not show or take.
//!
//! Nothing is taken for a field that is not asked, and no more in an hour by one link than [`super::limit`] allows.

use super::limit::HOUR;
use super::{BODY, PATIENCE, WebError, WebState};
use crate::model::file::{self, File, FileRule};
use crate::model::form::{Field, FieldKind, Form, field_at};
use crate::model::text::Wording;
use crate::runtime::access::Visit;
use crate::runtime::{Incoming, Refused};
use axum::extract::multipart::{Field as Part, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use std::time::Instant;
use tokio::sync::mpsc;

/// Names and texts, as they were sent.
pub(super) type Pairs = Vec<(String, String)>;

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Texts, and a line for each file.
    pub(super) pairs: Pairs,
    /// Files that were not taken, by path.
    pub(super) faults: Vec<(String, Wording)>,
}

/// Reads what was sent to a visit's page. `form` is what it asks now: nothing else takes a file.
pub(super) async fn read(
    state: &WebState,
    visit: &Visit,
    form: Option<&Form>,
    request: Request,
) -> Result<Sent, WebError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut sent = if kind.starts_with("multipart/form-data") {
        if form.is_some_and(|form| !form.values().any(Field::takes_files)) {
            return Err(WebError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let multipart = Multipart::from_request(request, &()).await;
        let multipart = multipart.map_err(|rejection| WebError::of_status(rejection.status()))?;
        parts(state, visit, form, multipart).await?
    } else {
        Sent { pairs: plain(request).await?, faults: Vec::new() }
    };
    let Some(form) = form else { return Ok(sent) };
    for (path, text) in &mut sent.pairs {
        // Lines that were written here have no seal yet; those that came from outside need one.
        if !text.is_empty() && field_at(form, path).is_some_and(|field| matches!(field.kind, FieldKind::File(_))) {
            match text.strip_prefix(TAKEN) {
                Some(line) => *text = line.to_owned(),
                None => {
                    let (seal, line) = text.split_once(' ').unwrap_or_default();
                    let own = state.access.sealed(visit, line, seal).then(|| line.to_owned());
                    if own.is_none() {
                        sent.faults.push((path.clone(), file::gone(path)));
                    }
                    *text = own.unwrap_or_default();
                }
            }
        }
    }
    Ok(sent)
}

/// What marks a line as written by this request. No text of a form can hold it: multipart texts are cleaned of it.
const TAKEN: char = '\u{0}';

async fn plain(request: Request) -> Result<Pairs, WebError> {
    let (head, body) = request.into_parts();
    let read = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, BODY));
    let bytes = read.await.map_err(|_| WebError::of_status(StatusCode::REQUEST_TIMEOUT))?;
    let bytes = bytes.map_err(|_| WebError::of_status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let request = Request::from_parts(head, bytes.into());
    let pairs = axum::Form::<Pairs>::from_request(request, &()).await;
    let axum::Form(mut pairs) = pairs.map_err(|rejection| WebError::of_status(rejection.status()))?;
    for (_, text) in &mut pairs {
        text.retain(|c| c != TAKEN);
    }
    Ok(pairs)
}

async fn parts(
    state: &WebState,
    visit: &Visit,
    form: Option<&Form>,
    mut multipart: Multipart,
) -> Result<Sent, WebError> {
    let (mut sent, mut texts) = (Sent::default(), 0);
    while let Some(mut part) = multipart.next_field().await.map_err(cut)? {
        let Some(path) = part.name().map(str::to_owned) else { continue };
        let Some(name) = part.file_name().map(str::to_owned) else {
            let mut text = Vec::new();
            while let Some(chunk) = part.chunk().await.map_err(cut)? {
                texts += chunk.len();
                if texts > BODY {
                    return Err(WebError::of_status(StatusCode::PAYLOAD_TOO_LARGE));
                }
                text.extend_from_slice(&chunk);
            }
            let text = String::from_utf8(text).map_err(|_| WebError::not_ours())?;
            sent.pairs.push((path, text.chars().filter(|c| *c != TAKEN).collect()));
            continue;
        };
        let rule = form.and_then(|form| field_at(form, &path)).and_then(|field| match &field.kind {
            FieldKind::File(rule) => Some(rule),
            _ => None,
        });
        // A box for files that was left alone sends one without a name.
        let Some(rule) = rule.filter(|_| !name.is_empty()) else {
            sent.pairs.push((path, String::new()));
            continue;
        };
        match take(state, visit, &name, rule, &mut part).await? {
            Ok(file) => sent.pairs.push((path, format!("{TAKEN}{file}"))),
            Err(what) => sent.faults.push((path, what)),
        }
    }
    Ok(sent)
}

/// Streams one file to where files are kept; the words are why its field does not take it.
async fn take(
    state: &WebState,
    visit: &Visit,
    name: &str,
    rule: &FileRule,
    part: &mut Part<'_>,
) -> Result<Result<File, Wording>, WebError> {
    let incoming = state.runtime().files().receive(name, rule)?;
    let (chunks, waiting) = mpsc::channel(8);
    let writing = tokio::task::spawn_blocking(move || write(incoming, waiting));
    let most = state.options.limits.upload;
    while let Some(chunk) = part.chunk().await.map_err(cut)? {
        let kilobytes = u32::try_from(chunk.len() / 1024 + 1).unwrap_or(u32::MAX);
        let key = ("upload", visit.row.id);
        state.limiter.spend(key, kilobytes, most, HOUR, Instant::now()).map_err(WebError::too_much)?;
        // The writer refused it: the words follow.
        if chunks.send(chunk).await.is_err() {
            break;
        }
    }
    drop(chunks);
    match writing.await.map_err(|_| WebError::ours())? {
        Ok(file) => Ok(Ok(file)),
        Err(Refused::Unfit(what)) => Ok(Err(what)),
        Err(Refused::Trouble(error)) => Err(error.into()),
    }
}

fn write(mut incoming: Incoming, mut waiting: mpsc::Receiver<axum::body::Bytes>) -> Result<File, Refused> {
    while let Some(chunk) = waiting.blocking_recv() {
        incoming.write(&chunk)?;
    }
    incoming.finish()
}

fn cut(error: MultipartError) -> WebError {
    WebError::of_status(error.status())
}
