//! A server that does nothing: how fast it is up, and what it and its subscribers weigh.

use anyhow::ensure;

use super::Bench;
use crate::http::{Connection, head};
use crate::measure::{Bar, Row};
use crate::program::{Server, token};

/// Start, resident memory, and memory per idle stream.
pub(crate) fn server(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let streams = bench.scaled(5000, 50);
    let (mut start, mut resident, mut stream) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let data = tempfile::tempdir()?;
        let token = token(data.path(), "bench")?;
        let server = Server::syncline(data.path())?;
        start.push((server.start.as_secs_f64() * 1000.0, 50.0));
        let idle = server.resident()?;
        resident.push((idle as f64 / 1_000_000.0, 25.0));
        // One subscriber first, so that what is made once is not counted per stream.
        let mut open = vec![subscribe(&server, &token, 0)?];
        let before = server.resident()?;
        for n in 1..=streams {
            open.push(subscribe(&server, &token, n)?);
        }
        let each = server.resident()?.saturating_sub(before) as f64 / streams as f64;
        stream.push((each / 1024.0, 16.0));
    }
    Ok(vec![
        Row::new("server start", "ms", "50 ms", Bar::AtMost(1.0), &start),
        Row::new("idle server", "MB", "25 MB", Bar::AtMost(1.0), &resident),
        Row::new(
            "idle stream subscriber",
            "KiB",
            "16 KiB",
            Bar::AtMost(1.0),
            &stream,
        ),
    ])
}

fn subscribe(server: &Server, token: &str, n: u64) -> anyhow::Result<Connection> {
    let path = format!("/sync/stream?clientId=idle-{n}&since=0");
    let head = head("GET", &path, &server.address, token);
    let mut connection = Connection::open(&server.address)?;
    connection.send(&head, b"")?;
    let (status, _) = connection.read_head()?;
    ensure!(status == 200, "stream answered {status}");
    Ok(connection)
}
