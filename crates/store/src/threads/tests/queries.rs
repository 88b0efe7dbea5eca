//! Lists, pages, references.

use rusqlite::Connection;
use syncline_model::thread::{Status, ThreadId};

use super::world::{World, at, entry_id, new_entry};
use crate::threads::{
    Changes, EntryPlace, EntryRange, EntryState, FoundEntry, ListFilter, ListStart, Presence,
    Resolved, find_entry, for_each_entry, links, list_threads, overview, plan_append, plan_delete,
    plan_link, plan_tag, plan_update, projects, read_entries, resolve, tag_counts, tags,
};
use crate::threads::{entries, list, resolve as resolve_module};
use crate::{StoreError, threads::Entry};

fn contents(world: &World, thread: ThreadId, range: EntryRange) -> (Vec<String>, bool) {
    let page = read_entries(world.view(), thread, range).unwrap();
    let contents = page.entries.into_iter().map(|entry| entry.content);
    (contents.collect(), page.has_more)
}

fn keys(world: &World, filter: ListFilter<'_>) -> Vec<String> {
    let page = list_threads(world.view(), &filter, ListStart::Offset(0), 100).unwrap();
    assert_eq!(page.total, page.threads.len() as u64);
    page.threads.into_iter().map(|t| t.thread.key).collect()
}

pub(super) fn update(world: &mut World, thread: ThreadId, changes: Changes<'_>, millis: i64) {
    let plan = plan_update(&world.thread(thread), &changes, at(millis)).unwrap();
    world.log(plan.ops);
}

pub(super) fn move_to(world: &mut World, thread: ThreadId, project: &str, millis: i64) {
    let changes = Changes {
        project: Some(project),
        ..Changes::default()
    };
    update(world, thread, changes, millis);
}

#[test]
fn a_list_begins_with_what_changed_last_and_can_be_filtered() {
    let mut world = World::new();
    let old = world.make("p", "old", 1_000);
    let new = world.make("p", "new", 2_000);
    let other = world.make("q", "other", 3_000);
    world.write(old, &[(9_000, "wakes it up")]);
    let tag = plan_tag(new, None, "urgent", Presence::Added).unwrap();
    world.log(tag.ops);
    let blocked = Changes {
        status: Some(Status::Blocked),
        ..Changes::default()
    };
    update(&mut world, other, blocked, 4_000);

    assert_eq!(keys(&world, ListFilter::default()), ["old", "other", "new"]);
    let of_project = ListFilter {
        project: Some("p"),
        ..ListFilter::default()
    };
    assert_eq!(keys(&world, of_project), ["old", "new"]);
    let of_status = ListFilter {
        status: Some(Status::Blocked),
        ..ListFilter::default()
    };
    assert_eq!(keys(&world, of_status), ["other"]);
    let of_tag = ListFilter {
        tag: Some("urgent"),
        ..ListFilter::default()
    };
    assert_eq!(keys(&world, of_tag), ["new"]);
}

#[test]
fn a_list_tells_counts_authors_tags_and_the_last_entry() {
    let mut world = World::new();
    let id = world.make("p", "design", 0);
    world.write(id, &[(1, "first"), (2, "second")]);
    let long = "é".repeat(1_000);
    world.write_pending(id, &[(3, &long)]);
    for (entry, tag) in [(None, "b"), (None, "a"), (Some(entry_id(1)), "on an entry")] {
        world.log(plan_tag(id, entry, tag, Presence::Added).unwrap().ops);
    }
    let page = list_threads(
        world.view(),
        &ListFilter::default(),
        ListStart::Offset(0),
        10,
    )
    .unwrap();
    let listed = &page.threads[0];
    assert_eq!(listed.thread.entry_count, 3);
    assert_eq!(listed.thread.authors, ["user"]);
    assert_eq!(listed.tags, ["a", "b"]);
    let last = listed.last_entry.as_ref().unwrap();
    assert_eq!(last.place, EntryPlace::Pending(1));
    assert_eq!(last.excerpt, "é".repeat(280));
    let on_entries = ListFilter {
        tag: Some("on an entry"),
        ..ListFilter::default()
    };
    assert_eq!(keys(&world, on_entries), ["design"]);
}

#[test]
fn pages_of_a_list_neither_miss_nor_repeat_a_thread_while_others_change() {
    let mut world = World::new();
    // Several share a time: the id decides between them.
    let ids: Vec<ThreadId> = (0..23)
        .map(|n| world.make("p", &format!("t{n}"), 1_000 + n / 5))
        .collect();
    let mut seen = Vec::new();
    let mut start = ListStart::Offset(0);
    let mut stirred = 0;
    loop {
        let page = list_threads(world.view(), &ListFilter::default(), start, 4).unwrap();
        assert_eq!(page.total, 23);
        seen.extend(page.threads.iter().map(|listed| listed.thread.thread_id));
        let Some(next) = page.next else { break };
        start = ListStart::After(next.to_string().parse().unwrap());
        // One that was seen changes, and moves to the front.
        world.write(seen[stirred], &[(50_000 + stirred as u128, "news")]);
        stirred += 1;
    }
    let mut sorted = seen.clone();
    sorted.sort();
    let mut all = ids;
    all.sort();
    assert_eq!(sorted, all);
    let page = list_threads(
        world.view(),
        &ListFilter::default(),
        ListStart::Offset(20),
        4,
    )
    .unwrap();
    assert_eq!((page.threads.len(), page.next), (3, None));
}

