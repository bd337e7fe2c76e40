//! `demo`: a server with a fresh database, four cases and everybody's mailbox, with nothing to configure.

use super::check::{self, Checked};
use super::deploy::deployment;
use super::play;
use super::serve::{How, Server, log, stop_signal, threads};
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, file_trouble};
use crate::cli::output::{Ink, Table};
use crate::cli::refer::{World, title};
use crate::cli::shell::Shell;
use crate::cli::{acting, values, year};
use crate::compile::{Compiled, SourceText, compile};
use crate::diagnostics::{Sources, Style, render};
use crate::effects::link::Keys;
use crate::effects::template::Templates;
use crate::engine::command::{Actor, Ask, Command as Asked, Via};
use crate::model::input::{Reading, read_document};
use crate::model::text::Wording;
use crate::runtime::{Accepted, Database, Denied, Deployment, Runtime};
use crate::syntax::{Data, data};
use crate::web::Limits;
use chrono::{Days, NaiveDate};
use clap::{ArgMatches, Command};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The processes of the demonstration, as the project ships them: every document of `processes/`, by path.
const PROCESSES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/processes.rs"));

/// What a year is.
const YEAR: &str = include_str!("../../../docs/demo/year.yaml");

/// What is started, and how `--auto` plays the people.
const CASES: &str = include_str!("../../../docs/demo/cases.yaml");

