//! Files of exposition text, beside node_exporter and by themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Client, Meterbox, Page, Process, judges};
use tempfile::TempDir;

fn serving(folder: &Path) -> Meterbox {
    Meterbox::new().config(&format!("[textfile]\ndirectory = {folder:?}\n"))
}

fn folder(files: &[(&str, &str)]) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().context("a parent")?)?;
        fs::write(path, text)?;
    }
    Ok(folder)
}

fn scrape_error(page: &Page) -> Result<f64> {
    page.number("node_textfile_scrape_error", &[])
}

const FILES: [(&str, &str); 18] = [
    (
        "a/good.prom",
        "# HELP job_seconds How long it took.\n# TYPE job_seconds gauge\njob_seconds{job=\"a\"} 1.5\n\
         job_seconds{job=\"b\\\"\\\\\\n\"} +Inf\n# TYPE done_total counter\ndone_total 1e+06\n",
    ),
    (
        "a/compound.prom",
        "# HELP h Histogram.\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n\
         # TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n",
    ),
    (
        "a/mixed.prom",
        "m 1\nother 1\nm{a=\"b\"} 2\n# HELP m Late.\n",
    ),
    (
        "a/twice.prom",
        "dup 1\ndup 2\ndup{a=\"1\"} 3\ndup{a=\"1\"} 4\n",
    ),
    ("a/empty.prom", ""),
    (
        "a/declared.prom",
        "# HELP nothing There is none.\n# TYPE nothing gauge\n",
    ),
    ("a/timestamp.prom", "timed 1\ntimed{x=\"1\"} 1 1000\n"),
    ("a/broken.prom", "fine 1\nbroken{x=\"1} 1\n"),
    ("a/unfinished.prom", "unfinished 1"),
    ("a/windows.prom", "windows 1\r\n"),
    ("a/late_type.prom", "late 1\n# TYPE late counter\n"),
    ("a/other.txt", "not_a_prom_file 1\n"),
    (
        "b/first.prom",
        "# HELP help First.\n# TYPE help gauge\nhelp{f=\"1\"} 1\nshared 1\n# TYPE type counter\ntype 1\n",
    ),
    (
        "b/second.prom",
        "# HELP help Second.\n# TYPE help gauge\nhelp{f=\"2\"} 2\nshared 2\nshared{f=\"2\"} 2\n# TYPE type gauge\ntype{f=\"2\"} 2\n",
    ),
    (
        "b/third.prom",
        "# HELP shared Says it.\nshared{f=\"3\"} 3\nhelp{f=\"3\"} 3\n",
    ),
    ("b/collides.prom", "h_count 5\ns_sum 5\n"),
    (
        "b/numbers.prom",
        "n{v=\"nan\"} NaN\nn{v=\"min\"} 4.9e-324\nn{v=\"neg\"} -0\nn{v=\"large\"} 123456789012345678\n",
    ),
    ("c/more.prom", "job_seconds 1\nmore 1\n"),
];

type Shown = BTreeMap<String, (String, String, BTreeSet<(String, String, String)>)>;

/// Type, help text and samples of each family of the files. To Prometheus an empty label is none, and of equal series the
/// first one counts.
fn shown(page: &Page) -> Shown {
    let own = [
        "go_",
        "process_",
        "promhttp_",
        "node_exporter_",
        "node_scrape_",
        "meterbox_",
    ];
    let families = page.families.iter();
    families
        .filter(|family| !own.iter().any(|prefix| family.name.starts_with(prefix)))
        .map(|family| {
            let mut seen = BTreeSet::new();
            let samples = family.samples.iter().filter_map(|sample| {
                let labels = sample.labels.iter().filter(|(_, value)| !value.is_empty());
                let labels = format!("{:?}", labels.collect::<Vec<_>>());
                let is_first = seen.insert((sample.name.clone(), labels.clone()));
                is_first.then(|| (sample.name.clone(), labels, sample.printed.clone()))
            });
            let samples = samples.collect();
            (
                family.name.clone(),
                (family.kind.clone(), family.help.clone(), samples),
            )
        })
        .collect()
}

