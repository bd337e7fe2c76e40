//! What names mean where an expression stands, and what is expected there.

use super::domain::Domain;
use super::line::Line;
use super::narrow::Known;
use super::range::Values;
use crate::model::form::Field;
use crate::model::formula::{Expr, Op};
use crate::model::id::{FieldName, StepId};
use crate::model::people::Directory;
use crate::model::time::Unit;
use crate::model::value::{Type, Typed};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What names mean where an expression stands. Empty at first: built up by what is there.
///
/// ```
/// use countersign::expression::{Expected, Scope, compile};
/// use countersign::model::value::{Type, Typed};
/// let scope = Scope::new().field("total", Typed::always(Type::Money));
/// assert!(compile("total >= 500", &scope, &Expected::condition()).is_ok());
/// assert!(compile("totl >= 500", &scope, &Expected::condition()).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Shared: the scopes of one step differ in what is proved, hardly in this.
    pub(super) fields: Arc<IndexMap<FieldName, Typed>>,
    pub(super) directory: Option<Arc<Directory>>,
    /// Nothing but a position is written here.
    pub(super) positions: bool,
    pub(super) steps: BTreeMap<StepId, StepScope>,
    pub(super) applicant: bool,
    pub(super) assignee: bool,
    pub(super) instance: bool,
    pub(super) numbered: bool,
    pub(super) outcome: Option<Arc<[Arc<str>]>>,
    /// What forms keep fields from.
    pub(super) kept: Arc<Kept>,
    /// What conditions have proved before.
    pub(super) known: Vec<Known>,
    /// Fields that have been filled in wherever the condition holds under which they are asked.
    pub(super) asked: BTreeMap<FieldName, Asked>,
    /// Whoever is asked has to be somebody: nobody says what happens else.
    pub(super) somebody: bool,
    /// Types are not checked, and unset data is asked for by name: for trying expressions without a form.
    pub(super) untyped: bool,
}

/// Where a condition holds: for which values of what it asks. All of one of these are so.
pub(crate) type Asked = Vec<Vec<(Expr, Values)>>;

/// A step that can have been walked.
#[derive(Clone, Debug)]
pub(super) struct StepScope {
    pub(super) outcomes: Arc<[Arc<str>]>,
    pub(super) always: bool,
    /// Of its outcomes those that nobody answered with.
    pub(super) unanswered: Vec<Arc<str>>,
}

/// What forms keep fields from, so that no expression has to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// What fields and columns hold where they are set, by their names.
    pub held: BTreeMap<FieldName, Domain>,
    /// Pairs of fields by whose limits the first is never below the second.
    pub ordered: BTreeSet<(FieldName, FieldName)>,
    /// Fields and columns that hold percentages, by their names.
    pub shares: BTreeSet<FieldName>,
    /// Lists that always have an item.
    pub not_empty: BTreeSet<FieldName>,
    /// The most items of lists, by their names.
    pub most: BTreeMap<FieldName, Decimal>,
    /// Columns of rows that hold a list which always has an item.
    pub full_columns: BTreeSet<FieldName>,
    /// The parts that everybody has who may apply: a position, a department.
    pub applicant_has: BTreeSet<&'static str>,
    /// In what lengths of time are counted, of fields and columns that say it. Where this is not known at all, nothing is
    /// made of it.
    pub units: Option<BTreeMap<FieldName, Unit>>,
}

impl Kept {
    /// How the difference of two things stands to zero by the limits of the two, where `pair` compares fields.
    pub(crate) fn difference(&self, pair: &Expr) -> Option<Values> {
        let Op::Compare(_, a, b) = pair.op() else { return None };
        let (Op::Field(a), Op::Field(b)) = (a.op(), b.op()) else { return None };
        let never_below = |a: &FieldName, b: &FieldName| self.ordered.contains(&(a.clone(), b.clone()));
        let zero = |yes: bool| yes.then_some(Decimal::ZERO);
        let (low, high) = (zero(never_below(a, b)), zero(never_below(b, a)));
        low.or(high).map(|_| Values::on(Line::Number, low, high))
    }

    /// In what lengths of time are counted of fields that are known as they are held.
    pub(crate) fn counted<F: Borrow<Field>>(fields: impl IntoIterator<Item = (FieldName, F)>) -> Kept {
        let unit = |(name, field): (FieldName, F)| Some((name, super::told_by(field.borrow())?.unit()));
        Kept { units: Some(fields.into_iter().filter_map(unit).collect()), ..Kept::default() }
    }
}

impl Scope {
    /// A scope in which only literals and functions mean something.
    pub fn new() -> Scope {
        Scope::default()
    }

