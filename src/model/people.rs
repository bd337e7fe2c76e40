//! The directory: departments, positions, people, absences; who heads, who reports to whom, who stands in.

use super::id::{DepartmentId, PersonId, PositionId, ProcessId};
use super::text::{Lang, Text};
use chrono::NaiveDate;
use chrono_tz::Tz;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A department.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Department {
    /// What people call it.
    pub title: Text,
    /// The position that heads it.
    pub head: Option<PositionId>,
    /// The department it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<DepartmentId>,
}

/// A position that people hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// What people call it.
    pub title: Text,
    /// Where it belongs.
    pub department: Option<DepartmentId>,
    /// The position above.
    pub reports_to: Option<PositionId>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// As people write it.
    pub name: String,
    /// The only address that links are ever sent to.
    pub mail: Option<String>,
    /// What they hold; the first is the main one.
    pub positions: Vec<PositionId>,
    /// The language of their mail and pages.
    pub language: Lang,
    /// The zone of the times they read; the calendar's where they have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
}

/// Days on which someone is away and somebody else decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Absence {
    /// Who is away.
    pub person: PersonId,
    /// The first day away.
    pub from: NaiveDate,
    /// The last day away.
    pub to: NaiveDate,
    /// Who decides instead.
    pub substitute: PersonId,
    /// Only for these processes; for all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<ProcessId>,
}

/// Everybody and how they stand to each other, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    /// Its name: `company`.
    pub name: String,
    /// Departments by name.
    pub departments: IndexMap<DepartmentId, Department>,
    /// Positions by name.
    pub positions: IndexMap<PositionId, Position>,
    /// People by id.
    pub people: IndexMap<PersonId, Person>,
    /// Who is away when.
    pub absences: Vec<Absence>,
    /// Who was in it once, without their addresses: what they did in cases is told by their names.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub former: IndexMap<PersonId, Person>,
}

impl Directory {
    /// Who holds a position, in the order of the file.
    pub fn holders(&self, position: &PositionId) -> Vec<PersonId> {
        self.people.iter().filter(|(_, person)| person.positions.contains(position)).map(|(id, _)| id.clone()).collect()
    }

    /// Who holds a position of a department, or of one that is part of it.
    pub fn members(&self, department: &DepartmentId) -> Vec<PersonId> {
        let inside = |person: &Person| {
            person.positions.iter().filter_map(|position| self.positions.get(position)?.department.as_ref()).any(
                |own| {
                    let (mut at, mut seen) = (Some(own), BTreeSet::new());
                    while let Some(here) = at {
                        if here == department {
                            return true;
                        }
                        if !seen.insert(here) {
                            return false;
                        }
                        at = self.departments.get(here).and_then(|found| found.part_of.as_ref());
                    }
                    false
                },
            )
        };
        self.people.iter().filter(|(_, person)| inside(person)).map(|(id, _)| id.clone()).collect()
    }

    /// The department of a person's main position.
    pub fn department_of(&self, person: &PersonId) -> Option<&DepartmentId> {
        let main = self.people.get(person)?.positions.first()?;
        self.positions.get(main)?.department.as_ref()
    }

    /// The head of a department; where the position is vacant, whoever is next above it.
    pub fn head_of(&self, department: &DepartmentId) -> Option<PersonId> {
        self.first_holder_from(self.departments.get(department)?.head.as_ref(), None)
    }

    /// The superior of a person: the first holder of the position above their main one, past vacancies and
    /// past themselves.
    pub fn manager_of(&self, person: &PersonId) -> Option<PersonId> {
        let main = self.people.get(person)?.positions.first()?;
        self.first_holder_from(self.positions.get(main)?.reports_to.as_ref(), Some(person))
    }

    /// Each superior in turn, nearest first; ends at the top or where a line turns back on itself.
    pub fn superiors(&self, person: &PersonId) -> Vec<PersonId> {
        let (mut chain, mut at) = (Vec::new(), person.clone());
        while let Some(next) = self.manager_of(&at) {
            if next == *person || chain.contains(&next) {
                break;
            }
            chain.push(next.clone());
            at = next;
        }
        chain
    }

    /// Who decides for a person in a process on a day: the end of the chain of substitutes, each link of which
    /// must be away that day; the person where nobody is away, or where the chain comes back to someone in it.
    pub fn stand_in(&self, person: &PersonId, process: &ProcessId, day: NaiveDate) -> PersonId {
        let (mut seen, mut at) = (BTreeSet::new(), person);
        loop {
            if !seen.insert(at) {
                return person.clone();
            }
            let away = self.absences.iter().find(|absence| {
                absence.person == *at
                    && absence.from <= day
                    && day <= absence.to
                    && (absence.processes.is_empty() || absence.processes.contains(process))
            });
            match away {
                Some(absence) => at = &absence.substitute,
                None => return at.clone(),
            }
        }
    }

    /// Remembers those of the directory before it that are no longer in it.
    pub fn remember(&mut self, before: Directory) {
        let left = before.former.into_iter().chain(before.people);
        let left = left.filter(|(id, _)| !self.people.contains_key(id));
        self.former = left.map(|(id, person)| (id, Person { mail: None, ..person })).collect();
    }

    /// A person who is in it, or was once.
    pub fn person(&self, person: &PersonId) -> Option<&Person> {
        self.people.get(person).or_else(|| self.former.get(person))
    }

    /// The name of a person, or the id where the directory never knew them.
    pub fn name_of<'a>(&'a self, person: &'a PersonId) -> &'a str {
        self.person(person).map_or(person.as_str(), |found| found.name.as_str())
    }

    /// What a position is called, or its name where the directory no longer knows it.
    pub fn title_of_position<'a>(&'a self, position: &'a PositionId, lang: Lang) -> &'a str {
        self.positions.get(position).map_or(position.as_str(), |found| found.title.get(lang))
    }

    /// What a department is called, or its name where the directory no longer knows it.
    pub fn title_of_department<'a>(&'a self, department: &'a DepartmentId, lang: Lang) -> &'a str {
        self.departments.get(department).map_or(department.as_str(), |found| found.title.get(lang))
    }

    fn first_holder_from(&self, from: Option<&PositionId>, but: Option<&PersonId>) -> Option<PersonId> {
        let (mut at, mut seen) = (from, BTreeSet::new());
        while let Some(position) = at {
            if !seen.insert(position) {
                return None;
            }
            let holds = |(id, person): &(&PersonId, &Person)| Some(*id) != but && person.positions.contains(position);
            if let Some((id, _)) = self.people.iter().find(holds) {
                return Some(id.clone());
            }
            at = self.positions.get(position)?.reports_to.as_ref();
        }
        None
    }
}
