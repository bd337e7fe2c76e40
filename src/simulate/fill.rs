//! What a form requires and nobody said: plausible values, others for what the form refuses.
//!
//! What a rule, a limit, a pattern or a choice of people leaves is found by trying: the core itself says which field is
//! wrong, and which limit it breaks. What is tried next is another value for that field; where there is none left, or
//! nobody fills that field in, for one that its rules read. So the values are gone through like the wheels of a counter,
//! up to a limit. Texts are in the language of who reads the answer, whoever starts the case.

use super::plausible::{Plausible, Told};
use super::world::World;
use crate::engine::refusal::{FieldFault, PathPart, Refusal};
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Formula, Read};
use crate::model::id::{FieldName, PersonId, ProcessId};
use crate::model::people::Directory;
use crate::model::text::Lang;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// How often a form is filled in anew.
const TRIES: usize = 200;

/// A form as it is handed in.
#[derive(Clone, Debug)]
pub struct Filled {
    /// What it requires and nobody said.
    pub made_up: Record,
    /// What was said, and is not asked for as it is filled in: the `when` of the field does not hold.
    pub unasked: Vec<FieldName>,
}

/// What is needed to start a process and is not in `data`, in this language; as near to what its form takes as can be found.
pub fn missing(
    definitions: &[Definition],
    directory: &Directory,
    calendar: &Calendar,
    (process, by, from): (&ProcessId, &PersonId, DateTime<Utc>),
    data: &Record,
    lang: Lang,
) -> Filled {
    let nothing = Filled { made_up: Record::new(), unasked: Vec::new() };
    let Some(definition) = definitions.iter().find(|one| one.process == *process) else { return nothing };
    let form = &definition.form;
    let mut filler = Filler::new(directory, calendar, from, by, lang);
    loop {
        let filled = filler.form(form, data);
        let whole = completed(data, &filled, data);
        let mut world = World::new(definitions, directory, calendar, from);
        match world.start(process, by, whole) {
            Err(Refusal::BadForm(faults)) if filler.learn(form, data, &faults) => {}
            Err(_) => return Filled { made_up: filled, ..nothing },
            Ok(case) => {
                let taken = world.cases().get(case).map(|case| &case.state.data);
                let asked =
                    |name: &FieldName| taken.and_then(|data| data.get(name)).is_none_or(|value| !value.is_null());
                let said = data.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name);
                let unasked =
                    said.filter(|name| definition.form.contains_key(*name) && !asked(name)).cloned().collect();
                return Filled { made_up: filled.into_iter().filter(|(name, _)| asked(name)).collect(), unasked };
            }
        }
    }
}

/// Where a field is: a way through rows.
type Way = Vec<PathPart>;

/// A field that is filled in, and what it holds.
struct Suspect<'f> {
    way: Way,
    field: &'f Field,
    tried: Option<Value>,
}

/// Fills in forms for somebody.
pub(super) struct Filler<'w> {
    plausible: Plausible<'w>,
    /// What was tried and refused, by where.
    refused: BTreeMap<Way, Vec<Value>>,
    /// The limits that were told, by where.
    limits: BTreeMap<Way, Told>,
    tries: usize,
}

