//! Certificates that this crate makes and judges, and certificates that openssl makes.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
mod support;

use fleet_crypto::signer::{LocalSigner, Signer};
use fleet_crypto::x509::*;
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, UnixSeconds};
use proptest::prelude::*;
use std::process::Command;
use support::{BrokenRandom, SeededRandom, have};

const NOW: UnixSeconds = UnixSeconds(1_780_000_000);
const DAY: i64 = 86_400;

struct Ca {
    certificate: Certificate,
    key: LocalSigner,
}

impl Ca {
    fn new(random: &mut SeededRandom) -> Self {
        let key = LocalSigner::generate_p256(random).unwrap();
        let span = (NOW.plus(-DAY), NOW.plus(1_000 * DAY));
        let certificate =
            CertificateAuthority::self_signed("Test CA", &key, Some(0), span, random, &RustCrypto);
        Self {
            certificate: certificate.unwrap(),
            key,
        }
    }

    fn authority(&self) -> CertificateAuthority<'_> {
        CertificateAuthority::new(&self.certificate, &self.key, &RustCrypto).unwrap()
    }

    fn device(&self, name: &str, random: &mut SeededRandom) -> Certificate {
        let key = LocalSigner::generate_ed25519(random).unwrap().public_key();
        self.authority()
            .issue(name, &key, NOW, 30 * DAY, random)
            .unwrap()
            .certificate
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, CryptoError>) -> &'static str {
    result.unwrap_err().name()
}

#[test]
fn an_issued_device_authenticates() {
    let mut random = SeededRandom::new(1);
    let ca = Ca::new(&mut random);
    let made = ca
        .authority()
        .issue_with_keys("dev-1", NOW, 30 * DAY, &mut random)
        .unwrap();
    let leaf = Certificate::from_pem(&made.issued.certificate_pem).unwrap();
    assert_eq!(leaf, made.issued.certificate);
    assert_eq!(made.issued.certificate_id, leaf.certificate_id(&RustCrypto));
    let read = LocalSigner::from_pem(made.private_key_pem.expose_secret()).unwrap();
    assert_eq!(read.public_key(), leaf.public_key().unwrap());
    assert_eq!(
        PublicKey::from_pem(&made.public_key_pem).unwrap(),
        read.public_key()
    );
    let anchors = [ca.certificate.clone()];
    for profile in [Profile::Device, Profile::Rfc5280] {
        let verifier = ChainVerifier {
            profile,
            ..ChainVerifier::new(&anchors, &RustCrypto)
        };
        let authenticate = |claimed: &str| {
            let claimed = claimed.parse().unwrap();
            verifier.authenticate(
                &leaf,
                &[],
                IdentitySource::CommonName,
                Some(&claimed),
                NOW,
                PossessionProvenByTls,
            )
        };
        assert_eq!(
            authenticate("DEV-1").unwrap().registration_id.as_str(),
            "dev-1"
        );
        assert_eq!(refused(authenticate("dev-2")), "IdentityMismatch");
    }
    // The span: 300 s back, never past the end of the CA.
    assert_eq!(leaf.not_before(), NOW.plus(-300));
    let long = ca.authority().issue(
        "dev-1",
        &read.public_key(),
        NOW.plus(990 * DAY),
        398 * DAY,
        &mut random,
    );
    assert_eq!(
        long.unwrap().certificate.not_after(),
        ca.certificate.not_after()
    );
    let too_long = ca
        .authority()
        .issue("dev-1", &read.public_key(), NOW, 399 * DAY, &mut random);
    assert_eq!(refused(too_long), "TooLong");
    let late = ca.authority().issue(
        "dev-1",
        &read.public_key(),
        NOW.plus(2_000 * DAY),
        DAY,
        &mut random,
    );
    assert_eq!(refused(late), "Expired");
    let broken = ca
        .authority()
        .issue("dev-1", &read.public_key(), NOW, DAY, &mut BrokenRandom);
    assert_eq!(refused(broken), "Random");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut random = SeededRandom::new(9);
        let ca = Ca::new(&mut random);
        (
            ca.certificate.der().to_vec(),
            ca.device("d", &mut random).der().to_vec(),
        )
    };
    assert_eq!(run(), run());
}

