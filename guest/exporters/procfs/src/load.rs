//! /proc/loadavg.

use crate::point::{About, Point};

pub(crate) const FAMILIES: [About; 3] = [
    About::gauge("node_load1", "1m load average.", &[]),
    About::gauge("node_load5", "5m load average.", &[]),
    About::gauge("node_load15", "15m load average.", &[]),
];

pub(crate) fn read(text: &str) -> Result<Vec<Point>, String> {
    let mut words = text.split_whitespace();
    let points = FAMILIES.iter().map(|about| {
        let word = words.next().unwrap_or_default();
        let load = word.parse();
        let load = load.map_err(|_| format!("{word:?} is no load average"))?;
        Ok(Point::new(about.name, &[], load))
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::value;

    #[test]
    fn three_averages() {
        let points = read("0.21 0.37 10.39 1/719 19737\n").expect("a file");
        assert_eq!(value(&points, "node_load1", &[]), Some(0.21));
        assert_eq!(value(&points, "node_load5", &[]), Some(0.37));
        assert_eq!(value(&points, "node_load15", &[]), Some(10.39));
        for wrong in ["", "0.21 0.37", "a b c"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
