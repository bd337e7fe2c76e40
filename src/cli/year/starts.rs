//! When which case is started: what the script says, and by default what nothing else starts.

use super::dice::Dice;
use super::people::Plan;
use super::script::{Script, Start};
use crate::model::definition::{Definition, StepKind};
use crate::model::id::ProcessId;
use crate::model::time::{Calendar, Duration};
use crate::runtime::Runtime;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Every start of the year.
pub(super) fn starts(script: &Script, runtime: &Runtime, dice: &mut Dice) -> Vec<(DateTime<Utc>, Plan)> {
    let (definitions, calendar) = (runtime.definitions(), runtime.calendar());
    let days = working_days(&calendar, script.from, script.to);
    let mut starts = Vec::new();
    for (number, start) in script.starts.iter().enumerate() {
        if !definitions.iter().any(|definition| definition.process.as_str() == start.process) {
            continue;
        }
        let process = ProcessId::from(start.process.as_str());
        let plan = |at| (at, Plan::Start { start: Some(number), process: process.clone() });
        let days = days_of(start, &days);
        let count = start.total.unwrap_or(0) + per_week(start.weekly.unwrap_or(0), days.len());
        starts.extend(spread(&calendar, &days, count, dice).into_iter().map(plan));
        for day in &start.on {
            starts.push(plan(sometime(&calendar, *day, dice)));
        }
    }
    for process in forgotten(script, &definitions) {
        let times = spread(&calendar, &days, per_week(script.others, days.len()), dice);
        starts.extend(times.into_iter().map(|at| (at, Plan::Start { start: None, process: process.clone() })));
    }
    starts
}

/// Processes that neither the script nor a schedule nor another process starts.
fn forgotten(script: &Script, definitions: &[Arc<Definition>]) -> Vec<ProcessId> {
    let mut known: BTreeSet<&str> = script.starts.iter().map(|start| start.process.as_str()).collect();
    for step in definitions.iter().flat_map(|definition| definition.steps.values()) {
        if let StepKind::Call(call) = &step.kind {
            known.insert(call.process.as_str());
        }
    }
    let left = |one: &&Arc<Definition>| one.schedule.is_none() && !known.contains(one.process.as_str());
    definitions.iter().filter(left).map(|one| one.process.clone()).collect()
}

fn working_days(calendar: &Calendar, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    from.iter_days().take_while(|day| *day <= to).filter(|day| calendar.is_working_day(*day)).collect()
}

fn days_of(start: &Start, days: &[NaiveDate]) -> Vec<NaiveDate> {
    let within =
        |day: &&NaiveDate| start.from.is_none_or(|from| **day >= from) && start.to.is_none_or(|to| **day <= to);
    days.iter().filter(within).copied().collect()
}

/// So many a week of five days.
fn per_week(weekly: u64, days: usize) -> u64 {
    weekly * days as u64 / 5
}

/// So many, evenly over the days, each at some hour of its day.
fn spread(calendar: &Calendar, days: &[NaiveDate], count: u64, dice: &mut Dice) -> Vec<DateTime<Utc>> {
    let place = |number: u64| usize::try_from(number * days.len() as u64 / count.max(1)).unwrap_or(0);
    (0..count).filter_map(|number| Some(sometime(calendar, *days.get(place(number))?, dice))).collect()
}

fn sometime(calendar: &Calendar, day: NaiveDate, dice: &mut Dice) -> DateTime<Utc> {
    let opening = calendar.opening(day);
    calendar.add(opening, Duration::WorkingMinutes(dice.between(0, 430))).unwrap_or(opening)
}
