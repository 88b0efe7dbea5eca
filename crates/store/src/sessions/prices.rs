//! What tokens cost, by model and date.
//!
//! Prices are no part of any op: they are asked for when a cost is. A table replaces the one that is
//! built in.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use serde::Deserialize;
use syncline_model::Timestamp;

use super::figures::Tokens;

/// Dated prices of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTable {
    /// Longest model names first, of one model the latest price first.
    prices: Vec<Price>,
    /// When the table was made, as it says itself.
    made: Option<String>,
}

/// What a million tokens cost, in millionths of a dollar, from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Price {
    model: String,
    from: Timestamp,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
}

/// Why a text is no table of prices.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    #[error("could not read the table of prices")]
    Syntax(#[source] serde_json::Error),
    #[error("the price of {model} is dated {from:?}, which is no day such as 2026-01-31")]
    Date { model: String, from: String },
    #[error("the price of {model} is not between 0 and 1,000,000 dollars")]
    Amount { model: String },
}

#[derive(Deserialize)]
struct WireTable {
    made: Option<String>,
    prices: Vec<WirePrice>,
}

#[derive(Deserialize)]
struct WirePrice {
    model: String,
    from: String,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write_5m: Option<f64>,
    cache_write_1h: Option<f64>,
}

const BUILT_IN: &str = include_str!("prices.json");
const DOLLARS_MAX: f64 = 1_000_000.0;

impl PriceTable {
    /// The table that this version was built with.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the built-in table is read by a test")
    }

    /// Reads a table: JSON, `{"made", "prices": [{"model", "from", "input", "output", "cache_read",
    /// "cache_write_5m", "cache_write_1h"}]}`, in dollars per million tokens. What is not told of caches
    /// costs as much as input; other keys are the reader's own.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let table: WireTable = serde_json::from_str(text).map_err(PriceError::Syntax)?;
        let prices = table.prices.into_iter().map(Price::read);
        let mut prices = prices.collect::<Result<Vec<_>, _>>()?;
        prices.sort_by(|one, other| {
            let key = |price: &Price| (price.model.len(), price.from);
            key(other).cmp(&key(one))
        });
        Ok(Self {
            prices,
            made: table.made,
        })
    }

    /// The day on which the table was made, if it tells.
    pub fn made(&self) -> Option<&str> {
        self.made.as_deref()
    }

    /// What a response cost, in billionths of a dollar; none if the model's price is not known.
    ///
    /// A name counts with and without its provider before a slash, and with or without the date of a
    /// release behind it. Before its first date a price holds too.
    pub fn cost_nanos(&self, model: &str, at: Option<Timestamp>, tokens: &Tokens) -> Option<u64> {
        let name = model.rsplit('/').next().unwrap_or(model);
        let mut named = self.prices.iter().filter(|price| price.is_of(name));
        let holds = |price: &&Price| at.is_none_or(|at| price.from <= at);
        let price = named.clone().find(holds).or_else(|| named.next_back())?;
        Some(price.cost_nanos(tokens))
    }

    /// Registers `usage_cost(model, at, input, output, cache_read, cache_write_5m, cache_write_1h)`:
    /// billionths of a dollar, or null.
    pub fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_INNOCUOUS;
        let table = self.clone();
        connection.create_scalar_function(c"usage_cost", 7, flags, move |context| {
            let model: Option<String> = context.get(0)?;
            let at: Option<i64> = context.get(1)?;
            let count = |place| -> rusqlite::Result<u64> {
                Ok(context.get::<Option<i64>>(place)?.unwrap_or(0).max(0) as u64)
            };
            let tokens = Tokens {
                input: count(2)?,
                output: count(3)?,
                cache_read: count(4)?,
                cache_write_5m: count(5)?,
                cache_write_1h: count(6)?,
                reasoning: 0,
            };
            let at = at.and_then(|at| Timestamp::from_millis(at).ok());
            let cost = model.and_then(|model| table.cost_nanos(&model, at, &tokens));
            Ok(cost.map(|cost| cost.min(i64::MAX as u64) as i64))
        })
    }
}

impl Price {
    fn read(wire: WirePrice) -> Result<Self, PriceError> {
        let from = format!("{}T00:00:00Z", wire.from);
        let Ok(from) = from.parse() else {
            let (model, from) = (wire.model, wire.from);
            return Err(PriceError::Date { model, from });
        };
        let micros = |dollars: f64| match (0.0..=DOLLARS_MAX).contains(&dollars) {
            true => Ok((dollars * 1e6).round() as u64),
            false => Err(PriceError::Amount {
                model: wire.model.clone(),
            }),
        };
        let input = micros(wire.input)?;
        let or_input = |dollars: Option<f64>| dollars.map_or(Ok(input), micros);
        Ok(Self {
            from,
            input,
            output: micros(wire.output)?,
            cache_read: or_input(wire.cache_read)?,
            cache_write_5m: or_input(wire.cache_write_5m)?,
            cache_write_1h: or_input(wire.cache_write_1h)?,
            model: wire.model,
        })
    }

