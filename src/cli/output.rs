//! The only printer: words, tables and JSON on standard output; notes, errors and progress on standard error.
//!
//! Tables are aligned by display width, so Chinese and Latin columns stand right. On a terminal they are cut to
//! its width; anywhere else nothing is cut. The terminal has the restraint of paper: bold for what is asked, dim
//! for the past, one accent for where a case stands. Colours obey `NO_COLOR`, `CLICOLOR_FORCE` and what the
//! other end is.

use super::exit::{Exit, Stop};
use crate::model::text::pieces;
use crate::model::text::{Lang, Wording};
use anstyle::{AnsiColor, Style};
use std::io::{IsTerminal, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// When to paint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// On terminals that can, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is said with a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What is asked, and titles.
    Bold,
    /// The past, and what is beside the point.
    Dim,
    /// Where a case stands.
    Seal,
    /// What is wrong or late.
    Amber,
}

/// The printer.
#[derive(Debug)]
pub(crate) struct Output {
    /// The reader's language.
    pub(crate) lang: Lang,
    paint: bool,
    paint_errors: bool,
    /// Columns of the terminal; `None` where nothing is cut.
    width: Option<usize>,
    /// Whether standard error is a terminal, so that progress may move on it.
    moving: bool,
    /// Errors as JSON.
    json: bool,
}

impl Output {
    /// A printer for a reader.
    pub(crate) fn new(lang: Lang, colour: Colour, json: bool) -> Output {
        let paint = |auto: anstream::ColorChoice| match colour {
            Colour::Auto => auto != anstream::ColorChoice::Never,
            Colour::Always => true,
            Colour::Never => false,
        };
        let (out, err) = (std::io::stdout(), std::io::stderr());
        Output {
            lang,
            paint: paint(anstream::AutoStream::choice(&out)),
            paint_errors: paint(anstream::AutoStream::choice(&err)),
            width: out.is_terminal().then(terminal_width),
            moving: err.is_terminal(),
            json,
        }
    }

    /// The same printer where nothing is cut.
    pub(crate) fn unbounded(self) -> Output {
        Output { width: None, ..self }
    }

    /// Picks the words of the reader's language.
    pub(crate) fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// Columns of the terminal; `None` where the reader is none.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether what is printed is painted.
    pub(crate) fn paints(&self) -> bool {
        self.paint
    }

    /// A text in a style, where the other end shows styles.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        if self.paint { painted(ink, text) } else { text.to_owned() }
    }

    /// Prints lines to standard output.
    pub(crate) fn print(&self, text: &str) -> Result<(), Stop> {
        let mut out = std::io::stdout().lock();
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes()));
        written.and_then(|()| out.flush()).map_err(|error| unheard(&error))
    }

    /// Prints JSON to standard output.
    pub(crate) fn json(&self, value: &serde_json::Value) -> Result<(), Stop> {
        let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
        self.print(&text)
    }

    /// Says something beside the result, on standard error.
    pub(crate) fn note(&self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        let text = self.pick(zh.as_ref(), en.as_ref());
        let text = if self.paint_errors { painted(Ink::Dim, text) } else { text.to_owned() };
        // Whoever closed standard error does not want to hear it.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Says why the program stops, on standard error.
    pub(crate) fn error(&self, exit: Exit, what: &Wording) {
        let text = what.get(self.lang);
        let line = if self.json {
            let error = serde_json::json!({ "code": exit.code(), "name": exit.name(), "message": text });
            serde_json::json!({ "error": error }).to_string()
        } else {
            let label = self.pick("错误：", "error: ");
            let label = if self.paint_errors { painted(Ink::Amber, label) } else { label.to_owned() };
            format!("{label}{text}")
        };
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// A table as text, cut to the terminal.
    pub(crate) fn table(&self, table: &Table) -> String {
        table.draw(self)
    }

    /// Shows how far something is whose length is known, only on a terminal, until it is dropped.
    pub(crate) fn bar(&self, zh: &str, en: &str, length: u64) -> Bar {
        if !self.moving {
            return Bar(indicatif::ProgressBar::hidden());
        }
        let bar = indicatif::ProgressBar::new(length).with_message(self.pick(zh, en).to_owned());
        // The template is ours: it is one.
        let style = indicatif::ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}");
        Bar(style.map_or(bar.clone(), |style| bar.with_style(style)))
    }

    /// Shows that something is under way, from the second second on and only on a terminal, until it is dropped.
    pub(crate) fn progress(&self, zh: &str, en: &str) -> Progress {
        if !self.moving {
            return Progress { told: None, thread: None };
        }
        let mut words = self.pick(zh, en).to_owned();
        let (teller, told) = mpsc::channel::<String>();
        let thread = std::thread::spawn(move || {
            let end = Instant::now() + Duration::from_secs(1);
            loop {
                match told.recv_timeout(end.saturating_duration_since(Instant::now())) {
                    Ok(now) => words = now,
                    Err(mpsc::RecvTimeoutError::Timeout) => break,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                }
            }
            let spinner = indicatif::ProgressBar::new_spinner().with_message(words);
            spinner.enable_steady_tick(Duration::from_millis(120));
            while let Ok(now) = told.recv() {
                spinner.set_message(now);
            }
            spinner.finish_and_clear();
        });
        Progress { told: Some(teller), thread: Some(thread) }
    }
}

