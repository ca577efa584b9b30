//! What the gate owed to a request, from what the issuer did; and whether it got that.

use crate::record::{Kid, Record, Version};
use crate::times::{Moment, Times};

/// A request and what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The number of its connection.
    pub(crate) connection: usize,
    pub(crate) brought: Brought,
    /// Before its first octet was sent.
    pub(crate) sent: Moment,
    /// After its answer was whole.
    pub(crate) answered: Moment,
    pub(crate) answer: Answer,
}

/// Who issued a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// The one whose keys change and whose server fails.
    Tenant,
    /// The one that never fails.
    Partner,
}

/// The credential of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    /// A token with nothing wrong in it, signed with that key.
    Sound(Issuer, Kid),
    /// A token of the tenant's that names that key, and whose signature does not hold.
    Forged(Kid),
    /// A token with a `kid` that the tenant never had.
    Stranger,
    /// None.
    Nothing,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The upstream service answered.
    Allowed,
    /// The gate refused, or somebody broke, with that status.
    Status(u16),
    /// No answer.
    Broken,
}

/// What a request had to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    /// It had to pass.
    Pass,
    /// It must not pass.
    Refusal,
    /// The policy's times allow both.
    Either,
}

/// Whether it got that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It did.
    Right,
    /// It did not pass, and the policy's times excuse it: keys that were new, or that could not be had.
    Excused,
    /// It had to pass, or was refused as nobody may be.
    WronglyRefused,
    /// It must not pass, and did.
    WronglyAllowed,
}

/// What the gate owes to a request that brings this.
pub(crate) fn owed(asked: &Asked, tenant: &Record, partner: &Record, times: &Times) -> Owed {
    let Brought::Sound(issuer, kid) = asked.brought else {
        return Owed::Refusal;
    };
    let record = match issuer {
        Issuer::Tenant => tenant,
        Issuer::Partner => partner,
    };
    if has_to_pass(kid, asked, record, times) {
        return Owed::Pass;
    }
    match may_pass(kid, asked, record, times) {
        true => Owed::Either,
        false => Owed::Refusal,
    }
}

/// Whether the request got what was owed to it.
pub(crate) fn judge(asked: &Asked, tenant: &Record, partner: &Record, times: &Times) -> Verdict {
    let (issuer, kid) = match asked.brought {
        Brought::Sound(issuer, kid) => (issuer, kid),
        // Whoever has the key, or could get it, has no excuse: it is the token that is wrong.
        Brought::Forged(kid)
            if asked.answer == Answer::Status(503) && has_to_pass(kid, asked, tenant, times) =>
        {
            return Verdict::WronglyRefused;
        }
        Brought::Forged(_) | Brought::Stranger => {
            return match asked.answer {
                Answer::Allowed => Verdict::WronglyAllowed,
                Answer::Status(401 | 503) => Verdict::Right,
                Answer::Status(_) | Answer::Broken => Verdict::WronglyRefused,
            };
        }
        // Whether keys can be had has nothing to do with it.
        Brought::Nothing => {
            return match asked.answer {
                Answer::Allowed => Verdict::WronglyAllowed,
                Answer::Status(401) => Verdict::Right,
                Answer::Status(_) | Answer::Broken => Verdict::WronglyRefused,
            };
        }
    };
    let record = match issuer {
        Issuer::Tenant => tenant,
        Issuer::Partner => partner,
    };
    let is_our_fault = match asked.answer {
        Answer::Allowed if may_pass(kid, asked, record, times) => return Verdict::Right,
        Answer::Allowed => return Verdict::WronglyAllowed,
        // The gate knows this key: what it lacks is its own trouble, and never the token's.
        Answer::Status(401 | 403) => is_known(kid, asked, record, times),
        Answer::Status(503) => false,
        Answer::Status(_) | Answer::Broken => true,
    };
    if is_our_fault || has_to_pass(kid, asked, record, times) {
        return Verdict::WronglyRefused;
    }
    match record.published_since(kid, asked.sent) {
        Some(_) => Verdict::Excused,
        None => Verdict::Right,
    }
}

/// Whether some worker may have had that key, and trusted it, while the request was decided. There is no way to a key but an answer
/// of the issuer.
fn may_pass(kid: Kid, asked: &Asked, record: &Record, times: &Times) -> bool {
    in_force(asked, record, times)
        .any(|set| set.kids.contains(&kid) && asked.sent <= set.at + times.spread + times.trust())
}

/// Whether every worker had that key and trusted it, or else had to fetch it for this request.
fn has_to_pass(kid: Kid, asked: &Asked, record: &Record, times: &Times) -> bool {
    let is_trusted = |set: &Version| asked.answered <= set.at + times.trust();
    if is_known(kid, asked, record, times) && in_force(asked, record, times).all(is_trusted) {
        return true;
    }
    // From the beginning nothing is cooling down: even the first request waits for the keys.
    let settled = |since: Moment| match since {
        Moment::ZERO => Moment::ZERO,
        since => since + times.recovery(),
    };
    let since = |moment| {
        let published = record.published_since(kid, moment)?;
        let reachable = record.reachable_since(moment)?;
        Some(settled(published.max(reachable)))
    };
    // The same at the end as at the beginning: nothing has changed meanwhile.
    since(asked.sent) == since(asked.answered)
        && since(asked.sent).is_some_and(|settled| asked.sent >= settled)
}

/// Whether every set that a worker may have had while the request was decided has that key.
fn is_known(kid: Kid, asked: &Asked, record: &Record, times: &Times) -> bool {
    let mut sets = in_force(asked, record, times).peekable();
    sets.peek().is_some() && sets.all(|set| set.kids.contains(&kid))
}

/// The sets that a worker may have had while the request was decided: all that were answered before its end, but for those that a
/// later one had replaced everywhere before its beginning.
fn in_force<'a>(
    asked: &Asked,
    record: &'a Record,
    times: &Times,
) -> impl Iterator<Item = &'a Version> {
    let first = record
        .answers
        .iter()
        .rposition(|set| set.at + times.spread <= asked.sent)
        .unwrap_or(0);
    let (answered, sets) = (asked.answered, record.answers.iter().skip(first));
    sets.take_while(move |set| set.at <= answered)
}

#[cfg(test)]
#[path = "verdict/tests.rs"]
mod tests;
