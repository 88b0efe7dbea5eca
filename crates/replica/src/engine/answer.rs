//! What the transport brings back, read and told to the session.

use syncline_model::ServerSeq;
use syncline_model::planted::{Defect, is_planted};
use syncline_protocol::session::{Event, Failure, FileReply, PullReply};
use syncline_protocol::{ErrorBody, ErrorCode, PullPage, ReceivedAnswer, StreamMessage};

use super::{
    Answer, AnswerBody, CallId, CameAfter, Engine, Failed, OutCall, Output, PREPARED_FILE_TYPE,
    Purpose, PushAnswered, RebuildUnderWay, StreamId, Unanswered,
};
use crate::ReplicaError;
use crate::replica::Fitness;

const OK: u16 = 200;
const CONFLICT: u16 = 409;
const GONE: u16 = 410;
const TOO_LARGE: u16 = 413;

impl Engine {
    /// Takes the end of a call.
    pub(super) fn answered(&mut self, call: CallId, answer: Result<Answer, Unanswered>) {
        let Some(OutCall { purpose, .. }) = self.out.take_if(|out| out.id == call) else {
            return;
        };
        let event = match answer {
            Err(cause) => {
                self.notes.unanswered(&self.replica, &cause);
                Event::CallFailed(Failure::TRANSPORT)
            }
            Ok(answer) if answer.status != OK => {
                let failure = self.failure_of(&answer);
                match self.take_back(&purpose, &answer) {
                    Ok(()) => Event::CallFailed(failure),
                    Err(failed) => Event::LocalFailed(self.local_failure(failed.into())),
                }
            }
            Ok(answer) => match self.succeeded(purpose, &answer) {
                Ok(event) => event,
                Err(failed) => Event::LocalFailed(self.local_failure(failed)),
            },
        };
        self.drive(event);
    }

    /// A push that is too large, or from a place that is not the log's, is refused as a whole whenever
    /// it arrives: what it held counts as not sent.
    fn take_back(&mut self, purpose: &Purpose, answer: &Answer) -> Result<(), ReplicaError> {
        match purpose {
            Purpose::Push { sent_before, .. }
                if matches!(answer.status, CONFLICT | GONE | TOO_LARGE) =>
            {
                self.replica.take_back_offer(*sent_before)
            }
            Purpose::Push { .. }
            | Purpose::Pull { .. }
            | Purpose::Probe
            | Purpose::FetchFile
            | Purpose::FetchPage { .. } => Ok(()),
        }
    }

    /// What an answer of status 200 says.
    fn succeeded(&mut self, purpose: Purpose, answer: &Answer) -> Result<Event, Failed> {
        let body = match &answer.body {
            AnswerBody::Bytes(bytes) => bytes.as_slice(),
            AnswerBody::Saved => &[],
        };
        match purpose {
            Purpose::Push { sent, sent_before } => match ReceivedAnswer::decode(body, &sent) {
                Ok(answer) => {
                    self.push_answer = Some(PushAnswered {
                        sent,
                        sent_before,
                        answer,
                    });
                    Ok(Event::PushAnswered)
                }
                Err(error) => Ok(self.unreadable(&error)),
            },
            Purpose::Pull { since } => self.pulled(since, body),
            Purpose::Probe => match PullPage::decode(body) {
                Ok(_) => Ok(Event::ProbeAnswered),
                Err(error) => Ok(self.unreadable(&error)),
            },
            Purpose::FetchFile => self.file_fetched(answer),
            Purpose::FetchPage { since } => match PullPage::decode(body) {
                Ok(page) => {
                    self.page = Some(CameAfter { since, page });
                    Ok(Event::PullAnswered(PullReply::Page))
                }
                Err(error) => Ok(self.unreadable(&error)),
            },
        }
    }

    fn pulled(&mut self, since: ServerSeq, body: &[u8]) -> Result<Event, Failed> {
        let page = match PullPage::decode(body) {
            Ok(page) => page,
            Err(error) => return Ok(self.unreadable(&error)),
        };
        self.notes.heard(page.server_seq);
        if self.epoch()?.is_none() {
            // What was asked for from another place has nothing of what the log had there that was set aside since.
            self.first_page = Some(page).filter(|_| since == ServerSeq::ZERO);
            return Ok(Event::PullAnswered(PullReply::StartFresh));
        }
        self.page = Some(CameAfter { since, page });
        Ok(Event::PullAnswered(PullReply::Page))
    }

