//! The frog pond, whose numbers client_golang documents: a thousand observations of 30 + floor(120 sin(i / 10)) / 10.

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, Page};

const NAME: &str = "pond_temperature_celsius";
const HELP: &str = "The temperature of the frog pond.";

fn observations() -> Vec<f64> {
    (0..1000)
        .map(|i| 30.0 + (120.0 * (f64::from(i) * 0.1).sin()).floor() / 10.0)
        .collect()
}

fn check_count_and_sum(page: &Page, name: &str) {
    assert_eq!(page.printed(&format!("{name}_count"), &[]), "1000");
    assert_eq!(
        page.printed(&format!("{name}_sum"), &[]),
        "29969.50000000001"
    );
}

#[test]
fn the_histogram_is_client_golangs() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let page = host.scrape()?;
    let family = page.expect(NAME, "histogram", HELP)?;
    let buckets: Vec<_> = family
        .samples
        .iter()
        .filter(|sample| sample.name.ends_with("_bucket"))
        .collect();
    assert_eq!(
        buckets
            .iter()
            .map(|bucket| (bucket.label("le"), &*bucket.printed))
            .collect::<Vec<_>>(),
        [
            ("20", "192"),
            ("25", "366"),
            ("30", "501"),
            ("35", "638"),
            ("40", "816"),
            ("+Inf", "1000")
        ]
    );
    check_count_and_sum(&page, NAME);
    Ok(())
}

#[test]
fn the_summarys_quantiles_keep_their_rank_error() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let page = host.scrape()?;
    let name = format!("summary_{NAME}");
    page.expect(&name, "summary", HELP)?;
    check_count_and_sum(&page, &name);
    let data = observations();
    for (quantile, error) in [(0.5, 0.05), (0.9, 0.01), (0.99, 0.001)] {
        let value = page.number(&name, &[("quantile", &quantile.to_string())])?;
        // A value that was observed often has many ranks; one of them has to be near enough.
        let below = data.iter().filter(|x| **x < value).count();
        let upto = data.iter().filter(|x| **x <= value).count();
        ensure!(upto > below, "{value} was never observed");
        let size = data.len() as f64;
        let (least, most) = ((quantile - error) * size, (quantile + error) * size);
        ensure!(
            upto as f64 >= least.floor() && (below + 1) as f64 <= most.ceil(),
            "{quantile}: {value} has the ranks {} to {upto}, not {least} to {most}",
            below + 1
        );
    }
    Ok(())
}

/// Both in one exporter have one name and two types.
#[test]
fn both_without_a_prefix_are_refused() -> Result<()> {
    let refusal = Meterbox::with("pond_histogram", "pond_histogram", "")
        .and("pond_summary", "pond_summary", "")
        .refused()?;
    refusal.expect(78, &["pond_histogram", "pond_summary", NAME])
}

/// The sum above is that of the data here, added in order.
#[test]
fn the_data_is_the_documented_one() -> Result<()> {
    let data = observations();
    assert_eq!(data.iter().sum::<f64>().to_string(), "29969.50000000001");
    assert_eq!(data.iter().filter(|x| **x <= 20.0).count(), 192);
    let most = data
        .iter()
        .copied()
        .reduce(f64::max)
        .context("there is data")?;
    assert_eq!(most, 41.9);
    Ok(())
}
