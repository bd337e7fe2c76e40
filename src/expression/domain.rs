//! What a field can hold by its declaration: its limits, its options, whole numbers or cents.
//!
//! It is the assumption of every proof over values, and the check on what a table is given, so that the two cannot
//! differ.

use super::line::{Cut, Line, between, point, value_at};
use super::range::{Ends, Part, Sort, Values, value_named};
use super::region;
use crate::model::form::{Field, FieldKind};
use crate::model::formula::Formula;
use crate::model::time::Unit;
use crate::model::value::{Range, Type, Value};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A value that no test names, where any would do.
pub(super) const OTHER: &str = "…";

/// What amounts are stored in.
const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// How long a day is, on the line of hours.
const DAY: Decimal = Decimal::from_parts(86_400, 0, 0, false, 0);

/// What a field can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    values: Values,
    /// The values of the line lie at multiples of this.
    step: Option<Decimal>,
}

impl Domain {
    /// Anything; `null` too where `optional`.
    pub fn any(optional: bool) -> Domain {
        Domain { values: Values { null: optional, part: Part::All }, step: None }
    }

    /// Anything of a type, and of a unit where it is a length of time.
    pub(super) fn of(of: &Type, unit: Option<Unit>) -> Domain {
        let line = match (of, unit) {
            (Type::Number | Type::Money, _) => Line::Number,
            (Type::Date, _) => return Domain::days(),
            (Type::DateTime, _) => Line::Moment,
            (Type::Duration, Some(Unit::Hours)) => Line::Seconds,
            (Type::Duration, Some(Unit::Months)) => Line::Months,
            (Type::Duration, Some(Unit::WorkingDays)) => Line::WorkingDays,
            (Type::Duration, Some(Unit::WorkingHours)) => Line::WorkingMinutes,
            _ => return Domain::any(true),
        };
        Domain::on(line, None, None, false)
    }

    /// No value at all.
    pub(super) fn nothing() -> Domain {
        Domain { values: Values::nothing(), step: None }
    }

    /// Any day.
    pub(super) fn days() -> Domain {
        Domain { values: Values::on(Line::Day, None, None), step: Some(Decimal::ONE) }
    }

    /// `true` and `false`.
    pub(super) fn truth() -> Domain {
        let listed = ["true", "false"].map(Arc::from).into();
        Domain {
            values: Values { null: false, part: Part::Names { sort: Sort::Boolean, listed, all_but: false } },
            step: None,
        }
    }

    /// One of these words.
    pub fn words(words: impl IntoIterator<Item = Arc<str>>) -> Domain {
        Domain { values: Values::words(words), step: None }
    }

    /// Whole numbers between two limits.
    pub(super) fn whole(low: Option<Decimal>, high: Option<Decimal>) -> Domain {
        let limit = |limit: Option<Decimal>| limit.map_or(Value::Null, Value::Number);
        let range = Range { low: limit(low), low_closed: true, high: limit(high), high_closed: true };
        let part = Values::within(&range).map_or(Part::All, |(inside, _)| inside.part);
        Domain { values: Values { null: false, part }, step: Some(Decimal::ONE) }
    }

    /// What an asked field holds by its declaration. Limits count where they are constants.
    pub fn asked(field: &Field) -> Domain {
        let whole = Domain::written(field);
        let limits = Values::within(&Range {
            low: limit(&field.min),
            low_closed: true,
            high: limit(&field.max),
            high_closed: true,
        });
        // Of texts and lists the length is limited.
        let counted = matches!(field.kind, FieldKind::Text | FieldKind::LongText | FieldKind::List(_)) || field.many;
        let limits = limits.filter(|_| !counted);
        // Limits that nothing keeps are told, and limit nothing.
        let limits = limits.filter(|(inside, _)| !inside.part.is_empty());
        let limited = limits.and_then(|(inside, _)| whole.values.part.merged(&inside.part, false));
        let whole_numbers = field.kind == FieldKind::Integer;
        Domain {
            values: Values { part: limited.unwrap_or_else(|| whole.values.part.clone()), ..whole.values },
            step: if whole_numbers { Some(Decimal::ONE) } else { whole.step },
        }
    }

