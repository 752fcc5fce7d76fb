//! `ts=… level=info target=… msg="listening" address=127.0.0.1:8080`: one line per event.
//!
//! The keys are those of other exporters, and values are escaped as JSON escapes them, which is what Loki and Go's
//! logfmt readers accept. (The crate tracing-logfmt writes `message=`, and `\'`, which they refuse.)

use std::fmt::{self, Debug, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Formats events, and the fields of the spans around them.
#[derive(Debug)]
pub(super) struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("ts=")?;
        SystemTime.format_time(&mut writer)?;
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        write!(
            writer,
            " level={level} target={} ",
            event.metadata().target()
        )?;
        context.format_fields(writer.by_ref(), event)?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.is_empty()
            {
                write!(writer, " {fields}")?;
            }
        }
        writeln!(writer)
    }
}

impl<'w> FormatFields<'w> for Logfmt {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut pairs = Pairs {
            writer,
            separator: "",
            result: Ok(()),
        };
        fields.record(&mut pairs);
        pairs.result
    }
}

struct Pairs<'w> {
    writer: Writer<'w>,
    /// Before the next pair.
    separator: &'static str,
    /// The first failure: `Visit` cannot return it.
    result: fmt::Result,
}

impl Pairs<'_> {
    fn pair(&mut self, field: &Field, value: &str) -> fmt::Result {
        self.writer.write_str(self.separator)?;
        self.separator = " ";
        match field.name() {
            "message" => {
                self.writer.write_str("msg=")?;
                quoted(&mut self.writer, value)
            }
            name => {
                write!(self.writer, "{name}=")?;
                if is_plain(value) {
                    self.writer.write_str(value)
                } else {
                    quoted(&mut self.writer, value)
                }
            }
        }
    }
}

impl Visit for Pairs<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.result.is_ok() {
            self.result = self.pair(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn is_plain(value: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"=\"\\".contains(c);
    !value.is_empty() && value.chars().all(is_plain)
}

fn quoted(writer: &mut impl Write, value: &str) -> fmt::Result {
    writer.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' => writer.write_str("\\\"")?,
            '\\' => writer.write_str("\\\\")?,
            '\n' => writer.write_str("\\n")?,
            '\r' => writer.write_str("\\r")?,
            '\t' => writer.write_str("\\t")?,
            c if c.is_control() => write!(writer, "\\u{:04x}", u32::from(c))?,
            c => writer.write_char(c)?,
        }
    }
    writer.write_char('"')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::{fmt, layer::SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(part)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged, from the level on: the time differs.
    fn logged(events: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = fmt::layer()
            .event_format(Logfmt)
            .fmt_fields(Logfmt)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), events);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let (time, rest) = text.split_once(' ').unwrap();
        assert!(time.starts_with("ts=2") && time.ends_with('Z'), "{time}");
        rest.to_owned()
    }

    #[test]
    fn an_event_is_one_line() {
        let line = logged(|| {
            let address = "127.0.0.1:1";
            tracing::info!(target: "t", %address, count = 2, ok = true, "listening");
        });
        assert_eq!(
            line,
            "level=info target=t msg=\"listening\" address=127.0.0.1:1 count=2 ok=true\n"
        );
    }

    #[test]
    fn values_cannot_break_out_of_their_pair() {
        let line = logged(|| {
            let error = "it's \"a=b\"\n\\\u{1b}é";
            tracing::warn!(target: "t", error, empty = "", "two\nlines");
        });
        assert_eq!(
            line,
            "level=warn target=t msg=\"two\\nlines\" \
             error=\"it's \\\"a=b\\\"\\n\\\\\\u001bé\" empty=\"\"\n"
        );
    }

    #[test]
    fn spans_lend_their_fields() {
        let line = logged(|| {
            let _call = tracing::info_span!("call", plugin = "counter").entered();
            let _bare = tracing::info_span!("bare").entered();
            tracing::error!(target: "t", "trapped");
        });
        assert_eq!(
            line,
            "level=error target=t msg=\"trapped\" plugin=counter\n"
        );
    }
}
