//! The tree as written → the typed tree: names bound, types known, and what is refused.
//!
//! A fault does not stop it: what is wrong counts as of any type, so that one slip is reported once.

use super::fault::{Fault, FaultKind, likely};
use super::functions;
use super::narrow::{Fact, Known, constant};
use super::parse::{Iterator as Over, KEYWORDS, Node, Syntax, Test};
use super::property;
use super::scope::{Expected, Scope};
use super::types;
use crate::model::formula::{Arithmetic, Comparison, Expr, Formula, InstanceFact, Op, Read, Source, StepFact};
use crate::model::id::{DepartmentId, FieldName, PositionId, StepId};
use crate::model::value::{Type, Typed, Value};
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// The options that may stand bare.
pub(super) type Options = Arc<[Arc<str>]>;

/// A subexpression, bound and typed.
#[derive(Clone, Debug)]
pub(super) struct Typing {
    pub(super) expr: Expr,
    pub(super) of: Type,
    pub(super) optional: bool,
    /// A written number, which is a number or an amount as its place needs it.
    pub(super) loose: bool,
}

impl Typing {
    pub(super) fn new(op: Op<Expr>, of: Type) -> Typing {
        Typing { expr: Expr::new(op), of, optional: false, loose: false }
    }

    /// What stands for something wrong.
    pub(super) fn unknown() -> Typing {
        Typing::new(Op::Literal(Value::Null), Type::Any)
    }

    pub(super) fn typed(&self) -> Typed {
        Typed { of: self.of.clone(), optional: self.optional }
    }
}

/// A name that is bound within the expression.
struct Local {
    name: String,
    typed: Typed,
    /// The item of a filter: its columns are names too.
    row: bool,
}

/// What a name means.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Local(u16, Typed),
    Column(u16, Typed),
    /// A column of the row in the local, if the row turns out to have it; else what is within.
    Dynamic(u16, Option<Box<Found>>),
    Field(Typed),
    Applicant,
    Assignee,
    Outcome(Options),
    Everyone,
    Position,
    Department,
}

/// One pass over an expression.
pub(super) struct Infer<'s> {
    pub(super) scope: &'s Scope,
    text: &'s str,
    faults: Vec<Fault>,
    reads: BTreeSet<Read>,
    locals: Vec<Local>,
    pub(super) facts: Vec<Known>,
}

/// Binds and types an expression.
pub(super) fn infer(text: &str, tree: &Node, scope: &Scope, expected: &Expected) -> (Formula, Vec<Fault>) {
    let mut pass = Infer::new(text, scope);
    let hint = match expected {
        Expected::Type(typed) => options_of(&typed.of),
        _ => None,
    };
    let typing = match expected {
        Expected::People => pass.people(tree),
        _ => pass.visit(tree, hint.as_ref()),
    };
    pass.check_expected(tree, &typing, expected);
    pass.finish(text, typing)
}

/// Binds and types unary tests on a field.
pub(super) fn infer_tests(text: &str, tests: &[Test], field: &str, scope: &Scope) -> (Formula, Vec<Fault>) {
    let mut pass = Infer::new(text, scope);
    let typing = match pass.lookup(field) {
        Some(found) => {
            let value = pass.bound(field, found);
            pass.tests(value, tests, true)
        }
        None => Typing::unknown(),
    };
    pass.finish(text, typing)
}

pub(super) fn options_of(of: &Type) -> Option<Options> {
    match of {
        Type::Choice(options) => Some(Arc::clone(options)),
        Type::List(of) => options_of(&of.of),
        _ => None,
    }
}

