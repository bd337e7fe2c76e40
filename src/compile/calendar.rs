//! The calendar: a file a year, put together.

use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::model::time::{Calendar, Hours};
use crate::syntax;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Puts the years of the folder together; `None` where it has none.
pub(crate) fn lower(documents: &[(SourceId, syntax::Calendar)], diagnostics: &mut Vec<Diagnostic>) -> Option<Calendar> {
    let mut years: Vec<&syntax::Calendar> = documents.iter().map(|(_, document)| document).collect();
    // The hours of the latest year hold, as people look ahead.
    years.sort_by_key(|document| document.year.map(|year| year.value));
    let latest = years.last()?;
    let mut calendar = Calendar::default();
    calendar.name = latest.name.as_ref().map_or(calendar.name, |name| name.value.clone());
    calendar.zone = latest.zone.map_or(calendar.zone, |zone| zone.value);
    calendar.week = week(latest);
    let mut seen: BTreeMap<i32, Span> = BTreeMap::new();
    for document in &years {
        let here = document.year.map_or(document.key_span, |year| year.span);
        if let Some(year) = document.year {
            if let Some(first) = seen.insert(year.value, here) {
                diagnostics.push(
                    Diagnostic::new(
                        Code::RepeatedName,
                        here,
                        Wording::new(
                            format!("{} 年的日历有两份，请只留一份", year.value),
                            format!("there are two calendars for {}; keep one of them", year.value),
                        ),
                    )
                    .context(first, Wording::new("另一份", "the other one")),
                );
            }
            calendar.years.insert(year.value);
        }
        disagreement(document, latest, diagnostics);
        for run in &document.holidays {
            calendar.holidays.extend(days(run).map(|day| (day, run.name.value.clone())));
        }
        for run in &document.working {
            calendar.working.extend(days(run).map(|day| (day, run.name.value.clone())));
        }
    }
    let known: Vec<(i32, Span)> = seen.into_iter().collect();
    for pair in known.windows(2) {
        let [(year, _), (next, span)] = pair else { continue };
        if next - year > 1 {
            let (from, to) = (year + 1, next - 1);
            let gap = if from == to { from.to_string() } else { format!("{from}–{to}") };
            diagnostics.push(Diagnostic::new(
                Code::MissingYear,
                *span,
                Wording::new(
                    format!("{gap} 年没有日历，那时只按每周的工作时间算，不知道节假日。请补一份"),
                    format!(
                        "{gap} has no calendar, so only the weekly hours hold then and no holiday is known; add one"
                    ),
                ),
            ));
        }
    }
    Some(calendar)
}

/// What all years have in common: name and zone. Hours may differ; the latest hold.
fn disagreement(document: &syntax::Calendar, latest: &syntax::Calendar, diagnostics: &mut Vec<Diagnostic>) {
    let mut differ = |key: &str, here: Span, there: Span, (own, other): (&str, &str)| {
        diagnostics.push(
            Diagnostic::new(
                Code::CalendarConflict,
                here,
                Wording::new(
                    format!("所有年份属于同一份日历，`{key}` 要一样，这里是 `{own}`，别处是 `{other}`"),
                    format!("all years belong to one calendar and share its `{key}`; here it is `{own}`, elsewhere `{other}`"),
                ),
            )
            .context(there, Wording::new("另一份", "the other one")),
        );
    };
    if let (Some(own), Some(other)) = (&document.name, &latest.name)
        && own.value != other.value
    {
        differ("calendar", own.span, other.span, (&own.value, &other.value));
    }
    if let (Some(own), Some(other)) = (&document.zone, &latest.zone)
        && own.value != other.value
    {
        differ("zone", own.span, other.span, (own.value.name(), other.value.name()));
    }
}

fn week(document: &syntax::Calendar) -> [Vec<Hours>; 7] {
    let mut week: [Vec<Hours>; 7] = Default::default();
    for named in &document.week {
        if let Some(day) = week.get_mut(named.day.num_days_from_monday() as usize) {
            *day = named.hours.iter().map(|&(from, to)| Hours { from, to }).collect();
        }
    }
    week
}

fn days(run: &syntax::Days) -> impl Iterator<Item = NaiveDate> + use<> {
    let to = run.to;
    run.from.iter_days().take_while(move |day| *day <= to)
}
