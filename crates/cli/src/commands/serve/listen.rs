//! Where to listen: `ADDRESS:PORT`, `ADDRESS`, or what `PORT` says.

use std::fmt;
use std::str::FromStr;

use crate::context::Context;
use crate::failure::Failure;

const HOST: &str = "127.0.0.1";
const PORT: u16 = 8080;
/// The variable by which hosting platforms give a port.
const PORT_VARIABLE: &str = "PORT";

/// An address, and a port if one was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listen {
    /// A name or an address, an IPv6 one in brackets.
    host: String,
    port: Option<u16>,
}

/// A text that names no place to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address and a port, such as 127.0.0.1:8080 or [::1]:8080")]
pub(super) struct ListenError;

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

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port.unwrap_or(PORT))
    }
}

/// Completes what was given: the port by `PORT`, the rest by the defaults.
pub(super) fn resolve(given: Option<&Listen>, context: &Context) -> Result<Listen, Failure> {
    let mut listen = given.cloned().unwrap_or(Listen {
        host: HOST.to_owned(),
        port: None,
    });
    if listen.port.is_none()
        && let Some(text) = context.environment.text(PORT_VARIABLE)?
    {
        let port = text
            .trim()
            .parse()
            .map_err(|error: std::num::ParseIntError| {
                Failure::usage("environment_invalid", format!("{PORT_VARIABLE} is no port"))
                    .because(error)
                    .fix(format!(
                        "unset {PORT_VARIABLE}, or give --listen ADDRESS:PORT"
                    ))
            })?;
        listen.port = Some(port);
    }
    Ok(listen)
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
        for text in ["", ":8080", "h:x", "h:70000", "::1", "h:"] {
            assert_eq!(text.parse::<Listen>(), Err(ListenError), "{text}");
        }
    }
}
