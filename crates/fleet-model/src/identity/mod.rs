//! Device and module identities: who may speak for a record through IoT Hub.
//!
//! A record has one stream for both faces: [`Devices`] decides IoT Hub's commands over the same
//! [`crate::thing::Record`] that [`crate::thing::Things`] decides AWS's over. Modules have streams of their own. Keys
//! never come near an event, a document or a log: a request is read ([`DeviceRequest::parse`]), its
//! keys go into the embedder's [`SecretStore`], and what is recorded are their handles. Spec: Azure 1.

mod authentication;
mod bulk;
mod device;
mod document;
mod error;
mod etag;
mod module;
mod request;
mod secret;

pub use authentication::{Authentication, AuthenticationRequest, KeyRequest, Thumbprint};
pub use bulk::{BulkItem, ImportMode, bulk_items};
pub use device::{
    DeviceAction, DeviceCommand, DeviceIdentity, DeviceView, DeviceWrite, Devices, EdgeFacts,
    IdentityWritten, Parent, Status,
};
pub use document::{device_document, device_facts, module_document, module_facts};
pub use error::{CODES, IdentityError};
pub use etag::IdentityEtag;
pub use module::{
    ModuleAction, ModuleCommand, ModuleDeleted, ModuleEvent, ModuleIdentity, ModuleRecord,
    ModuleView, ModuleWrite, ModuleWritten, Modules, SYSTEM_MODULES, module_stream, system_modules,
};
pub use request::{DeviceRequest, ModuleRequest};
pub use secret::{
    InMemorySecrets, KeyHandles, Secret, SecretHandle, SecretStore, SecretStoreError,
};

#[cfg(test)]
mod tests;
