//! More than one process: servers that are killed, and replicas that several processes share.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use syncline_client::{Phase, SyncEnd, sync_once};
use syncline_server::{ServeConfig, prepare};

use crate::house::{
    Machine, PATIENCE, Server, free_address, live, open, open_to_all, remote, until, until_equal,
    write_entry,
};

/// By this a process of the test knows what it is to do.
const PART: &str = "SYNCLINE_TEST_PART";

/// A process that plays one part of a test; killed, if need be, when dropped.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(part: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "processes::play_the_part_that_another_test_gives",
            "--nocapture",
        ]);
        let mut child = command
            .env(PART, part.join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// What the process says after `prefix`, once it does.
    fn hear(&mut self, prefix: &str) -> String {
        for line in (&mut self.output).lines() {
            if let Some((_, rest)) = line.unwrap().split_once(prefix) {
                return rest.to_owned();
            }
        }
        panic!("the process has ended without a word of {prefix:?}");
    }

    /// SIGKILL: nothing is finished, flushed or closed.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
    }
}

#[test]
fn play_the_part_that_another_test_gives() {
    let Ok(part) = std::env::var(PART) else {
        return;
    };
    match part.lines().collect::<Vec<_>>().as_slice() {
        ["serve", data, address] => serve(Path::new(data), address.parse().unwrap()),
        ["write", directory, count] => {
            let mut replica = open(Path::new(directory));
            let name = std::process::id().to_string();
            for number in 0..count.parse().unwrap() {
                write_entry(&mut replica, &name, &format!("{name} {number}"));
            }
            println!("done: {name}");
        }
        ["sync", directory, endpoint] => {
            let machine = Machine::start("child", Path::new(directory), live(endpoint));
            machine.until_live();
            println!("syncing: yes");
            // The parent lets go of this end, or kills.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        }
        other => panic!("no such part: {other:?}"),
    }
}

fn serve(data: &Path, address: SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let server = prepare(ServeConfig::new(data, open_to_all()), listener).unwrap();
        let mut output = std::io::stdout();
        writeln!(output, "listening on: {}", server.address()).unwrap();
        server.run(std::future::pending()).await;
    });
}

fn start_server(data: &Path, address: SocketAddr) -> (Process, SocketAddr) {
    let mut process = Process::start(&["serve", data.to_str().unwrap(), &address.to_string()]);
    let address = process.hear("listening on: ").parse().unwrap();
    (process, address)
}

#[test]
fn a_server_killed_under_pushes_over_and_over_loses_and_doubles_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("server");
    let (mut server, address) = start_server(&data, free_address());
    let settings = live(&format!("http://{address}"));
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), settings.clone());
    let mut desktop = Machine::start("desktop", &home.path().join("desktop"), settings);
    let mut written = 0;
    for round in 1..=8 {
        let synced = laptop.replica.status().unwrap().cursor.server_seq;
        // Killed when some of this round's writes have come back, at no particular moment of others.
        for _ in 0..40 {
            laptop.write();
            desktop.write();
            written += 2;
            let status = laptop.replica.status().unwrap();
            if status.cursor.server_seq.get() > synced.get() + 3 * round {
                break;
            }
        }
        server.kill();
        (server, _) = start_server(&data, address);
    }
    until_equal(&mut [&mut laptop, &mut desktop]);
    let mut texts = laptop.texts();
    texts.sort();
    texts.dedup();
    assert_eq!((texts.len(), laptop.texts().len()), (written, written));
    server.kill();
}

#[test]
fn what_other_processes_write_is_noticed_and_pushed() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let directory = home.path().join("laptop");
    let settings = live(&server.endpoint());
    let mut laptop = Machine::start("laptop", &directory, settings.clone());
    let mut desktop = Machine::start("desktop", &home.path().join("desktop"), settings);
    laptop.until_live();
    let mut writers: Vec<_> = (0..4)
        .map(|_| Process::start(&["write", directory.to_str().unwrap(), "25"]))
        .collect();
    for writer in &mut writers {
        writer.hear("done: ");
    }
    // Nobody tells the laptop.
    until("everything has come", || desktop.texts().len() == 100);
    until_equal(&mut [&mut laptop, &mut desktop]);
}

#[test]
fn one_process_syncs_a_replica_and_the_next_takes_over_when_it_dies() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let directory = home.path().join("laptop");
    let mut first = Process::start(&["sync", directory.to_str().unwrap(), &server.endpoint()]);
    first.hear("syncing: ");

    let mut second = Machine::start("second", &directory, live(&server.endpoint()));
    until("it waits", || {
        second.sync.status().phase == Phase::Elsewhere
    });
    second.write();
    second.sync();
    assert_eq!(second.sync.status().traffic.calls, 0);

    let mut third = open(&directory);
    write_entry(&mut third, "third", "by the way");
    let (_, outcome) = sync_once(third, remote(&server.endpoint(), None), PATIENCE).unwrap();
    assert_eq!(outcome.end, SyncEnd::Synced);

    first.kill();
    second.until_live();
    let mut desktop = Machine::start(
        "desktop",
        &home.path().join("desktop"),
        live(&server.endpoint()),
    );
    until_equal(&mut [&mut second, &mut desktop]);
    assert_eq!(desktop.texts().len(), 2);
}

#[test]
fn many_commands_at_once_each_see_their_writes_synced() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let directory = home.path().join("laptop");
    drop(open(&directory));
    let remote = remote(&server.endpoint(), None);
    let commands: Vec<_> = (0..20)
        .map(|number| {
            let (directory, remote) = (directory.clone(), remote.clone());
            std::thread::spawn(move || {
                let mut replica = open(&directory);
                write_entry(&mut replica, "command", &format!("command {number}"));
                sync_once(replica, remote, PATIENCE).unwrap().1
            })
        })
        .collect();
    for command in commands {
        assert_eq!(command.join().unwrap().end, SyncEnd::Synced);
    }
    let mut desktop = Machine::start(
        "desktop",
        &home.path().join("desktop"),
        live(&server.endpoint()),
    );
    until("everything has come", || desktop.texts().len() == 20);
}
