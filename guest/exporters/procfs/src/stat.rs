//! The lines of /proc/stat that are no processors.

use crate::point::{About, Point, number};

const LINES: [&str; 6] = [
    "intr",
    "ctxt",
    "processes",
    "btime",
    "procs_running",
    "procs_blocked",
];

/// In the order of the lines.
pub(crate) const FAMILIES: [About; 6] = [
    About::counter(
        "node_intr_total",
        "Total number of interrupts serviced.",
        &[],
    ),
    About::counter(
        "node_context_switches_total",
        "Total number of context switches.",
        &[],
    ),
    About::counter("node_forks_total", "Total number of forks.", &[]),
    About::gauge(
        "node_boot_time_seconds",
        "Node boot time, in unixtime.",
        &[],
    ),
    About::gauge(
        "node_procs_running",
        "Number of processes in runnable state.",
        &[],
    ),
    About::gauge(
        "node_procs_blocked",
        "Number of processes blocked waiting for I/O to complete.",
        &[],
    ),
];

pub(crate) fn read(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default();
        if let Some(place) = LINES.iter().position(|it| *it == key) {
            // Of interrupts the sum comes first.
            let value = number(words.next().unwrap_or_default());
            let value = value.map_err(|error| format!("{key}: {error}"))?;
            points.push(Point::new(FAMILIES[place].name, &[], value));
        }
    }
    if points.is_empty() {
        return Err("it has none of the lines of /proc/stat".to_owned());
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::value;

    #[test]
    fn every_line() {
        let text = "cpu  1 2 3 4\nintr 8885917 17 0 0\nctxt 38014093\nbtime 1418183276\nprocesses 26442\n\
                    procs_running 2\nprocs_blocked 1\nsoftirq 5057579 250191\n";
        let points = read(text).expect("a file");
        for (family, wanted) in [
            ("node_intr_total", 8885917.0),
            ("node_context_switches_total", 38014093.0),
            ("node_forks_total", 26442.0),
            ("node_boot_time_seconds", 1418183276.0),
            ("node_procs_running", 2.0),
            ("node_procs_blocked", 1.0),
        ] {
            assert_eq!(value(&points, family, &[]), Some(wanted), "{family}");
        }
        assert_eq!(points.len(), 6);
    }

    #[test]
    fn other_files_are_told() {
        assert!(read("").is_err());
        let error = read("ctxt many\n").expect_err("no number");
        assert_eq!(error, "ctxt: \"many\" is no number");
    }
}