pub(super) fn tree(words: Words) -> Command {
    Command::new("demo")
        .about(words.pick("一条命令看全貌：临时数据库、四个案例、每个人的信箱", "See it all with one command: four cases and everybody's mailbox"))
        .long_about(words.pick(
            "不用配置：建一个临时数据库，部署示例流程，发起四个案例，在本机的空闲端口上打开每个人的信箱，直到 Ctrl-C。\
             --auto 由程序扮演每个人，点开邮件里的链接，把所有案例走完，并核对结果。\
             --year 把一整年演完：真正的引擎、数据库和邮件，时间由程序拨动；之后可以列出、查看、统计。",
            "With nothing to configure: make a database for the moment, deploy the sample processes, start four cases, and \
             show everybody's mailbox on a free port of this machine until Ctrl-C. With --auto the program plays \
             everybody through the links in their mail until each case has ended, and checks how it ended. With --year it \
             plays a whole year, with the engine, the database and the mails of a real one and a clock that it moves; \
             afterwards there is something to list, to look at and to measure.",
        ))
        .arg(words.switch("auto", "由程序扮演所有人，走完后退出", "Play everybody, then end"))
        .arg(
            words
                .switch(
                    "year",
                    "由程序把这里的流程（没有就用示例）演一年，留下数据库后退出",
                    "Play a year of the processes here, or else of the samples, leave its database, then end",
                )
                .conflicts_with_all(["auto", "listen"]),
        )
        .arg(
            words
                .option("seed", ("数字", "N"), "同一个数字演出同一年（配合 --year）", "The same number plays the same year (with --year)")
                .value_parser(clap::value_parser!(u64))
                .default_value("2026")
                .requires("year"),
        )
        .arg(
            words
                .option("script", ("文件", "FILE"), "另一份写明演什么的文件（配合 --year）", "Another document of what is played (with --year)")
                .value_parser(clap::value_parser!(PathBuf))
                .requires("year"),
        )
        .arg(
            words
                .option("until", ("日期", "DATE"), "只演到这一天（配合 --year）", "Play to this day only (with --year)")
                .value_parser(clap::value_parser!(NaiveDate))
                .requires("year"),
        )
        .arg(
            words
                .option("keep", ("文件夹", "DIR"), "数据库留在这个文件夹里，结束后不删除", "Keep the database in this folder")
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(words.option("listen", ("地址", "ADDRESS"), "监听地址；不写就用空闲端口", "Where to listen; a free port if not given"))
        .arg(words.json().requires("year"))
        .after_help("countersign demo\ncountersign demo --auto\ncountersign demo --year --keep year")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let auto = matches.get_flag("auto");
    log(shell, if auto || matches.get_flag("year") { "error" } else { "warn" });
    let mut folder = Folder::make(matches.get_one::<PathBuf>("keep").cloned())?;
    let database = folder.path.join("demo.db");
    let keys = Keys::open(&folder.path.join("demo.keys"), "").map_err(|what| Stop::Because(Exit::Input, what))?;
    if matches.get_flag("year") {
        // What it leaves is what it is for.
        folder.kept = true;
        return play_year(shell, matches, database, keys);
    }
    let how = How {
        database: Database::File(database.clone()),
        keys,
        key_file: folder.path.join("demo.keys"),
        listen: matches.get_one::<String>("listen").cloned().unwrap_or_else(|| "127.0.0.1:0".into()),
        url: None,
        mail: shell.settings.mail.clone(),
        mailbox: true,
        templates: Arc::new(Templates::embedded()),
        // One machine plays everybody here.
        limits: Limits { ticket: 10_000, network: 100_000, ..Limits::default() },
        behind_proxy: false,
        calls: super::serve::calls(&shell.settings.http)?,
    };
    threads()?.block_on(async {
        let stopped = stop_signal()?;
        let server = Server::start(how).await?;
        let done = async {
            server.runtime.deploy(checked(shell)?).await?;
            let cases = cases(shell, &server.runtime)?;
            let mut started = Vec::new();
            for case in &cases {
                started.push(start(&server.runtime, case).await?);
            }
            if auto {
                return play::all(shell, &server, &cases, &started).await;
            }
            greet(shell, &server, &started, &database, folder.kept)
        };
        tokio::pin!(stopped);
        let done = tokio::select! {
            done = done => done,
            () = &mut stopped => Err(Stop::Said(Exit::Interrupted)),
        };
        match done {
            Ok(()) if !auto => server.until(stopped).await,
            done => {
                server.shutdown().await;
                done
            }
        }
    })
}

/// Plays a year and says what it came to, and what to look at now.
fn play_year(shell: &Shell, matches: &ArgMatches, database: PathBuf, keys: Keys) -> Result<(), Stop> {
    let output = &shell.output;
    let (seed, until) = (matches.get_one("seed").copied().unwrap_or(0), matches.get_one("until").copied());
    let deployment = of_the_year(shell)?;
    let script = match matches.get_one::<PathBuf>("script") {
        Some(path) => std::fs::read_to_string(path).map_err(|error| file_trouble(path, &error))?,
        None => YEAR.to_owned(),
    };
    if cfg!(debug_assertions) {
        output.note(
            "这个程序没有优化过，演一年要很多分钟；`cargo run --release -- demo --year` 快得多。",
            "This program is not optimised: a year takes many minutes. `cargo run --release -- demo --year` is much faster.",
        );
    }
    let how = year::How { database: database.clone(), keys, script, seed, until };
    let summary = threads()?.block_on(year::play(shell, deployment, how))?;
    if matches.get_flag("json") {
        return output.json(&summary.json());
    }
    let report = format!("report kpi --period {}", summary.year());
    let looks = ["list", "list --status open", "tasks", &report];
    output.print(&format!("{}{}", summary.text(output), next(&database, &looks)))
}

/// The folder of the database; one of the moment goes when it is dropped.
struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    fn make(keep: Option<PathBuf>) -> Result<Folder, Stop> {
        let kept = keep.is_some();
        let path = keep.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("countersign-demo-{}", uuid::Uuid::now_v7().simple()))
        });
        std::fs::create_dir_all(&path).map_err(|error| file_trouble(&path, &error))?;
        let database = path.join("demo.db");
        if database.exists() {
            return Err(Stop::input(
                format!("{} 已经存在；演示要用新的数据库，请换一个文件夹。", database.display()),
                format!(
                    "{} is there already; the demonstration wants a fresh database, so choose another folder.",
                    database.display()
                ),
            ));
        }
        Ok(Folder { path, kept })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What is left in a folder for temporary files is swept by the system.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The sample processes, ready to go live.
fn checked(shell: &Shell) -> Result<Deployment, Stop> {
    let (compiled, from) = processes(shell)?;
    sound(shell, compiled, &from)
}

/// The processes that a year is played with: those of the project that it is played in, else the samples.
fn of_the_year(shell: &Shell) -> Result<Deployment, Stop> {
    let folder = &shell.settings.processes;
    if !folder.is_dir() {
        return checked(shell);
    }
    let compiled = check::compile(shell, std::slice::from_ref(folder))?;
    sound(shell, compiled, &folder.display().to_string())
}

