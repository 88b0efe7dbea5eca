//! Passwords as the arguments of commands, whatever signs and blanks are in them.

use serde_json::json;

use super::super::Redactor;
use super::super::shape::Alphabet;
use super::samples::Draw;
use super::{assert_all_gone, assert_all_kept, survivor};

#[test]
fn a_password_with_blanks_is_found_where_a_command_takes_it_between_quotes() {
    let secrets = [
        "correct horse battery",
        "Zk4 with9 space",
        "p ss wörd9",
        "hunter two",
    ];
    let texts = secrets.map(|secret| {
        let texts = [
            format!("tool --password \"{secret}\" run"),
            format!("tool --password='{secret}' run"),
            format!("curl -u \"admin:{secret}\" https://h.test"),
            format!("curl --user 'admin:{secret}' https://h.test"),
            format!("htpasswd -b file me '{secret}'"),
            format!("CREATE USER 'a' IDENTIFIED BY '{secret}';"),
            format!("CREATE ROLE a LOGIN PASSWORD '{secret}';"),
            format!("psql -c \"alter user a with password '{secret}'\""),
            format!("curl -u admin:\"{secret}\" https://h.test"),
            format!("openssl rsa -in k -passin 'pass:{secret}'"),
            format!("openssl rsa -in k -passin \"pass:{secret}\" -out o"),
            format!("net use Z: \"{secret}\" /user:bob"),
            format!("export DB_PASSWORD='{secret}'"),
            format!("docker run -e DB_PASSWORD=\"{secret}\" img"),
            format!("export A=1 B='x y' DB_PASSWORD=\"{secret}\""),
            format!("cd /srv && env A= B=\"x y\" C=z DB_PASSWORD='{secret}' psql"),
        ];
        texts.map(|text| (text, secret.to_owned()))
    });
    assert_all_gone(texts.into_iter().flatten());
    let secret = "Tulip 92/green house";
    let texts = [
        format!("tool --password \"{secret}\""),
        format!("mysql --password=\"{secret}\""),
        format!("CREATE USER 'a' IDENTIFIED BY '{secret}'"),
        format!("curl -u bob:\"{secret}\" https://h.test"),
        format!("curl -u 'bob:{secret}' https://h.test"),
        format!("net use Z: \"{secret}\" /user:bob"),
        format!("export DB_PASSWORD='{secret}'"),
    ];
    assert_all_gone(texts.map(|text| (text, secret.to_owned())));
    let array = json!(["tool", "--password", secret]);
    let clean = Redactor::standard().redact_json(&array).value;
    assert_eq!(clean, json!(["tool", "--password", "[redacted:password]"]));
    let secret = "Zk4 with9 space";
    let texts = [
        format!("PGPASSWORD=\"{secret}\" psql -h db1.test"),
        format!("PORT=1\nDB_PASSWORD='{secret}'\n"),
    ];
    assert_all_gone(texts.map(|text| (text, secret.to_owned())));
}

#[test]
fn a_password_is_found_behind_arguments_between_quotes_and_on_lines_that_go_on() {
    let secret = "Zk4Qp9LmT2xWv7";
    let key = Draw::new(72).run(Alphabet::Alnum, 20);
    let url = "https://h.test";
    let commands = [
        format!("curl -H \"Accept: x\" -u \"bob:{secret}\" {url}"),
        format!("curl -H \"Accept: x; y\" -H'A: b|c' -u bob:{secret} {url}"),
        format!("curl {url}/\"$ID\" -d '{{\"a\": \"b\"}}' --user \"bob:{secret}\""),
        format!("curl {url} -H \"A: b\" -d '{{\n  \"a\": 1\n}}' -u 'bob:{secret}'"),
        format!("curl -H \"A: b\" -d \"{{\\\"a\\\": 1}}\" -u \"bob:{secret}\" {url}"),
        format!("curl \\\n  -H \"A: b\" \\\n  -u \"bob:{secret}\" {url}"),
        format!("curl \\\r\n  -H 'A: b' \\\r\n  -u 'bob:{secret}' {url}"),
        format!("mysql -e \"SELECT 1\" -p{secret} app"),
        format!("docker login \"h.test\" -u \"me\" -p \"{secret}\""),
        format!("rsync -e \"x y\" && sshpass -f \"a\" -p b; sshpass -p \"{secret}\" ssh h"),
        format!("echo '{secret}' | docker login -u \"me\" --password-stdin \"h.test\""),
        format!("net use \"\\\\h.test\\my share\" \"{secret}\" /user:bob"),
    ];
    let url = "https://api.h.test/v1/charges";
    let keys = [
        format!("curl -H \"Accept: x\" -u \"{key}:\" {url}"),
        format!("curl {url} \\\n  -H \"A: b\" \\\n  -u \"{key}:\" \\\n  -d \"amount=2000\""),
    ];
    let commands = commands.map(|command| (command, secret.to_owned()));
    let keys = keys.map(|command| (command, key.clone()));
    let texts = commands.into_iter().chain(keys).flat_map(|(command, one)| {
        let json = json!({"command": command, "description": "x"}).to_string();
        let twice = json!({"arguments": json}).to_string();
        [command, json, twice].map(|text| (text, one.clone()))
    });
    assert_all_gone(texts);
    let secret = "correct horse battery";
    let texts = [
        format!("export A=1 \\\n  DB_PASSWORD='{secret}'"),
        format!("export \\\n  A=\"x y\" \\\n  DB_PASSWORD='{secret}'"),
        format!("env A=1 \\\r\n  DB_PASSWORD=\"{secret}\" psql"),
    ];
    let texts = texts.map(|text| (text, secret.to_owned()));
    assert_all_gone(texts);
}

