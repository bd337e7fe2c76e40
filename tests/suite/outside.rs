//! What reaches beyond one case, through the runtime: calls, messages, schedules, jobs, one open case a key. One
//! suite, run on memory and on a SQLite file; a second `Runtime` on the same store stands for a second process.

use crate::support;
use chrono::{DateTime, TimeDelta, Utc};
use countersign::effects::format::Words;
use countersign::effects::timeline::Scene;
use countersign::effects::view::{Reader, case_view};
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::event::Event;
use countersign::engine::refusal::Refusal;
use countersign::engine::state::{State, TaskKind};
use countersign::model::definition::Definition;
use countersign::model::id::InstanceId;
use countersign::model::text::{Lang, Wording};
use countersign::model::value::{Record, Value, from_plain};
use countersign::runtime::jobs::lease_id;
use countersign::runtime::{
    Accepted, Case, Clock, Database, Denied, Deployment, InstanceFilter, Options, Role, Runtime,
};
use countersign::store::memory::Memory;
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;

const PARENT: &str = "
process: parent
title: Parent
number: \"P-{seq:3}\"
start: [clerk]
form:
  customer: { type: text, title: Customer, required: true }
data:
  file_no: { type: text, title: File }
steps:
  - id: develop
    call: child
    with: { customer: customer }
    take: { file_no: file_no }
    on: { lost: lost, withdrawn: stopped, cancelled: stopped }
  - end: won
  - { id: lost, end: lost }
  - { id: stopped, end: stopped }
";

const CHILD: &str = "
process: child
title: Child
number: \"C-{seq:3}\"
form:
  customer: { type: text, title: Customer, required: true }
data:
  file_no: { type: text, title: File, default: '\"none\"' }
steps:
  - id: survey
    task: lead
    form: { found: { type: text, title: Found, required: true } }
    outcomes: { good: Good, bad: Bad }
    on: { bad: lost }
  - set: { file_no: '\"F-1\"' }
  - end: good
  - { id: lost, end: lost }
";

const LISTENER: &str = "
process: listener
title: Listener
number: \"L-{seq:3}\"
start: [clerk]
form:
  contract: { type: text, title: Contract, required: true }
data:
  signed_on: { type: date, title: Signed }
steps:
  - { id: signed, receive: contract_signed, key: contract, take: { signed_on: date } }
  - end: signed
";

const WORK: &str = "
process: work
title: Work
start: [clerk]
form:
  amount: { type: money, title: Amount, required: true }
data:
  place: { type: text, title: Place }
steps:
  - { id: print, job: render, with: { amount: amount }, take: { place: response.file.place }, lease: 5 minutes, retry: { times: 2, from: 1 minute, to: 1 hour } }
  - end: printed
";

const PATIENT: &str = "
process: patient
title: { zh: 印制, en: Printing }
number: \"B-{seq:3}\"
start: [clerk]
data:
  pages: { type: integer, title: Pages }
  place: { type: text, title: Place }
steps:
  - id: print
    title: { zh: 打印, en: Print }
    job: print
    take: { pages: response.pages, place: response.file.place }
    retry: { times: 1, from: 1 minute, to: 1 hour }
  - id: bind
    title: { zh: 装订, en: Bind }
    job: bind
    on: { failed: pause }
  - end: bound
  - { id: pause, title: { zh: 等胶水, en: Wait for glue }, wait: 2 days }
  - { id: glue, title: { zh: 胶水, en: Glue }, receive: glue_came, key: instance.number, due: 2 days }
";

const KEEPER: &str = "
process: keeper
title: Keeper
number: \"K-{seq:3}\"
start: [clerk]
steps:
  - { id: print, call: patient, on: { otherwise: next } }
";

const SINGLE: &str = "
process: single
title: Single
number: \"S-{seq:3}\"
key: customer
single: true
start: [clerk]
form:
  customer: { type: text, title: Customer, required: true }
steps:
  - { id: look, task: lead }
";

/// Its key is a number, which may be written with or without its places.
const BILL: &str = "
process: bill
title: Bill
number: \"R-{seq:3}\"
key: amount
single: true
start: [clerk]
form:
  amount: { type: money, title: Amount, required: true }
steps:
  - { id: paid, receive: paid, key: amount }
  - end: paid
";

/// Of its kind one case a key is open, which `check` refuses: nobody is there to be told where it is written.
const LATE: &str = "
process: late
title: Late
number: \"L-{seq:3}\"
key: code
start: [clerk]
form:
  by: { type: choice, title: By, options: [time, message, job, call], required: true }
data:
  code: { type: text, title: Code }
steps:
  - id: way
    choose:
      - { when: by = time, steps: [{ id: pause, wait: 1 day }, { set: { code: '\"K1\"' } }] }
      - { when: by = message, steps: [{ id: told, receive: told, take: { code: code } }] }
      - { when: by = job, steps: [{ id: asked, job: ask, take: { code: response.code } }] }
      - { when: by = call, steps: [{ id: called, call: coder, take: { code: code }, on: { otherwise: next } }] }
  - { id: ok, title: OK, approve: lead }
