//! What people are told of a refusal, and what they call an outcome.

use super::{FieldFault, PathPart, Refusal, ResultFault};
use crate::model::definition::outcome;
use crate::model::id::{Outcome, PersonId, PositionId};
use crate::model::people::Directory;
use crate::model::text::{Lang, Wording};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

impl Refusal {
    /// What to tell who asked: what is wrong, and what to do instead.
    pub fn wording(&self, directory: &Directory, zone: Tz) -> Wording {
        let name = |person: &PersonId| directory.name_of(person).to_owned();
        let at = |at: &DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
        match self {
            Refusal::NoInstance => Wording::new("没有这个案例。", "There is no such case."),
            Refusal::AlreadyStarted => Wording::new("这个案例已经发起了。", "This case has been started already."),
            Refusal::UnknownPerson(person) => Wording::new(
                format!("通讯录里没有“{person}”。"),
                format!("The directory has nobody called “{person}”."),
            ),
            Refusal::LeftDirectory(person) => Wording::new(
                format!(
                    "通讯录里已没有{}，不能再由其办理。请管理员交接：countersign handover {person} --to 接手的人",
                    name(person)
                ),
                format!(
                    "{} is no longer in the directory and cannot act any more. An operator hands over what is theirs: countersign handover {person} --to PERSON",
                    name(person)
                ),
            ),
            Refusal::MayNotStart { person, positions } => {
                let title = |lang| titles(directory, positions, lang);
                Wording::new(
                    format!("{}不能发起这个流程；可以发起的岗位：{}。", name(person), title(Lang::Zh).join("、")),
                    format!(
                        "{} may not start this process. These positions may: {}.",
                        name(person),
                        title(Lang::En).join(", ")
                    ),
                )
            }
            Refusal::BadForm(faults) => {
                let lines = |lang: Lang| {
                    let colon = if lang == Lang::Zh { "：" } else { ": " };
                    let line = |fault: &FieldFault| {
                        let row = fault.path.iter().rev().find_map(|part| match part {
                            PathPart::Row(row) => Some(row + 1),
                            PathPart::Field(_) => None,
                        });
                        let row = match (row, lang) {
                            (Some(row), Lang::Zh) => format!("（第 {row} 行）"),
                            (Some(row), Lang::En) => format!(" (row {row})"),
                            (None, _) => String::new(),
                        };
                        format!("{}{row}{colon}{}", fault.title.get(lang), fault.what.get(lang))
                    };
                    faults.iter().map(line).collect::<Vec<_>>().join("\n")
                };
                Wording::new(
                    format!("表单有 {} 处要改：\n{}", faults.len(), lines(Lang::Zh)),
                    format!("The form needs {}:\n{}", mends(faults.len()), lines(Lang::En)),
                )
            }
            Refusal::Ended { outcome, at: when } => {
                let said = outcome_words(outcome);
                Wording::new(
                    format!("案例已经结束（{}，{}），不能再改。", said.zh, at(when)),
                    format!("The case has ended ({}, {}); nothing can change any more.", said.en, at(when)),
                )
            }
            Refusal::NoTask => Wording::new("案例里没有这项待办。", "The case has no such task."),
            Refusal::TaskClosed(over) => {
                let by = over.by.as_ref().map(&name);
                let said = over.outcome.as_ref().map(outcome_words);
                match (by, said) {
                    (Some(by), Some(said)) => Wording::new(
                        format!("{by}已于 {} 处理：{}。您不需要做任何事。", at(&over.at), said.zh),
                        format!("{by} has decided on {}: {}. There is nothing for you to do.", at(&over.at), said.en),
                    ),
                    _ => Wording::new(
                        format!("这项待办已于 {} 取消。您不需要做任何事。", at(&over.at)),
                        format!("This task was cancelled on {}. There is nothing for you to do.", at(&over.at)),
                    ),
                }
            }
            Refusal::AlreadyAnswered { outcome, at: when } => {
                let said = outcome_words(outcome);
                Wording::new(
                    format!("您已于 {} 处理：{}。", at(when), said.zh),
                    format!("You decided on {}: {}.", at(when), said.en),
                )
            }
            Refusal::Parked => Wording::new(
                "案例已退回，正在等申请人修改；改好后会再请您处理。",
                "The case was returned and waits for its applicant; you will be asked again after that.",
            ),
            Refusal::NotAssigned { person, asked } => {
                let people: Vec<String> = asked.iter().map(name).collect();
                Wording::new(
                    format!("这一步没有请{}处理，请的是：{}。", name(person), people.join("、")),
                    format!("{} is not asked in this step; these are: {}.", name(person), people.join(", ")),
                )
            }
            Refusal::OwnCase(person) => Wording::new(
                format!("{}不能审批自己的案例（职责分离）。", name(person)),
                format!("{} cannot decide on their own case (separation of duties).", name(person)),
            ),
            Refusal::NoSuchOutcome { outcome, known } => {
                let known: Vec<&str> = known.iter().map(Outcome::as_str).collect();
                Wording::new(
                    format!("这一步没有“{outcome}”这个结果；可用：{}。", known.join("、")),
                    format!("This step has no outcome “{outcome}”; it has: {}.", known.join(", ")),
                )
            }
            Refusal::OpinionRequired(outcome) if outcome.as_str() == "comment" => {
                Wording::new("请写下要说的话。", "Please write what you want to say.")
            }
            Refusal::OpinionRequired(_) => Wording::new(
                "请写下意见：这个选择需要说明理由。",
                "Please give an opinion: this choice needs a reason.",
            ),
            Refusal::Changed => Wording::new(
                "内容在您打开之后有变化，请看过变化再决定；您的决定还没有记录。",
                "The content changed after you opened it. Please look at what changed and decide again; nothing was recorded.",
            ),
            Refusal::NotApplicant(person) => Wording::new(
                format!("只有申请人可以撤回；{}不是这个案例的申请人。", name(person)),
                format!("Only the applicant can withdraw a case; {} is not the applicant of this one.", name(person)),
            ),
            Refusal::NotOperator => Wording::new(
                "这件事只有操作员可以做；申请人可以撤回自己的案例。",
                "Only an operator can do this; an applicant can withdraw their own case.",
            ),
            Refusal::NotInvolved(person) => Wording::new(
                format!("{}与这个案例无关，不能留言。", name(person)),
                format!("{} has nothing to do with this case and cannot comment on it.", name(person)),
            ),
            Refusal::TooLong { limit } => {
                Wording::new(format!("太长了：最多 {limit} 个字。"), format!("Too long: at most {limit} characters."))
            }
            Refusal::NotWaiting => Wording::new(
                "没有步骤在等它：来得太晚、重复了，或者送错了地方。",
                "Nothing waits for it: it came too late, twice, or to the wrong place.",
            ),
            Refusal::BadResult(faults) => {
                let all = ResultFault::told(faults);
                Wording::new(
                    format!("结果没有采用，作业还在您手里，改好再交：{}", all.zh),
                    format!("The result was not taken; the job is still yours, mend it and send it again: {}", all.en),
                )
            }
            Refusal::BadMessage { name, faults } => {
                let all = ResultFault::told(faults);
                Wording::new(
                    format!("消息“{name}”没有收下，接收它的步骤都用不了：{}改好再发。", all.zh),
                    format!(
                        "The message “{name}” was not taken, as no step that receives it could use it. {} Mend it and \
                         send it again.",
                        all.en
                    ),
                )
            }
            Refusal::NoIncident => Wording::new(
                "没有因故障停下的步骤，没有什么要重试或跳过。",
                "No step is stopped by an incident, so there is nothing to retry or to skip.",
            ),
            Refusal::NotSkippable => Wording::new(
                "只有撤销已办的事时停下的步骤可以跳过；后面的步骤要用到这一步的结果。排除故障后请用 `countersign retry`，办不成就用 `countersign cancel`。",
                "Only a step that was to take something back can be skipped; what comes after this one relies on it. Mend the cause and use `countersign retry`, or else `countersign cancel`.",
            ),
            Refusal::HandOverToSelf(person) => Wording::new(
                format!("交出和接手的是同一个人：{}。请另选接手的人。", name(person)),
                format!("{} would hand over to themselves. Choose somebody else to take over.", name(person)),
            ),
            Refusal::ReceiverAway { to, until } => Wording::new(
                format!("{}在 {until} 之前不在岗，不能接手。请另选一位，或先改通讯录里的缺勤。", name(to)),
                format!(
                    "{} is away until {until} and cannot take over. Choose somebody else, or change the absence in \
                     the directory first.",
                    name(to)
                ),
            ),
            Refusal::ComesBack { to, from, on } => Wording::new(
                format!(
                    "{0}从 {on} 起由{1}代办，交出的工作又会回到{1}手里。请另选一位，或先改通讯录里的缺勤。",
                    name(to),
                    name(from)
                ),
                format!(
                    "{1} stands in for {0} from {on}, so the work would come back to {1}. Choose somebody else, or \
                     change the absence in the directory first.",
                    name(to),
                    name(from)
                ),
            ),
            Refusal::NobodyInstead { person, step } => Wording::new(
                format!(
                    "“{step}”{}不能接（职责分离，或已在其中），上级中也没有可以接的人。请另选一位，或等这一步办完。",
                    name(person)
                ),
                format!(
                    "{} may not take “{step}” (separation of duties, or they are asked there already), and no superior \
                     of theirs may. Choose somebody else, or wait until that step is done.",
                    name(person)
                ),
            ),
            Refusal::NothingToHandOver(person) => Wording::new(
                format!("这个案例里没有属于{}的未办事项。", name(person)),
                format!("Nothing that is open or ahead in this case is {}'s.", name(person)),
            ),
            Refusal::OpenAlready { reference } => Wording::new(
                format!("同一对象已有未结束的案例：{reference}。{}", OF_OPEN.0),
                format!("There is an open case for the same thing already: {reference}.{}", OF_OPEN.1),
            ),
            Refusal::Ending => Wording::new(
                "案例正在结束：已办的事正在撤销，不能再改。",
                "The case is ending: what was done is being taken back, and nothing else can change.",
            ),
            Refusal::NothingDue => Wording::new("没有到期的定时器。", "No timer is due."),
            Refusal::NeedsPerson => {
                Wording::new("请说明是谁：加上 --as 和人员代号。", "Say who you are: add --as and the id of a person.")
            }
        }
    }
}