#[test]
fn a_text_that_is_no_cursor_is_refused() {
    for text in [
        "",
        ".",
        "1.",
        "1.x",
        "x.00000000000000000000000000000000",
        "9".repeat(40).as_str(),
    ] {
        assert!(
            text.parse::<crate::threads::ListCursor>().is_err(),
            "{text}"
        );
    }
}

#[test]
fn entries_are_read_from_either_end_with_pending_ones_last() {
    let mut world = World::new();
    let id = world.make("p", "t", 0);
    world.write(id, &[(30, "a"), (10, "b"), (20, "c")]);
    world.write_pending(id, &[(5, "d"), (4, "e")]);
    let read = |range| contents(&world, id, range);
    let of = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();

    assert_eq!(
        read(EntryRange::All),
        (of(&["a", "b", "c", "d", "e"]), false)
    );
    assert_eq!(read(EntryRange::Last(3)), (of(&["c", "d", "e"]), true));
    assert!(!read(EntryRange::Last(5)).1);
    assert_eq!(read(EntryRange::Last(0)), (of(&[]), true));
    let after = |place, limit| EntryRange::After { place, limit };
    let before = |place, limit| EntryRange::Before { place, limit };
    assert_eq!(read(after(None, 2)), (of(&["a", "b"]), true));
    assert_eq!(
        read(after(Some(EntryPlace::Sequence(1)), 2)),
        (of(&["c", "d"]), true)
    );
    assert_eq!(
        read(after(Some(EntryPlace::Pending(1)), 2)),
        (of(&["e"]), false)
    );
    assert_eq!(read(before(EntryPlace::Sequence(2), 1)), (of(&["b"]), true));
    assert_eq!(
        read(before(EntryPlace::Pending(2), 2)),
        (of(&["c", "d"]), true)
    );
    assert_eq!(read(before(EntryPlace::Sequence(0), 5)), (of(&[]), false));

    let mut visited: Vec<(Option<u64>, EntryState)> = Vec::new();
    for_each_entry(world.view(), id, |entry: Entry| {
        visited.push((entry.place.sequence_id(), entry.place.state()));
        Ok::<(), StoreError>(())
    })
    .unwrap();
    assert_eq!(visited[2], (Some(2), EntryState::Acknowledged));
    assert_eq!(visited[3], (None, EntryState::Pending));
}

#[test]
fn an_entry_is_found_by_enough_of_its_id() {
    let mut world = World::new();
    let (one, two) = (world.make("p", "one", 0), world.make("p", "two", 0));
    let (a, b) = (0xabcd_0000 << 96, 0xabcd_1000 << 96);
    world.write(one, &[(a, "in one")]);
    world.write(two, &[(b, "in two")]);
    let find = |thread, id: &str| find_entry(world.view(), thread, id).unwrap();
    let content = |found| match found {
        FoundEntry::One(entry) => entry.content,
        other => panic!("{other:?}"),
    };
    assert_eq!(content(find(None, "ABCD0")), "in one");
    assert_eq!(content(find(None, &entry_id(b).to_string())), "in two");
    assert_eq!(content(find(Some(two), "abcd")), "in two");
    assert!(matches!(find(None, "abcd"), FoundEntry::Ambiguous(both) if both.len() == 2));
    for unknown in ["", "abc", "abce", "%", "abcd~", "'; --"] {
        assert_eq!(find(None, unknown), FoundEntry::Unknown, "{unknown}");
    }
}

#[test]
fn a_deleted_thread_is_nowhere() {
    let mut world = World::new();
    let id = world.make("p", "gone", 0);
    let other = world.make("p", "stays", 0);
    world.write(id, &[(1, "erased")]);
    world.log(plan_tag(id, None, "tag", Presence::Added).unwrap().ops);
    world.log(
        plan_link(other, None, id, Some("see"), Presence::Added)
            .unwrap()
            .ops,
    );
    world.log(plan_delete(&world.thread(id), at(5)).unwrap().ops);
    let view = world.view();
    assert_eq!(crate::threads::thread(view, id).unwrap(), None);
    assert_eq!(resolve(view, "gone", None).unwrap(), Resolved::Unknown);
    assert_eq!(
        resolve(view, &id.to_string(), None).unwrap(),
        Resolved::Unknown
    );
    assert_eq!(keys(&world, ListFilter::default()), ["stays"]);
    assert_eq!(overview(view, None).unwrap()[0].threads(), 1);
    assert_eq!(tag_counts(view, None).unwrap(), []);
    assert_eq!(
        find_entry(view, None, &entry_id(1).to_string()).unwrap(),
        FoundEntry::Unknown
    );
    let outgoing = links(view, other).unwrap().outgoing;
    assert_eq!((outgoing.len(), outgoing[0].thread.as_ref()), (1, None));
}

