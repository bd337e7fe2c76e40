//! `report`: what the recorded cases come to: key figures against their targets, and how a process goes.

use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, no_process};
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::World;
use crate::cli::save;
use crate::cli::shell::Shell;
use crate::diagnostics::suggest;
use crate::effects::format;
use crate::measure::kpi::{Asked, Counting, case_of};
use crate::measure::process::Following;
use crate::model::metric::{Every, Metric, Period};
use crate::model::text::Wording;
use crate::report::kpi::{Sheet, Shown, Subject};
use crate::report::{bar, course};
use crate::runtime::Runtime;
use chrono::NaiveDate;
use clap::{Arg, ArgMatches, Command};
use rust_decimal::Decimal;
use std::path::PathBuf;

/// How many periods are shown before the one that is asked for.
const TREND: u32 = 3;

/// How many cells a bar has.
const BAR: u32 = 16;

pub(super) fn tree(words: Words) -> Command {
    Command::new("report")
        .about(words.pick("统计：指标完成得怎样，流程走得怎样", "Key figures, and how processes go"))
        .subcommand(
            Command::new("kpi")
                .about(words.pick("指标：实际对目标", "Key figures against their targets"))
                .long_about(words.pick(
                    "统计已上线的指标（`metric:` 文件）：各流程所有版本的案例都算在内。没有数据的期间会说明没有数据；\
                     还没结束的期间数字到今天为止；算不出的案例不计入，并写明有几件。",
                    "Count the metrics that are live (`metric:` files) over the cases of all versions of their \
                     processes. A period without data says so, one that has not ended is counted up to today, and \
                     cases that cannot be computed are left out and said to be.",
                ))
                .arg(
                    words
                        .word("metrics", ("指标", "METRIC"), "哪些指标；不写就是全部", "Which metrics; all if left out")
                        .num_args(0..),
                )
                .arg(words.option(
                    "period",
                    ("期间", "PERIOD"),
                    "2026-Q3、2026-07 或 2026；不写就是这个季度",
                    "2026-Q3, 2026-07 or 2026; this quarter if left out",
                ))
                .arg(words.option(
                    "by",
                    ("细分", "DIMENSION"),
                    "按什么细分，例如 person",
                    "What it is broken down by, such as person",
                ))
                .args(ways_out(words))
                .after_help(
                    "countersign report kpi --period 2026-Q3\n\
                     countersign report kpi --period 2026-Q3 --by person\n\
                     countersign report kpi on_time --period 2026 --out 2026.html",
                ),
        )
        .subcommand(
            Command::new("process")
                .about(words.pick("一个流程走得怎样，在哪里等得最久", "How a process goes, and where it waits"))
                .arg(words.word("process", ("流程", "PROCESS"), "哪个流程", "Which process").required(true))
                .arg(words.option(
                    "period",
                    ("期间", "PERIOD"),
                    "2026-Q3、2026-07 或 2026；不写就从头到现在",
                    "2026-Q3, 2026-07 or 2026; from the beginning until now if left out",
                ))
                .args(ways_out(words))
                .after_help(
                    "countersign report process leave\n\
                     countersign report process leave --period 2026-Q3 --out leave.html",
                ),
        )
        .after_help("countersign report kpi --period 2026-Q3\ncountersign report process leave")
}

fn ways_out(words: Words) -> [Arg; 3] {
    [
        words
            .option(
                "format",
                ("table|csv|json|html", "table|csv|json|html"),
                "table 在终端看，csv 给电子表格，json 给程序，html 是带图的网页；不写就看 --out 的扩展名",
                "table to read here, csv for spreadsheets, json for programs, html a page with charts; what --out ends \
                 with if left out",
            )
            .value_parser(["table", "csv", "json", "html"]),
        words
            .option(
                "out",
                ("文件", "FILE"),
                "写进这个文件，而不是显示出来：q3.html",
                "Write it to this file instead of showing it: q3.html",
            )
            .value_parser(clap::value_parser!(PathBuf)),
        words.json(),
    ]
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    match matches.subcommand() {
        Some(("process", own)) => shell.with_runtime(async |runtime| process(shell, runtime, own).await),
        Some((_, own)) => shell.with_runtime(async |runtime| kpi(shell, runtime, own).await),
        None => Err(Stop::usage(
            "要写统计什么：`countersign report kpi`，或 `countersign report process 流程`。",
            "Say what to report: `countersign report kpi`, or `countersign report process PROCESS`.",
        )),
    }
}

