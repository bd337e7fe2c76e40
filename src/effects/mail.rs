//! One mail of the outbox: which template, filled with what, under which headers.
//!
//! [`compose`] is called once for a mail. Its [`Parts`] are kept, with [`GAP`] where the link belongs, and
//! `message::build` makes the same bytes of them and a link for ever: the Message-ID, the date and the boundary
//! follow from the parts. So a second copy is recognizably the same mail, and what is kept holds no working link.
//!
//! Every text of a person comes in cleaned (see `format`) and no text holds [`GAP`].

use super::format::{Words, clean_line};
use super::template::{EMBEDDED, Problem, Templates};
use super::timeline::{Mark, Moment, Scene};
use super::view::{CaseView, Reader, case_view};
use super::words::answer_sentence;
use crate::engine::command::{Actor, Ask, Via};
use crate::engine::event::{Entry, Event};
use crate::engine::state::{Assignment, MailKind, Task, TaskKind};
use crate::model::definition::{Definition, StepKind, outcome};
use crate::model::id::{AssignmentId, MailId, PersonId};
use crate::model::people::Directory;
use crate::model::text::{Lang, Wording};
use crate::model::time::Calendar;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands where the link belongs, until a mail is sent. No text of a person can hold it: `clean` takes it out.
pub const GAP: &str = "\u{fdd0}";

/// The widest subject, in cells of a terminal: what a phone shows of it.
const SUBJECT: usize = 60;

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

/// What templates of mail see.
#[derive(Clone, Debug, Serialize)]
pub struct Context {
    /// The instance, in the reader's words.
    case: CaseView,
    /// The case's fields by name, each as the reader reads it; empty where it is not set.
    data: IndexMap<String, String>,
    /// The reader's name.
    recipient: String,
    /// `[LP-2026-0007] `.
    tag: String,
    /// `请审批`, `请办理`.
    please: String,
    /// What the button says.
    button: String,
    /// The step that the mail is about.
    step: String,
    /// What was answered, where the mail is about an answer.
    decided: Option<Decided>,
    /// What happened, without what the mail itself says.
    past: Vec<Moment>,
    /// What comes.
    ahead: Vec<Moment>,
    /// The link, where there is one.
    link: Option<String>,
}