#[test]
fn tags_and_links_are_seen_until_they_are_taken_off() {
    let mut world = World::new();
    let (a, b) = (world.make("p", "a", 0), world.make("q", "b", 0));
    world.write(a, &[(1, "one")]);
    let on = Some(entry_id(1));
    world.log(plan_tag(a, on, " bug ", Presence::Added).unwrap().ops);
    world.log(plan_tag(a, None, "bug", Presence::Added).unwrap().ops);
    world.log(plan_tag(b, None, "bug", Presence::Added).unwrap().ops);
    world.log(
        plan_link(a, on, b, Some("because"), Presence::Added)
            .unwrap()
            .ops,
    );

    let tagged = tags(world.view(), a).unwrap();
    assert_eq!(
        tagged
            .iter()
            .map(|t| (t.entry_id, t.tag.as_str()))
            .collect::<Vec<_>>(),
        [(None, "bug"), (on, "bug")]
    );
    let counts = tag_counts(world.view(), None).unwrap();
    assert_eq!((counts[0].tag.as_str(), counts[0].threads), ("bug", 2));
    assert_eq!(tag_counts(world.view(), Some("q")).unwrap()[0].threads, 1);
    let outgoing = links(world.view(), a).unwrap().outgoing;
    assert_eq!(
        (outgoing[0].other, outgoing[0].note.as_deref()),
        (b, Some("because"))
    );
    let incoming = links(world.view(), b).unwrap().incoming;
    assert_eq!((incoming[0].other, incoming[0].entry_id), (a, on));

    world.log(plan_tag(a, on, "bug", Presence::Removed).unwrap().ops);
    world.log(plan_link(a, on, b, None, Presence::Removed).unwrap().ops);
    assert_eq!(tags(world.view(), a).unwrap().len(), 1);
    assert_eq!(links(world.view(), b).unwrap().incoming, []);
}

#[test]
fn an_overview_sums_up_each_project() {
    let mut world = World::new();
    let a = world.make("p", "a", 100);
    let b = world.make("p", "b", 200);
    world.make("q", "c", 900);
    world.write(a, &[(1, "one"), (2, "two")]);
    let mut by_claude = new_entry(300, "three");
    by_claude.author = "claude";
    world.log(plan_append(b, &[by_claude]).unwrap().ops);
    let archived = Changes {
        status: Some(Status::Archived),
        ..Changes::default()
    };
    update(&mut world, a, archived, 400);
    let all = overview(world.view(), None).unwrap();
    assert_eq!(
        all.iter().map(|o| o.project.as_str()).collect::<Vec<_>>(),
        ["q", "p"]
    );
    let p = &all[1];
    assert_eq!((p.active, p.archived, p.blocked, p.entries), (1, 1, 0, 3));
    assert_eq!(p.last_activity, at(400));
    assert_eq!(p.authors, ["claude", "user"]);
    assert_eq!(projects(world.view()).unwrap(), ["p", "q"]);
    assert_eq!(overview(world.view(), Some("none")).unwrap(), []);
}

/// What SQLite will do for a statement.
fn query_plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let holes = statement.parameter_count();
    let nothing = rusqlite::params_from_iter(vec![rusqlite::types::Null; holes]);
    let rows = statement.query_map(nothing, |row| row.get(3)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn reading_and_listing_seek_entries_by_index_and_sort_none() {
    let world = World::new();
    for sql in [
        entries::LOGGED_AFTER,
        entries::LOGGED_BEFORE,
        entries::PENDING_AFTER,
        entries::PENDING_BEFORE,
        entries::BY_ID,
        entries::BY_ID_RANGE,
        list::LAST_LOGGED,
        list::LAST_PENDING,
        list::PAGE,
        list::COUNT,
        resolve_module::BY_PROJECT_AND_KEY,
    ] {
        let plan = query_plan(world.view(), sql);
        for step in &plan {
            assert!(!step.contains("SCAN entries"), "{sql}\n{plan:?}");
            let sorts = step.contains("TEMP B-TREE") && !sql.contains("t.key = ?");
            assert!(!sorts, "{sql}\n{plan:?}");
        }
    }
    let plan = query_plan(world.view(), list::PAGE);
    assert!(plan[0].contains("USING INDEX threads_1"), "{plan:?}");
    let plan = query_plan(world.view(), resolve_module::BY_PROJECT_AND_KEY);
    assert!(plan[0].contains("USING INDEX threads_0"), "{plan:?}");
}
