//! Read models: folds of the log, caught up when somebody asks.
//!
//! Each [`Follower`] holds one model and the categories of streams that it folds. A read first folds
//! what was recorded since the last one, so that reads see the writes before them; a fleet that is
//! asked nothing replays nothing.

mod branches;
mod catalog;
mod certificates;
mod document;
mod follower;
mod identities;
mod indexes;
mod live;
mod presence;
mod principals;
mod recent;
mod saved;
mod states;
mod streams;
mod things;

pub(crate) use branches::Branches;
pub(crate) use catalog::Catalog;
pub(crate) use certificates::CertificateModel;
pub(crate) use follower::{Follower, Model};
pub(crate) use identities::Identities;
pub use indexes::IndexOrigin;
pub(crate) use indexes::{IndexFollower, View};
pub(crate) use presence::PresenceModel;
pub(crate) use principals::Principals;
pub(crate) use saved::Place;
pub(crate) use things::{Row, Things};
