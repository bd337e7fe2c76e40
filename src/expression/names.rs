//! Names: what each means where it stands, and what was likely meant by one that means nothing.

use super::cursor::KEYWORDS;
use super::fault::{Fault, FaultKind, likely};
use super::functions;
use super::habit;
use super::infer::{Infer, Options, Typing};
use super::narrow::Fact;
use super::tree::Node;
use crate::model::formula::{Expr, Op, Read};
use crate::model::id::{DepartmentId, FieldName, PersonId, PositionId};
use crate::model::text::Wording;
use crate::model::value::{Type, Typed, Value};
use std::sync::Arc;

impl Infer<'_> {
    /// What a name means here.
    pub(super) fn lookup(&self, name: &str) -> Option<Found> {
        self.lookup_below(name, self.locals.len())
    }

    pub(super) fn lookup_below(&self, name: &str, below: usize) -> Option<Found> {
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
    pub(super) fn bound(&mut self, name: &str, found: Found) -> Typing {
        let typing = |op, typed: Typed| Typing { optional: typed.optional, ..Typing::new(op, typed.of) };
        match found {
            Found::Local(slot, typed) => {
                let unit = self.locals.get(usize::from(slot)).and_then(|local| local.unit);
                typing(Op::Local(slot), typed).in_unit(unit)
            }
            Found::Column(slot, typed) => {
                typing(Op::Path(Expr::new(Op::Local(slot)), name.into()), typed).in_unit(self.unit_of(name))
            }
            Found::Dynamic(row, outer) => {
                let otherwise = match outer {
                    Some(outer) => self.bound(name, *outer).expr,
                    None => Expr::literal(Value::Null),
                };
                Typing::new(Op::Column { row, name: name.into(), otherwise }, Type::Any)
            }
            Found::Field(typed) => {
                let field = FieldName::from(name);
                self.read(Read::Field(field.clone()));
                typing(Op::Field(field), typed).in_unit(self.unit_of(name))
            }
            Found::Applicant => {
                self.read(Read::Applicant);
                Typing::new(Op::Applicant, Type::Person)
            }
            Found::Assignee => {
                self.read(Read::Assignee);
                Typing::new(Op::Assignee, Type::Person)
            }
            Found::Outcome(options) => {
                self.read(Read::Outcome);
                Typing::new(Op::Outcome, Type::Choice(options))
            }
            Found::Everyone => {
                self.read(Read::Directory);
                Typing::new(Op::Everyone, Type::List(Box::new(Typed::always(Type::Person))))
            }
            Found::Position => {
                self.read(Read::Directory);
                Typing::new(Op::Literal(Value::Position(PositionId::from(name))), Type::Position)
            }
            Found::Department => {
                self.read(Read::Directory);
                Typing::new(Op::Literal(Value::Department(DepartmentId::from(name))), Type::Department)
            }
        }
    }

    pub(super) fn name(&mut self, node: &Node, name: &str, options: Option<&Options>) -> Typing {
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
                    .hint("要选项，给它加双引号。", "The option stands in double quotes.")
                    .suggest(format!("\"{name}\"")),
                );
            }
            return Typing::new(Op::Literal(Value::Text(Arc::clone(option))), Type::Choice(Arc::clone(options)));
        }
        match found {
            Some(found) => {
                let field = matches!(found, Found::Field(_));
                let mut typing = self.bound(name, found);
                typing.optional &= !(self.knows(node, Fact::Set) || field && self.is_asked(name));
                typing
            }
            None => {
                self.unknown_name(node, name, options);
                Typing::unknown()
            }
        }
    }

    /// Every name that means something here.
    pub(super) fn names(&self) -> Vec<&str> {
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

    pub(super) fn unknown_name(&mut self, node: &Node, name: &str, options: Option<&Options>) {
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
            // Options that could not be read are told where they are written.
            let fault = Fault { doubtful: options.is_empty(), ..fault };
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
            "yes" | "on" | "True" | "TRUE" | "Yes" | "YES" | "On" | "ON" | "是" => truth(fault, "true"),
            "no" | "off" | "False" | "FALSE" | "No" | "NO" | "Off" | "OFF" | "否" => truth(fault, "false"),
            "None" | "nil" | "NULL" | "Null" | "undefined" => fault.did_you_mean(Some("null".to_owned())),
            "items" | "item" if self.names().is_empty() => fault,
            _ if let Some(own) = habit::part_of_case(name).filter(|own| self.names().contains(own)) => {
                fault.did_you_mean(Some(own.to_owned()))
            }
            _ if let Some(row) = self.row_with(name) => fault.did_you_mean(Some(format!("{row}.{name}"))),
            _ if functions::find(name).is_some() => {
                fault.hint(format!("要调用函数，写 `{name}(…)`。"), format!("To call the function, write `{name}(…)`."))
            }
            _ if let Some(words) = habit::length(name) => fault.did_you_mean(Some(words)),
            _ if self.scope.positions && self.is_a_person(name) => self.held_by(fault, name),
            _ if self.is_a_person(name) => fault
                .hint(format!("人员写成 `person(\"{name}\")`。"), format!("A person is written `person(\"{name}\")`."))
                .suggest(format!("person(\"{name}\")")),
            _ => {
                let near = likely(name, self.names());
                if near.is_none() && self.scope.positions {
                    self.positions(fault)
                } else if near.is_none() {
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

    /// A person is named where a position is: of those that they hold, one is meant.
    fn held_by(&self, fault: Fault, name: &str) -> Fault {
        let held = self.scope.directory.as_ref().and_then(|directory| directory.people.get(name));
        match held.map_or(&[][..], |person| person.positions.as_slice()) {
            [] => fault.hint(
                format!("`{name}` 是一个人，没有岗位；这里写岗位。"),
                format!("`{name}` is a person without a position; positions are written here."),
            ),
            held => {
                let listed = quoted(held.iter());
                fault.hint(
                    format!("`{name}` 是一个人，这里写岗位：{}。", listed.zh),
                    format!("`{name}` is a person; positions are written here: {}.", listed.en),
                )
            }
        }
    }

    /// What positions there are.
    fn positions(&self, fault: Fault) -> Fault {
        const MOST: usize = 12;
        let Some(directory) = &self.scope.directory else { return fault };
        let all = &directory.positions;
        let listed = quoted(all.keys().take(MOST));
        let more = if all.len() > MOST { " …" } else { "" };
        fault.hint(
            format!("这里写岗位：{}{more}。", listed.zh),
            format!("Positions are written here: {}{more}.", listed.en),
        )
    }

    /// What the row is called that has such a column.
    fn row_with(&self, column: &str) -> Option<&FieldName> {
        let has = |typed: &Typed| matches!(&typed.of, Type::Record(columns) if columns.contains_key(column));
        self.scope.fields.iter().find(|(_, typed)| has(typed)).map(|(name, _)| name)
    }

    pub(super) fn is_a_person(&self, name: &str) -> bool {
        self.scope.directory.as_ref().is_some_and(|directory| directory.people.contains_key(name))
    }

    /// The person that `person("…")` names has to exist.
    pub(super) fn check_person(&mut self, node: &Node, id: &str) {
        let Some(directory) = &self.scope.directory else { return };
        if directory.people.contains_key(id) {
            return;
        }
        let near = likely(id, directory.people.keys().map(PersonId::as_str));
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
}

/// Positions one after the other.
fn quoted<'p>(positions: impl Iterator<Item = &'p PositionId>) -> Wording {
    let positions: Vec<String> = positions.map(|position| format!("`{position}`")).collect();
    Wording::new(positions.join("、"), positions.join(", "))
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

/// Whether a word may be a name of something in an expression.
pub fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(super::lex::starts_name)
        && chars.all(super::lex::continues_name)
        && !KEYWORDS.contains(&word)
        && word != "instance"
}

/// A word for true or false that YAML would know and FEEL does not.
fn truth(fault: Fault, word: &str) -> Fault {
    fault.hint("是和否写作 `true` 和 `false`。", "Yes and no are written `true` and `false`.").suggest(word)
}
