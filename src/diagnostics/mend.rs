//! Mends written into a text.
//!
//! Of mends that touch each other only the first is made: what is left of the fault shows again when the new text is
//! read, with a mend for where it then stands. Whether a mend makes things better is judged by whoever can read the
//! new text; see [`better`].

use crate::diagnostics::{Code, Diagnostic, Fix, suggest};

/// The mends of diagnostics of one text that can be made at once, in the order of the text.
pub fn at_once<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Vec<(&'a Diagnostic, &'a Fix)> {
    let mut all: Vec<(&Diagnostic, &Fix)> =
        diagnostics.into_iter().filter_map(|found| Some((found, found.fix.as_ref()?))).collect();
    all.sort_by_key(|(_, fix)| (fix.span.start, fix.span.end));
    let mut chosen: Vec<(&Diagnostic, &Fix)> = Vec::new();
    for (found, fix) in all {
        if chosen.last().is_none_or(|(_, last)| last.span.end < fix.span.start) {
            chosen.push((found, fix));
        }
    }
    chosen
}

/// Whether a mend only guesses which name of the author's is meant, or where a line belongs: it is offered to people, and
/// not made by program. Words of the language are few, and a wrong one shows.
pub fn guesses(found: &Diagnostic, fix: &Fix, text: &str) -> bool {
    let of_language =
        [Code::UnknownKey, Code::MisplacedKey, Code::BadValue, Code::BadDate, Code::StepKind, Code::UnknownFunction];
    let written = text.get(fix.span.start as usize..fix.span.end as usize).unwrap_or_default();
    if !fix.safe || goes_back(fix, written, text) {
        return true;
    }
    // The name of an option may stand in quotes.
    let [written, instead] = [written, fix.replacement.as_str()].map(|word| word.trim_matches(['"', '\'']));
    let name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let names = name(written) && name(instead);
    names && !of_language.contains(&found.code) && suggest::is_guess(written, instead)
}

/// Whether tabs become fewer spaces than the line above begins with: how far it goes back shows only where all lines are
/// indented with tabs.
fn goes_back(fix: &Fix, written: &str, text: &str) -> bool {
    let above = text.get(..fix.span.start as usize).unwrap_or_default();
    let tabs = above.ends_with('\n') && written.contains('\t') && written.trim_start().is_empty();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let above = above.lines().rfind(|line| !line.trim().is_empty());
    let back = above.is_some_and(|line| line.starts_with('\t') || fix.replacement.len() < indent(line));
    tabs && back && text.lines().any(|line| line.starts_with(' '))
}

/// A text with mends made that do not touch each other, in the order of the text.
///
/// ```
/// use countersign::diagnostics::{Fix, Sources, Span, mend::written};
/// use countersign::model::text::Wording;
/// let id = Sources::new().add("a.yaml", "");
/// let fix = Fix { span: Span::new(id, 0, 5), replacement: "title".into(), text: Wording::new("", ""), safe: true };
/// assert_eq!(written("tilte: x", &[&fix]), "title: x");
/// ```
pub fn written(text: &str, fixes: &[&Fix]) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut from = 0;
    for fix in fixes {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        let Some(kept) = text.get(from..start).filter(|_| text.is_char_boundary(end)) else { continue };
        mended.push_str(kept);
        mended.push_str(&fix.replacement);
        from = end;
    }
    mended.push_str(text.get(from..).unwrap_or_default());
    mended
}

/// Whether a text reads better after mends were made: what they are for is gone, and YAML holds together as before.
/// Faults that only now show, because what hid them is mended, are no objection.
///
/// `before` and `after` are the diagnostics of the text, without those of other texts.
pub fn better(made: &[&Diagnostic], before: &[&Diagnostic], after: &[&Diagnostic]) -> bool {
    let torn = |list: &[&Diagnostic]| list.iter().filter(|found| is_of_yaml(found.code)).count();
    let first_torn =
        |list: &[&Diagnostic]| list.iter().filter(|found| is_of_yaml(found.code)).map(|found| found.span.start).min();
    if let Some(from) = first_torn(made) {
        // Where YAML breaks off, the next break shows only when the first is mended.
        return torn(after) < torn(before) || first_torn(after).is_none_or(|at| at > from);
    }
    let count = |list: &[&Diagnostic], of: &Diagnostic| {
        list.iter().filter(|found| found.code == of.code && found.message == of.message).count()
    };
    torn(after) <= torn(before) && made.iter().all(|of| count(after, of) < count(before, of))
}

/// Whether a fault is one of YAML itself, which may hide what follows.
fn is_of_yaml(code: Code) -> bool {
    code.number().starts_with("CS01") || code == Code::UnquotedExpression
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Sources, Span};
    use crate::model::text::Wording;

    fn fault(code: Code, start: usize, end: usize, replacement: &str) -> Diagnostic {
        let id = Sources::new().add("a", "");
        let words = Wording::new("甲", "a");
        Diagnostic::new(code, Span::new(id, start, end), words.clone()).fix(
            Span::new(id, start, end),
            replacement,
            words,
        )
    }

    #[test]
    fn mends_that_touch_each_other_wait_for_the_next_reading() {
        let faults = [
            fault(Code::UnknownKey, 4, 6, "x"),
            fault(Code::UnknownKey, 0, 2, "long"),
            fault(Code::UnknownKey, 1, 4, "y"),
        ];
        let chosen: Vec<&Fix> = at_once(&faults).into_iter().map(|(_, fix)| fix).collect();
        assert_eq!(written("ab cd ef", &chosen), "long cxef");
    }

    #[test]
    fn another_name_is_a_guess_in_quotes_too() {
        let text = "\"办公室\" \"mangaer\"";
        let found = [fault(Code::UnknownOption, 0, 11, "\"办公\""), fault(Code::UnknownOption, 12, 21, "\"manager\"")];
        let guess = found.each_ref().map(|found| found.fix.as_ref().is_some_and(|fix| guesses(found, fix, text)));
        assert_eq!(guess, [true, false]);
    }

    #[test]
    fn how_far_a_tab_goes_back_is_a_guess_beside_spaces() {
        let guess = |text: &str, spaces: &str| {
            let at = text.rfind('\n').unwrap() + 1;
            let found = fault(Code::TabIndentation, at, at + 1, spaces);
            guesses(&found, found.fix.as_ref().unwrap(), text)
        };
        assert!(guess("form:\n  rows:\n    fields:\n      a: 1\n\tb: 2", "  "));
        assert!(!guess("form:\n  rows:\n    fields:\n      a: 1\n\tb: 2", "      "));
        assert!(!guess("form:\n\trows:\n\t\tfields:\n\t\t\ta: 1\n\tb: 2", "  "));
    }

    #[test]
    fn a_mend_that_brings_a_fault_of_yaml_is_refused() {
        let made = fault(Code::UnknownKey, 0, 2, "title");
        let twice = fault(Code::DuplicateKey, 8, 9, "");
        assert!(better(&[&made], &[&made], &[]));
        assert!(!better(&[&made], &[&made], &[&twice]));
        assert!(!better(&[&made], &[&made], &[&made]));
        let tab = fault(Code::TabIndentation, 4, 5, "  ");
        let next = fault(Code::TabIndentation, 9, 10, "  ");
        assert!(better(&[&tab], &[&tab], &[&next]), "the next tab shows only now");
        assert!(!better(&[&tab], &[&tab], &[&tab]));
    }
}
