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
    let owed = at_once.owed().unwrap();
    assert_eq!((owed.traces, owed.rewrites), (1, 1));
    assert_eq!(in_steps.owed().unwrap().rewrites, 0);
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
    let mut pushed = 1_000;
    let mut looked_at = Vec::new();
    while run.totals().dropped == 0 {
        append(&mut file, &all[pushed..=pushed]);
        pushed += 1;
        assert_eq!(file.count_ops().unwrap(), pushed as u64);
        assert_eq!(file.head().unwrap().floor, ServerSeq::ZERO);
        looked_at.push(run.looked_at().get());
        file.compact_step(&mut run, 150, NO_OUTBOX).unwrap();
    }
    assert_eq!(looked_at, [0, 150, 300, 450, 600, 750, 900, 999]);
    assert_eq!(run.looked_at(), run.reached());
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

const SECRET: &str = "a secret that has gone";

/// Gives back what the run has freed, and asks whether anything in the directory still says
/// [`SECRET`].
fn still_says(dir: &Dir, file: &mut TenantFile) -> bool {
    let mut forgetting = Forgetting::begin(file, EmptyTries(3)).unwrap();
    while file.forget_step(&mut forgetting, 1_000).unwrap() == Stepped::More {}
    assert_eq!(forgetting.log_left(), LogLeft::Empty);
    file.settle_owed(forgetting.done()).unwrap();
    assert!(file.owed().unwrap().is_nothing());
    let mut entries = std::fs::read_dir(dir.0.path()).unwrap();
    entries.any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let mut parts = bytes.windows(SECRET.len());
        parts.any(|part| part == SECRET.as_bytes())
    })
}

/// An op of a payload of so many bytes, which says `word` again and again; `replaces` is a value of JSON.
fn long(clock: u64, replaces: &str, word: &str, bytes: usize) -> Op {
    let mut text = format!(r#"{{"replaces":{replaces},"said":""#);
    let room = bytes - text.len() - 2;
    text.extend(word.chars().cycle().take(room));
    text.push_str("\"}");
    assert_eq!(text.len(), bytes);
    let mut op = custom("a", clock, "false");
    op.payload = Payload::parse(&text).unwrap();
    op
}

#[test]
fn what_goes_at_once_is_nowhere_in_the_file_once_it_is_small() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let mut all = renames(2_000);
    // The first stays: the thread began with it.
    for (n, op) in (2..).zip(&mut all[1..1_000]) {
        let update = ThreadOp::Update(Update {
            name: Some(Cow::Owned(format!("{SECRET} {n}"))),
            project: None,
            status: None,
            at: at(n),
        });
        op.payload = update.payload().unwrap();
    }
    append(&mut file, &all);
    let mut run = begin(&file, 2_000);
    finish(&mut file, &mut run, 1_000);
    assert_eq!(run.totals().dropped, 1_998);
    // A crash forgets nothing of what is owed.
    drop(file);
    let mut file = dir.open("t.db");
    assert!(!still_says(&dir, &mut file));
}

/// What stays takes pages that have just become free, and fills neither the first of its tables nor
/// the last of those in which a long payload goes on.
#[test]
fn no_page_of_what_stays_ends_with_what_has_gone() {
    let lengths = [2_900..3_100, 3_700..4_300, 7_900..8_500];
    for bytes in lengths.into_iter().flat_map(|some| some.step_by(100)) {
        // What stays is above the floor, or all of it but the last is below.
        for floor in [42, 45] {
            let dir = Dir::new();
            let mut file = dir.create("t.db");
            let gone = (1..=40).map(|clock| long(clock, "true", SECRET, 8_000));
            let replaced = std::iter::once(long(41, "true", "the last ", 100));
            let stay = (42..=45).map(|clock| long(clock, "false", "stays ", bytes));
            let all: Vec<Op> = gone.chain(replaced).chain(stay).collect();
            append(&mut file, &all);
            let mut run = begin(&file, floor);
            finish(&mut file, &mut run, 1_000);
            assert_eq!(run.totals().dropped, 40, "{bytes} bytes");
            assert!(!still_says(&dir, &mut file), "{bytes} bytes, {floor}");
        }
    }
}
