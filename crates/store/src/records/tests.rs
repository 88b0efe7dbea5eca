use rusqlite::Connection;
use serde_json::{Value as Json, json};
use syncline_model::UserId;
use syncline_model::record::{Asker, Held, RECORDS, Record, Records, resource_of};
use syncline_model::schema::{Entity, Role, Schema};

use super::*;
use crate::schema::create;

mod subset;

fn world() -> (Connection, Schema) {
    let schema = json!({"entities": [
        {"name": "it's", "singular": "it", "key": "id", "mode": {"kind": "optimistic"},
         "unique": [["a\"b'c"]],
         "fields": [
            {"name": "id", "kind": "int64"}, {"name": "a\"b'c", "kind": "text"},
            {"name": "n", "kind": "int64"}, {"name": "price", "kind": "decimal"},
            {"name": "done", "kind": "boolean"}, {"name": "hidden", "kind": "text"},
            {"name": "local", "kind": "text", "sync_exclude": true},
         ],
         "access": {"field_groups": {"g": ["hidden"]}, "read_permissions": {"owner": ["g"]}}},
        {"name": "members", "singular": "member", "key": "id", "mode": {"kind": "optimistic"},
         "fields": [{"name": "id", "kind": "text"}, {"name": "of", "kind": "text"},
            {"name": "user", "kind": "text"}, {"name": "role", "kind": "text"}]},
        {"name": "teams", "singular": "team", "key": "id", "mode": {"kind": "optimistic"},
         "fields": [{"name": "id", "kind": "text"}],
         "access": {"role_via": {"entity": "members", "entity_field": "of", "field": "id",
            "user_field": "user", "role_field": "role"}}},
    ]});
    let connection = Connection::open_in_memory().unwrap();
    create(&connection).unwrap();
    register(&connection).unwrap();
    (connection, serde_json::from_value(schema).unwrap())
}

fn put(connection: &Connection, entity: &str, id: &str, columns: &Json) {
    let resource = resource_of(entity, id).unwrap();
    let sql = format!(
        "INSERT INTO {} VALUES (?, ?, ?, 0, 1, ?, '[]')",
        RECORDS.name
    );
    let row = (resource.as_str(), entity, id, columns.to_string());
    connection.execute(&sql, row).unwrap();
}

fn rows() -> (Connection, Schema) {
    let (connection, schema) = world();
    for (id, columns) in [
        (
            "9",
            json!({"a\"b'c": "x", "n": 2, "price": "10.5", "done": true}),
        ),
        (
            "10",
            json!({"a\"b'c": "y", "n": null, "price": "9.25", "done": false}),
        ),
        ("11", json!({"a\"b'c": "Xyz", "n": 2, "price": "100"})),
        ("12", json!({"a\"b'c": "z", "n": 1, "price": "9.250"})),
    ] {
        put(&connection, "it's", id, &columns);
    }
    (connection, schema)
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| &*record.id).collect()
}

/// The first so many records of all.
fn first(limit: usize) -> ListQuery<'static> {
    ListQuery {
        asker: None,
        subset: None,
        conditions: &[],
        order: &[],
        after: None,
        limit,
    }
}

/// Reads a list page by page, and as one page; both are alike.
fn listed(
    connection: &Connection,
    entity: &Entity,
    conditions: &[Condition],
    order: &[Order],
) -> Vec<String> {
    let read = |limit, after: Option<&PageCursor>| {
        let query = ListQuery {
            conditions,
            order,
            after,
            ..first(limit)
        };
        list(connection, entity, &query).unwrap()
    };
    let whole = read(100, None);
    assert_eq!(whole.next, None);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = read(1, after.as_ref());
        paged.extend(page.records);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(ids(&paged), ids(&whole.records));
    paged.into_iter().map(|record| record.id).collect()
}

#[test]
fn a_list_is_narrowed_and_ordered_by_what_its_fields_mean() {
    let (connection, schema) = rows();
    let entity = schema.entity("it's").unwrap();
    let by = |column: &str, direction| Order {
        column: column.to_owned(),
        direction,
    };
    let rising = |column| listed(&connection, entity, &[], &[by(column, Direction::Rising)]);
    assert_eq!(
        listed(&connection, entity, &[], &[]),
        ["9", "10", "11", "12"]
    );
    assert_eq!(rising("n"), ["10", "12", "9", "11"]);
    assert_eq!(rising("price"), ["10", "12", "9", "11"]);
    let falling = [by("n", Direction::Falling), by("price", Direction::Falling)];
    assert_eq!(
        listed(&connection, entity, &[], &falling),
        ["11", "9", "12", "10"]
    );
    let narrowed = |column: &str, test| {
        let condition = Condition {
            column: column.to_owned(),
            test,
        };
        listed(&connection, entity, &[condition], &[])
    };
    assert_eq!(narrowed("a\"b'c", Test::Is(json!("x"))), ["9"]);
    assert_eq!(
        narrowed("a\"b'c", Test::Contains("X".to_owned())),
        ["9", "11"]
    );
    assert_eq!(narrowed("n", Test::IsNull), ["10"]);
    assert_eq!(narrowed("n", Test::IsNot(json!(2))), ["12"]);
    assert_eq!(narrowed("n", Test::OneOf(vec![json!(1), json!(7)])), ["12"]);
    assert_eq!(narrowed("price", Test::Is(json!("9.250"))), ["10", "12"]);
    assert_eq!(narrowed("price", Test::More(json!("9.3"))), ["9", "11"]);
    assert_eq!(narrowed("done", Test::Is(json!(true))), ["9"]);
    assert_eq!(
        narrowed("id", Test::AtLeast(json!(10))),
        Vec::<String>::new()
    );
}

