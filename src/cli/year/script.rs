//! What is played, as a document: who is how quick, what is started how often, and what people write into forms.
//!
//! Everything in it is optional but the days; what it does not say has a usual answer. It names processes, steps
//! and fields that need not be there: a folder that lacks one is played without it.

use crate::model::people::Absence;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// What is played.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The first day.
    pub(super) from: NaiveDate,
    /// The last day.
    pub(super) to: NaiveDate,
    /// How quick people are: by id, and `usual`.
    #[serde(default)]
    pub(super) people: BTreeMap<String, Pace>,
    /// Who is away when, beside what the directory says.
    #[serde(default)]
    pub(super) absences: Vec<Away>,
    /// How likely each answer is, where a step says nothing.
    #[serde(default)]
    pub(super) answers: Weights,
    /// Of a hundred cases, how many their applicant takes back.
    #[serde(default, deserialize_with = "number")]
    pub(super) withdrawn: u64,
    /// Of a hundred fields that may stay empty, how many are filled in.
    #[serde(default = "some", deserialize_with = "number")]
    pub(super) optional: u64,
    /// Lists of words that texts are put together from: `{city}`.
    #[serde(default)]
    pub(super) words: BTreeMap<String, Vec<String>>,
    /// What people write beside an answer.
    #[serde(default)]
    pub(super) opinions: BTreeMap<String, Vec<String>>,
    /// What fields of a name get, in any form.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Json>,
    /// What a process says of its own.
    #[serde(default)]
    pub(super) processes: BTreeMap<String, Own>,
    /// What is started.
    #[serde(default)]
    pub(super) starts: Vec<Start>,
    /// How often a week a process is started that nothing here and no other process starts.
    #[serde(default, deserialize_with = "number")]
    pub(super) others: u64,
    /// Messages that come from outside, by name.
    #[serde(default)]
    pub(super) messages: BTreeMap<String, Message>,
}

/// How quick somebody is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pace {
    /// Working minutes until they look at what came; half of the time it is less.
    #[serde(deserialize_with = "number")]
    pub(super) after: u64,
    /// Working minutes that an answer takes them; what comes meanwhile waits.
    #[serde(deserialize_with = "number")]
    pub(super) takes: u64,
}

/// Who is away when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Away {
    person: String,
    from: NaiveDate,
    to: NaiveDate,
    substitute: String,
}

impl Away {
    pub(super) fn absence(&self) -> Absence {
        Absence {
            person: self.person.as_str().into(),
            from: self.from,
            to: self.to,
            substitute: self.substitute.as_str().into(),
            processes: Vec::new(),
        }
    }
}

/// How likely each of several is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Weights(BTreeMap<String, Weight>);

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
struct Weight(#[serde(deserialize_with = "number")] u64);

impl Weights {
    pub(super) fn get(&self, name: &str) -> Option<u64> {
        self.0.get(name).map(|weight| weight.0)
    }

    /// All of them, with their weights.
    pub(super) fn all(&self) -> Vec<(&str, u64)> {
        self.0.iter().map(|(name, weight)| (name.as_str(), weight.0)).collect()
    }
}

/// What a process, or one of its steps, says of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Own {
    /// How likely each answer is.
    #[serde(default)]
    pub(super) answers: Weights,
    /// Working minutes until people look at it, instead of their own.
    #[serde(default, deserialize_with = "perhaps")]
    pub(super) after: Option<u64>,
    /// Of a hundred times that people are asked, how often they ever answer.
    #[serde(default, deserialize_with = "perhaps")]
    pub(super) chance: Option<u64>,
    /// What fields get.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Json>,
    /// What its steps say of their own.
    #[serde(default)]
    pub(super) steps: BTreeMap<String, Own>,
}

/// Something that is started.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// Which process.
    pub(super) process: String,
    /// By whom: people or positions; whoever may start it where none is given.
    #[serde(default)]
    pub(super) by: Vec<String>,
    /// So many in all, evenly spread.
    #[serde(default, deserialize_with = "perhaps")]
    pub(super) total: Option<u64>,
    /// So many a week.
    #[serde(default, deserialize_with = "perhaps")]
    pub(super) weekly: Option<u64>,
    /// Once on each of these days.
    #[serde(default)]
    pub(super) on: Vec<NaiveDate>,
    /// Not before.
    #[serde(default)]
    pub(super) from: Option<NaiveDate>,
    /// Not after.
    #[serde(default)]
    pub(super) to: Option<NaiveDate>,
    /// What fields get.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Json>,
}

/// A message that comes from outside once a case waits for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    /// Of a hundred cases that wait, for how many it comes.
    #[serde(default = "always", deserialize_with = "number")]
    pub(super) chance: u64,
    /// Working minutes until it comes.
    #[serde(deserialize_with = "number")]
    pub(super) after: u64,
    /// What it says.
    #[serde(default)]
    pub(super) data: BTreeMap<String, Json>,
}

/// What a field gets. A text is taken as it stands, with its `{words}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Made {
    /// A number from here …
    #[serde(default, deserialize_with = "perhaps")]
    pub(super) from: Option<Decimal>,
    /// … to here …
    #[serde(default, deserialize_with = "perhaps")]
    pub(super) to: Option<Decimal>,
    /// … in steps of this much …
    #[serde(default, deserialize_with = "perhaps")]
    pub(super) step: Option<Decimal>,
    /// … times another field.
    #[serde(default)]
    pub(super) times: Option<String>,
    /// A day, so many days from today, or the next working day after it: the least and the most.
    #[serde(default)]
    pub(super) days: Option<(Whole, Whole)>,
    /// At this time of that day.
    #[serde(default)]
    pub(super) at: Option<Json>,
    /// One of these, as likely as each weight says.
    #[serde(default)]
    pub(super) pick: Option<Weights>,
    /// What a FEEL expression yields.
    #[serde(default)]
    pub(super) feel: Option<String>,
    /// So many rows: the least and the most.
    #[serde(default)]
    pub(super) rows: Option<(Whole, Whole)>,
    /// A row for each of these values of a column, by the column.
    #[serde(default)]
    pub(super) each: BTreeMap<String, Vec<String>>,
    /// What the columns of the rows get.
    #[serde(default)]
    pub(super) columns: BTreeMap<String, Json>,
    /// Of a hundred, how many get anything.
    #[serde(default = "always", deserialize_with = "number")]
    pub(super) chance: u64,
    /// What those get.
    #[serde(default)]
    pub(super) give: Option<Json>,
}

/// A whole number.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Whole(#[serde(deserialize_with = "number")] pub(super) i64);

fn some() -> u64 {
    60
}

fn always() -> u64 {
    100
}

/// A number; in a document every bare word comes as a text.
fn number<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<T, D::Error> {
    String::deserialize(from)?.trim().parse().map_err(de::Error::custom)
}

fn perhaps<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<Option<T>, D::Error> {
    number(from).map(Some)
}
