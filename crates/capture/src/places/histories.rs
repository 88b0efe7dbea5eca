//! Where Aider leaves its histories: no directory holds them all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::agent::Agent;
use crate::import::Source;

/// What Aider calls the file, at the root of the repository that it is started in; outside of one, where it is
/// started.
pub(crate) const HISTORY: &str = ".aider.chat.history.md";

/// The histories of the repositories that these directories are in: of each directory the next one, in it or above
/// it.
pub fn histories<P: AsRef<Path>>(directories: impl IntoIterator<Item = P>) -> Vec<Source> {
    let mut found: BTreeSet<PathBuf> = BTreeSet::new();
    for directory in directories {
        // One that another system has named may mean anything here.
        if !directory.as_ref().is_absolute() {
            continue;
        }
        let above = directory.as_ref().ancestors();
        let mut above = above.map(|directory| directory.join(HISTORY));
        found.extend(above.find(|history| history.is_file()));
    }
    let source = |root| Source {
        agent: Agent::Aider,
        root,
    };
    found.into_iter().map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_next_above_each_directory_is_found_once() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir_all(root.join("app/src/deep")).unwrap();
        std::fs::create_dir_all(root.join("other")).unwrap();
        let history = root.join("app").join(HISTORY);
        std::fs::write(&history, "").unwrap();
        let directories = ["app", "app/src/deep", "app/gone", "other"];
        let directories = directories.map(|below| root.join(below));
        let expected = Source {
            agent: Agent::Aider,
            root: history,
        };
        assert_eq!(histories(directories), [expected]);
        assert_eq!(histories(["app", r"C:\app"]), []);
    }
}
