//! Diagnostics as SARIF 2.1.0: what code hosts show beside the lines of a change.
//!
//! Columns count UTF-16 units, as `columnKind` says. A rule is a code with its page; only the rules that are used are
//! told. Paths stay relative to `%SRCROOT%`, the folder that the program was started in.

use crate::diagnostics::{Code, Diagnostic, Severity, Source, Sources, Span, floor};
use crate::model::text::Lang;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The diagnostics as one SARIF log with one run, in the given order.
pub fn to_sarif(diagnostics: &[Diagnostic], sources: &Sources, lang: Lang) -> Value {
    let rules: BTreeSet<Code> = diagnostics.iter().map(|found| found.code).collect();
    let results: Vec<Value> = diagnostics
        .iter()
        .map(|found| {
            let index = rules.iter().position(|code| *code == found.code);
            result(found, index.unwrap_or_default(), sources, lang)
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "countersign",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "language": match lang { Lang::Zh => "zh-CN", Lang::En => "en-US" },
                "rules": rules.iter().map(|code| rule(*code, lang)).collect::<Vec<_>>(),
            } },
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    })
}

fn rule(code: Code, lang: Lang) -> Value {
    let page = code.page(lang);
    let title = page.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
    json!({
        "id": code.number(),
        "name": code.name(),
        "shortDescription": { "text": title },
        "fullDescription": { "text": title },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": level(code) },
        "properties": { "tags": ["countersign"] },
    })
}

fn level(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(found: &Diagnostic, index: usize, sources: &Sources, lang: Lang) -> Value {
    let mut words = found.message.get(lang).to_owned();
    for hint in &found.hints {
        words += &format!("\n\n{}", hint.get(lang));
    }
    let mut result = json!({
        "ruleId": found.code.number(),
        "ruleIndex": index,
        "level": level(found.code),
        "message": { "text": words },
        "locations": [{ "physicalLocation": place(found.span, sources) }],
    });
    if !found.context.is_empty() {
        let related = found.context.iter().enumerate().map(|(id, context)| {
            json!({
                "id": id,
                "physicalLocation": place(context.span, sources),
                "message": { "text": context.text.get(lang) },
            })
        });
        result["relatedLocations"] = related.collect();
    }
    if let Some(fix) = &found.fix {
        let source = sources.get(fix.span.source);
        result["fixes"] = json!([{
            "description": { "text": fix.text.get(lang) },
            "artifactChanges": [{
                "artifactLocation": artifact(source),
                "replacements": [{
                    "deletedRegion": region(source, fix.span),
                    "insertedContent": { "text": fix.replacement },
                }],
            }],
        }]);
    }
    result
}

fn place(span: Span, sources: &Sources) -> Value {
    let source = sources.get(span.source);
    json!({ "artifactLocation": artifact(source), "region": region(source, span) })
}

fn artifact(source: &Source) -> Value {
    let path = source.name.replace('\\', "/");
    if path.starts_with('/') {
        return json!({ "uri": format!("file://{}", escaped(&path)) });
    }
    json!({ "uri": escaped(&path), "uriBaseId": "%SRCROOT%" })
}

/// A path as it stands in a URI.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn region(source: &Source, span: Span) -> Value {
    let (line, column) = utf16(source, span.start);
    let (end_line, end_column) = utf16(source, span.end.max(span.start));
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// Line and column from 1, the column in UTF-16 units.
fn utf16(source: &Source, offset: u32) -> (usize, usize) {
    let before = &source.text[..floor(&source.text, offset as usize)];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let units = before[start..].trim_start_matches('\u{feff}').chars().map(char::len_utf16).sum::<usize>();
    (line, units + 1)
}