/// What to do where a case of the same key is open, at the end of what is said of it.
const OF_OPEN: (&str, &str) = ("请先办完或取消它。", " Finish or cancel that one first.");

/// What was said of an open case, without what to do about it: that is for whoever sent the command.
pub(crate) fn open_already(said: &Wording, lang: Lang) -> &str {
    let (said, advice) = match lang {
        Lang::Zh => (said.get(lang), OF_OPEN.0),
        Lang::En => (said.get(lang), OF_OPEN.1),
    };
    said.strip_suffix(advice).unwrap_or(said)
}

/// What people call an outcome: our words for the built-in ones, the name itself for the author's.
pub fn outcome_words(name: &Outcome) -> Wording {
    let (zh, en) = match name.as_str() {
        outcome::APPROVED => ("同意", "approved"),
        outcome::REJECTED => ("不同意", "rejected"),
        outcome::RETURNED => ("退回修改", "returned"),
        outcome::DONE => ("完成", "done"),
        outcome::SKIPPED => ("跳过", "skipped"),
        outcome::WITHDRAWN => ("已撤回", "withdrawn"),
        outcome::CANCELLED => ("已取消", "cancelled"),
        outcome::REVISED => ("已修改", "revised"),
        outcome::FAILED => ("失败", "failed"),
        outcome::REFUSED => ("未受理", "refused"),
        outcome::OVERDUE => ("逾期", "overdue"),
        own => (own, own),
    };
    Wording::new(zh, en)
}

fn titles(directory: &Directory, positions: &[PositionId], lang: Lang) -> Vec<String> {
    positions.iter().map(|id| directory.title_of_position(id, lang).to_owned()).collect()
}

fn mends(count: usize) -> String {
    if count == 1 { "one change".to_owned() } else { format!("{count} changes") }
}
