//! Rows in columns, drawn for a terminal or for a file.
//!
//! Columns are aligned by display width, so Chinese and Latin ones stand right. On a terminal they are made to fit
//! its width; anywhere else nothing is cut. What a column may give up is said when it is made: names and titles are
//! cut, sentences go on in the next line, and amounts, numbers of cases and times stand whole. Where that is not
//! enough, each row stands in lines of its own.

use super::output::Ink;
use crate::model::text::pieces;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: usize = 2;

/// What a column gives up where a terminal is narrow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gives {
    /// Its end, down to a word: names and titles.
    #[default]
    End,
    /// Nothing: amounts, numbers of cases, times.
    Nothing,
    /// Its one line, down to half a page: sentences.
    Line,
    /// Its one line, down to a word: titles whose end tells rows apart.
    Below,
}

impl Gives {
    /// The least cells that it is readable in; `None` where it gives up nothing.
    fn least(self) -> Option<usize> {
        match self {
            Gives::End | Gives::Below => Some(8),
            Gives::Line => Some(40),
            Gives::Nothing => None,
        }
    }
}

/// Rows under titles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    titles: Vec<String>,
    right: Vec<bool>,
    gives: Vec<Gives>,
    rows: Vec<Vec<(String, Option<Ink>)>>,
}

