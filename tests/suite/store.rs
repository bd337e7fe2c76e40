//! What every store promises, through the runtime: one suite, run on memory and on a SQLite file. A second
//! `Runtime` on the same store stands for a second process.

use chrono::{DateTime, TimeDelta, Utc};
use countersign::bench::flow;
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::event::{Closed, Event};
use countersign::engine::refusal::Refusal;
use countersign::engine::state::State;
use countersign::engine::{Facts, apply, decide};
use countersign::model::definition::Definition;
use countersign::model::id::{CommandId, InstanceId, ProcessId, TaskId};
use countersign::model::people::Directory;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Value};
use countersign::runtime::{
    Accepted, AssignmentState, Clock, Database, Delivery, Denied, Deployment, Found, InstanceFilter, Kind, Options,
    OutboxFilter, Role, Runtime, Settled, Settlement, Standing, TaskFilter,
};
use countersign::store::memory::Memory;
use countersign::store::record::Head;
use countersign::store::{Batch, open_file, open_memory};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// A store with a clock; processes are opened on it.
struct World {
    database: Database,
    clock: Clock,
    folder: TempDir,
}

fn noon() -> DateTime<Utc> {
    "2026-11-24T04:00:00Z".parse().unwrap()
}

impl World {
    fn memory() -> World {
        let folder = TempDir::new().unwrap();
        World { database: Database::Memory(Memory::default()), clock: Clock::fixed(noon()), folder }
    }

