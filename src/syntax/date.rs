//! Dates and time zones as documents write them. One reading each: what could be read in two ways is refused, with what
//! was probably meant.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, suggest};
use crate::model::text::Wording;
use crate::syntax::fields::Lowering;
use crate::syntax::node::Node;
use chrono::NaiveDate;

impl Lowering<'_> {
    /// `2026-10-10`, or `2026-10-01..2026-10-07`.
    pub(super) fn date_range(&mut self, node: &Node) -> Option<(NaiveDate, NaiveDate)> {
        let words = self.words(node)?;
        let Some((from, to)) = words.value.split_once("..") else {
            if let Some((from, to)) = parted(&words.value) {
                let found = bad_date(node.span, &words.value, "2026-10-01..2026-10-07");
                self.report(found.fix_word(node.span, format!("{from}..{to}")));
                return (from <= to).then_some((from, to));
            }
            return self.date(node).map(|date| (date.value, date.value));
        };
        match (parse_date(from), parse_date(to)) {
            (Some(from), Some(to)) if from <= to => Some((from, to)),
            (Some(from), Some(to)) => {
                self.report(reversed(node.span, from, to));
                None
            }
            _ => {
                self.report(bad_date(node.span, &words.value, "2026-10-01..2026-10-07"));
                None
            }
        }
    }

    pub(super) fn date(&mut self, node: &Node) -> Option<Spanned<NaiveDate>> {
        let words = self.words(node)?;
        let found = parse_date(&words.value).map(|date| Spanned::new(date, node.span));
        if found.is_none() {
            self.report(bad_date(node.span, &words.value, "2026-07-06"));
        }
        found
    }

    pub(super) fn zone(&mut self, node: &Node) -> Option<Spanned<chrono_tz::Tz>> {
        let words = self.words(node)?;
        match words.value.parse::<chrono_tz::Tz>() {
            Ok(zone) => Some(Spanned::new(zone, node.span)),
            Err(_) => {
                let diagnostic = Diagnostic::new(
                    Code::BadZone,
                    node.span,
                    Wording::new(
                        format!("没有 `{}` 这个时区。请写“洲/城市”", words.value),
                        format!("there is no time zone `{}`; write it as continent/city", words.value),
                    ),
                );
                let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
                self.report(match suggest::closest(&words.value, known) {
                    Some(close) => diagnostic.fix_word(node.span, close),
                    None => diagnostic.hint(Wording::new("zone: Asia/Shanghai", "zone: Asia/Shanghai")),
                });
                None
            }
        }
    }
}

/// A date of exactly the form `2026-07-06`.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// Two dates with another mark between them than `..`.
fn parted(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let marks = ["~", "～", "—", "–", "至", "到", " to ", " - ", "/"];
    marks.iter().find_map(|mark| {
        let (from, to) = text.split_once(mark)?;
        Some((parse_date(from)?, parse_date(to.trim_start_matches('—'))?))
    })
}

pub(super) fn bad_date(span: Span, text: &str, example: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::BadDate,
        span,
        Wording::new(
            format!("`{text}` 不是有效的日期，请写成 `{example}` 的样子"),
            format!("`{text}` is no valid date; write it like `{example}`"),
        ),
    );
    match year_first(text) {
        Some(date) => diagnostic.fix_word(span, date.to_string()),
        None => diagnostic,
    }
}

/// The date that `2026/7/6`, `2026.7.6` or `2026年7月6日` means. With the year first there is no other reading.
fn year_first(text: &str) -> Option<NaiveDate> {
    let parts: Vec<&str> = text.split(['-', '/', '.', '年', '月', '日']).map(str::trim).collect();
    let [year, month, day] = *parts.strip_suffix(&[""]).unwrap_or(&parts) else { return None };
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    (year.len() == 4).then_some(date)
}

pub(super) fn reversed(span: Span, from: NaiveDate, to: NaiveDate) -> Diagnostic {
    Diagnostic::new(
        Code::ReversedRange,
        span,
        Wording::new(
            format!("结束日期 {to} 早于开始日期 {from}，请对调"),
            format!("the end {to} is before the start {from}; swap them"),
        ),
    )
}
