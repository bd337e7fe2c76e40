//! A small company with its pages: a router in process, on a real runtime, a clock that tests move, mail in memory.

use crate::support;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use chrono::{DateTime, TimeDelta, Utc};
use countersign::effects::link::{Binding, Keys, Purpose};
use countersign::effects::mail::{Composed, Letter, Sender, compose};
use countersign::effects::mailbox::Mailbox;
use countersign::effects::template::Templates;
use countersign::effects::timeline::Scene;
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::model::definition::{Mode, StepKind};
use countersign::model::id::{InstanceId, ProcessId};
use countersign::model::input::{Reading, read_document};
use countersign::model::text::Lang;
use countersign::runtime::access::{Access, Keyring, LINK_DAYS, keyring};
use countersign::runtime::{self, AssignmentRow, Clock, Database, Deployment, OutboxFilter, Role, Runtime, TaskFilter};
use countersign::web::{self, Limits, WebState};
use std::sync::Arc;
use tower::ServiceExt;

pub(crate) const DIRECTORY: &str = "
directory: company
departments:
  sales: { title: { zh: 销售部, en: Sales }, head: lead }
positions:
  ceo: { title: { zh: 总经理, en: CEO } }
  buyer: { title: { zh: 采购员, en: Buyer }, reports_to: ceo }
  lead: { title: { zh: 销售经理, en: Sales lead }, department: sales, reports_to: ceo }
  clerk: { title: { zh: 销售员, en: Clerk }, department: sales, reports_to: lead }
people:
  ada: { name: Ada, mail: ada@example.com, positions: [ceo], language: en }
  bo: { name: 柏, mail: bo@example.com, positions: [buyer], language: zh }
  bea: { name: 贝, mail: bea@example.com, positions: [buyer], language: zh }
  lei: { name: 雷, mail: lei.lead@example.com, positions: [lead], language: zh }
  cam: { name: 卡, mail: cam@example.com, positions: [clerk], language: zh }
";

const ORDER: &str = "
process: order
title: { zh: 采购申请, en: Purchase }
number: \"P-{year}-{seq:3}\"
start: [clerk]
form:
  what: { type: text, title: { zh: 用途, en: Purpose }, required: true }
  why: { type: long text, title: { zh: 说明, en: Reason } }
  needed: { type: date, title: { zh: 需要日期, en: Needed by } }
  grade: { type: choice, title: { zh: 级别, en: Grade }, options: { high: { zh: 高, en: High }, low: { zh: 低, en: Low } } }
  urgent: { type: boolean, title: { zh: 加急, en: Urgent } }
  items:
    type: list
    title: { zh: 物品, en: Items }
    min: 1
    fields:
      name: { type: text, title: { zh: 名称, en: Name }, required: true }
      count: { type: integer, title: { zh: 数量, en: Count }, required: true, min: 1 }
      price: { type: money, title: { zh: 单价, en: Price }, required: true, min: 0.01 }
  total: { type: money, title: { zh: 合计, en: Total }, value: sum(for i in items return i.count * i.price) }
steps:
  - id: lead
    title: { zh: 经理审批, en: Lead approves }
    approve: lead
    due: 2 working days
    opinion: [rejected, returned]
  - id: buy
    title: { zh: 采购, en: Buy }
    task: buyer
    form:
      paid: { type: money, title: { zh: 实付, en: Paid }, required: true }
      bought: { type: date, title: { zh: 购买日期, en: Bought on }, required: true }
    outcomes: { bought: { zh: 已购买, en: Bought }, missing: { zh: 缺货, en: Out of stock } }
    on: { missing: lost }
  - end: given
  - id: lost
    end: lost
";

/// Two sign at once, and each writes down a figure: what one writes, the other's page has not shown.
const BOTH: &str = "
process: both
title: { zh: 会签单, en: Both sign }
start: [clerk]
form:
  what: { type: text, title: { zh: 用途, en: Purpose }, required: true }
steps:
  - id: sign
    title: { zh: 会签, en: Sign }
    approve: [lead, ceo]
    mode: any
    form:
      figure: { type: money, title: { zh: 估价, en: Estimate }, required: true }
";

