//! Which files there are.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Files end in this.
const EXTENSION: &[u8] = b".prom";

/// The files of all folders that the patterns stand for, in order; and what could not be listed.
pub(super) fn list(patterns: &[PathBuf]) -> (Vec<PathBuf>, Vec<String>) {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    for folder in patterns.iter().flat_map(|pattern| expand(pattern)) {
        if !seen.insert(folder.clone()) {
            continue;
        }
        match files_of(&folder) {
            Ok(found) => files.extend(found),
            Err(error) => errors.push(format!("cannot list {}: {error}", folder.display())),
        }
    }
    (files, errors)
}

/// A pattern that fits nothing, or is none, is a folder: listing it will say what is wrong.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let found = pattern.to_str().and_then(|text| glob::glob(text).ok());
    let folders: Vec<PathBuf> = found.into_iter().flatten().flatten().collect();
    if folders.is_empty() {
        vec![pattern.to_owned()]
    } else {
        folders
    }
}

/// Ascending by name. Without `.` and double slashes, as the label `file` shows it.
fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let folder: PathBuf = folder.components().collect();
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name();
        if name.as_encoded_bytes().ends_with(EXTENSION) {
            files.push(folder.join(name));
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    #[test]
    fn patterns_stand_for_folders() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for file in ["a/2.prom", "a/1.prom", "a/1.txt", "b/.prom", "c/x.prom"] {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let listed = |patterns: &[&str]| {
            let patterns: Vec<_> = patterns.iter().map(|each| root.join(each)).collect();
            let (files, errors) = list(&patterns);
            let names = files.iter().map(|file| file.strip_prefix(root).unwrap());
            let names: Vec<_> = names.map(|name| name.display().to_string()).collect();
            (names.join(" "), errors)
        };
        // A folder that is listed twice is read once.
        let (names, errors) = listed(&["[ab]", ".//a/", "c"]);
        assert_eq!(names, "a/1.prom a/2.prom b/.prom c/x.prom");
        assert_eq!(errors, [""; 0]);
        for nothing in ["d", "d*", "a[", "a/1.txt"] {
            let (names, errors) = listed(&["c", nothing]);
            assert_eq!(names, "c/x.prom");
            assert_eq!(errors.len(), 1, "{nothing}: {errors:?}");
            assert!(errors[0].contains(nothing), "{errors:?}");
        }
    }
}
