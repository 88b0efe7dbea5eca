//! A Postgres of a test's own: made, served on a socket in its folder, and gone with it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The user and group `nobody`: Postgres does not run as root.
const NOBODY: u32 = 65_534;

/// How values are written, as shapes have them.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "fsync=off",
    "timezone=UTC",
    "datestyle=ISO, DMY",
    "intervalstyle=iso_8601",
    "extra_float_digits=1",
];

pub(super) struct Cluster {
    child: Child,
    folder: PathBuf,
}

/// Where a program of Postgres is: among the newest that are installed beside each other, or wherever
/// the system finds it.
fn place(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let paths = versions.flatten().map(|version| version.path());
    let newest = paths.max_by_key(|path| {
        let version = path.file_name().and_then(|version| version.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    });
    let found = newest.map(|version| version.join("bin").join(name));
    found.unwrap_or_else(|| PathBuf::from(name))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A program of Postgres, as a user that it runs as.
fn program(name: &str) -> Command {
    let path = place(name);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    let nobody = NOBODY.to_string();
    command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
    command.arg(path);
    command
}

impl Cluster {
    pub(super) fn start() -> Self {
        let name = format!("syncline-postgres-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder for the cluster");
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root gives folders away");
        }
        let made = program("initdb")
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "-D"])
            .arg(folder.join("data"))
            .current_dir(&folder)
            .output()
            .expect("no Postgres to hold filters against: `apt-get install postgresql`");
        let told = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {told}");
        let mut command = program("postgres");
        command.arg("-D").arg(folder.join("data"));
        command.arg("-k").arg(&folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let mut child = command
            .current_dir(&folder)
            .stderr(Stdio::piped())
            .spawn()
            .expect("postgres starts");
        let mut told = BufReader::new(child.stderr.take().expect("it was asked for")).lines();
        let is_ready = |line: &String| line.contains("ready to accept connections");
        let ready = told.by_ref().map_while(Result::ok).find(is_ready);
        assert!(ready.is_some(), "postgres did not start");
        // It logs what it refuses: that has to go somewhere.
        std::thread::spawn(move || told.map_while(Result::ok).for_each(drop));
        Self { child, folder }
    }

    /// Runs a script; gives the rows that it prints. What is refused is left out.
    pub(super) fn run(&self, script: &str) -> String {
        let path = self.folder.join("script.sql");
        fs::write(&path, script).expect("the cluster's folder takes a file");
        let output = Command::new(place("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--username=postgres", "--dbname=postgres", "--host"])
            .arg(&self.folder)
            .arg("--file")
            .arg(path)
            .output()
            .expect("psql runs");
        assert!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("the cluster speaks UTF-8")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = program("pg_ctl")
            .args(["stop", "--mode=immediate", "-D"])
            .arg(self.folder.join("data"))
            .current_dir(&self.folder)
            .output();
        if stopped.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
