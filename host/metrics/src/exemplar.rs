//! Exemplars: single events that a counter or a bucket counted, such as the trace of one slow request.
//!
//! A series without any takes no room for them. A counter keeps its last one, a histogram the last one of each bucket,
//! and one with sparse buckets a few more that lie apart from each other, as client_golang chooses them.

mod native;

use std::{collections::BTreeMap, sync::Arc};

use self::native::Spread;
use crate::{labels, name::is_legacy_label_name};

/// How many characters the labels may have, names and values together: the limit of OpenMetrics.
pub const MAX_EXEMPLAR_CHARS: usize = 128;

/// One event that a counter or a bucket counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Label text, as that of a series.
    pub(crate) labels: Box<[u8]>,
    /// What was observed, or by how much the counter grew.
    pub(crate) value: f64,
    /// Milliseconds since 1970; `None` until it is committed.
    pub(crate) timestamp_ms: Option<i64>,
}

/// Why something is no exemplar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExemplarError {
    /// It says nothing.
    #[error("an exemplar without labels says nothing")]
    Empty,
    /// A name that the formats cannot write.
    #[error("exemplar label name {0:?} is not [a-zA-Z_][a-zA-Z0-9_]*, or begins with __")]
    Name(String),
    /// A name comes twice.
    #[error("exemplar label {0:?} is there twice")]
    Duplicate(String),
    /// Too many characters.
    #[error(
        "exemplar labels have {0} characters, names and values together; at most {MAX_EXEMPLAR_CHARS} are allowed"
    )]
    Length(usize),
}

impl Exemplar {
    /// An exemplar with these labels. `value` is what was observed, or by how much a counter grew; `timestamp_ms` is when,
    /// in milliseconds since 1970, `None` for the time at which it is committed.
    ///
    /// # Errors
    ///
    /// No labels, a name that is no legacy label name (escaping does not reach exemplars), a name twice, or more than
    /// [`MAX_EXEMPLAR_CHARS`] characters.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(
        labels: &[(N, V)],
        value: f64,
        timestamp_ms: Option<i64>,
    ) -> Result<Self, ExemplarError> {
        let mut labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        if labels.is_empty() {
            return Err(ExemplarError::Empty);
        }
        let chars = |text: &str| text.chars().count();
        let length = labels.iter().map(|(n, v)| chars(n) + chars(v)).sum();
        if length > MAX_EXEMPLAR_CHARS {
            return Err(ExemplarError::Length(length));
        }
        let is_bad = |name: &str| !is_legacy_label_name(name) || name.starts_with("__");
        if let Some((name, _)) = labels.iter().find(|(name, _)| is_bad(name)) {
            return Err(ExemplarError::Name((*name).to_owned()));
        }
        labels.sort_by_key(|(name, _)| *name);
        if let Some(twice) = labels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(ExemplarError::Duplicate(twice[0].0.to_owned()));
        }
        let mut text = Vec::new();
        for (name, value) in labels {
            if !text.is_empty() {
                text.push(b',');
            }
            text.extend_from_slice(&labels::Template::matcher(name, value));
        }
        Ok(Self {
            labels: text.into(),
            value,
            timestamp_ms,
        })
    }
}

/// The exemplars of a block's series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exemplars {
    by_position: BTreeMap<u32, SeriesExemplars>,
    len: usize,
}

/// The exemplars of one series. Pages share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesExemplars {
    /// By bucket, ascending; a counter has the bucket 0.
    last: Vec<(u32, Arc<Exemplar>)>,
    native: Spread,
}

impl Exemplars {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, position: usize) -> Option<&SeriesExemplars> {
        self.by_position.get(&(position as u32))
    }

    /// Keeps one, which has a time, as the last one of its bucket, and perhaps among those of the sparse buckets. Without
    /// room it can only take the place of another one; what it takes of the room is subtracted.
    pub(crate) fn put(
        &mut self,
        position: usize,
        bucket: usize,
        is_native: bool,
        exemplar: Exemplar,
        room: &mut usize,
    ) {
        let there = self.get(position).and_then(|series| series.bucket(bucket));
        if *room == 0 && there.is_none() {
            return;
        }
        let series = self.by_position.entry(position as u32).or_default();
        let before = series.len();
        let exemplar = Arc::new(exemplar);
        // The last room is the bucket's.
        if is_native && (*room > 1 || series.native.is_full()) {
            series.native.put(Arc::clone(&exemplar));
        }
        series.put(bucket, exemplar);
        let grown = series.len() - before;
        self.len += grown;
        *room = room.saturating_sub(grown);
    }

    /// Forgets those of a series.
    pub(crate) fn remove(&mut self, position: usize) {
        let gone = self.by_position.remove(&(position as u32));
        self.len -= gone.map_or(0, |series| series.len());
    }

    /// Takes those of a series of another block.
    pub(crate) fn copy(&mut self, position: usize, from: Option<&SeriesExemplars>) {
        if let Some(from) = from {
            self.len += from.len();
            self.by_position.insert(position as u32, from.clone());
        }
    }
}

impl SeriesExemplars {
    fn len(&self) -> usize {
        self.last.len() + self.native.all().len()
    }

    /// Keeps it as the last one of its bucket.
    fn put(&mut self, bucket: usize, exemplar: Arc<Exemplar>) {
        let bucket = bucket as u32;
        match self.last.binary_search_by_key(&bucket, |entry| entry.0) {
            Ok(place) => self.last[place].1 = exemplar,
            Err(place) => self.last.insert(place, (bucket, exemplar)),
        }
    }

    /// The last one of a bucket.
    pub(crate) fn bucket(&self, bucket: usize) -> Option<&Exemplar> {
        let place = self
            .last
            .binary_search_by_key(&(bucket as u32), |entry| entry.0);
        Some(&self.last[place.ok()?].1)
    }

    /// Those of the sparse buckets, ascending by value.
    pub(crate) fn native(&self) -> &[Arc<Exemplar>] {
        self.native.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_escaped() {
        let exemplar = Exemplar::new(&[("trace_id", "a\"b\n"), ("span", "é")], 1.0, None);
        let labels = exemplar.map(|it| String::from_utf8_lossy(&it.labels).into_owned());
        assert_eq!(labels.as_deref(), Ok(r#"span="é",trace_id="a\"b\n""#));
    }

    #[test]
    fn refuses_what_no_reader_takes() {
        let error = |labels: &[(&str, &str)]| Exemplar::new(labels, 1.0, None).err();
        assert_eq!(error(&[]), Some(ExemplarError::Empty));
        for bad in ["", "1a", "my.label", "__name__", "a:b"] {
            assert_eq!(error(&[(bad, "x")]), Some(ExemplarError::Name(bad.into())));
        }
        let twice = error(&[("a", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(twice, Some(ExemplarError::Duplicate("a".into())));
        // Characters, not bytes.
        assert_eq!(error(&[("a", &"é".repeat(127))]), None);
        let long = error(&[("a", &"é".repeat(100)), ("b", &"x".repeat(27))]);
        assert_eq!(long, Some(ExemplarError::Length(129)));
    }
}
