//! Shapes: the first sync of a large one, many readers of one, and many with a reader each.

mod readers;
mod tasks;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rusqlite::Connection as Sqlite;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::Bench;
use crate::http::{Connection, head};
use crate::input;
use crate::measure::{Bar, Row, median};
use crate::program::Server;
use readers::{Told, Waiter};
use tasks::Tasks;

/// Readers of one shape that a write is to reach.
const READERS: u64 = 1_000;
/// Shapes of `field = const`, of which each has a reader: few, and many.
const FEW: u64 = 10;
const MANY: u64 = 10_000;
/// Rows that a push of [`many`] changes, each of another shape.
const PUSH_ROWS: u64 = 10;
/// From the write to a reader, at the median.
const LIVE_MS: f64 = 5.0;

fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

/// Fetches a shape of 100,000 rows to its end.
pub(crate) fn sync(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let count = bench.scaled(100_000, 1_000);
    let (mut first, mut fresh, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let tasks = Tasks::make(count, 1)?;
    let directory = tempfile::tempdir()?;
    let bare = bare_tasks(&directory.path().join("bare.db"), count)?;
    for run in 0..bench.runs {
        let limit = print_bare(&bare, count)?;
        if run == 0 {
            let copied = 1.0 / (1.0 / copy_bare(&bare, count)? + 1.0 / limit);
            first.push((fetch(&tasks, "table=tasks", count)?, copied));
        }
        // Each run has a shape of its own, whose snapshot is made for the first who fetches it.
        let query = format!("table=tasks&where=place%20%3E=%20-{run}");
        fresh.push((fetch(&tasks, &query, count)?, limit));
        again.push((fetch(&tasks, &query, count)?, limit));
    }
    let limit = "bare SQLite reading the same rows and printing them as JSON";
    let limit_first = "bare SQLite copying the same rows as texts first";
    let row = |name, limit, bar, runs: &[_]| Row::new(name, "rows/s", limit, bar, runs);
    Ok(vec![
        row(
            "shape of 100,000 rows, its first reader",
            limit,
            Bar::AtLeast(1.0 / 3.0),
            &fresh,
        ),
        row("the same, a later reader", limit, Bar::None, &again),
        row(
            "the same, the table's first",
            limit_first,
            Bar::None,
            &first,
        ),
    ])
}

/// Fetches a shape until it is up to date; gives rows a second.
fn fetch(tasks: &Tasks, query: &str, count: u64) -> anyhow::Result<f64> {
    let mut connection = Connection::open(&tasks.server.address)?;
    let begun = Instant::now();
    let mut next = "&offset=-1".to_owned();
    let mut rows = 0;
    loop {
        let path = format!("/v1/shape?{query}{next}");
        let answer = connection.call(
            &head("GET", &path, &tasks.server.address, &tasks.token),
            b"",
        )?;
        ensure!(answer.status == 200, "the shape answered {}", answer.status);
        rows += answer
            .body
            .windows(INSERT.len())
            .filter(|bytes| *bytes == INSERT)
            .count() as u64;
        if answer.head.get("electric-up-to-date").is_some() {
            break;
        }
        next = readers::next(&answer.head)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(rows == count, "{rows} rows came of {count}");
    Ok(count as f64 / seconds)
}

const INSERT: &[u8] = b"\"operation\":\"insert\"";

/// A file with the tasks in a plain table.
fn bare_tasks(path: &std::path::Path, count: u64) -> anyhow::Result<Sqlite> {
    let mut connection = Sqlite::open(path)?;
    connection.execute_batch(
        "CREATE TABLE tasks (id TEXT PRIMARY KEY, owner TEXT, title TEXT, amount TEXT, done TEXT, \
         place TEXT, due TEXT) STRICT, WITHOUT ROWID",
    )?;
    let transaction = connection.transaction()?;
    for id in 0..count {
        transaction
            .prepare_cached("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)")?
            .execute(input::task(id, 0))?;
    }
    transaction.commit()?;
    Ok(connection)
}

/// Copies the tasks as the rows of a table with shapes are kept, for the disk; gives rows a second.
fn copy_bare(connection: &Sqlite, count: u64) -> anyhow::Result<f64> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let begun = Instant::now();
    connection.execute_batch(
        "CREATE TABLE kept (row_key TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID; \
         INSERT INTO kept SELECT '/\"' || id || '\"', \
         json_array(id, owner, title, amount, done, place, due) FROM tasks ORDER BY id",
    )?;
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

/// Reads the tasks, and prints each as a JSON object; gives rows a second.
fn print_bare(connection: &Sqlite, count: u64) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let mut statement = connection.prepare("SELECT * FROM tasks ORDER BY id")?;
    let names: Vec<_> = statement
        .column_names()
        .map(|name| format!("\"{name}\":"))
        .collect();
    let mut rows = statement.query([])?;
    let mut printed = vec![b'['];
    while let Some(row) = rows.next()? {
        for (n, name) in names.iter().enumerate() {
            printed.push(if n == 0 { b'{' } else { b',' });
            printed.extend_from_slice(name.as_bytes());
            serde_json::to_writer(&mut printed, row.get_ref(n)?.as_str()?)?;
        }
        printed.extend_from_slice(b"},");
    }
    ensure!(printed.len() > count as usize, "nothing was printed");
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

/// One write to a thousand readers that wait for it.
pub(crate) fn fan_out(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let readers = bench.scaled(READERS, 10);
    let rounds = bench.scaled(15, 3);
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let mut tasks = Tasks::make(10, 1)?;
        let (told, ours) = tell_ours(&mut tasks, readers, rounds)?;
        drop(tasks);
        let limit = tell_empty(&Server::empty()?, &told, readers, rounds)?;
        runs.push((ours * 1e3, limit * 1e3));
    }
    Ok(vec![Row::new(
        "write to 1,000 shape readers",
        "ms",
        "an empty handler answering as many that wait with the same bytes",
        Bar::AtMost(2.0),
        &runs,
    )])
}

/// The median over all readers and rounds, in seconds, and an answer of those.
fn tell_ours(tasks: &mut Tasks, readers: u64, rounds: u64) -> anyhow::Result<(Told, f64)> {
    let start = tasks.begin("table=tasks")?;
    let path = |next: &str| format!("/v1/shape?table=tasks{next}&live=true");
    let mut told = None;
    let mut offsets = readers::next(&start)?;
    let runtime = runtime()?;
    let mut waiters = Some(open(&runtime, &tasks.server, readers)?);
    let mut seconds = Vec::new();
    for round in 0..rounds {
        let request = head("GET", &path(&offsets), &tasks.server.address, &tasks.token);
        let push = tasks.place(0, round + 100);
        let (answer, found) = round_of(&runtime, &tasks.server, &mut waiters, &request, &push)?;
        ensure!(answer.body.contains("update"), "nothing was told");
        offsets = readers::next(&answer.head)?;
        seconds.push(found);
        told = Some(answer);
    }
    Ok((told.context("no round was run")?, median(seconds)))
}

fn tell_empty(server: &Server, told: &Told, readers: u64, rounds: u64) -> anyhow::Result<f64> {
    let runtime = runtime()?;
    let mut waiters = Some(open(&runtime, server, readers)?);
    let request = head("GET", "/wait", &server.address, "none");
    let mut wake = head("POST", "/wait", &server.address, "none");
    for (name, value) in told.head.fields() {
        if !["content-length", "date", "connection"].contains(&name) {
            wake.push_str(&format!("x-{name}: {value}\r\n"));
        }
    }
    let wake = readers::request(&wake, told.body.as_bytes());
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let (answer, found) = round_of(&runtime, server, &mut waiters, &request, &wake)?;
        ensure!(answer.body == told.body, "other bytes were told");
        seconds.push(found);
    }
    Ok(median(seconds))
}

