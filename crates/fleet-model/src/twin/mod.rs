//! Twins: what the back end wants of a device and what the device says, in one document that two
//! protocols read and write.
//!
//! A record has one device twin, which is also its AWS classic shadow; module twins and named
//! shadows are further twins of the same kind. [`Twin`] decides, [`shadow`] and [`hub`] render what
//! each protocol shows. What differs between the two is [`Profile`], printed in
//! `docs/twin-profiles.md`. Spec: AWS 4, Azure 2, design 5 and 10.
//!
//! ```
//! use fleet_model::kernel::{Context, Decider, Timestamp};
//! use fleet_model::limits::Limits;
//! use fleet_model::twin::{Payload, Twin, TwinCommand, TwinKey, TwinView, hub, shadow};
//! use serde_json::json;
//!
//! let key = TwinKey::Device("press-7".parse()?);
//! let view = TwinView { key: key.clone(), incarnation: None };
//! let limits = Limits::default();
//! let context = Context { now: Timestamp::from_secs(1_700_000_000), limits: &limits, view: &view };
//!
//! let update = TwinCommand::UpdateShadow {
//!     payload: Payload::Json(json!({"state": {"desired": {"valve": 60}}})),
//! };
//! let events = Twin::decide(&Twin::initial(), update, &context)?;
//! let twin = events.iter().fold(Twin::initial(), Twin::evolve);
//!
//! let classic = shadow::document(&key, &twin, None)?;
//! assert_eq!(classic["state"], json!({"desired": {"valve": 60}, "delta": {"valve": 60}}));
//! assert_eq!(hub::properties(&twin)["desired"]["valve"], 60);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod command;
mod decide;
mod error;
mod event;
pub mod hub;
mod import;
mod key;
mod measure;
mod merge;
mod node;
mod path;
mod profile;
mod section;
pub mod shadow;
mod state;
mod text;

pub use command::{Condition, Payload, TwinCommand};
pub use decide::Twin;
pub use error::{CODES, ServiceError, TwinError};
pub use event::{
    ConfigurationsChanged, Ended, Patched, Replaced, ShadowDeleted, TwinEvent, Writer,
};
pub use import::{Draft, Imported, SectionSeed};
pub use key::{Incarnation, TwinKey, TwinView};
pub use measure::ArrayNesting;
pub use merge::merge_patch;
pub use node::{Members, Node, NodeValue, ShortText, Written};
pub use profile::{EmptySection, KeyRule, Profile, RESERVED_KEYS, SizeRule};
pub use section::{Section, SectionChange, SectionName};
pub use state::{ShadowLife, TwinState};

/// Something to publish: a topic and a JSON payload, as plain values.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The MQTT topic.
    pub topic: String,
    /// The payload.
    pub payload: serde_json::Value,
}

#[cfg(test)]
mod tests;
