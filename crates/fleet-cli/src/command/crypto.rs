//! `fleet crypto`: keys, tokens, chains, signed addresses and manifests by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand, ValueEnum};
use fleet_crypto::manifest::{KeySet, Manifest, sign_detached};
use fleet_crypto::operation::{OperationError, run};
use fleet_crypto::provider::Provider as _;
use fleet_crypto::signer::LocalSigner;
use fleet_crypto::x509::{Certificate, ChainVerifier, Crl, Profile, Role, VerificationCode};
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, UnixSeconds};
use serde_json::{Map, Value, json};

use crate::args::Global;
use crate::failure::{Failure, Problem};
use crate::input::{read_bytes, read_text};
use crate::output::Out;

const AFTER: &str = "\
Warning: secrets (keys, tokens) are read from a file or, with `-`, from standard input; never from an argument, which the shell's
history and every process of the machine can see.

Examples:
  fleet crypto derive press-7 --key group.key
  fleet crypto token --resource 0ne0/registrations/press-7 --key device.key --life 3600 --key-name registration
  fleet crypto check-token token.txt --resource 0ne0/registrations/press-7 --primary device.key
  fleet crypto check-chain device.pem --intermediate issuing.pem --anchor root.pem --explain
  fleet crypto code
  fleet crypto presign s3 --host b.s3.eu-west-1.amazonaws.com --object fw/app.bin --region eu-west-1 --access-key AKIA… --secret secret.key
  fleet crypto sign-manifest manifest.json --key signing.pem --key-id fw-1
  fleet crypto verify-manifest manifest.jws --trust fw-1=signing-public.pem";

/// Derive keys, make and check tokens, check chains, sign addresses and manifests
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Crypto {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Derive the key of one device of a group
    Derive {
        /// The registration id, exactly as the device writes it
        registration_id: String,
        /// The file with the group key in base64
        #[arg(long, value_name = "FILE")]
        key: String,
    },
    /// Make a shared access signature
    Token {
        /// The resource, not escaped
        #[arg(long)]
        resource: String,
        /// The file with the key in base64
        #[arg(long, value_name = "FILE")]
        key: String,
        /// Seconds that it lives from now
        #[arg(long, value_name = "SECONDS", default_value = "3600")]
        life: i64,
        /// When it ends, in Unix seconds, instead of `--life`
        #[arg(long, value_name = "SECONDS", conflicts_with = "life")]
        expiry: Option<i64>,
        /// The name of the key
        #[arg(long, value_name = "NAME")]
        key_name: Option<String>,
    },
    /// Check a shared access signature and say which key made it
    CheckToken {
        /// The file with the token
        token: String,
        /// The resource that is asked for
        #[arg(long)]
        resource: String,
        /// The file with the primary key in base64
        #[arg(long, value_name = "FILE")]
        primary: String,
        /// The file with the secondary key in base64
        #[arg(long, value_name = "FILE")]
        secondary: Option<String>,
        /// Take a token for the first whole segments of the resource too
        #[arg(long)]
        prefix: bool,
        /// The instant, in Unix seconds
        #[arg(long, value_name = "SECONDS")]
        now: Option<i64>,
    },
    /// Check a certificate chain and name the device
    CheckChain {
        /// The device's certificate
        leaf: String,
        /// An intermediate; may be given several times
        #[arg(long = "intermediate", value_name = "FILE")]
        intermediates: Vec<String>,
        /// An enrolled root or intermediate; may be given several times
        #[arg(long = "anchor", value_name = "FILE", required = true)]
        anchors: Vec<String>,
        /// A revocation list; may be given several times
        #[arg(long = "crl", value_name = "FILE")]
        crls: Vec<String>,
        /// The rules
        #[arg(long, value_enum, default_value = "device")]
        profile: Rules,
        /// The instant, in Unix seconds
        #[arg(long, value_name = "SECONDS")]
        now: Option<i64>,
        /// List every certificate that breaks a rule
        #[arg(long)]
        explain: bool,
    },
    /// Make a verification code: the common name that proves possession of a CA's key
    Code,
    /// Sign a download address
    #[command(subcommand)]
    Presign(Presign),
    /// Sign an update manifest
    SignManifest {
        /// The manifest in JSON
        manifest: String,
        /// The file with the private key (PEM, P-256 or Ed25519)
        #[arg(long, value_name = "FILE")]
        key: String,
        /// The id under which devices know the key
        #[arg(long, value_name = "ID")]
        key_id: String,
        /// Leave the payload out; it is then exactly the canonical JSON of the manifest
        #[arg(long)]
        detached: bool,
    },
    /// Verify a signed update manifest and print it
    VerifyManifest {
        /// The file with the signed manifest
        jws: String,
        /// The payload of a detached signature
        #[arg(long, value_name = "FILE")]
        payload: Option<String>,
        /// A trusted public key: its id and its PEM file; may be given several times
        #[arg(long = "trust", value_name = "ID=FILE", required = true)]
        trusted: Vec<String>,
        /// The highest version that was accepted before
        #[arg(long, value_name = "VERSION")]
        highest_version: Option<String>,
        /// The instant, in Unix seconds
        #[arg(long, value_name = "SECONDS")]
        now: Option<i64>,
    },
}

