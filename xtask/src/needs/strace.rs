//! strace, with which a test watches that a server syncs its disk before it answers.

use std::process::Command;

use crate::steps::{self, first_line_of, say};

/// Finds strace, or installs it where this process may. Other systems than Linux have none, and no
/// test that asks for it.
pub(super) fn check() -> Result<String, String> {
    if !cfg!(target_os = "linux") {
        return Ok("no test that needs strace".to_owned());
    }
    version()
        .or_else(|| install().then(version).flatten())
        .ok_or_else(|| {
            "strace, to watch the server's calls to the system: `apt-get install strace`, or your \
             system's own"
                .to_owned()
        })
}

fn version() -> Option<String> {
    first_line_of(Command::new("strace").arg("--version"))
}

/// Installs it as root on Debian and its kin, and says whether that went well. A new machine may
/// have no list of packages yet.
fn install() -> bool {
    let is_root = first_line_of(Command::new("id").arg("-u")).is_some_and(|user| user == "0");
    if !is_root || first_line_of(&mut apt_get(&["--version"])).is_none() {
        return false;
    }
    say("strace is not installed: installing it with apt-get");
    let strace = ["install", "--yes", "--no-install-recommends", "strace"];
    let is_done = |words: &[&str]| steps::run(&mut apt_get(words)).is_ok();
    is_done(&strace) || (is_done(&["update"]) && is_done(&strace))
}

fn apt_get(words: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
