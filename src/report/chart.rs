//! Bars and their targets as SVG. Labels have a place of their own, so none is drawn over another or over a bar.
//!
//! Colours are classes that the page's style sheet names: what is past is soft, where it stands is the one accent,
//! the target is a dashed line in ink.

use super::kpi::Row;
use super::number::bar;
use super::page::escaped;
use rust_decimal::Decimal;
use std::fmt::Write;

/// How wide a bar chart in a row of a table is.
const LINE: u32 = 220;

/// A value as one bar, with its target as a tick.
pub(super) fn line(value: Option<Decimal>, target: Option<Decimal>, most: Decimal, class: &str) -> String {
    let mut svg = format!(r#"<svg class="bar" viewBox="0 0 {LINE} 16" role="presentation" aria-hidden="true">"#);
    let _ = write!(svg, r#"<rect class="track" x="0" y="4" width="{LINE}" height="8" rx="2"/>"#);
    let width = value.map_or(0, |value| bar(value, most, LINE));
    if width > 0 {
        let _ = write!(svg, r#"<rect class="{class}" x="0" y="4" width="{width}" height="8" rx="2"/>"#);
    }
    if let Some(target) = target {
        let at = bar(target, most, LINE - 2) + 1;
        let _ = write!(svg, r#"<line class="goal" x1="{at}" x2="{at}" y1="0" y2="16"/>"#);
    }
    svg + "</svg>"
}

/// How wide and high a trend is: a column a period, values above, periods below.
const COLUMN: u32 = 116;
const HEIGHT: u32 = 104;
const TOP: u32 = 24;

/// The last periods beside each other, with the target across; `title` is what it says to who cannot see it.
pub(super) fn trend(row: &Row, title: &str) -> String {
    let columns = u32::try_from(row.trend.len()).unwrap_or(1).max(1);
    let (width, floor) = (COLUMN * columns, TOP + HEIGHT);
    let most = row.most();
    let mut svg = format!(
        r#"<svg class="trend" viewBox="0 0 {width} {}" role="img" aria-label="{}">"#,
        floor + 24,
        escaped(title)
    );
    for ((label, shown), column) in row.trend.iter().zip(0u32..) {
        let (left, middle) = (COLUMN * column + COLUMN / 4, COLUMN * column + COLUMN / 2);
        let class = if column + 1 == columns { "now" } else { "past" };
        let height = shown.value.map_or(0, |value| bar(value, most, HEIGHT));
        let top = floor - height;
        if height > 0 {
            let half = COLUMN / 2;
            let _ =
                write!(svg, r#"<rect class="{class}" x="{left}" y="{top}" width="{half}" height="{height}" rx="3"/>"#);
        }
        // A value close under the target line would be crossed by it: it stands above the line then.
        let line = row.target.as_ref().map(|(target, _)| floor - bar(*target, most, HEIGHT));
        let baseline = match line {
            Some(line) if top >= line && top < line + 22 => line.saturating_sub(6),
            _ => top.saturating_sub(6),
        };
        let _ = write!(
            svg,
            r#"<text class="value" x="{middle}" y="{}">{}</text><text class="label" x="{middle}" y="{}">{}</text>"#,
            baseline.max(12),
            escaped(&shown.words),
            floor + 18,
            escaped(label)
        );
    }
    let _ = write!(svg, r#"<line class="floor" x1="0" x2="{width}" y1="{floor}" y2="{floor}"/>"#);
    if let Some((target, _)) = &row.target {
        let y = floor - bar(*target, most, HEIGHT);
        let _ = write!(svg, r#"<line class="goal" x1="0" x2="{width}" y1="{y}" y2="{y}"/>"#);
    }
    svg + "</svg>"
}
