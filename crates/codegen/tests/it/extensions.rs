//! What the extensions mean, and what is refused.

use std::collections::BTreeMap;

use syncline_codegen::{Code, Diagnostic};
use syncline_model::schema::{Conflict, Role, WriteMode};

use crate::sample::{LIST, entity, errors, notes, resolve, told};

fn mode(extensions: &[&str]) -> WriteMode {
    entity(&notes(extensions, &["name: { type: string }"])).mode
}

/// The errors of a collection of notes with these extensions, which begin on line 4.
fn refused(extensions: &[&str]) -> Vec<String> {
    errors(&notes(
        extensions,
        &[
            "name: { type: string }",
            "draft: { type: string, x-sync-exclude: true }",
        ],
    ))
}

#[test]
fn every_way_to_say_a_mode() {
    assert_eq!(mode(&[]), WriteMode::Confirmed);
    assert_eq!(mode(&["x-sync: {}"]), WriteMode::Confirmed);
    assert_eq!(
        mode(&["x-sync: { local_first: true }"]),
        WriteMode::Optimistic
    );
    assert_eq!(
        mode(&["x-sync: { local_first: false }"]),
        WriteMode::Confirmed
    );
    for name in ["local_first", "realtime", "offline"] {
        assert_eq!(
            mode(&[&format!("x-sync: {{ mode: {name} }}")]),
            WriteMode::Optimistic
        );
        assert_eq!(
            mode(&[&format!("x-sync-mode: {name}")]),
            WriteMode::Optimistic
        );
    }
    assert_eq!(mode(&["x-sync: { mode: api }"]), WriteMode::Confirmed);
    assert_eq!(mode(&["x-sync-mode: api"]), WriteMode::Confirmed);
    for (ttl, ttl_seconds) in [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("12h", 43_200),
        ("7d", 604_800),
    ] {
        let cache = WriteMode::Cache { ttl_seconds };
        assert_eq!(
            mode(&[&format!("x-sync: {{ mode: cache, ttl: {ttl} }}")]),
            cache
        );
    }
    // Saying it twice alike is no contradiction.
    assert_eq!(
        mode(&[
            "x-sync: { local_first: true, mode: offline }",
            "x-sync-mode: realtime"
        ]),
        WriteMode::Optimistic
    );
}

#[test]
fn an_operation_says_more_than_its_path() {
    let document = notes(&["x-sync: { local_first: true }"], &[])
        .replace("get: {", "get: { x-sync: { local_first: false },");
    assert_eq!(entity(&document).mode, WriteMode::Confirmed);
    assert_eq!(told(&document), ["contradiction"]);
    // An operation alone is enough, whichever it is.
    let document = notes(&[], &[]).replace("get: {", "get: { x-sync-mode: offline,");
    assert_eq!(entity(&document).mode, WriteMode::Optimistic);
    // Two operations that disagree leave nothing to choose from.
    let document = notes(&["post: { x-sync-mode: api }"], &[])
        .replace("get: {", "get: { x-sync-mode: offline,");
    assert_eq!(errors(&document), ["4:13: contradiction"]);
}

#[test]
fn modes_that_contradict_or_do_not_exist_are_refused() {
    for (extensions, found) in [
        (
            vec!["x-sync: { local_first: true, mode: api }"],
            "4:34: contradiction",
        ),
        (
            vec!["x-sync: { local_first: true, mode: cache, ttl: 9 }"],
            "4:34: contradiction",
        ),
        (
            vec!["x-sync: { local_first: true }", "x-sync-mode: api"],
            "5:5: contradiction",
        ),
        (
            vec!["x-sync: { local_first: true, ttl: 9 }"],
            "4:34: contradiction",
        ),
        (vec!["x-sync: { ttl: 9 }"], "4:15: contradiction"),
        (vec!["x-sync: { mode: cache }"], "4:15: extension"),
        (
            vec!["x-sync: { mode: cache, ttl: soon }"],
            "4:28: extension",
        ),
        (vec!["x-sync: { mode: cache, ttl: 0 }"], "4:28: extension"),
        (vec!["x-sync: { mode: sometimes }"], "4:15: unknown_mode"),
        (vec!["x-sync-mode: optimistic"], "4:5: unknown_mode"),
        (vec!["x-sync: { local_first: 'true' }"], "4:15: extension"),
        (vec!["x-sync: { local_frist: true }"], "4:15: extension"),
        (vec!["x-sync: true"], "4:5: extension"),
        (vec!["x-sync: { where: '' }"], "4:15: extension"),
        (vec!["x-conflict: mine_wins"], "4:5: unknown_conflict"),
    ] {
        assert_eq!(refused(&extensions), [found], "{extensions:?}");
    }
}

