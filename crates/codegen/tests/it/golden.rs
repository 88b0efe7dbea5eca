//! What each fixture is resolved to, compared with a file that people review.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use syncline_codegen::resolve;

use crate::fixtures::{self, Fixture};

/// The schema as JSON, and each diagnostic on a line below.
fn shown(fixture: &Fixture) -> String {
    let name = fixture.path.file_name().unwrap().to_str().unwrap();
    let resolution = resolve(&fixture.text);
    let mut shown = serde_json::to_string_pretty(&resolution.schema).unwrap();
    shown.push('\n');
    for diagnostic in &resolution.diagnostics {
        writeln!(shown, "{}", diagnostic.placed(name)).unwrap();
    }
    shown
}

#[test]
fn fixtures_resolve_to_what_was_reviewed() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    fs::create_dir_all(&fresh).unwrap();
    let mut stale = Vec::new();
    for fixture in fixtures::all() {
        let golden = fixture.path.with_extension("golden.txt");
        let shown = shown(&fixture);
        if fs::read_to_string(&golden).unwrap_or_default() != shown {
            let name = golden.file_name().unwrap();
            fs::write(fresh.join(name), shown).unwrap();
            stale.push(format!(
                "cp {} {}",
                fresh.join(name).display(),
                golden.display()
            ));
        }
    }
    assert!(
        stale.is_empty(),
        "not what it was; once reviewed:\n{}",
        stale.join("\n")
    );
}
