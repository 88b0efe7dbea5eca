//! A home directory with nothing in it, and the binary run in it with a cleared environment.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A user's machine, gone when dropped.
pub(crate) struct Machine {
    home: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("work")).unwrap();
        Self { home }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where commands are run.
    pub(crate) fn work_dir(&self) -> PathBuf {
        self.home.path().join("work")
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.home.path().join(".config/syncline/config.toml")
    }

    pub(crate) fn write_config(&self, text: &str) {
        std::fs::create_dir_all(self.config_file().parent().unwrap()).unwrap();
        std::fs::write(self.config_file(), text).unwrap();
    }

    /// The binary, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syncline"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .current_dir(self.work_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a line of the shell, as a person would type it.
    pub(crate) fn shell(&self, line: &str) -> Answer {
        let binary = env!("CARGO_BIN_EXE_syncline");
        let mut command = Command::new("/bin/sh");
        command
            .args([
                "-c",
                &format!("syncline() {{ '{binary}' \"$@\"; }}; {line}"),
            ])
            .env_clear()
            .env("HOME", self.home.path())
            .current_dir(self.work_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(command, b"")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        finish(self.command(arguments), b"")
    }

    /// All entries of a thread, as `thread read` tells them.
    pub(crate) fn entries(&self, thread: &str) -> Vec<Value> {
        let answer = self
            .run(&["thread", "read", thread, "--all", "--json"])
            .done();
        answer.json()["entries"].as_array().unwrap().clone()
    }

    /// The contents of all entries of a thread.
    pub(crate) fn contents(&self, thread: &str) -> Vec<String> {
        let text = |entry: &Value| entry["content"].as_str().unwrap().to_owned();
        self.entries(thread).iter().map(text).collect()
    }

    /// Runs with variables of the environment set.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Answer {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        finish(command, b"")
    }

    /// Runs with `input` on standard input.
    pub(crate) fn run_on(&self, input: &str, arguments: &[&str]) -> Answer {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped());
        finish(command, input.as_bytes())
    }
}

/// Runs `command` to its end.
pub(crate) fn finish(mut command: Command, input: &[u8]) -> Answer {
    let line = format!("{command:?}");
    let mut child = command.spawn().unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        // A command that fails before it reads closes the pipe.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output().unwrap();
    Answer {
        line,
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What a command said, and its exit code.
#[derive(Debug)]
pub(crate) struct Answer {
    #[expect(dead_code, reason = "shown where an assertion fails")]
    line: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// Asserts that the command did what it was asked.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Asserts that the command failed with `code` of the process and `error` of ours, and printed
    /// no data.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, error: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(
            self.stderr.starts_with(&format!("error[{error}]: ")),
            "{self:#?}"
        );
        assert_eq!(self.stdout, "", "{self:#?}");
        self
    }

    /// Asserts that the talk holds `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "{self:#?}");
        self
    }

    /// The data, as the one JSON value that it must be.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
