//! YAML text → spanned documents.
//!
//! Parsing is total: whatever the text, [`parse`] gives a document, complete or not, and everything that is wrong
//! with it at once. A value that could not be read is absent from the document and has been reported; what
//! comes later must not report it again as missing.
//!
//! The steps: `node` reads YAML into a tree of spanned nodes, `fields` reads mappings key by key, and `process`,
//! `step`, `field`, `directory`, `calendar` and their like say which keys there are; `address` cuts the address of an `http` step. `trap` has the words for what people write by
//! habit and YAML or the language understands otherwise.
//!
//! Invariant: knows no names but those written in this very text, parses no expression, reads no file.

mod address;
mod calendar;
mod data;
mod date;
mod depth;
mod dialect;
mod directory;
mod expressions;
pub(crate) mod feel;
pub(crate) mod field;
mod fields;
mod format;
mod headless;
mod hidden;
pub(crate) mod metric;
mod moved;
mod node;
pub(crate) mod process;
mod recorded;
mod scalar;
mod schema;
mod secret;
mod shape;
mod slip;
pub(crate) mod step;
pub(crate) mod table;
mod test;
mod trap;

pub use calendar::{Calendar, DayHours, Days};
pub use data::{Data, Given, data};
pub use directory::{Absence, Department, Directory, Person, Position};
pub use feel::FeelText;
pub use field::{CheckDef, Field, FieldType, OptionDef};
pub use format::{Unformatted, WIDTH, format};
pub use hidden::Hidden;
pub use metric::{Metric, Source, TakeWord};
pub use node::{DEPTH_LIMIT, FILE_LIMIT, NODE_LIMIT, ScalarForm, VALUE_LIMIT};
pub(crate) use process::is_head;
pub use process::{Nobody, OwnCase, Policy, Process, Schedule};
pub use recorded::{AnyTest, Group, MetricTest, RecordedCase};
use schema::holds_expression;
pub use schema::{schema, schema_keys, schema_kinds};
pub use step::{
    Allow, Branch, Call, Case, Http, Job, Join, Mode, Overdue, Piece, Retry, Shown, Step, StepKind, Taken, Target,
    Then, Undo, Who,
};
pub(crate) use table::NOTE;
pub use table::{Rule, Table};
pub use test::deed::{Deed, Verb};
pub use test::expect::{Expect, MAIL_KINDS, MailLike};
pub use test::{Act, Start, Test};
pub(crate) use trap::quoted_text;

use crate::diagnostics::{Code, Diagnostic, Source as Text, SourceId, Sources, Span, quoted_list};
use crate::model::text::Wording;
use fields::{Lowering, Place};
use node::{Entry, Node, NodeKind, Tree};

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one a file, and it is taken apart at once")]
pub enum Document {
    /// `process: …`
    Process(Process),
    /// `directory: …`
    Directory(Directory),
    /// `calendar: …`
    Calendar(Calendar),
    /// `table: …`
    Table(Table),
    /// `metric: …`
    Metric(Metric),
    /// `test: …`, one or several
    Tests(Vec<AnyTest>),
    /// Nothing that could be read.
    Unknown,
}

/// The kinds of documents, by their first key.
const KINDS: &[&str] = &["process", "directory", "calendar", "table", "metric", "test"];

/// Their mappings.
static PLACES: &[(&str, &Place)] = &[
    ("process", &process::PROCESS),
    ("directory", &directory::DIRECTORY),
    ("calendar", &calendar::CALENDAR),
    ("table", &table::TABLE),
    ("metric", &metric::METRIC),
    ("test", &test::TEST),
];

/// The most faults of one file that are told one by one.
pub const FAULT_LIMIT: usize = 200;

fn too_many_faults(last: Span, more: usize) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyFaults,
        last,
        Wording::new(
            format!("这个文件还有 {more} 处问题没有列出。请先改好上面的，再检查一次"),
            format!("this file has {more} more faults, which are not listed; mend those above and check again"),
        ),
    )
}

/// What became of a text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What it holds, as far as it could be read.
    pub document: Document,
    /// What is wrong with it, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The pieces that were not understood, each told.
    pub hidden: Vec<Hidden>,
    /// Whether it was read to its end without leaving lines out, with safe mends where YAML was broken.
    pub whole: bool,
}

