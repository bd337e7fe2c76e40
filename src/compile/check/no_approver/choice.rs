//! What who is asked follows from besides the applicant and the directory: what people choose in forms, the row around
//! the step, and who did another step. Each is tried with all that it can be.
//!
//! What steps compute or write is not tried, nor a field of which nobody knows here whom it offers.

use super::seats::{named, superior, without};
use super::{Subject, has_mail};
use crate::compile::touch::written_in_rows;
use crate::expression::{self, Context, StepFacts};
use crate::model::control::{Each, Then};
use crate::model::definition::{Human, Nobody, OwnCase, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Expr, Formula, Op, Read, StepFact};
use crate::model::id::{FieldName, PersonId, StepId};
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Something that can be one or the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Choice {
    /// A field, or a row that is a plain value.
    Field(FieldName),
    /// A column of the row around the step, or of the rows of a list.
    Column(FieldName, FieldName),
    /// Who did a step.
    By(StepId),
}

impl Choice {
    /// As an author writes it.
    pub(super) fn spelled(&self) -> String {
        match self {
            Choice::Field(name) => name.to_string(),
            Choice::Column(of, name) => format!("{of}.{name}"),
            Choice::By(step) => format!("steps.{step}.by"),
        }
    }
}

/// What is taken to have been chosen.
#[derive(Clone, Default)]
pub(super) struct Chosen {
    pub(super) picks: BTreeMap<Choice, Value>,
    data: Record,
    by: Doers,
}

/// Who did which step.
#[derive(Clone, Default)]
struct Doers(BTreeMap<StepId, PersonId>);

impl StepFacts for Doers {
    fn outcome(&self, _: &StepId) -> Option<&str> {
        None
    }
    fn by(&self, step: &StepId) -> Option<PersonId> {
        self.0.get(step).cloned()
    }
    fn at(&self, _: &StepId) -> Option<DateTime<Utc>> {
        None
    }
    fn late(&self, _: &StepId) -> Option<bool> {
        None
    }
}

/// A formula and what it reads; `None` where that is more than can be tried.
pub(super) struct Rule<'s> {
    formula: &'s Formula,
    needs: Option<BTreeSet<Choice>>,
}

/// One choice, and where its values come from.
pub(super) struct Way<'s> {
    pub(super) choice: Choice,
    /// The field whose `check` can refuse it.
    pub(super) asked: Option<FieldName>,
    from: Source<'s>,
}

