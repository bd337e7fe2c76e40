//! `kill -9` of a server under load: what it acknowledged is there, once; what it did not is there once or never.
//!
//! A real `serve` answers real links over HTTP while this process writes to the same file as a second one. It is
//! killed at random moments, and (with the feature `failpoints`) dies at every named point; then it is started
//! again. Who gets no answer asks again with the same words, and that never does a thing twice. Afterwards the whole
//! file is held against itself and against what was acknowledged (`audit.rs`).
//!
//! `CRASH_ROUNDS=1000` makes the first test longer.

use crate::audit::{Told, all_mail_arrived, audit};
use crate::sink::Sink;
use crate::support;
use countersign::effects::link::{Binding, Keys, Purpose};
use countersign::engine::command::{Actor, Ask, Command as Asked, Via};
use countersign::model::id::{AssignmentId, ProcessId};
use countersign::model::text::Lang;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Value};
use countersign::runtime::{self, Deployment, InstanceFilter, Options, OutboxFilter, Runtime, TaskFilter};
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

/// A form that was sent and not answered, to be sent again as it was.
struct Click {
    assignment: AssignmentId,
    ticket: String,
    seen: String,
    opinion: String,
}

/// A folder with a deployed process, and what was acknowledged about it.
struct House {
    folder: TempDir,
    port: u16,
    keys: Keys,
    told: Mutex<Told>,
    unanswered: Mutex<Vec<Click>>,
    /// Each assignment is answered with one form, however often that is sent.
    filled: Mutex<BTreeSet<AssignmentId>>,
    again: AtomicUsize,
    clicks: AtomicUsize,
    /// Where mail goes instead of a folder, once there is one.
    sink: Mutex<Option<Sink>>,
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
            told: Mutex::default(),
            unanswered: Mutex::default(),
            filled: Mutex::default(),
            again: AtomicUsize::new(0),
            clicks: AtomicUsize::new(0),
            sink: Mutex::default(),
        };
        let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("order.yaml", PROCESS)]);
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
        let runtime = house.runtime().await;
        let deployment = Deployment {
            definitions: compiled.definitions,
            directory: compiled.directory.unwrap(),
            calendar: Calendar::default(),
            metrics: Vec::new(),
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

    /// Starts the server.
    fn spawn(&self, failpoint: &str) -> Child {
        let listen = format!("127.0.0.1:{}", self.port);
        self.command(failpoint).args(["serve", "--behind-proxy", "--listen", &listen]).spawn().unwrap()
    }

    /// Waits until the server listens, or is dead already.
    fn up(&self, child: &mut Child) {
        for _ in 0..2_000 {
            let there = std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            if there || child.try_wait().unwrap().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not come up");
    }

    /// `kill -9`. A server that ended by itself before is a fault of its own.
    fn kill(&self, child: &mut Child) {
        assert_eq!(child.try_wait().unwrap(), None, "the server ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!runtime::is_served(&self.path("db")), "a dead server holds its lock");
    }

    /// Starts a case by the program, which is killed in the middle and then run again with the same id.
    fn start_by_shell(&self, number: usize) {
        let id = format!("shell-{number}");
        let arguments = ["start", "order", "--as", "cam", "--set", "what=shell", "--id", &id];
        let mut child = self.command("").args(arguments).spawn().unwrap();
        std::thread::sleep(moment() / 4);
        child.kill().ok();
        child.wait().unwrap();
        let done = self.command("").args(arguments).status().unwrap();
        assert!(done.success(), "`start` beside the server: {done}");
        self.told.lock().unwrap().starts.insert(id, None);
    }

    async fn start(&self, runtime: &Runtime, number: usize) {
        let ask = Ask::Start { data: Record::from_iter([("what".into(), Value::text(format!("order {number}")))]) };
        let actor = Actor::Person { id: "cam".into(), via: Via::Scenario };
        let id = format!("start-{number}");
        let command = Asked { id: id.as_str().into(), actor, ask };
        let accepted = runtime.start(&ProcessId::from("order"), command).await.expect("a start beside the server");
        self.told.lock().unwrap().starts.insert(id, Some(accepted.instance));
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
            let again = self.unanswered.lock().unwrap().pop();
            if let Some(click) = again {
                self.again.fetch_add(1, Ordering::Relaxed);
                self.send(&agent, click);
            } else if let Some((assignment, ticket)) = take(links) {
                if let Some(click) = self.look(&agent, assignment, ticket) {
                    self.send(&agent, click);
                }
            } else {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// Everybody sits somewhere else, as the limit on one network would have it.
    fn elsewhere(&self) -> String {
        let click = self.clicks.fetch_add(1, Ordering::Relaxed);
        format!("10.{}.{}.7", click / 250 % 250, click % 250)
    }

    /// The form of a link's page, filled in; `None` where it asks nothing, or the server went away.
    fn look(&self, agent: &ureq::Agent, assignment: AssignmentId, ticket: String) -> Option<Click> {
        let url = format!("http://127.0.0.1:{}/t/{ticket}", self.port);
        let page = agent.get(&url).header("x-forwarded-for", self.elsewhere()).call().ok()?;
        let page = page.into_body().read_to_string().ok()?;
        let (_, rest) = page.split_once("name=\"seen\" value=\"")?;
        let (seen, _) = rest.split_once('"')?;
        if !self.filled.lock().unwrap().insert(assignment) {
            return None;
        }
        let opinion = format!("opinion {}", self.clicks.fetch_add(1, Ordering::Relaxed));
        Some(Click { assignment, ticket, seen: seen.to_owned(), opinion })
    }

    /// Sends a form, and keeps it for later where the server went away before it said.
    fn send(&self, agent: &ureq::Agent, click: Click) {
        let url = format!("http://127.0.0.1:{}/t/{}", self.port, click.ticket);
        let form = [("seen", click.seen.as_str()), ("outcome", "approved"), ("opinion", &click.opinion)];
        match agent.post(&url).header("x-forwarded-for", self.elsewhere()).send_form(form) {
            Ok(answer) => match answer.status().as_u16() {
                // 200: the same form had been recorded before, and only its answer was lost.
                200 | 303 => drop(self.told.lock().unwrap().answers.insert(click.assignment, click.opinion)),
                503 => self.unanswered.lock().unwrap().push(click),
                // What it was shown has changed: it is filled in anew.
                409 => drop(self.filled.lock().unwrap().remove(&click.assignment)),
                status => panic!("a click is answered {status}"),
            },
            Err(_) => {
                std::thread::sleep(Duration::from_millis(2));
                self.unanswered.lock().unwrap().push(click);
            }
        }
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

    /// Runs the server under load until it is killed after `life`, or, with a failpoint, dies of it.
    async fn round(self: &Arc<House>, number: usize, failpoint: &str, life: Duration) {
        let mut child = self.spawn(failpoint);
        // Every other one may be killed while it comes up.
        if number.is_multiple_of(2) {
            self.up(&mut child);
        }
        let house = self.clone();
        let shell = number.is_multiple_of(4).then(|| tokio::task::spawn_blocking(move || house.start_by_shell(number)));
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
        if failpoint.is_empty() {
            self.kill(&mut child);
        } else {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_some_and(|ended| ended.code().is_none()), "did not die at {failpoint}: {ended:?}");
        }
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        if let Some(shell) = shell {
            shell.await.unwrap();
        }
        runtime.shutdown().await;
    }

    /// Lets a healthy server finish, then holds everything that was acknowledged against the file. Answers how many
    /// decisions were.
    async fn settle(self: &Arc<House>) -> usize {
        let mut child = self.spawn("");
        self.up(&mut child);
        let runtime = self.runtime().await;
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let waiting = runtime.counts().await.unwrap().mails_waiting;
            let all = InstanceFilter { limit: u32::MAX, ..InstanceFilter::default() };
            let now = runtime.now();
            let rows = runtime.instances(&all).await.unwrap();
            let due = rows.iter().filter(|row| row.wake_at.is_some_and(|at| at <= now)).count();
            if waiting == 0 && due == 0 {
                break;
            }
            if Instant::now() > deadline {
                let mails = runtime.mails(&OutboxFilter { limit: 10_000, ..OutboxFilter::default() }).await.unwrap();
                let stuck = mails.into_iter().find(|mail| mail.settled_at.is_none());
                panic!(
                    "{waiting} mails and {due} timers are stuck, such as {:?}",
                    stuck.map(|mail| (mail.state, mail.next_at, mail.reply))
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.kill(&mut child);

        let told = self.told.lock().unwrap().clone();
        let held = audit(&runtime, &self.path("db"), &told).await;
        let copies = all_mail_arrived(&held.mails, &self.delivered());
        runtime.shutdown().await;
        println!(
            "{} starts and {} decisions acknowledged, {} clicks sent again; {} cases and {} decisions in the file, \
             {} mails, {copies} second copies: nothing lost, nothing doubled",
            told.starts.len(),
            told.answers.len(),
            self.again.load(Ordering::Relaxed),
            held.cases,
            held.answers,
            held.mails.len()
        );
        told.answers.len()
    }

    /// From now on mail goes to a server that counts copies; a folder keeps one of each.
    async fn send_to_sink(&self) {
        *self.sink.lock().unwrap() = Some(Sink::start(&[]).await);
    }

    /// Every mail that arrived, by Message-ID.
    fn delivered(&self) -> BTreeMap<String, Vec<Vec<u8>>> {
        let files = fs::read_dir(self.path("mail")).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        let files = files.map(|path| fs::read(path).unwrap());
        let taken = self.sink.lock().unwrap().as_ref().map(Sink::taken).unwrap_or_default();
        let mut delivered = BTreeMap::<String, Vec<Vec<u8>>>::new();
        for bytes in files.chain(taken) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
            // SMTP ends a mail with a line end of its own.
            let bytes = bytes.trim_ascii_end().to_vec();
            delivered.entry(id.trim_matches(['<', '>']).to_owned()).or_default().push(bytes);
        }
        delivered
    }
}

fn take<T>(list: &Mutex<Vec<T>>) -> Option<T> {
    list.lock().unwrap().pop()
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
        if round == rounds / 2 {
            house.send_to_sink().await;
        }
        house.round(round, "", moment()).await;
    }
    let decided = house.settle().await;
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
    house.send_to_sink().await;
    for hit in [1, 3] {
        house.round(round, &format!("smtp.before_data=crash@{hit}"), Duration::from_secs(4)).await;
        round += 1;
    }
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
    let tests = ["tests/edge/crash.rs", "tests/edge/crash_outside.rs"];
    let tried: String = tests.iter().map(|path| fs::read_to_string(support::project(path)).unwrap()).collect();
    let missed: Vec<&String> = found.iter().filter(|name| !tried.contains(name.as_str())).collect();
    assert!(missed.is_empty(), "no test crashes at {missed:?}");
}
