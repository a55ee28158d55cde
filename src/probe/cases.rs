//! The script: what is refused before the login, the plain protocol's table from top to bottom, malformed
//! requests, the wild forms, extensions. Each case comes after those that it takes for granted.
//!
//! Its parts:
//!
//! - `accounts`: operations 01, 02 and 06.
//! - `messages`: operations 03, 04, 05, 08 and 09.
//! - `errors`: what is refused, and the forms seen in the wild.

mod accounts;
mod errors;
mod messages;

use super::case::Case;

/// Every case, in the order in which it is run and stands in the document.
pub(crate) fn all() -> Vec<Case> {
    [errors::not_logged_in(), accounts::cases(), messages::cases(), errors::cases()].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::probe::case::{Ask, ExpectedReply, Names, Step};
    use crate::probe::rule::Rule;

    fn asks() -> Vec<Ask> {
        let steps = all().into_iter().flat_map(|case| case.steps);
        steps
            .flat_map(|step| match step {
                Step::Ask(ask) => vec![ask],
                Step::Burst(asks) => asks,
                Step::Quiet(_) | Step::Alone(..) => Vec::new(),
            })
            .collect()
    }

    /// A missing text comes back as its key.
    #[track_caller]
    fn in_both_languages(key: &str) {
        let (en, zh) = (rust_i18n::t!(key, locale = "en"), rust_i18n::t!(key, locale = "zh-CN"));
        assert!(!en.contains(key) && en.is_ascii(), "{key}: {en}");
        assert!(!zh.contains(key) && !zh.is_ascii(), "{key}: {zh}");
    }

    #[test]
    fn every_text_is_there() {
        for case in all() {
            in_both_languages(&format!("probe.case.{}", case.id));
        }
        for rule in Rule::ALL {
            in_both_languages(&format!("probe.rule.{}", rule.id()));
        }
        for habit in
            asks().iter().flat_map(|ask| &ask.accept).filter_map(|accept| accept.habit).chain(["lobby-untried"])
        {
            in_both_languages(&format!("probe.habit.{habit}"));
        }
    }

    #[test]
    fn ids_are_unique_and_templates_complete() {
        let mut seen = HashSet::new();
        for case in all() {
            assert!(seen.insert(case.id), "{} twice", case.id);
        }
        let names = Names { mark: "0".repeat(8), attempt: 1 };
        for ask in asks() {
            let mut templates = vec![ask.send];
            for accept in &ask.accept {
                match accept.what {
                    ExpectedReply::Exactly(text) | ExpectedReply::Begins(text) => templates.push(text),
                    ExpectedReply::Message { from, body, .. } => templates.extend([from, body]),
                    ExpectedReply::Silence => {}
                }
            }
            for template in templates {
                assert!(!names.expand(template).contains(&b'{'), "{template}");
            }
            assert!(!ask.accept.is_empty(), "{}", ask.send);
        }
        assert_eq!(names.expand("{fill:936}").len(), 936);
    }

    /// Every reply of the table is expected somewhere.
    #[test]
    fn the_table_is_covered() {
        let expected: HashSet<&str> = asks()
            .iter()
            .flat_map(|ask| &ask.accept)
            .filter_map(|accept| match accept.what {
                ExpectedReply::Exactly(text) => Some(text),
                _ => None,
            })
            .collect();
        for reply in [
            "00:00", "01:01", "01:02", "01:03", "02:01", "02:02", "02:03", "02:04", "03:01", "03:02", "04:0", "04:2",
            "05:01", "06:01", "06:02", "07:01", "08:0", "08:2", "09:01",
        ] {
            assert!(expected.contains(reply), "{reply}");
        }
        let used: HashSet<Rule> = asks().iter().map(|ask| ask.rule).collect();
        // The judge finds these by itself, whatever a case is about, the runner over all cases, or they are of trials
        // made by hand.
        let judged = [
            Rule::ReplyForm,
            Rule::OwnReplies,
            Rule::OneReply,
            Rule::EachAnswered,
            Rule::Stays,
            Rule::ToSender,
            Rule::FromAsked,
            Rule::From,
            Rule::Time,
            Rule::NotLost,
            Rule::NotTwice,
        ];
        for rule in Rule::ALL {
            assert!(used.contains(rule) || judged.contains(rule), "{rule:?} has no case");
        }
    }
}
