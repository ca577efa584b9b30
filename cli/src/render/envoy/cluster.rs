//! A cluster of Envoy: whom it connects to, and how it knows that it is them.

use std::path::Path;

use super::path_text;
use crate::render::origin::{HostName, Origin};
use crate::render::yaml::{quoted, scalar};

/// The cluster as a mapping. TLS comes with the certificate checked against `ca_file` and the name of the host, which Envoy does not do
/// by itself.
///
/// # Errors
/// The path is not UTF-8.
pub(in crate::render) fn mapping(
    name: &str,
    origin: &Origin,
    ca_file: &Path,
) -> anyhow::Result<String> {
    let name = scalar(name);
    let host = scalar(&origin.host.to_string());
    let port = origin.port;
    let mut lines = format!("name: {name}\n");
    if let HostName::Name(_) = origin.host {
        lines.push_str("type: STRICT_DNS\ndns_lookup_family: V4_PREFERRED\n");
    }
    lines.push_str(&format!(
        "connect_timeout: 2s
load_assignment:
  cluster_name: {name}
  endpoints:
    - lb_endpoints:
        - endpoint:
            address:
              socket_address: {{ address: {host}, port_value: {port} }}
"
    ));
    if origin.tls {
        lines.push_str(&tls(&origin.host, ca_file)?);
    }
    Ok(lines)
}

fn tls(host: &HostName, ca_file: &Path) -> anyhow::Result<String> {
    let trusted = quoted(path_text(ca_file)?);
    let name = scalar(&host.to_string());
    // An address is never a server name (RFC 6066 section 3).
    let (sni, kind) = match host {
        HostName::Name(_) => (format!("    sni: {name}\n"), "DNS"),
        HostName::Address(_) => (String::new(), "IP_ADDRESS"),
    };
    Ok(format!(
        "transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
{sni}    common_tls_context:
      validation_context:
        trusted_ca: {{ filename: {trusted} }}
        match_typed_subject_alt_names:
          - {{ san_type: {kind}, matcher: {{ exact: {name} }} }}
"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let origin = Origin::of(url).unwrap();
        let written = mapping("keys", &origin, Path::new("/ca.pem")).unwrap();
        assert_eq!(written, expected, "{url}");
    }

    #[test]
    fn a_name_is_looked_up_and_its_certificate_is_checked() {
        check(
            "https://id.example:8443/keys",
            "name: keys
type: STRICT_DNS
dns_lookup_family: V4_PREFERRED
connect_timeout: 2s
load_assignment:
  cluster_name: keys
  endpoints:
    - lb_endpoints:
        - endpoint:
            address:
              socket_address: { address: id.example, port_value: 8443 }
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: id.example
    common_tls_context:
      validation_context:
        trusted_ca: { filename: \"/ca.pem\" }
        match_typed_subject_alt_names:
          - { san_type: DNS, matcher: { exact: id.example } }
",
        );
    }

    #[test]
    fn an_address_is_checked_as_an_address() {
        let origin = Origin::of("https://[2001:db8::1]/keys").unwrap();
        let written = mapping("on", &origin, Path::new("/a \"b\".pem")).unwrap();
        for line in [
            "name: \"on\"\n",
            "socket_address: { address: \"2001:db8::1\", port_value: 443 }\n",
            "filename: \"/a \\\"b\\\".pem\" }\n",
            "{ san_type: IP_ADDRESS, matcher: { exact: \"2001:db8::1\" } }\n",
        ] {
            assert!(written.contains(line), "{line}\n{written}");
        }
        assert!(
            !written.contains("sni:") && !written.contains("STRICT_DNS"),
            "{written}"
        );
    }

    #[test]
    fn plain_http_has_no_tls() {
        check(
            "http://127.0.0.1:9101/keys",
            "name: keys
connect_timeout: 2s
load_assignment:
  cluster_name: keys
  endpoints:
    - lb_endpoints:
        - endpoint:
            address:
              socket_address: { address: \"127.0.0.1\", port_value: 9101 }
",
        );
    }
}