";

const CODER: &str = "
process: coder
title: Coder
data:
  code: { type: text, title: Code, default: '\"K1\"' }
steps:
  - { id: pause, wait: 1 day }
  - { end: given }
";

const ASIDE: &str = "
process: aside
title: Aside
start: [clerk]
form:
  customer: { type: text, title: Customer, required: true }
steps:
  - { id: begin, call: single, detached: true, with: { customer: customer } }
  - { id: note, task: lead }
";

const WEEKLY: &str = "
process: weekly
title: Weekly
start: [clerk]
schedule: { cron: \"0 16 * * FRI\", by: holders(clerk) }
form:
  plan: { type: text, title: Plan, required: true }
steps:
  - { id: read, task: lead }
";

/// A store with a clock; processes are opened on it.
struct World {
    database: Database,
    clock: Clock,
    _folder: TempDir,
}

impl World {
    fn memory() -> World {
        let database = Database::Memory(Memory::default());
        World { database, clock: Clock::fixed(monday()), _folder: TempDir::new().unwrap() }
    }

    fn sqlite() -> World {
        let folder = TempDir::new().unwrap();
        let database = Database::File(folder.path().join("test.db"));
        World { database, clock: Clock::fixed(monday()), _folder: folder }
    }

    async fn open(&self, role: Role) -> Runtime {
        Runtime::open(Options { database: self.database.clone(), clock: self.clock.clone(), role }).await.unwrap()
    }

    /// A shell on it, with these processes live.
    async fn shell(&self, processes: &[&str]) -> Runtime {
        self.shell_with(processes, |_| {}).await
    }

    /// The same, with definitions as `check` would not let them be.
    async fn shell_with(&self, processes: &[&str], change: impl Fn(&mut Definition)) -> Runtime {
        let runtime = self.open(Role::Shell).await;
        let names: Vec<String> = (0..processes.len()).map(|number| format!("p{number}.yaml")).collect();
        let mut files = vec![("directory.yaml", support::OFFICE)];
        files.extend(names.iter().map(String::as_str).zip(processes.iter().copied()));
        let mut compiled = support::compile(&files);
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
        compiled.definitions.iter_mut().for_each(change);
        let deployment = Deployment {
            definitions: compiled.definitions,
            directory: compiled.directory.unwrap(),
            calendar: compiled.calendar.unwrap_or_default(),
            metrics: Vec::new(),
            note: "test".into(),
        };
        runtime.deploy(deployment).await.unwrap();
        runtime
    }

    fn pass(&self, time: TimeDelta) {
        self.clock.set(self.clock.now() + time);
    }
}

/// Monday, 9:14 in Shanghai.
fn monday() -> DateTime<Utc> {
    "2026-03-02T01:14:00Z".parse().unwrap()
}

fn person(id: &str) -> Actor {
    Actor::Person { id: id.into(), via: Via::Scenario }
}

fn record(json: serde_json::Value) -> Record {
    match from_plain(&json) {
        Value::Record(record) => record,
        _ => Record::new(),
    }
}

async fn try_start(runtime: &Runtime, process: &str, id: &str, data: serde_json::Value) -> Result<Accepted, Denied> {
    let command = Command { id: id.into(), actor: person("ann"), ask: Ask::Start { data: record(data) } };
    runtime.start(&process.into(), command).await
}

async fn start(runtime: &Runtime, process: &str, data: serde_json::Value) -> InstanceId {
    try_start(runtime, process, &format!("start {data}"), data).await.unwrap().instance
}

async fn case(runtime: &Runtime, id: InstanceId) -> Case {
    runtime.case(id).await.unwrap().unwrap()
}

async fn state(runtime: &Runtime, id: InstanceId) -> State {
    State::clone(&case(runtime, id).await.state)
}

fn outcome(state: &State) -> Option<&str> {
    state.ended.as_ref().map(|ended| ended.outcome.as_str())
}

/// The cases of a process, the oldest first.
async fn cases(runtime: &Runtime, process: &str) -> Vec<InstanceId> {
    let filter = InstanceFilter { process: Some(process.into()), ..InstanceFilter::default() };
    runtime.instances(&filter).await.unwrap().iter().rev().map(|row| row.id).collect()
}

async fn survey(runtime: &Runtime, child: InstanceId, outcome: &str) {
    let open = state(runtime, child).await;
    let ask = Ask::Decide {
        task: *open.tasks.keys().next().unwrap(),
        assignment: None,
        outcome: outcome.into(),
        opinion: None,
        values: record(json!({ "found": "much" })),
        seen: None,
    };
    let command = Command { id: "survey".into(), actor: person("leo"), ask };
    runtime.submit(child, command).await.unwrap();
}

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::World::memory()).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::World::sqlite()).await;
            })+
        }
    };
}

