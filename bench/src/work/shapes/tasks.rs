//! A server with an application's records: tasks of owners.

use std::time::Duration;

use anyhow::ensure;
use syncline_model::Op;

use crate::http::{Connection, Head, head};
use crate::input;
use crate::program::{Server, admin_token, token};

/// Ops of one push while the tasks are made.
const BATCH: usize = 1_000;

/// Until a server has looked for changed tokens and roles since the tenant was made: what waits then is
/// told nothing, so that it asks again.
const UNTIL_LOOKED: Duration = Duration::from_millis(1_100);

/// A server whose tenant has tasks.
pub(super) struct Tasks {
    pub server: Server,
    pub token: String,
    clock: u64,
    // The server ends before its files do.
    _data: tempfile::TempDir,
}

impl Tasks {
    /// Makes `count` tasks of `owners` owners in turn.
    pub(super) fn make(count: u64, owners: u64) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let admin = admin_token(data.path(), "bench")?;
        let token = token(data.path(), "bench")?;
        let server = Server::syncline(data.path())?;
        let mut tasks = Self {
            server,
            token,
            clock: 0,
            _data: data,
        };
        tasks.push(&admin, &[input::schema()])?;
        let ops: Vec<_> = (0..count)
            .map(|id| input::new_task(tasks.tick(), id, id % owners))
            .collect();
        for batch in ops.chunks(BATCH) {
            tasks.push(&tasks.token, batch)?;
        }
        std::thread::sleep(UNTIL_LOOKED);
        Ok(tasks)
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn push(&self, token: &str, ops: &[Op]) -> anyhow::Result<()> {
        let head = head("POST", "/sync/push", &self.server.address, token);
        let answer =
            Connection::open(&self.server.address)?.call(&head, &input::push_body("bench", ops))?;
        let text = String::from_utf8(answer.body)?;
        ensure!(
            answer.status == 200 && !text.contains("rejected"),
            "push answered {}: {}",
            answer.status,
            &text[..400.min(text.len())]
        );
        Ok(())
    }

    /// Makes a shape; gives the head of its answer.
    pub(super) fn begin(&self, query: &str) -> anyhow::Result<Head> {
        let path = format!("/v1/shape?{query}&offset=now");
        let head = head("GET", &path, &self.server.address, &self.token);
        let answer = Connection::open(&self.server.address)?.call(&head, b"")?;
        ensure!(answer.status == 200, "the shape answered {}", answer.status);
        Ok(answer.head)
    }

    /// The body of a push that gives these tasks another place.
    pub(super) fn places(&mut self, ids: impl Iterator<Item = u64>, place: u64) -> Vec<u8> {
        let ops: Vec<_> = ids
            .map(|id| input::placed_task(self.tick(), id, place))
            .collect();
        input::push_body("bench", &ops)
    }

    /// The whole request that gives one task another place.
    pub(super) fn place(&mut self, id: u64, place: u64) -> Vec<u8> {
        let body = self.places(std::iter::once(id), place);
        let head = head("POST", "/sync/push", &self.server.address, &self.token);
        super::readers::request(&head, &body)
    }
}
