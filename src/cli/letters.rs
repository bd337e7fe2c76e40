//! The mails of a made-up world, written by the templates that real ones are written by.

use crate::effects::mail::{Composed, GAP, Letter as Mail, Sender, compose};
use crate::effects::template::Templates;
use crate::effects::timeline::Scene;
use crate::effects::words::Calling;
use crate::engine::{Facts, preview};
use crate::model::text::Wording;
use crate::simulate::{Letter, Letters, Posted};

/// Where the link would stand.
const LINK: &str = "https://flow.example.com/t/…";

/// Writes with a folder's templates.
#[derive(Debug)]
pub struct Written<'a> {
    templates: &'a Templates,
    sender: Sender,
}

impl<'a> Written<'a> {
    /// A writer with these templates.
    pub fn new(templates: &'a Templates) -> Written<'a> {
        let sender = Sender {
            name: "会签".into(),
            address: "flow@example.com".into(),
            envelope: "flow@example.com".into(),
            base: "https://flow.example.com".into(),
        };
        Written { templates, sender }
    }
}

impl Letters for Written<'_> {
    fn letter(&self, posted: &Posted<'_>) -> Result<Letter, Wording> {
        let Posted { mail, case, caller, directory, calendar } = *posted;
        let caller = caller.map(Calling::of);
        let facts = Facts { now: mail.at, directory, calendar, sequence: 0, seed: [0; 16] };
        let upcoming = preview::upcoming(case.definition, &mail.state, &facts);
        let told = case.log.partition_point(|entry| entry.revision <= mail.state.revision);
        let letter = Mail {
            installation: "made-up",
            scene: Scene {
                definition: case.definition,
                state: &mail.state,
                log: case.log.get(..told).unwrap_or_default(),
                upcoming: &upcoming,
                caller: caller.as_ref(),
            },
            mail: mail.number,
            kind: &mail.kind,
            to: &mail.to,
            attempt: 1,
            directory,
            live: &[],
            calendar,
            now: mail.at,
            key: 0,
        };
        match compose(&letter, self.templates, &self.sender)? {
            Composed::Mail(parts) => Ok(Letter { text: parts.text.replace(GAP, LINK), subject: parts.subject }),
            Composed::Moot(why) => Err(why),
        }
    }
}