#[test]
fn a_command_ends_where_its_text_does() {
    let left = "-u bob:Zk4Qp9LmT2xWv7";
    let texts = [
        format!("{{\"command\":\"curl\",\"text\":\"x {left}\"}}"),
        format!("{{\"command\": \"curl\", \"text\": \" {left}\"}}"),
        format!("[\"curl\", \" {left}\"]"),
        format!("[\"curl\",\"x\",\"y {left}\"]"),
        format!("{{\"a\":\"{{\\\"b\\\":\\\"curl\\\",\\\"c\\\":\\\"x {left}\\\"}}\"}}"),
        format!("curl \"a\"\ntool {left}"),
        format!("curl \"a\" && tool {left}"),
        format!("curl \"a\"; tool {left}"),
        format!("curl \"a\" | tool {left}"),
        format!("say(\"curl\" + \" {left}\")"),
        format!("say `curl` \"x {left}\""),
    ];
    assert_all_kept(texts.iter().map(String::as_str));
}

#[test]
fn a_key_that_is_a_user_without_a_password_is_found_whatever_follows_it() {
    let key = Draw::new(71).run(Alphabet::Alnum, 20);
    let url = "https://api.h.test/v1/charges";
    let commands = [
        format!("curl -u {key}: {url} -d \"amount=2000\""),
        format!("curl -u \"{key}:\" {url} -d \"amount=2000\""),
        format!("curl -u '{key}:' {url} -d 'amount=2000'"),
        format!("curl {url} -u \"{key}:\" -d amount=2000"),
        format!("curl -u \"{key}:\" \\\n  -d \"amount=2000\" {url}"),
        format!("curl -u \"{key}:\" -X POST {url}"),
        format!("curl -s {url} -u '{key}:' | jq '.a'"),
        format!("curl --user='{key}:' {url}"),
        format!("curl {url} -u {key}:"),
        format!("curl {url} -u {key}:\"$PASSWORD1\""),
    ];
    for command in &commands {
        let input = json!({"command": command, "description": "Make a charge"});
        let clean = Redactor::standard().redact_json(&input).value;
        assert_eq!(survivor(&clean.to_string(), &key), None, "{clean}");
    }
    let texts = commands
        .iter()
        .map(|command| json!({"command": command, "description": "Make a charge"}).to_string())
        .chain(commands.clone());
    assert_all_gone(texts.map(|text| (text, key.clone())));
    let [alone, before] = ["", "x9!kQ2vLp"].map(|password| {
        let command = format!("curl -u '{key}:{password}' {url}");
        let clean = Redactor::standard().redact_text(&command);
        assert_eq!(clean.findings.len(), 1);
        clean.text.into_owned()
    });
    assert_eq!(
        alone,
        format!("curl -u '[redacted:command-password]:' {url}")
    );
    assert_eq!(
        before,
        format!("curl -u '{key}:[redacted:command-password]' {url}")
    );
    let marked = before.replace(&key, "[redacted:bearer-token]");
    assert_eq!(Redactor::standard().redact_text(&marked).text, marked);
    let left = marked.replace("[redacted:command-password]", "x9!kQ2vLp");
    assert_eq!(Redactor::standard().redact_text(&left).text, marked);
}

