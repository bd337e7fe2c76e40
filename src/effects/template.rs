//! Templates: the only door to minijinja.
//!
//! A template is always a named text of ours or of the company's `templates/` folder; what people wrote only ever
//! comes in as values, so it cannot be a template. A name that ends in `.html` escapes every value, one in `.txt`
//! none. A render ends: it has fuel, its output is capped, and an unset variable is an error rather than a hole.
//!
//! What a template cannot do: switch escaping off, print its whole context, read a file, or run for long.

use super::tags;
use crate::model::text::{Lang, Wording};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

/// Steps and bytes that one render may use.
const FUEL: u64 = 1_000_000;
/// The longest text that a render may come to; Gmail cuts mail far below.
const OUTPUT: usize = 512 * 1024;
/// The longest template.
const SOURCE: u64 = 256 * 1024;
/// The most files of a company's folder.
const FILES: usize = 1_000;
/// The longest tag, in bytes.
const TAG: usize = 2_000;
/// The most `set`s of a template.
const SETS: usize = 200;
/// How deep a template may include others.
const DEPTH: usize = 60;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),+]
    };
}

/// The templates that the program brings with it; a company's file of the same name stands in for one.
pub const EMBEDDED: &[(&str, &str)] = embedded![
    "mail/layout.html",
    "mail/layout.txt",
    "mail/facts.html",
    "mail/facts.txt",
    "mail/story.html",
    "mail/story.txt",
    "mail/assigned.zh.txt",
    "mail/assigned.en.txt",
    "mail/assigned.zh.html",
    "mail/assigned.en.html",
    "mail/reminder.zh.txt",
    "mail/reminder.en.txt",
    "mail/reminder.zh.html",
    "mail/reminder.en.html",
    "mail/fresh_link.zh.txt",
    "mail/fresh_link.en.txt",
    "mail/fresh_link.zh.html",
    "mail/fresh_link.en.html",
    "mail/revise.zh.txt",
    "mail/revise.en.txt",
    "mail/revise.zh.html",
    "mail/revise.en.html",
    "mail/decided.zh.txt",
    "mail/decided.en.txt",
    "mail/decided.zh.html",
    "mail/decided.en.html",
    "mail/ended.zh.txt",
    "mail/ended.en.txt",
    "mail/ended.zh.html",
    "mail/ended.en.html",
    "mail/notice.zh.txt",
    "mail/notice.en.txt",
    "mail/notice.zh.html",
    "mail/notice.en.html",
    "mail/overdue.zh.txt",
    "mail/overdue.en.txt",
    "mail/overdue.zh.html",
    "mail/overdue.en.html",
    "mail/acted_for.zh.txt",
    "mail/acted_for.en.txt",
    "mail/acted_for.zh.html",
    "mail/acted_for.en.html",
    "mail/handed_over.zh.txt",
    "mail/handed_over.en.txt",
    "mail/handed_over.zh.html",
    "mail/handed_over.en.html",
    "page/base.html",
    "page/case.html",
    "page/field.html",
    "page/task.html",
    "page/decided.html",
    "page/message.html",
    "page/mailbox.html",
    "page/mails.html",
    "page/mail.html",
];

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The template.
    pub template: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub what: Wording,
}

impl Problem {
    fn new(template: &str, line: Option<usize>, zh: impl Into<String>, en: impl Into<String>) -> Problem {
        Problem { template: template.to_owned(), line, what: Wording::new(zh, en) }
    }

    /// What went wrong as a template was filled in; what is read in its line is known from its text.
    fn filled(environment: &Environment<'_>, template: &str, error: &minijinja::Error) -> Problem {
        let problem = Problem::of(template, error);
        let Some(line) = problem.line.filter(|_| error.kind() == ErrorKind::UndefinedError) else { return problem };
        let Ok(found) = environment.get_template(&problem.template) else { return problem };
        let read: Vec<String> = tags::of(found.source())
            .into_iter()
            .filter(|(at, _)| *at == line)
            .map(|(_, tag)| format!("`{tag}`"))
            .collect();
        if read.is_empty() {
            return problem;
        }
        let (zh, en) = (
            format!("{} 读了不存在的变量或字段。", read.join("、")),
            format!("A variable or field that does not exist is read in {}.", read.join(", ")),
        );
        Problem { what: Wording::new(zh, en), ..problem }
    }

