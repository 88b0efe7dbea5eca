//! The readers of all agents, and what each must remember of a file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use syncline_store::StoreError;
use syncline_store::foreign::ForeignDatabase;

use crate::agent::Agent;
use crate::facts::{Facts, Known, Verdict, keep_damaged_line};
use crate::import::Tally;
use crate::redact::Redactor;
use crate::unit::Unit;
use crate::{aider, clankers, claude_code, codex, cursor, gemini, opencode};

/// A reader, with what it remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "reader", rename_all = "kebab-case")]
pub(crate) enum Reader {
    ClaudeCode(Box<claude_code::Memory>),
    Codex(Box<codex::Memory>),
    Cursor(Box<cursor::Memory>),
    Gemini(Box<gemini::Memory>),
    /// Of files that are read whole, each time from nothing.
    OpenCode,
    Aider,
    Clankers,
}

/// The version of the reader of an agent's transcripts, from 0. Raised where it tells more than before of
/// what is read already, or where redaction finds more: files that an older one has read are then read once
/// more from their starts.
pub(crate) const fn version(agent: Agent) -> u32 {
    match agent {
        // What members, arguments, commands and labels give away, here as in all. Before that: where a file that is one
        // value takes place, what is damaged, what is no text in a message, and files without a header.
        Agent::Gemini => 7,
        // Before that: what is damaged, what the second version keeps, tries that have failed, and what has no role.
        Agent::OpenCode => 7,
        // Before that: what was queued is told once, with what is beside its words, and what the agent itself says.
        Agent::ClaudeCode => 6,
        // Before that: what is damaged, prompts that no event tells, what is neither text nor image stays as it stands,
        // and files go by their names where no header can be read.
        Agent::Codex => 7,
        // Before that: what is damaged, lines go by their numbers in the file, what is attached, errors, and calls
        // without names.
        Agent::Cursor => 7,
        // Before that: messages name their responses, and chats of one second are told apart.
        Agent::Aider => 5,
        Agent::Clankers => 3,
    }
}

impl Reader {
    /// The reader of a file that was never read.
    pub(crate) fn of(agent: Agent, path: &Path) -> Self {
        match agent {
            Agent::ClaudeCode => Self::ClaudeCode(Box::new(claude_code::memory_of(path))),
            Agent::Codex => Self::Codex(Box::new(codex::memory_of(path))),
            Agent::Cursor => Self::Cursor(Box::new(cursor::memory_of(path))),
            Agent::Gemini => Self::Gemini(Box::new(gemini::memory_of(path))),
            Agent::OpenCode => Self::OpenCode,
            Agent::Aider => Self::Aider,
            Agent::Clankers => Self::Clankers,
        }
    }

    /// Reads the line of this number. One that is damaged is kept as it stands.
    pub(crate) fn line(
        &mut self,
        number: u64,
        text: &str,
        known: &mut dyn Known,
        facts: &mut Facts,
    ) -> Verdict {
        let verdict = match self {
            Self::ClaudeCode(memory) => claude_code::read(text, memory, known, facts),
            Self::Codex(memory) => codex::read(text, memory, known, facts),
            Self::Cursor(memory) => cursor::read(number, text, memory, known, facts),
            Self::Gemini(memory) => gemini::read(text, memory, known, facts),
            Self::OpenCode | Self::Aider | Self::Clankers => {
                Verdict::Damaged("it is no transcript of lines".to_owned())
            }
        };
        if matches!(verdict, Verdict::Damaged(_)) {
            self.keep(text, known, facts);
        }
        verdict
    }

    /// Keeps a damaged line, where it is known whose it is: without a session nothing could keep it.
    fn keep(&mut self, text: &str, known: &mut dyn Known, facts: &mut Facts) {
        let (session, order) = match self {
            Self::ClaudeCode(memory) => (memory.named(), &mut memory.order),
            Self::Codex(memory) => (codex::enter(memory, known, facts), &mut memory.order),
            Self::Cursor(memory) => (cursor::enter(memory, known, facts), &mut memory.order),
            Self::Gemini(memory) => (gemini::enter(memory, known, facts), &mut memory.order),
            Self::OpenCode | Self::Aider | Self::Clankers => return,
        };
        if let Some(session) = session {
            keep_damaged_line(session, text, order, facts);
        }
    }

