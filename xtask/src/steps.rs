//! Commands run one after the other, each with its time.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, io};

use crate::failure::Failure;

/// The steps of a chore that are done, with their times.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Runs a command with its output shown, and notes its time. A failing command is an error.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> Result<(), Failure> {
        let shown = show(command);
        self.time(name, &shown, || run(command))
    }

    /// Does some work under a name, and notes its time.
    pub(crate) fn time<T>(
        &mut self,
        name: &str,
        what: impl fmt::Display,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        say(format_args!("== {name}: {what}"));
        let start = Instant::now();
        let result = work()?;
        let spent = start.elapsed();
        say(format_args!("== {name}: done in {}", Seconds(spent)));
        self.done.push((name.to_owned(), spent));
        Ok(result)
    }

    /// Prints the table of times.
    pub(crate) fn print(&self) {
        for (name, spent) in &self.done {
            say(format_args!(
                "{name:<12} {:>9}",
                Seconds(*spent).to_string()
            ));
        }
        let total = self.done.iter().map(|(_, spent)| *spent).sum();
        say(format_args!(
            "{:<12} {:>9}",
            "total",
            Seconds(total).to_string()
        ));
    }
}

/// Runs a command with its output shown; it gets no input.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.stdin(Stdio::null()).status();
    let status = status.map_err(|source| Failure::Start {
        command: show(command),
        source,
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::Exit {
            command: show(command),
            status,
        }),
    }
}

/// What a command prints to its standard output.
pub(crate) fn output_of(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = output.map_err(|source| Failure::Start {
        command: show(command),
        source,
    })?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Failure::Exit {
            command: show(command),
            status: output.status,
        }),
    }
}

/// The first line that a command prints, or `None` where it is absent or fails.
pub(crate) fn first_line_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// Prints a line at once, before a child's output.
pub(crate) fn say(line: impl fmt::Display) {
    println!("{line}");
    // A closed output is no reason to stop the work.
    let _ = io::stdout().flush();
}

/// A command as a person would type it.
fn show(command: &Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let program = program
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
        .to_owned();
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    words.fold(program, |line, word| format!("{line} {word}"))
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}
