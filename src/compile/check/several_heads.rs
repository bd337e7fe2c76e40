//! A department that several people head: only one of them is ever asked for it.

use super::Folder;
use crate::diagnostics::{Code, Diagnostic, Sources};
use crate::model::id::PositionId;
use crate::model::text::Wording;

pub(super) fn check(folder: &Folder<'_>, _: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    let directory = folder.directory;
    for written in folder.positions {
        let position = PositionId::from(written.name.value.as_str());
        let headed = directory.departments.iter().find(|(_, department)| department.head.as_ref() == Some(&position));
        let (Some((department, _)), holders) = (headed, directory.holders(&position)) else { continue };
        let [asked, _, ..] = holders.as_slice() else { continue };
        let names: Vec<&str> = holders.iter().map(|person| directory.name_of(person)).collect();
        let asked = directory.name_of(asked);
        diagnostics.push(
            Diagnostic::new(
                Code::SeveralHeads,
                written.name.span,
                Wording::new(
                    format!("{department} 有 {} 位负责人：{}", names.len(), names.join("、")),
                    format!("{} people head {department}: {}", names.len(), names.join(", ")),
                ),
            )
            .hint(Wording::new(
                format!("`head_of({department})` 只会找 {asked}。请只让一人担任 `{position}`，或给其他人另设岗位"),
                format!("`head_of({department})` asks {asked} only; leave `{position}` to one of them, and give the others a position of their own"),
            )),
        );
    }
}
