//! What a link shows once it asks nothing any more: one's own decision under a stamp, or the honest truth of what
//! happened instead, by whom and when, and where the case stands now.

use super::Desk;
use crate::effects::format::{Words, clean, clean_line, masked};
use crate::effects::timeline::{Mark, Moment};
use crate::effects::view::CaseView;
use crate::engine::command::Actor;
use crate::engine::state::TaskKind;
use crate::model::definition::outcome as outcomes;
use crate::model::id::{FieldName, Outcome, PersonId, StepId};
use crate::model::text::Lang;
use crate::model::value::{Record, Value};
use crate::runtime::access::{How, LINK_DAYS, Standing};
use crate::web::guard::Worded;
use crate::web::{WebError, WebState};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;

#[derive(Serialize)]
struct Page {
    view: CaseView,
    heading: String,
    lines: Vec<String>,
    opinion: Option<String>,
    stamp: Option<Stamp>,
    /// Over what is said of what was sent.
    amber: String,
    other_choice: Option<String>,
    next: Vec<Line>,
    nothing_to_do: Option<String>,
    fresh: Option<Fresh>,
    whose: String,
}

#[derive(Serialize)]
struct Stamp {
    words: String,
    date: String,
}

#[derive(Serialize)]
struct Line {
    label: String,
    text: String,
}

#[derive(Serialize)]
struct Fresh {
    action: String,
    words: String,
}

/// What a form said that came after its assignment was over.
pub(super) struct Late<'a> {
    /// The choice.
    pub(super) outcome: Option<&'a Outcome>,
    /// In their words.
    pub(super) opinion: &'a str,
    /// The form; of a field that could not be read nothing.
    pub(super) values: Record,
    /// The fields that could not be read.
    pub(super) misread: Vec<FieldName>,
}

/// Answers a form that came after its assignment was over: 200 where it only repeats one's own decision, in the
/// same words and with the same values.
pub(super) async fn again(state: &WebState, desk: &Desk<'_>, late: &Late<'_>) -> Result<Response, WebError> {
    match (&desk.visit.standing, late.outcome) {
        (Standing::Answered { outcome, opinion: first, values, .. }, Some(wanted)) if outcome == wanted => {
            let said = late.opinion.trim().replace("\r\n", "\n");
            let same = said.is_empty() || first.as_deref() == Some(said.as_str());
            let others = other_values(desk, values, late);
            let unrecorded = match (others.is_empty(), same) {
                (true, true) => return render(state, desk, None, StatusCode::OK).await,
                (false, _) => Unrecorded::Values(&others),
                (true, false) => Unrecorded::Opinion,
            };
            render(state, desk, Some(unrecorded), StatusCode::CONFLICT).await
        }
        (Standing::Over { how: How::Withdrawn, by, .. }, Some(wanted))
            if wanted.as_str() == outcomes::WITHDRAWN && by.person() == Some(&desk.visit.row.person) =>
        {
            render(state, desk, None, StatusCode::OK).await
        }
        (_, wanted) => render(state, desk, wanted.map(Unrecorded::Choice), StatusCode::CONFLICT).await,
    }
}

