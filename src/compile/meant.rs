//! What was probably meant by a name that means nothing: whatever bears it as a title, or the one position or
//! department whose name holds it.

use crate::compile::World;
use crate::compile::resolve::walk;
use crate::model::text::Text;
use crate::syntax::{Field, Process};

/// A name to write instead, if exactly one fits.
pub(crate) fn instead(name: &str, document: &Process, world: &World<'_>) -> Option<String> {
    let name = name.trim();
    let mut fields: Vec<&Field> = document.form.iter().chain(&document.data).collect();
    walk(&document.steps, &mut |step| fields.extend(&step.form));
    let titled = fields.iter().filter(|field| field.title.as_ref().is_some_and(|title| says(&title.value, name)));
    let titled: Vec<String> = titled.map(|field| field.name.value.clone()).collect();
    let directory = &world.directory;
    let positions = directory.positions.iter().map(|(id, position)| (id.to_string(), &position.title));
    let departments = directory.departments.iter().map(|(id, department)| (id.to_string(), &department.title));
    let offices: Vec<(String, &Text)> = positions.chain(departments).collect();
    let called = || offices.iter().filter(|(_, title)| says(title, name)).map(|(id, _)| id.clone());
    let people = directory.people.iter().filter(|(_, person)| person.name == name);
    let people = people.map(|(id, _)| format!("person(\"{id}\")"));
    let long_enough = name.chars().count() > 1;
    let holding = || {
        let holds = |id: &str| long_enough && (id.contains(name) || id.chars().count() > 1 && name.contains(id));
        offices.iter().filter(move |(id, _)| holds(id)).map(|(id, _)| id.clone())
    };
    only(titled)
        .or_else(|| only(called().collect()))
        .or_else(|| only(people.collect()))
        .or_else(|| only(holding().collect()))
}

fn says(title: &Text, name: &str) -> bool {
    match title {
        Text::One(text) => text == name,
        Text::Each { zh, en } => {
            zh.as_deref() == Some(name) || en.as_deref().is_some_and(|en| en.eq_ignore_ascii_case(name))
        }
    }
}

fn only(mut found: Vec<String>) -> Option<String> {
    if found.len() == 1 { found.pop() } else { None }
}
