//! `GET /metrics`: counts and durations for Prometheus.

use axum::http::Method;

use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Route};
use crate::metrics::Exposition;

pub(super) fn routes() -> Vec<Route> {
    let summary = "Answers counts and durations as Prometheus reads them; names no tenant.";
    vec![Route::new(
        Method::GET,
        "/metrics",
        Access::Operator,
        summary,
        |call| Box::pin(metrics(call)),
    )]
}

async fn metrics(call: Call) -> Result<Answer, ApiError> {
    const FAILING: &str = "syncline_backup_failing";
    const REQUESTS: &str = "syncline_http_requests_total";
    const DURATIONS: &str = "syncline_http_request_duration_seconds";
    let server = &call.server;
    let mut out = Exposition::default();
    out.header("syncline_build_info", "gauge", "The version that runs.");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    out.sample("syncline_build_info", &version, 1.0);
    out.header("syncline_uptime_seconds", "gauge", "Time since the start.");
    out.sample(
        "syncline_uptime_seconds",
        &[],
        server.uptime().as_secs_f64(),
    );
    server.metrics.expose(&mut out);
    out.header(FAILING, "gauge", "1 while the regular backups fail.");
    let is_failing = server.failed_backup().is_some();
    out.sample(FAILING, &[], f64::from(is_failing));
    out.header(
        REQUESTS,
        "counter",
        "Requests answered, by route and class of status.",
    );
    for route in &server.routes {
        let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        for (class, count) in classes.iter().zip(&route.counts.by_class) {
            let labels = [
                ("method", route.method.as_str()),
                ("route", route.path),
                ("status", *class),
            ];
            if count.get() > 0 {
                out.sample(REQUESTS, &labels, count.get() as f64);
            }
        }
    }
    out.header(
        DURATIONS,
        "histogram",
        "Time from request to the begin of its answer.",
    );
    for route in &server.routes {
        let labels = [("method", route.method.as_str()), ("route", route.path)];
        if !route.counts.durations.is_empty() {
            out.histogram(DURATIONS, &labels, &route.counts.durations);
        }
    }
    Ok(Answer::whole(
        out.into_text(),
        "text/plain; version=0.0.4; charset=utf-8",
    ))
}
