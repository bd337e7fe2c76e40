//! Lengths of time, moments, and the working calendar with its deadline arithmetic.
//!
//! Everything here is exact and takes its moment as an argument. Local times are turned into instants at one
//! place, [`Calendar::instant`]: a time that the clock skips (DST) becomes the first that exists, one that it
//! repeats becomes the earlier.

use super::text::{Lang, Wording};
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
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

impl Duration {
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

/// A zone of a time: an offset from UTC, or a named one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    /// A zone of the tz database.
    Named(Tz),
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Zone::Offset(0) => f.write_str("Z"),
            Zone::Offset(seconds) => {
                let (sign, east) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
                write!(f, "{sign}{:02}:{:02}", east / 3_600, east / 60 % 60)?;
                if east % 60 != 0 {
                    write!(f, ":{:02}", east % 60)?;
                }
                Ok(())
            }
            Zone::Named(zone) => write!(f, "@{}", zone.name()),
        }
    }
}

/// A time of day, with or without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// The time on the wall.
    pub time: NaiveTime,
    /// Where the wall is.
    pub zone: Option<Zone>,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.time.format("%H:%M:%S%.f"))?;
        self.zone.map_or(Ok(()), |zone| zone.fmt(f))
    }
}

/// A day and time, with or without a zone; without one it is a local time of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The day and time on the wall.
    pub local: NaiveDateTime,
    /// Where the wall is.
    pub zone: Option<Zone>,
}

impl Moment {
    /// An instant, as UTC.
    pub fn utc(instant: DateTime<Utc>) -> Moment {
        Moment { local: instant.naive_utc(), zone: Some(Zone::Offset(0)) }
    }

    /// The instant that this means; a moment without a zone is a local time of `home`.
    pub fn instant(&self, home: Tz) -> DateTime<Utc> {
        match self.zone {
            Some(Zone::Offset(east)) => {
                let east = TimeDelta::seconds(i64::from(east));
                self.local.checked_sub_signed(east).unwrap_or(self.local).and_utc()
            }
            Some(Zone::Named(zone)) => instant(zone, self.local),
            None => instant(home, self.local),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local.format("%Y-%m-%dT%H:%M:%S%.f"))?;
        self.zone.map_or(Ok(()), |zone| zone.fmt(f))
    }
}

/// A time or date-time apart from its zone; `None` where what stands for the zone is none.
pub fn split_zone(text: &str) -> Option<(&str, Option<Zone>)> {
    if let Some((time, zone)) = text.split_once('@') {
        return Some((time, Some(Zone::Named(zone.parse().ok()?))));
    }
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, Some(Zone::Offset(0))));
    }
    // The sign of an offset stands after the seconds; those of a date stand before `T`.
    let from = text.find('T').map_or(0, |at| at + 1);
    let Some(at) = text.get(from..)?.find(['+', '-']).map(|at| at + from) else { return Some((text, None)) };
    let (time, offset) = text.split_at(at);
    let mut parts = offset.get(1..)?.split(':').map(|part| (part.len() == 2).then(|| part.parse::<i32>().ok())?);
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    if hours > 18 || minutes > 59 || seconds > 59 || parts.next().is_some() {
        return None;
    }
    let east = hours * 3_600 + minutes * 60 + seconds;
    Some((time, Some(Zone::Offset(if offset.starts_with('-') { -east } else { east }))))
}

/// Why a text is no time or moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATime;

impl FromStr for TimeOfDay {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<TimeOfDay, NotATime> {
        let (time, zone) = split_zone(text).ok_or(NotATime)?;
        let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f").map_err(|_| NotATime)?;
        Ok(TimeOfDay { time, zone })
    }
}

impl FromStr for Moment {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Moment, NotATime> {
        let (local, zone) = split_zone(text).ok_or(NotATime)?;
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M"))
            .map_err(|_| NotATime)?;
        Ok(Moment { local, zone })
    }
}

macro_rules! stored_as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(|_| serde::de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    )+};
}
stored_as_text!(Duration, TimeOfDay, Moment);

/// Hours of one day in which work is done, from opening to closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// When they open.
    pub from: NaiveTime,
    /// When they close; later than `from`.
    pub to: NaiveTime,
}

/// When work is done: weekly hours, holidays and make-up working days (调休), in one time zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its name: `china`.
    pub name: String,
    /// The zone of all its local times.
    pub zone: Tz,
    /// Hours of each weekday, Monday first; empty on a free day.
    pub week: [Vec<Hours>; 7],
    /// Days off, with what they are called.
    pub holidays: BTreeMap<NaiveDate, String>,
    /// Working days on what would be a free day; they have the hours of the first working weekday.
    pub working: BTreeMap<NaiveDate, String>,
    /// The years whose holidays are known; in others the week alone holds.
    pub years: BTreeSet<i32>,
}

