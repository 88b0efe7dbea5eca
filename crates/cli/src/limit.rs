//! How many things a command shows.

use std::str::FromStr;

/// Reads such a number. None is refused: who asks for nothing has asked for something else.
pub(crate) fn at_least_one<N: FromStr + PartialOrd + From<u8>>(
    text: &str,
) -> Result<N, &'static str> {
    let number = text.parse().ok().filter(|number| *number >= N::from(1));
    number.ok_or("expected a whole number, at least 1")
}
