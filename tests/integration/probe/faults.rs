//! The model's single faults, and the rule each breaks.

use hongyan::probe::Rule;

macro_rules! faults {
    ($($fault:ident $rule:ident,)*) => {
        /// One thing that a server does wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault { $($fault,)* }

        /// Each fault with the rule it breaks.
        pub const FAULTS: &[(Fault, Rule)] = &[$((Fault::$fault, Rule::$rule),)*];
    };
}

faults! {
    NewExists RegisterDone,
    NewIsZero RegisterDone,
    ExistsDone RegisterExists,
    ExistsOverwritten RegisterExists,
    ConfirmIgnored RegisterDiffer,
    DifferRegisters RegisterDiffer,
    ExistsFirst DifferFirst,
    AnyPassword WrongPassword,
    WrongIsUnknown WrongPassword,
    UnknownIsWrong NoSuchAccount,
    LoginForgotten LoginDone,
    NeverAlready AlreadyLoggedIn,
    PasswordCut Fields,
    NonAsciiAccount Fields,
    ColonAccount Fields,
    OfflineIsAlready WentOffline,
    AlwaysOfflineDone WasOffline,
    SessionStays Forgotten,
    OfflineForwarded PeerOffline,
    OnlineIsOffline Forwarded,
    UnknownForwarded UnknownReceiver,
    CutAtColon BodyColon,
    CutAtHash BodyHash,
    NewlineStripped BodyNewline,
    SpacesStripped Body,
    BodyLowered Body,
    LongCut BodyLong,
    AnyLength BodyTooLong,
    GbkDropped Charset,
    GbkMangled Charset,
    SomeLost NotLost,
    OneSlot NotLost,
    LastAgain NotTwice,
    FiveKeeps NotTwice,
    LastFirst Oldest,
    EqualCollapsed EachMessage,
    ToEverybody ToReceiver,
    TimeLast Time,
    TimeFirst Time,
    TimeShort Time,
    TimeSlashes Time,
    TimeImpossible Time,
    NoTime Time,
    FromLowered From,
    FromIsReceiver From,
    EightOneMore CountAll,
    EightCountsPeople CountAll,
    CountPadded CountAll,
    FourCountsAll CountOne,
    FiveTakesAny TakeOne,
    NineNoneIsZero NoneLeft,
    FiveNoneIsZero NoneOfOne,
    ServesAnybody NotLoggedIn,
    StrangerMalformed NotLoggedIn,
    StrangerSilent NotLoggedIn,
    UnknownSilent UnknownOperation,
    UnknownIsSeven UnknownOperation,
    UnclosedServed Closed,
    UnclosedLogsOut Closed,
    ExtraFields FieldCount,
    EmptyForwarded EmptyField,
    LongSilent RequestTooLong,
    Nul ReplyForm,
    Newline ReplyForm,
    ClosedLikeRequest ReplyForm,
    NoLeadingZero ReplyForm,
    Twice OneReply,
    Pushes OneReply,
    WrongAddress ToSender,
    OtherPort FromAsked,
    Slow03 InOrder,
}
