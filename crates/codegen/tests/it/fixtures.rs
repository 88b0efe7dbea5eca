//! The documents beside the tests.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Fixture {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub(crate) fn all() -> Vec<Fixture> {
    let files = fs::read_dir(directory()).unwrap();
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "yaml"));
    paths.sort();
    let read = |path: PathBuf| Fixture {
        text: fs::read_to_string(&path).unwrap(),
        path,
    };
    paths.into_iter().map(read).collect()
}
