//! What the tests of replica and engine share: one thread, and a server's log on a tenant file.

mod host;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use syncline_model::thread::{Create, Entry, EntryId, ThreadId, ThreadOp, thread_id};
use syncline_model::{Cursor, Epoch, Mark, OpKey, Payload, Scope, ServerSeq, Timestamp};
use syncline_protocol::{
    Admission, Claims, Details, ErrorBody, ErrorCode, Limits, LogFacts, Offer, OfferedOp, OpError,
    PageEncoder, PageEnd, PullQuery, PushAnswer, ReceivedOp, ReceivedPush, StreamQuery, Verdict,
    WireOp, admit, encode_event,
};
use syncline_store::threads::for_each_entry;
use syncline_store::{
    Appended, Collecting, Compaction, FileOptions, PageLimit, PendingOp, Stepped, StoreError,
    TenantFile,
};
use uuid::Uuid;

use crate::{Answer, AnswerBody, Call, Host, NewOp, PREPARED_FILE_TYPE, Replica};

pub(crate) use host::DiskHost;

pub(crate) fn at() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().unwrap()
}

pub(crate) fn thread() -> ThreadId {
    thread_id("default", "plans", 1)
}

fn new_op(payload: Payload) -> NewOp {
    NewOp {
        scope: Scope::thread(),
        resource: thread().into(),
        payload,
    }
}

pub(crate) fn create() -> NewOp {
    let op = ThreadOp::Create(Create {
        project: "default".into(),
        key: "plans".into(),
        generation: 1,
        name: "Plans".into(),
        at: at(),
    });
    new_op(op.payload().unwrap())
}

pub(crate) fn entry(text: &str) -> NewOp {
    let op = ThreadOp::Entry(Entry {
        entry_id: EntryId::new(Uuid::now_v7()),
        author: "ada".into(),
        content: text.into(),
        name: None,
        at: at(),
    });
    new_op(op.payload().unwrap())
}

/// The entries of the thread in their order: text, and place where it is known.
pub(crate) fn entries(replica: &mut Replica) -> Vec<(String, Option<u64>)> {
    let connection = replica.view().unwrap().connection();
    let mut found = Vec::new();
    for_each_entry(connection, thread(), |entry| {
        found.push((entry.content, entry.place.sequence_id()));
        Ok::<_, StoreError>(())
    })
    .unwrap();
    found
}

pub(crate) fn contents(replica: &mut Replica) -> Vec<String> {
    entries(replica)
        .into_iter()
        .map(|(content, _)| content)
        .collect()
}

/// Text that makes [`WireServer`] refuse an op.
pub(crate) const REFUSED: &str = "REFUSED";

/// A tenant file that answers calls, as a server would.
#[derive(Debug)]
pub(crate) struct WireServer {
    root: tempfile::TempDir,
    pub(crate) file: TenantFile,
    /// Ops that it takes in one push; more are too large.
    pub(crate) push_ops_max: usize,
    pub(crate) page_ops: usize,
    /// Whether tokens count.
    pub(crate) logged_in: bool,
}

