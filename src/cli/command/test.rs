//! `test`: plays the test documents of a folder, and says how far they walk its processes.

use super::check;
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, close};
use crate::cli::letters::Written;
use crate::cli::output::{Ink, Table};
use crate::cli::shell::Shell;
use crate::compile::Compiled;
use crate::compile::scenario::{Recorded, Scenario};
use crate::diagnostics::{Diagnostic, Spanned, Style, render, to_json};
use crate::model::text::Lang;
use crate::simulate::coverage::{Coverage, Figures, Group, Item};
use crate::simulate::recorded::count;
use crate::simulate::scenario::play;
use clap::{ArgMatches, Command};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How often `--watch` looks for changes.
const POLL: Duration = Duration::from_millis(300);

pub(super) fn tree(words: Words) -> Command {
    Command::new("test")
        .about(words.pick("运行流程的测试", "Play the tests of processes"))
        .long_about(words.pick(
            "运行一个文件夹里的测试（*.test.yaml）：在内存里发起案例、作出决定、推进时间，再看待办、邮件、\
             数据和结果是不是测试里写的那样。什么都不会保存，也不会发出邮件。有测试没通过时退出码是 1。",
            "Play the tests of a folder (*.test.yaml): start cases in memory, decide, let time pass, and see whether \
             tasks, mails, data and outcomes are as the tests say. Nothing is kept and no mail is sent. The exit code \
             is 1 if a test failed.",
        ))
        .arg(
            words
                .word(
                    "paths",
                    ("路径", "PATH"),
                    "文件夹或测试文件；不写就是 processes",
                    "Folders or test files; processes/ if left out",
                )
                .num_args(0..)
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(words.option(
            "filter",
            ("文字", "TEXT"),
            "只运行标题、流程名或文件名里有这段文字的测试",
            "Only tests whose title, process or file holds this text",
        ))
        .arg(words.switch(
            "coverage",
            "显示步骤、分支、结果和定时各走到了多少",
            "Show how many steps, branches, ends and timers were walked",
        ))
        .arg(
            words
                .option(
                    "min",
                    ("百分比", "PERCENT"),
                    "步骤和分支至少要走到这么多，否则退出码是 1",
                    "Steps and branches to be walked at least; the exit code is 1 if fewer are",
                )
                .value_parser(clap::value_parser!(u8).range(0..=100)),
        )
        .arg(words.switch(
            "watch",
            "文件一改就重新运行，Ctrl-C 结束",
            "Play again whenever a file changes; Ctrl-C ends",
        ))
        .arg(words.json())
        .after_help(
            "countersign test\ncountersign test processes/leave.test.yaml\ncountersign test --coverage --min 100\n\
             countersign test --filter 退回 --watch",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let given: Vec<PathBuf> = matches.get_many::<PathBuf>("paths").into_iter().flatten().cloned().collect();
    let paths = if given.is_empty() { vec![shell.settings.processes.clone()] } else { given };
    if !matches.get_flag("watch") {
        return once(shell, matches, &paths);
    }
    loop {
        let seen = stamps(shell, &paths);
        if shell.output.width().is_some() {
            // Home, and clear what is below: the scroll-back stays.
            shell.output.print("\u{1b}[H\u{1b}[J")?;
        }
        match once(shell, matches, &paths) {
            Ok(()) | Err(Stop::Said(_)) => {}
            Err(Stop::Because(exit, what)) => shell.output.error(exit, &what, &[]),
            Err(Stop::Unfit(what, faults)) => shell.output.error(Exit::Input, &what, &faults),
            Err(Stop::Unheard) => return Err(Stop::Unheard),
        }
        shell.output.note("等待文件改动，Ctrl-C 结束。", "Waiting for changes; Ctrl-C ends.");
        while stamps(shell, &paths) == seen {
            std::thread::sleep(POLL);
        }
    }
}

/// A test with what became of it.
struct Done<'a> {
    title: &'a Spanned<String>,
    /// The process or the metric that it is of.
    of: (&'static str, &'a str),
    failures: Vec<Diagnostic>,
}

/// What says which tests are wanted.
struct Wanted<'a> {
    compiled: &'a Compiled,
    /// The files that were named; all where empty.
    named: &'a BTreeSet<String>,
    filter: Option<&'a str>,
}

impl Wanted<'_> {
    fn holds(&self, title: &Spanned<String>, of: &str) -> bool {
        let file = &self.compiled.sources.get(title.span.source).name;
        let holds = |text: &str| self.filter.is_none_or(|filter| text.to_lowercase().contains(filter));
        (self.named.is_empty() || self.named.contains(file.strip_prefix("./").unwrap_or(file)))
            && (holds(&title.value) || holds(of) || holds(file))
    }
}

