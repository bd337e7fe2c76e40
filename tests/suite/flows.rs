//! The engine by example: one small process each, played by hand on the pure core.

use crate::support;
use chrono::{DateTime, TimeDelta, Utc};
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::event::Event;
use countersign::engine::fingerprint::Fingerprint;
use countersign::engine::refusal::Refusal;
use countersign::engine::state::{MailKind, State, TaskKind};
use countersign::engine::{self, Facts, preview};
use countersign::model::definition::Definition;
use countersign::model::id::{PersonId, TaskId};
use countersign::model::people::Directory;
use countersign::model::text::Lang;
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Value};

const DIRECTORY: &str = "
directory: company
departments:
  sales: { title: Sales, head: lead }
  finance: { title: Finance, head: cfo }
positions:
  ceo: { title: CEO }
  cfo: { title: CFO, department: finance, reports_to: ceo }
  lead: { title: Lead, department: sales, reports_to: ceo }
  clerk: { title: Clerk, department: sales, reports_to: lead }
people:
  ada: { name: Ada, mail: ada@example.com, positions: [ceo], language: en }
  fay: { name: Fay, mail: fay@example.com, positions: [cfo], language: en }
  leo: { name: Leo, mail: leo@example.com, positions: [lead], language: en }
  cam: { name: Cam, mail: cam@example.com, positions: [clerk], language: en }
  kim: { name: Kim, mail: kim@example.com, positions: [clerk], language: en }
absences:
  - { person: fay, from: 2026-03-10, to: 2026-03-12, substitute: ada }
";

struct Play {
    definition: Definition,
    directory: Directory,
    calendar: Calendar,
    now: DateTime<Utc>,
    state: Option<State>,
    events: Vec<Event>,
    count: u8,
}

impl Play {
    fn new(process: &str) -> Play {
        let process = format!(
            "process: play\ntitle: Play\nstart: [clerk, lead]\nform:\n  amount: {{ type: money, title: Amount, required: true, min: 0.01 }}\n  \
             note: {{ type: text, title: Note }}\n  who: {{ type: person, title: Who }}\n  double: {{ type: money, title: Double, value: amount * 2 }}\nsteps:\n{process}"
        );
        let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("play.yaml", &process)]);
        assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
        Play {
            definition: compiled.definitions.into_iter().next().expect("the process"),
            directory: compiled.directory.expect("the people"),
            calendar: Calendar::default(),
            // Monday, 9:14 in Shanghai.
            now: "2026-03-02T01:14:00Z".parse().expect("a time"),
            state: None,
            events: Vec::new(),
            count: 0,
        }
    }

    fn ask(&mut self, who: &str, ask: Ask) -> Result<(), Refusal> {
        self.count += 1;
        let actor = match who {
            "time" => Actor::System,
            "operator" => Actor::Operator { user: "root".into() },
            person => Actor::Person { id: PersonId::from(person), via: Via::Scenario },
        };
        let command = Command { id: format!("c{}", self.count).into(), actor, ask };
        let facts = self.facts();
        let decision = engine::decide(&self.definition, self.state.as_ref(), &command, &facts)?;
        self.events.clone_from(&decision.entry.events);
        self.state = Some(decision.state);
        Ok(())
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            now: self.now,
            directory: &self.directory,
            calendar: &self.calendar,
            sequence: 1,
            seed: [self.count; 16],
        }
    }

    fn start(&mut self, who: &str, amount: i64) {
        self.ask(who, Ask::Start { data: money(amount) }).expect("the start is accepted");
    }

    fn state(&self) -> &State {
        self.state.as_ref().expect("a case")
    }

    /// The number of the open task of a step.
    fn task(&self, step: &str) -> TaskId {
        let found = self.state().tasks.iter().find(|(_, task)| {
            task.step.as_str() == step && !task.parked && !matches!(task.kind, TaskKind::Revise { .. })
        });
        *found.unwrap_or_else(|| panic!("no open task of {step}; open: {:?}", self.asked())).0
    }

    fn decide(&mut self, who: &str, step: &str, outcome: &str, opinion: Option<&str>) -> Result<(), Refusal> {
        self.fill(who, step, outcome, opinion, Record::new())
    }

    fn fill(
        &mut self,
        who: &str,
        step: &str,
        outcome: &str,
        opinion: Option<&str>,
        values: Record,
    ) -> Result<(), Refusal> {
        let ask = Ask::Decide {
            task: self.task(step),
            assignment: None,
            outcome: outcome.into(),
            opinion: opinion.map(Into::into),
            values,
            seen: None,
        };
        self.ask(who, ask)
    }

    fn revise(&mut self, who: &str, data: Record) {
        let asked = self.state().tasks.iter().find(|(_, task)| matches!(task.kind, TaskKind::Revise { .. }));
        let task = *asked.expect("a revision is asked for").0;
        self.ask(who, Ask::Revise { task, data, note: None, seen: None }).expect("the revision is accepted");
    }

    /// Who is asked at which step now.
    fn asked(&self) -> Vec<String> {
        let tasks = self.state().tasks.values();
        tasks.flat_map(|task| task.assignments.iter().map(|open| format!("{}:{}", task.step, open.person))).collect()
    }

    /// To whom the last command queued which mail.
    fn mails(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::MailQueued { kind, to, .. } => {
                    let kind = match kind {
                        MailKind::Assigned { .. } => "assigned",
                        MailKind::Reminder { .. } => "reminder",
                        MailKind::FreshLink { .. } => "fresh",
                        MailKind::Decided { .. } => "decided",
                        MailKind::Ended => "ended",
                        MailKind::Notice { .. } => "notice",
                        MailKind::ActedFor { .. } => "acted",
                        MailKind::Overdue { .. } => "overdue",
                        MailKind::HandedOver => "handed_over",
                    };
                    Some(format!("{kind}:{to}"))
                }
                _ => None,
            })
            .collect()
    }

    fn ended(&self) -> Option<&str> {
        self.state().ended.as_ref().map(|ended| ended.outcome.as_str())
    }
}

