//! How SQLite goes about the queries.

use super::{World, add, new_list};
use crate::lists::{read, stored, tag};

#[test]
fn every_look_at_items_goes_by_an_index_and_sorts_nothing() {
    let mut world = World::new();
    world.log(&new_list("l", "long"));
    let ids: Vec<String> = (0..100).map(|n| format!("item-{n}")).collect();
    world.log(&add("l", ids.iter().map(String::as_str)));
    let steps = |sql: &str| -> Vec<String> {
        let mut statement = world
            .view()
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let holes = vec!["l"; statement.parameter_count()];
        let rows = statement.query_map(rusqlite::params_from_iter(holes), |row| row.get(3));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    for sql in [
        stored::FIRST_ITEM,
        stored::NEXT_ITEM,
        stored::LAST_ITEM,
        stored::PREVIOUS_ITEM,
        read::ALL_ITEMS,
        read::ITEMS_AFTER,
        read::COUNT_ITEMS,
        tag::ITEM_VERSIONS,
    ] {
        let steps = steps(sql);
        assert!(
            steps[0].contains("list_items_0 (home=? AND present=?"),
            "{steps:?}"
        );
        // Whether a change of any item is pending is known by the first row.
        let mut others = steps.iter().filter(|step| *step != "SCAN confirmed_rows");
        let sorted = others.any(|step| step.contains("TEMP") || step.contains("SCAN"));
        assert!(!sorted, "{sql}: {steps:?}");
    }
    for sql in [stored::NEXT_ITEM, stored::PREVIOUS_ITEM, read::ITEMS_AFTER] {
        assert!(
            steps(sql)[0].contains("position"),
            "{sql}: {:?}",
            steps(sql)
        );
    }
    let found = [
        read::ITEM_OF_LIST,
        read::ITEMS_CALLED,
        read::SHOWS_ANY,
        read::HOMES,
    ];
    for sql in found {
        let steps = steps(sql);
        assert!(
            !steps.iter().any(|step| step.contains("SCAN list_items")),
            "{steps:?}"
        );
    }
    for sql in [
        stored::FIRST_LIST,
        stored::NEXT_LIST,
        stored::LAST_LIST,
        read::ALL_LISTS,
    ] {
        let steps = steps(sql);
        assert!(steps[0].contains("lists_0"), "{sql}: {steps:?}");
    }
}
