//! The status as JSON, in the frame that Prometheus's API has. docs/api.md has the shape.

use serde_json::{Value, json};

use super::{search, search::Found, show::unix};
use crate::status::PluginStatus;

/// All plugins, by name.
pub(super) fn plugins(all: &[PluginStatus]) -> Value {
    let all: Vec<_> = all.iter().map(summary).collect();
    success(json!({ "plugins": all }))
}

/// One plugin with all its lists.
pub(super) fn plugin(status: &PluginStatus, families: &Found) -> Value {
    let mut whole = summary(status);
    if let (Value::Object(whole), Value::Object(lists)) = (&mut whole, lists(status, families)) {
        whole.extend(lists);
    }
    success(whole)
}

/// There is no such plugin.
pub(super) fn not_found() -> Value {
    json!({
        "status": "error",
        "errorType": "not_found",
        "error": "the config that runs has no plugin of this name",
    })
}

fn success(data: Value) -> Value {
    json!({ "status": "success", "data": data })
}

fn summary(status: &PluginStatus) -> Value {
    let last = status.last_collect.zip(status.collects.last());
    let last = last.map(|(time, collect)| {
        json!({
            "timestampSeconds": unix(time),
            "durationSeconds": collect.duration.as_secs_f64(),
            "success": collect.success,
        })
    });
    json!({
        "name": status.name,
        "state": status.label(),
        "up": status.up,
        "error": status.error,
        "retryTimestampSeconds": status.retry.map(unix),
        "source": status.source.to_string(),
        "digest": some_text(&status.digest).map(|digest| format!("sha256:{digest}")),
        "sdk": status.sdk,
        "exports": status.exports,
        "intervalSeconds": status.interval.map(|interval| interval.as_secs_f64()),
        "logLevel": status.log_level.map(|level| level.label()),
        "routes": status.routes,
        "lastCollect": last,
        "collectSuccess": status.collect_success,
        "series": status.series,
        "memoryBytes": status.memory_bytes,
        "memoryLimitBytes": status.memory_limit_bytes,
        "cpuSecondsTotal": status.cpu.as_secs_f64(),
        "startDurationSeconds": status.start_duration.as_secs_f64(),
        "restartsTotal": status.restarts,
        "faultsTotal": status.faults_total,
    })
}

fn lists(status: &PluginStatus, found: &Found) -> Value {
    let collects = status.collects.iter().map(|collect| {
        json!({ "durationSeconds": collect.duration.as_secs_f64(), "success": collect.success })
    });
    let faults = status.faults.iter().map(|fault| {
        json!({
            "timestampSeconds": unix(fault.time),
            "kind": fault.kind.label(),
            "export": fault.export,
            "message": fault.message,
            "backtrace": fault.backtrace,
            "limit": fault.limit.map(|limit| limit.key()),
            "remedy": fault.remedy(&status.name),
        })
    });
    // In the unit of the limit, which its key tells: seconds, bytes or a number.
    let limits = status.limits.iter().map(|status| {
        json!({
            "limit": status.limit.key(),
            "most": status.most,
            "used": status.used,
            "denialsTotal": status.denials,
        })
    });
    let grants = status.grants.iter().map(|status| {
        json!({
            "grant": status.grant.key(),
            "granted": status.is_granted,
            "usesTotal": status.uses,
            "denialsTotal": status.denials,
        })
    });
    let wants = status.wants.iter().map(|want| {
        json!({
            "grant": want.grant.key(),
            "what": want.what,
            "why": want.why,
            "needed": want.is_needed,
            "granted": want.is_granted,
        })
    });
    let log = status.log.iter().map(|line| {
        json!({
            "timestampSeconds": unix(line.time),
            "level": line.level.label(),
            "stream": line.stream,
            "line": line.text,
            "cutBytes": line.cut,
        })
    });
    let families = found.families.iter().map(|family| {
        json!({
            "name": family.desc.name,
            "type": search::kind(&family.desc.kind),
            "help": family.desc.help,
            "unit": family.desc.unit,
            "series": family.series,
        })
    });
    json!({
        "collects": collects.collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
        "limits": limits.collect::<Vec<_>>(),
        "grants": grants.collect::<Vec<_>>(),
        "wants": wants.collect::<Vec<_>>(),
        "log": log.collect::<Vec<_>>(),
        "logLinesDroppedTotal": status.log_lines_dropped,
        "families": families.collect::<Vec<_>>(),
        "familiesTotal": found.all,
    })
}

fn some_text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
