//! Many processes on one replica: this test program starts itself as each of them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use syncline_model::thread::{Create, Entry, EntryId, ThreadOp, thread_id};
use syncline_model::{Scope, Timestamp};
use syncline_replica::{NewOp, Replica, ReplicaOptions};
use syncline_store::StoreError;
use syncline_store::threads::for_each_entry;

/// Names the replica's directory to a process that is to write.
const DIRECTORY: &str = "SYNCLINE_TEST_DIRECTORY";
const TEXT: &str = "SYNCLINE_TEST_TEXT";

const WORKS: &str = "what the test is not about works";

fn open(directory: &Path) -> Replica {
    Replica::open(directory, ReplicaOptions::default()).expect(WORKS)
}

fn ops(text: &str) -> Vec<NewOp> {
    let at: Timestamp = "2026-01-02T03:04:05.678Z".parse().expect(WORKS);
    let create = ThreadOp::Create(Create {
        project: "default".into(),
        key: "plans".into(),
        generation: 1,
        name: "Plans".into(),
        at,
    });
    let entry = ThreadOp::Entry(Entry {
        entry_id: EntryId::new(uuid::Uuid::now_v7()),
        author: "ada".into(),
        content: text.into(),
        name: None,
        at,
    });
    let resource = thread_id("default", "plans", 1);
    let new_op = |op: ThreadOp<'_>| NewOp {
        scope: Scope::thread(),
        resource: resource.into(),
        payload: op.payload().expect(WORKS),
    };
    vec![new_op(create), new_op(entry)]
}

/// What one of the processes does; in the test run itself, nothing.
#[test]
fn one_process_writes_one_entry() {
    let (Ok(directory), Ok(text)) = (std::env::var(DIRECTORY), std::env::var(TEXT)) else {
        return;
    };
    open(&PathBuf::from(directory))
        .write(&ops(&text))
        .expect(WORKS);
}

fn start(directory: &Path, text: &str) -> Child {
    Command::new(std::env::current_exe().expect(WORKS))
        .args(["--exact", "one_process_writes_one_entry"])
        .env(DIRECTORY, directory)
        .env(TEXT, text)
        .stdout(Stdio::null())
        .spawn()
        .expect(WORKS)
}

fn contents(directory: &Path) -> Vec<String> {
    let mut replica = open(directory);
    let connection = replica.view().expect(WORKS).connection();
    let mut found = Vec::new();
    for_each_entry(connection, thread_id("default", "plans", 1), |entry| {
        found.push(entry.content);
        Ok::<_, StoreError>(())
    })
    .expect(WORKS);
    found.sort_by_key(|text| text.parse::<u32>().expect(WORKS));
    found
}

#[test]
fn a_hundred_processes_at_once_all_write_to_one_new_replica() {
    let directory = tempfile::tempdir().expect(WORKS);
    let children: Vec<_> = (0..100)
        .map(|n| start(directory.path(), &n.to_string()))
        .collect();
    for mut child in children {
        assert!(child.wait().expect(WORKS).success());
    }
    let expected: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(contents(directory.path()), expected);
}

#[test]
fn what_a_killed_process_reported_is_there() {
    let directory = tempfile::tempdir().expect(WORKS);
    open(directory.path());
    let mut reported = Vec::new();
    for n in 0..60 {
        let mut child = start(directory.path(), &n.to_string());
        // Kills spread over a process's life: some before it writes, some after it is done.
        for _ in 0..n * 50_000 {
            std::hint::spin_loop();
        }
        child.kill().expect(WORKS);
        if child.wait().expect(WORKS).success() {
            reported.push(n.to_string());
        }
    }
    let found = contents(directory.path());
    for text in reported {
        assert_eq!(
            found.iter().filter(|found| **found == text).count(),
            1,
            "{text}"
        );
    }
    let mut replica = open(directory.path());
    replica.write(&ops("1000")).expect(WORKS);
    assert_eq!(contents(directory.path()).last().expect(WORKS), "1000");
}
