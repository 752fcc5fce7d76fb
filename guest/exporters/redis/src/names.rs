//! Names, types and help texts as redis_exporter has them.

use meterbox_plugin::Desc;

use crate::fields::FIELDS;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Info,
}

use Kind::{Counter, Gauge, Info};

/// A family with a help text of its own.
pub(crate) struct Labelled {
    pub(crate) name: &'static str,
    kind: Kind,
    help: &'static str,
    labels: &'static [&'static str],
}

const fn labelled(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    labels: &'static [&'static str],
) -> Labelled {
    Labelled {
        name,
        kind,
        help,
        labels,
    }
}

const REPLICA: &[&str] = &["slave_ip", "slave_port", "slave_state"];
const MASTER: &[&str] = &["master_host", "master_port"];

/// What `instance_info` tells, in the order of its labels; each is a field of INFO.
pub(crate) const INSTANCE: &[&str] = &[
    "role",
    "redis_version",
    "redis_build_id",
    "redis_mode",
    "os",
    "maxmemory_policy",
    "tcp_port",
    "run_id",
    "process_id",
];

pub(crate) const LABELLED: &[Labelled] = &[
    labelled("up", Gauge, "Information about the Redis instance", &[]),
    labelled(
        "exporter_last_scrape_error",
        Gauge,
        "The last scrape error status.",
        &["err"],
    ),
    labelled(
        "instance_info",
        Info,
        "Information about the Redis instance",
        INSTANCE,
    ),
    labelled(
        "start_time_seconds",
        Gauge,
        "Start time of the Redis instance since unix epoch in seconds.",
        &[],
    ),
    labelled(
        "commands_total",
        Counter,
        "Total number of calls per command",
        &["cmd"],
    ),
    labelled(
        "commands_duration_seconds_total",
        Counter,
        "Total amount of time in seconds spent per command",
        &["cmd"],
    ),
    labelled(
        "commands_rejected_calls_total",
        Counter,
        "Total number of errors within command execution per command",
        &["cmd"],
    ),
    labelled(
        "commands_failed_calls_total",
        Counter,
        "Total number of errors prior command execution per command",
        &["cmd"],
    ),
    labelled(
        "latest_fork_seconds",
        Gauge,
        "latest_fork_seconds metric",
        &[],
    ),
    labelled(
        "slave_info",
        Info,
        "Information about the Redis slave",
        &["master_host", "master_port", "read_only"],
    ),
    labelled(
        "errors_total",
        Counter,
        "Total number of errors per error type",
        &["err"],
    ),
    labelled("db_keys", Gauge, "Total number of keys by DB", &["db"]),
    labelled(
        "db_keys_expiring",
        Gauge,
        "Total number of expiring keys by DB",
        &["db"],
    ),
    labelled("db_avg_ttl_seconds", Gauge, "Avg TTL in seconds", &["db"]),
    labelled(
        "connected_slave_offset_bytes",
        Gauge,
        "Offset of connected slave",
        REPLICA,
    ),
    labelled(
        "connected_slave_lag_seconds",
        Gauge,
        "Lag of connected slave",
        REPLICA,
    ),
    labelled(
        "master_link_up",
        Gauge,
        "Master link status on Redis slave",
        MASTER,
    ),
    labelled(
        "master_last_io_seconds_ago",
        Gauge,
        "Master last io seconds ago",
        MASTER,
    ),
    labelled(
        "master_sync_in_progress",
        Gauge,
        "Master sync in progress",
        MASTER,
    ),
    labelled(
        "slave_repl_offset",
        Gauge,
        "Slave replication offset",
        MASTER,
    ),
];

/// Every family, by its name without `redis_`.
pub(crate) fn descs() -> impl Iterator<Item = (&'static str, Kind, Desc)> {
    let labelled = LABELLED
        .iter()
        .map(|it| (it.name, it.kind, it.help.to_owned(), it.labels));
    let fields = FIELDS
        .iter()
        .map(|(_, name, kind)| (*name, *kind, format!("{name} metric"), [].as_slice()));
    labelled.chain(fields).map(|(name, kind, help, labels)| {
        let make = match kind {
            Counter => Desc::counter,
            Gauge => Desc::gauge,
            Info => Desc::info,
        };
        (
            name,
            kind,
            make(format!("redis_{name}"), help).labels(labels),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_comes_twice() {
        let names: BTreeSet<_> = descs().map(|(name, ..)| name).collect();
        assert_eq!(names.len(), LABELLED.len() + FIELDS.len());
        let fields: BTreeSet<_> = FIELDS.iter().map(|(field, ..)| field).collect();
        assert_eq!(fields.len(), FIELDS.len());
    }
}
