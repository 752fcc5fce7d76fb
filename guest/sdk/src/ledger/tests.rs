//! The ledger against a host that writes down what it is told.

use std::cell::RefCell;
use std::rc::Rc;

use super::Ledger;
use crate::child::Child;
use crate::columns::BATCH;
use crate::host::{Host, InstrumentError};
use crate::instruments::sealed::FromChild;
use crate::{Counter, CounterVec, Exemplar, Gauge, Histogram};

/// What the host was told, one line for each call.
#[derive(Clone, Default)]
struct Book(Rc<RefCell<Vec<String>>>);

impl Book {
    fn note(&self, line: String) {
        self.0.borrow_mut().push(line);
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// Numbers series in the order they are opened. Refuses the label value `refused`; removing finds nothing, removing
/// many finds two.
impl Host for Book {
    fn open(&self, family: u32, labels: &[&str]) -> Result<u32, InstrumentError> {
        if labels == ["refused"] {
            return Err(InstrumentError::Limit("too many series".into()));
        }
        self.note(format!("open {family} {labels:?}"));
        Ok(self
            .0
            .borrow()
            .iter()
            .filter(|line| line.starts_with("open"))
            .count() as u32)
    }

    fn remove(&self, family: u32, labels: &[&str]) -> Result<bool, InstrumentError> {
        self.note(format!("remove {family} {labels:?}"));
        Ok(false)
    }

    fn remove_matching(
        &self,
        family: u32,
        labels: &[(&str, &str)],
    ) -> Result<u32, InstrumentError> {
        self.note(format!("remove_matching {family} {labels:?}"));
        Ok(2)
    }

    fn clear(&self, family: u32) -> Result<(), InstrumentError> {
        self.note(format!("clear {family}"));
        Ok(())
    }

    fn add(&self, series: &[u32], by: &[f64]) -> Result<(), InstrumentError> {
        self.note(format!("add {series:?} {by:?}"));
        Ok(())
    }

    fn set(&self, series: &[u32], to: &[f64]) -> Result<(), InstrumentError> {
        self.note(format!("set {series:?} {to:?}"));
        Ok(())
    }

    fn observe(&self, series: &[u32], values: &[f64]) -> Result<(), InstrumentError> {
        self.note(match values.len() {
            few @ 0..10 => format!("observe {:?} {values:?}", &series[..few]),
            many => format!("observe {many}"),
        });
        Ok(())
    }
}

fn connected() -> (Book, Rc<Ledger>) {
    let book = Book::default();
    let ledger = Ledger::new(book.clone());
    ledger.connect();
    (book, ledger)
}

fn single<M: FromChild>(ledger: &Rc<Ledger>, family: u32) -> M {
    M::from_child(Child::new(ledger, family, [].into()))
}

#[test]
fn increments_fold_into_one_column() {
    let (book, ledger) = connected();
    let vec = CounterVec::new(&ledger, 7, &["code"]);
    let (ok, failed) = (
        vec.with_label_values(&["200"]),
        vec.with_label_values(&["500"]),
    );
    for _ in 0..1000 {
        ok.inc();
    }
    failed.inc_by(0.5);
    vec.with_label_values(&["200"]).inc();
    assert_eq!(
        book.take(),
        [""; 0],
        "nothing crosses the boundary before the end of the call"
    );

    ledger.settle().unwrap();
    let expected = [
        r#"open 7 ["200"]"#,
        r#"open 7 ["500"]"#,
        "add [1, 2] [1001.0, 0.5]",
    ];
    assert_eq!(book.take(), expected);

    ledger.settle().unwrap();
    assert_eq!(book.take(), [""; 0], "nothing changed, nothing sent");

    failed.inc();
    ledger.settle().unwrap();
    assert_eq!(book.take(), ["add [2] [1.0]"]);
}

#[test]
fn an_untouched_instrument_is_opened_to_show_zero() {
    let (book, ledger) = connected();
    let _counter: Counter = single(&ledger, 0);
    ledger.settle().unwrap();
    assert_eq!(book.take(), ["open 0 []"]);
}

#[test]
fn a_gauge_adds_until_it_is_set() {
    let (book, ledger) = connected();
    let [added, set, mixed]: [Gauge; 3] = std::array::from_fn(|at| single(&ledger, at as u32));
    added.add(3.0);
    added.dec();
    set.set(1.0);
    set.set(f64::INFINITY);
    mixed.add(1000.0);
    mixed.set(20.0);
    mixed.sub(0.5);
    ledger.settle().unwrap();
    assert_eq!(
        book.take()[3..],
        ["add [1] [2.0]", "set [2, 3] [inf, 19.5]"]
    );

    set.inc();
    ledger.settle().unwrap();
    assert_eq!(
        book.take(),
        ["add [2] [1.0]"],
        "that it was set is forgotten"
    );
}

#[test]
fn observations_keep_their_order() {
    let (book, ledger) = connected();
    let [a, b]: [Histogram; 2] = std::array::from_fn(|at| single(&ledger, at as u32));
    b.observe(1.0);
    a.observe(2.0);
    b.observe(3.0);
    ledger.settle().unwrap();
    assert_eq!(book.take()[2..], ["observe [2, 1, 2] [1.0, 2.0, 3.0]"]);
}

#[test]
fn many_observations_are_sent_early() {
    let (book, ledger) = connected();
    let histogram: Histogram = single(&ledger, 0);
    for _ in 0..=BATCH {
        histogram.observe(1.0);
    }
    assert_eq!(
        book.take(),
        ["open 0 []".to_owned(), format!("observe {BATCH}")]
    );
    ledger.settle().unwrap();
    assert_eq!(book.take(), ["observe [1] [1.0]"]);
}

#[test]
fn before_describe_returns_everything_waits() {
    let book = Book::default();
    let ledger = Ledger::new(book.clone());
    let histogram: Histogram = single(&ledger, 0);
    let vec = CounterVec::new(&ledger, 1, &["code"]);
    for _ in 0..=BATCH {
        histogram.observe(1.0);
    }
    vec.with_label_values(&["200"]).inc();
    assert!(vec.delete_label_values(&["200"]));
    assert!(!vec.delete_label_values(&["200"]));
    vec.with_label_values(&["200"]).inc();
    assert_eq!(vec.delete_partial_match(&[("code", "200")]), 1);
    vec.reset();
    assert_eq!(book.take(), [""; 0]);

    ledger.connect();
    ledger.settle().unwrap();
    let sent = [
        "open 0 []".to_owned(),
        format!("observe {BATCH}"),
        "observe [1] [1.0]".to_owned(),
    ];
    assert_eq!(book.take(), sent);
}

#[test]
fn a_deleted_child_stays_dead() {
    let (book, ledger) = connected();
    let vec = CounterVec::new(&ledger, 0, &["code"]);
    let held = vec.with_label_values(&["200"]);
    held.inc();
    assert!(
        vec.delete_label_values(&["200"]),
        "it was here, though the host never heard of it"
    );
    held.inc();
    let reopened = vec.with_label_values(&["200"]);
    reopened.inc_by(10.0);
    held.inc_by(100.0);
    ledger.settle().unwrap();
    let expected = [r#"remove 0 ["200"]"#, r#"open 0 ["200"]"#, "add [1] [10.0]"];
    assert_eq!(book.take(), expected);

    held.inc();
    ledger.settle().unwrap();
    assert_eq!(book.take(), [""; 0]);
}

#[test]
fn a_deleted_histogram_drops_what_it_observed() {
    let (book, ledger) = connected();
    let vec = crate::HistogramVec::new(&ledger, 0, &["code"]);
    let (dead, alive) = (vec.with_label_values(&["a"]), vec.with_label_values(&["b"]));
    dead.observe(1.0);
    alive.observe(2.0);
    vec.delete(&[("code", "a")]);
    dead.observe(3.0);
    ledger.settle().unwrap();
    assert_eq!(book.take()[1..], [r#"open 0 ["b"]"#, "observe [1] [2.0]"]);
}

#[test]
fn matching_is_counted_by_the_host_which_knows_them_all() {
    let (book, ledger) = connected();
    let vec = CounterVec::new(&ledger, 0, &["code", "method"]);
    let get = vec.with_label_values(&["200", "GET"]);
    let post = vec.with(&[("method", "POST"), ("code", "200")]);
    assert_eq!(vec.delete_partial_match(&[("method", "GET")]), 2);
    get.inc();
    post.inc();
    assert_eq!(
        vec.delete_partial_match(&[("path", "/")]),
        0,
        "no such label"
    );
    ledger.settle().unwrap();
    let expected = [
        r#"open 0 ["200", "GET"]"#,
        r#"open 0 ["200", "POST"]"#,
        r#"remove_matching 0 [("method", "GET")]"#,
    ];
    let told = book.take();
    assert_eq!(told[..3], expected);
    assert_eq!(told[3..], ["add [2] [1.0]"]);
}

#[test]
fn a_refusal_is_reported_once_and_the_rest_is_sent() {
    let (book, ledger) = connected();
    let vec = CounterVec::new(&ledger, 0, &["code"]);
    let refused = vec.with_label_values(&["refused"]);
    vec.with_label_values(&["200"]).inc();
    refused.inc();
    assert_eq!(ledger.settle().unwrap_err(), "open: too many series");
    assert_eq!(book.take(), [r#"open 0 ["200"]"#, "add [1] [1.0]"]);

    ledger.settle().expect("nobody touched it");
    refused.inc();
    ledger.settle().expect_err("asked again");
}

#[test]
fn labels_that_do_not_fit() {
    let (book, ledger) = connected();
    let vec = CounterVec::new(&ledger, 0, &["code", "method"]);
    assert!(vec.get_metric_with_label_values(&["200"]).is_err());
    assert!(
        vec.get_metric_with(&[("code", "200"), ("verb", "GET")])
            .is_err()
    );
    assert!(
        vec.get_metric_with(&[("code", "200"), ("code", "GET")])
            .is_err()
    );
    assert!(!vec.delete_label_values(&["200"]));
    assert!(!vec.delete(&[("code", "200")]));
    assert_eq!(book.take(), [""; 0]);
    let error = vec
        .get_metric_with_label_values(&["200"])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        r#"labels ["200"] do not fit the label names ["code", "method"]"#
    );
}

#[test]
#[should_panic(expected = "counter cannot decrease in value")]
fn a_counter_does_not_fall() {
    let (_, ledger) = connected();
    single::<Counter>(&ledger, 0).inc_by(-1.0);
}

thread_local! {
    /// What [`attach`] was told.
    static ATTACHED: RefCell<Vec<String>> = RefCell::default();
}

fn attach(series: u32, value: f64, exemplar: &Exemplar) -> Result<(), InstrumentError> {
    let labels: Vec<_> = exemplar.labels().collect();
    if labels.is_empty() {
        return Err(InstrumentError::InvalidValue("no labels".into()));
    }
    let line = format!("{series} {value} {labels:?} {:?}", exemplar.at());
    ATTACHED.with_borrow_mut(|lines| lines.push(line));
    Ok(())
}

#[test]
fn exemplars_go_behind_their_numbers() {
    let (book, ledger) = connected();
    let child = Child::new(&ledger, 3, [].into());
    let later = Exemplar::from([("trace_id", "b")]).timestamp_ms(5.0);
    child.observe(0.5);
    child.attach(0.5, Exemplar::new([]), attach);
    child.attach(0.5, [("trace_id", "a")].into(), attach);
    child.attach(0.7, later, attach);
    assert_eq!(ledger.settle(), Err("exemplar: no labels".to_owned()));
    assert_eq!(book.take(), ["open 3 []", "observe [1] [0.5]"]);
    assert_eq!(
        ATTACHED.take(),
        [
            r#"1 0.5 [("trace_id", "a")] None"#,
            r#"1 0.7 [("trace_id", "b")] Some(5.0)"#
        ]
    );
    // What was deleted has none any more.
    child.attach(0.9, [("trace_id", "c")].into(), attach);
    child.kill();
    child.attach(0.9, [("trace_id", "d")].into(), attach);
    assert_eq!(ledger.settle(), Ok(()));
    assert_eq!(ATTACHED.take(), [""; 0]);
}
