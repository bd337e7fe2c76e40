//! Intervals and sets of the values of a type: what a unary test lets pass, what a column can hold (`domain`).
//!
//! Numbers, dates and durations lie on a line of exact decimals, where a set is a list of intervals between cuts
//! (`line`). Texts, options, people, positions, departments and booleans are names: a set lists those in it,
//! or those that are not. `null` is apart. Sets of unlike kinds are never mixed: the operations answer `None`.

use super::line::{Cut, Line, joined, point, shared};
use crate::model::formula::Comparison;
use crate::model::time::Duration;
use crate::model::value::{Range, Value};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The least and the greatest of what is measured; `None` where nothing ends it.
pub(super) type Ends = (Option<Decimal>, Option<Decimal>);

/// A set of values of one type, perhaps with `null`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Values {
    /// Whether `null` is in it.
    pub(super) null: bool,
    pub(super) part: Part,
}

/// The values of a set other than `null`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Every value.
    All,
    /// Those within these intervals: ascending, none empty, none touching the next.
    Line(Line, Vec<(Cut, Cut)>),
    /// Those that are listed, or all but those.
    Names { sort: Sort, listed: BTreeSet<Arc<str>>, all_but: bool },
}

/// What names stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Boolean,
    Text,
    Person,
    Position,
    Department,
}

impl Values {
    /// No value at all.
    pub fn nothing() -> Values {
        Values { null: false, part: Part::Line(Line::Number, Vec::new()) }
    }

    /// Every value, `null` too.
    pub fn everything() -> Values {
        Values { null: true, part: Part::All }
    }

    /// Only `null`.
    pub(super) fn only_null() -> Values {
        Values { null: true, ..Values::nothing() }
    }

    /// Every value but `null`.
    pub(super) fn set() -> Values {
        Values { null: false, part: Part::All }
    }

    /// This value alone; `None` where it is of a kind that no set holds.
    pub fn only(value: &Value) -> Option<Values> {
        Values::compared(Comparison::Equal, value).map(|(is, _)| is)
    }

    /// These words.
    pub(super) fn words(words: impl IntoIterator<Item = Arc<str>>) -> Values {
        let listed = words.into_iter().collect();
        Values { null: false, part: Part::Names { sort: Sort::Text, listed, all_but: false } }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        !self.null && self.part.is_empty()
    }

    /// Whether a value is in it.
    pub fn contains(&self, value: &Value) -> bool {
        if value.is_null() { self.null } else { self.part.contains(value) }
    }

    /// Whether everything in it is in another.
    pub(super) fn is_in(&self, other: &Values) -> bool {
        (!self.null || other.null) && self.part.is_in(&other.part)
    }

    /// What is in one of the two; `None` where they are of unlike kinds.
    pub fn union(&self, other: &Values) -> Option<Values> {
        Some(Values { null: self.null || other.null, part: self.part.merged(&other.part, true)? })
    }

    /// What is in both; `None` where they are of unlike kinds.
    pub fn intersection(&self, other: &Values) -> Option<Values> {
        Some(Values { null: self.null && other.null, part: self.part.merged(&other.part, false)? })
    }

    /// All of a line from one place to another, ends included; open where there is none.
    pub(super) fn on(line: Line, low: Option<Decimal>, high: Option<Decimal>) -> Values {
        let from = low.map_or(Cut::START, Cut::before);
        let to = high.map_or(Cut::END, Cut::after);
        let intervals = if from < to { vec![(from, to)] } else { Vec::new() };
        Values { null: false, part: Part::Line(line, intervals) }
    }

    /// The least and the greatest number, or the ends that they come up to; `None` where there is none or other values
    /// than numbers are in it.
    pub(super) fn ends(&self) -> Option<Ends> {
        self.measured().filter(|(line, _)| *line == Line::Number).map(|(_, ends)| ends)
    }

    /// The same of whatever is added up: numbers, and lengths of time of one unit.
    pub(super) fn measured(&self) -> Option<(Line, Ends)> {
        self.part.placed().filter(|(line, _)| !matches!(line, Line::Day | Line::Moment))
    }

