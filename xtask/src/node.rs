//! The TypeScript packages of the tree: what each declares is installed, typechecked and tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::repository::{Repository, relative};
use crate::steps::Steps;
use crate::tidy;

/// The directories with a package; the examples last, since they use the others as they were built.
pub(crate) fn packages(repository: &Repository) -> Result<Vec<PathBuf>, Failure> {
    let files = tidy::tree::files(&repository.root)?;
    let manifests = files.iter().filter(|path| path.ends_with("package.json"));
    let directories = manifests.filter_map(|path| path.parent());
    let mut directories: Vec<PathBuf> = directories.map(Path::to_owned).collect();
    let examples = repository.root.join("examples");
    directories.sort_by_key(|directory| directory.starts_with(&examples));
    Ok(directories)
}

/// What is run of each package, where it has it, before its tests.
const BEFORE: [&str; 2] = ["build", "check"];

/// Installs what each package needs, where that has changed, builds and checks it, and runs its tests.
pub(crate) fn test(repository: &Repository, steps: &mut Steps) -> Result<(), Failure> {
    for directory in packages(repository)? {
        let name = relative(&directory, &repository.root);
        if !is_installed(&directory) {
            steps.run(&name, npm(&directory).arg("ci"))?;
        }
        for script in BEFORE {
            steps.run(&name, npm(&directory).args(["run", "--if-present", script]))?;
        }
        steps.run(&name, npm(&directory).arg("test"))?;
    }
    Ok(())
}

/// npm, in the directory of a package.
fn npm(directory: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(directory)
        .args(["--no-update-notifier", "--loglevel", "error"]);
    command
}

/// What npm is started by: a script, which Windows finds by its whole name only.
pub(crate) fn program() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// Whether what the lock file names was installed after it was written.
fn is_installed(directory: &Path) -> bool {
    let modified = |name: &str| -> Option<SystemTime> {
        fs::metadata(directory.join(name)).ok()?.modified().ok()
    };
    let installed = modified("node_modules/.package-lock.json");
    installed.is_some_and(|installed| Some(installed) >= modified("package-lock.json"))
}
