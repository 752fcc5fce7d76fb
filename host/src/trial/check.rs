//! Collects some times and says what an operator would stumble over.

use std::{collections::BTreeMap, time::Duration};

use meterbox_metrics::{
    Kind, Page,
    encode::{Escaping, Format},
    parse::{self, ParsedFamily, ParsedKind, Problem},
};

use super::{LimitUse, Trial};
use crate::{Fault, config::Limit};

/// A family with more series than this is worth a second thought.
const MANY_SERIES: usize = 10_000;

/// Whoever takes more of a limit than this part will soon meet it.
const NEAR: f64 = 0.8;

/// What a check has found.
#[derive(Clone, Debug)]
pub struct Check {
    /// The page after the last collect, the plugin's families alone.
    pub page: Page,
    /// How long collects took, those that failed included.
    pub collects: Spread,
    /// How many ticks were made.
    pub ticks: usize,
    /// Every fault, in order.
    pub faults: Vec<Fault>,
    /// Instances that were made in place of those that faults cost.
    pub restarts: usize,
    /// Families that were refused and left out, with the reason, each once. An operator would see them missing.
    pub refused: Vec<String>,
    /// What could be better, sorted by family: promtool's advice, and ours.
    pub advice: Vec<Problem>,
    /// Series on the last page.
    pub series: usize,
    /// Bytes of linear memory.
    pub memory: u64,
    /// What it takes of its limits.
    pub used: Vec<LimitUse>,
    /// The limits that it met, and how often.
    pub met: Vec<(Limit, u64)>,
    /// Log lines that were dropped.
    pub log_lines_dropped: u64,
}

/// Least, middle and most of some times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread {
    /// The shortest.
    pub least: Duration,
    /// Half of them are longer.
    pub median: Duration,
    /// The longest.
    pub most: Duration,
}

impl Spread {
    /// Of any number of times; all zero of none.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |place: usize| times.get(place).copied().unwrap_or_default();
        Self {
            least: at(0),
            median: at(times.len() / 2),
            most: at(times.len().saturating_sub(1)),
        }
    }
}

impl Check {
    /// Whether nothing failed and nothing was refused.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.refused.is_empty()
    }
}

/// Collects `runs` times, with a tick before each but the first if the plugin has a schedule, and reads the pages as
/// Prometheus would.
pub async fn check(trial: &mut Trial, runs: usize) -> Check {
    let (mut times, mut ticks) = (Vec::with_capacity(runs), 0);
    let (mut faults, mut refused): (Vec<Fault>, Vec<String>) = (Vec::new(), Vec::new());
    let mut advice = Vec::new();
    let mut counters = BTreeMap::new();
    for run in 0..runs {
        if run > 0 && trial.interval().is_some() {
            ticks += 1;
            faults.extend(trial.tick().await.err());
        }
        let collected = trial.collect().await;
        times.push(collected.took);
        for reason in collected.refused {
            if !refused.contains(&reason) {
                refused.push(reason);
            }
        }
        let failed = collected.fault.is_some();
        faults.extend(collected.fault);
        let page = trial.page().to_bytes(Format::Text, Escaping::AllowUtf8);
        let text = String::from_utf8_lossy(&page);
        match parse::text(&text) {
            Ok(families) if !failed => counters_go_up(&families, &mut counters, &mut advice),
            Ok(_) => {}
            Err(error) => advice.push(problem("", format!("the page cannot be read: {error}"))),
        }
    }
    let page = trial.page();
    read(trial, &page, faults.is_empty(), &mut advice);
    let used = trial.limits_used();
    for LimitUse { limit, used, most } in &used {
        if *used > NEAR * most {
            let percent = 100.0 * used / most;
            let text = format!("takes {percent:.0} % of limits.{limit}");
            advice.push(problem("(the plugin)", text));
        }
    }
    advice.sort_unstable();
    advice.dedup();
    Check {
        page,
        collects: Spread::of(times),
        ticks,
        faults,
        restarts: trial.restarts(),
        refused,
        advice,
        series: trial.series(),
        memory: trial.memory(),
        used,
        met: trial.limits_met(),
        log_lines_dropped: trial.log_lines_dropped(),
    }
}

