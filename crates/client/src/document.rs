//! A document of the web, for commands that read one.

use std::time::Duration;

use url::Url;

use crate::StartError;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("could not fetch it")]
    Http(#[source] reqwest::Error),
    #[error("its server answers {0}")]
    Status(u16),
    #[error("it is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("it is no UTF-8 text")]
    Encoding(#[source] std::string::FromUtf8Error),
    #[error("could not begin to fetch it")]
    Start(#[source] StartError),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// An address as it is told to people: without a user's name and password, and without the values of its
/// query, one of which may be a token.
pub fn told_address(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return HIDDEN.to_owned();
    };
    let is_bare = url.username().is_empty() && url.password().is_none();
    if is_bare && url.query().is_none() && url.fragment().is_none() {
        return text.to_owned();
    }
    let query = url.query().map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((name, _)) => format!("{name}={HIDDEN}"),
            None => HIDDEN.to_owned(),
        });
        format!("?{}", parts.collect::<Vec<_>>().join("&"))
    });
    // What can't have a name or password has none.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    format!("{url}{}", query.unwrap_or_default())
}

/// What stands for what is not told.
const HIDDEN: &str = "…";

/// Fetches a text on this thread, for `patience` at most. No token is sent.
pub fn fetch_text(url: &str, bytes_max: usize, patience: Duration) -> Result<String, FetchError> {
    let runtime =
        crate::driver::runtime().map_err(|error| FetchError::Start(StartError::Runtime(error)))?;
    let fetched = runtime.block_on(async {
        let http = reqwest::Client::builder().timeout(patience).build()?;
        let mut answer = http.get(url).send().await?;
        if !answer.status().is_success() {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > bytes_max {
                return Err(FetchError::TooLarge { bytes_max });
            }
        }
        String::from_utf8(bytes).map_err(FetchError::Encoding)
    });
    runtime.shutdown_background();
    fetched
}

#[cfg(test)]
mod tests {
    use super::told_address;

    #[test]
    fn an_address_is_told_without_what_may_be_secret() {
        for (address, told) in [
            (
                "https://Example.org/openapi.json",
                "https://Example.org/openapi.json",
            ),
            (
                "https://ada:hush@example.org/a.json",
                "https://example.org/a.json",
            ),
            (
                "https://ghp_x@example.org:8443/",
                "https://example.org:8443/",
            ),
            (
                "http://example.org/a?token=hush&v=2",
                "http://example.org/a?token=…&v=…",
            ),
            ("http://example.org/a?hush", "http://example.org/a?…"),
            ("http://example.org/a#hush", "http://example.org/a"),
            ("http://ada:hush@", "…"),
        ] {
            assert_eq!(told_address(address), told);
        }
    }
}
