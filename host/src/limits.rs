//! What a plugin may use up: one table of limits, each with its default, and one word for each.
//!
//! `docs/limits.md` says what happens at each of them.

use std::{fmt, time::Duration};

use serde::Deserialize;

use crate::config::units::optional::{bytes, count, duration};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Makes the limits, what a config may say about them, and a name for each out of one list.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $field:ident: $type:ty, $unit:literal = $default:expr;)+) => {
        /// What one plugin may use up. The default suits plugins in any language that report some thousand series.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// The limits that a config sets, under `[limits]` for all plugins or `[plugins.NAME.limits]` for one. What is
        /// `None` stays as it was.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct LimitsConfig {
            $(
                $(#[doc = $doc])+
                #[serde(deserialize_with = $unit)]
                pub $field: Option<$type>,
            )+
        }

        impl LimitsConfig {
            /// These limits, with what is set here put over them.
            pub(crate) fn over(&self, below: Limits) -> Limits {
                Limits { $($field: self.$field.unwrap_or(below.$field),)+ }
            }

            /// The first limit that cannot be 0 and is.
            pub(crate) fn zero(&self) -> Option<Limit> {
                $(if Limit::$name.is_time() && self.$field.map(Figure::figure) == Some(0.0) {
                    return Some(Limit::$name);
                })+
                None
            }
        }

        /// One of the [`Limits`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Limit {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Limit {
            /// Every limit.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            const KEYS: &[&str] = &[$(stringify!($field),)+];

            const UNITS: &[&str] = &[$($unit,)+];
        }

        impl Limits {
            /// Where a limit stands: seconds, bytes or a number.
            pub fn get(&self, limit: Limit) -> f64 {
                match limit {
                    $(Limit::$name => self.$field.figure(),)+
                }
            }
        }
    };
}

limits! {
    /// Wall-clock time of one call. A call that takes longer is stopped.
    Timeout: timeout: Duration, "duration" = Duration::from_secs(5);
    /// Wall-clock time in which an instance has to start: start function, `describe` and `init` together.
    StartTimeout: start_timeout: Duration, "duration" = Duration::from_secs(10);
    /// Processor time of one call. A call that uses more is stopped.
    Cpu: cpu: Duration, "duration" = Duration::from_secs(2);
    /// How often one call may call the host. A call that does it more often is stopped.
    HostCalls: host_calls: usize, "count" = 1_000_000;
    /// Bytes that a guest may hand to the host at a time, as arguments of an import or as the result of an export, counted
    /// as the host keeps them. A call that hands over more is stopped.
    CallBytes: call_bytes: usize, "bytes" = 32 * MIB;
    /// Bytes of the text that one `collect-text` returns. More are refused, all of them.
    TextBytes: text_bytes: usize, "bytes" = 32 * MIB;
    /// Samples that one collect may return. More are refused, all of them.
    Samples: samples: usize, "count" = 100_000;
    /// Bytes of all linear memories of an instance. They do not grow beyond it.
    Memory: memory: usize, "bytes" = 64 * MIB;
    /// Elements of all tables of an instance. They do not grow beyond it.
    TableElements: table_elements: usize, "count" = 20_000;
    /// Core instances in one instance of a plugin.
    CoreInstances: core_instances: usize, "count" = 64;
    /// Linear memories in one instance of a plugin.
    Memories: memories: usize, "count" = 8;
    /// Tables in one instance of a plugin.
    Tables: tables: usize, "count" = 16;
    /// Bytes of stack for wasm code. One for all plugins: it stands under `[limits]` only.
    Stack: stack: usize, "bytes" = 512 * KIB;
    /// Series that one instance holds numbers of; those of removed series do not count. An error to the guest.
    Handles: handles: usize, "count" = 1_000_000;
    /// Resources (streams, pollables, HTTP bodies) that an instance holds at a time. A call that makes more is stopped.
    Resources: resources: usize, "count" = 1_000;
    /// Series that the host keeps for the plugin. An error to the guest; families of samples that exceed it are refused.
    Series: series: usize, "count" = 100_000;
    /// Families of the plugin.
    Families: families: usize, "count" = 1_000;
    /// Label names of one family.
    Labels: labels: usize, "count" = 32;
    /// Bytes of the label values of one series. An error to the guest; families of samples that exceed it are refused.
    LabelBytes: label_bytes: usize, "bytes" = 2 * KIB;
    /// Bytes of all texts of one family: name, help, unit, label names.
    DescBytes: desc_bytes: usize, "bytes" = 4 * KIB;
    /// Buckets of a histogram, classic or native, and objectives or quantiles of a summary.
    Buckets: buckets: usize, "count" = 500;
    /// Log lines in a second, on average; ten times as many at once. More are dropped and counted.
    LogLines: log_lines: usize, "count" = 20;
    /// Log bytes in a second, on average; ten times as many at once. Lines beyond it are dropped and counted.
    LogBytes: log_bytes: usize, "bytes" = 64 * KIB;
    /// Bytes of one log line. The rest of it is cut off.
    LogLineBytes: log_line_bytes: usize, "bytes" = 4 * KIB;
    /// Requests that the plugin's routes serve at a time; more wait, no longer than `timeout`.
    Requests: requests: usize, "count" = 32;
    /// Bytes of the body of a request to a route. Larger ones get a 413.
    RequestBytes: request_bytes: usize, "bytes" = MIB;
    /// Bytes of the body of a route's response.
    ResponseBytes: response_bytes: usize, "bytes" = 8 * MIB;
    /// Probes of the plugin that are under way at a time; more wait, as long as their scraper does.
    Probes: probes: usize, "count" = 16;
    /// Outgoing HTTP requests that are under way at a time, over all instances. More are refused.
    OutgoingRequests: outgoing_requests: usize, "count" = 16;
    /// Wall-clock time of an outgoing HTTP request, to the end of its answer.
    OutgoingTimeout: outgoing_timeout: Duration, "duration" = Duration::from_secs(10);
    /// Bytes of the body of the answer to an outgoing HTTP request.
    OutgoingBytes: outgoing_bytes: usize, "bytes" = 8 * MIB;
    /// How long the second pause between an instance that is lost and the next one is; the first is none. It doubles from
    /// fault to fault.
    RestartPause: restart_pause: Duration, "duration" = Duration::from_millis(100);
    /// The longest such pause.
    RestartPauseMax: restart_pause_max: Duration, "duration" = Duration::from_secs(60);
    /// How many instances may be lost in a row before the plugin is quarantined.
    QuarantineAfter: quarantine_after: usize, "count" = 10;
    /// How long a quarantined plugin waits for its next try.
    Quarantine: quarantine: Duration, "duration" = Duration::from_secs(600);
    /// An instance that lives this long forgives those that were lost before.
    ForgiveAfter: forgive_after: Duration, "duration" = Duration::from_secs(30);
    /// Wall-clock time of pulling the plugin from a registry or a server, with its signatures.
    PullTime: pull_time: Duration, "duration" = Duration::from_secs(60);
    /// Bytes of the plugin's file. This and the next two serve all plugins: they stand under `[limits]` only.
    FileBytes: file_bytes: usize, "bytes" = 64 * MIB;
    /// Wall-clock time of compiling the plugin.
    CompileTime: compile_time: Duration, "duration" = Duration::from_secs(120);
    /// Address space of the process that compiles the plugin.
    CompileMemory: compile_memory: usize, "bytes" = 4096 * MIB;
}

