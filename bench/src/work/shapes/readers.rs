//! Readers of shapes that wait, many in one thread.

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::http::{Head, head};

/// Connections that make shapes at once: fewer than a server takes of readers that begin.
const MAKERS: u64 = 16;

/// A whole request.
pub(super) fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(body);
    request
}

/// The parameters that go on from an answer.
pub(super) fn next(head: &Head) -> anyhow::Result<String> {
    let handle = head.get("electric-handle").context("no handle was told")?;
    let offset = head.get("electric-offset").context("no offset was told")?;
    Ok(format!("&handle={handle}&offset={offset}"))
}

/// What a reader was told.
pub(super) struct Told {
    pub head: Head,
    pub body: String,
}

/// A connection that waits for its answers.
pub(super) struct Waiter {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Waiter {
    pub(super) async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    pub(super) async fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(request).await?)
    }

    /// Reads an answer of a stated length.
    pub(super) async fn told(&mut self) -> anyhow::Result<Told> {
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            let is_end = |four: &[u8]| four == b"\r\n\r\n";
            let Some(end) = self.buffer.windows(4).position(is_end) else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..end])?;
            let (status, lines) = text.split_once("\r\n").context("no status line")?;
            let fields = Head::new(lines);
            let length: usize = fields
                .get("content-length")
                .context("the answer states no length")?
                .parse()?;
            let Some(body) = self.buffer.get(end + 4..end + 4 + length) else {
                continue;
            };
            let body = String::from_utf8(body.to_vec())?;
            if !status.contains(" 200 ") {
                bail!("answered {status}: {body}");
            }
            return Ok(Told { head: fields, body });
        }
    }
}

/// A reader, the beginning of its requests, and what the next one adds to that.
pub(super) type Following = (Waiter, Path, String);

/// What a reader asks for.
#[derive(Debug, Clone)]
pub(super) struct Path {
    address: String,
    token: String,
    query: String,
}

impl Path {
    fn request(&self, next: &str) -> Vec<u8> {
        let path = format!("/v1/shape?{}{next}", self.query);
        request(&head("GET", &path, &self.address, &self.token), b"")
    }
}

/// Makes a shape for each owner; gives a reader of each.
pub(super) async fn make_shapes(
    address: &str,
    token: &str,
    count: u64,
) -> anyhow::Result<Vec<Following>> {
    let mut makers = JoinSet::new();
    for maker in 0..MAKERS.min(count) {
        let (address, token) = (address.to_owned(), token.to_owned());
        makers.spawn(async move {
            let mut made = Vec::new();
            for owner in (maker..count).step_by(MAKERS as usize) {
                let path = Path {
                    address: address.clone(),
                    token: token.clone(),
                    query: format!("table=tasks&where=owner%20=%20%27u{owner}%27"),
                };
                let mut waiter = Waiter::open(&address).await?;
                waiter.send(&path.request("&offset=now")).await?;
                let told = waiter.told().await?;
                let next = next(&told.head)?;
                made.push((waiter, path, next));
            }
            anyhow::Ok(made)
        });
    }
    let mut made = Vec::new();
    while let Some(done) = makers.join_next().await {
        made.extend(done??);
    }
    Ok(made)
}

/// Asks for what is next for ever.
pub(super) async fn follow(
    mut waiter: Waiter,
    path: Path,
    mut after: String,
) -> anyhow::Result<()> {
    loop {
        waiter
            .send(&path.request(&format!("{after}&live=true")))
            .await?;
        after = next(&waiter.told().await?.head)?;
    }
}
