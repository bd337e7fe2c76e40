//! The call itself.

use super::guard::public;
use super::{Answer, Client};
use crate::engine::state::{Part, Request};
use crate::model::json::Exact;
use crate::model::text::Wording;
use crate::model::value::{Value, from_plain};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto, pki_types::ServerName};

/// The longest that a call may take, from the name to the last byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of an answer.
const MOST: usize = 1024 * 1024;

/// The longest that the other side can ask us to wait.
const LONGEST_WAIT: u64 = 7 * 86_400;

/// What the connection, not the author, says.
const OURS: [HeaderName; 6] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::EXPECT,
];

/// How encrypted connections are made.
#[derive(Clone)]
pub(super) struct Tls(Option<Arc<ClientConfig>>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    pub(super) fn new() -> Tls {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().ok();
        Tls(builder.map(|builder| Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// Where a call goes, checked.
struct Target {
    host: String,
    port: u16,
    secure: bool,
    /// It may be of our own network.
    inside: bool,
    /// As the header `Host` says it.
    authority: String,
    /// The path and query.
    path: String,
}

impl Client {
    /// Makes the call once. `key` is the same for every attempt, so that the other side can tell a repetition.
    pub async fn call(&self, request: &Request, key: &str) -> Answer {
        let target = match self.target(request) {
            Ok(target) => target,
            Err(answer) => return answer,
        };
        match tokio::time::timeout(PATIENCE, self.try_call(&target, request, key)).await {
            Ok(Ok(answer) | Err(answer)) => answer,
            Err(_) => Answer::later(
                format!("{} 在 {} 秒内没有答复。", target.host, PATIENCE.as_secs()),
                format!("{} did not answer within {} seconds.", target.host, PATIENCE.as_secs()),
            ),
        }
    }

    fn put_together(&self, parts: &[Part]) -> Result<String, Answer> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(own) => text.push_str(own),
                Part::Secret(name) => match self.secrets.0.get(&**name) {
                    Some(secret) => text.push_str(secret),
                    None => return Err(Answer::refused(no_secret(name))),
                },
            }
        }
        Ok(text)
    }

    fn target(&self, request: &Request) -> Result<Target, Answer> {
        let text = self.put_together(&request.url)?;
        let bad = || {
            Answer::never(
                "网址不对：要像 https://erp.example.com/api/orders，不带用户名。端口写在网址里，不能在填入的值里。",
                "The address is not right: one looks like https://erp.example.com/api/orders, without a user name. A port \
                 stands in the address itself, not in a value that is filled in.",
            )
        };
        let address: Uri = text.parse().map_err(|_| bad())?;
        let secure = match address.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad()),
        };
        let authority = address.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(bad)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let host = host.to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let Some(inside) = self.policy.allows(&host, port).filter(|_| !host.is_empty()) else {
            return Err(Answer::refused(may_not(&host, authority.port_u16(), secure)));
        };
        if !secure && !inside {
            return Err(Answer::refused(not_secure(&host)));
        }
        let path = address.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Target { host, port, secure, inside, authority: authority.as_str().to_owned(), path })
    }

    async fn try_call(&self, target: &Target, request: &Request, key: &str) -> Result<Answer, Answer> {
        let message = self.message(target, request, key)?;
        let stream = connect(target).await?;
        if !target.secure {
            return exchange(target, stream, message).await;
        }
        let (Some(config), Ok(name)) = (self.tls.0.clone(), ServerName::try_from(target.host.clone())) else {
            return Err(Answer::never("无法建立加密连接。", "An encrypted connection cannot be made."));
        };
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            let host = &target.host;
            // A certificate that is wrong is wrong the next time as well, but it may be mended meanwhile.
            Answer::later(
                format!("与 {host} 的加密连接没有建立：{error}。"),
                format!("The encrypted connection to {host} failed: {error}."),
            )
        })?;
        exchange(target, stream, message).await
    }

    fn message(&self, target: &Target, request: &Request, key: &str) -> Result<hyper::Request<Full<Bytes>>, Answer> {
        let bad =
            |name: &str| Answer::never(format!("请求头 {name} 不能用。"), format!("The header {name} cannot be used."));
        let mut builder = hyper::Request::builder().method(&*request.method).uri(&target.path);
        let body = match &request.body {
            Some(body) => serde_json::to_vec(&Exact(body)).unwrap_or_default(),
            None => Vec::new(),
        };
        let mut headers = hyper::HeaderMap::new();
        let fixed = |value| HeaderValue::from_static(value);
        headers.insert(header::ACCEPT, fixed("application/json"));
        headers.insert(header::USER_AGENT, fixed(concat!("countersign/", env!("CARGO_PKG_VERSION"))));
        if request.body.is_some() {
            headers.insert(header::CONTENT_TYPE, fixed("application/json"));
        }
        for (name, value) in &request.headers {
            let named = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(name))?;
            if OURS.contains(&named) {
                return Err(bad(name));
            }
            let mut value = HeaderValue::from_str(&self.put_together(value)?).map_err(|_| bad(name))?;
            value.set_sensitive(true);
            headers.insert(named, value);
        }
        headers.insert(header::HOST, HeaderValue::from_str(&target.authority).map_err(|_| bad("Host"))?);
        let key = HeaderValue::from_str(key).map_err(|_| bad("Idempotency-Key"))?;
        headers.insert(HeaderName::from_static("idempotency-key"), key);
        if let Some(own) = builder.headers_mut() {
            *own = headers;
        }
        builder.body(Full::new(Bytes::from(body))).map_err(|_| {
            Answer::never("请求不对：请检查方法和网址。", "The request is not right: check its method and address.")
        })
    }
}

