//! From what a transcript says to what an op may hold: secrets out, long texts in pieces.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use syncline_model::session::{Part, Piece, SessionId, words};
use syncline_replica::Replica;

use super::batch::Standing;
use super::desk::Remembered;
use super::gathered::{Gathered, Known, News};
use super::{ImportBatch, ImportError};
use crate::facts::{Fact, Facts};
use crate::redact::{Finding, Redacted, Redactor};

/// How many threads take secrets out at most.
const WORKERS_MAX: usize = 8;
/// How many facts a thread takes at a time: it is not worth a thread for fewer.
const WORKER_FACTS: usize = 128;

/// Makes ops of facts for a batch, session by session, each in the order in which its facts were found.
/// What the replica knows already is in none.
pub(super) fn ops_of(
    facts: Facts,
    redactor: &Redactor,
    replica: &Replica,
    remembered: &mut Remembered,
    batch: &mut ImportBatch,
) -> Result<(), ImportError> {
    let mut facts = facts.0;
    batch.findings = redact_all(&mut facts, redactor);
    batch.counts.redacted = batch.findings.values().sum();
    // Of two copies in one batch the one that has come further says the last word.
    facts.sort_by_key(|fact| fact.up_to);
    let mut sessions: Vec<Gathered<'_>> = Vec::new();
    let mut places: HashMap<SessionId, usize> = HashMap::new();
    for fact in facts {
        let session = fact.session;
        let place = match places.entry(session) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(free) => {
                let is_begun = remembered.is_begun(replica, session);
                let is_begun = is_begun.map_err(ImportError::Replica)?;
                if !is_begun {
                    remembered.behind.wait_for(&session);
                }
                let known = match is_begun {
                    true => Known::Nothing,
                    // Asked now: what the batches before say is in the view that is current.
                    false => Known::by(replica)?,
                };
                sessions.push(Gathered::new(session, known));
                *free.insert(sessions.len() - 1)
            }
        };
        sessions[place].add(fact);
    }
    for gathered in sessions {
        let session = gathered.session;
        if gathered.finish(&mut batch.ops)? == News::None {
            let is_deleted = replica.is_session_deleted(session);
            let standing = match is_deleted.map_err(ImportError::Replica)? {
                true => Standing::LeftOut,
                false => Standing::Known,
            };
            batch.nothing_new(session, standing);
        }
    }
    if batch.ops.is_empty() {
        batch.all_known();
    }
    Ok(())
}

/// Takes the secrets out of all facts, on all cores; gives how many each rule has found.
fn redact_all(facts: &mut [Fact], redactor: &Redactor) -> Found {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = workers
        .min(WORKERS_MAX)
        .min(facts.len().div_ceil(WORKER_FACTS));
    let rest = Mutex::new(facts.chunks_mut(WORKER_FACTS));
    let work = || {
        let mut found = BTreeMap::new();
        loop {
            let next = rest.lock().expect("nothing panics under this lock").next();
            let Some(facts) = next else {
                return found;
            };
            for fact in facts {
                redact(&mut fact.piece, redactor, &mut found);
            }
        }
    };
    if workers <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            let found = other.join().expect("redaction does not panic");
            for (rule, count) in found {
                *all.entry(rule).or_default() += count;
            }
        }
        all
    })
}

/// Counts of secrets, by the names of the rules that found them.
type Found = BTreeMap<String, u64>;

/// Takes the secrets out of all texts of a piece: a token stands in a path, the name of a branch, or
/// that of a model as well as in what was said.
fn redact(piece: &mut Piece<'static>, redactor: &Redactor, found: &mut Found) {
    let visit = &mut |text: &mut Cow<'static, str>| redact_text(text, redactor, found);
    match piece {
        Piece::Session(patch) => patch.each_text(visit),
        Piece::Message(patch) => patch.each_text(visit),
        Piece::Tool(patch) => patch.each_text(visit),
        Piece::Error(patch) => patch.each_text(visit),
        Piece::Compaction(patch) => patch.each_text(visit),
        Piece::Link(patch) => patch.each_text(visit),
        Piece::Part(part) => redact_part(part, redactor, found),
        Piece::Usage(usage) => {
            usage.model.iter_mut().for_each(&mut *visit);
            usage.provider.iter_mut().for_each(visit);
        }
    }
}

fn redact_text(text: &mut Cow<'static, str>, redactor: &Redactor, found: &mut Found) {
    if let Some(clean) = counted(redactor.redact_text(text), found) {
        *text = clean;
    }
}

/// What is left of a text in which something was found.
fn counted(clean: Redacted<'_>, found: &mut Found) -> Option<Cow<'static, str>> {
    count(&clean.findings, found);
    (!clean.findings.is_empty()).then(|| Cow::Owned(clean.text.into_owned()))
}

/// JSON is looked at string by string, as its keys tell what their values are: also in what is left of it
/// where it is torn, and where it is all that a tool has given, as one value or as several.
fn redact_part(part: &mut Part<'static>, redactor: &Redactor, found: &mut Found) {
    for text in part.reference.iter_mut().chain(&mut part.media_type) {
        redact_text(text, redactor, found);
    }
    let is_of_json = *part.kind == *words::TOOL_INPUT || *part.kind == *words::RAW;
    let begins_json = part.text.trim_start().starts_with(['{', '[']);
    let json = is_of_json.then(|| serde_json::from_str::<&RawValue>(&part.text));
    match json.and_then(Result::ok) {
        Some(raw) => {
            let clean = redactor.redact_raw(raw);
            if !clean.findings.is_empty() {
                count(&clean.findings, found);
                part.text = clean.raw.get().to_owned().into();
            }
        }
        None if begins_json && (is_of_json || is_values(&part.text)) => {
            if let Some(clean) = counted(redactor.redact_as_json(&part.text), found) {
                part.text = clean;
            }
        }
        _ => redact_text(&mut part.text, redactor, found),
    }
}

/// Whether a text is values of JSON and nothing else.
fn is_values(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.all(|value| value.is_ok())
}

fn count(findings: &[Finding], found: &mut Found) {
    for finding in findings {
        *found.entry(finding.rule.to_string()).or_default() += 1;
    }
}
