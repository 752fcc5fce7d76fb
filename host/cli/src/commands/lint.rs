//! `meterbox lint`: is a page of metrics in order, and is it as Prometheus' own linter wants it?

use std::{
    fs,
    io::{self, Read, Write},
    path::PathBuf,
};

use anyhow::Context;
use meterbox_metrics::parse;

/// Check a page of metrics (text 0.0.4, or OpenMetrics if it ends in `# EOF`) as strictly as a reader can, then lint it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The page; standard input if none is given
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The page can be read, but there is advice.
#[derive(Debug, thiserror::Error)]
#[error("{0} problems")]
pub(crate) struct Advice(pub(super) usize);

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (name, page) = match &args.file {
        Some(path) => {
            let name = path.display().to_string();
            let page = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
            (name, page)
        }
        None => {
            let mut page = String::new();
            let read = io::stdin().lock().read_to_string(&mut page);
            read.context("cannot read standard input")?;
            ("standard input".to_owned(), page)
        }
    };
    let problems = lint(&page).with_context(|| format!("{name} is no page of metrics"))?;
    let mut out = io::stdout().lock();
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    match problems.len() {
        0 => Ok(()),
        count => Err(Advice(count).into()),
    }
}

fn lint(page: &str) -> Result<Vec<parse::Problem>, parse::ParseError> {
    let is_openmetrics = page.trim_end().ends_with("# EOF");
    let families = if is_openmetrics {
        parse::openmetrics(page)?
    } else {
        parse::text(page)?
    };
    Ok(parse::lint(&families))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_told_apart() {
        assert!(
            lint("# HELP a_total A.\n# TYPE a_total counter\na_total 1\n")
                .is_ok_and(|p| p.is_empty())
        );
        assert!(
            lint("# TYPE a counter\n# HELP a A.\na_total 1.0\n# EOF\n").is_ok_and(|p| p.is_empty())
        );
        assert!(lint("a{ 1\n").is_err());
        let advice = lint("# TYPE a counter\na 1\n").expect("readable");
        let advice: Vec<_> = advice.iter().map(ToString::to_string).collect();
        assert_eq!(
            advice,
            [
                "a counter metrics should have \"_total\" suffix",
                "a no help text"
            ]
        );
    }
}
