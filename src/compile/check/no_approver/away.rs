//! Who decides while somebody is away: whoever stands in decides no case of their own either. Absences pass, so this
//! is a warning; without a clock nobody knows here which of them are over.

use super::choice::Chosen;
use super::lack::when;
use super::{Asking, has_mail};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::definition::{Mode, Nobody, OwnCase};
use crate::model::id::PersonId;
use crate::model::people::{Absence, Directory};
use crate::model::text::Wording;

impl Asking<'_, '_> {
    /// What is said of each absence that leaves nobody to decide the cases of some applicants.
    pub(super) fn while_away(&self, step: &str, groups: &[Vec<PersonId>]) -> Vec<Diagnostic> {
        let (subject, own_case) = (self.choices.subject, self.human.policy.own_case);
        let directory: &Directory = &subject.world.directory;
        if !self.approval || own_case == OwnCase::Allow {
            return Vec::new();
        }
        let process = &subject.definition.process;
        let here = |absence: &&Absence| absence.processes.is_empty() || absence.processes.contains(process);
        let mut found = Vec::new();
        for absence in directory.absences.iter().filter(here) {
            let applicants = groups.iter().flatten();
            let alone = applicants.filter_map(|applicant| Some((self.alone(absence, applicant)?, applicant.clone())));
            let (spans, whose): (Vec<Span>, Vec<PersonId>) = alone.unzip();
            if let Some(at) = spans.first() {
                let all = groups.iter().map(Vec::len).sum();
                found.push(told(step, *at, absence, &when(&whose, all, directory), directory));
            }
        }
        found
    }

    /// The entry that nobody is left of for a case of this applicant, during an absence of somebody whom it names; where
    /// the first answer decides, nobody of any entry. Its first day is tried: where several are away at once, one of
    /// them begins to be then.
    fn alone(&self, absence: &Absence, applicant: &PersonId) -> Option<Span> {
        let subject = self.choices.subject;
        let directory: &Directory = &subject.world.directory;
        let own = self.own(applicant, &Chosen::default());
        let acts = |person: &PersonId| directory.stand_in(person, &subject.definition.process, absence.from);
        let may = |person: &PersonId| !own.contains(person) && has_mail(directory, person);
        let (mut vacant, mut filled) = (None, false);
        for (rule, text) in self.who.iter().zip(self.entries) {
            // What depends on more than the applicant is not tried.
            let Some(Ok(value)) = self.choices.value(rule, &Chosen::default(), applicant, None) else {
                filled = true;
                continue;
            };
            for seat in super::named(&value, &subject.world.holders) {
                let instead = || seat.iter().flat_map(|person| directory.superiors(person)).map(|person| acts(&person));
                let above = || directory.superiors(applicant).into_iter().map(|person| acts(&person));
                let left = seat.iter().map(acts).any(|person| may(&person))
                    || self.human.policy.own_case == OwnCase::Superior && instead().any(|person| may(&person))
                    || self.human.policy.nobody == Nobody::Escalate && above().any(|person| may(&person));
                filled |= left;
                if !left && seat.contains(&absence.person) {
                    vacant = vacant.or(Some(text.span));
                }
            }
        }
        vacant.filter(|_| self.human.mode == Mode::All || !filled)
    }
}

fn told(step: &str, at: Span, absence: &Absence, when: &Wording, directory: &Directory) -> Diagnostic {
    let (who, instead) = (directory.name_of(&absence.person), directory.name_of(&absence.substitute));
    let (from, to) = (absence.from, absence.to);
    Diagnostic::new(
        Code::AbsentApprover,
        at,
        Wording::new(
            format!("{who} 不在时（{from} 到 {to}）由 {instead} 代办；{}，`{step}` 就没有人可以批：自己的事不能由自己代办", when.zh),
            format!("while {who} is away ({from} to {to}), {instead} stands in; {}, nobody may decide `{step}` then, as nobody stands in for a case of their own", when.en),
        ),
    )
    .hint(Wording::new(
        "请换一个代办人，或让另一个岗位来批；这段时间已经过去的，从通讯录里删掉",
        "name another substitute, or let another position decide; an absence that is over can go from the directory",
    ))
}
