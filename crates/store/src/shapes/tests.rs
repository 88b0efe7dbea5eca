//! A relation read for the first time, a step at a time, while the log goes on.

use serde_json::json;
use syncline_model::thread::{Entry, ThreadOp, thread_id};
use syncline_model::{
    ActorId, Clock, Epoch, Mark, OpKey, Payload, ResourceId, Scope, ServerSeq, Timestamp,
};
use uuid::Uuid;

use super::{Flow, Making, NewShape, ShapeCells};
use crate::{FileOptions, TenantFile};
use syncline_model::shape::CellSource as _;

struct World {
    file: TenantFile,
    clock: u64,
    root: tempfile::TempDir,
}

fn at() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).unwrap()
}

impl World {
    /// With an entity `notes`.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tenant.db");
        let epoch = Epoch::new(Uuid::from_u128(1));
        let origin = Mark::origin([7; 16]);
        let file = TenantFile::create(&path, &FileOptions::default(), epoch, origin).unwrap();
        let mut world = Self {
            file,
            clock: 0,
            root,
        };
        let schema = json!({"entities": [{"name": "notes", "singular": "note", "key": "id",
            "fields": [{"name": "id", "kind": "text"}, {"name": "text", "kind": "text"}],
            "mode": {"kind": "confirmed"}}]});
        world.append("schema", "schema", &Payload::stored(schema.to_string()));
        world
    }

    fn append(&mut self, scope: &str, resource: &str, payload: &Payload) {
        self.clock += 1;
        let key = OpKey {
            actor: ActorId::new("a").unwrap(),
            clock: Clock::new(self.clock).unwrap(),
            scope: Scope::new(scope).unwrap(),
            resource: ResourceId::new(resource).unwrap(),
        };
        let mut batch = self.file.begin().unwrap();
        batch.append(&key, Some(payload), payload.hash()).unwrap();
        batch.commit().unwrap();
    }

    /// Has a note hold this text; none: it is deleted.
    fn note(&mut self, id: &str, text: Option<&str>) {
        let decided = match text {
            Some(text) => json!({"entity": "notes", "id": id, "action": "create",
                "values": {"text": text}}),
            None => json!({"entity": "notes", "id": id, "action": "delete", "values": {}}),
        };
        let decision = json!({"decided": [decided], "by": "ada", "at": at()});
        let payload = Payload::stored(decision.to_string());
        self.append("record", &format!("notes/{id}"), &payload);
    }

    fn entry(&mut self, thread: u64, id: u128) {
        let thread = thread_id("p", &format!("k{thread}"), 0);
        let entry = ThreadOp::Entry(Entry {
            entry_id: Uuid::from_u128(id).into(),
            author: "user".into(),
            content: "c".into(),
            name: None,
            at: at(),
        });
        let resource = ResourceId::from(thread).as_str().to_owned();
        self.append("thread", &resource, &entry.payload().unwrap());
    }

    /// Makes a shape in steps of so many rows; between two of them `meanwhile` happens. Gives the
    /// number of steps, and the cells of a column of what it begins with.
    fn made(
        &mut self,
        relation: &str,
        rows_max: usize,
        mut meanwhile: impl FnMut(&mut Self, usize),
    ) -> (usize, Vec<(String, Option<String>)>) {
        let new = NewShape {
            relation: relation.to_owned(),
            definition: format!("all of {relation}"),
            handle: format!("handle of {relation}"),
            expired: None,
        };
        for step in 1.. {
            match self.file.make_shape(&new, rows_max).unwrap() {
                Making::More { bytes } => {
                    assert!(bytes > 0);
                    assert!(self.file.shape_of(&new.definition, None).unwrap().is_none());
                    meanwhile(self, step);
                }
                Making::Made(made) => {
                    let mut rows = Vec::new();
                    let (shape, start) = (made.relation, made.start);
                    self.file
                        .visit_shape_state(shape, start, None, |row| {
                            let cells = ShapeCells::read(row.row, 0)?;
                            rows.push((row.key.to_owned(), cells.cell(1).map(str::to_owned)));
                            Ok(Flow::On)
                        })
                        .unwrap();
                    return (step, rows);
                }
                Making::NoTable => panic!("{relation} is there"),
            }
        }
        unreachable!("it ends")
    }
}

fn texts(rows: &[(String, Option<String>)]) -> Vec<&str> {
    rows.iter()
        .map(|(_, text)| text.as_deref().unwrap())
        .collect()
}

