//! A million series that change: what a page costs after all of them did, and how long a change waits for a page.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use meterbox_metrics::{Registry, View};

use crate::{
    meterbox::{Calls, Changing, render},
    report::{median, time},
    workload::Workload,
};

const ROUNDS: usize = 9;

/// The table.
pub fn measure() -> Result<String> {
    let mut changing = Changing::new(Workload::Million)?;
    let Changing { registry, calls } = &mut changing;
    let idle = longest_wait(calls, || thread::sleep(Duration::from_millis(500)));
    // It sorts what was opened.
    let first = longest_wait(calls, || pages(registry, 1));
    let later = longest_wait(calls, || pages(registry, ROUNDS));

    let (mut still, mut changed, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        still.push(seconds(|| pages(registry, 1)));
        changed.push(change_all(registry, calls));
        // Somebody is still reading the last page, as a slow client does.
        let page = registry.page(|_| View::All);
        held.push(change_all(registry, calls));
        drop(page);
    }
    let [still, changed, held] = [still, changed, held].map(|mut times| median(&mut times));
    Ok(format!(
        "### 1,000,000 series that change\n\n\
         | in memory | time | × |\n| --- | ---: | ---: |\n\
         | a page | {} | 1.00 |\n\
         | a change of every series, and a page | {} | {:.2} |\n\
         | the same while somebody still reads the page before | {} | {:.2} |\n\n\
         | longest time that a change of one series took | |\n| --- | ---: |\n\
         | while nobody scrapes | {} |\n\
         | during the first page, which sorts a million new series | {} |\n\
         | during later pages | {} |\n",
        time(still),
        time(changed),
        changed / still,
        time(held),
        held / still,
        time(idle),
        time(first),
        time(later),
    ))
}

/// Seconds of a call that changes every series, and of a page.
fn change_all(registry: &Registry, calls: &mut Calls) -> f64 {
    // The plugin makes these, whose time this is not.
    let (handles, numbers) = calls.all();
    seconds(|| {
        calls.add(handles, numbers);
        pages(registry, 1);
    })
}

fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn pages(registry: &Registry, count: usize) {
    for _ in 0..count {
        black_box(render(registry));
    }
}

/// Seconds of the longest of the calls that change one series, one after the other, while `meanwhile` goes on.
fn longest_wait(calls: &mut Calls, meanwhile: impl FnOnce() + Send) -> f64 {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            meanwhile();
            done.store(true, Ordering::Release);
        });
        let mut longest = Duration::ZERO;
        while !done.load(Ordering::Acquire) {
            let start = Instant::now();
            calls.add(vec![0], vec![1.0]);
            longest = longest.max(start.elapsed());
        }
        longest.as_secs_f64()
    })
}
