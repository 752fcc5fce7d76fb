//! Names that are not for every reader: what each `escaping=` makes of them, beside what Python's prometheus_client makes.

use std::fs;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, Page, judges};
use serde_json::{Value, json};

const SCHEMES: [&str; 3] = ["underscores", "dots", "values"];

/// For each name under each scheme: what becomes of a metric's, and of a label's.
const JUDGE: &str = "
import json, sys
from prometheus_client.openmetrics.exposition import escape_metric_name, escape_label_name
metrics, labels, schemes = json.load(sys.stdin)
print(json.dumps([[[escape_metric_name(metric, scheme), escape_label_name(label, scheme)] for scheme in schemes]
                  for metric, label in zip(metrics, labels)]))
";

/// What stands behind the beginning of a name, which keeps names apart and is itself in need of escaping.
fn ends() -> Vec<String> {
    let known = [
        "",
        "x",
        ".",
        "_",
        "__",
        "_dot_",
        "a b",
        "é",
        "日本",
        "😀y",
        "9",
        "-",
        "\"",
        "\\",
        "\n",
        "{}",
        "U__",
        "\u{10ffff}",
    ];
    let mut state = 1_u64;
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most as u64) as usize
    };
    let letters: Vec<_> = "aZ0_._. -/é日😀\"\\\n\t{}=,#".chars().collect();
    let random = (0..200).map(|_| {
        let length = 1 + below(12);
        (0..length).map(|_| letters[below(letters.len())]).collect()
    });
    let random: Vec<String> = random.collect();
    known.map(str::to_owned).into_iter().chain(random).collect()
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n"))
}

#[test]
fn names_are_escaped_as_by_prometheus_client() -> Result<()> {
    let Some(python) = judges::python()? else {
        return Ok(());
    };
    let ends = ends();
    let named = |letter: char| -> Vec<String> {
        let ends = ends.iter().enumerate();
        ends.map(|(place, end)| format!("{letter}{place}.{end}"))
            .collect()
    };
    let (metrics, labels) = (named('m'), named('l'));
    let asked = json!([metrics, labels, SCHEMES]).to_string();
    let said = judges::ask(&python, &["-c", JUDGE], &asked)?;
    ensure!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let theirs: Value = serde_json::from_slice(&said.stdout)?;

    let folder = tempfile::tempdir()?;
    let lines = metrics.iter().zip(&labels).enumerate();
    let lines = lines.map(|(place, (metric, label))| {
        format!("{{{},{}=\"v\"}} {place}\n", quoted(metric), quoted(label))
    });
    fs::write(folder.path().join("names.prom"), lines.collect::<String>())?;
    let host = Meterbox::new()
        .config(&format!("[textfile]\ndirectory = {:?}\n", folder.path()))
        .start()?;
    for (number, scheme) in SCHEMES.iter().enumerate() {
        let accept = format!("text/plain;version=0.0.4;escaping={scheme}");
        let response = host.request("GET", "/metrics", &[("accept", &accept)])?;
        let page = Page::parse(&response.text()?)?;
        for place in 0..ends.len() {
            let escaped = &theirs[place][number];
            let [metric, label] = [0, 1].map(|at| escaped[at].as_str().unwrap_or_default());
            let sample = page.sample(metric, &[(label, "v")]).with_context(|| {
                format!(
                    "{scheme}: {:?} is not {metric:?} with {label:?}",
                    metrics[place]
                )
            })?;
            assert_eq!(sample.value, place as f64);
        }
    }
    Ok(())
}
