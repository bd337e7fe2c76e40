//! The outbox against bad mail servers: no mail is lost, and none goes out twice but as the same mail, marked.

use crate::sink::{Deed, Sink};
use chrono::{DateTime, TimeDelta, Utc};
use countersign::bench::flow;
use countersign::effects::link::{Keys, Ticket};
use countersign::effects::mail::Sender;
use countersign::effects::mailbox::Mailbox;
use countersign::effects::template::Templates;
use countersign::effects::transport::{MailConfig, Security, SmtpConfig, Transport};
use countersign::engine::state::MailKind;
use countersign::model::id::InstanceId;
use countersign::model::people::Directory;
use countersign::model::time::Calendar;
use countersign::runtime::access::{Keyring, keyring};
use countersign::runtime::channel::Channel;
use countersign::runtime::outbox::Outbox;
use countersign::runtime::{Clock, Database, Delivery, Deployment, Options, OutboxFilter, OutboxRow, Role, Runtime};
use mail_parser::MessageParser;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Monday, 9:14 in Shanghai.
fn morning() -> DateTime<Utc> {
    "2026-03-02T01:14:00Z".parse().unwrap()
}

pub(crate) struct World {
    runtime: Runtime,
    keys: Keyring,
    folder: tempfile::TempDir,
}

fn deployment(directory: Directory) -> Deployment {
    let definition = flow::definition(&directory).unwrap();
    Deployment {
        definitions: vec![definition],
        directory,
        calendar: Calendar::default(),
        metrics: Vec::new(),
        note: "test".into(),
    }
}

impl World {
    /// So many cases, each with a mail to its first approver.
    pub(crate) async fn new(cases: usize) -> World {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::File(folder.path().join("test.db"));
        let clock = Clock::fixed(morning());
        let runtime = Runtime::open(Options { database, clock, role: Role::Shell }).await.unwrap();
        runtime.deploy(deployment(flow::directory())).await.unwrap();
        let world = World { runtime, keys: keyring(Keys::of_the_moment().unwrap()), folder };
        for number in 0..cases {
            world.start(number).await;
        }
        world
    }

    async fn start(&self, number: usize) -> InstanceId {
        let command = flow::start(number, format!("start {number}").into());
        self.runtime.start(&flow::PROCESS.into(), command).await.unwrap().instance
    }

    pub(crate) fn outbox(&self, transport: Transport) -> Outbox {
        let sender = Sender::new("会签 <flow@example.com>", None, "https://flow.example.com").unwrap();
        Outbox::new(self.runtime.clone(), Arc::new(Templates::embedded()), self.keys.clone(), transport, sender)
    }

    pub(crate) async fn rows(&self) -> Vec<OutboxRow> {
        self.runtime.mails(&OutboxFilter { limit: 10_000, ..OutboxFilter::default() }).await.unwrap()
    }

    pub(crate) async fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for row in self.rows().await {
            *states.entry(row.state.name()).or_default() += 1;
        }
        states
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.runtime.clock().set(self.runtime.now() + time);
    }

    /// Lets minutes pass until nothing waits any more.
    pub(crate) async fn settle(&self, outbox: &mut Outbox, minutes: i64) {
        for _ in 0..minutes {
            outbox.drain().await.unwrap();
            let waits = |row: &OutboxRow| row.settled_at.is_none();
            if !self.rows().await.iter().any(waits) {
                return;
            }
            self.pass(TimeDelta::minutes(1));
        }
    }
}

fn smtp(port: u16) -> Transport {
    let smtp = SmtpConfig {
        host: "127.0.0.1".into(),
        port: Some(port),
        security: Security::None,
        user: None,
        password: None,
        trust: None,
        hello: Some("countersign.test".into()),
        per_minute: 0,
        connect_seconds: 0.4,
        command_seconds: 0.4,
        data_seconds: 0.4,
    };
    Transport::open(&MailConfig { smtp: Some(smtp), folder: None }).unwrap()
}

