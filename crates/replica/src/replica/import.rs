//! Importing: ops that are made of what agents left, with how far that has been read.

use syncline_model::session::{Part, Piece, Precedence, SessionId};
use syncline_store::local::{ImportNotes, ImportedFile, ImportedMarks, NewOp, WriteError};
use syncline_store::sessions;

use super::Replica;
use super::write::{Written, clock_seen};
use crate::place::IMPORT_LEASE_NAME;
use crate::{Changes, Lease, ReplicaError};

impl Replica {
    /// Writes ops as [`Replica::write`] does, with what was read to make them, in one transaction: a
    /// crash leaves both or none. Refused where another replica has taken the place of the one that the
    /// ops were made for: how far that has read is another matter.
    pub fn write_imported(
        &mut self,
        ops: &[NewOp],
        notes: &ImportNotes,
    ) -> Result<Written, WriteError> {
        let written = self.keep_imported(ops, notes)?;
        self.show_imported(ops);
        Ok(written)
    }

    /// The same without showing the ops in the view, which may be done through another handle: see
    /// [`Replica::show_imported`]. They are on the disk when this returns, and what this handle is asked
    /// from then on it answers from the tenant file that was in place as it wrote.
    pub fn keep_imported(
        &mut self,
        ops: &[NewOp],
        notes: &ImportNotes,
    ) -> Result<Written, WriteError> {
        self.refuse_if_replaced()?;
        if let Err(error) = self.follow_exchange() {
            // A write must not fail for the sake of a file that can be had again.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "an import goes on without the new tenant file");
        }
        let now = self.place.host.now();
        let tenant = &self.tenant;
        let written = self
            .local
            .write_imported(ops, notes, || clock_seen(tenant), now)?;
        if !self.still_in_place() {
            return Err(WriteError::Replaced { source: None });
        }
        let ops = written.map(|written| written.ops).unwrap_or_default();
        Ok(Written {
            keys: ops.into_iter().map(|pending| pending.op.key).collect(),
        })
    }

    /// Shows in the view the ops that were kept, and tells subscribers. Where that fails it is logged, and
    /// the next use of the replica shows them.
    pub fn show_imported(&mut self, ops: &[NewOp]) {
        if ops.is_empty() {
            return;
        }
        self.show_or_log();
        let touched = ops
            .iter()
            .map(|op| (op.scope.clone(), op.resource.clone()))
            .collect();
        self.subscribers.tell(&Changes::Named(touched));
    }

