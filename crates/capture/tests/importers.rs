//! Importers on transcripts: what the view says, against what the files say.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that meets an error ends there and shows it, and says which files it has read"
)]

#[path = "importers/adopted.rs"]
mod adopted;
#[path = "importers/again.rs"]
mod again;
#[path = "importers/agents.rs"]
mod agents;
#[path = "importers/ahead.rs"]
mod ahead;
#[path = "importers/aider.rs"]
mod aider;
#[path = "importers/clankers.rs"]
mod clankers;
#[path = "importers/claude_code.rs"]
mod claude_code;
#[path = "importers/codex.rs"]
mod codex;
#[path = "importers/count.rs"]
mod count;
#[path = "importers/cursor.rs"]
mod cursor;
#[path = "importers/damaged.rs"]
mod damaged;
#[path = "importers/damaged_stores.rs"]
mod damaged_stores;
#[path = "importers/forks.rs"]
mod forks;
#[path = "importers/gemini.rs"]
mod gemini;
#[path = "importers/grown.rs"]
mod grown;
#[path = "importers/hook.rs"]
mod hook;
#[path = "importers/kin.rs"]
mod kin;
#[path = "importers/known.rs"]
mod known;
#[path = "importers/marked.rs"]
mod marked;
#[path = "importers/mutated.rs"]
mod mutated;
#[path = "importers/numbers.rs"]
mod numbers;
#[path = "importers/opencode.rs"]
mod opencode;
#[path = "importers/opencode_second.rs"]
mod opencode_second;
#[path = "importers/outputs.rs"]
mod outputs;
#[path = "importers/place.rs"]
mod place;
#[path = "importers/private.rs"]
mod private;
#[path = "importers/prompts.rs"]
mod prompts;
#[path = "importers/recorded.rs"]
mod recorded;
#[path = "importers/script.rs"]
mod script;
#[path = "importers/spoken.rs"]
mod spoken;
#[path = "importers/stored.rs"]
mod stored;
#[path = "importers/summaries.rs"]
mod summaries;
#[path = "importers/system.rs"]
mod system;
#[path = "importers/titles.rs"]
mod titles;
#[path = "importers/untold.rs"]
mod untold;
#[path = "importers/untold_units.rs"]
mod untold_units;
#[path = "importers/whole_again.rs"]
mod whole_again;