fn money(amount: i64) -> Record {
    Record::from_iter([("amount".into(), Value::Number(amount.into()))])
}

const TWO: &str = "
  - id: first
    title: First
    approve: lead
    remind: [4 working hours]
  - id: second
    title: Second
    when: double >= 1000
    approve: cfo
  - end: granted
";

#[test]
fn a_case_travels_from_step_to_step_and_ends_by_name() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    assert_eq!(play.asked(), ["first:leo"]);
    assert_eq!(play.mails(), ["assigned:leo"]);
    play.decide("leo", "first", "approved", None).unwrap();
    assert_eq!(play.asked(), ["second:fay"]);
    assert_eq!(play.mails(), ["decided:cam", "assigned:fay"]);
    play.decide("fay", "second", "approved", Some("fine")).unwrap();
    assert_eq!(play.ended(), Some("granted"));
    assert_eq!(play.mails(), ["ended:cam"], "the mail of the end tells of the last decision too");
}

#[test]
fn a_step_whose_condition_does_not_hold_is_skipped() {
    let mut play = Play::new(TWO);
    play.start("cam", 499);
    play.decide("leo", "first", "approved", None).unwrap();
    assert_eq!(play.ended(), Some("granted"));
    assert_eq!(play.state().steps["second"].outcome.as_str(), "skipped");
}

#[test]
fn a_rejection_needs_an_opinion_and_ends_the_case() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    assert!(matches!(play.decide("leo", "first", "rejected", Some("  ")), Err(Refusal::OpinionRequired(_))));
    play.decide("leo", "first", "rejected", Some("too much")).unwrap();
    assert_eq!(play.ended(), Some("rejected"));
    assert!(play.state().tasks.is_empty() && play.state().timers.is_empty());
}

#[test]
fn a_return_asks_the_applicant_and_then_the_same_step_again() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    play.decide("leo", "first", "returned", Some("which customer?")).unwrap();
    assert_eq!(play.asked(), ["first:cam"], "the applicant is asked to revise");
    assert_eq!(play.mails(), ["assigned:cam"], "one mail tells them");
    play.revise("cam", Record::from_iter([("note".into(), Value::text("for Hua Kang"))]));
    assert_eq!(play.asked(), ["first:leo"]);
    assert_eq!(play.state().tasks[&play.task("first")].round, 2);
    assert_eq!(play.state().data["amount"], Value::Number("600.00".parse().unwrap()), "what was not changed stays");
}

