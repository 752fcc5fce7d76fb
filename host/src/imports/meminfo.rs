//! `meminfo`: the machine's memory figures, read once for a scrape.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Arc, OnceLock},
};

use wasmtime::{Result, StoreContextMut, component::Linker};

use crate::{
    config::Grant,
    engine::{Identity, State, bindings::meminfo::Entry},
};

const INTERFACE: &str = "meterbox:plugin/meminfo@0.1.0";

/// Where Linux keeps them.
const PATH: &str = "/proc/meminfo";

/// No kernel writes this much; what is longer is not that file.
const MOST_BYTES: usize = 1 << 20;

/// More than it usually has.
const TYPICAL_BYTES: usize = 4 << 10;

/// One reading, made when the first plugin asks and shared by all that ask on behalf of the same scrape.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    entries: OnceLock<Result<Arc<[Entry]>, String>>,
}

/// Links the interface. Not through its generated trait, which would have each plugin's answer copied before it is written
/// into the guest.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.func_wrap("read", |mut store: StoreContextMut<'_, State>, (): ()| {
        store.data_mut().meter.host_call()?;
        Ok((store.data().memory_figures(),))
    })
}

impl State {
    fn memory_figures(&self) -> Result<Arc<[Entry]>, String> {
        let Identity { name, grants, .. } = &*self.identity;
        if !grants.has(Grant::Meminfo) {
            let remedy = format!("write grants.meminfo = true under [plugins.{name}]");
            grants.deny(Grant::Meminfo, &"the figures of the machine", &remedy);
            return Err(format!(
                "plugin {name:?} is not granted meminfo; to allow it, {remedy}"
            ));
        }
        grants.used(Grant::Meminfo);
        self.meminfo.entries.get_or_init(read).clone()
    }
}

impl Reading {
    /// The figures of this text in place of the machine's; on failure the line that cannot be understood.
    pub(crate) fn given(text: &str) -> Result<Self, &str> {
        Ok(Self {
            entries: OnceLock::from(Ok(parse(text)?)),
        })
    }
}

fn read() -> Result<Arc<[Entry]>, String> {
    let text = text().map_err(|error| format!("the host cannot read {PATH}: {error}"))?;
    parse(&text).map_err(|line| format!("the host does not understand a line of {PATH}: {line:?}"))
}

/// What the file says now. It stays open: to open and close it costs as much as to read it.
fn text() -> io::Result<String> {
    static FILE: OnceLock<File> = OnceLock::new();
    let file = match FILE.get() {
        Some(file) => file,
        None => {
            let file = File::open(PATH)?;
            FILE.get_or_init(|| file)
        }
    };
    let mut text = Vec::with_capacity(TYPICAL_BYTES);
    // Read to the end: the file says that its size is 0.
    loop {
        let end = text.len();
        text.resize(end + TYPICAL_BYTES, 0);
        let length = file.read_at(&mut text[end..], end as u64)?;
        text.truncate(end + length);
        if length == 0 || text.len() >= MOST_BYTES {
            return String::from_utf8(text)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error));
        }
    }
}

/// Every line, whatever its name; kB are 1024 bytes. On failure the line that cannot be understood.
fn parse(text: &str) -> Result<Arc<[Entry]>, &str> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| parse_line(line).ok_or(line)).collect()
}

fn parse_line(line: &str) -> Option<Entry> {
    let (name, rest) = line.split_once(':')?;
    let mut words = rest.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let (value, is_bytes) = match (words.next(), words.next()) {
        (None, None) => (number, false),
        (Some("kB"), None) => (number * 1024.0, true),
        _ => return None,
    };
    Some(Entry {
        name: name.trim().to_owned(),
        value,
        is_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_with_its_unit() {
        let text =
            "MemTotal:       16384000 kB\n\nActive(anon):        3 kB\nHugePages_Total:       7\n";
        let entries = parse(text).expect("all can be understood");
        let lines: Vec<_> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.value, entry.is_bytes))
            .collect();
        let wanted = [
            ("MemTotal", 16_777_216_000.0, true),
            ("Active(anon)", 3072.0, true),
            ("HugePages_Total", 7.0, false),
        ];
        assert_eq!(lines, wanted);
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
            assert_eq!(parse(bad).err(), Some(bad));
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
