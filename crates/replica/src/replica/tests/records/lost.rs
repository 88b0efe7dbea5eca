//! Edits that others' have won against, and who notes them.

use syncline_model::record::Lost;
use syncline_store::local::LostEdit;

use super::*;

fn change_slow(replica: &mut Replica, action: Action, values: &str) {
    let written = replica.write_records(&[change("slow", "1", action, values)]);
    written.unwrap();
}

#[test]
fn what_lost_is_noted_where_it_was_written_until_it_is_forgotten() {
    let (place, mut server, mut one, mut other) = world();
    change_slow(&mut one, Action::Create, r#"{"a":1}"#);
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    pull(&mut other, &server);
    let backups = ["for-one", "for-other"].map(|name| place.root.path().join(name));
    for backup in &backups {
        server.file.write_prepared(backup).unwrap();
    }
    change_slow(&mut one, Action::Update, r#"{"a":2}"#);
    change_slow(&mut other, Action::Update, r#"{"a":3}"#);
    offer(&mut one, &mut server, 10);
    offer(&mut other, &mut server, 10);
    pull(&mut one, &server);
    assert!(other.untold_losses().unwrap().is_empty(), "not pulled yet");
    pull(&mut other, &server);
    let untold = other.untold_losses().unwrap();
    let edits: Vec<_> = untold.iter().map(|loss| loss.edit.clone()).collect();
    let lost = LostEdit {
        entity: "slow".to_owned(),
        id: "1".to_owned(),
        column: "a".to_owned(),
        values: Lost {
            base: 1.into(),
            mine: 3.into(),
            theirs: 2.into(),
        },
        field_gone: false,
    };
    assert_eq!(edits, [lost]);
    drop(other);
    let mut other = place.open("b");
    assert_eq!(other.untold_losses().unwrap(), untold);
    other.forget_losses(&untold).unwrap();
    assert!(other.untold_losses().unwrap().is_empty());
    // Who brings a log what it has lost has lost nothing by it, whoever wrote it.
    for (replica, backup) in [&mut one, &mut other].into_iter().zip(&backups) {
        let mut restored = Server {
            file: TenantFile::open(backup, &FileOptions::default()).unwrap(),
        };
        let again = Offer {
            common: restored.file.head().unwrap().cursor,
            up_to: ServerSeq(u64::MAX),
            mode: EpochMode::Heal,
        };
        assert_ne!(rebuild(replica, &restored, again), 0);
        sync(replica, &mut restored);
        assert_eq!(outbox(replica), 0);
        assert!(replica.untold_losses().unwrap().is_empty());
    }
}
