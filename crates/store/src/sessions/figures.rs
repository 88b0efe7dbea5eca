//! What a session and its subagents amount to.

use rusqlite::Connection;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;

use super::prices::PriceTable;
use crate::StoreError;

/// Tokens by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: u64,
    /// All that was written, thoughts with them.
    pub output: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    /// A part of `output`.
    pub reasoning: u64,
}

impl Tokens {
    pub(super) const fn add(&mut self, other: &Self) {
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.reasoning += other.reasoning;
    }
}

/// What was paid, in billionths of a dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// What agents report.
    pub reported_nanos: u64,
    /// What prices make of the responses of which no cost is reported.
    pub computed_nanos: u64,
    /// How many responses of which no cost is reported are of a model whose price is not known.
    pub unpriced: u64,
}

/// Where a cost is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostSource {
    Reported,
    Computed,
    /// Of some responses the one, of some the other.
    Mixed,
}

impl CostSource {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Computed => "computed",
            Self::Mixed => "mixed",
        }
    }
}

impl Cost {
    pub const fn nanos(self) -> u64 {
        self.reported_nanos.saturating_add(self.computed_nanos)
    }

    /// Where it is from; none if nothing is known of any cost.
    pub const fn source(self) -> Option<CostSource> {
        match (self.reported_nanos > 0, self.computed_nanos > 0) {
            (true, false) => Some(CostSource::Reported),
            (false, true) => Some(CostSource::Computed),
            (true, true) => Some(CostSource::Mixed),
            (false, false) => None,
        }
    }
}

/// Counts and sums of a session, of its subagents too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub messages: u64,
    /// Those of the user; a subagent is told by the model.
    pub prompts: u64,
    pub tool_calls: u64,
    pub tool_errors: u64,
    pub errors: u64,
    pub compactions: u64,
    pub responses: u64,
    pub tokens: Tokens,
    pub cost: Cost,
    /// Its subagents, and theirs.
    pub subagents: u64,
}

/// A session with its subagents, as `tree(id)`. The sign before `parent_kind` and the order of the
/// joins keep SQLite from making an index of its own.
macro_rules! tree {
    ($session:literal) => {
        concat!(
            "WITH RECURSIVE tree(id) AS (VALUES (",
            $session,
            ") UNION SELECT c.session_id FROM tree \
             CROSS JOIN sessions AS c ON c.parent_session = tree.id WHERE +c.parent_kind = 'subagent' \
             AND c.deleted_at IS NULL) "
        )
    };
}
pub(super) use tree;

/// The ids of a session and of its subagents, and theirs.
pub(crate) const TREE_IDS: &str = concat!(tree!("?1"), "SELECT id FROM tree");

const SUMS: &str = concat!(
    tree!("?1"),
    "SELECT sum(message_count), sum(iif(s.parent_kind IS 'subagent', 0, prompt_count)), sum(tool_call_count), sum(tool_error_count), \
     sum(error_count), sum(compaction_count), sum(response_count), sum(input_tokens), \
     sum(output_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), \
     sum(cache_write_1h_tokens), sum(reasoning_tokens), sum(cost_nanos), sum(costed_count), \
     count(*) - 1 FROM tree CROSS JOIN sessions AS s ON s.session_id = tree.id"
);

/// The responses of which no cost is reported, put together by model and day.
const UNCOSTED: &str = concat!(
    tree!("?1"),
    "SELECT coalesce(u.model, ''), min(u.at), count(*), sum(u.input_tokens), sum(u.output_tokens), \
     sum(u.cache_read_tokens), sum(u.cache_write_5m_tokens), sum(u.cache_write_1h_tokens) \
     FROM tree CROSS JOIN session_usage AS u ON u.session_id = tree.id \
     WHERE u.copied = 0 AND u.cost_nanos IS NULL GROUP BY 1, u.at / 86400000"
);

const REPORTED: &str = "SELECT reported_message_count, reported_tool_call_count, \
     reported_input_tokens, reported_output_tokens, reported_cache_read_tokens, \
     reported_cache_write_tokens, reported_reasoning_tokens, reported_cost_nanos \
     FROM sessions WHERE session_id = ?1";

