//! A rule over what whoever is asked fills in and what was filled in before: for every case some answer has to keep it.
//!
//! What is chosen is taken as it has to be. So a rule is told where no choice is left for an example of the rest, and
//! where something has to lie between two others of which one may be beyond the other.

use super::{Asking, are, listed};
use crate::compile::check::proof::Areas;
use crate::diagnostics::Diagnostic;
use crate::expression::domain::Domain;
use crate::expression::range::Values;
use crate::expression::region::{Area, Subject as Asked, Subjects};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Comparison, Expr, Formula, Op};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::syntax::FeelText;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// The least and the greatest.
type Ends = (Option<Decimal>, Option<Decimal>);

impl<'s> Asking<'s> {
    /// What is wrong with a rule that for some case nothing keeps which is filled in here. What it asks of that is chosen
    /// as it has to be; of all else an example is told that leaves no way.
    pub(super) fn unanswerable(&self, at: &FeelText, rule: &Expr) -> Option<Diagnostic> {
        let mut subjects = Subjects::default();
        let ways = subjects.areas(&self.at_best(rule, rule), &self.place);
        let is_chosen = |subject: &Asked| match subject {
            Asked::Field(name) => self.is_chosen(name, &mut BTreeSet::new()),
            Asked::Part(of) => self.read(of, &mut BTreeSet::new()).is_none(),
            Asked::Other(..) => false,
        };
        let chosen = subjects.iter().filter(|(_, subject, _)| is_chosen(subject));
        let chosen: BTreeMap<usize, Domain> =
            chosen.map(|(number, _, domain)| (number, domain.clone().with_null(false))).collect();
        let can_be = |(number, values): (&usize, &Values)| {
            chosen.get(number).is_none_or(|domain| !domain.clone().narrowed(values).has_no_value())
        };
        let ways = ways.into_iter().filter(|area| area.iter().all(can_be));
        let given = |area: Area| area.into_iter().filter(|(number, _)| !chosen.contains_key(number)).collect();
        let areas = Areas::new(subjects, vec![ways.map(given).collect()])?;
        let gap = areas.gaps().into_iter().next()?;
        let example = gap.into_iter().filter(|(number, _)| !chosen.contains_key(number)).collect();
        let definition = self.subject.definition;
        let field = |name: &FieldName| definition.fields().find(|(known, _)| *known == name).map(|(_, field)| field);
        let (example, step) = (areas.words(&example, field)?, &self.step);
        Some(self.told(
            at,
            Wording::new(
                format!("`{}` 时，在这里怎么填都不合这条规则，`{step}` 没有人办得完", example.zh),
                format!(
                    "nothing that is filled in here keeps this rule where `{}`: then nobody can complete `{step}`",
                    example.en
                ),
            ),
            Wording::new(
                format!("请改规则，或给 `{step}` 一个用不着填它的结果。"),
                format!("Change the rule, or let `{step}` have an outcome that does not ask for this."),
            ),
        ))
    }

