//! Form fields: their types, keys and options.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::model::file::{self, Accept};
use crate::model::text::{Text, Wording};
use crate::syntax::depth;
use crate::syntax::dialect;
use crate::syntax::feel::FeelText;
use crate::syntax::fields::{GROUP, Lowering, Place, missing_value, wrong_shape};
use crate::syntax::node::{Node, NodeKind};
use crate::syntax::scalar::NameRule;
use crate::syntax::secret;
use crate::syntax::step::STEP;

/// The type of a field, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `text`: one line.
    Text,
    /// `long text`: several lines.
    LongText,
    /// `integer`.
    Integer,
    /// `decimal`.
    Decimal,
    /// `money`.
    Money,
    /// `percent`.
    Percent,
    /// `boolean`.
    Boolean,
    /// `date`.
    Date,
    /// `date-time`.
    DateTime,
    /// `duration`.
    Duration,
    /// `choice`: one of `options`.
    Choice,
    /// `person`.
    Person,
    /// `position`.
    Position,
    /// `department`.
    Department,
    /// `file`: a file to upload.
    File,
    /// `list`: records with `fields`.
    List,
}

pub(crate) const TYPES: &[(&str, FieldType)] = &[
    ("text", FieldType::Text),
    ("long text", FieldType::LongText),
    ("integer", FieldType::Integer),
    ("decimal", FieldType::Decimal),
    ("money", FieldType::Money),
    ("percent", FieldType::Percent),
    ("boolean", FieldType::Boolean),
    ("date", FieldType::Date),
    ("date-time", FieldType::DateTime),
    ("duration", FieldType::Duration),
    ("choice", FieldType::Choice),
    ("person", FieldType::Person),
    ("position", FieldType::Position),
    ("department", FieldType::Department),
    ("file", FieldType::File),
    ("list", FieldType::List),
];

/// One option of a choice, or one outcome of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionDef {
    /// Its name.
    pub name: Spanned<String>,
    /// What people read.
    pub title: Text,
}

/// `check: { that: …, say: … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckDef {
    /// What must hold.
    pub that: FeelText,
    /// What people are told if it does not.
    pub say: Spanned<Text>,
}

/// A field of a form, of a list's rows or of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Spanned<String>,
    /// Name and value together.
    pub span: Span,
    /// Its type; `None` if that could not be read, which is reported.
    pub kind: Option<Spanned<FieldType>>,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// A line of help.
    pub help: Option<Spanned<Text>>,
    /// Whether it must be filled in.
    pub required: Option<Spanned<bool>>,
    /// Whether it holds several plain values.
    pub many: Option<Spanned<bool>>,
    /// What it holds if nobody says otherwise.
    pub default: Option<FeelText>,
    /// What it is computed from.
    pub value: Option<FeelText>,
    /// When it is asked.
    pub when: Option<FeelText>,
    /// The least value, length or number of rows.
    pub min: Option<FeelText>,
    /// The greatest value, length or number of rows.
    pub max: Option<FeelText>,
    /// A regular expression that the whole text matches.
    pub pattern: Option<Spanned<String>>,
    /// A condition of its own.
    pub check: Option<CheckDef>,
    /// The options of a choice.
    pub options: Vec<OptionDef>,
    /// The people or positions to choose from.
    pub among: Option<FeelText>,
    /// The columns of a list.
    pub fields: Vec<Field>,
    /// What a number counts, shown beside it.
    pub unit: Option<Spanned<Text>>,
    /// The most bytes of a file.
    pub size: Option<Spanned<u64>>,
    /// What a file may be.
    pub accept: Vec<Accept>,
}

impl Field {
    /// A field of which only the name is known.
    fn named(name: Spanned<String>, span: Span) -> Field {
        Field {
            name,
            span,
            kind: None,
            title: None,
            help: None,
            required: None,
            many: None,
            default: None,
            value: None,
            when: None,
            min: None,
            max: None,
            pattern: None,
            check: None,
            options: Vec::new(),
            among: None,
            fields: Vec::new(),
            unit: None,
            size: None,
            accept: Vec::new(),
        }
    }
}

pub(crate) static FIELD: Place = Place {
    name: ("字段", "a field"),
    keys: &[
        "type", "title", "help", "required", "default", "min", "max", "pattern", "check", "value", "when", "options",
        "among", "many", "fields", "unit", "size", "accept",
    ],
    later: &[],
    relatives: &[&STEP],
};