fn once(shell: &Shell, matches: &ArgMatches, paths: &[PathBuf]) -> Result<(), Stop> {
    let output = &shell.output;
    let begun = Instant::now();
    let mut named = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for path in paths {
        if let Some(name) = path.to_str().filter(|name| !path.exists() && !name.contains(['/', '\\', '.'])) {
            return Err(no_path(shell, name)?);
        }
        if path.is_file() {
            named.insert(path.strip_prefix(".").unwrap_or(path).display().to_string());
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folders.insert(folder.to_owned());
        } else {
            folders.insert(path.clone());
        }
    }
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    let compiled = check::compile(shell, &folders)?;
    if compiled.has_errors() {
        check::show(output, &compiled, false)?;
        output.note("测试没有运行：请先改好上面的错误。", "No test was played: mend the errors above first.");
        return Err(Stop::Said(Exit::Faults));
    }
    let filter = matches.get_one::<String>("filter").map(|filter| filter.to_lowercase());
    let wanted = Wanted { compiled: &compiled, named: &named, filter: filter.as_deref() };
    let scenarios: Vec<&Scenario> =
        compiled.scenarios.iter().filter(|one| wanted.holds(&one.title, one.process.as_str())).collect();
    let recorded: Vec<&Recorded> =
        compiled.recorded.iter().filter(|one| wanted.holds(&one.title, &one.metric.name)).collect();
    if scenarios.is_empty() && recorded.is_empty() {
        return Err(none(paths, filter.as_deref(), compiled.scenarios.len() + compiled.recorded.len()));
    }
    let templates = check::templates(shell)?;
    let letters = Written::new(&templates);
    let mut coverage = Coverage::default();
    let played = scenarios.into_iter().map(|scenario| Done {
        title: &scenario.title,
        of: ("process", scenario.process.as_str()),
        failures: play(scenario, &compiled, &letters, &mut coverage).failures,
    });
    let counted = recorded.into_iter().map(|recorded| Done {
        title: &recorded.title,
        of: ("metric", &recorded.metric.name),
        failures: count(recorded, &compiled),
    });
    let results: Vec<Done<'_>> = played.chain(counted).collect();
    let took = begun.elapsed();
    let failed = results.iter().filter(|result| !result.failures.is_empty()).count();
    let min = matches.get_one::<u8>("min").map(|min| usize::from(*min));
    let figures: Vec<(&str, Figures)> = compiled
        .definitions
        .iter()
        .filter(|definition| coverage.knows(&definition.process) || (named.is_empty() && filter.is_none()))
        .map(|definition| (definition.process.as_str(), coverage.figures(definition)))
        .collect();
    let short: Vec<&str> = figures
        .iter()
        .filter(|(_, figures)| {
            min.is_some_and(|min| [Group::Steps, Group::Branches].iter().any(|group| figures.percent(*group) < min))
        })
        .map(|(process, _)| *process)
        .collect();
    if matches.get_flag("json") {
        output.json(&as_json(&compiled, &results, &figures, took, output.lang))?;
    } else {
        tell(shell, &compiled, &results, took)?;
        if matches.get_flag("coverage") || !short.is_empty() {
            output.print("\n")?;
            output.print(&drawn(shell, &figures, min))?;
        }
        if let (Some(min), false) = (min, short.is_empty()) {
            let list = short.join(output.pick("、", ", "));
            output.note(
                format!("步骤或分支没有走到 {min} %：{list}。"),
                format!("Steps or branches below {min} %: {list}."),
            );
        }
    }
    if failed > 0 || !short.is_empty() { Err(Stop::Said(Exit::Faults)) } else { Ok(()) }
}

fn none(paths: &[PathBuf], filter: Option<&str>, all: usize) -> Stop {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    match filter {
        Some(filter) if all > 0 => Stop::not_found(
            format!("{all} 个测试里没有含“{filter}”的。"),
            format!("None of the {all} tests holds “{filter}”."),
        ),
        _ => Stop::not_found(
            format!("{} 里没有测试。测试写在流程旁边的 *.test.yaml 里，开头是 `test: 标题`。", shown.join("、")),
            format!(
                "{} holds no test. Tests stand beside their process in *.test.yaml and begin with `test: TITLE`.",
                shown.join(", ")
            ),
        ),
    }
}