#[test]
fn a_password_in_sql_is_found_whatever_quotes_are_about_it() {
    let texts = ["Red Dog 42", "it''s Red Dog 43", "Red''''s Dog 44''"].map(|secret| {
        let texts = [
            format!("CREATE USER \"app-rw\" WITH PASSWORD '{secret}'"),
            format!("ALTER ROLE \"app\" PASSWORD '{secret}';"),
            format!("psql -c \"create role \\\"app\\\" login password '{secret}'\""),
            format!("CREATE USER 'app' IDENTIFIED BY '{secret}';"),
            format!("BEGIN;\nCREATE USER app\n  WITH PASSWORD '{secret}'"),
            format!("create role \"app\"\r\n\twith login\r\n\tencrypted password '{secret}';"),
            format!("ALTER ROLE app\n  WITH NOSUPERUSER -- x\n    LOGIN\nPASSWORD '{secret}';"),
        ];
        texts.map(|text| (text, secret.to_owned()))
    });
    assert_all_gone(texts.into_iter().flatten());
    let text = "ALTER ROLE \"app\" PASSWORD 'it''s Red Dog 42'; SELECT 'a'";
    let clean = Redactor::standard().redact_text(text).text;
    let marker = "ALTER ROLE \"app\" PASSWORD '[redacted:command-password]'; SELECT 'a'";
    assert_eq!(clean, marker);
}

#[test]
fn words_about_a_password_behind_a_flag_are_kept() {
    assert_all_kept([
        "tool --password \"your password here\"",
        "tool --password \"the one of the user\"",
        "tool --password '<some pass phrase>'",
        "tool --password \"$(cat file)\"",
        "tool --password \"login as --user\"",
        ".option(\"--password\", \"database login phrase\")",
        ".option('--password <word>', 'database login phrase')",
        "`--password` \"database login phrase\"",
        "\"--password\" \"database login phrase\"",
        "--password: \"database login phrase\"",
        "{\"--password\": \"database login phrase\"}",
        "args.append('--password=' + access_token + ' more')",
        "args.append(\"--password \" + access_token)",
        "curl -u \"admin:your password\" https://h.test",
        "curl -u \"admin:<a b c>\" https://h.test",
        "tool --password --host=db1.test",
        "tool --password --log-level2 debug",
        "tool --password \"./secrets/file1.txt\"",
        "rg -- --password \"crates/my dir/x.rs\"",
        "rg -- --password 'my notes/login page2.md'",
        "rg -- --password 'docs/old notes/page2.md'",
        "curl -u admin:\"your password\" https://h.test",
        "curl -u admin:\"$PASSWORD1\" https://h.test",
        "openssl rsa -in k -passin \"pass:$PASSWORD1\"",
        "openssl rsa -in k -passin 'pass:'",
        "net use Z: \"your password\" /user:bob",
        "net use \"Z:\" /user:bob",
        "net use \"\\\\h.test\\my share2\" /user:bob",
        "they call it \"one two3\" /user:bob",
        "CREATE ROLE a LOGIN PASSWORD 'your password';",
        "what is of the PASSWORD 'one two3'",
        "ALTER ROLE \"app\" NOLOGIN; what is of the PASSWORD 'one two3'",
        "CREATE ROLE \"app\"\nwhat is of the PASSWORD 'one two3'",
        "docker run --name mongo -p 27017:27017 mongo",
        "docker run -v \"/var/lib/mysql:/x\" -p127.0.0.1:8080:80 img",
        "CREATE ROLE \"app\";\n  WITH PASSWORD 'one two3'",
        "CREATE ROLE \"app\"\n\n  WITH PASSWORD 'one two3'",
        "to create user accounts\nsay the password 'one two3'",
        "export DB_PASSWORD='your password here'",
        "export DB_PASSWORD=\"$(cat file) x1\"",
        "LABEL_PASSWORD=\"Kennwort eingeben\"",
        "export A=1; say LABEL_PASSWORD=\"Kennwort eingeben\"",
        "export A=1 B='x LABEL_PASSWORD=\"Kennwort eingeben\"",
        "env A=1 say LABEL_PASSWORD=\"Kennwort eingeben\"",
        "input(password=\"Kennwort 2 eingeben\")",
        "\"LABEL_PASSWORD\"=\"Kennwort 2 eingeben\";",
    ]);
    let array = json!(["rg", "--", "--password", "docs/old notes/page2.md"]);
    assert_eq!(Redactor::standard().redact_json(&array).value, array);
}

#[test]
fn a_command_may_end_where_its_password_would_be() {
    let redactor = Redactor::standard();
    for command in [
        "curl -u admin:Zk4Qp9LmT2xWv7 https://h.test",
        "docker login -u me -p Zk4Qp9LmT2xWv7",
        "htpasswd -b file me Zk4Qp9LmT2xWv7",
        "mysql -pZk4Qp9LmT2xWv7 app",
        "net use Z: /user:me Zk4Qp9LmT2xWv7",
        "sshpass -p Zk4Qp9LmT2xWv7 ssh h.test",
        "echo Zk4Qp9LmT2xWv7 | docker login --password-stdin",
    ] {
        for end in 0..command.len() {
            let _ = redactor.redact_text(&command[..end]);
        }
    }
}