/// The Message-IDs of mails and the copies of each.
fn by_id(taken: &[Vec<u8>]) -> BTreeMap<String, Vec<&[u8]>> {
    let mut found: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for mail in taken {
        let parsed = MessageParser::default().parse(mail).unwrap();
        found.entry(parsed.message_id().unwrap().to_owned()).or_default().push(mail);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_day_of_the_server_loses_no_mail() {
    let twice = [Deed::HangDot, Deed::DropAfterDot];
    for deed in [
        Deed::HangGreeting,
        Deed::HangEhlo,
        Deed::Greet("421 4.3.2 closing"),
        Deed::Greet("554 5.3.2 no"),
        Deed::HangMail,
        Deed::HangRcpt,
        Deed::HangData,
        Deed::HangDot,
        Deed::Mail("421 4.3.2 closing"),
        Deed::Mail("451 4.3.0 try later"),
        Deed::Mail("530 5.7.0 authenticate first"),
        Deed::Rcpt("450 4.2.0 greylisted"),
        Deed::Rcpt("451 4.7.1 greylisted"),
        Deed::Rcpt("452 4.2.2 mailbox full"),
        Deed::Rcpt("550 5.7.1 policy"),
        Deed::Data("451 4.3.0 try later"),
        Deed::Dot("451 4.3.0 try later"),
        Deed::Dot("554 5.7.1 looks like spam"),
        Deed::DropRcpt,
        Deed::DropInData,
        Deed::DropAfterDot,
        Deed::Slow,
    ] {
        let world = World::new(3).await;
        let sink = Sink::start(&[deed]).await;
        let mut outbox = world.outbox(smtp(sink.port));
        world.settle(&mut outbox, 200).await;
        let rows = world.rows().await;
        assert!(rows.iter().all(|row| row.state == Delivery::Accepted), "{deed:?}: {:?}", world.states().await);
        let taken = sink.taken();
        let copies = by_id(&taken);
        assert_eq!(copies.len(), 3, "{deed:?}");
        let doubled = copies.values().filter(|copies| copies.len() > 1).count();
        assert_eq!(doubled, usize::from(twice.contains(&deed)), "{deed:?}");
        assert!(copies.values().all(|copies| copies.iter().all(|copy| *copy == copies[0])), "{deed:?}: other bytes");
        let marked = rows.iter().filter(|row| row.possibly_twice).count();
        // A connection that ends within the mail cannot be told from one that ends after it.
        let uncertain = usize::from(twice.contains(&deed) || deed == Deed::DropInData);
        assert_eq!(marked, uncertain, "{deed:?}: what may be double is marked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_address_is_an_incident_and_the_others_go() {
    for deed in [Deed::Rcpt("550 5.1.1 no such user"), Deed::Rcpt("553 5.1.3 bad"), Deed::Dot("552 5.3.4 too big")] {
        let world = World::new(3).await;
        let sink = Sink::start(&[deed]).await;
        let mut outbox = world.outbox(smtp(sink.port));
        outbox.drain().await.unwrap();
        assert_eq!(world.states().await, BTreeMap::from([("accepted", 2), ("failed", 1)]), "{deed:?}");
        let failed = world.rows().await.into_iter().find(|row| row.state == Delivery::Failed).unwrap();
        assert!(failed.reply.unwrap().contains("5."), "the reason is kept");
        assert_eq!(world.runtime.counts().await.unwrap().mails_failed, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_hours_without_a_server_cost_one_probe_a_minute() {
    let world = World::new(40).await;
    let sink = Sink::start(&[]).await;
    sink.always(Some(Deed::Greet("421 4.3.2 out of order")));
    let mut outbox = world.outbox(smtp(sink.port));
    for _ in 0..8 * 60 * 2 {
        outbox.drain().await.unwrap();
        world.pass(TimeDelta::seconds(30));
    }
    assert!(matches!(outbox.channel(), Channel::Down { since, .. } if *since == morning()));
    assert!(sink.connections() <= 8 * 60 + 1, "{} probes", sink.connections());
    assert!(world.rows().await.iter().all(|row| row.settled_at.is_none()), "nothing was given up");
    sink.always(None);
    world.settle(&mut outbox, 150).await;
    assert_eq!(world.states().await, BTreeMap::from([("accepted", 40)]));
    assert_eq!((by_id(&sink.taken()).len(), sink.taken().len()), (40, 40));
    assert_eq!(*outbox.channel(), Channel::Up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_stops_the_channel_and_fails_no_mail() {
    let world = World::new(3).await;
    let sink = Sink::start(&[]).await;
    sink.always(Some(Deed::Mail("535 5.7.8 bad credentials")));
    let mut outbox = world.outbox(smtp(sink.port));
    for _ in 0..180 {
        outbox.drain().await.unwrap();
        world.pass(TimeDelta::minutes(1));
    }
    assert!(matches!(outbox.channel(), Channel::Refused { .. }));
    assert!(sink.connections() <= 4, "{} tries in three hours", sink.connections());
    assert!(world.rows().await.iter().all(|row| row.settled_at.is_none()));
    sink.always(None);
    world.settle(&mut outbox, 150).await;
    assert_eq!(world.states().await, BTreeMap::from([("accepted", 3)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_was_sending_is_sent_again_as_it_was() {
    let world = World::new(3).await;
    let sink = Sink::start(&[Deed::Rcpt("451 later"), Deed::Rcpt("451 later"), Deed::Rcpt("451 later")]).await;
    let mut outbox = world.outbox(smtp(sink.port));
    outbox.drain().await.unwrap();
    world.pass(TimeDelta::minutes(2));
    // It dies with one mail in its hands, and one that it had not looked at.
    let lease = Duration::from_secs(1_200);
    let held = world.runtime.lease(1, lease).await.unwrap();
    assert_eq!(held.len(), 1);
    world.start(3).await;
    let newer = world.runtime.lease(1, lease).await.unwrap();
    drop(outbox);
    let mut next = world.outbox(smtp(sink.port));
    assert_eq!(next.recover().await.unwrap(), 2);
    next.drain().await.unwrap();
    assert_eq!(world.states().await, BTreeMap::from([("accepted", 4)]));
    let rows = world.rows().await;
    let marked: Vec<_> = rows.iter().filter(|row| row.possibly_twice).map(|row| row.instance).collect();
    let was_sending: Vec<_> =
        held.iter().chain(&newer).filter(|row| row.parts.is_some()).map(|row| row.instance).collect();
    let (mut marked, mut was_sending) = (marked, was_sending);
    marked.sort();
    was_sending.sort();
    assert_eq!(marked, was_sending);
    for row in held.iter().filter(|row| row.parts.is_some()) {
        let now = rows.iter().find(|now| now.instance == row.instance).unwrap();
        assert_eq!((&now.message_id, &now.parts), (&row.message_id, &row.parts), "as it was");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_mail_goes_before_what_only_informs() {
    let world = World::new(0).await;
    let instance = world.start(0).await;
    let state = world.runtime.case(instance).await.unwrap().unwrap().state;
    let approve = flow::approve(&state, "approve".into()).unwrap();
    world.runtime.submit(instance, approve).await.unwrap();
    world.start(1).await;
    let mailbox = Mailbox::new();
    world.outbox(Transport::Mailbox(mailbox.clone())).drain().await.unwrap();
    let rows = world.rows().await;
    let skipped = rows.iter().filter(|row| row.state == Delivery::Skipped).count();
    assert_eq!(skipped, 1, "the mail of the task that was answered before it went");
    let mut kinds = Vec::new();
    for mail in mailbox.list(None).into_iter().rev() {
        let row = rows.iter().find(|row| row.message_id.as_ref() == Some(&mail.message_id)).unwrap();
        kinds.push(u8::from(!matches!(row.kind, MailKind::Assigned { .. })));
    }
    assert!(kinds.is_sorted() && kinds.contains(&0) && kinds.contains(&1), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_address_or_a_revoked_key_makes_another_mail() {
    let world = World::new(1).await;
    let sink = Sink::start(&[Deed::Rcpt("451 later"), Deed::Rcpt("451 later")]).await;
    let mut outbox = world.outbox(smtp(sink.port));
    outbox.drain().await.unwrap();
    let first = world.rows().await[0].message_id.clone();
    let mut directory = flow::directory();
    directory.people.get_mut(flow::FIRST.1).unwrap().mail = Some("moved@example.com".into());
    world.runtime.deploy(deployment(directory)).await.unwrap();
    world.pass(TimeDelta::minutes(2));
    outbox.drain().await.unwrap();
    let second = world.rows().await[0].clone();
    assert_ne!(second.message_id, first);
    assert_eq!(second.address.as_deref(), Some("moved@example.com"));
    {
        let mut keys = (**world.keys.read().unwrap()).clone();
        keys.rotate("").unwrap();
        keys.revoke(1).unwrap();
        *world.keys.write().unwrap() = Arc::new(keys);
    }
    world.settle(&mut outbox, 30).await;
    let taken = sink.taken();
    assert_eq!(taken.len(), 1);
    let mail = MessageParser::default().parse(&taken[0]).unwrap();
    assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("moved@example.com"));
    let text = mail.body_text(0).unwrap();
    let ticket = text.split("/t/").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(Ticket::parse(ticket).is_some());
    assert_ne!(world.rows().await[0].message_id, second.message_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_no_working_ticket() {
    let world = World::new(4).await;
    let sink = Sink::start(&[Deed::Rcpt("451 later"), Deed::HangDot]).await;
    let mut outbox = world.outbox(smtp(sink.port));
    outbox.drain().await.unwrap();
    let mut tickets: Vec<String> = Vec::new();
    for mail in sink.taken() {
        let mail = MessageParser::default().parse(&mail).unwrap().body_text(0).unwrap().into_owned();
        tickets.extend(mail.split("/t/").skip(1).filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned));
    }
    assert!(tickets.len() >= 2);
    let mut files = 0;
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        let text = String::from_utf8_lossy(&bytes);
        for ticket in &tickets {
            assert!(!text.contains(&ticket[25..]), "a ticket lies in the database");
        }
        assert!(!text.contains("flow.example.com/t/"), "a link lies in the database");
    }
    assert!(files >= 2, "the log ahead of the file was looked at too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_outbox_wakes_for_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        Options { database: Database::File(folder.path().join("test.db")), clock: Clock::System, role: Role::Server };
    let runtime = Runtime::open(options).await.unwrap();
    runtime.deploy(deployment(flow::directory())).await.unwrap();
    let world = World { runtime, keys: keyring(Keys::of_the_moment().unwrap()), folder };
    let mailbox = Mailbox::new();
    let running = world.outbox(Transport::Mailbox(mailbox.clone())).start();
    for number in 0..3 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.start(number).await;
        let started = std::time::Instant::now();
        while mailbox.list(None).len() <= number {
            assert!(started.elapsed() < Duration::from_secs(20), "the outbox sleeps");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    running.stop().await;
    // A mailbox is empty after a restart; what was delivered is put back, with links that work.
    let before = mailbox.list(None);
    let fresh = Mailbox::new();
    let outbox = world.outbox(Transport::Mailbox(fresh.clone()));
    assert_eq!(outbox.refill(100).await.unwrap(), before.len());
    let links = |mails: Vec<countersign::effects::mailbox::Delivered>| -> Vec<Option<String>> {
        let mut links: Vec<_> = mails.into_iter().map(|mail| mail.link).collect();
        links.sort();
        links
    };
    assert_eq!(links(fresh.list(None)), links(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_holds_each_mail_once_for_its_owner_only() {
    let world = World::new(2).await;
    let folder: PathBuf = world.folder.path().join("mail");
    let transport = Transport::open(&MailConfig { smtp: None, folder: Some(folder.clone()) }).unwrap();
    let mut outbox = world.outbox(transport);
    outbox.drain().await.unwrap();
    let row = world.rows().await[0].clone();
    assert!(world.runtime.requeue(row.instance, row.mail).await.unwrap());
    outbox.drain().await.unwrap();
    let files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "a second copy takes the place of the first");
    for file in files {
        let mail = std::fs::read(&file).unwrap();
        assert!(MessageParser::default().parse(&mail).unwrap().body_text(0).unwrap().contains("/t/"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn a_configuration_that_would_leak_a_password_is_refused() {
    let config = |host: &str, password: &str| SmtpConfig {
        host: host.into(),
        port: None,
        security: Security::None,
        user: Some("flow".into()),
        password: Some(password.into()),
        trust: None,
        hello: None,
        per_minute: 0,
        connect_seconds: 1.0,
        command_seconds: 1.0,
        data_seconds: 1.0,
    };
    let open = |smtp| Transport::open(&MailConfig { smtp: Some(smtp), folder: None }).unwrap_err().en;
    assert!(open(config("mail.example.com", "secret")).contains("may not stand in the configuration"));
    assert!(open(config("mail.example.com", "env:NO_SUCH_VARIABLE")).contains("not set"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "secret\n").unwrap();
    let place = format!("file:{}", file.display());
    assert!(open(config("mail.example.com", &place)).contains("unencrypted"));
    let local = Transport::open(&MailConfig { smtp: Some(config("localhost", &place)), folder: None }).unwrap();
    assert!(!format!("{local:?}").contains("secret"));
}
