//! What is configured, and by whom: an option of the command line, else a variable of the environment, else
//! `countersign.toml`, else a default that works. Nothing has to be configured.
//!
//! Paths in the file are relative to the file. The password of a mail server is never in the file: it is a
//! variable of the environment, or a file of its own.

use super::exit::{Stop, file_trouble};
use crate::diagnostics::suggest;
use crate::effects::http::{Allowed, Policy};
use crate::effects::transport::{MailConfig, Security, SmtpConfig};
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
        name: "mail.from",
        variable: "COUNTERSIGN_MAIL_FROM",
        default: "Countersign 会签 <countersign@localhost>",
        zh: "发件人",
        en: "Who mail is from",
    },
    Key {
        name: "mail.bounces",
        variable: "COUNTERSIGN_MAIL_BOUNCES",
        default: "",
        zh: "退信发到哪里；不写就是发件人",
        en: "Where failures go; to the sender if not given",
    },
    Key {
        name: "mail.folder",
        variable: "COUNTERSIGN_MAIL_FOLDER",
        default: "",
        zh: "把邮件写成 .eml 文件的文件夹，不经过服务器",
        en: "A folder that mail is written to as .eml files, instead of a server",
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
        name: "mail.trust",
        variable: "COUNTERSIGN_MAIL_TRUST",
        default: "",
        zh: "除公共证书外还信任的证书（PEM），例如公司自己的证书机构",
        en: "Certificates (PEM) that are trusted beside the public ones, such as a company's own",
    },
    Key {
        name: "mail.per_minute",
        variable: "COUNTERSIGN_MAIL_PER_MINUTE",
        default: "60",
        zh: "每分钟最多发多少封；0 不限",
        en: "The most mails a minute; 0 for no limit",
    },
    Key {
        name: "http.allow",
        variable: "COUNTERSIGN_HTTP_ALLOW",
        default: "",
        zh: "流程可以调用的主机，逗号分隔，例如 erp.example.com, *.partner.example；不写就都不能调用",
        en: "The hosts that processes may call, with commas, such as erp.example.com, *.partner.example; none if not given",
    },
    Key {
        name: "http.inside",
        variable: "COUNTERSIGN_HTTP_INSIDE",
        default: "",
        zh: "可以在内网地址上、不加密调用的主机，例如 erp.intra:8080",
        en: "Hosts that may be called at private addresses and without encryption, such as erp.intra:8080",
    },
    Key {
        name: "http.secrets",
        variable: "COUNTERSIGN_HTTP_SECRETS",
        default: "",
        zh: "存放 `secret(…)` 的 TOML 文件，每行 名称 = \"值\"，只有自己能读；也可以用变量 COUNTERSIGN_SECRET_名称",
        en: "A TOML file of what `secret(…)` names, a line name = \"value\", that only you can read; or set COUNTERSIGN_SECRET_NAME",
    },
    Key {
        name: "log.level",
        variable: "COUNTERSIGN_LOG",
        default: "info",
        zh: "服务日志的详细程度：error、warn、info、debug",
        en: "How much a server logs: error, warn, info, debug",
    },
    Key {
        name: "log.format",
        variable: "COUNTERSIGN_LOG_FORMAT",
        default: "text",
        zh: "日志的格式：text 或 json",
        en: "The form of the log: text or json",
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
    /// What processes may call.
    pub(crate) http: Http,
    /// How much a server logs.
    pub(crate) log_level: String,
    /// Whether it logs JSON.
    pub(crate) log_json: bool,
    /// The arguments that make another run of this program use the same file: `--db demo.db`, or nothing.
    pub(crate) same: String,
}

/// What processes may call.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    /// The hosts.
    pub(crate) policy: Policy,
    /// The file of secrets.
    pub(crate) secrets: Option<PathBuf>,
}

/// How mail goes out.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// Who it is from: `Countersign <flow@example.com>`.
    pub(crate) from: String,
    /// Where failures go.
    pub(crate) bounces: Option<String>,
    /// By which way; `None` where nothing is configured.
    pub(crate) way: Option<MailConfig>,
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
            http: read.http()?,
            log_level: read.one_of("log.level", &["error", "warn", "info", "debug"])?,
            log_json: read.one_of("log.format", &["text", "json"])? == "json",
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
        let (host, folder) = (self.text("mail.host")?, self.text("mail.folder")?);
        let way = match (host, folder) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(self.bad(
                    "mail.folder",
                    "不能和 `mail.host` 一起写：邮件要么发给服务器，要么写成文件",
                    "cannot stand beside `mail.host`: mail goes to a server or into files",
                ));
            }
            (None, Some(_)) => Some(MailConfig { folder: Some(self.path("mail.folder")?), smtp: None }),
            (Some(host), None) => Some(MailConfig { smtp: Some(self.smtp(host)?), folder: None }),
        };
        Ok(Mail { from: self.text_or_default("mail.from")?, bounces: self.text("mail.bounces")?, way })
    }

    fn http(&self) -> Result<Http, Stop> {
        let mut policy = Policy::default();
        for (name, inside) in [("http.allow", false), ("http.inside", true)] {
            let hosts = self.text(name)?.unwrap_or_default();
            for host in hosts.split([',', ' ']).filter(|host| !host.is_empty()) {
                let allowed = Allowed::parse(host, inside).ok_or_else(|| {
                    self.bad(name, "要写主机名，像 erp.example.com", "should name hosts, such as erp.example.com")
                })?;
                policy.allow.push(allowed);
            }
        }
        let secrets = self.text("http.secrets")?.is_some().then(|| self.path("http.secrets")).transpose()?;
        Ok(Http { policy, secrets })
    }

    fn smtp(&self, host: String) -> Result<SmtpConfig, Stop> {
        let security = match self.one_of("mail.security", &["starttls", "tls", "none"])?.as_str() {
            "tls" => Security::Tls,
            "none" => Security::None,
            _ => Security::Starttls,
        };
        let password = if variable("COUNTERSIGN_MAIL_PASSWORD").is_some() {
            Some("env:COUNTERSIGN_MAIL_PASSWORD".to_owned())
        } else if self.text("mail.password_file")?.is_some() {
            Some(format!("file:{}", self.path("mail.password_file")?.display()))
        } else {
            None
        };
        let trust = self.text("mail.trust")?.is_some().then(|| self.path("mail.trust")).transpose()?;
        let config = serde_json::json!({
            "host": host,
            "port": self.number("mail.port")?,
            "user": self.text("mail.user")?,
            "password": password,
            "per_minute": self.number("mail.per_minute")?.unwrap_or(60),
        });
        // Read as a document, so that what is not configured has the transport's own defaults.
        let config: SmtpConfig = serde_json::from_value(config)
            .map_err(|_| self.bad("mail.port", "要是 1 到 65535 的数字", "should be a number from 1 to 65535"))?;
        Ok(SmtpConfig { security, trust, ..config })
    }

    fn one_of(&self, name: &str, known: &[&str]) -> Result<String, Stop> {
        let text = self.text_or_default(name)?;
        if known.contains(&text.as_str()) {
            return Ok(text);
        }
        let (zh, en) = (format!("只能是 {}", known.join("、")), format!("can be {}", known.join(", ")));
        Err(self.bad(name, &zh, &en))
    }

    fn number(&self, name: &str) -> Result<Option<u32>, Stop> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.bad(name, "要是一个整数", "should be a whole number"))
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
