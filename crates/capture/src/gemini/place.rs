//! Where a session took place. Its file names no more than the digest of its directory; some tell the
//! directory besides, in what the model is told first, and in files of Gemini's own that lie nearby.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// What the directories stand behind, in what the model is told first.
const WORKING: &str = "I'm currently working in the directory: ";
const LISTED: &str = "Workspace Directories:**";
/// The file in a project's directory of chats that holds the project's own.
const ROOT_FILE: &str = ".project_root";
/// Files of Gemini's in which directories are keys.
const REGISTERS: [&str; 2] = ["projects.json", "trustedFolders.json"];

/// What Gemini calls a directory of this path.
pub(crate) fn digest_of(directory: &str) -> String {
    let digest = Sha256::digest(directory.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is known of the place of the sessions in a file, by where the file is: the name of its project's
/// directory of chats, which may be a digest, and the project's own directory.
pub(super) fn of_file(path: &Path) -> (Option<String>, Option<String>) {
    let chats = |path: &&Path| path.file_name().is_some_and(|name| name == "chats");
    let Some(project) = path.ancestors().find(chats).and_then(Path::parent) else {
        return (None, None);
    };
    let name = project.file_name().and_then(|name| name.to_str());
    let root = std::fs::read_to_string(project.join(ROOT_FILE)).ok();
    let root = root.map(|root| root.trim().to_owned());
    let root = root.filter(|root| !root.is_empty());
    let home = project.ancestors().nth(2).map(Path::to_owned);
    let root = root.or_else(|| registered(&home?, name?));
    (name.map(str::to_owned), root)
}

/// The directory of this digest among those that Gemini has been told of.
fn registered(home: &Path, digest: &str) -> Option<String> {
    let files: Vec<PathBuf> = REGISTERS.iter().map(|name| home.join(name)).collect();
    files.iter().find_map(|path| {
        let text = std::fs::read_to_string(path).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        let below = value["projects"].as_object();
        let mut keys = value.as_object().into_iter().chain(below).flatten();
        let found = keys.find(|(directory, _)| digest_of(directory) == digest);
        found.map(|(directory, _)| directory.clone())
    })
}

/// The directories that the model is told of before the first prompt.
pub(super) fn in_context(said: &str) -> Vec<&str> {
    let mut directories = Vec::new();
    let mut lines = said.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(directory) = line.strip_prefix(WORKING) {
            directories.push(directory);
        } else if line.ends_with(LISTED) {
            let listed = lines.by_ref().map_while(|line| line.strip_prefix("- "));
            directories.extend(listed.take_while(|line| !line.starts_with("**")));
        }
    }
    directories
}

/// The directory of this digest that is above one of the paths that tools were given.
pub(super) fn above_paths(message: &Value, digest: &str) -> Option<String> {
    let calls = message["toolCalls"].as_array()?;
    let given = calls.iter().filter_map(|call| call["args"].as_object());
    let mut texts = given
        .flat_map(|given| given.values())
        .filter_map(Value::as_str);
    texts.find_map(|text| above(text, digest))
}

fn above(path: &str, digest: &str) -> Option<String> {
    const PATH_BYTES_MAX: usize = 4096;
    let is_absolute = path.starts_with('/') || path.get(1..3) == Some(":\\");
    if !is_absolute || path.len() > PATH_BYTES_MAX || path.contains('\n') {
        return None;
    }
    let ends = path.match_indices(['/', '\\']).map(|(end, _)| end);
    let mut above = ends.chain([path.len()]).map(|end| &path[..end]);
    above
        .find(|above| !above.is_empty() && digest_of(above) == digest)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_found_in_what_the_model_is_told() {
        let listed = "<session_context>\nMy operating system is: linux\n- **Workspace Directories:**\n  \
            - /home/ada/app\n  - /home/ada/lib\n- **Directory Structure:**\n";
        assert_eq!(in_context(listed), ["/home/ada/app", "/home/ada/lib"]);
        let working = "I'm currently working in the directory: D:\\app\nHere is";
        assert_eq!(in_context(working), ["D:\\app"]);
        assert!(in_context("list the files").is_empty());
    }

    #[test]
    fn a_path_tells_the_directory_that_it_is_in() {
        let digest = digest_of("/w/app");
        assert_eq!(above("/w/app/src/a.rs", &digest).as_deref(), Some("/w/app"));
        assert_eq!(above("/w/app", &digest).as_deref(), Some("/w/app"));
        assert_eq!(above("w/app/src", &digest), None);
        assert_eq!(above("/w/apps", &digest), None);
    }
}
