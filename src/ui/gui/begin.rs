//! Opens the first window quickly: what it needs is read while the display is being asked, and what it does not need
//! waits until it has been drawn. FLTK's input method and reading the fonts each take as long as everything else
//! together.

use std::cell::Cell;

use fltk::app;

/// How many seconds to wait for the first picture, if the window manager is slow.
const PATIENCE: f64 = 0.3;

thread_local! {
    static DRAWN: Cell<bool> = const { Cell::new(false) };
}

/// Has the fonts read on a thread: FLTK would begin when it first measures a text, and wait for it. Called before
/// anything else.
pub fn fonts() {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        #[allow(unsafe_code, reason = "fontconfig has no bindings here, and this is one call without arguments")]
        let read = || {
            unsafe extern "C" {
                fn FcInit() -> std::ffi::c_int;
            }
            // SAFETY: it may be called on any thread; another caller waits meanwhile.
            if unsafe { FcInit() } == 0 {
                log::warn!("the fonts cannot be read");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("fonts".to_owned()).spawn(read) {
            log::warn!("the fonts are read later: {error}");
        }
    }
}

/// Connects FLTK to the display.
pub fn connect() -> app::App {
    let connect = || {
        let app = app::App::default();
        // This makes sure of the connection, whatever else FLTK leaves for later.
        let _ = app::screen_count();
        app
    };
    #[cfg(all(unix, not(target_os = "macos")))]
    let connected = super::input_method::without(connect);
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    let connected = connect();
    connected
}

/// Notes that a window has been drawn.
pub fn drawn() {
    DRAWN.set(true);
}

/// Lets the first window be drawn, then does what it did not need.
pub fn first_picture() {
    // Sends what was drawn to the display at once.
    app::flush();
    let waits = std::rc::Rc::new(Cell::new(true));
    let over = std::rc::Rc::clone(&waits);
    app::add_timeout3(PATIENCE, move |_| over.set(false));
    while waits.get() && !DRAWN.get() && app::wait() {}
    #[cfg(all(unix, not(target_os = "macos")))]
    super::input_method::begin();
}
