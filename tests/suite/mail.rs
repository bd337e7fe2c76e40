//! Mails as people get them: golden texts and pages in both languages, headers that hold, hostile texts that
//! arrive harmless, and parts that make the same bytes for ever.
//!
//! The cases are built by hand, so that this tests what is shown and nothing else.

use crate::support::{golden, project};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use countersign::effects::format::Words;
use countersign::effects::link::{Binding, Keys, Purpose, url};
use countersign::effects::mail::{Composed, GAP, Letter, Parts, Sender, compose, sample};
use countersign::effects::message;
use countersign::effects::template::{EMBEDDED, Templates};
use countersign::effects::timeline::Scene;
use countersign::effects::view::{Reader, case_view, changes};
use countersign::engine::command::{Actor, Ask, Command, Via};
use countersign::engine::event::{Closed, Entry, Event, OpenedAssignment, OpenedTask};
use countersign::engine::preview::Upcoming;
use countersign::engine::state::{Answer, Assignment, ClosedTask, Ended, MailKind, Next, State, Task, TaskKind};
use countersign::model::definition::{Answering, Definition, Human, Mode, Notify, Policy, Step, StepKind};
use countersign::model::file::{File, FileRule};
use countersign::model::form::{Field, FieldKind, Form};
use countersign::model::formula::{Expr, Formula, Read};
use countersign::model::graph::StateGraph;
use countersign::model::id::{AssignmentId, InstanceId, MailId, PersonId, StepId, TaskId, TokenId, Version};
use countersign::model::people::{Directory, Person, Position};
use countersign::model::text::{Lang, Text};
use countersign::model::time::Calendar;
use countersign::model::value::{Record, Type, Typed, Value};
use indexmap::IndexMap;
use mail_parser::{Address, MessageParser, MimeHeaders};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// A case with everything that mail shows: a list, a computed total, a step behind it, one ahead.
struct Fixture {
    definition: Definition,
    state: State,
    log: Vec<Entry>,
    upcoming: Vec<Upcoming>,
    directory: Directory,
    calendar: Calendar,
    now: DateTime<Utc>,
}

fn at(local: &str) -> DateTime<Utc> {
    local.parse::<countersign::model::time::Moment>().unwrap().instant(Tz::Asia__Shanghai)
}

fn both(zh: &str, en: &str) -> Text {
    Text::Each { zh: Some(zh.into()), en: Some(en.into()) }
}

fn field(title: Text, kind: FieldKind) -> Field {
    Field { required: true, ..Field::new(title, kind) }
}

fn sums(list: &str) -> Formula {
    Formula {
        text: String::new(),
        root: Expr::literal(Value::Null),
        of: Typed::always(Type::Money),
        reads: [Read::Field(list.into())].into(),
    }
}

fn human(form: Form, outcomes: &[&str], own: Option<Text>) -> Human {
    let answer = |name: &&str| ((*name).into(), Answering { title: own.clone(), opinion: *name == "rejected" });
    Human {
        who: Vec::new(),
        mode: Mode::Any,
        due: None,
        remind: Vec::new(),
        form,
        show: None,
        show_columns: IndexMap::new(),
        outcomes: outcomes.iter().map(answer).collect(),
        quiet: false,
        copy: IndexMap::default(),
        edit: Vec::new(),
        depends_on: Vec::new(),
        policy: Policy::default(),
    }
}