#[test]
fn what_a_request_asks_for_is_ignored() {
    let file = include_str!("vectors/x509_misc.json");
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let asks = file["csr"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["id"] == "ok-asks-for-ca")
        .unwrap();
    let mut random = SeededRandom::new(2);
    let ca = Ca::new(&mut random);
    let issued = ca
        .authority()
        .issue_from_request(
            asks["csr"].as_str().unwrap().as_bytes(),
            SubjectPolicy::Fixed("AWS IoT Certificate"),
            NOW,
            DAY,
            &mut random,
        )
        .unwrap();
    assert!(!issued.certificate.is_ca());
    assert_eq!(issued.certificate.subject_text(), "CN=AWS IoT Certificate");
}

#[test]
fn possession_is_proved_once_and_in_time() {
    let mut random = SeededRandom::new(3);
    let ca = Ca::new(&mut random);
    let new = |random: &mut SeededRandom| {
        PossessionChallenge::new(&ca.certificate, NOW, CODE_LIFE, random, &RustCrypto).unwrap()
    };
    let challenge = new(&mut random);
    assert_eq!(challenge.code().expose_secret().len(), 64);
    let proof = ca
        .authority()
        .prove_possession(challenge.code(), NOW, &mut random)
        .unwrap();
    let replaced = new(&mut random);
    let (_, refusal) = replaced
        .answer(&ca.certificate, &proof, &RustCrypto, NOW)
        .unwrap_err();
    assert_eq!(refusal.name(), "CodeMismatch");
    let late = NOW.plus(CODE_LIFE + 1);
    let (challenge, refusal) = challenge
        .answer(&ca.certificate, &proof, &RustCrypto, late)
        .unwrap_err();
    assert_eq!(refusal.name(), "Expired");
    let other = Ca::new(&mut SeededRandom::new(4));
    let (challenge, refusal) = challenge
        .answer(&other.certificate, &proof, &RustCrypto, NOW)
        .unwrap_err();
    assert_eq!(refusal.name(), "KeyMismatch");
    challenge
        .answer(&ca.certificate, &proof, &RustCrypto, NOW)
        .unwrap();
    assert_eq!(refused(VerificationCode::new("")), "CodeMismatch");
    assert_eq!(
        refused(verify_possession(
            &ca.certificate,
            &proof,
            "",
            &RustCrypto,
            NOW
        )),
        "CodeMismatch"
    );
}

