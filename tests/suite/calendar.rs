//! Laws of the working calendar, on calendars and zones that nobody chose for it.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use countersign::model::time::{Calendar, Duration, Hours, Moment};
use proptest::prelude::*;

/// Zones with and without DST, and one that changes by half an hour.
const ZONES: [Tz; 5] =
    [Tz::Asia__Shanghai, Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe];

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(number)
}

prop_compose! {
    /// Working hours by day, with a lunch or without, some days free, holidays and make-up days anywhere.
    fn calendars()(
        zone in 0..ZONES.len(),
        open in 6_u32..11,
        lunch in prop::option::of(11_u32..13),
        close in 15_u32..=24,
        free in prop::collection::btree_set(0_usize..7, 0..4),
        holidays in prop::collection::btree_set(0_u64..365, 0..20),
        working in prop::collection::btree_set(0_u64..365, 0..10),
    ) -> Calendar {
        let at = |hour: u32, minute: u32| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        let hours = match lunch {
            Some(noon) => vec![Hours { from: at(open, 0), to: at(noon, 0) }, Hours { from: at(noon + 1, 30), to: at(close % 24, 0) }],
            None => vec![Hours { from: at(open, 0), to: at(close % 24, 0) }],
        };
        let mut calendar = Calendar { zone: ZONES[zone], ..Calendar::default() };
        for (number, day) in calendar.week.iter_mut().enumerate() {
            *day = if free.contains(&number) { Vec::new() } else { hours.clone() };
        }
        calendar.holidays = holidays.iter().map(|n| (day(*n), "holiday".to_owned())).collect();
        calendar.working = working.iter().filter(|n| !holidays.contains(n)).map(|n| (day(*n), "make-up".to_owned())).collect();
        calendar
    }
}

fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..365 * 24 * 60).prop_map(|minute| day(0).and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minute))
}

/// Within working hours, or at the moment at which they close.
fn worked(calendar: &Calendar, at: DateTime<Utc>) -> bool {
    let local = calendar.local(at);
    let within = |day: NaiveDate| {
        calendar.hours(day).iter().any(|hours| hours.opens(day) <= local && local <= hours.closes(day))
    };
    within(local.date()) || within(local.date().pred_opt().unwrap())
}

/// Whether the clocks change close to an instant: an hour of work is then not an hour of the clock on the wall.
fn clocks_change(calendar: &Calendar, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
    let offset = |at: DateTime<Utc>| calendar.local(at) - at.naive_utc();
    offset(from - TimeDelta::days(1)) != offset(to + TimeDelta::days(1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_deadline_is_in_working_time_and_not_before_its_beginning(
        calendar in calendars(), from in instants(), minutes in 0_i64..6_000, days in 0_i64..30,
    ) {
        for duration in [Duration::WorkingMinutes(minutes), Duration::WorkingDays(days)] {
            let at = calendar.deadline(from, duration).unwrap();
            prop_assert!(at >= from, "{at} is before {from}");
            prop_assert!(worked(&calendar, at), "{} is not in working time", calendar.local(at));
        }
    }

    #[test]
    fn later_begins_later_and_longer_ends_later(
        calendar in calendars(), a in instants(), b in instants(), m in 0_i64..4_000, n in 0_i64..4_000,
    ) {
        let ((a, b), (m, n)) = ((a.min(b), a.max(b)), (m.min(n), m.max(n)));
        let add = |from, minutes| calendar.add(from, Duration::WorkingMinutes(minutes)).unwrap();
        prop_assert!(add(a, m) <= add(b, m));
        prop_assert!(add(a, m) <= add(a, n));
        let deadline = |from, days| calendar.deadline(from, Duration::WorkingDays(days)).unwrap();
        prop_assert!(deadline(a, 2) <= deadline(b, 2));
        prop_assert!(deadline(a, m % 20) <= deadline(a, m % 20 + 1));
    }

    #[test]
    fn working_time_adds_up(calendar in calendars(), from in instants(), m in 1_i64..2_000, n in 1_i64..2_000) {
        let add = |from, minutes| calendar.add(from, Duration::WorkingMinutes(minutes)).unwrap();
        let (twice, once) = (add(add(from, m), n), add(from, m + n));
        prop_assume!(!clocks_change(&calendar, from, once));
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn working_days_are_counted_as_on_fingers(calendar in calendars(), from in 0_u64..300, count in 1_i64..30) {
        let last = calendar.working_day_after(day(from), count).unwrap();
        let counted = (from + 1..).map(day).take_while(|date| *date <= last).filter(|date| calendar.is_working_day(*date));
        prop_assert_eq!(counted.count() as i64, count);
        prop_assert!(calendar.is_working_day(last));
        prop_assert!(calendar.working_day_before(last, count).unwrap() <= day(from));
    }

    #[test]
    fn every_local_time_is_an_instant_and_only_skipped_ones_move(zone in 0..ZONES.len(), minute in 0_i64..365 * 24 * 60) {
        let calendar = Calendar { zone: ZONES[zone], ..Calendar::default() };
        let local = day(0).and_time(NaiveTime::MIN) + TimeDelta::minutes(minute);
        let found = calendar.local(calendar.instant(local));
        prop_assert!(found >= local, "{local} became {found}");
        prop_assert!(found - local <= TimeDelta::hours(1), "{local} became {found}");
        if found == local {
            // Of two instants it is the first.
            let hour_before = calendar.instant(local) - TimeDelta::minutes(60);
            prop_assert!(calendar.local(hour_before) < local);
        }
    }

    #[test]
    fn durations_read_back(months in -500_i64..500, seconds in -9_000_000_i64..9_000_000, count in 0_i64..500) {
        for duration in [
            Duration::Months(months),
            Duration::Seconds(seconds.into()),
            Duration::WorkingDays(count),
            Duration::WorkingMinutes(count * 60),
            Duration::WorkingMinutes(count),
        ] {
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }
    }
}

#[test]
fn a_time_that_the_clock_skips_or_repeats_has_one_meaning() {
    let at = |text: &str, zone: Tz| text.parse::<Moment>().unwrap().instant(zone).to_rfc3339();
    // Skipped: the first that exists. Repeated: the earlier.
    assert_eq!(at("2026-03-29T02:30", Tz::Europe__Berlin), "2026-03-29T01:00:00+00:00");
    assert_eq!(at("2026-10-25T02:30", Tz::Europe__Berlin), "2026-10-25T00:30:00+00:00");
    assert_eq!(at("2026-10-04T02:10", Tz::Australia__Lord_Howe), "2026-10-03T15:30:00+00:00");
    assert_eq!(day(0).year(), 2026);
}
