//! Lists and items as they are answered.

use serde_json::{Value, json};
use syncline_store::lists::{ListOverview, ShownItem};

/// A list without its items.
pub(super) fn overview_json(overview: &ListOverview) -> Value {
    json!({
        "list_id": overview.list.list,
        "title": overview.list.title,
        "deleted": !overview.list.present,
        "item_count": overview.items,
        "done_count": overview.done,
    })
}

pub(super) fn item_json(shown: &ShownItem) -> Value {
    json!({
        "id": shown.called,
        "text": shown.item.text,
        "done": shown.item.done,
        "note": shown.item.note,
        "state": shown.state.as_str(),
    })
}
