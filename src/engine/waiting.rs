//! What tokens wait for that is not people: blocks, times, messages, turns, other cases and other systems.

use crate::model::id::{InstanceId, ProcessId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What a token waits for, besides people.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// The blocks that its step holds.
    Block(Running),
    /// A moment: its timer.
    Time,
    /// A message.
    Message {
        /// Its name.
        name: Arc<str>,
        /// What tells it from those of other cases (*personal*); any where `None`.
        key: Option<Arc<str>>,
        /// Whether one that came before the wait began is not for it.
        fresh: bool,
    },
    /// Its turn: another step has the lock.
    Lock {
        /// Which lock.
        name: Arc<str>,
        /// The revision since which it waits; the oldest has its turn first.
        since: u32,
    },
    /// Another instance.
    Call {
        /// Its id.
        child: InstanceId,
        /// Of which process.
        process: ProcessId,
    },
    /// The answer of another system.
    Http {
        /// How often it was tried, this time included.
        attempt: u16,
        /// Not before.
        at: DateTime<Utc>,
        /// What is asked (*personal*).
        request: Arc<Request>,
    },
    /// A worker outside.
    Job {
        /// What workers ask for.
        name: Arc<str>,
        /// How often it was tried, this time included.
        attempt: u16,
        /// Not before.
        at: DateTime<Utc>,
        /// How long a worker may hold it, in seconds.
        lease: u32,
        /// What the worker gets (*personal*).
        input: Record,
    },
}

/// How far the blocks of a step are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Running {
    /// The branches that are done, in the order in which they were.
    pub done: Vec<Arc<str>>,
    /// The rows of an `each`, as they are by now.
    pub rows: Vec<Record>,
    /// How many rows have been opened.
    pub opened: u32,
    /// How many rows are done.
    pub finished: u32,
}

/// A call of another system, ready to be sent; secrets are names still.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: Arc<str>,
    /// The address.
    pub url: Vec<Part>,
    /// Headers.
    pub headers: Vec<(Arc<str>, Vec<Part>)>,
    /// The JSON body; none where `None`.
    pub body: Option<Value>,
}

/// A part of an address or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it is sent.
    Text(Arc<str>),
    /// The secret of this name.
    Secret(Arc<str>),
}
