//! Compiled code on disk, so that it is compiled once for each plugin, version and processor.
//!
//! Loading such code is running it, so nothing is loaded that others could have written: the folder and the entry must be
//! ours, writable by nobody else, and are opened without following links. Who can write as our own user can run code as us
//! anyway; against them nothing kept in the same place helps. The digest in an entry is against disks and crashes.

use std::{
    fs::{DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, flock,
    futimens, open, openat, renameat, statat, unlinkat,
};
use sha2::{Digest as _, Sha256};

/// A digest of 256 bits.
pub(crate) type Digest = [u8; 32];

/// The first bytes of an entry. Another number: another layout.
const MAGIC: &[u8; 16] = b"meterbox code 1\n";
/// Magic, key, length of the code, digest of all of these and the code.
const HEADER: usize = 16 + 32 + 8 + 32;
/// No entry is larger: a Python plugin's is 60 MB.
const MOST_ENTRY_BYTES: u64 = 1 << 30;
/// What the entries of one folder may take together.
const MOST_BYTES: u64 = 2 << 30;
const ENTRY_SUFFIX: &str = ".code";
const UNFINISHED_PREFIX: &str = ".unfinished-";

/// A folder of entries. Several processes may share it.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    folder: File,
    most_bytes: u64,
}

impl Cache {
    /// Opens `code` in the state folder, and makes both if need be. An error says why there can be no cache.
    pub(super) fn open(state: &Path) -> io::Result<Self> {
        let path = state.join("code");
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = File::from(open(&path, flags, Mode::empty())?);
        let metadata = folder.metadata()?;
        if let Some(problem) = not_ours(metadata.uid(), metadata.mode()) {
            return Err(io::Error::other(format!("{} {problem}", path.display())));
        }
        let cache = Self {
            path,
            folder,
            most_bytes: MOST_BYTES,
        };
        cache.sweep()?;
        Ok(cache)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The code under this key. An entry that is not as it was written is removed, with a line in the log.
    pub(super) fn get(&self, key: &Digest) -> Option<Vec<u8>> {
        let name = entry_name(key);
        match self.read(&name, key) {
            Ok(code) => Some(code),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let path = self.path.join(&name);
                tracing::warn!(path = %path.display(), %error, "compiled code is not used; the plugin is compiled again");
                // Fails on a read-only disk: then it is said again at the next start.
                let _ = unlinkat(&self.folder, &name, AtFlags::empty());
                None
            }
        }
    }

    fn read(&self, name: &str, key: &Digest) -> io::Result<Vec<u8>> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
        // Without waiting: somebody may have put a pipe there.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.folder, name, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(invalid("it is no file"));
        }
        if let Some(problem) = not_ours(metadata.uid(), metadata.mode()) {
            return Err(invalid(&format!("it {problem}")));
        }
        if !(HEADER as u64..=MOST_ENTRY_BYTES).contains(&metadata.len()) {
            return Err(invalid("its size is wrong"));
        }
        let mut head = [0; HEADER];
        file.read_exact(&mut head)?;
        let length = metadata.len() - HEADER as u64;
        // One byte more than there should be, to notice that there is.
        let mut code = Vec::with_capacity(length as usize + 1);
        Read::by_ref(&mut file)
            .take(length + 1)
            .read_to_end(&mut code)?;
        // What it must begin with, whatever it says of itself.
        if head != header(key, &code) {
            return Err(invalid("it is damaged, or of another plugin or version"));
        }
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        // The least recently used go first. Where it cannot be noted, the oldest do.
        let _ = futimens(
            &file,
            &Timestamps {
                last_access: now,
                last_modification: now,
            },
        );
        Ok(code)
    }

    /// Writes an entry, whole or not at all, and removes those used least recently if there is too much.
    pub(super) fn put(&self, key: &Digest, code: &[u8]) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        if (HEADER + code.len()) as u64 > MOST_ENTRY_BYTES.min(self.most_bytes) {
            return Ok(());
        }
        let unfinished = format!(
            "{UNFINISHED_PREFIX}{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let written = self.write(&unfinished, &entry_name(key), key, code);
        if written.is_err() {
            let _ = unlinkat(&self.folder, &unfinished, AtFlags::empty());
        }
        written?;
        self.evict(key)
    }

    fn write(&self, unfinished: &str, name: &str, key: &Digest, code: &[u8]) -> io::Result<()> {
        // As long as somebody writes, nobody sweeps. A lock of its own: those of one open folder would be one lock.
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let lock = openat(&self.folder, ".", folder, Mode::empty())?;
        flock(&lock, FlockOperation::LockShared)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(openat(&self.folder, unfinished, flags, mode)?);
        file.write_all(&header(key, code))?;
        file.write_all(code)?;
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

    fn evict(&self, keep: &Digest) -> io::Result<()> {
        let keep = entry_name(keep);
        let mut entries = Vec::new();
        let mut total = 0;
        for entry in Dir::read_from(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_owned();
            if !name.to_bytes().ends_with(ENTRY_SUFFIX.as_bytes()) {
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
fn not_ours(owner: u32, mode: u32) -> Option<String> {
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

fn entry_name(key: &Digest) -> String {
    use std::fmt::Write as _;
    let mut name = String::with_capacity(64 + ENTRY_SUFFIX.len());
    for byte in key {
        let _ = write!(name, "{byte:02x}");
    }
    name.push_str(ENTRY_SUFFIX);
    name
}

fn header(key: &Digest, code: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..16].copy_from_slice(MAGIC);
    header[16..48].copy_from_slice(key);
    header[48..56].copy_from_slice(&(code.len() as u64).to_le_bytes());
    let mut digest = Sha256::new();
    digest.update(&header[..56]);
    digest.update(code);
    header[56..].copy_from_slice(&digest.finalize());
    header
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
