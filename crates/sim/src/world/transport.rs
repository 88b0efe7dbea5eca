//! The network: what it loses, doubles, delays and cuts.

use syncline_protocol::ErrorCode;
use syncline_replica::{
    Answer, AnswerBody, Call, CallId, EngineEvent, Host, PREPARED_FILE_TYPE, StreamId, Unanswered,
};

use super::{Doing, Event, Life, World};
use crate::coverage::Happening;
use crate::host::SimHost;
use crate::oracle::Violation;

/// The longest delay of a message that is late: longer than a caller waits.
const LATE_MS: u64 = 30_000;
/// When a caller learns that nobody listens.
const REFUSED_MS: u64 = 3;

/// What a request is for, and who waits for its answer.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    Call(Life, CallId),
    Stream(Life, StreamId),
    /// Of a caller without a replica; the number of its try.
    Bare(u64),
}

/// Whether an answer refuses an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Refusal,
    Other,
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Call(life, call) => write!(f, "{}'s call {}", life.pid, call.0),
            Self::Stream(life, stream) => write!(f, "{}'s stream {}", life.pid, stream.0),
            Self::Bare(number) => write!(f, "the caller's try {number}"),
        }
    }
}

/// A request on its way.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) purpose: Purpose,
    pub(crate) request: Call,
    /// Rises with each request of a world.
    pub(crate) number: u64,
}

/// An answer on its way.
pub(crate) struct Reply {
    pub(crate) purpose: Purpose,
    pub(crate) request: Call,
    pub(crate) answer: Result<Answer, Unanswered>,
}

impl World {
    pub(super) fn send(&mut self, life: Life, call: CallId, request: Call) {
        self.dispatch(Purpose::Call(life, call), request);
    }

    pub(super) fn send_for_stream(&mut self, life: Life, stream: StreamId, request: Call) {
        self.dispatch(Purpose::Stream(life, stream), request);
    }

    pub(super) fn dispatch(&mut self, purpose: Purpose, request: Call) {
        self.arrivals += 1;
        let flight = Flight {
            purpose,
            request,
            number: self.arrivals,
        };
        if self.is_cut_off(&flight.purpose) {
            self.count(Happening::RequestLost);
            return;
        }
        if self.chance.in_ten_thousand(self.weather.request_lost) {
            self.count(Happening::RequestLost);
            return;
        }
        if self.chance.in_ten_thousand(self.weather.request_doubled) {
            self.count(Happening::RequestDoubled);
            let delay = self.delay();
            self.schedule
                .set(delay, Event::Arrival(Box::new(flight.clone())));
        }
        let delay = self.delay();
        self.schedule.set(delay, Event::Arrival(Box::new(flight)));
    }

    pub(super) fn is_cut_off(&self, purpose: &Purpose) -> bool {
        match purpose {
            Purpose::Call(life, _) | Purpose::Stream(life, _) => {
                self.machines[life.pid.machine].cut_off_until > self.now()
            }
            Purpose::Bare(_) => false,
        }
    }

    fn delay(&mut self) -> u64 {
        if self.chance.in_ten_thousand(self.weather.late) {
            return self.chance.between(1_000, LATE_MS);
        }
        self.chance.between(1, self.weather.latency_ms)
    }

    /// Whether what arrives was overtaken, or is waited for no more.
    pub(super) fn count_arrival(&mut self, flight: &Flight) {
        let (Purpose::Call(life, _) | Purpose::Stream(life, _)) = &flight.purpose else {
            return;
        };
        let life = *life;
        let arrived = &mut self.machines[life.pid.machine].arrived;
        let overtaken = flight.number < *arrived;
        *arrived = flight.number.max(*arrived);
        if overtaken {
            self.count(Happening::RequestOvertaken);
        }
        if let Purpose::Call(life, call) = flight.purpose {
            let waits = self.is_current(life) && self.process(life.pid).out == Some(call);
            if !waits {
                self.count(Happening::RequestLate);
            }
        }
    }

    /// Nobody listens where the request arrives.
    pub(super) fn refuse_connection(&mut self, flight: Flight) {
        let Flight {
            purpose, request, ..
        } = flight;
        let answer = Err(unanswered("connection refused"));
        let reply = Reply {
            purpose,
            request,
            answer,
        };
        self.schedule.set(REFUSED_MS, Event::Reply(Box::new(reply)));
    }

    /// Sends an answer on its way.
    pub(super) fn answer(&mut self, flight: Flight, answer: Answer, word: Word) {
        let Flight {
            purpose, request, ..
        } = flight;
        let mut loss = self.weather.reply_lost;
        if word == Word::Refusal {
            loss += self.weather.refusal_lost;
        }
        let lost = self.is_cut_off(&purpose) || self.chance.in_ten_thousand(loss);
        if lost {
            self.note(format_args!(
                "answer {} to {purpose} is lost",
                answer.status
            ));
            self.count(Happening::ReplyLost);
            if word == Word::Refusal {
                self.count(Happening::RefusalLost);
            }
            return;
        }
        let answer = if self.chance.in_ten_thousand(self.weather.reply_cut) {
            self.count(Happening::ReplyCut);
            self.cut(answer)
        } else {
            Ok(answer)
        };
        let delay = self.delay();
        let reply = Reply {
            purpose,
            request,
            answer,
        };
        self.schedule.set(delay, Event::Reply(Box::new(reply)));
    }

