//! The IoT Hub face of a twin: bodies, documents, notifications. Spec: Azure 2.

pub(super) mod body;
mod configuration;
mod document;
mod etag;
mod message;

pub use configuration::ConfigurationStatus;
pub use document::{
    IdentityFacts, NEVER, device_document, document, properties, section_document, time_text,
};
pub use etag::{Etag, IfMatch};
pub use message::{ChangeEvent, change_event, coalesce, desired_notification, reported_answer};
