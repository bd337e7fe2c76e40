//! Metrics counted: cases in, figures out, for a period, those before it, and the parts that it breaks down into.

use crate::engine::state::State;
use crate::expression::{Context, InstanceFacts, evaluate};
use crate::model::formula::Formula;
use crate::model::id::ProcessId;
use crate::model::metric::{Better, Case, ENDED, Metric, Period, STARTED, Source, Take};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::{Calendar, Moment};
use crate::model::value::{Record, Value};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Which metrics.
    pub metrics: &'a [Metric],
    /// In which period.
    pub period: Period,
    /// How many periods before it too.
    pub trend: u32,
    /// What the period is broken down by.
    pub by: Option<&'a str>,
    /// The people, as they are now.
    pub directory: &'a Directory,
    /// The calendar, whose zone says when a day ends.
    pub calendar: &'a Calendar,
    /// When it is measured.
    pub now: DateTime<Utc>,
}

/// A metric as it was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The metric.
    pub metric: Metric,
    /// The periods, the one that was asked for last.
    pub periods: Vec<(Period, Figure)>,
    /// Its parts by the value of the dimension; null where a case has none.
    pub parts: Vec<(Value, Figure)>,
}

impl Measured {
    /// The period that was asked for.
    pub fn figure(&self) -> Option<&Figure> {
        self.periods.last().map(|(_, figure)| figure)
    }

    /// What is wanted in that period.
    pub fn target(&self) -> Option<Decimal> {
        let (period, _) = self.periods.last()?;
        self.metric.target.get(&period.every()).copied()
    }

    /// Whether what is wanted of the whole is wanted of each part too: of a share or a mean, not of what is added up.
    pub fn wants_parts(&self) -> bool {
        let metric = &self.metric;
        let mean = |source: &Source| matches!(source.take, Take::Average(_));
        !metric.denominator.is_empty() || metric.numerator.iter().all(mean)
    }

    /// Whether a value is as good as wanted; `None` where nothing is wanted or there is no data.
    pub fn met(&self, figure: &Figure) -> Option<bool> {
        let (value, target) = (figure.value?, self.target()?);
        Some(match self.metric.better {
            Better::More => value >= target,
            Better::Less => value <= target,
        })
    }
}

/// What a metric came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// The number; `None` where there is no data.
    pub value: Option<Decimal>,
    /// What was counted.
    pub numerator: Decimal,
    /// What it is a share of, of a share.
    pub denominator: Option<Decimal>,
    /// How many cases could not be computed.
    pub left_out: usize,
    /// One of them, and why.
    pub such_as: Option<(String, Wording)>,
}

/// Metrics on the way: cases are added, then it is asked what they come to.
pub struct Counting<'a> {
    asked: Asked<'a>,
    periods: Vec<Period>,
    tallies: Vec<Tally>,
    first: BTreeMap<ProcessId, NaiveDate>,
}

/// What was counted of one metric.
struct Tally {
    periods: Vec<Sums>,
    parts: BTreeMap<String, (Value, Sums)>,
}

/// What was counted of one metric in one period, or of a part of it.
#[derive(Clone)]
struct Sums {
    /// One a source, those of the numerator first.
    sources: Vec<Sum>,
    left_out: usize,
    such_as: Option<(String, Wording)>,
}

#[derive(Clone, Default)]
struct Sum {
    count: u64,
    total: Decimal,
    seen: BTreeSet<String>,
}

/// What a case adds to a source.
enum Adds {
    One,
    Number(Decimal),
    Value(String),
}