impl<'s> Infer<'s> {
    fn new(text: &'s str, scope: &'s Scope) -> Infer<'s> {
        let (faults, reads, locals, facts) = Default::default();
        Infer { scope, text, faults, reads, locals, facts }
    }

    fn finish(self, text: &str, typing: Typing) -> (Formula, Vec<Fault>) {
        let of = typing.typed();
        (Formula { text: text.to_owned(), root: typing.expr, of, reads: self.reads }, self.faults)
    }

    /// Reports a fault; without a form, only those that no data can mend.
    pub(super) fn fault(&mut self, fault: Fault) {
        use FaultKind::*;
        let of_types = matches!(
            fault.kind,
            UnlikeTypes | WrongType | UnknownOption | UnknownProperty | MaybeUnset | MaybeZeroDivision | AmbiguousName
        );
        if !(self.scope.untyped && of_types) {
            self.faults.push(fault);
        }
    }

    pub(super) fn written(&self, node: &Node) -> &'s str {
        self.text.get(node.range.clone()).unwrap_or("")
    }

    /// The typing of a value that has to be set.
    pub(super) fn set(&mut self, node: &Node, mut typing: Typing) -> Typing {
        if typing.optional {
            let written = self.written(node);
            self.fault(
                Fault::new(
                    node.range.clone(),
                    FaultKind::MaybeUnset,
                    format!("`{written}` 可能没有值"),
                    format!("`{written}` may be unset"),
                )
                .hint(
                    format!("先判断：`{written} != null and …`，或 `if {written} != null then … else …`。"),
                    format!("Ask first: `{written} != null and …`, or `if {written} != null then … else …`."),
                ),
            );
            typing.optional = false;
        }
        if let Type::List(of) = &typing.of
            && of.optional
            && self.scope.untyped
        {
            typing.of = Type::List(Box::new(Typed::always(of.of.clone())));
        }
        typing
    }

    pub(super) fn condition(&mut self, node: &Node) -> Typing {
        let typing = self.visit(node, None);
        let typing = self.set(node, typing);
        if !matches!(typing.of, Type::Boolean | Type::Any) {
            self.wrong_type(node, &typing.of, &Type::Boolean);
        }
        typing
    }

    pub(super) fn wrong_type(&mut self, node: &Node, found: &Type, needed: &Type) {
        let (written, found_words, needed_words) = (self.written(node), types::words(found), types::words(needed));
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::WrongType,
            format!("这里需要{}，而 `{written}` 是{}", needed_words.zh, found_words.zh),
            format!("{} is needed here, but `{written}` is {}", needed_words.en, found_words.en),
        );
        let fault = self.with_conversion(fault, written, found, needed);
        self.fault(fault);
    }

    fn with_conversion(&self, fault: Fault, written: &str, found: &Type, needed: &Type) -> Fault {
        let write = |fault: Fault, instead: String| {
            fault.hint(format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`."))
        };
        match (found, needed) {
            (Type::Number | Type::Money, Type::Text) => write(fault, format!("string({written})")),
            (Type::Text, Type::Number | Type::Money) => write(fault, format!("number({written})")),
            (Type::DateTime, Type::Date) => write(fault, format!("date({written})")),
            (Type::Text, Type::Person) => write(fault, format!("person({written})")),
            (Type::Department, Type::Person) => write(fault, format!("head_of({written})")),
            (Type::Position, Type::Person) => write(fault, format!("holders({written})[1]")),
            (Type::Number, Type::Duration) => write(fault, format!("{written} days")),
            (Type::Number, Type::Money) | (Type::Money, Type::Number) => fault.hint(
                "金额和数字不能互换：把字段的类型改成一样，或乘、除一个数字。",
                "Money and numbers are not the same: give both the same type, or multiply or divide by a number.",
            ),
            (_, Type::Boolean) => fault
                .hint("条件是一个比较，例如 `total >= 500`。", "A condition is a comparison, such as `total >= 500`."),
            _ => fault,
        }
    }

    fn check_expected(&mut self, node: &Node, typing: &Typing, expected: &Expected) {
        match expected {
            Expected::Any | Expected::People => {}
            Expected::Type(to) => {
                let loose = typing.loose && to.of == Type::Money;
                if !loose && !types::fits(&typing.of, &to.of) {
                    self.wrong_type(node, &typing.of, &to.of);
                } else if typing.optional && !to.optional {
                    self.set(node, typing.clone());
                }
            }
            Expected::Time => {
                let typing = self.set(node, typing.clone());
                if !matches!(typing.of, Type::Duration | Type::Date | Type::DateTime | Type::Any) {
                    self.wrong_type(node, &typing.of, &Type::Duration);
                }
            }
            Expected::List => {
                let typing = self.set(node, typing.clone());
                if !matches!(typing.of, Type::List(_) | Type::Any) {
                    self.wrong_type(node, &typing.of, &Type::List(Box::new(Typed::always(Type::Any))));
                }
            }
        }
    }

    /// Who does something: each branch and item is a person or a position.
    fn people(&mut self, node: &Node) -> Typing {
        match &node.syntax {
            Syntax::List(items) => {
                let items = items.iter().map(|item| self.people(item).expr).collect();
                let of = Type::List(Box::new(Typed::always(Type::Any)));
                Typing::new(Op::List(items), of)
            }
            Syntax::If(condition, then, otherwise) => {
                let asked = self.condition(condition);
                let known = self.assume(condition, true);
                let then = self.knowing(known, |pass| pass.people(then));
                let known = self.assume(condition, false);
                let otherwise = self.knowing(known, |pass| pass.people(otherwise));
                let of = types::join(&then.of, &otherwise.of).unwrap_or(Type::Any);
                Typing::new(Op::If(asked.expr, then.expr, otherwise.expr), of)
            }
            syntax => {
                let typing = self.visit(node, None);
                let finds = matches!(syntax, Syntax::Call(..) | Syntax::Word(Value::Null));
                let typing = if finds { typing } else { self.set(node, typing) };
                let item = match &typing.of {
                    Type::List(of) => &of.of,
                    of => of,
                };
                if !matches!(item, Type::Person | Type::Position | Type::Any | Type::Null) {
                    self.wrong_type(node, &typing.of, &Type::Person);
                    if *item == Type::Department
                        && let Some(fault) = self.faults.last_mut()
                    {
                        let written = self.text.get(node.range.clone()).unwrap_or("");
                        fault.hint = Some(crate::model::text::Wording::new(
                            format!("部门里谁来办？写 `head_of({written})` 或 `members({written})`。"),
                            format!("Who of the department? Write `head_of({written})` or `members({written})`."),
                        ));
                    }
                }
                typing
            }
        }
    }

    /// Runs with more facts known.
    pub(super) fn knowing<T>(&mut self, known: Vec<Known>, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.facts.len();
        self.facts.extend(known);
        let result = f(self);
        self.facts.truncate(before);
        result
    }

    /// Runs with more locals bound; the number of the first.
    pub(super) fn binding<T>(&mut self, names: Vec<(String, Typed, bool)>, f: impl FnOnce(&mut Self, u16) -> T) -> T {
        let before = self.locals.len();
        self.locals.extend(names.into_iter().map(|(name, typed, row)| Local { name, typed, row }));
        let result = f(self, u16::try_from(before).unwrap_or(u16::MAX));
        self.locals.truncate(before);
        result
    }

    pub(super) fn is_steps(&self, node: &Node) -> bool {
        matches!(&node.syntax, Syntax::Name(name) if name == "steps" && self.lookup(name).is_none())
    }

    fn is_instance(&self, node: &Node) -> bool {
        matches!(&node.syntax, Syntax::Name(name) if name == "instance" && self.lookup(name).is_none())
    }

    /// What a name means here.
    pub(super) fn lookup(&self, name: &str) -> Option<Found> {
        self.lookup_below(name, self.locals.len())
    }

    fn lookup_below(&self, name: &str, below: usize) -> Option<Found> {
        for (slot, local) in self.locals.iter().enumerate().take(below).rev() {
            let at = u16::try_from(slot).unwrap_or(u16::MAX);
            if local.row {
                match &local.typed.of {
                    Type::Record(columns) => {
                        if let Some(typed) = columns.get(name) {
                            return Some(Found::Column(at, typed.clone()));
                        }
                    }
                    Type::Any => {
                        let outer = if local.name == name {
                            Some(Found::Local(at, local.typed.clone()))
                        } else {
                            self.lookup_below(name, slot)
                        };
                        return Some(Found::Dynamic(at, outer.map(Box::new)));
                    }
                    _ => {}
                }
            }
            if local.name == name {
                return Some(Found::Local(at, local.typed.clone()));
            }
        }
        let scope = self.scope;
        if let Some(typed) = scope.fields.get(name) {
            return Some(Found::Field(typed.clone()));
        }
        match name {
            "applicant" if scope.applicant => return Some(Found::Applicant),
            "assignee" if scope.assignee => return Some(Found::Assignee),
            "outcome" => return scope.outcome.clone().map(Found::Outcome),
            "everyone" if scope.directory.is_some() => return Some(Found::Everyone),
            _ => {}
        }
        let directory = scope.directory.as_deref()?;
        if directory.positions.contains_key(name) {
            return Some(Found::Position);
        }
        directory.departments.contains_key(name).then_some(Found::Department)
    }

    /// The typing of what a name means.
    fn bound(&mut self, name: &str, found: Found) -> Typing {
        let typing =
            |op, typed: Typed| Typing { expr: Expr::new(op), of: typed.of, optional: typed.optional, loose: false };
        match found {
            Found::Local(slot, typed) => typing(Op::Local(slot), typed),
            Found::Column(slot, typed) => typing(Op::Path(Expr::new(Op::Local(slot)), name.into()), typed),
            Found::Dynamic(row, outer) => {
                let otherwise = match outer {
                    Some(outer) => self.bound(name, *outer).expr,
                    None => Expr::literal(Value::Null),
                };
                Typing::new(Op::Column { row, name: name.into(), otherwise }, Type::Any)
            }
            Found::Field(typed) => {
                let field = FieldName::from(name);
                self.reads.insert(Read::Field(field.clone()));
                typing(Op::Field(field), typed)
            }
            Found::Applicant => {
                self.reads.insert(Read::Applicant);
                Typing::new(Op::Applicant, Type::Person)
            }
            Found::Assignee => {
                self.reads.insert(Read::Assignee);
                Typing::new(Op::Assignee, Type::Person)
            }
            Found::Outcome(options) => {
                self.reads.insert(Read::Outcome);
                Typing::new(Op::Outcome, Type::Choice(options))
            }
            Found::Everyone => {
                self.reads.insert(Read::Directory);
                Typing::new(Op::Everyone, Type::List(Box::new(Typed::always(Type::Person))))
            }
            Found::Position => {
                self.reads.insert(Read::Directory);
                Typing::new(Op::Literal(Value::Position(PositionId::from(name))), Type::Position)
            }
            Found::Department => {
                self.reads.insert(Read::Directory);
                Typing::new(Op::Literal(Value::Department(DepartmentId::from(name))), Type::Department)
            }
        }
    }

    fn name(&mut self, node: &Node, name: &str, options: Option<&Options>) -> Typing {
        let found = self.lookup(name);
        if let Some(options) = options
            && let Some(option) = options.iter().find(|option| option.as_ref() == name)
        {
            // The item of a filter may be any name; an option is meant where one is expected.
            let clear = found.is_none() || matches!(found, Some(Found::Dynamic(_, None)));
            if !clear {
                self.fault(
                    Fault::new(
                        node.range.clone(),
                        FaultKind::AmbiguousName,
                        format!("`{name}` 在这里有两个意思：选项和名称"),
                        format!("`{name}` means two things here: an option and a name"),
                    )
                    .hint(format!("要选项，写 `\"{name}\"`。"), format!("For the option, write `\"{name}\"`.")),
                );
            }
            return Typing::new(Op::Literal(Value::Text(Arc::clone(option))), Type::Choice(Arc::clone(options)));
        }
        match found {
            Some(found) => {
                let mut typing = self.bound(name, found);
                typing.optional &= !self.knows(node, Fact::Set);
                typing
            }
            None => {
                self.unknown_name(node, name, options);
                Typing::unknown()
            }
        }
    }

    /// Every name that means something here.
    fn names(&self) -> Vec<&str> {
        let scope = self.scope;
        let mut names: Vec<&str> = Vec::new();
        for local in self.locals.iter().rev() {
            if let (true, Type::Record(columns)) = (local.row, &local.typed.of) {
                names.extend(columns.keys().map(FieldName::as_str));
            }
            names.push(&local.name);
        }
        names.extend(scope.fields.keys().map(FieldName::as_str));
        let flags = [
            (scope.applicant, "applicant"),
            (scope.assignee, "assignee"),
            (scope.outcome.is_some(), "outcome"),
            (scope.instance, "instance"),
            (!scope.steps.is_empty(), "steps"),
            (scope.directory.is_some(), "everyone"),
        ];
        names.extend(flags.into_iter().filter(|(here, _)| *here).map(|(_, name)| name));
        if let Some(directory) = &scope.directory {
            names.extend(directory.positions.keys().map(PositionId::as_str));
            names.extend(directory.departments.keys().map(DepartmentId::as_str));
        }
        names
    }

    fn unknown_name(&mut self, node: &Node, name: &str, options: Option<&Options>) {
        let range = node.range.clone();
        if let Some(options) = options {
            let known = options.iter().map(AsRef::as_ref).chain(self.names());
            let near = likely(name, known);
            let all = options.iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(" ");
            let fault = Fault::new(
                range,
                FaultKind::UnknownOption,
                format!("`{name}` 不是选项，也不是名称"),
                format!("`{name}` is neither an option nor a name"),
            )
            .hint(format!("选项有：{all}。"), format!("The options are {all}."));
            return self.fault(if near.is_some() { fault.did_you_mean(near) } else { fault });
        }
        let fault = Fault::new(
            range,
            FaultKind::UnknownName,
            format!("这里没有名为 `{name}` 的东西"),
            format!("`{name}` means nothing here"),
        );
        let fault = match name {
            "applicant" | "assignee" | "outcome" | "instance" | "steps" | "everyone" => {
                fault.hint(format!("`{name}` 在这个位置还没有值。"), format!("`{name}` is not known at this place."))
            }
            "items" | "item" if self.names().is_empty() => fault,
            _ if functions::find(name).is_some() => {
                fault.hint(format!("要调用函数，写 `{name}(…)`。"), format!("To call the function, write `{name}(…)`."))
            }
            _ if self.is_a_person(name) => fault
                .hint(format!("人员写成 `person(\"{name}\")`。"), format!("A person is written `person(\"{name}\")`."))
                .suggest(format!("person(\"{name}\")")),
            _ => {
                let near = likely(name, self.names());
                if near.is_none() {
                    fault.hint(
                        "文字要用双引号；字段先在表单里声明。",
                        "A text stands in double quotes; a field is declared in a form first.",
                    )
                } else {
                    fault.did_you_mean(near)
                }
            }
        };
        self.fault(fault);
    }

    fn is_a_person(&self, name: &str) -> bool {
        self.scope.directory.as_ref().is_some_and(|directory| directory.people.contains_key(name))
    }

    /// The person that `person("…")` names has to exist.
    pub(super) fn check_person(&mut self, node: &Node, id: &str) {
        let Some(directory) = &self.scope.directory else { return };
        if directory.people.contains_key(id) {
            return;
        }
        let near = likely(id, directory.people.keys().map(crate::model::id::PersonId::as_str));
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::UnknownName,
            format!("通讯录里没有编号为 `{id}` 的人员"),
            format!("the directory has no person with the id `{id}`"),
        );
        let fault = match near {
            Some(near) => fault
                .hint(format!("是不是 `{near}`？"), format!("Did you mean `{near}`?"))
                .suggest(format!("\"{near}\"")),
            None => fault,
        };
        self.fault(fault);
    }

    pub(super) fn read(&mut self, read: Read) {
        self.reads.insert(read);
    }

    /// Binds and types a node; where `options` are given, they stand bare.
    pub(super) fn visit(&mut self, node: &Node, options: Option<&Options>) -> Typing {
        match &node.syntax {
            Syntax::Number(number) => {
                let typing = Typing::new(Op::Literal(Value::Number(*number)), Type::Number);
                Typing { loose: true, ..typing }
            }
            Syntax::Literal(value) => Typing::new(Op::Literal(value.clone()), type_of(value)),
            Syntax::Word(Value::Null) => Typing { optional: true, ..Typing::new(Op::Literal(Value::Null), Type::Null) },
            Syntax::Word(value) => Typing::new(Op::Literal(value.clone()), type_of(value)),
            Syntax::Text(text) => self.text(node, text, options),
            Syntax::Name(name) => self.name(node, name, options),
            Syntax::List(items) => {
                let typings: Vec<(&Node, Typing)> =
                    items.iter().map(|item| (item, self.visit(item, options))).collect();
                let mut of = Typed::always(Type::Null);
                let mut loose = true;
                for (item, typing) in &typings {
                    of.optional |= typing.optional;
                    let number =
                        matches!((&of.of, &typing.of), (Type::Number, Type::Money) | (Type::Money, Type::Number));
                    of.of = if number && (loose || typing.loose) {
                        Type::Money
                    } else {
                        self.joined(item, &of.of, &typing.of)
                    };
                    loose &= typing.loose || typing.of == Type::Null;
                }
                if items.is_empty() {
                    of.of = Type::Any;
                }
                let items = typings.into_iter().map(|(_, typing)| typing.expr).collect();
                Typing { loose: false, ..Typing::new(Op::List(items), Type::List(Box::new(of))) }
            }
            Syntax::Record(entries) => self.record(entries),
            Syntax::Range { low, low_closed, high, high_closed } => {
                let low_typing = self.visit(low, options);
                let low_typing = self.set(low, low_typing);
                let high_typing = self.visit(high, options);
                let high_typing = self.set(high, high_typing);
                self.check_alike(node, &low_typing, &high_typing, true);
                let of = if low_typing.loose { high_typing.of } else { low_typing.of };
                let (low, high) = (low_typing.expr, high_typing.expr);
                let op = Op::Range { low, low_closed: *low_closed, high, high_closed: *high_closed };
                Typing::new(op, Type::Range(Box::new(of)))
            }
            Syntax::Negate(of) => {
                let typing = self.visit(of, None);
                let typing = self.set(of, typing);
                if !matches!(typing.of, Type::Number | Type::Money | Type::Duration | Type::Any) {
                    self.wrong_type(of, &typing.of, &Type::Number);
                }
                Typing { expr: Expr::new(Op::Negate(typing.expr)), ..typing }
            }
            Syntax::Arithmetic(op, a, b) => self.arithmetic(node, *op, a, b),
            Syntax::Compare(op, a, b) => self.compare(node, *op, a, b),
            Syntax::And(parts) => self.connect(parts, true),
            Syntax::Or(parts) => self.connect(parts, false),
            Syntax::If(condition, then, otherwise) => {
                let asked = self.condition(condition);
                let known = self.assume(condition, true);
                let first = self.knowing(known, |pass| pass.visit(then, options));
                let known = self.assume(condition, false);
                let second = self.knowing(known, |pass| pass.visit(otherwise, options));
                let of = match (&first.of, &second.of) {
                    (Type::Money, Type::Number) if second.loose => Type::Money,
                    (Type::Number, Type::Money) if first.loose => Type::Money,
                    (a, b) => self.joined(otherwise, a, b),
                };
                Typing {
                    expr: Expr::new(Op::If(asked.expr, first.expr, second.expr)),
                    of,
                    optional: first.optional || second.optional,
                    loose: first.loose && second.loose,
                }
            }
            Syntax::Between(value, low, high) => {
                let typing = self.visit(value, None);
                let typing = self.set(value, typing);
                let hint = options_of(&typing.of);
                let mut ends = [low, high].map(|end| {
                    let found = self.visit(end, hint.as_ref());
                    let found = self.set(end, found);
                    self.check_alike(node, &typing, &found, true);
                    Some(found.expr)
                });
                let [low, high] = &mut ends;
                match (low.take(), high.take()) {
                    (Some(low), Some(high)) => Typing::new(Op::Between(typing.expr, low, high), Type::Boolean),
                    _ => Typing::unknown(),
                }
            }
            Syntax::In(value, tests) => self.contained(value, tests),
            Syntax::Path(of, name, range) => self.path(node, of, name, range),
            Syntax::Filter(list, condition) => self.filter(list, condition),
            Syntax::For(over, body) => {
                let (sources, body) = self.iterate(over, |pass| pass.visit(body, None));
                let of = Type::List(Box::new(body.typed()));
                Typing::new(Op::For(sources, body.expr), of)
            }
            Syntax::Some(over, body) => {
                let (sources, body) = self.iterate(over, |pass| pass.condition(body));
                Typing::new(Op::Some(sources, body.expr), Type::Boolean)
            }
            Syntax::Every(over, body) => {
                let (sources, body) = self.iterate(over, |pass| pass.condition(body));
                Typing::new(Op::Every(sources, body.expr), Type::Boolean)
            }
            Syntax::InstanceOf(value, kind) => {
                let value = self.visit(value, None);
                Typing::new(Op::InstanceOf(value.expr, kind.clone()), Type::Boolean)
            }
            Syntax::Call(name, range, arguments) => self.call(node, name, range, arguments),
            Syntax::Function(..) => {
                self.fault(Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    "函数只能作为参数或当场调用",
                    "a function only is an argument, or called where it is written",
                ));
                Typing::new(Op::Function { parameters: 0, body: Expr::literal(Value::Null) }, Type::Any)
            }
            Syntax::Apply(function, arguments) => self.apply(node, function, arguments),
        }
    }

    fn text(&mut self, node: &Node, text: &str, options: Option<&Options>) -> Typing {
        let value = Op::Literal(Value::text(text));
        let Some(options) = options else { return Typing::new(value, Type::Text) };
        if !options.iter().any(|option| option.as_ref() == text) {
            let all = options.iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(" ");
            let fault = Fault::new(
                node.range.clone(),
                FaultKind::UnknownOption,
                format!("没有选项 `{text}`"),
                format!("there is no option `{text}`"),
            )
            .hint(format!("选项有：{all}。"), format!("The options are {all}."));
            self.fault(match likely(text, options.iter().map(AsRef::as_ref)) {
                Some(near) => fault
                    .hint(format!("是不是 `{near}`？"), format!("Did you mean `{near}`?"))
                    .suggest(format!("\"{near}\"")),
                None => fault,
            });
        }
        Typing::new(value, Type::Choice(Arc::clone(options)))
    }

    /// The type of values of both types, which have to be of one.
    fn joined(&mut self, at: &Node, a: &Type, b: &Type) -> Type {
        types::join(a, b).unwrap_or_else(|| {
            let (a, b) = (types::words(a), types::words(b));
            self.fault(
                Fault::new(
                    at.range.clone(),
                    FaultKind::UnlikeTypes,
                    format!("一处是{}，一处是{}", a.zh, b.zh),
                    format!("one is {}, the other {}", a.en, b.en),
                )
                .hint("两处应该是同一种值。", "Both have to be of one type."),
            );
            Type::Any
        })
    }

    fn record(&mut self, entries: &[(String, Range<usize>, Node)]) -> Typing {
        let before = self.locals.len();
        let mut columns = IndexMap::new();
        let mut exprs = Vec::with_capacity(entries.len());
        for (name, range, node) in entries {
            let typing = self.visit(node, None);
            let typed = typing.typed();
            let field = FieldName::from(name.as_str());
            exprs.push((field.clone(), typing.expr));
            if columns.insert(field, typed.clone()).is_some() {
                self.fault(Fault::new(
                    range.clone(),
                    FaultKind::BadExpression,
                    format!("`{name}` 出现了两次"),
                    format!("`{name}` is here twice"),
                ));
            }
            self.locals.push(Local { name: name.clone(), typed, row: false });
        }
        self.locals.truncate(before);
        Typing::new(Op::Record(exprs), Type::Record(Arc::new(columns)))
    }

    fn connect(&mut self, parts: &[Node], all: bool) -> Typing {
        let before = self.facts.len();
        let mut exprs = Vec::with_capacity(parts.len());
        for part in parts {
            exprs.push(self.condition(part).expr);
            let known = self.assume(part, all);
            self.facts.extend(known);
        }
        self.facts.truncate(before);
        Typing::new(if all { Op::And(exprs) } else { Op::Or(exprs) }, Type::Boolean)
    }

    fn arithmetic(&mut self, node: &Node, op: Arithmetic, a: &Node, b: &Node) -> Typing {
        let left = self.visit(a, None);
        let left = self.set(a, left);
        let right = self.visit(b, None);
        let right = self.set(b, right);
        if op == Arithmetic::Divide && matches!(right.of, Type::Number | Type::Money | Type::Any) {
            self.check_divisor(b);
        }
        match types::arithmetic(op, (&left.of, left.loose), (&right.of, right.loose)) {
            Some((of, loose)) => {
                let typing = Typing::new(Op::Arithmetic(op, left.expr, right.expr), of);
                Typing { loose, ..typing }
            }
            None => {
                self.unlike(node, (a, &left.of), (b, &right.of));
                Typing::unknown()
            }
        }
    }

    fn check_divisor(&mut self, node: &Node) {
        let written = self.written(node);
        let fault = match constant(node) {
            Some(number) if number.is_zero() => Fault::new(
                node.range.clone(),
                FaultKind::MaybeZeroDivision,
                "不能除以零",
                "nothing can be divided by zero",
            ),
            Some(_) => return,
            None if self.knows(node, Fact::NotZero) => return,
            None => Fault::new(
                node.range.clone(),
                FaultKind::MaybeZeroDivision,
                format!("`{written}` 可能是零"),
                format!("`{written}` may be zero"),
            )
            .hint(
                format!("先判断：`if {written} != 0 then … else …`。"),
                format!("Ask first: `if {written} != 0 then … else …`."),
            ),
        };
        self.fault(fault);
    }

    /// Reports two values that have nothing to do with each other.
    pub(super) fn unlike(&mut self, node: &Node, (a, a_of): (&Node, &Type), (b, b_of): (&Node, &Type)) {
        let (x, y) = (types::words(a_of), types::words(b_of));
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::UnlikeTypes,
            format!("{}和{}不能放在一起", x.zh, y.zh),
            format!("{} and {} have nothing to do with each other", x.en, y.en),
        );
        let (wa, wb) = (self.written(a), self.written(b));
        let write = |fault: Fault, instead: String| {
            fault.hint(format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`."))
        };
        let number = |of: &Type| matches!(of, Type::Number | Type::Money);
        let fault = match (a_of, b_of) {
            (Type::Person, Type::Text) => write(fault, format!("{wa} = person({wb})")),
            (Type::Person, Type::Position) => write(fault, format!("{wa} in holders({wb})")),
            (Type::Person, Type::Department) => write(fault, format!("{wa}.department = {wb}")),
            (Type::Date | Type::DateTime, Type::Number) => write(fault, format!("{wa} + {wb} days")),
            (Type::DateTime, Type::Date) => write(fault, format!("date({wa}) = {wb}")),
            (Type::Date, Type::DateTime) => write(fault, format!("{wa} = date({wb})")),
            (Type::Text | Type::Choice(_), b) if number(b) => write(fault, format!("{wa} + string({wb})")),
            (a, Type::Text | Type::Choice(_)) if number(a) => write(fault, format!("string({wa}) + {wb}")),
            (a, b) if number(a) && number(b) => fault.hint(
                "金额和数字不能加减或比较：把字段的类型改成一样，或乘、除一个数字。",
                "Money and numbers are not added or compared: give both the same type, or multiply or divide.",
            ),
            (_, Type::List(_)) => write(fault, format!("{wa} in {wb}")),
            (Type::List(_), _) => write(fault, format!("list contains({wa}, {wb})")),
            _ => fault,
        };
        self.fault(fault);
    }

    /// Whether two sides may be compared; reports if not.
    fn check_alike(&mut self, node: &Node, a: &Typing, b: &Typing, order: bool) {
        let money = matches!((&a.of, &b.of), (Type::Money, Type::Number) if b.loose)
            || matches!((&a.of, &b.of), (Type::Number, Type::Money) if a.loose);
        let (x, y) = (types::words(&a.of), types::words(&b.of));
        if !money && !types::alike(&a.of, &b.of) {
            let (left, right) = match &node.syntax {
                Syntax::Compare(_, a, b) => (&**a, &**b),
                Syntax::Range { low, high, .. } => (&**low, &**high),
                _ => (node, node),
            };
            return self.unlike(node, (left, &a.of), (right, &b.of));
        }
        if order && !(types::ordered(&a.of) && types::ordered(&b.of)) {
            self.fault(
                Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    format!("{}和{}没有先后大小", x.zh, y.zh),
                    format!("{} and {} have no order", x.en, y.en),
                )
                .hint("只能用 `=`、`!=` 或 `in`。", "Only `=`, `!=` and `in` fit."),
            );
        }
    }

    /// Whether the type of a node only comes from the other side of a comparison.
    fn leans(&self, node: &Node) -> bool {
        match &node.syntax {
            Syntax::Text(_) => true,
            Syntax::Name(name) => self.lookup(name).is_none(),
            Syntax::List(items) => items.iter().all(|item| self.leans(item)),
            _ => false,
        }
    }

    fn compare(&mut self, node: &Node, op: Comparison, a: &Node, b: &Node) -> Typing {
        let (mut left, mut right);
        if self.leans(a) && !self.leans(b) {
            right = self.visit(b, None);
            left = self.visit(a, options_of(&right.of).as_ref());
        } else {
            left = self.visit(a, None);
            right = self.visit(b, options_of(&left.of).as_ref());
        }
        let order = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        if order {
            left = self.set(a, left);
            right = self.set(b, right);
        }
        self.check_alike(node, &left, &right, order);
        Typing::new(Op::Compare(op, left.expr, right.expr), Type::Boolean)
    }

    fn contained(&mut self, value: &Node, tests: &[Test]) -> Typing {
        let typing = if self.leans(value) {
            let hint = tests.iter().find_map(|test| match test {
                Test::Is(node) if !self.leans(node) => {
                    let before = self.faults.len();
                    let typing = self.visit(node, None);
                    self.faults.truncate(before);
                    options_of(&typing.of)
                }
                _ => None,
            });
            self.visit(value, hint.as_ref())
        } else {
            self.visit(value, None)
        };
        let asks = |test: &Test| match test {
            Test::Compare(..) => true,
            Test::Is(node) => matches!(node.syntax, Syntax::Range { .. }),
            _ => false,
        };
        let typing = if tests.iter().any(asks) { self.set(value, typing) } else { typing };
        self.tests(typing, tests, false)
    }

    /// Whether a value passes one of the tests; in a cell, conditions on `?` are tests too.
    fn tests(&mut self, value: Typing, tests: &[Test], cell: bool) -> Typing {
        let mut typed = value.typed();
        if cell {
            // A cell that asks something is not passed by what is unset; the table says so.
            typed.optional = false;
        }
        let exprs = self.binding(vec![("?".into(), typed.clone(), false)], |pass, slot| {
            let subject = Typing {
                expr: Expr::new(Op::Local(slot)),
                of: typed.of.clone(),
                optional: typed.optional,
                loose: value.loose,
            };
            tests.iter().map(|test| pass.test(&subject, test)).collect()
        });
        Typing::new(Op::In(value.expr, exprs), Type::Boolean)
    }

    fn test(&mut self, subject: &Typing, test: &Test) -> Expr {
        let hint = options_of(&subject.of);
        match test {
            Test::Any => Expr::literal(Value::Boolean(true)),
            Test::Not(tests) => {
                let inner = tests.iter().map(|test| self.test(subject, test)).collect();
                Expr::new(Op::Call("not".into(), vec![Expr::new(Op::Or(inner))]))
            }
            Test::Compare(op, node) => {
                let order = !matches!(op, Comparison::Equal | Comparison::NotEqual);
                let mut other = self.visit(node, hint.as_ref());
                if order {
                    other = self.set(node, other);
                }
                self.check_alike(node, subject, &other, order);
                Expr::new(Op::Compare(*op, subject.expr.clone(), other.expr))
            }
            Test::Is(node) if mentions_subject(node) => self.condition(node).expr,
            Test::Is(node) => {
                let other = self.visit(node, hint.as_ref());
                let item = match &other.of {
                    Type::Range(of) => Typing { of: (**of).clone(), loose: true, ..other.clone() },
                    Type::List(of) if !matches!(subject.of, Type::List(_)) => {
                        let of = match &of.of {
                            Type::Range(of) => (**of).clone(),
                            of => of.clone(),
                        };
                        Typing { of, loose: true, ..other.clone() }
                    }
                    _ => other.clone(),
                };
                self.check_alike(node, subject, &item, false);
                Expr::new(Op::Matches(subject.expr.clone(), other.expr))
            }
        }
    }

    fn path(&mut self, node: &Node, of: &Node, name: &str, range: &Range<usize>) -> Typing {
        if let Syntax::Path(steps, step, step_range) = &of.syntax
            && self.is_steps(steps)
        {
            return self.step(node, step, step_range, name, range);
        }
        if self.is_instance(of) && self.scope.instance {
            let (fact, of, optional) = match name {
                "number" => (InstanceFact::Number, Type::Text, !self.scope.numbered),
                "started_at" => (InstanceFact::StartedAt, Type::DateTime, false),
                _ => {
                    self.unknown_property("instance", name, range, ["number", "started_at"]);
                    return Typing::unknown();
                }
            };
            self.reads.insert(Read::Instance);
            let optional = optional && !self.knows(node, Fact::Set);
            return Typing { optional, ..Typing::new(Op::Instance(fact), of) };
        }
        if self.is_steps(of) {
            self.fault(
                Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    format!("`steps.{name}` 本身不是值"),
                    format!("`steps.{name}` itself is no value"),
                )
                .hint(
                    format!("写 `steps.{name}.outcome`、`.by`、`.at` 或 `.late`。"),
                    format!("Write `steps.{name}.outcome`, `.by`, `.at` or `.late`."),
                ),
            );
            return Typing::unknown();
        }
        let base = self.visit(of, None);
        let base = self.set(of, base);
        let typed = match &base.of {
            Type::Any | Type::Null => Some(Typed::always(Type::Any)),
            Type::Record(columns) => columns.get(name).cloned(),
            Type::List(item) => match &item.of {
                Type::Any | Type::Null => Some(Typed::always(Type::Any)),
                Type::Record(columns) => columns.get(name).cloned(),
                other => property::type_of(other, name),
            }
            .map(|typed| Typed::always(Type::List(Box::new(typed)))),
            other => property::type_of(other, name),
        };
        let Some(typed) = typed else {
            let item = match &base.of {
                Type::List(item) => &item.of,
                other => other,
            };
            let written = self.written(of);
            match item {
                Type::Record(columns) => {
                    let columns = Arc::clone(columns);
                    self.unknown_property(written, name, range, columns.keys().map(FieldName::as_str));
                }
                other => self.unknown_property(written, name, range, property::names(other).iter().copied()),
            }
            let null = Expr::literal(Value::Null);
            return Typing {
                expr: if self.scope.untyped { Expr::new(Op::Path(base.expr, name.into())) } else { null },
                ..Typing::unknown()
            };
        };
        if matches!(base.of, Type::Person | Type::Position | Type::Department) {
            self.reads.insert(Read::Directory);
        }
        let optional = typed.optional && !self.knows(node, Fact::Set);
        Typing { expr: Expr::new(Op::Path(base.expr, name.into())), of: typed.of, optional, loose: false }
    }

    fn unknown_property<'n>(
        &mut self,
        of: &str,
        name: &str,
        range: &Range<usize>,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        let near = likely(name, known.iter().copied());
        let fault = Fault::new(
            range.clone(),
            FaultKind::UnknownProperty,
            format!("`{of}` 没有 `{name}`"),
            format!("`{of}` has no `{name}`"),
        );
        let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
        self.fault(match near {
            Some(near) => fault.did_you_mean(Some(near)),
            None if known.is_empty() => fault,
            None => fault.hint(format!("它有：{all}。"), format!("It has {all}.")),
        });
    }

    fn step(&mut self, node: &Node, step: &str, step_range: &Range<usize>, name: &str, range: &Range<usize>) -> Typing {
        let Some(found) = self.scope.steps.get(step) else {
            let near = likely(step, self.scope.steps.keys().map(StepId::as_str));
            self.fault(
                Fault::new(
                    step_range.clone(),
                    FaultKind::UnknownName,
                    format!("这里读不到名为 `{step}` 的步骤"),
                    format!("no step `{step}` can be read here"),
                )
                .did_you_mean(near),
            );
            return Typing::unknown();
        };
        let (fact, of) = match name {
            "outcome" => (StepFact::Outcome, Type::Choice(Arc::clone(&found.outcomes))),
            "by" => (StepFact::By, Type::Person),
            "at" => (StepFact::At, Type::DateTime),
            "late" => (StepFact::Late, Type::Boolean),
            _ => {
                self.unknown_property(&format!("steps.{step}"), name, range, ["outcome", "by", "at", "late"]);
                return Typing::unknown();
            }
        };
        let always = found.always;
        let step = StepId::from(step);
        self.reads.insert(Read::Step(step.clone()));
        let optional = !always && !self.knows(node, Fact::Set);
        Typing { optional, ..Typing::new(Op::Step(step, fact), of) }
    }

    fn filter(&mut self, list: &Node, condition: &Node) -> Typing {
        let typing = self.visit(list, None);
        let typing = self.set(list, typing);
        let item = match &typing.of {
            Type::List(item) => (**item).clone(),
            Type::Any => Typed::always(Type::Any),
            other => {
                self.wrong_type(list, other, &Type::List(Box::new(Typed::always(Type::Any))));
                Typed::always(other.clone())
            }
        };
        let lenient = matches!(item.of, Type::Any | Type::Null) || self.scope.untyped;
        let row = Typed { of: if lenient { Type::Any } else { item.of.clone() }, optional: item.optional };
        let (asked, known, slot) = self.binding(vec![("item".into(), row, true)], |pass, slot| {
            let asked = pass.visit(condition, None);
            let asked = pass.set(condition, asked);
            (asked, pass.assume(condition, true), slot)
        });
        match asked.of {
            Type::Boolean => {}
            Type::Number => {
                let op = Op::Filter { list: typing.expr, condition: asked.expr, lenient };
                return Typing { optional: item.optional, ..Typing::new(op, item.of) };
            }
            Type::Any => {
                let op = Op::Filter { list: typing.expr, condition: asked.expr, lenient };
                return Typing::new(op, Type::Any);
            }
            other => self.wrong_type(condition, &other, &Type::Boolean),
        }
        let item = narrowed(item, &known, slot);
        let op = Op::Filter { list: typing.expr, condition: asked.expr, lenient };
        Typing::new(op, Type::List(Box::new(item)))
    }

    /// Binds the names of `for`, `some` and `every` in turn, then the body.
    fn iterate<T>(&mut self, over: &[Over], body: impl FnOnce(&mut Self) -> T) -> (Vec<Source<Expr>>, T) {
        let before = self.locals.len();
        let mut sources = Vec::with_capacity(over.len());
        for each in over {
            let from = self.visit(&each.from, None);
            let from = self.set(&each.from, from);
            let to = each.to.as_ref().map(|to| {
                let typing = self.visit(to, None);
                (to, self.set(to, typing))
            });
            let item = match (&from.of, &to) {
                (of, Some((node, to))) => {
                    for (node, of) in [(&each.from, of), (*node, &to.of)] {
                        if !matches!(of, Type::Number | Type::Any) {
                            self.wrong_type(node, of, &Type::Number);
                        }
                    }
                    Typed::always(Type::Number)
                }
                (Type::List(item), None) => (**item).clone(),
                (Type::Range(item), None) => Typed::always((**item).clone()),
                (Type::Any, None) => Typed::always(Type::Any),
                (other, None) => {
                    self.wrong_type(&each.from, other, &Type::List(Box::new(Typed::always(Type::Any))));
                    Typed::always(Type::Any)
                }
            };
            if self.lookup(&each.name).is_some() {
                let name = &each.name;
                self.fault(
                    Fault::new(
                        each.range.clone(),
                        FaultKind::AmbiguousName,
                        format!("`{name}` 在这里已经有意思了"),
                        format!("`{name}` already means something here"),
                    )
                    .hint("换一个名称。", "Choose another name."),
                );
            }
            sources.push(Source { from: from.expr, to: to.map(|(_, to)| to.expr) });
            self.locals.push(Local { name: each.name.clone(), typed: item, row: false });
        }
        let body = body(self);
        self.locals.truncate(before);
        (sources, body)
    }
}

/// The item of a filtered list: what the condition asked for is set.
fn narrowed(mut item: Typed, known: &[Known], slot: u16) -> Typed {
    let itself = format!("#{slot}");
    let set = |key: &str| known.iter().any(|(known, fact)| *fact == Fact::Set && known == key);
    if set(&itself) {
        item.optional = false;
    }
    if let Type::Record(columns) = &item.of {
        let asked = |name: &FieldName| set(&format!("{itself}.{name}"));
        if columns.iter().any(|(name, typed)| typed.optional && asked(name)) {
            let mut columns = (**columns).clone();
            columns.iter_mut().for_each(|(name, typed)| typed.optional &= !asked(name));
            item.of = Type::Record(Arc::new(columns));
        }
    }
    item
}

/// Whether a test is a condition on `?`.
fn mentions_subject(node: &Node) -> bool {
    let mut found = matches!(&node.syntax, Syntax::Name(name) if name == "?");
    node.syntax.each_child(&mut |child| found |= mentions_subject(child));
    found
}

/// The type of a literal.
fn type_of(value: &Value) -> Type {
    match value {
        Value::Boolean(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::Text(_) => Type::Text,
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time,
        Value::DateTime(_) => Type::DateTime,
        Value::Duration(_) => Type::Duration,
        _ => Type::Any,
    }
}

/// Whether a word may be a name of something in an expression.
pub fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(super::lex::starts_name)
        && chars.all(super::lex::continues_name)
        && !KEYWORDS.contains(&word)
}