impl<'w> Filler<'w> {
    pub(super) fn new(
        directory: &'w Directory,
        calendar: &'w Calendar,
        now: DateTime<Utc>,
        by: &'w PersonId,
        lang: Lang,
    ) -> Filler<'w> {
        let plausible = Plausible { directory, calendar, now, by, lang };
        Filler { plausible, refused: BTreeMap::new(), limits: BTreeMap::new(), tries: 0 }
    }

    /// What the form requires beside what it holds.
    pub(super) fn form(&self, form: &Form, held: &Record) -> Record {
        self.filled(form, held, &[])
    }

    /// Takes other values where the form was refused; whether it is worth another try.
    pub(super) fn learn(&mut self, form: &Form, held: &Record, faults: &[FieldFault]) -> bool {
        self.tries += 1;
        let mut turned: BTreeSet<Way> = BTreeSet::new();
        for fault in faults {
            let suspects = self.suspects(form, held, &fault.path);
            if self.begins(form, held, fault) {
                turned.insert(fault.path.clone());
            } else if !suspects.iter().any(|suspect| turned.contains(&suspect.way)) {
                turned.extend(self.turn(&suspects));
            }
        }
        !turned.is_empty() && self.tries < TRIES
    }

    /// What a field usually holds.
    pub(super) fn usual(&self, field: &Field) -> Value {
        self.value(field, &[])
    }

    /// Of rows that are held only what they lack.
    fn filled(&self, form: &Form, held: &Record, way: &[PathPart]) -> Record {
        let mut record = Record::new();
        for (name, field) in form {
            let here = below(way, PathPart::Field(name.clone()));
            if !is_open(name, field, held) {
                let lacking = self.lacking(field, held.get(name), &here);
                record.extend(lacking.map(|rows| (name.clone(), rows)));
                continue;
            }
            let refused = self.refused.contains_key(&here);
            if refused || field.required && field.default.is_none() {
                record.insert(name.clone(), self.value(field, &here));
            }
        }
        record
    }

    /// What rows that are held lack, row by row, where some do.
    fn lacking(&self, field: &Field, held: Option<&Value>, way: &[PathPart]) -> Option<Value> {
        let (FieldKind::List(columns), None, Some(Value::List(rows))) = (&field.kind, &field.value, held) else {
            return None;
        };
        let row = |(number, row): (usize, &Value)| match row {
            Value::Record(row) => self.filled(columns, row, &below(way, PathPart::Row(number))),
            _ => Record::new(),
        };
        let rows: Vec<Record> = rows.iter().enumerate().map(row).collect();
        rows.iter().any(|row| !row.is_empty()).then(|| Value::List(rows.into_iter().map(Value::Record).collect()))
    }

    fn value(&self, field: &Field, way: &[PathPart]) -> Value {
        if let FieldKind::List(columns) = &field.kind {
            let row = |number| Value::Record(self.filled(columns, &Record::new(), &below(way, PathPart::Row(number))));
            return Value::List((0..self.rows(field, way)).map(row).collect());
        }
        let value = self.left(field, way).next().or_else(|| self.refused.get(way)?.last().cloned()).unwrap_or_default();
        match field.many {
            true if value.is_null() => Value::List(Vec::new()),
            true => Value::List(vec![value]),
            false => value,
        }
    }

    fn rows(&self, field: &Field, way: &[PathPart]) -> usize {
        self.limits.get(way).unwrap_or(&Told::default()).rows(field)
    }

    /// What was not tried yet at a place.
    fn left(&self, field: &Field, way: &[PathPart]) -> impl Iterator<Item = Value> {
        let refused = self.refused.get(way).cloned().unwrap_or_default();
        let told = self.limits.get(way).cloned().unwrap_or_default();
        self.plausible.values(field, &told).into_iter().filter(move |value| !refused.contains(value))
    }

    /// Keeps what is told of a field; whether that alone makes another form: it is filled in from now on, though it may
    /// not say that it is required, or with more rows.
    fn begins(&mut self, form: &Form, held: &Record, fault: &FieldFault) -> bool {
        let Some(field) = field_on(form, &fault.path) else { return false };
        let (before, rows) = (self.form(form, held), self.rows(field, &fault.path));
        if let Some(limit) = &fault.limit {
            self.limits.entry(fault.path.clone()).or_default().insert(limit.clone());
        }
        if matches!(field.kind, FieldKind::List(_)) && rows != self.rows(field, &fault.path) {
            return true;
        }
        let asked = field.required && field.default.is_none() || self.refused.contains_key(&fault.path);
        self.refused.entry(fault.path.clone()).or_default();
        !asked && self.form(form, held) != before
    }

    /// Goes on to the next values of these, as a counter does: the first that has another takes it, and those before
    /// begin anew. Where that was.
    fn turn(&mut self, suspects: &[Suspect<'_>]) -> Option<Way> {
        let other = |one: &Suspect<'_>| self.left(one.field, &one.way).any(|value| Some(&value) != one.tried.as_ref());
        let at = suspects.iter().position(other)?;
        let Suspect { way, tried, .. } = suspects.get(at)?;
        self.refused.entry(way.clone()).or_default().extend(tried.clone());
        for before in suspects.iter().take(at) {
            self.refused.insert(before.way.clone(), Vec::new());
        }
        Some(way.clone())
    }

    /// What may be to blame for a fault, of what is made up: the field itself, and what its rules follow from.
    fn suspects<'f>(&self, form: &'f Form, held: &Record, at: &[PathPart]) -> Vec<Suspect<'f>> {
        let mut found: Vec<Suspect<'_>> = Vec::new();
        let mut ahead: Vec<Way> = vec![at.to_vec()];
        let mut seen: BTreeSet<Way> = BTreeSet::new();
        while let Some(way) = (!ahead.is_empty()).then(|| ahead.remove(0)) {
            let Some(field) = field_on(form, &way).filter(|_| seen.insert(way.clone())) else { continue };
            let made_up = is_made_up(form, held, &way);
            match &field.kind {
                FieldKind::List(columns) => {
                    let rows = if made_up { self.rows(field, &way) } else { rows_at(held, &way).len() };
                    for row in 0..rows {
                        let row = below(&way, PathPart::Row(row));
                        ahead.extend(columns.keys().map(|column| below(&row, PathPart::Field(column.clone()))));
                    }
                }
                _ if made_up && field.value.is_none() => {
                    found.push(Suspect { way: way.clone(), field, tried: self.left(field, &way).next() });
                }
                _ => {}
            }
            let rules = [&field.value, &field.min, &field.max].into_iter().flatten();
            for name in rules.chain(field.check.as_ref().map(|check| &check.that)).flat_map(read_by) {
                // What stands in the row comes before what stands around it.
                let beside = way.get(..way.len() - 1).map(|row| below(row, PathPart::Field(name.clone())));
                let beside = beside.filter(|beside| field_on(form, beside).is_some());
                ahead.push(beside.unwrap_or_else(|| vec![PathPart::Field(name.clone())]));
            }
        }
        found
    }
}

