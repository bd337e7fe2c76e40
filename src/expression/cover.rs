//! Areas against each other: values that no area holds, values that two hold.
//!
//! Every subject falls into pieces that no area divides, and one value stands for each. What is left is a search
//! through combinations of pieces: subject by subject, with the areas that still hold as a set of bits, where the
//! same set at the same subject is looked at once. It is exact, and it gives up honestly after its budget of work.

use super::range::Values;
use super::region::{Area, Subjects};
use crate::model::value::Value;
use std::collections::BTreeSet;

/// How much work one question may take: about a tenth of a second.
const BUDGET: usize = 4_000_000;

/// One value for each subject that matters, by its number.
pub type Example = Vec<(usize, Value)>;

/// The answer to a question about all values.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is so for all of them.
    Proved,
    /// Not for these.
    Except(Example),
    /// It would take too long, or the sets are of unlike kinds.
    Unknown,
}

/// Areas over the same subjects, cut into pieces.
#[derive(Clone)]
pub struct Cover {
    /// Of each subject, its pieces: a value, and the areas that hold it.
    subjects: Vec<Vec<(Value, Bits)>>,
    /// From each subject on, the areas that hold whatever comes; one more than there are subjects.
    free: Vec<Bits>,
    areas: usize,
}

impl Cover {
    /// Cuts all subjects along all areas; `None` where sets of one subject are of unlike kinds.
    pub fn new(subjects: &Subjects, areas: &[Area]) -> Option<Cover> {
        let mut cut = Vec::with_capacity(subjects.all.len());
        for (number, (_, domain)) in subjects.all.iter().enumerate() {
            let sets = areas.iter().filter_map(|area| area.get(&number));
            let (mut pieces, mut known): (Vec<(Value, Bits)>, BTreeSet<Bits>) = Default::default();
            for value in domain.pieces(sets)? {
                let holds = |area: &Area| area.get(&number).is_none_or(|set: &Values| set.contains(&value));
                let bits = Bits::of(areas.iter().map(holds));
                // Pieces that the areas do not tell apart count once.
                if known.insert(bits.clone()) {
                    pieces.push((value, bits));
                }
            }
            cut.push(pieces);
        }
        let free = free(&cut, areas.len());
        Some(Cover { subjects: cut, free, areas: areas.len() })
    }

    /// Examples that no area holds, so many at most: none of them lies in the widest box around another one that none
    /// holds either.
    pub fn gaps(&self, most: usize) -> Vec<Example> {
        let mut filled = self.clone();
        let mut found = Vec::new();
        while found.len() < most {
            let Answer::Except(example) = filled.covers(0..filled.areas, None) else { break };
            filled.fill_around(&example);
            found.push(example);
        }
        found
    }

    /// Adds an area: the widest box around an example that no area meets, wide in the last subjects first.
    fn fill_around(&mut self, example: &Example) {
        let at = |subject: usize| example.iter().find(|(number, _)| *number == subject).map(|(_, value)| value);
        let mut boxed: Vec<Vec<bool>> = Vec::new();
        for (subject, pieces) in self.subjects.iter().enumerate() {
            boxed.push(pieces.iter().map(|(value, _)| Some(value) == at(subject)).collect());
        }
        // In how many subjects each area is apart from the box, and whether in this one.
        let misses = |pieces: &[(Value, Bits)], boxed: &[bool], area: usize| {
            !pieces.iter().zip(boxed).any(|((_, bits), within)| *within && bits.get(area))
        };
        let mut apart = vec![0_usize; self.areas];
        for (pieces, boxed) in self.subjects.iter().zip(&boxed) {
            (0..self.areas).filter(|area| misses(pieces, boxed, *area)).for_each(|area| apart[area] += 1);
        }
        for (pieces, boxed) in self.subjects.iter().zip(&mut boxed).rev() {
            for (piece, (_, bits)) in pieces.iter().enumerate() {
                let met: Vec<usize> =
                    (0..self.areas).filter(|area| bits.get(*area) && misses(pieces, boxed, *area)).collect();
                if met.iter().all(|area| apart[*area] > 1) {
                    met.iter().for_each(|area| apart[*area] -= 1);
                    boxed[piece] = true;
                }
            }
        }
        for (pieces, boxed) in self.subjects.iter_mut().zip(&boxed) {
            for ((_, bits), within) in pieces.iter_mut().zip(boxed) {
                bits.push(self.areas, *within);
            }
        }
        self.areas += 1;
        self.free = free(&self.subjects, self.areas);
    }

