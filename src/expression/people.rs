//! Who does something: a person, a position, or lists and choices of them, and nobody left out by accident.

use super::fault::{Fault, FaultKind};
use super::infer::{Infer, Typing};
use super::tree::{Node, Syntax};
use super::types;
use crate::model::formula::{Expr, Op};
use crate::model::text::Wording;
use crate::model::value::{Type, Typed, Value};

/// How somebody is chosen who is not written down.
const CHOSEN: (&str, &str) = (
    "要由人来选，就让表单里的字段是 `type: person`。",
    "Let the form ask for somebody with a field of `type: person`.",
);

impl Infer<'_> {
    /// Who does something: each branch and item is a person or a position.
    pub(super) fn people(&mut self, node: &Node) -> Typing {
        match &node.syntax {
            Syntax::List(items) => {
                let items = items.iter().map(|item| self.people(item).expr).collect();
                let of = Type::List(Box::new(Typed::always(Type::Any)));
                Typing::new(Op::List(items), of)
            }
            Syntax::If(condition, then, otherwise) => {
                let asked = self.condition(condition);
                let known = self.holding(condition, &asked.expr, true);
                let then = self.knowing(known, |pass| pass.people(then));
                let known = self.holding(condition, &asked.expr, false);
                let otherwise = self.knowing(known, |pass| pass.people(otherwise));
                let of = types::join(&then.of, &otherwise.of).unwrap_or(Type::Any);
                Typing::new(Op::If(asked.expr, then.expr, otherwise.expr), of)
            }
            syntax => {
                if let Some(told) = self.joined_people(node) {
                    return told;
                }
                let typing = self.visit(node, None);
                let finds = matches!(syntax, Syntax::Call(..) | Syntax::Word(Value::Null));
                let typing = if finds { typing } else { self.set(node, typing) };
                let item = match &typing.of {
                    Type::List(of) => &of.of,
                    of => of,
                };
                if self.scope.somebody && !finds && matches!(typing.of, Type::List(_)) {
                    self.somebody(node);
                }
                if !matches!(item, Type::Person | Type::Position | Type::Any | Type::Null) {
                    self.wrong_type(node, &typing.of, &Type::Person);
                    let written = self.written(node);
                    if let Some(fault) = self.faults.last_mut().filter(|_| *item == Type::Department) {
                        fault.hint = Some(Wording::new(
                            format!("部门里谁来办？写 `head_of({written})` 或 `members({written})`。"),
                            format!("Who of the department? Write `head_of({written})` or `members({written})`."),
                        ));
                    }
                }
                typing
            }
        }
    }

    /// `boss or deputy` where people are asked: told once, as the list that is meant.
    fn joined_people(&mut self, node: &Node) -> Option<Typing> {
        let (Syntax::Or(parts) | Syntax::And(parts)) = &node.syntax else { return None };
        let listed: Vec<&str> = parts.iter().map(|part| self.written(part)).collect();
        let listed = listed.join(", ");
        let mode = if matches!(node.syntax, Syntax::Or(_)) { "any" } else { "all" };
        self.fault(
            Fault::new(
                node.range.clone(),
                FaultKind::WrongType,
                "`and` 和 `or` 连接的是条件。几个人写成列表",
                "`and` and `or` join conditions; several people are a list",
            )
            .hint(format!("[{listed}]，再写 `mode: {mode}`"), format!("[{listed}], and `mode: {mode}` beside it")),
        );
        Some(Typing::unknown())
    }

    /// Reports an id of a person that is not sure to be one: whatever somebody typed. One that is written is checked where
    /// it stands.
    pub(super) fn sure_person(&mut self, node: &Node, id: &Typing) {
        let Some(directory) = self.scope.directory.clone().filter(|_| !self.scope.untyped) else { return };
        let known = |id: &str| directory.people.contains_key(id);
        let written = self.written(node);
        if let Type::Choice(options) = &id.of
            && let Some(strange) = options.iter().find(|option| !known(option))
        {
            self.fault(Fault::new(
                node.range.clone(),
                FaultKind::WrongType,
                format!("`{written}` 可能是 `{strange}`，而通讯录里没有编号为 `{strange}` 的人员"),
                format!("`{written}` may be `{strange}`, and the directory has no person with that id"),
            ));
        }
        if id.of == Type::Text && !is_one_of(&id.expr, &known) && !matches!(node.syntax, Syntax::Text(_)) {
            self.fault(
                Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    format!("`{written}` 可以是任何文字，而 `person(…)` 只认通讯录里的编号，别的文字会让流程停下来"),
                    format!("`{written}` may be any text, while `person(…)` takes only an id of the directory and stops the case at another"),
                )
                .hint(CHOSEN.0, CHOSEN.1),
            );
        }
    }

    /// What helps where a text stands for a person.
    pub(super) fn person_instead(fault: Fault, text: &Node, written: &str) -> Fault {
        match text.syntax {
            Syntax::Text(_) => fault
                .hint(format!("例如写成 `person({written})`。"), format!("For example, write `person({written})`.")),
            _ => fault.hint(CHOSEN.0, CHOSEN.1),
        }
    }

    /// Reports a list of people that may be empty.
    fn somebody(&mut self, list: &Node) {
        if !self.may_be_empty(list) {
            return;
        }
        let (written, rows) = (self.written(list), self.written(self.rows(list)));
        self.fault(
            Fault::new(
                list.range.clone(),
                FaultKind::MaybeNobody,
                format!("`{written}` 可能是空的，那就没有人可以办"),
                format!("`{written}` may be empty, and then there is nobody to ask"),
            )
            .hint(
                format!("给这一步写 `when: count({rows}) > 0` 或 `policy: {{ nobody: skip }}`，或在表单里要求填写（`required: true`）。"),
                format!("Give the step `when: count({rows}) > 0` or `policy: {{ nobody: skip }}`, or let the form require it (`required: true`)."),
            ),
        );
    }
}

/// Whether a text is one of those that are written, each of which is `known`.
fn is_one_of(text: &Expr, known: &dyn Fn(&str) -> bool) -> bool {
    match text.op() {
        Op::Literal(Value::Text(text)) => known(text),
        Op::If(_, then, otherwise) => is_one_of(then, known) && is_one_of(otherwise, known),
        _ => false,
    }
}
