//! What an operator reads in the shell of what is outside a case: which case to retry, who holds a job, what nobody
//! reads, what may not be called.

use crate::cli::Shell;
use crate::support::{OFFICE, golden, project};
use countersign::cli::Exit;
use countersign::effects::http::{Client, Policy, Secrets};
use countersign::model::text::Wording;
use countersign::runtime::http::Calls;
use countersign::runtime::jobs::lease_id;
use countersign::runtime::{InstanceFilter, Options, Runtime, Standing};
use std::time::Duration;

const OUTER: &str = "
process: outer
title: { zh: 总单, en: Whole order }
number: \"O-{seq:3}\"
start: [clerk]
steps:
  - { id: part, title: { zh: 分单, en: Part }, call: inner, on: { otherwise: next } }
";

const INNER: &str = "
process: inner
title: { zh: 子单, en: Partial order }
number: \"I-{seq:3}\"
data: { signed_on: { type: date, title: { zh: 签字日, en: Signed on } } }
steps:
  - { id: sign, title: { zh: 等签字, en: Await signature }, receive: contract_signed, take: { signed_on: on } }
";

/// Takes what the other cannot.
const NOTED: &str = "
process: noted
title: { zh: 记录, en: Note }
start: [clerk]
data: { said: { type: text, title: { zh: 说了什么, en: Said } } }
steps:
  - { id: note, receive: contract_signed, take: { said: on } }
";

const PRINT: &str = "
process: print
title: { zh: 打印, en: Print }
number: \"P-{seq:3}\"
start: [clerk]
steps:
  - { id: print, title: { zh: 打印, en: Print }, job: render, lease: 1 second }
";