#[test]
fn what_changes_while_a_table_is_read_is_in_the_shape_once_and_as_it_is() {
    let mut world = World::new();
    for id in ["b", "d", "f", "h", "j"] {
        world.note(id, Some(id));
    }
    let (steps, rows) = world.made("notes", 2, |world, step| match step {
        // The first two are read by now.
        1 => {
            world.note("b", Some("b again"));
            world.note("d", None);
            world.note("a", Some("before what was read"));
            world.note("e", Some("behind it"));
            world.note("h", Some("h again"));
        }
        2 => {
            world.note("e", None);
            world.note("j", None);
        }
        _ => {}
    });
    assert!(steps > 2, "{steps}");
    assert_eq!(
        texts(&rows),
        ["before what was read", "b again", "f", "h again"]
    );
    // Nothing of before the shape is told as its history.
    let made = world.file.shape_of("all of notes", None).unwrap().unwrap();
    let mut changes = 0;
    let after = super::After {
        seq: ServerSeq(0),
        rows: 0,
    };
    world
        .file
        .visit_shape_changes(made.relation, after, |_| {
            changes += 1;
            Ok(Flow::On)
        })
        .unwrap();
    assert_eq!(changes, 0);
    assert_eq!(made.start, world.file.head().unwrap().cursor.server_seq);
}

#[test]
fn what_a_table_of_postgres_could_not_hold_is_shown_as_what_it_can() {
    let mut world = World::new();
    let fields = [
        "id:text",
        "text:text",
        "due:timestamp",
        "any:json",
        "sum:decimal",
    ];
    let fields = fields.map(|field| {
        let (name, kind) = field.split_once(':').unwrap();
        json!({"name": name, "kind": kind})
    });
    let schema = json!({"entities": [{"name": "notes", "singular": "note", "key": "id",
        "fields": fields, "mode": {"kind": "confirmed"}}]});
    world.append("schema", "schema", &Payload::stored(schema.to_string()));
    let digits = format!("-{}.5", "1".repeat(60));
    for (id, values) in [
        (
            "a",
            json!({"text": "a\0b", "any": ["\\u0000", {"\0": "\0"}], "sum": digits}),
        ),
        (
            "b",
            json!({"due": "2026-01-01T10:00:00+01:00[Europe/Paris]", "sum": "much"}),
        ),
    ] {
        let decided = json!({"entity": "notes", "id": id, "action": "create", "values": values});
        let decision = json!({"decided": [decided], "by": "ada", "at": at()});
        let payload = Payload::stored(decision.to_string());
        world.append("record", &format!("notes/{id}"), &payload);
    }
    world.made("notes", 9, |_, _| ());
    let mut statement = world
        .file
        .connection()
        .prepare("SELECT row FROM shape_rows ORDER BY row_key")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    let rows: Vec<String> = rows.map(Result::unwrap).collect();
    let rows: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!(
        rows,
        [
            json!([
                "a",
                "a\u{fffd}b",
                null,
                "[\"\\\\u0000\", {\"\u{fffd}\": \"\u{fffd}\"}]",
                digits
            ]),
            json!(["b", null, null, null, null]),
        ]
    );
}

#[test]
fn a_group_is_read_whole_though_it_is_more_than_a_step() {
    let mut world = World::new();
    for thread in 0..3 {
        for n in 0..5 {
            world.entry(thread, u128::from(thread) * 10 + n + 1);
        }
    }
    let mut kept: Vec<i64> = Vec::new();
    let (steps, rows) = world.made("entries", 2, |world, _| {
        let sql = "SELECT count(*) FROM shape_rows";
        let count = world.file.connection().query_row(sql, [], |row| row.get(0));
        kept.push(count.unwrap());
    });
    assert_eq!(kept[..2], [5, 10], "a thread at a time");
    assert!(steps >= 3, "{steps}");
    assert_eq!(rows.len(), 15);
}

#[test]
fn a_table_that_is_empty_is_read_in_one_step_and_one_that_is_gone_is_none() {
    let mut world = World::new();
    let (steps, rows) = world.made("notes", 2, |_, _| ());
    assert_eq!((steps, rows.len()), (1, 0));
    let new = NewShape {
        relation: "nothing".to_owned(),
        definition: "d".to_owned(),
        handle: "h".to_owned(),
        expired: None,
    };
    let made = world.file.make_shape(&new, 2).unwrap();
    assert_eq!(made, Making::NoTable);
}

#[test]
fn a_step_goes_on_where_the_one_before_has_ended_also_in_a_file_opened_anew() {
    let mut world = World::new();
    for n in 0..6 {
        world.note(&format!("n{n}"), Some("t"));
    }
    let path = world.root.path().join("tenant.db");
    let (steps, rows) = world.made("notes", 2, |world, _| {
        world.file = TenantFile::open(&path, &FileOptions::default()).unwrap();
    });
    assert_eq!((steps, rows.len()), (4, 6));
}
