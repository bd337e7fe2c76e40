//! Conditions as areas: for which values of what it asks a condition holds, and for which it does not.
//!
//! What a condition asks are its *subjects*: fields first of all, else whatever is compared with a constant
//! (`count(items) > 5`), else a part that is taken whole as true or false. An *area* gives some subjects a set of
//! values each, and any value to the others; a condition holds in some areas. `and`, `or` and `not` follow the
//! evaluator: where a part has no answer, the whole has none unless another part decides.
//!
//! Only fields, and what is declared to, vary on their own: a value of another subject may contradict a field. So what is proved of areas is
//! true of every case, while an example is one to believe only where its areas ask nothing but fields.

use super::domain::Domain;
use super::fault::Failure;
use super::range::{Ends, Values};
use super::{aligned, alone, evaluate};
use crate::model::formula::{Comparison, Expr, Op};
use crate::model::id::FieldName;
use crate::model::value::{Record, Value};
use chrono::DateTime;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The most areas of one condition; one that needs more is taken whole.
const MOST: usize = 64;

/// What is known of what conditions ask.
pub trait Declared {
    /// What a field can hold.
    fn field(&self, name: &FieldName) -> Domain;
    /// What else varies on its own, such as a column of a row, and what that can be.
    fn part(&self, _: &Expr) -> Option<Domain> {
        None
    }
    /// What has been proved of an expression before.
    fn proved(&self, _: &Expr) -> Option<Values> {
        None
    }
    /// How many rows a list has at least and at most, or characters a text, where something keeps it there.
    fn rows(&self, _: &FieldName) -> Ends {
        (None, None)
    }
}

impl<F: Fn(&FieldName) -> Domain> Declared for F {
    fn field(&self, name: &FieldName) -> Domain {
        self(name)
    }
}

/// What conditions ask.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A field.
    Field(FieldName),
    /// What varies on its own as fields do.
    Part(Expr),
    /// Anything else, with what its locals stand for.
    Other(Expr, Vec<Expr>),
}

/// A set of values for each of some subjects, by their numbers.
pub type Area = BTreeMap<usize, Values>;

/// All that some conditions ask, each with what it can be.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    pub(super) all: Vec<(Subject, Domain)>,
}

/// Where a condition holds, and where it does not.
struct Verdict {
    holds: Vec<Area>,
    fails: Vec<Area>,
}

impl Subjects {
    /// Fields with what they can hold, numbered in this order.
    pub fn of(fields: impl IntoIterator<Item = (FieldName, Domain)>) -> Subjects {
        Subjects { all: fields.into_iter().map(|(name, domain)| (Subject::Field(name), domain)).collect() }
    }

    /// The areas in which a condition holds. Subjects that are new are added; `declared` says what they can be.
    pub fn areas(&mut self, condition: &Expr, declared: &dyn Declared) -> Vec<Area> {
        Reading { subjects: self, declared, around: 0, locals: Vec::new() }.verdict(condition).holds
    }

    /// The areas in which all of several conditions hold, as those of one rule.
    pub fn all_of<'e>(&mut self, conditions: impl Iterator<Item = &'e Expr>, declared: &dyn Declared) -> Vec<Area> {
        let mut reading = Reading { subjects: self, declared, around: 0, locals: Vec::new() };
        let mut holds = vec![Area::new()];
        for condition in conditions {
            let more = reading.verdict(condition).holds;
            match product(&holds, &more) {
                Some(both) => holds = both,
                None => {
                    let whole = reading.whole(condition).holds;
                    holds = product(&holds, &whole).unwrap_or(holds);
                }
            }
        }
        holds
    }

    /// Whether an area asks nothing but what varies on its own.
    pub fn is_plain(&self, area: &Area) -> bool {
        area.keys().all(|number| self.varies(*number))
    }

    /// Whether what is asked by that number varies on its own.
    pub fn varies(&self, number: usize) -> bool {
        matches!(self.all.get(number), Some((Subject::Field(_) | Subject::Part(_), _)))
    }

    /// What is asked by that number.
    pub fn get(&self, number: usize) -> Option<&Subject> {
        self.all.get(number).map(|(subject, _)| subject)
    }

    /// All that is asked, with what it can be, by number.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Subject, &Domain)> {
        self.all.iter().enumerate().map(|(number, (subject, domain))| (number, subject, domain))
    }

    /// The field of that number, if it is one.
    pub fn field(&self, number: usize) -> Option<&FieldName> {
        match self.all.get(number) {
            Some((Subject::Field(name), _)) => Some(name),
            _ => None,
        }
    }
}

