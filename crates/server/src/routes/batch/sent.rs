//! A batch as it is sent.

use serde::{Deserialize, Deserializer};
use syncline_model::Timestamp;
use syncline_model::session::Change;
use syncline_protocol::ErrorCode;
use syncline_redact::Redactor;

use crate::error::ApiError;

/// Rows of one batch: ten times as many as its senders put into one. Each is looked up in the view
/// while others wait.
const ROWS_MAX: usize = 1_000;
/// The longest field but a message's text: a path's length, and all of a row's together fit into a
/// payload however they are escaped.
const FIELD_CHARS_MAX: usize = 4_096;
/// More than any session costs; a larger one is no amount of dollars.
const DOLLARS_MAX: f64 = 1e6;

/// What is asked to be taken. A field that is left out of a row, or is an empty text, says nothing; one
/// that is null empties what is known.
#[derive(Debug, Deserialize)]
pub(super) struct SentBatch {
    sessions: Option<Vec<SentSession>>,
    messages: Option<Vec<SentMessage>>,
    /// When it was put together. Nothing follows from a client's clock.
    #[serde(rename = "sync_timestamp")]
    _sync_timestamp: Option<Moment>,
}

/// A row of a session.
#[derive(Debug, Deserialize)]
pub(super) struct SentSession {
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: Field,
    #[serde(default)]
    pub(super) project_path: Field,
    #[serde(default)]
    pub(super) project_name: Field,
    #[serde(default)]
    pub(super) model: Field,
    #[serde(default)]
    pub(super) provider: Field,
    /// The agent.
    #[serde(default)]
    pub(super) source: Field,
    #[serde(default)]
    pub(super) status: Field,
    #[serde(default)]
    pub(super) permission_mode: Field,
    #[serde(default)]
    pub(super) prompt_tokens: Change<u64>,
    #[serde(default)]
    pub(super) completion_tokens: Change<u64>,
    /// Dollars.
    #[serde(default)]
    pub(super) cost: Change<f64>,
    #[serde(default)]
    pub(super) message_count: Change<u64>,
    #[serde(default)]
    pub(super) tool_call_count: Change<u64>,
    #[serde(default)]
    pub(super) created_at: Change<Moment>,
    #[serde(default)]
    pub(super) updated_at: Change<Moment>,
    #[serde(default)]
    pub(super) ended_at: Change<Moment>,
}

/// A row of a message.
#[derive(Debug, Deserialize)]
pub(super) struct SentMessage {
    pub(super) id: String,
    pub(super) session_id: String,
    #[serde(default)]
    pub(super) role: Field,
    #[serde(default)]
    pub(super) text_content: Field,
    #[serde(default)]
    pub(super) model: Field,
    /// The agent.
    #[serde(default)]
    pub(super) source: Field,
    #[serde(default)]
    pub(super) prompt_tokens: Change<u64>,
    #[serde(default)]
    pub(super) completion_tokens: Change<u64>,
    #[serde(default)]
    pub(super) duration_ms: Change<u64>,
    #[serde(default)]
    pub(super) created_at: Change<Moment>,
    #[serde(default)]
    pub(super) completed_at: Change<Moment>,
}

/// A text.
pub(super) type Field = Change<String>;

/// A time, as rows or as JSON write it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected a time: milliseconds since 1970, or RFC 3339"
        )]
        enum Wire {
            Millis(i64),
            Text(Timestamp),
        }
        Ok(Self(match Wire::deserialize(deserializer)? {
            Wire::Millis(millis) => {
                Timestamp::from_millis(millis).map_err(serde::de::Error::custom)?
            }
            Wire::Text(time) => time,
        }))
    }
}

impl SentBatch {
    pub(super) fn sessions(&self) -> &[SentSession] {
        self.sessions.as_deref().unwrap_or_default()
    }

    pub(super) fn messages(&self) -> &[SentMessage] {
        self.messages.as_deref().unwrap_or_default()
    }

    /// Takes the secrets out of what the rows say. Ids and agents stay: by them the rows come together
    /// with what transcripts tell.
    pub(super) fn redact(&mut self, redactor: &Redactor) {
        for session in self.sessions.iter_mut().flatten() {
            for field in [
                &mut session.title,
                &mut session.project_path,
                &mut session.project_name,
                &mut session.model,
                &mut session.provider,
                &mut session.status,
                &mut session.permission_mode,
            ] {
                redact(field, redactor);
            }
        }
        for message in self.messages.iter_mut().flatten() {
            for field in [
                &mut message.role,
                &mut message.text_content,
                &mut message.model,
            ] {
                redact(field, redactor);
            }
        }
    }

    /// Refuses what can be read and not be taken.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.sessions.is_none() && self.messages.is_none() {
            let message = "must have sessions or messages";
            return Err(ApiError::invalid_field("body", message));
        }
        let rows = self.sessions().len() + self.messages().len();
        if rows > ROWS_MAX {
            let message =
                format!("{rows} rows are more than the {ROWS_MAX} of one batch: send several");
            return Err(ApiError::new(ErrorCode::PayloadTooLarge, message));
        }
        for (n, session) in self.sessions().iter().enumerate() {
            session.check(&format!("sessions[{n}]"))?;
        }
        for (n, message) in self.messages().iter().enumerate() {
            message.check(&format!("messages[{n}]"))?;
        }
        Ok(())
    }
}

fn redact(field: &mut Field, redactor: &Redactor) {
    if let Change::Set(text) = field {
        let clean = redactor.redact_text(text);
        if !clean.findings.is_empty() {
            *text = clean.text.into_owned();
        }
    }
}

impl SentSession {
    fn check(&self, row: &str) -> Result<(), ApiError> {
        check_id(row, "id", &self.id)?;
        for (name, field) in [
            ("title", &self.title),
            ("project_path", &self.project_path),
            ("project_name", &self.project_name),
            ("model", &self.model),
            ("provider", &self.provider),
            ("source", &self.source),
            ("status", &self.status),
            ("permission_mode", &self.permission_mode),
        ] {
            check_text(row, name, field)?;
        }
        match self.cost {
            Change::Set(cost) if !(0.0..=DOLLARS_MAX).contains(&cost) => {
                let message = format!("must be dollars, from 0 to {DOLLARS_MAX}");
                Err(ApiError::invalid_field(&format!("{row}.cost"), message))
            }
            Change::Set(_) | Change::Keep | Change::Clear => Ok(()),
        }
    }
}

impl SentMessage {
    fn check(&self, row: &str) -> Result<(), ApiError> {
        check_id(row, "id", &self.id)?;
        check_id(row, "session_id", &self.session_id)?;
        for (name, field) in [
            ("role", &self.role),
            ("model", &self.model),
            ("source", &self.source),
        ] {
            check_text(row, name, field)?;
        }
        Ok(())
    }
}

fn check_id(row: &str, name: &str, id: &str) -> Result<(), ApiError> {
    if id.is_empty() || id.chars().count() > FIELD_CHARS_MAX {
        let message = format!("must have 1 to {FIELD_CHARS_MAX} characters");
        return Err(ApiError::invalid_field(&format!("{row}.{name}"), message));
    }
    Ok(())
}

fn check_text(row: &str, name: &str, field: &Field) -> Result<(), ApiError> {
    match field {
        Change::Set(text) if text.chars().count() > FIELD_CHARS_MAX => {
            let message = format!("must have {FIELD_CHARS_MAX} characters at most");
            Err(ApiError::invalid_field(&format!("{row}.{name}"), message))
        }
        Change::Set(_) | Change::Keep | Change::Clear => Ok(()),
    }
}
