//! “Did you mean”: the word of a closed list that was probably meant.
//!
//! Words count as the same if only case, `_`, `-`, spaces or a plural `s` differ; else the one with the fewest
//! mended letters is taken (inserted, dropped, changed, or two neighbours swapped), if few enough for its length.
//! Letters are characters, so `市场总监` finds `市场部总监`.

/// The candidate closest to `word`, or `None` if none is close. Where two are equally close there is none either:
/// the guess is offered as a mend, so it must not be a coin that is tossed.
///
/// ```
/// use countersign::diagnostics::suggest::closest;
/// assert_eq!(closest("tilte", ["id", "title", "when"]), Some("title"));
/// assert_eq!(closest("Options", ["option", "title"]), Some("option"));
/// assert_eq!(closest("市场总监", ["市场部经理", "市场部总监"]), Some("市场部总监"));
/// assert_eq!(closest("colour", ["id", "title"]), None);
/// assert_eq!(closest("step3", ["step1", "step2"]), None);
/// ```
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = normal(word);
    if wanted.is_empty() || wanted.len() > 64 {
        return None;
    }
    let mut best: Option<(usize, &'a str)> = None;
    let mut tied = false;
    for candidate in candidates {
        let found = normal(candidate);
        if found.len().abs_diff(wanted.len()) > limit(wanted.len().max(found.len())) {
            continue;
        }
        let distance = if same(&wanted, &found) { 0 } else { distance(&wanted, &found) };
        // `no` is not a misspelt `n`: of two letters, each says too much.
        if distance > 0 && wanted.len().min(found.len()) < 3 && wanted.iter().chain(&found).all(char::is_ascii) {
            continue;
        }
        // Nor is `foo` a misspelt `for`; `fro` and `forr` are.
        let short = wanted.len() == 3 && found.len() == 3 && wanted.iter().all(char::is_ascii);
        if distance > 0 && short && !swapped(&wanted, &found) {
            continue;
        }
        let close = distance <= limit(wanted.len().max(found.len())) && distance < wanted.len().max(found.len());
        match best {
            _ if !close => {}
            Some((least, word)) if distance >= least => tied |= distance == least && word != candidate,
            _ => (best, tied) = (Some((distance, candidate)), false),
        }
    }
    best.filter(|_| !tied).map(|(_, candidate)| candidate)
}

/// The one candidate of three letters at most of which `word` has all but one: of so few letters that says something only
/// where no other is like it.
///
/// ```
/// use countersign::diagnostics::suggest::torn;
/// assert_eq!(torn("in", ["id", "min", "max"]), Some("min"));
/// assert_eq!(torn("d", ["id", "when"]), Some("id"));
/// assert_eq!(torn("d", ["id", "do"]), None);
/// ```
pub fn torn<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lost = |whole: &str| {
        whole.len() <= 3
            && (0..whole.len()).any(|at| {
                whole.get(..at).zip(whole.get(at + 1..)).is_some_and(|(a, b)| word.strip_prefix(a) == Some(b))
            })
    };
    let mut found = candidates.into_iter().filter(|whole| lost(whole));
    found.next().filter(|_| found.next().is_none())
}

/// Whether one name for another is a guess: it reads like it, but another name may be meant as well. Of names only a
/// slip of the hand is none: other capitals or separators, two letters swapped, and in a longer word of Latin letters
/// one too many or too few. Another letter makes another name (`max_pay`, `max_day`), and of Chinese words one more
/// does (`经理`, `副经理`); so is a part of a name (`admin`, `it_admin`).
///
/// ```
/// use countersign::diagnostics::suggest::is_guess;
/// assert!(!is_guess("mangaer", "manager") && !is_guess("custmer", "customer") && !is_guess("boss", "chief"));
/// assert!(is_guess("max_pay", "max_day") && is_guess("病假", "年假") && is_guess("副经理", "经理"));
/// assert!(is_guess("admin", "it_admin"));
/// ```
pub fn is_guess(word: &str, meant: &str) -> bool {
    let (a, b) = (normal(word), normal(meant));
    if same(&a, &b) || swapped(&a, &b) {
        return false;
    }
    let (short, long) = if a.len() < b.len() { (&a, &b) } else { (&b, &a) };
    if closest(word, [meant]).is_none() {
        return !short.is_empty() && long.windows(short.len()).any(|part| part == short.as_slice());
    }
    let mut letters = long.iter();
    let held = short.iter().all(|letter| letters.any(|other| other == letter));
    !(held && short.len() >= 5 && long.len() - short.len() == 1 && long.iter().all(char::is_ascii))
}

/// How many letters may differ in a word of this length.
fn limit(length: usize) -> usize {
    match length {
        0..=1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

fn normal(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).take(128).collect()
}

fn same(a: &[char], b: &[char]) -> bool {
    let singular = |word: &[char]| word.strip_suffix(&['s']).map_or(word.to_vec(), <[char]>::to_vec);
    a == b || singular(a) == singular(b)
}

fn swapped(a: &[char], b: &[char]) -> bool {
    let sorted = |word: &[char]| {
        let mut letters = word.to_vec();
        letters.sort_unstable();
        letters
    };
    sorted(a) == sorted(b)
}

/// Edit distance with swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let change = above[j] + usize::from(x != y);
            row[j + 1] = change.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[track_caller]
    fn check(word: &str, candidates: &[&str], expected: Option<&str>) {
        assert_eq!(closest(word, candidates.iter().copied()), expected, "{word}");
    }

    #[test]
    fn mends_typing_mistakes() {
        check("aprove", &["approve", "task"], Some("approve"));
        check("remidn", &["remind"], Some("remind"));
        check("requird", &["required"], Some("required"));
    }

    #[test]
    fn ignores_case_separators_and_plural() {
        check("long-text", &["text", "long text"], Some("long text"));
        check("outcome", &["outcomes", "out"], Some("outcomes"));
        check("reportsTo", &["reports_to"], Some("reports_to"));
    }

    #[test]
    fn works_for_chinese() {
        check("营消总监", &["营销总监", "办公室主任"], Some("营销总监"));
        check("内情", &["内勤"], Some("内勤"));
        check("财务", &["采购"], None);
    }

    #[test]
    fn does_not_guess_wildly() {
        check("x", &["y"], None);
        check("ab", &["cd"], None);
        check("no", &["n", "on", "nu"], None);
        check("foo", &["for", "form"], None);
        check("fro", &["for", "form"], Some("for"));
        check("workflow", &["process", "calendar"], None);
        check("", &["a"], None);
    }
}
