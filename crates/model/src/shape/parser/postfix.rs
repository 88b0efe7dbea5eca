//! What follows an operand: operators between two, and what tests one.

use super::super::error::FilterError;
use super::super::lexer::What;
use super::super::syntax::{Ends, Expression, Node, Polarity, Quantifier, Subscript};
use super::{Parser, grown, power};

impl Parser<'_> {
    /// Reads the operator that binds `left` with this power, and what belongs to it.
    pub(super) fn continued(
        &mut self,
        left: Expression,
        power: u8,
    ) -> Result<Expression, FilterError> {
        match power {
            power::OR | power::AND => self.junction(left, power),
            power::IS => self.test(left),
            power::RANGE => self.range(left),
            power::ZONE => self.zone(left),
            power::ELEMENT => self.element(left),
            power::CAST => {
                let at = self.take().at;
                let target = self.cast_target()?;
                self.over(at, |part| Node::Cast(part, target), left)
            }
            _ => self.operation(left, power),
        }
    }

    /// All parts of a chain of `AND` or `OR` become one node, so that long chains are not deep.
    fn junction(&mut self, left: Expression, power: u8) -> Result<Expression, FilterError> {
        let word = if power == power::OR { "or" } else { "and" };
        let at = left.at;
        let mut parts = vec![left];
        while self.take_word(word) {
            parts.push(self.expression(power + 1)?);
        }
        let height = highest(&parts);
        let node = if power == power::OR {
            Node::Or(parts)
        } else {
            Node::And(parts)
        };
        grown(at, node, height)
    }

    fn operation(&mut self, left: Expression, power: u8) -> Result<Expression, FilterError> {
        let token = self.take();
        let operator = if token.text == "!=" {
            "<>".to_owned()
        } else {
            token.text
        };
        if let Some(quantifier) = self.quantifier() {
            return self.quantified(left, operator, quantifier, token.at);
        }
        let right = self.expression(power + 1)?;
        let height = left.height.max(right.height);
        let node = Node::Binary(operator, Box::new(left), Box::new(right));
        grown(token.at, node, height)
    }

    fn quantified(
        &mut self,
        left: Expression,
        operator: String,
        quantifier: Quantifier,
        at: usize,
    ) -> Result<Expression, FilterError> {
        self.take();
        self.take();
        self.refuse_subquery()?;
        let array = Box::new(self.expression(0)?);
        self.expect_mark(")")?;
        let height = left.height.max(array.height);
        let left = Box::new(left);
        let node = Node::Quantified {
            operator,
            quantifier,
            left,
            array,
        };
        grown(at, node, height)
    }

    fn quantifier(&self) -> Option<Quantifier> {
        if !self.peek_after().is_mark("(") {
            return None;
        }
        let token = self.peek();
        if token.is_word("any") || token.is_word("some") {
            Some(Quantifier::Any)
        } else {
            token.is_word("all").then_some(Quantifier::All)
        }
    }

    fn polarity(&mut self) -> Polarity {
        if self.take_word("not") {
            Polarity::Negated
        } else {
            Polarity::Plain
        }
    }

    fn test(&mut self, left: Expression) -> Result<Expression, FilterError> {
        let token = self.take();
        match token.word().as_str() {
            "isnull" => {
                return self.over(token.at, |part| Node::IsNull(part, Polarity::Plain), left);
            }
            "notnull" => {
                return self.over(token.at, |part| Node::IsNull(part, Polarity::Negated), left);
            }
            _ => {}
        }
        let polarity = self.polarity();
        let word = self.take();
        let truth = match word.word().as_str() {
            "null" => return self.over(token.at, |part| Node::IsNull(part, polarity), left),
            "distinct" => {
                self.expect_word("from")?;
                let right = self.expression(power::COMPARISON)?;
                let height = left.height.max(right.height);
                let node = Node::IsDistinct(Box::new(left), Box::new(right), polarity);
                return grown(token.at, node, height);
            }
            "true" => Some(true),
            "false" => Some(false),
            "unknown" => None,
            _ => return Err(word.unexpected()),
        };
        let is = |tested| Node::Is {
            tested,
            truth,
            polarity,
        };
        self.over(token.at, is, left)
    }

    fn range(&mut self, left: Expression) -> Result<Expression, FilterError> {
        let at = self.peek().at;
        let polarity = self.polarity();
        let token = self.take();
        match token.word().as_str() {
            "between" => self.between(left, polarity, at),
            "in" => self.membership(left, polarity, at),
            "like" | "ilike" => {
                let sign = if polarity == Polarity::Negated {
                    "!"
                } else {
                    ""
                };
                let star = if token.is_word("ilike") { "*" } else { "" };
                let operator = format!("{sign}~~{star}");
                if let Some(quantifier) = self.quantifier() {
                    return self.quantified(left, operator, quantifier, token.at);
                }
                let right = self.expression(power::OTHER)?;
                if self.peek().is_word("escape") {
                    let message = "ESCAPE is not supported: a backslash escapes";
                    return Err(FilterError::new(self.peek().at, message));
                }
                let height = left.height.max(right.height);
                let node = Node::Binary(operator, Box::new(left), Box::new(right));
                grown(token.at, node, height)
            }
            _ => Err(FilterError::new(token.at, "SIMILAR TO is not supported")),
        }
    }

    fn between(
        &mut self,
        left: Expression,
        polarity: Polarity,
        at: usize,
    ) -> Result<Expression, FilterError> {
        let ends = if self.take_word("symmetric") {
            Ends::Symmetric
        } else {
            self.take_word("asymmetric");
            Ends::LowFirst
        };
        let low = self.expression(power::OTHER)?;
        self.expect_word("and")?;
        let high = self.expression(power::OTHER)?;
        let height = left.height.max(low.height).max(high.height);
        let node = Node::Between {
            tested: Box::new(left),
            low: Box::new(low),
            high: Box::new(high),
            ends,
            polarity,
        };
        // It becomes up to four comparisons under two junctions.
        grown(at, node, height + 2)
    }

    fn membership(
        &mut self,
        left: Expression,
        polarity: Polarity,
        at: usize,
    ) -> Result<Expression, FilterError> {
        self.expect_mark("(")?;
        self.refuse_subquery()?;
        let list = self.expressions(")")?;
        if list.is_empty() {
            return Err(self.tokens[self.next - 1].unexpected());
        }
        let height = left.height.max(highest(&list));
        let node = Node::In {
            tested: Box::new(left),
            list,
            polarity,
        };
        grown(at, node, height + 1)
    }

    fn zone(&mut self, left: Expression) -> Result<Expression, FilterError> {
        let token = self.take();
        if token.is_word("collate") {
            return Err(FilterError::new(token.at, "COLLATE is not supported"));
        }
        self.expect_word("time")?;
        self.expect_word("zone")?;
        let zone = self.expression(power::SIGN)?;
        let height = left.height.max(zone.height);
        let node = Node::Call("timezone".to_owned(), vec![zone, left]);
        grown(token.at, node, height)
    }

    /// Takes `[1]`, `[1:2]`, and further subscripts after it.
    fn element(&mut self, left: Expression) -> Result<Expression, FilterError> {
        let at = self.peek().at;
        let mut subscripts = Vec::new();
        let mut height = left.height;
        while self.take_mark("[") {
            let low = self.subscript_end(&mut height)?;
            if self.take_mark(":") {
                let high = self.subscript_end(&mut height)?;
                subscripts.push(Subscript::Slice(low, high));
            } else {
                let low = low.ok_or_else(|| self.peek().unexpected())?;
                subscripts.push(Subscript::At(low));
            }
            self.expect_mark("]")?;
        }
        grown(at, Node::Element(Box::new(left), subscripts), height)
    }

    fn subscript_end(&mut self, height: &mut usize) -> Result<Option<Expression>, FilterError> {
        if matches!(self.peek().what, What::Mark(":" | "]")) {
            return Ok(None);
        }
        let end = self.expression(0)?;
        *height = (*height).max(end.height);
        Ok(Some(end))
    }

    /// Reads expressions up to `end`, and takes that too.
    pub(super) fn expressions(&mut self, end: &str) -> Result<Vec<Expression>, FilterError> {
        let mut list = Vec::new();
        if self.take_mark(end) {
            return Ok(list);
        }
        loop {
            list.push(self.expression(0)?);
            if self.take_mark(end) {
                return Ok(list);
            }
            self.expect_mark(",")?;
        }
    }

    pub(super) fn refuse_subquery(&self) -> Result<(), FilterError> {
        let token = self.peek();
        if token.is_word("select") || token.is_word("with") || token.is_word("values") {
            let message = "subqueries are not supported in shapes";
            return Err(FilterError::new(token.at, message));
        }
        Ok(())
    }
}

pub(super) fn highest(parts: &[Expression]) -> usize {
    parts.iter().map(|part| part.height).max().unwrap_or(0)
}
