//! Metrics: what is counted over recorded cases, in which periods, against which target.
//!
//! A metric is one number, or a share of two. Each side is a list of sources that are added up; a source counts the
//! cases of one process, of all its versions, by the names of their fields. Metrics are pinned to nothing: those
//! that are live measure old cases too.

use super::formula::Formula;
use super::id::{BusinessNumber, FieldName, Outcome, PersonId, ProcessId};
use super::text::{Text, Wording};
use super::value::Record;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// When a case began, where a metric reads it as if it were a field.
pub const STARTED: &str = "started";

/// When a case ended.
pub const ENDED: &str = "ended";

/// One metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name, unique in a folder.
    pub name: Arc<str>,
    /// What people call it.
    pub title: Text,
    /// The kinds of periods that it is measured in.
    pub periods: Vec<Every>,
    /// What is counted.
    pub numerator: Vec<Source>,
    /// What it is a share of; empty where it is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denominator: Vec<Source>,
    /// What is wanted, by the kind of period.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub target: IndexMap<Every, Decimal>,
    /// Which way from the target is good.
    #[serde(default)]
    pub better: Better,
    /// How its value is read.
    pub reading: ReadAs,
    /// What it can be broken down by.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub by: IndexMap<Arc<str>, Dimension>,
}

impl Metric {
    /// Every source, of both sides.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.numerator.iter().chain(&self.denominator)
    }
}

/// What one process gives to a side of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Whose cases.
    pub of: ProcessId,
    /// The rows of a case that are counted, and what a row is called; the case itself where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<(Formula, FieldName)>,
    /// Only those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Formula>,
    /// The time that says in which period it counts; a range counts in every period that it touches.
    pub at: Formula,
    /// What is done with them.
    pub take: Take,
    /// What they are broken down by, by the name of the dimension.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub by: IndexMap<Arc<str>, Formula>,
}

impl Source {
    /// Every formula of it.
    pub fn formulas(&self) -> Vec<&Formula> {
        let taken = match &self.take {
            Take::Count => None,
            Take::Distinct(formula) | Take::Sum(formula) | Take::Average(formula) => Some(formula),
        };
        let rows = self.each.iter().map(|(formula, _)| formula);
        rows.chain(&self.when).chain([&self.at]).chain(taken).chain(self.by.values()).collect()
    }
}

/// What is done with the cases of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// They are counted.
    Count,
    /// The different values of this are counted.
    Distinct(Formula),
    /// This is added up.
    Sum(Formula),
    /// The mean of this.
    Average(Formula),
}

/// What a metric can be broken down by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dimension {
    /// What people call it.
    pub title: Text,
    /// What people call its values, of a choice.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<Arc<str>, Text>,
}

/// Which way is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// At least the target.
    #[default]
    More,
    /// At most the target.
    Less,
}

impl Better {
    /// The words of the language for it.
    pub const WORDS: [(&str, Better); 2] = [("more", Better::More), ("less", Better::Less)];
}

/// How the value of a metric is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadAs {
    /// As it is, with what it counts.
    Number(Option<Text>),
    /// As an amount of money.
    Money,
    /// As a share of a hundred.
    Percent,
}

/// A kind of period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

impl Every {
    /// The words of the language for it.
    pub const WORDS: [(&str, Every); 3] = [("month", Every::Month), ("quarter", Every::Quarter), ("year", Every::Year)];

    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Every::Month => "month",
            Every::Quarter => "quarter",
            Every::Year => "year",
        }
    }

    /// Words for a reader: `季度`, `quarter`.
    pub fn words(self) -> Wording {
        match self {
            Every::Month => Wording::new("月", "month"),
            Every::Quarter => Wording::new("季度", "quarter"),
            Every::Year => Wording::new("年度", "year"),
        }
    }
}