on_both!(
    a_key_that_another_case_has_stops_the_step_that_writes_it,
    a_call_starts_a_case_and_takes_what_it_ends_with,
    a_call_that_cannot_start_is_an_incident_that_is_retried,
    what_a_called_process_refuses_is_asked_of_its_applicant,
    who_no_longer_waits_cancels_whom_it_called,
    a_server_carries_out_what_a_shell_left,
    a_message_finds_who_waits_and_who_will,
    keys_are_compared_by_value,
    a_message_is_read_once_by_whoever_waits,
    a_message_that_nobody_reads_stays_to_be_seen,
    a_message_that_nobody_could_use_is_refused_to_its_sender,
    a_message_is_kept_for_an_older_version_that_waits,
    a_job_is_held_by_one_worker_at_a_time,
    a_job_that_fails_comes_back_later,
    a_lease_that_runs_out_is_a_failed_attempt,
    a_result_that_cannot_be_used_is_refused_and_the_job_stays,
    history_tells_what_happened_outside,
    one_open_case_a_key,
    a_case_of_its_own_that_could_not_begin_waits_for_an_operator,
    a_schedule_starts_each_case_once,
);

async fn a_case_of_its_own_that_could_not_begin_waits_for_an_operator(world: World) {
    let runtime = world.shell(&[SINGLE, ASIDE]).await;
    let first = start(&runtime, "single", json!({ "customer": "Ruian" })).await;
    let begin = async |id| try_start(&runtime, "aside", id, json!({ "customer": "Ruian" })).await.unwrap().instance;
    let aside = begin("aside").await;
    let given_up = runtime.undelivered(9).await.unwrap();
    assert_eq!(given_up.iter().map(|row| row.sender).collect::<Vec<_>>(), [aside]);
    let why = given_up[0].reply.clone().unwrap();
    assert!(why.zh.contains("S-001") && why.en.contains("S-001"), "{why:?}");
    let (tried, left) = runtime.revive(aside).await.unwrap();
    assert_eq!((tried, left.len()), (1, 1), "the first case is open still");
    let cancel =
        Command { id: "over".into(), actor: Actor::Operator { user: "op".into() }, ask: Ask::Cancel { reason: None } };
    runtime.submit(first, cancel).await.unwrap();
    let (tried, left) = runtime.revive(aside).await.unwrap();
    assert_eq!((tried, left.len(), cases(&runtime, "single").await.len()), (1, 0, 2));
    let other = begin("other").await;
    assert_eq!(runtime.let_go(other).await.unwrap(), 1);
    assert_eq!(runtime.undelivered(9).await.unwrap().len(), 0, "what was let go is gone");
}

async fn a_call_starts_a_case_and_takes_what_it_ends_with(world: World) {
    let runtime = world.shell(&[PARENT, CHILD]).await;
    let parent = start(&runtime, "parent", json!({ "customer": "Ruian" })).await;
    let child = cases(&runtime, "child").await[0];
    let begun = state(&runtime, child).await;
    assert_eq!(begun.applicant.as_str(), "ann");
    assert_eq!(begun.caller.as_ref().map(|caller| (caller.instance, caller.depth)), Some((parent, 1)));
    assert_eq!(begun.data["customer"], Value::Text("Ruian".into()));
    assert_eq!(runtime.waits(None, 9).await.unwrap().len(), 1, "the parent waits for the child");
    survey(&runtime, child, "good").await;
    let ended = state(&runtime, parent).await;
    assert_eq!(outcome(&ended), Some("won"));
    assert_eq!(ended.data["file_no"], Value::Text("F-1".into()));
    assert_eq!(runtime.waits(None, 9).await.unwrap(), []);
    assert_eq!(runtime.dispatch().await.unwrap(), 0, "nothing is left to do");

    // What the child calls its end leads where the caller says.
    let parent = start(&runtime, "parent", json!({ "customer": "Other" })).await;
    survey(&runtime, cases(&runtime, "child").await[1], "bad").await;
    assert_eq!(outcome(&state(&runtime, parent).await), Some("lost"));
    for id in [parent, child] {
        assert_eq!(runtime.verify(id).await.unwrap(), Some(Ok(())));
    }
}

async fn what_a_called_process_refuses_is_asked_of_its_applicant(world: World) {
    let runtime = world.shell(&[PARENT, &CHILD.replace("title: Customer,", "title: Customer, max: 5,")]).await;
    let parent = start(&runtime, "parent", json!({ "customer": "Guangzhou" })).await;
    assert!(!state(&runtime, parent).await.has_incident(), "nothing is stuck");
    let child = state(&runtime, cases(&runtime, "child").await[0]).await;
    assert_eq!(child.data.get("customer"), Some(&Value::text("Guangzhou")), "what was given is there to be mended");
    assert!(child.tasks.values().all(|task| task.kind == TaskKind::Begin) && !child.tasks.is_empty());
}

