//! `kill -9` of a server under load: what it acknowledged is there, once; what it did not is there once or never.
//!
//! A real `serve` answers real links over HTTP while this process writes to the same file as a second one. It is
//! killed at random moments, and (with the feature `failpoints`) dies at every named point; then it is started
//! again. `CRASH_ROUNDS=1000` makes the first test longer.

use crate::sink::Sink;
use crate::support;
use countersign::effects::link::{Binding, Keys, Purpose};
use countersign::engine::command::{Actor, Ask, Command as Asked, Via};
use countersign::engine::event::{Entry, Event};
use countersign::engine::{self, state::State};
use countersign::model::id::{AssignmentId, InstanceId, ProcessId};
use countersign::model::text::Lang;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Value};
use countersign::runtime::{Delivery, Deployment, Options, OutboxFilter, Runtime, TaskFilter};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const DIRECTORY: &str = "
directory: company
positions:
  lead: { title: Lead }
  head: { title: Head }
  clerk: { title: Clerk, reports_to: lead }
people:
  lea: { name: Lea, mail: lea@example.com, positions: [lead], language: en }
  hal: { name: Hal, mail: hal@example.com, positions: [head], language: zh }
  cam: { name: Cam, mail: cam@example.com, positions: [clerk], language: en }
";

const PROCESS: &str = "
process: order
title: Order
number: \"O-{year}-{seq:5}\"
start: [clerk]
form:
  what: { type: text, title: What, required: true }
steps:
  - { id: first, title: First, approve: lead, remind: [1 second] }
  - { id: second, title: Second, approve: head }
";

/// The people who decide, so many at once.
const WORKERS: usize = 4;

/// A folder with a deployed process, and what was acknowledged about it.
struct House {
    folder: TempDir,
    port: u16,
    keys: Keys,
    starts: Mutex<BTreeSet<InstanceId>>,
    answers: Mutex<BTreeSet<AssignmentId>>,
    clicks: AtomicUsize,
    /// Where mail goes instead of a folder, while there is one.
    sink: Mutex<Option<Sink>>,
    /// Mail that sinks took.
    taken: Mutex<Vec<Vec<u8>>>,
}

