//! Roles: who writes which fields, who sees which rows, and what leaves for whom.

use serde_json::{Value as Json, json};
use syncline_model::record::{Asker, RefusalCode, is_restricted, sees_everything, sight, visible};
use syncline_model::schema::Role;
use syncline_model::{Payload, Place, ServerSeq, fold};

use super::memory::{View, World, asker, offered};

fn entities() -> Json {
    json!([
        {
            "name": "accounts", "singular": "account", "key": "id", "mode": {"kind": "confirmed"},
            "fields": [{"name": "id", "kind": "text"}, {"name": "name", "kind": "text"}],
            "access": {"role_via": {"entity": "members", "entity_field": "account_id", "field": "id",
                "user_field": "user_id", "role_field": "role"}},
        },
        {
            "name": "deals", "singular": "deal", "key": "id", "mode": {"kind": "confirmed"},
            "fields": [
                {"name": "id", "kind": "text"}, {"name": "name", "kind": "text"},
                {"name": "price", "kind": "text"}, {"name": "secret", "kind": "text"},
                {"name": "closed", "kind": "boolean", "owner_only": true},
            ],
            "access": {
                "field_groups": {"money": ["price"], "hidden": ["secret"]},
                "role_permissions": {"viewer": ["money"], "owner": ["money", "hidden"]},
                "read_permissions": {"owner": ["hidden", "money"], "editor": ["money"], "viewer": ["money"]},
            },
        },
        {
            "name": "members", "singular": "member", "key": "id", "mode": {"kind": "confirmed"},
            "fields": [
                {"name": "id", "kind": "text"}, {"name": "account_id", "kind": "text"},
                {"name": "user_id", "kind": "text"}, {"name": "role", "kind": "text"},
            ],
        },
    ])
}

fn one(entity: &str, id: &str, action: &str, values: Json) -> Json {
    json!([{"entity": entity, "id": id, "action": action, "values": values}])
}

fn member(id: &str, account: &str, user: &str, role: &str) -> Json {
    one(
        "members",
        id,
        "create",
        json!({"account_id": account, "user_id": user, "role": role}),
    )
}

#[test]
fn who_may_not_write_what_gives_a_role_does_not_delete_it() {
    for guarded in [None, Some("role"), Some("account_id"), Some("user_id")] {
        let mut entities = entities();
        let fields = entities[2]["fields"].as_array_mut().unwrap();
        for field in fields {
            if Some(field["name"].as_str().unwrap()) == guarded {
                field["owner_only"] = json!(true);
            }
        }
        let mut world = World::new(entities);
        for (id, user) in [("m", "olga"), ("n", "nina")] {
            world.write(member(id, "a", user, "owner")).unwrap();
        }
        world
            .write(one("deals", "1", "create", json!({"closed": true})))
            .unwrap();
        let delete = |entity: &str, id: &str| one(entity, id, "delete", json!({}));
        let expected = guarded.map(|_| RefusalCode::ForbiddenField);
        let editor = asker("ed", Role::Editor);
        assert_eq!(
            world.code(&editor, delete("members", "m")),
            expected,
            "{guarded:?}"
        );
        let owner = asker("olga", Role::Owner);
        assert_eq!(world.code(&owner, delete("members", "n")), None);
        // What gives no role goes with all that it holds.
        assert_eq!(world.code(&editor, delete("deals", "1")), None);
    }
}

#[test]
fn groups_and_fields_of_owners_are_enforced_on_every_write() {
    let mut world = World::new(entities());
    let row = json!({"name": "n", "price": "1", "secret": "s", "closed": false});
    world.write(one("deals", "1", "create", row)).unwrap();
    let cases = [
        (Role::Viewer, "name", false),
        (Role::Viewer, "price", true),
        (Role::Viewer, "unheard_of", false),
        (Role::Editor, "name", true),
        (Role::Editor, "price", false),
        (Role::Editor, "closed", false),
        (Role::Editor, "unheard_of", true),
        (Role::Owner, "secret", true),
        (Role::Owner, "closed", true),
    ];
    for (role, column, may) in cases {
        let value = if column == "closed" {
            json!(true)
        } else {
            json!("new")
        };
        let writes = one("deals", "1", "update", json!({column: value}));
        let expected = (!may).then_some(RefusalCode::ForbiddenField);
        assert_eq!(
            world.code(&asker("u", role), writes),
            expected,
            "{role} {column}"
        );
    }
    let viewer = asker("v", Role::Viewer);
    let forbidden = Some(RefusalCode::Forbidden);
    assert_eq!(
        world.code(&viewer, one("deals", "1", "delete", json!({}))),
        forbidden
    );
    assert_eq!(
        world.code(&viewer, one("deals", "2", "create", json!({}))),
        forbidden
    );
    let editor = asker("e", Role::Editor);
    let with_price = one("deals", "2", "create", json!({"price": "3"}));
    assert_eq!(
        world.code(&editor, with_price),
        Some(RefusalCode::ForbiddenField)
    );
    let whole = one(
        "deals",
        "1",
        "update",
        json!({"name": "m", "price": "1", "closed": false}),
    );
    assert_eq!(world.code(&editor, whole), None);
}

