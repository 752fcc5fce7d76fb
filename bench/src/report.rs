//! Numbers as people read them, and the tables.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    check::Difference,
    coding::Coding,
    limits::Limit,
    measure::Loop,
    peers::Name,
    rows::{Lane, Row, Sum, Times},
    updates::Cost,
    workload::Workload,
};

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

/// Of ascending values; between two of them, in proportion.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = sorted.len().saturating_sub(1) as f64 * part;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    at(place.floor()) + (at(place.ceil()) - at(place.floor())) * place.fract()
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
    let base = rows.first().map(|row| &row.in_memory);
    for row in rows.iter().filter(|row| row.name != Name::BoundHyper) {
        let mut pages: Vec<f64> = row.in_memory.values().map(|(median, _)| *median).collect();
        let Some(best) = row
            .in_memory
            .values()
            .map(|(_, best)| *best)
            .min_by(f64::total_cmp)
        else {
            continue;
        };
        let page = median(&mut pages);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.1} | {} |",
            row.name.title(),
            time(page),
            time(best),
            page * 1e9 / lines as f64,
            ratio(
                base.and_then(|base| Times::between(&row.in_memory, base, |(median, _)| *median))
            ),
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
    let against_base = |row: &Row, coding, clients, of: fn(&Loop) -> f64| {
        let lane = row.lanes.get(&(coding, clients))?;
        let base = rows.first()?.lanes.get(&(codings[0], clients))?;
        Times::between(&lane.turns, &base.turns, of)
    };
    // Both as seconds of one request; of eight connections, of one request among the others.
    let of_one = |turn: &Loop| quantile(&turn.latencies, 0.5);
    let of_eight = |turn: &Loop| turn.elapsed / turn.latencies.len() as f64;
    let mut is_empty = true;
    for row in rows {
        for coding in codings {
            let Some(lane) = row.lanes.get(&(*coding, 1)) else {
                continue;
            };
            is_empty = false;
            let one = lane.sum();
            let eight = row.lanes.get(&(*coding, 8)).map(Lane::sum);
            let eight = |of: fn(&Sum) -> String| eight.as_ref().map_or_else(dash, of);
            let with = if *coding == Coding::CarefulGzip {
                ", zlib-rs 1"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "| {}{with} | {} | {} / {} | {} | {} / {} | {} | {} | {} | {} / {} / {} MB |",
                row.name.title(),
                thousands(lane.bytes as f64),
                time(one.p50),
                time(one.p99),
                ratio(against_base(row, *coding, 1, of_one)),
                eight(|sum| time(sum.p50)),
                eight(|sum| time(sum.p99)),
                eight(|sum| thousands(sum.rate)),
                ratio(against_base(row, *coding, 8, of_eight)),
                time(one.cpu),
                megabytes(row.rest),
                megabytes(one.peak),
                eight(|sum| megabytes(sum.peak)),
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

/// `1.23 (1.20–1.31)`: the median and the quartiles, or the one turn that there was.
pub fn ratio(times: Option<Times>) -> String {
    times.map_or_else(
        dash,
        |Times {
             median,
             quartiles: (low, high),
         }| {
            let spread = format!(" ({}–{})", digits(low), digits(high));
            digits(median) + if low < high { &spread } else { "" }
        },
    )
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
    format!("{} {unit}", digits(number))
}

fn digits(number: f64) -> String {
    let digits = if number < 10.0 {
        2
    } else {
        usize::from(number < 100.0)
    };
    format!("{number:.digits$}")
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
