//! Forms: what is asked, of which type, and what makes an answer good.

use super::file::FileRule;
use super::formula::{Formula, Op};
use super::id::FieldName;
use super::text::Text;
use super::value::{Type, Typed, Value};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Fields in the order in which they are asked.
pub type Form = IndexMap<FieldName, Field>;

/// One field of a form, or one column of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// What people call it.
    pub title: Text,
    /// A sentence for who fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    /// What it holds.
    pub kind: FieldKind,
    /// A list of plain values of that kind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub many: bool,
    /// Must be filled in (where `when` holds): its author says so, or gave it a default that must not be emptied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What comes from outside may lack it: its author wrote `required: false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_missing: bool,
    /// Asked only where this holds; null elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Formula>,
    /// What stands there before anybody writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Formula>,
    /// Computed from other fields and never asked; re-computed on every change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Formula>,
    /// The least value, length of a text, or number of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Formula>,
    /// The greatest value, length of a text, or number of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Formula>,
    /// A regular expression that the whole text matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// A rule of its own, and what to say where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Written after the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
}

/// The most rows of a list, and values of a `many` field.
pub const MOST_ROWS: usize = 1_000;
/// The most characters of one line, and of a long text.
pub const MOST_TEXT: (usize, usize) = (1_000, 20_000);

impl Field {
    /// A field that says nothing but what it is called and holds.
    pub fn new(title: Text, kind: FieldKind) -> Field {
        Field {
            title,
            help: None,
            kind,
            many: false,
            required: false,
            may_be_missing: false,
            when: None,
            default: None,
            value: None,
            min: None,
            max: None,
            pattern: None,
            check: None,
            unit: None,
        }
    }

    /// Whether a text, or each of several, is in the form that `pattern` asks for. True where there is none.
    pub fn keeps_pattern(&self, value: &Value) -> bool {
        let regex = self.pattern.as_ref().and_then(|pattern| whole(pattern).ok());
        let items = value.as_list().unwrap_or(std::slice::from_ref(value));
        regex.is_none_or(|regex| items.iter().filter_map(Value::as_text).all(|text| regex.is_match(text)))
    }
}

/// A regular expression that the whole of a text has to match.
///
/// # Errors
/// What is wrong with it.
pub fn whole(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
}

/// The field of a form that a path names: its own, or a column's.
pub fn field_at<'f>(form: &'f Form, path: &str) -> Option<&'f Field> {
    let mut parts = path.split('.');
    let field = form.get(parts.next()?)?;
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => Some(field),
        (Some(_), Some(column), None) => match &field.kind {
            FieldKind::List(columns) => columns.get(column),
            _ => None,
        },
        _ => None,
    }
}

/// A rule of the author's on a filled field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What must hold.
    pub that: Formula,
    /// What is said where it does not.
    pub say: Text,
}

/// The type of a field, as authors write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// A whole number.
    Integer,
    /// Any number.
    Decimal,
    /// An amount; rounded half up to two places when stored.
    Money,
    /// A share: 0.08 is shown and entered as `8 %`.
    Percent,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A day and time.
    DateTime,
    /// A length of time.
    Duration,
    /// One of the options, by name with what people call each.
    Choice(IndexMap<Arc<str>, Text>),
    /// A person; only one of these where given.
    Person(Option<Formula>),
    /// A position.
    Position,
    /// A department.
    Department,
    /// A file, as the rule says.
    File(FileRule),
    /// Rows with columns.
    List(Form),
}

impl Field {
    /// Whether it is refused empty though it does not say `required`: it holds several, and at least one.
    pub fn wants_one(&self) -> bool {
        let least = self.min.as_ref().map(|min| min.root.op());
        self.is_several() && matches!(least, Some(Op::Literal(Value::Number(least))) if *least >= Decimal::ONE)
    }

    /// Whether it holds several: rows, or plain values.
    pub fn is_several(&self) -> bool {
        self.many || matches!(self.kind, FieldKind::List(_))
    }

    /// The fewest characters, rows or values that it takes, whatever its `min` says; `None` where these are not counted.
    pub fn fewest(&self) -> Option<usize> {
        self.most().map(|_| usize::from(self.required))
    }

    /// The most of them, whatever its `max` says.
    pub fn most(&self) -> Option<usize> {
        match &self.kind {
            // What is chosen twice counts once.
            FieldKind::Choice(options) if self.many => Some(options.len()),
            _ if self.is_several() => Some(MOST_ROWS),
            FieldKind::Text => Some(MOST_TEXT.0),
            FieldKind::LongText => Some(MOST_TEXT.1),
            _ => None,
        }
    }

    /// Whether it, or one of its columns, takes files from people.
    pub fn takes_files(&self) -> bool {
        match &self.kind {
            _ if self.value.is_some() => false,
            FieldKind::File(_) => true,
            FieldKind::List(columns) => columns.values().any(Field::takes_files),
            _ => false,
        }
    }

    /// The type that expressions see. A value that may be missing (`when`, or not required and without a
    /// default or value of its own) is optional; a list is never null, only empty.
    pub fn typed(&self) -> Typed {
        let one = match &self.kind {
            FieldKind::Text | FieldKind::LongText => Type::Text,
            FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent => Type::Number,
            FieldKind::Money => Type::Money,
            FieldKind::Boolean => Type::Boolean,
            FieldKind::Date => Type::Date,
            FieldKind::DateTime => Type::DateTime,
            FieldKind::Duration => Type::Duration,
            FieldKind::Choice(options) => Type::Choice(options.keys().cloned().collect()),
            FieldKind::Person(_) => Type::Person,
            FieldKind::Position => Type::Position,
            FieldKind::Department => Type::Department,
            FieldKind::File(_) => Type::File,
            FieldKind::List(columns) => {
                let columns = columns.iter().map(|(name, field)| (name.clone(), field.typed())).collect();
                Type::List(Box::new(Typed::always(Type::Record(Arc::new(columns)))))
            }
        };
        if self.many {
            return Typed::always(Type::List(Box::new(Typed::always(one))));
        }
        let list = matches!(self.kind, FieldKind::List(_));
        let filled = self.required || self.default.is_some() && !self.may_be_missing || self.value.is_some();
        Typed { of: one, optional: !list && (self.when.is_some() || !filled) }
    }
}
