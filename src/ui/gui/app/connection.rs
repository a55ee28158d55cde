//! The connection window, and finding out why a server cannot be reached.

use std::rc::Rc;

use fltk::app;

use super::super::connection_window::{ConnectionWindow, Event};
use super::{App, with};
use crate::client::diagnosis::{Question, Report};
use crate::client::known;
use crate::client::net::clock;
use crate::client::net::reach::Reach;
use crate::protocol::PORT;

/// Which one, and what ends it.
pub(super) struct Finding {
    number: u64,
    reach: Option<Reach>,
}

impl Finding {
    pub(super) const NONE: Self = Self { number: 0, reach: None };
}

/// Does what the connection window asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::Open => app.open_connection(),
        Event::FiguresWanted => app.show_connection(),
        Event::FindOut(server) => app.find_out(server),
        Event::Closed => app.close_connection(),
    });
}

impl App {
    pub(super) fn open_connection(&mut self) {
        if let Some(window) = &mut self.connection {
            return window.raise();
        }
        let place = self.settings.windows.get("connection").copied();
        self.connection = Some(ConnectionWindow::new(&self.place.typed(), place, Rc::clone(&self.emit)));
    }

    pub(super) fn close_connection(&mut self) {
        self.finding.reach = None;
        if let Some(window) = self.connection.take() {
            self.settings.windows.insert("connection".to_owned(), window.place());
            self.saver.save(&self.settings);
            window.close();
        }
    }

    pub(super) fn show_connection(&mut self) {
        let Some(window) = &mut self.connection else { return };
        self.client.measure(clock::now());
        let connection = self.client.connection();
        window.set_connection(connection);
    }

    /// Built anew in another language or theme, with what was found.
    pub(super) fn rebuild_connection(&mut self) {
        let Some(report) = self.connection.as_ref().map(ConnectionWindow::report) else { return };
        self.close_connection();
        self.open_connection();
        if let (Some(window), Some(report)) = (&mut self.connection, report.filter(|report| report.finished)) {
            window.set_report(report);
        }
    }

    pub(super) fn find_out(&mut self, server: String) {
        self.finding.number += 1;
        let (number, data) = (self.finding.number, self.args.paths.histories.clone());
        let told = move |report: &Report| {
            let report = report.clone();
            app::awake_callback(move || {
                let report = report.clone();
                with(|app| app.found_out(number, report));
            });
        };
        let name = server.clone();
        let question = Question { server, port: PORT };
        match Reach::start(question, move |at| known(&data, &name, at), told) {
            Ok(reach) => self.finding.reach = Some(reach),
            Err(error) => log::error!("no thread to find out on: {error}"),
        }
    }

    fn found_out(&mut self, number: u64, report: Report) {
        if number != self.finding.number {
            return;
        }
        if report.finished {
            self.finding.reach = None;
        }
        if let Some(window) = &mut self.connection {
            window.set_report(report);
        }
    }
}
