//! `demo --auto`: the program plays every person, through nothing but the pages that their mail leads to.
//!
//! For each act it waits for the mail, opens its link (first as a robot would, by HEAD and GET, which must decide
//! nothing), fills in the form as it stands on the page, posts it and follows the redirect. What comes of it must
//! be what the script says, or the command fails.

use super::demo::{Act, Scripted};
use super::look::story;
use super::serve::Server;
use crate::cli::browser::Page;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::Ink;
use crate::cli::refer::World;
use crate::cli::shell::Shell;
use crate::effects::mailbox::{Delivered, Mailbox};
use crate::model::id::PersonId;
use crate::model::text::Wording;
use crate::runtime::{Accepted, Runtime};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a mail may take; then something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Plays every case to its end, tells each story, and checks how it ended.
pub(super) async fn all(shell: &Shell, server: &Server, cases: &[Scripted], started: &[Accepted]) -> Result<(), Stop> {
    let output = &shell.output;
    let Some(mailbox) = &server.mailbox else { return Ok(()) };
    let mut wrong = Vec::new();
    let progress = output.progress("正在扮演每个人…", "Playing everybody …");
    for (script, case) in cases.iter().zip(started) {
        let reference = case.state.reference();
        let mut used = BTreeSet::new();
        for act in &script.acts {
            if let Err(why) = play(&server.runtime, mailbox, case, act, &mut used).await {
                wrong.push(Wording::new(
                    format!("{reference}：{}（{}）：{}", act.by, act.answer, why.zh),
                    format!("{reference}: {} ({}): {}", act.by, act.answer, why.en),
                ));
                break;
            }
        }
    }
    drop(progress);
    for (script, case) in cases.iter().zip(started) {
        let reference = case.state.reference();
        let Some(case) = server.runtime.case(case.instance).await? else { continue };
        output.print(&story(&case, None, &World::of(&server.runtime), output))?;
        output.print("\n")?;
        let ended = case.state.ended.as_ref().map_or("–", |ended| ended.outcome.as_str());
        if ended != script.ends {
            wrong.push(Wording::new(
                format!("{reference} 应以 {} 结束，实际是 {ended}。", script.ends),
                format!("{reference} had to end as {} and did as {ended}.", script.ends),
            ));
        }
    }
    let mut counts = server.runtime.counts().await?;
    for _ in 0..100 {
        if counts.mails_waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        counts = server.runtime.counts().await?;
    }
    if counts.mails_failed > 0 || counts.mails_waiting > 0 {
        wrong.push(Wording::new(
            format!("有 {} 封邮件没有送达。", counts.mails_failed + counts.mails_waiting),
            format!("{} mails were not delivered.", counts.mails_failed + counts.mails_waiting),
        ));
    }
    if wrong.is_empty() {
        let mails = mailbox.list(None).len();
        let (zh, en) = (
            format!("{} 个案例全部按预期结束，共 {mails} 封邮件。", started.len()),
            format!("All {} cases ended as they should, with {mails} mails.", started.len()),
        );
        return output.print(&output.ink(Ink::Bold, output.pick(&zh, &en)));
    }
    let lines = |lang| wrong.iter().map(|one| format!("  {}", one.get(lang))).collect::<Vec<_>>().join("\n");
    Err(Stop::Because(
        Exit::Faults,
        Wording::new(
            format!("和预期不一致：\n{}", lines(crate::model::text::Lang::Zh)),
            format!("Not as it should be:\n{}", lines(crate::model::text::Lang::En)),
        ),
    ))
}

/// One act of one person.
async fn play(
    runtime: &Runtime,
    mailbox: &Mailbox,
    case: &Accepted,
    act: &Act,
    used: &mut BTreeSet<String>,
) -> Result<(), Wording> {
    let person = PersonId::from(act.by.as_str());
    let revision = async || match runtime.case(case.instance).await {
        Ok(Some(case)) => Ok(case.state.revision),
        Ok(None) => Err(said("案例不见了", "the case is gone")),
        Err(error) => Err(error.what),
    };
    let before = revision().await?;
    let link = mail(mailbox, &person, &case.state.reference(), used).await?;
    // A scanner looks first; that decides nothing.
    let page = browse({
        let link = link.clone();
        move || Page::head(&link).and_then(|()| Page::get(&link))
    })
    .await?;
    if revision().await? != before {
        return Err(said("打开链接改变了案例", "opening the link changed the case"));
    }
    let mut form = page.form().ok_or_else(|| said("页面上没有表单", "the page has no form"))?;
    form.choose("outcome", &act.answer)?;
    if let Some(opinion) = &act.opinion {
        form.set("opinion", opinion)?;
    }
    for (name, value) in &act.fill {
        form.set(name, value)?;
    }
    browse(move || page.submit(&form)).await?;
    if revision().await? == before {
        return Err(said("提交之后案例没有变化", "the case did not change"));
    }
    used.insert(link);
    Ok(())
}

/// The link of the newest mail about a case that asks a person and was not answered yet.
async fn mail(
    mailbox: &Mailbox,
    person: &PersonId,
    reference: &str,
    used: &BTreeSet<String>,
) -> Result<String, Wording> {
    let about = |mail: &Delivered| mail.text.contains(reference) || mail.subject.contains(reference);
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE {
        let mails = mailbox.list(Some(person)).into_iter().filter(about);
        if let Some(link) = mails.filter_map(|mail| mail.link).find(|link| !link.is_empty() && !used.contains(link)) {
            return Ok(link);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(said("没有收到邮件", "no mail came"))
}

async fn browse<T: Send + 'static>(work: impl FnOnce() -> Result<T, Wording> + Send + 'static) -> Result<T, Wording> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(said("浏览时出错", "browsing broke off")))
}

fn said(zh: &str, en: &str) -> Wording {
    Wording::new(zh, en)
}
