//! How a process goes: how many cases began and ended, how long they took, and where they wait.
//!
//! A log is followed token by token: a step waits from when a token entered it to when it left. Steps that wait for
//! nobody (`set`, `choose`, blocks) are not among them. Time is working time, or, where the calendar never works,
//! time that passed.

use super::worktime::WorkTime;
use crate::engine::event::{Entry, Event};
use crate::engine::state::Waiting;
use crate::model::definition::outcome;
use crate::model::id::{Outcome, ScopeId, StepId, TokenId};
use crate::model::metric::Period;
use crate::model::time::{Calendar, Hours};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// How a process went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Cases that began in the period.
    pub started: u64,
    /// Cases that had begun and not ended at its end, or now.
    pub open: u64,
    /// Cases that ended in it, by their outcome.
    pub ended: BTreeMap<Outcome, u64>,
    /// From beginning to end, of those.
    pub lead: Option<Spread>,
    /// How many of those had been sent back at least once.
    pub returned: u64,
    /// Steps that were left in the period and had a due time.
    pub due: u64,
    /// How many of those were late.
    pub late: u64,
    /// The steps that wait, in the order in which cases come to them.
    pub steps: Vec<StepCourse>,
    /// Minutes of a working day; `None` where time is what passed, as the calendar never works.
    pub day: Option<i64>,
}

impl Course {
    /// Cases that ended in the period.
    pub fn done(&self) -> u64 {
        self.ended.values().sum()
    }

    /// Where cases waited longest, all in all, and which share of a hundred of all waiting that was.
    pub fn slowest(&self) -> Option<(&StepCourse, i64)> {
        let all: i64 = self.steps.iter().map(|step| step.total).sum();
        let slowest = self.steps.iter().max_by_key(|step| step.total).filter(|step| step.total > 0)?;
        Some((slowest, (slowest.total * 100 + all / 2) / all))
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.started == 0 && self.open == 0 && self.ended.is_empty() && self.steps.is_empty()
    }
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepCourse {
    /// Which.
    pub step: StepId,
    /// How long it waited, each time that it was left in the period.
    pub waited: Option<Spread>,
    /// The minutes of all of them.
    pub total: i64,
    /// How often it had a due time.
    pub due: u64,
    /// How often it was late.
    pub late: u64,
    /// How many cases wait there at the end of the period, or now.
    pub open: u64,
}

/// How lengths of time are spread, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// Half are not longer.
    pub median: i64,
    /// Nine of ten are not longer.
    pub most: i64,
}

impl Spread {
    /// Of lengths in any order; `None` of none.
    ///
    /// ```
    /// use countersign::measure::process::Spread;
    /// let spread = Spread::of(vec![50, 10, 30, 20, 40, 60, 70, 80, 90, 1000]).unwrap();
    /// assert_eq!((spread.count, spread.median, spread.most), (10, 55, 90));
    /// ```
    pub fn of(mut lengths: Vec<i64>) -> Option<Spread> {
        lengths.sort_unstable();
        let count = lengths.len();
        let at = |place: usize| lengths.get(place).copied();
        let (low, high) = (at(count.checked_sub(1)? / 2)?, at(count / 2)?);
        let most = at((count * 9).div_ceil(10).checked_sub(1)?)?;
        Some(Spread { count: count as u64, median: (low + high) / 2, most })
    }
}

/// A process on the way: logs are added, then it is asked how it went.
pub struct Following<'a> {
    period: Option<Period>,
    calendar: &'a Calendar,
    worktime: WorkTime<'a>,
    day: Option<i64>,
    /// The end of the period, or now.
    until: DateTime<Utc>,
    course: Course,
    lead: Vec<i64>,
    steps: Vec<StepId>,
    waits: BTreeMap<StepId, Waits>,
}

#[derive(Default)]
struct Waits {
    lengths: Vec<i64>,
    due: u64,
    late: u64,
    open: u64,
}

/// A token at a step.
struct Stay {
    step: StepId,
    since: DateTime<Utc>,
    /// Whether it waits for somebody or something.
    waits: bool,
    due: bool,
}