#[test]
fn revocation_lists_and_the_deny_list() {
    let mut random = SeededRandom::new(5);
    let ca = Ca::new(&mut random);
    let (good, bad) = (
        ca.device("good", &mut random),
        ca.device("bad", &mut random),
    );
    let lines = [RevokedCertificate {
        serial: bad.serial().to_vec(),
        at: NOW,
    }];
    let crl = ca
        .authority()
        .issue_crl(7, NOW, NOW.plus(DAY), &lines)
        .unwrap();
    let empty = ca
        .authority()
        .issue_crl(8, NOW, NOW.plus(DAY), &[])
        .unwrap();
    assert_eq!(Crl::from_pem(&crl.to_pem()).unwrap(), crl);
    assert_eq!((crl.len(), empty.len(), empty.is_empty()), (1, 0, true));
    empty.check_follows(&crl).unwrap();
    assert_eq!(refused(crl.check_follows(&empty)), "Rollback");
    let anchors = [ca.certificate.clone()];
    let crls = [crl];
    let verifier = ChainVerifier {
        crls: &crls,
        profile: Profile::Rfc5280,
        ..ChainVerifier::new(&anchors, &RustCrypto)
    };
    verifier.verify_path(&good, &[], NOW).unwrap();
    assert_eq!(refused(verifier.verify_path(&bad, &[], NOW)), "Revoked");
    assert_eq!(
        refused(verifier.verify_path(&good, &[], NOW.plus(DAY + 1))),
        "CrlExpired"
    );
    let other = Ca::new(&mut SeededRandom::new(6));
    let forged = [other
        .authority()
        .issue_crl(9, NOW, NOW.plus(DAY), &[])
        .unwrap()];
    let verifier = ChainVerifier {
        crls: &forged,
        ..verifier
    };
    assert_eq!(
        refused(verifier.verify_path(&bad, &[], NOW)),
        "CrlSignature"
    );

    let mut deny = DenyList::default();
    let verifier = ChainVerifier {
        crls: &[],
        deny: Some(&deny),
        ..verifier
    };
    verifier.verify_path(&good, &[], NOW).unwrap();
    let Thumbprint::Sha256(hash) = good.sha256_thumbprint(&RustCrypto).parse().unwrap() else {
        panic!()
    };
    deny.deny_certificate(hash);
    deny.deny_enrolment("Dev-9");
    let verifier = ChainVerifier {
        deny: Some(&deny),
        ..ChainVerifier::new(&anchors, &RustCrypto)
    };
    assert_eq!(refused(verifier.verify_path(&good, &[], NOW)), "Revoked");
    assert_eq!(refused(deny.check_enrolment("dev-9")), "Revoked");
    deny.allow_enrolment("dev-9");
    deny.check_enrolment("dev-9").unwrap();
}

#[test]
fn an_enrolled_leaf_needs_no_path() {
    let mut random = SeededRandom::new(7);
    // Self-signed and `CA:TRUE`: good only because it is enrolled itself.
    let leaf = Ca::new(&mut random).certificate;
    let other = Ca::new(&mut random).certificate;
    let anchors = [leaf.clone()];
    let chains = ChainVerifier::new(&anchors, &RustCrypto);
    assert_eq!(refused(chains.verify_path(&leaf, &[], NOW)), "CaAsLeaf");
    let sha1: Thumbprint = leaf.sha1_thumbprint(&RustCrypto).parse().unwrap();
    let sha256: Thumbprint = leaf.sha256_thumbprint(&RustCrypto).parse().unwrap();
    assert_eq!(
        refused(EnrolledLeaf::from_thumbprint(sha1, None, &RustCrypto)),
        "Algorithm"
    );
    assert_eq!(
        refused(EnrolledLeaf::from_thumbprint(
            sha1,
            Some(other.clone()),
            &RustCrypto
        )),
        "KeyMismatch"
    );
    for (thumbprint, stored) in [(sha256, None), (sha1, Some(leaf.clone()))] {
        let enrolled = EnrolledLeaf::from_thumbprint(thumbprint, stored, &RustCrypto).unwrap();
        let verifier = LeafVerifier {
            enrolled: &enrolled,
            deny: None,
            provider: &RustCrypto,
        };
        let see = |leaf, now| {
            let source = IdentitySource::CommonName;
            verifier.authenticate(leaf, source, None, now, PossessionProvenByTls)
        };
        // The common name has a space, so it is no registration id: everything before it passed.
        assert_eq!(refused(see(&leaf, NOW)), "RegistrationId");
        assert_eq!(refused(see(&other, NOW)), "UnknownIssuer");
        assert_eq!(refused(see(&leaf, NOW.plus(2_000 * DAY))), "Expired");
    }
}

