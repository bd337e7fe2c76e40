//! What names mean: fields, positions, departments and the words of the language share one space.
//!
//! Two meanings are a fault and nothing shadows, so that a reader never has to know which one wins. Columns of a
//! list are no part of it: inside the list they come first.

use crate::compile::organisation::Declared;
use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::syntax::{Process, Step, StepKind};
use indexmap::IndexMap;

/// The names of a process.
#[derive(Default)]
pub(crate) struct Names {
    /// Every field of the case and where it is declared, in document order.
    pub(crate) fields: IndexMap<FieldName, Span>,
    /// Whether some name has two meanings; that is reported.
    pub(crate) clash: bool,
}

/// The words that expressions keep.
pub(crate) const RESERVED: &[(&str, &str, &str)] = &[
    ("applicant", "申请人", "who applies"),
    ("instance", "这次办理的事", "the case itself"),
    ("steps", "各步骤的结果", "what steps came to"),
    ("assignee", "处理人", "who is asked"),
    ("outcome", "这一步的结果", "the outcome of the step"),
    ("response", "外部系统的回应", "the answer of another system"),
    ("everyone", "所有人", "everybody"),
];

/// Collects the names of a process and reports those with two meanings.
pub(crate) fn names(document: &Process, declared: &Declared, diagnostics: &mut Vec<Diagnostic>) -> Names {
    let mut names = Names { fields: IndexMap::new(), clash: false };
    for field in document.form.iter().chain(&document.data) {
        names.declare(&field.name, declared, diagnostics);
    }
    let mut rows: Vec<&Spanned<String>> = Vec::new();
    walk(&document.steps, &mut |step| {
        for field in &step.form {
            names.declare(&field.name, declared, diagnostics);
        }
        if let StepKind::Each { alias, into, .. } = &step.kind {
            into.iter().for_each(|into| names.declare(into, declared, diagnostics));
            rows.push(alias);
        }
    });
    // The rows of two blocks may have the same name, as neither is seen in the other.
    for row in rows {
        match names.fields.get(row.value.as_str()) {
            Some(first) => diagnostics.push(repeated(row, *first)),
            None => names.unlike(row, declared, diagnostics),
        }
    }
    names
}

/// Every step with those inside it, in document order.
pub(crate) fn walk<'a>(steps: &'a [Step], f: &mut impl FnMut(&'a Step)) {
    for step in steps {
        f(step);
        for list in step.lists() {
            walk(list, f);
        }
    }
}

impl Names {
    fn declare(&mut self, name: &Spanned<String>, declared: &Declared, diagnostics: &mut Vec<Diagnostic>) {
        if let Some(first) = self.fields.get(name.value.as_str()) {
            diagnostics.push(repeated(name, *first));
            return;
        }
        self.fields.insert(FieldName::from(name.value.as_str()), name.span);
        self.unlike(name, declared, diagnostics);
    }

    /// Reports a name that means something else already, besides a field.
    fn unlike(&mut self, name: &Spanned<String>, declared: &Declared, diagnostics: &mut Vec<Diagnostic>) {
        let (word, here) = (name.value.as_str(), name.span);
        if let Some((_, zh, en)) = RESERVED.iter().find(|(reserved, _, _)| *reserved == word) {
            self.clash = true;
            diagnostics.push(Diagnostic::new(
                Code::AmbiguousName,
                here,
                Wording::new(
                    format!("`{word}` 在表达式里已经表示{zh}，字段请换个名称"),
                    format!("in expressions `{word}` already means {en}; give the field another name"),
                ),
            ));
        }
        let position = declared.positions.get(word).map(|span| (*span, "岗位", "position"));
        let department = declared.departments.get(word).map(|span| (*span, "部门", "department"));
        for (there, zh, en) in position.into_iter().chain(department) {
            self.clash = true;
            diagnostics.push(
                Diagnostic::new(
                    Code::AmbiguousName,
                    here,
                    Wording::new(
                        format!("`{word}` 已经是一个{zh}，表达式里分不清是哪一个。字段请换个名称"),
                        format!(
                            "`{word}` is a {en} already, and expressions could not tell them apart; rename the field"
                        ),
                    ),
                )
                .context(there, Wording::new(zh, format!("the {en}"))),
            );
        }
    }
}

fn repeated(name: &Spanned<String>, first: Span) -> Diagnostic {
    let word = &name.value;
    Diagnostic::new(
        Code::RepeatedName,
        name.span,
        Wording::new(
            format!("字段 `{word}` 在这个流程里声明了两次。字段只声明一次，请删掉一个或改名"),
            format!("the field `{word}` is declared twice in this process; delete one, or rename it"),
        ),
    )
    .context(first, Wording::new("第一次", "first here"))
}