#[test]
fn nobody_asks_by_what_they_may_not_read() {
    let (connection, schema) = rows();
    let entity = schema.entity("it's").unwrap();
    let ask = |role, column: &str| {
        let asker = Asker {
            user: UserId::new("u").unwrap(),
            role,
        };
        let order = [Order {
            column: column.to_owned(),
            direction: Direction::Rising,
        }];
        let query = ListQuery {
            asker: Some(&asker),
            order: &order,
            ..first(1)
        };
        list(&connection, entity, &query).map(|_| ())
    };
    assert!(matches!(
        ask(Role::Editor, "hidden"),
        Err(FilterError::Unreadable { .. })
    ));
    assert!(ask(Role::Owner, "hidden").is_ok());
    assert!(matches!(
        ask(Role::Owner, "local"),
        Err(FilterError::UnknownColumn { .. })
    ));
    assert!(matches!(
        ask(Role::Owner, "x') --"),
        Err(FilterError::UnknownColumn { .. })
    ));
    let mut shared = schema.entity("teams").unwrap().clone();
    let access = json!({"field_groups": {"g": ["id2"]}, "role_via": shared.access.role_via,
        "read_permissions": {"viewer": ["g"], "owner": ["g"]}});
    shared.access = serde_json::from_value(access).unwrap();
    let secret = json!({"name": "id2", "kind": "text"});
    shared.fields.push(serde_json::from_value(secret).unwrap());
    // By membership one may be the editor of some, who does not read it.
    assert!(matches!(
        filter::check_column(&shared, Role::Owner, "id2"),
        Err(FilterError::Unreadable { .. })
    ));
    // A page of a list that is ordered by nothing ends with an id.
    let bad: PageCursor = "5b312c325d".parse().unwrap();
    assert!("6e6f6e73656e7365".parse::<PageCursor>().is_err());
    let query = ListQuery {
        after: Some(&bad),
        ..first(1)
    };
    assert!(matches!(
        list(&connection, entity, &query),
        Err(FilterError::Cursor)
    ));
}

#[test]
fn a_list_holds_what_memberships_show() {
    let (connection, schema) = world();
    put(&connection, "teams", "a", &json!({"id": "a"}));
    put(&connection, "teams", "b", &json!({"id": "b"}));
    put(
        &connection,
        "members",
        "1",
        &json!({"of": "b", "user": "u", "role": "viewer"}),
    );
    let asker = Asker {
        user: UserId::new("u").unwrap(),
        role: Role::Owner,
    };
    let query = ListQuery {
        asker: Some(&asker),
        ..first(10)
    };
    let found = list(&connection, schema.entity("teams").unwrap(), &query).unwrap();
    assert_eq!(ids(&found.records), ["b"]);
}

#[test]
fn all_memberships_of_a_user_are_found_however_many() {
    let (connection, _) = world();
    for number in 0..1_400 {
        let columns = json!({"id": format!("m{number}"), "of": format!("t{number}"), "user": "u"});
        put(&connection, "members", &format!("m{number}"), &columns);
    }
    let user = json!("u");
    let held = StoredRecords(&connection).holding("members", &[Held::text("user", &user)]);
    assert_eq!(held.unwrap().len(), 1_400);
}

#[test]
fn look_ups_by_value_tell_true_from_one_and_go_by_an_index_where_there_is_one() {
    let (connection, schema) = rows();
    keep_indexes(&connection, &schema).unwrap();
    keep_indexes(&connection, &schema).unwrap();
    let entity = schema.entity("it's").unwrap();
    let mut stored = StoredRecords(&connection);
    let found = |stored: &mut StoredRecords<'_>, column: &str, value: Json| {
        let held = Held {
            column,
            kind: &entity.field(column).unwrap().kind,
            value: &value,
        };
        let rows = stored.holding("it's", &[held]).unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(found(&mut stored, "done", json!(true)), ["9"]);
    assert_eq!(found(&mut stored, "done", json!(1)), Vec::<String>::new());
    assert_eq!(found(&mut stored, "a\"b'c", json!("y")), ["10"]);
    let sql = format!(
        "EXPLAIN QUERY PLAN SELECT record_id FROM records WHERE entity = {} AND deleted = 0 AND {} IS ?",
        stored::literal("it's"),
        stored::value_of("a\"b'c"),
    );
    let plan: String = connection.query_row(&sql, ["y"], |row| row.get(3)).unwrap();
    assert!(plan.contains("records_by_"), "{plan}");
    keep_indexes(&connection, &Schema::default()).unwrap();
    let left: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'records_by_%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_page_of_a_list_ends_where_it_has_bytes_enough() {
    let (connection, schema) = world();
    let long = "x".repeat(LIST_BYTES_MAX / 2);
    for id in ["a", "b", "c", "d"] {
        put(&connection, "teams", id, &json!({"id": id, "text": long}));
    }
    let query = |after| ListQuery {
        after,
        ..first(100)
    };
    let teams = schema.entity("teams").unwrap();
    let first = list(&connection, teams, &query(None)).unwrap();
    assert_eq!(ids(&first.records), ["a", "b"]);
    let rest = list(&connection, teams, &query(first.next.as_ref())).unwrap();
    assert_eq!((ids(&rest.records), rest.next), (vec!["c", "d"], None));
}

