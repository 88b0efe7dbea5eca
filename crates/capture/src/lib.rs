//! What coding agents leave on a machine, read into ops: transcripts, hooks, and the secrets taken out
//! before anything is written.
//!
//! It reads agents' files and never changes them.

pub mod agent;
mod aider;
mod clankers;
pub mod claude_code;
pub mod codex;
mod cursor;
pub mod facts;
mod gemini;
pub mod import;
mod opencode;
pub mod places;
mod reader;
pub mod tail;
mod value;
pub mod walk;

/// Stands where texts lose their secrets: the rules are not in yet, and nothing is imported by a
/// command before they are.
pub mod redact {
    use std::borrow::Cow;

    use serde_json::value::RawValue;

    /// Takes secrets out of texts.
    #[derive(Debug, Default)]
    pub struct Redactor;

    /// A text without its secrets.
    #[derive(Debug)]
    pub struct Redacted<'t> {
        pub text: Cow<'t, str>,
        pub findings: Vec<()>,
    }

    /// A JSON text without its secrets.
    #[derive(Debug)]
    pub struct RedactedRaw<'t> {
        pub raw: Cow<'t, RawValue>,
        pub findings: Vec<()>,
    }

    impl Redactor {
        pub fn standard() -> Self {
            Self
        }

        pub fn redact_text<'t>(&self, text: &'t str) -> Redacted<'t> {
            Redacted {
                text: Cow::Borrowed(text),
                findings: Vec::new(),
            }
        }

        pub fn redact_raw<'t>(&self, raw: &'t RawValue) -> RedactedRaw<'t> {
            RedactedRaw {
                raw: Cow::Borrowed(raw),
                findings: Vec::new(),
            }
        }
    }
}
