//! Diagnostics as text for people: the lines they stand in, with carets, hints and the mend.
//!
//! Only the lines that matter are handed to the drawing library, and a line of unreasonable length is cut around
//! the place that matters: a file of ten megabytes in one line costs no more to show than a small one.

use crate::diagnostics::mend::guesses;
use crate::diagnostics::{Context, Diagnostic, Fix, Severity, Source, Sources, Span, floor};
use crate::model::text::Lang;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet};
use std::ops::Range;

/// How the text is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// With ANSI colours.
    pub colour: bool,
    /// Cells in a line of the reader's terminal.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style { colour: false, width: 120 }
    }
}

/// The longest line that is shown whole, in bytes.
const LINE_LIMIT: usize = 600;
/// What is kept on each side of the place that matters when a line is cut, in bytes.
const LINE_MARGIN: usize = 120;
/// The most lines that one excerpt spans, before the rest of a long span is left out.
const EXCERPT_LINES: usize = 200;

/// Draws diagnostics, in the given order, each with its lines of the source and carets.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, lang: Lang, style: Style) -> String {
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width.max(40));
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&one(&renderer, diagnostic, sources, lang));
        text.push_str("\n\n");
    }
    text
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic, sources: &Sources, lang: Lang) -> String {
    let level = match (diagnostic.code.severity(), lang) {
        (Severity::Error, Lang::Zh) => Level::ERROR.with_name("错误"),
        (Severity::Error, Lang::En) => Level::ERROR,
        (Severity::Warning, Lang::Zh) => Level::WARNING.with_name("警告"),
        (Severity::Warning, Lang::En) => Level::WARNING,
    };
    let source = sources.get(diagnostic.span.source);
    let title = level.primary_title(clean(diagnostic.message.get(lang))).id(format!(
        "{} {}",
        diagnostic.code.number(),
        diagnostic.code.name()
    ));
    let (here, elsewhere): (Vec<&Context>, Vec<&Context>) =
        diagnostic.context.iter().partition(|context| context.span.source == diagnostic.span.source);

    let near = Excerpt::around(source, diagnostic.span, here.iter().map(|context| context.span));
    let mut group = title.elements(near.origin(source, diagnostic.span));
    let label = diagnostic.label.as_ref().map(|label| clean(label.get(lang)));
    let mut snippet =
        near.snippet(source).annotation(AnnotationKind::Primary.span(near.range(diagnostic.span)).label(label));
    for context in &here {
        if near.holds(context.span) {
            let text = clean(context.text.get(lang));
            snippet = snippet.annotation(AnnotationKind::Context.span(near.range(context.span)).label(text));
        }
    }
    group = group.element(snippet);
    for context in here.into_iter().filter(|context| !near.holds(context.span)).chain(elsewhere) {
        group = group.elements(far(context, sources, lang));
    }
    for hint in &diagnostic.hints {
        group = group.element(help(lang).message(clean_lines(hint.get(lang))));
    }
    let mut report = vec![group];
    if let Some(fix) = &diagnostic.fix {
        report.push(patch(diagnostic, fix, sources, lang));
    }
    renderer.render(&report)
}

fn help(lang: Lang) -> Level<'static> {
    match lang {
        Lang::Zh => Level::HELP.with_name("建议"),
        Lang::En => Level::HELP,
    }
}

/// A place too far away, or in another file, to be drawn in the same excerpt.
fn far<'a>(context: &Context, sources: &'a Sources, lang: Lang) -> Vec<Element<'a>> {
    let source = sources.get(context.span.source);
    let excerpt = Excerpt::around(source, context.span, []);
    let text = clean(context.text.get(lang));
    let annotation = AnnotationKind::Context.span(excerpt.range(context.span)).label(text);
    let origin = excerpt.origin(source, context.span).map(Element::from);
    origin.into_iter().chain([excerpt.snippet(source).annotation(annotation).into()]).collect()
}

