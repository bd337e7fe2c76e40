//! Whose a task is after it passed to another: what the links of both open, as it went overdue, was handed over, or
//! while the case is ending.

use crate::house::{House, wide};
use chrono::TimeDelta;
use countersign::engine::command::{Actor, Ask, Via};
use countersign::model::file::FileRule;
use countersign::model::id::{InstanceId, ProcessId};
use countersign::model::value::{Record, Value};
use countersign::runtime::HandOver;
use countersign::web;

const DIRECTORY: &str = "
directory: company
positions:
  chief: { title: { zh: 总经理, en: Chief } }
  lead: { title: { zh: 经理, en: Lead }, reports_to: chief }
  clerk: { title: { zh: 职员, en: Clerk }, reports_to: lead }
people:
  zoe: { name: 周敏, mail: zoe@example.com, positions: [chief], language: zh }
  lei: { name: 雷, mail: lei@example.com, positions: [lead], language: zh }
  cam: { name: 卡, mail: cam@example.com, positions: [clerk], language: zh }
";

const PAPER: &str = "
process: paper
title: { zh: 用印, en: Seal }
start: [clerk]
form:
  what: { type: text, title: { zh: 用途, en: Purpose }, required: true }
  draft: { type: file, title: { zh: 草稿, en: Draft } }
steps:
  - id: sign
    title: { zh: 审批, en: Sign }
    approve: lead
    due: 1 day
    overdue: { reassign: manager_of(assignee) }
  - { id: keep, title: { zh: 存档, en: Keep }, task: clerk }
";

const LENT: &str = "
process: lent
title: { zh: 借用, en: Lend }
start: [clerk]
form: { what: { type: text, title: { zh: 物品, en: Thing }, required: true } }
steps:
  - id: fetch
    title: { zh: 取出, en: Fetch }
    task: clerk
    undo:
      - { id: put_back, title: { zh: 放回, en: Put back }, task: lead }
  - { id: check, title: { zh: 检查, en: Check }, approve: lead }
";

async fn house() -> House {
    let files = [("directory.yaml", DIRECTORY), ("paper.yaml", PAPER), ("lent.yaml", LENT)];
    House::of(&files, web::Options { limits: wide(), ..web::Options::default() }).await
}

/// A case with a file, at the lead.
async fn paper(house: &House) -> InstanceId {
    let draft = house.runtime.files().take("draft.txt", &FileRule::default(), b"draft").unwrap();
    let data: Record =
        [("what".into(), Value::Text("机密用途".into())), ("draft".into(), Value::File(draft.into()))].into();
    let command = countersign::engine::command::Command { id: "start".into(), actor: cam(), ask: Ask::Start { data } };
    house.runtime.start(&ProcessId::from("paper"), command).await.unwrap().instance
}

fn cam() -> Actor {
    Actor::Person { id: "cam".into(), via: Via::Scenario }
}

fn root() -> Actor {
    Actor::Operator { user: "root".into() }
}

async fn hand_over(house: &House, from: &str, to: &str) {
    let asked = HandOver { from: from.into(), to: to.into(), key: None };
    let result = house.runtime.hand_over(&asked, &root(), false).await.unwrap();
    assert_eq!((result.done.len(), result.refused.len()), (1, 0), "{:?}", result.refused);
}

async fn go_overdue(house: &House, case: InstanceId) {
    house.clock(TimeDelta::days(3));
    house.submit(case, Actor::System, Ask::Wake).await;
}

#[tokio::test]
async fn who_lost_a_task_as_it_was_late_reads_who_has_it_and_nothing_else() {
    let house = house().await;
    let case = paper(&house).await;
    let (link, seen) = {
        let link = house.link("lei").await;
        let page = house.get(&link).await;
        page.is(200).has(&["机密用途", "/file/draft/0"]);
        house.get(&format!("{link}/file/draft/0")).await.is(200);
        (link, page.hidden("seen"))
    };
    go_overdue(&house, case).await;

    let closed = house.get(&link).await;
    closed.is(200).has(&["不再需要您处理：已改由 周敏 办理", "没有按时办理", "您不需要做任何事"]);
    closed.lacks(&["<form", "机密用途", "/file/"]);
    let english = house.get(&format!("{link}?lang=en")).await;
    english.is(200).has(&["No longer yours: passed to 周敏", "It was not done in time"]).lacks(&["<form"]);
    house.get(&format!("{link}/file/draft/0")).await.is(404);

    // A page that was opened before and is sent now.
    let length = house.log(case).await;
    for fields in [&[("seen", seen.as_str()), ("outcome", "approved")][..], &[("seen", seen.as_str())], &[]] {
        house.post(&link, fields).await.is(409).has(&["不再需要您处理：已改由 周敏 办理"]).lacks(&["<form"]);
    }
    house
        .post(&link, &[("seen", &seen), ("outcome", "approved")])
        .await
        .has(&["您刚才的选择没有记录", "已经改由他人办理"]);
    assert_eq!(house.log(case).await, length);
}