    /// The latest place that was given in the order of its file.
    pub(crate) fn order(&self) -> Option<i64> {
        match self {
            Self::ClaudeCode(memory) => memory.order,
            Self::Codex(memory) => memory.order,
            Self::Gemini(memory) => memory.order,
            // Lines of Cursor have no times: how many there are tells how far a copy goes. The others tell of it
            // with each session, and what recorders keep weighs less than what their agents do.
            Self::Cursor(_) | Self::OpenCode | Self::Aider | Self::Clankers => None,
        }
    }

    /// Has read all that its file says: what waited for more of it is said.
    pub(crate) fn end(&mut self, facts: &mut Facts) {
        match self {
            Self::ClaudeCode(memory) => memory.end(),
            Self::Codex(_) => self.pause(facts),
            // What the others remember has nothing of what was said.
            Self::Cursor(_) | Self::Gemini(_) => {}
            Self::OpenCode | Self::Aider | Self::Clankers => {}
        }
    }

    /// Says what is held back until more is read, as it is not written down with what is remembered.
    pub(crate) fn pause(&mut self, facts: &mut Facts) {
        match self {
            Self::Codex(memory) => codex::release(memory, facts),
            Self::ClaudeCode(_) | Self::Cursor(_) | Self::Gemini(_) => {}
            Self::OpenCode | Self::Aider | Self::Clankers => {}
        }
    }

    /// Reads a file that is one value.
    pub(crate) fn whole(
        &mut self,
        path: &Path,
        bytes: &[u8],
        known: &mut dyn Known,
        facts: &mut Facts,
        tally: &mut Tally<'_>,
    ) {
        match self {
            Self::Gemini(memory) => gemini::read_whole(bytes, memory, known, facts, tally),
            Self::OpenCode => opencode::read_file(path, bytes, known, facts, tally),
            Self::Aider => aider::read_whole(path, bytes, known, facts, tally),
            Self::ClaudeCode(_) | Self::Codex(_) | Self::Cursor(_) | Self::Clankers => {
                tally.count(Verdict::Damaged("it is no transcript".to_owned()), None);
            }
        }
    }

    /// What a database holds: sessions, or other units that can be read one by one.
    pub(crate) fn units(
        &self,
        database: &ForeignDatabase,
        tally: &mut Tally<'_>,
    ) -> Result<Vec<String>, StoreError> {
        match self {
            Self::OpenCode => opencode::units(database, tally),
            Self::Cursor(_) => cursor::units(database),
            Self::Clankers => clankers::units(database, tally),
            Self::ClaudeCode(_) | Self::Codex(_) | Self::Gemini(_) | Self::Aider => {
                tally.count(Verdict::Damaged("it is no transcript".to_owned()), None);
                Ok(Vec::new())
            }
        }
    }

    /// Reads a unit of a database.
    pub(crate) fn unit(&self, unit: Unit<'_, '_>) -> Result<(), StoreError> {
        match self {
            Self::OpenCode => opencode::read_unit(unit),
            Self::Cursor(memory) => cursor::read_unit(memory, unit),
            Self::Clankers => clankers::read_unit(unit),
            // They have none.
            Self::ClaudeCode(_) | Self::Codex(_) | Self::Gemini(_) | Self::Aider => Ok(()),
        }
    }

    /// Takes the secrets out of what is remembered, which is written beside the ops.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        let raw = to_raw_value(self).expect("a memory is written as JSON");
        let clean = redactor.redact_raw(&raw);
        if !clean.findings.is_empty() {
            *self = serde_json::from_str(clean.raw.get()).expect("no more than texts have changed");
        }
    }
}
