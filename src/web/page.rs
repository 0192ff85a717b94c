//! The page to unsubscribe on: who gets mail about which issue, and a form to stop it or take that back.

use super::{Answer, answered, looks, wrong_method};
use crate::desk::{Desk, Subscription};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, StatusCode};

const HTML: &str = "text/html; charset=utf-8";

/// What a path asks for.
enum Wish<'a> {
    Stop(&'a str),
    Resume(&'a str),
}

/// Answers what is asked of `/unsubscribe/KEY` and `/subscribe/KEY`.
pub(super) async fn answer(desk: &Desk, method: &Method, path: &str, form: Limited<Incoming>) -> Answer {
    let Some(wish) = wish(path) else { return nobody() };
    let acts = method == Method::POST;
    if !acts && !looks(method) {
        return wrong_method("GET, HEAD, POST");
    }
    // The form says nothing that the path does not; it is read so that the answer can be sent.
    if acts && form.collect().await.is_err() {
        return page(StatusCode::PAYLOAD_TOO_LARGE, "Too much", "<p>That form is too large.</p>");
    }
    let (key, wanted) = match wish {
        Wish::Stop(key) => (key, false),
        Wish::Resume(key) => (key, true),
    };
    let found = if acts { desk.subscribe_by_key(key, wanted).await } else { desk.subscription(key).await };
    match found {
        Ok(Some(found)) => page(StatusCode::OK, "Mail about your request", &words(key, &found, acts)),
        Ok(None) => nobody(),
        Err(fault) => {
            tracing::error!(%fault, "the page to unsubscribe on");
            page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not now",
                "<p>That did not work. Please try again in a few minutes, or answer the mail with the word \
                 <b>unsubscribe</b> in its subject.</p>",
            )
        }
    }
}

fn wish(path: &str) -> Option<Wish<'_>> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let (verb, key, rest) = (parts.next()?, parts.next()?, parts.next());
    let sound =
        !key.is_empty() && key.len() <= 64 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match verb {
        _ if !sound || rest.is_some() => None,
        "unsubscribe" => Some(Wish::Stop(key)),
        "subscribe" => Some(Wish::Resume(key)),
        _ => None,
    }
}

/// Says how things stand, with the form that changes them.
fn words(key: &str, found: &Subscription, done: bool) -> String {
    let (address, issue) = (escaped(&found.address), escaped(&found.reference));
    match (found.subscribed, done) {
        (true, false) => format!(
            "<p><b>{address}</b> gets a mail for each answer to <b>{issue}</b>.</p>{}\
             <p>Your request stays open, and you can write to us at any time.</p>",
            form("unsubscribe", key, "Unsubscribe")
        ),
        (true, true) => format!("<p><b>{address}</b> gets our answers to <b>{issue}</b> again.</p>"),
        (false, _) => format!(
            "<p><b>{address}</b> gets no more mail about <b>{issue}</b>.</p>{}",
            form("subscribe", key, "Get it again")
        ),
    }
}

fn form(verb: &str, key: &str, label: &str) -> String {
    // Relative, so that a proxy may serve it below any path.
    format!("<form method=\"post\" action=\"../{verb}/{key}\"><button>{label}</button></form>")
}

fn nobody() -> Answer {
    let words = "<p>This link leads nowhere. It may be cut, or the request it was about is gone.</p>";
    page(StatusCode::NOT_FOUND, "Not found", words)
}

fn page(status: StatusCode, title: &str, body: &str) -> Answer {
    let style = "body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:4em auto;padding:0 1em;\
                 color-scheme:light dark}button{font:inherit;padding:.5em 1.5em}";
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{style}</style></head>\n<body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    answered(status, HTML, text)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
