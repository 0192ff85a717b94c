//! Links that the terminal can open: what stands on the screen as an address is sent once more as a link (OSC 8).

use ratatui::buffer::{Buffer, Cell};

/// Nearer to the right edge an address may go on in the next line, and half of it leads elsewhere.
const EDGE: u16 = 4;
const CLOSERS: [&str; 6] = [")", ">", "]", "\"", "'", "`"];

/// An address on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Hyperlink {
    pub x: u16,
    pub y: u16,
    pub address: String,
    pub cells: Vec<Cell>,
}

/// Finds the addresses that stand whole on the screen.
pub fn hyperlinks(buffer: &Buffer) -> Vec<Hyperlink> {
    let area = buffer.area;
    let found = (area.y..area.bottom()).flat_map(|y| {
        let mut links = Vec::new();
        let mut x = area.x;
        while x < area.right() {
            match hyperlink(buffer, x, y) {
                Some(link) => {
                    x += u16::try_from(link.cells.len()).unwrap_or(1);
                    links.push(link);
                }
                None => x += 1,
            }
        }
        links
    });
    found.collect()
}

fn hyperlink(buffer: &Buffer, x: u16, y: u16) -> Option<Hyperlink> {
    let right = buffer.area.right();
    // What most cells hold decides it at once.
    if buffer.cell((x, y))?.symbol() != "h" {
        return None;
    }
    let cells = (x..right).map_while(|x| buffer.cell((x, y)).filter(|cell| belongs(cell.symbol())));
    let mut cells: Vec<Cell> = cells.cloned().collect();
    let end = x + u16::try_from(cells.len()).ok()?;
    let parted =
        buffer.cell((end, y)).is_none_or(|cell| cell.symbol() != " " && !CLOSERS.contains(&cell.symbol()));
    if parted || end + EDGE > right {
        return None;
    }
    while cells.last().is_some_and(|cell| [".", ",", ";", ":", "!", "?"].contains(&cell.symbol())) {
        cells.pop();
    }
    let address: String = cells.iter().map(Cell::symbol).collect();
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    (rest.len() > 3).then_some(Hyperlink { x, y, address, cells })
}

fn belongs(symbol: &str) -> bool {
    symbol.len() == 1 && symbol.bytes().all(|b| b.is_ascii_graphic()) && !CLOSERS.contains(&symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Vec<(u16, u16, String)> {
        let buffer = Buffer::with_lines(lines.iter().map(|l| format!("{l:<40}")).collect::<Vec<_>>());
        hyperlinks(&buffer).into_iter().map(|link| (link.x, link.y, link.address)).collect()
    }

    #[test]
    fn whole_addresses_are_links_without_what_ends_their_sentence() {
        let lines = ["see https://a.example/x?y=1, then", "", " (http://b.example) https://c.example "];
        let expected = [
            (4, 0, "https://a.example/x?y=1".to_owned()),
            (2, 2, "http://b.example".to_owned()),
            (20, 2, "https://c.example".to_owned()),
        ];
        // The last one ends too near to the edge to be known whole.
        assert_eq!(found(&lines), expected[..2]);
    }

    #[test]
    fn what_may_go_on_or_was_cut_is_no_link() {
        assert_eq!(found(&["https://a.example/aaaaaaaaaaaaaaaaaaaaa"]), []);
        assert_eq!(found(&["https://a.exa… and more"]), []);
        assert_eq!(found(&["https:// and http://x and xhttp"]), []);
    }
}
