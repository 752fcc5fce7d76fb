//! The files of `[textfile]`, with the semantics and the metrics of node_exporter's collector of that name.
//!
//! A thread of its own reads them: a file system that hangs costs scrapes these samples, and neither a serving thread nor
//! the end of the process. Scrapes that overlap share one reading.

mod file;
mod folders;
mod reader;

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use meterbox_metrics::{Registry, Scope, ScopeOptions};
use tokio::sync::watch;

use self::reader::Reader;
use crate::{
    config::{TEXTFILE, TextfileConfig},
    own::PluginMetrics,
    plugin::Collect,
};

/// The source, for those who scrape.
#[derive(Debug)]
pub(crate) struct Textfile {
    scope: Arc<Scope>,
    metrics: PluginMetrics,
    requests: mpsc::Sender<watch::Sender<Option<bool>>>,
    /// The last reading; while it is under way all scrapes that come share it.
    last: Mutex<Option<Collect>>,
}

impl Textfile {
    /// Starts the thread, which ends with the last handle.
    pub(crate) fn start(config: &TextfileConfig, registry: &Registry) -> Result<Self, String> {
        let metrics = PluginMetrics::new(registry, TEXTFILE).map_err(|error| error.to_string())?;
        let scope = registry
            .register(&ScopeOptions::new(TEXTFILE), reader::descs())
            .map_err(|error| error.to_string())?;
        let (requests, inbox) = mpsc::channel::<watch::Sender<Option<bool>>>();
        let mut reader = Reader::new(config, registry, &scope, &metrics);
        let work = move || {
            for reply in inbox {
                reader.read();
                reply.send_replace(Some(true));
            }
        };
        let thread = thread::Builder::new().name(TEXTFILE.to_owned());
        if let Err(error) = thread.spawn(work) {
            registry.unregister(&scope);
            return Err(format!("no thread to read files: {error}"));
        }
        metrics.up.set(1.0);
        Ok(Self {
            scope,
            metrics,
            requests,
            last: Mutex::default(),
        })
    }

    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    pub(crate) fn metrics(&self) -> &PluginMetrics {
        &self.metrics
    }

    /// Joins the reading that is under way, or starts one.
    pub(crate) fn collect(&self) -> Collect {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(collect) = last.as_ref().filter(|collect| collect.is_under_way()) {
            return collect.clone();
        }
        let (reply, collect) = Collect::new();
        // Fails only if the thread is gone; the dropped reply then says so to all who wait.
        let _ = self.requests.send(reply);
        last.insert(collect).clone()
    }
}