    /// What a field holds, or each of several where it takes those: as of a list, that is what its items are.
    pub fn of_items(field: &Field) -> Domain {
        match field.many {
            true => Domain::asked(&Field { many: false, min: None, max: None, required: true, ..field.clone() }),
            false => Domain::asked(field),
        }
    }

    /// What a field holds that steps write: its type counts, its limits do not.
    pub fn written(field: &Field) -> Domain {
        let open = |sort| Part::Names { sort, listed: BTreeSet::new(), all_but: true };
        let line = |line| Part::Line(line, vec![(Cut::START, Cut::END)]);
        let part = match &field.kind {
            _ if field.many => Part::All,
            FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent | FieldKind::Money => line(Line::Number),
            FieldKind::Date => line(Line::Day),
            FieldKind::DateTime => line(Line::Moment),
            FieldKind::Boolean => Domain::truth().values.part,
            FieldKind::Choice(options) => {
                Part::Names { sort: Sort::Text, listed: options.keys().cloned().collect(), all_but: false }
            }
            FieldKind::Text | FieldKind::LongText => open(Sort::Text),
            FieldKind::Person(_) => open(Sort::Person),
            FieldKind::Position => open(Sort::Position),
            FieldKind::Department => open(Sort::Department),
            // Lengths of time of unlike units have no common line.
            _ => Part::All,
        };
        let step = match &field.kind {
            FieldKind::Money => Some(CENT),
            FieldKind::Date => Some(Decimal::ONE),
            _ => None,
        };
        Domain { values: Values { null: field.typed().optional, part }, step }
    }

    /// The values, those between steps too.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Whether no value is in it, as none lies at a step between its ends; `null` apart.
    pub fn has_no_value(&self) -> bool {
        self.step.map_or(self.is_nothing(), |step| self.values.part.snapped(step).is_empty())
    }

    /// The same, with or without `null`.
    #[must_use]
    pub fn with_null(mut self, null: bool) -> Domain {
        self.values.null = null;
        self
    }

    /// The same, with amounts as they are before they are rounded.
    pub(super) fn unrounded(self) -> Domain {
        Domain { step: None, ..self }
    }

    /// The same, of which only these values; all of it where they are of another kind.
    #[must_use]
    pub fn narrowed(self, to: &Values) -> Domain {
        match self.values.intersection(to) {
            Some(values) => Domain { values, ..self },
            None => self,
        }
    }

    /// Whether every value of another domain can be held, `null` apart. Amounts are rounded before they are.
    pub fn takes(&self, other: &Domain) -> bool {
        let on_step = match self.step.filter(|step| *step == Decimal::ONE) {
            None => true,
            Some(whole) => {
                other.step.is_some_and(|step| (step % whole).is_zero())
                    || other.values.part.snapped(whole) == other.values.part && other.values.part.is_points()
            }
        };
        on_step && self.stored(other).is_in(&self.values.part)
    }

    /// What becomes of the values of another domain where they are stored in this one.
    fn stored(&self, other: &Domain) -> Part {
        let fits = |step: &Decimal| other.step.is_some_and(|others| (others % step).is_zero());
        let part = match self.step.filter(|step| *step == CENT && !fits(step)) {
            Some(cents) => other.values.part.rounded(cents),
            None => other.values.part.clone(),
        };
        match other.step {
            Some(step) => part.snapped(step),
            None => part,
        }
    }

    /// The same, of which only what is computed, as it is stored.
    #[must_use]
    pub fn computed(self, by: &Domain) -> Domain {
        let values = Values { part: self.stored(by), ..by.values.clone() };
        self.narrowed(&values)
    }

    /// Whether every number in another domain is a whole one, where only those are held.
    pub fn takes_fractions_of(&self, other: &Domain) -> bool {
        !self.is_whole() || Domain::whole(None, None).takes(other)
    }

    /// Whether it holds less than its type: numbers or times between limits, or whole numbers alone.
    pub fn has_limits(&self) -> bool {
        let line = matches!(self.values.part, Part::Line(..));
        line && (self.is_whole() || !self.values.part.is_whole_line())
    }

