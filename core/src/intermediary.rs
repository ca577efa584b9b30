//! What a host that forwards by itself lets cross: the rules of an intermediary (RFC 9110 section 7.6), the same for all of them.

use crate::decision::Allow;
use crate::identity::forbidden_trailers;
use crate::policy::Policy;
use crate::request::{Request, cgi_octet};

/// Names and values of fields, in their order.
pub type Fields = Vec<(String, Vec<u8>)>;

/// Where a request came from, as the host saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address, without its port.
    pub client: Option<String>,
    /// The host that the client asked, with its port.
    pub host: Option<String>,
    /// `http` or `https`.
    pub proto: Option<String>,
}

/// Fields that concern one connection (RFC 9110 section 7.6.1, and section 11.7 for a proxy's credentials), and `Host`, which
/// who forwards makes of the address.
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

/// Fields that `Connection` may not take away: they say where the content ends and what it is.
const KEPT: [&str; 2] = ["content-length", "content-type"];

/// The header fields of an allowed request as they go on: the client's own without what must not cross, then where it came from,
/// then its identity.
///
/// What a client says of its origin (`Forwarded` of RFC 7239, `X-Forwarded-*`, `X-Real-IP`) is replaced by `origin`. Without one it passes
/// as it came: then something in front of the host vouches for it.
pub fn outgoing_fields(
    request: &Request<'_>,
    allow: &Allow<'_, '_>,
    origin: Option<Origin>,
) -> Fields {
    let mut fields: Fields = request
        .headers()
        .filter(|(name, _)| !allow.strip.contains(name))
        .filter_map(|(name, value)| Some((str::from_utf8(name).ok()?.to_owned(), value.to_vec())))
        .collect();
    strip_hop_by_hop(&mut fields);
    if let Some(Origin {
        client,
        host,
        proto,
    }) = origin
    {
        fields.retain(|(name, _)| !is_forwarded(name));
        let seen = [
            ("x-forwarded-for", client),
            // What stands before an `@` is a user, not a host (RFC 9110 section 4.2.4).
            ("x-forwarded-host", host.map(|host| without_user(&host))),
            ("x-forwarded-proto", proto),
        ];
        let seen = seen.into_iter();
        fields
            .extend(seen.filter_map(|(name, value)| Some((name.to_owned(), value?.into_bytes()))));
    }
    let identity = allow.set.iter();
    fields.extend(identity.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())));
    fields
}

fn without_user(authority: &str) -> String {
    let host = authority.rsplit_once('@');
    host.map_or(authority, |(_, host)| host).to_owned()
}

/// The trailer fields of a request as they go on: what is not allowed there is taken away (see [`forbidden_trailers`]).
pub fn outgoing_trailers(policy: &Policy, mut fields: Fields) -> Fields {
    strip_hop_by_hop(&mut fields);
    let names = fields.iter().map(|(name, _)| name.as_bytes());
    let forbidden: Vec<Vec<u8>> = forbidden_trailers(policy, names)
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    fields.retain(|(name, _)| {
        !is_forwarded(name) && !forbidden.iter().any(|known| known == name.as_bytes())
    });
    fields
}

/// Takes away what concerns one connection, with all that its `Connection` nominates. Says whether there was anything.
pub fn strip_hop_by_hop(fields: &mut Fields) -> bool {
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

/// Whether a field says where a request came from, in any spelling that a server which speaks CGI reads so.
fn is_forwarded(name: &str) -> bool {
    let name = cgi_name(name);
    name == "forwarded" || name == "x-real-ip" || name.starts_with("x-forwarded-")
}

/// A field name as servers that speak CGI may read it: small letters, and every sign a `-`.
pub(crate) fn cgi_name(name: &str) -> String {
    name.bytes()
        .map(|octet| char::from(cgi_octet(octet)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::IdentityHeaders;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    fn request<'a>(pairs: &[(&'a str, &'a str)]) -> Request<'a> {
        Request::new(b"GET", Some(b"/"), pairs.iter().copied())
    }

    fn allow<'p, 'r>(policy: &'p Policy, strip: Vec<&'r [u8]>) -> Allow<'p, 'r> {
        Allow {
            set: IdentityHeaders::sample(policy, &["alice"]),
            strip,
            shadowed: None,
            fetch: None,
            facts: crate::Facts::default(),
        }
    }

    fn policy() -> Policy {
        let text = "
version: 1
realm: r
forward: { sub: x-auth-sub }
routes: [{ path: /, public: true }]
";
        Policy::parse(text).expect("a policy without issuers")
    }

    #[test]
    fn what_concerns_one_connection_goes() {
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
    fn a_connection_that_nominates_identity_does_not_take_away_ours() {
        let asked = request(&[("connection", "x-auth-sub"), ("x-auth-sub", "mallory")]);
        let policy = policy();
        let seen = outgoing_fields(&asked, &allow(&policy, vec![b"x-auth-sub"]), None);
        assert_eq!(seen, fields(&[("x-auth-sub", "alice")]));
    }

    #[test]
    fn the_client_s_word_on_its_origin_is_replaced_or_kept() {
        let came = [
            ("Forwarded", "for=6.6.6.6"),
            ("X-Forwarded-For", "6.6.6.6"),
            ("x.forwarded_host", "evil.example"),
            ("X-Real-IP", "6.6.6.6"),
            ("x-forward", "1"),
        ];
        let origin = Origin {
            client: Some("192.0.2.1".to_owned()),
            host: Some("user:secret@a.example:8080".to_owned()),
            proto: Some("https".to_owned()),
        };
        let policy = policy();
        let allow = allow(&policy, Vec::new());
        assert_eq!(
            outgoing_fields(&request(&came), &allow, Some(origin)),
            fields(&[
                ("x-forward", "1"),
                ("x-forwarded-for", "192.0.2.1"),
                ("x-forwarded-host", "a.example:8080"),
                ("x-forwarded-proto", "https"),
                ("x-auth-sub", "alice"),
            ])
        );
        let kept = outgoing_fields(&request(&came), &allow, None);
        assert_eq!(kept.len(), came.len() + 1);
    }

    #[test]
    fn trailers_bring_no_identity_no_credential_and_no_origin() {
        let policy = policy();
        let came = fields(&[
            ("X_Auth_Sub", "mallory"),
            ("authorization", "Bearer x"),
            ("x-http-method-override", "DELETE"),
            ("x-forwarded-for", "6.6.6.6"),
            ("connection", "x-sum"),
            ("x-sum", "1"),
            ("grpc-status", "0"),
        ]);
        assert_eq!(
            outgoing_trailers(&policy, came),
            fields(&[("grpc-status", "0")])
        );
    }
}