impl Table {
    /// A table with these titles.
    pub(crate) fn new<'a>(titles: impl IntoIterator<Item = &'a str>) -> Table {
        let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
        Table { right: vec![false; titles.len()], gives: vec![Gives::End; titles.len()], titles, rows: Vec::new() }
    }

    /// Aligns a column of numbers to the right; it stands whole.
    pub(crate) fn right(mut self, column: usize) -> Table {
        if let Some(right) = self.right.get_mut(column) {
            *right = true;
        }
        self.whole(column)
    }

    /// Never cuts a column: a time, the number of a case.
    pub(crate) fn whole(self, column: usize) -> Table {
        self.giving(column, Gives::Nothing)
    }

    /// Lets a column of sentences go on in the next line instead of cutting them.
    pub(crate) fn prose(self, column: usize) -> Table {
        self.giving(column, Gives::Line)
    }

    /// Lets a column of titles go on in the next line: their end tells rows apart.
    pub(crate) fn below(self, column: usize) -> Table {
        self.giving(column, Gives::Below)
    }

    fn giving(mut self, column: usize, gives: Gives) -> Table {
        if let Some(own) = self.gives.get_mut(column) {
            *own = gives;
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
    fn stacked(&self, shown: &[usize], limit: usize, ink: impl Fn(Ink, &str) -> String) -> String {
        let empty = String::new();
        let titles = shown.iter().skip(1).map(|column| self.titles.get(*column).unwrap_or(&empty).width());
        let titles = titles.max().unwrap_or(0);
        let mut text = String::new();
        for row in &self.rows {
            for (place, column) in shown.iter().enumerate() {
                let Some((cell, style)) = row.get(*column).filter(|(cell, _)| !cell.is_empty()) else { continue };
                let before = match (place, titles) {
                    (0, _) => String::new(),
                    (_, 0) => "  ".to_owned(),
                    _ => format!("  {}  ", pad(self.titles.get(*column).unwrap_or(&empty), titles)),
                };
                let room = limit.saturating_sub(before.width()).max(8);
                for (number, line) in wrap(cell, room).iter().enumerate() {
                    let line = style.map_or_else(|| line.clone(), |style| ink(style, line));
                    match number {
                        0 => text += &ink(Ink::Dim, &before),
                        _ => text += &" ".repeat(before.width()),
                    }
                    text += &line;
                    text.push('\n');
                }
            }
        }
        text
    }

    /// The table as text, made to fit so many cells where there is a limit.
    pub(super) fn draw(&self, limit: Option<usize>, ink: impl Fn(Ink, &str) -> String) -> String {
        let columns = self.titles.len().max(self.rows.iter().map(Vec::len).max().unwrap_or(0));
        // A column that says nothing of any row is left out.
        let said =
            |column: usize| self.rows.iter().any(|row| row.get(column).is_some_and(|(cell, _)| !cell.is_empty()));
        let shown: Vec<usize> = (0..columns).filter(|column| self.rows.is_empty() || said(*column)).collect();
        let width = |column: &usize| {
            let title = self.titles.get(*column).map_or(0, |title| title.width());
            let cells = self.rows.iter().filter_map(|row| row.get(*column)).map(|(cell, _)| cell.width());
            cells.chain([title]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = shown.iter().map(width).collect();
        if let Some(limit) = limit {
            let cells = limit.saturating_sub(GAP * shown.len().saturating_sub(1));
            if !self.shrink(&mut widths, &shown, cells) && shown.len() > 1 {
                return self.stacked(&shown, limit, ink);
            }
        }
        let titles: Vec<(String, Option<Ink>)> =
            self.titles.iter().map(|title| (title.clone(), Some(Ink::Dim))).collect();
        let head = (!self.titles.iter().all(String::is_empty)).then_some(&titles);
        head.into_iter().chain(&self.rows).map(|row| self.drawn(row, &shown, &widths, &ink)).collect()
    }

    /// One row, in as many lines as its sentences need.
    fn drawn(
        &self,
        row: &[(String, Option<Ink>)],
        shown: &[usize],
        widths: &[usize],
        ink: &impl Fn(Ink, &str) -> String,
    ) -> String {
        let empty = (String::new(), None);
        let cell = |(column, width): (&usize, &usize)| {
            let (cell, style) = row.get(*column).unwrap_or(&empty);
            let lines = match self.gives.get(*column) {
                Some(Gives::Line | Gives::Below) => wrap(cell, *width),
                _ => vec![fit(cell, *width)],
            };
            (*column, *width, lines, *style)
        };
        let cells: Vec<(usize, usize, Vec<String>, Option<Ink>)> = shown.iter().zip(widths).map(cell).collect();
        let height = cells.iter().map(|(_, _, lines, _)| lines.len()).max().unwrap_or(0);
        let mut text = String::new();
        for number in 0..height {
            let mut line = String::new();
            for (place, (column, width, lines, style)) in cells.iter().enumerate() {
                let cell = lines.get(number).map_or("", String::as_str);
                let pad = " ".repeat(width.saturating_sub(cell.width()));
                let cell = style.map_or_else(|| cell.to_owned(), |style| ink(style, cell));
                if place > 0 {
                    line.push_str(&" ".repeat(GAP));
                }
                let right = self.right.get(*column).copied().unwrap_or(false);
                line.push_str(&if right { pad + &cell } else { cell + &pad });
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Takes from the widest columns that give up something until all fit. The first one names the row and stays
    /// whole. Where that is not enough, the answer is `false`.
    fn shrink(&self, widths: &mut [usize], shown: &[usize], limit: usize) -> bool {
        while widths.iter().sum::<usize>() > limit {
            let least = |column: usize| self.gives.get(column).copied().unwrap_or_default().least();
            let others = widths.iter_mut().zip(shown).skip(1);
            let others = others.filter(|(width, column)| least(**column).is_some_and(|least| **width > least));
            let widest = others.max_by_key(|(width, _)| **width);
            match widest {
                Some((width, _)) => *width -= 1,
                None => return false,
            }
        }
        true
    }
}

/// A text in at most `width` cells, with an ellipsis where it was cut.
fn fit(text: &str, width: usize) -> String {
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

    fn drawn(table: &Table, limit: Option<usize>) -> String {
        table.draw(limit, |_, text| text.to_owned())
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
        assert_eq!(drawn(&table(), None), expected);
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column_but_not_the_first() {
        let drawn = drawn(&table(), Some(36));
        assert!(drawn.lines().all(|line| line.width() <= 36), "{drawn}");
        assert!(drawn.contains('…') && drawn.contains("LP-2026-0001"), "{drawn}");
    }

    #[test]
    fn an_amount_is_never_cut_and_a_sentence_goes_on_below() {
        let mut table = Table::new(["CASE", "PROCESS", "FOR", "STARTED", "WHY"]).right(2).whole(3).prose(4);
        let why = "The other system failed: it leads to this machine or to a private network";
        table.row([
            "AK-1".into(),
            "All kinds of field".into(),
            "¥22,401,410.00".into(),
            "26 November 13:18".into(),
            why.into(),
        ]);
        let columns = "\
CASE  PROCESS              FOR  STARTED            WHY
AK-1  All kin…  ¥22,401,410.00  26 November 13:18  The other system failed: it leads to
                                                   this machine or to a private network
";
        assert_eq!(drawn(&table, Some(91)), columns);
        let lines = "\
AK-1
  PROCESS  All kinds of field
  FOR      ¥22,401,410.00
  STARTED  26 November 13:18
  WHY      The other system failed: it leads to this
           machine or to a private network
";
        assert_eq!(drawn(&table, Some(52)), lines);
    }

    #[test]
    fn a_title_whose_end_tells_rows_apart_goes_on_below() {
        let mut table = Table::new(["案例", "待办", "谁"]).below(1);
        table.row(["RW-1".into(), "询价（第 1 行：茶）".into(), "孙丽".into()]);
        table.row(["RW-1".into(), "询价（第 2 行：糖）".into(), "孙丽".into()]);
        let expected = "\
案例  待办            谁
RW-1  询价（第 1      孙丽
      行：茶）
RW-1  询价（第 2      孙丽
      行：糖）
";
        assert_eq!(drawn(&table, Some(26)), expected);
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
        assert_eq!(drawn(&table(), Some(20)), expected);
    }

    #[test]
    fn chinese_lines_break_between_characters_and_not_before_a_full_stop() {
        assert_eq!(wrap("一二三四。五六", 8), ["一二三", "四。五六"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("运行 `deploy` 一次", 12), ["运行", "`deploy` 一", "次"]);
    }
}
