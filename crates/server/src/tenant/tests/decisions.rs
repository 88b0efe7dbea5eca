use syncline_model::Timestamp;

use super::*;

/// Writes as many ops as the log has places, plus one; remembers what it saw.
struct CountPlusOne(Vec<u64>);

impl Decide for CountPlusOne {
    fn decide(&mut self, view: &TenantFile) -> Result<Vec<NewOp>, StoreError> {
        let mut count = 0;
        let limit = PageLimit {
            ops: 100,
            bytes: 1 << 20,
        };
        view.visit_ops_after(ServerSeq::ZERO, limit, |_| {
            count += 1;
            Ok(())
        })?;
        self.0.push(count);
        let op = NewOp {
            scope: Scope::new("notes").unwrap(),
            resource: ResourceId::new("r").unwrap(),
            payload: Payload::parse("1").unwrap(),
        };
        Ok(vec![op; count as usize + 1])
    }
}

struct Panics;

impl Decide for Panics {
    fn decide(&mut self, _: &TenantFile) -> Result<Vec<NewOp>, StoreError> {
        panic!("a decision that panics, for a test");
    }
}

fn decided(outcome: &Result<Outcome, Refused>) -> Vec<u64> {
    match outcome {
        Ok(Outcome::Decided(places)) => places.iter().map(|seq| seq.get()).collect(),
        other => panic!("{other:?} is no decision"),
    }
}

#[test]
fn a_decision_sees_what_stands_before_it_in_its_group() {
    let mut f = fixture();
    let mut writes = [
        Write::Push(push([op("a", 7)])),
        Write::Decide(Box::new(CountPlusOne(vec![]))),
        Write::Decide(Box::new(CountPlusOne(vec![]))),
    ];
    let committed = f.log.commit(&mut writes, now());
    assert_eq!(decided(&committed.outcomes[1]), [2, 3]);
    assert_eq!(decided(&committed.outcomes[2]), [4, 5, 6, 7]);
    // Own ops carry clocks above every other's.
    let head = f.log.head().unwrap();
    assert_eq!(head.clock_max, 13);
}

#[test]
fn a_decision_that_panics_costs_itself_alone() {
    let mut f = fixture();
    let mut writes = [
        Write::Push(push([op("a", 1)])),
        Write::Decide(Box::new(Panics)),
        Write::Push(push([op("a", 2)])),
    ];
    let committed = f.log.commit(&mut writes, now());
    assert!(matches!(committed.outcomes[0], Ok(Outcome::Pushed(_))));
    assert!(matches!(committed.outcomes[1], Err(Refused::Panicked)));
    assert!(matches!(committed.outcomes[2], Ok(Outcome::Pushed(_))));
    assert_eq!(places(&mut f.log), [1, 2]);
}

#[test]
fn used_up_clocks_refuse_the_whole_decision() {
    let mut f = fixture();
    let last = syncline_model::limits::CLOCK_MAX - 1;
    // tidy: sql because the test puts the file into a state that takes 2^53 writes
    let set = format!("UPDATE state SET clock_max = {last}");
    let connection = f.log.file().unwrap().connection();
    connection.execute_batch(&set).unwrap();
    verdicts(&mut f.log, [op("a", last)]);
    let mut writes = [Write::Decide(Box::new(CountPlusOne(vec![])))];
    let committed = f
        .log
        .commit(&mut writes, Timestamp::from_millis(0).unwrap());
    assert!(matches!(
        committed.outcomes[0],
        Err(Refused::ClocksExhausted)
    ));
    assert_eq!(places(&mut f.log), [1]);
}
