//! The server's place in the world: its lives, what arrives, group commits, what answers say.

use std::collections::BTreeSet;

use syncline_model::Timestamp;
use syncline_model::planted::{Defect, is_planted, play};
use syncline_protocol::{
    Details, ErrorBody, ErrorCode, OfferedOp, PullQuery, ReceivedPush, Verdict,
};
use syncline_replica::{Answer, AnswerBody, Call};

use super::transport::{Flight, Purpose, Word, code_of};
use super::{Event, World};
use crate::coverage::Happening;
use crate::oracle::{Excuse, Violation, Written, digest};
use crate::server::{Asker, Gate, Pushed, Served, SimServer, Waiting};
use crate::workload::{Flavor, OPAQUE_SCOPE};

/// The longest that a commit waits for company, in milliseconds.
const GROUP_MS: u64 = 4;

/// A push that waits for the next commit.
pub(crate) struct Seat {
    flight: Flight,
    waiting: Waiting,
}

impl World {
    fn server_now(&self) -> Timestamp {
        self.server_clock.now()
    }

    pub(super) fn enter_server(&self) {
        self.set_clock(&self.server_clock, self.server_skew_ms);
        play(self.server_binary);
    }

    pub(super) fn start_server(&mut self, life: u32) -> Result<(), Violation> {
        if life != self.server_life || self.server.is_some() {
            return Ok(());
        }
        self.enter_server();
        let chance = self.chance.split();
        let mut server = SimServer::start(&self.disk, self.dials.limits.clone(), chance);
        let opened = server.log().map(|_| ());
        self.server = Some(server);
        match opened {
            Ok(()) => self.note(format_args!("the server starts")),
            Err(refused) => {
                self.note(format_args!("the server starts without its log: {refused}"));
            }
        }
        self.bury_the_dead();
        self.check_server()
    }

    pub(super) fn end_server(&mut self) {
        self.enter_server();
        self.server = None;
        self.compacting = None;
        self.server_life += 1;
        for seat in std::mem::take(&mut self.seats) {
            self.refuse_connection(seat.flight);
        }
        for ((life, stream), _) in std::mem::take(&mut self.streams) {
            self.schedule.set(2, Event::StreamEnd(life, stream));
        }
    }

    pub(super) fn start_server_later(&mut self) {
        let delay = self.chance.between(50, 5_000);
        self.schedule
            .set(delay, Event::StartServer(self.server_life));
    }

    pub(super) fn upgrade_server(&mut self) {
        self.end_server();
        self.server_binary.age = 0;
        self.start_server_later();
    }

    pub(super) fn arrive(&mut self, flight: Flight) -> Result<(), Violation> {
        if self.is_cut_off(&flight.purpose) {
            self.count(Happening::RequestLost);
            return Ok(());
        }
        self.count_arrival(&flight);
        self.enter_server();
        let asker = self.asker(&flight.purpose);
        let now = self.server_now();
        let Some(server) = &mut self.server else {
            self.refuse_connection(flight);
            return Ok(());
        };
        let served = server.serve(&asker, &flight.request, now);
        if !server.process.is_alive() {
            self.refuse_connection(flight);
            return Ok(());
        }
        match served {
            Served::Now(answer) => self.answer_now(flight, answer),
            Served::Waits(waiting) => self.seat(flight, *waiting),
            Served::Stream(claims) => self.begin_stream(flight, claims),
        }
        Ok(())
    }

    fn asker(&self, purpose: &Purpose) -> Asker {
        match purpose {
            Purpose::Call(life, _) | Purpose::Stream(life, _) => {
                let machine = &self.machines[life.pid.machine];
                Asker {
                    user: machine.user.clone(),
                    authorized: machine.authorized,
                }
            }
            Purpose::Bare(_) => Asker {
                user: self.bare.user(),
                authorized: true,
            },
        }
    }

