//! Where everything stands, from the size of the terminal alone.
//!
//! Pure; both update (page sizes, scrolling, wrapping) and draw use it, so that drawing never has to
//! tell anything back.

use ratatui::layout::Rect;

/// From this width on the preview stands at the right.
const SIDE_BY_SIDE: u16 = 110;
/// The list beside its preview is as wide as on a small screen, so that its titles are as long.
const LIST: u16 = 80;
/// From this height on it stands below, where the width does not allow it at the right.
const STACKED: u16 = 30;

/// What is to be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The list, with its preview where there is room.
    List,
    /// The list without a preview.
    ListAlone,
    /// One issue.
    Thread,
    /// One issue above the composer; so many lines of the composer are fields.
    Compose { fields: u16 },
    /// A list with what its selected row makes: beside it, or below where it is narrow.
    Beside,
    /// A screen of its own: outbox, intake, projects.
    Plain,
}

/// The areas of one mode. What a mode lacks is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    pub header: Rect,
    pub query: Rect,
    pub top_rule: Rect,
    pub heads: Rect,
    pub body: Rect,
    /// The line between body and preview: a column at the right, a row below.
    pub divider: Rect,
    pub preview: Rect,
    pub compose_rule: Rect,
    pub fields: Rect,
    pub compose: Rect,
    pub bottom_rule: Rect,
    pub status: Rect,
    pub footer: Rect,
}

/// Lays out `mode` on a terminal of `width` by `height` cells.
pub fn areas(width: u16, height: u16, mode: Mode) -> Areas {
    let row = |y: u16, h: u16| Rect::new(0, y.min(height), width, h.min(height.saturating_sub(y)));
    let foot = height.saturating_sub(3);
    let mut areas = Areas {
        header: row(0, 1),
        bottom_rule: row(foot, 1),
        status: row(foot + 1, 1),
        footer: row(foot + 2, 1),
        ..Areas::default()
    };
    match mode {
        Mode::List | Mode::ListAlone => {
            areas.query = row(1, 1);
            areas.top_rule = row(2, 1);
            areas.heads = row(3, 1);
            let body = row(4, foot.saturating_sub(4));
            match mode {
                Mode::List => split_list(&mut areas, body),
                _ => areas.body = body,
            }
        }
        Mode::Plain => {
            areas.top_rule = row(1, 1);
            areas.heads = row(2, 1);
            areas.body = row(3, foot.saturating_sub(3));
        }
        Mode::Beside => {
            areas.top_rule = row(1, 1);
            areas.heads = row(2, 1);
            split_beside(&mut areas, row(3, foot.saturating_sub(3)));
        }
        Mode::Thread => {
            areas.top_rule = row(1, 1);
            areas.body = row(2, foot.saturating_sub(2));
        }
        Mode::Compose { fields } => {
            areas.top_rule = row(1, 1);
            let room = foot.saturating_sub(2);
            let lower = (room / 2).max(4).min(room);
            let rule = 2 + room - lower;
            areas.body = row(2, room - lower);
            areas.compose_rule = row(rule, 1);
            let fields = fields.min(lower.saturating_sub(2));
            areas.fields = row(rule + 1, fields);
            areas.compose = row(rule + 1 + fields, lower.saturating_sub(1 + fields));
        }
    }
    areas
}

fn split_list(areas: &mut Areas, body: Rect) {
    let (width, height) = (body.width, areas.footer.bottom());
    areas.body = body;
    let top = body.y.saturating_sub(1);
    if width >= SIDE_BY_SIDE && !body.is_empty() {
        let list = (width * 3 / 5).max(LIST);
        areas.body.width = list;
        areas.heads.width = list;
        areas.divider = Rect::new(list, top, 1, body.height + 1);
        areas.preview = Rect::new(list + 2, top, width - list - 2, body.height + 1);
    } else if height >= STACKED {
        let list = body.height * 2 / 5;
        areas.body.height = list;
        areas.divider = Rect::new(0, body.y + list, width, 1);
        areas.preview = Rect::new(1, body.y + list + 1, width.saturating_sub(1), body.height - list - 1);
    }
}

/// The list is short and the text is what is looked at: it gets the most.
fn split_beside(areas: &mut Areas, body: Rect) {
    areas.body = body;
    let top = body.y.saturating_sub(1);
    if body.width >= SIDE_BY_SIDE && !body.is_empty() {
        let list = body.width * 2 / 5;
        areas.body.width = list;
        areas.heads.width = list;
        areas.divider = Rect::new(list, top, 1, body.height + 1);
        areas.preview = Rect::new(list + 2, top, body.width - list - 2, body.height + 1);
    } else if body.height >= 9 {
        let list = (body.height * 2 / 5).min(10);
        areas.body.height = list;
        areas.divider = Rect::new(0, body.y + list, body.width, 1);
        let width = body.width.saturating_sub(1);
        areas.preview = Rect::new(1, body.y + list + 1, width, body.height - list - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_screen_at_any_size() {
        for width in [0u16, 1, 20, 40, 80, 109, 110, 200, 400] {
            for height in [0u16, 1, 3, 5, 8, 12, 24, 29, 30, 60, 200] {
                for mode in [Mode::List, Mode::Beside, Mode::Thread, Mode::Plain, Mode::Compose { fields: 3 }]
                {
                    let a = areas(width, height, mode);
                    for r in [
                        a.header,
                        a.query,
                        a.top_rule,
                        a.heads,
                        a.body,
                        a.divider,
                        a.preview,
                        a.compose_rule,
                        a.fields,
                        a.compose,
                        a.bottom_rule,
                        a.status,
                        a.footer,
                    ] {
                        let inside = r.is_empty() || (r.right() <= width && r.bottom() <= height);
                        assert!(inside, "{width}x{height} {mode:?} {r:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_preview_goes_where_there_is_room() {
        assert!(areas(80, 24, Mode::List).preview.is_empty());
        assert_eq!(areas(80, 40, Mode::List).divider.height, 1);
        assert_eq!(areas(120, 24, Mode::List).divider.width, 1);
    }

    #[test]
    fn the_composer_takes_the_lower_half_and_leaves_the_thread_readable() {
        let a = areas(80, 24, Mode::Compose { fields: 0 });
        assert!(a.body.height >= 9 && a.compose.height >= 8, "{a:?}");
    }
}
