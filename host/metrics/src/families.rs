//! Where the families of an owner are, for as long as one of its scopes wants them: a new version of a plugin has a scope of
//! its own, and goes on with those families of the old one that stayed the same, while calls of both are under way.

use std::{
    ops::{Index, IndexMut},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    desc::{Desc, Kind},
    family::Family,
};

#[derive(Debug, Default)]
pub(crate) struct Families {
    slots: Mutex<Slots>,
    /// Held by whoever sorts families step by step, and always taken before `slots`.
    pub(crate) sorting: Mutex<()>,
}

#[derive(Debug, Default)]
struct Slots {
    slots: Vec<Slot>,
    /// Places of slots that nobody uses.
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    family: Family,
    /// How many scopes have it.
    users: u32,
}

/// The families of one scope, locked, by number. All scopes of an owner share one lock: no page shows half a call.
pub(crate) struct Locked<'a> {
    slots: MutexGuard<'a, Slots>,
    places: &'a [u32],
}

impl Families {
    fn lock_slots(&self) -> MutexGuard<'_, Slots> {
        // A panic elsewhere leaves the columns whole: they are only ever appended to or overwritten.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks those at these places, which [`Families::add`] and [`Families::share`] gave.
    pub(crate) fn lock<'a>(&'a self, places: &'a [u32]) -> Locked<'a> {
        Locked {
            slots: self.lock_slots(),
            places,
        }
    }

    /// The place of a new family.
    pub(crate) fn add(&self, family: Family) -> u32 {
        let mut all = self.lock_slots();
        let slot = Slot { family, users: 1 };
        match all.free.pop() {
            Some(place) => {
                all.slots[place as usize] = slot;
                place
            }
            None => {
                all.slots.push(slot);
                (all.slots.len() - 1) as u32
            }
        }
    }

    /// One more scope has the family at this place.
    pub(crate) fn share(&self, place: u32) -> u32 {
        self.lock_slots().slots[place as usize].users += 1;
        place
    }

    /// A scope ends. Families that no other one has go with it.
    pub(crate) fn release(&self, places: &[u32]) {
        let mut all = self.lock_slots();
        let Slots { slots, free } = &mut *all;
        for place in places {
            let slot = &mut slots[*place as usize];
            slot.users -= 1;
            if slot.users == 0 {
                slot.family = Family::new(Desc::new("", "", Kind::Untyped), &[]);
                free.push(*place);
            }
        }
    }
}

impl Locked<'_> {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut Family> {
        let place = *self.places.get(number)?;
        Some(&mut self.slots.slots[place as usize].family)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Family> {
        let family = |place: &u32| &self.slots.slots[*place as usize].family;
        self.places.iter().map(family)
    }
}

impl Index<usize> for Locked<'_> {
    type Output = Family;

    fn index(&self, number: usize) -> &Family {
        &self.slots.slots[self.places[number] as usize].family
    }
}

impl IndexMut<usize> for Locked<'_> {
    fn index_mut(&mut self, number: usize) -> &mut Family {
        &mut self.slots.slots[self.places[number] as usize].family
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str) -> Family {
        Family::new(Desc::new(name, "", Kind::Gauge), &[])
    }

    #[test]
    fn places_that_nobody_has_are_used_again() {
        let families = Families::default();
        let first = [families.add(family("a")), families.add(family("b"))];
        let second = [families.share(first[1]), families.add(family("c"))];
        families.release(&first);
        assert_eq!(families.lock(&second)[0].desc.name, "b");
        let third = [families.add(family("d"))];
        assert_eq!(third, [first[0]]);
        families.release(&second);
        families.release(&third);
        assert_eq!(families.lock_slots().free.len(), 3);
    }
}
