//! What a step writes, held to the rules of its fields.
//!
//! Fixed limits are proved of what steps write. A limit that is an expression, an `among`, a `pattern` and a `check` are
//! held here, as they are where somebody fills the field in, in the rows of a list too, and so are those of what is
//! computed from it: what breaks them is not written.

use super::event::Trouble;
use super::outside::TAKING;
use super::refusal::FieldFault;
use super::rules::Level;
use super::run::Run;
use super::state::Row;
use super::{columns, computed, filling, scope};
use crate::model::control::Each;
use crate::model::definition::Definition;
use crate::model::form::Field;
use crate::model::formula::Formula;
use crate::model::id::{FieldName, TokenId};
use crate::model::text::{Lang, Wording};
use crate::model::value::Record;

/// What is wrong with values that are to be written where a token is: in fields of the case, or in columns of its row.
pub(super) fn broken(run: &Run<'_>, token: TokenId, values: &Record) -> Vec<(FieldName, FieldFault)> {
    Written::new(run, token, values).broken(values)
}

/// The same, and of what is computed from the values, as what stops a step: the first fault, at its field.
pub(super) fn stops(run: &Run<'_>, token: TokenId, values: &Record) -> Option<Trouble> {
    let written = Written::new(run, token, values);
    let own = written.broken(values).into_iter().next();
    let Some((name, fault)) = own.or_else(|| written.computed_beyond().into_iter().next()) else {
        let what = written.key_of_another()?;
        return Some(Trouble::Failed { place: TAKING.into(), zh: what.zh.into(), en: what.en.into() });
    };
    Some(Trouble::Expression {
        place: name.as_str().into(),
        zh: fault.what.get(Lang::Zh).into(),
        en: fault.what.get(Lang::En).into(),
    })
}

/// Values as they are written: in a row, or in the case.
struct Written<'r> {
    run: &'r Run<'r>,
    token: TokenId,
    row: Option<(&'r Row, &'r Each)>,
    /// What can be read there before.
    before: Record,
    /// The same with the values, and what is computed from them.
    data: Record,
    /// Whether that could be computed.
    sound: bool,
}

impl<'r> Written<'r> {
    fn new(run: &'r Run<'r>, token: TokenId, values: &Record) -> Written<'r> {
        let scope = scope::row_scope(&run.state, run.scope_of(token));
        let row = scope.and_then(|scope| run.state.scopes.get(&scope)?.row.as_ref());
        let row = row.zip(scope.and_then(|scope| run.each_of(scope)));
        let mut before = run.data(token).into_owned();
        before.extend(row.iter().flat_map(|(row, _)| row.columns.clone()));
        let mut data = before.clone();
        data.extend(values.clone());
        let place = run.place(token);
        let due = match row {
            Some((_, each)) => computed::of_row(run.definition, each, &place, &[]),
            None => computed::of_case(run.definition, &place, values, &[]),
        };
        if row.is_none() {
            columns::widen(run.definition, &mut data);
        }
        let seen = |data: &mut Record| {
            if let Some((row, each)) = row {
                scope::overlay(data, row, each.columns.keys());
            }
        };
        let evaluate = |formula: &Formula, data: &Record| {
            let mut data = data.clone();
            seen(&mut data);
            place.evaluate(run.facts, run.now, formula, &data)
        };
        // What cannot be computed is told where it is set.
        let sound = computed::compute(&due, &mut data, &evaluate).is_ok();
        seen(&mut data);
        Written { run, token, row, before, data, sound }
    }

    /// What is wrong with the values themselves.
    fn broken(&self, values: &Record) -> Vec<(FieldName, FieldFault)> {
        let fields = self.fields().into_iter().filter(|(name, _)| values.contains_key(*name)).collect();
        // Whatever is written is held, also where it was so before.
        let own = |level: &Level<'_>, _: &FieldName, field: &Field| level.row().is_none() || field.value.is_none();
        self.faults(fields, &Record::new(), &own)
    }

    /// What is computed from the values and breaks the rules of its field then, though it did not change before.
    fn computed_beyond(&self) -> Vec<(FieldName, FieldFault)> {
        let moved =
            |level: &Level<'_>, name: &FieldName, field: &Field| level.is_computed(field) && level.moved.contains(name);
        if self.sound { self.faults(self.fields(), &self.before, &moved) } else { Vec::new() }
    }

    /// What is said where the values would be a key that another case has to itself.
    fn key_of_another(&self) -> Option<Wording> {
        let (key, refusal) = self.run.taken?;
        let name = self.run.definition.key.as_ref()?;
        let writes = self.data.get(name) == Some(key);
        writes.then(|| refusal.wording(self.run.facts.directory, self.run.facts.calendar.zone))
    }

    /// The fields of the case, or the columns of the row.
    fn fields(&self) -> Vec<(&'r FieldName, &'r Field)> {
        match self.row {
            Some((_, each)) => each.columns.iter().collect(),
            None => self.run.definition.fields().collect(),
        }
    }

    fn faults(
        &self,
        fields: Vec<(&FieldName, &Field)>,
        before: &Record,
        held: &dyn Fn(&Level<'_>, &FieldName, &Field) -> bool,
    ) -> Vec<(FieldName, FieldFault)> {
        let definition: &Definition = self.run.definition;
        let place = self.run.place(self.token);
        let evaluate = |formula: &Formula, data: &Record| place.evaluate(self.run.facts, self.run.now, formula, data);
        let called = self.row.filter(|(_, each)| !each.plain).map(|(_, each)| &each.alias);
        let top = Level::new(fields, before, &self.data, called);
        let mut faults = Vec::new();
        for level in top.with_rows(Some(definition).filter(|_| self.row.is_none()), before) {
            for (name, field) in level.fields.iter().filter(|(name, field)| held(&level, name, field)) {
                let Some(rules) = level.rules(definition, field) else { continue };
                let at = level.row().map_or(*name, |(list, _)| list);
                for fault in filling::refused(name, &rules, &level.data, self.run.facts, &evaluate) {
                    let what = if level.row().is_some() { level.said(field, &fault.what) } else { fault.what.clone() };
                    faults.push((at.clone(), FieldFault { what, ..fault }));
                }
            }
        }
        faults
    }
}
