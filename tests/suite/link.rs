//! Tickets: what they are bound to, that nothing else proves, and the file that their keys are kept in.

use countersign::effects::link::{Binding, Keys, LENGTH, LONGEST_URL, Purpose, Ticket, url};
use countersign::model::id::{AssignmentId, InstanceId, PersonId, TaskId};
use countersign::runtime::access;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

fn binding<'a>(person: &'a PersonId, nonce: &'a [u8; 16]) -> Binding<'a> {
    Binding {
        purpose: Purpose::Decide,
        installation: "here",
        instance: InstanceId(Uuid::from_u128(7)),
        task: TaskId(1),
        round: 1,
        person,
        assignment: AssignmentId(Uuid::from_u128(0xa2)),
        nonce,
    }
}

#[test]
fn a_ticket_proves_its_own_binding_and_no_other() {
    let keys = Keys::of_the_moment().unwrap();
    let (zhao, li, long, nonce, other) = ("zhao".into(), "li".into(), "zhaox".into(), [7; 16], [8; 16]);
    let own = binding(&zhao, &nonce);
    let ticket = Ticket::parse(&keys.ticket(&own)).unwrap();
    assert!(keys.proves(&ticket, &own));
    let crossed = [
        ("a reply address", Binding { purpose: Purpose::Reply, ..own }),
        ("a bounce address", Binding { purpose: Purpose::Bounce, ..own }),
        ("another installation", Binding { installation: "there", ..own }),
        ("a longer installation", Binding { installation: "here\0", ..own }),
        ("another instance", Binding { instance: InstanceId(Uuid::from_u128(8)), ..own }),
        ("another task", Binding { task: TaskId(2), ..own }),
        ("a later round", Binding { round: 2, ..own }),
        ("an earlier round", Binding { round: 0, ..own }),
        ("another person", Binding { person: &li, ..own }),
        ("a person whose id begins alike", Binding { person: &long, ..own }),
        ("another assignment", Binding { assignment: AssignmentId(Uuid::from_u128(0xa3)), ..own }),
        ("another nonce", Binding { nonce: &other, ..own }),
    ];
    assert_eq!(crossed.len(), 12);
    for (what, binding) in crossed {
        assert!(!keys.proves(&ticket, &binding), "the ticket proves {what}");
        let its = Ticket::parse(&keys.ticket(&binding)).unwrap();
        assert!(!keys.proves(&its, &own), "a ticket of {what} proves ours");
    }
    assert!(!Keys::of_the_moment().unwrap().proves(&ticket, &own), "another key proves it");
}

#[test]
fn no_flipped_bit_of_a_thousand_tickets_is_taken() {
    let keys = Keys::of_the_moment().unwrap();
    let person = "zhao".into();
    let mut taken = 0;
    for number in 0..1_000u128 {
        let nonce = number.to_le_bytes();
        let own = Binding { assignment: AssignmentId(Uuid::from_u128(number)), ..binding(&person, &nonce) };
        let text = keys.ticket(&own);
        assert!(keys.proves(&Ticket::parse(&text).unwrap(), &own));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                taken += usize::from(Ticket::parse(&changed).is_some_and(|ticket| keys.proves(&ticket, &own)));
            }
        }
    }
    assert_eq!(taken, 0);
}

#[test]
fn only_what_we_could_have_written_is_read() {
    let keys = Keys::of_the_moment().unwrap();
    let (person, nonce) = ("zhao".into(), [7; 16]);
    let text = keys.ticket(&binding(&person, &nonce));
    for damaged in [
        String::new(),
        text.to_lowercase(),
        text[..LENGTH - 1].to_owned(),
        format!("{text}A"),
        format!("{text}="),
        format!(" {text}"),
        text.replace(['-', '_'], "+"),
        format!("amp;{}", &text[4..]),
        "签".repeat(16),
        "A".repeat(LENGTH),
        "x".repeat(1_000_000),
    ] {
        let read = Ticket::parse(&damaged);
        let proves = read.is_some_and(|ticket| keys.proves(&ticket, &binding(&person, &nonce)));
        assert!(damaged == text || !proves, "{} characters were taken", damaged.len());
    }
}

