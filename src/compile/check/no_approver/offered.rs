//! A field of people that offers nobody to some applicant: whoever is asked it, at the start or in a task, cannot go on.
//!
//! Where whom it offers depends on what was chosen before, all that can be is tried; what the same form asks can be chosen
//! otherwise. A field that is asked only where something holds counts where that is known to hold.

use super::choice::{Choice, Choices, Chosen, Way};
use super::lack::{Where, when};
use super::{MOST, Subject};
use crate::compile::check::called;
use crate::diagnostics::{Code, Context, Diagnostic, Span};
use crate::expression::fixed;
use crate::model::definition::{StepKind as Kind, outcome};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, PersonId};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::syntax;
use rust_decimal::prelude::ToPrimitive;

pub(super) fn check(
    subject: &Subject<'_>,
    applicants: &[Vec<PersonId>],
    applies: &Context,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let form = &subject.definition.form;
    let start = Offering { choices: Choices { subject, row: None }, form, step: None, when: None };
    let mut found = start.fields(&subject.document.form, form, None, applicants);
    for placed in &subject.flow.steps {
        let Some(step) = subject.definition.steps.get(&placed.id) else { continue };
        // Who approves can reject, and what goes back can be asked otherwise.
        let Kind::Task(human) = &step.kind else { continue };
        if human.outcomes.contains_key(outcome::RETURNED) {
            continue;
        }
        let row = subject.flow.row_of(&placed.id).and_then(|each| super::each(subject, each));
        let (choices, form, when) = (Choices { subject, row }, &human.form, step.when.as_ref());
        let offering = Offering { choices, form, step: Some(called(placed)), when };
        found.extend(offering.fields(&placed.source.form, form, None, applicants));
    }
    diagnostics.extend(found.into_iter().map(|one| one.context(applies.span, applies.text.clone())));
}

/// What asks a form: a step, or the start.
struct Offering<'s, 'a> {
    choices: Choices<'s, 'a>,
    form: &'s Form,
    step: Option<String>,
    when: Option<&'s Formula>,
}