impl House {
    async fn new() -> Arc<House> {
        let folder = TempDir::new().unwrap();
        let keys = Keys::open(&folder.path().join("keys"), "2026-03-02").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let house = House {
            folder,
            port,
            keys,
            starts: Mutex::default(),
            answers: Mutex::default(),
            clicks: AtomicUsize::new(0),
            sink: Mutex::default(),
            taken: Mutex::default(),
        };
        let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("order.yaml", PROCESS)]);
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
        let runtime = house.runtime().await;
        let deployment = Deployment {
            definitions: compiled.definitions,
            directory: compiled.directory.unwrap(),
            calendar: Calendar::default(),
            note: "crash".into(),
        };
        runtime.deploy(deployment).await.unwrap();
        runtime.shutdown().await;
        Arc::new(house)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// This process beside the server, on the same file.
    async fn runtime(&self) -> Runtime {
        Runtime::open(Options::file(self.path("db"))).await.unwrap()
    }

    fn command(&self, failpoint: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .current_dir(self.folder.path())
            .env("COUNTERSIGN_DB", self.path("db"))
            .env("COUNTERSIGN_KEYS", self.path("keys"))
            .env("COUNTERSIGN_MAIL_PER_MINUTE", "0")
            .env("COUNTERSIGN_FAILPOINT", failpoint)
            .env("COUNTERSIGN_FAILPOINT_LOG", self.path("failpoints"))
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        match &*self.sink.lock().unwrap() {
            None => command.env("COUNTERSIGN_MAIL_FOLDER", self.path("mail")),
            Some(sink) => command
                .env("COUNTERSIGN_MAIL_HOST", "127.0.0.1")
                .env("COUNTERSIGN_MAIL_PORT", sink.port.to_string())
                .env("COUNTERSIGN_MAIL_SECURITY", "none"),
        };
        command
    }

    /// Starts the server. Answers when it listens, or when it is dead already.
    fn serve(&self, failpoint: &str) -> Child {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut child = self.command(failpoint).args(["serve", "--behind-proxy", "--listen", &listen]).spawn().unwrap();
        for _ in 0..400 {
            if std::net::TcpStream::connect(&listen).is_ok() || child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child
    }

    async fn start(&self, runtime: &Runtime, number: usize) {
        let ask = Ask::Start { data: Record::from_iter([("what".into(), Value::text(format!("order {number}")))]) };
        let actor = Actor::Person { id: "cam".into(), via: Via::Scenario };
        let command = Asked { id: format!("start-{number}").into(), actor, ask };
        let accepted = runtime.start(&ProcessId::from("order"), command).await.expect("a start beside the server");
        self.starts.lock().unwrap().insert(accepted.instance);
    }

    /// Clicks links until it is told to stop or nothing is asked any more.
    fn click(&self, links: &Mutex<Vec<(AssignmentId, String)>>, stop: &AtomicBool) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        while !stop.load(Ordering::Relaxed) {
            let Some((assignment, ticket)) = links.lock().unwrap().pop() else {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            };
            if self.decide(&agent, &ticket) == Some(true) {
                self.answers.lock().unwrap().insert(assignment);
            }
        }
    }

    /// Whether a decision was acknowledged; `None` where the server went away before it said.
    fn decide(&self, agent: &ureq::Agent, ticket: &str) -> Option<bool> {
        let url = format!("http://127.0.0.1:{}/t/{ticket}", self.port);
        // Everybody sits somewhere else, as the limit on one network would have it.
        let click = self.clicks.fetch_add(1, Ordering::Relaxed);
        let from = format!("10.{}.{}.7", click / 250 % 250, click % 250);
        let page = agent.get(&url).header("x-forwarded-for", &from).call().ok()?;
        let page = page.into_body().read_to_string().ok()?;
        let (_, rest) = page.split_once("name=\"seen\" value=\"")?;
        let (seen, _) = rest.split_once('"')?;
        let form = [("seen", seen), ("outcome", "approved"), ("act", "submit")];
        let answer = agent.post(&url).header("x-forwarded-for", &from).send_form(form).ok()?;
        Some(answer.status().as_u16() == 303)
    }

    /// The links of everything that is asked now.
    async fn links(&self, runtime: &Runtime) -> Vec<(AssignmentId, String)> {
        let rows = runtime.tasks(&TaskFilter { limit: 10_000, ..TaskFilter::default() }).await.unwrap();
        rows.into_iter()
            // Some are left to be reminded.
            .filter(|row| row.instance.id.as_bytes()[15] % 4 != 0)
            .map(|row| {
                let asked = &row.assignment;
                let binding = Binding {
                    purpose: Purpose::Decide,
                    installation: runtime.installation(),
                    instance: asked.instance,
                    task: asked.task,
                    round: asked.round,
                    person: &asked.person,
                    assignment: asked.id,
                    nonce: &asked.nonce,
                };
                (asked.id, self.keys.ticket(&binding))
            })
            .collect()
    }

    /// Runs the server under load until it is killed after `life`, or dies by itself.
    async fn round(self: &Arc<House>, number: usize, failpoint: &str, life: Duration) {
        let mut child = self.serve(failpoint);
        let runtime = self.runtime().await;
        let links = Arc::new(Mutex::new(self.links(&runtime).await));
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (house, links, stop) = (self.clone(), links.clone(), stop.clone());
                std::thread::spawn(move || house.click(&links, &stop))
            })
            .collect();
        let end = Instant::now() + life;
        for start in 0.. {
            if Instant::now() >= end || child.try_wait().unwrap().is_some() {
                break;
            }
            if start < 8 {
                self.start(&runtime, number * 100 + start).await;
            } else {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            let done = links.lock().unwrap().is_empty();
            if done {
                let fresh = self.links(&runtime).await;
                *links.lock().unwrap() = fresh;
            }
        }
        child.kill().ok();
        child.wait().unwrap();
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        runtime.shutdown().await;
    }

    /// Lets a healthy server finish, then holds everything that was acknowledged against the file.
    async fn settle(self: &Arc<House>) {
        let mut child = self.serve("");
        let runtime = self.runtime().await;
        let unsettled = [Delivery::Pending, Delivery::Prepared, Delivery::Sending, Delivery::Retry];
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let mut open = 0;
            for state in unsettled {
                let filter = OutboxFilter { state: Some(state), limit: 10_000, ..OutboxFilter::default() };
                open += runtime.mails(&filter).await.unwrap().len();
            }
            if open == 0 {
                break;
            }
            assert!(Instant::now() < deadline, "{open} mails are stuck");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let starts = self.starts.lock().unwrap().clone();
        let mut answered = BTreeMap::<AssignmentId, usize>::new();
        let mut accepted = BTreeSet::new();
        for instance in &starts {
            let case = runtime.case(*instance).await.unwrap().expect("an acknowledged start is there");
            let folded: Option<State> = case
                .entries
                .iter()
                .try_fold(None, |state, entry: &Entry| engine::apply(state, entry).map(Some))
                .expect("the log folds");
            assert_eq!(folded.as_ref(), Some(&*case.state), "the state is the fold of the log");
            assert_eq!(runtime.verify(*instance).await.unwrap(), Some(Ok(())), "the chain holds");
            for event in case.entries.iter().flat_map(|entry| &entry.events) {
                if let Event::Answered { assignment, .. } = event {
                    *answered.entry(*assignment).or_default() += 1;
                }
            }
            let filter = OutboxFilter { instance: Some(*instance), limit: 1_000, ..OutboxFilter::default() };
            for mail in runtime.mails(&filter).await.unwrap() {
                assert!(matches!(mail.state, Delivery::Accepted | Delivery::Skipped), "{:?}", mail.reply);
                if mail.state == Delivery::Accepted {
                    accepted.insert(mail.message_id.expect("a sent mail has its id"));
                }
            }
        }
        for assignment in self.answers.lock().unwrap().iter() {
            assert_eq!(answered.get(assignment), Some(&1), "an acknowledged decision is there, once");
        }
        assert!(answered.values().all(|times| *times == 1), "no decision is doubled");

        let files = fs::read_dir(self.path("mail")).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        let taken = self.taken.lock().unwrap().clone();
        let mut delivered = BTreeMap::<String, Vec<Vec<u8>>>::new();
        for bytes in files.map(|path| fs::read(path).unwrap()).chain(taken) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
            delivered.entry(id.trim_matches(['<', '>']).to_owned()).or_default().push(bytes);
        }
        for id in &accepted {
            let copies = delivered.get(id.trim_matches(['<', '>'])).unwrap_or_else(|| panic!("the mail {id} is lost"));
            assert!(copies.iter().all(|copy| *copy == copies[0]), "copies of a mail are the same bytes");
        }
        runtime.shutdown().await;
        println!(
            "{} starts and {} decisions acknowledged, {} decisions in the log, {} mails sent",
            starts.len(),
            self.answers.lock().unwrap().len(),
            answered.len(),
            accepted.len()
        );
    }
}

