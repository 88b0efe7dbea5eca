//! Members: which role a user has in a tenant.

use rusqlite::{OptionalExtension, params};
use syncline_model::schema::Role;
use syncline_model::{TenantId, Timestamp, UserId};

use super::{ControlError, ControlFile, failed};

/// A member of a tenant. Who is none has the role of an editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub tenant: TenantId,
    pub user: UserId,
    pub role: Role,
    /// When the role was given.
    pub changed_at: Timestamp,
}

impl ControlFile {
    /// Makes a user a member, or gives a member another role.
    pub fn put_member(&self, member: &Member) -> Result<(), ControlError> {
        self.connection
            .prepare_cached(
                "INSERT INTO members (tenant, user, role, changed_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (tenant, user) DO UPDATE SET
                   role = excluded.role, changed_at = excluded.changed_at",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    member.tenant.as_str(),
                    member.user.as_str(),
                    member.role.as_str(),
                    member.changed_at.as_millis(),
                ])
            })
            .map_err(failed("keep a member"))?;
        self.changes.note();
        Ok(())
    }

    /// Lets a member go; says whether they were one.
    pub fn remove_member(&self, tenant: &TenantId, user: &UserId) -> Result<bool, ControlError> {
        let removed = self
            .connection
            .prepare_cached("DELETE FROM members WHERE tenant = ?1 AND user = ?2")
            .and_then(|mut statement| statement.execute([tenant.as_str(), user.as_str()]))
            .map_err(failed("remove a member"))?;
        self.changes.note();
        Ok(removed > 0)
    }

    /// The role that a user was given in a tenant; none: they are no member.
    pub fn role(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Role>, ControlError> {
        self.connection
            .prepare_cached("SELECT role FROM members WHERE tenant = ?1 AND user = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row([tenant.as_str(), user.as_str()], |row| {
                        row.get::<_, String>(0)
                    })
                    .optional()
            })
            .map(|role| role.as_deref().and_then(Role::parse))
            .map_err(failed("look up a role"))
    }

    /// The members of a tenant, or of all, by tenant and name.
    pub fn members(&self, tenant: Option<&TenantId>) -> Result<Vec<Member>, ControlError> {
        self.connection
            .prepare_cached(
                "SELECT tenant, user, role, changed_at FROM members
                 WHERE ?1 IS NULL OR tenant = ?1 ORDER BY tenant, user",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([tenant.map(TenantId::as_str)], member_from_row)?
                    .collect()
            })
            .map_err(failed("list members"))
    }
}

fn member_from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Member> {
    let role: String = row.get(2)?;
    let role = Role::parse(&role).ok_or(rusqlite::Error::InvalidQuery)?;
    let millis: i64 = row.get(3)?;
    Ok(Member {
        tenant: super::token::parsed(row, 0)?,
        user: super::token::parsed(row, 1)?,
        role,
        changed_at: Timestamp::from_millis(millis).map_err(|_| rusqlite::Error::InvalidQuery)?,
    })
}
