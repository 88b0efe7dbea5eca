//! The address of a server.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The URL of a server: http or https, without credentials, query or fragment. It may have a path,
/// below which the server's own paths then lie.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Ends in a slash, so that paths can be joined to it.
    base: Url,
}

/// Why a text is no endpoint. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("the endpoint is no URL; one looks like https://sync.example.org")]
    Url(#[source] url::ParseError),
    #[error("the endpoint must begin with http:// or https:// and name a host")]
    Scheme,
    #[error("the endpoint may not hold a user name or password; a token is kept apart from it")]
    Credentials,
    #[error("the endpoint may not have a query or a fragment")]
    Extra,
}

impl Endpoint {
    /// The URL of `path` (without a leading slash) on this server.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    /// Whether the server is on this machine, by name or address.
    pub fn is_loopback(&self) -> bool {
        match self.base.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether what is sent can't be read on the way.
    pub fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let mut base = Url::parse(text.trim()).map_err(EndpointError::Url)?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(EndpointError::Scheme);
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(EndpointError::Extra);
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { base })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        text.parse()
    }

    #[test]
    fn paths_lie_below_the_endpoint() {
        let bare = parse(" http://localhost:8080 ").unwrap();
        assert_eq!(bare.to_string(), "http://localhost:8080");
        assert_eq!(
            bare.url("sync/push").as_str(),
            "http://localhost:8080/sync/push"
        );
        let nested = parse("https://example.org/syncline/").unwrap();
        assert_eq!(nested.to_string(), "https://example.org/syncline");
        assert_eq!(
            nested.url("health").as_str(),
            "https://example.org/syncline/health"
        );
        assert_eq!(nested, parse("https://EXAMPLE.org:443/syncline").unwrap());
    }

    #[test]
    fn what_is_no_endpoint_is_refused_by_kind() {
        assert!(matches!(
            parse("sync.example.org"),
            Err(EndpointError::Url(_))
        ));
        assert_eq!(parse("ftp://example.org"), Err(EndpointError::Scheme));
        assert_eq!(parse("unix:/run/x"), Err(EndpointError::Scheme));
        assert_eq!(
            parse("http://u:p@example.org"),
            Err(EndpointError::Credentials)
        );
        assert_eq!(
            parse("http://u@example.org"),
            Err(EndpointError::Credentials)
        );
        assert_eq!(parse("http://example.org/?q"), Err(EndpointError::Extra));
        assert_eq!(parse("http://example.org/#f"), Err(EndpointError::Extra));
    }

    #[test]
    fn loopback_is_told_from_other_hosts() {
        for text in [
            "http://localhost",
            "http://a.localhost",
            "http://127.0.0.9",
            "http://[::1]:1",
        ] {
            assert!(parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "http://10.0.0.1",
            "http://localhost.example.org",
            "http://[fe80::1]",
        ] {
            assert!(!parse(text).unwrap().is_loopback(), "{text}");
        }
    }
}
