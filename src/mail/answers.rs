//! Answers as mail programs write them, made for every language, program, place of the answer and form:
//! what a reader sees of them must be the answer.

mod languages;

use super::*;
use languages::LANGUAGES;

/// An answer with what is text though it may look like something else.
const RICH: &str = "Thank you, that works now.\n\n- one: first\n- two\n\n---\n\nBut see page 3 of 2024:\n*\n\n1. Open it\n2. Close it\n\nRegards\nGrace";
const SHORT: &str = "Yes.";
/// What was written before; no line of it may be seen in an answer above or below it.
const QUOTED: &[&str] = &["Dear Grace,", "", "does the cart work again?", "", "Ada"];

/// Where the answer stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Top,
    Bottom,
    Between,
}

fn quoted() -> String {
    QUOTED.iter().map(|line| format!("> {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Breaks a line at blanks, as programs do that wrap what they quote.
fn wrapped(line: &str, width: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in line.split(' ') {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += size;
    }
    out
}

fn seen(message: &Message) -> (String, String) {
    let seen = visible(message, Reading::Answer);
    (seen.body, seen.folded.unwrap_or_default())
}

/// What went wrong, over all cases, so that one run tells all.
#[derive(Default)]
struct Wrong(Vec<String>, usize);

impl Wrong {
    fn check(&mut self, case: &str, source: &str, message: &Message, wanted: &str) {
        self.1 += 1;
        let (body, folded) = seen(message);
        let hidden = folded.contains("does the cart work again?") || wanted.contains("does the cart");
        if body != wanted || !hidden {
            self.0.push(format!("{case}\n{source}\n--- seen\n{body}\n--- folded\n{folded}\n==="));
        }
    }

    fn plain(&mut self, case: &str, text: &str, wanted: &str) {
        let message = Message { plain: Some(text.to_owned()), ..Message::default() };
        self.check(case, text, &message, wanted);
        let (body, folded) = seen(&message);
        let lines = |text: &str| {
            let mut lines: Vec<String> =
                text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect();
            lines.sort();
            lines
        };
        if lines(&format!("{body}\n{folded}")) != lines(text) {
            self.0.push(format!("{case}: text was lost\n{text}\n--- seen\n{body}\n--- folded\n{folded}"));
        }
    }

    fn html(&mut self, case: &str, html: &str, wanted: &str) {
        let message = Message { html: Some(html.to_owned()), ..Message::default() };
        self.check(case, html, &message, wanted);
    }

    fn done(self) {
        let all = self.1;
        let shown: Vec<_> = self.0.iter().take(12).cloned().collect();
        assert!(self.0.is_empty(), "{} of {all} are wrong\n{}", self.0.len(), shown.join("\n"));
    }
}

/// Puts a line above a quote, the quote and an answer together.
fn around(answer: &str, wrote: &str, place: Place) -> (String, String) {
    let quote = quoted();
    match place {
        Place::Top => (format!("{answer}\n\n{wrote}\n\n{quote}\n"), answer.to_owned()),
        Place::Bottom => (format!("{wrote}\n{quote}\n\n{answer}\n"), answer.to_owned()),
        Place::Between => {
            let body = format!("{wrote}\n> one?\n\nYes.\n\n> does the cart work again?\n\n{answer}");
            (format!("{body}\n\n> Ada\n"), body)
        }
    }
}

#[test]
fn answers_to_marked_quotes_in_plain_text() {
    let mut wrong = Wrong::default();
    for language in LANGUAGES {
        for wrote in language.wrote {
            for place in [Place::Top, Place::Bottom, Place::Between] {
                for answer in [SHORT, RICH] {
                    for width in [300, 78, 60] {
                        let (text, body) = around(answer, &wrapped(wrote, width), place);
                        wrong.plain(&format!("{} {place:?} {width} {wrote}", language.name), &text, &body);
                    }
                }
            }
            // Nothing stands between the answer and the line.
            let text = format!("{RICH}\n{wrote}\n{}\n", quoted());
            wrong.plain(&format!("{} close {wrote}", language.name), &text, RICH);
            // Apple Mail puts the line inside its quote.
            let text = format!("{SHORT}\n\n> {wrote}\n> \n{}\n", quoted());
            wrong.plain(&format!("{} inside the quote", language.name), &text, SHORT);
        }
    }
    wrong.done();
}

#[test]
fn answers_above_unmarked_quotes_in_plain_text() {
    let mut wrong = Wrong::default();
    let before = QUOTED.join("\n");
    for language in LANGUAGES {
        let [from, sent, to, subject] = language.keys;
        let date = "Monday, January 1, 2024 3:00 PM";
        let bold = |key: &str| format!("*{key}:*");
        let plain = |key: &str| format!("{key}:");
        let spaced = |key: &str| format!("{key} :");
        for key in [&plain as &dyn Fn(&str) -> String, &bold, &spaced] {
            let block = format!(
                "{} Ada Lovelace <ada@x.example>\n{} {date}\n{} Grace Hopper <grace@y.example>\n{} Re: Cart (#12)",
                key(from),
                key(sent),
                key(to),
                key(subject)
            );
            for rule in ["", "________________________________\n", "-----Original Message-----\n", "---\n"] {
                for answer in [SHORT, RICH] {
                    let text = format!("{answer}\n\n{rule}{block}\n\n{before}\n");
                    wrong.plain(&format!("{} block", language.name), &text, answer);
                }
            }
        }
        for bar in language.bars {
            for (open, close) in [
                ("-----", "-----"),
                ("-------- ", " --------"),
                ("---------- ", " ---------"),
                ("____", "____"),
                ("----- ", " -----"),
                ("_____________________________________________\n-----", "-----"),
            ] {
                let text = format!("{RICH}\n\n{open}{bar}{close}\n{before}\n");
                wrong.plain(&format!("{} bar {bar}", language.name), &text, RICH);
            }
        }
        for wrote in language.wrote {
            for width in [300, 78] {
                let text = format!("{RICH}\n\n{}\n\n{before}\n", wrapped(wrote, width));
                wrong.plain(&format!("{} unmarked {wrote}", language.name), &text, RICH);
            }
        }
    }
    wrong.done();
}

#[test]
fn mobile_signatures_are_folded_with_and_without_a_quote() {
    let mut wrong = Wrong::default();
    for language in LANGUAGES {
        for mobile in language.mobile {
            for dashes in ["", "-- \n"] {
                let wrote = language.wrote[0];
                let text = format!("{RICH}\n\n{dashes}{mobile}\n\n{wrote}\n{}\n", quoted());
                wrong.plain(&format!("{} {mobile}", language.name), &text, RICH);
                let [from, sent, to, subject] = language.keys;
                let block = format!(
                    "{from}: Ada <ada@x.example>\n{sent}: 2024-01-01 15:00\n{to}: grace@y.example\n{subject}: Cart\n\n{}",
                    QUOTED.join("\n")
                );
                let text = format!("{SHORT}\n\n{dashes}{mobile}\n{block}\n");
                wrong.plain(&format!("{} {mobile}, then a block", language.name), &text, SHORT);
            }
            let message = Message { plain: Some(format!("{RICH}\n\n{mobile}\n")), ..Message::default() };
            if seen(&message) != (RICH.to_owned(), (*mobile).to_owned()) {
                wrong.0.push(format!("{} alone: {mobile}", language.name));
            }
        }
    }
    wrong.done();
}

/// Gives a text as the HTML that a program writes for it.
fn page(text: &str, open: &str, close: &str) -> String {
    text.lines()
        .map(|line| match line {
            "" => format!("{open}<br>{close}"),
            line => format!("{open}{}{close}", line.replace('<', "&lt;").replace('>', "&gt;")),
        })
        .collect::<Vec<_>>()
        .join("\r\n")
}

/// An answer as HTML shows it the same way in every program.
const PAGE: &str = "Thank you, that works now.\n\nBut see page 3 of 2024:\n\nRegards";

/// How programs put a quote below an answer: `@A` is the answer, `@W` the line above the quote, `@Q` the quote.
const WITH_LINE: &[(&str, &str)] = &[
    (
        "gmail",
        r#"<div dir="ltr">@A</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">@W<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"><div dir="ltr">@Q</div></blockquote></div>"#,
    ),
    (
        "gmail, older",
        r#"<div dir="ltr">@A</div><div class="gmail_extra"><br><div class="gmail_quote">@W<br><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">@Q</blockquote></div></div>"#,
    ),
    (
        "apple mail",
        r#"<html><head></head><body style="overflow-wrap: break-word;">@A<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite"><div>@W</div><br class="Apple-interchange-newline"><div>@Q</div></blockquote></div><br></body></html>"#,
    ),
    (
        "iphone",
        r#"<html><body dir="auto">@A<div dir="ltr"></div><div dir="ltr"><br><blockquote type="cite">@W<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">@Q</div></blockquote></body></html>"#,
    ),
    (
        "thunderbird",
        r#"<html><head><meta http-equiv="content-type"></head><body>@A<br><div class="moz-cite-prefix">@W<br></div><blockquote type="cite" cite="mid:a@x.example">@Q</blockquote></body></html>"#,
    ),
    (
        "yahoo",
        r#"<html><head></head><body><div class="ydp1yahoo-style-wrap" style="font-family:Helvetica"><div></div><div dir="ltr">@A</div><div><br></div></div><div id="ydp2yahoo_quoted_1" class="ydp2yahoo_quoted"><div style="font-family:Helvetica"><div>@W</div><div><br></div><div>@Q</div></div></div></body></html>"#,
    ),
    (
        "yahoo, older",
        r#"<div style="color:#000"><div>@A</div><div class="qtdSeparateBR"><br><br></div><div class="yahoo_quoted" style="display: block;"><div><div dir="ltr"><font size="2">@W<br></font></div><br><br><div>@Q</div></div></div></div>"#,
    ),
    (
        "proton",
        r#"<div style="font-family: Arial">@A</div><div class="protonmail_signature_block"><br></div><div class="protonmail_quote">@W<br><blockquote class="protonmail_quote" type="cite">@Q</blockquote><br></div>"#,
    ),
    (
        "spark",
        r#"<html><body><div name="messageBodySection"><div dir="auto">@A</div></div><div name="messageReplySection">@W<br><blockquote type="cite" style="border-left-width: thin;">@Q</blockquote></div></body></html>"#,
    ),
    (
        "zoho",
        r#"<html><body><div style="font-family: Verdana;"><div>@A</div><br><div class="zmail_extra" style="border:0px"><div id="Zm-_Id_-Sgn1">@W<br></div><blockquote id="blockquote_zmail" style="margin:0px">@Q</blockquote></div></div></body></html>"#,
    ),
    (
        "roundcube",
        r#"<html><body><p>@A</p><p id="reply-intro">@W</p><blockquote type="cite" style="padding: 0 0.4em; border-left: #1010ff 2px solid; margin: 0"><div id="replybody1">@Q</div></blockquote></body></html>"#,
    ),
    (
        "superhuman",
        r#"<html><body><div>@A</div><br><div><div class="gmail_signature"></div></div><div><div style="display:none"></div><div class="gmail_quote">@W<br><blockquote class="gmail_quote" style="margin:0">@Q</blockquote></div></div></body></html>"#,
    ),
    (
        "tutanota",
        r#"<div>@A</div><br>@W<br><blockquote class="tutanota_quote" style="border-left: 1px solid #93A3B8; padding-left: 10px; margin-left: 5px;">@Q</blockquote>"#,
    ),
    (
        "fastmail",
        r#"<!DOCTYPE html><html><body><div>@A</div><div><br></div><div>@W</div><blockquote type="cite" id="qt"><div>@Q</div></blockquote></body></html>"#,
    ),
    ("no marks at all", r#"<div>@A</div><br><div>@W</div><br><div>@Q</div>"#),
];

/// The same with Outlook's block in place of the line: `@F`, `@S`, `@T` and `@J` are its four keys.
const WITH_BLOCK: &[(&str, &str)] = &[
    (
        "outlook desktop",
        r#"<html><body lang="EN" link="blue"><div class="WordSection1"><p class="MsoNormal">@A</p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal"><b>@F:</b> Ada Lovelace &lt;ada@x.example&gt; <br><b>@S:</b> Monday, January 1, 2024 3:00 PM<br><b>@T:</b> Grace Hopper &lt;grace@y.example&gt;<br><b>@J:</b> Cart (#12)<o:p></o:p></p></div></div><p class="MsoNormal">@Q</p></div></body></html>"#,
    ),
    (
        "outlook 2010",
        r#"<div class="WordSection1"><p class="MsoNormal">@A</p><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b><span style="font-size:10.0pt">@F:</span></b><span> Ada Lovelace [mailto:ada@x.example] <br><b>@S:</b> 1 January 2024 15:00<br><b>@T:</b> Grace Hopper<br><b>@J:</b> Cart</span></p></div><p class="MsoNormal">@Q</p></div>"#,
    ),
    (
        "outlook desktop, quote in a border",
        r#"<div class="WordSection1"><p class="MsoNormal">@A</p><div style="border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt"><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>@F:</b> Ada<br><b>@S:</b> 1.1.2024<br><b>@T:</b> Grace<br><b>@J:</b> Cart</p></div></div><p class="MsoNormal">@Q</p></div></div>"#,
    ),
    (
        "outlook web",
        r#"<html><head><style>p{}</style></head><body dir="ltr"><div class="elementToProof">@A</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri" style="font-size:11pt"><b>@F:</b> Ada Lovelace &lt;ada@x.example&gt;<br><b>@S:</b> Monday, January 1, 2024 3:00 PM<br><b>@T:</b> Grace Hopper<br><b>@J:</b> Cart</font><div>&nbsp;</div></div><div class="BodyFragment">@Q</div></body></html>"#,
    ),
    (
        "outlook web, prefixed",
        r#"<div dir="ltr"><div>@A</div><div id="x_appendonsend"></div><hr tabindex="-1"><div id="x_divRplyFwdMsg"><b>@F:</b> Ada<br><b>@S:</b> Monday<br><b>@T:</b> Grace<br><b>@J:</b> Cart</div><div>@Q</div></div>"#,
    ),
    (
        "outlook mobile",
        r#"<html><body><div dir="auto">@A</div><div id="ms-outlook-mobile-signature"><div><br></div></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font><b>@F:</b> Ada &lt;ada@x.example&gt;<br><b>@S:</b> Monday, January 1, 2024<br><b>@T:</b> Grace<br><b>@J:</b> Cart</font></div>@Q</body></html>"#,
    ),
    (
        "outlook mobile, new",
        r#"<div dir="ltr">@A</div><div id="mail-editor-reference-message-container"><br><hr style="display:inline-block;width:98%"><div style="font-size:11pt"><b>@F:</b> Ada &lt;ada@x.example&gt;<br><b>@S:</b> Monday<br><b>@T:</b> Grace<br><b>@J:</b> Cart</div>@Q</div>"#,
    ),
    (
        "outlook for mac",
        r#"<div><div>@A</div><div><br></div><span id="OLK_SRC_BODY_SECTION"><div style="font-family:Calibri; border-top:#b5c4df 1pt solid; padding-top: 3pt"><span style="font-weight:bold">@F: </span>Ada<br><span style="font-weight:bold">@S: </span>Monday<br><span style="font-weight:bold">@T: </span>Grace<br><span>@J: </span>Cart</div><div>@Q</div></span></div>"#,
    ),
    (
        "hotmail",
        r#"<div class="hmmessage"><div dir="ltr">@A<br><br><div><hr id="stopSpelling">@F: ada@x.example<br>@T: grace@y.example<br>@J: Cart<br>@S: Mon, 1 Jan 2024 15:00:00 +0000<br><br><div>@Q</div></div></div></div>"#,
    ),
    (
        "no marks at all",
        r#"<div>@A</div><br><div><b>@F:</b> Ada Lovelace<br><b>@S:</b> Monday, January 1, 2024<br><b>@T:</b> Grace<br><b>@J:</b> Cart</div><div>@Q</div>"#,
    ),
    (
        "a table of fields",
        r#"<div>@A</div><br><div>-------- Original Message --------</div><table border="0"><tbody><tr><th align="right">@J: </th><td>Cart</td></tr><tr><th align="right">@S: </th><td>Mon, 1 Jan 2024</td></tr><tr><th align="right">@F: </th><td>Ada &lt;ada@x.example&gt;</td></tr><tr><th>@T: </th><td>Grace</td></tr></tbody></table><div>@Q</div>"#,
    ),
];

#[test]
fn answers_above_quotes_in_html() {
    let mut wrong = Wrong::default();
    let (answer, before) = (page(PAGE, "<div>", "</div>"), page(&QUOTED.join("\n"), "<div>", "</div>"));
    // Where the line has no mark of its own, its words count; elsewhere two of them are enough.
    let by_words = ["gmail, older", "spark", "no marks at all"];
    for language in LANGUAGES {
        for (client, template) in WITH_LINE {
            let count = if by_words.contains(client) { usize::MAX } else { 2 };
            for wrote in language.wrote.iter().take(count) {
                let line = wrote.replace('<', "&lt;").replace('>', "&gt;");
                let html = template.replace("@A", &answer).replace("@W", &line).replace("@Q", &before);
                wrong.html(&format!("{} {client} {wrote}", language.name), &html, PAGE);
            }
        }
        let [from, sent, to, subject] = language.keys;
        for (client, template) in WITH_BLOCK {
            let html = [
                ("@A", answer.as_str()),
                ("@Q", &before),
                ("@F", from),
                ("@S", sent),
                ("@T", to),
                ("@J", subject),
            ]
            .iter()
            .fold((*template).to_owned(), |html, (mark, text)| html.replace(mark, text));
            wrong.html(&format!("{} {client}", language.name), &html, PAGE);
        }
    }
    wrong.done();
}

#[test]
fn answers_below_and_between_quotes_in_html() {
    let mut wrong = Wrong::default();
    let before = page(&QUOTED.join("\n"), "<div>", "</div>");
    let cite = |open: &str, quote: &str| format!("{open}{quote}</blockquote>");
    let tags = [
        r#"<blockquote type="cite">"#,
        r#"<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid">"#,
        r#"<blockquote style="border-left: 2px solid blue">"#,
        r#"<blockquote type="cite" cite="mid:a@x.example">"#,
    ];
    for language in LANGUAGES {
        for wrote in language.wrote {
            let line = wrote.replace('<', "&lt;").replace('>', "&gt;");
            for tag in tags {
                let html =
                    format!("<div class=\"moz-cite-prefix\">{line}</div>{}<p>Yes.</p>", cite(tag, &before));
                wrong.html(&format!("{} below {wrote} {tag}", language.name), &html, "Yes.");
                let html = format!(
                    "<div>{line}<br></div>{}<p>Yes.</p>{}<p>No.</p>{}",
                    cite(tag, "one?"),
                    cite(tag, "does the cart work again?"),
                    cite(tag, "Ada")
                );
                let body = format!("{wrote}\n\n> one?\n\nYes.\n\n> does the cart work again?\n\nNo.");
                wrong.html(&format!("{} between {wrote} {tag}", language.name), &html, &body);
            }
        }
    }
    wrong.done();
}

#[test]
fn a_quotation_in_an_answer_keeps_its_mark_and_adds_no_lines() {
    for inner in ["<p>Error 42</p>", "Error 42", "<div>Error 42</div>", "<div><p>Error 42</p></div>"] {
        let html = format!("<p>It says:</p><blockquote>{inner}</blockquote><p>What now?</p>");
        let message = Message { html: Some(html), ..Message::default() };
        assert_eq!(
            seen(&message),
            ("It says:\n\n> Error 42\n\nWhat now?".to_owned(), String::new()),
            "{inner}"
        );
    }
}

/// Answers of further programs: what stands below the answer `Yes, thanks.`.
const FURTHER: &[(&str, &str)] = &[
    (
        "outlook mobile",
        "Get Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: Ada Lovelace <ada@x.example>\nSent: Monday, January 1, 2024 3:00:00 PM\nTo: Grace Hopper <grace@y.example>\nSubject: Re: Cart\n\nhi",
    ),
    (
        "address turned into a link",
        "On Mon, Jan 1, 2024 at 3:00 PM Ada Lovelace <ada@x.example<mailto:ada@x.example>> wrote:\nhi\nthere",
    ),
    (
        "address with mailto",
        "On Mon, Jan 1, 2024 at 3:00 PM Ada Lovelace <mailto:ada@x.example> wrote:\n\n> hi",
    ),
    ("old gmail", "2024-01-01 15:00 GMT+01:00 Ada Lovelace <ada@x.example>:\n\n> hi"),
    ("old gmail without marks", "2024-01-01 15:00 GMT+01:00 Ada Lovelace <ada@x.example>:\n\nhi"),
    (
        "qq",
        "------------------ 原始邮件 ------------------\n发件人: \"Ada\" <ada@x.example>;\n发送时间: 2024年1月1日(星期一) 下午3:00\n收件人: \"Grace\"<grace@y.example>;\n主题: Re: Cart\n\nhi",
    ),
    (
        "qq, new",
        "------------------ Original ------------------\nFrom: \"Ada\" <ada@x.example>;\nDate: Mon, Jan 1, 2024 03:00 PM\nTo: \"Grace\"<grace@y.example>;\nSubject: Re: Cart\n\nhi",
    ),
    (
        "foxmail",
        "Grace\n \n发件人： Ada Lovelace\n发送时间： 2024-01-01 15:00\n收件人： grace\n主题： Cart\nhi",
    ),
    (
        "em client",
        "------ Original Message ------\nFrom \"Ada Lovelace\" <ada@x.example>\nTo grace@y.example\nDate 1/1/2024 3:00:00 PM\nSubject Re: Cart\n\nhi",
    ),
    (
        "gmx",
        "\nGesendet: Montag, 01. Januar 2024 um 15:00 Uhr\nVon: \"Ada Lovelace\" <ada@x.example>\nAn: grace@y.example\nBetreff: Cart\n\nhi",
    ),
    (
        "lotus notes",
        "From:   Ada Lovelace/ENG/ACME\nTo:     Grace Hopper <grace@y.example>\nDate:   01/01/2024 15:00\nSubject:        Re: Cart\n\n\n\nhi",
    ),
    ("front", "On January 1, 2024 at 3:00 PM GMT+1 ada@x.example wrote:\n\nhi"),
    ("hey", "On January 1, 2024, Ada Lovelace <ada@x.example> wrote:\n> hi"),
    (
        "hushmail",
        "Sent using Hushmail\n\nOn 1/1/2024 at 3:00 PM, \"Ada Lovelace\" <ada@x.example> wrote:hi\nOn 1/1/2024 at 3:00 PM, \"Ada Lovelace\" <ada@x.example> wrote:\n> hi",
    ),
    (
        "thunderbird forwards",
        "-------- Forwarded Message --------\nSubject: \tCart\nDate: \tMon, 1 Jan 2024 15:00:00 +0100\nFrom: \tAda Lovelace <ada@x.example>\nTo: \tgrace@y.example\n\n\n\nhi",
    ),
    (
        "apple mail forwards",
        "Begin forwarded message:\n\nFrom: Ada <ada@x.example>\nSubject: Cart\nDate: 1 January 2024 at 15:00:00 CET\nTo: grace@y.example\n\nhi",
    ),
    (
        "marked fields",
        "> From: ada@x.example\n> To: grace@y.example\n> Subject: Cart\n> Date: Mon, 1 Jan 2024\n>\n> hi",
    ),
    (
        "quote, then signature",
        "On Mon, Jan 1, 2024 at 3:00 PM Ada <ada@x.example> wrote:\n> hi\n\n-- \nGrace\nExample Ltd",
    ),
    (
        "signature, then quote",
        "-- \nGrace Hopper\nExample Ltd\n+1 555 0100\n\nOn Mon, Jan 1, 2024 at 3:00 PM Ada <ada@x.example> wrote:\n\n> hi",
    ),
    (
        "quote in quote",
        "On Tue, Jan 2, 2024 at 3:00 PM Ada <ada@x.example> wrote:\n> On Mon, Jan 1, 2024 at 3:00 PM Bob <bob@x.example> wrote:\n>> hi\n> ho",
    ),
    (
        "two unmarked levels",
        "On Tue, Jan 2, 2024 at 3:00 PM Ada <ada@x.example> wrote:\nho\n\nOn Mon, Jan 1, 2024 at 3:00 PM Bob <bob@x.example> wrote:\nhi",
    ),
    (
        "google group",
        "-- \nYou received this message because you are subscribed to the Google Groups \"cart\" group.\nTo unsubscribe from this group, send an email to cart+unsubscribe@x.example.",
    ),
    (
        "mailman",
        "_______________________________________________\ncart mailing list\ncart@x.example\nhttps://x.example/mailman/listinfo/cart",
    ),
    ("unknown language", "Ar 1/1/2024 am 15:00, sgriobh Ada Lovelace <ada@x.example>:\n> hi"),
    (
        "lone rule above a block",
        "\n  _____  \n\nFrom: Ada [mailto:ada@x.example]\nSent: Monday, January 01, 2024 3:00 PM\nTo: Grace\nSubject: Cart\n\nhi",
    ),
    ("helpdesk's line", "##- Please type your reply above this line -##\n\nYour request has been updated."),
    ("by name only", "On Mon, Jan 1, 2024 at 3:00 PM, Ada wrote:\n\n| hi\n| there"),
    ("narrow blanks", "On Mon, Jan 1, 2024 at 3:00\u{202f}PM Ada Lovelace <ada@x.example> wrote:\n\n> hi"),
    (
        "wrapped in the address",
        "On Mon, Jan 1, 2024 at 3:00 PM Ada Lovelace via Support <\nada@x.example> wrote:\n\n> hi",
    ),
    ("wrapped three times", "On Mon, Jan 1, 2024 at 3:00 PM\nAda Lovelace\n<ada@x.example>\nwrote:\n\n> hi"),
    (
        "with a blank line in it",
        "On Mon, Jan 1, 2024 at 3:00 PM Ada Lovelace <ada@x.example>\n\nwrote:\n\n> hi",
    ),
    ("in stars", "*On Mon, Jan 1, 2024 at 3:00 PM Ada Lovelace <ada@x.example> wrote:*\n\n> hi"),
    (
        "windows phone",
        "Sent from my Windows Phone\n________________________________\nFrom: Ada Lovelace\nSent: ‎1/‎1/‎2024 15:00\nTo: Grace Hopper\nSubject: Cart\n\nhi",
    ),
    (
        "sent on the way",
        "Sent from my iPhone, please excuse brevity and typos.\n\nOn 1 Jan 2024, at 15:00, Ada <ada@x.example> wrote:\n\n> hi",
    ),
    (
        "from and date only",
        "From: Ada Lovelace <ada@x.example>\nDate: Monday, January 1, 2024 at 3:00 PM\nTo: Grace Hopper <grace@y.example>\nSubject: Cart\nhi",
    ),
    (
        "swiss",
        "Von: Ada Lovelace <ada@x.example>\nDatum: Montag, 1. Januar 2024 um 15:00\nAn: Grace Hopper\nBetreff: Cart\nhi",
    ),
    (
        "french mac",
        "De : Ada Lovelace <ada@x.example>\nDate : lundi, 1 janvier 2024 à 15:00\nÀ : Grace Hopper\nCc : Bob\nObjet : Cart\nhi",
    ),
];

#[test]
fn answers_of_further_programs() {
    let mut wrong = Vec::new();
    for (name, below) in FURTHER {
        let text = format!("Yes, thanks.\n\n{below}\n");
        let message = Message { plain: Some(text), ..Message::default() };
        let (body, folded) = seen(&message);
        let wanted = if below.starts_with("Grace\n") { "Yes, thanks.\n\nGrace" } else { "Yes, thanks." };
        if body != wanted {
            wrong.push(format!("{name}: {body}\n--- {folded}\n==="));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_persons_write_of_mails_and_programs_is_text() {
    for text in [
        "Outlook for Android",
        "I use two programs:\n\nOutlook on iOS\nGmail on Android",
        "Hello,\n\nfrom: the cart\nto: the checkout\n\nthere is a jump.",
        "The log says:\n\n2024-01-01 15:00:01 ERROR cart: no such item\n2024-01-01 15:00:02 INFO done",
        "On Monday, January 1, 2024 we tried three things:\n\n1. one\n2. two",
        "Ada wrote on the forum that it works:\n\nsee there",
        "Please send the invoice to ada@x.example by 12/05/2024:\n\nExample Ltd\nStreet 1",
        "Steps\n=====\n\n1. a\n\n-----\n\nResult\n------\nnone",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\ndone",
        "Date: 2024-01-01\nAmount: 12 EUR\nNumber: 4711\n\nPlease check.",
        "Subject: my account\nName: Ada\n\nI cannot log in.",
        "diff:\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n\nGrace",
        "a\n\n* * *\n\nb\n\n___\n\nc",
        "The message was sent from my iPhone, and the page stays blank.\n\nWhy?",
        "Original message text is lost.\n\nForwarded message too.",
    ] {
        let message = Message { plain: Some(text.to_owned()), ..Message::default() };
        assert_eq!(seen(&message), (text.to_owned(), String::new()));
    }
}
