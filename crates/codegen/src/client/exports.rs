//! The names that a client's modules hand on. Its index hands on all of them, so each is of one thing only.

use std::collections::BTreeMap;

use super::names::Names;

/// Names of the client itself, and those that its modules import beside an entity's own.
const OWN: [&str; 53] = [
    "ABSENT",
    "Age",
    "ClientConfig",
    "Collection",
    "EntityMeta",
    "FRESH",
    "HttpOptions",
    "LocalDatabase",
    "LocalSchema",
    "Lost",
    "NonSingleResult",
    "PGlite",
    "SENT",
    "Storage",
    "Sync",
    "closeDatabase",
    "deleteDatabase",
    "config",
    "configure",
    "confirmedCollection",
    "createCollection",
    "database",
    "eq",
    "initDatabase",
    "memoryCollection",
    "newId",
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
    "writtenTo",
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::OWN;
    use crate::client::TEMPLATES;
    use crate::client::names::GLOBAL_TYPES;

    /// The text of a template as a module that it makes, without comments. What an entity's names fill is
    /// `\u{1}`; of other expressions the words stand that they may begin with.
    fn module(template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (mark, end) = match after.chars().next() {
                Some('{') => (&after[1..], "}}"),
                Some('%') => (&after[1..], "%}"),
                Some(_) | None => {
                    text.push('{');
                    rest = after;
                    continue;
                }
            };
            let (inner, after) = mark.split_once(end).unwrap();
            if end == "}}" {
                let word = inner.trim().strip_prefix('"');
                text.push_str(
                    word.and_then(|word| word.split('"').next())
                        .unwrap_or("\u{1}"),
                );
            }
            rest = after;
        }
        text.push_str(rest);
        without(&without(&text, "/*", "*/"), "//", "\n")
    }

    fn without(text: &str, begin: &str, end: &str) -> String {
        let mut parts = text.split(begin);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            kept.push('\n');
            kept.push_str(part.split_once(end).map_or("", |(_, after)| after));
        }
        kept
    }

    fn words(code: &str) -> impl Iterator<Item = &str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '\u{1}');
        let words = code.split(move |c| !is_part(c));
        words.filter(|word| !word.is_empty() && !word.contains('\u{1}'))
    }

    #[test]
    fn no_entity_takes_a_name_that_its_modules_import_or_use() {
        let known: BTreeSet<&str> = OWN.iter().chain(&GLOBAL_TYPES).copied().collect();
        let mut imported = 0;
        for (name, template) in TEMPLATES {
            let of_entity = ["{{ one", "{{ variable", "variable }}"];
            if !name.ends_with(".ts") || !of_entity.iter().any(|mark| template.contains(mark)) {
                continue;
            }
            let module = module(template);
            // What stands in quotes is text, every other part.
            let code: String = module.split('"').step_by(2).collect();
            for import in code.split("import ").skip(1) {
                let list = import.split_once('}').map_or("", |(list, _)| list);
                for word in words(list).filter(|word| *word != "type") {
                    imported += 1;
                    assert!(
                        known.contains(word),
                        "{name} imports {word}, which OWN lacks"
                    );
                }
            }
            for word in
                words(&code).filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
            {
                assert!(
                    known.contains(word),
                    "{name} uses {word}, which GLOBAL_TYPES lacks"
                );
            }
        }
        assert!(imported > 40, "{imported} names were found");
    }
}
