//! `show` and `history`: looking at one case.

use super::outside;
use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Output, Table, pad, wrap};
use crate::cli::refer::{self, World};
use crate::cli::shell::Shell;
use crate::cli::{Words, record};
use crate::effects::timeline::{Mark, Moment, Scene};
use crate::effects::view::{CaseView, Reader, case_view};
use crate::effects::words::Calling;
use crate::model::text::Lang;
use crate::runtime::Case;
use clap::{Arg, ArgMatches, Command};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

pub(super) fn show_tree(words: Words) -> Command {
    Command::new("show")
        .about(words.pick(
            "显示一个案例：内容、走到哪里、接下来是谁",
            "Show a case: what it holds, where it stands, who comes next",
        ))
        .arg(reference(words))
        .arg(words.json())
        .after_help("countersign show LP-2026-0001\ncountersign show LP-2026-0001 --json")
}

pub(super) fn history_tree(words: Words) -> Command {
    Command::new("history")
        .about(words.pick("显示一个案例的全部经过", "Show all that happened to a case"))
        .arg(reference(words))
        .arg(words.json())
        .after_help("countersign history LP-2026-0001")
}

/// `REF`.
pub(super) fn reference(words: Words) -> Arg {
    words
        .word(
            "ref",
            ("案例", "REF"),
            "业务编号或案例编号，或开头几位",
            "A business number or id, or the beginning of one",
        )
        .required(true)
}

pub(super) fn show(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
        let case = refer::case(runtime, output, text).await?;
        if matches.get_flag("json") {
            return output.json(&record::case(&case, &world.upcoming(&case)));
        }
        let caller = runtime.calling(&case.state).await?;
        let drawn = drawn(&case, caller.as_ref(), &world, output);
        output.print(&format!("{drawn}{}", outside::relatives(runtime, &case, output).await?))
    })
}

pub(super) fn history(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
        let case = refer::case(runtime, output, text).await?;
        if matches.get_flag("json") {
            return output.json(&record::history(&case));
        }
        output.print(&story(&case, runtime.calling(&case.state).await?.as_ref(), &world, output))
    })
}

fn view(case: &Case, caller: Option<&Calling>, world: &World, output: &Output) -> CaseView {
    let upcoming = world.upcoming(case);
    let (definition, state, log) = (&case.definition, &case.state, &case.entries);
    let scene = Scene { definition, state, log, upcoming: &upcoming, caller };
    case_view(&scene, &world.words(output), Reader { operates: true, ..Reader::default() })
}

/// What happened to a case: its title and a line for each thing.
pub(crate) fn story(case: &Case, caller: Option<&Calling>, world: &World, output: &Output) -> String {
    let view = view(case, caller, world, output);
    let mut text = head(&view, output);
    // What stops it now has happened, too.
    let past: Vec<&Moment> = view.timeline.iter().filter(|one| one.mark.past() || one.mark == Mark::Trouble).collect();
    text += &moments(&past, output, true);
    text
}

/// Where a case stands: what it holds, what is done, who is asked, who comes.
pub(crate) fn drawn(case: &Case, caller: Option<&Calling>, world: &World, output: &Output) -> String {
    let view = view(case, caller, world, output);
    let mut text = head(&view, output);
    text += &facts(&view, output);
    let all: Vec<&Moment> = view.timeline.iter().collect();
    text += &moments(&all, output, false);
    text
}

fn head(view: &CaseView, output: &Output) -> String {
    let mut text = format!("{}  {}", output.ink(Ink::Bold, &view.title), view.number);
    if !view.headline.is_empty() {
        let _ = write!(text, "  {}", output.ink(Ink::Bold, &view.headline));
    }
    if let Some(stamp) = &view.stamp {
        let _ = write!(text, "  {}", output.ink(Ink::Seal, &stamp.words));
    }
    let _ = writeln!(text, "\n{}\n", output.ink(Ink::Dim, &view.byline));
    text
}

