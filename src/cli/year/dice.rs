//! Chance that follows from a seed: the same seed throws the same dice, on every machine.
//!
//! No library and no floating point, so that a year that was played once can be played again.

use rust_decimal::Decimal;

/// How long people take, in percent of what is usual for them, each as likely as the next: the half of them
/// within their usual time, and a tail of the slow.
const PACE: [u64; 16] = [10, 20, 30, 40, 50, 60, 75, 90, 110, 130, 160, 200, 250, 330, 480, 800];

/// A source of chance (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below a bound; 0 where the bound is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The high half of a product: as good as even for the small bounds that are asked for here.
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// From a number to another, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low)).unwrap_or(0);
        low.saturating_add(i64::try_from(self.below(span.saturating_add(1))).unwrap_or(0))
    }

    /// A number from one to another in equal steps.
    pub(super) fn decimal(&mut self, low: Decimal, high: Decimal, step: Decimal) -> Decimal {
        if step <= Decimal::ZERO || high <= low {
            return low;
        }
        let steps = ((high - low) / step).trunc().try_into().unwrap_or(0);
        low + step * Decimal::from(self.between(0, steps))
    }

    /// True so often in a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(super) fn one_of<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.below(from.len() as u64)).unwrap_or(0))
    }

    /// One of several, each as likely as its weight says.
    pub(super) fn weighted<'a, T>(&mut self, from: &'a [(T, u64)]) -> Option<&'a T> {
        let mut at = self.below(from.iter().map(|(_, weight)| weight).sum());
        for (one, weight) in from {
            match at.checked_sub(*weight) {
                Some(left) => at = left,
                None => return Some(one),
            }
        }
        None
    }

    /// How long somebody takes who usually takes so long.
    pub(super) fn about(&mut self, usual: u64) -> u64 {
        usual * self.one_of(&PACE).copied().unwrap_or(100) / 100
    }

    /// 32 bytes, for who needs a seed of their own.
    pub(super) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_dice_within_their_bounds() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| dice.between(-3, 3)).collect::<Vec<_>>()
        };
        assert_eq!(throw(1), throw(1));
        assert_ne!(throw(1), throw(2));
        assert!(throw(1).iter().all(|n| (-3..=3).contains(n)));
        let mut dice = Dice::new(1);
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.one_of::<u8>(&[]), None);
        assert_eq!(dice.weighted(&[("never", 0), ("always", 1)]), Some(&"always"));
        let cents = dice.decimal("1".parse().unwrap(), "2".parse().unwrap(), "0.5".parse().unwrap());
        assert!(["1", "1.5", "2"].contains(&cents.to_string().trim_end_matches(".0")));
    }
}
