//! What is wrong with an expression, and what went wrong while one ran.
//!
//! Places are byte ranges within the expression's own text; whoever knows the file maps them to it.

use crate::model::text::Wording;
use std::collections::BTreeSet;
use std::ops::Range;

/// Which rule an expression breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The text is no expression.
    BadExpression,
    /// A sign or spelling of another language.
    ForeignSyntax,
    /// A name that means nothing here.
    UnknownName,
    /// A name that means two things here.
    AmbiguousName,
    /// A function that does not exist.
    UnknownFunction,
    /// Too few, too many or misnamed arguments.
    WrongArguments,
    /// A column or property that its value does not have.
    UnknownProperty,
    /// Values put together that have nothing to do with each other.
    UnlikeTypes,
    /// A value of another type than its place needs.
    WrongType,
    /// A text that is none of the options of a choice.
    UnknownOption,
    /// A value that may be unset is used without asking first.
    MaybeUnset,
    /// A divisor that may be zero.
    MaybeZeroDivision,
    /// Numbers gone through from one that may be more than the last.
    MaybeBackwards,
    /// A length of time that may be farther than time is counted.
    MaybeTooFar,
    /// A number that may be too large to calculate.
    MaybeTooLarge,
    /// People to be asked who may be nobody.
    MaybeNobody,
    /// A date, time or duration that does not exist.
    BadTemporal,
    /// Longer or deeper than allowed.
    TooComplex,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [FaultKind; 18] = [
        FaultKind::BadExpression,
        FaultKind::ForeignSyntax,
        FaultKind::UnknownName,
        FaultKind::AmbiguousName,
        FaultKind::UnknownFunction,
        FaultKind::WrongArguments,
        FaultKind::UnknownProperty,
        FaultKind::UnlikeTypes,
        FaultKind::WrongType,
        FaultKind::UnknownOption,
        FaultKind::MaybeUnset,
        FaultKind::MaybeZeroDivision,
        FaultKind::MaybeBackwards,
        FaultKind::MaybeTooFar,
        FaultKind::MaybeTooLarge,
        FaultKind::MaybeNobody,
        FaultKind::BadTemporal,
        FaultKind::TooComplex,
    ];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::BadExpression => "bad_expression",
            FaultKind::ForeignSyntax => "foreign_syntax",
            FaultKind::UnknownName => "unknown_name",
            FaultKind::AmbiguousName => "ambiguous_name",
            FaultKind::UnknownFunction => "unknown_function",
            FaultKind::WrongArguments => "wrong_arguments",
            FaultKind::UnknownProperty => "unknown_property",
            FaultKind::UnlikeTypes => "unlike_types",
            FaultKind::WrongType => "wrong_type",
            FaultKind::UnknownOption => "unknown_option",
            FaultKind::MaybeUnset => "maybe_unset",
            FaultKind::MaybeZeroDivision => "maybe_zero_division",
            FaultKind::MaybeBackwards => "maybe_backwards",
            FaultKind::MaybeTooFar => "maybe_too_far",
            FaultKind::MaybeTooLarge => "maybe_too_large",
            FaultKind::MaybeNobody => "maybe_nobody",
            FaultKind::BadTemporal => "bad_temporal",
            FaultKind::TooComplex => "too_complex",
        }
    }
}

/// One thing that is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, in bytes of the expression's text.
    pub range: Range<usize>,
    /// Which rule it breaks.
    pub kind: FaultKind,
    /// What is wrong.
    pub message: Wording,
    /// What to write instead.
    pub hint: Option<Wording>,
    /// What to put in the place of the range, where that is sure to be meant.
    pub suggestion: Option<String>,
    /// Whether it only follows from a field whose declaration could not be read, if there is such a fault.
    pub doubtful: bool,
}

impl Fault {
    pub(super) fn new(range: Range<usize>, kind: FaultKind, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        Fault { range, kind, message: Wording::new(zh, en), hint: None, suggestion: None, doubtful: false }
    }

    pub(super) fn hint(mut self, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        self.hint = Some(Wording::new(zh, en));
        self
    }

    pub(super) fn suggest(mut self, replacement: impl Into<String>) -> Fault {
        self.suggestion = Some(replacement.into());
        self
    }

    /// Adds the “did you mean” of a name, if there is a likely one.
    pub(super) fn did_you_mean(self, likely: Option<String>) -> Fault {
        match likely {
            Some(name) => self.hint(format!("是不是 `{name}`？"), format!("Did you mean `{name}`?")).suggest(name),
            None => self,
        }
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, for whoever repairs it.
    pub message: Wording,
    /// Where in the text, if that is known.
    pub at: Option<Range<usize>>,
    /// Whether a value was missing, as opposed to wrong.
    pub(super) unset: bool,
}

impl Failure {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Failure {
        Failure { message: Wording::new(zh, en), at: None, unset: false }
    }

    /// What comes to more than numbers hold.
    pub(super) fn too_large() -> Failure {
        Failure::new(
            "结果太大，算不了（最多 28 位数字）",
            "the result is too large to calculate: 28 digits are the most",
        )
    }

    /// Whether it came to more than numbers hold.
    pub(super) fn is_too_large(&self) -> bool {
        self.message == Failure::too_large().message
    }

    /// What comes to a day that no calendar reaches.
    pub(super) fn too_far() -> Failure {
        Failure::new(
            "这个时间太远，算不了（工作时间最多算十年）",
            "this time is too far away: working time is counted for ten years at most",
        )
    }

    /// A failure of what surrounds expressions.
    pub fn because(message: Wording) -> Failure {
        Failure { message, at: None, unset: false }
    }

    /// Whether a value was missing, as opposed to wrong.
    pub fn is_unset(&self) -> bool {
        self.unset
    }

    pub(super) fn unset(zh: impl Into<String>, en: impl Into<String>) -> Failure {
        Failure { unset: true, ..Failure::new(zh, en) }
    }
}

/// The name most like `wrong` among `names`, if one is near enough to be a slip, and no other is as near.
pub(super) fn likely<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wrong: Vec<char> = wrong.to_lowercase().chars().take(64).collect();
    let allowed = (wrong.len() / 3).clamp(1, 3);
    let near = names.into_iter().filter_map(|name| {
        let other: Vec<char> = name.to_lowercase().chars().take(64).collect();
        let far = distance(&wrong, &other);
        (far <= allowed && far < wrong.len()).then_some((far, name))
    });
    let near: BTreeSet<(usize, &str)> = near.collect();
    let mut nearest = near.iter();
    let (far, name) = nearest.next()?;
    nearest.next().is_none_or(|(other, _)| other > far).then(|| (*name).to_owned())
}

/// How many letters must be put in, left out, changed or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: [Vec<usize>; 3] = [Vec::new(), (0..=b.len()).collect(), Vec::new()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |row: &Vec<usize>, at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (cell(&row, j) + 1).min(cell(&rows[1], j + 1) + 1).min(cell(&rows[1], j) + usize::from(x != y));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(cell(&rows[0], j - 1) + 1);
            }
            row.push(best);
        }
        rows.rotate_left(1);
        rows[1] = row;
    }
    rows[1].last().copied().unwrap_or(0)
}
