//! `serve`: the one server of a database. It sends mail, fires timers and shows pages until it is told to stop.

use super::check::templates;
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::Ink;
use crate::cli::settings::{Http, Mail};
use crate::cli::shell::{Shell, no_threads};
use crate::effects::http::{Client, Secrets};
use crate::effects::link::{Keys, private_file};
use crate::effects::mail::Sender;
use crate::effects::mailbox::Mailbox;
use crate::effects::template::Templates;
use crate::effects::transport::Transport;
use crate::model::text::Wording;
use crate::runtime::access::{Access, LINK_DAYS, follow, keyring};
use crate::runtime::http::Calls;
use crate::runtime::outbox::{Outbox, Running};
use crate::runtime::{Clock, Database, Options, Role, Runtime};
use crate::web::{self, Limits, WebState};
use chrono::TimeDelta;
use clap::{ArgMatches, Command};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long open pages may take to finish once the server stops.
const FAREWELL: Duration = Duration::from_secs(10);

pub(super) fn tree(words: Words) -> Command {
    Command::new("serve")
        .about(words.pick("启动服务：发邮件、到点提醒、显示审批页面", "Run the server: mail, reminders and pages"))
        .long_about(words.pick(
            "启动服务：发邮件、到点提醒、显示邮件链接打开的页面，直到 Ctrl-C。一个数据库只能有一个服务在运行；\
             命令行可以同时使用。--dev 不真正发信，邮件都在网页信箱里，谁都能看，只用于试用。",
            "Run the server: it sends mail, reminds, and shows the pages that links in mail lead to, until Ctrl-C. A \
             database has one server at a time; the shell works beside it. With --dev nothing is sent: all mail is on a \
             page that anybody can read, for trying things out.",
        ))
        .arg(words.switch("dev", "不真正发信，邮件在网页信箱里看", "Send nothing; mail is on a page"))
        .arg(words.option("listen", ("地址", "ADDRESS"), "监听地址，例如 0.0.0.0:8080", "Where to listen, such as 0.0.0.0:8080"))
        .arg(words.option("url", ("网址", "URL"), "邮件链接的开头，例如 https://sign.example.com", "What links begin with, such as https://sign.example.com"))
        .arg(words.switch("behind-proxy", "前面有自己的反向代理（相信 X-Forwarded-For）", "A proxy of ours stands in front (believe X-Forwarded-For)"))
        .after_help("countersign serve --dev\ncountersign serve --listen 127.0.0.1:8080 --url https://sign.example.com")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let dev = matches.get_flag("dev");
    if !dev && shell.settings.mail.way.is_none() {
        return Err(Stop::input(
            "还没有配置怎么发邮件。请配置 `mail.host`（邮件服务器）或 `mail.folder`（写成文件），见 docs/cli.zh.md；\
             只是试用，请运行 `countersign serve --dev`。",
            "It is not said how mail goes out. Set `mail.host` (a mail server) or `mail.folder` (files), see docs/cli.md; \
             just to try it, run `countersign serve --dev`.",
        ));
    }
    let listen = matches.get_one::<String>("listen").cloned().unwrap_or_else(|| shell.settings.listen.clone());
    let url = matches.get_one::<String>("url").cloned().or_else(|| shell.settings.url.clone());
    log(shell, &shell.settings.log_level);
    let today = Clock::System.now().date_naive().to_string();
    let keys = Keys::open(&shell.settings.keys, &today).map_err(|what| Stop::Because(Exit::Input, what))?;
    let how = How {
        database: Database::File(shell.settings.database.clone()),
        keys,
        key_file: shell.settings.keys.clone(),
        listen,
        url: url.map(|url| url.trim_end_matches('/').to_owned()),
        mail: shell.settings.mail.clone(),
        mailbox: dev,
        templates: Arc::new(templates(shell)?),
        limits: Limits::default(),
        behind_proxy: matches.get_flag("behind-proxy"),
        calls: calls(&shell.settings.http)?,
    };
    threads()?.block_on(async {
        let stopped = stop_signal()?;
        let server = Server::start(how).await?;
        greet(shell, &server)?;
        let ended = server.until(stopped).await;
        shell.output.note("已停止。", "Stopped.");
        ended
    })
}

