use super::*;

#[test]
fn a_key_conflict_makes_a_new_actor_and_loses_nothing() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let written = replica.write(&[create(), entry("mine")]).unwrap();
    // Somebody has the same actor: the log holds another payload under the second key.
    let other = entry("theirs");
    server.add(&Op {
        key: written.keys[1].clone(),
        payload: other.payload,
    });
    let actor = replica.status().unwrap().actor;
    push(&mut replica, &mut server);
    assert_ne!(replica.status().unwrap().actor, actor);
    pull(&mut replica, &server);
    assert_eq!(contents(&mut replica), ["theirs", "mine"]);
    assert_eq!(outbox(&replica), 0);
}

#[test]
fn a_pulled_op_under_the_key_of_one_that_waits_does_not_take_its_place() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let actor = replica.status().unwrap().actor;
    let written = replica
        .write(&[create(), entry("mine"), entry("mine too")])
        .unwrap();
    // This replica was put back from a copy: what it wrote before that has the same keys.
    server.add(&Op {
        key: written.keys[1].clone(),
        payload: entry("written before").payload,
    });
    pull(&mut replica, &server);
    assert_ne!(replica.status().unwrap().actor, actor);
    assert_eq!(outbox(&replica), 3);
    sync(&mut replica, &mut server);
    assert_eq!(
        contents(&mut replica),
        ["written before", "mine", "mine too"]
    );
    assert_eq!(outbox(&replica), 0);
}

#[test]
fn a_copied_directory_is_a_new_replica_and_both_sync() {
    let place = Place::new();
    let (mut original, mut server) = (place.open("a"), place.server("s"));
    start(&mut original, &server);
    original
        .write(&[create(), entry("before the copy")])
        .unwrap();
    let status = original.status().unwrap();
    drop(original);
    let (from, to) = (place.path("a"), place.path("b"));
    for file in fs::read_dir(&from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let (mut original, mut copy) = (place.open("a"), place.open("b"));
    assert_eq!(original.status().unwrap().replica, status.replica);
    assert_ne!(copy.status().unwrap().replica, status.replica);
    assert_ne!(copy.status().unwrap().actor, status.actor);
    original.write(&[entry("original")]).unwrap();
    copy.write(&[entry("copy")]).unwrap();
    sync(&mut original, &mut server);
    sync(&mut copy, &mut server);
    pull(&mut original, &server);
    assert_eq!(
        contents(&mut original),
        ["before the copy", "original", "copy"]
    );
    equal_views(&mut original, &mut copy);
    assert_eq!((outbox(&original), outbox(&copy)), (0, 0));
}

#[test]
fn a_pulled_op_of_ones_own_actor_that_was_never_written_here_makes_a_new_actor() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let actor = replica.status().unwrap().actor;
    let stranger = entry("written before the replica was put back");
    let key = OpKey {
        actor: actor.clone(),
        clock: Clock::new(7).unwrap(),
        scope: stranger.scope,
        resource: stranger.resource,
    };
    server.add(&Op {
        key,
        payload: stranger.payload,
    });
    pull(&mut replica, &server);
    assert_ne!(replica.status().unwrap().actor, actor);
}

#[test]
fn a_damaged_tenant_file_is_set_aside_and_the_outbox_is_kept() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let (tenant, user) = ("t".parse().unwrap(), "ada".parse().unwrap());
    replica.belong_to(&tenant, &user).unwrap();
    replica.write(&[create(), entry("pulled")]).unwrap();
    sync(&mut replica, &mut server);
    replica.write(&[entry("pending")]).unwrap();
    let (name, actor) = (replica.tenant_name.clone(), replica.status().unwrap().actor);
    drop(replica);
    fs::write(
        place.path("a").join(&name),
        "this is not a database, and never was",
    )
    .unwrap();
    let mut replica = place.open("a");
    let status = replica.status().unwrap();
    assert_eq!((status.pending(), status.epoch), (1, None));
    assert_eq!(status.notes.last_error.unwrap().code, "tenant_file_damaged");
    assert_ne!(status.actor, actor);
    assert!(place.path("a").join(format!("damaged-{name}")).exists());
    push(&mut replica, &mut server);
    start(&mut replica, &server);
    assert_eq!(contents(&mut replica), ["pulled", "pending"]);
    assert_eq!(outbox(&replica), 0);
}

