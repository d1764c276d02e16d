//! Credentials and imports against a software TPM (`swtpm`, `tpm2-tools`), started on a private
//! socket by `scripts/swtpm.sh`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]
mod support;

use fleet_crypto::sas::Verifier;
use fleet_crypto::tpm::{StorageKey, check_endorsement, issue_challenge, make_credential};
use fleet_crypto::{RustCrypto, UnixSeconds};
use std::path::Path;
use std::process::Command;
use support::{SeededRandom, have};

const NOW: UnixSeconds = UnixSeconds(1_780_000_000);

/// A running TPM with its scratch folder; stops when dropped.
struct Tpm {
    folder: tempfile::TempDir,
    tcti: String,
}

fn script(action: &str, folder: &Path) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/swtpm.sh");
    let run = Command::new(script)
        .arg(action)
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

impl Tpm {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tcti = script("start", folder.path());
        Self { folder, tcti }
    }

    /// Runs one tool; whether it succeeded.
    fn run(&self, line: &str) -> bool {
        let mut words = line.split(' ');
        let run = Command::new(words.next().unwrap())
            .args(words)
            .current_dir(self.folder.path())
            .env("TPM2TOOLS_TCTI", &self.tcti)
            .output()
            .unwrap();
        run.status.success()
    }

    /// Runs one tool that must succeed.
    fn must(&self, line: &str) {
        assert!(self.run(line), "{line}");
        // The TPM has three slots for objects; what is loaded is saved in files already.
        let _ = self.run("tpm2_flushcontext -t");
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    fn key(&self, name: &str) -> StorageKey {
        StorageKey::from_bytes(&self.read(name), &RustCrypto).unwrap()
    }

    /// Activates a credential and returns the secret, if the TPM gives it out.
    fn activate(&self, id_object: &[u8], encrypted_secret: &[u8]) -> Option<Vec<u8>> {
        let head = [0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1];
        self.write("credential", &[&head, id_object, encrypted_secret].concat());
        let _ = std::fs::remove_file(self.folder.path().join("secret"));
        self.must("tpm2_startauthsession --policy-session -S session");
        self.must("tpm2_policysecret -S session -c e");
        let line = "tpm2_activatecredential -c srk.ctx -C ek.ctx -i credential -o secret -P session:session";
        let done = self.run(line);
        let _ = self.run("tpm2_flushcontext session");
        let _ = self.run("tpm2_flushcontext -t");
        done.then(|| self.read("secret"))
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        script("stop", self.folder.path());
    }
}

/// Everything that a registration does, with keys of one kind.
fn story(kind: &str) {
    let tpm = Tpm::start();
    tpm.must(&format!("tpm2_createek -c ek.ctx -G {kind} -u ek.pub"));
    tpm.must(&format!("tpm2_createprimary -C o -c srk.ctx -G {kind}"));
    tpm.must("tpm2_readpublic -c srk.ctx -o srk.pub -f tss -n srk.name");
    let (ek, srk) = (tpm.key("ek.pub"), tpm.key("srk.pub"));
    assert_eq!(tpm.read("srk.name"), srk.name(&RustCrypto));
    assert!(check_endorsement(&ek, &srk).is_err());

    // A credential opens in this TPM, and with any flipped bit it does not.
    let mut random = SeededRandom::new(7);
    let name = srk.name(&RustCrypto);
    let made = make_credential(
        &ek,
        &name,
        b"thirty-two bytes of a credential",
        &mut random,
        &RustCrypto,
    );
    let made = made.unwrap();
    let opened = tpm.activate(&made.id_object, &made.encrypted_secret);
    assert_eq!(
        opened.as_deref(),
        Some(&b"thirty-two bytes of a credential"[..])
    );
    for at in [10, 40, made.id_object.len() - 1] {
        let mut damaged = made.id_object.clone();
        damaged[at] ^= 1;
        assert_eq!(
            tpm.activate(&damaged, &made.encrypted_secret),
            None,
            "byte {at}"
        );
    }
    let mut damaged = made.encrypted_secret.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(tpm.activate(&made.id_object, &damaged), None);

    // The identity key is imported below the SRK and signs a token that the service verifies.
    let (challenge, answer) =
        issue_challenge(&ek, &srk, b"", NOW, &mut random, &RustCrypto).unwrap();
    let credential = &answer.credential;
    let inner = tpm
        .activate(&credential.id_object, &credential.encrypted_secret)
        .unwrap();
    tpm.write("inner", &inner);
    tpm.write("identity.pub", &answer.import.public);
    tpm.write("seed", &answer.import.wrapped_seed);
    let import =
        "tpm2_import -C srk.ctx -i duplicate -u identity.pub -s seed -k inner -r identity.priv";
    let mut damaged = answer.import.duplicate.clone();
    damaged[60] ^= 1;
    tpm.write("duplicate", &damaged);
    assert!(!tpm.run(import));
    let _ = tpm.run("tpm2_flushcontext -t");
    tpm.write("duplicate", &answer.import.duplicate);
    tpm.must(import);
    tpm.must("tpm2_load -C srk.ctx -u identity.pub -r identity.priv -c identity.ctx");
    let id = ek.registration_id(&RustCrypto).unwrap();
    let resource = format!("0ne00ABCDEF/registrations/{id}");
    let sr = resource.replace('/', "%2F");
    let expiry = NOW.plus(3_600);
    tpm.write("text", format!("{sr}\n{expiry}").as_bytes());
    tpm.must("tpm2_hmac -c identity.ctx -g sha256 -o mac text");
    use base64::Engine as _;
    let mac = base64::engine::general_purpose::STANDARD.encode(tpm.read("mac"));
    let sig = mac
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let token = format!("SharedAccessSignature sr={sr}&sig={sig}&se={expiry}&skn=registration");
    let verify = |now| challenge.verify(&token, &resource, &Verifier::default(), &RustCrypto, now);
    verify(NOW.plus(600)).unwrap();
    assert_eq!(verify(NOW.plus(601)).unwrap_err().name(), "Expired");
}

const NAME: &str = "software_tpm";
const TOOLS: [&str; 2] = ["swtpm", "tpm2_createek"];

#[test]
fn an_rsa_endorsement_key() {
    if cfg!(feature = "rsa") && have(NAME, &TOOLS) {
        story("rsa");
    }
}

#[test]
fn an_ecc_endorsement_key() {
    if have(NAME, &TOOLS) {
        story("ecc");
    }
}
