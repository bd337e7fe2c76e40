//! What a task's form comes to, as it is handed in.
//!
//! Inside a row the row is read as it is being sent, not as it was. What is handed in may be read by the rules of other
//! fields, and others are computed from it: each of these has to hold with what was changed, else the change is refused
//! where it was made.

use super::computed;
use super::filling;
use super::form::Evaluate;
use super::refusal::{FieldFault, PathPart};
use super::scope::{self, Place};
use super::state::{State, Task, TaskKind};
use super::{Facts, columns, human};
use crate::model::control::Each;
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, Form};
use crate::model::formula::{Formula, Read};
use crate::model::id::{FieldName, ScopeId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// Fills a task's form in, at a place.
///
/// # Errors
/// Every fault, in the order of the form; where there is none, every rule that what was changed breaks.
pub(super) fn fill(
    definition: &Definition,
    task: &Task,
    place: &Place<'_>,
    given: &Record,
    facts: &Facts<'_>,
    now: DateTime<Utc>,
) -> Result<Record, Vec<FieldFault>> {
    let state = place.state;
    let (form, current) = (human::form_of(definition, state, task), human::data_of(definition, state, task));
    let evaluate = |formula: &Formula, data: &Record| {
        let Some(row) = scope::rows(state, place.scope).next() else {
            return place.evaluate(facts, now, formula, data);
        };
        let mut data = data.clone();
        scope::overlay(&mut data, row, form.keys());
        place.evaluate(facts, now, formula, &data)
    };
    let around = Around { definition, state, place, form: &form, changed: &[] };
    let filled =
        columns::fill(definition, &form, given, &around.read_with(given, &current, &evaluate), facts, &evaluate)?;
    let changed: Vec<&FieldName> = form.keys().filter(|name| filled.get(*name) != current.get(*name)).collect();
    if changed.is_empty() {
        return Ok(filled);
    }
    let around = Around { definition, state, place, form: &form, changed: &changed };
    // What a revision changes may be asked anew by later steps, but what is computed from it is so at once.
    let computed_alone = !matches!(task.kind, TaskKind::Approve | TaskKind::Work);
    let mut broken = around.broken(&filled, &current, computed_alone, facts, &evaluate);
    broken.extend(around.broken_outside(task, &filled, facts, now));
    if broken.is_empty() { Ok(filled) } else { Err(broken) }
}

/// The fields around a form, of which some were changed in it.
struct Around<'a> {
    definition: &'a Definition,
    state: &'a State,
    place: &'a Place<'a>,
    form: &'a Form,
    /// What was asked and is not as it was.
    changed: &'a [&'a FieldName],
}

