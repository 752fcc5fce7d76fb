//! The kernel's memory figures, for the gauges that every peer sets just before it renders.

use std::{fs::File, os::unix::fs::FileExt};

use anyhow::{Context, Result};

const PATH: &str = "/proc/meminfo";

thread_local! {
    /// Kept open: the kernel then formats the figures and does nothing else. Each thread has its own: those who share one
    /// wait for each other.
    static FILE: File = File::open(PATH).expect(PATH);
}

/// Which figure a gauge shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The line at this place: MemTotal, MemFree and MemAvailable come first in every kernel since 3.14.
    Line(usize),
    /// MemTotal less MemAvailable.
    Used,
}

/// Gauges of one peer, and where their figures come from.
pub struct Live<G> {
    gauges: Vec<(G, Figure)>,
    lines: usize,
}

impl<G> Live<G> {
    pub fn new(gauges: Vec<(G, Figure)>) -> Result<Self> {
        let last = gauges.iter().map(|(_, figure)| match figure {
            Figure::Line(line) => line + 1,
            Figure::Used => 3,
        });
        Ok(Self {
            lines: last.max().unwrap_or(0),
            gauges,
        })
    }

    /// Hands each gauge its figure of this moment, in bytes; does nothing where there are no gauges.
    pub fn refresh(&self, mut set: impl FnMut(&G, f64)) {
        if self.gauges.is_empty() {
            return;
        }
        let mut text = [0; 8 << 10];
        let length = FILE.with(|file| file.read_at(&mut text, 0)).unwrap_or(0);
        let lines = text[..length].split(|byte| *byte == b'\n');
        let figures: Vec<f64> = lines.take(self.lines).map(figure).collect();
        let line = |line: usize| figures.get(line).copied().unwrap_or(f64::NAN);
        for (gauge, figure) in &self.gauges {
            let value = match *figure {
                Figure::Line(place) => line(place),
                Figure::Used => line(0) - line(2),
            };
            set(gauge, value);
        }
    }
}

/// `MemFree:        22087508 kB` in bytes.
fn figure(line: &[u8]) -> f64 {
    let digits = line.iter().skip_while(|byte| **byte != b':').skip(1);
    let digits = digits.skip_while(|byte| **byte == b' ');
    let number = digits
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |number: u64, byte| number * 10 + u64::from(byte - b'0'));
    let unit = if line.ends_with(b" kB") { 1024 } else { 1 };
    (number * unit) as f64
}

/// The name of each line as node_exporter calls it, such as `Active_anon_bytes`.
pub fn names() -> Result<Vec<String>> {
    let text = std::fs::read_to_string(PATH).context(PATH)?;
    let name = |line: &str| {
        let name = line.split(':').next().unwrap_or(line);
        let name = name.replace('(', "_").replace(')', "");
        if line.ends_with(" kB") {
            name + "_bytes"
        } else {
            name
        }
    };
    Ok(text.lines().map(name).collect())
}
