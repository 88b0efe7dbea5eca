//! What the session asks for, done.

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Cursor, Scope};
use syncline_protocol::limits::{ANSWER_BYTES_MAX, FETCH_OPS, PUSH_BYTES, PUSH_OPS};
use syncline_protocol::session::{Action, Applied, Event, Settled, State};
use syncline_protocol::{
    ErrorCode, Offer, OfferedOp, OpError, PullQuery, PushRequest, Remedy, STREAM_TYPE,
    StreamParser, StreamQuery, Verdict as PushVerdict,
};
use syncline_store::PulledPage;
use syncline_store::local::{OutboxRow, Verdict};

use super::{
    BATCH, Call, CallId, CameAfter, Engine, Failed, Method, OpenStream, OutCall, Output, Purpose,
    PushAnswered, RebuildUnderWay, StreamId,
};
use crate::ReplicaError;
use crate::replica::{NewClock, PageError};

const JSON: &str = "application/json";
/// Ops asked for by a replica that has nothing yet: the answer says how long the log is, and a long
/// one is fetched as a file, beside which a full page would be for nothing.
const FIRST_OPS: usize = 500;
pub(super) const PULL: &str = "sync/pull";

impl Engine {
    /// Does one action; gives the event that it leads to at once, if it does.
    pub(super) fn perform(&mut self, action: Action) -> Result<Option<Event>, Failed> {
        match action {
            Action::Push => return self.push(),
            Action::ShrinkBatch => self.shrink_batch()?,
            Action::Settle => return self.settle().map(Some),
            Action::Pull => self.pull()?,
            Action::Apply => return self.apply().map(Some),
            Action::OpenStream => self.open_stream()?,
            Action::CloseStream => {
                let open = self.stream.take();
                self.outputs
                    .extend(open.map(|open| Output::CloseStream(open.id)));
            }
            Action::CancelCall => {
                let out = self.out.take();
                self.outputs.extend(out.map(|out| Output::Cancel(out.id)));
            }
            Action::SetTimer(time) => self.outputs.push(Output::WakeAfter(time)),
            Action::FindMark { at_or_below } => return self.find_mark(at_or_below).map(Some),
            Action::Probe(probe) => self.probe(probe)?,
            Action::AdoptEpoch { epoch, mode } => {
                self.notes.forget_head();
                self.replica.adopt_epoch(epoch, mode)?;
            }
            Action::BeginRebuild(plan) => self.begin_rebuild(plan)?,
            Action::FetchFile => return self.fetch_file(),
            Action::FetchPage => return self.fetch_page(),
            Action::ApplyFetched => return self.apply_fetched().map(Some),
            Action::Switch(plan) => return self.switch(plan).map(Some),
            Action::AbandonRebuild => {
                if let Some(RebuildUnderWay { rebuild, .. }) = self.rebuild.take() {
                    self.replica.abandon_rebuild(rebuild)?;
                }
            }
            Action::Finished => {
                self.notes.flush(&mut self.replica);
                self.outputs.push(Output::Finished);
            }
        }
        Ok(None)
    }

