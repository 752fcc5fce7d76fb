//! Starts that are refused: one sentence that says what is wrong, an exit code of its own, and nothing bound.

use std::{fs, net::TcpListener, path::PathBuf};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, files};
use tempfile::TempDir;

/// The exit code for a config or a plugin that cannot be used (`EX_CONFIG` of sysexits).
const CONFIG: i32 = 78;

/// Runs it on a port that is taken: who binds first would complain about the port instead.
fn refuses(exporter: Meterbox, words: &[&str]) -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let refusal = exporter.listen(taken.local_addr()?).refused()?;
    refusal.expect(CONFIG, words)
}

/// What makes the function above able to fail; and not the config's fault.
#[test]
fn a_taken_port_is_named() -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    let refusal = Meterbox::with("counter_vec", "counter_vec", "")
        .listen(address)
        .refused()?;
    refusal.expect(1, &[&address.to_string()])
}

#[test]
fn configs() -> Result<()> {
    // Config, then words of the sentence beside the file's name. PLUGINS/counter.wasm is there.
    let cases: &[(&str, &[&str])] = &[
        ("[web]\nlisten = 1\n", &[":2", "listen", "listen-addresses"]),
        ("[wab]\n", &["wab", "web"]),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\nroute = [\"/a\"]\n",
            &[":3", "plugins.a", "route", "routes"],
        ),
        ("[plugins.a]\nroutes = [\"/a\"]\n", &["plugins.a", "source"]),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\ntimeout = \"5 apples\"\n",
            &[":3", "plugins.a.timeout", "5 apples", "5s"],
        ),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\ntimeout = \"0s\"\n",
            &[":3", "plugins.a.timeout", "5s"],
        ),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\nroutes = [\"hello\"]\n",
            &["plugins.a.routes", "hello", "/hello"],
        ),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\nroutes = [\"/metrics\"]\n",
            &["plugins.a.routes", "/metrics"],
        ),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\nroutes = [\"/x\"]\n\
             [plugins.b]\nsource = \"PLUGINS/counter.wasm\"\nroutes = [\"/x\"]\nprefix = \"b_\"\n",
            &["plugins.b.routes", "/x", "plugins.a"],
        ),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\nlabels = { \"a-b\" = \"1\" }\n",
            &["plugins.a.labels", "a-b"],
        ),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\nprefix = \"a-\"\n",
            &["plugins.a.prefix", "a-"],
        ),
        (
            "[plugins.a]\nsource = \"PLUGINS/counter.wasm\"\ngrants = { everything = true }\n",
            &["plugins.a.grants", "everything", "meminfo"],
        ),
        (
            "[web]\nlisten-addresses = [\"nowhere\"]\n",
            &["web.listen-addresses", "nowhere", "127.0.0.1:8080"],
        ),
        ("[web]\nread-timeout = 10\n", &["web.read-timeout", "10s"]),
        ("[web\n", &[":1"]),
    ];
    for (config, words) in cases {
        let words: Vec<_> = ["meterbox.toml"].iter().chain(*words).copied().collect();
        refuses(Meterbox::new().config(config), &words)
            .with_context(|| format!("config:\n{config}"))?;
    }
    Ok(())
}

#[test]
fn a_config_that_is_not_there() -> Result<()> {
    refuses(
        Meterbox::new().arg("--config.file=/nowhere/at/all.toml"),
        &["/nowhere/at/all.toml"],
    )
}

/// A file of a test's making, loaded as the plugin `broken`.
struct Broken {
    _dir: TempDir,
    file: PathBuf,
}

impl Broken {
    fn new(bytes: &[u8]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("broken.wasm");
        fs::write(&file, bytes)?;
        Ok(Self { _dir: dir, file })
    }

    fn is_refused(&self, words: &[&str]) -> Result<()> {
        let config = format!("[plugins.broken]\nsource = {:?}\n", self.file);
        let words: Vec<_> = ["broken"].iter().chain(words).copied().collect();
        refuses(Meterbox::new().config(&config), &words)
    }
}

#[test]
fn a_file_that_is_not_wasm() -> Result<()> {
    for bytes in [&b"#!/bin/sh\necho 1\n"[..], b"(module)", b""] {
        Broken::new(bytes)?
            .is_refused(&["broken.wasm", "not", "WebAssembly"])
            .with_context(|| format!("{bytes:?}"))?;
    }
    Ok(())
}

