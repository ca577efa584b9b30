//! Writes the seeds of every target into `corpus/`, from the cases in `tests/cases` and from a few of its own.
//!
//! `cargo run --bin seeds`, in `fuzz/`, after a change of the cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use scopegate_fuzz::issuer::{self, START, Signer};
use scopegate_fuzz::{metadata, record};
use serde_json::{Map, Value};

/// The targets that have seeds.
const TARGETS: [&str; 10] = [
    "token",
    "jwks",
    "metadata",
    "record",
    "policy",
    "openapi",
    "authorization",
    "path",
    "decide",
    "rsa",
];

/// A seed longer than this teaches a fuzzer little, and weighs on the tree.
const MAX_SEED_BYTES: usize = 4 * 1024;

/// The seeds: by target, and by what they hold, so that each is there once. The value is its name.
type Seeds = BTreeMap<(&'static str, Vec<u8>), String>;

fn main() -> io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Seeds::new();
    own(&mut seeds);
    let mut files: Vec<PathBuf> = fs::read_dir(fuzz.join("../tests/cases"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    files.sort();
    for file in files {
        let text = repeated(&fs::read_to_string(&file)?);
        let cases: Value = serde_saphyr::from_str(&text).map_err(io::Error::other)?;
        let area = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        of_file(&mut seeds, &area, &cases);
    }
    for target in TARGETS {
        let folder = fuzz.join("corpus").join(target);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
    }
    let mut octets = 0;
    for ((target, seed), name) in &seeds {
        octets += seed.len();
        fs::write(fuzz.join("corpus").join(target).join(name), seed)?;
    }
    println!("{} seeds of {octets} octets", seeds.len());
    Ok(())
}

fn add(seeds: &mut Seeds, target: &'static str, name: &str, seed: impl Into<Vec<u8>>) {
    let seed = seed.into();
    if seed.len() <= MAX_SEED_BYTES {
        let letters = name.chars().map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
            _ => '-',
        });
        let name: String = letters.collect();
        let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
        seeds
            .entry((target, seed))
            .or_insert_with(|| words.join("-"));
    }
}

