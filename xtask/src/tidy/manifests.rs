//! The rules of Cargo manifests and of clippy's settings.

use super::Finding;
use super::rust::has_word;
use super::tree::File;
use crate::repository::Package;

/// What each crate takes from the workspace.
const INHERITED: [&str; 5] = [
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
    "publish.workspace = true",
];

/// What breaks a rule in a manifest, or in a `clippy.toml` beside one.
pub(crate) fn findings(packages: &[Package], files: &[File]) -> Vec<Finding> {
    let of = |path: &str| files.iter().find(|file| file.path == path);
    let mut findings = Vec::new();
    for package in packages {
        if let Some(manifest) = of(&format!("{}/Cargo.toml", package.directory)) {
            findings.extend(manifest_findings(manifest));
        }
        findings.extend(unused_dependencies(package, files));
        let clippy = of(&format!("{}/clippy.toml", package.directory));
        if let (Some(own), Some(root)) = (clippy, of("clippy.toml")) {
            findings.extend(clippy_findings(own, root));
        }
    }
    findings
}

fn manifest_findings(manifest: &File) -> Vec<Finding> {
    let missing = |what: &str| manifest.finding(1, "manifest", &format!("lacks `{what}`"));
    let has = |line: &&str| manifest.text.lines().any(|own| own.trim() == *line);
    let mut findings: Vec<_> = INHERITED
        .iter()
        .filter(|line| !has(line))
        .map(|line| missing(line))
        .collect();
    if !manifest.text.contains("[lints]\nworkspace = true") {
        findings.push(missing("[lints] workspace = true"));
    }
    findings.extend(versions_outside_the_root(manifest));
    findings
}

/// A version that stands in one place can't differ between two crates.
fn versions_outside_the_root(manifest: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_dependencies = false;
    for (line, number) in manifest.text.lines().zip(1..) {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies && line.contains('=') && !line.contains("workspace = true") {
            findings.push(manifest.finding(
                number,
                "manifest",
                "versions stand in the root manifest",
            ));
        }
    }
    findings
}

/// A dependency that no file of the crate names costs its build for nothing.
fn unused_dependencies(package: &Package, files: &[File]) -> Vec<Finding> {
    let directory = format!("{}/", package.directory);
    let of_package = |file: &&File| file.path.starts_with(&directory) && file.path.ends_with(".rs");
    let sources: Vec<_> = files.iter().filter(of_package).collect();
    let unused = package.dependencies.iter().filter(|dependency| {
        let name = dependency.name.replace('-', "_");
        !sources
            .iter()
            .any(|source| source.text.lines().any(|line| has_word(line, &name)))
    });
    let finding = |name: &str| Finding {
        path: format!("{directory}Cargo.toml"),
        line: 1,
        rule: "manifest",
        message: format!("depends on {name}, which no file of the crate names"),
    };
    unused.map(|dependency| finding(&dependency.name)).collect()
}

/// Clippy reads the nearest `clippy.toml` alone: a crate's own repeats the root's settings.
fn clippy_findings(own: &File, root: &File) -> Vec<Finding> {
    let settings = root
        .text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let missing = settings.filter(|line| !own.text.lines().any(|own| own == *line));
    missing
        .map(|line| {
            own.finding(
                1,
                "manifest",
                &format!("lacks `{line}` of the root's clippy.toml"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::{Dependency, DependencyKind};

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_manifest_takes_lints_and_versions_from_the_workspace() {
        let whole = format!("{}\n[lints]\nworkspace = true\n", INHERITED.join("\n"));
        assert_eq!(manifest_findings(&file("Cargo.toml", &whole)), []);
        let own = format!("{whole}[dev-dependencies]\nserde = \"1\"\nrand.workspace = true\n");
        assert_eq!(manifest_findings(&file("Cargo.toml", &own)).len(), 1);
        assert_eq!(
            manifest_findings(&file("Cargo.toml", "")).len(),
            INHERITED.len() + 1
        );
    }

    #[test]
    fn settings_of_clippy_are_repeated() {
        let root = file("clippy.toml", "# why\na = 1\nb = 2\n");
        assert_eq!(
            clippy_findings(&file("x/clippy.toml", "b = 2\na = 1\nc = 3\n"), &root),
            []
        );
        assert_eq!(
            clippy_findings(&file("x/clippy.toml", "a = 1\n"), &root).len(),
            1
        );
    }

    #[test]
    fn a_dependency_is_named_somewhere_in_its_crate() {
        let dependency = |name: &str| Dependency {
            name: name.to_owned(),
            kind: DependencyKind::Shipped,
        };
        let package = Package {
            name: "x".to_owned(),
            directory: "crates/x".to_owned(),
            rust_version: String::new(),
            dependencies: vec![dependency("serde-json"), dependency("rand")],
            examples: Vec::new(),
        };
        let files = [
            file("crates/x/src/lib.rs", "use serde_json::Value;"),
            file("crates/y/src/lib.rs", "use rand::Rng;"),
        ];
        let findings = unused_dependencies(&package, &files);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("rand"));
    }
}
