//! What of a batch is news, as ops.
//!
//! The ids of sessions follow from agent and id, as importers make them: what a recorder sends and what
//! a transcript tells of one session come together. A session that was told of before its agent was keeps
//! its id, for both.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::json;
use syncline_model::session::{
    Batch, Change, MessagePatch, Part, Piece, Precedence, SessionId, SessionPatch, Usage,
    pieces_of_text, session_id, words,
};
use syncline_model::{Payload, Scope};
use syncline_protocol::ErrorCode;
use syncline_store::TenantFile;
use syncline_store::sessions::{agent_of_native, news, session_of_native};

use super::sent::{Field, Moment, SentBatch, SentMessage, SentSession};
use crate::error::ApiError;
use crate::routes::decide::Stop;
use crate::tenant::NewOp;

/// The source of sessions that come in batches, and the id of the part that a message's text is: those
/// under which a recorder's own store is imported.
const RECORDER: &str = "clankers";
/// The agent whose messages the recorder numbers itself, and the kind of such messages.
const NUMBERED_AGENT: &str = "claude-code";
const RECORDED: &str = "recorded";
/// What a recorder calls a session that it knows no title of.
const NO_TITLE: &str = "Untitled Session";

/// The ops that write what of a batch is not in the view.
pub(super) fn plan(file: &TenantFile, batch: &SentBatch) -> Result<Vec<NewOp>, Stop> {
    let mut told = Told::default();
    let known = whose(file, batch)?;
    for sent in batch.sessions() {
        told.session(&known, sent);
    }
    for sent in batch.messages() {
        told.message(&known, sent);
    }
    told.sessions
        .into_iter()
        .map(|session| session.ops(file))
        .collect::<Result<Vec<_>, _>>()
        .map(|ops| ops.into_iter().flatten().collect())
}

/// The sessions of a batch by the ids that their agents gave them, and by what a row says of its agent.
type Known<'b> = HashMap<(&'b str, Option<&'b str>), Whose<'b>>;

/// Whose a session is, and which.
struct Whose<'b> {
    agent: Cow<'b, str>,
    id: SessionId,
}

/// Whose each session is: as its row says, else as the other rows of its id say, else as is known.
fn whose<'b>(file: &TenantFile, batch: &'b SentBatch) -> Result<Known<'b>, Stop> {
    let sessions = batch.sessions().iter().enumerate();
    let messages = batch.messages().iter().enumerate();
    let said = sessions.map(|(n, row)| (("sessions", n), &*row.id, said_text(&row.source)));
    let said = said.chain(
        messages.map(|(n, row)| (("messages", n), &*row.session_id, said_text(&row.source))),
    );
    let mut named: HashMap<&str, Vec<&str>> = HashMap::new();
    for (_, native, agent) in said.clone() {
        let agents = named.entry(native).or_default();
        agents.extend(agent.filter(|agent| !agents.contains(agent)));
    }
    let mut known = Known::with_capacity(named.len());
    for (&native, agents) in &named {
        let mut taken = Vec::with_capacity(agents.len());
        for &agent in agents {
            let mut id = session_of_native(file.connection(), agent, native)?;
            // A session that is nobody's yet goes to the first agent alone.
            if taken.contains(&id) {
                id = session_id(agent, native, "");
            }
            taken.push(id);
            let row = (native, Some(agent));
            let agent = Cow::Borrowed(agent);
            known.insert(row, Whose { agent, id });
        }
    }
    for (row, native, agent) in said {
        if agent.is_none() && !known.contains_key(&(native, None)) {
            let whose = whose_unsaid(file, &known, native, &named[native], row)?;
            known.insert((native, None), whose);
        }
    }
    Ok(known)
}

