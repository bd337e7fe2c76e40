//! A step that has nobody to ask, for some person who may apply.
//!
//! For every human step and every possible applicant, `who` is evaluated with the directory as it is. Where it depends
//! on what people choose, on the row around the step or on who did another step, and of an approval on whom the case is
//! about, all that these can be is tried: what fields take, and for which the step is not skipped. Whose case it is is
//! struck from approvals and their superior takes the place, as the engine does it. Whoever is named twice is asked
//! once. Where the first answer decides, one of those named is enough. Absences pass, so what they lead to is only warned of. Who is asked once a step is overdue is judged too: it may
//! not be nobody whoever applies.
//!
//! The directory knows people by what they hold. So applicants with the same positions fare alike, and one of them is
//! tried for all, unless an expression names somebody by id. Where more than one thing is chosen, so are the chosen, and
//! there is an end to what is tried.

mod away;
mod choice;
mod lack;
mod offered;
mod seats;
mod told;

use super::{Subject, called};
use crate::diagnostics::{Context, Diagnostic, Span};
use crate::model::control::{Each, Then};
use crate::model::definition::{Human, Mode, Nobody, OwnCase, Step, StepKind as Kind};
use crate::model::id::{PersonId, PositionId, StepId};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::syntax::{self, FeelText, StepKind};
use choice::{Choice, Choices, Chosen, Rule, Way};
use indexmap::IndexMap;
use lack::Lack;
use seats::{named, superior, without};
use std::borrow::Cow;
use told::{Telling, Tried};

/// How many combinations of what is chosen are tried of a step for one applicant.
const MOST: usize = 4_000;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let start_known = subject.reading.head("start") || !subject.document.start.is_empty();
    if !subject.world.people_known || !start_known {
        return;
    }
    let applicants = applicants(subject);
    let all = applicants.iter().map(Vec::len).sum();
    let applies = who_applies(subject);
    offered::check(subject, &applicants, &applies, diagnostics);
    for placed in &subject.flow.steps {
        let (StepKind::Approve { who } | StepKind::Task { who, .. }) = &placed.source.kind else { continue };
        let Some(step) = subject.definition.steps.get(&placed.id) else { continue };
        let Some(human) = step.human() else { continue };
        let row = subject.flow.row_of(&placed.id).and_then(|id| each(subject, id));
        let choices = Choices { subject, row };
        let asking = Asking {
            choices,
            human,
            approval: matches!(placed.source.kind, StepKind::Approve { .. }),
            entries: &who.entries,
            who: human.who.iter().map(|entry| choices.rule(entry)).collect(),
            when: step.when.as_ref().map(|when| choices.rule(when)),
        };
        let directory: &Directory = &subject.world.directory;
        if let Some((span, people)) = asking.nobody_instead(placed.source, step, &applicants) {
            let found = Lack::NobodyInstead(span).shown(&called(placed), &people, all, directory);
            diagnostics.push(found.context(applies.span, applies.text.clone()));
        }
        // An entry with a fault of its own is missing here, and nobody can be counted.
        if human.who.is_empty() || human.who.len() < who.entries.len() || human.policy.nobody == Nobody::Skip {
            continue;
        }
        let by_id = who.entries.iter().any(|entry| entry.text.contains("person"));
        let groups = &*told_apart(&applicants, by_id);
        let lacks = asking.lacks(groups);
        if !lacks.is_empty() {
            for (lack, people) in lacks {
                let found = lack.shown(&called(placed), &people, all, directory);
                diagnostics.push(found.context(applies.span, applies.text.clone()));
            }
            continue;
        }
        diagnostics.extend(asking.while_away(&called(placed), groups));
        let ways = asking.ways();
        if !ways.is_empty() {
            let tried = asking.tried(&ways, groups, by_id);
            let telling = Telling { step: &called(placed), ways: &ways, groups, directory };
            diagnostics.extend(telling.told(&tried));
        }
    }
}

/// Those who may apply, as far as they differ: each alone where an expression may name people by their ids.
fn told_apart(applicants: &[Vec<PersonId>], by_id: bool) -> Cow<'_, [Vec<PersonId>]> {
    match by_id {
        true => Cow::Owned(applicants.iter().flatten().map(|applicant| vec![applicant.clone()]).collect()),
        false => Cow::Borrowed(applicants),
    }
}

fn each<'s>(subject: &'s Subject<'_>, id: &StepId) -> Option<&'s Each> {
    match &subject.definition.steps.get(id)?.kind {
        Kind::Each(each) => Some(each),
        _ => None,
    }
}

