//! What all ids have in common that are UUIDs.

/// Makes a newtype over a UUID, read in any spelling and written in one.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $type(uuid::Uuid);

        impl $type {
            pub const fn new(id: uuid::Uuid) -> Self {
                Self(id)
            }

            pub const fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $type {
            type Err = uuid::Error;
            /// Reads a UUID in any spelling; it is written in one.
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                uuid::Uuid::try_parse(text).map(Self)
            }
        }

        impl From<uuid::Uuid> for $type {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
    };
}

/// Lets an id that is a UUID be the resource of ops.
macro_rules! uuid_resource {
    ($type:ident) => {
        /// The resource of its ops.
        impl From<$type> for $crate::ResourceId {
            fn from(id: $type) -> Self {
                Self::new(id.to_string()).expect("a UUID's text is short and printable")
            }
        }

        impl $type {
            /// Reads the id of a resource, which is one only under its id's one spelling: another
            /// would be a second resource for the same thing.
            pub fn of_resource(resource: &$crate::ResourceId) -> Option<Self> {
                let text = resource.as_str();
                let id = uuid::Uuid::try_parse(text).ok()?;
                let mut buffer = uuid::Uuid::encode_buffer();
                (*id.hyphenated().encode_lower(&mut buffer) == *text).then_some(Self(id))
            }
        }
    };
}

pub(crate) use {uuid_id, uuid_resource};
