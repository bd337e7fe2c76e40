//! One mail of the outbox: which template, filled with what, under which headers.
//!
//! [`compose`] is called once for a mail. Its [`Parts`] are kept, with [`GAP`] where the link belongs, and
//! `message::build` makes the same bytes of them and a link for ever: the Message-ID, the date and the boundary
//! follow from the parts. So a second copy is recognizably the same mail, and what is kept holds no working link.
//!
//! Every text of a person comes in cleaned (see `format`) and no text holds [`GAP`].
//!
//! ```text
//! letter ─ context ─→ what templates see ─ text ─→ subject and plain text
//!             └ sample: the same names made up, for checking a company's own templates
//! ```

mod context;
mod sample;
mod text;

pub use context::Context;
pub use sample::{check_notice, notices, sample};

use super::format::{Words, clean_line};
use super::template::Templates;
use super::timeline::Scene;
use crate::engine::state::{Assignment, MailKind, Task, TaskKind};
use crate::model::definition::{Definition, StepKind};
use crate::model::id::{AssignmentId, MailId, PersonId};
use crate::model::people::Directory;
use crate::model::text::{Lang, Wording};
use crate::model::time::Calendar;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Stands where the link belongs, until a mail is sent. No text of a person can hold it: `clean` takes it out.
pub const GAP: &str = "\u{fdd0}";

/// Who mail comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name in `From`.
    pub name: String,
    /// The address in `From`.
    pub address: String,
    /// The address that failures go to.
    pub envelope: String,
    /// The stem of every link: `https://flow.example.com`.
    pub base: String,
}

impl Sender {
    /// A sender from what a configuration says: `from` is `flow@example.com` or `会签 <flow@example.com>`; `base`
    /// is what every link begins with.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(from: &str, bounces: Option<&str>, base: &str) -> Result<Sender, Wording> {
        let (name, address) = super::message::named_address(from)?;
        let envelope = match bounces {
            Some(bounces) => super::message::named_address(bounces)?.1,
            None => address.clone(),
        };
        Ok(Sender { name, address, envelope, base: base.trim_end_matches('/').to_owned() })
    }

    /// The domain of the address, for Message-IDs.
    fn domain(&self) -> String {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let domain: String = domain.chars().filter(plain).collect();
        if domain.is_empty() { "countersign.invalid".into() } else { domain }
    }
}

/// What a mail is composed of.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The installation, by the id in its database.
    pub installation: &'a str,
    /// The instance.
    pub scene: Scene<'a>,
    /// The number of the mail there.
    pub mail: MailId,
    /// What for.
    pub kind: &'a MailKind,
    /// To whom.
    pub to: &'a PersonId,
    /// How often the mail was tried; a mail that is rendered anew is another mail.
    pub attempt: u32,
    /// The people, as they are now.
    pub directory: &'a Directory,
    /// The processes that are live, for the titles of what was called.
    pub live: &'a [Arc<Definition>],
    /// The calendar, as it is now.
    pub calendar: &'a Calendar,
    /// The time.
    pub now: DateTime<Utc>,
    /// The key that its link is made with.
    pub key: u8,
}

/// A mail without its link, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// To whom.
    pub person: PersonId,
    /// The name in `To`.
    pub to_name: String,
    /// The address that it goes to.
    pub to: String,
    /// The name in `From`.
    pub from_name: String,
    /// The address in `From`.
    pub from: String,
    /// The address that failures go to.
    pub envelope: String,
    /// The subject.
    pub subject: String,
    /// The language that it is written in.
    pub lang: Lang,
    /// When it was composed.
    pub date: DateTime<Utc>,
    /// Its Message-ID, with angle brackets.
    pub message_id: String,
    /// What all mails of the instance refer to, with angle brackets.
    pub thread: String,
    /// What filters go by, with angle brackets.
    pub list: String,
    /// The plain text, with a gap for the link.
    pub text: String,
    /// The HTML, with a gap for the link.
    pub html: String,
    /// What its link is for, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
}

/// What the link of a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    /// The assignment.
    pub assignment: AssignmentId,
    /// The key that the ticket is made with.
    pub key: u8,
}

/// What came of composing.
#[derive(Clone, Debug, PartialEq)]
pub enum Composed {
    /// A mail.
    Mail(Box<Parts>),
    /// It has lost its use; why.
    Moot(Wording),
}

