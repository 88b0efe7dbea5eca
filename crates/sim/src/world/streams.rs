//! The server's end of streams: what is sent down them, where they break, how they end.

use syncline_protocol::{Claims, HEARTBEAT, encode_event};
use syncline_replica::StreamId;

use super::transport::{Flight, Purpose};
use super::{Event, Life, World};
use crate::coverage::Happening;

/// Milliseconds between heartbeats of a stream.
const HEARTBEAT_MS: u64 = 15_000;

/// The server's end of a stream.
pub(crate) struct ServerStream {
    claims: Claims,
    /// When the last bytes sent will have arrived: bytes don't overtake each other.
    arrives_at: u64,
    /// Nothing that is sent arrives any more.
    silent: bool,
}

impl World {
    pub(super) fn begin_stream(&mut self, flight: Flight, claims: Claims) {
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

    pub(super) fn pump(&mut self, life: Life, stream: StreamId) {
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

    pub(super) fn end_stream(&mut self, life: Life, stream: StreamId) {
        if let Some(open) = self.streams.remove(&(life, stream)) {
            let delay = open.arrives_at.saturating_sub(self.now()) + 1;
            if !open.silent {
                self.schedule.set(delay, Event::StreamEnd(life, stream));
            }
        }
    }

    /// Sends bytes down a stream, in parts; it may break at any byte.
    pub(super) fn stream_send(&mut self, life: Life, stream: StreamId, bytes: &[u8]) {
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
        self.note_time();
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
}
