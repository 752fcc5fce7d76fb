//! What the thread of the source does: from the folders to the registry.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use meterbox_metrics::{Desc, Kind, Registry, Sample, SampleValue, Scope};

use super::{
    file::{self, Content, Note, Stamp},
    folders,
};
use crate::{config::TextfileConfig, own::CollectorMetrics};

/// Numbers of the families that [`descs`] returns.
const MTIME: u32 = 0;
const SCRAPE_ERROR: u32 = 1;

/// Names and help texts are node_exporter's.
pub(super) fn descs() -> Vec<Desc> {
    let mtime = Desc::new(
        "node_textfile_mtime_seconds",
        "Unixtime mtime of textfiles successfully read.",
        Kind::Gauge,
    );
    let scrape_error = Desc::new(
        "node_textfile_scrape_error",
        "1 if there was an error opening or reading a file, 0 otherwise",
        Kind::Gauge,
    );
    vec![mtime.with_labels(["file"]), scrape_error]
}

pub(super) struct Reader {
    config: TextfileConfig,
    registry: Registry,
    scope: Arc<Scope>,
    metrics: CollectorMetrics,
    /// What was read, by path.
    files: HashMap<PathBuf, Known>,
    /// What the page shows; `None` if something of it had to be left out.
    shown: Option<Shown>,
    /// Complaints of the last reading: each is logged once until it changes.
    said: HashSet<String>,
}

/// A file as it was last read.
struct Known {
    /// `None` if it may have changed since without a trace.
    stamp: Option<Stamp>,
    outcome: Result<Arc<Content>, String>,
}

#[derive(Debug)]
struct Shown {
    contents: Vec<(PathBuf, Arc<Content>)>,
    families: usize,
}

impl Reader {
    pub(super) fn new(
        config: &TextfileConfig,
        registry: &Registry,
        scope: &Arc<Scope>,
        metrics: &CollectorMetrics,
    ) -> Self {
        Self {
            config: config.clone(),
            registry: registry.clone(),
            scope: Arc::clone(scope),
            metrics: metrics.clone(),
            files: HashMap::new(),
            shown: None,
            said: HashSet::new(),
        }
    }

    /// Brings the registry up to date with the files.
    pub(super) fn read(&mut self) {
        let start = Instant::now();
        let before = mem::take(&mut self.said);
        let (paths, errors) = folders::list(&self.config.directory);
        let mut has_error = !errors.is_empty();
        for error in errors {
            self.say(&before, error, |error| {
                tracing::error!(error, "a folder of [textfile] cannot be read");
            });
        }
        let mut known = mem::take(&mut self.files);
        let mut contents = Vec::new();
        for path in paths {
            let file = known_or_read(&path, known.remove(&path), self.config.max_file_size);
            match &file.outcome {
                Ok(content) => contents.push((path.clone(), Arc::clone(content))),
                Err(error) => {
                    has_error = true;
                    let error = format!("{}: {error}", path.display());
                    self.say(&before, error, |error| {
                        tracing::error!(error, "a text file is left out");
                    });
                }
            }
            self.files.insert(path, file);
        }
        self.show_own(&contents, has_error);
        for (path, content) in &contents {
            for Note { reason, message } in &content.notes {
                let message = format!("{}: {message}", path.display());
                self.reject(&before, reason, message);
            }
        }
        self.show(&before, contents);
        self.metrics.collected(true, start.elapsed());
        self.metrics.series.set(self.scope.series() as f64);
    }

    /// The metrics about the files.
    fn show_own(&self, contents: &[(PathBuf, Arc<Content>)], has_error: bool) {
        let sample = |label_values: Vec<String>, value: f64| Sample {
            label_values,
            value: SampleValue::Number(value),
            timestamp_ms: None,
            created_ms: None,
        };
        let mtimes = contents.iter().map(|(path, content)| {
            let labels = vec![path.display().to_string()];
            (MTIME, sample(labels, content.mtime as f64))
        });
        let error = (SCRAPE_ERROR, sample(Vec::new(), f64::from(has_error)));
        let samples = mtimes.chain([error]).collect();
        for (_, error) in self.scope.replace_samples(samples, Instant::now()) {
            tracing::error!(%error, "metrics about text files are left out");
        }
    }

