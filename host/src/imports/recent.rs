//! The last lines that a plugin wrote, for pages.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use crate::config::LogLevel;

/// How many lines are kept, and how many characters of each.
const KEPT: usize = 50;
const LONGEST: usize = 500;

/// A line that a plugin wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogLine {
    /// When.
    pub time: SystemTime,
    /// Its level.
    pub level: LogLevel,
    /// `stdout` or `stderr`, if it was written there.
    pub stream: Option<&'static str>,
    /// Its text, as it was written, but for secrets; at most 500 characters.
    pub text: String,
    /// Bytes that were cut off.
    pub cut: usize,
}

impl LogLine {
    pub(crate) fn new(
        level: LogLevel,
        stream: Option<&'static str>,
        text: &str,
        cut: usize,
    ) -> Self {
        let end = text.char_indices().nth(LONGEST);
        let end = end.map_or(text.len(), |(end, _)| end);
        Self {
            time: SystemTime::now(),
            level,
            stream,
            text: text[..end].to_owned(),
            cut: cut + text.len() - end,
        }
    }
}

/// Those of one plugin, over all its instances.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<VecDeque<LogLine>>);

impl Recent {
    pub(super) fn add(&self, line: LogLine) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The newest first.
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_long_ones_cut() {
        let recent = Recent::default();
        for number in 0..KEPT + 2 {
            let text = format!("{number} {}", "é".repeat(LONGEST));
            recent.add(LogLine::new(LogLevel::Info, None, &text, 1));
        }
        let lines = recent.lines();
        assert_eq!(lines.len(), KEPT);
        assert!(lines[0].text.starts_with("51 ") && lines[KEPT - 1].text.starts_with("2 "));
        assert_eq!(lines[0].text.chars().count(), LONGEST);
        // Three characters of two bytes, and what was cut before.
        assert_eq!(lines[0].cut, 7);
    }
}
