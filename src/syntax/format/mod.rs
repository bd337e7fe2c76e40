//! `fmt`: a text in its calm form.
//!
//! * Two spaces a level, lists under their key too; one space inside `{ }`, after `,` and `:`; two before a comment.
//! * What the author wrote as a block stays a block. What stands in `[ ]` or `{ }` stays on its line as long as that
//!   line fits into [`WIDTH`] cells and holds no comment; else it becomes a block.
//! * Texts, numbers and quotes stay as they are typed, keys stay in their order, one empty line between groups stays,
//!   but not inside brackets, nor where these become a block.
//!
//! `tree` reads the text with everything that YAML's meaning leaves out, `write` writes it.
//!
//! Invariant: the meaning stays. The new text is read again and compared with the old one, value by value and comment
//! by comment; where they differ there is no new text.

mod tree;
mod write;

use super::node::{self, Node, NodeKind};
use crate::diagnostics::{Diagnostic, SourceId, Sources, has_errors};

/// The most cells of a line that is not broken further.
pub const WIDTH: usize = 120;

/// Why a text has no calm form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unformatted {
    /// YAML itself is broken here.
    Broken(Vec<Diagnostic>),
    /// Something in it is written in a way that could not be kept.
    Unusual,
}

/// The calm form of a text.
///
/// # Errors
/// Why it has none; the text is then to be left as it is.
///
/// ```
/// use countersign::diagnostics::Sources;
/// let mut sources = Sources::new();
/// let id = sources.add("leave.yaml", "process:   leave # a leave\nsteps:\n- {end: done,title: '007'}\n");
/// let calm = countersign::syntax::format(id, &sources).unwrap();
/// assert_eq!(calm, "process: leave  # a leave\nsteps:\n  - { end: done, title: '007' }\n");
/// ```
pub fn format(id: SourceId, sources: &Sources) -> Result<String, Unformatted> {
    let source = sources.get(id);
    let before = node::read(id, source);
    let Some(root) = before.root.as_ref().filter(|_| before.sound) else {
        return Err(Unformatted::Broken(before.diagnostics));
    };
    if !before.more.is_empty() {
        return several(&source.text);
    }
    let tree = tree::read(&source.text).ok_or(Unformatted::Unusual)?;
    let text = write::written(&source.text, &tree);

    let mut again = Sources::new();
    let new = again.add(source.name.as_str(), text.as_str());
    let after = node::read(new, again.get(new));
    let codes = |found: &[Diagnostic]| found.iter().map(|found| found.code).collect::<Vec<_>>();
    let kept = after.root.as_ref().is_some_and(|after| same(root, after))
        && codes(&before.diagnostics) == codes(&after.diagnostics)
        && (has_errors(&after.diagnostics)
            || tree::read(&text).is_some_and(|new| tree.said(&source.text) == new.said(&text)));
    if kept { Ok(text) } else { Err(Unformatted::Unusual) }
}

/// The calm form of a file of several tests: of each by itself, between lines of `---`.
fn several(text: &str) -> Result<String, Unformatted> {
    let mut parts = vec![String::new()];
    for line in text.split_inclusive('\n') {
        match parts.last_mut() {
            Some(part) if line.trim_end() != "---" => part.push_str(line),
            _ => parts.push(String::new()),
        }
    }
    let mut sources = Sources::new();
    let calm: Result<Vec<String>, Unformatted> = parts
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .map(|part| format(sources.add("part", part), &sources))
        .collect();
    Ok(calm?.join("---\n"))
}

/// Whether two trees mean the same; where they stand does not count.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (NodeKind::Scalar { text: a, form: f }, NodeKind::Scalar { text: b, form: g }) => a == b && f == g,
        (NodeKind::Sequence(a), NodeKind::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (NodeKind::Mapping(a), NodeKind::Mapping(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.key, &b.key) && same(&a.value, &b.value))
        }
        (NodeKind::Broken, NodeKind::Broken) => true,
        _ => false,
    }
}
