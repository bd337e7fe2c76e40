//! `keys`: the keys that links in mail are signed with.

use crate::cli::Words;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::{Ink, Table};
use crate::cli::shell::Shell;
use crate::effects::apikey::ApiKeys;
use crate::effects::link::Keys;
use crate::engine::command::{Actor, Ask, Command};
use crate::model::text::Wording;
use crate::runtime::{Clock, TaskFilter};
use clap::ArgMatches;
use serde_json::json;

pub(super) fn tree(words: Words) -> clap::Command {
    clap::Command::new("keys")
        .about(words.pick("签发邮件链接的密钥", "The keys that links in mail are signed with"))
        .subcommand(
            clap::Command::new("list")
                .about(words.pick("列出密钥（不显示密钥本身）", "List the keys (never the secrets)"))
                .arg(words.json()),
        )
        .subcommand(
            clap::Command::new("rotate")
                .about(words.pick("生成新密钥，新链接用它签发", "Make a new key that new links are signed with"))
                .long_about(words.pick(
                    "生成新密钥，新链接用它签发；已发出的链接在旧密钥撤销之前仍然有效。正在运行的服务器一秒内就会用上。",
                    "Make a new key that new links are signed with. Links that were sent before hold until the old key \
                     is revoked. A running server takes it up within a second.",
                )),
        )
        .subcommand(
            clap::Command::new("revoke")
                .about(words.pick("撤销密钥，用它签发的链接立即失效", "Revoke a key: links signed with it are dead"))
                .arg(
                    words
                        .word("id", ("编号", "ID"), "哪一个；`keys list` 列出编号", "Which; `keys list` shows the ids")
                        .required(true)
                        .value_parser(clap::value_parser!(u8).range(1..)),
                ),
        )
        .subcommand(
            clap::Command::new("api")
                .about(words.pick("程序使用接口（/api）的密钥", "The keys of programs that use the API"))
                .subcommand(
                    clap::Command::new("add")
                        .about(words.pick("生成密钥，只显示这一次", "Make a key; it is shown this once"))
                        .arg(words.word("name", ("名称", "NAME"), "给谁用", "Who it is for").required(true)),
                )
                .subcommand(
                    clap::Command::new("remove")
                        .about(words.pick("删除密钥，立即失效", "Take a key away at once"))
                        .arg(words.word("name", ("名称", "NAME"), "哪一个", "Which").required(true)),
                )
                .subcommand(clap::Command::new("list").about(words.pick("列出密钥的名称", "List the names"))),
        )
        .after_help("countersign keys list\ncountersign keys rotate\ncountersign keys revoke 1")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let path = &shell.settings.keys;
    let today = Clock::System.now().date_naive().to_string();
    let open = || Keys::open(path, &today).map_err(trouble);
    match matches.subcommand() {
        Some(("rotate", _)) => {
            let first = !path.exists();
            let mut keys = open()?;
            // A file that was not there was just made with a fresh key.
            let id = if first { keys.signing() } else { keys.rotate(&today).map_err(trouble)? };
            keys.save(path).map_err(trouble)?;
            let (zh, en) = (
                format!(
                    "新密钥 {id} 已生成，今后的链接用它签发。旧链接仍然有效；要让它们失效，运行 `countersign keys revoke 旧编号`。"
                ),
                format!(
                    "Key {id} signs new links from now on. Old links still hold; to end them, run `countersign keys revoke OLD_ID`."
                ),
            );
            shell.output.print(shell.output.pick(&zh, &en))
        }
        Some(("revoke", own)) => {
            let id = own.get_one::<u8>("id").copied().unwrap_or_default();
            let mut keys = open()?;
            keys.revoke(id).map_err(trouble)?;
            keys.save(path).map_err(trouble)?;
            let mailed = if shell.settings.database.exists() { mail_again(shell, id)? } else { 0 };
            let (zh, en) = (
                format!("密钥 {id} 已撤销：用它签发的链接全部失效。已为 {mailed} 件待办重新寄出链接。"),
                format!(
                    "Key {id} is revoked: every link signed with it is dead. {mailed} open tasks get a fresh one by mail."
                ),
            );
            shell.output.print(shell.output.pick(&zh, &en))
        }
        Some(("api", own)) => api(shell, own, &today),
        own => list(shell, own.is_some_and(|(_, own)| own.get_flag("json"))),
    }
}

