//! FEEL, the expression language of OMG DMN 1.5: text → typed [`Formula`] → value.
//!
//! **The dialect.** Standard FEEL, with exact decimals and one-word names, and these additions: `8 %` is 0.08;
//! a number with a unit is a duration (`2 working days`, `36 hours`); where a choice is expected, its options
//! stand bare (`attitude = cold`); positions and departments are names; `filled(a, b)` is the share that is set;
//! functions of the directory and of the working calendar. A name before `(` is a function, so a field may be
//! called `date`.
//!
//! **The strictness.** [`compile`] types an expression against its [`Scope`] and refuses, with the place and what
//! to write instead: a name, function, property or option that does not exist; values put together that have
//! nothing to do with each other; a value that may be unset, unless `!= null` was asked before it (`and`, `or`,
//! `not`, `if` and filters carry that on); a divisor that may be zero. Several faults are found at once.
//! At run time every error is a [`Failure`], never `null`. `sum` of nothing is 0.
//!
//! **Money.** Money ± money and money × or ÷ a number are money, money ÷ money is a number, a written number is
//! either; what else mixes the two is refused.
//!
//! **Limits.** 4 KB of text, a tree of depth 64, a budget of steps, lists of 10,000 items, texts of 1 MB:
//! everything here ends and nothing panics, whatever it is given.
//!
//! Knows no files: places are byte ranges within the expression's own text.

mod aligned;
mod balance;
mod call;
mod combine;
pub mod conformance;
mod construct;
pub mod cover;
mod cursor;
pub mod domain;
mod effort;
mod evaluate;
pub mod extent;
mod fault;
mod functions;
mod habit;
mod hit;
mod infer;
mod interval;
mod invoke;
mod iterate;
pub mod lasting;
mod lex;
mod line;
mod machine;
mod mismatch;
mod names;
mod narrow;
mod operate;
mod parse;
mod partial;
mod people;
mod property;
pub mod range;
mod reach;
pub mod region;
mod scope;
mod size;
mod table;
mod tree;
mod types;
mod unit;

pub use fault::{Failure, Fault, FaultKind};
pub use names::is_name;
pub use narrow::Known;
pub(crate) use narrow::{came_to, end_of};
pub(crate) use scope::Asked;
pub use scope::{Expected, Kept, Scope};
pub use table::{Found, can_answer, is_constant, look_up, passes_null};
pub use unit::told_by;

use crate::model::formula::{Formula, Op};
use crate::model::id::{PersonId, StepId};
use crate::model::people::Directory;
use crate::model::time::{Calendar, Unit};
use crate::model::value::{Record, Type, Typed, Value};
use chrono::{DateTime, Utc};
use std::cmp::Ordering;

/// Types an expression against what its names mean; every fault that can be told apart.
pub fn compile(text: &str, scope: &Scope, expected: &Expected) -> Result<Formula, Vec<Fault>> {
    let (tree, mut faults) = parse::parse(text);
    let Some(tree) = tree else { return Err(faults) };
    let (formula, found) = infer::infer(text, &tree, scope, expected);
    faults.extend(found);
    if faults.is_empty() {
        return Ok(formula);
    }
    faults.sort_by_key(|fault| (fault.range.start, fault.range.end));
    Err(faults)
}

/// What a condition proves where it is `truth`; nothing of one that cannot be read.
pub(crate) fn proved(text: &str, scope: &Scope, truth: bool) -> Vec<Known> {
    proving(text, scope, |of| of(truth))
}

/// What a condition proves where it holds, and what where it does not.
pub(crate) fn proved_either_way(text: &str, scope: &Scope) -> (Vec<Known>, Vec<Known>) {
    proving(text, scope, |of| (of(true), of(false)))
}

fn proving<T: Default>(text: &str, scope: &Scope, ask: impl FnOnce(&dyn Fn(bool) -> Vec<Known>) -> T) -> T {
    let (tree, faults) = parse::parse(text);
    let Some(tree) = tree.filter(|_| faults.is_empty()) else { return T::default() };
    let mut pass = infer::Infer::new(text, scope);
    let expr = pass.condition(&tree).expr;
    // Of a condition with another fault only the words count.
    let sound = pass.faults.iter().all(depends_on_place);
    ask(&|truth| if sound { pass.holding(&tree, &expr, truth) } else { pass.assume(&tree, truth) })
}