fn tell(shell: &Shell, compiled: &Compiled, results: &[Done<'_>], took: Duration) -> Result<(), Stop> {
    let output = &shell.output;
    let mut text = String::new();
    let mut file = None;
    for result in results {
        let source = result.title.span.source;
        if file != Some(source) {
            if file.is_some() && !text.ends_with("\n\n") {
                text.push('\n');
            }
            text.push_str(&output.ink(Ink::Bold, &compiled.sources.get(source).name));
            text.push('\n');
            file = Some(source);
        }
        let title = &result.title.value;
        if result.failures.is_empty() {
            text.push_str(&format!("  {} {title}\n", output.ink(Ink::Dim, "✓")));
        } else {
            text.push_str(&format!("  {} {}\n\n", output.ink(Ink::Seal, "✗"), output.ink(Ink::Bold, title)));
            let style = Style { colour: output.paints(), width: output.width().unwrap_or(120) };
            let shown = render(&result.failures, &compiled.sources, output.lang, style);
            text.push_str(shown.trim_end());
            text.push_str("\n\n");
        }
    }
    let failed = results.iter().filter(|result| !result.failures.is_empty()).count();
    let (all, passed) = (results.len(), results.len() - failed);
    let took = span(took);
    let line = match (output.lang, failed) {
        (Lang::Zh, 0) => format!("{all} 个测试全部通过（{took}）"),
        (Lang::Zh, _) => format!("{all} 个测试：{passed} 个通过，{failed} 个没通过（{took}）"),
        (Lang::En, 0) if all == 1 => format!("1 test passed ({took})"),
        (Lang::En, 0) => format!("{all} tests passed ({took})"),
        (Lang::En, _) if all == 1 => format!("1 test failed ({took})"),
        (Lang::En, _) => format!("{all} tests: {passed} passed, {failed} failed ({took})"),
    };
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str(&output.ink(if failed > 0 { Ink::Amber } else { Ink::Bold }, &line));
    output.print(&text)
}

fn span(took: Duration) -> String {
    if took.as_secs() > 0 { format!("{:.1} s", took.as_secs_f64()) } else { format!("{} ms", took.as_millis()) }
}

/// Neither a file nor a folder: most likely the name of something that has tests.
fn no_path(shell: &Shell, name: &str) -> Result<Stop, Stop> {
    let folder = &shell.settings.processes;
    let compiled = check::compile(shell, std::slice::from_ref(folder))?;
    let tested = compiled.scenarios.iter().map(|one| one.process.as_str());
    let tested: BTreeSet<&str> = tested.chain(compiled.recorded.iter().map(|one| &*one.metric.name)).collect();
    if tested.contains(name) {
        return Ok(Stop::input(
            format!("没有文件或文件夹“{name}”。只运行“{name}”的测试：`countersign test --filter {name}`。"),
            format!(
                "There is no file or folder “{name}”. To play only the tests of “{name}”: `countersign test --filter {name}`."
            ),
        ));
    }
    let tested: Vec<&str> = tested.into_iter().collect();
    if tested.is_empty() {
        return Ok(Stop::input(
            format!("没有文件或文件夹“{name}”，{} 里也没有任何测试。", folder.display()),
            format!("There is no file or folder “{name}”, nor any test in {}.", folder.display()),
        ));
    }
    let close = close(name, &tested);
    Ok(Stop::input(
        format!(
            "没有文件或文件夹“{name}”，{} 里也没有它的测试。{}有测试的：{}。",
            folder.display(),
            close.zh,
            tested.join("、")
        ),
        format!(
            "There is no file or folder “{name}”, nor a test of it in {}.{} These have tests: {}.",
            folder.display(),
            close.en,
            tested.join(", ")
        ),
    ))
}

/// The figures as a table, and what was not walked.
fn drawn(shell: &Shell, figures: &[(&str, Figures)], min: Option<usize>) -> String {
    let output = &shell.output;
    let titles = match output.lang {
        Lang::Zh => ["流程", "步骤", "分支", "结果", "定时"],
        Lang::En => ["process", "steps", "branches", "ends", "timers"],
    };
    let mut table = Table::new(titles);
    for (process, figures) in figures {
        let cells = Group::ALL.map(|group| {
            let (hit, all) = figures.groups.get(&group).copied().unwrap_or((0, 0));
            let percent = figures.percent(group);
            let low = min.map_or(percent < 100, |min| percent < min);
            let cell = if all == 0 { "–".to_owned() } else { format!("{hit}/{all}  {percent} %") };
            (cell, low.then_some(Ink::Amber))
        });
        table.painted_row(std::iter::once(((*process).to_owned(), None)).chain(cells));
    }
    let mut text = output.table(&table);
    let missing: Vec<String> = figures
        .iter()
        .flat_map(|(process, figures)| {
            figures.missing.iter().map(move |item| format!("  {process}  {}", item_words(item, output.lang)))
        })
        .collect();
    if !missing.is_empty() {
        text.push_str(&format!("\n{}\n{}\n", output.pick("还没有走到：", "Not walked yet:"), missing.join("\n")));
    }
    let impossible = figures.iter().flat_map(|(process, figures)| {
        figures.impossible.iter().map(move |item| format!("  {process}  {}", item_words(item, output.lang)))
    });
    let impossible: Vec<String> = impossible.collect();
    if !impossible.is_empty() {
        let head = output.pick("不可能走到，所以没有计入：", "Not counted, as it cannot happen:");
        text.push_str(&format!("\n{head}\n{}\n", impossible.join("\n")));
    }
    text
}

fn item_words(item: &Item, lang: Lang) -> String {
    match (item, lang) {
        (Item::Step(step), Lang::Zh) => format!("步骤 {step}"),
        (Item::Step(step), Lang::En) => format!("step {step}"),
        (Item::When(step, true), Lang::Zh) => format!("步骤 {step} 的 when 成立"),
        (Item::When(step, true), Lang::En) => format!("step {step} with its `when` true"),
        (Item::When(step, false), Lang::Zh) => format!("步骤 {step} 的 when 不成立"),
        (Item::When(step, false), Lang::En) => format!("step {step} with its `when` false"),
        (Item::Case(step, Some(number)), Lang::Zh) => format!("步骤 {step} 的第 {} 个分支", number + 1),
        (Item::Case(step, Some(number)), Lang::En) => format!("step {step}, case {}", number + 1),
        (Item::Case(step, None), Lang::Zh) => format!("步骤 {step} 的 otherwise"),
        (Item::Case(step, None), Lang::En) => format!("step {step}, otherwise"),
        (Item::Answer(step, outcome), Lang::Zh) => format!("步骤 {step} → {outcome}"),
        (Item::Answer(step, outcome), Lang::En) => format!("step {step} → {outcome}"),
        (Item::Branch(step, branch), Lang::Zh) => format!("步骤 {step} 的分支 {branch}"),
        (Item::Branch(step, branch), Lang::En) => format!("step {step}, branch {branch}"),
        (Item::Overdue(step), Lang::Zh) => format!("步骤 {step} 逾期"),
        (Item::Overdue(step), Lang::En) => format!("step {step} overdue"),
        (Item::End(outcome), Lang::Zh) => format!("以 {outcome} 结束"),
        (Item::End(outcome), Lang::En) => format!("an end as {outcome}"),
        (Item::Reminder(step), Lang::Zh) => format!("步骤 {step} 的提醒"),
        (Item::Reminder(step), Lang::En) => format!("the reminder of step {step}"),
    }
}

fn as_json(
    compiled: &Compiled,
    results: &[Done<'_>],
    figures: &[(&str, Figures)],
    took: Duration,
    lang: Lang,
) -> serde_json::Value {
    let tests: Vec<serde_json::Value> = results
        .iter()
        .map(|result| {
            let title = result.title;
            let source = compiled.sources.get(title.span.source);
            json!({
                "title": title.value,
                (result.of.0): result.of.1,
                "file": source.name,
                "line": source.position(title.span.start).line,
                "passed": result.failures.is_empty(),
                "failures": to_json(&result.failures, &compiled.sources, lang),
            })
        })
        .collect();
    let failed = results.iter().filter(|result| !result.failures.is_empty()).count();
    let coverage: serde_json::Map<String, serde_json::Value> = figures
        .iter()
        .map(|(process, figures)| {
            let group = |group| {
                let (hit, all) = figures.groups.get(&group).copied().unwrap_or((0, 0));
                json!({ "walked": hit, "of": all, "percent": figures.percent(group) })
            };
            let words = |items: &[Item]| items.iter().map(|item| item_words(item, lang)).collect::<Vec<_>>();
            let figures = json!({
                "steps": group(Group::Steps),
                "branches": group(Group::Branches),
                "ends": group(Group::Ends),
                "timers": group(Group::Timers),
                "missing": words(&figures.missing),
                "impossible": words(&figures.impossible),
            });
            ((*process).to_owned(), figures)
        })
        .collect();
    json!({
        "tests": tests,
        "passed": results.len() - failed,
        "failed": failed,
        "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "coverage": coverage,
    })
}

/// What tells whether a file changed: its name, time and length.
type Stamp = (PathBuf, Option<SystemTime>, u64);

fn stamps(shell: &Shell, paths: &[PathBuf]) -> Vec<Stamp> {
    let mut found = Vec::new();
    let mut folders: Vec<(PathBuf, usize)> = Vec::new();
    for path in paths.iter().chain([&shell.settings.templates]) {
        // The process of a test file lies beside it.
        let folder = if path.is_file() {
            path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
        } else {
            path.clone()
        };
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        folders.push((folder, 0));
    }
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() && depth < 16 {
                folders.push((entry.path(), depth + 1));
            } else if meta.is_file() {
                found.push((entry.path(), meta.modified().ok(), meta.len()));
            }
        }
    }
    found.sort();
    found
}
