//! Files by example: handed in on a page, kept once, shown by name and size, sent to whom they are shown.

use crate::house::{Answer, House, wide};
use axum::body::Body;
use axum::http::{Method, Request, header};
use countersign::effects::mailbox::Mailbox;
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::model::file::{File, FileRule, Hash};
use countersign::model::id::ProcessId;
use countersign::model::value::{Record, Value};
use countersign::runtime::Denied;
use countersign::web;
use std::sync::Arc;

const DIRECTORY: &str = "
directory: company
positions:
  lead: { title: { zh: 经理, en: Lead } }
  clerk: { title: { zh: 职员, en: Clerk }, reports_to: lead }
  keeper: { title: { zh: 保管员, en: Keeper }, reports_to: lead }
people:
  lei: { name: 雷, mail: lei@example.com, positions: [lead], language: zh }
  kim: { name: Kim, mail: kim@example.com, positions: [keeper], language: en }
  cam: { name: 卡, mail: cam@example.com, positions: [clerk], language: zh }
";

const DEAL: &str = "
process: deal
title: { zh: 合同, en: Contract }
start: [clerk]
form:
  what: { type: text, title: { zh: 用途, en: Purpose }, required: true }
  draft: { type: file, title: { zh: 草稿, en: Draft } }
steps:
  - id: scan
    title: { zh: 扫描, en: Scan }
    task: clerk
    form:
      contract: { type: file, title: { zh: 合同, en: Contract }, required: true, size: 4 KB, accept: [pdf, image] }
      notes: { type: file, title: { zh: 附件, en: Notes }, many: true, max: 2 }
      bills:
        type: list
        title: { zh: 发票, en: Bills }
        fields:
          no: { type: text, title: { zh: 号码, en: Number }, required: true }
          scan: { type: file, title: { zh: 扫描件, en: Scan }, accept: [.png] }
  - id: sign
    title: { zh: 审批, en: Sign }
    approve: lead
  - id: keep
    title: { zh: 存档, en: Keep }
    task: keeper
    show: [what, notes]
";

async fn house() -> House {
    let files = [("directory.yaml", DIRECTORY), ("deal.yaml", DEAL)];
    let options = web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..web::Options::default() };
    House::of(&files, options).await
}

/// A part of a form: its name, the name of its file where it is one, and its content.
type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

