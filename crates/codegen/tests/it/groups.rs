//! Groups of fields, and who reads them.

use syncline_model::schema::Role;

use crate::sample::{entity, notes, told};

#[test]
fn a_group_that_nobody_reads_is_told_of_and_so_is_one_that_is_written_unread() {
    let told_of = |permissions: &str| {
        let rbac = format!("x-rbac: {{ field_groups: {{ own: [name] }}, {permissions} }}");
        told(&notes(&[&rbac], &["name: { type: string }"]))
    };
    for (permissions, expected) in [
        ("role_permissions: { owner: [own] }", &[][..]),
        ("read_permissions: { owner: [own] }", &[]),
        ("read_permissions: { owner: [] }", &["unread_group"]),
        (
            "role_permissions: { editor: [own], owner: [own] }, read_permissions: { owner: [own] }",
            &["unread_group"],
        ),
        (
            "role_permissions: { editor: [own], owner: [own] }, read_permissions: { editor: [own], owner: [own] }",
            &[],
        ),
    ] {
        assert_eq!(told_of(permissions), expected, "{permissions}");
    }
}

#[test]
fn the_guide_s_example_of_groups_says_what_it_is_to_say() {
    let guide = include_str!("../../../../docs/guide/openapi-extensions.md");
    let from = guide.find("x-rbac:\n").expect("the guide has an example");
    let example = guide[from..].split("```").next().expect("it ends");
    let lines: Vec<_> = example
        .lines()
        .filter(|line| !line.contains("role_via"))
        .collect();
    let fields =
        ["name", "currency", "credit_limit"].map(|name| format!("{name}: {{ type: string }}"));
    let document = notes(&lines, &fields.each_ref().map(String::as_str));
    assert_eq!(told(&document), [""; 0]);
    let note = entity(&document);
    for (role, read) in [
        (Role::Viewer, &["name", "currency"][..]),
        (Role::Editor, &["name", "currency"]),
        (Role::Owner, &["name", "currency", "credit_limit"]),
    ] {
        let names = ["name", "currency", "credit_limit"].into_iter();
        let seen: Vec<_> = names.filter(|name| note.may_read(role, name)).collect();
        assert_eq!(seen, read, "{role:?}");
    }
}