impl Limit {
    /// The key in the config, such as `call-bytes`.
    pub fn key(self) -> String {
        Self::KEYS[self as usize].replace('_', "-")
    }

    /// Whether it is a time, which cannot be 0.
    pub(crate) fn is_time(self) -> bool {
        Self::UNITS[self as usize] == "duration"
    }

    /// Whether it is a number of bytes.
    pub(crate) fn is_bytes(self) -> bool {
        Self::UNITS[self as usize] == "bytes"
    }

    /// What to write to raise it for one plugin.
    pub(crate) fn remedy(self, plugin: &str) -> String {
        match self {
            Self::Stack => "raise limits.stack if the plugin needs more".to_owned(),
            _ => {
                let key = self.key();
                format!("raise plugins.{plugin}.limits.{key} if the plugin needs more")
            }
        }
    }

    /// The limit as people write it: `5s`, `64MiB`, `1000`.
    pub(crate) fn show(self, limits: &Limits) -> String {
        let figure = limits.get(self);
        match Self::UNITS[self as usize] {
            "duration" => format!("{:?}", Duration::from_secs_f64(figure)),
            "bytes" => show_bytes(figure as usize),
            _ => figure.to_string(),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

fn show_bytes(bytes: usize) -> String {
    match bytes {
        0 => "0B".to_owned(),
        _ if bytes.is_multiple_of(MIB) => format!("{}MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{}KiB", bytes / KIB),
        _ => format!("{bytes}B"),
    }
}

trait Figure {
    fn figure(self) -> f64;
}

impl Figure for Duration {
    fn figure(self) -> f64 {
        self.as_secs_f64()
    }
}

impl Figure for usize {
    fn figure(self) -> f64 {
        self as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_limit_and_its_default() {
        let page = include_str!("../../docs/limits.md");
        let limits = Limits::default();
        for limit in Limit::ALL {
            let row = format!("| `{limit}` | {} |", limit.show(&limits));
            assert!(page.contains(&row), "docs/limits.md lacks {row}");
        }
    }

    #[test]
    fn one_plugin_goes_before_all() {
        let all = LimitsConfig {
            memory: Some(1),
            series: Some(2),
            ..LimitsConfig::default()
        };
        let one = LimitsConfig {
            memory: Some(3),
            ..LimitsConfig::default()
        };
        let limits = one.over(all.over(Limits::default()));
        assert_eq!((limits.memory, limits.series), (3, 2));
        assert_eq!(limits.timeout, Limits::default().timeout);
    }

    #[test]
    fn remedies_name_the_key() {
        let remedy = Limit::CallBytes.remedy("a");
        assert_eq!(
            remedy,
            "raise plugins.a.limits.call-bytes if the plugin needs more"
        );
    }
}
