//! What is known of every field of a process: its type, the form that it belongs to, and where it can be null.
//!
//! A field is null until it is asked or written, and where it need not be filled in. A default or a computed value
//! can be null where what it reads can be. A list is never null, only empty.
//!
//! What the body of an `each` asks is kept here too, but it is a column of the row: see `rows`.

mod written;

pub(crate) use written::Unwritable;

use crate::compile::assigned::Certain;
use crate::compile::computed;
use crate::compile::rows::{self, Rows, asked_in};
use crate::compile::typing::Typing;
use crate::expression::{self, Expected, Scope};
use crate::model::form::{Field, FieldKind};
use crate::model::id::{FieldName, StepId};
use crate::model::text::Text;
use crate::model::value::{Type, Typed};
use crate::syntax::{self, FieldType, Process};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every field of a process with its type.
pub(crate) struct Fields<'a> {
    known: IndexMap<FieldName, Known<'a>>,
    /// The new lists that `into` names.
    made: IndexMap<FieldName, Typed>,
    rows: Vec<Rows<'a>>,
}

struct Known<'a> {
    field: &'a syntax::Field,
    home: Home,
    /// What it holds once it was asked or written.
    typed: Typed,
}

/// Which form a field belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Home {
    /// The start form.
    Start,
    /// The data.
    Data,
    /// The form of a step.
    Step(StepId),
    /// The form of a step in the body of an `each`.
    Row {
        /// The `each`.
        each: StepId,
        /// The step.
        step: StepId,
    },
}

