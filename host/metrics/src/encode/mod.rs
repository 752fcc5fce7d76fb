//! Wire formats, one file each. A format reads a [`Page`](crate::Page) and appends bytes; families and values name no format.

mod text;

pub use text::encode as text;

use crate::family::Family;

/// The series of a group of stores that share a family name, in the order of the page: store and slot.
pub(crate) fn series<'a>(stores: &'a [&'a Family]) -> impl Iterator<Item = (&'a Family, u32)> + 'a {
    let mut heads: Vec<(&Family, &[u32])> =
        stores.iter().map(|store| (*store, store.order())).collect();
    std::iter::from_fn(move || {
        heads.retain(|(_, rest)| !rest.is_empty());
        // One store is the rule; several are instances of one plugin with different constant labels.
        let least = match heads.len() {
            0 => return None,
            1 => 0,
            _ => least(&heads),
        };
        let (store, rest) = &mut heads[least];
        let (slot, behind) = rest.split_first()?;
        *rest = behind;
        Some((*store, *slot))
    })
}

fn least(heads: &[(&Family, &[u32])]) -> usize {
    let text = |place: usize| heads[place].0.text(heads[place].1[0]);
    (1..heads.len()).fold(0, |best, place| {
        if crate::labels::compare(text(place), text(best)).is_lt() {
            place
        } else {
            best
        }
    })
}
