//! Attributes as calls of the builder.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Error, Field, Fields, Result};

use crate::attributes::{EntityAttributes, FieldAttributes, Permission, Word, as_float};
use crate::serde_words;

/// The implementation of `Entity` for a struct.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input)?;
    let attributes = EntityAttributes::read(&input.attrs)?;
    serde_words::check_struct(&input.attrs)?;
    let Some(name) = &attributes.name else {
        let message = "an entity needs the name of its collection: #[entity(name = \"contacts\")]";
        return Err(Error::new(input.ident.span(), message));
    };
    let mut declared = Vec::new();
    for field in fields {
        declared.push(Declared::read(field)?);
    }
    check(&attributes, &declared, input.ident.span())?;
    let singular = snake_case(&input.ident.unraw().to_string());
    let name = &name.text;
    let calls = entity_calls(&attributes)?;
    let fields = declared
        .iter()
        .map(Declared::calls)
        .collect::<Result<Vec<_>>>()?;
    let ident = &input.ident;
    Ok(quote! {
        impl ::syncline_entity::Entity for #ident {
            fn entity() -> ::syncline_entity::schema::Entity {
                ::syncline_entity::Builder::new(#name, #singular)
                    #(#calls)*
                    #(.field(#fields))*
                    .build()
            }
        }
    })
}

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &Field>> {
    let Data::Struct(data) = &input.data else {
        let message = "only a struct is an entity: its fields are those of the records";
        return Err(Error::new(input.ident.span(), message));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new(
            input.ident.span(),
            "the fields of an entity have names",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "an entity has no parameters",
        ));
    }
    Ok(fields.named.iter())
}

/// A field with its attributes.
struct Declared<'a> {
    name: String,
    span: Span,
    ty: &'a syn::Type,
    attributes: FieldAttributes,
}

impl<'a> Declared<'a> {
    fn read(field: &'a Field) -> Result<Self> {
        let attributes = FieldAttributes::read(&field.attrs)?;
        let ident = field
            .ident
            .as_ref()
            .expect("the fields of a named struct have names");
        let own = ident.unraw().to_string();
        let (renamed, in_json) = (
            attributes.text("rename"),
            serde_words::name_of(&field.attrs)?,
        );
        if let (Some(renamed), Some(in_json)) = (renamed, &in_json)
            && renamed.text != in_json.text
        {
            let message = format!("serde calls this field `{}`", in_json.text);
            return Err(Error::new(renamed.span, message));
        }
        let name = renamed.or(in_json.as_ref()).map(|word| word.text.clone());
        Ok(Self {
            name: name.unwrap_or(own),
            span: ident.span(),
            ty: &field.ty,
            attributes,
        })
    }

