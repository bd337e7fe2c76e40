//! `mail`: what is on its way, and what it looks like.

use super::check::templates;
use super::look::reference;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::{Ink, Table};
use crate::cli::refer::{self, World};
use crate::cli::shell::{Shell, no_threads};
use crate::cli::{Words, acting, directory, record};
use crate::effects::mail::{Composed, Letter, Parts, Sender, compose};
use crate::effects::message::fill;
use crate::effects::timeline::Scene;
use crate::effects::transport::{MAILBOX, Transport};
use crate::engine::event::Event;
use crate::engine::state::MailKind;
use crate::model::id::{InstanceId, MailId, PersonId};
use crate::model::text::{Lang, Wording};
use crate::runtime::{Case, Clock, Delivery, OutboxFilter, OutboxRow, Runtime, TASK_OVER};
use clap::{ArgMatches, Command};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub(super) fn tree(words: Words) -> Command {
    Command::new("mail")
        .about(words.pick("邮件：看队列、预览、重发、测试", "Mail: the queue, previews, sending again, a test"))
        .subcommand_required(true)
        .subcommand(
            Command::new("queue")
                .about(words.pick("列出邮件和投递情况", "List mails and how they fared"))
                .arg(
                    words
                        .option(
                            "state",
                            ("状态", "STATE"),
                            "只看这个状态：pending、retry、failed、accepted、skipped…",
                            "Only in this state: pending, retry, failed, accepted, skipped …",
                        )
                        .value_parser(Delivery::ALL.map(Delivery::name)),
                )
                .arg(words.option("case", ("案例", "REF"), "只看这个案例的", "Only of this case"))
                .arg(words.option("to", ("人员", "PERSON"), "只看发给这个人的", "Only to this person"))
                .arg(
                    words
                        .option("limit", ("个数", "N"), "最多列多少封", "At most so many")
                        .value_parser(clap::value_parser!(u32).range(1..=10_000))
                        .default_value("50"),
                )
                .arg(words.json()),
        )
        .subcommand(
            Command::new("preview")
                .about(words.pick(
                    "看一封邮件的内容（不发送，链接不可用）",
                    "See what a mail says (nothing is sent, its link is none)",
                ))
                .arg(reference(words))
                .arg(
                    words
                        .word(
                            "mail",
                            ("编号", "NUMBER"),
                            "案例里的第几封；不写就是最近一封",
                            "Its number in the case; the last one if left out",
                        )
                        .value_parser(clap::value_parser!(u32)),
                )
                .arg(words.switch("html", "输出 HTML 部分", "Print the HTML part").conflicts_with("json"))
                .arg(words.json()),
        )
        .subcommand(
            Command::new("resend")
                .about(words.pick("把一封邮件重新放进队列", "Put a mail back into the queue"))
                .arg(reference(words))
                .arg(
                    words
                        .word(
                            "mail",
                            ("编号", "NUMBER"),
                            "案例里的第几封；`mail queue` 列出编号",
                            "Its number in the case; `mail queue` shows it",
                        )
                        .required(true)
                        .value_parser(clap::value_parser!(u32)),
                ),
        )
        .subcommand(
            Command::new("test")
                .about(words.pick(
                    "发一封测试邮件，检查邮件服务器的配置",
                    "Send a test mail, to see whether the mail server is configured right",
                ))
                .arg(words.word("address", ("邮箱", "ADDRESS"), "发到哪里", "Where to").required(true)),
        )
        .after_help(
            "countersign mail queue --state failed\ncountersign mail preview LP-2026-0001\n\
             countersign mail resend LP-2026-0001 3\ncountersign mail test me@example.com",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    match matches.subcommand() {
        Some(("queue", own)) => shell.with_runtime(async |runtime| queue(shell, runtime, own).await),
        Some(("preview", own)) => shell.with_runtime(async |runtime| preview(shell, runtime, own).await),
        Some(("resend", own)) => shell.with_runtime(async |runtime| resend(shell, runtime, own).await),
        Some(("test", own)) => test(shell, own),
        _ => Ok(()),
    }
}

async fn queue(shell: &Shell, runtime: &Runtime, matches: &ArgMatches) -> Result<(), Stop> {
    let (output, world) = (&shell.output, World::of(runtime));
    let mut filter =
        OutboxFilter { limit: matches.get_one::<u32>("limit").copied().unwrap_or(50), ..OutboxFilter::default() };
    if let Some(state) = matches.get_one::<String>("state") {
        filter.state = Delivery::ALL.into_iter().find(|one| one.name() == state);
    }
    if let Some(case) = matches.get_one::<String>("case") {
        filter.instance = Some(refer::row(runtime, output, case).await?.id);
    }
    if let Some(to) = matches.get_one::<String>("to") {
        filter.to = Some(directory::anybody(&world.directory, to)?);
    }
    let rows = runtime.mails(&filter).await?;
    let mut numbers: BTreeMap<InstanceId, String> = BTreeMap::new();
    for row in &rows {
        if let Entry::Vacant(unknown) = numbers.entry(row.instance) {
            let case = runtime.case(row.instance).await?;
            unknown.insert(case.map_or_else(|| row.instance.to_string(), |case| case.state.reference()));
        }
    }
    let number = |row: &OutboxRow| numbers.get(&row.instance).cloned().unwrap_or_default();
    if matches.get_flag("json") {
        return output.json(&rows.iter().map(|row| record::mail(row, &number(row))).collect());
    }
    if rows.is_empty() {
        return output.print(output.pick("没有符合的邮件。", "No such mails."));
    }
    let words = world.words(output);
    let mut table = Table::new([
        output.pick("案例", "CASE"),
        output.pick("邮件", "MAIL"),
        output.pick("事由", "ABOUT"),
        output.pick("收件人", "TO"),
        output.pick("状态", "STATE"),
        output.pick("时间", "AT"),
        output.pick("对方说", "SAID"),
    ])
    .right(1)
    .whole(5)
    .prose(6);
    for row in &rows {
        let (state, ink) = state_words(row.state, output.lang);
        let twice = if row.possibly_twice { output.pick("（可能收到两封）", " (possibly twice)") } else { "" };
        table.painted_row([
            (number(row), Some(Ink::Bold)),
            (row.mail.to_string(), None),
            (kind_words(&row.kind, output.lang).to_owned(), None),
            (words.name(&row.to), None),
            (format!("{state}{twice}"), ink),
            (words.moment(row.settled_at.unwrap_or(row.next_at)), Some(Ink::Dim)),
            (said(row.reply.as_deref().unwrap_or_default(), output.lang).to_owned(), Some(Ink::Dim)),
        ]);
    }
    output.print(&output.table(&table))
}

/// What the other side said, or what we noted ourselves in its place.
fn said(reply: &str, lang: Lang) -> &str {
    match reply {
        MAILBOX => Words(lang).pick("放进了邮箱页面", "in the mailbox page"),
        TASK_OVER => Words(lang).pick("这项待办已经结束", "the task is over"),
        other => other,
    }
}

fn state_words(state: Delivery, lang: Lang) -> (&'static str, Option<Ink>) {
    let words = Words(lang);
    match state {
        Delivery::Pending => (words.pick("等待发送", "waiting"), None),
        Delivery::Prepared => (words.pick("已备好", "ready"), None),
        Delivery::Sending => (words.pick("正在发送", "being sent"), None),
        Delivery::Retry => (words.pick("稍后重试", "to be tried again"), Some(Ink::Amber)),
        Delivery::Accepted => (words.pick("已送达", "delivered"), Some(Ink::Dim)),
        Delivery::Failed => (words.pick("失败", "failed"), Some(Ink::Amber)),
        Delivery::Skipped => (words.pick("不必再发", "no longer needed"), Some(Ink::Dim)),
    }
}

fn kind_words(kind: &MailKind, lang: Lang) -> &'static str {
    let words = Words(lang);
    match kind {
        MailKind::Assigned { .. } => words.pick("待办", "a task"),
        MailKind::Reminder { .. } => words.pick("提醒", "a reminder"),
        MailKind::FreshLink { .. } => words.pick("新链接", "a fresh link"),
        MailKind::Decided { .. } => words.pick("审批结果", "a decision"),
        MailKind::Ended => words.pick("案例结束", "the end"),
        MailKind::Notice { .. } => words.pick("通知", "a notice"),
        MailKind::Overdue { .. } => words.pick("超时", "overdue"),
        MailKind::ActedFor { .. } => words.pick("代办通知", "acted for them"),
        MailKind::HandedOver => words.pick("接手", "a hand-over"),
    }
}

