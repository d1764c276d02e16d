//! AWS instants on the wire.

use fleet_model::kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in epoch seconds, with a fraction where there is one (AWS spec 0.8).
///
/// ```
/// use fleet_model::kernel::Timestamp;
/// use fleet_sdk::operation::Seconds;
/// assert_eq!(serde_json::to_string(&Seconds(Timestamp::from_millis(1_500)))?, "1.5");
/// assert_eq!(serde_json::to_string(&Seconds(Timestamp::from_secs(2)))?, "2");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, JsonSchema)]
#[schemars(transparent)]
pub struct Seconds(#[schemars(with = "f64")] pub Timestamp);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.as_micros() % 1_000_000 == 0 {
            serializer.serialize_i64(self.0.as_secs())
        } else {
            serializer.serialize_f64(self.0.as_secs_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates and the timestamp clamps"
        )]
        let micros = (seconds * 1_000_000.0).round() as i64;
        Ok(Self(Timestamp::from_micros(micros)))
    }
}
