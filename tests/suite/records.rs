//! The stored forms: whatever can be written reads back the same, and every layout ever released still does.

use chrono::{DateTime, TimeDelta, Utc};
use countersign::bench::flow;
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::event::{Closed, Entry, Event, OpenedAssignment, OpenedTask, Trouble};
use countersign::engine::fingerprint::Fingerprint;
use countersign::engine::state::{
    Caller, Ended, Ending, MailKind, Owner, Part, Request, Row, Running, Scope, State, StepResult, TaskKind, Timer,
    TimerKind, Token, Undoable, Waiting,
};
use countersign::engine::{Facts, apply, decide};
use countersign::model::definition::{Mode, Nobody};
use countersign::model::id::{AssignmentId, InstanceId, MailId, ScopeId, TaskId, TimerId, TokenId, Version};
use countersign::model::text::{Text, Wording};
use countersign::model::time::{Calendar, Duration};
use countersign::model::value::{Record, Value};
use countersign::store::record::{
    BrokenChain, Head, StoredEntry, Why, read_entry, read_state, verify_chain, write_entry, write_state,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// A log as it stands in `tests/records/`: never rewritten once it was released.
#[derive(Serialize, Deserialize)]
struct Golden {
    about: String,
    instance: InstanceId,
    head: String,
    entries: Vec<StoredEntry>,
    /// The fold of the entries, as a snapshot.
    state: serde_json::Value,
}

#[test]
fn every_layout_ever_released_decodes_verifies_and_folds() {
    let folder = crate::support::project("tests/records/v1");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for (name, golden) in [("approval", approval()), ("everything", everything()), ("control_flow", everything())] {
            let path = folder.join(format!("{name}.json"));
            if !path.exists() {
                std::fs::write(path, serde_json::to_string_pretty(&golden).unwrap() + "\n").unwrap();
            }
        }
    }
    let files = crate::support::files(&folder, ".json");
    assert!(files.len() >= 3);
    for path in files {
        let golden: Golden = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let head = Head::parse(&golden.head).unwrap();
        assert_eq!(verify_chain(golden.instance, &golden.entries, Some(&head)), Ok(head), "{}", path.display());
        let entries: Vec<Entry> = golden.entries.iter().map(|stored| read_entry(stored).unwrap()).collect();
        if golden.state.is_null() {
            continue;
        }
        let folded = entries.iter().fold(None, |state, entry| Some(apply(state, entry).unwrap())).unwrap();
        assert_eq!(read_state(&golden.state.to_string()), Some(folded), "{}", path.display());
    }
}

/// A case that was decided: start, a comment, two approvals.
fn approval() -> Golden {
    let directory = flow::directory();
    let (definition, calendar) = (flow::definition(&directory).unwrap(), Calendar::default());
    let (mut state, mut head, mut entries) = (None::<State>, Head::default(), Vec::new());
    for step in 0..4u8 {
        let id = format!("command {step}").into();
        let command = match &state {
            None => flow::start(7, id),
            Some(_) if step == 1 => {
                let actor = Actor::Person { id: flow::applicant(7), via: Via::Shell { user: "wang".into() } };
                Command { id, actor, ask: Ask::Comment { text: "请尽快，谢谢".into() } }
            }
            Some(state) => flow::approve(state, id).unwrap(),
        };
        let now = at(i64::from(step) * 3_600_000);
        let facts = Facts { now, directory: &directory, calendar: &calendar, sequence: 7, seed: [step + 1; 16] };
        let decision = decide(&definition, state.as_ref(), &command, &facts).unwrap();
        let (stored, next) = write_entry(decision.state.id, &decision.entry, &head, [step; 16]);
        entries.push(stored);
        (head, state) = (next, Some(decision.state));
    }
    let state = state.unwrap();
    assert!(state.ended.is_some());
    Golden {
        about: "A case that ran to its end; the state is the fold of the entries.".into(),
        instance: state.id,
        head: head.text(),
        entries,
        state: serde_json::from_str(&write_state(&state)).unwrap(),
    }
}