/// Reads a text.
pub fn parse(id: SourceId, sources: &Sources) -> Parsed {
    let source = sources.get(id);
    let read = Read::of(id, source, node::read(id, source));
    let Read { tree, document, mut diagnostics, overlooked, meant } = moved::back(id, source, read);
    written_out(id, &source.text, &mut diagnostics);
    crate::diagnostics::sort(&mut diagnostics, sources);
    let all_told = diagnostics.len() <= FAULT_LIMIT;
    if !all_told {
        let more = diagnostics.len() - FAULT_LIMIT;
        diagnostics.truncate(FAULT_LIMIT);
        let last = diagnostics.last().map_or(Span::new(id, 0, 0), |found| found.span);
        diagnostics.push(too_many_faults(last, more));
    }
    // What is told of a line that was left out is hidden with it.
    let left_out = |found: &&Diagnostic| tree.gaps.iter().any(|gap| gap.contains(&found.span.start));
    let told = diagnostics.iter().filter(|found| !left_out(found) && !meant.contains(&found.span));
    let told_of = |root| told.clone().filter_map(move |found| hidden::hidden(found, &source.text, root));
    let overlooked = |root| overlooked.iter().map(move |key| hidden::behind(Code::MisplacedKey, key.start, root));
    let hidden = tree.root.iter().flat_map(|root| told_of(root).chain(overlooked(root)));
    let gaps = tree.gaps.iter().map(|gap| hidden::gap(id, &source.text, gap, tree.root.as_ref()));
    let hidden = hidden.chain(gaps).collect();
    // What so many faults hide is not looked for.
    let whole = all_told && tree.broken_at.is_none();
    Parsed { document, diagnostics, hidden, whole }
}

/// A text as it was read.
struct Read {
    tree: Tree,
    document: Document,
    diagnostics: Vec<Diagnostic>,
    /// Keys that were passed over with their values.
    overlooked: Vec<Span>,
    /// Faults that hide nothing, as the text is read as it was meant.
    meant: Vec<Span>,
}

impl Read {
    fn of(id: SourceId, source: &Text, mut tree: Tree) -> Read {
        let (diagnostics, overlooked, meant) = (Vec::new(), Vec::new(), Vec::new());
        let mut lowering = Lowering { id, source, gaps: &tree.gaps, diagnostics, overlooked, meant };
        let document = match &tree.root {
            Some(root) => match lowering.document(root) {
                Document::Tests(tests) => lowering.tests(tests, &tree.more),
                other => other,
            },
            None => Document::Unknown,
        };
        let Lowering { diagnostics, overlooked, meant, .. } = lowering;
        let told = diagnostics.into_iter().filter(|found| is_told(found, &source.text, &tree));
        let told: Vec<Diagnostic> = told.collect();
        let mut diagnostics = std::mem::take(&mut tree.diagnostics);
        diagnostics.extend(told);
        diagnostics.retain(|found| !node::below_gap(&source.text, found.span.start, &tree.gaps));
        Read { tree, document, diagnostics, overlooked, meant }
    }
}

/// Whether a fault is one of what was written: not of what is missing at a gap, or behind where reading ended.
fn is_told(found: &Diagnostic, text: &str, tree: &Tree) -> bool {
    let lacks = matches!(
        found.code,
        Code::MissingKey | Code::MissingValue | Code::StepKind | Code::UnknownKind | Code::WrongShape
    );
    // A line that was moved is out of line first of all.
    if found.code == Code::MisplacedKey && tree.diagnostics.iter().any(|told| told.span.start == found.span.start) {
        return false;
    }
    // A column may be one of a line that was left out.
    if found.code == Code::UnknownName {
        let name = text.get(found.span.start as usize..found.span.end as usize).unwrap_or_default();
        let line = |at: usize| text.get(..at).and_then(|above| above.rfind('\n')).map_or(0, |end| end + 1);
        let left_out =
            |gap: &std::ops::Range<u32>| text.get(line(gap.start as usize)..gap.end as usize).unwrap_or_default();
        let keys = tree.gaps.iter().flat_map(|gap| left_out(gap).split(['\n', '{', ',']));
        let mut keys = keys.filter_map(|part| part.split([':', '：']).next());
        return !keys.any(|key| key.trim() == name);
    }
    match tree.broken_at {
        Some(at) if lacks || found.span.end as usize > text[..at as usize].rfind('\n').unwrap_or(0) => false,
        _ => !(lacks && node::beside_gap(text, found.span.start, &tree.gaps)),
    }
}

