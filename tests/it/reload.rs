//! Another config or other plugins while it serves: all of it or nothing, and no scrape and no count is lost.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Client, Meterbox, PATIENCE, Page, Signal, TestHost, files, until};
use tempfile::TempDir;

/// How many reloads the long test makes.
const RELOADS: &str = "METERBOX_RELOADS";

/// A folder with a config that a test may change.
struct Setup {
    folder: TempDir,
}

impl Setup {
    fn new(config: &str) -> Result<Self> {
        let setup = Self {
            folder: tempfile::tempdir()?,
        };
        setup.write(config)?;
        Ok(setup)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, config: &str) -> Result<()> {
        put(&self.path("m.toml"), config.as_bytes())
    }

    /// Puts the file of a plugin into the folder, or another in its place.
    fn plugin(&self, name: &str, file: &str) -> Result<()> {
        put(&self.path(name), &fs::read(files::plugin(file)?)?)
    }

    fn exporter(&self) -> Meterbox {
        Meterbox::new()
            .arg(format!("--config.file={}", self.path("m.toml").display()))
            .arg("--web.enable-lifecycle")
    }
}

/// As editors and package managers do it.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes)?;
    fs::rename(draft, path).context("cannot rename")
}

fn reload(host: &TestHost) -> Result<(u16, String)> {
    let response = host.request("POST", "/-/reload", &[])?;
    Ok((response.status, response.text()?))
}

fn reloaded(host: &TestHost) -> Result<()> {
    let (status, text) = reload(host)?;
    ensure!(status == 200, "{status}: {text}");
    Ok(())
}

fn refused(host: &TestHost, words: &[&str]) -> Result<()> {
    let (status, text) = reload(host)?;
    ensure!(status == 500, "{status}: {text}");
    ensure!(words.iter().all(|word| text.contains(word)), "{text}");
    let page = host.scrape()?;
    ensure!(page.number("meterbox_config_last_reload_successful", &[])? == 0.0);
    host.logged(&["level=error", "reload is refused"])?;
    Ok(())
}

