//! The directory: who there is, what they hold, who is above whom.
//!
//! What is named but not there is left out of the directory and reported here, once. A directory with any fault
//! is not *whole*: nobody is then missed elsewhere.

use crate::compile::unread::{Reading, Unread};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span, Spanned, suggest};
use crate::model::id::{DepartmentId, PersonId, PositionId, ProcessId};
use crate::model::people::{Absence, Department, Directory, Person, Position};
use crate::model::text::{Text, Wording};
use crate::syntax;
use std::collections::{BTreeMap, BTreeSet};

/// A directory and what is known of it.
pub(crate) struct Organisation {
    /// The people.
    pub(crate) directory: Directory,
    /// Where its names are declared.
    pub(crate) declared: Declared,
    /// Whether nothing of it is wrong.
    pub(crate) whole: bool,
}

/// Where the names of a directory are declared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// Positions.
    pub(crate) positions: BTreeMap<PositionId, Span>,
    /// Departments.
    pub(crate) departments: BTreeMap<DepartmentId, Span>,
}

/// What may hold more of a directory than is known of it.
pub(crate) struct Unclear<'a> {
    /// The files with a fault.
    pub(crate) broken: &'a BTreeSet<SourceId>,
    /// What could not be read of other files.
    pub(crate) unread: &'a Unread,
    /// How much of its own text was understood.
    pub(crate) reading: &'a Reading,
}

/// Lowers the directory of the folder. `processes` are the names that an absence may use, if they are all known.
pub(crate) fn lower(
    documents: &[(SourceId, syntax::Directory)],
    unclear: &Unclear<'_>,
    processes: Option<&BTreeSet<&str>>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Organisation> {
    let ((source, document), others) = documents.split_first()?;
    let before = diagnostics.len();
    let here = document.name.as_ref().map_or(document.key_span, |name| name.span);
    for (_, other) in others {
        let span = other.name.as_ref().map_or(other.key_span, |name| name.span);
        let message = Wording::new(
            "一个文件夹只有一个通讯录，请把两个文件合成一个",
            "a folder has one directory; put the two files together",
        );
        let first = Wording::new("第一个通讯录", "the first directory");
        diagnostics.push(Diagnostic::new(Code::RepeatedName, span, message).context(here, first));
    }
    let declared = Declared {
        positions: document.positions.iter().map(|found| (word(&found.name), found.name.span)).collect(),
        departments: document.departments.iter().map(|found| (word(&found.name), found.name.span)).collect(),
    };
    for found in &document.departments {
        // Names of the directory share one space too.
        if let Some(position) = declared.positions.get(found.name.value.as_str()) {
            diagnostics.push(both(&found.name, *position));
        }
    }
    let mut lowering = Lowering { document, unclear, processes, hidden: false, diagnostics };
    let directory = lowering.directory();
    lowering.reporting_lines();
    lowering.addresses();
    let hidden = lowering.hidden;
    let whole = diagnostics.len() == before && !hidden && !unclear.broken.contains(source);
    Some(Organisation { directory, declared, whole })
}

/// What is said where processes need people and no file has any.
pub(crate) fn missing(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::NoDirectory,
        span,
        Wording::new(
            "这个文件夹里没有通讯录，不知道有哪些人。请加一个 `directory:` 文件",
            "this folder has no directory, so nobody is known; add a file that begins with `directory:`",
        ),
    )
    .hint(Wording::new(
        "directory: company\npositions: { 经理: }\npeople: { wang: { name: 王芳, mail: wang@example.com, positions: [经理] } }",
        "directory: company\npositions: { manager: }\npeople: { wang: { name: Wang Fang, mail: wang@example.com, positions: [manager] } }",
    ))
}

fn both(name: &Spanned<String>, position: Span) -> Diagnostic {
    let word = &name.value;
    Diagnostic::new(
        Code::AmbiguousName,
        name.span,
        Wording::new(
            format!("`{word}` 既是部门又是岗位，表达式里分不清。请给其中一个改名"),
            format!(
                "`{word}` is both a department and a position, and expressions could not tell them apart; rename one"
            ),
        ),
    )
    .context(position, Wording::new("岗位", "the position"))
}

fn word<T: From<String>>(name: &Spanned<String>) -> T {
    T::from(name.value.clone())
}

