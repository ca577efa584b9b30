//! The bootstrap: listener, CORS, gate, and the clusters of the upstream and of the issuers' keys.

use std::collections::BTreeSet;

use scopegate_core::Policy;
use scopegate_core::outline::Access;

use super::{Place, cluster, path_text};
use crate::render::clusters::Cluster;
use crate::render::origin::Origin;
use crate::render::yaml::{comment, indented, quoted, scalar};

/// `envoy/envoy.yaml` with marks where this policy and these arguments come in. A test holds the two together.
const TEMPLATE: &str = include_str!("bootstrap.yaml");

/// The cluster of the service behind the gate, unless the policy has given the name away.
const UPSTREAM: &str = "upstream";

/// What a browser may ask for where a route takes any method.
const ANY_METHOD: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// The bootstrap.
///
/// # Errors
/// A path is not UTF-8.
pub(super) fn render(
    policy_name: &str,
    policy: &Policy,
    upstream: &Origin,
    place: &Place,
    clusters: &[Cluster],
) -> anyhow::Result<String> {
    let listen = place.listen;
    let address = scalar(&listen.ip().to_string());
    let listen = format!("{{ address: {address}, port_value: {} }}", listen.port());
    let upstream_name = upstream_name(clusters);
    let (cors_policy, cors_filter) = match place.cors_origin.as_slice() {
        [] => (String::new(), String::new()),
        origins => (cors_policy(origins, policy), CORS_FILTER.to_owned()),
    };
    let mut text = String::new();
    for line in TEMPLATE.lines() {
        match line {
            "@cors_policy@" => text.push_str(&cors_policy),
            "@cors_filter@" => text.push_str(&cors_filter),
            "@clusters@" => {
                text.push_str(&upstream_cluster(place, &upstream_name, upstream)?);
                for cluster in clusters {
                    text.push_str(&key_cluster(place, cluster)?);
                }
            }
            line => {
                let line = line
                    .replace("@policy@", &comment(policy_name))
                    .replace("@listen@", &listen)
                    .replace("@upstream@", &upstream_name)
                    .replace("@ecds@", &quoted(path_text(&place.ecds)?));
                text.push_str(&format!("{line}\n"));
            }
        }
    }
    Ok(text)
}

fn upstream_name(clusters: &[Cluster]) -> String {
    let mut name = String::from(UPSTREAM);
    while clusters.iter().any(|cluster| cluster.name == name) {
        name.push('_');
    }
    name
}

fn upstream_cluster(place: &Place, name: &str, origin: &Origin) -> anyhow::Result<String> {
    let why = "# The service behind the gate. It believes identity headers, so nothing but the gate may reach it.\n";
    Ok(listed(
        why,
        &cluster::mapping(name, origin, &place.ca_file)?,
    ))
}

fn key_cluster(place: &Place, cluster: &Cluster) -> anyhow::Result<String> {
    let issuers = cluster.issuers.join("`, `");
    let mut why = format!("\n# The keys of `{issuers}`, at {}.\n", cluster.origin);
    if !cluster.origin.tls {
        why.push_str(match cluster.origin.is_loopback() {
            true => "# Plain http, on loopback alone.\n",
            false => "# Plain http, as `danger_http_jwks` has it: whoever can change it on its way can make tokens.\n",
        });
    }
    let mapping = cluster::mapping(&cluster.name, &cluster.origin, &place.ca_file)?;
    Ok(listed(&why, &mapping))
}

/// A mapping as an item of the list of clusters, and why it is there.
fn listed(why: &str, mapping: &str) -> String {
    let item = indented(mapping, 6).replacen("      ", "    - ", 1);
    format!("{}{item}", indented(why, 4))
}

fn cors_policy(origins: &[String], policy: &Policy) -> String {
    let mut lines = String::from(
        "typed_per_filter_config:
  envoy.filters.http.cors:
    \"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
    # The origins of your single-page apps.
    allow_origin_string_match:
",
    );
    for origin in origins {
        lines.push_str(&format!("      - exact: {}\n", quoted(origin)));
    }
    lines.push_str(&format!(
        "    allow_methods: {}
    allow_headers: authorization, content-type
    # Without this a script in a browser cannot read why it was refused, or for how long.
    expose_headers: www-authenticate, retry-after
    max_age: \"600\"
",
        methods(policy).join(", ")
    ));
    indented(&lines, 22)
}

