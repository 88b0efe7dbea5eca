//! The ops that are pushed: made from a seed, the same in every run.

use syncline_model::thread::{Entry, EntryId, ThreadOp, thread_id};
use syncline_model::{ActorId, Clock, Op, OpKey, Payload, ResourceId, Scope, Timestamp};
use uuid::Uuid;

const WORDS: [&str; 32] = [
    "the", "a", "of", "to", "and", "in", "is", "that", "sync", "replica", "log", "fold", "entry",
    "server", "cursor", "view", "epoch", "mark", "tenant", "commit", "laptop", "durable", "outbox",
    "session", "retry", "branch", "failing", "test", "because", "refactor", "config", "parser",
];
const THREADS: u64 = 100;

/// Numbers that look random, the same for the same seed.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// `bytes` bytes of words and numbers.
pub(crate) fn text(seed: u64, bytes: usize) -> String {
    let mut chance = Chance::new(seed);
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        let state = chance.next();
        text.push_str(WORDS[(state % 32) as usize]);
        if state.is_multiple_of(11) {
            text.push_str(&(state % 10_000).to_string());
        }
        text.push(' ');
    }
    text.truncate(bytes);
    text
}

fn actor(run: u64) -> ActorId {
    ActorId::new(Uuid::from_u128(0x0191_d1c2 << 96 | u128::from(run)).to_string())
        .expect("a UUID's text is short and printable")
}

fn key(run: u64, clock: u64, scope: &str, resource: ResourceId) -> OpKey {
    OpKey {
        actor: actor(run),
        clock: Clock::new(clock).expect("benchmarks count from 1"),
        scope: Scope::new(scope).expect("it is one of three fixed texts"),
        resource,
    }
}

/// Ops of a scope that nobody folds, each with a payload of `bytes` bytes.
pub(crate) fn opaque(run: u64, count: u64, bytes: usize) -> Vec<Op> {
    (1..=count)
        .map(|n| {
            let payload = format!("{{\"data\":\"{}\"}}", text(n, bytes - 11));
            let resource =
                ResourceId::new(format!("r{}", n % THREADS)).expect("it is short and printable");
            Op {
                key: key(run, n, "bench", resource),
                payload: Payload::parse(&payload).expect("it is JSON"),
            }
        })
        .collect()
}

/// So many ops on items of [`THREADS`] lists: of each hundred one makes an item, the others give one
/// that is there another text.
pub(crate) fn item_changes(count: u64) -> impl Iterator<Item = Op> {
    let items = (count / 100).max(1);
    (0..count).map(move |n| {
        let item = n % items;
        let id = Uuid::from_u128(0x0191_d1c2 << 96 | 7 << 76 | 2 << 62 | u128::from(item));
        let text = text(n + 1, 60);
        let text = text.trim();
        let payload = if n < items {
            format!(
                r#"{{"type":"insert","itemId":"{id}","payload":{{"text":"{text}","done":false,"note":"","pos":"a{item:06}1"}}}}"#
            )
        } else {
            format!(r#"{{"type":"update","itemId":"{id}","payload":{{"text":"{text}"}}}}"#)
        };
        let list = ResourceId::new(format!("list-{}", item % THREADS));
        let list = list.expect("it is short and printable");
        Op {
            key: key(9, n + 1, Scope::LIST, list),
            payload: Payload::parse(&payload).expect("it is JSON"),
        }
    })
}

/// What is live of so many [`item_changes`]: each item as it was made, and its last text.
pub(crate) fn live_item_changes(count: u64) -> impl Iterator<Item = Op> {
    let items = (count / 100).max(1);
    let last = (count - items) as usize;
    let made = item_changes(count).take(items as usize);
    made.chain(item_changes(count).skip(last))
}

/// The place-th entry of the benchmark, of `bytes` bytes of text.
pub(crate) fn entry(run: u64, place: u64, bytes: usize) -> (Op, EntryRow) {
    let project = format!("bench{run}");
    let thread = thread_id(&project, &format!("thread-{}", place % THREADS), 0);
    let row = EntryRow {
        thread_id: thread.to_string(),
        entry_id: Uuid::from_u128(0x0191_d1c2 << 96 | 7 << 76 | 2 << 62 | u128::from(place)),
        content: text(place, bytes),
        timestamp: Timestamp::from_millis(1_760_000_000_000 + place as i64)
            .expect("it is of this century"),
    };
    let payload = ThreadOp::Entry(Entry {
        entry_id: EntryId::from(row.entry_id),
        author: "bench".into(),
        content: row.content.as_str().into(),
        name: None,
        at: row.timestamp,
    });
    let payload = payload.payload().expect("it is within the limits");
    (
        Op {
            key: key(run, place, Scope::THREAD, ResourceId::from(thread)),
            payload,
        },
        row,
    )
}

/// What an entry is as a row of the view.
#[derive(Debug)]
pub(crate) struct EntryRow {
    pub thread_id: String,
    pub entry_id: Uuid,
    pub content: String,
    pub timestamp: Timestamp,
}

/// The schema of the tasks of [`task`], as the payload of an op.
pub(crate) const TASKS: &str = r#"{"entities":[{"name":"tasks","singular":"task","key":"id",
"mode":{"kind":"optimistic"},"fields":[{"name":"id","kind":"text"},{"name":"owner","kind":"text"},
{"name":"title","kind":"text"},{"name":"amount","kind":"decimal"},{"name":"done","kind":"boolean"},
{"name":"place","kind":"int64"},{"name":"due","kind":"timestamp"}]}]}"#;