#[test]
fn an_index_that_can_not_be_made_is_told_from_a_file_that_fails() {
    let (connection, schema) = rows();
    let mut nameless = schema.clone();
    nameless.entities[0].name = "nul\0x".to_owned();
    nameless.entities[0].unique = vec![vec![nameless.entities[0].key.clone()]];
    let failed = keep_indexes(&connection, &nameless);
    assert!(matches!(failed, Err(IndexError::Unfit(_))), "{failed:?}");
    keep_indexes(&connection, &schema).unwrap();
}

#[test]
fn what_is_unique_is_looked_up_by_an_index_of_what_it_means() {
    let held = |kind: &str| json!({"name": kind, "kind": kind});
    let kinds = ["text", "uuid", "decimal", "time", "timestamp", "int64"];
    let fields: Vec<Json> = kinds.iter().copied().map(held).collect();
    let unique: Vec<Json> = kinds.iter().map(|kind| json!([kind])).collect();
    let schema = json!({"entities": [{"name": "notes", "singular": "note", "key": "text",
        "mode": {"kind": "optimistic"}, "unique": unique, "fields": fields}]});
    let schema: Schema = serde_json::from_value(schema).unwrap();
    let (connection, _) = world();
    // One is there before the indexes are, one comes behind them, and one holds what is of no kind.
    let note = |number: &str, hour: &str| {
        json!({"uuid": format!("0A00000{number}-0000-4000-8000-00000000000B"),
            "decimal": format!("{number}.00"), "time": format!("0{number}:00"),
            "timestamp": format!("2026-01-0{number}T{hour}:00:00+02:00"), "int64": number})
    };
    put(&connection, "notes", "1", &note("1", "02"));
    keep_indexes(&connection, &schema).unwrap();
    put(&connection, "notes", "2", &note("2", "02"));
    let odd = json!({"uuid": 7, "decimal": "now", "time": {"a": 1}, "timestamp": "now"});
    put(&connection, "notes", "3", &odd);
    let entity = schema.entity("notes").unwrap();
    for (column, value) in [
        ("uuid", "0a000002-0000-4000-8000-00000000000b"),
        ("decimal", "2"),
        ("time", "02:00:00.000"),
        ("timestamp", "2026-01-02T00:00:00Z"),
    ] {
        let kind = &entity.field(column).unwrap().kind;
        let value = json!(value);
        let held = Held {
            column,
            kind,
            value: &value,
        };
        let found = StoredRecords(&connection)
            .holding("notes", &[held])
            .unwrap();
        assert_eq!(ids(&found), ["2"], "{column}");
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT record_id FROM records WHERE entity = 'notes' AND deleted = 0 \
             AND {} IS ?",
            compared::compared(kind, column),
        );
        let plan: String = connection.query_row(&sql, ["y"], |row| row.get(3)).unwrap();
        assert!(plan.contains("records_by_"), "{plan}");
    }
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn for_a_field_that_is_new_only_records_that_hold_its_name_are_read() {
    let (connection, schema) = rows();
    let mut after = schema.clone();
    let entity = after.entities.iter_mut().find(|it| it.name == "it's");
    let field = json!({"name": "new \"o'ne", "kind": "int64"});
    let field = serde_json::from_value(field).unwrap();
    entity.unwrap().fields.push(field);
    put(
        &connection,
        "it's",
        "13",
        &json!({"new \"o'ne": "no number"}),
    );
    put(&connection, "it's", "14", &json!({"new \"o'ne": 14}));
    // Whoever reads one of the others fails.
    connection
        .execute(
            "UPDATE records SET columns = '[]' WHERE record_id NOT IN ('13', '14')",
            [],
        )
        .unwrap();
    assert!(StoredRecords(&connection).record("it's", "9").is_err());
    let changes = counted_changes(&connection, &schema, &after).unwrap();
    let [change] = &changes[..] else {
        panic!("one field is new: {changes:?}")
    };
    let found = Violating {
        count: 1,
        ids: vec!["13".to_owned()],
    };
    assert_eq!(change.violating, Some(found));
}
