//! Whether a case begins as its test says: a test has nothing to show where its start is refused.

use super::Opening;
use super::lower::Lowering;
use crate::diagnostics::{Code, Diagnostic, quoted_list};
use crate::model::form::Field;
use crate::model::text::Wording;
use crate::syntax::{self, Data, Given};

impl Lowering<'_> {
    /// Reports what the start of a test would be refused for, as far as nobody has to look at the values.
    pub(super) fn begins(&mut self, written: &syntax::Start, opening: &Opening) {
        let Some(definition) = self.definition else { return };
        let person = self.directory.people.get(&opening.by);
        let may = |position| definition.start.contains(position);
        if let (Some(person), Some(by)) = (person, &written.by)
            && !definition.start.is_empty()
            && self.people_known
            && !person.positions.iter().any(may)
        {
            let listed = quoted_list(definition.start.iter().map(|position| position.as_str()));
            let said = Wording::new(
                format!("`{}` 不能发起这个流程，能发起的岗位是 {}", by.value, listed.zh),
                format!("`{}` may not start this process; {} may", by.value, listed.en),
            );
            self.diagnostics.push(Diagnostic::new(Code::MayNotStart, by.span, said).hint(refuse()));
        }
        let given: &[(String, Data)] = match &written.data {
            None => &[],
            Some(Given { data: Data::Map(entries), .. }) => entries,
            Some(_) => return,
        };
        // What is there under a name that means nothing may be what is missing.
        if given.iter().any(|(name, _)| !definition.form.contains_key(name.as_str())) {
            return;
        }
        let asked =
            |field: &Field| field.required && field.when.is_none() && field.value.is_none() && field.default.is_none();
        let blank = |name: &str| !given.iter().any(|(known, data)| known == name && *data != Data::Null);
        let left_out = definition.form.iter().filter(|(name, field)| asked(field) && blank(name.as_str()));
        let left_out: Vec<&str> = left_out.map(|(name, _)| name.as_str()).collect();
        if !left_out.is_empty() {
            let listed = quoted_list(left_out);
            let said = Wording::new(
                format!("发起时必须填 {}，这里没有", listed.zh),
                format!("the start form requires {}, and this start does not give it", listed.en),
            );
            self.diagnostics.push(Diagnostic::new(Code::MissingKey, written.span, said).hint(refuse()));
        }
    }
}

fn refuse() -> Wording {
    Wording::new(
        "如果就是要看它被拒绝，把 `start` 写进 `do` 的 `refuse` 里",
        "where the refusal is what the test shows, write that `start` into a `refuse` of `do`",
    )
}
