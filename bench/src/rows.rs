//! What was seen of each peer, turn by turn, and what that comes to.

use std::collections::BTreeMap;

use crate::{coding::Coding, measure::Loop, peers::Name, report::quantile};

/// One peer with one workload, over all rounds.
pub struct Row {
    pub name: Name,
    /// Bytes resident before the first scrape, at most.
    pub rest: u64,
    /// Seconds of a page rendered in memory, median and best.
    pub in_memory: Turns<(f64, f64)>,
    /// Over HTTP, by coding and how many connections.
    pub lanes: BTreeMap<(Coding, usize), Lane>,
}

/// One way to ask a peer.
#[derive(Default)]
pub struct Lane {
    /// Bytes of the body on the wire.
    pub bytes: usize,
    pub turns: Turns<Loop>,
}

/// By number: what all peers did in one turn, they did next to each other.
pub type Turns<T> = BTreeMap<usize, T>;

/// What all turns of a lane come to, in seconds and bytes.
pub struct Sum {
    pub p50: f64,
    pub p99: f64,
    /// Requests a second.
    pub rate: f64,
    /// For each request.
    pub cpu: f64,
    /// Resident at most.
    pub peak: u64,
}

impl Row {
    pub fn new(name: Name) -> Self {
        Self {
            name,
            rest: 0,
            in_memory: Turns::new(),
            lanes: BTreeMap::new(),
        }
    }

    /// Whether one round tells enough: its pages take so long that a mood of the machine is over before one is there.
    pub fn is_slow(&self) -> bool {
        let lane = self.lanes.get(&(Coding::Identity, 1));
        lane.is_some_and(|lane| lane.sum().p50 > 1.0)
    }
}

impl Lane {
    pub fn sum(&self) -> Sum {
        let turns = || self.turns.values();
        let mut latencies: Vec<f64> = turns().flat_map(|turn| &turn.latencies).copied().collect();
        latencies.sort_by(f64::total_cmp);
        let asked: usize = turns().map(|turn| turn.asked).sum();
        Sum {
            p50: quantile(&latencies, 0.5),
            p99: quantile(&latencies, 0.99),
            rate: latencies.len() as f64 / turns().map(|turn| turn.elapsed).sum::<f64>(),
            cpu: turns().map(|turn| turn.cpu).sum::<f64>() / asked as f64,
            peak: turns().map(|turn| turn.peak).max().unwrap_or(0),
        }
    }
}

/// How many times as long as `base` something took, turn by turn.
pub struct Times {
    pub median: f64,
    /// Those between which half of the turns are.
    pub quartiles: (f64, f64),
}

impl Times {
    /// `None` where the two had no turn together.
    pub fn of(ratios: impl Iterator<Item = f64>) -> Option<Self> {
        let mut ratios: Vec<f64> = ratios.collect();
        ratios.sort_by(f64::total_cmp);
        (!ratios.is_empty()).then(|| Self {
            median: quantile(&ratios, 0.5),
            quartiles: (quantile(&ratios, 0.25), quantile(&ratios, 0.75)),
        })
    }

    /// Of the turns that both had.
    pub fn between<T>(turns: &Turns<T>, base: &Turns<T>, of: impl Fn(&T) -> f64) -> Option<Self> {
        let both = turns.iter();
        let both = both.filter_map(|(turn, it)| Some((it, base.get(turn)?)));
        Self::of(both.map(|(it, base)| of(it) / of(base)))
    }
}
