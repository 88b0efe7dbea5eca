//! Where Cursor's conversations took place. They don't say it themselves: in one version their
//! workspaces list them, in others they name a workspace; of transcripts only the directory that they lie
//! in tells, in which all signs of the path have become dashes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use syncline_store::StoreError;
use syncline_store::foreign::ForeignDatabase;

use crate::value::text;

const TABLE: &str = "ItemTable";
/// The conversations of a workspace, in its own database, and of all, in the one that they share.
const OF_WORKSPACE: &str = "composer.composerData";
const OF_ALL: &str = "composer.composerHeaders";
/// Where newer versions list those of all, a row each.
const HEADERS: &str = "composerHeaders";
/// How many directories are looked into to find the one that a transcript's is named after.
const DIRECTORIES_MAX: usize = 512;

/// Which conversations took place where.
#[derive(Debug, Clone, Default)]
pub(super) struct Workspaces {
    /// Directories, by the ids of workspaces.
    workspaces: HashMap<String, String>,
    /// Directories, by the ids of conversations.
    conversations: HashMap<String, String>,
}

impl Workspaces {
    /// Those that lie beside the database that all conversations are in.
    pub(super) fn beside(database: &Path) -> Self {
        let mut found = Self::default();
        let directory = database.ancestors().nth(2);
        let workspaces = directory.map(|directory| directory.join("workspaceStorage"));
        let entries = workspaces.and_then(|directory| std::fs::read_dir(directory).ok());
        for entry in entries.into_iter().flatten().flatten() {
            found.add(&entry.path());
        }
        let headers = item(database, OF_ALL).unwrap_or_default();
        for header in headers["allComposers"].as_array().into_iter().flatten() {
            if let Some((id, directory)) = text(header, &["composerId"]).zip(found.named_in(header))
            {
                found.conversations.insert(id.to_owned(), directory);
            }
        }
        // What can't be read tells nothing, as above.
        let _ = found.add_listed(database);
        found
    }

    /// Adds the conversations that newer versions list in a table.
    fn add_listed(&mut self, database: &Path) -> Result<(), StoreError> {
        let Ok(database) = ForeignDatabase::open(database) else {
            return Ok(());
        };
        if !database.has_table(HEADERS)? {
            return Ok(());
        }
        let last = database.last_row(HEADERS)?;
        database.each_row_between(HEADERS, 0..=last, |row| {
            let row = Value::Object(row.cells);
            let header: Value = text(&row, &["value"])
                .and_then(|value| serde_json::from_str(value).ok())
                .unwrap_or_default();
            let of_workspace = || self.workspaces.get(text(&row, &["workspaceId"])?).cloned();
            let directory = self.named_in(&header).or_else(of_workspace);
            if let Some((id, directory)) = text(&row, &["composerId"]).zip(directory) {
                self.conversations.insert(id.to_owned(), directory);
            }
            Ok(())
        })
    }

    /// Adds a workspace, with the conversations that it lists.
    fn add(&mut self, workspace: &Path) {
        let about = std::fs::read_to_string(workspace.join("workspace.json")).ok();
        let about = about.and_then(|about| serde_json::from_str::<Value>(&about).ok());
        let Some(directory) = about.as_ref().and_then(directory_of_workspace) else {
            return;
        };
        let listed = item(&workspace.join("state.vscdb"), OF_WORKSPACE).unwrap_or_default();
        let composers = listed["allComposers"].as_array().into_iter().flatten();
        let ids = composers.filter_map(|composer| text(composer, &["composerId"]));
        let opened = ["selectedComposerIds", "lastFocusedComposerIds"];
        let opened = opened.iter().filter_map(|name| listed[*name].as_array());
        for id in ids.chain(opened.flatten().filter_map(Value::as_str)) {
            self.conversations.insert(id.to_owned(), directory.clone());
        }
        if let Some(name) = workspace.file_name().and_then(|name| name.to_str()) {
            self.workspaces.insert(name.to_owned(), directory);
        }
    }

    /// The directory of a conversation; none: nothing tells it.
    pub(super) fn directory_of(&self, id: &str, composer: &Value) -> Option<String> {
        self.named_in(composer)
            .or_else(|| self.conversations.get(id).cloned())
    }

    /// The directory of the workspace that a conversation names.
    fn named_in(&self, composer: &Value) -> Option<String> {
        let workspace = &composer["workspaceIdentifier"];
        let uri = &workspace["uri"];
        let named = text(uri, &["fsPath"]).or_else(|| text(uri, &["path"]));
        named
            .map(str::to_owned)
            .or_else(|| uri.as_str().and_then(path_of))
            .or_else(|| self.workspaces.get(text(workspace, &["id"])?).cloned())
    }
}

