//! `notify`: mail to people who are not asked to do anything. Everybody that is named, each once.

use super::{Flow, trouble};
use crate::engine::people;
use crate::engine::run::Run;
use crate::engine::state::MailKind;
use crate::model::definition::{Notify, outcome};
use crate::model::graph::On;
use crate::model::id::{StepId, TokenId};
use std::collections::BTreeSet;

/// Queues the mails.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, notify: &Notify) -> Flow {
    let mut told = BTreeSet::new();
    for entry in &notify.who {
        let people = match run.evaluate(token, entry, None) {
            Ok(value) => people::named(&value, run.facts.directory),
            Err(failure) => return Flow::Stop(trouble("notify", &failure)),
        };
        for person in people.into_iter().flatten() {
            if run.facts.directory.people.contains_key(&person) && told.insert(person.clone()) {
                run.mail(MailKind::Notice { step: id.clone() }, person);
            }
        }
    }
    run.left(token, id, outcome::DONE.into(), Vec::new(), false);
    Flow::Leave(On::Next)
}
