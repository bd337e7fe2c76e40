//! The pages by example. What a person, a robot and an attacker get.

use crate::house::{DIRECTORY, House, encode, form, text_of, wide};
use crate::support;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use chrono::TimeDelta;
use countersign::effects::link::{Binding, Keys, Purpose};
use countersign::effects::mailbox::Mailbox;
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::refusal::Refusal;
use countersign::model::id::PersonId;
use countersign::model::value::Record;
use countersign::runtime::access::LINK_DAYS;
use countersign::runtime::{Denied, Deployment, OutboxFilter};
use countersign::web::{self, Limits};
use std::sync::Arc;

#[tokio::test]
async fn the_page_says_what_it_is_then_the_facts_then_the_way_then_asks() {
    let house = House::new().await;
    house.order().await;
    let page = house.get(&house.link("lei").await).await;
    page.is(200).has(&["lang=\"zh-Hans\"", "轮到您：经理审批", "P-2026-001", "请于 3月4日 18:00 前处理"]);
    let order = [
        "采购申请",
        "¥1,280.00",
        "展会",
        "2026年3月6日 星期五",
        "茶具",
        "1,280.00</td>",
        "提交",
        "aria-current=\"step\"",
        "采购",
        "value=\"approved\"",
        "value=\"rejected\"",
        "name=\"opinion\"",
        "确认提交",
        "此链接代表 <b>雷</b>（l***@example.com）",
    ];
    let mut at = 0;
    for words in order {
        at += page.body[at..].find(words).unwrap_or_else(|| panic!("{words} in its place:\n{}", text_of(&page.body)));
    }
    page.lacks(&["checked", "<script", "http-equiv", "http://", "https://", "prefetch", "onclick", "style=\""]);
    assert!(page.body.len() < 100_000);

    let english = house.get(&format!("{}?lang=en", house.link("lei").await)).await;
    english.is(200).has(&["lang=\"en\"", "Your turn: Lead approves", "Purchase", "Friday, 6 March 2026", "中文"]);
    english.lacks(&["您"]);
}

#[tokio::test]
async fn looking_changes_nothing_however_often_and_by_whatever_method() {
    let house = House::with(web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..Default::default() }).await;
    house.order().await;
    house.deliver().await;
    let link = house.link("lei").await;
    let mut watch = house.watch().await;
    let before = watch.version().await;
    let paths = [
        link.clone(),
        format!("{link}?lang=en"),
        format!("{link}/fresh"),
        format!("{link}?outcome=approved&act=submit"),
        "/".into(),
        "/health".into(),
        "/mailbox".into(),
        "/mailbox/lei".into(),
        "/mailbox/lei/1".into(),
        "/mailbox/lei/1?as=text".into(),
        "/mailbox/lei/1/body".into(),
        "/nothing".into(),
    ];
    for path in &paths {
        let (got, head) = (house.get(path).await, house.ask(Method::HEAD, path).await);
        assert_eq!((got.status, head.body.as_str()), (head.status, ""), "{path}");
        assert_eq!(got.header("content-type"), head.header("content-type"), "{path}");
        house.ask(Method::OPTIONS, path).await;
    }
    for _ in 0..300 {
        house.get(&link).await.is(200);
        house.ask(Method::HEAD, &link).await.is(200);
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let refused = house.ask(method, &link).await;
        refused.is(405).has(&["不能这样使用"]);
        assert!(refused.header("allow").contains("GET") && refused.header("allow").contains("POST"));
    }
    assert_eq!(before, watch.version().await, "a row was written");
}