impl<'a> Following<'a> {
    /// Nothing followed yet; every period where `period` is `None`.
    pub fn new(period: Option<Period>, calendar: &'a Calendar, now: DateTime<Utc>) -> Following<'a> {
        let today = calendar.today(now);
        let first = NaiveDate::from_ymd_opt(today.year().saturating_sub(20), 1, 1).unwrap_or(today);
        let day = calendar.week.iter().find(|hours| !hours.is_empty());
        let day = day.map(|hours| hours.iter().map(Hours::minutes).sum());
        let midnight = |day: NaiveDate| calendar.instant(day.and_time(chrono::NaiveTime::MIN));
        let until = period.map_or(now, |period| midnight(period.after()).min(now));
        Following {
            period,
            calendar,
            worktime: WorkTime::new(calendar, first, today),
            day,
            until,
            course: Course {
                started: 0,
                open: 0,
                ended: BTreeMap::new(),
                lead: None,
                returned: 0,
                due: 0,
                late: 0,
                steps: Vec::new(),
                day,
            },
            lead: Vec::new(),
            steps: Vec::new(),
            waits: BTreeMap::new(),
        }
    }

    fn within(&self, at: DateTime<Utc>) -> bool {
        self.period.is_none_or(|period| period.holds(self.calendar.today(at)))
    }

    fn length(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        if self.day.is_some() { self.worktime.minutes(from, to) } else { (to - from).num_minutes().max(0) }
    }

    /// Follows the log of a case from its first entry.
    pub fn add(&mut self, entries: &[Entry]) {
        let until = self.until;
        let Some(began) = entries.first().map(|entry| entry.at).filter(|began| *began < until) else { return };
        if self.within(began) {
            self.course.started += 1;
        }
        let mut stays: BTreeMap<TokenId, Stay> = BTreeMap::new();
        // What a scope holds goes with it, wherever it was.
        let mut scopes: BTreeMap<ScopeId, TokenId> = BTreeMap::new();
        let (mut ended, mut returned) = (None, false);
        for entry in entries.iter().take_while(|entry| entry.at < until) {
            for event in &entry.events {
                match event {
                    Event::Entered { token, step } => {
                        stays.insert(*token, Stay { step: step.clone(), since: entry.at, waits: false, due: false });
                    }
                    Event::TaskOpened { opened, .. } => {
                        if let Some(stay) = stays.get_mut(&opened.token).filter(|stay| stay.step == opened.step) {
                            (stay.waits, stay.due) = (true, stay.due || opened.due.is_some());
                        }
                    }
                    Event::WaitBegun { token, waits, due } if !matches!(**waits, Waiting::Block(_)) => {
                        if let Some(stay) = stays.get_mut(token) {
                            (stay.waits, stay.due) = (true, stay.due || due.is_some());
                        }
                    }
                    Event::TaskParked { .. } => returned = true,
                    Event::Left { token, step, outcome, late, .. } => {
                        returned |= outcome.as_str() == outcome::RETURNED;
                        if let Some(stay) = stays.remove(token).filter(|stay| stay.step == *step && stay.waits) {
                            self.left(&stay, entry.at, *late);
                        }
                    }
                    Event::ScopeOpened { scope, token, .. } | Event::UndoBegun { scope, token, .. } => {
                        scopes.insert(*scope, *token);
                    }
                    Event::ScopeClosed { scope, .. } => {
                        scopes.remove(scope).map(|token| stays.remove(&token));
                    }
                    Event::EndBegun { .. } => stays.clear(),
                    Event::Ended { outcome, .. } => ended = Some((outcome.clone(), entry.at)),
                    _ => {}
                }
            }
        }
        match ended {
            Some((outcome, at)) => {
                if self.within(at) {
                    *self.course.ended.entry(outcome).or_default() += 1;
                    self.course.returned += u64::from(returned);
                    self.lead.push(self.length(began, at));
                }
            }
            None => {
                self.course.open += 1;
                let waiting = stays.values().filter(|stay| stay.waits).map(|stay| &stay.step);
                // Several rows of a case that wait at a step are one case.
                for step in waiting.collect::<BTreeSet<_>>() {
                    self.step(step).open += 1;
                }
            }
        }
    }

    fn left(&mut self, stay: &Stay, at: DateTime<Utc>, late: bool) {
        if !self.within(at) {
            return;
        }
        let length = self.length(stay.since, at);
        if stay.due {
            self.course.due += 1;
            self.course.late += u64::from(late);
        }
        let waits = self.step(&stay.step);
        waits.lengths.push(length);
        waits.due += u64::from(stay.due);
        waits.late += u64::from(stay.due && late);
    }

    fn step(&mut self, step: &StepId) -> &mut Waits {
        if !self.waits.contains_key(step) {
            self.steps.push(step.clone());
        }
        self.waits.entry(step.clone()).or_default()
    }

    /// How it went.
    pub fn finish(mut self) -> Course {
        let mut course = self.course;
        course.lead = Spread::of(self.lead);
        for step in self.steps {
            let Some(waits) = self.waits.remove(&step) else { continue };
            let total = waits.lengths.iter().sum();
            let Waits { lengths, due, late, open } = waits;
            course.steps.push(StepCourse { step, waited: Spread::of(lengths), total, due, late, open });
        }
        course
    }
}
