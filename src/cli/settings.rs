//! What is configured, and by whom: an option of the command line, else a variable of the environment, else
//! `countersign.toml`, else a default that works. Nothing has to be configured.
//!
//! Paths in the file are relative to the file. The password of a mail server is never in the file: it is a
//! variable of the environment, or a file of its own.

use super::exit::{Stop, file_trouble};
use crate::diagnostics::suggest;
use crate::model::text::{Lang, Wording};
use clap::ArgMatches;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The name of the file that is read where none is named.
const FILE: &str = "countersign.toml";

/// One thing that can be configured.
struct Key {
    /// As the file writes it: `mail.host`.
    name: &'static str,
    /// The variable of the environment.
    variable: &'static str,
    /// What holds without.
    default: &'static str,
    zh: &'static str,
    en: &'static str,
}

/// Everything that can be configured, in the order of the manual.
const KEYS: &[Key] = &[
    Key {
        name: "database",
        variable: "COUNTERSIGN_DB",
        default: "countersign.db",
        zh: "数据库文件",
        en: "The database file",
    },
    Key {
        name: "keys",
        variable: "COUNTERSIGN_KEYS",
        default: "countersign.keys",
        zh: "签发链接的密钥文件，不要放进数据库的备份里；不写时在数据库旁边",
        en: "The keys that links are signed with; keep them out of backups of the database. Beside the database if not given",
    },
    Key {
        name: "processes",
        variable: "COUNTERSIGN_PROCESSES",
        default: "processes",
        zh: "流程文件夹",
        en: "The folder of processes",
    },
    Key {
        name: "templates",
        variable: "COUNTERSIGN_TEMPLATES",
        default: "templates",
        zh: "邮件模板文件夹",
        en: "The folder of mail templates",
    },
    Key {
        name: "language",
        variable: "COUNTERSIGN_LANG",
        default: "",
        zh: "命令行的语言：zh 或 en",
        en: "The language of the shell: zh or en",
    },
    Key {
        name: "server.listen",
        variable: "COUNTERSIGN_LISTEN",
        default: "127.0.0.1:8080",
        zh: "监听地址",
        en: "The address to listen on",
    },
    Key {
        name: "server.url",
        variable: "COUNTERSIGN_URL",
        default: "",
        zh: "邮件链接的开头，别人打开链接用的地址；不写时就是监听地址",
        en: "What links in mail begin with: the address that people reach this server by. The listening address if not given",
    },
    Key {
        name: "mail.transport",
        variable: "COUNTERSIGN_MAIL",
        default: "",
        zh: "邮件怎么发：smtp、folder（写成 .eml 文件）或 mailbox（网页信箱）；不写时有 mail.host 就是 smtp，否则 mailbox",
        en: "How mail goes out: smtp, folder (.eml files) or mailbox (a page). smtp where mail.host is given, else mailbox",
    },
    Key {
        name: "mail.from",
        variable: "COUNTERSIGN_MAIL_FROM",
        default: "Countersign <countersign@localhost>",
        zh: "发件人",
        en: "Who mail is from",
    },
    Key {
        name: "mail.folder",
        variable: "COUNTERSIGN_MAIL_FOLDER",
        default: "mail",
        zh: ".eml 文件夹",
        en: "The folder of .eml files",
    },
    Key {
        name: "mail.host", variable: "COUNTERSIGN_MAIL_HOST", default: "", zh: "SMTP 服务器", en: "The SMTP server"
    },
    Key {
        name: "mail.port",
        variable: "COUNTERSIGN_MAIL_PORT",
        default: "",
        zh: "SMTP 端口；不写时按加密方式取 587、465 或 25",
        en: "Its port: 587, 465 or 25 by the encryption if not given",
    },
    Key {
        name: "mail.security",
        variable: "COUNTERSIGN_MAIL_SECURITY",
        default: "starttls",
        zh: "加密方式：starttls、tls 或 none",
        en: "The encryption: starttls, tls or none",
    },
    Key {
        name: "mail.user",
        variable: "COUNTERSIGN_MAIL_USER",
        default: "",
        zh: "SMTP 用户名",
        en: "The user to log in as",
    },
    Key {
        name: "mail.password_file",
        variable: "COUNTERSIGN_MAIL_PASSWORD_FILE",
        default: "",
        zh: "存放 SMTP 密码的文件；也可以用变量 COUNTERSIGN_MAIL_PASSWORD",
        en: "The file that holds the password; or set COUNTERSIGN_MAIL_PASSWORD",
    },
    Key {
        name: "mail.ca_file",
        variable: "COUNTERSIGN_MAIL_CA_FILE",
        default: "",
        zh: "公司自己的证书机构的证书（PEM）",
        en: "The certificate of a company's own authority (PEM)",
    },
];

