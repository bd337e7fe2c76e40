//! The pages: GET shows, POST decides.
//!
//! ```text
//! request → guard (address, rate, origin) → router → page: parse, load, act, answer
//!                                              └→ WebError ─┐
//! response ← headers, no-store ← words of the reader's language ┘
//! ```
//!
//! A link in a mail opens `/t/<ticket>` and nothing else ever comes of a GET or HEAD: no page writes a row, sets a
//! cookie or runs a script. A form on that page decides, with a choice that nobody made for the reader. Who acts
//! is what the ticket proves (`runtime::access`); no handler can make an actor of its own.
//!
//! Invariant: knows no store, no SQL and no `decide`; no ticket reaches a log, an error or another address.

mod api;
mod asset;
mod error;
mod form;
mod guard;
mod limit;
mod listen;
mod page;
mod upload;

pub use error::WebError;
pub use limit::Limits;

use crate::effects::mailbox::Mailbox;
use crate::effects::template::Templates;
use crate::model::text::Lang;
use crate::runtime::Runtime;
use crate::runtime::access::Access;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// The most bytes of a form.
const BODY: usize = 1024 * 1024;
/// The most bytes of a form with files.
const UPLOAD: usize = 256 * 1024 * 1024;
/// The longest that a request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest that a form with files may take.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(600);

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// What stands at the top of every page.
    pub brand: String,
    /// How often somebody may knock.
    pub limits: Limits,
    /// Whether a proxy of ours stands in front and says in `X-Forwarded-For` who knocks.
    pub behind_proxy: bool,
    /// The file of the keys of programs; without it the API is closed.
    pub api_keys: Option<PathBuf>,
    /// Everybody's mail, for trying things out; its pages are there only with it.
    pub mailbox: Option<Mailbox>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            brand: "Countersign 会签".into(),
            limits: Limits::default(),
            behind_proxy: false,
            api_keys: None,
            mailbox: None,
        }
    }
}

/// What every handler works with; cheap to clone.
#[derive(Clone, Debug)]
pub struct WebState {
    access: Access,
    templates: Arc<Templates>,
    options: Arc<Options>,
    limiter: Arc<limit::Limiter>,
}

impl WebState {
    /// The state of a server.
    pub fn new(access: Access, templates: Arc<Templates>, options: Options) -> WebState {
        WebState { access, templates, options: Arc::new(options), limiter: Arc::default() }
    }

    fn runtime(&self) -> &Runtime {
        self.access.runtime()
    }

    /// A page of a template.
    fn page(&self, template: &str, frame: Frame, content: impl Serialize) -> Result<Html<String>, WebError> {
        #[derive(Serialize)]
        struct Context<C> {
            en: bool,
            brand: String,
            style: &'static str,
            icon: &'static str,
            home: Option<String>,
            other: Option<String>,
            #[serde(flatten)]
            content: C,
        }
        let context = Context {
            en: frame.lang == Lang::En,
            brand: self.options.brand.clone(),
            style: asset::style(),
            icon: asset::icon(),
            home: self.options.mailbox.as_ref().map(|_| match frame.chosen {
                Some(lang) => format!("/mailbox?lang={}", lang.tag()),
                None => "/mailbox".to_owned(),
            }),
            other: frame.other,
            content,
        };
        self.templates.render(&format!("page/{template}"), context, frame.lang).map(Html).map_err(|problem| {
            tracing::error!(template, line = problem.line, what = %problem.what, "a page could not be rendered");
            WebError::ours()
        })
    }
}

/// In which language a page is, and how its reader gets the other one.
#[derive(Clone, Debug)]
struct Frame {
    lang: Lang,
    /// The language that the address asks for.
    chosen: Option<Lang>,
    /// The same page in the other language.
    other: Option<String>,
}

impl Frame {
    /// The frame of a page that is at `path`, for a reader of `own` who may have asked for another language.
    fn new(own: Lang, chosen: Option<Lang>, path: &str) -> Frame {
        let lang = chosen.unwrap_or(own);
        let other = if lang == Lang::Zh { Lang::En } else { Lang::Zh };
        let glue = if path.contains('?') { '&' } else { '?' };
        Frame { lang, chosen, other: Some(format!("{path}{glue}lang={}", other.tag())) }
    }

    /// An address of ours that keeps the language that was asked for.
    fn link(&self, path: &str) -> String {
        match self.chosen {
            Some(lang) if path.contains('?') => format!("{path}&lang={}", lang.tag()),
            Some(lang) => format!("{path}?lang={}", lang.tag()),
            None => path.to_owned(),
        }
    }
}

/// All routes with their layers.
pub fn router(state: WebState) -> Router {
    let mut router = Router::new()
        .route("/", get(page::home::show))
        .route("/health", get(api::health))
        .route("/api/jobs/fetch", post(api::job::fetch))
        .route("/api/jobs/extend", post(api::job::extend))
        .route("/api/jobs/complete", post(api::job::complete))
        .route("/api/jobs/fail", post(api::job::fail))
        .route("/api/messages", post(api::message::leave))
        .route("/t/{ticket}/fresh", get(page::fresh::show).post(page::fresh::send))
        .route("/assets/{name}", get(asset::send));
    let files = Router::new()
        .route("/t/{ticket}", get(page::task::show).post(page::task::decide))
        .route("/t/{ticket}/file/{field}/{number}", get(page::file::send))
        .layer(DefaultBodyLimit::max(UPLOAD))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, UPLOAD_PATIENCE));
    if state.options.mailbox.is_some() {
        router = router
            .route("/mailbox", get(page::mailbox::people))
            .route("/mailbox/{person}", get(page::mailbox::mails))
            .route("/mailbox/{person}/{number}", get(page::mailbox::mail))
            .route("/mailbox/{person}/{number}/body", get(page::mailbox::body));
    }
    router
        .fallback(post(nothing).get(nothing))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .merge(files)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            tracing::error!("a page panicked");
            WebError::ours().into_response()
        }))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// Serves until `until` is ready, then answers what is under way and ends.
///
/// # Errors
/// What the operating system says of the listener.
pub async fn serve(
    state: WebState,
    listener: tokio::net::TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router(state).into_make_service_with_connect_info::<listen::Peer>();
    axum::serve(listen::Counted::new(listener), service).with_graceful_shutdown(until).await
}

async fn nothing() -> Response {
    WebError::nothing().into_response()
}