    /// What is wrong with a rule that lets something lie between two others, of which one may be beyond the other.
    pub(super) fn squeezed(&self, at: &FeelText, rule: &Expr) -> Option<Diagnostic> {
        let parts = match rule.op() {
            Op::And(parts) => parts.as_slice(),
            _ => std::slice::from_ref(rule),
        };
        let compared = parts.iter().find_map(|part| match part.op() {
            Op::Compare(_, a, b) => self.measured(a).or_else(|| self.measured(b)),
            _ => None,
        });
        let (of, field) = compared?;
        let (mut lows, mut highs): (Vec<&Expr>, Vec<&Expr>) = Default::default();
        for part in parts.iter().filter(|part| part.any(&mut |inner| inner == of)) {
            let Op::Compare(op, a, b) = part.op() else { return None };
            let (op, other) = if a == of { (*op, b) } else { (op.turned(), a) };
            self.read(other, &mut BTreeSet::new())?;
            match op {
                Comparison::Greater | Comparison::AtLeast => lows.push(other),
                Comparison::Less | Comparison::AtMost => highs.push(other),
                Comparison::Equal => {
                    lows.push(other);
                    highs.push(other);
                }
                Comparison::NotEqual => {}
            }
        }
        let own = |limit: &'s Option<Formula>| {
            let limit = &limit.as_ref()?.root;
            self.read(limit, &mut BTreeSet::new()).map(|()| limit)
        };
        let (least, most) = (own(&field.min), own(&field.max));
        let pairs = lows.iter().flat_map(|low| highs.iter().copied().chain(most).map(|high| (*low, high)));
        let pairs = pairs.chain(least.into_iter().flat_map(|low| highs.iter().map(move |high| (low, *high))));
        let (low, high) = pairs.into_iter().find(|(low, high)| !self.is_ordered(low, high))?;
        let mut names = BTreeSet::new();
        self.read(low, &mut names)?;
        self.read(high, &mut names)?;
        if names.is_empty() {
            return None;
        }
        let (names, step) = (listed(&names.into_iter().collect::<Vec<_>>()), &self.step);
        Some(self.told(
            at,
            Wording::new(
                format!("这条规则可能什么都容不下：{} 不是在这里填的。那时 `{step}` 没有人办得完", names.zh),
                format!(
                    "nothing may keep this rule, as {} not filled in here: then nobody can complete `{step}`",
                    are(&names.en)
                ),
            ),
            Wording::new(
                format!("请限制 {}，或用 `when` 只在填得了的时候才问。", names.zh),
                format!("Limit {}, or ask for this only where something fits, with `when`.", names.en),
            ),
        ))
    }

    /// A number or a day that is chosen here.
    fn measured<'e>(&self, of: &'e Expr) -> Option<(&'e Expr, &'s Field)> {
        let Op::Field(name) = of.op() else { return None };
        let field = self.forms.iter().rev().find_map(|form| form.get(name)).filter(|field| field.value.is_none())?;
        let kind = &field.kind;
        let number = matches!(kind, FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent | FieldKind::Money);
        (!field.many && (number || matches!(kind, FieldKind::Date | FieldKind::DateTime))).then_some((of, field))
    }

    /// A rule with each number that is chosen here, and asked for once, at the end that is best for it.
    fn at_best(&self, rule: &Expr, whole: &Expr) -> Expr {
        let all = |parts: &[Expr]| parts.iter().map(|part| self.at_best(part, whole)).collect();
        match rule.op() {
            Op::And(parts) => Expr::new(Op::And(all(parts))),
            Op::Or(parts) => Expr::new(Op::Or(all(parts))),
            Op::Compare(op, a, b) => {
                let best = match (self.ends(a, whole), self.ends(b, whole)) {
                    (Some(ends), None) => self.reached(*op, ends, b),
                    (None, Some(ends)) => self.reached(op.turned(), ends, a),
                    _ => None,
                };
                best.unwrap_or_else(|| rule.clone())
            }
            _ => rule.clone(),
        }
    }

    /// The least and the greatest of a number that is chosen here, where a rule asks for it once.
    fn ends(&self, of: &Expr, rule: &Expr) -> Option<Ends> {
        let (_, field) = self.measured(of)?;
        let mut times = 0;
        rule.any(&mut |part| {
            times += usize::from(part == of);
            false
        });
        (times == 1).then(|| Domain::asked(field).ends())
    }

    /// Where a number between two ends can stand so to another that is not chosen.
    fn reached(&self, op: Comparison, (low, high): Ends, other: &Expr) -> Option<Expr> {
        self.read(other, &mut BTreeSet::new())?;
        let stands = |op, end: Option<Decimal>| match end {
            Some(end) => Expr::new(Op::Compare(op, other.clone(), Expr::literal(Value::Number(end)))),
            None => Expr::literal(Value::Boolean(true)),
        };
        Some(match op {
            Comparison::Greater => stands(Comparison::Less, high),
            Comparison::AtLeast => stands(Comparison::AtMost, high),
            Comparison::Less => stands(Comparison::Greater, low),
            Comparison::AtMost => stands(Comparison::AtLeast, low),
            Comparison::Equal => {
                Expr::new(Op::And(vec![stands(Comparison::AtLeast, low), stands(Comparison::AtMost, high)]))
            }
            Comparison::NotEqual => Expr::literal(Value::Boolean(true)),
        })
    }
}