fn amount(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

fn gift(name: &str, quantity: &str, value: &str) -> Value {
    Value::Record(Record::from_iter([
        ("name".into(), Value::text(name)),
        ("quantity".into(), amount(quantity)),
        ("value".into(), amount(value)),
        ("remark".into(), Value::Null),
    ]))
}

fn instance() -> InstanceId {
    InstanceId(Uuid::from_u128(0x0195_5555_0000_7000_8000_0000_0000_0007))
}

fn assignment(number: u128) -> AssignmentId {
    AssignmentId(Uuid::from_u128(0xa000 + number))
}

fn asked(number: u128, person: &str) -> Assignment {
    Assignment {
        id: assignment(number),
        person: person.into(),
        seats: vec![0],
        stands_in_for: None,
        nonce: [number as u8; 16],
    }
}

fn entry(revision: u32, when: &str, actor: Actor, ask: Ask, events: Vec<Event>) -> Entry {
    let command = Command { id: format!("c{revision}").into(), actor, ask };
    Entry { revision, at: at(when), command, seed: [0; 16], events }
}

fn person(id: &str, via: Via) -> Actor {
    Actor::Person { id: id.into(), via }
}

fn by_link(mail: &str) -> Via {
    Via::Link { mail: mail.into() }
}

fn queued(mail: u32, kind: MailKind, to: &str) -> Event {
    Event::MailQueued { mail: MailId(mail), kind, to: to.into() }
}

impl Fixture {
    fn new(lang: Lang) -> Fixture {
        let mut directory = Directory::default();
        for (id, zh, en) in [
            ("客户专员", "客户专员", "Customer specialist"),
            ("客户部总监", "客户部总监", "Customer director"),
            ("营销总监", "营销总监", "Marketing director"),
            ("礼品管理员", "礼品管理员", "Gift keeper"),
        ] {
            directory.positions.insert(id.into(), Position { title: both(zh, en), department: None, reports_to: None });
        }
        for (id, name, position) in [
            ("zhang", ["张伟", "Zhang Wei"], "客户专员"),
            ("li", ["李娜", "Li Na"], "客户部总监"),
            ("zhao", ["赵磊", "Zhao Lei"], "营销总监"),
            ("sun", ["孙强", "Sun Qiang"], "礼品管理员"),
        ] {
            let name = name[usize::from(lang == Lang::En)].to_owned();
            let mail = Some(format!("{id}@example.com"));
            directory
                .people
                .insert(id.into(), Person { name, mail, positions: vec![position.into()], language: lang, zone: None });
        }
        let columns = Form::from_iter([
            ("name".into(), field(both("礼品名称", "Gift"), FieldKind::Text)),
            ("quantity".into(), field(both("数量", "Quantity"), FieldKind::Integer)),
            ("value".into(), field(both("价值(元)", "Value (yuan)"), FieldKind::Money)),
            ("remark".into(), field(both("备注", "Remark"), FieldKind::Text)),
        ]);
        let mut total = field(both("合计(元)", "Total (yuan)"), FieldKind::Money);
        total.value = Some(sums("items"));
        let form = Form::from_iter([
            ("customer".into(), field(both("客户", "Customer"), FieldKind::Text)),
            ("recipient".into(), field(both("馈赠对象", "Recipient"), FieldKind::Text)),
            ("given_on".into(), field(both("馈赠日期", "Given on"), FieldKind::Date)),
            ("items".into(), field(both("礼品", "Gifts"), FieldKind::List(columns))),
            ("total".into(), total),
            ("reason".into(), field(both("事由", "Reason"), FieldKind::LongText)),
        ]);
        let answers = ["approved", "rejected", "returned"];
        let step = |title, kind| Step { title: Some(title), ..Step::new(kind) };
        let slip = Form::from_iter([("stock_no".into(), field(both("出库单号", "Stock slip no."), FieldKind::Text))]);
        let notify = Notify { who: Vec::new(), template: None };
        let steps: IndexMap<StepId, Step> = IndexMap::from_iter([
            (
                "supervisor".into(),
                step(
                    both("部门主管审批", "Department supervisor"),
                    StepKind::Approve(human(Form::new(), &answers, None)),
                ),
            ),
            (
                "marketing".into(),
                step(both("营销总监审批", "Marketing director"), StepKind::Approve(human(Form::new(), &answers, None))),
            ),
            (
                "keeper".into(),
                step(both("礼品出库", "Hand out the gifts"), StepKind::Task(human(slip, &["done"], None))),
            ),
            ("told".into(), step(both("告知客户部", "Tell the department"), StepKind::Notify(notify))),
            ("end".into(), step(both("已馈赠", "Given"), StepKind::End("given".into()))),
        ]);
        let definition = Definition {
            process: "gift".into(),
            version: Version("0123456789abcdef".into()),
            title: both("礼品馈赠申请", "Gift request"),
            number: None,
            key: None,
            headline: Some("total".into()),
            start: Vec::new(),
            form,
            data: Form::new(),
            steps,
            graph: StateGraph::new(),
            policy: Policy::default(),
            single: false,
            about: None,
            schedule: None,
            stages: IndexMap::new(),
            tables: Default::default(),
        };
        let data = Record::from_iter([
            ("customer".into(), Value::text("华康医院")),
            ("recipient".into(), Value::text("李主任")),
            ("given_on".into(), Value::Date("2026-03-06".parse().unwrap())),
            ("items".into(), Value::List(vec![gift("景德镇茶具", "2", "320.00"), gift("龙井礼盒", "4", "160.00")])),
            ("total".into(), amount("1280.00")),
            ("reason".into(), Value::Null),
        ]);
        let opinion =
            if lang == Lang::Zh { "同意。年度预算内。" } else { "Fine. Within the budget of the year." };
        let answer = Answer {
            assignment: assignment(1),
            person: "li".into(),
            stands_in_for: None,
            outcome: "approved".into(),
            opinion: Some(opinion.into()),
            via: by_link("li@example.com"),
            at: at("2026-03-02T11:02"),
        };
        let opened = |step: &str, kind, who: Assignment, due: &str| {
            let assignments = vec![OpenedAssignment {
                id: who.id,
                person: who.person,
                seats: who.seats,
                stands_in_for: None,
                nonce: who.nonce,
            }];
            Box::new(OpenedTask {
                token: TokenId(0),
                step: step.into(),
                kind,
                round: 1,
                mode: Mode::Any,
                seats: 1,
                assignments,
                due: Some(at(due)),
            })
        };
        let log = vec![
            entry(
                1,
                "2026-03-02T09:14",
                person("zhang", Via::Shell { user: "root".into() }),
                Ask::Start { data: Record::new() },
                vec![
                    Event::Started {
                        instance: instance(),
                        process: "gift".into(),
                        version: definition.version.clone(),
                        number: Some("LP-2026-0007".into()),
                        title: definition.title.clone(),
                        applicant: "zhang".into(),
                        data: data.clone(),
                        key: None,
                        headline: data.get("total").cloned(),
                        caller: None,
                    },
                    Event::TaskOpened {
                        task: TaskId(0),
                        opened: opened("supervisor", TaskKind::Approve, asked(1, "li"), "2026-03-03T18:00"),
                    },
                    queued(9, MailKind::ActedFor { task: None }, "zhang"),
                ],
            ),
            entry(
                2,
                "2026-03-02T11:02",
                person("li", by_link("li@example.com")),
                Ask::Wake,
                vec![
                    Event::Answered {
                        task: TaskId(0),
                        assignment: assignment(1),
                        seat: 0,
                        outcome: "approved".into(),
                        opinion: answer.opinion.clone(),
                        via: answer.via.clone(),
                        seen: None,
                    },
                    Event::TaskClosed { task: TaskId(0), how: Closed::Decided("approved".into()) },
                    queued(1, MailKind::Decided { task: TaskId(0), assignment: Some(assignment(1)) }, "zhang"),
                    Event::TaskOpened {
                        task: TaskId(1),
                        opened: opened("marketing", TaskKind::Approve, asked(2, "zhao"), "2026-03-04T18:00"),
                    },
                    queued(2, MailKind::Assigned { task: TaskId(1), assignment: assignment(2) }, "zhao"),
                ],
            ),
        ];
        let task = Task {
            token: TokenId(0),
            step: "marketing".into(),
            kind: TaskKind::Approve,
            round: 1,
            mode: Mode::Any,
            seats: vec![None],
            assignments: vec![asked(2, "zhao")],
            opened_at: at("2026-03-02T11:02"),
            due: Some(at("2026-03-04T18:00")),
            parked: false,
            answers: Vec::new(),
        };
        let closed = ClosedTask {
            step: "supervisor".into(),
            row: None,
            kind: TaskKind::Approve,
            how: Closed::Decided("approved".into()),
            at: at("2026-03-02T11:02"),
            answers: vec![answer],
        };
        let state = State {
            id: instance(),
            process: "gift".into(),
            version: definition.version.clone(),
            number: Some("LP-2026-0007".into()),
            title: definition.title.clone(),
            applicant: "zhang".into(),
            starter: "zhang".into(),
            started_at: at("2026-03-02T09:14"),
            revision: 2,
            at: at("2026-03-02T11:02"),
            key: None,
            headline: data.get("total").cloned(),
            data,
            ended: None,
            scopes: BTreeMap::new(),
            tokens: BTreeMap::new(),
            tasks: [(TaskId(1), task)].into(),
            closed: [(TaskId(0), closed)].into(),
            timers: BTreeMap::new(),
            steps: BTreeMap::new(),
            next: Next::default(),
            caller: None,
            stage: None,
            undo: Vec::new(),
            ending: None,
            handed: BTreeMap::new(),
        };
        let ahead = Upcoming {
            step: "keeper".into(),
            title: Some(both("礼品出库", "Hand out the gifts")),
            seats: vec![vec!["sun".into()]],
            certain: true,
        };
        Fixture {
            definition,
            state,
            log,
            upcoming: vec![ahead],
            directory,
            calendar: Calendar::default(),
            now: at("2026-03-02T11:03"),
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            definition: &self.definition,
            state: &self.state,
            log: &self.log,
            upcoming: &self.upcoming,
            caller: None,
        }
    }

    fn letter<'a>(&'a self, mail: u32, kind: &'a MailKind, to: &'a PersonId) -> Letter<'a> {
        Letter {
            installation: "9f8e7d6c",
            scene: self.scene(),
            mail: MailId(mail),
            kind,
            to,
            attempt: 1,
            directory: &self.directory,
            live: &[],
            calendar: &self.calendar,
            now: self.now,
            key: 1,
        }
    }

    fn parts(&self, mail: u32, kind: &MailKind, to: &str) -> Parts {
        let to = to.into();
        match compose(&self.letter(mail, kind, &to), &Templates::embedded(), &sender()).unwrap() {
            Composed::Mail(parts) => *parts,
            Composed::Moot(why) => panic!("{why}"),
        }
    }

    fn words(&self, lang: Lang) -> Words<'_> {
        Words {
            lang,
            zone: self.calendar.zone,
            home: self.calendar.zone,
            now: self.now,
            directory: &self.directory,
            live: &[],
        }
    }

    /// The case after it was sent back to its applicant.
    fn returned(lang: Lang) -> Fixture {
        let mut fixture = Fixture::new(lang);
        let opinion = if lang == Lang::Zh {
            "请写明事由。\n金额也请核对。"
        } else {
            "Please say why.\nAnd check the amount."
        };
        let revise = asked(3, "zhang");
        fixture.log.push(entry(
            3,
            "2026-03-03T09:40",
            person("zhao", by_link("zhao@example.com")),
            Ask::Wake,
            vec![
                Event::Answered {
                    task: TaskId(1),
                    assignment: assignment(2),
                    seat: 0,
                    outcome: "returned".into(),
                    opinion: Some(opinion.into()),
                    via: by_link("zhao@example.com"),
                    seen: None,
                },
                Event::TaskParked { task: TaskId(1) },
                queued(5, MailKind::Assigned { task: TaskId(2), assignment: assignment(3) }, "zhang"),
            ],
        ));
        let mut task = fixture.state.tasks[&TaskId(1)].clone();
        fixture.state.tasks.get_mut(&TaskId(1)).unwrap().parked = true;
        task.kind = TaskKind::Revise { of: TaskId(1) };
        task.assignments = vec![revise];
        task.due = None;
        fixture.state.tasks.insert(TaskId(2), task);
        fixture.upcoming.clear();
        fixture
    }

    /// The case at its end.
    fn ended(lang: Lang) -> Fixture {
        let mut fixture = Fixture::new(lang);
        fixture.state.tasks.clear();
        fixture.state.data.insert("stock_no".into(), Value::text("CK-0311"));
        fixture.state.ended = Some(Ended { outcome: "given".into(), at: at("2026-03-05T16:20") });
        fixture.log.push(entry(
            3,
            "2026-03-05T16:20",
            Actor::System,
            Ask::Wake,
            vec![Event::Ended { outcome: "given".into(), reason: None }, queued(7, MailKind::Ended, "zhang")],
        ));
        fixture.now = at("2026-03-05T16:21");
        fixture
    }
}

