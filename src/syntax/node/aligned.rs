//! One line that stands deeper or less deep than its neighbours. Where it belongs follows from the lines around it, so
//! that it is told itself, and not the line at which the parser stopped; what it would have made of the rest is not.
//!
//! Only what is sure is mended: each case names the neighbours that prove it. All else is told by `refused`.

use super::dashes;
use super::lines::{Line, lines};
use super::meant::is_key;
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::KINDS;

/// The line that is out of line where a text could not be read on, with the spaces that it should have.
pub(super) fn out_of_line(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let lines = lines(text);
    let here = lines.iter().rposition(|line| line.start <= at)?;
    let rules = [
        item_with_keys,
        item_alone,
        key_at_dash,
        opener_too_shallow,
        above_too_shallow,
        too_deep,
        first_too_deep,
        between_depths,
    ];
    if let Some(found) = dashes::wrong(id, &lines, here) {
        return Some(found);
    }
    let (line, depth) = rules.iter().find_map(|rule| rule(&lines, here))?;
    // What says what the file is stands at the left: what comes before it is out of place.
    let kind = line
        .pair()
        .map(|(key, _)| key)
        .filter(|key| line.indent == 0 && !line.is_item() && depth > 0 && KINDS.contains(key));
    let above = lines.iter().rev().find(|above| above.start < line.start && !above.words.starts_with("---"));
    Some(match kind.zip(above) {
        Some((kind, above)) => before_all(id, *above, kind),
        None => told(id, line, 0, depth),
    })
}

fn before_all(id: SourceId, line: Line<'_>, kind: &str) -> Diagnostic {
    let start = line.start + line.indent;
    Diagnostic::new(
        Code::YamlSyntax,
        Span::new(id, start, start + line.words.len()),
        Wording::new(
            format!("`{kind}` 说明文件是什么，要写在最前面，而这一行在它前面。请移到后面去"),
            format!("`{kind}` says what the file is and comes first, and this line stands before it; move it down"),
        ),
    )
}

/// What is said of a line that belongs at another depth, and so many below with it.
pub(crate) fn told(id: SourceId, line: Line<'_>, below: usize, depth: usize) -> Diagnostic {
    let start = line.start + line.indent;
    let length = line.pair().map_or(1, |(key, _)| key.len()) + line.depth() - line.indent;
    let (zh, en) = match depth {
        0 => ("请顶格写".to_owned(), "begin it at the left".to_owned()),
        1 => ("请缩进 1 格".to_owned(), "indent it by one space".to_owned()),
        _ => (format!("请缩进 {depth} 格"), format!("indent it by {depth} spaces")),
    };
    let span = Span::new(id, start, start + length);
    if below > 0 {
        let (zh, en) = match depth.checked_sub(line.indent) {
            Some(more) => (format!("请都再缩进 {more} 格"), format!("indent them by {more} more spaces")),
            None => {
                let less = line.indent - depth;
                (format!("请都少缩进 {less} 格"), format!("indent them by {less} spaces less"))
            }
        };
        return Diagnostic::new(
            Code::YamlSyntax,
            span,
            Wording::new(
                format!("这一行和它下面 {below} 行的缩进和前后各行对不上。{zh}"),
                format!("this line and the {below} below it do not line up with those around them; {en}"),
            ),
        );
    }
    Diagnostic::new(
        Code::YamlSyntax,
        span,
        Wording::new(
            format!("这一行的缩进和前后各行对不上。{zh}"),
            format!("this line does not line up with those around it; {en}"),
        ),
    )
    .offer(Span::new(id, line.start, start), " ".repeat(depth), Wording::new(zh, en))
}

/// Whether items of a list stand at a depth, above a line or below it, with nothing less deep between.
pub(super) fn items_at(lines: &[Line<'_>], at: usize, depth: usize) -> bool {
    let listed = |line: &&Line<'_>| line.indent >= depth;
    let item = |line: &Line<'_>| line.indent == depth && line.is_item();
    lines[..at].iter().rev().take_while(listed).any(item) || lines[at + 1..].iter().take_while(listed).any(item)
}

/// An item whose own keys below do not line up with its first one, and would in a list beside.
fn item_with_keys<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    [Some(here), here.checked_sub(1)].into_iter().flatten().find_map(|at| {
        let (line, next) = (lines[at], lines.get(at + 1)?);
        let depth = next.indent.checked_sub(2)?;
        let own = line.is_item() && line.pair().is_some() && !next.is_item() && next.pair().is_some();
        (own && line.indent != depth && items_at(lines, at, depth)).then_some((line, depth))
    })
}

