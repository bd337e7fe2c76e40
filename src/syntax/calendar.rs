//! The calendar document, one year: the hours of the week, the days off, and the working days that would be off.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::Wording;
use crate::syntax::date::bad_date;
use crate::syntax::fields::{GROUP, Lowering, Place, missing_value};
use crate::syntax::node::{Entry, Node, NodeKind};
use crate::syntax::scalar::NameRule;
use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Weekday};

/// A calendar as written: one year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Its name; `None` if that could not be read, which is reported.
    pub name: Option<Spanned<String>>,
    /// The key `calendar`.
    pub key_span: Span,
    /// The year; `None` if that could not be read, which is reported.
    pub year: Option<Spanned<i32>>,
    /// The time zone of its hours.
    pub zone: Option<Spanned<chrono_tz::Tz>>,
    /// The hours of each named day; days not named are off.
    pub week: Vec<DayHours>,
    /// Days off.
    pub holidays: Vec<Days>,
    /// Working days that would be off (调休).
    pub working: Vec<Days>,
}

/// The working hours of a day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayHours {
    /// The day.
    pub day: Weekday,
    /// Where it is named.
    pub span: Span,
    /// From and to, in order, not overlapping.
    pub hours: Vec<(NaiveTime, NaiveTime)>,
}

/// A named run of days, first and last included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// What it is called.
    pub name: Spanned<String>,
    /// Where the days are written.
    pub span: Span,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

pub(crate) static CALENDAR: Place = Place {
    name: ("日历的顶层", "the top level of a calendar"),
    keys: &["calendar", "year", "zone", "week", "holidays", "working"],
    later: &[],
    relatives: &[],
};