/// Whether a fault of an expression is none where more is known of what it reads.
fn depends_on_place(fault: &Fault) -> bool {
    use FaultKind::{MaybeBackwards, MaybeTooFar, MaybeTooLarge, MaybeUnset, MaybeZeroDivision};
    matches!(fault.kind, MaybeUnset | MaybeZeroDivision | MaybeBackwards | MaybeTooFar | MaybeTooLarge)
}

/// Whether an expression may come to null even where all is set that it needs.
pub(crate) fn may_be_null(text: &str, scope: &Scope, expected: &Expected) -> bool {
    let (tree, faults) = parse::parse(text);
    let Some(tree) = tree.filter(|_| faults.is_empty()) else { return false };
    let (formula, faults) = infer::infer(text, &tree, scope, expected);
    formula.of.optional && faults.iter().all(depends_on_place)
}

/// In what the length that an expression yields is counted, as far as its scope says.
pub(crate) fn unit_of(text: &str, scope: &Scope) -> Option<Unit> {
    let (tree, faults) = parse::parse(text);
    let tree = tree.filter(|_| faults.is_empty())?;
    infer::Infer::new(text, scope).visit(&tree, None).unit
}

/// What an expression can come to, as far as its scope says.
pub(crate) fn extent_of(text: &str, scope: &Scope) -> Option<domain::Domain> {
    let (tree, faults) = parse::parse(text);
    let tree = tree.filter(|_| faults.is_empty())?;
    let mut pass = infer::Infer::new(text, scope);
    let found = pass.visit(&tree, None).expr;
    Some(pass.extent(&found))
}

/// What the tests of a cell prove of the column that passes them.
pub(crate) fn proved_by(tests: &Formula) -> Vec<Known> {
    region::implied(&tests.root, true, 0).into_iter().map(|(of, values)| Known::within(&of, values)).collect()
}

/// Where a condition holds, for a field that is asked under it; `None` where that cannot be said.
pub(crate) fn asked_where(condition: &Formula) -> Option<Asked> {
    region::asked(&condition.root)
}

/// The same where a step also has to have come to one of these answers.
pub(crate) fn answered_with(areas: Asked, step: &StepId, answers: &[String]) -> Asked {
    narrow::answered_with(areas, step, answers)
}

/// Types the unary tests of a table's cell, such as `>= 5`, `[1..3], 7` or `not("a")`, for a field of the scope:
/// a formula that says whether the field passes.
pub fn compile_tests(text: &str, field: &str, scope: &Scope) -> Result<Formula, Vec<Fault>> {
    let (tests, mut faults) = parse::parse_tests(text);
    let Some(tests) = tests else { return Err(faults) };
    let (formula, found) = infer::infer_tests(text, &tests, field, scope);
    faults.extend(found);
    if faults.is_empty() {
        return Ok(formula);
    }
    faults.sort_by_key(|fault| (fault.range.start, fault.range.end));
    Err(faults)
}

/// What is known about the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceFacts<'a> {
    /// Its business number, if its process gives them.
    pub number: Option<&'a str>,
    /// When it started.
    pub started_at: DateTime<Utc>,
}

/// What is known about the steps that were walked.
pub trait StepFacts {
    /// How a step ended, `skipped` too.
    fn outcome(&self, step: &StepId) -> Option<&str>;
    /// Who ended it.
    fn by(&self, step: &StepId) -> Option<PersonId>;
    /// When it ended.
    fn at(&self, step: &StepId) -> Option<DateTime<Utc>>;
    /// Whether that was after its deadline.
    fn late(&self, step: &StepId) -> Option<bool>;
}

/// No step was walked.
struct NoSteps;

impl StepFacts for NoSteps {
    fn outcome(&self, _: &StepId) -> Option<&str> {
        None
    }
    fn by(&self, _: &StepId) -> Option<PersonId> {
        None
    }
    fn at(&self, _: &StepId) -> Option<DateTime<Utc>> {
        None
    }
    fn late(&self, _: &StepId) -> Option<bool> {
        None
    }
}

