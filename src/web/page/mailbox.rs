//! `/mailbox`: everybody's mail, while trying things out. The first thing that a newcomer sees.
//!
//! A mail is shown as it was sent: its HTML in a frame that runs nothing and may only lead out when it is clicked,
//! its plain text beside it. These pages exist only where the built-in mailbox does, never on a server that sends.

use super::home::accepted;
use crate::effects::format::{Words, clean_line};
use crate::effects::link::Ticket;
use crate::effects::mailbox::{Delivered, Mailbox};
use crate::model::id::{AssignmentId, PersonId};
use crate::model::people::Directory;
use crate::runtime::TaskFilter;
use crate::web::guard::{OwnPolicy, chosen};
use crate::web::{Frame, WebError, WebState};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A page with a frame of ours in it.
const FRAMING: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'none'; \
                       frame-ancestors 'none'; base-uri 'none'";
/// A mail in that frame: its inline styles show, nothing runs, a click may lead out.
const FRAMED: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; \
                      base-uri 'none'; sandbox allow-popups allow-popups-to-escape-sandbox \
                      allow-top-navigation-by-user-activation";

/// What every page here works with.
struct Desk {
    mailbox: Mailbox,
    directory: Arc<Directory>,
    frame: Frame,
}

impl Desk {
    fn new(state: &WebState, query: Option<&str>, headers: &HeaderMap) -> Result<Desk, WebError> {
        let mailbox = state.options.mailbox.clone().ok_or_else(WebError::nothing)?;
        let frame = Frame::new(accepted(headers), chosen(query), "");
        Ok(Desk { mailbox, directory: state.runtime().directory(), frame })
    }

    fn words(&self, state: &WebState) -> Words<'_> {
        let (zone, now) = (state.runtime().calendar().zone, state.runtime().now());
        Words { lang: self.frame.lang, zone, home: zone, now, directory: &self.directory, live: &[] }
    }

    /// The person of an address.
    fn person(&self, name: &str) -> Result<PersonId, WebError> {
        let (id, _) = self.directory.people.get_key_value(name).ok_or_else(WebError::nothing)?;
        Ok(id.clone())
    }

    /// A mail of a person.
    fn mail(&self, person: &PersonId, number: u64) -> Result<Delivered, WebError> {
        self.mailbox.get(number).filter(|mail| mail.person == *person).ok_or_else(WebError::nothing)
    }

    fn position(&self, words: &Words<'_>, person: &PersonId) -> String {
        let main = self.directory.people.get(person).and_then(|person| person.positions.first());
        let position = main.and_then(|id| self.directory.positions.get(id));
        position.map(|position| clean_line(position.title.get(words.lang))).unwrap_or_default()
    }
}

/// The assignments that a letter may ask for and that are still open.
async fn open_assignments(state: &WebState, person: &PersonId) -> Result<BTreeSet<AssignmentId>, WebError> {
    let filter = TaskFilter { person: Some(person.clone()), limit: 500, ..TaskFilter::default() };
    Ok(state.runtime().tasks(&filter).await?.into_iter().map(|row| row.assignment.id).collect())
}

/// The assignment that a mail's link is of.
fn asks(mail: &Delivered) -> Option<AssignmentId> {
    let ticket = mail.link.as_deref()?.rsplit('/').next()?;
    Ticket::parse(ticket).map(|ticket| ticket.assignment)
}

#[derive(Serialize)]
struct People {
    people: Vec<PersonLine>,
}

#[derive(Serialize)]
struct PersonLine {
    href: String,
    name: String,
    initial: String,
    position: String,
    last: Option<String>,
    open: usize,
    count: usize,
    count_words: String,
}

/// Everybody: those who are asked something first.
pub(in crate::web) async fn people(
    State(state): State<WebState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let desk = Desk::new(&state, query.as_deref(), &headers)?;
    let words = desk.words(&state);
    let mut people = Vec::new();
    for id in desk.directory.people.keys() {
        let (mails, open) = (desk.mailbox.list(Some(id)), open_assignments(&state, id).await?);
        let open: BTreeSet<AssignmentId> = mails.iter().filter_map(asks).filter(|asked| open.contains(asked)).collect();
        let (name, count, open) = (words.name(id), mails.len(), open.len());
        people.push(PersonLine {
            href: desk.frame.link(&format!("/mailbox/{}", encoded(id.as_str()))),
            initial: name.chars().next().map(String::from).unwrap_or_default(),
            position: desk.position(&words, id),
            last: mails.first().map(|mail| clean_line(&mail.subject)),
            count_words: match (words.pick("zh", "en"), open) {
                ("zh", 0) => format!("{count} 封邮件"),
                ("zh", open) => format!("{open} 件待办"),
                (_, 0) => format!("{count} mail{}", if count == 1 { "" } else { "s" }),
                (_, open) => format!("{open} to do"),
            },
            name,
            open,
            count,
        });
    }
    people.sort_by_key(|person| (person.open == 0, person.count == 0));
    Ok(state.page("mailbox.html", desk.frame.clone(), People { people })?.into_response())
}