/// Connects to the first address of the host that may be, and answers.
async fn connect(target: &Target) -> Result<TcpStream, Answer> {
    let host = &target.host;
    let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, target.port)],
        Err(_) => tokio::net::lookup_host((host.as_str(), target.port))
            .await
            .map_err(|_| Answer::later(format!("找不到主机 {host}。"), format!("The host {host} cannot be found.")))?
            .collect(),
    };
    let may: Vec<SocketAddr> = addresses.into_iter().filter(|address| target.inside || public(address.ip())).collect();
    if may.is_empty() {
        return Err(Answer::never(
            format!("{host} 指向本机或内网，不允许调用。确实需要，请写进配置 `http.inside`。"),
            format!("{host} leads to this machine or a private network. If it must, list it in `http.inside`."),
        ));
    }
    let mut last = None;
    for address in may {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map(|error| error.kind().to_string()).unwrap_or_default();
    Err(Answer::later(format!("连不上 {host}（{why}）。"), format!("{host} cannot be reached ({why}).")))
}

async fn exchange<S>(target: &Target, stream: S, message: hyper::Request<Full<Bytes>>) -> Result<Answer, Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let host = &target.host;
    let broken = |_| Answer::later(format!("与 {host} 的连接断了。"), format!("The connection to {host} broke."));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let driving = Driving(tokio::spawn(async move {
        let _ = connection.await;
    }));
    let response = sender.send_request(message).await.map_err(broken)?;
    let (parts, body) = response.into_parts();
    let bytes = match Limited::new(body, MOST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(Answer::never(
                format!("{host} 的答复超过 1 MB，没有采用。"),
                format!("The answer of {host} is longer than 1 MB and was not taken."),
            ));
        }
        Err(_) => {
            return Err(Answer::later(format!("{host} 的答复中断了。"), format!("The answer of {host} broke off.")));
        }
    };
    drop(driving);
    Ok(meaning(host, parts.status, &parts.headers, &bytes))
}

