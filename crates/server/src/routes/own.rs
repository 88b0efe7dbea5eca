//! The paths that are the server's own, whatever a tenant's document says.

use std::collections::BTreeSet;

use syncline_codegen::Hiding;

use super::records::ANY;
use crate::http::Route;

/// The paths of the route table, but for the one that takes what documents declare.
#[derive(Debug, Clone)]
pub struct OwnPaths(BTreeSet<&'static str>);

impl OwnPaths {
    /// Those of every server of this version.
    pub fn of_this_version() -> Self {
        Self::of(&super::table())
    }

    pub(super) fn of(routes: &[Route]) -> Self {
        let paths = routes.iter().map(|route| route.path);
        Self(paths.filter(|path| *path != ANY).collect())
    }

    /// Which requests at a path of a document the router gives to routes of these. It goes by the path
    /// before it goes by the method, and takes an end with a slash for another path.
    pub fn hiding(&self, path: &str) -> Option<Hiding> {
        let takes_all = |own: &&&str| Takes::of(own, path) == Takes::All;
        if self.0.iter().any(|own| takes_all(&own)) {
            return Some(Hiding::All);
        }
        let mut own = self.0.iter();
        let takes_some = own.find(|own| Takes::of(own, path) == Takes::Some);
        takes_some.map(|own| Hiding::Under(own))
    }
}

/// How many of the requests at a path of a document a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Takes {
    None,
    Some,
    All,
}

impl Takes {
    fn of(own: &str, path: &str) -> Self {
        let is_open = |part: &str| part.starts_with('{');
        let parts = || own.split('/').zip(path.split('/'));
        if own.split('/').count() != path.split('/').count() {
            return Self::None;
        }
        let of_part = |(own, part): (&str, &str)| match (is_open(own), is_open(part)) {
            // Nobody's parameter is empty, and so an end with a slash is none.
            (true, _) if part.is_empty() => Self::None,
            (true, _) => Self::All,
            (false, true) => Self::Some,
            (false, false) if own == part => Self::All,
            (false, false) => Self::None,
        };
        parts().map(of_part).min().unwrap_or(Self::None)
    }
}
