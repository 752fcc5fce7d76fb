//! What was pulled, kept under its digest: a restart needs no registry.

use std::{
    io::{self, Read},
    path::Path,
};

use super::signature::Proof;
use crate::{config::ContentDigest, folder::Folder};

const SUFFIX: &str = ".blob";
/// What the blobs of one folder may take together.
const MOST_BYTES: u64 = 2 << 30;

/// Of all signatures of one plugin.
const MOST_PROOFS_BYTES: u64 = 8 << 20;

fn proofs_name(digest: ContentDigest) -> String {
    format!("{}-signatures{SUFFIX}", digest.hex())
}

/// The folder `plugins` of the state directory. Several processes may share it.
#[derive(Debug)]
pub(super) struct Store {
    folder: Folder,
}

impl Store {
    /// Makes the folder if need be. An error says why nothing can be kept.
    pub(super) fn open(state: &Path) -> io::Result<Self> {
        let folder = Folder::open(state.join("plugins"), SUFFIX, MOST_BYTES)?;
        Ok(Self { folder })
    }

    /// The bytes of this digest. What is there and is not as it was written is removed, with a line in the log.
    pub(super) fn blob(&self, digest: ContentDigest, most: u64) -> Option<Vec<u8>> {
        let name = format!("{}{SUFFIX}", digest.hex());
        let bytes = self.read(&name, most)?;
        if ContentDigest::of(&bytes) == digest {
            return Some(bytes);
        }
        self.refuse(&name, &"it is damaged");
        None
    }

    /// Keeps these bytes under their digest.
    pub(super) fn keep(&self, bytes: &[u8]) {
        let name = format!("{}{SUFFIX}", ContentDigest::of(bytes).hex());
        self.write(&name, bytes);
    }

    /// The signatures that were kept of what has this digest. Whether they hold is for the keys to say.
    pub(super) fn proofs(&self, digest: ContentDigest) -> Vec<Proof> {
        let name = proofs_name(digest);
        let Some(bytes) = self.read(&name, MOST_PROOFS_BYTES) else {
            return Vec::new();
        };
        serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            self.refuse(&name, &error);
            Vec::new()
        })
    }

    /// Keeps signatures.
    pub(super) fn keep_proofs(&self, digest: ContentDigest, proofs: &[Proof]) {
        // Texts have no reason to fail.
        if let Ok(bytes) = serde_json::to_vec(proofs) {
            self.write(&proofs_name(digest), &bytes);
        }
    }

    fn read(&self, name: &str, most: u64) -> Option<Vec<u8>> {
        let read = || {
            let (file, bytes) = self.folder.entry(name)?;
            if bytes > most {
                return Err(io::Error::other("it is too large"));
            }
            let mut all = Vec::with_capacity(bytes as usize);
            (&file).take(most).read_to_end(&mut all)?;
            self.folder.used(&file);
            Ok(all)
        };
        match read() {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.refuse(name, &error);
                None
            }
        }
    }

    fn refuse(&self, name: &str, error: &dyn std::fmt::Display) {
        let path = self.folder.path().join(name);
        tracing::warn!(path = %path.display(), %error, "what was kept of a plugin is not used; it is pulled again");
        self.folder.remove(name);
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        if let Err(error) = self.folder.put(name, &[bytes]) {
            let folder = self.folder.path().display();
            tracing::warn!(%folder, %error, "what was pulled cannot be kept; the next start pulls it again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn gives_back_what_it_keeps_and_nothing_else() {
        let state = tempfile::tempdir().expect("a folder");
        let store = Store::open(state.path()).expect("a folder of our own");
        let digest = ContentDigest::of(b"some bytes");
        assert_eq!(store.blob(digest, 100), None);
        store.keep(b"some bytes");
        assert_eq!(store.blob(digest, 100).as_deref(), Some(&b"some bytes"[..]));
        let path = state.path().join(format!("plugins/{}.blob", digest.hex()));
        for damaged in [&b"some bytez"[..], b"some byte", b"some bytes!", b""] {
            fs::write(&path, damaged).expect("a disk");
            assert_eq!(store.blob(digest, 100), None);
            assert!(!path.exists(), "what is damaged goes");
            store.keep(b"some bytes");
        }
        assert_eq!(store.blob(digest, 3), None, "larger than may be");
    }
}
