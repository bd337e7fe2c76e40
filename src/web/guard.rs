//! What every request goes through and every response carries.
//!
//! In: the address and the ticket are counted, a form from another site is turned away. Out: an error gets its
//! page in the reader's language, and every response the headers that keep pages from being framed, cached,
//! indexed, sniffed or followed. One line is logged for each, with the route and never the path: a path may hold
//! a ticket.

use super::api::ApiError;
use super::listen::Peer;
use super::{Frame, WebError, WebState, limit};
use crate::model::text::Lang;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

/// The policy of every page: nothing runs, nothing is framed, nothing comes from or goes to elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Marks a response that brings a policy of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnPolicy(pub(super) &'static str);

/// The layer around all routes.
pub(super) async fn guard(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let reader = Reader::of(&request);
    let mut response = match admit(&state, &request, began) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if response.status().is_client_error() || response.status().is_server_error() {
        response = worded(&state, response, &reader);
    }
    finish(&mut response);
    let status = response.status().as_u16();
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%method, route = route.as_deref().unwrap_or("none"), status, millis, "answered");
    response
}

fn admit(state: &WebState, request: &Request, now: Instant) -> Result<(), WebError> {
    let path = request.uri().path();
    // Programs are counted by their key.
    if path.starts_with("/assets/") || path.starts_with("/api/") || path == "/health" {
        return Ok(());
    }
    let limits = state.options.limits;
    let address = address(state, request.headers(), request.extensions());
    let network = limit::network(address);
    state.limiter.take(("network", network), limits.network, now).map_err(WebError::too_often)?;
    if let Some(ticket) = path.strip_prefix("/t/") {
        let ticket = ticket.split('/').next().unwrap_or_default();
        state.limiter.take(("ticket", ticket), limits.ticket, now).map_err(WebError::too_often)?;
    }
    if request.method() == Method::POST && !same_site(request.headers()) {
        return Err(WebError::elsewhere());
    }
    Ok(())
}

/// Who knocks. Without a connection (a router in process) it is this machine.
pub(super) fn address(state: &WebState, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
    let forwarded = || {
        // Only the last entry is our proxy's; those before it are what the visitor says.
        let header = headers.get_all("x-forwarded-for").iter().next_back()?;
        header.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    let peer = extensions.get::<ConnectInfo<Peer>>().map(|info| info.0.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    if state.options.behind_proxy { forwarded().unwrap_or(peer) } else { peer }
}

/// Whether a form can come from a page of ours. Old browsers and mail apps say nothing; then the ticket, which
/// another site cannot know, is what counts.
fn same_site(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match text(header::ORIGIN) {
        // A page that sends no referrer has no origin to tell either.
        None | Some("null") => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST)
        }
    }
}

/// What is known of a reader before a page is asked for.
struct Reader {
    chosen: Option<Lang>,
    lang: Lang,
    asks: Asks,
}

/// What is asked for.
enum Asks {
    /// A page.
    Page,
    /// Whether the server is well.
    Health,
    /// Something of the API.
    Api,
}

impl Reader {
    fn of(request: &Request) -> Reader {
        let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let chosen = chosen(request.uri().query());
        let accepted = text(header::ACCEPT_LANGUAGE).and_then(|list| {
            list.split(',').find_map(|tag| Lang::from_locale(tag.split(';').next().unwrap_or_default().trim()))
        });
        let path = request.uri().path();
        let asks = match path {
            "/health" => Asks::Health,
            path if path.starts_with("/api/") => Asks::Api,
            _ => Asks::Page,
        };
        Reader { chosen, lang: accepted.unwrap_or_default(), asks }
    }
}

/// The language that an address asks for: `?lang=en`.
pub(super) fn chosen(query: Option<&str>) -> Option<Lang> {
    query?.split('&').find_map(|pair| match pair {
        "lang=zh" => Some(Lang::Zh),
        "lang=en" => Some(Lang::En),
        _ => None,
    })
}

/// An error as a page of the reader's language.
fn worded(state: &WebState, response: Response, reader: &Reader) -> Response {
    #[derive(serde::Serialize)]
    struct Message<'a> {
        heading: &'a str,
        lines: Vec<&'a str>,
        amber: bool,
    }
    if response.extensions().get::<Worded>().is_some() {
        return response;
    }
    let (parts, _) = response.into_parts();
    let error = match parts.extensions.get::<WebError>() {
        Some(error) => error.clone(),
        None => WebError::of_status(parts.status),
    };
    let lang = reader.chosen.unwrap_or(reader.lang);
    let mut answer = match reader.asks {
        Asks::Health => axum::Json(serde_json::json!({
            "status": "failing",
            "message": error.heading.get(lang),
            "code": "failing",
            "zh": error.heading.zh,
            "en": error.heading.en,
        }))
        .into_response(),
        Asks::Api => ApiError::of_status(parts.status).into_response(),
        Asks::Page => {
            // The address may hold a ticket, so the other language is asked for without repeating it.
            let other = if lang == Lang::Zh { Lang::En } else { Lang::Zh };
            let frame = Frame { lang, chosen: reader.chosen, other: Some(format!("?lang={}", other.tag())) };
            let amber = error.status != StatusCode::NOT_FOUND;
            let message = Message { heading: error.heading.get(lang), lines: vec![error.advice.get(lang)], amber };
            match state.page("message.html", frame, message) {
                Ok(page) => page.into_response(),
                Err(error) => error.plain(lang).into_response(),
            }
        }
    };
    *answer.status_mut() = parts.status;
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

/// Marks an error response that has its page already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worded;

fn finish(response: &mut Response) {
    let policy = response.extensions().get::<OwnPolicy>().map_or(POLICY, |own| own.0);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, noarchive"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
