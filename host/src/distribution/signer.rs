//! The other side of signatures: a private key, and what is signed with it.

use std::{fmt, fs, path::Path};

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::json;

use super::{FetchError, signature::PAYLOAD_TYPE};
use crate::config::{ContentDigest, Reference};

/// Who signs: a private key.
pub struct Signer(Pair);

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl Signer {
    /// Reads a key (PEM, `PRIVATE KEY`, not encrypted): Ed25519, or ECDSA on P-256.
    pub fn read(path: &Path) -> Result<Self, FetchError> {
        let wrong = |why: String| FetchError::Config {
            what: format!("the key {}", path.display()),
            why,
        };
        let text = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    /// Of the text of such a file. An error says nothing of what is in it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let is_encrypted = text.windows(10).any(|part| part == b"ENCRYPTED ");
        let der = PrivatePkcs8KeyDer::from_pem_slice(text).map_err(|_| match is_encrypted {
            true => "it is encrypted; push without it, and sign with cosign sign --key".to_owned(),
            false => "no private key is in it; it has to be in PEM (PRIVATE KEY), as openssl genpkey writes it".to_owned(),
        })?;
        let der = der.secret_pkcs8_der();
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(Self(Pair::Ed25519(pair)));
        }
        let p256 = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(p256, der, &SystemRandom::new());
        let pair =
            pair.map_err(|_| "it is neither Ed25519 nor ECDSA on P-256; make another one")?;
        Ok(Self(Pair::P256(pair)))
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match &self.0 {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => {
                let signed = pair.sign(&SystemRandom::new(), message);
                let signed =
                    signed.map_err(|_| "the machine has no random numbers to sign with")?;
                Ok(signed.as_ref().to_vec())
            }
        }
    }
}

/// What cosign signs for an image.
pub(super) fn payload(reference: &Reference, digest: ContentDigest) -> Vec<u8> {
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": reference.name() },
            "image": { "docker-manifest-digest": digest.to_string() },
            "type": PAYLOAD_TYPE,
        },
        "optional": null,
    });
    payload.to_string().into_bytes()
}