    fn sqlite() -> World {
        let folder = TempDir::new().unwrap();
        World { database: Database::File(folder.path().join("test.db")), clock: Clock::fixed(noon()), folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    async fn process(&self) -> Runtime {
        self.open(Role::Shell).await
    }

    async fn open(&self, role: Role) -> Runtime {
        Runtime::open(Options { database: self.database.clone(), clock: self.clock.clone(), role }).await.unwrap()
    }

    /// A process with the approval run live.
    async fn deployed(&self) -> Runtime {
        let runtime = self.process().await;
        runtime.deploy(deployment()).await.unwrap();
        runtime
    }

    fn pass(&self, time: TimeDelta) {
        self.clock.set(self.clock.now() + time);
    }
}

fn definition() -> Definition {
    flow::definition(&flow::directory()).unwrap()
}

fn deployment() -> Deployment {
    Deployment {
        definitions: vec![definition()],
        directory: flow::directory(),
        calendar: Calendar::default(),
        metrics: Vec::new(),
        note: "test".into(),
    }
}

fn process() -> ProcessId {
    flow::PROCESS.into()
}

async fn start(runtime: &Runtime, number: usize) -> Accepted {
    let command = flow::start(number, format!("start {number}").into());
    runtime.start(&process(), command).await.unwrap()
}

async fn approve(runtime: &Runtime, state: &State, id: &str) -> Result<Accepted, Denied> {
    runtime.submit(state.id, flow::approve(state, id.into()).unwrap()).await
}

fn comment(person: &str, text: &str, id: impl Into<CommandId>) -> Command {
    let actor = Actor::Person { id: person.into(), via: Via::Scenario };
    Command { id: id.into(), actor, ask: Ask::Comment { text: text.into() } }
}

/// The log of an instance folds to what the runtime says, its chain holds, and its rows say the same.
async fn sound(runtime: &Runtime, instance: InstanceId) -> State {
    let case = runtime.case(instance).await.unwrap().unwrap();
    let folded = case.entries.iter().fold(None, |state, entry| Some(apply(state, entry).unwrap())).unwrap();
    assert_eq!(folded, *case.state);
    assert_eq!(case.entries.len(), case.state.revision as usize);
    assert_eq!(runtime.verify(instance).await.unwrap(), Some(Ok(())));
    let rows = runtime.instances(&InstanceFilter { limit: 1_000, ..InstanceFilter::default() }).await.unwrap();
    let row = rows.iter().find(|row| row.id == instance).unwrap();
    assert_eq!((row.revision, &row.ended, row.wake_at), (folded.revision, &folded.ended, folded.wake_at()));
    for task in folded.tasks.values() {
        for one in &task.assignments {
            let row = runtime.assignment(one.id).await.unwrap().unwrap();
            assert_eq!((row.state, row.nonce, row.round), (AssignmentState::Open, one.nonce, task.round));
        }
    }
    let queued = case.entries.iter().flat_map(|entry| &entry.events);
    let queued = queued.filter(|event| matches!(event, Event::MailQueued { .. })).count();
    let filter = OutboxFilter { instance: Some(instance), limit: 1_000, ..OutboxFilter::default() };
    assert_eq!(runtime.mails(&filter).await.unwrap().len(), queued, "every mail that was queued has its row");
    folded
}

/// Each function below, once a store.
macro_rules! suite {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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

suite! {
    a_case_runs_to_its_end,
    what_is_refused_writes_nothing,
    nothing_is_known_of_an_unknown_instance,
    a_stale_refusal_is_decided_again_from_the_file,
    a_second_process_writes_in_between,
    a_batch_that_fails_takes_nobody_with_it,
    the_same_command_twice_in_one_batch_is_done_once,
    a_command_is_known_after_a_restart,
    a_task_opened_and_closed_in_one_batch_leaves_no_assignment,
    a_hundred_answers_decide_once,
    numbers_have_no_gaps,
    a_timer_fires_once_and_never_early,
    a_server_fires_timers_by_itself,
    the_same_content_is_no_new_deployment,
    another_process_sees_what_is_live,
    a_long_log_is_read_through_a_snapshot,
    mail_is_leased_settled_and_sent_again,
    mail_of_a_closed_task_is_skipped,
    lists_show_what_is_asked_for,
    found_by_number_or_by_the_beginning_of_an_id,
    a_shut_down_runtime_says_so,
}

async fn a_case_runs_to_its_end(world: World) {
    let runtime = world.deployed().await;
    let started = start(&runtime, 1).await;
    assert_eq!(started.state.number.as_ref().unwrap().as_str(), "B-2026-000001");
    let first = approve(&runtime, &started.state, "a").await.unwrap();
    let second = approve(&runtime, &first.state, "b").await.unwrap();
    assert_eq!(second.state.ended.as_ref().unwrap().outcome.as_str(), "granted");
    let state = sound(&runtime, started.instance).await;
    assert_eq!(state, *second.state);
    assert_eq!(state.data.get("booked"), state.data.get("amount"));
    runtime.shutdown().await;

    let again = world.process().await;
    assert_eq!(sound(&again, started.instance).await, state, "what was answered is there after a restart");
}

async fn what_is_refused_writes_nothing(world: World) {
    let runtime = world.deployed().await;
    let started = start(&runtime, 1).await;
    let mut bad = flow::start(2, "bad".into());
    if let Ask::Start { data } = &mut bad.ask {
        data.insert("quantity".into(), Value::text("many"));
    }
    assert!(matches!(runtime.start(&process(), bad).await, Err(Denied::Refused(Refusal::BadForm(_), None))));
    let nobody = comment("nobody", "hello", "c");
    let denied = runtime.submit(started.instance, nobody).await.unwrap_err();
    assert!(
        matches!(denied, Denied::Refused(Refusal::NotInvolved(_) | Refusal::UnknownPerson(_), Some(_))),
        "{denied:?}"
    );
    assert_eq!(sound(&runtime, started.instance).await, *started.state);
    assert_eq!(runtime.counts().await.unwrap().open, 1);
    let unknown = runtime.start(&"nothing".into(), flow::start(3, "x".into())).await.unwrap_err();
    assert!(matches!(unknown, Denied::NoProcess { known, .. } if known == [process()]));
}

async fn nothing_is_known_of_an_unknown_instance(world: World) {
    let runtime = world.deployed().await;
    let id = InstanceId::parse("00000000000000000000000000000001").unwrap();
    assert!(runtime.case(id).await.unwrap().is_none());
    let denied = runtime.submit(id, comment("clerk-1", "hello", "c")).await.unwrap_err();
    assert!(matches!(denied, Denied::Refused(Refusal::NoInstance, None)));
}

async fn a_stale_refusal_is_decided_again_from_the_file(world: World) {
    let (one, other) = (world.deployed().await, world.process().await);
    let started = start(&one, 1).await;
    // The other process approves the first step; this one still has the case before it in its cache.
    let first = approve(&other, &started.state, "a").await.unwrap();
    let command = flow::approve(&first.state, "b".into()).unwrap();
    let done = one.submit(started.instance, command).await.unwrap();
    assert!(done.state.ended.is_some(), "from the cache alone there would be no such task");
    sound(&one, started.instance).await;
}

async fn a_second_process_writes_in_between(world: World) {
    let (one, other) = (world.deployed().await, world.process().await);
    let started = start(&one, 1).await;
    let mut applicant = flow::applicant(1).to_string();
    for round in 0..20 {
        let text = format!("comment {round}");
        let by = if round % 2 == 0 { &one } else { &other };
        by.submit(started.instance, comment(&applicant, &text, text.as_str())).await.unwrap();
    }
    applicant.clear();
    let state = sound(&other, started.instance).await;
    assert_eq!(state.revision, 21);
    let done = approve(&one, &state, "a").await.unwrap();
    assert_eq!(done.state.revision, 22);
    // A stale acceptance: this process does not know of the approval, and is told what happened instead.
    let late = flow::approve(&state, "late".into()).unwrap();
    let denied = other.submit(started.instance, late).await.unwrap_err();
    assert!(matches!(&denied, Denied::Refused(_, Some(now)) if now.revision == 22), "{denied:?}");
    assert_eq!(sound(&one, started.instance).await, *done.state);
}

async fn a_batch_that_fails_takes_nobody_with_it(world: World) {
    let (one, other) = (world.deployed().await, world.process().await);
    let mut cases = Vec::new();
    for number in 0..40 {
        cases.push(start(&one, number).await.state);
    }
    // Another process moves some of them. This one has all of them in its cache as they were: each batch that
    // holds one of these fails, with further ones decided on top of it.
    for state in cases.iter().step_by(10) {
        approve(&other, state, "elsewhere").await.unwrap();
    }
    let mut asked = JoinSet::new();
    for (number, state) in cases.iter().enumerate() {
        for round in 0..10 {
            let (runtime, id) = (one.clone(), state.id);
            let command = comment(flow::applicant(number).as_str(), "busy", format!("c {round}"));
            asked.spawn(async move { (number, runtime.submit(id, command).await) });
        }
        let (runtime, state) = (one.clone(), state.clone());
        asked.spawn(async move { (number, approve(&runtime, &state, "here").await) });
    }
    let (mut accepted, mut refused) = (0, Vec::new());
    while let Some(done) = asked.join_next().await {
        match done.unwrap() {
            (_, Ok(done)) => accepted += usize::from(!done.repeated),
            (number, Err(Denied::Refused(_, Some(state)))) => refused.push((number, state)),
            (number, Err(denied)) => panic!("case {number}: {denied:?}"),
        }
    }
    refused.sort_by_key(|(number, _)| *number);
    assert_eq!(refused.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 10, 20, 30]);
    assert_eq!(accepted, 40 * 11 - 4);
    for (number, state) in cases.iter().enumerate() {
        let now = sound(&one, state.id).await;
        assert_eq!(now.revision, 12, "case {number}: start, ten comments, one approval");
    }
}

async fn the_same_command_twice_in_one_batch_is_done_once(world: World) {
    let runtime = world.deployed().await;
    let process = process();
    let (a, b, c) = tokio::join!(
        runtime.start(&process, flow::start(1, "once".into())),
        runtime.start(&process, flow::start(1, "once".into())),
        runtime.start(&process, flow::start(2, "other".into())),
    );
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    assert_eq!((a.instance, &a.entry), (b.instance, &b.entry));
    assert!(!a.repeated && b.repeated && !c.repeated && a.instance != c.instance);

    let approval = || flow::approve(&a.state, "click".into()).unwrap();
    let (x, y) = tokio::join!(runtime.submit(a.instance, approval()), runtime.submit(a.instance, approval()));
    let (x, y) = (x.unwrap(), y.unwrap());
    assert_eq!(x.entry, y.entry);
    assert!(!x.repeated && y.repeated);
    // Long after, and with others in between.
    runtime.submit(a.instance, comment(flow::applicant(1).as_str(), "thanks", "c")).await.unwrap();
    let z = runtime.submit(a.instance, approval()).await.unwrap();
    assert!(z.repeated && z.entry == x.entry && z.state.revision == 3);
    assert_eq!(runtime.counts().await.unwrap().open, 2);
}

async fn a_command_is_known_after_a_restart(world: World) {
    let runtime = world.deployed().await;
    let first = start(&runtime, 1).await;
    approve(&runtime, &first.state, "a").await.unwrap();
    runtime.shutdown().await;
    let runtime = world.process().await;
    let mut others = JoinSet::new();
    for number in 10..30 {
        let runtime = runtime.clone();
        others.spawn(async move { start(&runtime, number).await });
    }
    let again = start(&runtime, 1).await;
    assert!(again.repeated);
    assert_eq!((again.instance, &again.entry), (first.instance, &first.entry));
    assert_eq!(again.state.revision, 2);
    let click = approve(&runtime, &first.state, "a").await.unwrap();
    assert!(click.repeated && click.entry.revision == 2);
    let others = others.join_all().await;
    assert!(others.iter().all(|one| !one.repeated), "the one repeat fails nobody else");
    sound(&runtime, first.instance).await;
}

async fn a_task_opened_and_closed_in_one_batch_leaves_no_assignment(world: World) {
    // Two commands pushed into one batch by hand: a start, which opens a task, and a withdrawal, which closes it.
    let (definition, directory, calendar) = (definition(), flow::directory(), Calendar::default());
    let facts = |seed| Facts { now: noon(), directory: &directory, calendar: &calendar, sequence: 1, seed: [seed; 16] };
    let begun = decide(&definition, None, &flow::start(1, "s".into()), &facts(1)).unwrap();
    let actor = Actor::Person { id: flow::applicant(1), via: Via::Scenario };
    let withdraw = Command { id: "w".into(), actor, ask: Ask::Withdraw { reason: None } };
    let over = decide(&definition, Some(&begun.state), &withdraw, &facts(2)).unwrap();
    let mut batch = Batch::default();
    let (head, _) = batch.push(&definition, &begun.entry, None, &begun.state, &Head::default(), [1; 16]);
    batch.push(&definition, &over.entry, Some(&begun.state), &over.state, &head, [2; 16]);
    assert_eq!((batch.entries.len(), batch.begun.len(), batch.moved.len()), (2, 1, 0));
    assert_eq!((batch.opened.len(), batch.over.len()), (0, 0));

    let mut opened = match &world.database {
        Database::File(path) => open_file(path).await.unwrap(),
        Database::Memory(memory) => open_memory(memory),
    };
    opened.writer.commit(&batch).await.unwrap();
    let task = begun.state.tasks.values().next().unwrap();
    assert_eq!(opened.store.assignment(task.assignments[0].id).await.unwrap(), None);
    let mails = opened.store.mails(&OutboxFilter::default()).await.unwrap();
    let asked: Vec<_> = mails.iter().filter(|mail| mail.kind.asks().is_some()).collect();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|mail| mail.state == Delivery::Skipped));
    assert_eq!(opened.writer.commit(&batch).await.unwrap_err().kind, Kind::Conflict, "the key is the guard");
    assert_eq!(opened.store.log(begun.state.id).await.unwrap().len(), 2);
}

