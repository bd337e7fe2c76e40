//! The laws of the engine, on generated processes and command sequences.
//!
//! Processes are generated as YAML and compiled as an author's would be, so a failure prints a file that can be
//! tried by hand. See the module comment of `engine` for the laws by number.

use crate::support;
use chrono::{DateTime, TimeDelta, Utc};
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::event::{Entry, Event};
use countersign::engine::refusal::Refusal;
use countersign::engine::state::{Owner, State, Task, TaskKind, Token, Waiting};
use countersign::engine::{self, Facts, preview};
use countersign::model::definition::{Definition, outcome};
use countersign::model::id::{InstanceId, Outcome, PersonId, StepId, TokenId};
use countersign::model::people::Directory;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Value};
use countersign::simulate::explore::{Explored, Never, explore};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

const DIRECTORY: &str = "
directory: company
departments:
  sales: { title: Sales, head: lead }
  office: { title: Office, head: keeper }
positions:
  chief: { title: Chief }
  lead: { title: Lead, department: sales, reports_to: chief }
  clerk: { title: Clerk, department: sales, reports_to: lead }
  keeper: { title: Keeper, department: office, reports_to: chief }
people:
  ann: { name: Ann, mail: ann@example.com, positions: [chief], language: en }
  ben: { name: Ben, mail: ben@example.com, positions: [lead], language: en }
  cid: { name: Cid, mail: cid@example.com, positions: [clerk], language: en }
  dan: { name: Dan, mail: dan@example.com, positions: [clerk], language: en }
  eve: { name: Eve, mail: eve@example.com, positions: [keeper], language: en }
absences:
  - { person: eve, from: 2026-03-05, to: 2026-03-09, substitute: cid }
";

const PEOPLE: [&str; 5] = ["ann", "ben", "cid", "dan", "eve"];

/// A step of a generated process, before its names and targets are settled.
#[derive(Clone, Debug)]
enum Made {
    Approve { who: usize, when: usize, jump: Option<u8>, remind: bool, walk: Option<u8>, late: usize },
    Task { who: usize, when: usize, jump: Option<u8> },
    Choose { cases: Vec<Vec<Made>>, otherwise: Vec<Made> },
    Set { when: usize },
    Notify,
    Parallel { branches: Vec<Vec<Made>>, join: usize },
    Each { body: Vec<Made>, in_order: bool, until: bool },
    Race { firsts: Vec<usize>, branches: Vec<Vec<Made>> },
    Outside { kind: usize, when: usize, due: bool, jump: Option<u8> },
    Wait { when: usize },
    End,
}

/// What a step that waits for something outside says of it.
const OUTSIDE: [&str; 6] = [
    "receive: signed\n{in}key: kind",
    "call: other\n{in}with: { amount: amount }\n{in}on: { otherwise: next }",
    "call: other\n{in}with: { amount: amount }\n{in}on: { rejected: next, withdrawn: next, cancelled: next }",
    "http: POST https://books.example/entries\n{in}body: { amount: amount }\n\
     {in}undo: { http: \"DELETE https://books.example/entries\" }",
    "http: GET https://books.example/entries\n{in}retry: { times: 1 }\n{in}on: { failed: next }",
    "job: print\n{in}lease: 5 minutes\n{in}undo: [{ id: tear{n}, task: keeper }, { notify: [applicant] }]",
];
const OVERDUE: [&str; 6] = [
    "{ reassign: [manager_of(assignee), keeper] }",
    "",
    "{ notify: [chief], every: 1 day }",
    "{ reassign: chief }",
    "{ decide: approved }",
    "{ notify: [manager_of(assignee)] }",
];
const OTHER: &str = "process: other\ntitle: Other\nform: { amount: { type: money, title: Amount, required: true } }\n\
                     steps: [{ id: look, approve: chief }]\n";

const WHO: [&str; 9] = [
    "lead",
    "clerk",
    "chief",
    "manager_of(applicant)",
    "head_of(applicant.department)",
    "[lead, keeper]\n{in}mode: all",
    "[clerk, chief]\n{in}mode: all",
    "holders(clerk)\n{in}mode: all",
    "[lead, chief]\n{in}mode: any",
];
const WHEN: [&str; 13] = [
    "",
    "amount >= 100",
    "kind = a",
    "urgent",
    "level > 50",
    "amount < 60 or kind = b",
    "not(urgent)",
    "large",
    "size = small",
    "steps.first.outcome = rejected",
    "steps.first.outcome in (skipped, approved) and amount > 20",
    "amount in [50..150)",
    "size in (small, middle) and not(large)",
];

