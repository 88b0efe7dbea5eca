//! Finding files below a directory.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// How deep directories are followed: deeper than any agent's own.
const DEPTH_MAX: usize = 32;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of the bytes of their paths.
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
    // Taken from its end: what comes first as text stands last.
    let mut waiting = vec![Waiting {
        path: root.to_owned(),
        depth: 0,
        is_linked: false,
        is_file: false,
    }];
    while let Some(next) = waiting.pop() {
        if next.is_file {
            found.take(next);
            continue;
        }
        match enter(&next.path, &mut entered) {
            Ok(Entered::Directory(entries)) => {
                let from = waiting.len();
                list(entries, &next, &wanted, &mut waiting, &mut found);
                waiting[from..].sort_unstable_by(|a, b| b.cmp_in_directory(a));
            }
            Ok(Entered::File) => found.take(next),
            Ok(Entered::Before) => {}
            Err(error) => found.note(next.path, error),
        }
    }
    found
}

/// What was found in a directory and has yet to be taken, or looked into.
struct Waiting {
    path: PathBuf,
    depth: usize,
    /// Whether a link leads to it.
    is_linked: bool,
    is_file: bool,
}

impl Waiting {
    /// Compares it with another of its directory, so that all files come in the order of their paths as
    /// text: what stands in a directory of a file's name comes after the file.
    fn cmp_in_directory(&self, other: &Self) -> Ordering {
        let own = self.path.as_os_str().as_encoded_bytes();
        let others = other.path.as_os_str().as_encoded_bytes();
        let shared = own.len().min(others.len());
        let next = |waiting: &Self, bytes: &[u8]| {
            let separator = (!waiting.is_file).then_some(MAIN_SEPARATOR as u8);
            bytes.get(shared).copied().or(separator)
        };
        let names = own[..shared].cmp(&others[..shared]);
        names.then_with(|| next(self, own).cmp(&next(other, others)))
    }
}

/// Adds what is in a directory.
fn list(
    entries: fs::ReadDir,
    directory: &Waiting,
    wanted: &impl Fn(&Path) -> bool,
    waiting: &mut Vec<Waiting>,
    found: &mut Found,
) {
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return found.note(directory.path.clone(), error),
        };
        let path = entry.path();
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let kind = match is_link {
            true => fs::metadata(&path).map(|target| target.file_type()),
            false => entry.file_type(),
        };
        match kind {
            Ok(kind) if kind.is_file() && !wanted(&path) => {}
            Ok(kind) if kind.is_file() || (kind.is_dir() && directory.depth < DEPTH_MAX) => {
                waiting.push(Waiting {
                    path,
                    depth: directory.depth + 1,
                    is_linked: directory.is_linked || is_link,
                    is_file: kind.is_file(),
                });
            }
            Ok(_) => {}
            Err(error) => found.note(path, error),
        }
    }
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
    fn take(&mut self, file: Waiting) {
        if file.is_linked {
            self.linked.insert(file.path.clone());
        }
        self.files.push(file.path);
    }

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
    fn files_come_in_the_order_of_their_paths_as_text() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["a", "a-b", "a/c", "b.d"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let names = [
            "a-b.x", "a-b/1.x", "a.x", "a/2.x", "a/c.x", "a/c/3.x", "a0.x", "b.d/4.x", "b.x",
        ];
        for name in names.iter().rev() {
            fs::write(root.join(name), "").unwrap();
        }
        let found = walk(root, |_| true);
        assert_eq!(found.files, names.map(|name| root.join(name)));
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
