//! The commands that are no noun: one file each.

pub(crate) mod backup;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod crypto;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod r#match;
pub(crate) mod query;
pub(crate) mod translate;
pub(crate) mod verify;
pub(crate) mod watch;