/// Who may start the process, the holders of its `start` or everybody, in groups that hold the same.
fn applicants(subject: &Subject<'_>) -> Vec<Vec<PersonId>> {
    let (directory, start) = (&subject.world.directory, &subject.definition.start);
    let may = |positions: &[_]| subject.document.start.is_empty() || positions.iter().any(|held| start.contains(held));
    let mut groups: IndexMap<(&[PositionId], bool), Vec<PersonId>> = IndexMap::new();
    for (id, person) in directory.people.iter().filter(|(_, person)| may(&person.positions)) {
        groups.entry((&person.positions, person.mail.is_some())).or_default().push(id.clone());
    }
    groups.into_values().collect()
}

/// Where it is said who may start the process.
fn who_applies(subject: &Subject<'_>) -> Context {
    let document = subject.document;
    match (document.start.first(), document.start.last()) {
        (Some(first), Some(last)) => {
            Context { span: first.span.to(last.span), text: Wording::new("可以发起的人", "who may start it") }
        }
        _ => Context {
            span: document.name.as_ref().map_or(document.key_span, |name| name.span),
            text: Wording::new("没有写 `start`，所以谁都可以发起", "without `start`, everybody may start it"),
        },
    }
}

/// A step that asks people.
struct Asking<'s, 'a> {
    choices: Choices<'s, 'a>,
    human: &'s Human,
    approval: bool,
    entries: &'s [FeelText],
    who: Vec<Rule<'s>>,
    when: Option<Rule<'s>>,
}

