//! Secrets that standards, not issuers, give a form.

use super::kinds::{Kind, Secret, Shape};
use super::random::{ALPHANUMERIC, BASE64, BASE64_URL, Random, base64, padded, percent_encoded};

/// The kinds of this group.
pub(crate) const KINDS: &[Kind] = &[
    // RFC 7468, sections 10 and 11, and RFC 5915; openssh-portable, PROTOCOL.key.
    Kind {
        name: "pem private key",
        variable: "TLS_PRIVATE_KEY",
        header: "",
        shape: Shape::Block,
        make: |random| {
            let (label, bytes) = random.pick(&[
                ("PRIVATE KEY", 1218),
                ("RSA PRIVATE KEY", 1192),
                ("EC PRIVATE KEY", 121),
                ("OPENSSH PRIVATE KEY", 399),
            ]);
            pem(label, bytes, random)
        },
    },
    // RFC 7519, section 3.1, over RFC 7515: header, claims and signature in base64 that is
    // safe in URLs.
    Kind {
        name: "jwt",
        variable: "SESSION_JWT",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let header = base64(br#"{"alg":"HS256","typ":"JWT"}"#, BASE64_URL);
            let subject = random.string(ALPHANUMERIC, 16);
            let claims = format!(r#"{{"sub":"{subject}","iat":1736412000,"exp":1767948000}}"#);
            let claims = base64(claims.as_bytes(), BASE64_URL);
            Secret::marked(
                format!("{header}."),
                claims + "." + &random.string(BASE64_URL, 43),
            )
        },
    },
    // RFC 3986, section 3.2.1: user and password before the host.
    Kind {
        name: "basic-auth url",
        variable: "ARTIFACTS_URL",
        header: "",
        shape: Shape::Url,
        make: |random| {
            let user = random.pick(&["deploy", "ci-bot", "jenkins"]);
            let password = percent_encoded(&password(random));
            Secret::marked(format!("https://{user}:"), password)
                .followed("@artifacts.example.dev/team/app.git")
        },
    },
    // PostgreSQL, "Connection URIs"; MongoDB, "Connection strings"; Redis clients' redis://.
    Kind {
        name: "database url",
        variable: "DATABASE_URL",
        header: "",
        shape: Shape::Url,
        make: |random| {
            let (before, after) = random.pick(&[
                ("postgres://app:", "@db.internal:5432/app?sslmode=require"),
                ("postgresql://app:", "@10.2.0.7/app"),
                ("mysql://root:", "@mysql:3306/shop"),
                ("mongodb+srv://svc:", "@cluster0.x1y2z.mongodb.net/prod"),
                ("redis://:", "@cache.internal:6379/0"),
                ("amqp://worker:", "@mq.internal:5672/jobs"),
            ]);
            Secret::marked(before, percent_encoded(&password(random))).followed(after)
        },
    },
    // RFC 7617 (Basic) and RFC 6750 (Bearer).
    Kind {
        name: "authorization header",
        variable: "AUTHORIZATION",
        header: "",
        shape: Shape::Header,
        make: |random| {
            if random.pick(&[true, false]) {
                return Secret::marked("Authorization: Bearer ", random.string(BASE64_URL, 43));
            }
            let pair = format!("svc-{}:{}", random.digits(3), password(random));
            Secret::marked(
                "Authorization: Basic ",
                padded(base64(pair.as_bytes(), BASE64)),
            )
        },
    },
    // POSIX, "Environment variables", and the files that are named .env: any characters.
    Kind {
        name: "assigned password",
        variable: "DB_PASSWORD",
        header: "X-Password: ",
        shape: Shape::Unmarked,
        make: |random| Secret::marked("", password(random)),
    },
    // AWS Secrets Manager, "GetRandomPassword", and what other generators draw from: all signs of a keyboard.
    // The settings and commands that take one: Spring, YAML, ADO.NET, MySQL's manual ("CREATE USER"), and the
    // manual pages of chpasswd, zip, ssh-keygen, ConvertTo-SecureString and net use.
    Kind {
        name: "generated password",
        variable: "DB_PASSWORD",
        header: "",
        shape: Shape::Line,
        make: |random| {
            let (before, after) = random.pick(&[
                ("DB_PASSWORD=", ""),
                ("  password: ", "  # until May"),
                ("spring.datasource.password=", ""),
                ("Password: ", ""),
                (
                    "Server=tcp:db.example.dev;User ID=sa;Password=",
                    ";Encrypt=True",
                ),
                ("CREATE USER 'app'@'localhost' IDENTIFIED BY '", "';"),
                ("echo 'bob:", "' | sudo chpasswd"),
                ("zip -P '", "' out.zip notes"),
                ("ssh-keygen -t ed25519 -N '", "' -f id_ed25519"),
                ("ConvertTo-SecureString '", "' -AsPlainText -Force"),
                ("mysql -u root -p'", "' app"),
                ("net use Z: \\\\srv\\share /user:DOM\\bob \"", "\""),
            ]);
            let signs = format!("{ALPHANUMERIC}!#$%&()*+,-./:<=>?@[]^_{{|}}~");
            let length = random.between(15, 24);
            let body = random.string(ALPHANUMERIC, 1) + &random.string(&signs, length);
            Secret::marked(before, body).followed(after)
        },
    },
];

/// A private key of `bytes` random bytes in PEM, 64 characters to the line.
pub(crate) fn pem(label: &str, bytes: usize, random: &mut Random) -> Secret {
    let text = padded(base64(&random.bytes(bytes), BASE64));
    let lines: Vec<String> = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let fence = |word: &str| format!("-----{word} {label}-----");
    let before = format!("{}\n", fence("BEGIN"));
    Secret::marked(before, lines.join("\n")).followed(format!("\n{}\n", fence("END")))
}

/// What a manager of passwords makes up: 16 to 28 characters, some of them neither letter nor
/// digit.
fn password(random: &mut Random) -> String {
    let length = random.between(14, 25);
    let mut password = random.string(ALPHANUMERIC, length);
    for _ in 0..2 {
        let place = random.between(1, password.len());
        password.insert(
            place,
            random.pick(&['!', '@', '%', '*', '-', '_', '.', '+', '/', '^']),
        );
    }
    password
}