fn sender() -> Sender {
    Sender {
        name: "会签".into(),
        address: "flow@example.com".into(),
        envelope: "bounce@example.com".into(),
        base: "https://flow.example.com".into(),
    }
}

fn assigned() -> MailKind {
    MailKind::Assigned { task: TaskId(1), assignment: assignment(2) }
}

const LINK: &str = "https://flow.example.com/t/AQEAAAAAAAAAAAAAAAAAAKAC0123456789abcdefghijkQ";

/// Every kind of mail, in both languages.
fn all(lang: Lang) -> Vec<(&'static str, Parts)> {
    let fixture = Fixture::new(lang);
    let mut late = Fixture::new(lang);
    late.now = at("2026-03-05T09:00");
    let (task, assignment_2) = (TaskId(1), assignment(2));
    vec![
        ("assigned", fixture.parts(2, &assigned(), "zhao")),
        ("reminder", late.parts(3, &MailKind::Reminder { task, assignment: assignment_2 }, "zhao")),
        ("fresh_link", fixture.parts(4, &MailKind::FreshLink { task, assignment: assignment_2 }, "zhao")),
        (
            "revise",
            Fixture::returned(lang).parts(
                5,
                &MailKind::Assigned { task: TaskId(2), assignment: assignment(3) },
                "zhang",
            ),
        ),
        ("decided", fixture.parts(1, &MailKind::Decided { task: TaskId(0), assignment: Some(assignment(1)) }, "zhang")),
        ("ended", Fixture::ended(lang).parts(7, &MailKind::Ended, "zhang")),
        ("notice", fixture.parts(8, &MailKind::Notice { step: "told".into() }, "sun")),
        ("acted_for", fixture.parts(9, &MailKind::ActedFor { task: None }, "zhang")),
    ]
}

