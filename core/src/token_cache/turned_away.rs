//! Which tokens a full cache has turned away lately, and when: that tells, when one of them comes again, how often it is in use.

use std::num::NonZeroU32;

/// Octets of the cache for each place here: about two places for each token that the cache holds.
const OCTETS_PER_PLACE: usize = 1_024;

/// A verified token that the cache was given to keep, as a moment in time. So counted, no token of the cache grows old by what hits it,
/// and none by what a client sends without being able to have it signed.
#[derive(Clone, Copy, Default)]
pub(super) struct Arrival(u32);

/// Marks of tokens, each in the place that its hash gives it. Two tokens with one mark are taken for each other: then one
/// of them is let in early, which harms nobody.
pub(super) struct TurnedAway {
    places: Box<[Place]>,
}

/// The mark of a token, if there is one, and when that was turned away.
#[derive(Clone, Copy, Default)]
struct Place {
    mark: Option<NonZeroU32>,
    at: Arrival,
}

impl Arrival {
    /// The one after this.
    pub(super) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// How many there were after `earlier`, up to this one. After 2^32 it begins anew, and takes what is old for new once.
    pub(super) fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

impl TurnedAway {
    /// For a cache of that many octets.
    pub(super) fn new(limit: usize) -> Self {
        let places = limit.div_ceil(OCTETS_PER_PLACE);
        Self {
            places: vec![Place::default(); places].into(),
        }
    }

    /// When a token of that hash was turned away, if that is known: it then is so no more. If it is not known, it is from now on,
    /// unless another one's mark is in its place and may still be of use.
    ///
    /// A mark stays for as many arrivals as there are places. If it gave way to any other, then of two tokens in turn that share a place
    /// neither would ever be known.
    pub(super) fn take(&mut self, hash: u64, now: Arrival) -> Option<Arrival> {
        let count = self.places.len();
        let [mark, place] = [hash >> 32, hash & u64::from(u32::MAX)].map(u32::try_from);
        // No mark is zero: that is a place without one.
        let mark = NonZeroU32::new(mark.ok()?).or(Some(NonZeroU32::MIN));
        let place = usize::try_from(place.ok()?).ok()?.checked_rem(count)?;
        let held = self.places.get_mut(place)?;
        if held.mark == mark {
            return Some(std::mem::take(held).at);
        }
        let is_of_use = usize::try_from(now.since(held.at)).is_ok_and(|age| age <= count);
        if held.mark.is_none() || !is_of_use {
            *held = Place { mark, at: now };
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
mod tests {
    use super::*;

    fn places(count: usize) -> TurnedAway {
        TurnedAway::new(count * OCTETS_PER_PLACE)
    }

    /// When the token was turned away, as a number.
    fn take(turned_away: &mut TurnedAway, hash: u64, now: u32) -> Option<u32> {
        turned_away.take(hash, Arrival(now)).map(|Arrival(at)| at)
    }

    #[test]
    fn a_token_is_known_the_second_time_and_then_forgotten() {
        let mut turned_away = places(4);
        // Two marks, and one of zero, that is the same as one.
        for (hash, now) in [
            (7 << 32 | 1, 1),
            (8 << 32 | 1, 11),
            (2, 21),
            (1 << 32 | 2, 31),
        ] {
            assert_eq!(take(&mut turned_away, hash, now), None);
            assert_eq!(take(&mut turned_away, hash, now + 2), Some(now));
            assert_eq!(take(&mut turned_away, hash, now + 4), None);
            assert_eq!(take(&mut turned_away, hash, now + 6), Some(now + 4));
        }
    }

    #[test]
    fn a_mark_gives_way_after_as_many_arrivals_as_there_are_places() {
        let [first, second] = [7 << 32 | 1, 8 << 32 | 5];
        for (later, known) in [(1, true), (4, true), (5, false), (u32::MAX, false)] {
            let mut turned_away = places(4);
            // Just before the count begins anew.
            let now = u32::MAX - 2;
            take(&mut turned_away, first, now);
            let then = now.wrapping_add(later);
            assert_eq!(take(&mut turned_away, second, then), None);
            let (held, at) = if known { (first, now) } else { (second, then) };
            assert_eq!(take(&mut turned_away, held, then), Some(at), "{later}");
        }
    }

    #[test]
    fn it_is_as_large_as_its_cache_asks_for() {
        assert_eq!(size_of::<Place>(), 8);
        for (limit, places) in [(0, 0), (1, 1), (1_024, 1), (1_025, 2), (4 << 20, 4_096)] {
            assert_eq!(TurnedAway::new(limit).places.len(), places);
        }
        assert_eq!(take(&mut places(0), 1, 1), None);
    }
}
