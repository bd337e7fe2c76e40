//! Functions that have no value for some of their arguments, such as the greatest of no numbers or the date of any
//! text. They are `null` then, and their type says so unless the arguments prove otherwise; so whoever uses one has
//! to say what happens instead.

use super::infer::{Infer, Typing};
use super::narrow::{Fact, constant};
use super::region;
use super::tree::{Argument, Node, Syntax};
use crate::model::formula::{Expr, Op};
use crate::model::value::{Type, Typed, Value};
use rust_decimal::Decimal;

/// Those that need an item in their list.
const OF_ITEMS: &[&str] = &["min", "max", "mean", "median", "product", "stddev"];
/// Those that read or cut what is given.
const OF_VALUES: &[&str] = &[
    "date",
    "time",
    "date and time",
    "duration",
    "number",
    "sqrt",
    "log",
    "substring",
    "matches",
    "replace",
    "split",
    "insert before",
    "remove",
    "sublist",
    "list replace",
    "range",
    "person",
];

/// Whether a function may have no value.
pub(super) fn is_partial(name: &str) -> bool {
    OF_ITEMS.contains(&name) || OF_VALUES.contains(&name)
}

impl Infer<'_> {
    /// Whether a function that may have no value has one for these arguments; `exprs` are what they came to.
    pub(super) fn has_value(&self, name: &str, arguments: &[Argument], of: &[Typed], exprs: &[Expr]) -> bool {
        let fixed: Vec<Option<Value>> = exprs.iter().map(region::constant).collect();
        let number = |at: usize| fixed.get(at).and_then(Option::as_ref).and_then(Value::as_number);
        let given = |at: usize| exprs.get(at).is_some();
        let proved = match (name, arguments) {
            ("stddev", _) => false,
            (_, [one]) if OF_ITEMS.contains(&name) => !self.may_be_empty(&one.value),
            _ if OF_ITEMS.contains(&name) => true,
            ("date" | "time" | "date and time", [_]) => {
                matches!(of.first().map(|typed| &typed.of), Some(Type::Date | Type::DateTime))
            }
            ("duration", [_]) => matches!(of.first().map(|typed| &typed.of), Some(Type::Duration)),
            ("date and time", [_, _]) => true,
            // From the first letter on there is always a text, if an empty one.
            ("substring", _) => {
                number(1) == Some(Decimal::ONE) && (!given(2) || number(2).is_some_and(|length| length >= Decimal::ONE))
            }
            // Whether a pattern is one does not depend on the text.
            ("matches" | "replace" | "split", _) => {
                let others: Option<Vec<Expr>> =
                    fixed.iter().skip(1).map(|value| value.clone().map(Expr::literal)).collect();
                others.is_some_and(|others| {
                    let sample = [Expr::literal(Value::text("text"))].into_iter().chain(others).collect();
                    works(name, sample)
                })
            }
            ("sublist", [list, ..]) => {
                let whole = |at| number(at).filter(|number| *number >= Decimal::ONE && number.is_integer());
                let length = if given(2) { whole(2) } else { Some(Decimal::ONE) };
                let last = whole(1).zip(length).and_then(|(start, length)| start.checked_add(length - Decimal::ONE));
                last.zip(exprs.first()).is_some_and(|(last, of)| self.has_items(&list.value, of, last))
            }
            // A name that is written is looked up where it stands.
            ("person", [one]) => matches!(one.value.syntax, Syntax::Text(_)),
            _ => false,
        };
        proved || fixed.iter().all(Option::is_some) && name != "person" && works(name, exprs.to_vec())
    }

    /// The typing of a value that is set where that was asked for.
    pub(super) fn asked(&self, node: &Node, typing: Typing) -> Typing {
        let optional = typing.optional && !self.knows(node, Fact::Set);
        Typing { optional, ..typing }
    }

    /// How to ask whether a value is set, Chinese and English.
    pub(super) fn ask_first(&self, node: &Node) -> (String, String) {
        let written = self.written(node);
        match over_items(node).map(|list| self.written(self.rows(list))) {
            Some(rows) => (
                format!("列表可能是空的。先判断：`if count({rows}) > 0 then {written} else …`。"),
                format!("The list may be empty. Ask first: `if count({rows}) > 0 then {written} else …`."),
            ),
            None => (
                format!("先判断：`{written} != null and …`，或 `if {written} != null then … else …`。"),
                format!("Ask first: `{written} != null and …`, or `if {written} != null then … else …`."),
            ),
        }
    }

    /// Whether a list has an item at a place; `of` is what the list came to.
    pub(super) fn has_place(&self, list: &Node, of: &Expr, place: &Node) -> bool {
        // From the beginning or, below zero, from the end.
        constant(place).map(|place| place.abs()).is_some_and(|place| self.has_items(list, of, place))
    }

    /// Whether a list has at least so many items, and these are some.
    fn has_items(&self, list: &Node, of: &Expr, many: Decimal) -> bool {
        match &list.syntax {
            Syntax::List(items) => many >= Decimal::ONE && many <= Decimal::from(items.len()),
            _ if many == Decimal::ONE && !self.may_be_empty(list) => true,
            _ => {
                let count = Expr::new(Op::Call("count".into(), vec![of.clone()]));
                let least = self.extent(&count).placed().and_then(|(_, (least, _))| least);
                least.is_some_and(|least| least >= many && many >= Decimal::ONE)
            }
        }
    }

    /// The list whose rows a value goes through: of `items.price` it is `items`; the list of one row is its own.
    pub(super) fn rows<'n>(&self, node: &'n Node) -> &'n Node {
        match &node.syntax {
            Syntax::Path(of, ..) if !self.is_row(of) => self.rows(of),
            _ => node,
        }
    }

    /// Whether a list may have no items where it is read.
    pub(super) fn may_be_empty(&self, list: &Node) -> bool {
        let counted = |list: &Node| {
            let key = self.key(list).map(|key| format!("count({key})"));
            key.is_some_and(|key| self.facts.iter().any(|known| known.says(&key, &Fact::NotZero)))
        };
        match &list.syntax {
            Syntax::List(items) => items.is_empty(),
            Syntax::Name(name) if self.is_never_empty(name) => false,
            Syntax::Path(row, name, _) if self.is_row(row) && self.scope.kept.full_columns.contains(name.as_str()) => {
                false
            }
            // A column has as many items as there are rows, and so has what is made of each row.
            Syntax::Path(of, ..) => !counted(list) && self.may_be_empty(of),
            Syntax::For(over, _) => over.iter().any(|over| over.to.is_some() || self.may_be_empty(&over.from)),
            Syntax::Call(name, _, arguments) => match name.as_str() {
                "sort" | "reverse" | "distinct values" => {
                    arguments.first().is_none_or(|first| self.may_be_empty(&first.value))
                }
                "concatenate" | "union" => arguments.iter().all(|one| self.may_be_empty(&one.value)),
                "append" => arguments.len() < 2 && !counted(list),
                _ => !counted(list),
            },
            _ => !counted(list),
        }
    }
}

/// Whether a function has a value for constants.
fn works(name: &str, arguments: Vec<Expr>) -> bool {
    region::worked_out(&Expr::new(Op::Call(name.into(), arguments))).is_ok_and(|value| !value.is_null())
}

/// Whether a call goes through the items of one list, and which.
fn over_items(node: &Node) -> Option<&Node> {
    match &node.syntax {
        Syntax::Call(name, _, arguments) if OF_ITEMS.contains(&name.as_str()) && name != "stddev" => {
            match arguments.as_slice() {
                [one] => Some(&one.value),
                _ => None,
            }
        }
        _ => None,
    }
}
