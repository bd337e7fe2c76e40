//! A text as it is written: blocks and brackets, anchors, comments, and where each of them stands.

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

/// A text of one document.
pub(super) struct Tree {
    pub(super) root: Part,
    /// Where `---` stands, if it does.
    pub(super) mark: Option<usize>,
    /// All comments, in order.
    pub(super) comments: Vec<Comment>,
    /// Where each scalar and alias begins, in order.
    pub(super) leaves: Vec<usize>,
}

/// A value.
pub(super) struct Part {
    /// Where it begins, without its anchor and tag.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Its anchor and tag, as written.
    pub(super) marks: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// A scalar or alias that stands where it says.
    Scalar,
    /// `|` or `>`: where that stands, its header as written, and where its lines begin.
    Block { at: usize, header: String, lines: usize },
    /// A list.
    List { brackets: bool, items: Vec<Part> },
    /// A mapping. `bare` is one pair in a list's brackets, without braces of its own.
    Map { brackets: bool, bare: bool, entries: Vec<(Part, Part)> },
}

/// A comment.
pub(super) struct Comment {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether nothing stands before it in its line.
    pub(super) own_line: bool,
    /// How many characters stand before it in its line.
    pub(super) column: usize,
}

impl Part {
    /// Where its first scalar begins.
    pub(super) fn first_leaf(&self) -> usize {
        match &self.kind {
            Kind::List { items, .. } => items.first().map_or(self.start, Part::first_leaf),
            Kind::Map { entries, .. } => entries.first().map_or(self.start, |(key, _)| key.first_leaf()),
            Kind::Scalar | Kind::Block { .. } => self.start,
        }
    }

    /// Whether nothing is written.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Scalar) && self.start == self.end && self.marks.is_empty()
    }
}

impl Tree {
    /// What its comments say.
    pub(super) fn said<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut said: Vec<&str> =
            self.comments.iter().filter_map(|comment| text.get(comment.start..comment.end)).collect();
        // A comment may move before or after the value of its line.
        said.sort_unstable();
        said
    }
}

struct Open {
    part: Part,
    /// A key whose value has not come yet.
    key: Option<Part>,
}

/// Reads a text; `None` where it is no single document or holds what cannot be written back.
pub(super) fn read(text: &str) -> Option<Tree> {
    let options =
        granit_parser::options! { emit_comments: false, emit_unresolved_aliases: true, emit_anchor_events: true };
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let (mut mark, mut documents) = (None, 0);
    // The scalars, with where the text between them ends and begins again.
    let mut leaves: Vec<(usize, usize)> = Vec::new();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, place) = next.ok()?;
        let range = place.byte_range()?;
        let tag = place.tag_span().and_then(|tag| tag.byte_range()).and_then(|tag| text.get(tag));
        let marks = if event.tag().is_some() { tag?.to_owned() } else { String::new() };
        let part = |kind| Part { start: range.start, end: range.end, marks: marks.clone(), kind };
        let done = match event {
            Event::DocumentStart(written, version) => {
                documents += 1;
                if documents > 1 || version.is_some() {
                    return None;
                }
                mark = written.then_some(range.start);
                continue;
            }
            Event::Anchor(_, name) => {
                let node = newest(&mut open, &mut root)?;
                node.marks = format!("&{name} {}", node.marks).trim_end().to_owned();
                continue;
            }
            Event::SequenceStart(style, ..) => {
                let kind = Kind::List { brackets: style == StructureStyle::Flow, items: Vec::new() };
                open.push(Open { part: part(kind), key: None });
                continue;
            }
            Event::MappingStart(style, ..) => {
                let brackets = style == StructureStyle::Flow;
                let kind = Kind::Map { brackets, bare: brackets && range.is_empty(), entries: Vec::new() };
                open.push(Open { part: part(kind), key: None });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let mut closed = open.pop()?.part;
                closed.end = match closed.kind {
                    Kind::List { brackets: true, .. } | Kind::Map { brackets: true, bare: false, .. } => range.end,
                    _ => leaves.last().map_or(range.start, |(_, end)| *end).max(closed.start),
                };
                closed
            }
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                let from = leaves.last().map_or(0, |(_, end)| *end);
                let block = header(text, from, range.start)?;
                let Kind::Block { lines, .. } = block else { return None };
                leaves.push((lines, range.end.max(lines)));
                part(block)
            }
            Event::Scalar(_, style, ..) => {
                let mut part = part(Kind::Scalar);
                if style == ScalarStyle::Plain {
                    part.end = part.start + text.get(part.start..part.end)?.trim_end().len();
                }
                leaves.push((part.start, part.end));
                part
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                leaves.push((range.start, range.end));
                part(Kind::Scalar)
            }
            _ => continue,
        };
        add(done, &mut open, &mut root)?;
    }
    let comments = comments(text, &leaves);
    let leaves = leaves.into_iter().filter(|(start, end)| start < end).map(|(start, _)| start).collect();
    Some(Tree { root: root?, mark, comments, leaves })
}

