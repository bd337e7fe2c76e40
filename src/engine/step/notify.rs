//! `notify`: mail to people who are not asked to do anything. Everybody that is named, each once.

use super::Flow;
use crate::engine::people;
use crate::engine::run::Run;
use crate::engine::state::MailKind;
use crate::model::definition::{Notify, outcome};
use crate::model::graph::On;
use crate::model::id::{StepId, TokenId};

/// Queues the mails.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, notify: &Notify) -> Flow {
    let people = match people::told(run, token, &notify.who, "notify") {
        Ok(people) => people,
        Err(what) => return Flow::Stop(what),
    };
    for person in people {
        run.mail(MailKind::Notice { step: id.clone() }, person);
    }
    run.left(token, id, outcome::DONE.into(), Vec::new(), false);
    Flow::Leave(On::Next)
}
