//! Delivered mail in memory: what `demo` and `serve --dev` have instead of a mail server, so that a newcomer needs
//! none. Bounded; the oldest mail goes first. Never written anywhere: its mails hold working links.

use super::mail::Parts;
use super::message;
use crate::model::id::PersonId;
use crate::model::text::{Lang, Wording};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The most mails that are kept.
const KEPT: usize = 2_000;

/// One mail as it was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its number, from 1; later mails have higher ones.
    pub id: u64,
    /// To whom.
    pub person: PersonId,
    /// The name in `To`.
    pub name: String,
    /// The address in `To`.
    pub address: String,
    /// Its Message-ID; a second copy of a mail takes the place of the first.
    pub message_id: String,
    /// The subject.
    pub subject: String,
    /// The language that it is written in.
    pub lang: Lang,
    /// When it was composed.
    pub date: DateTime<Utc>,
    /// The plain text, with its link.
    pub text: String,
    /// The HTML, with its link.
    pub html: String,
    /// The link alone, where it has one.
    pub link: Option<String>,
}

/// A post office of one room; cheap to clone, all clones are the same.
#[derive(Clone, Default)]
pub struct Mailbox {
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    mails: VecDeque<Delivered>,
    last: u64,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailbox")
    }
}

impl Mailbox {
    /// An empty one.
    pub fn new() -> Mailbox {
        Mailbox::default()
    }

    /// Takes a mail in.
    ///
    /// # Errors
    /// A mail with a gap and no link for it.
    pub fn deliver(&self, parts: &Parts, link: Option<&str>) -> Result<(), Wording> {
        let (text, html) = (message::fill(&parts.text, link)?, message::fill(&parts.html, link)?);
        let mut inside = self.inside();
        inside.mails.retain(|mail| mail.message_id != parts.message_id);
        inside.last += 1;
        let mail = Delivered {
            id: inside.last,
            person: parts.person.clone(),
            name: parts.to_name.clone(),
            address: parts.to.clone(),
            message_id: parts.message_id.clone(),
            subject: parts.subject.clone(),
            lang: parts.lang,
            date: parts.date,
            text,
            html,
            link: link.map(str::to_owned),
        };
        inside.mails.push_back(mail);
        while inside.mails.len() > KEPT {
            inside.mails.pop_front();
        }
        Ok(())
    }

    /// The mails of a person, newest first; of everybody where none is given.
    pub fn list(&self, person: Option<&PersonId>) -> Vec<Delivered> {
        let inside = self.inside();
        inside.mails.iter().rev().filter(|mail| person.is_none_or(|person| mail.person == *person)).cloned().collect()
    }

    /// One mail.
    pub fn get(&self, id: u64) -> Option<Delivered> {
        self.inside().mails.iter().find(|mail| mail.id == id).cloned()
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
