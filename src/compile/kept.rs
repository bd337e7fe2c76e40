//! What fields and columns are kept from, as it is written: the limits that whoever fills one in keeps to, the lists that
//! are never empty, the units of lengths of time, and which field is the limit of another.
//!
//! It goes by names, as expressions do: where several bear one, what holds of all of them.

use crate::compile::resolve::walk;
use crate::compile::touch::writes;
use crate::compile::{callee, units};
use crate::expression::Kept;
use crate::expression::domain::Domain;
use crate::model::id::{FieldName, PositionId};
use crate::model::people::Directory;
use crate::syntax::{FeelText, Field, FieldType, Process};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// The parts that everybody has who may start a process. One that starts by itself is for whoever its schedule names.
fn applicant_has(document: &Process, directory: &Directory) -> BTreeSet<&'static str> {
    let starts = document.start.iter().map(|position| PositionId::from(position.text.trim()));
    let starts: Vec<PositionId> = starts.collect();
    let known = starts.iter().all(|position| directory.positions.contains_key(position));
    if starts.is_empty() || !known || document.schedule.is_some() {
        return BTreeSet::new();
    }
    let placed = || starts.iter().flat_map(|position| directory.holders(position));
    let departments = placed().all(|person| directory.department_of(&person).is_some());
    ["position"].into_iter().chain(departments.then_some("department")).collect()
}

/// What forms keep fields and columns from, and what limits do, whoever writes a field: see `maybe_out_of_bounds`.
pub(super) fn kept(document: &Process, directory: &Directory) -> Kept {
    let mut asked: Vec<&Field> = document.form.iter().collect();
    walk(&document.steps, &mut |step| asked.extend(&step.form));
    let written: Vec<&Field> = document.data.iter().collect();
    // A name of columns counts where all that bear it are of rows that the start form asks, and full.
    let mut full_columns: BTreeSet<&str> = Default::default();
    let started: Vec<&Field> = document.form.iter().collect();
    full_columns.extend(
        columns(&started).into_iter().filter(|column| is_full(column)).map(|column| column.name.value.as_str()),
    );
    let same = |field: &Field| full_columns.contains(field.name.value.as_str());
    let own =
        |field: &&Field| document.form.iter().flat_map(|list| &list.fields).any(|column| std::ptr::eq(column, *field));
    let mut unlike: BTreeSet<&str> = Default::default();
    let bearing = asked.iter().copied().chain(columns(&asked)).chain(written.iter().copied()).chain(columns(&written));
    for field in bearing.filter(|field| same(field)) {
        if !(own(&field) && is_full(field)) {
            unlike.insert(&field.name.value);
        }
    }
    walk(&document.steps, &mut |step| unlike.extend(writes(step).into_iter().map(|name| name.value.as_str())));
    let full_columns = full_columns.difference(&unlike).map(|name| FieldName::from(*name)).collect();
    let all = asked.iter().chain(&written).copied();
    let all: Vec<&Field> = all.flat_map(|field| std::iter::once(field).chain(&field.fields)).collect();
    Kept {
        applicant_has: applicant_has(document, directory),
        units: Some(units::said(&all)),
        shares: all
            .iter()
            .filter(|field| field.kind.is_some_and(|kind| kind.value == FieldType::Percent))
            .map(|field| field.name.value.as_str().into())
            .collect(),
        held: held(&asked, &written),
        most: most(asked.iter().chain(&written).copied()),
        ordered: ordered(document, &asked, &written),
        full_columns,
        // What is asked later, or not always, has no items before.
        not_empty: document
            .form
            .iter()
            .filter(|field| is_full(field))
            .map(|field| field.name.value.as_str().into())
            .collect(),
    }
}