/// The methods of the policy's routes, as far as a browser asks for leave to use them.
fn methods(policy: &Policy) -> Vec<&str> {
    let protected_any = |route: &scopegate_core::outline::Route| {
        route.methods.is_empty() && matches!(route.access, Access::Protected(_))
    };
    let named = policy.routes().iter().flat_map(|route| &route.methods);
    let mut methods: Vec<&str> = match policy.routes().iter().any(protected_any) {
        true => ANY_METHOD.to_vec(),
        false => Vec::new(),
    };
    methods.extend(named.map(String::as_str));
    let mut seen = BTreeSet::new();
    methods.retain(|method| *method != "OPTIONS" && seen.insert(*method));
    if methods.is_empty() {
        methods.push("GET");
    }
    methods
}

const CORS_FILTER: &str = "                  # Before the gate: it answers the preflights of the origins above, and puts its headers on refusals too.
                  - name: envoy.filters.http.cors
                    typed_config:
                      \"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors

";

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    const TIMESHEETS: &str = include_str!("../../../../examples/timesheets/policy.yaml");
    const SHIPPED: &str = include_str!("../../../../envoy/envoy.yaml");

    /// Shorter than the time for which the example's API keeps connections. Of other services `render` does not know that time.
    const IDLE_TIMEOUT: &str = "      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          common_http_protocol_options: { idle_timeout: 60s }
          explicit_http_config: { http_protocol_options: {} }
";

    /// Rendered with these arguments.
    fn rendered(policy: &str, upstream: &str, arguments: &[&str]) -> String {
        let command = Place::augment_args(clap::Command::new("envoy"));
        let matches = command.get_matches_from(["envoy"].iter().chain(arguments));
        let place = Place::from_arg_matches(&matches).unwrap();
        let policy = Policy::parse(policy).unwrap();
        let clusters = crate::render::clusters::of_policy(&policy, None).unwrap();
        let upstream = Origin::of(upstream).unwrap();
        render("policy.yaml", &policy, &upstream, &place, &clusters).unwrap()
    }

    fn tree(text: &str) -> scopegate_yaml::Value {
        let tree = scopegate_yaml::tree(text, &mut |_, fault| panic!("{fault:?}\n{text}"));
        crate::render::yaml::placeless(&tree.unwrap()).value
    }

    /// Whatever is hardened in the one is hardened in the other, but for the time of idle connections.
    #[test]
    fn it_is_the_shipped_configuration() {
        let rendered = rendered(
            TIMESHEETS,
            "http://127.0.0.1:9102",
            &[
                "--cors-origin=http://localhost:3000",
                "--ecds=envoy/ecds.yaml",
            ],
        );
        assert_eq!(SHIPPED.matches(IDLE_TIMEOUT).count(), 1);
        let shipped = SHIPPED
            .replace(IDLE_TIMEOUT, "")
            .replace("name: timesheets", "name: upstream")
            .replace("cluster: timesheets", "cluster: upstream");
        assert_eq!(tree(&rendered), tree(&shipped));
    }

    #[test]
    fn without_origins_there_is_no_cors() {
        let rendered = rendered(
            TIMESHEETS,
            "https://api.example.com",
            &["--listen=[::]:443"],
        );
        assert!(!rendered.contains("cors"), "{rendered}");
        assert!(
            rendered.contains("socket_address: { address: \"::\", port_value: 443 }"),
            "{rendered}"
        );
        assert!(rendered.contains("sni: api.example.com"), "{rendered}");
        tree(&rendered);
    }

    #[test]
    fn the_upstream_gets_a_name_of_its_own() {
        let policy = TIMESHEETS.replace("local_jwks", "upstream");
        let rendered = rendered(&policy, "http://127.0.0.1:9102", &[]);
        assert!(
            rendered.contains("route: { cluster: upstream_ }"),
            "{rendered}"
        );
        assert!(rendered.contains("- name: upstream_\n"), "{rendered}");
    }

    #[test]
    fn a_browser_may_use_the_methods_of_the_routes() {
        let check = |routes: &str, expected: &str| {
            let text = format!(
                "version: 1\nrealm: t\nissuers: {{ a: {{ issuer: a, audiences: [b], jwks_file: c }} }}\nroutes: [{routes}]\n"
            );
            let policy = Policy::parse(&text).unwrap();
            assert_eq!(methods(&policy).join(" "), expected, "{routes}");
        };
        check("", "GET");
        check("{ path: /a, public: true }", "GET");
        check(
            "{ path: /a, methods: [PUT, OPTIONS], public: true }, { path: /b, methods: [GET, PUT], scopes: [a] }",
            "PUT GET",
        );
        check(
            "{ path: /a, methods: [PURGE], scopes: [a] }, { path: /b, scopes: [a] }",
            "GET HEAD POST PUT PATCH DELETE PURGE",
        );
    }
}
