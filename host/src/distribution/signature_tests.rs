#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::process::{Command, Stdio};

use super::*;
use crate::distribution::signer::{Signer, payload};

/// Keys as people make them: `openssl genpkey`. Private and public, in PEM.
fn pair(algorithm: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let private = folder.path().join("key.pem");
    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        let done = command.args(arguments).arg("-out").arg(&private);
        assert!(done.stderr(Stdio::null()).status().unwrap().success());
    };
    openssl(&[&["genpkey"], algorithm].concat());
    let public = Command::new("openssl")
        .args(["pkey", "-pubout", "-in"])
        .arg(&private)
        .output();
    let public = String::from_utf8(public.unwrap().stdout).unwrap();
    (fs::read_to_string(&private).unwrap(), public)
}

const ED25519_KEY: &[&str] = &["-algorithm", "ed25519"];
const P256_KEY: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn keys(public: &str) -> Keys {
    Keys(vec![key(public.as_bytes()).unwrap()])
}

fn proof(signer: &Signer, payload: Vec<u8>) -> Proof {
    let signature = signer.sign(&payload).unwrap();
    Proof { payload, signature }
}

#[test]
fn a_manifest_is_signed_by_its_key_for_its_name() {
    let reference: Reference = "ghcr.io/a/b:1".parse().unwrap();
    let digest = ContentDigest::of(b"manifest");
    for algorithm in [ED25519_KEY, P256_KEY] {
        let (private, public) = pair(algorithm);
        let signer = Signer::parse(private.as_bytes()).unwrap();
        let keys = keys(&public);
        let good = proof(&signer, payload(&reference, digest));
        keys.check_manifest(&reference, digest, std::slice::from_ref(&good))
            .unwrap();
        let kept = serde_json::to_vec(&[&good]).unwrap();
        let kept: Vec<Proof> = serde_json::from_slice(&kept).unwrap();
        keys.check_manifest(&reference, digest, &kept).unwrap();

        let said = |proofs: &[Proof]| keys.check_manifest(&reference, digest, proofs).unwrap_err();
        assert!(said(&[]).contains("not signed"));
        for place in [0, good.payload.len() / 2, good.payload.len() - 1] {
            let mut changed = good.clone();
            changed.payload[place] ^= 1;
            assert!(said(&[changed]).contains("none of the keys"));
        }
        for place in 0..good.signature.len() {
            let mut changed = good.clone();
            changed.signature[place] ^= 1;
            assert!(said(&[changed]).contains("none of the keys"));
        }
        let (other, _) = pair(algorithm);
        let other = Signer::parse(other.as_bytes()).unwrap();
        let foreign = proof(&other, payload(&reference, digest));
        assert!(said(std::slice::from_ref(&foreign)).contains("none of the keys"));
        keys.check_manifest(&reference, digest, &[foreign, good])
            .unwrap();
        let moved = proof(&signer, payload(&reference, ContentDigest::of(b"other")));
        assert!(said(&[moved]).contains("where another belongs"));
        let elsewhere = "ghcr.io/a/c:1".parse().unwrap();
        let renamed = proof(&signer, payload(&elsewhere, digest));
        assert!(said(&[renamed]).contains("was signed as \"ghcr.io/a/c\""));
        let blob = proof(&signer, b"{}".to_vec());
        assert!(said(&[blob]).contains("nothing that cosign signs"));
    }
}

#[test]
fn bytes_are_signed_raw_or_in_base64() {
    for algorithm in [ED25519_KEY, P256_KEY] {
        let (private, public) = pair(algorithm);
        let signature = Signer::parse(private.as_bytes()).unwrap();
        let signature = signature.sign(b"bytes").unwrap();
        let text = format!("{}\n", BASE64_STANDARD.encode(&signature));
        for sig in [&signature[..], text.as_bytes()] {
            let proofs = of_file(sig);
            keys(&public).check_bytes(b"bytes", &proofs).unwrap();
            keys(&public).check_bytes(b"bytez", &proofs).unwrap_err();
        }
        for sig in [&b""[..], b"nonsense", b"\xff"] {
            keys(&public)
                .check_bytes(b"bytes", &of_file(sig))
                .unwrap_err();
        }
    }
}

#[test]
fn what_is_no_key_says_so() {
    let (private, _) = pair(ED25519_KEY);
    let (other_private, other) = pair(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]);
    for (text, wanted) in [
        ("", "no public key"),
        (private.as_str(), "no public key"),
        (other.as_str(), "another kind"),
    ] {
        let said = key(text.as_bytes()).unwrap_err();
        assert!(said.contains(wanted), "{said}");
    }
    let cosign = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
    for (text, wanted) in [
        ("", "no private key"),
        (other_private.as_str(), "neither"),
        (cosign, "cosign sign"),
    ] {
        let said = Signer::parse(text.as_bytes()).unwrap_err();
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn names_are_compared_without_tags() {
    for (reference, name) in [
        ("localhost:5000/a", "localhost:5000/a"),
        ("localhost:5000/a:1", "localhost:5000/a"),
        ("ghcr.io/a/b@sha256:12", "ghcr.io/a/b"),
        ("index.docker.io/library/a:1", "library/a"),
        ("docker.io/library/a", "library/a"),
        ("", ""),
    ] {
        assert_eq!(name_of(reference), name);
    }
}
