//! Whether a text still tells part of a secret.

use std::iter::Peekable;
use std::str::Chars;

/// As many of a secret's characters in a row give it away.
const RUN: usize = 12;

/// A run of the secret's characters that `text` still has, as it stands or with its escapes, ends
/// of lines and signs taken away.
pub(crate) fn of(secret: &str, text: &str) -> Option<String> {
    run(secret, text).or_else(|| run(&bare(secret), &bare(text)))
}

fn run(secret: &str, text: &str) -> Option<String> {
    let letters: Vec<char> = secret.chars().collect();
    let mut runs = letters
        .windows(RUN.min(letters.len()))
        .map(|run| run.iter().collect());
    runs.find(|run: &String| text.contains(run))
}

/// The letters and digits of `text` once all escapes are undone.
fn bare(text: &str) -> String {
    let mut letters = text.chars().peekable();
    let mut bare = String::new();
    while let Some(letter) = letters.next() {
        let meant = match letter {
            '%' => percent_coded(&mut letters),
            '\\' => escaped(&mut letters),
            plain => Some(plain),
        };
        bare.extend(meant.filter(char::is_ascii_alphanumeric));
    }
    bare
}

/// What follows a percent sign, which may itself be coded: a part of a URL in a URL.
fn percent_coded(letters: &mut Peekable<Chars<'_>>) -> Option<char> {
    loop {
        match coded(letters, 2) {
            Some('%') => {}
            meant => return meant,
        }
    }
}

/// What follows one or more backslashes.
fn escaped(letters: &mut Peekable<Chars<'_>>) -> Option<char> {
    while letters.next_if_eq(&'\\').is_some() {}
    if letters.next_if_eq(&'u').is_some() {
        return coded(letters, 4);
    }
    letters.next_if(|letter| "nrt".contains(*letter));
    None
}

/// The character whose code is the next `digits` hexadecimal digits; nothing is taken when they
/// are none.
fn coded(letters: &mut Peekable<Chars<'_>>, digits: usize) -> Option<char> {
    let code: String = letters.clone().take(digits).collect();
    let meant = u32::from_str_radix(&code, 16)
        .ok()
        .filter(|_| code.len() == digits)?;
    letters.nth(digits - 1);
    char::from_u32(meant)
}