#[test]
fn a_subset_and_a_strategy_are_taken_as_they_stand() {
    let note = entity(&notes(
        &["x-sync: { where: \"name = 'x'\" }", "x-conflict: reject"],
        &["name: { type: string }"],
    ));
    assert_eq!(note.subset.as_deref(), Some("name = 'x'"));
    assert_eq!(note.conflict, Conflict::Reject);
    assert_eq!(entity(&notes(&[], &[])).conflict, Conflict::ServerWins);
}

#[test]
fn a_subset_that_shapes_would_refuse_is_told_of_where_it_stands() {
    for text in ["nope = 1", "name = 1 +", "name < 5", "draft = 'x'"] {
        let extension = format!("x-sync: {{ where: \"{text}\" }}");
        assert_eq!(refused(&[&extension]), ["4:15: extension"], "{text}");
    }
    let diagnostics = resolve(&notes(&["x-sync: { where: \"id = 1 or\" }"], &[])).diagnostics;
    let message = &diagnostics[0].message;
    assert!(message.ends_with("at its character 10"), "{message}");
    let restricted =
        "x-rbac: { field_groups: { own: [name] }, read_permissions: { owner: [own] } }";
    let subset = "x-sync: { where: \"name = 'x'\" }";
    let document = notes(&[subset, restricted], &["name: { type: string }"]);
    assert_eq!(told(&document), ["contradiction", "contradiction"]);
}

#[test]
fn groups_and_roles_are_checked() {
    let note = entity(&notes(
        &[
            "x-rbac: { field_groups: { basic: [name] }, role_permissions: { editor: [basic], viewer: [] }, read_permissions: { owner: [basic] } }",
        ],
        &["name: { type: string }"],
    ));
    let access = note.access;
    assert_eq!(
        access.field_groups,
        BTreeMap::from([("basic".to_owned(), vec!["name".to_owned()])])
    );
    assert_eq!(access.role_permissions[&Role::Editor], ["basic"]);
    assert_eq!(access.role_permissions[&Role::Viewer], [""; 0]);
    assert_eq!(access.read_permissions.unwrap()[&Role::Owner], ["basic"]);
    for (rbac, found) in [
        ("{ field_groups: { basic: [nmae] } }", "4:39: unknown_field"),
        (
            "{ field_groups: { basic: [draft] } }",
            "4:39: excluded_field",
        ),
        ("{ field_groups: { basic: name } }", "4:31: extension"),
        (
            "{ role_permissions: { editor: [basic] } }",
            "4:44: unknown_group",
        ),
        (
            "{ read_permissions: { editor: [basic] } }",
            "4:44: unknown_group",
        ),
        ("{ role_permissions: { admin: [] } }", "4:35: unknown_role"),
        ("{ role_permisions: { editor: [] } }", "4:15: extension"),
        ("[basic]", "4:5: extension"),
    ] {
        assert_eq!(refused(&[&format!("x-rbac: {rbac}")]), [found], "{rbac}");
    }
}

#[test]
fn an_extension_that_would_be_passed_over_is_refused() {
    // A slip that would send a private field, or leave one to everybody.
    for (property, found) in [
        (
            "x: { type: string, x-sync-excluded: true }",
            "11:28: unknown_extension",
        ),
        (
            "x: { type: string, x-owner: true }",
            "11:28: unknown_extension",
        ),
        (
            "x: { type: string, X-Sync-Exclude: true }",
            "11:28: unknown_extension",
        ),
        (
            "x: { type: string, x-sync-exclude: 'yes' }",
            "11:28: extension",
        ),
        ("x: { type: string, x-owner-only: 1 }", "11:28: extension"),
    ] {
        assert_eq!(errors(&notes(&[], &[property])), [found], "{property}");
    }
    assert_eq!(
        refused(&["x-sync-exclude: true"]),
        ["4:5: unknown_extension"]
    );
    assert_eq!(refused(&["x-synced: true"]), ["4:5: unknown_extension"]);
    // Those of others are not ours to judge.
    assert_eq!(
        refused(&["x-amazon-thing: true", "x-ui-type: card"]),
        [""; 0]
    );
}

#[test]
fn unique_fields_are_named_alone_or_in_sets() {
    let note = entity(&notes(
        &["x-unique: [[name, owner], [name]]"],
        &[
            "name: { type: string, x-unique: true }",
            "owner: { type: string, x-unique: false }",
        ],
    ));
    assert_eq!(note.unique, [vec!["name"], vec!["name", "owner"]]);
    for (unique, found) in [
        ("[[nmae]]", "4:17: unknown_field"),
        ("[[draft]]", "4:17: excluded_field"),
        ("[[name, name]]", "4:23: extension"),
        ("[name, id]", "4:16: extension"),
        ("[[]]", "4:16: extension"),
        ("name", "4:5: extension"),
    ] {
        let errors = refused(&[&format!("x-unique: {unique}")]);
        assert_eq!(errors.first().map(String::as_str), Some(found), "{unique}");
    }
}

