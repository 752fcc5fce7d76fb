//! /proc/net/dev.

use crate::exclude::Exclude;
use crate::point::{About, Point, number};

macro_rules! counters {
    ($($what:literal)*) => {
        [$(About::counter(
            concat!("node_network_", $what, "_total"),
            concat!("Network device statistic ", $what, "."),
            &["device"],
        )),*]
    };
}

/// In the order of the columns.
pub(crate) const FAMILIES: [About; 16] = counters!(
    "receive_bytes" "receive_packets" "receive_errs" "receive_drop"
    "receive_fifo" "receive_frame" "receive_compressed" "receive_multicast"
    "transmit_bytes" "transmit_packets" "transmit_errs" "transmit_drop"
    "transmit_fifo" "transmit_colls" "transmit_carrier" "transmit_compressed"
);

pub(crate) fn read(text: &str, exclude: &Exclude) -> Result<Vec<Point>, String> {
    let mut lines = text.lines();
    let heads = [lines.next(), lines.next()].map(Option::unwrap_or_default);
    if !heads[0].starts_with("Inter-|") || !heads[1].contains("|bytes") {
        return Err("it has not the head of /proc/net/dev".to_owned());
    }
    let mut points = Vec::new();
    for line in lines {
        // A name may have colons, and a figure may follow it without a blank.
        let (device, figures) = line
            .rsplit_once(':')
            .ok_or_else(|| format!("{line:?} is no device"))?;
        let device = device.trim();
        if exclude.has(device) {
            continue;
        }
        let figures: Vec<&str> = figures.split_whitespace().collect();
        if figures.len() != FAMILIES.len() {
            return Err(format!(
                "{device}: {} columns, not {}",
                figures.len(),
                FAMILIES.len()
            ));
        }
        for (about, word) in FAMILIES.iter().zip(figures) {
            let value = number(word).map_err(|error| format!("{device}: {error}"))?;
            points.push(Point::new(about.name, &[device], value));
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::value;

    const HEAD: &str = "Inter-|   Receive                                                |  Transmit\n face |bytes    \
        packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

    fn read_with(lines: &str, exclude: &str) -> Result<Vec<Point>, String> {
        read(
            &format!("{HEAD}{lines}"),
            &Exclude::new(exclude).expect("a pattern"),
        )
    }

    #[test]
    fn every_column() {
        let lines = "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n eth0:1:10000000000 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        let points = read_with(lines, "").expect("a file");
        assert_eq!(points.len(), 32);
        for (about, wanted) in FAMILIES.iter().zip(1..) {
            assert_eq!(
                value(&points, about.name, &["eth0"]),
                Some(f64::from(wanted)),
                "{}",
                about.name
            );
        }
        let alias = value(&points, "node_network_receive_bytes_total", &["eth0:1"]);
        assert_eq!(alias, Some(1e10));
        let points = read_with(lines, "^eth0:").expect("a file");
        assert_eq!(points.len(), 16);
    }

    #[test]
    fn other_files_are_told() {
        for lines in [
            "eth0 1\n",
            "eth0: 1 2\n",
            "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x\n",
        ] {
            assert!(read_with(lines, "").is_err(), "{lines:?}");
        }
        assert!(read("", &Exclude::new("").expect("none")).is_err());
        assert_eq!(read_with("", ""), Ok(Vec::new()), "no devices");
    }
}