impl<'s> Asking<'s, '_> {
    /// What is missing, and for whose cases; of each group one stands for all.
    fn lacks(&self, groups: &[Vec<PersonId>]) -> Vec<(Lack, Vec<PersonId>)> {
        let mut lacks: Vec<(Lack, Vec<PersonId>)> = Vec::new();
        for group in groups {
            if let Some(lack) = group.first().and_then(|applicant| self.lack(applicant, &Chosen::default())) {
                match lacks.iter_mut().find(|(other, _)| *other == lack) {
                    Some((_, people)) => people.extend(group.iter().cloned()),
                    None => lacks.push((lack, group.clone())),
                }
            }
        }
        lacks
    }

    /// What who is asked depends on besides the applicant.
    fn ways(&self) -> Vec<Way<'s>> {
        let definition = self.choices.subject.definition;
        let about = definition.about.as_ref().filter(|_| self.approval && self.human.policy.own_case != OwnCase::Allow);
        self.choices.ways(about.cloned().map(Choice::Field), &self.who)
    }

    /// Everything that can be chosen, for one applicant of each group, and what is missing then.
    fn tried(&self, ways: &[Way<'s>], groups: &[Vec<PersonId>], by_id: bool) -> Vec<Tried> {
        let mut tried = Vec::new();
        for (group, applicant) in groups.iter().enumerate().filter_map(|(number, group)| Some((number, group.first()?)))
        {
            let mut all = vec![Chosen::default()];
            for way in ways {
                let mut more = Vec::new();
                for chosen in &all {
                    let Some(mut values) = self.choices.values(way, chosen, applicant) else {
                        more.push(chosen.clone());
                        continue;
                    };
                    if ways.len() > 1 && !by_id {
                        self.spare(&mut values, applicant, ways.len());
                    }
                    more.extend(values.into_iter().map(|value| self.choices.with(chosen, &way.choice, value)));
                }
                more.truncate(MOST);
                all = more;
            }
            for chosen in all {
                let when = self.when.as_ref().and_then(|when| self.choices.value(when, &chosen, applicant, None));
                if !matches!(when, Some(Ok(Value::Boolean(false)))) {
                    let lack = self.lack(applicant, &chosen);
                    tried.push(Tried { group, lack, picks: chosen.picks });
                }
            }
        }
        tried
    }

    /// Leaves of the people who hold the same as many as can be told apart, and the applicant.
    fn spare(&self, values: &mut Vec<Value>, applicant: &PersonId, ways: usize) {
        let directory: &Directory = &self.choices.subject.world.directory;
        let mut alike: IndexMap<(&[PositionId], bool), usize> = IndexMap::new();
        values.retain(|value| {
            let Value::Person(id) = value else { return true };
            let Some(person) = directory.people.get(id).filter(|_| id != applicant) else { return true };
            let seen = alike.entry((&person.positions, person.mail.is_some())).or_default();
            *seen += 1;
            *seen <= ways
        });
    }

    /// What is missing when this person applies and this is chosen; `None` where all is well or cannot be known. Where
    /// the first answer decides, one seat that somebody can take is enough.
    fn lack(&self, applicant: &PersonId, chosen: &Chosen) -> Option<Lack> {
        let own = self.own(applicant, chosen);
        let mut lacks = Vec::new();
        for ((entry, rule), text) in self.human.who.iter().zip(&self.who).zip(self.entries) {
            match self.choices.value(rule, chosen, applicant, None) {
                Some(Ok(value)) => lacks.extend(self.vacant(&value, text.span, &own)),
                Some(Err(message)) => return Some(Lack::Failed(text.span, message)),
                None => lacks.push(self.choices.offers_nobody(entry, applicant).then_some(Lack::Nobody(text.span))),
            }
        }
        let enough = self.human.mode == Mode::Any && lacks.iter().any(Option::is_none);
        let lack = lacks.into_iter().flatten().next().filter(|_| !enough)?;
        self.unless_escalated(lack, applicant, &own)
    }

    /// What is missing of each seat that an entry names with this value; of one that names nobody as of one seat.
    fn vacant(&self, value: &Value, at: Span, own: &[PersonId]) -> Vec<Option<Lack>> {
        let (subject, own_case) = (self.choices.subject, self.human.policy.own_case);
        let directory: &Directory = &subject.world.directory;
        let seat = |people: Vec<PersonId>| {
            let nobody = people.is_empty();
            let with_mail: Vec<PersonId> = people.into_iter().filter(|person| has_mail(directory, person)).collect();
            if with_mail.is_empty() {
                return Some(if nobody { Lack::Nobody(at) } else { Lack::NoMail(at) });
            }
            let left = without(with_mail, own, own_case, directory);
            left.is_empty().then(|| Lack::OnlyThemselves(at, subject.definition.about.clone()))
        };
        let named = named(value, &subject.world.holders);
        if named.is_empty() { vec![Some(Lack::Nobody(at))] } else { named.into_iter().map(seat).collect() }
    }

    /// Who may not decide it, as it is their own case.
    fn own(&self, applicant: &PersonId, chosen: &Chosen) -> Vec<PersonId> {
        if !self.approval || self.human.policy.own_case == OwnCase::Allow {
            return Vec::new();
        }
        self.choices.own(chosen, applicant)
    }

    /// Where nobody is named to be asked instead once the step is overdue, and for whose cases.
    fn nobody_instead(
        &self,
        source: &syntax::Step,
        step: &'s Step,
        applicants: &[Vec<PersonId>],
    ) -> Option<(Span, Vec<PersonId>)> {
        let Some(syntax::Then::Reassign(entries)) = source.overdue.as_ref()?.then.as_ref() else { return None };
        let Some(Then::Reassign(who)) = step.overdue.as_ref()?.then.as_ref() else { return None };
        if who.len() < entries.len() {
            return None;
        }
        let world = self.choices.subject.world;
        let rules: Vec<Rule<'_>> = who.iter().map(|entry| self.choices.rule(entry)).collect();
        let somebody = |applicant: &PersonId| {
            // What depends on who did not answer, or on the case, is not known here.
            rules.iter().any(|rule| match self.choices.value(rule, &Chosen::default(), applicant, None) {
                None | Some(Err(_)) => true,
                Some(Ok(value)) => {
                    named(&value, &world.holders).iter().flatten().any(|person| has_mail(&world.directory, person))
                }
            })
        };
        // For the one or the other nobody may be above them: then they are reminded.
        let all: Vec<PersonId> = applicants.iter().flatten().cloned().collect();
        let span = entries.first()?.span.to(entries.last()?.span);
        (!all.is_empty() && !all.iter().any(somebody)).then_some((span, all))
    }

    fn unless_escalated(&self, lack: Lack, applicant: &PersonId, own: &[PersonId]) -> Option<Lack> {
        let escalates = self.human.policy.nobody == Nobody::Escalate;
        let mut of = own.to_vec();
        // Nobody is above themselves.
        of.push(applicant.clone());
        let escalated = escalates && superior(applicant, &of, &self.choices.subject.world.directory).is_some();
        if escalated { None } else { Some(lack) }
    }
}

fn has_mail(directory: &Directory, person: &PersonId) -> bool {
    directory.people.get(person).is_some_and(|person| person.mail.is_some())
}
