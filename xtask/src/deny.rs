//! cargo-deny: licences, sources and bans of the crates we build on.

use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::repository::Repository;
use crate::steps::{Steps, first_line_of, say};

/// The release that `deny.toml` was written for.
const VERSION: &str = "0.20.2";

/// Checks the whole tree of dependencies against `deny.toml`. Installs cargo-deny into the target
/// directory where the machine has none.
pub(crate) fn check(repository: &Repository, steps: &mut Steps) -> Result<(), Failure> {
    let mut deny = installed(repository, steps)?;
    deny.args(["--locked", "check", "--hide-inclusion-graph"]);
    deny.args(["bans", "licenses", "sources"]);
    steps.run("deny", &mut deny)
}

fn installed(repository: &Repository, steps: &mut Steps) -> Result<Command, Failure> {
    if first_line_of(repository.cargo().args(["deny", "--version"])).is_some() {
        let mut deny = repository.cargo();
        deny.arg("deny");
        return Ok(deny);
    }
    let tools = repository.target.join("tools");
    let program = tools.join("bin/cargo-deny");
    if first_line_of(Command::new(&program).arg("--version")).is_none() {
        say(format_args!(
            "cargo-deny is not installed: building {VERSION} into {}",
            tools.display()
        ));
        steps.run("deny build", &mut install(repository, &tools))?;
    }
    let mut deny = Command::new(program);
    deny.current_dir(&repository.root);
    Ok(deny)
}

/// An unoptimised build takes a fraction of the time, and checks this tree in two seconds.
fn install(repository: &Repository, tools: &Path) -> Command {
    let mut install = repository.cargo();
    install
        .args([
            "install",
            "cargo-deny",
            "--version",
            VERSION,
            "--locked",
            "--debug",
            "--root",
        ])
        .arg(tools)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    install
}