fn greet(shell: &Shell, server: &Server) -> Result<(), Stop> {
    let (output, base) = (&shell.output, &server.base);
    let database = shell.settings.database.display();
    let (zh, en) = (format!("会签正在运行：{base}（{database}）"), format!("Countersign runs at {base} ({database})"));
    let mut text = format!("{}\n", output.ink(Ink::Bold, output.pick(&zh, &en)));
    if server.mailbox.is_some() {
        let (zh, en) = (
            format!("邮件不会真正发出，都在 {base}/mailbox\n"),
            format!("Nothing is sent; all mail is at {base}/mailbox\n"),
        );
        text += output.pick(&zh, &en);
    }
    if server.runtime.definitions().is_empty() {
        let same = &shell.settings.same;
        let (zh, en) = (
            format!("还没有部署任何流程：运行 `countersign deploy{same}`。\n"),
            format!("Nothing is deployed yet: run `countersign deploy{same}`.\n"),
        );
        text += &output.ink(Ink::Amber, output.pick(&zh, &en));
    }
    text += &output.ink(Ink::Dim, output.pick("按 Ctrl-C 停止。", "Ctrl-C stops it."));
    output.print(&text)
}

/// What a server is made of.
pub(super) struct How {
    pub(super) database: Database,
    pub(super) keys: Keys,
    /// The file that they are in, to notice when a shell changes it.
    pub(super) key_file: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub(super) listen: String,
    /// What links begin with; the listening address where `None`.
    pub(super) url: Option<String>,
    pub(super) mail: Mail,
    /// Whether mail goes to a page instead.
    pub(super) mailbox: bool,
    pub(super) templates: Arc<Templates>,
    pub(super) limits: Limits,
    pub(super) behind_proxy: bool,
    /// What calls other systems.
    pub(super) calls: Client,
}

/// Removes files of forms that were never handed in.
async fn sweep(runtime: Runtime) {
    match runtime.sweep_files().await {
        Ok(swept) => tracing::debug!(files = swept.files, bytes = swept.bytes, kept = swept.kept, "swept files"),
        Err(error) => tracing::warn!(detail = %error.detail, "files could not be swept"),
    }
}

/// A server that runs.
pub(super) struct Server {
    pub(super) runtime: Runtime,
    /// What links begin with.
    pub(super) base: String,
    pub(super) mailbox: Option<Mailbox>,
    outbox: Running,
    calls: Calls,
    web: JoinHandle<std::io::Result<()>>,
    stop: watch::Sender<bool>,
    /// Follows the key file.
    following: JoinHandle<()>,
}

impl Server {
    /// Opens the database, listens, and begins to send.
    pub(super) async fn start(how: How) -> Result<Server, Stop> {
        let listener = listen(&how.listen).await?;
        let address = listener.local_addr().map_err(|error| cannot_listen(&how.listen, &error))?;
        let base = match how.url {
            Some(url) => url,
            None if address.ip().is_unspecified() => {
                return Err(Stop::input(
                    format!("监听在 {address} 时，要用 --url 或配置 `server.url` 写明邮件链接用什么网址。"),
                    format!(
                        "When listening on {address}, say with --url or `server.url` what links in mail begin with."
                    ),
                ));
            }
            None => format!("http://{address}"),
        };
        let input = |what: Wording| Stop::Because(Exit::Input, what);
        let sender = Sender::new(&how.mail.from, how.mail.bounces.as_deref(), &base).map_err(input)?;
        let mailbox = how.mailbox.then(Mailbox::new);
        let transport = match (&mailbox, &how.mail.way) {
            (Some(mailbox), _) => Transport::Mailbox(mailbox.clone()),
            (None, Some(way)) => Transport::open(way).map_err(input)?,
            (None, None) => {
                return Err(input(Wording::new("没有配置怎么发邮件。", "It is not said how mail goes out.")));
            }
        };
        let options = Options { database: how.database, clock: Clock::System, role: Role::Server };
        let runtime = Runtime::open(options).await?;
        let keys = keyring(how.keys);
        let outbox = Outbox::new(runtime.clone(), how.templates.clone(), keys.clone(), transport, sender);
        if mailbox.is_some() {
            outbox.refill(1_000).await?;
        }
        let api_keys = api_key_file(&how.key_file);
        let following = tokio::spawn(follow(keys.clone(), how.key_file));
        tokio::spawn(sweep(runtime.clone()));
        let access = Access::new(runtime.clone(), keys, TimeDelta::days(LINK_DAYS));
        let options = web::Options {
            limits: how.limits,
            behind_proxy: how.behind_proxy,
            api_keys: Some(api_keys),
            mailbox: mailbox.clone(),
            ..web::Options::default()
        };
        let (stop, mut stopped) = watch::channel(false);
        let until = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let web = tokio::spawn(web::serve(WebState::new(access, how.templates, options), listener, until));
        let calls = Calls::start(runtime.clone(), how.calls);
        Ok(Server { runtime, base, mailbox, outbox: outbox.start(), calls, web, stop, following })
    }

