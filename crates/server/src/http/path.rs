//! Paths that mean a shape, however they are written.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

use super::percent::decoded;

const SHAPE: &str = "/v1/shape";

/// Writes the path of shapes as it is in the table: a proxy between may have doubled its slashes, ended
/// it with one, or coded its letters.
pub(crate) fn settle_path(uri: &mut Uri) {
    let path = uri.path();
    let may_mean_it = path != SHAPE && path.len() <= 3 * SHAPE.len() + 8;
    if !may_mean_it || !means_shape(path) {
        return;
    }
    let settled = match uri.query() {
        Some(query) => format!("{SHAPE}?{query}"),
        None => SHAPE.to_owned(),
    };
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = PathAndQuery::try_from(settled).ok();
    if let Ok(settled) = Uri::from_parts(parts) {
        *uri = settled;
    }
}

fn means_shape(path: &str) -> bool {
    let Some(plain) = decoded(path) else {
        return false;
    };
    let parts: Vec<_> = plain
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
        .collect();
    parts == [&b"v1"[..], &b"shape"[..]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(path: &str) -> String {
        let mut uri: Uri = path.parse().unwrap();
        settle_path(&mut uri);
        uri.to_string()
    }

    #[test]
    fn every_spelling_of_the_path_becomes_one() {
        for path in [
            "/v1/shape",
            "/v1/shape/",
            "/v1//shape",
            "//v1/shape",
            "/v1/%73hape",
            "/v1%2Fshape",
        ] {
            assert_eq!(
                settled(&format!("{path}?table=t")),
                "/v1/shape?table=t",
                "{path}"
            );
        }
        for path in ["/v1/shapes", "/v1/shape/x", "/v1/%7", "/v2/shape", "/"] {
            assert_eq!(settled(path), path);
        }
    }
}
