//! SMTP: the only door to lettre's connections.
//!
//! The commands are spoken one by one, each under a deadline of ours, so that what went wrong is known exactly:
//! before the end of a mail it was not taken; after it, without an answer, it may have been. lettre's own timeout
//! covers only connecting, and its `send` does not tell the two apart.
//!
//! One recipient a transaction: a refused one takes nobody else's mail with it. One connection is kept open between
//! mails and tried with `NOOP` before it is used again.

use super::transport::{Failure, FailureKind, Secret, Security, SmtpConfig};
use crate::model::text::Wording;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// A server, and the connection to it.
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, Secret)>,
    tls: Option<TlsParameters>,
    hello: ClientId,
    per_minute: u32,
    connect: Duration,
    command: Duration,
    data: Duration,
    open: Mutex<Option<AsyncSmtpConnection>>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Smtp {
    /// Makes ready for a server; connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn open(config: &SmtpConfig) -> Result<Smtp, Wording> {
        let host = config.host.trim().to_owned();
        let login = match (&config.user, &config.password) {
            (None, None) => None,
            (Some(user), Some(place)) => Some((user.clone(), Secret::read(place)?)),
            _ => {
                return Err(Wording::new(
                    "SMTP 的 `user` 和 `password` 要么都写，要么都不写。",
                    "SMTP takes `user` and `password` together, or neither.",
                ));
            }
        };
        let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]");
        if login.is_some() && config.security == Security::None && !here {
            return Err(Wording::new(
                format!("不加密就把密码发往 {host} 不安全。请写 `security = \"starttls\"` 或 `\"tls\"`。"),
                format!("The password would go to {host} unencrypted. Write `security = \"starttls\"` or `\"tls\"`."),
            ));
        }
        let tls = match config.security {
            Security::None => None,
            Security::Starttls | Security::Tls => Some(tls(&host, config)?),
        };
        let seconds = |given: f64| Duration::from_secs_f64(given.clamp(0.01, 3_600.0));
        Ok(Smtp {
            port: config.port.unwrap_or(match config.security {
                Security::None => 25,
                Security::Starttls => 587,
                Security::Tls => 465,
            }),
            security: config.security,
            login,
            tls,
            hello: config.hello.as_ref().map_or_else(ClientId::default, |name| ClientId::Domain(name.clone())),
            per_minute: config.per_minute,
            connect: seconds(config.connect_seconds),
            command: seconds(config.command_seconds),
            data: seconds(config.data_seconds),
            open: Mutex::new(None),
            host,
        })
    }

    /// The most mails a minute, where there is a limit.
    pub fn per_minute(&self) -> Option<u32> {
        (self.per_minute > 0).then_some(self.per_minute)
    }

    /// Sends a mail to one recipient; answers what the server said to it.
    ///
    /// # Errors
    /// What is to be done about it, and what the server said.
    pub async fn send(&self, from: &str, to: &str, mail: &[u8]) -> Result<String, Failure> {
        let address = |text: &str| text.parse::<Address>();
        let bad = |text: &str| Failure::new(FailureKind::Never, format!("{text}: not an address / 不是邮箱地址"));
        let (from, to) = (address(from).map_err(|_| bad(from))?, address(to).map_err(|_| bad(to))?);
        let mut slot = self.open.lock().await;
        let mut connection = match slot.take() {
            Some(open) => match self.still_there(open).await {
                Some(open) => open,
                None => self.connect().await?,
            },
            None => self.connect().await?,
        };
        let sent = self.transact(&mut connection, from, to, mail).await;
        match &sent {
            Ok(_) => *slot = Some(connection),
            // The server answered: after a reset the connection is as good as new.
            Err(failure) if matches!(failure.kind, FailureKind::Later | FailureKind::Never | FailureKind::Policy) => {
                let reset = timeout(self.command, connection.command(Rset)).await;
                if matches!(reset, Ok(Ok(_))) {
                    *slot = Some(connection);
                }
            }
            // Dropping it closes it; a goodbye could hang like the rest.
            Err(_) => {}
        }
        sent
    }

    async fn still_there(&self, mut open: AsyncSmtpConnection) -> Option<AsyncSmtpConnection> {
        let answers = timeout(self.command, open.test_connected()).await.unwrap_or(false);
        answers.then_some(open)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let place = format!("{}:{}", self.host, self.port);
        match timeout(self.connect, self.greet(&place)).await {
            Ok(done) => done,
            Err(_) => Err(Failure::new(
                FailureKind::Down,
                format!("{place}: no answer within {} s / 未在时限内应答", self.connect.as_secs_f64()),
            )),
        }
    }

    async fn greet(&self, place: &str) -> Result<AsyncSmtpConnection, Failure> {
        let down = |error: Error| Failure::new(FailureKind::Down, format!("{place}: {}", told(&error)));
        let wrapped = if self.security == Security::Tls { self.tls.clone() } else { None };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.connect), &self.hello, wrapped, None)
                .await
                .map_err(down)?;
        if self.security == Security::Starttls {
            let Some(tls) = self.tls.clone() else {
                return Err(Failure::new(FailureKind::Down, format!("{place}: TLS is not set up")));
            };
            connection.starttls(tls, &self.hello).await.map_err(down)?;
        }
        if let Some((user, password)) = &self.login {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            let answer = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
            answer.map_err(|error| {
                let refused = error.is_permanent() || error.is_client();
                let kind = if refused { FailureKind::Refused } else { FailureKind::Down };
                Failure::new(kind, format!("{place}: {}", told(&error)))
            })?;
        }
        Ok(connection)
    }

    async fn transact(
        &self,
        connection: &mut AsyncSmtpConnection,
        from: Address,
        to: Address,
        mail: &[u8],
    ) -> Result<String, Failure> {
        let mut options = Vec::new();
        if !(from.as_ref() as &str).is_ascii() || !(to.as_ref() as &str).is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let why = "the server takes no addresses beyond ASCII / 服务器不支持非 ASCII 邮箱地址";
                return Err(Failure::new(FailureKind::Never, why));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        self.ask(connection.command(Mail::new(Some(from), options))).await?;
        self.ask(connection.command(Rcpt::new(to, Vec::new()))).await?;
        self.ask(connection.command(Data)).await?;
        crate::failpoint!("smtp.before_data").map_err(|error| Failure::new(FailureKind::Broken, error.to_string()))?;
        match timeout(self.data, connection.message(mail)).await {
            Err(_) => {
                Err(Failure::new(FailureKind::Unknown, "no answer to the mail in time / 服务器未在时限内确认邮件"))
            }
            Ok(Ok(response)) => Ok(spoken(&response)),
            Ok(Err(error)) => Err(judge(&error, FailureKind::Unknown)),
        }
    }

    /// One command under its deadline.
    async fn ask(&self, command: impl Future<Output = Result<Response, Error>>) -> Result<(), Failure> {
        match timeout(self.command, command).await {
            Err(_) => Err(Failure::new(FailureKind::Broken, "no answer in time / 服务器未在时限内应答")),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judge(&error, FailureKind::Broken)),
        }
    }
}

