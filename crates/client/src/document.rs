//! A document of the web, for commands that read one.

use std::time::Duration;

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
