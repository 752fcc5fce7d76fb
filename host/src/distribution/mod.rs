//! From what a config names to bytes: read or pulled, held against the digest that they must have, and kept for the next
//! start. docs/distribution.md has the whole of it.
//!
//! - `client`: one server, asked with bounds
//! - `oci`: manifests and blobs of a registry
//! - `store`: what was pulled, under its digest
//! - `signature`, `proofs`: keys, what they have signed, and where signatures are
//! - `push`, `signer`: the other side

mod client;
mod error;
mod oci;
mod proofs;
mod push;
mod signature;
mod signer;
mod store;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tokio::sync::{Mutex, OnceCell};

use self::{
    client::{Ask, Client},
    oci::{MOST_MANIFEST_BYTES, Manifest},
    signature::Keys,
    store::Store,
};
pub use self::{error::FetchError, signer::Signer};
use crate::{
    config::{
        Config, ContentDigest, Limits, PluginConfig, Reference, RegistryConfig, SignaturesConfig,
        Source,
    },
    source::{self, SourceError},
};

const RAISE: &str = "if that is right, raise limits.file-bytes";

/// Where plugins of a config are had from. Clones share everything.
#[derive(Clone, Default)]
pub struct Sources {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    registries: BTreeMap<String, RegistryConfig>,
    signatures: SignaturesConfig,
    /// Read when the first plugin is checked.
    keys: OnceCell<Keys>,
    state: Option<PathBuf>,
    /// Opened when something is pulled for the first time; nothing if it cannot be used.
    store: OnceLock<Option<Store>>,
    /// By kind and host.
    clients: Mutex<HashMap<(&'static str, String), Arc<Client>>>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("state", &self.inner.state)
            .finish_non_exhaustive()
    }
}

