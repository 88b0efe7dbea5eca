//! A reading list that a team shares, declared once: the structs are the application's own, and the document that
//! they write is what `syncline serve --schema` and `syncline generate` read.

use syncline_entity::{Document, Entity};

/// A book that somebody has put on a shelf.
#[derive(Debug, Entity)]
#[entity(
    name = "books",
    local_first,
    conflict = "last_write_wins",
    role_permissions(editor(shelf), owner(shelf))
)]
pub struct Book {
    pub id: uuid::Uuid,
    #[field(group = "shelf", min_length = 1)]
    pub title: String,
    #[field(group = "shelf")]
    pub author: Option<String>,
    /// As printed on its back, without hyphens.
    #[field(unique, pattern = "^[0-9]{9}[0-9X]{1,4}$")]
    pub isbn: Option<String>,
    #[field(
        group = "shelf",
        one_of("wanted", "reading", "read"),
        default = "wanted"
    )]
    pub state: String,
    /// What it cost, which only owners change.
    #[field(decimal, owner_only, minimum = 0)]
    pub price: Option<String>,
    /// What its reader thinks, and nobody else sees.
    #[field(sync_exclude)]
    pub private_notes: Option<String>,
    pub finished_on: Option<jiff::civil::Date>,
}

/// A book that somebody has taken home. The server's word counts before it is shown as lent.
#[derive(Debug, Entity)]
#[entity(
    name = "loans",
    mode = "api",
    conflict = "reject",
    unique(book_id, lent_on)
)]
pub struct Loan {
    pub id: uuid::Uuid,
    #[field(references = "books")]
    pub book_id: uuid::Uuid,
    pub borrower: String,
    pub lent_on: jiff::civil::Date,
    pub returned_on: Option<jiff::civil::Date>,
}

/// The OpenAPI document of the reading list.
pub fn document() -> Document {
    Document::new("Reading list", "1.0.0")
        .with::<Book>()
        .with::<Loan>()
}
