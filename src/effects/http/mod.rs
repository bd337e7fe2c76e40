//! One call of another system: what may be called, the call itself, and what its answer means.
//!
//! A process names the address, so the address is not trusted: only hosts that the configuration lists are called,
//! only by https, and never at an address of this machine or of a private network, unless the list says so. The
//! name is resolved here, each address that comes of it is checked, and *that* address is connected to; there is
//! no second resolution in which a name could change its mind. Redirects are not followed.
//!
//! Secrets are put in at the last moment and stand in no log, error or row. What is told of a failure names the
//! host and the status, never the path.

mod client;
mod foresee;
mod guard;

pub use foresee::lacking;
pub use guard::{Allowed, Policy};

use crate::model::text::Wording;
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What became of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The other side did it; null where it said nothing in JSON.
    Done(Value),
    /// It did not, or nobody knows.
    Failed {
        /// What went wrong.
        what: Wording,
        /// Whether it is no use to try again.
        permanent: bool,
        /// How long to wait, where the other side says so.
        after: Option<Duration>,
    },
}

impl Answer {
    fn never(zh: impl Into<String>, en: impl Into<String>) -> Answer {
        Answer::refused(Wording::new(zh, en))
    }

    fn refused(what: Wording) -> Answer {
        Answer::Failed { what, permanent: true, after: None }
    }

    fn later(zh: impl Into<String>, en: impl Into<String>) -> Answer {
        Answer::Failed { what: Wording::new(zh, en), permanent: false, after: None }
    }
}

/// Secrets by name. They are never shown.
#[derive(Clone, Default)]
pub struct Secrets(pub BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Calls other systems; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    policy: Policy,
    secrets: Secrets,
    tls: client::Tls,
}

impl Client {
    /// A client that calls what `policy` allows.
    pub fn new(policy: Policy, secrets: Secrets) -> Client {
        Client { policy, secrets, tls: client::Tls::new() }
    }
}
