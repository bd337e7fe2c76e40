//! Outcomes, people and doors in the words of a colleague: never an id, an enum or a class name.

use super::format::{Words, clean_line, masked};
use crate::engine::command::{Actor, Via};
use crate::engine::event::Trouble;
use crate::engine::state::{START, State, TaskKind, Waiting};
use crate::model::definition::{Definition, Human, StepKind, outcome};
use crate::model::id::{BusinessNumber, Outcome, PersonId, ProcessId, StepId};
use crate::model::text::{Lang, Text};
use crate::model::words;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// One answer that a form offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What the form sends.
    pub name: String,
    /// What the reader sees.
    pub label: String,
    /// Whether it needs an opinion.
    pub opinion: bool,
}

/// The case that called another one, as far as others are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calling {
    /// Its number, where its process gives one.
    pub number: Option<BusinessNumber>,
    /// The title of its process.
    pub title: Text,
    /// Whose it is.
    pub applicant: PersonId,
}

impl Calling {
    /// What is told of a case.
    pub fn of(state: &State) -> Calling {
        Calling { number: state.number.clone(), title: state.title.clone(), applicant: state.applicant.clone() }
    }
}

impl Words<'_> {
    /// A case that called another one: `张伟 的“年会” NH-2026-0001`.
    pub fn calling(&self, calling: &Calling) -> String {
        let (who, title) = (self.name(&calling.applicant), clean_line(calling.title.get(self.lang)));
        let number =
            calling.number.as_ref().map(|number| format!(" {}", clean_line(number.as_str()))).unwrap_or_default();
        match self.lang {
            Lang::Zh => format!("{who} 的“{title}”{number}"),
            Lang::En => format!("{title}{number} of {who}"),
        }
    }

    /// The answers that a step offers, in its order.
    pub fn choices(&self, human: &Human) -> Vec<Choice> {
        let choice = |(name, answering): (&Outcome, &crate::model::definition::Answering)| Choice {
            name: name.to_string(),
            label: self.choice(answering.title.as_ref(), name),
            opinion: answering.opinion,
        };
        human.outcomes.iter().map(choice).collect()
    }

    /// What a choice says before it is taken: `同意`, `Approve`.
    pub fn choice(&self, title: Option<&Text>, name: &Outcome) -> String {
        match (title, name.as_str()) {
            (Some(title), _) => clean_line(title.get(self.lang)),
            (None, outcome::APPROVED) => self.pick("同意", "Approve").into(),
            (None, outcome::REJECTED) => self.pick("不同意", "Reject").into(),
            (None, outcome::RETURNED) => self.pick("退回修改", "Return for changes").into(),
            (None, outcome::DONE) => self.pick("办理完毕", "Done").into(),
            (None, outcome::REVISED) => self.pick("重新提交", "Submit again").into(),
            (None, own) => words::named(own),
        }
    }

    /// What an answer says once it is given: `同意`, `Approved`.
    pub fn answer(&self, human: Option<&Human>, name: &Outcome) -> String {
        match (human.and_then(|human| human.outcomes.get(name)?.title.as_ref()), words::answer(name.as_str())) {
            (Some(title), _) => clean_line(title.get(self.lang)),
            (None, Some(words)) => words.get(self.lang).to_owned(),
            (None, None) => words::named(name.as_str()),
        }
    }

    /// How an instance ended: `已通过`, `Rejected`; an end of the author's in the author's words.
    pub fn ending(&self, definition: &Definition, name: &Outcome) -> String {
        definition.ending(name, self.lang)
    }

    /// What people call a process: its title where one is live.
    pub fn process(&self, id: &ProcessId) -> String {
        let live = self.live.iter().find(|definition| definition.process == *id);
        live.map_or_else(|| words::named(id.as_str()), |live| clean_line(live.title.get(self.lang)))
    }

    /// What people call a step.
    pub fn step(&self, definition: &Definition, id: &StepId) -> String {
        let step = definition.steps.get(id);
        // What takes a step back is called by what it takes back.
        if id.as_str().is_ascii()
            && step.is_some_and(|step| step.title.is_none())
            && let Some(undone) = definition.graph.undone_by(id)
        {
            let undone = self.step(definition, undone);
            return match self.lang {
                Lang::Zh => format!("撤销“{undone}”"),
                Lang::En => format!("Undo: {undone}"),
            };
        }
        match step.and_then(|step| step.title.as_ref()) {
            Some(title) => clean_line(title.get(self.lang)),
            None if id.as_str() == START => self.pick("填写申请", "Fill in the request").into(),
            None if id.as_str().is_ascii() => match step.map(|step| &step.kind) {
                Some(StepKind::Approve(_)) => self.pick("审批", "Approval").into(),
                Some(StepKind::Task(_)) => self.pick("办理", "Work").into(),
                Some(StepKind::Notify(_)) => self.pick("通知", "Notice").into(),
                Some(StepKind::Wait(_)) => self.pick("等待", "Waiting").into(),
                Some(StepKind::Receive(_)) => self.pick("等消息", "Waiting for a message").into(),
                Some(StepKind::Parallel(_)) => self.pick("同时进行", "Several things at once").into(),
                Some(StepKind::Each(_)) => self.pick("逐项办理", "One by one").into(),
                _ => self.pick("处理", "Processing").into(),
            },
            None => words::named(id.as_str()),
        }
    }

    /// What a task asks for; a revision has no step of its own.
    pub fn task(&self, definition: &Definition, step: &StepId, kind: TaskKind) -> String {
        match kind {
            TaskKind::Revise { .. } => self.pick("修改申请", "Revise the request").into(),
            TaskKind::Begin | TaskKind::Approve | TaskKind::Work => self.step(definition, step),
        }
    }

    /// A person's name.
    pub fn name(&self, person: &PersonId) -> String {
        clean_line(self.directory.name_of(person))
    }

    /// A person's name and main position, where the words beside it do not tell the position already:
    /// `孙强（仓库管理员）`.
    pub fn name_at(&self, person: &PersonId, beside: &str) -> String {
        let name = self.name(person);
        let main = self.directory.person(person).and_then(|person| person.positions.first());
        let title = main.and_then(|id| self.directory.positions.get(id)).map(|position| position.title.get(self.lang));
        match title.map(clean_line) {
            Some(title) if !title.is_empty() && !beside.to_lowercase().contains(&title.to_lowercase()) => {
                match self.lang {
                    Lang::Zh => format!("{name}（{title}）"),
                    Lang::En => format!("{name} ({title})"),
                }
            }
            _ => name,
        }
    }

    /// Several people: `李娜、王芳`, or `李娜 或 王芳` where one of them is enough.
    pub fn people<'p>(&self, people: impl IntoIterator<Item = &'p PersonId>, beside: &str, one: bool) -> String {
        let mut names: Vec<String> = people.into_iter().map(|person| self.name_at(person, beside)).collect();
        names.dedup();
        let glue = if one { self.pick(" 或 ", " or ") } else { self.pick("、", ", ") };
        names.join(glue)
    }

    /// How someone came in, which history must say: `通过发往 w***@example.com 的链接`.
    pub fn via(&self, via: &Via) -> Option<String> {
        match (via, self.lang) {
            (Via::Link { mail }, Lang::Zh) => Some(format!("通过发往 {} 的链接", masked(mail))),
            (Via::Link { mail }, Lang::En) => Some(format!("by the link sent to {}", masked(mail))),
            (Via::Shell { user }, Lang::Zh) => Some(format!("由 {} 在命令行代为操作", clean_line(user))),
            (Via::Shell { user }, Lang::En) => Some(format!("entered by {} in the shell", clean_line(user))),
            (Via::Scenario, _) => None,
        }
    }

    /// Who did something.
    pub fn actor(&self, actor: &Actor) -> String {
        match actor {
            Actor::Person { id, .. } => self.name(id),
            Actor::Operator { user } => match self.lang {
                Lang::Zh => format!("管理员 {}", clean_line(user)),
                Lang::En => format!("operator {}", clean_line(user)),
            },
            Actor::System => self.pick("系统", "the system").into(),
        }
    }

    /// What stopped an instance.
    pub fn trouble(&self, what: &Trouble) -> String {
        match what {
            Trouble::NobodyToAsk { .. } => self
                .pick("找不到可以处理这一步的人，需要管理员处理。", "Nobody can be asked here; an operator must help.")
                .into(),
            Trouble::Expression { place, zh, en } => match self.lang {
                Lang::Zh => format!("规则“{place}”无法计算：{zh}"),
                Lang::En => format!("The rule at “{place}” could not be computed: {en}"),
            },
            Trouble::NeverWaits => self
                .pick(
                    "流程连续自动执行了太多步，已停下等待管理员。",
                    "Too many automatic steps in a row; an operator must help.",
                )
                .into(),
            Trouble::Failed { place, zh, en } => match (self.lang, &**place) {
                (Lang::Zh, "call") => format!("所调用的流程没有成功：{zh}"),
                (Lang::Zh, "http") => format!("外部调用没有成功：{zh}"),
                (Lang::Zh, "job") => format!("作业没有完成：{zh}"),
                (Lang::Zh, "receive") => format!("消息不能用：{zh}"),
                (Lang::Zh, _) => format!("没有办成：{zh}"),
                (Lang::En, "call") => format!("The process that was called did not succeed: {en}"),
                (Lang::En, "http") => format!("The call failed: {en}"),
                (Lang::En, "job") => format!("The job failed: {en}"),
                (Lang::En, "receive") => format!("The message is of no use: {en}"),
                (Lang::En, _) => format!("It failed: {en}"),
            },
        }
    }

    /// What a token waits for, in the words of who does not look after it: without the names that programs know.
    pub(super) fn waits_plainly(&self, waits: &Waiting, opens: Option<DateTime<Utc>>) -> Option<String> {
        let zh = self.lang == Lang::Zh;
        Some(match waits {
            Waiting::Lock { .. } => self.pick("等待轮到", "Waiting for its turn").into(),
            Waiting::Message { key: Some(key), .. } if zh => format!("等待消息（{}）", clean_line(key)),
            Waiting::Message { key: Some(key), .. } => format!("Waiting for a message ({})", clean_line(key)),
            Waiting::Message { .. } => self.pick("等待消息", "Waiting for a message").into(),
            Waiting::Job { .. } => self.pick("系统正在处理", "Being worked on by a program").into(),
            _ => return self.waits(waits, opens),
        })
    }

    /// What a token waits for, where that is not people or blocks; `opens` is when a wait for a time is over.
    pub fn waits(&self, waits: &Waiting, opens: Option<DateTime<Utc>>) -> Option<String> {
        let zh = self.lang == Lang::Zh;
        Some(match waits {
            Waiting::Block(_) => return None,
            Waiting::Time => match (opens.map(|at| self.moment(at)), zh) {
                (Some(at), true) => format!("等到 {at}"),
                (Some(at), false) => format!("Waiting until {at}"),
                (None, _) => self.pick("等待时间到", "Waiting for its time").into(),
            },
            Waiting::Lock { name, .. } if zh => format!("等待轮到（{}）", clean_line(name)),
            Waiting::Lock { name, .. } => format!("Waiting for its turn ({})", clean_line(name)),
            Waiting::Message { name, key: Some(key), .. } if zh => {
                format!("等待消息 {}（{}）", clean_line(name), clean_line(key))
            }
            Waiting::Message { name, key: Some(key), .. } => {
                format!("Waiting for the message {} ({})", clean_line(name), clean_line(key))
            }
            Waiting::Message { name, .. } if zh => format!("等待消息 {}", clean_line(name)),
            Waiting::Message { name, .. } => format!("Waiting for the message {}", clean_line(name)),
            Waiting::Call { process, .. } if zh => format!("等待“{}”结束", self.process(process)),
            Waiting::Call { process, .. } => format!("Waiting for {} to end", self.process(process)),
            Waiting::Http { attempt: 1, .. } => self.pick("等待外部系统答复", "Waiting for another system").into(),
            Waiting::Http { attempt, .. } if zh => format!("等待外部系统答复，第 {attempt} 次尝试"),
            Waiting::Http { attempt, .. } => format!("Waiting for another system, attempt {attempt}"),
            Waiting::Job { name, attempt: 1, .. } if zh => format!("等待作业 {}", clean_line(name)),
            Waiting::Job { name, attempt: 1, .. } => format!("Waiting for the job {}", clean_line(name)),
            Waiting::Job { name, attempt, .. } if zh => format!("等待作业 {}，第 {attempt} 次尝试", clean_line(name)),
            Waiting::Job { name, attempt, .. } => {
                format!("Waiting for the job {}, attempt {attempt}", clean_line(name))
            }
        })
    }
}

