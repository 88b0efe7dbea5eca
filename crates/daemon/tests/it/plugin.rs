//! Plugins of agents: one connection for a call, ids that are texts.

use std::io::{BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use syncline_daemon::{CaptureSettings, Captured, Config, Followed, Settings};

use crate::house::{Home, PATIENCE};

/// A daemon that captures every agent, and watches nothing.
pub(crate) fn capturing(home: &Home) -> Config {
    capturing_with(home, |_| {})
}

pub(crate) fn capturing_with(home: &Home, change: impl FnOnce(&mut CaptureSettings)) -> Config {
    let mut settings = Settings::off();
    settings.capture.captured = Captured::Every;
    change(&mut settings.capture);
    Config {
        followed: Followed {
            files: Vec::new(),
            read: Box::new(move || Ok(settings.clone())),
        },
        ..home.config()
    }
}

/// Calls as the plugins' own client does: connects, sends, reads one answer, ends.
pub(crate) fn ask(socket: &Path, body: &Value) -> Value {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = body.to_string();
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    // They take exactly this header, and nothing before it.
    let mut stream = BufReader::new(stream);
    let mut header = [0; 16];
    stream.read_exact(&mut header).unwrap();
    assert_eq!(&header, b"Content-Length: ");
    let mut rest = header.to_vec();
    let mut byte = [0];
    while !rest.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        rest.push(byte[0]);
    }
    let length = std::str::from_utf8(&rest[16..rest.len() - 4]).unwrap();
    let mut answer = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut answer).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

/// A plugin, by its name for itself.
pub(crate) struct Plugin<'a> {
    pub(crate) socket: &'a Path,
    pub(crate) name: &'static str,
}

impl Plugin<'_> {
    pub(crate) fn request(&self, method: &str, params: &Value) -> Value {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut params = params.clone();
        params["schemaVersion"] = "v1".into();
        params["client"] = json!({ "name": self.name, "version": "0.1.0" });
        let id = format!("req-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    }

    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        let request = self.request(method, params);
        let answer = ask(self.socket, &request);
        assert_eq!(answer["id"], request["id"]);
        assert_eq!(answer["jsonrpc"], "2.0");
        answer
    }

    pub(crate) fn done(&self, method: &str, params: &Value) {
        let answer = self.call(method, params);
        assert_eq!(answer["result"], json!({ "ok": true }), "{answer}");
    }

    pub(crate) fn read(&self, method: &str, params: &Value) -> Value {
        let answer = self.call(method, params);
        assert_eq!(answer.get("error"), None, "{answer}");
        answer["result"].clone()
    }
}

pub(crate) fn opencode(socket: &Path) -> Plugin<'_> {
    let name = "@dxta-dev/clankers-opencode";
    Plugin { socket, name }
}

pub(crate) fn claude(socket: &Path) -> Plugin<'_> {
    let name = "claude-code-plugin";
    Plugin { socket, name }
}

/// A line of Claude Code's transcripts.
pub(crate) fn line(uuid: &str, text: &str) -> String {
    let line = json!({ "type": "user", "uuid": uuid, "parentUuid": null, "sessionId": "s1",
        "timestamp": "2026-03-01T10:00:02.000Z", "cwd": "/w/app", "version": "2.1.81",
        "isSidechain": false, "message": { "role": "user", "content": text } });
    format!("{line}\n")
}
