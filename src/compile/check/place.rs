//! What can be where a step stands: of fields, of columns of rows, of how steps went.
//!
//! Every field keeps the fixed limits of its declaration, and every column of a list, whoever wrote it: forms refuse what
//! breaks them, and of what steps write it is proved (`maybe_out_of_bounds`). What is computed keeps them as what it reads
//! is changed, and goes no farther than its expression.

use super::Subject;
use super::lengths::lengths;
use crate::compile::assigned::Certain;
use crate::compile::lower::Part;
use crate::compile::outcomes;
use crate::compile::touch::written_in_rows;
use crate::expression::domain::Domain;
use crate::expression::extent::{extent, proves};
use crate::expression::range::Values;
use crate::expression::region::Declared;
use crate::expression::{Known, fixed};
use crate::model::definition::{StepKind as Kind, outcome};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Expr, Formula, Op, StepFact};
use crate::model::id::{FieldName, StepId};
use crate::model::value::{Type, Value};
use rust_decimal::Decimal;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A computed field, or the list and the column of it that is computed.
type Computed = (Option<FieldName>, FieldName);

/// A place before a step, and what has been proved there.
pub(super) struct Place<'s> {
    subject: &'s Subject<'s>,
    certain: &'s Certain,
    /// What the `when` of the step has proved of what it asks, and what stands in the same step before.
    pub(super) known: Vec<(Expr, Values)>,
    /// What the step has written already, so that what was proved of it before holds no more.
    written: BTreeSet<FieldName>,
    /// What computed fields, and columns of a list, have been found to come to, so that each is reckoned once however
    /// often others read it; nothing while it is being reckoned, as those in a circle never are.
    reckoned: RefCell<BTreeMap<Computed, Option<Domain>>>,
}

