//! Measures the list crates of others on the workload that `cargo xtask bench` gives them.
//!
//! Each item is a map of `text` and `done` in a list; an edit sets the text as a whole. Measured are,
//! with each crate's own means:
//!
//! - *local*: one change after the other, each committed and encoded for others;
//! - *remote*: all of these changes, encoded as one batch by their maker, applied by a replica that
//!   has the list as it was before;
//! - *load*: from the bytes of a file to all items in order;
//! - *bytes*: the smallest encoding of the whole document with its history.
//!
//! Prints one JSON array; the caller knows what its figures are compared with.

mod automerge_list;
mod loro_list;
mod workload;
mod yrs_list;

use std::error::Error;
use std::time::Instant;

use serde::Serialize;

use crate::workload::{Change, Item, Workload};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A list as one of the crates holds it.
trait List: Sized {
    const NAME: &'static str;

    /// A document with these items, made by one replica.
    fn with(items: &[Item]) -> Result<Self>;

    /// Makes one change; gives it encoded for others.
    fn change(&mut self, change: &Change) -> Result<Vec<u8>>;

    /// Everything since [`List::with`] as one batch.
    fn batch(&mut self) -> Result<Vec<u8>>;

    /// Applies a batch of another replica.
    fn apply(&mut self, batch: &[u8]) -> Result<()>;

    /// The whole document, as the crate would keep it in a file; each encoding that it has.
    fn save(&mut self) -> Result<Vec<Vec<u8>>>;

    /// Another replica's document from the `encoding`-th of what [`List::save`] gave.
    fn load(bytes: &[u8], encoding: usize) -> Result<Self>;

    /// All items in order.
    fn items(&self) -> Result<Vec<Item>>;
}

/// The figures of one crate.
#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    kinds: Vec<Rates>,
    load_seconds: f64,
    bytes: usize,
}

/// Changes a second.
#[derive(Debug, Serialize)]
struct Rates {
    kind: String,
    local: f64,
    remote: f64,
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1).ok_or("name the workload's file")?;
    let workload: Workload = serde_json::from_slice(&std::fs::read(path)?)?;
    let figures = [
        measure::<yrs_list::YrsList>(&workload)?,
        measure::<loro_list::LoroList>(&workload)?,
        measure::<automerge_list::AutomergeList>(&workload)?,
    ];
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

fn measure<L: List>(workload: &Workload) -> Result<Figures> {
    let base = L::with(&workload.items)?.save()?;
    let (mut kinds, mut last) = (Vec::new(), None);
    for kind in &workload.kinds {
        let mut list = L::with(&workload.items)?;
        let mut other = L::load(&list.save()?[0], 0)?;
        let count = kind.changes.len() as f64;
        let begun = Instant::now();
        let mut encoded = 0;
        for change in &kind.changes {
            encoded += list.change(change)?.len();
        }
        let local = count / begun.elapsed().as_secs_f64();
        assert!(encoded > 0, "changes have bytes");
        let batch = list.batch()?;
        let begun = Instant::now();
        other.apply(&batch)?;
        let remote = count / begun.elapsed().as_secs_f64();
        let mut expected = workload.items.clone();
        kind.changes
            .iter()
            .for_each(|change| change.apply(&mut expected));
        assert!(
            list.items()? == expected,
            "{}: {} went wrong",
            L::NAME,
            kind.name
        );
        assert!(
            other.items()? == expected,
            "{}: {} diverged",
            L::NAME,
            kind.name
        );
        kinds.push(Rates {
            kind: kind.name.clone(),
            local,
            remote,
        });
        last = Some(list);
    }
    let saved = last.map_or(Ok(base), |mut list| list.save())?;
    Ok(Figures {
        name: L::NAME,
        kinds,
        load_seconds: load_seconds::<L>(&saved)?,
        bytes: saved.iter().map(Vec::len).min().unwrap_or_default(),
    })
}

/// Of the encodings, the one that loads fastest.
fn load_seconds<L: List>(saved: &[Vec<u8>]) -> Result<f64> {
    let mut fastest = f64::INFINITY;
    let path = std::env::temp_dir().join(format!("syncline-peer-{}", std::process::id()));
    for (encoding, bytes) in saved.iter().enumerate() {
        std::fs::write(&path, bytes)?;
        let begun = Instant::now();
        let items = L::load(&std::fs::read(&path)?, encoding)?.items()?;
        let seconds = begun.elapsed().as_secs_f64();
        assert!(!items.is_empty(), "the list has items");
        fastest = fastest.min(seconds);
    }
    std::fs::remove_file(&path)?;
    Ok(fastest)
}
