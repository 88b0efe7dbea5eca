//! Runs that drop all that is covered at once.

use super::cases::renames;
use super::*;

fn begin(file: &TenantFile, floor: u64) -> Compaction {
    let run = Compaction::begin(file, ServerSeq(floor), Collecting::Tombstones);
    run.unwrap().at_once(OneIn(4))
}

fn finish(file: &mut TenantFile, run: &mut Compaction, count: usize) {
    while file.compact_step(run, count, NO_OUTBOX).unwrap() == Stepped::More {}
}

fn ops(file: &TenantFile) -> Vec<syncline_model::LoggedOp> {
    file.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap()
}

/// Places and marks of the log, as far as it holds them.
fn places(file: &TenantFile) -> Vec<(ServerSeq, Option<Mark>)> {
    let places = ops(file).into_iter().map(|op| op.seq);
    places
        .map(|seq| (seq, file.mark_at(seq).unwrap()))
        .collect()
}

#[test]
fn a_log_is_the_same_whether_it_is_dropped_from_at_once_or_in_steps() {
    let dir = Dir::new();
    let (mut at_once, mut in_steps) = (dir.create("a.db"), dir.create("b.db"));
    for file in [&mut at_once, &mut in_steps] {
        for chunk in renames(5_000).chunks(100) {
            append(file, chunk);
        }
    }
    let mut run = begin(&at_once, 4_000);
    finish(&mut at_once, &mut run, 300);
    let other = compact_all(&mut in_steps, 4_000);
    assert_eq!(run.totals(), other.totals());
    assert_eq!(run.totals().dropped, 3_998);
    assert_eq!(ops(&at_once), ops(&in_steps));
    assert_eq!(places(&at_once), places(&in_steps));
    assert_eq!(at_once.head().unwrap(), in_steps.head().unwrap());
    assert_eq!(at_once.owed().unwrap().traces, 1);
    assert_eq!(at_once.integrity().unwrap(), "ok");
    for op in renames(5_000) {
        let is_pruned = at_once.is_pruned(&op.key).unwrap();
        assert_eq!(is_pruned, in_steps.is_pruned(&op.key).unwrap());
    }
}

#[test]
fn nothing_goes_before_all_is_judged_and_what_comes_meanwhile_stays() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let all = renames(1_010);
    append(&mut file, &all[..1_000]);
    let mut run = begin(&file, 1_000);
    let mut pushed = all[1_000..].iter();
    while run.totals().dropped == 0 {
        let before = file.count_ops().unwrap();
        if let Some(op) = pushed.next() {
            append(&mut file, std::slice::from_ref(op));
            assert_eq!(file.count_ops().unwrap(), before + 1);
        }
        assert_eq!(file.head().unwrap().floor, ServerSeq::ZERO);
        file.compact_step(&mut run, 150, NO_OUTBOX).unwrap();
    }
    let kept: Vec<u64> = ops(&file).iter().map(|op| op.seq.get()).collect();
    // By its judge's time the last below the floor was covered; the first began the thread.
    let expected: Vec<u64> = std::iter::once(1).chain(1_000..=1_008).collect();
    assert_eq!(kept, expected);
    assert_eq!(file.head().unwrap().floor, ServerSeq(1_000));
}

#[test]
fn where_much_stays_ops_go_step_by_step() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let mut all = renames(1_000);
    for (n, op) in all.iter_mut().enumerate().filter(|(n, _)| n % 3 == 0) {
        op.payload = entry(n as u128, "an entry stays").payload().unwrap();
    }
    append(&mut file, &all);
    let mut run = begin(&file, 1_000);
    let mut shrinking = 0;
    let mut left = file.count_ops().unwrap();
    while file.compact_step(&mut run, 100, NO_OUTBOX).unwrap() == Stepped::More {
        let now = file.count_ops().unwrap();
        shrinking += usize::from(now < left);
        left = now;
    }
    assert_eq!(shrinking, 10);
    assert_eq!(run.totals().judged, 999);
    let stay = all
        .iter()
        .filter(|op| op.payload.as_str().contains("an entry"));
    assert_eq!(left, stay.count() as u64 + 1);
}

#[test]
fn a_run_whose_log_begins_another_epoch_drops_nothing_of_it() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &renames(100));
    let mut run = begin(&file, 100);
    file.compact_step(&mut run, 1_000, NO_OUTBOX).unwrap();
    let head = file.head().unwrap();
    let origin = Mark::origin([9; 16]);
    let next = Epoch::new(Uuid::from_u128(2));
    file.start_epoch(head.epoch, next, crate::LogStart::Reset { origin })
        .unwrap();
    append(&mut file, &renames(100));
    finish(&mut file, &mut run, 1_000);
    assert_eq!(run.totals().dropped, 0);
    assert_eq!(file.count_ops().unwrap(), 100);
}

#[test]
fn what_goes_at_once_is_nowhere_in_the_file_once_it_is_small() {
    const SECRET: &str = "name 77 ";
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let mut all = renames(2_000);
    all[76].payload = {
        let update = ThreadOp::Update(Update {
            name: Some(Cow::Borrowed(SECRET)),
            project: None,
            status: None,
            at: at(77),
        });
        update.payload().unwrap()
    };
    append(&mut file, &all);
    let mut run = begin(&file, 2_000);
    finish(&mut file, &mut run, 1_000);
    file.rewrite().unwrap();
    assert!(file.empty_log().unwrap());
    for entry in std::fs::read_dir(dir.0.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let mut parts = bytes.windows(SECRET.len());
        assert!(!parts.any(|part| part == SECRET.as_bytes()));
    }
}
