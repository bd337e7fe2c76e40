//! The rules over what is there already: those of fields side by side, and row by row those of the columns of their
//! lists, which are held like fields.
//!
//! A rule of a column reads its row, and what stands around the list. What came of the steps in a row is known in that
//! row alone, and who answers, and what, only to whoever is asked: rules that ask for it are held there.

use super::columns;
use crate::model::control::Each;
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Expr, Formula, Op, Read};
use crate::model::id::FieldName;
use crate::model::text::{Lang, Wording};
use crate::model::value::{Record, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Fields that stand side by side, with what their rules read: those of the case or of a row of an `each`, or the columns
/// of a row of a list.
pub(super) struct Level<'a> {
    /// The fields.
    pub fields: Vec<(&'a FieldName, &'a Field)>,
    /// What can be read there.
    pub data: Cow<'a, Record>,
    /// What of it is not as it was.
    pub moved: BTreeSet<FieldName>,
    /// What the row is called.
    called: Vec<&'a FieldName>,
    /// The rows around, the outermost first: each list with the number of the row.
    rows: Vec<(&'a FieldName, &'a Field, usize)>,
}

impl<'a> Level<'a> {
    /// Fields of the case; of a row of an `each`, which is called so within.
    pub(super) fn new(
        fields: Vec<(&'a FieldName, &'a Field)>,
        before: &Record,
        data: &'a Record,
        called: Option<&'a FieldName>,
    ) -> Level<'a> {
        let moved = differing(before, data).cloned().collect();
        Level { fields, data: Cow::Borrowed(data), moved, called: called.into_iter().collect(), rows: Vec::new() }
    }

    /// This, and below it every row of its lists that has rules. To the lists of the case a `definition` adds columns.
    pub(super) fn with_rows(self, definition: Option<&'a Definition>, before: &Record) -> Vec<Level<'a>> {
        let mut found = Vec::new();
        for (name, field) in &self.fields {
            let (FieldKind::List(declared), Some(Value::List(rows))) = (&field.kind, self.data.get(*name)) else {
                continue;
            };
            let eaches = definition.into_iter().flat_map(columns::eaches).filter(|each| each.list == **name);
            let list = List::new(declared, eaches.collect());
            let untouched = !self.moved.contains(*name) && list.read.iter().all(|read| !self.moved.contains(*read));
            if untouched || !list.columns.iter().any(|(_, column)| has_rules(column)) {
                continue;
            }
            let (nothing, was) = (Record::new(), before.get(*name).and_then(Value::as_list).unwrap_or_default());
            for (number, row) in rows.iter().enumerate() {
                // Rows may have changed places.
                let here = was.get(number).filter(|known| *known == row);
                let known = here.or_else(|| was.iter().find(|known| *known == row)).or(was.get(number));
                let known = known.and_then(record).unwrap_or(&nothing);
                let Value::Record(row) = row else { continue };
                let around = self.rows.iter().copied().chain([(*name, *field, number)]).collect();
                found.extend(list.level(&self, known, row, around).with_rows(None, known));
            }
        }
        found.insert(0, self);
        found
    }

    /// The row that it is the columns of, by the list of the case and its number.
    pub(super) fn row(&self) -> Option<(&'a FieldName, usize)> {
        self.rows.first().map(|(list, _, number)| (*list, *number))
    }

    /// Whether a form asks for a field here itself.
    pub(super) fn is_asked(&self, name: &FieldName, form: &Form) -> bool {
        let inner = self.rows.iter().try_fold(form, |form, (list, ..)| match &form.get(*list)?.kind {
            FieldKind::List(columns) => Some(columns),
            _ => None,
        });
        inner.is_some_and(|form| form.contains_key(name))
    }

    /// What a field here is computed from; a column of a list that is computed, from what that is.
    pub(super) fn computed_from(&self, field: &'a Field) -> impl Iterator<Item = &'a Formula> {
        field.value.iter().chain(self.rows.iter().filter_map(|(_, list, _)| list.value.as_ref()))
    }

    /// Whether nobody writes a field here, as it is computed.
    pub(super) fn is_computed(&self, field: &'a Field) -> bool {
        self.computed_from(field).next().is_some()
    }

    /// The fields that a formula reads here, and of the row the columns.
    pub(super) fn read<'e>(&self, formula: &'e Formula) -> Vec<&'e FieldName> {
        let mut found = Vec::new();
        read(&formula.root, &self.called, &mut found);
        found
    }

    /// All rules of a field that can be held here, as a field with those alone; `None` where there are none.
    pub(super) fn rules(&self, definition: &Definition, field: &Field) -> Option<Field> {
        self.held(definition, field, field.pattern.clone(), &|_| true)
    }

    /// Those of them that read what has moved.
    pub(super) fn touched(&self, definition: &Definition, field: &Field) -> Option<Field> {
        self.held(definition, field, None, &|rule| self.read(rule).into_iter().any(|name| self.moved.contains(name)))
    }

    fn held(
        &self,
        definition: &Definition,
        field: &Field,
        pattern: Option<String>,
        meant: &dyn Fn(&Formula) -> bool,
    ) -> Option<Field> {
        let known = |read: &Read| match read {
            Read::Outcome | Read::Assignee => false,
            Read::Step(step) => self.rows.is_empty() || !definition.is_in_row(step),
            _ => true,
        };
        let held = |rule: &Formula| rule.reads.iter().all(known) && meant(rule);
        if pattern.is_none() && !formulas(field).any(held) {
            return None;
        }
        let rule = |rule: &Option<Formula>| rule.clone().filter(held);
        let check = field.check.clone().filter(|check| held(&check.that));
        let kind = match &field.kind {
            // Whom a field takes is asked of whoever is named there, and nobody is where it is computed.
            FieldKind::Person(among) => FieldKind::Person(rule(among).filter(|_| field.value.is_none())),
            other => other.clone(),
        };
        Some(Field { min: rule(&field.min), max: rule(&field.max), pattern, check, kind, ..field.clone() })
    }

    /// What is wrong with a field here, where it is told at another.
    pub(super) fn said(&self, field: &Field, what: &Wording) -> Wording {
        let (mut zh, mut en) = (String::new(), String::new());
        for (_, list, number) in &self.rows {
            let number = number + 1;
            zh.push_str(&format!("“{}”第 {number} 行", list.title.get(Lang::Zh)));
            en.push_str(&format!("“{}”, row {number}, ", list.title.get(Lang::En)));
        }
        Wording::new(
            format!("{zh}“{}”：{}", field.title.get(Lang::Zh), what.get(Lang::Zh)),
            format!("{en}“{}”: {}", field.title.get(Lang::En), what.get(Lang::En)),
        )
    }
}