fn steps(depth: u32) -> BoxedStrategy<Vec<Made>> {
    let jump = || proptest::option::weighted(0.3, any::<u8>());
    let leaf = prop_oneof![
        4 => (0..WHO.len(), 0..WHEN.len(), jump(), any::<bool>(), jump(), 0..OVERDUE.len())
            .prop_map(|(who, when, jump, remind, walk, late)| Made::Approve { who, when, jump, remind, walk, late }),
        3 => (0..5usize, 0..WHEN.len(), jump()).prop_map(|(who, when, jump)| Made::Task { who, when, jump }),
        1 => (0..WHEN.len()).prop_map(|when| Made::Set { when }),
        1 => Just(Made::Notify),
        2 => (0..OUTSIDE.len(), 0..WHEN.len(), any::<bool>(), jump())
            .prop_map(|(kind, when, due, jump)| Made::Outside { kind, when, due, jump }),
        1 => (0..WHEN.len()).prop_map(|when| Made::Wait { when }),
    ];
    if depth == 0 {
        return proptest::collection::vec(leaf, 1..4).boxed();
    }
    let choose = (proptest::collection::vec(steps(depth - 1), 1..3), steps(depth - 1))
        .prop_map(|(cases, otherwise)| Made::Choose { cases, otherwise });
    let parallel = (proptest::collection::vec(steps(depth - 1), 2..4), 0..3usize)
        .prop_map(|(branches, join)| Made::Parallel { branches, join });
    let each = (steps(depth - 1), any::<bool>(), any::<bool>()).prop_map(|(body, in_order, until)| Made::Each {
        body,
        in_order,
        until,
    });
    let race = proptest::collection::vec((0..4usize, steps(depth - 1)), 2..4).prop_map(|branches| {
        let (firsts, branches) = branches.into_iter().unzip();
        Made::Race { firsts, branches }
    });
    let block = prop_oneof![2 => choose, 2 => parallel, 1 => each, 1 => race, 1 => Just(Made::End)];
    proptest::collection::vec(prop_oneof![4 => leaf, 2 => block], 1..5).boxed()
}

/// Writes a generated process as an author would.
struct Writer {
    yaml: String,
    next: usize,
    /// How many `each` are around.
    rows: usize,
    /// The fields that `set` steps write.
    marks: Vec<String>,
}

impl Writer {
    fn process(steps: &[Made]) -> String {
        let mut writer = Writer { yaml: String::new(), next: 0, rows: 0, marks: Vec::new() };
        writer.yaml.push_str(
            "process: made\ntitle: Made\nnumber: \"M-{year}-{seq:3}\"\nstart: [clerk, lead, keeper]\n\
             policy: { nobody: escalate }\nform:\n\
             \x20 amount: { type: money, title: Amount, required: true, min: 0 }\n\
             \x20 kind: { type: choice, title: Kind, options: [a, b], required: true }\n\
             \x20 urgent: { type: boolean, title: Urgent, default: false }\n\
             \x20 level: { type: money, title: Level, value: amount * 2 }\n\
             \x20 large: { type: boolean, title: Large, value: amount >= 100 }\n\
             \x20 size: { type: choice, title: Size, options: [small, middle, big], \
             value: 'if amount < 50 then small else if large then big else middle' }\n\
             \x20 rows: { type: list, title: Rows, fields: { owner: { type: person, title: Owner, required: true }, \
             score: { type: integer, title: Score } } }\n\
             steps:\n\
             \x20 - { id: first, approve: keeper, when: urgent, on: { rejected: next } }\n",
        );
        writer.list(steps, 1, &[]);
        if !writer.marks.is_empty() {
            writer.yaml.push_str("data:\n");
        }
        for mark in std::mem::take(&mut writer.marks) {
            let _ = writeln!(writer.yaml, "  {mark}: {{ type: integer, title: Mark }}");
        }
        writer.yaml
    }

