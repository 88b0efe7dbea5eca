//! The server: the real log of one tenant, with the requests and answers of its routes, as bytes.
//!
//! What lies between a socket and the log in the real server is thin here: a gate (maintenance,
//! rates, tokens), the decoding of a request, the encoding of its answer. Everything that decides is
//! the server's own code.

use std::path::Path;
use std::time::Duration;

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ActorId, Cursor, Epoch, Mark, Timestamp, UserId};
use syncline_protocol::{
    BootstrapQuery, Claims, DecodeError, Details, ErrorBody, ErrorCode, Limits, OfferedOp,
    PullQuery, PushAnswer, ReceivedOp, ReceivedPush, StreamQuery, Verdict,
};
use syncline_replica::{Answer, AnswerBody, Call, Method, PREPARED_FILE_TYPE};
use syncline_server::tenant::{
    Birth, ClientNote, Outcome, Push, Refused, Standing, TenantLog, Write,
};
use syncline_simdisk::{Disk, Process};
use syncline_store::{Durability, FileOptions, PageLimit};
use uuid::Uuid;

use crate::chance::Chance;

/// Where the server's files are.
pub(crate) const HOME: &str = "server/";
const FILE: &str = "server/tenant.db";
const PREPARED: &str = "server/prepared.db";

/// What stands before the log at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    /// 503 with `Retry-After`.
    Maintenance,
    /// 429 with `Retry-After`.
    RateLimited,
}

/// Who asks, as the server sees it.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) user: UserId,
    /// Whether the token is good.
    pub(crate) authorized: bool,
}

/// What the server does with a request.
pub(crate) enum Served {
    Now(Answer),
    /// It waits for the next commit.
    Waits(Box<Waiting>),
    /// A stream is open at this place.
    Stream(Claims),
}

/// A push that waits for the next commit.
pub(crate) struct Waiting {
    push: Push,
}

/// What became of a push.
pub(crate) struct Pushed {
    pub(crate) answer: Answer,
    /// Its ops and their verdicts, in order; none where the whole push was refused.
    pub(crate) verdicts: Vec<(OfferedOp, Verdict)>,
    /// Its ops were offered for the log's sake.
    pub(crate) heals: bool,
}

/// A server's process.
pub(crate) struct SimServer {
    pub(crate) process: Process,
    log: Option<TenantLog>,
    chance: Chance,
    pub(crate) limits: Limits,
    pub(crate) gate: Gate,
    requests: u64,
}

impl SimServer {
    /// Starts a process; the log is opened with the first request.
    pub(crate) fn start(disk: &Disk, limits: Limits, chance: Chance) -> Self {
        Self {
            process: disk.process(HOME),
            log: None,
            chance,
            limits,
            gate: Gate::Open,
            requests: 0,
        }
    }

    /// The log, opened if it is not.
    pub(crate) fn log(&mut self) -> Result<&mut TenantLog, Refused> {
        if self.log.is_none() {
            let early = is_planted(Defect::AcknowledgeEarly) || is_planted(Defect::SkipSync);
            let options = FileOptions {
                vfs: Some(self.process.vfs_name().to_owned()),
                durability: if early {
                    Durability::Normal
                } else {
                    Durability::Full
                },
            };
            let birth = Birth {
                epoch: Epoch::new(Uuid::from_bytes(self.chance.bytes())),
                origin: Mark::origin(self.chance.bytes()),
                actor: ActorId::new(Uuid::from_bytes(self.chance.bytes()).to_string())
                    .expect("a UUID's text is short and printable"),
            };
            let mut log = TenantLog::open(Path::new(FILE), &options, birth)?;
            log.checkpoint_by_hand()?;
            self.log = Some(log);
        }
        Ok(self.log.as_mut().expect("it was opened just now"))
    }

    /// Makes durable what was acknowledged early: a defect's other half.
    pub(crate) fn sync_late(&mut self) {
        if let Ok(file) = self.log().and_then(TenantLog::file) {
            // Where it fails, the defect shows the better.
            let _ = file.set_durability(Durability::Full);
            let _ = file.checkpoint();
            let _ = file.set_durability(Durability::Normal);
        }
    }