/// Every kind of command and event once, as far as they were known when the file was made; it does not fold, it only has to decode.
fn everything() -> Golden {
    let instance = InstanceId(Uuid::from_u128(7));
    let (mut head, mut entries) = (Head::default(), Vec::new());
    for (revision, ask) in (1..).zip(asks(&mut Chance(1))) {
        let events = events(&mut Chance(u64::from(revision)));
        let actor = actor(&mut Chance(u64::from(revision)));
        let command = Command { id: format!("c{revision}").into(), actor, ask };
        let entry = Entry { revision, at: at(0), command, seed: [9; 16], events };
        let (stored, next) = write_entry(instance, &entry, &head, [3; 16]);
        entries.push(stored);
        head = next;
    }
    let about = "Every kind of command and event. No state: an instance cannot have done all this.".into();
    Golden { about, instance, head: head.text(), entries, state: serde_json::Value::Null }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_reads_back_the_same(seed: u64, salt: [u8; 16]) {
        let mut chance = Chance(seed | 1);
        let command = Command {
            id: chance.word().as_str().into(),
            actor: actor(&mut chance),
            ask: { let mut all = asks(&mut chance); let pick = chance.below(all.len()); all.swap_remove(pick) },
        };
        let mut events = events(&mut chance);
        events.truncate(1 + chance.below(events.len()));
        let revision = u32::try_from(chance.below(1_000_000)).unwrap();
        let entry = Entry { revision, at: at(chance.number()), command, seed: chance.bytes(), events };
        let instance = InstanceId(Uuid::from_bytes(chance.bytes()));
        let before = Head([chance.bytes(), chance.bytes()].concat().try_into().unwrap());
        let (stored, head) = write_entry(instance, &entry, &before, salt);
        prop_assert_eq!(&read_entry(&stored).unwrap(), &entry);
        prop_assert_eq!(write_entry(instance, &entry, &before, salt), (stored.clone(), head));
        let through: StoredEntry = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
        prop_assert_eq!(&through, &stored);
        // Nothing personal is left in the structure.
        prop_assert!(!stored.structure.contains("SECRET"), "{}", stored.structure);
        let mut forgotten = stored;
        forgotten.forget();
        prop_assert!(read_entry(&forgotten).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_snapshot_holds_everything_that_control_flow_knows(seed: u64) {
        let chance = &mut Chance(seed | 1);
        let mut state = read_state(&approval().state.to_string()).unwrap();
        state.ended = chance.maybe(|chance| Ended { outcome: chance.word().into(), at: chance.instant() });
        state.caller = chance.maybe(Chance::caller);
        state.stage = chance.maybe(|chance| chance.word().into());
        state.ending =
            chance.maybe(|chance| Ending { outcome: chance.word().into(), reason: chance.maybe(Chance::secret), quiet: chance.maybe(Chance::instant), doubtful: chance.maybe(|chance| ScopeId(chance.id())), });
        state.undo = (0..chance.below(3))
            .map(|_| Undoable { step: chance.word().as_str().into(), row: chance.maybe(Chance::row), unsure: chance.maybe(Chance::instant) })
            .collect();
        for (number, waits) in (1..).zip(waits(chance)) {
            let scope = Scope {
                parent: chance.maybe(|chance| ScopeId(chance.id())),
                block: chance.id(),
                holder: chance.maybe(|chance| TokenId(chance.id())),
                branch: chance.maybe(|chance| chance.word().into()),
                row: chance.maybe(Chance::row),
            };
            state.scopes.insert(ScopeId(number), scope);
            let mut token = Token::new(ScopeId(number));
            token.waits = Some(waits);
            token.due = chance.maybe(Chance::instant);
            token.incident = chance.maybe(|chance| {
                Trouble::Failed { place: "job".into(), zh: chance.secret(), en: chance.secret() }
            });
            state.tokens.insert(TokenId(number), token);
            let of = if chance.coin() { Owner::Token(TokenId(number)) } else { Owner::Task(TaskId(number)) };
            let kind = [TimerKind::Remind, TimerKind::Go, TimerKind::Overdue, TimerKind::Again][chance.below(4)];
            state.timers.insert(TimerId(number), Timer { of, kind, at: chance.instant() });
        }
        prop_assert_eq!(read_state(&write_state(&state)), Some(state));
    }
}

#[test]
fn a_chain_that_was_touched_says_where() {
    let golden = approval();
    let head = Head::parse(&golden.head).unwrap();
    let check = |change: &dyn Fn(&mut Vec<StoredEntry>)| {
        let mut entries = golden.entries.clone();
        change(&mut entries);
        verify_chain(golden.instance, &entries, Some(&head)).unwrap_err()
    };
    let broken = |revision, why| BrokenChain { revision, why };
    let swapped = |text: &String| text.replace("approved", "rejected");
    assert_eq!(check(&|log| log[2].structure = swapped(&log[2].structure)), broken(3, Why::Hash));
    assert_eq!(check(&|log| log[1].personal = Some("[\"nothing\"]".into())), broken(2, Why::Personal));
    assert_eq!(check(&|log| log[3].at += 1), broken(4, Why::Hash));
    assert_eq!(check(&|log| log[0].command = "another".into()), broken(1, Why::Hash));
    assert_eq!(check(&|log| drop(log.remove(1))), broken(2, Why::Missing));
    assert_eq!(check(&|log| drop(log.pop())), broken(4, Why::Cut));
    assert_eq!(check(&|log| log[0].digest = log[1].digest.clone()), broken(1, Why::Personal));
    let other = InstanceId(Uuid::from_u128(1));
    assert_eq!(verify_chain(other, &golden.entries, Some(&head)), Err(broken(1, Why::Hash)), "of another case");
}

#[test]
fn a_record_of_a_newer_program_is_named_as_such() {
    let mut stored = approval().entries.remove(0);
    stored.structure = stored.structure.replace("\"started\"", "\"teleported\"");
    let error = read_entry(&stored).unwrap_err();
    assert!(error.what.en.contains("newer version") && error.what.zh.contains("更新的版本"));
    assert_eq!(read_state("{\"v\":99}"), None, "a snapshot of another layout is folded anew");
}

fn at(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_764_000_000_000 + ms % 100_000_000_000).unwrap()
}

/// A small source of numbers, so that a failing case is one seed.
struct Chance(u64);

impl Chance {
    fn number(&mut self) -> i64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) >> 1).unwrap()
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number()).unwrap() % bound.max(1)
    }

    fn id(&mut self) -> u32 {
        u32::try_from(self.below(1_000)).unwrap()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn word(&mut self) -> String {
        let words = ["wang", "李", "approve-it", "a b", "\"quoted\"", "\u{202e}x", "<b>", "\n", "😀"];
        words[self.below(words.len())].to_owned()
    }

    fn secret(&mut self) -> Arc<str> {
        format!("SECRET {}", self.word()).into()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Chance) -> T) -> Option<T> {
        self.coin().then(|| make(self))
    }

    fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.number().to_le_bytes());
        bytes[8..].copy_from_slice(&self.number().to_le_bytes());
        bytes
    }

    fn assignment(&mut self) -> AssignmentId {
        AssignmentId(Uuid::from_bytes(self.bytes()))
    }

    fn instant(&mut self) -> DateTime<Utc> {
        // To the nanosecond: a due time that an expression computed is kept exactly.
        let fine = self.coin();
        at(self.number()) + TimeDelta::nanoseconds(if fine { self.number() % 1_000_000 } else { 0 })
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth > 2 { 9 } else { 11 }) {
            0 => Value::Null,
            1 => Value::Boolean(self.coin()),
            2 => Value::Number(Decimal::new(self.number(), u32::try_from(self.below(20)).unwrap())),
            3 => Value::Text(self.secret()),
            4 => Value::Date(at(self.number()).date_naive()),
            5 => Value::Duration(Duration::WorkingDays(i64::from(self.id()))),
            6 => Value::Person(format!("SECRET {}", self.id()).into()),
            7 => Value::Position("SECRET position".into()),
            8 => Value::Department("SECRET department".into()),
            9 => Value::List((0..self.below(4)).map(|_| self.value(depth + 1)).collect()),
            _ => Value::Record(self.record(depth + 1)),
        }
    }

    fn set_value(&mut self) -> Value {
        loop {
            let value = self.value(0);
            if !value.is_null() {
                return value;
            }
        }
    }

    fn record(&mut self, depth: usize) -> Record {
        (0..self.below(5)).map(|number| (format!("f{number}").into(), self.value(depth))).collect()
    }

    fn instance(&mut self) -> InstanceId {
        InstanceId(Uuid::from_bytes(self.bytes()))
    }

    fn wording(&mut self) -> Wording {
        Wording::new(&*self.secret(), &*self.secret())
    }

    fn caller(&mut self) -> Caller {
        Caller { instance: self.instance(), token: self.maybe(|chance| TokenId(chance.id())), depth: 2 }
    }

    fn result(&mut self) -> StepResult {
        StepResult {
            outcome: self.word().into(),
            by: (0..self.below(3)).map(|_| self.word().into()).collect(),
            at: self.instant(),
            late: self.coin(),
        }
    }

    fn row(&mut self) -> Row {
        Row {
            alias: "account".into(),
            number: self.id(),
            plain: self.coin(),
            columns: self.record(0),
            steps: (0..self.below(3)).map(|step| (format!("s{step}").as_str().into(), self.result())).collect(),
        }
    }

    fn parts(&mut self) -> Vec<Part> {
        (0..self.below(4))
            .map(|_| if self.coin() { Part::Text(self.secret()) } else { Part::Secret("erp".into()) })
            .collect()
    }

    fn opened(&mut self, seat: usize) -> OpenedAssignment {
        OpenedAssignment {
            id: self.assignment(),
            person: self.word().into(),
            seats: vec![u16::try_from(seat).unwrap()],
            stands_in_for: self.maybe(|chance| chance.word().into()),
            nonce: self.bytes(),
        }
    }

    fn fingerprint(&mut self) -> Fingerprint {
        Fingerprint(self.bytes()[..12].try_into().unwrap())
    }

    fn via(&mut self) -> Via {
        match self.below(3) {
            0 => Via::Link { mail: self.secret() },
            1 => Via::Shell { user: self.word().into() },
            _ => Via::Scenario,
        }
    }
}