const BOOK: &str = "
process: book
title: { zh: 订购, en: Order }
start: [clerk]
steps:
  - id: pay
    title: { zh: 付款, en: Pay }
    http: POST https://bank.example/pay
    headers: { Authorization: secret(\"bank\") }
  - { id: tell, title: { zh: 告知, en: Tell }, http: POST http://127.0.0.1:9/tell }
";

/// A shell in which these are live, and what was said as they became so.
fn shell(lang: &'static str, processes: &[&str]) -> (Shell, String) {
    let shell = Shell::new(lang);
    std::fs::create_dir(shell.folder.path().join("p")).unwrap();
    shell.write("p/directory.yaml", OFFICE);
    for (number, text) in processes.iter().enumerate() {
        shell.write(&format!("p/{number}.yaml"), text);
    }
    let said = shell.run(&["deploy", "p"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    (shell, said.err)
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in\n{text}");
    }
}

#[test]
fn a_message_that_nobody_reads_is_told_with_the_one_that_is_meant() {
    let (shell, _) = shell("en", &[INNER, OUTER]);
    let said = shell.good(&["message", "contract_signd", "--id", "M-1"]);
    has(&said, &["no process receives the message “contract_signd”", "Did you mean contract_signed?", "--discard"]);
    has(
        &shell.good(&["message", "weather", "--lang", "zh"]),
        &["没有流程接收消息“weather”", "会接收的有：contract_signed。"],
    );
    has(&shell.good(&["message", "contract_signd", "--id", "M-1", "--discard"]), &["Dropped"]);
    let known = shell.json(&["message", "contract_signed", "--set", "on=2026-03-05"]);
    assert_eq!((&known["new"], &known["known"]), (&true.into(), &true.into()));
}

#[test]
fn a_message_that_nobody_could_use_says_what_is_wrong_with_it() {
    for lang in ["zh", "en"] {
        let (shell, _) = shell(lang, &[INNER, OUTER]);
        let text = shell.transcript(
            "
            message contract_signed --id M-1
            message contract_signed --id M-1 --set on=soon
            message contract_signed --id M-1 --set on=soon --json
            stuck
            message contract_signed --id M-1 --set on=2026-03-05
            message contract_signed --id M-1 --set on=soon
            ",
        );
        golden(&project(&format!("tests/cli/message.{lang}.txt")), &text);
    }
}

#[test]
fn a_caller_of_a_stopped_case_names_the_case_to_retry() {
    let (shell, _) = shell("en", &[INNER, OUTER, NOTED]);
    shell.good(&["start", "outer", "--as", "ann"]);
    shell.good(&["message", "contract_signed", "--set", "on=one day"]);
    has(&shell.good(&["show", "O-001"]), &["I-001 · stopped · countersign retry I-001"]);
    has(&shell.good(&["list"]), &["I-001 has stopped", "stopped, needs an operator"]);
    has(&shell.ends(Exit::Refused, &["retry", "O-001"]), &["has not stopped itself", "countersign retry I-001"]);
    shell.good(&["retry", "I-001"]);
    has(&shell.good(&["show", "O-001"]), &["I-001 · open"]);
    has(&shell.ends(Exit::Refused, &["retry", "O-001", "--lang", "zh"]), &["没有"]);
    shell.good(&["cancel", "I-001"]);
    has(&shell.good(&["show", "O-001"]), &["I-001 · Cancelled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_is_named_no_longer_than_the_lease() {
    let (shell, _) = shell("en", &[PRINT]);
    shell.good(&["start", "print", "--as", "ann"]);
    let database = shell.folder.path().join("countersign.db");
    let runtime = Runtime::open(Options::file(database)).await.unwrap();
    let taken = runtime.fetch_jobs("render", "press-7", 1, Duration::ZERO).await.unwrap();
    assert_eq!(taken.len(), 1);
    runtime.shutdown().await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    for command in [&["stuck"][..], &["show", "P-001"]] {
        let said = shell.good(command);
        assert!(!said.contains("press-7"), "{said}");
    }
}

#[test]
fn a_deployment_tells_what_its_calls_lack() {
    let (_, said) = shell("en", &[BOOK]);
    has(&said, &["Order · Pay", "`http.allow`", "no secret bank", "Order · Tell", "127.0.0.1:9", "`http.inside`"]);
    let (_, said) = shell("zh", &[BOOK]);
    has(&said, &["订购 · 付款", "没有名为 bank 的密钥"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_allowed_is_not_told_as_a_fault_of_the_other_system() {
    let (shell, _) = shell("en", &[BOOK]);
    shell.good(&["start", "book", "--as", "ann"]);
    let runtime = Runtime::open(Options::file(shell.folder.path().join("countersign.db"))).await.unwrap();
    let mut changed = runtime.changed();
    let calls = Calls::start(runtime.clone(), Client::new(Policy::default(), Secrets::default()));
    let stopped = InstanceFilter { standing: Some(Standing::Incident), ..InstanceFilter::default() };
    while runtime.instances(&stopped).await.unwrap().is_empty() {
        changed.changed().await.unwrap();
    }
    calls.stop().await;
    runtime.shutdown().await;
    let said = shell.good(&["stuck"]).split_whitespace().collect::<Vec<_>>().join(" ");
    has(&said, &["The call failed: Calling bank.example is not allowed.", "`http.allow`"]);
    assert!(!said.contains("other system"), "{said}");
}

const HEARD: &str = "
process: heard
title: { zh: 询价, en: Ask for a price }
number: \"H-{seq:3}\"
start: [clerk]
form: { order: { type: text, title: Order, required: true } }
steps:
  - { id: asked, title: { zh: 询价, en: Ask }, task: lead }
  - { id: fresh, title: { zh: 新价, en: Price }, receive: price_changed, keep: false }
  - { id: paid, title: { zh: 到账, en: Payment }, receive: paid, key: order }
";

#[test]
fn a_message_that_nobody_could_read_is_not_called_kept() {
    let (shell, _) = shell("en", &[HEARD]);
    shell.good(&["start", "heard", "--as", "ann", "--set", "order=7"]);
    has(&shell.good(&["message", "price_changed"]), &["Nobody waits for it", "not kept", "keep: false"]);
    has(&shell.good(&["message", "price_changed", "--lang", "zh"]), &["没有案例在等它", "没有保留"]);
    assert!(!shell.good(&["stuck"]).contains("price_changed"), "it is gone");
    shell.good(&["complete", "H-001", "--as", "leo"]);
    has(&shell.good(&["message", "price_changed"]), &["It reached the case"]);
    has(&shell.ends(Exit::Usage, &["message", "paid"]), &["Every step that receives “paid”", "--key"]);
    has(&shell.ends(Exit::Usage, &["message", "paid", "--lang", "zh"]), &["没有键谁也读不到它", "--key"]);
    has(&shell.good(&["message", "paid", "--key", "7"]), &["It reached the case"]);
}

const UNDONE: &str = "
process: trip
title: { zh: 出差, en: Trip }
number: \"T-{seq:3}\"
start: [clerk]
steps:
  - id: book
    title: { zh: 订房, en: Book }
    job: book
    undo: { id: unbook, title: { zh: 退房, en: Unbook }, job: unbook, retry: { times: 0 } }
  - { id: look, title: { zh: 审批, en: Look }, approve: lead }
";

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_back_is_passed_over_with_a_reason() {
    let (shell, _) = shell("en", &[UNDONE]);
    shell.good(&["start", "trip", "--as", "ann"]);
    let database = || Options::file(shell.folder.path().join("countersign.db"));
    let runtime = Runtime::open(database()).await.unwrap();
    let job = runtime.fetch_jobs("book", "w", 1, Duration::ZERO).await.unwrap();
    let nothing = countersign::model::value::Value::Null;
    runtime.complete_job(&lease_id(&job[0]), nothing).await.unwrap();
    runtime.shutdown().await;
    has(&shell.ends(Exit::Refused, &["skip", "T-001", "--reason", "x"]), &["No step is stopped"]);
    shell.good(&["reject", "T-001", "--as", "leo", "--opinion", "no"]);
    has(&shell.good(&["list"]), &["ending: Unbook"]);
    has(&shell.good(&["list", "--lang", "zh"]), &["正在结束：退房"]);
    let runtime = Runtime::open(database()).await.unwrap();
    let job = runtime.fetch_jobs("unbook", "w", 1, Duration::ZERO).await.unwrap();
    runtime.fail_job(&lease_id(&job[0]), Wording::new("已关账。", "Closed."), true, None).await.unwrap();
    runtime.shutdown().await;
    has(&shell.good(&["show", "T-001"]), &["Unbook", "Closed."]);
    has(&shell.good(&["stuck"]), &["SINCE", "Closed."]);
    has(&shell.ends(Exit::Usage, &["skip", "T-001"]), &["--reason"]);
    has(&shell.good(&["skip", "T-001", "--reason", "called them"]), &["Passed over", "Ended: Rejected"]);
    has(&shell.good(&["history", "T-001"]), &["passed over, not taken back “called them”"]);
    has(&shell.good(&["history", "T-001", "--lang", "zh"]), &["没有撤销，已跳过 “called them”"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_came_too_late_is_told() {
    let (shell, _) = shell("en", &[PRINT]);
    shell.good(&["start", "print", "--as", "ann"]);
    let database = || Options::file(shell.folder.path().join("countersign.db"));
    let runtime = Runtime::open(database()).await.unwrap();
    let job = runtime.fetch_jobs("render", "press-7", 1, Duration::ZERO).await.unwrap();
    runtime.shutdown().await;
    shell.good(&["cancel", "P-001"]);
    let runtime = Runtime::open(database()).await.unwrap();
    let nothing = countersign::model::value::Value::Null;
    for job in [lease_id(&job[0]), lease_id(&job[0])] {
        assert!(runtime.complete_job(&job, nothing.clone()).await.is_err(), "nobody waits for it");
    }
    runtime.shutdown().await;
    let story = shell.good(&["history", "P-001"]);
    assert_eq!(story.matches("it was done when nobody waited for it any more").count(), 1, "{story}");
    has(&shell.good(&["history", "P-001", "--lang", "zh"]), &["对方已经办了，但这时已不再等它，没有采用"]);
}

const EDITED: &str = "
process: parcel
title: { zh: 寄件, en: Parcel }
number: \"B-{seq:3}\"
start: [clerk]
form:
  what: { type: text, title: { zh: 物品, en: Goods }, required: true }
  cost: { type: money, title: { zh: 费用, en: Cost }, required: true }
  double: { type: money, title: { zh: 双倍, en: Twice }, value: cost * 2 }
steps:
  - id: both
    parallel:
      one: [{ id: lead_looks, title: { zh: 审批, en: Look }, approve: lead, edit: [cost] }]
      two: [{ id: pack, title: { zh: 打包, en: Pack }, task: person(\"bob\") }]
  - { id: last, title: { zh: 收尾, en: Last }, approve: lead }
";

#[test]
fn what_an_answer_changed_is_told_and_a_step_is_named_by_its_way() {
    let (shell, _) = shell("en", &[EDITED]);
    shell.good(&["start", "parcel", "--as", "ann", "--set", "what=Book", "--set", "cost=5"]);
    shell.good(&["approve", "B-001/both/lead_looks", "--as", "leo", "--set", "cost=7.5"]);
    has(&shell.good(&["history", "B-001"]), &["changed: Cost: 5.00 → 7.50"]);
    let story = shell.good(&["show", "B-001", "--lang", "zh"]);
    has(&story, &["改动：费用：5.00 → 7.50"]);
    assert!(!story.contains("双倍：10"), "what is computed is not told beside it: {story}");
    has(&shell.ends(Exit::Refused, &["complete", "B-001/last/pack", "--as", "bob"]), &["does not ask for"]);
    shell.good(&["complete", "B-001/both/pack", "--as", "bob"]);
    shell.good(&["return", "B-001", "--as", "leo", "--opinion", "which?"]);
    shell.good(&["revise", "B-001", "--as", "ann", "--set", "what=Two books"]);
    has(&shell.good(&["history", "B-001"]), &["changed: Goods: Book → Two books"]);
}

const RACED: &str = "
process: raced
title: { zh: 订舱, en: Shipping }
number: \"R-{seq:3}\"
headline: goods
start: [clerk]
form: { goods: { type: text, title: { zh: 货物, en: Goods }, required: true } }
steps:
  - id: book
    race:
      online: [{ id: online, title: { zh: 网上订, en: Online }, job: book }]
      phone: [{ id: phone, title: { zh: 电话订, en: By phone }, task: lead }]
  - { id: pack, title: { zh: 装箱, en: Pack }, task: person(\"bob\") }
";

#[test]
fn what_nobody_waits_for_any_more_is_not_counted_and_a_headline_is_headed_by_what_it_is() {
    let (shell, _) = shell("en", &[RACED]);
    shell.good(&["start", "raced", "--as", "ann", "--set", "goods=Pallets"]);
    let listed = shell.good(&["list"]);
    has(&listed, &["Goods", "Pallets"]);
    assert!(!listed.contains("FOR"), "{listed}");
    has(&shell.good(&["tasks", "--lang", "zh"]), &["货物", "Pallets"]);
    shell.good(&["complete", "R-001", "--as", "leo"]);
    let report = shell.json(&["report", "process", "raced"]);
    let waiting: Vec<(String, u64)> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["step"].as_str().unwrap().to_owned(), step["waiting"].as_u64().unwrap()))
        .collect();
    assert_eq!(waiting, [("phone".to_owned(), 0), ("pack".to_owned(), 1)]);
}

const GATHERED: &str = "
process: gathered
title: { zh: 征求意见, en: Ask around }
number: \"G-{seq:3}\"
start: [clerk]
form:
  days:
    type: list
    title: { zh: 日程, en: Days }
    min: 1
    fields: { day: { type: date, title: { zh: 日期, en: Day }, required: true } }
steps:
  - id: ask
    each: holders(clerk)
    as: colleague
    into: answers
    steps:
      - { id: answer, title: { zh: 意见, en: Opinion }, task: colleague, form: { said: { type: text, title: { zh: 意见, en: Said }, required: true } } }
  - { id: look, title: { zh: 审阅, en: Look }, approve: lead, on: { returned: ask } }
  - id: each_day
    each: days
    as: one
    steps:
      - { id: tidy, title: { zh: 整理, en: Tidy }, task: lead }
";

#[test]
fn what_was_gathered_is_not_lost_and_not_told_as_an_answer_of_the_next_time() {
    let (shell, _) = shell("en", &[GATHERED]);
    let start = ["start", "gathered", "--as", "ann", "--set", "days.0.day=2030-03-02"];
    shell.good(&start);
    shell.good(&["complete", "G-001", "--as", "ann", "--set", "said=Why not"]);
    has(&shell.good(&["show", "G-001"]), &["Person", "Why not"]);
    shell.good(&["complete", "G-001", "--as", "bob", "--set", "said=Rather not"]);
    shell.good(&["return", "G-001", "--as", "leo", "--opinion", "again"]);
    let again = shell.good(&["show", "G-001"]);
    assert!(!again.contains("Why not") && !again.contains("Rather not"), "{again}");
    shell.good(&["complete", "G-001", "--as", "ann", "--set", "said=Still why not"]);
    shell.good(&["withdraw", "G-001", "--as", "ann"]);
    has(&shell.good(&["show", "G-001"]), &["Person", "Still why not"]);
    shell.good(&start);
    shell.good(&["complete", "G-002", "--as", "ann", "--set", "said=Yes"]);
    shell.good(&["complete", "G-002", "--as", "bob", "--set", "said=Yes"]);
    shell.good(&["approve", "G-002", "--as", "leo"]);
    has(&shell.good(&["tasks"]), &["Tidy (row 1: Saturday, 2 March"]);
}

const PREVIEWED: &str = "
process: previewed
title: { zh: 预览, en: Previewed }
number: \"V-{seq:3}\"
start: [clerk]
form: { what: { type: text, title: { zh: 事由, en: What }, required: true } }
steps:
  - id: price
    title: { zh: 报价, en: Price }
    task: lead
    form: { cost: { type: money, title: { zh: 费用, en: Cost }, required: true } }
  - { id: signed, title: { zh: 等签字, en: Signature }, receive: signed }
  - { id: dear, title: { zh: 总监审批, en: Dear }, approve: lead, when: cost > 100 }
  - id: way
    choose:
      - when: cost > 50
        steps: [{ id: check, title: { zh: 核对, en: Check }, task: person(\"bob\") }]
    otherwise: []
  - { id: file, title: { zh: 归档, en: File it }, task: person(\"bob\") }
";

#[test]
fn what_comes_either_way_is_certain_and_what_is_not_known_yet_is_told_as_such() {
    let (shell, _) = shell("en", &[PREVIEWED]);
    shell.good(&["start", "previewed", "--as", "ann", "--set", "what=Books"]);
    let ahead = shell.good(&["show", "V-001"]);
    let line = |title: &str| ahead.lines().find(|line| line.contains(title)).unwrap_or_default().to_owned();
    for title in ["Dear", "Check"] {
        assert!(line(title).contains("if needed"), "{title} in\n{ahead}");
    }
    assert!(line("File it").contains("Bob") && !line("File it").contains("if needed"), "{ahead}");
}

const BRANCHED: &str = "
process: branched
title: { zh: 分头办, en: Branched }
number: \"C-{seq:3}\"
start: [clerk]
steps:
  - id: both
    parallel:
      left: [{ id: left_first, title: { zh: 左一, en: Left first }, approve: lead }]
      right:
        - { id: right_first, title: { zh: 右一, en: Right first }, task: person(\"bob\") }
        - { id: right_last, title: { zh: 右末, en: Right last }, task: person(\"bob\") }
    join: any
  - { id: end_it, title: { zh: 收尾, en: End it }, task: lead }
";

#[test]
fn a_branch_that_is_cancelled_is_named_by_where_it_stood() {
    let (shell, _) = shell("zh", &[BRANCHED]);
    shell.good(&["start", "branched", "--as", "ann"]);
    shell.good(&["complete", "C-001", "--as", "bob"]);
    shell.good(&["approve", "C-001", "--as", "leo"]);
    let story = shell.good(&["show", "C-001"]);
    let cancelled = story.lines().find(|line| line.contains("不再需要，已取消")).unwrap_or_default();
    assert!(cancelled.contains("右末") && !cancelled.contains("右一"), "{story}");
}
