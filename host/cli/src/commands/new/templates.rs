//! The files of new projects. The collectors are those of `examples/`, and the contract is the repository's own: `templates/`
//! has links to both.

/// A file of a project, and its text.
pub(super) type Template = (&'static str, &'static str);

macro_rules! templates {
    ($($path:literal: $file:literal,)*) => {
        &[$(($path, include_str!(concat!("../../../templates/", $file)))),*]
    };
}

pub(super) const RUST: &[Template] = templates! {
    ".gitignore": "rust/gitignore.in",
    "Cargo.toml": "rust/Cargo.toml.in",
    "README.md": "rust/README.md.in",
    "meterbox.toml": "rust/meterbox.toml.in",
    "src/lib.rs": "rust/src/lib.rs.in",
    "tests/collect.rs": "rust/tests/collect.rs.in",
};

pub(super) const PYTHON: &[Template] = templates! {
    ".gitignore": "python/gitignore.in",
    "Makefile": "python/Makefile.in",
    "README.md": "python/README.md.in",
    "collector.py": "python/collector.py",
    "meterbox.toml": "other/meterbox.toml.in",
};

pub(super) const JAVASCRIPT: &[Template] = templates! {
    ".gitignore": "javascript/gitignore.in",
    "Makefile": "javascript/Makefile.in",
    "README.md": "javascript/README.md.in",
    "collector.js": "javascript/collector.js",
    "meterbox.toml": "other/meterbox.toml.in",
};

pub(super) const C: &[Template] = templates! {
    ".gitignore": "c/gitignore.in",
    "Makefile": "c/Makefile.in",
    "README.md": "c/README.md.in",
    "collector.c": "c/collector.c",
    "meterbox.toml": "other/meterbox.toml.in",
};

pub(super) const GO: &[Template] = templates! {
    ".gitignore": "go/gitignore.in",
    "Makefile": "go/Makefile.in",
    "README.md": "go/README.md.in",
    "embed/main.go": "go/embed/main.go",
    "export_meterbox_plugin_collector/collector.go": "go/export_meterbox_plugin_collector/collector.go",
    "gc/gc.go": "go/gc/gc.go",
    "meterbox.toml": "other/meterbox.toml.in",
};

/// The contract, for languages without an SDK of ours.
pub(super) const WIT: &[Template] = templates! {
    "wit/collector.wit": "wit/collector.wit",
    "wit/config.wit": "wit/config.wit",
    "wit/exemplars.wit": "wit/exemplars.wit",
    "wit/instruments.wit": "wit/instruments.wit",
    "wit/lifecycle.wit": "wit/lifecycle.wit",
    "wit/log.wit": "wit/log.wit",
    "wit/meminfo.wit": "wit/meminfo.wit",
    "wit/metric-types.wit": "wit/metric-types.wit",
    "wit/probe.wit": "wit/probe.wit",
    "wit/schedule.wit": "wit/schedule.wit",
    "wit/text-collector.wit": "wit/text-collector.wit",
    "wit/wants.wit": "wit/wants.wit",
    "wit/world.wit": "wit/world.wit",
    "wit/deps/cli.wit": "wit/deps/cli.wit",
    "wit/deps/clocks.wit": "wit/deps/clocks.wit",
    "wit/deps/filesystem.wit": "wit/deps/filesystem.wit",
    "wit/deps/http.wit": "wit/deps/http.wit",
    "wit/deps/io.wit": "wit/deps/io.wit",
    "wit/deps/random.wit": "wit/deps/random.wit",
    "wit/deps/sockets.wit": "wit/deps/sockets.wit",
};

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_contract_is_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let mut found = 0;
        for (folder, prefix) in [(root.clone(), "wit/"), (root.join("deps"), "wit/deps/")] {
            for entry in fs::read_dir(folder).expect("the contract") {
                let name = entry.expect("a file").file_name();
                let path = format!("{prefix}{}", name.to_string_lossy());
                if path.ends_with(".wit") {
                    assert!(WIT.iter().any(|(each, _)| *each == path), "{path}");
                    found += 1;
                }
            }
        }
        assert_eq!(found, WIT.len());
    }

    /// New projects and examples are built with the same tools.
    #[test]
    fn tools_have_one_version() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let read = |file: &str| fs::read_to_string(examples.join(file)).expect(file);
        let common = read("common.sh");
        for (templates, build, tools) in [
            (PYTHON, "python/build.sh", &["componentize-py==0.25.1"][..]),
            (
                JAVASCRIPT,
                "javascript/build.sh",
                &["componentize-qjs@0.4.5"],
            ),
            (
                C,
                "c/build.sh",
                &["ziglang==0.17.1", "wit-bindgen-cli@0.63.0"],
            ),
            (GO, "go/build.sh", &["wit-bindgen-cli@0.63.0"]),
        ] {
            let (_, makefile) = templates
                .iter()
                .find(|(path, _)| *path == "Makefile")
                .expect("a Makefile");
            let build = read(build) + &common;
            for tool in tools {
                let (name, version) = tool.split_once(['=', '@']).expect("a version");
                let version = version.trim_start_matches('=');
                for text in [*makefile, build.as_str()] {
                    assert!(
                        text.contains(name) && text.contains(version),
                        "{tool}: {text}"
                    );
                }
            }
        }
    }
}