/// Adds the secrets that the text shows, those that are told already apart.
fn written_out(id: SourceId, text: &str, diagnostics: &mut Vec<Diagnostic>) {
    let told: Vec<Span> =
        diagnostics.iter().filter(|found| found.code == Code::SecretInYaml).map(|found| found.span).collect();
    let overlaps = |span: Span| told.iter().any(|told| told.start < span.end && span.start < told.end);
    diagnostics.extend(secret::in_text(id, text).into_iter().filter(|found| !overlaps(found.span)));
}

impl Lowering<'_> {
    /// The tests after the first of a file.
    fn tests(&mut self, mut tests: Vec<AnyTest>, more: &[Node]) -> Document {
        for root in more {
            let first = match &root.kind {
                NodeKind::Mapping(entries) => entries.first(),
                _ => None,
            };
            let Some(first) = first.filter(|first| first.key.text() == Some("test")) else {
                tests.extend(self.begins_otherwise(root, first));
                continue;
            };
            tests.extend(self.any_test(root, first.key.span));
        }
        Document::Tests(tests)
    }

    /// What follows a test and does not begin as one: read as one all the same, if it looks so.
    fn begins_otherwise(&mut self, root: &Node, first: Option<&Entry>) -> Option<AnyTest> {
        let key = first.map(|first| &first.key);
        let word = key.and_then(Node::text).unwrap_or("");
        if let Some(key) = key.filter(|_| dialect::meant(word, ["test"].into_iter()).is_some()) {
            self.unknown_kind(Some(word), key.span);
            return self.any_test(&root.begun("test"), key.span);
        }
        self.report(Diagnostic::new(
            Code::SeveralDocuments,
            self.first_line(key.map_or(root.span, |key| key.span)),
            Wording::new(
                "`---` 之后要以 `test:` 开头：只有测试可以几份写在一个文件里",
                "what follows `---` begins with `test:`, as only tests share a file",
            ),
        ));
        root.is_test().then(|| self.any_test(root, key.map_or(root.span, |key| key.span)))?
    }

    fn document(&mut self, root: &Node) -> Document {
        let NodeKind::Mapping(entries) = &root.kind else {
            self.no_mapping(root);
            return Document::Unknown;
        };
        let is_kind = |entry: &&Entry| entry.key.text().is_some_and(|key| KINDS.contains(&key));
        let Some(first) = entries.first() else {
            self.unknown_kind(None, root.span);
            return Document::Unknown;
        };
        let has = |keys: &[&str]| entries.iter().any(|entry| entry.key.text().is_some_and(|key| keys.contains(&key)));
        // A test names its process too, and may hold a directory and a calendar of its own.
        let test = entries.iter().find(|entry| entry.key.text() == Some("test") && !has(&["steps"]));
        let Some(kind) = test.or_else(|| entries.iter().find(is_kind)) else {
            return self.guessed(root, first, entries);
        };
        if kind.key.text() == Some("process") && has(&["do", "expect"]) && !has(&["test", "steps"]) {
            self.report(self.no_kind_written("test", first.key.span));
            return self.of_kind("test", root, first.key.span);
        }
        let key = kind.key.text().unwrap_or("");
        if kind.key.span != first.key.span {
            let diagnostic = Diagnostic::new(
                Code::KindNotFirst,
                kind.key.span,
                Wording::new(
                    format!("`{key}` 说明文件是什么，请把它移到第一行"),
                    format!("`{key}` says what the file is; move it to the first line"),
                ),
            )
            .context(first.key.span, Wording::new("现在的第一个键", "the first key now"));
            self.report(match self.kind_first(first, kind) {
                Some((span, moved)) => {
                    let text = format!("`{key}`");
                    diagnostic.fix(
                        span,
                        moved,
                        Wording::new(format!("把 {text} 移到最前"), format!("move {text} to the front")),
                    )
                }
                None => diagnostic,
            });
        }
        self.of_kind(key, root, kind.key.span)
    }

    fn of_kind(&mut self, kind: &str, root: &Node, at: Span) -> Document {
        match kind {
            "process" => self.process(root, at).map_or(Document::Unknown, Document::Process),
            "directory" => self.directory(root, at).map_or(Document::Unknown, Document::Directory),
            "calendar" => self.calendar(root, at).map_or(Document::Unknown, Document::Calendar),
            "table" => self.table(root, at).map_or(Document::Unknown, Document::Table),
            "metric" => self.metric(root, at).map_or(Document::Unknown, Document::Metric),
            _ => self.any_test(root, at).map_or(Document::Unknown, |test| Document::Tests(vec![test])),
        }
    }

    /// A document that does not say what it is: read as what it looks like, so that what else is wrong is told too.
    fn guessed(&mut self, root: &Node, first: &Entry, entries: &[Entry]) -> Document {
        let word = first.key.text().unwrap_or("");
        let a_key = PLACES.iter().any(|(_, place)| place.keys.contains(&word));
        if let Some(kind) = dialect::meant(word, KINDS.iter().copied()).filter(|_| !a_key) {
            self.unknown_kind(Some(word), first.key.span);
            return self.of_kind(kind, &root.begun(kind), first.key.span);
        }
        let fits =
            |place: &Place| entries.iter().filter(|entry| place.keys.contains(&entry.key.text().unwrap_or(""))).count();
        let best = PLACES.iter().map(|(_, place)| fits(place)).max().filter(|best| *best > 0);
        let alike: Vec<&str> =
            PLACES.iter().filter(|(_, place)| Some(fits(place)) == best).map(|(kind, _)| *kind).collect();
        let &[kind] = alike.as_slice() else {
            self.unknown_kind(None, first.key.span);
            return Document::Unknown;
        };
        self.report(self.no_kind_written(kind, first.key.span));
        self.of_kind(kind, root, first.key.span)
    }

    /// A document that looks like one of a kind and does not say so.
    fn no_kind_written(&self, kind: &str, first: Span) -> Diagnostic {
        let found = Diagnostic::new(
            Code::UnknownKind,
            first,
            Wording::new(
                format!("这个文件没有写明它是什么，看起来是一份 `{kind}`。第一行请写 `{kind}: 名称`"),
                format!("this file does not say what it is, and looks like a `{kind}`; begin it with `{kind}: NAME`"),
            ),
        );
        let file = self.source.name.rsplit(['/', '\\']).next().unwrap_or("");
        let name = file.split('.').next().unwrap_or("");
        let own_line = self
            .source
            .text
            .get(..first.start as usize)
            .is_some_and(|before| before.is_empty() || before.ends_with('\n'));
        if !own_line || kind == "test" || !scalar::is_document_name(name) {
            return found.hint(Wording::new(format!("{kind}: leave"), format!("{kind}: leave")));
        }
        let line = format!("{kind}: {name}");
        let words = Wording::new(format!("第一行写 `{line}`"), format!("begin with `{line}`"));
        found.fix(Span { end: first.start, ..first }, format!("{line}\n"), words)
    }

    /// The lines from the first key to the one of the kind, with that one first. Only where it has a line to itself.
    fn kind_first(&self, first: &Entry, kind: &Entry) -> Option<(Span, String)> {
        let (start, end) = (first.key.span.start as usize, kind.value.span.end as usize);
        let text: &str = &self.source.text;
        let line = text.get(kind.key.span.start as usize..end)?;
        let above = text.get(start..kind.key.span.start as usize)?.strip_suffix('\n')?;
        let alone = text.get(end..)?.chars().find(|c| *c != ' ').is_none_or(|c| matches!(c, '\n' | '\r'));
        (alone && !line.contains('\n')).then(|| (Span::new(self.id, start, end), format!("{line}\n{above}")))
    }

    fn no_mapping(&mut self, root: &Node) {
        if let Some(text) = root.text()
            && let Some((at, mark, typed)) = trap::full_width_mark(text).filter(|(_, mark, _)| *mark == '：')
        {
            let start = root.span.start as usize + at;
            self.report(trap::full_width(Span::new(self.id, start, start + mark.len_utf8()), mark, typed));
            return;
        }
        self.unknown_kind(None, self.first_line(root.span));
    }

    fn unknown_kind(&mut self, word: Option<&str>, span: Span) {
        let close = word.and_then(|word| dialect::meant(word, KINDS.iter().copied()));
        let listed = quoted_list(KINDS.iter().copied());
        let diagnostic = match (word, close) {
            (Some(word), Some(close)) => Diagnostic::new(
                Code::UnknownKind,
                span,
                Wording::new(
                    format!("没有 `{word}` 这种文档，是不是 `{close}`？"),
                    format!("there is no document kind `{word}`; did you mean `{close}`?"),
                ),
            )
            .fix_word(span, close),
            _ => Diagnostic::new(
                Code::UnknownKind,
                span,
                Wording::new(
                    format!("看不出这个文件是什么。第一个键要写明种类：{}", listed.zh),
                    format!("this file does not say what it is; its first key names the kind: {}", listed.en),
                ),
            )
            .hint(Wording::new("process: leave", "process: leave")),
        };
        self.report(diagnostic);
    }
}
