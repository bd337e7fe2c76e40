//! The same core with a made-up world: a clock that is moved by hand, people and a calendar as given, cases in
//! memory, and a mailbox that keeps what would have been sent.
//!
//! [`World`] is the second and last caller of `engine::decide`, and of nothing else of its kind: what a test, a
//! simulation and the running server see of a process is decided by one function. Time never passes by itself;
//! [`World::advance`] fires every timer on the way, in order.
//!
//! `scenario` plays test documents, `recorded` those of metrics, `coverage` counts what they walked, `explore` walks all paths without data,
//! `forecast` plays one start to its end, and `fill` makes up what a form requires and nobody said, of the `plausible`.
//!
//! Invariant: nothing is written, sent or waited for. Mails are data; whoever can render them hands that in as
//! [`Letters`].

mod brought;
mod came_to;
pub mod coverage;
mod expect;
pub mod explore;
mod fill;
pub mod forecast;
mod plausible;
pub mod recorded;
pub mod scenario;
mod shape;
mod standing;
mod world;

use crate::engine::state::State;
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;

pub use fill::{Filled, completed, missing};
pub use world::{Case, Mail, World};

/// Whoever can write the mails of a world out.
pub trait Letters {
    /// What the recipient would read.
    ///
    /// # Errors
    /// What keeps the mail from being written.
    fn letter(&self, posted: &Posted<'_>) -> Result<Letter, Wording>;

    /// Told of each mail of a test once it has been played, for whoever collects them.
    fn sent(&self, _posted: &Posted<'_>) {}
}

/// A mail with all that it is written from.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// The mail.
    pub mail: &'a Mail,
    /// The case that sent it.
    pub case: &'a Case<'a>,
    /// The case that called it, where one did.
    pub caller: Option<&'a State>,
    /// The people.
    pub directory: &'a Directory,
    /// The calendar.
    pub calendar: &'a Calendar,
}

/// A mail as its recipient reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// No letters at all: mails have neither subject nor text.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLetters;

impl Letters for NoLetters {
    fn letter(&self, _posted: &Posted<'_>) -> Result<Letter, Wording> {
        Ok(Letter { subject: String::new(), text: String::new() })
    }
}
