//! What the proofs over values share: the rules of a table as areas, and examples in words.

use super::Subject;
use super::place::{self, Place};
use crate::compile::table::Decision;
use crate::expression::cover::{Cover, Example};
use crate::expression::domain::Domain;
use crate::expression::region::{Area, Subject as Asked, Subjects};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, StepId};
use crate::model::text::Wording;
use crate::model::value::{Value, plain};
use rust_decimal::Decimal;

/// The most gaps of a table that are told.
const GAPS: usize = 3;

/// The areas of some rules or cases over what they ask, cut into pieces.
pub(super) struct Areas {
    pub(super) subjects: Subjects,
    pub(super) all: Vec<Area>,
    /// To which rule or case each area belongs.
    pub(super) of: Vec<usize>,
    pub(super) cover: Cover,
}

impl Areas {
    /// Of conditions, one list of areas each; `None` where sets of one subject are of unlike kinds.
    pub(super) fn new(subjects: Subjects, each: Vec<Vec<Area>>) -> Option<Areas> {
        let (mut all, mut of) = (Vec::new(), Vec::new());
        for (number, areas) in each.into_iter().enumerate() {
            of.extend(areas.iter().map(|_| number));
            all.extend(areas);
        }
        let cover = Cover::new(&subjects, &all)?;
        Some(Areas { subjects, all, of, cover })
    }

    /// The areas of the rules of a table; none of one that may ask something else.
    pub(super) fn of_table(decision: &Decision<'_>) -> Option<Areas> {
        Areas::of_rules(decision, |rule| decision.lost.asked(rule))
    }

    /// The areas that the rules of a table have at most, whatever is meant by the cells that were not understood.
    pub(super) fn at_most(decision: &Decision<'_>) -> Option<Areas> {
        Areas::of_rules(decision, |_| true)
    }

    fn of_rules(decision: &Decision<'_>, has_any: impl Fn(usize) -> bool) -> Option<Areas> {
        let (table, lost) = (decision.table, decision.lost);
        let domain = |name: &FieldName| table.inputs.get(name).map_or(Domain::any(true), Domain::asked);
        let mut subjects = Subjects::of(table.inputs.keys().map(|name| (name.clone(), domain(name))));
        let rules = table.rules.iter().enumerate();
        let each = rules.map(|(number, rule)| {
            let known = rule.when.iter().filter(|(name, _)| lost.asked_of(number, name.as_str()));
            match has_any(number) {
                true => subjects.all_of(known.map(|(_, cell)| &cell.root), &domain),
                false => Vec::new(),
            }
        });
        let each = each.collect();
        Areas::new(subjects, each)
    }

    /// The areas of the cases of a `choose`, over what each field can hold there.
    pub(super) fn of_cases(subject: &Subject<'_>, step: &StepId, cases: &[Formula]) -> Option<Areas> {
        let place = Place::before(subject, step)?;
        let mut subjects = Subjects::default();
        let each = cases.iter().map(|case| subjects.areas(&case.root, &place)).collect();
        Areas::new(subjects, each)
    }

    /// Examples that no area holds, whatever comes of what they ask beside fields.
    pub(super) fn gaps(&self) -> Vec<Example> {
        let generous: Vec<Area> = self.all.iter().map(|area| self.only_fields(area)).collect();
        Cover::new(&self.subjects, &generous).map(|cover| cover.gaps(GAPS)).unwrap_or_default()
    }

    /// An area without what it asks beside what varies on its own.
    fn only_fields(&self, area: &Area) -> Area {
        let fields = area.iter().filter(|(number, _)| self.subjects.varies(**number));
        fields.map(|(number, values)| (*number, values.clone())).collect()
    }

    /// The numbers of the areas whose rule passes a test.
    pub(super) fn belonging<'a>(&'a self, to: impl Fn(usize) -> bool + 'a) -> impl Iterator<Item = usize> + 'a {
        self.of.iter().enumerate().filter(move |(_, rule)| to(**rule)).map(|(area, _)| area)
    }

    /// Whether an area asks nothing but fields, so that an example of it is one to believe.
    pub(super) fn is_plain(&self, area: usize) -> bool {
        self.all.get(area).is_some_and(|area| self.subjects.is_plain(area))
    }

    /// An example in words: `kind = risk, margin = 30 %`; `None` where it says nothing of fields.
    pub(super) fn words<'f>(
        &self,
        example: &Example,
        field: impl Fn(&FieldName) -> Option<&'f Field>,
    ) -> Option<Wording> {
        let (mut zh, mut en) = (Vec::new(), Vec::new());
        for (number, value) in example {
            let (name, kind) = match self.subjects.get(*number) {
                Some(Asked::Field(name)) => (name.to_string(), field(name).map(|field| &field.kind)),
                Some(Asked::Part(of)) => (place::spelled(of), None),
                Some(Asked::Other(..)) | None => continue,
            };
            let value = written(value, kind);
            zh.push(format!("{name} = {}", value.zh));
            en.push(format!("{name} = {}", value.en));
        }
        (!zh.is_empty()).then(|| Wording::new(zh.join("，"), en.join(", ")))
    }
}

/// A value as an author would write it.
pub(super) fn written(value: &Value, kind: Option<&FieldKind>) -> Wording {
    let text = match (value, kind) {
        (Value::Number(number), Some(FieldKind::Percent)) => {
            format!("{} %", (*number * Decimal::ONE_HUNDRED).normalize())
        }
        (Value::Number(number), _) => number.normalize().to_string(),
        (Value::Null, _) => "null".to_owned(),
        (value, _) => match plain(value) {
            serde_json::Value::String(text) if text == "…" => {
                return Wording::new("其他任何值", "anything else");
            }
            serde_json::Value::String(text) => match kind {
                Some(FieldKind::Text | FieldKind::LongText) => format!("\"{text}\""),
                _ => text,
            },
            other => other.to_string(),
        },
    };
    Wording::new(text.clone(), text)
}
