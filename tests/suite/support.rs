//! What tests share: the only code here that knows how the crate is called.

use countersign::diagnostics::{Diagnostic, SourceId, Sources};
use countersign::syntax;
use std::path::{Path, PathBuf};

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of a folder that end so, sorted by name.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
        .unwrap_or_default();
    found.retain(|path| path.is_file() && path.to_string_lossy().ends_with(ending));
    found.sort();
    found
}

/// The name of a file or folder.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Checks one text, with other files beside it in the same folder, and gives everything that is wrong with it.
pub(crate) fn check_text(sources: &mut Sources, text_name: &str, text: &[u8], beside: &[PathBuf]) -> Vec<Diagnostic> {
    let mut ids: Vec<SourceId> = vec![sources.add_bytes(text_name, text)];
    for path in beside {
        let bytes = std::fs::read(path).expect("a file beside the text");
        ids.push(sources.add_bytes(name(path), &bytes));
    }
    let mut all: Vec<Diagnostic> = ids.into_iter().flat_map(|id| syntax::parse(id, sources).1).collect();
    countersign::diagnostics::sort(&mut all, sources);
    all
}

/// Compares with a golden file, or writes it if `UPDATE_GOLDEN` is set.
pub(crate) fn golden(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, found).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == found,
        "{} differs (UPDATE_GOLDEN=1 rewrites it)\n--- expected\n{expected}\n--- found\n{found}",
        path.display()
    );
}
