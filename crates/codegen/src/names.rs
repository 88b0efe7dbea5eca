//! Names of collections and of one of their records.

/// Plurals that no rule gives.
const IRREGULAR: [(&str, &str); 22] = [
    ("people", "person"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("mice", "mouse"),
    ("geese", "goose"),
    ("feet", "foot"),
    ("teeth", "tooth"),
    ("criteria", "criterion"),
    ("indices", "index"),
    ("vertices", "vertex"),
    ("matrices", "matrix"),
    ("appendices", "appendix"),
    ("analyses", "analysis"),
    ("bases", "base"),
    ("movies", "movie"),
    ("cookies", "cookie"),
    ("quizzes", "quiz"),
    ("lives", "life"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("shelves", "shelf"),
];

/// Words that are their own plural.
const UNCHANGED: [&str; 12] = [
    "series",
    "species",
    "news",
    "data",
    "media",
    "sheep",
    "fish",
    "status",
    "feedback",
    "staff",
    "metadata",
    "equipment",
];

/// One record's name, from the collection's and from names that the document uses for one record, the
/// surest first.
pub(crate) fn singular(collection: &str, hints: &[String]) -> String {
    let first = |name: &str| name.chars().next().map(|c| c.to_ascii_lowercase());
    let is_of_collection = |hint: &&String| {
        let plurals = [
            hint.to_string(),
            format!("{hint}s"),
            format!("{hint}es"),
            format!("{}ies", hint.strip_suffix('y').unwrap_or(hint)),
        ];
        plurals
            .iter()
            .any(|plural| folded(plural) == folded(collection))
    };
    // The collection's own name says nothing of a plural, except where the rules know no better.
    let regular = hints
        .iter()
        .filter(|hint| folded(hint) != folded(collection))
        .find(is_of_collection);
    if let Some(hint) = regular {
        return hint.clone();
    }
    let by_rule = singular_by_rule(collection);
    if by_rule != collection {
        return by_rule;
    }
    // A plural that no rule knows: a hint will do that begins alike.
    hints
        .iter()
        .find(|hint| first(hint) == first(collection))
        .cloned()
        .unwrap_or(by_rule)
}

/// The singular of the last word of a name.
fn singular_by_rule(name: &str) -> String {
    let is_upper = |(_, c): &(usize, char)| c.is_uppercase();
    let separator = name.rfind(['_', '-', '.']).map_or(0, |at| at + 1);
    let capital = name.char_indices().rfind(is_upper).map_or(0, |(at, _)| at);
    let (head, word) = name.split_at(separator.max(capital));
    let lower = word.to_lowercase();
    let same_length = lower.len() == word.len();
    if UNCHANGED.contains(&lower.as_str()) || !same_length {
        return name.to_owned();
    }
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == lower) {
        let capital = word.starts_with(char::is_uppercase);
        let one = match capital {
            true => one[..1].to_uppercase() + &one[1..],
            false => (*one).to_owned(),
        };
        return format!("{head}{one}");
    }
    let cut = |count: usize, ending: &str| format!("{head}{}{ending}", &word[..word.len() - count]);
    let ends_with = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    if ends_with(&["ies"]) && lower.len() > 4 {
        return cut(3, "y");
    }
    let has_extra_syllable = ends_with(&["sses", "shes", "ches", "xes", "zzes", "tuses", "ruses"])
        || (ends_with(&["uses"]) && ends_with(&["buses", "nuses", "cuses"]));
    if has_extra_syllable {
        return cut(2, "");
    }
    match ends_with(&["s"]) && !ends_with(&["ss", "us", "is"]) && lower.len() > 1 {
        true => cut(1, ""),
        false => name.to_owned(),
    }
}

/// A component's name as that of one record: `InvoiceRead` as `invoice`.
pub(crate) fn from_component(name: &str) -> String {
    const ROLES: [&str; 12] = [
        "_response",
        "_schema",
        "_detail",
        "_public",
        "_base",
        "_read",
        "_full",
        "_model",
        "_dto",
        "_out",
        "_entity",
        "_resource",
    ];
    let mut snake = snake_case(name);
    while let Some(shorter) = ROLES.iter().find_map(|role| snake.strip_suffix(role)) {
        snake = shorter.to_owned();
    }
    snake
}

/// `invoiceLine`, `InvoiceLine` and `invoice-line` as `invoice_line`, `IPAddress` as `ip_address`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = None;
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        if matches!(c, '-' | ' ' | '.') {
            snake.push('_');
        } else {
            let begins_word = before.is_some_and(|before: char| {
                before.is_lowercase()
                    || before.is_numeric()
                    // The last capital of several is the next word's first.
                    || (before.is_uppercase() && goes_on(rest.as_str()))
            });
            if c.is_uppercase() && begins_word {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    snake
}

/// Whether small letters follow, and more of them than the `s` of `IDs`.
fn goes_on(rest: &str) -> bool {
    let end = rest.find(|c: char| !c.is_lowercase());
    let letters = &rest[..end.unwrap_or(rest.len())];
    !matches!(letters, "" | "s")
}

/// A name without what different spellings of it differ in: case, and what stands between words.
pub(crate) fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' ' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a path's word names something that is done, rather than a collection: `get_over_budget`.
pub(crate) fn is_action(name: &str) -> bool {
    const VERBS: [&str; 16] = [
        "get", "list", "create", "update", "delete", "search", "find", "fetch", "export", "import",
        "archive", "bulk", "count", "upload", "download", "validate",
    ];
    let snake = snake_case(name);
    VERBS.contains(&snake.split('_').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_have_their_singulars() {
        for (many, one) in [
            ("invoices", "invoice"),
            ("addresses", "address"),
            ("companies", "company"),
            ("notes", "note"),
            ("boxes", "box"),
            ("people", "person"),
            ("files", "file"),
            ("expenses", "expense"),
            ("houses", "house"),
            ("statuses", "status"),
            ("buses", "bus"),
            ("branches", "branch"),
            ("archives", "archive"),
            ("series", "series"),
            ("status", "status"),
            ("analyses", "analysis"),
            ("user_accounts", "user_account"),
            ("bank-accounts", "bank-account"),
            ("userAddresses", "userAddress"),
            ("Contacts", "Contact"),
            ("pies", "pie"),
            ("contact", "contact"),
            ("s", "s"),
            ("お客様", "お客様"),
        ] {
            assert_eq!(singular(many, &[]), one, "{many}");
        }
    }

    #[test]
    fn hints_decide_where_rules_are_unsure() {
        let hint = |one: &str| vec![one.to_owned()];
        assert_eq!(singular("movies", &hint("movie")), "movie");
        assert_eq!(singular("oxen", &hint("ox")), "ox");
        assert_eq!(singular("aliases", &hint("alias")), "alias");
        assert_eq!(singular("caches", &hint("cache")), "cache");
        // A parameter that names something else is no hint.
        assert_eq!(singular("transactions", &hint("account")), "transaction");
    }

    #[test]
    fn components_name_records() {
        assert_eq!(from_component("InvoiceLineRead"), "invoice_line");
        assert_eq!(from_component("simple-user"), "simple_user");
        assert_eq!(from_component("IPAddress"), "ip_address");
        assert_eq!(from_component("WirelessLANGroup"), "wireless_lan_group");
        assert_eq!(from_component("L2VPN"), "l2_vpn");
        assert_eq!(from_component("UserIDs"), "user_ids");
        assert_eq!(from_component("ContactResponseSchema"), "contact");
    }

    #[test]
    fn verbs_are_no_collections() {
        assert!(is_action("get_over_budget"));
        assert!(is_action("searchContacts"));
        assert!(!is_action("budgets"));
        assert!(!is_action("listings"));
    }
}
