//! `fleet cert`: certificates as registry records.

use clap::{Args, Subcommand, ValueEnum};

use super::{Action, Request};
use crate::failure::Failure;
use crate::input;
use crate::show::Show;

const AFTER: &str = "\
A certificate's id is the SHA-256 of its DER in hexadecimal.

Examples:
  fleet cert register device.pem --active
  fleet cert list
  fleet cert attach ID press-7
  fleet cert update ID revoked
  fleet cert delete ID";

/// Register certificates and attach them to things
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Cert {
    #[command(subcommand)]
    pub(crate) action: CertAction,
}

/// A status that a person may set.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Status {
    /// Its holder may connect
    Active,
    /// Its holder may not connect now
    Inactive,
    /// Its holder may not connect any more
    Revoked,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Revoked => "REVOKED",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertAction {
    /// Register a certificate (PEM)
    Register {
        /// The PEM file; `-` is standard input
        file: String,
        /// Make it active at once
        #[arg(long)]
        active: bool,
        /// The PEM file of the registered CA that issued it
        #[arg(long, value_name = "FILE")]
        ca: Option<String>,
    },
    /// Show a certificate
    Show { id: String },
    /// List certificates
    List,
    /// Change the status
    Update { id: String, status: Status },
    /// Delete a certificate that is not active and not attached
    Delete {
        id: String,
        /// Even if policies are attached
        #[arg(long)]
        force: bool,
    },
    /// Attach a certificate to a thing
    Attach {
        id: String,
        thing: String,
        /// The certificate is for this thing alone
        #[arg(long)]
        exclusive: bool,
    },
    /// Detach a certificate from a thing
    Detach { id: String, thing: String },
    /// List the things that a certificate is attached to
    Things { id: String },
}

impl CertAction {
    /// What the operations call the certificate: an ARN is taken as it is, an id is completed.
    fn principal(id: &str, account: &str, region: &str) -> String {
        if id.starts_with("arn:") {
            id.to_owned()
        } else {
            format!("arn:aws:iot:{region}:{account}:cert/{id}")
        }
    }

    /// The verb with ids made into ARNs of this account where an operation wants one.
    pub(crate) fn in_account(mut self, account: &str, region: &str) -> Self {
        if let Self::Attach { id, .. } | Self::Detach { id, .. } | Self::Things { id } = &mut self {
            *id = Self::principal(id, account, region);
        }
        self
    }
}

impl Action for CertAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        Ok(vec![match self {
            Self::Register { file, active, ca } => {
                let pem = input::read_text(&file)?;
                let ca = ca.map(|path| input::read_text(&path)).transpose()?;
                let op = if ca.is_some() {
                    "RegisterCertificate"
                } else {
                    "RegisterCertificateWithoutCA"
                };
                let status = if active { "ACTIVE" } else { "INACTIVE" };
                Request::write(op, Show::Record)
                    .with("certificatePem", pem)
                    .maybe("caCertificatePem", ca)
                    .with("status", status)
            }
            Self::Show { id } => {
                Request::read("DescribeCertificate", Show::Record).with("certificateId", id)
            }
            Self::List => Request::read(
                "ListCertificates",
                Show::Rows {
                    member: "certificates",
                    columns: &[
                        ("CERTIFICATE", "certificateId"),
                        ("STATUS", "status"),
                        ("CREATED", "creationDate"),
                    ],
                    what: "certificates",
                },
            )
            .with("pageSize", 250)
            .paged_by("marker", "nextMarker"),
            Self::Update { id, status } => Request::write(
                "UpdateCertificate",
                Show::Said(format!("certificate is {}", status.as_str())),
            )
            .with("certificateId", id)
            .with("newStatus", status.as_str()),
            Self::Delete { id, force } => Request::write(
                "DeleteCertificate",
                Show::Said("certificate is deleted".into()),
            )
            .with("certificateId", id)
            .flag("forceDelete", force),
            Self::Attach {
                id,
                thing,
                exclusive,
            } => Request::write(
                "AttachThingPrincipal",
                Show::Said(format!("certificate is attached to `{thing}`")),
            )
            .with("principal", id)
            .with("thingName", thing)
            .maybe("thingPrincipalType", exclusive.then_some("EXCLUSIVE_THING")),
            Self::Detach { id, thing } => Request::write(
                "DetachThingPrincipal",
                Show::Said(format!("certificate is detached from `{thing}`")),
            )
            .with("principal", id)
            .with("thingName", thing),
            Self::Things { id } => Request::read(
                "ListPrincipalThings",
                Show::Rows {
                    member: "things",
                    columns: &[("THING", "")],
                    what: "things",
                },
            )
            .with("principal", id)
            .with("maxResults", 250)
            .paged(),
        }])
    }
}