fn memory(host: &TestHost) -> Result<f64> {
    let status = fs::read_to_string(host.proc("status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("no VmRSS")?.parse::<f64>()? / 1024.0)
}

/// Two plugins whose config differs from round to round: one counts requests, one counts scrapes.
fn round(number: usize) -> String {
    format!(
        "[plugins.counter]\nsource = 'counter.wasm'\nroutes = ['/hello']\nconfig = {{ round = '{number}' }}\n\
         [plugins.increments]\nsource = 'increments.wasm'\nconfig = {{ n = '1', round = '{number}' }}\n\
         [plugins.gauge]\nsource = 'gauge.wasm'\n"
    )
}

#[test]
fn no_scrape_and_no_count_is_lost() -> Result<()> {
    let rounds: usize = match env::var(RELOADS) {
        Ok(rounds) => rounds.parse()?,
        Err(_) => 100,
    };
    let setup = Setup::new(&round(0))?;
    for file in ["counter", "gauge"] {
        setup.plugin(&format!("{file}.wasm"), file)?;
    }
    setup.plugin("increments.wasm", "test/increments")?;
    let host = setup.exporter().start()?;
    let (over, asked, scraped) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let mut begun = 0.0;
    let longest = thread::scope(|scope| {
        let ask = scope.spawn(|| {
            let client = Client::new(host.address());
            while !over.load(Relaxed) {
                let response = client.get("/hello")?;
                ensure!(
                    response.status == 200,
                    "{}: {}",
                    response.status,
                    response.text()?
                );
                asked.fetch_add(1, Relaxed);
            }
            Ok(())
        });
        let scrape = scope.spawn(|| {
            let client = Client::new(host.address());
            let (mut last, mut longest) = ([0.0; 3], Duration::ZERO);
            while !over.load(Relaxed) {
                let response = client.get("/metrics")?;
                ensure!(response.status == 200, "{}", response.text()?);
                longest = longest.max(response.took);
                let page = Page::parse(&response.text()?)?;
                for plugin in ["counter", "increments", "gauge"] {
                    let labels = [("plugin", plugin)];
                    let succeeded = page.number("meterbox_plugin_collect_success", &labels)?;
                    ensure!(succeeded == 1.0, "{plugin} is missing");
                }
                let cpu = [("plugin", "increments")];
                let now = [
                    page.number("ep1_counter", &[])?,
                    page.number("increments_total", &[])?,
                    page.number("meterbox_plugin_cpu_seconds_total", &cpu)?,
                ];
                ensure!(
                    now.iter().zip(last).all(|(now, last)| *now >= last),
                    "{last:?}, then {now:?}"
                );
                last = now;
                scraped.fetch_add(1, Relaxed);
            }
            Ok(longest)
        });
        let mut work = || {
            for number in 1..=rounds {
                if number == rounds.div_ceil(5) {
                    begun = memory(&host)?;
                }
                // A scrape and a request are under way at some time in every round.
                let before = (asked.load(Relaxed), scraped.load(Relaxed));
                setup.write(&round(number))?;
                reloaded(&host)?;
                until(PATIENCE, || {
                    ensure!(
                        asked.load(Relaxed) > before.0 && scraped.load(Relaxed) > before.1
                            || ask.is_finished()
                            || scrape.is_finished()
                    );
                    Ok(())
                })?;
            }
            Ok(())
        };
        let worked: Result<()> = work();
        over.store(true, Relaxed);
        ask.join().expect("no panic")?;
        let longest: Result<Duration> = scrape.join().expect("no panic");
        worked?;
        longest
    })?;
    let page = host.scrape()?;
    ensure!(page.number("ep1_counter", &[])? == asked.load(Relaxed) as f64);
    ensure!(page.number("meterbox_config_last_reload_successful", &[])? == 1.0);
    let ended = memory(&host)?;
    writeln!(
        io::stdout(),
        "{rounds} reloads, {} scrapes, the longest {longest:?}, {} requests, {begun:.1} MiB after a fifth, {ended:.1} MiB at the end",
        scraped.load(Relaxed),
        asked.load(Relaxed),
    )?;
    ensure!(ended < begun + 16.0, "from {begun} to {ended} MiB");
    ensure!(
        longest < Duration::from_secs(5),
        "a scrape took {longest:?}"
    );
    let gauge = "unchanged plugins are not touched";
    let starts = page.number("meterbox_plugin_restarts_total", &[("plugin", "gauge")])?;
    ensure!(starts == 0.0, "{gauge}");
    Ok(())
}

#[test]
fn what_changed_is_replaced_and_what_went_vanishes() -> Result<()> {
    let both =
        "[plugins.a]\nsource = 'a.wasm'\nroutes = ['/hello']\n[plugins.b]\nsource = 'b.wasm'\n";
    let setup = Setup::new(both)?;
    setup.plugin("a.wasm", "counter")?;
    setup.plugin("b.wasm", "gauge")?;
    let host = setup.exporter().start()?;
    host.get("/hello")?;
    let before = host.scrape()?;
    ensure!(before.number("ep1_counter", &[])? == 1.0);

    setup.plugin("a.wasm", "pond_summary")?;
    let (status, text) = reload(&host)?;
    ensure!(
        status == 500 && text.contains("wasi:http"),
        "{status}: {text}"
    );
    ensure!(
        host.scrape()?.number("ep1_counter", &[])? == 1.0,
        "the old one is gone"
    );

    setup.write("[plugins.a]\nsource = 'a.wasm'\n")?;
    reloaded(&host)?;
    let page = host.scrape()?;
    ensure!(page.value("ep1_counter", &[]).is_none());
    page.family("pond_temperature_celsius")?;
    ensure!(host.get("/hello")?.status == 404);
    let text = host.get("/metrics")?.text()?;
    ensure!(!text.contains("plugin=\"b\""), "{text}");
    Ok(())
}

#[test]
fn one_that_fails_refuses_all() -> Result<()> {
    let good = "[plugins.a]\nsource = 'a.wasm'\nroutes = ['/hello']\n";
    let setup = Setup::new(good)?;
    setup.plugin("a.wasm", "counter")?;
    setup.plugin("traps.wasm", "test/traps_in_collect")?;
    setup.plugin("same.wasm", "counter")?;
    let host = setup.exporter().start()?;
    let traps = "[plugins.traps]\nsource = 'traps.wasm'\nconfig = { trap = 'always' }\n";
    let traps = format!("{good}config = {{ x = '1' }}\n{traps}");
    let same = format!("{good}[plugins.same]\nsource = 'same.wasm'\n");
    let cases: [(&str, &[&str]); 4] = [
        ("webb = 1\n", &["m.toml:1", "did you mean `web`?"]),
        (
            "[plugins.a]\nsource = 'none.wasm'\n",
            &["plugin \"a\"", "none.wasm"],
        ),
        (&traps, &["plugin \"traps\"", "collect"]),
        (&same, &["plugin \"same\"", "ep1_counter", "prefix"]),
    ];
    for (number, (config, words)) in cases.into_iter().enumerate() {
        setup.write(config)?;
        refused(&host, words)?;
        host.get("/hello")?;
        let page = host.scrape()?;
        ensure!(page.number("ep1_counter", &[])? == (number + 1) as f64);
        let text = host.get("/metrics")?.text()?;
        ensure!(
            !text.contains("plugin=\"traps\"") && !text.contains("plugin=\"same\""),
            "{text}"
        );
    }
    setup.write(good)?;
    reloaded(&host)?;
    ensure!(host.scrape()?.number("ep1_counter", &[])? == 4.0);
    Ok(())
}

#[test]
fn a_signal_and_a_changed_file_reload_too() -> Result<()> {
    let setup = Setup::new("[include]\nplugins = 'lib'\n")?;
    fs::create_dir(setup.path("lib"))?;
    setup.plugin("lib/counter.wasm", "counter")?;
    let host = setup
        .exporter()
        .arg("--config.auto-reload")
        .arg("--config.auto-reload-interval=50ms")
        .start()?;
    host.scrape()?.number("ep1_counter", &[])?;

    setup.plugin("lib/gauge.wasm", "gauge")?;
    host.logged(&["config is reloaded", "added", "gauge"])?;
    fs::remove_file(setup.path("lib/counter.wasm"))?;
    host.logged(&["config is reloaded", "removed", "counter"])?;
    ensure!(host.scrape()?.value("ep1_counter", &[]).is_none());
    setup.plugin("lib/gauge.wasm", "counter")?;
    host.scrape_until(|page| page.number("ep1_counter", &[]))?;

    host.signal(Signal::HUP)?;
    host.logged(&["reloading", "SIGHUP"])?;
    setup.write("[web]\ntelemetry-path = '/other'\n")?;
    host.logged(&["level=warn", "cannot change", "web"])?;
    Ok(())
}

#[test]
fn the_endpoint_answers_as_prometheus_does() -> Result<()> {
    let host = Meterbox::new().start()?;
    let (status, text) = reload(&host)?;
    ensure!(
        status == 403 && text == "Lifecycle API is not enabled.",
        "{status}: {text}"
    );
    let get = host.get("/-/reload")?;
    ensure!(get.status == 405 && get.text()? == "Only POST or PUT requests allowed");
    Ok(())
}

#[test]
fn a_config_can_be_checked_beforehand() -> Result<()> {
    let setup = Setup::new("[plugins.a]\nsource = 'a.wasm'\ninterval = '30s'\n")?;
    let check = || -> Result<(Option<i32>, String)> {
        let mut command = Command::new(files::binary()?);
        command
            .args(["config", "check", "--config.file"])
            .arg(setup.path("m.toml"));
        let done = command.output()?;
        let text = [done.stdout, done.stderr].concat();
        Ok((done.status.code(), String::from_utf8(text)?))
    };
    let (code, text) = check()?;
    ensure!(
        code == Some(78) && text.contains("there is no file"),
        "{code:?} {text}"
    );
    setup.plugin("a.wasm", "counter")?;
    let (code, text) = check()?;
    ensure!(
        code == Some(0) && text.contains("m.toml: OK") && text.contains("plugin a:"),
        "{text}"
    );
    ensure!(text.contains("every 30s"), "{text}");
    setup.write("[plugins.a]\nsource = 'a.wasm'\ntimout = '1s'\n")?;
    let (code, text) = check()?;
    ensure!(
        code == Some(78) && text.contains("m.toml:3: plugins.a.timout"),
        "{text}"
    );
    ensure!(text.contains("did you mean `timeout`?"), "{text}");
    setup.write("[web]\nconfig-file = 'web.yml'\n")?;
    put(&setup.path("web.yml"), b"rate_limits: {}\n")?;
    let (code, text) = check()?;
    ensure!(
        code == Some(78) && text.contains("web.yml") && text.contains("rate_limits"),
        "{text}"
    );
    put(&setup.path("web.yml"), b"rate_limit: {}\n")?;
    let (code, text) = check()?;
    ensure!(code == Some(0) && text.contains("web.yml: OK"), "{text}");
    Ok(())
}