pub(crate) static CHECK: Place = Place {
    name: ("字段的 `check`", "the `check` of a field"),
    keys: &["that", "say"],
    later: &[],
    relatives: &[&FIELD],
};

impl Lowering<'_> {
    /// The fields of a `form`, `data` or `fields`.
    pub(crate) fn form(&mut self, node: &Node) -> Vec<Field> {
        let node = &*self.as_group(node);
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let entries = self.sunk(entries);
        let (mut found, mut passed) = (Vec::new(), 0);
        for (at, entry) in entries.iter().enumerate() {
            if at < passed {
                continue;
            }
            match self.flattened(&entries, at, depth::is_part_of_field) {
                Some(strays) => passed = at + 1 + strays,
                None => found.extend(self.field(&entry.key, &entry.value)),
            }
        }
        found
    }

    fn field(&mut self, key: &Node, node: &Node) -> Option<Field> {
        let name = self.name(key, NameRule::Word);
        if node.is_empty() {
            let shown = key.text().unwrap_or("");
            self.report(missing_value(key.span, shown).hint(Wording::new(
                format!("{shown}: {{ type: text, title: … }}"),
                format!("{shown}: {{ type: text, title: … }}"),
            )));
            return None;
        }
        if let Some(kind) = self.type_alone(node) {
            return Some(Field { kind: Some(kind), ..Field::named(name?, key.span.to(node.span)) });
        }
        let fields = self.fields(node, &FIELD, key.span)?;
        let kind = fields.required(self, "type").and_then(|node| self.field_type(node));
        // Columns and options give the type away.
        let meant = |key: &str, kind: FieldType| fields.key(key).map(|at| Spanned::new(kind, at));
        let untyped = fields.key("type").is_none();
        let meant = untyped.then(|| meant("fields", FieldType::List).or_else(|| meant("options", FieldType::Choice)));
        let kind = kind.or(meant.flatten());
        let field = Field {
            span: key.span.to(node.span),
            title: fields.get("title").and_then(|node| self.text(node)),
            help: fields.get("help").and_then(|node| self.text(node)),
            required: fields.get("required").and_then(|node| self.boolean(node)),
            many: fields.get("many").and_then(|node| self.boolean(node)),
            default: fields.get("default").and_then(|node| match kind {
                Some(Spanned { value: FieldType::Person, .. }) => self.feel_person(node, "default"),
                _ => self.feel_value(node, "default"),
            }),
            value: fields.get("value").and_then(|node| self.feel_value(node, "value")),
            when: fields.get("when").and_then(|node| self.feel(node, "when")),
            min: fields.get("min").and_then(|node| self.feel(node, "min")),
            max: fields.get("max").and_then(|node| self.feel(node, "max")),
            pattern: fields.get("pattern").and_then(|node| self.plain(node)),
            check: fields.get("check").and_then(|node| self.check(node)),
            options: fields.get("options").map(|node| self.options(node)).unwrap_or_default(),
            among: fields.get("among").and_then(|node| self.feel(node, "among")),
            fields: fields.get("fields").map(|node| self.form(node)).unwrap_or_default(),
            unit: fields.get("unit").and_then(|node| self.text(node)),
            size: fields.get("size").and_then(|node| self.size(node)),
            accept: fields.get("accept").map(|node| self.accept(node)).unwrap_or_default(),
            name: name?,
            kind,
        };
        self.secrets(&field);
        if let Some(kind) = field.kind {
            let needs = |key: &str, lowering: &mut Self| {
                if fields.key(key).is_none() {
                    lowering.report(needs_key(kind.span, kind.value, key));
                }
            };
            match kind.value {
                FieldType::Choice => needs("options", self),
                FieldType::List => needs("fields", self),
                _ => {}
            }
            self.something(&fields, kind);
            for (key, fits) in [
                ("options", kind.value == FieldType::Choice),
                ("fields", kind.value == FieldType::List),
                ("among", matches!(kind.value, FieldType::Person | FieldType::Position | FieldType::Department)),
                ("pattern", matches!(kind.value, FieldType::Text | FieldType::LongText)),
                ("many", kind.value != FieldType::List),
                (
                    "unit",
                    matches!(
                        kind.value,
                        FieldType::Integer | FieldType::Decimal | FieldType::Money | FieldType::Percent
                    ),
                ),
                ("size", kind.value == FieldType::File),
                ("accept", kind.value == FieldType::File),
            ] {
                if let (Some(at), false) = (fields.key(key), fits) {
                    self.report(of_other_type(at, key, kind));
                }
            }
        }
        if let (Some(value), Some(other)) =
            (fields.key("value"), fields.key("default").or(fields.key("required")).or(fields.key("when")))
        {
            self.report(computed_and_asked(value, other));
        }
        Some(field)
    }

    /// `amount: money`, which lacks only its braces.
    fn type_alone(&mut self, node: &Node) -> Option<Spanned<FieldType>> {
        let word = node.text()?;
        let kind = dialect::meant(word, TYPES.iter().map(|(word, _)| *word))?;
        let (_, value) = TYPES.iter().find(|(word, _)| *word == kind)?;
        let found = wrong_shape(node.span, GROUP, "文字", "text");
        self.report(found.fix_word(node.span, format!("{{ type: {kind} }}")));
        Some(Spanned::new(*value, node.span))
    }

    /// What nobody should read in a form, and everybody does: a password as a default or in the words beside it.
    fn secrets(&mut self, field: &Field) {
        if let Some(default) = &field.default {
            self.diagnostics.extend(secret::in_default(&field.name.value, default));
        }
        for words in field.help.iter().chain(&field.title) {
            self.diagnostics.extend(secret::in_words(words.span.source, &self.source.text, words.span));
        }
    }

    fn field_type(&mut self, node: &Node) -> Option<Spanned<FieldType>> {
        self.one_of(node, TYPES)
    }

    fn check(&mut self, node: &Node) -> Option<CheckDef> {
        let fields = self.fields(node, &CHECK, node.span)?;
        let that = fields.required(self, "that").and_then(|node| self.feel(node, "that"));
        let say = fields.required(self, "say").and_then(|node| self.text(node));
        Some(CheckDef { that: that?, say: say? })
    }

    /// `5 MB`.
    fn size(&mut self, node: &Node) -> Option<Spanned<u64>> {
        let words = self.words(node)?;
        match file::read_size(words.value.trim()) {
            Some(size) if size <= file::MOST_SIZE => Some(Spanned::new(size, node.span)),
            Some(_) => {
                let most = file::size_words(file::MOST_SIZE);
                self.report(Diagnostic::new(
                    Code::BadValue,
                    node.span,
                    Wording::new(
                        format!("文件最大可以到 {most}，请写小一点"),
                        format!("a file can have {most} at most; write less"),
                    ),
                ));
                None
            }
            None => {
                self.report(Diagnostic::new(
                    Code::BadValue,
                    node.span,
                    Wording::new(
                        format!("`{}` 不是文件大小，请写成 `5 MB` 或 `800 KB`", words.value),
                        format!("`{}` is no size of a file; write it like `5 MB` or `800 KB`", words.value),
                    ),
                ));
                None
            }
        }
    }

    /// `[pdf, image, .dwg]`.
    fn accept(&mut self, node: &Node) -> Vec<Accept> {
        let Some(items) = self.word_items(node) else { return Vec::new() };
        let mut found = Vec::new();
        for item in items {
            let Some(word) = self.words(item) else { continue };
            match Accept::parse(&word.value) {
                Some(accept) => found.push(accept),
                None => self.report(unknown_kind(item.span, &word.value)),
            }
        }
        found
    }

    /// A choice has options and a list has columns, or nobody could fill it in.
    fn something(&mut self, fields: &crate::syntax::fields::Fields<'_>, kind: Spanned<FieldType>) {
        let (key, zh, en) = match kind.value {
            FieldType::Choice => ("options", "没有选项，谁也选不了", "no options, so nothing can be chosen"),
            FieldType::List => ("fields", "没有列，一行也填不了", "no columns, so no row can be filled in"),
            _ => return,
        };
        let empty = fields.get(key).filter(|node| match &node.kind {
            NodeKind::Mapping(entries) => entries.is_empty(),
            NodeKind::Sequence(items) => items.is_empty(),
            NodeKind::Scalar { .. } | NodeKind::Broken => false,
        });
        if let Some(node) = empty {
            self.report(Diagnostic::new(
                Code::ImpossibleField,
                node.span,
                Wording::new(format!("`{key}` 里{zh}。请写上"), format!("there are {en}; write some into `{key}`")),
            ));
        }
    }

    /// `[热, 冷]`, or `{ warm: 热, cold: 冷 }`.
    pub(crate) fn options(&mut self, node: &Node) -> Vec<OptionDef> {
        let mut found: Vec<OptionDef> = Vec::new();
        match &node.kind {
            NodeKind::Sequence(items) => {
                for item in items {
                    let Some(name) = self.name(item, NameRule::Word) else { continue };
                    if let Some(first) = found.iter().find(|option| option.name.value == name.value) {
                        let diagnostic = Diagnostic::new(
                            Code::RepeatedName,
                            name.span,
                            Wording::new(
                                format!("选项 `{}` 写了两次，请删掉一个", name.value),
                                format!("the option `{}` is written twice; delete one", name.value),
                            ),
                        );
                        let first = first.name.span;
                        self.report(diagnostic.context(first, Wording::new("第一次", "first here")));
                        continue;
                    }
                    found.push(OptionDef { title: Text::One(name.value.clone()), name });
                }
            }
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    let name = self.name(&entry.key, NameRule::Word);
                    let title = if entry.value.is_empty() { None } else { self.text(&entry.value) };
                    let Some(name) = name else { continue };
                    let title = title.map_or_else(|| Text::One(name.value.clone()), |title| title.value);
                    found.push(OptionDef { name, title });
                }
            }
            NodeKind::Scalar { .. } | NodeKind::Broken => drop(self.word_items(node)),
        }
        found
    }
}

