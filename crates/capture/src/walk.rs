//! Finding files below a directory.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// How deep directories are followed: deeper than any agent's own.
const DEPTH_MAX: usize = 32;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of their paths as text.
    pub files: Vec<PathBuf>,
    /// Those of them that were reached by a link.
    pub linked: HashSet<PathBuf>,
    /// Directories and links that could not be read.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

/// Finds the files at and below `root` that `wanted` takes, by their path.
///
/// Links are followed, and no directory is entered twice, so that a loop of links ends. What vanishes
/// meanwhile is not there.
pub fn walk(root: &Path, wanted: impl Fn(&Path) -> bool) -> Found {
    let mut found = Found::default();
    let mut entered = HashSet::new();
    let mut waiting = vec![(root.to_owned(), 0, false)];
    while let Some((path, depth, linked)) = waiting.pop() {
        let entries = match enter(&path, &mut entered) {
            Ok(Entered::Directory(entries)) => entries,
            Ok(Entered::File) => {
                found.files.push(path);
                continue;
            }
            Ok(Entered::Before) => continue,
            Err(error) => {
                found.note(path, error);
                continue;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    found.note(path.clone(), error);
                    break;
                }
            };
            let below = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_file() && wanted(&below) => {
                    if linked {
                        found.linked.insert(below.clone());
                    }
                    found.files.push(below);
                }
                Ok(kind) if kind.is_dir() && depth < DEPTH_MAX => {
                    waiting.push((below, depth + 1, linked));
                }
                Ok(kind) if kind.is_symlink() => match fs::metadata(&below) {
                    Ok(target) if target.is_dir() && depth < DEPTH_MAX => {
                        waiting.push((below, depth + 1, true));
                    }
                    Ok(target) if target.is_file() && wanted(&below) => {
                        found.linked.insert(below.clone());
                        found.files.push(below);
                    }
                    Ok(_) => {}
                    Err(error) => found.note(below, error),
                },
                Ok(_) => {}
                Err(error) => found.note(below, error),
            }
        }
    }
    // As text: what stands in a directory of a file's name comes after the file.
    found.files.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    found
}

enum Entered {
    Directory(fs::ReadDir),
    File,
    /// By another way.
    Before,
}

fn enter(path: &Path, entered: &mut HashSet<(u64, u64, PathBuf)>) -> io::Result<Entered> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Ok(Entered::File);
    }
    if !entered.insert(identity(path, &metadata)?) {
        return Ok(Entered::Before);
    }
    Ok(Entered::Directory(fs::read_dir(path)?))
}

#[cfg(unix)]
fn identity(_: &Path, metadata: &Metadata) -> io::Result<(u64, u64, PathBuf)> {
    use std::os::unix::fs::MetadataExt;
    Ok((metadata.dev(), metadata.ino(), PathBuf::new()))
}

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> io::Result<(u64, u64, PathBuf)> {
    Ok((0, 0, fs::canonicalize(path)?))
}

impl Found {
    fn note(&mut self, path: PathBuf, error: io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            self.unreadable.push((path, error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_loop_of_links_ends_and_a_broken_link_is_not_there() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/one.jsonl"), "").unwrap();
        fs::write(root.join("a/other.txt"), "").unwrap();
        symlink(root, root.join("a/b/up")).unwrap();
        symlink("self", root.join("self")).unwrap();
        symlink(root.join("none"), root.join("broken")).unwrap();
        symlink(root.join("a/b/one.jsonl"), root.join("two.jsonl")).unwrap();
        let is_lines = |path: &Path| path.extension().is_some_and(|end| end == "jsonl");
        let found = walk(root, is_lines);
        assert_eq!(
            found.files,
            [root.join("a/b/one.jsonl"), root.join("two.jsonl")]
        );
        assert_eq!(found.linked, HashSet::from([root.join("two.jsonl")]));
        let unreadable: Vec<_> = found.unreadable.iter().map(|(path, _)| path).collect();
        assert_eq!(unreadable, [&root.join("self")]);
    }

    #[test]
    fn a_file_given_by_name_is_found_whatever_it_is_called() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("odd");
        fs::write(&path, "").unwrap();
        assert_eq!(walk(&path, |_| false).files, [path]);
        assert!(
            walk(Path::new("/nowhere/at/all"), |_| true)
                .files
                .is_empty()
        );
    }
}