async fn a_hundred_answers_decide_once(world: World) {
    let (one, other) = (world.deployed().await, world.process().await);
    let started = start(&one, 1).await;
    let mut clicks = JoinSet::new();
    for number in 0..100 {
        let runtime = if number % 2 == 0 { one.clone() } else { other.clone() };
        let state = started.state.clone();
        clicks.spawn(async move { approve(&runtime, &state, &format!("click {number}")).await });
    }
    let done = clicks.join_all().await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    for denied in done.into_iter().filter_map(Result::err) {
        let told = matches!(
            &denied,
            Denied::Refused(Refusal::AlreadyAnswered { .. } | Refusal::TaskClosed(_) | Refusal::NotAssigned { .. }, _)
        );
        assert!(told, "{denied:?}");
    }
    assert_eq!(sound(&one, started.instance).await.revision, 2);
}

async fn numbers_have_no_gaps(world: World) {
    let (one, other) = (world.deployed().await, world.process().await);
    let mut starts = JoinSet::new();
    for number in 0..60 {
        let runtime = if number % 3 == 0 { other.clone() } else { one.clone() };
        let mut command = flow::start(number, format!("s {number}").into());
        if let Ask::Start { data } = &mut command.ask
            && number % 5 == 0
        {
            data.shift_remove("customer");
        }
        starts.spawn(async move { runtime.start(&process(), command).await });
    }
    let mut numbers: Vec<String> = Vec::new();
    while let Some(done) = starts.join_next().await {
        match done.unwrap() {
            Ok(started) => numbers.push(started.state.number.as_ref().unwrap().to_string()),
            Err(Denied::Refused(Refusal::BadForm(_), None)) => {}
            Err(denied) => panic!("{denied:?}"),
        }
    }
    numbers.sort();
    let expected: Vec<String> = (1..=48).map(|number| format!("B-2026-{number:06}")).collect();
    assert_eq!(numbers, expected);
}

