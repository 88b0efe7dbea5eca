//! What of agents' sessions is not kept at all: by rules of the user, and by marks that say so.
//!
//! Rules go by the agent, by the project, and by paths: of the directory that a session works in, and of
//! the transcript itself. A mark is a file named [`MARK_FILE`] in the session's directory or above it, or
//! a line of a prompt that is [`MARK_LINE`] and nothing else: from there on the session is not recorded,
//! and nothing that its subagents say later. With a session that was deleted its subagents are left out, also
//! those that are found later. What a rule leaves out is read again once the rule
//! has gone; what a prompt's mark leaves out never is.

mod glob;
mod links;
mod marked;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use glob::{Glob, GlobError};
pub(crate) use marked::{is_marked, is_marked_within};
use syncline_model::Timestamp;

use crate::facts::UnitKey;
use crate::redact::Redactor;

/// The file by which a directory says that sessions in it and below are not to be recorded.
pub const MARK_FILE: &str = ".do-not-record";
/// The line of a prompt by which a user says that the session is not to be recorded.
pub const MARK_LINE: &str = "#do-not-record";

/// What is not to be kept, by the user's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusions {
    /// Agents, by their names.
    pub agents: Vec<String>,
    /// Names of projects; `*` stands for any characters.
    pub projects: Vec<Glob>,
    /// Directories, with all that is below them, and files.
    pub paths: Vec<Glob>,
}

/// What is taken out of sessions, and which of them are left out.
#[derive(Debug, Default)]
pub struct Privacy {
    pub(crate) redactor: Redactor,
    exclusions: Exclusions,
    /// What the rules are known by.
    fingerprint: String,
    /// The mark that counts for a directory, of those that were asked for.
    marked: HashMap<String, Option<PathBuf>>,
    /// What a directory is without links, of those that were asked for; none: the same.
    resolved: HashMap<String, Option<String>>,
}

/// Why a session is left out, in words that can be stored: it stands for as long as its cause does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause(pub(crate) String);

const BY_PROMPT: &str = "prompt";
const BY_FILE: &str = "file ";
const BY_DELETE: &str = "deleted";

impl Cause {
    /// Whether it is a mark in a prompt.
    pub(crate) fn is_by_prompt(&self) -> bool {
        self.0.split(' ').next() == Some(BY_PROMPT)
    }

    /// When the prompt was given that it is the mark of; none: that is not known, or it is another cause.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.0.strip_prefix(BY_PROMPT)?.trim_start().parse().ok()
    }
}

impl Privacy {
    /// Both as the user has set them.
    pub fn new(redactor: Redactor, mut exclusions: Exclusions) -> Self {
        // By it is known what was left out: also once links lead elsewhere.
        let fingerprint = UnitKey::of(&[&format!("{exclusions:?}")]).hex();
        // Agents note a directory as it was entered, or as the system knows it.
        let resolved = exclusions.paths.iter().filter_map(Glob::without_links);
        let resolved: Vec<_> = resolved.collect();
        exclusions.paths.extend(resolved);
        Self {
            redactor,
            fingerprint,
            exclusions,
            marked: HashMap::new(),
            resolved: HashMap::new(),
        }
    }

    /// What takes secrets out.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The standard rules of redaction, and nothing left out.
    pub fn standard() -> Self {
        Self::new(Redactor::standard(), Exclusions::default())
    }

    /// Whether nothing of an agent is kept.
    pub(crate) fn excludes_agent(&self, agent: &str) -> bool {
        self.exclusions.agents.iter().any(|name| name == agent)
    }

    pub(crate) fn excludes_project(&self, name: &str) -> bool {
        self.exclusions
            .projects
            .iter()
            .any(|glob| glob.matches_name(name))
    }

    /// Whether a path, or a directory that it is in, is left out by a rule.
    pub(crate) fn excludes_path(&self, path: &str) -> bool {
        self.exclusions
            .paths
            .iter()
            .any(|glob| glob.matches_path(path))
    }

    /// Why a session is left out that took place in these directories.
    pub(crate) fn by_place(
        &mut self,
        directories: &[&str],
        project: Option<&str>,
    ) -> Option<Cause> {
        let resolved = directories
            .iter()
            .filter_map(|path| self.without_links(path));
        let resolved: Vec<String> = resolved.collect();
        let resolved = resolved.iter().map(String::as_str);
        let mut directories = directories.iter().copied().chain(resolved);
        if project.is_some_and(|project| self.excludes_project(project))
            || directories.clone().any(|path| self.excludes_path(path))
        {
            return Some(self.by_rule());
        }
        directories.find_map(|directory| self.by_file(directory))
    }

    /// The path of a directory without links, where that is another one.
    fn without_links(&mut self, directory: &str) -> Option<String> {
        let resolved = self.resolved.entry(directory.to_owned());
        let resolved = resolved.or_insert_with(|| {
            let resolved = links::without_links(Path::new(directory))?;
            let resolved = resolved.to_str()?.to_owned();
            (resolved != directory).then_some(resolved)
        });
        resolved.clone()
    }

    /// Whether a rule goes by where sessions take place.
    pub fn has_rules_of_place(&self) -> bool {
        !self.exclusions.paths.is_empty() || !self.exclusions.projects.is_empty()
    }

    /// The directories that rules name, as far as they name one each.
    pub(crate) fn named_directories(&self) -> Vec<String> {
        let paths = self.exclusions.paths.iter();
        paths.filter_map(Glob::only_path).collect()
    }