#[test]
fn every_kind_of_mail_reads_as_its_golden_copy() {
    for lang in [Lang::Zh, Lang::En] {
        for (name, parts) in all(lang) {
            let link = parts.asks.map(|_| LINK);
            let text = message::fill(&parts.text, link).unwrap();
            let text = format!("Subject: {}\nTo: {} <{}>\n\n{text}", parts.subject, parts.to_name, parts.to);
            golden(&project(&format!("tests/mails/{name}.{}.txt", lang.tag())), &text);
            golden(
                &project(&format!("tests/mails/{name}.{}.html", lang.tag())),
                &message::fill(&parts.html, link).unwrap(),
            );
        }
    }
}

/// What a person could write to make mail do something else.
const HOSTILE: &[&str] = &[
    "Bob\r\nBcc: victim@example.org",
    "a\nSubject: forged\n\nbody",
    "\0\u{1}\u{7f}\u{85}\u{2028}\u{2029}",
    "invoice\u{202e}fdp.exe\u{2066}\u{2069}\u{200f}",
    "<script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "</td></tr></table><form action=https://evil.example>",
    "javascript:alert(1)",
    "{{7*7}}{% for x in range(9) %}boom{% endfor %}{{ link }}",
    "=?utf-8?Q?forged?= <evil@example.org>, \"x\" <y@z>",
    "\r\n--=_boundary--\r\n.\r\nQUIT\r\n",
    "\u{fdd0}",
    "&lt;b&gt; &#x0; <!-- ",
    "\u{ffff}\u{feff}",
];

fn hostile() -> Fixture {
    let mut fixture = Fixture::new(Lang::Zh);
    let all = HOSTILE.concat();
    for (number, person) in fixture.directory.people.values_mut().enumerate() {
        person.name = format!("{}{all}", HOSTILE[number]);
    }
    fixture.definition.title = Text::One(all.clone());
    fixture.state.title = Text::One(all.clone());
    fixture.state.number = Some(all.as_str().into());
    fixture.state.data.insert("customer".into(), Value::text(all.as_str()));
    fixture.state.data.insert("recipient".into(), Value::text(HOSTILE[7]));
    fixture.state.data.insert("reason".into(), Value::text(all.as_str()));
    fixture.state.data.insert("items".into(), Value::List(vec![gift(&all, "2", "320.00")]));
    for event in &mut fixture.log[1].events {
        if let Event::Answered { opinion, .. } = event {
            *opinion = Some(all.as_str().into());
        }
    }
    for step in fixture.definition.steps.values_mut() {
        step.title = Some(Text::One(all.clone()));
    }
    fixture
}

