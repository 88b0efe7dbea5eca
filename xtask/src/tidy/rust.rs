//! The rules of Rust files.

use super::Finding;
use super::source::Source;
use super::tree::{File, gives_reason};

/// The most lines of a file.
const LINES_MAX: usize = 400;

/// Words that must not be in the code, and where they may be all the same.
struct Ban {
    rule: &'static str,
    words: &'static [&'static str],
    within: Within,
    /// Beginnings of the paths where it does not hold.
    homes: &'static [&'static str],
    message: &'static str,
}

/// Which lines a ban holds for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Everything,
    Tests,
    /// What is neither a test nor an example.
    Shipped,
}

const BANS: &[Ban] = &[
    Ban {
        rule: "unfinished",
        words: &["todo!", "unimplemented!", "dbg!"],
        within: Within::Everything,
        homes: &[],
        message: "finish it",
    },
    Ban {
        rule: "ignored-test",
        words: &["#[ignore", "ignore)]"],
        within: Within::Everything,
        homes: &[],
        message: "a test that does not run says nothing",
    },
    Ban {
        rule: "sleep",
        words: &["thread::sleep", "time::sleep", "sleep("],
        within: Within::Tests,
        homes: &[],
        message: "wait for the condition itself, with a deadline",
    },
    Ban {
        rule: "print",
        words: &["println!", "print!", "eprintln!", "eprint!"],
        within: Within::Shipped,
        homes: &["crates/cli/", "crates/sim/src/main.rs", "xtask/", "bench/"],
        message: "only the command line talks; a library returns or traces",
    },
    Ban {
        rule: "unsafe",
        words: &["unsafe", "unsafe_code"],
        within: Within::Everything,
        homes: &["crates/simdisk/"],
        message: "only the simulated disk, which is a SQLite VFS, needs it",
    },
];

/// Where SQL is at home. This crate names the words it looks for.
const SQL_HOMES: [&str; 8] = [
    "crates/store/",
    // What users type.
    "crates/cli/tests/it/query.rs",
    "crates/cli/tests/it/query_write.rs",
    "crates/server/src/log.rs",
    "crates/server/src/log/",
    "crates/simdisk/",
    "bench/",
    "xtask/",
];

/// Words in a comment that put work off without a place where it is tracked.
const PUT_OFF: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// What breaks a rule in a Rust file.
pub(crate) fn findings(file: &File) -> Vec<Finding> {
    let source = Source::read(&file.text);
    let mut findings = Vec::new();
    findings.extend(too_long(file));
    findings.extend(BANS.iter().flat_map(|ban| ban.findings(file, &source)));
    findings.extend(sql(file, &source));
    findings.extend(put_off(file, &source));
    findings.retain(|finding| !file.allows(finding.line, finding.rule));
    findings
}

impl Ban {
    fn findings(&self, file: &File, source: &Source) -> Vec<Finding> {
        if is_at_home(file, self.homes) {
            return Vec::new();
        }
        let lines = source.code.lines().zip(1..);
        let broken = lines.filter(|(line, _)| self.words.iter().any(|word| has_word(line, word)));
        let broken = broken.filter(|&(_, number)| self.within.holds(file, source, number));
        broken
            .map(|(_, number)| file.finding(number, self.rule, self.message))
            .collect()
    }
}

impl Within {
    fn holds(self, file: &File, source: &Source, line: usize) -> bool {
        let is_test_file = file.path.contains("/tests/") || file.path.ends_with("tests.rs");
        let is_test = is_test_file || source.tests_begin().is_some_and(|begin| line >= begin);
        let is_aside = file.path.contains("/examples/") || file.path.ends_with("/build.rs");
        match self {
            Self::Everything => true,
            Self::Tests => is_test,
            Self::Shipped => !is_test && !is_aside,
        }
    }
}

fn is_at_home(file: &File, homes: &[&str]) -> bool {
    homes.iter().any(|home| file.path.starts_with(home))
}

fn too_long(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    if lines <= LINES_MAX || file.text.lines().any(|line| gives_reason(line, "long")) {
        return None;
    }
    let message =
        format!("{lines} lines, over {LINES_MAX}: part it, or say `tidy: long because …`");
    Some(file.finding(1, "long", &message))
}

fn sql(file: &File, source: &Source) -> Vec<Finding> {
    if is_at_home(file, &SQL_HOMES) {
        return Vec::new();
    }
    let found = source
        .literals
        .iter()
        .filter(|literal| looks_like_sql(&literal.text));
    found
        .map(|literal| file.finding(literal.line, "sql", "SQL lives in `store`"))
        .collect()
}

