//! HTTP as plain as it gets: one connection, one call at a time, and every broken answer an error.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// A connection to a server, with a token for it.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
    token: String,
}

/// An answer that arrived whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// One that is plain text is a string.
    pub(crate) body: Value,
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr, token: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            token: token.to_owned(),
        })
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.call("GET", path, b"")
    }

    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> io::Result<Reply> {
        self.call("POST", path, body)
    }

    /// Asks with this method.
    pub(crate) fn call(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<Reply> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(&[head.as_bytes(), body].concat())?;
        self.read_reply()
    }

    fn read_reply(&mut self) -> io::Result<Reply> {
        let status = self.read_line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(broken)?;
        let mut length = 0;
        let mut is_text = false;
        loop {
            let line = self.read_line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().map_err(|_| broken())?;
            }
            is_text |= line.starts_with("content-type: text/plain");
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let body = match is_text {
            true => Value::String(String::from_utf8(body).map_err(|_| broken())?),
            false => serde_json::from_slice(&body)?,
        };
        Ok(Reply { status, body })
    }

    fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or_else(broken)?;
        Ok(line.to_owned())
    }
}

fn broken() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
