//! `deploy` and `definitions`: making a folder live, and what is live.

use super::{changes, check, serve};
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::{Ink, Table};
use crate::cli::refer::{World, title};
use crate::cli::shell::Shell;
use crate::effects::http::lacking;
use crate::model::text::Wording;
use crate::runtime::{Deployment, Runtime};
use clap::{ArgMatches, Command};
use serde_json::json;
use std::path::PathBuf;

pub(super) fn tree(words: Words) -> Command {
    Command::new("deploy")
        .about(words.pick("检查一个文件夹并上线", "Check a folder and make it live"))
        .long_about(words.pick(
            "检查一个文件夹，没有错误就全部上线：流程、人员和日历一起换。已经发起的案例继续按它发起时的版本走。\
             内容没变就不会产生新的部署。没有数据库时会新建。",
            "Check a folder and, if nothing is wrong, make all of it live at once: processes, people and calendar. \
             Cases that run keep to the version they were started with. The same content again changes nothing. \
             The database is made if there is none.",
        ))
        .arg(
            words
                .word(
                    "folder",
                    ("文件夹", "DIR"),
                    "流程文件夹；不写就是 processes",
                    "The folder of processes; processes/ if left out",
                )
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(words.option("note", ("文字", "TEXT"), "给这次部署写一句说明", "A word about this deployment"))
        .arg(words.json())
        .after_help("countersign deploy\ncountersign deploy processes --note \"new limits\"")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let folder = matches.get_one::<PathBuf>("folder").cloned().unwrap_or_else(|| shell.settings.processes.clone());
    let compiled = check::compile(shell, std::slice::from_ref(&folder))?;
    if compiled.has_errors() {
        check::show(output, &compiled, false)?;
        return Err(Stop::Because(
            Exit::Faults,
            Wording::new(
                "有错误，没有上线。请先改好上面的错误。",
                "Nothing was deployed: mend the errors above first.",
            ),
        ));
    }
    let deployment = deployment(compiled, matches.get_one::<String>("note").cloned(), &folder)?;
    let outcome = shell.with_database(async |runtime| {
        let obstacles = runtime.obstacles(&deployment).await?;
        if let Some(refused) = in_the_way(&obstacles.refused) {
            return Err(Stop::Because(Exit::Refused, refused));
        }
        for told in &obstacles.told {
            output.note(&told.zh, &told.en);
        }
        let before = runtime.live();
        Ok((before, runtime.deploy(deployment).await?))
    })?;
    let (before, outcome) = outcome;
    let live = &outcome.live;
    // Here may not be where it is served; what cannot be read here is not judged.
    let http = &shell.settings.http;
    if let Ok(secrets) = serve::secrets(http) {
        for told in lacking(live.definitions.iter().map(|definition| &**definition), &http.policy, &secrets) {
            output.note(&told.zh, &told.en);
        }
    }
    let things = changes::changes(&before, live);
    if matches.get_flag("json") {
        let processes = live.definitions.iter().map(
            |definition| json!({ "process": definition.process.as_str(), "version": definition.version.to_string() }),
        );
        return output.json(&json!({
            "deployment": live.number,
            "changed": outcome.changed,
            "at": live.at,
            "note": live.note,
            "database": shell.settings.database.display().to_string(),
            "processes": processes.collect::<Vec<_>>(),
            "people": live.directory.people.len(),
            "changes": changes::json(&things),
        }));
    }
    let (zh, en) = if outcome.changed {
        let (count, people) = (live.definitions.len(), live.directory.people.len());
        (
            format!(
                "已上线：{count} 个流程，{people} 个人（第 {} 次部署，{}）。",
                live.number,
                shell.settings.database.display()
            ),
            format!(
                "Live now: {}, {} (deployment {} of {}).",
                counted(count, "process", "processes"),
                counted(people, "person", "people"),
                live.number,
                shell.settings.database.display()
            ),
        )
    } else {
        ("内容和线上的一样，没有改变。".to_owned(), "The same is live already; nothing changed.".to_owned())
    };
    output.print(output.pick(&zh, &en))?;
    output.print(&changes::drawn(&things, live.directory.people.len(), outcome.changed, output))
}

/// Everything that stands in the way of a deployment; `None` where nothing does.
fn in_the_way(refused: &[Wording]) -> Option<Wording> {
    let lines = |pick: fn(&Wording) -> &str| {
        refused.iter().map(|one| format!("  - {}", pick(one))).collect::<Vec<_>>().join("\n")
    };
    (!refused.is_empty()).then(|| {
        Wording::new(
            format!("没有上线：有未结束的案例会缺东西。\n{}", lines(|one| &one.zh)),
            format!("Nothing was deployed: open cases would lack something.\n{}", lines(|one| &one.en)),
        )
    })
}

/// `1 process`, `2 processes`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What a folder that compiled makes live.
pub(crate) fn deployment(
    compiled: crate::compile::Compiled,
    note: Option<String>,
    folder: &std::path::Path,
) -> Result<Deployment, Stop> {
    let Some(directory) = compiled.directory else {
        return Err(Stop::input(
            format!("{} 里没有人员名单（`directory:` 文件），没有人可以收到待办。", folder.display()),
            format!("{} holds no `directory:` file, so nobody could be asked.", folder.display()),
        ));
    };
    Ok(Deployment {
        definitions: compiled.definitions,
        directory,
        calendar: compiled.calendar.unwrap_or_default(),
        metrics: compiled.metrics,
        note: note.unwrap_or_else(|| folder.display().to_string()),
    })
}

pub(super) fn definitions_tree(words: Words) -> Command {
    Command::new("definitions")
        .about(words.pick("列出已上线的流程", "List the processes that are live"))
        .arg(words.json())
        .after_help("countersign definitions\ncountersign definitions --json")
}

pub(super) fn definitions(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| list(shell, runtime, matches.get_flag("json")))
}