#[test]
fn hostile_texts_arrive_harmless() {
    let fixture = hostile();
    let decided = MailKind::Decided { task: TaskId(0), assignment: Some(assignment(1)) };
    let clean = message::build(&Fixture::new(Lang::Zh).parts(2, &assigned(), "zhao"), Some(LINK)).unwrap();
    let expected = MessageParser::default().parse(&clean).unwrap().headers().len();
    for (mail, kind, to) in
        [(2, assigned(), "zhao"), (1, decided, "zhang"), (9, MailKind::ActedFor { task: None }, "zhang")]
    {
        let mut parts = fixture.parts(mail, &kind, to);
        // Whatever the directory holds, the outbox may have kept worse.
        parts.to_name = HOSTILE.concat();
        parts.from_name = HOSTILE.concat();
        let link = parts.asks.map(|_| LINK);
        let bytes = message::build(&parts, link).unwrap();
        let head = String::from_utf8(bytes.clone()).unwrap();
        let (head, _) = head.split_once("\r\n\r\n").unwrap();
        assert!(head.is_ascii() && !head.contains('\0'));
        assert!(head.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(mail.headers().len(), expected, "a header more or less:\n{head}");
        assert!(mail.bcc().is_none());
        let to = mail.to().unwrap();
        let Address::List(list) = to else { panic!("a group: {to:?}") };
        assert_eq!(list.len(), 1, "{to:?}");
        assert_eq!(list[0].address().unwrap(), parts.to);
        let shown = [mail.subject().unwrap(), list[0].name().unwrap()];
        for text in shown {
            assert!(
                text.chars()
                    .all(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')),
                "{text:?}"
            );
        }
        let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
        assert_eq!((mail.text_body_count(), mail.html_body_count()), (1, 1));
        for body in [&text, &html] {
            assert!(body.contains("7*7") && !body.contains("49"), "a value was run as a template");
            assert!(!body.contains(['\0', '\u{202e}', '\u{2066}', '\u{fdd0}', '\u{ffff}']));
        }
        let lower = html.to_lowercase();
        for forbidden in ["<script", "<svg", "<form", "<!-- ", "href=\"javascript", "onload=alert(1)>\""] {
            assert!(!lower.contains(forbidden), "{forbidden} is alive");
        }
        let links: Vec<&str> = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.iter().all(|found| *found == LINK), "{links:?}");
        assert_eq!(text.matches(LINK).count(), usize::from(link.is_some()));
    }
}

#[test]
fn the_same_parts_make_the_same_bytes_and_hold_no_link() {
    let fixture = Fixture::new(Lang::Zh);
    let keys = Keys::of_the_moment().unwrap();
    let (person, nonce) = ("zhao".into(), [2; 16]);
    let binding = Binding {
        purpose: Purpose::Decide,
        installation: "9f8e7d6c",
        instance: instance(),
        task: TaskId(1),
        round: 1,
        person: &person,
        assignment: assignment(2),
        nonce: &nonce,
    };
    let link = url("https://flow.example.com", &keys.ticket(&binding));
    let parts = fixture.parts(2, &assigned(), "zhao");
    let kept = serde_json::to_string(&parts).unwrap();
    assert!(kept.contains(GAP) && !kept.contains("/t/"), "what is kept has a gap and no link");
    let again: Parts = serde_json::from_str(&kept).unwrap();
    assert_eq!(again, parts);
    let bytes = message::build(&parts, Some(&link)).unwrap();
    assert_eq!(bytes, message::build(&again, Some(&link)).unwrap());
    assert!(message::build(&parts, None).is_err(), "a mail never goes out with a hole");
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.body_text(0).unwrap().matches(&link).count(), 1);
    assert_eq!(mail.body_html(0).unwrap().matches(&format!("href=\"{link}\"")).count(), 2);
    // A mail that is composed anew is another mail; a reminder is in the same thread.
    let to = "zhao".into();
    let kind = assigned();
    let letter = Letter { attempt: 2, ..fixture.letter(2, &kind, &to) };
    let Composed::Mail(anew) = compose(&letter, &Templates::embedded(), &sender()).unwrap() else { panic!() };
    assert_ne!(anew.message_id, parts.message_id);
    assert_eq!(anew.thread, parts.thread);
}

#[test]
fn headers_say_that_a_machine_wrote_and_which_thread_it_is() {
    for lang in [Lang::Zh, Lang::En] {
        for (name, parts) in all(lang) {
            let bytes = message::build(&parts, parts.asks.map(|_| LINK)).unwrap();
            let mail = MessageParser::default().parse(&bytes).unwrap();
            let header = |name: &str| mail.header_raw(name).unwrap_or_default().trim().to_owned();
            assert_eq!(header("Auto-Submitted"), "auto-generated");
            assert_eq!(header("X-Auto-Response-Suppress"), "All");
            assert_eq!(header("Content-Language"), lang.tag());
            assert!(header("List-Id").starts_with("<gift.countersign."));
            assert_eq!(header("References"), parts.thread);
            assert_eq!(header("In-Reply-To"), parts.thread);
            assert_eq!(header("Message-ID"), parts.message_id);
            assert!(mail.date().is_some());
            assert_eq!(mail.subject().unwrap(), parts.subject, "{name}");
            assert!(unicode_width(&parts.subject) <= 60, "{name}: {}", parts.subject);
            assert!(
                parts.subject.contains("LP-2026-0007") && parts.subject.contains("¥1,280.00"),
                "{name}: {}",
                parts.subject
            );
            assert!(parts.html.len() < 100_000, "Gmail would cut it");
            for part in mail.parts.iter().filter(|part| part.is_text()) {
                assert_eq!(part.content_transfer_encoding().unwrap_or("base64"), "base64");
            }
        }
    }
}

fn unicode_width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[test]
fn a_long_title_leaves_the_number_and_the_amount_in_the_subject() {
    let mut fixture = Fixture::new(Lang::Zh);
    fixture.state.title = Text::One("关于在全国范围内向重点医院客户馈赠年度纪念礼品的申请".into());
    fixture.directory.people.get_mut("zhang").unwrap().name = "阿卜杜拉·买买提·艾合买提江·伊斯拉木".into();
    let subject = fixture.parts(2, &assigned(), "zhao").subject;
    assert!(unicode_width(&subject) <= 60, "{subject}");
    assert!(subject.starts_with("[LP-2026-0007] 请审批：关于") && subject.ends_with("¥1,280.00"), "{subject}");
}