fn sound(shell: &Shell, compiled: Compiled, from: &str) -> Result<Deployment, Stop> {
    if compiled.has_errors() {
        let style = Style { colour: shell.output.paints(), width: shell.output.width().unwrap_or(120) };
        shell.output.print(&render(&compiled.diagnostics, &compiled.sources, shell.output.lang, style))?;
        return Err(Stop::Because(
            Exit::Faults,
            Wording::new(
                format!("{from} 里有错误，演示没有开始。请先改好上面的错误。"),
                format!("There are errors in {from}; the demonstration did not begin. Mend them first."),
            ),
        ));
    }
    deployment(compiled, None, Path::new(from))
}

/// The sample processes: as they lie in the project's folder where it is here, else as they were built in.
fn processes(shell: &Shell) -> Result<(Compiled, String), Stop> {
    let folder = &shell.settings.processes;
    let mut texts = Vec::new();
    let here = PROCESSES.iter().all(|(name, _)| folder.join(name).is_file());
    for (name, built_in) in PROCESSES {
        let path = folder.join(name);
        let bytes = if here {
            std::fs::read(&path).map_err(|error| file_trouble(&path, &error))?
        } else {
            built_in.as_bytes().to_vec()
        };
        texts.push(SourceText { name: format!("processes/{name}"), bytes });
    }
    let templates = Templates::embedded();
    Ok((compile(texts, &Checked(&templates)), "processes/".into()))
}

/// A case of the demonstration.
pub(super) struct Scripted {
    process: String,
    by: String,
    form: Data,
    pub(super) acts: Vec<Act>,
    /// How it has to end.
    pub(super) ends: String,
}

/// What one person does on the page that their mail leads to.
pub(super) struct Act {
    pub(super) by: String,
    pub(super) answer: String,
    pub(super) opinion: Option<String>,
    pub(super) fill: Vec<(String, String)>,
}

fn cases(shell: &Shell, runtime: &Runtime) -> Result<Vec<Scripted>, Stop> {
    let today = runtime.calendar().today(runtime.now());
    let mut sources = Sources::new();
    let id = sources.add("cases.yaml", dated(CASES, today));
    let read = data(id, &sources).map_err(|diagnostics| {
        let said = render(&diagnostics, &sources, shell.output.lang, Style::default());
        Stop::Because(Exit::Bug, Wording::new(said.clone(), said))
    })?;
    let Data::List(cases) = read else { return Ok(Vec::new()) };
    Ok(cases.iter().map(scripted).collect())
}

fn scripted(case: &Data) -> Scripted {
    let act = |act: &Data| Act {
        by: text(act, "by"),
        answer: text(act, "answer"),
        opinion: Some(text(act, "opinion")).filter(|opinion| !opinion.is_empty()),
        fill: match get(act, "fill") {
            Data::Map(entries) => entries.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
            _ => Vec::new(),
        },
    };
    Scripted {
        process: text(case, "process"),
        by: text(case, "by"),
        form: get(case, "data").clone(),
        acts: match get(case, "acts") {
            Data::List(acts) => acts.iter().map(act).collect(),
            _ => Vec::new(),
        },
        ends: text(case, "ends"),
    }
}

fn get<'a>(data: &'a Data, name: &str) -> &'a Data {
    match data {
        Data::Map(entries) => entries.iter().find(|(own, _)| own == name).map_or(&Data::Null, |(_, value)| value),
        _ => &Data::Null,
    }
}

fn text(data: &Data, name: &str) -> String {
    plain(get(data, name))
}

fn plain(data: &Data) -> String {
    match data {
        Data::Plain(text) | Data::Text(text) => text.clone(),
        _ => String::new(),
    }
}

/// The script with its days: `{day+3}` is the day in three days.
fn dated(script: &str, today: NaiveDate) -> String {
    let mut text = String::new();
    let mut rest = script;
    while let Some((before, after)) = rest.split_once("{day+") {
        text.push_str(before);
        let (days, after) = after.split_once('}').unwrap_or((after, ""));
        match days.parse().ok().and_then(|days| today.checked_add_days(Days::new(days))) {
            Some(day) => text.push_str(&day.to_string()),
            // The comment at the head of the script says what a day looks like.
            None => text.push_str(&format!("{{day+{days}}}")),
        }
        rest = after;
    }
    text + rest
}