/// A moment of the next half second that nobody can foresee.
fn moment() -> Duration {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).unwrap();
    Duration::from_millis(5 + u64::from(u16::from_le_bytes(bytes)) % 496)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_by_kill_9() {
    let rounds: usize = std::env::var("CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(50);
    let house = House::new().await;
    for round in 0..rounds {
        house.round(round, "", moment()).await;
    }
    house.settle().await;
    let decided = house.answers.lock().unwrap().len();
    assert!(decided > rounds, "only {decided} decisions in {rounds} rounds: there was no load");
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_at_any_failpoint() {
    const POINTS: [&str; 8] = [
        "writer.before_commit",
        "writer.during_commit",
        "writer.after_commit",
        "writer.mid_batch",
        "timers.wake",
        "outbox.before_prepare",
        "outbox.after_prepare",
        "outbox.after_send",
    ];
    let house = House::new().await;
    let mut round = 0;
    for point in POINTS {
        for hit in [1, 3] {
            house.round(round, &format!("{point}=crash@{hit}"), Duration::from_secs(4)).await;
            round += 1;
        }
    }
    *house.sink.lock().unwrap() = Some(Sink::start(&[]).await);
    for hit in [1, 3] {
        house.round(round, &format!("smtp.before_data=crash@{hit}"), Duration::from_secs(4)).await;
        round += 1;
    }
    let sink = house.sink.lock().unwrap().take().expect("the sink");
    house.taken.lock().unwrap().extend(sink.taken());
    // A deployment that dies half way is there whole or not at all, and can be done again.
    for point in ["store.deploy", "store.migrate"] {
        let fresh = house.path(&format!("{point}.db"));
        fs::write(house.path("directory.yaml"), DIRECTORY).unwrap();
        fs::write(house.path("order.yaml"), PROCESS).unwrap();
        let deploy = |failpoint: &str| {
            let mut command = house.command(failpoint);
            command.env("COUNTERSIGN_DB", &fresh).args(["deploy", "."]);
            command.status().unwrap().success()
        };
        assert!(!deploy(&format!("{point}=crash")), "{point} was not reached");
        assert!(deploy(""), "after a crash at {point} the same deployment goes through");
    }
    house.settle().await;
    let hit: BTreeSet<String> =
        fs::read_to_string(house.path("failpoints")).unwrap().lines().map(str::to_owned).collect();
    let others = ["store.deploy", "store.migrate", "smtp.before_data"];
    let missed: Vec<&str> = POINTS.into_iter().chain(others).filter(|point| !hit.contains(*point)).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

#[cfg(feature = "failpoints")]
#[test]
fn every_failpoint_of_the_sources_is_tried() {
    let mut found = BTreeSet::new();
    let mut folders = vec![support::project("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "failpoint.rs") {
                let text = fs::read_to_string(path).unwrap();
                let names = text.split("failpoint!(\"").skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(names.map(str::to_owned));
            }
        }
    }
    let tried = fs::read_to_string(support::project("tests/edge/crash.rs")).unwrap();
    let missed: Vec<&String> = found.iter().filter(|name| !tried.contains(name.as_str())).collect();
    assert!(missed.is_empty(), "no test crashes at {missed:?}");
}
