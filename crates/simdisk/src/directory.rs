//! The names of files: those that processes see, those that outlive a power loss, and the way between.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use rand::Rng;
use rand::rngs::StdRng;

use crate::state::InodeKey;

type Names = BTreeMap<String, InodeKey>;

/// A change of names that readers see and that no sync has covered yet.
#[derive(Clone)]
enum NameChange {
    Make { name: String, inode: InodeKey },
    Remove { name: String },
    Rename { from: String, to: String },
}

impl NameChange {
    fn names(&self) -> [&String; 2] {
        match self {
            Self::Make { name, .. } | Self::Remove { name } => [name, name],
            Self::Rename { from, to } => [from, to],
        }
    }

    /// Applies the change, and says which file lost the name it had.
    fn apply(&self, names: &mut Names) -> Option<InodeKey> {
        match self {
            Self::Make { name, inode } => names.insert(name.clone(), *inode),
            Self::Remove { name } => names.remove(name),
            Self::Rename { from, to } => {
                let inode = names.remove(from)?;
                names.insert(to.clone(), inode)
            }
        }
    }
}

/// Names and the files they name, as seen and as durable.
///
/// Changes of one name keep their order, and a rename happens whole or not at all; changes of different
/// names may outlive a power loss one without the other.
#[derive(Default)]
pub(crate) struct Directory {
    seen: Names,
    durable: Names,
    changes: Vec<NameChange>,
}

impl Directory {
    pub(crate) fn get(&self, name: &str) -> Option<InodeKey> {
        self.seen.get(name).copied()
    }

