//! `start`: a new case, filled in by options, a file, or questions at the terminal.

use crate::cli::exit::{Stop, no_process};
use crate::cli::output::Ink;
use crate::cli::prompt::{self, Prompt};
use crate::cli::refer::{World, title};
use crate::cli::shell::Shell;
use crate::cli::{Words, acting, values};
use crate::engine::Whose;
use crate::engine::command::{Ask, Command as Asked};
use crate::engine::refusal::Refusal;
use crate::model::definition::Definition;
use crate::model::id::PersonId;
use crate::model::value::Record;
use crate::runtime::{Accepted, Denied, Runtime};
use clap::{ArgMatches, Command};

pub(super) fn tree(words: Words) -> Command {
    Command::new("start")
        .about(words.pick("发起一个案例", "Start a case"))
        .long_about(words.pick(
            "发起一个案例。用 --set 或 --data 填表；在终端里，没填的会逐项询问，填错的只重问那几项。",
            "Start a case. Fill the form in with --set or --data; at a terminal you are asked for the rest, and again \
             only for what is wrong.",
        ))
        .arg(
            words
                .word(
                    "process",
                    ("流程", "PROCESS"),
                    "哪个流程；`definitions` 列出全部",
                    "Which process; `definitions` lists them",
                )
                .required(true),
        )
        .arg(acting::argument(words))
        .args(values::arguments(words))
        .arg(words.switch("ask", "即使不是终端，也逐项询问", "Ask for the rest even where there is no terminal"))
        .arg(acting::id_argument(words))
        .arg(words.json())
        .after_help(
            "countersign start leave --as zhang\n\
             countersign start leave --as zhang --data leave.yaml\n\
             countersign start leave --as zhang --set kind=annual --set days=2 --set first_day=2026-03-09",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| start(shell, runtime, matches).await)
}

async fn start(shell: &Shell, runtime: &Runtime, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let Some(process) = matches.get_one::<String>("process") else { return Ok(()) };
    let live = runtime.definitions();
    let Some(definition) = live.iter().find(|definition| definition.process.as_str() == process) else {
        return Err(no_process(process, live.iter().map(|one| one.process.as_str())));
    };
    let world = World::of(runtime);
    let person = acting::person(shell, &world, matches, &may_start(definition, &world))?;
    let whose = (&**definition, Whose::Start(&person));
    let mut data = values::filled(output, matches, whose, &definition.form, &world, &Record::new())?;
    let asking = matches.get_flag("ask") || (prompt::possible() && !values::given(matches));
    let mut input = std::io::stdin().lock();
    if asking {
        output.note(
            format!("{}：逐项填写，直接回车用默认值，Ctrl-D 放弃。", title(definition, output)),
            format!("{}: fill it in; Enter alone takes the default, Ctrl-D gives up.", title(definition, output)),
        );
        data = Prompt::new(output, &world, &person, None, &mut input).form(
            &definition.form,
            data,
            &Record::new(),
            None,
        )?;
    }
    loop {
        let asked = Asked {
            id: acting::command_id(matches)?,
            actor: acting::actor(shell, &person),
            ask: Ask::Start { data: data.clone() },
        };
        match runtime.start(&definition.process, asked).await {
            Ok(accepted) => return started(shell, &world, definition, &accepted, matches.get_flag("json")),
            Err(Denied::Refused(Refusal::BadForm(faults), _)) if asking => {
                let mut prompt = Prompt::new(output, &world, &person, None, &mut input);
                match prompt.mend(&definition.form, data, &Record::new(), &faults)? {
                    Some(mended) => data = mended,
                    None => return Err(acting::denied(Denied::Refused(Refusal::BadForm(faults), None), runtime)),
                }
            }
            Err(denied) => return Err(acting::denied(denied, runtime)),
        }
    }
}

fn may_start(definition: &Definition, world: &World) -> Vec<PersonId> {
    if definition.start.is_empty() {
        return world.directory.people.keys().cloned().collect();
    }
    definition.start.iter().flat_map(|position| world.directory.holders(position)).collect()
}

fn started(shell: &Shell, world: &World, definition: &Definition, accepted: &Accepted, json: bool) -> Result<(), Stop> {
    let (output, state) = (&shell.output, &accepted.state);
    if json {
        return output.json(&acting::accepted_json(accepted));
    }
    let words = world.words(output);
    let headline = match (&definition.headline, &state.headline) {
        (Some(name), Some(value)) => words.headline(definition.form.get(name), value),
        _ => String::new(),
    };
    let what = if accepted.repeated {
        output.pick("早已发起", "Started before")
    } else {
        output.pick("已发起", "Started")
    };
    let line =
        format!("{what} {}  {}  {headline}", output.ink(Ink::Bold, &state.reference()), title(definition, output));
    output.print(line.trim_end())?;
    output.print(&acting::standing(output, world, definition, state))?;
    acting::remind(shell);
    Ok(())
}