async fn start(runtime: &Runtime, case: &Scripted) -> Result<Accepted, Stop> {
    let definition = runtime.definition(&case.process.as_str().into());
    let Some(definition) = definition else {
        let known = runtime.definitions();
        return Err(crate::cli::exit::no_process(&case.process, known.iter().map(|one| one.process.as_str())));
    };
    let directory = runtime.directory();
    let reading = Reading { directory: &directory, today: runtime.calendar().today(runtime.now()) };
    let serde_json::Value::Object(document) = case.form.to_json() else {
        return Err(Stop::input("演示的案例没有内容。", "A case of the demonstration has no data."));
    };
    let data = read_document(&reading, &definition.form, &document)
        .map_err(|(_, wrong)| Stop::Because(Exit::Input, values::misread(&wrong)))?;
    let asked = Asked {
        id: format!("demo-{}", uuid::Uuid::now_v7().simple()).into(),
        actor: Actor::Person { id: case.by.as_str().into(), via: Via::Shell { user: "demo".into() } },
        ask: Ask::Start { data },
    };
    runtime.start(&definition.process, asked).await.map_err(|denied: Denied| acting::denied(denied, runtime))
}

fn greet(shell: &Shell, server: &Server, started: &[Accepted], database: &Path, kept: bool) -> Result<(), Stop> {
    let (output, world) = (&shell.output, World::of(&server.runtime));
    let words = world.words(output);
    let mut table = Table::new(["", "", "", "", ""]).right(2);
    let mut first = None;
    for accepted in started {
        let state = &accepted.state;
        let Some(definition) = server.runtime.definition(&state.process) else { continue };
        let headline = match (&definition.headline, &state.headline) {
            (Some(name), Some(value)) => words.headline(definition.form.get(name), value),
            _ => String::new(),
        };
        let asked: Vec<String> = state.tasks.values().map(|task| words.asked(task, "")).collect();
        if let (None, Some(task)) = (&first, state.tasks.values().next())
            && let Some(one) = task.assignments.first()
        {
            first = Some((state.reference(), one.person.clone()));
        }
        table.painted_row([
            (state.reference(), Some(Ink::Bold)),
            (title(&definition, output), None),
            (headline, None),
            (words.name(&state.applicant), None),
            (format!("→ {}", asked.join(output.pick("、", ", "))), Some(Ink::Seal)),
        ]);
    }
    let mut text = format!(
        "\n  {}\n\n",
        output.ink(
            Ink::Bold,
            output.pick("会签演示：四个案例，等着有人签字", "Countersign: four cases wait for a signature")
        )
    );
    for line in output.table(&table).lines() {
        text += &format!("  {line}\n");
    }
    let mailbox = output.ink(Ink::Seal, &format!("{}/mailbox", server.base));
    text += &format!(
        "\n  {}\n    {mailbox}\n",
        output.pick("打开每个人的信箱，点邮件里的链接就能签：", "Everybody's mailbox; the links in the mail sign:")
    );
    text += &format!("\n  {}\n", output.pick("或者另开一个窗口：", "Or in another window:"));
    let (case, person) = first.map_or_else(Default::default, |(case, person)| (case, person.to_string()));
    let (show, approve) = (format!("show {case}"), format!("approve {case} --as {person}"));
    text += &next(database, &["tasks", &show, &approve, "list"]);
    let end = if kept {
        output.pick("Ctrl-C 结束；数据库会留下。", "Ctrl-C ends it; the database stays.")
    } else {
        output.pick("Ctrl-C 结束，数据随之删除。", "Ctrl-C ends it, and its data goes.")
    };
    let auto = output.pick("想看程序自己走完：demo --auto", "To see it play by itself: demo --auto");
    text += &format!("\n  {}\n", output.ink(Ink::Dim, &format!("{end} {auto}")));
    output.print(&text)
}

/// What to type next.
fn next(database: &Path, commands: &[&str]) -> String {
    let program = std::env::args().next().filter(|name| name.contains('/')).unwrap_or_else(|| "countersign".into());
    let mut text = format!("    export COUNTERSIGN_DB={}\n", database.display());
    for command in commands {
        text += &format!("    {program} {command}\n");
    }
    text
}
