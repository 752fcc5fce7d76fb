//! From a key to its line, and from a parser's complaint to its key.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{
    error::{ConfigError, Place, Problem, dotted},
    nearest::nearest,
};

/// The text of a config, for errors that point into it.
#[derive(Debug)]
pub(super) struct Locator<'a> {
    text: &'a str,
    origin: &'a str,
}

impl<'a> Locator<'a> {
    pub(super) fn new(text: &'a str, origin: &'a str) -> Self {
        Self { text, origin }
    }

    /// Says where the value stands that [`super::Config`] refused.
    pub(super) fn invalid(&self, problem: Problem) -> ConfigError {
        let line = DeTable::parse(self.text)
            .ok()
            .and_then(|document| offset_of(document.get_ref(), &problem.key))
            .map(|offset| self.line(offset));
        self.error(line, problem.dotted_key(), problem.text)
    }

    /// Says which key the parser stumbled over.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span();
        let key = match (&span, DeTable::parse(self.text)) {
            (Some(span), Ok(document)) => key_at(document.get_ref(), span),
            _ => Vec::new(),
        };
        let line = span.map(|span| self.line(span.start));
        self.error(line, dotted(&key), reword(error.message()))
    }

    fn error(&self, line: Option<usize>, key: String, problem: String) -> ConfigError {
        let place = Place {
            origin: Some(self.origin.to_owned()),
            line,
            key,
        };
        ConfigError::Invalid { place, problem }
    }

    fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + before.iter().filter(|b| **b == b'\n').count()
    }
}

/// Where the key is written, or as far on the way to it as the text goes.
fn offset_of(table: &DeTable<'_>, key: &[String]) -> Option<usize> {
    let (first, rest) = key.split_first()?;
    let (written, value) = table
        .iter()
        .find(|(k, _)| k.get_ref().as_ref() == first.as_str())?;
    let deeper = match value.get_ref() {
        DeValue::Table(table) => offset_of(table, rest),
        _ => None,
    };
    deeper.or(Some(written.span().start))
}

/// The innermost key whose name or value covers the span.
fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> Vec<String> {
    let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    for (key, value) in table {
        // A `[table]` spans its header only: its keys have to be asked first, whatever it covers itself.
        let mut path = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, span),
            _ => Vec::new(),
        };
        if !path.is_empty() || covers(key.span()) || covers(value.span()) {
            path.insert(0, key.get_ref().to_string());
            return path;
        }
    }
    Vec::new()
}

/// Says what serde says in the words of a config file.
fn reword(message: &str) -> String {
    let message = message.lines().collect::<Vec<_>>().join(", ");
    if let Some(rest) = message.strip_prefix("unknown field ") {
        // In backquotes: the key, and those that are known.
        let mut words = rest.split('`').skip(1).step_by(2);
        let word = words.next().unwrap_or_default();
        match nearest(word, words) {
            Some(meant) => format!("unknown key `{word}`; did you mean `{meant}`?"),
            None => format!("unknown key {rest}"),
        }
    } else if let Some(rest) = message.strip_prefix("missing field ") {
        format!("the key {rest} is missing")
    } else {
        message
    }
}
