//! Parts and a link → the bytes of a mail: the same bytes for the same parts and link, for ever.
//!
//! lettre writes the headers (RFC 2047, folding); everything that it would make up (date, Message-ID, boundary,
//! encoding) is given. Bodies are base64, so no line of a person's can be taken for a boundary or a dot.

use super::format::clean_line;
use super::mail::{GAP, Parts};
use crate::model::text::Wording;
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use sha2::{Digest, Sha256};
use std::time::SystemTime;

/// The bytes of a mail, with the address of its link in every gap.
///
/// # Errors
/// An address that is none, or a mail with a gap and no link.
pub fn build(parts: &Parts, link: Option<&str>) -> Result<Vec<u8>, Wording> {
    let text = fill(&parts.text, link)?;
    let html = fill(&parts.html, link)?;
    let single = |kind: ContentType, text: String| {
        // Base64 takes any text; an error is not possible, an empty part would be its trace.
        let body = Body::new_with_encoding(text, ContentTransferEncoding::Base64);
        let body = body.unwrap_or_else(|_| Body::new(String::new()));
        SinglePart::builder().header(kind).body(body)
    };
    let digest = Sha256::digest(parts.message_id.as_bytes());
    let boundary: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let body = MultiPart::alternative()
        .boundary(format!("=_{boundary}"))
        .singlepart(single(ContentType::TEXT_PLAIN, text.replace('\n', "\r\n")))
        .singlepart(single(ContentType::TEXT_HTML, html.replace('\n', "\r\n")));
    let raw =
        |name: &'static str, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), clean_line(value));
    let message = Message::builder()
        .from(mailbox(&parts.from_name, &parts.from)?)
        .to(mailbox(&parts.to_name, &parts.to)?)
        .subject(clean_line(&parts.subject))
        .date(SystemTime::from(parts.date))
        .message_id(Some(clean_line(&parts.message_id)))
        .in_reply_to(clean_line(&parts.thread))
        .references(clean_line(&parts.thread))
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .raw_header(raw("List-Id", &parts.list))
        .raw_header(raw("Content-Language", parts.lang.tag()))
        .multipart(body);
    let message = message.map_err(|error| {
        Wording::new(format!("邮件无法生成：{error}"), format!("The mail cannot be built: {error}"))
    })?;
    Ok(message.formatted())
}

/// The text of a part with the address of its link in every gap.
///
/// # Errors
/// A gap and no link.
pub fn fill(text: &str, link: Option<&str>) -> Result<String, Wording> {
    match link {
        Some(link) => Ok(text.replace(GAP, link)),
        None if text.contains(GAP) => Err(Wording::new("邮件缺少链接。", "The mail has a gap and no link for it.")),
        None => Ok(text.to_owned()),
    }
}

fn mailbox(name: &str, address: &str) -> Result<Mailbox, Wording> {
    let name = clean_line(name);
    let parsed = address.trim().parse().map_err(|_| {
        Wording::new(
            format!("“{}”不是有效的邮箱地址。", clean_line(address)),
            format!("“{}” is no valid mail address.", clean_line(address)),
        )
    })?;
    Ok(Mailbox::new((!name.is_empty()).then_some(name), parsed))
}

/// The name and the address of `name <address>`, or of an address alone.
///
/// # Errors
/// An address that is none.
pub fn named_address(text: &str) -> Result<(String, String), Wording> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address.trim()),
        None => ("", text),
    };
    mailbox(name, address)?;
    Ok((clean_line(name), address.to_owned()))
}