#[test]
fn a_value_that_may_not_be_read_can_not_be_guessed_by_writing_it() {
    let mut world = World::new(entities());
    world
        .write(one("deals", "1", "create", json!({"secret": "s"})))
        .unwrap();
    let editor = asker("e", Role::Editor);
    for guess in ["s", "t"] {
        let code = world.code(
            &editor,
            one("deals", "1", "update", json!({"secret": guess})),
        );
        assert_eq!(code, Some(RefusalCode::ForbiddenField), "{guess}");
    }
}

#[test]
fn who_makes_an_account_and_its_first_membership_in_one_op_has_that_membership() {
    let mut world = World::new(entities());
    let ann = asker("ann", Role::Editor);
    let account = one("accounts", "a", "create", json!({"name": "A"}));
    assert_eq!(
        world.code(&ann, account.clone()),
        Some(RefusalCode::Forbidden)
    );
    let both = json!([account[0], member("m", "a", "ann", "owner")[0]]);
    world.offer(&ann, &offered(both)).unwrap();
    let rename = one("accounts", "a", "update", json!({"name": "B"}));
    assert_eq!(
        world.code(&asker("bob", Role::Owner), rename.clone()),
        Some(RefusalCode::NotFound)
    );
    assert_eq!(world.code(&ann, rename.clone()), None);
    world.write(member("m2", "a", "bob", "viewer")).unwrap();
    let bob = asker("bob", Role::Owner);
    assert_eq!(world.code(&bob, rename), Some(RefusalCode::ForbiddenField));
}

/// The view of somebody who gets what they may see of a log.
fn view_of(world: &mut World, asker: &Asker) -> (View, String) {
    let mut view = View::default();
    let mut text = String::new();
    for (n, (key, payload)) in world.log.iter().enumerate() {
        let Ok(seen) = visible(world.rulebook.schema(), asker, &mut world.view, payload);
        let seen = seen.unwrap_or_else(|| payload.clone());
        text.push_str(seen.as_str());
        let place = Place::Confirmed(ServerSeq(n as u64 + 1));
        let Ok(_) = fold(&mut view, key, Some(&seen), place);
    }
    (view, text)
}

#[test]
fn a_column_that_a_role_may_not_read_never_leaves_for_it() {
    let mut world = World::new(entities());
    let row = json!({"name": "n", "price": "1", "secret": "canary-1"});
    world.write(one("deals", "1", "create", row)).unwrap();
    world
        .write(json!([{"entity": "deals", "id": "1", "action": "update",
        "values": {"secret": "canary-2"}, "base": {"secret": "canary-0"}}]))
        .unwrap();
    for role in [Role::Viewer, Role::Editor] {
        let who = asker("u", role);
        let (view, text) = view_of(&mut world, &who);
        assert!(
            !text.contains("canary") && text.contains("\"price\""),
            "{role}: {text}"
        );
        let columns = json!({"id": "1", "name": "n", "price": "1"});
        assert_eq!(view.columns("deals", "1"), Some(columns));
        assert!(!sees_everything(Some(world.rulebook.schema()), &who));
    }
    let refused = one("deals", "1", "update", json!({"secret": "x"}));
    let refusal = world
        .decide(&asker("u", Role::Editor), &offered(refused))
        .unwrap_err();
    assert!(!format!("{refusal} {}", refusal.details()).contains("canary"));
}

