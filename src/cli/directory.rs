//! Whom a text from the shell means: an id, a name or a mail address of the directory.

use super::exit::Stop;
use crate::diagnostics::suggest;
use crate::model::id::PersonId;
use crate::model::people::Directory;

/// The person that a text names, who may have left the directory.
pub(crate) fn anybody(directory: &Directory, text: &str) -> Result<PersonId, Stop> {
    let text = text.trim();
    person(directory, text).or_else(|unknown| {
        let mut former = directory.former.iter();
        let found = former.find(|(id, person)| id.as_str() == text || person.name.eq_ignore_ascii_case(text));
        found.map(|(id, _)| id.clone()).ok_or(unknown)
    })
}

/// The person that a text names.
pub(crate) fn person(directory: &Directory, text: &str) -> Result<PersonId, Stop> {
    let text = text.trim();
    if let Some((id, _)) = directory.people.get_key_value(text) {
        return Ok(id.clone());
    }
    let means = |name: &str| name.eq_ignore_ascii_case(text) || name.to_lowercase() == text.to_lowercase();
    let found: Vec<&PersonId> = directory
        .people
        .iter()
        .filter(|(id, person)| means(id.as_str()) || means(&person.name) || person.mail.as_deref().is_some_and(&means))
        .map(|(id, _)| id)
        .collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let words = directory.people.iter().flat_map(|(id, person)| [id.as_str(), person.name.as_str()]);
            let (zh, en) = suggest::closest(text, words).map_or_else(
                || {
                    let some: Vec<String> = directory.people.keys().take(12).map(ToString::to_string).collect();
                    let more = if directory.people.len() > some.len() { "…" } else { "" };
                    (format!("有：{}{more}。", some.join("、")), format!("There are: {}{more}.", some.join(", ")))
                },
                |close| (format!("是不是“{close}”？"), format!("Did you mean “{close}”?")),
            );
            Err(Stop::not_found(
                format!("通讯录里没有“{text}”。{zh}"),
                format!("The directory has nobody called “{text}”. {en}"),
            ))
        }
        many => {
            let ids: Vec<&str> = many.iter().map(|id| id.as_str()).collect();
            Err(Stop::not_found(
                format!("“{text}”有 {} 个人，请写编号：{}。", ids.len(), ids.join("、")),
                format!("“{text}” is the name of {} people; give the id: {}.", ids.len(), ids.join(", ")),
            ))
        }
    }
}
