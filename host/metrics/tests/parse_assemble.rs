//! Families of a page as the registry wants them.

#![allow(clippy::unwrap_used, reason = "tests fail that way")]

use meterbox_metrics::{
    Desc, HistogramOptions, HistogramValue, Kind, Sample, SampleValue, SummaryOptions,
    SummaryValue, parse,
};

fn text(page: &str) -> Vec<(Desc, Vec<Sample>)> {
    let families = parse::text(page).unwrap();
    families
        .iter()
        .map(|family| family.assemble().unwrap())
        .collect()
}

fn openmetrics(page: &str) -> (Desc, Vec<Sample>) {
    let families = parse::openmetrics(page).unwrap();
    assert_eq!(families.len(), 1);
    families[0].assemble().unwrap()
}

fn sample(labels: &[&str], value: SampleValue, timestamp_ms: Option<i64>) -> Sample {
    Sample {
        label_values: labels.iter().map(|&value| value.to_owned()).collect(),
        value,
        timestamp_ms,
        created_ms: None,
    }
}

fn numbers(samples: &[Sample]) -> Vec<(Vec<&str>, f64)> {
    samples
        .iter()
        .map(|sample| {
            let labels = sample.label_values.iter().map(String::as_str).collect();
            match sample.value {
                SampleValue::Number(number) => (labels, number),
                _ => panic!("{sample:?}"),
            }
        })
        .collect()
}

#[test]
fn numbers_and_labels() {
    let page = "# HELP a_total Some.\n# TYPE a_total counter\n\
                a_total{x=\"1\"} 5 1520879607789\na_total{y=\"2\",x=\"2\"} 6\nb 7\n";
    let families = text(page);
    let (desc, samples) = &families[0];
    let wanted = Desc::new("a_total", "Some.", Kind::Counter).with_labels(["x", "y"]);
    assert_eq!((desc, desc.check([].into_iter())), (&wanted, Ok(())));
    assert_eq!(
        samples,
        &[
            sample(
                &["1", ""],
                SampleValue::Number(5.0),
                Some(1_520_879_607_789)
            ),
            sample(&["2", "2"], SampleValue::Number(6.0), None),
        ]
    );
    assert_eq!(families[1].0, Desc::new("b", "", Kind::Untyped));
}

#[test]
fn histogram() {
    // Sample name by sample name, as some exporters write it.
    let page = "# TYPE h histogram\n\
        h_bucket{x=\"1\",le=\"0.5\"} 1\nh_bucket{x=\"1\",le=\"+Inf\"} 2\n\
        h_bucket{x=\"2\",le=\"0.5\"} 3\nh_bucket{x=\"2\",le=\"+Inf\"} 4\n\
        h_sum{x=\"1\"} 5\nh_sum{x=\"2\"} 6\nh_count{x=\"1\"} 2\nh_count{x=\"2\"} 4\n";
    let (desc, samples) = text(page).remove(0);
    let kind = Kind::Histogram(HistogramOptions {
        bounds: vec![0.5],
        native: None,
    });
    assert_eq!(desc, Desc::new("h", "", kind).with_labels(["x"]));
    let value = |count, sum, bucket| {
        SampleValue::Histogram(HistogramValue {
            count,
            sum,
            buckets: vec![bucket],
        })
    };
    assert_eq!(
        samples,
        [
            sample(&["1"], value(2.0, 5.0, 1.0), None),
            sample(&["2"], value(4.0, 6.0, 3.0), None),
        ]
    );
}

#[test]
fn histograms_of_one_family_have_the_same_buckets() {
    let page = "# TYPE h histogram\n\
        h_bucket{x=\"1\",le=\"0.5\"} 1\nh_bucket{x=\"1\",le=\"+Inf\"} 2\n\
        h_bucket{x=\"2\",le=\"+Inf\"} 4\n# EOF\n";
    let families = parse::openmetrics(page).unwrap();
    assert_eq!(
        families[0].assemble().unwrap_err().to_string(),
        "histogram \"h\" has series with different buckets; give all of them the same bounds"
    );
}

