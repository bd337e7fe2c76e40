//! For machines: whether this server is well.

use super::{WebError, WebState};
use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// What `/health` answers.
#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
    /// The number of the deployment that is live; 0 where nothing was deployed yet.
    deployment: u64,
    /// Instances that wait for an operator.
    incidents: u64,
    /// Mails that were given up.
    mails_failed: u64,
}

/// Answers 200 while the database answers; 503 or 500 where it does not. One read, no row is written.
pub(super) async fn health(State(state): State<WebState>) -> Result<Json<Health>, WebError> {
    let counts = state.runtime().counts().await?;
    Ok(Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        deployment: state.runtime().live().number,
        incidents: counts.incidents,
        mails_failed: counts.mails_failed,
    }))
}