async fn a_call_that_cannot_start_is_an_incident_that_is_retried(world: World) {
    let runtime = world.shell(&[PARENT, CHILD]).await;
    let live = runtime.live();
    let only = |name: &str| {
        let found = live.definitions.iter().filter(|one| name.is_empty() || one.process.as_str() == name);
        Deployment {
            definitions: found.map(|one| (**one).clone()).collect(),
            directory: (*live.directory).clone(),
            calendar: (*live.calendar).clone(),
            metrics: (*live.metrics).clone(),
            note: String::new(),
        }
    };
    runtime.deploy(only("parent")).await.unwrap();
    let parent = start(&runtime, "parent", json!({ "customer": "Ruian" })).await;
    let stopped = state(&runtime, parent).await;
    assert!(stopped.has_incident());
    assert_eq!(runtime.waits(None, 9).await.unwrap(), [], "what stopped waits for an operator");
    runtime.deploy(only("")).await.unwrap();
    let retry = |id: &str| Command {
        id: id.into(),
        actor: Actor::Operator { user: "root".into() },
        ask: Ask::Retry { step: None },
    };
    runtime.submit(parent, retry("r1")).await.unwrap();
    assert!(!state(&runtime, parent).await.has_incident());
    assert_eq!(cases(&runtime, "child").await.len(), 1);
    let refused = runtime.submit(parent, retry("r2")).await.unwrap_err();
    assert!(matches!(refused, Denied::Refused(Refusal::NoIncident, _)));
}

async fn who_no_longer_waits_cancels_whom_it_called(world: World) {
    let runtime = world.shell(&[PARENT, CHILD]).await;
    let parent = start(&runtime, "parent", json!({ "customer": "Ruian" })).await;
    let command = Command { id: "w".into(), actor: person("ann"), ask: Ask::Withdraw { reason: None } };
    runtime.submit(parent, command).await.unwrap();
    let child = cases(&runtime, "child").await[0];
    assert_eq!(outcome(&state(&runtime, parent).await), Some("withdrawn"));
    assert_eq!(outcome(&state(&runtime, child).await), Some("cancelled"));
    assert_eq!(runtime.dispatch().await.unwrap(), 0);
}

async fn a_server_carries_out_what_a_shell_left(world: World) {
    let shell = world.shell(&[PARENT, CHILD]).await;
    let parent = start(&shell, "parent", json!({ "customer": "Ruian" })).await;
    shell.shutdown().await;
    let server = world.open(Role::Server).await;
    let child = cases(&server, "child").await[0];
    survey(&server, child, "good").await;
    for _ in 0..500 {
        if state(&server, parent).await.ended.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(outcome(&state(&server, parent).await), Some("won"));
    server.shutdown().await;
}

async fn a_message_finds_who_waits_and_who_will(world: World) {
    let runtime = world.shell(&[LISTENER]).await;
    let early = from_plain(&json!({ "date": "2026-03-05" }));
    // It comes first.
    assert!(runtime.message("m1", "contract_signed", Some("K-1"), early.clone()).await.unwrap());
    assert!(!runtime.message("m1", "contract_signed", Some("K-1"), early.clone()).await.unwrap(), "the same again");
    let first = start(&runtime, "listener", json!({ "contract": "K-1" })).await;
    let ended = state(&runtime, first).await;
    assert_eq!(outcome(&ended), Some("signed"));
    assert_eq!(ended.data["signed_on"], Value::Date("2026-03-05".parse().unwrap()));
    // It comes later, and one of another key is not it.
    let second = start(&runtime, "listener", json!({ "contract": "K-2" })).await;
    runtime.message("m2", "contract_signed", Some("K-9"), early.clone()).await.unwrap();
    runtime.message("m3", "something_else", Some("K-2"), early.clone()).await.unwrap();
    assert_eq!(outcome(&state(&runtime, second).await), None);
    runtime.message("m4", "contract_signed", Some("K-2"), early).await.unwrap();
    assert_eq!(outcome(&state(&runtime, second).await), Some("signed"));
    assert_eq!(runtime.unread(9).await.unwrap().iter().map(|row| row.id.to_string()).collect::<Vec<_>>(), ["m2", "m3"]);
}

async fn keys_are_compared_by_value(world: World) {
    let runtime = world.shell(&[BILL]).await;
    let first = start(&runtime, "bill", json!({ "amount": 10.0 })).await;
    let again = try_start(&runtime, "bill", "again", json!({ "amount": 10 })).await;
    assert!(matches!(again, Err(Denied::Refused(Refusal::OpenAlready { .. }, _))), "{again:?}");
    for written in ["10", "10.00", "10.0"] {
        let filter = InstanceFilter { key: Some(written.into()), ..InstanceFilter::default() };
        assert_eq!(runtime.instances(&filter).await.unwrap().len(), 1, "{written}");
    }
    runtime.message("m1", "paid", Some("10"), Value::Null).await.unwrap();
    assert_eq!(outcome(&state(&runtime, first).await), Some("paid"));
    // One that comes early, too.
    runtime.message("m2", "paid", Some("20.00"), Value::Null).await.unwrap();
    let second = start(&runtime, "bill", json!({ "amount": 20 })).await;
    assert_eq!(outcome(&state(&runtime, second).await), Some("paid"));
}

async fn a_message_is_read_once_by_whoever_waits(world: World) {
    let runtime = world.shell(&[LISTENER]).await;
    let one = start(&runtime, "listener", json!({ "contract": "K-1" })).await;
    let command = Command {
        id: "another".into(),
        actor: person("bob"),
        ask: Ask::Start { data: record(json!({ "contract": "K-1" })) },
    };
    let other = runtime.start(&"listener".into(), command).await.unwrap().instance;
    let (here, there) = (runtime.clone(), world.open(Role::Shell).await);
    let data = from_plain(&json!({ "date": "2026-03-05" }));
    let (a, b) = tokio::join!(
        here.message("m1", "contract_signed", Some("K-1"), data.clone()),
        there.message("m1", "contract_signed", Some("K-1"), data.clone())
    );
    assert!(a.unwrap() != b.unwrap(), "it came once");
    let ended = [state(&runtime, one).await, state(&runtime, other).await];
    assert_eq!(ended.iter().filter(|state| state.ended.is_some()).count(), 1);
    // Delivered by hand to the other one, it is not read again.
    let waiting = if ended[0].ended.is_some() { &ended[1] } else { &ended[0] };
    let ask = Ask::Deliver {
        token: *waiting.tokens.keys().next().unwrap(),
        message: "m1".into(),
        name: "contract_signed".into(),
        key: Some("K-1".into()),
        data,
    };
    let again = runtime.submit(waiting.id, Command { id: "again".into(), actor: Actor::System, ask }).await;
    assert!(matches!(again, Err(Denied::Refused(Refusal::NotWaiting, _))));
}

async fn a_message_that_nobody_could_use_is_refused_to_its_sender(world: World) {
    let runtime = world.shell(&[LISTENER]).await;
    let listening = start(&runtime, "listener", json!({ "contract": "K-1" })).await;
    let send = |id: &'static str, data: serde_json::Value| {
        let runtime = runtime.clone();
        async move { runtime.message(id, "contract_signed", Some("K-1"), from_plain(&data)).await }
    };
    for data in [json!({ "date": "soon" }), json!({ "date": null }), json!({ "day": "2026-03-05" }), json!(null)] {
        let Err(Denied::Refused(Refusal::BadMessage { name, faults }, _)) = send("m1", data).await else { panic!() };
        assert_eq!((&*name, faults.len(), faults[0].path.as_str()), ("contract_signed", 1, "date"));
    }
    assert_eq!(runtime.unread(9).await.unwrap(), [], "nothing was kept");
    assert!(send("m1", json!({ "date": "2026-03-05" })).await.unwrap(), "mended, it is new under the same id");
    assert_eq!(outcome(&state(&runtime, listening).await), Some("signed"));
    assert!(!send("m1", json!({ "date": "soon" })).await.unwrap(), "what is known is no second one, whatever it says");
}