#[test]
fn the_page_is_node_exporters() -> Result<()> {
    let Some(program) = judges::find("node_exporter")? else {
        return Ok(());
    };
    let folder = folder(&FILES)?;
    symlink("good.prom", folder.path().join("a/link.prom"))?;
    symlink("nowhere", folder.path().join("a/dangling.prom"))?;
    for pattern in ["[ab]", "a", "*", "gone"] {
        let pattern = folder.path().join(pattern);
        let mut node_exporter = Process::start(
            Command::new(&program)
                .args([
                    "--web.listen-address=127.0.0.1:0",
                    "--collector.disable-defaults",
                    "--collector.textfile",
                    "--collector.textfile.directory",
                ])
                .arg(&pattern),
        )?;
        let peer = Client::new(node_exporter.listening()?);
        let theirs = shown(&Page::parse(&peer.get("/metrics")?.text()?)?);
        let ours = shown(&serving(&pattern).start()?.scrape()?);
        ensure!(pattern.ends_with("gone") || theirs.len() > 5, "{theirs:#?}");
        for (name, family) in &theirs {
            assert_eq!(
                ours.get(name),
                Some(family),
                "{name} of {}",
                pattern.display()
            );
        }
        assert_eq!(ours, theirs, "{}", pattern.display());
    }
    Ok(())
}

#[test]
fn a_broken_file_costs_itself_and_is_told_once() -> Result<()> {
    let folder = folder(&[("a.prom", "a 1\n"), ("b.prom", "ok 1\nb{x=\"1} 1\n")])?;
    let host = serving(folder.path()).start()?;
    let broken = folder.path().join("b.prom");
    let place = format!("{}: line 2, column 10: ", broken.display());
    for _ in 0..3 {
        let page = host.scrape()?;
        assert_eq!(
            (page.value("a", &[]), page.value("ok", &[])),
            (Some(1.0), None)
        );
        assert_eq!(scrape_error(&page)?, 1.0);
        assert_eq!(page.family("node_textfile_mtime_seconds")?.samples.len(), 1);
    }
    let place = place.replace('"', "\\\"");
    assert_eq!(host.logged(&[&place])?, 1);

    fs::write(&broken, "ok 1\n\nb{x=\"1} 1\n")?;
    host.scrape()?;
    host.scrape()?;
    assert_eq!(host.logged(&["b.prom: line 3"])?, 1);

    fs::write(&broken, "b 1\n")?;
    let page = host.scrape()?;
    assert_eq!(
        (page.value("b", &[]), scrape_error(&page)?),
        (Some(1.0), 0.0)
    );

    fs::remove_file(&broken)?;
    let page = host.scrape()?;
    ensure!(page.family("b").is_err(), "it is gone");
    assert_eq!(page.family("node_textfile_mtime_seconds")?.samples.len(), 1);
    Ok(())
}

#[test]
fn what_is_no_file_hangs_nothing() -> Result<()> {
    let folder = folder(&[
        ("a.prom", "a 1\n"),
        ("large.prom", &"# large\n".repeat(200)),
    ])?;
    let pipe = folder.path().join("pipe.prom");
    ensure!(
        Command::new("mkfifo").arg(&pipe).status()?.success(),
        "mkfifo"
    );
    fs::create_dir(folder.path().join("folder.prom"))?;
    symlink("/dev/zero", folder.path().join("zero.prom"))?;
    let config = format!(
        "[textfile]\ndirectory = [{:?}]\nmax-file-size = \"1KiB\"\n",
        folder.path()
    );
    let host = Meterbox::new().config(&config).start()?;
    let response = host.get("/metrics")?;
    ensure!(
        response.took < Duration::from_secs(5),
        "took {:?}",
        response.took
    );
    let page = Page::parse(&response.text()?)?;
    assert_eq!(
        (page.value("a", &[]), scrape_error(&page)?),
        (Some(1.0), 1.0)
    );
    for (file, why) in [
        ("pipe.prom", "is not a regular file"),
        ("folder.prom", "is not a regular file"),
        ("zero.prom", "is not a regular file"),
        (
            "large.prom",
            "has more than 1024 bytes; raise max-file-size",
        ),
    ] {
        assert_eq!(host.logged(&[file, why])?, 1, "{file}");
    }
    Ok(())
}