    /// The same numbers seen from the other side of zero.
    pub(super) fn turned(&self) -> Values {
        Values { null: self.null, part: self.part.turned() }
    }

    /// What differences are that stand to zero as these numbers do.
    pub(super) fn moved_to(&self, line: Line) -> Values {
        match &self.part {
            Part::Line(_, intervals) => Values { null: false, part: Part::Line(line, intervals.clone()) },
            _ => Values::everything(),
        }
    }

    /// Whether all of it are lengths of time above zero.
    pub(super) fn is_above_zero(&self) -> bool {
        match &self.part {
            Part::Line(Line::Seconds | Line::Months | Line::WorkingDays | Line::WorkingMinutes, intervals) => {
                !self.null && intervals.first().is_some_and(|(from, _)| *from >= Cut::after(Decimal::ZERO))
            }
            _ => false,
        }
    }

    /// Whether nothing in it is zero, be it a number or a length of time.
    pub(super) fn has_no_zero(&self) -> bool {
        let lengths = [
            Duration::Seconds(Decimal::ZERO),
            Duration::Months(0),
            Duration::WorkingDays(0),
            Duration::WorkingMinutes(0),
        ];
        let zeros = lengths.map(Value::Duration).into_iter().chain([Value::Number(Decimal::ZERO)]);
        matches!(self.part, Part::Line(..)) && !zeros.into_iter().any(|zero| self.contains(&zero))
    }

    /// Of which values `value op constant` holds and of which it does not hold; of the rest it fails.
    pub(super) fn compared(op: Comparison, constant: &Value) -> Option<(Values, Values)> {
        let swap = |(holds, fails): (Values, Values)| (fails, holds);
        match op {
            Comparison::Equal if constant.is_null() => Some((Values::only_null(), Values::set())),
            Comparison::Equal => {
                let part = Part::one(constant)?;
                Some((Values { null: false, part: part.clone() }, Values { null: true, part: part.others()? }))
            }
            Comparison::NotEqual => Values::compared(Comparison::Equal, constant).map(swap),
            Comparison::Less | Comparison::AtMost => {
                let (line, at) = point(constant)?;
                let end = Cut { at, after: op == Comparison::AtMost };
                Some(Values::split(Part::Line(line, vec![(Cut::START, end)])))
            }
            Comparison::AtLeast => Values::compared(Comparison::Less, constant).map(swap),
            Comparison::Greater => Values::compared(Comparison::AtMost, constant).map(swap),
        }
    }

    /// A part, and all other values that are set.
    fn split(part: Part) -> (Values, Values) {
        let others = part.others().unwrap_or(Part::All);
        (Values { null: false, part }, Values { null: false, part: others })
    }

    /// Which values lie in a range, and which do not.
    pub(super) fn within(range: &Range) -> Option<(Values, Values)> {
        let end = |value: &Value| if value.is_null() { Some(None) } else { point(value).map(Some) };
        let (low, high) = (end(&range.low)?, end(&range.high)?);
        let line = match (low, high) {
            (Some((a, _)), Some((b, _))) if a != b => return None,
            (Some((line, _)), _) | (_, Some((line, _))) => line,
            (None, None) => return None,
        };
        let from = low.map_or(Cut::START, |(_, at)| Cut { at, after: !range.low_closed });
        let to = high.map_or(Cut::END, |(_, at)| Cut { at, after: range.high_closed });
        let intervals = if from < to { vec![(from, to)] } else { Vec::new() };
        Some(Values::split(Part::Line(line, intervals)))
    }
}

