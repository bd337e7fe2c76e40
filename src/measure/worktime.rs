//! How much working time lies between two instants, for very many pairs of them: the days are summed up once.

use crate::model::time::{Calendar, Hours};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

/// The working minutes of a span of days, summed up from its first.
pub(super) struct WorkTime<'a> {
    calendar: &'a Calendar,
    first: NaiveDate,
    /// The minutes before each day.
    before: Vec<i64>,
}

impl<'a> WorkTime<'a> {
    /// Of the days from `first` on; an instant outside of them counts as at their edge.
    pub(super) fn new(calendar: &'a Calendar, first: NaiveDate, last: NaiveDate) -> WorkTime<'a> {
        let (mut before, mut day, mut total) = (vec![0], first, 0);
        while day <= last {
            total += calendar.hours(day).iter().map(Hours::minutes).sum::<i64>();
            before.push(total);
            let Some(next) = day.checked_add_days(Days::new(1)) else { break };
            day = next;
        }
        WorkTime { calendar, first, before }
    }

    /// The working minutes between two instants; 0 where the second is not later.
    pub(super) fn minutes(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        (self.up_to(to) - self.up_to(from)).max(0)
    }

    fn up_to(&self, at: DateTime<Utc>) -> i64 {
        let local = self.calendar.local(at);
        let day = local.date();
        let Ok(place) = usize::try_from((day - self.first).num_days()) else { return 0 };
        let Some(before) = self.before.get(place) else { return self.before.last().copied().unwrap_or(0) };
        if place + 1 >= self.before.len() {
            return *before;
        }
        let worked =
            |hours: &Hours| (local.min(hours.closes(day)) - hours.opens(day)).max(TimeDelta::zero()).num_minutes();
        before + self.calendar.hours(day).iter().map(worked).sum::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_weekends_and_lunch_are_no_working_time() {
        let calendar = Calendar::default();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let at = |text: &str| calendar.instant(text.parse().unwrap());
        let worktime = WorkTime::new(&calendar, day("2026-01-01"), day("2026-12-31"));
        for (from, to, minutes) in [
            ("2026-03-02T09:00:00", "2026-03-02T10:30:00", 90),
            ("2026-03-02T11:30:00", "2026-03-02T14:00:00", 60),
            ("2026-03-06T17:00:00", "2026-03-09T10:00:00", 120),
            ("2026-03-07T08:00:00", "2026-03-08T20:00:00", 0),
            ("2026-03-03T10:00:00", "2026-03-02T10:00:00", 0),
            ("2025-12-31T09:00:00", "2026-01-01T10:00:00", 60),
        ] {
            assert_eq!(worktime.minutes(at(from), at(to)), minutes, "{from} to {to}");
        }
    }
}
