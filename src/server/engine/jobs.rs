//! What waits for the store or the hasher: each job has a number of its own, by which its answer is known.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use super::Waiting;
use super::administering::Ordered;
use crate::server::store::AccountId;

/// Everything that waits, but for what devices wait for; they count by the same numbers.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    last: u64,
    plain: HashMap<u64, (SocketAddr, Waiting)>,
    /// Operators' orders that are being stored, with their tickets.
    ordered: HashMap<u64, (u64, Ordered)>,
}

impl Jobs {
    /// A number that no job has had.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// An address's request waits.
    pub(super) fn wait(&mut self, from: SocketAddr, waiting: Waiting) -> u64 {
        let job = self.next();
        self.plain.insert(job, (from, waiting));
        job
    }

    /// It does no more.
    pub(super) fn take(&mut self, job: u64) -> Option<(SocketAddr, Waiting)> {
        self.plain.remove(&job)
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> usize {
        self.plain.len()
    }

    /// An operator's order waits.
    pub(super) fn order(&mut self, ticket: u64, ordered: Ordered) -> u64 {
        let job = self.next();
        self.ordered.insert(job, (ticket, ordered));
        job
    }

    /// It does no more.
    pub(super) fn take_order(&mut self, job: u64) -> Option<(u64, Ordered)> {
        self.ordered.remove(&job)
    }

    /// Whom it concerns.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        for (_, waiting) in self.plain.values() {
            match waiting {
                Waiting::Check { account, .. }
                | Waiting::Rehash { account, .. }
                | Waiting::Change { account, .. }
                | Waiting::Offer { account, .. } => {
                    needed.insert(*account);
                }
                Waiting::Send { message, .. } => message.needs(needed),
                Waiting::Hash { .. } | Waiting::Register { .. } | Waiting::Login { .. } | Waiting::Offline => {}
            }
        }
        for (_, ordered) in self.ordered.values() {
            match ordered {
                Ordered::Password { account, .. } | Ordered::SecureOnly { account, .. } => {
                    needed.insert(*account);
                }
                // Who is deleted is kept with the order.
                Ordered::Delete { .. } | Ordered::Import { .. } | Ordered::List => {}
            }
        }
    }

    /// The orders that wait.
    pub(super) fn orders(&mut self) -> impl Iterator<Item = &mut Ordered> {
        self.ordered.values_mut().map(|(_, ordered)| ordered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_has_a_number_of_its_own_and_is_answered_once() {
        let mut jobs = Jobs::default();
        let from = SocketAddr::from(([127, 0, 0, 1], 1));
        let (request, device) = (jobs.wait(from, Waiting::Offline), jobs.next());
        let order = jobs.order(5, Ordered::SecureOnly { account: 1, on: true });
        assert_eq!([request, device, order], [1, 2, 3]);
        assert!(jobs.take(order).is_none() && jobs.take_order(request).is_none(), "each is known as what it is");
        assert_eq!((jobs.orders().count(), jobs.waiting()), (1, 1));
        assert!(matches!(jobs.take(request), Some((of, Waiting::Offline)) if of == from));
        assert!(matches!(jobs.take_order(order), Some((5, Ordered::SecureOnly { account: 1, on: true }))));
        assert!(jobs.take(request).is_none() && jobs.waiting() == 0);
    }
}
