//! Votes: which seat an answer fills, and when a task is decided.
//!
//! `any` takes the first answer. `all` takes one answer a seat, and the first rejection rejects. A person fills
//! one seat at most, so seats and people are a bipartite matching: an answer takes a seat such that those who
//! have not answered can still fill the rest. A task is opened only where everybody's approval would fill every
//! seat, and an answer keeps that true. Only where one person came to be asked instead of several there are more seats
//! than people: then an answer takes those seats, too, that nobody else could. So a vote can always still end.

use super::people::Candidate;
use super::state::{Answer, Assignment, Mode, Task, TaskKind};
use crate::model::definition::{Human, outcome};
use crate::model::id::{AssignmentId, Outcome, PersonId};

/// A seat that stays empty even if everybody answers.
pub(super) fn unfilled(seats: &[Vec<Candidate>]) -> Option<usize> {
    let seats = numbered(seats);
    let filled = fill(&seats);
    (0..seats.len()).find(|seat| !filled.contains(&Some(*seat)))
}

/// The seat that an assignment's answer fills: one that leaves the others enough people.
pub(super) fn seat_for(task: &Task, assignment: &Assignment) -> Option<u16> {
    let free = |seat: &&u16| task.seats.get(usize::from(**seat)).is_some_and(Option::is_none);
    let others: Vec<&Assignment> = task.assignments.iter().filter(|other| other.id != assignment.id).collect();
    let left = |taken: u16| {
        let rest: Vec<u16> = (0u16..).take(task.seats.len()).filter(|seat| *seat != taken && free(&seat)).collect();
        filled(&rest, &others)
    };
    // Of equals the first.
    assignment.seats.iter().rev().filter(free).copied().max_by_key(|seat| left(*seat))
}

/// How many of these seats these people can fill.
fn filled(seats: &[u16], people: &[&Assignment]) -> usize {
    let takers = |seat: &u16| (0..people.len()).filter(|person| people[*person].seats.contains(seat)).collect();
    let seats: Vec<Vec<usize>> = seats.iter().map(takers).collect();
    fill(&seats).into_iter().flatten().count()
}

/// Whether the others who are asked can still fill every seat that is free, or as many as with this one.
pub(super) fn can_do_without(task: &Task, assignment: AssignmentId) -> bool {
    let all: Vec<&Assignment> = task.assignments.iter().collect();
    let others: Vec<&Assignment> = all.iter().filter(|other| other.id != assignment).copied().collect();
    let free: Vec<u16> = (0u16..).zip(&task.seats).filter(|(_, seat)| seat.is_none()).map(|(seat, _)| seat).collect();
    filled(&free, &others) == filled(&free, &all)
}

/// The result of a task, once its answers decide it.
pub(super) fn verdict(task: &Task, human: &Human) -> Option<Outcome> {
    let last = &task.answers.last()?.outcome;
    let stops = [outcome::REJECTED, outcome::RETURNED].contains(&last.as_str());
    if task.mode == Mode::Any || (task.kind == TaskKind::Approve && stops) {
        return Some(last.clone());
    }
    if task.seats.iter().any(Option::is_none) {
        return None;
    }
    // Everybody answered: what most said; of equals, what the step lists first.
    let votes = |outcome: &Outcome| task.answers.iter().filter(|answer| answer.outcome == *outcome).count();
    let most = human.outcomes.keys().map(votes).max()?;
    human.outcomes.keys().find(|outcome| votes(outcome) == most).cloned()
}

/// Who answered a task, each once, the last last.
pub(super) fn voters(answers: &[Answer]) -> Vec<PersonId> {
    answers.iter().map(|answer| answer.person.clone()).collect()
}

fn numbered(seats: &[Vec<Candidate>]) -> Vec<Vec<usize>> {
    let mut people: Vec<&PersonId> = Vec::new();
    let mut number = |person| match people.iter().position(|known| *known == person) {
        Some(number) => number,
        None => {
            people.push(person);
            people.len() - 1
        }
    };
    seats.iter().map(|seat| seat.iter().map(|candidate| number(&candidate.person)).collect()).collect()
}

/// The largest matching, by augmenting paths: for each person the seat they fill.
fn fill(seats: &[Vec<usize>]) -> Vec<Option<usize>> {
    let people = seats.iter().flatten().max().map_or(0, |most| most + 1);
    let mut filled = vec![None; people];
    for seat in 0..seats.len() {
        augment(seats, seat, &mut filled, &mut vec![false; people]);
    }
    filled
}

fn augment(seats: &[Vec<usize>], seat: usize, filled: &mut [Option<usize>], asked: &mut [bool]) -> bool {
    for &person in &seats[seat] {
        if std::mem::replace(&mut asked[person], true) {
            continue;
        }
        if filled[person].is_none_or(|other| augment(seats, other, filled, asked)) {
            filled[person] = Some(seat);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(people: &[&[&str]]) -> Vec<Vec<Candidate>> {
        let candidate = |name: &&str| Candidate { person: PersonId::from(*name), stands_in_for: None };
        people.iter().map(|seat| seat.iter().map(candidate).collect()).collect()
    }

    #[test]
    fn nobody_fills_two_seats() {
        assert_eq!(unfilled(&seats(&[&["wang"], &["wang"]])), Some(1));
        assert_eq!(unfilled(&seats(&[&["wang", "li"], &["wang"]])), None);
        assert!(unfilled(&seats(&[&["wang", "li"], &["wang"], &["li"]])).is_some());
    }
}
