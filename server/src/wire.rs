//! Messages in and out: one task reads, one writes, every request runs in a task of its own.
//!
//! `tower-lsp-server` routes requests and keeps the protocol's life cycle, but its own transport is not used: it reads
//! no further while answers wait for a client that does not read, and ends at the first malformed message.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tower::Service;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{ClientSocket, ExitedError};

use crate::session::Session;

/// A header line or a body beyond these is not one of this protocol.
const MAX_HEADER_BYTES: u64 = 64 * 1024;
const MAX_BODY_BYTES: u64 = 256 * 1024 * 1024;

/// How long the answers that are under way at the end may take to be written.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Serves until `exit` or the end of the input. Messages are handed to `service` in their order.
///
/// Output is queued without bound: a client that writes much before it reads must not stop the reading of its edits.
pub(crate) async fn run<I, O, S>(input: I, output: O, mut service: S, socket: ClientSocket, session: Arc<Session>)
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin + Send + 'static,
    S: Service<Request, Response = Option<Response>, Error = ExitedError>,
    S::Future: Send + 'static,
{
    let (outbox, queue) = mpsc::unbounded_channel();
    let writer = tokio::spawn(write(output, queue));

    let (mut to_client, mut from_client) = socket.split();
    let mut forwarder = JoinSet::new();
    forwarder.spawn({
        let outbox = outbox.clone();
        async move {
            while let Some(request) = to_client.next().await {
                session.notebooks.layout().tell(request).iter().for_each(|request| send(&outbox, request));
            }
        }
    });

    let mut requests = JoinSet::new();
    let mut input = BufReader::new(input);
    loop {
        while requests.try_join_next().is_some() {}
        match read(&mut input).await {
            Ok(Incoming::Request(request)) => {
                let exits = request.method() == "exit";
                if futures::future::poll_fn(|context| service.poll_ready(context)).await.is_err() {
                    break;
                }
                let response = service.call(request);
                let outbox = outbox.clone();
                requests.spawn(async move {
                    if let Ok(Some(response)) = response.await {
                        send(&outbox, &response);
                    }
                });
                if exits {
                    break;
                }
            }
            Ok(Incoming::Response(response)) => {
                if futures::SinkExt::send(&mut from_client, response).await.is_err() {
                    break;
                }
            }
            Ok(Incoming::Malformed { error, why }) => {
                tracing::warn!("the client sent what is not a message: {why}");
                send(&outbox, &Response::from_error(Id::Null, error));
            }
            Ok(Incoming::End) => break,
            Err(error) => {
                tracing::warn!("cannot read from the client: {error}");
                break;
            }
        }
    }

    drop(forwarder);
    drop(outbox);
    let flushed = async {
        while requests.join_next().await.is_some() {}
        writer.await
    };
    if tokio::time::timeout(FLUSH_TIME, flushed).await.is_err() {
        tracing::warn!("the client did not read the last answers");
    }
}

/// What arrived.
enum Incoming {
    Request(Request),
    Response(Response),
    Malformed { error: Error, why: String },
    End,
}

