//! The view table of the registry.

use crate::compaction::Tombstones;
use crate::list::{Parts, Position, Version, Versions};
use crate::{Column, ListId, OpVersion, Row, Scope, Table, Value};

/// One row per list of which an op is known, in the order of `position, list_id`; `registry` is the
/// one resource that they all belong to.
///
/// `present` is 1 for a list that is there; the others were removed, or their creation isn't known
/// yet. `versions` says who wrote each part last.
pub static LISTS: Table = Table {
    name: "lists",
    columns: &[
        Column::text("registry"),
        Column::text("list_id"),
        Column::text("position"),
        Column::integer("present"),
        Column::text("title"),
        Column::text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[&["position", "list_id"]],
};

/// All of them.
pub static TABLES: &[&Table] = &[&LISTS];

/// Lists that are not there.
pub static LIST_TOMBSTONES: Tombstones = Tombstones {
    table: &LISTS,
    scope: Scope::REGISTRY,
    stamps: list_stamps,
    list: list_of,
    reads: super::coverage::reads,
};

fn list_stamps(row: &Row) -> Option<Vec<OpVersion>> {
    (!is_present(row)).then(|| list_versions(row).into_holders())
}

fn list_of(row: &Row) -> Option<ListId> {
    ListId::new(row.get(1)?.as_text()?).ok()
}

/// Whether a row of [`LISTS`] is of a list that is there.
pub(crate) fn is_present(row: &Row) -> bool {
    row.get(3).and_then(Value::as_integer) == Some(1)
}

/// Who wrote the parts of a row of [`LISTS`].
pub(crate) fn list_versions(row: &Row) -> Versions<'_> {
    Versions::of_text(row.get(5).and_then(Value::as_text).unwrap_or_default())
}

/// A list as its row tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub list: ListId,
    /// Where it stands; none while its row isn't whole, which is before its creation is known.
    pub position: Option<Position>,
    /// Whether it is there: neither removed nor unknown.
    pub present: bool,
    /// The title to show.
    pub title: String,
}

impl List {
    /// Reads a row of [`LISTS`], with the list's row of [`crate::list::TITLES`] if it has one; none
    /// if they are no such rows.
    pub fn from_rows(row: Row, own_title: Option<Row>) -> Option<Self> {
        let title = shown_title(&row, own_title.as_ref()).to_owned();
        let [_, list, position, present, _, versions] = <[Value; 6]>::try_from(row).ok()?;
        let present = present.as_integer()? == 1;
        let whole = present || Versions::of_text(versions.as_text()?).are_of(Parts::LIST);
        let position = Position::new(position.into_text()?).ok();
        Some(Self {
            list: ListId::new(list.into_text()?).ok()?,
            position: position.filter(|_| whole),
            present,
            title,
        })
    }
}

/// The title to show for a list: of the one in its row of [`LISTS`] and the one that its own ops gave
/// it, in [`crate::list::TITLES`], the one written later by `(clock, actor)`; the registry's, if both
/// are of one version.
pub fn shown_title<'a>(row: &'a Row, own_title: Option<&'a Row>) -> &'a str {
    let own = own_title.filter(|own| title_version(own, 2) > title_version(row, 5));
    let title = match own {
        Some(own) => own.get(1),
        None => row.get(4),
    };
    title.and_then(Value::as_text).unwrap_or_default()
}

/// Who wrote the title that is shown; none: nobody has.
pub(crate) fn shown_title_version<'a>(
    row: &'a Row,
    own_title: Option<&'a Row>,
) -> Option<Version<'a>> {
    let own = own_title.and_then(|own| title_version(own, 2));
    own.max(title_version(row, 5))
}

fn title_version(row: &Row, versions: usize) -> Option<Version<'_>> {
    let versions = row.get(versions).and_then(Value::as_text);
    let versions = Versions::of_text(versions.unwrap_or_default());
    versions.of(Parts::TITLE)
}