impl<'s> Place<'s> {
    /// Before a step, and before its `when` is asked.
    pub(super) fn before(subject: &'s Subject<'s>, step: &StepId) -> Option<Place<'s>> {
        Some(Place {
            subject,
            certain: subject.certain.get(step)?,
            known: Vec::new(),
            written: BTreeSet::new(),
            reckoned: RefCell::default(),
        })
    }

    /// In a step, where its `when` holds.
    pub(super) fn inside(subject: &'s Subject<'s>, step: &StepId) -> Option<Place<'s>> {
        let mut place = Place::before(subject, step)?;
        if let Some(when) = subject.definition.steps.get(step).and_then(|step| step.when.as_ref()) {
            place.known.extend(proves(&when.root, true));
        }
        Some(place)
    }

    /// Nothing is proved of a field any more that is written.
    pub(super) fn forget(&mut self, name: &FieldName) {
        let reads = |expr: &Expr| match expr.op() {
            Op::Field(read) | Op::Path(_, read) | Op::Column { name: read, .. } => read == name,
            _ => false,
        };
        self.known.retain(|(of, _)| !of.any(&mut |expr| reads(expr)));
        self.written.insert(name.clone());
        self.reckoned.take();
    }

    /// What a computed field comes to; `None` where it is computed from itself, which is told elsewhere.
    fn computed(&self, of: Computed, value: &Formula, fields: &dyn Declared) -> Option<Domain> {
        if let Some(known) = self.reckoned.borrow().get(&of) {
            return known.clone();
        }
        self.reckoned.borrow_mut().insert(of.clone(), None);
        let found = extent(&value.root, fields, &[]);
        self.reckoned.borrow_mut().insert(of, Some(found.clone()));
        Some(found)
    }

    /// What an expression can come to here.
    pub(super) fn extent(&self, expr: &Expr) -> Domain {
        extent(expr, self, &[])
    }

    /// What is proved of an expression narrows what it can be.
    fn narrowed(&self, of: &Expr, domain: Domain) -> Domain {
        match self.proved(of) {
            Some(values) => domain.narrowed(&values),
            None => domain,
        }
    }

    /// How a step can have gone where the case goes on; a rejection that leads nowhere ends it.
    fn outcomes(&self, id: &StepId) -> Option<Domain> {
        let subject = self.subject;
        let placed = subject.flow.steps.iter().find(|placed| placed.id == *id && placed.part == Part::Whole)?;
        let called = match &placed.source.kind {
            crate::syntax::StepKind::Call(call) => subject.world.callees.get(call.process.value.as_str()),
            _ => None,
        };
        let called = called.map(|callee| callee.outcomes.as_slice());
        let leads = |name: &str| placed.source.on.iter().any(|(on, _)| on.value == name);
        let asks = subject.definition.steps.get(id).is_some_and(|step| step.human().is_some());
        let ends = |name: &String| {
            asks && [outcome::REJECTED, outcome::RETURNED].contains(&name.as_str()) && !leads(name.as_str())
        };
        let all = outcomes::all(placed.source, subject.document, called);
        let all = all.into_iter().filter(|name| !ends(name)).map(Arc::from);
        Some(Domain::words(all).with_null(!self.certain.steps.contains(id)))
    }

    /// Whether rows of a list have a column, by its declaration or as the body of an `each` asks it.
    fn has_column(&self, list: &FieldName, name: &FieldName) -> bool {
        let definition = self.subject.definition;
        let mut declared = definition.fields().filter(|(known, _)| *known == list);
        let own =
            |(_, field): (_, &Field)| matches!(&field.kind, FieldKind::List(columns) if columns.contains_key(name));
        let mut bodies = definition.steps.values().filter_map(|step| match &step.kind {
            Kind::Each(each) if each.list == *list => Some(each),
            _ => None,
        });
        declared.any(own) || bodies.any(|each| each.columns.contains_key(name))
    }

    /// A column: of the row here, or of all rows of a list.
    fn column(&self, list: &FieldName, name: &FieldName) -> Option<Domain> {
        let definition = self.subject.definition;
        let row = self.certain.row.as_ref().and_then(|each| match &definition.steps.get(each)?.kind {
            Kind::Each(each) if each.alias == *list && !each.plain => Some(each),
            _ => None,
        });
        let of = row.map_or(list, |each| &each.list);
        let declared = definition.fields().find(|(known, _)| *known == of);
        let asked = declared.is_some_and(|(known, _)| !definition.data.contains_key(known));
        let own = declared.and_then(|(_, field)| match &field.kind {
            FieldKind::List(columns) => columns.get(name),
            _ => None,
        });
        if let Some(field) = own {
            // What is in a list that is computed is of the types of its columns, and no more is known.
            if declared.is_some_and(|(_, list)| list.value.is_some()) {
                return Some(Domain::written(field).with_null(true));
            }
            let set = asked
                && field.required
                && field.when.is_none()
                && field.value.is_none()
                && !written_in_rows(self.subject.flow, name);
            let mut domain = Domain::asked(field);
            if let Some(value) = field.value.as_ref().filter(|_| !field.many) {
                let column = |name: &FieldName| self.has_column(of, name).then(|| self.column(list, name)).flatten();
                let in_row = |name: &FieldName| column(name).unwrap_or_else(|| self.field(name));
                let found = self.computed((Some(list.clone()), name.clone()), value, &in_row);
                domain = found.map_or(domain.clone(), |found| domain.computed(&found));
            }
            return Some(domain.with_null(!set));
        }
        let all = definition.steps.values().filter_map(|step| match &step.kind {
            Kind::Each(each) if each.list == *of => each.columns.get(name),
            _ => None,
        });
        match (row, all.reduce(|first, _| first)) {
            (Some(row), _) => {
                let field = row.columns.get(name)?;
                let set = field.required && field.when.is_none() && self.certain.fields.contains(name);
                Some(Domain::asked(field).with_null(!set))
            }
            (None, Some(asked)) => Some(Domain::asked(asked).with_null(true)),
            (None, None) => {
                declared.filter(|(_, list)| matches!(list.kind, FieldKind::List(_))).map(|_| Domain::only(&Value::Null))
            }
        }
    }
}

