//! A seeded, pure generator of device twins that look like a real fleet.
//!
//! Everything is a function of `(seed, number)`: the same arguments give the same bytes on every machine, and device `n` can be
//! written without writing those before it. What real fleets have and tests usually lack is in it: skewed tags, missing values, half a
//! percent of strings on a numeric path (`properties.reported.battery`), hundreds of rare keys (`properties.reported.x017`),
//! arrays, nested objects, values that few devices share, and up to ten groups a device.
#![forbid(unsafe_code)]

mod random;
mod twin;

pub use random::Random;
pub use twin::{creation, device_id, groups, patch, twin, write_twin};
