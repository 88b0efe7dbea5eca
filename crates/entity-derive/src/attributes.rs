//! What stands in `#[entity(…)]` and `#[field(…)]`.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Expr, ExprLit, ExprUnary, Ident, Lit, LitFloat, LitInt, LitStr, Result,
    Token, UnOp,
};

/// A word and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A role with its groups.
pub(crate) type Permission = (Word, Vec<Word>);

#[derive(Debug, Default)]
pub(crate) struct EntityAttributes {
    pub(crate) name: Option<Word>,
    pub(crate) path: Option<Word>,
    pub(crate) key: Option<Word>,
    pub(crate) mode: Option<Word>,
    pub(crate) ttl_seconds: Option<u64>,
    pub(crate) subset: Option<Word>,
    pub(crate) conflict: Option<Word>,
    pub(crate) unique: Vec<Vec<Word>>,
    pub(crate) role_permissions: Vec<Permission>,
    pub(crate) read_permissions: Vec<Permission>,
    /// What `role_via` names, by its keys.
    pub(crate) role_via: Option<(Span, Vec<(String, Word)>)>,
}

#[derive(Default)]
pub(crate) struct FieldAttributes {
    /// Those that stand alone: `sync_exclude`, `owner_only`, `read_only`, `unique`, `decimal`.
    pub(crate) flags: Vec<String>,
    /// Those with text: `group`, `references`, `rename`, `format`, `pattern`.
    pub(crate) texts: Vec<(String, Word)>,
    pub(crate) lengths: Vec<(String, LitInt)>,
    pub(crate) bounds: Vec<(String, Expr)>,
    pub(crate) one_of: Vec<LitStr>,
    pub(crate) default: Option<Expr>,
    pub(crate) description: Option<String>,
}

impl EntityAttributes {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut read = Self::default();
        for attribute in attributes
            .iter()
            .filter(|one| one.path().is_ident("entity"))
        {
            attribute.parse_nested_meta(|meta| read.take(&meta))?;
        }
        Ok(read)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let Some(ident) = meta.path.get_ident() else {
            return Err(meta.error("expected a word"));
        };
        match ident.to_string().as_str() {
            "name" => self.name = Some(text(meta)?),
            "path" => self.path = Some(text(meta)?),
            "key" => self.key = Some(text(meta)?),
            "subset" => self.subset = Some(text(meta)?),
            "conflict" => {
                let known = ["server_wins", "last_write_wins", "reject"];
                self.conflict = Some(one_of(text(meta)?, &known)?);
            }
            "local_first" => self.set_mode(word(ident))?,
            "mode" => {
                let known = ["local_first", "realtime", "offline", "api", "cache"];
                self.set_mode(one_of(text(meta)?, &known)?)?;
            }
            "ttl_seconds" => {
                let seconds: LitInt = meta.value()?.parse()?;
                self.ttl_seconds = Some(seconds.base10_parse()?);
            }
            "unique" => self.unique.push(words(meta)?),
            "role_permissions" => self.role_permissions = permissions(meta)?,
            "read_permissions" => self.read_permissions = permissions(meta)?,
            "role_via" => {
                let mut keys = Vec::new();
                meta.parse_nested_meta(|meta| {
                    let known = [
                        "entity",
                        "entity_field",
                        "field",
                        "user_field",
                        "role_field",
                    ];
                    let key = meta.path.require_ident()?;
                    let key = one_of(word(key), &known)?;
                    keys.push((key.text, text(&meta)?));
                    Ok(())
                })?;
                self.role_via = Some((ident.span(), keys));
            }
            other => {
                let message = format!(
                    "an entity has no `{other}`, but name, path, key, local_first, mode, ttl_seconds, subset, \
                     conflict, unique, role_permissions, read_permissions and role_via"
                );
                return Err(Error::new(ident.span(), message));
            }
        }
        Ok(())
    }

    fn set_mode(&mut self, mode: Word) -> Result<()> {
        if self.mode.is_some() {
            return Err(Error::new(mode.span, "an entity has one mode"));
        }
        self.mode = Some(mode);
        Ok(())
    }
}

