//! The folder of a client: what we wrote there, what is to be written, and what is others'.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use serde::{Deserialize, Serialize};
use syncline_codegen::client::File;
use syncline_model::PayloadHash;

use crate::failure::Failure;

/// The list of what we wrote, in the folder itself.
pub(super) const MANIFEST: &str = ".syncline-generated.json";

/// How many threads write files, and how many each of them has at least: of fewer the time that a thread
/// takes to begin is more than it saves.
const THREADS_MAX: usize = 4;
const FILES_PER_THREAD_MIN: usize = 64;

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
    /// Files of ours that were edited and are no longer written: they stay, and are others' from now on.
    pub(super) left: Vec<String>,
    pub(super) list: ListChange,
    /// The digests of all files that there will be, by their paths.
    digests: BTreeMap<String, String>,
}

/// What is to be done to the list of what we wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ListChange {
    #[default]
    Kept,
    Written,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty() && self.list == ListChange::Kept
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest<'f> {
    /// What the file is for, to who finds it.
    about: String,
    files: Cow<'f, BTreeMap<String, String>>,
}

impl<'f> Manifest<'f> {
    fn text(files: &'f BTreeMap<String, String>) -> String {
        let manifest = Self {
            about: "Files that `syncline generate` wrote, with their digests: it removes those that it \
                    no longer writes, and touches no others."
                .to_owned(),
            files: Cow::Borrowed(files),
        };
        let text = serde_json::to_string_pretty(&manifest);
        text.expect("a manifest is names and digests") + "\n"
    }
}

