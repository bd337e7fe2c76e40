//! Who is asked: from the people that a step names to the seats of a task.
//!
//! One entry of `who` is one seat, of any holder of a position; a list is a seat each. Then, in this order:
//! people who are away are replaced by their substitutes; whose case it is is struck from approvals (separation
//! of duties), and where that leaves a seat empty their superior takes it; a seat that nobody can take is left out
//! where the first answer decides and another is filled, else it follows the policy `nobody`. Nobody is asked twice:
//! seats that only one and the same person could take are one, unless the policy finds somebody else for them
//! (`escalate`).

use super::event::Trouble;
use super::run::Run;
use super::state::TaskKind;
use super::step::trouble;
use super::vote;
use crate::expression::Failure;
use crate::model::definition::{Human, Mode, Nobody, OwnCase};
use crate::model::formula::Formula;
use crate::model::id::{PersonId, StepId, TokenId};
use crate::model::people::Directory;
use crate::model::value::Value;

/// One who can take a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Who.
    pub person: PersonId,
    /// For whom they stand in.
    pub stands_in_for: Option<PersonId>,
}

/// What came of resolving a step's people.
pub(super) enum Seats {
    /// Each seat with who can take it; never empty, no seat without a candidate.
    Filled(Vec<Vec<Candidate>>),
    /// Nobody can be asked and the policy says to go on.
    Skip,
}

/// The seats of a step, as things stand.
pub(super) fn seats(
    run: &Run<'_>,
    token: TokenId,
    id: &StepId,
    human: &Human,
    kind: TaskKind,
) -> Result<Seats, Trouble> {
    let mut named = Vec::new();
    for entry in &human.who {
        let value = run.evaluate(token, entry, None).map_err(|failure| failed(&failure))?;
        named.extend(self::named(&value, run.facts.directory));
    }
    let mut seats: Vec<Vec<Candidate>> = named.iter().map(|people| candidates(run, people, id, human, kind)).collect();
    if human.mode == Mode::Any {
        seats.retain(|seat| !seat.is_empty());
    }
    let crowded = human.mode == Mode::All && vote::unfilled(&seats).is_some();
    let empty = seats.is_empty() || seats.iter().any(Vec::is_empty);
    if empty || crowded {
        match human.policy.nobody {
            Nobody::Incident if !empty => {}
            Nobody::Incident => return Err(Trouble::NobodyToAsk { policy: Nobody::Incident }),
            Nobody::Skip => seats.retain(|seat| !seat.is_empty()),
            Nobody::Escalate => escalate(run, &mut seats, human, kind)?,
        }
    }
    if human.mode == Mode::All {
        gather(&mut seats);
    }
    Ok(if seats.is_empty() { Seats::Skip } else { Seats::Filled(seats) })
}

/// The people of each seat that a value of `who` names. A null names nobody.
pub(super) fn named(value: &Value, directory: &Directory) -> Vec<Vec<PersonId>> {
    match value {
        Value::Person(person) => vec![vec![person.clone()]],
        Value::Position(position) => vec![directory.holders(position)],
        Value::List(items) => items.iter().flat_map(|item| named(item, directory)).collect(),
        _ => vec![Vec::new()],
    }
}

/// Everybody that the entries name, each once.
pub(super) fn told(run: &Run<'_>, token: TokenId, entries: &[Formula], place: &str) -> Result<Vec<PersonId>, Trouble> {
    let mut told = Vec::new();
    for entry in entries {
        let value = run.evaluate(token, entry, None).map_err(|failure| trouble(place, &failure))?;
        for person in named(&value, run.facts.directory).into_iter().flatten() {
            if run.facts.directory.people.contains_key(&person) && !told.contains(&person) {
                told.push(person);
            }
        }
    }
    Ok(told)
}

/// Who can take the seat of these people at a step.
pub(super) fn candidates(
    run: &Run<'_>,
    people: &[PersonId],
    id: &StepId,
    human: &Human,
    kind: TaskKind,
) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for person in people {
        let candidate = taken_over(run, id, stand_in(run, person));
        if may(run, &candidate, human, kind) && !found.iter().any(|other| other.person == candidate.person) {
            found.push(candidate);
        }
    }
    let own = run.decides(kind) && human.policy.own_case == OwnCase::Superior;
    if found.is_empty() && own {
        let superior = people
            .iter()
            .flat_map(|person| run.facts.directory.superiors(person))
            .map(|superior| stand_in(run, &superior))
            .find(|candidate| may(run, candidate, human, kind));
        found.extend(superior);
    }
    found
}

/// A person as they can take a part in a task: they themselves or who stands in for them; `None` where they may not.
pub(super) fn may_take(run: &Run<'_>, person: &PersonId, human: &Human, kind: TaskKind) -> Option<Candidate> {
    Some(stand_in(run, person)).filter(|candidate| may(run, candidate, human, kind))
}

/// Whether a candidate is known and not struck by separation of duties.
fn may(run: &Run<'_>, candidate: &Candidate, human: &Human, kind: TaskKind) -> bool {
    let struck = run.decides(kind) && run.is_own(&candidate.person) && human.policy.own_case != OwnCase::Allow;
    !struck && run.facts.directory.people.contains_key(&candidate.person)
}

/// Who took over at a step, where it was handed over there from who would be asked.
fn taken_over(run: &Run<'_>, id: &StepId, candidate: Candidate) -> Candidate {
    match run.state.asked_for(id, &candidate.person) {
        same if *same == candidate.person => candidate,
        taker => stand_in(run, taker),
    }
}

fn stand_in(run: &Run<'_>, person: &PersonId) -> Candidate {
    let today = run.facts.calendar.today(run.now);
    let other = run.facts.directory.stand_in(person, &run.state.process, today);
    let stands_in_for = (other != *person).then(|| person.clone());
    Candidate { person: other, stands_in_for }
}

/// Makes one of seats that only the same people could take: a person is asked once, and signs for all of them.
fn gather(seats: &mut Vec<Vec<Candidate>>) {
    while let Some(unfilled) = vote::unfilled(seats) {
        for spare in seats.remove(unfilled).into_iter().filter(|spare| spare.stands_in_for.is_some()) {
            let own = seats.iter_mut().flatten().find(|candidate| candidate.person == spare.person);
            if let Some(own) = own.filter(|own| own.stands_in_for.is_none()) {
                own.stands_in_for = spare.stands_in_for;
            }
        }
    }
}

/// Fills the seats that are empty with the applicant's superiors in turn, nobody twice.
fn escalate(run: &Run<'_>, seats: &mut Vec<Vec<Candidate>>, human: &Human, kind: TaskKind) -> Result<(), Trouble> {
    if seats.is_empty() {
        seats.push(Vec::new());
    }
    let superiors = run.facts.directory.superiors(&run.state.applicant);
    let mut superiors = superiors.iter().map(|person| stand_in(run, person)).filter(|one| may(run, one, human, kind));
    for seat in seats.iter_mut().filter(|seat| seat.is_empty()) {
        seat.extend(superiors.next());
    }
    while let Some(seat) = vote::unfilled(seats).filter(|_| human.mode == Mode::All) {
        let Some(superior) = superiors.next() else { break };
        seats.get_mut(seat).into_iter().for_each(|seat| seat.push(superior.clone()));
    }
    if seats.iter().any(Vec::is_empty) {
        return Err(Trouble::NobodyToAsk { policy: Nobody::Escalate });
    }
    Ok(())
}

fn failed(failure: &Failure) -> Trouble {
    super::step::trouble("who", failure)
}