impl Declared for Place<'_> {
    fn field(&self, name: &FieldName) -> Domain {
        let definition = self.subject.definition;
        let Some((_, field)) = definition.fields().find(|(known, _)| *known == name) else { return Domain::any(true) };
        let nullable = |formula: &Option<Formula>| formula.as_ref().is_some_and(|formula| formula.of.optional);
        let list = matches!(field.typed().of, Type::List(_));
        let optional = match definition.data.contains_key(name) {
            true => nullable(&field.value),
            false => field.typed().optional || nullable(&field.value) || !field.required && nullable(&field.default),
        };
        let proved = self.certain.known.iter().any(|known| known.sets(name.as_str()));
        let null = !list && !proved && (optional || !self.certain.fields.contains(name));
        let mut domain = Domain::of_items(field);
        if let Some(value) = field.value.as_ref().filter(|_| !field.many) {
            let found = self.computed((None, name.clone()), value, self);
            domain = found.map_or(domain.clone(), |found| domain.computed(&found));
        }
        self.narrowed(&Expr::new(Op::Field(name.clone())), domain.with_null(null))
    }

    fn part(&self, of: &Expr) -> Option<Domain> {
        let found = match of.op() {
            Op::Step(id, StepFact::Outcome) => self.outcomes(id)?,
            Op::Path(row, column) => match row.op() {
                Op::Field(list) => self.column(list, column)?,
                _ => return None,
            },
            _ => return None,
        };
        Some(self.narrowed(of, found))
    }

    fn proved(&self, of: &Expr) -> Option<Values> {
        let lasts =
            |known: &&Known| self.written.is_empty() || known.of().is_some_and(|of| of.is_disjoint(&self.written));
        let before = Known::all_of(self.certain.known.iter().filter(lasts), of);
        let here = self.known.iter().filter(|(known, _)| known == of).map(|(_, values)| values.clone());
        let always = self.subject.kept.difference(of);
        before.into_iter().chain(here).chain(always).reduce(|all, more| all.intersection(&more).unwrap_or(all))
    }

    fn rows(&self, name: &FieldName) -> (Option<Decimal>, Option<Decimal>) {
        let definition = self.subject.definition;
        let found = definition.fields().find(|(known, _)| *known == name).map(|(_, field)| field);
        if let Some(text) = found.filter(|field| matches!(field.kind, FieldKind::Text | FieldKind::LongText)) {
            return letters(text, definition.data.contains_key(name));
        }
        let Some(list) = found.filter(|list| matches!(list.kind, FieldKind::List(_)) && list.value.is_none()) else {
            return (None, None);
        };
        let number = |limit: &Option<Formula>| fixed(limit.as_ref()?)?.as_number();
        // What is asked later, or not always, has no rows before.
        let full = definition.form.contains_key(name) && list.when.is_none();
        let least = number(&list.min).max(list.required.then_some(Decimal::ONE));
        (least.filter(|_| full), number(&list.max))
    }
}

/// How many characters a text has where it is set. What people type has one at least, and an end.
fn letters(text: &Field, by_steps: bool) -> (Option<Decimal>, Option<Decimal>) {
    if text.many || text.value.is_some() {
        return (None, None);
    }
    let number = |limit: &Option<Formula>| fixed(limit.as_ref()?)?.as_number();
    let (least, most) = (number(&text.min), number(&text.max));
    if by_steps {
        return (least, most);
    }
    let matched = match &text.pattern {
        Some(pattern) => match lengths(pattern) {
            Some((least, most)) => (Some(least), most),
            None => return (least, most),
        },
        None => (Some(1), None),
    };
    let count = |count: Option<usize>| count.map(Decimal::from);
    let most = most.into_iter().chain(count(matched.1)).chain(count(text.most())).min();
    (least.into_iter().chain(count(matched.0)).max(), most)
}

/// What varies on its own, as an author writes it.
pub(super) fn spelled(of: &Expr) -> String {
    match of.op() {
        Op::Step(id, StepFact::Outcome) => format!("steps.{id}.outcome"),
        Op::Path(row, column) => format!("{}.{column}", spelled(row)),
        Op::Field(name) => name.to_string(),
        _ => "…".to_owned(),
    }
}
