//! A drawing as an indented tree for a terminal: the steps as the author wrote them, and where they lead if not to
//! the next. Lines are of at most `width` cells; what is longer goes on under itself.

use super::drawing::{Drawing, Item, Kind, List, Note, To, Way};
use super::measure::{cells, wrap};
use super::{Group, Marks};
use crate::model::text::Lang;
use std::collections::BTreeMap;

/// How a piece of a line stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// What it is called.
    Strong,
    /// What people are asked; the one accent.
    Accent,
    /// As it is.
    Plain,
    /// What can be left unread.
    Soft,
}

/// The lines of an outline, each of pieces with a tone.
pub fn outline(drawing: &Drawing, marks: &Marks, width: Option<usize>) -> Vec<Vec<(Tone, String)>> {
    let mut titles = BTreeMap::new();
    drawing.steps.walk(&mut |item| {
        titles.insert(item.number, item.title.clone());
    });
    let width = width.unwrap_or(usize::MAX).max(24);
    let mut writer = Writer { lines: Vec::new(), titles, marks, width, lang: drawing.lang };
    for item in drawing.steps.items.iter().filter(|item| item.kind == Kind::Start) {
        let who: Vec<&str> = item.notes.iter().map(Note::text).collect();
        writer.put("", &[(Tone::Strong, &item.title)]);
        writer.put("  ", &[(Tone::Soft, &who.join(" · "))]);
        writer.ways(item, &item.ways, "  ");
        writer.lines.push(Vec::new());
    }
    writer.list(&drawing.steps, "");
    writer.lines
}

struct Writer<'a> {
    lines: Vec<Vec<(Tone, String)>>,
    titles: BTreeMap<usize, String>,
    marks: &'a Marks,
    width: usize,
    lang: Lang,
}

impl Writer<'_> {
    fn list(&mut self, list: &List, indent: &str) {
        for item in &list.items {
            match item.kind {
                Kind::Start => {}
                Kind::Knot => self.ways(item, &item.ways, indent),
                Kind::End => self.put(indent, &[(Tone::Plain, "■"), (Tone::Plain, &self.end(&item.title))]),
                _ => self.item(item, indent),
            }
        }
    }

    fn item(&mut self, item: &Item, indent: &str) {
        let marked =
            |steps: &std::collections::BTreeSet<_>| item.step.as_ref().is_some_and(|step| steps.contains(step));
        let (sign, tone) = if marked(&self.marks.current) {
            ("▶", Tone::Accent)
        } else if marked(&self.marks.done) {
            ("✓", Tone::Soft)
        } else {
            match item.kind.group() {
                Group::People => ("●", Tone::Accent),
                Group::Outside => ("○", Tone::Plain),
                Group::Own => ("·", Tone::Soft),
                Group::Flow => ("◆", Tone::Plain),
            }
        };
        // A step without a title of its own says what it does in its words.
        let word = Some(item.kind.word(self.lang)).filter(|word| !item.title.to_lowercase().starts_with(word));
        let written = item.step.as_ref().map(ToString::to_string).filter(|id| *id != item.title);
        let id = written.filter(|_| !matches!(item.kind, Kind::Guard | Kind::Set | Kind::Notify)).unwrap_or_default();
        self.put(
            indent,
            &[(tone, sign), (Tone::Soft, word.unwrap_or_default()), (Tone::Strong, &item.title), (Tone::Soft, &id)],
        );
        let under = format!("{indent}  ");
        let told: Vec<&str> = item.notes.iter().map(Note::text).filter(|text| !text.is_empty()).collect();
        if !told.is_empty() {
            self.put(&under, &[(Tone::Plain, &told.join(" · "))]);
        }
        if let Some(when) = &item.when {
            self.put(&under, &[(Tone::Soft, Item::only(when, self.lang)), (Tone::Plain, when)]);
        }
        self.ways(item, &item.ways, &under);
        for branch in &item.branches {
            let empty = branch.steps.items.is_empty();
            let rest = if empty { self.pick("→ 继续", "→ go on") } else { "" };
            if !branch.label.is_empty() || empty {
                self.put(&under, &[(Tone::Soft, "┌"), (Tone::Plain, &branch.label), (Tone::Soft, rest)]);
            }
            self.list(&branch.steps, &format!("{under}│ "));
        }
        self.ways(item, &item.after, &under);
    }

    /// Where an item leads, but for what goes without saying: that it goes on with the line below.
    fn ways(&mut self, item: &Item, ways: &[Way], indent: &str) {
        for way in ways {
            let (arrow, place) = match &way.to {
                To::Next if way.on.is_empty() => continue,
                To::Next => ("→", self.pick("下一步", "next").to_owned()),
                To::Item(number) if *number <= item.number && item.kind != Kind::Knot => ("↩", self.title(*number)),
                To::Item(number) => ("→", self.title(*number)),
                To::End(words) => ("→", self.end(words)),
            };
            let on = way.on.join(self.pick("、", ", "));
            self.put(indent, &[(Tone::Soft, &on), (Tone::Soft, arrow), (Tone::Plain, &place)]);
        }
    }

    fn title(&self, number: usize) -> String {
        self.titles.get(&number).cloned().unwrap_or_default()
    }

    fn end(&self, words: &str) -> String {
        match self.lang {
            Lang::Zh => format!("结束：{words}"),
            Lang::En => format!("end: {words}"),
        }
    }

    fn pick(&self, zh: &'static str, en: &'static str) -> &'static str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// One line, or several where it is too long: the pieces with a space between them, then what does not fit
    /// under the first text.
    fn put(&mut self, indent: &str, pieces: &[(Tone, &str)]) {
        let pieces: Vec<_> = pieces.iter().filter(|(_, text)| !text.is_empty()).collect();
        let mut line = vec![(Tone::Soft, indent.to_owned())];
        let (mut used, hang) = (cells(indent), format!("{indent}  "));
        for (at, (tone, text)) in pieces.into_iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            if used + cells(gap) + cells(text) <= self.width {
                line.push((*tone, format!("{gap}{text}")));
                used += cells(gap) + cells(text);
                continue;
            }
            // What fits of it stays on this line, the rest goes under it.
            let room = self.width.saturating_sub(cells(&hang)).max(8);
            let here = self.width.saturating_sub(used + cells(gap));
            let first = wrap(text, usize::MAX, &|part| cells(part) <= here.max(2));
            let fits = first.lines.first().filter(|part| here >= 12 && cells(part) * 2 >= here).cloned();
            let rest = match &fits {
                Some(part) => text.get(part.len()..).unwrap_or_default().trim_start().to_owned(),
                None => (*text).to_owned(),
            };
            line.extend(fits.map(|part| (*tone, format!("{gap}{part}"))));
            for part in wrap(&rest, usize::MAX, &|part| cells(part) <= room).lines {
                self.lines.push(std::mem::take(&mut line));
                used = cells(&hang) + cells(&part);
                line = vec![(Tone::Soft, hang.clone()), (*tone, part)];
            }
        }
        self.lines.push(line);
    }
}
