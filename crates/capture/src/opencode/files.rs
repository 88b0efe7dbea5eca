//! Files of older versions: one for each session, message and part.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;

use super::message::message_of;
use super::place::directory_in;
use super::undone::{Found, hidden_from, take_back};
use super::{about, keep_lost, part_alone, place_at, time};
use crate::facts::{Facts, Kept, Known, Verdict};
use crate::import::Tally;
use crate::tail::Beside;
use crate::value::{Held, text, text_in_torn};

/// Reads the file of a session, `storage/session/<project>/<session>.json`, and those of its messages
/// and their parts.
pub(crate) fn read_file(
    path: &Path,
    bytes: &[u8],
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let mut lost = Vec::new();
    let session = value_of(Held::of_bytes(bytes), "", tally);
    let is_damaged = session.is_err();
    let mut session = session.unwrap_or_else(|(cause, text)| {
        tally.count(Verdict::Damaged(cause), None);
        lost.push(("session".to_owned(), text));
        Value::Null
    });
    let named = path.file_stem().and_then(|name| name.to_str());
    let native = text(&session, &["id"]).or(named).map(str::to_owned);
    let storage = path.ancestors().nth(3);
    let (Some(native), Some(storage)) = (native, storage) else {
        return tally.count(Verdict::Damaged("it names no session".to_owned()), None);
    };
    if text(&session, &["id"]).is_none() {
        // Its messages lie beside it, under the name that it has too.
        session = serde_json::json!({"id": native});
    }
    let messages = files_in(&storage.join("message").join(&native));
    if text(&session, &["directory"]).is_none() {
        let torn = lost.first().map(|(_, torn)| torn.as_str());
        if messages.is_empty() && torn.is_some_and(|torn| torn.trim().is_empty()) {
            return;
        }
        if let Some(directory) = directory_of(&messages, torn, known) {
            session["directory"] = directory.into();
        }
    }
    let from = facts.0.len();
    let id = about(&session, known, facts, tally);
    let kept = Kept::of(id, known);
    if !is_damaged && kept.take_back("session", "", facts) {
        tally.count(Verdict::New, None);
    }
    let mut reading = Files {
        session: id,
        kept,
        native: &native,
        storage,
        last: time(&session, "updated"),
        here: BTreeSet::new(),
        lost,
    };
    for path in &messages {
        reading.message(path, known, facts, tally);
    }
    let Files {
        last, here, lost, ..
    } = reading;
    let found = Found {
        path: tally.path,
        here,
        hidden_from: hidden_from(&session),
    };
    take_back(id, found, known, facts, tally);
    keep_lost(id, &lost, place_at(last), known, facts);
    facts.come_up_to(from, place_at(last));
}

/// Where a session takes place whose file does not tell: what its messages say, or else what is left of that file.
fn directory_of(messages: &[PathBuf], torn: Option<&str>, known: &mut dyn Known) -> Option<String> {
    directory_in(messages).or_else(|| {
        let torn = torn?;
        // It is being written anew in its place, and tells one once it is whole.
        known.found_torn();
        text_in_torn(torn, "directory")
    })
}

/// The files of a session, as they are read.
struct Files<'f> {
    session: SessionId,
    /// What was kept of it before as it stood.
    kept: Kept,
    native: &'f str,
    storage: &'f Path,
    /// When something of it was written last.
    last: Option<Timestamp>,
    /// The messages that are there.
    here: BTreeSet<String>,
    /// What can't be read: what it is called, and what stands there.
    lost: Vec<(String, String)>,
}

