//! Days, times of day and spans, from text and to it.

use super::datum::{DAY_MICROS, Interval};

const SECOND: i64 = 1_000_000;

/// The day of this date since 1970-01-01, if there is such a date.
pub(super) fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(1..=999_999).contains(&year) {
        return None;
    }
    // Years that begin in March have their leap day last.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The year, month and day of a day since 1970-01-01.
pub(super) fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Moves a point in time by a span: months first, to the last day of a shorter month.
pub(super) fn shifted(micros: i64, by: Interval) -> Option<i64> {
    let days = micros.div_euclid(DAY_MICROS);
    let of_day = micros.rem_euclid(DAY_MICROS);
    let mut days = if by.months == 0 {
        days
    } else {
        let (year, month, of_month) = date(days);
        let months = (year * 12 + month - 1).checked_add(by.months)?;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        (0..4).find_map(|back| day(year, month, of_month - back))?
    };
    days = days.checked_add(by.days)?;
    days.checked_mul(DAY_MICROS)?
        .checked_add(of_day)?
        .checked_add(by.micros)
}

pub(super) fn read_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut number = |width: usize| {
        let part = parts.next()?;
        let is_number = part.len() >= width && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<i64>().ok())?
    };
    day(number(4)?, number(1)?, number(1)?)
}

/// `23:59`, with seconds and their parts if given.
pub(super) fn read_time(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let mut whole = |max: i64| {
        let part = parts.next()?;
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let number = is_number.then(|| part.parse::<i64>().ok())??;
        (number <= max).then_some(number)
    };
    let (hours, minutes) = (whole(24)?, whole(59)?);
    let seconds = parts
        .next()
        .map_or(Some(0), |text| read_seconds(text, 60))?;
    let micros = (hours * 60 + minutes) * 60 * SECOND + seconds;
    (micros <= DAY_MICROS).then_some(micros)
}

/// Seconds with their parts, in microseconds, rounded.
fn read_seconds(text: &str, max: i64) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut micros = 0;
    for n in 0..6 {
        let digit = fraction.as_bytes().get(n).map_or(0, |byte| byte - b'0');
        micros = micros * 10 + i64::from(digit);
    }
    micros += i64::from(fraction.as_bytes().get(6).is_some_and(|byte| *byte >= b'5'));
    (whole <= max).then_some(())?;
    whole.checked_mul(SECOND)?.checked_add(micros)
}

/// A point in time, and its offset from UTC in microseconds where it names one.
pub(super) fn read_timestamp(text: &str) -> Option<(i64, Option<i64>)> {
    let text = text.trim();
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, ""),
    };
    let days = read_date(date)?;
    let zone_at = rest.find(['Z', 'z', '+', '-', 'U', 'u', 'G', 'g']);
    let (time, zone) = zone_at.map_or((rest, None), |at| {
        (rest[..at].trim_end(), Some(&rest[at..]))
    });
    let time = if time.is_empty() { 0 } else { read_time(time)? };
    let zone = match zone {
        Some(zone) => Some(read_offset(zone)?),
        None => None,
    };
    Some((days * DAY_MICROS + time, zone))
}

/// `Z`, `UTC`, `+02`, `-0330`, `+02:30`, in microseconds east of Greenwich.
pub(super) fn read_offset(text: &str) -> Option<i64> {
    if ["z", "utc", "gmt"]
        .iter()
        .any(|name| text.eq_ignore_ascii_case(name))
    {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = text[1..].replace(':', "");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits[..2].parse().ok()?, digits[2..].parse::<i64>().ok()?),
        _ => return None,
    };
    (hours <= 15 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60 * SECOND)
}

