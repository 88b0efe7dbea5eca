//! What a kind of secret is, and the list of all kinds.

use super::random::Random;

/// How the value of a kind stands in text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// The issuer's mark is in the value: it is known wherever it stands.
    Marked,
    /// Nothing but the name beside it tells what it is.
    Unmarked,
    /// A whole URL with the secret in it.
    Url,
    /// A whole HTTP header.
    Header,
    /// Lines between a BEGIN and an END.
    Block,
    /// A whole line: of a file of settings, of a shell, of a database's client.
    Line,
}

/// One secret: `body` must go, what stands around it is known to everybody.
pub(crate) struct Secret {
    pub(crate) before: String,
    pub(crate) body: String,
    pub(crate) after: String,
}

impl Secret {
    /// A secret behind a public mark, which may be empty.
    pub(crate) fn marked(before: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            before: before.into(),
            body: body.into(),
            after: String::new(),
        }
    }

    /// The secret with something public behind it too.
    pub(crate) fn followed(mut self, after: impl Into<String>) -> Self {
        self.after = after.into();
        self
    }

    /// What is written where the secret is used.
    pub(crate) fn value(&self) -> String {
        format!("{}{}{}", self.before, self.body, self.after)
    }
}

/// One kind of secret, as its issuer documents it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The environment variable that the issuer's own tools read it from.
    pub(crate) variable: &'static str,
    /// What stands before it in the issuer's example of a request.
    pub(crate) header: &'static str,
    pub(crate) shape: Shape,
    pub(crate) make: fn(&mut Random) -> Secret,
}

/// All kinds.
pub(crate) fn all() -> Vec<&'static Kind> {
    let lists = [
        super::clouds::KINDS,
        super::forges::KINDS,
        super::services::KINDS,
    ];
    let more = [super::tools::KINDS, super::generic::KINDS];
    lists.into_iter().chain(more).flatten().collect()
}