impl WireServer {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let epoch = Epoch::new(Uuid::now_v7());
        let origin = Mark::origin(*Uuid::now_v7().as_bytes());
        let path = root.path().join("0.db");
        let file = TenantFile::create(&path, &FileOptions::default(), epoch, origin).unwrap();
        Self {
            root,
            file,
            push_ops_max: 5_000,
            page_ops: 1_000,
            logged_in: true,
        }
    }

    /// A copy of the log as it is.
    pub(crate) fn back_up(&self) -> PathBuf {
        let path = self.root.path().join(format!("{}.db", Uuid::now_v7()));
        self.file.write_prepared(&path).unwrap();
        path
    }

    /// Puts a copy in the place of the log; it can be put there again.
    pub(crate) fn restore(&mut self, copy: &Path) {
        let path = self.root.path().join(format!("{}.db", Uuid::now_v7()));
        std::fs::copy(copy, &path).unwrap();
        self.file = TenantFile::open(&path, &FileOptions::default()).unwrap();
    }

    pub(crate) fn head(&self) -> ServerSeq {
        self.file.head().unwrap().cursor.server_seq
    }

    pub(crate) fn answer(&mut self, call: &Call, host: &dyn Host) -> Answer {
        if !self.logged_in {
            return error(ErrorCode::Unauthorized, Details::None);
        }
        match call.path {
            "sync/push" => self.push(call.body.as_deref().unwrap()),
            "sync/pull" => self.pull(&PullQuery::parse(&call.query).unwrap()),
            "sync/bootstrap" => {
                let bytes = std::fs::read(self.back_up()).unwrap();
                host.write(call.save_to.as_deref().unwrap(), &mut &*bytes)
                    .unwrap();
                Answer {
                    status: 200,
                    media_type: Some(PREPARED_FILE_TYPE.to_owned()),
                    retry_after: None,
                    body: AnswerBody::Saved,
                }
            }
            other => panic!("no such path: {other}"),
        }
    }

    fn push(&mut self, body: &[u8]) -> Answer {
        let push = ReceivedPush::decode(body, &Limits::default()).unwrap();
        if push.ops.len() > self.push_ops_max {
            return error(ErrorCode::PayloadTooLarge, Details::None);
        }
        let claims = Claims {
            epoch: push.epoch,
            since: push
                .cursor
                .map_or(ServerSeq::ZERO, |cursor| cursor.server_seq),
            mark: push.cursor.map(|cursor| cursor.mark),
            floor: None,
            heal: push.heal,
        };
        if let Some(refusal) = self.refusal(&claims) {
            return refusal;
        }
        let mut batch = self.file.begin().unwrap();
        let mut verdicts = Vec::new();
        let mut behind = HashSet::new();
        let offer = push.heal.map_or(Offer::Own, |_| Offer::Again);
        for op in &push.ops {
            let ReceivedOp::Readable(op) = op else {
                panic!("{op:?} can't be read")
            };
            let resource = (&op.key.scope, &op.key.resource);
            let known = batch.known(&op.key, op.payload.as_ref(), op.payload_hash);
            if offer == Offer::Own && behind.contains(&resource) && known.unwrap().is_none() {
                verdicts.push(Verdict::Rejected(OpError::behind_refused(op.key.clock)));
                continue;
            }
            verdicts.push(judge(&mut batch, op, offer));
            if let Some(Verdict::Rejected(error)) = verdicts.last()
                && error.code == ErrorCode::ClockBehind
            {
                behind.insert(resource);
            }
        }
        let head = batch.commit().unwrap();
        let seq = head.cursor.server_seq;
        ok(PushAnswer::new(head.epoch, seq, &push.ops, verdicts).encode())
    }

    fn pull(&self, query: &PullQuery) -> Answer {
        let claims = Claims {
            epoch: query.epoch,
            since: query.since,
            mark: query.mark,
            floor: query.floor,
            heal: None,
        };
        let limit = query.limit.unwrap_or(usize::MAX).min(self.page_ops);
        self.refusal(&claims)
            .unwrap_or_else(|| ok(self.page(query.since, limit).1))
    }

    fn page(&self, since: ServerSeq, ops: usize) -> (Cursor, Vec<u8>) {
        let head = self.file.head().unwrap();
        let mut encoder = PageEncoder::new(head.epoch, head.floor);
        if since < head.floor {
            encoder.collections(self.file.collections().unwrap());
        }
        let limit = PageLimit {
            ops,
            bytes: usize::MAX,
        };
        let ops = self.file.ops_after(since, limit).unwrap();
        ops.iter().for_each(|op| encoder.op(&WireOp::from(op)));
        let last = ops.last().map_or(head.cursor.server_seq, |op| op.seq);
        let cursor = self.file.cursor_at_or_below(last).unwrap();
        (
            cursor,
            encoder.finish(PageEnd {
                head: head.cursor.server_seq,
                cursor,
            }),
        )
    }

    /// What a stream of this query sends at first: everything after its place, as one event.
    pub(crate) fn stream(&self, query: &str) -> Result<(ServerSeq, Vec<u8>), Answer> {
        let query = StreamQuery::parse(query, None).unwrap();
        let claims = Claims {
            epoch: query.epoch,
            since: query.since,
            mark: query.mark,
            floor: None,
            heal: None,
        };
        match self.refusal(&claims) {
            Some(refusal) => Err(refusal),
            None => Ok(self.event_after(query.since)),
        }
    }

    /// An event with everything after a place; no bytes where nothing is.
    pub(crate) fn event_after(&self, since: ServerSeq) -> (ServerSeq, Vec<u8>) {
        let (cursor, page) = self.page(since, usize::MAX >> 1);
        if cursor.server_seq == since {
            return (since, Vec::new());
        }
        (cursor.server_seq, encode_event(&cursor, &page))
    }

    fn refusal(&self, claims: &Claims) -> Option<Answer> {
        let head = self.file.head().unwrap();
        let log = LogFacts {
            epoch: head.epoch,
            head: head.cursor.server_seq,
            floor: head.floor,
        };
        match admit(claims, &log, |place| self.file.mark_at(place)).unwrap() {
            Admission::Serve => None,
            Admission::EpochChanged => {
                let lineage = self.file.lineage().unwrap();
                let details = Details::EpochChanged {
                    epoch: head.epoch,
                    lineage,
                };
                Some(error(ErrorCode::EpochChanged, details))
            }
            Admission::LogDiverged => {
                let details = Details::LogDiverged {
                    head: head.cursor.server_seq,
                };
                Some(error(ErrorCode::LogDiverged, details))
            }
            Admission::RebuildRequired => {
                let details = Details::RebuildRequired { floor: head.floor };
                Some(error(ErrorCode::RebuildRequired, details))
            }
        }
    }

    /// Compacts the log below `floor`.
    pub(crate) fn compact(&mut self, floor: ServerSeq) {
        compact(&mut self.file, floor, Collecting::Tombstones);
    }

    /// The keys of the whole log, in order.
    pub(crate) fn keys(&self) -> Vec<OpKey> {
        let limit = PageLimit {
            ops: usize::MAX >> 1,
            bytes: usize::MAX,
        };
        let ops = self.file.ops_after(ServerSeq::ZERO, limit).unwrap();
        ops.into_iter().map(|op| op.key).collect()
    }
}

