//! Writes the document beside the manifest, or where the first argument says.

use std::{env, fs, io};

fn main() -> io::Result<()> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml").to_owned();
    let path = env::args().nth(1).unwrap_or(beside);
    fs::write(path, syncline_example_rust_model::document().to_yaml())
}