    fn of(template: &str, error: &minijinja::Error) -> Problem {
        let name = error.name().filter(|name| *name != "<string>").unwrap_or(template);
        let detail = error.detail().unwrap_or_default();
        let (zh, en) = match error.kind() {
            ErrorKind::SyntaxError => {
                (format!("模板语法有误：{detail}"), format!("The template cannot be read: {detail}"))
            }
            ErrorKind::OutOfFuel => (
                "模板运行过久，已停止。请去掉过大的循环。".into(),
                "The template ran for too long and was stopped. Take out loops over large ranges.".into(),
            ),
            ErrorKind::WriteFailure => (
                format!("模板输出超过 {} KB，已停止。", OUTPUT / 1024),
                format!("The template wrote more than {} KB and was stopped.", OUTPUT / 1024),
            ),
            ErrorKind::UndefinedError => (
                format!("用到了不存在的变量或字段。{detail}"),
                format!("A variable or field that does not exist is used. {detail}"),
            ),
            ErrorKind::UnknownFilter => {
                (format!("没有这个过滤器：{detail}"), format!("There is no such filter: {detail}"))
            }
            ErrorKind::TemplateNotFound => (
                format!("找不到被引用的模板：{detail}"),
                format!("A template that this one includes does not exist: {detail}"),
            ),
            _ => (format!("模板无法渲染：{error}"), format!("The template cannot be rendered: {error}")),
        };
        Problem::new(name, error.line(), zh, en)
    }
}

/// All templates of an installation, ready to render; cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    names: BTreeSet<String>,
}

impl Templates {
    /// The templates of the program alone.
    pub fn embedded() -> Templates {
        // Our own are read by a test; one that cannot be read is missing when it is asked for.
        Templates::with(BTreeMap::new()).0
    }

    /// Those of the program, and over them the `.html` and `.txt` files of a company's folder, where there is one.
    ///
    /// # Errors
    /// Every file that cannot be read, with the line.
    pub fn load(folder: &Path) -> Result<Templates, Vec<Problem>> {
        let (mut files, mut problems) = (BTreeMap::new(), Vec::new());
        if folder.exists() {
            collect(folder, "", &mut files, &mut problems);
        }
        let (templates, more) = Templates::with(files);
        problems.extend(more);
        if problems.is_empty() { Ok(templates) } else { Err(problems) }
    }

    fn with(own: BTreeMap<String, String>) -> (Templates, Vec<Problem>) {
        let mut templates = Templates { environment: environment(), names: BTreeSet::new() };
        let mut problems = Vec::new();
        for (name, text) in EMBEDDED.iter().filter(|(name, _)| !own.contains_key(*name)) {
            problems.extend(templates.add(name, text));
        }
        for (name, text) in &own {
            let bad = forbidden(name, text);
            if bad.is_empty() {
                problems.extend(templates.add(name, text));
            }
            problems.extend(bad);
        }
        (templates, problems)
    }

    fn add(&mut self, name: &str, text: &str) -> Option<Problem> {
        match self.environment.add_template_owned(name.to_owned(), text.to_owned()) {
            Ok(()) => {
                self.names.insert(name.to_owned());
                None
            }
            Err(error) => Some(Problem::of(name, &error)),
        }
    }

    /// Whether there is a template of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The names of all templates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The company's files that stand in for none of ours and that no other template names: name and text.
    pub fn additions(&self) -> Vec<(&str, String)> {
        let text = |name: &str| Some(self.environment.get_template(name).ok()?.source().to_owned());
        let texts: Vec<(&str, String)> = self.names().filter_map(|name| Some((name, text(name)?))).collect();
        let ours = |name: &str| EMBEDDED.iter().any(|(own, _)| *own == name);
        let named = |name: &str| texts.iter().any(|(other, text)| *other != name && text.contains(name));
        texts.iter().filter(|(name, _)| !ours(name) && !named(name)).cloned().collect()
    }