#[test]
fn a_row_comes_and_goes_with_membership_and_a_restricted_payload_says_so() {
    let mut world = World::new(entities());
    world
        .write(json!([
            one("accounts", "a", "create", json!({"name": "A"}))[0],
            member("m1", "a", "olga", "owner")[0]
        ]))
        .unwrap();
    let bob = asker("bob", Role::Editor);
    let Ok(before) = sight(&mut world.view, Some(world.rulebook.schema()), &bob);
    let (view, text) = view_of(&mut world, &bob);
    assert_eq!(view.columns("accounts", "a"), None);
    assert!(!text.contains("\"name\""), "{text}");
    let Ok(seen) = visible(
        world.rulebook.schema(),
        &bob,
        &mut world.view,
        &world.log[0].1,
    );
    assert!(is_restricted(&seen.unwrap()));
    world.write(member("m2", "a", "bob", "viewer")).unwrap();
    let Ok(after) = sight(&mut world.view, Some(world.rulebook.schema()), &bob);
    assert_ne!(before, after);
    let (view, _) = view_of(&mut world, &bob);
    assert_eq!(view.columns("accounts", "a").unwrap()["name"], "A");
}

#[test]
fn what_was_never_decided_leaves_for_nobody_whose_sight_is_restricted() {
    let mut world = World::new(entities());
    let op = offered(one("deals", "1", "create", json!({"secret": "canary"})));
    let key = world.key(&op);
    world.append(key, op.payload().unwrap());
    let other = offered(one("deals", "2", "create", json!({})));
    let key = world.key(&other);
    let newer = r#"{"decided":"in another way","secret":"canary"}"#;
    world.append(key, Payload::parse(newer).unwrap());
    let (_, text) = view_of(&mut world, &asker("u", Role::Editor));
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn what_a_writer_claims_to_have_read_tells_nothing_of_a_column_that_it_may_not_read() {
    let mut world = World::new(entities());
    let row = json!({"name": "n", "price": "1", "secret": "s", "closed": false});
    world.write(one("deals", "1", "create", row)).unwrap();
    let editor = asker("e", Role::Editor);
    // The second write keeps the first from being done.
    let guess = |secret: &str| {
        json!([
            {"entity": "deals", "id": "1", "action": "delete", "base": {"secret": secret}},
            {"entity": "deals", "id": "none", "action": "update", "values": {"name": "x"}},
        ])
    };
    let told = |world: &mut World, secret: &str| {
        let refused = world.decide(&editor, &offered(guess(secret)));
        refused.unwrap_err().details()
    };
    assert_eq!(told(&mut world, "s"), told(&mut world, "wrong"));
    let seen = json!([{"entity": "deals", "id": "1", "action": "delete", "base": {"name": "old"}}]);
    let refused = world.decide(&editor, &offered(seen)).unwrap_err();
    assert_eq!(refused.code, RefusalCode::Conflict);
}

#[test]
fn what_a_write_overwrites_unread_is_kept_and_tells_its_writer_nothing() {
    for strategy in ["server_wins", "last_write_wins", "reject"] {
        let mut entities = entities();
        entities[1]["conflict"] = json!(strategy);
        entities[1]["access"]["role_permissions"]["editor"] = json!(["hidden"]);
        let mut world = World::new(entities);
        let row = json!({"name": "n", "secret": "held"});
        world.write(one("deals", "1", "create", row)).unwrap();
        let editor = asker("e", Role::Editor);
        let write = |base: &str| {
            json!([{"entity": "deals", "id": "1", "action": "update",
                "values": {"secret": "new"}, "base": {"secret": base}}])
        };
        let mut lost = |base: &str| {
            let decision = world.decide(&editor, &offered(write(base))).unwrap();
            let row = &decision.decided[0];
            assert_eq!(row.values["secret"], "new", "{strategy}");
            row.lost.get("secret").map(|lost| lost.theirs.clone())
        };
        assert_eq!(lost("held"), None);
        assert_eq!(lost("wrong"), Some(json!("held")), "{strategy}");
    }
}

#[test]
fn who_writes_nothing_of_an_entity_changes_nothing_of_it_either() {
    let mut world = World::new(entities());
    let row = json!({"name": "n", "price": "1"});
    world.write(one("deals", "1", "create", row)).unwrap();
    world
        .write(one("members", "m", "create", json!({})))
        .unwrap();
    let viewer = asker("v", Role::Viewer);
    let nothing = |entity: &str, id: &str| one(entity, id, "update", json!({}));
    assert_eq!(
        world.code(&viewer, nothing("members", "m")),
        Some(RefusalCode::Forbidden)
    );
    let has_a_group = world.code(&viewer, nothing("deals", "1"));
    assert_eq!(has_a_group, None);
}
