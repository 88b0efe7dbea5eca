//! What `deploy/`, the workflows and the guides say, compared with the binary: without a container
//! engine, a service manager or a network.

mod container;
#[cfg(unix)]
mod install;
mod launchd;
mod platform;
mod units;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::machine::Machine;

/// Where the server listens if nobody says where.
const PORT: u16 = 8080;

/// The files that hold commands and variables of ours.
const FILES: [&str; 13] = [
    "deploy/.env.example",
    "deploy/Dockerfile",
    "deploy/compose.yml",
    "deploy/fly.toml",
    "deploy/install.sh",
    "deploy/launchd/dev.syncline.daemon.plist",
    "deploy/systemd/syncline-daemon.service",
    "deploy/systemd/syncline.service",
    ".github/workflows/ci.yml",
    ".github/workflows/deploy.yml",
    ".github/workflows/release.yml",
    "docs/deployment.md",
    "docs/troubleshooting.md",
];

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

fn read(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> serde_norway::Value {
    serde_norway::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A string of the root manifest's `[workspace.package]`.
fn of_workspace(key: &str) -> String {
    let manifest: toml_edit::DocumentMut = read("Cargo.toml").parse().unwrap();
    let value = manifest["workspace"]["package"][key].as_str();
    value.unwrap().to_owned()
}

/// The words after `syncline` in a line, if it is a command line of ours.
fn command(line: &str) -> Option<Vec<String>> {
    let line = line.replace("</string>", " ");
    let line = line.replace(['"', '\'', '`', '[', ']', ','], " ");
    let mut words = line.split_whitespace();
    words.find(|word| *word == "syncline" || word.ends_with("/syncline"))?;
    let ends = ["|", "||", "&&", "&", "\\", "#", ">", "<", ";"];
    let words = words.take_while(|word| !ends.contains(word));
    let words: Vec<_> = words
        .map(|word| word.trim_end_matches([';', ')']).to_owned())
        .collect();
    let first = words.first()?;
    let named = first.strip_prefix("--").unwrap_or(first);
    let is_word = !named.is_empty() && named.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word.then_some(words)
}

/// The lines of a file in which commands may stand: of a document, those of listings and what is
/// between backticks.
fn lines(path: &str) -> Vec<String> {
    let text = read(path);
    if !path.ends_with(".md") {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        return lines.map(str::to_owned).collect();
    }
    let mut found = Vec::new();
    let mut in_listing = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_listing = !in_listing;
        } else if in_listing {
            // What was typed, and not what was answered.
            found.extend((!line.starts_with(' ')).then(|| line.to_owned()));
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

fn commands(path: &str) -> Vec<Vec<String>> {
    lines(path)
        .iter()
        .filter_map(|line| command(line))
        .collect()
}

/// Names of variables of ours in a text.
fn variables(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let words = text.split(|c: char| !is_name(c));
    let ours = words.filter(|word| word.len() > 9 && word.starts_with("SYNCLINE_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn every_command_line_is_one_that_the_binary_takes() {
    let machine = Machine::new();
    let mut seen = BTreeSet::new();
    for path in FILES {
        for words in commands(path) {
            let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
            let asked = machine.run(&[&arguments[..], &["--help"]].concat());
            assert_eq!(asked.code, Some(0), "{path}: {words:?}\n{asked:#?}");
            seen.insert(words[0].clone());
        }
    }
    for expected in ["serve", "daemon", "health", "token", "login", "doctor"] {
        assert!(seen.contains(expected), "no {expected} among {seen:?}");
    }
}

#[test]
fn every_variable_is_one_that_the_binary_knows() {
    let known = variables(&Machine::new().run(&["--help"]).done().stdout);
    assert!(known.contains("SYNCLINE_LISTEN"), "{known:?}");
    for path in FILES {
        let used = variables(&read(path));
        let unknown: Vec<_> = used.difference(&known).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{path}");
    }
}

#[test]
fn the_port_is_the_binarys_own() {
    // Nobody has to listen there: the address that is asked is told either way.
    let said = Machine::new().run(&["health", "--timeout", "0"]);
    let told = format!("{}{}", said.stdout, said.stderr);
    assert!(told.contains(&format!("http://127.0.0.1:{PORT}")), "{told}");
}

#[test]
fn every_error_that_is_explained_is_one_of_ours() {
    let sources = sources_of(&root().join("crates/cli/src"));
    let guide = read("docs/troubleshooting.md");
    let codes: BTreeSet<_> = guide
        .split("error[")
        .skip(1)
        .filter_map(|rest| rest.split(']').next())
        .collect();
    assert!(codes.len() > 10, "{codes:?}");
    for code in codes {
        let literal = format!("\"{code}\"");
        assert!(sources.contains(&literal), "nothing fails with {code}");
    }
}

fn sources_of(directory: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources_of(&path));
        } else {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// `NAME=value` lines, without comments.
fn assignments<'a>(lines: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
    let lines = lines.into_iter().map(str::trim);
    let set = lines.filter(|line| !line.starts_with('#'));
    set.filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
