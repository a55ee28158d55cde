//! In what the list of this device and the one at the server differ, in words.

use rust_i18n::t;

use crate::base::model::Account;
use crate::base::shown;
use crate::client::history::Difference;
use crate::protocol::wire::item::{Contact, Item, Kind};

impl Difference {
    /// Returns the difference on one line: the account it is about, the value here, and the server's value.
    #[must_use]
    pub fn line(&self) -> String {
        let who = Account::sanitised(&self.here.key);
        let there = Item { value: self.there.clone(), ..self.here.clone() };
        let said = |item: &Item| match (Kind::named(&item.kind), &item.value) {
            (_, None) => t!("people.not_in_list").into_owned(),
            (Some(Kind::Blocked), Some(_)) => t!("friend.is_blocked").into_owned(),
            (_, Some(_)) => described(&item.read().unwrap_or_default()),
        };
        t!("people.difference", name = who.shown(), here = said(&self.here), there = said(&there)).into_owned()
    }
}

fn described(Contact { remark, group }: &Contact) -> String {
    let (remark, group) = (shown::within(remark), shown::within(group));
    match (remark.is_empty(), group.is_empty()) {
        (true, true) => t!("people.in_list").into_owned(),
        (false, true) => t!("people.with_remark", remark = remark).into_owned(),
        (true, false) => t!("people.in_group", group = group).into_owned(),
        (false, false) => t!("people.with_both", remark = remark, group = group).into_owned(),
    }
}