fn tls(host: &str, config: &SmtpConfig) -> Result<TlsParameters, Wording> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &config.trust {
        let bad = |error: &dyn std::fmt::Display| {
            Wording::new(
                format!("无法读取证书 {}：{error}", path.display()),
                format!("Cannot read the certificate {}: {error}", path.display()),
            )
        };
        let pem = std::fs::read(path).map_err(|error| bad(&error))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| bad(&error))?);
    }
    builder.build().map_err(|error| {
        Wording::new(format!("无法为 {host} 准备 TLS：{error}"), format!("Cannot set up TLS for {host}: {error}"))
    })
}

fn spoken(response: &Response) -> String {
    let text = response.message().collect::<Vec<_>>().join(" ");
    super::format::clean_line(&format!("{} {text}", response.code())).chars().take(300).collect()
}

/// What the server said, with its code; or what happened to the connection.
fn told(error: &Error) -> String {
    use std::error::Error as _;
    match (error.status(), error.source()) {
        (Some(code), Some(said)) => format!("{code} {said}"),
        (Some(code), None) => code.to_string(),
        (None, _) => error.to_string(),
    }
}

/// What is to be done about an error in the middle of a mail. `broken` is what it means if nothing was answered.
fn judge(error: &Error, broken: FailureKind) -> Failure {
    let reply = told(error);
    let Some(code) = error.status() else { return Failure::new(broken, reply) };
    Failure::new(verdict(u16::from(code), &reply), reply)
}

/// What a reply code means, by the enhanced code in its text where there is one.
fn verdict(code: u16, text: &str) -> FailureKind {
    let enhanced = text.split_whitespace().find(|word| {
        let mut parts = word.split('.');
        matches!(parts.next(), Some("4" | "5"))
            && parts.clone().count() == 2
            && parts.all(|part| part.parse::<u16>().is_ok())
    });
    let class = |prefix: &str| enhanced.is_some_and(|enhanced| enhanced.starts_with(prefix));
    match code {
        421 => FailureKind::Down,
        530 | 534 | 535 | 538 => FailureKind::Refused,
        400..=499 => FailureKind::Later,
        // An address that does not exist is often said with a code of policy, never the other way round.
        _ if class("5.1.") || class("5.2.") => FailureKind::Never,
        554 => FailureKind::Policy,
        _ if class("5.7.") => FailureKind::Policy,
        _ => FailureKind::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_says_what_to_do() {
        for (code, text, kind) in [
            (421, "421 closing", FailureKind::Down),
            (450, "450 4.2.0 greylisted", FailureKind::Later),
            (451, "451 try again", FailureKind::Later),
            (452, "452 4.2.2 mailbox full", FailureKind::Later),
            (535, "535 5.7.8 bad credentials", FailureKind::Refused),
            (530, "530 5.7.0 authentication required", FailureKind::Refused),
            (550, "550 5.1.1 no such user", FailureKind::Never),
            (554, "554 5.1.1 no such user", FailureKind::Never),
            (550, "550 no such user", FailureKind::Never),
            (550, "550 5.7.1 refused by policy", FailureKind::Policy),
            (554, "554 spam", FailureKind::Policy),
            (552, "552 5.3.4 too big", FailureKind::Never),
            (523, "523 5.2.3 too long", FailureKind::Never),
        ] {
            assert_eq!(verdict(code, text), kind, "{text}");
        }
    }
}