struct Reading<'r> {
    subjects: &'r mut Subjects,
    declared: &'r dyn Declared,
    /// How many locals are bound around the condition: they stand for themselves.
    around: usize,
    /// What each further local in force stands for.
    locals: Vec<Expr>,
}

impl Reading<'_> {
    fn verdict(&mut self, condition: &Expr) -> Verdict {
        self.understood(condition).unwrap_or_else(|| self.whole(condition))
    }

    /// `None` where the condition says nothing about single subjects.
    fn understood(&mut self, condition: &Expr) -> Option<Verdict> {
        match condition.op() {
            Op::Literal(Value::Boolean(flag)) => Some(Verdict::certain(*flag)),
            Op::Call(name, arguments) if &**name == "not" => {
                let [argument] = arguments.as_slice() else { return None };
                let Verdict { holds, fails } = self.verdict(argument);
                Some(Verdict { holds: fails, fails: holds })
            }
            Op::And(parts) => self.connected(parts, true),
            Op::Or(parts) => self.connected(parts, false),
            Op::In(value, tests) => {
                self.locals.push(value.clone());
                let found = self.connected(tests, false);
                self.locals.pop();
                found
            }
            Op::Compare(op, a, b) => match (constant(a), constant(b)) {
                (None, Some(b)) => self.about(a, Values::compared(*op, &b)?, orders(*op)),
                (Some(a), None) => self.about(b, Values::compared(op.turned(), &a)?, orders(*op)),
                (None, None) => self.side_by_side(*op, a, b),
                _ => None,
            },
            Op::Between(value, low, high) => {
                let (Some(low), Some(high)) = (constant(low), constant(high)) else {
                    let side = |op, end: &Expr| Expr::new(Op::Compare(op, value.clone(), end.clone()));
                    let sides = [side(Comparison::AtLeast, low), side(Comparison::AtMost, high)];
                    return self.connected(&sides, true);
                };
                let range = crate::model::value::Range { low, low_closed: true, high, high_closed: true };
                self.about(value, Values::within(&range)?, true)
            }
            Op::Matches(value, test) => {
                let test = constant(test)?;
                let sets = matched(&test)?;
                self.about(value, sets, matches!(test, Value::Range(_)))
            }
            Op::Field(_) | Op::Local(_) | Op::Path(..) if self.is_flag(condition) => self.about(
                condition,
                (
                    Values::compared(Comparison::Equal, &Value::Boolean(true))?.0,
                    Values::compared(Comparison::Equal, &Value::Boolean(false))?.0,
                ),
                true,
            ),
            _ => None,
        }
    }

    /// Whether a condition is one subject that is true or false.
    fn is_flag(&self, condition: &Expr) -> bool {
        !matches!(condition.op(), Op::Path(..)) || self.declared.part(condition).is_some()
    }

    fn connected(&mut self, parts: &[Expr], all: bool) -> Option<Verdict> {
        let mut found = Verdict::certain(all);
        for part in parts {
            let next = self.verdict(part);
            found = if all {
                Verdict { holds: product(&found.holds, &next.holds)?, fails: sum(found.fails, next.fails)? }
            } else {
                Verdict { holds: sum(found.holds, next.holds)?, fails: product(&found.fails, &next.fails)? }
            };
        }
        Some(found)
    }

    /// What comparing a subject with a constant says. One that is compared by its order is never null.
    fn about(&mut self, value: &Expr, sets: (Values, Values), ordered: bool) -> Option<Verdict> {
        let number = self.number(value, ordered)?;
        let area = |values: Values| if values.is_empty() { Vec::new() } else { vec![Area::from([(number, values)])] };
        Some(Verdict { holds: area(sets.0), fails: area(sets.1) })
    }

    /// Two things that are no constants against each other: a subject that is below, at or above zero as the first is
    /// less than the second, equal to it, or more. So what is asked of the same two is asked of one subject.
    fn side_by_side(&mut self, op: Comparison, a: &Expr, b: &Expr) -> Option<Verdict> {
        let subject = |a: &Expr, b: &Expr| {
            let pair = Expr::new(Op::Compare(Comparison::Equal, a.clone(), b.clone()));
            Subject::Other(pair, self.locals.clone())
        };
        let (this, other) = (subject(a, b), subject(b, a));
        let known = |wanted: &Subject| self.subjects.all.iter().any(|(subject, _)| subject == wanted);
        let (subject, op) = if known(&other) { (other, op.turned()) } else { (this, op) };
        let (holds, fails) = Values::compared(op, &Value::Number(Decimal::ZERO))?;
        let number = self.numbered(subject, Domain::whole(Decimal::NEGATIVE_ONE.into(), Decimal::ONE.into()));
        let area = |values: Values| vec![Area::from([(number, values)])];
        Some(Verdict { holds: area(holds), fails: area(fails) })
    }

    /// A condition taken whole: a subject that is true or false.
    fn whole(&mut self, condition: &Expr) -> Verdict {
        let number = self.numbered(Subject::Other(condition.clone(), self.locals.clone()), Domain::truth());
        let is = |flag| {
            let set = Values::compared(Comparison::Equal, &Value::Boolean(flag)).map(|(holds, _)| holds);
            set.map(|set| vec![Area::from([(number, set)])]).unwrap_or_default()
        };
        Verdict { holds: is(true), fails: is(false) }
    }

    fn number(&mut self, value: &Expr, ordered: bool) -> Option<usize> {
        match value.op() {
            Op::Field(name) => Some(self.numbered(Subject::Field(name.clone()), self.declared.field(name))),
            Op::Local(slot) => {
                let Some(at) = usize::from(*slot).checked_sub(self.around) else {
                    return Some(self.numbered(Subject::Other(value.clone(), Vec::new()), Domain::any(!ordered)));
                };
                let outer = self.locals.get(at)?.clone();
                // Whatever a local stands for has fewer locals in force.
                if matches!(outer.op(), Op::Local(own) if own >= slot) {
                    return None;
                }
                // It is the same that it would be outside of this test.
                let inner = self.locals.split_off(at);
                let number = self.number(&outer, ordered);
                self.locals.extend(inner);
                number
            }
            Op::Literal(_) => None,
            _ => {
                if let Some(domain) = self.declared.part(value) {
                    return Some(self.numbered(Subject::Part(value.clone()), domain));
                }
                let subject = Subject::Other(value.clone(), self.locals.clone());
                let counted = matches!(value.op(), Op::Call(name, _) if &**name == "count");
                let domain = if counted { Domain::whole(Some(Decimal::ZERO), None) } else { Domain::any(!ordered) };
                Some(self.numbered(subject, domain))
            }
        }
    }

    fn numbered(&mut self, subject: Subject, domain: Domain) -> usize {
        match self.subjects.all.iter().position(|(known, _)| *known == subject) {
            Some(number) => number,
            None => {
                self.subjects.all.push((subject, domain));
                self.subjects.all.len() - 1
            }
        }
    }
}

