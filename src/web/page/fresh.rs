//! `/t/<ticket>/fresh`: “send me a fresh link”. POST mails the registered address of the link's person, and no
//! other; what the visitor sees does not depend on anything but the link.

use super::{Around, Desk};
use crate::effects::format::masked;
use crate::model::text::Lang;
use crate::runtime::Denied;
use crate::web::{WebError, WebState};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Message {
    heading: String,
    lines: Vec<String>,
    amber: bool,
}

/// Asks for the mail.
pub(in crate::web) async fn send(
    State(state): State<WebState>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let Path(ticket) = path.map_err(|_| WebError::nothing())?;
    let visit = state.access.open(&ticket).await?;
    let around = Around::of(&state, &visit).await?;
    let desk = Desk::new(&state, &visit, &around, &ticket, query.as_deref());
    let page = match state.access.resend(&visit).await {
        Ok(true) => format!("{}/fresh", desk.path),
        // Nothing is asked of them any more: the link's own page says so.
        Ok(false) | Err(Denied::Refused(..)) => desk.path.clone(),
        Err(denied) => return Err(denied.into()),
    };
    Ok(Redirect::to(&desk.frame.link(&page)).into_response())
}

/// Says that it is on its way.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let Path(ticket) = path.map_err(|_| WebError::nothing())?;
    let visit = state.access.open(&ticket).await?;
    let around = Around::of(&state, &visit).await?;
    let desk = Desk::new(&state, &visit, &around, &ticket, query.as_deref());
    if visit.open_elsewhere_or_here().is_none() {
        return Ok(Redirect::to(&desk.frame.link(&desk.path)).into_response());
    }
    let registered = visit.directory.people.get(&visit.row.person).and_then(|person| person.mail.as_deref());
    let mail = registered.map(masked).unwrap_or_default();
    let (heading, lines) = match desk.words.lang {
        Lang::Zh => (
            "新链接已在路上",
            vec![
                format!("它会发到 {} 登记的邮箱 {mail}，通常不到一分钟。", desk.name()),
                "五分钟内只发一次；没收到的话，请看看垃圾邮件，或联系管理员。".to_owned(),
            ],
        ),
        Lang::En => (
            "A fresh link is on its way",
            vec![
                format!("It goes to the registered mailbox of {}, {mail}, usually within a minute.", desk.name()),
                "It is sent once in five minutes. If it does not come, look among junk mail or ask an operator."
                    .to_owned(),
            ],
        ),
    };
    let message = Message { heading: heading.into(), lines, amber: false };
    Ok(state.page("message.html", desk.frame.clone(), message)?.into_response())
}