impl<'a> Fields<'a> {
    /// Collects the fields and finds out which defaults and computed values can be null.
    pub(crate) fn of(document: &'a Process, typing: &mut Typing<'a>) -> Fields<'a> {
        let mut fields = Fields { known: IndexMap::new(), made: IndexMap::new(), rows: Vec::new() };
        let mut declare = |field: &'a syntax::Field, home: Home| {
            let mut typed = typed_of(field);
            // Steps write it: it is null only until then.
            typed.optional &= home != Home::Data;
            // A second declaration is reported; the first one holds.
            fields.known.entry(name_of(field)).or_insert(Known { field, home, typed });
        };
        document.form.iter().for_each(|field| declare(field, Home::Start));
        document.data.iter().for_each(|field| declare(field, Home::Data));
        let flow = typing.flow;
        for placed in &flow.steps {
            let step = placed.id.clone();
            let home = match flow.row_of(&placed.id) {
                Some(each) => Home::Row { each: each.clone(), step },
                None => Home::Step(step),
            };
            placed.source.form.iter().for_each(|field| declare(field, home.clone()));
        }
        fields.rows = rows::of(&fields, typing);
        fields.lists();
        computed::follow(&fields, typing);
        fields.settle(typing);
        fields
    }

    /// The lists that rows come back in have the columns that the bodies ask.
    fn lists(&mut self) {
        for rows in &self.rows {
            let asked = self.known.iter().filter(|(_, known)| asked_in(&known.home, &rows.each));
            let typed = rows.columns(asked.map(|(name, known)| (name.clone(), known.typed.clone())));
            match self.known.get_mut(&rows.list) {
                Some(list) if !rows.declared.is_empty() => {
                    let before = std::mem::replace(&mut list.typed, typed);
                    list.typed = more_columns(before, &list.typed);
                }
                // `into` names a field that is there already: reported where names are.
                Some(_) => {}
                None => drop(self.made.insert(rows.list.clone(), typed)),
            }
        }
    }

    /// Every field as it is declared, with its form.
    pub(super) fn declared(&self) -> impl Iterator<Item = (&Home, &'a syntax::Field)> {
        self.known.values().map(|known| (&known.home, known.field))
    }

    /// The rows of every `each`.
    pub(crate) fn rows(&self) -> &[Rows<'a>] {
        &self.rows
    }

    /// A field of this name that is a list of records, and no column.
    pub(crate) fn list_of_records(&self, name: &str) -> Option<(FieldName, &'a syntax::Field)> {
        let (name, known) = self.known.get_key_value(name)?;
        let records = known.field.kind.is_some_and(|kind| kind.value == FieldType::List);
        (records && !matches!(known.home, Home::Row { .. })).then(|| (name.clone(), known.field))
    }

    /// Values that depend on values that can be null can be null too: repeated until nothing changes.
    fn settle(&mut self, typing: &Typing<'_>) {
        loop {
            let mut nullable = Vec::new();
            let at_start = self.at_start();
            let mut computing: BTreeMap<Home, Scope> = BTreeMap::new();
            for (name, known) in &self.known {
                if known.typed.optional || is_list(&known.typed) {
                    continue;
                }
                let field = known.field;
                let required = field.required.is_some_and(|required| required.value);
                let null = match (&field.value, &field.default) {
                    (Some(value), _) => {
                        let scope = computing.entry(known.home.clone());
                        let scope = scope.or_insert_with(|| self.computing(typing, &known.home, &at_start));
                        expression::may_be_null(&value.text, scope, &expected(field))
                    }
                    (None, Some(default)) if !required => {
                        let certain = Certain { fields: at_start.clone(), ..Certain::default() };
                        let own = if known.home == Home::Start { typing.document.form.as_slice() } else { &[] };
                        let unfilled = self.unfilled(typing, &certain, own);
                        expression::may_be_null(&default.text, &unfilled, &expected(field))
                    }
                    _ => false,
                };
                if null {
                    nullable.push(name.clone());
                }
            }
            if nullable.is_empty() {
                break;
            }
            for name in nullable {
                if let Some(known) = self.known.get_mut(&name) {
                    known.typed.optional = true;
                }
            }
        }
    }

    /// Which form a field belongs to.
    pub(super) fn home(&self, name: &str) -> Home {
        self.known.get(name).map_or(Home::Start, |known| known.home.clone())
    }

    /// Whether the process has such a field, or the row that is meant such a column.
    pub(crate) fn contains(&self, name: &str, row: Option<&StepId>) -> bool {
        let here = |known: &Known<'_>| match &known.home {
            Home::Row { each, .. } => row == Some(each),
            _ => true,
        };
        self.known.get(name).is_some_and(here) || self.made.contains_key(name)
    }

    /// Every name of a field, without the columns of rows.
    pub(crate) fn names(&self) -> impl Iterator<Item = &FieldName> {
        let cases = self.known.iter().filter(|(_, known)| !matches!(known.home, Home::Row { .. }));
        cases.map(|(name, _)| name).chain(self.made.keys())
    }

    /// Every name of a field or of what a body asks.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = &FieldName> {
        self.known.keys().chain(self.made.keys())
    }

    /// The fields that are set when a case starts. A computed one is computed then for the first time.
    pub(crate) fn at_start(&self) -> BTreeSet<FieldName> {
        let set = |known: &Known<'_>| match &known.home {
            Home::Start => true,
            Home::Data => known.field.default.is_some() || known.field.value.is_some(),
            Home::Step(_) | Home::Row { .. } => false,
        };
        self.known.iter().filter(|(_, known)| set(known)).map(|(name, _)| name.clone()).collect()
    }

    /// Every field with what it can hold at a place; in the body of an `each`, the row too.
    pub(crate) fn at(&self, certain: &Certain) -> impl Iterator<Item = (FieldName, Typed)> {
        let typed = |name: &FieldName, known: &Known<'_>| {
            let settled = is_list(&known.typed) || certain.fields.contains(name);
            let typed = self.complete(name, &known.typed, certain);
            Typed { optional: typed.optional || !settled, ..typed }
        };
        let row = certain.row.as_ref().and_then(|row| self.rows.iter().find(|rows| rows.each == *row));
        let mut found: Vec<(FieldName, Typed)> = Vec::with_capacity(self.known.len() + 1);
        let mut columns: IndexMap<FieldName, Typed> = IndexMap::new();
        for (name, known) in &self.known {
            match &known.home {
                Home::Row { each, step } => {
                    if certain.row.as_ref() != Some(each) {
                        continue;
                    }
                    let asking = certain.asking.as_ref() == Some(step);
                    // What is being asked stands bare in its own form, and is not in the row yet.
                    let typed = typed(name, known);
                    let optional = typed.optional || asking && !is_list(&typed);
                    if asking || row.is_some_and(|row| row.plain) {
                        found.push((name.clone(), typed.clone()));
                    }
                    columns.insert(name.clone(), Typed { optional, ..typed });
                }
                Home::Start | Home::Data | Home::Step(_) => found.push((name.clone(), typed(name, known))),
            }
        }
        found.extend(self.made.iter().map(|(name, typed)| (name.clone(), self.complete(name, typed, certain))));
        if let Some(row) = row {
            let item = match &row.item.of {
                Type::Record(own) if !row.plain => {
                    let mut all = (**own).clone();
                    all.iter_mut().for_each(|(name, typed)| typed.optional &= !certain.columns.contains(name));
                    for (name, typed) in columns {
                        all.entry(name).or_insert(typed);
                    }
                    Typed::always(Type::Record(Arc::new(all)))
                }
                _ => row.item.clone(),
            };
            found.push((row.alias.clone(), item));
        }
        found.into_iter()
    }

    /// A list with the columns that all of its rows have by then.
    fn complete(&self, list: &FieldName, typed: &Typed, certain: &Certain) -> Typed {
        let filled = |column: &FieldName| {
            let always = self.known.get(column).is_some_and(|known| !known.typed.optional);
            always && certain.rows.iter().any(|(of, filled)| of == list && filled == column)
        };
        match &typed.of {
            Type::List(item) if certain.rows.iter().any(|(of, _)| of == list) => match &item.of {
                Type::Record(columns) => {
                    let mut columns = (**columns).clone();
                    columns.iter_mut().for_each(|(name, typed)| typed.optional &= !filled(name));
                    let item = Typed { of: Type::Record(Arc::new(columns)), ..(**item).clone() };
                    Typed { of: Type::List(Box::new(item)), ..typed.clone() }
                }
                _ => typed.clone(),
            },
            _ => typed.clone(),
        }
    }

    /// Whether a field that is no list holds a value wherever it was asked, written or computed.
    pub(super) fn is_never_null(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|known| !known.typed.optional && !is_list(&known.typed))
    }

    /// Every field of the case as it is where all of them are set.
    pub(crate) fn settled(&self) -> impl Iterator<Item = (FieldName, Typed)> {
        let cases = self.known.iter().filter(|(_, known)| !matches!(known.home, Home::Row { .. }));
        let cases = cases.map(|(name, known)| (name.clone(), known.typed.clone()));
        cases.chain(self.made.iter().map(|(name, typed)| (name.clone(), typed.clone())))
    }

    /// Every field as it is wherever nothing is certain.
    pub(crate) fn anywhere(&self) -> impl Iterator<Item = (FieldName, Typed)> {
        self.settled().map(|(name, typed)| {
            let optional = !is_list(&typed);
            (name, Typed { optional, ..typed })
        })
    }

    /// What the computed fields of a form may read, where `before` is certain before the form is filled in. Those
    /// of the start form come before all that a case holds besides.
    pub(super) fn computing(&self, typing: &Typing<'_>, home: &Home, before: &BTreeSet<FieldName>) -> Scope {
        let own = |known: &Known<'_>| known.home == *home;
        let mut certain = Certain::default();
        if let Home::Row { each, step } = home {
            certain.row = Some(each.clone());
            certain.asking = Some(step.clone());
        }
        certain.fields.extend(self.known.iter().filter(|(_, known)| own(known)).map(|(name, _)| name.clone()));
        if *home != Home::Start {
            certain.fields.extend(before.iter().cloned());
        }
        typing.everywhere().fields(self.at(&certain)).asked(typing.asked_among(&certain))
    }

    /// What may be read before a form is filled in: nothing of the form itself.
    pub(super) fn unfilled(&self, typing: &Typing<'_>, certain: &Certain, own: &[syntax::Field]) -> Scope {
        self.loosened(typing, certain, |field| named(own, field))
    }

    /// What may be read while a form is filled in: from the field at `at` on only what must be given, and nothing
    /// that the form computes.
    pub(super) fn filling(&self, typing: &Typing<'_>, certain: &Certain, own: &[syntax::Field], at: usize) -> Scope {
        let later = own.get(at..).unwrap_or_default();
        self.loosened(typing, certain, |field| {
            named(own, field) && field.value.is_some() || named(later, field) && !asked_always(field)
        })
    }

    fn loosened(&self, typing: &Typing<'_>, certain: &Certain, loose: impl Fn(&syntax::Field) -> bool) -> Scope {
        let reached = self.at(certain).map(|(name, typed)| {
            let loose = self.known.get(&name).is_some_and(|known| loose(known.field));
            (name, Typed { optional: typed.optional || (loose && !is_list(&typed)), ..typed })
        });
        typing.everywhere().fields(reached)
    }
}

