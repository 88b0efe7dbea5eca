// tidy: long because it is the whole of a simulated service
//! The server's place in the world: what arrives, group commits, streams, its lives.

use syncline_model::Timestamp;
use syncline_model::planted::{Defect, is_planted, play};
use syncline_protocol::{Claims, ErrorCode, HEARTBEAT, Verdict, encode_event};
use syncline_replica::{Answer, StreamId};

use super::transport::Word;
use super::transport::{Flight, Purpose, code_of};
use super::{Event, Life, Phase, World};
use crate::coverage::Happening;
use crate::oracle::{Holdings, Violation, digest};
use crate::server::{Asker, Gate, Served, SimServer, Waiting};
use crate::workload::Flavor;

/// Milliseconds between heartbeats of a stream.
const HEARTBEAT_MS: u64 = 15_000;
/// The longest that a commit waits for company, in milliseconds.
const GROUP_MS: u64 = 4;

/// A push that waits for the next commit.
pub(crate) struct Seat {
    flight: Flight,
    waiting: Waiting,
}

/// The server's end of a stream.
pub(crate) struct ServerStream {
    claims: Claims,
    /// When the last bytes sent will have arrived: bytes don't overtake each other.
    arrives_at: u64,
    /// Nothing that is sent arrives any more.
    silent: bool,
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

    /// What the server has acknowledged is in its log.
    pub(super) fn check_server(&mut self) -> Result<(), Violation> {
        let held = self.server_holdings();
        self.oracle.check_acknowledged(&held.log)
    }

    /// The ops on the server's disk.
    pub(super) fn server_holdings(&mut self) -> Holdings {
        let prefix = self.copy_aside(crate::server::HOME);
        let options = syncline_store::FileOptions {
            vfs: Some(self.disk.vfs_name().to_owned()),
            ..syncline_store::FileOptions::default()
        };
        let before = play(syncline_model::planted::Binary::default());
        let path = format!("{prefix}tenant.db");
        let file = syncline_store::TenantFile::open(path.as_ref(), &options);
        let held = file.ok().and_then(|file| Holdings::of_log(&file).ok());
        play(before);
        self.forget_aside(&prefix);
        held.unwrap_or_default()
    }

