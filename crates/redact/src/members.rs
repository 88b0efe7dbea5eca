//! Members of a JSON object that tell what the one beside them is: `{"name": "DB_PASSWORD", "value": …}`.

use std::ops::Range;

use super::{arguments, names};

/// What the members of an object have told so far.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The name that its value goes by.
    named: Option<String>,
    /// Where its value was read, and its key.
    value: Option<(String, Range<usize>)>,
    /// The program that it names.
    program: Option<String>,
}

/// What a member's key says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It names the value beside it.
    Name,
    /// It does so if it promises a secret.
    Hint,
    /// It is the value, and goes by the name beside it.
    Value,
    /// It may be something else: it goes by a name that promises a secret alone.
    Text,
    Program,
    Other,
}

impl Role {
    fn of(key: &str) -> Self {
        match key {
            "name" | "Name" | "key" | "Key" => Self::Name,
            "k" | "field" | "label" | "variable" | "header" | "id" | "element" | "selector"
            | "placeholder" => Self::Hint,
            "value" | "Value" => Self::Value,
            "val" | "v" | "text" => Self::Text,
            "command" | "cmd" | "program" => Self::Program,
            _ => Self::Other,
        }
    }
}

/// What people call the thing that a secret is typed into.
#[rustfmt::skip]
const INPUTS: [&str; 10] = [
    "field", "input", "box", "textbox", "text", "textfield", "textarea", "area", "element", "here",
];

impl Members {
    /// Notes a member that was read; gives the value before it if it goes by what this one says.
    pub(super) fn push(&mut self, key: &str, text: &str, range: &Range<usize>) -> Option<Late> {
        let role = Role::of(key);
        match role {
            Role::Name | Role::Hint => {
                let name = without_input(text);
                let tells = promises(name);
                let is_first = || !self.named.as_deref().is_some_and(promises);
                if tells || role == Role::Name && is_first() {
                    self.named = Some(name.to_owned());
                }
                let (key, range) = self.value.take_if(|_| tells)?;
                let name = name.to_owned();
                return Some(Late { name, key, range });
            }
            Role::Value | Role::Text => self.value = Some((key.to_owned(), range.clone())),
            Role::Program if text.len() <= arguments::WORD_BYTES_MAX => {
                self.program = Some(text.to_owned());
            }
            Role::Program | Role::Other => {}
        }
        None
    }

    pub(super) fn program(&self) -> Option<&str> {
        self.program.as_deref()
    }

    /// The name that the value at `key` goes by: another member's text, or that of `around`, the key of the
    /// object, where it is the value.
    pub(super) fn name<'n>(
        &'n self,
        key: &'n str,
        around: impl FnOnce() -> Option<&'n str>,
    ) -> &'n str {
        let named = self.named.as_deref();
        match Role::of(key) {
            Role::Value => named.or_else(around).unwrap_or(key),
            Role::Text => named.filter(|name| promises(name)).unwrap_or(key),
            Role::Name | Role::Hint | Role::Program | Role::Other => key,
        }
    }
}

/// A value whose name comes behind it.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) range: Range<usize>,
}

fn promises(name: &str) -> bool {
    names::promise(name.as_bytes()).is_some()
}

/// `Password` of `Password field`.
fn without_input(mut name: &str) -> &str {
    loop {
        let words = name.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let start = words.rfind(|c: char| !c.is_ascii_alphanumeric());
        let Some((before, last)) = start.map(|start| words.split_at(start)) else {
            return name;
        };
        let last = last.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        if !INPUTS.iter().any(|input| last.eq_ignore_ascii_case(input)) {
            return name;
        }
        name = before;
    }
}