/// Every mail of a case, by its log.
fn mails(case: &Case) -> Vec<(MailId, MailKind, PersonId)> {
    let events = case.entries.iter().flat_map(|entry| &entry.events);
    events
        .filter_map(|event| match event {
            Event::MailQueued { mail, kind, to } => Some((*mail, kind.clone(), to.clone())),
            _ => None,
        })
        .collect()
}

fn number(matches: &ArgMatches) -> Option<MailId> {
    matches.get_one::<u32>("mail").copied().map(MailId)
}

fn no_mail(case: &Case) -> Stop {
    let known: Vec<String> = mails(case).iter().map(|(mail, ..)| mail.to_string()).collect();
    let reference = case.state.reference();
    Stop::not_found(
        format!(
            "{reference} 没有这封邮件；编号有：{}。`countersign mail queue --case {reference}` 列出全部。",
            known.join("、")
        ),
        format!(
            "{reference} has no such mail; it has {}. `countersign mail queue --case {reference}` lists them.",
            known.join(", ")
        ),
    )
}

async fn preview(shell: &Shell, runtime: &Runtime, matches: &ArgMatches) -> Result<(), Stop> {
    let (output, world) = (&shell.output, World::of(runtime));
    let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
    let case = refer::case(runtime, output, text).await?;
    let all = mails(&case);
    let found = match number(matches) {
        Some(number) => all.iter().find(|(mail, ..)| *mail == number),
        None => all.last(),
    };
    let Some((mail, kind, to)) = found else { return Err(no_mail(&case)) };
    let base = shell.settings.url.clone().unwrap_or_else(|| format!("http://{}", shell.settings.listen));
    // A mail that was sent is shown as it was; its parts never hold a link that works.
    let sent = runtime.mail(case.state.id, *mail).await?.and_then(|row| row.parts);
    let parts: Option<Parts> = sent.and_then(|parts| serde_json::from_slice(&parts).ok());
    let parts = match parts {
        Some(parts) => parts,
        None => {
            let settings = &shell.settings.mail;
            let input = |what: Wording| Stop::Because(Exit::Input, what);
            let sender = Sender::new(&settings.from, settings.bounces.as_deref(), &base).map_err(input)?;
            let upcoming = world.upcoming(&case);
            let caller = runtime.calling(&case.state).await?;
            let letter = Letter {
                installation: runtime.installation(),
                scene: Scene {
                    definition: &case.definition,
                    state: &case.state,
                    log: &case.entries,
                    upcoming: &upcoming,
                    caller: caller.as_ref(),
                },
                mail: *mail,
                kind,
                to,
                attempt: 1,
                directory: &world.directory,
                live: &world.live,
                calendar: &world.calendar,
                now: world.now,
                key: 0,
            };
            match compose(&letter, &templates(shell)?, &sender).map_err(input)? {
                Composed::Mail(parts) => *parts,
                Composed::Moot(why) if matches.get_flag("json") => {
                    return output.json(&serde_json::json!({ "mail": mail.0, "moot": why.get(output.lang) }));
                }
                Composed::Moot(why) => {
                    return output.print(&output.ink(Ink::Dim, why.get(output.lang)));
                }
            }
        }
    };
    let link = format!("{base}/t/{}", output.pick("（发送时才有链接）", "(the link is made when it is sent)"));
    let input = |what: Wording| Stop::Because(Exit::Input, what);
    if matches.get_flag("json") {
        return output.json(&serde_json::json!({
            "mail": mail.0,
            "person": parts.person.as_str(),
            "from": { "name": parts.from_name, "address": parts.from },
            "to": { "name": parts.to_name, "address": parts.to },
            "subject": parts.subject,
            "language": parts.lang.tag(),
            "message_id": parts.message_id,
            "text": fill(&parts.text, Some(&link)).map_err(input)?,
            "html": fill(&parts.html, Some(&link)).map_err(input)?,
        }));
    }
    if matches.get_flag("html") {
        return output.print(&fill(&parts.html, Some(&link)).map_err(input)?);
    }
    let head = [
        (output.pick("发件人", "From"), format!("{} <{}>", parts.from_name, parts.from)),
        (output.pick("收件人", "To"), format!("{} <{}>", parts.to_name, parts.to)),
        (output.pick("主题", "Subject"), parts.subject.clone()),
    ];
    let mut text = String::new();
    for (name, value) in head {
        text += &format!("{} {value}\n", output.ink(Ink::Dim, &format!("{name}:")));
    }
    text += &format!("\n{}", fill(&parts.text, Some(&link)).map_err(input)?);
    output.print(&text)
}

