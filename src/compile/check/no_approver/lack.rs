//! What is missing at a step that has nobody to ask, in words: for whose cases, and what helps.

use super::choice::Choice;
use super::has_mail;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::id::{FieldName, PersonId};
use crate::model::people::Directory;
use crate::model::text::Wording;

/// Why there is nobody.
#[derive(PartialEq)]
pub(super) enum Lack {
    /// An entry names nobody.
    Nobody(Span),
    /// Those that an entry names have no mail address.
    NoMail(Span),
    /// An entry names only whose case it is, the applicant or in that field, who has no superior.
    OnlyThemselves(Span, Option<FieldName>),
    /// Once it is overdue, the entries name nobody to ask instead.
    NobodyInstead(Span),
    /// An entry has no value.
    Failed(Span, Wording),
}

impl Lack {
    pub(super) fn shown(&self, step: &str, applicants: &[PersonId], all: usize, directory: &Directory) -> Diagnostic {
        let mends = self.mends(applicants, all, directory);
        self.told(step, &when(applicants, all, directory), mends)
    }

    /// What can be done about it, and helps for all of these applicants.
    pub(super) fn mends(&self, applicants: &[PersonId], all: usize, directory: &Directory) -> Wording {
        let superior = |of: &PersonId| directory.superiors(of).iter().any(|person| has_mail(directory, person));
        let own = matches!(self, Lack::OnlyThemselves(..));
        let (zh, en) = if matches!(self, Lack::Failed(..)) || !applicants.iter().all(superior) {
            ("", "")
        } else {
            ("`policy: { nobody: escalate }`（找上级）或 ", "`policy: { nobody: escalate }` (ask a superior) or ")
        };
        let (own_zh, own_en) = if own {
            ("，或 `own_case: allow`（自己也可以批）", ", or `own_case: allow` (they may sign it themselves)")
        } else {
            ("", "")
        };
        let (kept_zh, kept_en) = if applicants.len() < all {
            ("；也可以用 `start` 不让他们发起", "; or keep them from starting it, with `start`")
        } else {
            ("", "")
        };
        Wording::new(
            format!("请在通讯录里补上人，或写 {zh}`policy: {{ nobody: skip }}`（跳过）{own_zh}{kept_zh}"),
            format!(
                "add somebody to the directory, or write {en}`policy: {{ nobody: skip }}` (pass over){own_en}{kept_en}"
            ),
        )
    }

    pub(super) fn told(&self, step: &str, when: &Wording, mends: Wording) -> Diagnostic {
        let (span, why) = match self {
            Lack::Nobody(span) => (*span, Wording::new("这里找不到人", "nobody is found here")),
            Lack::NoMail(span) => (*span, Wording::new("这里的人都没有邮箱", "nobody here has a mail address")),
            Lack::OnlyThemselves(span, Some(about)) => (
                *span,
                Wording::new(
                    format!("这里只有申请人自己或 `{about}` 本人，而这是他们自己的事，不能审批，也没有上级可以代替"),
                    format!(
                        "this names only the applicant or `{about}`, who may not decide their own case and have no superior to do it instead"
                    ),
                ),
            ),
            Lack::OnlyThemselves(span, None) => (
                *span,
                Wording::new(
                    "这里只有申请人自己，而申请人不能审批自己的申请，也没有上级可以代替",
                    "this names only the applicant, who may not decide their own case and has no superior to do it instead",
                ),
            ),
            Lack::NobodyInstead(span) => {
                return nobody_instead(step, *span, when);
            }
            Lack::Failed(span, message) => (*span, message.clone()),
        };
        Diagnostic::new(
            Code::NoApprover,
            span,
            Wording::new(
                format!("{}，`{step}` 这一步没有人可以办：{}", when.zh, why.zh),
                format!("{}, the step `{step}` has nobody to ask: {}", when.en, why.en),
            ),
        )
        .hint(mends)
    }
}

fn nobody_instead(step: &str, span: Span, when: &Wording) -> Diagnostic {
    Diagnostic::new(
        Code::NoApprover,
        span,
        Wording::new(
            format!("{}，`{step}` 逾期后没有人可以接手：这里找不到人", when.zh),
            format!("{}, nobody can take over once `{step}` is overdue: nobody is found here", when.en),
        ),
    )
    .hint(Wording::new(
        "请在通讯录里补上人，或改写 `reassign`，例如 `reassign: manager_of(assignee)`",
        "add somebody to the directory, or reassign to somebody else, such as `reassign: manager_of(assignee)`",
    ))
}

/// “When so-and-so applies”, naming at most three.
pub(super) fn when(applicants: &[PersonId], all: usize, directory: &Directory) -> Wording {
    if applicants.len() == all && all > 1 {
        return Wording::new("不管谁申请", "whoever applies");
    }
    let names: Vec<String> = applicants.iter().take(3).map(|id| format!("{} ({id})", directory.name_of(id))).collect();
    let more = applicants.len().saturating_sub(names.len());
    let (zh, en) = (names.join("、"), names.join(", "));
    if more == 0 {
        let verb = if applicants.len() == 1 { "applies" } else { "apply" };
        Wording::new(format!("{zh} 申请时"), format!("when {en} {verb}"))
    } else {
        Wording::new(format!("{zh} 等 {} 人申请时", applicants.len()), format!("when {en} or {more} more apply"))
    }
}

/// What is chosen where something is missing.
pub(super) struct Where<'w> {
    pub(super) of: &'w Choice,
    pub(super) names: &'w [String],
}

impl Where<'_> {
    /// “`field` is this”, naming at most three.
    pub(super) fn is(&self) -> Wording {
        let name = self.of.spelled();
        let quoted: Vec<String> = self.names.iter().take(3).map(|one| format!("`{one}`")).collect();
        let verb = if matches!(self.of, Choice::By(_)) { "是" } else { "选" };
        let (zh, en) = (quoted.join("、"), quoted.join(", "));
        match self.names.len().saturating_sub(3) {
            0 => Wording::new(format!("`{name}` {verb} {zh}"), format!("`{name}` is {en}")),
            more => Wording::new(
                format!("`{name}` {verb} {zh} 等 {} 个", self.names.len()),
                format!("`{name}` is {en} or one of {more} more"),
            ),
        }
    }

    /// “When `field` is this”; and for whose cases, where that is not so for all.
    pub(super) fn and(&self, whose: Option<Wording>) -> Wording {
        let is = self.is();
        match whose {
            None => Wording::new(format!("{} 时", is.zh), format!("when {}", is.en)),
            Some(whose) => Wording::new(
                format!("{}，并且由 {}", is.zh, whose.zh),
                format!("when {} and {}", is.en, whose.en.trim_start_matches("when ")),
            ),
        }
    }

    /// “When `field` is the applicant”, where these apply.
    pub(super) fn themselves(&self) -> Wording {
        let name = self.of.spelled();
        let few: Vec<&str> = self.names.iter().take(3).map(String::as_str).collect();
        let (mut zh, mut en) = (few.join("、"), few.join(", "));
        let more = self.names.len().saturating_sub(few.len());
        if more > 0 {
            zh = format!("{zh} 等 {} 人", self.names.len());
            en = format!("{en} or {more} more");
        }
        Wording::new(format!("`{name}` 是申请人自己时（{zh}）"), format!("when `{name}` is the applicant ({en})"))
    }
}
