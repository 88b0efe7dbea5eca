//! `#[derive(Entity)]`: a struct's attributes as the entity that they declare.
//!
//! It writes calls of `syncline_entity::Builder` and decides nothing else. What it can see to be wrong (a group
//! that no field is in, a unique set of fields that are not there) does not compile.

mod attributes;
mod expand;
mod serde_words;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Declares the records of a struct.
///
/// `#[entity(…)]` takes `name = "contacts"` (the collection's, and the one thing that must be said), `path`, `key`,
/// `local_first` or `mode = "local_first|realtime|offline|api|cache"` with `ttl_seconds`, `subset = "…"`,
/// `conflict = "server_wins|last_write_wins|reject"`, `unique(field, …)`, `role_permissions(editor(group, …), …)`,
/// `read_permissions(…)` and `role_via(entity = "…", entity_field = "…", …)`.
///
/// `#[field(…)]` takes `sync_exclude`, `owner_only`, `read_only`, `unique`, `decimal`, `group`, `references`, `rename`,
/// `format`, `default`, `one_of("…", …)`, `min_length`, `max_length`, `minimum`, `maximum` and `pattern`. Doc comments
/// describe fields. A list (`Vec<T>`, by any name) has none of `decimal`, `one_of`, `format`, `default`, lengths, bounds and
/// `pattern`, which say what one value is.
///
/// `#[serde(rename = "…")]` on a field is its name here too. Other words of serde that make the struct's JSON another than its
/// fields say (`rename_all`, `skip`, `flatten`, …) do not compile. What `with`, `serialize_with` and `deserialize_with` make of a
/// value nobody sees here: the field is declared by its Rust type, and its JSON must be what that says. Where it is another (a time
/// as a number, a struct as text), give the field a type that is it.
#[proc_macro_derive(Entity, attributes(entity, field))]
pub fn derive_entity(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
