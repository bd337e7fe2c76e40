//! What an operator reads in the shell of what is outside a case: which case to retry, who holds a job, what nobody
//! reads, what may not be called.

use crate::cli::Shell;
use crate::support::OFFICE;
use countersign::cli::Exit;
use countersign::runtime::{Options, Runtime};
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
    let known = shell.json(&["message", "contract_signed"]);
    assert_eq!((&known["new"], &known["known"]), (&true.into(), &true.into()));
}

#[test]
fn a_caller_of_a_stopped_case_names_the_case_to_retry() {
    let (shell, _) = shell("en", &[INNER, OUTER]);
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