/// The word for a type in a document.
pub(crate) fn type_word(kind: FieldType) -> &'static str {
    TYPES.iter().find(|(_, found)| *found == kind).map_or("", |(word, _)| word)
}

fn needs_key(span: Span, kind: FieldType, key: &str) -> Diagnostic {
    let word = type_word(kind);
    let example = match kind {
        FieldType::Choice => "options: { high: 高, low: 低 }",
        _ => "fields: { name: { type: text, title: 名称 } }",
    };
    Diagnostic::new(
        Code::MissingKey,
        span,
        Wording::new(format!("`type: {word}` 要有 `{key}`"), format!("`type: {word}` needs `{key}`")),
    )
    .hint(Wording::new(example, example))
}

fn of_other_type(span: Span, key: &str, kind: Spanned<FieldType>) -> Diagnostic {
    let word = type_word(kind.value);
    let fits = match key {
        "options" => "choice",
        "fields" => "list",
        "among" => "person",
        "pattern" => "text",
        "size" | "accept" => "file",
        "unit" => "decimal",
        _ => "",
    };
    let message = if fits.is_empty() {
        Wording::new(
            format!("`type: {word}` 不用 `{key}`，它本来就有多行"),
            format!("`type: {word}` takes no `{key}`; it has several rows anyway"),
        )
    } else {
        Wording::new(
            format!("`type: {word}` 不用 `{key}`，只有 `type: {fits}` 才用。请删掉它，或改类型"),
            format!("`type: {word}` takes no `{key}`, only `type: {fits}` does; delete it, or change the type"),
        )
    };
    Diagnostic::new(Code::KeyOfOtherField, span, message).context(kind.span, Wording::new("类型", "the type"))
}