impl Sources {
    /// Those of a config. Nothing is opened yet.
    pub fn new(config: &Config) -> Self {
        let inner = Inner {
            registries: config.registries.clone(),
            signatures: config.signatures.clone(),
            state: config.state.directory.clone(),
            ..Inner::default()
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The bytes of a plugin: of the digest that it is bound to, from what is kept, else from where they are; signed, if the
    /// config wants that. `limits` are the plugin's. Must be used in a tokio runtime with timers.
    pub async fn pull(
        &self,
        plugin: &PluginConfig,
        limits: &Limits,
    ) -> Result<Vec<u8>, SourceError> {
        let most = limits.file_bytes as u64;
        let pinned = plugin.pinned().ok_or_else(|| FetchError::NotLocked {
            source_text: plugin.source.to_string(),
        });
        match &plugin.source {
            Source::File(path) => {
                let (file, digest) = (path.clone(), plugin.digest);
                let bytes = blocking(move || read(file, most, digest)).await??;
                self.check_file(path, &bytes).await?;
                Ok(bytes)
            }
            Source::Https(url) => within(limits, self.of_server(url, pinned?, most)).await,
            Source::Oci(reference) => {
                within(limits, self.of_registry(reference, pinned?, most)).await
            }
        }
    }

    async fn of_server(
        &self,
        url: &str,
        digest: ContentDigest,
        most: u64,
    ) -> Result<Vec<u8>, SourceError> {
        let bytes = match self.kept(digest, most).await? {
            Some(bytes) => bytes,
            None => {
                let client = self.server(url).await?;
                let stage = Source::Https(url.to_owned()).to_string();
                let bytes = get(&client, url, most, &stage).await?;
                client.is(&bytes, digest, &stage)?;
                self.keep(&bytes).await?;
                bytes
            }
        };
        self.check_url(url, digest, &bytes).await?;
        Ok(bytes)
    }

    async fn of_registry(
        &self,
        reference: &Reference,
        digest: ContentDigest,
        most: u64,
    ) -> Result<Vec<u8>, SourceError> {
        let manifest = self.manifest(reference, digest).await?;
        // Before anything else of it is believed.
        self.check_manifest(reference, digest).await?;
        let stage = format!("the manifest {}@{digest}", reference.name());
        let wrong = |why| FetchError::Verify {
            from: format!("registry {}", reference.registry),
            stage: stage.clone(),
            why,
        };
        let manifest = Manifest::parse(&manifest).map_err(wrong)?;
        let layer = manifest.plugin().map_err(wrong)?;
        if layer.size > most {
            let size = layer.size;
            return Err(wrong(format!(
                "its plugin has {size} bytes, more than {most}; {RAISE}"
            ))
            .into());
        }
        let of_layer = layer.digest().map_err(wrong)?;
        if let Some(bytes) = self.kept(of_layer, most).await? {
            return Ok(bytes);
        }
        let client = self.registry(reference).await?;
        let stage = format!("the layer of {}@{digest}", reference.name());
        let bytes = client.blob(reference, layer, &stage).await?;
        self.keep(&bytes).await?;
        Ok(bytes)
    }

    /// The manifest of this digest.
    async fn manifest(
        &self,
        reference: &Reference,
        digest: ContentDigest,
    ) -> Result<Vec<u8>, SourceError> {
        if let Some(bytes) = self.kept(digest, MOST_MANIFEST_BYTES).await? {
            return Ok(bytes);
        }
        let client = self.registry(reference).await?;
        let stage = format!("the manifest {}@{digest}", reference.name());
        let name = digest.to_string();
        let found = client.manifest(reference, &name, &stage).await?;
        let bytes = found.ok_or_else(|| {
            let why = "it does not have it, or not any more; push it again, or run meterbox lock if the source is a tag that stands for something else now";
            client.failed(&stage, why.to_owned())
        })?;
        client.is(&bytes, digest, &stage)?;
        self.keep(&bytes).await?;
        Ok(bytes)
    }

    /// What a source stands for now, whatever it is bound to. A file is not asked for.
    pub async fn resolve(
        &self,
        source: &Source,
        limits: &Limits,
    ) -> Result<Option<ContentDigest>, SourceError> {
        let resolved = async {
            match source {
                Source::File(_) => Ok(None),
                Source::Https(url) => {
                    let client = self.server(url).await?;
                    let (most, stage) = (limits.file_bytes as u64, source.to_string());
                    let bytes = get(&client, url, most, &stage).await?;
                    Ok(Some(ContentDigest::of(&bytes)))
                }
                Source::Oci(reference) => match (&reference.tag, reference.digest) {
                    (Some(tag), None) => self.of_tag(reference, tag).await.map(Some),
                    (_, digest) => Ok(digest),
                },
            }
        };
        within(limits, resolved).await
    }

    async fn of_tag(&self, reference: &Reference, tag: &str) -> Result<ContentDigest, SourceError> {
        let client = self.registry(reference).await?;
        let stage = format!("the tag {}:{tag}", reference.name());
        let found = client.manifest(reference, tag, &stage).await?;
        let bytes = found.ok_or_else(|| {
            client.failed(&stage, "it has no such tag; correct the source".to_owned())
        })?;
        let manifest = Manifest::parse(&bytes);
        let plugin = manifest.and_then(|manifest| manifest.plugin().map(|_| ()));
        plugin.map_err(|why| client.lied(&stage, why))?;
        Ok(ContentDigest::of(&bytes))
    }

    fn registry_config(&self, reference: &Reference) -> Option<&RegistryConfig> {
        self.inner.registries.get(&reference.registry)
    }

    async fn registry(&self, reference: &Reference) -> Result<Arc<Client>, SourceError> {
        self.client("registry", &reference.registry).await
    }

    async fn server(&self, url: &str) -> Result<Arc<Client>, SourceError> {
        let host = url.split('/').nth(2).unwrap_or_default();
        let host = host.split('?').next().unwrap_or_default();
        self.client("server", host).await
    }

    async fn client(&self, kind: &'static str, host: &str) -> Result<Arc<Client>, SourceError> {
        let mut clients = self.inner.clients.lock().await;
        let key = (kind, host.to_owned());
        if let Some(client) = clients.get(&key) {
            return Ok(Arc::clone(client));
        }
        let config = self.inner.registries.get(host).cloned();
        let host = host.to_owned();
        let made = blocking(move || Client::new(kind, &host, config.as_ref())).await??;
        let client = Arc::new(made);
        clients.insert(key, Arc::clone(&client));
        Ok(client)
    }

    async fn kept(&self, digest: ContentDigest, most: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.with_store(move |store| store.blob(digest, most))
            .await
            .map(Option::flatten)
    }

    async fn keep(&self, bytes: &[u8]) -> Result<(), SourceError> {
        let bytes = bytes.to_vec();
        let kept = self.with_store(move |store| store.keep(&bytes)).await;
        kept.map(|_| ())
    }

    /// Nothing if nothing is kept.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<Option<T>, SourceError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.store().map(work)).await
    }
}

impl Inner {
    fn store(&self) -> Option<&Store> {
        let open = || {
            let state = self.state.as_ref()?;
            let opened = Store::open(state).inspect_err(|error| {
                let folder = state.display();
                tracing::warn!(%folder, %error, "what is pulled cannot be kept; plugins are pulled at every start");
            });
            opened.ok()
        };
        self.store.get_or_init(open).as_ref()
    }
}

/// What a server has under a URL.
async fn get(client: &Client, url: &str, most: u64, stage: &str) -> Result<Vec<u8>, FetchError> {
    let asked = client.get(Ask {
        url,
        accept: "*/*",
        scope: "",
        most: (most, RAISE),
        stage,
    });
    let missing = || {
        client.failed(
            stage,
            "there is no such file; correct the source".to_owned(),
        )
    };
    asked.await?.ok_or_else(missing)
}

/// A file, held against the digest that the config names, if it does.
fn read(path: PathBuf, most: u64, digest: Option<ContentDigest>) -> Result<Vec<u8>, SourceError> {
    let bytes = source::read(&path, most)?;
    let found = ContentDigest::of(&bytes);
    match digest {
        Some(wanted) if wanted != found => Err(FetchError::Verify {
            from: path.display().to_string(),
            stage: "the file".to_owned(),
            why: format!("it has {found}, and the config wants {wanted}; if the file is right, correct the digest"),
        }
        .into()),
        _ => Ok(bytes),
    }
}

async fn within<T>(
    limits: &Limits,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    let done = tokio::time::timeout(limits.pull_time, work).await;
    done.unwrap_or_else(|_| {
        Err(SourceError::PullTime {
            most: limits.pull_time,
        })
    })
}

/// On a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SourceError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|crash| SourceError::Crashed(crash.to_string()))
}