async fn a_timer_fires_once_and_never_early(world: World) {
    let (one, other) = (world.deployed().await, world.process().await);
    let started = start(&one, 1).await;
    let due = started.state.wake_at().unwrap();
    world.clock.set(due - TimeDelta::milliseconds(1));
    assert_eq!(one.wake_due().await.unwrap(), 0);
    world.clock.set(due);
    let (a, b) = tokio::join!(one.wake_due(), other.wake_due());
    assert_eq!(a.unwrap() + b.unwrap(), 1);
    assert_eq!(other.wake_due().await.unwrap(), 0);
    let state = sound(&one, started.instance).await;
    let case = one.case(started.instance).await.unwrap().unwrap();
    let fired = case.entries.iter().flat_map(|entry| &entry.events);
    assert_eq!(fired.filter(|event| matches!(event, Event::TimerFired { .. })).count(), 1);
    assert_eq!(state.wake_at(), None);
}

async fn a_server_fires_timers_by_itself(world: World) {
    let runtime = world.deployed().await;
    runtime.shutdown().await;
    let server = world.open(Role::Server).await;
    // Another process starts the case; the server learns of its timer.
    let shell = world.process().await;
    let started = start(&shell, 1).await;
    let mut changed = server.changed();
    world.clock.set(started.state.wake_at().unwrap());
    let reminded = async {
        while server.case(started.instance).await.unwrap().unwrap().state.revision < 2 {
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reminded).await.expect("the server wakes the case");
    sound(&shell, started.instance).await;
    server.shutdown().await;
}

async fn the_same_content_is_no_new_deployment(world: World) {
    let runtime = world.process().await;
    assert_eq!(runtime.live().number, 0);
    let first = runtime.deploy(deployment()).await.unwrap();
    assert!(first.changed);
    assert_eq!(first.live.number, 1);
    let same = runtime.deploy(Deployment { note: "again".into(), ..deployment() }).await.unwrap();
    assert!(!same.changed);
    assert_eq!(same.live.number, 1);
    let mut directory = flow::directory();
    directory.people.shift_remove("clerk-9");
    let other = runtime.deploy(Deployment { directory, ..deployment() }).await.unwrap();
    assert!(other.changed);
    assert_eq!((other.live.number, other.live.definitions.len()), (2, 1));
    assert_eq!(*other.live.definitions[0], definition());
}

async fn another_process_sees_what_is_live(world: World) {
    let (one, other) = (world.process().await, world.process().await);
    let denied = other.start(&process(), flow::start(1, "early".into())).await.unwrap_err();
    assert!(matches!(denied, Denied::NoProcess { .. }));
    one.deploy(deployment()).await.unwrap();
    other.look().await.unwrap();
    assert_eq!(other.live().number, 1);
    let started = start(&other, 1).await;
    // An instance stays on its definition when that is no longer live.
    one.deploy(Deployment { definitions: Vec::new(), ..deployment() }).await.unwrap();
    other.look().await.unwrap();
    assert!(other.definitions().is_empty());
    assert!(approve(&other, &started.state, "a").await.is_ok());
    let third = world.process().await;
    assert_eq!(*third.version(&started.state.version).await.unwrap().unwrap(), definition());
    sound(&third, started.instance).await;
}

async fn a_long_log_is_read_through_a_snapshot(world: World) {
    let runtime = world.deployed().await;
    let started = start(&runtime, 1).await;
    let (applicant, text) = (flow::applicant(1), "long ".repeat(300));
    for round in 0..60 {
        let command = comment(applicant.as_str(), &text, format!("c {round}"));
        runtime.submit(started.instance, command).await.unwrap();
    }
    runtime.shutdown().await;
    let mut opened = match &world.database {
        Database::File(path) => open_file(path).await.unwrap(),
        Database::Memory(memory) => open_memory(memory),
    };
    let wanted = countersign::store::Wanted { instance: started.instance, known: 0 };
    let loaded = opened.loader.load(&[wanted]).await.unwrap().pop().unwrap();
    assert!(loaded.snapshot.is_some() && loaded.entries.len() < 61);
    assert_eq!(loaded.entries.len() + loaded.commands.len(), 61);
    drop(opened);

    let runtime = world.process().await;
    let repeat = runtime.submit(started.instance, comment(applicant.as_str(), &text, "c 0")).await.unwrap();
    assert!(repeat.repeated, "a command before the snapshot is known");
    assert_eq!(*repeat.state, sound(&runtime, started.instance).await, "the snapshot is the fold");
    approve(&runtime, &started.state, "a").await.unwrap();
    sound(&runtime, started.instance).await;
}

async fn mail_is_leased_settled_and_sent_again(world: World) {
    let runtime = world.deployed().await;
    let started = start(&runtime, 1).await;
    let lease = Duration::from_secs(60);
    let leased = runtime.lease(10, lease).await.unwrap();
    assert_eq!(leased.len(), 1);
    let mail = &leased[0];
    assert_eq!((mail.state, mail.attempt, mail.to.as_str()), (Delivery::Pending, 1, flow::FIRST.1));
    assert!(runtime.lease(10, lease).await.unwrap().is_empty(), "nobody else gets it");
    assert_eq!(runtime.mail_due().await.unwrap(), Some(noon() + TimeDelta::seconds(60)));
    let settle = |attempt, how| vec![Settlement { instance: mail.instance, mail: mail.mail, attempt, how }];
    let prepared = Settled::Prepared { address: "a@x".into(), message_id: "m@x".into(), parts: b"bytes".to_vec() };
    let mut both = settle(1, prepared);
    both.extend(settle(1, Settled::Sending));
    assert_eq!(runtime.settle(both).await.unwrap(), 2);

    // The process dies while it sends: after the lease, the same bytes go again.
    world.pass(TimeDelta::seconds(61));
    let again = runtime.lease(10, lease).await.unwrap().pop().unwrap();
    assert_eq!((again.state, again.attempt, again.possibly_twice), (Delivery::Sending, 2, true));
    assert_eq!((again.parts.as_deref(), again.message_id.as_deref()), (Some(&b"bytes"[..]), Some("m@x")));
    assert_eq!(runtime.settle(settle(1, Settled::Accepted { reply: "late".into() })).await.unwrap(), 0);
    let at = runtime.now() + TimeDelta::minutes(5);
    let retry = Settled::Retry { at, reply: "451".into(), possibly_twice: false };
    assert_eq!(runtime.settle(settle(2, retry)).await.unwrap(), 1);
    assert!(runtime.lease(10, lease).await.unwrap().is_empty());
    world.clock.set(at);
    let third = runtime.lease(10, lease).await.unwrap().pop().unwrap();
    assert_eq!((third.state, third.attempt), (Delivery::Retry, 3));
    assert_eq!(runtime.settle(settle(3, Settled::Accepted { reply: "250 ok".into() })).await.unwrap(), 1);
    let row = runtime.mail(mail.instance, mail.mail).await.unwrap().unwrap();
    assert_eq!((row.state, row.reply.as_deref(), row.settled_at), (Delivery::Accepted, Some("250 ok"), Some(at)));
    assert_eq!(runtime.mail_due().await.unwrap(), None);

    assert!(runtime.requeue(mail.instance, mail.mail).await.unwrap());
    assert!(!runtime.requeue(mail.instance, mail.mail).await.unwrap());
    let resent = runtime.lease(10, lease).await.unwrap().pop().unwrap();
    assert_eq!((resent.state, resent.parts.as_deref()), (Delivery::Retry, Some(&b"bytes"[..])));
    assert_eq!(runtime.settle(settle(4, Settled::Failed { reply: "550".into() })).await.unwrap(), 1);
    assert_eq!(runtime.counts().await.unwrap().mails_failed, 1);
    sound(&runtime, started.instance).await;
}

async fn mail_of_a_closed_task_is_skipped(world: World) {
    let runtime = world.deployed().await;
    let started = start(&runtime, 1).await;
    let first = approve(&runtime, &started.state, "a").await.unwrap();
    let leased = runtime.lease(10, Duration::from_secs(60)).await.unwrap();
    assert!(leased.iter().all(|mail| mail.kind.asks().is_none_or(|(task, _)| task != TaskId(0))), "{leased:?}");
    assert!(leased.iter().any(|mail| mail.to.as_str() == flow::SECOND.1));
    assert_eq!(leased[0].priority, 0, "what asks goes first");
    let skipped = OutboxFilter { state: Some(Delivery::Skipped), ..OutboxFilter::default() };
    let skipped = runtime.mails(&skipped).await.unwrap();
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].to.as_str(), flow::FIRST.1);
    sound(&runtime, first.instance).await;
}

