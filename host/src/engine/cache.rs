//! Compiled code on disk, so that it is compiled once for each plugin, version and processor.
//!
//! Loading such code is running it, so nothing is loaded that others could have written: `folder.rs` sees to that. The digest
//! in an entry is against disks and crashes.

use std::{
    io::{self, Read},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use crate::folder::Folder;

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

/// A folder of entries. Several processes may share it.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Folder,
}

impl Cache {
    /// Opens `code` in the state folder, and makes both if need be. An error says why there can be no cache.
    pub(super) fn open(state: &Path) -> io::Result<Self> {
        let folder = Folder::open(state.join("code"), ENTRY_SUFFIX, MOST_BYTES)?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The code under this key. An entry that is not as it was written is removed, with a line in the log.
    pub(super) fn get(&self, key: &Digest) -> Option<Vec<u8>> {
        let name = entry_name(key);
        match self.read(&name, key) {
            Ok(code) => Some(code),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let path = self.path().join(&name);
                tracing::warn!(path = %path.display(), %error, "compiled code is not used; the plugin is compiled again");
                // Fails on a read-only disk: then it is said again at the next start.
                self.folder.remove(&name);
                None
            }
        }
    }

    fn read(&self, name: &str, key: &Digest) -> io::Result<Vec<u8>> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
        let (mut file, bytes) = self.folder.entry(name)?;
        if !(HEADER as u64..=MOST_ENTRY_BYTES).contains(&bytes) {
            return Err(invalid("its size is wrong"));
        }
        let mut head = [0; HEADER];
        file.read_exact(&mut head)?;
        let length = bytes - HEADER as u64;
        // One byte more than there should be, to notice that there is.
        let mut code = Vec::with_capacity(length as usize + 1);
        Read::by_ref(&mut file)
            .take(length + 1)
            .read_to_end(&mut code)?;
        // What it must begin with, whatever it says of itself.
        if head != header(key, &code) {
            return Err(invalid("it is damaged, or of another plugin or version"));
        }
        self.folder.used(&file);
        Ok(code)
    }

    /// Writes an entry, whole or not at all, and removes those used least recently if there is too much.
    pub(super) fn put(&self, key: &Digest, code: &[u8]) -> io::Result<()> {
        if (HEADER + code.len()) as u64 > MOST_ENTRY_BYTES.min(self.folder.most_bytes) {
            return Ok(());
        }
        self.folder
            .put(&entry_name(key), &[&header(key, code), code])
    }
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