    /// Shows the families of the files, unless they are on the page as they are.
    fn show(&mut self, before: &HashSet<String>, contents: Vec<(PathBuf, Arc<Content>)>) {
        let is_shown = self.shown.as_ref().is_some_and(|shown| {
            let same = |((a, x), (b, y)): (&(PathBuf, _), &(PathBuf, _))| {
                a == b && Arc::<Content>::ptr_eq(x, y)
            };
            shown.contents.len() == contents.len()
                && shown.contents.iter().zip(&contents).all(same)
                // Who describes a family takes it from us.
                && shown.families == self.scope.dynamic_families()
        });
        if is_shown {
            return;
        }
        let errors = self.registry.replace_dynamic(&self.scope, found(&contents));
        self.shown = errors.is_empty().then(|| Shown {
            contents,
            families: self.scope.dynamic_families(),
        });
        for error in errors {
            self.reject(before, error.reason(), error.to_string());
        }
    }

    fn reject(&mut self, before: &HashSet<String>, reason: &'static str, error: String) {
        self.metrics.rejected(reason);
        self.say(before, error, |error| {
            tracing::warn!(reason, error, "metrics of text files are left out");
        });
    }

    fn say(&mut self, before: &HashSet<String>, text: String, log: impl FnOnce(&str)) {
        if !before.contains(&text) {
            log(&text);
        }
        self.said.insert(text);
    }
}

fn known_or_read(path: &Path, known: Option<Known>, limit: u64) -> Known {
    let found = match file::look(path) {
        Ok(found) => found,
        Err(error) => {
            return Known {
                stamp: None,
                outcome: Err(error),
            };
        }
    };
    let stamp = Stamp::of(&found);
    match known.filter(|known| known.stamp == Some(stamp)) {
        Some(known) => known,
        None => Known {
            stamp: Stamp::is_settled(&found).then_some(stamp),
            outcome: file::read(path, limit).map(Arc::new),
        },
    }
}

/// All families, in the order of the files. One without a help text gets node_exporter's, which names the files.
fn found(contents: &[(PathBuf, Arc<Content>)]) -> Vec<(Desc, Vec<Sample>)> {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, content) in contents {
        for family in &content.families {
            let files = files.entry(&family.desc.name).or_default();
            files.push(path.display().to_string());
        }
    }
    let all = contents.iter().flat_map(|(_, content)| &content.families);
    all.map(|family| {
        let mut desc = family.desc.clone();
        if !family.has_help {
            desc.help = format!("Metric read from {}", files[desc.name.as_str()].join(", "));
        }
        (desc, family.samples.clone())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::{
        fs::{self, File},
        time::{Duration, SystemTime},
    };

    use super::*;

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.prom");
        let write = |text: &str, age: u64| {
            fs::write(&path, text).unwrap();
            let modified = SystemTime::now() - Duration::from_secs(age);
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(modified).unwrap();
        };
        let value = |known: &Known| known.outcome.as_ref().unwrap().families[0].samples[0].clone();
        let is_same = |a: &Arc<Content>, b: Known| Arc::ptr_eq(a, b.outcome.as_ref().unwrap());
        let content = |known: &Known| Arc::clone(known.outcome.as_ref().unwrap());

        write("a 1\n", 60);
        let first = known_or_read(&path, None, 99);
        let before = content(&first);
        let again = known_or_read(&path, Some(first), 99);
        assert!(is_same(&before, again));

        // The same size, and the same age to the second.
        let first = known_or_read(&path, None, 99);
        let before = value(&first);
        write("a 2\n", 60);
        assert_ne!(value(&known_or_read(&path, Some(first), 99)), before);

        // Just written: it may be written again within a tick of the clock.
        write("a 3\n", 0);
        let first = known_or_read(&path, None, 99);
        let before = content(&first);
        assert!(!is_same(&before, known_or_read(&path, Some(first), 99)));

        let gone = known_or_read(&folder.path().join("gone"), None, 99);
        assert!(gone.outcome.is_err() && gone.stamp.is_none());
    }
}