/// A month, a quarter or a year of the calendar.
///
/// ```
/// use countersign::model::metric::Period;
/// let quarter: Period = "2026-Q3".parse().unwrap();
/// assert_eq!(quarter.first().to_string(), "2026-07-01");
/// assert_eq!(quarter.after().to_string(), "2026-10-01");
/// assert_eq!(quarter.before(2).to_string(), "2026-Q1");
/// assert_eq!("2026-07".parse::<Period>().unwrap().to_string(), "2026-07");
/// assert!("2026-Q5".parse::<Period>().is_err() && "2026-13".parse::<Period>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    every: Every,
    first: NaiveDate,
}

impl Period {
    /// The period of this kind that a day is in.
    pub fn of(every: Every, day: NaiveDate) -> Period {
        let month = match every {
            Every::Month => day.month(),
            Every::Quarter => (day.month() - 1) / 3 * 3 + 1,
            Every::Year => 1,
        };
        Period { every, first: NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day) }
    }

    /// Its kind.
    pub fn every(self) -> Every {
        self.every
    }

    /// Its first day.
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// The first day after it.
    pub fn after(self) -> NaiveDate {
        self.first.checked_add_months(self.months(1)).unwrap_or(NaiveDate::MAX)
    }

    /// Its last day.
    pub fn last(self) -> NaiveDate {
        self.after().checked_sub_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
    }

    /// The period of its kind so many before it.
    pub fn before(self, count: u32) -> Period {
        let first = self.first.checked_sub_months(self.months(count)).unwrap_or(NaiveDate::MIN);
        Period { every: self.every, first }
    }

    /// Whether a day is in it.
    pub fn holds(self, day: NaiveDate) -> bool {
        self.first <= day && day < self.after()
    }

    /// Words for a reader: `2026年第3季度`, `Q3 2026`.
    pub fn words(self) -> Wording {
        let (year, month) = (self.first.year(), self.first.month());
        match self.every {
            Every::Month => Wording::new(format!("{year}年{month}月"), self.first.format("%B %Y").to_string()),
            Every::Quarter => {
                let quarter = (month - 1) / 3 + 1;
                Wording::new(format!("{year}年第{quarter}季度"), format!("Q{quarter} {year}"))
            }
            Every::Year => Wording::new(format!("{year}年"), year.to_string()),
        }
    }

    fn months(self, count: u32) -> Months {
        Months::new(match self.every {
            Every::Month => count,
            Every::Quarter => count.saturating_mul(3),
            Every::Year => count.saturating_mul(12),
        })
    }
}

/// As it is typed: `2026-Q3`, `2026-07`, `2026`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = (self.first.year(), self.first.month());
        match self.every {
            Every::Month => write!(f, "{year}-{month:02}"),
            Every::Quarter => write!(f, "{year}-Q{}", (month - 1) / 3 + 1),
            Every::Year => write!(f, "{year}"),
        }
    }
}

/// Why a text is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPeriod;

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Period, NotAPeriod> {
        let digits = |text: &str, count: usize| {
            let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
            all.then(|| text.parse::<u32>().ok()).flatten().ok_or(NotAPeriod)
        };
        let (year, rest) = text.split_once('-').map_or((text, None), |(year, rest)| (year, Some(rest)));
        let year = i32::try_from(digits(year, 4)?).map_err(|_| NotAPeriod)?;
        let (every, month) = match rest {
            None => (Every::Year, 1),
            Some(rest) => match rest.strip_prefix(['Q', 'q']) {
                Some(quarter) => match digits(quarter, 1)? {
                    quarter @ 1..=4 => (Every::Quarter, quarter * 3 - 2),
                    _ => return Err(NotAPeriod),
                },
                None => (Every::Month, digits(rest, 2)?),
            },
        };
        let first = NaiveDate::from_ymd_opt(year, month, 1).filter(|_| year >= 1).ok_or(NotAPeriod)?;
        Ok(Period { every, first })
    }
}

/// A case as metrics see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Of which process.
    pub process: ProcessId,
    /// Its business number.
    pub number: Option<BusinessNumber>,
    /// Whose it is.
    pub applicant: PersonId,
    /// When it began.
    pub started: DateTime<Utc>,
    /// How and when it ended, if it did.
    pub ended: Option<(Outcome, DateTime<Utc>)>,
    /// Its fields.
    pub data: Record,
}