    /// Moves the write-ahead log into the file, and writes clients' notes down; says whether it could.
    pub(crate) fn checkpoint(&mut self, now: Timestamp) -> bool {
        let Ok(log) = self.log() else { return false };
        let noted = log.commit(&mut [], now).failures == 0;
        noted && log.checkpoint().is_ok()
    }

    /// Serves a request as far as no commit is needed for it.
    pub(crate) fn serve(&mut self, asker: &Asker, call: &Call, now: Timestamp) -> Served {
        self.requests += 1;
        match self.gate {
            Gate::Open => {}
            Gate::Maintenance => return Served::Now(self.later(ErrorCode::Unavailable)),
            Gate::RateLimited => return Served::Now(self.later(ErrorCode::RateLimited)),
        }
        if !asker.authorized {
            let message = "the token is unknown, expired or revoked: log in again";
            return Served::Now(self.error(ErrorCode::Unauthorized, message, Details::None, None));
        }
        let served = match (call.method, call.path) {
            (Method::Post, "sync/push") => self.receive(asker, call),
            (Method::Get, "sync/pull") => self.pull(asker, call, now),
            (Method::Get, "sync/bootstrap") => self.bootstrap(call),
            (Method::Get, "sync/stream") => self.open_stream(asker, call, now),
            (_, path) => {
                let message = format!("there is no path {path}");
                Err(self.error(ErrorCode::NotFound, &message, Details::None, None))
            }
        };
        served.unwrap_or_else(Served::Now)
    }

    fn receive(&mut self, asker: &Asker, call: &Call) -> Result<Served, Answer> {
        let body = call.body.as_deref().unwrap_or_default();
        let received =
            ReceivedPush::decode(body, &self.limits).map_err(|error| self.undecodable(&error))?;
        let push = Push {
            user: asker.user.clone(),
            standing: Standing::OWNER,
            received,
        };
        Ok(Served::Waits(Box::new(Waiting { push })))
    }

    fn pull(&mut self, asker: &Asker, call: &Call, now: Timestamp) -> Result<Served, Answer> {
        let query = PullQuery::parse(&call.query).map_err(|error| self.undecodable(&error))?;
        let claims = Claims {
            epoch: query.epoch,
            since: query.since,
            mark: query.mark,
            floor: query.floor,
            heal: None,
        };
        let limit = PageLimit {
            ops: self.limits.page_ops_for(query.limit),
            bytes: self.limits.page_bytes,
        };
        let note = query
            .client_id
            .map(|client| note(client, asker, &claims, now));
        let page = self.log().and_then(|log| log.pull(&claims, note, limit));
        match page {
            Ok((_, json)) => Ok(Served::Now(json_answer(json))),
            Err(refused) => Err(self.refused(&refused)),
        }
    }

    fn open_stream(
        &mut self,
        asker: &Asker,
        call: &Call,
        now: Timestamp,
    ) -> Result<Served, Answer> {
        let query =
            StreamQuery::parse(&call.query, None).map_err(|error| self.undecodable(&error))?;
        let claims = Claims {
            epoch: query.epoch,
            since: query.since,
            mark: query.mark,
            floor: None,
            heal: None,
        };
        let note = query
            .client_id
            .map(|client| note(client, asker, &claims, now));
        let limit = self.stream_limit();
        let first = self.log().and_then(|log| log.pull(&claims, note, limit));
        match first {
            // From here on the epoch is that of the first page: a reset ends the stream.
            Ok((page, _)) => Ok(Served::Stream(Claims {
                epoch: Some(page.head.epoch),
                ..claims
            })),
            Err(refused) => Err(self.refused(&refused)),
        }
    }

    fn bootstrap(&mut self, call: &Call) -> Result<Served, Answer> {
        BootstrapQuery::parse(&call.query).map_err(|error| self.undecodable(&error))?;
        match self.prepare_file() {
            Ok(bytes) => Ok(Served::Now(Answer {
                status: 200,
                media_type: Some(PREPARED_FILE_TYPE.to_owned()),
                retry_after: None,
                body: AnswerBody::Bytes(bytes),
            })),
            Err(refused) => Err(self.refused(&refused)),
        }
    }

    fn prepare_file(&mut self) -> Result<Vec<u8>, Refused> {
        let path = Path::new(PREPARED);
        // One that an earlier life has left stands in the way.
        let _none = self.process.remove(PREPARED);
        self.log()?.file()?.write_prepared(path)?;
        let bytes = self.process.read(PREPARED);
        let removed = self.process.remove(PREPARED);
        bytes
            .and_then(|bytes| removed.map(|()| bytes))
            .map_err(|error| Refused::File(error.into()))
    }