const DAYS: &[(&str, Weekday)] = &[
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// How many days a holiday lasts at most.
const LONGEST: i64 = 31;

impl Lowering<'_> {
    /// A document whose kind is `calendar`.
    pub(crate) fn calendar(&mut self, root: &Node, key_span: Span) -> Option<Calendar> {
        let root = self.lifted(root, &CALENDAR);
        let root = self.opened(root, ("week", "holidays"), is_of_year, is_of_year);
        let fields = self.fields(&root, &CALENDAR, key_span)?;
        let year = fields.required(self, "year").and_then(|node| self.year(node));
        let holidays = self.days(fields.get("holidays"), year);
        let working = self.days(fields.get("working"), year);
        let mut told: Vec<Span> = Vec::new();
        for day in &working {
            let both = |off: &&Days| off.from <= day.to && day.from <= off.to && !told.contains(&off.span);
            if let Some(off) = holidays.iter().find(both) {
                // What is longer than any holiday is wrong itself, however many days lie in it.
                if off.to - off.from > TimeDelta::days(LONGEST) {
                    told.push(off.span);
                }
                self.report(
                    Diagnostic::new(
                        Code::RepeatedName,
                        day.span,
                        Wording::new(
                            format!("{} 既是假日又是工作日，请只留一个", day.from),
                            format!("{} is both a holiday and a working day; keep one of the two", day.from),
                        ),
                    )
                    .context(off.span, Wording::new("假日", "the holiday")),
                );
            }
        }
        Some(Calendar {
            name: fields.get("calendar").and_then(|node| self.name(node, NameRule::Document)),
            key_span,
            year,
            zone: fields.get("zone").and_then(|node| self.zone(node)),
            week: fields.required(self, "week").map(|node| self.week(node)).unwrap_or_default(),
            holidays,
            working,
        })
    }

    fn year(&mut self, node: &Node) -> Option<Spanned<i32>> {
        let words = self.words(node)?;
        match words.value.parse::<i32>() {
            Ok(year) if (1970..=9999).contains(&year) => Some(Spanned::new(year, node.span)),
            _ => {
                self.report(bad_date(node.span, &words.value, "2026"));
                None
            }
        }
    }

    fn week(&mut self, node: &Node) -> Vec<DayHours> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut week: Vec<DayHours> = Vec::new();
        let no_hours = |entry: &Entry| matches!(&entry.value.kind, NodeKind::Sequence(hours) if hours.is_empty());
        if entries.iter().all(no_hours) {
            self.report(Diagnostic::new(
                Code::BadHours,
                node.span,
                Wording::new(
                    "一周里没有一天有工作时间，按工作日算的期限就永远到不了。例如写 `mon-fri: [09:00-12:00, 13:30-18:00]`",
                    "no day of the week has working hours, so what is due in working days would never be; write for example `mon-fri: [09:00-12:00, 13:30-18:00]`",
                ),
            ));
        }
        for entry in entries {
            let days = self.weekdays(&entry.key);
            let hours = match &entry.value.kind {
                _ if entry.value.is_empty() => {
                    self.report(missing_value(entry.key.span, entry.key.text().unwrap_or("")));
                    continue;
                }
                NodeKind::Sequence(items) => items.iter().map(|item| self.hours(item)).collect::<Option<Vec<_>>>(),
                _ => self.hours(&entry.value).map(|one| vec![one]),
            };
            let Some(hours) = hours else { continue };
            if hours.windows(2).any(|pair| matches!(pair, [a, b] if a.1 > b.0 || a.1 == NaiveTime::MIN)) {
                self.report(Diagnostic::new(
                    Code::BadHours,
                    self.first_line(entry.value.span),
                    Wording::new("工作时间要按先后顺序写，不能重叠", "working hours stand in order and do not overlap"),
                ));
            }
            for day in days {
                if let Some(first) = week.iter().find(|known| known.day == day) {
                    let first = first.span;
                    self.report(
                        Diagnostic::new(
                            Code::RepeatedName,
                            entry.key.span,
                            Wording::new(
                                format!("`{}` 的工作时间写了两次", word_of(day)),
                                format!("the hours of `{}` are written twice", word_of(day)),
                            ),
                        )
                        .context(first, Wording::new("第一次", "first here")),
                    );
                    break;
                }
                week.push(DayHours { day, span: entry.key.span, hours: hours.clone() });
            }
        }
        week
    }

    /// `mon`, or `mon-fri`.
    fn weekdays(&mut self, key: &Node) -> Vec<Weekday> {
        let text = key.text().unwrap_or("");
        let find = |word: &str| DAYS.iter().find(|(known, _)| *known == word.trim()).map(|(_, day)| *day);
        if let Some((from, to)) = text.split_once('-') {
            if let (Some(from), Some(to)) = (find(from), find(to)) {
                let mut days = vec![from];
                while let Some(last) = days.last().copied().filter(|last| *last != to) {
                    days.push(last.succ());
                }
                return days;
            }
        } else if let Some(day) = find(text) {
            return vec![day];
        }
        self.report(
            Diagnostic::new(
                Code::BadValue,
                key.span,
                Wording::new(
                    format!("不认识 `{text}`。请写 `mon tue wed thu fri sat sun` 之一，或 `mon-fri` 这样的范围"),
                    format!(
                        "`{text}` is no day; write one of `mon tue wed thu fri sat sun`, or a range such as `mon-fri`"
                    ),
                ),
            )
            .hint(Wording::new("mon-fri: [09:00-12:00, 13:30-18:00]", "mon-fri: [09:00-12:00, 13:30-18:00]")),
        );
        Vec::new()
    }

    /// `09:00-12:00`; `24:00` is the end of the day, which is midnight.
    fn hours(&mut self, node: &Node) -> Option<(NaiveTime, NaiveTime)> {
        let words = self.words(node)?;
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let end = |text: &str| if text.trim() == "24:00" { Some(NaiveTime::MIN) } else { time(text) };
        let found =
            words.value.split_once('-').and_then(|(from, to)| Some((time(from)?, end(to)?, to.trim() == "24:00")));
        match found {
            Some((from, to, whole)) if whole || from < to => return Some((from, to)),
            Some((from, to, _)) if to < from => {
                self.report(over_midnight(node.span, &words.value, (from, to)));
                return None;
            }
            _ => {}
        }
        self.report(
            Diagnostic::new(
                Code::BadHours,
                node.span,
                Wording::new(
                    format!("`{}` 不是工作时间。请写开始和结束，开始在前，24 小时制", words.value),
                    format!("`{}` is no span of hours; write from and to, the earlier first, in 24 hours", words.value),
                ),
            )
            .hint(Wording::new("09:00-12:00", "09:00-12:00")),
        );
        None
    }

    /// Named days: a date, a range, or a list of them each.
    fn days(&mut self, node: Option<&Node>, year: Option<Spanned<i32>>) -> Vec<Days> {
        let Some(entries) = node.and_then(|node| self.entries(node, GROUP)) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let name = Spanned::new(entry.key.text().unwrap_or("").to_owned(), entry.key.span);
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, &name.value));
                continue;
            }
            let parts = match &entry.value.kind {
                NodeKind::Sequence(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.value),
            };
            for part in parts {
                let Some((from, to)) = self.date_range(part) else { continue };
                if let Some(year) = year
                    && (from.year() != year.value || to.year() != year.value)
                {
                    self.report(
                        Diagnostic::new(
                            Code::OtherYear,
                            part.span,
                            Wording::new(
                                format!("这不是 {} 年的日子，这份日历只管 {} 年", year.value, year.value),
                                format!(
                                    "this is no day of {}, and this calendar is for {} only",
                                    year.value, year.value
                                ),
                            ),
                        )
                        .context(year.span, Wording::new("年份", "the year")),
                    );
                    continue;
                }
                found.push(Days { name: name.clone(), span: part.span, from, to });
            }
        }
        found
    }
}

/// Whether an entry has dates and no hours.
fn is_of_year(entry: &Entry) -> bool {
    let first = match &entry.value.kind {
        NodeKind::Sequence(items) => items.first(),
        _ => Some(&entry.value),
    };
    first.and_then(Node::text).is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(':'))
}

/// A shift that ends on the next day.
fn over_midnight(span: Span, text: &str, (from, to): (NaiveTime, NaiveTime)) -> Diagnostic {
    let (from, to) = (from.format("%H:%M"), to.format("%H:%M"));
    let found = Diagnostic::new(
        Code::BadHours,
        span,
        Wording::new(
            format!("`{text}` 过了半夜，而工作时间是一天之内的"),
            format!("`{text}` goes past midnight, and working hours are those of one day"),
        ),
    );
    if to.to_string() == "00:00" {
        let whole = format!("{from}-24:00");
        return found.offer(span, whole.as_str(), Wording::new(format!("改成 `{whole}`"), format!("write `{whole}`")));
    }
    found.hint(Wording::new(
        format!("请分成两段：当天写 `{from}-24:00`，第二天写 `00:00-{to}`"),
        format!("write two: `{from}-24:00` on the day itself, and `00:00-{to}` on the next"),
    ))
}

fn word_of(day: Weekday) -> &'static str {
    DAYS.iter().find(|(_, known)| *known == day).map_or("", |(word, _)| word)
}
