//! How far a conversation has been read: which messages are new, and where the line "new messages" is. Pure.

use super::rows::Rows;
use crate::base::model::MessageId;

/// What has been looked at in one conversation.
#[derive(Debug, Default)]
pub struct Reading {
    /// The last row that was looked at, or that was not new when the rows came.
    looked_to: Option<MessageId>,
    /// The message below the line "new messages".
    first_new: Option<MessageId>,
    /// Whether that line goes above the next message of another person.
    marks_next: bool,
}

impl Reading {
    /// Sets that the last `count` messages of others were not looked at.
    pub fn count_unread(&mut self, rows: &Rows, count: u64) {
        self.looked_to = None;
        let mut left = count;
        for meta in (0..rows.len()).rev().filter_map(|row| rows.meta(row)) {
            if left == 0 {
                self.looked_to = Some(meta.id);
                break;
            }
            left -= u64::from(!meta.outgoing);
        }
    }

    /// As [`Reading::count_unread`], and puts the line above the first of them; 0 removes it.
    pub fn mark_new(&mut self, rows: &Rows, count: u64) {
        self.count_unread(rows, count);
        let mut theirs = (self.unread_from(rows)..rows.len()).filter_map(|row| rows.meta(row)).filter(|m| !m.outgoing);
        self.first_new = theirs.next().map(|meta| meta.id);
    }

    /// Removes the line, which will be above the next message of another person; returns the row it was above.
    pub fn mark_next(&mut self, rows: &Rows) -> Option<usize> {
        self.marks_next = true;
        self.first_new.take().and_then(|id| rows.find(id))
    }

    /// Notes that a message has come; `own` if it is a sent one.
    pub fn came(&mut self, id: MessageId, own: bool) {
        if std::mem::take(&mut self.marks_next) && !own {
            self.first_new = Some(id);
        }
    }

    /// Returns the row below the line "new messages", if there is one.
    pub fn first_new(&self, rows: &Rows) -> Option<usize> {
        self.first_new.and_then(|id| rows.find(id))
    }

    /// Returns whether the line is above this row.
    pub fn is_first_new(&self, rows: &Rows, row: usize) -> bool {
        self.first_new.is_some() && rows.meta(row).map(|meta| meta.id) == self.first_new
    }

    /// Returns the first row that was not looked at.
    pub fn unread_from(&self, rows: &Rows) -> usize {
        self.looked_to.and_then(|id| rows.find(id)).map_or(0, |row| row + 1)
    }

    /// Returns how many messages of others were not looked at.
    pub fn unread(&self, rows: &Rows) -> u64 {
        let theirs =
            (self.unread_from(rows)..rows.len()).filter(|row| rows.meta(*row).is_some_and(|meta| !meta.outgoing));
        u64::try_from(theirs.count()).unwrap_or(u64::MAX)
    }

    /// Returns how many messages of others from this row on were not looked at; 100 may mean more.
    pub fn unread_below(&self, rows: &Rows, row: usize) -> usize {
        let below = row.max(self.unread_from(rows));
        let theirs = |row: &usize| rows.meta(*row).is_some_and(|meta| !meta.outgoing);
        (below..rows.len().min(below + 1000)).filter(theirs).take(100).count()
    }

    /// Returns the message up to which somebody has read who sees the rows up to this one, if others' messages are new
    /// among them.
    pub fn news_up_to(&self, rows: &Rows, row: usize) -> Option<MessageId> {
        let mut news = (self.unread_from(rows)..=row).filter_map(|row| rows.meta(row)).filter(|m| !m.outgoing);
        news.next().and_then(|_| rows.meta(row)).map(|meta| meta.id)
    }

    /// Sets that everything up to this message has been looked at.
    pub fn looked(&mut self, to: MessageId) {
        self.looked_to = Some(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::history::RowMeta;

    /// Makes rows of which every third is a sent message.
    fn rows(n: i64) -> Rows {
        let meta =
            |id| RowMeta { id: MessageId(id), chars: 1, breaks: 0, outgoing: id % 3 == 0, unix_ms: 0, note: false };
        Rows::new((0..n).map(meta).collect())
    }

    #[test]
    fn the_line_stands_over_the_first_of_what_is_new() {
        let rows = rows(12);
        let mut reading = Reading::default();
        for (unread, first) in [(0, None), (1, Some(11)), (2, Some(10)), (3, Some(8)), (8, Some(1)), (99, Some(1))] {
            reading.mark_new(&rows, unread);
            assert_eq!((reading.first_new(&rows), reading.unread(&rows)), (first, unread.min(8)), "{unread}");
        }
    }

    #[test]
    fn what_was_looked_at_is_not_new_any_more() {
        let rows = rows(12);
        let mut reading = Reading::default();
        reading.mark_new(&rows, 3);
        assert_eq!((reading.news_up_to(&rows, 7), reading.news_up_to(&rows, 8)), (None, Some(MessageId(8))));
        reading.looked(MessageId(8));
        assert_eq!((reading.unread(&rows), reading.unread_below(&rows, 9), reading.unread_below(&rows, 11)), (2, 2, 1));
        assert_eq!(reading.news_up_to(&rows, 9), None, "one's own is no news");
        assert_eq!(reading.first_new(&rows), Some(8), "the line stays where it was");
    }

    #[test]
    fn the_line_waits_for_the_next_message_of_somebody_else() {
        let rows = rows(6);
        let mut reading = Reading::default();
        reading.mark_new(&rows, 1);
        assert_eq!((reading.mark_next(&rows), reading.first_new(&rows)), (Some(5), None));
        reading.came(MessageId(4), false);
        assert!(reading.is_first_new(&rows, 4) && !reading.is_first_new(&rows, 5));
        reading.mark_next(&rows);
        reading.came(MessageId(3), true);
        reading.came(MessageId(5), false);
        assert_eq!(reading.first_new(&rows), None, "whoever writes has read it");
    }
}
