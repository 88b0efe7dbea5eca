//! What the demo shows, act by act. Each act checks itself.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::failed;
use super::machine::{Machine, wait_until_equal};
use super::server::{Server, copy};
use super::teller::Teller;
use crate::failure::{Failure, Outcome};

/// Entries of real threads; where they come from is told when they are shown.
const THREADS: &str = include_str!("../../../../store/fixtures/threads_excerpt.jsonl");
/// How many thoughts are pushed one after another, to see how soon they arrive.
const LIVE_PUSHES: usize = 20;
const OFFLINE_PUSHES: usize = 5;
const MEANWHILE_PUSHES: usize = 3;

/// What the story leaves running.
pub(super) struct Stage {
    pub(super) laptop: Machine,
    pub(super) desktop: Machine,
    pub(super) server: Server,
    pub(super) home: tempfile::TempDir,
}

impl Stage {
    /// Ends everything, and removes the directory.
    pub(super) fn close(self) {
        drop(self);
    }

    fn set_up() -> Result<Self, Failure> {
        let home = tempfile::Builder::new().prefix("syncline-demo-").tempdir();
        let home =
            home.map_err(|error| failed("could not make a temporary directory").because(error))?;
        let server = Server::start(&home.path().join("server"))?;
        let endpoint = server.endpoint();
        Ok(Self {
            laptop: Machine::start("laptop", home.path(), &endpoint)?,
            desktop: Machine::start("desktop", home.path(), &endpoint)?,
            server,
            home,
        })
    }

    fn wait_until_equal(&mut self) -> Result<(), Failure> {
        wait_until_equal(&mut [&mut self.laptop, &mut self.desktop])
    }

    fn older_copy(&self) -> PathBuf {
        self.home.path().join("older-copy")
    }
}

/// Tells the story.
pub(super) fn tell(teller: &mut Teller) -> Result<Stage, Failure> {
    let mut stage = teller.step(|| {
        let stage = Stage::set_up()?;
        let text = format!(
            "a server, SQLite inside, listens on {}",
            stage.server.endpoint()
        );
        Ok((stage, text))
    })?;
    import(teller, &mut stage)?;
    write_live(teller, &mut stage)?;
    write_offline(teller, &mut stage)?;
    restore(teller, &mut stage)?;
    join_late(teller, &mut stage)?;
    Ok(stage)
}

/// Real threads are written on one machine, and synced to the other.
fn import(teller: &mut Teller, stage: &mut Stage) -> Outcome {
    let imported = teller.step(|| {
        let imported = stage.laptop.import(THREADS)?;
        let text = format!(
            "the laptop imports {} entries of {} threads; they are durable, and wait",
            imported.entries, imported.threads
        );
        Ok((imported, text))
    })?;
    teller.step(|| {
        stage.laptop.go_online();
        stage.desktop.go_online();
        stage.wait_until_equal()?;
        let arrived = stage.desktop.count_entries()?;
        check(
            arrived,
            imported.entries,
            "miscounted entries on the desktop",
        )?;
        let text = format!(
            "it pushes {} ops, the desktop pulls and folds them: equal, row by row",
            stage.desktop.log_length()?
        );
        Ok(((), text))
    })
}

/// What is pushed on one machine is on the other at once.
fn write_live(teller: &mut Teller, stage: &mut Stage) -> Outcome {
    let mut took = Vec::new();
    for number in 1..=LIVE_PUSHES {
        let begun = Instant::now();
        let entry = stage
            .laptop
            .push(&format!("thought {number}, pushed while online"))?;
        stage.desktop.wait_for(entry)?;
        took.push(begun.elapsed());
    }
    took.sort();
    let median = took[took.len() / 2];
    let most = took.last().copied().unwrap_or_default();
    let text = format!(
        "{LIVE_PUSHES} thoughts, written durably on the laptop, appear on the desktop one by one\n\
         ({} at most); the median takes",
        milliseconds(most)
    );
    teller.worked(&text, median)
}

/// A machine without a network works on, and catches up.
fn write_offline(teller: &mut Teller, stage: &mut Stage) -> Outcome {
    teller.step(|| {
        let older = stage.older_copy();
        stage.server.while_down(|data| copy(data, &older))?;
        Ok(((), "the server's data is copied, for later".to_owned()))
    })?;
    teller.step(|| {
        stage.laptop.go_offline();
        for number in 1..=OFFLINE_PUSHES {
            stage.laptop.push(&format!("offline thought {number}"))?;
        }
        let pending = stage.laptop.pending()?;
        check(pending, OFFLINE_PUSHES as u64, "miscounted what waits")?;
        for number in 1..=MEANWHILE_PUSHES {
            let entry = stage.desktop.push(&format!("meanwhile, thought {number}"))?;
            stage.desktop.wait_for(entry)?;
        }
        Ok(((), format!(
            "the laptop goes offline and pushes {OFFLINE_PUSHES}, the desktop pushes {MEANWHILE_PUSHES}"
        )))
    })?;
    teller.step(|| {
        stage.laptop.go_online();
        stage.wait_until_equal()?;
        Ok((
            (),
            "the laptop comes back: both hold all of them, in one order".to_owned(),
        ))
    })
}

/// A server put back to an older copy gets back what it has lost.
fn restore(teller: &mut Teller, stage: &mut Stage) -> Outcome {
    let entries = stage.laptop.count_entries()?;
    let before = stage.laptop.log_length()?;
    teller.step(|| {
        let older = stage.older_copy();
        stage.server.while_down(|data| copy(&older, data))?;
        let lost = OFFLINE_PUSHES + MEANWHILE_PUSHES;
        Ok((
            (),
            format!("the server is put back to that copy: it has lost {lost} entries"),
        ))
    })?;
    teller.step(|| {
        // A replica notices with its next call, such as that of a write.
        let entry = stage.laptop.push("written after the restore")?;
        stage.desktop.wait_for(entry)?;
        stage.wait_until_equal()?;
        check(
            stage.desktop.count_entries()?,
            entries + 1,
            "lost or doubled an entry",
        )?;
        check(
            stage.desktop.log_length()?,
            before + 1,
            "lost or doubled an op",
        )?;
        Ok((
            (),
            "the replicas notice and offer them again, by themselves:\n\
             nothing is lost, nothing is there twice"
                .to_owned(),
        ))
    })
}

/// A replica that begins now holds what the others hold.
fn join_late(teller: &mut Teller, stage: &mut Stage) -> Outcome {
    teller.step(|| {
        let endpoint = stage.server.endpoint();
        let mut tablet = Machine::start("tablet", stage.home.path(), &endpoint)?;
        tablet.go_online();
        wait_until_equal(&mut [&mut tablet, &mut stage.laptop, &mut stage.desktop])?;
        tablet.close();
        Ok((
            (),
            "a third replica fetches it all from that server: equal to the others".to_owned(),
        ))
    })
}

fn check(found: u64, expected: u64, otherwise: &str) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(failed(&format!(
        "{otherwise}: {found} instead of {expected}"
    )))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
