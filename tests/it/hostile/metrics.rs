//! Plugins that abuse their metrics: what breaks the rules is refused, what is merely odd is escaped.

use anyhow::{Context, Result, ensure};

use super::{Guest, guest, guest_with, logs, scrape, succeeds};

/// Texts of a family and its samples, as `forges.wat` takes them.
struct Forged<'a> {
    name: &'a str,
    help: &'a str,
    label: &'a str,
    /// Label names and values; those after the first are empty.
    labels: u32,
    value: &'a str,
    samples: u32,
    /// The first sample's.
    family: u32,
}

/// Nothing is wrong with it.
const GOOD: Forged<'static> = Forged {
    name: "forged",
    help: "Help.",
    label: "label",
    labels: 1,
    value: "value",
    samples: 1,
    family: 0,
};

impl Forged<'_> {
    fn guest(&self) -> Result<Guest> {
        let length = |text: &str| bytes(&(text.len() as u32).to_le_bytes());
        let words = [
            ("NAME_LENGTH", length(self.name)),
            ("NAME_TEXT", bytes(self.name.as_bytes())),
            ("HELP_LENGTH", length(self.help)),
            ("HELP_TEXT", bytes(self.help.as_bytes())),
            ("LABEL_LENGTH", length(self.label)),
            ("LABEL_TEXT", bytes(self.label.as_bytes())),
            ("LABELS", bytes(&self.labels.to_le_bytes())),
            ("VALUE_LENGTH", length(self.value)),
            ("VALUE_TEXT", bytes(self.value.as_bytes())),
            ("SAMPLES", bytes(&self.samples.to_le_bytes())),
            ("FAMILY", bytes(&self.family.to_le_bytes())),
        ];
        let words: Vec<_> = words.iter().map(|(word, by)| (*word, &**by)).collect();
        guest_with("forges", &words)
    }

    /// The start is refused in a sentence that has these words.
    fn is_refused(&self, words: &[&str]) -> Result<()> {
        self.guest()?.beside_others("").refused()?.expect(78, words)
    }

    /// The samples are left out for this reason, and the log has these words.
    fn is_left_out(&self, reason: &str, words: &[&str]) -> Result<()> {
        let host = self.guest()?.beside_others("").start()?;
        for scrapes in ["1", "2"] {
            let page = scrape(&host)?;
            ensure!(succeeds(&page)?, "it fails");
            ensure!(page.family("forged").is_err(), "the samples are there");
            let labels = [("plugin", "hostile"), ("reason", reason)];
            let rejected = page.printed("meterbox_rejected_families_total", &labels);
            assert_eq!(rejected, scrapes, "{reason}");
        }
        logs(&host, words)
    }
}

/// As a string of the text format has them.
fn bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// What makes the tests below able to fail.
#[test]
fn nothing_is_wrong_with_this_one() -> Result<()> {
    let host = GOOD.guest()?.beside_others("").start()?;
    let page = scrape(&host)?;
    assert_eq!(page.printed("forged", &[("label", "value")]), "7");
    assert_eq!(page.family("forged")?.help, "Help.");
    Ok(())
}

#[test]
fn samples_against_the_rules_are_left_out() -> Result<()> {
    let samples = 2;
    let twice = Forged { samples, ..GOOD };
    twice.is_left_out("duplicate", &["forged", "collected before"])?;
    for family in [1, u32::MAX] {
        let unknown = Forged { family, ..GOOD };
        let words = format!("family number {family}");
        unknown.is_left_out("unknown_family", &[&words])?;
    }
    let value = &"v".repeat(2049);
    let long = Forged { value, ..GOOD };
    long.is_left_out("limit", &["forged", "label values are longer"])
}

#[test]
fn families_of_others_are_refused() -> Result<()> {
    // Of a plugin, of a histogram's samples, of the exporter.
    let cases = [
        ("http_requests_total", "counter_vec"),
        ("pond_temperature_celsius_count", "pond"),
        ("meterbox_plugin_up", "meterbox"),
    ];
    for (name, by) in cases {
        let clash = Forged { name, ..GOOD };
        clash.is_refused(&["hostile", name, by]).context(name)?;
    }
    Ok(())
}

