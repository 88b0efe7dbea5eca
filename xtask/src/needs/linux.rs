//! The programs of Linux that tests ask for. Other systems have none of these tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{self, first_line_of, say};

/// A program, and what brings it.
struct Program {
    name: &'static str,
    /// The package of Debian and its kin.
    package: &'static str,
    purpose: &'static str,
}

const PROGRAMS: [Program; 7] = [
    Program {
        name: "strace",
        package: "strace",
        purpose: "to watch the server's calls to the system",
    },
    Program {
        name: "systemd-analyze",
        package: "systemd",
        purpose: "to judge the units in deploy/systemd",
    },
    Program {
        name: "curl",
        package: "curl",
        purpose: "to fetch what deploy/install.sh installs",
    },
    Program {
        name: "chromium",
        package: "chromium",
        purpose: "to open examples/finance-tracker",
    },
    Program {
        name: "initdb",
        package: "postgresql",
        purpose: "to hold the filters of shapes against",
    },
    Program {
        name: "sqlite3",
        package: "sqlite3",
        purpose: "to run what generate writes for SQLite",
    },
    Program {
        name: "pip3",
        package: "python3-pip",
        purpose: "to run the FastAPI of docs/guide/records.md",
    },
];

/// Finds each program, or installs it where this process may.
pub(super) fn check() -> Vec<Result<String, String>> {
    match cfg!(target_os = "linux") {
        true => PROGRAMS.iter().map(Program::check).collect(),
        false => Vec::new(),
    }
}

/// Where Debian and its kin put a program of Postgres, whose versions are beside each other.
fn aside(name: &str) -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let paths = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name));
    paths.filter(|path| path.exists()).collect()
}

impl Program {
    fn check(&self) -> Result<String, String> {
        self.version()
            .or_else(|| self.install().then(|| self.version()).flatten())
            .ok_or_else(|| {
                let Self {
                    name,
                    package,
                    purpose,
                } = self;
                format!("{name}, {purpose}: `apt-get install {package}`, or your system's own")
            })
    }

    fn version(&self) -> Option<String> {
        let version = |path: &Path| first_line_of(Command::new(path).arg("--version"));
        version(Path::new(self.name))
            .or_else(|| aside(self.name).iter().find_map(|path| version(path)))
    }

    /// Installs it as root on Debian and its kin, and says whether that went well. A new machine may
    /// have no list of packages yet.
    fn install(&self) -> bool {
        let is_root = first_line_of(Command::new("id").arg("-u")).is_some_and(|user| user == "0");
        if !is_root || first_line_of(&mut apt_get(&["--version"])).is_none() {
            return false;
        }
        let Self { name, package, .. } = self;
        say(format_args!(
            "{name} is not installed: installing {package} with apt-get"
        ));
        let install = ["install", "--yes", "--no-install-recommends", package];
        let is_done = |words: &[&str]| steps::run(&mut apt_get(words)).is_ok();
        is_done(&install) || (is_done(&["update"]) && is_done(&install))
    }
}

fn apt_get(words: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
