//! What a transcript knows: a little about every row, and the texts of the few pages that are or were recently in
//! sight. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{Datelike, Local, TimeZone};

use crate::base::model::{MessageId, SendState};
use crate::client::history::{Row, RowMeta};

/// The number of rows in a page.
pub const PAGE: usize = 64;
/// The most pages that are kept.
const KEPT: usize = 24;
/// The longest time between two messages of one run, in milliseconds.
const RUN_MS: u64 = 3 * 60 * 1000;

/// The rows of one conversation, oldest first.
#[derive(Debug, Default)]
pub struct Rows {
    metas: Vec<RowMeta>,
    /// The row of each message, by its number: earlier messages from the server may have been stored later.
    places: Vec<(MessageId, u32)>,
    /// The local day of each row, as a number of days.
    days: Vec<i32>,
    pages: HashMap<usize, Vec<Row>>,
    recent: VecDeque<usize>,
    asked: HashSet<usize>,
    /// Pages that were read in another language and are shown until they are read again.
    stale: HashSet<usize>,
}

impl Rows {
    /// Takes all rows as the history has them; texts are forgotten and asked for again.
    #[must_use]
    pub fn new(metas: Vec<RowMeta>) -> Self {
        let mut days = Days::default();
        let days = metas.iter().map(|meta| days.day(meta.unix_ms)).collect();
        let mut places: Vec<_> = (0..).zip(&metas).map(|(place, meta): (u32, _)| (meta.id, place)).collect();
        places.sort_unstable();
        Self { metas, places, days, ..Self::default() }
    }

