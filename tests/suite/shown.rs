//! What a step shows to whom it asks, by example: in the mail, on the page, in its changes and among its files.

use crate::house::{House, wide};
use crate::support;
use countersign::effects::mailbox::Mailbox;
use countersign::engine::command::{Actor, Ask, Via};
use countersign::model::file::FileRule;
use countersign::model::text::Lang;
use countersign::model::value::Record;
use countersign::web;

const DIRECTORY: &str = "
directory: company
positions:
  lead: { title: Lead }
  buyer: { title: Buyer, reports_to: lead }
  keeper: { title: Keeper, reports_to: lead }
people:
  leo: { name: Leo, mail: leo@example.com, positions: [lead], language: en }
  bea: { name: Bea, mail: bea@example.com, positions: [buyer], language: en }
  kim: { name: Kim, mail: kim@example.com, positions: [keeper], language: en }
";

/// The keeper sees what comes and not what it costs; the lead sees all but the supplier's offer.
const ORDER: &str = "
process: order
title: Order
start: [buyer]
form:
  purpose: { type: text, title: Purpose, required: true }
  budget: { type: money, title: Budget, required: true }
  items:
    type: list
    title: Items
    fields:
      name: { type: text, title: Name, required: true }
      price: { type: money, title: Price, required: true }
      offer: { type: file, title: Offer }
steps:
  - id: both
    parallel:
      shelf: [{ id: shelf, title: Shelf, task: keeper, show: [purpose, items.name] }]
      money: [{ id: budget_again, title: Sums again, task: lead, edit: [budget, items], hide: [items.offer] }]
  - { id: all, title: All, approve: lead, hide: [items.offer] }
";

async fn house() -> House {
    let options = web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..web::Options::default() };
    House::of(&[("directory.yaml", DIRECTORY), ("order.yaml", ORDER)], options).await
}

#[tokio::test]
async fn a_hidden_field_and_a_hidden_column_are_nowhere() {
    let house = house().await;
    let offer = house.runtime.files().take("offer.txt", &FileRule::default(), b"the offer").unwrap();
    let items = serde_json::json!([{ "name": "Oak shelf", "price": "77.70", "offer": offer.to_string() }]);
    let data = serde_json::json!({ "purpose": "Store room", "budget": "900", "items": items });
    house.start_by("order", "bea", data).await;
    house.deliver().await;
    let secrets = ["77.70", "900.00", "offer.txt", "Price", "Budget"];

    let keeper = house.link("kim").await;
    house.get(&keeper).await.is(200).has(&["Store room", "Oak shelf"]).lacks(&secrets);
    house.get(&format!("{keeper}/file/items.0.offer/0")).await.is(404);
    let mail = house.mailbox.list(Some(&"kim".into())).remove(0);
    assert!(mail.text.contains("Oak shelf") && mail.html.contains("Oak shelf"), "{}", mail.text);
    for secret in secrets {
        assert!(!mail.text.contains(secret) && !mail.html.contains(secret), "{secret} is in\n{}", mail.text);
    }

    // What changed since the mail is told without what is hidden.
    let lead = house.link("leo").await;
    let again = [("outcome", "done"), ("budget", "950"), ("items.0.name", "Pine shelf"), ("items.0.price", "66.60")];
    house.answer(&lead, &again).await.is(303);
    let page = house.get(&keeper).await;
    page.is(200).has(&["Oak shelf", "Pine shelf"]).lacks(&["66.60", "77.70", "900.00", "950.00", "Budget"]);

    house.answer(&keeper, &[("outcome", "done")]).await.is(303);
    // Nor once it is answered.
    house.get(&keeper).await.is(200).lacks(&["66.60", "77.70", "900.00", "950.00", "Price", "Budget"]);
    let lead = house.link("leo").await;
    house.get(&lead).await.is(200).has(&["Pine shelf", "66.60", "950.00"]).lacks(&["offer.txt"]);
}