async fn lists_show_what_is_asked_for(world: World) {
    let runtime = world.deployed().await;
    let mut states = Vec::new();
    for number in 0..6 {
        world.pass(TimeDelta::seconds(1));
        states.push(start(&runtime, number).await.state);
    }
    let first = approve(&runtime, &states[0], "a").await.unwrap();
    approve(&runtime, &first.state, "b").await.unwrap();
    let list = async |filter: InstanceFilter| -> Vec<InstanceId> {
        runtime.instances(&filter).await.unwrap().into_iter().map(|row| row.id).collect()
    };
    let ids: Vec<InstanceId> = states.iter().map(|state| state.id).collect();
    let newest: Vec<InstanceId> = ids.iter().rev().copied().collect();
    assert_eq!(list(InstanceFilter::default()).await, newest);
    let page = runtime.instances(&InstanceFilter { limit: 2, ..InstanceFilter::default() }).await.unwrap();
    let before = Some(page[1].row);
    assert_eq!(list(InstanceFilter { limit: 2, before, ..InstanceFilter::default() }).await, newest[2..4]);
    let open = InstanceFilter { standing: Some(Standing::Open), ..InstanceFilter::default() };
    assert_eq!(list(open.clone()).await, newest[..5]);
    assert_eq!(list(InstanceFilter { process: Some(process()), ..open }).await, newest[..5]);
    assert_eq!(list(InstanceFilter { outcome: Some("granted".into()), ..InstanceFilter::default() }).await, ids[..1]);
    let ended = InstanceFilter { standing: Some(Standing::Ended), ..InstanceFilter::default() };
    assert_eq!(list(ended).await, ids[..1]);
    let incidents = InstanceFilter { standing: Some(Standing::Incident), ..InstanceFilter::default() };
    assert!(list(incidents).await.is_empty());
    let of = InstanceFilter { applicant: Some(flow::applicant(3)), ..InstanceFilter::default() };
    assert_eq!(list(of).await, ids[3..4]);
    let key = InstanceFilter { key: Some("Customer 4".into()), ..InstanceFilter::default() };
    assert_eq!(list(key).await, ids[4..5]);
    let row = &runtime.instances(&InstanceFilter::default()).await.unwrap()[0];
    assert_eq!(row.steps, ["first".into()]);
    assert_eq!(row.headline, states[5].headline);

    let tasks = |person: &str| TaskFilter { person: Some(person.into()), ..TaskFilter::default() };
    let mine = runtime.tasks(&tasks(flow::FIRST.1)).await.unwrap();
    assert_eq!(mine.iter().map(|row| row.instance.id).collect::<Vec<_>>(), newest[..5]);
    assert!(runtime.tasks(&tasks(flow::SECOND.1)).await.unwrap().is_empty());
    let counts = runtime.counts().await.unwrap();
    assert_eq!((counts.open, counts.ended, counts.incidents, counts.tasks), (5, 1, 0, 5));
}

