//! Task lists, beside the list crates of others: 5,000 changes of a list of 10,000 items.

mod changes;
mod durable;
mod memory;
mod ours;
mod peers;

use self::changes::{KINDS, Kind, Workload};
use self::durable::AtRest;
use self::ours::Beginning;
use self::peers::Peers;
use super::Bench;
use crate::bare::{self, Sync};
use crate::measure::{Bar, Row};

/// What one run has measured of one kind of change.
#[derive(Debug, Default)]
struct Measured {
    /// Commands to bytes: ours and the fastest other's.
    command: Vec<(f64, f64)>,
    /// Bytes to state: ours, beside the fastest other's changes of its own and those of others.
    local: Vec<(f64, f64)>,
    remote: Vec<(f64, f64)>,
    /// Ours and bare SQLite.
    durable: Vec<(f64, f64)>,
}

/// All that the runs have measured.
#[derive(Debug, Default)]
struct Figures {
    kinds: [Measured; KINDS.len()],
    load: Vec<(f64, f64)>,
    ops_bytes: Vec<(f64, f64)>,
    file_bytes: Vec<(f64, f64)>,
}

/// Each kind of change: from bytes to state, from a command to bytes, and into SQLite; then how large
/// the list is and how fast it loads.
pub(crate) fn changes(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let workload = Workload::new(bench.scaled(10_000, 400), bench.scaled(5000, 100));
    let mut figures = Figures::default();
    for _ in 0..bench.runs {
        let peers = match &bench.peers {
            Some(program) => Some(Peers::measure(program, &workload)?),
            None => None,
        };
        figures.measure(&workload, peers.as_ref())?;
    }
    if bench.peers.is_none() {
        eprintln!("without --peers: lists beside bare SQLite alone");
    }
    Ok(figures.rows())
}

impl Figures {
    fn measure(&mut self, workload: &Workload, peers: Option<&Peers>) -> anyhow::Result<()> {
        let beginning = Beginning::of(workload)?;
        for (n, kind) in workload.kinds.iter().enumerate() {
            let measured = &mut self.kinds[n];
            let mut maker = beginning.replica.clone();
            let made = maker.make_kind(kind)?;
            let mut other = beginning.replica.clone();
            let applied = other.apply(&made.page.encode())?;
            other.expect(kind)?;
            if let Some(peers) = peers {
                measured.command.push((made.rate, peers.fastest_local(n)));
                measured.local.push((applied, peers.fastest_local(n)));
                measured.remote.push((applied, peers.fastest_remote(n)));
            }
            let at_rest = measured.fold_durably(&beginning, kind, &made.page)?;
            // The mixture is the last: it is what is left at rest.
            if let (Some(peers), true) = (peers, n + 1 == KINDS.len()) {
                self.load
                    .push((at_rest.load_seconds * 1e3, peers.second_load() * 1e3));
                let second = peers.second_bytes() / 1e3;
                self.ops_bytes.push((at_rest.ops_bytes / 1e3, second));
                self.file_bytes.push((at_rest.file_bytes / 1e3, second));
            }
        }
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (name, kind) in KINDS.iter().zip(&self.kinds) {
            rows.extend(kind.rows(name));
        }
        if self.load.is_empty() {
            return rows;
        }
        let at_most = Bar::AtMost(1.0);
        let smallest = "the smallest but one of the others' documents, with their history";
        rows.push(Row::new(
            "list load, file to items",
            "ms",
            "the fastest but one of the others, from a file to all items in order",
            at_most,
            &self.load,
        ));
        rows.push(Row::new(
            "list size, ops",
            "kB",
            smallest,
            at_most,
            &self.ops_bytes,
        ));
        rows.push(Row::new(
            "list size, file",
            "kB",
            smallest,
            at_most,
            &self.file_bytes,
        ));
        rows
    }
}

impl Measured {
    fn fold_durably(
        &mut self,
        beginning: &Beginning,
        kind: &Kind,
        page: &syncline_protocol::PullPage,
    ) -> anyhow::Result<AtRest> {
        let directory = tempfile::tempdir()?;
        let bare = directory.path().join("bare");
        drop(durable::begin(&bare, beginning)?);
        let rows = ours::written(beginning.replica.view.clone(), page)?;
        let limit = bare::upsert_items(&bare, Sync::Full, &rows, durable::PAGE_OPS)?;
        let mut file = durable::begin(&directory.path().join("ours"), beginning)?;
        let pages = durable::pages(&beginning.replica, page);
        let rate = durable::apply_pages(&mut file, &pages, page.ops.len())?;
        self.durable.push((rate, limit));
        AtRest::of(&mut file, kind, directory.path())
    }

    fn rows(&self, name: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        if !self.remote.is_empty() {
            rows.push(Row::new(
                &format!("list {name}, state by remote"),
                "ops/s",
                "the fastest of yrs, loro and automerge, applying the changes as one batch",
                Bar::AtLeast(3.0),
                &self.remote,
            ));
            let local =
                "the fastest of yrs, loro and automerge, committing and encoding each change";
            rows.push(Row::new(
                &format!("list {name}, state by local"),
                "ops/s",
                local,
                Bar::AtLeast(5.0),
                &self.local,
            ));
            rows.push(Row::new(
                &format!("list {name}, command to bytes"),
                "ops/s",
                local,
                Bar::None,
                &self.command,
            ));
        }
        rows.push(Row::new(
            &format!("list {name}, into SQLite"),
            "ops/s",
            "bare SQLite, upserting the same rows, FULL, 1,000 a transaction",
            Bar::AtLeast(0.5),
            &self.durable,
        ));
        rows
    }
}
