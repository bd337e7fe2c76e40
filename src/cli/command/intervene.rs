//! `comment`, `withdraw` and `cancel`: what is said about a case beside its tasks.

use super::look::reference;
use crate::cli::exit::Stop;
use crate::cli::output::Ink;
use crate::cli::refer::{self, World};
use crate::cli::shell::Shell;
use crate::cli::{Words, acting};
use crate::engine::command::{Actor, Ask, Command as Asked};
use crate::runtime::Runtime;
use clap::{Arg, ArgMatches, Command};

pub(super) fn comment_tree(words: Words) -> Command {
    Command::new("comment")
        .about(words.pick("在案例里留言，不作决定", "Say something about a case without deciding"))
        .arg(reference(words))
        .arg(words.word("text", ("文字", "TEXT"), "要说的话", "What is said").required(true))
        .arg(acting::argument(words))
        .arg(acting::id_argument(words))
        .arg(words.json())
        .after_help("countersign comment LP-2026-0001 \"请附上报价\" --as zhao")
}

pub(super) fn withdraw_tree(words: Words) -> Command {
    Command::new("withdraw")
        .about(words.pick("撤回自己的案例（申请人）", "Take a case back (its applicant)"))
        .arg(reference(words))
        .arg(reason(words))
        .arg(acting::argument(words))
        .arg(acting::id_argument(words))
        .arg(words.json())
        .after_help("countersign withdraw LP-2026-0001 --as zhang --reason 客户改期")
}

pub(super) fn cancel_tree(words: Words) -> Command {
    Command::new("cancel")
        .about(words.pick("取消一个案例（管理员）", "Stop a case (an operator)"))
        .long_about(words.pick(
            "以管理员身份取消一个案例：所有待办关闭，申请人会收到通知。历史会记下是谁取消的。",
            "Stop a case as an operator: all its tasks are closed and the applicant is told. History says who did it.",
        ))
        .arg(reference(words))
        .arg(reason(words))
        .arg(acting::id_argument(words))
        .arg(words.json())
        .after_help("countersign cancel LP-2026-0001 --reason \"重复申请\"")
}

fn reason(words: Words) -> Arg {
    words.option("reason", ("文字", "TEXT"), "为什么", "Why")
}

pub(super) fn comment(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let text = matches.get_one::<String>("text").map(String::as_str).unwrap_or_default();
    shell.with_runtime(async |runtime| {
        let ask = Ask::Comment { text: text.into() };
        let said = shell.output.pick("已留言", "Said");
        submit(shell, runtime, matches, ask, said, true).await
    })
}

pub(super) fn withdraw(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let ask = Ask::Withdraw { reason: given(matches) };
        let said = shell.output.pick("已撤回", "Withdrawn");
        submit(shell, runtime, matches, ask, said, true).await
    })
}

pub(super) fn cancel(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let ask = Ask::Cancel { reason: given(matches) };
        let said = shell.output.pick("已取消", "Cancelled");
        submit(shell, runtime, matches, ask, said, false).await
    })
}

fn given(matches: &ArgMatches) -> Option<std::sync::Arc<str>> {
    matches.get_one::<String>("reason").map(|reason| reason.as_str().into())
}

async fn submit(
    shell: &Shell,
    runtime: &Runtime,
    matches: &ArgMatches,
    ask: Ask,
    said: &str,
    personal: bool,
) -> Result<(), Stop> {
    let (output, world) = (&shell.output, World::of(runtime));
    let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
    let case = refer::case(runtime, output, text).await?;
    let actor = if personal {
        let likely = [case.state.applicant.clone()];
        acting::actor(shell, &acting::person(shell, &world, matches, &likely)?)
    } else {
        Actor::Operator { user: shell.user() }
    };
    let asked = Asked { id: acting::command_id(matches)?, actor, ask };
    match runtime.submit(case.state.id, asked).await {
        Ok(accepted) if matches.get_flag("json") => output.json(&acting::accepted_json(&accepted)),
        Ok(accepted) => {
            output.print(&format!("{said} {}", output.ink(Ink::Bold, &accepted.state.reference())))?;
            output.print(&acting::standing(output, &world, &case.definition, &accepted.state))?;
            acting::remind(shell);
            Ok(())
        }
        Err(denied) => {
            let over = refer::over(&case, &world, output);
            Err(over.unwrap_or_else(|| acting::denied(denied, runtime)))
        }
    }
}
