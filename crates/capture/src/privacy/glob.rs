//! Patterns for names and paths.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::links::without_links;

/// A name or a path in which `*` stands for any characters within a name, and a part `**` of a path for
/// any number of directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

/// No longer text is taken for a pattern.
const BYTES_MAX: usize = 4096;

/// What other languages of patterns know. Taken as they stand, they would leave nothing out that was meant.
const UNKNOWN_SIGNS: [char; 5] = ['?', '[', ']', '{', '}'];

/// A text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    #[error("a name or path to leave out is 1 to {BYTES_MAX} bytes of text")]
    Length,
    #[error(
        "`{0}` has no meaning in a name or path to leave out: put `*` in its place, or name each in a text \
         of its own"
    )]
    Sign(char),
}

impl FromStr for Glob {
    type Err = GlobError;
    fn from_str(text: &str) -> Result<Self, GlobError> {
        let text = text.trim();
        let fits = (1..=BYTES_MAX).contains(&text.len()) && !text.contains(['\0', '\n']);
        match text.chars().find(|sign| UNKNOWN_SIGNS.contains(sign)) {
            _ if !fits => Err(GlobError::Length),
            Some(sign) => Err(GlobError::Sign(sign)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Glob {
    /// The same, where it begins with `~/` at this home, whatever signs that has.
    #[must_use]
    pub fn at_home(self, home: Option<&Path>) -> Self {
        match self.0.strip_prefix("~/").zip(home) {
            Some((below, home)) => Self(home.join(below).to_string_lossy().into_owned()),
            None => self,
        }
    }

    /// The path that this stands for, if it stands for no other.
    pub(super) fn only_path(&self) -> Option<String> {
        let path = self.0.trim_end_matches(['/', '\\']);
        (self.is_rooted() && !path.contains('*')).then(|| path.to_owned())
    }

    /// The pattern of the paths that these are without links, as the system has them now; none: they are the
    /// same.
    pub(super) fn without_links(&self) -> Option<Self> {
        if !self.is_rooted() {
            return None;
        }
        let is_named = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains('*');
        let named: PathBuf = Path::new(&self.0)
            .components()
            .take_while(is_named)
            .collect();
        let rest = Path::new(&self.0).strip_prefix(&named).ok()?;
        let resolved = without_links(&named)?.join(rest);
        let resolved = resolved.to_str()?.to_owned();
        let is_other = !parts(&resolved).eq(parts(&self.0));
        is_other.then_some(Self(resolved))
    }

    fn is_rooted(&self) -> bool {
        let first = parts(&self.0).next();
        self.0.starts_with(['/', '\\']) || first.is_some_and(|part| part.ends_with(':'))
    }

    /// Whether a name is of this pattern.
    pub(super) fn matches_name(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }

    /// Whether a path is of this pattern, or below one that is. A pattern that begins with no root
    /// may begin anywhere in the path.
    pub(super) fn matches_path(&self, path: &str) -> bool {
        let pattern: Vec<&str> = parts(&self.0).collect();
        let path_parts: Vec<&str> = parts(path).collect();
        if pattern.is_empty() {
            return false;
        }
        let starts = if self.is_rooted() {
            1
        } else {
            path_parts.len()
        };
        (0..starts).any(|start| begins(&path_parts[start..], &pattern))
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', '\\']).filter(|part| !part.is_empty())
}

/// Whether a path begins as the pattern says. Each step keeps the places in the pattern that can be
/// reached, so that no pattern takes longer than path times pattern.
fn begins(path: &[&str], pattern: &[&str]) -> bool {
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    skip_any(&mut reached, pattern);
    for part in path {
        if reached[pattern.len()] {
            return true;
        }
        let mut next = vec![false; pattern.len() + 1];
        for (place, word) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
            if *word == "**" {
                next[place] = true;
            } else if matches(word.as_bytes(), part.as_bytes()) {
                next[place + 1] = true;
            }
        }
        reached = next;
        skip_any(&mut reached, pattern);
    }
    reached[pattern.len()]
}

/// `**` may also stand for no directory.
fn skip_any(reached: &mut [bool], pattern: &[&str]) {
    for (place, word) in pattern.iter().enumerate() {
        if reached[place] && *word == "**" {
            reached[place + 1] = true;
        }
    }
}

/// Whether a text is of a pattern with `*`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where the last star is, and what it is taken to stand for the end of.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, read));
            at += 1;
        } else if pattern.get(at) == Some(&text[read]) {
            at += 1;
            read += 1;
        } else if let Some((place, end)) = star {
            star = Some((place, end + 1));
            at = place + 1;
            read = end + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of(pattern: &str, path: &str) -> bool {
        pattern.parse::<Glob>().unwrap().matches_path(path)
    }

    #[test]
    fn a_path_is_left_out_with_all_below_it() {
        for path in ["/w/secret", "/w/secret/", "/w/secret/deep/file.rs"] {
            assert!(is_of("/w/secret", path), "{path}");
            assert!(is_of("/w/s*t", path), "{path}");
            assert!(is_of("/**/secret", path), "{path}");
            assert!(is_of("secret", path), "{path}");
        }
        for path in ["/w/secrets", "/w", "/v/w/secret", ""] {
            assert!(!is_of("/w/secret", path), "{path}");
        }
        assert!(is_of(r"C:\work\*", r"C:\work\app\src"));
        assert!(!is_of(r"C:\work\*", r"C:\work"));
        assert!(is_of("/w/**", "/w/a/b"));
        assert!(!is_of("/", "/w"));
    }

    #[test]
    fn signs_of_other_languages_are_refused_by_name() {
        for (text, sign) in [
            ("~/{a,b}/**", '{'),
            ("/w/x[", '['),
            ("/w/a]", ']'),
            ("/w/a?", '?'),
        ] {
            assert_eq!(text.parse::<Glob>(), Err(GlobError::Sign(sign)), "{text}");
        }
        assert_eq!("".parse::<Glob>(), Err(GlobError::Length));
    }

    #[test]
    fn a_name_is_matched_whole() {
        let glob: Glob = "client-*".parse().unwrap();
        assert!(glob.matches_name("client-") && glob.matches_name("client-a/b"));
        assert!(!glob.matches_name("my-client-a"));
        assert!("".parse::<Glob>().is_err() && " ".parse::<Glob>().is_err());
        let slow: Glob = "*a".repeat(200).parse().unwrap();
        assert!(!slow.matches_name(&"ab".repeat(5_000)));
    }
}
