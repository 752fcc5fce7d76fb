//! Any text as a config: no panic, errors that say where, and what is taken can be checked again.

use std::path::Path;

use arbitrary::Unstructured;

use super::{Config, ConfigError};

const HEADS: [&str; 9] = [
    "[web]",
    "[limits]",
    "[state]",
    "[textfile]",
    "[plugins.a]",
    "[plugins.\"a b\"]",
    "[plugins.a.limits]",
    "[plugins.a.config]",
    "[[plugins]]",
];

const KEYS: [&str; 19] = [
    "source",
    "routes",
    "timeout",
    "labels",
    "prefix",
    "grants",
    "config",
    "limits",
    "memory",
    "compile-time",
    "quarantine-after",
    "listen-addresses",
    "metrics-path",
    "read-timeout",
    "max-connections-per-peer",
    "created-lines",
    "directory",
    "directories",
    "\"\"",
];

const VALUES: [&str; 20] = [
    "\"/a\"",
    "[\"/a\", \"/a\"]",
    "[\"127.0.0.1:0\"]",
    "\"5s\"",
    "\"0s\"",
    "\"-1ms\"",
    "\"99999999999999999999h\"",
    "\"1MiB\"",
    "\"99999999999GiB\"",
    "\"1.5KiB\"",
    "\"\"",
    "\"\\u0000\\n\"",
    "0",
    "-9223372036854775808",
    "9223372036854775807",
    "nan",
    "true",
    "{ a = \"1\", b = { c = [] } }",
    "{ meminfo = true }",
    "1979-05-27T07:32:00Z",
];

/// Reads the bytes as a config, and makes a config of keys and values out of them.
pub fn config(data: &[u8]) {
    read(&String::from_utf8_lossy(data));
    read(&made(&mut Unstructured::new(data)));
}

fn made(u: &mut Unstructured<'_>) -> String {
    let mut text = String::new();
    while !u.is_empty() && text.len() < 2_000 {
        let (Ok(head), Ok(key), Ok(value)) = (u.choose(&HEADS), u.choose(&KEYS), u.choose(&VALUES))
        else {
            break;
        };
        if u.ratio(1, 3).unwrap_or_default() {
            text.push_str(&format!("{head}\n"));
        }
        text.push_str(&format!("{key} = {value}\n"));
    }
    text
}

fn read(text: &str) {
    match Config::parse(text, "any.toml", Path::new("/base")) {
        Ok(config) => config.check().expect("it was checked before"),
        Err(ConfigError::Invalid { place, problem }) => {
            assert!(!problem.is_empty(), "it does not say why");
            assert_eq!(place.origin.as_deref(), Some("any.toml"));
            let line = place.line.expect("it does not say where");
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
        }
        Err(other) => panic!("nothing is read from a file: {other}"),
    }
}
