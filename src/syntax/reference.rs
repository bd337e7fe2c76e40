//! Reference documents: the directory (departments, positions, people, absences) and the calendar.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, suggest};
use crate::model::text::{Lang, Text, Wording};
use crate::syntax::fields::{GROUP, Lowering, NameRule, Place, missing_value};
use crate::syntax::node::{Entry, Node, NodeKind};
use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};

/// A directory as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its name; `None` if that could not be read, which is reported.
    pub name: Option<Spanned<String>>,
    /// The key `directory`.
    pub key_span: Span,
    /// The departments, in the order written.
    pub departments: Vec<Department>,
    /// The positions, in the order written.
    pub positions: Vec<Position>,
    /// The people, in the order written.
    pub people: Vec<Person>,
    /// Who is away when.
    pub absences: Vec<Absence>,
}

/// A department as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its name.
    pub name: Spanned<String>,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The position that heads it.
    pub head: Option<Spanned<String>>,
}

/// A position as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its name.
    pub name: Spanned<String>,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The department it belongs to.
    pub department: Option<Spanned<String>>,
    /// The position above it.
    pub reports_to: Option<Spanned<String>>,
}

/// A person as written. What could not be read is left out and reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The short name that files and the shell use.
    pub id: Spanned<String>,
    /// What people call the person.
    pub name: Option<Spanned<String>>,
    /// Where mail goes.
    pub mail: Option<Spanned<String>>,
    /// The positions held; the first is the main one.
    pub positions: Vec<Spanned<String>>,
    /// The language of mails and pages.
    pub language: Option<Spanned<Lang>>,
    /// The time zone in which times are shown.
    pub zone: Option<Spanned<chrono_tz::Tz>>,
}

/// An absence as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The whole entry.
    pub span: Span,
    /// Who is away.
    pub person: Spanned<String>,
    /// The first day.
    pub from: Spanned<NaiveDate>,
    /// The last day.
    pub to: Spanned<NaiveDate>,
    /// Who stands in.
    pub substitute: Option<Spanned<String>>,
    /// For which processes; empty means all.
    pub processes: Vec<Spanned<String>>,
}

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

pub(crate) static DIRECTORY: Place = Place {
    name: ("组织目录的顶层", "the top level of a directory"),
    keys: &["directory", "departments", "positions", "people", "absences"],
    later: &[],
    relatives: &[],
};
pub(crate) static DEPARTMENT: Place =
    Place { name: ("部门", "a department"), keys: &["title", "head"], later: &[], relatives: DIRECTORY_PARTS };
pub(crate) static POSITION: Place = Place {
    name: ("岗位", "a position"),
    keys: &["title", "department", "reports_to"],
    later: &[],
    relatives: DIRECTORY_PARTS,
};
pub(crate) static PERSON: Place = Place {
    name: ("人员", "a person"),
    keys: &["name", "mail", "positions", "language", "zone"],
    later: &[],
    relatives: DIRECTORY_PARTS,
};
pub(crate) static ABSENCE: Place = Place {
    name: ("缺勤记录", "an absence"),
    keys: &["person", "from", "to", "substitute", "processes"],
    later: &[],
    relatives: &[],
};
static DIRECTORY_PARTS: &[&Place] = &[&DEPARTMENT, &POSITION, &PERSON, &ABSENCE, &DIRECTORY];
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

