//! Which shapes go where there are too many: those that were asked for longest ago, of who has most.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use syncline_model::UserId;

/// When shapes were asked for last, and who did so first. Those of before the server was started are
/// nobody's, and were not asked for.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Rises with each request.
    clock: u64,
    by_handle: HashMap<String, Use>,
}

#[derive(Debug)]
struct Use {
    last: u64,
    maker: UserId,
}

/// When a shape was asked for last, and its name.
type Asked<'h> = (u64, &'h str);

impl Uses {
    pub(super) fn note(&mut self, handle: &str, user: &UserId) {
        self.clock += 1;
        if let Some(known) = self.by_handle.get_mut(handle) {
            known.last = self.clock;
            return;
        }
        let first = Use {
            last: self.clock,
            maker: user.clone(),
        };
        self.by_handle.insert(handle.to_owned(), first);
    }

    /// Chooses so many of these shapes, which are all that there are, the oldest first. Those of the user
    /// with the most go first, so that nobody who asks for many sends away what others read.
    pub(super) fn choose(&mut self, handles: Vec<String>, count: usize) -> Vec<String> {
        let mut by_maker: HashMap<Option<&UserId>, Vec<Asked<'_>>> = HashMap::new();
        for handle in &handles {
            let known = self.by_handle.get(handle);
            let (maker, last) = known.map_or((None, 0), |known| (Some(&known.maker), known.last));
            by_maker.entry(maker).or_default().push((last, handle));
        }
        let mut makers: BinaryHeap<(usize, Reverse<Vec<Asked<'_>>>)> = by_maker
            .into_values()
            .map(|mut shapes| {
                // The one to go next is the last of the list.
                shapes.sort_by_key(|(last, _)| Reverse(*last));
                (shapes.len(), Reverse(shapes))
            })
            .collect();
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count
            && let Some((_, Reverse(mut shapes))) = makers.pop()
        {
            chosen.extend(shapes.pop().map(|(_, handle)| handle.to_owned()));
            if !shapes.is_empty() {
                makers.push((shapes.len(), Reverse(shapes)));
            }
        }
        let mut left: HashSet<&str> = handles.iter().map(String::as_str).collect();
        chosen.iter().for_each(|handle| _ = left.remove(&**handle));
        self.by_handle
            .retain(|handle, _| left.contains(handle.as_str()));
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes_first_whatever_its_age() {
        let mut uses = Uses::default();
        for handle in ["old", "middle", "new", "old"] {
            uses.note(handle, &user("ada"));
        }
        let all = ["unasked", "old", "middle", "new"].map(str::to_owned);
        assert_eq!(uses.choose(all[1..].to_vec(), 1), ["middle"]);
        assert_eq!(uses.choose(vec!["old".into(), "new".into()], 1), ["new"]);
    }

    #[test]
    fn who_has_most_loses_first() {
        let mut uses = Uses::default();
        uses.note("a", &user("ada"));
        uses.note("b", &user("ada"));
        for n in 0..4 {
            uses.note(&format!("m{n}"), &user("mallory"));
        }
        let all: Vec<String> = ["a", "b", "m0", "m1", "m2", "m3"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(uses.choose(all, 2), ["m0", "m1"]);
    }
}
