//! Meterbox, as a peer and as a plugin sees it.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::Result;
use meterbox_metrics::{
    Desc, HistogramOptions, Kind as MeterboxKind, Registry, Scope, ScopeLimits, ScopeOptions,
    Session, SummaryOptions, Verb, View,
    encode::{Escaping, Format, Frames},
};

use crate::{
    meminfo::{Figure, Live},
    peers::{Name, Page, Peer},
    serve::http,
    workload::{Family, Kind, Value, Workload},
};

/// A registry that holds a workload as if one plugin had sent it.
pub struct Meterbox {
    registry: Registry,
    memory: Live<u32>,
    /// The plugin's side, kept where something changes at a scrape.
    session: Option<Mutex<Session>>,
}

impl Meterbox {
    pub fn new(workload: Workload) -> Result<Self> {
        let (registry, session, memory) = fill(workload, usize::MAX)?;
        let session = (!memory.is_empty()).then(|| Mutex::new(session));
        Ok(Self {
            registry,
            memory: Live::new(memory)?,
            session,
        })
    }

    /// Serves over HTTP until the process ends: behind the server that the other crates have, with the bodies that the
    /// host has.
    pub fn serve(self: Arc<Self>, listener: TcpListener) -> Result<()> {
        http::serve(listener, Name::Meterbox, self)
    }

    fn frames(&self) -> Frames {
        self.refresh();
        frames(&self.registry)
    }

    fn refresh(&self) {
        let Some(session) = &self.session else { return };
        let (mut handles, mut figures) = (Vec::new(), Vec::new());
        self.memory.refresh(|handle, figure| {
            handles.push(*handle);
            figures.push(figure);
        });
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        // The handles are this session's own, and their families gauges.
        session.update(Verb::Set, handles, figures).expect("gauges");
        session.commit(Instant::now());
    }
}

impl Peer for Meterbox {
    /// Pieces make their own memory.
    fn render(&self, _: &mut Vec<u8>) -> usize {
        self.frames().map(|frame| frame.len()).sum()
    }

    fn page(self: Arc<Self>) -> Page {
        let mut frames = self.frames();
        Page::Frames(Box::new(move |out| frames.append(out)))
    }
}

/// The counters of a plugin that changes them.
pub struct Changing {
    pub registry: Registry,
    pub calls: Calls,
}

/// The plugin's side of it.
pub struct Calls {
    session: Session,
    handles: u32,
}

impl Changing {
    pub fn new(workload: Workload) -> Result<Self> {
        // Small calls: what one opens is in order, and the page has to sort the rest.
        let (registry, session, _) = fill(workload, 100)?;
        let handles = workload
            .families()?
            .iter()
            .map(|family| family.len)
            .sum::<usize>() as u32;
        let calls = Calls { session, handles };
        Ok(Self { registry, calls })
    }
}

impl Calls {
    /// What a call sends that changes every series.
    pub fn all(&self) -> (Vec<u32>, Vec<f64>) {
        (
            (0..self.handles).collect(),
            vec![1.0; self.handles as usize],
        )
    }

    /// A call that adds these numbers to these series.
    pub fn add(&mut self, handles: Vec<u32>, numbers: Vec<f64>) {
        let update = self.session.update(Verb::Add, handles, numbers);
        update.expect("its own counters");
        self.session.commit(Instant::now());
    }
}

/// Renders a page; its bytes.
pub fn render(registry: &Registry) -> usize {
    frames(registry).map(|frame| frame.len()).sum()
}

fn frames(registry: &Registry) -> Frames {
    let page = registry.page(|_| View::All);
    page.frames(Format::Text, Escaping::default())
}

/// Gauges by handle, and what each shows.
type Gauges = Vec<(u32, Figure)>;

/// A registry with a workload, the session that opened it with at most so many series of a family in a call, and the
/// gauges that change at each scrape.
fn fill(workload: Workload, call: usize) -> Result<(Registry, Session, Gauges)> {
    let families = workload.families()?;
    let registry = Registry::default();
    let scope = register(&registry, families.iter().map(desc).collect())?;
    let mut session = Session::new(scope);
    let mut memory = Vec::new();
    for (number, family) in (0..).zip(&families) {
        let verb = match family.kind {
            Kind::Counter => Verb::Add,
            Kind::Gauge => Verb::Set,
            Kind::Histogram(_) | Kind::Summary(_) => Verb::Observe,
        };
        let mut all = family.iter().peekable();
        while all.peek().is_some() {
            let (mut handles, mut numbers) = (Vec::new(), Vec::new());
            for series in all.by_ref().take(call) {
                let handle = session.open(number, &series.labels)?;
                match series.value {
                    Value::Number(number) => numbers.push(number),
                    Value::Memory(figure) => memory.push((handle, figure)),
                    Value::Observations(values) => numbers.extend(values),
                }
                handles.resize(numbers.len(), handle);
            }
            session.update(verb, handles, numbers)?;
            session.commit(Instant::now());
        }
    }
    Ok((registry, session, memory))
}

/// A counter and a histogram of a plugin, as its instance sees them.
pub struct Instruments {
    session: Session,
    counter: u32,
    histogram: u32,
}

impl Instruments {
    pub fn new(bounds: &[f64]) -> Result<Self> {
        let histogram = MeterboxKind::Histogram(HistogramOptions {
            bounds: bounds.to_vec(),
            native: None,
        });
        let descs = vec![
            Desc::new("bench_total", "Counts.", MeterboxKind::Counter),
            Desc::new("bench_seconds", "Observes.", histogram),
        ];
        let mut session = Session::new(register(&Registry::default(), descs)?);
        let counter = session.open(0, &[])?;
        let histogram = session.open(1, &[])?;
        session.commit(Instant::now());
        Ok(Self {
            session,
            counter,
            histogram,
        })
    }

    /// One call of a plugin that increments so many times.
    pub fn add(&mut self, times: usize) {
        self.call(Verb::Add, self.counter, vec![1.0; times]);
    }

    /// One call of a plugin that observes these values.
    pub fn observe(&mut self, values: &[f64]) {
        self.call(Verb::Observe, self.histogram, values.to_vec());
    }

    fn call(&mut self, verb: Verb, handle: u32, numbers: Vec<f64>) {
        let update = self
            .session
            .update(verb, vec![handle; numbers.len()], numbers);
        update.expect("its own series");
        self.session.commit(Instant::now());
    }
}

fn register(registry: &Registry, descs: Vec<Desc>) -> Result<Arc<Scope>> {
    let options = ScopeOptions {
        limits: ScopeLimits {
            max_series: usize::MAX,
            ..ScopeLimits::default()
        },
        ..ScopeOptions::new("bench")
    };
    Ok(registry.register(&options, descs)?)
}

fn desc(family: &Family) -> Desc {
    let kind = match family.kind {
        Kind::Counter => MeterboxKind::Counter,
        Kind::Gauge => MeterboxKind::Gauge,
        Kind::Histogram(bounds) => MeterboxKind::Histogram(HistogramOptions {
            bounds: bounds.to_vec(),
            native: None,
        }),
        Kind::Summary(quantiles) => MeterboxKind::Summary(SummaryOptions {
            objectives: quantiles
                .iter()
                .map(|quantile| (*quantile, 0.001))
                .collect(),
            max_age: SummaryOptions::DEFAULT_MAX_AGE,
            age_buckets: SummaryOptions::DEFAULT_AGE_BUCKETS,
        }),
    };
    Desc::new(&family.name, &family.help, kind).with_labels(family.labels.iter().copied())
}
