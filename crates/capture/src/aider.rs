//! Chats of Aider: `.aider.chat.history.md` in a repository, Markdown to which every chat is added.
//!
//! `# aider chat started at <local time>` begins a chat, `#### ` marks what the person says, line by
//! line, `> ` what the program says, and the rest is the model's. Nothing has an id: a message's follows
//! from the file, the chat's time, its place and its text. Times have no zone, and are taken for UTC.

use std::path::Path;

use syncline_model::Timestamp;
use syncline_model::session::{
    MessagePatch, Part, Piece, SessionId, SessionPatch, TEXT_CHARS_MAX, Usage, order_after, words,
};

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, SessionKey, UnitKey, Verdict, name_of_path, nanos_of_dollars, owned, set,
    set_some, take_unit, title_of,
};
use crate::import::Tally;

const AGENT: Agent = Agent::Aider;
const BEGINS: &str = "# aider chat started at ";
/// What the program says of a response's tokens.
const TOKENS: &str = "Tokens: ";

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    User,
    Program,
    Model,
}

/// Reads the file.
pub(crate) fn read_whole(
    path: &Path,
    bytes: &[u8],
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let text = String::from_utf8_lossy(bytes);
    let project = path.parent().and_then(|path| path.to_str());
    let begins = format!("\n{BEGINS}");
    let mut chats = text.split(&begins);
    let first = chats.next().unwrap_or_default();
    let first = first.trim_start().strip_prefix(BEGINS);
    for chat in first.into_iter().chain(chats) {
        let (began, rest) = chat.split_once('\n').unwrap_or((chat, ""));
        let native = format!("{}#{}", project.unwrap_or_default(), began.trim());
        let mut chat = Chat {
            session: SessionKey::plain(&native).id(AGENT),
            native,
            at: began.trim().replacen(' ', "T", 1) + "Z",
            model: None,
            order: None,
            number: 0,
            response: None,
            known,
            facts,
        };
        chat.begin(project, rest, tally);
        for (voice, said) in turns(rest) {
            let verdict = chat.turn(voice, &said);
            tally.count(verdict, None);
        }
    }
}

/// The chat's turns: lines that one voice speaks one after the other.
fn turns(text: &str) -> Vec<(Voice, String)> {
    let mut turns: Vec<(Voice, String)> = Vec::new();
    for line in text.lines() {
        let (voice, said) = match (line.strip_prefix("#### "), line.strip_prefix('>')) {
            (Some(said), _) => (Voice::User, said),
            (None, Some(said)) => (Voice::Program, said.strip_prefix(' ').unwrap_or(said)),
            (None, None) if line == "####" => (Voice::User, ""),
            (None, None) => (Voice::Model, line),
        };
        let said = said.trim_end();
        match turns.last_mut() {
            // A blank line ends no turn.
            Some((_, last)) if line.trim().is_empty() => last.push('\n'),
            Some((speaking, last)) if *speaking == voice => {
                last.push('\n');
                last.push_str(said);
            }
            None if line.trim().is_empty() => {}
            _ => turns.push((voice, said.to_owned())),
        }
    }
    let whole = turns
        .into_iter()
        .map(|(voice, said)| (voice, said.trim().to_owned()));
    whole.filter(|(_, said)| !said.is_empty()).collect()
}

struct Chat<'a> {
    session: SessionId,
    native: String,
    at: String,
    model: Option<String>,
    order: Option<i64>,
    number: u64,
    /// The response that was spoken last, until it is told what that has used.
    response: Option<String>,
    known: &'a mut dyn Known,
    facts: &'a mut Facts,
}

