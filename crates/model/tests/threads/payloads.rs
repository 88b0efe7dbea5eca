//! Values that cross the wire: any text is read or refused, and what was written is read back.

use std::borrow::Cow;

use proptest::prelude::*;
use syncline_model::thread::{
    Create, Delete, Entry, EntryId, Link, NameKind, Status, Tag, ThreadId, ThreadOp, Update,
    check_content, import_entry_id, key_from_name, thread_id,
};
use syncline_model::{
    ActorId, ClientId, Epoch, Mark, Payload, PayloadHash, ResourceId, Scope, TenantId, Timestamp,
    UserId, limits,
};
use uuid::Uuid;

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    any::<String>().prop_map(Cow::Owned)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-62_000_000_000_000_i64..253_000_000_000_000)
        .prop_map(|millis| Timestamp::from_millis(millis).expect("in range"))
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn entry_id() -> impl Strategy<Value = Option<EntryId>> {
    prop::option::of(uuid().prop_map(EntryId::new))
}

fn thread_op() -> impl Strategy<Value = ThreadOp<'static>> {
    let of = prop::option::of;
    let status = prop::option::of(prop_oneof![
        Just(Status::Active),
        Just(Status::Archived),
        Just(Status::Blocked)
    ]);
    let generation = 0..=i64::MAX as u64;
    prop_oneof![
        (text(), text(), generation.clone(), text(), time()).prop_map(
            |(project, key, generation, name, at)| ThreadOp::Create(Create {
                project,
                key,
                generation,
                name,
                at
            })
        ),
        (uuid(), text(), text(), of(text()), time()).prop_map(
            |(entry_id, author, content, name, at)| ThreadOp::Entry(Entry {
                entry_id: entry_id.into(),
                author,
                content,
                name,
                at
            })
        ),
        (of(text()), of(text()), status, time()).prop_map(|(name, project, status, at)| {
            ThreadOp::Update(Update {
                name,
                project,
                status,
                at,
            })
        }),
        (text(), text(), generation, time()).prop_map(|(project, key, generation, at)| {
            ThreadOp::Delete(Delete {
                project,
                key,
                generation,
                at,
            })
        }),
        (entry_id(), text(), any::<bool>()).prop_map(|(entry_id, tag, present)| {
            ThreadOp::Tag(Tag {
                entry_id,
                tag,
                present,
            })
        }),
        (entry_id(), uuid(), of(text()), any::<bool>()).prop_map(
            |(entry_id, target, note, present)| ThreadOp::Link(Link {
                entry_id,
                target: target.into(),
                note,
                present
            })
        ),
    ]
}

/// JSON of any shape, and near misses of it.
fn jsonish() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\[\\]{}\":,0-9a-z\\\\ ]{0,60}",
        r#"\{"type":"(create|entry|update|delete|tag|link)"(,"(at|content|author|name|status|present|generation|entryId)":("[^"\\]{0,9}"|null|-?[0-9]{1,22}|true|\[\])){0,6}\}"#,
    ]
}