#[test]
fn label_names_are_bounded() {
    let page: String = (0..200).map(|n| format!("a{{l{n}=\"x\"}} 1\n")).collect();
    let families = parse::text(&page).unwrap();
    assert_eq!(
        families[0].assemble().unwrap_err().to_string(),
        "metric \"a\" has more than 128 different label names; give its series the same labels"
    );
}

#[test]
fn summary() {
    let page = "# TYPE s summary\ns_count 17\ns{quantile=\"0.9\"} 2\ns{quantile=\"0.5\"} 1\n\
                s_sum 3\n# EOF\n";
    let (desc, samples) = openmetrics(page);
    let kind = Kind::Summary(SummaryOptions::default());
    assert_eq!(desc, Desc::new("s", "", kind));
    let value = SummaryValue {
        count: 17.0,
        sum: 3.0,
        quantiles: vec![(0.5, 1.0), (0.9, 2.0)],
    };
    assert_eq!(samples, [sample(&[], SampleValue::Summary(value), None)]);
}

#[test]
fn openmetrics_names_units_and_times() {
    let page = "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n\
                a_seconds_total 1 1520879607.789\na_seconds_created 5 1520879607.789\n# EOF\n";
    let (desc, samples) = openmetrics(page);
    let wanted = Desc {
        unit: Some("seconds".to_owned()),
        ..Desc::new("a_seconds_total", "", Kind::Counter)
    };
    assert_eq!((&desc, desc.check([].into_iter())), (&wanted, Ok(())));
    let value = SampleValue::Number(1.0);
    let wanted = Sample {
        created_ms: Some(5000),
        ..sample(&[], value, Some(1_520_879_607_789))
    };
    assert_eq!(samples, [wanted]);
}

#[test]
fn info_and_state_set() {
    let (desc, samples) = openmetrics("# TYPE a info\na_info{v=\"1\"} 1\n# EOF\n");
    assert_eq!(desc, Desc::new("a_info", "", Kind::Info).with_labels(["v"]));
    assert_eq!(numbers(&samples), [(vec!["1"], 1.0)]);

    let page = "# TYPE a stateset\na{a=\"on\"} 1 1\na{a=\"off\"} 0 1\n\
                a{a=\"on\"} 0 2\na{a=\"off\"} 1 2\n# EOF\n";
    let (desc, samples) = openmetrics(page);
    assert_eq!(desc, Desc::new("a", "", Kind::Gauge).with_labels(["a"]));
    assert_eq!(numbers(&samples), [(vec!["on"], 0.0), (vec!["off"], 1.0)]);
}

#[test]
fn the_last_point_counts() {
    let (_, samples) = openmetrics("# TYPE a gauge\na 1 1\na 2 2\n# EOF\n");
    assert_eq!(samples, [sample(&[], SampleValue::Number(2.0), Some(2000))]);
}

#[test]
fn creation_times_and_exemplars() {
    let page = "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1 # {t=\"a\"} 0.5 123\n\
                h_bucket{le=\"+Inf\"} 2 # {t=\"b\"} 2\nh_sum 3\nh_count 2\nh_created 5.5\n# EOF\n";
    let families = parse::openmetrics(page).unwrap();
    let metrics = families[0].metrics();
    assert_eq!(metrics[0].created, Some(5.5));
    let exemplars: Vec<_> = metrics[0]
        .exemplars
        .iter()
        .map(|(bucket, exemplar)| (*bucket, exemplar.labels[0].value(), exemplar.value))
        .collect();
    assert_eq!(exemplars, [(0, "a".into(), 0.5), (1, "b".into(), 2.0)]);
}

#[test]
fn samples_know_their_lines() {
    let page = "# TYPE h histogram\n  h_bucket{le=\"+Inf\"} 2\nh_count 2\n";
    let families = parse::text(page).unwrap();
    let samples: Vec<_> = families[0].samples().collect();
    assert_eq!(samples[0].name(), "h_bucket");
    assert!(page[samples[0].offset..].starts_with("h_bucket"));
    assert!(page[samples[1].offset..].starts_with("h_count"));
}