fn facts(view: &CaseView, output: &Output) -> String {
    let width = view.facts.iter().map(|fact| fact.label.width()).max().unwrap_or(0).min(24);
    let mut text = String::new();
    for fact in &view.facts {
        let label = output.ink(Ink::Dim, &pad(&fact.label, width));
        let mut lines = fact.text.lines();
        let _ = writeln!(text, "  {label}  {}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(text, "  {}  {line}", " ".repeat(width));
        }
    }
    for table in &view.tables {
        let _ = writeln!(text, "  {}", output.ink(Ink::Dim, &table.label));
        let mut drawn = Table::new(table.columns.iter().map(|column| column.label.as_str()));
        for (number, column) in table.columns.iter().enumerate() {
            drawn = if column.numeric { drawn.right(number) } else { drawn.prose(number) };
        }
        for row in &table.rows {
            drawn.row(row.iter().cloned());
        }
        // A total stands under the last column of numbers, as on paper.
        let last = table.columns.iter().rposition(|column| column.numeric).filter(|last| *last > 0);
        for (total, last) in table.totals.iter().filter_map(|total| Some((total, last?))) {
            drawn.painted_row((0..table.columns.len()).map(|column| match column {
                0 => (total.label.clone(), Some(Ink::Dim)),
                column if column == last => (total.text.clone(), Some(Ink::Bold)),
                _ => (String::new(), None),
            }));
        }
        for line in output.table(&drawn).lines() {
            let _ = writeln!(text, "    {line}");
        }
        for total in table.totals.iter().filter(|_| last.is_none()) {
            let _ = writeln!(text, "    {} {}", output.ink(Ink::Dim, &total.label), output.ink(Ink::Bold, &total.text));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The story as lines: a sign, when, what, who, what came of it; the past dim, the present with the accent.
fn moments(moments: &[&Moment], output: &Output, all: bool) -> String {
    let due = |moment: &Moment| moment.mark == Mark::Now;
    let told = |moment: &&Moment| {
        let mut said = moment.words.clone();
        if due(moment) && !moment.when.is_empty() {
            let until = match output.lang {
                Lang::Zh => format!("{} 前", moment.when),
                Lang::En => format!("by {}", moment.when),
            };
            said = if said.is_empty() { until } else { format!("{said} · {until}") };
        }
        if !moment.opinion.is_empty() {
            let opinion = moment.opinion.replace('\n', " ");
            said = if said.is_empty() { format!("“{opinion}”") } else { format!("{said} “{opinion}”") };
        }
        let when = if due(moment) { String::new() } else { moment.when.clone() };
        [when, moment.title.clone(), moment.who.clone(), said]
    };
    let rows: Vec<[String; 4]> = moments.iter().map(told).collect();
    let laying = Laying::of(&rows, output.width());
    let mut text = String::new();
    for (moment, cells) in moments.iter().zip(&rows) {
        let (sign, ink) = sign(moment.mark);
        let ink = if moment.overdue { Some(Ink::Amber) } else { ink };
        for (number, line) in laying.lines(cells).iter().enumerate() {
            let before = if number == 0 { sign } else { " " };
            let painted = |text: &str| ink.map_or_else(|| text.to_owned(), |ink| output.ink(ink, text));
            let _ = writeln!(text, "  {} {}", painted(before), painted(line));
        }
        if all && !moment.via.is_empty() {
            let _ = writeln!(text, "    {}", output.ink(Ink::Dim, &format!("{}  {}", laying.indent(), moment.via)));
        }
    }
    text
}

/// How moments fit into a terminal beside their signs.
#[derive(Debug)]
enum Laying {
    /// In columns, the last of them broken where that has an end.
    Columns { widths: [usize; 3], room: Option<usize> },
    /// What it is above the rest.
    Stacked { room: usize },
}

impl Laying {
    /// Cells that a sign takes with the space around it.
    const SIGN: usize = 4;
    /// The narrowest that the last column becomes.
    const LEAST: usize = 20;

    fn of(rows: &[[String; 4]], limit: Option<usize>) -> Laying {
        let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths = [0, 1, 2].map(|column| width(column).unwrap_or(0));
        let left = widths.iter().sum::<usize>() + 6;
        let last = width(3).unwrap_or(0);
        match limit.map(|limit| limit.saturating_sub(Laying::SIGN)) {
            Some(room) if left + last > room && left + Laying::LEAST > room => Laying::Stacked { room },
            room => Laying::Columns { widths, room: room.map(|room| room.saturating_sub(left)) },
        }
    }

    fn lines(&self, cells: &[String; 4]) -> Vec<String> {
        let [when, title, who, said] = cells;
        match self {
            Laying::Columns { widths: [first, second, third], room } => {
                let columns = format!("{}  {}  {}", pad(when, *first), pad(title, *second), pad(who, *third));
                let broken = room.map_or_else(|| vec![said.clone()], |room| wrap(said, room));
                let empty = " ".repeat(columns.width());
                let line = |(number, line): (usize, String)| {
                    format!("{}  {line}", if number == 0 { &columns } else { &empty }).trim_end().to_owned()
                };
                broken.into_iter().enumerate().map(line).collect()
            }
            Laying::Stacked { room } => {
                let by =
                    [when, who].into_iter().filter(|cell| !cell.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
                let room = room.saturating_sub(2).max(Laying::LEAST);
                let rest = [&by, said].into_iter().flat_map(|cell| wrap(cell, room));
                let rest = rest.filter(|line| !line.is_empty()).map(|line| format!("  {line}"));
                std::iter::once(title.clone()).chain(rest).collect()
            }
        }
    }

    /// What stands before something that is told below a moment.
    fn indent(&self) -> String {
        match self {
            Laying::Columns { widths, .. } => " ".repeat(widths[0]),
            Laying::Stacked { .. } => String::new(),
        }
    }
}

fn sign(mark: Mark) -> (&'static str, Option<Ink>) {
    match mark {
        Mark::Start => ("·", Some(Ink::Dim)),
        Mark::Seal => ("✓", Some(Ink::Dim)),
        Mark::Refused => ("✗", Some(Ink::Dim)),
        Mark::Returned => ("↩", Some(Ink::Dim)),
        Mark::Note => ("»", Some(Ink::Dim)),
        Mark::Skipped => ("–", Some(Ink::Dim)),
        Mark::Now => ("●", Some(Ink::Seal)),
        Mark::Trouble => ("!", Some(Ink::Amber)),
        Mark::Stopped => ("!", Some(Ink::Dim)),
        Mark::Ahead => ("○", None),
        Mark::End => ("■", Some(Ink::Bold)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_to_their_terminal() {
        let cells = ["3月2日 11:02", "部门主管审批", "李娜（销售部总监）", "同意 “年度预算内，请尽快办理”"];
        let rows = [cells.map(str::to_owned)];
        let lines = |limit| Laying::of(&rows, limit).lines(&rows[0]);
        let whole = "3月2日 11:02  部门主管审批  李娜（销售部总监）  同意 “年度预算内，请尽快办理”";
        assert_eq!(lines(None), [whole]);
        assert_eq!(lines(Some(100)), [whole]);
        assert_eq!(lines(Some(72))[0], "3月2日 11:02  部门主管审批  李娜（销售部总监）  同意 “年度预算内，请");
        assert_eq!(lines(Some(40))[..2], ["部门主管审批", "  3月2日 11:02 · 李娜（销售部总监）"]);
        for limit in 40..90 {
            assert!(lines(Some(limit)).iter().all(|line| line.width() + Laying::SIGN <= limit), "{limit}");
        }
    }
}
