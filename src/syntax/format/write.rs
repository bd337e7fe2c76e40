//! Writing a tree. Comments are taken in their order as the places come up before or after which they stand.

use super::WIDTH;
use super::tree::{Comment, Kind, Part, Tree};
use unicode_width::UnicodeWidthStr;

pub(super) fn written(text: &str, tree: &Tree) -> String {
    let mut writer = Writer { text, tree, next: 0, out: String::with_capacity(text.len()), fresh: true, tight: false };
    if let Some(mark) = tree.mark {
        writer.lead(mark, 0);
        writer.out.push_str("---\n");
    }
    let root = &tree.root;
    if writer.is_block(root, 0) {
        writer.block(root, 0, false);
    } else {
        writer.lead(root.start, 0);
        let line = writer.inline(root);
        writer.out.push_str(&line);
        writer.end_line(root.end);
    }
    writer.lead_comments(text.len(), 0);
    writer.out
}

struct Writer<'t> {
    text: &'t str,
    tree: &'t Tree,
    /// The first comment that is not written yet.
    next: usize,
    out: String,
    /// Nothing is written yet in the block that was just opened, so no empty line goes here.
    fresh: bool,
    /// What is written stood in brackets: empty lines made no groups there.
    tight: bool,
}

impl<'t> Writer<'t> {
    fn comment(&self) -> Option<&'t Comment> {
        self.tree.comments.get(self.next)
    }

    fn raw(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn indent(&mut self, width: usize) {
        self.out.extend(std::iter::repeat_n(' ', width));
    }

    /// What stands before a place: comments, and one empty line where the author left some.
    fn lead(&mut self, to: usize, indent: usize) {
        self.lead_comments(to, indent);
        self.gap(to);
    }

    fn lead_comments(&mut self, to: usize, indent: usize) {
        while let Some(comment) = self.comment().filter(|comment| comment.start < to) {
            if comment.own_line {
                self.gap(comment.start);
            }
            self.indent(indent);
            self.out.push_str(self.raw(comment.start, comment.end));
            self.out.push('\n');
            self.fresh = false;
            self.next += 1;
        }
    }

    /// An empty line, if one stands before the line of a place.
    fn gap(&mut self, at: usize) {
        let line = self.raw(0, at).rfind('\n').unwrap_or(0);
        let above = self.raw(0, line);
        let empty = above.rfind('\n').map_or(above, |start| self.raw(start + 1, line)).trim().is_empty();
        if line > 0 && empty && !self.tight && !self.fresh && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        self.fresh = false;
    }

    /// The end of a line whose last value ends at a place, with the comment that stands there.
    fn end_line(&mut self, end: usize) {
        if let Some(comment) = self.comment()
            && comment.start >= end
            && !self.raw(end, comment.start).contains('\n')
            && !self.leaf_between(end, comment.start)
        {
            self.out.push_str("  ");
            self.out.push_str(self.raw(comment.start, comment.end));
            self.next += 1;
        }
        self.out.push('\n');
    }

    fn leaf_between(&self, from: usize, to: usize) -> bool {
        let at = self.tree.leaves.partition_point(|leaf| *leaf < from);
        self.tree.leaves.get(at).is_some_and(|leaf| *leaf < to)
    }

    /// Whether a value is written as a block: it is one, or its line would be too long, or holds a comment.
    fn is_block(&self, part: &Part, before: usize) -> bool {
        match &part.kind {
            Kind::Scalar => false,
            Kind::Block { .. } => true,
            Kind::List { brackets: false, .. } | Kind::Map { brackets: false, .. } => true,
            Kind::List { items, .. } if items.is_empty() => false,
            Kind::Map { entries, .. } if entries.is_empty() => false,
            Kind::List { .. } | Kind::Map { .. } => {
                let inside = |comment: &Comment| part.start < comment.start && comment.start < part.end;
                let line = self.inline(part);
                before + line.width() > WIDTH || line.contains('\n') || self.tree.comments.iter().any(inside)
            }
        }
    }

    /// A value on one line, but for scalars of several lines.
    fn inline(&self, part: &Part) -> String {
        let marks = if part.marks.is_empty() { String::new() } else { format!("{} ", part.marks) };
        let body = match &part.kind {
            Kind::Scalar | Kind::Block { .. } => self.raw(part.start, part.end).to_owned(),
            Kind::List { items, .. } => {
                let items: Vec<String> = items.iter().map(|item| self.inline(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Kind::Map { bare, entries, .. } => {
                let pairs: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| {
                        // A key without a value may stand alone in brackets; it gets no colon that nobody typed.
                        let colon = self.raw(key.end, self.text.len()).trim_start().starts_with(':');
                        let after = if colon || !value.is_empty() { ": " } else { "" };
                        format!("{}{after}{}", self.inline(key), self.inline(value)).trim_end().to_owned()
                    })
                    .collect();
                match (bare, pairs.is_empty()) {
                    (true, _) => pairs.join(", "),
                    (_, true) => "{}".to_owned(),
                    _ => format!("{{ {} }}", pairs.join(", ")),
                }
            }
        };
        (marks + &body).trim_end().to_owned()
    }

    /// A list, a mapping or a block text. `begun`: the first line has its indentation already.
    fn block(&mut self, part: &Part, indent: usize, begun: bool) {
        let brackets = matches!(&part.kind, Kind::List { brackets: true, .. } | Kind::Map { brackets: true, .. });
        let around = self.tight;
        self.tight |= brackets;
        match &part.kind {
            Kind::List { items, .. } => {
                for (number, item) in items.iter().enumerate() {
                    if !(begun && number == 0) {
                        self.lead(item.first_leaf(), indent);
                        self.indent(indent);
                    }
                    self.out.push('-');
                    self.value(item, item.first_leaf(), indent, true);
                }
            }
            Kind::Map { entries, .. } => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    let shown = self.inline(key);
                    if !(begun && number == 0) {
                        let whole = self.is_block(value, indent + shown.width() + 2);
                        self.lead(if whole { key.start } else { value.start }, indent);
                        self.indent(indent);
                    }
                    self.out.push_str(&shown);
                    self.out.push(':');
                    self.value(value, key.end, indent, false);
                }
            }
            Kind::Scalar | Kind::Block { .. } => return,
        }
        self.last_comments(part, indent, brackets);
        self.tight = around;
    }

    /// What follows `-` or `key:`. `from` is where that ends.
    fn value(&mut self, part: &Part, from: usize, indent: usize, of_list: bool) {
        if part.is_empty() {
            return self.end_line(from.max(part.start));
        }
        let before = self.out.rfind('\n').map_or(0, |line| line + 1);
        let before = self.out.get(before..).unwrap_or_default().width() + 1;
        if let Kind::Block { at, header, lines } = &part.kind {
            self.out.push(' ');
            if !part.marks.is_empty() {
                self.out.push_str(&part.marks);
                self.out.push(' ');
            }
            self.out.push_str(header);
            self.end_line(*at);
            return self.lines(part, *lines, indent + 2);
        }
        if !self.is_block(part, before) {
            self.out.push(' ');
            let line = self.inline(part);
            self.several_lines(&line, indent + 2);
            return self.end_line(part.end);
        }
        if of_list && part.marks.is_empty() {
            self.out.push(' ');
            return self.block(part, indent + 2, true);
        }
        if !part.marks.is_empty() {
            self.out.push(' ');
            self.out.push_str(&part.marks);
        }
        // A comment in the line of the key is the key's, unless it stands after one of several lines in brackets.
        let of_key = self.comment().is_some_and(|comment| {
            let after = comment.start >= part.end || !self.leaf_between(from, comment.start);
            comment.start >= from && after && !self.raw(from, comment.start).contains('\n')
        });
        if let Some(comment) = self.comment().filter(|_| of_key) {
            self.out.push_str("  ");
            self.out.push_str(self.raw(comment.start, comment.end));
            self.next += 1;
        }
        self.out.push('\n');
        self.fresh = true;
        self.block(part, indent + 2, false);
    }

    /// A scalar in quotes, or a plain one, that the author broke into lines.
    fn several_lines(&mut self, text: &str, indent: usize) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.out.push('\n');
                if !line.trim().is_empty() {
                    self.indent(indent);
                }
            }
            let line = if number > 0 { line.trim_start() } else { line };
            self.out.push_str(line.trim_end());
        }
    }

    /// The lines of a block text.
    fn lines(&mut self, part: &Part, from: usize, indent: usize) {
        let raw = self.raw(from, part.end);
        let line_start = self.raw(0, part.start).rfind('\n').map_or(0, |line| line + 1);
        let column = part.start - line_start;
        let keeps = matches!(&part.kind, Kind::Block { header, .. } if header.contains('+'));
        let raw = if keeps { raw.strip_suffix('\n').unwrap_or(raw) } else { raw.trim_end() };
        for line in raw.split('\n').map(|line| line.trim_end_matches('\r')) {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let line = line.get(spaces.min(column)..).unwrap_or_default();
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    /// Comments that close a block: those that stand as far in as its entries.
    fn last_comments(&mut self, part: &Part, indent: usize, brackets: bool) {
        let line = self.raw(0, part.start).rfind('\n').map_or(0, |line| line + 1);
        let column = self.raw(line, part.start).chars().count();
        while let Some(comment) = self.comment() {
            let inside = if brackets {
                comment.start < part.end
            } else {
                comment.own_line
                    && column > 0
                    && comment.column >= column
                    && !self.leaf_between(part.end, comment.start)
            };
            if !inside {
                return;
            }
            self.lead_comments(comment.start + 1, indent);
        }
    }
}
