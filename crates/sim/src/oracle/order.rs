//! The order of one writer: what it wrote later is not undone by what it wrote before.

use std::collections::BTreeMap;

use syncline_model::thread::ThreadId;

use super::{Digest, Oracle, Violation};
use crate::workload::Effect;

impl Oracle {
    /// A thread's name is that of the last rename, among those of one writer that are in the log.
    pub(super) fn check_names(
        &self,
        in_log: &BTreeMap<Digest, u32>,
        names: &BTreeMap<ThreadId, String>,
    ) -> Result<(), Violation> {
        for (thread, shown) in names {
            let renames = self
                .written
                .iter()
                .filter_map(|written| match &written.effect {
                    Effect::Name { thread: of, name } if of == thread => Some((written, name)),
                    _ => None,
                });
            let renames: Vec<_> = renames
                .filter(|(written, _)| in_log.contains_key(&written.digest))
                .collect();
            let Some((winner, _)) = renames.iter().find(|(_, name)| *name == shown) else {
                continue;
            };
            let later = renames.iter().find(|(written, _)| {
                written.writer == winner.writer
                    && written.order > winner.order
                    && !written.may_double
                    && !winner.may_double
            });
            if let Some((_, name)) = later {
                return Err(Violation(format!(
                    "thread {thread} is named {shown:?}, which its writer changed to {name:?} later"
                )));
            }
        }
        Ok(())
    }
}
