//! Read models: folds of the log, caught up when somebody asks.
//!
//! Each [`Follower`] holds one model and the categories of streams that it folds. A read first folds
//! what was recorded since the last one, so that reads see the writes before them; a fleet that is
//! asked nothing replays nothing.

mod branches;
mod catalog;
mod certificates;
mod documents;
mod follower;
mod identities;
mod presence;
mod principals;
mod states;
mod things;

pub(crate) use branches::Branches;
pub(crate) use catalog::Catalog;
pub(crate) use certificates::CertificateModel;
pub(crate) use documents::{Documents, DocumentsFollower};
pub(crate) use follower::{Follower, Model};
pub(crate) use identities::Identities;
pub(crate) use presence::PresenceModel;
pub(crate) use principals::Principals;
pub(crate) use things::{Row, Things};