/// Whether a field is asked for and has no value yet.
fn is_open(name: &FieldName, field: &Field, held: &Record) -> bool {
    let blank = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
    field.value.is_none() && held.get(name).is_none_or(blank)
}

/// Whether what stands at a place is made up: the field, or a column of a row that is held.
fn is_made_up(form: &Form, held: &Record, way: &[PathPart]) -> bool {
    let [PathPart::Field(name), inside @ ..] = way else { return false };
    let Some(field) = form.get(name) else { return false };
    match (&field.kind, inside) {
        (FieldKind::List(columns), [PathPart::Row(number), column @ ..]) if !is_open(name, field, held) => {
            let row = rows_at(held, way).get(*number);
            matches!(row, Some(Value::Record(row)) if is_made_up(columns, row, column))
        }
        _ => is_open(name, field, held),
    }
}

/// The rows that are held where a way begins.
fn rows_at<'r>(held: &'r Record, way: &[PathPart]) -> &'r [Value] {
    match way.first() {
        Some(PathPart::Field(name)) => held.get(name).and_then(Value::as_list).unwrap_or_default(),
        _ => &[],
    }
}

/// What is said of a form with what was made up for it; `held` are the rows that were completed.
pub fn completed(said: &Record, made_up: &Record, held: &Record) -> Record {
    let whole = |(name, value): (&FieldName, &Value)| {
        let (Some(Value::List(rows)), Value::List(more)) = (held.get(name), value) else {
            return (name.clone(), value.clone());
        };
        let row = |(number, row): (usize, &Value)| match (row, more.get(number)) {
            (Value::Record(row), Some(Value::Record(more))) => {
                Value::Record(row.clone().into_iter().chain(more.clone()).collect())
            }
            _ => row.clone(),
        };
        let rows: Vec<Value> = rows.iter().enumerate().map(row).collect();
        (name.clone(), if rows.is_empty() { value.clone() } else { Value::List(rows) })
    };
    said.clone().into_iter().chain(made_up.iter().map(whole)).collect()
}

fn below(way: &[PathPart], part: PathPart) -> Way {
    way.iter().cloned().chain([part]).collect()
}

fn field_on<'f>(form: &'f Form, way: &[PathPart]) -> Option<&'f Field> {
    let (mut columns, mut found) = (Some(form), None);
    for part in way {
        if let PathPart::Field(name) = part {
            let field = columns?.get(name)?;
            columns = if let FieldKind::List(columns) = &field.kind { Some(columns) } else { None };
            found = Some(field);
        }
    }
    found
}

fn read_by(formula: &Formula) -> impl Iterator<Item = &FieldName> {
    formula.reads.iter().filter_map(|read| if let Read::Field(name) = read { Some(name) } else { None })
}
