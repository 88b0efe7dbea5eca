//! Transcripts that were rewritten: what a line's id is, and which ids count.
//!
//! Lines have no ids but their numbers, and are added at the end. Where one says something else than what was read
//! in its place, the file was rewritten from there on: a branch begins, whose lines have ids of their own, and what
//! stood there is taken back.

use serde::{Deserialize, Serialize};

use crate::facts::{Known, UnitKey};

/// The branches that a transcript has had. The first, number 0, begins with the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Branches {
    /// The others, in the order in which they were met.
    begun: Vec<Branch>,
    /// The one that counts; of those that it began from, what stands before it.
    counting: usize,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Branch {
    /// Its first line.
    line: u64,
    /// The branch that it began from.
    from: usize,
}

/// Where a line is.
#[derive(Debug)]
pub(super) struct Placed {
    /// What names it.
    pub(super) id: String,
    /// Whether it was taken before.
    pub(super) known: bool,
    /// Lines that counted until now, and lines that count again.
    pub(super) gone: Vec<String>,
    pub(super) back: Vec<String>,
}

/// Finds the place of a line, behind one in `branch`; this is its own branch then. The numbers are that of the line
/// behind which it stands, with nothing between them that can be read, and its own.
pub(super) fn place(
    session: &str,
    (behind, number): (u64, u64),
    text: &str,
    branch: &mut usize,
    known: &mut dyn Known,
) -> Placed {
    let mut branches = Branches::of(session, known);
    let is = |branch: usize, known: &mut dyn Known| {
        known
            .noted(line_key(session, &id_of(number, branch), text))
            .is_some()
    };
    let mut is_known = is(*branch, known);
    let told = next_told(session, behind + 1, &|line| id_of(line, *branch), known);
    let replaced = told.filter(|told| *told < number || (*told == number && !is_known));
    if let Some(line) = replaced {
        let here = Branch {
            line,
            from: *branch,
        };
        let met = (1..=branches.begun.len())
            .find(|met| branches.begun[met - 1] == here && is(*met, known));
        is_known = met.is_some();
        *branch = met.unwrap_or_else(|| {
            branches.begun.push(here);
            branches.begun.len()
        });
    }
    let begins = replaced.unwrap_or(number);
    let (mut gone, mut back) = (Vec::new(), Vec::new());
    if branches.holder(number) != *branch {
        gone = branches.told_since(session, begins, known);
        branches.counting = *branch;
        back = branches.told_since(session, begins, known);
        let note = serde_json::to_vec(&branches).expect("numbers are written as JSON");
        known.note(branches_key(session), &note);
    }
    let gap = replaced.unwrap_or(behind + 1);
    if gap < number {
        let key = gap_key(session, &id_of(gap, branches.holder(gap)));
        let next = number.to_string().into_bytes();
        if known.noted(key).as_ref() != Some(&next) {
            known.note(key, &next);
        }
    }
    Placed {
        id: id_of(number, *branch),
        known: is_known,
        gone,
        back,
    }
}

impl Branches {
    pub(super) fn of(session: &str, known: &mut dyn Known) -> Self {
        let note = known.noted(branches_key(session));
        let branches = note.and_then(|note| serde_json::from_slice(&note).ok());
        branches.unwrap_or_default()
    }

    /// All lines that have told something, whether they count or not.
    pub(super) fn told(&self, session: &str, known: &mut dyn Known) -> Vec<String> {
        let begun = self.begun.iter().map(|branch| branch.line);
        let mut all = Vec::new();
        for (branch, first) in std::iter::once(1).chain(begun).enumerate() {
            all.extend(all_told(session, first, &|line| id_of(line, branch), known));
        }
        all
    }

    /// The branch that counts for a line.
    fn holder(&self, line: u64) -> usize {
        let mut holder = self.counting;
        // A branch begins from one that was met before it.
        while let Some(branch) = holder.checked_sub(1).and_then(|at| self.begun.get(at))
            && line < branch.line
            && branch.from < holder
        {
            holder = branch.from;
        }
        holder
    }

    /// The lines from one on that count, and have told something.
    fn told_since(&self, session: &str, line: u64, known: &mut dyn Known) -> Vec<String> {
        all_told(session, line, &|line| id_of(line, self.holder(line)), known)
    }
}

/// The lines from one on that have told something, as `id` names them.
fn all_told(
    session: &str,
    mut line: u64,
    id: &dyn Fn(u64) -> String,
    known: &mut dyn Known,
) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(told) = next_told(session, line, id, known) {
        all.push(id(told));
        line = told + 1;
    }
    all
}

/// The first of them.
fn next_told(
    session: &str,
    mut line: u64,
    id: &dyn Fn(u64) -> String,
    known: &mut dyn Known,
) -> Option<u64> {
    while !is_told(session, &id(line), known) {
        let behind_gap = known.noted(gap_key(session, &id(line)))?;
        let next = std::str::from_utf8(&behind_gap).ok()?.parse().ok()?;
        line = (next > line).then_some(next)?;
    }
    Some(line)
}

/// The id of a line: its number, and where it is not of the first branch, that of its branch.
fn id_of(line: u64, branch: usize) -> String {
    match branch {
        0 => line.to_string(),
        branch => format!("{line}+{branch}"),
    }
}

/// The key of a line that was taken.
pub(super) fn line_key(session: &str, id: &str, text: &str) -> UnitKey {
    UnitKey::of(&["cursor line", session, id, text])
}

/// The key under which it is noted what a line of a conversation has told.
pub(super) fn told_by(session: &str, id: &str) -> UnitKey {
    UnitKey::of(&["cursor told", session, id])
}

fn is_told(session: &str, id: &str, known: &mut dyn Known) -> bool {
    known.noted(told_by(session, id)).is_some()
}

/// The key under which it is noted which line comes next behind some that can't be read, of which this is the first.
fn gap_key(session: &str, id: &str) -> UnitKey {
    UnitKey::of(&["cursor gap", session, id])
}

fn branches_key(session: &str) -> UnitKey {
    UnitKey::of(&["cursor branches", session])
}