impl Files<'_> {
    fn message(
        &mut self,
        path: &Path,
        known: &mut dyn Known,
        facts: &mut Facts,
        tally: &mut Tally<'_>,
    ) {
        let named = path.file_stem().and_then(|id| id.to_str());
        self.here.extend(named.map(str::to_owned));
        let told = self.file(path, "message", known, tally);
        let message = told.as_ref().map(|(id, _)| id.as_str()).or(named);
        let Some(message) = message else { return };
        let parts = files_in(&self.storage.join("part").join(message));
        let parts = parts
            .iter()
            .filter_map(|path| self.file(path, "part", known, tally));
        let parts: Vec<Value> = parts.map(|(_, part)| part).collect();
        let Some((id, info)) = &told else {
            if known.is_settling(path) {
                return;
            }
            for part in &parts {
                let verdict = part_alone(self.session, self.native, part, known, facts);
                tally.count(verdict, None);
            }
            return;
        };
        let ended = parts.iter().map(|part| time(part, "end"));
        self.last = ended.fold(self.last.max(time(info, "completed")), Option::max);
        let verdict = message_of(self.session, id, info, &parts, &self.kept, known, facts);
        tally.count(verdict, None);
        self.here.insert(id.clone());
    }

    /// What a file holds, with its id.
    fn file(
        &mut self,
        path: &Path,
        what: &str,
        known: &mut dyn Known,
        tally: &mut Tally<'_>,
    ) -> Option<(String, Value)> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let cause = format!("{}: {error}", path.display());
                tally.count(Verdict::Damaged(cause), None);
                return None;
            }
        };
        let named = path.file_stem().and_then(|id| id.to_str());
        let place = path.display().to_string();
        match value_of(Held::of_bytes(&bytes), &place, tally) {
            Ok(value) => {
                let id = text(&value, &["id"]).or(named)?;
                Some((id.to_owned(), value))
            }
            Err((cause, text)) => {
                if !known.is_settling(path) {
                    tally.count(Verdict::Damaged(cause), None);
                    let name = named.unwrap_or_default();
                    self.lost.push((format!("{what}/{name}"), text));
                }
                None
            }
        }
    }
}

/// The value of a file; else why it has none, and what stands in its place.
fn value_of(held: Held<'_>, place: &str, tally: &mut Tally<'_>) -> Result<Value, (String, String)> {
    let value = held.value.and_then(|value| match value {
        Value::Null => Err("it is no JSON object".to_owned()),
        value => Ok(value),
    });
    match value {
        Ok(value) => {
            if held.mended {
                tally.mended(place, None);
            }
            Ok(value)
        }
        Err(fault) => {
            let cause = match place {
                "" => fault,
                place => format!("{place}: {fault}"),
            };
            Err((cause, held.text.into_owned()))
        }
    }
}

/// What is known of the files of a session's messages and parts, without reading them.
pub(crate) fn beside(path: &Path) -> Option<Beside> {
    let storage = path.ancestors().nth(3)?;
    let native = path.file_stem()?.to_str()?;
    let mut beside = Beside::default();
    for message in files_in(&storage.join("message").join(native)) {
        beside.see(&message);
        let parts = storage.join("part").join(message.file_stem()?);
        files_in(&parts).iter().for_each(|part| beside.see(part));
    }
    Some(beside)
}

/// The file of the session that a path in `storage/message` or `storage/part` belongs to.
pub(crate) fn session_of(path: &Path) -> Option<PathBuf> {
    // `message/<session>/<message>.json`, `part/<message>/<part>.json`, or their directories
    let mut above = path.ancestors();
    let (kind, directory) = above.find_map(|directory| {
        let kind = directory.parent()?.file_name()?.to_str()?;
        let storage = directory.ancestors().nth(2)?.file_name()?;
        let is_ours = storage == "storage" && matches!(kind, "message" | "part");
        is_ours.then_some((kind, directory))
    })?;
    let storage = directory.ancestors().nth(2)?;
    let named = directory.file_name()?.to_str()?;
    let session = match kind {
        "message" => named.to_owned(),
        _ => {
            let message = format!("{named}.json");
            let message = below(&storage.join("message"), &message)?;
            message.parent()?.file_name()?.to_str()?.to_owned()
        }
    };
    below(&storage.join("session"), &format!("{session}.json"))
}

/// The file of this name in one of the directories in `directory`.
fn below(directory: &Path, name: &str) -> Option<PathBuf> {
    let mut directories = std::fs::read_dir(directory).ok()?.filter_map(Result::ok);
    directories.find_map(|directory| {
        let path = directory.path().join(name);
        path.exists().then_some(path)
    })
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let is_json = |path: &Path| path.extension().is_some_and(|end| end == "json");
    match directory.is_dir() {
        true => crate::walk::walk(directory, is_json).files,
        false => Vec::new(),
    }
}
