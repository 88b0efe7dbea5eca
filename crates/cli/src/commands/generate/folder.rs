//! The folder of a client: what we wrote there, what is to be written, and what is others'.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use syncline_codegen::client::File;
use syncline_model::PayloadHash;

use crate::failure::Failure;

/// The list of what we wrote, in the folder itself.
const MANIFEST: &str = ".syncline-generated.json";

/// A folder, and the files in it that are ours.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The digests of the files as they were written, by their paths.
    ours: BTreeMap<String, String>,
}

/// What is to be done to a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) written: Vec<String>,
    pub(super) removed: Vec<String>,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// What the file is for, to who finds it.
    about: String,
    files: BTreeMap<String, String>,
}

impl Folder {
    /// Reads what we wrote in `path`, if it is there.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let manifest = path.join(MANIFEST);
        let ours = match fs::read_to_string(&manifest) {
            Ok(text) => {
                let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
                    Failure::new(
                        "manifest_invalid",
                        format!("{} is not what this command writes", manifest.display()),
                    )
                    .because(error)
                    .fix("remove it, and the generated files beside it, and run the command again")
                })?;
                manifest.files
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(unreadable(&manifest, error)),
        };
        if let Some(outside) = ours.keys().find(|name| !is_inside(name)) {
            return Err(Failure::new(
                "manifest_invalid",
                format!("{} names {outside:?}, which is outside", manifest.display()),
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            ours,
        })
    }

    /// What to do so that the folder holds `files`. Fails where another's file is in the way, or one of
    /// ours was edited and is to go.
    pub(super) fn compare(&self, files: &[File]) -> Result<Change, Failure> {
        let mut change = Change::default();
        let mut foreign = Vec::new();
        for file in files {
            match self.read(&file.path)? {
                Some(text) if text == file.text => {}
                Some(_) if !self.ours.contains_key(&file.path) => foreign.push(&file.path),
                Some(_) | None => change.written.push(file.path.clone()),
            }
        }
        let kept: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for (path, digest) in &self.ours {
            if kept.contains(path.as_str()) {
                continue;
            }
            match self.read(path)? {
                Some(text) if digest_of(&text) == *digest => change.removed.push(path.clone()),
                // Edited since, so it is another's now; or gone.
                Some(_) | None => {}
            }
        }
        if foreign.is_empty() {
            return Ok(change);
        }
        let mut failure = Failure::new(
            "foreign_files",
            format!(
                "{} holds files that this command did not write; nothing was written",
                self.path.display()
            ),
        );
        for path in foreign {
            failure = failure.candidate(path.as_str());
        }
        Err(failure.fix("move them away, or name another folder with --out"))
    }

    /// Writes and removes. All new files are on the disk before the first one takes its place.
    pub(super) fn apply(&self, files: &[File], change: &Change) -> Result<(), Failure> {
        let manifest = Manifest {
            about: "Files that `syncline generate` wrote, with their digests: it removes those that it \
                    no longer writes, and touches no others."
                .to_owned(),
            files: files
                .iter()
                .map(|file| (file.path.clone(), digest_of(&file.text)))
                .collect(),
        };
        let mut text =
            serde_json::to_string_pretty(&manifest).expect("a manifest is names and digests");
        text.push('\n');
        let is_listed = self.read(MANIFEST)?.is_some_and(|before| before == text);
        let mut staged = Vec::new();
        let by_path: BTreeMap<&str, &str> = files
            .iter()
            .map(|file| (file.path.as_str(), file.text.as_str()))
            .collect();
        for path in &change.written {
            staged.push((self.stage(path, by_path[path.as_str()])?, path.as_str()));
        }
        if !is_listed {
            staged.push((self.stage(MANIFEST, &text)?, MANIFEST));
        }
        for (file, path) in staged {
            let to = self.path.join(path);
            file.persist(&to)
                .map_err(|error| unwritable(&to, error.error))?;
        }
        for path in &change.removed {
            let gone = self.path.join(path);
            fs::remove_file(&gone).map_err(|error| unwritable(&gone, error))?;
            self.remove_empty(gone.parent());
        }
        Ok(())
    }

    /// Writes a file under a name of its own, beside where it will be. It is closed: of a large document
    /// there are more than a process may have open.
    fn stage(&self, path: &str, text: &str) -> Result<tempfile::TempPath, Failure> {
        let to = self.path.join(path);
        let dir = to.parent().unwrap_or(&self.path);
        let written = || -> io::Result<tempfile::TempPath> {
            fs::create_dir_all(dir)?;
            let mut builder = tempfile::Builder::new();
            // Source code, which others of the project read.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
            let mut file = builder.tempfile_in(dir)?;
            file.write_all(text.as_bytes())?;
            Ok(file.into_temp_path())
        };
        written().map_err(|error| unwritable(&to, error))
    }

    /// Removes the folders that a removed file has left empty, up to ours.
    fn remove_empty(&self, mut dir: Option<&Path>) {
        while let Some(path) = dir
            && path != self.path
            && fs::remove_dir(path).is_ok()
        {
            dir = path.parent();
        }
    }

    fn read(&self, path: &str) -> Result<Option<String>, Failure> {
        let path = self.path.join(path);
        match fs::read(&path) {
            // What is no text is not what we wrote.
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, error)),
        }
    }
}

/// Whether a path of a manifest stays in its folder.
fn is_inside(path: &str) -> bool {
    Path::new(path)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn digest_of(text: &str) -> String {
    PayloadHash::of(text).to_string()
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::new(
        "folder_unreadable",
        format!("could not read {}", path.display()),
    )
    .because(error)
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::new(
        "folder_unwritable",
        format!("could not write {}", path.display()),
    )
    .because(error)
    .state("files that were there are as they were, or as they should be; none is half-written")
    .fix("see that the folder can be written and the disk has room, and run the command again")
}
