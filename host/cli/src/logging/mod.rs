//! Where events go: standard error, one line each.

mod logfmt;

use std::io;

use meterbox::log::CHOSEN;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt, Targets, filter_fn},
    fmt,
    layer::{Filter, SubscriberExt},
    util::SubscriberInitExt,
};

use self::logfmt::Logfmt;
use crate::args::{Format, Level, LogArgs};

/// Starts logging for the whole process. Fails if it was started before.
pub(crate) fn start(args: &LogArgs) -> anyhow::Result<()> {
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match args.format {
        Format::Logfmt => fmt::layer()
            .event_format(Logfmt)
            .fmt_fields(Logfmt)
            .with_writer(io::stderr)
            .boxed(),
        Format::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter(args.level)))
        .try_init()?;
    Ok(())
}

/// What the level says, and the lines of plugins that have a level of their own.
fn filter<S>(level: Level) -> impl Filter<S> {
    let chosen = filter_fn(|event| event.name() == CHOSEN);
    // No plugin says anything below it.
    let chosen = chosen.with_max_level_hint(LevelFilter::DEBUG);
    targets(level).or(chosen)
}

/// `debug` shows our own details only: those of the compiler would drown them.
fn targets(level: Level) -> Targets {
    let level = match level {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target("meterbox", level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_for_our_own_events() {
        let debug = targets(Level::Debug);
        assert!(debug.would_enable("meterbox::serve", &tracing::Level::DEBUG));
        assert!(!debug.would_enable("wasmtime", &tracing::Level::DEBUG));
        let warn = targets(Level::Warn);
        assert!(!warn.would_enable("wasmtime", &tracing::Level::INFO));
    }
}
