//! What INFO says, as samples.

use std::collections::BTreeMap;

use crate::fields::FIELDS;
use crate::names::INSTANCE;

/// One sample: the family without `redis_`, its label values, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) family: &'static str,
    pub(crate) labels: Vec<String>,
    pub(crate) value: f64,
}

fn point(family: &'static str, labels: &[&str], value: f64) -> Point {
    Point {
        family,
        labels: labels.iter().map(ToString::to_string).collect(),
        value,
    }
}

/// Every figure of a reply to INFO that has a name. Databases without keys are not in it; of how many there are, those
/// are shown with 0.
pub(crate) fn points(info: &str, databases: usize) -> Vec<Point> {
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    let fields: BTreeMap<&str, &str> = lines.collect();
    let text = |key: &str| fields.get(key).copied().unwrap_or_default();
    let figure = |key: &str| number(text(key));

    let instance: Vec<&str> = INSTANCE.iter().map(|key| text(key)).collect();
    let mut points = vec![point("instance_info", &instance, 1.0)];
    for (key, family, _) in FIELDS {
        points.extend(figure(key).map(|value| point(family, &[], value)));
    }
    if let (Some(now), Some(uptime)) = (figure("server_time_usec"), figure("uptime_in_seconds")) {
        let start = (now / 1e6).floor() - uptime;
        points.push(point("start_time_seconds", &[], start));
    }
    let fork = figure("latest_fork_usec");
    points.extend(fork.map(|usec| point("latest_fork_seconds", &[], usec / 1e6)));
    for (key, value) in &fields {
        if let Some(command) = key.strip_prefix("cmdstat_") {
            command_points(&mut points, command, value);
        } else if let Some(error) = key.strip_prefix("errorstat_") {
            let count = part(value, "count");
            points.extend(count.map(|count| point("errors_total", &[error], count)));
        } else if is_numbered(key, "slave") {
            replica_points(&mut points, value);
        } else if is_numbered(key, "db") {
            database_points(&mut points, key, value);
        }
    }
    for database in (0..databases).map(|number| format!("db{number}")) {
        if !fields.contains_key(database.as_str()) {
            points.push(point("db_keys", &[&database], 0.0));
            points.push(point("db_keys_expiring", &[&database], 0.0));
        }
    }
    if text("role") == "slave" {
        let master = [text("master_host"), text("master_port")];
        let up = f64::from(text("master_link_status") == "up");
        points.push(point("master_link_up", &master, up));
        let info = [master[0], master[1], text("slave_read_only")];
        points.push(point("slave_info", &info, 1.0));
        for (key, family) in [
            ("master_last_io_seconds_ago", "master_last_io_seconds_ago"),
            ("master_sync_in_progress", "master_sync_in_progress"),
            ("slave_repl_offset", "slave_repl_offset"),
        ] {
            points.extend(figure(key).map(|value| point(family, &master, value)));
        }
    }
    points
}

/// `calls=21,usec=175,usec_per_call=8.33,rejected_calls=0,failed_calls=0`
fn command_points(points: &mut Vec<Point>, command: &str, value: &str) {
    for (key, family, scale) in [
        ("calls", "commands_total", 1.0),
        ("usec", "commands_duration_seconds_total", 1e6),
        ("rejected_calls", "commands_rejected_calls_total", 1.0),
        ("failed_calls", "commands_failed_calls_total", 1.0),
    ] {
        let figure = part(value, key);
        points.extend(figure.map(|figure| point(family, &[command], figure / scale)));
    }
}

/// `ip=10.254.11.1,port=6379,state=online,offset=1751844676,lag=0`
fn replica_points(points: &mut Vec<Point>, value: &str) {
    let labels = ["ip", "port", "state"].map(|key| text_part(value, key).unwrap_or_default());
    for (key, family) in [
        ("offset", "connected_slave_offset_bytes"),
        ("lag", "connected_slave_lag_seconds"),
    ] {
        points.extend(part(value, key).map(|figure| point(family, &labels, figure)));
    }
}

/// `keys=1,expires=0,avg_ttl=1500`
fn database_points(points: &mut Vec<Point>, database: &str, value: &str) {
    for (key, family, scale) in [
        ("keys", "db_keys", 1.0),
        ("expires", "db_keys_expiring", 1.0),
        ("avg_ttl", "db_avg_ttl_seconds", 1e3),
    ] {
        let figure = part(value, key);
        points.extend(figure.map(|figure| point(family, &[database], figure / scale)));
    }
}

/// Whether a key is this word and a number, such as `db0`.
fn is_numbered(key: &str, word: &str) -> bool {
    let number = key.strip_prefix(word);
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

fn text_part<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    let mut parts = value.split(',').filter_map(|part| part.split_once('='));
    parts.find(|(name, _)| *name == key).map(|(_, value)| value)
}

fn part(value: &str, key: &str) -> Option<f64> {
    number(text_part(value, key)?)
}

/// A figure; Redis has words for some.
fn number(text: &str) -> Option<f64> {
    match text {
        "ok" => Some(1.0),
        "err" | "fail" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

#[cfg(test)]
#[path = "info_tests.rs"]
mod tests;
