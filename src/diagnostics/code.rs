//! The kinds of faults: number, name, severity and page of each, in one table.
//!
//! A code is never renumbered or reused. To add one, write a row in its group and two pages,
//! `docs/diagnostics/<name>.zh.md` and `.en.md`; a test asks for a folder of examples of the same name.

use crate::diagnostics::suggest;
use crate::model::text::Lang;

/// Whether a fault stops the text from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does.
    Error,
    /// It works, but probably not as meant.
    Warning,
}

macro_rules! codes {
    ($($variant:ident $number:literal $name:literal $severity:ident;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the page of each code is its documentation")]
        pub enum Code { $($variant,)* }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The stable number, such as `CS0201`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$variant => $number,)* }
            }

            /// The name, such as `unknown_key`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// Whether it stops the text from being used.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }

            /// Its page, as Markdown: what it means, why it matters, a bad and a good example.
            pub fn page(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $(
                        (Code::$variant, Lang::Zh) =>
                            include_str!(concat!("../../docs/diagnostics/", $name, ".zh.md")),
                        (Code::$variant, Lang::En) =>
                            include_str!(concat!("../../docs/diagnostics/", $name, ".en.md")),
                    )*
                }
            }
        }
    };
}

codes! {
    // CS01: YAML text
    NotUtf8 "CS0101" "not_utf8" Error;
    YamlSyntax "CS0102" "yaml_syntax" Error;
    TabIndentation "CS0103" "tab_indentation" Error;
    DuplicateKey "CS0104" "duplicate_key" Error;
    SeveralDocuments "CS0105" "several_documents" Error;
    EmptyFile "CS0106" "empty_file" Error;
    ControlCharacter "CS0107" "control_character" Error;
    UnknownAlias "CS0108" "unknown_alias" Error;
    AliasBomb "CS0109" "alias_bomb" Error;
    BadMerge "CS0110" "bad_merge" Error;
    YamlTag "CS0111" "yaml_tag" Error;
    FullWidthPunctuation "CS0112" "full_width_punctuation" Error;

    // CS02: keys and shapes
    UnknownKey "CS0201" "unknown_key" Error;
    MisplacedKey "CS0202" "misplaced_key" Error;
    MissingKey "CS0203" "missing_key" Error;
    MissingValue "CS0204" "missing_value" Error;
    WrongShape "CS0205" "wrong_shape" Error;
    BadValue "CS0206" "bad_value" Error;
    UnknownKind "CS0207" "unknown_kind" Error;
    KindNotFirst "CS0208" "kind_not_first" Error;
    StepKind "CS0209" "step_kind" Error;
    UnsupportedStep "CS0210" "unsupported_step" Error;
    UnsupportedKey "CS0211" "unsupported_key" Error;
    KeyOfOtherField "CS0213" "key_of_other_field" Error;
    SecretInYaml "CS0214" "secret_in_yaml" Error;

    // CS03: names
    BadName "CS0301" "bad_name" Error;
    RepeatedName "CS0302" "repeated_name" Error;
    UnknownName "CS0303" "unknown_name" Error;
    AmbiguousName "CS0304" "ambiguous_name" Error;
    UnknownStep "CS0305" "unknown_step" Error;
    UnknownOutcome "CS0306" "unknown_outcome" Error;
    BuiltinOutcome "CS0307" "builtin_outcome" Error;
    BadNumber "CS0308" "bad_number" Error;
    UnknownTable "CS0309" "unknown_table" Error;
    UnusedField "CS0310" "unused_field" Warning;
    UnwrittenField "CS0311" "unwritten_field" Warning;
    UnusedTable "CS0312" "unused_table" Warning;

    // CS04: expressions and types
    ForeignSyntax "CS0401" "foreign_syntax" Error;
    UnquotedExpression "CS0402" "unquoted_expression" Error;
    QuotedWord "CS0403" "quoted_word" Error;
    BadExpression "CS0404" "bad_expression" Error;
    UnknownFunction "CS0405" "unknown_function" Error;
    WrongArguments "CS0406" "wrong_arguments" Error;
    UnknownProperty "CS0407" "unknown_property" Error;
    UnlikeTypes "CS0408" "unlike_types" Error;
    WrongType "CS0409" "wrong_type" Error;
    UnknownOption "CS0410" "unknown_option" Error;
    MaybeUnset "CS0411" "maybe_unset" Error;
    MaybeZeroDivision "CS0412" "maybe_zero_division" Error;
    BadTemporal "CS0413" "bad_temporal" Error;
    TooComplex "CS0414" "too_complex" Error;
    CyclicValue "CS0415" "cyclic_value" Error;
    NotSettable "CS0416" "not_settable" Error;
    BadPattern "CS0417" "bad_pattern" Error;
    ReversedLimits "CS0418" "reversed_limits" Error;
    MaybeOutOfBounds "CS0419" "maybe_out_of_bounds" Error;
    ImpossibleField "CS0420" "impossible_field" Error;
    BadDefault "CS0421" "bad_default" Error;
    BarePercent "CS0422" "bare_percent" Warning;
    MaybeImpossibleField "CS0423" "maybe_impossible_field" Error;
    MaybeBackwards "CS0424" "maybe_backwards" Error;
    MaybeTooLarge "CS0425" "maybe_too_large" Error;

    // CS05: flow
    UnreachableStep "CS0501" "unreachable_step" Error;
    DeadEnd "CS0502" "dead_end" Error;
    EndlessLoop "CS0503" "endless_loop" Error;
    JumpIntoBlock "CS0504" "jump_into_block" Error;
    MissingOtherwise "CS0505" "missing_otherwise" Error;
    SharedForm "CS0506" "shared_form" Error;
    RacingBranches "CS0507" "racing_branches" Error;
    RaceOpening "CS0508" "race_opening" Error;
    DecidedRace "CS0509" "decided_race" Warning;
    ImpossibleJoin "CS0510" "impossible_join" Error;
    UnhandledOutcome "CS0511" "unhandled_outcome" Error;
    EndlessCall "CS0512" "endless_call" Error;
    BadUndo "CS0513" "bad_undo" Error;
    RepeatedHttp "CS0514" "repeated_http" Warning;
    NestedLock "CS0517" "nested_lock" Error;
    ShadowedCase "CS0520" "shadowed_case" Error;
    IdleCondition "CS0521" "idle_condition" Warning;
    IdleStep "CS0522" "idle_step" Warning;
    EarlyJoin "CS0523" "early_join" Warning;
    RefusedCall "CS0524" "refused_call" Error;

    // CS06: people
    BadMail "CS0601" "bad_mail" Error;
    NoDirectory "CS0602" "no_directory" Error;
    CyclicReporting "CS0603" "cyclic_reporting" Error;
    SharedMail "CS0604" "shared_mail" Error;
    OwnSubstitute "CS0605" "own_substitute" Error;
    NoApprover "CS0606" "no_approver" Error;
    MissingMode "CS0607" "missing_mode" Error;
    VacantStart "CS0608" "vacant_start" Warning;
    OwnCaseAllowed "CS0609" "own_case_allowed" Warning;
    MayNotStart "CS0610" "may_not_start" Error;
    UnusedPosition "CS0611" "unused_position" Warning;
    SeveralHeads "CS0612" "several_heads" Warning;
    AbsentApprover "CS0613" "absent_approver" Warning;

    // CS07: time
    BadDate "CS0701" "bad_date" Error;
    ReversedRange "CS0702" "reversed_range" Error;
    BadHours "CS0703" "bad_hours" Error;
    BadZone "CS0704" "bad_zone" Error;
    OtherYear "CS0705" "other_year" Error;
    CalendarConflict "CS0706" "calendar_conflict" Error;
    MissingYear "CS0707" "missing_year" Warning;
    LateReminder "CS0708" "late_reminder" Warning;
    BadSchedule "CS0709" "bad_schedule" Error;
    NoTime "CS0710" "no_time" Error;
    MaybeTooFar "CS0711" "maybe_too_far" Error;

    // CS08: templates
    UnknownTemplate "CS0801" "unknown_template" Error;
    BadTemplate "CS0802" "bad_template" Error;
    UnusedTemplate "CS0803" "unused_template" Warning;

    // CS09: limits and files
    FileTooLarge "CS0901" "file_too_large" Error;
    TooDeep "CS0902" "too_deep" Error;
    ValueTooLong "CS0903" "value_too_long" Error;
    TooManyFaults "CS0904" "too_many_faults" Error;
    ProcessTooLarge "CS0905" "process_too_large" Error;

    // CS10: decision tables
    OutOfBounds "CS1001" "out_of_bounds" Error;
    MissingOrder "CS1002" "missing_order" Error;
    BadAggregate "CS1003" "bad_aggregate" Error;
    TableGap "CS1004" "table_gap" Error;
    TableOverlap "CS1005" "table_overlap" Error;
    UnreachableRule "CS1006" "unreachable_rule" Error;
    UnprovedTable "CS1007" "unproved_table" Warning;

    // CS11: tests
    FailedTest "CS1101" "failed_test" Error;

    // CS12: metrics
    BadMeasure "CS1201" "bad_measure" Error;
}

impl Code {
    /// Finds a code by its number or name, in any case: `cs0201`, `unknown_key`, `unknown-key`.
    ///
    /// ```
    /// use countersign::diagnostics::Code;
    /// assert_eq!(Code::find("cs0201"), Some(Code::UnknownKey));
    /// assert_eq!(Code::find("unknown-key"), Some(Code::UnknownKey));
    /// assert_eq!(Code::find("nothing"), None);
    /// ```
    pub fn find(word: &str) -> Option<Code> {
        let word = word.trim().to_lowercase().replace(['-', ' '], "_");
        Code::ALL.iter().copied().find(|code| code.name() == word || code.number().to_lowercase() == word)
    }

    /// The code that was probably meant by a word that names none.
    pub fn closest(word: &str) -> Option<Code> {
        let name = suggest::closest(word, Code::ALL.iter().map(|code| code.name()))?;
        Code::find(name)
    }
}
