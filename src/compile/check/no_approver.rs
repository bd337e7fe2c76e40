//! A step that has nobody to ask, for some person who may apply.
//!
//! For every human step and every possible applicant, `who` is evaluated with the directory as it is, where it
//! depends on nothing else; a field of people is judged by its `among`, and of a position or a department that people
//! choose every one is tried that the field takes and for which the step is not skipped. Whose case it is is struck from
//! approvals and their superior takes the place, as the engine does it. Absences are left out: they pass. Who is asked
//! once a step is overdue is judged too: it may not be nobody whoever applies.
//!
//! The directory knows people by what they hold. So applicants with the same positions fare alike, and one of
//! them is tried for all, unless an expression names somebody by id.

use super::{Subject, called};
use crate::compile::typing::fields_read;
use crate::diagnostics::{Code, Context, Diagnostic, Span};
use crate::expression;
use crate::model::control::Then;
use crate::model::definition::{Human, Mode, Nobody, OwnCase, Step};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Formula, Op, Read};
use crate::model::id::{FieldName, PersonId, PositionId};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use crate::syntax::{self, FeelText, StepKind};
use chrono::DateTime;
use indexmap::IndexMap;
use std::collections::BTreeMap;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let start_known = subject.reading.head("start") || !subject.document.start.is_empty();
    if !subject.world.people_known || !start_known {
        return;
    }
    let applicants = applicants(subject);
    let all = applicants.iter().map(Vec::len).sum();
    let applies = who_applies(subject);
    for placed in &subject.flow.steps {
        let (StepKind::Approve { who } | StepKind::Task { who, .. }) = &placed.source.kind else { continue };
        let Some(step) = subject.definition.steps.get(&placed.id) else { continue };
        let Some(human) = step.human() else { continue };
        let approval = matches!(placed.source.kind, StepKind::Approve { .. });
        let nothing = Record::new();
        let asking = Asking { subject, human, approval, entries: &who.entries, span: who.span, data: &nothing };
        if let Some((span, people)) = asking.nobody_instead(placed.source, step, &applicants) {
            let lack = Lack::NobodyInstead(span);
            let found = lack.shown(&called(placed), &people, all, &subject.world.directory);
            diagnostics.push(found.context(applies.span, applies.text.clone()));
        }
        // An entry with a fault of its own is missing here, and nobody can be counted.
        if human.who.len() < who.entries.len() || human.policy.nobody == Nobody::Skip {
            continue;
        }
        let by_id = who.entries.iter().any(|entry| entry.text.contains("person"));
        let alone: Vec<Vec<PersonId>>;
        let groups = if by_id {
            alone = applicants.iter().flatten().map(|applicant| vec![applicant.clone()]).collect();
            &alone
        } else {
            &applicants
        };
        let lacks = asking.lacks(groups);
        let sound = lacks.is_empty();
        for (lack, people) in lacks {
            let found = lack.shown(&called(placed), &people, all, &subject.world.directory);
            diagnostics.push(found.context(applies.span, applies.text.clone()));
        }
        if let Some((name, field)) = asking.chosen().filter(|_| sound) {
            let mut told: Vec<(Lack, Vec<PersonId>, Vec<String>)> = Vec::new();
            for (value, word) in choices(field, &subject.world.directory) {
                let data = Record::from_iter([(name.clone(), value)]);
                let asking = Asking { data: &data, ..asking };
                let takes: Vec<Vec<PersonId>> =
                    groups.iter().filter(|group| asking.takes(field, step, group)).cloned().collect();
                for (lack, people) in asking.lacks(&takes) {
                    match told.iter_mut().find(|(other, of, _)| *other == lack && *of == people) {
                        Some((.., names)) => names.push(word.clone()),
                        None => told.push((lack, people, vec![word.clone()])),
                    }
                }
            }
            for (lack, people, names) in told {
                let mends = lack.mends(&people, all, &subject.world.directory);
                let whose = (people.len() < all).then(|| when(&people, all, &subject.world.directory));
                diagnostics.push(lack.told(&called(placed), &where_chosen(name, &names, whose), mends));
            }
        }
    }
}