#[tokio::test]
async fn who_lost_a_task_as_it_was_handed_over_reads_by_whom() {
    let house = house().await;
    let case = paper(&house).await;
    let link = house.link("lei").await;
    hand_over(&house, "lei", "zoe").await;
    house.get(&link).await.is(200).has(&["不再需要您处理：已改由 周敏 办理", "管理员 root 已于", "交接"]);
    house
        .get(&format!("{link}?lang=en"))
        .await
        .has(&["No longer yours: passed to 周敏", "handed over by operator root"]);
    // It stays so, whatever becomes of the task.
    house.answer(&house.link("zoe").await, &[("outcome", "approved")]).await.is(303);
    house.submit(case, root(), Ask::Cancel { reason: None }).await;
    house.get(&link).await.is(200).has(&["不再需要您处理：已改由 周敏 办理"]);
    house.get(&format!("{link}/file/draft/0")).await.is(404);
}

#[tokio::test]
async fn who_got_a_task_has_a_link_like_anybody_who_is_asked() {
    // Decided, and a second answer hears of the first.
    let house = house().await;
    let case = paper(&house).await;
    go_overdue(&house, case).await;
    let link = house.link("zoe").await;
    house.get(&link).await.is(200).has(&["轮到您：审批", "机密用途"]).lacks(&["数据有变化"]);
    house.get(&format!("{link}/file/draft/0")).await.is(200);
    house.answer(&link, &[("outcome", "approved"), ("opinion", "可以")]).await.is(303);
    house.get(&link).await.is(200).has(&["您已同意这份申请", "可以"]);
    house.answer_dead(&link).await.is(200);

    // Withdrawn, cancelled, and passed on once more.
    for (ask, actor, words) in [
        (Ask::Withdraw { reason: None }, cam(), "申请已撤回"),
        (Ask::Cancel { reason: None }, root(), "申请已取消"),
        (Ask::HandOver { from: "zoe".into(), to: "lei".into() }, root(), "不再需要您处理：已改由 雷 办理"),
    ] {
        let house = self::house().await;
        let case = paper(&house).await;
        hand_over(&house, "lei", "zoe").await;
        let link = house.link("zoe").await;
        house.get(&link).await.is(200).has(&["轮到您：审批"]);
        house.submit(case, actor, ask).await;
        house.get(&link).await.is(200).has(&[words]).lacks(&["<form"]);
        house.answer_dead(&link).await.is(409).lacks(&["<form"]);
        house.get(&format!("{link}/file/draft/0")).await.is(404);
    }
}

#[tokio::test]
async fn what_takes_back_is_handed_over_while_the_case_is_ending() {
    let house = house().await;
    let case = house.start("lent", serde_json::json!({ "what": "相机" })).await;
    house.answer(&house.link("cam").await, &[("outcome", "done")]).await.is(303);
    house.answer(&house.link("lei").await, &[("outcome", "rejected"), ("opinion", "no")]).await.is(303);
    let link = house.link("lei").await;
    house.get(&link).await.is(200).has(&["放回"]);
    hand_over(&house, "lei", "zoe").await;
    house.get(&link).await.is(200).has(&["不再需要您处理：已改由 周敏 办理"]);
    house.answer(&house.link("zoe").await, &[("outcome", "done")]).await.is(303);
    let state = house.runtime.case(case).await.unwrap().unwrap().state;
    assert_eq!(state.ended.as_ref().map(|ended| ended.outcome.as_str()), Some("rejected"));
}
