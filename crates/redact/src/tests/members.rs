//! What JSON tells of a string by what stands beside it: the arguments before it, and the members around it.

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::Redactor;

/// What is to become of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Gone,
    Kept,
}

/// Fails with every JSON whose secret, for which `@` stands, has another fate.
#[track_caller]
fn check(fate: Fate, cases: &[&str]) {
    let redactor = Redactor::standard();
    let mut failures = Vec::new();
    for case in cases {
        for secret in ["Zk4Qp9LmT2xWv7", "x9!kQ2vLp+t3RbW8"] {
            let json = case.replace('@', secret);
            let raw: &RawValue = serde_json::from_str(&json).unwrap();
            let redacted = redactor.redact_raw(raw);
            let shown = redacted.raw.get();
            let is_right = match fate {
                Fate::Gone => !shown.contains(&secret[4..]),
                Fate::Kept => redacted.findings.is_empty(),
            };
            let again = redactor.redact_raw(&redacted.raw).findings.is_empty();
            let value: Value = serde_json::from_str(shown).unwrap();
            let told = redacted.findings.iter().all(|finding| {
                let text = value.pointer(finding.pointer.as_deref().unwrap());
                let text = text.and_then(Value::as_str).unwrap();
                text[finding.range.clone()].starts_with("[redacted:")
            });
            if !is_right || !again || !told {
                failures.push(format!("{json} becomes {shown}"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_value_in_the_argument_of_its_flag_is_found_with_its_blanks() {
    for (arguments, rule) in [
        (r#"["mysql","-p@"]"#, "command-password"),
        (r#"["sshpass","-p@","ssh"]"#, "command-password"),
        (r#"["docker","login","-p@"]"#, "command-password"),
        (r#"["curl","-uadmin:@"]"#, "command-password"),
        (r#"["curl","--user=admin:@"]"#, "command-password"),
        (
            r#"["openssl","rsa","-passin","pass:@"]"#,
            "command-password",
        ),
        (r#"["tool","--db-password=@"]"#, "password"),
        (r#"["java","-Ddb.password=@"]"#, "password"),
    ] {
        for secret in ["Red Dog 41", "Tulip; 92/green\" house", "p ss wörd9"] {
            let with = |value: &str| {
                let array: Vec<String> = serde_json::from_str(arguments).unwrap();
                Value::from_iter(array.iter().map(|one| one.replace('@', value)))
            };
            let clean = Redactor::standard().redact_json(&with(secret)).value;
            assert_eq!(clean, with(&format!("[redacted:{rule}]")), "{secret}");
        }
    }
}

#[test]
fn what_an_argument_before_it_gives_away_is_found() {
    check(
        Fate::Gone,
        &[
            r#"{"command":["mysql","-u","root","--password","@"]}"#,
            r#"{"command":["mysql","-u","root","-p@","app"]}"#,
            r#"{"args":["--token","@"]}"#,
            r#"{"args":["-y","server","--api-key","@","--port",80]}"#,
            r#"{"args":["-token","@"]}"#,
            r#"["plink","-pw","@","h.test"]"#,
            r#"{"command":["docker","login","-u","x","-p","@"]}"#,
            r#"{"command":["docker","login","-p","$1@"]}"#,
            r#"{"command":["docker","login","-u","it's me","-p","@"]}"#,
            r#"{"command":["curl","-u","admin:@","https://h.test"]}"#,
            r#"{"command":["curl","--user=admin:@","https://h.test"]}"#,
            r#"{"command":["curl","-u","admin:a;b@"]}"#,
            r#"{"command":["sshpass","-p","@","ssh","h.test"]}"#,
            r#"{"command":["sshpass","-p@","ssh","h.test"]}"#,
            r#"{"command":["redis-cli","-h","h.test","-a","@","ping"]}"#,
            r#"{"command":["htpasswd","-b","file","me","@"]}"#,
            r#"{"command":["openssl","rsa","-in","k","-passin","pass:@"]}"#,
            r#"{"command":["zip","-r","-P","one two @","a.zip","b"]}"#,
            r#"{"command":["curl","-b","theme=dark; sid=@","https://h.test"]}"#,
            r#"{"command":"redis-cli","args":["-a","@"]}"#,
            r#"{"cmd":"/usr/bin/curl","args":["-sS","-u","me:@"]}"#,
            r#"[{"command":["bash","-lc","true"]},["docker","login","-p","@"]]"#,
            r#"{"args":["tool","--password","one two @"]}"#,
            r#"{"args":["tool","--password","@ tulip rain"]}"#,
            r#"{"args":["tool","--password","--@"]}"#,
            r#"{"args":["tool","--password","-@"]}"#,
            r#"{"command":["curl","-u","admin:one two @","https://h.test"]}"#,
            r#"["mysql","-pRed Dog @"]"#,
            r#"["mysql","--db-password=Red Dog @"]"#,
            r#"{"token":["-a","@"]}"#,
            r#"{"password":["-a","b1","@"]}"#,
        ],
    );
}

#[test]
fn what_no_argument_before_it_gives_away_is_kept() {
    check(
        Fate::Kept,
        &[
            r#"{"command":["mysql","-u","root","-p","@"]}"#,
            r#"{"command":["docker","run","-p","@"]}"#,
            r#"{"command":["tool","--name","@"]}"#,
            r#"{"command":["tool","--password-file","@"]}"#,
            r#"{"command":["tool","--secret","--name=@"]}"#,
            r#"["the password","@"]"#,
            r#"["username","password","@"]"#,
            r#"["- forgot the password","@"]"#,
            r#"[["docker","login"],["-p","@"]]"#,
            r#"{"args":["--password","$PASSWORD"],"x":"@"}"#,
            r#"{"args":["docker","login","-p","$TOKEN"],"x":"@"}"#,
            r#"{"args":["tool","--password","--no-color","x"],"x":"@"}"#,
            r#"{"args":["tool","--password","--log-level=debug2"],"x":"@"}"#,
            r#"{"args":["tool","--password","the password of one user"],"x":"@"}"#,
            r#"{"args":["tool","--password=the password of one user"],"x":"@"}"#,
            r#"{"args":["rg","--password=docs/old notes/page2.md"],"x":"@"}"#,
            r#"{"args":["docker","login","-p $1 x"],"x":"@"}"#,
            r#"{"args":["mysql","-p 3306"],"x":"@"}"#,
            r#"{"args":["git","commit","-madd password=one red2"],"x":"@"}"#,
            r#"{"args":["mysql","-é p"],"x":"@"}"#,
            r#"{"token":["--name","--value=@"]}"#,
            r#"{"password":["-a","--host=db1.test"],"x":"@"}"#,
        ],
    );
}

#[test]
fn a_member_of_cookies_is_looked_at_as_the_header_is() {
    check(
        Fate::Gone,
        &[
            r#"{"headers":{"Cookie":"a=1; session_id=@"}}"#,
            r#"{"headers":{"cookie":"a=1; sid=@; b=2"}}"#,
            r#"{"headers":{"Set-Cookie":"q=@; Path=/; HttpOnly"}}"#,
            r#"{"headers":{"set-cookie":["q=@; Path=/","theme=dark"]}}"#,
            r#"{"headers":[{"name":"Cookie","value":"a=1; q=@"}]}"#,
        ],
    );
    check(
        Fate::Kept,
        &[
            r#"{"cookie_banner":"a=1; q=@"}"#,
            r#"{"cookie":"theme=dark; lang=en","x":"@"}"#,
        ],
    );
}

#[test]
fn a_member_that_another_beside_it_names_is_found() {
    check(
        Fate::Gone,
        &[
            r#"{"key":"DB_PASSWORD","value":"@"}"#,
            r#"{"key":"DB_PASSWORD","val":"@"}"#,
            r#"{"k":"password","v":"@"}"#,
            r#"{"field":"password","text":"@"}"#,
            r##"{"selector":"#password","text":"@"}"##,
            r#"{"selector":"input[name=\"password\"]","value":"@"}"#,
            r#"{"element":"Password field","ref":"e5","text":"@"}"#,
            r#"{"element":"Enter your password here","text":"@"}"#,
            r#"{"fields":[{"name":"User","value":"bob"},{"name":"Password input","type":"textbox","value":"@"}]}"#,
            r#"{"label":"API key","value":"@"}"#,
            r#"{"header":"X-Api-Key","value":"@"}"#,
            r#"{"name":"type","element":"Password field","text":"@"}"#,
            r#"{"element":"Password field","name":"type","text":"@"}"#,
            r#"{"value":"@","key":"DB_PASSWORD"}"#,
            r#"{"text":"@","submit":true,"element":"Password field"}"#,
            r#"[{"a":[{"v":"@","k":"password"}]}]"#,
            r##"{"locator":"#password","text":"@"}"##,
            r#"{"target":"Password","text":"@"}"#,
            r#"{"description":"Password field","text":"@"}"#,
            r#"{"text":"@","description":"Password field"}"#,
            r#"{"id":"db_password","value":"@"}"#,
            r#"{"value":"@","id":"db_password"}"#,
            r#"{"key":"DB_PASSWORD","id":"password","value":"@"}"#,
            r##"{"selector":"#user_password_confirmation","value":"@"}"##,
        ],
    );
}

#[test]
fn what_stands_beside_a_title_or_a_hint_and_is_no_secret_is_kept() {
    let values = [
        "/etc/app/passwd1",
        "src/auth/password1.rs",
        r"C:\\\\Users\\\\me\\\\pw1.txt",
        "https://h.test/reset2?from=mail",
        "v1.2.3",
        "1.2.3-beta.4+5",
        "1.2.3-SNAPSHOT",
        "v2.0-rc1",
        "2024-11-23T10:00:00Z",
        "2024-11-23T10:00:00.123+01:00",
        "10.0.0.1:8080",
    ];
    let words = [
        "step2",
        "input-password-2",
        "sha256-signed",
        "Phase 2, done",
    ];
    for (title, values) in [
        ("id", &[&values[..], &words].concat()),
        ("description", &[&values[..], &words].concat()),
        ("target", &[&values[..], &words].concat()),
        ("label", &values.to_vec()),
        ("element", &values.to_vec()),
    ] {
        for (name, value) in ["reset-password", "API token"]
            .iter()
            .flat_map(|name| values.iter().map(move |value| (name, value)))
        {
            let cases = [
                format!(r#"{{"{title}":"{name}","value":"{value}","x":"@"}}"#),
                format!(r#"{{"{title}":"{name}","text":"{value}","x":"@"}}"#),
                format!(r#"{{"value":"{value}","{title}":"{name}","x":"@"}}"#),
            ];
            check(Fate::Kept, &cases.each_ref().map(String::as_str));
        }
    }
    for value in values {
        let case = format!(r#"{{"id":"password","value":"{value}","x":"@"}}"#);
        check(Fate::Kept, &[&case]);
    }
}

#[test]
fn a_password_of_words_is_found_beside_a_title_that_is_no_more_than_its_name() {
    let redactor = Redactor::standard();
    for (title, name) in [
        ("id", "password"),
        ("id", "userpassword"),
        ("description", "Password field"),
        ("target", "#password"),
        ("target", "Passwort"),
        ("label", "Password"),
    ] {
        for secret in [
            "Sommer2024",
            "Tulip-92-green",
            "Tulip94green",
            "12.34.Tulpe",
            "2024-11-Tulip",
            "1234-5678-abcd",
        ] {
            for json in [
                format!(r#"{{"{title}":"{name}","value":"{secret}"}}"#),
                format!(r#"{{"{title}":"{name}","text":"{secret}"}}"#),
                format!(r#"{{"value":"{secret}","{title}":"{name}"}}"#),
            ] {
                let raw: &RawValue = serde_json::from_str(&json).unwrap();
                let redacted = redactor.redact_raw(raw);
                assert_eq!(redacted.findings.len(), 1, "{json}");
            }
        }
    }
}

#[test]
fn a_member_that_nothing_beside_it_names_is_kept() {
    check(
        Fate::Kept,
        &[
            r#"{"element":"Search field","text":"@"}"#,
            r#"{"element":"Password hint","text":"@"}"#,
            r#"{"key":"commit","value":"@"}"#,
            r#"{"field":"password","ref":"@"}"#,
            r#"{"field":"password","input":{"text":"@"}}"#,
            r#"{"text":"@","input":{"field":"password"}}"#,
            r#"[{"field":"password"},{"text":"@"}]"#,
            r#"{"password":{"text":"@"}}"#,
            r#"{"commit":{"id":"c1","value":"@"}}"#,
            r#"{"field":"password","text":"must have 8 characters","x":"@"}"#,
        ],
    );
}
