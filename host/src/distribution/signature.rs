//! Signatures of plugins: Ed25519, and ECDSA on P-256, of a file's bytes or of what cosign signs for an image.

use std::{fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use x509_cert::{
    der::Decode,
    spki::{ObjectIdentifier, SubjectPublicKeyInfoRef},
};

use super::FetchError;
use crate::config::{ContentDigest, Reference};

const OF_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const OF_EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const OF_P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// What a payload says it is.
pub(super) const PAYLOAD_TYPE: &str = "cosign container image signature";

/// Bytes of a `.sig` file or a payload.
pub(super) const MOST_BYTES: u64 = 64 << 10;

/// Public keys, one of which has to have signed.
#[derive(Debug)]
pub(super) struct Keys(Vec<UnparsedPublicKey<Vec<u8>>>);

/// A signature, and what was signed if that is not the plugin's own bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof {
    #[serde(with = "in_base64")]
    pub(super) payload: Vec<u8>,
    #[serde(with = "in_base64")]
    pub(super) signature: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Debug, Deserialize)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: Image,
    #[serde(default)]
    identity: Identity,
}

#[derive(Debug, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[derive(Debug, Default, Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference", default)]
    reference: String,
}

impl Keys {
    /// Reads all of them. May block.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, FetchError> {
        let keys = paths.iter().map(|path| {
            let wrong = |why: String| FetchError::Config {
                what: format!("signatures.keys: {}", path.display()),
                why,
            };
            let text = fs::read(path).map_err(|error| wrong(error.to_string()))?;
            key(&text).map_err(wrong)
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    fn have_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let keys = self.0.iter();
        let mut keys = keys.map(|key| key.verify(message, signature));
        keys.any(|verified| verified.is_ok())
    }

    /// Whether one of them has signed these bytes. An error says what is wrong.
    pub(super) fn check_bytes(&self, bytes: &[u8], proofs: &[Proof]) -> Result<(), String> {
        let mut proofs_of_bytes = proofs.iter();
        if proofs_of_bytes.any(|proof| self.have_signed(bytes, &proof.signature)) {
            return Ok(());
        }
        Err(self.missing(proofs))
    }

    /// Whether one of them has signed this manifest, under this name.
    pub(super) fn check_manifest(
        &self,
        reference: &Reference,
        digest: ContentDigest,
        proofs: &[Proof],
    ) -> Result<(), String> {
        let mut why = None;
        for proof in proofs {
            if !self.have_signed(&proof.payload, &proof.signature) {
                continue;
            }
            match fits(&proof.payload, reference, digest) {
                Ok(()) => return Ok(()),
                Err(other) => why = Some(other),
            }
        }
        Err(why.unwrap_or_else(|| self.missing(proofs)))
    }

    fn missing(&self, proofs: &[Proof]) -> String {
        let remedy = "have it signed with one of signatures.keys, or add the key of who did if you trust them";
        match proofs.len() {
            0 => format!("it is not signed; {remedy}"),
            1 => format!("its signature is of none of the keys; {remedy}"),
            more => format!("its {more} signatures are of none of the keys; {remedy}"),
        }
    }
}

/// Whether what was signed is this manifest.
fn fits(payload: &[u8], reference: &Reference, digest: ContentDigest) -> Result<(), String> {
    let payload: Payload = serde_json::from_slice(payload)
        .map_err(|error| format!("what was signed is nothing that cosign signs ({error})"))?;
    let Critical {
        kind,
        image,
        identity,
    } = payload.critical;
    if kind != PAYLOAD_TYPE {
        return Err(format!("what was signed is {kind:?}, and no image"));
    }
    if image.digest != digest.to_string() {
        return Err(format!(
            "what was signed is {:?}, and not {digest}: a signature was put where another belongs",
            image.digest
        ));
    }
    let signed = name_of(&identity.reference);
    if !signed.is_empty() && signed != name_of(&reference.name()) {
        return Err(format!(
            "it was signed as {signed:?}, and not as {:?}; sign it under the name that it is pulled by",
            reference.name()
        ));
    }
    Ok(())
}

/// A reference without tag and digest, and with one name for the registry that has two.
fn name_of(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or_default();
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    let hub = ["index.docker.io/", "docker.io/"];
    let bare = hub.iter().find_map(|hub| name.strip_prefix(hub));
    bare.unwrap_or(name)
}

fn key(text: &[u8]) -> Result<UnparsedPublicKey<Vec<u8>>, String> {
    let remedy = "it has to be a public key in PEM (PUBLIC KEY), Ed25519 or ECDSA on P-256";
    let der = SubjectPublicKeyInfoDer::from_pem_slice(text)
        .map_err(|_| format!("no public key is in it; {remedy}"))?;
    let info = SubjectPublicKeyInfoRef::from_der(der.as_ref())
        .map_err(|error| format!("it is damaged ({error}); {remedy}"))?;
    let curve = info.algorithm.parameters_oid().ok();
    let algorithm: &'static dyn VerificationAlgorithm = match (info.algorithm.oid, curve) {
        (OF_ED25519, _) => &ED25519,
        (OF_EC, Some(OF_P256)) => &ECDSA_P256_SHA256_ASN1,
        (other, _) => return Err(format!("it is of another kind ({other}); {remedy}")),
    };
    let bytes = info.subject_public_key.as_bytes();
    let bytes = bytes.ok_or_else(|| format!("it is damaged; {remedy}"))?;
    Ok(UnparsedPublicKey::new(algorithm, bytes.to_vec()))
}

/// The signatures that a `.sig` file may stand for: in base64, as `cosign sign-blob` writes them, or raw.
pub(super) fn of_file(sig: &[u8]) -> Vec<Proof> {
    let proof = |signature| Proof {
        payload: Vec::new(),
        signature,
    };
    match BASE64_STANDARD.decode(sig.trim_ascii()) {
        Ok(signature) => vec![proof(signature)],
        Err(_) => vec![proof(sig.to_vec())],
    }
}

mod in_base64 {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