/// Monday to Friday, 9 to 12 and 13:30 to 18, without holidays, in Asia/Shanghai.
impl Default for Calendar {
    fn default() -> Calendar {
        let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        let day = vec![Hours { from: time(9, 0), to: time(12, 0) }, Hours { from: time(13, 30), to: time(18, 0) }];
        let mut week: [Vec<Hours>; 7] = Default::default();
        week.iter_mut().take(5).for_each(|hours| hours.clone_from(&day));
        Calendar {
            name: "default".into(),
            zone: Tz::Asia__Shanghai,
            week,
            holidays: BTreeMap::new(),
            working: BTreeMap::new(),
            years: BTreeSet::new(),
        }
    }
}

/// A calendar without any working hour would make a deadline search endless; it gives up after this many days.
const SEARCH_DAYS: u32 = 3_700;

impl Calendar {
    /// The day that it is at `now`, on the calendar's wall.
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        self.local(now).date()
    }

    /// The local time of an instant.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    /// The instant of a local time.
    pub fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        instant(self.zone, local)
    }

    /// The working hours of a day, in order; none on a free day.
    pub fn hours(&self, date: NaiveDate) -> &[Hours] {
        let weekday = |day: Weekday| self.week[day.num_days_from_monday() as usize].as_slice();
        if self.working.contains_key(&date) {
            let own = weekday(date.weekday());
            return if own.is_empty() {
                self.week.iter().find(|hours| !hours.is_empty()).map_or(&[], Vec::as_slice)
            } else {
                own
            };
        }
        if self.holidays.contains_key(&date) { &[] } else { weekday(date.weekday()) }
    }

    /// Whether work is done on a day.
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        !self.hours(date).is_empty()
    }

    /// The instant at which a day opens; midnight on a free day.
    pub fn opening(&self, date: NaiveDate) -> DateTime<Utc> {
        self.instant(date.and_time(self.hours(date).first().map_or(NaiveTime::MIN, |hours| hours.from)))
    }

    /// The instant at which a day closes; the end of the day on a free day.
    pub fn closing(&self, date: NaiveDate) -> DateTime<Utc> {
        let end = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or(NaiveTime::MIN);
        self.instant(date.and_time(self.hours(date).last().map_or(end, |hours| hours.to)))
    }

    /// `now` itself within working hours, else the next opening; `None` if the calendar never works.
    pub fn next_working(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = self.local(now);
        let mut date = local.date();
        for day in 0..SEARCH_DAYS {
            for hours in self.hours(date) {
                if day > 0 || local.time() < hours.from {
                    return Some(self.instant(date.and_time(hours.from)));
                }
                if local.time() < hours.to {
                    return Some(now);
                }
            }
            date = date.succ_opt()?;
        }
        None
    }

    /// The n-th working day after `date`, which itself does not count; `None` if the calendar never works.
    pub fn working_day_after(&self, date: NaiveDate, n: i64) -> Option<NaiveDate> {
        let (mut day, mut left, mut free) = (date, n, 0);
        while left > 0 {
            day = day.succ_opt()?;
            if self.is_working_day(day) {
                left -= 1;
                free = 0;
            } else {
                free += 1;
                if free > SEARCH_DAYS {
                    return None;
                }
            }
        }
        Some(day)
    }

    /// The n-th working day before `date`, which itself does not count; `None` if the calendar never works.
    pub fn working_day_before(&self, date: NaiveDate, n: i64) -> Option<NaiveDate> {
        let (mut day, mut left, mut free) = (date, n, 0);
        while left > 0 {
            day = day.pred_opt()?;
            if self.is_working_day(day) {
                left -= 1;
                free = 0;
            } else {
                free += 1;
                if free > SEARCH_DAYS {
                    return None;
                }
            }
        }
        Some(day)
    }

    /// The instant `duration` after `from`. Working time outside working hours begins at the next opening;
    /// working days keep the time of day. `None` where the result leaves the range of dates.
    pub fn add(&self, from: DateTime<Utc>, duration: Duration) -> Option<DateTime<Utc>> {
        match duration {
            Duration::Seconds(seconds) => {
                let nanos = seconds.checked_mul(Decimal::from(1_000_000_000))?.trunc().to_i64()?;
                from.checked_add_signed(TimeDelta::nanoseconds(nanos))
            }
            Duration::Months(months) => Some(self.instant(add_months(self.local(from), months)?)),
            Duration::WorkingDays(days) => {
                let begin = self.local(self.next_working(from)?);
                let day = self.working_day_after(begin.date(), days)?;
                Some(self.instant(day.and_time(begin.time())))
            }
            Duration::WorkingMinutes(minutes) => {
                let mut at = self.local(self.next_working(from)?);
                let mut left = TimeDelta::try_minutes(minutes.max(0))?;
                for _ in 0..SEARCH_DAYS {
                    for hours in self.hours(at.date()) {
                        if at.time() >= hours.to {
                            continue;
                        }
                        let begin = at.time().max(hours.from);
                        let open = hours.to - begin;
                        if left <= open {
                            return Some(self.instant(at.date().and_time(begin) + left));
                        }
                        left -= open;
                    }
                    at = at.date().succ_opt()?.and_time(NaiveTime::MIN);
                }
                None
            }
        }
    }

    /// The deadline that a `due` of `duration` from `from` means: as [`Calendar::add`], but working days run
    /// to the closing hour of the last of them, as people read “within two working days”.
    pub fn deadline(&self, from: DateTime<Utc>, duration: Duration) -> Option<DateTime<Utc>> {
        match duration {
            Duration::WorkingDays(days) => {
                let begin = self.today(self.next_working(from)?);
                // Work that comes outside working hours has its first day before it.
                let first = if begin == self.today(from) || days == 0 { begin } else { begin.pred_opt()? };
                Some(self.closing(self.working_day_after(first, days)?))
            }
            _ => self.add(from, duration),
        }
    }
}

