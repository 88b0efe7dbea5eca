//! The rows that a shape begins with, in chunks, streamed as they are read.
//!
//! The state at a shape's place never changes, so it is read a piece at a time, each by itself: no
//! reader keeps a transaction open, and one that does not read holds a piece and no more.

mod pack;

use std::io;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use syncline_store::TenantFile;
use syncline_store::shapes::{Flow, MadeShape};

use super::cache::ChunkEnd;
use super::definition::Definition;
use super::encode::{Encoder, snapshot_end};
use super::request::LogMode;
use super::sight::is_unchanged;
use crate::http::Coding;
use crate::log::Tenant;
use crate::tenant::Refused;
use pack::{Packer, PartPlace};

/// Bytes read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// A chunk of a snapshot, as far as it was read.
pub(super) struct ChunkReader {
    tenant: Arc<Tenant>,
    definition: Arc<Definition>,
    shape: MadeShape,
    /// Which chunk it is, from 0.
    chunk: u64,
    /// The key of the last row that was read.
    after: Option<String>,
    /// Bytes of the chunk's rows so far.
    bytes: usize,
    bytes_max: usize,
    /// Whether anything was written, so that what comes next needs a comma.
    has_begun: bool,
    is_over: bool,
}

/// A piece of a chunk.
struct Piece {
    body: Vec<u8>,
    after: Option<String>,
    bytes: usize,
    /// How the chunk ends, if it does.
    end: Option<ChunkEnd>,
}

/// The body of a chunk's answer.
pub(super) enum ChunkBody {
    Whole(Bytes),
    Streamed(Body),
    /// The snapshot can't be told any more.
    Gone,
}

impl ChunkReader {
    /// Begins to read a chunk; none where the snapshot has ended before it.
    pub(super) async fn begin(
        tenant: Arc<Tenant>,
        definition: Arc<Definition>,
        shape: MadeShape,
        chunk: u64,
        bytes_max: usize,
    ) -> Result<Option<Self>, Refused> {
        let mut reader = Self {
            tenant,
            definition,
            shape,
            chunk,
            after: None,
            bytes: 0,
            bytes_max,
            has_begun: false,
            is_over: false,
        };
        let Some(before) = chunk.checked_sub(1) else {
            return Ok(Some(reader));
        };
        match reader.end_of(before).await? {
            Some(ChunkEnd::Behind(key)) => {
                reader.after = Some(key);
                Ok(Some(reader))
            }
            Some(ChunkEnd::Whole) | None => Ok(None),
        }
    }

    /// Where a chunk ends, read again if that is not known; none where the snapshot has none such.
    async fn end_of(&self, chunk: u64) -> Result<Option<ChunkEnd>, Refused> {
        let cache = &self.tenant.hub().cache;
        if let Some(end) = cache.end(&self.shape.handle, chunk) {
            return Ok(Some(end));
        }
        // From the last chunk that is known on.
        let (mut n, mut after) = match cache.last_end_before(&self.shape.handle, chunk) {
            Some((_, ChunkEnd::Whole)) => return Ok(None),
            Some((n, ChunkEnd::Behind(key))) => (n + 1, Some(key)),
            None => (0, None),
        };
        loop {
            let mut bytes = 0;
            let end = loop {
                let Some(piece) = self.piece(after.clone(), bytes).await? else {
                    return Ok(None);
                };
                (after, bytes) = (piece.after, piece.bytes);
                if let Some(end) = piece.end {
                    break end;
                }
            };
            cache.note_end(&self.shape.handle, n, end.clone());
            if n == chunk {
                return Ok(Some(end));
            }
            if end == ChunkEnd::Whole {
                return Ok(None);
            }
            n += 1;
        }
    }

    /// Reads the next piece; none where the shape is gone.
    async fn piece(&self, after: Option<String>, bytes: usize) -> Result<Option<Piece>, Refused> {
        let (definition, shape) = (Arc::clone(&self.definition), self.shape.clone());
        let bytes_max = self.bytes_max;
        let read = move |file: &TenantFile| {
            read_piece(file, &definition, &shape, after, (bytes, bytes_max))
        };
        self.tenant.read(read).await
    }

