//! The status of a certificate, as published tables. Spec: AWS 6.6.

use serde::{Deserialize, Serialize};

/// Whether a certificate may be used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateStatus {
    /// It may.
    Active,
    /// It may not, until activated.
    Inactive,
    /// It may never again.
    Revoked,
    /// It is on its way to another account.
    PendingTransfer,
    /// A deprecated form of `Inactive`: old records may have it, no operation leads to it.
    RegisterInactive,
    /// Known, and waiting for its activation.
    PendingActivation,
}

use CertificateStatus::{
    Active, Inactive, PendingActivation, PendingTransfer, RegisterInactive, Revoked,
};

/// What moves the status.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Trigger {
    /// UpdateCertificate to `ACTIVE`, or the success of a provisioning.
    Activate,
    /// UpdateCertificate to `INACTIVE`.
    Deactivate,
    /// UpdateCertificate to `REVOKED`.
    Revoke,
    /// TransferCertificate.
    StartTransfer,
    /// CancelCertificateTransfer.
    CancelTransfer,
    /// RejectCertificateTransfer.
    RejectTransfer,
    /// AcceptCertificateTransfer.
    AcceptTransfer,
    /// AcceptCertificateTransfer with `setAsActive`.
    AcceptTransferActive,
}

use Trigger::{
    AcceptTransfer, AcceptTransferActive, Activate, CancelTransfer, Deactivate, RejectTransfer,
    Revoke, StartTransfer,
};

/// Every allowed move: from, by, to. A move to the same status changes nothing; a pair without a row is refused.
pub const TRANSITIONS: &[(CertificateStatus, Trigger, CertificateStatus)] = &[
    (Active, Activate, Active),
    (Active, Deactivate, Inactive),
    (Active, Revoke, Revoked),
    (Inactive, Activate, Active),
    (Inactive, Deactivate, Inactive),
    (Inactive, Revoke, Revoked),
    (Inactive, StartTransfer, PendingTransfer),
    (Revoked, Revoke, Revoked),
    (Revoked, StartTransfer, PendingTransfer),
    (PendingTransfer, CancelTransfer, Inactive),
    (PendingTransfer, RejectTransfer, Inactive),
    (PendingTransfer, AcceptTransfer, Inactive),
    (PendingTransfer, AcceptTransferActive, Active),
    (RegisterInactive, Activate, Active),
    (RegisterInactive, Deactivate, Inactive),
    (RegisterInactive, Revoke, Revoked),
    (RegisterInactive, StartTransfer, PendingTransfer),
    (PendingActivation, Activate, Active),
    (PendingActivation, Deactivate, Inactive),
    (PendingActivation, Revoke, Revoked),
];

/// How a certificate comes into the registry.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Arrival {
    /// Made here, from new keys or from a signing request, by an operator.
    Made,
    /// Made here for a device that asked for it.
    MadeForDevice,
    /// Made elsewhere and registered by an operator.
    Registered,
    /// Presented by a device, signed by a CA with automatic registration.
    AutoRegistered,
}

/// Every status that a certificate may start with, by how it came.
pub const INITIAL: &[(Arrival, CertificateStatus)] = &[
    (Arrival::Made, Inactive),
    (Arrival::Made, Active),
    (Arrival::MadeForDevice, PendingActivation),
    (Arrival::Registered, Inactive),
    (Arrival::Registered, Active),
    (Arrival::Registered, Revoked),
    (Arrival::AutoRegistered, PendingActivation),
];

impl CertificateStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Active,
        Inactive,
        Revoked,
        PendingTransfer,
        RegisterInactive,
        PendingActivation,
    ];

    /// The status after `trigger`, none when that is refused.
    #[must_use]
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == trigger)
            .map(|(_, _, to)| *to)
    }

    /// The status as AWS writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Active => "ACTIVE",
            Inactive => "INACTIVE",
            Revoked => "REVOKED",
            PendingTransfer => "PENDING_TRANSFER",
            RegisterInactive => "REGISTER_INACTIVE",
            PendingActivation => "PENDING_ACTIVATION",
        }
    }
}

impl std::fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 8] = [
        Activate,
        Deactivate,
        Revoke,
        StartTransfer,
        CancelTransfer,
        RejectTransfer,
        AcceptTransfer,
        AcceptTransferActive,
    ];

    /// The trigger of UpdateCertificate to `status`; the others cannot be asked for.
    #[must_use]
    pub const fn of_update(status: CertificateStatus) -> Option<Self> {
        match status {
            Active => Some(Activate),
            Inactive => Some(Deactivate),
            Revoked => Some(Revoke),
            PendingTransfer | RegisterInactive | PendingActivation => None,
        }
    }
}

impl Arrival {
    /// Whether a certificate that comes this way may start with `status`.
    #[must_use]
    pub fn allows(self, status: CertificateStatus) -> bool {
        INITIAL.contains(&(self, status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the spec, cell by cell: `-` is a refusal, `=` changes nothing.
    const SPEC: &str = "
        from               Act  Deact  Rev  Start  Cancel  Reject  Accept  AcceptActive
        ACTIVE             =    I      R    -      -       -       -       -
        INACTIVE           A    =      R    T      -       -       -       -
        REVOKED            -    -      =    T      -       -       -       -
        PENDING_TRANSFER   -    -      -    -      I       I       I       A
        REGISTER_INACTIVE  A    I      R    T      -       -       -       -
        PENDING_ACTIVATION A    I      R    -      -       -       -       -
    ";

    #[test]
    fn every_cell_is_as_the_spec_says() {
        let mut rows = SPEC.trim().lines().map(str::split_whitespace);
        assert_eq!(rows.next().unwrap().count(), 1 + Trigger::ALL.len());
        let mut cells = 0;
        for (status, mut row) in CertificateStatus::ALL.into_iter().zip(rows) {
            assert_eq!(row.next(), Some(status.as_str()));
            for (trigger, cell) in Trigger::ALL.into_iter().zip(row) {
                let expected = match cell {
                    "=" => Some(status),
                    "A" => Some(Active),
                    "I" => Some(Inactive),
                    "R" => Some(Revoked),
                    "T" => Some(PendingTransfer),
                    _ => None,
                };
                assert_eq!(status.after(trigger), expected, "{status} {trigger:?}");
                cells += 1;
            }
        }
        assert_eq!(cells, CertificateStatus::ALL.len() * Trigger::ALL.len());
    }

    #[test]
    fn no_pair_has_two_rows() {
        for (n, (from, by, _)) in TRANSITIONS.iter().enumerate() {
            let twice = |(f, b, _): &(CertificateStatus, Trigger, _)| f == from && b == by;
            assert!(!TRANSITIONS.iter().skip(n + 1).any(twice));
        }
    }

    #[test]
    fn the_wire_form_is_the_services() {
        for status in CertificateStatus::ALL {
            let json = serde_json::to_value(status).unwrap();
            assert_eq!(json, status.as_str());
        }
    }
}