/// A bar that fills, on a terminal only; see [`Output::bar`].
#[derive(Debug)]
pub(crate) struct Bar(indicatif::ProgressBar);

impl Bar {
    /// Fills it so far.
    pub(crate) fn reach(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn unheard(error: &std::io::Error) -> Stop {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Stop::Unheard;
    }
    Stop::Because(
        Exit::World,
        Wording::new(format!("无法写到标准输出：{error}"), format!("Standard output cannot be written: {error}")),
    )
}

fn painted(ink: Ink, text: &str) -> String {
    let style = match ink {
        Ink::Bold => Style::new().bold(),
        Ink::Dim => Style::new().dimmed(),
        Ink::Seal => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
        Ink::Amber => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
    };
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

fn terminal_width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or_else(asked).unwrap_or(100).max(40)
}

/// Something under way; see [`Output::progress`].
#[derive(Debug)]
pub(crate) struct Progress {
    told: Option<mpsc::Sender<String>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Progress {
    /// Says how far it is.
    pub(crate) fn say(&self, words: &str) {
        if let Some(told) = &self.told {
            // A drawer that is gone draws nothing.
            let _ = told.send(words.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.told.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Rows under titles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    titles: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<(String, Option<Ink>)>>,
}

impl Table {
    /// A table with these titles.
    pub(crate) fn new<'a>(titles: impl IntoIterator<Item = &'a str>) -> Table {
        let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
        Table { right: vec![false; titles.len()], titles, rows: Vec::new() }
    }

    /// Aligns a column to the right.
    pub(crate) fn right(mut self, column: usize) -> Table {
        if let Some(right) = self.right.get_mut(column) {
            *right = true;
        }
        self
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| (one_line(&cell), None)).collect());
    }

    /// Adds a row of which cells are painted.
    pub(crate) fn painted_row(&mut self, cells: impl IntoIterator<Item = (String, Option<Ink>)>) {
        self.rows.push(cells.into_iter().map(|(cell, ink)| (one_line(&cell), ink)).collect());
    }

    /// Each row in lines of its own, where a terminal is too narrow for columns.
    fn stacked(&self, shown: &[usize], limit: usize, output: &Output) -> String {
        let empty = String::new();
        let titles = shown.iter().skip(1).map(|column| self.titles.get(*column).unwrap_or(&empty).width());
        let titles = titles.max().unwrap_or(0);
        let mut text = String::new();
        for row in &self.rows {
            for (place, column) in shown.iter().enumerate() {
                let Some((cell, ink)) = row.get(*column).filter(|(cell, _)| !cell.is_empty()) else { continue };
                let before = match (place, titles) {
                    (0, _) => String::new(),
                    (_, 0) => "  ".to_owned(),
                    _ => format!("  {}  ", pad(self.titles.get(*column).unwrap_or(&empty), titles)),
                };
                let room = limit.saturating_sub(before.width()).max(8);
                for (number, line) in wrap(cell, room).iter().enumerate() {
                    let line = ink.map_or_else(|| line.clone(), |ink| output.ink(ink, line));
                    match number {
                        0 => text += &output.ink(Ink::Dim, &before),
                        _ => text += &" ".repeat(before.width()),
                    }
                    text += &line;
                    text.push('\n');
                }
            }
        }
        text
    }

    fn draw(&self, output: &Output) -> String {
        const GAP: usize = 2;
        let columns = self.titles.len().max(self.rows.iter().map(Vec::len).max().unwrap_or(0));
        let mut widths: Vec<usize> = (0..columns)
            .map(|column| {
                let title = self.titles.get(column).map_or(0, |title| title.width());
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|(cell, _)| cell.width());
                cells.chain([title]).max().unwrap_or(0)
            })
            .collect();
        // A column that says nothing of any row is left out.
        let said =
            |column: usize| self.rows.iter().any(|row| row.get(column).is_some_and(|(cell, _)| !cell.is_empty()));
        let shown: Vec<usize> = (0..columns).filter(|column| self.rows.is_empty() || said(*column)).collect();
        for column in (0..columns).filter(|column| !shown.contains(column)) {
            if let Some(width) = widths.get_mut(column) {
                *width = 0;
            }
        }
        if let Some(limit) = output.width {
            let cells = limit.saturating_sub(GAP * shown.len().saturating_sub(1));
            if !shrink(&mut widths, shown.first().copied().unwrap_or_default(), cells) && shown.len() > 1 {
                return self.stacked(&shown, limit, output);
            }
        }
        let mut text = String::new();
        let titles: Vec<(String, Option<Ink>)> =
            self.titles.iter().map(|title| (title.clone(), Some(Ink::Dim))).collect();
        let head = (!self.titles.iter().all(String::is_empty)).then_some(&titles);
        for row in head.into_iter().chain(&self.rows) {
            let mut line = String::new();
            for (place, column) in shown.iter().copied().enumerate() {
                let width = widths.get(column).copied().unwrap_or(0);
                let empty = (String::new(), None);
                let (cell, ink) = row.get(column).unwrap_or(&empty);
                let cell = fit(cell, width);
                let pad = " ".repeat(width.saturating_sub(cell.width()));
                let cell = ink.map_or_else(|| cell.clone(), |ink| output.ink(ink, &cell));
                if place > 0 {
                    line.push_str("  ");
                }
                let right = self.right.get(column).copied().unwrap_or(false);
                line.push_str(&if right { pad + &cell } else { cell + &pad });
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Takes from the widest columns until all fit. The one that names the row stays whole, and none becomes narrower
/// than a word; where that is not enough, the answer is `false`.
fn shrink(widths: &mut [usize], whole: usize, limit: usize) -> bool {
    while widths.iter().sum::<usize>() > limit {
        let others = widths.iter_mut().enumerate().filter(|(column, _)| *column != whole);
        match others.map(|(_, width)| width).max_by_key(|width| **width) {
            Some(widest) if *widest > 8 => *widest -= 1,
            _ => return false,
        }
    }
    true
}

/// A text in at most `width` cells, with an ellipsis where it was cut.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut cut, mut used) = (String::new(), 0);
    for c in text.chars() {
        let cells = c.width().unwrap_or(0);
        if used + cells + 1 > width {
            break;
        }
        cut.push(c);
        used += cells;
    }
    cut + "…"
}

/// A text padded to `width` cells.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// A text in lines of at most `width` cells: broken at spaces, and between Chinese characters, but not before
/// what closes.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for piece in pieces(paragraph) {
            if !line.is_empty() && line.width() + piece.trim_end().width() > width {
                lines.push(line.trim_end().to_owned());
                line = piece.trim_start().to_owned();
            } else {
                line.push_str(piece);
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What a cell shows of a text: one line, without what could forge or hide something.
fn one_line(text: &str) -> String {
    crate::effects::format::clean_line(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(width: Option<usize>) -> Output {
        Output { lang: Lang::Zh, paint: false, paint_errors: false, width, moving: false, json: false }
    }

    fn table() -> Table {
        let mut table = Table::new(["编号", "流程", "金额"]).right(2);
        table.row(["LP-2026-0001".into(), "物品领用申请".into(), "¥640.00".into()]);
        table.row(["JD-2026-0001".into(), "Insurance\nrequest".into(), "¥1,280.00".into()]);
        table
    }

    #[test]
    fn chinese_and_latin_columns_align() {
        let expected = "\
编号          流程                    金额
LP-2026-0001  物品领用申请         ¥640.00
JD-2026-0001  Insurance request  ¥1,280.00
";
        assert_eq!(output(None).table(&table()), expected);
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column_but_not_the_first() {
        let drawn = output(Some(36)).table(&table());
        assert!(drawn.lines().all(|line| line.width() <= 36), "{drawn}");
        assert!(drawn.contains('…') && drawn.contains("LP-2026-0001"), "{drawn}");
    }

    #[test]
    fn where_columns_have_no_room_rows_stand_in_lines() {
        let expected = "\
LP-2026-0001
  流程  物品领用申请
  金额  ¥640.00
JD-2026-0001
  流程  Insurance
        request
  金额  ¥1,280.00
";
        assert_eq!(output(Some(20)).table(&table()), expected);
    }

    #[test]
    fn chinese_lines_break_between_characters_and_not_before_a_full_stop() {
        assert_eq!(wrap("一二三四。五六", 8), ["一二三", "四。五六"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("运行 `deploy` 一次", 12), ["运行", "`deploy` 一", "次"]);
    }
}
