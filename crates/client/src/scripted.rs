//! A server for tests that answers byte by byte as it is told.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::Endpoint;

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The connection it came on: 0, 1, …
    pub(crate) connection: usize,
    /// Its first line, such as `GET /health HTTP/1.1`.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What to do with a request.
pub(crate) enum Reaction {
    /// Write these bytes and wait for the next request.
    Answer(Vec<u8>),
    /// Write these bytes and close the connection.
    Cut(Vec<u8>),
    /// Write the chunks as they come; when their sender is gone, close the connection.
    Dribble(Receiver<Vec<u8>>),
}

/// An answer with a body and its length.
pub(crate) fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The server. Its threads end with the process of the test.
pub(crate) struct Scripted {
    pub(crate) endpoint: Endpoint,
    pub(crate) seen: Receiver<Seen>,
}

impl Scripted {
    /// Starts a server that reacts to each request as `react` says.
    pub(crate) fn start(react: impl FnMut(&Seen) -> Reaction + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let (told, seen) = channel();
        let react = Arc::new(Mutex::new(react));
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (told, react) = (told.clone(), Arc::clone(&react));
                std::thread::spawn(move || {
                    converse(&stream.unwrap(), connection, &told, |seen| {
                        react.lock().unwrap()(seen)
                    });
                });
            }
        });
        Self { endpoint, seen }
    }
}

fn converse(
    mut stream: &TcpStream,
    connection: usize,
    told: &Sender<Seen>,
    mut react: impl FnMut(&Seen) -> Reaction,
) {
    let mut reader = BufReader::new(stream);
    while let Some(seen) = read_request(&mut reader, connection) {
        let reaction = react(&seen);
        // The test may be over, and its receiver gone.
        let _ = told.send(seen);
        let written = match reaction {
            Reaction::Answer(bytes) => stream.write_all(&bytes),
            Reaction::Cut(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
            Reaction::Dribble(chunks) => {
                let _ = chunks.iter().try_for_each(|chunk| stream.write_all(&chunk));
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead, connection: usize) -> Option<Seen> {
    let line = read_line(reader)?;
    let mut seen = Seen {
        connection,
        line,
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        seen.headers
            .push((name.to_owned(), value.trim().to_owned()));
    }
    let length = seen
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    seen.body.resize(length, 0);
    reader.read_exact(&mut seen.body).ok()?;
    Some(seen)
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let bytes = reader.read_line(&mut line).ok()?;
    (bytes > 0).then(|| line.trim_end().to_owned())
}