#[test]
fn a_subject_says_what_it_is_about_and_drops_whole_what_has_no_room() {
    let mut fixture = Fixture::new(Lang::Zh);
    fixture.definition.key = Some("customer".into());
    fixture.state.key = fixture.state.data.get("customer").cloned();
    let subject = |fixture: &Fixture| fixture.parts(2, &assigned(), "zhao").subject;
    assert_eq!(subject(&fixture), "[LP-2026-0007] 请审批：礼品馈赠申请 · 华康医院 · ¥1,280.00");
    fixture.state.headline = None;
    assert_eq!(subject(&fixture), "[LP-2026-0007] 请审批：礼品馈赠申请 · 华康医院 · 张伟");
    fixture.state.key = Some(Value::text("华康医院第一附属医院体检中心分院"));
    assert_eq!(subject(&fixture), "[LP-2026-0007] 请审批：礼品馈赠申请 · 张伟");
    // Whom a step shows less, its mail tells no more.
    fixture.state.key = fixture.state.data.get("customer").cloned();
    if let StepKind::Approve(human) = &mut fixture.definition.steps.get_mut("marketing").unwrap().kind {
        human.show = Some(vec!["total".into()]);
    }
    assert!(!subject(&fixture).contains("华康医院"));
}

#[test]
fn an_overdue_mail_says_by_how_much() {
    let late = |lang, now| {
        let mut fixture = Fixture::new(lang);
        fixture.now = at(now);
        let kind = MailKind::Overdue { step: "marketing".into(), task: Some(TaskId(1)), assignment: None };
        fixture.parts(3, &kind, "li")
    };
    for (lang, now, says) in [
        (Lang::Zh, "2026-03-04T18:00", "已超时，应于 3月4日 18:00 前处理"),
        (Lang::Zh, "2026-03-09T18:00", "已超过 3 个工作日，应于 3月4日 18:00 前处理"),
        (Lang::En, "2026-03-05T19:00", "1 working day late, due by 4 March 18:00"),
        (Lang::En, "2026-03-06T18:00", "2 working days late, due by 4 March 18:00"),
    ] {
        let parts = late(lang, now);
        assert!(parts.text.contains(says) && parts.html.contains(says), "{}", parts.text);
    }
}

#[test]
fn rows_of_many_columns_name_each_value() {
    let mut fixture = Fixture::new(Lang::En);
    let FieldKind::List(columns) = &mut fixture.definition.form.get_mut("items").unwrap().kind else { panic!() };
    for name in ["colour", "size"] {
        columns.insert(name.into(), field(Text::One(name.into()), FieldKind::Text));
    }
    let Some(Value::List(rows)) = fixture.state.data.get_mut("items") else { panic!() };
    let Some(Value::Record(row)) = rows.first_mut() else { panic!() };
    row.insert("colour".into(), Value::text("blue"));
    row.insert("size".into(), Value::text("L"));
    let text = fixture.parts(2, &assigned(), "zhao").text;
    assert!(
        text.contains("  - Gift: 景德镇茶具, Quantity: 2, Value (yuan): 320.00, colour: blue, size: L\n"),
        "{text}"
    );
    assert!(text.contains("  - Gift: 龙井礼盒, Quantity: 4, Value (yuan): 160.00\n"), "{text}");
}

#[test]
fn rows_with_a_file_name_each_value_as_its_name_may_be_long() {
    let mut fixture = Fixture::new(Lang::En);
    let FieldKind::List(columns) = &mut fixture.definition.form.get_mut("items").unwrap().kind else { panic!() };
    columns.insert("bill".into(), field(Text::One("Bill".into()), FieldKind::File(FileRule::default())));
    let Some(Value::List(rows)) = fixture.state.data.get_mut("items") else { panic!() };
    let Some(Value::Record(row)) = rows.first_mut() else { panic!() };
    let name = "receipt_hotel_shanghai_2026-11-20.pdf";
    row.insert("bill".into(), Value::File(Arc::new(File::new(name, 15, "0".repeat(64).parse().unwrap(), b"%PDF"))));
    let parts = fixture.parts(2, &assigned(), "zhao");
    let line = format!("Gift: 景德镇茶具, Quantity: 2, Value (yuan): 320.00, Bill: {name} (15 B)");
    assert!(parts.text.contains(&format!("  - {line}\n")), "{}", parts.text);
    assert!(parts.html.contains(&line) && !parts.html.contains("<th"), "{}", parts.html);
}

#[test]
fn a_mail_whose_task_is_over_is_not_composed() {
    let mut fixture = Fixture::new(Lang::Zh);
    fixture.state.tasks.clear();
    let to = "zhao".into();
    let kind = assigned();
    let composed = compose(&fixture.letter(2, &kind, &to), &Templates::embedded(), &sender()).unwrap();
    assert!(matches!(composed, Composed::Moot(_)));
    fixture.directory.people.get_mut("zhang").unwrap().mail = None;
    let to = "zhang".into();
    let refused = compose(&fixture.letter(9, &MailKind::Ended, &to), &Templates::embedded(), &sender()).unwrap_err();
    assert!(refused.zh.contains("没有邮箱地址"), "{refused}");
}

#[test]
fn a_step_shows_only_what_it_may() {
    let mut fixture = Fixture::new(Lang::Zh);
    if let StepKind::Approve(human) = &mut fixture.definition.steps.get_mut("marketing").unwrap().kind {
        human.show = Some(vec!["customer".into()]);
    }
    let parts = fixture.parts(2, &assigned(), "zhao");
    let all = format!("{}{}{}", parts.subject, parts.text, parts.html);
    assert!(all.contains("华康医院"));
    for hidden in ["李主任", "龙井礼盒", "1,280.00"] {
        assert!(!all.contains(hidden), "{hidden} is shown");
    }
}