/// The binary format of no version that there is.
#[test]
fn a_file_of_another_version() -> Result<()> {
    Broken::new(b"\0asm\x63\0\0\0")?.is_refused(&["broken.wasm"])
}

#[test]
fn a_truncated_module() -> Result<()> {
    let whole = fs::read(files::plugin("counter_vec")?)?;
    Broken::new(&whole[..whole.len() / 2])?.is_refused(&["broken.wasm", "truncated"])
}

/// Small to make and large to compile: refused by their figures before anything compiles them.
#[test]
fn compile_bombs() -> Result<()> {
    let module = |sections: &[Vec<u8>]| [&b"\0asm\x01\0\0\0"[..], &sections.concat()].concat();
    let component = |sections: &[Vec<u8>]| [&b"\0asm\x0d\0\x01\0"[..], &sections.concat()].concat();
    let types = section(1, 1, &[0x60, 0, 0]);

    let many = 100_001;
    let functions = section(3, many, &vec![0; many]);
    let bodies = section(10, many, &[2, 0, 0x0b].repeat(many));
    let bomb = module(&[types.clone(), functions, bodies]);
    Broken::new(&bomb)?.is_refused(&["broken.wasm", "100001 functions", "100000"])?;

    let body = [vec![0], vec![0x01; 2 << 20], vec![0x0b]].concat();
    let body = [leb(body.len()), body].concat();
    let bomb = module(&[types.clone(), section(3, 1, &[0]), section(10, 1, &body)]);
    Broken::new(&bomb)?.is_refused(&["broken.wasm", "bytes in one function", "1048576"])?;

    let imports = section(2, 10_001, &[1, b'a', 1, b'b', 0, 0].repeat(10_001));
    Broken::new(&module(&[types, imports]))?.is_refused(&["10001 imports", "10000"])?;

    let mut deep = component(&[]);
    for _ in 0..9 {
        deep = component(&[[vec![4], leb(deep.len()), deep].concat()]);
    }
    Broken::new(&deep)?.is_refused(&["broken.wasm", "9 levels of nested components", "8"])?;

    let empty = [&[1, 8][..], b"\0asm\x01\0\0\0"].concat();
    Broken::new(&component(&[empty.repeat(257)]))?.is_refused(&["257 nested", "256"])
}

/// Larger than any plugin: refused before it is read.
#[test]
fn a_file_that_is_too_large() -> Result<()> {
    let broken = Broken::new(b"\0asm")?;
    fs::File::options()
        .write(true)
        .open(&broken.file)?
        .set_len((64 << 20) + 1)?;
    broken.is_refused(&["broken.wasm", "limits.file-bytes"])
}

/// A section with a count before its contents.
fn section(id: u8, count: usize, contents: &[u8]) -> Vec<u8> {
    let count = leb(count);
    let length = leb(count.len() + contents.len());
    [&[id][..], &length, &count, contents].concat()
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Whole and valid, and no plugins.
#[test]
fn an_empty_module_and_an_empty_component() -> Result<()> {
    Broken::new(b"\0asm\x01\0\0\0")?.is_refused(&["broken.wasm", "WIT"])?;
    Broken::new(b"\0asm\x0d\0\x01\0")?.is_refused(&["broken.wasm", "meterbox:plugin/collector"])
}

#[test]
fn an_unknown_import() -> Result<()> {
    refuses(
        Meterbox::with("stranger", "test/unknown_import", ""),
        &["stranger", "strangers:thing/gadget"],
    )
}

#[test]
fn a_file_that_is_missing() -> Result<()> {
    let config = "[plugins.absent]\nsource = \"/nowhere/absent.wasm\"\n";
    refuses(
        Meterbox::new().config(config),
        &["absent", "/nowhere/absent.wasm"],
    )
}

/// A second plugin with the same families.
#[test]
fn families_of_another_plugin() -> Result<()> {
    let twice = Meterbox::with("first", "counter_vec", "").and("second", "counter_vec", "");
    refuses(twice, &["first", "second", "http_requests_total"])
}

/// Not once in the log and once more on the way out.
#[test]
fn refusals_come_in_one_sentence() -> Result<()> {
    let refusal = Meterbox::new()
        .config("[plugins.absent]\nsource = \"/nowhere/absent.wasm\"\n")
        .refused()?;
    let lines: Vec<_> = refusal
        .output
        .lines()
        .filter(|line| line.contains("/nowhere/absent.wasm"))
        .collect();
    ensure!(
        lines.len() == 1,
        "{} lines:\n{}",
        lines.len(),
        refusal.output
    );
    Ok(())
}