async fn kpi(shell: &Shell, runtime: &Runtime, matches: &ArgMatches) -> Result<(), Stop> {
    let (output, world) = (&shell.output, World::of(runtime));
    let today = world.calendar.today(world.now);
    let period = match asked_period(matches, today)? {
        Some(period) => period,
        None => Period::of(Every::Quarter, today),
    };
    let live = runtime.live();
    let wanted = chosen(&live.metrics, matches)?;
    let (metrics, not_measured): (Vec<Metric>, Vec<Metric>) =
        wanted.into_iter().partition(|metric| metric.periods.contains(&period.every()));
    if metrics.is_empty() {
        return Err(unmeasured(period, &not_measured));
    }
    let by = matches.get_one::<String>("by").map(String::as_str);
    if let Some(by) = by {
        known_dimension(by, &metrics)?;
    }
    let asked = Asked {
        metrics: &metrics,
        period,
        trend: TREND,
        by,
        directory: &world.directory,
        calendar: &world.calendar,
        now: world.now,
    };
    let mut counting = Counting::new(asked);
    let progress = output.progress("正在统计案例", "Counting cases");
    for process in counting.processes() {
        runtime.recorded(&process, |case| counting.add(&case_of(&case.state))).await?;
    }
    drop(progress);
    let measured = counting.finish();
    let words = world.words(output);
    let subject = Subject { measured: &measured, period, by, not_measured: &not_measured, today };
    let sheet = Sheet::of(&subject, &words);
    hand_out(output, matches, |format| match format {
        Format::Csv => sheet.csv(&words),
        Format::Json => pretty(&sheet.json()),
        Format::Html => sheet.html(&words),
        Format::Table => drawn(&sheet, output, &words),
    })
}

/// The metrics that are named, or all.
fn chosen(live: &[Metric], matches: &ArgMatches) -> Result<Vec<Metric>, Stop> {
    if live.is_empty() {
        return Err(Stop::not_found(
            "还没有指标上线。指标写在 `metric:` 文件里，用 `countersign deploy` 上线。",
            "No metric is live. Metrics are `metric:` files; `countersign deploy` makes them live.",
        ));
    }
    let named: Vec<&String> = matches.get_many::<String>("metrics").into_iter().flatten().collect();
    if named.is_empty() {
        return Ok(live.to_vec());
    }
    let known = || live.iter().map(|metric| &*metric.name);
    let find = |name: &&String| {
        live.iter().find(|metric| *metric.name == ***name).cloned().ok_or_else(|| {
            let (zh, en) = close(name, known());
            let list: Vec<&str> = known().collect();
            Stop::not_found(
                format!("没有指标“{name}”。{zh}已上线的指标：{}。", list.join("、")),
                format!("There is no metric “{name}”.{en} Live are: {}.", list.join(", ")),
            )
        })
    };
    named.iter().map(find).collect()
}

fn close<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> (String, String) {
    suggest::closest(word, known)
        .map_or_else(Default::default, |close| (format!("是不是“{close}”？"), format!(" Did you mean “{close}”?")))
}

/// No metric is measured in such a period.
fn unmeasured(period: Period, metrics: &[Metric]) -> Stop {
    let every = period.every().words();
    let mut known: Vec<Every> = metrics.iter().flat_map(|metric| metric.periods.iter().copied()).collect();
    known.sort_unstable();
    known.dedup();
    let words: Vec<Wording> = known.iter().map(|every| every.words()).collect();
    let zh: Vec<&str> = words.iter().map(|words| words.zh.as_str()).collect();
    let en: Vec<&str> = words.iter().map(|words| words.en.as_str()).collect();
    Stop::not_found(
        format!("没有按{}统计的指标；它们按{}统计。", every.zh, zh.join("、")),
        format!("None of the metrics is measured by {}; they are measured by {}.", every.en, en.join(", ")),
    )
}

fn known_dimension(by: &str, metrics: &[Metric]) -> Result<(), Stop> {
    let mut known: Vec<&str> = metrics.iter().flat_map(|metric| metric.by.keys()).map(|name| &**name).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&by) {
        return Ok(());
    }
    if known.is_empty() {
        return Err(Stop::not_found(
            "这些指标没有写 `by`，不能细分。",
            "These metrics have no `by`, so they cannot be broken down.",
        ));
    }
    let (zh, en) = close(by, known.iter().copied());
    Err(Stop::not_found(
        format!("没有指标可以按“{by}”细分。{zh}可以按：{}。", known.join("、")),
        format!("No metric can be broken down by “{by}”.{en} It can be {}.", known.join(", ")),
    ))
}

