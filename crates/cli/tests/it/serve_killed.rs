//! A server that is killed again and again while many push to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::served::Server;
use crate::wire::{Reply, Wire};

const CLIENTS: u64 = 100;
const KILLS: u64 = 60;
/// Ops of one push: most have one, some a few.
const OPS_PER_PUSH: [u64; 8] = [1, 1, 1, 3, 1, 1, 5, 1];
/// What nothing here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// An op by its actor and clock, and the place that the server gave it.
type Places = BTreeMap<(String, u64), u64>;

/// What the clients and who kills their server tell each other.
struct World {
    known: Mutex<Known>,
    news: Condvar,
}

#[derive(Clone, Copy)]
struct Known {
    address: SocketAddr,
    /// How often the server was started.
    starts: u64,
    /// Ops that the clients have seen acknowledged.
    acknowledged: u64,
    is_over: bool,
}

#[test]
fn an_acknowledged_op_is_in_the_log_once_however_often_the_server_is_killed() {
    let mut server = Server::start();
    let token = server.token("ada");
    let world = World::of(&server);
    let mut acknowledged = Places::new();
    std::thread::scope(|scope| {
        let over = Over(&world);
        let clients = (0..CLIENTS).map(|number| Client::new(number, &token, &world));
        let clients: Vec<_> = clients
            .map(|client| scope.spawn(|| client.push_until_over()))
            .collect();
        let mut target = 0;
        for kill in 0..KILLS {
            // Uneven, so that the kills meet commits and answers at all their stages.
            target += 150 + 97 * kill % 210;
            world.until("enough ops are acknowledged", |known| {
                known.acknowledged >= target
            });
            server.kill_and_start_again();
            world.tell(|known| {
                known.address = server.address();
                known.starts += 1;
            });
        }
        world.until("ops are acknowledged after the last kill", |known| {
            known.acknowledged >= target + 200
        });
        drop(over);
        for client in clients {
            acknowledged.extend(client.join().unwrap());
        }
    });

    server.kill_and_start_again();
    let log = log_of(&server, &token);
    let missing = |these: &Places, of: &Places| -> Vec<_> {
        let these = these.iter().map(|(op, place)| (op.clone(), *place));
        these
            .filter(|(op, place)| of.get(op) != Some(place))
            .collect()
    };
    assert_eq!(
        missing(&acknowledged, &log),
        [],
        "ops were acknowledged and are not there"
    );
    assert_eq!(
        missing(&log, &acknowledged),
        [],
        "ops are there and were never acknowledged"
    );
}

impl World {
    fn of(server: &Server) -> Self {
        let known = Known {
            address: server.address(),
            starts: 1,
            acknowledged: 0,
            is_over: false,
        };
        Self {
            known: Mutex::new(known),
            news: Condvar::new(),
        }
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap()
    }

    fn tell(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap());
        self.news.notify_all();
    }

    fn until(&self, what: &str, holds: impl Fn(&Known) -> bool) {
        let known = self.known.lock().unwrap();
        let waited = self
            .news
            .wait_timeout_while(known, PATIENCE, |known| !holds(known));
        assert!(!waited.unwrap().1.timed_out(), "never: {what}");
    }
}

/// Ends the clients when dropped, also where a test that fails drops it.
struct Over<'a>(&'a World);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.tell(|known| known.is_over = true);
    }
}

/// A client with an actor of its own, which offers each op until it is acknowledged.
struct Client<'a> {
    actor: String,
    token: &'a str,
    world: &'a World,
    wire: Option<Wire>,
    acknowledged: Places,
}

impl<'a> Client<'a> {
    fn new(number: u64, token: &'a str, world: &'a World) -> Self {
        Self {
            actor: format!("actor-{number}"),
            token,
            world,
            wire: None,
            acknowledged: Places::new(),
        }
    }

    fn push_until_over(mut self) -> Places {
        let mut clock = 0;
        for ops in OPS_PER_PUSH.into_iter().cycle() {
            if self.world.known().is_over {
                break;
            }
            self.push(clock + 1..=clock + ops);
            clock += ops;
        }
        self.acknowledged
    }

    /// Offers the same ops until a server answers.
    fn push(&mut self, clocks: std::ops::RangeInclusive<u64>) {
        let ops: Vec<_> = clocks.map(|clock| op(&self.actor, clock)).collect();
        let body = json!({"clientId": self.actor, "ops": ops}).to_string();
        let mut tries = 0;
        let reply = loop {
            tries += 1;
            let known = self.world.known();
            match self.call(known.address, body.as_bytes()) {
                Ok(reply) => break reply,
                // Only a kill breaks an answer off, and after a kill there is a new start.
                Err(_) => {
                    self.wire = None;
                    self.world.until("the server is started again", |now| {
                        now.starts > known.starts
                    });
                }
            }
        };
        self.take(&reply, ops.len(), tries);
    }

    fn call(&mut self, address: SocketAddr, body: &[u8]) -> std::io::Result<Reply> {
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(Wire::connect(address, self.token)?),
        };
        wire.post("/sync/push", body)
    }

    /// Notes where the ops of an acknowledged push are.
    fn take(&mut self, reply: &Reply, ops: usize, tries: u32) {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let results = reply.body["results"].as_array().unwrap();
        assert_eq!(results.len(), ops);
        for result in results {
            // What was offered once is new; else the offer before may have got through, and whole.
            let status = &result["status"];
            assert_eq!(status, &results[0]["status"], "{results:?}");
            assert!(
                status == "accepted" || (tries > 1 && status == "duplicate"),
                "{results:?}"
            );
            let (key, place) = key_and_place(result);
            assert_eq!(key.0, self.actor);
            assert_eq!(self.acknowledged.insert(key, place), None);
        }
        self.world.tell(|known| known.acknowledged += ops as u64);
    }
}

fn op(actor: &str, clock: u64) -> Value {
    json!({
        "scope": "notes", "resourceId": "r", "actor": actor, "clock": clock,
        "payload": {"by": actor, "n": clock},
    })
}

fn key_and_place(op: &Value) -> ((String, u64), u64) {
    let actor = op["actor"].as_str().unwrap().to_owned();
    let clock = op["clock"].as_u64().unwrap();
    ((actor, clock), op["serverSeq"].as_u64().unwrap())
}

/// The whole log, page by page, each checked by the server against the mark of the one before.
fn log_of(server: &Server, token: &str) -> Places {
    let mut wire = Wire::connect(server.address(), token).unwrap();
    let mut log = Places::new();
    let mut query = String::new();
    loop {
        let page = wire.get(&format!("/sync/pull?limit=100{query}")).unwrap();
        assert_eq!(page.status, 200, "{}", page.body);
        for op in page.body["ops"].as_array().unwrap() {
            let ((actor, clock), place) = key_and_place(op);
            assert_eq!(op["payload"], json!({"by": actor, "n": clock}));
            let next = log.len() as u64 + 1;
            assert_eq!(place, next, "a place of the log is empty or taken twice");
            assert_eq!(log.insert((actor, clock), place), None, "an op twice: {op}");
        }
        if page.body["hasMore"] == false {
            return log;
        }
        let cursor = &page.body["cursor"];
        let mark = cursor["mark"].as_str().unwrap();
        query = format!("&since={}&mark={mark}", cursor["serverSeq"]);
    }
}
