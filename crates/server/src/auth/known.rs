//! Tokens in memory, for as long as no token changes.

use std::collections::HashMap;
use std::sync::Mutex;

use syncline_model::Timestamp;
use syncline_store::control::{ControlChanges, ControlError, TokenHash, TokenRecord};

/// Tokens kept. Past this, all are let go of and looked up again as they come.
const TOKENS_MAX: usize = 10_000;
/// After this time all are looked up again: a change that was not noted counts from then on.
const KEPT_MILLIS_MAX: i64 = 1_000;

/// Tokens that were looked up, valid while the count of changes stays what it was before that.
///
/// A look-up in the control file is a few microseconds of locks and statements; a request that
/// pushes one op takes a few tens. A look at the count is one system call.
#[derive(Debug)]
pub(super) struct KnownTokens {
    changes: ControlChanges,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The count of changes before the first of these was looked up, and when that was.
    since: Option<(u64, Timestamp)>,
    tokens: HashMap<TokenHash, TokenRecord>,
}

impl KnownTokens {
    pub(super) fn new(changes: ControlChanges) -> Self {
        Self {
            changes,
            kept: Mutex::default(),
        }
    }

    /// The token of this hash, whatever its state: as it is kept, or as `look_up` finds it.
    pub(super) fn get_or_look_up(
        &self,
        hash: &TokenHash,
        now: Timestamp,
        look_up: impl FnOnce() -> Result<Option<TokenRecord>, ControlError>,
    ) -> Result<Option<TokenRecord>, ControlError> {
        // Counted before the look-up: a change during it makes what is found old at once.
        let Some(count) = self.changes.count() else {
            return look_up();
        };
        if let Some(token) = self.kept(count, now).tokens.get(hash) {
            return Ok(Some(token.clone()));
        }
        let found = look_up()?;
        if let Some(token) = &found {
            let mut kept = self.kept(count, now);
            if kept.tokens.len() >= TOKENS_MAX {
                kept.tokens.clear();
            }
            kept.tokens.insert(*hash, token.clone());
        }
        Ok(found)
    }

    /// What is kept since `count`; what was kept before is let go of.
    fn kept(&self, count: u64, now: Timestamp) -> std::sync::MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().expect("nothing panics under this lock");
        let is_current = kept.since.is_some_and(|(since, at)| {
            let age = now.as_millis() - at.as_millis();
            since == count && (0..KEPT_MILLIS_MAX).contains(&age)
        });
        if !is_current {
            kept.tokens.clear();
            kept.since = Some((count, now));
        }
        kept
    }
}
