//! Tasks that nobody can do any more: all who are asked have left the directory, where no link and no mail reaches
//! them. An operator hands them over.

use super::{Case, Error, Runtime, TaskFilter};
use crate::engine::state::{Mode, Task};
use crate::model::id::PersonId;
use crate::model::people::Directory;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// A task that waits for somebody who left.
#[derive(Clone, Debug)]
pub struct Forsaken {
    /// Its case.
    pub case: Case,
    /// The task.
    pub task: Task,
    /// Who is asked in it and has left.
    pub left: Vec<PersonId>,
    /// Since when they are asked.
    pub since: DateTime<Utc>,
}

impl Runtime {
    /// Open tasks that wait for people who left the directory, up to `limit` of each of them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn forsaken(&self, limit: u32) -> Result<Vec<Forsaken>, Error> {
        let directory = self.directory();
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for person in directory.former.keys() {
            let filter = TaskFilter { person: Some(person.clone()), limit, ..TaskFilter::default() };
            for row in self.tasks(&filter).await? {
                let asked = row.assignment;
                if !seen.insert((asked.instance, asked.task)) {
                    continue;
                }
                let Some(case) = self.case(asked.instance).await? else { continue };
                let Some(task) = case.state.tasks.get(&asked.task).filter(|task| waits_for_left(task, &directory))
                else {
                    continue;
                };
                let task = task.clone();
                let left = task.assignments.iter().map(|one| one.person.clone());
                let left = left.filter(|person| !directory.people.contains_key(person)).collect();
                found.push(Forsaken { case, task, left, since: asked.opened_at });
            }
        }
        Ok(found)
    }
}

/// Whether a task cannot come to its end without somebody who left: nobody else is asked, or for a seat of it nobody.
fn waits_for_left(task: &Task, directory: &Directory) -> bool {
    let here = |person: &PersonId| directory.people.contains_key(person);
    if task.mode == Mode::Any {
        return !task.assignments.iter().any(|one| here(&one.person));
    }
    (0u16..).zip(&task.seats).filter(|(_, taken)| taken.is_none()).any(|(seat, _)| {
        let mut takers = task.assignments.iter().filter(|one| one.seats.contains(&seat)).peekable();
        takers.peek().is_some() && !takers.any(|one| here(&one.person))
    })
}
