//! A blocked Bloom filter: whether a key may be in a run. A key costs one cache line; about two of a hundred unseen keys pass.

/// Bits for each key.
const BITS_PER_KEY: u64 = 10;

/// Bits set for each key, all in one block.
const PROBES: u32 = 6;

/// Words of 64 bits in a block: one cache line.
const BLOCK_WORDS: usize = 8;

/// The filter of one run.
pub(super) struct Bloom {
    words: Vec<u64>,
}

impl Bloom {
    /// For so many keys.
    pub(super) fn new(keys: u64) -> Bloom {
        let blocks = (keys * BITS_PER_KEY).div_ceil(BLOCK_WORDS as u64 * 64).max(1);
        Bloom { words: vec![0; blocks as usize * BLOCK_WORDS] }
    }

    /// As it was written.
    pub(super) fn from_bytes(bytes: &[u8]) -> Bloom {
        let mut words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c)).collect();
        words.resize(words.len().next_multiple_of(BLOCK_WORDS).max(BLOCK_WORDS), u64::MAX);
        Bloom { words }
    }

    /// To be written.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    /// The first word of a hash's block, and the bits within the block, six of nine bits each.
    fn place(&self, hash: u64) -> (usize, u64) {
        let blocks = (self.words.len() / BLOCK_WORDS) as u64;
        let block = ((hash >> 32) * blocks) >> 32;
        (block as usize * BLOCK_WORDS, hash.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Adds a key.
    pub(super) fn add(&mut self, hash: u64) {
        let (block, bits) = self.place(hash);
        for i in 0..PROBES {
            let bit = (bits >> (10 + 9 * i)) & 511;
            self.words[block + (bit >> 6) as usize] |= 1 << (bit & 63);
        }
    }

    /// `false`: the key was never added.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let (block, bits) = self.place(hash);
        (0..PROBES).all(|i| {
            let bit = (bits >> (10 + 9 * i)) & 511;
            self.words[block + (bit >> 6) as usize] & (1 << (bit & 63)) != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::projection::Key;

    #[test]
    fn what_was_added_passes_and_few_others_do() {
        let mut bloom = Bloom::new(20_000);
        let hash = |n: u32| Key::id(&format!("message-{n}")).0;
        (0..20_000).for_each(|n| bloom.add(hash(n)));
        let bloom = Bloom::from_bytes(&bloom.to_bytes());
        assert!((0..20_000).all(|n| bloom.may_hold(hash(n))));
        let wrong = (20_000..120_000).filter(|n| bloom.may_hold(hash(*n))).count();
        assert!(wrong < 3_000, "{wrong} of 100,000 unseen keys pass");
        assert!(wrong > 0, "a filter of this size that lets nothing pass is no filter");
    }

    #[test]
    fn a_filter_that_was_cut_lets_everything_of_the_lost_part_pass() {
        assert!(Bloom::from_bytes(&[]).may_hold(7));
        assert!(!Bloom::new(0).may_hold(7));
    }
}