impl Verdict {
    fn certain(flag: bool) -> Verdict {
        let (everywhere, nowhere) = (vec![Area::new()], Vec::new());
        if flag { Verdict { holds: everywhere, fails: nowhere } } else { Verdict { holds: nowhere, fails: everywhere } }
    }
}

/// What a condition says of single values where it is `truth`: which of them each then is. So many locals are bound
/// `around` it.
pub(super) fn implied(condition: &Expr, truth: bool, around: usize) -> Vec<(Expr, Values)> {
    let mut subjects = Subjects::default();
    let anything = |_: &FieldName| Domain::any(true);
    let verdict =
        Reading { subjects: &mut subjects, declared: &anything, around, locals: Vec::new() }.verdict(condition);
    let areas = if truth { verdict.holds } else { verdict.fails };
    let Some((first, others)) = areas.split_first() else { return Vec::new() };
    let said = |(number, values): (&usize, &Values)| {
        let values = others.iter().try_fold(values.clone(), |all, area| all.union(area.get(number)?))?;
        let of = match &subjects.all.get(*number)?.0 {
            Subject::Field(name) => Expr::new(Op::Field(name.clone())),
            Subject::Other(of, locals) if locals.is_empty() => of.clone(),
            Subject::Part(_) | Subject::Other(..) => return None,
        };
        Some((of, values))
    };
    let mut found: Vec<(Expr, Values)> = first.iter().filter_map(said).collect();
    let in_order: Vec<(Expr, Values)> =
        found.iter().filter_map(|(of, values)| aligned::told_in_order(of, values)).collect();
    found.extend(in_order);
    found
}