async fn a_message_is_kept_for_an_older_version_that_waits(world: World) {
    let runtime = world.shell(&[LISTENER]).await;
    let older = start(&runtime, "listener", json!({ "contract": "K-1" })).await;
    let newer = LISTENER.replace("take: { signed_on: date }", "take: { signed_on: on }");
    let runtime = {
        runtime.shutdown().await;
        world.shell(&[&newer]).await
    };
    let said = from_plain(&json!({ "date": "2026-03-05" }));
    assert!(runtime.message("m1", "contract_signed", Some("K-1"), said.clone()).await.unwrap());
    assert_eq!(outcome(&state(&runtime, older).await), Some("signed"));
    let again = runtime.message("m2", "contract_signed", Some("K-1"), said).await;
    assert!(matches!(again, Err(Denied::Refused(Refusal::BadMessage { .. }, _))), "nobody older waits any more");
    // What one process can use may reach the case of another by its key: that case stops.
    let other = newer
        .replace("process: listener", "process: other")
        .replace("L-", "M-")
        .replace("take: { signed_on: on }", "take: { signed_on: date }");
    runtime.shutdown().await;
    let runtime = world.shell(&[&newer, &other]).await;
    let stopped = start(&runtime, "listener", json!({ "contract": "K-2" })).await;
    let said = from_plain(&json!({ "date": "2026-03-05" }));
    assert!(runtime.message("m3", "contract_signed", Some("K-2"), said).await.unwrap());
    assert!(state(&runtime, stopped).await.has_incident());
}

async fn a_message_that_nobody_reads_stays_to_be_seen(world: World) {
    let runtime = world.shell(&[LISTENER]).await;
    let data = from_plain(&json!({ "date": "2026-03-05" }));
    runtime.message("m1", "contract_signed", Some("K-1"), data).await.unwrap();
    world.pass(TimeDelta::days(31));
    let late = start(&runtime, "listener", json!({ "contract": "K-1" })).await;
    assert_eq!(outcome(&state(&runtime, late).await), None, "it is too old to be read");
    assert_eq!(runtime.unread(9).await.unwrap().len(), 1);
    assert!(runtime.discard("m1").await.unwrap());
    assert!(!runtime.discard("m1").await.unwrap());
}

