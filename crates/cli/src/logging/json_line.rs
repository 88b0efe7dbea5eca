//! A line of the log as it is written: one JSON object, with the causes of an error beside it.

use std::error::Error;
use std::fmt;

use serde::Serializer;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes an event as `timestamp`, `level`, its fields, and `target`.
///
/// What causes an error that a field holds is in a field of its own, `error.causes` for `error`, the
/// nearest first: an error says what was tried, and leaves the why to its sources.
pub(super) struct JsonLine;

/// The members of the object, in the order in which they are written.
#[derive(Default)]
struct Members(Vec<(String, Value)>);

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let metadata = event.metadata();
        let mut members = Members::default();
        members.add("timestamp", time.into());
        members.add("level", metadata.level().as_str().into());
        event.record(&mut members);
        members.add("target", metadata.target().into());
        writeln!(writer, "{}", members.into_json().map_err(|_| fmt::Error)?)
    }
}

impl Members {
    fn add(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }

    fn into_json(self) -> serde_json::Result<String> {
        let mut json = Vec::new();
        serde_json::Serializer::new(&mut json).collect_map(self.0)?;
        Ok(String::from_utf8(json).expect("serde_json writes UTF-8"))
    }
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field.name(), value.to_string().into());
        let mut causes = Vec::new();
        let mut cause = value.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        if !causes.is_empty() {
            let name = format!("{}.causes", field.name());
            self.add(&name, causes.join(": ").into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("could not make a copy")]
    struct Copy(#[source] io::Error);

    #[test]
    fn an_error_is_told_with_its_causes() {
        let written = Written::default();
        let lines = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(JsonLine)
            .with_writer(move || lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let error = Copy(io::Error::other("no space left"));
            let error = &error as &dyn Error;
            tracing::error!(error, ops.count = 3, log.full = true, "a \"backup\" failed");
        });
        let line = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(line.ends_with("}\n"), "{line}");
        let mut line: Value = serde_json::from_str(&line).unwrap();
        let time = line["timestamp"].take();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
        assert_eq!(
            line,
            json!({
                "timestamp": null,
                "level": "ERROR",
                "message": "a \"backup\" failed",
                "error": "could not make a copy",
                "error.causes": "no space left",
                "ops.count": 3,
                "log.full": true,
                "target": module_path!(),
            })
        );
    }
}