/// Whose the session is of which a row says nothing: of the one agent that others of the batch name for
/// its id, else as is known.
fn whose_unsaid<'b>(
    file: &TenantFile,
    known: &Known<'b>,
    native: &'b str,
    named: &[&'b str],
    row: (&str, usize),
) -> Result<Whose<'b>, Stop> {
    let agent = match named {
        [agent] => Cow::Borrowed(*agent),
        _ => match agent_of_native(file.connection(), native)? {
            Some(agent) if named.is_empty() || agent != words::NOBODY => Cow::Owned(agent),
            _ if named.is_empty() => Cow::Borrowed(words::NOBODY),
            _ => return Err(of_several(native, named, row).into()),
        },
    };
    let id = match known.get(&(native, Some(&*agent))) {
        Some(whose) => whose.id,
        None => session_of_native(file.connection(), &agent, native)?,
    };
    Ok(Whose { agent, id })
}

fn of_several(native: &str, named: &[&str], (rows, place): (&str, usize)) -> ApiError {
    let field = format!("{rows}[{place}].source");
    let message = format!(
        "{field} doesn't say whose session {native:?} is, and the batch has one of each of {}: \
         say whose in source",
        named.join(", ")
    );
    ApiError::new(ErrorCode::Ambiguous, message).details(json!({ "field": field, "agents": named }))
}

/// All that a batch tells, each thing once: of two rows of one thing the later counts, field by field.
#[derive(Default)]
struct Told<'b> {
    sessions: Vec<ToldSession<'b>>,
    places: HashMap<SessionId, usize>,
}

struct ToldSession<'b> {
    id: SessionId,
    patch: SessionPatch<'b>,
    messages: Vec<ToldMessage<'b>>,
    places: HashMap<&'b str, usize>,
}

struct ToldMessage<'b> {
    patch: MessagePatch<'b>,
    text: Option<&'b str>,
    usage: Option<Usage<'b>>,
}

impl<'b> Told<'b> {
    fn of(&mut self, whose: &Whose<'b>, native: &'b str) -> &mut ToldSession<'b> {
        let Whose { agent, id } = whose;
        let id = *id;
        let place = *self.places.entry(id).or_insert_with(|| {
            self.sessions.push(ToldSession {
                id,
                patch: SessionPatch {
                    agent: Change::Set(agent.clone()),
                    native_id: Change::Set(native.into()),
                    ..SessionPatch::default()
                },
                messages: Vec::new(),
                places: HashMap::new(),
            });
            self.sessions.len() - 1
        });
        &mut self.sessions[place]
    }

    fn session(&mut self, known: &Known<'b>, sent: &'b SentSession) {
        let title = match &sent.title {
            Change::Set(title) if title == NO_TITLE => Change::Keep,
            other => change(other),
        };
        let patch = SessionPatch {
            title,
            project_path: change(&sent.project_path),
            project_name: change(&sent.project_name),
            cwd: change(&sent.project_path),
            model: change(&sent.model),
            provider: change(&sent.provider),
            status: change(&sent.status),
            source: Change::Set(RECORDER.into()),
            permission_mode: change(&sent.permission_mode),
            started_at: time(&sent.created_at),
            updated_at: time(&sent.updated_at),
            ended_at: time(&sent.ended_at),
            reported_input_tokens: sent.prompt_tokens.clone(),
            reported_output_tokens: sent.completion_tokens.clone(),
            reported_cost_nanos: sent.cost.clone().map(|cost| (cost * 1e9).round() as u64),
            reported_message_count: sent.message_count.clone(),
            reported_tool_call_count: sent.tool_call_count.clone(),
            ..SessionPatch::default()
        };
        self.of(&known[&(&*sent.id, said_text(&sent.source))], &sent.id)
            .patch
            .then(patch);
    }

    fn message(&mut self, known: &Known<'b>, sent: &'b SentMessage) {
        let mut told = read_message(sent);
        let whose = &known[&(&*sent.session_id, said_text(&sent.source))];
        // Such ids are the recorder's, made anew for what a transcript tells under ids of its own: what
        // has one is kept, and not counted.
        let is_numbered = sent
            .id
            .strip_prefix(&*sent.session_id)
            .is_some_and(|number| number.starts_with('-'));
        if is_numbered && whose.agent == NUMBERED_AGENT {
            told.patch.kind = Change::Set(RECORDED.into());
            told.usage = None;
        }
        let session = self.of(whose, &sent.session_id);
        match session.places.get(&*sent.id) {
            Some(&place) => session.messages[place].then(told),
            None => {
                session.places.insert(&sent.id, session.messages.len());
                session.messages.push(told);
            }
        }
    }
}