async fn a_job_is_held_by_one_worker_at_a_time(world: World) {
    let runtime = world.shell(&[WORK]).await;
    let id = start(&runtime, "work", json!({ "amount": 12.5 })).await;
    let none = Duration::ZERO;
    assert!(runtime.fetch_jobs("other", "w1", 9, none).await.unwrap().is_empty());
    let held = runtime.fetch_jobs("render", "w1", 9, none).await.unwrap();
    assert_eq!((held.len(), held[0].instance, held[0].next_at), (1, id, monday() + TimeDelta::minutes(5)));
    assert!(runtime.fetch_jobs("render", "w2", 9, none).await.unwrap().is_empty(), "somebody has it");
    // It is held for longer, then not for long enough.
    let first = lease_id(&held[0]);
    world.pass(TimeDelta::minutes(4));
    assert!(runtime.extend_job(&first, Duration::from_secs(300)).await.unwrap().is_some());
    world.pass(TimeDelta::minutes(6));
    assert_eq!(runtime.extend_job(&first, Duration::from_secs(300)).await.unwrap(), None);
    let over = runtime.complete_job(&first, Value::Null).await;
    assert!(matches!(over, Err(Denied::Refused(Refusal::NotWaiting, _))));
    assert!(runtime.fetch_jobs("render", "w2", 9, none).await.unwrap().is_empty(), "that was an attempt, and failed");
    world.pass(TimeDelta::minutes(1));
    let held = runtime.fetch_jobs("render", "w2", 9, none).await.unwrap();
    let second = lease_id(&held[0]);
    let result = from_plain(&json!({ "file": { "place": "/print/1" } }));
    assert!(runtime.complete_job(&first, result.clone()).await.is_err(), "another one has it");
    assert!(!runtime.complete_job(&second, result.clone()).await.unwrap().repeated);
    assert!(runtime.complete_job(&second, result).await.unwrap().repeated, "the same answer again");
    let ended = state(&runtime, id).await;
    assert_eq!((outcome(&ended), &ended.data["place"]), (Some("printed"), &Value::Text("/print/1".into())));
    assert!(runtime.complete_job("nonsense", Value::Null).await.is_err());
}

async fn a_job_that_fails_comes_back_later(world: World) {
    let runtime = world.shell(&[WORK]).await;
    let id = start(&runtime, "work", json!({ "amount": 12.5 })).await;
    let words = || Wording::new("没有纸", "no paper");
    for wait in [1, 2] {
        let held = runtime.fetch_jobs("render", "w", 1, Duration::ZERO).await.unwrap();
        runtime.fail_job(&lease_id(&held[0]), words(), false, None).await.unwrap();
        assert!(runtime.fetch_jobs("render", "w", 1, Duration::ZERO).await.unwrap().is_empty());
        world.pass(TimeDelta::minutes(wait));
    }
    let held = runtime.fetch_jobs("render", "w", 1, Duration::ZERO).await.unwrap();
    runtime.fail_job(&lease_id(&held[0]), words(), false, None).await.unwrap();
    assert!(state(&runtime, id).await.has_incident(), "twice again is all");
    let log = case(&runtime, id).await;
    let postponed = log.entries.iter().flat_map(|entry| &entry.events);
    assert_eq!(postponed.filter(|event| matches!(event, Event::Postponed { .. })).count(), 2);
}

async fn a_lease_that_runs_out_is_a_failed_attempt(world: World) {
    let runtime = world.shell(&[PATIENT]).await;
    let id = start(&runtime, "patient", json!({})).await;
    let first = runtime.fetch_jobs("print", "w1", 1, Duration::ZERO).await.unwrap();
    world.pass(TimeDelta::minutes(6));
    // However many look for it, it is counted once.
    let (here, there) = (runtime.clone(), world.open(Role::Shell).await);
    let (a, b) = tokio::join!(
        here.fetch_jobs("print", "w2", 1, Duration::ZERO),
        there.fetch_jobs("print", "w3", 1, Duration::ZERO)
    );
    assert_eq!((a.unwrap().len(), b.unwrap().len()), (0, 0), "it comes back later");
    let late = runtime.complete_job(&lease_id(&first[0]), from_plain(&json!({ "pages": 3 }))).await;
    assert!(matches!(late, Err(Denied::Refused(Refusal::NotWaiting, _))));
    world.pass(TimeDelta::minutes(1));
    let second = runtime.fetch_jobs("print", "w2", 1, Duration::ZERO).await.unwrap();
    assert_eq!(second[0].attempt(), 2);
    world.pass(TimeDelta::minutes(6));
    assert!(runtime.fetch_jobs("print", "w2", 1, Duration::ZERO).await.unwrap().is_empty());
    assert!(state(&runtime, id).await.has_incident(), "once again is all");
    let log = case(&runtime, id).await;
    let failed = |entry: &&countersign::engine::event::Entry| matches!(entry.command.ask, Ask::Fail { .. });
    assert_eq!(log.entries.iter().filter(failed).count(), 2);
    let story = told(&runtime, id).await;
    for words in ["“w1”没有按时答复", "The worker “w2” did not answer in time"] {
        assert!(story.contains(words), "{story}");
    }
}