/// Which rules a chain must obey.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Rules {
    /// What common tools make is taken
    Device,
    /// What RFC 5280 demands of the form, besides
    Rfc5280,
}

#[derive(Debug, Subcommand)]
enum Presign {
    /// Amazon S3, Signature Version 4
    S3 {
        /// The host
        #[arg(long)]
        host: String,
        /// The object key, not escaped
        #[arg(long, value_name = "KEY")]
        object: String,
        /// The access key id
        #[arg(long, value_name = "ID")]
        access_key: String,
        /// The file with the secret access key
        #[arg(long, value_name = "FILE")]
        secret: String,
        /// The file with the session token of temporary credentials
        #[arg(long, value_name = "FILE")]
        session_token: Option<String>,
        /// Seconds that it lives
        #[arg(long, value_name = "SECONDS", default_value = "3600")]
        life: u32,
        /// When it is signed, in Unix seconds
        #[arg(long, value_name = "SECONDS")]
        now: Option<i64>,
    },
    /// Azure blob, service SAS
    Blob {
        /// The storage account
        #[arg(long = "storage-account", value_name = "NAME")]
        storage_account: String,
        /// The container
        #[arg(long)]
        container: String,
        /// The blob's name, not escaped
        #[arg(long)]
        blob: String,
        /// The file with the account key in base64
        #[arg(long, value_name = "FILE")]
        key: String,
        /// When it ends, `2026-02-26T04:15:35Z`
        #[arg(long, value_name = "TIME")]
        expiry: String,
        /// The version of the service
        #[arg(long, default_value = "2026-10-06")]
        service_version: String,
    },
    /// The neutral form of this project
    Neutral {
        /// The host
        #[arg(long)]
        host: String,
        /// The path, escaped
        #[arg(long)]
        path: String,
        /// The device that may download
        #[arg(long)]
        device: String,
        /// The id of the key
        #[arg(long, value_name = "ID")]
        key_id: String,
        /// The file with the key in base64
        #[arg(long, value_name = "FILE")]
        key: String,
        /// When it ends, in Unix seconds
        #[arg(long, value_name = "SECONDS")]
        expiry: i64,
    },
}

/// The PEM blocks with `label` in a file, at least one. A file without any PEM is taken as DER and becomes one block.
fn blocks(path: &str, label: &str) -> Result<Vec<String>, Failure> {
    let bytes = read_bytes(path)?;
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let blocks: Vec<String> = match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains("-----BEGIN") => text
            .split_inclusive(&end)
            .filter_map(|part| Some(part.get(part.find(&begin)?..)?.to_owned()))
            .collect(),
        _ if bytes.is_empty() => vec![],
        _ => vec![format!("{begin}\n{}\n{end}\n", STANDARD.encode(&bytes))],
    };
    if blocks.is_empty() {
        let problem = Problem::new(
            "cli.no_pem_block",
            format!("`{path}` has no block `{begin}`"),
        );
        return Err(Failure::Usage(
            problem.help("give a PEM file, one or several blocks, or DER"),
        ));
    }
    Ok(blocks)
}

/// An update manifest out of a file; what is wrong with it is said with its place.
fn read_manifest(path: &str) -> Result<Manifest, Failure> {
    serde_json::from_str(&read_text(path)?).map_err(|error| {
        Failure::Usage(
            Problem::new("cli.manifest", format!("`{path}` is no update manifest: {error}"))
                .help("its members are updateId, compatibility, files, createdDateTime and expiresDateTime; see docs/crypto.md"),
        )
    })
}

/// A secret out of a file or standard input, without its last line feed. A secret in the place of a file name is not repeated.
fn secret(path: &str) -> Result<String, Failure> {
    let looks_secret = path.len() >= 20
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b))
        || path.starts_with("SharedAccessSignature")
        || path.starts_with("-----BEGIN");
    if looks_secret && !std::path::Path::new(path).exists() {
        return Err(Failure::Usage(
            Problem::new(
                "cli.secret_argument",
                "a secret was given as an argument; it is not used",
            )
            .help("put it in a file that only you can read, or use `-`; the shell's history has it now, so replace it"),
        ));
    }
    Ok(read_text(path)?.trim_end_matches(['\n', '\r']).to_owned())
}

