//! Names that promise a secret: `DB_PASSWORD`, `clientSecret`, `x-api-key`.

use std::ops::Range;

use super::shape::Alphabet;
use super::values::Promise;

/// Words that begin a look at what follows, in the cases in which names are written.
pub(super) const TRIGGERS: &[&str] = &[
    "pass",
    "Pass",
    "PASS",
    "pwd",
    "Pwd",
    "PWD",
    "pw",
    "PW",
    "secret",
    "Secret",
    "SECRET",
    "token",
    "Token",
    "TOKEN",
    "key",
    "Key",
    "KEY",
    "credential",
    "Credential",
    "CREDENTIAL",
    "creds",
    "CREDS",
    "auth",
    "Auth",
    "AUTH",
    "session",
    "Session",
    "SESSION",
    "SESSID",
    "sessid",
    "sid",
    "Sid",
    "SID",
    "sig",
    "Sig",
    "SIG",
    "otp",
    "Otp",
    "OTP",
    "seed",
    "Seed",
    "SEED",
    "jwt",
    "JWT",
    "PAT",
    "_pat",
    "pepper",
    "PEPPER",
    "sonar.login",
    "SONAR_LOGIN",
    "CONTRIBSYS__COM",
];

/// Words that are a password's name, or end with it.
const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "passcode", "pwd"];
/// The same, of which longer words tell nothing.
#[rustfmt::skip]
const PASSWORD_WORDS: &[&str] = &[
    "pass", "passwort", "pw", "userpass", "dbpass", "sshpass", "smtppass", "rootpass", "adminpass",
];

#[rustfmt::skip]
const SECRETS: &[&str] = &[
    "secret", "secrets", "token", "tokens", "apikey", "secretkey", "accesskey", "privatekey",
    "authkey", "accountkey", "masterkey", "signingkey", "encryptionkey", "credential",
    "credentials", "creds", "jwt",
];
const SECRET_WORDS: &[&str] = &["pat", "auth", "authorization", "pepper"];
const PERHAPS: &[&str] = &["sessid", "sessionid"];
const PERHAPS_WORDS: &[&str] = &["sig", "signature", "session", "sid"];
const ONE_TIME_WORDS: &[&str] = &["otp", "totp", "2fa", "mfa", "hotp"];

/// Names that tell by their last two words alone.
const PAIRS: &[(&str, &str, Promise)] = &[
    ("sonar", "login", Promise::Secret),
    ("contribsys", "com", Promise::Password),
];

/// What a name's last telling word promises; nothing if it tells of something else.
///
/// `password_hash`, `token_count` and `key_id` promise nothing: only words that leave the meaning as
/// it is may follow.
pub(super) fn promise(name: &[u8]) -> Option<Promise> {
    let mut before = words(name);
    let last = before.find(|word| !is_filler(word))?;
    let digits = Alphabet::Digit.run_back(last, last.len());
    let word = &last[..last.len() - digits];
    if is_any(word, &["key", "keys", "pk", "sk"]) {
        let qualified = |word: &[u8]| is_any(word, QUALIFIERS) || ends_with(word, "api");
        let public = |word: &[u8]| is_any(word, &["public"]);
        return (before.clone().any(qualified) && !before.any(public)).then_some(Promise::Secret);
    }
    if is_any(word, &["phrase", "word", "code"]) {
        return is_any(before.next()?, &["pass"]).then_some(Promise::Password);
    }
    if is_any(word, &["seed", "otp", "totp"]) {
        let own = !is_any(word, &["seed"]);
        let one_time = before.any(|word| is_any(word, ONE_TIME_WORDS));
        return (own || one_time).then_some(Promise::Secret);
    }
    let next = || before.clone().next();
    let ends_before = |ending| next().is_some_and(|word| ends_with(word, ending));
    let pair = PAIRS
        .iter()
        .find(|pair| is_any(word, &[pair.1]) && ends_before(pair.0));
    if let Some((_, _, promise)) = pair {
        return Some(*promise);
    }
    let tells = |endings: &[&str], whole: &[&str]| {
        endings.iter().any(|ending| ends_with(word, ending)) || is_any(word, whole)
    };
    if tells(PASSWORDS, PASSWORD_WORDS) {
        return Some(Promise::Password);
    }
    if is_any(word, &["tokens", "auth"]) || tells(PERHAPS, PERHAPS_WORDS) {
        return Some(Promise::Perhaps);
    }
    tells(SECRETS, SECRET_WORDS).then_some(Promise::Secret)
}

