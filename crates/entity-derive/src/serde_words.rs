//! What `#[serde(…)]` says beside: records are the struct's JSON, and declared as that.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, Expr, LitStr, Result, Token, token};

use crate::attributes::Word;

/// Words on a field that leave its name and its place in JSON as they are.
const HARMLESS: [&str; 7] = [
    "default",
    "alias",
    "skip_serializing_if",
    "with",
    "serialize_with",
    "deserialize_with",
    "bound",
];

/// Words on a struct that leave the form of its JSON as it is.
const HARMLESS_ON_STRUCT: [&str; 5] =
    ["default", "bound", "crate", "deny_unknown_fields", "rename"];

/// The name that a field has in JSON, if it has another than in Rust.
pub(crate) fn name_of(attributes: &[Attribute]) -> Result<Option<Word>> {
    let mut name = None;
    each(attributes, |word, meta| {
        if word == "rename" && meta.input.peek(Token![=]) {
            let text: LitStr = meta.value()?.parse()?;
            name = Some(Word {
                text: text.value(),
                span: text.span(),
            });
            return Ok(());
        }
        if HARMLESS.contains(&word) {
            return pass(meta);
        }
        let message = format!(
            "serde's `{word}` makes a record's JSON another than is declared here: say \
             #[serde(rename = \"…\")], or keep the field out of the struct"
        );
        Err(Error::new_spanned(&meta.path, message))
    })?;
    Ok(name)
}

/// Refuses what makes JSON of another form than the fields say.
pub(crate) fn check_struct(attributes: &[Attribute]) -> Result<()> {
    each(attributes, |word, meta| {
        if HARMLESS_ON_STRUCT.contains(&word) {
            return pass(meta);
        }
        let message = format!(
            "serde's `{word}` makes a record's JSON another than is declared here: give each field its name, with \
             #[serde(rename = \"…\")]"
        );
        Err(Error::new_spanned(&meta.path, message))
    })
}

fn each(
    attributes: &[Attribute],
    mut see: impl FnMut(&str, &ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let mut own = attributes.iter().filter(|one| one.path().is_ident("serde"));
    own.try_for_each(|attribute| {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.require_ident()?.to_string();
            see(&word, &meta)
        })
    })
}

/// Passes over what a word is given.
fn pass(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        let inner;
        syn::parenthesized!(inner in meta.input);
        inner.parse::<TokenStream>()?;
    }
    Ok(())
}