/// What is so when a formula is evaluated.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The fields that are set.
    pub data: &'a Record,
    /// Who applied.
    pub applicant: Option<&'a PersonId>,
    /// Whose task it is.
    pub assignee: Option<&'a PersonId>,
    /// The outcome of the task.
    pub outcome: Option<&'a str>,
    /// The instance.
    pub instance: Option<&'a InstanceFacts<'a>>,
    /// The steps that were walked.
    pub steps: &'a dyn StepFacts,
    /// The current directory.
    pub directory: &'a Directory,
    /// The current calendar.
    pub calendar: &'a Calendar,
    /// The time of the command.
    pub now: DateTime<Utc>,
}

impl<'a> Context<'a> {
    /// Where there is no case: data, people, a calendar and a time. Who knows more adds it.
    pub fn new(data: &'a Record, directory: &'a Directory, calendar: &'a Calendar, now: DateTime<Utc>) -> Context<'a> {
        Context {
            data,
            applicant: None,
            assignee: None,
            outcome: None,
            instance: None,
            steps: &NoSteps,
            directory,
            calendar,
            now,
        }
    }
}

/// The value of a formula; every error is a failure, none is `null`.
pub fn evaluate(formula: &Formula, context: &Context<'_>) -> Result<Value, Failure> {
    evaluate::evaluate(&formula.root, context)
}

/// The value of a formula that is the same always; `None` where it reads something, the calendar too, or fails.
pub fn fixed(formula: &Formula) -> Option<Value> {
    region::constant(&formula.root)
}

/// Which of two values comes first; `None` where they cannot be compared.
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    alone(&Record::new(), DateTime::UNIX_EPOCH, |context| operate::compare(a, b, context)).ok()
}

/// Where a value stands to a limit of its field: a text by its characters, a list by its items, lengths of unlike units
/// by which side of nothing they are on. `None` where the two cannot be compared.
pub fn beside(value: &Value, limit: &Value) -> Option<Ordering> {
    match (value, limit) {
        (Value::Text(text), _) => order(&Value::Number(text.chars().count().into()), limit),
        (Value::List(items), _) => order(&Value::Number(items.len().into()), limit),
        (Value::Duration(length), Value::Duration(other)) => {
            order(value, limit).or_else(|| Some(length.sign().cmp(&other.sign())).filter(|found| found.is_ne()))
        }
        _ => order(value, limit),
    }
}

/// Does something with nothing around it but data and a time.
fn alone<T>(data: &Record, now: DateTime<Utc>, with: impl FnOnce(&Context<'_>) -> T) -> T {
    let (directory, calendar) = (Directory::default(), Calendar::default());
    with(&Context::new(data, &directory, &calendar, now))
}

/// Evaluates an expression without a form: the names are those of the data, and types are met when they come. There are
/// no people, and the calendar is the usual week.
///
/// ```
/// use countersign::expression::run;
/// use countersign::model::value::{Record, Value};
/// let value = run("sum([1, 2, 3]) * 8 %", &Record::new(), Default::default()).unwrap();
/// assert_eq!(value, Value::Number("0.48".parse().unwrap()));
/// ```
pub fn run(text: &str, data: &Record, now: DateTime<Utc>) -> Result<Value, Failure> {
    let formula = untyped(text, data)?;
    alone(data, now, |context| evaluate(&formula, context))
}

/// An expression without a form: the names are those of the data, and types are met when they come.
///
/// # Errors
/// The first of what is wrong with it.
pub fn untyped(text: &str, data: &Record) -> Result<Formula, Failure> {
    let scope = data.keys().fold(Scope::untyped(), |scope, name| scope.field(name.clone(), Typed::optional(Type::Any)));
    compile(text, &scope, &Expected::Any).map_err(|faults| {
        let first = faults.into_iter().next();
        first.map_or_else(
            || Failure::new("表达式不对", "the expression is wrong"),
            |fault| Failure { message: fault.message, at: Some(fault.range), unset: false },
        )
    })
}

/// Whether an expression counts working days or hours, which the calendar says.
pub fn counts_working_time(formula: &Formula) -> bool {
    const ASK: [&str; 2] = ["is working day", "working days between"];
    formula.root.any(&mut |expr| match expr.op() {
        Op::Literal(Value::Duration(length)) => matches!(length.unit(), Unit::WorkingDays | Unit::WorkingHours),
        Op::Call(name, _) => ASK.contains(&&**name),
        _ => false,
    })
}
