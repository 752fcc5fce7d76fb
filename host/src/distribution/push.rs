//! `meterbox push`: a plugin as an artifact of a registry, in the form that wkg writes, and its signature in cosign's.

use std::fs;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use oci_client::{
    RegistryOperation,
    client::{Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    secrets::RegistryAuth,
};
use reqwest::header::HeaderValue;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};

use super::{
    FetchError, Signer, Sources,
    client::{CONNECT, IDLE, chain},
    oci::{LAYER, MANIFEST},
    proofs::{SIGNATURE, SIGNATURE_LAYER, signature_tag},
    signer,
};
use crate::{
    config::{ContentDigest, Reference, RegistryConfig},
    inspect::{Form, Inspection},
    source::SourceError,
};

const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The same bytes have the same digest, whoever pushes them and whenever.
const NEVER: &str = "1970-01-01T00:00:00Z";

impl Sources {
    /// Pushes a plugin, and its signature if somebody signs. Returns the digest of its manifest.
    ///
    /// The process needs a default provider of rustls; if it has none, it gets ring's.
    pub async fn push(
        &self,
        bytes: Vec<u8>,
        about: &Inspection,
        reference: &Reference,
        signer: Option<&Signer>,
    ) -> Result<ContentDigest, SourceError> {
        let config = config(&bytes, about).to_string().into_bytes();
        let layer = json!({ "mediaType": LAYER, "digest": of(&bytes), "size": bytes.len() });
        let manifest = manifest(CONFIG, &config, vec![layer]);
        let digest = ContentDigest::of(&manifest);
        let registry = Registry::open(self.registry_config(reference), reference)?;
        registry.blob("the plugin", bytes).await?;
        registry.blob("its config", config).await?;
        let name = match &reference.tag {
            Some(tag) => tag.clone(),
            None => digest.to_string(),
        };
        registry.manifest("its manifest", &name, manifest).await?;
        if let Some(signer) = signer {
            let before = self.signature_manifest(reference, digest).await?;
            registry.sign(signer, reference, digest, before).await?;
        }
        Ok(digest)
    }
}

/// What `oci-wasm` calls the config: whoever lists a registry sees what a plugin wants without pulling it.
fn config(bytes: &[u8], about: &Inspection) -> Value {
    let names = |all: &[crate::inspect::Interface]| -> Vec<String> {
        all.iter().map(|interface| interface.name.clone()).collect()
    };
    let (os, component) = match about.form {
        Form::Module => ("wasip1", Value::Null),
        Form::Component => (
            "wasip2",
            json!({
                "exports": names(&about.exports),
                "imports": names(&about.imports),
                "target": null,
            }),
        ),
    };
    json!({
        "created": NEVER,
        "author": null,
        "architecture": "wasm",
        "os": os,
        "layerDigests": [of(bytes)],
        "component": component,
    })
}

fn of(bytes: &[u8]) -> String {
    ContentDigest::of(bytes).to_string()
}

fn manifest(config_type: &str, config: &[u8], layers: Vec<Value>) -> Vec<u8> {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": config_type, "digest": of(config), "size": config.len() },
        "layers": layers,
    });
    manifest.to_string().into_bytes()
}

/// A registry, and a place in it.
struct Registry {
    client: Client,
    auth: RegistryAuth,
    at: oci_client::Reference,
    name: String,
}