/// Who answered what, as a sentence: `李娜 已同意`, `Li Na approved`.
pub fn answer_sentence(words: &Words<'_>, human: Option<&Human>, who: &str, name: &Outcome) -> String {
    let own = human.and_then(|human| human.outcomes.get(name)?.title.as_ref());
    match (own, name.as_str(), words.lang) {
        (None, outcome::APPROVED, Lang::Zh) => format!("{who} 已同意"),
        (None, outcome::APPROVED, Lang::En) => format!("{who} approved"),
        (None, outcome::REJECTED, Lang::Zh) => format!("{who} 没有同意"),
        (None, outcome::REJECTED, Lang::En) => format!("{who} rejected"),
        (None, outcome::RETURNED, Lang::Zh) => format!("{who} 退回修改"),
        (None, outcome::RETURNED, Lang::En) => format!("{who} returned it for changes"),
        (None, outcome::DONE, Lang::Zh) => format!("{who} 已办理"),
        (None, outcome::DONE, Lang::En) => format!("{who} did their part"),
        (None, outcome::REVISED, Lang::Zh) => format!("{who} 已修改"),
        (None, outcome::REVISED, Lang::En) => format!("{who} revised it"),
        (_, _, Lang::Zh) => format!("{who} 答复“{}”", words.answer(human, name)),
        (_, _, Lang::En) => format!("{who} answered “{}”", words.answer(human, name)),
    }
}