    fn list(&mut self, steps: &[Made], depth: usize, around: &[String]) {
        let pad = "  ".repeat(depth);
        let first = self.next;
        let own: Vec<String> = (0..steps.len()).map(|index| format!("s{}", first + index)).collect();
        self.next += steps.len();
        // A jump goes to a step of the same or an enclosing list.
        let targets: Vec<String> = own.iter().chain(around).cloned().collect();
        let target = |pick: u8| targets[usize::from(pick) % targets.len()].clone();
        for (step, id) in steps.iter().zip(&own) {
            let _ = writeln!(self.yaml, "{pad}- id: {id}");
            let inside = format!("{pad}  ");
            match step {
                Made::Approve { who, when, jump, remind, walk, late } => {
                    let _ = writeln!(self.yaml, "{inside}approve: {}", WHO[*who].replace("{in}", &inside));
                    self.when(&inside, *when);
                    let _ = writeln!(self.yaml, "{inside}due: 2 working days");
                    if *late > 0 {
                        let _ = writeln!(self.yaml, "{inside}overdue: {}", OVERDUE[*late]);
                    }
                    if *remind {
                        let _ = writeln!(self.yaml, "{inside}remind: [4 working hours, 1 working day]");
                    }
                    let ons: Vec<String> = [("rejected", jump), ("returned", walk)]
                        .into_iter()
                        .filter_map(|(name, pick)| pick.map(|pick| format!("{name}: {}", target(pick))))
                        .collect();
                    if !ons.is_empty() {
                        let _ = writeln!(self.yaml, "{inside}on: {{ {} }}", ons.join(", "));
                    }
                }
                Made::Task { who, when, jump } => {
                    let _ = writeln!(self.yaml, "{inside}task: {}", WHO[*who]);
                    self.when(&inside, *when);
                    let _ = writeln!(self.yaml, "{inside}outcomes: {{ given: Given, missing: Missing }}");
                    if who % 2 == 0 {
                        let _ = writeln!(self.yaml, "{inside}lock: desk");
                    }
                    if let Some(pick) = jump {
                        let _ = writeln!(self.yaml, "{inside}on: {{ missing: {} }}", target(*pick));
                    }
                }
                Made::Set { when } => {
                    let field = if self.rows > 0 { "score".to_owned() } else { format!("mark_{id}") };
                    let _ = writeln!(self.yaml, "{inside}set: {{ {field}: 1 }}");
                    if self.rows == 0 {
                        self.marks.push(field);
                    }
                    self.when(&inside, *when);
                }
                Made::Notify => {
                    let _ = writeln!(self.yaml, "{inside}notify: [applicant]");
                }
                Made::Wait { when } => {
                    let _ = writeln!(self.yaml, "{inside}wait: 5 hours");
                    self.when(&inside, *when);
                }
                Made::Outside { kind, when, due, jump } => {
                    let said = OUTSIDE[*kind].replace("{in}", &inside).replace("{n}", id);
                    let _ = writeln!(self.yaml, "{inside}{said}");
                    self.when(&inside, *when);
                    if *due {
                        let go = jump.map_or_else(|| "next".to_owned(), target);
                        let _ = writeln!(self.yaml, "{inside}due: 3 days\n{inside}overdue: {{ go: {go} }}");
                    }
                }
                Made::End => {
                    let _ = writeln!(self.yaml, "{inside}when: urgent\n{inside}end: early\n{inside}undo: true");
                }
                Made::Parallel { branches, join } => {
                    let _ = writeln!(self.yaml, "{inside}parallel:");
                    for (number, branch) in branches.iter().enumerate() {
                        let _ = writeln!(self.yaml, "{inside}  {}:", ["north", "east", "south"][number]);
                        self.list(branch, depth + 3, &targets);
                    }
                    let _ = writeln!(self.yaml, "{inside}join: {}", ["all", "any", "2"][*join]);
                }
                Made::Race { firsts, branches } => {
                    let _ = writeln!(self.yaml, "{inside}race:");
                    let deep = "  ".repeat(depth + 3);
                    for (number, (first, branch)) in firsts.iter().zip(branches).enumerate() {
                        let _ = writeln!(self.yaml, "{inside}  {}:", ["north", "east", "south"][number]);
                        let opens = ["wait: 2 days", "task: lead", "receive: signed", OUTSIDE[1]][*first];
                        let opens = opens.replace("{in}", &format!("{deep}  "));
                        let _ = writeln!(self.yaml, "{deep}- id: first{}\n{deep}  {opens}", self.next);
                        self.next += 1;
                        self.list(branch, depth + 3, &targets);
                    }
                }
                Made::Each { body, in_order, until } => {
                    // A list inside its own rows would be a second `rows`.
                    if self.rows > 0 {
                        let _ = writeln!(self.yaml, "{inside}task: keeper");
                        continue;
                    }
                    let _ = writeln!(self.yaml, "{inside}each: rows\n{inside}as: row");
                    let _ = writeln!(self.yaml, "{inside}mode: {}", if *in_order { "in order" } else { "at once" });
                    if *until {
                        let _ = writeln!(self.yaml, "{inside}until: count(rows[score = 1]) >= 1");
                    }
                    let _ = writeln!(self.yaml, "{inside}steps:");
                    self.rows += 1;
                    self.list(body, depth + 2, &targets);
                    self.rows -= 1;
                }
                Made::Choose { cases, otherwise } => {
                    let _ = writeln!(self.yaml, "{inside}choose:");
                    for (number, case) in cases.iter().enumerate() {
                        let _ = writeln!(self.yaml, "{inside}  - when: {}", WHEN[1 + number % 4]);
                        let _ = writeln!(self.yaml, "{inside}    steps:");
                        self.list(case, depth + 4, &targets);
                    }
                    let _ = writeln!(self.yaml, "{inside}otherwise:");
                    self.list(otherwise, depth + 3, &targets);
                }
            }
        }
    }

