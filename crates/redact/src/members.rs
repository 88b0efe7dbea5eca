//! Members of a JSON object that tell what the one beside them is: `{"name": "DB_PASSWORD", "value": …}`.

use std::ops::Range;

use super::shape::Alphabet;
use super::words::is_wordy;
use super::{arguments, names, values};

/// What the members of an object have told so far.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The name that its value goes by.
    named: Option<Named>,
    /// Where its value was read, and its key, if nothing was found in it.
    value: Option<(String, Range<usize>)>,
    /// The program that it names.
    program: Option<String>,
}

/// What names the value of an object.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    role: Role,
    /// Whether it promises a secret.
    tells: bool,
}

/// What a member's key says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// It names the value beside it.
    Name,
    /// It does so if it promises a secret.
    Hint,
    /// It may, but is as often what the object itself is called, or about; a hint if it is no more than a name.
    Title,
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
            "k" | "field" | "label" | "variable" | "header" | "element" | "selector"
            | "locator" | "placeholder" => Self::Hint,
            "id" | "description" | "target" => Self::Title,
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

/// What names something is no longer.
const NAME_BYTES_MAX: usize = 256;

impl Members {
    /// Notes a member that was read; `open` is where, if nothing was found in it. Gives the value before it
    /// if it goes by what this one says.
    pub(super) fn push(
        &mut self,
        key: &str,
        text: &str,
        open: Option<Range<usize>>,
    ) -> Option<Late> {
        let role = Role::of(key);
        match role {
            Role::Name | Role::Hint | Role::Title => {
                let named = Named::new(role, text)?;
                let late = self.value.take_if(|_| named.tells);
                let before = self.named.as_ref().filter(|before| before.tells);
                let stays = before.is_some_and(|before| !named.tells || before.role < role);
                let late = late.map(|(key, range)| Late {
                    named: named.clone(),
                    key,
                    range,
                });
                if !stays {
                    self.named = Some(named);
                }
                return late;
            }
            Role::Value | Role::Text => self.value = open.map(|range| (key.to_owned(), range)),
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

    /// The name that `text`, the value at `key`, goes by: another member's text, or that of `around`, the key
    /// of the object, where it is the value.
    pub(super) fn name<'n>(
        &'n self,
        key: &'n str,
        text: &str,
        around: impl FnOnce() -> Option<&'n str>,
    ) -> &'n str {
        let role = Role::of(key);
        if !matches!(role, Role::Value | Role::Text) {
            return key;
        }
        let named = self.named.as_ref().filter(|named| named.names(text));
        match (role, named) {
            (Role::Text, named) => named.filter(|named| named.tells).map(|named| &*named.name),
            (_, Some(named)) => Some(&*named.name),
            (_, None) => around(),
        }
        .unwrap_or(key)
    }
}

impl Named {
    fn new(role: Role, text: &str) -> Option<Self> {
        if text.len() > NAME_BYTES_MAX {
            return None;
        }
        let name = without_input(text);
        let tells = names::promise(name.as_bytes()).is_some();
        let role = match role {
            Role::Title if is_one_word(name) => Role::Hint,
            role => role,
        };
        (tells || role == Role::Name).then(|| Self {
            name: name.to_owned(),
            role,
            tells,
        })
    }

    /// Whether `value` may be the secret that it promises: what only hints at one stands also beside paths,
    /// versions and times, and what is a title beside words.
    pub(super) fn names(&self, value: &str) -> bool {
        let value = value.as_bytes();
        match self.role {
            Role::Hint => !is_of_a_thing(value),
            Role::Title => !is_of_a_thing(value) && !is_word(value),
            Role::Name | Role::Value | Role::Text | Role::Program | Role::Other => true,
        }
    }
}

/// A value whose name comes behind it.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) named: Named,
    pub(super) key: String,
    pub(super) range: Range<usize>,
}

/// Whether a value is a path, a URL, a version or a time.
fn is_of_a_thing(value: &[u8]) -> bool {
    is_numbered(value) || value.get(1..3) == Some(b":\\") || values::is_path(value)
}

/// Whether a value is some numbers, as a version, a time and an address are; behind those of a version may be
/// what tells which of its releases it is: `1.2.3-beta.4`.
fn is_numbered(value: &[u8]) -> bool {
    const NUMBERS_MIN: usize = 2;
    #[rustfmt::skip]
    const RELEASES: [&[u8]; 10] = [
        b"alpha", b"beta", b"rc", b"dev", b"pre", b"preview", b"post", b"snapshot", b"nightly", b"canary",
    ];
    let value = value.strip_prefix(b"v").unwrap_or(value);
    let value = value.strip_suffix(b"Z").unwrap_or(value);
    let parts: Vec<&[u8]> = value.split(|byte| b".-:/+".contains(byte)).collect();
    let is_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    // A day and an hour have a `T` between them.
    let is_number = |part: &&&[u8]| part.split(|byte| *byte == b'T').all(is_digits);
    let is_release = |part: &[u8]| {
        let digits = Alphabet::Digit.run_back(part, part.len());
        let word = &part[..part.len() - digits];
        RELEASES.iter().any(|one| word.eq_ignore_ascii_case(one))
    };
    let numbers = parts.iter().take_while(is_number).count();
    numbers >= NUMBERS_MIN && parts.get(numbers).is_none_or(|part| is_release(part))
}

/// Whether a value is words and numbers, with no mark that names don't have.
fn is_word(value: &[u8]) -> bool {
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:,/ ".contains(byte);
    value.iter().all(of_name) && is_wordy(value)
}

/// Whether a name is one word, whatever marks are about it: `#password`.
fn is_one_word(name: &str) -> bool {
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let has_hump = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !name.as_bytes().windows(2).any(has_hump)
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
