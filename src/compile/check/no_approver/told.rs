//! What was tried of a step, told once for each thing that is missing: of what is chosen only what matters for it.

use super::choice::{Choice, Way};
use super::lack::{Lack, Where, when};
use crate::diagnostics::Diagnostic;
use crate::model::id::PersonId;
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One combination of what can be chosen, for the first of a group of applicants.
pub(super) struct Tried {
    pub(super) group: usize,
    /// What is missing then.
    pub(super) lack: Option<Lack>,
    pub(super) picks: BTreeMap<Choice, Value>,
}

/// A step, and for whom it was tried.
pub(super) struct Telling<'t, 's> {
    pub(super) step: &'t str,
    pub(super) ways: &'t [Way<'s>],
    pub(super) groups: &'t [Vec<PersonId>],
    pub(super) directory: &'t Directory,
}

impl<'t, 's> Telling<'t, 's> {
    /// Each lack, with the choices that it comes of.
    pub(super) fn told(&self, tried: &'t [Tried]) -> Vec<Diagnostic> {
        let mut lacks: Vec<&Lack> = Vec::new();
        for lack in tried.iter().filter_map(|tried| tried.lack.as_ref()) {
            if !lacks.contains(&lack) {
                lacks.push(lack);
            }
        }
        let mut found = Vec::new();
        for lack in lacks {
            let failing: Vec<&Tried> = tried.iter().filter(|tried| tried.lack.as_ref() == Some(lack)).collect();
            let matters = self.matters(lack, tried, &failing);
            match matters.as_slice() {
                [way] => found.extend(self.of_one(lack, way, &failing)),
                _ => found.extend(self.for_example(lack, &matters, &failing)),
            }
        }
        found
    }

