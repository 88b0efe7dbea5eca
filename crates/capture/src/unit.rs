//! Units of databases: what is read in one go, and how it is told that one is as it was.

use std::collections::HashSet;

use syncline_store::foreign::ForeignDatabase;

use crate::facts::{Facts, Known};
use crate::import::Tally;

/// A unit, with what it is read from and where what is found in it goes.
pub(crate) struct Unit<'a, 't> {
    pub(crate) database: &'a ForeignDatabase,
    /// As the reader itself has named it.
    pub(crate) name: &'a str,
    pub(crate) known: &'a mut dyn Known,
    pub(crate) facts: &'a mut Facts,
    pub(crate) tally: &'a mut Tally<'t>,
}

/// Names of units from several lists, each once, where it stood first.
pub(crate) fn each_once(lists: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let mut found = HashSet::new();
    let names = lists.into_iter().flatten();
    names.filter(|name| found.insert(name.clone())).collect()
}
