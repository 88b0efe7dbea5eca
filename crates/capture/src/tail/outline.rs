//! What is kept of a line that is too long to be held: its ids, how long it is, and its digest.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The fields that say whose a line is and when it was written; no reader needs more to keep it.
const KEPT: [&str; 7] = [
    "uuid",
    "parentUuid",
    "sessionId",
    "agentId",
    "isSidechain",
    "id",
    "timestamp",
];
/// The field that says what the line is: of a line without its content, that is only told.
const KIND: &str = "type";
/// The longest key or value that is looked at, in bytes: ids and times are shorter.
const TOKEN_BYTES_MAX: usize = 256;

/// Reads a line of JSON piece by piece, in little memory.
#[derive(Debug, Default)]
pub(super) struct Outline {
    bytes: u64,
    digest: Sha256,
    depth: u32,
    in_text: bool,
    escaped: bool,
    /// Whether what comes is a value of the outermost object, and not a key.
    at_value: bool,
    key: String,
    /// The key or value at hand, as far as it is not longer than it may be.
    token: Vec<u8>,
    fields: Map<String, Value>,
}

impl Outline {
    pub(super) fn read(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
        for byte in bytes {
            self.step(*byte);
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn step(&mut self, byte: u8) {
        if self.in_text {
            self.hold(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.hold(byte);
            }
            b'{' | b'[' => {
                self.hold(byte);
                self.depth += 1;
            }
            b'}' | b']' => {
                self.end_value();
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 => {
                self.key = serde_json::from_slice(&self.token).unwrap_or_default();
                self.token.clear();
                self.at_value = true;
            }
            b',' => self.end_value(),
            byte if byte.is_ascii_whitespace() => {}
            byte => self.hold(byte),
        }
    }

    fn hold(&mut self, byte: u8) {
        if self.depth == 1 && self.token.len() <= TOKEN_BYTES_MAX {
            self.token.push(byte);
        }
    }

    /// Takes the value at hand, if it is one of the outermost object and whole.
    fn end_value(&mut self) {
        if self.depth != 1 {
            return;
        }
        let is_kept = self.key == KIND || KEPT.contains(&self.key.as_str());
        if self.at_value
            && is_kept
            && let Ok(value) = serde_json::from_slice(&self.token)
        {
            self.fields.insert(std::mem::take(&mut self.key), value);
        }
        self.at_value = false;
        self.token.clear();
    }

    /// The line that stands for this one.
    pub(super) fn finish(mut self) -> String {
        let digest = self.digest.finalize();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let kind = self.fields.remove(KIND);
        let left_out = serde_json::json!({"bytes": self.bytes, "sha256": digest, KIND: kind});
        self.fields.insert("left_out".to_owned(), left_out);
        Value::Object(self.fields).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_line_are_found_on_both_sides_of_what_is_long() {
        let long = format!("{}\\\"}}", "x".repeat(9_999));
        let line = format!(
            r#"{{"parentUuid":null, "isSidechain":false,"sessionId":"s\"1","message":{{"id":"m","content":["{long}"]}},"note":"{long}","type":"user","uuid":"u1"}}"#
        );
        for size in [1, 7, line.len()] {
            let mut outline = Outline::default();
            line.as_bytes()
                .chunks(size)
                .for_each(|part| outline.read(part));
            let stub: Value = serde_json::from_str(&outline.finish()).unwrap();
            assert_eq!(stub["left_out"]["bytes"], line.len());
            assert_eq!(stub["left_out"]["type"], "user");
            let digest = Sha256::digest(line.as_bytes());
            let begins = format!("{:02x}{:02x}", digest[0], digest[1]);
            assert!(
                stub["left_out"]["sha256"]
                    .as_str()
                    .unwrap()
                    .starts_with(&begins)
            );
            let ids = [
                "sessionId",
                "uuid",
                "parentUuid",
                "isSidechain",
                "id",
                "note",
            ];
            let ids = ids.map(|id| stub.get(id).map(ToString::to_string).unwrap_or_default());
            assert_eq!(ids, [r#""s\"1""#, "\"u1\"", "null", "false", "", ""]);
        }
    }

    #[test]
    fn junk_has_a_length_and_no_ids() {
        let mut outline = Outline::default();
        outline.read(b"]]}}{{,:\"\\\xff\x00,\"uuid\":1,");
        let stub: Value = serde_json::from_str(&outline.finish()).unwrap();
        assert_eq!(stub.as_object().unwrap().len(), 1);
    }
}
