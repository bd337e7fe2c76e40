//! Calls of other systems, against a server on this machine that says what a test wants and notes what it got.

use crate::support;
use chrono::{DateTime, TimeDelta, Utc};
use countersign::effects::http::{Allowed, Answer, Client, Policy, Secrets};
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::event::Trouble;
use countersign::engine::state::{Part, Request, State};
use countersign::model::text::Lang;
use countersign::model::value::{Value, from_plain};
use countersign::runtime::http::Calls;
use countersign::runtime::{Clock, Database, Deployment, Options, Role, Runtime};
use countersign::store::memory::Memory;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server that gives its answers in turn, the last for ever, and keeps the requests.
struct Other {
    port: u16,
    got: Arc<Mutex<Vec<String>>>,
}

impl Other {
    fn says(answers: Vec<String>) -> Other {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = got.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                loop {
                    let read = stream.read(&mut buffer).unwrap_or(0);
                    request.extend(&buffer[..read]);
                    let text = String::from_utf8_lossy(&request);
                    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
                    if read == 0 || body.is_some_and(|body| body >= length.unwrap_or(0)) {
                        break;
                    }
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                let answer = answers.get(number).or(answers.last()).unwrap();
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Other { port, got }
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }

    fn client(&self) -> Client {
        let host = format!("127.0.0.1:{}", self.port);
        let secrets = [("erp".to_owned(), "Bearer SECRET".to_owned())].into();
        Client::new(Policy { allow: vec![Allowed::parse(&host, true).unwrap()] }, Secrets(secrets))
    }

    fn request(&self, path: &str) -> Request {
        Request {
            method: "POST".into(),
            url: vec![Part::Text(format!("http://127.0.0.1:{}{path}", self.port).into())],
            headers: vec![("Authorization".into(), vec![Part::Secret("erp".into())])],
            body: Some(from_plain(&json!({ "total": 12.5 }))),
        }
    }
}

fn answer(status: &str, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{head}connection: close\r\n\r\n{body}", body.len())
}

fn why(answer: Answer) -> (String, bool) {
    match answer {
        Answer::Failed { what, permanent, .. } => (what.en, permanent),
        Answer::Done(_) => panic!("it was done"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_says_what_it_should_and_takes_the_answer() {
    let other = Other::says(vec![answer("200 OK", "", "{\"id\": \"V-1\"}")]);
    let done = other.client().call(&other.request("/api?x=1"), "the-key").await;
    assert_eq!(done, Answer::Done(from_plain(&json!({ "id": "V-1" }))));
    let got = other.got().remove(0);
    assert!(got.starts_with("POST /api?x=1 HTTP/1.1\r\n"), "{got}");
    for line in ["authorization: Bearer SECRET", "idempotency-key: the-key", "content-type: application/json"] {
        assert!(got.contains(&format!("{line}\r\n")), "{got}");
    }
    assert!(got.contains(&format!("host: 127.0.0.1:{}\r\n", other.port)));
    assert!(got.ends_with("{\"total\":12.5}"), "{got}");
    assert!(!format!("{:?}", other.client()).contains("SECRET"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_called_that_may_not_be() {
    let other = Other::says(vec![answer("200 OK", "", "{}")]);
    let policy = |hosts: &[(&str, bool)]| Policy {
        allow: hosts.iter().map(|(host, inside)| Allowed::parse(host, *inside).unwrap()).collect(),
    };
    let to = |url: &str| Request {
        method: "GET".into(),
        url: vec![Part::Text(url.into())],
        headers: Vec::new(),
        body: None,
    };
    let local =
        Client::new(policy(&[("127.0.0.1", false), ("localhost", false), ("[::1]", false)]), Secrets::default());
    let port = other.port;
    for (url, said) in [
        (format!("https://127.0.0.1:{port}/"), "private network"),
        (format!("https://localhost:{port}/"), "private network"),
        (format!("https://[::1]:{port}/"), "private network"),
        (format!("http://127.0.0.1:{port}/"), "by https only"),
        (format!("https://2130706433:{port}/"), "not allowed"),
        ("https://elsewhere.example/".to_owned(), "not allowed"),
        (format!("https://user:pw@127.0.0.1:{port}/"), "not right"),
        ("ftp://127.0.0.1/".to_owned(), "not right"),
        ("file:///etc/passwd".to_owned(), "not right"),
        ("/only/a/path".to_owned(), "not right"),
    ] {
        let (what, permanent) = why(local.call(&to(&url), "k").await);
        assert!(what.contains(said) && permanent, "{url}: {what}");
    }
    // A secret that is not there, a header that is not the author's.
    let mut request = other.request("/");
    request.headers = vec![("X".into(), vec![Part::Secret("nope".into())])];
    assert!(why(other.client().call(&request, "k").await).0.contains("no secret nope"));
    request.headers = vec![("Host".into(), vec![Part::Text("other".into())])];
    assert!(why(other.client().call(&request, "k").await).0.contains("Host"));
    request.headers = vec![("X".into(), vec![Part::Text("a\r\nEvil: 1".into())])];
    assert!(why(other.client().call(&request, "k").await).0.contains("header X"));
    assert_eq!(other.got(), Vec::<String>::new(), "nobody was called");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_answer_is_told_without_the_address() {
    let long = "x".repeat(2 * 1024 * 1024);
    for (says, said, gone) in [
        (answer("302 Found", "location: http://169.254.169.254/\r\n", ""), "points elsewhere", true),
        (answer("404 Not Found", "", "SECRET"), "answered 404", true),
        (answer("503 Busy", "", ""), "answered 503", false),
        (answer("200 OK", "", &long), "longer than 1 MB", true),
        ("nonsense\r\n\r\n".to_owned(), "broke", false),
        (String::new(), "broke", false),
    ] {
        let other = Other::says(vec![says]);
        let (what, permanent) = why(other.client().call(&other.request("/private?token=SECRET"), "k").await);
        assert!(what.contains(said) && permanent == gone, "{what}");
        assert!(!what.contains("SECRET") && !what.contains("private"), "{what}");
        assert_eq!(other.got().len(), 1, "a redirect is not followed");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gone = Other { port: nobody, got: Arc::default() };
    assert!(!why(gone.client().call(&gone.request("/"), "k").await).1, "who is down may come back");
}

const DIRECTORY: &str = "
directory: company
departments: { office: { title: Office, head: lead } }
positions: { lead: { title: Lead, department: office } }
people: { leo: { name: Leo, mail: leo@example.com, positions: [lead] } }
";

/// A case that books something, on a server that calls `other`.
async fn booking(other: &Other, clock: &Clock) -> (Runtime, Calls, countersign::model::id::InstanceId) {
    let process = format!(
        "process: book\ntitle: Book\nstart: [lead]\nform:\n  total: {{ type: money, title: Total, required: true }}\n\
         data:\n  voucher: {{ type: text, title: Voucher }}\nsteps:\n  - id: book\n    \
         http: POST http://127.0.0.1:{}/api/gifts\n    headers: {{ Authorization: secret(\"erp\") }}\n    \
         body: {{ total: total }}\n    take: {{ voucher: response.id }}\n    \
         retry: {{ times: 3, from: 10 seconds, to: 1 hour }}\n  - end: booked\n",
        other.port
    );
    let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("book.yaml", &process)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let database = Database::Memory(Memory::default());
    let options = Options { database, clock: clock.clone(), role: Role::Server };
    let runtime = Runtime::open(options).await.unwrap();
    let deployment = Deployment {
        definitions: compiled.definitions,
        directory: compiled.directory.unwrap(),
        calendar: compiled.calendar.unwrap_or_default(),
        metrics: Vec::new(),
        note: String::new(),
    };
    runtime.deploy(deployment).await.unwrap();
    let calls = Calls::start(runtime.clone(), other.client());
    let data = match from_plain(&json!({ "total": 12.5 })) {
        Value::Record(record) => record,
        _ => panic!(),
    };
    let actor = Actor::Person { id: "leo".into(), via: Via::Scenario };
    let command = Command { id: "start".into(), actor, ask: Ask::Start { data } };
    let id = runtime.start(&"book".into(), command).await.unwrap().instance;
    (runtime, calls, id)
}

async fn until(runtime: &Runtime, id: countersign::model::id::InstanceId, holds: impl Fn(&State) -> bool) -> State {
    for _ in 0..1_000 {
        let state = runtime.case(id).await.unwrap().unwrap().state;
        if holds(&state) {
            return State::clone(&state);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to that");
}

fn monday() -> DateTime<Utc> {
    "2026-03-02T01:14:00Z".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_calls_until_it_is_done_with_one_key() {
    let other = Other::says(vec![
        answer("503 Busy", "retry-after: 60\r\n", ""),
        answer("429 Slow", "", ""),
        answer("200 OK", "", "{\"id\": \"V-1\"}"),
    ]);
    let clock = Clock::fixed(monday());
    let (runtime, calls, id) = booking(&other, &clock).await;
    until(&runtime, id, |state| state.revision == 2).await;
    clock.set(monday() + TimeDelta::seconds(59));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(other.got().len(), 1, "not before the other side said");
    clock.set(monday() + TimeDelta::seconds(61));
    until(&runtime, id, |state| state.revision == 3).await;
    clock.set(monday() + TimeDelta::seconds(120));
    let ended = until(&runtime, id, |state| state.ended.is_some()).await;
    assert_eq!(ended.data["voucher"], Value::Text("V-1".into()));
    let key = |got: &String| got.lines().find_map(|line| line.strip_prefix("idempotency-key: ").map(str::to_owned));
    let keys: Vec<_> = other.got().iter().map(key).collect();
    assert!(keys.len() == 3 && keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    let log = format!("{:?}", runtime.case(id).await.unwrap().unwrap().entries);
    assert!(!log.contains("SECRET"), "secrets are in no log");
    calls.stop().await;
    runtime.shutdown().await;
}

/// The other side did it and only its answer was of no use: who tries again must not book twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_by_hand_has_the_key_of_the_first_call() {
    let other = Other::says(vec![
        answer("200 OK", "", "{\"number\": \"V-1\"}"),
        answer("400 No", "", ""),
        answer("200 OK", "", "{\"id\": \"V-1\"}"),
    ]);
    let (runtime, calls, id) = booking(&other, &Clock::fixed(monday())).await;
    for again in ["first", "second"] {
        until(&runtime, id, State::has_incident).await;
        let actor = Actor::Operator { user: "root".into() };
        let retry = Command { id: again.into(), actor, ask: Ask::Retry { step: None } };
        runtime.submit(id, retry).await.unwrap();
    }
    until(&runtime, id, |state| state.ended.is_some()).await;
    let key = |got: &String| got.lines().find_map(|line| line.strip_prefix("idempotency-key: ").map(str::to_owned));
    let keys: Vec<_> = other.got().iter().map(key).collect();
    assert!(keys.len() == 3 && keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    // What the other side gets as a number is one, digit by digit.
    assert!(other.got().iter().all(|got| got.ends_with("{\"total\":12.50}")), "{:?}", other.got());
    calls.stop().await;
    runtime.shutdown().await;
}

/// A page, or nothing at all, with 200: what came is no JSON, and the incident says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_no_json_is_told_as_such() {
    for (status, body, said) in [
        ("200 OK", "<html>Welcome</html>", "The answer is no JSON"),
        ("204 No Content", "", "The answer is no JSON"),
        ("200 OK", "[1]", "is a list and no object"),
        ("200 OK", "{\"id\": [1]}", "cannot be used: It should be a text."),
    ] {
        let other = Other::says(vec![answer(status, "", body)]);
        let (runtime, calls, id) = booking(&other, &Clock::fixed(monday())).await;
        let stopped = until(&runtime, id, State::has_incident).await;
        let trouble = stopped.tokens.values().find_map(|token| token.incident.clone());
        let Some(Trouble::Failed { zh, en, .. }) = trouble else { panic!("{trouble:?}") };
        assert!(en.contains(said) && en.contains("`id`"), "{en}");
        assert!(zh.contains("`id`"), "{zh}");
        calls.stop().await;
        runtime.shutdown().await;
    }
}

/// The setting that an incident names is the one that helps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_may_not_be_called_is_told_with_the_setting_that_helps() {
    let none = Client::new(Policy::default(), Secrets::default());
    for (url, helps, not) in [
        ("http://127.0.0.1:9802/", "127.0.0.1:9802 is not allowed", "http.allow"),
        ("https://localhost/", "`http.inside`", "http.allow"),
        ("https://[::1]:8443/", "[::1]:8443 is not allowed", "http.allow"),
        ("https://10.1.2.3/", "`http.inside`", "http.allow"),
        ("https://erp.example/", "list it in the setting `http.allow`", "encryption"),
        ("http://erp.intra/", "`http.inside`. Any other needs https", "private"),
    ] {
        let url = vec![Part::Text(url.into())];
        let request = Request { method: "GET".into(), url, headers: Vec::new(), body: None };
        let (what, permanent) = why(none.call(&request, "k").await);
        assert!(permanent && what.contains(helps) && !what.contains(not), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_final_is_an_incident_at_once() {
    let other = Other::says(vec![answer("422 No", "", "")]);
    let (runtime, calls, id) = booking(&other, &Clock::fixed(monday())).await;
    let stopped = until(&runtime, id, State::has_incident).await;
    let trouble = stopped.tokens.values().find_map(|token| token.incident.clone());
    assert!(matches!(trouble, Some(Trouble::Failed { en, .. }) if en.contains("answered 422")));
    assert_eq!(other.got().len(), 1);
    calls.stop().await;
    runtime.shutdown().await;
}
