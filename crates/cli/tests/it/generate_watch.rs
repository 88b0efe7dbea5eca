//! `syncline generate --watch`, and documents that come from a server.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout};
use std::sync::{Arc, Mutex};

use crate::machine::Machine;

const DOCUMENT: &str = include_str!("../../../../packages/client/test/openapi.yaml");

/// A `generate --watch` that runs.
struct Watch {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Watch {
    fn start(machine: &Machine, document: &str, out: &Path) -> Self {
        let out = out.to_str().unwrap();
        let mut child = machine
            .command(&[
                "generate", document, "--out", out, "--only", "types", "--watch",
            ])
            .spawn()
            .unwrap();
        Self {
            out: BufReader::new(child.stdout.take().unwrap()),
            err: BufReader::new(child.stderr.take().unwrap()),
            child,
        }
    }

    /// The next line that says what was written.
    fn wrote(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "it has ended");
        line
    }

    /// Reads what is told up to a line with `part`.
    fn told(&mut self, part: &str) {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            assert_ne!(
                self.err.read_line(&mut line).unwrap(),
                0,
                "never told: {part}"
            );
        }
    }

    /// Ends it as Ctrl-C does. Gives what was told since.
    fn interrupt(mut self) -> String {
        let interrupted = std::process::Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(interrupted.unwrap().success());
        let mut rest = String::new();
        self.err.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{rest}");
        rest
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_document_that_is_watched_is_written_again_and_a_failure_is_told_once() {
    let machine = Machine::new();
    let path = machine.work_dir().join("openapi.yaml");
    let document = path.to_str().unwrap();
    let out = machine.work_dir().join("generated");
    fs::write(&path, DOCUMENT).unwrap();
    let mut watch = Watch::start(&machine, document, &out);
    assert!(watch.wrote().contains("3 entities"));
    fs::write(&path, DOCUMENT.replace("local_notes", "private_notes")).unwrap();
    assert!(watch.wrote().contains("(2 written, 0 removed)"));
    let types = fs::read_to_string(out.join("types/contacts.ts")).unwrap();
    assert!(types.contains("private_notes"));
    fs::write(&path, "{").unwrap();
    watch.told("error[document_invalid]");
    fs::remove_file(&path).unwrap();
    watch.told("error[document_unreadable]");
    fs::write(&path, DOCUMENT).unwrap();
    watch.wrote();
    let types = fs::read_to_string(out.join("types/contacts.ts")).unwrap();
    assert!(types.contains("local_notes"));
    let rest = watch.interrupt();
    assert!(!rest.contains("document_unreadable"), "{rest}");
}

/// As editors save a file, and as a checkout of another branch takes it away and brings it back.
#[cfg(unix)]
#[test]
fn a_document_that_is_replaced_or_comes_back_is_seen() {
    let machine = Machine::new();
    let path = machine.work_dir().join("openapi.yaml");
    let document = path.to_str().unwrap();
    let out = machine.work_dir().join("generated");
    fs::write(&path, DOCUMENT).unwrap();
    let mut watch = Watch::start(&machine, document, &out);
    assert!(watch.wrote().contains("3 entities"));
    let beside = machine.work_dir().join(".openapi.yaml.swp");
    fs::write(&beside, DOCUMENT.replace("local_notes", "private_notes")).unwrap();
    fs::rename(&beside, &path).unwrap();
    assert!(watch.wrote().contains("(2 written, 0 removed)"));
    fs::rename(&path, &beside).unwrap();
    watch.told("error[document_unreadable]");
    fs::rename(&beside, &path).unwrap();
    assert!(watch.wrote().contains("(0 written, 0 removed)"));
    watch.interrupt();
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_not_be_written_is_tried_again_until_it_can() {
    let machine = Machine::new();
    let path = machine.work_dir().join("openapi.yaml");
    let document = path.to_str().unwrap();
    let out = machine.work_dir().join("generated");
    fs::write(&path, DOCUMENT).unwrap();
    fs::write(&out, "in the way").unwrap();
    let mut watch = Watch::start(&machine, document, &out);
    watch.told("error[folder_unreadable]");
    watch.told("it is tried again");
    fs::remove_file(&out).unwrap();
    assert!(watch.wrote().contains("3 entities"));
    assert!(out.join("types/contacts.ts").exists());
    assert_eq!(watch.interrupt(), "", "it was told once");
}

/// Answers every request with what `text` holds then, or with 503 where it holds nothing.
fn serve(text: Arc<Mutex<Option<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/openapi.yaml", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            let (status, body) = match &*text.lock().unwrap() {
                Some(text) => ("200 OK", text.clone()),
                None => ("503 Service Unavailable", String::new()),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    url
}

#[test]
fn a_document_is_fetched_from_its_address() {
    let text = Arc::new(Mutex::new(Some(DOCUMENT.to_owned())));
    let url = serve(text.clone());
    let machine = Machine::new();
    let out = machine.work_dir().join("generated");
    let dir = out.to_str().unwrap();
    machine.run(&["generate", &url, "--out", dir]).done();
    assert!(out.join("entities/contacts.ts").exists());
    machine
        .run(&["generate", &url, "--out", dir, "--check"])
        .done();
    *text.lock().unwrap() = None;
    machine
        .run(&["generate", &url, "--out", dir])
        .failed(1, "document_unreadable")
        .says("503")
        .says(&format!("fix:   curl --fail --output openapi.json {url}"));
}

#[cfg(unix)]
#[test]
fn a_document_at_an_address_is_watched() {
    let text = Arc::new(Mutex::new(Some(DOCUMENT.to_owned())));
    let url = serve(text.clone());
    let machine = Machine::new();
    let out = machine.work_dir().join("generated");
    let mut watch = Watch::start(&machine, &url, &out);
    assert!(watch.wrote().contains("3 entities"));
    assert_eq!(watch.interrupt(), "");
}