fn title(name: &Spanned<String>, title: Option<&Spanned<Text>>) -> Text {
    title.map_or_else(|| Text::One(name.value.clone()), |title| title.value.clone())
}

struct Lowering<'a, 'd> {
    document: &'a syntax::Directory,
    unclear: &'a Unclear<'a>,
    processes: Option<&'a BTreeSet<&'a str>>,
    /// Whether a name is missing that may be declared in what could not be read.
    hidden: bool,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'a> Lowering<'a, '_> {
    fn directory(&mut self) -> Directory {
        let document = self.document;
        let departments = document.departments.iter().map(|found| {
            let head = found.head.as_ref().and_then(|name| self.position(name));
            let department = Department { title: title(&found.name, found.title.as_ref()), head, part_of: None };
            (word(&found.name), department)
        });
        let departments = departments.collect();
        let positions = document.positions.iter().map(|found| {
            let position = Position {
                title: title(&found.name, found.title.as_ref()),
                department: found.department.as_ref().and_then(|name| self.department(name)),
                reports_to: found.reports_to.as_ref().and_then(|name| self.position(name)),
            };
            (word(&found.name), position)
        });
        let positions = positions.collect();
        let people = document.people.iter().map(|found| {
            let person = Person {
                name: found.name.as_ref().map_or_else(|| found.id.value.clone(), |name| name.value.clone()),
                mail: found.mail.as_ref().map(|mail| mail.value.clone()),
                positions: found.positions.iter().filter_map(|name| self.position(name)).collect(),
                language: found.language.map(|language| language.value).unwrap_or_default(),
                zone: found.zone.map(|zone| zone.value),
            };
            (word(&found.id), person)
        });
        let people = people.collect();
        let absences = document.absences.iter().filter_map(|found| self.absence(found)).collect();
        let name = document.name.as_ref().map_or_else(String::new, |name| name.value.clone());
        Directory { name, departments, positions, people, absences, ..Directory::default() }
    }

    fn position(&mut self, name: &Spanned<String>) -> Option<PositionId> {
        let known = self.document.positions.iter().map(|found| found.name.value.as_str());
        self.known(name, known, ("岗位", "position"), "positions").then(|| word(name))
    }

    fn department(&mut self, name: &Spanned<String>) -> Option<DepartmentId> {
        let known = self.document.departments.iter().map(|found| found.name.value.as_str());
        self.known(name, known, ("部门", "department"), "departments").then(|| word(name))
    }

    fn person(&mut self, name: &Spanned<String>) -> Option<PersonId> {
        let known = self.document.people.iter().map(|found| found.id.value.as_str());
        self.known(name, known, ("人员", "person"), "people").then(|| word(name))
    }

    fn absence(&mut self, found: &syntax::Absence) -> Option<Absence> {
        let person = found.person.as_ref().and_then(|name| self.person(name));
        let substitute = found.substitute.as_ref().and_then(|name| self.person(name));
        let processes = found.processes.iter().filter_map(|name| self.process(name)).collect();
        if let (Some(own), Some(other)) = (&person, &found.substitute)
            && own.as_str() == other.value
        {
            self.diagnostics.push(Diagnostic::new(
                Code::OwnSubstitute,
                other.span,
                Wording::new(
                    format!("`{own}` 不能替自己代理，请写另一个人"),
                    format!("`{own}` cannot stand in for themselves; name somebody else"),
                ),
            ));
            return None;
        }
        // Without a substitute nothing changes for anybody.
        Some(Absence {
            person: person?,
            from: found.from?.value,
            to: found.to?.value,
            substitute: substitute?,
            processes,
        })
    }

    fn process(&mut self, name: &Spanned<String>) -> Option<ProcessId> {
        if let Some(processes) = self.processes {
            let known: Vec<&str> = processes.iter().copied().collect();
            if !self.known(name, known.into_iter(), ("流程", "process"), "process") {
                return None;
            }
        }
        Some(word(name))
    }