#[test]
fn repeating_an_extension_is_no_contradiction_unless_it_differs() {
    let item = |conflict: &str| {
        let document = notes(&["x-conflict: reject"], &[]);
        document.replace(
            "components:",
            &format!("  /notes/{{id}}:\n    x-conflict: {conflict}\n    get: {LIST}\ncomponents:"),
        )
    };
    assert_eq!(entity(&item("reject")).conflict, Conflict::Reject);
    assert_eq!(errors(&item("server_wins")), ["7:5: contradiction"]);
}

/// Notes of accounts, with memberships of accounts.
fn shared_notes(role_via: &str, membership: &str) -> String {
    notes(
        &[&format!("x-rbac: {{ role_via: {role_via} }}")],
        &["account_id: { type: string, format: uuid }", "team_id: { type: string }"],
    )
    .replace(
        "components:\n  schemas:\n",
        &format!(
            "  /members: {{ get: {} }}\ncomponents:\n  schemas:\n    Member: {{ properties: {{ id: {{ type: string }}, user_id: {{ type: string }}, role: {{ type: string }}, {membership} }} }}\n",
            LIST.replace("Note", "Member")
        ),
    )
}

#[test]
fn roles_by_membership_are_joined_by_name_or_in_full() {
    let via = |role_via: &str, membership: &str| {
        let resolution = resolve(&shared_notes(role_via, membership));
        assert!(!resolution.has_errors(), "{:#?}", resolution.diagnostics);
        let via = resolution
            .schema
            .entity("notes")
            .unwrap()
            .access
            .role_via
            .clone();
        let via = via.unwrap();
        [
            via.entity,
            via.entity_field,
            via.field,
            via.user_field,
            via.role_field,
        ]
    };
    let account = "account_id: { type: string, format: uuid }";
    let note = "note_id: { type: string, format: uuid }";
    assert_eq!(
        via("members.role", account),
        ["members", "account_id", "account_id", "user_id", "role"]
    );
    assert_eq!(
        via("members.role", note),
        ["members", "note_id", "id", "user_id", "role"]
    );
    // What names the record itself says more than what both name.
    assert_eq!(
        via("members.role", &format!("{account}, {note}"))[1],
        "note_id"
    );
    let long = "{ entity: members, entity_field: account_id, field: account_id }";
    assert_eq!(
        via(long, account),
        ["members", "account_id", "account_id", "user_id", "role"]
    );
    let long = "{ entity: members, entity_field: note, user_field: who, role_field: level }";
    let fields = "note: { type: string }, who: { type: string }, level: { type: string }";
    assert_eq!(via(long, fields), ["members", "note", "id", "who", "level"]);
}

#[test]
fn memberships_that_editors_could_write_for_themselves_are_told_of() {
    let escalations = |document: &str| {
        let diagnostics = resolve(document).diagnostics;
        let of = |one: &&Diagnostic| one.code == Code::ESCALATION;
        let told = diagnostics.iter().filter(of);
        told.map(|one| format!("{}: {}", one.line, one.message))
            .collect::<Vec<_>>()
    };
    let owners = |property: &str| format!("{property}: {{ type: string, x-owner-only: true }}");
    let open = shared_notes("members.role", "note_id: { type: string }");
    let told = escalations(&open);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("4: editors may write `note_id`, `user_id`, `role` of `members`"),
        "{told:?}"
    );
    let half = open.replace("role: { type: string }", &owners("role"));
    assert!(escalations(&half)[0].contains("write `note_id`, `user_id` of"));
    let closed = ["user_id", "note_id"].iter().fold(half, |text, name| {
        text.replace(&format!("{name}: {{ type: string }}"), &owners(name))
    });
    assert_eq!(escalations(&closed), [""; 0]);
}

#[test]
fn roles_by_membership_that_leave_a_doubt_are_refused() {
    let account = "account_id: { type: string, format: uuid }";
    for (role_via, membership, found) in [
        ("members.role", "other_id: { type: string }", "extension"),
        (
            "members.role",
            "account_id: { type: string, format: uuid }, team_id: { type: string }",
            "extension",
        ),
        ("members.level", account, "unknown_field"),
        ("people.role", account, "unknown_entity"),
        ("members", account, "extension"),
        ("[members]", account, "extension"),
        ("{ entity: members }", account, "extension"),
        (
            "{ entity: members, entity_field: nope }",
            account,
            "unknown_field",
        ),
        (
            "{ entity: members, entity_field: account_id, field: nope }",
            account,
            "unknown_field",
        ),
        (
            "{ entity: members, entity_field: account_id, role: role }",
            account,
            "extension",
        ),
    ] {
        let found_errors = errors(&shared_notes(role_via, membership));
        assert_eq!(found_errors.len(), 1, "{role_via}: {found_errors:?}");
        assert!(
            found_errors[0].starts_with("4:") && found_errors[0].ends_with(found),
            "{role_via}: {found_errors:?}"
        );
    }
}
