//! A Rust file taken apart: what is code, what is a comment, what is a text.

/// The parts of a Rust file. Lines are counted from 1.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file with every comment and literal blanked; the lines stay where they are.
    pub(crate) code: String,
    pub(crate) comments: Vec<Part>,
    pub(crate) literals: Vec<Part>,
}

/// A comment or text literal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The line on which it begins.
    pub(crate) line: usize,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Source {
    /// Takes a file apart. Good enough for the code that rustfmt writes: what it can't tell, it
    /// takes for code.
    pub(crate) fn read(text: &str) -> Self {
        let mut source = Self {
            code: String::with_capacity(text.len()),
            comments: Vec::new(),
            literals: Vec::new(),
        };
        let mut rest = text;
        let mut line = 1;
        let mut before = ' ';
        while !rest.is_empty() {
            let (kind, length) = part_at_start(rest, before);
            let (part, after) = rest.split_at(length);
            source.take(kind, part, line);
            line += part.matches('\n').count();
            before = part.chars().next_back().unwrap_or(' ');
            rest = after;
        }
        source
    }

    /// The line of the module of unit tests, which stands at the end of a file.
    pub(crate) fn tests_begin(&self) -> Option<usize> {
        let lines: Vec<_> = self.code.lines().map(str::trim).collect();
        let is_module = |line: &str| line.contains("mod ") && line.ends_with('{');
        let pair = lines
            .windows(2)
            .position(|pair| pair[0].starts_with("#[cfg(test)]") && is_module(pair[1]));
        pair.map(|index| index + 1)
    }

    fn take(&mut self, kind: Kind, part: &str, line: usize) {
        let text = part.to_owned();
        match kind {
            Kind::Code => {
                self.code.push_str(part);
                return;
            }
            Kind::Comment => self.comments.push(Part { line, text }),
            Kind::Literal => self.literals.push(Part { line, text }),
        }
        self.code
            .extend(part.chars().map(|c| if c == '\n' { c } else { ' ' }));
    }
}

/// What `text` begins with, and its length in bytes. `before` is the character ahead of it.
fn part_at_start(text: &str, before: char) -> (Kind, usize) {
    if text.starts_with("//") {
        return (Kind::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (Kind::Comment, block_comment_length(text));
    }
    let in_word = before.is_alphanumeric() || before == '_';
    if !in_word && let Some(length) = raw_string_length(text) {
        return (Kind::Literal, length);
    }
    if text.starts_with('"') {
        return (Kind::Literal, quoted_length(text, '"'));
    }
    if text.starts_with('\'') && is_character(text) {
        return (Kind::Literal, quoted_length(text, '\''));
    }
    (Kind::Code, text.chars().next().map_or(0, char::len_utf8))
}

fn block_comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#`, `br"…"` and `cr"…"`, or `None` if `text` begins with none.
fn raw_string_length(text: &str) -> Option<usize> {
    let body = text
        .strip_prefix(['b', 'c'])
        .unwrap_or(text)
        .strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let content = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content
        .find(&end)
        .map_or(content.len(), |at| at + end.len());
    Some(text.len() - content.len() + length)
}

/// The length of a literal between two `quote`s.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Whether a `'` begins a character; else it begins a lifetime.
fn is_character(text: &str) -> bool {
    let mut rest = text.chars().skip(1);
    match rest.next() {
        Some('\\') => true,
        Some(_) => rest.next() == Some('\''),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(text: &str) -> Vec<String> {
        Source::read(text)
            .literals
            .into_iter()
            .map(|part| part.text)
            .collect()
    }

    #[test]
    fn literals_are_found_whatever_they_hold() {
        assert_eq!(
            literals(r#"f("a // \" b", 'c')"#),
            [r#""a // \" b""#, "'c'"]
        );
        assert_eq!(literals(r##"let x = r#"a " b"#;"##), [r##"r#"a " b"#"##]);
        assert_eq!(literals(r"'\'' and b'\\'"), [r"'\''", r"'\\'"]);
        assert_eq!(literals("fn f<'a>(x: &'a str) {}"), [""; 0]);
        assert_eq!(literals(r#"var"text""#), [r#""text""#]);
    }

    #[test]
    fn comments_nest_and_leave_the_lines_in_place() {
        let source = Source::read("a /* b /* c */\n d */ e // f\ng");
        assert_eq!(source.code.lines().count(), 3);
        assert_eq!(
            source.code.split_whitespace().collect::<Vec<_>>(),
            ["a", "e", "g"]
        );
        let lines: Vec<_> = source.comments.iter().map(|part| part.line).collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn the_tests_begin_at_their_module_and_not_at_an_import() {
        let import = "#[cfg(test)]\nuse a::B;\nfn f() {}\n";
        assert_eq!(Source::read(import).tests_begin(), None);
        let module = format!("{import}#[cfg(test)]\nmod tests {{\n}}\n");
        assert_eq!(Source::read(&module).tests_begin(), Some(4));
    }
}
