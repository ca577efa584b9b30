//! What the parser says, one step after the other, as far as a tree is made of it.

use std::borrow::Cow;

use granit_parser::{Event, ScalarStyle, Span};

use crate::node::Place;

/// What the parser says next. Its own event and span are three times as large, and would be copied from hand to hand.
pub(crate) struct Step<'t> {
    pub(crate) part: Part<'t>,
    pub(crate) place: Place,
    /// Where its tag is, if it has one.
    pub(crate) tag: Option<Place>,
}

/// A part of the text, as far as a tree is made of it.
pub(crate) enum Part<'t> {
    /// The stream begins, or a document ends.
    Boundary,
    DocumentStart,
    StreamEnd,
    Scalar(Cow<'t, str>, ScalarStyle),
    List,
    Mapping,
    /// The end of a list or a mapping.
    End,
    /// An alias; what else there may be in a later version of the parser is no value either.
    Alias,
}

impl<'t> Step<'t> {
    /// What the parser says there.
    pub(crate) fn of(event: Event<'t>, span: &Span) -> Self {
        let (part, is_tagged) = match event {
            Event::Scalar(text, style, _, tag) => (Part::Scalar(text, style), tag.is_some()),
            Event::SequenceStart(_, _, tag) => (Part::List, tag.is_some()),
            Event::MappingStart(_, _, tag) => (Part::Mapping, tag.is_some()),
            Event::SequenceEnd | Event::MappingEnd => (Part::End, false),
            Event::StreamStart | Event::DocumentEnd => (Part::Boundary, false),
            Event::DocumentStart(..) => (Part::DocumentStart, false),
            Event::StreamEnd => (Part::StreamEnd, false),
            _ => (Part::Alias, false),
        };
        let place = match part {
            Part::Scalar(..) | Part::Alias => Place::of_scalar(span),
            _ => Place::of_position(&span.start),
        };
        let tag = is_tagged.then(|| span.tag_span().map_or(place, |tag| Place::of_scalar(&tag)));
        Self { part, place, tag }
    }
}
