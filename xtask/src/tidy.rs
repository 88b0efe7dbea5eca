//! The rules of the tree that neither rustfmt nor clippy knows.
//!
//! A line may break a rule for a reason that stands beside it: `// tidy: RULE because REASON` at its
//! end or on the line above.

mod documents;
mod layers;
mod manifests;
mod rust;
mod source;
pub(crate) mod tree;

use std::fmt;

use crate::failure::Failure;
use crate::repository::Repository;
use crate::steps::say;

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    rule: &'static str,
    message: String,
}

/// Prints what is broken, and fails if anything is.
pub(crate) fn run(repository: &Repository) -> Result<(), Failure> {
    let findings = findings(repository)?;
    findings.iter().for_each(say);
    match findings.len() {
        0 => Ok(()),
        findings => Err(Failure::Untidy { findings }),
    }
}

/// Everything in the work tree that breaks a rule.
pub(crate) fn findings(repository: &Repository) -> Result<Vec<Finding>, Failure> {
    let files = tree::read(&repository.root)?;
    let mut findings = layers::findings(&repository.packages);
    findings.extend(manifests::findings(&repository.packages, &files));
    findings.extend(documents::findings(&repository.packages, &files));
    findings.extend(files.iter().flat_map(tree::findings));
    findings.extend(
        files
            .iter()
            .filter(|file| file.path.ends_with(".rs"))
            .flat_map(rust::findings),
    );
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok(findings)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            rule,
            message,
        } = self;
        write!(f, "{path}:{line}: {rule}: {message}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_keeps_its_rules() {
        let repository = Repository::read().unwrap();
        let findings = findings(&repository).unwrap();
        let shown: Vec<_> = findings.iter().map(Finding::to_string).collect();
        assert!(shown.is_empty(), "\n{}", shown.join("\n"));
    }
}
