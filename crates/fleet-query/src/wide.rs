//! Loops compiled once more for the vector instructions that not every processor has.

/// Runs a loop with the widest vectors that the processor has. What it calls takes part as far as it is inlined.
#[inline(always)]
pub(crate) fn wide<T>(run: impl FnOnce() -> T) -> T {
    fearless_simd::dispatch!(fearless_simd::Level::new(), _ => run())
}
