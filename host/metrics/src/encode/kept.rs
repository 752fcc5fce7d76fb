//! Text of families that do not change, kept from page to page.
//!
//! Much of a page is the same the next time: most limits, faults and states, most of what a machine says about itself. A
//! family that changes is another [`PageFamily`], and begins without text.
//!
//! [`PageFamily`]: crate::page::PageFamily

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Longer text is not kept: it would take as much memory as what it is rendered from.
const MOST: usize = 8 << 10;

/// Which text of a family it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Format 0.0.4.
    Text,
    /// OpenMetrics, and what the rest of the page decides about it: whether it has its suffix, and `_created` lines.
    OpenMetrics { suffix: bool, created: bool },
}

/// What was rendered of one family; made when it is rendered for the second time.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    was_rendered: AtomicBool,
    text: OnceLock<Box<[u8]>>,
    openmetrics: OnceLock<(Key, Box<[u8]>)>,
}

/// A family that is cloned is about to change.
impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Kept {
    pub(super) fn get(&self, key: Key) -> Option<&[u8]> {
        match key {
            Key::Text => self.text.get().map(|text| &**text),
            Key::OpenMetrics { .. } => {
                let (of, text) = self.openmetrics.get()?;
                (*of == key).then_some(text)
            }
        }
    }

    /// Takes note of a text that was rendered, and keeps it from the second time on.
    pub(super) fn offer(&self, key: Key, text: &[u8]) {
        if !self.was_rendered.swap(true, Relaxed) || text.len() > MOST {
            return;
        }
        // Whoever is first keeps it; the others have rendered the same.
        match key {
            Key::Text => drop(self.text.set(text.into())),
            Key::OpenMetrics { .. } => drop(self.openmetrics.set((key, text.into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_second_time_on() {
        let kept = Kept::default();
        let created = Key::OpenMetrics {
            suffix: true,
            created: true,
        };
        kept.offer(Key::Text, b"a");
        assert_eq!(kept.get(Key::Text), None);
        kept.offer(Key::Text, b"a");
        kept.offer(created, b"b");
        assert_eq!(kept.get(Key::Text), Some(b"a".as_slice()));
        assert_eq!(kept.get(created), Some(b"b".as_slice()));
        let other = Key::OpenMetrics {
            suffix: true,
            created: false,
        };
        assert_eq!(kept.get(other), None);
        assert_eq!(kept.clone().get(Key::Text), None);
        let long = Kept::default();
        (0..2).for_each(|_| long.offer(Key::Text, &[b'x'; MOST + 1]));
        assert_eq!(long.get(Key::Text), None);
    }
}