    fn answer_now(&mut self, flight: Flight, answer: Answer) {
        let code = code_of(&answer);
        let Flight {
            purpose, request, ..
        } = &flight;
        let (path, query) = (request.path, &request.query);
        let line = format!("{purpose} {path}?{query} -> {} {code:?}", answer.status);
        self.note(format_args!("{line}"));
        match code {
            Some(ErrorCode::RateLimited) => self.count(Happening::RateLimited),
            Some(ErrorCode::Unavailable) if self.server_gate() == Gate::Maintenance => {
                self.count(Happening::Maintenance);
            }
            Some(ErrorCode::StorageFull) => self.count(Happening::StorageFull),
            Some(ErrorCode::LogDiverged) => self.count_regrown(&answer, request),
            Some(ErrorCode::RebuildRequired) => self.count(Happening::RebuildRequired),
            _ => {}
        }
        self.answer(flight, answer, Word::Other);
    }

    fn server_gate(&self) -> Gate {
        self.server
            .as_ref()
            .map_or(Gate::Open, |server| server.gate)
    }

    /// A log that diverged, and whose head is not below the cursor of who asked, has grown again.
    fn count_regrown(&mut self, answer: &Answer, request: &Call) {
        let AnswerBody::Bytes(body) = &answer.body else {
            return;
        };
        let error = ErrorBody::read(answer.status, body);
        let Details::LogDiverged { head } = error.details else {
            return;
        };
        let pulled = PullQuery::parse(&request.query).ok();
        let pulled = pulled.filter(|query| query.client_id.is_some());
        let pushed = request.body.as_deref().unwrap_or_default();
        let pushed = ReceivedPush::decode(pushed, &self.dials.limits).ok();
        let cursor = pushed.and_then(|push| push.cursor);
        let stood = cursor.map(|cursor| cursor.server_seq);
        let stood = stood.or(pulled.map(|query| query.since));
        if stood.is_some_and(|seq| seq <= head) {
            self.count(Happening::RegrownPastCursor);
        }
    }

    fn seat(&mut self, flight: Flight, waiting: Waiting) {
        if self.seats.is_empty() {
            let delay = self.chance.between(0, GROUP_MS);
            self.schedule.set(delay, Event::Commit(self.server_life));
        }
        self.seats.push(Seat { flight, waiting });
    }

    pub(super) fn commit(&mut self, life: u32) -> Result<(), Violation> {
        if life != self.server_life || self.server.is_none() {
            return Ok(());
        }
        self.enter_server();
        let now = self.server_now();
        let seats = std::mem::take(&mut self.seats);
        if seats.len() > 1 {
            self.count(Happening::GroupCommit);
        }
        let ops: usize = seats.iter().map(|seat| seat.waiting.ops()).sum();
        self.note(format_args!("commit of {} pushes, {ops} ops", seats.len()));
        let (flights, group): (Vec<_>, Vec<_>) = seats
            .into_iter()
            .map(|seat| (seat.flight, seat.waiting))
            .unzip();
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        let pushed = server.commit(group.into_iter(), now);
        if !server.process.is_alive() {
            flights
                .into_iter()
                .for_each(|flight| self.refuse_connection(flight));
            return Ok(());
        }
        if is_planted(Defect::AcknowledgeEarly) {
            self.schedule.set(150, Event::SyncLate(life));
        }
        for (flight, pushed) in flights.into_iter().zip(pushed) {
            let word = self.judge(&pushed)?;
            let line = format!(
                "{} push -> {} {:?}",
                flight.purpose,
                pushed.answer.status,
                code_of(&pushed.answer)
            );
            self.note(format_args!("{line}"));
            match code_of(&pushed.answer) {
                Some(ErrorCode::StorageFull) => self.count(Happening::StorageFull),
                Some(ErrorCode::RebuildRequired) => self.count(Happening::RebuildRequired),
                Some(ErrorCode::LogDiverged) => {
                    self.count_regrown(&pushed.answer, &flight.request);
                }
                _ => {}
            }
            self.answer(flight, pushed.answer, word);
        }
        self.pump_streams();
        Ok(())
    }