impl<'s> Offering<'s, '_> {
    /// Of the fields of the form, or of the columns of a list in it.
    fn fields(
        &self,
        written: &[syntax::Field],
        form: &'s Form,
        list: Option<&FieldName>,
        applicants: &[Vec<PersonId>],
    ) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for source in written {
            let Some((name, field)) = form.get_key_value(source.name.value.as_str()) else { continue };
            if !field.required && !field.wants_one() {
                continue;
            }
            match (&field.kind, &source.among) {
                (FieldKind::List(columns), _) if list.is_none() && field.when.is_none() => {
                    found.extend(self.fields(&source.fields, columns, Some(name), applicants));
                }
                // That nobody at all is written there is told as a field that is impossible.
                (FieldKind::Person(Some(among)), Some(text)) if fixed(among).is_none() => {
                    let choice = match (list, self.choices.row) {
                        (Some(list), _) => Choice::Column(list.clone(), name.clone()),
                        (None, Some(row)) if !row.plain => Choice::Column(row.alias.clone(), name.clone()),
                        _ => Choice::Field(name.clone()),
                    };
                    let groups = super::told_apart(applicants, text.text.contains("person"));
                    found.extend(self.nobody(text.span, choice, field, &groups));
                }
                _ => {}
            }
        }
        found
    }

    /// What is said where nobody can be chosen in a field: for whose cases, or of what was chosen before an example.
    fn nobody(&self, at: Span, choice: Choice, field: &Field, groups: &[Vec<PersonId>]) -> Option<Diagnostic> {
        let mut ways = self.choices.ways(Some(choice.clone()), &[]);
        let own = ways.pop()?;
        if ways.iter().any(|way| self.is_asked_beside(&way.choice, &choice)) {
            return None;
        }
        let directory: &Directory = &self.choices.subject.world.directory;
        // Who is chosen twice counts once.
        let least = field.min.as_ref().and_then(fixed).and_then(|min| min.as_number()?.to_usize());
        let least = least.filter(|_| field.many).unwrap_or_default().max(1);
        let (mut people, mut example) = (Vec::new(), None);
        for group in groups {
            let Some(applicant) = group.first() else { continue };
            let lacking = |chosen: &Chosen| {
                self.holds(self.when, chosen, applicant) != Some(false)
                    && field.when.as_ref().is_none_or(|when| self.holds(Some(when), chosen, applicant) == Some(true))
                    && self.choices.values(&own, chosen, applicant).is_some_and(|values| values.len() < least)
            };
            let Some(chosen) = self.tried(&ways, applicant).into_iter().find(lacking) else { continue };
            example = example.or(ways.last().and_then(|way| Some((way, chosen.picks.get(&way.choice)?.clone()))));
            people.extend(group.iter().cloned());
        }
        let all = groups.iter().map(Vec::len).sum();
        let (who, few) = (when(&people, all, directory), people.len() < all);
        let who = match &example {
            Some((way, value)) => {
                let chosen = Where { of: &way.choice, names: &[shown(value, directory)] };
                chosen.and(few.then_some(who))
            }
            None => who,
        };
        (!people.is_empty()).then(|| self.told(at, &who, few, least))
    }

    /// Whether whoever is asked chooses this, too, so that they can choose otherwise.
    fn is_asked_beside(&self, other: &Choice, choice: &Choice) -> bool {
        let columns = match choice {
            Choice::Column(list, _) => self.form.get(list).map(|list| &list.kind),
            _ => None,
        };
        let in_row = |name| matches!(columns, Some(FieldKind::List(columns)) if columns.contains_key(name));
        match other {
            Choice::Field(name) => self.form.contains_key(name) || in_row(name),
            Choice::Column(of, name) => self.form.contains_key(of) || self.form.contains_key(name),
            Choice::By(_) => false,
        }
    }

    fn holds(&self, condition: Option<&'s Formula>, chosen: &Chosen, applicant: &PersonId) -> Option<bool> {
        let rule = self.choices.rule(condition?);
        match self.choices.value(&rule, chosen, applicant, None) {
            Some(Ok(Value::Boolean(holds))) => Some(holds),
            _ => None,
        }
    }

    /// Everything that was chosen before.
    fn tried(&self, ways: &[Way<'s>], applicant: &PersonId) -> Vec<Chosen> {
        let mut all = vec![Chosen::default()];
        for way in ways {
            let mut more = Vec::new();
            for chosen in &all {
                let values = self.choices.values(way, chosen, applicant).unwrap_or_default();
                more.extend(values.into_iter().map(|value| self.choices.with(chosen, &way.choice, value)));
            }
            more.truncate(MOST);
            all = more;
        }
        all
    }

    fn told(&self, at: Span, who: &Wording, few: bool, least: usize) -> Diagnostic {
        let (none_zh, none_en) = match least {
            1 => ("这里一个人也没有".to_owned(), "nobody is among these".to_owned()),
            _ => (format!("这里不到 {least} 个人"), format!("fewer than {least} are among these")),
        };
        let (less_zh, less_en) = match least {
            1 => ("允许不填（`required: false`）", "let it be empty (`required: false`)"),
            _ => ("改小 `min`", "ask for fewer with `min`"),
        };
        let (zh, en) = match &self.step {
            Some(step) => (format!("`{step}` 没有人办得完"), format!("nobody can complete `{step}`")),
            None => ("谁也提交不了".to_owned(), "nobody can hand the form in".to_owned()),
        };
        let (kept_zh, kept_en) = if few {
            ("；也可以用 `start` 不让他们发起", "; or keep them from starting it, with `start`")
        } else {
            ("", "")
        };
        Diagnostic::new(
            Code::MaybeImpossibleField,
            at,
            Wording::new(format!("{}，{none_zh}，{zh}", who.zh), format!("{}, {none_en}, so {en}", who.en)),
        )
        .hint(Wording::new(
            format!("请在通讯录里补上人，让别的人也可以选，或{less_zh}{kept_zh}"),
            format!("add somebody to the directory, offer others too, or {less_en}{kept_en}"),
        ))
    }
}

fn shown(value: &Value, directory: &Directory) -> String {
    match value {
        Value::Person(id) => directory.name_of(id).to_owned(),
        Value::Position(id) => id.to_string(),
        Value::Department(id) => id.to_string(),
        _ => String::new(),
    }
}
