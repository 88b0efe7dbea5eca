//! Secrets that stand behind a name, in a header, a URL or a command; and what stands there instead.

use super::super::Redactor;
use super::super::shape::Alphabet;
use super::samples::Draw;
use super::{assert_all_gone, assert_all_kept};

/// Where a random value is a secret; `@` stands for it.
const RANDOM: &[&str] = &[
    "API_KEY=@",
    "export API_KEY=\"@\"",
    "api_key: @",
    "api-key = '@'",
    "\"apiKey\": \"@\"",
    "{'api_key': '@'}",
    "apiKey := \"@\"",
    ":api_key => \"@\"",
    "let api_key: &str = \"@\";",
    "const apiKey: string = '@'",
    "private static final String API_KEY = \"@\";",
    "os.environ[\"API_KEY\"] = \"@\"",
    "os.environ['API_TOKEN']='@'",
    "setenv(\"API_TOKEN\", \"@\", 1)",
    "define('API_SECRET', '@');",
    "config.set(\"client_secret\", \"@\")",
    "--api-key @",
    "--api-key=@",
    "--token '@'",
    "spring.datasource.token=@",
    "<apiKey>@</apiKey>",
    "<add key=\"ApiKey\" value=\"@\" />",
    "{\"name\": \"API_TOKEN\", \"value\": \"@\"}",
    "{\"key\": \"api_secret\", \"val\": \"@\"}",
    "https://h.test/?api_key=@&x=1",
    "https://h.test/?a=1&token=@",
    "https://h.test/?sig=@",
    "https://@@h.test/repo.git",
    "https://user:@@h.test/repo.git",
    "X-Api-Key: @",
    "curl -H 'X-Auth-Token: @' https://h.test",
    "Authorization: Bearer @",
    "Authorization: token @",
    "authorization: Basic @",
    "\"Authorization\": \"Bearer @\"",
    "-H \"Authorization: Bearer @\"",
    "Bearer @",
    "Cookie: theme=dark; session=@",
    "Set-Cookie: sid=@; Path=/; HttpOnly",
    "JSESSIONID=@",
    "//registry.npmjs.org/:_authToken=@",
    "aws configure set aws_secret_access_key @",
    "AccountName=x;AccountKey=@;EndpointSuffix=y",
    "Endpoint=sb://x;SharedAccessKeyName=y;SharedAccessKey=@",
    "The API key is @",
    "API key: @",
    "my access token: `@`",
    "| API key | @ |",
    "TWILIO_AUTH_TOKEN=@",
    "HEROKU_API_KEY=@",
    "DD_APP_KEY: @",
    "client-key-data: @",
    "secret_key_base: @",
    "APP_KEY=base64:@",
    "jwt_secret = \"@\"",
    "webhook_secret: @",
    "machine h.test login me password @",
    "otpauth://totp/x:y?secret=@&issuer=x",
    "kubectl create secret generic x --from-literal=token=@",
    "npm config set token @",
    "mvn verify -Dsonar.login=@",
    "sonar.login: @",
    "curl https://graph.test/me?access_token=1234567890123456|@",
    "ACCESS_TOKEN=1234567890123456|@",
    "client.setApiKey(\"@\")",
    "config.set_token('@')",
    "{\"apiKey\": {\"value\": \"@\"}}",
    "gh auth login --with-token <<< @",
    "gh auth login --with-token <<< \"@\"",
];

/// Where what a person chose is a secret too.
const CHOSEN: &[&str] = &[
    "PASSWORD=@",
    "export DB_PASSWORD='@'",
    "db.password=@",
    "password: \"@\"",
    "password: @",
    "\"password\": \"@\"",
    "passwd = '@'",
    "Server=x;User Id=y;Password=@;",
    "host=x user=y password=@ dbname=z",
    "jdbc:mysql://h/db?user=x&password=@",
    "postgres://me:@@h.test:5432/db",
    "redis://:@@h.test:6379/0",
    "mongodb+srv://me:@@h.test/db",
    "amqp://me:@@h.test",
    "mysql -u root -p@ db",
    "mysqldump -h h -u root -p'@' db",
    "PGPASSWORD=@ psql -h h",
    "sshpass -p '@' ssh h",
    "sshpass -p @ ssh h",
    "curl -u me:@ https://h.test",
    "curl --user 'me:@' https://h.test",
    "redis-cli -h h -a @ ping",
    "docker login -u me -p @ h.test",
    "ldapsearch -x -D cn=x -w @",
    "openssl rsa -in k -passin pass:@",
    "openssl enc -aes-256-cbc -k @ -in a",
    "openssl enc -d -in a -k '@'",
    "user.setPassword(\"@\");",
    "{\"password\":{\"value\":\"@\"}}",
    "{\"password\": {\n  \"value\": \"@\"\n}}",
    "htpasswd -b file me @",
    "--password @",
    "--password=@",
    "h.test:5432:db:me:@",
    "the password is @",
    "<password>@</password>",
    "gpg --passphrase '@'",
    "identified password = \"@\"",
    "BUNDLE_GEMS__CONTRIBSYS__COM=@",
    "echo '@' | docker login -u me --password-stdin h.test",
    "printf %s @ | gh auth login --with-token",
    "echo \"bob:@\" | chpasswd",
    "echo 'bob:@' | sudo chpasswd",
    "echo '@' | passwd --stdin bob",
    "echo @ | sudo -S systemctl restart x",
    "zip -P @ a.zip b",
    "zip -r -P '@' a.zip b",
    "ssh-keygen -t ed25519 -N \"@\" -f k",
    "ssh-keygen -p -P @ -N '' -f k",
    "ConvertTo-SecureString \"@\" -AsPlainText -Force",
    "ConvertTo-SecureString -String '@' -AsPlainText",
    "net use Z: \\\\srv\\share /user:DOM\\bob @",
    "net use \\\\srv\\share @ /user:bob",
    "CREATE USER 'a' IDENTIFIED BY '@';",
    "alter user a identified with caching_sha2_password by '@';",
    "the root password is @",
];

