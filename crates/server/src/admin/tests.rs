use syncline_model::{ActorId, Clock, Cursor, Mark, Op, OpKey, Payload, ResourceId, Scope};
use syncline_store::Contact;
use uuid::Uuid;

use super::*;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn at(hours: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + hours * 60 * 60 * 1_000).unwrap()
}

fn append(file: &mut TenantFile, clocks: std::ops::RangeInclusive<u64>) {
    let mut batch = file.begin().unwrap();
    for clock in clocks {
        let op = Op {
            key: OpKey {
                actor: ActorId::new("a").unwrap(),
                clock: Clock::new(clock).unwrap(),
                scope: Scope::new("notes").unwrap(),
                resource: ResourceId::new("r").unwrap(),
            },
            payload: Payload::parse("1").unwrap(),
        };
        let hash = op.payload.hash();
        batch.append(&op.key, Some(&op.payload), hash).unwrap();
    }
    batch.commit().unwrap();
}

#[test]
fn who_holds_the_floor_is_told_with_what_the_retention_window_would_let_go() {
    let root = tempfile::tempdir().unwrap();
    let start = || (Epoch::new(Uuid::nil()), Mark::origin([7; 16]));
    let path = root.path().join("t.db");
    let mut file = TenantFile::open_or_create(&path, &FileOptions::default(), start).unwrap();
    append(&mut file, 1..=4);
    file.note_time(at(0)).unwrap();
    append(&mut file, 5..=10);
    let batch = file.begin().unwrap();
    for (client, place) in [("desk", 4), ("laptop", 10), ("phone", 1), ("tablet", 2)] {
        let cursor = Cursor {
            server_seq: ServerSeq(place),
            mark: Mark::origin([0; 16]),
        };
        let (client, ada) = (ClientId::new(client).unwrap(), UserId::new("ada").unwrap());
        batch
            .record_client(&client, &ada, Some(cursor), Contact::Push, at(1))
            .unwrap();
    }
    batch.commit().unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let held = |retention| {
        let keep = Keep {
            retention,
            ..Keep::default()
        };
        let holder = HolderReport::read(&tenant, &file, &keep, at(1)).unwrap();
        holder.map(|it| {
            (
                it.client.client_id.to_string(),
                it.ops_held,
                it.other_holders,
            )
        })
    };
    assert_eq!(held(HOUR), Some(("phone".to_owned(), 3, 1)));
    assert_eq!(held(Duration::ZERO), Some(("phone".to_owned(), 9, 2)));
    assert_eq!(held(2 * HOUR), None);
}

#[test]
fn compacting_leaves_no_file_that_a_killed_server_was_making_of_the_log() {
    let root = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(root.path().join("data")).unwrap();
    let lock = directory.lock().unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let start = || (Epoch::new(Uuid::nil()), Mark::origin([7; 16]));
    let path = directory.tenant_file(&tenant);
    let file = TenantFile::open_or_create(&path, &FileOptions::default(), start);
    append(&mut file.unwrap(), 1..=3);
    let made = directory.prepared_file(&tenant);
    let ends = ["copy", "part", "copy-journal", "zst"];
    let left = ends.map(|end| made.with_extension(end));
    for path in &left {
        std::fs::write(path, "what was dropped").unwrap();
    }
    compact_log(&directory, &tenant, &Keep::default(), &lock, at(1), |_| ()).unwrap();
    assert!(left.iter().all(|path| !path.exists()));
}
