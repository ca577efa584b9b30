//! Diagnostics for people: the line, what is wrong underlined, and the remedy.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::document::Document;
use crate::place::Place;

/// How wide sentences and sources are shown. Not the terminal's width, so that the same policy is told in the same way everywhere.
const WIDTH: usize = 140;

/// All of them, with styles; whoever writes to something that knows no styles takes them out.
pub fn render(document: &Document, diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::styled()
        .decor_style(DecorStyle::Ascii)
        .term_width(WIDTH);
    let lines: Vec<&str> = document.text.split('\n').collect();
    let mut shown = String::new();
    for diagnostic in diagnostics {
        let groups = [group(document, &lines, diagnostic)];
        shown.push_str(&renderer.render(&groups));
        shown.push_str("\n\n");
    }
    shown
}

fn group<'a>(document: &'a Document, lines: &[&'a str], diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    let mut group = Group::with_title(title);
    if let Some(place) = diagnostic.place {
        group = group.element(snippet(document, lines, place, None));
    }
    for (place, label) in &diagnostic.related {
        group = group.element(snippet(document, lines, *place, Some(label)));
    }
    group.element(Level::HELP.message(&diagnostic.remedy))
}

/// One line of the text, with its place marked.
fn snippet<'a>(
    document: &'a Document,
    lines: &[&'a str],
    place: Place,
    label: Option<&'a str>,
) -> Snippet<'a, Annotation<'a>> {
    let number = usize::try_from(place.line).unwrap_or(usize::MAX);
    let line = lines.get(number.saturating_sub(1)).copied();
    let line = line.unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let (kind, label) = match label {
        None => (AnnotationKind::Primary, None),
        Some(label) => (AnnotationKind::Context, Some(label)),
    };
    let annotation = kind.span(octets(line, place)).label(label);
    Snippet::source(line)
        .line_start(number)
        .path(&document.name)
        .annotation(annotation)
}

/// The octets of a line that a place means; at least one character, if the line has any there.
fn octets(line: &str, place: Place) -> Range<usize> {
    let skipped = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let length = usize::try_from(place.length.max(1)).unwrap_or(usize::MAX);
    let offset = |characters: usize| {
        let mut starts = line.char_indices().map(|(start, _)| start);
        starts.nth(characters).unwrap_or(line.len())
    };
    offset(skipped)..offset(skipped.saturating_add(length))
}
