//! Header fields on their way through: what belongs to one connection alone, and what only Spin or this gate may say.

/// Names and values, as Spin gives and takes them.
pub(crate) type Fields = Vec<(String, Vec<u8>)>;

/// Fields that concern one connection (RFC 9110 section 7.6.1, and section 11.7 for proxy credentials), and `Host`, which the
/// platform makes of the authority. A host that is handed one of them refuses the whole message.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Fields that `Connection` may not take away: they frame the message, or name its language.
const KEPT: [&str; 2] = ["content-length", "content-type"];

/// Takes away what concerns the connection alone, with what its `Connection` nominates. Says whether there was anything.
pub(crate) fn strip_hop_by_hop(fields: &mut Fields) -> bool {
    let nominated: Vec<String> = fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| value.split(|octet| *octet == b','))
        .filter_map(|option| str::from_utf8(option.trim_ascii()).ok())
        .map(str::to_ascii_lowercase)
        .filter(|name| !KEPT.contains(&name.as_str()))
        .collect();
    let before = fields.len();
    fields.retain(|(name, _)| {
        let name = name.to_ascii_lowercase();
        !HOP_BY_HOP.contains(&name.as_str()) && !nominated.contains(&name)
    });
    fields.len() != before
}

/// The value of the first field of that name.
pub(crate) fn first<'a>(fields: &'a Fields, name: &str) -> Option<&'a [u8]> {
    let field = fields
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value.as_slice())
}

/// Whether a field speaks of where a request came from: `Forwarded` (RFC 7239), `X-Forwarded-*`, `X-Real-IP`, in every spelling that
/// a server which speaks CGI takes for them.
pub(crate) fn is_forwarded(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    name == "forwarded" || name == "x-real-ip" || name.starts_with("x-forwarded-")
}

/// Takes away what Spin says of a request, and what a client says in its name: of the fields that are `kept` the last one stays,
/// since Spin's own stands behind a client's.
pub(crate) fn strip_of_spin(fields: &mut Fields, kept: impl Fn(&str) -> bool) {
    let mut seen = Vec::new();
    let mut place = fields.len();
    while let Some(before) = place.checked_sub(1) {
        place = before;
        let Some((name, _)) = fields.get(place) else {
            return;
        };
        let name = name.to_ascii_lowercase();
        if !is_of_spin(&name) {
            continue;
        }
        if kept(&name) && !seen.contains(&name) {
            seen.push(name);
        } else {
            fields.remove(place);
        }
    }
}

/// Whether only Spin sets a field of that name.
pub(crate) fn is_of_spin(name: &str) -> bool {
    name.to_ascii_lowercase()
        .replace('_', "-")
        .starts_with("spin-")
}

/// The client's address, without its port, as Spin saw it: the last field, since a client's own stand before it.
pub(crate) fn client_address(fields: &Fields) -> Option<&str> {
    let (_, value) = fields
        .iter()
        .rev()
        .find(|(name, _)| name.eq_ignore_ascii_case("spin-client-addr"))?;
    let (address, _) = str::from_utf8(value).ok()?.rsplit_once(':')?;
    Some(address)
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
    fn what_concerns_the_connection_alone_goes() {
        let mut seen = fields(&[
            ("Connection", "close, X-Private , content-length"),
            ("connection", "x-other"),
            ("Keep-Alive", "timeout=5"),
            ("TE", "trailers"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABk"),
            ("Proxy-Authorization", "Basic eA=="),
            ("Host", "a.example"),
            ("x-private", "1"),
            ("X-Other", "2"),
            ("Content-Length", "3"),
            ("Trailer", "x-sum"),
            ("accept", "*/*"),
        ]);
        assert!(strip_hop_by_hop(&mut seen));
        let names: Vec<_> = seen.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Content-Length", "Trailer", "accept"]);
        assert!(!strip_hop_by_hop(&mut seen));
    }

    #[test]
    fn what_is_about_the_origin() {
        for (name, expected) in [
            ("Forwarded", true),
            ("X-Forwarded-For", true),
            ("x_forwarded_host", true),
            ("X-Real-IP", true),
            ("x-forward", false),
            ("x-real-ipx", false),
        ] {
            assert_eq!(is_forwarded(name), expected, "{name}");
        }
        for (name, expected) in [
            ("spin-client-addr", true),
            ("Spin_Anything", true),
            ("spinner", false),
        ] {
            assert_eq!(is_of_spin(name), expected, "{name}");
        }
    }

    #[test]
    fn what_a_client_says_in_the_name_of_spin_goes() {
        let all = fields(&[
            ("spin-path-info", "/of/the/client"),
            ("a", "1"),
            ("spin_path_info", "/twin"),
            ("Spin-Path-Info", "/of/spin"),
            ("spin-other", "x"),
        ]);
        let mut none_kept = all.clone();
        strip_of_spin(&mut none_kept, |_| false);
        assert_eq!(none_kept, fields(&[("a", "1")]));
        let mut one_kept = all;
        strip_of_spin(&mut one_kept, |name| name == "spin-path-info");
        assert_eq!(
            one_kept,
            fields(&[("a", "1"), ("Spin-Path-Info", "/of/spin")])
        );
    }

    #[test]
    fn the_last_client_address_is_the_true_one() {
        let seen = fields(&[
            ("spin-client-addr", "203.0.113.9:1"),
            ("Spin-Client-Addr", "127.0.0.1:53152"),
        ]);
        assert_eq!(client_address(&seen), Some("127.0.0.1"));
        let seen = fields(&[("spin-client-addr", "[::1]:80")]);
        assert_eq!(client_address(&seen), Some("[::1]"));
        assert_eq!(client_address(&Vec::new()), None);
    }
}