    /// Has `work` show many large batches in the view, one after another, in less time: the file's
    /// write-ahead log may grow meanwhile.
    pub fn showing_many<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, ReplicaError> {
        self.tenant
            .expect_large_commits()
            .map_err(ReplicaError::Tenant)?;
        let done = work(self);
        // What is committed is as safe in the log; whoever commits next moves it.
        if let Err(error) = self.tenant.settle_log() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a write-ahead log stays as an import has left it");
        }
        Ok(done)
    }

    /// How far the file at `path` has been read; none: never.
    pub fn imported_file(&self, path: &str) -> Result<Option<ImportedFile>, ReplicaError> {
        self.local.imported_file(path).map_err(ReplicaError::Local)
    }

    /// Has `work` compare the marks of an agent's files that were read, those at `from` and after, and
    /// before `until`, by the bytes of their paths.
    pub fn compare_imported<T>(
        &self,
        agent: &str,
        range: [&str; 2],
        work: impl FnOnce(&mut ImportedMarks<'_>) -> T,
    ) -> Result<T, ReplicaError> {
        self.local
            .compare_imported(agent, range, work)
            .map_err(ReplicaError::Local)
    }

    /// What was noted of a unit of a transcript; none: it was never taken.
    pub fn imported_unit(&self, key: &[u8; 16]) -> Result<Option<Vec<u8>>, ReplicaError> {
        self.local.imported_unit(key).map_err(ReplicaError::Local)
    }

    /// Keeps little of both files in memory, for who stays for long and is seldom busy: what an import has
    /// once taken, the allocator does not give back.
    pub fn use_little_memory(&self) -> Result<(), ReplicaError> {
        self.tenant
            .use_little_memory()
            .map_err(ReplicaError::Tenant)?;
        self.local.use_little_memory().map_err(ReplicaError::Local)
    }

    /// Takes the right to import into this replica; none: another process or handle has it. Two that
    /// read a file at once would both write it.
    pub fn try_import_lease(&self) -> Result<Option<Lease>, ReplicaError> {
        self.place.try_named_lease(IMPORT_LEASE_NAME)
    }

    /// The ids of a session's own parts that were kept as they stood in its transcript.
    pub fn own_raw_parts(&self, session: SessionId) -> Result<Vec<String>, ReplicaError> {
        sessions::own_raw_parts(self.tenant.connection(), session).map_err(ReplicaError::Tenant)
    }

    /// The parts of a session that were kept as they stood in its transcript and whose texts hold `sign`.
    pub fn raw_parts_with(
        &self,
        session: SessionId,
        sign: &str,
    ) -> Result<Vec<Part<'static>>, ReplicaError> {
        sessions::raw_parts_with(self.tenant.connection(), session, sign)
            .map_err(ReplicaError::Tenant)
    }

    /// What of `piece` is not in the view, as it was last shown, nor below what is; none if nothing.
    pub fn session_news<'p>(
        &self,
        session: SessionId,
        piece: Piece<'p>,
        precedence: Precedence,
    ) -> Result<Option<Piece<'p>>, ReplicaError> {
        sessions::news(self.tenant.connection(), session, piece, precedence)
            .map_err(ReplicaError::Tenant)
    }

    /// Whether this handle's view is the one into which others show what they write. If not, it says
    /// nothing of what was written since another was put in its place.
    pub fn is_view_current(&self) -> Result<bool, ReplicaError> {
        Ok(!self.is_exchanged()?)
    }

    /// Whether the view holds any session.
    pub fn has_sessions(&self) -> Result<bool, ReplicaError> {
        sessions::is_any_known(self.tenant.connection()).map_err(ReplicaError::Tenant)
    }

    /// Whether the view holds anything of a session, or that it was deleted.
    pub fn has_session(&self, session: SessionId) -> Result<bool, ReplicaError> {
        sessions::is_known(self.tenant.connection(), session).map_err(ReplicaError::Tenant)
    }

    /// Whether a session was deleted.
    pub fn is_session_deleted(&self, session: SessionId) -> Result<bool, ReplicaError> {
        sessions::is_deleted(self.tenant.connection(), session).map_err(ReplicaError::Tenant)
    }

    /// What the view says of a session itself; none: nothing, or that it was deleted.
    pub fn session(&self, session: SessionId) -> Result<Option<sessions::Session>, ReplicaError> {
        sessions::session(self.tenant.connection(), session).map_err(ReplicaError::Tenant)
    }

    /// The directories that sessions are known to have worked in, each once.
    pub fn session_directories(&self) -> Result<Vec<String>, ReplicaError> {
        sessions::directories(self.tenant.connection()).map_err(ReplicaError::Tenant)
    }

    /// What the view says of a message of a session: where it was copied from, if it was.
    pub fn origin_of_message(
        &self,
        session: SessionId,
        message: &str,
    ) -> Result<Option<Option<SessionId>>, ReplicaError> {
        sessions::origin_of_message(self.tenant.connection(), session, message)
            .map_err(ReplicaError::Tenant)
    }

    /// The session of an agent that has said a message, as far as the view knows.
    pub fn session_that_said(
        &self,
        agent: &str,
        message: &str,
    ) -> Result<Option<SessionId>, ReplicaError> {
        sessions::session_that_said(self.tenant.connection(), agent, message)
            .map_err(ReplicaError::Tenant)
    }

    /// The sessions that one was forked from, as far as the view knows.
    pub fn session_forked_from(&self, session: SessionId) -> Result<Vec<SessionId>, ReplicaError> {
        sessions::forked_from(self.tenant.connection(), session).map_err(ReplicaError::Tenant)
    }

    /// The agent that is known to have given a session this id; of several the one that told of itself
    /// last.
    pub fn agent_of_native_session(&self, native: &str) -> Result<Option<String>, ReplicaError> {
        sessions::agent_of_native(self.tenant.connection(), native).map_err(ReplicaError::Tenant)
    }

    /// The id of the session that an agent calls so, as far as the view knows: see
    /// [`sessions::session_of_native`].
    pub fn session_of_native(&self, agent: &str, native: &str) -> Result<SessionId, ReplicaError> {
        sessions::session_of_native(self.tenant.connection(), agent, native)
            .map_err(ReplicaError::Tenant)
    }
}
