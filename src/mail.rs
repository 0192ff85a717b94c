//! Mail: from bytes to meaning, and from meaning to bytes.
//!
//! Owns parsing ([`read`], [`part`]), what a reader sees of a mail ([`visible`], [`html_to_text`]), what
//! wrote it ([`verdict`], [`authentication`]), and the mails that go out ([`compose`], [`fill`]). It is
//! the one place that knows mail-parser, html2text, ammonia, pulldown-cmark, encoding_rs,
//! simdutf8, chardetng and lettre's builder.
//!
//! Pure: no async, no clock, no network, no disk. It must not know projects, issues or settings beyond
//! what it is handed. Everything that comes in is hostile: nothing here panics on any bytes, libraries
//! that might run caught, and HTML is rendered under a cap and a deadline. Threads that may die of a
//! mail are named `mail-…`, so that a panic hook can keep quiet about them.
#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod armour;
mod authentication;
mod bars;
mod body;
mod bounce;
mod bounce_text;
mod calendar;
mod challenge;
mod charset;
mod complaint;
mod compose;
mod container;
mod fields;
mod flowed;
mod fold;
mod forwarded;
mod headers;
mod html;
mod html_bounds;
mod html_clean;
mod html_hidden;
mod html_links;
mod lines;
mod markdown;
mod message;
mod original;
mod parameters;
mod received;
mod returned;
mod rtf;
mod safe;
mod sealed;
mod skim;
mod split;
mod staff;
mod taking;
mod template;
mod tnef;
mod unfold;
mod uuencode;
mod vacation;
mod verdict;
mod visible;
mod words;
mod wrote;

pub use authentication::{authentication, dmarc_word, only_author};
pub use bounce::{Bounce, FailedRecipient};
pub use calendar::holidays;
pub use complaint::Complaint;
pub use compose::{ComposeError, Letter, compose, composed_size, mail_link, unsubscribe_link};
pub use forwarded::{forwarded, looks_forwarded};
pub use headers::Headers;
pub use html::{Rendered, html_to_text};
pub use markdown::{markdown_to_html, markdown_to_text};
pub use message::{Message, Unreadable, fingerprint, hash, part, read};
pub use original::original_html;
pub use received::{Border, border};
pub use returned::Returned;
pub use safe::{media_type, safe_file_name, sanitize_line};
pub use sealed::{
    Sealed, SealedForm, files, may_be_sealed, read_signed, sealed, show_text, to_sign, unsealed,
    with_signature,
};
pub use staff::{
    AnswerTo, DigestLine, MARK, Said, StaffText, answer_above, digest_text, plain_text, refusal_text,
    staff_text, verify_text, without_internal,
};
pub use taking::{emptied, without, without_part};
pub use template::{Values, default_template, fill, has_placeholder, unknown_placeholders};
pub use verdict::{MailClass, Own, Verdict, verdict};
pub use visible::{Reading, Visible, visible};

#[cfg(test)]
mod answers;
#[cfg(test)]
mod tests;