    /// The least and the greatest number, where it is of numbers and they end.
    pub fn ends(&self) -> (Option<Decimal>, Option<Decimal>) {
        self.values.ends().unwrap_or_default()
    }

    /// Whether the two have no value in common, so far as that is known; `null` apart.
    pub fn is_apart_from(&self, other: &Domain) -> bool {
        !other.values.part.is_empty()
            && self.values.part.merged(&other.values.part, false).is_some_and(|part| part.is_empty())
    }

    /// Its line and its ends, as far as its whole numbers reach.
    pub(super) fn placed(&self) -> Option<(Line, Ends)> {
        match self.step() {
            Some(step) => self.values.part.snapped(step).placed(),
            None => self.values.part.placed(),
        }
    }

    /// The whole number that all of it is a multiple of.
    fn step(&self) -> Option<Decimal> {
        match &self.values.part {
            Part::Line(line, _) => self.step.or(line.step()).filter(Decimal::is_integer),
            _ => None,
        }
    }

    /// Whether it is of days, of moments or of lengths of time.
    pub(super) fn is_of_time(&self) -> bool {
        matches!(&self.values.part, Part::Line(line, _) if *line != Line::Number)
    }

    /// Whether nothing is in it, `null` apart.
    pub(super) fn is_nothing(&self) -> bool {
        self.values.part.is_empty()
    }

    /// What is below zero by as much as this is above it.
    pub fn turned(&self) -> Domain {
        Domain { values: Values { null: false, part: self.values.part.turned() }, step: self.step }
    }

    /// What one of this and one of the other come to together; anything where they are of no common line.
    pub fn plus(&self, other: &Domain) -> Domain {
        let whole = |domain: &Domain| {
            domain.step().map_or_else(|| domain.values.part.clone(), |step| domain.values.part.snapped(step))
        };
        match whole(self).plus(&whole(other)) {
            Some(part) => Domain { values: Values { null: false, part }, step: common(self.step(), other.step()) },
            None => Domain::any(true),
        }
    }

    /// How far the days or moments of it lie behind those of another.
    pub(super) fn since(&self, other: &Domain) -> Domain {
        let both = |line| [self, other].iter().all(|one| matches!(&one.values.part, Part::Line(of, _) if *of == line));
        // A moment lies elsewhere on its line by another clock.
        if !both(Line::Day) {
            return Domain::on(Line::Seconds, None, None, false);
        }
        let days = self.plus(&other.turned());
        let long = |days: Option<Decimal>| days.and_then(|days| days.checked_mul(DAY));
        let (low, high) = days.placed().map(|(_, ends)| ends).unwrap_or_default();
        Domain { step: Some(DAY), ..Domain::on(Line::Seconds, long(low), long(high), false) }
    }

    /// Whether zero is not in it, be it of numbers or of lengths of time.
    pub(super) fn is_never_zero(&self) -> bool {
        self.values.has_no_zero()
    }

    /// Whether all of it is below zero, by a day at least where it is counted in hours.
    pub fn is_below_zero(&self) -> bool {
        match self.placed() {
            Some((Line::Seconds, (_, high))) => high.is_some_and(|high| high <= -DAY),
            Some((_, (_, high))) => {
                !self.values.null && high.is_some_and(|high| high <= Decimal::ZERO) && self.is_never_zero()
            }
            None => false,
        }
    }

    /// Whether none of it is below zero, be it of numbers or of lengths of time.
    pub fn is_never_below_zero(&self) -> bool {
        self.placed().is_some_and(|(_, (low, _))| low.is_some_and(|low| low >= Decimal::ZERO))
    }

    /// The unit of lengths of time that have an end, and how many times these may be taken, each as long as it may be.
    pub(super) fn stretch(&self) -> Option<(Unit, Decimal)> {
        let (line, (low, high)) = self.placed()?;
        let (unit, longest) = (line.unit()?, low?.abs().max(high?.abs()));
        Some((unit, unit.reach().checked_div(longest)?.floor()))
    }