#[derive(Serialize)]
struct Mails {
    name: String,
    mail: String,
    position: String,
    back: String,
    mails: Vec<MailLine>,
}

#[derive(Serialize)]
struct MailLine {
    href: String,
    subject: String,
    snippet: String,
    at: String,
    open: bool,
}

/// A person's mail, newest first.
pub(in crate::web) async fn mails(
    State(state): State<WebState>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let Path(person) = path.map_err(|_| WebError::nothing())?;
    let desk = Desk::new(&state, query.as_deref(), &headers)?;
    let words = desk.words(&state);
    let id = desk.person(&person)?;
    let open = open_assignments(&state, &id).await?;
    let line = |mail: &Delivered| MailLine {
        href: desk.frame.link(&format!("/mailbox/{}/{}", encoded(id.as_str()), mail.id)),
        subject: clean_line(&mail.subject),
        snippet: snippet(mail),
        at: words.moment(mail.date),
        open: asks(mail).is_some_and(|asked| open.contains(&asked)),
    };
    let page = Mails {
        name: words.name(&id),
        mail: desk.directory.people.get(&id).and_then(|person| person.mail.clone()).unwrap_or_default(),
        position: desk.position(&words, &id),
        back: desk.frame.link("/mailbox"),
        mails: desk.mailbox.list(Some(&id)).iter().map(line).collect(),
    };
    Ok(state.page("mails.html", desk.frame.clone(), page)?.into_response())
}

/// The first lines of a mail; the page cuts them where they no longer fit.
fn snippet(mail: &Delivered) -> String {
    let lines =
        mail.text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect::<Vec<_>>().join(" · ");
    clean_line(&lines)
}

#[derive(Serialize)]
struct Mail {
    name: String,
    subject: String,
    to: String,
    at: String,
    as_html: String,
    as_text: String,
    body: String,
    height: usize,
    back: String,
    text: Option<Vec<Piece>>,
}

#[derive(Serialize)]
struct Piece {
    text: String,
    href: Option<String>,
}

/// One mail; `?as=text` shows its plain text.
pub(in crate::web) async fn mail(
    State(state): State<WebState>,
    path: Result<Path<(String, u64)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let Path((person, number)) = path.map_err(|_| WebError::nothing())?;
    let mut desk = Desk::new(&state, query.as_deref(), &headers)?;
    let id = desk.person(&person)?;
    let mail = desk.mail(&id, number)?;
    let as_text = query.as_deref().is_some_and(|query| query.split('&').any(|pair| pair == "as=text"));
    if as_text {
        desk.frame = Frame { ..Frame::new(desk.frame.lang, desk.frame.chosen, "?as=text") };
    }
    let words = desk.words(&state);
    let own = format!("/mailbox/{}/{number}", encoded(id.as_str()));
    let page = Mail {
        name: words.name(&id),
        subject: clean_line(&mail.subject),
        to: clean_line(&format!("{} <{}>", mail.name, mail.address)),
        at: words.moment(mail.date),
        as_html: desk.frame.link(&own),
        as_text: desk.frame.link(&format!("{own}?as=text")),
        body: format!("{own}/body"),
        // A frame cannot ask how tall its content is without a script; the lines of the text tell well enough.
        height: 240 + 33 * mail.text.lines().filter(|line| !line.trim().is_empty()).count().min(60),
        back: desk.frame.link(&format!("/mailbox/{}", encoded(id.as_str()))),
        text: as_text.then(|| pieces(&mail.text, mail.link.as_deref())),
    };
    let mut response = state.page("mail.html", desk.frame.clone(), page)?.into_response();
    response.extensions_mut().insert(OwnPolicy(FRAMING));
    Ok(response)
}

/// The HTML of a mail, for the frame.
pub(in crate::web) async fn body(
    State(state): State<WebState>,
    path: Result<Path<(String, u64)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let Path((person, number)) = path.map_err(|_| WebError::nothing())?;
    let desk = Desk::new(&state, query.as_deref(), &headers)?;
    let mail = desk.mail(&desk.person(&person)?, number)?;
    // Its links open the page, not the frame.
    let html = mail.html.replacen("<head>", "<head><base target=\"_top\">", 1);
    let mut response = Html(html).into_response();
    response.extensions_mut().insert(OwnPolicy(FRAMED));
    Ok(response)
}

/// The text of a mail with its link as one.
fn pieces(text: &str, link: Option<&str>) -> Vec<Piece> {
    let piece = |text: &str| Piece { text: text.to_owned(), href: None };
    let Some(link) = link.filter(|link| !link.is_empty()) else { return vec![piece(text)] };
    let mut pieces = Vec::new();
    for (number, between) in text.split(link).enumerate() {
        if number > 0 {
            pieces.push(Piece { text: link.to_owned(), href: Some(link.to_owned()) });
        }
        pieces.push(piece(between));
    }
    pieces
}

/// A name as a part of a path.
fn encoded(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}
