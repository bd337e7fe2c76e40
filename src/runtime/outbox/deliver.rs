//! One mail: composed once, given its link, and handed to the transport.
//!
//! Each send is a task of its own and shares nothing with the others but [`Inside`]. Invariant: nothing is sent that is
//! not written down as being sent. What becomes of the channel and of the row's future is not judged here.

use super::settlement;
use crate::effects::link::{Binding, Keys, Purpose, url};
use crate::effects::mail::{Composed, Letter, Parts, Sender, compose};
use crate::effects::template::Templates;
use crate::effects::timeline::Scene;
use crate::effects::transport::{Failure, FailureKind, Transport};
use crate::engine::Facts;
use crate::engine::preview::upcoming;
use crate::model::text::Wording;
use crate::runtime::access::Keyring;
use crate::runtime::{Case, Delivery, Error, Kind, OutboxRow, Runtime, Settled, Settlement};
use chrono::TimeDelta;
use std::sync::{Arc, PoisonError};

/// What every send needs.
pub(super) struct Inside {
    pub(super) runtime: Runtime,
    pub(super) templates: Arc<Templates>,
    pub(super) keys: Keyring,
    pub(super) transport: Transport,
    pub(super) sender: Sender,
}

/// What became of a mail in its task.
pub(super) enum Outcome {
    /// Not sent, and why.
    Settled(Settled),
    /// The other side took it.
    Sent(String),
    /// The other side did not take it.
    Failed(Failure),
}

/// A mail that can be sent.
pub(super) struct Ready {
    pub(super) parts: Parts,
    /// Its parts as they are kept, where they are not yet.
    pub(super) kept: Option<Vec<u8>>,
}

impl Inside {
    pub(super) async fn deliver(&self, row: OutboxRow) -> Outcome {
        let done = self.try_deliver(&row).await;
        done.unwrap_or_else(|error| Outcome::Settled(self.troubled(&row, &error)))
    }

    /// The database, not the mail: it is tried again like a mail of a server that is down, without the blame.
    pub(super) fn troubled(&self, row: &OutboxRow, error: &Error) -> Settled {
        let at = self.runtime.now() + TimeDelta::seconds(30);
        let sending = row.state == Delivery::Sending;
        Settled::Retry { at, reply: error.what.to_string(), possibly_twice: sending }
    }

    async fn try_deliver(&self, row: &OutboxRow) -> Result<Outcome, Error> {
        let Ready { parts, kept } = match self.ready(row).await? {
            Ok(ready) => ready,
            Err(settled) => return Ok(Outcome::Settled(settled)),
        };
        if let Some(kept) = kept {
            point(crate::failpoint!("outbox.before_prepare"))?;
            if self.runtime.settle(prepared(row, &parts, kept)).await? < 2 {
                // The lease ran out and somebody else has it: what we write is not counted either.
                return Ok(Outcome::Settled(Settled::Sending));
            }
            point(crate::failpoint!("outbox.after_prepare"))?;
        }
        self.send(row, &parts).await
    }

    /// A mail as it is sent: composed, if it was not before. Else what became of it instead.
    async fn ready(&self, row: &OutboxRow) -> Result<Result<Ready, Settled>, Error> {
        self.ready_in(row, &mut None).await
    }

    /// The same for one of several mails of a case, which is read once.
    pub(super) async fn ready_in(
        &self,
        row: &OutboxRow,
        case: &mut Option<Case>,
    ) -> Result<Result<Ready, Settled>, Error> {
        if let Some(parts) = parts_of(row) {
            if self.outdated(&parts) {
                return Ok(Err(Settled::Again { at: self.runtime.now() }));
            }
            return Ok(Ok(Ready { parts, kept: None }));
        }
        let parts = match self.compose(row, case).await? {
            Ok(Composed::Mail(parts)) => *parts,
            Ok(Composed::Moot(why)) => return Ok(Err(Settled::Skipped { reason: why.to_string() })),
            Err(what) => return Ok(Err(Settled::Failed { reply: what.to_string() })),
        };
        Ok(match serde_json::to_vec(&parts) {
            Ok(kept) => Ok(Ready { parts, kept: Some(kept) }),
            Err(_) => Err(Settled::Failed { reply: "the mail cannot be kept".to_owned() }),
        })
    }