/// What no case says: signed tokens, steps in time, answers of key servers.
fn own(seeds: &mut Seeds) {
    for known in issuer::known() {
        let name = known.name;
        add(
            seeds,
            "token",
            &format!("known {name}"),
            format!("${{{name}}}"),
        );
        add(
            seeds,
            "authorization",
            &format!("known {name}"),
            format!("Bearer ${{{name}}}"),
        );
    }
    add(
        seeds,
        "authorization",
        "two fields",
        "Bearer ${read}\nBearer ${read}",
    );
    add(
        seeds,
        "authorization",
        "two in one",
        "Bearer ${read}, Bearer ${read}",
    );
    add(
        seeds,
        "authorization",
        "an empty one first",
        "\nbEARER   ${read} ",
    );
    let steps = [
        (
            "a day",
            "keys main main\n\nGET /timesheets/7\nauthorization: Bearer ${read}\nx_auth_sub: root\n\nwait 590\n\nGET /timesheets/7\nauthorization: Bearer ${read}\n\nfail main\n\nwait 60\n\nGET /timesheets\nauthorization: Bearer ${read}\n",
        ),
        (
            "rotation",
            "keys main main\n\nGET /timesheets/7\nauthorization: Bearer ${read}\n\nkeys main stranger\n\nGET /timesheets/7\nauthorization: Bearer ${read}\n\nGET /timesheets/7\nauthorization: Bearer ${forged}\n",
        ),
        (
            "expiry",
            "keys main main\n\nGET /main\nauthorization: Bearer ${short}\n\nwait 69\n\nGET /main\nauthorization: Bearer ${short}\n\nwait 2\n\nGET /main\nauthorization: Bearer ${short}\n",
        ),
        (
            "two issuers",
            "keys other other\n\nGET /main\nauthorization: Bearer ${other}\n\nGET /files/a%2Fb\nauthorization: Bearer ${other}\n",
        ),
        (
            "shadow",
            "GET /shadow\nx-auth-sub: root\n\nkeys main main\n\nGET /shadow\nauthorization: Bearer ${none}\n",
        ),
        (
            "preflight",
            "OPTIONS /timesheets/7\norigin: https://a.example\naccess-control-request-method: DELETE\nauthorization: Bearer ${none}\nx-http-method-override: DELETE\n",
        ),
        (
            "scopes",
            "keys main main\n\nDELETE /timesheets/7\nauthorization: Bearer ${both}\n\nDELETE /timesheets/7\nauthorization: Bearer ${read}\n\nGET /timesheets/7\nauthorization: Bearer ${write}\n",
        ),
        (
            "a quiet hour",
            "keys main main\n\nGET /timesheets/7\nauthorization: Bearer ${read}\n\nwait 3600\n\nGET /timesheets/7\nauthorization: Bearer ${read}\n",
        ),
        (
            "too old",
            "keys main main\n\nGET /main\nauthorization: Bearer ${read}\n\nwait 4150\n\nfail main\n\nGET /main\nauthorization: Bearer ${read}\n\nwait 100\n\nfail main\n\nGET /main\nauthorization: Bearer ${read}\n",
        ),
        (
            "stale",
            "keys main main\n\nwait 700\n\nfail main\n\nGET /timesheets\nauthorization: Bearer ${read}\n\nwait 40\n\nGET /timesheets\nauthorization: Bearer ${read}\n",
        ),
    ];
    for (name, steps) in steps {
        add(seeds, "decide", name, steps);
    }
    add(
        seeds,
        "path",
        "spellings of identity",
        "GET\n/timesheets\nX_Auth-Sub\nx.auth.sub\nMAIL\nx-auth\n:x-auth-sub",
    );
    let main = issuer::key_set(Signer::Main);
    let other = issuer::key_set(Signer::Other);
    let [x, y] = [Signer::Main, Signer::Other].map(issuer::x);
    let key =
        |kid: &str, x: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}"#);
    for (name, answer) in [
        ("the same key", format!("200 max-age=300\n{main}")),
        ("another key", format!("200\n{other}")),
        ("both keys", format!("200 no-store, max-age=0\n{{\"keys\":[{},{}]}}", key("k1", &x), key("k2", &y))),
        ("one kid twice", format!("200\n{{\"keys\":[{},{}]}}", key("k1", &x), key("k1", &y))),
        ("keys with uses", format!("200\n{{\"keys\":[{}]}}", key("k1", &x).replace("\"kty\"", "\"use\":\"sig\",\"alg\":\"EdDSA\",\"key_ops\":[\"verify\"],\"kty\""))),
        ("no keys", "200\n{\"keys\":[]}".to_owned()),
        ("a redirect", format!("302\n{other}")),
        ("an error", format!("500\n{other}")),
        ("an RSA key", format!("200\n{{\"keys\":[{{\"kty\":\"RSA\",\"kid\":\"k1\",\"alg\":\"RS256\",\"n\":\"{}\",\"e\":\"AQAB\"}}]}}", "v".repeat(342))),
        ("an elliptic key", "200\n{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}".to_owned()),
    ] {
        add(seeds, "jwks", name, answer);
    }
    own_metadata(seeds);
    own_records(seeds);
    own_rsa(seeds);
    own_specifications(seeds);
}

/// Metadata, true and false.
fn own_metadata(seeds: &mut Seeds) {
    let of = |issuer: &str, key_url: &str| {
        format!(
            "200\n{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{key_url}\",\"response_types_supported\":[\"code\"]}}"
        )
    };
    let issuer = metadata::ISSUER;
    let keys = "https://tenant.example/keys";
    for (name, answer) in [
        ("metadata", of(issuer, keys)),
        (
            "another path and a query",
            of(issuer, "https://tenant.example:443/a/../b?v=1"),
        ),
        ("another issuer", of("https://other.example/", keys)),
        ("a slash more", of(&format!("{issuer}/"), keys)),
        ("another host", of(issuer, "https://other.example/keys")),
        (
            "another port",
            of(issuer, "https://tenant.example:8443/keys"),
        ),
        ("plain http", of(issuer, "http://tenant.example/keys")),
        (
            "a user",
            of(issuer, "https://tenant.example@other.example/keys"),
        ),
        ("a fragment", of(issuer, "https://tenant.example/keys#a")),
        ("a relative one", of(issuer, "/keys")),
        (
            "itself",
            of(
                issuer,
                &format!("{issuer}/.well-known/openid-configuration"),
            ),
        ),
        ("no keys", format!("200\n{{\"issuer\":\"{issuer}\"}}")),
        ("an error", of(issuer, keys).replacen("200", "500", 1)),
        ("a redirect", of(issuer, keys).replacen("200", "302", 1)),
        ("a page", "200\n<html></html>".to_owned()),
    ] {
        add(seeds, "metadata", name, answer);
    }
}