    /// The choices without which it would not be missing; one at least, to be named.
    fn matters(&self, lack: &Lack, tried: &'t [Tried], failing: &[&'t Tried]) -> Vec<&'t Way<'s>> {
        let made = |way: &&Way<'s>| failing.iter().any(|tried| tried.picks.contains_key(&way.choice));
        let mut kept: Vec<&Way<'s>> = self.ways.iter().filter(made).collect();
        for way in self.ways {
            let others: Vec<&Way<'s>> = kept.iter().filter(|kept| kept.choice != way.choice).copied().collect();
            if others.is_empty() || others.len() == kept.len() {
                continue;
            }
            let missing: BTreeSet<_> = failing.iter().map(|tried| key(tried, &others)).collect();
            if tried.iter().all(|one| one.lack.as_ref() == Some(lack) || !missing.contains(&key(one, &others))) {
                kept = others;
            }
        }
        kept
    }

    /// Every value of the one choice that matters, and for whose cases.
    fn of_one(&self, lack: &Lack, way: &Way<'s>, failing: &[&'t Tried]) -> Vec<Diagnostic> {
        let nobody = Vec::new();
        let own: Vec<Value> = self.groups.iter().flatten().cloned().map(Value::Person).collect();
        let mut all: Vec<(&Value, &PersonId)> = Vec::new();
        for tried in failing {
            let Some(value) = tried.picks.get(&way.choice) else { continue };
            let group = self.groups.get(tried.group).unwrap_or(&nobody);
            let first = group.first();
            if first.is_some_and(|first| is(value, first)) {
                // All who hold the same fare alike where they choose themselves.
                let themselves =
                    group.iter().filter_map(|person| Some((own.iter().find(|own| is(own, person))?, person)));
                all.extend(themselves);
                continue;
            }
            all.extend(group.iter().filter(|person| !is(value, person)).map(|person| (value, person)));
            // And the first of them is chosen by another as another is by the first.
            if let Some(first) = first.filter(|_| group.iter().any(|person| is(value, person)))
                && let Some(value) = own.iter().find(|own| is(own, first))
            {
                all.extend(group.iter().filter(|person| *person != first).map(|person| (value, person)));
            }
        }
        let mut whose: BTreeMap<&str, (&Value, BTreeSet<&PersonId>)> = BTreeMap::new();
        for (value, person) in all {
            whose.entry(text(value)).or_insert_with(|| (value, BTreeSet::new())).1.insert(person);
        }
        let mut told: Vec<(BTreeSet<&PersonId>, Vec<String>)> = Vec::new();
        let mut themselves: Vec<PersonId> = Vec::new();
        for (value, people) in whose.into_values() {
            if let (Value::Person(chosen), Some(only), 1) = (value, people.first(), people.len())
                && chosen == *only
            {
                themselves.push(chosen.clone());
                continue;
            }
            match told.iter_mut().find(|(of, _)| *of == people) {
                Some((_, names)) => names.push(self.called(value)),
                None => told.push((people, vec![self.called(value)])),
            }
        }
        let mut found = Vec::new();
        for (people, names) in told {
            let people: Vec<PersonId> = people.into_iter().cloned().collect();
            let chosen = Where { of: &way.choice, names: &names };
            found.push(lack.told(self.step, &chosen.and(self.whose(&people)), self.mends(lack, &[way], &people)));
        }
        if !themselves.is_empty() {
            let names: Vec<String> = themselves.iter().map(|id| self.directory.name_of(id).to_owned()).collect();
            let chosen = Where { of: &way.choice, names: &names };
            found.push(lack.told(self.step, &chosen.themselves(), self.mends(lack, &[way], &themselves)));
        }
        found
    }

    /// One of the combinations: the others would only repeat it.
    fn for_example(&self, lack: &Lack, matters: &[&'t Way<'s>], failing: &[&'t Tried]) -> Option<Diagnostic> {
        let tried = failing.first()?;
        let group = self.groups.get(tried.group)?;
        let picks: Vec<&Value> = matters.iter().filter_map(|way| tried.picks.get(&way.choice)).collect();
        let first = group.first()?;
        let people: Vec<PersonId> = if picks.iter().any(|value| is(value, first)) {
            vec![first.clone()]
        } else {
            group.iter().filter(|person| !picks.iter().any(|value| is(value, person))).cloned().collect()
        };
        let (mut zh, mut en) = (Vec::new(), Vec::new());
        for way in matters {
            let Some(value) = tried.picks.get(&way.choice) else { continue };
            let is = Where { of: &way.choice, names: &[self.called(value)] }.is();
            zh.push(is.zh);
            en.push(is.en);
        }
        let applies = when(&people, self.all(), self.directory);
        let when = Wording::new(
            format!("例如 {}，由 {}", zh.join("、"), applies.zh),
            format!("for instance where {} and {}", en.join(", "), applies.en.trim_start_matches("when ")),
        );
        // Others who apply may choose the like.
        let groups: BTreeSet<usize> = failing.iter().map(|tried| tried.group).collect();
        let whose: Vec<PersonId> =
            groups.into_iter().filter_map(|group| self.groups.get(group)).flatten().cloned().collect();
        Some(lack.told(self.step, &when, self.mends(lack, matters, &whose)))
    }

    fn all(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// Whose cases these are, where they are not all.
    fn whose(&self, people: &[PersonId]) -> Option<Wording> {
        (people.len() < self.all()).then(|| when(people, self.all(), self.directory))
    }

    fn called(&self, value: &Value) -> String {
        match value {
            Value::Person(id) => self.directory.name_of(id).to_owned(),
            other => text(other).to_owned(),
        }
    }

    fn mends(&self, lack: &Lack, ways: &[&Way<'s>], people: &[PersonId]) -> Wording {
        let mends = lack.mends(people, self.all(), self.directory);
        let asked: Vec<String> =
            ways.iter().filter_map(|way| way.asked.as_ref()).map(|name| format!("`{name}`")).collect();
        if asked.is_empty() {
            return mends;
        }
        Wording::new(
            format!("{}；还可以用 {} 的 `check` 不收这个选择", mends.zh, asked.join(" 或 ")),
            format!("{}; or refuse the choice with a `check` of {}", mends.en, asked.join(" or ")),
        )
    }
}

/// What tells one combination from another: the group, and the choices that matter.
fn key<'t>(tried: &'t Tried, ways: &[&Way<'_>]) -> (usize, Vec<Option<&'t str>>) {
    (tried.group, ways.iter().map(|way| tried.picks.get(&way.choice).map(text)).collect())
}

fn is(value: &Value, person: &PersonId) -> bool {
    matches!(value, Value::Person(id) if id == person)
}

fn text(value: &Value) -> &str {
    match value {
        Value::Person(id) => id.as_str(),
        Value::Position(id) => id.as_str(),
        Value::Department(id) => id.as_str(),
        _ => "",
    }
}
