//! What the machine must have, checked before a long build finds out.

mod linux;

use std::env;
use std::process::Command;

use crate::failure::Failure;
use crate::node;
use crate::repository::Repository;
use crate::steps::{first_line_of, say};

/// The oldest Node.js that runs the TypeScript packages.
const NODE_MAJOR_MIN: u32 = 20;

/// Checks the compiler, the C compiler, the programs of Linux that tests ask for, and where the tree holds
/// TypeScript Node.js. Installs what it may.
///
/// # Errors
///
/// `Failure::Needs` with everything that is missing, not just the first.
pub(crate) fn check(repository: &Repository) -> Result<(), Failure> {
    let checks = [rust(repository), c_compiler(), node(repository)?];
    let mut missing = Vec::new();
    for check in checks.into_iter().chain(linux::check()) {
        match check {
            Ok(found) => say(format_args!("found: {found}")),
            Err(lacking) => missing.push(lacking),
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::Needs(missing)),
    }
}

fn rust(repository: &Repository) -> Result<String, String> {
    let needed = repository
        .packages
        .iter()
        .map(|package| package.rust_version.as_str());
    let needed = needed
        .max_by_key(|version| numbers(version))
        .unwrap_or_default();
    let lacking =
        |found: &str| format!("rustc {needed} or newer ({found}): `rustup update stable`");
    let line = first_line_of(Command::new("rustc").arg("--version"));
    let line = line.ok_or_else(|| lacking("found none"))?;
    let version = line.split_whitespace().nth(1).unwrap_or_default();
    match numbers(version) >= numbers(needed) {
        true => Ok(line),
        false => Err(lacking(&line)),
    }
}

/// SQLite and the cryptography are C, built by the compiler that `CC` names, or `cc`.
fn c_compiler() -> Result<String, String> {
    let program = env::var_os("CC").unwrap_or_else(|| "cc".into());
    first_line_of(Command::new(&program).arg("--version")).ok_or_else(|| {
        let program = program.to_string_lossy();
        format!("a C compiler ({program}): `apt-get install gcc libc6-dev`, or your system's own")
    })
}

fn node(repository: &Repository) -> Result<Result<String, String>, Failure> {
    if node::packages(repository)?.is_empty() {
        return Ok(Ok("no package that needs Node.js".to_owned()));
    }
    let lacking = |found: &str| {
        format!(
            "Node.js {NODE_MAJOR_MIN} or newer with npm, to test the TypeScript packages ({found}): \
             `apt-get install nodejs npm`, or from nodejs.org"
        )
    };
    let npm = first_line_of(Command::new(node::program()).arg("--version"));
    let line = first_line_of(Command::new("node").arg("--version"));
    Ok(match (line, npm) {
        (Some(line), Some(npm))
            if numbers(line.trim_start_matches('v')) >= vec![NODE_MAJOR_MIN] =>
        {
            Ok(format!("node {line}, npm {npm}"))
        }
        (Some(line), Some(_)) => Err(lacking(&format!("found {line}"))),
        (Some(_), None) => Err(lacking("found no npm")),
        (None, _) => Err(lacking("found none")),
    })
}

/// `1.95.0-nightly` as `[1, 95, 0]`.
fn numbers(version: &str) -> Vec<u32> {
    let digits = version
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next();
    digits
        .unwrap_or_default()
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_and_not_by_letter() {
        assert!(numbers("1.100.0") > numbers("1.95"));
        assert!(numbers("1.95.0-nightly") >= numbers("1.95"));
        assert!(numbers("1.94.9") < numbers("1.95"));
        assert!(numbers("20.1.0") >= numbers("20"));
    }
}