fn add(part: Part, open: &mut [Open], root: &mut Option<Part>) -> Option<()> {
    let Some(above) = open.last_mut() else {
        *root = Some(part);
        return Some(());
    };
    match &mut above.part.kind {
        Kind::List { items, .. } => items.push(part),
        Kind::Map { entries, .. } => match above.key.take() {
            Some(key) => entries.push((key, part)),
            // A key that is a list, a mapping or a block is none of ours.
            None if matches!(part.kind, Kind::Scalar) => above.key = Some(part),
            None => return None,
        },
        Kind::Scalar | Kind::Block { .. } => return None,
    }
    Some(())
}

/// The value that was read last, or is being read.
fn newest<'o>(open: &'o mut [Open], root: &'o mut Option<Part>) -> Option<&'o mut Part> {
    let Some(above) = open.last_mut() else { return root.as_mut() };
    if above.key.is_some() {
        return above.key.as_mut();
    }
    let filled = match &above.part.kind {
        Kind::List { items, .. } => !items.is_empty(),
        Kind::Map { entries, .. } => !entries.is_empty(),
        Kind::Scalar | Kind::Block { .. } => false,
    };
    if !filled {
        return Some(&mut above.part);
    }
    match &mut above.part.kind {
        Kind::List { items, .. } => items.last_mut(),
        Kind::Map { entries, .. } => entries.last_mut().map(|(_, value)| value),
        Kind::Scalar | Kind::Block { .. } => None,
    }
}

/// The `|` or `>` of a block between what stands before it and its text, and where its lines begin.
fn header(text: &str, from: usize, to: usize) -> Option<Kind> {
    let gap = text.get(from..to)?;
    let at = gap.find(['|', '>'])?;
    let header: String = gap.get(at..)?.chars().take_while(|c| "|>+-0123456789".contains(*c)).collect();
    let lines = gap.get(at..)?.find('\n').map_or(to, |line| from + at + line + 1);
    Some(Kind::Block { at: from + at, header, lines })
}

/// Every `#` outside scalars that begins a comment.
fn comments(text: &str, leaves: &[(usize, usize)]) -> Vec<Comment> {
    let mut found = Vec::new();
    let mut from = 0;
    for (start, end) in leaves.iter().copied().chain([(text.len(), text.len())]) {
        while let Some(at) = text.get(from..start).and_then(|gap| gap.find('#')).map(|at| from + at) {
            let line = text[..at].rfind('\n').map_or(0, |line| line + 1);
            let before = &text[line..at];
            if !before.is_empty() && !before.ends_with([' ', '\t', '\u{feff}']) {
                from = at + 1;
                continue;
            }
            let stop = text[at..].find('\n').map_or(text.len(), |line| at + line);
            let end = at + text[at..stop].trim_end().len();
            let own_line = before.trim_start_matches('\u{feff}').trim().is_empty();
            found.push(Comment { start: at, end, own_line, column: before.chars().count() });
            from = stop;
        }
        from = from.max(end);
    }
    found
}
