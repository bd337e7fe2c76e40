//! The engine: what may happen to an instance, and what then did.
//!
//! ```text
//! decide(definition, state, command, facts) → entry and next state, or refusal
//! apply(state, revision, at, command, event)  → state
//! ```
//!
//! Pure: no I/O, no clock, no randomness, no `async`. Time, people, the next business number and one random
//! seed come in as [`Facts`]; ids and nonces are derived from the seed, so the same command with the same facts
//! gives the same events. `decide` runs an instance until every token waits for somebody or nothing is left.
//!
//! The laws, held by `tests/suite/laws.rs`:
//!
//! 1. `decide` never panics and is deterministic.
//! 2. A refusal changes nothing.
//! 3. Folding the log equals the state that `decide` answered.
//! 4. Every token, task and timer belongs to a live scope, token or task. Leaving a block closes all that is in it:
//!    tasks with a reason, timers, calls (the callee is cancelled), mails of dead tasks; what another system may have
//!    done is noted to be taken back.
//! 5. An instance that has not ended has an open task, a token that waits, or an incident. It ends once, with one
//!    outcome, and every task of it is decided or cancelled then.
//! 6. A vote can always still end.
//! 7. A second answer is refused and names the first.
//! 8. A timer fires once; a repeated one that is overdue after nothing ran fires once and counts from then.
//! 9. Every end that a case comes to is among those that `explore` lists.

mod among;
mod apply;
mod block;
mod columns;
pub mod command;
mod computed;
mod decide;
mod draw;
pub mod event;
mod fault;
mod filling;
pub mod fingerprint;
mod form;
mod handed;
pub mod handover;
mod human;
mod outside;
mod overdue;
mod people;
pub mod preview;
pub mod refusal;
mod revise;
mod rules;
mod run;
mod scope;
mod start;
pub mod state;
mod step;
mod taking;
mod unasked;
mod undo;
mod vote;
mod waiting;
mod written;
mod wrong;

pub use among::among;
pub use apply::apply;
pub use columns::{columns_of, data_by_now};
pub use decide::{decide, decide_without_key};
pub use human::{data_of, form_of, proposed};
pub use outside::lasts;
pub use scope::{overlay, rows_around};
pub use start::scheduled;
pub use taking::{message_key, unusable};
pub use wrong::{Whose, all_wrong};

use self::event::Entry;
use self::state::State;
use crate::model::people::Directory;
use crate::model::time::Calendar;
use chrono::{DateTime, Utc};

/// What a command is decided on, besides the instance: the world at that moment.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The time of the command.
    pub now: DateTime<Utc>,
    /// The people, as they are now.
    pub directory: &'a Directory,
    /// The working calendar, as it is now.
    pub calendar: &'a Calendar,
    /// The number that an accepted start takes in its sequence.
    pub sequence: u64,
    /// Random bytes that ids and nonces are derived from.
    pub seed: [u8; 16],
}

/// What an accepted command came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The next row of the log.
    pub entry: Entry,
    /// The instance after it.
    pub state: State,
}

/// A log that cannot be folded: it was not written by `decide`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenLog;