/// The figures of a session. Where nothing is known of messages, tool calls or responses, they are
/// what the agent itself reports; so is the cost where no response has one of its own.
pub fn figures(
    connection: &Connection,
    session: SessionId,
    prices: &PriceTable,
) -> Result<Figures, StoreError> {
    let id = session.to_string();
    let Known {
        mut figures,
        costed,
    } = known(connection, &id)?;
    let nothing_known = [figures.messages, figures.tool_calls, costed];
    if nothing_known.contains(&0) {
        let reported = reported_beside(connection, &id, &figures, costed)?;
        figures.messages += reported.messages;
        figures.tool_calls += reported.tool_calls;
        figures.tokens.add(&reported.tokens);
        figures.cost.reported_nanos += reported.cost_nanos;
    }
    let is_costed = costed == 0 && figures.cost.reported_nanos > 0;
    if costed < figures.responses && !is_costed {
        price_the_rest(connection, &id, prices, &mut figures.cost)?;
    }
    Ok(figures)
}

/// What is known of the messages, tool calls and responses of a session and its subagents.
struct Known {
    figures: Figures,
    /// Of how many responses a cost is reported.
    costed: u64,
}

fn known(connection: &Connection, id: &str) -> Result<Known, StoreError> {
    let mut statement = connection.prepare_cached(SUMS)?;
    let known = statement.query_row([id], |row| {
        let count = |place| count_cell(row, place);
        let figures = Figures {
            messages: count(0)?,
            prompts: count(1)?,
            tool_calls: count(2)?,
            tool_errors: count(3)?,
            errors: count(4)?,
            compactions: count(5)?,
            responses: count(6)?,
            tokens: Tokens {
                reasoning: count(12)?,
                ..tokens_cells(row, 7)?
            },
            cost: Cost {
                reported_nanos: count(13)?,
                ..Cost::default()
            },
            subagents: count(15)?,
        };
        Ok(Known {
            figures,
            costed: count(14)?,
        })
    });
    Ok(known?)
}

fn price_the_rest(
    connection: &Connection,
    id: &str,
    prices: &PriceTable,
    cost: &mut Cost,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(UNCOSTED)?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let model: String = row.get(0)?;
        cost.add_computed(
            prices,
            &model,
            row.get(1)?,
            count_cell(row, 2)?,
            &tokens_cells(row, 3)?,
        );
    }
    Ok(())
}

impl Cost {
    /// Adds what `responses` of a day cost that used so many tokens together.
    pub(super) fn add_computed(
        &mut self,
        prices: &PriceTable,
        model: &str,
        at_millis: Option<i64>,
        responses: u64,
        tokens: &Tokens,
    ) {
        let at = at_millis.and_then(|at| Timestamp::from_millis(at).ok());
        match prices.cost_nanos(model, at, tokens) {
            Some(nanos) => self.computed_nanos = self.computed_nanos.saturating_add(nanos),
            None => self.unpriced += responses,
        }
    }
}

/// What an agent reports of a session as a whole, where nothing else tells it: elsewhere 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reported {
    pub messages: u64,
    pub tool_calls: u64,
    pub tokens: Tokens,
    /// Where there is one, prices make none of the session's responses.
    pub cost_nanos: u64,
}

/// What the agent reports of a session as a whole that nothing else tells.
pub(super) fn reported(connection: &Connection, id: &str) -> Result<Reported, StoreError> {
    let Known { figures, costed } = known(connection, id)?;
    reported_beside(connection, id, &figures, costed)
}

fn reported_beside(
    connection: &Connection,
    id: &str,
    known: &Figures,
    costed: u64,
) -> Result<Reported, StoreError> {
    let mut statement = connection.prepare_cached(REPORTED)?;
    let mut rows = statement.query([id])?;
    let mut reported = Reported::default();
    let Some(row) = rows.next()? else {
        return Ok(reported);
    };
    if known.messages == 0 {
        reported.messages = count_cell(row, 0)?;
    }
    if known.tool_calls == 0 {
        reported.tool_calls = count_cell(row, 1)?;
    }
    if known.responses == 0 {
        reported.tokens = Tokens {
            input: count_cell(row, 2)?,
            output: count_cell(row, 3)?,
            cache_read: count_cell(row, 4)?,
            cache_write_5m: count_cell(row, 5)?,
            cache_write_1h: 0,
            reasoning: count_cell(row, 6)?,
        };
    }
    if costed == 0 {
        reported.cost_nanos = count_cell(row, 7)?;
    }
    Ok(reported)
}

/// A count, 0 where there is none.
pub(super) fn count_cell(row: &rusqlite::Row<'_>, place: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, Option<i64>>(place)?.unwrap_or(0).max(0) as u64)
}

/// Five sums of tokens from `first` on.
pub(super) fn tokens_cells(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Tokens> {
    Ok(Tokens {
        input: count_cell(row, first)?,
        output: count_cell(row, first + 1)?,
        cache_read: count_cell(row, first + 2)?,
        cache_write_5m: count_cell(row, first + 3)?,
        cache_write_1h: count_cell(row, first + 4)?,
        reasoning: 0,
    })
}
