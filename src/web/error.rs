//! The one web error: a status, what happened, and what to do. Never internals, ids or tickets.
//!
//! | what | status |
//! |--|--|
//! | no such page, no ticket of ours | 404 |
//! | a form that is not one, an unknown choice | 400 |
//! | a form from another site; a link of somebody who left the directory | 403 |
//! | an unknown method, with `Allow` | 405 |
//! | too slow | 408 |
//! | decided otherwise before; changed since it was shown | 409 |
//! | a file whose content is gone | 410 |
//! | too large | 413 |
//! | a body that is no form | 415 |
//! | a form that has faults | 422 |
//! | too often, with `Retry-After` | 429 |
//! | our fault | 500 |
//! | busy, closing, disk full, with `Retry-After` | 503 |

use crate::model::text::{Lang, Wording};
use crate::runtime::access::Closed;
use crate::runtime::{Denied, Error, Kind};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What went wrong, for whom, and what they can do.
#[derive(Clone, Debug)]
pub struct WebError {
    /// The status.
    pub status: StatusCode,
    /// What happened.
    pub heading: Wording,
    /// What to do.
    pub advice: Wording,
    /// When to try again, in seconds.
    pub retry: Option<u64>,
}

impl WebError {
    fn new(status: StatusCode, heading: (&str, &str), advice: (&str, &str)) -> WebError {
        let words = |(zh, en)| Wording::new(zh, en);
        WebError { status, heading: words(heading), advice: words(advice), retry: None }
    }

    /// Nothing of ours: no page, no ticket. The same for every reason.
    pub fn nothing() -> WebError {
        WebError::new(
            StatusCode::NOT_FOUND,
            ("这里没有可以打开的内容", "There is nothing to open here"),
            (
                "链接可能不完整。请回到邮件里直接点按钮，或把整条链接完整地复制过来。",
                "The link may be incomplete. Please go back to the mail and use its button, or copy the whole link.",
            ),
        )
    }

    /// A link of somebody who is no longer in the directory.
    pub fn left() -> WebError {
        WebError::new(
            StatusCode::FORBIDDEN,
            (
                "这个链接已停用：您已不在公司通讯录里",
                "This link is closed: you are no longer in the company's directory",
            ),
            (
                "这里不再需要您做什么，什么都没有记录。如果是弄错了，请联系管理员把您重新加入通讯录，然后再打开这个链接。",
                "Nothing is asked of you here any more, and nothing was recorded. If this is a mistake, ask an operator to put you back into the directory, and open the link again.",
            ),
        )
    }

    /// Too often.
    pub fn too_often(seconds: u64) -> WebError {
        WebError {
            retry: Some(seconds),
            ..WebError::new(
                StatusCode::TOO_MANY_REQUESTS,
                ("打开得太频繁了", "That was too often"),
                ("请过一分钟再试，什么都没有丢。", "Please try again in a minute. Nothing is lost."),
            )
        }
    }

    /// More files than one link may send in an hour.
    pub fn too_much(seconds: u64) -> WebError {
        WebError {
            retry: Some(seconds),
            ..WebError::new(
                StatusCode::TOO_MANY_REQUESTS,
                ("一小时内上传得太多了，这次没有记录", "Too much was uploaded within an hour; this was not recorded"),
                ("请过一会儿再传，或把文件压缩后再传。", "Please try again later, or make the files smaller."),
            )
        }
    }

    /// A file whose content is not there any more.
    pub fn file_gone() -> WebError {
        WebError::new(
            StatusCode::GONE,
            ("文件的内容已不在服务器上", "The content of the file is no longer on the server"),
            (
                "申请里仍有它的名称和大小。请联系管理员从备份恢复，或请提交人重新上传。",
                "The case still has its name and size. Ask an operator to restore it from the backup, or whoever handed \
                 it in to upload it again.",
            ),
        )
    }