/// An answer, in the reader's words.
#[derive(Clone, Debug, Default, Serialize)]
struct Decided {
    /// Who.
    who: String,
    /// What: `同意`.
    words: String,
    /// Both: `李娜 已同意`.
    sentence: String,
    /// In their words.
    opinion: String,
    /// When.
    when: String,
    /// The shell user who acted, where one did.
    shell: String,
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
    let words =
        Words { lang, zone: person.zone.unwrap_or(letter.calendar.zone), now: letter.now, directory: letter.directory };
    let mut context = context(letter, &words, asked, &name);
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
    let (subject, text) = text(templates, &stem, lang, &mut context)?;
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

fn context(letter: &Letter<'_>, words: &Words<'_>, asked: Option<(&Task, &Assignment)>, name: &str) -> Context {
    let (definition, state) = (letter.scene.definition, letter.scene.state);
    let reader = Reader { person: Some(letter.to), asked, fills: false };
    let mut case = case_view(&letter.scene, words, reader);
    // A mail waits in a mailbox: what would be a hidden id is left out.
    case.number = state.number.as_ref().map(|number| clean_line(number.as_str())).unwrap_or_default();
    let kind = asked.map(|(task, _)| task.kind);
    let step = match letter.kind {
        MailKind::Decided { task, .. } | MailKind::ActedFor { task: Some(task) } => about(letter, *task, words),
        MailKind::Overdue { task: Some(task), .. } => about(letter, *task, words),
        MailKind::Notice { step } | MailKind::Overdue { step, task: None, .. } => words.step(definition, step),
        _ => asked.map(|(task, _)| words.task(definition, &task.step, task.kind)).unwrap_or_default(),
    };
    let show = asked.and_then(|(task, _)| super::view::shown_at(definition, task));
    let decided = decided(letter, words, asked);
    let data =
        definition.fields().filter(|(name, _)| show.is_none_or(|show| show.contains(name))).map(|(name, field)| {
            let value = state.data.get(name).map(|value| words.value(Some(field), value));
            (name.to_string(), value.unwrap_or_default())
        });
    Context {
        data: data.collect(),
        recipient: name.to_owned(),
        tag: if case.number.is_empty() { String::new() } else { format!("[{}] ", case.number) },
        please: match kind {
            Some(TaskKind::Work) => words.pick("请办理", "To do"),
            Some(TaskKind::Revise { .. }) => words.pick("请修改", "Revise"),
            Some(TaskKind::Begin) => words.pick("请填写", "Fill in"),
            _ => words.pick("请审批", "Approve"),
        }
        .into(),
        button: match kind {
            Some(TaskKind::Work) => words.pick("查看并办理", "View and do"),
            Some(TaskKind::Revise { .. }) => words.pick("查看并修改", "View and revise"),
            Some(TaskKind::Begin) => words.pick("查看并填写", "View and fill in"),
            _ => words.pick("查看并决定", "View and decide"),
        }
        .into(),
        past: case.past().filter(|moment| tells(moment, decided.as_ref())).cloned().collect(),
        decided,
        ahead: following(letter, &case),
        step,
        link: asked.map(|_| GAP.to_owned()),
        case,
    }
}

/// Whether a line says something that the head of the mail does not say already.
fn tells(moment: &Moment, decided: Option<&Decided>) -> bool {
    let said = |decided: &Decided| moment.when == decided.when && moment.opinion == decided.opinion;
    !matches!(moment.mark, Mark::Start | Mark::Skipped | Mark::End) && !decided.is_some_and(said)
}

/// What comes, for the reader: for whoever is not asked, those who are asked now come first.
fn following(letter: &Letter<'_>, case: &CaseView) -> Vec<Moment> {
    let now = case.present().filter(|moment| letter.kind.asks().is_none() && moment.mark == Mark::Now);
    now.map(|moment| Moment { words: String::new(), ..moment.clone() }).chain(case.ahead().cloned()).collect()
}

/// The step of a task that may be over.
fn about(letter: &Letter<'_>, id: crate::model::id::TaskId, words: &Words<'_>) -> String {
    let state = letter.scene.state;
    let open = state.tasks.get(&id).map(|task| (&task.step, task.kind));
    let found = open.or_else(|| state.closed.get(&id).map(|task| (&task.step, task.kind)));
    found.map(|(step, kind)| words.task(letter.scene.definition, step, kind)).unwrap_or_default()
}

/// The answer that a mail is about: it stands in the entry that queued the mail.
fn decided(letter: &Letter<'_>, words: &Words<'_>, asked: Option<(&Task, &Assignment)>) -> Option<Decided> {
    let queued = |entry: &&Entry| {
        entry.events.iter().any(|event| matches!(event, Event::MailQueued { mail, .. } if *mail == letter.mail))
    };
    let entry = letter.scene.log.iter().find(queued)?;
    let answer = entry.events.iter().find_map(|event| match (event, letter.kind) {
        (
            Event::Answered { task, assignment, outcome, opinion, .. },
            MailKind::Decided { task: of, assignment: by },
        ) if task == of && assignment == by => Some((*task, outcome, opinion)),
        (Event::Answered { task, outcome, opinion, .. }, MailKind::ActedFor { .. }) => Some((*task, outcome, opinion)),
        (Event::Answered { task, outcome, opinion, .. }, MailKind::Assigned { .. })
            if outcome.as_str() == outcome::RETURNED
                && asked.is_some_and(|(asked, _)| matches!(asked.kind, TaskKind::Revise { of } if of == *task)) =>
        {
            Some((*task, outcome, opinion))
        }
        _ => None,
    });
    let who = words.actor(&entry.command.actor);
    let shell = match &entry.command.actor {
        Actor::Person { via: Via::Shell { user }, .. } | Actor::Operator { user } => clean_line(user),
        _ => String::new(),
    };
    let when = words.moment(entry.at);
    let Some((task, outcome, opinion)) = answer else {
        // What was done in somebody's name need not be an answer.
        let acted = matches!(letter.kind, MailKind::ActedFor { .. });
        return acted.then(|| Decided {
            words: done(&entry.command.ask, words).into(),
            who,
            when,
            shell,
            ..Decided::default()
        });
    };
    let state = letter.scene.state;
    let step = state.tasks.get(&task).map(|task| &task.step).or_else(|| state.closed.get(&task).map(|task| &task.step));
    let human = step.and_then(|step| letter.scene.definition.steps.get(step)).and_then(|step| step.human());
    Some(Decided {
        words: words.answer(human, outcome),
        sentence: answer_sentence(words, human, &who, outcome),
        opinion: opinion.as_deref().map(super::format::clean).unwrap_or_default(),
        who,
        when,
        shell,
    })
}

fn done<'w>(ask: &Ask, words: &Words<'w>) -> &'w str {
    match ask {
        Ask::Start { .. } => words.pick("提交了申请", "submitted a request"),
        Ask::Decide { .. } => words.pick("作出了决定", "decided"),
        Ask::Revise { .. } => words.pick("修改并重新提交", "revised and submitted it again"),
        Ask::Comment { .. } => words.pick("留了言", "left a remark"),
        Ask::Withdraw { .. } => words.pick("撤回了申请", "withdrew it"),
        Ask::Cancel { .. } => words.pick("取消了申请", "cancelled it"),
        Ask::Resend { .. } => words.pick("重新发送了链接", "sent the link again"),
        Ask::Wake => words.pick("触发了到期事项", "fired what was due"),
        Ask::Begin { .. } => words.pick("发起了案例", "started the case"),
        Ask::Deliver { .. } => words.pick("收到了消息", "received a message"),
        Ask::ChildEnded { .. } => words.pick("所调用的案例结束了", "saw a case that it called end"),
        Ask::CallFailed { .. } => words.pick("未能发起所调用的流程", "could not start a process"),
        Ask::Answer { .. } => words.pick("得到了外部系统的答复", "got an answer from outside"),
        Ask::Fail { .. } => words.pick("没有得到外部系统的答复", "got no answer from outside"),
        Ask::Retry { .. } => words.pick("重试了停下的步骤", "tried again what had stopped"),
        Ask::HandOver { .. } => words.pick("办理了交接", "handed it over"),
    }
}

