//! A session as Markdown.

use std::io::{self, Write};

use syncline_model::session::words;
use syncline_store::sessions::{Event, SessionMessage, SessionPart, SessionTool};

use super::conversation::{readable, told_compaction};
use super::in_order::Stretch;
use super::reference::title_of;
use super::show::{Head, facts};
use super::text::one_line;
use super::tool_line::{brief, outcome, untold_error};
use crate::output::printable;

const TITLE_CHARS_MAX: usize = 200;

pub(super) fn head(head: &Head, out: &mut dyn Write) -> io::Result<()> {
    let title = one_line(title_of(&head.session), TITLE_CHARS_MAX);
    writeln!(out, "# {}\n", escaped(&title))?;
    for (label, text) in facts(head) {
        writeln!(
            out,
            "- {label}: {}",
            escaped(&one_line(&text, usize::MAX / 8))
        )?;
    }
    out.write_all(b"\n")
}

/// What was said is Markdown as a rule, and stands as a quotation: a fence or tag that it leaves open ends
/// there. All else stands in code blocks.
pub(super) fn event(event: &Event, stretch: Stretch, out: &mut dyn Write) -> io::Result<()> {
    match event {
        Event::Message(message) => self::message(message, stretch, out),
        Event::Tool(tool) => self::tool(tool, out),
        Event::Error(error) => {
            writeln!(
                out,
                "## Error: {}\n",
                escaped(error.kind.as_deref().unwrap_or("unknown"))
            )?;
            block(error.message.as_deref().unwrap_or_default(), out)
        }
        Event::Compaction(compaction) => {
            writeln!(out, "## {}\n", escaped(&told_compaction(compaction)))?;
            match &compaction.summary {
                Some(summary) => block(summary, out),
                None => Ok(()),
            }
        }
        // Here is what a person reads: the other formats have it.
        Event::Raw(_) | Event::Usage(_) => Ok(()),
    }
}

fn message(message: &SessionMessage, stretch: Stretch, out: &mut dyn Write) -> io::Result<()> {
    let shown = |part: &&SessionPart| {
        part.kind != words::RAW && (!part.text.trim().is_empty() || part.reference.is_some())
    };
    let parts: Vec<&SessionPart> = message.parts.iter().filter(shown).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let role = message.role.as_deref().unwrap_or("unknown");
    let at = message.at.map(|at| format!(", {at}")).unwrap_or_default();
    let more = [&message.kind, &message.model].into_iter().flatten();
    let more: String = more.map(|more| format!(", {more}")).collect();
    if stretch == Stretch::First {
        writeln!(out, "## {}\n", escaped(&format!("{role}{more}{at}")))?;
    }
    for part in parts {
        if let Some(reference) = &part.reference {
            writeln!(out, "*{}: {}*\n", escaped(&part.kind), escaped(reference))?;
        }
        let said = part.kind == words::TEXT && message.kind.is_none();
        match (said, part.text.trim().is_empty()) {
            (_, true) => {}
            (true, false) => quotation(&part.text, out)?,
            (false, false) => {
                writeln!(out, "*{}*\n", escaped(&part.kind))?;
                block(&part.text, out)?;
            }
        }
    }
    Ok(())
}

fn tool(tool: &SessionTool, out: &mut dyn Write) -> io::Result<()> {
    let name = tool.name.as_deref().unwrap_or("tool");
    let mut line = format!("**{}**", escaped(name));
    for text in [brief(tool, None), outcome(tool)] {
        if !text.is_empty() {
            line.push_str(&format!(" — {}", escaped(&text)));
        }
    }
    writeln!(out, "{line}\n")?;
    for part in &tool.parts {
        let label = part.kind.strip_prefix("tool_").unwrap_or(&part.kind);
        writeln!(out, "*{}*\n", escaped(label))?;
        match part.kind == words::TOOL_INPUT {
            true => block(&readable(&part.text), out)?,
            false => block(&part.text, out)?,
        }
    }
    if let Some(error) = untold_error(tool) {
        writeln!(out, "*error*\n")?;
        block(error, out)?;
    }
    Ok(())
}

fn quotation(text: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in printable(text).trim().lines() {
        writeln!(out, "{}", format!("> {line}").trim_end())?;
    }
    writeln!(out)
}

/// A code block whose fence is longer than any in the text.
fn block(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = printable(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    writeln!(out, "{fence}\n{}\n{fence}\n", text.trim_end())
}

/// `text` without what Markdown takes for more than text.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '!'
        ) {
            safe.push('\\');
        }
        safe.push(if c.is_control() { ' ' } else { c });
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_the_block_that_it_stands_in() {
        let mut out = Vec::new();
        block("a\n````\nb", &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "`````\na\n````\nb\n`````\n\n"
        );
    }

    #[test]
    fn a_heading_shows_words_in_the_order_that_they_stand_in() {
        assert_eq!(
            escaped("model\u{202e}a\u{2066}b\nc"),
            "model\u{fffd}a\u{fffd}b c"
        );
    }

    #[test]
    fn a_fence_that_somebody_left_open_ends_with_what_they_said() {
        let mut out = Vec::new();
        quotation("look:\n\n```sh\nls\n<!-- so", &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "> look:\n>\n> ```sh\n> ls\n> <!-- so\n\n"
        );
    }
}