/// The areas in which a condition holds, told by what it asks; `None` where that depends on more than that.
pub(super) fn asked(condition: &Expr) -> Option<super::Asked> {
    let mut subjects = Subjects::default();
    let areas = subjects.areas(condition, &|_: &FieldName| Domain::any(true));
    let of = |number: &usize| match subjects.get(*number)? {
        Subject::Field(name) => Some(Expr::new(Op::Field(name.clone()))),
        Subject::Other(of, locals) if locals.is_empty() => Some(of.clone()),
        Subject::Part(_) | Subject::Other(..) => None,
    };
    let told = |area: &Area| area.iter().map(|(number, values)| Some((of(number)?, values.clone()))).collect();
    areas.iter().map(told).collect()
}

/// The areas that are in both; `None` where there are too many, or sets of unlike kinds.
fn product(a: &[Area], b: &[Area]) -> Option<Vec<Area>> {
    let mut found = Vec::new();
    for x in a {
        for y in b {
            if let Some(both) = overlap(x, y)? {
                found.push(both);
            }
            if found.len() > MOST {
                return None;
            }
        }
    }
    Some(found)
}

/// What two areas share, if anything; `None` for sets of unlike kinds.
pub(super) fn overlap(a: &Area, b: &Area) -> Option<Option<Area>> {
    let mut both = a.clone();
    for (number, values) in b {
        let shared = match both.get(number) {
            Some(own) => own.intersection(values)?,
            None => values.clone(),
        };
        if shared.is_empty() {
            return Some(None);
        }
        both.insert(*number, shared);
    }
    Some(Some(both))
}

/// All areas; those that differ in a single subject become one.
fn sum(mut a: Vec<Area>, b: Vec<Area>) -> Option<Vec<Area>> {
    for area in b {
        let single = |area: &Area| area.keys().next().copied().filter(|_| area.len() == 1);
        let alike = single(&area).and_then(|number| a.iter_mut().find(|own| single(own) == Some(number)));
        match alike {
            Some(own) => {
                for (number, values) in area {
                    let joined = own.get(&number)?.union(&values)?;
                    own.insert(number, joined);
                }
            }
            None => a.push(area),
        }
    }
    (a.len() <= MOST).then_some(a)
}

fn orders(op: Comparison) -> bool {
    !matches!(op, Comparison::Equal | Comparison::NotEqual)
}

/// Which values pass a test that is written as a value, and which do not.
fn matched(test: &Value) -> Option<(Values, Values)> {
    match test {
        Value::Range(range) => Values::within(range),
        Value::List(items) => {
            let (mut holds, mut fails) = (Values::nothing(), Values::everything());
            for item in items {
                let (yes, no) = matched(item).filter(|_| !matches!(item, Value::List(_)))?;
                // An item that has no answer for `null` leaves it without one, unless an earlier item took it.
                let null = holds.null || (yes.null && fails.null);
                holds = holds.union(&yes)?;
                holds.null = null;
                fails = fails.intersection(&no)?;
            }
            Some((holds, fails))
        }
        value => Values::compared(Comparison::Equal, value),
    }
}

/// The value of an expression that reads nothing.
pub(super) fn constant(expr: &Expr) -> Option<Value> {
    if let Op::Literal(value) = expr.op() {
        return Some(value.clone());
    }
    if is_constant(expr) { worked_out(expr).ok() } else { None }
}

/// The value of an expression that reads no more than literals.
pub(super) fn worked_out(expr: &Expr) -> Result<Value, Failure> {
    alone(&Record::new(), DateTime::UNIX_EPOCH, |context| evaluate::evaluate(expr, context))
}

/// Whether an expression is the same always: literals put together, and the constructors of literals.
fn is_constant(expr: &Expr) -> bool {
    const MAKERS: [&str; 5] = ["date", "date and time", "duration", "years and months duration", "number"];
    match expr.op() {
        Op::Literal(_) => true,
        Op::Negate(of) => is_constant(of),
        Op::Arithmetic(_, a, b) => {
            // What is added to a date may be counted on the calendar.
            let plain = |expr: &Expr| matches!(constant(expr), Some(Value::Number(_)));
            is_constant(a) && is_constant(b) && plain(a) && plain(b)
        }
        Op::List(items) => items.iter().all(is_constant),
        Op::Range { low, high, .. } => is_constant(low) && is_constant(high),
        Op::Call(name, arguments) => MAKERS.contains(&&**name) && arguments.iter().all(is_constant),
        _ => false,
    }
}
