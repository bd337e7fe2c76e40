//! Connections: so many from one network at once, and none that says nothing.
//!
//! A connection that neither reads nor writes a byte for three quarters of a minute is closed, whatever it has said before, so
//! that slow ones cannot pile up and a server can be told to stop.

use super::limit;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};

/// How long a connection may be silent.
const SILENCE: Duration = Duration::from_secs(45);
/// The most connections at once from one network.
const NETWORK: usize = 256;
/// The most connections at once.
const ALL: usize = 4_096;

type Open = Arc<Mutex<BTreeMap<[u8; 8], usize>>>;

/// A listener that counts.
pub(super) struct Counted {
    listener: TcpListener,
    open: Open,
}

impl Counted {
    pub(super) fn new(listener: TcpListener) -> Counted {
        Counted { listener, open: Open::default() }
    }

    /// A place for one more connection, if there is one.
    fn place(&self, address: SocketAddr) -> Option<Place> {
        let network = limit::network(address.ip());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (open.values().sum::<usize>(), open.get(&network).copied().unwrap_or(0));
        if all >= ALL || own >= NETWORK {
            return None;
        }
        open.insert(network, own + 1);
        Some(Place { open: self.open.clone(), network })
    }
}

impl Listener for Counted {
    type Io = Watched;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Watched, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            // One too many is closed as it comes.
            let Some(place) = self.place(address) else { continue };
            return (Watched { stream, silence: Box::pin(sleep(SILENCE)), _place: place }, address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Counted>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Counted>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

struct Place {
    open: Open,
    network: [u8; 8],
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

/// A connection that ends when it is silent for too long.
pub(super) struct Watched {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    _place: Place,
}

impl Watched {
    /// Passes a result on; one that is still pending ends with the silence.
    fn watch<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.silence.as_mut().reset(Instant::now() + SILENCE);
            return result;
        }
        match self.silence.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watch(context, result)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