async fn a_result_that_cannot_be_used_is_refused_and_the_job_stays(world: World) {
    let runtime = world.shell(&[PATIENT]).await;
    let id = start(&runtime, "patient", json!({})).await;
    let held = runtime.fetch_jobs("print", "w1", 1, Duration::ZERO).await.unwrap();
    let job = lease_id(&held[0]);
    for (result, paths) in [
        (json!({ "pages": "many" }), vec!["pages", "file.place"]),
        (json!({ "pages": 1.5, "file": { "place": "/1" } }), vec!["pages"]),
        (json!({ "pages": 3, "file": { "place": null } }), vec!["file.place"]),
        (json!([1]), vec!["pages", "file.place"]),
    ] {
        let refused = runtime.complete_job(&job, from_plain(&result)).await.unwrap_err();
        let Denied::Refused(Refusal::BadResult(faults), _) = refused else { panic!("{refused:?}") };
        assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), paths, "{result}");
    }
    assert!(!state(&runtime, id).await.has_incident());
    assert!(runtime.fetch_jobs("print", "w2", 1, Duration::ZERO).await.unwrap().is_empty(), "it is w1's still");
    let good = from_plain(&json!({ "pages": 3, "file": { "place": "/1" } }));
    assert!(!runtime.complete_job(&job, good.clone()).await.unwrap().repeated);
    assert!(runtime.complete_job(&job, good).await.unwrap().repeated);
}

/// The story that an operator reads, in both languages.
async fn told(runtime: &Runtime, id: InstanceId) -> String {
    let Case { definition, state, entries } = case(runtime, id).await;
    let caller = runtime.calling(&state).await.unwrap();
    let scene = Scene { definition: &definition, state: &state, log: &entries, upcoming: &[], caller: caller.as_ref() };
    let mut text = String::new();
    for lang in [Lang::Zh, Lang::En] {
        let directory = runtime.directory();
        let words = Words {
            lang,
            zone: chrono_tz::Asia::Shanghai,
            home: chrono_tz::Asia::Shanghai,
            now: runtime.now(),
            directory: &directory,
            live: &runtime.definitions(),
        };
        let view = case_view(&scene, &words, Reader { operates: true, ..Reader::default() });
        for moment in &view.timeline {
            text += &format!("{:?}: {}\n", moment.mark, moment.line());
        }
    }
    text
}

async fn history_tells_what_happened_outside(world: World) {
    let runtime = world.shell(&[PATIENT, KEEPER]).await;
    let mut text = String::new();
    // Two attempts fail and it stops; an operator retries, and it is done.
    let id = start(&runtime, "patient", json!({})).await;
    let words = |zh: &str, en: &str| Wording::new(zh, en);
    for _ in 0..2 {
        let held = runtime.fetch_jobs("print", "w1", 1, Duration::ZERO).await.unwrap();
        runtime.fail_job(&lease_id(&held[0]), words("没有纸。", "There is no paper."), false, None).await.unwrap();
        world.pass(TimeDelta::minutes(1));
    }
    text += &format!("# it stopped\n{}", told(&runtime, id).await);
    let retry =
        Command { id: "r".into(), actor: Actor::Operator { user: "root".into() }, ask: Ask::Retry { step: None } };
    runtime.submit(id, retry).await.unwrap();
    let held = runtime.fetch_jobs("print", "w1", 1, Duration::ZERO).await.unwrap();
    let good = from_plain(&json!({ "pages": 3, "file": { "place": "/1" } }));
    runtime.complete_job(&lease_id(&held[0]), good).await.unwrap();
    text += "\n# it went on, fails for good at the next step, and waits\n";
    let held = runtime.fetch_jobs("bind", "w1", 1, Duration::ZERO).await.unwrap();
    runtime.fail_job(&lease_id(&held[0]), words("没有胶水。", "There is no glue."), true, None).await.unwrap();
    text += &told(&runtime, id).await;
    // Who called it is withdrawn.
    let keeper = try_start(&runtime, "keeper", "keep", json!({})).await.unwrap().instance;
    let ask = Ask::Withdraw { reason: Some("No need any more".into()) };
    let withdraw = Command { id: "w".into(), actor: person("ann"), ask };
    runtime.submit(keeper, withdraw).await.unwrap();
    let child = cases(&runtime, "patient").await[1];
    text += &format!("\n# whose caller was withdrawn\n{}", told(&runtime, child).await);
    text += &format!("\n# the caller\n{}", told(&runtime, keeper).await);
    // Who called one that is cancelled by itself goes on.
    let keeper = try_start(&runtime, "keeper", "again", json!({})).await.unwrap().instance;
    text += &format!("\n# a caller\n{}", told(&runtime, keeper).await);
    let child = cases(&runtime, "patient").await[2];
    let actor = Actor::Operator { user: "root".into() };
    runtime.submit(child, Command { id: "c".into(), actor, ask: Ask::Cancel { reason: None } }).await.unwrap();
    text += &format!("\n# whose called case is over\n{}", told(&runtime, keeper).await);
    support::golden(&support::project("tests/records/story.txt"), &text);
}

