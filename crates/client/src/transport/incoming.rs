//! Answers as they come, expanded where they are Zstandard.
//!
//! What is gzip the HTTP client expands; its Zstandard would hold as much as a server asks for.

use std::io;

use bytes::{Buf as _, Bytes};
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;
use tokio::time::timeout;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

use super::{Coding, SILENCE_MAX, Transport, TransportError, failure, text_of};

/// How far back an answer may refer, as a power of two of bytes, all of which is held: the 8 MiB that
/// RFC 9659 grants to `Content-Encoding: zstd`, twice of what a server uses.
pub(super) const WINDOW_LOG_MAX: u32 = 23;
/// Bytes expanded at once: whoever takes them sees a flood while it is that small.
const PIECE_BYTES: usize = 128 << 10;

/// An answer whose head has come.
#[derive(Debug)]
pub(super) struct Incoming {
    response: Response,
    /// None where the bytes are handed on as they come.
    expander: Option<Expander>,
}

impl Incoming {
    /// Begins to read an answer to a request that named `coding`.
    pub(super) fn begin(response: Response, coding: Coding) -> Result<Self, TransportError> {
        // What the HTTP client has expanded no longer names its coding.
        let named = text_of(response.headers(), &CONTENT_ENCODING);
        let expander = match (&*named, coding) {
            ("" | "identity", Coding::Plain | Coding::Compressed) => None,
            ("zstd", Coding::Compressed) => Some(Expander::new().map_err(TransportError::Expand)?),
            (_, Coding::Plain | Coding::Compressed) => {
                return Err(TransportError::Coding { coding: named });
            }
        };
        Ok(Self { response, expander })
    }

    /// The answer's head.
    pub(super) fn response(&self) -> &Response {
        &self.response
    }

    /// The answer of a stream, which is not expanded.
    pub(super) fn into_response(self) -> Response {
        self.response
    }

    /// The next bytes; none: the answer is whole.
    async fn next(&mut self) -> Result<Option<Bytes>, TransportError> {
        let Some(expander) = &mut self.expander else {
            return came(&mut self.response).await;
        };
        loop {
            let piece = expander.next().map_err(TransportError::Expand)?;
            if piece.is_some() {
                return Ok(piece);
            }
            match came(&mut self.response).await? {
                Some(compressed) => expander.compressed = compressed,
                None => {
                    expander.end().map_err(TransportError::Expand)?;
                    return Ok(None);
                }
            }
        }
    }
}

/// The next bytes from the network.
async fn came(response: &mut Response) -> Result<Option<Bytes>, TransportError> {
    timeout(SILENCE_MAX, response.chunk())
        .await
        .map_err(|_| TransportError::TimedOut)?
        .map_err(failure)
}

impl Transport {
    /// The next bytes of an answer, counted.
    pub(super) async fn next_chunk(
        &self,
        incoming: &mut Incoming,
    ) -> Result<Option<Bytes>, TransportError> {
        let chunk = incoming.next().await?;
        self.traffic
            .count_received(chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }
}

/// Expands Zstandard piece by piece.
struct Expander {
    decoder: Decoder<'static>,
    /// What has come and is not expanded.
    compressed: Bytes,
    /// Whether the last piece had no more room: the decoder may hold bytes that it did not fit.
    was_full: bool,
    /// Whether what has come ends with the end of a frame.
    is_whole: bool,
}

impl Expander {
    fn new() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
        Ok(Self {
            decoder,
            compressed: Bytes::new(),
            was_full: false,
            is_whole: false,
        })
    }

    /// The next piece of what has come; none: there is no more in it.
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        // Once a frame has ended, the decoder holds nothing, and would begin another one.
        while !self.compressed.is_empty() || (self.was_full && !self.is_whole) {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let mut output = OutBuffer::around(&mut piece);
            let mut input = InBuffer::around(&self.compressed);
            let left = self.decoder.run(&mut input, &mut output)?;
            let read = input.pos();
            self.is_whole = left == 0;
            self.was_full = output.pos() == output.capacity();
            self.compressed.advance(read);
            if !piece.is_empty() {
                return Ok(Some(piece.into()));
            }
        }
        Ok(None)
    }

    /// Requires that nothing is missing.
    fn end(&self) -> io::Result<()> {
        if self.is_whole {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

impl std::fmt::Debug for Expander {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expander").finish_non_exhaustive()
    }
}