fn now(given: Option<i64>, global: &Global) -> i64 {
    // With a seed the clock is the logical one, which starts in 2026.
    let clock = || match global.seed {
        Some(_) => 1_767_225_600,
        None => chrono::Utc::now().timestamp(),
    };
    given.unwrap_or_else(clock)
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        let mut problem = Problem::new(error.code, error.message);
        problem.more = Map::from_iter([
            ("name".to_owned(), json!(error.name)),
            ("status".to_owned(), json!(error.status)),
        ]);
        Self::Refused(problem)
    }
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        OperationError::from(error).into()
    }
}

/// Runs an operation and prints one member of its answer, or the whole as JSON.
fn operate(name: &str, params: Value, member: &str, global: &Global) -> Result<(), Failure> {
    let answer = run(name, params)
        .ok_or_else(|| Failure::usage("request.unknown_operation", "no such operation"))??;
    let mut out = Out::new();
    match answer.get(member) {
        Some(value) if !global.json => match value.as_str() {
            Some(text) => out.line(text)?,
            None => out.line(&format!("{value:#}"))?,
        },
        _ => out.json(&answer)?,
    }
    out.flush()
}

/// Leaves absent members out.
fn params(members: Value) -> Value {
    match members {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
        ),
        other => other,
    }
}

/// Bytes of the operating system, or of the seed.
struct Bytes(Option<(u64, u64)>);

