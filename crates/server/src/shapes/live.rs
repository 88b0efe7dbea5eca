//! Waiting for a shape to change.

use std::sync::Arc;

use syncline_model::ServerSeq;
use syncline_store::Head;
use syncline_store::shapes::After;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::cache::ChunkKey;
use super::hub::{Hub, Waiting};
use super::log::{LogChunk, LogPart, LogRead, read_log};
use super::request::Live;
use super::resolve::Resolved;
use crate::auth::{AuthError, Identity};
use crate::log::Tenant;
use crate::server::{Beat, Server, now};
use crate::tenant::Refused;

/// A reader of one shape, and what it waits on.
pub(super) struct Reader {
    server: Arc<Server>,
    identity: Identity,
    resolved: Arc<Resolved>,
    /// Whether it may wait: then it need not look where nothing has moved.
    live: Live,
    topic: Option<Waiting>,
    /// Everything up to this place was read, while the topic was heard; none before that.
    read_to: Option<ServerSeq>,
    /// Of the tenant also while its file is closed.
    hub: Arc<Hub>,
    /// Held so that the tenant is not forgotten while this waits.
    head: watch::Receiver<Option<Head>>,
    beat: watch::Receiver<Beat>,
    seen: Beat,
}

/// Why waiting has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    Moved,
    TimedOut,
    /// The server stops, or the credential is no good any more.
    Ended,
}

/// What a reader has read.
pub(super) enum Read {
    Chunk(Arc<LogChunk>),
    Gone,
}

impl Reader {
    pub(super) fn new(
        server: &Arc<Server>,
        identity: &Identity,
        resolved: &Arc<Resolved>,
        live: Live,
        tenant: &Tenant,
    ) -> Self {
        let beat = server.beat.subscribe();
        let seen = *beat.borrow();
        Self {
            server: Arc::clone(server),
            identity: identity.clone(),
            resolved: Arc::clone(resolved),
            live,
            topic: None,
            read_to: None,
            hub: Arc::clone(tenant.hub()),
            head: tenant.watch(),
            beat,
            seen,
        }
    }

    /// Reads what comes after a place, together with all who ask for the same. What is committed after
    /// this is heard of by the next wait.
    pub(super) async fn read(&mut self, after: After) -> Result<Read, Refused> {
        let topic = match &mut self.topic {
            Some(topic) => topic,
            None => {
                self.read_to = None;
                self.topic
                    .insert(self.hub.subscribe(&self.resolved.definition))
            }
        };
        let told = self.hub.told();
        let moved = *topic.moved.borrow_and_update();
        // Where shapes may have gone since this one was found, the topic is of after that.
        if self.live != Live::No
            && self.hub.is_still(topic, moved, after)
            && let Some(nothing) = LogChunk::nothing(after, told)
        {
            self.read_to = self.read_to.max(Some(nothing.head));
            return Ok(Read::Chunk(Arc::new(nothing)));
        }
        let unseen = self.read_to.map_or(after, |read_to| After {
            seq: moved.unseen_from(read_to, told),
            rows: u64::MAX,
        });
        let key = ChunkKey {
            handle: self.resolved.shape.handle.clone(),
            after,
            head: self.head.borrow().map(|head| head.cursor),
        };
        let cell = self.hub.cache.cell(&key);
        let mut is_new = false;
        let read = async || {
            // By who reads for all: a thousand that are woken at once would wait in line for it.
            let tenant = self.server.tenants.open(&self.identity.tenant);
            let tenant = tenant.await.map_err(Some)?;
            let resolved = Arc::clone(&self.resolved);
            let bytes_max = self.server.config.shapes.chunk_bytes;
            let part = LogPart {
                after,
                unseen,
                bytes_max,
            };
            let read = tenant.read(move |file| read_log(file, &resolved, part));
            match read.await {
                Ok(LogRead::Chunk(chunk)) => {
                    is_new = true;
                    Ok(Arc::new(chunk))
                }
                Ok(LogRead::Gone) => Err(None),
                Err(refused) => Err(Some(refused)),
            }
        };
        let found = cell.get_or_try_init(read).await;
        if is_new {
            self.hub.cache.filled();
        }
        match found {
            Ok(chunk) => {
                if chunk.is_up_to_date {
                    self.read_to = self.read_to.max(Some(chunk.head));
                }
                Ok(Read::Chunk(Arc::clone(chunk)))
            }
            Err(None) => Ok(Read::Gone),
            Err(Some(refused)) => Err(refused),
        }
    }

    /// Waits until what was last read may have more after it.
    pub(super) async fn wait(&mut self, until: Instant) -> Woken {
        loop {
            if self.seen.draining {
                return Woken::Ended;
            }
            let Some(topic) = &mut self.topic else {
                return Woken::Moved;
            };
            tokio::select! {
                moved = topic.moved.changed() => {
                    if moved.is_err() {
                        // Nobody wakes this topic any more: another is found by the next reading.
                        self.topic = None;
                    }
                    return Woken::Moved;
                }
                () = sleep_until(until) => return Woken::TimedOut,
                beat = self.beat.changed() => {
                    if beat.is_err() || !self.may_go_on() {
                        return Woken::Ended;
                    }
                }
            }
        }
    }

    /// Hears a beat; says whether this reader may still read.
    fn may_go_on(&mut self) -> bool {
        let beat = *self.beat.borrow_and_update();
        let before = std::mem::replace(&mut self.seen, beat);
        if beat.draining {
            return false;
        }
        // Roles may be others too: who reads records asks again, and is told by their role of then.
        let has_roles = self.resolved.definition.relation.entity().is_some();
        beat.credentials == before.credentials || !has_roles && self.is_known()
    }

    /// Whether the credential is still good. Where that can't be told for the moment, it is.
    pub(super) fn is_known(&self) -> bool {
        let authenticator = &self.server.authenticator;
        let checked = authenticator.recheck(&self.identity.credential, now());
        !matches!(checked, Err(AuthError::Denied(_)))
    }
}
