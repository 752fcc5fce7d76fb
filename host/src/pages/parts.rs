//! What stands on more than one page: states, moments, bars and the lines of past collects.

use std::{fmt::Write, time::SystemTime};

use maud::{Markup, html};

use super::{layout::Site, show};
use crate::{
    plugin::PluginState,
    status::{Collected, PluginStatus},
};

/// Units of the drawing between two collects, and how high it is.
const STEP: usize = 3;
const HEIGHT: f64 = 24.0;

/// How many collects have room.
const ROOM: usize = 60;

/// The state, and whatever is wrong beside it, in words and not by colour alone.
pub(super) fn state(status: &PluginStatus) -> Markup {
    let label = status.label();
    // Without an instance no collect can succeed.
    let is_running = status.error.is_none() && status.state == PluginState::Running;
    let is_failing = is_running && has_failed(status);
    html! {
        span.state.(label) { (label) }
        @if is_failing { " " span.state.failed { "collect failed" } }
    }
}

/// Whether its last collect failed.
pub(super) fn has_failed(status: &PluginStatus) -> bool {
    status.last_collect.is_some() && !status.collect_success
}

/// A moment: how far away, with the time itself behind it.
pub(super) fn moment(time: SystemTime, site: &Site) -> Markup {
    let exact = show::time(time);
    html! { time datetime=(exact) title=(exact) { (show::distance(time, site.now)) } }
}

/// How much of a limit is used, as a bar.
pub(super) fn bar(used: f64, most: f64) -> Markup {
    let part = if most > 0.0 {
        (used / most).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let width = format!("{:.1}", part * 60.0);
    html! {
        svg.bar viewBox="0 0 60 6" width="60" height="6" aria-hidden="true" {
            rect.room width="60" height="6" rx="1" {}
            rect.used.high[part > 0.8] width=(width) height="6" rx="1" {}
        }
    }
}

/// The last collects, the newest on the right, as high as they took long; those that failed in another colour.
pub(super) fn sparkline(collects: &[Collected]) -> Markup {
    let collects = &collects[collects.len().saturating_sub(ROOM)..];
    let longest = collects.iter().map(|collect| collect.duration).max();
    let longest = longest.unwrap_or_default().as_secs_f64().max(1e-9);
    let first = ROOM - collects.len();
    let (mut good, mut bad) = (String::new(), String::new());
    for (place, collect) in collects.iter().enumerate() {
        let x = ((first + place) * STEP) as f64 + 1.5;
        let height = (collect.duration.as_secs_f64() / longest * HEIGHT).max(1.0);
        let path = if collect.success { &mut good } else { &mut bad };
        // A string takes it.
        let _ = write!(path, "M{x} {HEIGHT}v-{height:.1}");
    }
    html! {
        svg.spark role="img" aria-label=(in_words(collects)) viewBox={ "0 0 " (ROOM * STEP) " " (HEIGHT) }
            preserveAspectRatio="none" {
            path.good d=(good) {}
            path.bad d=(bad) {}
        }
    }
}

/// The same in words.
pub(super) fn in_words(collects: &[Collected]) -> String {
    let mut durations: Vec<_> = collects.iter().map(|collect| collect.duration).collect();
    durations.sort_unstable();
    let Some(longest) = durations.last() else {
        return "no collect yet".to_owned();
    };
    let failed = collects.iter().filter(|collect| !collect.success).count();
    format!(
        "{}: median {}, longest {}, {failed} failed",
        show::counted(collects.len() as u64, "last collect", "last collects"),
        show::duration(durations[durations.len() / 2]),
        show::duration(*longest),
    )
}
