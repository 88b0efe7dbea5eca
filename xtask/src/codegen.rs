//! Committed files that the binary writes of itself.
//!
//! The binary is the source: each file is what one of its commands prints, so that none is kept by
//! hand beside the code.

use std::fs;

use crate::failure::Failure;
use crate::repository::Repository;
use crate::steps::{output_of, say};

/// A committed file and the arguments of `syncline` that print it.
struct Generated {
    path: &'static str,
    arguments: &'static [&'static str],
}

const GENERATED: &[Generated] = &[Generated {
    path: "docs/cli.md",
    arguments: &["reference"],
}];

/// Writes each file that is not what the binary prints.
pub(crate) fn write(repository: &Repository) -> Result<(), Failure> {
    for (file, text) in stale(repository)? {
        let path = repository.root.join(file.path);
        fs::write(&path, text).map_err(|source| Failure::File { path, source })?;
        say(format_args!("wrote {}", file.path));
    }
    Ok(())
}

/// Fails where a file is not what the binary prints.
pub(crate) fn check(repository: &Repository) -> Result<(), Failure> {
    let stale = stale(repository)?;
    let paths: Vec<_> = stale.iter().map(|(file, _)| file.path.to_owned()).collect();
    match paths.is_empty() {
        true => Ok(()),
        false => Err(Failure::Stale { paths }),
    }
}

fn stale(repository: &Repository) -> Result<Vec<(&'static Generated, String)>, Failure> {
    let mut stale = Vec::new();
    for file in GENERATED {
        let mut command = repository.cargo();
        command.args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "syncline-cli",
            "--",
        ]);
        let text = output_of(command.args(file.arguments))?;
        // An absent file is a stale one.
        let committed = fs::read_to_string(repository.root.join(file.path)).ok();
        if committed.as_deref() != Some(&text) {
            stale.push((file, text));
        }
    }
    Ok(stale)
}
