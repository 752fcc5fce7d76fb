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

impl Row {
    /// One coding, round by round.
    fn cells(&self, coding: Coding) -> Vec<&Cell> {
        let cells = self.rounds.iter().flat_map(|figures| &figures.cells);
        cells.filter(|cell| cell.coding == coding).collect()
    }
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
    let least = |row: &Row, of: fn((f64, f64)) -> f64| {
        let rounds = row.rounds.iter().filter_map(|figures| figures.render);
        rounds.map(of).min_by(f64::total_cmp)
    };
    let page = |row: &Row| least(row, |(median, _)| median);
    let base = rows.first().and_then(page);
    for row in rows.iter().filter(|row| row.name != Name::BoundHyper) {
        let Some(seconds) = page(row) else { continue };
        let best = least(row, |(_, best)| best);
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
    let one = |cell: &'_ Cell| Some(cell.one);
    let eight = |cell: &'_ Cell| cell.eight;
    let base = rows.first().map(|row| row.cells(codings[0]));
    let base = base.unwrap_or_default();
    let (base_one, base_eight) = (fastest(&base, one), fastest(&base, eight));
    let mut is_empty = true;
    for row in rows {
        for coding in codings {
            let cells = row.cells(*coding);
            let (Some(first), Some(best_one)) = (cells.first(), fastest(&cells, one)) else {
                continue;
            };
            let best_eight = fastest(&cells, eight);
            let of_eight = |of: fn(Loop) -> f64| best_eight.map(of);
            is_empty = false;
            let with = if *coding == Coding::CarefulGzip {
                ", zlib-rs 1"
            } else {
                ""
            };
            let rests = row.rounds.iter().map(|figures| figures.rest);
            let peak = |of: fn(&Cell) -> Option<Loop>| {
                let peaks = cells.iter().filter_map(|cell| Some(of(cell)?.peak));
                peaks.max().map_or_else(dash, megabytes)
            };
            let _ = writeln!(
                text,
                "| {}{with} | {} | {} / {} | {} | {} / {} | {} | {} | {} | {} / {} / {} MB |",
                row.name.title(),
                thousands(first.bytes as f64),
                time(best_one.p50),
                time(best_one.p99),
                ratio(Some(best_one.p50), base_one.map(|one| one.p50)),
                of_eight(|eight| eight.p50).map_or_else(dash, time),
                of_eight(|eight| eight.p99).map_or_else(dash, time),
                of_eight(|eight| eight.rate).map_or_else(dash, thousands),
                // Inverted: more requests are less time.
                ratio(
                    base_eight.map(|eight| eight.rate),
                    of_eight(|eight| eight.rate)
                ),
                time(best_one.cpu),
                rests.max().map_or_else(dash, megabytes),
                peak(one),
                peak(eight),
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

/// The loop of the round with the most requests: what disturbs, only ever takes time.
fn fastest(cells: &[&Cell], of: impl Fn(&Cell) -> Option<Loop>) -> Option<Loop> {
    let loops = cells.iter().filter_map(|cell| of(cell));
    loops.max_by(|a, b| a.rate.total_cmp(&b.rate))
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

fn megabytes(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / 1e6)
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