pub(crate) struct House {
    pub(crate) runtime: Runtime,
    pub(crate) keys: Keyring,
    pub(crate) mailbox: Mailbox,
    pub(crate) state: WebState,
    pub(crate) app: Router,
    _folder: tempfile::TempDir,
    pub(crate) file: std::path::PathBuf,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The value of a hidden field of the page.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\"")).expect("the hidden field");
        rest.split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn has(&self, words: &[&str]) -> &Answer {
        for word in words {
            assert!(self.body.contains(word), "{word:?} is missing in {}\n{}", self.status, text_of(&self.body));
        }
        self
    }

    #[track_caller]
    pub(crate) fn lacks(&self, words: &[&str]) -> &Answer {
        for word in words {
            assert!(!self.body.contains(word), "{word:?} is in {}\n{}", self.status, text_of(&self.body));
        }
        self
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Answer {
        assert_eq!(self.status.as_u16(), status, "{}", text_of(&self.body));
        self
    }
}

/// A page without its tags.
pub(crate) fn text_of(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn wide() -> Limits {
    Limits { ticket: u32::MAX, network: u32::MAX, upload: u32::MAX }
}

pub(crate) fn now() -> DateTime<Utc> {
    // Monday, 9:14 in Shanghai.
    "2026-03-02T01:14:00Z".parse().unwrap()
}

impl House {
    pub(crate) async fn new() -> House {
        House::with(web::Options { limits: wide(), ..web::Options::default() }).await
    }

    pub(crate) async fn with(options: web::Options) -> House {
        let files = [("directory.yaml", DIRECTORY), ("order.yaml", ORDER), ("both.yaml", BOTH)];
        House::of(&files, options).await
    }

    /// A house of a company of one's own.
    pub(crate) async fn of(files: &[(&str, &str)], options: web::Options) -> House {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let opened =
            runtime::Options { database: Database::File(file.clone()), clock: Clock::fixed(now()), role: Role::Shell };
        let runtime = Runtime::open(opened).await.unwrap();
        let compiled = support::compile(files);
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
        let mut definitions = compiled.definitions;
        for step in
            definitions.iter_mut().filter(|one| one.process.as_str() == "both").flat_map(|one| one.steps.values_mut())
        {
            // `check` keeps people from sharing a form; a file of an older program need not have.
            if let StepKind::Approve(human) = &mut step.kind {
                human.mode = Mode::All;
            }
        }
        let deployment = Deployment {
            definitions,
            directory: compiled.directory.unwrap(),
            calendar: compiled.calendar.unwrap_or_default(),
            metrics: Vec::new(),
            note: "test".into(),
        };
        runtime.deploy(deployment).await.unwrap();
        let keys = keyring(Keys::of_the_moment().unwrap());
        let mailbox = options.mailbox.clone().unwrap_or_default();
        let access = Access::new(runtime.clone(), keys.clone(), TimeDelta::days(LINK_DAYS));
        let state = WebState::new(access, Arc::new(Templates::embedded()), options);
        let app = web::router(state.clone());
        House { runtime, keys, mailbox, state, app, _folder: folder, file }
    }

    pub(crate) async fn start(&self, process: &str, data: serde_json::Value) -> InstanceId {
        self.start_by(process, "cam", data).await
    }

    pub(crate) async fn start_by(&self, process: &str, person: &str, data: serde_json::Value) -> InstanceId {
        let definition = self.runtime.definition(&ProcessId::from(process)).unwrap();
        let directory = self.runtime.directory();
        let reading = Reading { directory: &directory, today: "2026-03-02".parse().unwrap() };
        let data = read_document(&reading, &definition.form, data.as_object().unwrap()).unwrap();
        let actor = Actor::Person { id: person.into(), via: Via::Scenario };
        let command = Command { id: format!("start-{}", rand()).into(), actor, ask: Ask::Start { data } };
        self.runtime.start(&ProcessId::from(process), command).await.unwrap().instance
    }

    pub(crate) async fn order(&self) -> InstanceId {
        let items = serde_json::json!([{ "name": "茶具", "count": 2, "price": "320.00" }, { "name": "龙井", "count": 4, "price": "160.00" }]);
        let data = serde_json::json!({ "what": "展会", "why": "两行\n说明", "needed": "2026-03-06", "grade": "high", "items": items });
        self.start("order", data).await
    }

    pub(crate) async fn submit(&self, instance: InstanceId, actor: Actor, ask: Ask) {
        let command = Command { id: format!("c-{}", rand()).into(), actor, ask };
        self.runtime.submit(instance, command).await.unwrap();
    }

    pub(crate) fn clock(&self, forward: TimeDelta) {
        self.runtime.clock().set(self.runtime.now() + forward);
    }

    pub(crate) async fn assignment(&self, person: &str) -> AssignmentRow {
        let filter = TaskFilter { person: Some(person.into()), ..TaskFilter::default() };
        self.runtime.tasks(&filter).await.unwrap().into_iter().next().expect("an open assignment").assignment
    }

    pub(crate) fn ticket(&self, row: &AssignmentRow) -> String {
        let keys = self.keys.read().unwrap();
        keys.ticket(&self.binding(row))
    }

    pub(crate) fn binding<'a>(&'a self, row: &'a AssignmentRow) -> Binding<'a> {
        Binding {
            purpose: Purpose::Decide,
            installation: self.runtime.installation(),
            instance: row.instance,
            task: row.task,
            round: row.round,
            person: &row.person,
            assignment: row.id,
            nonce: &row.nonce,
        }
    }

    /// The path of the link that a person has in their mail.
    pub(crate) async fn link(&self, person: &str) -> String {
        format!("/t/{}", self.ticket(&self.assignment(person).await))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        // Templates write a slash in a value as a reference; to a browser it is a slash.
        let body = String::from_utf8_lossy(&body).replace("&#x2f;", "/");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path, fields).body(Body::from(encode(fields))).unwrap()).await
    }

    /// Answers as a person does: looks at the page, then sends its form.
    pub(crate) async fn answer(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(path).await;
        let (seen, revision) = (page.hidden("seen"), page.hidden("revision"));
        let mut all = vec![("seen", seen.as_str()), ("revision", revision.as_str())];
        all.extend(fields);
        self.post(path, &all).await
    }

    pub(crate) async fn log(&self, instance: InstanceId) -> usize {
        self.runtime.case(instance).await.unwrap().unwrap().entries.len()
    }

    /// Serves the pages on a free port of this machine, and answers where.
    pub(crate) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(web::serve(self.state.clone(), listener, std::future::pending()));
        base
    }

    /// A number that changes when anybody else writes a row.
    pub(crate) async fn watch(&self) -> Watch {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&self.file);
        Watch(<sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap())
    }

    /// Delivers what is queued, as the outbox would.
    pub(crate) async fn deliver(&self) {
        self.deliver_from("http://localhost").await;
    }

    /// Delivers what is queued, with links to a server.
    pub(crate) async fn deliver_from(&self, base: &str) {
        let (directory, calendar) = (self.runtime.directory(), self.runtime.calendar());
        let sender = Sender {
            name: "会签".into(),
            address: "flow@example.com".into(),
            envelope: "flow@example.com".into(),
            base: base.into(),
        };
        let mut rows = self.runtime.mails(&OutboxFilter::default()).await.unwrap();
        rows.reverse();
        for row in rows {
            let case = self.runtime.case(row.instance).await.unwrap().unwrap();
            let scene = Scene {
                definition: &case.definition,
                state: &case.state,
                log: &case.entries,
                upcoming: &[],
                caller: None,
            };
            let letter = Letter {
                installation: self.runtime.installation(),
                scene,
                mail: row.mail,
                kind: &row.kind,
                to: &row.to,
                attempt: 1,
                directory: &directory,
                live: &[],
                calendar: &calendar,
                now: self.runtime.now(),
                key: self.keys.read().unwrap().signing(),
            };
            let Composed::Mail(parts) = compose(&letter, &Templates::embedded(), &sender).unwrap() else { continue };
            let mut link = None;
            if let Some(asks) = &parts.asks {
                let assignment = self.runtime.assignment(asks.assignment).await.unwrap().unwrap();
                link = Some(format!("{base}/t/{}", self.ticket(&assignment)));
            }
            self.mailbox.deliver(&parts, link.as_deref()).unwrap();
        }
    }
}

pub(crate) struct Watch(sqlx::SqliteConnection);

impl Watch {
    pub(crate) async fn version(&mut self) -> i64 {
        sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut self.0).await.unwrap()
    }
}

pub(crate) fn rand() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn form(path: &str, _: &[(&str, &str)]) -> axum::http::request::Builder {
    Request::builder().method(Method::POST).uri(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    fields.iter().map(|(name, text)| format!("{}={}", escape(name), escape(text))).collect::<Vec<_>>().join("&")
}

impl House {
    pub(crate) async fn answer_dead(&self, link: &str) -> Answer {
        self.post(link, &[("seen", &"0".repeat(24)), ("outcome", "approved")]).await
    }
}
