//! Diagnostics as JSON for programs. The form is documented in `docs/checking.md`; keys are added, never renamed.

use crate::diagnostics::mend::guesses;
use crate::diagnostics::{Diagnostic, Severity, Sources, Span};
use crate::model::text::Lang;
use serde_json::json;

/// The diagnostics as JSON: an array, one object a diagnostic, in the given order.
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources, lang: Lang) -> serde_json::Value {
    let place = |span: Span| {
        let source = sources.get(span.source);
        let (start, end) = (source.position(span.start), source.position(span.end));
        json!({
            "file": source.name,
            "line": start.line, "column": start.column,
            "end_line": end.line, "end_column": end.column,
            "start": span.start, "end": span.end,
        })
    };
    let all = diagnostics.iter().map(|diagnostic| {
        json!({
            "code": diagnostic.code.number(),
            "name": diagnostic.code.name(),
            "severity": match diagnostic.code.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "message": diagnostic.message.get(lang),
            "at": place(diagnostic.span),
            "label": diagnostic.label.as_ref().map(|label| label.get(lang)),
            "context": diagnostic.context.iter()
                .map(|context| json!({ "at": place(context.span), "text": context.text.get(lang) }))
                .collect::<Vec<_>>(),
            "hints": diagnostic.hints.iter().map(|hint| hint.get(lang)).collect::<Vec<_>>(),
            "fix": diagnostic.fix.as_ref().map(|fix| json!({
                "at": place(fix.span), "replacement": fix.replacement, "text": fix.text.get(lang),
                "sure": !guesses(diagnostic, fix, &sources.get(fix.span.source).text),
            })),
        })
    });
    serde_json::Value::Array(all.collect())
}
