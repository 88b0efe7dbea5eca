//! The key of an op as its result repeats it.

use syncline_model::OpKey;

use crate::json::{Kind, Token, Writer};
use crate::op::OpTokens;

/// The longest text of a name that is repeated, in bytes as it was sent: four times what a name may
/// have, as an escape takes up to six bytes for one.
const NAME_BYTES_MAX: usize = 1_600;
/// The longest number that is repeated.
const NUMBER_BYTES_MAX: usize = 32;

/// A key as far as it could be read. A result repeats each part that was a string (the clock: a
/// number) of bearable length, and says null for the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyEcho {
    Whole(OpKey),
    /// Parts as they stood in the text.
    Parts(Box<EchoParts>),
}

/// JSON text of each part that was readable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EchoParts {
    actor: Option<String>,
    clock: Option<String>,
    scope: Option<String>,
    resource: Option<String>,
}

impl KeyEcho {
    pub fn of_key(key: &OpKey) -> Self {
        Self::Whole(key.clone())
    }

    pub(crate) fn of_tokens(tokens: &OpTokens<'_>) -> Self {
        Self::Parts(Box::new(EchoParts {
            actor: string_text(tokens.actor),
            clock: number_text(tokens.clock),
            scope: string_text(tokens.scope),
            resource: string_text(tokens.resource),
        }))
    }

    /// Whether the parts that `tokens` repeats are those of the key that was sent; a part that is
    /// null was not readable, and fits any.
    pub(crate) fn fits(tokens: &OpTokens<'_>, sent: &OpKey) -> bool {
        let fits = |token: Option<Token<'_>>, part: &str| {
            token.is_none_or(|token| token.is_null() || token.as_str().is_some_and(|t| t == part))
        };
        fits(tokens.actor, sent.actor.as_str())
            && fits(tokens.scope, sent.scope.as_str())
            && fits(tokens.resource, sent.resource.as_str())
            && tokens
                .clock
                .is_none_or(|token| token.is_null() || token.as_u64() == Some(sent.clock.get()))
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        match self {
            Self::Whole(key) => {
                out.raw("\"actor\":").string(key.actor.as_str());
                out.raw(",\"clock\":").number(key.clock.get());
                out.raw(",\"scope\":").string(key.scope.as_str());
                out.raw(",\"resourceId\":").string(key.resource.as_str());
            }
            Self::Parts(parts) => {
                let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "null".into());
                out.raw("\"actor\":").raw(&text(&parts.actor));
                out.raw(",\"clock\":").raw(&text(&parts.clock));
                out.raw(",\"scope\":").raw(&text(&parts.scope));
                out.raw(",\"resourceId\":").raw(&text(&parts.resource));
            }
        }
    }
}

fn string_text(token: Option<Token<'_>>) -> Option<String> {
    let token = token.filter(|token| token.text.len() <= NAME_BYTES_MAX)?;
    match token.kind {
        Kind::PlainString | Kind::EscapedString => Some(token.text.to_owned()),
        Kind::Null | Kind::False | Kind::True | Kind::Number | Kind::Nested(_) => None,
    }
}

fn number_text(token: Option<Token<'_>>) -> Option<String> {
    let token = token.filter(|token| token.text.len() <= NUMBER_BYTES_MAX)?;
    (token.kind == Kind::Number).then(|| token.text.to_owned())
}