/// The period that is asked for; one that has not begun has no figures yet.
fn asked_period(matches: &ArgMatches, today: NaiveDate) -> Result<Option<Period>, Stop> {
    let Some(text) = matches.get_one::<String>("period") else { return Ok(None) };
    let period: Period = text.trim().parse().map_err(|_| {
        Stop::usage(
            format!("“{text}”不是期间。季度写 2026-Q3，月写 2026-07，年写 2026。"),
            format!("“{text}” is no period. Write a quarter as 2026-Q3, a month as 2026-07, a year as 2026."),
        )
    })?;
    if period.first() > today {
        let named = period.words();
        return Err(Stop::usage(
            format!("{}还没有开始，没有可以统计的。", named.zh),
            format!("{} has not begun; there is nothing to count yet.", named.en),
        ));
    }
    Ok(Some(period))
}

async fn process(shell: &Shell, runtime: &Runtime, matches: &ArgMatches) -> Result<(), Stop> {
    let (output, world) = (&shell.output, World::of(runtime));
    let name = matches.get_one::<String>("process").map(String::as_str).unwrap_or_default();
    let Some(definition) = runtime.definition(&name.into()) else {
        let live = runtime.definitions();
        return Err(no_process(name, live.iter().map(|one| one.process.as_str())));
    };
    let today = world.calendar.today(world.now);
    let period = asked_period(matches, today)?;
    let mut following = Following::new(period, &world.calendar, world.now);
    let progress = output.progress("正在统计案例", "Counting cases");
    runtime.recorded(&definition.process, |case| following.add(&case.entries)).await?;
    drop(progress);
    let words = world.words(output);
    let sheet = course::Sheet::of(following.finish(), &definition, period, today, &words);
    hand_out(output, matches, |format| match format {
        Format::Csv => sheet.csv(&words),
        Format::Json => pretty(&sheet.json()),
        Format::Html => sheet.html(&words),
        Format::Table => followed(&sheet, output, &words),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Csv,
    Json,
    Html,
}

/// Writes the report in the form that is asked for, to where it is asked for.
fn hand_out(output: &Output, matches: &ArgMatches, text: impl Fn(Format) -> String) -> Result<(), Stop> {
    let out = matches.get_one::<PathBuf>("out");
    let named = matches.get_one::<String>("format").map(String::as_str);
    let ending = match (named, out) {
        (None, Some(out)) => save::form_of(out, ENDINGS)?,
        _ => None,
    };
    let format = match named.or(ending) {
        _ if matches.get_flag("json") => Format::Json,
        Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        Some("html") => Format::Html,
        _ => Format::Table,
    };
    let Some(out) = out else { return output.print(&text(format)) };
    // Spreadsheets take a file for Unicode only by the mark at its beginning.
    let mark = if format == Format::Csv { "\u{feff}" } else { "" };
    std::fs::write(out, format!("{mark}{}", text(format))).map_err(|error| {
        Stop::Because(
            Exit::Input,
            Wording::new(
                format!("写不了 {}：{error}。请换一个能写的位置。", out.display()),
                format!("{} cannot be written: {error}. Choose a place that can.", out.display()),
            ),
        )
    })?;
    output.note(format!("已写到 {}。", out.display()), format!("Written to {}.", out.display()));
    Ok(())
}

/// What the names of reports end in, and what is written then.
const ENDINGS: &[(&str, &str)] =
    &[("html", "html"), ("htm", "html"), ("csv", "csv"), ("json", "json"), ("txt", "table")];

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

fn head(title: &str, notes: &[String], output: &Output) -> String {
    let mut text = output.ink(Ink::Bold, title) + "\n";
    for note in notes {
        text += &output.ink(Ink::Amber, note);
        text.push('\n');
    }
    text.push('\n');
    text
}

/// The sheet as a table with bars.
fn drawn(sheet: &Sheet, output: &Output, words: &format::Words<'_>) -> String {
    let mut table = Table::new([
        output.pick("指标", "FIGURE"),
        output.pick("实际", "ACTUAL"),
        output.pick("目标", "TARGET"),
        "",
        output.pick("算法", "OF"),
        "",
    ])
    .right(1)
    .right(2);
    for row in &sheet.rows {
        let sign = if row.less { "≤" } else { "≥" };
        let target = row.target.as_ref().map(|(_, words)| format!("{sign} {words}")).unwrap_or_default();
        let most = [row.figure.value, row.target.as_ref().map(|(target, _)| *target)].into_iter().flatten().max();
        let line = |title: String, ink, shown: &Shown, target: String, most: Decimal| {
            let whole = !target.is_empty();
            let missed = (shown.met == Some(false)).then_some(Ink::Amber);
            [
                (title, ink),
                (shown.words.clone(), if shown.value.is_none() { Some(Ink::Dim) } else { ink }),
                (target, Some(Ink::Dim)),
                (cells(shown.value, row.target.as_ref().filter(|_| whole || shown.met.is_some()), most), missed),
                (shown.of.clone(), Some(Ink::Dim)),
                (shown.verdict(words).to_owned(), missed.or(Some(Ink::Dim))),
            ]
        };
        table.painted_row(line(row.title.clone(), Some(Ink::Bold), &row.figure, target, most.unwrap_or_default()));
        let most = row.parts.iter().filter_map(|(_, shown)| shown.value).chain(most).max().unwrap_or_default();
        for (label, shown) in &row.parts {
            table.painted_row(line(format!("└ {label}"), None, shown, String::new(), most));
        }
    }
    let mut text = head(&sheet.title, &sheet.notes, output) + &output.table(&table);
    let left_out: Vec<String> = sheet
        .rows
        .iter()
        .filter(|row| !row.figure.note.is_empty())
        .map(|row| output.ink(Ink::Dim, &format!("{}{}{}", row.title, output.pick("：", ": "), row.figure.note)))
        .collect();
    let aside = (!sheet.aside.is_empty()).then(|| output.ink(Ink::Dim, &sheet.aside));
    let left_out: Vec<String> = left_out.into_iter().chain(aside).collect();
    if !left_out.is_empty() {
        text += &format!("\n{}\n", left_out.join("\n"));
    }
    text
}

/// A bar with its target: `██████████·····│`.
fn cells(value: Option<Decimal>, target: Option<&(Decimal, String)>, most: Decimal) -> String {
    let Some(value) = value.filter(|_| !most.is_zero()) else { return String::new() };
    let filled = bar(value, most, BAR);
    let goal = target.map(|(target, _)| bar(*target, most, BAR).saturating_sub(1));
    let cell = |at: u32| match goal {
        Some(goal) if goal == at => '│',
        _ if at < filled => '█',
        _ => '·',
    };
    (0..BAR).map(cell).collect()
}

/// How a process went, as a table.
fn followed(sheet: &course::Sheet, output: &Output, words: &format::Words<'_>) -> String {
    let mut text = head(&sheet.title, &sheet.notes, output);
    let mut facts = Table::new(["", ""]).right(1);
    for (what, much) in &sheet.facts {
        facts.painted_row([(what.clone(), Some(Ink::Dim)), (much.clone(), Some(Ink::Bold))]);
    }
    text += &output.table(&facts);
    if sheet.steps.is_empty() {
        return text;
    }
    let [step, times, median, most, late, waiting] = course::Sheet::columns(words);
    let mut table =
        Table::new([step, median, most, "", times, late, waiting]).right(1).right(2).right(4).right(5).right(6);
    let longest = sheet.steps.iter().filter_map(|step| step.waited).map(|waited| waited.most).max().unwrap_or_default();
    for step in &sheet.steps {
        let ink = step.slowest.then_some(Ink::Seal);
        let filled = step.waited.map_or(0, |waited| bar(waited.median.into(), longest.max(1).into(), BAR));
        table.painted_row([
            (step.title.clone(), ink),
            (step.median.clone(), None),
            (step.most.clone(), Some(Ink::Dim)),
            ((0..BAR).map(|at| if at < filled { '█' } else { '·' }).collect(), ink.or(Some(Ink::Dim))),
            (step.count.to_string(), None),
            (step.late.clone(), None),
            (if step.open > 0 { step.open.to_string() } else { String::new() }, None),
        ]);
    }
    text.push('\n');
    text += &output.table(&table);
    if !sheet.slowest.is_empty() {
        text += &format!("\n{}\n", sheet.slowest);
    }
    text
}
