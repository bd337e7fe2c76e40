//! Acting from the shell: in whose name, under which id, and what is said afterwards.
//!
//! The shell acts `--as` a person of the directory. History records both, and the person is told by mail.

use super::exit::{Stop, by_field};
use super::output::{Ink, Output};
use super::refer::World;
use super::shell::Shell;
use super::values::faulty_line;
use super::{Words, directory};
use crate::effects::timeline::opens_at;
use crate::engine::command::{Actor, Via};
use crate::engine::refusal::Refusal;
use crate::engine::state::State;
use crate::model::definition::Definition;
use crate::model::id::{CommandId, PersonId};
use crate::model::text::{Lang, Wording};
use crate::runtime::{Accepted, Denied, Runtime};
use clap::{Arg, ArgMatches};
use serde_json::json;

/// `--as`.
pub(crate) fn argument(words: Words) -> Arg {
    words.option(
        "as",
        ("人员", "PERSON"),
        "替谁操作：编号、姓名或邮箱（也可用变量 COUNTERSIGN_AS）；历史会记下是命令行代办，本人会收到通知",
        "Who acts: an id, name or mail address (or COUNTERSIGN_AS); history says that the shell did, and they are told",
    )
}

/// `--id`.
pub(crate) fn id_argument(words: Words) -> Arg {
    words.option(
        "id",
        ("编号", "ID"),
        "这条命令的编号：同一编号重复执行只算一次",
        "An id for this command: the same id again is done once only",
    )
}

/// Who acts; `likely` are shown where nobody is named.
pub(crate) fn person(
    shell: &Shell,
    world: &World,
    matches: &ArgMatches,
    likely: &[PersonId],
) -> Result<PersonId, Stop> {
    let named = matches.get_one::<String>("as").cloned();
    let named = named.or_else(|| std::env::var("COUNTERSIGN_AS").ok().filter(|name| !name.is_empty()));
    if let Some(named) = named {
        return directory::person(&world.directory, &named);
    }
    // Who is logged in under their own id of the directory needs not say so.
    if world.directory.people.contains_key(&*shell.user()) {
        return Ok(PersonId::from(&*shell.user()));
    }
    let some: Vec<String> =
        likely.iter().take(8).map(|id| format!("{id}（{}）", world.directory.name_of(id))).collect();
    let some_en: Vec<String> =
        likely.iter().take(8).map(|id| format!("{id} ({})", world.directory.name_of(id))).collect();
    let (zh, en) = if some.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("可以是：{}。", some.join("、")), format!(" It could be: {}.", some_en.join(", ")))
    };
    Err(Stop::usage(format!("请用 --as 写明替谁操作。{zh}"), format!("Say who acts with --as.{en}")))
}

/// The person, acting through this shell.
pub(crate) fn actor(shell: &Shell, person: &PersonId) -> Actor {
    Actor::Person { id: person.clone(), via: Via::Shell { user: shell.user() } }
}

/// The id of a command: what `--id` says, else a fresh one.
pub(crate) fn command_id(matches: &ArgMatches) -> Result<CommandId, Stop> {
    if let Some(id) = matches.try_get_one::<String>("id").ok().flatten() {
        if id.trim().is_empty() || id.len() > 100 {
            return Err(Stop::usage("--id 要有 1 到 100 个字符。", "--id takes 1 to 100 characters."));
        }
        return Ok(id.trim().into());
    }
    Ok(format!("shell-{}", uuid::Uuid::now_v7().simple()).into())
}

/// Why a command was not accepted. A form that is not right is told with the paths that `--set` takes.
pub(crate) fn denied(denied: Denied, runtime: &Runtime) -> Stop {
    let Denied::Refused(Refusal::BadForm(faults), _) = denied else { return Stop::denied(denied, runtime) };
    let lines = |lang: Lang| {
        let line = |fault: &crate::engine::refusal::FieldFault| {
            faulty_line(&fault.path_text(), fault.title.get(lang), fault.what.get(lang), lang)
        };
        faults.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let count = if faults.len() == 1 { "One thing".to_owned() } else { format!("{} things", faults.len()) };
    let what = Wording::new(
        format!("表单有 {} 处要改，用 --set 字段=值 填写：\n{}", faults.len(), lines(Lang::Zh)),
        format!("{count} to mend in the form, with --set FIELD=VALUE:\n{}", lines(Lang::En)),
    );
    Stop::Unfit(what, by_field(faults))
}

/// What an accepted command came to, for programs.
pub(crate) fn accepted_json(accepted: &Accepted) -> serde_json::Value {
    state_json(&accepted.state, accepted.repeated)
}

/// Where a case stands once something was done about it, for programs.
pub(crate) fn state_json(state: &State, repeated: bool) -> serde_json::Value {
    json!({
        "id": state.id.to_string(),
        "number": state.number.as_ref().map(ToString::to_string),
        "process": state.process.as_str(),
        "revision": state.revision,
        "repeated": repeated,
        "ended": state.ended.as_ref().map(|ended| ended.outcome.as_str()),
        "waits_for": state.tasks.values().filter(|task| !task.parked).map(|task| json!({
            "step": task.step.as_str(),
            "people": task.assignments.iter().map(|one| one.person.as_str()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

/// Who is asked now, or how the case ended, in a line.
pub(crate) fn standing(output: &Output, world: &World, definition: &Definition, state: &State) -> String {
    let words = world.words(output);
    if let Some(ended) = &state.ended {
        let ending = words.ending(definition, &ended.outcome);
        return format!("{}{}", output.pick("已结束：", "Ended: "), output.ink(Ink::Bold, &ending));
    }
    let asked: Vec<String> = state
        .tasks
        .values()
        .filter(|task| !task.parked)
        .map(|task| {
            let title = words.task_in(definition, state, task);
            let who = words.asked(task, &title);
            format!("{} · {who}", output.ink(Ink::Seal, &title))
        })
        .collect();
    let stopped = state.has_incident();
    if asked.is_empty() && !stopped {
        let waits = state.tokens.iter();
        let waits = waits.filter_map(|(number, token)| words.waits(token.waits.as_ref()?, opens_at(state, *number)));
        let waits: Vec<String> = waits.map(|waits| output.ink(Ink::Seal, &waits)).collect();
        if !waits.is_empty() {
            return format!("{}{}", output.pick("接下来：", "Next: "), waits.join(output.pick("；", "; ")));
        }
    }
    if asked.is_empty() {
        let stopped = output.pick("案例停下了，等待管理员处理。", "The case has stopped and waits for an operator.");
        return output.ink(Ink::Amber, stopped);
    }
    format!("{}{}", output.pick("接下来：", "Next: "), asked.join(output.pick("；", "; ")))
}

/// Says that mail waits where no server runs.
pub(crate) fn remind(shell: &Shell) {
    if !crate::runtime::is_served(&shell.settings.database) {
        let same = &shell.settings.same;
        shell.output.note(
            format!("现在没有服务器在运行：`countersign serve{same}` 启动后才会发出邮件。"),
            format!("No server runs now: mail goes out when `countersign serve{same}` runs."),
        );
    }
}