    /// The name of a template in a language, or in the other one where only that is there:
    /// `("mail/goods_given", zh, "txt")` → `mail/goods_given.zh.txt`; one without a language is for both.
    pub fn find(&self, stem: &str, lang: Lang, ending: &str) -> Option<String> {
        let other = if lang == Lang::Zh { Lang::En } else { Lang::Zh };
        [
            format!("{stem}.{}.{ending}", lang.tag()),
            format!("{stem}.{ending}"),
            format!("{stem}.{}.{ending}", other.tag()),
        ]
        .into_iter()
        .find(|name| self.has(name))
    }

    /// Fills in a template. `lang` is set in it as `lang`, beside what `context` holds.
    ///
    /// # Errors
    /// What is wrong with the template, and where.
    pub fn render(&self, name: &str, context: impl Serialize, lang: Lang) -> Result<String, Problem> {
        let template = self.environment.get_template(name).map_err(|error| Problem::of(name, &error))?;
        let context = minijinja::value::merge_maps([
            minijinja::context! { lang => lang.tag() },
            minijinja::Value::from(Serde(context)),
        ]);
        let mut out = Capped(Vec::new());
        template
            .render_captured_to(context, &mut out)
            .map_err(|error| Problem::filled(&self.environment, name, &error))?;
        String::from_utf8(out.0)
            .map_err(|_| Problem::new(name, None, "模板输出不是 UTF-8。", "The output is not UTF-8."))
    }

    /// What is wrong with the template of this name when it is filled in with `sample`; see [`Templates::check`].
    pub fn check_named(&self, name: &str, sample: &impl Serialize, lang: Lang) -> Vec<Problem> {
        match self.environment.get_template(name) {
            Ok(template) => self.check(name, template.source(), sample, lang),
            Err(error) => vec![Problem::of(name, &error)],
        }
    }

    /// What is wrong with a template that is, or would be, called `name`: its syntax, what it may not do, names
    /// beside those that `sample` has, and what goes wrong when `sample` is filled in.
    pub fn check(&self, name: &str, text: &str, sample: &impl Serialize, lang: Lang) -> Vec<Problem> {
        let mut problems = forbidden(name, text);
        if !problems.is_empty() {
            return problems;
        }
        let mut environment = self.environment.clone();
        if let Err(error) = environment.add_template_owned(name.to_owned(), text.to_owned()) {
            problems.push(Problem::of(name, &error));
            return problems;
        }
        let known = minijinja::Value::from(Serde(sample));
        if let Ok(template) = environment.get_template(name) {
            let mut missing: Vec<String> = template
                .undeclared_variables(true)
                .into_iter()
                .filter(|path| path != "lang" && !environment.globals().any(|(global, _)| global == path))
                .filter(|path| !exists(&known, path))
                .collect();
            missing.sort();
            for path in missing {
                let line = text.lines().position(|line| line.contains(&path)).map(|index| index + 1);
                let names = names_at(&known, &path).join("、");
                let hint = names_at(&known, &path).join(", ");
                problems.push(Problem::new(
                    name,
                    line,
                    format!("模板里没有 `{path}`。可以使用：{names}"),
                    format!("There is no `{path}` in a template. There are: {hint}"),
                ));
            }
        }
        if problems.is_empty() {
            let names = self.names.clone();
            let filled = Templates { environment, names }.render(name, sample, lang);
            problems.extend(filled.err());
        }
        problems
    }
}

