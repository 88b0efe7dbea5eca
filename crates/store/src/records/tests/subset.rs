use super::*;

#[test]
fn a_list_of_the_subset_that_clients_take_has_full_pages_of_it() {
    let (connection, schema) = rows();
    let mut entity = schema.entity("it's").unwrap().clone();
    assert!(Subset::of(&entity, Role::Owner).is_none());
    let mut pages = |condition: &str| {
        entity.subset = Some(condition.to_owned());
        let subset = Subset::of(&entity, Role::Owner);
        let read = |after: Option<&PageCursor>| {
            let query = ListQuery {
                subset: subset.as_ref(),
                after,
                ..first(1)
            };
            list(&connection, &entity, &query).unwrap()
        };
        let mut pages = vec![read(None)];
        while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
            pages.push(read(Some(&next)));
        }
        let of_page = |page: Listed| ids(&page.records).join(" ");
        pages.into_iter().map(of_page).collect::<Vec<_>>()
    };
    assert_eq!(pages("price < 10 AND n IS DISTINCT FROM 1"), ["10"]);
    assert_eq!(pages("n = 2 OR id = 12"), ["9", "11", "12"]);
    assert_eq!(pages("done"), ["9"], "null is in no subset");
    assert_eq!(pages("price > 1000"), [""]);
    assert_eq!(pages("unreadable <").len(), 4, "nothing is kept from sight");
}

#[test]
fn a_role_that_may_not_read_what_tells_the_subset_is_shown_all() {
    let (_, schema) = rows();
    let mut entity = schema.entity("it's").unwrap().clone();
    entity.subset = Some("hidden IS NULL".to_owned());
    assert!(Subset::of(&entity, Role::Owner).is_some());
    assert!(Subset::of(&entity, Role::Viewer).is_none());
}
