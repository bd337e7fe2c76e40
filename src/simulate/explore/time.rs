//! How long a process takes if everybody keeps their due times: the shortest time is what only waiting takes, the
//! longest what the due times allow, loops walked once.

use super::walk::{Turn, Walk};
use crate::model::definition::Definition;
use crate::model::formula::{Formula, Op};
use crate::model::graph::Node;
use crate::model::id::StepId;
use crate::model::time::Duration;
use crate::model::value::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeSet;

/// A length put together of working days, working minutes and plain seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// Working days.
    pub days: i64,
    /// Working minutes beside them.
    pub minutes: i64,
    /// Seconds of the clock beside them.
    pub seconds: i64,
    /// Steps that take as long as they take: without a due time, or with one that follows from data.
    pub open: BTreeSet<StepId>,
}

impl Length {
    fn plus(&self, step: &StepId, time: Option<&Formula>) -> Length {
        let mut sum = self.clone();
        match time.and_then(constant) {
            Some(Duration::WorkingDays(days)) => sum.days = sum.days.saturating_add(days),
            Some(Duration::WorkingMinutes(minutes)) => sum.minutes = sum.minutes.saturating_add(minutes),
            Some(Duration::Seconds(seconds)) => {
                sum.seconds = sum.seconds.saturating_add(seconds.to_i64().unwrap_or(i64::MAX));
            }
            Some(Duration::Months(months)) => {
                sum.seconds = sum.seconds.saturating_add(months.saturating_mul(30 * 86_400));
            }
            None => {
                sum.open.insert(step.clone());
            }
        }
        sum
    }

    /// What is longer, by ordinary weeks: a working day of eight hours, five of them a week.
    fn weight(&self) -> i64 {
        let working = self.days.saturating_mul(480).saturating_add(self.minutes);
        working.saturating_add(self.seconds / 86_400 * 480 * 5 / 7)
    }

    fn longer(self, other: &Length) -> Length {
        let open = self.open.union(&other.open).cloned().collect();
        if self.weight() >= other.weight() { Length { open, ..self } } else { Length { open, ..other.clone() } }
    }

    fn shorter(self, other: &Length) -> Length {
        if (self.open.len(), self.weight()) <= (other.open.len(), other.weight()) { self } else { other.clone() }
    }
}

/// A duration that does not depend on data.
fn constant(formula: &Formula) -> Option<Duration> {
    match formula.root.op() {
        Op::Literal(Value::Duration(duration)) => Some(*duration),
        Op::Literal(Value::Number(number)) if *number == Decimal::ZERO => Some(Duration::Seconds(Decimal::ZERO)),
        _ => None,
    }
}

/// The shortest and the longest time to each place.
pub(super) fn lengths(definition: &Definition, walk: &Walk, order: &[usize]) -> Vec<(Length, Length)> {
    let ranks = super::ranks(walk, order);
    let rank = |place: usize| ranks.get(place).copied().unwrap_or(usize::MAX);
    let mut found: Vec<Option<(Length, Length)>> = vec![None; walk.places.len()];
    if let Some(first) = found.first_mut() {
        *first = Some(Default::default());
    }
    for number in order {
        let Some(place) = walk.places.get(*number) else { continue };
        let Some(here) = found.get(*number).cloned().flatten() else { continue };
        for (turn, target) in &place.out {
            if rank(*target) <= rank(*number) {
                continue;
            }
            let (least, most) = after(definition, &place.node, turn, &here);
            if let Some(slot) = found.get_mut(*target) {
                *slot = Some(match slot.take() {
                    None => (least, most),
                    Some((shortest, longest)) => (shortest.shorter(&least), longest.longer(&most)),
                });
            }
        }
    }
    found.into_iter().map(Option::unwrap_or_default).collect()
}

fn after(definition: &Definition, node: &Node, turn: &Turn, here: &(Length, Length)) -> (Length, Length) {
    let (least, most) = here;
    let Node::Step(id) = node else { return here.clone() };
    let passed = matches!(turn, Turn::Skip(_));
    match definition.steps.get(id) {
        Some(step) if step.human().is_some() && !passed => {
            let due = step.human().and_then(|human| human.due.as_ref());
            (least.clone(), most.plus(id, due))
        }
        _ => here.clone(),
    }
}
