//! Functions of the directory: who stands where.

use super::super::machine::Machine;
use super::{Accepts, Failure, Function, Typed, Value, one, or_null, unexpected};
use crate::model::id::PersonId;
use crate::model::value::Type;

fn people(_: &[Typed]) -> Typed {
    Typed::always(Type::List(Box::new(Typed::always(Type::Person))))
}
fn person(_: &[Typed]) -> Typed {
    Typed::always(Type::Person)
}
fn perhaps_a_person(_: &[Typed]) -> Typed {
    Typed::optional(Type::Person)
}

/// Pays for a look at everybody.
fn look_through(machine: &mut Machine<'_>) -> Result<(), Failure> {
    machine.spend(machine.context.directory.people.len())
}

fn all(ids: Vec<PersonId>) -> Value {
    Value::List(ids.into_iter().map(Value::Person).collect())
}

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "manager_of",
        forms: &[&[or_null("person", Accepts::Person)]],
        spreads: false,
        of: perhaps_a_person,
        run: |machine, arguments| match arguments {
            [Value::Person(id)] => {
                look_through(machine)?;
                Ok(machine.context.directory.manager_of(id).map_or(Value::Null, Value::Person))
            }
            [Value::Null] => Ok(Value::Null),
            _ => Err(unexpected("manager_of")),
        },
    },
    Function {
        name: "head_of",
        forms: &[&[or_null("department", Accepts::Department)]],
        spreads: false,
        of: perhaps_a_person,
        run: |machine, arguments| match arguments {
            [Value::Department(id)] => {
                look_through(machine)?;
                Ok(machine.context.directory.head_of(id).map_or(Value::Null, Value::Person))
            }
            [Value::Null] => Ok(Value::Null),
            _ => Err(unexpected("head_of")),
        },
    },
    Function {
        name: "holders",
        forms: &[&[or_null("position", Accepts::Position)]],
        spreads: false,
        of: people,
        run: |machine, arguments| match arguments {
            [Value::Position(id)] => {
                look_through(machine)?;
                Ok(all(machine.context.directory.holders(id)))
            }
            [Value::Null] => Ok(all(Vec::new())),
            _ => Err(unexpected("holders")),
        },
    },
    Function {
        name: "members",
        forms: &[&[or_null("department", Accepts::Department)]],
        spreads: false,
        of: people,
        run: |machine, arguments| match arguments {
            [Value::Department(id)] => {
                look_through(machine)?;
                Ok(all(machine.context.directory.members(id)))
            }
            [Value::Null] => Ok(all(Vec::new())),
            _ => Err(unexpected("members")),
        },
    },
    Function {
        name: "person",
        forms: &[&[one("id", Accepts::Text)]],
        spreads: false,
        of: person,
        run: |machine, arguments| match arguments {
            [Value::Text(id)] => match machine.context.directory.people.get_key_value(id.as_ref()) {
                Some((id, _)) => Ok(Value::Person(id.clone())),
                None => Err(Failure::new(
                    format!("通讯录里没有编号为 `{id}` 的人员"),
                    format!("the directory has no person with the id `{id}`"),
                )),
            },
            _ => Err(unexpected("person")),
        },
    },
    Function {
        name: "up_to",
        forms: &[&[one("person", Accepts::Person), one("position", Accepts::Position)]],
        spreads: false,
        of: people,
        run: |machine, arguments| match arguments {
            [Value::Person(id), Value::Position(position)] => {
                (0..4).try_for_each(|_| look_through(machine))?;
                let directory = machine.context.directory;
                let mut chain = Vec::new();
                for superior in directory.superiors(id) {
                    let holds = directory.people.get(&superior).is_some_and(|found| found.positions.contains(position));
                    chain.push(superior);
                    if holds {
                        return Ok(all(chain));
                    }
                }
                // Nobody stands up to a place that no superior holds.
                Ok(all(Vec::new()))
            }
            _ => Err(unexpected("up_to")),
        },
    },
];
