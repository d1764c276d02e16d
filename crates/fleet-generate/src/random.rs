//! A small deterministic source of numbers, so that a fleet is the same on every machine.

/// `SplitMix64`: one word of state, a full period, good enough to draw test data from.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A source for one `(seed, stream)` pair; different streams of a seed are independent.
    #[must_use]
    pub const fn new(seed: u64, stream: u64) -> Self {
        let mixed = seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
        let mut source = Self(mixed);
        source.0 = source.next_u64() ^ seed.rotate_left(32);
        source
    }

    /// The next 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 for a bound of 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// A number in `0..bound` that prefers small ones: the product of two uniform draws, so the first tenth of the range
    /// takes about a third of the draws.
    pub const fn skewed(&mut self, bound: u64) -> u64 {
        let first = self.below(bound.saturating_add(1));
        let second = self.below(bound.saturating_add(1));
        let product = (first as u128 * second as u128 / (bound as u128 + 1)) as u64;
        if product < bound {
            product
        } else {
            bound.saturating_sub(1)
        }
    }

    /// True in `permille` of 1000 draws.
    pub const fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of `choices`, the first ones more often; an empty text for no choices.
    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let at = self.skewed(choices.len() as u64);
        choices.get(at as usize).copied().unwrap_or("")
    }
}