impl<'a> Counting<'a> {
    /// Nothing counted yet.
    pub fn new(asked: Asked<'a>) -> Counting<'a> {
        let periods: Vec<Period> = (0..=asked.trend).rev().map(|count| asked.period.before(count)).collect();
        let tally = |metric: &Metric| Tally { periods: vec![Sums::of(metric); periods.len()], parts: BTreeMap::new() };
        Counting { tallies: asked.metrics.iter().map(tally).collect(), asked, periods, first: BTreeMap::new() }
    }

    /// The processes whose cases are wanted.
    pub fn processes(&self) -> BTreeSet<ProcessId> {
        self.asked.metrics.iter().flat_map(Metric::sources).map(|source| source.of.clone()).collect()
    }

    /// Counts a case in.
    pub fn add(&mut self, case: &Case) {
        let began = self.asked.calendar.today(case.started);
        let first = self.first.entry(case.process.clone()).or_insert(began);
        *first = began.min(*first);
        let moment = |at| Value::DateTime(Moment { local: self.asked.calendar.local(at), zone: None });
        let mut data = case.data.clone();
        data.insert(STARTED.into(), moment(case.started));
        data.insert(ENDED.into(), case.ended.as_ref().map_or(Value::Null, |(_, at)| moment(*at)));
        let metrics = self.asked.metrics;
        for (number, metric) in metrics.iter().enumerate() {
            let mut out = LeftOut::default();
            for (place, source) in metric.sources().enumerate().filter(|(_, source)| source.of == case.process) {
                self.source(number, place, source, (case, &data), &mut out);
            }
            out.note(self.tallies.get_mut(number), case);
        }
    }

    fn source(
        &mut self,
        number: usize,
        place: usize,
        source: &Source,
        (case, data): (&Case, &Record),
        out: &mut LeftOut,
    ) {
        let Some((list, alias)) = &source.each else {
            self.row(number, place, source, (case, data), out);
            return;
        };
        let rows = match self.value(list, case, data) {
            Ok(Value::List(rows)) => rows,
            Ok(_) => Vec::new(),
            Err(failure) => {
                // No row says when: it counts where the case itself would.
                let at = self.undated(case);
                out.add(&at, None, failure);
                return;
            }
        };
        let mut data = data.clone();
        for row in rows {
            data.insert(alias.clone(), row);
            self.row(number, place, source, (case, &data), out);
        }
    }

    /// Counts one row, or the case itself.
    fn row(&mut self, number: usize, place: usize, source: &Source, (case, data): (&Case, &Record), out: &mut LeftOut) {
        let (touched, undated) = match self.value(&source.at, case, data) {
            Ok(Value::Null) => (self.undated(case), Some(Wording::new("时间没有填", "its time is not set"))),
            Ok(at) => (self.touched(&at), None),
            Err(failure) => (self.undated(case), Some(failure)),
        };
        if touched.is_empty() {
            return;
        }
        let current = touched.last() == Some(&(self.periods.len() - 1));
        let part = self.asked.by.filter(|_| current).map(|by| {
            let formula = source.by.get(by);
            formula.and_then(|formula| self.value(formula, case, data).ok()).unwrap_or_default()
        });
        let when = match &source.when {
            Some(when) => self.value(when, case, data),
            None => Ok(Value::Boolean(true)),
        };
        let adds = match (when, undated) {
            (Ok(Value::Boolean(false)), _) => return,
            (Err(failure), _) | (Ok(_), Some(failure)) => Err(failure),
            (Ok(Value::Boolean(true)), None) => self.adds(&source.take, case, data),
            (Ok(_), None) => Err(Wording::new("条件没有值", "its condition is not set")),
        };
        let Some(metric) = self.asked.metrics.get(number) else { return };
        let Some(tally) = self.tallies.get_mut(number) else { return };
        let part = part.map(|value| (key(&value), value));
        if let Some((key, value)) = &part {
            tally.parts.entry(key.clone()).or_insert_with(|| (value.clone(), Sums::of(metric)));
        }
        let key = part.map(|(key, _)| key);
        match adds {
            Err(failure) => out.add(&touched, key, failure),
            Ok(adds) => {
                let own = key.and_then(|key| tally.parts.get_mut(&key)).map(|(_, sums)| sums);
                let periods = tally.periods.iter_mut().enumerate().filter(|(at, _)| touched.contains(at));
                for sums in periods.map(|(_, sums)| sums).chain(own) {
                    if let Some(sum) = sums.sources.get_mut(place) {
                        sum.add(&adds);
                    }
                }
            }
        }
    }

    fn adds(&self, take: &Take, case: &Case, data: &Record) -> Result<Adds, Wording> {
        let (formula, number) = match take {
            Take::Count => return Ok(Adds::One),
            Take::Distinct(formula) => (formula, false),
            Take::Sum(formula) | Take::Average(formula) => (formula, true),
        };
        match self.value(formula, case, data)? {
            Value::Null => {
                Err(Wording::new(format!("`{}` 没有值", formula.text), format!("`{}` is not set", formula.text)))
            }
            Value::Number(number_found) if number => Ok(Adds::Number(number_found)),
            _ if number => {
                Err(Wording::new(format!("`{}` 不是数字", formula.text), format!("`{}` is no number", formula.text)))
            }
            value => Ok(Adds::Value(key(&value))),
        }
    }

    fn value(&self, formula: &Formula, case: &Case, data: &Record) -> Result<Value, Wording> {
        let facts =
            InstanceFacts { number: case.number.as_ref().map(|number| number.as_str()), started_at: case.started };
        let context = Context {
            applicant: Some(&case.applicant),
            outcome: case.ended.as_ref().map(|(outcome, _)| outcome.as_str()),
            instance: Some(&facts),
            ..Context::new(data, self.asked.directory, self.asked.calendar, self.asked.now)
        };
        evaluate(formula, &context).map_err(|failure| failure.message)
    }

    /// Where a case whose own time is unknown would have counted: where it ended.
    fn undated(&self, case: &Case) -> Vec<usize> {
        let Some((_, ended)) = &case.ended else { return Vec::new() };
        let day = self.asked.calendar.today(*ended);
        self.between(day, day)
    }

    /// The periods that a time or a range of time touches, by their place.
    fn touched(&self, at: &Value) -> Vec<usize> {
        let (from, to) = match at {
            Value::Range(range) => {
                (self.day(&range.low).unwrap_or(NaiveDate::MIN), self.day(&range.high).unwrap_or(NaiveDate::MAX))
            }
            at => match self.day(at) {
                Some(day) => (day, day),
                None => return Vec::new(),
            },
        };
        self.between(from, to)
    }

    fn between(&self, from: NaiveDate, to: NaiveDate) -> Vec<usize> {
        let touches = |period: &Period| period.first() <= to && from < period.after();
        self.periods.iter().enumerate().filter(|(_, period)| touches(period)).map(|(place, _)| place).collect()
    }

    fn day(&self, at: &Value) -> Option<NaiveDate> {
        match at {
            Value::Date(date) => Some(*date),
            Value::DateTime(moment) => Some(self.asked.calendar.today(moment.instant(self.asked.calendar.zone))),
            _ => None,
        }
    }

    /// What all cases came to.
    pub fn finish(self) -> Vec<Measured> {
        let metrics = self.asked.metrics.iter().zip(self.tallies);
        let measured = metrics.map(|(metric, tally)| {
            let first = metric.sources().filter_map(|source| self.first.get(&source.of)).min();
            let periods = self.periods.iter().zip(tally.periods).map(|(period, sums)| {
                let begun = first.is_some_and(|first| *first < period.after());
                (*period, sums.figure(metric, begun))
            });
            let periods = periods.collect();
            let parts = tally.parts.into_values().map(|(value, sums)| (value, sums.figure(metric, true)));
            Measured { metric: metric.clone(), periods, parts: parts.collect() }
        });
        measured.collect()
    }
}

/// What tells one value from another.
fn key(value: &Value) -> String {
    match value.to_plain() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Where a case was left out; once, however many of its sources and rows could not be computed.
#[derive(Default)]
struct LeftOut {
    periods: BTreeSet<usize>,
    parts: BTreeSet<String>,
    why: Option<Wording>,
}

impl LeftOut {
    fn add(&mut self, periods: &[usize], part: Option<String>, why: Wording) {
        self.periods.extend(periods);
        self.parts.extend(part);
        self.why.get_or_insert(why);
    }

    fn note(self, tally: Option<&mut Tally>, case: &Case) {
        let (Some(tally), Some(why)) = (tally, self.why) else { return };
        let named = case.number.as_ref().map(|number| number.to_string()).unwrap_or_default();
        let periods = tally.periods.iter_mut().enumerate().filter(|(place, _)| self.periods.contains(place));
        let parts = tally.parts.iter_mut().filter(|(key, _)| self.parts.contains(*key)).map(|(_, (_, sums))| sums);
        for sums in periods.map(|(_, sums)| sums).chain(parts) {
            sums.left_out += 1;
            sums.such_as.get_or_insert_with(|| (named.clone(), why.clone()));
        }
    }
}

impl Sums {
    fn of(metric: &Metric) -> Sums {
        Sums { sources: vec![Sum::default(); metric.sources().count()], left_out: 0, such_as: None }
    }

    fn figure(self, metric: &Metric, begun: bool) -> Figure {
        let above = metric.numerator.len();
        let side = |from: usize, sources: &[Source]| -> Option<Decimal> {
            let sums = self.sources.iter().skip(from).zip(sources);
            let values = sums.filter_map(|(sum, source)| sum.value(&source.take));
            values.fold(None, |total: Option<Decimal>, value| total.unwrap_or_default().checked_add(value))
        };
        let numerator = side(0, &metric.numerator);
        let denominator =
            (!metric.denominator.is_empty()).then(|| side(above, &metric.denominator).unwrap_or_default());
        let value = match denominator {
            Some(below) => numerator.and_then(|above| above.checked_div(below)),
            None => numerator.filter(|_| begun),
        };
        Figure {
            value,
            numerator: numerator.unwrap_or_default(),
            denominator,
            left_out: self.left_out,
            such_as: self.such_as,
        }
    }
}

impl Sum {
    fn add(&mut self, adds: &Adds) {
        match adds {
            Adds::One => self.count += 1,
            Adds::Number(number) => {
                // Beyond 28 digits nothing is exact: what does not fit stays out of the sum.
                if let Some(total) = self.total.checked_add(*number) {
                    self.total = total;
                    self.count += 1;
                }
            }
            Adds::Value(value) => {
                self.seen.insert(value.clone());
            }
        }
    }

    fn value(&self, take: &Take) -> Option<Decimal> {
        match take {
            Take::Count => Some(self.count.into()),
            Take::Distinct(_) => Some(self.seen.len().into()),
            Take::Sum(_) => Some(self.total),
            Take::Average(_) => self.total.checked_div(self.count.into()),
        }
    }
}

/// What metrics see of a case.
pub fn case_of(state: &State) -> Case {
    Case {
        process: state.process.clone(),
        number: state.number.clone(),
        applicant: state.applicant.clone(),
        started: state.started_at,
        ended: state.ended.as_ref().map(|ended| (ended.outcome.clone(), ended.at)),
        data: state.data.clone(),
    }
}