/// What fields of numbers and lengths of time hold, by their names: where several bear one, what any of them does.
fn held(asked: &[&Field], written: &[&Field]) -> BTreeMap<FieldName, Domain> {
    let mut found: BTreeMap<FieldName, Domain> = BTreeMap::new();
    let limited = asked.iter().copied().chain(columns(asked)).chain(written.iter().copied());
    let limited = limited.map(|field| (field, if is_counted(field) { callee::held(field) } else { Domain::any(true) }));
    // What steps put into a list is of the types of its columns, and no more is known.
    let unlimited = columns(written).into_iter().map(|field| (field, Domain::any(true)));
    for (field, domain) in limited.chain(unlimited) {
        let name = FieldName::from(field.name.value.as_str());
        let all = found.get(&name).map_or_else(|| domain.clone(), |other| other.or(&domain));
        found.insert(name, all);
    }
    found
}

/// The most items of lists that say so, by their names.
fn most<'f>(fields: impl Iterator<Item = &'f Field>) -> BTreeMap<FieldName, Decimal> {
    let mut found: BTreeMap<FieldName, Option<Decimal>> = BTreeMap::new();
    for field in fields {
        let most = field.max.as_ref().filter(|_| is_list(field)).and_then(|max| max.text.trim().parse().ok());
        found
            .entry(field.name.value.as_str().into())
            .and_modify(|all| *all = all.zip(most).map(|(one, other)| one.max(other)))
            .or_insert(most);
    }
    found.into_iter().filter_map(|(name, most)| Some((name, most?))).collect()
}

/// Pairs of fields of one form where one is the limit of the other: `to` with `min: from`. Whoever changes one of them
/// keeps to it. A name that a column bears, too, may mean that.
fn ordered(document: &Process, asked: &[&Field], written: &[&Field]) -> BTreeSet<(FieldName, FieldName)> {
    let mut found = BTreeSet::new();
    let mut of_form = |form: &[Field]| {
        for field in form.iter().filter(|field| field.value.is_none()) {
            let limit = |limit: &Option<FeelText>| {
                let name = limit.as_ref()?.text.trim();
                let other = form.iter().find(|other| other.name.value == name && other.value.is_none())?;
                Some(FieldName::from(other.name.value.as_str()))
            };
            let own = FieldName::from(field.name.value.as_str());
            found.extend(limit(&field.min).map(|least| (own.clone(), least)));
            found.extend(limit(&field.max).map(|most| (most, own)));
        }
    };
    of_form(&document.form);
    walk(&document.steps, &mut |step| of_form(&step.form));
    if !found.is_empty() {
        let mut once: BTreeMap<&str, usize> = BTreeMap::new();
        for field in asked.iter().chain(written).copied().chain(columns(asked)).chain(columns(written)) {
            *once.entry(&field.name.value).or_default() += 1;
        }
        let single = |name: &FieldName| once.get(name.as_str()) == Some(&1);
        found.retain(|(a, b)| single(a) && single(b));
    }
    found
}

/// Whether a field holds numbers or lengths of time.
pub(super) fn is_counted(field: &Field) -> bool {
    use FieldType::*;
    field.kind.is_some_and(|kind| matches!(kind.value, Integer | Decimal | Percent | Money | Duration))
}

fn columns<'f>(fields: &[&'f Field]) -> Vec<&'f Field> {
    fields.iter().flat_map(|list| &list.fields).collect()
}

/// The lists that forms of steps take only with an item in them.
pub(super) fn full(document: &Process) -> Vec<&str> {
    let mut found = Vec::new();
    walk(&document.steps, &mut |step| {
        found.extend(step.form.iter().filter(|field| is_full(field)).map(|field| field.name.value.as_str()));
    });
    found
}

/// Whether a field holds several items.
fn is_list(field: &Field) -> bool {
    field.many.is_some() || field.kind.is_some_and(|kind| kind.value == FieldType::List)
}

/// Whether a form takes a list only with an item in it.
pub(super) fn is_full(field: &Field) -> bool {
    let required = field.required.is_some_and(|required| required.value);
    let least = field.min.as_ref().and_then(|min| min.text.trim().parse::<Decimal>().ok());
    is_list(field)
        && field.when.is_none()
        && field.value.is_none()
        && (required || least.is_some_and(|min| min >= Decimal::ONE))
}
