//! The generated parts of `docs/protocol.md`: the code is the source, and a test compares.

use std::fmt::Write as _;
use std::time::Duration;

use crate::admit::{Admission, EpochClaim, FetchClaim, HealClaim, PlaceClaim, decide};
use crate::{ErrorCode, Limits, session};

/// A generated part that has no place in the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document has no place for `{name}` between `{begin}` and `{END}`")]
pub struct NoPlaceError {
    name: &'static str,
    begin: String,
}

const END: &str = "<!-- end of generated part -->";

/// The document with each generated part as it should be.
pub fn fill(document: &str) -> Result<String, NoPlaceError> {
    let parts = [
        ("session", session::table::print()),
        ("admission", admission()),
        ("codes", codes()),
        ("limits", limits()),
    ];
    let mut filled = document.to_owned();
    for (name, text) in parts {
        let begin = format!("<!-- generated: {name} -->");
        let place = filled.find(&begin).map(|at| at + begin.len());
        let place = place.and_then(|from| Some((from, from + filled[from..].find(END)?)));
        let Some((from, to)) = place else {
            return Err(NoPlaceError { name, begin });
        };
        filled.replace_range(from..to, &format!("\n{text}"));
    }
    Ok(filled)
}

const HEALS: [(&str, HealClaim); 6] = [
    ("none named", HealClaim::Unnamed),
    ("place 0", HealClaim::Start),
    ("below the floor, mark not kept", HealClaim::Unkept),
    ("the log's mark", HealClaim::Ours),
    ("another mark", HealClaim::Foreign),
    ("above the head", HealClaim::AboveHead),
];

const PLACES: [(&str, PlaceClaim); 8] = [
    ("place 0, or none named", PlaceClaim::Start),
    ("below the floor", PlaceClaim::BelowFloor(FetchClaim::None)),
    (
        "below the floor, which the fetch began under",
        PlaceClaim::BelowFloor(FetchClaim::SameFloor),
    ),
    (
        "below the floor, the fetch began under another",
        PlaceClaim::BelowFloor(FetchClaim::OtherFloor),
    ),
    (
        "above the floor, the fetch began under another",
        PlaceClaim::FloorMoved,
    ),
    ("the log's mark, or none named", PlaceClaim::Ours),
    ("another mark", PlaceClaim::Foreign),
    ("above the head", PlaceClaim::AboveHead),
];

/// What is done with each place that a request goes on from, by the place that it heals from.
fn admission() -> String {
    let mut out = String::from("| epoch | place |");
    for (label, _) in HEALS {
        out.push_str(&format!(" heal: {label} |"));
    }
    out.push_str("\n|---|---|");
    out.push_str(&"---|".repeat(HEALS.len()));
    out.push('\n');
    for (epoch, claims) in [
        (
            "the log's, or none named",
            &[EpochClaim::Unnamed, EpochClaim::Current][..],
        ),
        ("another", &[EpochClaim::Other]),
    ] {
        for (label, place) in PLACES {
            // Writing to a string cannot fail.
            let _ = write!(out, "| {epoch} | {label} |");
            for (_, heal) in HEALS {
                let mut done = claims.iter().map(|epoch| done(decide(*epoch, place, heal)));
                let first = done.next().unwrap_or_default();
                assert!(
                    done.all(|other| other == first),
                    "an epoch not named counts as the log's"
                );
                let _ = write!(out, " {first} |");
            }
            out.push('\n');
        }
    }
    out
}

const fn done(admission: Admission) -> &'static str {
    match admission {
        Admission::Serve => "served",
        Admission::EpochChanged => "409 `epoch_changed`",
        Admission::LogDiverged => "409 `log_diverged`",
        Admission::RebuildRequired => "410 `rebuild_required`",
    }
}

fn codes() -> String {
    let mut out = String::from("| code | status | what has happened | what the client does |\n");
    out.push_str("|---|---|---|---|\n");
    for code in ErrorCode::ALL {
        let (status, cause, remedy) = (code.status(), code.cause(), code.remedy().as_str());
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| `{code}` | {status} | {cause} | {remedy} |");
    }
    out
}

fn limits() -> String {
    let Limits {
        push_ops,
        body_bytes,
        expanded_bytes,
        payload_bytes,
        payload_depth,
        page_ops,
        page_ops_max,
        page_bytes,
        heartbeat,
    } = Limits::default();
    let too_large = "413 `payload_too_large`";
    let refused = "the op: `too_large`";
    let rows = [
        ("push_ops", count(push_ops), "ops in one push", too_large),
        ("body_bytes", bytes(body_bytes), "a body as sent", too_large),
        (
            "expanded_bytes",
            bytes(expanded_bytes),
            "a body once expanded",
            too_large,
        ),
        (
            "payload_bytes",
            bytes(payload_bytes),
            "one op's payload",
            refused,
        ),
        (
            "payload_depth",
            count(payload_depth),
            "its nesting",
            refused,
        ),
        (
            "page_ops",
            count(page_ops),
            "ops of a page for which no `limit` is named",
            "–",
        ),
        (
            "page_ops_max",
            count(page_ops_max),
            "ops of a page",
            "`limit` is lowered to it",
        ),
        (
            "page_bytes",
            bytes(page_bytes),
            "payload of a page, but for its last op",
            "`hasMore`",
        ),
        (
            "heartbeat",
            seconds(heartbeat),
            "silence of a stream",
            "a comment is sent",
        ),
    ];
    let mut out = String::from("| limit | default | of | beyond it |\n|---|---|---|---|\n");
    for (name, default, of, beyond) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| `{name}` | {default} | {of} | {beyond} |");
    }
    out
}

fn count(count: usize) -> String {
    let digits = count.to_string();
    let (head, tail) = digits.split_at(digits.len().saturating_sub(3));
    if head.is_empty() {
        tail.to_owned()
    } else {
        format!("{head},{tail}")
    }
}

fn bytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}
