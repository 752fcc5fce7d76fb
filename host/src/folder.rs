//! Folders of the state directory: entries that are written whole or not at all, and read only if nobody else could have
//! written them.
//!
//! The folder and each entry must be ours, writable by nobody else, and are opened without following links. Who can write as
//! our own user is not kept out.

use std::{
    fs::{DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, flock,
    futimens, open, openat, renameat, statat, unlinkat,
};

const UNFINISHED_PREFIX: &str = ".unfinished-";

/// A folder of entries. Several processes may share it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    folder: File,
    /// The names of entries end with it; whatever else there is stays untouched.
    suffix: &'static str,
    /// What entries may take together.
    pub(crate) most_bytes: u64,
}

impl Folder {
    /// Opens a folder, and makes it if need be. An error says why it cannot be used.
    pub(crate) fn open(path: PathBuf, suffix: &'static str, most_bytes: u64) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = File::from(open(&path, flags, Mode::empty())?);
        let metadata = folder.metadata()?;
        if let Some(problem) = not_ours(metadata.uid(), metadata.mode()) {
            return Err(io::Error::other(format!("{} {problem}", path.display())));
        }
        let folder = Self {
            path,
            folder,
            suffix,
            most_bytes,
        };
        folder.sweep()?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// An entry and its size in bytes. One that is no file, or that others could have written, is an error.
    pub(crate) fn entry(&self, name: &str) -> io::Result<(File, u64)> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
        // Without waiting: somebody may have put a pipe there.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&self.folder, name, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(invalid("it is no file"));
        }
        match not_ours(metadata.uid(), metadata.mode()) {
            Some(problem) => Err(invalid(&format!("it {problem}"))),
            None => Ok((file, metadata.len())),
        }
    }

    /// Notes that an entry was used: the least recently used go first.
    pub(crate) fn used(&self, entry: &File) {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        // Where it cannot be noted, the oldest go first.
        let _ = futimens(
            entry,
            &Timestamps {
                last_access: now,
                last_modification: now,
            },
        );
    }

    /// Fails on a read-only disk, which is no matter: what is wrong with the entry is found again.
    pub(crate) fn remove(&self, name: &str) {
        let _ = unlinkat(&self.folder, name, AtFlags::empty());
    }

    /// Writes an entry, whole or not at all, and removes those used least recently if there is too much.
    pub(crate) fn put(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let unfinished = format!(
            "{UNFINISHED_PREFIX}{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let written = self.write(&unfinished, name, parts);
        if written.is_err() {
            self.remove(&unfinished);
        }
        written?;
        self.evict(name)
    }

    fn write(&self, unfinished: &str, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        // As long as somebody writes, nobody sweeps. A lock of its own: those of one open folder would be one lock.
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let lock = openat(&self.folder, ".", folder, Mode::empty())?;
        flock(&lock, FlockOperation::LockShared)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(openat(&self.folder, unfinished, flags, mode)?);
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        renameat(&self.folder, unfinished, &self.folder, name)?;
        Ok(())
    }

    /// Removes what processes left that were killed while they wrote, unless one writes now.
    fn sweep(&self) -> io::Result<()> {
        if flock(&self.folder, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(());
        }
        for entry in Dir::read_from(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_bytes().starts_with(UNFINISHED_PREFIX.as_bytes()) {
                let _ = unlinkat(&self.folder, name, AtFlags::empty());
            }
        }
        flock(&self.folder, FlockOperation::Unlock)?;
        Ok(())
    }

    fn evict(&self, keep: &str) -> io::Result<()> {
        let mut entries = Vec::new();
        let mut total = 0;
        for entry in Dir::read_from(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_owned();
            if !name.to_bytes().ends_with(self.suffix.as_bytes()) {
                continue;
            }
            // Another process may be evicting too.
            let Ok(stat) = statat(&self.folder, &name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                let bytes = stat.st_size as u64;
                total += bytes;
                entries.push(((stat.st_mtime, stat.st_mtime_nsec), bytes, name));
            }
        }
        entries.sort();
        for (_, bytes, name) in entries {
            if total <= self.most_bytes {
                break;
            }
            if name.to_bytes() != keep.as_bytes() {
                let _ = unlinkat(&self.folder, &name, AtFlags::empty());
                total -= bytes;
            }
        }
        Ok(())
    }
}

/// Why a file or folder is not ours alone, if it is not.
pub(crate) fn not_ours(owner: u32, mode: u32) -> Option<String> {
    let us = rustix::process::geteuid().as_raw();
    if owner != us {
        return Some(format!(
            "belongs to user {owner}, and this process runs as {us}"
        ));
    }
    if mode & 0o022 != 0 {
        return Some(format!(
            "can be written by others (mode {:03o}); chmod go-w it",
            mode & 0o777
        ));
    }
    None
}