    fn calls(&self) -> Result<TokenStream> {
        let (name, ty) = (&self.name, self.ty);
        let attributes = &self.attributes;
        let flags = attributes.flags.iter().map(|flag| format_ident!("{flag}"));
        let texts = attributes.texts.iter().filter(|(key, _)| key != "rename");
        let texts = texts.map(|(key, word)| {
            let (key, text) = (format_ident!("{key}"), &word.text);
            quote!(.#key(#text))
        });
        let lengths = attributes.lengths.iter().map(|(key, length)| {
            let key = format_ident!("{key}");
            quote!(.#key(#length))
        });
        let mut bounds = Vec::new();
        for (key, bound) in &attributes.bounds {
            let (key, bound) = (format_ident!("{key}"), as_float(bound)?);
            bounds.push(quote!(.#key(#bound)));
        }
        let default = attributes.default.iter();
        let description = attributes.description.iter();
        let one_of = match attributes.one_of.as_slice() {
            [] => None,
            values => Some(quote!(.one_of(&[#(#values),*]))),
        };
        let asserted = self.asserted();
        Ok(quote! {{
            #(#asserted)*
            ::syncline_entity::FieldBuilder::of::<#ty>(#name)
                #(.#flags())* #(#texts)* #(#lengths)* #(#bounds)* #one_of
                #(.default_value(#default))* #(.description(#description))*
        }})
    }

    /// What the compiler is to see of the type: that it is a list may be behind another name.
    fn asserted(&self) -> impl Iterator<Item = TokenStream> {
        self.attributes.of_one_value().map(|word| {
            let message = format!(
                "a list has no `{word}`: that is said of one value, and a list's items are what their Rust type says"
            );
            let ty = self.ty;
            quote_spanned! {ty.span()=>
                const _: () = assert!(!<#ty as ::syncline_entity::FieldType>::IS_LIST, #message);
            }
        })
    }
}

fn entity_calls(attributes: &EntityAttributes) -> Result<Vec<TokenStream>> {
    let mut calls = Vec::new();
    let texts = [
        ("path", &attributes.path),
        ("key", &attributes.key),
        ("subset", &attributes.subset),
    ];
    for (method, word) in texts {
        if let Some(Word { text, .. }) = word {
            let method = format_ident!("{method}");
            calls.push(quote!(.#method(#text)));
        }
    }
    calls.push(mode(attributes)?);
    if let Some(conflict) = &attributes.conflict {
        let variant = format_ident!("{}", pascal_case(&conflict.text));
        calls.push(quote!(.conflict(::syncline_entity::schema::Conflict::#variant)));
    }
    for set in &attributes.unique {
        let names = set.iter().map(|word| &word.text);
        calls.push(quote!(.unique(&[#(#names),*])));
    }
    calls.extend(permissions("may_write", &attributes.role_permissions));
    calls.extend(permissions("may_read", &attributes.read_permissions));
    if let Some((span, keys)) = &attributes.role_via {
        calls.push(role_via(*span, keys, attributes)?);
    }
    Ok(calls)
}

fn mode(attributes: &EntityAttributes) -> Result<TokenStream> {
    let mode = attributes.mode.as_ref();
    let span = mode.map_or_else(Span::call_site, |mode| mode.span);
    let variant = match (mode.map(|mode| mode.text.as_str()), attributes.ttl_seconds) {
        (Some("cache"), Some(seconds)) => quote!(Cache { ttl_seconds: #seconds }),
        (Some("cache"), None) => {
            let message = "a cache needs its `ttl_seconds`: how old what it shows may be";
            return Err(Error::new(span, message));
        }
        (_, Some(_)) => {
            return Err(Error::new(
                span,
                "`ttl_seconds` says nothing without mode = \"cache\"",
            ));
        }
        (None | Some("api"), None) => quote!(Confirmed),
        (Some(_), None) => quote!(Optimistic),
    };
    Ok(quote!(.mode(::syncline_entity::schema::WriteMode::#variant)))
}

fn permissions(method: &str, permissions: &[Permission]) -> Vec<TokenStream> {
    let method = format_ident!("{method}");
    let calls = permissions.iter().map(|(role, groups)| {
        let role = format_ident!("{}", pascal_case(&role.text));
        let groups = groups.iter().map(|word| &word.text);
        quote!(.#method(::syncline_entity::schema::Role::#role, &[#(#groups),*]))
    });
    calls.collect()
}

fn role_via(
    span: Span,
    keys: &[(String, Word)],
    attributes: &EntityAttributes,
) -> Result<TokenStream> {
    let get = |name: &str, default: Option<&str>| {
        let found = keys.iter().find(|(key, _)| key == name);
        let found = found.map(|(_, word)| word.text.clone());
        let found = found.or(default.map(str::to_owned));
        found.ok_or_else(|| Error::new(span, format!("`role_via` needs `{name}`")))
    };
    let entity = get("entity", None)?;
    let entity_field = get("entity_field", None)?;
    let key = attributes.key.as_ref().map_or("id", |key| &key.text);
    let field = get("field", Some(key))?;
    let user_field = get("user_field", Some("user_id"))?;
    let role_field = get("role_field", Some("role"))?;
    Ok(quote! {
        .role_via(::syncline_entity::schema::RoleVia {
            entity: #entity.to_owned(),
            entity_field: #entity_field.to_owned(),
            field: #field.to_owned(),
            user_field: #user_field.to_owned(),
            role_field: #role_field.to_owned(),
        })
    })
}

/// Refuses names of fields and groups that the struct does not have.
fn check(attributes: &EntityAttributes, fields: &[Declared<'_>], span: Span) -> Result<()> {
    let named = |name: &str| fields.iter().find(|field| field.name == name);
    for (at, field) in fields.iter().enumerate() {
        if fields[..at].iter().any(|other| other.name == field.name) {
            let message = format!("there are two fields `{}`", field.name);
            return Err(Error::new(field.span, message));
        }
        let kept_here = ["owner_only", "unique"]
            .into_iter()
            .find(|flag| field.attributes.has(flag));
        if field.attributes.has("sync_exclude")
            && let Some(flag) = kept_here.or(field.attributes.text("group").map(|_| "group"))
        {
            let message = format!("a field that never leaves a client has no `{flag}`");
            return Err(Error::new(field.span, message));
        }
    }
    let (key, key_span) = match &attributes.key {
        Some(key) => (key.text.as_str(), key.span),
        None => ("id", span),
    };
    match named(key) {
        None => {
            let message = format!("an entity needs its key: there is no field `{key}`");
            return Err(Error::new(key_span, message));
        }
        Some(field) if field.attributes.has("sync_exclude") => {
            return Err(Error::new(field.span, "the key must reach the server"));
        }
        Some(_) => {}
    }
    for word in attributes.unique.iter().flatten() {
        match named(&word.text) {
            None => {
                let message = format!("there is no field `{}`", word.text);
                return Err(Error::new(word.span, message));
            }
            Some(field) if field.attributes.has("sync_exclude") => {
                let message = format!("`{}` never reaches the server", word.text);
                return Err(Error::new(word.span, message));
            }
            Some(_) => {}
        }
    }
    let permissions = attributes.role_permissions.iter();
    let permissions = permissions.chain(&attributes.read_permissions);
    for group in permissions.flat_map(|(_, groups)| groups) {
        let own =
            |field: &Declared<'_>| field.attributes.text("group").map(|word| word.text.clone());
        if !fields
            .iter()
            .any(|field| own(field).as_ref() == Some(&group.text))
        {
            let message = format!("no field is in the group `{}`", group.text);
            return Err(Error::new(group.span, message));
        }
    }
    Ok(())
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

fn pascal_case(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    name.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests;
