//! Who the account's owner is to others, and who may ask to be their friend.

use rust_i18n::t;

use super::super::profile_window::{Event, Field, ProfileForm, ProfileWindow};
use super::core::Core;
use super::signed_in::SignedIn;
use super::with_signed_in;
use crate::base::model::names;
use crate::protocol::wire::item::{Kind, MayAsk, Profile, written};

/// Does what the profile window asked for.
pub(super) fn apply(event: Event) {
    with_signed_in(|signed_in, core| match event {
        Event::Open => signed_in.open_profile(core),
        Event::Save(form) => signed_in.save_profile(form, core),
        Event::Closed => signed_in.profile = None,
    });
}

impl SignedIn {
    fn open_profile(&mut self, core: &Core) {
        if let Some(window) = &mut self.profile {
            return window.raise();
        }
        let friends = self.main.roster().friends().clone();
        let local = core.settings.nicknames.get(self.me.as_str()).cloned().unwrap_or_default();
        let form = ProfileForm {
            // A nickname of before was this computer's alone: it is proposed, and goes to nobody unless it is saved.
            profile: friends.profile.unwrap_or(Profile { name: local, ..Profile::default() }),
            may_ask: friends.may_ask.unwrap_or(MayAsk::Everybody),
        };
        self.show_profile(&form, friends.kept_by_server, core);
    }

    fn show_profile(&mut self, form: &ProfileForm, shared: bool, core: &Core) {
        self.profile = Some(ProfileWindow::new(&self.me.shown(), form, shared, &core.emit()));
    }

    /// Builds the window anew in another language or theme; what was typed stays.
    pub(super) fn rebuild_profile(&mut self, core: &Core) {
        let Some(form) = self.profile.take().map(|window| window.form()) else { return };
        let shared = self.main.roster().friends().kept_by_server;
        self.show_profile(&form, shared, core);
    }

    fn save_profile(&mut self, form: ProfileForm, core: &mut Core) {
        let shared = self.main.roster().friends().kept_by_server;
        let ProfileForm { profile, may_ask } = form;
        let (name, line) = (names::tidy(&profile.name), names::tidy(&profile.line));
        let profile = Profile { name, line, ..profile };
        if shared && let Some((text, field)) = wrong(&profile, &may_ask) {
            log::info!("said: {text}");
            self.profile.iter_mut().for_each(|window| window.refuse(&text, field));
            return;
        }
        let name = profile.name.clone();
        if name.is_empty() {
            core.settings.nicknames.remove(self.me.as_str());
        } else {
            core.settings.nicknames.insert(self.me.as_str().to_owned(), name);
        }
        core.save();
        if shared {
            core.client.set_profile(&profile);
            core.client.set_may_ask(&may_ask);
        }
        self.profile = None;
        self.renew_me(core);
    }
}

/// Whether the server would take this name, or none.
pub(super) fn is_name(name: &str) -> bool {
    let profile = Profile { name: name.to_owned(), ..Profile::default() };
    name.is_empty() || written(&profile).is_ok_and(|value| Kind::Profile.checked("", Some(&value)).is_ok())
}

/// What the server would not take, as a sentence, and where it stands.
fn wrong(profile: &Profile, may_ask: &MayAsk) -> Option<(String, Field)> {
    let fits = |kind: Kind, value| kind.checked("", Some(&value)).is_ok();
    let profile_fits = |profile: &Profile| written(profile).is_ok_and(|value| fits(Kind::Profile, value));
    let named = Profile { name: "x".into(), ..profile.clone() };
    if !profile_fits(&named) {
        return Some((t!("people.too_long").into_owned(), Field::Line));
    }
    if !profile_fits(profile) {
        return Some((t!("people.bad_name").into_owned(), Field::Name));
    }
    if !written(may_ask).is_ok_and(|value| fits(Kind::MayAsk, value)) {
        return Some((t!("people.bad_question").into_owned(), Field::Question));
    }
    None
}