#[test]
fn families_that_are_too_large_are_refused() -> Result<()> {
    let labels = 33;
    let labels = Forged { labels, ..GOOD };
    labels.is_refused(&["plugins.hostile.limits.labels"])?;
    let help = &"h".repeat(5000);
    let help = Forged { help, ..GOOD };
    help.is_refused(&["plugins.hostile.limits.desc-bytes"])
}

/// Texts that would end their line, their quotes or their family, and begin others.
#[test]
fn pages_cannot_be_forged() -> Result<()> {
    let forged = Forged {
        name: "forged 1\nfake{a=\"b\"} 1\n# EOF\n",
        help: "Help.\nfake 1\n# TYPE fake counter\n\\n \\",
        label: "l\"} 1\nfake{l=\"",
        value: "v\"} 1\nfake 1\n# EOF\n\\\"} \\",
        ..GOOD
    };
    let host = forged.guest()?.beside_others("").start()?;
    // It is read strictly.
    let page = scrape(&host)?;
    let family = page
        .families
        .iter()
        .find(|family| family.name.starts_with("forged"))
        .context("it is left out")?;
    assert_eq!(family.help, forged.help);
    assert_eq!(family.samples.len(), 1);
    let values: Vec<_> = family.samples[0].labels.values().collect();
    assert_eq!(values, [forged.value]);
    for accept in [
        "text/plain; version=1.0.0; escaping=allow-utf-8",
        "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8",
        "application/openmetrics-text; version=1.0.0; escaping=values",
    ] {
        let response = host.request("GET", "/metrics", &[("accept", accept)])?;
        let text = response.text()?;
        ensure!(text.contains("forged"), "{accept}: it is left out");
        let fake = |line: &str| line.trim_start_matches("# TYPE ").starts_with("fake");
        ensure!(!text.lines().any(fake), "{accept}:\n{text}");
        let ends = text.lines().filter(|line| *line == "# EOF").count();
        let is_openmetrics = accept.contains("openmetrics");
        assert_eq!(ends, usize::from(is_openmetrics), "{accept}");
    }
    Ok(())
}

/// The guest is told of each mistake, and what it does besides counts.
#[test]
fn counters_never_fall() -> Result<()> {
    for (last, shown) in [("0.5", "1"), ("inf", "+Inf")] {
        let hostile = guest_with("misuses_counters", &[("LAST", last)])?;
        let host = hostile.beside_others("").start()?;
        scrape(&host)?;
        // Once more, in the same instance.
        let page = scrape(&host)?;
        ensure!(succeeds(&page)?, "{}", host.log().join("\n"));
        assert_eq!(page.printed("misused_total", &[]), shown);
    }
    Ok(())
}

/// A call that traps has sent nothing.
#[test]
fn what_is_counted_before_a_trap_is_not() -> Result<()> {
    let returns = guest_with("traps_after_counting", &[("END", "(i32.const 0)")])?;
    let host = returns.beside_others("").start()?;
    assert_eq!(scrape(&host)?.printed("counted_total", &[]), "5");
    let traps = guest_with("traps_after_counting", &[("END", "(unreachable)")])?;
    let host = traps.fails("", "trap", "unreachable")?;
    ensure!(scrape(&host)?.family("counted_total").is_err());
    Ok(())
}

/// The guest is told, and goes on with what it has.
#[test]
fn series_are_bounded() -> Result<()> {
    let hostile = guest("opens_a_million")?;
    let host = hostile.beside_others("limits.series = 1000").start()?;
    for _ in 0..2 {
        let page = scrape(&host)?;
        let opened = page.family("opened")?.samples.len();
        ensure!(opened == 1000, "{opened} series");
        let success = [("plugin", "hostile")];
        assert_eq!(
            page.printed("meterbox_plugin_collect_success", &success),
            "1"
        );
    }
    Ok(())
}
