//! Sessions of many rows per op: what is pending stands on top of what is confirmed, and goes without a
//! trace, whether the file has noted each row or that there was nothing.

use proptest::prelude::*;
use syncline_model::session::{
    Change, Delete as DeleteSession, MessagePatch, Part, Patch, SessionOp, SessionPatch, TABLES,
    ToolPatch, Usage, session_id,
};

use super::records::made_anew;
use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// A replica writes an op of this kind to this session.
    Write {
        replica: usize,
        session: usize,
        kind: u8,
    },
    /// The server takes the oldest op of a replica.
    Push(usize),
    /// It refuses it.
    Refuse(usize),
    Pull(usize, usize),
    /// The file of a replica is one that a version before has written.
    Age(usize),
}

const SESSIONS: [&str; 3] = ["a", "b", "c"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..2_usize, 0..SESSIONS.len(), 0..9_u8)
            .prop_map(|(replica, session, kind)| Step::Write { replica, session, kind }),
        3 => (0..2_usize).prop_map(Step::Push),
        2 => (0..2_usize).prop_map(Step::Refuse),
        2 => (0..2_usize, 1..4_usize).prop_map(|(replica, limit)| Step::Pull(replica, limit)),
        1 => (0..2_usize).prop_map(Step::Age),
    ];
    proptest::collection::vec(step, 1..25)
}

fn resource(session: usize) -> ResourceId {
    session_id("agent", SESSIONS[session], "").into()
}

fn session_op(replica: usize, session: usize, kind: u8, unique: u64) -> Op {
    let message: Cow<'static, str> = Cow::Owned(format!("m{}", unique % 3));
    let mut patch = Patch::default();
    let part = |text: String| Part {
        message_id: message.clone(),
        id: "0".into(),
        kind: "text".into(),
        order: unique as i64,
        text: text.into(),
        ..Part::default()
    };
    match kind {
        0 => {
            patch.session = SessionPatch {
                title: Change::Set(format!("title {unique}").into()),
                ..SessionPatch::default()
            };
        }
        1 => patch.tools.push(ToolPatch {
            id: "t".into(),
            error: Change::Set(format!("said in an error {unique}").into()),
            ..ToolPatch::default()
        }),
        2 => patch.usage.push(Usage {
            id: "u".into(),
            order: unique as i64,
            output: unique,
            ..Usage::default()
        }),
        _ => {
            patch.messages.push(MessagePatch {
                id: message.clone(),
                role: Change::Set("user".into()),
                ..MessagePatch::default()
            });
            patch.parts.push(part(format!("said by somebody {unique}")));
        }
    }
    let op = match kind {
        8 if unique.is_multiple_of(3) => SessionOp::Delete(DeleteSession { at: at(0) }),
        _ => SessionOp::Patch(Box::new(patch)),
    };
    Op {
        key: OpKey {
            actor: ActorId::new(format!("r{replica}")).unwrap(),
            clock: Clock::new(unique).unwrap(),
            scope: Scope::session(),
            resource: resource(session),
        },
        payload: op.payload().unwrap(),
    }
}

/// The notes of the file as the version before wrote them: one for each row.
fn note_each_row(file: &TenantFile) -> usize {
    let connection = file.connection();
    let mut statement = connection
        .prepare("SELECT resource_id FROM confirmed_rows WHERE row_key = ''")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    let noted: Vec<String> = rows.map(Result::unwrap).collect();
    for resource in &noted {
        for table in TABLES {
            let keys = table.columns[..table.key_columns].iter();
            let keys: Vec<_> = keys.map(|column| column.name).collect();
            let sql = format!(
                "INSERT INTO confirmed_rows (table_name, row_key, resource_id, row) \
                 SELECT '{0}', json_array({1}), ?1, NULL FROM {0} WHERE session_id = ?1",
                table.name,
                keys.join(", ")
            );
            connection.execute(&sql, [resource]).unwrap();
        }
    }
    connection
        .execute_batch("DELETE FROM confirmed_rows WHERE row_key = ''; PRAGMA user_version = 3")
        .unwrap();
    noted.len()
}

/// How many rows the index finds that hold a word, and how many there are.
fn found_and_there(file: &TenantFile) -> (i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM session_parts_fts WHERE session_parts_fts MATCH 'said'), \
               (SELECT count(*) FROM session_parts WHERE text LIKE '%said%')";
    let counts = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    file.connection().query_row(sql, [], counts).unwrap()
}

fn notes(file: &TenantFile) -> i64 {
    let sql = "SELECT count(*) FROM confirmed_rows";
    let count = file.connection().query_row(sql, [], |row| row.get(0));
    count.unwrap()
}

