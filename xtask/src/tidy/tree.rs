//! The files of the tree, and the rules that hold for each whatever it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::failure::Failure;
use crate::repository::relative;

/// Directories that hold nothing of ours.
const FOREIGN: [&str; 3] = ["target", ".git", "node_modules"];

/// Ends of the names of files that people write.
const WRITTEN: [&str; 8] = [".rs", ".md", ".toml", ".sql", ".ts", ".yml", ".sh", "/run"];

/// The only shell scripts: the one that CI starts, and the one that runs where nothing of ours is yet.
/// Every other chore is a chore of xtask.
const SHELL_SCRIPTS: [&str; 2] = [".ci/run", "deploy/install.sh"];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "helpers", "misc", "manager"];

/// Directories that exist on one machine only.
// tidy: machine-path because this is the list of them
const MACHINE_PATHS: [&str; 2] = ["/work/", "/tmp/"];

/// A file that people write.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// A finding in this file.
    pub(crate) fn finding(&self, line: usize, rule: &'static str, message: &str) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            rule,
            message: message.to_owned(),
        }
    }

    /// Whether a line, counted from 1, or the one above gives a reason for breaking `rule`.
    pub(crate) fn allows(&self, line: usize, rule: &str) -> bool {
        let skipped = line.saturating_sub(2);
        let nearby = self.text.lines().skip(skipped).take(line - skipped);
        nearby.into_iter().any(|text| gives_reason(text, rule))
    }
}

/// Whether a line holds a reason for breaking `rule`.
pub(crate) fn gives_reason(line: &str, rule: &str) -> bool {
    let reason = line.split_once(&format!("tidy: {rule} because "));
    reason.is_some_and(|(_, reason)| !reason.trim().is_empty())
}

/// Every file under `root` that is ours.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File { path, source }
    };
    let mut directories = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).map_err(failure(&directory))? {
            let entry = entry.map_err(failure(&directory))?;
            let kind = entry.file_type().map_err(failure(&entry.path()))?;
            let is_ours = !FOREIGN.iter().any(|name| entry.file_name() == *name);
            if kind.is_dir() && is_ours {
                directories.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Reads every file under `root` that people write.
pub(crate) fn read(root: &Path) -> Result<Vec<File>, Failure> {
    let mut read = Vec::new();
    for path in files(root)? {
        let name = relative(&path, root);
        if WRITTEN.iter().any(|end| name.ends_with(end)) {
            let text =
                fs::read_to_string(&path).map_err(|source| Failure::File { path, source })?;
            read.push(File { path: name, text });
        }
    }
    Ok(read)
}

/// What breaks a rule that holds for every file.
pub(crate) fn findings(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.path.ends_with("/mod.rs") {
        findings.push(file.finding(
            1,
            "mod-rs",
            "a module `foo` is `foo.rs`, with its parts in `foo/`",
        ));
    }
    let stem = file
        .path
        .rsplit('/')
        .next()
        .and_then(|name| name.split('.').next());
    if stem.is_some_and(|stem| EMPTY_NAMES.contains(&stem)) {
        findings.push(file.finding(
            1,
            "empty-name",
            "name the file after the idea that it holds",
        ));
    }
    let is_script = file.path.ends_with(".sh") || file.text.starts_with("#!/");
    if is_script && !SHELL_SCRIPTS.contains(&file.path.as_str()) {
        findings.push(file.finding(1, "script", "make it a chore of xtask"));
    }
    for (index, line) in file.text.lines().enumerate() {
        if names_machine_path(line) && !file.allows(index + 1, "machine-path") {
            findings.push(file.finding(index + 1, "machine-path", "this path is of one machine"));
        }
    }
    findings
}

fn names_machine_path(line: &str) -> bool {
    MACHINE_PATHS.iter().any(|path| {
        line.match_indices(path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '}' | '>'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let file = File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        findings(&file).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert_eq!(rules("crates/x/src/common.rs", ""), ["empty-name"]);
        assert_eq!(rules("crates/x/src/a/mod.rs", ""), ["mod-rs"]);
        assert_eq!(rules("crates/x/src/commons.rs", ""), [""; 0]);
    }

    #[test]
    fn two_shell_scripts_are_allowed() {
        assert_eq!(rules(".ci/run", "#!/usr/bin/env bash\n"), [""; 0]);
        assert_eq!(rules("deploy/install.sh", "#!/bin/sh\n"), [""; 0]);
        assert_eq!(rules("deploy/run", "#!/bin/sh\n"), ["script"]);
    }

    #[test]
    fn a_machine_path_needs_a_reason() {
        // tidy: machine-path because the rule is tested with it
        let line = "let data = \"/tmp/data\";";
        assert_eq!(rules("a.rs", line), ["machine-path"]);
        let reason = format!("// tidy: machine-path because it is so\n{line}");
        assert_eq!(rules("a.rs", &reason), [""; 0]);
        let empty = format!("// tidy: machine-path because \n{line}");
        assert_eq!(rules("a.rs", &empty), ["machine-path"]);
        assert_eq!(rules("a.md", "see frame/work/a and ./tmp/b"), [""; 0]);
    }
}
