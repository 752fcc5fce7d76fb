//! `meterbox new`: a project for a plugin, that builds and passes its tests as it is.

mod templates;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::ValueEnum;

use self::templates::Template;

/// Write a project for a new plugin
///
/// It is a small collector with its config and the commands that build it and try it out. Nothing that is there is overwritten.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin: letters, digits, `_` and `-`, with a letter first
    #[arg(value_name = "NAME")]
    name: String,
    /// The language that it is to be written in
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value = "rust")]
    lang: Language,
    /// Write it to this folder, which must not be there [default: NAME]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Rust: take SDK and test harness from this checkout of Meterbox [default: the one that this program was built in, if it
    /// lies in one, else crates.io]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    Python,
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    C,
    Go,
}

impl Language {
    fn templates(self) -> Vec<Template> {
        let (files, wit) = match self {
            // The SDK brings the contract.
            Self::Rust => (templates::RUST, &[][..]),
            Self::Python => (templates::PYTHON, templates::WIT),
            Self::JavaScript => (templates::JAVASCRIPT, templates::WIT),
            Self::C => (templates::C, templates::WIT),
            Self::Go => (templates::GO, templates::WIT),
        };
        [files, wit].concat()
    }
}

/// Where the crates lie in a checkout.
const SDK: &str = "guest/sdk";
const HARNESS: &str = "host/harness";

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let name = args.name.as_str();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(fits) {
        bail!(
            "{name:?} cannot name a plugin; use letters, digits, \"_\" and \"-\", with a letter first"
        );
    }
    let folder = args.path.clone().unwrap_or_else(|| name.into());
    if folder.exists() {
        bail!(
            "{} is there already; choose another --path",
            folder.display()
        );
    }
    let gaps = gaps(name, checkout(args.sdk.as_deref())?.as_deref());
    for (file, text) in args.lang.templates() {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        // Only what is ours has gaps.
        let text = match file.starts_with("wit/") {
            true => text.to_owned(),
            false => fill(text, &gaps),
        };
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let shown = folder.display();
    writeln!(
        io::stdout().lock(),
        "{shown} is a plugin in {:?}; see {shown}/README.md",
        args.lang
    )?;
    Ok(())
}

/// The checkout to take crates from; none for those of crates.io.
fn checkout(given: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
    let has_both = |root: &&Path| {
        [SDK, HARNESS]
            .iter()
            .all(|part| root.join(part).join("Cargo.toml").is_file())
    };
    let Some(root) = given else {
        let program = env::current_exe().ok();
        let program = program.iter().flat_map(|program| program.ancestors());
        return Ok(program.into_iter().find(has_both).map(Path::to_owned));
    };
    let root = root
        .canonicalize()
        .with_context(|| format!("--sdk {}", root.display()))?;
    if !has_both(&root.as_path()) {
        bail!(
            "--sdk {} is no checkout of Meterbox: it has no {SDK} and {HARNESS}",
            root.display()
        );
    }
    Ok(Some(root))
}

/// What is filled in.
fn gaps(name: &str, checkout: Option<&Path>) -> [(&'static str, String); 7] {
    let snake = name.replace('-', "_");
    let version = env!("CARGO_PKG_VERSION");
    let dependency = |part: &str| match checkout {
        // A string of JSON is one of TOML.
        Some(root) => {
            let path = serde_json::Value::from(root.join(part).to_string_lossy());
            format!("{{ path = {path} }}")
        }
        None => format!("\"{version}\""),
    };
    let dependencies = match checkout {
        Some(root) => format!(
            "`meterbox-plugin` and `meterbox-harness` are taken from the checkout of Meterbox in `{}`: see `Cargo.toml`.",
            root.display()
        ),
        None => format!(
            "`meterbox-plugin` and `meterbox-harness` are those of crates.io. To take them from a checkout of Meterbox, write \
             into `Cargo.toml`:\n\n```toml\n[patch.crates-io]\nmeterbox-plugin = {{ path = \"…/{SDK}\" }}\n\
             meterbox-harness = {{ path = \"…/{HARNESS}\" }}\n```"
        ),
    };
    [
        ("{{name}}", name.to_owned()),
        ("{{file}}", snake.clone()),
        ("{{metric}}", snake.to_ascii_lowercase()),
        ("{{sdk}}", dependency(SDK)),
        ("{{harness}}", dependency(HARNESS)),
        ("{{dependencies}}", dependencies),
        ("{{version}}", version.to_owned()),
    ]
}

fn fill(text: &str, gaps: &[(&str, String)]) -> String {
    let filled = |text: String, (gap, with): &(&str, String)| text.replace(gap, with);
    gaps.iter().fold(text.to_owned(), filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_gap_stays_open() {
        for root in [None, Some(Path::new("/a \"b\""))] {
            for (file, text) in Language::value_variants()
                .iter()
                .flat_map(|lang| lang.templates())
            {
                let filled = fill(text, &gaps("my-plugin", root));
                // In C and Go two braces are no gap.
                let open = filled.split("{{").skip(1);
                let mut open = open.filter_map(|rest| rest.split_once("}}"));
                let gap = open.find(|(gap, _)| gap.chars().all(|c| c.is_ascii_lowercase()));
                assert_eq!(gap, None, "{file}: {filled}");
            }
        }
        let filled = fill(
            templates::RUST[1].1,
            &gaps("a", Some(Path::new("/a \"b\""))),
        );
        assert!(
            filled.contains(r#"{ path = "/a \"b\"/guest/sdk" }"#),
            "{filled}"
        );
    }

    #[test]
    fn a_checkout_has_both_crates() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        assert!(checkout(Some(root)).is_ok_and(|found| found.is_some()));
        assert!(checkout(Some(Path::new("/"))).is_err());
    }
}
