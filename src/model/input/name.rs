//! What has a name: options, people, positions, departments.

use crate::model::id::{DepartmentId, PersonId, PositionId};
use crate::model::people::{Directory, Person};
use crate::model::text::{Lang, Text, Wording};
use indexmap::IndexMap;
use std::sync::Arc;

/// Whether a text calls something that is named and titled so.
fn calls(text: &str, name: &str, title: &Text) -> bool {
    let same = |other: &str| other.trim().to_lowercase() == text.to_lowercase();
    same(name) || same(title.get(Lang::Zh)) || same(title.get(Lang::En))
}

pub(super) fn choice(options: &IndexMap<Arc<str>, Text>, text: &str) -> Result<Arc<str>, Wording> {
    if let Some((name, _)) = options.get_key_value(text) {
        return Ok(name.clone());
    }
    let mut found = options.iter().filter(|(name, title)| calls(text, name, title));
    if let (Some((name, _)), None) = (found.next(), found.next()) {
        return Ok(name.clone());
    }
    let words = |lang| options.values().map(|title| title.get(lang)).collect::<Vec<_>>();
    Err(Wording::new(
        format!("没有“{text}”这个选项。可选：{}。", words(Lang::Zh).join("、")),
        format!("“{text}” is not an option. Choose one of: {}.", words(Lang::En).join(", ")),
    ))
}

pub(super) fn person(directory: &Directory, text: &str) -> Result<PersonId, Wording> {
    if let Some((id, _)) = directory.people.get_key_value(text) {
        return Ok(id.clone());
    }
    let is = |found: &Person| {
        found.name == text || found.mail.as_deref().is_some_and(|mail| mail.eq_ignore_ascii_case(text))
    };
    let found: Vec<&PersonId> = directory.people.iter().filter(|(_, person)| is(person)).map(|(id, _)| id).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Wording::new(
            format!("通讯录里没有“{text}”。请写姓名、工号或邮箱。"),
            format!("Nobody in the directory is “{text}”. Write a name, an id or a mail address."),
        )),
        many => {
            let ids = many.iter().map(|id| id.as_str()).collect::<Vec<_>>();
            Err(Wording::new(
                format!("有几位“{text}”，请写工号：{}。", ids.join("、")),
                format!("Several people are called “{text}”; write an id: {}.", ids.join(", ")),
            ))
        }
    }
}

pub(super) fn position(directory: &Directory, text: &str) -> Result<PositionId, Wording> {
    let found = directory.positions.iter().map(|(id, position)| (id, id.as_str(), &position.title));
    place(found, text, ("职位", "position"))
}

pub(super) fn department(directory: &Directory, text: &str) -> Result<DepartmentId, Wording> {
    let found = directory.departments.iter().map(|(id, department)| (id, id.as_str(), &department.title));
    place(found, text, ("部门", "department"))
}

fn place<'a, T: Clone + 'a>(
    all: impl Iterator<Item = (&'a T, &'a str, &'a Text)> + Clone,
    text: &str,
    (zh, en): (&str, &str),
) -> Result<T, Wording> {
    if let Some((id, ..)) = all.clone().find(|(_, name, _)| *name == text) {
        return Ok(id.clone());
    }
    let mut found = all.clone().filter(|(_, name, title)| calls(text, name, title));
    if let (Some((id, ..)), None) = (found.next(), found.next()) {
        return Ok(id.clone());
    }
    let names = all.map(|(_, name, _)| name).collect::<Vec<_>>();
    Err(Wording::new(
        format!("通讯录里没有叫“{text}”的{zh}。有：{}。", names.join("、")),
        format!("The directory has no {en} called “{text}”. It has: {}.", names.join(", ")),
    ))
}