/// A host that no setting lists, with the one that helps: a second one would be told only when the first is mended.
pub(super) fn may_not(host: &str, port: Option<u16>, secure: bool) -> Wording {
    let bare = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let name = port.map_or(bare.clone(), |port| format!("{bare}:{port}"));
    let local = host == "localhost" || host.ends_with(".localhost");
    let inside = host.parse::<IpAddr>().map_or(local, |address| !public(address));
    match (inside, secure) {
        (true, _) => Wording::new(
            format!("不允许调用 {name}：它在本机或内网。确实需要，请写进配置 `http.inside`。"),
            format!(
                "Calling {name} is not allowed: it is this machine or a private network. If it must be, list it in the \
                 setting `http.inside`."
            ),
        ),
        (false, true) => Wording::new(
            format!("不允许调用 {name}。要允许，请把它写进配置 `http.allow`；内网的主机写进 `http.inside`。"),
            format!(
                "Calling {name} is not allowed. To allow it, list it in the setting `http.allow`, or in `http.inside` if \
                 it is of your own network."
            ),
        ),
        (false, false) => Wording::new(
            format!(
                "不允许调用 {name}。不加密的只能是内网的主机，写进配置 `http.inside`；别的请改用 https，写进 `http.allow`。"
            ),
            format!(
                "Calling {name} is not allowed. Only a host of your own network is called without encryption: list it in \
                 the setting `http.inside`. Any other needs https and `http.allow`."
            ),
        ),
    }
}

/// A host that is listed, but not to be called without encryption.
pub(super) fn not_secure(host: &str) -> Wording {
    Wording::new(
        format!("{host} 只能用 https 调用；内网的主机可以写进 `http.inside`。"),
        format!("{host} is called by https only; a host of your own network can be listed in `http.inside`."),
    )
}

/// A secret that nobody gave.
pub(super) fn no_secret(name: &str) -> Wording {
    Wording::new(
        format!("没有名为 {name} 的密钥。请写进 `http.secrets` 指定的文件，再重试。"),
        format!("There is no secret {name}. Add it to the file of `http.secrets`, then retry."),
    )
}

/// Ends the connection with the call.
struct Driving(tokio::task::JoinHandle<()>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What an answer means: done, to be tried again, or no use.
fn meaning(host: &str, status: StatusCode, headers: &hyper::HeaderMap, body: &[u8]) -> Answer {
    let code = status.as_u16();
    if status.is_success() {
        let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        return Answer::Done(json.as_ref().map_or(Value::Null, from_plain));
    }
    if status.is_redirection() {
        return Answer::never(
            format!("{host} 要求转到别处（{code}）；转址不会跟随，请改写网址。"),
            format!("{host} points elsewhere ({code}); that is not followed: change the address."),
        );
    }
    let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Answer::Failed {
        what: rejected(host, code),
        permanent: status.is_client_error() && !matches!(code, 408 | 425 | 429),
        after: after.map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_WAIT))),
    }
}

fn rejected(host: &str, code: u16) -> Wording {
    Wording::new(format!("{host} 答复 {code}。"), format!("{host} answered {code}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_what_its_status_says() {
        let of = |code, retry: Option<&str>, body: &str| {
            let mut headers = hyper::HeaderMap::new();
            if let Some(retry) = retry {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_str(retry).unwrap());
            }
            meaning("erp.example", StatusCode::from_u16(code).unwrap(), &headers, body.as_bytes())
        };
        assert_eq!(of(204, None, ""), Answer::Done(Value::Null));
        assert_eq!(of(200, None, "[1, \"a\"]"), Answer::Done(from_plain(&serde_json::json!([1, "a"]))));
        for (code, gone, waits) in [
            (400, true, None),
            (404, true, None),
            (301, true, None),
            (408, false, None),
            (425, false, None),
            (429, false, Some(7)),
            (500, false, None),
            (503, false, Some(120)),
        ] {
            let retry = waits.map(|seconds: u64| seconds.to_string());
            let Answer::Failed { permanent, after, .. } = of(code, retry.as_deref(), "no") else { panic!("{code}") };
            assert_eq!((permanent, after), (gone, waits.map(Duration::from_secs)), "{code}");
        }
    }
}
