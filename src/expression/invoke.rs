//! Calls: which function is meant, which argument belongs where, and whether it fits.

use super::fault::{Fault, FaultKind, likely};
use super::functions::{self, Accepts, Function, Need, Parameter, parameter};
use super::infer::{Infer, Local, Typing};
use super::partial;
use super::property;
use super::tree::{Argument, Node, Syntax};
use super::unit;
use crate::model::formula::{Expr, Op, Read};
use crate::model::time::Unit;
use crate::model::value::{Type, Typed, Value};
use rust_decimal::Decimal;
use std::ops::Range;

impl Infer<'_> {
    pub(super) fn call(&mut self, node: &Node, name: &str, range: &Range<usize>, arguments: &[Argument]) -> Typing {
        let Some(function) = functions::find(name) else {
            self.unknown_function(name, range);
            arguments.iter().for_each(|argument| drop(self.visit(&argument.value, None)));
            return Typing::unknown();
        };
        let names: Vec<Option<&str>> =
            arguments.iter().map(|argument| argument.name.as_ref().map(|(name, _)| name.as_str())).collect();
        let Some((form, places)) = self.form(function, &names, arguments) else {
            let usage = function.usage();
            let fault = Fault::new(
                range.start..node.range.end,
                FaultKind::WrongArguments,
                format!("`{name}` 的参数不对"),
                format!("`{name}` does not take these arguments"),
            );
            self.fault(fault.hint(format!("用法：`{usage}`。"), format!("Usage: `{usage}`.")));
            return Typing::unknown();
        };
        match name {
            "now" | "today" => self.read(Read::Now),
            "context" if !self.scope.untyped => {
                let fault = Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    "`context` 里有什么要到运行时才知道，什么都检查不了",
                    "what a `context` has is only known as it runs, so nothing of it can be checked",
                );
                self.fault(fault.hint(
                    "直接写出来：`{ name: value }`；或在列表里找：`l[key = \"name\"].value`。",
                    "Write it out: `{ name: value }`; or look it up in the list: `l[key = \"name\"].value`.",
                ));
                return Typing::unknown();
            }
            "manager_of" | "head_of" | "holders" | "members" | "person" | "up_to" => self.read(Read::Directory),
            _ => {}
        }
        if let ("person", [argument]) = (name, arguments)
            && let Syntax::Name(bare) = &argument.value.syntax
            && self.lookup(bare).is_none()
            && self.is_a_person(bare)
        {
            let fault = Fault::new(
                argument.value.range.clone(),
                FaultKind::UnknownName,
                format!("人员的名称 `{bare}` 要放在双引号里"),
                format!("the name of a person, `{bare}`, stands in double quotes"),
            );
            self.fault(fault.suggest(format!("\"{bare}\"")));
            return Typing::unknown();
        }
        if let [argument] = arguments
            && let Syntax::Text(text) = &argument.value.syntax
        {
            match name {
                "person" => self.check_person(&argument.value, text),
                "date" | "time" | "date and time" | "duration" => return self.temporal(name, &argument.value, text),
                _ => {}
            }
        }
        let width = places.iter().map(|place| place + 1).max().unwrap_or(0);
        let mut typings: Vec<Option<Typing>> = vec![None; width];
        for (argument, place) in arguments.iter().zip(&places) {
            let Some(parameter) = parameter(form, *place) else { continue };
            let typing = if parameter.accepts == Accepts::Function {
                let list = typings.first().and_then(Option::as_ref).cloned();
                self.precedes(&argument.value, list)
            } else {
                // The other argument of a search says which options may stand bare.
                let options = typings.first().and_then(Option::as_ref).and_then(|first| match name {
                    "list contains" | "index of" => super::infer::options_of(&first.of),
                    _ => None,
                });
                let typing = self.visit(&argument.value, options.as_ref());
                self.argument(function, parameter, &argument.value, typing, arguments.len() == 1)
            };
            if let Some(slot) = typings.get_mut(*place) {
                *slot = Some(typing);
            }
        }
        if let ("person", [argument], Some(Some(id))) = (name, arguments, typings.first().cloned()) {
            self.sure_person(&argument.value, &id);
        }
        let missing = || Typing { optional: true, ..Typing::unknown() };
        let typings: Vec<Typing> = typings.into_iter().map(|typing| typing.unwrap_or_else(missing)).collect();
        let unit = match name {
            "years and months duration" => Some(Unit::Months),
            _ => self.common_unit(node, &typings, matches!(name, "min" | "max" | "sort")),
        };
        if let ("modulo", [_, divisor], [_, by]) = (name, arguments, typings.as_slice()) {
            self.check_divisor(&divisor.value, by);
        }
        if let ([_, places], [_, many]) = (arguments, typings.as_slice())
            && functions::rounds(name)
        {
            self.check_places(&places.value, &many.expr);
        }
        let (mut of, exprs): (Vec<Typed>, Vec<Expr>) =
            typings.into_iter().map(|typing| (typing.typed(), typing.expr)).unzip();
        let partial = partial::is_partial(name) && !self.has_value(name, arguments, &of, &exprs);
        if function.spreads {
            of = spread(of);
        }
        let typed = (function.of)(&of);
        let typing = Typing::new(Op::Call(function.name.into(), exprs), typed.of).in_unit(unit);
        self.check_size(node, &typing.expr);
        Typing { optional: typed.optional || partial, ..typing }
    }

    /// Reports a number of decimal places that may be none: no whole number, or one beyond what there is.
    fn check_places(&mut self, node: &Node, places: &Expr) {
        let before = self.faults.len();
        self.check_whole(node, places);
        let (low, high) = self.extent(places).ends();
        let most = Decimal::from(functions::MOST_PLACES);
        let within = low.is_some_and(|low| low >= -most) && high.is_some_and(|high| high <= most);
        if self.scope.untyped || within || self.faults.len() > before {
            return;
        }
        let written = self.written(node);
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::WrongType,
            format!("`{written}` 可能不是小数位数：最多 {most} 位"),
            format!("`{written}` may be no number of decimal places: {most} are the most"),
        );
        self.fault(fault.hint(
            format!("给它读的字段写上 `min` 和 `max`，或写成 `max(0, min(10, {written}))`。"),
            format!("Limit what it reads with `min` and `max`, or write `max(0, min(10, {written}))`."),
        ));
    }

    /// The form that is meant: by the names of the arguments, else by their number and by what they are.
    fn form(
        &self,
        function: &Function,
        names: &[Option<&str>],
        arguments: &[Argument],
    ) -> Option<(&'static [Parameter], Vec<usize>)> {
        let lambda = |at: usize| arguments.get(at).is_some_and(|a| matches!(a.value.syntax, Syntax::Function(..)));
        let (form, places) = function.places(names)?;
        if (0..arguments.len()).any(lambda) {
            let form = function.forms.iter().find(|form| form.iter().any(|p| p.accepts == Accepts::Function))?;
            let fits = places
                .iter()
                .enumerate()
                .all(|(at, place)| lambda(at) == form.get(*place).is_some_and(|p| p.accepts == Accepts::Function));
            return (fits && form.len() == places.len()).then_some((*form, places));
        }
        let takes_function = |form: &[Parameter]| form.iter().any(|p| p.accepts == Accepts::Function);
        (!takes_function(form)).then_some((form, places))
    }

    fn argument(
        &mut self,
        function: &Function,
        parameter: &Parameter,
        node: &Node,
        typing: Typing,
        alone: bool,
    ) -> Typing {
        let nullable = matches!(parameter.need, Need::OrNull | Need::Optional | Need::ManyOrNull);
        // Nobody stands above nobody, and no department has no head: a search in the directory may go on from another.
        let searches = matches!(function.name, "manager_of" | "head_of" | "members" | "holders");
        let found = match &node.syntax {
            Syntax::Call(..) => true,
            Syntax::Path(_, part, _) => property::may_be_missing(part),
            _ => false,
        };
        let chained = searches && found;
        let must = !nullable || searches;
        let mut typing = if must && !chained { self.set(node, typing) } else { typing };
        if function.spreads
            && alone
            && let Type::List(item) = &typing.of
        {
            let item = (**item).clone();
            if item.optional && !nullable {
                let (written, set) = (self.written(node), self.without_null(node));
                self.fault(
                    Fault::new(
                        node.range.clone(),
                        FaultKind::MaybeUnset,
                        format!("`{written}` 里可能有空值"),
                        format!("`{written}` may hold values that are unset"),
                    )
                    .hint(format!("先去掉空值：`{set}`。"), format!("Leave them out first: `{set}`.")),
                );
                typing.of = Type::List(Box::new(Typed::always(item.of.clone())));
            }
            if !parameter.accepts.takes(&item.of) {
                self.wrong_argument(function, parameter, node, &item.of);
            }
            return typing;
        }
        if !parameter.accepts.takes(&typing.of) {
            self.wrong_argument(function, parameter, node, &typing.of);
        }
        typing
    }

    /// `items.value` → `items[value != null].value`, and so of `for row in items return row.value`.
    fn without_null(&self, list: &Node) -> String {
        let column = |rows: &Node, name: &str| format!("{}[{name} != null].{name}", self.written(rows));
        match &list.syntax {
            Syntax::Path(rows, name, _) => column(rows, name),
            Syntax::For(iterators, body) => match (iterators.as_slice(), &body.syntax) {
                ([one], Syntax::Path(row, name, _))
                    if one.to.is_none() && row.syntax == Syntax::Name(one.name.clone()) =>
                {
                    column(&one.from, name)
                }
                _ => format!("({})[item != null]", self.written(list)),
            },
            Syntax::Name(_) | Syntax::Call(..) | Syntax::List(_) | Syntax::Filter(..) => {
                format!("{}[item != null]", self.written(list))
            }
            _ => format!("({})[item != null]", self.written(list)),
        }
    }

    fn wrong_argument(&mut self, function: &Function, parameter: &Parameter, node: &Node, found: &Type) {
        let (zh, en) = parameter.accepts.words();
        let (written, words) = (self.written(node), super::types::words(found));
        // Which of several it is; a name of the standard says nothing to authors.
        let several =
            function.forms.iter().find(|form| form.len() > 1 && form.iter().any(|one| one.name == parameter.name));
        let at = several.and_then(|form| form.iter().position(|one| one.name == parameter.name)).map(|at| at + 1);
        let (which_zh, which_en) = match at {
            Some(at) => (format!("第 {at} 个参数"), format!("argument {at}")),
            None => ("参数".to_owned(), "the argument".to_owned()),
        };
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::WrongType,
            format!("`{}` 的{which_zh}应该是{zh}，而 `{written}` 是{}", function.name, words.zh),
            format!("{which_en} of `{}` has to be {en}, but `{written}` is {}", function.name, words.en),
        );
        if let (Accepts::Person, Type::Text) = (parameter.accepts, found) {
            let fault = Infer::person_instead(fault, node, written);
            return self.fault(fault);
        }
        let instead = match (parameter.accepts, found) {
            (Accepts::Person, Type::Position) => format!("holders({written})[1]"),
            (Accepts::Person, Type::Department) => format!("head_of({written})"),
            (Accepts::Department, Type::Person | Type::Position) => format!("{written}.department"),
            (Accepts::Position, Type::Person) => format!("{written}.position"),
            (Accepts::Text, Type::Number | Type::Money | Type::Date) => format!("string({written})"),
            (Accepts::Number, Type::Text) => format!("number({written})"),
            _ => return self.fault(fault),
        };
        self.fault(fault.hint(format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`.")));
    }

    fn unknown_function(&mut self, name: &str, range: &Range<usize>) {
        let spaced = name.replace('_', " ");
        let near = if functions::find(&spaced).is_some() { Some(spaced) } else { likely(name, functions::names()) };
        let fault = Fault::new(
            range.clone(),
            FaultKind::UnknownFunction,
            format!("没有名为 `{name}` 的函数"),
            format!("there is no function `{name}`"),
        );
        if matches!(name, "len" | "length" | "size" | "concat") {
            let (text, list) =
                if name == "concat" { ("a + b", "concatenate(a, b)") } else { ("string length(a)", "count(a)") };
            return self.fault(fault.hint(
                format!("文字写 `{text}`，列表写 `{list}`。"),
                format!("For a text write `{text}`, for a list `{list}`."),
            ));
        }
        // The functions of spreadsheets that are signs and words here.
        let sheet = match name.to_ascii_uppercase().as_str() {
            "IF" => Some("if total > 500 then 100 else 0"),
            "AND" => Some("total > 500 and days > 3"),
            "OR" => Some("total > 500 or days > 3"),
            "ISBLANK" | "ISEMPTY" | "ISNULL" => Some("deputy = null"),
            "ROUND" => Some("round half up(total, 2)"),
            "VLOOKUP" => Some("items[name = \"A\"]"),
            _ => None,
        };
        if let Some(instead) = sheet {
            return self
                .fault(fault.hint(format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`.")));
        }
        let habit = match name {
            "str" | "text" | "tostring" | "toString" | "to_string" => Some("string"),
            "currentDate" | "current_date" | "curdate" => Some("today"),
            "total" => Some("sum"),
            "avg" | "average" => Some("mean"),
            "substr" => Some("substring"),
            "round" => Some("round half up"),
            "ceil" => Some("ceiling"),
            "upper" | "toUpperCase" => Some("upper case"),
            "lower" | "toLowerCase" => Some("lower case"),
            "includes" => Some("list contains"),
            _ => None,
        };
        self.fault(fault.did_you_mean(habit.map(str::to_owned).or(near)));
    }

    /// `date("…")` and its like are read here, so that a wrong one is found before it runs.
    fn temporal(&mut self, name: &str, node: &Node, text: &str) -> Typing {
        let of = match name {
            "date" => Type::Date,
            "time" => Type::Time,
            "duration" => Type::Duration,
            _ => Type::DateTime,
        };
        match functions::temporal::read(name, text) {
            Some(value) => {
                let unit = unit::written(&value);
                Typing::new(Op::Literal(value), of).in_unit(unit)
            }
            None => {
                let example = match name {
                    "date" => "2026-03-06",
                    "time" => "09:30:00",
                    "duration" => "P3DT4H",
                    _ => "2026-03-06T09:30:00",
                };
                self.fault(
                    Fault::new(
                        node.range.clone(),
                        FaultKind::BadTemporal,
                        format!("`{name}` 读不懂 `{text}`"),
                        format!("`{name}` cannot read `{text}`"),
                    )
                    .hint(format!("例如 `\"{example}\"`。"), format!("For example `\"{example}\"`.")),
                );
                Typing::new(Op::Literal(Value::Null), of)
            }
        }
    }

    /// A function of two items, as an argument.
    fn precedes(&mut self, node: &Node, list: Option<Typing>) -> Typing {
        let Syntax::Function(names, body) = &node.syntax else { return Typing::unknown() };
        let unit = list.as_ref().and_then(|list| list.unit);
        let item = match list.map(|list| list.of) {
            Some(Type::List(item)) => *item,
            _ => Typed::always(Type::Any),
        };
        let parameters = u16::try_from(names.len()).unwrap_or(u16::MAX);
        let locals =
            names.iter().map(|name| Local { name: name.clone(), typed: item.clone(), row: false, unit, of: None });
        let locals = locals.collect();
        let body = self.binding(locals, |pass, _| pass.condition(body));
        Typing::new(Op::Function { parameters, body: body.expr }, Type::Any)
    }

    /// A function called where it is written.
    pub(super) fn apply(&mut self, node: &Node, function: &Node, arguments: &[Argument]) -> Typing {
        let Syntax::Function(names, body) = &function.syntax else { return Typing::unknown() };
        let mut ordered: Vec<Option<&Node>> = vec![None; names.len()];
        for (at, argument) in arguments.iter().enumerate() {
            let place = match &argument.name {
                Some((name, _)) => names.iter().position(|own| own == name),
                None => Some(at),
            };
            if let Some(slot) = place.and_then(|place| ordered.get_mut(place)) {
                *slot = Some(&argument.value);
            }
        }
        let given: Vec<&Node> = ordered.into_iter().flatten().collect();
        if given.len() != names.len() || arguments.len() != names.len() {
            self.fault(Fault::new(
                node.range.clone(),
                FaultKind::WrongArguments,
                format!("这个函数有 {} 个参数", names.len()),
                format!("this function has {} parameters", names.len()),
            ));
            return Typing::unknown();
        }
        let typings: Vec<Typing> = given.into_iter().map(|argument| self.visit(argument, None)).collect();
        let local = |(name, typing): (&String, &Typing)| Local {
            name: name.clone(),
            typed: typing.typed(),
            row: false,
            unit: typing.unit,
            of: None,
        };
        let locals = names.iter().zip(&typings).map(local).collect();
        let body = self.binding(locals, |pass, _| pass.visit(body, None));
        let arguments = typings.into_iter().map(|typing| typing.expr).collect();
        Typing { expr: Expr::new(Op::Apply { arguments, body: body.expr }), ..body }
    }
}

/// The items of a single list, as arguments of their own.
fn spread(of: Vec<Typed>) -> Vec<Typed> {
    match of.as_slice() {
        [Typed { of: Type::List(item), .. }] => vec![(**item).clone()],
        _ => {
            let money = of.iter().find(|typed| typed.of == Type::Money).cloned();
            money.map_or(of, |money| vec![money])
        }
    }
}
