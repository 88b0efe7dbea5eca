//! What a schema says of its values beside their kind, also where it says so of each alternative of a union.

use super::{Merged, VARIANT_PARTS_MAX, is_null};
use crate::document::Node;
use crate::reading::Reading;

impl<'d> Merged<'d> {
    /// Whether nobody may write the value: one of another variant that may be written has to be taken.
    pub(crate) fn is_read_only(&self, reading: &Reading<'d>) -> bool {
        let is_marked = |node: &Node<'d>| Self::of(reading, *node).flag("readOnly");
        self.flag("readOnly") || self.unions.iter().any(|all| all.iter().all(is_marked))
    }

    /// Whether the value is only written: what one variant keeps from readers is not shown for another.
    pub(crate) fn is_write_only(&self, reading: &Reading<'d>) -> bool {
        let is_marked = |node: &Node<'d>| Self::of(reading, *node).flag("writeOnly");
        self.flag("writeOnly") || self.unions.iter().flatten().any(is_marked)
    }
}

/// Whether one of the alternatives of a union lets null be beside other values.
pub(super) fn any_lets_null_be<'d>(reading: &Reading<'d>, alternatives: &[Node<'d>]) -> bool {
    let mut left = VARIANT_PARTS_MAX;
    let mut open = alternatives.to_vec();
    while let Some(schema) = open.pop() {
        if left == 0 {
            return false;
        }
        left -= 1;
        let Some(schema) = reading.follow(schema) else {
            continue;
        };
        if lets_null_be(schema) {
            return true;
        }
        for keyword in ["oneOf", "anyOf", "allOf"] {
            for within in schema.get(keyword).into_iter().flat_map(Node::items) {
                if is_null(reading, within) {
                    return true;
                }
                open.push(within);
            }
        }
    }
    false
}

/// Whether a schema lets null be beside other values.
pub(super) fn lets_null_be(schema: Node<'_>) -> bool {
    let is_null_type = |node: Node<'_>| node.as_text() == Some("null");
    schema.get("nullable").and_then(Node::as_boolean) == Some(true)
        || schema
            .get("type")
            .is_some_and(|types| types.items().any(is_null_type))
        || schema
            .get("enum")
            .is_some_and(|values| values.items().any(Node::is_null))
}
