use super::*;

/// What the compiler says of a struct, or the words of what is written for it.
fn expanded(text: &str) -> std::result::Result<String, String> {
    let input: DeriveInput = syn::parse_str(text).unwrap();
    let tokens = expand(&input).map_err(|error| error.to_string())?;
    Ok(tokens.to_string())
}

fn refusal(text: &str) -> String {
    expanded(text).unwrap_err()
}

#[test]
fn what_is_wrong_does_not_compile_and_says_why() {
    let entity = |attributes: &str| {
        format!(
            "#[entity({attributes})] struct A {{ id: i32, #[field(group = \"g\")] b: String, #[field(sync_exclude)] c: String }}"
        )
    };
    for (text, why) in [
        (entity(""), "an entity needs the name of its collection: #[entity(name = \"contacts\")]"),
        (entity("nmae = \"as\""), "an entity has no `nmae`"),
        (entity("name = \"\""), "this is empty"),
        (entity("name = \"as\", mode = \"sometimes\""), "there is no `sometimes`, but local_first, realtime, offline, api, cache"),
        (entity("name = \"as\", local_first, mode = \"api\""), "an entity has one mode"),
        (entity("name = \"as\", mode = \"cache\""), "a cache needs its `ttl_seconds`"),
        (entity("name = \"as\", local_first, ttl_seconds = 9"), "`ttl_seconds` says nothing"),
        (entity("name = \"as\", conflict = \"mine\""), "there is no `mine`, but server_wins, last_write_wins, reject"),
        (entity("name = \"as\", unique(b, d)"), "there is no field `d`"),
        (entity("name = \"as\", unique(c)"), "`c` never reaches the server"),
        (entity("name = \"as\", key = \"d\""), "there is no field `d`"),
        (entity("name = \"as\", key = \"c\""), "the key must reach the server"),
        (entity("name = \"as\", role_permissions(admin(g))"), "there is no `admin`, but viewer, editor, owner"),
        (entity("name = \"as\", role_permissions(editor(h))"), "no field is in the group `h`"),
        (entity("name = \"as\", read_permissions(editor(g), editor())"), "this role is here twice"),
        (entity("name = \"as\", role_via(entity = \"m\")"), "`role_via` needs `entity_field`"),
        (entity("name = \"as\", role_via(enity = \"m\")"), "there is no `enity`"),
        ("#[entity(name = \"as\")] enum A { B }".to_owned(), "only a struct is an entity"),
        ("#[entity(name = \"as\")] struct A(i32);".to_owned(), "the fields of an entity have names"),
        ("#[entity(name = \"as\")] struct A<T> { id: T }".to_owned(), "an entity has no parameters"),
        ("#[entity(name = \"as\")] struct A { b: i32 }".to_owned(), "an entity needs its key: there is no field `id`"),
        ("#[entity(name = \"as\")] struct A { #[field(sync_excluded)] id: i32 }".to_owned(), "a field has no `sync_excluded`"),
        ("#[entity(name = \"as\")] struct A { id: i32, #[field(rename = \"id\")] b: i32 }".to_owned(), "there are two fields `id`"),
        ("#[entity(name = \"as\")] struct A { id: i32, #[field(sync_exclude, owner_only)] b: i32 }".to_owned(), "has no `owner_only`"),
        ("#[entity(name = \"as\")] #[serde(rename_all = \"camelCase\")] struct A { id: i32 }".to_owned(), "serde's `rename_all`"),
        ("#[entity(name = \"as\")] struct A { id: i32, #[serde(skip)] b: i32 }".to_owned(), "serde's `skip`"),
        ("#[entity(name = \"as\")] struct A { id: i32, #[serde(default, flatten)] b: i32 }".to_owned(), "serde's `flatten`"),
        ("#[entity(name = \"as\")] struct A { id: i32, #[serde(rename = \"c\")] #[field(rename = \"d\")] b: i32 }".to_owned(), "serde calls this field `c`"),
        ("#[entity(name = \"as\")] struct A { id: i32, #[field(default = f())] b: i32 }".to_owned(), "expected a literal"),
        ("#[entity(name = \"as\")] struct A { id: i32, #[field(minimum = \"x\")] b: i32 }".to_owned(), "expected a number"),
    ] {
        let message = refusal(&text);
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn what_is_said_of_one_value_is_held_against_the_type() {
    for (attributes, words) in [
        ("decimal", "decimal"),
        ("one_of(\"a\", \"b\")", "one_of"),
        ("format = \"email\"", "format"),
        ("pattern = \"^a\"", "pattern"),
        ("min_length = 1, max_length = 2", "min_length max_length"),
        ("minimum = 0, maximum = 9", "minimum maximum"),
        ("default = \"a\"", "default"),
        (
            "owner_only, group = \"g\", references = \"bs\", unique, rename = \"c\"",
            "",
        ),
    ] {
        let text = format!(
            "#[entity(name = \"as\")] struct A {{ id: i32, #[field({attributes})] b: Tags }}"
        );
        let written = expanded(&text).unwrap();
        let asserted = written.split("a list has no `").skip(1);
        let asserted: Vec<_> = asserted
            .map(|text| text.split('`').next().unwrap())
            .collect();
        assert_eq!(asserted.join(" "), words);
        assert_eq!(written.matches("IS_LIST").count(), asserted.len());
    }
}

#[test]
fn names_follow_the_type_and_its_fields() {
    let text = "#[entity(name = \"user_accounts\")] struct UserAccount { id: i32, r#type: String }";
    let written = expanded(text).unwrap();
    assert!(written.contains("\"user_account\""), "{written}");
    assert!(written.contains("\"type\""), "{written}");
    let text = "#[entity(name = \"as\")] #[serde(deny_unknown_fields)] struct A { id: i32, \
                #[serde(rename = \"userId\", default, skip_serializing_if = \"Option::is_none\")] user: Option<i32> }";
    let written = expanded(text).unwrap();
    assert!(
        written.contains("\"userId\"") && !written.contains("\"user\""),
        "{written}"
    );
}
