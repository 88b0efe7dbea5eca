//! The Prometheus text format, version 0.0.4.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use super::Histogram;

const TO_STRING: &str = "writing to a string does not fail";

/// A page of metrics being written.
#[derive(Debug, Default)]
pub(crate) struct Exposition(String);

type Labels<'a> = [(&'a str, &'a str)];

impl Exposition {
    pub(crate) fn header(&mut self, name: &str, kind: &str, help: &str) {
        write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect(TO_STRING);
    }

    pub(crate) fn sample(&mut self, name: &str, labels: &Labels<'_>, value: f64) {
        self.0.push_str(name);
        for (n, (label, text)) in labels.iter().enumerate() {
            self.0.push(if n == 0 { '{' } else { ',' });
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            write!(self.0, "{label}=\"{text}\"").expect(TO_STRING);
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        writeln!(self.0, " {value}").expect(TO_STRING);
    }

    pub(crate) fn histogram(&mut self, name: &str, labels: &Labels<'_>, histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        let bounds = histogram.bounds.iter().map(f64::to_string);
        let bounds = bounds.chain(std::iter::once("+Inf".to_owned()));
        for (bound, count) in bounds.zip(&histogram.counts) {
            below += count.load(Relaxed);
            let labels = [labels, &[("le", &*bound)]].concat();
            self.sample(&bucket, &labels, below as f64);
        }
        let sum = histogram.sum_millionths.load(Relaxed) as f64 / 1e6;
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, below as f64);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_histograms_are_written_as_prometheus_reads_them() {
        let histogram = Histogram::new(&[1.0, 10.0]);
        for value in [0.5, 1.0, 7.0, 70.0] {
            histogram.observe(value);
        }
        let mut out = Exposition::default();
        out.header("x_total", "counter", "How many.");
        out.sample("x_total", &[("route", "/a\"b\\\n")], 3.0);
        out.histogram("d", &[("r", "p")], &histogram);
        assert_eq!(
            out.into_text(),
            "# HELP x_total How many.\n\
             # TYPE x_total counter\n\
             x_total{route=\"/a\\\"b\\\\\\n\"} 3\n\
             d_bucket{r=\"p\",le=\"1\"} 2\n\
             d_bucket{r=\"p\",le=\"10\"} 3\n\
             d_bucket{r=\"p\",le=\"+Inf\"} 4\n\
             d_sum{r=\"p\"} 78.5\n\
             d_count{r=\"p\"} 4\n"
        );
    }
}
