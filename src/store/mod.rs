//! Keeps events and the rows that follow from them; decides nothing.
//!
//! A write is a value, [`Batch`]: all that one commit changes. The one [`Writer`] of a process commits batches;
//! any number of [`Store`] handles read beside it. Both are enums of backends, so that no trait objects and no
//! generics run through the crate; every backend passes the same suite (`tests/suite/store.rs`).
//!
//! Invariant: knows nothing of definitions' meaning, mail, clocks or people; the time comes in as an argument.

pub mod error;
pub mod query;
pub mod record;

use crate::model::id::{InstanceId, MailId};
use chrono::{DateTime, Utc};

pub use error::{Error, Kind};

/// How one leased mail went.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// Of which instance.
    pub instance: InstanceId,
    /// Its number there.
    pub mail: MailId,
    /// The attempt that it was leased as.
    pub attempt: u32,
    /// How it went.
    pub how: Settled,
}

/// How a mail went.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// It is rendered, once and for all; the lease goes on.
    Prepared {
        /// The address that it was prepared for.
        address: String,
        /// Its Message-ID.
        message_id: String,
        /// The parts, with a gap for the ticket.
        parts: Vec<u8>,
    },
    /// It is about to be handed over; the lease goes on.
    Sending,
    /// The other side took it.
    Accepted {
        /// What it said.
        reply: String,
    },
    /// Try again.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reply: String,
        /// The other side may have taken it.
        possibly_twice: bool,
    },
    /// The address or key that it was prepared for is gone: render it anew.
    Again {
        /// When.
        at: DateTime<Utc>,
    },
    /// Given up.
    Failed {
        /// Why.
        reply: String,
    },
    /// It had lost its use.
    Skipped {
        /// Why.
        reason: String,
    },
}
