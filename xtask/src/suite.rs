//! Every test of the workspace.

use std::path::PathBuf;
use std::process::Command;
use std::{fmt, fs};

use crate::failure::Failure;
use crate::repository::Repository;
use crate::steps::{Steps, first_line_of, say};
use crate::{needs, node};

/// What runs the tests once they are built.
#[derive(Debug, Clone, Copy)]
enum Runner {
    /// A process per test, and a report that counts them.
    Nextest,
    /// Comes with the compiler. Used where nextest is absent, which takes longer to build than the
    /// tests take to run.
    Cargo,
}

/// How many tests ran to which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
}

/// Checks the machine, builds and runs the tests. With arguments, which go to the runner, only those
/// that they select run, and neither doc tests nor those of TypeScript packages.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<(), Failure> {
    let mut steps = Steps::default();
    steps.time("needs", "what the build asks of this machine", || {
        needs::check(repository)
    })?;
    let runner = Runner::of_this_machine(repository);
    forget_counts(repository)?;
    if arguments.is_empty() {
        steps.run(
            "build",
            runner.command(repository, arguments).arg("--no-run"),
        )?;
        // Before the rest, so that the last summary on the screen is that of the tests themselves.
        steps.run("doc tests", &mut doc_tests(repository))?;
        node::test(repository, &mut steps)?;
    }
    steps.run("tests", &mut runner.command(repository, arguments))?;
    steps.print();
    Ok(())
}

/// The counts of the last whole run, where its runner reports them.
pub(crate) fn counts(repository: &Repository) -> Option<Counts> {
    counts_in(&fs::read_to_string(report(repository)).ok()?)
}

/// Makes sure that no counts of an earlier run are taken for those of the next.
pub(crate) fn forget_counts(repository: &Repository) -> Result<(), Failure> {
    let path = report(repository);
    match path.exists() {
        true => fs::remove_file(&path).map_err(|source| Failure::File { path, source }),
        false => Ok(()),
    }
}

impl Runner {
    fn of_this_machine(repository: &Repository) -> Self {
        match first_line_of(repository.cargo().args(["nextest", "--version"])) {
            Some(_) => Self::Nextest,
            None => {
                say("cargo-nextest is not installed: the tests run under `cargo test` instead");
                Self::Cargo
            }
        }
    }

    /// The command for the packages that the arguments name, or for all.
    fn command(self, repository: &Repository, arguments: &[String]) -> Command {
        let names_package = |word: &String| word.starts_with("-p") || word.starts_with("--package");
        let mut command = repository.cargo();
        match self {
            Self::Nextest => command.args(["nextest", "run"]),
            Self::Cargo => command.args(["test", "--all-targets"]),
        };
        command.arg("--locked");
        if !arguments.iter().any(names_package) {
            command.arg("--workspace");
        }
        command.args(arguments);
        command
    }
}

fn doc_tests(repository: &Repository) -> Command {
    let mut command = repository.cargo();
    command.args(["test", "--doc", "--workspace", "--locked"]);
    command
}

/// Where nextest writes its report; `.config/nextest.toml` asks for it.
fn report(repository: &Repository) -> PathBuf {
    repository.target.join("nextest/default/junit.xml")
}

fn counts_in(report: &str) -> Option<Counts> {
    let head = report.split_once("<testsuites ")?.1.split_once('>')?.0;
    let number = |name: &str| -> Option<u64> {
        let value = head.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
        value.parse().ok()
    };
    let failed = number("failures")? + number("errors")?;
    Some(Counts {
        passed: number("tests")? - failed,
        failed,
    })
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_from_the_head_of_the_report() {
        let report = r#"<?xml version="1.0"?>
<testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="x" time="0.1">
    <testsuite name="syncline-model" tests="5" failures="9" errors="9">"#;
        assert_eq!(
            counts_in(report),
            Some(Counts {
                passed: 9,
                failed: 3
            })
        );
    }

    #[test]
    fn a_report_without_counts_gives_none() {
        assert_eq!(counts_in("<testsuites name=\"nextest-run\">"), None);
        assert_eq!(counts_in(""), None);
    }
}
