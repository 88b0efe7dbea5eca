//! Chats of Aider: `.aider.chat.history.md` in a repository, Markdown to which every chat is added.
//!
//! `# aider chat started at <local time>` begins a chat, `#### ` marks what the person says, line by
//! line, `> ` what the program says, and the rest is the model's. Lines of the first two end with two
//! blanks, unless a tool has taken them off: a model's text has headings and quotations, too. Nothing has an id: a chat's follows
//! from the file, its time, and its place among those of one second, and a message's from its place in the chat.
//! Times have no zone, and are taken for UTC.

mod end;
mod mended;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use syncline_model::Timestamp;
use syncline_model::session::{
    MessagePatch, Part, Piece, SessionId, SessionPatch, TEXT_CHARS_MAX, Usage, order_after, words,
};

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, SessionKey, UnitKey, Verdict, name_of_path, nanos_of_dollars, owned, set,
    set_some, take_about, take_unit,
};
use crate::import::Tally;
use crate::prompt::title_of;
use end::{before_torn_heading, length_of};
use mended::tell_mended;

const AGENT: Agent = Agent::Aider;
const BEGINS: &str = "# aider chat started at ";
/// What the program says of a response's tokens.
const TOKENS: &str = "Tokens: ";

/// How many blanks Aider ends the lines with that it marks as a person's or the program's.
const LINE_END: &str = "  ";

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    User,
    Program,
    Model,
}

/// What tells whose a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// How it begins and how it ends: headings and quotations of a model's text end otherwise.
    BothEnds,
    /// How it begins: something has taken the blanks off the ends of the chat's lines. So the first version of
    /// this reader went, too.
    Beginnings,
}

/// What one voice says.
#[derive(Debug)]
struct Turn {
    id: String,
    voice: Voice,
    said: String,
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
    let text = before_torn_heading(&text);
    let project = path.parent().and_then(|path| path.to_str());
    tell_mended(project.unwrap_or_default(), bytes, known, tally);
    let begins = format!("\n{BEGINS}");
    let mut chats = text.split(&begins);
    let first = chats.next().unwrap_or_default().trim_start();
    let mut begun: HashMap<&str, usize> = HashMap::new();
    for chat in first.strip_prefix(BEGINS).into_iter().chain(chats) {
        let (began, rest) = chat.split_once('\n').unwrap_or((chat, ""));
        let began = began.trim();
        let place = begun.entry(began).or_default();
        *place += 1;
        let native = match *place {
            1 => format!("{}#{began}", project.unwrap_or_default()),
            place => format!("{}#{began}+{place}", project.unwrap_or_default()),
        };
        let (turns, gone) = turns(rest, marks_of(rest));
        if turns.iter().all(|turn| turn.voice == Voice::Program) {
            // The program was started, and left again.
            tally.count(Verdict::Idle, None);
            continue;
        }
        let from = facts.0.len();
        let mut chat = Chat {
            session: SessionKey::plain(&native).id(AGENT),
            native,
            at: began.replacen(' ', "T", 1) + "Z",
            model: None,
            order: None,
            response: None,
            known,
            facts,
        };
        chat.begin(project, rest, &turns, tally);
        for turn in &turns {
            tally.count(chat.turn(turn), None);
        }
        gone.iter().for_each(|id| chat.take_back(id));
        let order = chat.order.map(|order| order + length_of(rest));
        chat.facts.come_up_to(from, order);
    }
}

/// What tells whose the lines of a chat are. Chats before it may have lost their blanks.
fn marks_of(chat: &str) -> Marks {
    let is_marked = |line: &str| mark_of(line) != Voice::Model && line.ends_with(LINE_END);
    match chat.lines().any(is_marked) {
        true => Marks::BothEnds,
        false => Marks::Beginnings,
    }
}

/// Whose a line is by how it begins.
fn mark_of(line: &str) -> Voice {
    if line.starts_with("#### ") || line.trim_end() == "####" {
        Voice::User
    } else if line.starts_with('>') {
        Voice::Program
    } else {
        Voice::Model
    }
}

/// The chat's turns: lines that one voice speaks one after the other. Beside them the ids of what the first
/// version of this reader took for turns, and is part of others. What both find has one id.
fn turns(text: &str, marks: Marks) -> (Vec<Turn>, Vec<String>) {
    let before = spoken(text, Marks::Beginnings);
    let mut turns: Vec<Turn> = Vec::new();
    let mut splits = 0;
    for spoken in spoken(text, marks) {
        let number = before.partition_point(|one| one.line <= spoken.line).max(1);
        let id = number.to_string();
        let mut latest = turns.iter().rev().take(splits + 1);
        let is_taken = latest.any(|turn| turn.id == id);
        splits = if is_taken { splits + 1 } else { 0 };
        turns.push(Turn {
            id: if is_taken {
                format!("{id}+{splits}")
            } else {
                id
            },
            voice: spoken.voice,
            said: spoken.said.trim().to_owned(),
        });
    }
    let ids: HashSet<&str> = turns.iter().map(|turn| turn.id.as_str()).collect();
    let gone = (1..=before.len()).map(|number| number.to_string());
    let gone = gone.filter(|id| !ids.contains(id.as_str())).collect();
    (turns, gone)
}

