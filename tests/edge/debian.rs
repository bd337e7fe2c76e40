//! A real mail server of Debian's (exim) takes our mail over STARTTLS with a password, and delivers it on.
//!
//! It hands what it takes to a [`Sink`], so that the test reads what a recipient's server would get. Needs the
//! packages `exim4-daemon-light` and `openssl`, which `scripts/test` installs, and root, which exim starts as. (The
//! opensmtpd of Debian 12 cannot sign with OpenSSL 3, so it offers no STARTTLS that works.)

use crate::outbox::World;
use crate::sink::Sink;
use chrono::TimeDelta;
use countersign::effects::transport::{MailConfig, Security, SmtpConfig, Transport};
use countersign::runtime::channel::Channel;
use mail_parser::MessageParser;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "a long passphrase for one test";

/// A running exim; it ends with the value.
struct Server {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    /// Everything that it has to say for itself.
    fn log(&self) -> String {
        let names = ["stderr", "mainlog", "paniclog", "rejectlog"];
        names.map(|name| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()).concat()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let done = done.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// The server's program. A machine that checks changes must have it; another may go without.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join("exim4")).find(|program| program.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "exim is not installed: run scripts/test");
        eprintln!("\n*** NOT TESTED: exim is not installed (apt-get install exim4-daemon-light) ***\n");
    }
    found
}

fn start(program: &Path, onward: u16) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    );
    std::fs::create_dir(path("spool")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "primary_hostname = localhost\nexim_path = {program}\nspool_directory = {spool}\nlog_file_path = {log}\npid_file_path = {pid}\n\
         local_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port}\n\
         tls_advertise_hosts = *\ntls_certificate = {certificate}\ntls_privatekey = {key}\n\
         host_lookup =\nrfc1413_hosts =\nacl_smtp_mail = mail\nacl_smtp_rcpt = rcpt\n\
         begin acl\n\
         mail:\n  deny !encrypted = *\n    message = TLS first\n  accept\n\
         rcpt:\n  accept authenticated = *\n  deny message = authenticate first\n\
         begin routers\nonward:\n  driver = manualroute\n  transport = sink\n  route_list = * 127.0.0.1\n  self = send\n\
         begin transports\nsink:\n  driver = smtp\n  port = {onward}\n  allow_localhost = true\n\
         begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  \
         server_condition = ${{if and{{{{eq{{$auth2}}{{flow}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}\n  \
         server_set_id = $auth2\n  server_advertise_condition = ${{if def:tls_in_cipher}}\n",
        program = program.display(),
        spool = path("spool"),
        log = path("%slog"),
        pid = path("pid"),
    );
    std::fs::write(path("exim.conf"), config).unwrap();
    // It gives up its rights after it has bound its port.
    run("chown", &["-R", "Debian-exim:Debian-exim", &folder.path().display().to_string()]);
    run("chown", &["root:root", &path("exim.conf")]);
    let child = Command::new(program)
        .args(["-bdf", "-q1m", "-C", &path("exim.conf")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(path("stderr")).unwrap())
        .spawn()
        .unwrap();
    let server = Server { child, port, folder };
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "exim does not start: {}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

fn transport(server: &Server, security: Security, password: &str, trusted: bool) -> Transport {
    let file = server.folder.path().join("password");
    std::fs::write(&file, password).unwrap();
    let smtp = SmtpConfig {
        host: "localhost".into(),
        port: Some(server.port),
        security,
        user: Some("flow".into()),
        password: Some(format!("file:{}", file.display())),
        trust: trusted.then(|| server.folder.path().join("certificate.pem")),
        hello: Some("countersign.test".into()),
        per_minute: 0,
        connect_seconds: 20.0,
        command_seconds: 20.0,
        data_seconds: 20.0,
    };
    Transport::open(&MailConfig { smtp: Some(smtp), folder: None }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_takes_our_mail_over_starttls_with_a_password() {
    let Some(program) = program() else { return };
    let sink = Sink::start(&[]).await;
    let onward = sink.port;
    let server = tokio::task::spawn_blocking(move || start(&program, onward)).await.unwrap();
    let world = World::new(5).await;

    // A certificate of nobody's is not taken, and neither is a wrong password; no mail is harmed.
    let mut stranger = world.outbox(transport(&server, Security::Starttls, PASSWORD, false));
    stranger.drain().await.unwrap();
    assert!(matches!(stranger.channel(), Channel::Down { .. }), "{:?}", stranger.channel());
    world.pass(TimeDelta::minutes(2));
    let mut wrong = world.outbox(transport(&server, Security::Starttls, "wrong", true));
    wrong.drain().await.unwrap();
    assert!(matches!(wrong.channel(), Channel::Refused { .. }), "{:?}", wrong.channel());
    world.pass(TimeDelta::minutes(2));
    let mut plain = world.outbox(transport(&server, Security::None, PASSWORD, true));
    plain.drain().await.unwrap();
    assert_ne!(*plain.channel(), Channel::Up, "a server that asks for TLS is not talked to without");

    let mut outbox = world.outbox(transport(&server, Security::Starttls, PASSWORD, true));
    world.settle(&mut outbox, 300).await;
    assert_eq!(world.states().await, BTreeMap::from([("accepted", 5)]), "{:?}", outbox.channel());

    let started = Instant::now();
    while sink.taken().len() < 5 {
        let found = sink.taken().len();
        assert!(started.elapsed() < Duration::from_secs(60), "{found} of 5 were delivered: {}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let rows = world.rows().await;
    for mail in sink.taken() {
        let mail = MessageParser::default().parse(&mail).unwrap();
        let id = format!("<{}>", mail.message_id().unwrap());
        assert!(rows.iter().any(|row| row.message_id.as_deref() == Some(&id)), "{id}");
        assert!(mail.body_text(0).unwrap().contains("https://flow.example.com/t/"));
        assert!(mail.header_raw("Received").unwrap_or_default().contains("esmtpsa"), "over TLS, with a password");
    }
}