    pub(crate) fn by_rule(&self) -> Cause {
        Cause(self.fingerprint.clone())
    }

    /// The mark in a prompt, and when that was given.
    pub(crate) fn by_prompt(at: Option<Timestamp>) -> Cause {
        Cause(match at {
            Some(at) => format!("{BY_PROMPT} {at}"),
            None => BY_PROMPT.to_owned(),
        })
    }

    /// That a person has deleted the session that it is a subagent of.
    pub(crate) fn by_delete() -> Cause {
        Cause(BY_DELETE.to_owned())
    }

    /// The mark in a directory or above it.
    pub(crate) fn by_file(&mut self, directory: &str) -> Option<Cause> {
        let found = self.marked.entry(directory.to_owned()).or_insert_with(|| {
            let path = Path::new(directory);
            if !path.is_absolute() {
                return None;
            }
            let marks = path.ancestors().map(|path| path.join(MARK_FILE));
            marks.into_iter().find(|mark| mark.exists())
        });
        let path = found.as_ref()?.to_str()?;
        Some(Cause(format!("{BY_FILE}{path}")))
    }

    /// Whether what was left out for a cause is to be left out still.
    pub(crate) fn stands(&self, cause: &Cause) -> bool {
        match cause.0.strip_prefix(BY_FILE) {
            Some(mark) => Path::new(mark).exists(),
            None => cause.is_by_prompt() || cause.0 == BY_DELETE || cause.0 == self.fingerprint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_for_what_is_below_it_until_it_has_gone() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("a/b");
        let below = below.to_str().unwrap();
        let mut privacy = Privacy::standard();
        assert_eq!(privacy.by_file(below), None);
        std::fs::write(directory.path().join(MARK_FILE), "").unwrap();
        let mut privacy = Privacy::standard();
        let cause = privacy.by_file(below).unwrap();
        assert!(privacy.stands(&cause));
        std::fs::remove_file(directory.path().join(MARK_FILE)).unwrap();
        assert!(!privacy.stands(&cause));
    }

    #[cfg(unix)]
    #[test]
    fn rules_and_marks_hold_on_both_sides_of_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("real/app")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        let path = |below: &str| root.join(below).to_str().unwrap().to_owned();
        let by_rule = |rule: &str, session: &str| {
            let exclusions = Exclusions {
                paths: vec![path(rule).parse().unwrap()],
                ..Exclusions::default()
            };
            let mut privacy = Privacy::new(Redactor::standard(), exclusions);
            privacy.by_place(&[&path(session)], None).is_some()
        };
        for rule in ["link", "link/**", "link/a*", "link/app", "real/app"] {
            for session in ["real/app", "link/app"] {
                assert!(by_rule(rule, session), "{rule} {session}");
            }
        }
        assert!(!by_rule("link/none", "real/app") && !by_rule("link/b*", "link/app"));
        // What is made only later lies where its parent does, and so does what has gone.
        assert!(by_rule("link/later/*", "real/later/app"));
        assert!(by_rule("real/gone", "link/gone/app"));
        std::fs::write(root.join("real").join(MARK_FILE), "").unwrap();
        std::os::unix::fs::symlink(root.join("real/app"), root.join("app")).unwrap();
        let mut privacy = Privacy::standard();
        assert!(privacy.by_place(&[&path("app")], None).is_some());
        assert!(privacy.by_place(&[&path("link/gone")], None).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_rule_holds_where_its_link_leads_before_anything_is_there() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let path = |below: &str| root.join(below).to_str().unwrap().to_owned();
        let ruled = || {
            let rules = ["secret", "round", "later"];
            let exclusions = Exclusions {
                paths: rules.map(|rule| path(rule).parse().unwrap()).to_vec(),
                ..Exclusions::default()
            };
            Privacy::new(Redactor::standard(), exclusions)
        };
        std::fs::create_dir(root.join("by")).unwrap();
        symlink("by/way", root.join("secret")).unwrap();
        symlink(root.join("mnt/enc"), root.join("by/way")).unwrap();
        symlink("round", root.join("round")).unwrap();
        let cause = ruled().by_place(&[&path("mnt/enc/app")], None).unwrap();
        assert_eq!(ruled().by_place(&[&path("mnt")], None), None);
        // What was left out stays so whatever comes to be behind a link.
        std::fs::create_dir_all(root.join("mnt/enc/app")).unwrap();
        symlink(root.join("by"), root.join("later")).unwrap();
        assert!(ruled().stands(&cause));
        assert!(ruled().by_place(&[&path("mnt/enc/app")], None).is_some());
        assert!(ruled().by_place(&[&path("by")], None).is_some());
    }

    #[test]
    fn other_rules_are_told_apart() {
        let excluding = |agent: &str| {
            let exclusions = Exclusions {
                agents: vec![agent.to_owned()],
                ..Exclusions::default()
            };
            Privacy::new(Redactor::standard(), exclusions)
        };
        let cause = excluding("codex").by_rule();
        assert!(excluding("codex").stands(&cause));
        assert!(!excluding("gemini").stands(&cause));
        assert!(excluding("gemini").stands(&Privacy::by_prompt(None)));
        let at = "2026-03-01T10:00:00.000Z".parse().unwrap();
        assert!(excluding("gemini").stands(&Privacy::by_prompt(Some(at))));
        assert_eq!(Privacy::by_prompt(Some(at)).since(), Some(at));
    }
}