impl SecureRandom for Bytes {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        let Some((seed, count)) = &mut self.0 else {
            return getrandom::fill(out).map_err(|_| CryptoError::Random {
                what: "the operating system's generator",
            });
        };
        for chunk in out.chunks_mut(32) {
            let block = RustCrypto.sha256(&[&seed.to_be_bytes(), &count.to_be_bytes()]);
            *count += 1;
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl Crypto {
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        match self.action {
            Action::Derive {
                registration_id,
                key,
            } => {
                let given = json!({"masterKey": secret(&key)?, "registrationId": registration_id});
                operate("DeriveDeviceKey", given, "deviceKey", global)
            }
            Action::Token {
                resource,
                key,
                life,
                expiry,
                key_name,
            } => {
                let expiry = expiry.unwrap_or_else(|| now(None, global).saturating_add(life));
                let given = json!({
                    "resource": resource, "key": secret(&key)?, "expiry": expiry, "keyName": key_name,
                });
                operate("CreateSasToken", params(given), "token", global)
            }
            Action::CheckToken {
                token,
                resource,
                primary,
                secondary,
                prefix,
                now: at,
            } => {
                let secondary = secondary.as_deref().map(secret).transpose()?;
                let given = json!({
                    "token": secret(&token)?,
                    "resource": resource,
                    "keys": params(json!({"primary": secret(&primary)?, "secondary": secondary})),
                    "now": now(at, global),
                    "resourceMatch": if prefix { "prefix" } else { "exact" },
                });
                operate("VerifySasToken", given, "matched", global)
            }
            Action::CheckChain { .. } => self.check_chain(global),
            Action::Code => {
                let mut random = Bytes(global.seed.map(|seed| (seed, 0)));
                let code = VerificationCode::generate(&mut random)?;
                let mut out = Out::new();
                if global.json {
                    out.json(&json!({ "code": code.expose_secret() }))?;
                } else {
                    out.line(code.expose_secret())?;
                }
                out.flush()
            }
            Action::Presign(presign) => presign.run(global),
            Action::SignManifest {
                manifest,
                key,
                key_id,
                detached,
            } => {
                let signer = LocalSigner::from_pem(&secret(&key)?)?;
                let manifest = read_manifest(&manifest)?;
                let jws = if detached {
                    sign_detached(&manifest.to_json()?, &key_id, None, &signer)?
                } else {
                    KeySet::sign_manifest(&manifest, &key_id, &signer)?
                };
                let mut out = Out::new();
                if global.json {
                    out.json(&json!({ "jws": jws }))?;
                } else {
                    out.line(&jws)?;
                }
                out.flush()
            }
            Action::VerifyManifest {
                jws,
                payload,
                trusted,
                highest_version,
                now: at,
            } => {
                let mut keys = Map::new();
                for one in trusted {
                    let (id, file) = one
                        .split_once('=')
                        .ok_or_else(|| Failure::usage("cli.trust", "`--trust` wants ID=FILE"))?;
                    keys.insert(id.to_owned(), json!({ "publicPem": read_text(file)? }));
                }
                let payload = match payload {
                    Some(file) => Some(STANDARD.encode(read_bytes(&file)?)),
                    None => None,
                };
                let given = json!({
                    "jws": read_text(&jws)?.trim(),
                    "payload": payload,
                    "keys": keys,
                    "highestVersion": highest_version,
                    "now": now(at, global),
                });
                operate("VerifyManifest", params(given), "manifest", global)
            }
        }
    }

    fn check_chain(self, global: &Global) -> Result<(), Failure> {
        let Action::CheckChain {
            leaf,
            intermediates,
            anchors,
            crls,
            profile,
            now: at,
            explain,
        } = self.action
        else {
            return Ok(());
        };
        let all = |files: &[String], label: &str| -> Result<Vec<String>, Failure> {
            let lists: Result<Vec<_>, _> = files.iter().map(|file| blocks(file, label)).collect();
            Ok(lists?.concat())
        };
        // A file that the device sends whole: its own certificate first, those above it behind.
        let mut bag = blocks(&leaf, "CERTIFICATE")?;
        let leaf = bag.remove(0);
        bag.extend(all(&intermediates, "CERTIFICATE")?);
        let (anchors, crls) = (all(&anchors, "CERTIFICATE")?, all(&crls, "X509 CRL")?);
        let at = now(at, global);
        let mut out = Out::new();
        if explain {
            let read = |texts: &[String]| -> Result<Vec<_>, CryptoError> {
                let read_one = |text: &String| Certificate::from_pem(text);
                texts.iter().map(read_one).collect()
            };
            let (bag, anchors) = (read(&bag)?, read(&anchors)?);
            let crls: Result<Vec<_>, _> = crls.iter().map(|text| Crl::from_pem(text)).collect();
            let crls = crls?;
            let verifier = ChainVerifier {
                crls: &crls,
                profile: match profile {
                    Rules::Device => Profile::Device,
                    Rules::Rfc5280 => Profile::Rfc5280,
                },
                ..ChainVerifier::new(&anchors, &RustCrypto)
            };
            let seen = verifier.explain(&Certificate::from_pem(&leaf)?, &bag, UnixSeconds(at));
            for finding in &seen.findings {
                let role = match finding.role {
                    Role::Leaf => "leaf",
                    Role::Intermediate => "intermediate",
                    Role::Anchor => "anchor",
                };
                let (subject, refusal) = (&finding.subject, &finding.refusal);
                if global.json {
                    out.json(&json!({
                        "role": role, "subject": subject, "code": refusal.code(), "rule": refusal.to_string(),
                    }))?;
                } else {
                    let text = format!("{role} `{subject}`: {} [{}]", refusal, refusal.code());
                    out.line(&crate::output::printable(&text))?;
                }
            }
            if seen.findings.is_empty() && !global.json {
                out.line("no certificate breaks a rule by itself")?;
            }
            out.flush()?;
        }
        let given = json!({
            "leaf": leaf,
            "intermediates": bag,
            "anchors": anchors,
            "crls": crls,
            "now": at,
            "profile": match profile { Rules::Device => "device", Rules::Rfc5280 => "rfc5280" },
        });
        let member = if global.json { "" } else { "registrationId" };
        operate("VerifyCertificateChain", given, member, global)
    }
}

impl Presign {
    fn run(self, global: &Global) -> Result<(), Failure> {
        let given = match self {
            Self::S3 {
                host,
                object,
                access_key,
                secret: file,
                session_token,
                life,
                now: at,
            } => {
                json!({
                    "host": host,
                    "key": object,
                    "region": global.region,
                    "accessKey": access_key,
                    "secretKey": secret(&file)?,
                    "sessionToken": session_token.as_deref().map(secret).transpose()?,
                    "expires": life,
                    "now": now(at, global),
                })
            }
            Self::Blob {
                storage_account,
                container,
                blob,
                key,
                expiry,
                service_version,
            } => json!({
                "account": storage_account,
                "container": container,
                "blob": blob,
                "accountKey": secret(&key)?,
                "expiry": expiry,
                "version": service_version,
            }),
            Self::Neutral {
                host,
                path,
                device,
                key_id,
                key,
                expiry,
            } => json!({
                "host": host,
                "path": path,
                "device": device,
                "keyId": key_id,
                "key": secret(&key)?,
                "expiry": expiry,
            }),
        };
        operate("PresignUrl", params(given), "url", global)
    }
}