async fn found_by_number_or_by_the_beginning_of_an_id(world: World) {
    let runtime = world.deployed().await;
    let (a, b) = (start(&runtime, 1).await, start(&runtime, 2).await);
    let one = |found: Found| match found {
        Found::One(row) => row.id,
        other => panic!("{other:?}"),
    };
    assert_eq!(one(runtime.find("B-2026-000001").await.unwrap()), a.instance);
    assert_eq!(one(runtime.find(" b-2026-000002 ").await.unwrap()), b.instance);
    assert_eq!(one(runtime.find(&a.instance.to_string()).await.unwrap()), a.instance);
    assert_eq!(one(runtime.find(&b.instance.to_string()[..31]).await.unwrap()), b.instance);
    assert!(matches!(runtime.find("B-2026").await.unwrap(), Found::Many(rows) if rows.len() == 2));
    for nothing in ["", "zzz", "B-2027", "%", "-"] {
        assert_eq!(runtime.find(nothing).await.unwrap(), Found::None, "{nothing:?}");
    }
}

async fn a_shut_down_runtime_says_so(world: World) {
    let runtime = world.deployed().await;
    let other = runtime.clone();
    runtime.shutdown().await;
    let denied = other.start(&process(), flow::start(1, "x".into())).await.unwrap_err();
    assert!(matches!(denied, Denied::Unavailable(error) if error.kind == Kind::Closed));
}

