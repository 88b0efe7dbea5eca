//! Where to listen: `ADDRESS:PORT` or `ADDRESS`, by flag or variable, and what `PORT` says.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;

const HOST: &str = "127.0.0.1";
const PORT: u16 = 8080;
/// The variable by which hosting platforms give a port.
const PORT_VARIABLE: &str = "PORT";

/// An address, and a port if one was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// A name or an address, an IPv6 one in brackets.
    host: String,
    port: Option<u16>,
}

/// A text that names no place to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address and a port, such as 127.0.0.1:8080 or [::1]:8080")]
pub(crate) struct ListenError;

impl FromStr for Listen {
    type Err = ListenError;
    fn from_str(text: &str) -> Result<Self, ListenError> {
        let (host, port) = match text.rsplit_once(':') {
            // The last colon of a bare IPv6 address parts no port.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| ListenError)?))
            }
            _ => (text, None),
        };
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || (host.contains(':') && !bracketed) {
            return Err(ListenError);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl Listen {
    /// The address under which this machine itself reaches who listens there: one that stands for
    /// all of its addresses is none to call.
    pub(crate) fn reached_here(&self) -> Self {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        let host = match address.parse() {
            Ok(IpAddr::V4(address)) if address.is_unspecified() => HOST,
            Ok(IpAddr::V6(address)) if address.is_unspecified() => "[::1]",
            _ => &self.host,
        };
        Self {
            host: host.to_owned(),
            port: self.port,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port.unwrap_or(PORT))
    }
}

/// Completes what was given by flag, else by variable: the port by `PORT`, the rest by the defaults.
pub(crate) fn resolve(given: Option<&Listen>, context: &Context) -> Result<Listen, Failure> {
    let mut listen = match given {
        Some(given) => given.clone(),
        None => {
            let here = Listen {
                host: HOST.to_owned(),
                port: None,
            };
            context
                .environment
                .parsed(variable::LISTEN)?
                .unwrap_or(here)
        }
    };
    if listen.port.is_none() {
        listen.port = context.environment.parsed(PORT_VARIABLE)?;
    }
    Ok(listen)
}

/// Whether the environment says where the server of this machine listens.
pub(crate) fn is_said(context: &Context) -> bool {
    let names = [variable::LISTEN, PORT_VARIABLE];
    names
        .into_iter()
        .any(|name| context.environment.raw(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_its_port_out() {
        let table = [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0", "0.0.0.0:8080"),
            ("localhost:9", "localhost:9"),
            ("[::1]:7", "[::1]:7"),
            ("[::]", "[::]:8080"),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), expected);
        }
        for (text, expected) in [
            ("0.0.0.0:9", "127.0.0.1:9"),
            ("[::]", "[::1]:8080"),
            ("10.1.2.3:4", "10.1.2.3:4"),
            ("localhost", "localhost:8080"),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(listen.reached_here().to_string(), expected);
        }
        for text in ["", ":8080", "h:x", "h:70000", "::1", "h:"] {
            assert_eq!(text.parse::<Listen>(), Err(ListenError), "{text}");
        }
    }
}
