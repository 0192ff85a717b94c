//! The page for the browser: what it keeps, and that nothing in it reaches out.

use super::super::*;
use super::fixture;
use html2text::{Document, Element, Handle};
use proptest::prelude::*;

fn page(html: &str) -> String {
    let head = "From: a@x.example\r\nSubject: </title><script>\r\nContent-Type: text/html; charset=utf-8\r\n";
    let raw = format!("{head}Content-Transfer-Encoding: 8bit\r\n\r\n{html}");
    original_html(raw.as_bytes()).unwrap()
}

/// Gives the elements of a page with their attributes, as a browser's parser sees them.
fn elements(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    let dom = html2text::config::plain_no_decorate().parse_html(page.as_bytes()).unwrap();
    let mut stack: Vec<Handle> = vec![dom.document.clone()];
    let mut found = Vec::new();
    while let Some(node) = stack.pop() {
        if let Element { name, attrs, .. } = &node.data {
            let attributes =
                attrs.borrow().iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
            found.push((name.local.to_string(), attributes));
        }
        assert!(matches!(node.data, Document | Element { .. }) || node.children.borrow().is_empty());
        stack.extend(node.children.borrow().iter().cloned());
    }
    found
}

/// Says what in a page could load or run something.
fn dangers(page: &str) -> Vec<String> {
    let forbidden =
        ["script", "iframe", "object", "embed", "form", "input", "base", "link", "style", "svg", "math"];
    let mut dangers = Vec::new();
    for (name, attributes) in elements(page) {
        let equiv = attributes.iter().find(|(n, _)| n == "http-equiv").map(|(_, v)| v.to_lowercase());
        if forbidden.contains(&name.as_str()) || equiv.is_some_and(|v| v != "content-security-policy") {
            dangers.push(format!("<{name}>"));
        }
        for (attribute, value) in attributes {
            let value: String =
                value.to_lowercase().chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
            let link = name == "a" && attribute == "href";
            let loads = ["src", "srcset", "background", "poster", "action", "data", "xlink:href"]
                .contains(&attribute.as_str());
            let bad = attribute.starts_with("on")
                // Of a link its scheme counts, which stands at its beginning; no style is read out of it.
                || !link
                    && ["javascript:", "vbscript:", "url(", "expression(", "@import"]
                        .iter()
                        .any(|w| value.contains(w))
                || loads && !value.starts_with("data:image/")
                || link && !["http:", "https:", "mailto:", "tel:"].iter().any(|s| value.starts_with(s));
            if bad {
                dangers.push(format!("{name} {attribute}={value}"));
            }
        }
    }
    dangers
}

#[test]
fn a_page_loads_and_runs_nothing() {
    for html in [
        "<script>alert(1)</script>x",
        "<]]><a href=http://e.example/aurl(<table>",
        "<img src=http://evil.example/a.png>",
        "<img src='//evil.example/a.png'>",
        "<img srcset='https://evil.example/a.png 2x'>",
        "<IMG SRC=JaVaScRiPt:alert(1)>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><a xlink:href='javascript:alert(1)'><text>x",
        "<svg><style><img src=x onerror=alert(1)>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<a href=' javascript:alert(1)'>x</a>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<a href='&#106;avascript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<a href='vbscript:x'>x</a>",
        "<a href='file:///etc/passwd'>x</a>",
        "<body background=http://evil.example/a.png onload=x()>x",
        "<table background='http://evil.example/a.png'><tr><td>x",
        "<div style='background:url(http://evil.example/a.png)'>x</div>",
        "<div style='background:u\\72l(http://evil.example/a.png)'>x</div>",
        "<div style='background-image:image-set(\"http://evil.example/a.png\" 1x)'>x</div>",
        "<div style='width:expression(alert(1))'>x</div>",
        "<div style='color:red;position:fixed;top:0'>x</div>",
        "<style>@import 'http://evil.example/a.css';</style>x",
        "<link rel=stylesheet href=http://evil.example/a.css>x",
        "<meta http-equiv=refresh content='0;url=http://evil.example/'>x",
        "<base href=http://evil.example/>x",
        "<form action=http://evil.example/><input name=a><button>Go</button></form>",
        "<iframe src=http://evil.example/></iframe>x",
        "<object data=http://evil.example/></object><embed src=http://evil.example/>",
        "<video src=http://evil.example/ poster=http://evil.example/></video>",
        "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
        "<img src='data:text/html;base64,PHNjcmlwdD4='>",
        "<!--[if gte mso 9]><script>alert(1)</script><![endif]-->x",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "</body></html><script>alert(1)</script>",
        "<scr<script>ipt>alert(1)</script>",
        "<p id=a name=b class=c>x",
        "<blockquote cite='javascript:x'>x</blockquote>",
    ] {
        let page = page(html);
        assert_eq!(dangers(&page), Vec::<String>::new(), "{html}\n{page}");
        let lower = page.to_lowercase();
        for word in ["<script", "src=\"http", "url(http", "http-equiv=\"refresh"] {
            assert!(!lower.contains(word), "{html}\n{page}");
        }
    }
}

