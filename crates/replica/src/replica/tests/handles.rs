use syncline_model::Payload;
use syncline_model::session::{Change, Piece, Precedence, SessionPatch, session_id};
use syncline_store::local::{ImportNotes, NewOp};

use super::*;

/// Handles of one process share its limit of open files, and each has about eight.
const HANDLES: usize = 100;

#[test]
fn a_write_during_a_rebuild_by_another_process_is_in_the_new_file() {
    let place = Place::new();
    let (mut syncing, mut server) = (place.open("a"), place.server("s"));
    start(&mut syncing, &server);
    let mut writing = place.open("a");
    writing.write(&[create(), entry("before")]).unwrap();
    let mut rebuild = syncing.begin_rebuild().unwrap();
    writing.write(&[entry("while")]).unwrap();
    syncing
        .apply_fetched(&mut rebuild, &server.page(ServerSeq::ZERO))
        .unwrap();
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq::ZERO,
        mode: EpochMode::Heal,
    };
    syncing.switch(&mut rebuild, offer).unwrap();
    writing.write(&[entry("after")]).unwrap();
    assert_eq!(contents(&mut writing), ["before", "while", "after"]);
    sync(&mut syncing, &mut server);
    assert_eq!(entries(&mut writing), entries(&mut syncing));
    assert_eq!(contents(&mut writing), ["before", "while", "after"]);
}

#[test]
fn what_a_write_is_decided_on_stays_as_it_is_while_others_write() {
    let place = Place::new();
    let (mut deciding, mut writing) = (place.open("a"), place.open("a"));
    writing.write(&[create(), entry("before")]).unwrap();
    let decide = |view: &TenantFile| {
        let begun = view.folded_order().unwrap();
        writing.write(&[entry("meanwhile")]).unwrap();
        assert_eq!(view.folded_order().unwrap(), begun);
        Ok::<_, std::convert::Infallible>(vec![entry("after")])
    };
    deciding.write_with(decide).unwrap();
    assert_eq!(contents(&mut writing), ["before", "meanwhile", "after"]);
}

#[test]
fn an_importing_handle_reads_the_file_that_was_put_in_place_meanwhile() {
    let place = Place::new();
    let (mut syncing, server) = (place.open("a"), place.server("s"));
    start(&mut syncing, &server);
    let mut reading = place.open("a");
    let session = session_id("agent", "s", "");
    let title = |title: &'static str| {
        Piece::Session(Box::new(SessionPatch {
            title: Change::Set(title.into()),
            ..SessionPatch::default()
        }))
    };
    let says = |said: &str| NewOp {
        scope: Scope::session(),
        resource: session.into(),
        payload: Payload::parse(said).unwrap(),
    };
    let notes = ImportNotes::default();
    let one = [says(
        r#"{"type":"patch","patch":{"session":{"title":"One"}}}"#,
    )];
    reading.write_imported(&one, &notes).unwrap();
    let whole = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq::ZERO,
        mode: EpochMode::Heal,
    };
    rebuild(&mut syncing, &server, whole);
    assert!(!reading.is_view_current().unwrap());
    let two = [says(
        r#"{"type":"patch","patch":{"session":{"title":"Two"}}}"#,
    )];
    reading.keep_imported(&two, &notes).unwrap();
    syncing.show_imported(&two);
    assert!(reading.is_view_current().unwrap());
    assert!(
        reading
            .session_news(session, title("One"), Precedence::Unknown)
            .unwrap()
            .is_some()
    );
    assert!(
        reading
            .session_news(session, title("Two"), Precedence::Unknown)
            .unwrap()
            .is_none()
    );
}

#[test]
fn changes_of_other_handles_and_processes_are_told() {
    let place = Place::new();
    let mut reader = place.open("a");
    let subscription = reader.subscribe();
    let mut same_process = reader.another().unwrap();
    same_process.write(&[create()]).unwrap();
    let named: BTreeSet<_> = [(Scope::thread(), thread().into())].into();
    assert_eq!(subscription.take(), Some(Changes::Named(named)));
    reader.look().unwrap();
    subscription.take();
    assert_eq!(reader.look().unwrap(), Looked::Same);
    let mut other_process = place.open("a");
    other_process.write(&[entry("one")]).unwrap();
    assert_eq!(reader.look().unwrap(), Looked::Changed);
    assert_eq!(subscription.take(), Some(Changes::Unknown));
    assert_eq!(reader.look().unwrap(), Looked::Same);
}

#[test]
fn handles_that_open_a_new_replica_at_once_lose_nothing() {
    let place = Place::new();
    let path = place.path("a");
    std::thread::scope(|scope| {
        for n in 0..HANDLES {
            let path = &path;
            scope.spawn(move || {
                let mut replica = open(path);
                replica.write(&[create(), entry(&n.to_string())]).unwrap();
            });
        }
    });
    let mut replica = open(&path);
    let mut found = contents(&mut replica);
    found.sort_by_key(|text| text.parse::<u32>().unwrap());
    assert_eq!(
        found,
        (0..HANDLES).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    let rows = replica.local.outbox_after(0, 1000).unwrap();
    let clocks: BTreeSet<_> = rows.iter().map(|row| row.key.clock).collect();
    assert_eq!(
        (rows.len(), clocks.len()),
        (2 * HANDLES, 2 * HANDLES),
        "every op has a clock of its own"
    );
}

#[test]
fn writers_and_a_syncing_handle_work_at_once() {
    let place = Place::new();
    let (mut syncing, mut server) = (place.open("a"), place.server("s"));
    start(&mut syncing, &server);
    let path = place.path("a");
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let path = &path;
                scope.spawn(move || {
                    let mut replica = open(path);
                    for n in 0..25 {
                        replica
                            .write(&[create(), entry(&format!("{writer}-{n}"))])
                            .unwrap();
                    }
                })
            })
            .collect();
        while !writers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            sync(&mut syncing, &mut server);
        }
    });
    sync(&mut syncing, &mut server);
    assert_eq!(outbox(&syncing), 0);
    let found = entries(&mut syncing);
    assert_eq!(found.len(), 100);
    for writer in 0..4 {
        let prefix = format!("{writer}-");
        let order: Vec<u32> = found
            .iter()
            .filter_map(|(text, _)| text.strip_prefix(&prefix)?.parse().ok())
            .collect();
        assert_eq!(
            order,
            (0..25).collect::<Vec<_>>(),
            "a writer's ops keep their order"
        );
    }
}

#[test]
fn a_close_leaves_a_small_write_ahead_log_and_moves_a_grown_one_into_its_file() {
    let place = Place::new();
    let log = place.path("a").join(format!("{LOCAL_FILE_NAME}-wal"));
    let mut replica = place.open("a");
    replica.write(&[create(), entry("small")]).unwrap();
    drop(replica);
    assert!(log.exists());
    let mut replica = place.open("a");
    assert_eq!(contents(&mut replica), ["small"]);
    let large = "x".repeat(4_000);
    let many: Vec<_> = (0..400).map(|n| entry(&format!("{n} {large}"))).collect();
    replica.write(&many).unwrap();
    drop(replica);
    assert!(!log.exists());
    assert_eq!(contents(&mut place.open("a")).len(), 401);
}
