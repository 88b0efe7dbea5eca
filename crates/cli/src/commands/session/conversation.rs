//! What happened in a session, for a person at a terminal.

use std::io::{self, Write};

use serde_json::Value as Json;
use syncline_model::Timestamp;
use syncline_model::session::words;
use syncline_store::sessions::{
    Event, SessionCompaction, SessionError, SessionMessage, SessionPart, SessionTool,
};
use unicode_width::UnicodeWidthStr;

use super::in_order::Stretch;
use super::reference::ShortIds;
use super::text::one_line;
use super::tool_line::{Ended, brief, ended, outcome, reason, untold_error};
use crate::output::{Colour, Style, printable};
use crate::table::cut_beside;
use crate::wording::counted;

/// How many lines of a thought or of what no person typed are shown where things are folded.
const FOLDED_LINES_MAX: usize = 6;
const LINE_CHARS_MAX: usize = 100;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// Tool calls on a line each, thoughts by their first lines.
    Folded,
    Full,
}

/// Writes events one after another.
pub(super) struct Conversation<'a> {
    pub(super) colour: Colour,
    pub(super) fold: Fold,
    /// How many cells a line has that stands for more; none: as many as it takes.
    pub(super) width: Option<usize>,
    pub(super) ids: &'a ShortIds,
    /// Paths below it are told from there.
    pub(super) root: Option<String>,
    /// The day that was last written.
    pub(super) day: String,
    /// Who spoke last, so that what one model says at a stretch has one head.
    pub(super) speaker: String,
    /// What was written last.
    pub(super) last: Block,
}

/// A stretch of lines; another kind of stretch begins behind an empty line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Head,
    Said,
    Thought,
    Tools,
}

/// What stands before the lines of a thought: colour alone must not tell it from what was said.
const THOUGHT: &str = "┊ ";

