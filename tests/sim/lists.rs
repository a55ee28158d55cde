//! A model of what a device's history keeps of the account's items: those that the server has told, and the changes that it
//! has not taken.

use std::collections::BTreeMap;

use hongyan::client::history::ItemPage;
use hongyan::protocol::wire::item::Item;
use serde_json::Value;

type Name = (String, String);

/// The items of one device's database.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    items: BTreeMap<Name, Value>,
    /// By what they are about: their number, and the value; none removes the item.
    changes: BTreeMap<Name, (u64, Option<Value>)>,
    last: u64,
    /// How often what was here did not sum up to what the server has.
    pub doubts: usize,
}

impl Lists {
    /// Takes what the server has told; up to which version everything is here then.
    pub fn take(&mut self, page: ItemPage) -> u64 {
        if page.anew {
            self.items.clear();
        }
        page.items.into_iter().for_each(|item| self.put(item));
        if page.digest.is_some_and(|digest| digest != self.digest()) {
            self.doubts += 1;
            self.items.clear();
            return 0;
        }
        page.version
    }

    fn put(&mut self, Item { kind, key, value }: Item) {
        match value {
            Some(value) => drop(self.items.insert((kind, key), value)),
            None => drop(self.items.remove(&(kind, key))),
        }
    }

    fn digest(&self) -> u64 {
        self.items().map(|item| item.digest()).fold(0, u64::wrapping_add)
    }

    /// Everything that the server has told.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        let item = |((kind, key), value): (&Name, &Value)| Item {
            kind: kind.clone(),
            key: key.clone(),
            value: Some(value.clone()),
        };
        self.items.iter().map(item)
    }

    /// The device's person changes something.
    pub fn change(&mut self, Item { kind, key, value }: Item) {
        self.last += 1;
        self.changes.insert((kind, key), (self.last, value));
    }

    /// What the server has not taken, by number.
    pub fn changes(&self) -> Vec<(u64, Item)> {
        let change = |((kind, key), (number, value)): (&Name, &(u64, Option<Value>))| {
            (*number, Item { kind: kind.clone(), key: key.clone(), value: value.clone() })
        };
        let mut changes: Vec<_> = self.changes.iter().map(change).collect();
        changes.sort_by_key(|(number, _)| *number);
        changes
    }

    /// The server has taken the change of this number, or refused it.
    pub fn set(&mut self, number: u64, taken: bool) {
        let change = self.changes.iter().find(|(_, (n, _))| *n == number).map(|(name, _)| name.clone());
        let Some(name) = change else { return };
        let Some((_, value)) = self.changes.remove(&name) else { return };
        if taken {
            self.put(Item { kind: name.0, key: name.1, value });
        }
    }
}
