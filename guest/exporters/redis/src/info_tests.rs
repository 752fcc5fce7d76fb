use super::*;

const MASTER: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nos:Linux 6.1 x86_64\r\n\
    process_id:42\r\nrun_id:abc\r\ntcp_port:6379\r\nserver_time_usec:1700000100500000\r\n\
    uptime_in_seconds:100\r\n\r\n# Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\n\
    maxmemory_policy:noeviction\r\n\r\n# Persistence\r\nrdb_last_bgsave_status:ok\r\n\
    aof_last_write_status:err\r\n\r\n# Stats\r\nkeyspace_hits:7\r\nlatest_fork_usec:250\r\n\r\n# Replication\r\nrole:master\r\n\
    connected_slaves:1\r\nslave0:ip=10.0.0.2,port=6380,state=online,offset=1751,lag=2\r\n\
    slave_priority:100\r\n\r\n# CPU\r\nused_cpu_sys:1.5\r\n\r\n# Commandstats\r\n\
    cmdstat_config|get:calls=21,usec=1750000,usec_per_call=8.33,rejected_calls=1,failed_calls=2\r\n\r\n\
    # Errorstats\r\nerrorstat_ERR:count=5\r\n\r\n# Keyspace\r\ndb1:keys=4,expires=3,avg_ttl=1500\r\n";

const REPLICA: &str = "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:up\r\n\
    master_last_io_seconds_ago:3\r\nmaster_sync_in_progress:0\r\nslave_repl_offset:99\r\nslave_read_only:1\r\n";

fn value(points: &[Point], family: &str, labels: &[&str]) -> Option<f64> {
    let mut found = points
        .iter()
        .filter(|point| point.family == family && point.labels == labels);
    let value = found.next()?.value;
    assert!(found.next().is_none(), "{family} comes twice");
    Some(value)
}

#[test]
fn a_master() {
    let points = points(MASTER, 3);
    let replica = ["10.0.0.2", "6380", "online"];
    let instance = [
        "master",
        "7.0.15",
        "",
        "standalone",
        "Linux 6.1 x86_64",
        "noeviction",
        "6379",
        "abc",
        "42",
    ];
    for (family, labels, wanted) in [
        ("instance_info", instance.as_slice(), 1.0),
        ("uptime_in_seconds", &[], 100.0),
        ("start_time_seconds", &[], 1_700_000_000.0),
        ("memory_used_bytes", &[], 1_048_576.0),
        ("rdb_last_bgsave_status", &[], 1.0),
        ("aof_last_write_status", &[], 0.0),
        ("keyspace_hits_total", &[], 7.0),
        ("latest_fork_seconds", &[], 0.00025),
        ("connected_slaves", &[], 1.0),
        ("slave_priority", &[], 100.0),
        ("connected_slave_offset_bytes", &replica, 1751.0),
        ("connected_slave_lag_seconds", &replica, 2.0),
        ("cpu_sys_seconds_total", &[], 1.5),
        ("commands_total", &["config|get"], 21.0),
        ("commands_duration_seconds_total", &["config|get"], 1.75),
        ("commands_rejected_calls_total", &["config|get"], 1.0),
        ("commands_failed_calls_total", &["config|get"], 2.0),
        ("errors_total", &["ERR"], 5.0),
        ("db_keys", &["db0"], 0.0),
        ("db_keys", &["db1"], 4.0),
        ("db_keys", &["db2"], 0.0),
        ("db_keys_expiring", &["db1"], 3.0),
        ("db_avg_ttl_seconds", &["db1"], 1.5),
    ] {
        assert_eq!(
            value(&points, family, labels),
            Some(wanted),
            "{family}{labels:?}"
        );
    }
    assert_eq!(value(&points, "db_keys", &["db3"]), None);
    assert!(
        !points
            .iter()
            .any(|point| point.family.starts_with("master_link"))
    );
}

#[test]
fn a_replica() {
    let points = points(REPLICA, 0);
    let master = ["10.0.0.1", "6379"];
    for (family, wanted) in [
        ("master_link_up", 1.0),
        ("master_last_io_seconds_ago", 3.0),
        ("master_sync_in_progress", 0.0),
        ("slave_repl_offset", 99.0),
    ] {
        assert_eq!(value(&points, family, &master), Some(wanted), "{family}");
    }
    let info = value(&points, "slave_info", &["10.0.0.1", "6379", "1"]);
    assert_eq!(info, Some(1.0));
}

#[test]
fn what_is_not_understood_is_left_out() {
    let odd = "used_memory:lots\r\ndb:keys=1\r\ndb0x:keys=1\r\ndb0:keys=,expires\r\nslave:x\r\ncmdstat_get:\r\n\
               maxmemory:inf\r\nno line\r\n:\r\n";
    let points = points(odd, 0);
    let families: Vec<_> = points.iter().map(|point| point.family).collect();
    assert_eq!(families, ["instance_info"]);
}