    /// The seen names under `prefix`, in order.
    pub(crate) fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, InodeKey)> {
        let bounds = (Bound::Included(prefix), Bound::Unbounded);
        let from = self.seen.range::<str, _>(bounds);
        from.take_while(move |(name, _)| name.starts_with(prefix))
            .map(|(name, inode)| (name.as_str(), *inode))
    }

    pub(crate) fn make(&mut self, name: &str, inode: InodeKey) {
        self.change(NameChange::Make {
            name: name.to_owned(),
            inode,
        });
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.change(NameChange::Remove {
            name: name.to_owned(),
        });
    }

    /// Renames a file, in the place of whatever had the new name.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        self.change(NameChange::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        });
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.seen);
        self.changes.push(change);
    }

    /// Makes the names of `inode` durable, and with them every name beside them: SQLite syncs the directory
    /// of a file that it made, and rests on it that a journal which it removed there does not return.
    ///
    /// This and its like answer with the files that lost a durable name.
    pub(crate) fn settle(&mut self, inode: InodeKey) -> Vec<InodeKey> {
        if self.changes.is_empty() {
            return Vec::new();
        }
        let named = self.seen.iter().filter(|(_, other)| **other == inode);
        let unsettled = named.filter(|(name, _)| self.durable.get(*name) != Some(&inode));
        let names: Vec<String> = unsettled.map(|(name, _)| name.clone()).collect();
        names
            .iter()
            .flat_map(|name| self.settle_beside(name))
            .collect()
    }

    /// Makes `name` and every name in the same directory durable.
    pub(crate) fn settle_beside(&mut self, name: &str) -> Vec<InodeKey> {
        let end = name.rfind('/').map_or(0, |slash| slash + 1);
        self.settle_under(&name[..end])
    }

    pub(crate) fn settle_under(&mut self, prefix: &str) -> Vec<InodeKey> {
        let names = self.changes.iter().flat_map(NameChange::names);
        let names = names.filter(|name| name.starts_with(prefix)).cloned();
        self.settle_names(names.collect())
    }

    /// Applies the changes of the `wanted` names to what is durable, with every earlier one they rest on.
    fn settle_names(&mut self, mut wanted: BTreeSet<String>) -> Vec<InodeKey> {
        let mut settled = Vec::new();
        let mut left = Vec::new();
        for change in std::mem::take(&mut self.changes).into_iter().rev() {
            if change.names().iter().any(|name| wanted.contains(*name)) {
                wanted.extend(change.names().map(String::clone));
                settled.push(change);
            } else {
                left.push(change);
            }
        }
        left.reverse();
        self.changes = left;
        let in_order = settled.iter().rev();
        in_order
            .filter_map(|change| change.apply(&mut self.durable))
            .collect()
    }

    /// The power goes under `prefix`: of the changes since the last sync some hold, the others never were.
    pub(crate) fn lose_power(&mut self, prefix: &str, chance: &mut StdRng) {
        let mut lost = BTreeSet::new();
        for change in std::mem::take(&mut self.changes) {
            let names = change.names();
            if !names[0].starts_with(prefix) {
                self.changes.push(change);
            } else if names.iter().any(|name| lost.contains(*name)) || chance.random() {
                lost.extend(names.map(String::clone));
            } else {
                change.apply(&mut self.durable);
            }
        }
        self.seen.retain(|name, _| !name.starts_with(prefix));
        let durable = self.durable.iter();
        let survivors = durable.filter(|(name, _)| name.starts_with(prefix));
        self.seen
            .extend(survivors.map(|(name, inode)| (name.clone(), *inode)));
    }

    /// Every file that has a name under `prefix`, or had one that a power loss may bring back.
    pub(crate) fn files_under(&self, prefix: &str) -> BTreeSet<InodeKey> {
        let named = self.seen.iter().chain(&self.durable);
        let named = named.map(|(name, inode)| (name, *inode));
        named
            .chain(self.made())
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(_, inode)| inode)
            .collect()
    }

    /// Whether any name leads to `inode`, or may lead to it after a power loss.
    pub(crate) fn knows(&self, inode: InodeKey) -> bool {
        let mut named = self.seen.values().chain(self.durable.values());
        named.any(|other| *other == inode) || self.made().any(|(_, other)| other == inode)
    }

    fn made(&self) -> impl Iterator<Item = (&String, InodeKey)> {
        self.changes.iter().filter_map(|change| match change {
            NameChange::Make { name, inode } => Some((name, *inode)),
            NameChange::Remove { .. } | NameChange::Rename { .. } => None,
        })
    }

    /// Durably puts `files` in the place of all that is under `prefix`; their names are whole.
    pub(crate) fn replace_under(&mut self, prefix: &str, files: &[(String, InodeKey)]) {
        self.changes
            .retain(|change| !change.names()[0].starts_with(prefix));
        for names in [&mut self.seen, &mut self.durable] {
            names.retain(|name, _| !name.starts_with(prefix));
            names.extend(files.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const A: InodeKey = InodeKey(1);
    const B: InodeKey = InodeKey(2);

    fn outcomes(make: impl Fn(&mut Directory)) -> BTreeSet<Vec<(String, usize)>> {
        (0..100)
            .map(|number| {
                let mut directory = Directory::default();
                make(&mut directory);
                directory.lose_power("", &mut StdRng::seed_from_u64(number));
                let named = directory.under("");
                named
                    .map(|(name, inode)| (name.to_owned(), inode.0))
                    .collect()
            })
            .collect()
    }

    fn named(pairs: &[(&str, InodeKey)]) -> Vec<(String, usize)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, inode)| ((*name).to_owned(), inode.0))
            .collect()
    }

    #[test]
    fn a_name_that_was_not_synced_is_kept_or_lost() {
        let seen = outcomes(|directory| directory.make("a", A));
        assert_eq!(seen, BTreeSet::from([named(&[]), named(&[("a", A)])]));
    }

    #[test]
    fn a_rename_over_a_file_leaves_the_old_or_the_new_never_neither() {
        let seen = outcomes(|directory| {
            directory.make("a", A);
            directory.make("b", B);
            directory.settle_under("");
            directory.rename("b", "a");
        });
        let (old, new) = (named(&[("a", A), ("b", B)]), named(&[("a", B)]));
        assert_eq!(seen, BTreeSet::from([old, new]));
    }

    #[test]
    fn settling_a_file_settles_its_directory_and_what_its_name_rests_on() {
        let seen = outcomes(|directory| {
            directory.make("tmp/b", B);
            directory.make("d/c", A);
            directory.rename("tmp/b", "d/a");
            directory.settle(B);
        });
        let whole = named(&[("d/a", B), ("d/c", A)]);
        assert_eq!(seen, BTreeSet::from([whole]));
    }

    #[test]
    fn another_prefix_is_not_touched() {
        let mut directory = Directory::default();
        directory.make("r1/a", A);
        directory.make("r2/a", B);
        for number in 0..20 {
            directory.lose_power("r1/", &mut StdRng::seed_from_u64(number));
        }
        assert_eq!(directory.get("r2/a"), Some(B));
        assert!(directory.knows(B));
    }
}
