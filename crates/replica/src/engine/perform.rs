//! What the session asks for, done.

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Cursor, ServerSeq};
use syncline_protocol::limits::{ANSWER_BYTES_MAX, FETCH_OPS, PUSH_BYTES, PUSH_OPS};
use syncline_protocol::session::{Action, Applied, Event, State};
use syncline_protocol::{
    ErrorCode, OfferedOp, PullQuery, PushRequest, STREAM_TYPE, StreamParser, StreamQuery,
};
use syncline_store::PulledPage;
use syncline_store::local::{OutboxRow, Verdict};

use super::{
    Call, CallId, CameAfter, Engine, Failed, Method, OpenStream, OutCall, Output, Purpose,
    RebuildUnderWay, StreamId,
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

    fn pull(&mut self) -> Result<(), Failed> {
        self.replica.follow()?;
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
        if reach == Applied::CaughtUp {
            self.count_once()?;
            self.replica.forget_undone_cut()?;
        }
        if reach == Applied::CaughtUp && !self.replica.has_pending()? {
            self.notes.synced(&self.replica);
            self.leisure.hope();
        }
        Ok(Event::Applied(reach))
    }

    /// Has sessions count once what several of them have said, as far as the log has come since this was
    /// last done.
    fn count_once(&mut self) -> Result<(), ReplicaError> {
        let head = self.replica.tenant.head().map_err(ReplicaError::Tenant)?;
        let through = head.cursor.server_seq;
        let since = match self.notes.compared(head.epoch) {
            // The log is another one behind some place.
            since if since > through => ServerSeq::ZERO,
            since => since,
        };
        if since < through {
            self.replica.count_once(since)?;
            self.notes.note_compared(head.epoch, through);
        }
        Ok(())
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
