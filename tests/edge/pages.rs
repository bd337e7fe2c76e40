//! The pages in a real browser: a person opens the link in their mail and decides; a robot decides nothing.

use crate::browser::{Browser, Window};
use crate::house::{DIRECTORY, House, wide};
use countersign::effects::mailbox::Mailbox;
use countersign::web::Options;

const PHONE: u32 = 390;
const DESK: u32 = 1200;

async fn house() -> (House, String) {
    let house = House::with(Options { limits: wide(), mailbox: Some(Mailbox::new()), ..Options::default() }).await;
    house.order().await;
    let base = house.serve().await;
    house.deliver_from(&base).await;
    (house, base)
}

/// Runs what blocks beside the server.
async fn browse(window: Window, work: impl FnOnce(&Browser) + Send + 'static) {
    tokio::task::spawn_blocking(move || work(&Browser::open(window))).await.unwrap();
}

async fn approve_from_the_mail(window: Window) {
    if !Browser::is_here() {
        return;
    }
    let (house, base) = house().await;
    browse(window, move |browser| {
        browser.go(&base);
        assert!(browser.url().ends_with("/mailbox"), "{}", browser.url());
        browser.click(&browser.one(".asked a"));
        browser.click(&browser.one(".mails .open a"));
        // The mail is in a frame; its button opens the page in the window.
        browser.frame();
        browser.click(&browser.one("a[href*='/t/']"));
        browser.top();
        browser.until("轮到您：经理审批");
        assert!(browser.url().contains("/t/"), "{}", browser.url());
        assert!(browser.content_width() <= f64::from(window.width), "the page scrolls sideways");
        for target in browser.all(".choice, .button") {
            let [.., height] = browser.place(&target);
            assert!(height >= 48.0, "a target of {height} px");
        }
        let choices = browser.all("input[name=outcome]");
        assert_eq!(choices.len(), 3);
        for choice in &choices {
            assert_eq!(browser.property(choice, "checked"), "false", "nothing is chosen for anybody");
        }
        // On a phone below each other, on a desk in a row.
        let tops: Vec<f64> = browser.all(".choice").iter().map(|choice| browser.place(choice)[1]).collect();
        assert_eq!(tops[0] == tops[1], window.width > 640, "{tops:?}");
        browser.click(&browser.one("label:has(input[value=approved])"));
        browser.write(&browser.one("#opinion"), "同意，年度预算内");
        browser.click(&browser.one("button.button"));
        browser.until("您已同意这份申请");
        browser.until("同意，年度预算内");
        assert_eq!(browser.all(".stamp").len(), 1);
        // A reload sends nothing twice: the page is what a GET shows.
        browser.go(&browser.url());
        browser.until("您已同意这份申请");
    })
    .await;
    assert!(house.assignment("bo").await.step.as_str() == "buy", "the case went on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_approves_from_their_mail_on_a_phone() {
    approve_from_the_mail(Window { width: PHONE, script: true }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_approves_from_their_mail_at_a_desk_without_scripts() {
    approve_from_the_mail(Window { width: DESK, script: false }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robot_that_opens_every_link_and_presses_every_button_decides_nothing() {
    if !Browser::is_here() {
        return;
    }
    let (house, base) = house().await;
    let mut watch = house.watch().await;
    let before = watch.version().await;
    let links: Vec<String> = house.mailbox.list(None).into_iter().filter_map(|mail| mail.link).collect();
    assert!(!links.is_empty());
    for script in [true, false] {
        let (links, base) = (links.clone(), base.clone());
        browse(Window { width: DESK, script }, move |browser| {
            for link in &links {
                assert!(ureq::head(link).call().is_ok() && ureq::get(link).call().is_ok());
                browser.go(link);
                let count = browser.all("button, input[type=submit], a").len();
                assert!(count >= 2, "there is something to press");
                for number in 0..count {
                    browser.go(link);
                    if let Some(target) = browser.all("button, input[type=submit], a").get(number) {
                        browser.try_click(target);
                    }
                }
            }
            browser.go(&format!("{base}/mailbox/lei"));
            browser.until("采购申请");
        })
        .await;
    }
    assert_eq!(before, watch.version().await, "a row was written");
    house.get(&house.link("lei").await).await.is(200).has(&["轮到您"]);
}

const TRIP: &str = "
process: trip
title: Trip
start: [clerk]
form:
  costs:
    type: list
    title: Costs
    fields:
      day: { type: date, title: Day }
      what: { type: text, title: What it was for }
      place: { type: text, title: Place }
      receipt: { type: text, title: Receipt }
      amount: { type: money, title: Amount, required: true }
  total: { type: money, title: Total, value: sum(for cost in costs return cost.amount) }
steps:
  - { id: sign, title: Sign, approve: lead }
";

#[tokio::test(flavor = "multi_thread")]
async fn the_total_of_many_columns_is_in_sight_on_a_phone() {
    if !Browser::is_here() {
        return;
    }
    let options = Options { limits: wide(), mailbox: Some(Mailbox::new()), ..Options::default() };
    let house = House::of(&[("directory.yaml", DIRECTORY), ("trip.yaml", TRIP)], options).await;
    let cost = serde_json::json!({
        "day": "2026-03-02", "what": "Accommodation", "place": "Shanghai", "amount": "1830.00",
        "receipt": "receipt_of_the_hotel_in_shanghai.pdf",
    });
    house.start_by("trip", "cam", serde_json::json!({ "costs": [cost] })).await;
    let base = house.serve().await;
    let link = format!("{base}{}", house.link("lei").await);
    browse(Window { width: PHONE, script: false }, move |browser| {
        browser.go(&link);
        for cell in ["tbody td:last-child", "tfoot td"] {
            let [left, _, width, _] = browser.place(&browser.one(cell));
            assert!(left + width <= f64::from(PHONE), "{cell} ends at {}", left + width);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_filled_in_and_mended_on_a_phone_without_scripts() {
    if !Browser::is_here() {
        return;
    }
    let (house, base) = house().await;
    house.answer(&house.link("lei").await, &[("outcome", "returned"), ("opinion", "请补数量")]).await.is(303);
    let link = format!("{base}{}", house.link("cam").await);
    browse(Window { width: PHONE, script: false }, move |browser| {
        browser.go(&link);
        assert!(browser.content_width() <= f64::from(PHONE), "the form scrolls sideways");
        browser.write(&browser.one("[name='items.2.name']"), "册子");
        browser.write(&browser.one("[name='items.2.price']"), "1,000");
        browser.click(&browser.one("button[name=add]"));
        browser.one("[name='items.6.name']");
        assert_eq!(browser.property(&browser.one("[name='items.2.name']"), "value"), "册子");
        browser.write(&browser.one("[name='items.2.count']"), "三");
        browser.click(&browser.one("label:has(input[value=revised])"));
        browser.click(&browser.one("button.button"));
        browser.until("“三”不是数字");
        browser.until("还没有记录");
        let count = browser.one("[name='items.2.count']");
        assert_eq!(browser.property(&count, "value"), "三");
        browser.clear(&count);
        browser.write(&count, "３");
        browser.click(&browser.one("button.button"));
        browser.until("您已修改并重新提交");
    })
    .await;
    house.get(&house.link("lei").await).await.has(&["册子", "4,280.00"]);
}
