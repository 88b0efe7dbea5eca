//! A filter as a tree, before its types are known.

use super::kind::Kind;

/// An expression and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    pub at: usize,
    pub node: Node,
    /// How deep the tree beneath it is.
    pub height: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(String),
    /// Text in quotes, or a parameter: its type follows from where it stands.
    Unknown(String),
    /// A column, maybe with its table and its table's schema before it.
    Column(Vec<String>),
    Unary(String, Box<Expression>),
    Binary(String, Box<Expression>, Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// `IS [NOT] TRUE`, `FALSE`, and `UNKNOWN` where `truth` is none.
    Is {
        tested: Box<Expression>,
        truth: Option<bool>,
        polarity: Polarity,
    },
    IsNull(Box<Expression>, Polarity),
    IsDistinct(Box<Expression>, Box<Expression>, Polarity),
    Between {
        tested: Box<Expression>,
        low: Box<Expression>,
        high: Box<Expression>,
        ends: Ends,
        polarity: Polarity,
    },
    In {
        tested: Box<Expression>,
        list: Vec<Expression>,
        polarity: Polarity,
    },
    /// `left op ANY (array)`, or `ALL`.
    Quantified {
        operator: String,
        quantifier: Quantifier,
        left: Box<Expression>,
        array: Box<Expression>,
    },
    Cast(Box<Expression>, CastTarget),
    Call(String, Vec<Expression>),
    Array(Vec<Expression>),
    Row(Vec<Expression>),
    Element(Box<Expression>, Vec<Subscript>),
}

/// Whether `NOT` stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    Plain,
    Negated,
}

/// Whether the ends of a range may be given in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    LowFirst,
    Symmetric,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    Any,
    All,
}

/// A type, and what stands in its parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CastTarget {
    pub kind: Kind,
    /// The length of a varchar, or a numeric's precision and scale.
    pub modifiers: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(super) enum Subscript {
    At(Expression),
    /// Both ends belong to it; one that is not given is the array's own.
    Slice(Option<Expression>, Option<Expression>),
}
