//! What people are told of what they did not do themselves: what time decided, what a called case came to, what was
//! changed on the way, who signed instead of them, and that a step stopped.

use crate::house::{House, wide};
use crate::support;
use countersign::engine::command::{Actor, Ask, Via};
use countersign::model::value::Value;
use countersign::runtime::TaskFilter;
use countersign::web;

/// Two of every position, who read both languages.
const PEOPLE: &str = "
directory: company
departments:
  office: { title: { zh: 办公室, en: Office }, head: lead }
positions:
  boss: { title: { zh: 总经理, en: Boss } }
  lead: { title: { zh: 经理, en: Lead }, department: office, reports_to: boss }
  clerk: { title: { zh: 职员, en: Clerk }, department: office, reports_to: lead }
people:
  ann: { name: Ann, mail: ann@example.com, positions: [clerk], language: en }
  bai: { name: 白, mail: bai@example.com, positions: [clerk], language: zh }
  lei: { name: 雷, mail: lei@example.com, positions: [lead], language: zh }
  zoe: { name: Zoe, mail: zoe@example.com, positions: [boss], language: en }
";

/// Who handed it in and who is told, in each language.
fn failures(process: &str, tests: &str) -> String {
    support::failures(tests, &[("directory.yaml", PEOPLE), ("offer.yaml", OFFER), ("made.yaml", process)])
}

const LATE: &str = "
process: late
title: { zh: 逾期, en: Lateness }
start: [clerk]
form:
  way: { type: choice, title: { zh: 方式, en: Way }, options: { decide: D, go: G }, required: true }
