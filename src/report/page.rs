//! A sheet as one HTML file that stands alone: no script, no font and no picture from anywhere.

use super::chart;
use super::course;
use super::kpi::{Row, Sheet, Shown};
use crate::effects::format::Words;
use rust_decimal::Decimal;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// A text that HTML shows as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// The frame of every page: its head, the notes, and when it was made.
fn framed(title: &str, notes: &[String], body: &str, words: &Words<'_>) -> String {
    let mut page = String::new();
    let lang = words.pick("zh-CN", "en");
    let title = escaped(title);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    for note in notes {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escaped(note));
    }
    page.push_str(body);
    let made = words.moment(words.now);
    let (zh, en) = (format!("统计于 {made}"), format!("Made on {made}"));
    let _ = write!(page, "<footer>{}</footer>\n</main>\n</body>\n</html>\n", escaped(words.pick(&zh, &en)));
    page
}

/// A report of metrics.
pub(super) fn kpi(sheet: &Sheet, words: &Words<'_>) -> String {
    let mut body = String::new();
    if !sheet.rows.is_empty() {
        body.push_str(&overview(sheet, words));
    }
    for row in &sheet.rows {
        body.push_str(&card(row, words));
    }
    if !sheet.aside.is_empty() {
        let _ = writeln!(body, "<p class=\"soft small\">{}</p>", escaped(&sheet.aside));
    }
    framed(&sheet.title, &sheet.notes, &body, words)
}

fn overview(sheet: &Sheet, words: &Words<'_>) -> String {
    let head = [words.pick("指标", "Figure"), words.pick("实际", "Actual"), words.pick("目标", "Target"), "", ""];
    let mut table = String::from("<section class=\"card\"><table class=\"overview\"><thead><tr>");
    for (column, title) in head.iter().enumerate() {
        let class = if matches!(column, 1 | 2) { " class=\"number\"" } else { "" };
        let _ = write!(table, "<th scope=\"col\"{class}>{}</th>", escaped(title));
    }
    table.push_str("</tr></thead><tbody>\n");
    for row in &sheet.rows {
        let (target, goal) = row.target.as_ref().map_or((None, ""), |(target, words)| (Some(*target), words.as_str()));
        let most = [row.figure.value, target].into_iter().flatten().max().unwrap_or_default();
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}</th><td class=\"number{}\">{}</td><td class=\"number soft\">{}{}</td><td class=\"bars\">{}</td><td>{}</td></tr>",
            escaped(&row.title),
            if row.figure.value.is_none() { " soft" } else { "" },
            escaped(&row.figure.words),
            if row.target.is_some() { if row.less { "≤ " } else { "≥ " } } else { "" },
            escaped(goal),
            chart::line(row.figure.value, target, most, "now"),
            verdict(&row.figure, words),
        );
    }
    table + "</tbody></table></section>\n"
}

/// Whether the target was met: in words, and in amber where it was not.
fn verdict(shown: &Shown, words: &Words<'_>) -> String {
    match shown.met {
        Some(false) => format!("<span class=\"missed\">{}</span>", shown.verdict(words)),
        Some(true) => format!("<span class=\"soft\">{}</span>", shown.verdict(words)),
        None => String::new(),
    }
}

fn card(row: &Row, words: &Words<'_>) -> String {
    let mut card = String::from("<section class=\"card\">");
    let _ = write!(
        card,
        "<h2>{}</h2><p class=\"figure\"><strong>{}</strong>",
        escaped(&row.title),
        escaped(&row.figure.words)
    );
    if !row.figure.of.is_empty() {
        let _ = write!(card, " <span class=\"soft\">{}</span>", escaped(&row.figure.of));
    }
    if let Some((_, goal)) = &row.target {
        let sign = if row.less { "≤" } else { "≥" };
        let _ =
            write!(card, " <span class=\"soft\">· {} {sign} {}</span>", words.pick("目标", "target"), escaped(goal));
    }
    let _ = writeln!(card, " {}</p>", verdict(&row.figure, words));
    let said: Vec<String> = row.trend.iter().map(|(label, shown)| format!("{label}: {}", shown.words)).collect();
    card.push_str(&chart::trend(row, &format!("{} — {}", row.title, said.join(", "))));
    card.push('\n');
    if let Some(dimension) = row.dimension.as_ref().filter(|_| !row.parts.is_empty()) {
        let target = row.target.as_ref().map(|(target, _)| *target);
        let values = row.parts.iter().filter_map(|(_, shown)| shown.value);
        // What is added up to the whole has no target of its own.
        let target = target.filter(|_| row.parts.iter().all(|(_, shown)| shown.met.is_some() || shown.value.is_none()));
        let most = values.chain(target).max().unwrap_or(Decimal::ONE);
        let _ = writeln!(card, "<h3>{}</h3><table class=\"parts\"><tbody>", escaped(dimension));
        for (label, shown) in &row.parts {
            let _ = writeln!(
                card,
                "<tr><th scope=\"row\">{}</th><td class=\"bars\">{}</td><td class=\"number\">{}</td><td class=\"number soft\">{}</td></tr>",
                escaped(label),
                chart::line(shown.value, target, most, if shown.met == Some(false) { "below" } else { "part" }),
                escaped(&shown.words),
                escaped(&shown.of),
            );
        }
        card.push_str("</tbody></table>\n");
    }
    if !row.figure.note.is_empty() {
        let _ = writeln!(card, "<p class=\"soft small\">{}</p>", escaped(&row.figure.note));
    }
    card + "</section>\n"
}

/// A report of a process.
pub(super) fn course(sheet: &course::Sheet, words: &Words<'_>) -> String {
    let mut body = String::new();
    if !sheet.slowest.is_empty() {
        let _ = writeln!(body, "<p class=\"lead\">{}</p>", escaped(&sheet.slowest));
    }
    body.push_str("<section class=\"card\"><dl class=\"facts\">\n");
    for (what, much) in &sheet.facts {
        let _ = writeln!(body, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(what), escaped(much));
    }
    body.push_str("</dl></section>\n");
    if !sheet.steps.is_empty() {
        let most = sheet.steps.iter().filter_map(|step| step.waited).map(|waited| waited.most).max().unwrap_or(1);
        let [step, times, median, ninety, late, waiting] = course::Sheet::columns(words).map(escaped);
        let _ = writeln!(
            body,
            "<section class=\"card\"><table class=\"steps\"><thead><tr><th scope=\"col\">{step}</th><th></th><th scope=\"col\" class=\"number\">{median}</th><th scope=\"col\" class=\"number\">{ninety}</th><th scope=\"col\" class=\"number\">{times}</th><th scope=\"col\" class=\"number\">{late}</th><th scope=\"col\" class=\"number\">{waiting}</th></tr></thead><tbody>"
        );
        for step in &sheet.steps {
            let length =
                |pick: fn(&crate::measure::process::Spread) -> i64| step.waited.as_ref().map(pick).map(Decimal::from);
            let _ = writeln!(
                body,
                "<tr><th scope=\"row\">{}</th><td class=\"bars\">{}</td><td class=\"number\">{}</td><td class=\"number soft\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
                escaped(&step.title),
                chart::line(
                    length(|waited| waited.median),
                    length(|waited| waited.most),
                    most.into(),
                    if step.slowest { "now" } else { "part" }
                ),
                escaped(&step.median),
                escaped(&step.most),
                step.count,
                escaped(&step.late),
                step.open,
            );
        }
        body.push_str("</tbody></table></section>\n");
    }
    framed(&sheet.title, &sheet.notes, &body, words)
}