    fn when(&mut self, inside: &str, when: usize) {
        if when > 0 {
            let _ = writeln!(self.yaml, "{inside}when: {}", WHEN[when]);
        }
    }
}

/// One thing to try.
#[derive(Clone, Debug)]
enum Op {
    Answer { pick: u8, outcome: u8, words: bool },
    Intrude { task: u8, person: u8 },
    Revise { amount: u16, kind: bool },
    Comment { person: u8 },
    Wake { hours: u8 },
    Resend { pick: u8 },
    Withdraw { person: u8 },
    Cancel,
    Outside { pick: u8, how: u8 },
    Retry,
    HandOver { from: u8, to: u8 },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        12 => (any::<u8>(), any::<u8>(), prop::bool::weighted(0.9))
            .prop_map(|(pick, outcome, words)| Op::Answer { pick, outcome, words }),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(task, person)| Op::Intrude { task, person }),
        4 => (0..300u16, any::<bool>()).prop_map(|(amount, kind)| Op::Revise { amount, kind }),
        1 => any::<u8>().prop_map(|person| Op::Comment { person }),
        3 => any::<u8>().prop_map(|hours| Op::Wake { hours }),
        1 => any::<u8>().prop_map(|pick| Op::Resend { pick }),
        1 => any::<u8>().prop_map(|person| Op::Withdraw { person }),
        1 => Just(Op::Cancel),
        6 => (any::<u8>(), any::<u8>()).prop_map(|(pick, how)| Op::Outside { pick, how }),
        1 => Just(Op::Retry),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(from, to)| Op::HandOver { from, to }),
    ];
    proptest::collection::vec(op, 0..40)
}

fn world() -> &'static (Directory, Calendar) {
    static WORLD: OnceLock<(Directory, Calendar)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let compiled = support::compile(&[("directory.yaml", DIRECTORY)]);
        (compiled.directory.expect("the people of the laws"), Calendar::default())
    })
}

fn compile(yaml: &str) -> Option<Definition> {
    let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("made.yaml", yaml), ("other.yaml", OTHER)]);
    // Some generated processes are refused on purpose (unreachable steps, nobody to ask): nothing to run then.
    (!compiled.has_errors()).then(|| compiled.definitions.into_iter().find(|made| made.process.as_str() == "made"))?
}

/// A case at work, with everything that is checked after each command.
struct Case<'a> {
    definition: &'a Definition,
    state: State,
    log: Vec<Entry>,
    now: DateTime<Utc>,
    count: u32,
    explored: Explored,
    /// Instances that were called, and those that are over.
    called: BTreeSet<InstanceId>,
    over: BTreeSet<InstanceId>,
}

fn facts(now: DateTime<Utc>, count: u32) -> Facts<'static> {
    let (directory, calendar) = world();
    let mut seed = [7; 16];
    seed[..4].copy_from_slice(&count.to_le_bytes());
    Facts { now, directory, calendar, sequence: 1, seed }
}

fn person(pick: u8) -> PersonId {
    PersonId::from(PEOPLE[usize::from(pick) % PEOPLE.len()])
}

fn by(id: PersonId) -> Actor {
    Actor::Person { id, via: Via::Scenario }
}