async fn upload(house: &House, link: &str, parts: &[Part<'_>]) -> Answer {
    let page = house.get(link).await;
    let (seen, revision) = (page.hidden("seen"), page.hidden("revision"));
    let mut all = vec![("seen", None, seen.as_bytes()), ("revision", None, revision.as_bytes())];
    all.extend_from_slice(parts);
    let mut body = Vec::new();
    for (name, file, content) in all {
        let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: text/html")).unwrap_or_default();
        body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    let request = Request::builder().method(Method::POST).uri(link);
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
    house.send(request.body(Body::from(body)).unwrap()).await
}

const PDF: &[u8] = b"%PDF-1.7 the contract";

#[tokio::test]
async fn a_file_goes_from_the_page_of_one_to_the_page_of_the_next() {
    let house = house().await;
    let instance = house.start("deal", serde_json::json!({ "what": "展会" })).await;
    let link = house.link("cam").await;
    house.get(&link).await.is(200).has(&[
        "enctype=\"multipart/form-data\"",
        "type=\"file\"",
        "accept=\".pdf,.jpg",
        "PDF、图片，最大 4 KB",
        "multiple",
        "name=\"bills.0.scan\"",
    ]);
    let done = upload(
        &house,
        &link,
        &[
            ("outcome", None, b"done"),
            ("contract", Some("../../合同 终稿.pdf"), PDF),
            ("notes", Some("a.txt"), b"one"),
            ("notes", Some("b.txt"), b"two"),
            ("bills.0.no", None, b"7"),
            ("bills.0.scan", Some("bill.png"), b"\x89PNG\r\n\x1a\n"),
        ],
    )
    .await;
    done.is(303);

    house.deliver().await;
    let lead = house.link("lei").await;
    let page = house.get(&lead).await;
    page.is(200).has(&[
        "合同 终稿.pdf",
        "21 B",
        "a.txt",
        "b.txt",
        "/file/contract/0",
        "/file/notes/1",
        "第 1 行 · 扫描件",
    ]);
    // The name of a file may be long: on a phone its row is a list of values, and a line of the mail names each.
    page.has(&["<table class=\"rows wide\">", "<td data-label=\"扫描件\">bill.png"]);
    let sent = house.get(&format!("{lead}/file/contract/0")).await;
    sent.is(200);
    assert_eq!(sent.body.as_bytes(), PDF);
    assert_eq!(sent.header("content-type"), "application/pdf");
    assert_eq!(sent.header("x-content-type-options"), "nosniff");
    assert_eq!(sent.header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(
        sent.header("content-disposition"),
        "attachment; filename=\"__ __.pdf\"; filename*=UTF-8''%E5%90%88%E5%90%8C%20%E7%BB%88%E7%A8%BF.pdf"
    );
    house.get(&format!("{lead}/file/bills.0.scan/0")).await.is(200);
    for nothing in ["contract/1", "what/0", "bills/0", "bills.1.scan/0", "nothing/0", "notes/2", "notes/-1"] {
        house.get(&format!("{lead}/file/{nothing}")).await.lacks(&["%PDF"]);
        assert!(house.get(&format!("{lead}/file/{nothing}")).await.status.is_client_error(), "{nothing}");
    }

    house.answer(&lead, &[("outcome", "approved")]).await.is(303);
    house.get(&format!("{lead}/file/contract/0")).await.is(200);
    let keeper = house.link("kim").await;
    house.get(&keeper).await.is(200).has(&["a.txt"]).lacks(&["终稿"]);
    house.get(&format!("{keeper}/file/notes/0")).await.is(200);
    house.get(&format!("{keeper}/file/contract/0")).await.is(404);

    let case = house.runtime.case(instance).await.unwrap().unwrap();
    let name = case.state.data.get("contract").unwrap().files()[0].words(countersign::model::text::Lang::Zh);
    assert_eq!(name, "合同 终稿.pdf（21 B）");
    let mails = house.mailbox.list(Some(&"lei".into()));
    assert!(mails.iter().any(|mail| mail.text.contains("合同 终稿.pdf（21 B）")), "{mails:?}");
}

#[tokio::test]
async fn what_does_not_fit_is_said_and_the_rest_stays() {
    let house = house().await;
    house.start("deal", serde_json::json!({ "what": "展会" })).await;
    let link = house.link("cam").await;
    for (name, content, words) in [
        ("big.pdf", &[b"%PDF-".as_slice(), &[b'x'; 5_000]].concat()[..], "“big.pdf”太大，最多 4 KB"),
        ("page.pdf", b"<script>", "“page.pdf”不是这里要的文件，这里收：PDF、图片"),
        ("empty.pdf", b"", "“empty.pdf”是空的"),
    ] {
        let page = upload(&house, &link, &[("outcome", None, b"done"), ("contract", Some(name), content)]).await;
        page.is(422).has(&[words]);
    }
    upload(&house, &link, &[("outcome", None, b"done"), ("contract", Some(""), b"")])
        .await
        .is(422)
        .has(&["请填写这一项"]);

    // A file that came in well stays with the page that something else is wrong on.
    let parts: [Part<'_>; 5] = [
        ("outcome", None, b"done"),
        ("contract", Some("c.pdf"), PDF),
        ("notes", Some("1"), b"1"),
        ("notes", Some("2"), b"2"),
        ("notes", Some("3"), b"3"),
    ];
    let page = upload(&house, &link, &parts).await;
    page.is(422).has(&["最多 2", "c.pdf（21 B）", "checked"]);
    let kept = page.hidden("contract");
    let again = upload(&house, &link, &[("outcome", None, b"done"), ("contract", None, kept.as_bytes())]).await;
    again.is(303);
}

#[tokio::test]
async fn nobody_hands_in_a_file_that_their_page_did_not_take() {
    let house = house().await;
    house.start("deal", serde_json::json!({ "what": "展会" })).await;
    let link = house.link("cam").await;
    let other = house.runtime.files().take("secret.pdf", &FileRule::default(), PDF).unwrap();
    for forged in [format!("{other}"), format!("AAAA {other}"), format!("\0{other}")] {
        let page = upload(&house, &link, &[("outcome", None, b"done"), ("contract", None, forged.as_bytes())]).await;
        page.is(422).lacks(&["secret.pdf（"]);
    }
}

#[tokio::test]
async fn a_revision_keeps_changes_and_takes_away() {
    let house = house().await;
    let files = house.runtime.files();
    let draft = files.take("draft.txt", &FileRule::default(), b"draft").unwrap();
    let instance = house.start("deal", serde_json::json!({ "what": "展会", "draft": draft.to_string() })).await;
    let scan = house.link("cam").await;
    upload(&house, &scan, &[("outcome", None, b"done"), ("contract", Some("c.pdf"), PDF)]).await.is(303);
    let held = async || {
        let case = house.runtime.case(instance).await.unwrap().unwrap();
        case.state.data.get("draft").unwrap().files().first().map(|file| file.name.to_string())
    };
    let returned = [("outcome", "returned"), ("opinion", "再看")];
    for (parts, after) in [
        (vec![("draft", Some("new.txt"), b"new".as_slice())], Some("new.txt")),
        (vec![("draft", None, b"KEEP".as_slice()), ("draft", Some(""), b"")], Some("new.txt")),
        (vec![("draft", Some(""), b"".as_slice())], None),
    ] {
        house.answer(&house.link("lei").await, &returned).await.is(303);
        let link = house.link("cam").await;
        let page = house.get(&link).await;
        let drafted = page.body.contains("name=\"draft\" value=");
        let kept = if drafted { page.hidden("draft") } else { Default::default() };
        let mut all: Vec<Part<'_>> = vec![("outcome", None, b"revised"), ("what", None, "展会".as_bytes())];
        all.extend(
            parts.iter().map(|(name, file, content)| {
                (*name, *file, if *content == b"KEEP" { kept.as_bytes() } else { content })
            }),
        );
        upload(&house, &link, &all).await.is(303);
        assert_eq!(held().await.as_deref(), after);
    }
}

#[tokio::test]
async fn a_file_whose_content_is_gone_is_not_taken_and_not_served() {
    let house = house().await;
    let ghost = File::new("ghost.pdf", 5, Hash([3; 32]), PDF);
    let mut data = Record::new();
    data.insert("what".into(), Value::text("x"));
    data.insert("draft".into(), Value::File(Arc::new(ghost)));
    let actor = Actor::Person { id: "cam".into(), via: Via::Scenario };
    let command = Command { id: "c".into(), actor, ask: Ask::Start { data: data.clone() } };
    let denied = house.runtime.start(&ProcessId::from("deal"), command).await.unwrap_err();
    let Denied::Refused(refusal, _) = denied else { panic!("{denied:?}") };
    assert!(format!("{refusal:?}").contains("ghost.pdf"));

    let draft = house.runtime.files().take("draft.txt", &FileRule::default(), b"draft").unwrap();
    house.start("deal", serde_json::json!({ "what": "展会", "draft": draft.to_string() })).await;
    let link = house.link("cam").await;
    house.get(&format!("{link}/file/draft/0")).await.is(200);
    let mut folder = house.file.clone().into_os_string();
    folder.push(".files");
    std::fs::remove_dir_all(folder).unwrap();
    house.get(&format!("{link}/file/draft/0")).await.is(410).has(&["已不在服务器上"]);
}

#[tokio::test]
async fn a_sweep_leaves_what_any_case_names() {
    let house = house().await;
    let files = house.runtime.files();
    let draft = files.take("draft.txt", &FileRule::default(), b"draft").unwrap();
    let orphan = files.take("orphan.txt", &FileRule::default(), b"orphan").unwrap();
    house.start("deal", serde_json::json!({ "what": "展会", "draft": draft.to_string() })).await;
    // The clock of these tests stands long before the files were written.
    assert_eq!(house.runtime.sweep_files().await.unwrap().files, 0);
    house.runtime.clock().set("2100-01-01T00:00:00Z".parse().unwrap());
    let swept = house.runtime.sweep_files().await.unwrap();
    assert_eq!((swept.files, swept.kept), (1, 1));
    assert!(files.hold(&draft) && !files.hold(&orphan));
}

#[tokio::test]
async fn one_link_uploads_only_so_much_in_an_hour() {
    let limits = web::Limits { upload: 3, ..wide() };
    let files = [("directory.yaml", DIRECTORY), ("deal.yaml", DEAL)];
    let house = House::of(&files, web::Options { limits, ..web::Options::default() }).await;
    house.start("deal", serde_json::json!({ "what": "展会" })).await;
    let link = house.link("cam").await;
    let much: [Part<'_>; 2] = [("notes", Some("a"), &[b'x'; 2_000]), ("notes", Some("b"), &[b'x'; 2_000])];
    let page = upload(&house, &link, &much).await;
    page.is(429);
    assert_ne!(page.header("retry-after"), "");
}