impl FieldAttributes {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut read = Self::default();
        let mut description = Vec::new();
        for attribute in attributes {
            if attribute.path().is_ident("field") {
                attribute.parse_nested_meta(|meta| read.take(&meta))?;
            }
            if attribute.path().is_ident("doc")
                && let syn::Meta::NameValue(doc) = &attribute.meta
                && let Expr::Lit(ExprLit {
                    lit: Lit::Str(line),
                    ..
                }) = &doc.value
            {
                description.push(line.value().trim().to_owned());
            }
        }
        let description = description.join("\n").trim().to_owned();
        read.description = (!description.is_empty()).then_some(description);
        Ok(read)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let ident = meta.path.require_ident()?;
        let name = ident.to_string();
        match name.as_str() {
            "sync_exclude" | "owner_only" | "read_only" | "unique" | "decimal" => {
                self.flags.push(name);
            }
            "group" | "references" | "rename" | "format" | "pattern" => {
                self.texts.push((name, text(meta)?));
            }
            "min_length" | "max_length" => self.lengths.push((name, meta.value()?.parse()?)),
            "minimum" | "maximum" => self.bounds.push((name, literal(meta)?)),
            "default" => self.default = Some(literal(meta)?),
            "one_of" => {
                let inner;
                syn::parenthesized!(inner in meta.input);
                let values = Punctuated::<LitStr, Token![,]>::parse_terminated(&inner)?;
                self.one_of = values.into_iter().collect();
            }
            other => {
                let message = format!(
                    "a field has no `{other}`, but sync_exclude, owner_only, read_only, unique, decimal, group, \
                     references, rename, format, pattern, default, one_of, min_length, max_length, minimum and maximum"
                );
                return Err(Error::new(ident.span(), message));
            }
        }
        Ok(())
    }

    /// Whether a word that is a flag stands there.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    /// The words that say what one value is: they would be taken to be said of a list.
    pub(crate) fn of_one_value(&self) -> impl Iterator<Item = &str> {
        let flags = self.flags.iter().filter(|flag| *flag == "decimal");
        let texts = self.texts.iter().map(|(word, _)| word);
        let texts = texts.filter(|word| matches!(word.as_str(), "format" | "pattern"));
        let words = flags
            .chain(texts)
            .chain(self.lengths.iter().map(|(word, _)| word))
            .chain(self.bounds.iter().map(|(word, _)| word));
        let one_of = (!self.one_of.is_empty()).then_some("one_of");
        let default = self.default.is_some().then_some("default");
        words.map(String::as_str).chain(one_of).chain(default)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&Word> {
        let mut texts = self.texts.iter();
        texts.find(|(own, _)| own == name).map(|(_, word)| word)
    }
}

fn word(ident: &Ident) -> Word {
    Word {
        text: ident.to_string(),
        span: ident.span(),
    }
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<Word> {
    let text: LitStr = meta.value()?.parse()?;
    match text.value().trim().is_empty() {
        true => Err(Error::new(text.span(), "this is empty")),
        false => Ok(Word {
            text: text.value(),
            span: text.span(),
        }),
    }
}

fn one_of(word: Word, known: &[&str]) -> Result<Word> {
    match known.contains(&word.text.as_str()) {
        true => Ok(word),
        false => {
            let message = format!("there is no `{}`, but {}", word.text, known.join(", "));
            Err(Error::new(word.span, message))
        }
    }
}

/// `(a, b)`.
fn words(meta: &ParseNestedMeta<'_>) -> Result<Vec<Word>> {
    let inner;
    syn::parenthesized!(inner in meta.input);
    let idents = Punctuated::<Ident, Token![,]>::parse_terminated(&inner)?;
    Ok(idents.iter().map(word).collect())
}

/// `(viewer(), editor(basic))`.
fn permissions(meta: &ParseNestedMeta<'_>) -> Result<Vec<Permission>> {
    let mut permissions: Vec<Permission> = Vec::new();
    meta.parse_nested_meta(|role| {
        let name = one_of(
            word(role.path.require_ident()?),
            &["viewer", "editor", "owner"],
        )?;
        if permissions.iter().any(|(own, _)| own.text == name.text) {
            return Err(Error::new(name.span, "this role is here twice"));
        }
        permissions.push((name, words(&role)?));
        Ok(())
    })?;
    Ok(permissions)
}

/// A literal, with its sign. A float keeps being one.
fn literal(meta: &ParseNestedMeta<'_>) -> Result<Expr> {
    let value: Expr = meta.value()?.parse()?;
    let is_literal = |value: &Expr| matches!(value, Expr::Lit(_));
    match &value {
        Expr::Lit(_) => Ok(value),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) if is_literal(expr) => Ok(value),
        other => Err(Error::new_spanned(other, "expected a literal")),
    }
}

/// A bound as a float: `0` is written like `0.0`.
pub(crate) fn as_float(bound: &Expr) -> Result<proc_macro2::TokenStream> {
    let (negative, literal) = match bound {
        Expr::Unary(ExprUnary { expr, .. }) => (true, expr.as_ref()),
        other => (false, other),
    };
    let number: f64 = match literal {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse()?,
        Expr::Lit(ExprLit {
            lit: Lit::Float(number),
            ..
        }) => number.base10_parse()?,
        other => return Err(Error::new_spanned(other, "expected a number")),
    };
    let number = LitFloat::new(&format!("{number:?}"), Span::call_site());
    Ok(match negative {
        true => quote::quote!(-#number),
        false => quote::quote!(#number),
    })
}
