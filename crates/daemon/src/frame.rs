//! `Content-Length` framing: how messages are told apart on the control socket.

use std::io::{self, BufRead, Write};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The largest message, in bytes. A batch of captured messages fits; a runaway writer is cut off.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The longest header line, in bytes.
const LINE_BYTES_MAX: usize = 1024;
/// The most header lines of one message.
const LINES_MAX: usize = 16;
/// So much room is made for a body at first, in bytes: who says that more comes must send it.
const BODY_BYTES_AT_ONCE: usize = 64 * 1024;

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("the message has no Content-Length header")]
    NoLength,
    #[error("a header of the message is malformed or too long")]
    BadHeader,
    #[error("the message has {bytes} bytes, more than the {MESSAGE_BYTES_MAX} allowed")]
    TooLarge { bytes: usize },
    #[error("the peer closed the connection inside a message")]
    Cut,
    #[error("could not read from the control socket")]
    Io(#[from] io::Error),
}

/// Reads one message; none at the end of the connection.
pub(crate) async fn read_frame(
    reader: &mut (impl AsyncBufRead + Unpin),
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut headers = Headers::default();
    loop {
        let mut line = Vec::new();
        (&mut *reader)
            .take(LINE_BYTES_MAX as u64)
            .read_until(b'\n', &mut line)
            .await?;
        match headers.line(&line)? {
            Progress::More => {}
            Progress::End => return Ok(None),
            Progress::Body(length) => {
                let mut body = Vec::with_capacity(length.min(BODY_BYTES_AT_ONCE));
                let mut rest = (&mut *reader).take(length as u64);
                rest.read_to_end(&mut body).await?;
                return whole(body, length);
            }
        }
    }
}

/// Reads one message, blocking; none at the end of the connection.
pub fn read_frame_blocking(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, FrameError> {
    let mut headers = Headers::default();
    loop {
        let mut line = Vec::new();
        io::Read::take(&mut *reader, LINE_BYTES_MAX as u64).read_until(b'\n', &mut line)?;
        match headers.line(&line)? {
            Progress::More => {}
            Progress::End => return Ok(None),
            Progress::Body(length) => {
                let mut body = Vec::with_capacity(length.min(BODY_BYTES_AT_ONCE));
                let mut rest = io::Read::take(&mut *reader, length as u64);
                io::Read::read_to_end(&mut rest, &mut body)?;
                return whole(body, length);
            }
        }
    }
}

/// Writes one message.
pub fn write_frame(writer: &mut impl Write, body: &[u8]) -> io::Result<()> {
    writer.write_all(&framed(body))?;
    writer.flush()
}

/// A message with its header.
pub fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(body);
    frame
}

/// The body of a message of `length` bytes, unless its sender went before.
fn whole(body: Vec<u8>, length: usize) -> Result<Option<Vec<u8>>, FrameError> {
    match body.len() == length {
        true => Ok(Some(body)),
        false => Err(FrameError::Cut),
    }
}

enum Progress {
    More,
    End,
    Body(usize),
}

/// The headers of a message, as its lines come.
#[derive(Default)]
struct Headers {
    lines: usize,
    length: Option<usize>,
}

impl Headers {
    fn line(&mut self, line: &[u8]) -> Result<Progress, FrameError> {
        if line.is_empty() && self.lines == 0 {
            return Ok(Progress::End);
        }
        let Some(text) = line.strip_suffix(b"\n") else {
            let full = line.len() >= LINE_BYTES_MAX;
            return Err(if full {
                FrameError::BadHeader
            } else {
                FrameError::Cut
            });
        };
        let text = std::str::from_utf8(text.strip_suffix(b"\r").unwrap_or(text))
            .map_err(|_| FrameError::BadHeader)?;
        if text.is_empty() {
            return self.length.map(Progress::Body).ok_or(FrameError::NoLength);
        }
        self.lines += 1;
        let (name, value) = text.split_once(':').ok_or(FrameError::BadHeader)?;
        if self.lines > LINES_MAX {
            return Err(FrameError::BadHeader);
        }
        if name.eq_ignore_ascii_case("content-length") {
            let bytes = value.trim().parse().map_err(|_| FrameError::BadHeader)?;
            if bytes > MESSAGE_BYTES_MAX {
                return Err(FrameError::TooLarge { bytes });
            }
            self.length = Some(bytes);
        }
        Ok(Progress::More)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        read_frame_blocking(&mut io::BufReader::new(bytes))
    }

