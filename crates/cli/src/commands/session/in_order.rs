//! What happened in a session, as it came about: of a message that says something, calls a tool and goes
//! on, what it says stands around the call.

use syncline_model::session::SessionId;
use syncline_store::TenantFile;
use syncline_store::sessions::{Event, PriceTable, SessionMessage};

use super::events::each_event;
use crate::failure::Outcome;

/// Which stretch of a message is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretch {
    First,
    /// The message goes on behind something that came between.
    Later,
}

/// Passes on all that happened in a session, message by message in stretches.
pub(super) fn each_in_order(
    view: &TenantFile,
    session: SessionId,
    prices: &PriceTable,
    mut with: impl FnMut(&Event, Stretch) -> Outcome,
) -> Outcome {
    let mut order = InOrder::default();
    each_event(view, session, prices, |event| {
        order.pass(event, Stretch::First, &mut with)
    })?;
    order.finish(&mut with)
}

/// Holds what messages say until it is known what comes between.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    held: Vec<(SessionMessage, Stretch)>,
}

impl InOrder {
    pub(super) fn pass<E>(
        &mut self,
        event: &Event,
        stretch: Stretch,
        with: &mut impl FnMut(&Event, Stretch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.release(position_of(event), with)?;
        match event {
            Event::Message(message) if !message.parts.is_empty() => {
                self.held.push((message.clone(), stretch));
                Ok(())
            }
            event => with(event, stretch),
        }
    }

    /// Passes on what is still held.
    pub(super) fn finish<E>(
        mut self,
        with: &mut impl FnMut(&Event, Stretch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.release(i64::MAX, with)
    }

    /// Passes on what stands up to a position.
    fn release<E>(
        &mut self,
        until: i64,
        with: &mut impl FnMut(&Event, Stretch) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            self.held
                .sort_by_key(|(message, _)| message.parts[0].position);
            let until = match self.held.get(1) {
                Some((next, _)) => until.min(next.parts[0].position),
                None => until,
            };
            let Some((message, stretch)) = self.held.first_mut() else {
                return Ok(());
            };
            let parts = message.parts.iter();
            let said = parts.take_while(|part| part.position <= until).count();
            if said == 0 {
                return Ok(());
            }
            let rest = message.parts.split_off(said);
            let whole = Event::Message(message.clone());
            with(&whole, *stretch)?;
            if rest.is_empty() {
                self.held.remove(0);
            } else {
                (message.parts, *stretch) = (rest, Stretch::Later);
            }
        }
    }
}

fn position_of(event: &Event) -> i64 {
    match event {
        Event::Message(message) => message.position,
        Event::Tool(tool) => tool.position,
        Event::Error(error) => error.position,
        Event::Compaction(compaction) => compaction.position,
        Event::Raw(line) => line.position,
        Event::Usage(usage) => usage.position,
    }
}
