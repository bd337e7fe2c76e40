//! `show` and `history`: looking at one case.

use super::outside;
use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::{self, World};
use crate::cli::shell::Shell;
use crate::cli::{Words, record};
use crate::effects::timeline::{Mark, Moment, Scene};
use crate::effects::view::{CaseView, Reader, case_view};
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
        output.print(&format!("{}{}", drawn(&case, &world, output), outside::relatives(runtime, &case, output).await?))
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
        output.print(&story(&case, &world, output))
    })
}

fn view(case: &Case, world: &World, output: &Output) -> CaseView {
    let upcoming = world.upcoming(case);
    let scene = Scene { definition: &case.definition, state: &case.state, log: &case.entries, upcoming: &upcoming };
    case_view(&scene, &world.words(output), Reader { operates: true, ..Reader::default() })
}

/// What happened to a case: its title and a line for each thing.
pub(crate) fn story(case: &Case, world: &World, output: &Output) -> String {
    let view = view(case, world, output);
    let mut text = head(&view, output);
    // What stops it now has happened, too.
    let past: Vec<&Moment> = view.timeline.iter().filter(|one| one.mark.past() || one.mark == Mark::Trouble).collect();
    text += &moments(&past, output, true);
    text
}

/// Where a case stands: what it holds, what is done, who is asked, who comes.
pub(crate) fn drawn(case: &Case, world: &World, output: &Output) -> String {
    let view = view(case, world, output);
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
        let label = output.ink(Ink::Dim, &crate::cli::output::pad(&fact.label, width));
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
            if column.numeric {
                drawn = drawn.right(number);
            }
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
    let width = |of: fn(&Moment) -> &str| moments.iter().map(|moment| of(moment).width()).max().unwrap_or(0);
    let due = |moment: &Moment| moment.mark == Mark::Now;
    let when = moments.iter().filter(|moment| !due(moment)).map(|moment| moment.when.width()).max().unwrap_or(0);
    let (title, who) = (width(|moment| &moment.title), width(|moment| &moment.who));
    let mut text = String::new();
    for moment in moments {
        let (sign, ink) = sign(moment.mark);
        let mut said = moment.words.clone();
        if due(moment) && !moment.when.is_empty() {
            let until = match output.lang {
                Lang::Zh => format!("{} 前", moment.when),
                Lang::En => format!("by {}", moment.when),
            };
            let until = if moment.overdue { output.ink(Ink::Amber, &until) } else { until };
            said = if said.is_empty() { until } else { format!("{said} · {until}") };
        }
        if !moment.opinion.is_empty() {
            let opinion = moment.opinion.replace('\n', " ");
            said = if said.is_empty() { format!("“{opinion}”") } else { format!("{said} “{opinion}”") };
        }
        let at = if due(moment) { "" } else { moment.when.as_str() };
        let pad = crate::cli::output::pad;
        let line = format!("{}  {}  {}  {said}", pad(at, when), pad(&moment.title, title), pad(&moment.who, who));
        let line = match ink {
            Some(ink) => output.ink(ink, line.trim_end()),
            None => line.trim_end().to_owned(),
        };
        let _ = writeln!(text, "  {} {line}", ink.map_or_else(|| sign.to_owned(), |ink| output.ink(ink, sign)));
        if all && !moment.via.is_empty() {
            let _ = writeln!(text, "    {}", output.ink(Ink::Dim, &format!("{}  {}", pad("", when), moment.via)));
        }
    }
    text
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