#[test]
fn work_is_bounded() {
    let mut random = SeededRandom::new(8);
    let ca = Ca::new(&mut random);
    let leaf = ca.device("d", &mut random);
    let anchors = [Ca::new(&mut random).certificate];
    let verifier = ChainVerifier::new(&anchors, &RustCrypto);
    let bag: Vec<_> = (0..17).map(|_| ca.certificate.clone()).collect();
    assert_eq!(refused(verifier.verify_path(&leaf, &bag, NOW)), "TooLong");
    let huge = vec![0x30; MAX_CERTIFICATE + 1];
    assert_eq!(refused(Certificate::from_der(&huge)), "TooLong");
    assert_eq!(refused(Crl::from_der(&vec![0x30; MAX_CRL + 1])), "TooLong");
    let one = RevokedCertificate {
        serial: vec![1],
        at: NOW,
    };
    let many: Vec<_> = (0..30_000u32)
        .map(|n| RevokedCertificate {
            serial: (n + 0x0100_0000).to_be_bytes().to_vec(),
            ..one.clone()
        })
        .collect();
    let crl = ca
        .authority()
        .issue_crl(1, NOW, NOW.plus(DAY), &many)
        .unwrap();
    assert!(crl.lists(&many[29_999].serial) && !crl.lists(&[1]));
}

#[test]
fn a_signer_with_another_key_is_refused() {
    let mut random = SeededRandom::new(10);
    let (ca, other) = (Ca::new(&mut random), Ca::new(&mut random));
    let made = CertificateAuthority::new(&ca.certificate, &other.key, &RustCrypto);
    assert_eq!(refused(made), "KeyMismatch");
    let leaf = ca.device("d", &mut random);
    assert_eq!(
        refused(CertificateAuthority::new(&leaf, &other.key, &RustCrypto)),
        "NotCa"
    );
}

