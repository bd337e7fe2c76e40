//! Writing over a file of the author: whole or not at all, with its permissions, and never over a later edit.

use super::exit::{Stop, file_trouble};
use std::io::Write;
use std::path::Path;

/// The form that the ending of a file's name asks for, of `known` endings and the form of each; `None` where it has no
/// ending. What has another would not hold what its name says.
pub(crate) fn form_of(out: &Path, known: &[(&str, &'static str)]) -> Result<Option<&'static str>, Stop> {
    let Some(ending) = out.extension() else { return Ok(None) };
    let ending = ending.to_string_lossy();
    if let Some((_, form)) = known.iter().find(|(own, _)| own.eq_ignore_ascii_case(&ending)) {
        return Ok(Some(form));
    }
    let listed = |glue: &str| known.iter().map(|(own, _)| format!(".{own}")).collect::<Vec<_>>().join(glue);
    Err(Stop::usage(
        format!(
            "写不出 .{ending} 文件（{}）。可用的扩展名：{}；要用别的名字，请加 `--format`。",
            out.display(),
            listed("、")
        ),
        format!(
            "No .{ending} file can be written ({}). Names may end in {}; add `--format` to use another one.",
            out.display(),
            listed(", ")
        ),
    ))
}

/// Replaces what a file holds. `read` is what it held when the new text was made.
pub(crate) fn replace(path: &Path, read: &[u8], text: &[u8]) -> Result<(), Stop> {
    let trouble = |error: std::io::Error| file_trouble(path, &error);
    // A link stays a link: what it points at is replaced.
    let target = std::fs::canonicalize(path).map_err(trouble)?;
    let permissions = std::fs::metadata(&target).map_err(trouble)?.permissions();
    if permissions.readonly() {
        return Err(Stop::input(
            format!("{} 是只读的，没有改动。", path.display()),
            format!("{} is read-only and was not changed.", path.display()),
        ));
    }
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = target.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = write(&beside, text, permissions).map_err(trouble).and_then(|()| {
        if std::fs::read(&target).map_err(trouble)? != read {
            return Err(Stop::input(
                format!("{} 刚刚被别人改过，没有写入。请再运行一次。", path.display()),
                format!("{} has just been changed by somebody else and was not written. Run it again.", path.display()),
            ));
        }
        std::fs::rename(&beside, &target).map_err(trouble)
    });
    if written.is_err() {
        // What could not be put in place is of no use; that it may not be there is no further trouble.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write(path: &Path, text: &[u8], permissions: std::fs::Permissions) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.set_permissions(permissions)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn a_later_edit_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leave.yaml");
        std::fs::write(&path, "later").unwrap();
        assert!(replace(&path, b"earlier", b"new").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"later");
        replace(&path, b"later", b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("leave.yaml"), folder.path().join("link.yaml"));
        std::fs::write(&path, "a").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("leave.yaml", &link).unwrap();
        replace(&link, b"a", b"b").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"b");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
