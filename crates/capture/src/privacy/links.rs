//! Where paths lead.

use std::path::{Path, PathBuf};

/// No more links that lead to nothing are followed: they may lead to each other.
const LINKS_MAX: usize = 40;

/// A path without links, as the system has them now; none: it begins at no root. What is not there is in
/// what is, or where the link would lead that it goes through.
pub(super) fn without_links(path: &Path) -> Option<PathBuf> {
    let mut path = path.has_root().then(|| path.to_owned())?;
    for _ in 0..LINKS_MAX {
        let (through, led, is_there) = path.ancestors().find_map(|through| {
            if let Ok(there) = through.canonicalize() {
                return Some((through, there, true));
            }
            let led = through.read_link().ok()?;
            Some((through, through.parent()?.join(led), false))
        })?;
        let below = path.strip_prefix(through).ok()?;
        path = led.components().chain(below.components()).collect();
        if is_there {
            return Some(path);
        }
    }
    Some(path)
}
