//! The sign of each kind of step: strokes on a square of 18.

use crate::diagram::drawing::Kind;

/// The strokes; empty for kinds that have no sign.
pub(super) fn strokes(kind: Kind) -> &'static str {
    match kind {
        Kind::Task => {
            "M5 3.5h8a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1zM7 2.5h4v2H7zM6.7 10.2l1.7 1.6 3-3.3"
        }
        Kind::Set => "M4 7h10M4 11h10",
        Kind::Table => "M3 4h12v10H3zM3 7.4h12M3 10.7h12M7.4 4v10",
        Kind::Notify => "M3 4.5h12v9H3zM3 5l6 4.6L15 5",
        Kind::Parallel => "M4.5 3.5v11M9 3.5v11M13.5 3.5v11",
        Kind::Each => "M4 5h10M4 9h10M4 13h5M12.5 11.5v4M10.7 13.7l1.8 1.8 1.8-1.8",
        Kind::Race => "M5 15.5V3M5 3.5h8.5l-2.2 3 2.2 3H5",
        Kind::Call => "M10.5 6V3.5h-7v11h7V12M7.5 9h8M13 6.5L15.5 9 13 11.5",
        Kind::Wait => "M9 2.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13zM9 5.5V9l2.6 1.6",
        Kind::Receive => "M3 10.5v4h12v-4M9 3v7.5M6.2 7.8L9 10.6l2.8-2.8",
        Kind::Http => {
            "M9 2.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13zM2.5 9h13M9 2.5c-3.6 4-3.6 9 0 13M9 2.5c3.6 4 3.6 9 0 13"
        }
        Kind::Job => {
            "M9 6.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 1 1 0-5.6zM9 2.5v2M9 13.5v2M2.5 9h2M13.5 9h2M4.4 4.4l1.4 1.4M12.2 12.2l1.4 1.4M13.6 4.4l-1.4 1.4M5.8 12.2l-1.4 1.4"
        }
        Kind::Approve | Kind::Start | Kind::Choose | Kind::Guard | Kind::End | Kind::Knot => "",
    }
}
