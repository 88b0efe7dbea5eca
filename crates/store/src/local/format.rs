//! The formats that a local file has had, and bringing one to the newest.

use rusqlite::Transaction;

use super::{APPLICATION, Identity, LocalFile, StoreError};

/// What makes each format from the one before; the first, from an empty file. A change of the schema
/// is one more.
const FORMATS: [&str; 13] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
    include_str!("schema_10.sql"),
    include_str!("schema_11.sql"),
    include_str!("schema_12.sql"),
    include_str!("schema_13.sql"),
];
pub(super) const FORMAT: i64 = FORMATS.len() as i64;

impl LocalFile {
    /// Makes what this format has and the file hasn't; `fresh` is who an empty file becomes.
    pub(super) fn bring_to_format(&mut self, fresh: Option<&Identity>) -> Result<(), StoreError> {
        self.durable(|transaction| {
            let found: i64 =
                transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if found >= FORMAT {
                // Another process has done it meanwhile.
                return Ok(());
            }
            for made in FORMATS.iter().skip(found as usize) {
                transaction.execute_batch(made)?;
            }
            if found == 0
                && let Some(fresh) = fresh
            {
                identify(transaction, fresh)?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
            Ok(())
        })
    }
}

/// Says who the replica of a new file is.
fn identify(transaction: &Transaction<'_>, fresh: &Identity) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO identity (id, replica, actor, clock, offered, host, tenant, user_id, tenant_file) \
         VALUES (1, ?, ?, ?, 0, ?, ?, ?, ?)",
        (
            fresh.replica.as_str(),
            fresh.actor.as_str(),
            fresh.clock as i64,
            fresh.host.as_deref(),
            fresh.member.as_ref().map(|(tenant, _)| tenant.as_str()),
            fresh.member.as_ref().map(|(_, user)| user.as_str()),
            &fresh.tenant_file,
        ),
    )?;
    Ok(())
}
