//! Keys of a form that their issuer fixes, drawn as the issuer draws them: from all of base64, so that
//! any of them may look like a path.

use super::super::Redactor;
use super::super::shape::Alphabet;
use super::samples::Draw;
use super::{assert_all_gone, survivor};

/// How many of each are drawn: what one in a hundred would slip through shows.
const DRAWN: usize = 400;

/// Texts with a key, of so many characters of base64, and how they are filled up.
const KEYS: &[(usize, &str, &[&str])] = &[
    (
        40,
        "",
        &[
            "AWS_SECRET_ACCESS_KEY=@",
            "aws_secret_access_key = @",
            "\"SecretAccessKey\": \"@\"",
            "  secretAccessKey: @",
            "secret_key = \"@\"",
        ],
    ),
    (
        86,
        "==",
        &[
            "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=@;EndpointSuffix=core.windows.net",
            "AZURE_STORAGE_KEY=@",
        ],
    ),
    (
        43,
        "=",
        &[
            "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=@",
            "client_secret: @",
        ],
    ),
];

#[test]
fn a_key_in_base64_is_found_under_its_name_whatever_it_looks_like() {
    let mut draw = Draw::new(47);
    let mut cases = Vec::new();
    for (length, padding, contexts) in KEYS {
        for context in *contexts {
            for _ in 0..DRAWN {
                let key = draw.drawn(Alphabet::Base64, *length) + padding;
                cases.push((context.replace('@', &key), key));
            }
        }
    }
    assert_all_gone(cases);
}

#[test]
fn a_key_that_a_terminal_broke_is_found_where_its_name_or_mark_makes_it_sure() {
    let mut draw = Draw::new(53);
    let mut cases = Vec::new();
    for round in 0..DRAWN {
        let aws = draw.drawn(Alphabet::Base64, 40);
        let id = "AKIA".to_owned() + &draw.drawn(Alphabet::UpperDigit, 16);
        let password = draw.drawn(Alphabet::Alnum, 18);
        for (before, secret, after) in [
            ("AWS_SECRET_ACCESS_KEY=", aws, ""),
            ("it is ", id, ""),
            ("postgres://bob:", password, "@db.internal/app"),
        ] {
            let at = 6 + round % (secret.len() - 10);
            let (head, tail) = secret.split_at(at);
            let words =
                "a line that is as long as the terminal is wide, and so it was broken there ";
            let fill = words.len() - (before.len() + head.len()).min(words.len());
            let text = format!("{:.fill$}x {before}{head}\n{tail}{after} and more\n", words);
            cases.push((text, secret));
        }
    }
    assert_all_gone(cases);
}

#[test]
fn the_private_members_of_a_json_web_key_are_found() {
    let mut draw = Draw::new(59);
    let redactor = Redactor::standard();
    for _ in 0..40 {
        let private = draw.drawn(Alphabet::Url64, 43);
        let long = draw.drawn(Alphabet::Url64, 342);
        let public = draw.drawn(Alphabet::Url64, 43);
        let key = serde_json::json!({ "crv": "P-256", "d": private, "kty": "EC", "x": public });
        let rsa = serde_json::json!({ "d": long, "e": "AQAB", "kty": "RSA", "n": public });
        let escaped = serde_json::Value::from(key.to_string()).to_string();
        let twice = serde_json::Value::from(escaped.as_str()).to_string();
        for text in [key.to_string(), rsa.to_string(), escaped, twice] {
            let redacted = redactor.redact_text(&text).text;
            assert_eq!(survivor(&redacted, &private), None, "{redacted}");
            assert_eq!(survivor(&redacted, &long), None, "{redacted}");
            assert!(redacted.contains(&public), "{redacted}");
        }
        for value in [key, rsa] {
            let redacted = redactor.redact_json(&value).value;
            assert_eq!(redacted["d"], "[redacted:jwk-private-key]");
        }
    }
}

#[test]
fn a_password_of_sshpass_is_found_in_a_url() {
    let mut draw = Draw::new(61);
    let mut cases = Vec::new();
    for _ in 0..DRAWN {
        let password = draw.drawn(Alphabet::Alnum, 14);
        for context in [
            "x=sshpass%20-p%20@%20ssh%20root%40h",
            "x=sshpass%20-p%20%27@%27%20ssh%20h&y",
            "x=sshpass+-p+@+ssh+h",
            "x=sshpass+-p+%27@%27+ssh+root%40h",
        ] {
            cases.push((context.replace('@', &password), password.clone()));
        }
    }
    assert_all_gone(cases);
}

#[test]
fn a_port_before_an_address_on_the_next_line_is_no_password() {
    let text = "it listens on http://127.0.0.1:8080\nbob@example.org says so, and more of it\n";
    assert_eq!(Redactor::standard().redact_text(text).text, text);
}
