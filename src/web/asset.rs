//! The few files beside the pages, under names that change with their content, so that they may be kept for ever.

use super::WebError;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../../assets/style.css");
const ICON: &str = include_str!("../../assets/seal.svg");

static NAMES: LazyLock<(String, String)> = LazyLock::new(|| {
    let name = |text: &str, stem: &str, ending: &str| {
        let hash = Sha256::digest(text.as_bytes());
        let digits: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("/assets/{stem}-{digits}.{ending}")
    };
    (name(STYLE, "style", "css"), name(ICON, "seal", "svg"))
});

/// The address of the stylesheet.
pub(super) fn style() -> &'static str {
    &NAMES.0
}

/// The address of the icon.
pub(super) fn icon() -> &'static str {
    &NAMES.1
}

/// Sends a file.
pub(super) async fn send(Path(name): Path<String>) -> Response {
    let (kind, text) = match format!("/assets/{name}") {
        path if path == style() => ("text/css; charset=utf-8", STYLE),
        path if path == icon() => ("image/svg+xml", ICON),
        _ => return WebError::nothing().into_response(),
    };
    let forever = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    ([(header::CONTENT_TYPE, kind), forever], text).into_response()
}
