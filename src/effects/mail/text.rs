//! The plain text of a mail and its subject, which a phone has to show whole.

use super::context::Context;
use crate::effects::format::clean_line;
use crate::effects::template::Templates;
use crate::model::text::{Lang, Wording};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest subject, in cells of a terminal: what a phone shows of it.
const SUBJECT: usize = 60;

/// Takes something from what a subject says, which is that many cells too wide.
type Lighter<'a> = &'a dyn Fn(&mut Context, usize);

/// The narrowest that a title becomes.
const TITLE: usize = 8;

/// The subject and the rest of a text template, whose first line is `Subject: …`.
///
/// What a subject has no room for goes by its weight: first whose case it is, then the end of the title, then what
/// it is about. A name or an amount says nothing by halves: it is there whole, or stands in the text alone.
pub(super) fn text(
    templates: &Templates,
    stem: &str,
    lang: Lang,
    context: &Context,
) -> Result<(String, String), Wording> {
    let Some(name) = templates.find(stem, lang, "txt") else {
        return Err(Wording::new(format!("找不到邮件模板 `{stem}`。"), format!("There is no mail template `{stem}`.")));
    };
    let render = |context: &Context| templates.render(&name, context, lang).map_err(|problem| problem.what);
    let (mut subject, body) = split(&render(context)?, &context.case.title);
    let over = |subject: &str| subject.width().saturating_sub(SUBJECT);
    let cut = |over: usize| fit(&context.case.title, context.case.title.width().saturating_sub(over).max(TITLE));
    let lighter: [Lighter<'_>; 6] = [
        &|short, _| short.case.applicant.clear(),
        &|short, over| short.case.title = cut(over),
        &|short, _| {
            // Without it there is room for what was left out before.
            short.case = context.case.clone();
            short.case.key.clear();
        },
        &|short, _| short.case.applicant.clear(),
        &|short, over| short.case.title = cut(over),
        &|short, _| short.case.headline.clear(),
    ];
    let mut short = context.clone();
    for lighten in lighter {
        if over(&subject) == 0 {
            break;
        }
        lighten(&mut short, over(&subject));
        subject = split(&render(&short)?, &short.case.title).0;
    }
    Ok((fit(&subject, SUBJECT), body))
}

fn split(rendered: &str, title: &str) -> (String, String) {
    let rendered = rendered.trim_start();
    let (first, rest) = rendered.split_once('\n').unwrap_or((rendered, ""));
    match first.strip_prefix("Subject:") {
        Some(subject) => (clean_line(subject), tidy(rest)),
        None => (title.to_owned(), tidy(rendered)),
    }
}

/// Never two empty lines on end, none at the beginning, one break at the end.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        tidy.push_str(line);
        tidy.push('\n');
    }
    let end = tidy.trim_end().len();
    tidy.truncate(end);
    tidy + "\n"
}

/// A text of at most `cells`, with `…` where something was left out.
fn fit(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let (mut short, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > cells {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_owned() + "…"
}