    #[test]
    fn a_written_message_is_read_back_whole() {
        let mut bytes = framed(b"{}");
        bytes.extend(framed("\u{e4}\n".as_bytes()));
        let mut reader = io::BufReader::new(&bytes[..]);
        assert_eq!(read_frame_blocking(&mut reader).unwrap().unwrap(), b"{}");
        assert_eq!(
            read_frame_blocking(&mut reader).unwrap().unwrap(),
            "\u{e4}\n".as_bytes()
        );
        assert_eq!(read_frame_blocking(&mut reader).unwrap(), None);
    }

    #[test]
    fn other_headers_and_bare_newlines_are_taken() {
        let text = b"content-type: x\ncontent-length: 2\n\n[]";
        assert_eq!(read(text).unwrap().unwrap(), b"[]");
    }

    #[test]
    fn malformed_frames_are_told_apart() {
        assert!(matches!(read(b"\r\n"), Err(FrameError::NoLength)));
        assert!(matches!(
            read(b"Content-Length: x\r\n\r\n"),
            Err(FrameError::BadHeader)
        ));
        assert!(matches!(
            read(b"Content-Length: -1\r\n\r\n"),
            Err(FrameError::BadHeader)
        ));
        let large = format!("Content-Length: {}\r\n\r\n", MESSAGE_BYTES_MAX + 1);
        assert!(matches!(
            read(large.as_bytes()),
            Err(FrameError::TooLarge { .. })
        ));
        assert!(matches!(read(&[b'a'; 2000]), Err(FrameError::BadHeader)));
    }

    #[test]
    fn a_cut_at_any_byte_is_no_message() {
        let whole = framed(b"{\"id\":1}");
        for end in 1..whole.len() {
            assert!(
                matches!(read(&whole[..end]), Err(FrameError::Cut)),
                "cut at {end}"
            );
        }
    }

    /// Gives bytes in pieces of so many.
    struct Pieces<'b>(&'b [u8], usize);

    impl io::Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(into.len()).min(self.0.len());
            let (piece, rest) = self.0.split_at(count);
            into[..count].copy_from_slice(piece);
            self.0 = rest;
            Ok(count)
        }
    }

    /// All messages up to the end, or to what ends the connection; read both ways.
    fn all(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<String>) {
        let mut reader = io::BufReader::new(Pieces(bytes, piece));
        let mut blocking = Vec::new();
        let blocking_end = loop {
            match read_frame_blocking(&mut reader) {
                Ok(Some(body)) => blocking.push(body),
                Ok(None) => break None,
                Err(error) => break Some(format!("{error:?}")),
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread();
        let (waiting, waiting_end) = { runtime }.build().unwrap().block_on(async {
            let mut reader = tokio::io::BufReader::with_capacity(piece, bytes);
            let mut bodies = Vec::new();
            loop {
                match read_frame(&mut reader).await {
                    Ok(Some(body)) => bodies.push(body),
                    Ok(None) => return (bodies, None),
                    Err(error) => return (bodies, Some(format!("{error:?}"))),
                }
            }
        });
        assert_eq!((&blocking, &blocking_end), (&waiting, &waiting_end));
        (blocking, blocking_end)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_however_it_is_cut(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..6),
            piece in 1_usize..70,
        ) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
            prop_assert_eq!(all(&bytes, piece), (bodies, None));
        }

        #[test]
        fn no_bytes_are_taken_for_more_than_they_are(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            piece in 1_usize..70,
        ) {
            let (bodies, _) = all(&bytes, piece);
            prop_assert!(bodies.concat().len() <= bytes.len());
        }

        #[test]
        fn a_message_with_a_wrong_byte_is_a_message_or_an_error(
            body in prop::collection::vec(any::<u8>(), 0..50),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            piece in 1_usize..70,
        ) {
            let mut bytes = framed(&body);
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let (bodies, _) = all(&bytes, piece);
            prop_assert!(bodies.concat().len() <= bytes.len());
        }

        #[test]
        fn headers_that_nearly_are_some_end_a_connection_at_worst(
            headers in "(Content-Length|content-length|X)?:? {0,2}[0-9]{0,21}(\\r?\\n){0,3}[a-z{}]{0,9}",
            piece in 1_usize..70,
        ) {
            all(headers.as_bytes(), piece);
        }
    }
}
