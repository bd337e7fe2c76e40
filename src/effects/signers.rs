//! Who signs, with “and” and “or”: seats that the same people may take are told together.
//!
//! ```text
//! any of them         李娜 或 王芳
//! each of them        李娜、王芳
//! a seat of several   李娜，以及 王芳 或 赵雪
//! ```

use super::format::Words;
use crate::engine::state::{Mode, Task};
use crate::model::id::PersonId;
use crate::model::text::Lang;

/// Seats that are told together, and who may take them.
struct Group<'p> {
    seats: usize,
    people: Vec<&'p PersonId>,
}

impl Words<'_> {
    /// Who is asked by a task and has not answered.
    pub fn asked(&self, task: &Task, beside: &str) -> String {
        let answered = |id| task.answers.iter().any(|answer| answer.assignment == id);
        let open: Vec<_> = task.assignments.iter().filter(|one| !answered(one.id)).collect();
        if task.mode == Mode::Any || task.seats.len() < 2 {
            return self.people(open.iter().map(|one| &one.person), beside, true);
        }
        let free = (0u16..).zip(&task.seats).filter(|(_, seat)| seat.is_none());
        let seats = free.map(|(seat, _)| {
            open.iter().filter(|one| one.seats.contains(&seat)).map(|one| &one.person).collect::<Vec<_>>()
        });
        self.signers(seats.collect(), beside)
    }

    /// Who signs, of each seat those of whom one does.
    pub(super) fn signers(&self, seats: Vec<Vec<&PersonId>>, beside: &str) -> String {
        let groups = grouped(seats);
        let each = |group: &Group<'_>| group.seats >= group.people.len();
        let glue = match (groups.iter().all(each), self.lang) {
            (true, Lang::Zh) => "、",
            (true, Lang::En) => ", ",
            (false, Lang::Zh) => "，以及 ",
            (false, Lang::En) => ", and ",
        };
        let told = groups.iter().map(|group| {
            let people = || group.people.iter().copied();
            match (group.seats, self.lang) {
                _ if each(group) => self.people(people(), beside, false),
                (1, _) => self.people(people(), beside, true),
                (some, Lang::Zh) => format!("{} 中的 {some} 人", self.people(people(), beside, false)),
                (some, Lang::En) => format!("{some} of {}", self.people(people(), beside, false)),
            }
        });
        told.collect::<Vec<_>>().join(glue)
    }
}

/// Seats that share people are one group.
fn grouped(seats: Vec<Vec<&PersonId>>) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for seat in seats.into_iter().filter(|seat| !seat.is_empty()) {
        let mut whole = Group { seats: 1, people: Vec::new() };
        groups.retain(|group| {
            let shares = group.people.iter().any(|person| seat.contains(person));
            if shares {
                whole.seats += group.seats;
                whole.people.extend(&group.people);
            }
            !shares
        });
        for person in seat {
            if !whole.people.contains(&person) {
                whole.people.push(person);
            }
        }
        groups.push(whole);
    }
    groups
}
