//! The files of `[textfile]`, with the semantics and the metrics of node_exporter's collector of that name.
//!
//! A thread of its own reads them: a file system that hangs costs scrapes these samples, and neither a serving thread nor
//! the end of the process. Scrapes that overlap share one reading.

mod file;
mod folders;
mod reader;

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use meterbox_metrics::{Desc, Registry, Scope};

use self::reader::Reader;
use crate::{
    config::{TEXTFILE, TextfileConfig},
    own::CollectorMetrics,
    plugin::{Collects, Join, Lead, Role},
};

/// The source, for those who scrape.
#[derive(Debug)]
pub(crate) struct Textfile {
    scope: Arc<Scope>,
    metrics: CollectorMetrics,
    collects: Arc<Collects>,
    requests: mpsc::Sender<Lead>,
    config: TextfileConfig,
}

impl Textfile {
    /// The families about the files.
    pub(crate) fn descs() -> Vec<Desc> {
        reader::descs()
    }

    /// Starts the thread, which ends with the last handle. The scope has [`Textfile::descs`].
    pub(crate) fn start(
        config: &TextfileConfig,
        registry: &Registry,
        scope: Arc<Scope>,
    ) -> Result<Self, String> {
        let metrics =
            CollectorMetrics::new(registry, TEXTFILE).map_err(|error| error.to_string())?;
        let (requests, inbox) = mpsc::channel::<Lead>();
        let mut reader = Reader::new(config, registry, &scope, &metrics);
        let work = move || {
            for lead in inbox {
                let start = Instant::now();
                reader.read();
                let took = start.elapsed();
                lead.finish(true, took, took);
            }
        };
        let thread = thread::Builder::new().name(TEXTFILE.to_owned());
        if let Err(error) = thread.spawn(work) {
            return Err(format!("no thread to read files: {error}"));
        }
        metrics.up.set(1.0);
        Ok(Self {
            scope,
            metrics,
            collects: Collects::new(),
            requests,
            config: config.clone(),
        })
    }

    /// What it was started with.
    pub(crate) fn config(&self) -> &TextfileConfig {
        &self.config
    }

    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    pub(crate) fn metrics(&self) -> &CollectorMetrics {
        &self.metrics
    }

    /// Joins the reading that is under way, or starts one.
    pub(crate) fn collect(&self) -> Join {
        match self.collects.enter() {
            Role::Lead(lead) => {
                let join = self.collects.join(lead.number());
                // Fails only if the thread is gone; the dropped lead then says so to all who wait.
                let _ = self.requests.send(lead);
                join
            }
            Role::Join(join) => join,
        }
    }
}
