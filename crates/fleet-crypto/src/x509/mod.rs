//! X.509 certificates of devices: parse, decide, issue, revoke.
pub(crate) mod der;