    /// Whether a name is there; reported if not. `key` is where one would be added.
    fn known<'n>(
        &mut self,
        name: &Spanned<String>,
        known: impl Iterator<Item = &'n str> + Clone,
        kind: (&str, &str),
        key: &str,
    ) -> bool {
        if known.clone().any(|found| found == name.value) {
            return true;
        }
        // Whatever is wrong with the people, the positions are those that are written.
        let Unclear { unread, reading, .. } = self.unclear;
        let here = || !reading.head(key) && Unread::default().with(reading).may_declare(&name.value);
        if unread.may_declare(&name.value) || here() {
            self.hidden = true;
        } else {
            self.diagnostics.push(unknown(name, known, kind, key));
        }
        false
    }

    /// Positions that report to themselves in the end: each circle once, printed from its first position.
    fn reporting_lines(&mut self) {
        let positions = &self.document.positions;
        let above: BTreeMap<&str, &Spanned<String>> = positions
            .iter()
            .filter_map(|found| Some((found.name.value.as_str(), found.reports_to.as_ref()?)))
            .collect();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for first in positions {
            let mut line: Vec<&str> = vec![&first.name.value];
            let mut at = first.name.value.as_str();
            while let Some(next) = above.get(at) {
                if next.value == first.name.value {
                    if line.iter().any(|name| told.contains(name)) {
                        break;
                    }
                    told.extend(&line);
                    let turn = line.iter().copied().chain([first.name.value.as_str()]);
                    let shown = turn.collect::<Vec<_>>().join(" → ");
                    let back = Wording::new("线在这里绕了回来", "the line turns back here");
                    let own = first.reports_to.as_ref().map_or(first.name.span, |up| up.span);
                    let mut found = Diagnostic::new(
                        Code::CyclicReporting,
                        own,
                        Wording::new(
                            format!("汇报关系绕成了圈：{shown}。请改掉其中一条 `reports_to`"),
                            format!("this reporting line is a circle: {shown}; change one `reports_to` of it"),
                        ),
                    );
                    if next.span != own {
                        found = found.context(next.span, back);
                    }
                    self.diagnostics.push(found);
                    break;
                }
                // A circle further up that does not come back here is told at its own first position.
                if line.contains(&next.value.as_str()) {
                    break;
                }
                at = &next.value;
                line.push(at);
            }
        }
    }

    /// Two people with one address: a link could not tell them apart.
    fn addresses(&mut self) {
        let mut seen: BTreeMap<String, &Spanned<String>> = BTreeMap::new();
        for mail in self.document.people.iter().filter_map(|person| person.mail.as_ref()) {
            match seen.get(&mail.value.to_lowercase()) {
                Some(first) => self.diagnostics.push(
                    Diagnostic::new(
                        Code::SharedMail,
                        mail.span,
                        Wording::new(
                            format!("`{}` 已经是另一个人的邮箱。两个人共用一个邮箱，就分不清是谁审批的", mail.value),
                            format!(
                                "`{}` is somebody else's address already; with one mailbox for two people nobody knows who decided",
                                mail.value
                            ),
                        ),
                    )
                    .context(first.span, Wording::new("第一个人", "the first person")),
                ),
                None => {
                    seen.insert(mail.value.to_lowercase(), mail);
                }
            }
        }
    }
}

/// A name that is not there, with what was probably meant.
pub(crate) fn unknown<'n>(
    name: &Spanned<String>,
    known: impl Iterator<Item = &'n str>,
    (zh, en): (&str, &str),
    key: &str,
) -> Diagnostic {
    let word = &name.value;
    match suggest::closest(word, known) {
        Some(close) => Diagnostic::new(
            Code::UnknownName,
            name.span,
            Wording::new(
                format!("没有叫 `{word}` 的{zh}，是不是 `{close}`？"),
                format!("there is no {en} `{word}`; did you mean `{close}`?"),
            ),
        )
        .fix_word(name.span, close),
        // These are documents of their own.
        None if matches!(en, "process" | "metric") => Diagnostic::new(
            Code::UnknownName,
            name.span,
            Wording::new(
                format!("没有叫 `{word}` 的{zh}。请改名称，或加一个以 `{en}: {word}` 开头的文件"),
                format!("there is no {en} `{word}`; change the name, or add a file that begins with `{en}: {word}`"),
            ),
        ),
        None => Diagnostic::new(
            Code::UnknownName,
            name.span,
            Wording::new(
                format!("没有叫 `{word}` 的{zh}。请改名称，或把它加到 `{key}` 里"),
                format!("there is no {en} `{word}`; change the name, or add it to `{key}`"),
            ),
        ),
    }
}
