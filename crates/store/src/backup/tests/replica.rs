//! Backups of a replica whose log begins another epoch while it is copied.

use syncline_model::{ClientId, Cursor, ServerSeq};

use super::*;
use crate::LogStart;
use crate::local::{AcknowledgedOps, Identity, LocalFile, NewOp, Verdict};

const LOCAL: &str = "local.db";
const LOG: &str = "log.db";

/// A replica with an op that the server has acknowledged, and that was not pulled yet.
struct Replica {
    root: tempfile::TempDir,
    local: LocalFile,
    log: TenantFile,
}

impl Replica {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("replica");
        fs::create_dir(&directory).unwrap();
        let identity = Identity {
            replica: ClientId::new("r").unwrap(),
            actor: ActorId::new("a").unwrap(),
            clock: 0,
            host: None,
            member: None,
            tenant_file: LOG.to_owned(),
        };
        let options = FileOptions::default();
        let mut local =
            LocalFile::open_or_create(&directory.join(LOCAL), &options, &identity).unwrap();
        let Op { key, payload } = op(1);
        let new = NewOp {
            scope: key.scope,
            resource: key.resource,
            payload,
        };
        let written = local.write(&[new], || Ok(0), at(0)).unwrap();
        let key = written.ops[0].op.key.clone();
        let taken = [(key, Verdict::Acknowledged(ServerSeq(1)))];
        local
            .judged_by(LOG)
            .settle(&taken, &ActorId::new("b").unwrap(), 0, at(0))
            .unwrap();
        let origin = Cursor::ORIGIN.mark;
        let log = TenantFile::create(&directory.join(LOG), &options, epoch(1), origin).unwrap();
        Self { root, local, log }
    }

    /// Follows a server that was put back to before the op, as sync does.
    fn follow(&mut self, next: u128) {
        let cut = AcknowledgedOps::DiscardAbove(ServerSeq(0));
        self.local.begin_epoch(cut, at(1)).unwrap();
        let start = LogStart::Restored(EpochMode::Follow);
        let old = self.log.head().unwrap().epoch;
        self.log.start_epoch(old, epoch(next), start).unwrap();
    }

    /// Makes a backup, and calls `between` whenever the outbox is copied and the log is not.
    fn back_up(&mut self, mut between: impl FnMut(&mut Self)) -> Result<Manifest, BackupError> {
        let (directory, to) = (self.root.path().join("replica"), self.backup());
        back_up_replica(&directory, LOCAL, &to, at(2), |at| {
            if at.done > 0 {
                between(self);
            }
        })
    }

    fn backup(&self) -> PathBuf {
        self.root.path().join("backup")
    }
}

fn epoch(n: u128) -> Epoch {
    Epoch::new(Uuid::from_u128(n))
}

#[test]
fn a_backup_of_a_replica_holds_the_outbox_of_the_epoch_that_its_log_is_in() {
    let mut replica = Replica::new();
    let mut copies = 0;
    let manifest = replica.back_up(|replica| {
        copies += 1;
        if copies == 1 {
            replica.follow(2);
        }
    });
    let logs: Vec<_> = manifest
        .unwrap()
        .files
        .iter()
        .filter_map(|file| file.log)
        .collect();
    assert_eq!(logs[0].epoch, epoch(2));
    let copied = LocalFile::open(&replica.backup().join(LOCAL), &FileOptions::default()).unwrap();
    let outbox = copied.outbox_after(0, 10).unwrap();
    assert!(outbox.is_empty(), "what was cut on purpose: {outbox:?}");
    assert_eq!(copies, 2);
}

#[test]
fn a_log_that_begins_an_epoch_again_and_again_is_not_backed_up() {
    let mut replica = Replica::new();
    let mut next = 1;
    let failed = replica.back_up(|replica| {
        next += 1;
        replica.follow(next);
    });
    assert!(matches!(failed, Err(BackupError::Rebuilding)), "{failed:?}");
    assert!(!replica.backup().exists());
}
