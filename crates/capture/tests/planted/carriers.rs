//! The text of a coding agent's transcript that a secret stands in.

use super::kinds::{Kind, Shape};
use super::random::Random;

/// A text around `value`, and the name of its sort.
pub(crate) fn carry(kind: &Kind, value: &str, random: &mut Random) -> (&'static str, String) {
    let carriers: &[Carrier] = match kind.shape {
        Shape::Unmarked => &NAMED,
        Shape::Marked => &ALL,
        Shape::Url => &URLS,
        Shape::Header => &HEADERS,
        Shape::Block => &BLOCKS,
        Shape::Line => &LINES,
    };
    let (name, write) = random.pick(carriers);
    (name, write(kind, value))
}

type Carrier = (&'static str, fn(&Kind, &str) -> String);

const NAMED: [Carrier; 7] = [
    ("dotenv", dotenv),
    ("tool output", environment),
    ("curl", curl),
    ("json", json),
    ("stack trace", stack_trace),
    ("log line", log_line),
    ("diff", diff),
];

const ALL: [Carrier; 9] = [
    ("dotenv", dotenv),
    ("tool output", environment),
    ("curl", curl),
    ("json", json),
    ("stack trace", stack_trace),
    ("log line", log_line),
    ("diff", diff),
    ("bare log line", bare_log_line),
    ("prompt", prompt),
];

const URLS: [Carrier; 8] = [
    ("dotenv", dotenv),
    ("tool output", environment),
    ("curl of url", curl_of_url),
    ("json", json),
    ("stack trace", stack_trace),
    ("diff", diff),
    ("bare log line", bare_log_line),
    ("prompt", prompt),
];

const HEADERS: [Carrier; 3] = [
    ("curl", curl),
    ("verbose curl", verbose_curl),
    ("header in json", header_in_json),
];

const BLOCKS: [Carrier; 4] = [
    ("file", file),
    ("heredoc", heredoc),
    ("yaml", yaml_block),
    ("diff of file", diff_of_file),
];

const LINES: [Carrier; 2] = [("line", line), ("line among others", line_among_others)];

/// The name as a member of JSON.
pub(crate) fn member(kind: &Kind) -> String {
    kind.variable.to_lowercase()
}

fn dotenv(kind: &Kind, value: &str) -> String {
    format!(
        "$ cat .env\nNODE_ENV=production\nPORT=8080\n{}={value}\nLOG_LEVEL=info\n",
        kind.variable
    )
}

fn environment(kind: &Kind, value: &str) -> String {
    format!(
        "$ env | sort | tail -3\nPWD=/home/dev/shop\n{}={value}\nSHELL=/bin/zsh\n",
        kind.variable
    )
}

fn curl(kind: &Kind, value: &str) -> String {
    format!(
        "curl -sS -X POST 'https://api.example.dev/v1/items' -H '{}{value}' -H 'Accept: */*'",
        kind.header
    )
}

fn verbose_curl(kind: &Kind, value: &str) -> String {
    format!(
        "> GET /v1/me HTTP/2\n> Host: api.example.dev\n> {}{value}\n> Accept: */*\n",
        kind.header
    )
}

fn header_in_json(_: &Kind, value: &str) -> String {
    let (name, content) = value.split_once(": ").unwrap_or(("Authorization", value));
    let method = "GET";
    format!("{{\n  \"method\": \"{method}\",\n  \"headers\": {{ \"{name}\": \"{content}\" }}\n}}\n")
}

fn curl_of_url(_: &Kind, value: &str) -> String {
    format!("$ curl -fsSL -o out.bin '{value}'\ncurl: (22) The requested URL returned error: 403\n")
}

fn json(kind: &Kind, value: &str) -> String {
    format!(
        "{{\n  \"region\": \"eu-west-1\",\n  \"{}\": \"{value}\",\n  \"retries\": 3\n}}\n",
        member(kind)
    )
}

fn stack_trace(kind: &Kind, value: &str) -> String {
    format!(
        "Error: Request failed with status code 401\n    at createError (core/createError.js:16:15)\n    \
         at settle (core/settle.js:17:12) {{\n  config: {{ retries: 0, {}: '{value}' }}\n}}\n",
        kind.variable
    )
}

fn log_line(kind: &Kind, value: &str) -> String {
    format!(
        "2026-01-09T08:12:44.120Z WARN client: refused status=401 {}={value} attempt=2\n",
        kind.variable
    )
}

fn bare_log_line(_: &Kind, value: &str) -> String {
    format!("2026-01-09T08:12:44.120Z ERROR client: cannot sign in with {value} (status 401)\n")
}

fn prompt(_: &Kind, value: &str) -> String {
    format!("please run the migration again, this time with {value} and tell me what it prints")
}

fn diff(kind: &Kind, value: &str) -> String {
    let name = kind.variable;
    format!(
        "@@ -3,5 +3,5 @@ services:\n   environment:\n-    {name}: changeme\n+    {name}: {value}\n     PORT: 80\n"
    )
}

fn file(_: &Kind, value: &str) -> String {
    format!("$ cat certs/server.key\n{value}$ ls certs\nserver.crt  server.key\n")
}

fn line(_: &Kind, value: &str) -> String {
    value.to_owned()
}

fn line_among_others(_: &Kind, value: &str) -> String {
    format!("$ tail -n 3 notes\n{value}\nall of it done\n")
}

fn heredoc(_: &Kind, value: &str) -> String {
    format!("cat > ~/.ssh/deploy <<'END'\n{value}END\nchmod 600 ~/.ssh/deploy\n")
}

fn yaml_block(kind: &Kind, value: &str) -> String {
    let lines = value.trim_end().replace('\n', "\n    ");
    format!("data:\n  {}: |\n    {lines}\n  port: 80\n", member(kind))
}

fn diff_of_file(_: &Kind, value: &str) -> String {
    let lines = value.trim_end().replace('\n', "\n+");
    format!("--- /dev/null\n+++ b/server.key\n@@ -0,0 +1,9 @@\n+{lines}\n")
}