fn unknown_kind(span: Span, word: &str) -> Diagnostic {
    let kinds = || file::KINDS.iter().map(|row| row.word);
    let listed = quoted_list(kinds());
    let ending = Accept::parse(&format!(".{word}")).map(|_| format!(".{word}"));
    let close = suggest::closest(word, kinds()).map(str::to_owned).or(ending);
    let found = Diagnostic::new(
        Code::BadValue,
        span,
        Wording::new(
            format!("不认识文件种类 `{word}`。可以写 {}，或带点的扩展名如 `.dwg`", listed.zh),
            format!("`{word}` is no kind of file; write {}, or the ending of a name such as `.dwg`", listed.en),
        ),
    );
    match close {
        Some(close) => {
            let words = Wording::new(format!("改成 `{close}`"), format!("write `{close}`"));
            found.fix(span, close, words)
        }
        None => found,
    }
}

fn computed_and_asked(value: Span, other: Span) -> Diagnostic {
    Diagnostic::new(
        Code::KeyOfOtherField,
        other,
        Wording::new(
            "有 `value` 的字段是算出来的，没有人填写，所以不用 `default`、`required` 和 `when`。请删掉其中一方",
            "a field with `value` is computed and nobody fills it in, so it takes no `default`, `required` or `when`; delete one of the two",
        ),
    )
    .context(value, Wording::new("由此算出", "computed here"))
}