#[test]
fn links_survive_mail_clients() {
    let keys = Keys::of_the_moment().unwrap();
    let base = "https://flow.a-company-of-some-length.example.cn";
    for number in 0..500u128 {
        let person = "zhao".into();
        let nonce = (number * 7_919).to_le_bytes();
        let own = Binding { assignment: AssignmentId(Uuid::from_u128(number << 64)), ..binding(&person, &nonce) };
        let ticket = keys.ticket(&own);
        let link = url(base, &ticket);
        assert!(link.len() <= LONGEST_URL, "{}", link.len());
        assert!(ticket.ends_with(|c: char| c.is_ascii_alphanumeric()), "a client would cut {ticket}");
        assert!(ticket.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        assert_eq!(ticket, keys.ticket(&own), "the same at every attempt");
        // Wrapped by a scanner or a web mailer, percent-encoded and taken out again.
        let wrapped = format!("https://scanner.example/?url={}", link.replace(':', "%3A").replace('/', "%2F"));
        let unwrapped = wrapped.split_once("url=").unwrap().1.replace("%3A", ":").replace("%2F", "/");
        assert_eq!(unwrapped, link);
    }
}

#[test]
fn nothing_shows_a_key_or_a_ticket() {
    let keys = Keys::of_the_moment().unwrap();
    let (person, nonce) = ("zhao".into(), [7; 16]);
    let text = keys.ticket(&binding(&person, &nonce));
    let shown = format!("{keys:?} {:?} {:?}", Ticket::parse(&text), keys.list());
    assert_eq!(shown.matches(&text[4..20]).count(), 0);
    assert!(shown.contains("[1 keys]") && shown.contains("[ticket]"), "{shown}");
}

#[test]
fn keys_are_rotated_without_breaking_a_link_and_revoked_at_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    let mut keys = Keys::open(&path, "2026-03-02").unwrap();
    let (person, nonce) = ("zhao".into(), [7; 16]);
    let own = binding(&person, &nonce);
    let old = Ticket::parse(&keys.ticket(&own)).unwrap();
    let again = Keys::open(&path, "2026-03-09").unwrap();
    assert!(again.proves(&old, &own), "a restart keeps the keys");

    assert_eq!(keys.rotate("2026-04-01").unwrap(), 2);
    keys.save(&path).unwrap();
    let mut keys = Keys::open(&path, "").unwrap();
    assert!(keys.proves(&old, &own), "old links still hold");
    assert_eq!(keys.signing(), 2);
    assert_eq!(keys.ticket_by(1, &own).and_then(|text| Ticket::parse(&text)), Some(old), "a retry keeps its link");

    keys.revoke(1).unwrap();
    keys.save(&path).unwrap();
    let mut keys = Keys::open(&path, "").unwrap();
    assert!(!keys.proves(&old, &own) && keys.ticket_by(1, &own).is_none());
    assert!(keys.revoke(1).is_err(), "it is gone");
    assert!(keys.revoke(2).unwrap_err().en.contains("only one"));
    assert_eq!(keys.rotate("").unwrap(), 3, "an id is never used again");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
}

#[cfg(unix)]
#[test]
fn a_key_file_is_nobody_elses() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    Keys::open(&path, "2026-03-02").unwrap().save(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&path).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    let refused = Keys::open(&path, "").unwrap_err();
    assert!(refused.en.contains("0640") && refused.en.contains("chmod 600"), "{refused}");
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(Keys::open(&link, "").is_err());
    for (text, en) in [
        ("", "holds no key"),
        ("key 1 abcd 2026-03-02\n", "Line 1"),
        ("# fine\nkey 0 00 x\n", "Line 2"),
        (&format!("{secret}{}", secret.lines().last().unwrap()), "Line 5"),
    ] {
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        fs::write(&path, text).unwrap();
        let refused = Keys::open(&path, "").unwrap_err();
        assert!(refused.en.contains(en), "{refused}");
        let hex = secret.split_whitespace().find(|word| word.len() == 64).unwrap();
        assert!(!refused.to_string().contains(hex), "the error shows a key");
    }
}

#[tokio::test]
async fn a_server_takes_up_keys_that_a_shell_adds_and_revokes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let mut keys = Keys::open(&path, "2026-03-02").unwrap();
    let (first, ring) = (keys.signing(), access::keyring(Keys::open(&path, "").unwrap()));
    let following = tokio::spawn(access::follow(ring.clone(), path.clone()));
    let ids = || ring.read().unwrap().list().iter().map(|key| key.id).collect::<Vec<_>>();
    assert_eq!(ids(), [first]);

    let second = keys.rotate("2026-03-03").unwrap();
    keys.revoke(first).unwrap();
    // Two writes within the clock's grain would look alike.
    tokio::time::sleep(Duration::from_millis(20)).await;
    keys.save(&path).unwrap();
    for _ in 0..100 {
        if ids() == [second] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ids(), [second], "the new key signs and the revoked one is dead, without a restart");
    following.abort();
}