fn open(runtime: &Runtime, server: &Server, count: u64) -> anyhow::Result<Vec<Waiter>> {
    runtime.block_on(async {
        let mut waiters = Vec::new();
        for _ in 0..count {
            waiters.push(Waiter::open(&server.address).await?);
        }
        Ok(waiters)
    })
}

/// Has all wait, sends what wakes them, and gives the median time until their answers have come.
fn round_of(
    runtime: &Runtime,
    server: &Server,
    waiters: &mut Option<Vec<Waiter>>,
    request: &str,
    wake: &[u8],
) -> anyhow::Result<(Told, f64)> {
    let mut waiting = waiters.take().context("an earlier round has failed")?;
    let request = readers::request(request, b"");
    runtime.block_on(async {
        for waiter in &mut waiting {
            waiter.send(&request).await?;
        }
        anyhow::Ok(())
    })?;
    server.wait_until_quiet()?;
    runtime.block_on(async {
        let mut waker = Waiter::open(&server.address).await?;
        let mut all = JoinSet::new();
        for mut waiter in waiting {
            all.spawn(async move {
                let told = waiter.told().await;
                (waiter, told, Instant::now())
            });
        }
        tokio::task::yield_now().await;
        let begun = Instant::now();
        waker.send(wake).await?;
        let mut seconds = Vec::new();
        let mut last = None;
        let mut back = Vec::new();
        while let Some(done) = all.join_next().await {
            let (waiter, told, at) = done?;
            seconds.push(at.duration_since(begun).as_secs_f64());
            last = Some(told?);
            back.push(waiter);
        }
        waker.told().await?;
        *waiters = Some(back);
        Ok((last.context("nobody waits")?, median(seconds)))
    })
}