#[test]
fn a_plugin_keeps_its_family() -> Result<()> {
    let folder = folder(&[
        ("a.prom", "ep1_counter 7\na 1\nmeterbox_plugin_up 7\n"),
        ("b.prom", "node_textfile_scrape_error 7\n"),
    ])?;
    let host = serving(folder.path())
        .and("counter", "counter", "")
        .start()?;
    for scrapes in 1..=2 {
        let page = host.scrape()?;
        let rejected = [("plugin", "textfile"), ("reason", "clash")];
        // Own metrics may be as they were just before.
        let count = page.value("meterbox_rejected_families_total", &rejected);
        ensure!(count.unwrap_or(0.0) <= f64::from(3 * scrapes), "{count:?}");
        assert_eq!(page.value("a", &[]), Some(1.0));
        assert_eq!(page.value("ep1_counter", &[]), Some(0.0));
        assert_eq!(scrape_error(&page)?, 0.0);
    }
    host.scrape_until(|page| {
        let rejected = [("plugin", "textfile"), ("reason", "clash")];
        let count = page.number("meterbox_rejected_families_total", &rejected)?;
        ensure!(count >= 6.0, "{count}");
        Ok(())
    })?;
    let said = "is already reported by plugin \\\"counter\\\"";
    assert_eq!(host.logged(&["ep1_counter", said])?, 1);
    Ok(())
}

#[test]
fn filters_know_the_source() -> Result<()> {
    let folder = folder(&[("a.prom", "a 1\nb 1\n")])?;
    let host = serving(folder.path())
        .and("counter", "counter", "")
        .start()?;
    let names = |query: &str| -> Result<Vec<String>> {
        let page = Page::parse(&host.get(&format!("/metrics?{query}"))?.text()?)?;
        Ok(page
            .plugin_families()
            .map(|family| family.name.clone())
            .collect())
    };
    let of_files = [
        "a",
        "b",
        "node_textfile_mtime_seconds",
        "node_textfile_scrape_error",
    ];
    assert_eq!(names("collect[]=textfile")?, of_files);
    assert_eq!(names("exclude[]=textfile")?, ["ep1_counter"]);
    assert_eq!(names("collect[]=counter")?, ["ep1_counter"]);
    assert_eq!(names("name[]=b&name[]=ep1_counter")?, ["b", "ep1_counter"]);
    let without = Meterbox::new().start()?;
    assert_eq!(without.get("/metrics?collect[]=textfile")?.status, 400);
    Ok(())
}

#[test]
fn every_format_has_them() -> Result<()> {
    let text = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\"} 1\n";
    let folder = folder(&[("a.prom", text)])?;
    let host = serving(folder.path()).start()?;
    for (accept, wanted) in [
        (
            "application/openmetrics-text;version=1.0.0",
            "# TYPE a counter\n# HELP a A.\na_total{x=\"1\"} 1.0\n",
        ),
        ("text/plain", text),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            "name: \"a_total\"",
        ),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "\n\u{7}a_total\u{12}\u{2}A.",
        ),
    ] {
        let response = host.request("GET", "/metrics?collect[]=textfile", &[("Accept", accept)])?;
        let body = String::from_utf8_lossy(&response.body);
        ensure!(body.contains(wanted), "{accept}: {body}");
    }
    Ok(())
}

#[test]
fn a_folder_may_come_later() -> Result<()> {
    let folder = folder(&[])?;
    let inner = folder.path().join("later");
    let host = serving(&inner).start()?;
    for _ in 0..2 {
        assert_eq!(scrape_error(&host.scrape()?)?, 1.0);
    }
    assert_eq!(host.logged(&["cannot list", "later"])?, 1);
    fs::create_dir(&inner)?;
    fs::write(inner.join("a.prom"), "a 1\n")?;
    let page = host.scrape()?;
    assert_eq!(
        (page.value("a", &[]), scrape_error(&page)?),
        (Some(1.0), 0.0)
    );
    Ok(())
}
