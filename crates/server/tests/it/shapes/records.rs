//! Random shapes of records under random writes through the document's paths hold what Postgres selects:
//! the rows, and each cell as Postgres writes it.

mod client;
mod conditions;
mod oracle;
mod table;
mod writes;

#[path = "../../../../model/tests/shapes/postgres/asked.rs"]
mod asked;
#[path = "../../../../model/tests/shapes/postgres/chance.rs"]
mod chance;
#[path = "../../../../model/tests/shapes/postgres/cluster.rs"]
mod cluster;
#[path = "../../../../model/tests/shapes/postgres/expressions.rs"]
mod expressions;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use syncline_server::Deletes;
use syncline_store::control::Rights;

use self::chance::Chance;
use self::client::{Client, Way};
use self::cluster::Cluster;
use self::conditions::{Condition, conditions};
use self::oracle::{Oracle, Selected};
use self::writes::{Columns, Written, document, write};
use super::{Shapes, shapes_with};
use crate::support::now;

/// Shapes that are followed at once, times that all are looked at, and writes between two such times.
const SHAPES: usize = 64;
const ROUNDS: usize = 8;
const WRITES: usize = 24;
/// The rounds before which a field is added to the document, and the log is compacted.
const GROWS_AT: usize = 4;
const COMPACTS_AT: [usize; 2] = [3, 6];
/// Of the looks that Postgres answers, those at least that find some of the rows and not all of them: the
/// others would be right with a shape that takes no notice of its condition.
const PARTIAL_SHARE: usize = 6;

/// What a run came to.
#[derive(Debug, Default)]
struct Counts {
    compared: usize,
    partial: usize,
    /// Looks that Postgres refuses: a number is too large, or divided by zero.
    unanswered: usize,
    subsets: usize,
    written: Written,
}

/// Which readers are brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    All,
    Some,
}

/// A world: a server, and who writes to it and reads from it.
struct World<'w> {
    s: &'w Shapes,
    seed: u64,
    chance: Chance,
    oracle: Oracle<'w>,
    clients: Vec<Client<'w>>,
    conditions: &'w [Condition],
    counts: Counts,
}

impl World<'_> {
    /// Writes, while some wait for what comes.
    async fn round(&mut self) {
        let waiting = self.clients.iter_mut().filter(|client| client.is_polling());
        let waiting = join_all(waiting.map(Client::poll));
        let written = async {
            for _ in 0..WRITES {
                write(self.s, &mut self.chance, &mut self.counts.written).await;
            }
        };
        tokio::join!(waiting, written);
    }

    /// What happens beside writes: who reads has to begin anew.
    async fn disturb(&mut self, round: usize) {
        if round == GROWS_AT {
            self.oracle.grows();
            self.s.apply(&document(self.seed, Columns::Later), "").await;
        }
        if COMPACTS_AT.contains(&round) {
            let admin = self.s.server.token("acme", Rights::Admin);
            let all = json!({"retention_seconds": 0});
            let done = self.s.server.post("/api/admin/compact", &admin, all);
            done.await.expect(200);
        }
        let gone = self.chance.below(SHAPES);
        self.clients[gone].delete().await;
    }

    /// Brings readers up to date, all or some, and compares what those hold.
    async fn look(&mut self, who: Who) {
        let head = self.s.head().await;
        let found = self.oracle.select(self.s, self.conditions).await;
        let (mut compared, chance) = (Vec::new(), &mut self.chance);
        for (n, client) in self.clients.iter_mut().enumerate() {
            if who == Who::All || chance.below(4) > 0 {
                client.catch_up(head).await;
                compared.push(n);
            }
        }
        for n in compared {
            let Some(selected) = &found[n] else {
                self.counts.unanswered += 1;
                continue;
            };
            let client = &self.clients[n];
            let place = format!("seed {}: {}", self.seed, client.shape);
            self.judge(&place, n, selected);
            if self.chance.below(3) == 0 {
                let held = self.clients[n].subset().await;
                let columns = self.oracle.columns();
                assert_eq!(held, selected.told(&columns), "a subset, {place}");
                self.counts.subsets += 1;
            }
        }
    }

    fn judge(&mut self, place: &str, n: usize, selected: &Selected) {
        let client = &self.clients[n];
        let columns = client.shape.columns(&self.oracle.columns());
        assert_eq!(client.held(), selected.told(&columns), "{place}");
        self.counts.compared += 1;
        self.counts.partial += usize::from(selected.is_partial());
    }
}

#[allow(clippy::print_stdout, reason = "a run says what it has seen")]
async fn run(seed: u64, cluster: &Cluster) -> Counts {
    let s = shapes_with(|config| {
        config.shapes.deletes = Deletes::Allowed;
        // Rows of several answers; and what waits for nothing is soon told so.
        config.shapes.chunk_bytes = 8 << 10;
        config.shapes.long_poll = Duration::from_millis(300);
        config.shapes.keep_alive = Duration::from_millis(20);
    })
    .await;
    s.apply(&document(seed, Columns::First), "").await;
    let mut chance = Chance::new(seed);
    let conditions = conditions(&mut chance, SHAPES);
    let mut counts = Counts::default();
    for _ in 0..WRITES * 2 {
        write(&s, &mut chance, &mut counts.written).await;
    }
    let ways = [Way::Asking, Way::Polling, Way::Events];
    let clients = conditions.iter().enumerate();
    let clients =
        clients.map(|(n, condition)| Client::new(&s, condition, ways[n % 3], &mut chance));
    let clients = clients.collect();
    let mut world = World {
        s: &s,
        seed,
        oracle: Oracle::new(cluster),
        clients,
        conditions: &conditions,
        chance,
        counts,
    };
    world.look(Who::All).await;
    for round in 0..ROUNDS {
        world.disturb(round).await;
        world.round().await;
        world
            .look(match round + 1 == ROUNDS {
                true => Who::All,
                false => Who::Some,
            })
            .await;
    }
    // Who comes late, to shapes that others have begun, holds the same.
    let late = world.clients.iter().map(Client::late).collect();
    let early = std::mem::replace(&mut world.clients, late);
    world.look(Who::All).await;
    let again: usize = early.iter().map(|client| client.began - 1).sum();
    let told: usize = early.iter().map(|client| client.changes).sum();
    assert!(again >= SHAPES / 2, "seed {seed}: {again} began anew");
    println!(
        "seed {seed}: {again} began anew, {told} changes were told, {:?}",
        world.counts
    );
    world.counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_shapes_of_records_hold_what_postgres_selects() {
    let cluster = Cluster::start();
    let of_now = now().as_millis() as u64;
    println!("the seed of now is {of_now}");
    let (mut compared, mut partial, mut unanswered, mut met_all) = (0, 0, 0, 0);
    for seed in [1, 2, 3, of_now] {
        let counts = run(seed, &cluster).await;
        compared += counts.compared;
        partial += counts.partial;
        unanswered += counts.unanswered;
        met_all += usize::from(counts.written.have_met_all());
    }
    println!(
        "{compared} looks at shapes, {partial} at some rows and not all, {unanswered} unanswered"
    );
    assert!(
        partial >= compared / PARTIAL_SHARE,
        "{partial} of {compared}"
    );
    assert!(
        met_all > 0,
        "no seed has met all that can become of a write"
    );
    assert!(unanswered <= compared / 2, "{unanswered} of {compared}");
}