/// What was sent and not recorded, as something else stands.
#[derive(Clone, Copy)]
pub(super) enum Unrecorded<'a> {
    /// Another choice.
    Choice(&'a Outcome),
    /// The same choice in other words.
    Opinion,
    /// The same choice with other values in these fields.
    Values(&'a [String]),
}

/// The titles of the fields that a repeated answer fills in otherwise than the first did. What was not in the first
/// is as the case held it then.
fn other_values(desk: &Desk<'_>, first: &Record, late: &Late<'_>) -> Vec<String> {
    let Some(form) = desk.visit.form() else { return Vec::new() };
    let held = desk.visit.data();
    let empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
    let other = |name: &FieldName| match late.values.get(name) {
        _ if late.misread.contains(name) => true,
        None => false,
        Some(now) => {
            let first = first.get(name).or_else(|| held.get(name)).unwrap_or(&Value::Null);
            now != first && !(empty(now) && empty(first))
        }
    };
    // Files are not taken any more by then.
    let asked = form.iter().filter(|(_, field)| field.value.is_none() && !field.takes_files());
    asked.filter(|(name, _)| other(name)).map(|(_, field)| clean_line(field.title.get(desk.words.lang))).collect()
}

/// Shows the page.
pub(super) async fn render(
    state: &WebState,
    desk: &Desk<'_>,
    unrecorded: Option<Unrecorded<'_>>,
    status: StatusCode,
) -> Result<Response, WebError> {
    let (visit, words) = (desk.visit, &desk.words);
    let view = desk.view(false);
    let mut page = match &visit.standing {
        Standing::Answered { outcome, opinion, via, at, .. } => {
            let by = match words.lang {
                Lang::Zh => format!("{}，{}", words.moment(*at), desk.name()),
                Lang::En => format!("{}, {}", words.moment(*at), desk.name()),
            };
            let line = words.via(via).map_or(by.clone(), |via| format!("{by} {via}"));
            let stamp = Stamp { words: answer(desk, outcome), date: words.stamp(*at) };
            Page {
                stamp: Some(stamp),
                other_choice: unrecorded.map(|unrecorded| match unrecorded {
                    Unrecorded::Choice(wanted) => stands(desk, outcome, *at, wanted),
                    Unrecorded::Opinion => first_words(desk, opinion.as_deref(), *at),
                    Unrecorded::Values(fields) => first_values(desk, fields, *at),
                }),
                opinion: opinion.as_deref().map(clean),
                ..page(desk, view, decided(desk, outcome), vec![line])
            }
        }
        Standing::Over { how, by, at } => {
            let own = by.person() == Some(&visit.row.person);
            let (heading, line) = instead(desk, how, by, own, *at);
            let stamp = (own && *how == How::Withdrawn)
                .then(|| Stamp { words: desk.pick("已撤回", "Withdrawn"), date: words.stamp(*at) });
            let other_choice = unrecorded.map(|_| match how {
                How::Passed { .. } => desk.pick(
                    "您刚才的选择没有记录：这件事在此之前已经改由他人办理。",
                    "What you chose was not recorded: by then others were asked instead of you.",
                ),
                _ => desk.pick(
                    "您刚才的选择没有记录：这件事在此之前已经处理了。",
                    "What you chose was not recorded: it had been settled before.",
                ),
            });
            Page { stamp, other_choice, ..page(desk, view, heading, vec![line]) }
        }
        Standing::Expired | Standing::Asked => {
            let line = match words.lang {
                Lang::Zh => format!("为了安全，链接在最后一封邮件的 {LINK_DAYS} 天之后不再有效。这件事仍在等您处理。"),
                Lang::En => format!(
                    "For safety a link stops working {LINK_DAYS} days after the last mail with it. You are still asked."
                ),
            };
            page(desk, view, desk.pick("这个链接太旧了", "This link is too old"), vec![line])
        }
    };
    if page.fresh.is_none() {
        let waiting = state.access.waiting(visit).await?;
        page.nothing_to_do = Some(match (waiting, words.lang) {
            (0, Lang::Zh) => "您不需要做任何事。".into(),
            (0, Lang::En) => "There is nothing for you to do.".into(),
            (n, Lang::Zh) => format!("这里不再需要您做什么。您另有 {n} 件待办，链接在各自的邮件里。"),
            (1, Lang::En) => {
                "Nothing more is needed here. One other task waits for you; its link is in its mail.".into()
            }
            (n, Lang::En) => {
                format!("Nothing more is needed here. {n} other tasks wait for you; their links are in their mails.")
            }
        });
    }
    let mut response = (status, state.page("decided.html", desk.frame.clone(), page)?).into_response();
    response.extensions_mut().insert(Worded);
    Ok(response)
}

fn page(desk: &Desk<'_>, view: CaseView, heading: String, lines: Vec<String>) -> Page {
    let (visit, words) = (desk.visit, &desk.words);
    let answered = matches!(visit.standing, Standing::Answered { .. });
    let next = next(desk, &view, answered);
    let fresh = visit.open_elsewhere_or_here().filter(|_| visit.mail.is_some()).map(|(id, task)| {
        let title = words.task_in(&visit.case.definition, &visit.case.state, task);
        Fresh {
            action: desk.frame.link(&format!("{}/fresh", desk.path)),
            words: match (id == visit.row.id, words.lang) {
                (true, Lang::Zh) => "需要的话，可以再发一个新链接到您的邮箱。".into(),
                (true, Lang::En) => "A fresh link can be sent to your mailbox.".into(),
                (false, Lang::Zh) => format!("这个案例里还有一件事在等您：{title}。链接在另一封邮件里。"),
                (false, Lang::En) => {
                    format!("You are asked something else in this case: {title}. Its link is in another mail.")
                }
            },
        }
    });
    let mail = visit.mail.as_deref().map(masked).unwrap_or_default();
    Page {
        view,
        heading,
        lines,
        opinion: None,
        stamp: None,
        amber: match answered {
            true => desk.pick("您的决定没有改变", "Your decision stands as it was"),
            false => desk.pick("没有记录", "Nothing was recorded"),
        },
        other_choice: None,
        next,
        nothing_to_do: None,
        fresh,
        whose: match words.lang {
            Lang::Zh => format!("此链接发给了 {}（{mail}）", desk.name()),
            Lang::En => format!("This link was sent to {} ({mail})", desk.name()),
        },
    }
}

/// Where the case stands now: who is asked, or how it ended.
fn next(desk: &Desk<'_>, view: &CaseView, answered: bool) -> Vec<Line> {
    if let Some(stamp) = &view.stamp {
        let (label, words) = (desk.pick("结果", "Result"), &stamp.words);
        return vec![Line { label, text: format!("{words} · {}", stamp.at) }];
    }
    let label = if answered { desk.pick("接下来", "Next") } else { desk.pick("现在", "Now") };
    let line = |moment: &Moment| {
        let colon = desk.words.pick("：", ": ");
        let mut text = moment.title.clone();
        let who = if moment.yours { desk.words.pick("您", "you") } else { &moment.who };
        if !who.is_empty() {
            text = format!("{text}{colon}{who}");
        } else if !moment.words.is_empty() {
            text = format!("{text}{colon}{}", moment.words);
        }
        // Where it stopped, the time is that of the stop.
        if !moment.when.is_empty() && moment.mark == Mark::Now {
            text = match desk.words.lang {
                Lang::Zh => format!("{text}，{} 前", moment.when),
                Lang::En => format!("{text}, by {}", moment.when),
            };
        }
        Line { label: label.clone(), text }
    };
    view.present().map(line).collect()
}

/// `您已同意这份申请`
fn decided(desk: &Desk<'_>, outcome: &Outcome) -> String {
    match (outcome.as_str(), desk.visit.kind) {
        (outcomes::APPROVED, TaskKind::Approve) => desk.pick("您已同意这份申请", "You approved this request"),
        (outcomes::REJECTED, TaskKind::Approve) => desk.pick("您没有同意这份申请", "You rejected this request"),
        (outcomes::RETURNED, _) => desk.pick("您已把这份申请退回修改", "You returned this request for changes"),
        (outcomes::REVISED, TaskKind::Begin) => desk.pick("您已填写并提交", "You filled it in and submitted it"),
        (outcomes::REVISED, _) => desk.pick("您已修改并重新提交", "You revised and submitted it again"),
        (outcomes::DONE, _) => desk.pick("您已办理完毕", "You have done your part"),
        _ => match desk.words.lang {
            Lang::Zh => format!("您已办理：{}", answer(desk, outcome)),
            Lang::En => format!("You decided: {}", answer(desk, outcome)),
        },
    }
}

fn answer(desk: &Desk<'_>, outcome: &Outcome) -> String {
    match (outcome.as_str(), desk.visit.kind) {
        // A stamp is short.
        (outcomes::REVISED, TaskKind::Begin) => desk.pick("已提交", "Submitted"),
        (outcomes::REVISED, _) => desk.pick("已修改", "Revised"),
        (outcomes::RETURNED, _) => desk.pick("退回", "Returned"),
        _ => desk.words.answer(desk.visit.human(), outcome),
    }
}

/// What stands instead of what was chosen just now.
fn stands(desk: &Desk<'_>, outcome: &Outcome, at: DateTime<Utc>, wanted: &Outcome) -> String {
    let (first, now, at) = (answer(desk, outcome), answer(desk, wanted), desk.words.moment(at));
    match desk.words.lang {
        Lang::Zh => format!("您已于 {at} 选择“{first}”，刚才选择的“{now}”没有记录。如需更改，请联系申请人或管理员。"),
        Lang::En => format!(
            "You chose “{first}” on {at}; the “{now}” of just now was not recorded. To change it, ask the applicant or an operator."
        ),
    }
}

/// Which opinion stands instead of that of just now.
fn first_words(desk: &Desk<'_>, first: Option<&str>, at: DateTime<Utc>) -> String {
    let at = desk.words.moment(at);
    match (desk.words.lang, first.map(clean)) {
        (Lang::Zh, Some(first)) => {
            format!("您在 {at} 写的意见是“{first}”，以它为准，刚才写的没有记录。如需补充，请联系申请人或管理员。")
        }
        (Lang::Zh, None) => {
            format!("您在 {at} 作决定时没有写意见，刚才写的没有记录。如需补充，请联系申请人或管理员。")
        }
        (Lang::En, Some(first)) => format!(
            "The opinion that you wrote on {at} stands: “{first}”. What you wrote just now was not recorded. To add something, ask the applicant or an operator."
        ),
        (Lang::En, None) => format!(
            "You decided on {at} without an opinion; what you wrote just now was not recorded. To add something, ask the applicant or an operator."
        ),
    }
}

/// That the values of the first time stand, and which were others just now.
fn first_values(desk: &Desk<'_>, fields: &[String], at: DateTime<Utc>) -> String {
    let at = desk.words.moment(at);
    match desk.words.lang {
        Lang::Zh => format!(
            "您已于 {at} 提交，以那一次为准；刚才填写的不同内容没有记录（{}）。如需更改，请联系申请人或管理员。",
            fields.join("、")
        ),
        Lang::En => format!(
            "You handed this in on {at}, and that stands. What you filled in differently just now was not recorded ({}). To change it, ask the applicant or an operator.",
            fields.join(", ")
        ),
    }
}

fn names(words: &Words<'_>, people: &[PersonId]) -> String {
    people.iter().map(|person| words.name(person)).collect::<Vec<_>>().join(words.pick("、", ", "))
}

fn step_title(desk: &Desk<'_>, step: &StepId) -> String {
    desk.words.step(&desk.visit.case.definition, step)
}

/// What happened instead: a heading and a sentence.
fn instead(desk: &Desk<'_>, how: &How, by: &Actor, own: bool, at: DateTime<Utc>) -> (String, String) {
    let words = &desk.words;
    let (who, at) = (if own { desk.pick("您", "You") } else { words.actor(by) }, words.moment(at));
    // The system cancels by itself only what another case began.
    if (how, by) == (&How::Cancelled, &Actor::System) {
        let caller = desk.around.caller.as_ref().map(|caller| words.calling(caller));
        let caller = caller.unwrap_or_else(|| desk.pick("发起它的案例", "The case that began it"));
        return match words.lang {
            Lang::Zh => ("申请已取消".into(), format!("{caller} 已结束或不再需要它，这份申请于 {at} 随之取消。")),
            Lang::En => (
                "The request was cancelled".into(),
                format!("{caller} ended or needs it no longer, so this request was cancelled on {at}."),
            ),
        };
    }
    let zh = |heading: &str, did: String| (heading.to_owned(), did);
    match words.lang {
        Lang::Zh => match how {
            How::Answered(outcome) => match outcome.as_str() {
                outcomes::APPROVED => zh("已经有人处理了", format!("{who} 已于 {at} 同意这份申请。")),
                outcomes::REJECTED => zh("已经有人处理了", format!("{who} 已于 {at} 没有同意这份申请。")),
                outcomes::RETURNED => zh("已退回申请人修改", format!("{who} 已于 {at} 把这份申请退回修改。")),
                _ => zh("已经有人处理了", format!("{who} 已于 {at} 办理：{}。", answer(desk, outcome))),
            },
            How::Passed { to, late } => {
                let heading = match to.is_empty() {
                    true => "不再需要您处理".to_owned(),
                    false => format!("不再需要您处理：已改由 {} 办理", names(words, to)),
                };
                let line = match late {
                    true => format!("这件事没有按时办理，已于 {at} 改由他人办理。"),
                    false => format!("{who} 已于 {at} 把它交接给他人。"),
                };
                (heading, line)
            }
            How::Withdrawn if own => zh("您已撤回这份申请", format!("{at}，{}", desk.name())),
            How::Withdrawn => zh("申请已撤回", format!("{who} 已于 {at} 撤回这份申请。")),
            How::Cancelled => zh("申请已取消", format!("{who} 已于 {at} 取消这份申请。")),
            How::Revised => zh("申请已修改", format!("{who} 已于 {at} 修改这份申请，流程从前面的步骤重新走。")),
            How::MovedOn(Some(step)) if *step == desk.visit.row.step => {
                zh("不再需要您处理", format!("这件事没有按时办理，流程已于 {at} 自行继续。"))
            }
            How::MovedOn(Some(step)) => {
                zh("不再需要您处理", format!("“{}”先有了结果，流程已于 {at} 继续。", step_title(desk, step)))
            }
            How::MovedOn(None) => zh("不再需要您处理", format!("流程已于 {at} 继续。")),
        },
        Lang::En => match how {
            How::Answered(outcome) => match outcome.as_str() {
                outcomes::APPROVED => {
                    zh("Someone has decided already", format!("{who} approved this request on {at}."))
                }
                outcomes::REJECTED => {
                    zh("Someone has decided already", format!("{who} rejected this request on {at}."))
                }
                outcomes::RETURNED => {
                    zh("Returned to the applicant", format!("{who} returned this request for changes on {at}."))
                }
                _ => zh("Someone has done this already", format!("{who} answered on {at}: {}.", answer(desk, outcome))),
            },
            How::Passed { to, late } => {
                let heading = match to.is_empty() {
                    true => "No longer yours".to_owned(),
                    false => format!("No longer yours: passed to {}", names(words, to)),
                };
                let line = match late {
                    true => format!("It was not done in time; others were asked instead on {at}."),
                    false => format!("It was handed over by {who} on {at}."),
                };
                (heading, line)
            }
            How::Withdrawn if own => zh("You withdrew this request", format!("{at}, {}", desk.name())),
            How::Withdrawn => zh("The request was withdrawn", format!("{who} withdrew this request on {at}.")),
            How::Cancelled => zh("The request was cancelled", format!("{who} cancelled this request on {at}.")),
            How::Revised => zh(
                "The request was revised",
                format!("{who} revised it on {at}, and it goes through earlier steps again."),
            ),
            How::MovedOn(Some(step)) if *step == desk.visit.row.step => zh(
                "You are not asked any more",
                format!("It was not done in time, and the case went on by itself on {at}."),
            ),
            How::MovedOn(Some(step)) => zh(
                "You are not asked any more",
                format!("“{}” came first, and the case went on on {at}.", step_title(desk, step)),
            ),
            How::MovedOn(None) => zh("You are not asked any more", format!("The case went on on {at}.")),
        },
    }
}
