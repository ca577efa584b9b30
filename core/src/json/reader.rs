//! From a JSON text to an object, in one pass.

use std::{fmt, str};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::object::{Inside, Node, Object, Span};
use super::{InvalidJson, MAX_DEPTH};

/// Up to so many names of one object are compared each with each; more of them are sorted first, so that a client that sends nothing but
/// names gains nothing by it.
const FEW_NAMES: usize = 16;

/// As many nodes as tokens of the known issuers have at most for their length: their payloads one for some twenty octets, their short headers
/// more. Where there are more, they are moved once or twice as they grow; where there are fewer, the token cache gives back the room.
fn nodes_expected(text: &str) -> usize {
    (text.len() / 18).saturating_add(6)
}

/// The one object that `bytes` hold.
pub(super) fn read(bytes: &[u8]) -> Result<Object, InvalidJson> {
    // Places are numbers of 32 bits. Of what is read here nothing is as long by far.
    u32::try_from(bytes.len()).map_err(|_| InvalidJson::Syntax)?;
    let text = str::from_utf8(bytes).map_err(|_| InvalidJson::NotUtf8)?;
    if text.starts_with('\u{feff}') {
        return Err(InvalidJson::ByteOrderMark);
    }
    let mut reader = Reader {
        object: Object {
            text: String::with_capacity(text.len()),
            nodes: Vec::with_capacity(nodes_expected(text)),
        },
        names: SmallVec::new(),
        refusal: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let root = Strict {
        reader: &mut reader,
        depth_left: MAX_DEPTH,
    };
    root.deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|_| reader.refusal.unwrap_or(InvalidJson::Syntax))?;
    match reader.object.nodes.first() {
        Some(Node::Object(_)) => Ok(reader.object),
        _ => Err(InvalidJson::NotAnObject),
    }
}

/// What has been read so far.
struct Reader {
    object: Object,
    /// The names of the objects that are not at their end yet.
    names: SmallVec<[Span; FEW_NAMES]>,
    /// Errors of serde carry only text, so the reason leaves by this.
    refusal: Option<InvalidJson>,
}

impl Reader {
    fn refuse<E: Error>(&mut self, reason: InvalidJson) -> E {
        self.refusal = Some(reason);
        E::custom(reason)
    }

    fn text(&mut self, text: &str) -> Span {
        let start = place(self.object.text.len());
        self.object.text.push_str(text);
        let end = place(self.object.text.len());
        Span { start, end }
    }

    /// Makes room for a node whose size is known only at its end.
    fn open(&mut self) -> usize {
        let place = self.object.nodes.len();
        self.object.nodes.push(Node::Null);
        place
    }

    /// Everything that came behind the node at `place` belongs to it.
    fn close(&mut self, place: usize, kind: fn(Inside) -> Node) {
        let behind = self.object.nodes.get_mut(place..);
        if let Some([node, inside @ ..]) = behind {
            *node = kind(Inside(self::place(inside.len())));
        }
    }

    /// Forgets the names from `first` on, and says whether one of them came twice. They are unescaped: `"\u0061lg"` and `"alg"` are one name.
    fn forget_names(&mut self, first: usize) -> bool {
        let text = |name: &Span| name.octets(&self.object.text);
        let names = self.names.get_mut(first..).unwrap_or_default();
        let came_twice = match names.len() {
            ..=FEW_NAMES => (1..).zip(names.iter()).any(|(next, name)| {
                let mut others = names.iter().skip(next);
                others.any(|other| name.len() == other.len() && text(name) == text(other))
            }),
            _ => {
                names.sort_unstable_by(|one, other| text(one).cmp(text(other)));
                let mut pairs = names.array_windows();
                pairs.any(|[one, other]| text(one) == text(other))
            }
        };
        self.names.truncate(first);
        came_twice
    }
}

/// A place in the text or among the nodes, in 32 bits.
fn place(place: usize) -> u32 {
    // INVARIANT: strings are no longer than they were written, and every node was written in an octet or more, of which there are no
    // more than 32 bits can count.
    place as u32
}

/// Reads a value, counts the depth, and refuses a name that comes twice: of two members with one name a `serde_json::Value` keeps the last.
struct Strict<'r> {
    reader: &'r mut Reader,
    depth_left: usize,
}

impl Strict<'_> {
    fn node<E>(self, node: Node) -> Result<(), E> {
        self.reader.object.nodes.push(node);
        Ok(())
    }

    /// How much deeper the values in this one may nest.
    fn descend<E: Error>(&mut self) -> Result<usize, E> {
        let deeper = self.depth_left.checked_sub(1);
        deeper.ok_or_else(|| self.reader.refuse(InvalidJson::TooDeep))
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.node(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.node(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.node(Node::Signed(value.to_ne_bytes()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.node(Node::Unsigned(value.to_ne_bytes()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        match value.is_finite() {
            true => self.node(Node::Float(value.to_ne_bytes())),
            false => Err(E::custom("a number that is not finite")),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        let span = self.reader.text(value);
        self.node(Node::String(span))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let depth_left = self.descend()?;
        let Self { reader, .. } = self;
        let place = reader.open();
        while let Some(()) = access.next_element_seed(Strict { reader, depth_left })? {}
        reader.close(place, Node::Array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let depth_left = self.descend()?;
        let Self { reader, .. } = self;
        let place = reader.open();
        let first_name = reader.names.len();
        while let Some(()) = access.next_key_seed(Name { reader })? {
            access.next_value_seed(Strict { reader, depth_left })?;
        }
        reader.close(place, Node::Object);
        match reader.forget_names(first_name) {
            true => Err(reader.refuse(InvalidJson::DuplicateName)),
            false => Ok(()),
        }
    }
}

/// Reads the name of a member.
struct Name<'r> {
    reader: &'r mut Reader,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        let span = self.reader.text(name);
        self.reader.names.push(span);
        self.reader.object.nodes.push(Node::Name(span));
        Ok(())
    }
}
