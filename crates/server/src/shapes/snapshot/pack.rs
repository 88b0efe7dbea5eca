//! Compressing a body as it is streamed.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A body that is compressed part by part, in favour of speed.
pub(super) struct Packer(GzEncoder<Vec<u8>>);

/// Whether more comes after a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartPlace {
    Inner,
    Last,
}

impl Packer {
    pub(super) fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// Takes a part, and gives what is to be sent by now: it may be nothing. Away from the threads that
    /// serve requests, as a part takes milliseconds.
    pub(super) async fn pack(mut self, part: Bytes, place: PartPlace) -> io::Result<(Self, Bytes)> {
        let packing = tokio::task::spawn_blocking(move || {
            self.0.write_all(&part)?;
            if place == PartPlace::Last {
                self.0.try_finish()?;
            }
            let packed = std::mem::take(self.0.get_mut());
            Ok((self, Bytes::from(packed)))
        });
        packing.await.map_err(io::Error::other)?
    }
}
