//! `meminfo`: the machine's memory figures, read once for a scrape.

use std::{fs::File, io::Read, sync::OnceLock};

use wasmtime::Result;

use crate::engine::{
    State,
    bindings::meminfo::{Entry, Host},
};

/// Where Linux keeps them.
const PATH: &str = "/proc/meminfo";

/// No kernel writes this much; what is longer is not that file.
const MOST_BYTES: u64 = 1 << 20;

/// One reading, made when the first plugin asks and shared by all that ask on behalf of the same scrape.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    entries: OnceLock<Result<Vec<Line>, String>>,
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    value: f64,
    is_bytes: bool,
}

impl Host for State {
    fn read(&mut self) -> Result<Result<Vec<Entry>, String>> {
        let name = &self.identity.name;
        if !self.identity.grants.meminfo {
            return Ok(Err(format!(
                "plugin {name:?} is not granted meminfo; to allow it, write grants.meminfo = true \
                 under [plugins.{name}]"
            )));
        }
        let lines = self
            .meminfo
            .entries
            .get_or_init(read)
            .as_ref()
            .map_err(String::clone);
        Ok(lines.map(|lines| lines.iter().map(Entry::from).collect()))
    }
}

impl From<&Line> for Entry {
    fn from(line: &Line) -> Self {
        Self {
            name: line.name.clone(),
            value: line.value,
            is_bytes: line.is_bytes,
        }
    }
}

fn read() -> Result<Vec<Line>, String> {
    let mut text = String::new();
    // Read to the end: the file says that its size is 0.
    File::open(PATH)
        .and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
        .map_err(|error| format!("the host cannot read {PATH}: {error}"))?;
    parse(&text).map_err(|line| format!("the host does not understand a line of {PATH}: {line:?}"))
}

/// Every line, whatever its name; kB are 1024 bytes. On failure the line that cannot be understood.
fn parse(text: &str) -> Result<Vec<Line>, &str> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| parse_line(line).ok_or(line)).collect()
}

fn parse_line(line: &str) -> Option<Line> {
    let (name, rest) = line.split_once(':')?;
    let mut words = rest.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let (value, is_bytes) = match (words.next(), words.next()) {
        (None, None) => (number, false),
        (Some("kB"), None) => (number * 1024.0, true),
        _ => return None,
    };
    Some(Line {
        name: name.trim().to_owned(),
        value,
        is_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, value: f64, is_bytes: bool) -> Line {
        Line {
            name: name.to_owned(),
            value,
            is_bytes,
        }
    }

    #[test]
    fn every_line_with_its_unit() {
        let text =
            "MemTotal:       16384000 kB\n\nActive(anon):        3 kB\nHugePages_Total:       7\n";
        let wanted = vec![
            line("MemTotal", 16_777_216_000.0, true),
            line("Active(anon)", 3072.0, true),
            line("HugePages_Total", 7.0, false),
        ];
        assert_eq!(parse(text), Ok(wanted));
    }

    #[test]
    fn a_strange_line_is_an_error_that_shows_it() {
        for bad in [
            "MemTotal 5 kB",
            "MemTotal: five kB",
            "MemTotal: 5 MB",
            "MemTotal:",
            "A: 1 kB x",
        ] {
            assert_eq!(parse(bad), Err(bad));
        }
    }

    #[test]
    fn this_machine_has_all_lines() {
        let text = std::fs::read_to_string(PATH).expect("Linux");
        let lines = read().expect("readable");
        assert_eq!(lines.len(), text.lines().count());
        assert!(
            lines
                .iter()
                .any(|line| line.name == "MemTotal" && line.is_bytes)
        );
    }
}
