//! The entry points, and the calls.
#![allow(unsafe_code)]

mod abi;

use std::sync::OnceLock;

use abi::{HeaderMap, Metric};

/// What every request gets, as the configuration says.
enum Role {
    /// The calls for a token that is known: an empty configuration.
    Known,
    /// Those for a new token, whose signature Envoy verifies: `verify`, a line break, and the argument of `verify_signature` in
    /// hexadecimal digits. It is the same one each time, so that nothing has to be taken from the request.
    New(Vec<u8>),
    /// Those for a refusal: `refuse`.
    Refused,
    /// An answer that says how long each call takes: `measure`, a line break, and the argument of `verify_signature`.
    Measured(Vec<u8>),
}

struct Filter {
    role: Role,
    /// The counters that a request may increment.
    counters: [Metric; 3],
}

static FILTER: OnceLock<Filter> = OnceLock::new();

const CONTINUE: u32 = 0;
const PAUSE: u32 = 1;

/// `VerifySignatureResult` with `result: true`.
const VALID: [u8; 2] = [0x08, 0x01];

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(_: u32, size: usize) -> u32 {
    let configuration = String::from_utf8_lossy(&abi::configuration(size)).into_owned();
    let Some(role) = role(&configuration) else {
        return 0;
    };
    FILTER.get_or_init(|| Filter {
        role,
        counters: [
            "hostcalls.token_cache",
            "hostcalls.answered",
            "hostcalls.verify",
        ]
        .map(abi::define_counter),
    });
    1
}

fn role(configuration: &str) -> Option<Role> {
    match configuration.split_once('\n') {
        None if configuration.is_empty() => Some(Role::Known),
        None if configuration == "refuse" => Some(Role::Refused),
        Some(("verify", digits)) => octets(digits).map(Role::New),
        Some(("measure", digits)) => octets(digits).map(Role::Measured),
        _ => None,
    }
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let octets = digits.as_bytes().chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    octets.collect()
}

/// How often a call is made to say how long it takes.
const REPEATED: u64 = 200;

/// A line for each call: its name, and the nanoseconds that it takes.
fn times(message: &[u8], counter: Metric) -> String {
    let mut lines = String::new();
    let mut time = |name: &str, call: &dyn Fn()| {
        let start = abi::current_time();
        for _ in 0..REPEATED {
            call();
        }
        let spent = abi::current_time().saturating_sub(start);
        let each = spent.checked_div(REPEATED).unwrap_or_default();
        lines.push_str(&format!("{name} {each}\n"));
    };
    time("nothing", &|| {});
    time("get_current_time_nanoseconds", &|| {
        let _ = abi::current_time();
    });
    time("get_log_level", &abi::log_level);
    time("increment_metric", &|| abi::increment(counter));
    time("get_header_map_pairs", &|| {
        drop(abi::header_map_pairs(HeaderMap::Request));
    });
    time("get_header_map_value", &|| {
        drop(abi::header("authorization"))
    });
    time("remove_header_map_value of what is not there", &|| {
        abi::remove_header("x-auth-sub-2");
    });
    time("replace_header_map_value", &|| {
        abi::replace_header("x-auth-sub", "auth0|507f1f77bcf86cd799439011");
    });
    time("set_property", &|| {
        abi::set_property("scopegate_decision", "allow")
    });
    time("call_foreign_function verify_signature", &|| {
        drop(abi::call_foreign_function("verify_signature", message));
    });
    lines
}

/// The gate is told when a request or a policy has ended: it could not know otherwise that a client who waits for keys has left.
#[cfg(feature = "done")]
#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(_: u32) -> u32 {
    1
}

/// The lists. Another order, another call or another value here has to be one in the gate too.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_: u32, _: u32, _: u32) -> u32 {
    let Some(Filter { role, counters }) = FILTER.get() else {
        return PAUSE;
    };
    let [token_cache, answered, verify] = counters;
    drop(abi::header_map_pairs(HeaderMap::Request));
    let _ = abi::current_time();
    match role {
        Role::Known => {}
        Role::New(message) => {
            if abi::call_foreign_function("verify_signature", message) != VALID {
                return PAUSE;
            }
            abi::increment(*verify);
        }
        Role::Measured(message) => {
            abi::answer(200, "hostcalls_measured", &[], &times(message, *verify));
            return PAUSE;
        }
        Role::Refused => {
            abi::increment(*answered);
            abi::set_property("scopegate_decision", "deny");
            abi::set_property("scopegate_reason", "token_missing");
            abi::set_property("scopegate_route", "/timesheets");
            abi::log_level();
            abi::refuse("scopegate_token_missing");
            return PAUSE;
        }
    }
    abi::replace_header("x-auth-sub", "auth0|507f1f77bcf86cd799439011");
    abi::increment(*token_cache);
    abi::increment(*answered);
    abi::set_property("scopegate_decision", "allow");
    abi::set_property("scopegate_route", "/timesheets");
    abi::set_property("scopegate_issuer", "auth0");
    CONTINUE
}
