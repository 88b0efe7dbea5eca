//! Operands: literals, columns, calls, casts, brackets.

use super::super::error::FilterError;
use super::super::kind::{Kind, Scalar};
use super::super::lexer::{Token, What};
use super::super::syntax::{CastTarget, Expression, Node};
use super::postfix::highest;
use super::{Parser, grown};

/// Words that name nothing unless they are quoted.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "asc",
    "asymmetric",
    "between",
    "both",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "default",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "intersect",
    "into",
    "is",
    "isnull",
    "leading",
    "like",
    "limit",
    "not",
    "notnull",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "primary",
    "references",
    "returning",
    "select",
    "similar",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "union",
    "unique",
    "user",
    "using",
    "when",
    "where",
    "window",
    "with",
];

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expression, FilterError> {
        let token = self.take();
        let at = token.at;
        let node = match &token.what {
            What::Number => Node::Number(token.text),
            What::Literal(text) => Node::Unknown(text.clone()),
            What::Parameter(number) => self.parameter(*number, at)?,
            What::Quoted(name) => return self.named(name.clone(), at),
            What::Word => return self.word(&token),
            What::Mark("(") => return self.bracket(at),
            What::Mark(_) | What::Operator | What::End => return Err(token.unexpected()),
        };
        grown(at, node, 0)
    }

    fn bracket(&mut self, at: usize) -> Result<Expression, FilterError> {
        self.refuse_subquery()?;
        let first = self.expression(0)?;
        if self.take_mark(")") {
            return Ok(first);
        }
        let mut parts = vec![first];
        self.expect_mark(",")?;
        parts.extend(self.expressions(")")?);
        if parts.len() == 1 {
            return Err(self.tokens[self.next - 1].unexpected());
        }
        let height = highest(&parts);
        grown(at, Node::Row(parts), height)
    }

    fn word(&mut self, token: &Token) -> Result<Expression, FilterError> {
        let (at, word) = (token.at, token.word());
        match word.as_str() {
            "null" => return grown(at, Node::Null, 0),
            "true" => return grown(at, Node::Bool(true), 0),
            "false" => return grown(at, Node::Bool(false), 0),
            "cast" => return self.cast(at),
            "array" => return self.array(at),
            "case" => return Err(FilterError::new(at, "CASE is not supported in shapes")),
            "exists" if self.peek().is_mark("(") => {
                let message = "subqueries are not supported in shapes";
                return Err(FilterError::new(at, message));
            }
            "row" if self.take_mark("(") => {
                let parts = self.expressions(")")?;
                let height = highest(&parts);
                return grown(at, Node::Row(parts), height);
            }
            _ => {}
        }
        if let Some(literal) = self.typed_literal(&word, at)? {
            return Ok(literal);
        }
        let is_call = self.peek().is_mark("(");
        if RESERVED.contains(&word.as_str())
            && !(is_call && matches!(word.as_str(), "like" | "ilike"))
        {
            return Err(token.unexpected());
        }
        self.named(word, at)
    }

    /// A column or a call.
    fn named(&mut self, name: String, at: usize) -> Result<Expression, FilterError> {
        if self.take_mark("(") {
            self.refuse_subquery()?;
            if self.peek().is_operator("*") {
                return Err(FilterError::new(
                    at,
                    "aggregates are not supported in shapes",
                ));
            }
            let arguments = self.expressions(")")?;
            let height = highest(&arguments);
            return grown(at, Node::Call(name, arguments), height);
        }
        let mut path = vec![name];
        while self.take_mark(".") {
            let token = self.take();
            path.push(match &token.what {
                What::Quoted(name) => name.clone(),
                What::Word => token.word(),
                _ => return Err(token.unexpected()),
            });
        }
        grown(at, Node::Column(path), 0)
    }

    fn cast(&mut self, at: usize) -> Result<Expression, FilterError> {
        self.expect_mark("(")?;
        let value = self.expression(0)?;
        self.expect_word("as")?;
        let target = self.cast_target()?;
        self.expect_mark(")")?;
        self.over(at, |part| Node::Cast(part, target), value)
    }

    fn array(&mut self, at: usize) -> Result<Expression, FilterError> {
        if self.peek().is_mark("(") {
            let message = "subqueries are not supported in shapes";
            return Err(FilterError::new(self.peek().at, message));
        }
        self.expect_mark("[")?;
        let parts = self.array_elements()?;
        let height = highest(&parts);
        grown(at, Node::Array(parts), height)
    }

    /// The elements of `ARRAY[…]`; one in brackets of its own is an array again.
    fn array_elements(&mut self) -> Result<Vec<Expression>, FilterError> {
        let mut parts = Vec::new();
        if self.take_mark("]") {
            return Ok(parts);
        }
        loop {
            let at = self.peek().at;
            if self.take_mark("[") {
                self.depth += 1;
                if self.depth > super::HEIGHT_MAX {
                    return Err(FilterError::new(at, "the filter nests too deep"));
                }
                let inner = self.array_elements()?;
                self.depth -= 1;
                let height = highest(&inner);
                parts.push(grown(at, Node::Array(inner), height)?);
            } else {
                parts.push(self.expression(0)?);
            }
            if self.take_mark("]") {
                return Ok(parts);
            }
            self.expect_mark(",")?;
        }
    }

    /// `date '2026-01-31'` and its like; none, and nothing taken, where it is none.
    fn typed_literal(&mut self, word: &str, at: usize) -> Result<Option<Expression>, FilterError> {
        let start = self.next;
        let Some(scalar) = self.scalar_named(word) else {
            self.next = start;
            return Ok(None);
        };
        let What::Literal(text) = self.peek().what.clone() else {
            self.next = start;
            return Ok(None);
        };
        self.take();
        let target = CastTarget {
            kind: Kind::one(scalar),
            modifiers: Vec::new(),
        };
        let literal = grown(at, Node::Unknown(text), 0)?;
        self.over(at, |part| Node::Cast(part, target), literal)
            .map(Some)
    }

    /// The type that begins with `word`, taking the words that belong to its name.
    fn scalar_named(&mut self, word: &str) -> Option<Scalar> {
        let second = self.peek().word();
        match (word, second.as_str()) {
            ("double", "precision") | ("character", "varying") => {
                self.take();
                Scalar::named(&format!("{word} {second}"))
            }
            ("timestamp", "with") => self.take_zone().then_some(Scalar::TimestampTz),
            ("timestamp" | "time", "without") => {
                self.take_zone().then(|| Scalar::named(word)).flatten()
            }
            _ => Scalar::named(word),
        }
    }

    /// Takes `with time zone`, or `without`.
    fn take_zone(&mut self) -> bool {
        self.take();
        self.take_word("time") && self.take_word("zone")
    }

    pub(super) fn cast_target(&mut self) -> Result<CastTarget, FilterError> {
        let token = self.take();
        let name = match &token.what {
            What::Word => token.word(),
            What::Quoted(name) => name.clone(),
            _ => return Err(token.unexpected()),
        };
        // `timestamp(3) with time zone` has its precision before its zone.
        let early = matches!(name.as_str(), "timestamp" | "time") && self.peek().is_mark("(");
        let mut modifiers = if early { self.modifiers()? } else { Vec::new() };
        let unknown = || {
            let message = format!("type \"{name}\" does not exist, or shapes don't know it");
            FilterError::new(token.at, message)
        };
        let scalar = self.scalar_named(&name).ok_or_else(unknown)?;
        if self.peek().is_mark("(") && !early {
            modifiers = self.modifiers()?;
        }
        let mut is_array = false;
        while self.take_mark("[") {
            if self.peek().what == What::Number {
                self.take();
            }
            self.expect_mark("]")?;
            is_array = true;
        }
        Ok(CastTarget {
            kind: Kind { scalar, is_array },
            modifiers,
        })
    }

    fn modifiers(&mut self) -> Result<Vec<u32>, FilterError> {
        self.expect_mark("(")?;
        let mut modifiers = Vec::new();
        loop {
            let token = self.take();
            modifiers.push(token.text.parse().map_err(|_| token.unexpected())?);
            if self.take_mark(")") {
                return Ok(modifiers);
            }
            self.expect_mark(",")?;
        }
    }
}