/// An item in one line, deeper or less deep than those of its list.
fn item_alone<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let line = lines[here];
    let next = lines.get(here + 1).filter(|next| next.is_item());
    let before = || lines[..here].iter().rfind(|line| line.is_item());
    let depth = next.or_else(before)?.indent;
    let whole = line.words.starts_with("- {") && line.words.ends_with('}');
    (whole && line.indent != depth && items_at(lines, here, depth)).then_some((line, depth))
}

/// A key of an item that stands as deep as its dash.
fn key_at_dash<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let line = lines[here];
    let item = lines[..here]
        .iter()
        .rev()
        .take_while(|above| above.indent >= line.indent)
        .find(|above| above.indent == line.indent)?;
    let key = line.pair().is_some_and(|(key, _)| is_key(key));
    (!line.is_item() && key && item.is_item() && item.pair().is_some()).then_some((line, item.depth()))
}

/// A key that stands as deep as the one it belongs to, before others that belong there too.
fn opener_too_shallow<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let depth = lines[here].indent;
    let at = lines[..here].iter().rposition(|line| line.indent <= depth)?;
    let (opener, above) = (lines[at], lines[at.checked_sub(1)?]);
    let within = at + 1 < here && opener.opens() && opener.indent < depth;
    let opened = above.opens() && above.depth() == opener.indent;
    let neighbour =
        || lines[..at].iter().rev().take_while(|line| line.depth() >= depth).any(|line| line.depth() == depth);
    (within && (opened || opener.is_no_head() && neighbour())).then_some((opener, depth))
}

/// A key with its value between keys that stand deeper.
fn above_too_shallow<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let (line, above) = (lines[here], lines[here.checked_sub(1)?]);
    let depth = line.indent;
    let mut before = lines[..here - 1].iter().rev();
    let opened = before.clone().next().is_some_and(|line| line.opens() && line.depth() == above.indent);
    let neighbour = before.by_ref().take_while(|line| line.depth() >= depth).any(|line| line.depth() == depth);
    let key = !line.is_item() && !above.is_item() && line.pair().is_some() && above.is_complete();
    let odd = above.pair().is_some_and(|(key, _)| is_key(key)) || above.is_no_head() || !stands_alone(lines, here);
    (key && above.indent < depth && (opened || neighbour) && odd).then_some((above, depth))
}

/// Whether nothing goes on at the depth of a key: neither what it opens is deeper, nor is there another one.
fn stands_alone(lines: &[Line<'_>], here: usize) -> bool {
    let depth = lines[here].indent;
    let below = &lines[here + 1..];
    match below.first() {
        Some(next) if lines[here].opens() => next.indent <= depth,
        _ => !below.iter().take_while(|line| line.indent >= depth).any(|line| line.indent == depth),
    }
}

/// A key right below one with its value, which holds nothing.
fn too_deep<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let (line, above) = (lines[here], lines[here.checked_sub(1)?]);
    let (key, value) = line.pair().filter(|_| !line.is_item() && above.is_complete())?;
    // A field goes on where those below it stand.
    let field = |line: &Line<'_>| line.pair().is_some_and(|(key, _)| !is_key(key));
    let below = lines.get(here + 1).filter(|next| field(&line) && !line.opens() && field(next));
    let depth = below.map_or(above.depth(), |next| next.indent.min(above.depth()));
    // What it opens is deeper than itself.
    let opened = lines.get(here + 1).map(|next| next.indent).filter(|next| line.opens() && *next <= depth && *next > 0);
    let depth = match opened {
        Some(opened) => lines[..here].iter().rev().map(Line::depth).find(|depth| *depth < opened)?,
        None => depth,
    };
    let a_key = is_key(key) || value.is_empty() || value.starts_with('{');
    let fits = lines.get(here + 1).is_none_or(|next| next.indent <= depth || line.opens());
    (a_key && fits && line.indent > depth && (depth > 0 || is_key(key))).then_some((line, depth))
}

