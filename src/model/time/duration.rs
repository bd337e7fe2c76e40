//! Lengths of time: exact ones, which are ISO 8601, and working time, which only a calendar can measure.

use super::stored_as_text;
use crate::model::text::Lang;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duration {
    /// Years and months (FEEL's years and months duration), as months.
    Months(i64),
    /// Days, hours, minutes and seconds (FEEL's days and time duration), as seconds; exact fractions allowed.
    Seconds(Decimal),
    /// Days on which the calendar works.
    WorkingDays(i64),
    /// Minutes within the calendar's working hours.
    WorkingMinutes(i64),
}

/// What a length of time is counted in. Lengths of unlike units are neither compared nor added, as a month has no fixed
/// number of days and a working day no fixed number of hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Years and months.
    Months,
    /// Days, hours, minutes and seconds.
    Hours,
    /// Working days.
    WorkingDays,
    /// Working hours and minutes.
    WorkingHours,
}

impl Unit {
    /// How long a length may be that is counted from a day, in what it is counted in: 200 years, or working time that
    /// every calendar with four days of work a week has within the ten years that it is counted for.
    pub fn reach(self) -> Decimal {
        Decimal::from(match self {
            Unit::Hours => 200 * 365 * 86_400_i64,
            Unit::Months => 200 * 12,
            Unit::WorkingDays => 2_000,
            Unit::WorkingHours => 2_000 * 8 * 60,
        })
    }
}

impl Duration {
    /// Whether it is no longer than what may be counted from a day.
    pub fn is_in_reach(&self) -> bool {
        self.count().abs() <= self.unit().reach()
    }

    /// What it is counted in.
    pub fn unit(&self) -> Unit {
        match self {
            Duration::Months(_) => Unit::Months,
            Duration::Seconds(_) => Unit::Hours,
            Duration::WorkingDays(_) => Unit::WorkingDays,
            Duration::WorkingMinutes(_) => Unit::WorkingHours,
        }
    }

    /// How much of that it is.
    pub fn count(&self) -> Decimal {
        match *self {
            Duration::Seconds(seconds) => seconds,
            Duration::Months(count) | Duration::WorkingDays(count) | Duration::WorkingMinutes(count) => count.into(),
        }
    }

    /// Where it lies of nothing; lengths of all units have that in common.
    pub fn sign(&self) -> Ordering {
        self.count().cmp(&Decimal::ZERO)
    }

    /// Words for a reader: `2 个工作日`, `4 working hours`, `1 天 2 小时`.
    pub fn words(&self, lang: Lang) -> String {
        let count = |n: i64, zh: &str, en: &str| match lang {
            Lang::Zh => format!("{n} {zh}"),
            Lang::En => format!("{n} {en}{}", if n.abs() == 1 { "" } else { "s" }),
        };
        match *self {
            Duration::Months(months) if months % 12 == 0 && months != 0 => count(months / 12, "年", "year"),
            Duration::Months(months) => count(months, "个月", "month"),
            Duration::WorkingDays(days) => count(days, "个工作日", "working day"),
            Duration::WorkingMinutes(minutes) if minutes % 60 == 0 => count(minutes / 60, "个工作小时", "working hour"),
            Duration::WorkingMinutes(minutes) => count(minutes, "个工作分钟", "working minute"),
            Duration::Seconds(seconds) => {
                let mut rest = seconds.trunc().to_i64().unwrap_or(i64::MAX);
                let mut parts = Vec::new();
                for (size, zh, en) in [(86_400, "天", "day"), (3_600, "小时", "hour"), (60, "分钟", "minute")] {
                    if rest.abs() >= size {
                        parts.push(count(rest / size, zh, en));
                        rest %= size;
                    }
                }
                if rest != 0 || parts.is_empty() {
                    parts.push(count(rest, "秒", "second"));
                }
                parts.join(" ")
            }
        }
    }
}