#[test]
fn of_a_damaged_tenant_file_of_no_server_nothing_is_said_to_be_fetched() {
    let place = Place::new();
    let mut replica = place.open("a");
    replica.write(&[create(), entry("kept")]).unwrap();
    let name = replica.tenant_name.clone();
    drop(replica);
    fs::write(place.path("a").join(&name), "no database").unwrap();
    let mut replica = place.open("a");
    assert_eq!(contents(&mut replica), ["kept"]);
    assert_eq!(replica.status().unwrap().notes.last_error, None);
}

#[test]
fn a_tenant_file_that_was_found_damaged_and_is_whole_by_now_stays() {
    let place = Place::new();
    let mut replica = place.open("a");
    replica.write(&[create(), entry("pending")]).unwrap();
    set_aside_if_damaged(&place.path("a")).unwrap();
    assert!(replica.tenant_path().exists());
    assert_eq!(contents(&mut replica), ["pending"]);
}

#[test]
fn a_tenant_file_that_is_gone_is_fetched_again() {
    let place = Place::new();
    let mut replica = place.open("a");
    replica.write(&[create(), entry("pending")]).unwrap();
    let name = replica.tenant_name.clone();
    drop(replica);
    fs::remove_file(place.path("a").join(name)).unwrap();
    assert_eq!(contents(&mut place.open("a")), ["pending"]);
}

#[test]
fn files_of_a_newer_version_are_refused_and_left_as_they_are() {
    let place = Place::new();
    let replica = place.open("a");
    let name = replica.tenant_name.clone();
    drop(replica);
    let path = place.path("a").join(name);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let error = Replica::open(&place.path("a"), ReplicaOptions::default()).unwrap_err();
    assert!(matches!(error, ReplicaError::OpenTenant(_)));
    assert!(!error.is_tenant_damage());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_lost_server_gets_everything_again_in_the_old_order() {
    let place = Place::new();
    let (mut a, mut b, mut lost) = (place.open("a"), place.open("b"), place.server("lost"));
    start(&mut a, &lost);
    start(&mut b, &lost);
    a.write(&[create(), entry("1")]).unwrap();
    sync(&mut a, &mut lost);
    b.write(&[create(), entry("2")]).unwrap();
    sync(&mut b, &mut lost);
    pull(&mut a, &lost);
    a.write(&[entry("pending")]).unwrap();
    let mut server = place.server("new");
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
    };
    assert_eq!(rebuild(&mut a, &server, offer), 4);
    assert_eq!(
        contents(&mut a),
        ["1", "2", "pending"],
        "what is offered again stays in the view"
    );
    sync(&mut a, &mut server);
    assert_eq!(rebuild(&mut b, &server, offer), 0);
    assert_eq!(contents(&mut a), ["1", "2", "pending"]);
    equal_views(&mut a, &mut b);
}

#[test]
fn ops_above_the_common_place_alone_are_offered_again() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    a.write(&[create(), entry("1")]).unwrap();
    sync(&mut a, &mut server);
    let backup = place.root.path().join("backup.db");
    server.file.write_prepared(&backup).unwrap();
    a.write(&[entry("2"), entry("3")]).unwrap();
    sync(&mut a, &mut server);
    let mut restored = Server {
        file: TenantFile::open(&backup, &FileOptions::default()).unwrap(),
    };
    let common = restored.file.head().unwrap().cursor;
    let offer = Offer {
        common,
        up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
    };
    assert_eq!(rebuild(&mut a, &restored, offer), 2);
    let batch = a.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!(batch.heal, Some(common));
    sync(&mut a, &mut restored);
    let places: Vec<_> = entries(&mut a)
        .into_iter()
        .map(|(_, place)| place.unwrap())
        .collect();
    assert_eq!(places, [0, 1, 2]);
    assert_eq!(outbox(&a), 0);
}

#[test]
fn what_was_discarded_on_purpose_stays_discarded_and_the_outbox_is_kept() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    a.write(&[create(), entry("discarded")]).unwrap();
    sync(&mut a, &mut server);
    a.write(&[entry("acknowledged")]).unwrap();
    push(&mut a, &mut server);
    a.write(&[entry("pending")]).unwrap();
    let mut reset = place.server("reset");
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq::ZERO,
        mode: EpochMode::Follow,
    };
    assert_eq!(rebuild(&mut a, &reset, offer), 0);
    sync(&mut a, &mut reset);
    assert_eq!(contents(&mut a), ["pending"]);
}

