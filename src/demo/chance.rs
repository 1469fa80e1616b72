//! Seeded pseudo-randomness, so that a run looks alive and a test repeats. It must not be used for anything secret.

/// A small generator (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// A generator that begins at a seed.
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from `low` up to and without `high`; `low` where there is nothing between.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % high.saturating_sub(low).max(1)
    }

    /// True in one of `n` cases.
    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.between(0, n) == 0
    }

    /// One of several; there must be at least one.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.between(0, all.len() as u64) as usize;
        &all[at]
    }

    /// One of several, the heavier the more often; there must be at least one.
    pub(super) fn weighted<'a, T>(&mut self, all: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
        let sum: u64 = all.iter().map(|t| u64::from(weight(t))).sum();
        let mut left = self.between(0, sum);
        let found = all.iter().find(|t| {
            let w = u64::from(weight(t));
            let here = left < w;
            left = left.saturating_sub(w);
            here
        });
        found.unwrap_or(&all[0])
    }

    /// Lower-case hex digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    /// Decimal digits.
    pub(super) fn digits(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(b'0' + self.between(0, 10) as u8)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_run() {
        let run = |seed| {
            let mut chance = Chance::new(seed);
            (chance.hex(20), chance.digits(9), chance.between(5, 9))
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn weights_are_kept_and_bounds_hold() {
        let mut chance = Chance::new(1);
        let picked: Vec<u32> = (0..1_000).map(|_| *chance.weighted(&[1_u32, 9, 0], |w| *w)).collect();
        assert!(picked.iter().all(|w| *w > 0));
        assert!((820..980).contains(&picked.iter().filter(|w| **w == 9).count()));
        assert!((0..1_000).all(|_| (5..9).contains(&chance.between(5, 9))));
        assert_eq!(chance.between(5, 5), 5);
    }
}