fn put_off(file: &File, source: &Source) -> Vec<Finding> {
    let found = source
        .comments
        .iter()
        .filter(|comment| PUT_OFF.iter().any(|word| has_word(&comment.text, word)));
    found
        .map(|comment| file.finding(comment.line, "put-off", "do it, or file it"))
        .collect()
}

/// Whether a literal begins as a statement does, in the upper case that this tree writes SQL in.
fn looks_like_sql(literal: &str) -> bool {
    let text = literal.trim_start_matches(['b', 'c', 'r', '#', '"', '\\', '\n', ' ']);
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (first, second) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    match first {
        "SELECT" | "PRAGMA" | "ATTACH" => text.len() > first.len() + 1,
        "INSERT" => matches!(second, "INTO" | "OR"),
        "UPDATE" => text.contains(" SET "),
        "DELETE" => second == "FROM",
        "CREATE" | "ALTER" | "DROP" => matches!(
            second,
            "TABLE" | "INDEX" | "UNIQUE" | "VIRTUAL" | "TEMP" | "TRIGGER" | "VIEW"
        ),
        "BEGIN" => matches!(second, "IMMEDIATE" | "EXCLUSIVE" | "DEFERRED"),
        "WITH" => text.contains("SELECT"),
        _ => false,
    }
}

/// Whether `word` stands in `line` by itself, and not as a part of a longer word.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joins = |edge: Option<char>, beyond: Option<char>| {
            edge.is_some_and(in_word) && beyond.is_some_and(in_word)
        };
        !joins(word.chars().next(), before) && !joins(word.chars().next_back(), after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let file = File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        findings(&file).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn banned_words_are_found_in_code_alone() {
        let path = "crates/model/src/a.rs";
        assert_eq!(rules(path, "fn f() { todo!() }"), ["unfinished"]);
        assert_eq!(rules(path, "fn f() { println!(\"a\") }"), ["print"]);
        assert_eq!(rules(path, "unsafe { f() }"), ["unsafe"]);
        assert_eq!(
            rules(path, "#[ignore = \"slow\"]\nfn f() {}"),
            ["ignored-test"]
        );
        assert_eq!(
            rules(path, "// todo! println!\nlet a = \"dbg!(unsafe)\";"),
            [""; 0]
        );
        assert_eq!(rules(path, "my_println!(); let unsafe_name = 1;"), [""; 0]);
    }

    #[test]
    fn a_ban_ends_at_its_homes() {
        assert_eq!(
            rules("crates/simdisk/src/vfs.rs", "unsafe { f() }"),
            [""; 0]
        );
        assert_eq!(rules("crates/cli/src/output.rs", "println!();"), [""; 0]);
        assert_eq!(
            rules("crates/replica/examples/a.rs", "println!();"),
            [""; 0]
        );
    }

    #[test]
    fn tests_may_print_and_not_sleep() {
        let body = "thread::sleep(second); println!();";
        assert_eq!(rules("crates/client/tests/live.rs", body), ["sleep"]);
        assert_eq!(rules("crates/client/src/live.rs", body), ["print"]);
        let inside = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{body}\n}}");
        assert_eq!(rules("crates/client/src/live.rs", &inside), ["sleep"]);
        let excused = "// tidy: sleep because it is the interval of a poll\nthread::sleep(a);";
        assert_eq!(rules("crates/client/tests/live.rs", excused), [""; 0]);
    }

    #[test]
    fn sql_is_found_where_it_does_not_live() {
        let text = "q(\"SELECT a FROM b\");\nq(\n    \"\n    UPDATE a SET b = 1\",\n);";
        assert_eq!(rules("crates/cli/src/a.rs", text), ["sql", "sql"]);
        assert_eq!(rules("crates/store/src/a.rs", text), [""; 0]);
        assert_eq!(
            rules("crates/cli/src/a.rs", "m(\"DELETE\"); m(\"UPDATE it\");"),
            [""; 0]
        );
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        let text = "fn f() {}\n".repeat(LINES_MAX + 1);
        assert_eq!(rules("crates/cli/src/a.rs", &text), ["long"]);
        let reasoned = format!("// tidy: long because one table\n{text}");
        assert_eq!(rules("crates/cli/src/a.rs", &reasoned), [""; 0]);
    }

    #[test]
    fn work_put_off_in_a_comment_is_found() {
        assert_eq!(
            rules("crates/cli/src/a.rs", "// TODO: later\nfn f() {}"),
            ["put-off"]
        );
        assert_eq!(rules("crates/cli/src/a.rs", "const TODO: u8 = 1;"), [""; 0]);
    }
}