#[test]
fn every_flipped_bit_of_a_leaf_is_refused() {
    let mut random = SeededRandom::new(11);
    let ca = Ca::new(&mut random);
    let leaf = ca.device("dev-1", &mut random);
    let anchors = [ca.certificate.clone()];
    let verifier = ChainVerifier::new(&anchors, &RustCrypto);
    for byte in 0..leaf.der().len() {
        let mut changed = leaf.der().to_vec();
        changed[byte] ^= 1 << (byte % 8);
        let seen =
            Certificate::from_der(&changed).and_then(|leaf| verifier.verify_path(&leaf, &[], NOW));
        assert!(seen.is_err(), "byte {byte}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damaged_certificates_and_lists_never_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut random = SeededRandom::new(12);
        let ca = Ca::new(&mut random);
        let crl = ca.authority().issue_crl(1, NOW, NOW.plus(DAY), &[]).unwrap();
        let csr = build_request("d", &ca.key).unwrap();
        for whole in [ca.certificate.der(), crl.der(), &csr] {
            let mut bytes = whole.to_vec();
            for (at, value) in &cuts {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            bytes.truncate(keep.index(bytes.len()) + 1);
            let anchors: Vec<_> = Certificate::parse(&bytes).into_iter().collect();
            let verifier = ChainVerifier::new(&anchors, &RustCrypto);
            let _ = verifier.explain(&ca.certificate, &anchors, NOW);
            let _ = (Crl::parse(&bytes), Request::verify(&bytes, &RustCrypto));
            let _ = PublicKey::from_der(&bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (Certificate::parse(&bytes), Crl::parse(&bytes), Request::verify(&bytes, &RustCrypto));
        let text = String::from_utf8_lossy(&bytes);
        let _ = (LocalSigner::from_pem(&text), text.parse::<Thumbprint>(), PublicKey::from_pem(&text));
    }
}

/// Runs openssl in a scratch folder; returns what it printed, or nothing when it failed.
fn openssl(folder: &std::path::Path, arguments: &str) -> Option<String> {
    let run = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [run.stdout, run.stderr].concat();
    run.status
        .success()
        .then(|| String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn openssl_verifies_what_is_issued_here() {
    if !have("openssl_interop", &["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let run = |arguments: &str| openssl(folder.path(), arguments);
    let generators: [fn(&mut dyn SecureRandom) -> Result<LocalSigner, CryptoError>; 2] =
        [LocalSigner::generate_p256, LocalSigner::generate_ed25519];
    for generate in generators {
        let mut random = SeededRandom::new(20);
        let key = generate(&mut random).unwrap();
        let span = (NOW.plus(-DAY), NOW.plus(1_000 * DAY));
        let root = CertificateAuthority::self_signed(
            "Root",
            &key,
            Some(0),
            span,
            &mut random,
            &RustCrypto,
        )
        .unwrap();
        let ca = Ca {
            certificate: root,
            key,
        };
        let device = ca.device("dev-1", &mut random);
        let gone = ca.device("dev-2", &mut random);
        let lines = [RevokedCertificate {
            serial: gone.serial().to_vec(),
            at: NOW,
        }];
        let crl = ca
            .authority()
            .issue_crl(3, NOW, NOW.plus(DAY), &lines)
            .unwrap();
        write("root.pem", &ca.certificate.to_pem());
        write("device.pem", &device.to_pem());
        write("gone.pem", &gone.to_pem());
        write("crl.pem", &crl.to_pem());
        write(
            "csr.pem",
            &request_pem(&build_request("dev-1", &ca.key).unwrap()),
        );
        write("key.pem", ca.key.to_pem().expose_secret());
        let verify = |leaf: &str| {
            run(&format!(
                "verify -x509_strict -attime {} -purpose sslclient -CAfile root.pem -crl_check -CRLfile crl.pem {leaf}",
                NOW.0
            ))
        };
        assert!(verify("device.pem").is_some());
        assert!(verify("gone.pem").is_none());
        assert!(
            run("crl -in crl.pem -CAfile root.pem -noout")
                .unwrap()
                .contains("verify OK")
        );
        assert!(
            run("req -in csr.pem -verify -noout")
                .unwrap()
                .contains("OK")
        );
        let public = run("pkey -in key.pem -pubout").unwrap();
        assert_eq!(public, ca.key.public_key().to_pem());
    }
}

#[test]
fn what_openssl_issues_is_verified_here() {
    if !have("openssl_interop", &["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &str| openssl(folder.path(), arguments).unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let mut kinds = vec![
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "-algorithm ED25519",
    ];
    if cfg!(feature = "rsa") {
        kinds.push("-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
    }
    std::fs::write(
        folder.path().join("ca.cnf"),
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=default\ndefault_crl_days=5\ncrl_extensions=x\n\
         [x]\nauthorityKeyIdentifier=keyid\n[l]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=clientAuth\n",
    )
    .unwrap();
    for kind in kinds {
        std::fs::write(folder.path().join("index.txt"), "").unwrap();
        run(&format!("genpkey {kind} -out root.key"));
        run(&format!("genpkey {kind} -out device.key"));
        run(
            "req -x509 -new -key root.key -subj /CN=Root -days 30 -out root.pem -addext keyUsage=critical,keyCertSign,cRLSign",
        );
        run("req -new -key device.key -subj /CN=dev-1 -out device.csr");
        run(
            "x509 -req -in device.csr -CA root.pem -CAkey root.key -CAcreateserial -days 10 -extfile ca.cnf -extensions l -out device.pem",
        );
        run("ca -config ca.cnf -gencrl -cert root.pem -keyfile root.key -out crl.pem");
        let anchors = [Certificate::parse(&read("root.pem")).unwrap()];
        let leaf = Certificate::parse(&read("device.pem")).unwrap();
        let crls = [Crl::parse(&read("crl.pem")).unwrap()];
        let verifier = ChainVerifier {
            crls: &crls,
            ..ChainVerifier::new(&anchors, &RustCrypto)
        };
        // A moment at which all of them are valid, without asking the clock.
        let now = leaf.not_before().plus(60);
        verifier.verify_path(&leaf, &[], now).unwrap();
        let request = Request::verify(&read("device.csr"), &RustCrypto).unwrap();
        assert_eq!(request.registration_id().unwrap().as_str(), "dev-1");
        assert_eq!(*request.public_key(), leaf.public_key().unwrap());
        if !kind.contains("RSA") {
            let pem = String::from_utf8(read("device.key")).unwrap();
            assert_eq!(
                LocalSigner::from_pem(&pem).unwrap().public_key(),
                *request.public_key()
            );
        }
    }
}