    /// Whether all values lie in one of these areas. With `within`, all values of that area.
    pub fn covers(&self, by: impl Iterator<Item = usize>, within: Option<usize>) -> Answer {
        let mut alive = Bits::of((0..self.areas).map(|_| false));
        by.for_each(|area| alive.set(area));
        let mut search = Search { cover: self, within, seen: BTreeSet::new(), left: BUDGET, example: Vec::new() };
        match search.uncovered(0, &alive) {
            Some(false) => Answer::Proved,
            Some(true) => Answer::Except(search.example),
            None => Answer::Unknown,
        }
    }

    /// A value for each subject that lies in both areas, if there is one.
    pub fn shared(&self, a: usize, b: usize) -> Option<Example> {
        let both = |(_, bits): &&(Value, Bits)| bits.get(a) && bits.get(b);
        let pick = |(number, pieces): (usize, &Vec<(Value, Bits)>)| {
            pieces.iter().find(both).map(|(value, _)| (number, value.clone()))
        };
        self.subjects.iter().enumerate().map(pick).collect()
    }

    /// Whether any value lies in an area at all.
    pub fn is_empty(&self, area: usize) -> bool {
        self.subjects.iter().any(|pieces| !pieces.iter().any(|(_, bits)| bits.get(area)))
    }
}

/// From each subject on, the areas that hold whatever comes.
fn free(cut: &[Vec<(Value, Bits)>], areas: usize) -> Vec<Bits> {
    let mut free = vec![Bits::of((0..areas).map(|_| true))];
    for pieces in cut.iter().rev() {
        let later = free.last().cloned().unwrap_or(Bits(Vec::new()));
        free.push(pieces.iter().fold(later, |free, (_, bits)| free.and(bits)));
    }
    free.reverse();
    free
}

struct Search<'c> {
    cover: &'c Cover,
    within: Option<usize>,
    /// Where nothing was found.
    seen: BTreeSet<(usize, Bits)>,
    left: usize,
    example: Example,
}

impl Search<'_> {
    /// Whether there are values from this subject on that none of the areas holds; `None` when it takes too long.
    fn uncovered(&mut self, at: usize, alive: &Bits) -> Option<bool> {
        self.left = self.left.checked_sub(1 + alive.0.len())?;
        let Some(pieces) = self.cover.subjects.get(at) else { return Some(alive.is_empty()) };
        if self.cover.free.get(at).is_some_and(|free| !free.and(alive).is_empty()) {
            return Some(false);
        }
        if self.seen.contains(&(at, alive.clone())) {
            return Some(false);
        }
        for (value, bits) in pieces {
            if self.within.is_some_and(|within| !bits.get(within)) {
                continue;
            }
            self.example.push((at, value.clone()));
            if self.uncovered(at + 1, &alive.and(bits))? {
                return Some(true);
            }
            self.example.pop();
        }
        self.seen.insert((at, alive.clone()));
        Some(false)
    }
}

/// A set of areas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bits(Vec<u64>);

impl Bits {
    fn of(flags: impl Iterator<Item = bool>) -> Bits {
        let mut words = Vec::new();
        for (at, flag) in flags.enumerate() {
            if at % 64 == 0 {
                words.push(0);
            }
            if let (true, Some(word)) = (flag, words.last_mut()) {
                *word |= 1 << (at % 64);
            }
        }
        Bits(words)
    }

    fn get(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Adds the flag of one more area, which has this number.
    fn push(&mut self, at: usize, flag: bool) {
        if at.is_multiple_of(64) {
            self.0.push(0);
        }
        if flag {
            self.set(at);
        }
    }

    fn and(&self, other: &Bits) -> Bits {
        Bits(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}
