//! Spans of time, and time zones.

use super::super::datum::{DAY_MICROS, Datum, Interval};
use super::super::error::Fault;
use super::super::times::read_offset;

fn interval(values: &[Datum]) -> Result<Interval, Fault> {
    match &values[0] {
        Datum::Interval(interval) => Ok(*interval),
        _ => Err(Fault::Mismatch),
    }
}

/// Moves whole parts of `small` into `large`, and gives both one sign.
fn carry(large: &mut i64, small: &mut i64, size: i64) {
    *large += *small / size;
    *small %= size;
    if *large > 0 && *small < 0 {
        *large -= 1;
        *small += size;
    } else if *large < 0 && *small > 0 {
        *large += 1;
        *small -= size;
    }
}

pub(in super::super) fn justify_days(values: &[Datum]) -> Result<Datum, Fault> {
    let mut interval = interval(values)?;
    carry(&mut interval.months, &mut interval.days, 30);
    Ok(Datum::Interval(interval))
}

pub(in super::super) fn justify_hours(values: &[Datum]) -> Result<Datum, Fault> {
    let mut interval = interval(values)?;
    carry(&mut interval.days, &mut interval.micros, DAY_MICROS);
    Ok(Datum::Interval(interval))
}

pub(in super::super) fn justify_interval(values: &[Datum]) -> Result<Datum, Fault> {
    let Interval {
        mut months,
        mut days,
        mut micros,
    } = interval(values)?;
    days += micros / DAY_MICROS;
    micros %= DAY_MICROS;
    months += days / 30;
    days %= 30;
    if months > 0 && (days < 0 || days == 0 && micros < 0) {
        days += 30;
        months -= 1;
    } else if months < 0 && (days > 0 || days == 0 && micros > 0) {
        days -= 30;
        months += 1;
    }
    if days > 0 && micros < 0 {
        micros += DAY_MICROS;
        days -= 1;
    } else if days < 0 && micros > 0 {
        micros -= DAY_MICROS;
        days += 1;
    }
    Ok(Datum::Interval(Interval {
        months,
        days,
        micros,
    }))
}

/// Microseconds east of Greenwich that a zone stands for: `UTC`, a span, or an offset, which counts
/// west in a text, as POSIX has it.
pub(in super::super) fn offset(zone: &Datum) -> Result<i64, Fault> {
    match zone {
        Datum::Interval(span) if span.months == 0 => Ok(span.days * DAY_MICROS + span.micros),
        Datum::Text(text) => {
            let east = read_offset(text.trim()).ok_or(Fault::Unreadable)?;
            Ok(-east)
        }
        _ => Err(Fault::Mismatch),
    }
}

/// The time that clocks of the zone show at a point in time.
pub(in super::super) fn shown_in_zone(values: &[Datum]) -> Result<Datum, Fault> {
    match &values[1] {
        Datum::Timestamp(at) => Ok(Datum::Timestamp(at + offset(&values[0])?)),
        _ => Err(Fault::Mismatch),
    }
}

/// The point in time at which clocks of the zone show this.
pub(in super::super) fn point_in_zone(values: &[Datum]) -> Result<Datum, Fault> {
    match &values[1] {
        Datum::Timestamp(at) => Ok(Datum::Timestamp(at - offset(&values[0])?)),
        _ => Err(Fault::Mismatch),
    }
}
