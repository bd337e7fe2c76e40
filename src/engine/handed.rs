//! What a task's form comes to, as it is handed in.
//!
//! Inside a row the row is read as it is being sent, not as it was. What is handed in may be read by the rules of other
//! fields and of columns in the rows of lists, and others are computed from it: each of these has to hold with what was
//! changed, else the change is refused where it was made.

use super::computed;
use super::filling;
use super::form::Evaluate;
use super::refusal::{FieldFault, PathPart};
use super::rules::{self, Level};
use super::scope::{self, Place};
use super::state::{State, Task, TaskKind};
use super::{Facts, columns, human};
use crate::model::control::Each;
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, ScopeId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};

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
    let around = Around { definition, state, place, form: &form, changed: &[], facts, now };
    let filled =
        columns::fill(definition, &form, given, &around.read_with(given, &current, &evaluate), facts, &evaluate)?;
    let changed: Vec<&FieldName> = form.keys().filter(|name| filled.get(*name) != current.get(*name)).collect();
    if changed.is_empty() {
        return Ok(filled);
    }
    let around = Around { changed: &changed, ..around };
    // What a revision changes may be asked anew by later steps, but what is computed from it is so at once.
    let computed_alone = !matches!(task.kind, TaskKind::Approve | TaskKind::Work);
    let mut broken = around.broken(&filled, &current, computed_alone);
    let outside = around.broken_outside(task, &filled, !broken.is_empty());
    broken.extend(outside);
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
    facts: &'a Facts<'a>,
    now: DateTime<Utc>,
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

    /// The rules that what was changed breaks: of the case, or of the row that the form is asked in.
    fn broken(&self, filled: &Record, current: &Record, computed_alone: bool) -> Vec<FieldFault> {
        let row = self.each().zip(scope::rows(self.state, self.place.scope).next());
        let mut before = current.clone();
        before.extend(row.iter().flat_map(|(_, row)| row.columns.clone()));
        let mut data = before.clone();
        data.extend(filled.clone());
        columns::widen(self.definition, &mut data);
        let seen = |data: &mut Record| {
            if let Some((each, row)) = row {
                scope::overlay(data, row, each.columns.keys());
            }
        };
        let evaluate = |formula: &Formula, data: &Record| {
            let mut data = data.clone();
            seen(&mut data);
            self.place.evaluate(self.facts, self.now, formula, &data)
        };
        let due = match row {
            Some((each, _)) => computed::of_row(self.definition, each, self.place, &[]),
            None => computed::of_case(self.definition, self.place, filled, &[]),
        };
        // What cannot be computed is refused where it is set.
        if computed::compute(&due, &mut data, &evaluate).is_err() {
            return Vec::new();
        }
        seen(&mut data);
        let top = match row {
            Some((each, _)) => {
                let called = Some(&each.alias).filter(|_| !each.plain);
                Level::new(each.columns.iter().collect(), &before, &data, called)
            }
            None => Level::new(self.definition.fields().collect(), &before, &data, None),
        };
        let levels = top.with_rows(Some(self.definition).filter(|_| row.is_none()), &before);
        let holds = |level: &Level<'_>, name: &FieldName, field: &Field| {
            !level.is_asked(name, self.form)
                && (!computed_alone || level.is_computed(field))
                && (row.is_some()
                    || !self.comes_again(name) && !level.row().is_some_and(|(of, _)| self.comes_again(of)))
        };
        self.faults(&levels, &holds, self.place)
    }

    /// Where the form is that of a row: the rules of the case that its list breaks with the row as it is sent. What the
    /// row itself breaks may be `told` already.
    fn broken_outside(&self, task: &Task, filled: &Record, told: bool) -> Vec<FieldFault> {
        let Some(each) = self.each() else { return Vec::new() };
        let Some((holder, number)) = columns::row_of(self.state, task.token) else { return Vec::new() };
        let Some(mut rows) = columns::rows_by_now(self.state, holder) else { return Vec::new() };
        let outside = Place::new(self.state, ScopeId(0));
        let evaluate = |formula: &Formula, data: &Record| outside.evaluate(self.facts, self.now, formula, data);
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
        let top = Level::new(self.definition.fields().collect(), &before, &data, None);
        let holds = |level: &Level<'_>, _: &FieldName, _: &Field| !told || level.row() != Some((&each.list, number));
        self.faults(&top.with_rows(Some(self.definition), &before), &holds, &outside)
    }

    /// The rules of fields and columns that what moved breaks, told at what was changed.
    fn faults(
        &self,
        levels: &[Level<'_>],
        holds: &dyn Fn(&Level<'_>, &FieldName, &Field) -> bool,
        place: &Place<'_>,
    ) -> Vec<FieldFault> {
        let evaluate = |formula: &Formula, data: &Record| place.evaluate(self.facts, self.now, formula, data);
        let mut faults: Vec<FieldFault> = Vec::new();
        for level in levels {
            for (name, field) in level.fields.iter().filter(|(name, field)| holds(level, name, field)) {
                let computed = level.is_computed(field) && level.moved.contains(*name);
                let rules = match computed {
                    true => level.rules(self.definition, field),
                    false => level.touched(self.definition, field),
                };
                let Some(rules) = rules else { continue };
                let found = filling::refused(name, &rules, &level.data, self.facts, &evaluate);
                let Some(at) = found.first().and_then(|_| self.source(level, field, &rules, computed)) else {
                    continue;
                };
                let title = self.form.get(at).map_or_else(|| field.title.clone(), |asked| asked.title.clone());
                let path = || vec![PathPart::Field(at.clone())];
                let told = |fault: &FieldFault| level.said(field, &fault.what);
                faults.extend(found.iter().map(|fault| FieldFault {
                    path: path(),
                    title: title.clone(),
                    what: told(fault),
                    limit: None,
                }));
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

    /// What was changed that the rules of a field follow from, the nearest of it.
    fn source(&self, level: &Level<'_>, field: &Field, rules: &Field, computed: bool) -> Option<&FieldName> {
        let from = level.computed_from(field).filter(|_| computed);
        let mut reached: Vec<&FieldName> =
            rules::formulas(rules).chain(from).flat_map(|rule| level.read(rule)).collect();
        let mut at = 0;
        while let Some(name) = reached.get(at).copied() {
            if let Some(found) = self.changed.iter().find(|changed| **changed == name) {
                return Some(found);
            }
            for more in self.computed_from(name).flat_map(|value| level.read(value)) {
                if !reached.contains(&more) {
                    reached.push(more);
                }
            }
            at += 1;
        }
        self.changed.first().copied()
    }

    /// What a field or column is computed from, and a list in its rows.
    fn computed_from(&self, name: &FieldName) -> impl Iterator<Item = &Formula> {
        let declared = self.definition.fields().chain(self.each().into_iter().flat_map(|each| &each.columns));
        let found = declared.filter(move |(known, _)| *known == name).flat_map(|(_, field)| {
            let columns = if let FieldKind::List(columns) = &field.kind { Some(columns) } else { None };
            std::iter::once(field).chain(columns.into_iter().flat_map(|columns| columns.values()))
        });
        let added = columns::eaches(self.definition).filter(move |each| each.list == *name);
        found.chain(added.flat_map(|each| each.columns.values())).filter_map(|field| field.value.as_ref())
    }
}