/// Compacts a tenant file on which nothing is pending.
pub(crate) fn compact(file: &mut TenantFile, floor: ServerSeq, collecting: Collecting) {
    let nothing: &[PendingOp] = &[];
    let mut run = Compaction::begin(file, floor, collecting).unwrap();
    while file.compact_step(&mut run, 7, nothing).unwrap() == Stepped::More {}
}

fn judge(batch: &mut syncline_store::Batch<'_>, op: &OfferedOp, offer: Offer) -> Verdict {
    let highest = batch.head().clock_max;
    if op
        .payload
        .as_ref()
        .is_some_and(|payload| payload.as_str().contains(REFUSED))
    {
        return Verdict::Rejected(OpError::new(ErrorCode::InvalidOp, "the test says so"));
    }
    if op.key.clock.leads_too_far(highest) {
        return Verdict::Rejected(OpError::clock_lead(op.key.clock, highest));
    }
    match batch
        .append(&op.key, op.payload.as_ref(), op.payload_hash)
        .unwrap()
    {
        Appended::At(seq, _) => Verdict::Accepted(seq),
        Appended::Duplicate(seq) => Verdict::Duplicate(seq),
        Appended::Conflict(_) => {
            Verdict::Rejected(OpError::new(ErrorCode::KeyConflict, "the key is taken"))
        }
        Appended::Behind(clock) => Verdict::Rejected(OpError::clock_behind(clock)),
        Appended::MaybeCovered if offer == Offer::Again => Verdict::Duplicate(None),
        Appended::MaybeCovered => Verdict::Rejected(OpError::maybe_covered()),
    }
}

fn ok(body: Vec<u8>) -> Answer {
    Answer {
        status: 200,
        media_type: Some("application/json".to_owned()),
        retry_after: None,
        body: AnswerBody::Bytes(body),
    }
}

pub(crate) fn error(code: ErrorCode, details: Details) -> Answer {
    let body = ErrorBody::new(code, "a test's refusal", "r-1")
        .with_details(details)
        .encode();
    Answer {
        status: code.status(),
        ..ok(body)
    }
}
