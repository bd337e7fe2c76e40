//! One mail → an SMTP server, a folder or the mailbox; and what the answer means for the queue.
//!
//! A transport sends once and says how it went. It never retries, never logs a mail, and never answers that a mail
//! was taken unless the other side said so. Every wait has a deadline.

use super::mail::Parts;
use super::mailbox::Mailbox;
use super::message;
use super::smtp::Smtp;
use crate::model::text::Wording;
use serde::Deserialize;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the built-in mailbox answers.
pub const MAILBOX: &str = "mailbox";

/// How mail leaves this installation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// The SMTP server.
    #[serde(default)]
    pub smtp: Option<SmtpConfig>,
    /// A folder that every mail is written to instead, as a file.
    #[serde(default)]
    pub folder: Option<PathBuf>,
}

/// An SMTP server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name.
    pub host: String,
    /// Its port: 587, 465 or 25 by the kind of security where none is given.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is kept secret.
    #[serde(default)]
    pub security: Security,
    /// Who we are to the server.
    #[serde(default)]
    pub user: Option<String>,
    /// Where the password stands: `env:NAME` or `file:PATH`, never the password itself.
    #[serde(default)]
    pub password: Option<String>,
    /// Certificates in PEM that are trusted beside the public ones.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// The name that we greet with; the machine's where none is given.
    #[serde(default)]
    pub hello: Option<String>,
    /// The most mails a minute; 0 for no limit.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
    /// The most seconds to wait for a connection, TLS and authentication included.
    #[serde(default = "connect_seconds")]
    pub connect_seconds: f64,
    /// The most seconds to wait for the answer to one command.
    #[serde(default = "command_seconds")]
    pub command_seconds: f64,
    /// The most seconds to wait for the answer to a whole mail. A short wait makes doubles (RFC 5321 says ten
    /// minutes): a server that is busy with a mail has often taken it already.
    #[serde(default = "data_seconds")]
    pub data_seconds: f64,
}

fn per_minute() -> u32 {
    60
}
fn connect_seconds() -> f64 {
    30.0
}
fn command_seconds() -> f64 {
    60.0
}
fn data_seconds() -> f64 {
    600.0
}

/// How a connection is kept secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Not at all: for a server on this machine.
    None,
    /// A plain connection that must turn to TLS before anything is said.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// A password. It is shown to nobody.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Reads `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// A place that is none, or that holds nothing.
    pub fn read(place: &str) -> Result<Secret, Wording> {
        let found = match place.split_once(':') {
            Some(("env", name)) => std::env::var(name).map_err(|_| {
                Wording::new(
                    format!("环境变量 {name} 没有设置。"),
                    format!("The environment variable {name} is not set."),
                )
            })?,
            Some(("file", path)) => std::fs::read_to_string(path).map_err(|error| {
                Wording::new(
                    format!("无法读取密码文件 {path}：{error}"),
                    format!("Cannot read the password file {path}: {error}"),
                )
            })?,
            _ => {
                return Err(Wording::new(
                    "密码不能直接写在配置里。请写 `env:变量名` 或 `file:文件路径`。",
                    "A password may not stand in the configuration. Write `env:NAME` or `file:PATH`.",
                ));
            }
        };
        let found = found.trim_end_matches(['\r', '\n']);
        if found.is_empty() {
            return Err(Wording::new(format!("{place} 是空的。"), format!("{place} is empty.")));
        }
        Ok(Secret(found.to_owned()))
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why a mail was not taken, by what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is to be done.
    pub kind: FailureKind,
    /// What the other side said, or what happened, in one line.
    pub reply: String,
}

/// What is to be done about a mail that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The server cannot be reached or is closing: nothing else will go either.
    Down,
    /// The connection broke in the middle of this mail, before its end: it was not taken. May be the server or this
    /// mail.
    Broken,
    /// The server does not take our name and password: nothing will go until somebody helps.
    Refused,
    /// Not now: this mail, later.
    Later,
    /// Not like this, for reasons of policy: slower, and somebody should look.
    Policy,
    /// Never: this mail cannot be delivered.
    Never,
    /// The connection broke after the end of the mail: it may have been taken.
    Unknown,
}

impl Failure {
    pub(super) fn new(kind: FailureKind, reply: impl AsRef<str>) -> Failure {
        let reply = super::format::clean_line(reply.as_ref());
        Failure { kind, reply: reply.chars().take(300).collect() }
    }
}

/// Where mail goes.
#[derive(Debug)]
pub enum Transport {
    /// To a server.
    Smtp(Box<Smtp>),
    /// To a folder, a file each.
    Folder(PathBuf),
    /// To memory, for `demo` and `serve --dev`.
    Mailbox(Mailbox),
}

impl Transport {
    /// The transport that a configuration asks for.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn open(config: &MailConfig) -> Result<Transport, Wording> {
        match (&config.smtp, &config.folder) {
            (Some(smtp), None) => Ok(Transport::Smtp(Box::new(Smtp::open(smtp)?))),
            (None, Some(folder)) => {
                std::fs::create_dir_all(folder).map_err(|error| {
                    Wording::new(
                        format!("无法创建邮件文件夹 {}：{error}", folder.display()),
                        format!("Cannot make the folder {} for mail: {error}", folder.display()),
                    )
                })?;
                Ok(Transport::Folder(folder.clone()))
            }
            _ => Err(Wording::new(
                "邮件配置要么写 `smtp`，要么写 `folder`，不能都写或都不写。",
                "The configuration of mail takes either `smtp` or `folder`, and one of them it needs.",
            )),
        }
    }

    /// Sends a mail once; answers what the other side said.
    ///
    /// # Errors
    /// What is to be done about it, and what the other side said.
    pub async fn send(&self, parts: &Parts, link: Option<&str>) -> Result<String, Failure> {
        let never = |what: Wording| Failure::new(FailureKind::Never, what.to_string());
        match self {
            Transport::Smtp(smtp) => {
                let bytes = message::build(parts, link).map_err(never)?;
                smtp.send(&parts.envelope, &parts.to, &bytes).await
            }
            Transport::Folder(folder) => {
                let bytes = message::build(parts, link).map_err(never)?;
                let path = folder.join(file_name(parts));
                let failed =
                    |error: std::io::Error| Failure::new(FailureKind::Down, format!("{}: {error}", folder.display()));
                let written = path.clone();
                let task = tokio::task::spawn_blocking(move || write(&written, &bytes));
                task.await.map_err(|error| failed(std::io::Error::other(error)))?.map_err(failed)?;
                Ok(path.display().to_string())
            }
            Transport::Mailbox(mailbox) => {
                mailbox.deliver(parts, link).map_err(never)?;
                Ok(MAILBOX.into())
            }
        }
    }

    /// The most mails a minute, where there is a limit.
    pub fn per_minute(&self) -> Option<u32> {
        match self {
            Transport::Smtp(smtp) => smtp.per_minute(),
            Transport::Folder(_) | Transport::Mailbox(_) => None,
        }
    }
}

/// The same mail has the same name, so a second copy takes the place of the first.
fn file_name(parts: &Parts) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let id: String = parts.message_id.trim_matches(['<', '>']).chars().map(plain).take(120).collect();
    format!("{}-{id}.eml", parts.date.format("%Y%m%dT%H%M%S"))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}
