use std::path::Path;

use crate::machine::Machine;

#[test]
fn the_reference_is_that_of_this_binary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let current = Machine::new().run(&["reference"]).done().stdout;
    assert!(
        committed == current,
        "docs/cli.md is not what the commands say; mend it with `cargo run -q -- reference > docs/cli.md`"
    );
}

#[test]
fn the_reference_fits_its_page_and_has_no_colours() {
    let text = Machine::new().run(&["reference"]).done().stdout;
    for line in text.lines() {
        assert!(!line.contains('\u{1b}'), "no colour codes: {line}");
        assert!(line.chars().count() <= 101, "wider than its page: {line}");
    }
}