    fn file_fetched(&mut self, answer: &Answer) -> Result<Event, Failed> {
        let is_file = answer.media_type.as_deref() == Some(PREPARED_FILE_TYPE)
            && answer.body == AnswerBody::Saved;
        let fitness = match &mut self.rebuild {
            Some(RebuildUnderWay { rebuild, epoch, .. }) if is_file => self
                .replica
                .adopt_fetched(rebuild, *epoch)
                .map_err(Failed::NewFile)?,
            Some(_) | None => Fitness::Unfit,
        };
        Ok(Event::FileAnswered(match fitness {
            Fitness::Fit => FileReply::Adopted,
            Fitness::Unfit => FileReply::Unfit,
        }))
    }

    pub(super) fn stream_refused(&mut self, stream: StreamId, answer: &Answer) {
        if self.is_open(stream) {
            self.stream = None;
            let failure = self.failure_of(answer);
            self.drive(Event::StreamEnded(failure));
        }
    }

    pub(super) fn stream_ended(&mut self, stream: StreamId, cause: &Unanswered) {
        if self.is_open(stream) {
            self.stream = None;
            tracing::debug!(cause = cause.message, "the stream has ended");
            self.drive(Event::StreamEnded(Failure::TRANSPORT));
        }
    }

    pub(super) fn stream_bytes(&mut self, stream: StreamId, bytes: &[u8]) {
        if let Some(open) = self.stream.as_mut().filter(|open| open.id == stream) {
            open.parser.push(bytes);
        }
        // What one event leads to may close the stream.
        while let Some(open) = self.stream.as_mut().filter(|open| open.id == stream) {
            match open.parser.next_event() {
                None => return,
                Some(Ok(event)) => self.stream_message(event.into()),
                Some(Err(error)) => self.break_stream(&error),
            }
        }
    }

    fn stream_message(&mut self, message: StreamMessage) {
        let Some(open) = &mut self.stream else { return };
        match message {
            StreamMessage::Page { body, .. } => match PullPage::decode(&body) {
                Ok(page) => {
                    let since = open.at;
                    open.at = page.cursor.server_seq;
                    self.page = Some(CameAfter { since, page });
                    self.drive(Event::StreamPage);
                }
                Err(error) => self.break_stream(&error),
            },
            StreamMessage::Hint => self.drive(Event::StreamHint),
            StreamMessage::Unknown => {}
        }
    }

    /// Closes a stream that can't be read on.
    fn break_stream(&mut self, error: &dyn std::error::Error) {
        self.notes.unreadable(&self.replica, error);
        let open = self.stream.take();
        self.outputs
            .extend(open.map(|open| Output::CloseStream(open.id)));
        self.drive(Event::StreamEnded(Failure::TRANSPORT));
    }

    /// An answer that was cut, or is not one of ours: the call may be made again.
    fn unreadable(&mut self, error: &dyn std::error::Error) -> Event {
        tracing::warn!(error = %error, "an answer can't be read");
        self.notes.unreadable(&self.replica, error);
        Event::CallFailed(Failure::TRANSPORT)
    }

    fn failure_of(&mut self, answer: &Answer) -> Failure {
        let body = match &answer.body {
            AnswerBody::Bytes(bytes) => bytes.as_slice(),
            AnswerBody::Saved => &[],
        };
        let error = ErrorBody::read(answer.status, body);
        tracing::debug!(
            error.code = error.code.as_str(),
            request.id = error.request_id,
            "refused"
        );
        self.notes.failed(&self.replica, &error);
        if error.code == ErrorCode::Unauthorized && is_planted(Defect::DropOnUnauthorized) {
            self.replica.drop_outbox();
        }
        if error.code == ErrorCode::RebuildRequired && is_planted(Defect::DropOnRebuild) {
            self.replica.drop_outbox();
        }
        // A file that can't be read is met again by the next step on it, which says so.
        let own = self.epoch().unwrap_or_default();
        Failure::of(&error, own, answer.retry_after)
    }
}