impl Around<'_> {
    /// What the form reads as it is handed in: what is computed from what is given, as it will be. The form itself is
    /// left as it was.
    fn read_with(&self, given: &Record, current: &Record, evaluate: &Evaluate<'_>) -> Record {
        let asked = given.iter().filter(|(name, _)| self.form.get(*name).is_some_and(|field| field.value.is_none()));
        let mut data = current.clone();
        data.extend(asked.map(|(name, value)| (name.clone(), value.clone())));
        columns::widen(self.definition, &mut data);
        let due = match self.each() {
            Some(each) => computed::of_row(self.definition, each, self.place, &[]),
            None => computed::of_case(self.definition, self.place, given, &[]),
        };
        let due: Vec<computed::Due<'_>> = due.into_iter().filter(|due| !self.form.contains_key(due.name)).collect();
        // What cannot be computed is refused by its own field.
        let mut found = current.clone();
        if computed::compute(&due, &mut data, evaluate).is_ok() {
            found.extend(due.iter().filter_map(|due| Some((due.name.clone(), data.get(due.name)?.clone()))));
        }
        found
    }

    fn broken(
        &self,
        filled: &Record,
        current: &Record,
        computed_alone: bool,
        facts: &Facts<'_>,
        evaluate: &Evaluate<'_>,
    ) -> Vec<FieldFault> {
        let each = self.each();
        let mut before = current.clone();
        if each.is_some() {
            before.extend(
                scope::rows(self.state, self.place.scope).next().map(|row| row.columns.clone()).into_iter().flatten(),
            );
        }
        let mut data = before.clone();
        data.extend(filled.clone());
        columns::widen(self.definition, &mut data);
        let due = match each {
            Some(each) => computed::of_row(self.definition, each, self.place, &[]),
            None => computed::of_case(self.definition, self.place, filled, &[]),
        };
        // What cannot be computed is refused where it is set.
        if computed::compute(&due, &mut data, evaluate).is_err() {
            return Vec::new();
        }
        let moved: BTreeSet<&FieldName> =
            data.iter().filter(|(name, value)| before.get(*name) != Some(value)).map(|(name, _)| name).collect();
        let others: Vec<(&FieldName, &Field)> = match each {
            Some(each) => each.columns.iter().collect(),
            None => self.definition.fields().filter(|(name, _)| !self.comes_again(name)).collect(),
        };
        let others = others.into_iter().filter(|(name, _)| !self.form.contains_key(*name));
        let others = others.filter(|(_, field)| !computed_alone || field.value.is_some()).collect();
        self.faults(others, &moved, &data, facts, evaluate)
    }

    /// Where the form is that of a row: the rules of the case that its list breaks with the row as it is sent.
    fn broken_outside(&self, task: &Task, filled: &Record, facts: &Facts<'_>, now: DateTime<Utc>) -> Vec<FieldFault> {
        let Some(each) = self.each() else { return Vec::new() };
        let Some((holder, number)) = columns::row_of(self.state, task.token) else { return Vec::new() };
        let Some(mut rows) = columns::rows_by_now(self.state, holder) else { return Vec::new() };
        let outside = Place::new(self.state, ScopeId(0));
        let evaluate = |formula: &Formula, data: &Record| outside.evaluate(facts, now, formula, data);
        let with = |rows: Vec<Value>| {
            let mut data = self.state.data.clone();
            data.insert(each.list.clone(), Value::List(rows));
            columns::widen(self.definition, &mut data);
            let due = computed::of_case(self.definition, &outside, &data, &[]);
            computed::compute(&due, &mut data, &evaluate).is_ok().then_some(data)
        };
        let before = with(rows.clone());
        if let Some(Value::Record(row)) = rows.get_mut(number) {
            row.extend(filled.clone());
        }
        let (Some(before), Some(data)) = (before, with(rows)) else { return Vec::new() };
        let moved = data.iter().filter(|(name, value)| before.get(*name) != Some(value)).map(|(name, _)| name);
        self.faults(self.definition.fields().collect(), &moved.collect(), &data, facts, &evaluate)
    }

    /// The rules of fields that what moved breaks.
    fn faults(
        &self,
        others: Vec<(&FieldName, &Field)>,
        moved: &BTreeSet<&FieldName>,
        data: &Record,
        facts: &Facts<'_>,
        evaluate: &Evaluate<'_>,
    ) -> Vec<FieldFault> {
        let mut faults: Vec<FieldFault> = Vec::new();
        for (name, field) in others {
            let computed = field.value.is_some() && moved.contains(name);
            let Some((rules, at)) = self.touched(field, computed, moved) else { continue };
            for fault in filling::broken(name, &rules, data, facts, evaluate) {
                let title = self.form.get(at).map_or_else(|| fault.title.clone(), |asked| asked.title.clone());
                let what = if computed { filling::said_of(field, &fault.what) } else { fault.what };
                faults.push(FieldFault { path: vec![PathPart::Field(at.clone())], title, what });
            }
        }
        faults
    }

    /// The `each` in whose row the form is asked.
    fn each(&self) -> Option<&Each> {
        let row = scope::row_scope(self.state, self.place.scope)?;
        let of = self.definition.graph.block_at(self.state.scopes.get(&row)?.block)?.of.as_ref()?;
        match &self.definition.steps.get(of)?.kind {
            StepKind::Each(each) => Some(each),
            _ => None,
        }
    }

    /// Whether a field is of a step that comes again after the change, and asks it anew.
    fn comes_again(&self, name: &FieldName) -> bool {
        let mut humans = self.definition.steps.values().filter_map(|step| step.human());
        humans
            .any(|human| human.form.contains_key(name) && human.depends_on.iter().any(|on| self.changed.contains(&on)))
    }

    /// The rules of a field that read what moved, all of one that is computed and has moved itself, and the changed
    /// field that they are told at; `None` where there is no such rule.
    fn touched(&self, field: &Field, computed: bool, moved: &BTreeSet<&FieldName>) -> Option<(Field, &FieldName)> {
        // Who was asked there, and what they answered, is not known here.
        let reads = |formula: &Formula| {
            let moved = |read: &Read| matches!(read, Read::Field(name) if moved.contains(name));
            !formula.reads.contains(&Read::Outcome)
                && !formula.reads.contains(&Read::Assignee)
                && (computed || formula.reads.iter().any(moved))
        };
        let rule = |formula: &Option<Formula>| formula.clone().filter(&reads);
        let check = field.check.clone().filter(|check| reads(&check.that));
        let pattern = field.pattern.clone().filter(|_| computed);
        let rules = Field { min: rule(&field.min), max: rule(&field.max), pattern, check, ..field.clone() };
        let found = [rules.min.as_ref(), rules.max.as_ref(), rules.check.as_ref().map(|check| &check.that)];
        let mut formulas: Vec<&Formula> = found.into_iter().flatten().collect();
        if formulas.is_empty() && rules.pattern.is_none() {
            return None;
        }
        formulas.extend(field.value.as_ref().filter(|_| computed));
        let direct =
            |name: &&&FieldName| formulas.iter().any(|formula| formula.reads.contains(&Read::Field((**name).clone())));
        let at = self.changed.iter().find(direct).or(self.changed.first())?;
        Some((rules, at))
    }
}
