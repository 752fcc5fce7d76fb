//! Counters and gauges of the program that serves the page: numbers in atomics, read out when a page is taken.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use crate::{
    column::Values,
    desc::Desc,
    family::{Family, SeriesId},
    labels::Template,
    page::PageFamily,
    registry::RegisterError,
    taken::check_pair,
};

/// Who has these families, for messages.
pub(crate) const OWNER: &str = "the host itself";

/// The program's own families. They have a place of their own beside the scopes: nobody else writes into them, and plugins
/// may not share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    families: Arc<Mutex<Vec<OwnFamily>>>,
    /// Names of those that pages have; unset: of all.
    shown: Arc<OnceLock<&'static [&'static str]>>,
}

#[derive(Debug)]
struct OwnFamily {
    family: Family,
    /// By the id of the series.
    cells: Vec<Option<Cell>>,
}

#[derive(Debug)]
struct Cell {
    series: SeriesId,
    number: Number,
    /// What the family has of it.
    written: u64,
}

/// The bits of an `f64`.
#[derive(Clone, Default)]
struct Number(Arc<AtomicU64>);

impl Number {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    fn set(&self, to: f64) {
        self.0.store(to.to_bits(), Relaxed);
    }

    fn add(&self, by: f64) {
        let sum = |bits| Some((f64::from_bits(bits) + by).to_bits());
        // The closure never says no.
        let _ = self.0.fetch_update(Relaxed, Relaxed, sum);
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// A total that only grows. Clones are the same series; changes cost an atomic operation, and no lock.
#[derive(Clone, Debug)]
pub struct Counter(Number);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.0.add(1.0);
    }

    /// Adds a number; one that is negative or NaN is left out, since a counter does not go down.
    pub fn add(&self, by: f64) {
        if by >= 0.0 {
            self.0.add(by);
        }
    }

    /// Takes over a total that is counted elsewhere, unless it is below the one that is there.
    pub fn advance(&self, total: f64) {
        if total >= 0.0 {
            // Numbers that are not negative compare as their bits do.
            self.0.0.fetch_max(total.to_bits(), Relaxed);
        }
    }

    /// The total.
    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

/// A number that goes up and down. Clones are the same series; changes cost an atomic operation, and no lock.
#[derive(Clone, Debug)]
pub struct Gauge(Number);

impl Gauge {
    /// Makes it this number.
    pub fn set(&self, to: f64) {
        self.0.set(to);
    }

    /// Adds a number, which may be negative.
    pub fn add(&self, by: f64) {
        self.0.add(by);
    }

    /// The number.
    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

/// A family of counters with `N` labels. Clones are the same family.
#[derive(Clone, Debug)]
pub struct CounterVec<const N: usize>(pub(crate) Series);

impl<const N: usize> CounterVec<N> {
    /// The counter with these label values, in the order of the names; made with 0 if it is not there.
    pub fn with(&self, values: [&str; N]) -> Counter {
        Counter(self.0.open(&values, None))
    }

    /// The same, for one that counts since `created_ms` (milliseconds since 1970).
    pub fn with_created(&self, values: [&str; N], created_ms: i64) -> Counter {
        Counter(self.0.open(&values, Some(created_ms)))
    }

    /// Deletes the series with these label values. Whoever still holds it changes nothing that is shown.
    pub fn remove(&self, values: [&str; N]) {
        self.0.remove(&values);
    }
}

/// A family of gauges with `N` labels. Clones are the same family.
#[derive(Clone, Debug)]
pub struct GaugeVec<const N: usize>(pub(crate) Series);

impl<const N: usize> GaugeVec<N> {
    /// The gauge with these label values, in the order of the names; made with 0 if it is not there.
    pub fn with(&self, values: [&str; N]) -> Gauge {
        Gauge(self.0.open(&values, None))
    }

    /// Deletes the gauge with these label values, if it is there. Who still holds it changes nothing.
    pub fn remove(&self, values: [&str; N]) {
        self.0.remove(&values);
    }
}

/// The series of one family.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    own: Own,
    family: usize,
}

impl Series {
    fn remove(&self, values: &[&str]) {
        let OwnFamily { family, .. } = &mut self.own.lock()[self.family];
        let mut text = Vec::new();
        family.template.render(values, &mut text);
        family.remove(&text);
    }