    /// Whether it is of days.
    pub(super) fn is_of_days(&self) -> bool {
        matches!(self.values.part, Part::Line(Line::Day, _))
    }

    /// Whether all of it comes to a whole number of times a length.
    pub(super) fn is_multiple_of(&self, length: Decimal) -> bool {
        self.step().and_then(|step| step.checked_rem(length)).is_some_and(|rest| rest.is_zero())
    }

    /// The same, where all of it lies where these numbers do: from zero on, up to zero, or anywhere.
    pub(super) fn on_the_side_of(self, numbers: &Values) -> Domain {
        let (low, high) = numbers.ends().unwrap_or_default();
        let low = low.filter(|low| *low >= Decimal::ZERO).map(|_| Decimal::ZERO);
        let high = high.filter(|high| *high <= Decimal::ZERO).map(|_| Decimal::ZERO);
        match self.placed() {
            Some((line, _)) => self.narrowed(&Values::on(line, low, high)),
            None => self,
        }
    }

    /// The same, of multiples of what all of these are multiples of.
    pub(super) fn stepping_as(self, all: &[Domain]) -> Domain {
        let step = all.iter().map(Domain::step).reduce(common).flatten();
        Domain { step, ..self }
    }

    /// What comes to a multiple of both steps where it is multiplied: whole numbers of whole numbers, days of whole numbers.
    pub(super) fn times(self, a: &Domain, b: &Domain) -> Domain {
        let step = a.step().zip(b.step()).and_then(|(a, b)| a.checked_mul(b));
        Domain { step, ..self }
    }