    /// Whether it is the price of this model: of that name, or with a release behind it.
    fn is_of(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.model.as_str()) else {
            return false;
        };
        let release = rest.strip_prefix(['-', '@', ':']);
        let is_release = release.is_some_and(|release| {
            let digits = release.bytes().take_while(u8::is_ascii_digit).count();
            digits >= 4 || release == "latest"
        });
        rest.is_empty() || is_release
    }

    fn cost_nanos(&self, tokens: &Tokens) -> u64 {
        let costs = [
            (tokens.input, self.input),
            (tokens.output, self.output),
            (tokens.cache_read, self.cache_read),
            (tokens.cache_write_5m, self.cache_write_5m),
            (tokens.cache_write_1h, self.cache_write_1h),
        ];
        // A millionth of a dollar for a million tokens is a thousandth of a billionth for one.
        let costs = costs.map(|(count, price)| u128::from(count) * u128::from(price));
        u64::try_from(costs.iter().sum::<u128>() / 1_000).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens {
            input: 1_000_000,
            output: 1_000_000,
            cache_read: 1_000_000,
            cache_write_5m: 1_000_000,
            cache_write_1h: 1_000_000,
            reasoning: 500_000,
        }
    }

    #[test]
    fn a_model_is_priced_by_its_name_with_or_without_provider_and_release() {
        let table = PriceTable::built_in();
        let cost = |model: &str| table.cost_nanos(model, None, &tokens());
        let dollars = |dollars: f64| Some((dollars * 1e9) as u64);
        let sonnet = dollars(3.0 + 15.0 + 0.3 + 3.75 + 6.0);
        for model in [
            "claude-sonnet-4-5",
            "claude-sonnet-4-5-20250929",
            "anthropic/claude-sonnet-4",
            "claude-3-5-sonnet-latest",
        ] {
            assert_eq!(cost(model), sonnet, "{model}");
        }
        for model in [
            "<synthetic>",
            "claude-sonnet-9",
            "gpt-5-huge",
            "",
            "claude-sonnet-4-9",
        ] {
            assert_eq!(cost(model), None, "{model}");
        }
    }

    #[test]
    fn of_two_prices_that_of_the_day_counts() {
        let table = r#"{"prices":[
            {"model":"x","from":"2026-01-01","input":1,"output":1},
            {"model":"x","from":"2026-02-01","input":2,"output":1}]}"#;
        let table = PriceTable::parse(table).unwrap();
        let tokens = Tokens {
            input: 1_000_000,
            ..Tokens::default()
        };
        let cost = |at: &str| table.cost_nanos("x", at.parse().ok(), &tokens);
        assert_eq!(cost("2026-01-31T23:59:59Z"), Some(1_000_000_000));
        assert_eq!(cost("2026-02-01T00:00:00Z"), Some(2_000_000_000));
        assert_eq!(cost("2025-01-01T00:00:00Z"), Some(1_000_000_000));
        assert_eq!(cost("no day"), Some(2_000_000_000));
    }

    #[test]
    fn the_table_of_the_guide_gives_the_cost_that_the_guide_tells() {
        let guide = include_str!("../../../../docs/guide/sessions.md");
        let (_, table) = guide.split_once("```json\n").unwrap();
        let (table, told) = table.split_once("```").unwrap();
        let table = PriceTable::parse(table).unwrap();
        assert_eq!(table.made(), Some("2026-03-01"));
        let used = Tokens {
            input: 1_000,
            output: 200,
            cache_read: 10_000,
            ..Tokens::default()
        };
        let cost = |model: &str, day: &str| table.cost_nanos(model, day.parse().ok(), &used);
        let nanos = cost("claude-sonnet-4-5", "2026-03-02T12:00:00Z").unwrap();
        assert!(
            told.contains(&format!("costs ${}: `computed`", nanos as f64 / 1e9)),
            "{nanos}"
        );
        assert_eq!(
            cost(
                "anthropic/claude-sonnet-4-5-20250929",
                "2026-06-01T00:00:00Z"
            ),
            Some(7_200_000)
        );
        assert_eq!(cost("our-own-model", "2026-06-01T00:00:00Z"), Some(0));
        assert_eq!(cost("claude-sonnet-4", "2026-06-01T00:00:00Z"), None);
    }

    #[test]
    fn a_table_that_is_none_says_why() {
        for (table, why) in [
            ("{}", "could not read"),
            (
                r#"{"prices":[{"model":"x","from":"soon","input":1,"output":1}]}"#,
                "no day",
            ),
            (
                r#"{"prices":[{"model":"x","from":"2026-01-01","input":-1,"output":1}]}"#,
                "not between",
            ),
        ] {
            let error = PriceTable::parse(table).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
