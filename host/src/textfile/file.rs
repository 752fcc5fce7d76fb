//! One file: what it says, or why it is refused.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    time::{Duration, SystemTime},
};

use meterbox_metrics::{
    Desc, Sample,
    parse::{self, ParseError, ParsedFamily},
};

/// What a file says.
#[derive(Debug)]
pub(super) struct Content {
    /// Seconds since 1970, rounded towards zero as node_exporter shows it.
    pub(super) mtime: i64,
    pub(super) families: Vec<FileFamily>,
    /// What is left out though the file is read.
    pub(super) notes: Vec<Note>,
}

#[derive(Debug)]
pub(super) struct FileFamily {
    pub(super) desc: Desc,
    pub(super) samples: Vec<Sample>,
    pub(super) has_help: bool,
}

/// Something that is left out.
#[derive(Debug)]
pub(super) struct Note {
    /// One word for the `reason` label.
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// How to tell that a file was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file that was changed less than this before it was read may change again without a trace, since the clocks of file
/// systems are coarse.
const COARSE: Duration = Duration::from_secs(2);

/// Looks at a path without opening it. The error is a sentence about the file.
pub(super) fn look(path: &Path) -> Result<Metadata, String> {
    let found = path.metadata().map_err(|error| error.to_string())?;
    check(&found)?;
    Ok(found)
}

/// Opening anything else may wait for ever, or do something.
fn check(found: &Metadata) -> Result<(), String> {
    if found.is_file() {
        return Ok(());
    }
    Err("is not a regular file; write a file, and move it here when it is whole".to_owned())
}

impl Stamp {
    pub(super) fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    /// Whether a file with this stamp, read now, is known from now on by its stamp.
    pub(super) fn is_settled(found: &Metadata) -> bool {
        let Ok(modified) = found.modified() else {
            return false;
        };
        let now = SystemTime::now();
        let distance = now.duration_since(modified);
        distance.unwrap_or_else(|ahead| ahead.duration()) > COARSE
    }
}

/// Reads a file of at most `limit` bytes. The error is a sentence about the file.
pub(super) fn read(path: &Path, limit: u64) -> Result<Content, String> {
    let says = |error: std::io::Error| error.to_string();
    let file = open(path).map_err(says)?;
    // The path may lead elsewhere by now.
    let found = file.metadata().map_err(says)?;
    check(&found)?;
    let mut bytes = Vec::new();
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    let length = read.map_err(says)?;
    if length as u64 > limit {
        return Err(format!("has more than {limit} bytes; raise max-file-size"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        format!("line {}: it is not UTF-8", line(error.as_bytes(), place))
    })?;
    let (families, notes) = parse(&text)?;
    Ok(Content {
        mtime: found.mtime(),
        families,
        notes,
    })
}

/// Without waiting for a writer, should it be a pipe by now.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    options.open(path)
}

/// The line of a place, both counted as in errors of the parser.
fn line(text: &[u8], place: usize) -> usize {
    1 + text[..place].iter().filter(|byte| **byte == b'\n').count()
}

fn parse(text: &str) -> Result<(Vec<FileFamily>, Vec<Note>), String> {
    if let Ok(families) = parse::text(text) {
        return assemble(text, &families, |line| line);
    }
    // Scripts mix families and repeat themselves.
    let says = |error: ParseError| error.to_string();
    let tidy = parse::tidy(text).map_err(says)?;
    let families = parse::text(&tidy.text).map_err(|error| says(tidy.locate(error)))?;
    let (families, mut notes) = assemble(&tidy.text, &families, |line| tidy.line(line))?;
    notes.extend(tidy.repeated.iter().map(|line| Note {
        reason: "duplicate",
        message: format!(
            "line {line}: its series came before in this file, and the first one counts"
        ),
    }));
    Ok((families, notes))
}

fn assemble(
    text: &str,
    parsed: &[ParsedFamily<'_>],
    original: impl Fn(usize) -> usize,
) -> Result<(Vec<FileFamily>, Vec<Note>), String> {
    let mut timed = parsed.iter().flat_map(ParsedFamily::samples);
    if let Some(sample) = timed.find(|sample| sample.timestamp.is_some()) {
        let line = original(line(text.as_bytes(), sample.offset));
        return Err(format!(
            "line {line}: it has a timestamp, which text files cannot have; remove all of them"
        ));
    }
    let mut families = Vec::new();
    let mut notes = Vec::new();
    // One that is declared only is none yet.
    for family in parsed.iter().filter(|family| family.samples().len() > 0) {
        match family.assemble() {
            Ok((desc, samples)) => families.push(FileFamily {
                desc,
                samples,
                has_help: family.help.is_some(),
            }),
            Err(error) => notes.push(Note {
                reason: error.reason(),
                message: error.to_string(),
            }),
        }
    }
    Ok((families, notes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::fs;

    use super::*;

    fn refused(text: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.prom");
        fs::write(&path, text).unwrap();
        read(&path, 64).unwrap_err()
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, wanted) in [
            ("a 1\nb{x=\"1} 1\n".as_bytes(), "line 2, column 10: "),
            (b"a 1\na{x=\"1\"} 1 1000\n", "line 2: it has a timestamp"),
            (
                b"a 1\nb 1\na{x=\"1\"} 1 1000\n",
                "line 3: it has a timestamp",
            ),
            (b"a 1\n# HELP a \xff\n", "line 2: it is not UTF-8"),
            (&[b'\n'; 65], "has more than 64 bytes; raise max-file-size"),
            (b"a 1\nb 1", "line 2, column 4: "),
        ] {
            let said = refused(text);
            assert!(said.starts_with(wanted), "{said}");
        }
    }

    #[test]
    fn takes_what_scripts_write() {
        let text = "a 1\nb 1\na{x=\"1\"} 2\nb 2\n# TYPE c gauge\n# HELP a Late.\n";
        let (families, notes) = parse(text).unwrap();
        let names: Vec<_> = families
            .iter()
            .map(|family| {
                (
                    family.desc.name.as_str(),
                    family.samples.len(),
                    family.has_help,
                )
            })
            .collect();
        assert_eq!(names, [("a", 2, true), ("b", 1, false)]);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].message.starts_with("line 4: "), "{notes:?}");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let said = look(folder.path()).unwrap_err();
        assert!(said.starts_with("is not a regular file"), "{said}");
        assert!(look(&folder.path().join("gone")).is_err());
        // Opened all the same, as if it had changed in between: it does not hang.
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let said = read(&pipe, 64).unwrap_err();
        assert!(said.starts_with("is not a regular file"), "{said}");
    }
}