/// The first of a group, deeper than those after it.
fn first_too_deep<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let line = lines[here];
    let deeper = lines[..here].iter().rev().take_while(|other| other.indent > line.indent).count();
    let first = lines[here - deeper..].first().filter(|_| deeper > 0)?;
    let opener = lines[..here - deeper].last();
    let group = opener.is_none_or(|above| above.opens() && above.depth() <= line.indent);
    let alike = first.is_item() == line.is_item() && first.pair().is_some() && line.pair().is_some();
    let within = &lines[here - deeper + 1..here];
    let alone = within.first().is_some_and(|next| next.indent == first.indent)
        || !within.iter().any(|other| other.indent == first.indent);
    // What follows a key without a value right below it belongs to it: the key goes where the next beside it stands.
    let depth = match (first.opens() && deeper == 1, opener) {
        (true, Some(opener)) => {
            let beside = lines[here..].iter().map(|line| line.indent).find(|indent| *indent < line.indent);
            beside.filter(|beside| *beside > opener.depth()).unwrap_or(opener.depth() + 2)
        }
        _ => line.indent,
    };
    let fits = depth == line.indent || depth < line.indent && first.opens();
    (group && alike && alone && fits && (first.opens() || deeper == 1)).then_some((*first, depth))
}

/// A key one space beside the depth at which the next one stands, or the document begins.
fn between_depths<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let line = lines[here];
    let next = lines.get(here + 1).filter(|next| !line.opens() && next.pair().is_some()).map(|next| next.indent);
    let head = line.pair().is_some_and(|(key, _)| is_key(key) && line.indent == 1).then_some(0);
    let depth = next.or(head)?;
    let level = lines[..here].iter().rev().take_while(|line| line.indent >= depth).any(|line| line.indent == depth);
    (!line.is_item() && depth.abs_diff(line.indent) == 1 && level).then_some((line, depth))
}

#[cfg(test)]
mod tests {
    use crate::diagnostics::Sources;

    /// The text as the parser reads it once it was mended.
    fn mended(text: &str) -> String {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let tree = super::super::read(id, sources.get(id));
        let mut text = text.to_owned();
        for found in tree.diagnostics.iter().rev() {
            let fix = found.fix.as_ref().unwrap();
            text.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.replacement);
        }
        text
    }

    #[test]
    fn a_line_goes_back_to_its_neighbours() {
        let right = "process: p\nform:\n  kind:\n    type: choice\n    title: 类\n    options: { a: 甲 }\n  day: { type: date }\nsteps:\n  - id: one\n    title: 一\n  - id: two\n    title: 二\n";
        let lines: Vec<&str> = right.lines().collect();
        let moved = [(0, 2), (2, 2), (2, -2), (3, -2), (4, -2), (4, 2), (5, 2), (8, 2), (8, -2), (10, 2)];
        for (at, by) in moved {
            let moved =
                if by > 0 { format!("{}{}", " ".repeat(by as usize), lines[at]) } else { lines[at][2..].to_owned() };
            let mut wrong = lines.clone();
            wrong[at] = &moved;
            assert_eq!(mended(&(wrong.join("\n") + "\n")), right, "line {} by {by}", at + 1);
        }
    }

    #[test]
    fn an_item_does_not_say_what_a_file_is() {
        let right = "test: a\ncases:\n  - process: close\n    by: b\n  - process: open\n    by: c\n";
        assert_eq!(mended(&right.replace("  - process: close", "- process: close")), right);
    }

    #[test]
    fn a_text_that_goes_on_lacks_no_colon_and_a_group_below_its_key_no_dash() {
        let right = "process: p\nform:\n  hotel: { type: text }\n  room:\n    help: Tell the\n      hotel and room\n    type: text\nsteps:\n  - set:\n      { hotel: room }\n  - end: done\n";
        for (line, moved) in [("    type: text", "     type: text"), ("  - end", "   - end")] {
            let mut sources = Sources::default();
            let id = sources.add("a.yaml", right.replace(line, moved));
            let tree = super::super::read(id, sources.get(id));
            let marks = tree.diagnostics.iter().filter_map(|found| found.fix.as_ref()).map(|fix| &*fix.replacement);
            assert!(!tree.sound && !marks.into_iter().any(|mark| matches!(mark, ":" | "- ")), "{moved}");
        }
    }
}