/// The subject and the rest of a text template, whose first line is `Subject: …`. A subject that is too wide is
/// rendered again with a shorter title, then with a shorter name, so that the number and the amount survive.
fn text(templates: &Templates, stem: &str, lang: Lang, context: &mut Context) -> Result<(String, String), Wording> {
    let Some(name) = templates.find(stem, lang, "txt") else {
        return Err(Wording::new(format!("找不到邮件模板 `{stem}`。"), format!("There is no mail template `{stem}`.")));
    };
    let render = |context: &Context| templates.render(&name, context, lang).map_err(|problem| problem.what);
    let (first, body) = split(&render(context)?, &context.case.title);
    let mut subject = first;
    let over = |subject: &str| subject.width().saturating_sub(SUBJECT);
    if over(&subject) > 0 {
        let mut short = context.clone();
        short.case.title = fit(&short.case.title, short.case.title.width().saturating_sub(over(&subject)).max(8));
        subject = split(&render(&short)?, "").0;
        if over(&subject) > 0 {
            let left = short.case.applicant.width().saturating_sub(over(&subject)).max(6);
            short.case.applicant = fit(&short.case.applicant, left);
            subject = split(&render(&short)?, "").0;
        }
        if over(&subject) > 0 {
            // Half an amount is a wrong one: it is left out, and stands in the text.
            short.case.headline.clear();
            subject = split(&render(&short)?, "").0;
        }
    }
    Ok((fit(&subject, SUBJECT), body))
}

fn split(rendered: &str, title: &str) -> (String, String) {
    let rendered = rendered.trim_start();
    let (first, rest) = rendered.split_once('\n').unwrap_or((rendered, ""));
    match first.strip_prefix("Subject:") {
        Some(subject) => (clean_line(subject), tidy(rest)),
        None => (title.to_owned(), tidy(rendered)),
    }
}

/// Never two empty lines on end, none at the beginning, one break at the end.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        tidy.push_str(line);
        tidy.push('\n');
    }
    let end = tidy.trim_end().len();
    tidy.truncate(end);
    tidy + "\n"
}

