//! Files of the folders that the operator granted (`grants.dirs`). Needs the feature `files`.

use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

pub use crate::peer::PeerError;

/// How much is asked for at a time, in bytes.
const CHUNK: u64 = 64 * 1024;

/// All of a file, by its absolute path as the grant's `guest` has it: `/proc/stat` in the folder `/proc`.
///
/// It is read to its end, whatever its length says: the kernel's files have none.
///
/// # Errors
/// [`PeerError::Denied`] if no folder that has the path is granted, or the exporter's user may not read it;
/// [`PeerError::Failed`] if it is not there.
pub fn read(path: &str) -> Result<Vec<u8>, PeerError> {
    let folders = preopens::get_directories();
    let found = nearest(folders.iter().map(|(_, name)| name.as_str()), path);
    let Some((number, below)) = found else {
        return Err(PeerError::Denied(format!(
            "{path}: no folder that has it is granted (grants.dirs)"
        )));
    };
    let explain = |code: ErrorCode| explain(path, code);
    let file = folders[number]
        .0
        .open_at(
            PathFlags::SYMLINK_FOLLOW,
            below,
            OpenFlags::empty(),
            DescriptorFlags::READ,
        )
        .map_err(explain)?;
    let mut bytes = Vec::new();
    loop {
        let (more, is_end) = file.read(CHUNK, bytes.len() as u64).map_err(explain)?;
        bytes.extend_from_slice(&more);
        if is_end || more.is_empty() {
            return Ok(bytes);
        }
    }
}

/// The same as text.
///
/// # Errors
/// Those of [`read`], and [`PeerError::Failed`] if it is not UTF-8.
pub fn read_text(path: &str) -> Result<String, PeerError> {
    let text = String::from_utf8(read(path)?);
    text.map_err(|_| PeerError::Failed(format!("{path}: not UTF-8")))
}

/// The innermost folder that a path is in, and the path within it.
fn nearest<'a>(folders: impl Iterator<Item = &'a str>, path: &'a str) -> Option<(usize, &'a str)> {
    let within = folders.enumerate().filter_map(|(number, folder)| {
        let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
        Some((number, rest.strip_prefix('/')?))
    });
    within.min_by_key(|(_, below)| below.len())
}

fn explain(path: &str, code: ErrorCode) -> PeerError {
    let text = match code {
        ErrorCode::Access | ErrorCode::NotPermitted => {
            let text = format!("{path}: may not be read (grants.dirs, or the exporter's user)");
            return PeerError::Denied(text);
        }
        ErrorCode::NoEntry => "there is no such file",
        ErrorCode::IsDirectory => "it is a folder",
        other => return PeerError::Failed(format!("{path}: {}", other.message())),
    };
    PeerError::Failed(format!("{path}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_folder_is_taken() {
        let find = |folders: &[&'static str], path| nearest(folders.iter().copied(), path);
        assert_eq!(find(&["/", "/proc"], "/proc/stat"), Some((1, "stat")));
        assert_eq!(
            find(&["/proc", "/"], "/etc/passwd"),
            Some((1, "etc/passwd"))
        );
        assert_eq!(find(&["/proc/"], "/proc/net/dev"), Some((0, "net/dev")));
        assert_eq!(
            find(&["/proc"], "/process"),
            None,
            "a name that begins alike"
        );
        assert_eq!(find(&["/proc"], "/proc"), None, "the folder itself");
        assert_eq!(find(&[], "/proc/stat"), None);
    }

    #[test]
    fn errors_name_the_file() {
        let missing = explain("/a", ErrorCode::NoEntry);
        assert_eq!(missing.to_string(), "/a: there is no such file");
        assert!(matches!(
            explain("/a", ErrorCode::Access),
            PeerError::Denied(_)
        ));
    }
}