/// The directory that something said in a conversation names.
pub(super) fn directory_of_bubble(bubble: &Value) -> Option<String> {
    let named = text(bubble, &["workspaceProjectDir"]).map(str::to_owned);
    named.or_else(|| path_of(bubble["workspaceUris"][0].as_str()?))
}

fn directory_of_workspace(about: &Value) -> Option<String> {
    if let Some(folder) = text(about, &["folder"]) {
        return path_of(folder);
    }
    // A file that lists folders; where it lies stands for them.
    let file = path_of(text(about, &["workspace"])?)?;
    let end = file.rfind(['/', '\\'])?;
    Some(file[..end].to_owned())
}

/// A value of the table that holds what is no conversation.
fn item(database: &Path, key: &str) -> Option<Value> {
    let database = ForeignDatabase::open(database).ok()?;
    let is_there = database.has_table(TABLE).ok()?;
    let value = is_there.then(|| database.value(TABLE, key).ok())??;
    serde_json::from_str(&value?.text).ok()
}

/// The path of an address: `file:///w/app`, or that of a directory on another machine.
fn path_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits = more
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    // `/c:/app` is what `C:\app` is in an address.
    let mut drive = path.get(1..)?.chars();
    Some(match (drive.next(), drive.next()) {
        (Some(letter), Some(':')) if letter.is_ascii_alphabetic() => {
            let below = path[3..].replace('/', "\\");
            format!("{}:{below}", letter.to_ascii_uppercase())
        }
        _ => path,
    })
}

/// The directories after which that of a transcript may be named, most often one; none: it is gone.
pub(super) fn directories_of_transcript(path: &Path) -> Vec<String> {
    let is_transcripts = |path: &&Path| {
        let name = path.file_name();
        name.is_some_and(|name| name == "agent-transcripts")
    };
    let project = path.ancestors().find(is_transcripts).and_then(Path::parent);
    let below = |project: &&Path| {
        let above = project.parent().and_then(Path::file_name);
        above.is_some_and(|name| name == "projects")
    };
    let name = project.filter(below).and_then(Path::file_name);
    let Some(name) = name.and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let words: Vec<&str> = words_of(name).collect();
    let (root, words) = match words.split_first() {
        Some((drive, below)) if cfg!(windows) => (PathBuf::from(format!("{drive}:\\")), below),
        _ => (PathBuf::from("/"), &words[..]),
    };
    let mut found = Vec::new();
    let mut left = DIRECTORIES_MAX;
    find_below(&root, words, &mut left, &mut found);
    found.sort();
    found
}

fn words_of(name: &str) -> impl Iterator<Item = &str> {
    name.split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Finds the directories below `directory` whose names are made of these words.
fn find_below(directory: &Path, words: &[&str], left: &mut usize, found: &mut Vec<String>) {
    if words.is_empty() {
        found.extend(directory.to_str().map(str::to_owned));
        return;
    }
    if *left == 0 {
        return;
    }
    *left -= 1;
    let Ok(entries) = std::fs::read_dir(directory) else {
        // One that may be passed through, and not listed.
        for count in 1..=words.len() {
            let below = directory.join(words[..count].join("-"));
            if below.is_dir() {
                find_below(&below, &words[count..], left, found);
            }
        }
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let own: Vec<&str> = name.to_str().map(words_of).into_iter().flatten().collect();
        if !own.is_empty() && words.starts_with(&own) && entry.path().is_dir() {
            find_below(&entry.path(), &words[own.len()..], left, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_paths() {
        assert_eq!(path_of("file:///w/my%20app").as_deref(), Some("/w/my app"));
        assert_eq!(path_of("file:///c%3A/w/app").as_deref(), Some(r"C:\w\app"));
        let remote = path_of("vscode-remote://ssh-remote%2Bhost/home/ada");
        assert_eq!(remote.as_deref(), Some("/home/ada"));
        assert_eq!(path_of("/w/app"), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_directory_of_a_transcript_is_found_by_its_words() {
        let place = tempfile::tempdir().unwrap();
        let work = place.path().join("my.work-dir/app");
        std::fs::create_dir_all(&work).unwrap();
        std::fs::create_dir_all(place.path().join("my")).unwrap();
        let work = work.canonicalize().unwrap();
        let name = words_of(work.to_str().unwrap())
            .collect::<Vec<_>>()
            .join("-");
        let transcript = |name: &str| {
            let path = format!("/h/.cursor/projects/{name}/agent-transcripts/a/a.jsonl");
            directories_of_transcript(Path::new(&path))
        };
        assert_eq!(transcript(&name), [work.to_str().unwrap()]);
        assert!(transcript(&format!("{name}-gone")).is_empty());
    }
}