async fn one_open_case_a_key(world: World) {
    let runtime = world.shell(&[SINGLE]).await;
    let first = start(&runtime, "single", json!({ "customer": "Ruian" })).await;
    let again = try_start(&runtime, "single", "again", json!({ "customer": "Ruian" })).await;
    let named = |denied: Denied| match denied {
        Denied::Refused(Refusal::OpenAlready { reference }, _) => reference.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(named(again.unwrap_err()), "S-001");
    // Others have their own, and of many at once one is first, in whichever process.
    start(&runtime, "single", json!({ "customer": "Other" })).await;
    let there = world.open(Role::Shell).await;
    assert_eq!(named(try_start(&there, "single", "there", json!({ "customer": "Ruian" })).await.unwrap_err()), "S-001");
    let mut many = tokio::task::JoinSet::new();
    for number in 0..8 {
        let runtime = if number % 2 == 0 { runtime.clone() } else { there.clone() };
        many.spawn(
            async move { try_start(&runtime, "single", &format!("m{number}"), json!({ "customer": "New" })).await },
        );
    }
    let done: Vec<bool> = many.join_all().await.into_iter().map(|one| one.is_ok()).collect();
    assert_eq!(done.iter().filter(|ok| **ok).count(), 1);
    // Once it is over, the next may begin.
    let command = Command { id: "w".into(), actor: person("ann"), ask: Ask::Withdraw { reason: None } };
    let (over, next) = tokio::join!(
        runtime.submit(first, command),
        try_start(&runtime, "single", "next", json!({ "customer": "Ruian" }))
    );
    over.unwrap();
    next.unwrap();
}

async fn a_key_that_another_case_has_stops_the_step_that_writes_it(world: World) {
    let runtime = world.shell_with(&[LATE, CODER], |definition| definition.single = definition.key.is_some()).await;
    let mut open = Vec::new();
    for by in ["time", "time", "message", "job", "call"] {
        let begun = try_start(&runtime, "late", &format!("start {}", open.len()), json!({ "by": by })).await;
        open.push(begun.unwrap().instance);
    }
    runtime.dispatch().await.unwrap();
    world.pass(TimeDelta::days(1));
    assert_eq!(runtime.wake_due().await.unwrap(), 3, "two cases and the one that was called");
    runtime.dispatch().await.unwrap();
    runtime.message("m", "told", None, from_plain(&json!({ "code": "K1" }))).await.unwrap();
    let held = runtime.fetch_jobs("ask", "w", 1, Duration::ZERO).await.unwrap();
    runtime.complete_job(&lease_id(&held[0]), from_plain(&json!({ "code": "K1" }))).await.unwrap();
    let mut held_back = Vec::new();
    for id in &open {
        let now = state(&runtime, *id).await;
        assert_eq!(now.has_incident(), now.key.is_none(), "{now:?}");
        held_back.extend(now.has_incident().then_some(*id));
    }
    assert_eq!(held_back.len(), 4, "one has the key, and an operator sees the others");
    assert_eq!(runtime.wake_due().await.unwrap(), 0);
    // Who tries again is told which one is open, until that is over.
    let retry = |id: &str| Command {
        id: id.into(),
        actor: Actor::Operator { user: "root".into() },
        ask: Ask::Retry { step: None },
    };
    let first = open.iter().find(|id| !held_back.contains(id)).unwrap();
    let timed = *open[..2].iter().find(|id| held_back.contains(id)).unwrap();
    let again = runtime.submit(timed, retry("r1")).await.unwrap_err();
    assert!(matches!(again, Denied::Refused(Refusal::OpenAlready { .. }, _)), "{again:?}");
    let command = Command { id: "w".into(), actor: person("ann"), ask: Ask::Withdraw { reason: None } };
    runtime.submit(*first, command).await.unwrap();
    runtime.submit(timed, retry("r2")).await.unwrap();
    assert!(!state(&runtime, timed).await.has_incident());
}

async fn a_schedule_starts_each_case_once(world: World) {
    let runtime = world.shell(&[WEEKLY]).await;
    assert_eq!(runtime.start_due().await.unwrap(), 0, "a new schedule has missed nothing");
    world.pass(TimeDelta::days(4));
    assert_eq!(runtime.start_due().await.unwrap(), 0, "Friday morning");
    world.pass(TimeDelta::hours(8));
    assert_eq!(runtime.start_due().await.unwrap(), 2, "one for each clerk");
    assert_eq!(runtime.start_due().await.unwrap(), 0);
    runtime.shutdown().await;
    // Nobody was there for two weeks.
    world.pass(TimeDelta::days(14));
    let later = world.open(Role::Shell).await;
    assert_eq!(later.start_due().await.unwrap(), 4);
    assert_eq!(later.start_due().await.unwrap(), 0);
    let cases = cases(&later, "weekly").await;
    let begun = state(&later, cases[0]).await;
    assert_eq!(cases.len(), 6);
    assert_eq!(begun.tasks.len(), 1, "what its form lacks is asked first");
}
