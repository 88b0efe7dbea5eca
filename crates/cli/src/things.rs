//! What ops are about, as commands tell it.

use serde::Serialize;
use syncline_replica::Things;

use crate::wording::counted;

/// How many things, as `--json` tells it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ThingsShown {
    sessions: u64,
    messages: u64,
    threads: u64,
    entries: u64,
    lists: u64,
    items: u64,
    /// Changes of other kinds.
    others: u64,
}

impl From<Things> for ThingsShown {
    fn from(things: Things) -> Self {
        Self {
            sessions: things.sessions,
            messages: things.messages,
            threads: things.threads,
            entries: things.entries,
            lists: things.lists,
            items: things.items,
            others: things.others,
        }
    }
}

/// `5 sessions, 12 messages`, and other things where there are any; none where there is nothing.
pub(crate) fn things(things: Things) -> Option<String> {
    let pairs = [
        (things.sessions, "session", things.messages, "message"),
        (things.threads, "thread", things.entries, "entry"),
        (things.lists, "list", things.items, "item"),
    ];
    let pairs = pairs.into_iter().filter(|(whole, ..)| *whole > 0);
    let mut told: Vec<String> = pairs
        .flat_map(|(whole, noun, parts, part)| [counted(whole, noun), counted(parts, part)])
        .collect();
    if things.others > 0 {
        told.push(counted(things.others, "other change"));
    }
    (!told.is_empty()).then(|| told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_told_by_what_they_are_parts_of() {
        let told = |things_told| things(things_told);
        assert_eq!(told(Things::default()), None);
        let sessions = Things {
            sessions: 5,
            messages: 12,
            ..Things::default()
        };
        assert_eq!(told(sessions).unwrap(), "5 sessions, 12 messages");
        let all = Things {
            sessions: 1,
            threads: 1,
            entries: 1,
            lists: 2,
            items: 3,
            others: 1,
            ..Things::default()
        };
        assert_eq!(
            told(all).unwrap(),
            "1 session, 0 messages, 1 thread, 1 entry, 2 lists, 3 items, 1 other change"
        );
    }
}
