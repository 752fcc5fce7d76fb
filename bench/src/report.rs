//! Numbers as people read them, and the tables.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    check::Difference,
    coding::Coding,
    limits::Limit,
    measure::{Cell, Figures, Loop},
    peers::Name,
    updates::Cost,
    workload::Workload,
};

/// All rounds of one peer.
pub struct Row {
    pub name: Name,
    pub rounds: Vec<Figures>,
}

/// Where a peer's page looks different though it says the same.
pub type Found = BTreeMap<Name, BTreeMap<Difference, Vec<Workload>>>;

/// A list of them.
pub fn differences(found: &Found) -> String {
    let mut text = String::new();
    let found = found
        .iter()
        .filter(|(_, differences)| !differences.is_empty());
    for (name, differences) in found {
        let parts = differences.iter().map(|(difference, workloads)| {
            let what = match difference {
                Difference::Order => "series in another order",
                Difference::Types => "other `# TYPE` lines",
                Difference::Helps => "other `# HELP` lines",
            };
            let workloads = workloads.iter().map(|workload| workload.name());
            format!("{what} ({})", workloads.collect::<Vec<_>>().join(", "))
        });
        let parts = parts.collect::<Vec<_>>().join("; ");
        let _ = writeln!(text, "- {}: {parts}", name.title());
    }
    text
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(values, 0.5)
}

/// Of ascending values.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * part).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The tables of one workload: one for each coding that anybody has.
pub fn workload(workload: Workload, lines: usize, rows: &[Row]) -> String {
    let mut text = format!("### {}\n", workload.title());
    text.push_str(&render_table(lines, rows));
    for (title, codings) in [
        ("identity", &[Coding::Identity][..]),
        ("gzip", &[Coding::Gzip, Coding::CarefulGzip]),
        ("zstd", &[Coding::Zstd]),
    ] {
        text.push_str(&http_table(title, codings, rows));
    }
    text
}

fn render_table(lines: usize, rows: &[Row]) -> String {
    let mut text = "\n| in memory | a page | best | ns per line | × Meterbox |\n\
        | --- | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    let page = |row: &Row| over(&row.rounds, |figures| Some(figures.render?.0));
    let base = rows.first().and_then(page);
    for row in rows.iter().filter(|row| row.name != Name::BoundHyper) {
        let Some(seconds) = page(row) else { continue };
        let best = over(&row.rounds, |figures| Some(figures.render?.1));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.1} | {} |",
            row.name.title(),
            time(seconds),
            best.map_or_else(dash, time),
            seconds * 1e9 / lines as f64,
            ratio(Some(seconds), base),
        );
    }
    text
}

fn http_table(title: &str, codings: &[Coding], rows: &[Row]) -> String {
    let mut text = format!(
        "\n| {title} | bytes | c1 p50 / p99 | × Meterbox | c8 p50 / p99 | c8 a second | × Meterbox | CPU a scrape | \
         RSS at rest / peak c1 / peak c8 |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    let cell = |row: &Row, coding, of: &dyn Fn(&Cell) -> Option<f64>| {
        over(&row.rounds, |figures| {
            figures
                .cells
                .iter()
                .find(|cell| cell.coding == coding)
                .and_then(of)
        })
    };
    let base = |of: &dyn Fn(&Cell) -> Option<f64>| cell(rows.first()?, codings[0], of);
    let (p50, rate) = (
        |cell: &Cell| Some(cell.one.p50),
        |cell: &Cell| Some(cell.eight.as_ref()?.rate),
    );
    let mut is_empty = true;
    for row in rows {
        for coding in codings {
            let one = |of: &dyn Fn(&Loop) -> f64| cell(row, *coding, &|cell| Some(of(&cell.one)));
            let eight =
                |of: &dyn Fn(&Loop) -> f64| cell(row, *coding, &|cell| cell.eight.as_ref().map(of));
            let Some(bytes) = cell(row, *coding, &|cell| Some(cell.bytes as f64)) else {
                continue;
            };
            is_empty = false;
            let with = if *coding == Coding::CarefulGzip {
                ", zlib-rs 1"
            } else {
                ""
            };
            let rest = over(&row.rounds, |figures| Some(figures.rest as f64));
            let _ = writeln!(
                text,
                "| {}{with} | {} | {} / {} | {} | {} / {} | {} | {} | {} | {} / {} / {} MB |",
                row.name.title(),
                thousands(bytes),
                one(&|one| one.p50).map_or_else(dash, time),
                one(&|one| one.p99).map_or_else(dash, time),
                ratio(one(&|one| one.p50), base(&p50)),
                eight(&|eight| eight.p50).map_or_else(dash, time),
                eight(&|eight| eight.p99).map_or_else(dash, time),
                eight(&|eight| eight.rate).map_or_else(dash, thousands),
                // Inverted: more requests are less time.
                ratio(base(&rate), eight(&|eight| eight.rate)),
                one(&|one| one.cpu).map_or_else(dash, time),
                rest.map_or_else(dash, megabytes),
                one(&|one| one.peak as f64).map_or_else(dash, megabytes),
                eight(&|eight| eight.peak as f64).map_or_else(dash, megabytes),
            );
        }
    }
    if is_empty { String::new() } else { text }
}

pub fn updates(costs: &[Cost]) -> String {
    let mut text = "### Updates\n\n\
        | ns | increment | observation | increment, two threads | observation, two threads |\n\
        | --- | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for Cost { who, nanos } in costs {
        let nanos = nanos.iter().map(|nanos| {
            if nanos.is_nan() {
                dash()
            } else {
                format!("{nanos:.1}")
            }
        });
        let _ = writeln!(
            text,
            "| {who} | {} |",
            nanos.collect::<Vec<_>>().join(" | ")
        );
    }
    text
}

pub fn limits(bytes: usize, limits: &[Limit]) -> String {
    let mut text = format!(
        "### Physical limits\n\n| {} bytes | time | GB/s |\n| --- | ---: | ---: |\n",
        thousands(bytes as f64)
    );
    for Limit { what, seconds } in limits {
        let speed = bytes as f64 / seconds / 1e9;
        let _ = writeln!(text, "| {what} | {} | {speed:.1} |", time(*seconds));
    }
    text
}

/// The median over rounds; `None` where no round has it.
fn over(rounds: &[Figures], of: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = rounds.iter().filter_map(of).collect();
    (!values.is_empty()).then(|| median(&mut values))
}

fn ratio(ours: Option<f64>, base: Option<f64>) -> String {
    match (ours, base) {
        (Some(ours), Some(base)) => format!("{:.2}", ours / base),
        _ => dash(),
    }
}

fn dash() -> String {
    "–".to_owned()
}

/// Three digits and a unit.
pub fn time(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    let digits = if number < 10.0 {
        2
    } else {
        usize::from(number < 100.0)
    };
    format!("{number:.digits$} {unit}")
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0}", bytes / 1e6)
}

/// `1,031,799`; small numbers with a digit behind the point.
pub fn thousands(number: f64) -> String {
    if number < 100.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
