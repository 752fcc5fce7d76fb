//! Reloads when files change. Files are looked at every so often, which works on every file system, and for files that are
//! replaced through links; what is found has to be the same twice before it counts, so that nothing half written does.

use std::{fs, os::unix::fs::MetadataExt, path::PathBuf, time::Duration, time::SystemTime};

use crate::host::Host;

/// How long what has changed has to stay as it is, if the interval is longer.
const SETTLED: Duration = Duration::from_secs(1);

/// What tells that a file is another, or has other content: device, inode, size, and time of the last change. `None`: it
/// cannot be looked at.
type Stamp = Option<(u64, u64, u64, Option<SystemTime>)>;

impl Host {
    /// Looks every so often at the files of the config that runs, at its plugins' and at its folders, and calls
    /// [`Host::reload`] once they have changed and settled. Never ends by itself.
    pub async fn watch(&self, every: Duration) {
        let mut seen = self.stamps().await;
        loop {
            tokio::time::sleep(every).await;
            let mut now = self.stamps().await;
            if now == seen {
                continue;
            }
            loop {
                tokio::time::sleep(every.min(SETTLED)).await;
                let next = self.stamps().await;
                if next == now {
                    break;
                }
                now = next;
            }
            // Either way it has been said; what is wrong is tried again when it has changed again.
            let reloaded = self.reload().await;
            seen = match reloaded {
                // Other files may count now. What changed after `now` will be seen by its stamp.
                Ok(_) => self.stamps_after(&now).await,
                Err(_) => now,
            };
        }
    }

    async fn stamps(&self) -> Vec<(PathBuf, Stamp)> {
        let paths = self.running_config().await.watched();
        let read = move || {
            paths
                .into_iter()
                .map(|path| {
                    let stamp = stamp(&path);
                    (path, stamp)
                })
                .collect()
        };
        // A panic in it would be ours; to see nothing is to see no change next time.
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }

    /// What is there now, with what was seen before the reload where that was looked at.
    async fn stamps_after(&self, before: &[(PathBuf, Stamp)]) -> Vec<(PathBuf, Stamp)> {
        let mut now = self.stamps().await;
        for (path, stamp) in &mut now {
            if let Some((_, old)) = before.iter().find(|(old, _)| old == path) {
                *stamp = *old;
            }
        }
        now
    }
}

fn stamp(path: &PathBuf) -> Stamp {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.len(), found.modified().ok()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    #[test]
    fn another_file_or_other_content_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        assert_eq!(stamp(&path), None);
        fs::write(&path, "a").unwrap();
        let (first, in_folder) = (stamp(&path), stamp(&folder.path().to_owned()));
        assert!(first.is_some());
        assert_eq!(stamp(&path), first);
        fs::write(&path, "ab").unwrap();
        assert_ne!(stamp(&path), first);
        let other = folder.path().join("b");
        fs::write(&other, "a").unwrap();
        assert_ne!(stamp(&folder.path().to_owned()), in_folder);
        fs::rename(&other, &path).unwrap();
        assert_ne!(stamp(&path), first);
    }
}
