//! A mail server that does what a script says: it refuses, hangs, drops and greylists like the bad days of real ones,
//! and remembers every mail that it took.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One bad deed, done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Says nothing at all.
    HangGreeting,
    /// Greets and then says nothing.
    HangEhlo,
    /// Greets with this.
    Greet(&'static str),
    /// Says nothing to `MAIL`.
    HangMail,
    /// Says nothing to `RCPT`.
    HangRcpt,
    /// Says nothing to `DATA`.
    HangData,
    /// Takes the mail and never says so.
    HangDot,
    /// Answers `MAIL` with this.
    Mail(&'static str),
    /// Answers `RCPT` with this.
    Rcpt(&'static str),
    /// Answers `DATA` with this.
    Data(&'static str),
    /// Answers the end of the mail with this, and does not take it.
    Dot(&'static str),
    /// Ends the connection at `RCPT`.
    DropRcpt,
    /// Ends the connection in the middle of the mail.
    DropInData,
    /// Takes the mail and ends the connection without a word.
    DropAfterDot,
    /// Says everything a byte at a time.
    Slow,
}

impl Deed {
    fn of_a_connection(self) -> bool {
        matches!(self, Deed::HangGreeting | Deed::HangEhlo | Deed::Greet(_))
    }
}

#[derive(Default)]
struct Inside {
    script: VecDeque<Deed>,
    taken: Vec<Vec<u8>>,
    connections: usize,
    always: Option<Deed>,
}

/// The server; it ends with the value.
pub(crate) struct Sink {
    pub(crate) port: u16,
    inside: Arc<Mutex<Inside>>,
    task: JoinHandle<()>,
}

impl Sink {
    pub(crate) async fn start(script: &[Deed]) -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inside = Arc::new(Mutex::new(Inside { script: script.iter().copied().collect(), ..Inside::default() }));
        let shared = inside.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Sink { port, inside, task }
    }

    /// Every mail that was taken, in order, copies and all.
    pub(crate) fn taken(&self) -> Vec<Vec<u8>> {
        self.inside.lock().unwrap().taken.clone()
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.inside.lock().unwrap().connections
    }

    /// A deed that is done to everybody until it is taken back.
    pub(crate) fn always(&self, deed: Option<Deed>) {
        self.inside.lock().unwrap().always = deed;
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn next(inside: &Mutex<Inside>, of_a_connection: bool) -> Option<Deed> {
    let mut inside = inside.lock().unwrap();
    if let Some(deed) = inside.always {
        return Some(deed).filter(|deed| deed.of_a_connection() == of_a_connection);
    }
    let fits = inside.script.front().is_some_and(|deed| deed.of_a_connection() == of_a_connection);
    if fits { inside.script.pop_front() } else { None }
}

async fn hang() {
    tokio::time::sleep(Duration::from_secs(3_600)).await;
}

/// Serves one connection; an error is a client that went away.
async fn serve(stream: TcpStream, inside: Arc<Mutex<Inside>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let deed = next(&inside, true);
    match deed {
        Some(Deed::HangGreeting) => hang().await,
        Some(Deed::Greet(text)) => return write.write_all(format!("{text}\r\n").as_bytes()).await,
        _ => write.write_all(b"220 sink ESMTP\r\n").await?,
    }
    let mut bad = None;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" if deed == Some(Deed::HangEhlo) => {
                hang().await;
                ""
            }
            "EHLO" | "HELO" => "250-sink\r\n250 8BITMIME",
            "MAIL" => {
                bad = next(&inside, false);
                match bad {
                    Some(Deed::HangMail) => {
                        hang().await;
                        ""
                    }
                    Some(Deed::Mail(text)) => text,
                    _ => "250 2.1.0 ok",
                }
            }
            "RCPT" => match bad {
                Some(Deed::HangRcpt) => {
                    hang().await;
                    ""
                }
                Some(Deed::DropRcpt) => return Ok(()),
                Some(Deed::Rcpt(text)) => text,
                _ => "250 2.1.5 ok",
            },
            "DATA" => match bad {
                Some(Deed::HangData) => {
                    hang().await;
                    ""
                }
                Some(Deed::Data(text)) => text,
                _ => {
                    write.write_all(b"354 go on\r\n").await?;
                    let mut mail = Vec::new();
                    loop {
                        // A mail without its end was never handed over.
                        let Some(line) = lines.next_line().await? else { return Ok(()) };
                        if line == "." {
                            break;
                        }
                        if bad == Some(Deed::DropInData) {
                            return Ok(());
                        }
                        mail.extend_from_slice(line.strip_prefix('.').unwrap_or(&line).as_bytes());
                        mail.extend_from_slice(b"\r\n");
                    }
                    match bad {
                        Some(Deed::Dot(text)) => text,
                        _ => {
                            inside.lock().unwrap().taken.push(mail);
                            match bad {
                                Some(Deed::HangDot) => hang().await,
                                Some(Deed::DropAfterDot) => return Ok(()),
                                _ => {}
                            }
                            "250 2.0.0 taken"
                        }
                    }
                }
            },
            "QUIT" => return write.write_all(b"221 bye\r\n").await,
            _ => "250 ok",
        };
        for byte in format!("{answer}\r\n").as_bytes() {
            write.write_all(&[*byte]).await?;
            if bad == Some(Deed::Slow) {
                write.flush().await?;
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
        }
    }
    Ok(())
}
