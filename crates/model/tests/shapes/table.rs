//! A table with a column of each type, and rows of it.

use syncline_model::shape::{Filter, FilterError, FilterRow, Kind, Scalar, ShapeColumn};

/// The columns, as `(name, type)`, and the cells of one row.
pub(super) const COLUMNS: &[(&str, Kind, Option<&str>)] = &[
    (
        "id",
        Kind::one(Scalar::Uuid),
        Some("9f0d4c1e-35f8-4f7b-a0aa-2c1fdc8cbd9b"),
    ),
    ("small", Kind::one(Scalar::Int2), Some("7")),
    ("whole", Kind::one(Scalar::Int4), Some("42")),
    ("big", Kind::one(Scalar::Int8), Some("9007199254740993")),
    ("double", Kind::one(Scalar::Float8), Some("2.5")),
    ("exact", Kind::one(Scalar::Numeric), Some("12.50")),
    ("title", Kind::one(Scalar::Text), Some("Write the language")),
    ("done", Kind::one(Scalar::Bool), Some("true")),
    ("day", Kind::one(Scalar::Date), Some("2026-03-01")),
    ("clock", Kind::one(Scalar::Time), Some("12:30:00")),
    (
        "at",
        Kind::one(Scalar::TimestampTz),
        Some("2026-03-01 12:30:00+00"),
    ),
    (
        "local",
        Kind::one(Scalar::Timestamp),
        Some("2026-03-01 12:30:00"),
    ),
    ("span", Kind::one(Scalar::Interval), Some("P1DT2H")),
    ("numbers", Kind::array(Scalar::Int4), Some("{1,2,3,NULL}")),
    (
        "words",
        Kind::array(Scalar::Text),
        Some("{red,\"dark blue\"}"),
    ),
    ("Mixed Case", Kind::one(Scalar::Text), Some("x")),
    ("nothing", Kind::one(Scalar::Text), None),
    ("no_number", Kind::one(Scalar::Int4), None),
    ("no_truth", Kind::one(Scalar::Bool), None),
    ("data", Kind::one(Scalar::Jsonb), Some("{\"a\": 1}")),
];

pub(super) fn columns() -> Vec<ShapeColumn> {
    let columns = COLUMNS.iter().map(|(name, kind, _)| ShapeColumn {
        name: (*name).to_owned(),
        kind: *kind,
        is_nullable: true,
        key_place: (*name == "id").then_some(0),
    });
    columns.collect()
}

pub(super) fn read(text: &str, parameters: &[&str]) -> Result<Filter, FilterError> {
    let parameters: Vec<_> = parameters.iter().map(|&text| text.to_owned()).collect();
    Filter::parse(text, &parameters, "tasks", &columns())
}

/// What the filter is of the one row: true, false or null.
pub(super) fn truth(text: &str) -> Option<bool> {
    truth_with(text, &[])
}

pub(super) fn truth_with(text: &str, parameters: &[&str]) -> Option<bool> {
    let filter = match read(text, parameters) {
        Ok(filter) => filter,
        Err(error) => panic!("{text}: {error}"),
    };
    let cells: Vec<_> = COLUMNS.iter().map(|row| row.2.map(str::to_owned)).collect();
    truth_of(&filter, cells)
}

/// As [`truth`], of a row whose title is a million letters.
pub(super) fn truth_of_title(text: &str) -> Option<bool> {
    let filter = read(text, &[]).expect(text);
    let title = "a".repeat(1_000_000);
    let cells = COLUMNS.iter().map(|(name, _, cell)| match *name {
        "title" => Some(title.clone()),
        _ => cell.map(str::to_owned),
    });
    truth_of(&filter, cells.collect())
}

fn truth_of(filter: &Filter, cells: Vec<Option<String>>) -> Option<bool> {
    filter.truth(&FilterRow::new(&columns(), &Cells(cells)))
}

struct Cells(Vec<Option<String>>);

impl syncline_model::shape::CellSource for Cells {
    fn cell(&self, column: usize) -> Option<&str> {
        self.0[column].as_deref()
    }
}
