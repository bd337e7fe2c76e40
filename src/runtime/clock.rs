//! What time it is.
//!
//! Invariant: the system's clock is read here and nowhere else in the crate. A fixed clock never moves by itself.

use chrono::{DateTime, SubsecRound, Utc};
use std::sync::{Arc, Mutex, PoisonError};

/// What time it is.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's.
    System,
    /// What a test says.
    Fixed(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// A clock that stands still until a test moves it.
    pub fn fixed(at: DateTime<Utc>) -> Clock {
        Clock::Fixed(Arc::new(Mutex::new(at)))
    }

    /// The time, to the millisecond: the one reading of the system's clock.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one reading of the system's clock")]
            Clock::System => Utc::now().trunc_subsecs(3),
            Clock::Fixed(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a fixed clock; the system's does not move.
    pub fn set(&self, now: DateTime<Utc>) {
        if let Clock::Fixed(at) = self {
            *at.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }
}