/// What would get around a guard, seen in the text before it is compiled. Fuel counts what is done, but lists are
/// added lazily: doubling one in a chain of steps costs nothing until its length is asked for, and then never ends.
/// And what is nested without bound in one tag is compiled, and dropped, by recursion.
fn forbidden(name: &str, text: &str) -> Vec<Problem> {
    let (mut problems, mut sets) = (Vec::new(), 0);
    for (line, tag) in tags::of(text) {
        let word = tag.split_whitespace().next().unwrap_or_default();
        sets += usize::from(word == "set");
        let (zh, en) = if word == "autoescape" {
            (
                "模板不能改变转义方式；`.html` 总是转义，`.txt` 从不转义。请删去 `autoescape`。",
                "A template cannot change escaping: `.html` always escapes, `.txt` never does. Take `autoescape` out.",
            )
        } else if tag.len() > TAG {
            (
                "一个标签太长（最多 2,000 字节），请拆开写。",
                "A tag is too long (at most 2,000 bytes). Write it in parts.",
            )
        } else if tags::unquoted(tag).contains('+') {
            ("模板里不能用 `+`；连接文字请用 `~`。", "A template cannot add with `+`. To join texts, write `~`.")
        } else if sets == SETS + 1 {
            ("一个模板里 `set` 最多 200 次。", "A template takes at most 200 `set`s.")
        } else {
            continue;
        };
        problems.push(Problem::new(name, Some(line), zh, en));
    }
    problems
}

fn exists(known: &minijinja::Value, path: &str) -> bool {
    let mut at = known.clone();
    for part in path.split('.') {
        // What is inside a list, a text or a null is only known when it runs.
        if at.kind() != minijinja::value::ValueKind::Map {
            return true;
        }
        match at.get_attr(part) {
            Ok(next) if !next.is_undefined() => at = next,
            _ => return false,
        }
    }
    true
}

/// The names that stand beside the first part of a path that is not there.
fn names_at(known: &minijinja::Value, path: &str) -> Vec<String> {
    let (mut at, mut before) = (known.clone(), String::new());
    for part in path.split('.') {
        match at.get_attr(part) {
            Ok(next) if !next.is_undefined() => {
                before = format!("{before}{part}.");
                at = next;
            }
            _ => break,
        }
    }
    let keys = at.try_iter().map(|keys| keys.map(|key| format!("{before}{key}")).collect());
    keys.unwrap_or_default()
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
        Some("txt") => AutoEscape::None,
        _ => AutoEscape::Html,
    });
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment.set_debug(false);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    // `safe` would switch escaping off, the others print what nobody meant to show.
    for filter in ["safe", "pprint", "tojson", "chain"] {
        environment.remove_filter(filter);
    }
    environment.remove_global("debug");
    // State that outlives a round of a loop could grow without end and without fuel.
    environment.remove_global("namespace");
    environment
}

fn collect(folder: &Path, below: &str, files: &mut BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    let mut refuse = |name: &str, zh: &str, en: &str| problems.push(Problem::new(name, None, zh, en));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            return refuse(
                below,
                &format!("无法读取模板文件夹：{error}"),
                &format!("Cannot read the folder of templates: {error}"),
            );
        }
    };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let file = entry.file_name().to_string_lossy().into_owned();
        let name = if below.is_empty() { file.clone() } else { format!("{below}/{file}") };
        if file.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            folders.push((entry.path(), name));
        } else if kind.is_file() && (file.ends_with(".html") || file.ends_with(".txt")) {
            if files.len() >= FILES {
                return refuse(
                    &name,
                    "模板文件太多（最多 1000 个）。",
                    "There are too many templates (at most 1,000).",
                );
            }
            match entry.metadata().map(|found| found.len()) {
                Ok(length) if length > SOURCE => {
                    refuse(&name, "模板文件超过 256 KB。", "The template is longer than 256 KB.")
                }
                _ => match std::fs::read_to_string(entry.path()) {
                    Ok(text) => drop(files.insert(name, text)),
                    Err(error) => refuse(&name, &format!("无法读取：{error}"), &format!("Cannot be read: {error}")),
                },
            }
        } else if kind.is_symlink() {
            refuse(&name, "模板文件夹里不能有符号链接。", "A symbolic link may not stand in the folder of templates.");
        }
    }
    for (path, name) in folders {
        // Deeper than any folder of templates is: a loop of mounts ends here.
        if name.matches('/').count() < 4 {
            collect(&path, &name, files, problems);
        }
    }
}

/// A writer that ends at [`OUTPUT`].
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT {
            return Err(std::io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
