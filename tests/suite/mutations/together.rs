//! Many mistakes, any two of which are made at once: each is told as it is alone, and nothing else is.

use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// What two mistakes hide of each other, or bring besides. `told` is what is told of a text with some of them, by their
/// numbers; `None` where they are in the same words. Of so many pairs as `every` one is tried.
pub(super) fn disagreements<K: Copy + Ord + Debug + Send + Sync>(
    mistakes: &[&str],
    every: usize,
    told: impl Fn(&[usize]) -> Option<BTreeSet<K>> + Sync,
) -> String {
    assert_eq!(told(&[]), Some(BTreeSet::new()), "nothing is wrong before");
    let alone: Vec<BTreeSet<K>> = (0..mistakes.len()).map(|one| told(&[one]).unwrap()).collect();
    let silent: Vec<&str> =
        mistakes.iter().zip(&alone).filter(|(_, told)| told.is_empty()).map(|(one, _)| *one).collect();
    assert!(silent.is_empty(), "not told alone: {silent:#?}");
    let pairs = (0..mistakes.len()).flat_map(|one| (one + 1..mistakes.len()).map(move |other| (one, other)));
    let pairs: Vec<(usize, usize)> = pairs.step_by(every).collect();
    let wrong = pairs.par_iter().filter_map(|(one, other)| {
        let (told, wanted) = (told(&[*one, *other])?, &alone[*one] | &alone[*other]);
        let said = || format!("{:?} and {:?}: {told:?}, and not {wanted:?}\n", mistakes[*one], mistakes[*other]);
        (told != wanted).then(said)
    });
    let wrong: Vec<String> = wrong.collect();
    wrong.concat()
}
