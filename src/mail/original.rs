//! The HTML of a mail as a page for the browser: as it was designed, and with nothing that reaches out.
//!
//! Owns what such a page may hold. It must not know where the page is kept or who opens it. The browser is
//! told the same by a Content-Security-Policy, so that one of the two may be wrong.

use super::body::{self, escape};
use super::html_bounds::is_bearable;
use super::message::{caught, parse, prepared, unreadable};
use super::safe::{cut, sanitize_line};
use super::{Reading, visible};
use ammonia::{Builder, UrlRelative};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{MessagePart, MimeHeaders};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Most octets of HTML that are kept, and of all images together.
const SOURCE_MAX: usize = 1024 * 1024;
const IMAGES_MAX: usize = 10 * 1024 * 1024;
/// Most places that are listed because nothing is loaded from them.
const REMOTE_MAX: usize = 100;
const URL_MAX: usize = 300;

/// What the browser is told: nothing but images and styles that stand in the page.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

/// Kinds of images that are shown; SVG may hold scripts.
const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];
const SCHEMES: &[&str] = &["http:", "https:", "mailto:", "tel:"];
const TAGS: &[&str] = &[
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];
/// Elements that go with all they hold.
const DROPPED: &[&str] =
    &["script", "style", "title", "noscript", "template", "object", "iframe", "svg", "math"];
const ATTRIBUTES: &[&str] = &[
    "style",
    "align",
    "valign",
    "bgcolor",
    "width",
    "height",
    "border",
    "cellpadding",
    "cellspacing",
    "dir",
    "lang",
    "title",
    "color",
    "size",
    "face",
];
/// What a `style` may say; nothing that moves a text over another, hides it or loads anything.
const STYLES: &[&str] = &[
    "color",
    "background-color",
    "background",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "letter-spacing",
    "line-height",
    "white-space",
    "word-break",
    "vertical-align",
    "width",
    "height",
    "max-width",
    "min-width",
    "padding",
    "padding-top",
    "padding-right",
    "padding-bottom",
    "padding-left",
    "margin",
    "margin-top",
    "margin-right",
    "margin-bottom",
    "margin-left",
    "border",
    "border-top",
    "border-right",
    "border-bottom",
    "border-left",
    "border-color",
    "border-style",
    "border-width",
    "border-collapse",
    "border-spacing",
    "border-radius",
    "list-style-type",
    "list-style",
    "display",
    "direction",
];

/// Gives the HTML of a mail as a page of its own, which loads nothing and runs nothing.
///
/// Images of the mail itself (`cid:`) stand in the page, up to 10 MB of them. What would be loaded from
/// elsewhere is listed as text at the end. `None` when the mail has no HTML or cannot be read. HTML that would
/// cost too much to clean is given as its text.
pub fn original_html(raw: &[u8]) -> Option<String> {
    let made = caught(|| {
        let bytes = prepared(raw);
        let parsed = parse(&bytes).ok_or_else(|| unreadable("it has no header fields"))?;
        Ok(body::bodies(&parsed).html.map(|html| (cleaned(&html, images(&parsed, &html)), subject(&parsed))))
    });
    match made {
        Ok(found) => found.map(|((html, remote), subject)| page(&subject, &html, &remote)),
        // The cleaner failed, so the text must do.
        Err(_) => super::read(raw).ok().map(|message| {
            let seen = visible(&message, Reading::Opening);
            page(&message.subject, &format!("<pre>{}</pre>", escape(&seen.body)), &[])
        }),
    }
}

fn subject(parsed: &mail_parser::Message<'_>) -> String {
    let mut fields = super::message::raw_fields(parsed);
    let subject = fields.find(|(name, _)| name.eq_ignore_ascii_case("Subject"));
    subject.map(|(_, value)| super::fields::text(value)).unwrap_or_default()
}

/// Puts the page together.
fn page(title: &str, html: &str, remote: &[String]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title></head>\n<body>\n{html}\n",
        escape(title)
    );
    if !remote.is_empty() {
        page.push_str("<hr><p>Not loaded from elsewhere:</p><ul>\n");
        page.extend(remote.iter().map(|url| format!("<li>{}</li>\n", escape(url))));
        page.push_str("</ul>\n");
    }
    page.push_str("</body></html>\n");
    page
}

/// Cleans HTML; gives with it what it wanted to load from elsewhere.
fn cleaned(html: &str, images: HashMap<String, String>) -> (String, Vec<String>) {
    let html = cut(html, SOURCE_MAX);
    if !is_bearable(html) {
        return (format!("<pre>{}</pre>", escape(&super::html_to_text(html).text)), Vec::new());
    }
    let remote = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&remote);
    let clean = builder(move |element: &str, attribute: &str, value: &str| {
        let kept = attribute_value(element, attribute, value, &images);
        if kept.is_none() && attribute == "src" {
            note_remote(&mut seen.lock().unwrap_or_else(PoisonError::into_inner), value);
        }
        kept
    });
    let html = clean.clean(html).to_string();
    let remote = std::mem::take(&mut *remote.lock().unwrap_or_else(PoisonError::into_inner));
    (html, remote)
}

