//! What is known of every field of a process: its type, the form that it belongs to, and where it can be null.
//!
//! A field is null until it is asked or written, and where it need not be filled in. A default or a computed value
//! can be null where what it reads can be. A list is never null, only empty.

use crate::compile::assigned::Certain;
use crate::compile::typing::Typing;
use crate::diagnostics::Span;
use crate::expression::{Expected, Scope};
use crate::model::id::FieldName;
use crate::model::value::{Type, Typed};
use crate::syntax::{self, FieldType, Process};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every field of a process with its type.
pub(crate) struct Fields<'a> {
    known: IndexMap<FieldName, Known<'a>>,
}

struct Known<'a> {
    field: &'a syntax::Field,
    home: Home,
    /// What it holds once it was asked or written.
    typed: Typed,
}

/// Which form a field belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// The start form.
    Start,
    /// The data.
    Data,
    /// The form of a step, by its number in the text.
    Step(usize),
}

impl<'a> Fields<'a> {
    /// Collects the fields and finds out which defaults and computed values can be null.
    pub(crate) fn of(document: &'a Process, typing: &mut Typing<'_>) -> Fields<'a> {
        let mut fields = Fields { known: IndexMap::new() };
        let mut declare = |field: &'a syntax::Field, home: Home| {
            let mut typed = typed_of(field);
            // Steps write it: it is null only until then.
            typed.optional &= home != Home::Data;
            // A second declaration is reported; the first one holds.
            fields.known.entry(name_of(field)).or_insert(Known { field, home, typed });
        };
        document.form.iter().for_each(|field| declare(field, Home::Start));
        document.data.iter().for_each(|field| declare(field, Home::Data));
        let mut number = 0;
        crate::compile::resolve::walk(&document.steps, &mut |step| {
            step.form.iter().for_each(|field| declare(field, Home::Step(number)));
            number += 1;
        });
        fields.settle(typing);
        fields
    }

    /// Values that depend on values that can be null can be null too: repeated until nothing changes.
    fn settle(&mut self, typing: &mut Typing<'_>) {
        let before = typing.diagnostics.len();
        loop {
            let mut nullable = Vec::new();
            let at_start = self.at_start();
            let mut computing: BTreeMap<Home, Scope> = BTreeMap::new();
            for (name, known) in &self.known {
                if known.typed.optional {
                    continue;
                }
                let field = known.field;
                let required = field.required.is_some_and(|required| required.value);
                let formula = match (&field.value, &field.default) {
                    (Some(value), _) => {
                        let scope = computing.entry(known.home);
                        let scope = scope.or_insert_with(|| self.computing(typing, known.home, &at_start));
                        typing.formula(value, scope, &expected(field))
                    }
                    (None, Some(default)) if !required => {
                        let certain = Certain { fields: at_start.clone(), ..Certain::default() };
                        let own = if known.home == Home::Start { typing.document.form.as_slice() } else { &[] };
                        let unfilled = self.unfilled(typing, &certain, own);
                        typing.formula(default, &unfilled, &expected(field))
                    }
                    _ => None,
                };
                if formula.is_some_and(|formula| formula.of.optional) && !is_list(&known.typed) {
                    nullable.push(name.clone());
                }
            }
            typing.diagnostics.truncate(before);
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
        self.known.get(name).map_or(Home::Start, |known| known.home)
    }

    /// Whether the process has such a field.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &FieldName> {
        self.known.keys()
    }

    /// What a `set` may write to a field, or why it may write nothing.
    pub(crate) fn writable(&self, name: &str) -> Result<Typed, Unwritable> {
        let known = self.known.get(name).ok_or(Unwritable::Unknown)?;
        match (known.home, &known.field.value) {
            (_, Some(value)) => Err(Unwritable::Computed(value.span)),
            (Home::Data, None) => Ok(Typed { optional: !is_list(&known.typed), ..known.typed.clone() }),
            (Home::Start | Home::Step(_), None) => Err(Unwritable::Asked(known.field.name.span)),
        }
    }

    /// The fields that are set when a case starts. A computed one is computed then for the first time.
    pub(crate) fn at_start(&self) -> BTreeSet<FieldName> {
        let set = |known: &Known<'_>| match known.home {
            Home::Start => true,
            Home::Data => known.field.default.is_some() || known.field.value.is_some(),
            Home::Step(_) => false,
        };
        self.known.iter().filter(|(_, known)| set(known)).map(|(name, _)| name.clone()).collect()
    }

    /// Every field with what it can hold at a place.
    pub(crate) fn at(&self, certain: &Certain) -> impl Iterator<Item = (FieldName, Typed)> {
        self.known.iter().map(|(name, known)| {
            let settled = is_list(&known.typed) || certain.fields.contains(name);
            let typed = Typed { optional: known.typed.optional || !settled, ..known.typed.clone() };
            (name.clone(), typed)
        })
    }

    /// Every field as it is wherever nothing is certain.
    pub(crate) fn anywhere(&self) -> impl Iterator<Item = (FieldName, Typed)> {
        self.known
            .iter()
            .map(|(name, known)| (name.clone(), Typed { optional: !is_list(&known.typed), ..known.typed.clone() }))
    }

    /// What the computed fields of a form may read, where `before` is certain before the form is filled in. Those
    /// of the start form come before all that a case holds besides.
    pub(super) fn computing(&self, typing: &Typing<'_>, home: Home, before: &BTreeSet<FieldName>) -> Scope {
        let own = |known: &Known<'_>| known.home == home;
        let mut certain = Certain::default();
        certain.fields.extend(self.known.iter().filter(|(_, known)| own(known)).map(|(name, _)| name.clone()));
        if home != Home::Start {
            certain.fields.extend(before.iter().cloned());
        }
        typing.everywhere().fields(self.at(&certain))
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

/// Why a `set` may not write to a field.
pub(crate) enum Unwritable {
    /// There is no such field.
    Unknown,
    /// It is computed, here.
    Computed(Span),
    /// People fill it in; declared here.
    Asked(Span),
}

/// The type of a field's value, and whether it may be null once the form was filled in.
pub(super) fn typed_of(field: &syntax::Field) -> Typed {
    let of = type_of(field);
    if matches!(of, Type::List(_)) {
        return Typed::always(of);
    }
    let filled =
        field.required.is_some_and(|required| required.value) || field.default.is_some() || field.value.is_some();
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
