//! The pages, one file each: GET shows, POST submits a command.

pub(super) mod file;
pub(super) mod fresh;
pub(super) mod home;
pub(super) mod mailbox;
pub(super) mod outcome;
pub(super) mod task;

use super::{Frame, WebError, WebState, guard};
use crate::effects::format::Words;
use crate::effects::timeline::Scene;
use crate::effects::view::{CaseView, Reader, Shown, case_view};
use crate::effects::words::Calling;
use crate::model::definition::Definition;
use crate::model::text::Lang;
use crate::runtime::access::{Standing, Visit};
use chrono_tz::Tz;
use std::sync::Arc;

/// What is spoken of around a case: the processes that are live, and the case that called it.
pub(super) struct Around {
    live: Vec<Arc<Definition>>,
    caller: Option<Calling>,
}

impl Around {
    async fn of(state: &WebState, visit: &Visit) -> Result<Around, WebError> {
        let runtime = state.runtime();
        Ok(Around { live: runtime.definitions(), caller: runtime.calling(&visit.case.state).await? })
    }
}

/// A visit with the words of its reader.
pub(super) struct Desk<'a> {
    visit: &'a Visit,
    around: &'a Around,
    words: Words<'a>,
    frame: Frame,
    /// The path of the visit's page.
    path: String,
}

impl<'a> Desk<'a> {
    fn new(state: &WebState, visit: &'a Visit, around: &'a Around, ticket: &str, query: Option<&str>) -> Desk<'a> {
        let person = visit.directory.people.get(&visit.row.person);
        let own = person.map_or(Lang::default(), |person| person.language);
        // The address of a page holds its ticket; a link to its other language need not repeat it.
        let frame = Frame::new(own, guard::chosen(query), "");
        let home = state.runtime().calendar().zone;
        let zone: Tz = person.and_then(|person| person.zone).unwrap_or(home);
        let words =
            Words { lang: frame.lang, zone, home, now: visit.now, directory: &visit.directory, live: &around.live };
        Desk { visit, around, words, frame, path: format!("/t/{ticket}") }
    }

    fn view(&self, asked: bool) -> CaseView {
        let case = &self.visit.case;
        let scene = Scene {
            definition: &case.definition,
            state: &case.state,
            log: &case.entries,
            upcoming: &self.visit.upcoming,
            caller: self.around.caller.as_ref(),
        };
        let asked = self.visit.asked().filter(|_| asked);
        // A link shows what its step shows, and who answered may still see what was changed by then.
        let changes = matches!(self.visit.standing, Standing::Answered { .. });
        let saw = Some(Shown::at(&case.definition, &self.visit.row.step, self.visit.kind));
        let person = Some(&self.visit.row.person);
        let reader = Reader { person, asked, fills: true, saw, changes, ..Reader::default() };
        case_view(&scene, &self.words, reader)
    }

    fn name(&self) -> String {
        self.words.name(&self.visit.row.person)
    }

    fn pick(&self, zh: &str, en: &str) -> String {
        self.words.pick(zh, en).to_owned()
    }
}
