//! What processes are going to call and this configuration does not allow, told before a case stops at it.
//!
//! Only what is written in the text of a process can be foreseen: a host or a part of it that is computed is not.

use super::client::{may_not, not_secure};
use super::{Policy, Secrets};
use crate::model::control::{Http, Piece};
use crate::model::definition::{Definition, StepKind};
use crate::model::text::{Lang, Wording};
use hyper::Uri;
use std::collections::BTreeMap;

/// What is lacking, each once, with the first step that needs it.
pub fn lacking<'a>(
    definitions: impl IntoIterator<Item = &'a Definition>,
    policy: &Policy,
    secrets: &Secrets,
) -> Vec<Wording> {
    let mut found: BTreeMap<String, Wording> = BTreeMap::new();
    for definition in definitions {
        for (id, step) in &definition.steps {
            let StepKind::Http(http) = &step.kind else { continue };
            let title = |lang| step.title.as_ref().map_or_else(|| id.as_str(), |title| title.get(lang)).to_owned();
            for what in host(http, policy).into_iter().chain(unknown(http, secrets)) {
                let (zh, en) = (what.get(Lang::Zh), what.get(Lang::En));
                let (in_zh, in_en) = (definition.title.get(Lang::Zh), definition.title.get(Lang::En));
                let told = Wording::new(
                    format!("{in_zh} · {}：{zh}", title(Lang::Zh)),
                    format!("{in_en} · {}: {en}", title(Lang::En)),
                );
                found.entry(what.en).or_insert(told);
            }
        }
    }
    found.into_values().collect()
}

/// Why the host of a step may not be called, where its address says which that is.
fn host(http: &Http, policy: &Policy) -> Option<Wording> {
    let Some(Piece::Text(start)) = http.url.first() else { return None };
    let (scheme, rest) = start.split_once("://")?;
    let end = rest.find(['/', '?', '#']).or_else(|| (http.url.len() == 1).then_some(rest.len()))?;
    let address: Uri = format!("{scheme}://{}", rest.get(..end)?).parse().ok()?;
    let secure = address.scheme_str() == Some("https");
    let host = address.host()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let port = address.port_u16();
    match policy.allows(&host, port.unwrap_or(if secure { 443 } else { 80 })) {
        None => Some(may_not(&host, port, secure)),
        Some(inside) => (!secure && !inside).then(|| not_secure(&host)),
    }
}

/// The secrets of a step that are not there.
fn unknown<'a>(http: &'a Http, secrets: &'a Secrets) -> impl Iterator<Item = Wording> + 'a {
    let pieces = http.url.iter().chain(http.headers.values().flatten());
    pieces.filter_map(|piece| match piece {
        Piece::Secret(name) if !secrets.0.contains_key(&**name) => Some(super::client::no_secret(name)),
        _ => None,
    })
}