/// Where letters alone are a secret, as nobody would name a thing.
const LETTERS: &[&str] = &[
    "password: @",
    "passwd = @",
    "\"password\": \"@\"",
    "DB_PASSWORD=@",
    "api_key: '@'",
    "const token = \"@\"",
    "my password is @",
];

#[test]
fn random_values_are_found_behind_names() {
    let mut cases = Vec::new();
    let mut draw = Draw::new(19);
    for context in RANDOM {
        for (alphabet, length) in [
            (Alphabet::Alnum, 32),
            (Alphabet::Hex, 32),
            (Alphabet::Alnum, 24),
            (Alphabet::UpperDigit, 40),
        ] {
            let secret = draw.run(alphabet, length);
            let text = context.replacen('@', &secret, 1);
            cases.push((text.to_owned(), secret.to_string()));
            cases.push((
                format!("before\n{text}\nafter").to_owned(),
                secret.to_string(),
            ));
            cases.push((
                serde_json::json!({ "x": text }).to_string().to_owned(),
                secret.to_string(),
            ));
        }
    }
    assert_all_gone(cases);
}

#[test]
fn chosen_passwords_are_found_behind_names() {
    let mut cases = Vec::new();
    for context in CHOSEN {
        for secret in ["x9!kQ2vLp", "Tr0ub4dor3", "hunter22horse", "S3cr3t.Pa55"] {
            let text = context.replacen('@', secret, 1);
            cases.push((text.to_owned(), secret.to_string()));
            cases.push((
                format!("before\n{text}\nafter").to_owned(),
                secret.to_string(),
            ));
            cases.push((
                serde_json::json!({ "x": text }).to_string().to_owned(),
                secret.to_string(),
            ));
        }
    }
    for secret in ["hunter2", "Winter2024!"] {
        cases.push((format!("the root password is {secret}"), secret.to_owned()));
    }
    assert_all_gone(cases);
}

#[test]
fn letters_that_were_drawn_are_found_behind_names() {
    const DRAWN: usize = 150;
    let mut draw = Draw::new(23);
    let mut left = Vec::new();
    for context in LETTERS {
        for (alphabet, lengths) in [
            ("abcdefghijklmnopqrstuvwxyz", [12, 16, 24]),
            (
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                [14, 16, 24],
            ),
        ] {
            if context.contains(" is ") && alphabet.len() > 26 {
                continue;
            }
            for length in lengths {
                for _ in 0..DRAWN {
                    let secret: String = (0..length)
                        .map(|_| char::from(alphabet.as_bytes()[draw.below(alphabet.len())]))
                        .collect();
                    let text = context.replacen('@', &secret, 1);
                    let redacted = super::super::Redactor::standard().redact_text(&text);
                    if redacted.text.contains(&secret) {
                        left.push(text);
                    }
                }
            }
        }
    }
    // Few that chance made sound like words.
    let drawn = (LETTERS.len() * 6 - 3) * DRAWN;
    assert!(
        left.len() * 50 <= drawn,
        "{} of {drawn}: {left:#?}",
        left.len()
    );
}

#[test]
fn passwords_of_several_words_are_found_between_quotes() {
    let cases = ["correct horse battery staple", "w1th space"].map(|secret| {
        let texts = [
            format!("password=\"{secret}\""),
            format!("PGPASSWORD='{secret}' psql"),
            format!("\"password\": \"{secret}\""),
        ];
        texts.map(|text| (text, secret.to_owned()))
    });
    assert_all_gone(cases.into_iter().flatten());
}

