//! The work tree and what `cargo metadata` says of it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::steps;

/// The work tree this binary belongs to.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// From the root, with `/`: `crates/model`.
    pub(crate) directory: String,
    /// The oldest compiler that builds it: `1.95`.
    pub(crate) rust_version: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) examples: Vec<String>,
}

/// A crate that a package imports directly.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
}

/// What a dependency is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    Shipped,
    Tests,
}

impl Repository {
    /// Asks cargo for the workspace that holds this crate.
    pub(crate) fn read() -> Result<Self, Failure> {
        let mut command = cargo(&here());
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        let json = steps::output_of(&mut command)?;
        let metadata =
            serde_json::from_str(&json).map_err(|source| Failure::Metadata { source })?;
        Ok(Self::from_metadata(&metadata))
    }

    /// A command that runs cargo in the root of the tree.
    pub(crate) fn cargo(&self) -> Command {
        cargo(&self.root)
    }

    fn from_metadata(metadata: &Value) -> Self {
        let root = PathBuf::from(text(&metadata["workspace_root"]));
        let mut packages: Vec<Package> = list(&metadata["packages"])
            .map(|package| Package::from_metadata(package, &root))
            .collect();
        packages.sort_by(|a, b| a.directory.cmp(&b.directory));
        Self {
            target: PathBuf::from(text(&metadata["target_directory"])),
            packages,
            root,
        }
    }
}

impl Package {
    fn from_metadata(package: &Value, root: &Path) -> Self {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let directory = manifest.parent().expect("a manifest lies in a directory");
        let is_example = |target: &&Value| list(&target["kind"]).any(|kind| kind == "example");
        Self {
            name: text(&package["name"]),
            directory: relative(directory, root),
            rust_version: text(&package["rust_version"]),
            dependencies: list(&package["dependencies"])
                .map(Dependency::from_metadata)
                .collect(),
            examples: list(&package["targets"])
                .filter(is_example)
                .map(|target| text(&target["name"]))
                .collect(),
        }
    }
}

impl Dependency {
    fn from_metadata(dependency: &Value) -> Self {
        let kind = match dependency["kind"].as_str() {
            Some("dev") => DependencyKind::Tests,
            _ => DependencyKind::Shipped,
        };
        Self {
            name: text(&dependency["name"]),
            kind,
        }
    }
}

/// `path` as seen from `root`, with `/` between its parts.
pub(crate) fn relative(path: &Path, root: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// The directory of this crate: as cargo says now, else as it was when this was built.
fn here() -> PathBuf {
    let built_in = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    env::var_os("CARGO_MANIFEST_DIR").map_or(built_in, PathBuf::from)
}

/// A command that runs the cargo that runs this, without the variables by which `cargo run` tells of
/// this crate: build scripts that watch them would run anew.
fn cargo(directory: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(directory);
    let of_this_crate = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ];
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if of_this_crate.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
