//! Pairs of a series and a number, kept as the two flat lists that cross the boundary whole.

/// So many pairs are sent at once. More would only cost memory: a call across the boundary is long paid for by then.
pub(crate) const BATCH: usize = 65_536;

#[derive(Default)]
pub(crate) struct Columns {
    series: Vec<u32>,
    numbers: Vec<f64>,
}

impl Columns {
    /// Adds a pair and returns how many there are.
    #[inline]
    pub(crate) fn push(&mut self, series: u32, number: f64) -> usize {
        self.series.push(series);
        self.numbers.push(number);
        self.numbers.len()
    }

    /// Replaces what stands for each series; pairs without an answer are left out.
    pub(crate) fn translate(&mut self, number: impl Fn(u32) -> Option<u32>) {
        let mut kept = 0;
        for at in 0..self.series.len() {
            if let Some(series) = number(self.series[at]) {
                self.series[kept] = series;
                self.numbers[kept] = self.numbers[at];
                kept += 1;
            }
        }
        self.series.truncate(kept);
        self.numbers.truncate(kept);
    }

    /// Hands the pairs to `send`, a batch at a time, and forgets them. Nothing is sent if there are none.
    pub(crate) fn drain<T>(&mut self, send: impl Fn(&[u32], &[f64]) -> T) {
        for (series, numbers) in self.series.chunks(BATCH).zip(self.numbers.chunks(BATCH)) {
            send(series, numbers);
        }
        self.series.clear();
        self.numbers.clear();
    }
}
