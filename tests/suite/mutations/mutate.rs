//! Ways in which a file goes wrong under its author's hands.
//!
//! All of them work on lines and characters, as an editor does, and know no YAML: what comes out may be a file with
//! one wrong word, or no YAML at all. Everything follows from the seed.

#![allow(clippy::ptr_arg, reason = "one table holds them all, and some of them add lines")]

/// Numbers that follow from a seed (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

type Mutation = fn(&mut Vec<String>, &mut Dice) -> Option<()>;

/// Every way by name. Those that an author's hand takes more often stand in it more than once.
const WAYS: &[(&str, Mutation)] = &[
    ("key dropped", drop_block),
    ("key dropped", drop_pair),
    ("key renamed", rename_key),
    ("key misspelt", misspell_key),
    ("moved up or down", move_among_siblings),
    ("moved elsewhere", move_elsewhere),
    ("values swapped", swap_values),
    ("value of another type", retype),
    ("word misspelt", misspell_word),
    ("word replaced", replace_word),
    ("bytes cut", cut),
    ("line doubled", double),
    ("indentation shifted", shift_line),
    ("indentation shifted", shift_block),
    ("full-width mark", full_width),
    ("mark typed", type_mark),
    ("cut short", truncate),
];

/// Mutates a text once; `None` where this way does not fit it. The bytes may not be UTF-8.
pub(crate) fn mutate(text: &str, dice: &mut Dice) -> Option<(&'static str, Vec<u8>)> {
    let (way, apply) = dice.pick(WAYS);
    if *way == "bytes cut" && dice.below(2) == 0 {
        let bytes = cut_bytes(text.as_bytes(), dice);
        return (bytes != text.as_bytes()).then_some((way, bytes));
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    apply(&mut lines, dice)?;
    let mut mutated = lines.join("\n");
    mutated.push('\n');
    (mutated != text).then(|| (*way, mutated.into_bytes()))
}

/// How far a line is indented; the `- ` of a list item counts to it.
pub(crate) fn indent(line: &str) -> usize {
    let spaces = line.len() - line.trim_start_matches(' ').len();
    if line[spaces..].starts_with("- ") { spaces + 2 + indent(&line[spaces + 2..]) } else { spaces }
}

/// How many spaces a line begins with.
pub(crate) fn spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a line says nothing.
pub(crate) fn silent(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn line(lines: &[String], dice: &mut Dice) -> Option<usize> {
    let written: Vec<usize> = (0..lines.len()).filter(|at| !silent(&lines[*at])).collect();
    (!written.is_empty()).then(|| *dice.pick(&written))
}

/// The line after the block that begins with a line.
fn block_end(lines: &[String], from: usize) -> usize {
    let own = spaces(&lines[from]);
    let deeper = |line: &String| silent(line) || spaces(line) > own;
    (from + 1..lines.len()).find(|at| !deeper(&lines[*at])).unwrap_or(lines.len())
}

/// The pairs `key: value` within the braces of a line, as ranges of bytes.
fn pairs(line: &str) -> Vec<std::ops::Range<usize>> {
    let (mut depth, mut from, mut found, mut quote) = (0, None, Vec::new(), None);
    for (at, c) in line.char_indices() {
        match (c, quote) {
            (c, Some(end)) if c == end => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('{' | '[', None) => {
                depth += 1;
                if depth == 1 {
                    from = Some(at + 1);
                }
            }
            ('}' | ']', None) if depth == 1 => {
                found.extend(from.take().map(|from| from..at));
                depth = 0;
            }
            ('}' | ']', None) => depth -= 1,
            (',', None) if depth == 1 => {
                found.extend(from.map(|from| from..at));
                from = Some(at + 1);
            }
            _ => {}
        }
    }
    found
}

/// A key of a line, as a range of bytes: of the line itself, or of a pair in its braces.
fn key_in(line: &str, dice: &mut Dice) -> Option<std::ops::Range<usize>> {
    let mut starts = vec![indent(line)];
    starts.extend(pairs(line).into_iter().map(|pair| pair.start));
    let keys: Vec<_> = starts
        .into_iter()
        .filter_map(|start| {
            let rest = &line[start..];
            let from = start + rest.len() - rest.trim_start().len();
            let key = line[from..].split([':', ',', '}']).next()?;
            let is_key =
                line[from + key.len()..].starts_with(':') && !key.is_empty() && !key.contains(['"', '\'', '{']);
            is_key.then(|| from..from + key.len())
        })
        .collect();
    (!keys.is_empty()).then(|| dice.pick(&keys).clone())
}

/// A value of a line that has no brackets, as a range of bytes.
fn value_in(line: &str, dice: &mut Dice) -> Option<std::ops::Range<usize>> {
    let mut values = Vec::new();
    for (at, _) in line.match_indices(": ") {
        let from = at + 2;
        let rest = &line[from..];
        let length = if line.contains('{') { rest.find([',', '}']).unwrap_or(rest.len()) } else { rest.len() };
        let value = rest[..length].trim_end();
        if !value.is_empty() && !value.starts_with(['{', '[']) {
            values.push(from..from + value.len());
        }
    }
    (!values.is_empty()).then(|| dice.pick(&values).clone())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn words_of(line: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut from = None;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        match (is_word(c), from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                found.push(start..at);
                from = None;
            }
            _ => {}
        }
    }
    found
}

fn misspelt(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = dice.below(letters.len());
    match dice.below(4) {
        0 if letters.len() > 1 => drop(letters.remove(at)),
        1 if at + 1 < letters.len() => letters.swap(at, at + 1),
        2 => letters.insert(at, letters[at]),
        _ => letters.insert(at, 'x'),
    }
    letters.into_iter().collect()
}

fn drop_block(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let from = line(lines, dice)?;
    lines.drain(from..block_end(lines, from));
    Some(())
}

fn drop_pair(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let at = line(lines, dice)?;
    let found = pairs(&lines[at]);
    let pair = (!found.is_empty()).then(|| dice.pick(&found).clone())?;
    let end = if lines[at][pair.end..].starts_with(',') { pair.end + 1 } else { pair.end };
    lines[at].replace_range(pair.start..end, "");
    Some(())
}

fn rename_key(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let (at, other) = (line(lines, dice)?, line(lines, dice)?);
    let by = key_in(&lines[other], dice).map(|key| lines[other][key].to_owned())?;
    let key = key_in(&lines[at], dice)?;
    lines[at].replace_range(key, &by);
    Some(())
}

fn misspell_key(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let at = line(lines, dice)?;
    let key = key_in(&lines[at], dice)?;
    let by = misspelt(&lines[at][key.clone()], dice);
    lines[at].replace_range(key, &by);
    Some(())
}

fn move_among_siblings(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let from = line(lines, dice)?;
    let own = spaces(&lines[from]);
    let end = block_end(lines, from);
    if end < lines.len() && spaces(&lines[end]) == own {
        let next = block_end(lines, end);
        lines[from..next].rotate_left(end - from);
        return Some(());
    }
    let before = (0..from).rev().find(|at| !silent(&lines[*at]) && spaces(&lines[*at]) <= own)?;
    (spaces(&lines[before]) == own).then(|| lines[before..end].rotate_left(from - before))
}

fn move_elsewhere(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let from = line(lines, dice)?;
    let own = spaces(&lines[from]);
    let block: Vec<String> = lines.drain(from..block_end(lines, from)).collect();
    let to = line(lines, dice)?;
    let target = spaces(&lines[to]);
    let moved = block.iter().map(|line| format!("{}{}", " ".repeat(target), line.get(own..).unwrap_or("")));
    lines.splice(to..to, moved);
    Some(())
}

fn swap_values(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let (one, other) = (line(lines, dice)?, line(lines, dice)?);
    let (a, b) = (value_in(&lines[one], dice)?, value_in(&lines[other], dice)?);
    if one == other {
        return None;
    }
    let (first, second) = (lines[one][a.clone()].to_owned(), lines[other][b.clone()].to_owned());
    lines[one].replace_range(a, &second);
    lines[other].replace_range(b, &first);
    Some(())
}

fn retype(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    const OTHERS: &[&str] = &[
        "",
        "[]",
        "{}",
        "[a, b]",
        "{ a: b }",
        "true",
        "no",
        "12",
        "-0.5",
        "007",
        "1e400",
        "~",
        "null",
        "2026-02-30",
        "2026-03-02",
        "\"text\"",
        "'it''s'",
        "3 days",
        "8 %",
        "a text of several words",
        "部门经理",
        "|",
        "> ",
        "- a",
        "*a",
        "&a b",
        "!!int 3",
        "@\"P1D\"",
        "1 = 1",
        "today()",
        "applicant",
        "sum([1, 2])",
        "99999999999999999999999999999999",
        "\"\\\"\"",
        "-",
        "?",
        "if a then b else c",
    ];
    let at = line(lines, dice)?;
    let value = value_in(&lines[at], dice)?;
    let by = dice.pick::<&str>(OTHERS);
    lines[at].replace_range(value, by);
    Some(())
}

fn misspell_word(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let at = line(lines, dice)?;
    let words = words_of(&lines[at]);
    let word = (!words.is_empty()).then(|| dice.pick(&words).clone())?;
    let by = misspelt(&lines[at][word.clone()], dice);
    lines[at].replace_range(word, &by);
    Some(())
}

fn replace_word(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let (at, other) = (line(lines, dice)?, line(lines, dice)?);
    let (words, others) = (words_of(&lines[at]), words_of(&lines[other]));
    if words.is_empty() || others.is_empty() {
        return None;
    }
    let by = lines[other][dice.pick(&others).clone()].to_owned();
    let word = dice.pick(&words).clone();
    lines[at].replace_range(word, &by);
    Some(())
}

/// A few characters of one line, or of several.
fn cut(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let text = lines.join("\n");
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let from = dice.below(starts.len());
    let longest = *dice.pick(&[8, 8, 8, 200]);
    let length = 1 + dice.below(longest);
    let to = starts.get(from + length).copied().unwrap_or(text.len());
    let from = *starts.get(from)?;
    *lines = format!("{}{}", &text[..from], &text[to..]).lines().map(str::to_owned).collect();
    Some(())
}

fn cut_bytes(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let from = dice.below(bytes.len());
    let to = (from + 1 + dice.below(8)).min(bytes.len());
    [&bytes[..from], &bytes[to..]].concat()
}

fn double(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let from = line(lines, dice)?;
    let end = if dice.below(2) == 0 { from + 1 } else { block_end(lines, from) };
    let copy = lines[from..end].to_vec();
    lines.splice(end..end, copy);
    Some(())
}

fn shifted(line: &mut String, by: isize) {
    if by > 0 {
        line.insert_str(0, &" ".repeat(by as usize));
    } else {
        let gone = by.unsigned_abs().min(spaces(line));
        line.replace_range(..gone, "");
    }
}

fn shift_line(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let at = line(lines, dice)?;
    shifted(&mut lines[at], *dice.pick(&[-4, -2, -1, 1, 2, 4]));
    Some(())
}

fn shift_block(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let from = line(lines, dice)?;
    let by = *dice.pick(&[-4, -2, -1, 1, 2, 4]);
    let end = block_end(lines, from);
    lines[from..end].iter_mut().for_each(|line| shifted(line, by));
    Some(())
}

fn full_width(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    const MARKS: &[(char, char)] = &[
        (':', '：'),
        (',', '，'),
        ('"', '“'),
        ('\'', '‘'),
        ('(', '（'),
        (')', '）'),
        ('[', '【'),
        (']', '】'),
        ('{', '｛'),
        ('}', '｝'),
        ('-', '－'),
        ('>', '＞'),
        ('<', '＜'),
        ('=', '＝'),
        ('*', '×'),
        ('%', '％'),
        (' ', '　'),
        ('.', '。'),
    ];
    let at = line(lines, dice)?;
    let marks: Vec<(usize, char, char)> = lines[at]
        .char_indices()
        .filter_map(|(offset, c)| {
            MARKS.iter().find(|(plain, _)| *plain == c).map(|(plain, full)| (offset, *plain, *full))
        })
        .collect();
    let (offset, plain, full) = *(!marks.is_empty()).then(|| dice.pick(&marks))?;
    lines[at].replace_range(offset..offset + plain.len_utf8(), &full.to_string());
    Some(())
}

fn type_mark(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    const MARKS: &[&str] = &[
        "\t", "\"", "'", "[", "]", "{", "}", "#", " #", "&", "*", "!", "%", "@", "`", "|", ">", ":", ": ", ",", "-",
        "- ", "?", "\\", "==", "&&", "${", "}}", "\u{feff}", "\u{a0}", "\u{7}", "\u{200b}", "--- ", "。", "…",
    ];
    let at = line(lines, dice)?;
    let places: Vec<usize> = lines[at].char_indices().map(|(offset, _)| offset).chain([lines[at].len()]).collect();
    let offset = *dice.pick(&places);
    let mark = dice.pick::<&str>(MARKS);
    lines[at].insert_str(offset, mark);
    Some(())
}

fn truncate(lines: &mut Vec<String>, dice: &mut Dice) -> Option<()> {
    let last = line(lines, dice)?;
    let keep = dice.below(lines[last].chars().count());
    lines[last] = lines[last].chars().take(keep).collect();
    lines.truncate(last + 1);
    Some(())
}