/// What holds for this run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The database file.
    pub(crate) database: PathBuf,
    /// The key file.
    pub(crate) keys: PathBuf,
    /// The folder of processes.
    pub(crate) processes: PathBuf,
    /// The folder of mail templates.
    pub(crate) templates: PathBuf,
    /// Where to listen.
    pub(crate) listen: String,
    /// What links begin with; the listening address where `None`.
    pub(crate) url: Option<String>,
    /// How mail goes out.
    pub(crate) mail: Mail,
    /// The arguments that make another run of this program use the same file: `--db demo.db`, or nothing.
    pub(crate) same: String,
}

/// How mail goes out.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// By which way.
    pub(crate) transport: MailWay,
    /// Who it is from.
    pub(crate) from: String,
}

/// The ways that mail can go.
#[derive(Clone, Debug)]
pub(crate) enum MailWay {
    /// To the mailbox page of the server.
    Mailbox,
    /// As files.
    Folder(PathBuf),
    /// To a mail server.
    Smtp(Smtp),
}

/// A mail server.
#[derive(Clone)]
pub(crate) struct Smtp {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) security: Security,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// A password is in no message.
impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).field("user", &self.user).finish_non_exhaustive()
    }
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    StartTls,
    Tls,
    None,
}

/// Where each value comes from.
struct Read {
    /// The folder that paths of the file are relative to.
    base: PathBuf,
    /// The file's name, for messages.
    file: PathBuf,
    table: toml::Table,
}

impl Settings {
    /// What holds, by the options given, the environment and the file.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Settings, Stop> {
        let given =
            matches.get_one::<PathBuf>("config").cloned().or_else(|| variable("COUNTERSIGN_CONFIG").map(Into::into));
        let read = load(given)?;
        let db = matches.get_one::<PathBuf>("db").cloned();
        let own = db.as_ref().map(|db| db.display().to_string());
        let database = match &db {
            Some(db) => db.clone(),
            None => read.path("database")?,
        };
        let keys = match read.text("keys")? {
            Some(_) => read.path("keys")?,
            None => database.with_extension("keys"),
        };
        let same = match own {
            Some(db) if db.contains(' ') => format!(" --db \"{db}\""),
            Some(db) => format!(" --db {db}"),
            None => String::new(),
        };
        Ok(Settings {
            keys,
            processes: read.path("processes")?,
            templates: read.path("templates")?,
            listen: read.text_or_default("server.listen")?,
            url: read.url()?,
            mail: read.mail()?,
            database,
            same,
        })
    }
}

/// The language that the file names, if there is one and it does.
pub(crate) fn language(file: Option<PathBuf>) -> Option<Lang> {
    let read = load(file.or_else(|| variable("COUNTERSIGN_CONFIG").map(Into::into))).ok()?;
    Lang::from_locale(read.table.get("language")?.as_str()?)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn load(given: Option<PathBuf>) -> Result<Read, Stop> {
    let file = given.clone().unwrap_or_else(|| PathBuf::from(FILE));
    let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(file_trouble(&file, &error)),
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or("").matches('\n').count() + 1);
        Stop::input(
            format!("配置文件 {} 第 {line} 行不是正确的 TOML：{}", file.display(), error.message()),
            format!("Line {line} of the configuration {} is not TOML: {}", file.display(), error.message()),
        )
    })?;
    let read = Read { base, file, table };
    read.known(&read.table, "")?;
    Ok(read)
}

