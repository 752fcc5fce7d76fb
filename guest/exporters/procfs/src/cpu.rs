//! The processors of /proc/stat.

use std::collections::BTreeMap;

use crate::point::{About, Point, number};

/// The kernel's clock ticks in a second, as user space sees them on every architecture of today.
const TICKS: f64 = 100.0;

/// If a processor's idle time falls by more than this, in seconds, it was taken out and put in again.
const REPLACED: f64 = 3.0;

const SECONDS: &str = "node_cpu_seconds_total";
const GUEST_SECONDS: &str = "node_cpu_guest_seconds_total";

pub(crate) const FAMILIES: [About; 2] = [
    About::counter(
        SECONDS,
        "Seconds the CPUs spent in each mode.",
        &["cpu", "mode"],
    ),
    About::counter(
        GUEST_SECONDS,
        "Seconds the CPUs spent in guests (VMs) for each mode.",
        &["cpu", "mode"],
    ),
];

/// In the order of the line, each with its family.
const MODES: [(&str, &str); 10] = [
    (SECONDS, "user"),
    (SECONDS, "nice"),
    (SECONDS, "system"),
    (SECONDS, "idle"),
    (SECONDS, "iowait"),
    (SECONDS, "irq"),
    (SECONDS, "softirq"),
    (SECONDS, "steal"),
    (GUEST_SECONDS, "user"),
    (GUEST_SECONDS, "nice"),
];
const IDLE: usize = 3;

type Times = [f64; MODES.len()];

/// What was shown last. The kernel's figures step back at times, iowait by its own documentation; counters must not.
#[derive(Debug, Default)]
pub(crate) struct Cpus(BTreeMap<String, Times>);

impl Cpus {
    pub(crate) fn read(&mut self, text: &str) -> Result<Vec<Point>, String> {
        let mut now = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let Some(cpu) = words.next().and_then(|word| word.strip_prefix("cpu")) else {
                continue;
            };
            // The line without a number is the sum of the others.
            if !cpu.is_empty() {
                let times = times(words).map_err(|error| format!("cpu{cpu}: {error}"))?;
                now.insert(cpu.to_owned(), self.never_less(cpu, times));
            }
        }
        if now.is_empty() {
            return Err("it has no processors".to_owned());
        }
        self.0 = now;
        let points = self.0.iter().flat_map(|(cpu, times)| {
            let modes = MODES.iter().zip(times);
            modes.map(move |((family, mode), time)| Point::new(family, &[cpu, mode], *time))
        });
        Ok(points.collect())
    }

    fn never_less(&self, cpu: &str, mut times: Times) -> Times {
        let Some(last) = self.0.get(cpu) else {
            return times;
        };
        if last[IDLE] - times[IDLE] < REPLACED {
            for (time, last) in times.iter_mut().zip(last) {
                *time = time.max(*last);
            }
        }
        times
    }
}

/// In seconds. Old kernels have fewer columns.
fn times<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Times, String> {
    let mut times = Times::default();
    for (place, time) in times.iter_mut().enumerate() {
        match words.next() {
            Some(word) => *time = number(word)? / TICKS,
            None if place > IDLE => break,
            None => return Err("columns are missing".to_owned()),
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::value;

    const STAT: &str = "cpu  301854 612 111922 8979004 3552 2 3944 0 0 0\n\
                        cpu0 44490 19 21045 1087069 220 1 3410 7 8 9\ncpu12 47869 23 16474 1110787\nintr 8885917\n";

    fn seconds(points: &[Point], cpu: &str, mode: &str) -> Option<f64> {
        value(points, SECONDS, &[cpu, mode])
    }

    #[test]
    fn ticks_are_seconds() {
        let points = Cpus::default().read(STAT).expect("a file");
        assert_eq!(points.len(), 20);
        for (mode, wanted) in [
            ("user", 444.9),
            ("nice", 0.19),
            ("system", 210.45),
            ("idle", 10870.69),
            ("iowait", 2.2),
            ("irq", 0.01),
            ("softirq", 34.1),
            ("steal", 0.07),
        ] {
            assert_eq!(seconds(&points, "0", mode), Some(wanted), "{mode}");
        }
        assert_eq!(value(&points, GUEST_SECONDS, &["0", "user"]), Some(0.08));
        assert_eq!(value(&points, GUEST_SECONDS, &["0", "nice"]), Some(0.09));
        assert_eq!(seconds(&points, "12", "idle"), Some(11107.87));
        assert_eq!(seconds(&points, "12", "steal"), Some(0.0), "an old kernel");
    }

    #[test]
    fn a_step_back_is_not_shown() {
        let mut cpus = Cpus::default();
        let mut read = |text| cpus.read(text).expect("a file");
        read("cpu0 100 0 0 1000 50\n");
        let points = read("cpu0 110 0 0 990 40\n");
        assert_eq!(seconds(&points, "0", "user"), Some(1.1));
        assert_eq!(seconds(&points, "0", "idle"), Some(10.0));
        assert_eq!(seconds(&points, "0", "iowait"), Some(0.5));
        // Taken out and put in again.
        let points = read("cpu0 1 0 0 2 3\n");
        assert_eq!(seconds(&points, "0", "user"), Some(0.01));
        assert_eq!(seconds(&points, "0", "idle"), Some(0.02));
    }

    #[test]
    fn other_files_are_told() {
        for wrong in ["", "cpu  1 2 3 4\n", "cpu0 1 2 3\n", "cpu0 1 2 3 x\n"] {
            assert!(Cpus::default().read(wrong).is_err(), "{wrong:?}");
        }
    }
}