#[test]
fn what_stands_for_a_secret_is_kept() {
    let mut kept: Vec<String> = Vec::new();
    for text in [
        "password",
        "password:",
        "PASSWORD=",
        "password = None",
        "password: string",
        "password=\"\"",
        "password: required",
        "password: string;",
        "password = getPassword()",
        "password = passwordConfirmation",
        "\"password\": \"password\"",
        "\"password\": \"Your new password\"",
        "password: 'must have 8 characters'",
        "password=\"between two and ten characters\"",
        "password: \"incorrect username or password\"",
        "api_key: 'acknowledged'",
        "the password is sha256sum of it",
        "password = os.environ['DB_PASSWORD']",
        "PASSWORD=$DB_PASSWORD",
        "PASSWORD=${DB_PASSWORD}",
        "API_KEY=your-api-key-here",
        "API_KEY=<your key>",
        "api_key: xxxxxxxxxxxxxxxx",
        "TOKEN=****************",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "api_key = get_api_key()",
        "api_key = config.api_key",
        "const token = await fetchToken(user1);",
        "let token = self.tokens[i];",
        "token = tokens[0]",
        "\"max_tokens\": 4096",
        "input_tokens: 123456789",
        "password_hash = x9kQ2vLp",
        "key_id: a1b2c3d4e5f6a7b8c9d0",
        "--- PASS: TestContract_GeminiCLI_AfterAgent (0.33s)",
        "primary key: a1b2c3d4e5",
        "cache key = a1b2c3d4e5f60718",
        "\"public_key\": \"a1b2c3d4e5f60718293a4b5c6d7e8f90\"",
        "Session: 4a6d8f10-9b1c-4e55-8f7a-0f6a2c3d4e5f",
        "\"signature\": \"EqoBCkgIARABGAIiQL8k2mXvQ4w9\"",
        "postgres://user:password@localhost/db",
        "https://user:${TOKEN}@h.test/",
        "http://localhost:8080/@me",
        "https://h.test/@scope/name1234567890abcdef",
        "Authorization: Bearer $TOKEN",
        "Authorization: Bearer <token>",
        "Bearer token authentication",
        "mysql -u root -p db",
        "docker run -p 8080:8080 x",
        "docker run -u 1000:1000 x",
        "curl -u user:password h",
        "mkdir -p crates/capture/src1/redact",
        "passed: 12 tests",
        "the token is refreshed each hour",
        "secret: projects/123456789/secrets/name1",
        "tokenizer = \"cl100k_base\"",
        "auth: src/auth/session2.rs",
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "if (password == password2) {",
        "seed: 0x5453595320494249u64",
        "4111 1111 1111 1111",
    ] {
        kept.push(text.to_owned());
    }
    assert_all_kept(kept.iter().map(String::as_str));
}

#[test]
fn what_stands_for_a_password_in_a_command_or_a_sentence_is_kept() {
    assert_all_kept([
        "the password is bcrypt2 hashed, and wrong!",
        "GRANT ALL ON x TO a IDENTIFIED BY '$PASSWORD'",
        "users are identified by their numbers1 here",
        "users are identified by numbers1 alone",
        "ConvertTo-SecureString $plain1 -AsPlainText",
        "wget https://h.test/a.zip -P downloads1",
        "ssh-keygen -t ed25519 -N '' -f k1",
        "net use Z: \\\\srv1\\share1 /user:bob1 *",
        "echo done1 | prog --stdin",
        "echo $TOKEN | gh auth login --with-token",
        "echo \"$PASSWORD\" | docker login --password-stdin",
        "echo done | tee log; docker login --password-stdin",
        "gh auth login --with-token <<< \"$GH_TOKEN\"",
        "gh auth login --with-token <<< $GH_TOKEN1",
        "openssl enc -aes-256-cbc -k \"$PASSWORD\" -in a1",
        "curl -k https://h.test/a1b2c3",
        "const [password1, setPassword] = useState(\"\");",
        "setPassword(event.target.value1)",
        "form.setPassword(\"\")",
        "setTokens({ input: 512, output: 1024 })",
        "localStorage.setToken(\"access_token\")",
        "{\"password\": {\"type\": \"string\", \"minLength\": 12}}",
        "{\"password\": {\"value\": \"\", \"touched1\": false}}",
        "token: { value: token1 }",
    ]);
}

#[test]
fn the_value_of_a_member_that_is_named_around_it_is_found() {
    let secret = "q7zk29dmpw4xt1vb";
    let redactor = Redactor::standard();
    for (json, is_secret) in [
        (r#"{"password":{"value":"@"}}"#, true),
        (r#"{"a":[{"apiKey":{"touched":true,"value":"@"}}]}"#, true),
        (r#"{"commit":{"value":"@"}}"#, false),
        (r#"{"password":{"hash":{"value":"@"}}}"#, false),
        (r#"{"value":"@"}"#, false),
    ] {
        let value = serde_json::from_str(&json.replace('@', secret)).unwrap();
        let redacted = redactor.redact_json(&value).value.to_string();
        assert_eq!(!redacted.contains(secret), is_secret, "{redacted}");
    }
}

#[test]
fn a_seed_phrase_is_found() {
    let mut cases = Vec::new();
    let words = "apple brave crane dance eagle fancy grape honey ivory jolly knife lemon";
    cases.push((
        format!("mnemonic: \"{words}\"").to_owned(),
        words.to_string(),
    ));
    cases.push((
        format!("Seed phrase: {words}\n").to_owned(),
        words.to_string(),
    ));
    assert_all_gone(cases);
}
