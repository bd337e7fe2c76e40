//! The directory document: departments, positions, people, absences, as they are written.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::{Lang, Text, Wording};
use crate::syntax::date::reversed;
use crate::syntax::fields::{GROUP, Lowering, Place, missing_value};
use crate::syntax::headless::is_of;
use crate::syntax::node::{Entry, Node};
use crate::syntax::scalar::NameRule;
use chrono::NaiveDate;

/// A directory as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its name; `None` if that could not be read, which is reported.
    pub name: Option<Spanned<String>>,
    /// The key `directory`.
    pub key_span: Span,
    /// The departments, in the order written.
    pub departments: Vec<Department>,
    /// The positions, in the order written.
    pub positions: Vec<Position>,
    /// The people, in the order written.
    pub people: Vec<Person>,
    /// Who is away when.
    pub absences: Vec<Absence>,
}

/// A department as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its name.
    pub name: Spanned<String>,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The position that heads it.
    pub head: Option<Spanned<String>>,
}

/// A position as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its name.
    pub name: Spanned<String>,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The department it belongs to.
    pub department: Option<Spanned<String>>,
    /// The position above it.
    pub reports_to: Option<Spanned<String>>,
}

/// A person as written. What could not be read is left out and reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The short name that files and the shell use.
    pub id: Spanned<String>,
    /// What people call the person.
    pub name: Option<Spanned<String>>,
    /// Where mail goes.
    pub mail: Option<Spanned<String>>,
    /// The positions held; the first is the main one.
    pub positions: Vec<Spanned<String>>,
    /// The language of mails and pages.
    pub language: Option<Spanned<Lang>>,
    /// The time zone in which times are shown.
    pub zone: Option<Spanned<chrono_tz::Tz>>,
}

/// An absence as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The whole entry.
    pub span: Span,
    /// Who is away; as all of it `None` if it could not be read, which is reported.
    pub person: Option<Spanned<String>>,
    /// The first day.
    pub from: Option<Spanned<NaiveDate>>,
    /// The last day.
    pub to: Option<Spanned<NaiveDate>>,
    /// Who stands in.
    pub substitute: Option<Spanned<String>>,
    /// For which processes; empty means all.
    pub processes: Vec<Spanned<String>>,
}

pub(crate) static DIRECTORY: Place = Place {
    name: ("通讯录的顶层", "the top level of a directory"),
    keys: &["directory", "departments", "positions", "people", "absences"],
    later: &[],
    relatives: &[],
};
pub(crate) static DEPARTMENT: Place =
    Place { name: ("部门", "a department"), keys: &["title", "head"], later: &[], relatives: DIRECTORY_PARTS };
pub(crate) static POSITION: Place = Place {
    name: ("岗位", "a position"),
    keys: &["title", "department", "reports_to"],
    later: &[],
    relatives: DIRECTORY_PARTS,
};
pub(crate) static PERSON: Place = Place {
    name: ("人员", "a person"),
    keys: &["name", "mail", "positions", "language", "zone"],
    later: &[],
    relatives: DIRECTORY_PARTS,
};
pub(crate) static ABSENCE: Place = Place {
    name: ("缺勤记录", "an absence"),
    keys: &["person", "from", "to", "substitute", "processes"],
    later: &[],
    relatives: &[],
};
static DIRECTORY_PARTS: &[&Place] = &[&DEPARTMENT, &POSITION, &PERSON, &ABSENCE, &DIRECTORY];

