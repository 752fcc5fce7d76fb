//! From a plugin's bytes to something that instances are made of: each digest once, from the cache if it is there.

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use sha2::{Digest as _, Sha256};
use tokio::sync::{OnceCell, Semaphore};
use wasmtime::component::{Component, InstancePre};

use super::{
    Engine, Settings, State,
    cache::{Cache, Digest},
    compile::{self, Compiler, Failure},
};
use crate::{
    inspect,
    limits::Limits,
    source::{self, SourceError},
};

/// Why there is nothing to make instances of.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The file is no plugin.
    #[error(transparent)]
    Source(Arc<SourceError>),
    /// It cannot be compiled, or imports what there is not.
    #[error("{0}")]
    Unfit(String),
}

/// What instances are made of, and the digest of its file.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) pre: InstancePre<State>,
    pub(crate) digest: Digest,
    /// What the file says that it was written with.
    pub(crate) sdk: Option<Arc<str>>,
}

/// What is shared by all loading of one engine.
pub(super) struct Loader {
    /// Of everything but the plugin that decides on its code.
    environment: Digest,
    cache: Option<Cache>,
    compiler: Option<Compiler>,
    limits: Limits,
    /// Plugins are compiled at most so many at a time.
    permits: Arc<Semaphore>,
    /// What this process has already, by the digest of the plugin.
    loaded: Mutex<HashMap<Digest, Arc<OnceCell<InstancePre<State>>>>>,
    warned: AtomicBool,
}

impl Loader {
    pub(super) fn new(engine: &wasmtime::Engine, settings: Settings) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            environment: environment(engine),
            cache: settings.state.and_then(open_cache),
            compiler: settings.compiler,
            limits: settings.limits,
            permits: Arc::new(Semaphore::new(cores)),
            loaded: Mutex::default(),
            warned: AtomicBool::new(false),
        }
    }
}

impl Engine {
    /// Compiles and links a plugin from its bytes, on a thread for such work. Those of the same bytes share it. `shown` is
    /// where they come from, for messages.
    pub(crate) async fn load(
        &self,
        shown: &str,
        bytes: Result<Vec<u8>, SourceError>,
    ) -> Result<Loaded, LoadError> {
        let bytes = bytes.map_err(source_error)?;
        let read = self.blocking(move |_| {
            let sdk = inspect::sdk(&bytes).map(Arc::from);
            Ok((bytes, sdk))
        });
        let (bytes, sdk) = read.await?;
        let digest: Digest = Sha256::digest(&bytes).into();
        let cell = {
            let mut loaded = self.loader.loaded.lock();
            let loaded = loaded
                .as_mut()
                .unwrap_or_else(|poisoned| poisoned.get_mut());
            Arc::clone(loaded.entry(digest).or_default())
        };
        let shown = shown.to_owned();
        let make = || self.blocking(move |engine| engine.make(&shown, bytes, digest));
        let pre = cell.get_or_try_init(make).await?.clone();
        Ok(Loaded { pre, digest, sdk })
    }

    /// Lets go of code that no plugin of these digests needs.
    pub(crate) fn keep(&self, digests: &HashSet<Digest>) {
        let mut loaded = self.loader.loaded.lock();
        let loaded = loaded
            .as_mut()
            .unwrap_or_else(|poisoned| poisoned.get_mut());
        loaded.retain(|digest, _| digests.contains(digest));
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, LoadError> + Send + 'static,
    ) -> Result<T, LoadError> {
        // Never closed.
        let permit = Arc::clone(&self.loader.permits).acquire_owned().await;
        let engine = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&engine)
        });
        task.await
            .unwrap_or_else(|crash| Err(LoadError::Unfit(format!("the compiler crashed: {crash}"))))
    }

    fn make(
        &self,
        shown: &str,
        bytes: Vec<u8>,
        digest: Digest,
    ) -> Result<InstancePre<State>, LoadError> {
        let component = self.component(shown, bytes, digest)?;
        self.linker.instantiate_pre(&component).map_err(|error| {
            LoadError::Unfit(format!(
                "it imports what this host does not have: {error:#}"
            ))
        })
    }

    fn component(
        &self,
        shown: &str,
        bytes: Vec<u8>,
        digest: Digest,
    ) -> Result<Component, LoadError> {
        let Loader {
            environment, cache, ..
        } = &*self.loader;
        let unfit = |error: wasmtime::Error| LoadError::Unfit(format!("{error:#}"));
        let mut key = Sha256::new();
        key.update(environment);
        key.update(digest);
        let key: Digest = key.finalize().into();
        if let Some(code) = cache.as_ref().and_then(|cache| cache.get(&key)) {
            match self.adopt(&code) {
                Ok(component) => return Ok(component),
                Err(error) => {
                    tracing::warn!(source = shown, %error, "compiled code is of no use; the plugin is compiled again");
                }
            }
        }
        let component = source::componentize(bytes, shown);
        let code = self.compile(&component.map_err(source_error)?)?;
        if let Some(cache) = cache
            && let Err(error) = cache.put(&key, &code)
            && !self.loader.warned.swap(true, Ordering::Relaxed)
        {
            let folder = cache.path().display();
            tracing::warn!(%folder, %error, "compiled code cannot be kept; plugins are compiled at every start");
        }
        self.adopt(&code).map_err(unfit)
    }

    fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        if let Some(compiler) = &self.loader.compiler {
            match compiler.run(self.layout, &self.loader.limits, component) {
                Ok(code) => return Ok(code),
                Err(Failure::Refused(why)) => return Err(LoadError::Unfit(why)),
                Err(Failure::NoProcess(error)) => {
                    tracing::warn!(%error, "no process can be started to compile in; compiling in this one, without limits");
                }
            }
        }
        compile::in_this_process(&self.engine, component)
            .map_err(|error| LoadError::Unfit(format!("{error:#}")))
    }

    fn adopt(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: the bytes come from `precompile_component`, of this process or of the program that its operator or
        // embedder named, and reached us through a private pipe or `Cache::get`: a file of our own that nobody else can
        // write, whose digest was just checked over these very bytes.
        unsafe { Component::deserialize(&self.engine, code) }
    }
}

fn source_error(error: SourceError) -> LoadError {
    LoadError::Source(Arc::new(error))
}

fn open_cache(state: PathBuf) -> Option<Cache> {
    let opened = Cache::open(&state);
    let opened = opened.inspect_err(|error| {
        let folder = state.display();
        tracing::warn!(%folder, %error, "compiled code cannot be kept; plugins are compiled at every start");
    });
    opened.ok()
}

/// Versions, target, processor and settings. wasmtime's own file header knows its major version only; what it hashes knows
/// all of it.
fn environment(engine: &wasmtime::Engine) -> Digest {
    struct Through(Sha256);
    impl Hasher for Through {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0 // Nobody asks: the whole digest is taken.
        }
    }
    let mut hasher = Through(Sha256::new());
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    // A core module becomes a component with it.
    wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER
        .hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().into()
}