fn problem(metric: impl Into<String>, text: impl Into<String>) -> Problem {
    Problem {
        metric: metric.into(),
        text: text.into(),
    }
}

/// What the last page and the families behind it say. After a fault it may lack some.
fn read(trial: &Trial, page: &Page, is_whole: bool, advice: &mut Vec<Problem>) {
    let bytes = page.to_bytes(Format::Text, Escaping::AllowUtf8);
    let text = String::from_utf8_lossy(&bytes);
    let families = parse::text(&text).unwrap_or_default();
    advice.extend(parse::lint(&families));
    let openmetrics = page.to_bytes(Format::OpenMetrics100, Escaping::AllowUtf8);
    if let Err(error) = parse::openmetrics(&String::from_utf8_lossy(&openmetrics)) {
        advice.push(problem("", format!("OpenMetrics cannot be read: {error}")));
    }
    for desc in trial.families() {
        // The page has the operator's prefix before it.
        let found = families.iter().find(|on| on.name.ends_with(&desc.name));
        let series = found.map_or(0, |family| family.metrics().len());
        if series == 0 && is_whole {
            let text =
                "no series yet; if its labels are known, make them at the start with the value 0";
            advice.push(problem(&desc.name, text));
        } else if series > MANY_SERIES {
            let text = format!("{series} series; are its label values bounded?");
            advice.push(problem(&desc.name, text));
        }
        if matches!(desc.kind, Kind::Histogram(ref options) if options.bounds.is_empty() && options.native.is_some())
        {
            let text = "readers of text see no buckets of a histogram that is native only; give it bounds, too";
            advice.push(problem(&desc.name, text));
        }
        if !meterbox_metrics::is_legacy_metric_name(&desc.name) {
            let text = "readers that do not ask for UTF-8 see another name";
            advice.push(problem(&desc.name, text));
        }
    }
    for family in &families {
        if family.samples().any(|sample| sample.timestamp.is_some()) {
            let text =
                "has timestamps; Prometheus then keeps a series for 5 minutes after its last one";
            advice.push(problem(family.name.clone(), text));
        }
    }
}

/// A counter that goes down reads as a restart, and as a jump in every rate.
fn counters_go_up(
    families: &[ParsedFamily<'_>],
    before: &mut BTreeMap<String, f64>,
    advice: &mut Vec<Problem>,
) {
    for family in families {
        if family.kind != ParsedKind::Counter {
            continue;
        }
        for sample in family.samples() {
            let series = format!("{}{:?}", family.name, sample.labels);
            let last = before.insert(series, sample.value);
            if last.is_some_and(|last| sample.value < last) {
                let text = "a counter went down between two collects";
                advice.push(problem(family.name.clone(), text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_its_middle() {
        let millis = |all: &[u64]| all.iter().copied().map(Duration::from_millis).collect();
        let spread = Spread::of(millis(&[3, 1, 2]));
        assert_eq!(
            [spread.least, spread.median, spread.most].map(|time| time.as_millis()),
            [1, 2, 3]
        );
        assert_eq!(Spread::of(Vec::new()).most, Duration::ZERO);
    }

    #[test]
    fn counters_that_go_down_are_named_by_series() {
        let (mut before, mut advice) = (BTreeMap::new(), Vec::new());
        let pages = [
            "# TYPE a_total counter\na_total{l=\"1\"} 5\na_total{l=\"2\"} 1\n",
            "# TYPE a_total counter\na_total{l=\"1\"} 5\na_total{l=\"2\"} 2\n",
        ];
        for page in pages {
            let families = parse::text(page).expect("a page");
            counters_go_up(&families, &mut before, &mut advice);
        }
        assert!(advice.is_empty(), "{advice:?}");
        let families = parse::text("# TYPE a_total counter\na_total{l=\"1\"} 4\n").expect("a page");
        counters_go_up(&families, &mut before, &mut advice);
        assert_eq!(
            advice,
            [problem(
                "a_total",
                "a counter went down between two collects"
            )]
        );
    }
}
