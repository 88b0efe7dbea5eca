//! Sessions as one HTML page that needs nothing else: no script, and no address that a browser would
//! ask. Whatever was said stands in it as text.

use std::io::{self, Write};

use syncline_model::session::words;
use syncline_store::sessions::{
    Event, Session, SessionCompaction, SessionError, SessionMessage, SessionPart, SessionTool,
};

use super::conversation::{readable, told_compaction};
use super::in_order::Stretch;
use super::reference::title_of;
use super::show::{Head, facts};
use super::text::one_line;
use super::tool_line::{Ended, brief, ended, outcome, untold_error};
use crate::output::printable;

const TITLE_CHARS_MAX: usize = 200;

/// Forbids the browser everything but the style below, should an escape ever fail.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;font-size:.9rem}
dt{opacity:.65}dd{margin:0;overflow-wrap:anywhere}
article{margin:1rem 0;padding:.2rem 0 .2rem 1rem;border-left:3px solid #8888}
article.user{border-color:#2a7}article.error{border-color:#c33}
header{font-size:.85rem;opacity:.75}
.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}
.faint{opacity:.65}
details{margin:.2rem 0}summary{cursor:pointer;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem;background:#8881;padding:.5rem;margin:.3rem 0}
.bad{color:#c33}.good{color:#2a7}
";

pub(super) fn open(sessions: &[Session], out: &mut dyn Write) -> io::Result<()> {
    let title = match sessions {
        [session] => one_line(title_of(session), TITLE_CHARS_MAX),
        sessions => format!("{} sessions", sessions.len()),
    };
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
        escaped(&title)
    )
}

pub(super) fn close(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</body>\n</html>")
}

pub(super) fn head(head: &Head, out: &mut dyn Write) -> io::Result<()> {
    let title = one_line(title_of(&head.session), TITLE_CHARS_MAX);
    writeln!(out, "<section>\n<h1>{}</h1>\n<dl>", escaped(&title))?;
    for (label, text) in facts(head) {
        writeln!(out, "<dt>{label}</dt><dd>{}</dd>", escaped(&text))?;
    }
    writeln!(out, "</dl>")
}

pub(super) fn foot(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</section>")
}

pub(super) fn event(event: &Event, stretch: Stretch, out: &mut dyn Write) -> io::Result<()> {
    match event {
        Event::Message(message) => self::message(message, stretch, out),
        Event::Tool(tool) => self::tool(tool, out),
        Event::Error(error) => self::error(error, out),
        Event::Compaction(compaction) => self::compaction(compaction, out),
        Event::Raw(line) => folded(words::RAW, &escaped(line.text.trim()), out),
        // Its tokens are in the figures.
        Event::Usage(_) => Ok(()),
    }
}

fn message(message: &SessionMessage, stretch: Stretch, out: &mut dyn Write) -> io::Result<()> {
    let shown = |part: &&SessionPart| !part.text.trim().is_empty() || part.reference.is_some();
    let parts: Vec<&SessionPart> = message.parts.iter().filter(shown).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let role = message.role.as_deref().unwrap_or("unknown");
    let class = if role == words::USER {
        " class=\"user\""
    } else {
        ""
    };
    let at = message.at.map(|at| at.to_string());
    let more = [&message.kind, &message.model, &at].into_iter().flatten();
    let more: String = more.map(|more| format!(" · {more}")).collect();
    writeln!(out, "<article{class}>")?;
    if stretch == Stretch::First {
        let (role, more) = (escaped(role), escaped(&more));
        writeln!(out, "<header><b>{role}</b>{more}</header>")?;
    }
    for part in parts {
        if let Some(reference) = &part.reference {
            let line = format!("[{}: {reference}]", part.kind);
            writeln!(out, "<p class=\"faint\">{}</p>", escaped(&line))?;
        }
        if part.text.trim().is_empty() {
            continue;
        }
        let text = escaped(part.text.trim());
        if part.kind == words::TEXT && message.kind.is_none() {
            writeln!(out, "<div class=\"text\">{text}</div>")?;
        } else {
            folded(&escaped(&part.kind), &text, out)?;
        }
    }
    writeln!(out, "</article>")
}

/// Both are escaped already.
fn folded(summary: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<details><summary class=\"faint\">{summary}</summary><pre>{text}</pre></details>"
    )
}

fn tool(tool: &SessionTool, out: &mut dyn Write) -> io::Result<()> {
    let (class, mark) = match ended(tool) {
        Ended::Well => ("good", "✓"),
        Ended::Badly => ("bad", "✗"),
        Ended::Unknown => ("faint", "·"),
    };
    let name = tool.name.as_deref().unwrap_or("tool");
    writeln!(
        out,
        "<details><summary><span class=\"{class}\">{mark}</span> <b>{}</b> <code>{}</code> \
         <span class=\"faint\">{}</span></summary>",
        escaped(name),
        escaped(&brief(tool, None)),
        escaped(&outcome(tool))
    )?;
    for part in &tool.parts {
        let text = match part.kind == words::TOOL_INPUT {
            true => readable(&part.text),
            false => part.text.clone(),
        };
        writeln!(out, "<pre>{}</pre>", escaped(text.trim_end()))?;
    }
    if let Some(error) = untold_error(tool) {
        writeln!(out, "<pre class=\"bad\">{}</pre>", escaped(error))?;
    }
    writeln!(out, "</details>")
}

fn error(error: &SessionError, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<article class=\"error\">\n<header><b>error</b> {}</header>\n<pre>{}</pre>\n</article>",
        escaped(error.kind.as_deref().unwrap_or_default()),
        escaped(error.message.as_deref().unwrap_or_default())
    )
}

fn compaction(compaction: &SessionCompaction, out: &mut dyn Write) -> io::Result<()> {
    let told = escaped(&told_compaction(compaction));
    match &compaction.summary {
        Some(summary) => folded(&told, &escaped(summary), out),
        None => writeln!(out, "<p class=\"faint\">{told}</p>"),
    }
}

/// `text` as text of a page, also within a quoted attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for c in printable(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_said_is_markup() {
        let hostile = "</pre><script>alert('x')</script>\" onload=\"&\u{1b}";
        assert_eq!(
            escaped(hostile),
            "&lt;/pre&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; \
             onload=&quot;&amp;\u{fffd}"
        );
    }
}