enum Source<'s> {
    /// People fill it in.
    Form { field: &'s Field, among: Option<Rule<'s>>, check: Option<Rule<'s>> },
    /// The items of a list.
    Items(Rule<'s>),
    /// Who may do a step, at once or once it is overdue.
    Step { human: &'s Human, approval: bool, who: Vec<Rule<'s>>, instead: Vec<Rule<'s>> },
}

/// What can be known before a step.
#[derive(Clone, Copy)]
pub(super) struct Choices<'s, 'a> {
    pub(super) subject: &'s Subject<'a>,
    /// The `each` in whose body the step is.
    pub(super) row: Option<&'s Each>,
}

impl<'s> Choices<'s, '_> {
    pub(super) fn rule(&self, formula: &'s Formula) -> Rule<'s> {
        self.read(formula, false)
    }

    fn read(&self, formula: &'s Formula, of_assignee: bool) -> Rule<'s> {
        let mut needs = BTreeSet::new();
        let known = !formula.reads.contains(&Read::Now) && self.collect(&formula.root, of_assignee, &mut needs);
        Rule { formula, needs: known.then_some(needs) }
    }

    /// Adds what an expression reads; false where it reads what cannot be tried.
    fn collect(&self, expr: &Expr, of_assignee: bool, needs: &mut BTreeSet<Choice>) -> bool {
        match expr.op() {
            Op::Path(of, name) => {
                if let Op::Field(of) = of.op()
                    && self.has_columns(of)
                {
                    needs.insert(Choice::Column(of.clone(), name.clone()));
                    return true;
                }
            }
            Op::Field(name) => drop(needs.insert(Choice::Field(name.clone()))),
            Op::Step(step, StepFact::By) => drop(needs.insert(Choice::By(step.clone()))),
            Op::Assignee if of_assignee => {}
            Op::Assignee | Op::Step(..) | Op::Outcome | Op::Instance(_) => return false,
            _ => {}
        }
        expr.op().children().into_iter().all(|child| self.collect(child, of_assignee, needs))
    }

    fn has_columns(&self, name: &FieldName) -> bool {
        self.row.is_some_and(|each| each.alias == *name && !each.plain)
            || self.field(name).is_some_and(|field| matches!(field.kind, FieldKind::List(_)))
    }

    fn field(&self, name: &FieldName) -> Option<&'s Field> {
        self.subject.definition.fields().find(|(known, _)| *known == name).map(|(_, field)| field)
    }

    /// The choices that these formulas depend on, each behind those that it depends on itself.
    pub(super) fn ways(&self, first: Option<Choice>, rules: &[Rule<'s>]) -> Vec<Way<'s>> {
        let (mut ways, mut seen) = (Vec::new(), BTreeSet::new());
        let needs = rules.iter().filter_map(|rule| rule.needs.as_ref()).flatten().cloned();
        for choice in first.into_iter().chain(needs) {
            self.add(choice, &mut ways, &mut seen);
        }
        ways
    }

    fn add(&self, choice: Choice, ways: &mut Vec<Way<'s>>, seen: &mut BTreeSet<Choice>) {
        if !seen.insert(choice.clone()) {
            return;
        }
        let Some(from) = self.source(&choice) else { return };
        let rules: Vec<&Rule<'s>> = match &from {
            Source::Form { among, .. } => among.iter().collect(),
            Source::Items(rule) => vec![rule],
            Source::Step { who, instead, .. } => who.iter().chain(instead).collect(),
        };
        let needs: Vec<Choice> = rules.into_iter().filter_map(|rule| rule.needs.clone()).flatten().collect();
        for need in needs {
            self.add(need, ways, seen);
        }
        let asked = match (&choice, &from, self.row) {
            (Choice::Field(name), Source::Form { .. }, Some(each)) if each.plain && each.alias == *name => {
                match each.rows.root.op() {
                    Op::Field(list) => Some(list.clone()),
                    _ => None,
                }
            }
            (Choice::Field(name) | Choice::Column(_, name), Source::Form { .. }, _) => Some(name.clone()),
            _ => None,
        };
        ways.push(Way { choice, asked, from });
    }

    fn source(&self, choice: &Choice) -> Option<Source<'s>> {
        match choice {
            Choice::Field(name) => {
                let plain = self.row.filter(|each| each.plain);
                if let Some(each) = plain.filter(|each| each.alias == *name) {
                    return match each.rows.root.op() {
                        Op::Field(list) if !self.subject.definition.data.contains_key(list) => {
                            self.form(self.field(list)?)
                        }
                        _ => Some(Source::Items(self.rule(&each.rows))),
                    };
                }
                let asked = || plain.and_then(|each| each.columns.get(name));
                let own = !self.subject.definition.data.contains_key(name);
                self.form(self.field(name).or_else(asked).filter(|_| own)?)
            }
            Choice::Column(of, name) => {
                let row = self.row.filter(|each| each.alias == *of);
                let list = row.map_or(of, |each| &each.list);
                let listed = self.field(list).filter(|_| !self.subject.definition.data.contains_key(list));
                let declared = listed.and_then(|field| match &field.kind {
                    FieldKind::List(columns) => columns.get(name),
                    _ => None,
                });
                let asked = || row?.columns.get(name).filter(|_| self.is_asked(name));
                self.form(declared.or_else(asked).filter(|_| !written_in_rows(self.subject.flow, name))?)
            }
            Choice::By(id) => {
                let step = self.subject.definition.steps.get(id)?;
                let human = step.human()?;
                let instead = match step.overdue.as_ref().and_then(|overdue| overdue.then.as_ref()) {
                    Some(Then::Reassign(who)) => who.as_slice(),
                    _ => &[],
                };
                Some(Source::Step {
                    human,
                    approval: matches!(step.kind, StepKind::Approve(_)),
                    who: human.who.iter().map(|entry| self.rule(entry)).collect(),
                    instead: instead.iter().map(|entry| self.read(entry, true)).collect(),
                })
            }
        }
    }

    fn form(&self, field: &'s Field) -> Option<Source<'s>> {
        let among = match &field.kind {
            FieldKind::Person(among) => among.as_ref(),
            FieldKind::Position | FieldKind::Department => None,
            _ => return None,
        };
        let (among, check) = (among.map(|among| self.rule(among)), field.check.as_ref());
        let check = check.map(|check| self.rule(&check.that));
        field.value.is_none().then_some(Source::Form { field, among, check })
    }

    /// Whether a step in the body of some `each` asks a column of that name.
    fn is_asked(&self, name: &FieldName) -> bool {
        let mut steps = self.subject.definition.steps.iter();
        steps.any(|(id, step)| {
            self.subject.flow.row_of(id).is_some() && step.human().is_some_and(|human| human.form.contains_key(name))
        })
    }

    /// All that a choice can be, as far as the others are made; `None` where that cannot be known.
    pub(super) fn values(&self, way: &Way<'s>, chosen: &Chosen, applicant: &PersonId) -> Option<Vec<Value>> {
        let holders = &self.subject.world.holders;
        match &way.from {
            Source::Form { field, among, check } => {
                let mut all = everything(field, self.subject);
                if let Some(among) = among {
                    let offered = self.value(among, chosen, applicant, Some(&way.choice))?.ok()?;
                    let offered: Vec<PersonId> = named(&offered, holders).into_iter().flatten().collect();
                    all.retain(|value| matches!(value, Value::Person(person) if offered.contains(person)));
                }
                let refused = |value: &Value| {
                    check.as_ref().is_some_and(|rule| self.refuses(rule, way, value, chosen, applicant))
                };
                // Of several one that is refused alone may be taken beside another.
                let beside = |value: &Value| {
                    let pair = |other: &Value| Value::List(vec![value.clone(), other.clone()]);
                    field.many && all.iter().any(|other| other != value && !refused(&pair(other)))
                };
                Some(all.iter().filter(|value| !refused(value) || beside(value)).cloned().collect())
            }
            Source::Items(rule) => match self.value(rule, chosen, applicant, None)?.ok()? {
                Value::List(items) => Some(items),
                _ => None,
            },
            Source::Step { human, approval, who, instead } => {
                let directory = &self.subject.world.directory;
                let mut people = Vec::new();
                for rule in who {
                    let Some(Ok(value)) = self.value(rule, chosen, applicant, None) else { continue };
                    for seat in named(&value, holders) {
                        let own = *approval && human.policy.own_case != OwnCase::Allow;
                        let own = if own { self.own(chosen, applicant) } else { Vec::new() };
                        people.extend(without(seat, &own, human.policy.own_case, directory));
                    }
                }
                if people.is_empty() && human.policy.nobody == Nobody::Escalate {
                    people.extend(superior(applicant, &self.own(chosen, applicant), directory));
                }
                for rule in instead {
                    for person in people.clone() {
                        let Some(Ok(value)) = self.answered(rule, chosen, applicant, Some(&person), None) else {
                            continue;
                        };
                        people.extend(named(&value, holders).into_iter().flatten());
                    }
                }
                let mut found: Vec<Value> = Vec::new();
                for person in people.into_iter().filter(|person| has_mail(directory, person)) {
                    let value = Value::Person(person);
                    if !found.contains(&value) {
                        found.push(value);
                    }
                }
                Some(found)
            }
        }
    }

    /// Whose case it is.
    pub(super) fn own(&self, chosen: &Chosen, applicant: &PersonId) -> Vec<PersonId> {
        let about = self.subject.definition.about.as_ref().and_then(|name| chosen.data.get(name));
        let about = match about {
            Some(Value::Person(person)) => Some(person.clone()),
            _ => None,
        };
        std::iter::once(applicant.clone()).chain(about).collect()
    }

    fn refuses(&self, rule: &Rule<'s>, way: &Way<'s>, value: &Value, chosen: &Chosen, applicant: &PersonId) -> bool {
        let chosen = self.with(chosen, &way.choice, value.clone());
        matches!(self.value(rule, &chosen, applicant, Some(&way.choice)), Some(Ok(Value::Boolean(false))))
    }

    /// What was chosen, and one thing more.
    pub(super) fn with(&self, chosen: &Chosen, choice: &Choice, value: Value) -> Chosen {
        let mut chosen = chosen.clone();
        chosen.picks.insert(choice.clone(), value.clone());
        match choice {
            Choice::Field(name) => {
                let row = self.row.is_some_and(|each| each.plain && each.alias == *name);
                let many = !row && value.as_list().is_none() && self.field(name).is_some_and(|field| field.many);
                chosen.data.insert(name.clone(), if many { Value::List(vec![value]) } else { value });
            }
            Choice::Column(of, name) => {
                let mut row = match chosen.data.get(of) {
                    Some(Value::Record(row)) => row.clone(),
                    Some(Value::List(rows)) => match rows.first() {
                        Some(Value::Record(row)) => row.clone(),
                        _ => Record::new(),
                    },
                    _ => Record::new(),
                };
                row.insert(name.clone(), value);
                let here = self.row.is_some_and(|each| each.alias == *of);
                let row = Value::Record(row);
                chosen.data.insert(of.clone(), if here { row } else { Value::List(vec![row]) });
            }
            Choice::By(step) => {
                if let Value::Person(person) = value {
                    chosen.by.0.insert(step.clone(), person);
                }
            }
        }
        chosen
    }

    /// The value of a rule, if it follows from the applicant, the directory and what is chosen. In the rules of a
    /// column, columns of its row stand bare.
    pub(super) fn value(
        &self,
        rule: &Rule<'s>,
        chosen: &Chosen,
        applicant: &PersonId,
        of: Option<&Choice>,
    ) -> Option<Result<Value, Wording>> {
        self.answered(rule, chosen, applicant, None, of)
    }

    fn answered(
        &self,
        rule: &Rule<'s>,
        chosen: &Chosen,
        applicant: &PersonId,
        assignee: Option<&PersonId>,
        of: Option<&Choice>,
    ) -> Option<Result<Value, Wording>> {
        let row = match of {
            Some(Choice::Column(row, _)) => Some(row),
            _ => None,
        };
        let mut bare = None;
        for need in rule.needs.as_ref()? {
            if chosen.picks.contains_key(need) {
                continue;
            }
            let (Choice::Field(name), Some(row)) = (need, row) else { return None };
            let value = chosen.picks.get(&Choice::Column(row.clone(), name.clone()))?;
            bare.get_or_insert_with(|| chosen.data.clone()).insert(name.clone(), value.clone());
        }
        let calendar = Calendar::default();
        let (data, directory) = (bare.as_ref().unwrap_or(&chosen.data), &self.subject.world.directory);
        let context = Context {
            applicant: Some(applicant),
            assignee,
            steps: &chosen.by,
            ..Context::new(data, directory, &calendar, DateTime::UNIX_EPOCH)
        };
        Some(expression::evaluate(rule.formula, &context).map_err(|failure| failure.message))
    }

    /// Whether nobody can be chosen in a field that an entry is: what it offers is nobody.
    pub(super) fn offers_nobody(&self, entry: &Formula, applicant: &PersonId) -> bool {
        let Op::Field(name) = entry.root.op() else { return false };
        let Some(FieldKind::Person(Some(among))) = self.field(name).map(|field| &field.kind) else { return false };
        match self.value(&self.rule(among), &Chosen::default(), applicant, None) {
            Some(Ok(value)) => named(&value, &self.subject.world.holders).iter().all(Vec::is_empty),
            _ => false,
        }
    }
}

/// Everything that a field of people, positions or departments can hold.
fn everything(field: &Field, subject: &Subject<'_>) -> Vec<Value> {
    let directory = &subject.world.directory;
    match field.kind {
        FieldKind::Position => directory.positions.keys().cloned().map(Value::Position).collect(),
        FieldKind::Department => directory.departments.keys().cloned().map(Value::Department).collect(),
        FieldKind::Person(_) => directory.people.keys().cloned().map(Value::Person).collect(),
        _ => Vec::new(),
    }
}
