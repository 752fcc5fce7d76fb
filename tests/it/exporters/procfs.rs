//! The plugin `procfs` beside a live node_exporter on the same machine.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Result, ensure};
use meterbox_tests::{Client, Meterbox, PATIENCE, Page, Process, judges, until};

use super::{counters_lie_between, same_heads, same_value};

const DISKS: &str = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";

/// What node_exporter has from elsewhere than these files: udev, sysfs.
const LEFT_OUT: [&str; 9] = [
    "node_cpu_core_throttles_total",
    "node_cpu_package_throttles_total",
    "node_disk_ata_rotation_rate_rpm",
    "node_disk_ata_write_cache",
    "node_disk_ata_write_cache_enabled",
    "node_disk_device_mapper_info",
    "node_disk_filesystem_info",
    "node_disk_info",
    "node_exporter_build_info",
];

fn plugin(config: &str, grants: &str) -> Meterbox {
    let keys = format!("config = {{ {config} }}\ngrants = {{ {grants} }}");
    Meterbox::with("procfs", "procfs", &keys)
}

struct NodeExporter {
    client: Client,
    _process: Process,
}

impl NodeExporter {
    fn start(collectors: &[&str]) -> Result<Option<Self>> {
        let Some(program) = judges::find("node_exporter")? else {
            return Ok(None);
        };
        let mut command = Command::new(program);
        command.args([
            "--web.listen-address=127.0.0.1:0",
            "--collector.disable-defaults",
        ]);
        command.args(collectors.iter().map(|name| format!("--collector.{name}")));
        // From the file, as the plugin does; netlink has one figure more. Debian's leaves out the loopback device by default.
        command.args([
            "--no-collector.netdev.netlink",
            "--collector.netdev.device-exclude=^$",
        ]);
        command.arg(format!("--collector.diskstats.device-exclude={DISKS}"));
        let mut process = Process::start(&mut command)?;
        Ok(Some(Self {
            client: Client::new(process.listening()?),
            _process: process,
        }))
    }

    fn page(&self) -> Result<Page> {
        Page::parse(&self.client.get("/metrics")?.text()?)
    }
}

/// All series of a family, by their labels.
fn series(page: &Page, family: &str) -> Result<BTreeSet<String>> {
    let samples = page.family(family)?.samples.iter();
    Ok(samples.map(|it| format!("{:?}", it.labels)).collect())
}

#[test]
fn figures_are_node_exporters() -> Result<()> {
    let collectors = ["cpu", "diskstats", "loadavg", "netdev", "stat"];
    let Some(judge) = NodeExporter::start(&collectors)? else {
        return Ok(());
    };
    let host = plugin("", "dirs = [\"/proc\"]").start()?;
    let before = judge.page()?;
    let ours = host.scrape()?;
    let after = judge.page()?;
    let only_theirs = [
        LEFT_OUT.as_slice(),
        &["node_scrape_collector_duration_seconds"],
    ]
    .concat();
    let families = same_heads(&ours, &after, "node_", &[], &only_theirs)?;
    ensure!(families >= 45, "only {families} families");
    for family in &ours.families {
        if family.name.starts_with("node_") {
            let name = &*family.name;
            assert_eq!(series(&ours, name)?, series(&after, name)?, "{name}");
        }
    }
    let compared = counters_lie_between(&before, &ours, &after, "node_")?;
    ensure!(compared > 50, "only {compared} counters");
    same_value(&ours, &after, "node_boot_time_seconds", &[])?;
    for name in collectors {
        let labels = [("collector", name)];
        let ok = ours.number("node_scrape_collector_success", &labels)?;
        assert_eq!(ok, 1.0, "{name}");
    }
    // It changes every five seconds.
    until(PATIENCE, || {
        let pages = [judge.page()?, host.scrape()?, judge.page()?];
        for name in ["node_load1", "node_load5", "node_load15"] {
            let [before, ours, after] = [0, 1, 2].map(|at: usize| pages[at].printed(name, &[]));
            ensure!(before == after, "it changed from {before} to {after}");
            ensure!(ours == after, "{name} is {ours}, not {after}");
        }
        Ok(())
    })
}

/// The network's figures alone, without the rest of /proc.
#[test]
fn a_folder_of_its_own_for_the_network() -> Result<()> {
    let Some(judge) = NodeExporter::start(&["netdev"])? else {
        return Ok(());
    };
    let config = "collectors = \"netdev\", net = \"/net\", netdev-device-exclude = \"^lo$\"";
    let host = plugin(
        config,
        "dirs = [{ host = \"/proc/net\", guest = \"/net\" }]",
    )
    .start()?;
    let (ours, theirs) = (host.scrape()?, judge.page()?);
    let name = "node_network_receive_bytes_total";
    let mut wanted = series(&theirs, name)?;
    wanted.remove(&format!(
        "{:?}",
        std::collections::BTreeMap::from([("device", "lo")])
    ));
    let got = match wanted.is_empty() {
        true => BTreeSet::new(),
        false => series(&ours, name)?,
    };
    assert_eq!(got, wanted);
    ensure!(ours.family("node_load1").is_err());
    Ok(())
}

/// A file that is not there costs its own families.
#[test]
fn a_part_that_fails_costs_itself() -> Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("loadavg"), "0.25 1 2 1/100 5\n")?;
    std::fs::write(dir.path().join("stat"), "nonsense\n")?;
    // Longer than what is read at a time: read to its end.
    let disks = (0..5000).map(|number| format!("8 0 disk{number} 1 2 3 4 5 6 7 8 9 10 11\n"));
    std::fs::write(dir.path().join("diskstats"), disks.collect::<String>())?;
    let grant = format!("dirs = [{{ host = {:?}, guest = \"/proc\" }}]", dir.path());
    let host = plugin("", &grant).start()?;
    let page = host.scrape()?;
    assert_eq!(page.number("node_load1", &[])?, 0.25);
    assert_eq!(page.family("node_disk_io_now")?.samples.len(), 5000);
    let last = [("device", "disk4999")];
    assert_eq!(page.number("node_disk_read_bytes_total", &last)?, 1536.0);
    let success = |part| page.number("node_scrape_collector_success", &[("collector", part)]);
    assert_eq!((success("loadavg")?, success("diskstats")?), (1.0, 1.0));
    assert_eq!(
        (success("cpu")?, success("stat")?, success("netdev")?),
        (0.0, 0.0, 0.0)
    );
    host.logged(&["cpu fails", "/proc/stat: it has no processors"])?;
    host.logged(&["netdev fails", "/proc/net/dev: there is no such file"])?;
    Ok(())
}

#[test]
fn without_the_grant_it_says_what_to_write() -> Result<()> {
    let refusal = Meterbox::with("procfs", "procfs", "").refused()?;
    refusal.expect(78, &["dirs = [\"/proc\"]   # reads the kernel's figures"])?;
    let refusal = plugin("collectors = \"cpu,disk\"", "dirs = [\"/proc\"]").refused()?;
    refusal.expect(78, &["\"disk\" is none of cpu, diskstats"])?;
    let refusal = plugin("netdev-device-exclude = \"(\"", "dirs = [\"/proc\"]").refused()?;
    refusal.expect(78, &["config netdev-device-exclude = \"(\""])?;
    Ok(())
}
