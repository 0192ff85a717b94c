//! What of a mail's HTML a browser would not show: hidden elements, text in the colour of what is behind it,
//! images that only count their readers.

use super::html_clean::attribute;
use html2text::Handle;

/// Elements whose content is no text of the page.
const UNSEEN: &[&str] =
    &["head", "script", "style", "title", "meta", "link", "template", "noscript", "noframes", "map"];

/// The style of an element: its text without blanks, in lower case.
#[derive(Default)]
pub(super) struct Style(String);

impl Style {
    pub(super) fn of(node: &Handle) -> Self {
        let Some(style) = attribute(node, "style") else { return Self::default() };
        Self(style.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Gives its rules, the last first: that one holds.
    fn rules(&self) -> Vec<(&str, &str)> {
        let rules = self.0.rsplit(';').filter_map(|rule| rule.split_once(':'));
        rules.map(|(name, value)| (name, value.trim_end_matches("!important"))).collect()
    }
}

/// Tells whether a browser would show nothing of an element that stands on the colour `behind`.
pub(super) fn is_hidden(node: &Handle, name: &str, style: &Style, behind: Option<u32>) -> bool {
    if UNSEEN.contains(&name) || attribute(node, "hidden").is_some() {
        return true;
    }
    let rules = style.rules();
    let back = background_of(&rules).or_else(|| stated_background(node)).or(behind);
    let text = value(&rules, "color").and_then(colour).or_else(|| own_colour(node, name));
    if text.is_some() && text == back {
        return true;
    }
    !rules.is_empty() && is_hidden_by(&rules, name)
}

/// Tells whether a style shows nothing.
fn is_hidden_by(rules: &[(&str, &str)], name: &str) -> bool {
    let has = |property: &str, wanted: &[&str]| value(rules, property).is_some_and(|v| wanted.contains(&v));
    let zero = |property: &str| value(rules, property).is_some_and(|v| number(v).is_some_and(|n| n <= 1.0));
    let none = |property: &str| value(rules, property).is_some_and(|v| number(v) == Some(0.0));
    let clipped = || has("overflow", &["hidden"]) && (zero("height") || zero("width"));
    let away = || {
        ["text-indent", "left", "top", "margin-left"]
            .iter()
            .any(|property| value(rules, property).and_then(number).is_some_and(|n| n <= -900.0))
    };
    has("display", &["none"])
        || has("mso-hide", &["all"]) && name != "table"
        || has("visibility", &["hidden", "collapse"])
        || zero("font-size")
        || none("max-height")
        || none("max-width")
        || none("opacity")
        || clipped()
        || away()
}

/// Gives the value of a property.
fn value<'a>(rules: &[(&str, &'a str)], property: &str) -> Option<&'a str> {
    rules.iter().find(|(name, _)| *name == property).map(|(_, value)| *value)
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
pub(super) fn background(node: &Handle, style: &Style) -> Option<u32> {
    background_of(&style.rules()).or_else(|| stated_background(node))
}

fn background_of(rules: &[(&str, &str)]) -> Option<u32> {
    value(rules, "background-color").or_else(|| value(rules, "background")).and_then(colour)
}

fn stated_background(node: &Handle) -> Option<u32> {
    attribute(node, "bgcolor").and_then(|c| colour(&c))
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
    let style = Style::of(node);
    let rules = style.rules();
    let small = |name: &str| {
        let stated = attribute(node, name).map(|v| v.trim().to_ascii_lowercase());
        let stated = stated.as_deref().or_else(|| value(&rules, name)).and_then(number);
        stated.is_some_and(|n| n <= 3.0)
    };
    small("width") || small("height")
}
