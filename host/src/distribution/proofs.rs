//! Signatures where they are: beside a file, behind a URL, under a tag of a registry, and beside what is kept.

use std::{io, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    FetchError, Sources, blocking,
    client::Ask,
    oci::Manifest,
    signature::{Keys, MOST_BYTES, Proof, of_file},
};
use crate::{
    config::{ContentDigest, Reference, SignaturePolicy, Source, signature_of},
    source::{self, SourceError},
};

/// The media type of what cosign signs.
pub(super) const SIGNATURE_LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation with the signature of it, in base64.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Nobody needs more to sign one plugin.
const MOST_PROOFS: usize = 32;

/// Where cosign puts the signatures of this manifest.
pub(super) fn signature_tag(digest: ContentDigest) -> String {
    format!("sha256-{}.sig", digest.hex())
}

impl Sources {
    /// Whether the policy lets this file run.
    pub(super) async fn check_file(&self, path: &Path, bytes: &[u8]) -> Result<(), SourceError> {
        let Some(keys) = self.keys().await? else {
            return Ok(());
        };
        let sig = signature_of(path);
        let read = blocking(move || source::read(&sig, MOST_BYTES)).await?;
        let proofs = match read {
            Ok(sig) => of_file(&sig),
            Err(SourceError::Read { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Vec::new()
            }
            Err(error) => return self.unknown(&path.display(), error),
        };
        self.judge(&path.display(), keys.check_bytes(bytes, &proofs))
    }

    /// The same of what a server has under this URL.
    pub(super) async fn check_url(
        &self,
        url: &str,
        digest: ContentDigest,
        bytes: &[u8],
    ) -> Result<(), SourceError> {
        let Some(keys) = self.keys().await? else {
            return Ok(());
        };
        let kept = self.kept_proofs(digest).await?;
        if keys.check_bytes(bytes, &kept).is_ok() {
            return Ok(());
        }
        let shown = Source::Https(url.to_owned());
        let checked = match self.proofs_of_url(url).await {
            Ok(proofs) => {
                self.keep_proofs(digest, &proofs).await?;
                keys.check_bytes(bytes, &proofs)
            }
            Err(error) => return self.unknown(&shown, error),
        };
        self.judge(&shown, checked)
    }

    /// The same of a registry's manifest.
    pub(super) async fn check_manifest(
        &self,
        reference: &Reference,
        digest: ContentDigest,
    ) -> Result<(), SourceError> {
        let Some(keys) = self.keys().await? else {
            return Ok(());
        };
        let kept = self.kept_proofs(digest).await?;
        if keys.check_manifest(reference, digest, &kept).is_ok() {
            return Ok(());
        }
        let shown = format!("{}@{digest}", reference.name());
        let checked = match self.proofs_of_manifest(reference, digest).await {
            Ok(proofs) => {
                self.keep_proofs(digest, &proofs).await?;
                keys.check_manifest(reference, digest, &proofs)
            }
            Err(error) => return self.unknown(&shown, error),
        };
        self.judge(&shown, checked)
    }

    /// The keys, if signatures matter.
    async fn keys(&self) -> Result<Option<&Keys>, SourceError> {
        let config = &self.inner.signatures;
        if config.policy == SignaturePolicy::Off {
            return Ok(None);
        }
        let read = || async {
            let paths = config.keys.clone();
            Ok::<_, SourceError>(blocking(move || Keys::read(&paths)).await??)
        };
        self.inner.keys.get_or_try_init(read).await.map(Some)
    }

    /// What the policy makes of it.
    fn judge(
        &self,
        shown: &dyn std::fmt::Display,
        checked: Result<(), String>,
    ) -> Result<(), SourceError> {
        let Err(why) = checked else {
            return Ok(());
        };
        if self.inner.signatures.policy == SignaturePolicy::Require {
            let of = shown.to_string();
            return Err(FetchError::Signature { of, why }.into());
        }
        tracing::warn!(source = %shown, why, "the signature of a plugin does not hold; signatures.policy lets it run");
        Ok(())
    }

    /// The same where its signatures cannot be had.
    fn unknown(
        &self,
        shown: &dyn std::fmt::Display,
        error: SourceError,
    ) -> Result<(), SourceError> {
        match self.inner.signatures.policy {
            SignaturePolicy::Require => Err(error),
            _ => self.judge(shown, Err(error.to_string())),
        }
    }

    async fn proofs_of_url(&self, url: &str) -> Result<Vec<Proof>, SourceError> {
        let client = self.server(url).await?;
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (url, String::new()),
        };
        let asked = client
            .get(Ask {
                url: &format!("{path}.sig{query}"),
                accept: "*/*",
                scope: "",
                most: (MOST_BYTES, "no signature is that long"),
                stage: &format!("the signature {path}.sig"),
            })
            .await?;
        Ok(asked.map(|sig| of_file(&sig)).unwrap_or_default())
    }

    /// The manifest of the signatures that a registry has of a manifest; nothing if it has none.
    pub(super) async fn signature_manifest(
        &self,
        reference: &Reference,
        digest: ContentDigest,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let client = self.registry(reference).await?;
        let stage = format!("the signatures of {}@{digest}", reference.name());
        let tag = signature_tag(digest);
        Ok(client.manifest(reference, &tag, &stage).await?)
    }

    async fn proofs_of_manifest(
        &self,
        reference: &Reference,
        digest: ContentDigest,
    ) -> Result<Vec<Proof>, SourceError> {
        let Some(manifest) = self.signature_manifest(reference, digest).await? else {
            return Ok(Vec::new());
        };
        let client = self.registry(reference).await?;
        let stage = format!("the signatures of {}@{digest}", reference.name());
        let manifest = Manifest::parse(&manifest).map_err(|why| client.lied(&stage, why))?;
        let mut proofs = Vec::new();
        let layers = manifest.layers.iter();
        let signed = layers.filter(|layer| layer.media_type == SIGNATURE_LAYER);
        for layer in signed.take(MOST_PROOFS) {
            let signature = layer.annotations.get(SIGNATURE);
            let signature = signature.and_then(|text| BASE64_STANDARD.decode(text).ok());
            // What is none does not keep others from being one.
            if let Some(signature) = signature
                && layer.size <= MOST_BYTES
            {
                let payload = client.blob(reference, layer, &stage).await?;
                proofs.push(Proof { payload, signature });
            }
        }
        Ok(proofs)
    }

    async fn kept_proofs(&self, digest: ContentDigest) -> Result<Vec<Proof>, SourceError> {
        let kept = self.with_store(move |store| store.proofs(digest)).await?;
        Ok(kept.unwrap_or_default())
    }

    async fn keep_proofs(
        &self,
        digest: ContentDigest,
        proofs: &[Proof],
    ) -> Result<(), SourceError> {
        if proofs.is_empty() {
            return Ok(());
        }
        let proofs = proofs.to_vec();
        let kept = self.with_store(move |store| store.keep_proofs(digest, &proofs));
        kept.await.map(|_| ())
    }
}