/// `months` later, on the last day of the month where the day does not exist.
pub fn add_months(local: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { local.checked_sub_months(count) } else { local.checked_add_months(count) }
}

/// `days` later.
pub fn add_days(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let count = Days::new(days.unsigned_abs());
    if days < 0 { date.checked_sub_days(count) } else { date.checked_add_days(count) }
}

fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    // A gap is at most a few hours wide (a day where the date line moved): step over it by quarters of an hour.
    let mut probe = local;
    for _ in 0..=96 {
        if let Some(found) = zone.from_local_datetime(&probe).earliest() {
            return found.with_timezone(&Utc);
        }
        probe += TimeDelta::minutes(15);
    }
    local.and_utc()
}

/// A moment for a reader: `3月2日 11:02`, `2 March 11:02`; the year only when it is not that of `now`.
pub fn moment_words(local: NaiveDateTime, now: NaiveDateTime) -> Wording {
    let (day, time) = (date_words(local.date(), now.date()), local.format("%H:%M"));
    Wording::new(format!("{} {time}", day.zh), format!("{} {time}", day.en))
}

/// A day for a reader: `3月2日`, `2 March`; the year only when it is not that of `today`.
pub fn date_words(date: NaiveDate, today: NaiveDate) -> Wording {
    let month = date.format("%B");
    let (day, number, year) = (date.day(), date.month(), date.year());
    if year == today.year() {
        Wording::new(format!("{number}月{day}日"), format!("{day} {month}"))
    } else {
        Wording::new(format!("{year}年{number}月{day}日"), format!("{day} {month} {year}"))
    }
}

/// The weekday for a reader: `星期五`, `Friday`.
pub fn weekday_words(date: NaiveDate) -> Wording {
    let zh = ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"];
    let index = date.weekday().num_days_from_monday() as usize;
    Wording::new(zh.get(index).copied().unwrap_or_default(), date.format("%A").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse::<Moment>().unwrap().instant(Tz::Asia__Shanghai)
    }

    fn china() -> Calendar {
        let mut calendar = Calendar::default();
        for day in 1..=7 {
            calendar.holidays.insert(NaiveDate::from_ymd_opt(2026, 10, day).unwrap(), "国庆节".into());
        }
        calendar.working.insert(NaiveDate::from_ymd_opt(2026, 10, 10).unwrap(), "调休".into());
        calendar
    }

    #[test]
    fn working_days_run_to_the_closing_hour() {
        let calendar = china();
        let due = |from, days| calendar.deadline(at(from), Duration::WorkingDays(days)).unwrap();
        assert_eq!(due("2026-03-02T09:14", 2), at("2026-03-04T18:00"));
        assert_eq!(due("2026-03-06T17:00", 1), at("2026-03-09T18:00"), "over a weekend");
        assert_eq!(due("2026-03-07T10:00", 1), at("2026-03-09T18:00"), "from a Saturday");
        assert_eq!(due("2026-03-02T20:00", 1), at("2026-03-03T18:00"), "after hours");
        assert_eq!(due("2026-09-30T10:00", 1), at("2026-10-08T18:00"), "over the holiday");
        assert_eq!(due("2026-10-09T10:00", 1), at("2026-10-10T18:00"), "to the make-up Saturday");
    }

    #[test]
    fn working_hours_skip_lunch_and_nights() {
        let calendar = china();
        let after = |from, hours: i64| calendar.add(at(from), Duration::WorkingMinutes(hours * 60)).unwrap();
        assert_eq!(after("2026-03-02T11:00", 2), at("2026-03-02T14:30"));
        assert_eq!(after("2026-03-02T17:00", 4), at("2026-03-03T12:00"));
        assert_eq!(after("2026-03-06T18:00", 1), at("2026-03-09T10:00"));
    }

    #[test]
    fn a_skipped_local_time_becomes_the_next_that_exists() {
        let gap = "2026-03-08T02:30".parse::<Moment>().unwrap();
        let found = gap.instant(Tz::America__New_York);
        assert_eq!(found.to_rfc3339(), "2026-03-08T07:00:00+00:00");
    }

    #[test]
    fn a_calendar_that_never_works_has_no_deadline() {
        let mut calendar = china();
        calendar.week = Default::default();
        calendar.working.clear();
        assert_eq!(calendar.deadline(at("2026-03-02T09:14"), Duration::WorkingDays(2)), None);
    }

    #[test]
    fn durations_read_back_what_they_write() {
        for text in ["P1Y2M", "-P1M", "P3DT4H5M6.5S", "PT0S", "2 working days", "4 working hours", "1 working day"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
    }
}
