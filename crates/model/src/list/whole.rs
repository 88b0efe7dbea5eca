//! Payloads of scope `list` that say nothing but what this version understands.

use std::borrow::Cow;

use serde::Deserialize;

use super::carried::WireCarried;
use super::ops::{ListOp, Wire, WirePayload, WirePosition};
use crate::compaction::has_only;
use crate::{ItemId, ListId, Payload};

/// The fields of every payload of this scope that this version reads or knows to repeat the envelope.
const FIELDS: [&str; 6] = ["type", "itemId", "actor", "clock", "payload", "touches"];
/// Those of the object within it.
const INNER: [&str; 7] = ["text", "done", "note", "pos", "list", "title", "versions"];

/// Reads a payload as [`ListOp::read`] does, if it is understood whole: one that says more may mean
/// more to a newer version.
pub(super) fn read_whole(payload: &Payload) -> Option<ListOp<'_>> {
    read_strictly(payload).or_else(|| {
        let op = ListOp::read(payload)?;
        has_only(payload, &FIELDS, &INNER).then_some(op)
    })
}

/// Reads what nearly every payload is like, at once: what it takes is understood whole, and what it
/// refuses may be.
fn read_strictly(payload: &Payload) -> Option<ListOp<'_>> {
    // An array would be read as the fields in their order.
    if !payload.as_str().starts_with('{') {
        return None;
    }
    let strict: StrictWire<'_> = payload.read().ok()?;
    ListOp::of_wire(strict.into())
}

/// As [`Wire`], with what repeats the envelope and without room for more.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct StrictWire<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    item_id: Option<ItemId>,
    #[serde(borrow)]
    payload: Option<StrictPayload<'a>>,
    touches: Vec<ListId>,
    #[serde(rename = "actor", borrow)]
    _actor: Option<&'a str>,
    #[serde(rename = "clock")]
    _clock: Option<u64>,
}

/// As [`WirePayload`], its fields in the same order, without room for more.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StrictPayload<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    done: Option<bool>,
    #[serde(borrow)]
    note: Option<Cow<'a, str>>,
    #[serde(rename = "pos")]
    position: Option<WirePosition>,
    #[serde(rename = "list")]
    home: Option<ListId>,
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(rename = "versions")]
    carried: Option<WireCarried>,
}

impl<'a> From<StrictWire<'a>> for Wire<'a> {
    fn from(strict: StrictWire<'a>) -> Self {
        Self {
            kind: strict.kind,
            item_id: strict.item_id,
            payload: strict.payload.map(|said| WirePayload {
                text: said.text,
                done: said.done,
                note: said.note,
                position: said.position,
                home: said.home,
                title: said.title,
                carried: said.carried,
            }),
            touches: strict.touches,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    /// One of each kind, as this version writes it, and as others do.
    const PLAIN: [&str; 9] = [
        r#"{"type":"insert","itemId":"i","payload":{"text":"milk","done":false,"note":"","pos":"V"}}"#,
        r#"{"type":"update","itemId":"i","payload":{"text":"a \"b\" \u00e4"}}"#,
        r#"{"type":"update","itemId":"i","payload":{"done":true},"actor":"a","clock":7}"#,
        r#"{"type":"move","itemId":"i","payload":{"pos":"V","list":"b"},"touches":["b"]}"#,
        r#"{"type":"move","itemId":"i","payload":{"pos":[{"digit":3,"actor":"a"}]}}"#,
        r#"{"type":"remove","itemId":"i"}"#,
        r#"{"type":"remove","itemId":"i","payload":null,"actor":null}"#,
        r#"{"type":"restore","itemId":"i","payload":{"text":"x","done":true,"note":"n","pos":"V","list":"b",
            "versions":{"actor":"a","written":[{"parts":["text"],"clock":3,"actor":"c"}]}}}"#,
        r#"{"type":"renameList","payload":{"title":"Trip"}}"#,
    ];
    /// What may stand in the place of anything, or be put anywhere.
    const PIECES: [&str; 34] = [
        "",
        " ",
        "null",
        "true",
        "-1",
        "1.5",
        "1e999",
        "18446744073709551616",
        "{}",
        "[]",
        "\"\"",
        "{\"digit\":1,\"actor\":\"a\",\"more\":2}",
        "[[\"insert\"]]",
        "\"\\ud800\"",
        "\"x\\n\"",
        "\"actor\":\"b\",",
        "\"actor\":\"\\ud800\",",
        "\"actor\":\"b\\u0000\",",
        "\"actor\":{\"text\":1},",
        "\"actor\":{\"color\":1},",
        "\"clock\":8,",
        "\"clock\":1e999,",
        "\"clock\":-1,",
        "\"color\":\"red\",",
        "\"color\":{\"text\":[1,{\"color\":2}]},",
        "\"te\\u0078t\":\"y\",",
        "\"t\\u0079pe\":\"remove\",",
        "\"itemId\":\"j\",",
        "\"text\":\"again\",",
        "\"title\":null,",
        "\"touches\":[{\"color\":1}],",
        "\"versions\":{\"written\":[],\"color\":1},",
        "\"payload\":[\"t\",true,\"n\",\"V\"],",
        "\"payload\":{\"color\":1},",
    ];

    fn leniently(payload: &Payload) -> Option<ListOp<'_>> {
        ListOp::read(payload).filter(|_| has_only(payload, &FIELDS, &INNER))
    }

    /// Whatever is read strictly is understood whole, as what it is.
    fn judges_alike(text: &str) {
        let payload = Payload::stored(text);
        assert_eq!(read_whole(&payload), leniently(&payload), "{text}");
    }

    #[test]
    fn what_this_version_writes_and_what_repeats_the_envelope_is_read_once() {
        for text in PLAIN {
            let payload = Payload::stored(text);
            assert!(read_strictly(&payload).is_some(), "{text}");
            judges_alike(text);
        }
    }

    #[test]
    fn a_payload_is_judged_alike_wherever_something_is_put_into_it_or_cut_off() {
        for text in PLAIN {
            for (at, _) in text.char_indices() {
                judges_alike(&text[..at]);
                for piece in PIECES {
                    judges_alike(&format!("{}{piece}{}", &text[..at], &text[at..]));
                }
            }
        }
        judges_alike(r#"["remove","i"]"#);
        judges_alike(r#" {"type":"remove","itemId":"i"}"#);
        judges_alike(r#"{"type":"update","itemId":"i","payload":["t",true,"n","V","b","c",null]}"#);
    }

    proptest! {
        #[test]
        fn a_payload_with_pieces_in_the_place_of_others_is_judged_alike(
            text in select(&PLAIN[..]),
            changes in prop::collection::vec((any::<Index>(), 0..12_usize, select(&PIECES[..])), 1..4),
        ) {
            let mut text = text.to_owned();
            for (at, length, piece) in changes {
                let at = at.index(text.len());
                let end = (at + length).min(text.len());
                if text.is_char_boundary(at) && text.is_char_boundary(end) {
                    text.replace_range(at..end, piece);
                }
                if text.is_empty() {
                    return Ok(());
                }
            }
            judges_alike(&text);
        }
    }
}
