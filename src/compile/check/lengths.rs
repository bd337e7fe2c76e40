//! How long the texts are that a pattern matches, where it is plain: characters, classes and groups, each so many times.
//! Of what looks around or says how it is read nothing is known.

/// The most of a pattern that is looked into.
const DEPTH: usize = 32;

/// The fewest and the most characters of what a pattern matches, where it can be said; a most that is `None` has no end.
pub(super) fn lengths(pattern: &str) -> Option<Lengths> {
    let mut rest = pattern.chars().peekable();
    let found = either(&mut rest, 0)?;
    rest.next().is_none().then_some(found)
}

type Lengths = (usize, Option<usize>);

type Rest<'p> = std::iter::Peekable<std::str::Chars<'p>>;

/// Alternatives, up to the end of their group.
fn either(rest: &mut Rest<'_>, depth: usize) -> Option<Lengths> {
    let mut found = row(rest, depth)?;
    while rest.next_if_eq(&'|').is_some() {
        let other = row(rest, depth)?;
        found = (found.0.min(other.0), found.1.zip(other.1).map(|(a, b)| a.max(b)));
    }
    Some(found)
}

/// One thing behind the other.
fn row(rest: &mut Rest<'_>, depth: usize) -> Option<Lengths> {
    let mut all: Lengths = (0, Some(0));
    while rest.peek().is_some_and(|next| !['|', ')'].contains(next)) {
        let one = single(rest, depth)?;
        let (least, most) = times(rest)?;
        all.0 = one.0.checked_mul(least)?.checked_add(all.0)?;
        let longest = match (one.1, most) {
            (Some(0), _) | (_, Some(0)) => Some(0),
            (Some(longest), Some(most)) => longest.checked_mul(most),
            _ => None,
        };
        all.1 = all.1.zip(longest).and_then(|(all, more)| all.checked_add(more));
    }
    Some(all)
}

/// A character, a class of them, or a group.
fn single(rest: &mut Rest<'_>, depth: usize) -> Option<Lengths> {
    const ONE: Lengths = (1, Some(1));
    match rest.next()? {
        '(' if depth < DEPTH => {
            if rest.next_if_eq(&'?').is_some() {
                rest.next_if_eq(&':')?;
            }
            let found = either(rest, depth + 1)?;
            rest.next_if_eq(&')')?;
            Some(found)
        }
        '[' => class(rest).then_some(ONE),
        '\\' => match rest.next()? {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'n' | 'r' | 't' => Some(ONE),
            other if other.is_alphanumeric() => None,
            _ => Some(ONE),
        },
        '^' | '$' | '(' | '*' | '+' | '?' | '{' => None,
        _ => Some(ONE),
    }
}

/// Passes a class; whether it is one without others in it.
fn class(rest: &mut Rest<'_>) -> bool {
    rest.next_if_eq(&'^');
    let mut first = true;
    while let Some(next) = rest.next() {
        match next {
            ']' if !first => return true,
            '[' | '&' => return false,
            '\\' => drop(rest.next()),
            _ => {}
        }
        first = false;
    }
    false
}

/// How often something comes.
fn times(rest: &mut Rest<'_>) -> Option<Lengths> {
    let found = match rest.peek() {
        Some('*') => (0, None),
        Some('+') => (1, None),
        Some('?') => (0, Some(1)),
        Some('{') => {
            let written: String = rest.by_ref().skip(1).take_while(|next| *next != '}').collect();
            let number = |text: &str| text.trim().parse::<usize>().ok();
            let found = match written.split_once(',') {
                None => (number(&written)?, Some(number(&written)?)),
                Some((least, "")) => (number(least)?, None),
                Some((least, most)) => (number(least)?, Some(number(most)?)),
            };
            rest.next_if_eq(&'?');
            return Some(found);
        }
        _ => return Some((1, Some(1))),
    };
    rest.next();
    // As few as will do are as many as there may be.
    rest.next_if_eq(&'?');
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::lengths;

    #[test]
    fn plain_patterns_have_a_length() {
        for (pattern, expected) in [
            ("[0-9]{6}", Some((6, Some(6)))),
            ("LP-\\d{4}(-[A-Z]+)?", Some((7, None))),
            ("a|bcd|", Some((0, Some(3)))),
            ("(?:[^]a]b){2,3}", Some((4, Some(6)))),
            ("会签\\.?", Some((2, Some(3)))),
            ("\\pL+", None),
            ("(?i)ab", None),
            ("\\bab", None),
            ("[[:alpha:]]", None),
        ] {
            assert_eq!(lengths(pattern), expected, "{pattern}");
        }
    }
}
