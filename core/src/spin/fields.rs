//! The fields that Spin adds to a request: behind those that the client sent in the same names.

use crate::intermediary::{Fields, cgi_name};

/// What Spin tells a component about its request, beside `spin-path-match-*`.
const OF_SPIN: [&str; 7] = [
    "spin-base-path",
    "spin-client-addr",
    "spin-component-route",
    "spin-full-url",
    "spin-matched-route",
    "spin-path-info",
    "spin-raw-component-route",
];

/// What becomes of the fields that Spin adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpinFields {
    /// None goes on: to an upstream they would be the client's word.
    Strip,
    /// Spin's own go on, which the next component of a chain may want to read: of each name the last one.
    KeepOwn,
}

/// The client's address, without its port, as Spin saw it: in the last such field, since a client's own stand before it.
pub fn client_address<'a>(
    fields: impl DoubleEndedIterator<Item = (&'a [u8], &'a [u8])>,
) -> Option<String> {
    let is_it = |(name, _): &(&[u8], &[u8])| name.eq_ignore_ascii_case(b"spin-client-addr");
    let (_, value) = fields.rev().find(is_it)?;
    let (address, _) = str::from_utf8(value).ok()?.rsplit_once(':')?;
    Some(address.trim_matches(['[', ']']).to_owned())
}

/// Takes away what a client says in the name of Spin, in any spelling that a server which speaks CGI reads so, and perhaps what Spin
/// says itself.
pub fn strip_spin_fields(fields: &mut Fields, what: SpinFields) {
    let own = match what {
        SpinFields::Strip => Vec::new(),
        SpinFields::KeepOwn => own_names(fields),
    };
    // Spin's own stands behind a client's: from the end, the first one is Spin's.
    let mut seen = Vec::new();
    fields.reverse();
    fields.retain(|(name, _)| {
        let name = name.to_ascii_lowercase();
        if !cgi_name(&name).starts_with("spin-") {
            return true;
        }
        let stays = own.contains(&name) && !seen.contains(&name);
        seen.push(name);
        stays
    });
    fields.reverse();
}

/// The names that Spin has set itself: those that it always sets, and one for each `:NAME` of the route.
fn own_names(fields: &Fields) -> Vec<String> {
    let is_route = |(name, _): &&(String, Vec<u8>)| name.eq_ignore_ascii_case("spin-matched-route");
    let route = fields.iter().rev().find(is_route);
    let route = route.and_then(|(_, route)| str::from_utf8(route).ok());
    let segments = route.unwrap_or_default().split('/');
    let matches = segments
        .filter_map(|segment| segment.strip_prefix(':'))
        .map(|name| format!("spin-path-match-{}", name.to_ascii_lowercase()));
    OF_SPIN
        .map(str::to_owned)
        .into_iter()
        .chain(matches)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn what_a_client_says_in_the_name_of_spin_goes() {
        let all = fields(&[
            ("spin-path-info", "/of/the/client"),
            ("a", "1"),
            ("spin_path_info", "/twin"),
            ("spin.path!info", "/twin"),
            ("Spin-Path-Info", "/of/spin"),
            ("spin-path-match-admin", "1"),
            ("spin-path-match-id", "7"),
            ("spin-matched-route", "/users/:ID/..."),
            ("spin-other", "x"),
            ("spinner", "y"),
        ]);
        let mut none_kept = all.clone();
        strip_spin_fields(&mut none_kept, SpinFields::Strip);
        assert_eq!(none_kept, fields(&[("a", "1"), ("spinner", "y")]));
        let mut own_kept = all;
        strip_spin_fields(&mut own_kept, SpinFields::KeepOwn);
        assert_eq!(
            own_kept,
            fields(&[
                ("a", "1"),
                ("Spin-Path-Info", "/of/spin"),
                ("spin-path-match-id", "7"),
                ("spin-matched-route", "/users/:ID/..."),
                ("spinner", "y"),
            ])
        );
    }

    #[test]
    fn the_last_client_address_is_the_true_one() {
        for (all, expected) in [
            (
                vec![
                    ("spin-client-addr", "203.0.113.9:1"),
                    ("Spin-Client-Addr", "127.0.0.1:53152"),
                ],
                Some("127.0.0.1"),
            ),
            (vec![("spin-client-addr", "[::1]:80")], Some("::1")),
            (vec![("spin-client-addr", "nonsense")], None),
            (Vec::new(), None),
        ] {
            let all: Vec<_> = all
                .iter()
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect();
            assert_eq!(client_address(all.into_iter()).as_deref(), expected);
        }
    }
}