    /// Notes what an answer says.
    fn judge(&mut self, pushed: &Pushed) -> Result<Word, Violation> {
        let mut refused = BTreeSet::new();
        let came_before = pushed
            .verdicts
            .iter()
            .any(|(_, verdict)| matches!(verdict, Verdict::Duplicate(Some(_))));
        for (op, verdict) in &pushed.verdicts {
            let digest = digest(&op.payload_hash);
            match verdict {
                Verdict::Accepted(seq) | Verdict::Duplicate(Some(seq)) => {
                    self.oracle.acknowledged(*seq, digest)?;
                    if refused.contains(&op.key.resource) {
                        self.count(Happening::EditOnTopOfRefused);
                    }
                    if pushed.heals && matches!(verdict, Verdict::Accepted(_)) {
                        self.count(Happening::OfferedAgain);
                    }
                }
                Verdict::Duplicate(None) => {
                    self.count_as_taken(op);
                    if came_before && op.key.scope.as_str() == OPAQUE_SCOPE {
                        self.oracle.maybe_covered(&digest);
                    }
                }
                Verdict::Rejected(error) => {
                    refused.insert(op.key.resource.clone());
                    self.count_refusal(op, error.code);
                    let flavor = self.oracle.find(&digest).map(|written| written.flavor);
                    self.note(format_args!("refused as {}: {flavor:?}", error.code));
                }
            }
        }
        Ok(if refused.is_empty() {
            Word::Other
        } else {
            Word::Refusal
        })
    }

    /// A key counts as taken by an op that was dropped: as if this one had been, which the reference
    /// then tells by the view.
    ///
    /// Where tombstones were collected the view tells nothing. There a machine that was put back may
    /// have used a key twice, for another op each time, and lost the answer to the first try: then
    /// nobody can tell.
    fn count_as_taken(&mut self, op: &OfferedOp) {
        self.count(Happening::CoveredDuplicate);
        self.note(format_args!("counts as dropped: {:?}", op.key));
        if !self.archive.is_collected(&op.key) {
            self.archive.count_as_dropped(op);
            return;
        }
        let digest = digest(&op.payload_hash);
        let written = self.oracle.find(&digest);
        if written.is_some_and(|written| written.writer.era > 0) {
            self.oracle.excuse([digest], Excuse::LostWithDisk);
        }
    }

    fn count_refusal(&mut self, op: &OfferedOp, code: ErrorCode) {
        let digest = digest(&op.payload_hash);
        match code {
            ErrorCode::FoldFailed => self.count(Happening::FoldPanicOnServer),
            ErrorCode::KeyConflict => self.count(Happening::KeyConflict),
            ErrorCode::ClockLead => {
                self.count(Happening::ClockLead);
                // Written anew, by its writer or by who takes it from the quarantine, it is there under
                // its old key too once somebody who has it from the log of before is heard.
                let was_acknowledged = |written: &Written| written.acknowledged;
                if self.oracle.find(&digest).is_some_and(was_acknowledged) {
                    self.oracle.let_double([digest]);
                }
            }
            // It is written anew, above what was collected. A request that comes late may bring it after
            // that, where it gives nothing back any more, and loses to the one written anew in every row.
            ErrorCode::ClockBehind => self.oracle.let_double_behind(&digest),
            ErrorCode::MaybeCovered if self.archive.is_collected(&op.key) => {
                self.oracle.maybe_covered(&digest);
            }
            _ => {}
        }
    }

    pub(super) fn sync_late(&mut self, life: u32) {
        self.enter_server();
        if let Some(server) = self.server.as_mut().filter(|_| life == self.server_life) {
            server.sync_late();
        }
    }

    /// Where the server's log stands, if it can be read.
    pub(super) fn server_head(&mut self) -> Option<syncline_store::Head> {
        self.enter_server();
        self.server.as_mut()?.log().ok()?.head().ok()
    }

    /// Counts what a poisoned op met.
    pub(super) fn count_flavor(&mut self, flavor: Flavor) {
        match flavor {
            Flavor::Plain | Flavor::Panicking => {}
            Flavor::Opaque => self.count(Happening::OpaqueOp),
            Flavor::Unreadable => self.count(Happening::UnreadableOp),
            Flavor::Newer => self.count(Happening::NewerOp),
            Flavor::Oversized => self.count(Happening::OversizedOp),
            Flavor::MadeAgain => self.count(Happening::ThreadMadeAgain),
        }
    }
}