    pub(super) fn end_server(&mut self) {
        self.enter_server();
        self.server = None;
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
            Some(ErrorCode::LogDiverged) => self.count_regrown(&answer, query),
            _ => {}
        }
        self.answer(flight, answer, Word::Other);
    }

    fn server_gate(&self) -> Gate {
        self.server
            .as_ref()
            .map_or(Gate::Open, |server| server.gate)
    }

    /// A log that diverged, and whose head is not below the place asked for, has grown again.
    fn count_regrown(&mut self, answer: &Answer, query: &str) {
        let syncline_replica::AnswerBody::Bytes(body) = &answer.body else {
            return;
        };
        let error = syncline_protocol::ErrorBody::read(answer.status, body);
        let syncline_protocol::Details::LogDiverged { head } = error.details else {
            return;
        };
        let asked = syncline_protocol::PullQuery::parse(query);
        if asked.is_ok_and(|asked| asked.client_id.is_some() && asked.since <= head) {
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
            let word = self.judge(&pushed.verdicts)?;
            let line = format!(
                "{} push -> {} {:?}",
                flight.purpose,
                pushed.answer.status,
                code_of(&pushed.answer)
            );
            self.note(format_args!("{line}"));
            if code_of(&pushed.answer) == Some(ErrorCode::StorageFull) {
                self.count(Happening::StorageFull);
            }
            self.answer(flight, pushed.answer, word);
        }
        self.pump_streams();
        Ok(())
    }

    /// Notes what an answer says; tells whether it refuses an op.
    fn judge(
        &mut self,
        verdicts: &[(syncline_model::PayloadHash, Verdict)],
    ) -> Result<Word, Violation> {
        let mut word = Word::Other;
        for (hash, verdict) in verdicts {
            let digest = digest(hash);
            match verdict {
                Verdict::Accepted(seq) | Verdict::Duplicate(Some(seq)) => {
                    self.oracle.acknowledged(*seq, digest)?;
                }
                Verdict::Duplicate(None) => {}
                Verdict::Rejected(error) => {
                    word = Word::Refusal;
                    match error.code {
                        ErrorCode::FoldFailed => self.count(Happening::FoldPanicOnServer),
                        ErrorCode::KeyConflict => self.count(Happening::KeyConflict),
                        ErrorCode::ClockLead => self.count(Happening::ClockLead),
                        _ => {}
                    }
                    let flavor = self.oracle.find(&digest).map(|written| written.flavor);
                    self.note(format_args!("refused as {}: {flavor:?}", error.code));
                }
            }
        }
        Ok(word)
    }

    pub(super) fn sync_late(&mut self, life: u32) {
        self.enter_server();
        if let Some(server) = self.server.as_mut().filter(|_| life == self.server_life) {
            server.sync_late();
        }
    }

    fn begin_stream(&mut self, flight: Flight, claims: Claims) {
        let Purpose::Stream(life, stream) = flight.purpose else {
            return;
        };
        let arrives_at = self.now() + self.weather.latency_ms;
        self.schedule
            .set(self.weather.latency_ms, Event::StreamStart(life, stream));
        let silent = self.chance.in_ten_thousand(self.weather.stream_silent);
        if silent {
            self.count(Happening::StreamSilent);
        }
        self.streams.insert(
            (life, stream),
            ServerStream {
                claims,
                arrives_at,
                silent,
            },
        );
        self.stream_send(life, stream, HEARTBEAT);
        self.pump_streams();
    }

    pub(super) fn close_stream(&mut self, life: Life, stream: StreamId) {
        self.process(life.pid).stream = None;
        self.streams.remove(&(life, stream));
    }

    /// Sends each stream what its log has gained.
    pub(super) fn pump_streams(&mut self) {
        let open: Vec<_> = self.streams.keys().copied().collect();
        for (life, stream) in open {
            self.pump(life, stream);
        }
    }

    fn pump(&mut self, life: Life, stream: StreamId) {
        self.enter_server();
        while let Some(open) = self.streams.get(&(life, stream)) {
            let claims = open.claims;
            let Some(server) = &mut self.server else {
                return;
            };
            let page = server.stream_page(&claims);
            if !server.process.is_alive() {
                return;
            }
            match page {
                Ok(None) => return,
                Ok(Some((cursor, json))) => {
                    self.count(Happening::StreamPage);
                    self.stream_send(life, stream, &encode_event(&cursor, &json));
                    if let Some(open) = self.streams.get_mut(&(life, stream)) {
                        open.claims.since = cursor.server_seq;
                        open.claims.mark = Some(cursor.mark);
                    }
                }
                Err(refused) => {
                    self.note(format_args!("stream of {} ends: {refused}", life.pid));
                    self.end_stream(life, stream);
                }
            }
        }
    }

    fn end_stream(&mut self, life: Life, stream: StreamId) {
        if let Some(open) = self.streams.remove(&(life, stream)) {
            let delay = open.arrives_at.saturating_sub(self.now()) + 1;
            if !open.silent {
                self.schedule.set(delay, Event::StreamEnd(life, stream));
            }
        }
    }

    /// Sends bytes down a stream, in parts; it may break at any byte.
    fn stream_send(&mut self, life: Life, stream: StreamId, bytes: &[u8]) {
        let cut_off = self.machines[life.pid.machine].cut_off_until > self.now();
        let breaks = self.chance.in_ten_thousand(self.weather.stream_cut);
        let now = self.now();
        let Some(open) = self.streams.get_mut(&(life, stream)) else {
            return;
        };
        // What is sent into a partition is never acknowledged, and the connection dies of it.
        open.silent |= cut_off;
        if open.silent {
            return;
        }
        let end = if breaks {
            self.chance.below(bytes.len())
        } else {
            bytes.len()
        };
        let mut sent = 0;
        while sent < end {
            let part = (1 + self.chance.below(end)).min(end - sent);
            open.arrives_at = open.arrives_at.max(now) + self.chance.between(0, 3);
            let part_bytes = bytes[sent..sent + part].to_vec();
            let delay = open.arrives_at - now;
            self.schedule
                .set(delay, Event::StreamBytes(life, stream, part_bytes));
            sent += part;
        }
        if breaks {
            self.count(Happening::StreamCut);
            self.end_stream(life, stream);
        }
    }

    pub(super) fn heartbeat(&mut self) {
        let open: Vec<_> = self.streams.keys().copied().collect();
        for (life, stream) in open {
            self.stream_send(life, stream, HEARTBEAT);
        }
        self.schedule.set(HEARTBEAT_MS, Event::Heartbeat);
    }

    /// Ends the streams of a machine whose token is no good any more.
    pub(super) fn end_streams_of(&mut self, machine: usize) {
        let open: Vec<_> = self.streams.keys().copied().collect();
        for (life, stream) in open
            .into_iter()
            .filter(|(life, _)| life.pid.machine == machine)
        {
            self.end_stream(life, stream);
        }
    }

    pub(super) fn open_gate(&mut self, life: u32) {
        if let Some(server) = self.server.as_mut().filter(|_| life == self.server_life) {
            server.gate = Gate::Open;
        }
    }

    pub(super) fn lift_quota(&mut self, prefix: &str) {
        if self.phase == Phase::Trouble {
            self.note(format_args!("there is room on {prefix} again"));
        }
        self.disk.lift_quota(prefix);
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
