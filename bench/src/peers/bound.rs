//! The bound: what is left of a scrape when everything else is left out.
//!
//! Each line's text up to its value is rendered at registration. A scrape copies it and formats an atomic, in pieces that
//! stay in the processor's cache. No lock, no check, no label that could come or go: no product can be this, and none can
//! be faster by much.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::Result;

use super::{Page, Peer};
use crate::{
    demo,
    meminfo::Live,
    workload::{Family, Kind, Series, Value, Workload},
};

/// Small enough for the second-level cache, large enough that a write to a socket is dear by its bytes alone.
pub const PIECE: usize = 128 << 10;

/// No line is longer.
const LINE: usize = 512;

#[derive(Default)]
struct Lines {
    /// Everything before the values, of one line after the other.
    prefixes: Vec<u8>,
    /// Where each line's prefix ends.
    ends: Vec<u32>,
    /// Floats, as bits.
    values: Vec<AtomicU64>,
}

pub struct Bound {
    lines: Lines,
    /// Gauges by line.
    memory: Live<usize>,
}

impl Bound {
    pub fn new(workload: Workload) -> Result<Self> {
        let mut lines = Lines::default();
        let mut memory = Vec::new();
        for family in workload.families()? {
            lines.push_head(&family);
            for series in family.iter() {
                if let Value::Memory(figure) = series.value {
                    memory.push((lines.ends.len(), figure));
                }
                lines.push_series(&family, &series);
            }
        }
        lines.prefixes.shrink_to_fit();
        lines.ends.shrink_to_fit();
        lines.values.shrink_to_fit();
        Ok(Self {
            lines,
            memory: Live::new(memory)?,
        })
    }

    /// What is read at the scrape.
    pub fn refresh(&self) {
        self.memory.refresh(|line, value| {
            self.lines.values[*line].store(value.to_bits(), Ordering::Relaxed);
        });
    }

    /// Appends lines from `line` on until `out` holds a piece; the line to go on with, or `None` after the last one.
    pub fn piece(&self, line: usize, out: &mut Vec<u8>) -> Option<usize> {
        let Lines {
            prefixes,
            ends,
            values,
        } = &self.lines;
        let mut start = line.checked_sub(1).map_or(0, |before| ends[before]) as usize;
        for (place, (end, value)) in ends[line..].iter().zip(&values[line..]).enumerate() {
            let end = *end as usize;
            if out.len() + (end - start) + LINE > PIECE {
                return Some(line + place);
            }
            out.extend_from_slice(&prefixes[start..end]);
            push_number(f64::from_bits(value.load(Ordering::Relaxed)), out);
            out.push(b'\n');
            start = end;
        }
        None
    }
}

impl Peer for Bound {
    fn render(&self, kept: &mut Vec<u8>) -> usize {
        self.refresh();
        kept.reserve(PIECE);
        let (mut bytes, mut next) = (0, Some(0));
        while let Some(line) = next {
            kept.clear();
            next = self.piece(line, kept);
            bytes += kept.len();
        }
        bytes
    }

    fn page(self: Arc<Self>) -> Page {
        self.refresh();
        let mut next = Some(0);
        Page::Pieces(Box::new(std::iter::from_fn(move || {
            let mut piece = Vec::with_capacity(PIECE);
            next = self.piece(next?, &mut piece);
            Some(piece)
        })))
    }
}

impl Lines {
    fn push_head(&mut self, family: &Family) {
        let Family {
            name, help, kind, ..
        } = family;
        let kind = kind.name();
        let head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self.prefixes.extend_from_slice(head.as_bytes());
    }

    fn push_series(&mut self, family: &Family, series: &Series) {
        let name = &family.name;
        let pairs = family.labels.iter().zip(&series.labels);
        let labels = pairs.map(|(name, value)| format!("{name}=\"{value}\""));
        let labels = labels.collect::<Vec<_>>().join(",");
        let with = |extra: String| match (labels.is_empty(), extra.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!("{{{labels}}}"),
            (true, false) => format!("{{{extra}}}"),
            (false, false) => format!("{{{labels},{extra}}}"),
        };
        let plain = with(String::new());
        let observations = match &series.value {
            Value::Number(number) => return self.push(&format!("{name}{plain}"), *number),
            Value::Memory(_) => return self.push(&format!("{name}{plain}"), 0.0),
            Value::Observations(observations) => observations,
        };
        let (count, sum) = (observations.len() as f64, observations.iter().sum());
        match family.kind {
            Kind::Histogram(bounds) => {
                for bound in bounds {
                    let below = observations.iter().filter(|value| *value <= bound).count();
                    let labels = with(format!("le=\"{bound}\""));
                    self.push(&format!("{name}_bucket{labels}"), below as f64);
                }
                let labels = with("le=\"+Inf\"".to_owned());
                self.push(&format!("{name}_bucket{labels}"), count);
            }
            Kind::Summary(quantiles) => {
                let mut sorted = observations.clone();
                sorted.sort_by(f64::total_cmp);
                for quantile in quantiles {
                    let labels = with(format!("quantile=\"{quantile}\""));
                    self.push(
                        &format!("{name}{labels}"),
                        demo::quantile(&sorted, *quantile),
                    );
                }
            }
            Kind::Counter | Kind::Gauge => {}
        }
        self.push(&format!("{name}_sum{plain}"), sum);
        self.push(&format!("{name}_count{plain}"), count);
    }

    fn push(&mut self, text: &str, value: f64) {
        self.prefixes.extend_from_slice(text.as_bytes());
        self.prefixes.push(b' ');
        self.ends.push(self.prefixes.len() as u32);
        self.values.push(AtomicU64::new(value.to_bits()));
    }
}

/// Whole numbers by the fast way that whole numbers have.
fn push_number(value: f64, out: &mut Vec<u8>) {
    let whole = value as u64;
    if whole as f64 == value {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else {
        out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }
}
