//! For programs: whether this server is well, jobs to work on, messages to leave.
//!
//! All but `/health` needs a key (`Authorization: Bearer …`, made by `countersign keys api add`), from this machine
//! too; where no key was made, nobody is let in. A key is counted against its name, a wrong one against the
//! network that it came from. Every error is JSON with a code that stays and words in both languages.

mod body;
pub(super) mod job;
pub(super) mod message;

use super::guard::{Worded, address};
use super::limit::network;
use super::{WebError, WebState};
use crate::effects::apikey::ApiKeys;
use crate::engine::refusal::{Refusal, ResultFault};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::runtime::{Denied, Error};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::json;
use std::time::Instant;

/// How often one key may ask in a minute.
const PER_KEY: u32 = 6_000;

/// How often a network may come with a wrong key in a minute.
const WRONG: u32 = 30;

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

/// What went wrong, for a program: a status, a code that stays, and words for who reads its log.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    what: Wording,
    retry: Option<u64>,
    /// What is wrong with a result or a message, each for itself.
    faults: Vec<ResultFault>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> ApiError {
        ApiError { status, code, what: Wording::new(zh, en), retry: None, faults: Vec::new() }
    }

    /// What was sent cannot be used.
    fn bad(zh: impl Into<String>, en: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", zh, en)
    }

    /// The error of a status that no handler chose: an unknown address or method, a body that is too large.
    pub(super) fn of_status(status: StatusCode) -> ApiError {
        let (code, zh, en) = match status {
            StatusCode::NOT_FOUND => ("not_found", "没有这个接口地址。", "There is no such address of the API."),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("wrong_method", "这个地址只接受 POST。", "This address takes POST only.")
            }
            StatusCode::REQUEST_TIMEOUT => ("too_slow", "等得太久了，请再试。", "That took too long; try again."),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("bad_request", "请求太大，没有采用。", "The request is too large and was not taken.")
            }
            status if status.is_server_error() => {
                ("failed", "服务器出错了，什么都没有记录。", "Something went wrong here; nothing was recorded.")
            }
            _ => ("bad_request", "请求不对，没有采用。", "The request is not right and was not taken."),
        };
        ApiError::new(status, code, zh, en)
    }

    /// What was sent can be read, but no step can take it.
    fn unusable(code: &'static str, refusal: &Refusal, faults: &[ResultFault]) -> ApiError {
        let what = refusal.wording(&Directory::default(), Tz::UTC);
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, what.zh, what.en);
        ApiError { faults: faults.to_vec(), ..error }
    }

    fn refused() -> ApiError {
        ApiError::new(StatusCode::CONFLICT, "refused", "没有采用。", "It was not taken.")
    }

    /// Whoever answers no longer holds the job.
    fn lease_over() -> ApiError {
        ApiError::new(
            StatusCode::CONFLICT,
            "lease_over",
            "这件作业已不归您：租期已过，或者案例已经继续。结果没有采用。",
            "The job is no longer yours: its lease is over, or the case went on. The result was not taken.",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "zh": self.what.zh, "en": self.what.en });
        if !self.faults.is_empty() {
            let faults = self.faults.iter();
            body["faults"] = faults
                .map(|one| json!({ "path": one.path, "field": one.field.as_str(), "zh": one.what.zh, "en": one.what.en }))
                .collect();
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Worded);
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> ApiError {
        let page = WebError::from(error);
        let code = if page.retry.is_some() { "busy" } else { "failed" };
        ApiError { status: page.status, code, what: page.heading, retry: page.retry, faults: Vec::new() }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> ApiError {
        match denied {
            Denied::Unavailable(error) => error.into(),
            Denied::Refused(refusal, _) => match &refusal {
                Refusal::NotWaiting => ApiError::lease_over(),
                Refusal::BadResult(faults) => ApiError::unusable("bad_result", &refusal, faults),
                Refusal::BadMessage { faults, .. } => ApiError::unusable("bad_message", &refusal, faults),
                _ => ApiError::refused(),
            },
            Denied::NoProcess { .. } => ApiError::refused(),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(wrong: JsonRejection) -> ApiError {
        ApiError { status: wrong.status(), what: body::wording(&wrong), ..ApiError::bad("", "") }
    }
}

/// What a program sends.
pub(super) type Sent<T> = Result<Json<T>, JsonRejection>;

/// A program that proved its key.
pub(super) struct Program {
    /// What the key is called.
    pub(super) name: String,
}

impl FromRequestParts<WebState> for Program {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Program, ApiError> {
        let too_often = |seconds| ApiError {
            retry: Some(seconds),
            ..ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_often",
                "太频繁了，请稍后再试。",
                "Too often; try again later.",
            )
        };
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|text| text.strip_prefix("Bearer ")).map(str::trim).unwrap_or_default();
        let keys = match &state.options.api_keys {
            Some(path) => ApiKeys::open(path).map_err(|what| {
                tracing::error!(%what, "the keys of the API cannot be read");
                ApiError::from(Error::busy())
            })?,
            None => ApiKeys::default(),
        };
        let now = Instant::now();
        let Some(name) = keys.prove(given) else {
            let from = network(address(state, &parts.headers, &parts.extensions));
            state.limiter.take(("api", from), WRONG, now).map_err(too_often)?;
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "no_key",
                "需要接口密钥：Authorization: Bearer <密钥>。用 `countersign keys api add 名称` 生成。",
                "A key of the API is needed: Authorization: Bearer <key>. `countersign keys api add NAME` makes one.",
            ));
        };
        state.limiter.take(("key", name), PER_KEY, now).map_err(too_often)?;
        Ok(Program { name: name.to_owned() })
    }
}

/// A name that a program chose: short, and one line.
fn named(what: &'static str, text: &str) -> Result<(), ApiError> {
    if text.trim().is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(ApiError::bad(
            format!("`{what}` 要是 1 到 200 个字的一行文字。"),
            format!("`{what}` should be one line of 1 to 200 characters."),
        ));
    }
    Ok(())
}