#[test]
fn what_changed_is_told_by_row_and_column() {
    let fixture = Fixture::new(Lang::Zh);
    let mut after = fixture.state.data.clone();
    after.insert("recipient".into(), Value::text("王主任"));
    after.insert("items".into(), Value::List(vec![gift("景德镇茶具", "3", "320.00")]));
    after.insert("total".into(), amount("960.00"));
    let words = fixture.words(Lang::Zh);
    let told: Vec<String> = changes(&fixture.definition, &fixture.state.data, &after, &words)
        .into_iter()
        .map(|change| format!("{}: {} → {}", change.label, change.before, change.after))
        .collect();
    assert_eq!(
        told,
        [
            "馈赠对象: 李主任 → 王主任",
            "礼品 · 第 1 行：景德镇茶具 · 数量: 2 → 3",
            "礼品 · 第 2 行: 龙井礼盒 · 4 · 160.00 → ",
            "合计(元): 1,280.00 → 960.00",
        ]
    );
}

#[test]
fn a_row_is_known_by_its_name_wherever_it_stands() {
    let fixture = Fixture::new(Lang::En);
    let words = fixture.words(Lang::En);
    let told = |rows: Vec<Value>| -> Vec<String> {
        let mut after = fixture.state.data.clone();
        after.insert("items".into(), Value::List(rows));
        let found = changes(&fixture.definition, &fixture.state.data, &after, &words).into_iter();
        found.map(|change| format!("{}: {} → {}", change.label, change.before, change.after)).collect()
    };
    let (tea, box_) = (gift("景德镇茶具", "2", "320.00"), gift("龙井礼盒", "4", "160.00"));
    assert_eq!(told(vec![box_.clone()]), ["Gifts · row 1: 景德镇茶具 · 2 · 320.00 → "]);
    assert_eq!(
        told(vec![gift("扇子", "1", "50.00"), tea.clone(), box_.clone()]),
        ["Gifts · row 1:  → 扇子 · 1 · 50.00"]
    );
    assert_eq!(
        told(vec![tea, gift("碧螺春礼盒", "4", "160.00")]),
        ["Gifts · row 2: 碧螺春礼盒 · Gift: 龙井礼盒 → 碧螺春礼盒"]
    );
}

#[test]
fn the_story_is_told_in_order() {
    let fixture = Fixture::new(Lang::Zh);
    let task = &fixture.state.tasks[&TaskId(1)];
    let reader = Reader { person: None, asked: Some((task, &task.assignments[0])), ..Reader::default() };
    let view = case_view(&fixture.scene(), &fixture.words(Lang::Zh), reader);
    let lines: Vec<String> = view.timeline.iter().map(|moment| moment.line()).collect();
    assert_eq!(
        lines,
        [
            "3月2日 09:14  提交  张伟（客户专员）  由 root 在命令行代为操作",
            "3月2日 11:02  部门主管审批  李娜（客户部总监）  同意 “同意。年度预算内。”  通过发往 l***@example.com 的链接",
            "3月4日 18:00  营销总监审批  赵磊  轮到您",
            "礼品出库  孙强（礼品管理员）",
        ]
    );
}