fn drop_oldest(file: &mut TenantFile, outbox: &mut Vec<PendingOp>, server: &TenantFile) {
    let in_log = |own: &PendingOp| server.find(&own.op.key).unwrap().is_some();
    let Some(place) = outbox.iter().position(|own| !in_log(own)) else {
        return;
    };
    let gone = outbox.remove(place).op.key;
    file.refold(&[(gone.scope, gone.resource)], &outbox[..])
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// At every moment a replica's view of sessions is that of its log with its outbox on top, as if it
    /// had been made in one go; and in the end all views are equal.
    #[test]
    fn a_view_of_sessions_is_its_log_with_its_outbox_on_top(steps in steps()) {
        let dir = Dir::new();
        let mut server = dir.create("s.db");
        let mut replicas: Vec<_> = (0..2).map(|n| dir.create(&format!("r{n}.db"))).collect();
        let mut outboxes: Vec<Vec<PendingOp>> = vec![Vec::new(); 2];
        for (unique, step) in (1..).zip(steps) {
            let n = match step {
                Step::Write { replica, session, kind } => {
                    let op = session_op(replica, session, kind, unique);
                    outboxes[replica].push(PendingOp { order: unique, op });
                    replicas[replica].fold_outbox(&outboxes[replica][..]).unwrap();
                    replica
                }
                Step::Push(n) => {
                    let own = outboxes[n].iter().find(|own| server.find(&own.op.key).unwrap().is_none());
                    if let Some(own) = own.cloned() {
                        append(&mut server, &[own.op]);
                    }
                    n
                }
                Step::Refuse(n) => {
                    drop_oldest(&mut replicas[n], &mut outboxes[n], &server);
                    n
                }
                Step::Pull(n, limit) => {
                    pull(&server, &mut replicas[n], &outboxes[n], limit);
                    outboxes[n].retain(|own| replicas[n].find(&own.op.key).unwrap().is_none());
                    n
                }
                Step::Age(n) => {
                    note_each_row(&replicas[n]);
                    replicas[n] = dir.open(&format!("r{n}.db"));
                    n
                }
            };
            let expected = made_anew(&dir, &format!("m{unique}.db"), &replicas[n], &outboxes[n]);
            prop_assert_eq!(replicas[n].dump_view().unwrap(), expected);
            let (found, there) = found_and_there(&replicas[n]);
            prop_assert_eq!(found, there);
        }
        for (n, outbox) in outboxes.iter_mut().enumerate() {
            while !outbox.is_empty() {
                pull(&server, &mut replicas[n], &outbox[..], 7);
                outbox.retain(|own| replicas[n].find(&own.op.key).unwrap().is_none());
                drop_oldest(&mut replicas[n], outbox, &server);
            }
            pull(&server, &mut replicas[n], &[], 7);
            prop_assert_eq!(replicas[n].dump_view().unwrap(), server.dump_view().unwrap());
            prop_assert_eq!(notes(&replicas[n]), 0);
        }
    }
}

#[test]
fn a_session_that_is_only_in_the_outbox_has_one_note_and_goes_whole() {
    let dir = Dir::new();
    let mut replica = dir.create("r.db");
    let ops: Vec<_> = (1..=9).map(|n| session_op(0, 0, 7, n)).collect();
    replica.fold_outbox(&pending(&ops)[..]).unwrap();
    assert_eq!(notes(&replica), 1);
    assert_eq!(found_and_there(&replica), (3, 3));
    let due = (Scope::session(), resource(0));
    replica.refold(&[due], &[][..] as &[PendingOp]).unwrap();
    assert_eq!(notes(&replica), 0);
    assert_eq!(found_and_there(&replica), (0, 0));
    assert_eq!(
        replica.dump_view().unwrap(),
        dir.create("e.db").dump_view().unwrap()
    );
}

#[test]
fn a_file_of_the_format_before_keeps_its_notes_and_gains_none_for_what_they_are_of() {
    let dir = Dir::new();
    let mut replica = dir.create("r.db");
    let ops: Vec<_> = (1..=4).map(|n| session_op(0, 0, 7, n)).collect();
    replica.fold_outbox(&pending(&ops[..2])[..]).unwrap();
    assert_eq!(note_each_row(&replica), 1);
    drop(replica);
    let mut replica = dir.open("r.db");
    let before = notes(&replica);
    replica.fold_outbox(&pending(&ops)[..]).unwrap();
    // A message and its part more, each with a note of its own.
    assert_eq!(notes(&replica), before + 2);
    let due = (Scope::session(), resource(0));
    replica.refold(&[due], &[][..] as &[PendingOp]).unwrap();
    assert_eq!(
        replica.dump_view().unwrap(),
        dir.create("e.db").dump_view().unwrap()
    );
}
