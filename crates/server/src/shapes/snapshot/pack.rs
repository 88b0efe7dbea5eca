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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[tokio::test]
    async fn parts_are_one_compressed_body_whatever_is_sent_of_it_when() {
        let parts: Vec<Bytes> = (0..40_u32)
            .map(|n| {
                let text: String = (0..2_000)
                    .map(|m| (m * n * 7_919 % 9_973).to_string())
                    .collect();
                Bytes::from(text)
            })
            .collect();
        let (mut packer, mut packed, mut sent_early) = (Packer::new(), Vec::new(), 0);
        for (n, part) in parts.iter().enumerate() {
            let place = if n + 1 == parts.len() {
                PartPlace::Last
            } else {
                PartPlace::Inner
            };
            let (next, bytes) = packer.pack(part.clone(), place).await.unwrap();
            packer = next;
            packed.extend_from_slice(&bytes);
            sent_early += usize::from(place == PartPlace::Inner && !bytes.is_empty());
        }
        assert!(sent_early > 1, "it is not held until it is whole");
        let mut plain = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, parts.concat());
    }
}