fn actor(chance: &mut Chance) -> Actor {
    match chance.below(3) {
        0 => Actor::Person { id: chance.word().into(), via: chance.via() },
        1 => Actor::Operator { user: chance.word().into() },
        _ => Actor::System,
    }
}

/// Each kind of command, once.
fn asks(chance: &mut Chance) -> Vec<Ask> {
    vec![
        Ask::Start { data: chance.record(0) },
        Ask::Decide {
            task: TaskId(chance.id()),
            assignment: chance.maybe(Chance::assignment),
            outcome: chance.word().into(),
            opinion: chance.maybe(Chance::secret),
            values: chance.record(0),
            seen: chance.maybe(Chance::fingerprint),
        },
        Ask::Revise {
            task: TaskId(chance.id()),
            data: chance.record(0),
            note: chance.maybe(Chance::secret),
            seen: chance.maybe(Chance::fingerprint),
        },
        Ask::Comment { text: chance.secret() },
        Ask::Withdraw { reason: chance.maybe(Chance::secret) },
        Ask::Cancel { reason: chance.maybe(Chance::secret) },
        Ask::Resend { assignment: chance.assignment() },
        Ask::Wake,
        Ask::Begin {
            id: chance.maybe(Chance::instance),
            applicant: chance.word().into(),
            data: chance.record(0),
            caller: chance.maybe(Chance::caller),
        },
        Ask::Deliver {
            token: TokenId(chance.id()),
            message: chance.word().into(),
            name: chance.word().into(),
            key: chance.maybe(Chance::secret),
            data: chance.value(0),
        },
        Ask::ChildEnded {
            token: TokenId(chance.id()),
            child: chance.instance(),
            outcome: chance.word().into(),
            data: chance.record(0),
        },
        Ask::CallFailed {
            token: TokenId(chance.id()),
            child: chance.instance(),
            what: chance.wording(),
            taken: chance.id().is_multiple_of(2),
        },
        Ask::Answer { token: TokenId(chance.id()), attempt: 2, data: chance.value(0) },
        Ask::Fail {
            token: TokenId(chance.id()),
            attempt: 3,
            what: chance.wording(),
            permanent: chance.coin(),
            after: chance.maybe(Chance::instant),
        },
        Ask::HandOver { from: chance.word().as_str().into(), to: chance.word().as_str().into() },
        Ask::Retry { step: chance.maybe(|chance| chance.word().as_str().into()) },
        Ask::Skip { step: chance.maybe(|chance| chance.word().as_str().into()), reason: chance.secret() },
    ]
}