impl<'a> Case<'a> {
    fn start(definition: &'a Definition, applicant: u8, amount: u16, kind: bool) -> Case<'a> {
        let now: DateTime<Utc> = "2026-03-04T02:00:00Z".parse().expect("a time");
        let command = Command {
            id: "start".into(),
            actor: by(person(1 + applicant % 4)),
            ask: Ask::Start { data: form(amount, kind) },
        };
        let decision = engine::decide(definition, None, &command, &facts(now, 0)).expect("anybody may start");
        let again = engine::decide(definition, None, &command, &facts(now, 0)).expect("the same again");
        assert_eq!(decision, again, "law 1: deterministic");
        let (called, over) = (BTreeSet::new(), BTreeSet::new());
        let (state, log, explored) = (decision.state.clone(), Vec::new(), explore(definition));
        let mut case = Case { definition, state, log, now, count: 0, explored, called, over };
        case.accept(None, decision);
        case
    }

    fn ask(&mut self, actor: Actor, ask: Ask) -> Result<(), Refusal> {
        self.count += 1;
        let command = Command { id: format!("c{}", self.count).into(), actor, ask };
        let before = self.state.clone();
        let facts = facts(self.now, self.count);
        let first = engine::decide(self.definition, Some(&self.state), &command, &facts);
        let second = engine::decide(self.definition, Some(&self.state), &command, &facts);
        assert_eq!(first, second, "law 1: deterministic");
        assert_eq!(before, self.state, "law 2: deciding changes nothing by itself");
        let decision = first?;
        self.accept(Some(before), decision);
        Ok(())
    }

    fn accept(&mut self, before: Option<State>, decision: engine::Decision) {
        let folded = engine::apply(before, &decision.entry).expect("what was decided can be folded");
        assert_eq!(folded, decision.state, "law 3: folding an entry gives the state that was answered");
        assert!(!decision.entry.events.is_empty(), "an accepted command makes something happen");
        for event in &decision.entry.events {
            match event {
                Event::Called { child, detached: false, .. } => drop(self.called.insert(*child)),
                Event::CallCancelled { child } => assert!(self.over.insert(*child), "a call was cancelled twice"),
                _ => {}
            }
        }
        if let Ask::ChildEnded { child, .. } | Ask::CallFailed { child, .. } = &decision.entry.command.ask {
            self.over.insert(*child);
        }
        self.state = decision.state;
        self.log.push(decision.entry);
        self.invariants();
    }

    fn invariants(&self) {
        let state = &self.state;
        for token in state.tokens.values() {
            assert!(state.scopes.contains_key(&token.scope), "law 4: a token without its scope");
        }
        for (number, task) in &state.tasks {
            assert!(state.tokens.contains_key(&task.token), "law 4: a task without its token");
            assert_eq!(
                state.tokens[&task.token].step.as_ref(),
                Some(&task.step),
                "law 4: a task of a step that its token has left"
            );
            if let TaskKind::Revise { of } = task.kind {
                assert!(state.tasks[&of].parked, "a revision of a task that does not wait for it");
            }
            let revised = |other: &countersign::engine::state::Task| other.kind == TaskKind::Revise { of: *number };
            assert_eq!(task.parked, state.tasks.values().any(revised), "a parked task and its revision go together");
            assert!(task.parked || !task.assignments.is_empty(), "law 5: an open task that nobody can answer");
            for (number, _) in (0u16..).zip(&task.seats).filter(|(_, seat)| seat.is_none() && !task.parked) {
                let taker = task.assignments.iter().any(|open| open.seats.contains(&number));
                assert!(taker || task.mode == engine::state::Mode::Any, "law 6: a vote that cannot end");
            }
            for open in &task.assignments {
                let own = open.person == state.applicant || open.person == state.starter;
                assert!(!(own && task.kind == TaskKind::Approve), "whose case it is was asked to approve it");
                let twice = task.assignments.iter().filter(|other| other.person == open.person).count();
                assert_eq!(twice, 1, "one assignment a person");
            }
        }
        for timer in state.timers.values() {
            let alive = match timer.of {
                Owner::Task(task) => state.tasks.contains_key(&task),
                Owner::Token(token) => state.tokens.contains_key(&token),
            };
            assert!(alive, "law 4: a timer without its task or token");
        }
        for scope in state.scopes.values() {
            let waits =
                |holder| matches!(state.tokens.get(&holder), Some(Token { waits: Some(Waiting::Block(_)), .. }));
            assert!(scope.holder.is_none_or(waits), "law 4: a scope whose holder does not wait for it");
            assert!(
                scope.parent.is_none_or(|parent| state.scopes.contains_key(&parent)),
                "law 4: a scope without its parent"
            );
        }
        let mut called = self.called.clone();
        called.retain(|child| !self.over.contains(child));
        let awaited = |token: &Token| match token.waits {
            Some(Waiting::Call { child, .. }) => Some(child),
            _ => None,
        };
        let awaited: BTreeSet<InstanceId> = state.tokens.values().filter_map(awaited).collect();
        assert_eq!(called, awaited, "law 4: every call is awaited, ended or cancelled");
        let ends = self.log.iter().flat_map(|entry| &entry.events).filter(|event| matches!(event, Event::Ended { .. }));
        assert_eq!(ends.count(), usize::from(state.ended.is_some()), "exactly one end");
        if let Some(ended) = &state.ended {
            let built_in = [outcome::WITHDRAWN, outcome::CANCELLED].contains(&ended.outcome.as_str());
            let listed = || self.explored.ends.iter().any(|end| end.outcome == ended.outcome);
            assert!(built_in || listed(), "law 9: `explore` does not list the end {}", ended.outcome);
            assert!(
                state.tokens.is_empty() && state.tasks.is_empty() && state.timers.is_empty(),
                "law 4: an end ends all"
            );
        } else {
            let waits = |token: &Token| !matches!(token.waits, None | Some(Waiting::Block(_)));
            let waits = state.tokens.values().any(waits);
            assert!(!state.tasks.is_empty() || waits || state.has_incident(), "law 5: nothing can move the case on");
            for (number, token) in &state.tokens {
                let busy = token.waits.is_some()
                    || token.incident.is_some()
                    || state.tasks.values().any(|task| task.token == *number);
                assert!(busy, "law 5: a token that waits for nothing: {number} {token:?}");
            }
        }
        for (earlier, later) in self.log.iter().zip(self.log.iter().skip(1)) {
            assert!(earlier.at <= later.at && earlier.revision + 1 == later.revision, "the log runs forward");
        }
    }

    /// Law 9: what happened is nothing that `explore` calls impossible.
    fn assert_possible(&self) {
        for entry in &self.log {
            let entered = |step: &StepId| {
                entry
                    .events
                    .iter()
                    .any(|event| matches!(event, Event::Entered { step: entered, .. } if entered == step))
            };
            for event in &entry.events {
                let never = match event {
                    Event::Entered { step, .. } => Never::Step(step.clone()),
                    Event::Skipped { step, .. } if !entered(step) => Never::Skip(step.clone()),
                    _ => continue,
                };
                assert!(
                    !self.explored.never.contains(&never),
                    "law 9: `explore` says that this never happens: {never:?}"
                );
            }
        }
    }

    fn try_op(&mut self, op: &Op) {
        let open: Vec<_> = self
            .state
            .tasks
            .iter()
            .flat_map(|(number, task)| task.assignments.iter().map(|open| (*number, open.clone(), task.kind)))
            .collect();
        match op {
            Op::Answer { pick, outcome, words } if !open.is_empty() => {
                let (task, assignment, kind) = open[usize::from(*pick) % open.len()].clone();
                if matches!(kind, TaskKind::Revise { .. }) {
                    return self.revise(120, true);
                }
                let step = &self.definition.steps[&self.state.tasks[&task].step];
                let outcomes: Vec<Outcome> = step.human().expect("a human step").outcomes.keys().cloned().collect();
                let outcome = outcomes[usize::from(*outcome) % outcomes.len()].clone();
                let opinion: Option<Arc<str>> = words.then(|| "as discussed".into());
                let ask = |outcome: &Outcome| Ask::Decide {
                    task,
                    assignment: Some(assignment.id),
                    outcome: outcome.clone(),
                    opinion: opinion.clone(),
                    values: Record::new(),
                    seen: None,
                };
                let round = self.state.tasks[&task].round;
                match self.ask(by(assignment.person.clone()), ask(&outcome)) {
                    Ok(()) => {
                        let again = self.ask(by(assignment.person.clone()), ask(&outcome));
                        let asked_anew = self.state.tasks.get(&task).is_some_and(|task| task.round > round);
                        match again {
                            Err(Refusal::AlreadyAnswered { outcome: first, .. }) => assert_eq!(first, outcome),
                            Err(_) => {}
                            Ok(()) => assert!(asked_anew, "law 7: a second answer was taken"),
                        }
                    }
                    Err(refusal) => assert!(
                        matches!(refusal, Refusal::OpinionRequired(_)) && opinion.is_none(),
                        "an answer of who is asked was refused: {refusal:?}"
                    ),
                }
            }
            Op::Answer { .. } => {}
            Op::Intrude { task, person: intruder } => {
                let numbers: Vec<_> = self.state.tasks.keys().copied().collect();
                let Some(number) = numbers.get(usize::from(*task) % numbers.len().max(1)).copied() else { return };
                let intruder = person(*intruder);
                if self.state.tasks[&number].assignments.iter().any(|open| open.person == intruder) {
                    return;
                }
                let ask = Ask::Decide {
                    task: number,
                    assignment: None,
                    outcome: outcome::APPROVED.into(),
                    opinion: None,
                    values: Record::new(),
                    seen: None,
                };
                assert!(self.ask(by(intruder), ask).is_err(), "somebody who is not asked decided");
            }
            Op::Revise { amount, kind } => self.revise(*amount, *kind),
            Op::Comment { person: who } => {
                let _ = self.ask(by(person(*who)), Ask::Comment { text: "a word".into() });
            }
            Op::Wake { hours } => {
                self.now += TimeDelta::hours(i64::from(*hours));
                let due = self.state.timers.values().filter(|timer| timer.at <= self.now).count();
                let woken = self.ask(Actor::System, Ask::Wake);
                assert_eq!(woken.is_ok(), due > 0, "a wake fires exactly when something is due");
                assert_eq!(self.ask(Actor::System, Ask::Wake), Err(Refusal::NothingDue), "law 8: a timer fires once");
            }
            Op::Resend { pick } => {
                if let Some((_, assignment, _)) = open.get(usize::from(*pick) % open.len().max(1)) {
                    let ask = Ask::Resend { assignment: assignment.id };
                    self.ask(Actor::System, ask).expect("an open assignment's mail can be sent again");
                }
            }
            Op::Withdraw { person: who } => {
                let who = person(*who);
                let running = self.state.ended.is_none() && self.state.ending.is_none();
                let own = who == self.state.applicant && running;
                let withdrawn = self.ask(by(who), Ask::Withdraw { reason: None });
                assert_eq!(withdrawn.is_ok(), own, "only the applicant withdraws, and only once");
            }
            Op::HandOver { from, to } => self.hand_over(&person(*from), &person(*to)),
            Op::Outside { pick, how } => self.outside(*pick, *how),
            Op::Retry => {
                let stopped = self.state.has_incident();
                let actor = Actor::Operator { user: "root".into() };
                assert_eq!(self.ask(actor, Ask::Retry { step: None }).is_ok(), stopped);
            }
            Op::Cancel => {
                let running = self.state.ended.is_none() && self.state.ending.is_none();
                let actor = Actor::Operator { user: "root".into() };
                assert_eq!(self.ask(actor, Ask::Cancel { reason: None }).is_ok(), running);
            }
        }
    }

    fn hand_over(&mut self, from: &PersonId, to: &PersonId) {
        let actor = Actor::Operator { user: "root".into() };
        let ask = Ask::HandOver { from: from.clone(), to: to.clone() };
        if self.ask(actor.clone(), ask.clone()).is_err() {
            return;
        }
        assert!(self.state.applicant != *from, "what was handed over is not theirs");
        let form = |task: &Task| matches!(task.kind, TaskKind::Revise { .. } | TaskKind::Begin);
        let asked = |task: &Task| task.assignments.iter().any(|open| open.person == *from);
        assert!(!self.state.tasks.values().any(|task| form(task) && asked(task)), "a revision is the applicant's");
        // What stays is what nobody else may take, and stays again.
        let before = self.state.clone();
        assert!(self.ask(actor, ask).is_err() || self.state.tasks == before.tasks, "the same again has nothing to do");
    }

    /// Something comes from outside for one of the tokens that wait for it.
    fn outside(&mut self, pick: u8, how: u8) {
        let waiting: Vec<(TokenId, Waiting)> = self
            .state
            .tokens
            .iter()
            .filter_map(|(number, token)| Some((*number, token.waits.clone()?)))
            .filter(|(_, waits)| !matches!(waits, Waiting::Block(_) | Waiting::Time | Waiting::Lock { .. }))
            .collect();
        let Some((token, waits)) = waiting.get(usize::from(pick) % waiting.len().max(1)).cloned() else { return };
        let nothing = Value::Record(Record::new());
        let ask = match waits {
            Waiting::Message { name, key, .. } => {
                Ask::Deliver { token, message: "m1".into(), name, key, data: nothing }
            }
            Waiting::Call { child, .. } if how % 5 == 4 => Ask::CallFailed {
                token,
                child,
                what: countersign::model::text::Wording::new("不行", "no"),
                taken: token.0 % 2 == 1,
            },
            Waiting::Call { child, .. } => {
                let outcome = ["done", "rejected", "cancelled", "withdrawn"][usize::from(how % 4)].into();
                Ask::ChildEnded { token, child, outcome, data: Record::new() }
            }
            Waiting::Http { attempt, .. } | Waiting::Job { attempt, .. } if how.is_multiple_of(3) => {
                let what = countersign::model::text::Wording::new("不通", "no answer");
                Ask::Fail { token, attempt, what, permanent: how.is_multiple_of(2), after: None }
            }
            Waiting::Http { attempt, .. } | Waiting::Job { attempt, .. } => {
                Ask::Answer { token, attempt, data: nothing }
            }
            Waiting::Block(_) | Waiting::Time | Waiting::Lock { .. } => return,
        };
        self.ask(Actor::System, ask.clone()).expect("what a token waits for is taken");
        let again = self.ask(Actor::System, ask);
        let still = self.state.tokens.get(&token).and_then(|token| token.waits.clone());
        assert!(again == Err(Refusal::NotWaiting) || still.is_some(), "law 7: a second answer was taken");
    }

    fn revise(&mut self, amount: u16, kind: bool) {
        let asked = self.state.tasks.iter().find(|(_, task)| matches!(task.kind, TaskKind::Revise { .. }));
        let Some((number, _)) = asked else { return };
        let (number, applicant) = (*number, self.state.applicant.clone());
        let before = self.state.closed.len();
        let form_asked = engine::form_of(self.definition, &self.state, &self.state.tasks[&number]);
        let mut data = form(amount, kind);
        data.retain(|name, _| form_asked.contains_key(name));
        if form_asked.contains_key("score") {
            data.insert("score".into(), Value::Number(amount.into()));
        }
        self.ask(by(applicant), Ask::Revise { task: number, data, note: None, seen: None })
            .expect("the applicant may revise");
        assert!(self.state.closed.len() > before || self.state.ended.is_some(), "a revision closes its task");
    }
}

fn row(number: u8) -> Value {
    Value::Record(Record::from_iter([("owner".into(), Value::Person(person(number)))]))
}

fn form(amount: u16, kind: bool) -> Record {
    Record::from_iter([
        ("amount".into(), Value::Number(amount.into())),
        ("kind".into(), Value::text(if kind { "a" } else { "b" })),
        ("rows".into(), Value::List((0..amount % 4).map(|number| row(number as u8)).collect())),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold(
        made in steps(1),
        applicant in any::<u8>(),
        amount in 0..300u16,
        kind in any::<bool>(),
        ops in ops(),
    ) {
        let yaml = Writer::process(&made);
        if let Some(definition) = compile(&yaml) {
            let run = std::panic::catch_unwind(|| {
                let mut case = Case::start(&definition, applicant, amount, kind);
                for op in &ops {
                    case.try_op(op);
                    let facts = facts(case.now, 0);
                    let _ = preview::upcoming(&definition, &case.state, &facts);
                }
                case.assert_possible();
                let folded = case.log.iter().try_fold(None, |state, entry| engine::apply(state, entry).map(Some));
                assert_eq!(folded.expect("the whole log folds"), Some(case.state), "law 3: the log is the state");
            });
            prop_assert!(run.is_ok(), "the process was:\n{yaml}");
        }
    }
}

#[test]
fn most_generated_processes_compile() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut ran = 0;
    let mut refused = String::new();
    for _ in 0..60 {
        let made = steps(1).new_tree(&mut runner).expect("a process").current();
        let yaml = Writer::process(&made);
        let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("made.yaml", &yaml)]);
        if compiled.has_errors() {
            refused = compiled.render(countersign::model::text::Lang::En);
        } else {
            ran += 1;
        }
    }
    assert!(ran >= 30, "only {ran} of 60 generated processes compile; the last was refused so:\n{refused}");
}
