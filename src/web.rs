//! The pages of the desk on the web: one to unsubscribe on, and figures for Prometheus.
//!
//! Owns HTTP: limits, headers, the two forms. Knows of the desk what a link's key tells. Looking changes nothing;
//! only a form that is sent does (RFC 8058), so that programs that follow every link unsubscribe nobody.

mod metrics;
mod page;

use crate::desk::Desk;
use http_body_util::{Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    Unsubscribe,
    Metrics,
}

/// How long one connection may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long until an address that is taken is tried again.
const AGAIN: Duration = Duration::from_secs(15);
/// Connections at once.
const CONNECTIONS: usize = 64;
/// Octets of a request's head, and of the form in its body.
const HEAD: usize = 16 << 10;
const FORM: usize = 4 << 10;

type Answer = Response<Full<Bytes>>;

/// Serves pages on an address such as `127.0.0.1:8380` until `stop`. What fails stands on the board.
pub async fn serve(desk: &Desk, pages: Pages, address: &str, stop: &CancellationToken) {
    let topic = format!("web {address}");
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(error) => {
                desk.board().notice(topic.clone(), format!("nothing can be served on {address}: {error}"))
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    };
    desk.board().clear_notice(&topic);
    tracing::info!(address, ?pages, "serving on the web");
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Such as too many open files: the next try must not come at once.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            },
        };
        let desk = desk.clone();
        tokio::spawn(async move {
            let _place = place;
            let _ = tokio::time::timeout(PATIENCE, talk(&desk, pages, stream)).await;
        });
    }
}

/// Answers what comes on one connection.
async fn talk(desk: &Desk, pages: Pages, stream: TcpStream) -> Result<(), hyper::Error> {
    let answer = service_fn(|asked| async move { Ok::<_, Infallible>(answer(desk, pages, asked).await) });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer)
        .await
}

async fn answer(desk: &Desk, pages: Pages, asked: Request<Incoming>) -> Answer {
    let (head, body) = asked.into_parts();
    let path = head.uri.path();
    match pages {
        Pages::Metrics if path == "/metrics" => metrics::answer(desk, &head.method).await,
        Pages::Metrics => plain(StatusCode::NOT_FOUND, "the figures are at /metrics\n"),
        Pages::Unsubscribe if path == "/robots.txt" => plain(StatusCode::OK, "User-agent: *\nDisallow: /\n"),
        Pages::Unsubscribe => page::answer(desk, &head.method, path, Limited::new(body, FORM)).await,
    }
}

fn plain(status: StatusCode, text: &str) -> Answer {
    answered(status, "text/plain; charset=utf-8", text.to_owned())
}

fn wrong_method(allowed: &'static str) -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "not in this way\n");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Makes an answer that no cache keeps, no page frames and no other site hears of.
fn answered(status: StatusCode, media_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    answer
}

/// Tells whether this way of asking only looks.
fn looks(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}
