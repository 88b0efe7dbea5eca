//! Importers on transcripts: what the view says, against what the files say.

#[path = "importers/agents.rs"]
mod agents;
#[path = "importers/claude_code.rs"]
mod claude_code;
#[path = "importers/known.rs"]
mod known;
#[path = "importers/place.rs"]
mod place;
#[path = "importers/private.rs"]
mod private;
#[path = "importers/script.rs"]
mod script;
