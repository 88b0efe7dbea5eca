//! An answer that goes to a file as it comes.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

use super::incoming::Incoming;
use super::{Transport, TransportError};

/// Pieces of an answer that wait for the disk.
const PIECES_MAX: usize = 16;

/// A piece of an answer on its way to the disk.
enum Piece {
    Bytes(Bytes),
    /// The answer is whole. Without this a file is not kept.
    End,
}

impl Transport {
    /// Writes an answer's body to a file, while it comes. A part of it is never left under that
    /// name.
    pub(super) async fn save(
        &self,
        mut incoming: Incoming,
        path: PathBuf,
    ) -> Result<(), TransportError> {
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        let host = Arc::clone(&self.host);
        let writing = tokio::task::spawn_blocking(move || {
            let mut content = Content {
                pieces,
                current: Bytes::new(),
                is_whole: false,
            };
            host.write(&path, &mut content)
        });
        let fed = self.feed(&mut incoming, sender).await;
        // It has let go of the file by then, whatever came of the answer.
        let written = writing.await.expect("writing a file does not panic");
        fed?;
        written.map_err(TransportError::Save)
    }

    /// Hands an answer on piece by piece, as long as the writer takes them.
    async fn feed(
        &self,
        incoming: &mut Incoming,
        writer: mpsc::Sender<Piece>,
    ) -> Result<(), TransportError> {
        while let Some(chunk) = self.next_chunk(incoming).await? {
            if writer.send(Piece::Bytes(chunk)).await.is_err() {
                return Ok(());
            }
        }
        // A writer that has given up says why itself.
        let _ = writer.send(Piece::End).await;
        Ok(())
    }
}

/// The pieces, as the writing thread reads them.
struct Content {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    is_whole: bool,
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.current = bytes,
                Some(Piece::End) => self.is_whole = true,
                // The call has failed, or nobody waits for it any more.
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
