//! A live session, as it goes on.

use std::collections::BTreeMap;
use std::io::Write;

use syncline_replica::Replica;
use syncline_store::TenantFile;
use syncline_store::sessions::{Event, EventCursor, PriceTable, read_events, session};

use super::conversation::{Conversation, Fold};
use super::events::EventShown;
use super::in_order::{InOrder, Stretch};
use super::show::{Head, conversation, draw_head};
use super::tool_line::{Ended, ended};
use crate::capture_state::CaptureState;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::watch::Watched;

/// So many events, twice, are looked at again for what has come to them.
const WINDOW_EVENTS: u64 = 200;

/// What has been printed of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Printed {
    /// A message with so many parts.
    Parts(usize),
    Tool(Ended),
    Whole,
}

/// Prints a session, and goes on with what comes to it until the process is ended.
pub(super) fn run(
    context: &Context,
    replica: Replica,
    head: &Head,
    fold: Fold,
    prices: &PriceTable,
) -> Outcome {
    tell_who_imports(context)?;
    let colour = context.output.colour();
    let json = context.output.format() == Format::Json;
    let mut follow = Follow {
        conversation: conversation(head, fold, &context.output),
        prices,
        printed: BTreeMap::new(),
        start: None,
    };
    if !json {
        context.output.write(|out| draw_head(head, out, colour))?;
    }
    let mut watched = Watched::new(context, replica)?;
    let id = head.session.session_id;
    loop {
        let view = watched.view()?;
        if session(view.connection(), id)?.is_none() {
            return Err(Failure::new("session_deleted", "the session was deleted"));
        }
        while let Some(events) = follow.news(view, head)? {
            context.output.write(|out| {
                if json {
                    for event in &events {
                        serde_json::to_writer(&mut *out, &EventShown::from(event))?;
                        out.write_all(b"\n")?;
                    }
                } else {
                    follow.print(&events, out)?;
                }
                let printed = events.iter().map(|event| (key(event), printed(event)));
                follow.printed.extend(printed);
                Ok(())
            })?;
        }
        watched.wait()?;
    }
}

/// Says where nothing new comes by itself: it is the daemon that reads what agents write.
fn tell_who_imports(context: &Context) -> Outcome {
    match CaptureState::ask(context)? {
        None => context.output.note(
            "no daemon answers: what agents write from now on is shown once it is imported, by \
             `syncline daemon` or `syncline import auto`",
        ),
        Some(capture) if capture.agents.is_empty() => context.output.note(
            "the daemon captures nothing: what agents write from now on is shown once it is imported, \
             by `syncline import auto`, or by the daemon after `syncline config set capture true`",
        ),
        Some(_) => {}
    }
    Ok(())
}

struct Follow<'a> {
    conversation: Conversation<'a>,
    prices: &'a PriceTable,
    printed: BTreeMap<(u8, String), Printed>,
    /// What comes before this is not looked at any more.
    start: Option<EventCursor>,
}

fn key(event: &Event) -> (u8, String) {
    match event {
        Event::Message(message) => (0, message.id.clone()),
        Event::Tool(tool) => (1, tool.id.clone()),
        Event::Error(error) => (2, error.id.clone()),
        Event::Compaction(compaction) => (3, compaction.id.clone()),
        Event::Raw(line) => (4, line.id.clone()),
        Event::Usage(usage) => (5, usage.id.clone()),
    }
}

fn printed(event: &Event) -> Printed {
    match event {
        Event::Message(message) => Printed::Parts(message.parts.len()),
        Event::Tool(tool) => Printed::Tool(ended(tool)),
        Event::Error(_) | Event::Compaction(_) | Event::Raw(_) | Event::Usage(_) => Printed::Whole,
    }
}

impl Follow<'_> {
    /// The events of which not all is printed; none where there are none.
    fn news(&mut self, view: &TenantFile, head: &Head) -> Result<Option<Vec<Event>>, Failure> {
        let id = head.session.session_id;
        let read = |after: Option<&EventCursor>| {
            read_events(view.connection(), id, after, WINDOW_EVENTS, self.prices)
        };
        let mut events = Vec::new();
        let older = read(self.start.as_ref())?;
        events.extend(older.events);
        if older.more {
            let newer = read(older.last.as_ref())?;
            events.extend(newer.events);
            if newer.more {
                self.start = older.last;
            }
        }
        events.retain(|event| self.printed.get(&key(event)) != Some(&printed(event)));
        Ok((!events.is_empty()).then_some(events))
    }

    /// Prints events in order; of messages what is not printed yet.
    fn print(&mut self, events: &[Event], out: &mut dyn Write) -> std::io::Result<()> {
        let mut order = InOrder::default();
        let conversation = &mut self.conversation;
        let mut with = |event: &Event, stretch| conversation.event(event, stretch, out);
        for event in events {
            match (event, self.printed.get(&key(event))) {
                (Event::Message(message), Some(Printed::Parts(known))) => {
                    let mut more = message.clone();
                    more.parts.drain(..(*known).min(more.parts.len()));
                    order.pass(&Event::Message(more), Stretch::Later, &mut with)?;
                }
                (event, _) => order.pass(event, Stretch::First, &mut with)?,
            }
        }
        order.finish(&mut with)
    }
}