impl Conversation<'_> {
    pub(super) fn event(
        &mut self,
        event: &Event,
        stretch: Stretch,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match event {
            Event::Message(message) => self.message(message, stretch, out),
            Event::Tool(tool) => self.tool(tool, out),
            Event::Error(error) => self.error(error, out),
            Event::Compaction(compaction) => self.compaction(compaction, out),
            Event::Raw(line) => self.raw(line, out),
            // Its tokens are in the figures.
            Event::Usage(_) => Ok(()),
        }
    }

    fn message(
        &mut self,
        message: &SessionMessage,
        stretch: Stretch,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let parts = message.parts.iter();
        let shown: Vec<&SessionPart> = parts.filter(|part| self.is_shown(part)).collect();
        if shown.is_empty() {
            return Ok(());
        }
        self.head(message, stretch, out)?;
        for part in shown {
            self.part(message, part, out)?;
        }
        Ok(())
    }

    fn is_shown(&self, part: &SessionPart) -> bool {
        let is_empty = part.text.trim().is_empty() && part.reference.is_none();
        !is_empty && (self.fold == Fold::Full || part.kind != words::RAW)
    }

    fn head(
        &mut self,
        message: &SessionMessage,
        stretch: Stretch,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut speaker = message.role.clone().unwrap_or_else(|| "-".to_owned());
        for more in [&message.kind, &message.model].into_iter().flatten() {
            speaker.push_str(&format!(" · {more}"));
        }
        for (marked, mark) in [
            (message.is_sidechain, "sidechain"),
            (message.rewound, "rewound"),
            (message.copied_from.is_some(), "copied"),
        ] {
            if marked {
                speaker.push_str(&format!(" · {mark}"));
            }
        }
        let is_user = message.role.as_deref() == Some(words::USER);
        if speaker == self.speaker && (!is_user || stretch == Stretch::Later) {
            return Ok(());
        }
        self.speaker.clone_from(&speaker);
        self.last = Block::Head;
        let (role, more) = speaker.split_once(" · ").unwrap_or((&speaker, ""));
        let style = if is_user { Style::Good } else { Style::Strong };
        let role = self.colour.paint(style, printable(role));
        let time = self.time(message.at);
        let more = [printable(more).into_owned(), time].join("  ");
        writeln!(
            out,
            "\n{role}  {}",
            self.colour.paint(Style::Faint, more.trim())
        )
    }

    /// The time of day, with the day where it is another than before.
    fn time(&mut self, at: Option<Timestamp>) -> String {
        let Some(at) = at.map(|at| at.to_string()) else {
            return String::new();
        };
        let (day, time) = (&at[..10], &at[11..19]);
        if day == self.day {
            return format!("{time}Z");
        }
        self.day = day.to_owned();
        format!("{day} {time}Z")
    }

    fn part(
        &mut self,
        message: &SessionMessage,
        part: &SessionPart,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if let Some(reference) = &part.reference {
            let media = part.media_type.as_deref().unwrap_or(&part.kind);
            let line = format!("[{media}: {}]", one_line(reference, LINE_CHARS_MAX));
            writeln!(
                out,
                "  {}",
                self.colour.paint(Style::Faint, printable(&line))
            )?;
        }
        let is_said = part.kind == words::TEXT && message.kind.is_none();
        self.begin(if is_said { Block::Said } else { Block::Thought }, out)?;
        if is_said {
            return self.lines(&part.text, usize::MAX, None, out);
        }
        let lines_max = match self.fold {
            Fold::Folded => FOLDED_LINES_MAX,
            Fold::Full => usize::MAX,
        };
        self.lines(&part.text, lines_max, Some(Style::Faint), out)
    }

    fn lines(
        &self,
        text: &str,
        lines_max: usize,
        style: Option<Style>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let text = printable(text.trim_end());
        let text = text.trim_start_matches('\n');
        let painted = |line: &str| match style {
            Some(style) => self.colour.paint(style, format_args!("{THOUGHT}{line}")),
            None => line.to_owned(),
        };
        for line in text.lines().take(lines_max) {
            writeln!(out, "{}", format!("  {}", painted(line)).trim_end())?;
        }
        let more = text.lines().count().saturating_sub(lines_max);
        if more > 0 {
            let more = format!("{THOUGHT}… {}", counted(more as u64, "more line"));
            writeln!(out, "  {}", self.colour.paint(Style::Faint, more))?;
        }
        Ok(())
    }

    fn begin(&mut self, block: Block, out: &mut dyn Write) -> io::Result<()> {
        if self.last != block && self.last != Block::Head {
            out.write_all(b"\n")?;
        }
        self.last = block;
        Ok(())
    }

    /// A tool call on a line; all of it where nothing is folded.
    fn tool(&mut self, tool: &SessionTool, out: &mut dyn Write) -> io::Result<()> {
        self.begin(Block::Tools, out)?;
        let mark = match ended(tool) {
            Ended::Well => self.colour.paint(Style::Good, "✓"),
            Ended::Badly => self.colour.paint(Style::Bad, "✗"),
            Ended::Unknown => self.colour.paint(Style::Faint, "·"),
        };
        let name = one_line(tool.name.as_deref().unwrap_or("tool"), LINE_CHARS_MAX);
        let child = tool.child_session.as_deref().and_then(|id| id.parse().ok());
        let child = child.map(|child| format!("→ {}", self.ids.of(child)));
        let (outcome, child) = (outcome(tool), child.unwrap_or_default());
        let others = [name.as_str(), &outcome, &child];
        let others = others.map(|text| text.width() + 2).iter().sum::<usize>();
        let brief = brief(tool, self.root.as_deref());
        let brief = cut_beside(&brief, others + 4, self.width);
        let mut line = format!("  {mark} {}", self.colour.paint(Style::Strong, &name));
        for (text, style) in [(brief, None), (outcome, Some(Style::Faint)), (child, None)] {
            if !text.is_empty() {
                let text =
                    style.map_or_else(|| text.clone(), |style| self.colour.paint(style, &text));
                line.push_str(&format!("  {text}"));
            }
        }
        writeln!(out, "{line}")?;
        if self.fold == Fold::Full {
            return self.unfolded(tool, out);
        }
        if let Some(reason) = reason(tool) {
            let reason = cut_beside(&one_line(reason, LINE_CHARS_MAX), 4, self.width);
            writeln!(out, "    {}", self.colour.paint(Style::Faint, reason))?;
        }
        Ok(())
    }

    fn unfolded(&self, tool: &SessionTool, out: &mut dyn Write) -> io::Result<()> {
        for part in &tool.parts {
            let label = part.kind.strip_prefix("tool_").unwrap_or(&part.kind);
            let label = self
                .colour
                .paint(Style::Faint, format_args!("{}:", printable(label)));
            writeln!(out, "    {label}")?;
            let text = match part.kind == words::TOOL_INPUT {
                true => readable(&part.text),
                false => part.text.clone(),
            };
            for line in printable(&text).lines() {
                writeln!(out, "{}", format!("      {line}").trim_end())?;
            }
        }
        if let Some(error) = untold_error(tool) {
            let label = self.colour.paint(Style::Bad, "error:");
            writeln!(out, "    {label} {}", printable(error))?;
        }
        Ok(())
    }

    fn error(&mut self, error: &SessionError, out: &mut dyn Write) -> io::Result<()> {
        let kind = error.kind.as_deref().unwrap_or("error");
        let message = error.message.as_deref().unwrap_or_default();
        let head = self
            .colour
            .paint(Style::Bad, format_args!("! {}", printable(kind)));
        let time = self.time(error.at);
        writeln!(out, "\n{head}  {}", self.colour.paint(Style::Faint, time))?;
        self.speaker.clear();
        self.last = Block::Head;
        self.lines(message, usize::MAX, None, out)
    }

    fn compaction(
        &mut self,
        compaction: &SessionCompaction,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let head = format!("── {}", told_compaction(compaction));
        let time = self.time(compaction.at);
        let head = self.colour.paint(Style::Warning, head);
        writeln!(out, "\n{head}  {}", self.colour.paint(Style::Faint, time))?;
        self.speaker.clear();
        self.last = Block::Head;
        let lines_max = match self.fold {
            Fold::Folded => FOLDED_LINES_MAX,
            Fold::Full => usize::MAX,
        };
        let summary = compaction.summary.as_deref().unwrap_or_default();
        self.lines(summary, lines_max, Some(Style::Faint), out)
    }

    fn raw(&mut self, line: &SessionPart, out: &mut dyn Write) -> io::Result<()> {
        if !self.is_shown(line) {
            return Ok(());
        }
        let head = self.colour.paint(Style::Faint, "── raw");
        writeln!(out, "\n{head}")?;
        self.speaker.clear();
        self.last = Block::Head;
        self.lines(&line.text, usize::MAX, Some(Style::Faint), out)
    }
}

/// JSON as a person reads it: a line per field, texts with their own line breaks.
pub(super) fn readable(text: &str) -> String {
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(fields)) => {
            let lines = fields.iter().map(|(name, value)| match value {
                Json::String(text) if text.contains('\n') => {
                    format!("{name}:\n  {}", text.replace('\n', "\n  "))
                }
                Json::String(text) => format!("{name}: {text}"),
                other => format!("{name}: {other}"),
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Ok(_) | Err(_) => text.to_owned(),
    }
}

/// A compaction in a line: its cause, and the tokens that it was of.
pub(super) fn told_compaction(compaction: &SessionCompaction) -> String {
    let mut told = "compaction".to_owned();
    if let Some(trigger) = &compaction.trigger {
        told.push_str(&format!(" ({})", printable(trigger)));
    }
    match (compaction.tokens_before, compaction.tokens_after) {
        (Some(before), Some(after)) => told.push_str(&format!(", {before} → {after} tokens")),
        (Some(before), None) => told.push_str(&format!(", of {before} tokens")),
        (None, _) => {}
    }
    told
}
