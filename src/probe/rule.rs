//! The rules that a case can find broken, each with its section of the plain protocol.

use rust_i18n::t;

/// The section of the text in which a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named by the sections' titles")]
pub enum Section {
    Datagram,
    Register,
    Login,
    Send,
    UnreadOfOne,
    UnreadOfAll,
    Offline,
    Malformed,
    NotLoggedIn,
    Extensions,
    Server,
}

impl Section {
    /// Returns the section's title, also for the assignment's appendix. `locale` is `en` or `zh-CN`.
    #[must_use]
    pub fn text(self, locale: &str) -> String {
        match self {
            Self::Datagram => t!("probe.section.datagram", locale = locale),
            Self::Register => t!("probe.section.register", locale = locale),
            Self::Login => t!("probe.section.login", locale = locale),
            Self::Send => t!("probe.section.send", locale = locale),
            Self::UnreadOfOne => t!("probe.section.unread_of_one", locale = locale),
            Self::UnreadOfAll => t!("probe.section.unread_of_all", locale = locale),
            Self::Offline => t!("probe.section.offline", locale = locale),
            Self::Malformed => t!("probe.section.malformed", locale = locale),
            Self::NotLoggedIn => t!("probe.section.not_logged_in", locale = locale),
            Self::Extensions => t!("probe.section.extensions", locale = locale),
            Self::Server => t!("probe.section.server", locale = locale),
        }
        .into_owned()
    }
}

macro_rules! rules {
    ($($rule:ident $id:literal $section:ident $chosen:literal,)*) => {
        /// One rule of the text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each says itself what it demands, see Rule::text")]
        pub enum Rule { $($rule,)* }

        impl Rule {
            /// All rules, in the order of the text.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule,)*];

            /// Returns the rule's fixed name, for programs that read the document.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$rule => $id,)* }
            }

            /// The section it stands in.
            #[must_use]
            pub fn section(self) -> Section {
                match self { $(Self::$rule => Section::$section,)* }
            }

            /// Whether it is marked ≈: chosen where the assignment is silent, so that a server of
            /// other people's may see it otherwise.
            #[must_use]
            pub fn chosen(self) -> bool {
                match self { $(Self::$rule => $chosen,)* }
            }
        }
    };
}

rules! {
    ReplyForm "reply-form" Datagram false,
    EachAnswered "each-answered" Datagram false,
    OwnReplies "own-replies" Datagram false,
    OneReply "one-reply" Datagram false,
    ToSender "to-sender" Datagram false,
    FromAsked "from-asked" Datagram false,
    InOrder "in-order" Datagram false,
    Closed "closed" Datagram true,
    Fields "fields" Datagram true,
    Charset "charset" Datagram true,
    Wild "wild" Datagram true,
    RegisterDone "register-done" Register false,
    RegisterDiffer "register-differ" Register false,
    DifferFirst "differ-first" Register true,
    RegisterExists "register-exists" Register false,
    LoginDone "login-done" Login false,
    WrongPassword "wrong-password" Login false,
    NoSuchAccount "no-such-account" Login false,
    AlreadyLoggedIn "already-logged-in" Login false,
    Forwarded "forwarded" Send false,
    PeerOffline "peer-offline" Send false,
    UnknownReceiver "unknown-receiver" Send true,
    Body "body" Send false,
    BodyColon "body-colon" Send false,
    BodyHash "body-hash" Send true,
    BodyNewline "body-newline" Send false,
    BodyLong "body-long" Send true,
    EachMessage "each-message" Send false,
    ToReceiver "to-receiver" Send false,
    CountOne "count-one" UnreadOfOne false,
    TakeOne "take-one" UnreadOfOne false,
    NoneOfOne "none-of-one" UnreadOfOne false,
    CountAll "count-all" UnreadOfAll false,
    TakeAny "take-any" UnreadOfAll false,
    NoneLeft "none-left" UnreadOfAll false,
    From "from" UnreadOfAll false,
    Time "time" UnreadOfAll false,
    NotLost "not-lost" UnreadOfAll false,
    NotTwice "not-twice" UnreadOfAll false,
    Oldest "oldest-first" UnreadOfAll true,
    WentOffline "went-offline" Offline false,
    WasOffline "was-offline" Offline false,
    Forgotten "forgotten" Offline false,
    UnknownOperation "unknown-operation" Malformed false,
    FieldCount "field-count" Malformed false,
    EmptyField "empty-field" Malformed false,
    BodyTooLong "body-too-long" Malformed true,
    RequestTooLong "request-too-long" Server true,
    Stays "stays-logged-in" NotLoggedIn false,
    NotLoggedIn "not-logged-in" NotLoggedIn false,
    ReplyLike "reply-like" Server true,
    Extension "extension" Extensions true,
}

impl Rule {
    /// The rule as a sentence. `locale` is `en` or `zh-CN`.
    #[must_use]
    pub fn text(self, locale: &str) -> String {
        t!(format!("probe.rule.{}", self.id()), locale = locale).into_owned()
    }
}
