//! `POST /api/jobs/…`: a program fetches work, holds it, and says how it went.

use super::{ApiError, Program, Sent, named};
use crate::engine::state::Waiting;
use crate::model::json::ExactRecord;
use crate::model::text::Wording;
use crate::model::value::{Value, from_plain};
use crate::runtime::WaitRow;
use crate::runtime::jobs::lease_id;
use crate::web::WebState;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value as Plain, json};
use std::time::Duration;

/// The most characters of why a job failed.
const WHY: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Fetch {
    /// Which jobs: the name that the process gives.
    name: String,
    /// Who works on them, for people who look.
    #[serde(default)]
    worker: Option<String>,
    /// At most so many; 1 if not said.
    #[serde(default)]
    max: Option<u32>,
    /// How many seconds to wait for one where there is none.
    #[serde(default)]
    wait: u64,
}

/// Takes jobs; an empty list where there are none.
pub(in crate::web) async fn fetch(
    State(state): State<WebState>,
    program: Program,
    sent: Sent<Fetch>,
) -> Result<Json<Box<RawValue>>, ApiError> {
    let Json(fetch) = sent?;
    named("name", &fetch.name)?;
    let worker = fetch.worker.unwrap_or(program.name);
    named("worker", &worker)?;
    let wait = Duration::from_secs(fetch.wait);
    let rows = state.runtime().fetch_jobs(&fetch.name, &worker, fetch.max.unwrap_or(1), wait).await?;
    let given = Given { jobs: rows.iter().filter_map(job).collect() };
    to_raw_value(&given)
        .map(Json)
        .map_err(|_| ApiError::bad("作业的内容写不成 JSON。", "The job cannot be written as JSON."))
}

/// What a worker gets. It is written as text at once, as a tree of JSON would lose digits.
#[derive(Serialize)]
struct Given<'a> {
    jobs: Vec<Work<'a>>,
}

#[derive(Serialize)]
struct Work<'a> {
    job: String,
    name: &'a str,
    instance: String,
    step: &'a str,
    attempt: u16,
    until: DateTime<Utc>,
    input: ExactRecord<'a>,
}

fn job(row: &WaitRow) -> Option<Work<'_>> {
    let Waiting::Job { name, input, .. } = &row.waits else { return None };
    Some(Work {
        job: lease_id(row),
        name,
        instance: row.instance.to_string(),
        step: row.step.as_str(),
        attempt: row.attempt(),
        until: row.next_at,
        input: ExactRecord(input),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Extend {
    job: String,
    /// For how long from now.
    seconds: u64,
}

/// Holds a job for longer.
pub(in crate::web) async fn extend(
    State(state): State<WebState>,
    _: Program,
    sent: Sent<Extend>,
) -> Result<Json<Plain>, ApiError> {
    let Json(extend) = sent?;
    let until = state.runtime().extend_job(&extend.job, Duration::from_secs(extend.seconds)).await?;
    until.map(|until| Json(json!({ "until": until }))).ok_or_else(ApiError::lease_over)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Complete {
    job: String,
    /// What came of it, as the process reads it.
    #[serde(default)]
    result: Plain,
}

/// The work is done.
pub(in crate::web) async fn complete(
    State(state): State<WebState>,
    _: Program,
    sent: Sent<Complete>,
) -> Result<Json<Plain>, ApiError> {
    let Json(complete) = sent?;
    let data: Value = from_plain(&complete.result);
    let done = state.runtime().complete_job(&complete.job, data).await?;
    Ok(Json(json!({ "done": true, "repeated": done.repeated })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Fail {
    job: String,
    /// Why, for people.
    why: String,
    /// Whether it is no use to try again.
    #[serde(default)]
    permanent: bool,
    /// In how many seconds to try again; as the process says if not given.
    #[serde(default)]
    after: Option<u32>,
}

/// The work could not be done.
pub(in crate::web) async fn fail(
    State(state): State<WebState>,
    _: Program,
    sent: Sent<Fail>,
) -> Result<Json<Plain>, ApiError> {
    let Json(fail) = sent?;
    let why: String = fail.why.chars().take(WHY).collect();
    let runtime = state.runtime();
    let after = fail.after.map(|seconds| runtime.now() + TimeDelta::seconds(i64::from(seconds)));
    let done = runtime.fail_job(&fail.job, Wording::new(why.clone(), why), fail.permanent, after).await?;
    Ok(Json(json!({ "done": true, "repeated": done.repeated })))
}
