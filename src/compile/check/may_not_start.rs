//! A schedule that starts cases for people who may not start them.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::{self, Context};
use crate::model::formula::Read;
use crate::model::id::PersonId;
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use chrono::DateTime;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let (Some(schedule), Some(written)) = (&subject.definition.schedule, &subject.document.schedule) else { return };
    let (directory, start) = (&subject.world.directory, &subject.definition.start);
    if !subject.world.people_known || subject.document.start.is_empty() || schedule.by.len() < written.by.len() {
        return;
    }
    for (formula, text) in schedule.by.iter().zip(&written.by) {
        if formula.reads.iter().any(|read| *read != Read::Directory) {
            continue;
        }
        let (data, calendar) = (Record::new(), Calendar::default());
        let context = Context::new(&data, directory, &calendar, DateTime::UNIX_EPOCH);
        let Ok(value) = expression::evaluate(formula, &context) else { continue };
        let may = |person: &PersonId| {
            let held = directory.people.get(person).map_or(&[][..], |person| person.positions.as_slice());
            held.iter().any(|position| start.contains(position))
        };
        let refused: Vec<PersonId> = people(&value, directory).into_iter().filter(|person| !may(person)).collect();
        if refused.is_empty() {
            continue;
        }
        let names: Vec<String> = refused.iter().take(3).map(|id| format!("{} ({id})", directory.name_of(id))).collect();
        let more = refused.len().saturating_sub(names.len());
        let (zh_more, en_more) = match more {
            0 => (String::new(), String::new()),
            _ => (format!("等 {} 人", refused.len()), format!(" and {more} more")),
        };
        let mut found = Diagnostic::new(
            Code::MayNotStart,
            text.span,
            Wording::new(
                format!("{}{zh_more}不能发起这个流程，定时发起会被拒绝", names.join("、")),
                format!("{}{en_more} may not start this process, so the schedule would be refused", names.join(", ")),
            ),
        );
        if let Some(start) = subject.document.start.first() {
            found = found.context(start.span, Wording::new("能发起的岗位", "who may start it"));
        }
        diagnostics.push(found);
    }
}

fn people(value: &Value, directory: &Directory) -> Vec<PersonId> {
    match value {
        Value::Person(person) => vec![person.clone()],
        Value::Position(position) => directory.holders(position),
        Value::List(items) => items.iter().flat_map(|item| people(item, directory)).collect(),
        _ => Vec::new(),
    }
}