/// Reads `1 year 2 mons -3 days 04:05:06`, or ISO 8601: `P1Y2M-3DT4H5M6S`.
pub(super) fn read_interval(text: &str) -> Option<Interval> {
    let text = text.trim();
    if let Some(iso) = text.strip_prefix('P') {
        return read_iso_interval(iso);
    }
    let mut interval = Interval::default();
    let mut words = text.split_whitespace().peekable();
    words.peek()?;
    let mut is_ago = false;
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("ago") && words.peek().is_none() {
            is_ago = true;
        } else if word.contains(':') {
            interval.micros = interval.micros.checked_add(read_clock(word)?)?;
        } else if let Some(at) = word.find(|c: char| c.is_ascii_alphabetic()) {
            add(&mut interval, &word[..at], &word[at..])?;
        } else if let Some(unit) = words.peek().filter(|unit| unit_of(unit).is_some()) {
            add(&mut interval, word, unit)?;
            words.next();
        } else {
            add(&mut interval, word, "s")?;
        }
    }
    let sign = if is_ago { -1 } else { 1 };
    Some(Interval {
        months: sign * interval.months,
        days: sign * interval.days,
        micros: sign * interval.micros,
    })
}

/// `-04:05:06`: hours may be more than a day has.
fn read_clock(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok().filter(|m| (0..60).contains(m))?;
    let seconds = parts
        .next()
        .map_or(Some(0), |text| read_seconds(text, 59))?;
    let hours = hours.checked_mul(3_600 * SECOND)?;
    Some(sign * (hours.checked_add(minutes * 60 * SECOND)? + seconds))
}

/// A unit as months, days or microseconds of one of it.
fn unit_of(word: &str) -> Option<Interval> {
    let [months, days, micros] = match word.to_ascii_lowercase().as_str() {
        "year" | "years" | "y" | "yr" | "yrs" => [12, 0, 0],
        "month" | "months" | "mon" | "mons" => [1, 0, 0],
        "week" | "weeks" | "w" => [0, 7, 0],
        "day" | "days" | "d" => [0, 1, 0],
        "hour" | "hours" | "h" | "hr" | "hrs" => [0, 0, 3_600 * SECOND],
        "minute" | "minutes" | "m" | "min" | "mins" => [0, 0, 60 * SECOND],
        "second" | "seconds" | "s" | "sec" | "secs" => [0, 0, SECOND],
        "millisecond" | "milliseconds" | "ms" => [0, 0, 1_000],
        "microsecond" | "microseconds" | "us" => [0, 0, 1],
        "decade" | "decades" => [120, 0, 0],
        "century" | "centuries" => [1_200, 0, 0],
        _ => return None,
    };
    Some(Interval {
        months,
        days,
        micros,
    })
}

/// Adds so many of a unit. A part of a month falls to days, a part of a day to hours.
fn add(interval: &mut Interval, count: &str, unit: &str) -> Option<()> {
    let of = unit_of(unit)?;
    let count: f64 = count.parse().ok().filter(|count: &f64| count.abs() < 1e9)?;
    let months = count * of.months as f64;
    let days = count * of.days as f64 + months.fract() * 30.0;
    let micros = count * of.micros as f64 + days.fract() * DAY_MICROS as f64;
    interval.months = interval.months.checked_add(months.trunc() as i64)?;
    interval.days = interval.days.checked_add(days.trunc() as i64)?;
    interval.micros = interval.micros.checked_add(micros.round() as i64)?;
    Some(())
}

fn read_iso_interval(text: &str) -> Option<Interval> {
    let mut interval = Interval::default();
    let (mut in_time, mut rest) = (false, text);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            (in_time, rest) = (true, after);
            continue;
        }
        let at = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let unit = match (&rest[at..=at], in_time) {
            ("Y", false) => "year",
            ("M", false) => "month",
            ("W", false) => "week",
            ("D", false) => "day",
            ("H", true) => "hour",
            ("M", true) => "minute",
            ("S", true) => "second",
            _ => return None,
        };
        add(&mut interval, &rest[..at], unit)?;
        rest = &rest[at + 1..];
    }
    Some(interval)
}