#[test]
fn every_template_of_ours_is_embedded_and_sound() {
    let templates = Templates::embedded();
    let folder = project("templates");
    let mut on_disk = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "html" || end == "txt") {
                on_disk.push(path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    on_disk.sort();
    let mut embedded: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
    embedded.sort_unstable();
    assert_eq!(on_disk, embedded, "the table in template.rs and the folder differ");
    for (name, text) in EMBEDDED.iter().filter(|(name, _)| name.starts_with("mail/")) {
        for lang in [Lang::Zh, Lang::En] {
            let problems = templates.check(name, text, &sample(None, lang), lang);
            assert!(problems.is_empty(), "{problems:?}");
        }
    }
}

#[test]
fn a_bad_template_is_told_with_its_line() {
    let templates = Templates::embedded();
    let check = |name: &str, text: &str| templates.check(name, text, &sample(None, Lang::Zh), Lang::Zh);
    let one = |name: &str, text: &str| {
        let problems = check(name, text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        (problems[0].line, problems[0].what.en.clone())
    };
    assert!(check("mail/x.txt", "Subject: {{ case.title }}\n\n{{ recipient }} {{ decided.who }}").is_empty());
    let (line, what) = one("mail/x.txt", "ok\n\n{{ applicnt }}");
    assert!(line == Some(3) && what.contains("`applicnt`") && what.contains("recipient"), "{line:?} {what}");
    let (line, what) = one("mail/x.txt", "{{ case.title }}\n{{ case.titel }}");
    assert!(line == Some(2) && what.contains("`case.titel`") && what.contains("case.title"), "{line:?} {what}");
    assert_eq!(one("mail/x.txt", "a\n{% if case.title %}").0, Some(2));
    assert!(one("mail/x.html", "{% autoescape false %}{{ recipient }}{% endautoescape %}").1.contains("autoescape"));
    assert!(one("mail/x.html", "{{ recipient | safe }}").1.contains("filter"));
    assert!(!check("mail/x.txt", "{{ debug() }}").is_empty());
    assert!(!check("mail/x.txt", "{% include \"/etc/passwd\" %}").is_empty());
}

#[test]
fn bombs_end_quickly() {
    let templates = Templates::embedded();
    let recursive = "{% macro m(x) %}{{ m(x) }}{{ m(x) }}{% endmacro %}{{ m(1) }}";
    for bomb in [
        "{{ 'a' * 99000000 }}{{ 'a' * 99000000 }}",
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{% for a in range(90000) %}{{ recipient }}{{ recipient }}{{ case.title }}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99999) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{{ ('a' * 1000) * 100000 }}",
        "{{ range(100000000) | list }}",
        "{{ range(99999) | map('string') | join(range(99999) | join) }}",
        recursive,
        "{% include \"mail/bomb.txt\" %}",
        "{{ ['a' * 60000] * 60000 }}",
        "{% macro m(x, n) %}{{ m(x * 2, n) }}{% endmacro %}{{ m([1], 60) }}",
        &format!("{{{{ recipient{} }}}}", "[0:]".repeat(20_000)),
        &format!("{{{{ case{} }}}}", ".title".repeat(20_000)),
        &"{% set x = case.facts * 1 %}".repeat(9_000),
        &format!("{{% set x = [1] %}}{}{{{{ x | length }}}}", "{% set x = x + x %}".repeat(60)),
    ] {
        let started = std::time::Instant::now();
        let problems = templates.check("mail/bomb.txt", bomb, &sample(None, Lang::En), Lang::En);
        assert!(!problems.is_empty(), "{bomb} went through");
        assert!(started.elapsed().as_secs() < 2, "{bomb} took {:?}", started.elapsed());
    }
}

#[test]
fn a_company_replaces_a_template_and_adds_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mail")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "mail/gift_given.zh.txt",
        "Subject: {{ tag }}礼品已送出\n\n{{ recipient }}，{{ data.customer }} 的礼品已送出。\n",
    );
    write("mail/ended.en.txt", "Subject: {{ tag }}Finished\n\nFinished.");
    let templates = Templates::load(folder.path()).unwrap();
    let mut fixture = Fixture::new(Lang::Zh);
    if let StepKind::Notify(notify) = &mut fixture.definition.steps.get_mut("told").unwrap().kind {
        notify.template = Some("gift_given".into());
    }
    let (to, kind) = ("sun".into(), MailKind::Notice { step: "told".into() });
    let composed = compose(&fixture.letter(8, &kind, &to), &templates, &sender()).unwrap();
    let Composed::Mail(parts) = composed else { panic!() };
    assert_eq!(parts.subject, "[LP-2026-0007] 礼品已送出");
    assert_eq!(parts.text, "孙强，华康医院 的礼品已送出。\n");
    assert!(parts.html.contains("华康医院"), "the page around the facts is ours");
    assert_eq!(countersign::effects::mail::notices(&templates), ["gift_given"]);
    let faults = |text: &str| {
        write("mail/gift_given.zh.txt", text);
        let templates = Templates::load(folder.path()).unwrap();
        countersign::effects::mail::check_notice(&templates, "gift_given", &fixture.definition)
    };
    assert!(faults("Subject: x\n\n{{ data.customer }}").is_empty());
    let found = faults("Subject: x\n\n{{ data.costumer }}");
    assert_eq!((found.len(), found[0].line), (1, Some(3)), "{found:?}");
    assert!(found[0].what.en.contains("data.customer"), "{found:?}");
    std::fs::remove_file(folder.path().join("mail/gift_given.zh.txt")).unwrap();
    write("mail/gift_given.txt", "Subject: x\n\n{{ data.costumer }}");
    let templates = Templates::load(folder.path()).unwrap();
    let found = countersign::effects::mail::check_notice(&templates, "gift_given", &fixture.definition);
    assert_eq!(found.len(), 1, "a file for both languages is told once: {found:?}");
    std::fs::remove_file(folder.path().join("mail/gift_given.txt")).unwrap();
    write("mail/gift_given.zh.txt", "{% if %}");
    assert_eq!(Templates::load(folder.path()).unwrap_err()[0].line, Some(1));
}

#[test]
fn the_reference_names_all_that_a_template_reads() {
    let fixture = Fixture::new(Lang::En);
    let templates = Templates::embedded();
    let known = sample(Some(&fixture.definition), Lang::En);
    let examples = crate::documents::blocks("docs/language.md");
    let examples: Vec<_> = examples.iter().filter(|block| block.kind == "jinja").collect();
    assert!(!examples.is_empty(), "an example of a template");
    for example in examples {
        let problems = templates.check("mail/example.txt", &example.text, &known, Lang::En);
        assert!(problems.is_empty(), "docs/language.md:{}: {problems:?}", example.line);
    }
    let page = std::fs::read_to_string(project("docs/language.md")).unwrap();
    let section = page.split("### Mail templates").nth(1).and_then(|rest| rest.split("\n### ").next()).unwrap();
    let missing = |value: &serde_json::Value, before: &str| -> Vec<String> {
        let names = value.as_object().unwrap().keys().map(|name| format!("`{before}{name}`"));
        names.filter(|name| !section.contains(name.as_str())).collect()
    };
    let known = serde_json::to_value(known).unwrap();
    let one = |list: &str| known.pointer(list).unwrap();
    let mut left = missing(&known, "");
    left.retain(|name| name != "`case`" && name != "`data`");
    left.extend(missing(one("/case"), "case."));
    for inside in [
        "/decided",
        "/case/due",
        "/case/stamp",
        "/past/0",
        "/case/facts/0",
        "/case/tables/0",
        "/case/tables/0/columns/0",
    ] {
        left.extend(missing(one(inside), ""));
    }
    assert!(left.is_empty(), "not in the reference: {left:?}");
}

#[test]
fn a_name_that_is_not_there_within_a_loop_is_told_with_its_tag() {
    let templates = Templates::embedded();
    let text = "Subject: x\n\n{% for moment in past %}\n{{ moment.titel }}\n{% endfor %}\n";
    let found = templates.check("mail/x.txt", text, &sample(None, Lang::En), Lang::En);
    assert_eq!((found.len(), found[0].line), (1, Some(4)), "{found:?}");
    assert!(found[0].what.en.contains("`moment.titel`"), "{found:?}");
}