/// A list whose rows are looked into.
struct List<'a> {
    columns: Vec<(&'a FieldName, &'a Field)>,
    /// What its rows are called where an `each` goes through them.
    called: Vec<&'a FieldName>,
    /// What the rules of its columns read.
    read: BTreeSet<&'a FieldName>,
}

impl<'a> List<'a> {
    fn new(declared: &'a Form, eaches: Vec<&'a Each>) -> List<'a> {
        let mut columns: Vec<(&FieldName, &Field)> = declared.iter().collect();
        for (name, column) in eaches.iter().flat_map(|each| &each.columns) {
            if !columns.iter().any(|(known, _)| *known == name) {
                columns.push((name, column));
            }
        }
        let called = eaches.iter().filter(|each| !each.plain).map(|each| &each.alias).collect();
        let mut read = BTreeSet::new();
        columns.iter().for_each(|(_, column)| read_by(column, &mut read));
        List { columns, called, read }
    }

    /// A row, beside what stands around the list; its columns hide fields of the same name.
    fn level(
        &self,
        around: &Level<'a>,
        before: &Record,
        row: &Record,
        rows: Vec<(&'a FieldName, &'a Field, usize)>,
    ) -> Level<'a> {
        let hidden = |name: &FieldName| self.columns.iter().any(|(column, _)| *column == name);
        let read = self.read.iter().filter(|name| !hidden(name));
        let mut data: Record =
            read.filter_map(|name| Some(((*name).clone(), around.data.get(*name)?.clone()))).collect();
        data.extend(row.clone());
        let mut moved: BTreeSet<FieldName> = around.moved.iter().filter(|name| !hidden(name)).cloned().collect();
        moved.extend(differing(before, row).cloned());
        for called in &self.called {
            data.insert((*called).clone(), Value::Record(row.clone()));
            if before != row {
                moved.insert((*called).clone());
            }
        }
        Level {
            fields: self.columns.clone(),
            data: Cow::Owned(data),
            moved,
            called: around.called.iter().chain(&self.called).copied().collect(),
            rows,
        }
    }
}

fn has_rules(field: &Field) -> bool {
    field.pattern.is_some()
        || formulas(field).next().is_some()
        || matches!(&field.kind, FieldKind::List(columns) if columns.values().any(has_rules))
}

/// The rules of a field that are expressions.
pub(super) fn formulas(field: &Field) -> impl Iterator<Item = &Formula> {
    let among = if let FieldKind::Person(among) = &field.kind { among.as_ref() } else { None };
    let check = field.check.as_ref().map(|check| &check.that);
    field.min.iter().chain(&field.max).chain(check).chain(among)
}

fn read_by<'a>(field: &'a Field, found: &mut BTreeSet<&'a FieldName>) {
    let read = formulas(field).flat_map(|formula| &formula.reads);
    found.extend(read.filter_map(|read| if let Read::Field(name) = read { Some(name) } else { None }));
    if let FieldKind::List(columns) = &field.kind {
        columns.values().for_each(|column| read_by(column, found));
    }
}

/// The fields that an expression reads, and of a row that is called so the columns.
fn read<'e>(expr: &'e Expr, rows: &[&FieldName], found: &mut Vec<&'e FieldName>) {
    match expr.op() {
        Op::Path(of, column) if matches!(of.op(), Op::Field(name) if rows.contains(&name)) => found.push(column),
        Op::Field(name) => found.push(name),
        op => op.children().into_iter().for_each(|child| read(child, rows, found)),
    }
}

fn differing<'r>(before: &Record, data: &'r Record) -> impl Iterator<Item = &'r FieldName> {
    data.iter().filter(|(name, value)| before.get(*name) != Some(value)).map(|(name, _)| name)
}

fn record(value: &Value) -> Option<&Record> {
    if let Value::Record(record) = value { Some(record) } else { None }
}
