//! /proc/diskstats.

use crate::exclude::Exclude;
use crate::point::{About, Point, number};

/// node_exporter's: memory, images, diskettes, and partitions.
pub(crate) const EXCLUDE: &str = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";

/// The kernel's sectors, in bytes, whatever the disk's are.
const SECTOR: f64 = 512.0;

const DEVICE: &[&str] = &["device"];

const fn counter(name: &'static str, help: &'static str) -> About {
    About::counter(name, help, DEVICE)
}

/// In the order of the columns. What is called sectors stays sectors.
pub(crate) const FAMILIES: [About; 17] = [
    counter(
        "node_disk_reads_completed_total",
        "The total number of reads completed successfully.",
    ),
    counter(
        "node_disk_reads_merged_total",
        "The total number of reads merged.",
    ),
    counter(
        "node_disk_read_bytes_total",
        "The total number of bytes read successfully.",
    ),
    counter(
        "node_disk_read_time_seconds_total",
        "The total number of seconds spent by all reads.",
    ),
    counter(
        "node_disk_writes_completed_total",
        "The total number of writes completed successfully.",
    ),
    counter(
        "node_disk_writes_merged_total",
        "The number of writes merged.",
    ),
    counter(
        "node_disk_written_bytes_total",
        "The total number of bytes written successfully.",
    ),
    counter(
        "node_disk_write_time_seconds_total",
        "This is the total number of seconds spent by all writes.",
    ),
    About::gauge(
        "node_disk_io_now",
        "The number of I/Os currently in progress.",
        DEVICE,
    ),
    counter(
        "node_disk_io_time_seconds_total",
        "Total seconds spent doing I/Os.",
    ),
    counter(
        "node_disk_io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
    ),
    counter(
        "node_disk_discards_completed_total",
        "The total number of discards completed successfully.",
    ),
    counter(
        "node_disk_discards_merged_total",
        "The total number of discards merged.",
    ),
    counter(
        "node_disk_discarded_sectors_total",
        "The total number of sectors discarded successfully.",
    ),
    counter(
        "node_disk_discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
    ),
    counter(
        "node_disk_flush_requests_total",
        "The total number of flush requests completed successfully",
    ),
    counter(
        "node_disk_flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
    ),
];

/// What a column is multiplied by, and divided by: a division by 1000 is exact where a product with 0.001 is not.
const UNITS: [(f64, f64); FAMILIES.len()] = {
    const ONE: (f64, f64) = (1.0, 1.0);
    const BYTES: (f64, f64) = (SECTOR, 1.0);
    const SECONDS: (f64, f64) = (1.0, 1000.0);
    [
        ONE, ONE, BYTES, SECONDS, ONE, ONE, BYTES, SECONDS, ONE, SECONDS, SECONDS, ONE, ONE, ONE,
        SECONDS, ONE, SECONDS,
    ]
};

/// Columns that every kernel has; discards came with 4.18, flushes with 5.5.
const LEAST: usize = 11;

pub(crate) fn read(text: &str, exclude: &Exclude) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_major, _minor, device, columns @ ..] = words.as_slice() else {
            return Err(format!("{line:?} is no disk"));
        };
        if exclude.has(device) {
            continue;
        }
        if columns.len() < LEAST {
            return Err(format!("{device}: columns are missing"));
        }
        // Columns that newer kernels add have no names yet.
        for ((about, (times, per)), word) in FAMILIES.iter().zip(UNITS).zip(columns) {
            let value = number(word).map_err(|error| format!("{device}: {error}"))?;
            points.push(Point::new(about.name, &[device], value * times / per));
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::value;

    const FILE: &str = "   8       0 sda 25354637 34367663 1003346126 18492372 28444756 11134226 505697032 63877960 0 9653880 \
        82621804 68851 0 1925173784 11130 1555 1944\n   8       1 sda1 250 0 2000 36 0 0 0 0 0 36 36\n\
        7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n";

    fn default() -> Exclude {
        Exclude::new(EXCLUDE).expect("node_exporter's")
    }

    #[test]
    fn every_column_in_its_unit() {
        let points = read(FILE, &default()).expect("a file");
        let wanted = [
            25354637.0,
            34367663.0,
            1003346126.0 * 512.0,
            18492.372,
            28444756.0,
            11134226.0,
            505697032.0 * 512.0,
            63877.96,
            0.0,
            9653.88,
            82621.804,
            68851.0,
            0.0,
            1925173784.0,
            11.13,
            1555.0,
            1.944,
        ];
        assert_eq!(points.len(), wanted.len(), "{points:?}");
        for (about, wanted) in FAMILIES.iter().zip(wanted) {
            assert_eq!(
                value(&points, about.name, &["sda"]),
                Some(wanted),
                "{}",
                about.name
            );
        }
    }

    #[test]
    fn old_kernels_have_fewer_columns() {
        let points = read(FILE, &Exclude::new("^sda$").expect("a pattern")).expect("a file");
        assert_eq!(points.len(), 22);
        assert_eq!(
            value(&points, "node_disk_read_bytes_total", &["sda1"]),
            Some(1024000.0)
        );
        assert_eq!(
            value(&points, "node_disk_flush_requests_total", &["sda1"]),
            None
        );
    }

    #[test]
    fn the_devices_that_node_exporter_leaves_out() {
        let exclude = default();
        for device in [
            "ram0",
            "zram1",
            "loop12",
            "fd0",
            "hda1",
            "sda15",
            "vdb2",
            "xvda1",
            "nvme0n1p2",
        ] {
            assert!(exclude.has(device), "{device}");
        }
        for device in [
            "sda",
            "vda",
            "xvda",
            "nvme0n1",
            "md0",
            "dm-0",
            "mmcblk0p1",
            "sdaa1",
        ] {
            assert!(!exclude.has(device), "{device}");
        }
    }

    #[test]
    fn other_files_are_told() {
        for wrong in [
            "nonsense\n",
            "8 0 sda 1 2 3\n",
            "8 0 sda 1 2 3 4 5 6 7 8 9 10 x\n",
        ] {
            assert!(read(wrong, &default()).is_err(), "{wrong:?}");
        }
        assert_eq!(
            read("", &default()),
            Ok(Vec::new()),
            "a machine without disks"
        );
    }
}
