//! When ops came: what retention goes by. Known here and there alone, beside the log and its view.

use rusqlite::OptionalExtension;
use syncline_model::{ServerSeq, Timestamp};

use super::TenantFile;
use crate::file::StoreError;

impl TenantFile {
    /// Notes that the log has reached its head by this time, if it has moved since the last note.
    pub fn note_time(&self, now: Timestamp) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO times (server_seq, at) SELECT head, ? FROM state WHERE head > 0",
            )?
            .execute([now.to_string()])?;
        Ok(())
    }

    /// The latest of the times that are noted.
    pub fn last_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let time: Option<String> = self
            .connection
            .prepare_cached("SELECT max(at) FROM times")?
            .query_row([], |row| row.get(0))?;
        let time = time.map(|time| time.parse()).transpose();
        time.map_err(|_| StoreError::damaged("a noted time is none"))
    }

    /// The highest place known to have been reached by `time`.
    pub fn place_at(&self, time: Timestamp) -> Result<ServerSeq, StoreError> {
        // Times are of one form, and sort as texts. A clock that was put back counts as it stood.
        let place: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(server_seq) FROM times WHERE at <= ?")?
            .query_row([time.to_string()], |row| row.get(0))
            .optional()?
            .flatten();
        Ok(ServerSeq(place.unwrap_or_default() as u64))
    }

    /// The first time by which the log is known to have reached `place`; none: it is not known.
    pub fn reached_at(&self, place: ServerSeq) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<String> = self
            .connection
            .prepare_cached("SELECT min(at) FROM times WHERE server_seq >= ?")?
            .query_row([place.get() as i64], |row| row.get(0))?;
        at.map(|at| {
            at.parse()
                .map_err(|_| StoreError::damaged("a time is none"))
        })
        .transpose()
    }

    /// Forgets the notes below this place, which no retention will ask for again.
    pub fn forget_times_below(&self, place: ServerSeq) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM times WHERE server_seq < ?")?
            .execute([place.get() as i64])?;
        Ok(())
    }
}
