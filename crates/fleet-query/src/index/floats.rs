//! One chunk of floating-point numbers: as scaled decimals where that loses nothing, else by their ordered bits.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a kernel: decimals are integers below 2^53, checked by converting back"
)]
use super::ints::Ints;

const SCALES: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Optional finite floats of the rows of one chunk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Floats {
    /// Number of decimals, 0 to 6; none when the values are kept as ordered bits.
    pub(crate) scale: Option<u8>,
    pub(crate) ints: Ints,
}

impl Default for Floats {
    fn default() -> Self {
        Self {
            scale: Some(0),
            ints: Ints::default(),
        }
    }
}

impl Floats {
    pub(crate) fn get(&self, row: usize) -> Option<f64> {
        self.ints.get(row).map(|stored| decode(self.scale, stored))
    }

    /// Writes a cell; true if the row was empty before.
    pub(crate) fn set(&mut self, row: usize, value: f64) -> bool {
        loop {
            if let Some(stored) = encode(self.scale, value) {
                return self.ints.set(row, stored);
            }
            let from = self.scale.map_or(7, |scale| scale + 1);
            let next = (from..7).find(|scale| encode(Some(*scale), value).is_some());
            self.rescale(next);
        }
    }

    /// What a stored integer is divided by to give the number; none when the values are ordered bits.
    pub(crate) fn divisor(&self) -> Option<f64> {
        SCALES.get(usize::from(self.scale?)).copied()
    }

    /// The form that a range is translated for: number of decimals, 7 for ordered bits.
    pub(crate) fn form(&self) -> usize {
        self.scale.map_or(7, usize::from)
    }

    pub(crate) fn for_each(&self, mut f: impl FnMut(usize, f64)) {
        let scale = self.scale;
        self.ints
            .for_each(|row, stored| f(row, decode(scale, stored)));
    }

    fn rescale(&mut self, scale: Option<u8>) {
        let mut out = Self {
            scale,
            ints: Ints::default(),
        };
        let mut lost = false;
        self.for_each(|row, value| match encode(scale, value) {
            Some(stored) => {
                out.ints.set(row, stored);
            }
            None => lost = true,
        });
        if lost {
            self.rescale(None);
        } else {
            *self = out;
        }
    }
}

fn decode(scale: Option<u8>, stored: i64) -> f64 {
    match scale.and_then(|scale| SCALES.get(usize::from(scale))) {
        Some(factor) => stored as f64 / factor,
        None => f64::from_bits(
            if stored < 0 {
                stored ^ i64::MAX
            } else {
                stored
            }
            .cast_unsigned(),
        ),
    }
}

fn encode(scale: Option<u8>, value: f64) -> Option<i64> {
    let Some(factor) = scale.and_then(|scale| SCALES.get(usize::from(scale))) else {
        let bits = value.to_bits().cast_signed();
        return Some(if bits < 0 { bits ^ i64::MAX } else { bits });
    };
    let scaled = (value * factor).round();
    // A negative zero has no integer.
    if scaled.abs() >= EXACT || (scaled == 0.0 && value.is_sign_negative()) {
        return None;
    }
    let back = scaled / factor;
    (back.to_bits() == value.to_bits()).then_some(scaled as i64)
}

/// The stored integers whose values lie in `low..=high`.
pub(crate) fn bounds(scale: Option<u8>, low: f64, high: f64) -> (i64, i64) {
    if scale.is_none() {
        // Zero has two signs that compare equal.
        let low = if low == 0.0 { -0.0 } else { low };
        let high = if high == 0.0 { 0.0 } else { high };
        return (
            encode(None, low).unwrap_or(0),
            encode(None, high).unwrap_or(0),
        );
    }
    let reach = EXACT as i64;
    (
        first(-reach, reach, |i| decode(scale, i) >= low),
        first(-reach, reach, |i| decode(scale, i) > high) - 1,
    )
}

/// The integers whose value as a double lies in `low..=high`.
pub(crate) fn integer_bounds(low: f64, high: f64) -> (i64, i64) {
    if low.abs().max(high.abs()) < EXACT {
        return (low.ceil() as i64, high.floor() as i64);
    }
    let reach = 1i64 << 62;
    (
        first(-reach, reach, |i| i as f64 >= low),
        first(-reach, reach, |i| i as f64 > high) - 1,
    )
}

/// The first integer of `low..=high` for which the monotone test holds; one past the end if none.
fn first(low: i64, high: i64, test: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (low, high + 1);
    while low < high {
        let middle = (low >> 1) + (high >> 1) + (low & high & 1);
        if test(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::ints::ROWS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_back_bit_for_bit_and_ranges_agree(
            values in prop::collection::vec(prop_oneof![
                (-1000..1000i32).prop_map(|i| f64::from(i) / 100.0),
                (-1000..1000i32).prop_map(f64::from),
                any::<f64>().prop_filter("finite", |v| v.is_finite()),
                Just(-0.0), Just(0.0),
            ], 1..600),
            low in -20.0..20.0f64, width in 0.0..30.0f64, at in 0..600usize,
        ) {
            let mut floats = Floats::default();
            for (row, value) in values.iter().enumerate() {
                floats.set(row, *value);
            }
            for (row, value) in values.iter().enumerate() {
                prop_assert_eq!(floats.get(row).map(f64::to_bits), Some(value.to_bits()));
            }
            let exact = values.get(at).copied().unwrap_or(0.0);
            for (low, high) in [(low, low + width), (exact, exact), (0.0, 0.0), (f64::NEG_INFINITY, f64::INFINITY)] {
                let mut mask = [0; ROWS];
                let (from, to) = bounds(floats.scale, low, high);
                floats.ints.select(from, to, &mut mask);
                for (row, value) in values.iter().enumerate() {
                    prop_assert_eq!(mask[row] == 1, *value >= low && *value <= high, "{} in {}..={}", value, low, high);
                }
            }
        }
    }
}