impl Chat<'_> {
    fn at(&self) -> Option<Timestamp> {
        self.at.parse().ok()
    }

    fn begin(&mut self, project: Option<&str>, text: &str, tally: &mut Tally<'_>) {
        let said = |mark: &str| {
            let mut lines = text.lines().filter_map(|line| line.strip_prefix("> "));
            let found = lines.find_map(|line| line.strip_prefix(mark))?;
            Some(found.split_whitespace().next()?.to_owned())
        };
        self.model = said("Main model: ").or_else(|| said("Model: "));
        let version = said("Aider v");
        let title = turns(text).into_iter();
        let title = title
            .filter(|(voice, _)| *voice == Voice::User)
            .find_map(|(_, said)| title_of(&said));
        let patch = SessionPatch {
            agent: set(AGENT.as_str()),
            native_id: set(&self.native),
            title: set_some(title.as_deref()),
            project_path: set_some(project),
            project_name: set_some(project.and_then(name_of_path)),
            agent_version: set_some(version.as_deref()),
            model: set_some(self.model.as_deref()),
            started_at: self.at().into(),
            ..SessionPatch::default()
        };
        let content = serde_json::to_string(&patch).unwrap_or_default();
        let key = UnitKey::of(&["aider chat", &self.native]);
        let new = take_unit(self.known, key, &[&content]);
        if new {
            self.facts.session(self.session, patch);
        }
        tally.count(if new { Verdict::New } else { Verdict::Known }, None);
    }

    fn turn(&mut self, voice: Voice, said: &str) -> Verdict {
        self.number += 1;
        let id = self.number.to_string();
        let order = order_after(self.order, self.at());
        self.order = Some(order + 2 + (said.len() / TEXT_CHARS_MAX) as i64);
        if voice == Voice::Model {
            self.response = Some(id.clone());
        }
        let tokens = said.lines().filter_map(|line| line.strip_prefix(TOKENS));
        let tokens: Vec<_> = tokens.filter(|_| voice == Voice::Program).collect();
        let spent = (!tokens.is_empty()).then(|| self.response.take()).flatten();
        let key = UnitKey::of(&["aider turn", &self.native, &id]);
        if !take_unit(self.known, key, &[said]) {
            return Verdict::Known;
        }
        let (role, kind) = match voice {
            Voice::User => (words::USER, None),
            Voice::Model => (words::ASSISTANT, None),
            Voice::Program => ("system", Some("output")),
        };
        let model = self.model.as_deref().filter(|_| voice == Voice::Model);
        let patch = MessagePatch {
            id: owned(&id),
            role: set(role),
            kind: set_some(kind),
            model: set_some(model),
            at: self.at().into(),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        self.facts.message(self.session, patch);
        let part = Part {
            message_id: owned(&id),
            id: "0".into(),
            kind: words::TEXT.into(),
            order: order + 1,
            text: owned(said),
            ..Part::default()
        };
        self.facts.part(self.session, part);
        for (place, line) in tokens.into_iter().enumerate() {
            // The first line is the response's, and others are nobody's.
            let response = spent.as_deref().filter(|_| place == 0);
            self.used(line, format!("{id}.{place}"), response, order);
        }
        Verdict::New
    }

    /// `4.9k sent, 1.2k cache hit, 1.0k received. Cost: $0.03 message, $0.05 session.`
    fn used(&mut self, line: &str, id: String, response: Option<&str>, order: i64) {
        let count = |mark: &str| {
            let end = line.find(mark)?;
            let word = line[..end].trim_end().rsplit([' ', ',']).next()?;
            amount(word)
        };
        let cost = line.split_once("Cost: $").and_then(|(_, rest)| {
            let word = rest.split_whitespace().next()?;
            word.parse::<f64>().ok()
        });
        let cached = count(" cache hit").unwrap_or_default();
        let written = count(" cache write").unwrap_or_default();
        // What was sent is told with what was written to the cache and what was found there.
        let sent = count(" sent").unwrap_or_default();
        if let Some(message) = response {
            let patch = MessagePatch {
                id: owned(message),
                response_id: set(&id),
                ..MessagePatch::default()
            };
            self.facts.message(self.session, patch);
        }
        let usage = Usage {
            id: id.into(),
            order,
            message_id: response.map(owned),
            model: self.model.as_deref().map(owned),
            at: self.at(),
            input: sent.saturating_sub(cached).saturating_sub(written),
            output: count(" received").unwrap_or_default(),
            cache_read: cached,
            cache_write_5m: written,
            cost_nanos: cost.and_then(nanos_of_dollars),
            ..Usage::default()
        };
        self.facts.say(self.session, Piece::Usage(usage));
    }
}

/// `4.9k`, `1.2M` or `512`.
fn amount(word: &str) -> Option<u64> {
    let (digits, unit) = match word.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1e3),
        None => match word.strip_suffix('M') {
            Some(digits) => (digits, 1e6),
            None => (word, 1.0),
        },
    };
    let number: f64 = digits.parse().ok()?;
    (number.is_finite() && number >= 0.0).then(|| (number * unit).round() as u64)
}