    fn push(&mut self) -> Result<Option<Event>, Failed> {
        let sent_before = self.replica.sent_through()?;
        let Some(batch) = self.replica.next_batch(self.batch_limit)? else {
            return Ok(Some(Event::NothingToPush));
        };
        let sent: Vec<_> = batch.ops.iter().map(|row| row.key.clone()).collect();
        let epoch = self.epoch()?;
        let request = PushRequest {
            client_id: self.replica.client_id()?,
            epoch,
            cursor: match epoch {
                Some(_) if !is_planted(Defect::CursorMovedByPush) => Some(self.cursor()?),
                Some(_) | None => None,
            },
            heal: batch.heal,
            ops: batch.ops.into_iter().map(offered).collect(),
        };
        self.last_batch.clone_from(&sent);
        let call = Call {
            method: Method::Post,
            path: "sync/push",
            query: String::new(),
            accept: JSON,
            body: Some(request.encode()),
            save_to: None,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        self.send(Purpose::Push { sent, sent_before }, call);
        Ok(None)
    }

    fn shrink_batch(&mut self) -> Result<(), Failed> {
        if let [key] = self.last_batch.as_slice() {
            let refused = Verdict::Refused {
                code: ErrorCode::TooLarge.as_str().to_owned(),
                message: "the server takes no request as large as this op alone".to_owned(),
                details: None,
            };
            self.replica
                .settle(&[(key.clone(), refused)], NewClock::Onward)?;
            return Ok(());
        }
        self.batch_limit.ops = (self.last_batch.len() / 2).clamp(1, PUSH_OPS);
        self.batch_limit.bytes = (self.batch_limit.bytes / 2).clamp(1, PUSH_BYTES);
        Ok(())
    }

    fn settle(&mut self) -> Result<Event, Failed> {
        let Some(answered) = self.push_answer.take() else {
            return Ok(Event::Settled(Settled::Done));
        };
        self.batch_limit = BATCH;
        self.notes.heard(answered.answer.server_seq);
        let mut new_clock = NewClock::Onward;
        let is_repeated = self.came_before(&answered)?;
        let mut verdicts = Vec::with_capacity(answered.sent.len());
        for (key, verdict) in answered.sent.into_iter().zip(answered.answer.verdicts) {
            let verdict = match verdict {
                PushVerdict::Accepted(seq) | PushVerdict::Duplicate(Some(seq)) => {
                    Verdict::Acknowledged(seq)
                }
                // What was never sent before can't have been covered: its key is another's, of a copy
                // of this replica, or of a life that it was put back from.
                PushVerdict::Duplicate(None)
                    if !(is_repeated && is_judged_by_rows(&key.scope))
                        && self.replica.is_sent_first(&key, answered.sent_before)? =>
                {
                    Verdict::KeyTaken
                }
                PushVerdict::Duplicate(None) => Verdict::Covered,
                PushVerdict::Rejected(error) => {
                    let offer = self.replica.offer_of(&key)?;
                    new_clock = match (error.code, error.above, new_clock) {
                        (ErrorCode::ClockLead, _, _) | (_, _, NewClock::FromLog) => {
                            NewClock::FromLog
                        }
                        (_, Some(above), NewClock::Above(other)) => {
                            NewClock::Above(above.max(other))
                        }
                        (_, Some(above), NewClock::Onward) => NewClock::Above(above),
                        (_, None, onward) => onward,
                    };
                    judge_refusal(error, offer)
                }
            };
            verdicts.push((key, verdict));
        }
        let settled = self.replica.settle(&verdicts, new_clock)?;
        if is_planted(Defect::CursorMovedByPush) {
            self.replica.move_cursor(answered.answer.server_seq)?;
        }
        Ok(Event::Settled(if settled.written_anew > 0 {
            Settled::Renewed
        } else {
            Settled::Done
        }))
    }

    /// Whether the log had what was sent for the first time: something on the way has sent the request
    /// twice, or a copy of this replica the same ops. Then others of it may have been covered since.
    fn came_before(&self, answered: &PushAnswered) -> Result<bool, ReplicaError> {
        for (key, verdict) in answered.sent.iter().zip(&answered.answer.verdicts) {
            let is_there = matches!(verdict, PushVerdict::Duplicate(Some(_)));
            if is_there && self.replica.is_sent_first(key, answered.sent_before)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn pull(&mut self) -> Result<(), Failed> {
        let cursor = self.cursor()?;
        let epoch = self.epoch()?;
        let query = PullQuery {
            client_id: Some(self.replica.client_id()?),
            epoch,
            limit: Some(epoch.map_or(FIRST_OPS, |_| FETCH_OPS)),
            sight: self.replica.sight()?,
            ..PullQuery::at(cursor)
        };
        self.send(
            Purpose::Pull {
                since: cursor.server_seq,
            },
            get(PULL, query.encode()),
        );
        Ok(())
    }

    fn apply(&mut self) -> Result<Event, Failed> {
        let Some(CameAfter { since, page }) = self.page.take() else {
            return Ok(Event::Applied(Applied::CaughtUp));
        };
        let at = self.cursor()?.server_seq;
        let reach = if page.has_more {
            Applied::More
        } else {
            Applied::CaughtUp
        };
        if since < at && page.cursor.server_seq <= at {
            return Ok(Event::Applied(reach));
        }
        let head = page.server_seq;
        let sight = page.sight;
        let pulled = PulledPage {
            epoch: page.epoch,
            floor: page.floor,
            since,
            ops: page.ops,
            cursor: page.cursor,
        };
        match self.replica.apply(&pulled) {
            Ok(_) => self.replica.note_sight(sight.as_deref())?,
            Err(PageError::Unfit(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a page does not continue this replica's log");
                return Ok(Event::Applied(Applied::Diverged));
            }
            Err(PageError::Replica(error)) => return Err(error.into()),
        }
        self.notes.heard(head);
        // A pull is asked for after every acknowledgement before it; a page of the stream may have
        // been made before one.
        if matches!(self.state(), State::Applying) {
            self.replica.settle_beyond(head)?;
        }
        if reach == Applied::CaughtUp && self.replica.lacks_deletes()? {
            tracing::warn!(
                "ops came erased, and nothing that has erased them: the log was put back"
            );
            return Ok(Event::Applied(Applied::Diverged));
        }
        if reach == Applied::CaughtUp && !self.replica.has_pending()? {
            self.notes.synced(&self.replica);
            self.leisure.hope();
        }
        Ok(Event::Applied(reach))
    }

    fn open_stream(&mut self) -> Result<(), Failed> {
        let cursor = self.cursor()?;
        let query = StreamQuery {
            client_id: Some(self.replica.client_id()?),
            epoch: self.epoch()?,
            sight: self.replica.sight()?,
            ..StreamQuery::at(cursor)
        };
        self.streams += 1;
        let id = StreamId(self.streams);
        self.stream = Some(OpenStream {
            id,
            parser: StreamParser::new(ANSWER_BYTES_MAX),
            at: cursor.server_seq,
        });
        let request = Call {
            accept: STREAM_TYPE,
            ..get("sync/stream", query.encode())
        };
        self.outputs.push(Output::OpenStream {
            stream: id,
            request,
        });
        Ok(())
    }

    pub(super) fn cursor(&self) -> Result<Cursor, ReplicaError> {
        Ok(self
            .replica
            .tenant
            .head()
            .map_err(ReplicaError::Tenant)?
            .cursor)
    }

    pub(super) fn send(&mut self, purpose: Purpose, request: Call) {
        self.calls += 1;
        let id = CallId(self.calls);
        self.out = Some(OutCall { id, purpose });
        self.outputs.push(Output::Send { call: id, request });
    }
}

pub(super) fn get(path: &'static str, query: String) -> Call {
    Call {
        method: Method::Get,
        path,
        query,
        accept: JSON,
        body: None,
        save_to: None,
        answer_bytes_max: ANSWER_BYTES_MAX,
    }
}

fn offered(row: OutboxRow) -> OfferedOp {
    OfferedOp {
        key: row.key,
        payload: row.payload,
        payload_hash: row.payload_hash,
    }
}

/// Whether a log says of an op of this scope that it was dropped only where no row would change by it. Of
/// others it goes by the clock alone, and the key may be another's of a life that this replica was put back from.
fn is_judged_by_rows(scope: &Scope) -> bool {
    matches!(
        scope.as_str(),
        Scope::THREAD | Scope::SESSION | Scope::LIST | Scope::REGISTRY
    )
}

/// What becomes of an op that was refused for ever. Others' ops are not this replica's to stamp: one
/// whose clock leads too far waits for its user.
fn judge_refusal(error: OpError, offer: Offer) -> Verdict {
    let anew = match (error.code.remedy(), offer) {
        (Remedy::WriteAnew, Offer::Own) => true,
        (Remedy::WriteAnew, Offer::Again) => error.code == ErrorCode::KeyConflict,
        (
            Remedy::TryLater
            | Remedy::MendRequest
            | Remedy::LogIn
            | Remedy::Recover
            | Remedy::Quarantine,
            Offer::Own | Offer::Again,
        ) => false,
    };
    if anew && error.code == ErrorCode::KeyConflict {
        return Verdict::KeyTaken;
    }
    if anew {
        return Verdict::WriteAnew;
    }
    Verdict::Refused {
        code: error.code.as_str().to_owned(),
        message: error.message,
        details: error.details.map(String::from),
    }
}