/// Pushes while each of many shapes has a reader, and while each of few has.
pub(crate) fn many(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let pushes = bench.scaled(2_000, 20);
    let shapes = bench.scaled(MANY, FEW);
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let few = push_beside(FEW, shapes, pushes)?;
        runs.push((push_beside(shapes, shapes, pushes)?, few));
    }
    Ok(vec![Row::new(
        "push beside 10,000 shapes",
        "ops/s",
        "the same beside 10; each with a waiting reader, of which a push wakes ten",
        Bar::AtLeast(0.8),
        &runs,
    )])
}

/// Ops a second, of pushes one after the other, beside so many shapes of a table of so many rows.
fn push_beside(shapes: u64, rows: u64, pushes: u64) -> anyhow::Result<f64> {
    let mut tasks = Tasks::make(rows, shapes)?;
    let runtime = runtime()?;
    let (address, token) = (tasks.server.address.clone(), tasks.token.clone());
    let made = runtime.block_on(readers::make_shapes(&address, &token, shapes))?;
    let bodies: Vec<_> = (0..pushes)
        .map(|n| {
            let rows_of = (0..PUSH_ROWS).map(|row| (n * PUSH_ROWS + row) % rows);
            tasks.places(rows_of, n + 1_000_000)
        })
        .collect();
    // The readers run in a thread of their own, so that the pushing one waits for nobody but the server.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let following = std::thread::spawn(move || {
        runtime.block_on(async {
            let mut all = JoinSet::new();
            for (waiter, request, next) in made {
                all.spawn(readers::follow(waiter, request, next));
            }
            tokio::select! {
                failed = all.join_next() => anyhow::bail!("a reader has ended: {failed:?}"),
                _ = stopped => Ok(()),
            }
        })
    });
    tasks.server.wait_until_quiet()?;
    let mut connection = Connection::open(&address)?;
    let push = head("POST", "/sync/push", &address, &token);
    let begun = Instant::now();
    for body in &bodies {
        let answer = connection.call(&push, body)?;
        ensure!(answer.status == 200, "push answered {}", answer.status);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let _ = stop.send(());
    following.join().expect("the readers' thread panicked")?;
    Ok((pushes * PUSH_ROWS) as f64 / seconds)
}

/// One write after the other to one reader.
pub(crate) fn live(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let writes = bench.scaled(500, 20);
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let mut tasks = Tasks::make(1_000, 10)?;
        let query = "table=tasks&where=owner%20=%20%27u1%27";
        let mut offsets = readers::next(&tasks.begin(query)?)?;
        let runtime = runtime()?;
        let mut seconds = Vec::new();
        let address = tasks.server.address.clone();
        let (mut reader, mut writer) = runtime.block_on(async {
            anyhow::Ok((Waiter::open(&address).await?, Waiter::open(&address).await?))
        })?;
        for n in 0..writes {
            let path = format!("/v1/shape?{query}{offsets}&live=true");
            let request = readers::request(&head("GET", &path, &address, &tasks.token), b"");
            let push = tasks.place(1, n + 10_000);
            let (told, found) = runtime.block_on(async {
                reader.send(&request).await?;
                // Until it waits, as a reader does that has not asked just now.
                tokio::time::sleep(Duration::from_millis(2)).await;
                let begun = Instant::now();
                writer.send(&push).await?;
                let told = reader.told().await?;
                let found = begun.elapsed();
                writer.told().await?;
                anyhow::Ok((told, found))
            })?;
            ensure!(
                told.body.contains("update"),
                "write {n} was not told, but {}",
                told.body
            );
            offsets = readers::next(&told.head)?;
            seconds.push(found.as_secs_f64() * 1e3);
        }
        runs.push((median(seconds), LIVE_MS));
    }
    Ok(vec![Row::new(
        "write to shape reader, median",
        "ms",
        "5 ms",
        Bar::AtMost(1.0),
        &runs,
    )])
}