    /// Any name is data of an unknown type: for expressions without a form.
    pub fn untyped() -> Scope {
        Scope { untyped: true, applicant: true, assignee: true, instance: true, ..Scope::default() }
    }

    /// A field in reach; optional if it may be unset here.
    pub fn field(mut self, name: impl Into<FieldName>, typed: Typed) -> Scope {
        Arc::make_mut(&mut self.fields).insert(name.into(), typed);
        self
    }

    /// Several fields in reach.
    pub fn fields<N: Into<FieldName>>(mut self, fields: impl IntoIterator<Item = (N, Typed)>) -> Scope {
        Arc::make_mut(&mut self.fields).extend(fields.into_iter().map(|(name, typed)| (name.into(), typed)));
        self
    }

    /// What forms keep fields from.
    pub fn kept(mut self, kept: Arc<Kept>) -> Scope {
        self.kept = kept;
        self
    }

    /// What conditions have proved where the expression stands: see [`proved`](super::proved).
    pub(crate) fn knowing(mut self, known: impl IntoIterator<Item = Known>) -> Scope {
        self.known.extend(known);
        self
    }

    /// Fields that have been filled in wherever the condition holds under which they are asked.
    pub(crate) fn asked(mut self, fields: impl IntoIterator<Item = (FieldName, Asked)>) -> Scope {
        for (name, areas) in fields {
            self.asked.entry(name).or_default().extend(areas);
        }
        self
    }

    /// Lists of people have to have somebody in them.
    pub(crate) fn somebody(mut self) -> Scope {
        self.somebody = true;
        self
    }

    /// Positions and departments are names; `everyone` and the functions of the directory mean something.
    pub fn directory(mut self, directory: impl Into<Arc<Directory>>) -> Scope {
        self.directory = Some(directory.into());
        self
    }

    /// Nothing but a position is written here, as it stands.
    pub(crate) fn positions(mut self) -> Scope {
        self.positions = true;
        self
    }

    /// A step whose `outcome`, `by`, `at` and `late` can be read; `always` if it has been walked on every path
    /// that leads here, so that they are set.
    pub fn step<O: AsRef<str>>(
        mut self,
        step: impl Into<StepId>,
        outcomes: impl IntoIterator<Item = O>,
        always: bool,
    ) -> Scope {
        let outcomes = outcomes.into_iter().map(|outcome| Arc::from(outcome.as_ref())).collect();
        self.steps.insert(step.into(), StepScope { outcomes, always, unanswered: Vec::new() });
        self
    }

    /// With these outcomes of a step nobody is behind it: it was passed over, or time decided.
    pub(crate) fn unanswered(mut self, step: &StepId, outcomes: impl IntoIterator<Item = String>) -> Scope {
        if let Some(step) = self.steps.get_mut(step) {
            step.unanswered = outcomes.into_iter().map(Arc::from).collect();
        }
        self
    }

    /// `applicant` means who applied.
    pub fn applicant(mut self) -> Scope {
        self.applicant = true;
        self
    }

    /// `assignee` means whose task it is.
    pub fn assignee(mut self) -> Scope {
        self.assignee = true;
        self
    }

    /// `instance` means the instance; `numbered` if its process gives business numbers.
    pub fn instance(mut self, numbered: bool) -> Scope {
        self.instance = true;
        self.numbered = numbered;
        self
    }

    /// `outcome` means the outcome of the task, one of these.
    pub fn outcome<O: AsRef<str>>(mut self, outcomes: impl IntoIterator<Item = O>) -> Scope {
        self.outcome = Some(outcomes.into_iter().map(|outcome| Arc::from(outcome.as_ref())).collect());
        self
    }
}

/// What an expression has to yield.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// Anything.
    Any,
    /// A value of a type, set unless the type is optional.
    Type(Typed),
    /// A length of time in a unit, set unless it is optional.
    Length {
        /// Its unit.
        unit: Unit,
        /// Whether it may be unset.
        optional: bool,
    },
    /// Who does something: a person, a position, or a list of them. A function of the directory may find nobody.
    People,
    /// When something is due: a duration, a date or a date-time.
    Time,
    /// A list, of anything.
    List,
}

impl Expected {
    /// What goes where a field holds a type, and lengths of time in a unit.
    pub(crate) fn held(typed: Typed, unit: Option<Unit>) -> Expected {
        match unit {
            Some(unit) if typed.of == Type::Duration => Expected::Length { unit, optional: typed.optional },
            _ => Expected::Type(typed),
        }
    }

    /// `true` or `false`.
    pub fn condition() -> Expected {
        Expected::Type(Typed::always(Type::Boolean))
    }
}