/// Records of keys, and what is none.
fn own_records(seeds: &mut Seeds) {
    let set = |fetched: &str, signer: Signer| {
        let body = Value::String(issuer::key_set(signer)).to_string();
        format!(r#"{{"fetched_ms":{fetched},"as_of_ms":{fetched},"max_age_s":300,"body":{body}}}"#)
    };
    let record = |attempted: &str, has_failed: bool, set: &str| {
        let (iss, url) = (issuer::MAIN, record::URL);
        format!(
            r#"{{"version":3,"issuer":"{iss}","url":"{url}","attempted_ms":{attempted},"has_failed":{has_failed},"named":null,"set":{set}}}"#
        )
    };
    let now = "${now}";
    let good = record(now, false, &set(now, Signer::Other));
    for (name, text) in [
        ("a newer set", good.clone()),
        ("the same set", record(now, false, &set(now, Signer::Main))),
        (
            "an older set",
            record("1799999900000", false, &set("1799999900000", Signer::Other)),
        ),
        (
            "a failure",
            record(now, true, &set("1799999990000", Signer::Main)),
        ),
        ("a failure alone", record(now, true, "null")),
        ("a success alone", record(now, false, "null")),
        (
            "the future",
            record("1800000900000", false, &set("1800000900000", Signer::Other)),
        ),
        (
            "fetched after it was asked for",
            record(now, true, &set("1800000900000", Signer::Other)),
        ),
        (
            "another version",
            good.replace("\"version\":3", "\"version\":2"),
        ),
        (
            "another issuer",
            good.replace("tenant.example/\"", "other.example/\""),
        ),
        (
            "a name where none belongs",
            good.replace(
                "\"named\":null",
                "\"named\":{\"jwks_uri\":\"https://tenant.example/x\",\"read_ms\":1}",
            ),
        ),
        (
            "cut off",
            good.get(..good.len() / 2).unwrap_or_default().to_owned(),
        ),
        ("nothing", String::new()),
    ] {
        add(seeds, "record", name, text);
    }
}

/// Signatures, honest and not.
fn own_rsa(seeds: &mut Seeds) {
    for (name, steps) in [
        ("honest", "RS256 0 a message"),
        ("honest rs384", "RS384 1 a message"),
        ("honest rs512", "RS512 2 a message"),
        ("honest ps256", "PS256 0 a message"),
        ("honest ps384", "PS384 1 a message"),
        ("honest ps512", "PS512 2 a message"),
        ("modulus added", "RS256 0 another\nmore"),
        ("modulus added pss", "PS256 1 another\nmore"),
        ("block type two", "RS256 0 m\nencoded 1 2"),
        ("no separator", "RS256 0 m\nencoded 204 255"),
        (
            "garbage behind the hash",
            "RS256 0 m\ndrop 10\nencoded -1 7",
        ),
        ("parameters that are not null", "RS256 1 m\nencoded -36 4"),
        ("another trailer", "PS256 0 m\nencoded -1 204"),
        ("a bit above em", "PS256 0 m\nencoded 0 128"),
        ("a damaged salt", "PS256 2 m\nencoded -40 0"),
        ("a damaged signature", "RS256 0 m\nsignature 100 0"),
        ("zero", "RS256 0 m\nsignature 0 0"),
    ] {
        add(seeds, "rsa", name, steps);
    }
}

/// OpenAPI documents, and what is none.
fn own_specifications(seeds: &mut Seeds) {
    let schemes = r#""components":{"securitySchemes":{"a":{"type":"oauth2","flows":{"clientCredentials":{"tokenUrl":"https://id.example.com/token","scopes":{"read":"","write":""}}}},"b":{"type":"openIdConnect","openIdConnectUrl":"https://id.example.com/.well-known/openid-configuration"},"c":{"type":"http","scheme":"Bearer"},"k":{"type":"apiKey","in":"header","name":"x-key"}}}"#;
    let of = |operations: &str| {
        format!(
            r#"{{"openapi":"3.1.0",{schemes},"security":[{{"a":["read"]}}],"paths":{{{operations}}}}}"#
        )
    };
    let secured = |security: &str| {
        of(&format!(
            r#""/a/{{id}}":{{"get":{{"security":{security}}}}}"#
        ))
    };
    for (name, text) in [
        ("the security at the top", of(r#""/a":{"get":{},"post":{}}"#)),
        ("public", secured("[]")),
        ("public in other words", secured("[{}]")),
        ("an optional token", secured(r#"[{"a":[]},{}]"#)),
        ("any of two scopes", secured(r#"[{"a":["read"]},{"a":["write"]}]"#)),
        ("both scopes", secured(r#"[{"a":["read","write"]}]"#)),
        ("one implies the other", secured(r#"[{"a":["read","write"]},{"a":["read"]}]"#)),
        ("alternatives of several", secured(r#"[{"a":["read","write"]},{"a":["admin","all"]}]"#)),
        ("two schemes", secured(r#"[{"a":["read"]},{"b":["read"]}]"#)),
        ("two schemes at once", secured(r#"[{"a":["read"],"b":[]}]"#)),
        ("roles", secured(r#"[{"c":["admin"]}]"#)),
        ("an API key", secured(r#"[{"k":[]}]"#)),
        ("a token or an API key", secured(r#"[{"a":[]},{"k":[]}]"#)),
        ("an unknown scheme", secured(r#"[{"z":[]}]"#)),
        ("no list", secured(r#"{"a":[]}"#)),
        ("servers", of(r#""/a":{"servers":[{"url":"https://{host}/v{version}","variables":{"host":{"default":"api.example.com"},"version":{"default":"2"}}},{"url":"//x/%7Ey"}],"get":{"servers":[{"url":"v1"}]},"put":{}}"#)),
        ("a path item elsewhere in it", of(r##""/a":{"$ref":"#/paths/~1b"},"/b":{"get":{},"$ref":"#/components/pathItems/c"},"/d":{"$ref":"other.json"}"##)),
        ("an endless reference", of(r##""/a":{"$ref":"#/paths/~1a"}"##)),
        ("a key twice", of(r#""/a":{},"/a":{}"#)),
        ("templates", of(r#""/{x.y}/{z}/":{"get":{}},"/a{b}":{"get":{}},"/{c*}":{"get":{}},"/a%2Fb":{"get":{}},"a":{"get":{}}"#)),
        ("in YAML", "openapi: 3.0.3\ninfo: { title: &t An API }\ncomponents:\n  securitySchemes:\n    a: { type: http, scheme: bearer }\nsecurity: [{ a: [] }]\npaths:\n  /a: &item\n    get: { summary: *t }\n  /b:\n    <<: *item\n    post: { security: [] }\n".to_owned()),
        ("Swagger", r#"{"swagger":"2.0","paths":{}}"#.to_owned()),
        ("deep", format!(r#"{{"openapi":"3.0.0","x":{}{}}}"#, "[".repeat(200), "]".repeat(200))),
    ] {
        add(seeds, "openapi", name, text);
    }
}

/// What the cases of one file say: policies, paths, credentials and tokens.
fn of_file(seeds: &mut Seeds, area: &str, file: &Value) {
    let policies = file["policies"].as_object().into_iter().flatten();
    let policies = policies.map(|(name, policy)| (name.as_str(), policy));
    for (name, policy) in policies.chain([("policy", &file["policy"])]) {
        if let Some(text) = policy.as_str() {
            let text = filled(text, "${jwks:", |name| {
                format!("https://keys.example/{name}")
            });
            add(seeds, "policy", &format!("{area} {name}"), text);
        }
    }
    for case in file["cases"].as_array().into_iter().flatten() {
        let name = format!("{area} {}", case["name"].as_str().unwrap_or_default());
        let steps = case["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|step| &step["request"]);
        for request in steps
            .chain([&case["request"]])
            .filter(|request| request.is_object())
        {
            of_request(seeds, area, &name, request, &file["token"]);
        }
    }
}

/// A text with something else in place of everything that stands between `open` and `}`.
fn filled(text: &str, open: &str, value: impl Fn(&str) -> String) -> String {
    let mut pieces = text.split(open);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        out.push_str(&value(name));
        out.push_str(rest);
    }
    out
}

/// A text with `${a*3}` written out.
fn repeated(text: &str) -> String {
    let mut pieces = text.split("${");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let placeholder = piece
            .split_once('}')
            .and_then(|(inside, rest)| Some((inside.rsplit_once('*')?, rest)))
            .and_then(|((what, times), rest)| Some((what, times.parse().ok()?, rest)));
        match placeholder {
            Some((what, times, rest)) => {
                out.push_str(&what.repeat(times));
                out.push_str(rest);
            }
            None => {
                out.push_str("${");
                out.push_str(piece);
            }
        }
    }
    out
}

fn of_request(seeds: &mut Seeds, area: &str, name: &str, request: &Value, token: &Value) {
    let method = request["method"].as_str().unwrap_or("GET");
    let path = match (&request["path"], &request["path_bytes"]) {
        (Value::String(path), _) => path.as_bytes().to_vec(),
        (_, Value::String(escaped)) => unescaped(escaped),
        _ => b"/timesheets".to_vec(),
    };
    let fields: Vec<(&str, &str)> = request["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| Some((field[0].as_str()?, field[1].as_str()?)))
        .collect();
    let with_token = |text: &str| text.replace("${token}", "${read}");
    if ["paths", "routes"].contains(&area) {
        let line = [method.as_bytes(), b"\n", &path].concat();
        add(seeds, "path", name, line);
    }
    if area == "identity" && !fields.is_empty() {
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        add(
            seeds,
            "path",
            name,
            format!("{method}\n/timesheets\n{}", names.join("\n")),
        );
    }
    if area == "credentials" {
        let values = fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let values: Vec<String> = values.map(|(_, value)| with_token(value)).collect();
        add(seeds, "authorization", name, values.join("\n"));
    }
    if [
        "preflight",
        "identity",
        "grpc",
        "credentials",
        "routes",
        "websockets",
    ]
    .contains(&area)
        && !fields.is_empty()
    {
        let mut steps = b"keys main main\n\n".to_vec();
        steps.extend_from_slice(method.as_bytes());
        steps.push(b' ');
        steps.extend_from_slice(&path);
        for (name, value) in &fields {
            steps.extend_from_slice(format!("\n{name}: {}", with_token(value)).as_bytes());
        }
        if request["token"].is_object()
            && !fields.iter().any(|(_, value)| value.contains("${token}"))
        {
            steps.extend_from_slice(b"\nauthorization: Bearer ${read}");
        }
        add(seeds, "decide", name, steps);
    }
    if [
        "tokens",
        "algorithms",
        "claims",
        "audiences",
        "scopes",
        "issuers",
        "json",
        "kids",
        "times",
        "token_types",
    ]
    .contains(&area)
    {
        of_token(seeds, name, &request["token"], token);
    }
}

/// A token of a case as the target signs it: its header and its claims, over those that the file has in common.
fn of_token(seeds: &mut Seeds, name: &str, token: &Value, common: &Value) {
    if let Some(raw) = token["raw"].as_str() {
        add(seeds, "token", name, raw);
        return;
    }
    let Some(own) = token.as_object() else {
        return;
    };
    let text = |given: &str, json: &str| match own.get(json).and_then(Value::as_str) {
        Some(text) => filled(text, "${now", |seconds| {
            let seconds: i64 = seconds.parse().unwrap_or_default();
            START.saturating_add_signed(seconds).to_string()
        }),
        None => Value::Object(merged(&common[given], &token[given])).to_string(),
    };
    let header = text("header", "header_json").replacen(
        "\"kid\":\"e1\"",
        "\"alg\":\"EdDSA\",\"kid\":\"k1\"",
        1,
    );
    let claims = text("claims", "claims_json");
    add(seeds, "token", name, format!("{header}\n{claims}\n"));
}

/// The members of both, the second's over the first's; `null` takes one away, and times are seconds from the start.
fn merged(common: &Value, own: &Value) -> Map<String, Value> {
    let mut members = common.as_object().cloned().unwrap_or_default();
    for (name, value) in own.as_object().into_iter().flatten() {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    for name in ["exp", "nbf", "iat"] {
        if let Some(value) = members.get_mut(name)
            && let Some(seconds) = value.as_i64()
        {
            *value = (START.saturating_add_signed(seconds)).into();
        }
    }
    members
}

/// A text in which `\xff` is an octet.
fn unescaped(text: &str) -> Vec<u8> {
    let mut pieces = text.split("\\x");
    let mut octets = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        octets.extend(u8::from_str_radix(digits, 16));
        octets.extend_from_slice(rest.as_bytes());
    }
    octets
}