#[test]
fn a_revision_that_changes_what_a_passed_step_read_walks_again_from_there() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    play.decide("leo", "first", "approved", None).unwrap();
    play.decide("fay", "second", "returned", Some("smaller, please")).unwrap();
    play.revise("cam", money(400));
    // `second` itself asked with `double >= 1000`, but it is the step that returned; nothing before it read `double`.
    assert_eq!(play.asked(), ["second:fay"]);

    let mut play = Play::new(
        "
  - id: gate
    title: Gate
    when: double >= 1000
    approve: lead
  - id: last
    title: Last
    approve: cfo
",
    );
    play.start("cam", 400);
    assert_eq!(play.asked(), ["last:fay"], "the gate was skipped");
    play.decide("fay", "last", "returned", Some("ask for enough")).unwrap();
    play.revise("cam", money(600));
    assert_eq!(play.asked(), ["gate:leo"], "the larger amount does not slip past the gate");
}

#[test]
fn a_step_whose_people_were_revised_away_is_passed_by() {
    let mut play = Play::new(
        "
  - id: more
    title: More
    when: who != null
    approve: who
    due: min(99, string length(who.id)) * 1 day
  - id: last
    title: Last
    approve: cfo
",
    );
    play.start("cam", 600);
    assert_eq!(play.asked(), ["last:fay"], "nobody is named");
    let named = || {
        let leo = Value::Person("leo".into());
        Record::from_iter([("amount".into(), Value::Number(600.into())), ("who".into(), leo)])
    };
    play.decide("fay", "last", "returned", Some("name somebody")).unwrap();
    play.revise("cam", named());
    assert_eq!(play.asked(), ["more:leo"]);
    play.decide("leo", "more", "returned", Some("not me, please")).unwrap();
    play.revise("cam", Record::from_iter([("who".into(), Value::Null)]));
    assert_eq!(play.asked(), ["last:fay"], "no incident: as on a first visit, `more` is passed by");
}

#[test]
fn whoever_returned_a_case_sees_it_again_by_whatever_way_it_comes_back() {
    let mut play = Play::new(
        "
  - { id: check, title: Check, when: amount >= 500, approve: lead }
  - { id: boss, title: Boss, when: amount >= 500, approve: cfo, due: 2 working days }
  - { id: last, title: Last, approve: ceo }
",
    );
    play.start("cam", 600);
    play.decide("leo", "check", "approved", None).unwrap();
    play.decide("fay", "boss", "returned", Some("why so much?")).unwrap();
    play.revise("cam", money(499));
    assert_eq!(play.asked(), ["boss:fay"], "the way begins at `check`, which is passed");
    play.decide("fay", "boss", "approved", None).unwrap();
    play.decide("ada", "last", "returned", Some("once more")).unwrap();
    play.revise("cam", money(498));
    assert_eq!(play.asked(), ["last:ada"], "who has seen it since is not asked a third time");

    let mut play = Play::new(
        "
  - id: both
    title: Both
    parallel:
      one: [{ id: check, title: Check, when: amount >= 500, approve: lead }]
      two: [{ id: boss, title: Boss, when: amount >= 500, approve: cfo }]
",
    );
    play.start("cam", 600);
    play.decide("leo", "check", "approved", None).unwrap();
    play.decide("fay", "boss", "returned", Some("why so much?")).unwrap();
    play.revise("cam", money(499));
    assert_eq!(play.asked(), ["boss:fay"], "the branches begin anew");
}

#[test]
fn a_time_that_was_revised_away_dodges_nobody() {
    let mut play = Play::new(
        "
  - id: more
    title: More
    when: note != null
    approve: lead
    due: min(99, string length(note)) * 1 day
    remind: ['min(99, string length(note)) * 1 hour']
",
    );
    let noted = Record::from_iter([("amount".into(), Value::Number(600.into())), ("note".into(), Value::text("x"))]);
    play.ask("cam", Ask::Start { data: noted }).unwrap();
    play.decide("leo", "more", "returned", Some("no note, please")).unwrap();
    play.revise("cam", Record::from_iter([("note".into(), Value::Null)]));
    assert_eq!(play.asked(), ["more:leo"], "asked again, without a reminder");
}