fn is_any(word: &[u8], options: &[&str]) -> bool {
    options
        .iter()
        .any(|one| word.len() == one.len() && ends_with(word, one))
}

fn ends_with(word: &[u8], ending: &str) -> bool {
    let ending = ending.as_bytes();
    let last = |text: &[u8]| text.last().map(u8::to_ascii_lowercase);
    // Most differ here already, which spares a call.
    word.len() >= ending.len()
        && last(word) == last(ending)
        && word[word.len() - ending.len()..].eq_ignore_ascii_case(ending)
}

/// Whether a word behind the telling one leaves the meaning as it is.
fn is_filler(word: &[u8]) -> bool {
    #[rustfmt::skip]
    const FILLERS: &[&str] = &[
        "value", "base64", "b64", "prod", "production", "dev", "development", "staging", "stage",
        "live", "test", "old", "new", "env", "plain", "plaintext", "raw", "string", "str",
        "default", "primary", "secondary", "data", "base", "confirmation",
    ];
    word.iter().all(u8::is_ascii_digit) || is_any(word, FILLERS)
}

/// Words that make a `key` a secret.
#[rustfmt::skip]
const QUALIFIERS: &[&str] = &[
    "api", "secret", "access", "private", "auth", "account", "license", "app", "application",
    "master", "encryption", "encrypt", "signing", "sign", "deploy", "storage", "service", "rest",
    "consumer", "server", "integration", "routing", "shared", "sas", "admin", "session", "jwt",
    "hmac", "webhook", "aws", "azure", "gcp", "google", "openai", "anthropic", "claude",
    "datadog", "dd", "stripe", "twilio", "sendgrid", "mailgun", "heroku", "cloudflare", "cf",
    "github", "gitlab", "slack", "sentry", "newrelic", "relic", "algolia", "okta", "pagerduty",
    "supabase", "vercel", "netlify", "npm", "ssh", "gpg", "pgp", "rsa", "crypto", "cipher", "aes",
    "cosmos", "redis", "mongo", "postgres", "db", "database", "fernet", "nextauth", "django",
    "rails", "laravel", "ingest", "ingestion", "user", "role", "anon", "management",
    "subscription", "host", "function", "connection", "authtoken", "telegram", "discord",
    "linear", "notion", "figma", "fastly", "mistral", "cohere", "gemini", "groq", "deepgram", "global",
    "origin", "client", "merchant", "shopify", "square", "paypal", "vault", "recovery", "wg",
    "wireguard", "preshared", "psk",
];

/// The length of the scheme that a value begins with, which is not of the secret.
pub(super) fn scheme_length(value: &[u8]) -> usize {
    const SCHEMES: [&[u8]; 14] = [
        b"Bearer ", b"bearer ", b"BEARER ", b"Basic ", b"basic ", b"Token ", b"token ", b"token=",
        b"ApiKey ", b"Apikey ", b"Bot ", b"base64:", b"Key ", b"SSWS ",
    ];
    let scheme = SCHEMES.iter().find(|scheme| value.starts_with(scheme));
    scheme.map_or_else(|| application_length(value), |scheme| scheme.len())
}

/// The length of the number that a token of an application of Facebook's begins with, before a bar.
fn application_length(value: &[u8]) -> usize {
    match Alphabet::Digit.run(&value[..value.len().min(18)]) {
        digits @ 15..=17 if value.get(digits) == Some(&b'|') => digits + 1,
        _ => 0,
    }
}

/// A name of more words is cut at its front.
const WORDS_MAX: usize = 12;

/// The words of a name, the last one first.
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut end = name.len();
    let words = std::iter::from_fn(move || {
        let separators = name[..end].iter().rev();
        end -= separators
            .take_while(|byte| !byte.is_ascii_alphanumeric())
            .count();
        let start = word_start(name, end);
        let word = &name[start..end];
        end = start;
        (!word.is_empty()).then_some(word)
    });
    words.take(WORDS_MAX)
}

/// The start of the word that ends at `end`: `end` itself if a separator stands there.
fn word_start(name: &[u8], end: usize) -> usize {
    let mut start = end;
    while start > 0 && name[start - 1].is_ascii_alphanumeric() {
        let this = name[start - 1];
        let next = name.get(start).filter(|_| start < end);
        // aB | ABc: a capital begins a word before a small letter, or after one.
        if let Some(next) = next {
            let hump = next.is_ascii_uppercase() && this.is_ascii_lowercase();
            let after = name.get(start + 1).filter(|_| start + 1 < end);
            let acronym = this.is_ascii_uppercase()
                && next.is_ascii_uppercase()
                && after.is_some_and(u8::is_ascii_lowercase);
            if hump || acronym {
                return start;
            }
        }
        start -= 1;
    }
    start
}