    /// Whether it is of numbers that are added up without being rounded: whole ones, amounts.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self.values.part, Part::Line(Line::Number, _)) && self.step.is_some()
    }

    /// Whether only whole numbers are in it.
    pub fn is_whole(&self) -> bool {
        matches!(self.values.part, Part::Line(Line::Number, _)) && self.step.is_some_and(|step| step.is_integer())
    }

    /// Numbers between two limits; whole ones only, where so.
    pub fn numbers(low: Option<Decimal>, high: Option<Decimal>, whole: bool) -> Domain {
        Domain::on(Line::Number, low, high, whole)
    }

    /// The same of a line. Lengths of time lie where they come to.
    pub(super) fn on(line: Line, low: Option<Decimal>, high: Option<Decimal>, whole: bool) -> Domain {
        let step = (whole && line == Line::Number).then_some(Decimal::ONE);
        Domain { values: Values::on(line, low, high), step }
    }

    /// The limits that another domain may go below and above, where the two are of numbers or of lengths of one unit.
    pub fn passed_by(&self, other: &Domain) -> (Option<Value>, Option<Value>) {
        let Some((line, (low, high))) = self.values.measured() else { return (None, None) };
        let there = Values { part: self.stored(other), null: false }.measured().filter(|(of, _)| *of == line);
        let (least, most) = there.map(|(_, ends)| ends).unwrap_or_default();
        let low = low.filter(|limit| least.is_none_or(|least| least < *limit));
        let high = high.filter(|limit| most.is_none_or(|most| most > *limit));
        (low.and_then(|limit| value_at(line, limit)), high.and_then(|limit| value_at(line, limit)))
    }

    /// What one of two domains holds.
    pub fn or(&self, other: &Domain) -> Domain {
        let step = match (self.values.part.is_empty(), other.values.part.is_empty()) {
            (true, _) => other.step,
            (_, true) => self.step,
            _ if self.step == other.step => self.step,
            _ => common(self.step(), other.step()),
        };
        match self.values.union(&other.values) {
            Some(values) => Domain { values, step },
            None => Domain::any(true),
        }
    }

    /// A value alone.
    pub fn only(value: &Value) -> Domain {
        if value.is_null() {
            return Domain { values: Values::only_null(), step: None };
        }
        let step = match point(value) {
            Some((Line::Number, at)) => Some(Decimal::ONE).filter(|_| at.is_integer()),
            Some((Line::Seconds, at)) => Some(DAY).filter(|day| (at % day).is_zero()),
            _ => None,
        };
        match Values::only(value) {
            Some(values) => Domain { values, step },
            None => Domain::any(false),
        }
    }

    /// Whether a field can hold a value.
    pub fn admits(&self, value: &Value) -> bool {
        // A moment with a zone has its place on no line of its own; dates and times have no limits here.
        let zoned = matches!((value, &self.values.part), (Value::DateTime(_), Part::Line(Line::Moment, _)));
        let on_step = match (self.step, point(value)) {
            (Some(step), Some((_, at))) => (at % step).is_zero(),
            _ => true,
        };
        zoned || self.values.contains(value) && on_step
    }

    /// One value of each piece that none of the sets divides, within the domain; `null` last. `None` where the sets
    /// are of unlike kinds.
    pub(super) fn pieces<'v>(&self, sets: impl Iterator<Item = &'v Values> + Clone) -> Option<Vec<Value>> {
        let kind = |part: &&Part| **part != Part::All && !part.is_empty();
        let mut kinds = sets.clone().map(|set| &set.part).filter(kind);
        let mut found = match Some(&self.values.part).filter(kind).or_else(|| kinds.next()) {
            None if self.values.part.is_empty() => Vec::new(),
            None => vec![Value::text(OTHER)],
            Some(Part::Line(line, _)) => self.pieces_of_line(*line, sets)?,
            Some(Part::Names { sort, .. }) => self.pieces_of_names(*sort, sets)?,
            Some(Part::All) => Vec::new(),
        };
        if self.values.null {
            found.push(Value::Null);
        }
        Some(found)
    }

    fn pieces_of_line<'v>(&self, line: Line, sets: impl Iterator<Item = &'v Values>) -> Option<Vec<Value>> {
        let whole = [(Cut::START, Cut::END)];
        let domain = match &self.values.part {
            Part::All => &whole[..],
            Part::Line(own, intervals) if *own == line => intervals,
            _ => return None,
        };
        let mut cuts: BTreeSet<Cut> = domain.iter().flat_map(|(from, to)| [*from, *to]).collect();
        for set in sets.filter(|set| !set.part.is_empty()) {
            match &set.part {
                Part::All => {}
                Part::Line(own, intervals) if *own == line => cuts.extend(intervals.iter().flat_map(|(a, b)| [*a, *b])),
                _ => return None,
            }
        }
        let step = self.step.or(line.step());
        let pairs = cuts.iter().zip(cuts.iter().skip(1));
        let inside = pairs.filter(|(a, b)| domain.iter().any(|(from, to)| from <= *a && *b <= to));
        Some(inside.filter_map(|(a, b)| value_at(line, between(line, *a, *b, step)?)).collect())
    }

    fn pieces_of_names<'v>(&self, sort: Sort, sets: impl Iterator<Item = &'v Values>) -> Option<Vec<Value>> {
        let mut asked: Vec<Arc<str>> = Vec::new();
        for set in sets.filter(|set| !set.part.is_empty()) {
            match &set.part {
                Part::All => {}
                Part::Names { sort: own, listed, .. } if *own == sort => asked.extend(listed.iter().cloned()),
                _ => return None,
            }
        }
        let known: BTreeSet<&str> = asked.iter().map(|name| &**name).collect();
        let mut names: Vec<&str> = known.iter().copied().collect();
        match &self.values.part {
            Part::Names { sort: own, listed, all_but: false } if *own == sort => {
                names.retain(|name| listed.contains(*name));
                names.extend(listed.iter().map(|name| &**name).find(|name| !known.contains(name)));
            }
            Part::Line(..) => return None,
            _ => names.push(OTHER),
        }
        Some(names.into_iter().map(|name| value_named(sort, name)).collect())
    }
}

/// The greatest number that both steps are multiples of.
fn common(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    let (mut a, mut b) = a.zip(b)?;
    while !b.is_zero() {
        (a, b) = (b, a.checked_rem(b)?);
    }
    Some(a)
}

fn limit(formula: &Option<Formula>) -> Value {
    match formula.as_ref().and_then(|formula| region::constant(&formula.root)) {
        Some(value) => value,
        None => Value::Null,
    }
}