#[test]
fn a_page_keeps_what_the_mail_looks_like() {
    let page = page(
        "<h1 style='color:#f00;font-size:20px;position:absolute'>Head</h1><table border=1><tr><td colspan=2 \
         bgcolor=#eee>x</table><a href='https://x.example/a?b=1&c'>see</a>\
         <p style='background-color: rgb(1, 2, 3)'>y<img alt=Chart src='https://img.example/c.png?who=ada'>",
    );
    for kept in [
        "<h1 style=\"color:#f00; font-size:20px\">Head</h1>",
        "colspan=\"2\"",
        "href=\"https://x.example/a?b=1&amp;c\" rel=\"noopener noreferrer\"",
        "background-color: rgb(1, 2, 3)",
        "<img alt=\"Chart\">",
        "<li>https://img.example/c.png</li>",
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        "<title>&lt;/title&gt;&lt;script&gt;</title>",
    ] {
        assert!(page.contains(kept), "{kept}\n{page}");
    }
    assert!(!page.contains("who=ada"), "{page}");
}

#[test]
fn images_of_the_mail_stand_in_the_page() {
    let page = original_html(&fixture("inline-image").0).unwrap();
    assert!(page.contains("src=\"data:image/png;base64,iVBORw0KGgo=\""), "{page}");
    assert_eq!(dangers(&page), Vec::<String>::new());
    assert_eq!(original_html(&fixture("undeclared-latin1").0), None);
    assert_eq!(original_html(b""), None);
}

#[test]
fn a_page_that_would_cost_too_much_is_given_as_text() {
    let before = std::time::Instant::now();
    let page = page(&format!("{}deep text", "<div>".repeat(50_000)));
    assert!(page.contains("deep text") && page.len() < 10_000);
    assert!(before.elapsed().as_secs() < 2, "{:?}", before.elapsed());
}

/// Pieces of which hostile HTML is made.
fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<",
        ">",
        "<img ",
        "src=",
        "'",
        "\"",
        "http://e.example/a",
        "onerror=x ",
        "<script>",
        "</script>",
        "javascript:",
        "<svg>",
        "<math>",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<p style='",
        "url(",
        ")",
        "background:",
        ";",
        "<a href=",
        "&#106;",
        "<table>",
        "<td>",
        "<template>",
        "<noscript>",
        "<title>",
        "<![CDATA[",
        "]]>",
        "\\",
        "\0",
        "\t",
        "=",
        "/",
        "<meta http-equiv=refresh content='0;url=http://e.example'>",
        "cid:a",
        "data:image/png;base64,",
        "<foreignObject>",
        "<mtext>",
        "<mglyph>",
        "<annotation-xml encoding=text/html>",
        "<form>",
        "<base href=//e>",
    ]);
    prop::collection::vec(prop_oneof![6 => known.prop_map(str::to_owned), 1 => any::<String>()], 0..30)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_html_makes_a_page_that_reaches_out(html in pieces()) {
        let page = page(&html);
        prop_assert_eq!(dangers(&page), Vec::<String>::new(), "{}", page);
    }
}