/// Each thing that a token can wait for, once.
fn waits(chance: &mut Chance) -> Vec<Waiting> {
    vec![
        Waiting::Block(Running {
            done: (0..chance.below(3)).map(|_| chance.word().into()).collect(),
            rows: (0..chance.below(3)).map(|_| chance.record(0)).collect(),
            opened: chance.id(),
            finished: chance.id(),
        }),
        Waiting::Time,
        Waiting::Message { name: chance.word().into(), key: chance.maybe(Chance::secret), fresh: chance.below(2) == 1 },
        Waiting::Lock { name: chance.word().into(), since: chance.id() },
        Waiting::Call { child: chance.instance(), process: chance.word().into() },
        Waiting::Http {
            attempt: 2,
            at: chance.instant(),
            request: Arc::new(Request {
                method: "POST".into(),
                url: chance.parts(),
                headers: (0..chance.below(3)).map(|_| (chance.word().into(), chance.parts())).collect(),
                body: chance.maybe(Chance::set_value),
            }),
        },
        Waiting::Job {
            name: chance.word().into(),
            attempt: 1,
            at: chance.instant(),
            lease: chance.id(),
            input: chance.record(0),
        },
    ]
}

/// Each kind of event at least once, in a random order.
fn events(chance: &mut Chance) -> Vec<Event> {
    let (token, step) = (TokenId(chance.id()), chance.word());
    let mails = [
        MailKind::Assigned { task: TaskId(chance.id()), assignment: chance.assignment() },
        MailKind::Reminder { task: TaskId(chance.id()), assignment: chance.assignment() },
        MailKind::FreshLink { task: TaskId(chance.id()), assignment: chance.assignment() },
        MailKind::Decided { task: TaskId(chance.id()), assignment: Some(chance.assignment()) },
        MailKind::Decided { task: TaskId(chance.id()), assignment: None },
        MailKind::Ended,
        MailKind::HandedOver,
        MailKind::Notice { step: step.as_str().into() },
        MailKind::ActedFor { task: chance.maybe(|chance| TaskId(chance.id())) },
        MailKind::Overdue {
            step: step.as_str().into(),
            task: chance.maybe(|chance| TaskId(chance.id())),
            assignment: None,
        },
        MailKind::Overdue {
            step: step.as_str().into(),
            task: Some(TaskId(chance.id())),
            assignment: Some(chance.assignment()),
        },
    ];
    let troubles = [
        Trouble::NobodyToAsk { policy: Nobody::Escalate },
        Trouble::Expression { place: chance.secret(), zh: chance.secret(), en: chance.secret() },
        Trouble::NeverWaits,
        Trouble::Failed { place: "http".into(), zh: chance.secret(), en: chance.secret() },
    ];
    let mut all = vec![
        Event::Started {
            instance: InstanceId(Uuid::from_bytes(chance.bytes())),
            process: chance.word().into(),
            version: Version("0123456789abcdef".into()),
            number: chance.maybe(|chance| chance.word().into()),
            title: if chance.coin() { "Title".into() } else { Text::Each { zh: Some("标题".into()), en: None } },
            applicant: chance.word().into(),
            data: chance.record(0),
            key: chance.maybe(Chance::set_value),
            headline: chance.maybe(Chance::set_value),
            caller: chance.maybe(Chance::caller),
        },
        Event::Entered { token, step: step.as_str().into() },
        Event::Skipped { token, step: step.as_str().into() },
        Event::Left {
            token,
            step: step.as_str().into(),
            outcome: chance.word().into(),
            by: (0..chance.below(3)).map(|_| chance.word().into()).collect(),
            late: chance.coin(),
        },
        Event::DataSet { values: chance.record(0) },
        Event::Summarised { key: chance.maybe(Chance::set_value), headline: chance.maybe(Chance::set_value) },
        Event::TaskOpened {
            task: TaskId(chance.id()),
            opened: Box::new(OpenedTask {
                token,
                step: step.as_str().into(),
                kind: [TaskKind::Approve, TaskKind::Work, TaskKind::Revise { of: TaskId(3) }, TaskKind::Begin]
                    [chance.below(4)],
                round: chance.id(),
                mode: if chance.coin() { Mode::Any } else { Mode::All },
                seats: 2,
                assignments: (0..chance.below(3)).map(|seat| chance.opened(seat)).collect(),
                due: chance.maybe(Chance::instant),
            }),
        },
        Event::Answered {
            task: TaskId(chance.id()),
            assignment: chance.assignment(),
            seat: 1,
            outcome: chance.word().into(),
            opinion: chance.maybe(Chance::secret),
            via: chance.via(),
            seen: chance.maybe(Chance::fingerprint),
        },
        Event::TaskParked { task: TaskId(chance.id()) },
        Event::TaskClosed { task: TaskId(1), how: Closed::Decided(chance.word().into()) },
        Event::TaskClosed { task: TaskId(2), how: Closed::Cancelled },
        Event::TaskClosed { task: TaskId(3), how: Closed::WalkedBack },
        Event::TaskClosed { task: TaskId(4), how: Closed::Overdue },
        Event::TimerSet {
            timer: TimerId(1),
            of: Owner::Task(TaskId(2)),
            kind: TimerKind::Remind,
            at: chance.instant(),
        },
        Event::TimerSet {
            timer: TimerId(2),
            of: Owner::Token(TokenId(2)),
            kind: [TimerKind::Go, TimerKind::Overdue, TimerKind::Again][chance.below(3)],
            at: chance.instant(),
        },
        Event::TimerFired { timer: TimerId(chance.id()) },
        Event::TimerCleared { timer: TimerId(chance.id()) },
        Event::Commented { text: chance.secret() },
        Event::Ended { outcome: chance.word().into(), reason: chance.maybe(Chance::secret) },
        Event::Postponed { token, attempt: 2, at: chance.instant(), zh: chance.secret(), en: chance.secret() },
        Event::ScopeOpened {
            scope: ScopeId(chance.id()),
            holder: token,
            block: chance.id(),
            branch: chance.maybe(|chance| chance.word().into()),
            row: chance.maybe(|chance| Box::new(chance.row())),
            token: TokenId(chance.id()),
        },
        Event::ScopeClosed { scope: ScopeId(chance.id()), done: chance.coin() },
        Event::RowSet { scope: ScopeId(chance.id()), values: chance.record(0) },
        Event::LockAwaited { token, step: step.as_str().into(), lock: chance.word().into() },
        Event::WentOverdue { token, step: step.as_str().into(), task: chance.maybe(|chance| TaskId(chance.id())) },
        Event::Reassigned {
            task: TaskId(chance.id()),
            from: chance.assignment(),
            to: (0..chance.below(3)).map(|seat| chance.opened(seat)).collect(),
        },
        Event::HandedOver {
            from: chance.word().as_str().into(),
            to: chance.word().as_str().into(),
            applicant: chance.below(2) == 0,
            rows: (0..chance.below(3)).map(|_| (token, chance.word().as_str().into())).collect(),
            kept: (0..chance.below(3)).map(|_| (chance.id(), chance.word().as_str().into())).collect(),
            done: (0..chance.below(3)).map(|_| (token, chance.word().as_str().into())).collect(),
            steps: (0..chance.below(3)).map(|_| chance.word().as_str().into()).collect(),
        },
        Event::StageReached { stage: chance.word().into() },
        Event::Called {
            token,
            step: step.as_str().into(),
            child: chance.instance(),
            process: chance.word().into(),
            applicant: chance.word().into(),
            with: chance.record(0),
            depth: 3,
            detached: chance.coin(),
        },
        Event::CallCancelled { child: chance.instance() },
        Event::MessageRead { token, message: chance.word().into() },
        Event::UndoNoted {
            step: step.as_str().into(),
            row: chance.maybe(|chance| Box::new(chance.row())),
            unsure: chance.maybe(Chance::instant),
        },
        Event::EndBegun { outcome: chance.word().into(), reason: chance.maybe(Chance::secret) },
        Event::UndoBegun { step: step.as_str().into(), scope: ScopeId(1), block: 2, token },
        Event::UndoLeft { step: step.as_str().into() },
        Event::UndoSkipped { token, step: step.as_str().into(), reason: chance.secret() },
        Event::CameLate { token },
        Event::Unusable { token, zh: chance.secret(), en: chance.secret() },
    ];
    for waits in waits(chance) {
        all.push(Event::WaitBegun { token, waits: Box::new(waits), due: chance.maybe(Chance::instant) });
    }
    for kind in mails {
        all.push(Event::MailQueued { mail: MailId(chance.id()), kind, to: chance.word().into() });
    }
    for what in troubles {
        all.push(Event::IncidentRaised { token, step: step.as_str().into(), what });
    }
    for at in (1..all.len()).rev() {
        let other = chance.below(at + 1);
        all.swap(at, other);
    }
    all
}
