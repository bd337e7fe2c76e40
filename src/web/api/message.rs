//! `POST /api/messages`: a program leaves a message for whoever waits for it.

use super::{ApiError, Program, Sent, named};
use crate::model::value::from_plain;
use crate::web::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value as Plain, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Message {
    /// What happened: the name that processes wait for.
    name: String,
    /// Whose it is: what tells it from messages of the same name.
    #[serde(default)]
    key: Option<String>,
    /// What it says.
    #[serde(default)]
    data: Plain,
    /// Its own id: the same message again has the same, and is no second one.
    id: String,
}

/// Keeps a message. Once this is answered, it is stored.
pub(in crate::web) async fn leave(
    State(state): State<WebState>,
    _: Program,
    sent: Sent<Message>,
) -> Result<Json<Plain>, ApiError> {
    let Json(message) = sent?;
    named("name", &message.name)?;
    named("id", &message.id)?;
    if let Some(key) = &message.key {
        named("key", key)?;
    }
    let data = from_plain(&message.data);
    let new = state.runtime().message(&message.id, &message.name, message.key.as_deref(), data).await?;
    let known = state.runtime().is_heard(&message.name).await?;
    Ok(Json(json!({ "id": message.id, "new": new, "known": known })))
}