/// Where the name at the end of `text` is, before what joins it and a value: blanks, quotes, `=`, `:`.
pub(super) fn last(text: &[u8]) -> Range<usize> {
    /// What joins a name and its value is no longer, escaped three times over.
    const JOIN_BYTES_MAX: usize = 20;
    /// A name longer than this is none.
    const NAME_BYTES_MAX: usize = 80;
    let near = &text[text.len().saturating_sub(JOIN_BYTES_MAX)..];
    let joins = |byte: &&u8| b" \t\"'`=:>[(\\".contains(byte);
    let end = text.len() - near.iter().rev().take_while(joins).count();
    end - Alphabet::Dotted.run_back(&text[..end], NAME_BYTES_MAX)..end
}

/// Whether a name is that of a signature, which is secret in a URL alone.
pub(super) fn is_signature(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(b"sig") || name.ends_with(b"signature")
}

/// Whether a name is that of a header, or of its value, that carries cookies.
pub(super) fn is_of_cookies(name: &[u8]) -> bool {
    ends_with(name, "cookie") || ends_with(name, "cookies")
}

/// Whether a name is the word alone that tests and compilers also write: `PASS: name`.
pub(super) fn is_plain_pass(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"pass")
}

/// Whether a name is that of the secret half of a pair of keys, as AWS names and shapes it.
pub(super) fn is_of_secret_access_key(name: &[u8]) -> bool {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let letters: Vec<u8> = letters.map(u8::to_ascii_lowercase).collect();
    [&b"secretaccesskey"[..], b"awssecret", b"secretkey"]
        .iter()
        .any(|one| memchr::memmem::find(&letters, one).is_some())
}

/// Whether a name is that of what looks drawn at random and is no secret: an id, a digest, a public key.
pub(super) fn is_public(name: &[u8]) -> bool {
    #[rustfmt::skip]
    const LAST: &[&str] = &[
        "id", "ids", "uid", "uuid", "guid", "cid", "kid", "hash", "hashes", "digest", "checksum",
        "sum", "integrity", "signature", "sig", "sha", "sha1", "sha256", "sha384", "sha512", "md5",
        "fingerprint", "thumbprint", "etag", "nonce", "cursor", "commit", "revision", "rev", "ref",
        "cert", "certificate", "pub", "pubkey", "address", "addr", "trace", "span", "request",
        "image", "thumbnail", "mappings", "version", "build", "challenge", "h1", "x", "y", "n",
        "x5t", "x5c", "href", "src", "url", "uri", "path", "filename", "accept", "slug",
    ];
    let public = |word: &[u8]| is_any(word, &["public", "pub", "example", "fake", "mock"]);
    let last = words(name).find(|word| !word.iter().all(u8::is_ascii_digit));
    last.is_some_and(|last| {
        let digits = Alphabet::Digit.run_back(last, last.len());
        is_any(last, LAST) || is_any(&last[..last.len() - digits], LAST)
    }) || words(name).any(public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_by_their_last_telling_word() {
        use Promise::{Password, Perhaps, Secret};
        for (name, expected) in [
            ("password", Some(Password)),
            ("DB_PASSWORD", Some(Password)),
            ("userPassword", Some(Password)),
            ("PGPASSWORD", Some(Password)),
            ("password2", Some(Password)),
            ("SMTP_PASS", Some(Password)),
            ("apiKey", Some(Secret)),
            ("x-api-key", Some(Secret)),
            ("OPENAI_API_KEY", Some(Secret)),
            ("OpenAIApiKey", Some(Secret)),
            ("AccountKey", Some(Secret)),
            ("aws_secret_access_key", Some(Secret)),
            ("client_secret", Some(Secret)),
            ("authToken", Some(Secret)),
            ("_authToken", Some(Secret)),
            ("API_TOKEN_PROD", Some(Secret)),
            ("SECRET_KEY_BASE64", Some(Secret)),
            ("sessionid", Some(Perhaps)),
            ("password_hash", None),
            ("token_count", None),
            ("keyId", None),
            ("public_key", None),
            ("primary_key", None),
            ("tokenizer", None),
            ("monkey", None),
            ("compass", None),
        ] {
            assert_eq!(promise(name.as_bytes()), expected, "{name}");
        }
    }
}
