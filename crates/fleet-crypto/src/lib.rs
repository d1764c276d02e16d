//! Attestation and signing for device fleets: bytes in, verdicts out.
#![forbid(unsafe_code)]
