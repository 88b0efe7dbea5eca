//! The subagents of a session, as a tree.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;
use syncline_model::session::SessionId;
use syncline_store::TenantFile;
use syncline_store::sessions::{Figures, PriceTable, Session, figures, subagents};

use super::reference::{ShortIds, title_of};
use super::shown::SessionShown;
use super::text::{brief_cost, one_line};
use crate::failure::Failure;
use crate::output::{Colour, Style};
use crate::wording::counted;

const TITLE_CHARS_MAX: usize = 60;

/// A subagent, and those that it started.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) session: Session,
    figures: Figures,
    pub(super) branches: Vec<Branch>,
}

/// A subagent as `--json` tells it.
#[derive(Debug, Serialize)]
pub(super) struct BranchShown {
    #[serde(flatten)]
    session: SessionShown,
    subagents: Vec<BranchShown>,
}

impl From<Branch> for BranchShown {
    fn from(branch: Branch) -> Self {
        Self {
            session: SessionShown::new(branch.session, branch.figures),
            subagents: branch.branches.into_iter().map(Self::from).collect(),
        }
    }
}

/// Reads the subagents of `session`, and theirs.
pub(super) fn tree(
    view: &TenantFile,
    session: SessionId,
    prices: &PriceTable,
) -> Result<Vec<Branch>, Failure> {
    // Damaged data may make two sessions each other's.
    let mut seen = BTreeSet::from([session]);
    below(view, session, prices, &mut seen)
}

fn below(
    view: &TenantFile,
    session: SessionId,
    prices: &PriceTable,
    seen: &mut BTreeSet<SessionId>,
) -> Result<Vec<Branch>, Failure> {
    let mut branches = Vec::new();
    for session in subagents(view.connection(), session)? {
        let id = session.session_id;
        if !seen.insert(id) {
            continue;
        }
        branches.push(Branch {
            session,
            figures: figures(view.connection(), id, prices)?,
            branches: below(view, id, prices, seen)?,
        });
    }
    Ok(branches)
}

/// The ids of all sessions of the tree.
pub(super) fn all_ids(branches: &[Branch]) -> Vec<SessionId> {
    let ids = branches.iter().flat_map(|branch| {
        let mut ids = vec![branch.session.session_id];
        ids.extend(all_ids(&branch.branches));
        ids
    });
    ids.collect()
}

/// Draws the tree, each line behind `margin`.
pub(super) fn draw(
    branches: &[Branch],
    margin: &str,
    ids: &ShortIds,
    out: &mut dyn Write,
    colour: Colour,
) -> io::Result<()> {
    for (place, branch) in (1..).zip(branches) {
        let (corner, further) = match place == branches.len() {
            true => ("└─ ", "   "),
            false => ("├─ ", "│  "),
        };
        let figures = &branch.figures;
        let figures = format!(
            "{}, {}, {}",
            counted(figures.messages, "message"),
            counted(figures.tool_calls, "tool call"),
            brief_cost(figures.cost)
        );
        writeln!(
            out,
            "{margin}{corner}{}  {}  {}",
            ids.of(branch.session.session_id),
            one_line(title_of(&branch.session), TITLE_CHARS_MAX),
            colour.paint(Style::Faint, figures)
        )?;
        draw(
            &branch.branches,
            &format!("{margin}{further}"),
            ids,
            out,
            colour,
        )?;
    }
    Ok(())
}
