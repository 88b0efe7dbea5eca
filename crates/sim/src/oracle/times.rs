//! The time of a thread's last change, which not everything that was written has a say in.
//!
//! It is that of whatever came last into the log. An op that the log counts as dropped never comes:
//! no part of a row is won by it, and the log can't tell whether it had it before. So where such an op
//! was never there, the fold of all that was ever written tells a later time than any log does, and
//! all logs tell the same (decision 0011).

use std::collections::BTreeSet;

use serde_json::Value;

/// The cells of a thread's row: its id, and the time of its last change.
const ID: usize = 0;
const UPDATED_AT: usize = 8;

/// The rows of a view without the last times of these threads.
pub(super) fn without_last_times(view: &str, threads: &BTreeSet<String>) -> String {
    let mut text = String::with_capacity(view.len());
    for line in view.lines() {
        match masked(line, threads) {
            Some(cells) => text.push_str(&format!("threads{cells}")),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// The row's cells without its last time; none: it is no row of one of these threads.
fn masked(line: &str, threads: &BTreeSet<String>) -> Option<Value> {
    let cells = line.strip_prefix("threads")?;
    let mut cells: Value = serde_json::from_str(cells).ok()?;
    let is_meant = threads.contains(cells[ID].as_str()?);
    *cells.get_mut(UPDATED_AT)? = Value::Null;
    is_meant.then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_of_the_named_threads_alone_is_left_out() {
        let row = |id: &str, at: &str| {
            format!(r#"threads["{id}","k",null,1,"p","n","active","t0","{at}",0,"[]","{{}}"]"#)
        };
        let view = |one: &str, two: &str| format!("{}\n{}\n", row("a", one), row("b", two));
        let late = BTreeSet::from(["a".to_owned()]);
        let of = |view: &str| without_last_times(view, &late);
        assert_eq!(of(&view("t1", "t1")), of(&view("t2", "t1")));
        assert_ne!(of(&view("t1", "t1")), of(&view("t1", "t2")));
        let renamed = view("t1", "t1").replacen("\"n\"", "\"m\"", 1);
        assert_ne!(of(&view("t1", "t1")), of(&renamed));
    }
}
