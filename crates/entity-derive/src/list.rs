//! Fields that are lists.

use syn::spanned::Spanned as _;
use syn::{Error, GenericArgument, PathArguments, Result, Type};

use crate::attributes::FieldAttributes;

/// What is said of one value, and would be taken to be said of the list.
const OF_ONE_VALUE: [&str; 8] = [
    "decimal",
    "one_of",
    "format",
    "pattern",
    "min_length",
    "max_length",
    "minimum",
    "maximum",
];

/// Refuses what a list does not have.
pub(crate) fn check(ty: &Type, attributes: &FieldAttributes) -> Result<()> {
    let said = |word: &&&str| attributes.has(word);
    match OF_ONE_VALUE.iter().find(said).filter(|_| is_list(ty)) {
        None => Ok(()),
        Some(word) => {
            let message = format!(
                "a list has no `{word}`: that is said of one value, and a list's items are what their Rust type says"
            );
            Err(Error::new(ty.span(), message))
        }
    }
}

/// Whether a type is a `Vec`, or one or none, as it is written.
fn is_list(ty: &Type) -> bool {
    let Type::Path(path) = ty else {
        return false;
    };
    let Some(last) = path.path.segments.last() else {
        return false;
    };
    let PathArguments::AngleBracketed(inner) = &last.arguments else {
        return false;
    };
    let is_of_list =
        |one: &GenericArgument| matches!(one, GenericArgument::Type(ty) if is_list(ty));
    last.ident == "Vec" || last.ident == "Option" && inner.args.iter().any(is_of_list)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// What is said of a field.
    fn refusal(field: syn::Field) -> Option<String> {
        let attributes = FieldAttributes::read(&field.attrs).unwrap();
        let refused = check(&field.ty, &attributes).err();
        refused.map(|error| error.to_string())
    }

    #[test]
    fn what_is_said_of_one_value_does_not_compile_on_a_list() {
        for (word, field) in [
            (
                "decimal",
                parse_quote!(#[field(decimal)] prices: Vec<String>),
            ),
            (
                "one_of",
                parse_quote!(#[field(one_of("a", "b"))] tags: Option<Vec<String>>),
            ),
            (
                "format",
                parse_quote!(#[field(format = "email")] to: std::vec::Vec<String>),
            ),
            (
                "pattern",
                parse_quote!(#[field(pattern = "^a")] words: Vec<String>),
            ),
            (
                "min_length",
                parse_quote!(#[field(min_length = 1)] words: Vec<String>),
            ),
            (
                "max_length",
                parse_quote!(#[field(max_length = 1)] words: Vec<String>),
            ),
            (
                "minimum",
                parse_quote!(#[field(minimum = 0)] counts: Vec<i64>),
            ),
            (
                "maximum",
                parse_quote!(#[field(maximum = 9)] counts: Vec<Vec<i64>>),
            ),
        ] {
            let refused = refusal(field).expect(word);
            assert!(
                refused.starts_with(&format!("a list has no `{word}`")),
                "{refused}"
            );
        }
    }

    #[test]
    fn other_fields_and_other_words_are_taken() {
        for field in [
            parse_quote!(#[field(decimal, minimum = 0)] price: Option<String>),
            parse_quote!(#[field(one_of("a"), min_length = 1)] state: String),
            parse_quote!(#[field(owner_only, group = "g")] tags: Vec<String>),
            parse_quote!(tags: Vec<String>),
            // What another type makes of a list is its own to say.
            parse_quote!(#[field(min_length = 1)] tags: Joined<Vec<String>>),
        ] {
            assert_eq!(refusal(field), None);
        }
    }
}
