//! The script that installs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::{of_workspace, read, root};
use crate::machine::{Answer, Machine, finish};

/// A release for this machine, of a binary that says what ours would.
struct Release {
    directory: PathBuf,
    archive: String,
}

fn run(program: &str, arguments: &[&str], directory: &Path) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("this test needs {program}: {error}"));
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

impl Release {
    fn new(machine: &Machine) -> Self {
        let system = match std::env::consts::OS {
            "macos" => "apple-darwin",
            _ => "unknown-linux-gnu",
        };
        let archive = format!("syncline-{}-{system}.tar.gz", std::env::consts::ARCH);
        let release = Self {
            directory: machine.home().join("release"),
            archive,
        };
        std::fs::create_dir(&release.directory).unwrap();
        release.pack("#!/bin/sh\necho syncline 9.9.9\n");
        release
    }

    /// Packs a program as the release workflow does, and notes its checksum.
    fn pack(&self, program: &str) {
        std::fs::write(self.directory.join("syncline"), program).unwrap();
        run("chmod", &["+x", "syncline"], &self.directory);
        let words = ["-czf", self.archive.as_str(), "syncline"];
        run("tar", &words, &self.directory);
        let digits = sha256(&self.directory.join(&self.archive));
        let text = format!(
            "{}  other.tar.gz\n{digits}  {}\n",
            "0".repeat(64),
            self.archive
        );
        std::fs::write(self.directory.join("checksums.txt"), text).unwrap();
    }

    fn at_file(&self) -> String {
        format!("file://{}", self.directory.display())
    }

    /// Serves the files to whoever asks, until the test ends.
    fn at_http(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let directory = self.directory.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let mut header = String::new();
                while stream.read_line(&mut header).unwrap() > 2 {
                    header.clear();
                }
                let path = line.split(' ').nth(1).unwrap().trim_start_matches('/');
                let (status, body) = match std::fs::read(directory.join(path)) {
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let stream = stream.get_mut();
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        url
    }
}

fn sha256(path: &Path) -> String {
    let path = path.to_str().unwrap();
    let said = run("openssl", &["dgst", "-sha256", "-r", path], &root());
    said.split(' ').next().unwrap().to_owned()
}

/// Runs the script as a user does, with `HOME` as all there is.
fn install(machine: &Machine, words: &[&str]) -> Answer {
    let mut command = Command::new("sh");
    command
        .arg(root().join("deploy/install.sh"))
        .args(words)
        .env_clear()
        .env("HOME", machine.home())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .current_dir(machine.work_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish(command, b"")
}

fn installed(machine: &Machine) -> PathBuf {
    machine.home().join(".local/bin/syncline")
}

/// What is in the directory of the binary, hidden files too.
fn left(machine: &Machine) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(machine.home().join(".local/bin")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_release_with_the_right_checksum_is_installed_for_the_user_alone() {
    for served in [Release::at_file, Release::at_http] {
        let machine = Machine::new();
        let release = Release::new(&machine);
        let from = served(&release);
        let said = install(&machine, &["--from", &from]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        assert!(
            said.stderr.contains("installed syncline 9.9.9"),
            "{said:#?}"
        );
        assert!(said.stderr.contains("not on your PATH"), "{said:#?}");
        assert_eq!(left(&machine), ["syncline"]);
        let binary = installed(&machine);
        let shown = run(binary.to_str().unwrap(), &["--version"], machine.home());
        assert_eq!(shown, "syncline 9.9.9\n");

        // A newer one takes its place.
        release.pack("#!/bin/sh\necho syncline 9.9.10\n");
        let said = install(&machine, &["--from", &from]);
        assert!(
            said.stderr.contains("installed syncline 9.9.10"),
            "{said:#?}"
        );
        assert_eq!(left(&machine), ["syncline"]);
    }
}

#[test]
fn a_wrong_checksum_installs_nothing_and_leaves_what_was_there() {
    for served in [Release::at_file, Release::at_http] {
        let machine = Machine::new();
        let release = Release::new(&machine);
        let from = served(&release);
        install(&machine, &["--from", &from]);
        let before = std::fs::read(installed(&machine)).unwrap();

        release.pack("#!/bin/sh\necho syncline 6.6.6\n");
        let sums = release.directory.join("checksums.txt");
        let right = std::fs::read_to_string(&sums).unwrap();
        let digits = sha256(&release.directory.join(&release.archive));
        std::fs::write(&sums, right.replace(&digits, &"f".repeat(64))).unwrap();
        let said = install(&machine, &["--from", &from]);
        assert_eq!(said.code, Some(1), "{said:#?}");
        assert!(
            said.stderr.contains("is wrong; nothing was installed"),
            "{said:#?}"
        );
        assert!(said.stderr.contains(&digits), "{said:#?}");
        assert_eq!(std::fs::read(installed(&machine)).unwrap(), before);
        assert_eq!(left(&machine), ["syncline"]);

        // One that is named nowhere is no better.
        std::fs::write(&sums, right.replace(&release.archive, "another.tar.gz")).unwrap();
        let said = install(&machine, &["--from", &from]);
        assert_eq!(said.code, Some(1), "{said:#?}");
        assert!(said.stderr.contains("does not name"), "{said:#?}");
        assert_eq!(left(&machine), ["syncline"]);
    }
}

#[test]
fn a_release_that_is_not_there_or_does_not_run_is_told() {
    let machine = Machine::new();
    let release = Release::new(&machine);
    let from = release.at_http();
    let missing = install(&machine, &["--from", &format!("{from}/gone")]);
    assert_eq!(missing.code, Some(1), "{missing:#?}");
    assert!(missing.stderr.contains("could not fetch"), "{missing:#?}");
    release.pack("#!/bin/sh\nexit 1\n");
    let broken = install(&machine, &["--from", &from]);
    assert_eq!(broken.code, Some(1), "{broken:#?}");
    assert!(broken.stderr.contains("does not run here"), "{broken:#?}");
    let unknown = install(&machine, &["--frobnicate"]);
    assert_eq!(unknown.code, Some(1), "{unknown:#?}");
    assert_eq!(left(&machine), Vec::<String>::new());
}

#[test]
fn the_script_asks_the_repository_of_the_manifest_and_needs_no_more_than_a_plain_shell() {
    let script = read("deploy/install.sh");
    let repository = of_workspace("repository");
    assert!(script.contains(&format!("REPOSITORY={repository}\n")));
    assert!(script.starts_with("#!/bin/sh\n"));
    for bashism in ["[[", "local ", "function ", "pipefail", "sudo"] {
        assert!(!script.contains(bashism), "{bashism}");
    }
    // Cut off anywhere on its way, it does nothing.
    assert!(script.ends_with("\n}\n\nmain \"$@\"\n"));
}
