//! Which exemplars a histogram with sparse buckets keeps: client_golang's choice.

use std::sync::Arc;

use super::Exemplar;

/// client_golang's default.
const MOST: usize = 10;

/// client_golang's default: five minutes. An older one is the first to go.
const TTL_MS: i64 = 5 * 60 * 1000;

/// A few exemplars, ascending by value, that lie apart from each other. All have a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread(Vec<Arc<Exemplar>>);

impl Spread {
    pub(super) fn all(&self) -> &[Arc<Exemplar>] {
        &self.0
    }

    /// Whether the next one takes the place of another.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() == MOST
    }

    /// Takes one in. When there are too many the oldest goes, if it has expired; else one of the two that are closest to
    /// each other on a logarithmic scale: the older one, never the one that just came.
    pub(super) fn put(&mut self, new: Arc<Exemplar>) {
        let kept = &mut self.0;
        let place = kept.partition_point(|old| old.value < new.value);
        let now = new.timestamp_ms;
        kept.insert(place, new);
        if kept.len() <= MOST {
            return;
        }
        let age = |at: usize| now.unwrap_or(0).saturating_sub(time(&kept[at]));
        let others = (0..kept.len()).filter(|at| *at != place);
        let oldest = others.max_by_key(|at| age(*at)).unwrap_or_default();
        let gone = if age(oldest) > TTL_MS {
            oldest
        } else {
            let gap = |at: usize| scale(kept[at].value) - scale(kept[at - 1].value);
            let closest = (1..kept.len()).min_by(|a, b| gap(*a).total_cmp(&gap(*b)));
            let closest = closest.unwrap_or(1);
            let [left, right] = [closest - 1, closest];
            match place {
                _ if place == left => right,
                _ if place == right => left,
                _ if time(&kept[right]) < time(&kept[left]) => right,
                _ => left,
            }
        };
        kept.remove(gone);
    }
}

fn time(exemplar: &Exemplar) -> i64 {
    exemplar.timestamp_ms.unwrap_or(i64::MIN)
}

/// A logarithmic scale that goes on through zero to negative numbers, where client_golang's ends.
fn scale(value: f64) -> f64 {
    // Any two finite numbers stay finite, and a distance of infinities is none.
    (value.clamp(-1e250, 1e250) * 1e38).asinh()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exemplar(value: f64, timestamp_ms: i64) -> Arc<Exemplar> {
        let exemplar = Exemplar::new(&[("id", "x")], value, Some(timestamp_ms));
        Arc::new(exemplar.expect("an exemplar"))
    }

    fn spread(values: &[f64]) -> Spread {
        let mut spread = Spread::default();
        for (at, value) in values.iter().enumerate() {
            spread.put(exemplar(*value, at as i64));
        }
        spread
    }

    fn values(spread: &Spread) -> Vec<f64> {
        spread.0.iter().map(|exemplar| exemplar.value).collect()
    }

    /// Ten of them, each twice the one before, newest last.
    const DOUBLES: [f64; 10] = [1., 2., 4., 8., 16., 32., 64., 128., 256., 512.];

    #[test]
    fn the_older_of_the_closest_pair_goes() {
        let mut kept = DOUBLES;
        // 8 and 9 are the closest; 9 is newer.
        kept[4] = 9.0;
        let mut spread = spread(&kept);
        spread.put(exemplar(1e6, 20));
        assert_eq!(
            values(&spread),
            [1., 2., 4., 9., 32., 64., 128., 256., 512., 1e6]
        );
    }

    #[test]
    fn the_new_one_takes_the_place_of_its_neighbour() {
        let mut spread = spread(&DOUBLES);
        spread.put(exemplar(130.0, 20));
        assert_eq!(
            values(&spread),
            [1., 2., 4., 8., 16., 32., 64., 130., 256., 512.]
        );
        spread.put(exemplar(500.0, 21));
        assert_eq!(
            values(&spread),
            [1., 2., 4., 8., 16., 32., 64., 130., 256., 500.]
        );
    }

    #[test]
    fn what_has_expired_goes_first() {
        let mut spread = spread(&DOUBLES);
        spread.put(exemplar(130.0, TTL_MS + 1));
        assert_eq!(
            values(&spread),
            [2., 4., 8., 16., 32., 64., 128., 130., 256., 512.]
        );
    }

    #[test]
    fn any_numbers() {
        let odd = [
            -1.0,
            0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            5e-324,
            -0.0,
        ];
        let mut spread = spread(&odd);
        for value in odd {
            spread.put(exemplar(value, 50));
            assert!(spread.0.is_sorted_by_key(|kept| kept.value));
            assert!(spread.0.len() <= MOST);
        }
    }
}