/// The keys of programs: a file of their own, which holds digests only.
fn api(shell: &Shell, matches: &ArgMatches, today: &str) -> Result<(), Stop> {
    let (output, path) = (&shell.output, super::serve::api_key_file(&shell.settings.keys));
    let mut keys = ApiKeys::open(&path).map_err(trouble)?;
    let name = |own: &ArgMatches| own.get_one::<String>("name").cloned().unwrap_or_default();
    match matches.subcommand() {
        Some(("add", own)) => {
            let key = keys.add(&name(own), today).map_err(trouble)?;
            keys.save(&path).map_err(trouble)?;
            output.note("请现在就存好，它不会再显示：", "Keep it now, it is never shown again:");
            output.print(&key)
        }
        Some(("remove", own)) => {
            let name = name(own);
            if !keys.remove(&name) {
                return Err(Stop::not_found(
                    format!("没有名为 {name} 的接口密钥。"),
                    format!("There is no key of the API called {name}."),
                ));
            }
            keys.save(&path).map_err(trouble)?;
            let (zh, en) = (format!("{name} 的密钥已失效。"), format!("The key of {name} is dead."));
            output.print(output.pick(&zh, &en))
        }
        _ if keys.list().is_empty() => output.print(output.pick(
            "还没有接口密钥，接口是关着的。`countersign keys api add 名称` 生成一个。",
            "There is no key yet, so the API is closed. `countersign keys api add NAME` makes one.",
        )),
        _ => {
            let mut table = Table::new([output.pick("名称", "NAME"), output.pick("生成日期", "MADE")]).whole(1);
            for key in keys.list() {
                table.painted_row([(key.name.clone(), None), (key.made.clone(), None)]);
            }
            output.print(&output.table(&table))
        }
    }
}

/// Mails everyone who is asked something a link by the key that signs now; answers how many.
fn mail_again(shell: &Shell, revoked: u8) -> Result<usize, Stop> {
    shell.with_runtime(async |runtime| {
        let (mut mailed, mut filter) = (0, TaskFilter { limit: 200, ..TaskFilter::default() });
        loop {
            let rows = runtime.tasks(&filter).await?;
            let Some(last) = rows.last() else { return Ok(mailed) };
            filter.before = Some(last.assignment.row);
            for row in &rows {
                let assignment = row.assignment.id;
                let command = Command {
                    id: format!("key-{revoked}-revoked-{assignment}").into(),
                    actor: Actor::Operator { user: shell.user() },
                    ask: Ask::Resend { assignment },
                };
                // A task that was answered meanwhile needs no link.
                mailed += usize::from(runtime.submit(row.instance.id, command).await.is_ok());
            }
        }
    })
}

fn list(shell: &Shell, json: bool) -> Result<(), Stop> {
    let (output, path) = (&shell.output, &shell.settings.keys);
    let known = if path.exists() { Keys::open(path, "").map_err(trouble)?.list() } else { Vec::new() };
    if json {
        let keys = known.iter().map(|key| json!({ "id": key.id, "made": key.made, "signing": key.signing }));
        return output.json(&keys.collect());
    }
    if known.is_empty() {
        let (zh, en) = (
            format!("还没有密钥文件 {}；`countersign serve` 第一次启动时会生成。", path.display()),
            format!("There is no key file {} yet; `countersign serve` makes one when it first starts.", path.display()),
        );
        return output.print(output.pick(&zh, &en));
    }
    let mut table =
        Table::new([output.pick("编号", "ID"), output.pick("生成日期", "MADE"), output.pick("用途", "USE")]).whole(1);
    for key in known {
        let (what, ink) = if key.signing {
            (output.pick("签发新链接", "signs new links"), Some(Ink::Bold))
        } else {
            (output.pick("只验证旧链接", "proves old links only"), None)
        };
        table.painted_row([(key.id.to_string(), None), (key.made, None), (what.to_owned(), ink)]);
    }
    output.print(&output.table(&table))
}

fn trouble(what: Wording) -> Stop {
    Stop::Because(Exit::Input, what)
}