impl Lowering<'_> {
    /// A document whose kind is `directory`.
    pub(crate) fn directory(&mut self, root: &Node, key_span: Span) -> Option<Directory> {
        let fields = self.fields(root, &DIRECTORY, key_span)?;
        let people = fields.required(self, "people");
        Some(Directory {
            name: fields.get("directory").and_then(|node| self.name(node, NameRule::Document)),
            key_span,
            departments: self.each(fields.get("departments"), Self::department),
            positions: self.each(fields.get("positions"), Self::position),
            people: self.each(people, Self::person),
            absences: self.absences(fields.get("absences")),
        })
    }

    fn each<T>(
        &mut self,
        node: Option<&Node>,
        read: impl Fn(&mut Self, &Entry, Spanned<String>) -> Option<T>,
    ) -> Vec<T> {
        let Some(entries) = node.and_then(|node| self.entries(node, GROUP)) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            if let Some(name) = self.name(&entry.key, NameRule::Word) {
                found.extend(read(self, entry, name));
            }
        }
        found
    }

    fn department(&mut self, entry: &Entry, name: Spanned<String>) -> Option<Department> {
        if entry.value.is_empty() {
            return Some(Department { name, title: None, head: None });
        }
        let fields = self.fields(&entry.value, &DEPARTMENT, entry.key.span)?;
        Some(Department {
            title: fields.get("title").and_then(|node| self.text(node)),
            head: fields.get("head").and_then(|node| self.name(node, NameRule::Word)),
            name,
        })
    }

    fn position(&mut self, entry: &Entry, name: Spanned<String>) -> Option<Position> {
        if entry.value.is_empty() {
            return Some(Position { name, title: None, department: None, reports_to: None });
        }
        let fields = self.fields(&entry.value, &POSITION, entry.key.span)?;
        Some(Position {
            title: fields.get("title").and_then(|node| self.text(node)),
            department: fields.get("department").and_then(|node| self.name(node, NameRule::Word)),
            reports_to: fields.get("reports_to").and_then(|node| self.name(node, NameRule::Word)),
            name,
        })
    }

    fn person(&mut self, entry: &Entry, id: Spanned<String>) -> Option<Person> {
        if entry.value.is_empty() {
            self.report(missing_value(entry.key.span, &id.value));
            return None;
        }
        let fields = self.fields(&entry.value, &PERSON, entry.key.span)?;
        let mail = fields.required(self, "mail").and_then(|node| self.words(node));
        if let Some(mail) = &mail
            && !looks_like_mail(&mail.value)
        {
            self.report(bad_mail(mail));
        }
        Some(Person {
            name: fields.required(self, "name").and_then(|node| self.words(node)),
            mail,
            positions: fields.get("positions").and_then(|node| self.names(node)).unwrap_or_default(),
            language: fields.get("language").and_then(|node| self.one_of(node, &[("zh", Lang::Zh), ("en", Lang::En)])),
            zone: fields.get("zone").and_then(|node| self.zone(node)),
            id,
        })
    }

    fn absences(&mut self, node: Option<&Node>) -> Vec<Absence> {
        let Some(items) = node.and_then(|node| self.items(node)) else { return Vec::new() };
        items.iter().filter_map(|item| self.absence(item)).collect()
    }

    fn absence(&mut self, node: &Node) -> Option<Absence> {
        let fields = self.fields(node, &ABSENCE, self.first_line(node.span))?;
        let person = fields.required(self, "person").and_then(|node| self.name(node, NameRule::Word));
        let from = fields.required(self, "from").and_then(|node| self.date(node));
        let to = fields.required(self, "to").and_then(|node| self.date(node));
        let substitute = fields.get("substitute").and_then(|node| self.name(node, NameRule::Word));
        let processes = fields.get("processes").and_then(|node| self.items(node)).unwrap_or_default();
        let processes = processes.iter().filter_map(|node| self.name(node, NameRule::Document)).collect();
        if let (Some(from), Some(to)) = (&from, &to)
            && from.value > to.value
        {
            self.report(reversed(to.span, from.value, to.value));
            return None;
        }
        Some(Absence { span: node.span, person: person?, from: from?, to: to?, substitute, processes })
    }

    /// A document whose kind is `calendar`.
    pub(crate) fn calendar(&mut self, root: &Node, key_span: Span) -> Option<Calendar> {
        let fields = self.fields(root, &CALENDAR, key_span)?;
        let year = fields.required(self, "year").and_then(|node| self.year(node));
        let holidays = self.days(fields.get("holidays"), year);
        let working = self.days(fields.get("working"), year);
        for day in &working {
            if let Some(off) = holidays.iter().find(|off| off.from <= day.to && day.from <= off.to) {
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
            if hours.windows(2).any(|pair| matches!(pair, [a, b] if a.1 > b.0)) {
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

    /// `09:00-12:00`.
    fn hours(&mut self, node: &Node) -> Option<(NaiveTime, NaiveTime)> {
        let words = self.words(node)?;
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let found = words.value.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
        if let Some((from, to)) = found.filter(|(from, to)| from < to) {
            return Some((from, to));
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
                }
                found.push(Days { name: name.clone(), span: part.span, from, to });
            }
        }
        found
    }

    /// `2026-10-10`, or `2026-10-01..2026-10-07`.
    fn date_range(&mut self, node: &Node) -> Option<(NaiveDate, NaiveDate)> {
        let words = self.words(node)?;
        let Some((from, to)) = words.value.split_once("..") else {
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

    fn date(&mut self, node: &Node) -> Option<Spanned<NaiveDate>> {
        let words = self.words(node)?;
        let found = parse_date(&words.value).map(|date| Spanned::new(date, node.span));
        if found.is_none() {
            self.report(bad_date(node.span, &words.value, "2026-07-06"));
        }
        found
    }

    fn zone(&mut self, node: &Node) -> Option<Spanned<chrono_tz::Tz>> {
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

fn word_of(day: Weekday) -> &'static str {
    DAYS.iter().find(|(_, known)| *known == day).map_or("", |(word, _)| word)
}

fn looks_like_mail(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"".contains(c))
    };
    matches!(text.split_once('@'), Some((local, domain))
        if plain(local) && plain(domain) && !domain.contains('@') && !domain.starts_with('.') && !domain.ends_with('.'))
}

fn bad_mail(mail: &Spanned<String>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::BadMail,
        mail.span,
        Wording::new(
            format!("`{}` 不是邮箱地址。请只写地址本身，不写姓名和尖括号", mail.value),
            format!("`{}` is no mail address; write just the address, without a name or angle brackets", mail.value),
        ),
    )
    .hint(Wording::new("mail: wang.fang@example.com", "mail: wang.fang@example.com"));
    let typed = mail.value.replace('＠', "@");
    let bare = match typed.split_once('<').and_then(|(_, rest)| rest.trim_end().strip_suffix('>')) {
        Some(address) => address.trim(),
        None => typed.trim(),
    };
    if looks_like_mail(bare) { diagnostic.fix_word(mail.span, bare) } else { diagnostic }
}

fn bad_date(span: Span, text: &str, example: &str) -> Diagnostic {
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

fn reversed(span: Span, from: NaiveDate, to: NaiveDate) -> Diagnostic {
    Diagnostic::new(
        Code::ReversedRange,
        span,
        Wording::new(
            format!("结束日期 {to} 早于开始日期 {from}，请对调"),
            format!("the end {to} is before the start {from}; swap them"),
        ),
    )
}
