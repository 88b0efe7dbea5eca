//! A small HTTP/1.1 client on a bare socket, so that the driver costs as little as can be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context as _, bail, ensure};

/// An answer, its body whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub head: Head,
    pub body: Vec<u8>,
}

/// The header lines of an answer, as they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head(String);

impl Head {
    pub(crate) fn new(lines: &str) -> Self {
        Self(lines.to_owned())
    }

    /// Each name with its value.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.0.lines().filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| (name.trim(), value.trim()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .fields()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// A kept-alive connection to a server on this machine.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).context("could not connect")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(64 * 1024, stream),
        })
    }

    /// Sends a request, and reads its answer.
    pub(crate) fn call(&mut self, head: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.send(head, body)?;
        self.read_answer()
    }

    /// Sends a request without reading its answer.
    pub(crate) fn send(&mut self, head: &str, body: &[u8]) -> anyhow::Result<()> {
        let mut request = Vec::with_capacity(head.len() + body.len() + 64);
        write!(request, "{head}content-length: {}\r\n\r\n", body.len())?;
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request)?;
        Ok(())
    }

    /// Reads the head of an answer: its status and its header lines.
    pub(crate) fn read_head(&mut self) -> anyhow::Result<(u16, Head)> {
        let mut lines = String::new();
        self.stream.read_line(&mut lines)?;
        let status = lines.split(' ').nth(1).context("no status line")?.parse()?;
        lines.clear();
        loop {
            let from = lines.len();
            ensure!(self.stream.read_line(&mut lines)? > 0, "the answer was cut");
            if lines[from..].trim_end().is_empty() {
                return Ok((status, Head(lines)));
            }
        }
    }

    /// Reads an answer with its body, sized or chunked.
    pub(crate) fn read_answer(&mut self) -> anyhow::Result<Answer> {
        let (status, head) = self.read_head()?;
        let mut body = Vec::new();
        match head.get("content-length") {
            Some(length) => {
                body.resize(length.parse()?, 0);
                self.stream.read_exact(&mut body)?;
            }
            None => while self.read_chunk(&mut body)? {},
        }
        Ok(Answer { status, head, body })
    }

    /// Reads one chunk of a chunked body; false after the last.
    pub(crate) fn read_chunk(&mut self, body: &mut Vec<u8>) -> anyhow::Result<bool> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the answer was cut");
        }
        let size = usize::from_str_radix(line.trim(), 16).context("no chunk size")?;
        let from = body.len();
        body.resize(from + size + 2, 0);
        self.stream.read_exact(&mut body[from..])?;
        body.truncate(from + size);
        Ok(size > 0)
    }
}

/// The head of a request, up to its length.
pub(crate) fn head(method: &str, path: &str, address: &str, token: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n"
    )
}
