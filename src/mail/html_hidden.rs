//! What of a mail's HTML a browser would not show: hidden elements, text in the colour of what is behind it,
//! images that only count their readers.

use super::html_clean::{attribute, style};
use html2text::Handle;

/// Elements whose content is no text of the page.
const UNSEEN: &[&str] =
    &["head", "script", "style", "title", "meta", "link", "template", "noscript", "noframes", "map"];

/// Tells whether a browser would show nothing of an element that stands on the colour `behind`.
pub(super) fn is_hidden(node: &Handle, name: &str, behind: Option<u32>) -> bool {
    if UNSEEN.contains(&name) || attribute(node, "hidden").is_some() {
        return true;
    }
    let style = style(node);
    let back =
        background_of(&style).or_else(|| attribute(node, "bgcolor").and_then(|c| colour(&c))).or(behind);
    let text = value(&style, "color").and_then(colour).or_else(|| own_colour(node, name));
    if text.is_some() && text == back {
        return true;
    }
    is_hidden_by(&style, name)
}

/// Tells whether a style shows nothing.
fn is_hidden_by(style: &str, name: &str) -> bool {
    let has = |property: &str, wanted: &[&str]| value(style, property).is_some_and(|v| wanted.contains(&v));
    let zero = |property: &str| value(style, property).is_some_and(|v| number(v).is_some_and(|n| n <= 1.0));
    let none = |property: &str| value(style, property).is_some_and(|v| number(v) == Some(0.0));
    let clipped = has("overflow", &["hidden"]) && (zero("height") || zero("width"));
    let away = ["text-indent", "left", "top", "margin-left"]
        .iter()
        .any(|property| value(style, property).and_then(number).is_some_and(|n| n <= -900.0));
    has("display", &["none"])
        || has("mso-hide", &["all"]) && name != "table"
        || has("visibility", &["hidden", "collapse"])
        || zero("font-size")
        || none("max-height")
        || none("max-width")
        || none("opacity")
        || clipped
        || away
}

/// Gives the value of a property in a style without blanks; the last one holds.
fn value<'a>(style: &'a str, property: &str) -> Option<&'a str> {
    let mut rules = style.rsplit(';').filter_map(|rule| rule.split_once(':'));
    rules.find(|(name, _)| *name == property).map(|(_, value)| value.trim_end_matches("!important"))
}

/// Gives the number of a length in pixels, points or the like; a hundredth for a percentage.
fn number(value: &str) -> Option<f64> {
    let digits = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-')).unwrap_or(value.len());
    let (digits, unit) = value.split_at_checked(digits)?;
    let number = digits.parse::<f64>().ok()?;
    match unit {
        "" | "px" | "pt" => Some(number),
        "em" | "rem" | "ex" | "%" | "vw" | "vh" if number == 0.0 => Some(0.0),
        _ => None,
    }
}

/// Gives the colour that is stated of what is behind the text of an element.
pub(super) fn background(node: &Handle) -> Option<u32> {
    background_of(&style(node)).or_else(|| attribute(node, "bgcolor").and_then(|c| colour(&c)))
}

fn background_of(style: &str) -> Option<u32> {
    value(style, "background-color").or_else(|| value(style, "background")).and_then(colour)
}

/// Gives the colour that `<font color>` states.
fn own_colour(node: &Handle, name: &str) -> Option<u32> {
    (name == "font").then(|| attribute(node, "color")).flatten().and_then(|c| colour(&c))
}

/// Reads a colour in the forms that mails use.
fn colour(text: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let named = [
        ("white", 0x00ff_ffff),
        ("black", 0),
        ("red", 0x00ff_0000),
        ("gray", 0x0080_8080),
        ("grey", 0x0080_8080),
    ];
    if let Some((_, colour)) = named.iter().find(|(name, _)| *name == text) {
        return Some(*colour);
    }
    if let Some(numbers) = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        let parts: Vec<u32> = numbers.split(',').filter_map(|n| n.trim().parse().ok()).collect();
        return match parts.as_slice() {
            [r, g, b] if parts.iter().all(|n| *n < 256) => Some(r << 16 | g << 8 | b),
            _ => None,
        };
    }
    let digits = text.strip_prefix('#').unwrap_or(&text);
    match digits.len() {
        3 => u32::from_str_radix(&digits.chars().flat_map(|c| [c, c]).collect::<String>(), 16).ok(),
        6 => u32::from_str_radix(digits, 16).ok(),
        _ => None,
    }
}

/// Tells whether an image is too small to be seen.
pub(super) fn is_pixel(node: &Handle) -> bool {
    let style = style(node);
    let small = |name: &str| {
        let stated = attribute(node, name).map(|v| v.trim().to_ascii_lowercase());
        let stated = stated.as_deref().or_else(|| value(&style, name)).and_then(number);
        stated.is_some_and(|n| n <= 3.0)
    };
    small("width") || small("height")
}