fn read_message(sent: &SentMessage) -> ToldMessage<'_> {
    let counted = |tokens: &Change<u64>| match tokens {
        Change::Set(count) => *count,
        Change::Keep | Change::Clear => 0,
    };
    let (input, output) = (
        counted(&sent.prompt_tokens),
        counted(&sent.completion_tokens),
    );
    let patch = MessagePatch {
        id: (&*sent.id).into(),
        role: change(&sent.role),
        model: change(&sent.model),
        at: time(&sent.created_at),
        completed_at: time(&sent.completed_at),
        duration_ms: sent.duration_ms.clone(),
        ..MessagePatch::default()
    };
    // Before all orders: what a transcript tells of the response counts instead.
    let usage = (input > 0 || output > 0).then(|| Usage {
        id: (&*sent.id).into(),
        message_id: Some((&*sent.id).into()),
        model: said_text(&sent.model).map(Cow::Borrowed),
        at: match sent.created_at {
            Change::Set(Moment(at)) => Some(at),
            Change::Keep | Change::Clear => None,
        },
        input,
        output,
        ..Usage::default()
    });
    ToldMessage {
        patch,
        text: said_text(&sent.text_content),
        usage,
    }
}

impl<'b> ToldMessage<'b> {
    fn then(&mut self, later: Self) {
        self.patch.then(later.patch);
        self.text = later.text.or(self.text);
        self.usage = later.usage.or(self.usage.take());
    }

    fn pieces(self) -> impl Iterator<Item = Piece<'b>> {
        let id = self.patch.id.clone();
        let texts = self.text.into_iter().flat_map(pieces_of_text).enumerate();
        let parts = texts.map(move |(number, text)| {
            Piece::Part(Part {
                message_id: id.clone(),
                id: match number {
                    0 => RECORDER.into(),
                    _ => format!("{RECORDER}+{number}").into(),
                },
                kind: words::TEXT.into(),
                order: number as i64,
                text: text.into(),
                continues: number > 0,
                ..Part::default()
            })
        });
        std::iter::once(Piece::Message(self.patch))
            .chain(parts)
            .chain(self.usage.map(Piece::Usage))
    }
}

impl ToldSession<'_> {
    fn ops(self, file: &TenantFile) -> Result<Vec<NewOp>, Stop> {
        let id = self.id;
        let op = |payload: Payload| NewOp {
            scope: Scope::session(),
            resource: id.into(),
            payload,
        };
        let too_large = |error| -> Stop { ApiError::internal(error).into() };
        let session = Piece::Session(Box::new(self.patch));
        let messages = self.messages.into_iter().flat_map(ToldMessage::pieces);
        let (mut batch, mut ops) = (Batch::default(), Vec::new());
        for piece in std::iter::once(session).chain(messages) {
            if let Some(piece) = news(file.connection(), id, piece, Precedence::Unknown)? {
                ops.extend(batch.push(&piece).map_err(too_large)?.map(op));
            }
        }
        ops.extend(batch.finish().map_err(too_large)?.map(op));
        Ok(ops)
    }
}

/// A text that says something.
fn said_text(field: &Field) -> Option<&str> {
    match field {
        Change::Set(text) if !text.is_empty() => Some(text),
        Change::Set(_) | Change::Keep | Change::Clear => None,
    }
}

fn change(field: &Field) -> Change<Cow<'_, str>> {
    match field {
        Change::Clear => Change::Clear,
        Change::Set(_) | Change::Keep => said_text(field).map(Cow::Borrowed).into(),
    }
}

fn time(moment: &Change<Moment>) -> Change<syncline_model::Timestamp> {
    moment.clone().map(|Moment(at)| at)
}