impl Read {
    /// Refuses a key that means nothing.
    fn known(&self, table: &toml::Table, prefix: &str) -> Result<(), Stop> {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            let section = KEYS.iter().any(|key| key.name.starts_with(&format!("{path}.")));
            match value {
                toml::Value::Table(inner) if section => self.known(inner, &format!("{path}."))?,
                _ if KEYS.iter().any(|key| key.name == path) => {}
                _ => {
                    let close = suggest::closest(&path, KEYS.iter().map(|key| key.name));
                    let (zh, en) = close.map_or_else(Default::default, |close| {
                        (format!("是不是 `{close}`？"), format!(" Did you mean `{close}`?"))
                    });
                    let all: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
                    return Err(Stop::input(
                        format!(
                            "配置文件 {} 里的 `{path}` 没有意义。{zh}可以写：{}。",
                            self.file.display(),
                            all.join("、")
                        ),
                        format!(
                            "`{path}` in the configuration {} has no meaning.{en} There is: {}.",
                            self.file.display(),
                            all.join(", ")
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// What the environment or the file says of a key.
    fn text(&self, name: &str) -> Result<Option<String>, Stop> {
        let key = KEYS.iter().find(|key| key.name == name);
        if let Some(value) = key.and_then(|key| variable(key.variable)) {
            return Ok(Some(value));
        }
        let value = name.split('.').try_fold(None::<&toml::Value>, |at, part| {
            let table = at.map_or(Some(&self.table), toml::Value::as_table)?;
            table.get(part).map(Some)
        });
        match value.flatten() {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(toml::Value::Integer(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.bad(name, "要写成文字，加引号", "should be a text in quotes")),
        }
    }

    fn text_or_default(&self, name: &str) -> Result<String, Stop> {
        let default = KEYS.iter().find(|key| key.name == name).map_or("", |key| key.default);
        Ok(self.text(name)?.unwrap_or_else(|| default.to_owned()))
    }

    /// A path: relative to the working folder where the environment says it, else to the file.
    fn path(&self, name: &str) -> Result<PathBuf, Stop> {
        let from_environment = KEYS.iter().find(|key| key.name == name).and_then(|key| variable(key.variable));
        let text = self.text_or_default(name)?;
        Ok(if from_environment.is_some() { text.into() } else { self.base.join(text) })
    }

    fn url(&self) -> Result<Option<String>, Stop> {
        let Some(url) = self.text("server.url")? else { return Ok(None) };
        let url = url.trim_end_matches('/').to_owned();
        let good = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).is_some_and(|host| {
            !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || matches!(c, '?' | '#' | '"' | '<' | '>'))
        });
        if !good {
            return Err(self.bad(
                "server.url",
                "要像 https://sign.example.com",
                "should look like https://sign.example.com",
            ));
        }
        let longest = crate::effects::link::LONGEST_URL - crate::effects::link::LENGTH - "/t/".len();
        if url.len() > longest {
            return Err(self.bad(
                "server.url",
                &format!("太长了：最多 {longest} 个字符，否则邮件软件会把链接截断"),
                &format!("is too long: at most {longest} characters, or mail programs break the links"),
            ));
        }
        Ok(Some(url))
    }

    fn mail(&self) -> Result<Mail, Stop> {
        let host = self.text("mail.host")?;
        let transport = match self.text("mail.transport")?.as_deref() {
            None if host.is_some() => self.smtp(host)?,
            None | Some("mailbox") => MailWay::Mailbox,
            Some("folder") => MailWay::Folder(self.path("mail.folder")?),
            Some("smtp") => self.smtp(host)?,
            Some(_) => {
                return Err(self.bad(
                    "mail.transport",
                    "只能是 smtp、folder 或 mailbox",
                    "can be smtp, folder or mailbox",
                ));
            }
        };
        Ok(Mail { transport, from: self.text_or_default("mail.from")? })
    }

    fn smtp(&self, host: Option<String>) -> Result<MailWay, Stop> {
        let Some(host) = host else {
            return Err(self.bad(
                "mail.host",
                "没有写：要用 SMTP 发信，请写上服务器",
                "is missing: name the server to send by",
            ));
        };
        let port =
            match self.text("mail.port")? {
                None => None,
                Some(port) => Some(port.parse().map_err(|_| {
                    self.bad("mail.port", "要是 1 到 65535 的数字", "should be a number from 1 to 65535")
                })?),
            };
        let security = match self.text_or_default("mail.security")?.as_str() {
            "starttls" => Security::StartTls,
            "tls" => Security::Tls,
            "none" => Security::None,
            _ => return Err(self.bad("mail.security", "只能是 starttls、tls 或 none", "can be starttls, tls or none")),
        };
        let password = match variable("COUNTERSIGN_MAIL_PASSWORD") {
            Some(password) => Some(password),
            None if self.text("mail.password_file")?.is_some() => {
                let path = self.path("mail.password_file")?;
                let text = std::fs::read_to_string(&path).map_err(|error| file_trouble(&path, &error))?;
                Some(text.trim_end_matches(['\n', '\r']).to_owned())
            }
            None => None,
        };
        let ca_file = self.text("mail.ca_file")?.is_some().then(|| self.path("mail.ca_file")).transpose()?;
        Ok(MailWay::Smtp(Smtp { host, port, security, user: self.text("mail.user")?, password, ca_file }))
    }

    fn bad(&self, name: &str, zh: &str, en: &str) -> Stop {
        let variable = KEYS.iter().find(|key| key.name == name).map_or("", |key| key.variable);
        let file = self.file.display();
        Stop::input(
            format!("配置 `{name}`（{file} 或环境变量 {variable}）{zh}。"),
            format!("The setting `{name}` ({file}, or the variable {variable}) {en}."),
        )
    }
}

/// The settings as a part of the manual.
pub(crate) fn manual(lang: Lang) -> String {
    let intro = Wording::new(
        "## 配置\n\n什么都不配置也能用。先看命令行选项，再看环境变量，再看当前文件夹的 `countersign.toml`\
         （或 `--config` 所指的文件；里面的路径相对于这个文件）。\n\n| 配置 | 环境变量 | 默认 | 意思 |\n|--|--|--|--|\n",
        "## Settings\n\nNothing has to be configured. An option counts before a variable of the environment, and that \
         before `countersign.toml` in the working folder (or the file of `--config`; paths in it are relative to it).\
         \n\n| setting | variable | default | meaning |\n|--|--|--|--|\n",
    );
    let mut text = intro.get(lang).to_owned();
    for key in KEYS {
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let words = match lang {
            Lang::Zh => key.zh,
            Lang::En => key.en,
        };
        let _ = writeln!(text, "| `{}` | `{}` | {default} | {words} |", key.name, key.variable);
    }
    text
}
