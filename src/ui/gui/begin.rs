//! How the first window comes quickly: what it needs is read beside what the display is asked, and what it does not need
//! waits until it has been drawn. Measured from the start to the window's being there, FLTK's input method and reading
//! the fonts are each as much as all the rest.

use std::cell::Cell;

use fltk::app;

/// How many seconds the first picture is waited for, where a window manager takes its time.
const PATIENCE: f64 = 0.3;

thread_local! {
    static DRAWN: Cell<bool> = const { Cell::new(false) };
}

/// Lets the fonts that there are be read, on a thread of its own: FLTK would begin when it first measures a text, and
/// wait for it. Before anything else.
pub fn fonts() {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        #[allow(unsafe_code, reason = "fontconfig has no bindings here, and this is one call without arguments")]
        let read = || {
            unsafe extern "C" {
                fn FcInit() -> std::ffi::c_int;
            }
            // SAFETY: it may be called on any thread, and whoever else calls it meanwhile waits.
            if unsafe { FcInit() } == 0 {
                log::warn!("the fonts cannot be read");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("fonts".to_owned()).spawn(read) {
            log::warn!("the fonts are read later: {error}");
        }
    }
}

/// FLTK, connected to the display.
pub fn connect() -> app::App {
    let connect = || {
        let app = app::App::default();
        // The connection is there by then, whatever else FLTK leaves for later.
        let _ = app::screen_count();
        app
    };
    #[cfg(all(unix, not(target_os = "macos")))]
    let connected = super::input_method::without(connect);
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    let connected = connect();
    connected
}

/// A window has been drawn.
pub fn drawn() {
    DRAWN.set(true);
}

/// Lets the first window be drawn, then does what it did not need.
pub fn first_picture() {
    // To the display at once.
    app::flush();
    let waits = std::rc::Rc::new(Cell::new(true));
    let over = std::rc::Rc::clone(&waits);
    app::add_timeout3(PATIENCE, move |_| over.set(false));
    while waits.get() && !DRAWN.get() && app::wait() {}
    #[cfg(all(unix, not(target_os = "macos")))]
    super::input_method::begin();
}
