//! Whether mail goes out at the moment, and when a mail that did not go is tried again. Pure: time comes in.
//!
//! ```text
//!            failure of the server                    failure of the server
//!   up ──────────────────────────→ down ──────────────────────────────────┐
//!    ↑  ←──────── a mail goes ────  │ one probe a minute, any mail, ←──────┘
//!    │                              │ the others wait untouched
//!    │   ←──────── a mail goes ──── refused (name or password): one probe an hour, one alert
//! ```
//!
//! A server that is down costs one mail a probe an attempt, and the others nothing: they wait in the queue, not
//! in a row of failures.

use crate::effects::transport::FailureKind;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// Between two probes of a server that is down.
const PROBE: TimeDelta = TimeDelta::seconds(60);
/// Between two probes of a server that refuses our password: more could lock the account.
const PROBE_REFUSED: TimeDelta = TimeDelta::hours(1);
/// So many mails in a row that broke in the middle mean the server, not the mails.
const BROKEN: u32 = 3;
/// After the end of a mail without an answer: the server may still be busy with it (RFC 5321, 4.5.3.2.6).
const UNKNOWN: TimeDelta = TimeDelta::minutes(10);
/// How long a mail is tried.
const LIFETIME: TimeDelta = TimeDelta::hours(72);
/// How often a mail that is refused by policy is tried.
const POLICY_TRIES: u32 = 4;

/// Whether mail goes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// It does, as far as we know.
    #[default]
    Up,
    /// The server cannot be reached.
    Down {
        /// Since when.
        since: DateTime<Utc>,
        /// When the next probe goes.
        probe: DateTime<Utc>,
        /// What it said or what happened.
        reply: String,
    },
    /// The server refuses our name and password: somebody must help.
    Refused {
        /// Since when.
        since: DateTime<Utc>,
        /// When the next probe goes.
        probe: DateTime<Utc>,
        /// What it said.
        reply: String,
    },
}

/// The memory of a channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    pub(super) channel: Channel,
    broken: u32,
}

impl Breaker {
    /// Until when nothing goes; `None` where mail may go at once.
    pub(super) fn waits_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.channel {
            Channel::Up => None,
            Channel::Down { probe, .. } | Channel::Refused { probe, .. } => Some(*probe).filter(|probe| *probe > now),
        }
    }

    /// Whether only one mail may go, to see.
    pub(super) fn probing(&self) -> bool {
        self.channel != Channel::Up
    }

    /// A mail went, or the server answered about one.
    pub(super) fn answered(&mut self) {
        *self = Breaker::default();
    }

    /// A mail did not go. Answers whether this is news of the channel that somebody should hear.
    pub(super) fn failed(&mut self, kind: FailureKind, reply: &str, now: DateTime<Utc>) -> bool {
        match kind {
            FailureKind::Later | FailureKind::Never | FailureKind::Policy => {
                self.answered();
                false
            }
            FailureKind::Broken | FailureKind::Unknown if !self.probing() && self.broken + 1 < BROKEN => {
                self.broken += 1;
                false
            }
            FailureKind::Broken | FailureKind::Unknown | FailureKind::Down => {
                let (since, news) = match self.channel {
                    Channel::Down { since, .. } => (since, false),
                    _ => (now, true),
                };
                self.channel = Channel::Down { since, probe: now + PROBE, reply: reply.to_owned() };
                news
            }
            FailureKind::Refused => {
                let (since, news) = match self.channel {
                    Channel::Refused { since, .. } => (since, false),
                    _ => (now, true),
                };
                self.channel = Channel::Refused { since, probe: now + PROBE_REFUSED, reply: reply.to_owned() };
                news
            }
        }
    }
}

/// When a mail that did not go is tried again; `None` where it is given up. `attempt` counts from 1, `seed` makes
/// the times of different mails differ by up to a fifth.
pub(super) fn retry_at(
    kind: FailureKind,
    attempt: u32,
    queued_at: DateTime<Utc>,
    now: DateTime<Utc>,
    seed: &[u8],
) -> Option<DateTime<Utc>> {
    let minutes = match kind {
        FailureKind::Never => return None,
        FailureKind::Policy if attempt >= POLICY_TRIES => return None,
        FailureKind::Policy | FailureKind::Refused => 60,
        _ => match attempt {
            0 | 1 => 1,
            2 => 5,
            3 => 15,
            _ => 60,
        },
    };
    // A server of ours that is down is no fault of the mail: it is given up only for what was said of itself.
    if now - queued_at > LIFETIME && !matches!(kind, FailureKind::Down | FailureKind::Refused) {
        return None;
    }
    let mut hash = Sha256::new();
    hash.update(seed);
    hash.update(attempt.to_be_bytes());
    let spread = i64::from(hash.finalize().first().copied().unwrap_or(128)) - 128;
    let seconds = minutes * 60;
    let wait = TimeDelta::seconds(seconds + seconds * spread / 640);
    Some(now + if kind == FailureKind::Unknown { wait.max(UNKNOWN) } else { wait })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn a_server_that_is_down_is_probed_once_a_minute() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.waits_until(at(0)), None);
        assert!(breaker.failed(FailureKind::Down, "refused", at(0)), "the first failure is news");
        assert_eq!(breaker.waits_until(at(0)), Some(at(1)));
        assert_eq!(breaker.waits_until(at(1)), None);
        assert!(!breaker.failed(FailureKind::Down, "refused", at(1)), "the second is not");
        assert!(matches!(breaker.channel, Channel::Down { since, .. } if since == at(0)));
        breaker.answered();
        assert_eq!(breaker.channel, Channel::Up);
    }

    #[test]
    fn one_mail_that_breaks_the_connection_does_not_stop_the_others() {
        let mut breaker = Breaker::default();
        breaker.failed(FailureKind::Broken, "dropped", at(0));
        breaker.failed(FailureKind::Unknown, "dropped", at(0));
        assert_eq!(breaker.channel, Channel::Up);
        breaker.failed(FailureKind::Broken, "dropped", at(0));
        assert!(breaker.probing(), "three in a row are the server");
    }

    #[test]
    fn waits_grow_and_end() {
        let next = |kind, attempt, now| retry_at(kind, attempt, at(0), at(now), b"mail").map(|then| then - at(now));
        let about = |wait: Option<TimeDelta>, minutes: i64| {
            let seconds = wait.unwrap().num_seconds() as f64 / 60.0;
            assert!((seconds / minutes as f64 - 1.0).abs() <= 0.21, "{seconds} of {minutes}");
        };
        for (attempt, minutes) in [(1, 1), (2, 5), (3, 15), (4, 60), (9, 60)] {
            about(next(FailureKind::Later, attempt, 0), minutes);
        }
        assert!(next(FailureKind::Unknown, 1, 0).unwrap() >= TimeDelta::minutes(10));
        assert_eq!(next(FailureKind::Never, 1, 0), None);
        assert_eq!(next(FailureKind::Policy, 4, 0), None);
        assert_eq!(next(FailureKind::Later, 80, 73 * 60), None);
        assert!(next(FailureKind::Down, 80, 73 * 60).is_some());
    }
}
