//! The path of an operation: as the pattern of a policy, and as a path that falls under it.

use scopegate_core::outline::Pattern;

use crate::demand::Unsaid;

/// The path of an operation with what a server puts before it.
pub fn joined(base_path: &str, template: &str) -> String {
    match (base_path, template) {
        // The server's own address: one trailing slash is ignored anyhow.
        ("", path) | (path, "/") => path.to_owned(),
        (base, path) => format!("{base}{path}"),
    }
}

/// The pattern of a path, and how a policy writes it. The names of parameters do not matter: what ours cannot hold becomes `-`.
///
/// # Errors
/// A policy cannot say it.
pub fn pattern_text(path: &str) -> Result<(String, Pattern), Unsaid> {
    let unsaid = |message: String| Unsaid::new("path", message);
    let segments: Result<Vec<String>, Unsaid> = path.split('/').map(segment).collect();
    let text = segments?.join("/");
    match Pattern::parse(&text) {
        Ok(pattern) => Ok((text, pattern)),
        Err(invalid) => Err(unsaid(format!(
            "a policy has no such path: {}",
            invalid.message()
        ))),
    }
}

fn segment(segment: &str) -> Result<String, Unsaid> {
    let inside = segment
        .strip_prefix('{')
        .and_then(|inside| inside.strip_suffix('}'));
    let Some(name) = inside.filter(|name| !name.contains(['{', '}'])) else {
        return Ok(segment.to_owned());
    };
    // Frameworks write parameters so that take several segments, or only some values. OpenAPI has no such thing.
    if name.is_empty() || name.contains(['*', '+', ':', '=']) {
        let message = format!(
            "`{}` is no parameter of OpenAPI, and may mean more or less than one segment",
            segment.escape_debug()
        );
        return Err(Unsaid::new("path", message));
    }
    let fit = |name: char| match name {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => name,
        _ => '-',
    };
    let name: String = name.chars().map(fit).collect();
    Ok(format!("{{{name}}}"))
}

/// Makes paths that fall under templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    filler: String,
}

impl Witness {
    /// One whose parameters are none of the words in these paths.
    pub fn foreign_to<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut filler = String::from("witness");
        while paths
            .clone()
            .any(|path| path.to_ascii_lowercase().contains(&filler))
        {
            filler.push('0');
        }
        Self { filler }
    }

    /// A path that falls under a template, as a client would send it.
    pub fn path(&self, template: &str) -> String {
        let mut path = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((_, behind)) = behind.split_once('}') else {
                break;
            };
            push_escaped(&mut path, before);
            path.push_str(&self.filler);
            rest = behind;
        }
        push_escaped(&mut path, rest);
        path
    }
}

/// A piece of a path with its characters escaped that cannot stand for themselves (RFC 3986 section 3.3).
fn push_escaped(path: &mut String, piece: &str) {
    for octet in piece.bytes() {
        let stands = octet.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&octet);
        match stands {
            true => path.push(char::from(octet)),
            false => path.push_str(&format!("%{octet:02X}")),
        }
    }
}