    /// Cuts an answer at any byte. Some transports notice, some pass on what came.
    fn cut(&mut self, mut answer: Answer) -> Result<Answer, Unanswered> {
        // A file comes compressed, and what is cut of that can't be expanded.
        let is_file = answer.media_type.as_deref() == Some(PREPARED_FILE_TYPE);
        let AnswerBody::Bytes(body) = &mut answer.body else {
            return Err(unanswered("the answer was cut"));
        };
        if is_file || body.is_empty() || self.chance.percent(40) {
            return Err(unanswered("the answer was cut"));
        }
        body.truncate(self.chance.below(body.len()));
        Ok(answer)
    }

    pub(super) fn deliver(&mut self, reply: Reply) -> Result<(), Violation> {
        match reply.purpose {
            Purpose::Call(life, call) => self.deliver_call(life, call, reply),
            Purpose::Stream(life, stream) => self.deliver_stream(life, stream, reply.answer),
            Purpose::Bare(number) => return self.bare_answered(number, reply.answer),
        }
        Ok(())
    }

    fn deliver_call(&mut self, life: Life, call: CallId, reply: Reply) {
        if !self.is_current(life) {
            return;
        }
        let waits = self.process(life.pid).out == Some(call);
        // An engine passes over what it does not wait for; a transport mostly doesn't bring it.
        if !waits && !self.chance.percent(30) {
            return;
        }
        if waits {
            self.process(life.pid).out = None;
        }
        // What nobody waits for is not written: its place may be in use by now.
        let answer = match reply.answer {
            Ok(answer) if waits => self.save(life, &reply.request, answer),
            other => other,
        };
        if let Ok(answer) = &answer {
            let status = answer.status;
            self.note(format_args!("{} is answered {status}", life.pid));
        }
        if self.is_alive(life.pid) {
            self.tell(life.pid, EngineEvent::Answered { call, answer });
        }
    }

    /// Writes a prepared file where the call wants it.
    fn save(&mut self, life: Life, call: &Call, answer: Answer) -> Result<Answer, Unanswered> {
        let is_file =
            answer.status == 200 && answer.media_type.as_deref() == Some(PREPARED_FILE_TYPE);
        let (Some(path), true, AnswerBody::Bytes(bytes)) = (&call.save_to, is_file, &answer.body)
        else {
            return Ok(answer);
        };
        self.enter(life.pid);
        let chance = self.chance.split();
        let machine = &self.machines[life.pid.machine];
        let process = machine.processes[life.pid.slot].process.as_ref();
        let process = process.ok_or_else(|| unanswered("the process is gone"))?;
        let host = SimHost::new(process, &machine.home, &machine.clock, chance);
        let written = host.write(path, &mut bytes.as_slice());
        written.map_err(|error| unanswered(&error.to_string()))?;
        self.count(Happening::PreparedFileFetched);
        Ok(Answer {
            body: AnswerBody::Saved,
            ..answer
        })
    }

    fn deliver_stream(&mut self, life: Life, stream: StreamId, answer: Result<Answer, Unanswered>) {
        let event = match answer {
            Ok(answer) => EngineEvent::StreamRefused { stream, answer },
            Err(cause) => EngineEvent::StreamEnded { stream, cause },
        };
        self.tell_life(life, event);
    }

    pub(super) fn give_up(&mut self, life: Life, call: CallId) {
        if self.is_current(life) && self.process(life.pid).out == Some(call) {
            self.process(life.pid).out = None;
            let answer = Err(unanswered("no answer in time"));
            self.tell(life.pid, EngineEvent::Answered { call, answer });
        }
    }

    pub(super) fn stream_start(&mut self, life: Life, stream: StreamId) {
        let now = self.now();
        if !self.is_current(life) {
            return;
        }
        let open = self
            .process(life.pid)
            .stream
            .as_mut()
            .filter(|open| open.id == stream);
        let Some(open) = open else { return };
        open.heard_at = now;
        self.tell(life.pid, EngineEvent::StreamOpened { stream });
    }

    pub(super) fn stream_bytes(&mut self, life: Life, stream: StreamId, bytes: Vec<u8>) {
        let now = self.now();
        if !self.is_current(life) {
            return;
        }
        let open = self
            .process(life.pid)
            .stream
            .as_mut()
            .filter(|open| open.id == stream);
        let Some(open) = open else { return };
        open.heard_at = now;
        self.tell(life.pid, EngineEvent::StreamBytes { stream, bytes });
    }

    pub(super) fn stream_end(&mut self, life: Life, stream: StreamId) {
        let cause = unanswered("the stream has ended");
        self.tell_life(life, EngineEvent::StreamEnded { stream, cause });
    }

    /// Looks whether a stream has been silent for too long.
    pub(super) fn silence(&mut self, life: Life, stream: StreamId) {
        let now = self.now();
        if !self.is_current(life) || !matches!(self.process(life.pid).doing, Doing::Syncing(_)) {
            return;
        }
        let open = self.process(life.pid).stream.as_ref();
        let Some(heard_at) = open
            .filter(|open| open.id == stream)
            .map(|open| open.heard_at)
        else {
            return;
        };
        let most = syncline_protocol::limits::STREAM_SILENCE_MAX.as_millis();
        if u128::from(now - heard_at) < most {
            return self.set_silence(life, stream);
        }
        let cause = unanswered("the stream fell silent");
        self.tell(life.pid, EngineEvent::StreamEnded { stream, cause });
    }
}

pub(super) fn unanswered(message: &str) -> Unanswered {
    Unanswered {
        message: message.to_owned(),
    }
}

/// The code of an answer that is an error.
pub(super) fn code_of(answer: &Answer) -> Option<ErrorCode> {
    let AnswerBody::Bytes(body) = &answer.body else {
        return None;
    };
    let is_error = answer.status != 200;
    is_error.then(|| syncline_protocol::ErrorBody::read(answer.status, body).code)
}
