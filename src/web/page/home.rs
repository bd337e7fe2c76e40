//! `/`: the mailboxes while trying things out, else a calm page that says where things are.

use crate::effects::format::Words;
use crate::model::text::Lang;
use crate::web::{Frame, WebError, WebState, guard};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Message {
    heading: String,
    lines: Vec<String>,
    amber: bool,
}

/// Shows it.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    if state.options.mailbox.is_some() {
        return Ok(Redirect::to("/mailbox").into_response());
    }
    let frame = Frame::new(accepted(&headers), guard::chosen(query.as_deref()), "");
    let directory = state.runtime().directory();
    let words = Words {
        lang: frame.lang,
        zone: state.runtime().calendar().zone,
        home: state.runtime().calendar().zone,
        now: state.runtime().now(),
        directory: &directory,
        live: &[],
    };
    let message = Message {
        heading: words.pick("这里运行着会签", "Countersign runs here").into(),
        lines: vec![
            words
                .pick(
                    "要处理的事情都在邮件里：打开邮件中的链接即可，不需要账号。",
                    "Whatever you are asked comes by mail: open the link in it. No account is needed.",
                )
                .into(),
        ],
        amber: false,
    };
    Ok(state.page("message.html", frame, message)?.into_response())
}

/// The language that a browser asks for.
pub(super) fn accepted(headers: &HeaderMap) -> Lang {
    let list = headers.get("accept-language").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tag = |tag: &str| Lang::from_locale(tag.split(';').next().unwrap_or_default().trim());
    list.split(',').find_map(tag).unwrap_or_default()
}
