//! Input methods of X11 (ibus, fcitx) come and go while the program runs. FLTK opens one at its start and never again,
//! so after a restart of it nobody could type Chinese in this program any more. A thread learns of new ones, and FLTK
//! opens its own anew.
//!
//! Opening one takes as long as everything else before the first window, some sixty requests to the display; so the
//! first is opened after that window has been drawn, before its first key.
//!
//! Input methods announce themselves at the root window, in the property that XIM's specification calls `XIM_SERVERS`.

use std::thread;

use fltk::app;
use fltk::prelude::*;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt, EventMask};

/// How many seconds after its announcement an input method can be used.
const SOON: f64 = 0.5;

/// Lets FLTK connect to the display without opening an input method; [`begin`] must follow.
pub fn without<T>(connect: impl FnOnce() -> T) -> T {
    fltk_xim::hold();
    let connected = connect();
    fltk_xim::release();
    connected
}

/// Opens the present input method, and listens for others from now on until the program ends. Without a display or a
/// thread it does not listen.
pub fn begin() {
    if let Some(window) = front() {
        fltk_xim::open(window);
    }
    watch();
}

fn watch() {
    let started = thread::Builder::new().name("input-method".to_owned()).spawn(|| {
        if let Err(error) = listen() {
            log::debug!("input methods that come later are not noticed: {error}");
        }
    });
    if let Err(error) = started {
        log::warn!("input methods that come later are not noticed: {error}");
    }
}

/// Listens on a connection of its own, as we must not wait on FLTK's.
fn listen() -> Result<(), Box<dyn std::error::Error>> {
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection.setup().roots.get(screen).ok_or("no screen")?.root;
    let servers = connection.intern_atom(false, b"XIM_SERVERS")?.reply()?.atom;
    let attributes = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    connection.change_window_attributes(root, &attributes)?.check()?;
    loop {
        if let Event::PropertyNotify(change) = connection.wait_for_event()?
            && change.atom == servers
        {
            app::awake_callback(|| {
                // Several announcements follow each other; the last one counts.
                let word = WORDS.get().wrapping_add(1);
                WORDS.set(word);
                app::add_timeout3(SOON, move |_| {
                    if WORDS.get() == word {
                        reopen();
                    }
                });
            });
        }
    }
}

thread_local! {
    static WORDS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// FLTK's own state of XIM, by its symbols in the library that the bindings are built with.
#[allow(unsafe_code, reason = "FLTK has no call for it; the names are those of FLTK 1.4, which Cargo.toml pins")]
mod fltk_xim {
    use std::ffi::{c_ulong, c_void};

    unsafe extern "C" {
        #[link_name = "_ZN20Fl_X11_Screen_Driver6xim_imE"]
        static mut METHOD: *mut c_void;
        #[link_name = "_ZN20Fl_X11_Screen_Driver6xim_icE"]
        static mut CONTEXT: *mut c_void;
        #[link_name = "_ZN20Fl_X11_Screen_Driver7xim_winE"]
        static mut WINDOW: c_ulong;
        #[link_name = "_ZN20Fl_X11_Screen_Driver8init_ximEv"]
        fn init_xim();
        #[link_name = "_ZN20Fl_X11_Screen_Driver12xim_activateEm"]
        fn xim_activate(window: c_ulong);
        /// A function of Xlib.
        #[link_name = "XSetICFocus"]
        fn set_focus(context: *mut c_void);
    }

    /// Makes FLTK believe that it has an input method, so that it opens none. Nothing looks at it before [`release`]:
    /// only events do, and none is handled before there is a window.
    pub fn hold() {
        // SAFETY: as below; the pointer is never followed.
        unsafe {
            if METHOD.is_null() {
                METHOD = std::ptr::dangling_mut();
            }
        }
    }

    /// Ends that, so that FLTK may open one.
    pub fn release() {
        // SAFETY: as below.
        unsafe {
            if METHOD == std::ptr::dangling_mut() {
                METHOD = std::ptr::null_mut();
            }
        }
    }

    /// Opens an input method, unless FLTK has done so itself (as it does when the pointer enters a window), for a
    /// window that may have got the keyboard before.
    pub fn open(window: c_ulong) {
        // SAFETY: as below.
        unsafe {
            init_xim();
            if !METHOD.is_null() && !CONTEXT.is_null() {
                xim_activate(window);
                // If it was activated for another window, it has a context of its own or none.
                if !CONTEXT.is_null() {
                    set_focus(CONTEXT);
                }
            }
        }
    }

    /// Opens the present input method for this window; returns false, and leaves everything as it was, if there is
    /// none.
    pub fn reopen(window: c_ulong) -> bool {
        // SAFETY: FLTK's statics and functions are only used by this thread, which runs FLTK, and outside of any of its
        // calls. What was opened before is left as it is: its other end has gone, and Xlib cannot close it.
        unsafe {
            let before = (METHOD, CONTEXT, WINDOW);
            (METHOD, CONTEXT, WINDOW) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
            init_xim();
            let opened = !METHOD.is_null() && !CONTEXT.is_null();
            if opened {
                xim_activate(window);
            } else {
                (METHOD, CONTEXT, WINDOW) = before;
            }
            opened
        }
    }
}

/// Returns the window with the keyboard, else the one in front.
fn front() -> Option<std::ffi::c_ulong> {
    let focus = app::focus().and_then(|w| w.top_window()).filter(|w| w.shown()).map(|w| w.raw_handle());
    focus.or_else(|| app::first_window().filter(|w| w.shown()).map(|w| w.raw_handle()))
}

fn reopen() {
    let Some(window) = front() else { return };
    let opened = fltk_xim::reopen(window);
    log::info!("an input method came: {}", if opened { "it is used" } else { "it is not this program's" });
}
