//! The names that a client's modules hand on. Its index hands on all of them, so each is of one thing only.

use std::collections::BTreeMap;

use super::names::Names;

/// Names of the client itself, and those that its modules import beside an entity's own.
const OWN: [&str; 44] = [
    "Age",
    "ClientConfig",
    "Collection",
    "EntityMeta",
    "HttpOptions",
    "LocalDatabase",
    "LocalSchema",
    "PGlite",
    "Storage",
    "Sync",
    "closeDatabase",
    "config",
    "configure",
    "createCollection",
    "database",
    "eq",
    "initDatabase",
    "memoryCollection",
    "openLocal",
    "pgliteDatabase",
    "readAt",
    "request",
    "requestList",
    "schema",
    "shownAt",
    "startSync",
    "sync",
    "useAge",
    "useCan",
    "useCreate",
    "useDelete",
    "useLiveQuery",
    "useLocalMutation",
    "useMutation",
    "useMutationOf",
    "useQuery",
    "useQueryClient",
    "useRowQuery",
    "useRows",
    "useRowsQuery",
    "useSyncState",
    "useUpdate",
    "viewCollectionOptions",
    "z",
];

/// Whose each name is.
#[derive(Debug)]
pub(super) struct Taken(BTreeMap<String, String>);

impl Taken {
    pub(super) fn new() -> Self {
        let own = OWN.map(|name| (name.to_owned(), "the client itself".to_owned()));
        Self(own.into())
    }

    /// The same names, but for another type where what follows from it is taken: a record of
    /// `contact_creates` is no `ContactCreate` beside contacts.
    pub(super) fn fitting(&self, mut names: Names) -> Names {
        if exports(&names).iter().any(|name| self.0.contains_key(name)) {
            names.one.push_str("Row");
        }
        names
    }

    /// Takes an entity's names. Gives those that were another's, and whose.
    pub(super) fn take(&mut self, names: &Names, entity: &str) -> Vec<(String, String)> {
        let mut others = Vec::new();
        for name in exports(names) {
            if let Some(other) = self.0.insert(name.clone(), format!("{entity:?}")) {
                others.push((name, other));
            }
        }
        others
    }
}

/// All names that the modules of one entity hand on.
fn exports(names: &Names) -> Vec<String> {
    let Names {
        one,
        many,
        variable,
        file: _,
    } = names;
    let types = ["", "Create", "Update", "Key", "Receipt"].map(|end| format!("{one}{end}"));
    let values = [
        "Client",
        "Collection",
        "CreateSchema",
        "Keys",
        "Meta",
        "UpdateSchema",
    ];
    let values = values.map(|end| format!("{variable}{end}"));
    let verbs = ["", "Can", "Create", "Delete", "Update"].map(|verb| format!("use{verb}{one}"));
    let mutations = ["Create", "Delete", "Replace", "Update"];
    let mutations = mutations.map(|verb| format!("use{verb}{one}Mutation"));
    let mut all = vec![
        format!("use{many}"),
        format!("use{many}Query"),
        format!("use{one}Query"),
    ];
    all.extend(types);
    all.extend(values);
    all.extend(verbs);
    all.extend(mutations);
    all
}