/// A part of what is done to a folder. After each of them the folder can be written again.
#[derive(Debug)]
enum Step<'c> {
    /// What was written beside takes its place.
    Place(tempfile::TempPath, &'c str),
    Remove(&'c str),
}

impl Folder {
    /// Reads what we wrote in `path`, if it is there.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let manifest = path.join(MANIFEST);
        let ours = match fs::read_to_string(&manifest) {
            Ok(text) => {
                let manifest: Manifest<'_> = serde_json::from_str(&text).map_err(|error| {
                    Failure::new(
                        "manifest_invalid",
                        format!("{} is not what this command writes", manifest.display()),
                    )
                    .because(error)
                    .fix("remove it, and the generated files beside it, and run the command again")
                })?;
                manifest.files.into_owned()
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
        let mut links = Links::new(&self.path);
        for file in files {
            let found = match links.way_to(&file.path)? {
                Way::Link(link) => {
                    foreign.push(format!("{link} is a link to elsewhere"));
                    continue;
                }
                Way::Missing => None,
                Way::Clear => self.read(&file.path)?,
            };
            match found {
                Some(text) if text == file.text => {}
                Some(_) if !self.ours.contains_key(&file.path) => foreign.push(file.path.clone()),
                Some(_) | None => change.written.push(file.path.clone()),
            }
        }
        let kept: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for (path, digest) in &self.ours {
            if kept.contains(path.as_str()) || links.way_to(path)? != Way::Clear {
                continue;
            }
            match self.read(path)? {
                Some(text) if digest_of(&text) == *digest => change.removed.push(path.clone()),
                Some(_) => change.left.push(path.clone()),
                None => {}
            }
        }
        if foreign.is_empty() {
            change.digests = digests_of(files);
            if self.read(MANIFEST)? != Some(Manifest::text(&change.digests)) {
                change.list = ListChange::Written;
            }
            return Ok(change);
        }
        foreign.dedup();
        let mut failure = Failure::new(
            "foreign_files",
            format!(
                "{} holds files that this command did not write; nothing was written",
                self.path.display()
            ),
        );
        for path in foreign {
            failure = failure.candidate(path);
        }
        Err(failure.fix("move them away, or name another folder with --out"))
    }

    /// Writes and removes. All new files are on the disk before the first one takes its place.
    pub(super) fn apply(&self, files: &[File], change: &Change) -> Result<(), Failure> {
        for step in self.steps(files, change)? {
            self.take(step)?;
        }
        Ok(())
    }

    /// What leads from the folder as it is to `files`. New files are listed as ours before they are there, and
    /// old ones until they are gone: who finds the folder half done takes none of them for another's.
    fn steps<'c>(&self, files: &[File], change: &'c Change) -> Result<Vec<Step<'c>>, Failure> {
        let by_path: BTreeMap<&str, &str> = files
            .iter()
            .map(|file| (file.path.as_str(), file.text.as_str()))
            .collect();
        let wanted = &change.digests;
        let mut steps = Vec::new();
        if wanted.keys().any(|path| !self.ours.contains_key(path)) {
            let mut all = self.ours.clone();
            all.extend(wanted.clone());
            steps.push(Step::Place(
                self.stage(MANIFEST, &Manifest::text(&all), &mut BTreeMap::new())?,
                MANIFEST,
            ));
        }
        let per_thread = change.written.len().div_ceil(THREADS_MAX);
        let chunks = change.written.chunks(per_thread.max(FILES_PER_THREAD_MIN));
        let staged: Vec<Result<Vec<Step<'c>>, Failure>> = thread::scope(|scope| {
            let by_path = &by_path;
            let threads: Vec<_> = chunks
                .map(|chunk| scope.spawn(move || self.stage_all(chunk, by_path)))
                .collect();
            let results = threads.into_iter().map(|thread| thread.join());
            results
                .map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        for of_thread in staged {
            steps.extend(of_thread?);
        }
        steps.extend(change.removed.iter().map(|path| Step::Remove(path)));
        if change.list == ListChange::Written {
            let last = self.stage(MANIFEST, &Manifest::text(wanted), &mut BTreeMap::new())?;
            steps.push(Step::Place(last, MANIFEST));
        }
        Ok(steps)
    }

    fn stage_all<'c>(
        &self,
        paths: &'c [String],
        by_path: &BTreeMap<&str, &str>,
    ) -> Result<Vec<Step<'c>>, Failure> {
        let mut made = BTreeMap::new();
        let stage = |path: &'c String| {
            let file = self.stage(path, by_path[path.as_str()], &mut made)?;
            Ok(Step::Place(file, path))
        };
        paths.iter().map(stage).collect()
    }

    fn take(&self, step: Step<'_>) -> Result<(), Failure> {
        match step {
            Step::Place(file, path) => {
                let to = self.path.join(path);
                file.persist(&to)
                    .map_err(|error| unwritable(&to, error.error))
            }
            Step::Remove(path) => {
                let gone = self.path.join(path);
                match fs::remove_file(&gone) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(unwritable(&gone, error));
                    }
                    Ok(()) | Err(_) => {}
                }
                self.remove_empty(gone.parent());
                Ok(())
            }
        }
    }

    /// Writes a file under a name of its own, beside where it will be. It is closed: of a large document
    /// there are more than a process may have open. `made` are the folders that are known
    /// to be there, and where: else each file would ask for that.
    fn stage(
        &self,
        path: &str,
        text: &str,
        made: &mut BTreeMap<PathBuf, PathBuf>,
    ) -> Result<tempfile::TempPath, Failure> {
        let to = self.path.join(path);
        let dir = to.parent().unwrap_or(&self.path);
        let mut written = || -> io::Result<tempfile::TempPath> {
            if !made.contains_key(dir) {
                fs::create_dir_all(dir)?;
                made.insert(dir.to_owned(), std::path::absolute(dir)?);
            }
            let mut builder = tempfile::Builder::new();
            // Source code, which others of the project read.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
            let mut file = builder.tempfile_in(&made[dir])?;
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

/// The links below a folder: what lies behind one is not in the folder.
struct Links<'f> {
    folder: &'f Path,
    /// Folders that are none, and those that are not there.
    known: BTreeMap<PathBuf, Way>,
}

/// What there is on the way to a path, itself among it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Clear,
    /// The first link.
    Link(String),
    /// A part of it, and so what is behind that.
    Missing,
}

impl<'f> Links<'f> {
    fn new(folder: &'f Path) -> Self {
        Self {
            folder,
            known: BTreeMap::new(),
        }
    }

    fn way_to(&mut self, path: &str) -> Result<Way, Failure> {
        let mut way = PathBuf::new();
        for part in Path::new(path).components() {
            way.push(part);
            match self.known.get(&way) {
                Some(Way::Clear) => continue,
                Some(known) => return Ok(known.clone()),
                None => {}
            }
            let at = self.folder.join(&way);
            let found = match fs::symlink_metadata(&at) {
                Ok(found) if found.is_symlink() => Way::Link(way.display().to_string()),
                Ok(found) if found.is_dir() => Way::Clear,
                Ok(_) => return Ok(Way::Clear),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Way::Missing,
                Err(error) => return Err(unreadable(&at, error)),
            };
            self.known.insert(way.clone(), found.clone());
            if found != Way::Clear {
                return Ok(found);
            }
        }
        Ok(Way::Clear)
    }
}

fn digests_of(files: &[File]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|file| (file.path.clone(), digest_of(&file.text)))
        .collect()
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
    .state("nothing was written")
    .fix("name a folder with --out that is this command's own, or not there yet")
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

#[cfg(test)]
mod tests;
