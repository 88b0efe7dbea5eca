//! One reading of a document: what was found wrong with it so far, and where its references lead.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, Id, Node};
use crate::extensions::Seen;
use crate::limits::{DIAGNOSTICS_MAX, NESTED_SCHEMAS_MAX, REFERENCE_DEPTH_MAX};

#[derive(Debug)]
pub(crate) struct Reading<'d> {
    document: &'d Document<'d>,
    notes: RefCell<Notes>,
    /// Where each reference leads, found once.
    targets: RefCell<HashMap<&'d str, Option<Node<'d>>>>,
    seen: RefCell<Seen<'d>>,
    /// How many more schemas within fields are taken.
    nested_left: Cell<usize>,
}

#[derive(Debug, Default)]
struct Notes {
    diagnostics: Vec<Diagnostic>,
    /// A schema that many paths use is read many times, and told of once.
    told: HashSet<(Id, Code, String)>,
    has_error: bool,
    /// How many came after the most that are told.
    untold: usize,
}

impl<'d> Reading<'d> {
    pub(crate) fn new(document: &'d Document<'d>) -> Self {
        Self {
            document,
            notes: RefCell::default(),
            targets: RefCell::default(),
            seen: RefCell::default(),
            nested_left: Cell::new(NESTED_SCHEMAS_MAX),
        }
    }

    pub(crate) fn root(&self) -> Node<'d> {
        self.document.root()
    }

    /// Notes that an extension was taken, or refused, where it stands.
    pub(crate) fn mark_extension(&self, value: Node<'_>) {
        self.seen.borrow_mut().mark(value);
    }

    /// Notes a property whose own extensions were read.
    pub(crate) fn note_field(&self, name: &'d str, node: Node<'d>, parts: Vec<Node<'d>>) {
        self.seen.borrow_mut().note_field(name, node, parts);
    }

    /// Notes a schema of records whose own extensions were read.
    pub(crate) fn note_records(&self, parts: &[Node<'d>]) {
        self.seen.borrow_mut().note_records(parts);
    }

    /// Whether one more schema within a field is taken.
    pub(crate) fn takes_nested(&self) -> bool {
        let left = self.nested_left.get();
        self.nested_left.set(left.saturating_sub(1));
        left > 0
    }

    pub(crate) fn take_seen(&self) -> Seen<'d> {
        self.seen.take()
    }

    pub(crate) fn error(&self, node: Node<'_>, code: Code, message: impl Into<String>) {
        self.tell(Severity::Error, node, code, message);
    }

    pub(crate) fn warning(&self, node: Node<'_>, code: Code, message: impl Into<String>) {
        self.tell(Severity::Warning, node, code, message);
    }

    pub(crate) fn info(&self, node: Node<'_>, code: Code, message: impl Into<String>) {
        self.tell(Severity::Info, node, code, message);
    }

    pub(crate) fn tell(
        &self,
        severity: Severity,
        node: Node<'_>,
        code: Code,
        message: impl Into<String>,
    ) {
        let message = message.into();
        let notes = &mut *self.notes.borrow_mut();
        if notes.told.contains(&(node.id(), code, message.clone())) {
            return;
        }
        let is_error = severity == Severity::Error;
        // The first error is told in any case: without one the schema would be used.
        if notes.diagnostics.len() >= DIAGNOSTICS_MAX && (notes.has_error || !is_error) {
            notes.untold += 1;
            return;
        }
        notes.has_error |= is_error;
        notes.told.insert((node.id(), code, message.clone()));
        let place = node.place();
        notes.diagnostics.push(Diagnostic {
            severity,
            code,
            message,
            pointer: node.pointer(),
            line: place.line,
            column: place.column,
        });
    }

    /// Everything that was told, in the order of the text.
    pub(crate) fn diagnostics(self) -> Vec<Diagnostic> {
        let mut notes = self.notes.into_inner();
        if notes.untold > 0 {
            notes.diagnostics.push(Diagnostic {
                severity: Severity::Warning,
                code: Code::LIMIT,
                message: format!("{} more diagnostics were left out", notes.untold),
                pointer: String::new(),
                line: 1,
                column: 1,
            });
        }
        let key = |diagnostic: &Diagnostic| (diagnostic.line, diagnostic.column);
        notes
            .diagnostics
            .sort_by(|a, b| (key(a), a.code, &a.message).cmp(&(key(b), b.code, &b.message)));
        notes.diagnostics
    }

    /// What stands in a place where a `$ref` may stand for it.
    pub(crate) fn follow(&self, node: Node<'d>) -> Option<Node<'d>> {
        let mut node = node;
        for _ in 0..REFERENCE_DEPTH_MAX {
            match node.get("$ref") {
                None => return Some(node),
                Some(reference) => node = self.target(reference)?,
            }
        }
        let message = format!("over {REFERENCE_DEPTH_MAX} references lead from one to the next");
        self.error(node, Code::CIRCULAR_REFERENCE, message);
        None
    }

    /// What one `$ref` names, which may be a further one.
    pub(crate) fn target(&self, reference: Node<'d>) -> Option<Node<'d>> {
        let Some(text) = reference.as_text() else {
            self.error(reference, Code::MALFORMED, "a `$ref` must be text");
            return None;
        };
        let Some(fragment) = text.strip_prefix('#') else {
            let message =
                format!("`{text}` is in another document: put what it names into this one");
            self.error(reference, Code::REMOTE_REFERENCE, message);
            return None;
        };
        let known = self.targets.borrow().get(text).copied();
        let target = known.unwrap_or_else(|| {
            let target = self.root().at(&percent_decoded(fragment));
            self.targets.borrow_mut().insert(text, target);
            target
        });
        if target.is_none() {
            let message = format!("the document has no `{text}`");
            self.error(reference, Code::MISSING_REFERENCE, message);
        }
        target
    }
}

/// Text in which `%41` stands for `A`. What is no such escape, or gives no UTF-8, stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
