//! A repository's own `syncline.toml`: it says to which project the work in it belongs, and nothing
//! else. Whoever writes a repository must not choose where its readers' tokens are sent, so an
//! endpoint or a token in it is passed over.

use std::io;
use std::path::{Path, PathBuf};

use syncline_model::thread::{NameError, NameKind};
use toml_edit::{DocumentMut, Item};

const FILE_NAME: &str = "syncline.toml";
/// No such file is larger; what is, is something else.
const BYTES_MAX: u64 = 64 * 1024;

/// What a repository says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectFile {
    pub(crate) path: PathBuf,
    pub(crate) project: Option<String>,
    /// Keys that mean nothing here, sorted by their place in the file.
    pub(crate) ignored: Vec<String>,
}

/// Why the file that was found can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectFileError {
    #[error("could not read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is larger than {BYTES_MAX} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("{} is not TOML", path.display())]
    Syntax {
        path: PathBuf,
        source: toml_edit::TomlError,
    },
    #[error("project in {} must be a text", path.display())]
    Type { path: PathBuf },
    #[error("project in {} is no name for a project", path.display())]
    Name { path: PathBuf, source: NameError },
}

impl ProjectFile {
    /// Finds the nearest file, in `dir` or above.
    pub(crate) fn find(dir: &Path) -> Result<Option<Self>, ProjectFileError> {
        for dir in dir.ancestors() {
            let path = dir.join(FILE_NAME);
            match std::fs::metadata(&path) {
                Ok(found) if found.is_file() && found.len() > BYTES_MAX => {
                    return Err(ProjectFileError::TooLarge { path });
                }
                Ok(found) if found.is_file() => return Self::read(path).map(Some),
                // A directory of that name, or one we may not look into, names no project.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }

    fn read(path: PathBuf) -> Result<Self, ProjectFileError> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(ProjectFileError::Read { path, source }),
        };
        let document: DocumentMut = match text.parse() {
            Ok(document) => document,
            Err(source) => return Err(ProjectFileError::Syntax { path, source }),
        };
        let project = match document.get("project") {
            None => None,
            Some(item) => match item.as_str() {
                Some(text) => Some(text.to_owned()),
                None => return Err(ProjectFileError::Type { path }),
            },
        };
        if let Some(project) = &project
            && let Err(source) = NameKind::Project.check(project)
        {
            return Err(ProjectFileError::Name { path, source });
        }
        let mut ignored = Vec::new();
        for (key, item) in document.iter().filter(|(key, _)| *key != "project") {
            name_keys(key, item, &mut ignored);
        }
        Ok(Self {
            path,
            project,
            ignored,
        })
    }
}

fn name_keys(key: &str, item: &Item, names: &mut Vec<String>) {
    match item.as_table_like() {
        Some(table) => {
            for (inner, item) in table.iter() {
                name_keys(&format!("{key}.{inner}"), item, names);
            }
        }
        None => names.push(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_counts_and_gives_the_project_alone() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(dir.path().join(FILE_NAME), "project = \"outer\"").unwrap();
        std::fs::create_dir(dir.path().join("a/b/c").join(FILE_NAME)).unwrap();
        std::fs::write(
            dir.path().join("a").join(FILE_NAME),
            "project = \"inner\"\nendpoint = \"http://evil\"\n[auth]\ntoken = \"x\"\n",
        )
        .unwrap();
        let found = ProjectFile::find(&deep).unwrap().unwrap();
        assert_eq!(found.project.as_deref(), Some("inner"));
        assert_eq!(found.ignored, ["endpoint", "auth.token"]);
        assert_eq!(found.path, dir.path().join("a").join(FILE_NAME));
    }

    #[test]
    fn a_project_that_is_no_name_is_refused_and_the_file_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        for text in [
            "project = 1",
            "project = \"a/b\"",
            "project = \"\"",
            "project",
            "\u{0}",
        ] {
            std::fs::write(&path, text).unwrap();
            let error = ProjectFile::find(dir.path()).unwrap_err();
            assert!(error.to_string().contains(FILE_NAME), "{text}: {error}");
        }
        std::fs::write(&path, "# nothing yet\n").unwrap();
        assert_eq!(
            ProjectFile::find(dir.path()).unwrap().unwrap().project,
            None
        );
    }
}
