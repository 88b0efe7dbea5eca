use syncline_model::EpochMode;

use super::*;

const LIMIT: PageLimit = PageLimit {
    ops: 2,
    bytes: 1 << 20,
};

fn page(log: &mut TenantLog, place: Claims) -> Result<(Page, Vec<u64>), Refused> {
    super::page(log, place, LIMIT)
}

fn five_ops() -> Fixture {
    let mut f = fixture();
    verdicts(&mut f.log, (1..=5).map(|clock| op("a", clock)));
    f
}

#[test]
fn pages_chain_by_their_cursors_to_the_head() {
    let mut f = five_ops();
    let (mut place, mut seen) = (Claims::default(), Vec::new());
    loop {
        let (page, places) = page(&mut f.log, place).unwrap();
        seen.extend(places);
        place = at(page.cursor);
        if !page.has_more() {
            assert_eq!(page.cursor, page.head.cursor);
            break;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    let (last, none) = page(&mut f.log, place).unwrap();
    assert_eq!((last.cursor, none), (last.head.cursor, vec![]));
}

#[test]
fn a_place_that_is_not_of_this_log_has_diverged() {
    let mut f = five_ops();
    let (first, _) = page(&mut f.log, Claims::default()).unwrap();
    let wrong = Mark::origin([9; 16]);
    let diverged = |place: Claims, log: &mut TenantLog| {
        let refused = page(log, place).unwrap_err();
        assert!(
            matches!(refused, Refused::LogDiverged { head: ServerSeq(5) }),
            "{refused}"
        );
    };
    diverged(
        Claims {
            mark: Some(wrong),
            ..at(first.cursor)
        },
        &mut f.log,
    );
    diverged(
        Claims {
            since: ServerSeq(6),
            ..Claims::default()
        },
        &mut f.log,
    );
    diverged(
        Claims {
            since: ServerSeq(u64::MAX),
            ..Claims::default()
        },
        &mut f.log,
    );
    // Without a mark nothing is checked, and place 0 is always served, whatever its mark.
    assert!(
        page(
            &mut f.log,
            Claims {
                mark: None,
                ..at(first.cursor)
            }
        )
        .is_ok()
    );
    assert!(
        page(
            &mut f.log,
            Claims {
                mark: Some(wrong),
                ..Claims::default()
            }
        )
        .is_ok()
    );
}

#[test]
fn another_epoch_is_told_with_the_lineage() {
    let mut f = five_ops();
    let old = f.log.head().unwrap();
    let next = Epoch::new(Uuid::from_u128(2));
    let head = f.log.reset(old.epoch, next, Mark::origin([2; 16])).unwrap();
    assert_eq!(head.cursor.server_seq, ServerSeq::ZERO);
    assert_eq!(head.clock_max, 5);

    let stale = Claims {
        epoch: Some(old.epoch),
        ..Claims::default()
    };
    let Refused::EpochChanged { epoch, lineage } = page(&mut f.log, stale).unwrap_err() else {
        panic!("a stale epoch passed");
    };
    assert_eq!(epoch, next);
    assert_eq!(lineage.len(), 2);
    let parent = lineage[1].parent.unwrap();
    assert_eq!((parent.epoch, parent.mode), (old.epoch, EpochMode::Follow));
}

#[test]
fn a_reset_for_another_epoch_does_nothing() {
    let mut f = five_ops();
    let old = f.log.head().unwrap();
    let other = Epoch::new(Uuid::from_u128(77));
    let refused = f
        .log
        .reset(other, Epoch::new(Uuid::from_u128(2)), Mark::origin([2; 16]));
    assert!(matches!(refused, Err(Refused::EpochMismatch { epoch }) if epoch == old.epoch));
    assert_eq!(f.log.head().unwrap(), old);
}

#[test]
fn below_the_floor_only_a_fetch_from_its_beginning_goes_on() {
    let mut f = five_ops();
    // tidy: sql because the test stands in for a compaction
    let raise = "UPDATE state SET floor = 3; DELETE FROM ops WHERE server_seq = 2";
    let connection = f.log.file().unwrap().connection();
    connection.execute_batch(raise).unwrap();
    let rebuild = |place: Claims, log: &mut TenantLog| {
        let refused = page(log, place).unwrap_err();
        assert!(matches!(
            refused,
            Refused::RebuildRequired {
                floor: ServerSeq(3)
            }
        ));
    };
    let from = |since, floor| Claims {
        since: ServerSeq(since),
        floor,
        ..Claims::default()
    };
    rebuild(from(1, None), &mut f.log);
    rebuild(from(1, Some(ServerSeq(2))), &mut f.log);
    let (first, places) = page(&mut f.log, from(0, None)).unwrap();
    assert_eq!(places, [1, 3]);
    assert!(first.has_more());
    let (_, later) = page(&mut f.log, from(1, Some(ServerSeq(3)))).unwrap();
    assert_eq!(later, [3, 4]);
}
