//! Functions of records, which the standard calls contexts.

use super::list::items;
use super::{Accepts, Failure, Function, Typed, Value, any, one, or_null, unexpected};
use crate::expression::machine::weight;
use crate::model::id::FieldName;
use crate::model::value::{Record, Type};

fn entries(_: &[Typed]) -> Typed {
    Typed::always(Type::List(Box::new(Typed::always(Type::Any))))
}

fn entry(record: &Record, key: &str) -> Option<Value> {
    record.get(key).cloned()
}

fn put(record: &Record, keys: &[&str], value: &Value) -> Result<Record, Failure> {
    let Some((key, rest)) = keys.split_first() else {
        return Err(Failure::new("没有给出键", "no key is given"));
    };
    let mut changed = record.clone();
    let new = if rest.is_empty() {
        value.clone()
    } else {
        match record.get(*key) {
            Some(Value::Record(inner)) => Value::Record(put(inner, rest, value)?),
            None => Value::Record(put(&Record::new(), rest, value)?),
            _ => return Err(Failure::new(format!("`{key}` 不是记录"), format!("`{key}` is no record"))),
        }
    };
    changed.insert(FieldName::from(*key), new);
    Ok(changed)
}

fn context_of(list: &[Value]) -> Result<Value, Failure> {
    let bad = || {
        Failure::new(
            "每一项应该是 `{key: …, value: …}`，并且键不重复",
            "each item has to be `{key: …, value: …}`, and no key may come twice",
        )
    };
    let mut record = Record::new();
    for item in list {
        let Value::Record(item) = item else { return Err(bad()) };
        let (Some(Value::Text(key)), Some(value)) = (item.get("key"), item.get("value")) else { return Err(bad()) };
        if record.insert(FieldName::from(key.as_ref()), value.clone()).is_some() {
            return Err(bad());
        }
    }
    Ok(Value::Record(record))
}

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "get value",
        forms: &[&[one("m", Accepts::Record), one("key", Accepts::Text)]],
        spreads: false,
        of: any,
        run: |_, arguments| match arguments {
            [Value::Record(record), Value::Text(key)] => entry(record, key)
                .ok_or_else(|| Failure::unset(format!("没有 `{key}`"), format!("there is no `{key}`"))),
            _ => Err(unexpected("get value")),
        },
    },
    Function {
        name: "get entries",
        forms: &[&[one("m", Accepts::Record)]],
        spreads: false,
        of: entries,
        run: |machine, arguments| match arguments {
            [Value::Record(record)] => {
                let mut list = Vec::with_capacity(record.len());
                for (name, value) in record {
                    let value = machine.copy(value)?;
                    let pair = [("key".into(), Value::text(name.as_str())), ("value".into(), value)];
                    list.push(Value::Record(Record::from_iter(pair)));
                }
                machine.list(list)
            }
            _ => Err(unexpected("get entries")),
        },
    },
    Function {
        name: "context",
        forms: &[&[one("entries", Accepts::List)]],
        spreads: false,
        of: any,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            context_of(items(arguments, 0)?)
        },
    },
    Function {
        name: "context put",
        forms: &[
            &[one("context", Accepts::Record), one("key", Accepts::Any), or_null("value", Accepts::Any)],
            &[one("context", Accepts::Record), one("keys", Accepts::List), or_null("value", Accepts::Any)],
        ],
        spreads: false,
        of: any,
        run: |machine, arguments| match arguments {
            [Value::Record(record), key, value] => {
                machine.spend(2 * weight(arguments.first().copied().unwrap_or(&Value::Null)) + weight(value))?;
                let keys = match key {
                    Value::Text(key) => vec![key.as_ref()],
                    Value::List(keys) => keys.iter().map(Value::as_text).collect::<Option<_>>().unwrap_or_default(),
                    _ => Vec::new(),
                };
                put(record, &keys, value).map(Value::Record)
            }
            _ => Err(unexpected("context put")),
        },
    },
    Function {
        name: "context merge",
        forms: &[&[one("contexts", Accepts::List)]],
        spreads: false,
        of: any,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            let mut merged = Record::new();
            for item in items(arguments, 0)? {
                let Value::Record(record) = item else { return Err(unexpected("context merge")) };
                merged.extend(record.clone());
            }
            Ok(Value::Record(merged))
        },
    },
];