steps:
  - id: route
    choose:
      - when: way = \"decide\"
        steps:
          - id: by_time
            title: { zh: 自动审批, en: Deciding }
            approve: lead
            due: 1 day
            overdue: { decide: approved, notify: [applicant, person(\"bai\")] }
      - when: way = \"go\"
        steps:
          - id: elsewhere
            title: { zh: 跳转审批, en: Jumping }
            approve: lead
            due: 1 day
            overdue: { go: make_up, notify: [applicant, person(\"bai\")] }
  - { id: book, title: { zh: 登记, en: Register }, task: lead }
  - end: finished
  - { id: make_up, title: { zh: 补办, en: Make up }, task: lead }
";

#[test]
fn a_mail_of_what_is_overdue_says_what_time_made_of_it() {
    let tests = "
test: time decides
process: late
now: 2026-03-02T09:00
start: { by: ann, data: { way: decide } }
do:
  - advance: 2 days
  - expect: { mail: { to: ann, kind: decided, body: 'Deciding: Nobody answered by 3 March 09:00, taken as “Approved”' } }
  - expect: { mail: { to: bai, kind: overdue, body: 自动审批：已超时，按“同意”处理 } }
---
test: the case goes on elsewhere
process: late
now: 2026-03-02T09:00
start: { by: ann, data: { way: go } }
do:
  - advance: 2 days
  - expect: { mail: { to: ann, kind: overdue, body: 'Jumping: went overdue, on to “Make up”' } }
  - expect: { mail: { to: bai, kind: overdue, body: 跳转审批：已超时，转到“补办” } }
";
    assert_eq!(failures(LATE, tests), "");
}

const CALLING: &str = "
process: deal
title: { zh: 商机, en: Deal }
start: [clerk]
form: { customer: { type: text, title: { zh: 客户, en: Customer }, required: true } }
steps:
  - { id: offer, title: { zh: 报价, en: Offer }, call: offer, with: { customer: customer }, on: { rejected: lost, withdrawn: lost, cancelled: lost, refused: by_hand } }
  - { id: tell, title: { zh: 通知, en: Tell }, notify: [applicant, person(\"bai\")] }
  - end: won
  - { id: by_hand, title: { zh: 手工处理, en: By hand }, task: lead }
  - { id: lost, end: lost, title: { zh: 丢单, en: Lost } }
";

const OFFER: &str = "
process: offer
title: { zh: 报价, en: Offer }
number: \"No. {seq:3}\"
key: customer
single: true
start: [clerk]
form: { customer: { type: text, title: { zh: 客户, en: Customer }, required: true } }
steps:
  - { id: review, title: { zh: 报价审批, en: Review }, approve: lead }
";

#[test]
fn how_a_called_case_ended_stands_in_mails() {
    let tests = "
test: it was rejected
process: deal
now: 2026-03-02T09:00
start: { by: ann, data: { customer: Acme } }
do:
  - { reject: offer/review, by: lei, opinion: 太贵 }
  - expect: { ended: lost, mail: { to: ann, kind: ended, body: 'the called case ended: Rejected' } }
";
    assert_eq!(failures(CALLING, tests), "");
}

#[tokio::test]
async fn that_nothing_was_begun_as_one_is_open_stands_on_the_page_of_who_takes_over() {
    let house = house(CALLING).await;
    house.start_by("offer", "ann", serde_json::json!({ "customer": "Acme" })).await;
    house.start_by("deal", "bai", serde_json::json!({ "customer": "Acme" })).await;
    house.runtime.dispatch().await.unwrap();
    let row = house.runtime.tasks(&TaskFilter::default()).await.unwrap();
    let row = row.iter().find(|row| row.assignment.step.as_str() == "by_hand").expect("who takes over is asked");
    let link = format!("/t/{}", house.ticket(&row.assignment));
    house.get(&link).await.is(200).has(&["没有发起：同一对象已有未结束的案例"]).lacks(&["请先办完"]);
    house.get(&format!("{link}?lang=en")).await.has(&["already: No. 001"]).lacks(&["Finish or"]);
}

const EDITED: &str = "
process: pay
title: { zh: 付款, en: Payment }
headline: amount
start: [clerk]
form:
  amount: { type: money, title: { zh: 金额, en: Amount }, required: true }
steps:
  - { id: check, title: { zh: 核对, en: Check }, approve: lead, edit: [amount], copy: { approved: person(\"bai\") } }
  - { id: sign, title: { zh: 签字, en: Sign }, approve: boss }
";

#[test]
fn what_an_approver_changed_is_told_to_the_applicant_and_in_copies() {
    let tests = "
test: the old amount and the new one
process: pay
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 100 } }
do:
  - { approve: check, by: lei, data: { amount: 80 } }
  - expect: { mail: { to: ann, kind: decided, body: 'changed: Amount: 100.00 → 80.00' } }
  - expect: { mail: { to: bai, kind: notice, body: 改动：金额：100.00 → 80.00 } }
";
    assert_eq!(failures(EDITED, tests), "");
}

const BOOKED: &str = "
process: booked
title: { zh: 入账, en: Booking }
start: [clerk]
form: { what: { type: text, title: { zh: 货品, en: Goods }, required: true } }
data: { number: { type: integer, title: { zh: 单号, en: Number } } }
steps:
  - id: book
    title: { zh: 入账, en: Book it }
    http: POST https://erp.example/api/{what}
    take: { number: response.order.no }
    retry: { times: 1, from: 1 minute, to: 1 minute }
    on: { failed: by_hand }
    undo: { http: \"DELETE https://erp.example/api/{what}\" }
  - end: done
  - { id: by_hand, title: { zh: 手工入账, en: Book by hand }, task: [person(\"bai\"), person(\"ann\")], mode: any }
";

#[test]
fn who_takes_over_reads_why_the_other_system_could_not() {
    let tests = "
test: an answer of no use
process: booked
now: 2026-03-02T09:00
start: { by: ann, data: { what: tea } }
do:
  - { answer: book, body: { order: {} } }
  - expect: { mail: { to: bai, kind: assigned, body: [入账, 有答复，但不能用, order.no] } }
  - expect: { mail: { to: ann, kind: assigned, body: [Book it, 'answered, but of no use', order.no] } }
---
test: it said no
process: booked
now: 2026-03-02T09:00
start: { by: ann, data: { what: tea } }
do:
  - { fail: book, opinion: stone }
  - advance: 2 minutes
  - { fail: book, opinion: stone }
  - expect: { mail: { to: bai, kind: assigned, body: [stone, 按失败继续] } }
";
    assert_eq!(failures(BOOKED, tests), "");
}

const PART: &str = "
process: part
title: { zh: 经手, en: Handled }
start: [clerk]
form: { who: { type: person, title: { zh: 经手人, en: Handler }, required: true } }
steps:
  - { id: work, title: { zh: 办理, en: Work }, task: who }
";

#[test]
fn a_hand_over_of_a_part_is_not_called_the_case() {
    let tests = "
test: a field and a task
process: part
now: 2026-03-02T09:00
start: { by: ann, data: { who: lei } }
do:
  - { handover: lei, to: bai }
  - expect: { mail: { to: bai, kind: handed_over, body: [原来由 雷 负责的事交接给您了, 链接在另一封邮件里, 改动：经手人：雷 → 白] } }
  - expect: { no mail: { to: bai, kind: handed_over, body: 您不需要做任何事 } }
---
test: the case itself
process: part
now: 2026-03-02T09:00
start: { by: ann, data: { who: lei } }
do:
  - { handover: ann, to: bai }
  - expect: { mail: { to: bai, kind: handed_over, body: 这个案例已交接给您，今后由您负责。 } }
";
    assert_eq!(failures(PART, tests), "");
}

const SHARED: &str = "
process: shared
title: { zh: 会签席位, en: Shared seat }
start: [lead]
form: { what: { type: text, title: { zh: 事项, en: Matter }, required: true } }
steps:
  - { id: both, title: { zh: 会签, en: Both sign }, approve: [boss, clerk], mode: all }
";

const RACE: &str = "
process: dunning
title: { zh: 催款, en: Dunning }
start: [lead]
form: { bill: { type: text, title: { zh: 账单号, en: Bill }, required: true } }
steps:
  - id: first
    title: { zh: 等付款, en: Wait for it }
    race:
      paid: [{ id: payment, title: { zh: 到账, en: Payment }, receive: paid, key: bill }]
      called: [{ id: phone, title: { zh: 电话催款, en: Phone }, task: person(\"bai\") }]
  - { id: file, title: { zh: 归档, en: File it }, task: lead }
";

const SIGNED: &str = "
process: signed
title: { zh: 会签, en: Signing }
start: [lead]
form: { what: { type: text, title: { zh: 事项, en: Matter }, required: true } }
steps:
  - { id: first, title: { zh: 准备, en: Prepare }, task: [person(\"bai\"), person(\"zoe\")], mode: any }
  - { id: both, title: { zh: 会签, en: Both sign }, approve: [boss, clerk], mode: all }
  - { id: each, title: { zh: 传阅, en: Read it }, approve: [boss, person(\"bai\")], mode: all }
  - { id: one, title: { zh: 归档, en: File it }, task: clerk }
";

const STOPS: &str = "
process: stops
title: { zh: 停下, en: Stopping }
start: [clerk]
form: { size: { type: integer, title: { zh: 尺寸, en: Size }, required: true } }
steps:
  - { id: first, title: { zh: 初审, en: First }, approve: lead }
  - { id: second, title: { zh: 报价, en: Offer }, when: size * size * size > 1, approve: boss }
";

async fn house(process: &str) -> House {
    let files = [("directory.yaml", PEOPLE), ("offer.yaml", OFFER), ("made.yaml", process)];
    House::of(&files, web::Options { limits: wide(), ..web::Options::default() }).await
}

#[tokio::test]
async fn who_shares_a_seat_reads_who_took_it() {
    let house = house(SHARED).await;
    house.start_by("shared", "lei", serde_json::json!({ "what": "印章" })).await;
    let (ann, bai) = (house.link("ann").await, house.link("bai").await);
    let seen = house.get(&bai).await.hidden("seen");
    house.answer(&ann, &[("outcome", "approved")]).await.is(303);

    let closed = house.get(&bai).await;
    closed
        .is(200)
        .has(&["已经有人处理了", "Ann 已于", "同意这份申请", "您不需要做任何事"])
        .lacks(&["<form", "您的决定"]);
    house.get(&format!("{bai}?lang=en")).await.is(200).has(&["Someone has decided already", "Ann approved"]);
    // The other seat is still free, and one of two was enough for this one.
    closed.has(&["会签：Zoe"]);
    let late = house.post(&bai, &[("seen", &seen), ("outcome", "approved")]).await;
    late.is(409).has(&["没有记录", "已经有人处理了"]).lacks(&["您的决定没有改变"]);
}

#[tokio::test]
async fn seats_that_several_may_take_are_told_as_such() {
    let house = house(SIGNED).await;
    house.start_by("signed", "lei", serde_json::json!({ "what": "印章" })).await;
    house.get(&house.link("bai").await).await.has(&[
        "Zoe（总经理），以及 Ann（职员） 或 白（职员）",
        "Zoe（总经理）、白（职员）",
        "Ann（职员） 或 白（职员）",
    ]);
    house.get(&house.link("zoe").await).await.has(&[
        "Zoe (Boss), and Ann (Clerk) or 白 (Clerk)",
        "Zoe (Boss), 白 (Clerk)",
        "Ann (Clerk) or 白 (Clerk)",
    ]);
}

#[tokio::test]
async fn who_lost_a_race_reads_what_came_first() {
    let house = house(RACE).await;
    house.start_by("dunning", "lei", serde_json::json!({ "bill": "R1" })).await;
    let link = house.link("bai").await;
    // What programs call it is not for people.
    house.get(&link).await.is(200).has(&["等待消息（R1）"]).lacks(&["等待消息 paid"]);
    house.runtime.message("m1", "paid", Some("R1"), Value::Null).await.unwrap();
    house.get(&link).await.is(200).has(&["“到账”先有了结果"]);
    house.get(&format!("{link}?lang=en")).await.has(&["“Payment” came first"]);
}

#[tokio::test]
async fn what_is_refused_empty_is_not_called_optional() {
    let process = "
process: helped
title: { zh: 协办, en: Helped }
start: [lead]
form: { what: { type: text, title: { zh: 事项, en: Matter } } }
steps:
  - id: work
    title: { zh: 办理, en: Work }
    task: person(\"bai\")
    form:
      helpers: { type: person, title: { zh: 协办人, en: Helpers }, many: true, min: 1 }
      others: { type: person, title: { zh: 知会, en: Others }, many: true }
";
    let house = house(process).await;
    house.start_by("helped", "lei", serde_json::json!({ "what": "印章" })).await;
    let page = house.get(&house.link("bai").await).await;
    page.has(&["知会 <span class=\"quiet\">选填"]).lacks(&["协办人 <span class=\"quiet\">选填"]);
}

#[tokio::test]
async fn a_stopped_step_is_told_to_people_without_what_stopped_it() {
    let house = house(STOPS).await;
    let case = house.start_by("stops", "bai", serde_json::json!({ "size": "999999999999999" })).await;
    let rows = house.runtime.tasks(&TaskFilter::default()).await.unwrap();
    let row = rows.iter().find(|row| row.assignment.instance == case).expect("the lead is asked");
    let link = format!("/t/{}", house.ticket(&row.assignment));
    house.answer(&link, &[("outcome", "approved")]).await.is(303);
    house.runtime.dispatch().await.unwrap();
    let page = house.get(&link).await;
    page.is(200).has(&["停在这一步，由管理员处理"]).lacks(&["太大", "没有成功", " 前</span>"]);
    house.get(&format!("{link}?lang=en")).await.has(&["stopped here; the administrators look after it"]);
}

#[tokio::test]
async fn who_changed_something_reads_what_on_the_page_that_confirms_it() {
    let house = house(EDITED).await;
    house.start_by("pay", "ann", serde_json::json!({ "amount": "100" })).await;
    let link = house.link("lei").await;
    house.answer(&link, &[("outcome", "approved"), ("amount", "80")]).await.is(303);
    house.get(&link).await.is(200).has(&["您已同意这份申请", "改动：金额：100.00 → 80.00"]);
}

const SIDE: &str = "
process: side
title: { zh: 并行, en: Side by side }
start: [clerk]
form: { who: { type: person, title: { zh: 审批人, en: Signer }, many: true } }
steps:
  - { id: more, title: { zh: 可跳过, en: May be skipped }, approve: who, mode: all, policy: { nobody: skip } }
  - id: both
    parallel:
      left_branch: [{ id: left, title: { zh: 财务审批, en: Finance }, approve: lead, lock: car }]
      right_branch: [{ id: right, title: { zh: 总经理审批, en: The boss }, approve: boss }]
      third_branch: [{ id: third, title: { zh: 用车, en: Car }, task: clerk, lock: car }]
";

#[tokio::test]
async fn whoever_rejected_is_not_told_as_cancelled_and_no_branch_by_its_name() {
    let house = house(SIDE).await;
    house.start_by("side", "ann", serde_json::json!({ "who": [] })).await;
    let link = house.link("zoe").await;
    house.answer(&link, &[("outcome", "rejected"), ("opinion", "no")]).await.is(303);
    let page = house.get(&link).await;
    page.is(200).has(&["nobody may decide this; passed over, as the process says", "Car"]).lacks(&["third_branch"]);
    // Finance, and the car that waited for its lock.
    assert_eq!(page.body.matches("no longer needed, cancelled").count(), 2, "{}", page.body);
}

#[tokio::test]
async fn what_the_shell_withdrew_says_who_entered_it() {
    let house = house(EDITED).await;
    let case = house.start_by("pay", "ann", serde_json::json!({ "amount": "100" })).await;
    let link = house.link("lei").await;
    let actor = Actor::Person { id: "ann".into(), via: Via::Shell { user: "root".into() } };
    house.submit(case, actor, Ask::Withdraw { reason: None }).await;
    house.get(&link).await.is(200).has(&["申请已撤回", "由 root 在命令行代为操作"]);
}

const TAKEN_BACK: &str = "
process: chair
title: { zh: 领用, en: Chair }
start: [clerk]
form: { what: { type: text, title: { zh: 物品, en: Thing }, required: true } }
steps:
  - id: reserve
    title: { zh: 预留, en: Reserve }
    task: person(\"bai\")
    undo: { id: free, title: { zh: 放回, en: Put it back }, task: person(\"bai\") }
  - { id: sign, title: { zh: 签字, en: Sign }, approve: lead }
";

#[tokio::test]
async fn what_is_taken_back_is_told_as_going_on_only_as_long_as_it_does() {
    let house = house(TAKEN_BACK).await;
    house.start_by("chair", "ann", serde_json::json!({ "what": "椅子" })).await;
    house.answer(&house.link("bai").await, &[("outcome", "done")]).await.is(303);
    let rejected = house.link("lei").await;
    house.answer(&rejected, &[("outcome", "rejected"), ("opinion", "太贵")]).await.is(303);
    house.get(&rejected).await.is(200).has(&["正在撤销"]).lacks(&["已撤销"]);
    house.answer(&house.link("bai").await, &[("outcome", "done")]).await.is(303);
    house.get(&rejected).await.is(200).has(&["已撤销"]).lacks(&["正在撤销"]);
    house.get(&format!("{rejected}?lang=en")).await.has(&["taken back"]).lacks(&["being taken back"]);
}