#[test]
fn all_sign_or_one_rejects() {
    let both = "
  - id: both
    title: Both
    approve: [lead, cfo]
    mode: all
";
    let mut play = Play::new(both);
    play.start("cam", 1);
    assert_eq!(play.asked(), ["both:leo", "both:fay"]);
    play.decide("fay", "both", "approved", None).unwrap();
    assert_eq!(play.asked(), ["both:leo"]);
    assert!(matches!(play.decide("fay", "both", "approved", None), Err(Refusal::AlreadyAnswered { .. })));
    play.decide("leo", "both", "approved", None).unwrap();
    assert_eq!(play.ended(), Some("done"));

    let mut play = Play::new(both);
    play.start("cam", 1);
    play.decide("fay", "both", "rejected", Some("no")).unwrap();
    assert_eq!(play.ended(), Some("rejected"));
}

#[test]
fn any_takes_the_first_answer() {
    let mut play = Play::new(
        "\n  - id: any\n    title: Any\n    approve: [lead, cfo]\n    mode: any\n  - id: next_one\n    title: Next\n    task: clerk\n",
    );
    play.start("cam", 1);
    play.decide("fay", "any", "approved", None).unwrap();
    assert_eq!(play.asked(), ["next_one:cam", "next_one:kim"]);
    play.decide("kim", "next_one", "done", None).unwrap();
    let late = play.ask(
        "cam",
        Ask::Decide {
            task: TaskId(1),
            assignment: None,
            outcome: "done".into(),
            opinion: None,
            values: Record::new(),
            seen: None,
        },
    );
    assert!(matches!(late, Err(Refusal::TaskClosed(over)) if over.by == Some("kim".into())), "it names who did it");
}

#[test]
fn nobody_approves_their_own_case() {
    let mut play = Play::new("\n  - id: boss\n    title: Boss\n    approve: head_of(applicant.department)\n");
    play.start("leo", 1);
    assert_eq!(play.asked(), ["boss:ada"], "the head's own case goes to the head's superior");

    let mut play = Play::new("\n  - id: peer\n    title: Peer\n    approve: clerk\n");
    play.start("cam", 1);
    assert_eq!(play.asked(), ["peer:kim"], "the applicant is struck from the holders");
}

#[test]
fn a_substitute_decides_for_who_is_away() {
    let mut play = Play::new("\n  - id: money\n    title: Money\n    approve: cfo\n");
    play.now = "2026-03-11T02:00:00Z".parse().unwrap();
    play.start("cam", 1);
    assert_eq!(play.asked(), ["money:ada"]);
    let task = &play.state().tasks[&play.task("money")];
    assert_eq!(task.assignments[0].stands_in_for, Some("fay".into()));
}

#[test]
fn a_reminder_goes_out_once_and_late() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    assert_eq!(play.ask("time", Ask::Wake), Err(Refusal::NothingDue));
    // Four working hours from 9:14 on Monday are 14:44; the server was down until Thursday.
    assert_eq!(play.state().wake_at().map(|at| at.to_rfc3339()), Some("2026-03-02T06:44:00+00:00".into()));
    play.now += TimeDelta::days(3);
    play.ask("time", Ask::Wake).unwrap();
    assert_eq!(play.mails(), ["reminder:leo"]);
    assert_eq!(play.ask("time", Ask::Wake), Err(Refusal::NothingDue));
}

#[test]
fn an_answer_ends_the_reminders() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    play.decide("leo", "first", "approved", None).unwrap();
    assert_eq!(play.state().wake_at(), None);
}

#[test]
fn what_was_shown_is_what_is_decided() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    let number = play.task("first");
    let seen = Fingerprint::of(play.state(), &play.state().tasks[&number]);
    play.decide("leo", "first", "returned", Some("smaller")).unwrap();
    play.revise("cam", money(500));
    let stale = Ask::Decide {
        task: number,
        assignment: None,
        outcome: "approved".into(),
        opinion: None,
        values: Record::new(),
        seen: Some(seen),
    };
    assert_eq!(play.ask("leo", stale), Err(Refusal::Changed));
}

#[test]
fn only_the_applicant_withdraws_and_only_an_operator_cancels() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    assert!(matches!(play.ask("leo", Ask::Withdraw { reason: None }), Err(Refusal::NotApplicant(_))));
    assert!(matches!(play.ask("cam", Ask::Cancel { reason: None }), Err(Refusal::NotOperator)));
    play.ask("cam", Ask::Withdraw { reason: Some("not needed".into()) }).unwrap();
    assert_eq!(play.ended(), Some("withdrawn"));
    assert!(play.mails().is_empty(), "who withdraws knows");
    assert!(matches!(play.decide_closed("leo"), Err(Refusal::TaskClosed(_))));
    assert!(matches!(play.ask("operator", Ask::Cancel { reason: None }), Err(Refusal::Ended { .. })));
}

