//! Writes the generated parts of `docs/protocol.md`:
//! `cargo run -p syncline-protocol --example write_tables`.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let document = fs::read_to_string(&path)?;
    let filled = syncline_protocol::tables::fill(&document)?;
    if filled != document {
        fs::write(&path, filled)?;
    }
    Ok(())
}
