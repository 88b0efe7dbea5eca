//! Decimal numbers of up to 38 digits, with the scales that Postgres gives results.

use std::cmp::Ordering;
use std::fmt;

/// `mantissa` × 10^-`scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Digits after the point at most: more than a mantissa has make no number of it.
const SCALE_MAX: u32 = 38;

fn power_of_ten(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

impl Decimal {
    pub(super) fn new(whole: i64) -> Self {
        Self {
            mantissa: i128::from(whole),
            scale: 0,
        }
    }

    /// Reads digits with an optional sign, point and exponent; none where they are more than fit.
    pub fn read(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut mantissa: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
            mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
        }
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let scale = match u32::try_from(scale) {
            Ok(scale) => scale,
            Err(_) => {
                mantissa = mantissa.checked_mul(power_of_ten(scale.unsigned_abs())?)?;
                0
            }
        };
        Some(Self {
            mantissa: sign * mantissa,
            scale,
        })
        .filter(|decimal| decimal.scale <= SCALE_MAX)
    }

    /// Both on the finer of their scales.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let on = |decimal: Self| {
            let factor = power_of_ten(scale - decimal.scale)?;
            decimal.mantissa.checked_mul(factor)
        };
        Some((on(self)?, on(other)?, scale))
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        let (one, other, scale) = self.aligned(other)?;
        let mantissa = one.checked_add(other)?;
        Some(Self { mantissa, scale })
    }

    pub(super) fn negated(self) -> Self {
        Self {
            mantissa: -self.mantissa,
            ..self
        }
    }

    pub(super) fn magnitude(self) -> Self {
        Self {
            mantissa: self.mantissa.abs(),
            ..self
        }
    }

    pub(super) fn multiply(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        let scale = self.scale + other.scale;
        Some(Self { mantissa, scale }).filter(|decimal| decimal.scale <= SCALE_MAX)
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The quotient with the digits that Postgres gives it: sixteen that count, and no fewer after
    /// the point than either side has. The divisor is not zero.
    pub(super) fn divide(self, other: Self) -> Option<Self> {
        let (weight, first) = self.leading();
        let (other_weight, other_first) = other.leading();
        let quotient_weight = weight - other_weight - i64::from(first <= other_first);
        let scale = (16 - quotient_weight * 4).max(0);
        let scale = u32::try_from(scale).ok()?.max(self.scale).max(other.scale);
        let up = i64::from(scale) + i64::from(other.scale) - i64::from(self.scale);
        let factor = power_of_ten(u32::try_from(up).ok()?)?;
        let scaled = self.mantissa.checked_mul(factor)?;
        let (quotient, rest) = (scaled / other.mantissa, scaled % other.mantissa);
        let up = rest.unsigned_abs() >= other.mantissa.unsigned_abs() - rest.unsigned_abs();
        let sign = if (self.mantissa < 0) == (other.mantissa < 0) {
            1
        } else {
            -1
        };
        let mantissa = quotient + if up { sign } else { 0 };
        Some(Self { mantissa, scale })
    }

    /// The place of the first group of four digits that is not zero, and that group.
    fn leading(self) -> (i64, i128) {
        if self.mantissa == 0 {
            return (0, 0);
        }
        // On a scale that is a multiple of four, groups of the mantissa are groups of the number.
        let padding = (4 - self.scale % 4) % 4;
        let mut rest = self.mantissa.unsigned_abs();
        let mut groups = 0;
        let whole_scale = i64::from((self.scale + padding) / 4);
        // The lowest group is short where digits were padded.
        let low = 10_u128.pow(4 - padding);
        if rest < low {
            let group = (rest * 10_u128.pow(padding)) as i128;
            return (-whole_scale, group);
        }
        rest /= low;
        while rest >= 10_000 {
            rest /= 10_000;
            groups += 1;
        }
        (groups + 1 - whole_scale, rest as i128)
    }

    pub(super) fn remainder(self, other: Self) -> Option<Self> {
        let (one, other, scale) = self.aligned(other)?;
        Some(Self {
            mantissa: one % other,
            scale,
        })
    }

    /// With so many digits after the point, halves away from zero.
    pub(super) fn rounded(self, scale: u32) -> Option<Self> {
        if scale >= self.scale {
            let factor = power_of_ten(scale - self.scale)?;
            let mantissa = self.mantissa.checked_mul(factor)?;
            return Some(Self { mantissa, scale });
        }
        let divisor = power_of_ten(self.scale - scale)?;
        let (quotient, rest) = (self.mantissa / divisor, self.mantissa % divisor);
        let away = i128::from(rest.abs() >= divisor - rest.abs()) * self.mantissa.signum();
        let mantissa = quotient + away;
        Some(Self { mantissa, scale })
    }

    /// The nearest whole number, halves away from zero.
    pub(super) fn to_whole(self) -> Option<i64> {
        i64::try_from(self.rounded(0)?.mantissa).ok()
    }

    pub(super) fn to_float(self) -> f64 {
        // Through the text: its digits are exact, and read once.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// Digits before the point.
    pub(super) fn whole_digits(self) -> u32 {
        let whole = self.mantissa.abs() / power_of_ten(self.scale).unwrap_or(i128::MAX);
        whole.checked_ilog10().map_or(0, |log| log + 1)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if let Some((one, other, _)) = self.aligned(*other) {
            return one.cmp(&other);
        }
        // One of them is too large for the other's scale: their whole parts tell them apart, or their
        // signs.
        let whole = |decimal: &Self| {
            power_of_ten(decimal.scale).map_or(0, |factor| decimal.mantissa / factor)
        };
        whole(self).cmp(&whole(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = self.scale as usize;
        if scale == 0 {
            return write!(formatter, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(formatter, "{sign}{whole}.{fraction}")
    }
}
