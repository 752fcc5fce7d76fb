//! Threads of our own beside those of whoever runs the host.

use tokio::runtime::Builder;

/// For a runtime whose threads, those for blocking work included, give way to others: on Linux a thread has a nice value of
/// its own, which is this one as far as the process has not a higher one itself. If the system refuses, they run as others do.
pub(crate) fn that_give_way(name: &'static str, niceness: i32) -> Builder {
    let mut threads = Builder::new_multi_thread();
    let give_way = move || {
        let _ = rustix::process::nice(niceness);
    };
    threads
        .thread_name(name)
        .on_thread_start(give_way)
        .enable_all();
    threads
}
