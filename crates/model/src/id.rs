//! Names that cross the wire, each checked once, when it is made.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::{ID_BYTES_MAX, SCOPE_BYTES_MAX};

/// Why a name is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("{kind} is empty")]
    Empty { kind: &'static str },
    #[error("{kind} has {bytes} bytes, more than the {max} allowed")]
    TooLong {
        kind: &'static str,
        bytes: usize,
        max: usize,
    },
    #[error("{kind} has a control character")]
    Control { kind: &'static str },
    #[error("scope must match [a-z][a-z0-9._-]{{0,63}}")]
    Scope,
    #[error("{kind} must match [a-zA-Z0-9][a-zA-Z0-9._@+-]{{0,127}}")]
    Name { kind: &'static str },
    #[error("epoch is not a UUID")]
    Epoch,
}

fn check_opaque(kind: &'static str, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind });
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong {
            kind,
            bytes: text.len(),
            max: ID_BYTES_MAX,
        });
    }
    // Nearly all are plain ASCII, which needs no decoding.
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_plain && text.chars().any(char::is_control) {
        return Err(IdError::Control { kind });
    }
    Ok(())
}

fn check_scope(_: &'static str, text: &str) -> Result<(), IdError> {
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(u8::is_ascii_lowercase);
    let rest = bytes
        .iter()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'));
    if first && rest && bytes.len() <= SCOPE_BYTES_MAX {
        Ok(())
    } else {
        Err(IdError::Scope)
    }
}

/// Tenants and users become parts of paths and of SQL of other homes, so their alphabet is small.
fn check_name(kind: &'static str, text: &str) -> Result<(), IdError> {
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
    let rest = bytes
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'+' | b'-'));
    if first && rest && bytes.len() <= 128 {
        Ok(())
    } else {
        Err(IdError::Name { kind })
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks `text` and makes the name.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
                let text = text.into();
                $check($kind, &text)?;
                Ok(Self(text))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($kind)
                    }

                    // Made of the text where it stands: ops name ids by the thousand.
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        $type::new(text).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }
    };
}

name!(
    /// The kind of thing that an op changes: `thread`, `list`, or any custom name.
    Scope, "scope", check_scope
);
name!(
    /// The thing that an op changes, within its scope: 1 to 256 bytes without control characters.
    ResourceId, "resourceId", check_opaque
);
name!(
    /// Who stamps ops: 1 to 256 bytes without control characters.
    ActorId, "actor", check_opaque
);
name!(
    /// A task list: what the registry calls it, and the resource of its items' ops. 1 to 256 bytes
    /// without control characters.
    ListId, "list id", check_opaque
);
name!(
    /// An item, unique within its list of origin: 1 to 256 bytes without control characters.
    ItemId, "item id", check_opaque
);
name!(
    /// A replica's id on the wire: 1 to 256 bytes without control characters.
    ClientId, "clientId", check_opaque
);
name!(
    /// The owner of one log.
    TenantId, "tenant", check_name
);
name!(
    /// A member of a tenant.
    UserId, "user", check_name
);

impl Scope {
    /// The scope of threads.
    pub const THREAD: &'static str = "thread";

    /// The scope of the registry of task lists.
    pub const REGISTRY: &'static str = "registry";
    /// The scope of task lists.
    pub const LIST: &'static str = "list";
    /// The scope of coding sessions.
    pub const SESSION: &'static str = "session";
    /// The scope of records.
    pub const RECORD: &'static str = "record";
    /// The scope of schemas.
    pub const SCHEMA: &'static str = "schema";

    /// Makes the scope `thread`.
    pub fn thread() -> Self {
        Self(Self::THREAD.into())
    }

    /// Makes the scope `session`.
    pub fn session() -> Self {
        Self(Self::SESSION.into())
    }

    /// Makes the scope `record`.
    pub fn record() -> Self {
        Self(Self::RECORD.into())
    }

    /// Makes the scope `schema`.
    pub fn schema() -> Self {
        Self(Self::SCHEMA.into())
    }

    /// Makes the scope `registry`.
    pub fn registry() -> Self {
        Self(Self::REGISTRY.into())
    }

    /// Makes the scope `list`.
    pub fn list() -> Self {
        Self(Self::LIST.into())
    }
}

/// The resource of a list's ops.
impl From<ListId> for ResourceId {
    fn from(id: ListId) -> Self {
        Self(id.0)
    }
}

/// The list whose ops name this resource.
impl From<ResourceId> for ListId {
    fn from(id: ResourceId) -> Self {
        Self(id.0)
    }
}

/// The identity of a log's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(uuid::Uuid);

impl Epoch {
    pub const fn new(id: uuid::Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl std::str::FromStr for Epoch {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        uuid::Uuid::try_parse(text)
            .map(Self)
            .map_err(|_| IdError::Epoch)
    }
}