/// The op that puts the schema in place.
pub(crate) fn schema() -> Op {
    let resource = ResourceId::new("schema").expect("it is short and printable");
    Op {
        key: key(0, 1, Scope::SCHEMA, resource),
        payload: Payload::parse(TASKS).expect("it is JSON"),
    }
}

/// A task: its columns as texts, in the order of the schema.
pub(crate) fn task(id: u64, owner: u64) -> [String; 7] {
    [
        task_id(id),
        format!("u{owner}"),
        text(id + 1, 40),
        format!("{}.{:02}", id % 1_000, id % 100),
        id.is_multiple_of(3).to_string(),
        id.to_string(),
        format!("2026-03-{:02} 12:30:00+00", id % 28 + 1),
    ]
}

fn task_id(id: u64) -> String {
    format!("task-{id:08}")
}

/// The op that makes a task.
pub(crate) fn new_task(clock: u64, id: u64, owner: u64) -> Op {
    let [name, owner, title, amount, done, place, due] = task(id, owner);
    let values = format!(
        r#"{{"id":"{name}","owner":"{owner}","title":"{title}","amount":"{amount}","done":{done},"place":{place},"due":"{due}"}}"#
    );
    record(clock, id, "create", &values)
}

/// The op that gives a task another place.
pub(crate) fn placed_task(clock: u64, id: u64, place: u64) -> Op {
    record(clock, id, "update", &format!(r#"{{"place":{place}}}"#))
}

fn record(clock: u64, id: u64, action: &str, values: &str) -> Op {
    let id = task_id(id);
    let payload = format!(
        r#"{{"writes":[{{"entity":"tasks","id":"{id}","action":"{action}","values":{values}}}],"mode":"confirmed"}}"#
    );
    let resource = ResourceId::new(format!("tasks/{id}")).expect("it is short and printable");
    Op {
        key: key(1, clock, Scope::RECORD, resource),
        payload: Payload::parse(&payload).expect("it is JSON"),
    }
}

/// The body of a push of these ops.
pub(crate) fn push_body(client: &str, ops: &[Op]) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut body = format!("{{\"clientId\":\"{client}\",\"ops\":[");
    for (n, op) in ops.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        write!(
            body,
            "{comma}{{\"scope\":\"{}\",\"resourceId\":\"{}\",\"actor\":\"{}\",\"clock\":{},\"payload\":{}}}",
            op.key.scope,
            op.key.resource,
            op.key.actor,
            op.key.clock,
            op.payload.as_str()
        )
        .expect("writing to a string does not fail");
    }
    body.push_str("]}");
    body.into_bytes()
}
