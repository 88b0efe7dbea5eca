//! Giving back to the system what compaction has freed.

use rusqlite::Connection;

use crate::file::StoreError;
use crate::tenant::TenantFile;

/// How much of a file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of it that hold nothing, within pages that are used.
    pub gaps: u64,
    /// Bytes of pages that are not used.
    pub free: u64,
}

impl Fill {
    /// Bytes of pages that are used.
    pub fn used(&self) -> u64 {
        self.bytes.saturating_sub(self.free)
    }

    /// Whether rewriting the file would make it a good deal smaller: pages that have lost two thirds
    /// of their rows are not merged by themselves.
    pub fn is_loose(&self) -> bool {
        self.gaps * 5 > self.used() * 2
    }

    /// Whether so little of the file is used that to write that anew is quicker than to give the rest
    /// back page by page.
    pub fn is_mostly_free(&self) -> bool {
        self.free > self.used() * 2
    }
}

impl TenantFile {
    /// Gives up to `pages` free pages back to the system; gives how many are left. A page at the end
    /// goes at once, another is first exchanged with one at the end.
    pub fn shrink_step(&self, pages: u32) -> Result<u64, StoreError> {
        let free = free_pages(&self.connection)?;
        if free == 0 {
            return Ok(0);
        }
        let mut statement = self
            .connection
            .prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        drop(rows);
        let left = free_pages(&self.connection)?;
        // A file made without the setting keeps its free pages: it is not asked again for ever.
        Ok(if left < free { left } else { 0 })
    }

    /// Bytes of the pages that are used.
    pub fn used_bytes(&self) -> Result<u64, StoreError> {
        let pragma = |name| {
            self.connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
        };
        let pages = pragma("page_count")? as u64;
        let used = pages.saturating_sub(free_pages(&self.connection)?);
        Ok(used * pragma("page_size")? as u64)
    }

    /// Reads how much of the file is used; reads all that is.
    pub fn fill(&self) -> Result<Fill, StoreError> {
        let gaps: i64 = self.connection.query_row(
            "SELECT sum(unused) FROM dbstat WHERE aggregate = TRUE",
            [],
            |row| row.get(0),
        )?;
        let pragma = |name| {
            self.connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
        };
        let page = pragma("page_size")? as u64;
        Ok(Fill {
            bytes: pragma("page_count")? as u64 * page,
            gaps: gaps as u64,
            free: free_pages(&self.connection)? * page,
        })
    }

    /// Bytes of the file and its write-ahead log, as far as they can be seen.
    pub fn bytes_on_disk(&self) -> u64 {
        let bytes = |suffix: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            std::fs::metadata(path).map_or(0, |file| file.len())
        };
        bytes("") + bytes("-wal")
    }

    /// How many ops the log holds.
    pub fn count_ops(&self) -> Result<u64, StoreError> {
        let count: i64 = self
            .connection
            .query_row("SELECT count(*) FROM ops", [], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// Whether free pages of the file can be given back.
    pub fn gives_pages_back(&self) -> Result<bool, StoreError> {
        gives_pages_back(&self.connection)
    }

    /// Writes the whole file anew, without a gap in it; nobody writes meanwhile.
    pub fn rewrite(&self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("VACUUM")?)
    }
}

/// Whether free pages of the file can be given back: it was made with the setting for that.
pub(super) fn gives_pages_back(connection: &Connection) -> Result<bool, StoreError> {
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    Ok(mode != 0)
}

fn free_pages(connection: &Connection) -> Result<u64, StoreError> {
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    Ok(free as u64)
}
