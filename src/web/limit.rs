//! How often somebody may knock: counters in memory, by ticket and by network.
//!
//! A window is a minute, of uploads an hour. What is counted is only ever a hash, under a key of this process: no ticket and no
//! address lies in memory for it. A counter that is full refuses its own key and nobody else's.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// The window of what is uploaded.
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
/// The most keys that are counted; beyond it a new minute begins for all.
const KEYS: usize = 100_000;

/// The most requests a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// By one ticket.
    pub ticket: u32,
    /// By one network: a /24 of IPv4, a /56 of IPv6.
    pub network: u32,
    /// Kilobytes of files in an hour, by one link.
    pub upload: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { ticket: 30, network: 300, upload: 512 * 1024 }
    }
}

/// Counts requests by key.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    hasher: RandomState,
    counts: Mutex<BTreeMap<u64, (Instant, Duration, u32)>>,
}

impl Limiter {
    /// Counts one request; the seconds to wait where `most` in a minute are used up.
    pub(super) fn take(&self, key: impl Hash, most: u32, now: Instant) -> Result<(), u64> {
        self.spend(key, 1, most, WINDOW, now)
    }

    /// Counts an amount; the seconds to wait where `most` in the window are used up.
    pub(super) fn spend(
        &self,
        key: impl Hash,
        amount: u32,
        most: u32,
        window: Duration,
        now: Instant,
    ) -> Result<(), u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEYS {
            counts.retain(|_, (since, window, _)| now.duration_since(*since) < *window);
            if counts.len() >= KEYS {
                counts.clear();
            }
        }
        let (since, _, count) = counts.entry(self.hasher.hash_one(key)).or_insert((now, window, 0));
        if now.duration_since(*since) >= window {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(amount);
        if *count <= most {
            return Ok(());
        }
        Err((window.saturating_sub(now.duration_since(*since))).as_secs().max(1))
    }
}

/// The part of an address that one subscriber has.
pub(super) fn network(address: IpAddr) -> [u8; 8] {
    let mut net = [0; 8];
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            net = [4, a, b, c, 0, 0, 0, 0];
        }
        IpAddr::V6(v6) => {
            for (to, from) in net.iter_mut().zip(v6.octets().into_iter().take(7)) {
                *to = from;
            }
        }
    }
    net
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_counter_refuses_its_own_key_until_the_minute_is_over() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        for _ in 0..3 {
            assert_eq!(limiter.take("a", 3, start), Ok(()));
        }
        assert_eq!(limiter.take("a", 3, start + Duration::from_secs(20)), Err(40));
        assert_eq!(limiter.take("b", 3, start), Ok(()));
        assert_eq!(limiter.take("a", 3, start + WINDOW), Ok(()));
    }

    #[test]
    fn a_network_is_what_one_subscriber_has() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.200"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:0:0::1"), of("2001:db8:0:ff::1"));
        assert_ne!(of("2001:db8:0:0::1"), of("2001:db8:0:100::1"));
    }
}
