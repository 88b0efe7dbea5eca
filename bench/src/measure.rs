//! What a measurement is, and how it is shown.

use serde::Serialize;

/// Whether more is better, and the ratio to the limit that is to be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// At least this part of the limit.
    AtLeast(f64),
    /// At most this multiple of the limit.
    AtMost(f64),
    /// None is to be reached: the ratio is there to be known.
    None,
}

/// One figure beside its limit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// What the limit is.
    pub limit: &'static str,
    pub limit_value: f64,
    pub ratio: f64,
    pub bar: Option<f64>,
    pub met: bool,
}

impl Row {
    /// Makes a row of the medians of interleaved runs, each a figure and its limit.
    pub(crate) fn new(
        name: &str,
        unit: &'static str,
        limit: &'static str,
        bar: Bar,
        runs: &[(f64, f64)],
    ) -> Self {
        let value = median(runs.iter().map(|run| run.0).collect());
        let limit_value = median(runs.iter().map(|run| run.1).collect());
        let ratio = value / limit_value;
        let (bar, met) = match bar {
            Bar::AtLeast(bar) => (Some(bar), ratio >= bar),
            Bar::AtMost(bar) => (Some(bar), ratio <= bar),
            Bar::None => (None, true),
        };
        Self {
            name: name.to_owned(),
            value,
            unit,
            limit,
            limit_value,
            ratio,
            bar,
            met,
        }
    }
}

/// The middle value.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which the part `part` of all lies.
pub(crate) fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((last as f64 * part).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// Prints the rows for people.
pub(crate) fn print_table(rows: &[Row]) -> anyhow::Result<()> {
    println!(
        "{:<34} {:>12} {:<8} {:>12} {:>7} {:>7}  {:<4} limit",
        "name", "value", "unit", "limit", "ratio", "bar", "met"
    );
    for row in rows {
        println!(
            "{:<34} {:>12} {:<8} {:>12} {:>7.2} {:>7}  {:<4} {}",
            row.name,
            figure(row.value),
            row.unit,
            figure(row.limit_value),
            row.ratio,
            row.bar.map_or("none".to_owned(), |bar| format!("{bar:.2}")),
            match (row.bar, row.met) {
                (None, _) => "",
                (Some(_), true) => "yes",
                (Some(_), false) => "NO",
            },
            row.limit
        );
    }
    Ok(())
}

/// Prints the rows for programs.
pub(crate) fn print_json(rows: &[Row]) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(rows)?);
    Ok(())
}

fn figure(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}