/// Adds to a list of records the columns of another.
fn more_columns(list: Typed, other: &Typed) -> Typed {
    let columns = |typed: &Typed| match &typed.of {
        Type::List(item) => match &item.of {
            Type::Record(columns) => Some(columns.clone()),
            _ => None,
        },
        _ => None,
    };
    let (Some(own), Some(more)) = (columns(&list), columns(other)) else { return list };
    let mut all = (*own).clone();
    for (name, typed) in more.iter() {
        all.entry(name.clone()).or_insert_with(|| typed.clone());
    }
    Typed { of: Type::List(Box::new(Typed::always(Type::Record(Arc::new(all))))), ..list }
}

/// A column that was never declared, by the type of its values.
pub(super) fn column_of(name: &FieldName, typed: &Typed) -> Field {
    let (of, many) = match &typed.of {
        Type::List(item) if !matches!(item.of, Type::Record(_)) => (&item.of, true),
        of => (of, false),
    };
    let kind = match of {
        Type::Number => FieldKind::Decimal,
        Type::Money => FieldKind::Money,
        Type::Boolean => FieldKind::Boolean,
        Type::Date => FieldKind::Date,
        Type::DateTime => FieldKind::DateTime,
        Type::Duration => FieldKind::Duration,
        Type::Person => FieldKind::Person(None),
        Type::Position => FieldKind::Position,
        Type::Department => FieldKind::Department,
        Type::Choice(options) => {
            FieldKind::Choice(options.iter().map(|option| (option.clone(), Text::One(option.to_string()))).collect())
        }
        Type::List(item) => match &item.of {
            Type::Record(columns) => {
                FieldKind::List(columns.iter().map(|(name, typed)| (name.clone(), column_of(name, typed))).collect())
            }
            _ => FieldKind::Text,
        },
        _ => FieldKind::Text,
    };
    Field { many, ..field_of(name, kind) }
}

