//! Zstandard, as what is told of a log is compressed with.
//!
//! Measured on a list of 10,000 items: docs/decisions/0016-zstandard.md has the figures.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use zstd::bulk::Compressor;
use zstd::stream::raw::CParameter;
use zstd::stream::{read, write};

/// Two tables of a quarter of a million places each: enough for the ids of a page.
const LEVEL: i32 = 4;
/// What a page has, so that an id is found again wherever it stands. Readers hold as much; a client
/// of the protocol takes windows of 8 MiB, twice of this.
const WINDOW_LOG: u32 = 22;
/// Shorter repeats cost more than they save, beside ids that repeat as a whole.
const REPEAT_BYTES_MIN: u32 = 7;
/// Bytes read of a file at once.
const READ_BYTES: usize = 1 << 20;

const PARAMETERS: [CParameter; 3] = [
    CParameter::WindowLog(WINDOW_LOG),
    CParameter::MinMatch(REPEAT_BYTES_MIN),
    // Without it, a byte that was changed on the way would go unseen.
    CParameter::ChecksumFlag(true),
];

/// Compresses what is in memory.
pub(crate) fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(LEVEL)?;
    for parameter in PARAMETERS {
        compressor.set_parameter(parameter)?;
    }
    let mut compressed = compressor.compress(bytes)?;
    compressed.shrink_to_fit();
    Ok(compressed)
}

/// Compresses `source`, which has so many `bytes`, while it is read; gives what it was written to.
pub(crate) fn pack<W: Write>(source: impl Read, bytes: u64, to: W) -> io::Result<W> {
    let mut encoder = write::Encoder::new(to, LEVEL)?;
    for parameter in PARAMETERS {
        encoder.set_parameter(parameter)?;
    }
    encoder.set_pledged_src_size(Some(bytes))?;
    io::copy(
        &mut BufReader::with_capacity(READ_BYTES, source),
        &mut encoder,
    )?;
    encoder.finish()
}

/// What is in a file that [`pack`] has written.
pub(crate) fn unpacked(file: File) -> io::Result<impl Read + Send + 'static> {
    let mut decoder = read::Decoder::new(file)?;
    decoder.window_log_max(WINDOW_LOG)?;
    Ok(decoder)
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::*;

    /// Bytes in which nothing repeats.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn packed(bytes: &[u8]) -> File {
        let to = tempfile::tempfile().unwrap();
        let mut file = pack(bytes, bytes.len() as u64, to).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn what_was_said_three_megabytes_before_is_found_again() {
        let once = noise(3 << 20);
        let twice = [&once[..], &once[..]].concat();
        let little_more = once.len() + once.len() / 50;
        let page = compress(&twice).unwrap();
        assert!(page.len() < little_more, "{}", page.len());
        assert_eq!(zstd::decode_all(&page[..]).unwrap(), twice);
        let file = packed(&twice);
        assert!(file.metadata().unwrap().len() < little_more as u64);
        let mut plain = Vec::new();
        unpacked(file).unwrap().read_to_end(&mut plain).unwrap();
        assert!(plain == twice);
    }

    #[test]
    fn a_changed_byte_is_seen() {
        let bytes = noise(1000);
        let mut page = compress(&bytes).unwrap();
        page[500] ^= 1;
        assert!(zstd::decode_all(&page[..]).is_err());
    }
}
