//! Mails as people get them: golden texts and pages in both languages, headers that hold, hostile texts that
//! arrive harmless, and parts that make the same bytes for ever.
//!
//! The cases are built by hand, so that this tests what is shown and nothing else.

use crate::support::{golden, project};
use chrono::{DateTime, TimeDelta, Utc};
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
    Field {
        title,
        help: None,
        kind,
        many: false,
        required: true,
        when: None,
        default: None,
        value: None,
        min: None,
        max: None,
        pattern: None,
        check: None,
        unit: None,
    }
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
        outcomes: outcomes.iter().map(answer).collect(),
        quiet: false,
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
        let step = |title, kind| Step { title: Some(title), when: None, kind };
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
                    queued(1, MailKind::Decided { task: TaskId(0), assignment: assignment(1) }, "zhang"),
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
        };
        let ahead = Upcoming {
            step: "keeper".into(),
            title: Some(both("礼品出库", "Hand out the gifts")),
            people: vec!["sun".into()],
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
        Scene { definition: &self.definition, state: &self.state, log: &self.log, upcoming: &self.upcoming }
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
        Words { lang, zone: self.calendar.zone, now: self.now, directory: &self.directory }
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
        ("decided", fixture.parts(1, &MailKind::Decided { task: TaskId(0), assignment: assignment(1) }, "zhang")),
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