/// A text of at most `cells`, with `…` where something was left out.
fn fit(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let (mut short, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > cells {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_owned() + "…"
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

/// The templates that a `notify` may name: the company's own, in `templates/mail/`.
pub fn notices(templates: &Templates) -> Vec<String> {
    let ours = |stem: &str| {
        EMBEDDED
            .iter()
            .any(|(name, _)| name.strip_prefix("mail/").is_some_and(|name| name.split('.').next() == Some(stem)))
    };
    let stems =
        templates.names().filter_map(|name| name.strip_prefix("mail/")?.strip_suffix(".txt")?.split('.').next());
    let mut found: Vec<String> = stems.filter(|stem| !ours(stem)).map(str::to_owned).collect();
    found.dedup();
    found
}

/// What is wrong with the template that a `notify` of a process names, in both languages; empty where nothing is.
pub fn check_notice(templates: &Templates, name: &str, definition: &Definition) -> Vec<Problem> {
    let mut found = Vec::new();
    for lang in [Lang::Zh, Lang::En] {
        for ending in ["txt", "html"] {
            if let Some(file) = templates.find(&format!("mail/{name}"), lang, ending) {
                found.extend(templates.check_named(&file, &sample(Some(definition), lang), lang));
            }
        }
    }
    found.dedup();
    found
}

/// What a mail template is checked with: every name that it may use, for a process where one is given.
pub fn sample(definition: Option<&Definition>, lang: Lang) -> Context {
    let pick = |zh: &str, en: &str| if lang == Lang::Zh { zh.to_owned() } else { en.to_owned() };
    let fact = |label: String, text: &str, numeric| super::view::Fact {
        label,
        text: text.into(),
        long: false,
        numeric,
        files: Vec::new(),
    };
    let moment = |mark| Moment {
        mark,
        title: pick("部门主管审批", "Supervisor"),
        who: pick("李娜", "Li Na"),
        when: pick("3月2日 11:02", "2 March 11:02"),
        words: pick("同意", "Approved"),
        opinion: pick("年度预算内。", "Within the budget."),
        ..Moment::default()
    };
    let case = CaseView {
        lang: lang.tag(),
        title: pick("物品领用申请", "Item request"),
        number: "LP-2026-0007".into(),
        headline: "¥1,280.00".into(),
        applicant: pick("张伟", "Zhang Wei"),
        submitted: pick("3月2日 09:14", "2 March 09:14"),
        byline: pick("张伟 提交 · 3月2日 09:14", "submitted by Zhang Wei · 2 March 09:14"),
        due: Some(super::view::Due {
            at: pick("3月4日 18:00", "4 March 18:00"),
            words: pick("请于 3月4日 18:00 前处理", "due by 4 March 18:00"),
            overdue: false,
        }),
        turn: pick("轮到您：营销总监审批", "Your turn: Marketing director"),
        facts: vec![fact(pick("客户", "Customer"), "华康医院", false)],
        tables: vec![super::view::Table {
            label: pick("物品", "Items"),
            columns: vec![super::view::Column { label: pick("名称", "Name"), numeric: false }],
            rows: vec![vec![pick("茶具", "Tea set")]],
            totals: vec![fact(pick("合计", "Total"), "1,280.00", true)],
            lines: vec![pick("茶具", "Tea set")],
            files: Vec::new(),
        }],
        timeline: vec![moment(Mark::Seal), moment(Mark::Ahead)],
        stamp: Some(super::view::Stamp {
            words: pick("已办结", "Completed"),
            date: "2026.03.03".into(),
            at: pick("3月3日 09:40", "3 March 09:40"),
        }),
    };
    let fields = definition.into_iter().flat_map(Definition::fields);
    Context {
        case,
        data: fields.map(|(name, field)| (name.to_string(), field.title.get(lang).to_owned())).collect(),
        recipient: pick("赵磊", "Zhao Lei"),
        tag: "[LP-2026-0007] ".into(),
        please: pick("请审批", "Approve"),
        button: pick("查看并决定", "View and decide"),
        step: pick("营销总监审批", "Marketing director"),
        decided: Some(Decided {
            who: pick("李娜", "Li Na"),
            words: pick("同意", "Approved"),
            sentence: pick("李娜 已同意", "Li Na approved"),
            opinion: pick("年度预算内。", "Within the budget."),
            when: pick("3月2日 11:02", "2 March 11:02"),
            shell: "root".into(),
        }),
        past: vec![moment(Mark::Seal)],
        ahead: vec![moment(Mark::Ahead)],
        link: Some(GAP.into()),
    }
}
