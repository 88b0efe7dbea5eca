//! The tables, beside the patches that write them.

use syncline_model::Table;
use syncline_model::session::{
    COMPACTIONS, CompactionPatch, ERRORS, ErrorPatch, LinkPatch, MESSAGES, MessagePatch,
    SESSION_LINKS, SESSIONS, SessionPatch, TOOLS, ToolPatch,
};

#[test]
fn the_fields_of_a_patch_are_the_first_columns_behind_the_key_of_its_table() {
    let pairs: [(&[&str], &Table); 6] = [
        (SessionPatch::FIELDS, &SESSIONS),
        (MessagePatch::FIELDS, &MESSAGES),
        (ToolPatch::FIELDS, &TOOLS),
        (ErrorPatch::FIELDS, &ERRORS),
        (CompactionPatch::FIELDS, &COMPACTIONS),
        (LinkPatch::FIELDS, &SESSION_LINKS),
    ];
    for (fields, table) in pairs {
        let columns = table.columns[table.key_columns..].iter();
        let columns: Vec<&str> = columns
            .map(|column| column.name)
            .take(fields.len())
            .collect();
        let fields: Vec<&str> = fields
            .iter()
            .map(|field| if *field == "order" { "ordinal" } else { *field })
            .collect();
        assert_eq!(fields, columns, "{}", table.name);
        assert_eq!(
            table.columns.last().map(|column| column.name),
            Some("versions")
        );
    }
}
