//! Whatever is written where, and in whatever order it travels, views end equal.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// A replica writes an op of this kind on this thread.
    Write {
        replica: usize,
        thread: u64,
        kind: u8,
    },
    /// A replica sends its outbox to the server.
    Push(usize),
    /// A replica pulls pages of this size.
    Pull(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize, 0..3_u64, 0..9_u8)
            .prop_map(|(replica, thread, kind)| Step::Write { replica, thread, kind }),
        2 => (0..3_usize).prop_map(Step::Push),
        2 => (0..3_usize, 1..5_usize).prop_map(|(replica, limit)| Step::Pull(replica, limit)),
    ];
    proptest::collection::vec(step, 1..60)
}

pub(super) fn payload(kind: u8, thread: u64, unique: u64) -> Payload {
    let update = |name: Option<&'static str>, status| {
        ThreadOp::Update(Update {
            name: name.map(Cow::Borrowed),
            project: None,
            status,
            at: at(unique as i64),
        })
    };
    let tag = |present| {
        ThreadOp::Tag(Tag {
            entry_id: None,
            tag: "t".into(),
            present,
        })
    };
    let text = format!("entry {unique}");
    let op = match kind {
        0 => create(thread),
        1 => update(Some("renamed"), None),
        2 => update(None, Some(Status::Archived)),
        3 => tag(true),
        4 => tag(false),
        5 if unique.is_multiple_of(4) => delete(thread),
        6 => return Payload::parse(r#"{"type":"from the future","x":[1]}"#).unwrap(),
        _ => entry(u128::from(unique), &text),
    };
    op.payload().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is written where, and in whatever order it travels: replicas that have applied the
    /// same log hold the view that the server holds, and the one that the log alone gives.
    #[test]
    fn replicas_with_the_same_log_hold_equal_views(steps in steps()) {
        let dir = Dir::new();
        let mut server = dir.create("s.db");
        let mut replicas: Vec<_> = (0..3).map(|n| dir.create(&format!("r{n}.db"))).collect();
        let mut outboxes: Vec<Vec<PendingOp>> = vec![Vec::new(); 3];
        let mut unique = 0;
        for step in steps {
            match step {
                Step::Write { replica, thread: n, kind } => {
                    unique += 1;
                    let mut op = op(&format!("r{replica}"), unique, thread(n), &create(n));
                    op.payload = payload(kind, n, unique);
                    outboxes[replica].push(PendingOp { order: unique, op });
                    replicas[replica].fold_outbox(&outboxes[replica][..]).unwrap();
                }
                Step::Push(n) => {
                    let ops: Vec<Op> = outboxes[n].iter().map(|p| p.op.clone()).collect();
                    append(&mut server, &ops);
                }
                Step::Pull(n, limit) => pull(&server, &mut replicas[n], &outboxes[n], limit),
            }
        }
        for (n, outbox) in outboxes.iter().enumerate() {
            let ops: Vec<Op> = outbox.iter().map(|p| p.op.clone()).collect();
            append(&mut server, &ops);
            prop_assert!(replicas[n].head().unwrap().cursor.server_seq <= server.head().unwrap().cursor.server_seq);
        }
        let expected = server.dump_view().unwrap();
        for (replica, outbox) in replicas.iter_mut().zip(&outboxes) {
            pull(&server, replica, outbox, 7);
            prop_assert_eq!(&replica.dump_view().unwrap(), &expected);
            let images: i64 = replica.connection()
                .query_row("SELECT count(*) FROM confirmed_rows", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(images, 0);
        }
        server.fold_again().unwrap();
        prop_assert_eq!(server.dump_view().unwrap(), expected);
    }
}
