//! Forges, package indexes and trackers.

use super::kinds::{Kind, Secret, Shape};
use super::random::{ALPHANUMERIC, BASE64, BASE64_URL, HEX, base64, padded};

/// The kinds of this group.
pub(crate) const KINDS: &[Kind] = &[
    // GitHub, "About authentication to GitHub", token formats: ghp_ and 36 letters and digits.
    Kind {
        name: "github classic token",
        variable: "GITHUB_TOKEN",
        header: "Authorization: token ",
        shape: Shape::Marked,
        make: |random| Secret::marked("ghp_", random.string(ALPHANUMERIC, 36)),
    },
    // GitHub, "About authentication to GitHub": github_pat_, 22 and 59 letters and digits.
    Kind {
        name: "github fine-grained token",
        variable: "GH_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            Secret::marked(
                "github_pat_",
                random.string(ALPHANUMERIC, 22) + "_" + &random.string(ALPHANUMERIC, 59),
            )
        },
    },
    // GitHub, "About authentication to GitHub": gho_, ghu_, ghs_ and ghr_.
    Kind {
        name: "github oauth or app token",
        variable: "GITHUB_APP_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let mark = random.pick(&["gho_", "ghu_", "ghs_", "ghr_"]);
            Secret::marked(mark, random.string(ALPHANUMERIC, 36))
        },
    },
    // GitLab, "Token overview", token prefixes: glpat- and 20 characters, or the routable form
    // with a dot, a length and a checksum.
    Kind {
        name: "gitlab token",
        variable: "GITLAB_TOKEN",
        header: "PRIVATE-TOKEN: ",
        shape: Shape::Marked,
        make: |random| {
            if random.pick(&[true, false]) {
                return Secret::marked("glpat-", random.string(BASE64_URL, 20));
            }
            let check = random.string("0123456789abcdefghijklmnopqrstuvwxyz", 7);
            Secret::marked("glpat-", random.string(BASE64_URL, 43)).followed(format!(".01.{check}"))
        },
    },
    // npm, "About access tokens": npm_ and 36 letters and digits.
    Kind {
        name: "npm token",
        variable: "NPM_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| Secret::marked("npm_", random.string(ALPHANUMERIC, 36)),
    },
    // PyPI help, "How can I use API tokens": pypi- and a macaroon in base64, which names the
    // index first.
    Kind {
        name: "pypi token",
        variable: "TWINE_PASSWORD",
        header: "X-Upload-Token: ",
        shape: Shape::Marked,
        make: |random| {
            Secret::marked(
                ["pypi-AgEI", "cHlwaS5vcmc"].concat(),
                "CJ".to_owned() + &random.string(BASE64_URL, 150),
            )
        },
    },
    // Hugging Face Hub, "User access tokens": hf_ and 34 letters.
    Kind {
        name: "hugging face token",
        variable: "HF_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| Secret::marked("hf_", random.string(&ALPHANUMERIC[..52], 34)),
    },
    // Atlassian, "Manage API tokens for your account": ATATT3 and a long text safe in URLs,
    // then = and a CRC in hexadecimal.
    Kind {
        name: "atlassian token",
        variable: "JIRA_API_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let check = random.string("0123456789ABCDEF", 8);
            Secret::marked("ATATT3xFfGF0", random.string(BASE64_URL, 171))
                .followed(format!("={check}"))
        },
    },
    // Linear developers, "Personal API keys": lin_api_ and 40 letters and digits.
    Kind {
        name: "linear key",
        variable: "LINEAR_API_KEY",
        header: "Authorization: ",
        shape: Shape::Marked,
        make: |random| Secret::marked("lin_api_", random.string(ALPHANUMERIC, 40)),
    },
    // Sentry developers, RFC 91 "CI upload tokens": sntrys_, claims in base64, _ and 43
    // characters; user tokens: sntryu_ and 64 hexadecimal digits.
    Kind {
        name: "sentry key",
        variable: "SENTRY_AUTH_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            if random.pick(&[true, false]) {
                return Secret::marked("sntryu_", random.string(HEX, 64));
            }
            let claims = br#"{"iat":1736412000.5,"url":"https://sentry.io","org":"acme"}"#;
            let before = format!("sntrys_{}_", padded(base64(claims, BASE64)));
            Secret::marked(before, random.string(BASE64, 43))
        },
    },
    // Sentry, "Data source name": the key of 32 hexadecimal digits as the user of a URL, in
    // the older form with a secret behind a colon.
    Kind {
        name: "sentry dsn",
        variable: "SENTRY_DSN",
        header: "",
        shape: Shape::Url,
        make: |random| {
            let older = format!("https://{}:", random.string(HEX, 32));
            let secret = random.string(HEX, 32);
            let place = format!(
                "@o{}.ingest.sentry.io/{}",
                random.digits(6),
                random.digits(7)
            );
            Secret::marked(older, secret).followed(place)
        },
    },
];
