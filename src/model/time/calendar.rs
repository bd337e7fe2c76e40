//! The working calendar and its deadline arithmetic.

use super::Duration;
use super::moment::instant;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Hours of one day in which work is done, from opening to closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// When they open.
    pub from: NaiveTime,
    /// When they close; later than `from`. Midnight is the end of the day.
    pub to: NaiveTime,
}

impl Hours {
    /// When they open on a day.
    pub fn opens(&self, date: NaiveDate) -> NaiveDateTime {
        date.and_time(self.from)
    }

    /// When they close on a day.
    pub fn closes(&self, date: NaiveDate) -> NaiveDateTime {
        let day = if self.to == NaiveTime::MIN { date.succ_opt().unwrap_or(date) } else { date };
        day.and_time(self.to)
    }

    /// How many minutes they are on the wall.
    pub fn minutes(&self) -> i64 {
        let day = NaiveDate::default();
        (self.closes(day) - self.opens(day)).num_minutes()
    }
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

/// How many days working time is counted for at most, ten years and some days: a calendar without any working hour would
/// make that endless.
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
        self.instant(self.hours(date).last().map_or(date.and_time(end), |hours| hours.closes(date)))
    }

    /// `now` itself within working hours, else the next opening; `None` if the calendar never works.
    pub fn next_working(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = self.local(now);
        let mut date = local.date();
        for day in 0..SEARCH_DAYS {
            for hours in self.hours(date) {
                if day > 0 || local < hours.opens(date) {
                    return Some(self.instant(hours.opens(date)));
                }
                if local < hours.closes(date) {
                    return Some(now);
                }
            }
            date = date.succ_opt()?;
        }
        None
    }

    /// The n-th working day after `date`, which itself does not count; `None` where that is too far away.
    pub fn working_day_after(&self, date: NaiveDate, n: i64) -> Option<NaiveDate> {
        self.nth_working_day(date, n, NaiveDate::succ_opt)
    }

    /// The n-th working day before `date`, which itself does not count; `None` where that is too far away.
    pub fn working_day_before(&self, date: NaiveDate, n: i64) -> Option<NaiveDate> {
        self.nth_working_day(date, n, NaiveDate::pred_opt)
    }

    fn nth_working_day(
        &self,
        date: NaiveDate,
        n: i64,
        next: impl Fn(&NaiveDate) -> Option<NaiveDate>,
    ) -> Option<NaiveDate> {
        let (mut day, mut left) = (date, n);
        for _ in 0..SEARCH_DAYS {
            if left <= 0 {
                return Some(day);
            }
            day = next(&day)?;
            left -= i64::from(self.is_working_day(day));
        }
        None
    }

    /// How many working days there are after one day, up to and with another; none where that is earlier.
    pub fn working_days_after(&self, date: NaiveDate, to: NaiveDate) -> i64 {
        let Some(first) = date.succ_opt().filter(|first| *first <= to) else { return 0 };
        let by_week = |date: NaiveDate| !self.week[date.weekday().num_days_from_monday() as usize].is_empty();
        let days = (to - date).num_days();
        let a_week = self.week.iter().filter(|hours| !hours.is_empty()).count() as i64;
        let rest = first.iter_days().take((days % 7) as usize).filter(|date| by_week(*date)).count() as i64;
        let named: BTreeSet<&NaiveDate> =
            self.holidays.range(first..=to).chain(self.working.range(first..=to)).map(|(date, _)| date).collect();
        let other = |date: &NaiveDate| i64::from(self.is_working_day(*date)) - i64::from(by_week(*date));
        days / 7 * a_week + rest + named.into_iter().map(other).sum::<i64>()
    }

    /// How many working days have passed between two instants: each counts once its time of day is reached.
    pub fn working_days_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        let (from, to) = (self.local(from), self.local(to));
        let last = if from.time() <= to.time() { Some(to.date()) } else { to.date().pred_opt() };
        last.map_or(0, |last| self.working_days_after(from.date(), last))
    }

    /// The instant `duration` after `from`. Working time outside working hours begins at the next opening;
    /// working days keep the time of day, the closing hour too. `None` where the result is too far away.
    pub fn add(&self, from: DateTime<Utc>, duration: Duration) -> Option<DateTime<Utc>> {
        match duration {
            Duration::Seconds(seconds) => {
                let whole = seconds.floor();
                let nanos = seconds.checked_sub(whole)?.checked_mul(Decimal::from(1_000_000_000))?;
                from.checked_add_signed(TimeDelta::new(whole.to_i64()?, nanos.trunc().to_u32()?)?)
            }
            Duration::Months(months) => Some(self.instant(add_months(self.local(from), months)?)),
            Duration::WorkingDays(days) => {
                let local = self.local(from);
                let closes = |day: &NaiveDate| self.hours(*day).iter().any(|hours| hours.closes(*day) == local);
                let (day, begin) = match [local.date().pred_opt()?, local.date()].into_iter().find(closes) {
                    Some(day) => (day, local),
                    None => {
                        let begin = self.local(self.next_working(from)?);
                        (begin.date(), begin)
                    }
                };
                let last = self.working_day_after(day, days)?;
                Some(self.instant(last.and_time(NaiveTime::MIN) + (begin - day.and_time(NaiveTime::MIN))))
            }
            Duration::WorkingMinutes(minutes) => {
                let first = self.next_working(from)?;
                let mut day = self.today(first);
                let mut left = TimeDelta::try_minutes(minutes.max(0))?;
                for _ in 0..SEARCH_DAYS {
                    for hours in self.hours(day) {
                        // Between instants, as the clocks may change while work is done.
                        let (opens, closes) = (self.instant(hours.opens(day)), self.instant(hours.closes(day)));
                        let begin = opens.max(first);
                        if begin >= closes {
                            continue;
                        }
                        if left <= closes - begin {
                            return Some(begin + left);
                        }
                        left -= closes - begin;
                    }
                    day = day.succ_opt()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Moment;

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
    fn working_days_keep_the_time_of_day() {
        let calendar = china();
        let after = |from, days| calendar.add(at(from), Duration::WorkingDays(days)).unwrap();
        assert_eq!(after("2026-03-05T17:59", 1), at("2026-03-06T17:59"));
        assert_eq!(after("2026-03-05T18:00", 1), at("2026-03-06T18:00"), "at closing");
        assert_eq!(after("2026-03-05T18:01", 1), at("2026-03-09T09:00"), "Friday is all of it");
        assert_eq!(after("2026-03-06T18:00", 1), at("2026-03-09T18:00"), "over a weekend");
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
    fn a_day_may_be_worked_to_its_end() {
        let mut calendar = china();
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let day = vec![Hours { from: time(0), to: time(6) }, Hours { from: time(22), to: NaiveTime::MIN }];
        calendar.week.iter_mut().take(5).for_each(|hours| hours.clone_from(&day));
        let add = |from, duration| calendar.add(at(from), duration).unwrap();
        let (hours, days) = (|n: i64| Duration::WorkingMinutes(n * 60), Duration::WorkingDays);
        assert_eq!(add("2026-03-02T23:00", hours(1)), at("2026-03-03T00:00"), "its end is a moment of it");
        assert_eq!(add("2026-03-02T23:00", hours(8)), at("2026-03-03T22:00") + TimeDelta::hours(1), "over midnight");
        assert_eq!(add("2026-03-02T23:00", hours(4)), at("2026-03-03T03:00"), "over midnight");
        assert_eq!(add("2026-03-06T23:00", hours(2)), at("2026-03-09T01:00"), "over a weekend");
        assert_eq!(add("2026-03-06T00:00", days(1)), at("2026-03-07T00:00"), "from closing to closing");
        assert_eq!(add("2026-03-07T00:00", days(1)), at("2026-03-10T00:00"), "over a weekend");
        assert_eq!(calendar.deadline(at("2026-03-02T10:00"), days(1)).unwrap(), at("2026-03-04T00:00"), "its end");
        assert_eq!(calendar.closing(NaiveDate::from_ymd_opt(2026, 3, 7).unwrap()), at("2026-03-07T23:59:59"));
    }

    #[test]
    fn an_hour_of_work_is_an_hour_where_the_clocks_change_too() {
        let mut calendar = Calendar { zone: Tz::America__New_York, ..Calendar::default() };
        calendar.week = std::array::from_fn(|_| vec![Hours { from: NaiveTime::MIN, to: NaiveTime::MIN }]);
        let at = |text: &str| calendar.instant(text.parse::<Moment>().unwrap().local);
        let after = |from, hours: i64| calendar.add(at(from), Duration::WorkingMinutes(hours * 60)).unwrap();
        assert_eq!(after("2026-03-08T00:00", 4), at("2026-03-08T05:00"), "an hour is left out");
        assert_eq!(after("2026-11-01T00:00", 4), at("2026-11-01T03:00"), "an hour comes twice");
        assert_eq!(after("2026-03-07T12:00", 24), at("2026-03-08T13:00"), "over the end of a day");
        let second = at("2026-11-01T01:30") + TimeDelta::hours(1);
        assert_eq!(calendar.add(second, Duration::WorkingMinutes(30)), Some(second + TimeDelta::minutes(30)));
        let days = |from| calendar.add(at(from), Duration::WorkingDays(1)).unwrap();
        assert_eq!(days("2026-03-07T12:00"), at("2026-03-08T12:00"));
    }

    #[test]
    fn working_days_are_counted_as_one_by_one_however_many_there_are() {
        let mut calendar = china();
        let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
        // A holiday on a Saturday, one that is worked through, and a day off that is worked anyway.
        calendar.holidays.extend([(day(10, 17), "周六".into()), (day(10, 21), "补班".into())]);
        calendar.working.extend([(day(10, 21), "补班".into()), (day(10, 23), "照常".into())]);
        for (from, to) in (0..40).flat_map(|from| (0..40).map(move |to| (from, to))) {
            let (from, to) = (day(9, 20) + Days::new(from), day(9, 20) + Days::new(to));
            let one_by_one = from.iter_days().skip(1).take_while(|date| *date <= to);
            let counted = one_by_one.filter(|date| calendar.is_working_day(*date)).count() as i64;
            assert_eq!(calendar.working_days_after(from, to), counted, "{from} {to}");
        }
        let far = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
        assert_eq!(calendar.working_days_after(far, day(1, 1)), 0);
        assert!(calendar.working_days_after(day(1, 1), far) > 2_000_000);
        assert!(calendar.working_days_between(at("2026-03-02T09:00"), at("2126-03-02T09:00")) > 26_000);
    }

    #[test]
    fn lengths_of_time_reach_as_far_as_the_calendar() {
        let (calendar, from) = (china(), at("2026-03-02T09:14"));
        let days = |days: i64| calendar.add(from, Duration::Seconds(Decimal::from(days * 86_400)));
        assert_eq!(days(600 * 365), from.checked_add_signed(TimeDelta::days(600 * 365)), "more than nanoseconds count");
        let half = calendar.add(from, Duration::Seconds(Decimal::new(-15, 1)));
        assert_eq!(half, from.checked_sub_signed(TimeDelta::milliseconds(1_500)));
        assert_eq!(days(i64::MAX / 86_400), None);
    }

    #[test]
    fn a_calendar_that_never_works_has_no_deadline() {
        let mut calendar = china();
        calendar.week = Default::default();
        calendar.working.clear();
        assert_eq!(calendar.deadline(at("2026-03-02T09:14"), Duration::WorkingDays(2)), None);
    }

    #[test]
    fn working_time_is_counted_for_ten_years_and_no_longer() {
        let (calendar, from) = (china(), at("2026-03-02T09:14"));
        assert!(calendar.deadline(from, Duration::WorkingDays(2_500)).is_some());
        let begun = std::time::Instant::now();
        for days in [3_000, i64::MAX] {
            assert_eq!(calendar.deadline(from, Duration::WorkingDays(days)), None);
            assert_eq!(calendar.add(from, Duration::WorkingDays(days)), None);
            assert_eq!(calendar.working_day_before(from.date_naive(), days), None);
        }
        assert_eq!(calendar.add(from, Duration::WorkingMinutes(i64::MAX / 1_000_000)), None);
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }
}
