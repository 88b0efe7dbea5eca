//! Host and Origin: keeps web pages from reaching a server on the reader's own machine through a
//! name that they made point there.

use std::net::{IpAddr, SocketAddr};

/// The names under which this server may be addressed.
#[derive(Debug)]
pub(crate) struct HostPolicy {
    hosts: Hosts,
    /// Further origins whose pages may call us, as `scheme://host[:port]`, lower case.
    origins: Vec<String>,
}

#[derive(Debug)]
enum Hosts {
    /// Behind a proxy or in the open, any name may be ours.
    Any,
    /// Names and addresses without a port, lower case.
    Listed(Vec<String>),
}

/// Why a request is not for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misdirection {
    NoHost,
    Host,
    Origin,
}

impl HostPolicy {
    /// On loopback only loopback names and `hosts` are ours; elsewhere `hosts`, or any if none is
    /// given.
    pub(crate) fn new(listener: SocketAddr, hosts: &[String], origins: &[String]) -> Self {
        let mut listed: Vec<_> = hosts.iter().map(|host| host.to_lowercase()).collect();
        let hosts = if listener.ip().is_loopback() {
            listed.push("localhost".to_owned());
            Hosts::Listed(listed)
        } else if listed.is_empty() {
            Hosts::Any
        } else {
            Hosts::Listed(listed)
        };
        Self {
            hosts,
            origins: origins
                .iter()
                .map(|origin| origin.trim_end_matches('/').to_lowercase())
                .collect(),
        }
    }

    /// Checks a request's `Host` and `Origin`.
    pub(crate) fn check(
        &self,
        host: Option<&str>,
        origin: Option<&str>,
    ) -> Result<(), Misdirection> {
        let authority = host.ok_or(Misdirection::NoHost)?.to_lowercase();
        if !self.is_ours(&authority) {
            return Err(Misdirection::Host);
        }
        let Some(origin) = origin else {
            return Ok(());
        };
        let origin = origin.to_lowercase();
        let same = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
            .is_some_and(|origin| origin == authority);
        if same || self.lets_in(&origin) {
            Ok(())
        } else {
            Err(Misdirection::Origin)
        }
    }

    /// Whether this is one of the further origins whose pages may call us.
    pub(crate) fn lets_in(&self, origin: &str) -> bool {
        self.origins.contains(&origin.to_lowercase())
    }

    fn is_ours(&self, authority: &str) -> bool {
        let Hosts::Listed(listed) = &self.hosts else {
            return true;
        };
        let name = without_port(authority);
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback());
        is_loopback || listed.iter().any(|host| host == name)
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(listener: &str, hosts: &[&str], origins: &[&str]) -> HostPolicy {
        let owned = |texts: &[&str]| {
            texts
                .iter()
                .map(|&text| text.to_owned())
                .collect::<Vec<_>>()
        };
        HostPolicy::new(listener.parse().unwrap(), &owned(hosts), &owned(origins))
    }

    #[test]
    fn a_loopback_listener_answers_to_loopback_names_only() {
        let policy = policy("127.0.0.1:8080", &["sync.example"], &[]);
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "127.0.0.2",
            "[::1]:8080",
            "sync.example:443",
        ] {
            assert_eq!(policy.check(Some(host), None), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "10.0.0.1",
            "",
        ] {
            let refused = policy.check(Some(host), None);
            assert_eq!(refused, Err(Misdirection::Host), "{host}");
        }
        assert_eq!(policy.check(None, None), Err(Misdirection::NoHost));
    }

    #[test]
    fn an_open_listener_answers_to_any_name_unless_some_are_given() {
        let open = policy("0.0.0.0:80", &[], &[]);
        assert_eq!(open.check(Some("any.example"), None), Ok(()));
        let listed = policy("0.0.0.0:80", &["sync.example"], &[]);
        assert_eq!(listed.check(Some("sync.example"), None), Ok(()));
        let refused = listed.check(Some("any.example"), None);
        assert_eq!(refused, Err(Misdirection::Host));
    }

    #[test]
    fn an_origin_is_the_host_itself_or_a_configured_one() {
        let policy = policy("127.0.0.1:8080", &[], &["https://app.example/"]);
        let check = |origin| policy.check(Some("localhost:8080"), Some(origin));
        assert_eq!(check("http://localhost:8080"), Ok(()));
        assert_eq!(check("https://app.example"), Ok(()));
        for origin in [
            "http://evil.example",
            "http://localhost:9090",
            "null",
            "file://",
            "http://localhost:8080.evil.example",
        ] {
            assert_eq!(check(origin), Err(Misdirection::Origin), "{origin}");
        }
    }
}
