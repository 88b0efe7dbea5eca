//! What becomes of a secret on its way into a transcript: escapes, URLs, and ends of lines.

use super::carriers::{carry, member};
use super::kinds::{Kind, Secret, Shape};
use super::random::{Random, percent_encoded};

type Disguise = (&'static str, fn(&Kind, &Secret, &mut Random) -> String);

const DISGUISES: [Disguise; 9] = [
    ("json string", json_string),
    ("json string in a json string", json_string_twice),
    ("unicode escapes", unicode_escapes),
    ("escaped slashes", escaped_slashes),
    ("query of a url", query),
    ("user of a url", user),
    ("wrapped lines", wrapped),
    ("backslash-newline", continued),
    ("string concatenation", concatenated),
];

/// The text of the disguise numbered `turn`, and the disguise's name.
pub(crate) fn disguise(
    kind: &Kind,
    secret: &Secret,
    turn: usize,
    random: &mut Random,
) -> (&'static str, String) {
    let (name, write) = match (kind.shape, DISGUISES[turn % DISGUISES.len()]) {
        // A whole URL, a header or a file is never the user of another URL.
        (Shape::Url | Shape::Header | Shape::Block, ("user of a url", _)) => DISGUISES[0],
        (Shape::Header, ("query of a url" | "escaped slashes", _)) => DISGUISES[1],
        // A line is not taken to pieces.
        (Shape::Line, _) => DISGUISES[turn / DISGUISES.len() % 2],
        (_, disguise) => disguise,
    };
    (name, write(kind, secret, random))
}

fn json_string(kind: &Kind, secret: &Secret, random: &mut Random) -> String {
    let (_, text) = carry(kind, &secret.value(), random);
    let text = serde_json::to_string(&text).expect("a string is JSON");
    format!(r#"{{"type":"tool_result","tool_use_id":"toolu_1","content":{text}}}"#)
}

fn json_string_twice(kind: &Kind, secret: &Secret, random: &mut Random) -> String {
    let inner =
        serde_json::to_string(&json_string(kind, secret, random)).expect("a string is JSON");
    format!(r#"{{"event":"message","data":{inner}}}"#)
}

/// As encoders write that keep JSON safe within HTML and JavaScript; where nothing needs it, the
/// first letter of the body.
fn unicode_escapes(kind: &Kind, secret: &Secret, _: &mut Random) -> String {
    let escape = |text: &str| -> String {
        let one = |letter: char| match letter {
            '/' | '+' | '=' | '&' | '-' | '<' | '>' | '\'' | '\n' | '@' => {
                format!("\\u{:04x}", u32::from(letter))
            }
            _ => letter.to_string(),
        };
        text.chars().map(one).collect()
    };
    let mut value = escape(&secret.value());
    if !value.contains("\\u") {
        let (first, rest) = secret.body.split_at(1);
        let code = u32::from(first.as_bytes()[0]);
        value = format!("{}\\u{code:04x}{rest}{}", secret.before, secret.after);
    }
    format!(
        r#"{{"region":"eu-west-1","{}":"{value}","retries":3}}"#,
        member(kind)
    )
}

/// As PHP's `json_encode` writes.
fn escaped_slashes(kind: &Kind, secret: &Secret, _: &mut Random) -> String {
    let value = secret.value();
    if value.contains('/') {
        let value = value.replace('\n', "\\n").replace('/', "\\/");
        return format!(
            r#"{{"home":"https:\/\/example.dev\/","{}":"{value}"}}"#,
            member(kind)
        );
    }
    let address = query_of(kind, &value).replace('/', "\\/");
    format!(r#"{{"status":401,"url":"{address}"}}"#)
}

fn query_of(kind: &Kind, value: &str) -> String {
    let value = percent_encoded(value);
    format!(
        "https://api.example.dev/v1/items?page=2&{}={value}&sort=asc",
        member(kind)
    )
}

fn query(kind: &Kind, secret: &Secret, _: &mut Random) -> String {
    let address = query_of(kind, &secret.value());
    format!("10.0.0.7 - - [09/Jan/2026:08:12:44 +0000] \"GET {address} HTTP/1.1\" 200 512\n")
}

fn user(_: &Kind, secret: &Secret, random: &mut Random) -> String {
    let user = random.pick(&["x-access-token", "deploy", "oauth2"]);
    let value = percent_encoded(&secret.value());
    format!(
        "$ git remote -v\norigin\thttps://{user}:{value}@git.example.dev/acme/shop.git (fetch)\n"
    )
}

/// The value in two or three pieces, cut within what must go.
fn pieces(secret: &Secret, random: &mut Random) -> Vec<String> {
    let body = &secret.body;
    if body.contains('\n') {
        return secret.value().lines().map(str::to_owned).collect();
    }
    let first = random.between(body.len() / 4, body.len() / 2 + 1).max(1);
    let mut pieces = vec![format!("{}{}", secret.before, &body[..first])];
    if body.len() > 30 && random.pick(&[true, false]) {
        let second = random.between(first + 4, body.len() - 3);
        pieces.push(body[first..second].to_owned());
        pieces.push(format!("{}{}", &body[second..], secret.after));
    } else {
        pieces.push(format!("{}{}", &body[first..], secret.after));
    }
    pieces
}

/// A folded scalar of YAML, every line as wide as the others.
fn wrapped(kind: &Kind, secret: &Secret, random: &mut Random) -> String {
    let value = secret.value();
    let flat = value.replace(
        '\n',
        if kind.shape == Shape::Block {
            "\n    "
        } else {
            ""
        },
    );
    let mut lines = flat.clone();
    if kind.shape != Shape::Block {
        let width = random
            .between(flat.len() / 3, flat.len() * 3 / 4)
            .clamp(8, 76);
        let chunks = flat.as_bytes().chunks(width);
        let chunks: Vec<_> = chunks
            .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
            .collect();
        lines = chunks.join("\n    ");
    }
    format!(
        "settings:\n  {}: >-\n    {lines}\n  region: eu-west-1\n",
        member(kind)
    )
}

fn continued(kind: &Kind, secret: &Secret, random: &mut Random) -> String {
    let value = pieces(secret, random).join("\\\n");
    format!("export {}=\"{value}\"\n./deploy.sh --yes\n", kind.variable)
}

fn concatenated(kind: &Kind, secret: &Secret, random: &mut Random) -> String {
    let (join, end) = random.pick(&[
        ("\" +\n  \"", "\";"),
        ("\"\n    \"", "\""),
        ("\" + \"", "\";"),
    ]);
    let value = pieces(secret, random).join(join);
    format!("  12\tconst {} = \"{value}{end}\n  13\n", kind.variable)
}