    fn stream_limit(&self) -> PageLimit {
        PageLimit {
            ops: self.limits.page_ops,
            bytes: self.limits.page_bytes,
        }
    }

    /// The page that a stream sends next, and where it then is; none: it is at the head.
    ///
    /// An error ends the stream: the client asks again, and is told by a status what has changed.
    pub(crate) fn stream_page(
        &mut self,
        claims: &Claims,
    ) -> Result<Option<(Cursor, Vec<u8>)>, Refused> {
        let limit = self.stream_limit();
        let (page, json) = self.log()?.pull(claims, None, limit)?;
        Ok((page.cursor.server_seq != claims.since).then_some((page.cursor, json)))
    }

    /// Commits what waits, in one group, and answers each.
    pub(crate) fn commit(
        &mut self,
        group: impl Iterator<Item = Waiting>,
        now: Timestamp,
    ) -> Vec<Pushed> {
        let mut writes: Vec<Write> = group.map(|waiting| Write::Push(waiting.push)).collect();
        let committed = match self.log() {
            Ok(log) => log.commit(&mut writes, now),
            Err(refused) => {
                let refuse = |_| Pushed {
                    answer: self.refused(&refused),
                    verdicts: Vec::new(),
                    heals: false,
                };
                return writes.iter().map(refuse).collect();
            }
        };
        let outcomes = writes.iter().zip(committed.outcomes);
        let answers = outcomes.map(|(write, outcome)| match (write, outcome) {
            (Write::Push(push), Ok(Outcome::Pushed(pushed))) => {
                let ops = &push.received.ops;
                let verdicts = pushed.verdicts;
                let told = ops
                    .iter()
                    .zip(&verdicts)
                    .filter_map(|(op, verdict)| match op {
                        ReceivedOp::Readable(op) => Some((op.clone(), verdict.clone())),
                        ReceivedOp::Refused { .. } => None,
                    });
                let told = told.collect();
                let seq = pushed.head.server_seq;
                let answer = PushAnswer::new(pushed.epoch, seq, ops, verdicts);
                Pushed {
                    answer: json_answer(answer.encode()),
                    verdicts: told,
                    heals: push.received.heal.is_some(),
                }
            }
            (_, Ok(_)) => unreachable!("a push is answered as a push"),
            (_, Err(refused)) => Pushed {
                answer: self.refused(&refused),
                verdicts: Vec::new(),
                heals: false,
            },
        });
        answers.collect()
    }

    fn later(&self, code: ErrorCode) -> Answer {
        let after = Duration::from_secs(2);
        self.error(code, "try again later", Details::None, Some(after))
    }

    fn undecodable(&self, error: &DecodeError) -> Answer {
        self.error(error.code(), &error.to_string(), Details::None, None)
    }

    fn refused(&self, refused: &Refused) -> Answer {
        let (details, after) = (refused.details(), refused.retry_after());
        self.error(refused.code(), &refused.advice(), details, after)
    }

    fn error(
        &self,
        code: ErrorCode,
        message: &str,
        details: Details,
        retry_after: Option<Duration>,
    ) -> Answer {
        let id = format!("request-{}", self.requests);
        let body = ErrorBody::new(code, message, id).with_details(details);
        Answer {
            status: code.status(),
            media_type: Some("application/json".to_owned()),
            retry_after,
            body: AnswerBody::Bytes(body.encode()),
        }
    }
}

impl Waiting {
    /// How many ops wait.
    pub(crate) fn ops(&self) -> usize {
        self.push.received.ops.len()
    }
}

fn note(
    client: syncline_model::ClientId,
    asker: &Asker,
    claims: &Claims,
    now: Timestamp,
) -> ClientNote {
    ClientNote {
        client,
        user: asker.user.clone(),
        cursor: claims.mark.map(|mark| Cursor {
            server_seq: claims.since,
            mark,
        }),
        at: now,
    }
}

fn json_answer(body: Vec<u8>) -> Answer {
    Answer {
        status: 200,
        media_type: Some("application/json".to_owned()),
        retry_after: None,
        body: AnswerBody::Bytes(body),
    }
}
