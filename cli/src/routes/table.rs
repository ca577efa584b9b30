//! The matrix for a terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::matrix::{Matrix, Row};
use super::words;

/// A table with a column for each scope where that fits into `width` characters, or with one column for all of them. Without a width
/// everything fits.
pub(super) fn render(matrix: &Matrix, width: Option<usize>) -> String {
    let wide = drawn(matrix, Layout::Matrix, None);
    let table = match width {
        Some(width) if reach(&wide) > width => drawn(matrix, Layout::List, Some(width)),
        _ => wide,
    };
    let mut text = table;
    for note in words::notes(matrix) {
        text.push('\n');
        text.push_str(note);
    }
    text.push('\n');
    text
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A column for each scope.
    Matrix,
    /// One column for all of them.
    List,
}

fn drawn(matrix: &Matrix, layout: Layout, width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    match width {
        None => table.set_content_arrangement(ContentArrangement::Disabled),
        Some(width) => {
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
            table.set_content_arrangement(ContentArrangement::Dynamic)
        }
    };
    let mut header = vec![cell("path"), cell("methods"), cell("who may pass")];
    if layout == Layout::Matrix {
        let scopes = matrix.scopes.iter();
        header.extend(scopes.map(|scope| cell(scope).set_alignment(CellAlignment::Center)));
    }
    header.extend([cell("and"), cell("how")]);
    table.set_header(header);
    for row in &matrix.routes {
        table.add_row(line(matrix, row, layout));
    }
    table.add_row(["anything else", "any", words::unmatched(matrix.unmatched)]);
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

fn line(matrix: &Matrix, row: &Row, layout: Layout) -> Vec<Cell> {
    let mut cells = vec![cell(&row.path), cell(&words::methods(row))];
    match layout {
        Layout::List => cells.push(cell(&words::demand(row))),
        Layout::Matrix => {
            cells.push(cell(words::who(row.access)));
            let marks = matrix.scopes.iter().map(|scope| row.mark(scope));
            cells.extend(
                marks.map(|mark| Cell::new(words::mark(mark)).set_alignment(CellAlignment::Center)),
            );
        }
    }
    let conditions = words::conditions(row);
    let conditions: Vec<_> = conditions.iter().map(|text| words::visible(text)).collect();
    cells.push(Cell::new(conditions.join("\n")));
    cells.push(cell(&words::handling(row).join(", ")));
    cells
}

fn cell(text: &str) -> Cell {
    Cell::new(words::visible(text))
}

/// How many characters the longest line takes. All of the table's own take one.
fn reach(table: &str) -> usize {
    let first = table.lines().next().unwrap_or_default();
    first.chars().count()
}

#[cfg(test)]
mod tests {
    use scopegate_core::Policy;

    use super::*;

    #[test]
    fn where_the_columns_of_the_scopes_do_not_fit_one_column_names_them() {
        let policy = include_str!("../../../examples/timesheets/policy.yaml");
        let matrix = Matrix::of(&Policy::parse(policy).unwrap());
        let wide = render(&matrix, None);
        assert_eq!(render(&matrix, Some(reach(&wide))), wide);
        let narrow = render(&matrix, Some(80));
        assert!(reach(&narrow) <= 80, "{narrow}");
        assert!(narrow.contains("┆ delete:timesheets, admin ┆"), "{narrow}");
        assert!(
            wide.contains("┆   ○   ┆") && !narrow.contains("┆   ○   ┆"),
            "{narrow}"
        );
    }
}