#[tokio::test]
async fn what_the_shell_did_for_somebody_is_told_without_what_their_step_hides() {
    let house = house().await;
    let items = serde_json::json!([{ "name": "Oak shelf", "price": "77.70" }]);
    let data = serde_json::json!({ "purpose": "Store room", "budget": "900", "items": items });
    let case = house.start_by("order", "bea", data).await;
    let assignment = house.assignment("kim").await;
    let actor = Actor::Person { id: "kim".into(), via: Via::Shell { user: "root".into() } };
    let done = Ask::Decide {
        task: assignment.task,
        assignment: None,
        outcome: "done".into(),
        opinion: None,
        values: Record::new(),
        seen: None,
    };
    house.submit(case, actor, done).await;
    house.deliver().await;
    let mails = house.mailbox.list(Some(&"kim".into()));
    let mail = mails.iter().find(|mail| mail.text.contains("root")).expect("they are told");
    assert!(mail.text.contains("Oak shelf"), "{}", mail.text);
    for secret in ["77.70", "900.00", "Price", "Budget"] {
        let told = [&mail.subject, &mail.text, &mail.html].into_iter().any(|part| part.contains(secret));
        assert!(!told, "{secret} is in {}\n{}", mail.subject, mail.text);
    }
}

#[test]
fn who_is_only_told_of_a_step_reads_no_more_of_it_than_it_shows() {
    let order = "
process: order
title: Order
start: [buyer]
form:
  purpose: { type: text, title: Purpose, required: true }
  budget: { type: money, title: Budget, required: true }
steps:
  - id: look
    title: Look
    approve: lead
    hide: [budget]
    due: 1 day
    overdue: { notify: [keeper, applicant] }
    copy: { approved: [keeper] }
  - end: fine
";
    let tests = "
test: neither while it is late nor in the copy; the applicant has it all
process: order
now: 2026-03-02T09:00
start: { by: bea, data: { purpose: Store room, budget: 900 } }
do:
  - { advance: 2 days }
  - expect: { mail: [{ to: kim, kind: overdue, body: Store room }, { to: bea, kind: overdue, body: 900.00 }] }
  - expect: { no mail: { to: kim, body: 900 } }
  - { approve: look, by: leo }
  - expect: { mail: { to: kim, kind: notice, body: Store room }, no mail: { to: kim, kind: notice, body: 900 } }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", DIRECTORY), ("order.yaml", order)]), "");
}

#[test]
fn a_column_that_is_not_there_is_told_with_the_one_that_is_meant() {
    let wrong = ORDER.replace("items.name]", "items.nmae, purpose.name]");
    let told = support::compile(&[("order.yaml", &wrong), ("directory.yaml", DIRECTORY)]).render(Lang::En);
    assert!(told.contains("there is no column `items.nmae`; did you mean `items.name`?"), "{told}");
    assert!(told.contains("there is no column `purpose.name`"), "{told}");
}

const ROUND: &str = "
process: round
title: Round
start: [buyer]
headline: purpose
form:
  purpose: { type: text, title: Purpose, required: true }
  budget: { type: money, title: Budget, required: true }
steps:
  - id: hear
    title: Opinions
    each: holders(keeper)
    as: one
    into: heard
    steps:
      - { id: say, title: Say, task: one, form: { said: { type: text, title: Said, required: true } } }
  - { id: all, title: All, approve: lead }
";

#[tokio::test]
async fn a_list_that_is_gathered_is_shown_as_the_others_are() {
    let options = web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..web::Options::default() };
    let house = House::of(&[("directory.yaml", DIRECTORY), ("round.yaml", ROUND)], options).await;
    house.start_by("round", "bea", serde_json::json!({ "purpose": "Store room", "budget": "900" })).await;
    house.deliver().await;
    let keeper = house.link("kim").await;
    house.answer(&keeper, &[("outcome", "done"), ("said", "too small")]).await.is(303);
    let lead = house.link("leo").await;
    house.get(&lead).await.is(200).has(&["Opinions", "Said", "too small", "Kim"]);
    house.deliver().await;
    let mail = house.mailbox.list(Some(&"leo".into())).remove(0);
    assert!(mail.text.contains("Opinions") && mail.text.contains("too small"), "{}", mail.text);
    assert!(mail.subject.contains("Store room"), "the headline is what the process names: {}", mail.subject);
}

#[test]
fn a_headline_is_a_field_of_one_value() {
    for (wrong, told) in [("items", "`headline` names one field"), ("purpse", "did you mean `purpose`")] {
        let order = ORDER.replace("start: [buyer]", &format!("start: [buyer]\nheadline: {wrong}"));
        let found = support::compile(&[("order.yaml", &order), ("directory.yaml", DIRECTORY)]).render(Lang::En);
        assert!(found.contains(told), "{found}");
    }
}
