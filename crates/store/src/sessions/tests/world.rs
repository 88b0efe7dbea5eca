//! A tenant file with sessions, in the log or on top of it.

use syncline_model::session::{SessionId, session_id};
use syncline_model::{ActorId, Clock, Epoch, Mark, Op, OpKey, Payload, Scope};
use tempfile::TempDir;
use uuid::Uuid;

use crate::search::{PartFilter, PartHit, SessionQuery, SnippetStyle, search_sessions};
use crate::sessions::{ListedSession, PriceTable, SessionFilter, list_sessions};
use crate::{FileOptions, PendingOp, TenantFile};

pub(super) struct World {
    file: TenantFile,
    outbox: Vec<PendingOp>,
    clock: u64,
    directory: TempDir,
}

pub(super) fn id(name: &str) -> SessionId {
    session_id("claude-code", name, "")
}

impl World {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = TenantFile::create(
            &directory.path().join("tenant.db"),
            &FileOptions::default(),
            Epoch::new(Uuid::nil()),
            Mark::origin([0; 16]),
        )
        .unwrap();
        Self {
            file,
            outbox: Vec::new(),
            clock: 0,
            directory,
        }
    }

    pub(super) fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("tenant.db")
    }

    pub(super) fn view(&self) -> &rusqlite::Connection {
        self.file.connection()
    }

    pub(super) fn op(&mut self, session: SessionId, payload: &str) -> Op {
        self.clock += 1;
        Op {
            key: OpKey {
                actor: ActorId::new("me").unwrap(),
                clock: Clock::new(self.clock).unwrap(),
                scope: Scope::session(),
                resource: session.into(),
            },
            payload: Payload::parse(payload).unwrap(),
        }
    }

    /// Writes patches to the log, all in one batch.
    pub(super) fn log(&mut self, patches: &[(&str, &str)]) {
        let ops: Vec<Op> = patches
            .iter()
            .map(|(session, patch)| {
                self.op(
                    id(session),
                    &format!(r#"{{"type":"patch","patch":{patch}}}"#),
                )
            })
            .collect();
        self.append(&ops);
    }

    pub(super) fn append(&mut self, ops: &[Op]) {
        let mut batch = self.file.begin().unwrap();
        for op in ops {
            batch
                .append(&op.key, Some(&op.payload), op.payload.hash())
                .unwrap();
        }
        batch.commit().unwrap();
    }

    pub(super) fn pend(&mut self, session: &str, patch: &str) {
        let op = self.op(
            id(session),
            &format!(r#"{{"type":"patch","patch":{patch}}}"#),
        );
        let order = self.outbox.len() as u64 + 1;
        self.outbox.push(PendingOp { order, op });
        self.file.fold_outbox(&self.outbox[..]).unwrap();
    }

    pub(super) fn found(&self, text: &str) -> Vec<PartHit> {
        self.found_where(text, PartFilter::default())
    }

    pub(super) fn found_where(&self, text: &str, filter: PartFilter<'_>) -> Vec<PartHit> {
        let query = SessionQuery {
            text,
            filter,
            limit: 10,
            offset: 0,
            snippet: SnippetStyle::Plain,
            prices: &PriceTable::built_in(),
        };
        let found = search_sessions(self.view(), &query).unwrap();
        assert_eq!(found.total, found.hits.len() as u64);
        found.hits
    }

    pub(super) fn listed(&self, filter: &SessionFilter<'_>) -> Vec<ListedSession> {
        let prices = PriceTable::built_in();
        let all = list_sessions(self.view(), filter, None, 100, &prices).unwrap();
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = list_sessions(self.view(), filter, after, 1, &prices).unwrap();
            paged.extend(page.sessions);
            after = page.next;
            let Some(cursor) = after else { break };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        assert_eq!(paged, all.sessions, "page by page");
        all.sessions
    }

    pub(super) fn names(&self, filter: &SessionFilter<'_>) -> Vec<String> {
        let listed = self.listed(filter).into_iter();
        listed
            .filter_map(|listed| listed.session.native_id)
            .collect()
    }
}

pub(super) const MAIN: &str = r#"{"session":{"agent":"claude-code","nativeId":"main","title":"Fix the login",
    "projectPath":"/w/app","projectName":"app","gitBranch":"main","model":"claude-sonnet-4-5",
    "startedAt":"2026-03-01T10:00:00.000Z","updatedAt":"2026-03-01T11:00:00.000Z"},
  "messages":[
    {"id":"u1","role":"user","at":"2026-03-01T10:00:00.000Z","order":1},
    {"id":"a1","role":"assistant","at":"2026-03-01T10:00:02.000Z","order":2,"model":"claude-sonnet-4-5"}],
  "parts":[
    {"messageId":"u1","id":"0","kind":"text","order":0,"text":"please mend the flowers"},
    {"messageId":"a1","id":"0","kind":"thinking","order":0,"text":"the gardener knows"},
    {"messageId":"a1","id":"1","kind":"text","order":1,"text":"I will call get"},
    {"messageId":"a1","id":"2","kind":"text","order":2,"text":"UserName","continues":true},
    {"toolId":"t1","id":"in","kind":"tool_input","order":0,"text":"{\"command\":\"cargo test\"}"},
    {"toolId":"t1","id":"out","kind":"tool_output","order":1,"text":"compilation went wrong"}],
  "tools":[{"id":"t1","messageId":"a1","name":"Bash","success":false,"error":"exit 101","order":3,
    "at":"2026-03-01T10:00:03.000Z","files":[{"path":"src/a.rs","action":"edit"},{"path":"b","action":"read"}]}],
  "usage":[{"id":"r1","order":2,"at":"2026-03-01T10:00:02.000Z","model":"claude-sonnet-4-5",
    "input":1000,"output":100,"cacheRead":10000,"cacheWrite5m":1000}],
  "errors":[{"id":"e1","kind":"api","message":"overloaded","order":4}],
  "compactions":[{"id":"c1","trigger":"auto","summary":"what was planted","order":5}]}"#;

pub(super) const CHILD: &str = r#"{"session":{"agent":"claude-code","nativeId":"child","parentKind":"subagent",
    "startedAt":"2026-03-01T10:30:00.000Z","parentTool":"t1"},
  "messages":[{"id":"b1","role":"assistant","at":"2026-03-02T10:00:00.000Z"}],
  "usage":[{"id":"r2","order":1,"at":"2026-03-02T10:00:00.000Z","model":"x","output":7,"costNanos":5000}]}"#;

pub(super) fn family() -> World {
    let mut world = World::new();
    let parent = format!(r#"{{"session":{{"parentSession":"{}"}}}}"#, id("main"));
    world.log(&[("main", MAIN), ("child", CHILD), ("child", &parent)]);
    world
}