// What only a file can do.

#[tokio::test]
async fn a_file_that_is_not_ours_is_left_alone() {
    let world = World::sqlite();
    let opens = async || match open_file(&world.file()).await {
        Ok(_) => panic!("it must not open"),
        Err(error) => error,
    };
    std::fs::write(world.file(), "this is a text and no database, for more than a hundred bytes ".repeat(20)).unwrap();
    assert_eq!(opens().await.kind, Kind::NotOurs);
    std::fs::remove_file(world.file()).unwrap();
    std::fs::create_dir(world.file()).unwrap();
    assert_eq!(opens().await.kind, Kind::CannotOpen);
    let nowhere = world.folder.path().join("no/such/folder/x.db");
    let error = open_file(&nowhere).await.err().unwrap();
    assert_eq!(error.kind, Kind::CannotOpen);
    assert!(error.what.zh.contains("no/such/folder") && error.what.en.contains("folder exists"));
}

async fn sql(world: &World, text: &'static str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(world.file()).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let world = World::sqlite();
    sql(&world, "CREATE TABLE theirs (x)").await.close().await.unwrap();
    let before = std::fs::read(world.file()).unwrap();
    assert_eq!(open_file(&world.file()).await.err().unwrap().kind, Kind::NotOurs);
    assert_eq!(std::fs::read(world.file()).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let world = World::sqlite();
    world.deployed().await.shutdown().await;
    sql(&world, "PRAGMA user_version = 99").await.close().await.unwrap();
    let error = open_file(&world.file()).await.err().unwrap();
    assert_eq!(error.kind, Kind::NewerSchema);
    assert!(error.what.zh.contains("99") && error.what.en.contains("Upgrade the program"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_waits_for_another_program() {
    let world = World::sqlite();
    let runtime = world.deployed().await;
    let mut other = sql(&world, "BEGIN IMMEDIATE").await;
    let waiting = tokio::spawn({
        let runtime = runtime.clone();
        async move { start(&runtime, 1).await }
    });
    assert_eq!(runtime.counts().await.unwrap().open, 0, "reading goes on");
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let started = waiting.await.unwrap();
    sound(&runtime, started.instance).await;
}

#[tokio::test]
async fn one_file_has_one_server() {
    let world = World::sqlite();
    let server = world.open(Role::Server).await;
    let options = Options { database: world.database.clone(), clock: Clock::System, role: Role::Server };
    assert_eq!(Runtime::open(options.clone()).await.unwrap_err().kind, Kind::OtherServer);
    world.process().await.shutdown().await;
    server.shutdown().await;
    // The thread gives the lock up as it ends.
    for _ in 0..1_000 {
        if let Ok(next) = Runtime::open(options.clone()).await {
            return next.shutdown().await;
        }
        tokio::task::yield_now().await;
    }
    panic!("the lock was not given up");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::sqlite();
    let runtime = world.deployed().await;
    start(&runtime, 1).await;
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", entry.path().display());
    }
}

#[tokio::test]
async fn forgetting_what_is_personal_leaves_a_log_that_folds_and_verifies() {
    let world = World::memory();
    let runtime = world.deployed().await;
    let started = start(&runtime, 1).await;
    let done = approve(&runtime, &started.state, "a").await.unwrap();
    let Database::Memory(memory) = &world.database else { unreachable!() };
    let store = open_memory(memory).store;
    let mut log = store.log(started.instance).await.unwrap();
    let head = store.head(started.instance).await.unwrap().unwrap();
    log.iter_mut().for_each(countersign::store::record::StoredEntry::forget);
    assert_eq!(countersign::store::record::verify_chain(started.instance, &log, Some(&head)), Ok(head));
    let folded = log.iter().fold(None, |state, stored| {
        Some(apply(state, &countersign::store::record::read_entry(stored).unwrap()).unwrap())
    });
    let folded = folded.unwrap();
    assert_eq!(folded.data, Record::new());
    assert_eq!(folded.tasks.keys().collect::<Vec<_>>(), done.state.tasks.keys().collect::<Vec<_>>());
    assert!(matches!(folded.closed.values().next().unwrap().how, Closed::Decided(_)));
    let _: (Arc<Directory>, &Record) = (runtime.directory(), &folded.data);
}
