//! The AWS shadow face of a twin: requests, documents, messages. Spec: AWS 4.

mod delta;
mod document;
mod message;
pub(super) mod request;

pub use delta::{Delta, delta};
pub use document::{ClientToken, deleted_document, document, names_document, updated_document};
pub use message::{
    Request, deleted_message, get_accepted, rejected, rejected_document, update_messages,
};
