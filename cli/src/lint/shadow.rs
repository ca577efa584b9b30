//! Shadow mode: it is meant for a while, and refuses nothing.

use scopegate_core::outline::Mode;

use super::{Subject, warning};
use crate::diagnostic::Diagnostic;
use crate::place::Step;

pub(super) fn look(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    if policy.mode() == Mode::Shadow {
        found.push(warning(
            "shadow-policy",
            subject.places.at(&[Step::Value("mode")]),
            "in shadow mode nothing is refused: every request reaches the upstream",
            "write `mode: enforce` once the counters say that nobody would be refused who should not be",
        ));
        return;
    }
    for (place, route) in policy.routes().iter().enumerate() {
        if route.mode == Some(Mode::Shadow) {
            found.push(warning(
                "shadow-route",
                subject.places.at(&[
                    Step::Value("routes"),
                    Step::Item(place),
                    Step::Value("mode"),
                ]),
                "in shadow mode this route refuses nobody",
                "remove `mode: shadow` once the counters say that nobody would be refused who should not be",
            ));
        }
    }
}
