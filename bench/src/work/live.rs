//! From a write on one replica to its being visible on another: two applications with the library,
//! a server between them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use syncline_client::{Delivery, Phase, Remote, SyncHandle, SyncSettings};
use syncline_model::thread::{EntryId, ThreadId};
use syncline_model::{Scope, Timestamp};
use syncline_replica::{NewOp, Replica, ReplicaOptions, Subscription};
use syncline_store::threads::{NewEntry, NewThread, PlannedOp, entry, plan_append, plan_new};
use uuid::Uuid;

use super::Bench;
use crate::bare::Commits;
use crate::measure::{Bar, Row, quantile};
use crate::program::{Server, token};

const PATIENCE: Duration = Duration::from_secs(20);
/// What the median may take beside the commits, and what the slowest of a hundred may take in all.
const MEDIAN_MS: f64 = 3.0;
const TAIL_MS: f64 = 15.0;

/// From the call that writes to the moment in which the other replica's subscriber reads the entry.
pub(crate) fn latency(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let writes = bench.scaled(1000, 30);
    let (mut middle, mut tail) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let directory = tempfile::tempdir()?;
        let mut commits = Commits::open(directory.path())?;
        let mut pair = Pair::new()?;
        pair.write(0)?;
        let mut seconds = Vec::new();
        for n in 1..=writes {
            commits.make_one()?;
            seconds.push(pair.write(n)?.as_secs_f64());
        }
        // On its path: the outbox's commit and the server's, for the disk, and the reader's.
        let path_ms = (2.0 * commits.full_seconds() + commits.normal_seconds()) * 1000.0;
        let ms = |part| quantile(seconds.clone(), part) * 1000.0;
        middle.push((ms(0.5), path_ms + MEDIAN_MS));
        tail.push((ms(0.99), TAIL_MS));
    }
    Ok(vec![
        Row::new(
            "write to visible, median",
            "ms",
            "the three commits on its path, plus 3 ms",
            Bar::AtMost(1.0),
            &middle,
        ),
        Row::new(
            "write to visible, p99",
            "ms",
            "15 ms",
            Bar::AtMost(1.0),
            &tail,
        ),
    ])
}

/// Two replicas that are live.
struct Pair {
    writer: Replica,
    reader: Replica,
    news: Subscription,
    thread: ThreadId,
    // Sync ends before the server does.
    _syncs: [SyncHandle; 2],
    _server: Server,
    _home: tempfile::TempDir,
}

impl Pair {
    fn new() -> anyhow::Result<Self> {
        let home = tempfile::tempdir()?;
        let data = home.path().join("server");
        let token = token(&data, "bench")?;
        let server = Server::syncline(&data)?;
        let settings = SyncSettings::On(Remote {
            endpoint: format!("http://{}", server.address).parse()?,
            token: Some(token.parse()?),
            delivery: Delivery::Live {
                interval: Duration::from_secs(30),
            },
        });
        let mut writer = open(&home.path().join("writer"))?;
        let reader = open(&home.path().join("reader"))?;
        let news = reader.subscribe();
        let new = NewThread {
            project: "bench",
            key: None,
            name: "live",
            at: writer.now(),
        };
        let plan = plan_new(writer.view()?.connection(), &new, &[])?;
        let syncs = [
            syncline_client::start(writer.another()?, settings.clone())?,
            syncline_client::start(reader.another()?, settings)?,
        ];
        writer.write(&new_ops(plan.ops))?;
        for sync in &syncs {
            wait_until_live(sync)?;
        }
        Ok(Self {
            writer,
            reader,
            news,
            thread: plan.thread_id,
            _syncs: syncs,
            _server: server,
            _home: home,
        })
    }

    /// Writes an entry; gives the time until the other replica's subscriber has read it.
    fn write(&mut self, n: u64) -> anyhow::Result<Duration> {
        let id = EntryId::from(Uuid::from_u128(0x0191_d1c2 << 96 | 7 << 76 | u128::from(n)));
        let new = NewEntry {
            entry_id: id,
            author: "bench",
            content: &format!("entry number {n}"),
            at: Timestamp::from_millis(1_760_000_000_000 + n as i64)?,
        };
        let ops = new_ops(plan_append(self.thread, &[new])?.ops);
        let begun = Instant::now();
        self.writer.write(&ops)?;
        loop {
            let view = self.reader.view()?.connection();
            if entry(view, self.thread, id)?.is_some() {
                return Ok(begun.elapsed());
            }
            self.news
                .wait(PATIENCE)
                .context("the entry did not arrive")?;
        }
    }
}

fn open(directory: &Path) -> anyhow::Result<Replica> {
    std::fs::create_dir_all(directory)?;
    Ok(Replica::open(directory, ReplicaOptions::default())?)
}

fn new_ops(planned: Vec<PlannedOp>) -> Vec<NewOp> {
    let new = |(resource, payload)| NewOp {
        scope: Scope::thread(),
        resource,
        payload,
    };
    planned.into_iter().map(new).collect()
}

fn wait_until_live(sync: &SyncHandle) -> anyhow::Result<()> {
    let begun = Instant::now();
    while sync.status().phase != Phase::Live {
        ensure!(begun.elapsed() < PATIENCE, "a replica has no stream");
        sync.sync_now(PATIENCE);
    }
    Ok(())
}