/// What one voice says, and the line on which it begins.
struct Spoken {
    line: usize,
    voice: Voice,
    said: String,
}

fn spoken(text: &str, marks: Marks) -> Vec<Spoken> {
    let mut turns: Vec<Spoken> = Vec::new();
    let mut after_blank = false;
    // The last line may have none yet: then how it begins is all that tells whose it is.
    let ends = text.matches('\n').count();
    for (number, line) in text.lines().enumerate() {
        let is_blank = line.trim().is_empty();
        let voice = match marks {
            Marks::BothEnds if number < ends && !line.ends_with(LINE_END) => Voice::Model,
            Marks::BothEnds | Marks::Beginnings => mark_of(line),
        };
        let marked = match voice {
            Voice::User => line.strip_prefix("####"),
            Voice::Program => line.strip_prefix('>'),
            Voice::Model => None,
        };
        let said = marked.map_or(line, |said| said.strip_prefix(' ').unwrap_or(said));
        // What a person enters begins behind an empty line.
        let is_next = marks == Marks::BothEnds && voice == Voice::User && after_blank;
        match turns.last_mut() {
            // A blank line ends no turn of the others.
            Some(last) if is_blank => last.said.push('\n'),
            Some(last) if last.voice == voice && !is_next => {
                last.said.push('\n');
                last.said.push_str(said.trim_end());
            }
            None if is_blank => {}
            _ => turns.push(Spoken {
                line: number,
                voice,
                said: said.trim_end().to_owned(),
            }),
        }
        after_blank = is_blank;
    }
    turns.retain(|spoken| !spoken.said.trim().is_empty());
    if marks == Marks::BothEnds {
        drop_repeated(&mut turns);
    }
    turns
}

/// Drops what the program repeats of a prompt that was entered with a command: `/ask why` as `why`.
fn drop_repeated(turns: &mut Vec<Spoken>) {
    turns.dedup_by(|repeated, entered| {
        let both = entered.voice == Voice::User && repeated.voice == Voice::User;
        both && prompt_of(&entered.said).is_some_and(|prompt| prompt == repeated.said.trim())
    });
}

/// The prompt behind a command.
fn prompt_of(entered: &str) -> Option<&str> {
    let (_, prompt) = entered
        .trim()
        .strip_prefix('/')?
        .split_once(char::is_whitespace)?;
    Some(prompt.trim())
}

struct Chat<'a> {
    session: SessionId,
    native: String,
    at: String,
    model: Option<String>,
    order: Option<i64>,
    /// The response that was spoken last, until it is told what that has used.
    response: Option<String>,
    known: &'a mut dyn Known,
    facts: &'a mut Facts,
}

impl Chat<'_> {
    fn at(&self) -> Option<Timestamp> {
        self.at.parse().ok()
    }

    fn begin(&mut self, project: Option<&str>, text: &str, turns: &[Turn], tally: &mut Tally<'_>) {
        let said = |mark: &str| {
            let mut lines = text.lines().filter_map(|line| line.strip_prefix("> "));
            let found = lines.find_map(|line| line.strip_prefix(mark))?;
            Some(found.split_whitespace().next()?.to_owned())
        };
        self.model = said("Main model: ").or_else(|| said("Model: "));
        let version = said("Aider v");
        let mut entered = turns.iter().filter(|turn| turn.voice == Voice::User);
        let title = entered.find_map(|turn| title_of(&turn.said));
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
        let new = take_about(self.known, key, &[&content]);
        if new {
            self.facts.session(self.session, patch);
        }
        tally.count(if new { Verdict::New } else { Verdict::Known }, None);
    }

    fn turn(&mut self, turn: &Turn) -> Verdict {
        let Turn { id, voice, said } = turn;
        let voice = *voice;
        let order = order_after(self.order, self.at());
        self.order = Some(order + 2 + (said.len() / TEXT_CHARS_MAX) as i64);
        if voice == Voice::Model {
            self.response = Some(id.clone());
        }
        let tokens = said.lines().filter_map(|line| line.strip_prefix(TOKENS));
        let tokens: Vec<_> = tokens.filter(|_| voice == Voice::Program).collect();
        let spent = (!tokens.is_empty()).then(|| self.response.take()).flatten();
        let key = self.key_of(id);
        let was_taken_back = self.known.noted(key).as_deref() == Some(&UnitKey::of(&[]).0);
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
            id: owned(id),
            role: set(role),
            kind: set_some(kind),
            model: set_some(model),
            at: self.at().into(),
            order: Some(order).into(),
            rewound: was_taken_back.then_some(false).into(),
            ..MessagePatch::default()
        };
        self.facts.message(self.session, patch);
        let part = Part {
            message_id: owned(id),
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

    fn key_of(&self, id: &str) -> UnitKey {
        UnitKey::of(&["aider turn", &self.native, id])
    }

    /// Takes back what was told as a turn before, and is part of another.
    fn take_back(&mut self, id: &str) {
        let key = self.key_of(id);
        if self.known.noted(key).is_none() || !take_about(self.known, key, &[]) {
            return;
        }
        let patch = MessagePatch {
            id: owned(id),
            rewound: Some(true).into(),
            ..MessagePatch::default()
        };
        self.facts.message(self.session, patch);
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