/// A field that was never declared and is called as it is named.
pub(crate) fn field_of(name: &FieldName, kind: FieldKind) -> Field {
    Field::new(Text::One(name.to_string()), kind)
}

/// The type of a field's value, and whether it may be null once the form was filled in.
pub(super) fn typed_of(field: &syntax::Field) -> Typed {
    let of = type_of(field);
    if matches!(of, Type::List(_)) {
        return Typed::always(of);
    }
    let filled = field.required.is_some_and(|required| required.value) || keeps_default(field) || field.value.is_some();
    Typed { of, optional: field.when.is_some() || !filled }
}

pub(super) fn type_of(field: &syntax::Field) -> Type {
    let Some(kind) = field.kind else { return Type::Any };
    let one = match kind.value {
        FieldType::Text | FieldType::LongText => Type::Text,
        FieldType::Integer | FieldType::Decimal | FieldType::Percent => Type::Number,
        FieldType::Money => Type::Money,
        FieldType::Boolean => Type::Boolean,
        FieldType::Date => Type::Date,
        FieldType::DateTime => Type::DateTime,
        FieldType::Duration => Type::Duration,
        // Options that could not be read are no reason to refuse every comparison.
        FieldType::Choice if field.options.is_empty() => Type::Any,
        FieldType::Choice => {
            Type::Choice(field.options.iter().map(|option| Arc::from(option.name.value.as_str())).collect())
        }
        FieldType::Person => Type::Person,
        FieldType::Position => Type::Position,
        FieldType::Department => Type::Department,
        FieldType::File => Type::File,
        FieldType::List => {
            let columns: IndexMap<FieldName, Typed> =
                field.fields.iter().map(|column| (name_of(column), typed_of(column))).collect();
            return Type::List(Box::new(Typed::always(Type::Record(Arc::new(columns)))));
        }
    };
    if many(field) { Type::List(Box::new(Typed::always(one))) } else { one }
}

/// What `default` and `value` must yield.
pub(super) fn expected(field: &syntax::Field) -> Expected {
    let of = type_of(field);
    Expected::Type(Typed { optional: !matches!(of, Type::List(_)), of })
}

pub(super) fn named(fields: &[syntax::Field], field: &syntax::Field) -> bool {
    fields.iter().any(|other| std::ptr::eq(other, field))
}

/// Whether its author says in so many words that it need not be there.
pub(super) fn may_be_missing(field: &syntax::Field) -> bool {
    field.required.is_some_and(|required| !required.value)
}

/// Whether its default stands where nothing else does: nobody may empty it, unless its author says so.
pub(super) fn keeps_default(field: &syntax::Field) -> bool {
    field.default.is_some() && !may_be_missing(field)
}

pub(super) fn asked_always(field: &syntax::Field) -> bool {
    field.required.is_some_and(|required| required.value) && field.when.is_none()
}

pub(super) fn many(field: &syntax::Field) -> bool {
    field.many.is_some_and(|many| many.value) && field.kind.is_none_or(|kind| kind.value != FieldType::List)
}

pub(super) fn is_list(typed: &Typed) -> bool {
    matches!(typed.of, Type::List(_))
}

pub(super) fn name_of(field: &syntax::Field) -> FieldName {
    FieldName::from(field.name.value.as_str())
}