    /// Runs until `until` is ready or the disk fails, then ends in order.
    pub(super) async fn until(self, until: impl Future<Output = ()>) -> Result<(), Stop> {
        let failed = tokio::select! {
            () = until => None,
            error = self.runtime.failed() => Some(error),
        };
        self.shutdown().await;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Answers what is under way, ends after the mail that is being sent, and closes the database.
    pub(super) async fn shutdown(self) {
        self.stop.send_replace(true);
        self.following.abort();
        // Whoever still holds a page open after that has had their time.
        let _ = tokio::time::timeout(FAREWELL, self.web).await;
        self.outbox.stop().await;
        self.calls.stop().await;
        self.runtime.shutdown().await;
    }
}

/// The file of the keys of programs, beside that of the keys of links.
pub(super) fn api_key_file(keys: &Path) -> PathBuf {
    keys.with_extension("api.keys")
}

/// What calls other systems, with the secrets that it may use.
pub(super) fn calls(http: &Http) -> Result<Client, Stop> {
    Ok(Client::new(http.policy.clone(), secrets(http)?))
}

/// The secrets that calls may use.
pub(super) fn secrets(http: &Http) -> Result<Secrets, Stop> {
    const VARIABLE: &str = "COUNTERSIGN_SECRET_";
    let input = |what: Wording| Stop::Because(Exit::Input, what);
    let mut secrets = Secrets::default();
    if let Some(path) = &http.secrets {
        let text = private_file(path).map_err(input)?.ok_or_else(|| {
            Stop::input(
                format!("没有密钥文件 {}（配置 `http.secrets`）。", path.display()),
                format!("There is no file of secrets {} (setting `http.secrets`).", path.display()),
            )
        })?;
        // What is wrong with it is not told in its own words: they would hold a secret.
        secrets.0 = toml::from_str(&text).map_err(|_| {
            Stop::input(
                format!("{} 的每一行要像 erp = \"…\"。", path.display()),
                format!("Every line of {} should look like erp = \"…\".", path.display()),
            )
        })?;
    }
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str().and_then(|name| name.strip_prefix(VARIABLE)), value.to_str())
        {
            secrets.0.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    Ok(secrets)
}

async fn listen(address: &str) -> Result<TcpListener, Stop> {
    TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))
}

fn cannot_listen(address: &str, error: &std::io::Error) -> Stop {
    let (zh, en) = match error.kind() {
        std::io::ErrorKind::AddrInUse => (
            format!("{address} 已被别的程序占用。用 --listen 换一个，例如 --listen 127.0.0.1:8081。"),
            format!("{address} is taken by another program. Choose another with --listen, such as 127.0.0.1:8081."),
        ),
        std::io::ErrorKind::PermissionDenied => (
            format!("没有权限监听 {address}。1024 以下的端口需要管理员权限，请换一个。"),
            format!("No permission to listen on {address}. Ports below 1024 need one; choose another."),
        ),
        std::io::ErrorKind::AddrNotAvailable => (
            format!("这台机器没有地址 {address}。用 --listen 换一个。"),
            format!("This machine has no address {address}. Choose another with --listen."),
        ),
        std::io::ErrorKind::InvalidInput => (
            format!("“{address}”不是监听地址。要像 127.0.0.1:8080。"),
            format!("“{address}” is no address to listen on. One looks like 127.0.0.1:8080."),
        ),
        _ => (
            format!("无法监听 {address}：{error}。地址要像 127.0.0.1:8080。"),
            format!("Cannot listen on {address}: {error}. An address looks like 127.0.0.1:8080."),
        ),
    };
    Stop::Because(Exit::World, Wording::new(zh, en))
}

/// Ready when the process is told to stop: Ctrl-C, or SIGTERM from a service manager.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send, Stop> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| no_threads(&error))?;
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| no_threads(&error))?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// What a server runs on.
pub(super) fn threads() -> Result<tokio::runtime::Runtime, Stop> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| no_threads(&error))
}

/// Sends the log to standard error, down to a level of our own lines and warnings of others.
pub(super) fn log(shell: &Shell, level: &str) {
    let others = if level == "error" { "error" } else { "warn" };
    let log = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(format!("{others},countersign={level}")))
        .with_writer(std::io::stderr)
        .with_ansi(shell.output.paints());
    // A second log in one process is none.
    let _ = if shell.settings.log_json { log.json().try_init() } else { log.try_init() };
}