/// Composes a mail.
///
/// # Errors
/// What keeps it from being composed, for an operator: no address, or a template that fails.
pub fn compose(letter: &Letter<'_>, templates: &Templates, sender: &Sender) -> Result<Composed, Wording> {
    let Some(person) = letter.directory.people.get(letter.to) else {
        return Err(Wording::new(
            format!("通讯录里已没有 {}，邮件无法送达。", letter.to),
            format!("{} is no longer in the directory, so the mail has nowhere to go.", letter.to),
        ));
    };
    let name = clean_line(&person.name);
    let Some(address) = person.mail.as_deref().map(str::trim).filter(|mail| !mail.is_empty()) else {
        return Err(Wording::new(
            format!("通讯录里 {name} 没有邮箱地址。请在通讯录中补上 `mail:`。"),
            format!("{name} has no mail address in the directory. Add `mail:` there."),
        ));
    };
    let state = letter.scene.state;
    let mut asked: Option<(&Task, &Assignment)> = None;
    if let Some((task, assignment)) = letter.kind.asks() {
        let found = state.tasks.get(&task).filter(|task| !task.parked);
        let found = found.and_then(|task| Some((task, task.assignments.iter().find(|one| one.id == assignment)?)));
        match found {
            Some(found) if !found.0.answers.iter().any(|answer| answer.assignment == assignment) => asked = Some(found),
            _ => return Ok(Composed::Moot(Wording::new("任务已结束，不再需要处理。", "the task is over"))),
        }
    }
    let lang = person.language;
    let zone = person.zone.unwrap_or(letter.calendar.zone);
    let words = Words {
        lang,
        zone,
        home: letter.calendar.zone,
        now: letter.now,
        directory: letter.directory,
        live: letter.live,
    };
    let context = context::context(letter, &words, asked, &name);
    let (stem, own) = stem(letter, asked);
    let stem = match own {
        Some(own) if templates.find(&own, lang, "txt").is_some() => own,
        Some(own) => {
            return Err(Wording::new(
                format!("找不到邮件模板 `{own}.{}.txt`。", lang.tag()),
                format!("There is no mail template `{own}.{}.txt`.", lang.tag()),
            ));
        }
        None => stem.to_owned(),
    };
    let (subject, text) = text::text(templates, &stem, lang, &context)?;
    // A company that writes only the plain text gets our own page around the facts.
    let html = templates.find(&stem, lang, "html").unwrap_or_else(|| format!("mail/notice.{}.html", lang.tag()));
    let html = templates.render(&html, &context, lang).map_err(|problem| problem.what)?;
    let domain = sender.domain();
    let again = if letter.attempt > 1 { format!(".{}", letter.attempt) } else { String::new() };
    let instance = state.id;
    Ok(Composed::Mail(Box::new(Parts {
        person: letter.to.clone(),
        to_name: name,
        to: address.to_owned(),
        from_name: clean_line(&sender.name),
        from: sender.address.clone(),
        envelope: sender.envelope.clone(),
        subject,
        lang,
        date: letter.now,
        message_id: format!("<{instance}.{}{again}.{}@{domain}>", letter.mail, short(letter.installation)),
        thread: format!("<{instance}.{}@{domain}>", short(letter.installation)),
        list: format!("<{}.countersign.{domain}>", label(state.process.as_str())),
        text,
        html,
        asks: asked.map(|(_, assignment)| Asks { assignment: assignment.id, key: letter.key }),
    })))
}

/// The stem of the template, and that of the author where a `notify` names one.
fn stem(letter: &Letter<'_>, asked: Option<(&Task, &Assignment)>) -> (&'static str, Option<String>) {
    let revise = asked.is_some_and(|(task, _)| matches!(task.kind, TaskKind::Revise { .. }));
    let stem = match letter.kind {
        MailKind::Assigned { .. } if revise => "mail/revise",
        MailKind::Assigned { .. } => "mail/assigned",
        MailKind::Reminder { .. } => "mail/reminder",
        MailKind::FreshLink { .. } => "mail/fresh_link",
        MailKind::Decided { .. } => "mail/decided",
        MailKind::Ended => "mail/ended",
        MailKind::Overdue { .. } => "mail/overdue",
        MailKind::ActedFor { .. } => "mail/acted_for",
        MailKind::HandedOver => "mail/handed_over",
        MailKind::Notice { step } => {
            let own = match letter.scene.definition.steps.get(step).map(|step| &step.kind) {
                Some(StepKind::Notify(notify)) => notify.template.as_ref().map(|name| format!("mail/{name}")),
                _ => None,
            };
            return ("mail/notice", own);
        }
    };
    (stem, None)
}

/// A short stable mark of the installation, so that two of them never share a Message-ID.
fn short(installation: &str) -> String {
    Sha256::digest(installation.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn label(process: &str) -> String {
    if !process.is_empty() && process.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        process.to_ascii_lowercase()
    } else {
        short(process)
    }
}