impl Registry {
    fn open(config: Option<&RegistryConfig>, reference: &Reference) -> Result<Self, FetchError> {
        // oci-client takes the process's. An error says that there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let host = &reference.registry;
        let wrong = |key: &str, why: String| FetchError::Config {
            what: format!("[registries.{host:?}] {key}"),
            why,
        };
        let none = RegistryConfig::default();
        let config = config.unwrap_or(&none);
        let auth = match (&config.username, &config.password) {
            (Some(user), Some(password)) => {
                let password = password.look_up().map_err(|why| wrong("password", why))?;
                RegistryAuth::Basic(user.clone(), password.get().to_owned())
            }
            _ => RegistryAuth::Anonymous,
        };
        let mut extra_root_certificates = Vec::new();
        if let Some(path) = &config.ca_file {
            let text = fs::read(path).map_err(|error| wrong("ca-file", error.to_string()))?;
            for der in CertificateDer::pem_slice_iter(&text) {
                let der = der.map_err(|error| wrong("ca-file", error.to_string()))?;
                extra_root_certificates.push(Certificate {
                    encoding: CertificateEncoding::Der,
                    data: der.to_vec(),
                });
            }
        }
        let client = Client::try_from(ClientConfig {
            protocol: match config.insecure {
                true => ClientProtocol::Http,
                false => ClientProtocol::Https,
            },
            extra_root_certificates,
            connect_timeout: Some(CONNECT),
            read_timeout: Some(IDLE),
            user_agent: concat!("meterbox/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        });
        let client = client.map_err(|error| wrong("ca-file", error.to_string()))?;
        let (host, repository) = (host.clone(), reference.repository.clone());
        Ok(Self {
            client,
            auth,
            name: format!("registry {host}"),
            // The tag is another each time.
            at: oci_client::Reference::with_tag(host, repository, "latest".to_owned()),
        })
    }

    fn failed(&self, stage: &str, error: &OciDistributionError) -> FetchError {
        let why = match error {
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::ServerError {
                code: 401 | 403, ..
            } => {
                "it does not let us; write username and password of somebody who may push into the [registries] table of its host".to_owned()
            }
            OciDistributionError::RequestError(error) => {
                format!("it cannot be reached ({}); check it and the network, and try again", chain(error))
            }
            other => other.to_string(),
        };
        FetchError::Push {
            from: self.name.clone(),
            stage: stage.to_owned(),
            why,
        }
    }

    async fn blob(&self, stage: &str, bytes: Vec<u8>) -> Result<(), FetchError> {
        let failed = |error| self.failed(stage, &error);
        let Self {
            client, auth, at, ..
        } = self;
        client
            .auth(at, auth, RegistryOperation::Push)
            .await
            .map_err(failed)?;
        let digest = of(&bytes);
        let pushed = client.push_blob(at, bytes, &digest).await;
        pushed.map(|_| ()).map_err(failed)
    }

    async fn manifest(&self, stage: &str, name: &str, bytes: Vec<u8>) -> Result<(), FetchError> {
        let (host, repository) = (self.at.registry(), self.at.repository());
        let (host, repository, name) = (host.to_owned(), repository.to_owned(), name.to_owned());
        let at = match name.starts_with("sha256:") {
            true => oci_client::Reference::with_digest(host, repository, name),
            false => oci_client::Reference::with_tag(host, repository, name),
        };
        let kind = HeaderValue::from_static(MANIFEST);
        let pushed = self.client.push_manifest_raw(&at, bytes, kind).await;
        pushed
            .map(|_| ())
            .map_err(|error| self.failed(stage, &error))
    }

    /// Adds a signature to those that there are, which `before` is the manifest of.
    async fn sign(
        &self,
        signer: &Signer,
        reference: &Reference,
        digest: ContentDigest,
        before: Option<Vec<u8>>,
    ) -> Result<(), FetchError> {
        let stage = "its signature";
        let payload = signer::payload(reference, digest);
        let signature = signer.sign(&payload).map_err(|why| FetchError::Push {
            from: self.name.clone(),
            stage: stage.to_owned(),
            why,
        })?;
        let before: Option<Value> = before.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut layers = match before.map(|mut before| before["layers"].take()) {
            Some(Value::Array(layers)) => layers,
            _ => Vec::new(),
        };
        layers.push(json!({
            "mediaType": SIGNATURE_LAYER,
            "digest": of(&payload),
            "size": payload.len(),
            "annotations": { SIGNATURE: BASE64_STANDARD.encode(signature) },
        }));
        let layer_digests: Vec<_> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "architecture": "",
            "created": NEVER,
            "os": "",
            "rootfs": { "type": "layers", "diff_ids": layer_digests },
            "config": {},
        });
        let config = config.to_string().into_bytes();
        let manifest = manifest(IMAGE_CONFIG, &config, layers);
        self.blob(stage, payload).await?;
        self.blob(stage, config).await?;
        self.manifest(stage, &signature_tag(digest), manifest).await
    }
}
