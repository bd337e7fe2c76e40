//! What reaches beyond one case survives a death at every named point of it: done again, and done once.

#![cfg(feature = "failpoints")]

use chrono::{DateTime, TimeDelta, Utc};
use countersign::runtime::{InstanceFilter, InstanceRow, Options, Runtime};
use countersign::store::open_file;
use countersign::store::pending::Chore;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FILES: [(&str, &str); 5] = [
    (
        "directory.yaml",
        "directory: company\npositions: { lead: { title: Lead } }\n\
         people: { lea: { name: Lea, mail: lea@example.com, positions: [lead] } }\n",
    ),
    (
        "up.yaml",
        "process: up\ntitle: Up\nstart: [lead]\nform: { about: { type: text, title: Of, required: true } }\n\
         data: { got: { type: text, title: Got } }\nsteps:\n  - { id: hear, receive: go, key: about }\n  \
         - { id: down, call: down, with: { about: about }, take: { got: said }, on: { withdrawn: next, cancelled: next } }\n",
    ),
    (
        "down.yaml",
        "process: down\ntitle: Down\nform: { about: { type: text, title: Of, required: true } }\n\
         data: { said: { type: text, title: Said } }\nsteps:\n  - set: { said: about }\n  - end: well\n",
    ),
    (
        "book.yaml",
        "process: book\ntitle: Book\nstart: [lead]\nform: { about: { type: text, title: Of, required: true } }\nsteps:\n  \
         - { id: call_out, http: GET http://127.0.0.1:9/, retry: { times: 3, from: 1 hour, to: 1 hour } }\n",
    ),
    (
        "often.yaml",
        "process: often\ntitle: Often\nschedule: { cron: \"* * * * *\", by: person(\"lea\") }\n\
         form: { about: { type: text, title: Of } }\nsteps:\n  - { id: look, task: lead }\n",
    ),
];

/// The other process reads the system's clock, so its test must too.
#[expect(clippy::disallowed_methods, reason = "times are compared with those of a process of its own")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

struct House(TempDir);

impl House {
    fn new() -> House {
        let house = House(TempDir::new().unwrap());
        for (name, text) in FILES {
            fs::write(house.path(name), text).unwrap();
        }
        let said = house.command("", &["check", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        assert!(house.run("", &["deploy", "."]), "{}", String::from_utf8_lossy(&[said.stdout, said.stderr].concat()));
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, failpoint: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .current_dir(self.0.path())
            .env("COUNTERSIGN_DB", self.path("db"))
            .env("COUNTERSIGN_AS", "lea")
            .env("COUNTERSIGN_HTTP_INSIDE", "127.0.0.1")
            .env("COUNTERSIGN_FAILPOINT", failpoint)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .args(words);
        command
    }

    fn run(&self, failpoint: &str, words: &[&str]) -> bool {
        self.command(failpoint, words).status().unwrap().success()
    }

    /// Serves until it dies or the time is over; whether it died.
    fn serve(&self, failpoint: &str, time: Duration) -> bool {
        let mut child = self.command(failpoint, &["serve", "--dev", "--listen", "127.0.0.1:0"]).spawn().unwrap();
        let until = Instant::now() + time;
        while Instant::now() < until {
            if child.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        false
    }

    async fn runtime(&self) -> Runtime {
        Runtime::open(Options::file(self.path("db"))).await.unwrap()
    }

    async fn cases(&self, process: &str) -> Vec<InstanceRow> {
        let runtime = self.runtime().await;
        let filter = InstanceFilter { process: Some(process.into()), limit: 1_000, ..InstanceFilter::default() };
        let rows = runtime.instances(&filter).await.unwrap();
        runtime.shutdown().await;
        rows
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_and_a_call_are_done_once_whenever_the_shell_dies() {
    let house = House::new();
    let points = [
        "message.kept=crash",
        "message.deliver=crash",
        "dispatch.carry_out=crash@1",
        "dispatch.carry_out=crash@2",
        "dispatch.carried_out=crash@1",
        "dispatch.carried_out=crash@2",
    ];
    for (number, point) in (1..).zip(points) {
        let (of, id) = (format!("about=K{number}"), format!("m{number}"));
        assert!(house.run("", &["start", "up", "--set", &of]));
        let key = format!("K{number}");
        let message = ["message", "go", "--key", &key, "--id", &id];
        assert!(!house.run(point, &message), "{point} was not reached");
        assert!(house.run("", &message), "the same again, after {point}");
        let (up, down) = (house.cases("up").await, house.cases("down").await);
        assert_eq!((up.len(), down.len()), (number, number), "{point}");
        assert!(up.iter().chain(&down).all(|row| row.ended.is_some() && !row.incident), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_another_system_is_made_again_after_a_death() {
    for point in ["http.before_call=crash", "http.after_call=crash"] {
        let house = House::new();
        assert!(house.run("", &["start", "book", "--set", "about=x"]));
        assert!(house.serve(point, Duration::from_secs(20)), "{point} was not reached");
        let runtime = house.runtime().await;
        let waits = runtime.waits(None, 9).await.unwrap();
        assert_eq!((waits.len(), waits[0].epoch), (1, 1), "the row waits for the end of its lease");
        assert!(waits[0].next_at > now());
        runtime.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_occurrence_that_was_begun_is_not_begun_again() {
    let house = House::new();
    let mut opened = open_file(&house.path("db")).await.unwrap();
    let from = now() - TimeDelta::minutes(3);
    opened.writer.chore(now(), &Chore::Through("often".into(), from)).await.unwrap();
    opened.writer.close().await;
    opened.store.close().await;
    assert!(house.serve("schedule.started=crash@2", Duration::from_secs(20)), "it was not reached");
    let before = house.cases("often").await.len();
    assert_eq!(before, 2);
    house.serve("", Duration::from_secs(5));
    let minutes = (now().timestamp() / 60) - (from.timestamp() / 60);
    let after = i64::try_from(house.cases("often").await.len()).unwrap();
    assert!(after >= 3 && after <= minutes, "{after} cases of {minutes} minutes");
}
