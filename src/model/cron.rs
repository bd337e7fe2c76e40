//! When a schedule fires: five fields of cron. The only door to croner.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use std::str::FromStr;

/// When it fires next after an instant, by the clock of a zone; `None` where it never does, or is none.
///
/// ```
/// use countersign::model::cron::{fires_after, is_cron};
/// let monday = "2026-03-02T01:00:00Z".parse().unwrap();
/// let friday = fires_after("0 16 * * FRI", monday, chrono_tz::Asia::Shanghai).unwrap();
/// assert_eq!(friday.to_rfc3339(), "2026-03-06T08:00:00+00:00");
/// assert!(fires_after("0 0 30 2 *", monday, chrono_tz::Asia::Shanghai).is_none());
/// assert!(!is_cron("every friday"));
/// ```
pub fn fires_after(cron: &str, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let found = read(cron)?.find_next_occurrence(&after.with_timezone(&zone), false).ok()?;
    Some(found.with_timezone(&Utc))
}

/// Whether a text is a schedule: five fields, of minute, hour, day, month and weekday.
pub fn is_cron(cron: &str) -> bool {
    read(cron).is_some()
}

/// The first field that is wrong, counted from 0, of a text of five fields.
pub(crate) fn wrong_field(cron: &str) -> Option<(usize, &str)> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let alone = |(at, field): &(usize, &str)| {
        let others = |other: usize| if other == *at { *field } else { "*" };
        read(&(0..5).map(others).collect::<Vec<_>>().join(" ")).is_none()
    };
    (fields.len() == 5).then(|| fields.into_iter().enumerate().find(alone)).flatten()
}

fn read(cron: &str) -> Option<Cron> {
    if cron.split_whitespace().count() != 5 {
        return None;
    }
    Cron::from_str(cron).ok()
}
