//! The closed list of reasons that conditions carry. Alerts and scripts match on these words.

/// Why a condition is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    // in order
    InSync,
    Paused,
    Observed,
    Suspended,
    ReadOnly,
    // on the way
    Creating,
    LookingUp,
    ReadingBack,
    Updating,
    Enabling,
    Pausing,
    Deleting,
    WaitingForConnection,
    WaitingForParent,
    Retrying,
    CreateUnclear,
    // needs somebody
    ConnectionMissing,
    ParentMissing,
    ParentMismatch,
    TreeMismatch,
    ConnectionDeleting,
    NamespaceTerminating,
    NameTaken,
    Conflict,
    IdentityConflict,
    ManagedElsewhere,
    RecordUnreadable,
    AdvertiserTaken,
    AccountMismatch,
    NotFoundOnPlatform,
    AdoptionMismatch,
    ExternallyDeleted,
    DuplicatesFound,
    KeysUsedUp,
    CurrencyMismatch,
    UseSmartPlus,
    NotAllowlisted,
    NotCreatable,
    Rejected,
    BudgetTooLow,
    NotConverging,
    SiblingsDisagree,
    SideEffect,
    BudgetOnCampaign,
    BudgetMissing,
    ScheduleEnded,
    ScheduleShifted,
    // holds
    NoBudgetCeiling,
    CeilingReached,
    CeilingUnknown,
    PausedOutside,
    DeleteHeld,
    PauseNeedsWindow,
    // plans
    WouldCreate,
    WouldUpdate,
    // drift and delivery
    NoDrift,
    Differs,
    Delivering,
    Disabled,
    ParentPaused,
    ParentDeleted,
    NotStarted,
    Ended,
    BudgetSpent,
    BalanceSpent,
    AccountHeld,
    NotDelivering,
    InReview,
    Denied,
    Approved,
    Appealed,
    AppealRefused,
    Unknown,
    // connections
    SecretMissing,
    SecretIncomplete,
    TokenSecretTaken,
    TokenRefused,
    AwaitingAdvertiser,
    AdvertiserNotGranted,
    AccountRestricted,
    PlatformUnreachable,
    Verified,
    Disconnecting,
    ChildrenOpen,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The variant's name is the word on the wire.
        std::fmt::Debug::fmt(self, f)
    }
}