fn patch<'a>(found: &Diagnostic, fix: &'a Fix, sources: &'a Sources, lang: Lang) -> Group<'a> {
    let source = sources.get(fix.span.source);
    // Who reads of a mend that `--fix` does not make should see why.
    let level = match (guesses(found, fix, &source.text), lang) {
        (true, Lang::Zh) => Level::HELP.with_name("或许"),
        (true, Lang::En) => Level::HELP.with_name("maybe"),
        (false, lang) => help(lang),
    };
    let excerpt = Excerpt::around(source, fix.span, []);
    let range = excerpt.range(fix.span);
    level
        .secondary_title(clean(fix.text.get(lang)))
        .element(excerpt.patched().patch(Patch::new(range, fix.replacement.as_str())))
}

/// The lines around a place, possibly with a long line cut.
struct Excerpt {
    text: String,
    /// The number of the first line.
    first: usize,
    /// Which bytes of the source it holds.
    range: Range<usize>,
    /// Whether a line is cut, so that columns cannot be counted in it.
    cut: bool,
}

impl Excerpt {
    fn around(source: &Source, span: Span, near: impl IntoIterator<Item = Span>) -> Excerpt {
        let text = &source.text;
        let (mut from, mut to) = bounds(text, span);
        for other in near {
            let (start, end) = bounds(text, other);
            if start >= from.saturating_sub(LINE_LIMIT * 8) && end <= to + LINE_LIMIT * 8 {
                (from, to) = (from.min(start), to.max(end));
            }
        }
        let first = text[..from].bytes().filter(|byte| *byte == b'\n').count() + 1;
        let mut start =
            if from == 0 { '\u{feff}'.len_utf8() * usize::from(text.starts_with('\u{feff}')) } else { from };
        let cut = text[start..to].split('\n').any(|line| line.len() > LINE_LIMIT);
        if cut {
            start = floor(text, (span.start as usize).saturating_sub(LINE_MARGIN).max(start));
            let line_end = text[start..to].find('\n').map_or(to, |at| start + at);
            to = floor(text, line_end.min((span.start as usize).max(start) + LINE_MARGIN * 2));
        }
        let start = start.min(to);
        Excerpt { text: text[start..to].to_owned(), first, range: start..to, cut }
    }

    fn holds(&self, span: Span) -> bool {
        self.range.start <= span.start as usize && span.end as usize <= self.range.end
    }

    /// Where a span of the source is in the excerpt, on character boundaries and never outside.
    fn range(&self, span: Span) -> Range<usize> {
        let inside = |offset: u32| (offset as usize).clamp(self.range.start, self.range.end) - self.range.start;
        let start = floor(&self.text, inside(span.start));
        let mut end = inside(span.end).max(start);
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        // A caret under several lines would draw a frame around all of them: the first line is enough.
        let line = self.text[start..end].find('\n').map_or(end, |at| start + at);
        start..if line > start { line } else { end }
    }

    /// The place in words, where the drawing library cannot count it.
    fn origin<'a>(&self, source: &'a Source, span: Span) -> Option<Origin<'a>> {
        let position = source.position(span.start);
        let origin = Origin::path(source.name.as_str()).line(position.line).char_column(position.column);
        self.cut.then_some(origin)
    }

    fn snippet<'a>(&self, source: &'a Source) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let path = (!self.cut).then_some(source.name.as_str());
        Snippet::source(self.text.clone()).line_start(self.first).path(path)
    }

    fn patched<'a>(&self) -> Snippet<'a, Patch<'a>> {
        Snippet::source(self.text.clone()).line_start(self.first)
    }
}

/// The whole lines of a span, at most [`EXCERPT_LINES`].
fn bounds(text: &str, span: Span) -> (usize, usize) {
    let start = floor(text, span.start as usize);
    let end = floor(text, (span.end as usize).max(start));
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let last = text[start..end].match_indices('\n').nth(EXCERPT_LINES).map_or(end, |(at, _)| start + at);
    let to = text[last..].find('\n').map_or(text.len(), |at| last + at);
    (from, to)
}

fn clean(text: &str) -> String {
    annotate_snippets::normalize_untrusted_str(text)
}

/// As [`clean`], but the lines of a hint stay lines.
fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}