fn list(shell: &Shell, runtime: &Runtime, json: bool) -> Result<(), Stop> {
    let (output, live, world) = (&shell.output, runtime.live(), World::of(runtime));
    let words = world.words(output);
    if json {
        let processes = live.definitions.iter().map(|definition| {
            json!({
                "process": definition.process.as_str(),
                "version": definition.version.to_string(),
                "title": title(definition, output),
                "start": definition.start.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "steps": definition.steps.keys().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        return output.json(&json!({
            "deployment": live.number, "at": live.at, "note": live.note,
            "processes": processes.collect::<Vec<_>>(),
        }));
    }
    if live.definitions.is_empty() {
        return output.print(output.pick(
            "还没有部署任何流程。运行 `countersign deploy`。",
            "Nothing is deployed yet. Run `countersign deploy`.",
        ));
    }
    let mut table = Table::new([
        output.pick("流程", "PROCESS"),
        output.pick("名称", "TITLE"),
        output.pick("谁可以发起", "STARTED BY"),
        output.pick("步骤", "STEPS"),
        output.pick("版本", "VERSION"),
    ])
    .right(3)
    .whole(4);
    for definition in &live.definitions {
        let start: Vec<String> = definition
            .start
            .iter()
            .map(|id| words.value(None, &crate::model::value::Value::Position(id.clone())))
            .collect();
        let start = if start.is_empty() {
            output.pick("任何人", "anybody").to_owned()
        } else {
            start.join(output.pick("、", ", "))
        };
        table.painted_row([
            (definition.process.to_string(), Some(Ink::Bold)),
            (title(definition, output), None),
            (start, None),
            (definition.steps.len().to_string(), None),
            (definition.version.short().to_owned(), Some(Ink::Dim)),
        ]);
    }
    output.print(&output.table(&table))?;
    let at = words.moment(live.at);
    let (zh, en) = (format!("第 {} 次部署，{at}", live.number), format!("deployment {}, {at}", live.number));
    output.print(&output.ink(Ink::Dim, output.pick(&zh, &en)))
}
