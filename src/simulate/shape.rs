//! A text that a pattern takes: the shortest of its first way. Only what patterns of forms are made of is understood.

use std::iter::Peekable;
use std::str::Chars;

/// The longest text that is made up.
const LONGEST: usize = 200;

/// A text for the pattern; `None` where it says more than is understood here.
pub(super) fn text_like(pattern: &str) -> Option<String> {
    let mut rest = pattern.chars().peekable();
    let text = way(&mut rest, 0)?;
    (rest.next().is_none() && text.chars().count() <= LONGEST).then_some(text)
}

/// The first of several ways, up to the end or a closing bracket, which stays.
fn way(rest: &mut Peekable<Chars<'_>>, depth: usize) -> Option<String> {
    if depth > 8 {
        return None;
    }
    let (mut first, mut text): (Option<String>, String) = (None, String::new());
    while let Some(next) = rest.next_if(|next| *next != ')') {
        let piece = match next {
            '^' | '$' => continue,
            '|' => {
                first.get_or_insert(std::mem::take(&mut text));
                text.clear();
                continue;
            }
            '(' => {
                if rest.next_if_eq(&'?').is_some() {
                    rest.next_if_eq(&':')?;
                }
                let inner = way(rest, depth + 1)?;
                rest.next_if_eq(&')')?;
                inner
            }
            '[' => class(rest)?.to_string(),
            '\\' => escaped(rest.next()?)?.to_string(),
            '.' => "a".to_owned(),
            '*' | '+' | '?' | '{' => return None,
            plain => plain.to_string(),
        };
        text.push_str(&piece.repeat(times(rest)?));
        if text.len() > LONGEST * 4 {
            return None;
        }
    }
    Some(first.unwrap_or(text))
}

/// How often, at least: once where nothing is said.
fn times(rest: &mut Peekable<Chars<'_>>) -> Option<usize> {
    let times = match rest.peek() {
        Some('*' | '?') => 0,
        Some('+') => 1,
        Some('{') => {
            rest.next();
            let mut said = String::new();
            while let Some(next) = rest.next_if(|next| *next != '}') {
                said.push(next);
            }
            said.split(',').next()?.trim().parse::<usize>().ok().filter(|times| *times <= LONGEST)?
        }
        _ => return Some(1),
    };
    rest.next();
    Some(times)
}

/// One of a class: the first that is named.
fn class(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let other = rest.next_if_eq(&'^').is_some();
    let first = match rest.next()? {
        '\\' => escaped(rest.next()?)?,
        plain => plain,
    };
    let mut named = vec![first];
    loop {
        match rest.next()? {
            ']' => break,
            '\\' => named.push(escaped(rest.next()?)?),
            plain => named.push(plain),
        }
    }
    // A range is not spelt out: what lies outside of it cannot be told.
    let range = named.len() > 1 && named.contains(&'-');
    match other {
        true if range => None,
        true => ['a', '0', '-'].into_iter().find(|free| !named.contains(free)),
        false => Some(first),
    }
}

fn escaped(letter: char) -> Option<char> {
    match letter {
        'd' => Some('1'),
        'w' => Some('a'),
        's' => Some(' '),
        letter if letter.is_alphanumeric() => None,
        plain => Some(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::text_like;

    #[test]
    fn a_text_has_the_shape_of_its_pattern() {
        for (pattern, text) in [
            (r"\d{4}-\d{2}", "1111-11"),
            (r"1[3-9]\d{9}", "13111111111"),
            (r"[A-Z]{2,3}[0-9]+", "AA0"),
            (r"(HT|XS)-\d{4}(-[a-z])?", "HT-1111"),
            (r"[^@ ]+@[^@ ]+\.[a-z]{2,}", "a@a.aa"),
        ] {
            assert_eq!(text_like(pattern).as_deref(), Some(text), "{pattern}");
        }
        for pattern in [r"\p{Han}+", r"(?i)a", r"[^a-z]", r"a{999}"] {
            assert_eq!(text_like(pattern), None, "{pattern}");
        }
    }
}