    /// A form that another site sent.
    pub fn elsewhere() -> WebError {
        WebError::new(
            StatusCode::FORBIDDEN,
            ("这次提交来自别的网站，没有记录", "This was sent from another site and was not recorded"),
            ("请从邮件打开链接，在打开的页面上提交。", "Please open the link in the mail and submit on its page."),
        )
    }

    /// A form without what every form of ours has.
    pub fn not_ours() -> WebError {
        WebError::new(
            StatusCode::BAD_REQUEST,
            ("这次提交不完整，没有记录", "What was sent is incomplete and was not recorded"),
            ("请重新打开邮件里的链接再提交。", "Please open the link in the mail again and submit there."),
        )
    }

    /// Our own fault.
    pub fn ours() -> WebError {
        WebError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ("出错了，是我们的问题", "Something went wrong on our side"),
            (
                "什么都没有记录。请稍后再试；如果一直这样，请告诉管理员时间。",
                "Nothing was recorded. Please try again later; if it stays so, tell an operator the time.",
            ),
        )
    }

    /// The words of a status that no handler chose: unknown routes, methods, bodies.
    pub fn of_status(status: StatusCode) -> WebError {
        match status {
            StatusCode::NOT_FOUND => WebError::nothing(),
            StatusCode::METHOD_NOT_ALLOWED => WebError::new(
                status,
                ("这个地址不能这样使用", "This address cannot be used like that"),
                ("请直接打开邮件里的链接。", "Please simply open the link in the mail."),
            ),
            StatusCode::REQUEST_TIMEOUT => WebError::new(
                status,
                ("等得太久了", "That took too long"),
                (
                    "请再试一次；如果已经提交，重新打开链接就能看到结果。",
                    "Please try again. If you had submitted, the link shows the result.",
                ),
            ),
            StatusCode::PAYLOAD_TOO_LARGE => WebError::new(
                status,
                ("提交的内容太大，没有记录", "What was sent is too large and was not recorded"),
                (
                    "请缩短文字（一次最多 1 MB）或换小一些的文件，再提交。",
                    "Please shorten the text (at most 1 MB at once) or choose smaller files, and submit again.",
                ),
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => WebError::new(
                status,
                ("这不是网页表单，没有记录", "This is not a form and was not recorded"),
                ("请在打开的页面上提交。", "Please submit on the page that the link opens."),
            ),
            status if status.is_server_error() => WebError { status, ..WebError::ours() },
            status => WebError { status, ..WebError::not_ours() },
        }
    }

    /// The error as it is answered when there is nobody to render it: plain text.
    pub fn plain(&self, lang: Lang) -> String {
        format!("{}\n{}\n", self.heading.get(lang), self.advice.get(lang))
    }
}

impl From<Error> for WebError {
    fn from(error: Error) -> WebError {
        tracing::error!(kind = ?error.kind, detail = %error.detail, "the store could not answer");
        let busy = matches!(error.kind, Kind::Temporary | Kind::Conflict | Kind::Full | Kind::Closed);
        if !busy {
            return WebError::ours();
        }
        WebError {
            retry: Some(5),
            ..WebError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ("系统暂时忙不过来", "The system is busy right now"),
                (
                    "这次没有记录。请过几秒再试，链接仍然有效。",
                    "Nothing was recorded. Please try again in a few seconds; your link still works.",
                ),
            )
        }
    }
}

impl From<Closed> for WebError {
    fn from(closed: Closed) -> WebError {
        match closed {
            Closed::Nothing => WebError::nothing(),
            Closed::Left => WebError::left(),
            Closed::Unavailable(error) => error.into(),
        }
    }
}

impl From<Denied> for WebError {
    fn from(denied: Denied) -> WebError {
        match denied {
            Denied::Unavailable(error) => error.into(),
            Denied::NoProcess { .. } => WebError::nothing(),
            // Pages turn the refusals that people can mend into words beside the field; what is left is not
            // something that a page of ours sends.
            Denied::Refused(..) => WebError::not_ours(),
        }
    }
}

/// Carries the error to the layer that knows the reader's language and renders the page.
impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}
