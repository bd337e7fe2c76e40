//! `bench`: how fast this machine runs approvals, beside how fast its disk could write the same rows.

use super::serve::threads;
use crate::bench::{self, Options, Row};
use crate::cli::Words;
use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Table};
use crate::cli::shell::Shell;
use clap::{ArgMatches, Command};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

pub(super) fn tree(words: Words) -> Command {
    Command::new("bench")
        .about(words.pick("测这台机器每秒能办多少事", "Measure how fast this machine is"))
        .long_about(words.pick(
            "测这台机器每秒能办多少事：同一个审批流程反复走完，和不经过引擎、只写同样数据的速度对照。\
             每次回答都已经写进磁盘。测试用的文件会删掉。",
            "Measure how fast this machine is: the same approval is run again and again, beside writing the same rows \
             without an engine. Each answer is on the disk. The files are removed afterwards.",
        ))
        .arg(
            words
                .option("callers", ("个数,…", "N,…"), "同时有多少人在操作", "How many act at once")
                .value_delimiter(',')
                .value_parser(clap::value_parser!(u32).range(1..=4096))
                .default_value("1,64"),
        )
        .arg(
            words
                .option("passes", ("次数", "N"), "每一项测几遍，取中间值", "How many passes of each; the median counts")
                .value_parser(clap::value_parser!(u32).range(1..=100))
                .default_value("3"),
        )
        .arg(
            words
                .option("seconds", ("秒", "S"), "每遍多少秒", "Seconds a pass")
                .value_parser(clap::value_parser!(u32).range(1..=600))
                .default_value("2"),
        )
        .arg(
            words
                .option(
                    "in",
                    ("文件夹", "DIR"),
                    "在哪个文件夹里测（测的是它所在的磁盘）",
                    "In which folder: its disk is measured",
                )
                .value_parser(clap::value_parser!(PathBuf))
                .default_value("."),
        )
        .arg(
            words
                .option(
                    "soak",
                    ("次数", "RUNS"),
                    "改为连续走这么多次，看内存和文件大小",
                    "Instead, run so many approvals and look at memory and disk",
                )
                .value_parser(clap::value_parser!(u32).range(1..)),
        )
        .arg(
            words
                .option("keep", ("文件", "FILE"), "--soak 的数据库留在这里", "Keep the database of --soak here")
                .value_parser(clap::value_parser!(PathBuf))
                .requires("soak"),
        )
        .arg(words.json())
        .after_help("countersign bench\ncountersign bench --callers 1,64,256 --json\ncountersign bench --soak 100000")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let number = |name: &str| matches.get_one::<u32>(name).copied().unwrap_or(1);
    let folder = matches.get_one::<PathBuf>("in").cloned().unwrap_or_else(|| PathBuf::from("."));
    if let Some(runs) = matches.get_one::<u32>("soak") {
        let keep = matches.get_one::<PathBuf>("keep").map(PathBuf::as_path);
        let progress = output.progress("正在运行…", "Running …");
        let soak = threads()?.block_on(bench::soak(*runs as usize, &folder, keep))?;
        drop(progress);
        if matches.get_flag("json") {
            return output.json(&json!(soak));
        }
        let memory = soak.resident_mb.map_or_else(|| "–".to_owned(), |memory| format!("{memory} MB"));
        let (zh, en) = (
            format!("{} 次审批，每秒 {} 次；内存 {memory}；每次 {} 字节。", soak.runs, soak.rate, soak.bytes_a_run),
            format!(
                "{} approvals, {} a second; memory {memory}; {} bytes each.",
                soak.runs, soak.rate, soak.bytes_a_run
            ),
        );
        return output.print(output.pick(&zh, &en));
    }
    let callers = matches.get_many::<u32>("callers").into_iter().flatten().map(|callers| *callers as usize);
    let options = Options {
        callers: callers.collect(),
        pass: Duration::from_secs(u64::from(number("seconds"))),
        passes: number("passes") as usize,
        folder,
    };
    let progress = output.progress("正在测量…", "Measuring …");
    let rows = threads()?.block_on(bench::run(&options, |callers, pass, passes| {
        let (zh, en) = (
            format!("正在测量：{callers} 人同时操作，第 {}/{passes} 遍", pass + 1),
            format!("Measuring: {callers} at once, pass {} of {passes}", pass + 1),
        );
        progress.say(output.pick(&zh, &en));
    }))?;
    drop(progress);
    if matches.get_flag("json") {
        return output.json(&json!(rows));
    }
    let mut table = Table::new([
        output.pick("同时", "CALLERS"),
        output.pick("引擎/秒", "ENGINE/S"),
        output.pick("只写/秒", "FLOOR/S"),
        output.pick("比例", "RATIO"),
        output.pick("中位 ms", "P50 MS"),
        output.pick("p99 ms", "P99 MS"),
        output.pick("只写 p99 ms", "FLOOR P99 MS"),
    ]);
    for column in 0..7 {
        table = table.right(column);
    }
    for Row { callers, engine, floor, ratio, p50_ms, p99_ms, floor_p99_ms } in rows {
        table.painted_row([
            (callers.to_string(), None),
            (format!("{engine:.0}"), Some(Ink::Bold)),
            (format!("{floor:.0}"), None),
            (format!("{:.0} %", ratio * 100.0), Some(Ink::Bold)),
            (format!("{p50_ms:.2}"), None),
            (format!("{p99_ms:.2}"), None),
            (format!("{floor_p99_ms:.2}"), None),
        ]);
    }
    output.print(&output.table(&table))
}