impl Lowering<'_> {
    /// A document whose kind is `directory`.
    pub(crate) fn directory(&mut self, root: &Node, key_span: Span) -> Option<Directory> {
        let root = self.lifted(root, &DIRECTORY);
        let position = |entry: &Entry| is_of(entry, &POSITION);
        let person = |entry: &Entry| is_of(entry, &PERSON);
        let no_department = |entry: &Entry| position(entry) && !is_of(entry, &DEPARTMENT);
        let no_position = |entry: &Entry| person(entry) && !position(entry);
        let root = self.opened(root, ("departments", "positions"), no_department, position);
        let root = self.opened(root, ("positions", "people"), no_position, person);
        let fields = self.fields(&root, &DIRECTORY, key_span)?;
        let people = fields.required(self, "people");
        Some(Directory {
            name: fields.get("directory").and_then(|node| self.name(node, NameRule::Document)),
            key_span,
            departments: self.each(fields.get("departments"), Self::department),
            positions: self.each(fields.get("positions"), Self::position),
            people: self.each(people, Self::person),
            absences: self.absences(fields.get("absences")),
        })
    }

    fn each<T>(
        &mut self,
        node: Option<&Node>,
        read: impl Fn(&mut Self, &Entry, Spanned<String>) -> Option<T>,
    ) -> Vec<T> {
        let Some(entries) = node.and_then(|node| self.entries(node, GROUP)) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            if let Some(name) = self.name(&entry.key, NameRule::Word) {
                found.extend(read(self, entry, name));
            }
        }
        found
    }

    fn department(&mut self, entry: &Entry, name: Spanned<String>) -> Option<Department> {
        if entry.value.is_empty() {
            return Some(Department { name, title: None, head: None });
        }
        let fields = self.fields(&entry.value, &DEPARTMENT, entry.key.span)?;
        Some(Department {
            title: fields.get("title").and_then(|node| self.text(node)),
            head: fields.get("head").and_then(|node| self.name(node, NameRule::Word)),
            name,
        })
    }

    fn position(&mut self, entry: &Entry, name: Spanned<String>) -> Option<Position> {
        if entry.value.is_empty() {
            return Some(Position { name, title: None, department: None, reports_to: None });
        }
        let fields = self.fields(&entry.value, &POSITION, entry.key.span)?;
        Some(Position {
            title: fields.get("title").and_then(|node| self.text(node)),
            department: fields.get("department").and_then(|node| self.name(node, NameRule::Word)),
            reports_to: fields.get("reports_to").and_then(|node| self.name(node, NameRule::Word)),
            name,
        })
    }

    fn person(&mut self, entry: &Entry, id: Spanned<String>) -> Option<Person> {
        if entry.value.is_empty() {
            self.report(missing_value(entry.key.span, &id.value));
            return None;
        }
        let fields = self.fields(&entry.value, &PERSON, entry.key.span)?;
        let mail = fields.required(self, "mail").and_then(|node| self.words(node));
        if let Some(mail) = &mail
            && !looks_like_mail(&mail.value)
        {
            self.report(bad_mail(mail));
        }
        Some(Person {
            name: fields.required(self, "name").and_then(|node| self.words(node)),
            mail,
            positions: fields.get("positions").and_then(|node| self.names(node)).unwrap_or_default(),
            language: fields.get("language").and_then(|node| self.one_of(node, &[("zh", Lang::Zh), ("en", Lang::En)])),
            zone: fields.get("zone").and_then(|node| self.zone(node)),
            id,
        })
    }

    fn absences(&mut self, node: Option<&Node>) -> Vec<Absence> {
        let Some(items) = node.and_then(|node| self.groups(node)) else { return Vec::new() };
        items.iter().filter_map(|item| self.absence(item)).collect()
    }

    fn absence(&mut self, node: &Node) -> Option<Absence> {
        let fields = self.fields(node, &ABSENCE, self.first_line(node.span))?;
        let person = fields.required(self, "person").and_then(|node| self.name(node, NameRule::Word));
        let from = fields.required(self, "from").and_then(|node| self.date(node));
        let to = fields.required(self, "to").and_then(|node| self.date(node));
        let substitute = fields.get("substitute").and_then(|node| self.name(node, NameRule::Word));
        let processes = fields.get("processes").and_then(|node| self.word_items(node)).unwrap_or_default();
        let processes = processes.iter().filter_map(|node| self.name(node, NameRule::Document)).collect();
        if let (Some(from), Some(to)) = (&from, &to)
            && from.value > to.value
        {
            self.report(reversed(to.span, from.value, to.value));
        }
        Some(Absence { span: node.span, person, from, to, substitute, processes })
    }
}

fn looks_like_mail(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"".contains(c))
    };
    matches!(text.split_once('@'), Some((local, domain))
        if plain(local) && plain(domain) && !domain.contains('@') && !domain.starts_with('.') && !domain.ends_with('.'))
}

fn bad_mail(mail: &Spanned<String>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::BadMail,
        mail.span,
        Wording::new(
            format!("`{}` 不是邮箱地址。请只写地址本身，不写姓名和尖括号", mail.value),
            format!("`{}` is no mail address; write just the address, without a name or angle brackets", mail.value),
        ),
    )
    .hint(Wording::new("mail: wang.fang@example.com", "mail: wang.fang@example.com"));
    let typed = mail.value.replace('＠', "@");
    let bare = match typed.split_once('<').and_then(|(_, rest)| rest.trim_end().strip_suffix('>')) {
        Some(address) => address.trim(),
        None => typed.trim(),
    };
    if looks_like_mail(bare) { diagnostic.fix_word(mail.span, bare) } else { diagnostic }
}
