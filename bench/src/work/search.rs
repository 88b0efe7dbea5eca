//! Search in the messages of sessions, beside the bare index that it goes by.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use rusqlite::Connection;
use syncline_model::session::{
    Change, MessagePatch, Part, Patch, SessionOp, SessionPatch, session_id, words,
};
use syncline_model::{ActorId, Clock, Epoch, Mark, OpKey, Scope};
use syncline_store::search::{PartFilter, SessionQuery, SnippetStyle, search_sessions};
use syncline_store::sessions::PriceTable;
use syncline_store::{FileOptions, TenantFile};
use uuid::Uuid;

use super::Bench;
use crate::input::Chance;
use crate::measure::{Bar, Row};

/// How many words there are. The n-th is in one of about `n · ln(WORDS)` places.
const WORDS: f64 = 50_000.0;
const WORDS_OF_MESSAGE: usize = 30;
const MESSAGES_OF_SESSION: u64 = 200;
/// Ops of a commit while the file is filled.
const OPS_OF_COMMIT: u64 = 20;
const QUERIES: u32 = 100;
/// What a page of results shows.
const HITS: u64 = 10;

/// One hundred words, spread over how often words occur, are looked for.
pub(crate) fn messages(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let count = bench.scaled(1_000_000, 10_000);
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("tenant.db");
    fill(&path, count)?;
    let queries: Vec<String> = (0..QUERIES)
        .map(|n| word(WORDS.powf(f64::from(n) / f64::from(QUERIES))))
        .collect();
    let file = TenantFile::open(&path, &FileOptions::default())?;
    let prices = PriceTable::built_in();
    let mut pairs = Vec::new();
    for _ in 0..bench.runs {
        let begun = Instant::now();
        let mut found = 0;
        for text in &queries {
            let query = SessionQuery {
                text,
                filter: PartFilter::default(),
                limit: HITS,
                offset: 0,
                snippet: SnippetStyle::Plain,
                prices: &prices,
            };
            found += search_sessions(file.connection(), &query)?.hits.len();
        }
        let ours = begun.elapsed().as_secs_f64();
        let (bare, expected) = bare(&path, &queries)?;
        ensure!(
            found == expected,
            "{found} were found, {expected} are there"
        );
        pairs.push((ours, bare));
    }
    Ok(vec![Row::new(
        "search in messages, 100 queries",
        "s",
        "the same queries on the bare index of the same table",
        Bar::AtMost(2.0),
        &pairs,
    )])
}

/// The best rows for each query by the index alone; gives the seconds, and how many rows.
fn bare(path: &Path, queries: &[String]) -> anyhow::Result<(f64, usize)> {
    let connection = Connection::open(path)?;
    let mut statement = connection.prepare(
        "SELECT rowid, rank FROM session_parts_fts WHERE session_parts_fts MATCH ? \
         ORDER BY rank LIMIT ?",
    )?;
    let begun = Instant::now();
    let mut found = 0;
    for query in queries {
        let mut rows = statement.query((query, HITS as i64))?;
        while let Some(row) = rows.next()? {
            std::hint::black_box((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?));
            found += 1;
        }
    }
    Ok((begun.elapsed().as_secs_f64(), found))
}

/// Folds sessions with so many messages into a new tenant file.
fn fill(path: &Path, count: u64) -> anyhow::Result<()> {
    let epoch = Epoch::new(Uuid::from_u128(1));
    let mut file = TenantFile::create(path, &FileOptions::default(), epoch, Mark::origin([1; 16]))?;
    let (mut chance, mut clock) = (Chance::new(1), 0);
    let sessions = count.div_ceil(MESSAGES_OF_SESSION);
    while clock < sessions {
        let mut batch = file.begin()?;
        for _ in 0..OPS_OF_COMMIT.min(sessions - clock) {
            clock += 1;
            let native = format!("session-{clock}");
            let id = session_id("bench", &native, "");
            let payload = session(&native, &mut chance).payload()?;
            let key = OpKey {
                actor: ActorId::new("bench")?,
                clock: Clock::new(clock)?,
                scope: Scope::session(),
                resource: id.into(),
            };
            batch.append(&key, Some(&payload), payload.hash())?;
        }
        batch.commit()?;
    }
    Ok(())
}

fn session<'a>(native: &str, chance: &mut Chance) -> SessionOp<'a> {
    let mut patch = Patch {
        session: SessionPatch {
            agent: Change::Set("bench".into()),
            native_id: Change::Set(native.to_owned().into()),
            ..SessionPatch::default()
        },
        ..Patch::default()
    };
    for n in 0..MESSAGES_OF_SESSION {
        let id = format!("m{n}");
        patch.messages.push(MessagePatch {
            id: id.clone().into(),
            role: Change::Set(words::USER.into()),
            order: Change::Set(n as i64),
            ..MessagePatch::default()
        });
        let text: Vec<String> = (0..WORDS_OF_MESSAGE).map(|_| any_word(chance)).collect();
        patch.parts.push(Part {
            message_id: id.into(),
            id: "0".into(),
            kind: words::TEXT.into(),
            order: n as i64,
            text: text.join(" ").into(),
            ..Part::default()
        });
    }
    SessionOp::Patch(Box::new(patch))
}

fn any_word(chance: &mut Chance) -> String {
    let place = chance.below(1 << 24) as f64 / f64::from(1 << 24);
    word(WORDS.powf(place))
}

/// The word of a rank: letters alone, so that it is one word to every tokenizer, and has no ending.
fn word(rank: f64) -> String {
    let mut rest = rank as u64;
    let mut word = String::from("k");
    loop {
        word.push(char::from(b"bdfhjkmpqrtvwxz"[(rest % 15) as usize]));
        rest /= 15;
        if rest == 0 {
            return word;
        }
    }
}