/// Makes the cleaner, which asks `keep` about every attribute.
fn builder(keep: impl Fn(&str, &str, &str) -> Option<String> + Send + Sync + 'static) -> Builder<'static> {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let mut own = HashMap::new();
    own.insert("a", set(&["href"]));
    own.insert("img", set(&["src", "alt"]));
    own.insert("td", set(&["colspan", "rowspan"]));
    own.insert("th", set(&["colspan", "rowspan"]));
    own.insert("ol", set(&["start", "type"]));
    let mut clean = Builder::empty();
    clean
        .tags(set(TAGS))
        .clean_content_tags(set(DROPPED))
        .tag_attributes(own)
        .generic_attributes(set(ATTRIBUTES))
        .url_schemes(set(&["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .strip_comments(true)
        .attribute_filter(move |element, attribute, value| keep(element, attribute, value).map(Cow::Owned));
    clean
}

/// Gives what an attribute may say, if anything.
fn attribute_value(
    element: &str,
    attribute: &str,
    value: &str,
    images: &HashMap<String, String>,
) -> Option<String> {
    match (element, attribute) {
        ("img", "src") => image(value, images),
        ("a", "href") => {
            let lower = value.trim_start().to_ascii_lowercase();
            SCHEMES.iter().any(|scheme| lower.starts_with(scheme)).then(|| value.trim_start().to_owned())
        }
        (_, "style") => Some(style(value)).filter(|style| !style.is_empty()),
        (_, "src" | "href") => None,
        _ => Some(value.to_owned()),
    }
}

/// Gives the source of an image that stands in the mail, or in the address itself.
fn image(source: &str, images: &HashMap<String, String>) -> Option<String> {
    let source = source.trim();
    if let Some(id) = source.get(..4).filter(|s| s.eq_ignore_ascii_case("cid:")).and(source.get(4..)) {
        return images.get(&content_id(id)).cloned();
    }
    let (kind, data) = source.split_once(";base64,")?;
    let known = IMAGES.iter().any(|known| kind.eq_ignore_ascii_case(&format!("data:{known}")));
    let plain = data.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/= \r\n\t".contains(&b));
    (known && plain).then(|| source.to_owned())
}

/// Gives the declarations of a style that are harmless.
fn style(value: &str) -> String {
    let harmless = |declaration: &&str| {
        let Some((name, value)) = declaration.split_once(':') else { return false };
        let known = STYLES.contains(&name.trim().to_ascii_lowercase().as_str());
        // A backslash can spell anything, a parenthesis calls a function.
        known && !value.contains(['\\', '<', '{', '}', '@', '&']) && calls_colours_only(value)
    };
    value.split(';').map(str::trim).filter(harmless).collect::<Vec<_>>().join("; ")
}

fn calls_colours_only(value: &str) -> bool {
    let mut pieces = value.split('(').collect::<Vec<_>>();
    pieces.pop();
    pieces.iter().all(|before| {
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
        ["rgb", "rgba", "hsl", "hsla"].iter().any(|known| name.eq_ignore_ascii_case(known))
    })
}

/// Remembers a place that nothing is loaded from, without what would tell the reader apart.
fn note_remote(remote: &mut Vec<String>, value: &str) {
    let value = sanitize_line(value);
    let lower = value.to_ascii_lowercase();
    if !lower.starts_with("http:") && !lower.starts_with("https:") {
        return;
    }
    let place = value.split(['?', '#']).next().unwrap_or_default();
    let place = cut(place, URL_MAX).to_owned();
    if remote.len() < REMOTE_MAX && !remote.contains(&place) {
        remote.push(place);
    }
}

/// Gives an identifier as it is compared: without brackets, unquoted.
fn content_id(text: &str) -> String {
    let text = text.trim().trim_matches(['<', '>']);
    let bytes = super::parameters::unescaped(text.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Gives the images that the HTML names, by their identifier, as `data:` addresses.
fn images(parsed: &mail_parser::Message<'_>, html: &str) -> HashMap<String, String> {
    let mut left = IMAGES_MAX;
    let mut found = HashMap::new();
    let wanted = |id: &str| html.contains(id) || html.contains('%');
    for (index, part) in parsed.parts.iter().enumerate() {
        let Some(id) = part.content_id().map(content_id).filter(|id| !id.is_empty() && wanted(id)) else {
            continue;
        };
        if let Some((address, size)) = data_address(parsed, index, part, left) {
            left -= size;
            found.insert(id, address);
        }
    }
    found
}

/// Gives an image as a `data:` address and its size, if it is one and not too large.
fn data_address(
    parsed: &mail_parser::Message<'_>,
    index: usize,
    part: &MessagePart<'_>,
    left: usize,
) -> Option<(String, usize)> {
    let declared = body::media_type(part);
    let name = part.attachment_name().unwrap_or_default();
    let kind = if declared == "application/octet-stream" { super::media_type(name) } else { declared };
    let kind = if kind == "image/jpg" { "image/jpeg".to_owned() } else { kind };
    if !IMAGES.contains(&kind.as_str()) {
        return None;
    }
    let bytes = body::bytes(parsed, u32::try_from(index).ok()?)?;
    (bytes.len() <= left).then(|| (format!("data:{kind};base64,{}", STANDARD.encode(&bytes)), bytes.len()))
}
