//! Where a key stands in a specification. Lines and columns are counted when somebody asks: few are ever shown, and a specification can be
//! one line of many megabytes.

/// A piece of one line of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, counted from 1.
    pub line: u32,
    /// The column, in characters, counted from 1.
    pub column: u32,
    /// How far it goes, in characters; 0 for a mere position.
    pub length: u32,
}

/// The longest line of which a piece is shown to people.
const MAX_SHOWN_LINE: usize = 400;

/// Where a key stands, in octets of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    Start(usize),
    /// Behind its closing quote.
    End(usize),
}

impl Spot {
    /// Of what does not stand in the document.
    pub const NOWHERE: Self = Self {
        known: Known::Nothing,
    };

    pub(crate) fn starting_at(offset: Option<usize>) -> Self {
        let known = offset.map_or(Known::Nothing, Known::Start);
        Self { known }
    }

    pub(crate) fn ending_at(offset: usize) -> Self {
        let known = Known::End(offset);
        Self { known }
    }

    /// Its line and column, where it has any that people can find.
    pub fn place(self, lines: &Lines<'_>) -> Option<Place> {
        let text = lines.text;
        let (start, end) = match self.known {
            Known::Nothing => return None,
            Known::Start(start) => {
                let rest = text.get(start..)?;
                let end = rest.find([':', '\n']).unwrap_or(rest.len());
                (start, start.saturating_add(end))
            }
            Known::End(end) => {
                let before = text.get(..end.saturating_sub(1))?;
                (before.rfind('"')?, end)
            }
        };
        let number = lines.starts.partition_point(|first| *first <= start);
        let first = *lines.starts.get(number.saturating_sub(1))?;
        let line = text.get(first..)?;
        if line
            .bytes()
            .take_while(|octet| *octet != b'\n')
            .nth(MAX_SHOWN_LINE)
            .is_some()
        {
            return None;
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let column = text.get(first..start)?.chars().count();
        Some(Place {
            line: count(number),
            column: count(column).saturating_add(1),
            length: count(text.get(start..end)?.chars().count()),
        })
    }
}

/// A text, and where its lines begin.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// The lines of that text.
    pub fn of(text: &'t str) -> Self {
        let ends = text
            .match_indices('\n')
            .map(|(end, _)| end.saturating_add(1));
        let starts = std::iter::once(0).chain(ends).collect();
        Self { text, starts }
    }
}
