//! Pages as scripts write them.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use meterbox_metrics::parse;

#[test]
fn lines_of_a_family_come_together() {
    let page = "\
        # a remark\n\
        a 1\n\
        # TYPE h histogram\n\
        h_bucket{le=\"1\"} 1\n\
        b 2\n\
        \n\
        h_bucket{le=\"+Inf\"} 2\n\
        a{x=\"1\"} 3\n\
        h_count 2\n\
        # HELP a Late.\n\
        h_sum 3\n";
    assert!(parse::text(page).is_err());
    let tidy = parse::tidy(page).unwrap();
    assert_eq!(
        tidy.text,
        "# HELP a Late.\n\
         a 1\n\
         a{x=\"1\"} 3\n\
         # TYPE h histogram\n\
         h_bucket{le=\"1\"} 1\n\
         h_bucket{le=\"+Inf\"} 2\n\
         h_count 2\n\
         h_sum 3\n\
         b 2\n"
    );
    assert_eq!(parse::text(&tidy.text).unwrap().len(), 3);
}

#[test]
fn the_first_of_equal_series_counts() {
    let page = "a 1\na 2\na{x=\"\"} 3\na{x=\"1\",y=\"2\"} 4\na{y=\"2\",x=\"1\"} 5\na{x=\"2\"} 6\n";
    let tidy = parse::tidy(page).unwrap();
    assert_eq!(tidy.repeated, [2, 3, 5]);
    assert_eq!(tidy.text, "a 1\na{x=\"1\",y=\"2\"} 4\na{x=\"2\"} 6\n");
}

/// `h_count` is a family of its own where nothing says before that `h` is a histogram.
#[test]
fn a_suffix_belongs_to_what_was_declared_before() {
    let tidy = parse::tidy("h_count 1\n# TYPE h gauge\nh 1\nh_sum 1\n").unwrap();
    assert_eq!(tidy.text, "h_count 1\n# TYPE h gauge\nh 1\nh_sum 1\n");
}

#[test]
fn errors_are_where_the_original_has_them() {
    let page = "a 1\nb 1\na{x=\"1\"} one\n";
    let tidy = parse::tidy(page).unwrap();
    let error = tidy.locate(parse::text(&tidy.text).unwrap_err());
    assert_eq!((error.line, error.column), (3, 10), "{error}");

    let error = parse::tidy("a 1\nb{x=\"1} 1\n").unwrap_err();
    assert_eq!(error.line, 2, "{error}");

    // It would be glued to the line behind it.
    let error = parse::tidy("a 1\nb 1\na{x=\"1\"} 1").unwrap_err();
    assert_eq!((error.line, error.column), (3, 11), "{error}");

    // Not dropped: the reader has to see its time.
    let tidy = parse::tidy("a 1\na 2 1000\n").unwrap();
    let error = tidy.locate(parse::text(&tidy.text).unwrap_err());
    assert_eq!(error.line, 2, "{error}");

    // A type that comes too late stays where it is.
    let tidy = parse::tidy("a 1\nb 1\n# TYPE a counter\n").unwrap();
    let error = tidy.locate(parse::text(&tidy.text).unwrap_err());
    assert_eq!(error.line, 3, "{error}");
}

/// What every encoder writes is in order already.
#[test]
fn a_page_in_order_says_the_same_afterwards() {
    let page = include_str!("golden/sampled.text.txt");
    let tidy = parse::tidy(page).unwrap();
    assert_eq!(tidy.repeated, [0; 0]);
    let assembled = |page: &str| -> Vec<_> {
        let families = parse::text(page).unwrap();
        let all = families.iter().map(|family| family.assemble().unwrap());
        all.map(|(desc, samples)| format!("{desc:?} {samples:?}"))
            .collect()
    };
    assert_eq!(assembled(&tidy.text), assembled(page));
}
