//! What a person asks: an item of the conversation, and in most versions an event or two besides.

use serde::{Deserialize, Serialize};
use syncline_model::session::{MessagePatch, Part, words};

use super::line::{Block, Event, Item};
use super::{Owner, Reader};
use crate::facts::{Fact, Facts, TitleRank, UnitKey, Verdict, owned, set};
use crate::prompt::title_of;
use crate::reference;

/// How many prompts wait at a time to be told in another way too.
const PROMPTS_MAX: usize = 16;
/// What the instructions of a project begin with, which a session begins with where a person would speak.
const INSTRUCTIONS: &str = "# AGENTS.md instructions";

/// Prompts that the model has not answered yet: they may be told in another way too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Prompts {
    /// The digest of each, and the ways in which it was told.
    told: Vec<(String, Vec<String>)>,
    /// What items have told, until an event tells it too, the model speaks, or the file ends.
    #[serde(skip)]
    held: Vec<Held>,
}

/// A prompt that an item has told.
#[derive(Debug, Clone)]
struct Held {
    digest: String,
    id: String,
    /// The last places in the order of the file before it and with it.
    orders: [Option<i64>; 2],
    facts: Vec<Fact>,
}

impl Prompts {
    /// Whether a prompt was told before, and in other ways only.
    fn is_told(&mut self, digest: &str, way: &str) -> bool {
        let mut told = self.told.iter_mut();
        let told = told.find(|(told, ways)| told == digest && !ways.iter().any(|told| told == way));
        if let Some((_, ways)) = told {
            ways.push(way.to_owned());
            return true;
        }
        if self.told.len() == PROMPTS_MAX {
            self.told.remove(0);
        }
        self.told.push((digest.to_owned(), vec![way.to_owned()]));
        false
    }

    /// The first that is held of this digest, or of any.
    fn take(&mut self, digest: Option<&str>) -> Option<Held> {
        let is_meant = |held: &Held| digest.is_none_or(|digest| held.digest == digest);
        let place = self.held.iter().position(is_meant)?;
        Some(self.held.remove(place))
    }

    /// Says all that is held.
    pub(super) fn release(&mut self, facts: &mut Facts) {
        for held in self.held.drain(..) {
            facts.0.extend(held.facts);
        }
    }
}

/// What is joined of several parts has breaks in one way and none in another.
fn digest_of(text: &str) -> String {
    let bare: String = text.split_whitespace().collect();
    UnitKey::of(&["codex prompt", &bare]).hex()
}

impl Reader<'_, '_> {
    /// A prompt that an item tells. An older reader of this file, or of a copy, has gone by the event that follows: what
    /// the item tells waits for that, so that it stays what it is known as.
    pub(super) fn prompted_by_item(
        &mut self,
        owner: Owner,
        item: &Item<'_>,
        blocks: &[Block<'_>],
    ) -> Verdict {
        let images = blocks.iter().filter_map(|block| block.image_url.as_deref());
        let images: Vec<_> = images.map(owned).collect();
        let texts = blocks.iter().filter_map(|block| block.text.as_deref());
        // An image stands between marks of its own.
        let texts = texts.filter(|text| images.is_empty() || !is_mark_of_image(text));
        let text = texts.collect::<Vec<_>>().join("\n");
        if text.is_empty() && images.is_empty() {
            return Verdict::Idle;
        }
        let event = Event {
            kind: item.kind.clone(),
            message: Some(text.as_str().into()),
            images: Some(images),
            ..Event::default()
        };
        if self.memory.prompts.held.len() == PROMPTS_MAX
            && let Some(oldest) = self.memory.prompts.take(None)
        {
            self.say_held(oldest);
        }
        let before = self.memory.order;
        let verdict = self.prompted(owner, &event);
        if owner.known {
            let reading = self.known.reading();
            self.facts.said_before(self.said_before, reading);
        }
        let facts = self.facts.0.split_off(self.said_before);
        if !facts.is_empty() {
            let id = self.id_of("user");
            self.memory.prompts.held.push(Held {
                digest: digest_of(&text),
                id,
                orders: [before, self.memory.order],
                facts,
            });
        }
        verdict
    }

    /// The model speaks: what a person says next is another prompt.
    pub(super) fn answer_prompts(&mut self) {
        self.memory.prompts.told.clear();
        while let Some(held) = self.memory.prompts.take(None) {
            self.say_held(held);
        }
    }

    /// Says what was held. It goes before what this line says, which may have been said before.
    fn say_held(&mut self, held: Held) {
        let (from, count) = (self.said_before, held.facts.len());
        self.facts.0.splice(from..from, held.facts);
        self.said_before += count;
    }

    /// A prompt that was told in several ways was told once.
    pub(super) fn prompted(&mut self, owner: Owner, event: &Event<'_>) -> Verdict {
        let text = event.message.as_deref().unwrap_or_default();
        let way = event.kind.as_deref().unwrap_or_default();
        let id = self.id_of("user");
        let digest = digest_of(text);
        if !self.memory.prompts.is_told(&digest, way) {
            self.memory.begin_turn(&id);
            self.ask(owner, event, id);
            // What follows is another response's.
            self.memory.speaking = None;
            self.memory.spoken = None;
            self.entitle(owner, title_of(text), TitleRank::Prompt);
            return Verdict::New;
        }
        let Some(held) = self.memory.prompts.take(Some(&digest)) else {
            return Verdict::Idle;
        };
        if self.known.origin(owner.id, &id).is_none() {
            self.say_held(held);
            return Verdict::Idle;
        }
        // An older reader has told it under this id, and in the place of the item.
        if held.orders[1] == self.memory.order {
            self.memory.order = held.orders[0];
        }
        let mut turns = self.memory.turns.iter_mut().flatten();
        if let Some(turn) = turns.find(|turn| **turn == held.id) {
            turn.clone_from(&id);
        }
        self.ask(owner, event, id);
        Verdict::New
    }

    fn ask(&mut self, owner: Owner, event: &Event<'_>, id: String) {
        let text = event.message.as_deref().unwrap_or_default();
        let order = self.next_order(text);
        let patch = MessagePatch {
            id: owned(&id),
            role: set(words::USER),
            at: self.at.into(),
            copied_from: Self::copied(owner),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        self.facts.message(owner.id, patch);
        let part = Part {
            message_id: owned(&id),
            id: "0".into(),
            kind: words::TEXT.into(),
            order,
            text: owned(text),
            ..Part::default()
        };
        self.facts.part(owner.id, part);
        let images = event.images.iter().flatten();
        let images = images.chain(event.local_images.iter().flatten());
        for (place, image) in images.enumerate() {
            let part = Part {
                message_id: owned(&id),
                id: format!("image-{place}").into(),
                kind: words::IMAGE.into(),
                order: self.next_order(""),
                reference: Some(reference::of_address(image).into()),
                ..Part::default()
            };
            self.facts.part(owner.id, part);
        }
    }
}

/// Whether a part of an item was put there by Codex itself: an element, or the instructions of a project.
pub(super) fn is_injected(block: &Block<'_>) -> bool {
    let text = block.text.as_deref().unwrap_or_default().trim();
    let element = text.strip_prefix('<').and_then(|rest| {
        let (tag, _) = rest.split_once('>')?;
        tag.split_whitespace().next()
    });
    let is_element = |name: &str| name != "image" && text.ends_with(&format!("</{name}>"));
    text.starts_with(INSTRUCTIONS) || element.is_some_and(is_element)
}

fn is_mark_of_image(text: &str) -> bool {
    let text = text.trim();
    text == "</image>" || (text.starts_with("<image") && text.ends_with('>'))
}