    /// What the answer's body is. A chunk of one piece is whole; of several it is coded here.
    pub(super) async fn body(mut self, coding: Coding) -> Result<ChunkBody, Refused> {
        let Some(first) = self.next().await? else {
            return Ok(ChunkBody::Gone);
        };
        if self.is_over {
            return Ok(ChunkBody::Whole(first));
        }
        let packer = match coding {
            Coding::Gzip => Some(Packer::new()),
            Coding::Plain => None,
        };
        let streamed = Streamed {
            reader: self,
            first: Some(first),
            packer,
        };
        let body = stream::unfold(Some(streamed), |streamed| async {
            let mut streamed = streamed?;
            match streamed.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(streamed))),
                Ok(None) => None,
                // The rest can't be told: the connection breaks, and the client asks again.
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(ChunkBody::Streamed(Body::from_stream(body)))
    }

    /// The next part of the body, brackets with it; none where the shape is gone.
    async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        let Some(piece) = self.piece(self.after.clone(), self.bytes).await? else {
            return Ok(None);
        };
        (self.after, self.bytes) = (piece.after, piece.bytes);
        let mut body = Vec::with_capacity(piece.body.len() + 128);
        if !self.has_begun {
            body.push(b'[');
        }
        let rows = if self.has_begun {
            &piece.body[..]
        } else {
            piece.body.strip_prefix(b",").unwrap_or(&piece.body)
        };
        body.extend_from_slice(rows);
        let has_rows = self.has_begun || !rows.is_empty();
        self.has_begun = true;
        if let Some(end) = piece.end {
            if end == ChunkEnd::Whole {
                if has_rows && self.bytes > 0 {
                    body.push(b',');
                }
                body.extend_from_slice(snapshot_end(self.shape.start).as_bytes());
            }
            body.push(b']');
            self.is_over = true;
            let cache = &self.tenant.hub().cache;
            cache.note_end(&self.shape.handle, self.chunk, end);
        }
        Ok(Some(body.into()))
    }
}

/// A chunk's body on its way, its first piece read already.
struct Streamed {
    reader: ChunkReader,
    first: Option<Bytes>,
    packer: Option<Packer>,
}

impl Streamed {
    /// What is sent next; none after the last.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let part = match self.first.take() {
                Some(first) => first,
                None if self.reader.is_over => return Ok(None),
                None => {
                    let next = self.reader.next().await.map_err(io::Error::other)?;
                    next.ok_or_else(|| io::Error::other("the shape is gone"))?
                }
            };
            let Some(packer) = self.packer.take() else {
                return Ok(Some(part));
            };
            let place = if self.reader.is_over {
                PartPlace::Last
            } else {
                PartPlace::Inner
            };
            let (packer, packed) = packer.pack(part, place).await?;
            self.packer = Some(packer);
            if !packed.is_empty() {
                return Ok(Some(packed));
            }
        }
    }
}

/// Reads rows behind a key: each with a comma before it.
fn read_piece(
    file: &TenantFile,
    definition: &Definition,
    shape: &MadeShape,
    after: Option<String>,
    (bytes, bytes_max): (usize, usize),
) -> Result<Option<Piece>, Refused> {
    file.snapshot(|file| {
        let current = file.shape(&shape.handle)?;
        if !current.is_some_and(|current| current.takes_readers())
            || !is_unchanged(file, definition)?
        {
            return Ok(None);
        }
        let mut piece = Piece {
            body: Vec::new(),
            after,
            bytes,
            end: Some(ChunkEnd::Whole),
        };
        if definition.log == LogMode::ChangesOnly {
            return Ok(Some(piece));
        }
        let encoder = Encoder::new(definition);
        let from = piece.after.clone();
        file.visit_shape_state(shape.relation, shape.start, from.as_deref(), |row| {
            let before = piece.body.len();
            piece.body.push(b',');
            if !encoder.snapshot_row(row, None, None, &mut piece.body)? {
                piece.body.truncate(before);
                return Ok(Flow::On);
            }
            piece.bytes += piece.body.len() - before;
            let is_chunk_full = piece.bytes >= bytes_max;
            if !is_chunk_full && piece.body.len() < PIECE_BYTES {
                return Ok(Flow::On);
            }
            piece.after = Some(row.key.to_owned());
            piece.end = is_chunk_full.then(|| ChunkEnd::Behind(row.key.to_owned()));
            Ok(Flow::Enough)
        })?;
        Ok(Some(piece))
    })
}
