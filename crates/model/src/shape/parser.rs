//! From tokens to a tree, by the precedence of Postgres.

mod postfix;
mod primary;

use super::error::FilterError;
use super::lexer::{Token, What, tokens};
use super::syntax::{Expression, Node};

/// The deepest that brackets may nest, and that a tree may be: what reads and evaluates it recurs.
const HEIGHT_MAX: usize = 120;

/// How tightly operators bind, loosest first.
pub(super) mod power {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const IS: u8 = 4;
    pub(super) const COMPARISON: u8 = 5;
    pub(super) const RANGE: u8 = 6;
    pub(super) const OTHER: u8 = 7;
    pub(super) const SUM: u8 = 8;
    pub(super) const PRODUCT: u8 = 9;
    pub(super) const POWER: u8 = 10;
    pub(super) const ZONE: u8 = 11;
    pub(super) const SIGN: u8 = 12;
    pub(super) const ELEMENT: u8 = 13;
    pub(super) const CAST: u8 = 14;
}

/// Reads a filter; `parameters` are the texts of `$1`, `$2`, …
pub(super) fn parse(text: &str, parameters: &[String]) -> Result<Expression, FilterError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        parameters,
        depth: 0,
    };
    let expression = parser.expression(0)?;
    parser.end()?;
    Ok(expression)
}

pub(super) struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    parameters: &'a [String],
    depth: usize,
}

impl<'a> Parser<'a> {
    /// A parser of what is no filter, such as an order or a list of columns.
    pub(super) fn of(text: &str) -> Result<Self, FilterError> {
        Ok(Parser {
            tokens: tokens(text)?,
            next: 0,
            parameters: &[],
            depth: 0,
        })
    }

    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.next]
    }

    fn peek_after(&self) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.next + 1).min(last)]
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.peek().clone();
        if token.what != What::End {
            self.next += 1;
        }
        token
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_word(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn take_mark(&mut self, mark: &str) -> bool {
        let found = self.peek().is_mark(mark);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<(), FilterError> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.peek().unexpected())
        }
    }

    fn expect_mark(&mut self, mark: &str) -> Result<(), FilterError> {
        if self.take_mark(mark) {
            Ok(())
        } else {
            Err(self.peek().unexpected())
        }
    }

    pub(super) fn end(&self) -> Result<(), FilterError> {
        if self.peek().what == What::End {
            Ok(())
        } else {
            Err(self.peek().unexpected())
        }
    }

    /// Reads what binds at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Expression, FilterError> {
        self.depth += 1;
        if self.depth > HEIGHT_MAX {
            return Err(FilterError::new(
                self.peek().at,
                "the filter nests too deep",
            ));
        }
        let mut left = self.prefix()?;
        // Comparisons don't chain: `a < b < c` is no expression.
        let mut unchained = None;
        while let Some(power) = self.power().filter(|power| *power >= least) {
            if unchained.is_some_and(|unchained| power >= unchained)
                && matches!(power, power::COMPARISON | power::RANGE)
            {
                return Err(self.peek().unexpected());
            }
            left = self.continued(left, power)?;
            unchained = matches!(power, power::COMPARISON | power::RANGE).then_some(power);
        }
        self.depth -= 1;
        Ok(left)
    }

    /// How tightly the next token binds what stands before it; none where it doesn't.
    fn power(&self) -> Option<u8> {
        let token = self.peek();
        Some(match &token.what {
            What::Operator => operator_power(&token.text),
            What::Mark("::") => power::CAST,
            What::Mark("[") => power::ELEMENT,
            What::Word => match token.word().as_str() {
                "or" => power::OR,
                "and" => power::AND,
                "is" | "isnull" | "notnull" => power::IS,
                "between" | "in" | "like" | "ilike" | "similar" => power::RANGE,
                "not" if self.is_negated_range() => power::RANGE,
                "at" => power::ZONE,
                "collate" => power::ZONE,
                _ => return None,
            },
            What::Quoted(_)
            | What::Literal(_)
            | What::Number
            | What::Parameter(_)
            | What::Mark(_)
            | What::End => return None,
        })
    }

    fn is_negated_range(&self) -> bool {
        ["between", "in", "like", "ilike", "similar"]
            .iter()
            .any(|word| self.peek_after().is_word(word))
    }

    fn prefix(&mut self) -> Result<Expression, FilterError> {
        let token = self.peek().clone();
        if token.is_word("not") {
            self.take();
            let operand = self.expression(power::NOT)?;
            return self.over(token.at, Node::Not, operand);
        }
        if token.what != What::Operator {
            return self.primary();
        }
        let least = match token.text.as_str() {
            "-" | "+" => power::SIGN,
            "~" | "@" | "|/" => power::SUM,
            _ => return Err(token.unexpected()),
        };
        self.take();
        let operand = self.expression(least)?;
        let operator = token.text;
        self.over(token.at, |part| Node::Unary(operator, part), operand)
    }

    /// A node over one part.
    fn over(
        &self,
        at: usize,
        node: impl FnOnce(Box<Expression>) -> Node,
        part: Expression,
    ) -> Result<Expression, FilterError> {
        let height = part.height;
        grown(at, node(Box::new(part)), height)
    }

    /// Texts of parameters stand where literals do.
    fn parameter(&self, number: usize, at: usize) -> Result<Node, FilterError> {
        let text = self.parameters.get(number - 1);
        let missing = || FilterError::new(at, format!("parameter ${number} was not provided"));
        text.cloned().map(Node::Unknown).ok_or_else(missing)
    }
}

/// A node over parts of at most this height.
pub(super) fn grown(at: usize, node: Node, parts: usize) -> Result<Expression, FilterError> {
    let height = parts + 1;
    if height > HEIGHT_MAX {
        return Err(FilterError::new(at, "the filter nests too deep"));
    }
    Ok(Expression { at, node, height })
}

fn operator_power(operator: &str) -> u8 {
    match operator {
        "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" => power::COMPARISON,
        "+" | "-" => power::SUM,
        "*" | "/" | "%" => power::PRODUCT,
        "^" => power::POWER,
        _ => power::OTHER,
    }
}