impl Play {
    fn decide_closed(&mut self, who: &str) -> Result<(), Refusal> {
        let ask = Ask::Decide {
            task: TaskId(0),
            assignment: None,
            outcome: "approved".into(),
            opinion: None,
            values: Record::new(),
            seen: None,
        };
        self.ask(who, ask)
    }
}

#[test]
fn a_form_tells_all_its_faults_at_once() {
    let mut play = Play::new(TWO);
    let data = Record::from_iter([
        ("amount".into(), Value::text("lots")),
        ("note".into(), Value::text("two\nlines")),
        ("nope".into(), Value::Null),
    ]);
    let Err(Refusal::BadForm(faults)) = play.ask("cam", Ask::Start { data }) else { panic!("it was accepted") };
    let paths: Vec<String> = faults.iter().map(|fault| fault.path_text()).collect();
    assert_eq!(paths, ["nope", "amount", "note"]);
    assert!(play.state.is_none(), "refused means nothing happened");
}

/// What is missing, what is beyond a limit, what has not the form and what breaks a rule: one round, not four.
#[test]
fn faults_of_every_kind_are_told_in_one_answer() {
    let process = "
process: play
title: Play
start: [clerk]
form:
  name: { type: text, title: Name, required: true }
  code: { type: text, title: Code, pattern: '[A-Z]-[0-9]+' }
  amount: { type: money, title: Amount, required: true, max: 100 }
  share: { type: percent, title: Share, check: { that: share <= 50 %, say: too much } }
  least: { type: integer, title: Least, required: true }
  most: { type: integer, title: Most, min: least }
  double: { type: money, title: Double, value: amount * 2, max: 150 }
  tags: { type: text, title: Tags, many: true, max: 1 }
  kinds: { type: choice, title: Kinds, many: true, options: [a, b] }
  items:
    type: list
    title: Items
    max: 5
    fields:
      what: { type: text, title: What, required: true, max: 3 }
      price: { type: money, title: Price, min: 1 }
steps:
  - { id: one, title: One, approve: lead }
";
    let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("play.yaml", process)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let mut play = Play::new("\n  - { id: one, title: One, approve: lead }\n");
    play.definition = compiled.definitions.into_iter().next().expect("the process");
    let number = |text: &str| Value::Number(text.parse().expect("a number"));
    let row = |what: &str, price: &str| {
        Value::Record(Record::from_iter([("what".into(), Value::text(what)), ("price".into(), number(price))]))
    };
    let all = Record::from_iter([
        ("code".into(), Value::text("a1")),
        ("amount".into(), number("120")),
        ("share".into(), number("0.6")),
        ("most".into(), number("3")),
        ("tags".into(), Value::List(vec![Value::text("x"), Value::text("y")])),
        ("items".into(), Value::List(vec![row("", "0.5"), row("long", "0.5")])),
    ]);
    let Err(Refusal::BadForm(faults)) = play.ask("cam", Ask::Start { data: all.clone() }) else { panic!("accepted") };
    let told: Vec<String> = faults.iter().map(|one| format!("{}: {}", one.path_text(), one.what.en)).collect();
    assert_eq!(
        told,
        [
            "name: Please fill this in.",
            "code: Not in the expected form: [A-Z]-[0-9]+.",
            "amount: At most 100.",
            "share: too much",
            "least: Please fill this in.",
            "tags: At most 1 item.",
            "items.0.what: Please fill this in.",
            "items.0.price: At least 1.",
            "items.1.what: At most 3 characters.",
            "items.1.price: At least 1.",
        ]
    );
    assert_eq!(faults[5].what.zh, "最多 1 项。");
    // What is right is taken, and what is chosen twice is chosen once.
    let right = Record::from_iter([
        ("name".into(), Value::text("N")),
        ("amount".into(), number("20")),
        ("least".into(), number("1")),
        ("kinds".into(), Value::List(["b", "a", "b"].map(Value::text).to_vec())),
    ]);
    play.ask("cam", Ask::Start { data: right }).expect("it is accepted");
    assert_eq!(play.state().data["kinds"], Value::List(["b", "a"].map(Value::text).to_vec()));
}