#[test]
fn an_epoch_that_begins_at_the_cursor_is_taken_without_a_rebuild() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    a.write(&[create(), entry("pulled")]).unwrap();
    sync(&mut a, &mut server);
    let written = a.write(&[entry("acknowledged")]).unwrap();
    push(&mut a, &mut server);
    let epoch = Epoch::new(Uuid::now_v7());
    a.adopt_epoch(epoch, EpochMode::Heal).unwrap();
    let status = a.status().unwrap();
    assert_eq!((status.epoch, status.pending()), (Some(epoch), 1));
    assert_eq!(a.state_of(&written.keys[0]).unwrap(), OpState::Pending);
    assert_eq!(contents(&mut a), ["pulled", "acknowledged"]);
}

#[test]
fn an_acknowledged_op_that_the_log_lacks_is_offered_again() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    let written = a.write(&[create(), entry("one")]).unwrap();
    push(&mut a, &mut server);
    // The acknowledgement was of a log that was put back since; others have grown it past.
    let mut other = place.open("b");
    let mut regrown = place.server("regrown");
    start(&mut other, &regrown);
    other.write(&[create(), entry("x"), entry("y")]).unwrap();
    sync(&mut other, &mut regrown);
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
    };
    rebuild(&mut a, &regrown, offer);
    assert_eq!(a.state_of(&written.keys[1]).unwrap(), OpState::Pending);
    sync(&mut a, &mut regrown);
    assert_eq!(contents(&mut a), ["x", "y", "one"]);
}

#[test]
fn old_and_abandoned_tenant_files_are_removed() {
    let place = Place::new();
    let (mut a, server) = (place.open("a"), place.server("s"));
    let first = a.tenant_name.clone();
    start(&mut a, &server);
    assert!(!place.path("a").join(first).exists());
    let mut rebuild = a.begin_rebuild().unwrap();
    a.apply_fetched(&mut rebuild, &server.page(ServerSeq::ZERO))
        .unwrap();
    let path = a.path_of(&rebuild);
    drop((a, rebuild));
    assert!(path.exists());
    let mut a = place.open("a");
    a.remove_leftovers().unwrap();
    assert!(!path.exists());
    assert!(place.path("a").join(&a.tenant_name).exists());
}

/// The log holds an op of this replica's actor, from before it was put back from a copy, under the
/// key of one that waits in its outbox.
fn written_twice() -> (Place, Replica, Server) {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let keys = replica.write(&[create(), entry("this life")]).unwrap().keys;
    for (key, op) in keys.into_iter().zip([create(), entry("a former life")]) {
        let payload = op.payload;
        server.add(&Op { key, payload });
    }
    (place, replica, server)
}

#[test]
fn an_op_whose_key_comes_with_a_page_under_another_payload_is_written_anew() {
    let (_place, mut replica, mut server) = written_twice();
    let actor = replica.status().unwrap().actor;
    pull(&mut replica, &server);
    assert_ne!(replica.status().unwrap().actor, actor);
    assert_eq!(contents(&mut replica), ["a former life", "this life"]);
    sync(&mut replica, &mut server);
    assert_eq!(contents(&mut replica), ["a former life", "this life"]);
    assert_eq!(outbox(&replica), 0);
}

#[test]
fn an_op_whose_key_a_rebuilt_file_holds_under_another_payload_is_written_anew() {
    let (_place, mut replica, mut server) = written_twice();
    start(&mut replica, &server);
    assert_eq!(contents(&mut replica), ["a former life", "this life"]);
    sync(&mut replica, &mut server);
    assert_eq!(contents(&mut replica), ["a former life", "this life"]);
    assert_eq!(outbox(&replica), 0);
}

#[test]
fn a_former_life_in_the_log_does_not_keep_a_lost_server_from_being_healed() {
    let (place, mut replica, server) = written_twice();
    replica
        .tenant
        .apply(&server.page(ServerSeq::ZERO), &replica.local)
        .unwrap();
    let mut fresh = place.server("fresh");
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
    };
    assert_eq!(rebuild(&mut replica, &fresh, offer), 2);
    sync(&mut replica, &mut fresh);
    assert_eq!(contents(&mut replica), ["a former life", "this life"]);
    assert_eq!(outbox(&replica), 0);
}