    fn open(&self, values: &[&str], created_ms: Option<i64>) -> Number {
        let OwnFamily { family, cells } = &mut self.own.lock()[self.family];
        let mut text = Vec::new();
        family.template.render(values, &mut text);
        let series = family.open(&text, Instant::now());
        if cells.len() <= series.index() {
            cells.resize_with(series.index() + 1, || None);
        }
        let cell = &mut cells[series.index()];
        if let Some(cell) = cell.as_ref().filter(|cell| cell.series == series) {
            return cell.number.clone();
        }
        if let (Some(_), Some((block, position))) = (created_ms, family.locate(series)) {
            family.column(block).0.set_created(position, created_ms);
        }
        let number = Number::default();
        *cell = Some(Cell {
            series,
            number: number.clone(),
            written: 0.0f64.to_bits(),
        });
        number
    }
}

impl Own {
    fn lock(&self) -> MutexGuard<'_, Vec<OwnFamily>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The family of this description, if it is there.
    pub(crate) fn find(&self, desc: &Desc) -> Option<Series> {
        let families = self.lock();
        let place = families.iter().position(|own| *own.family.desc == *desc);
        place.map(|place| self.series(place))
    }

    fn series(&self, family: usize) -> Series {
        Series {
            own: self.clone(),
            family,
        }
    }

    /// Adds a family; described twice alike, it is one.
    pub(crate) fn describe(&self, desc: Desc) -> Result<Series, RegisterError> {
        desc.check([].into_iter())?;
        let mut families = self.lock();
        for (place, OwnFamily { family: other, .. }) in families.iter().enumerate() {
            if *other.desc == desc {
                return Ok(self.series(place));
            }
            if other.desc.name == desc.name {
                return Err(RegisterError::Twice(desc.name));
            }
            check_pair(&desc, &other.desc, OWNER)?;
        }
        families.push(OwnFamily {
            family: Family::new(desc, &[]),
            cells: Vec::new(),
        });
        Ok(self.series(families.len() - 1))
    }

    pub(crate) fn show_only(&self, names: &'static [&'static str]) {
        // Whoever is first decides.
        let _ = self.shown.set(names);
    }

    fn shows(&self, name: &str) -> bool {
        self.shown.get().is_none_or(|names| names.contains(&name))
    }

    /// Every family, also those without series.
    pub(crate) fn descs(&self) -> Vec<Arc<Desc>> {
        let descs = |own: &OwnFamily| Arc::clone(&own.family.desc);
        self.lock().iter().map(descs).collect()
    }

    /// The same, each with how many series it has.
    pub(crate) fn lens(&self) -> Vec<(Arc<Desc>, usize)> {
        let len = |own: &OwnFamily| (Arc::clone(&own.family.desc), own.family.len());
        self.lock().iter().map(len).collect()
    }

    /// Deletes every series with this label, whatever its family. Who still holds one changes nothing.
    pub(crate) fn remove_matching(&self, label: &str, value: &str) {
        let labels = [Template::matcher(label, value)];
        for OwnFamily { family, .. } in self.lock().iter_mut() {
            let doomed: Vec<_> = family.matching(&labels).map(<[u8]>::to_vec).collect();
            for text in doomed {
                family.remove(&text);
            }
        }
    }

    /// Families as they are now, for a page. Numbers that did not change since the last page are not touched.
    pub(crate) fn page(&self, page: &mut Vec<Arc<PageFamily>>, now: Instant) {
        for OwnFamily { family, cells } in self.lock().iter_mut() {
            if !self.shows(&family.desc.name) {
                continue;
            }
            for cell in cells.iter_mut().flatten() {
                let bits = cell.number.0.load(Relaxed);
                if bits == cell.written {
                    continue;
                }
                if let Some((block, position)) = family.locate(cell.series)
                    && let Values::Numbers(all) = &mut family.column(block).0.values
                {
                    all[position] = f64::from_bits(bits);
                    cell.written = bits;
                }
            }
            if family.len() > 0 {
                family.sort();
                page.push(family.show(now));
            }
        }
    }
}
