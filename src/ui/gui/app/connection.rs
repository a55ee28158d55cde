//! The connection window, and finding out why a server cannot be reached.

use fltk::app;

use super::super::connection_window::{ConnectionWindow, Event};
use super::core::Core;
use super::with;
use crate::client::diagnosis::{Question, Report};
use crate::client::known;
use crate::client::net::clock;
use crate::client::net::reach::Reach;
use crate::protocol::PORT;

/// The name under which the settings keep the position of the connection window.
const NAME: &str = "connection";

/// The connection window, and the diagnosis that runs for it.
#[derive(Default)]
pub(super) struct Connecting {
    window: Option<ConnectionWindow>,
    /// The number of diagnoses started so far; a report of an earlier one is not shown.
    asked: u64,
    /// The running diagnosis, which ends when it is dropped.
    reach: Option<Reach>,
}

/// Does what the connection window asked for.
pub(super) fn apply(event: Event) {
    with(|app| {
        let (connection, core) = (&mut app.connection, &mut app.core);
        match event {
            Event::Open => connection.open(core),
            Event::FiguresWanted => connection.show(core),
            Event::FindOut(server) => connection.find_out(core, server),
            Event::Closed => connection.close(core),
        }
    });
}

impl Connecting {
    fn open(&mut self, core: &Core) {
        match &mut self.window {
            Some(window) => window.raise(),
            None => {
                let position = core.position(NAME);
                self.window = Some(ConnectionWindow::new(&core.server.typed(), position, core.emit()));
            }
        }
    }

    fn close(&mut self, core: &mut Core) {
        self.reach = None;
        if let Some(window) = self.window.take() {
            core.keep_position(NAME, window.position());
            core.save();
        }
    }

    fn show(&mut self, core: &mut Core) {
        let Some(window) = &mut self.window else { return };
        core.client.measure(clock::now());
        window.set_connection(core.client.connection());
    }

    /// Rebuilds the window after the language or theme has changed. A running diagnosis goes on.
    pub(super) fn renew(&mut self, core: &Core) {
        if let Some(window) = &mut self.window {
            *window = window.renewed(core.emit());
        }
    }

    pub(super) fn window(&self) -> Option<&ConnectionWindow> {
        self.window.as_ref()
    }

    fn find_out(&mut self, core: &Core, server: String) {
        self.asked += 1;
        let (number, data) = (self.asked, core.args.paths.histories.clone());
        let told = move |report: &Report| {
            let report = report.clone();
            app::awake_callback(move || {
                let report = report.clone();
                with(|app| app.connection.found_out(number, report));
            });
        };
        let name = server.clone();
        let question = Question { server, port: PORT };
        match Reach::start(question, move |at| known(&data, &name, at), told) {
            Ok(reach) => self.reach = Some(reach),
            Err(error) => log::error!("no thread to find out on: {error}"),
        }
    }

    fn found_out(&mut self, number: u64, report: Report) {
        if number != self.asked {
            return;
        }
        if report.finished {
            self.reach = None;
        }
        if let Some(window) = &mut self.window {
            window.set_report(report);
        }
    }
}