/// Who may start the process, the holders of its `start` or everybody, in groups that hold the same.
fn applicants(subject: &Subject<'_>) -> Vec<Vec<PersonId>> {
    let (directory, start) = (&subject.world.directory, &subject.definition.start);
    let may = |positions: &[_]| subject.document.start.is_empty() || positions.iter().any(|held| start.contains(held));
    let mut groups: IndexMap<&[PositionId], Vec<PersonId>> = IndexMap::new();
    for (id, person) in directory.people.iter().filter(|(_, person)| may(&person.positions)) {
        groups.entry(&person.positions).or_default().push(id.clone());
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

#[derive(Clone, Copy)]
struct Asking<'s, 'a> {
    subject: &'s Subject<'a>,
    human: &'s Human,
    approval: bool,
    entries: &'s [FeelText],
    span: Span,
    /// What people are taken to have chosen.
    data: &'s Record,
}

/// Why there is nobody.
#[derive(PartialEq)]
enum Lack {
    /// An entry names nobody.
    Nobody(Span),
    /// Those that an entry names have no mail address.
    NoMail(Span),
    /// An entry names only the applicant, who has no superior.
    OnlyThemselves(Span),
    /// Once it is overdue, the entries name nobody to ask instead.
    NobodyInstead(Span),
    /// There are fewer people than signatures.
    TooFew(Span),
    /// An entry has no value.
    Failed(Span, Wording),
}

impl<'s> Asking<'s, '_> {
    /// What is missing, and for whose cases; of each group one stands for all.
    fn lacks(&self, groups: &[Vec<PersonId>]) -> Vec<(Lack, Vec<PersonId>)> {
        let mut lacks: Vec<(Lack, Vec<PersonId>)> = Vec::new();
        for group in groups {
            if let Some(lack) = group.first().and_then(|applicant| self.lack(applicant)) {
                match lacks.iter_mut().find(|(other, _)| *other == lack) {
                    Some((_, people)) => people.extend(group.iter().cloned()),
                    None => lacks.push((lack, group.clone())),
                }
            }
        }
        lacks
    }

    /// The position or department that people choose and who is asked depends on.
    fn chosen(&self) -> Option<(&'s FieldName, &'s Field)> {
        let definition = self.subject.definition;
        let mut read = self.human.who.iter().flat_map(fields_read);
        read.find_map(|name| definition.fields().find(|(known, _)| *known == name)).filter(|(_, field)| {
            field.value.is_none() && !field.many && matches!(field.kind, FieldKind::Position | FieldKind::Department)
        })
    }

    /// Whether the field takes what is chosen, and the step is walked then; so it is taken to be where that
    /// depends on something else.
    fn takes(&self, field: &Field, step: &Step, group: &[PersonId]) -> bool {
        let Some(applicant) = group.first() else { return false };
        let rules = field.check.iter().map(|check| &check.that).chain(&step.when);
        rules.filter(|rule| self.knowable(rule)).all(|rule| {
            let value = self.evaluate(rule, applicant);
            !matches!(value, Ok(Value::Boolean(false)))
        })
    }

    /// Whether a formula follows from the applicant, the directory and what is chosen.
    fn knowable(&self, formula: &Formula) -> bool {
        formula.reads.iter().all(|read| match read {
            Read::Applicant | Read::Directory => true,
            Read::Field(name) => self.data.contains_key(name),
            _ => false,
        })
    }

    fn evaluate(&self, formula: &Formula, applicant: &PersonId) -> Result<Value, Wording> {
        let calendar = Calendar::default();
        let context = expression::Context {
            applicant: Some(applicant),
            ..expression::Context::new(self.data, &self.subject.world.directory, &calendar, DateTime::UNIX_EPOCH)
        };
        expression::evaluate(formula, &context).map_err(|failure| failure.message)
    }

    /// What is missing when this person applies; `None` where all is well or cannot be known.
    fn lack(&self, applicant: &PersonId) -> Option<Lack> {
        let directory: &Directory = &self.subject.world.directory;
        let mut seats: Vec<Vec<PersonId>> = Vec::new();
        let mut known = true;
        for (entry, text) in self.human.who.iter().zip(self.entries) {
            let Some(value) = self.value(entry, applicant) else {
                known = false;
                continue;
            };
            let value = match value {
                Ok(value) => value,
                Err(message) => return Some(Lack::Failed(text.span, message)),
            };
            let named = named(&value, &self.subject.world.holders);
            if named.is_empty() {
                return self.unless_escalated(Lack::Nobody(text.span), applicant);
            }
            for people in named {
                let with_mail: Vec<PersonId> =
                    people.iter().filter(|person| has_mail(directory, person)).cloned().collect();
                if with_mail.is_empty() {
                    let lack = if people.is_empty() { Lack::Nobody(text.span) } else { Lack::NoMail(text.span) };
                    return self.unless_escalated(lack, applicant);
                }
                let seat = self.without_applicant(with_mail, applicant);
                if seat.is_empty() {
                    return self.unless_escalated(Lack::OnlyThemselves(text.span), applicant);
                }
                seats.push(seat);
            }
        }
        let crowded = known && self.human.mode == Mode::All && filled(&seats) < seats.len();
        if crowded { self.unless_escalated(Lack::TooFew(self.span), applicant) } else { None }
    }

    /// Where nobody is named to be asked instead once the step is overdue, and for whose cases.
    fn nobody_instead(
        &self,
        source: &syntax::Step,
        step: &Step,
        applicants: &[Vec<PersonId>],
    ) -> Option<(Span, Vec<PersonId>)> {
        let Some(syntax::Then::Reassign(entries)) = source.overdue.as_ref()?.then.as_ref() else { return None };
        let Some(Then::Reassign(who)) = step.overdue.as_ref()?.then.as_ref() else { return None };
        if who.len() < entries.len() {
            return None;
        }
        let directory: &Directory = &self.subject.world.directory;
        let somebody = |applicant: &PersonId| {
            // What depends on who did not answer, or on the case, is not known here.
            who.iter().any(|entry| match self.value(entry, applicant) {
                None | Some(Err(_)) => true,
                Some(Ok(value)) => named(&value, &self.subject.world.holders)
                    .iter()
                    .flatten()
                    .any(|person| has_mail(directory, person)),
            })
        };
        // For the one or the other nobody may be above them: then they are reminded.
        let all: Vec<PersonId> = applicants.iter().flatten().cloned().collect();
        let span = entries.first()?.span.to(entries.last()?.span);
        (!all.is_empty() && !all.iter().any(somebody)).then_some((span, all))
    }

    /// The value of an entry, if it follows from the applicant and the directory alone.
    fn value(&self, entry: &Formula, applicant: &PersonId) -> Option<Result<Value, Wording>> {
        let formula = if self.knowable(entry) {
            entry
        } else {
            // A field of people can only hold what its `among` allows.
            let Op::Field(name) = entry.root.op() else { return None };
            let (_, field) = self.subject.definition.fields().find(|(known, _)| *known == name)?;
            let FieldKind::Person(Some(among)) = &field.kind else { return None };
            if !self.knowable(among) || fields_read(among).next().is_some() {
                return None;
            }
            among
        };
        let value = self.evaluate(formula, applicant);
        if std::ptr::eq(formula, entry) {
            return Some(value);
        }
        // One of those allowed will be chosen: one seat that any of them may fill.
        Some(value.map(|value| {
            let choice = named(&value, &self.subject.world.holders).into_iter().flatten().next();
            choice.map_or(Value::Null, Value::Person)
        }))
    }

    /// Separation of duties: whose case it is decides no approval of it, and their superior does instead.
    fn without_applicant(&self, people: Vec<PersonId>, applicant: &PersonId) -> Vec<PersonId> {
        if !self.approval || self.human.policy.own_case == OwnCase::Allow {
            return people;
        }
        let others: Vec<PersonId> = people.into_iter().filter(|person| person != applicant).collect();
        if others.is_empty() && self.human.policy.own_case == OwnCase::Superior {
            return self.superior(applicant).into_iter().collect();
        }
        others
    }

    fn superior(&self, applicant: &PersonId) -> Option<PersonId> {
        let directory: &Directory = &self.subject.world.directory;
        directory.superiors(applicant).into_iter().find(|person| person != applicant && has_mail(directory, person))
    }

    fn unless_escalated(&self, lack: Lack, applicant: &PersonId) -> Option<Lack> {
        let escalated = self.human.policy.nobody == Nobody::Escalate && self.superior(applicant).is_some();
        if escalated { None } else { Some(lack) }
    }
}

/// Everything that a field of a position or a department can hold, and what people call it.
fn choices(field: &Field, directory: &Directory) -> Vec<(Value, String)> {
    match field.kind {
        FieldKind::Position => {
            let all = directory.positions.keys();
            all.map(|id| (Value::Position(id.clone()), id.to_string())).collect()
        }
        FieldKind::Department => {
            let all = directory.departments.keys();
            all.map(|id| (Value::Department(id.clone()), id.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

/// “When `field` is this”, naming at most three; and for whose cases, where that is not so for all.
fn where_chosen(name: &FieldName, chosen: &[String], whose: Option<Wording>) -> Wording {
    let (zh, en): (Vec<_>, Vec<_>) = chosen.iter().take(3).map(|one| (format!("`{one}`"), format!("`{one}`"))).unzip();
    let (zh, en) = (zh.join("、"), en.join(", "));
    let chosen = match chosen.len().saturating_sub(3) {
        0 => Wording::new(format!("`{name}` 选 {zh}"), format!("when `{name}` is {en}")),
        more => Wording::new(
            format!("`{name}` 选 {zh} 等 {} 个", chosen.len()),
            format!("when `{name}` is {en} or one of {more} more"),
        ),
    };
    match whose {
        None => Wording::new(format!("{} 时", chosen.zh), chosen.en),
        Some(whose) => Wording::new(
            format!("{}，并且由 {}", chosen.zh, whose.zh),
            format!("{} and {}", chosen.en, whose.en.trim_start_matches("when ")),
        ),
    }
}

/// The people of each signature that a value of `who` names.
fn named(value: &Value, holders: &BTreeMap<PositionId, Vec<PersonId>>) -> Vec<Vec<PersonId>> {
    match value {
        Value::Person(person) => vec![vec![person.clone()]],
        Value::Position(position) => vec![holders.get(position).cloned().unwrap_or_default()],
        Value::List(items) => items.iter().flat_map(|item| named(item, holders)).collect(),
        _ => Vec::new(),
    }
}

fn has_mail(directory: &Directory, person: &PersonId) -> bool {
    directory.people.get(person).is_some_and(|person| person.mail.is_some())
}

/// How many signatures can be given if nobody signs twice.
fn filled(seats: &[Vec<PersonId>]) -> usize {
    fn find<'s>(
        seat: usize,
        seats: &'s [Vec<PersonId>],
        taken: &mut Vec<(&'s PersonId, usize)>,
        tried: &mut Vec<&'s PersonId>,
    ) -> bool {
        for person in seats.get(seat).into_iter().flatten() {
            if tried.contains(&person) {
                continue;
            }
            tried.push(person);
            match taken.iter().position(|(other, _)| *other == person) {
                None => {
                    taken.push((person, seat));
                    return true;
                }
                Some(at) => {
                    let holder = taken.get(at).map_or(0, |(_, seat)| *seat);
                    if find(holder, seats, taken, tried) {
                        taken.retain(|(other, seat)| !(*other == person && *seat == holder));
                        taken.push((person, seat));
                        return true;
                    }
                }
            }
        }
        false
    }
    let mut taken = Vec::new();
    (0..seats.len()).filter(|seat| find(*seat, seats, &mut taken, &mut Vec::new())).count()
}

impl Lack {
    fn shown(self, step: &str, applicants: &[PersonId], all: usize, directory: &Directory) -> Diagnostic {
        let mends = self.mends(applicants, all, directory);
        self.told(step, &when(applicants, all, directory), mends)
    }

    /// What can be done about it, and helps for all of these applicants.
    fn mends(&self, applicants: &[PersonId], all: usize, directory: &Directory) -> Wording {
        let superior = |of: &PersonId| directory.superiors(of).iter().any(|person| has_mail(directory, person));
        let own = matches!(self, Lack::OnlyThemselves(_));
        let (zh, en) = if matches!(self, Lack::Failed(..)) || !applicants.iter().all(superior) {
            ("", "")
        } else {
            ("`policy: { nobody: escalate }`（找上级）或 ", "`policy: { nobody: escalate }` (ask a superior) or ")
        };
        let (own_zh, own_en) = if own {
            ("，或 `own_case: allow`（自己也可以批）", ", or `own_case: allow` (they may sign it themselves)")
        } else {
            ("", "")
        };
        let (kept_zh, kept_en) = if applicants.len() < all {
            ("；也可以用 `start` 不让他们发起", "; or keep them from starting it, with `start`")
        } else {
            ("", "")
        };
        Wording::new(
            format!("请在组织目录里补上人，或写 {zh}`policy: {{ nobody: skip }}`（跳过）{own_zh}{kept_zh}"),
            format!(
                "add somebody to the directory, or write {en}`policy: {{ nobody: skip }}` (pass over){own_en}{kept_en}"
            ),
        )
    }

    fn told(self, step: &str, when: &Wording, mends: Wording) -> Diagnostic {
        let (span, why) = match self {
            Lack::Nobody(span) => (span, Wording::new("这里找不到人", "nobody is found here")),
            Lack::NoMail(span) => (span, Wording::new("这里的人都没有邮箱", "nobody here has a mail address")),
            Lack::OnlyThemselves(span) => (
                span,
                Wording::new(
                    "这里只有申请人自己，而申请人不能审批自己的申请，也没有上级可以代替",
                    "this names only the applicant, who may not decide their own case and has no superior to do it instead",
                ),
            ),
            Lack::NobodyInstead(span) => {
                return nobody_instead(step, span, when);
            }
            Lack::TooFew(span) => (
                span,
                Wording::new(
                    "需要的签字比能签字的人多",
                    "more signatures are needed than there are people to give them",
                ),
            ),
            Lack::Failed(span, message) => (span, message),
        };
        Diagnostic::new(
            Code::NoApprover,
            span,
            Wording::new(
                format!("{}，`{step}` 这一步没有人可以办：{}", when.zh, why.zh),
                format!("{}, the step `{step}` has nobody to ask: {}", when.en, why.en),
            ),
        )
        .hint(mends)
    }
}

fn nobody_instead(step: &str, span: Span, when: &Wording) -> Diagnostic {
    Diagnostic::new(
        Code::NoApprover,
        span,
        Wording::new(
            format!("{}，`{step}` 逾期后没有人可以接手：这里找不到人", when.zh),
            format!("{}, nobody can take over once `{step}` is overdue: nobody is found here", when.en),
        ),
    )
    .hint(Wording::new(
        "请在组织目录里补上人，或改写 `reassign`，例如 `reassign: manager_of(assignee)`",
        "add somebody to the directory, or reassign to somebody else, such as `reassign: manager_of(assignee)`",
    ))
}

/// “When so-and-so applies”, naming at most three.
fn when(applicants: &[PersonId], all: usize, directory: &Directory) -> Wording {
    if applicants.len() == all && all > 1 {
        return Wording::new("不管谁申请", "whoever applies");
    }
    let names: Vec<String> = applicants.iter().take(3).map(|id| format!("{} ({id})", directory.name_of(id))).collect();
    let more = applicants.len().saturating_sub(names.len());
    let (zh, en) = (names.join("、"), names.join(", "));
    if more == 0 {
        let verb = if applicants.len() == 1 { "applies" } else { "apply" };
        Wording::new(format!("{zh} 申请时"), format!("when {en} {verb}"))
    } else {
        Wording::new(format!("{zh} 等 {} 人申请时", applicants.len()), format!("when {en} or {more} more apply"))
    }
}