/// ISO 8601 for exact lengths (`P1Y2M`, `P3DT4H`), words for working time (`2 working days`).
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Duration::WorkingDays(_) | Duration::WorkingMinutes(_) => f.write_str(&self.words(Lang::En)),
            Duration::Months(0) => f.write_str("P0M"),
            Duration::Months(months) => {
                let (years, rest) = (months.abs() / 12, months.abs() % 12);
                f.write_str(if months < 0 { "-P" } else { "P" })?;
                if years != 0 {
                    write!(f, "{years}Y")?;
                }
                if rest != 0 {
                    write!(f, "{rest}M")?;
                }
                Ok(())
            }
            Duration::Seconds(seconds) => {
                if seconds.is_zero() {
                    return f.write_str("PT0S");
                }
                f.write_str(if seconds.is_sign_negative() { "-P" } else { "P" })?;
                let whole = seconds.abs();
                let (days, rest) = (whole / Decimal::from(86_400))
                    .trunc()
                    .to_i64()
                    .map_or((0, whole), |days| (days, whole - Decimal::from(days) * Decimal::from(86_400)));
                if days != 0 {
                    write!(f, "{days}D")?;
                }
                if rest.is_zero() {
                    return Ok(());
                }
                f.write_str("T")?;
                let hours = (rest / Decimal::from(3_600)).trunc();
                let minutes = ((rest - hours * Decimal::from(3_600)) / Decimal::from(60)).trunc();
                let left = (rest - hours * Decimal::from(3_600) - minutes * Decimal::from(60)).normalize();
                if !hours.is_zero() {
                    write!(f, "{hours}H")?;
                }
                if !minutes.is_zero() {
                    write!(f, "{minutes}M")?;
                }
                if !left.is_zero() {
                    write!(f, "{left}S")?;
                }
                Ok(())
            }
        }
    }
}

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotADuration;

impl FromStr for Duration {
    type Err = NotADuration;

    /// Reads what `Display` writes, and any ISO 8601 duration with years and months or days and time.
    ///
    /// ```
    /// use countersign::model::time::Duration;
    /// assert_eq!("P1DT2H".parse(), Ok(Duration::Seconds(93_600.into())));
    /// assert_eq!("2 working days".parse(), Ok(Duration::WorkingDays(2)));
    /// assert_eq!("-P1Y".parse(), Ok(Duration::Months(-12)));
    /// assert!("P".parse::<Duration>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Duration, NotADuration> {
        if let Some((number, unit)) = text.split_once(" working ") {
            let number: i64 = number.parse().map_err(|_| NotADuration)?;
            return match unit.trim_end_matches('s') {
                "day" => Ok(Duration::WorkingDays(number)),
                "hour" => Ok(Duration::WorkingMinutes(number.checked_mul(60).ok_or(NotADuration)?)),
                "minute" => Ok(Duration::WorkingMinutes(number)),
                _ => Err(NotADuration),
            };
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let rest = rest.strip_prefix('P').ok_or(NotADuration)?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return Err(NotADuration),
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        if date.is_empty() && time.is_empty() {
            return Err(NotADuration);
        }
        let (mut months, mut seconds) = (None::<i64>, None::<Decimal>);
        for (part, units) in [(date, "YMWD"), (time, "HMS")] {
            let (mut digits, mut order) = (String::new(), 0);
            for c in part.chars() {
                if c.is_ascii_digit() || (c == '.' && !digits.is_empty()) {
                    digits.push(c);
                    continue;
                }
                let at = units.get(order..).and_then(|rest| rest.find(c)).ok_or(NotADuration)? + order;
                order = at + 1;
                let is_date = units.len() == 4;
                let number = Decimal::from_str_exact(&digits).map_err(|_| NotADuration)?;
                digits.clear();
                if is_date && (c == 'Y' || c == 'M') {
                    let n = number.is_integer().then(|| number.to_i64()).flatten().ok_or(NotADuration)?;
                    let n = if c == 'Y' { n.checked_mul(12).ok_or(NotADuration)? } else { n };
                    months = Some(months.unwrap_or(0).checked_add(n).ok_or(NotADuration)?);
                } else {
                    let size = match (is_date, c) {
                        (true, 'W') => 604_800,
                        (true, _) => 86_400,
                        (false, 'H') => 3_600,
                        (false, 'M') => 60,
                        (false, _) => 1,
                    };
                    if c != 'S' && !number.is_integer() {
                        return Err(NotADuration);
                    }
                    let n = number.checked_mul(Decimal::from(size)).ok_or(NotADuration)?;
                    seconds = Some(seconds.unwrap_or_default().checked_add(n).ok_or(NotADuration)?);
                }
            }
            if !digits.is_empty() {
                return Err(NotADuration);
            }
        }
        match (months, seconds) {
            (Some(months), None) => Ok(Duration::Months(if negative { -months } else { months })),
            (None, Some(seconds)) => Ok(Duration::Seconds(if negative { -seconds } else { seconds }.normalize())),
            _ => Err(NotADuration),
        }
    }
}

stored_as_text!(Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_what_they_write() {
        for text in ["P1Y2M", "-P1M", "P3DT4H5M6.5S", "PT0S", "2 working days", "4 working hours", "1 working day"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
    }
}
