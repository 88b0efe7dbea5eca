//! Excerpts and their marks.

use super::{snippet, world_of};
use crate::search::SnippetStyle;

#[test]
fn a_snippet_marks_what_was_found_and_escapes_the_rest() {
    let (world, _) = world_of(&[
        "<script>alert('x')</script> & the needles\n\n  are \"here\"",
        "then call getUserName of 全文検索 here",
        "a \u{2}forged\u{3} \u{1}mark",
    ]);
    assert_eq!(
        snippet(&world, "needle", SnippetStyle::Html),
        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; the <mark>needles</mark> are &quot;here&quot;"
    );
    assert_eq!(
        snippet(&world, "user", SnippetStyle::Html),
        "then call get<mark>User</mark>Name of 全文検索 here"
    );
    assert_eq!(
        snippet(&world, "getUserName 検索", SnippetStyle::Html),
        "then call <mark>getUserName</mark> of 全文<mark>検索</mark> here"
    );
    assert_eq!(
        snippet(&world, "forged", SnippetStyle::Html),
        "a <mark>forged</mark> mark"
    );
    assert_eq!(
        snippet(&world, "script", SnippetStyle::Plain),
        "<script>alert('x')</script> & the needles are \"here\""
    );
    let style = SnippetStyle::Between {
        open: "\u{1b}[1m",
        close: "\u{1b}[0m",
    };
    assert!(snippet(&world, "here", style).contains("\"\u{1b}[1mhere\u{1b}[0m\""));
}

#[test]
fn a_snippet_of_a_long_entry_is_short_and_holds_the_mark() {
    let blob = "A1b2C3".repeat(7_000);
    let long = format!("{} needle {}", "hay ".repeat(5_000), "straw ".repeat(5_000));
    let (world, _) = world_of(&[&format!("{blob} thread {blob}"), &long]);
    let of_long = snippet(&world, "needle", SnippetStyle::Html);
    assert!(
        of_long.contains("<mark>needle</mark>") && of_long.len() < 300,
        "{of_long}"
    );
    let of_blob = snippet(&world, "thread", SnippetStyle::Html);
    assert!(of_blob.contains("<mark>thread</mark>"), "{of_blob}");
    assert!(of_blob.chars().count() < 700);
}