proptest! {
    #[test]
    fn a_written_op_is_read_back(op in thread_op()) {
        let payload = op.payload().expect("within the limits");
        prop_assert_eq!(ThreadOp::read(&payload), Some(op));
    }

    #[test]
    fn any_text_is_a_payload_or_is_refused(text in jsonish()) {
        if let Ok(payload) = Payload::parse(&text) {
            prop_assert_eq!(payload.as_str(), text.trim_matches([' ', '\t', '\n', '\r']));
            prop_assert_eq!(payload.hash(), Payload::stored(payload.as_str()).hash());
            let carried: Payload = serde_json::from_str(
                &serde_json::to_string(&payload).expect("a payload is JSON"),
            ).expect("a payload is JSON");
            prop_assert_eq!(&carried, &payload);
            let _ = ThreadOp::read(&payload);
        }
    }

    #[test]
    fn depth_is_counted_outside_of_texts_alone(depth in 1_usize..100, open in "[\\[{\\]\"\\\\]{0,99}") {
        let nested = format!("{}{:?}{}", "[".repeat(depth), open, "]".repeat(depth));
        let parsed = Payload::parse(&nested);
        prop_assert_eq!(parsed.is_ok(), depth <= limits::PAYLOAD_DEPTH_MAX);
    }

    #[test]
    fn times_keep_their_moment_and_sort_as_text(one in time(), other in time()) {
        let text = one.to_string();
        prop_assert_eq!(text.parse::<Timestamp>().ok(), Some(one));
        prop_assert_eq!(Timestamp::from_millis(one.as_millis()).ok(), Some(one));
        prop_assert_eq!(one.cmp(&other), text.cmp(&other.to_string()));
    }

    #[test]
    fn any_text_is_a_time_or_is_refused(text in any::<String>(), near in "-?[0-9]{4,6}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{0,14}(Z|[+-][0-9:]{2,6})?") {
        for text in [text, near] {
            if let Ok(time) = text.parse::<Timestamp>() {
                prop_assert_eq!(time.to_string().parse::<Timestamp>().ok(), Some(time));
                prop_assert_eq!(time.to_string().len(), 24);
            }
        }
    }

    #[test]
    fn any_number_is_a_time_or_is_refused(millis in any::<i64>()) {
        if let Ok(time) = Timestamp::from_millis(millis) {
            prop_assert_eq!(time.as_millis(), millis);
            prop_assert_eq!(time.to_string().len(), 24);
        }
    }

    #[test]
    fn any_name_gives_a_key_of_its_letters(name in any::<String>()) {
        let key = key_from_name(&name);
        prop_assert!(key.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)), "{key}");
        prop_assert_eq!(key_from_name(&key), key);
    }

    #[test]
    fn any_text_is_an_id_or_is_refused(text in any::<String>()) {
        if let Ok(id) = ResourceId::new(text.as_str()) {
            prop_assert_eq!(id.as_str(), text.as_str());
            let _ = ThreadId::of_resource(&id);
        }
        let _ = (ActorId::new(text.as_str()), ClientId::new(text.as_str()));
        let _ = (TenantId::new(text.as_str()), UserId::new(text.as_str()));
        let _ = (Scope::new(text.as_str()), text.parse::<Epoch>());
        let _ = (text.parse::<Mark>(), text.parse::<PayloadHash>(), text.parse::<Status>());
        let _ = (text.parse::<ThreadId>(), text.parse::<EntryId>(), check_content(&text));
        for kind in [NameKind::Project, NameKind::Key, NameKind::Name, NameKind::Tag] {
            if kind.check(&text).is_ok() {
                prop_assert!(text.chars().count() <= kind.chars_max());
            }
        }
    }

    #[test]
    fn ids_tell_project_key_and_number_apart(
        one in ("[a-c]{1,3}", "[a-c]{1,3}", 0_u64..20),
        other in ("[a-c]{1,3}", "[a-c]{1,3}", 0_u64..20),
    ) {
        let id = |(project, key, n): &(String, String, u64)| thread_id(project, key, *n);
        let place = |(project, key, n): &(String, String, u64)| import_entry_id(project, key, *n);
        prop_assert_eq!(one == other, id(&one) == id(&other));
        prop_assert_eq!(one == other, place(&one) == place(&other));
        prop_assert_ne!(id(&one).uuid(), place(&one).uuid());
    }
}

#[test]
fn the_largest_content_fits_a_payload() {
    for worst in ["\u{1}", "\"", "\u{10ffff}", "x"] {
        let content = worst.repeat(limits::CONTENT_CHARS_MAX);
        check_content(&content).expect("within the limit");
        let op = ThreadOp::Entry(Entry {
            entry_id: Uuid::nil().into(),
            author: "\u{10ffff}".repeat(limits::AUTHOR_CHARS_MAX).into(),
            content: content.into(),
            name: Some("\u{10ffff}".repeat(limits::NAME_CHARS_MAX).into()),
            at: Timestamp::from_millis(0).expect("in range"),
        });
        assert!(op.payload().is_ok());
    }
    assert!(check_content(&"x".repeat(limits::CONTENT_CHARS_MAX + 1)).is_err());
    assert!(check_content(&"é".repeat(limits::CONTENT_CHARS_MAX)).is_ok());
    assert!(check_content("").is_err());
}
