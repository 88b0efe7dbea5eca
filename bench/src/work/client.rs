//! The client of an application: how long its files take to be written, and how it does under Node.js.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::Bench;
use crate::measure::{Bar, Row};
use crate::program::syncline;

/// Of the document that `generate` is given; half of them are of one record.
const PATHS: usize = 200;

/// What a person takes for at once, and what a frame has, in milliseconds.
const GENERATE_MS: f64 = 200.0;

/// `generate` on a document of 200 paths: from spawn to exit, into an empty folder.
pub(crate) fn generate(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let directory = tempfile::tempdir()?;
    let document = directory.path().join("openapi.yaml");
    std::fs::write(&document, text()?)?;
    let mut times = Vec::new();
    for run in 0..bench.runs {
        let mut command = Command::new(syncline()?);
        command
            .arg("generate")
            .arg(&document)
            .arg("--out")
            .arg(directory.path().join(run.to_string()))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        ensure!(command.status()?.success(), "generate failed");
        times.push((begun.elapsed().as_secs_f64() * 1000.0, GENERATE_MS));
    }
    Ok(vec![Row::new(
        "generate, 200 paths",
        "ms",
        "200 ms",
        Bar::AtMost(1.0),
        &times,
    )])
}

/// A document of so many paths, with records of a dozen fields.
fn text() -> anyhow::Result<String> {
    let mut text = "openapi: 3.1.0\npaths:\n".to_owned();
    let fields: Vec<String> = (0..12)
        .map(|at| format!("field_{at}: {{ type: [string, 'null'], maxLength: 200 }}"))
        .collect();
    let record = format!(
        "{{ type: object, properties: {{ id: {{ type: string, format: uuid }}, {} }} }}",
        fields.join(", ")
    );
    let answer = |schema: &str| format!("content: {{ application/json: {{ schema: {schema} }} }}");
    for at in 0..PATHS / 2 {
        let one = answer(&record);
        let all = answer(&format!("{{ type: array, items: {record} }}"));
        writeln!(
            text,
            "  /api/things{at}:\n    x-sync: {{ local_first: true }}\n    \
             get: {{ responses: {{ '200': {{ {all} }} }} }}\n    \
             post: {{ requestBody: {{ {one} }}, responses: {{ '201': {{ {one} }} }} }}\n  \
             /api/things{at}/{{id}}:\n    x-sync: {{ local_first: true }}\n    \
             patch: {{ requestBody: {{ {one} }}, responses: {{ '200': {{ {one} }} }} }}\n    \
             delete: {{ responses: {{ '204': {{ description: gone }} }} }}"
        )?;
    }
    Ok(text)
}

/// One line of what `packages/client/test/figures.ts` prints.
#[derive(Debug, Deserialize)]
struct Figure {
    name: String,
    value: f64,
    limit: f64,
}

/// The figures of a page: its name there, here, its unit, its limit and its bar.
const FIGURES: [(&str, &str, &str, &str, Bar); 3] = [
    (
        "rendered",
        "optimistic write to its rendering",
        "ms",
        "16 ms, the time of a frame",
        Bar::AtMost(1.0),
    ),
    (
        "drained",
        "queue of a page drained",
        "writes/s",
        "500 writes a second, or the server's own rate where it is lower",
        Bar::AtLeast(1.0),
    ),
    (
        "size",
        "runtime of a page, minified and compressed",
        "kB",
        "15 kB",
        Bar::AtMost(1.0),
    ),
];

/// The client of packages/client, in one process, with PGlite and 10,000 rows.
pub(crate) fn page(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packages/client");
    compile(&package)?;
    let mut runs: Vec<Vec<Figure>> = Vec::new();
    for _ in 0..bench.runs {
        runs.push(figures(&package, bench.size)?);
    }
    let rows = FIGURES.map(|(name, title, unit, limit, bar)| {
        let of_name = |run: &Vec<Figure>| {
            let figure = run.iter().find(|figure| figure.name == name)?;
            Some((figure.value, figure.limit))
        };
        let runs: Vec<(f64, f64)> = runs.iter().filter_map(of_name).collect();
        Row::new(title, unit, limit, bar, &runs)
    });
    Ok(rows.into())
}

/// Compiles the runtime, and the figures with what they are measured on.
fn compile(package: &Path) -> anyhow::Result<()> {
    let compiler: PathBuf = package.join("node_modules/typescript/bin/tsc");
    ensure!(
        compiler.exists(),
        "the compiler is missing: run `npm ci` in packages/client"
    );
    for project in ["tsconfig.build.json", "tsconfig.json"] {
        let mut command = Command::new("node");
        command
            .current_dir(package)
            .arg(&compiler)
            .args(["-p", project]);
        ensure!(command.status()?.success(), "{project} does not compile");
    }
    Ok(())
}

fn figures(package: &Path, size: f64) -> anyhow::Result<Vec<Figure>> {
    let mut command = Command::new("node");
    command
        .current_dir(package)
        .arg("dist-test/test/figures.js")
        .env("SIZE", size.to_string())
        .env("SYNCLINE_BINARY", syncline()?)
        .stderr(Stdio::null());
    let output = command.output().context("Node.js does not run")?;
    ensure!(output.status.success(), "the figures of a page failed");
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}