async fn resend(shell: &Shell, runtime: &Runtime, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
    let case = refer::case(runtime, output, text).await?;
    let Some(mail) = number(matches).filter(|mail| mails(&case).iter().any(|(own, ..)| own == mail)) else {
        return Err(no_mail(&case));
    };
    if !runtime.requeue(case.state.id, mail).await? {
        return Err(Stop::Because(
            Exit::Refused,
            Wording::new(
                "这封邮件还在发送途中，不用重发。`countersign mail queue` 看它的状态。",
                "This mail is on its way already. `countersign mail queue` shows where it stands.",
            ),
        ));
    }
    output.print(output.pick(
        "已重新放进队列，内容和编号（Message-ID）不变。",
        "It is in the queue again, with the same Message-ID.",
    ))?;
    acting::remind(shell);
    Ok(())
}

fn test(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let (output, settings) = (&shell.output, &shell.settings.mail);
    let Some(way) = &settings.way else {
        return Err(Stop::input(
            "还没有配置怎么发邮件。请配置 `mail.host` 或 `mail.folder`，见 docs/cli.zh.md。",
            "It is not said how mail goes out. Set `mail.host` or `mail.folder`, see docs/cli.md.",
        ));
    };
    let address = matches.get_one::<String>("address").cloned().unwrap_or_default();
    let input = |what: Wording| Stop::Because(Exit::Input, what);
    let sender = Sender::new(&settings.from, settings.bounces.as_deref(), "").map_err(input)?;
    let transport = Transport::open(way).map_err(input)?;
    let line = output.pick(
        "这是会签的测试邮件。收到它，说明邮件配置没有问题；不需要做任何事。",
        "This is a test of Countersign. If you read it, mail is configured right; there is nothing to do.",
    );
    let id = uuid::Uuid::now_v7().simple().to_string();
    let domain = sender.address.rsplit('@').next().unwrap_or("countersign.invalid").to_owned();
    let parts = Parts {
        person: "test".into(),
        to_name: String::new(),
        to: address.clone(),
        from_name: sender.name.clone(),
        from: sender.address.clone(),
        envelope: sender.envelope.clone(),
        subject: output.pick("会签测试邮件", "A test of Countersign").to_owned(),
        lang: output.lang,
        date: Clock::System.now(),
        message_id: format!("<test.{id}@{domain}>"),
        thread: format!("<test@{domain}>"),
        list: format!("<test.countersign.{domain}>"),
        text: format!("{line}\n"),
        html: format!("<p>{line}</p>\n"),
        asks: None,
    };
    let progress = output.progress("正在发送…", "Sending …");
    let threads =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| no_threads(&error))?;
    let sent = threads.block_on(transport.send(&parts, None));
    drop(progress);
    match sent {
        Ok(reply) => {
            let (zh, en) = (format!("已交给对方：{reply}"), format!("Taken by the other side: {reply}"));
            output.print(output.pick(&zh, &en))
        }
        Err(failure) => Err(Stop::Because(
            Exit::World,
            Wording::new(
                format!("没有发出去：{}。请检查 `mail.` 开头的配置。", failure.reply),
                format!("It was not sent: {}. Check the settings that begin with `mail.`.", failure.reply),
            ),
        )),
    }
}
