//! Times of day and moments, with or without a zone, and the one place where a local time becomes an instant.

use super::stored_as_text;
use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

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

stored_as_text!(TimeOfDay, Moment);

/// The instant of a local time: the first that exists after one that the clock skips, the earlier of two.
pub(super) fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let found = |local: NaiveDateTime| zone.from_local_datetime(&local).earliest();
    if let Some(found) = found(local) {
        return found.with_timezone(&Utc);
    }
    // A gap ends at a whole minute, and is a day wide at most, where the date line moved.
    let mut probe = local.with_second(0).and_then(|local| local.with_nanosecond(0)).unwrap_or(local);
    for _ in 0..=24 * 60 {
        probe += TimeDelta::minutes(1);
        if let Some(found) = found(probe) {
            return found.with_timezone(&Utc);
        }
    }
    local.and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_local_time_becomes_the_next_that_exists() {
        let gap = "2026-03-08T02:30".parse::<Moment>().unwrap();
        let found = gap.instant(Tz::America__New_York);
        assert_eq!(found.to_rfc3339(), "2026-03-08T07:00:00+00:00");
    }
}
