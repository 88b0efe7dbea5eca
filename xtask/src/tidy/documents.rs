//! The rules of what people read.

use std::path::{Component, Path, PathBuf};

use super::Finding;
use super::tree::File;
use crate::repository::Package;

const DECISIONS: &str = "docs/decisions/";

/// The headings of a decision record, in their order.
const DECISION_HEADINGS: [&str; 4] = [
    "## Context",
    "## Decision",
    "## Alternatives",
    "## Consequences",
];

/// What breaks a rule in the documents.
pub(crate) fn findings(packages: &[Package], files: &[File]) -> Vec<Finding> {
    let documents: Vec<_> = files
        .iter()
        .filter(|file| file.path.ends_with(".md"))
        .collect();
    let mut findings = Vec::new();
    for document in &documents {
        if document.path == "ARCHITECTURE.md" {
            findings.extend(unnamed_crates(document, packages));
        }
        if document.path.starts_with(DECISIONS) {
            findings.extend(decision_findings(document));
        }
        let exists = |path: &str| packages_or_files_hold(packages, files, path);
        findings.extend(dead_links(document, exists));
    }
    findings
}

/// The map of the code shows every room.
fn unnamed_crates(map: &File, packages: &[Package]) -> Vec<Finding> {
    let unnamed = packages
        .iter()
        .filter(|package| !map.text.contains(&format!("`{}/`", package.directory)));
    unnamed
        .map(|package| map.finding(1, "map", &format!("does not name `{}/`", package.directory)))
        .collect()
}

fn decision_findings(record: &File) -> Vec<Finding> {
    let name = record.path.trim_start_matches(DECISIONS);
    let number = name
        .get(..4)
        .filter(|number| number.chars().all(|c| c.is_ascii_digit()));
    let Some(number) = number else {
        return vec![record.finding(1, "decision", "its name begins with its number: `0001-…`")];
    };
    let mut findings = Vec::new();
    if !record.text.starts_with(&format!("# {number}: ")) {
        let message = format!("begins with `# {number}: ` and what was decided");
        findings.push(record.finding(1, "decision", &message));
    }
    let headings: Vec<_> = record
        .text
        .lines()
        .filter(|line| line.starts_with("## "))
        .collect();
    if headings != DECISION_HEADINGS {
        let message = format!("its headings are {}", DECISION_HEADINGS.join(", "));
        findings.push(record.finding(1, "decision", &message));
    }
    findings
}

/// Links to files of the tree that are not there.
fn dead_links(document: &File, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_listing = false;
    for (line, number) in document.text.lines().zip(1..) {
        in_listing ^= line.trim_start().starts_with("```");
        if in_listing {
            continue;
        }
        for target in line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains(':') {
                continue;
            }
            if !exists(&from_root(&document.path, path)) {
                findings.push(document.finding(number, "link", &format!("there is no {path}")));
            }
        }
    }
    findings
}

/// A link's target as a path from the root.
fn from_root(document: &str, target: &str) -> String {
    let directory = Path::new(document).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for part in directory.join(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    crate::repository::relative(&path, Path::new(""))
}

fn packages_or_files_hold(packages: &[Package], files: &[File], path: &str) -> bool {
    let directory = format!("{}/", path.trim_end_matches('/'));
    // Licences have no extension, and so are none of the files that were read.
    path.starts_with("LICENSE-")
        || packages
            .iter()
            .any(|package| format!("{}/", package.directory) == directory)
        || files
            .iter()
            .any(|file| file.path == path || file.path.starts_with(&directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn links_lead_somewhere() {
        let text =
            "[a](../README.md#b) [c](https://example.org/d) [e](gone.md)\n```\n[f](g.md)\n```";
        let found = dead_links(&file("docs/a.md", text), |path| path == "README.md");
        let messages: Vec<_> = found
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(messages, ["there is no gone.md"]);
    }

    #[test]
    fn a_decision_has_its_headings_in_order() {
        let whole = format!("# 0001: a log\n\n{}\n", DECISION_HEADINGS.join("\n\n"));
        assert_eq!(
            decision_findings(&file("docs/decisions/0001-log.md", &whole)),
            []
        );
        assert_eq!(
            decision_findings(&file("docs/decisions/0002-log.md", &whole)).len(),
            1
        );
        let short = "# 0001: a log\n\n## Decision\n";
        assert_eq!(
            decision_findings(&file("docs/decisions/0001-log.md", short)).len(),
            1
        );
        assert_eq!(
            decision_findings(&file("docs/decisions/log.md", &whole)).len(),
            1
        );
    }

    #[test]
    fn the_map_names_every_crate() {
        let package = |directory: &str| Package {
            name: "x".to_owned(),
            directory: directory.to_owned(),
            rust_version: String::new(),
            dependencies: Vec::new(),
            examples: Vec::new(),
        };
        let map = file("ARCHITECTURE.md", "**`crates/model/`** is the words.");
        assert_eq!(unnamed_crates(&map, &[package("crates/model")]), []);
        assert_eq!(unnamed_crates(&map, &[package("crates/store")]).len(), 1);
    }
}