/// Reads one message. After a malformed one, reading goes on behind it.
async fn read(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Incoming> {
    Ok(match read_body(input).await? {
        Body::Whole(body) => decode(&body),
        Body::Malformed(why) => Incoming::Malformed { error: Error::parse_error(), why: why.to_owned() },
        Body::End => Incoming::End,
    })
}

enum Body {
    Whole(Vec<u8>),
    Malformed(&'static str),
    End,
}

/// Reads header lines up to the empty one, then as many bytes as they announce.
async fn read_body(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Body> {
    let (mut length, mut any_header, mut line) = (None, false, Vec::new());
    let length = loop {
        line.clear();
        if (&mut *input).take(MAX_HEADER_BYTES).read_until(b'\n', &mut line).await? == 0 {
            return Ok(Body::End);
        }
        let header = line.trim_ascii();
        if !header.is_empty() {
            any_header = true;
            length = content_length(header).or(length);
        } else if any_header {
            match length {
                Some(length) => break length,
                None => return Ok(Body::Malformed("no valid Content-Length header")),
            }
        }
    };
    let mut announced = (&mut *input).take(length);
    if length > MAX_BODY_BYTES {
        tokio::io::copy_buf(&mut announced, &mut tokio::io::sink()).await?;
        return Ok(Body::Malformed("longer than any message may be"));
    }
    let mut body = Vec::new();
    let read = announced.read_to_end(&mut body).await?;
    Ok(if read as u64 == length { Body::Whole(body) } else { Body::End })
}

/// The value of a `Content-Length` header. Text before it, the rest of a body with a wrong length, is skipped.
fn content_length(header: &[u8]) -> Option<u64> {
    let header = std::str::from_utf8(header).ok()?.to_ascii_lowercase();
    let (_, value) = header.rsplit_once("content-length:")?;
    value.trim().parse().ok()
}

#[derive(Deserialize)]
struct Fields {
    method: Option<String>,
    id: Option<Id>,
    #[serde(default, deserialize_with = "present")]
    params: Option<Value>,
    #[serde(default)]
    result: Value,
    error: Option<Value>,
}

/// Keeps `null` apart from a missing field.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn decode(body: &[u8]) -> Incoming {
    let fields = match serde_json::from_slice(body).or_else(|error: serde_json::Error| match mend_surrogates(body) {
        Some(mended) => serde_json::from_slice(&mended),
        None => Err(error),
    }) {
        Ok(fields) => fields,
        Err(error) => {
            let answer = if error.is_data() { Error::invalid_request() } else { Error::parse_error() };
            return Incoming::Malformed { error: answer, why: error.to_string() };
        }
    };
    match fields {
        Fields { method: Some(method), id, params, .. } => {
            let request = Request::build(method);
            let request = if let Some(params) = params { request.params(params) } else { request };
            Incoming::Request(if let Some(id) = id { request.id(id).finish() } else { request.finish() })
        }
        Fields { id: Some(id), error: Some(error), .. } => {
            let error = serde_json::from_value(error).unwrap_or_else(|_| Error::internal_error());
            Incoming::Response(Response::from_error(id, error))
        }
        Fields { id: Some(id), result, .. } => Incoming::Response(Response::from_ok(id, result)),
        Fields { id: None, .. } => {
            Incoming::Malformed { error: Error::invalid_request(), why: "neither a method nor an id".to_owned() }
        }
    }
}

/// Replaces each half of a surrogate pair that stands alone (`\ud83d`) by U+FFFD, which counts one UTF-16 unit too.
///
/// JavaScript clients send such halves where somebody deletes one half of an emoji; they are not JSON, but refusing
/// the message would lose the edit. `None` where there is nothing to replace.
fn mend_surrogates(body: &[u8]) -> Option<Vec<u8>> {
    let unit = |at: usize| {
        let escape = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()
    };
    let (mut mended, mut changed, mut at) = (Vec::with_capacity(body.len()), false, 0);
    while let Some(&byte) = body.get(at) {
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.extend_from_slice(b"\\ufffd");
                changed = true;
                at += 6;
                continue;
            }
            _ if byte == b'\\' => 2,
            _ => 1,
        };
        mended.extend_from_slice(body.get(at..at + length).or_else(|| body.get(at..))?);
        at += length;
    }
    changed.then_some(mended)
}

/// Queues a message. Nobody needs to know when the writer has gone: the input ends then too.
fn send(outbox: &mpsc::UnboundedSender<Vec<u8>>, message: &impl serde::Serialize) {
    match serde_json::to_vec(message) {
        Ok(body) => drop(outbox.send(body)),
        Err(error) => tracing::error!("an answer cannot be written as JSON: {error}"),
    }
}

async fn write(mut output: impl AsyncWrite + Unpin, mut queue: UnboundedReceiver<Vec<u8>>) {
    while let Some(body) = queue.recv().await {
        let header = format!("Content-Length: {}\r\n\r\n", body.len());
        let written = async {
            output.write_all(header.as_bytes()).await?;
            output.write_all(&body).await?;
            output.flush().await
        };
        if let Err(error) = written.await {
            tracing::warn!("cannot write to the client: {error}");
            return;
        }
    }
}
