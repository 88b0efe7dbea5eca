//! What the demo prints: a line for each thing that has worked, and how long it took.

use std::fmt::Display;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::output::{Format, Output, Style};

/// The column at which times end.
const WIDTH: usize = 84;

/// Tells what happens, while it happens; as JSON, at the end.
pub(super) struct Teller {
    output: Output,
    steps: Vec<Step>,
}

/// Something that has worked.
#[derive(Debug, Serialize)]
struct Step {
    step: String,
    ms: f64,
}

impl Teller {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            steps: Vec::new(),
        }
    }

    pub(super) fn begin(&self) -> Outcome {
        self.say(format_args!(
            "A server, a laptop and a desktop, all on this machine. Their threads are real: work\n\
             sessions that the developers of github.com/entireio/cli published with their code\n\
             (MIT licence, © 2026 Entire Inc.).\n"
        ))
    }

    /// Does a step, and tells its outcome and how long it took.
    pub(super) fn step<T>(
        &mut self,
        work: impl FnOnce() -> Result<(T, String), Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let (done, text) = work()?;
        self.worked(&text, begun.elapsed())?;
        Ok(done)
    }

    /// Tells of something that has worked.
    pub(super) fn worked(&mut self, text: &str, took: Duration) -> Outcome {
        let ms = took.as_secs_f64() * 1000.0;
        let ok = self.output.colour().paint(Style::Good, "ok");
        let mut lines: Vec<&str> = text.lines().collect();
        let last = lines.pop().unwrap_or_default();
        let mut shown = String::new();
        for line in lines {
            shown.push_str(line);
            shown.push_str("\n      ");
        }
        let time = format!("{ms:.1} ms");
        let width = WIDTH.saturating_sub(time.len());
        self.say(format_args!("  {ok}  {shown}{last:<width$}{time}"))?;
        self.steps.push(Step {
            step: text.replace('\n', " "),
            ms,
        });
        Ok(())
    }

    pub(super) fn end(&self) -> Outcome {
        match self.output.format() {
            Format::Text => self.say("\nAll of it came out as it should."),
            Format::Json => self
                .output
                .json(&serde_json::json!({ "ok": true, "steps": self.steps })),
        }
    }

    fn say(&self, text: impl Display) -> Outcome {
        match self.output.format() {
            Format::Text => self.output.write(|out| writeln!(out, "{text}")),
            Format::Json => Ok(()),
        }
    }
}