impl Part {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Part::All => false,
            Part::Line(_, intervals) => intervals.is_empty(),
            Part::Names { listed, all_but, .. } => !all_but && listed.is_empty(),
        }
    }

    /// Nothing but this value.
    fn one(value: &Value) -> Option<Part> {
        if let Some((line, at)) = point(value) {
            return Some(Part::Line(line, vec![(Cut::before(at), Cut::after(at))]));
        }
        let (sort, name) = named(value)?;
        Some(Part::Names { sort, listed: BTreeSet::from([name]), all_but: false })
    }

    pub(super) fn contains(&self, value: &Value) -> bool {
        match self {
            Part::All => true,
            Part::Line(line, intervals) => point(value).is_some_and(|(of, at)| {
                of == *line && intervals.iter().any(|(from, to)| *from <= Cut::before(at) && Cut::after(at) <= *to)
            }),
            Part::Names { sort, listed, all_but } => {
                named(value).is_some_and(|(of, name)| of == *sort && listed.contains(&name) != *all_but)
            }
        }
    }

    /// Whether all of it is in another.
    pub(super) fn is_in(&self, other: &Part) -> bool {
        let whole = match other {
            Part::All => true,
            Part::Line(_, intervals) => *intervals == [(Cut::START, Cut::END)],
            Part::Names { listed, all_but, .. } => *all_but && listed.is_empty(),
        };
        whole || self.is_empty() || self.merged(other, false).as_ref() == Some(self)
    }

    /// Whether it is a line from one end to the other.
    pub(super) fn is_whole_line(&self) -> bool {
        matches!(self, Part::Line(_, intervals) if *intervals == [(Cut::START, Cut::END)])
    }

    /// Whether it is single numbers and no more.
    pub(super) fn is_points(&self) -> bool {
        matches!(self, Part::Line(_, intervals) if intervals.iter().all(|(from, to)| from.at == to.at))
    }

    /// Its intervals as far as multiples of a step reach.
    pub(super) fn snapped(&self, step: Decimal) -> Part {
        let Part::Line(line, intervals) = self else { return self.clone() };
        let up = |from: Cut| {
            let first = from.at.checked_div(step)?.ceil().checked_mul(step)?;
            let first = if from.after && first == from.at { first.checked_add(step)? } else { first };
            Some(Cut::before(first))
        };
        let down = |to: Cut| {
            let last = to.at.checked_div(step)?.floor().checked_mul(step)?;
            let last = if !to.after && last == to.at { last.checked_sub(step)? } else { last };
            Some(Cut::after(last))
        };
        let snap = |(from, to): &(Cut, Cut)| {
            let from = if *from == Cut::START { *from } else { up(*from).unwrap_or(*from) };
            let to = if *to == Cut::END { *to } else { down(*to).unwrap_or(*to) };
            (from < to).then_some((from, to))
        };
        Part::Line(*line, intervals.iter().filter_map(snap).collect())
    }

    /// Its intervals once every number in them is rounded to the nearest multiple of a step, half away from zero.
    pub(super) fn rounded(&self, step: Decimal) -> Part {
        let Part::Line(line, intervals) = self else { return self.clone() };
        use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
        let to = |at: Decimal| at.checked_div(step)?.round_dp_with_strategy(0, MidpointAwayFromZero).checked_mul(step);
        let round = |(from, until): &(Cut, Cut)| {
            let from = if *from == Cut::START { *from } else { to(from.at).map_or(*from, Cut::before) };
            let until = if *until == Cut::END { *until } else { to(until.at).map_or(*until, Cut::after) };
            (from, until)
        };
        Part::Line(*line, joined(&intervals.iter().map(round).collect::<Vec<_>>(), &[]))
    }

    /// Its line, and the least and the greatest of it.
    pub(super) fn placed(&self) -> Option<(Line, Ends)> {
        let Part::Line(line, intervals) = self else { return None };
        let ((from, _), (_, to)) = (intervals.first()?, intervals.last()?);
        Some((*line, ((*from != Cut::START).then_some(from.at), (*to != Cut::END).then_some(to.at))))
    }

    /// What is below zero by as much as this is above it.
    pub(super) fn turned(&self) -> Part {
        match self {
            Part::Line(line, intervals) => {
                Part::Line(*line, intervals.iter().rev().map(|(from, to)| (to.turned(), from.turned())).collect())
            }
            other => other.clone(),
        }
    }

    /// The sums of what lies in the two; `None` where they lie on no common line.
    pub(super) fn plus(&self, other: &Part) -> Option<Part> {
        let (Part::Line(line, x), Part::Line(of, y)) = (self, other) else { return None };
        let whole = |all: &[(Cut, Cut)]| Some(vec![(all.first()?.0, all.last()?.1)]);
        let (x, y) = if x.len() * y.len() > 8 { (whole(x)?, whole(y)?) } else { (x.clone(), y.clone()) };
        let sums = x.iter().flat_map(|(a, b)| y.iter().map(move |(c, d)| (a.plus(*c, true), b.plus(*d, false))));
        let sums: Vec<_> = sums.map(|(from, to)| (from.unwrap_or(Cut::START), to.unwrap_or(Cut::END))).collect();
        (line == of && !sums.is_empty()).then(|| Part::Line(*line, joined(&sums, &[])))
    }

    /// Every other value; `None` where that is nothing at all.
    fn others(&self) -> Option<Part> {
        match self {
            Part::All => None,
            Part::Line(line, intervals) => {
                let (mut others, mut from) = (Vec::new(), Cut::START);
                for (start, end) in intervals {
                    if from < *start {
                        others.push((from, *start));
                    }
                    from = *end;
                }
                if from < Cut::END {
                    others.push((from, Cut::END));
                }
                Some(Part::Line(*line, others))
            }
            Part::Names { sort, listed, all_but } => {
                Some(Part::Names { sort: *sort, listed: listed.clone(), all_but: !all_but })
            }
        }
    }

    /// The union of the two, or what they share.
    pub(super) fn merged(&self, other: &Part, union: bool) -> Option<Part> {
        Some(match (self, other) {
            (Part::All, other) | (other, Part::All) => {
                if union {
                    Part::All
                } else {
                    other.clone()
                }
            }
            // What is empty is of any kind.
            (a, b) if a.is_empty() => if union { b } else { a }.clone(),
            (a, b) if b.is_empty() => if union { a } else { b }.clone(),
            (Part::Line(a, x), Part::Line(b, y)) if a == b => {
                Part::Line(*a, if union { joined(x, y) } else { shared(x, y) })
            }
            (
                Part::Names { sort: a, listed: x, all_but: not_x },
                Part::Names { sort: b, listed: y, all_but: not_y },
            ) if a == b => {
                // All but x or all but y is all but what both leave out, and so on.
                let both = || x.intersection(y).cloned().collect();
                let either = || x.union(y).cloned().collect();
                let only = |of: &BTreeSet<Arc<str>>, not: &BTreeSet<Arc<str>>| of.difference(not).cloned().collect();
                let (listed, all_but): (BTreeSet<Arc<str>>, bool) = match (not_x, not_y, union) {
                    (false, false, true) => (either(), false),
                    (false, false, false) => (both(), false),
                    (true, true, true) => (both(), true),
                    (true, true, false) => (either(), true),
                    (true, false, true) => (only(x, y), true),
                    (true, false, false) => (only(y, x), false),
                    (false, true, true) => (only(y, x), true),
                    (false, true, false) => (only(x, y), false),
                };
                Part::Names { sort: *a, listed, all_but }
            }
            _ => return None,
        })
    }
}

/// A value's name.
fn named(value: &Value) -> Option<(Sort, Arc<str>)> {
    Some(match value {
        Value::Boolean(flag) => (Sort::Boolean, if *flag { "true" } else { "false" }.into()),
        Value::Text(text) => (Sort::Text, Arc::clone(text)),
        Value::Person(id) => (Sort::Person, id.as_str().into()),
        Value::Position(id) => (Sort::Position, id.as_str().into()),
        Value::Department(id) => (Sort::Department, id.as_str().into()),
        _ => return None,
    })
}

pub(super) fn value_named(sort: Sort, name: &str) -> Value {
    match sort {
        Sort::Boolean => Value::Boolean(name == "true"),
        Sort::Text => Value::text(name),
        Sort::Person => Value::Person(name.into()),
        Sort::Position => Value::Position(name.into()),
        Sort::Department => Value::Department(name.into()),
    }
}
