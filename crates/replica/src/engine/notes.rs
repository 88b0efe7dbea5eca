//! What `status` says of sync, kept in memory and written down now and then.

use syncline_model::{Epoch, ServerSeq, Timestamp};
use syncline_protocol::ErrorBody;

use super::Unanswered;
use crate::{Replica, ReplicaError, SyncError, SyncNotes};

/// How often the notes are written down while nothing is wrong, in milliseconds. A reader in another
/// process sees them this late; the cursor tells it the rest.
const FLUSH_INTERVAL_MS: i64 = 1_000;

#[derive(Debug)]
pub(super) struct Notes {
    now: SyncNotes,
    written: SyncNotes,
    written_at: Option<Timestamp>,
}

impl Notes {
    pub(super) fn read(replica: &Replica) -> Result<Self, ReplicaError> {
        let notes = replica.local.sync_notes().map_err(ReplicaError::Local)?;
        Ok(Self {
            now: notes.clone(),
            written: notes,
            written_at: None,
        })
    }

    pub(super) fn failure(&self) -> Option<&SyncError> {
        self.now.last_error.as_ref()
    }

    /// The server's log has this head.
    pub(super) fn heard(&mut self, head: ServerSeq) {
        self.now.head_heard = Some(head);
    }

    pub(super) fn head_heard(&self) -> Option<ServerSeq> {
        self.now.head_heard
    }

    /// What was heard was of a log that is no longer the server's.
    pub(super) fn forget_head(&mut self) {
        self.now.head_heard = None;
    }

    /// The place up to which sessions of the log of this epoch were compared.
    pub(super) fn compared(&self, epoch: Epoch) -> ServerSeq {
        let compared = self.now.compared.filter(|(of, _)| *of == epoch);
        compared.map_or(ServerSeq::ZERO, |(_, through)| through)
    }

    pub(super) fn note_compared(&mut self, epoch: Epoch, through: ServerSeq) {
        self.now.compared = Some((epoch, through));
    }

    /// The replica holds all of the log, and nothing is pending.
    pub(super) fn synced(&mut self, replica: &Replica) {
        self.now.last_sync_at = Some(replica.now());
        self.now.last_error = None;
    }

    pub(super) fn failed(&mut self, replica: &Replica, error: &ErrorBody) {
        self.fail(replica, error.code.as_str(), error.message.clone());
    }

    pub(super) fn unanswered(&mut self, replica: &Replica, cause: &Unanswered) {
        self.fail(replica, "unreachable", cause.message.clone());
    }

    pub(super) fn blocked(&mut self, replica: &Replica, code: &str, message: String) {
        self.fail(replica, code, message);
    }

    pub(super) fn foreign(&mut self, replica: &Replica) {
        let message = "the server's log has nothing in common with what is here: it is another server's, \
                       or one that others have begun anew after a loss; nothing of it was taken, and nothing is kept there";
        self.fail(replica, "log_foreign", message.to_owned());
    }

    pub(super) fn unreadable(&mut self, replica: &Replica, error: &dyn std::error::Error) {
        self.fail(replica, "unreadable_answer", chain(error));
    }

    pub(super) fn failed_locally(&mut self, replica: &Replica, error: &ReplicaError) {
        let code = if error.is_disk_full() {
            "disk_full"
        } else if error.is_tenant_damage() {
            "tenant_file_damaged"
        } else {
            "local_failure"
        };
        self.fail(replica, code, chain(error));
    }

    fn fail(&mut self, replica: &Replica, code: &str, message: String) {
        self.now.last_error = Some(SyncError {
            code: code.to_owned(),
            message,
            at: replica.now(),
        });
    }

    /// Writes the notes down if an error came or went, or if that was some time ago.
    pub(super) fn flush_sometimes(&mut self, replica: &mut Replica) {
        let code = |notes: &SyncNotes| notes.last_error.as_ref().map(|error| error.code.clone());
        let now = replica.now().as_millis();
        let recent = self
            .written_at
            .is_some_and(|at| (0..FLUSH_INTERVAL_MS).contains(&(now - at.as_millis())));
        if code(&self.now) != code(&self.written) || !recent {
            self.flush(replica);
        }
    }

    /// Writes the notes down. A failure is logged alone: they are for people.
    pub(super) fn flush(&mut self, replica: &mut Replica) {
        if self.now == self.written {
            return;
        }
        match replica.local.note_sync(&self.now) {
            Ok(()) => {
                self.written = self.now.clone();
                self.written_at = Some(replica.now());
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "could not note how sync stands");
            }
        }
    }
}

/// An error with its causes, as people read it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