    /// Returns how many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.metas.len()
    }

    /// Returns whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metas.is_empty()
    }

    /// Returns what is known of a row without its text.
    #[must_use]
    pub fn meta(&self, row: usize) -> Option<&RowMeta> {
        self.metas.get(row)
    }

    /// Returns the row, if its page is here.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Row> {
        self.pages.get(&(row / PAGE))?.get(row % PAGE)
    }

    /// Adds a message that was just stored; returns false if it is there already.
    pub fn push(&mut self, row: Row) -> bool {
        // New messages have the highest numbers.
        if self.places.last().is_some_and(|(last, _)| *last >= row.id) {
            return false;
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (page, place) = (self.metas.len() / PAGE, self.metas.len() % PAGE);
        self.places.push((row.id, count(self.metas.len())));
        self.metas.push(RowMeta {
            id: row.id,
            chars: count(row.text.chars().count()),
            breaks: count(row.text.matches('\n').count()),
            outgoing: row.state.is_some(),
            unix_ms: row.unix_ms,
            note: row.note,
        });
        self.days.push(Days::default().day(row.unix_ms));
        if place == 0 {
            self.keep(page, vec![row]);
        } else if let Some(known) = self.pages.get_mut(&page)
            && known.len() == place
        {
            known.push(row);
        }
        true
    }

    /// Returns the pages of these rows that are neither here nor asked for; from now on they count as asked for.
    pub fn missing(&mut self, rows: std::ops::Range<usize>) -> Vec<usize> {
        if rows.is_empty() {
            return Vec::new();
        }
        let mut missing = Vec::new();
        for page in rows.start / PAGE..=(rows.end - 1) / PAGE {
            let wanted = PAGE.min(self.metas.len().saturating_sub(page * PAGE));
            let whole = self.pages.get(&page).is_some_and(|known| known.len() >= wanted) && !self.stale.contains(&page);
            if !whole && self.asked.insert(page) {
                missing.push(page);
            }
        }
        missing
    }

    /// Makes every page be asked for again, because the program's own sentences in them are in another language.
    pub fn ask_for_all_again(&mut self) {
        self.stale = self.pages.keys().copied().collect();
        self.asked.clear();
    }

    /// Lets pages that could not be read be asked for again.
    pub fn expect_nothing(&mut self) {
        self.asked.clear();
    }

    /// Takes a page that was asked for; returns false if it does not belong to the rows known here, whose list is then
    /// to be asked for again.
    pub fn fill(&mut self, first: usize, rows: Vec<Row>) -> bool {
        let page = first / PAGE;
        self.asked.remove(&page);
        let fits = rows.iter().enumerate().all(|(i, row)| self.metas.get(first + i).is_some_and(|m| m.id == row.id));
        if fits && !rows.is_empty() {
            self.keep(page, rows);
        }
        fits
    }

    fn keep(&mut self, page: usize, rows: Vec<Row>) {
        self.pages.insert(page, rows);
        self.stale.remove(&page);
        self.recent.retain(|known| *known != page);
        self.recent.push_back(page);
        if self.recent.len() > KEPT
            && let Some(old) = self.recent.pop_front()
        {
            self.pages.remove(&old);
        }
    }

    /// Changes how far a sent message has come; returns its row, if it is in this conversation.
    pub fn set_state(&mut self, id: MessageId, state: SendState) -> Option<usize> {
        let row = self.find(id)?;
        if let Some(known) = self.pages.get_mut(&(row / PAGE)).and_then(|page| page.get_mut(row % PAGE)) {
            known.state = Some(state);
        }
        Some(row)
    }

    /// Returns the row of a message.
    #[must_use]
    pub fn find(&self, id: MessageId) -> Option<usize> {
        let found = self.places.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.places.get(found).and_then(|(_, place)| usize::try_from(*place).ok())
    }

    /// Returns whether a line with the day is above this row.
    #[must_use]
    pub fn begins_day(&self, row: usize) -> bool {
        let day = |row: usize| self.days.get(row);
        row == 0 || day(row) != day(row - 1)
    }

    /// Returns whether the row is not a message but a sentence of this program.
    #[must_use]
    pub fn is_note(&self, row: usize) -> bool {
        self.metas.get(row).is_some_and(|meta| meta.note)
    }

    /// Returns whether the time is shown below this row: the other side writes next, a while passes, or the next
    /// message has another state, as far as the texts are here.
    #[must_use]
    pub fn ends_run(&self, row: usize) -> bool {
        let (Some(this), Some(next)) = (self.metas.get(row), self.metas.get(row + 1)) else { return true };
        this.outgoing != next.outgoing
            || this.note != next.note
            || next.unix_ms.abs_diff(this.unix_ms) > RUN_MS
            || self.begins_day(row + 1)
            || self.become_different(row)
    }

    /// Returns whether the state below the next message is not right for this one: they differ, and one of them is
    /// neither sent nor delivered.
    fn become_different(&self, row: usize) -> bool {
        let state = |row| self.row(row).map(|known| known.state);
        let (Some(this), Some(next)) = (state(row), state(row + 1)) else { return false };
        let usual = |state| matches!(state, Some(SendState::Sent | SendState::Delivered) | None);
        this != next && !(usual(this) && usual(next))
    }
}

/// Finds local days; asks the time zone only when a time is outside the last known day.
#[derive(Default)]
struct Days {
    known: Option<(std::ops::Range<i64>, i32)>,
}

impl Days {
    fn day(&mut self, unix_ms: i64) -> i32 {
        if let Some((range, day)) = &self.known
            && range.contains(&unix_ms)
        {
            return *day;
        }
        let Some(time) = Local.timestamp_millis_opt(unix_ms).earliest() else { return 0 };
        let day = time.date_naive().num_days_from_ce();
        let start = |date: chrono::NaiveDate| {
            let midnight = Local.from_local_datetime(&date.and_hms_opt(0, 0, 0)?).earliest()?;
            Some(midnight.timestamp_millis())
        };
        let next = time.date_naive().succ_opt().and_then(start);
        if let (Some(from), Some(to)) = (start(time.date_naive()), next) {
            self.known = Some((from..to, day));
        }
        day
    }
}

#[cfg(test)]
mod tests;
