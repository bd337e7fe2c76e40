//! A decision table that no process looks up.

use super::Folder;
use crate::diagnostics::{Code, Diagnostic, Sources};
use crate::model::text::Wording;

pub(super) fn check(folder: &Folder<'_>, _: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    // A folder of nothing but tables is one to try them out.
    if folder.definitions.is_empty() {
        return;
    }
    let used = |name: &str| folder.definitions.iter().any(|definition| definition.tables.contains_key(name));
    for name in folder.tables.iter().filter_map(|table| table.name.as_ref()).filter(|name| !used(&name.value)) {
        let word = &name.value;
        diagnostics.push(Diagnostic::new(
            Code::UnusedTable,
            name.span,
            Wording::new(
                format!("没有流程查决策表 `{word}`。请在流程里用 `table: {word}` 查它，或删掉这个文件"),
                format!(
                    "no process looks the table `{word}` up; use it in a step with `table: {word}`, or delete the file"
                ),
            ),
        ));
    }
}