    /// Sends a mail that is written down as being sent.
    pub(super) async fn send(&self, row: &OutboxRow, parts: &Parts) -> Result<Outcome, Error> {
        let link = match (&parts.asks, self.link(row, parts).await?) {
            (Some(_), None) => {
                let reason = Wording::new("任务已结束，不再需要处理。", "the task is over");
                return Ok(Outcome::Settled(Settled::Skipped { reason: reason.to_string() }));
            }
            (_, link) => link,
        };
        let sent = self.transport.send(parts, link.as_deref()).await;
        if let Err(error) = crate::failpoint!("outbox.after_send") {
            return Ok(Outcome::Failed(Failure { kind: FailureKind::Unknown, reply: error.to_string() }));
        }
        Ok(match sent {
            Ok(reply) => Outcome::Sent(reply),
            Err(failure) => Outcome::Failed(failure),
        })
    }

    /// Composes a mail from where its instance stands now.
    async fn compose(&self, row: &OutboxRow, case: &mut Option<Case>) -> Result<Result<Composed, Wording>, Error> {
        if case.is_none() {
            *case = self.runtime.case(row.instance).await?;
        }
        let Some(case) = case else {
            return Ok(Err(Wording::new("流程实例已不存在。", "The instance is gone.")));
        };
        let (directory, calendar, now) = (self.runtime.directory(), self.runtime.calendar(), self.runtime.now());
        let facts = Facts { now, directory: &directory, calendar: &calendar, sequence: 0, seed: [0; 16] };
        let ahead = upcoming(&case.definition, &case.state, &facts);
        let live = self.runtime.definitions();
        let caller = self.runtime.calling(&case.state).await?;
        let scene = Scene {
            definition: &case.definition,
            state: &case.state,
            log: &case.entries,
            upcoming: &ahead,
            caller: caller.as_ref(),
        };
        let letter = Letter {
            installation: self.runtime.installation(),
            scene,
            mail: row.mail,
            kind: &row.kind,
            to: &row.to,
            attempt: row.attempt,
            directory: &directory,
            live: &live,
            calendar: &calendar,
            now,
            key: self.keys().signing(),
        };
        Ok(compose(&letter, &self.templates, &self.sender))
    }

    /// Whether a mail was composed for an address or a key that is no longer good.
    fn outdated(&self, parts: &Parts) -> bool {
        let directory = self.runtime.directory();
        let now = directory.people.get(&parts.person).and_then(|person| person.mail.as_deref()).map(str::trim);
        now != Some(parts.to.as_str()) || parts.asks.is_some_and(|asks| !self.keys().holds(asks.key))
    }

    /// The address of a mail's link: the same at every attempt. `None` where it has none, or none any more.
    pub(super) async fn link(&self, row: &OutboxRow, parts: &Parts) -> Result<Option<String>, Error> {
        let Some(asks) = parts.asks else { return Ok(None) };
        let Some(found) = self.runtime.assignment(asks.assignment).await? else { return Ok(None) };
        let binding = Binding {
            purpose: Purpose::Decide,
            installation: self.runtime.installation(),
            instance: row.instance,
            task: found.task,
            round: found.round,
            person: &found.person,
            assignment: found.id,
            nonce: &found.nonce,
        };
        let ticket = self.keys().ticket_by(asks.key, &binding);
        Ok(ticket.map(|ticket| url(&self.sender.base, &ticket)))
    }

    fn keys(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(super) fn parts_of(row: &OutboxRow) -> Option<Parts> {
    // Parts that cannot be read are composed anew, like those of a mail that never had any.
    serde_json::from_slice(row.parts.as_ref()?).ok()
}

/// A mail is composed, and is being sent from now on.
pub(super) fn prepared(row: &OutboxRow, parts: &Parts, kept: Vec<u8>) -> Vec<Settlement> {
    let prepared = Settled::Prepared { address: parts.to.clone(), message_id: parts.message_id.clone(), parts: kept };
    vec![settlement(row, prepared), settlement(row, Settled::Sending)]
}

fn point(hit: std::io::Result<()>) -> Result<(), Error> {
    hit.map_err(|error| Error::new(Kind::Temporary, Wording::new("故障点", "failpoint"), error.to_string()))
}