#[tokio::test]
async fn every_response_keeps_to_itself() {
    let house = House::new().await;
    house.order().await;
    let link = house.link("lei").await;
    let decided = house.answer(&link, &[("outcome", "approved")]).await;
    let style = {
        let page = house.get("/").await;
        let (_, rest) = page.body.split_once("rel=\"stylesheet\" href=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let asset = house.get(&style).await;
    asset.is(200).has(&["--seal"]);
    assert!(asset.header("cache-control").contains("immutable"));
    for answer in [
        decided,
        house.get(&link).await,
        house.get("/").await,
        house.get("/t/none").await,
        house.ask(Method::PUT, "/").await,
        house.post(&link, &[]).await,
    ] {
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-robots-tag"), "noindex, noarchive");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn a_decision_is_stamped_and_a_second_click_hears_of_the_first() {
    let house = House::new().await;
    let order = house.order().await;
    let link = house.link("lei").await;
    let first = house.answer(&link, &[("outcome", "approved"), ("opinion", "年度预算内")]).await;
    first.is(303);
    assert_eq!(first.location(), link);
    let length = house.log(order).await;
    let page = house.get(&link).await;
    page.is(200).has(&[
        "您已同意这份申请",
        "2026.03.02",
        "class=\"stamp",
        "年度预算内",
        "通过发往 l***@example.com 的链接",
    ]);
    page.has(&["接下来", "采购：", "柏", "您不需要做任何事"]).lacks(&["<form", "失效"]);

    let seen = "0".repeat(24);
    let same = house.post(&link, &[("seen", &seen), ("outcome", "approved")]).await;
    same.is(200).has(&["您已同意这份申请"]);
    let other = house.post(&link, &[("seen", &seen), ("outcome", "rejected"), ("opinion", "no")]).await;
    other.is(409).has(&["您的决定没有改变", "3月2日 09:14", "“同意”", "“不同意”没有记录"]);
    // Other words for the same choice are not taken in silence.
    let same = [("seen", seen.as_str()), ("outcome", "approved"), ("opinion", "年度预算内")];
    house.post(&link, &same).await.is(200).lacks(&["没有记录"]);
    let reworded = [("seen", seen.as_str()), ("outcome", "approved"), ("opinion", "超支也同意")];
    let first = house.post(&link, &reworded).await;
    first.is(409).has(&["您的决定没有改变", "您在 3月2日 09:14 写的意见是“年度预算内”", "没有记录"]);
    assert_eq!(house.log(order).await, length);
    house.get(&format!("{link}?lang=en")).await.has(&["You approved this request", "There is nothing for you to do"]);
    house.post(&format!("{link}?lang=en"), &reworded).await.has(&["The opinion that you wrote on", "“年度预算内”"]);
}

const REPORTED: &str = "
process: reported
title: Report
form: {}
steps:
  - id: fill
    title: Fill in
    task: person(\"ann\")
    form:
      hours: { type: integer, title: { zh: 工时, en: Hours }, required: true }
      note: { type: text, title: { zh: 备注, en: Note } }
      left: { type: text, title: { zh: 余料, en: Left over }, default: '\"none\"' }
";

const CHOSEN: &str = "
process: chosen
title: Chosen
form: {}
steps:
  - id: fill
    title: Fill in
    task: person(\"ann\")
    form:
      who: { type: person, title: { zh: 经办人, en: Who }, among: holders(clerk), required: true }
      late: { type: boolean, title: { zh: 迟到, en: Late }, required: true }
      why: { type: text, title: { zh: 原因, en: Why }, required: true, when: late }
      day: { type: date, title: { zh: 日期, en: Day }, min: date(\"2026-03-06\") }
";

#[tokio::test]
async fn a_page_offers_whom_a_field_takes_and_asks_only_where_it_applies() {
    let options = web::Options { limits: wide(), ..web::Options::default() };
    let house = House::of(&[("directory.yaml", support::OFFICE), ("chosen.yaml", CHOSEN)], options).await;
    house.start_by("chosen", "bob", serde_json::json!({})).await;
    let link = house.link("ann").await;
    let page = house.get(&format!("{link}?lang=zh")).await;
    page.is(200)
        .has(&["value=\"ann\"", "value=\"bob\"", "原因 <span class=\"quiet\">适用时必填"])
        .lacks(&["value=\"leo\""]);
    house.get(&format!("{link}?lang=en")).await.has(&["Why <span class=\"quiet\">required where it applies"]);
    let sent = [("outcome", "done"), ("who", "ann"), ("late", "no"), ("day", "2026-03-05")];
    house.answer(&format!("{link}?lang=zh"), &sent).await.is(422).has(&["不早于 2026年3月6日"]);
    house.answer(&format!("{link}?lang=en"), &sent).await.is(422).has(&["Not before 6 March 2026"]);
}

#[tokio::test]
async fn other_values_of_a_second_click_are_not_dropped_in_silence() {
    let house = House::of(
        &[("directory.yaml", support::OFFICE), ("reported.yaml", REPORTED)],
        web::Options { limits: wide(), ..web::Options::default() },
    )
    .await;
    house.start_by("reported", "bob", serde_json::json!({})).await;
    let link = house.link("ann").await;
    let answer = [("outcome", "done"), ("hours", "3"), ("note", ""), ("left", "none")];
    house.answer(&link, &answer).await.is(303);
    let seen = "0".repeat(24);
    let post = async |fields: &[(&str, &str)]| {
        let mut all = vec![("seen", seen.as_str()), ("outcome", "done")];
        all.extend(fields);
        house.post(&format!("{link}?lang=zh"), &all).await
    };
    post(&[("hours", "3"), ("note", ""), ("left", "none")]).await.is(200).lacks(&["没有记录"]);
    post(&[]).await.is(200).lacks(&["没有记录"]);
    post(&[("hours", "4"), ("note", "and more")]).await.is(409).has(&["没有记录（工时、备注）", "以那一次为准"]);
    post(&[("hours", "many")]).await.is(409).has(&["没有记录（工时）"]);
    let en = [("seen", seen.as_str()), ("outcome", "done"), ("hours", "5")];
    house.post(&format!("{link}?lang=en"), &en).await.is(409).has(&["was not recorded (Hours)"]);
}

#[tokio::test]
async fn a_button_without_a_choice_decides_nothing_and_loses_nothing() {
    let house = House::new().await;
    let order = house.order().await;
    let link = house.link("lei").await;
    let length = house.log(order).await;
    // What a robot sends that presses the only button.
    house.answer(&link, &[("opinion", "写了一半"), ("act", "submit")]).await.is(422).has(&[
        "请选择一项",
        "写了一半",
        "还没有记录",
    ]);
    let silent = house.answer(&link, &[("outcome", "rejected"), ("opinion", "  ")]).await;
    silent.is(422).has(&["需要写明意见", "value=\"rejected\" required checked"]);
    house.answer(&link, &[("outcome", "granted")]).await.is(422).has(&["请选择一项"]);
    // A form that no page of ours sent: without what was shown.
    house.post(&link, &[("outcome", "approved")]).await.is(400);
    house.post(&link, &[("outcome", "approved"), ("seen", "xyz")]).await.is(400);
    let long = "长".repeat(60_000);
    house.answer(&link, &[("outcome", "rejected"), ("opinion", &long)]).await.is(422);
    assert_eq!(house.log(order).await, length);
    // The link lived through all of it.
    house.answer(&link, &[("outcome", "rejected"), ("opinion", "超出预算")]).await.is(303);
    house.get(&link).await.has(&["您没有同意这份申请", "超出预算", "结果"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_clicks_at_once_decide_once() {
    let house = Arc::new(House::new().await);
    let order = house.order().await;
    let link = house.link("lei").await;
    let page = house.get(&link).await;
    let seen = page.hidden("seen");
    let length = house.log(order).await;
    let clicks: Vec<_> = (0..100)
        .map(|number| {
            let (house, link, seen) = (house.clone(), link.clone(), seen.clone());
            tokio::spawn(async move {
                let outcome = if number % 2 == 0 { "approved" } else { "rejected" };
                house.post(&link, &[("seen", &seen), ("outcome", outcome), ("opinion", "x")]).await.status.as_u16()
            })
        })
        .collect();
    let mut counts = std::collections::BTreeMap::new();
    for click in clicks {
        *counts.entry(click.await.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(house.log(order).await, length + 1);
    assert_eq!(counts.get(&303), Some(&1), "{counts:?}");
    assert_eq!((counts.get(&200), counts.get(&409)), (Some(&49), Some(&50)), "{counts:?}");
}

#[tokio::test]
async fn what_is_no_ticket_of_ours_gets_one_answer() {
    let house = House::new().await;
    let order = house.order().await;
    let row = house.assignment("lei").await;
    let ticket = house.ticket(&row);
    let length = house.log(order).await;
    let generic = house.get("/t/nothing").await;
    generic.is(404).has(&["这里没有可以打开的内容"]);
    let other = Keys::of_the_moment().unwrap();
    let binding = house.binding(&row);
    let bo = PersonId::from("bo");
    let mut forged = vec![
        String::new(),
        "%ff".into(),
        ticket[..45].into(),
        format!("{ticket}A"),
        ticket.to_lowercase(),
        format!("{ticket}&amp;"),
        ticket.replace('A', "%41%41"),
        "A".repeat(46),
        "x".repeat(5_000),
        "..%2f..%2fetc%2fpasswd".into(),
        other.ticket(&binding),
        house.keys.read().unwrap().ticket(&Binding { installation: "other", ..binding }),
        house.keys.read().unwrap().ticket(&Binding { person: &bo, ..binding }),
        house.keys.read().unwrap().ticket(&Binding { round: 2, ..binding }),
        house.keys.read().unwrap().ticket(&Binding { purpose: Purpose::Reply, ..binding }),
        house.keys.read().unwrap().ticket(&Binding { nonce: &[0; 16], ..binding }),
    ];
    for at in 0..ticket.len() {
        let mut letters: Vec<char> = ticket.chars().collect();
        letters[at] = if letters[at] == 'B' { 'C' } else { 'B' };
        forged.push(letters.into_iter().collect());
    }
    for text in forged {
        let shown = house.get(&format!("/t/{text}")).await;
        assert_eq!((shown.status, &shown.body), (generic.status, &generic.body), "{text}");
        let sent = house.post(&format!("/t/{text}"), &[("seen", &"0".repeat(24)), ("outcome", "approved")]).await;
        assert_eq!(sent.status, StatusCode::NOT_FOUND, "{text}");
        let fresh = house.post(&format!("/t/{text}/fresh"), &[]).await;
        assert_eq!(fresh.status, StatusCode::NOT_FOUND, "{text}");
    }
    assert_eq!(house.log(order).await, length);
    house.get(&format!("/t/{ticket}")).await.is(200);
}

#[tokio::test]
async fn a_revoked_key_kills_its_links_and_a_rotated_one_does_not() {
    let house = House::new().await;
    house.order().await;
    let link = house.link("lei").await;
    let mut keys = Keys::clone(&house.keys.read().unwrap());
    let old = keys.signing();
    keys.rotate("2026-03-02").unwrap();
    *house.keys.write().unwrap() = Arc::new(keys.clone());
    house.get(&link).await.is(200);
    keys.revoke(old).unwrap();
    *house.keys.write().unwrap() = Arc::new(keys);
    house.get(&link).await.is(404);
    house.get(&house.link("lei").await).await.is(200);
}

#[tokio::test]
async fn a_dead_link_tells_who_decided_what_and_where_the_case_stands() {
    let house = House::new().await;
    let order = house.order().await;
    let lead = house.link("lei").await;
    house.answer(&lead, &[("outcome", "approved")]).await.is(303);
    let (bo, bea) = (house.link("bo").await, house.link("bea").await);
    house.clock(TimeDelta::hours(2));
    house.answer(&bo, &[("outcome", "bought"), ("paid", "￥1,２００"), ("bought", "3月2日")]).await.is(303);
    house.get(&bo).await.has(&["已购买", "您已办理"]);
    let dead = house.get(&bea).await;
    dead.is(200)
        .has(&["已经有人处理了", "柏 已于 3月2日 11:14 办理：已购买", "结果", "您不需要做任何事"])
        .lacks(&["<form"]);
    house.answer_dead(&bea).await.is(409).has(&["没有记录"]);
    let case = house.runtime.case(order).await.unwrap().unwrap();
    assert_eq!(case.state.data.get("paid").unwrap().to_plain(), "1200.00");

    // Withdrawn.
    let second = house.order().await;
    let lead = house.link("lei").await;
    house.submit(second, Actor::Person { id: "cam".into(), via: Via::Scenario }, Ask::Withdraw { reason: None }).await;
    house.get(&lead).await.is(200).has(&["申请已撤回", "卡 已于 3月2日 11:14 撤回", "您不需要做任何事"]);
    house.answer_dead(&lead).await.is(409);

    // Cancelled.
    let third = house.order().await;
    let lead = house.link("lei").await;
    house.submit(third, Actor::Operator { user: "root".into() }, Ask::Cancel { reason: None }).await;
    house.get(&lead).await.is(200).has(&["申请已取消", "root"]);
}

#[tokio::test]
async fn a_returned_case_is_revised_on_its_page_and_the_old_round_is_over() {
    let house = House::new().await;
    let order = house.order().await;
    let lead = house.link("lei").await;
    house.answer(&lead, &[("outcome", "returned"), ("opinion", "请补数量")]).await.is(303);
    house.get(&lead).await.has(&["您已把这份申请退回修改", "接下来", "卡"]);

    let revise = house.link("cam").await;
    let page = house.get(&revise).await;
    page.is(200).has(&["退回给您修改", "请补数量", "雷 于 3月2日 09:14 退回给您修改"]);
    // The whole form stands there as it was, with blank rows below the list.
    page.has(&["name=\"what\"", "value=\"展会\"", "两行\n说明", "value=\"2026-03-06\"", "value=\"high\" selected"]);
    page.has(&[
        "name=\"items.0.name\"",
        "value=\"茶具\"",
        "name=\"items.1.price\"",
        "value=\"160.00\"",
        "items.2.name",
    ]);
    page.lacks(&["items.3.name", "name=\"total\"", "checked"]);

    let filled = [
        ("what", "展会二"),
        ("why", ""),
        ("needed", "2026/3/9"),
        ("grade", "low"),
        ("urgent", "yes"),
        ("items.0.name", ""),
        ("items.0.count", ""),
        ("items.0.price", ""),
        ("items.1.name", "龙井"),
        ("items.1.count", "３"),
        ("items.1.price", "1,160.00"),
        ("items.2.name", "<b>册子</b>"),
        ("items.2.count", "two"),
        ("items.2.price", "0"),
        ("items.3.name", ""),
        ("items.3.count", "1"),
        ("items.3.price", "1"),
    ];
    let length = house.log(order).await;
    let more: Vec<_> = filled.iter().copied().chain([("add", "items")]).collect();
    let more = house.answer(&revise, &more).await;
    more.is(200).has(&["items.6.name", "value=\"展会二\"", "&lt;b&gt;册子"]).lacks(&["items.7.name", "<b>册子"]);
    let wrong: Vec<_> = filled.iter().copied().chain([("outcome", "revised")]).collect();
    let wrong = house.answer(&revise, &wrong).await;
    // What cannot be read, what is missing and what is too little: in one answer.
    wrong.is(422).has(&[
        "“two”不是数字",
        "数量（第 2 行）",
        "单价（第 2 行）：至少 0.01",
        "名称（第 3 行）：请填写这一项",
        "value=\"two\"",
        "aria-invalid=\"true\"",
        "value=\"展会二\"",
    ]);
    assert_eq!(house.log(order).await, length);

    let mut good: Vec<_> = filled.iter().copied().chain([("outcome", "revised"), ("opinion", "已补")]).collect();
    good.retain(|(path, _)| !path.starts_with("items.3"));
    good.iter_mut().filter(|(path, _)| *path == "items.2.count").for_each(|(_, text)| *text = "2");
    good.iter_mut().filter(|(path, _)| *path == "items.2.price").for_each(|(_, text)| *text = "8");
    house.answer(&revise, &good).await.is(303);
    house.get(&revise).await.has(&["您已修改并重新提交", "已修改"]);
    let data = house.runtime.case(order).await.unwrap().unwrap().state.data.clone();
    let plain = countersign::model::value::plain_record(&data);
    assert_eq!(plain["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&plain["total"], &plain["why"], &plain["urgent"]),
        (&"3496.00".into(), &serde_json::Value::Null, &true.into())
    );

    // The lead's first link remembers its own decision; the new round has a link of its own.
    let again = house.link("lei").await;
    assert_ne!(lead, again);
    house.get(&lead).await.has(&["退回修改", "还有一件事在等您", "给我发一个新链接"]);
    house.get(&again).await.is(200).has(&["3,496.00", "轮到您"]);
}

/// A case that another process begins and whose form its applicant fills in, with defaults to be seen and emptied.
const BEGUN: &str = "
process: survey
title: { zh: 调查, en: Survey }
start: [clerk]
form:
  about: { type: text, title: { zh: 关于, en: About }, required: true }
  cost: { type: money, title: { zh: 费用, en: Cost }, default: 0, required: false }
  places: { type: integer, title: { zh: 名额, en: Places }, default: 2 }
  twice: { type: integer, title: { zh: 两倍, en: Twice }, default: if places != null then places * 2 else null }
steps:
  - id: look
    title: { zh: 看, en: Look }
    task: buyer
    form:
      fee: { type: money, title: { zh: 手续费, en: Fee }, required: true, default: 5 }
      sites:
        type: list
        title: { zh: 场地, en: Sites }
        fields:
          site: { type: text, title: { zh: 名称, en: Site }, required: true }
          seats: { type: integer, title: { zh: 座位, en: Seats }, default: 9 }
          kind: { type: choice, title: { zh: 类型, en: Kind }, options: { small: 小, big: 大 }, default: small }
  - end: seen
---
process: asking
title: { zh: 发起调查, en: Ask }
start: [clerk]
form: { what: { type: text, title: { zh: 事由, en: What }, required: true } }
steps:
  - { id: survey, call: survey, detached: true }
  - end: asked
";

#[tokio::test]
async fn a_form_that_is_filled_in_first_is_submitted_and_shows_its_defaults() {
    let (survey, asking) = BEGUN.split_once("---").unwrap();
    let files = [("directory.yaml", DIRECTORY), ("survey.yaml", survey), ("asking.yaml", asking)];
    let house = House::of(&files, web::Options { limits: wide(), ..web::Options::default() }).await;
    house.start("asking", serde_json::json!({ "what": "年会" })).await;
    let link = house.link("cam").await;
    let page = house.get(&link).await;
    page.is(200).has(&[
        "value=\"revised\" required checked> 提交",
        "name=\"cost\"",
        "value=\"0.00\"",
        "value=\"2\"",
        "value=\"4\"",
    ]);
    page.lacks(&["重新提交", "撤回申请"]);
    // A case without a number is told by its title, never by its id.
    page.lacks(&[house.assignment("cam").await.instance.to_string().as_str()]);
    house.get(&format!("{link}?lang=en")).await.has(&["> Submit<"]).lacks(&["Submit again"]);
    // A default is not emptied, and so marked like what has to be filled in, unless its author says that it may be.
    let boxed = |name: &str| {
        page.body.split("<label").find(|label| label.contains(&format!("\"f-{name}\""))).unwrap().to_owned()
    };
    assert!(boxed("cost").contains("选填") && !boxed("places").contains("选填"), "{}", boxed("places"));
    let sent = [("outcome", "revised"), ("about", "场地"), ("cost", ""), ("places", ""), ("twice", "4")];
    house.answer(&link, &sent).await.is(422).has(&["名额：请填写这一项。"]).lacks(&["费用：请填写这一项。"]);
    let sent = [("outcome", "revised"), ("about", "场地"), ("cost", ""), ("places", "3"), ("twice", "4")];
    house.answer(&link, &sent).await.is(303);
    house.get(&link).await.has(&["您已填写并提交", "已提交"]).lacks(&["修改"]);
    // Who empties a default that may be emptied means it.
    let instance = house.assignment("bo").await.instance;
    let data = house.runtime.case(instance).await.unwrap().unwrap().state.data.clone();
    let plain = countersign::model::value::plain_record(&data);
    assert_eq!((&plain["cost"], &plain["places"]), (&serde_json::Value::Null, &"3".into()));
    let look = house.link("bo").await;
    house.get(&look).await.is(200).has(&["手续费", "value=\"5.00\""]);
    // In a row that is new nothing was shown that could be emptied, but what is taken then.
    house.get(&look).await.has(&["placeholder=\"9\"", "– 不选就是小 –"]);
    house.get(&format!("{look}?lang=en")).await.has(&["– else 小 –"]);
    let sites = [("sites.0.site", "东厅"), ("sites.0.seats", ""), ("sites.1.site", "西厅"), ("sites.1.seats", "20")];
    let sent: Vec<(&str, &str)> = [("outcome", "done"), ("fee", "5.00")].into_iter().chain(sites).collect();
    house.answer(&look, &sent).await.is(303);
    let data = house.runtime.case(instance).await.unwrap().unwrap().state.data.clone();
    let sites = countersign::model::value::plain_record(&data)["sites"].clone();
    assert_eq!((&sites[0]["seats"], &sites[1]["seats"]), (&"9".into(), &"20".into()));
}

#[tokio::test]
async fn the_applicant_can_withdraw_instead_of_revising() {
    let house = House::new().await;
    let order = house.order().await;
    house.answer(&house.link("lei").await, &[("outcome", "returned"), ("opinion", "请补")]).await.is(303);
    let revise = house.link("cam").await;
    house.answer(&revise, &[("outcome", "withdrawn"), ("what", ""), ("opinion", "不需要了")]).await.is(303);
    house.get(&revise).await.is(200).has(&["您已撤回这份申请", "已撤回"]);
    house.post(&revise, &[("seen", &"0".repeat(24)), ("outcome", "withdrawn")]).await.is(200);
    assert!(house.runtime.case(order).await.unwrap().unwrap().state.ended.is_some());
}

#[tokio::test]
async fn data_that_changed_is_shown_and_asked_again() {
    let house = House::new().await;
    let case = house.start("both", serde_json::json!({ "what": "x" })).await;
    let (lead, ada) = (house.link("lei").await, house.link("ada").await);
    // Ada has the page open while the lead signs and writes a figure.
    let page = house.get(&ada).await;
    page.has(&["Your turn"]);
    house.answer(&lead, &[("outcome", "approved"), ("figure", "100")]).await.is(303);
    let length = house.log(case).await;
    let (seen, revision) = (page.hidden("seen"), page.hidden("revision"));
    let stale = [
        ("seen", seen.as_str()),
        ("revision", revision.as_str()),
        ("outcome", "approved"),
        ("figure", "120"),
        ("opinion", "fine"),
    ];
    let asked = house.post(&ada, &stale).await;
    asked.is(409).has(&[
        "changed since you opened it",
        "Nothing has been recorded",
        "<ins>100.00</ins>",
        "value=\"120\"",
        "fine",
    ]);
    asked.lacks(&["checked"]);
    assert_eq!(house.log(case).await, length);
    // What the form carries now is what is shown now.
    let (seen, revision) = (asked.hidden("seen"), asked.hidden("revision"));
    house
        .post(&ada, &[("seen", &seen), ("revision", &revision), ("outcome", "approved"), ("figure", "120")])
        .await
        .is(303);
    house.get(&ada).await.has(&["You approved this request"]);
}

#[tokio::test]
async fn what_changed_since_the_mail_stands_above_the_facts() {
    let house = House::new().await;
    house.start("both", serde_json::json!({ "what": "x" })).await;
    let ada = house.link("ada").await;
    house.answer(&house.link("lei").await, &[("outcome", "approved"), ("figure", "100")]).await.is(303);
    let page = house.get(&ada).await;
    page.is(200).has(&["changed since the mail was sent", "<ins>100.00</ins>"]);
    assert!(
        page.body.find("<ins>") < page.body.find("class=\"facts\"><dt>Purpose").or(page.body.find("Both sign</h1>"))
    );
}

#[tokio::test]
async fn an_old_link_says_so_and_mails_a_fresh_one_to_the_registered_address_once() {
    let house = House::new().await;
    let order = house.order().await;
    let link = house.link("lei").await;
    house.clock(TimeDelta::days(LINK_DAYS + 1));
    house.get(&link).await.is(200).has(&["这个链接太旧了", "给我发一个新链接"]).lacks(&["name=\"outcome\""]);
    house.answer_dead(&link).await.is(409);
    let fresh =
        || async { house.runtime.mails(&OutboxFilter { instance: Some(order), ..Default::default() }).await.unwrap() };
    let before = fresh().await.len();
    house.get(&format!("{link}/fresh")).await.is(200);
    assert_eq!(fresh().await.len(), before, "a look mails nothing");
    let sent = house.post(&format!("{link}/fresh"), &[("fresh", "yes"), ("to", "thief@example.org")]).await;
    sent.is(303);
    house.get(sent.location()).await.is(200).has(&["新链接已在路上", "l***@example.com"]);
    house.post(&format!("{link}/fresh"), &[]).await.is(303);
    let mails = fresh().await;
    assert_eq!(mails.len(), before + 1, "one mail in five minutes");
    assert_eq!(mails[0].to, PersonId::from("lei"));
    // The mail that carries it makes it work again.
    house.get(&house.link("lei").await).await.is(200).has(&["轮到您"]);
    house.answer(&link, &[("outcome", "approved")]).await.is(303);
}

#[tokio::test]
async fn who_left_the_directory_decides_nothing_by_an_old_link() {
    let house = House::new().await;
    let order = house.order().await;
    let row = house.assignment("lei").await;
    let link = house.link("lei").await;
    let page = house.get(&link).await;
    let (seen, revision) = (page.hidden("seen"), page.hidden("revision"));
    let mut directory = (*house.runtime.directory()).clone();
    directory.people.shift_remove(&PersonId::from("lei"));
    let deployment = Deployment {
        definitions: house.runtime.definitions().iter().map(|one| (**one).clone()).collect(),
        directory,
        calendar: (*house.runtime.calendar()).clone(),
        metrics: Vec::new(),
        note: "left".into(),
    };
    house.runtime.deploy(deployment).await.unwrap();
    let length = house.log(order).await;
    house.get(&link).await.is(403).has(&["您已不在公司通讯录里", "请联系管理员"]).lacks(&["展会", "雷"]);
    house.get(&format!("{link}?lang=en")).await.is(403).has(&["no longer in the company", "ask an operator"]);
    let sent = [("seen", seen.as_str()), ("revision", revision.as_str()), ("outcome", "approved")];
    house.post(&link, &sent).await.is(403);
    house.post(&format!("{link}/fresh"), &[]).await.is(403);
    // Nor by any other way.
    let actor = Actor::Person { id: "lei".into(), via: Via::Scenario };
    let ask = Ask::Decide {
        task: row.task,
        assignment: None,
        outcome: "approved".into(),
        opinion: None,
        values: Record::new(),
        seen: None,
    };
    let denied = house.runtime.submit(order, Command { id: "by-shell".into(), actor, ask }).await.unwrap_err();
    assert!(matches!(denied, Denied::Refused(Refusal::LeftDirectory(_), _)), "{denied:?}");
    assert_eq!(house.log(order).await, length, "nothing was recorded");
}

#[tokio::test]
async fn too_often_is_answered_with_when_to_come_back() {
    let limits = Limits { ticket: 3, network: 8, ..Limits::default() };
    let house = House::with(web::Options { limits, behind_proxy: true, ..Default::default() }).await;
    house.order().await;
    let link = house.link("lei").await;
    let from = |address: &str, path: &str| {
        let request = Request::builder().uri(path).header("x-forwarded-for", format!("10.9.9.9, {address}"));
        house.send(request.body(Body::empty()).unwrap())
    };
    for _ in 0..3 {
        from("192.0.2.1", &link).await.is(200);
    }
    let refused = from("192.0.2.1", &link).await;
    refused.is(429).has(&["太频繁"]);
    assert!((1..=60).contains(&refused.header("retry-after").parse().unwrap()));
    // A damaged link locks nobody out, and another network has its own count.
    for _ in 0..4 {
        from("192.0.2.1", &format!("{link}x")).await;
    }
    from("192.0.2.77", "/").await.is(429);
    from("198.51.100.1", "/").await.is(200);
}

#[tokio::test]
async fn a_form_from_another_site_is_turned_away() {
    let house = House::new().await;
    let order = house.order().await;
    let link = house.link("lei").await;
    let seen = house.get(&link).await.hidden("seen");
    let fields = [("seen", seen.as_str()), ("outcome", "approved")];
    let send = |name: &'static str, value: &'static str| {
        let request = form(&link, &fields).header(header::HOST, "flow.example.com").header(name, value);
        house.send(request.body(Body::from(encode(&fields))).unwrap())
    };
    let length = house.log(order).await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "https://flow.example.com.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        send(name, value).await.is(403);
    }
    assert_eq!(house.log(order).await, length);
    // A browser tells no origin where the page sends no referrer.
    send("origin", "null").await.is(303);
    send("origin", "https://flow.example.com").await.is(200);
    send("sec-fetch-site", "same-origin").await.is(200);
}

#[tokio::test]
async fn bodies_that_are_no_form_of_ours_are_refused_politely() {
    let house = House::new().await;
    house.order().await;
    let link = house.link("lei").await;
    let send = |kind: &'static str, body: Vec<u8>| {
        let request = Request::builder().method(Method::POST).uri(&link).header(header::CONTENT_TYPE, kind);
        house.send(request.body(Body::from(body)).unwrap())
    };
    send("application/x-www-form-urlencoded", vec![b'a'; 1_100_000]).await.is(413).has(&["太大"]);
    send("application/json", b"{}".to_vec()).await.is(415);
    send("multipart/form-data; boundary=x", b"--x--".to_vec()).await.is(415);
    send("application/x-www-form-urlencoded", b"seen=%ff%00&outcome=%F0%28".to_vec()).await.is(400);
    house.get(&link).await.is(200);
}

#[tokio::test]
async fn what_people_write_stays_text() {
    let house = House::with(web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..Default::default() }).await;
    let vectors = [
        "\"><svg onload=alert(1)>",
        "<script>alert(1)</script>",
        "{{ 7*7 }}",
        "{% raw %}",
        "<!-- ",
        "</textarea><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "' onmouseover='x",
        "&#x3c;script&#x3e;",
        "a\u{2028}b\u{202e}c",
    ];
    house.order().await;
    let tags = |html: &str| html.matches('<').count();
    let usual = tags(&house.get(&house.link("lei").await).await.body);
    house.answer(&house.link("lei").await, &[("outcome", "approved")]).await.is(303);
    for vector in vectors {
        let items = serde_json::json!([{ "name": vector, "count": 2, "price": "320.00" }, { "name": vector, "count": 4, "price": "160.00" }]);
        let data = serde_json::json!({ "what": vector, "why": vector, "needed": "2026-03-06", "grade": "high", "items": items });
        house.start("order", data).await;
        let link = house.link("lei").await;
        let page = house.get(&link).await;
        page.is(200).lacks(&["<svg", "<script", "<img", "\u{202e}", "<!-- "]);
        assert_eq!(tags(&page.body), usual, "{vector}");
        let back = house.answer(&link, &[("opinion", vector)]).await;
        back.is(422).lacks(&["<svg", "<script", "<img"]);
        house.answer(&link, &[("outcome", "returned"), ("opinion", vector)]).await.is(303);
        house.get(&link).await.is(200).lacks(&["<svg", "<script", "<img"]);
        let revise = house.get(&house.link("cam").await).await;
        revise.is(200).lacks(&["<svg", "<script", "<img"]);
        house.answer(&house.link("cam").await, &[("outcome", "withdrawn")]).await.is(303);
    }
    house.deliver().await;
    for path in ["/mailbox", "/mailbox/lei", "/mailbox/lei/2", "/mailbox/lei/2?as=text", "/mailbox/lei/2/body"] {
        house.get(path).await.lacks(&["<svg", "<script", "<img"]);
    }
}

#[tokio::test]
async fn no_ticket_is_logged_or_repeated_by_an_error() {
    use std::io::Write;
    use std::sync::Mutex;
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    // For the whole binary: what other tests log must not hold this ticket either.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let house = House::new().await;
    house.order().await;
    let link = house.link("lei").await;
    let ticket = link.trim_start_matches("/t/").to_owned();
    let errors = [
        house.ask(Method::PUT, &link).await,
        house.get(&format!("{link}/nothing")).await,
        house.get(&format!("{link}x")).await,
        house.post(&link, &[]).await,
        house.post(&format!("{link}?{ticket}"), &[("outcome", &ticket)]).await,
    ];
    house.answer(&link, &[("outcome", "approved")]).await.is(303);
    house.answer_dead(&link).await;
    for error in errors {
        error.lacks(&[&ticket[..20]]);
    }
    let logged = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(logged.contains("/t/{ticket}"), "requests are logged by their route:\n{logged}");
    assert!(!logged.contains(&ticket[2..20]), "{logged}");
}

#[tokio::test]
async fn the_mailbox_is_there_only_for_trying_things_out() {
    let house = House::new().await;
    house.get("/mailbox").await.is(404);
    house.get("/").await.is(200).has(&["会签"]);
    house.get("/health").await.is(200).has(&["\"status\":\"ok\""]);

    let house = House::with(web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..Default::default() }).await;
    house.order().await;
    house.deliver().await;
    assert_eq!(house.get("/").await.location(), "/mailbox");
    house.get("/mailbox").await.is(200).has(&["大家的邮箱", "雷", "销售经理", "1 件待办", "href=\"/mailbox/lei\""]);
    house.get("/mailbox?lang=en").await.has(&[
        "Everybody's mailbox".replace('\'', "&#x27;").as_str(),
        "1 to do",
        "/mailbox/lei?lang=en",
    ]);
    let list = house.get("/mailbox/lei").await;
    list.is(200).has(&["lei.lead@example.com", "采购申请", "class=\"open\"", "href=\"/mailbox/lei/1\""]);
    let mail = house.get("/mailbox/lei/1").await;
    mail.is(200).has(&["<iframe src=\"/mailbox/lei/1/body\"", "sandbox="]);
    assert!(mail.header("content-security-policy").contains("frame-src 'self'"));
    let body = house.get("/mailbox/lei/1/body").await;
    let link = house.link("lei").await;
    body.is(200).has(&["<base target=\"_top\">", &link]);
    assert!(body.header("content-security-policy").contains("sandbox"));
    house.get("/mailbox/lei/1?as=text").await.has(&[&format!("<a href=\"http://localhost{link}\">")]);
    house.get("/mailbox/cam/1").await.is(404);
    house.get("/mailbox/nobody").await.is(404);
}

mod api {
    use super::*;
    use countersign::effects::apikey::ApiKeys;
    use serde_json::json;
    use tower::ServiceExt;

    const WORK: &str = "
process: work
title: Work
start: [clerk]
form:
  what: { type: text, title: What, required: true }
data:
  place: { type: text, title: Place }
steps:
  - { id: print, job: render, with: { what: what }, take: { place: response.place }, lease: 5 minutes }
  - end: printed
";

    const BILL: &str = "
process: bill
title: Bill
start: [clerk]
form:
  no: { type: text, title: No, required: true }
data:
  day: { type: date, title: Day }
  sum: { type: money, title: Sum, min: 0 }
steps:
  - { id: settled, receive: settled, key: no, take: { day: day, sum: bill.sum } }
";

    const PEOPLE: &str = "
directory: company
departments: { office: { title: Office, head: clerk } }
positions: { clerk: { title: Clerk, department: office } }
people: { cam: { name: Cam, mail: cam@example.com, positions: [clerk] } }
";

    async fn ask(house: &House, path: &str, key: Option<&str>, body: &str) -> (u16, serde_json::Value) {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let response = house.app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_request_is_told_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.keys");
        let options = web::Options { limits: wide(), api_keys: Some(path.clone()), ..web::Options::default() };
        let house = House::of(&[("directory.yaml", PEOPLE), ("work.yaml", WORK)], options).await;
        let mut keys = ApiKeys::default();
        let key = keys.add("printer", "2026-03-02").unwrap();
        keys.save(&path).unwrap();
        for (path, body, zh, en) in [
            (
                "jobs/fetch",
                "{",
                "请求的内容不是 JSON：第 1 行第 1 列读不下去。",
                "it cannot be read at line 1, column 1",
            ),
            ("jobs/fetch", "{}", "缺少 `name`。", "`name` is missing."),
            ("jobs/fetch", "[]", "请求的内容要是一个 JSON 对象。", "should be a JSON object"),
            ("jobs/fetch", "7", "请求的内容要是一个 JSON 对象。", "should be a JSON object"),
            (
                "jobs/fetch",
                "{\"nmae\": 1}",
                "没有 `nmae` 这一项。可以写的有：name、worker、max、wait。",
                "name, worker, max, wait",
            ),
            ("jobs/fetch", "{\"name\": 1}", "`name` 要是一段文字。", "`name` should be a text."),
            ("jobs/fetch", "{\"name\": \"x\", \"max\": -1}", "`max` 要是不小于 0 的整数。", "should be a whole number"),
            (
                "jobs/fail",
                "{\"job\": \"x\", \"why\": \"y\", \"permanent\": 1}",
                "`permanent` 要是 true 或 false。",
                "true or false",
            ),
            ("jobs/nothing", "{}", "没有这个接口地址。", "There is no such address of the API."),
        ] {
            let (_, said) = ask(&house, &format!("/api/{path}"), Some(&key), body).await;
            assert_eq!(said["zh"], json!(zh), "{said}");
            assert!(said["en"].as_str().unwrap().contains(en), "{said}");
            assert_eq!(said.as_object().unwrap().len(), 3, "a code and words, nothing else: {said}");
        }
        let get = house.get("/api/messages").await;
        get.is(405).has(&["\"code\":\"wrong_method\"", "这个地址只接受 POST"]).lacks(&["failing"]);
    }

    #[tokio::test]
    async fn a_program_needs_a_key_and_works_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.keys");
        let options = web::Options { limits: wide(), api_keys: Some(path.clone()), ..web::Options::default() };
        let house = House::of(&[("directory.yaml", PEOPLE), ("work.yaml", WORK), ("bill.yaml", BILL)], options).await;
        let fetch = "{\"name\": \"render\"}";
        let (status, said) = ask(&house, "/api/jobs/fetch", None, fetch).await;
        assert_eq!((status, &said["code"]), (401, &json!("no_key")), "no key was made: nobody is let in");
        let mut keys = ApiKeys::default();
        let key = keys.add("printer", "2026-03-02").unwrap();
        keys.save(&path).unwrap();
        assert_eq!(ask(&house, "/api/jobs/fetch", Some("countersign_wrong"), fetch).await.0, 401);
        let key = Some(key.as_str());
        assert_eq!(ask(&house, "/api/jobs/fetch", key, fetch).await, (200, json!({ "jobs": [] })));

        let case = house.start("work", json!({ "what": "contract" })).await;
        let (_, said) = ask(&house, "/api/jobs/fetch", key, fetch).await;
        let job = &said["jobs"][0];
        assert_eq!((&job["input"], &job["attempt"]), (&json!({ "what": "contract" }), &json!(1)));
        let body = |more: serde_json::Value| {
            let mut body = more;
            body["job"] = job["job"].clone();
            body.to_string()
        };
        assert_eq!(ask(&house, "/api/jobs/extend", key, &body(json!({ "seconds": 600 }))).await.0, 200);
        // What the step cannot take is told to who is still there, and the job stays theirs.
        let (status, said) = ask(&house, "/api/jobs/complete", key, &body(json!({ "result": { "place": [1] } }))).await;
        assert_eq!((status, &said["code"], &said["faults"][0]["path"]), (422, &json!("bad_result"), &json!("place")));
        assert!(said["en"].as_str().unwrap().contains("The `place` that came cannot be used"), "{said}");
        let result = body(json!({ "result": { "place": "/p/1" } }));
        assert_eq!(
            ask(&house, "/api/jobs/complete", key, &result).await,
            (200, json!({ "done": true, "repeated": false }))
        );
        assert_eq!(ask(&house, "/api/jobs/complete", key, &result).await.1["repeated"], true);
        let (status, said) = ask(&house, "/api/jobs/fail", key, &body(json!({ "why": "late" }))).await;
        assert_eq!((status, &said["code"]), (409, &json!("lease_over")), "the job was done before: {said}");
        let ended = house.runtime.case(case).await.unwrap().unwrap().state;
        assert_eq!(ended.ended.as_ref().unwrap().outcome.as_str(), "printed");

        // What is not right says so, in JSON and both languages.
        for (path, body, status, code) in [
            ("/api/jobs/fetch", "{", 400, "bad_request"),
            ("/api/jobs/fetch", "{\"nmae\": 1}", 422, "bad_request"),
            ("/api/jobs/fetch", "{\"name\": \"\"}", 400, "bad_request"),
            ("/api/jobs/complete", "{\"job\": \"x\"}", 409, "lease_over"),
            ("/api/jobs/extend", "{\"job\": \"x\", \"seconds\": 1}", 409, "lease_over"),
            ("/api/jobs", "{}", 404, "not_found"),
        ] {
            let (found, said) = ask(&house, path, key, body).await;
            assert_eq!((found, said["code"].as_str()), (status, Some(code)), "{path} {body}");
            assert!(said["zh"].is_string() && said["en"].is_string());
        }
        let message = "{\"id\": \"M-1\", \"name\": \"paid\", \"key\": \"K\", \"data\": {\"on\": \"2026-03-02\"}}";
        let (status, said) = ask(&house, "/api/messages", key, message).await;
        assert_eq!((status, said), (200, json!({ "id": "M-1", "new": true, "known": false })), "nothing live reads it");
        assert_eq!(ask(&house, "/api/messages", key, message).await.1["new"], false);

        // A message that no step could take is its sender's to mend: nothing is kept.
        let settled = |data: serde_json::Value| json!({ "id": "M-2", "name": "settled", "key": "7", "data": data });
        let wrong = settled(json!({ "bill": { "sum": -1 } })).to_string();
        let (status, said) = ask(&house, "/api/messages", key, &wrong).await;
        assert_eq!((status, &said["code"]), (422, &json!("bad_message")));
        assert_eq!((&said["faults"][0]["path"], &said["faults"][1]["path"]), (&json!("day"), &json!("bill.sum")));
        assert_eq!(said["faults"][0]["zh"], json!("收到的内容里没有 `day`。"));
        assert!(said["en"].as_str().unwrap().contains("The `bill.sum` that came cannot be used"), "{said}");
        let right = settled(json!({ "day": "2026-03-02", "bill": { "sum": "12.50" } })).to_string();
        assert_eq!(ask(&house, "/api/messages", key, &right).await.1["new"], true);
        assert_eq!(ask(&house, "/api/messages", key, &wrong).await.1["new"], false);

        // Guessing is slowed down, and a key that is taken away is dead.
        let mut last = 0;
        for _ in 0..40 {
            last = ask(&house, "/api/jobs/fetch", Some("guess"), fetch).await.0;
        }
        assert_eq!(last, 429);
        assert_eq!(ask(&house, "/api/jobs/fetch", key, fetch).await.0, 200, "who has a key goes on");
        keys.remove("printer");
        keys.save(&path).unwrap();
        assert!(ask(&house, "/api/jobs/fetch", key, fetch).await.0 >= 400);
    }
}