#[test]
fn the_preview_names_who_is_still_to_come() {
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    let ahead = preview::upcoming(&play.definition, play.state(), &play.facts());
    let shown: Vec<String> = ahead.iter().map(|step| format!("{}:{:?}", step.step, step.people())).collect();
    assert_eq!(shown, [r#"second:["fay"]"#]);
}

/// The steps that lie ahead, in their order.
fn ahead(play: &Play) -> Vec<String> {
    let ahead = preview::upcoming(&play.definition, play.state(), &play.facts());
    ahead.iter().map(|step| step.step.to_string()).collect()
}

#[test]
fn after_a_return_the_preview_walks_what_comes_again() {
    let mut play = Play::new(
        "
  - { id: first, title: First, approve: lead, on: { returned: mend } }
  - { id: second, title: Second, approve: cfo }
  - end: agreed
  - { id: mend, title: Mend, task: applicant, on: { done: first } }
",
    );
    play.start("cam", 600);
    play.decide("leo", "first", "returned", Some("mend it")).unwrap();
    assert_eq!(ahead(&play), ["first", "second"]);
    // In place: the step itself asks again once the case is revised.
    let mut play = Play::new(TWO);
    play.start("cam", 600);
    play.decide("leo", "first", "returned", Some("mend it")).unwrap();
    assert_eq!(ahead(&play), ["first", "second"]);
}

#[test]
fn the_preview_tells_what_is_left_in_every_row_before_what_comes_after() {
    let mut play = Play::new(
        "
  - id: ask
    each: holders(clerk)
    as: one
    into: asked
    steps:
      - { id: say, title: Say, task: one }
      - { id: hear, title: Hear, approve: lead }
  - { id: after, title: After, approve: cfo }
",
    );
    play.start("leo", 600);
    let (task, person) = {
        let (number, task) = play.state().tasks.iter().next().expect("a task");
        (*number, task.assignments[0].person.to_string())
    };
    let ask = Ask::Decide {
        task,
        assignment: None,
        outcome: "done".into(),
        opinion: None,
        values: Record::new(),
        seen: None,
    };
    play.ask(&person, ask).unwrap();
    assert_eq!(ahead(&play), ["hear", "after"]);
    // In order, rows that have not begun are ahead whole.
    let mut play = Play::new(
        "
  - id: ask
    each: holders(clerk)
    as: one
    into: asked
    mode: in order
    steps:
      - { id: say, title: Say, task: one }
      - { id: hear, title: Hear, approve: lead }
  - { id: after, title: After, approve: cfo }
",
    );
    play.start("leo", 600);
    assert_eq!(ahead(&play), ["hear", "say", "after"]);
}

#[test]
fn a_condition_on_what_is_missing_is_no_second_fault() {
    let process = "process: play\ntitle: Play\nstart: [clerk]\nform:\n  amount: { type: money, title: Amount, required: true }\n  \
                   why: { type: text, title: Why, required: true, when: amount > 100 }\nsteps:\n  - { id: one, title: One, approve: lead }\n";
    let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("play.yaml", process)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let mut play = Play::new("\n  - { id: one, title: One, approve: lead }\n");
    play.definition = compiled.definitions.into_iter().next().expect("the process");
    let Err(Refusal::BadForm(faults)) = play.ask("cam", Ask::Start { data: Record::new() }) else {
        panic!("it was accepted")
    };
    let paths: Vec<String> = faults.iter().map(|fault| fault.path_text()).collect();
    assert_eq!(paths, ["amount"], "only what is to be filled in is told");
}

#[test]
fn a_copy_tells_others_of_one_outcome_each_once() {
    let copied = "
  - id: first
    title: First
    approve: lead
    copy: { approved: [clerk, cfo, cfo] }
";
    let mut play = Play::new(copied);
    play.start("cam", 600);
    play.decide("leo", "first", "approved", None).unwrap();
    assert_eq!(play.mails(), ["notice:kim", "notice:fay", "ended:cam"], "the applicant is told anyway");
    let mut play = Play::new(copied);
    play.start("cam", 600);
    play.decide("leo", "first", "rejected", Some("no")).unwrap();
    assert_eq!(play.mails(), ["ended:cam"]);
}

#[test]
fn a_copy_is_sent_where_time_decides_too() {
    let mut play = Play::new(
        "
  - id: first
    title: First
    approve: lead
    due: 1 working day
    overdue: { decide: approved }
    copy: { approved: [cfo] }
  - { id: last, title: Last, task: clerk }
",
    );
    play.start("cam", 600);
    play.now += TimeDelta::days(2);
    play.ask("time", Ask::Wake).unwrap();
    assert!(play.mails().contains(&"notice:fay".to_owned()), "{:?}", play.mails());
}

#[test]
fn a_step_that_edits_asks_what_is_there_again() {
    let edits = "
  - id: first
    title: First
    approve: lead
    edit: [amount]
";
    let mut play = Play::new(edits);
    play.start("cam", 600);
    let task = play.task("first");
    let form = engine::form_of(&play.definition, play.state(), &play.state().tasks[&task]);
    assert_eq!(form.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["amount"]);
    let Err(Refusal::BadForm(faults)) = play.fill("leo", "first", "approved", None, money(0)) else {
        panic!("less than the least was accepted")
    };
    assert_eq!(faults[0].path_text(), "amount");
    play.fill("leo", "first", "approved", None, money(700)).unwrap();
    assert_eq!(play.state().data["double"], Value::Number("1400.00".parse().unwrap()), "what is computed follows");

    let mut play = Play::new(edits);
    play.start("cam", 600);
    play.fill("leo", "first", "rejected", Some("no"), money(700)).unwrap();
    assert_eq!(play.state().data["amount"], Value::Number("600.00".parse().unwrap()), "a rejection changes nothing");
}

#[test]
fn a_later_edit_opens_the_decisions_that_depend_on_it_again() {
    let depends = "
  - id: first
    title: First
    approve: lead
    depends_on: [double]
  - id: second
    title: Second
    approve: cfo
    edit: [amount, note]
";
    let mut play = Play::new(depends);
    play.start("cam", 600);
    play.decide("leo", "first", "approved", None).unwrap();
    let note = Record::from_iter([("note".into(), Value::text("for Hua Kang"))]);
    play.fill("fay", "second", "approved", None, note).unwrap();
    assert_eq!(play.ended(), Some("done"), "nobody depends on the note");

    let mut play = Play::new(depends);
    play.start("cam", 600);
    play.decide("leo", "first", "approved", None).unwrap();
    play.fill("fay", "second", "approved", None, money(700)).unwrap();
    assert_eq!(play.asked(), ["first:leo"], "what is computed from the amount has changed");
    play.decide("leo", "first", "approved", None).unwrap();
    play.decide("fay", "second", "approved", None).unwrap();
    assert_eq!(play.ended(), Some("done"));

    let mut play = Play::new(depends);
    play.start("cam", 600);
    play.decide("leo", "first", "approved", None).unwrap();
    play.decide("fay", "second", "returned", Some("more")).unwrap();
    play.revise("cam", money(700));
    assert_eq!(play.asked(), ["first:leo"], "a revision opens it too");
}

#[test]
fn in_a_row_its_columns_are_edited_and_depended_on() {
    let process = "process: play\ntitle: Play\nstart: [clerk]\nform:\n  items:\n    type: list\n    title: Items\n    fields:\n      \
                   what: { type: text, title: What, required: true }\n      price: { type: money, title: Price }\nsteps:\n  \
                   - id: rows\n    each: items\n    as: item\n    steps:\n      \
                   - { id: pick, title: Pick, approve: lead, depends_on: [price] }\n      \
                   - { id: buy, title: Buy, task: cfo, edit: [price] }\n";
    let compiled = support::compile(&[("directory.yaml", DIRECTORY), ("play.yaml", process)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let mut play = Play::new(TWO);
    play.definition = compiled.definitions.into_iter().next().expect("the process");
    let item = Value::Record(Record::from_iter([("what".into(), Value::text("tea"))]));
    let data = Record::from_iter([("items".into(), Value::List(vec![item]))]);
    play.ask("cam", Ask::Start { data }).unwrap();
    play.decide("leo", "pick", "approved", None).unwrap();
    let price = Record::from_iter([("price".into(), Value::Number(5.into()))]);
    play.fill("fay", "buy", "done", None, price).unwrap();
    assert_eq!(play.asked(), ["pick:leo"], "at another price it is picked again");
    play.decide("leo", "pick", "approved", None).unwrap();
    play.decide("fay", "buy", "done", None).unwrap();
    let Value::List(items) = &play.state().data["items"] else { panic!("a list") };
    let Value::Record(item) = &items[0] else { panic!("a row") };
    assert_eq!(item["price"], Value::Number("5.00".parse().unwrap()));
}
